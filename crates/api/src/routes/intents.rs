//! How visitors' messages are sorted, and a text to try.

use axum::extract::State;
use frontdesk_core::{id::InboxId, rights::Right};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    engine::{Intents, TriedText},
    extract::Json,
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

/// Longest text to try; a visitor's message may be as long.
const TEXT_BYTES_MAX: usize = 64 << 10;

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(intents)).routes(routes!(try_intent))
}

#[derive(Serialize, ToSchema)]
struct IntentsBody {
    /// Absent where messages are not sorted (`intent.enabled`).
    intents: Option<Intents>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TryBody {
    /// What a visitor might write.
    text: String,
    /// Whose thresholds and rules hold; absent: those that hold everywhere.
    #[schema(value_type = Option<String>)]
    inbox: Option<InboxId>,
}

#[derive(Serialize, ToSchema)]
struct TriedBody {
    /// Absent where messages are not sorted.
    tried: Option<TriedText>,
}

/// Shows how visitors' messages are sorted
#[utoipa::path(get, path = "/intents", tag = "inboxes",
    responses((status = 200, body = IntentsBody), (status = "4XX", body = ProblemBody)))]
async fn intents(State(state): State<ApiState>, staff: Staff) -> Answer<Json<IntentsBody>> {
    staff.reads(Right::SettingsInboxes)?;
    Ok(Json(IntentsBody { intents: state.engine().intents() }))
}

/// Tries what a text would be sorted as
///
/// Changes nothing and is not counted.
#[utoipa::path(post, path = "/intents/try", tag = "inboxes", request_body = TryBody,
    responses((status = 200, body = TriedBody), (status = "4XX", body = ProblemBody)))]
async fn try_intent(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<TryBody>,
) -> Answer<Json<TriedBody>> {
    let account = staff.reads(Right::SettingsInboxes)?;
    if body.text.len() > TEXT_BYTES_MAX {
        return Err(Problem::invalid("text", "is longer than a message may be"));
    }
    let name = match body.inbox {
        None => String::new(),
        Some(inbox) => state.catalog().inbox(account, inbox).await?.name.clone(),
    };
    let inbox = body.inbox.map(|inbox| inbox.to_string()).unwrap_or_default();
    let tried = state.engine().try_intent(&body.text, &inbox, &name).await;
    Ok(Json(TriedBody { tried }))
}
