//! Help for whoever answers: the language model summarises a conversation, and says an answer in better words or in
//! another language. What comes back is a text for a person to read; nothing is sent.

use axum::extract::State;
use frontdesk_core::{limits::TEXT_BYTES_MAX, rights::Right};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    engine::{AssistKind, AssistWish},
    extract::{Json, Path},
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    routes::conversations::own,
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(assist))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AssistBody {
    kind: AssistKind,
    /// What is to be said otherwise; not of a summary.
    #[serde(default)]
    text: String,
    /// The language of the answer; absent for that of the text.
    #[serde(default)]
    language: String,
}

#[derive(Serialize, ToSchema)]
struct AssistedBody {
    /// Plain text.
    text: String,
}

/// Asks the language model for help with a conversation
///
/// The model sees the conversation for a summary, and only `text` otherwise. Needs the feature to be on.
#[utoipa::path(post, path = "/conversations/{conversation}/assist", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's id")),
    request_body = AssistBody,
    responses((status = 200, body = AssistedBody), (status = "4XX", body = ProblemBody)))]
async fn assist(
    State(state): State<ApiState>,
    staff: Staff,
    Path(conversation): Path<String>,
    Json(body): Json<AssistBody>,
) -> Answer<Json<AssistedBody>> {
    let conversation = own(&staff.0, &conversation)?;
    // Who may not read it does not learn that it exists.
    state.engine().conversation(&staff.0, conversation).await?;
    staff.with(Right::ConversationWrite)?;
    if body.text.len() > TEXT_BYTES_MAX {
        return Err(Problem::invalid("text", "is longer than a message may be"));
    }
    if body.kind != AssistKind::Summary && body.text.trim().is_empty() {
        return Err(Problem::invalid("text", "is empty"));
    }
    if body.language.len() > 35 {
        return Err(Problem::invalid("language", "is no language"));
    }
    let wish = AssistWish { kind: body.kind, text: body.text, language: body.language };
    Ok(Json(AssistedBody { text: state.engine().assist(&staff.0, conversation, wish).await? }))
}
