//! Where an inbox's widget was seen last, and which sites were refused: for the page on which somebody
//! puts the snippet into a site.

use axum::extract::State;
use frontdesk_catalog::Sighting;
use frontdesk_core::{id::InboxId, rights::Right};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::unknown;
use crate::{
    extract::{Json, Path},
    principal::Staff,
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(sightings))
}

/// A site the widget was seen on.
#[derive(Serialize, ToSchema)]
struct SeenBody {
    /// `https://shop.example`.
    origin: String,
    /// Address of the newest page, without query; empty where the page did not say.
    page: String,
    /// UTC milliseconds, to the minute.
    last_seen_ms: i64,
}

/// A site that is not on the inbox's list and asked all the same.
#[derive(Serialize, ToSchema)]
struct RefusedBody {
    /// `https://shop.example`.
    origin: String,
    /// UTC milliseconds, to the minute.
    last_seen_ms: i64,
    /// How often it was refused.
    count: u64,
}

/// Sites, the newest first, at most 50 of each kind.
#[derive(Serialize, ToSchema)]
struct SightingsBody {
    seen: Vec<SeenBody>,
    refused: Vec<RefusedBody>,
}

/// Shows on which sites the inbox's widget was seen
#[utoipa::path(get, path = "/inboxes/{inbox}/sightings", tag = "inboxes",
    params(("inbox" = String, Path, description = "The inbox's id")),
    responses((status = 200, body = SightingsBody), (status = "4XX", body = ProblemBody)))]
async fn sightings(
    State(state): State<ApiState>,
    staff: Staff,
    Path(inbox): Path<String>,
) -> Answer<Json<SightingsBody>> {
    let account = staff.with(Right::SettingsInboxes)?;
    let id: InboxId = unknown(&inbox)?;
    let inbox = state.catalog().inbox(account, id).await?;
    let mut found = state.catalog().sightings(account, id).await?;
    for sighting in &mut found {
        sighting.requests += state.sightings().unwritten(id, &sighting.origin, sighting.refused);
    }
    let (refused, seen): (Vec<Sighting>, Vec<Sighting>) =
        found.into_iter().partition(|sighting| sighting.refused);
    let now_allowed =
        |sighting: &Sighting| crate::origin::is_listed(&sighting.origin, &inbox.origins);
    Ok(Json(SightingsBody {
        seen: seen
            .into_iter()
            .map(|sighting| SeenBody {
                origin: sighting.origin,
                page: sighting.page,
                last_seen_ms: sighting.seen_ms,
            })
            .collect(),
        // What was allowed since is no question any more.
        refused: refused
            .into_iter()
            .filter(|sighting| !now_allowed(sighting))
            .map(|sighting| RefusedBody {
                origin: sighting.origin,
                last_seen_ms: sighting.seen_ms,
                count: sighting.requests,
            })
            .collect(),
    }))
}
