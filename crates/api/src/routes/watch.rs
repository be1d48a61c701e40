//! Who is at work, and who waits: the agents' states and the watchdog's page.

use axum::extract::State;
use frontdesk_core::rights::Right;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    engine::{AgentState, Waiting},
    extract::Json,
    principal::Staff,
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(agents)).routes(routes!(waiting))
}

#[derive(Serialize, ToSchema)]
struct AgentsBody {
    agents: Vec<AgentState>,
}

/// Lists the account's agents with state and load
#[utoipa::path(get, path = "/agents", tag = "team",
    responses((status = 200, body = AgentsBody), (status = "4XX", body = ProblemBody)))]
async fn agents(State(state): State<ApiState>, staff: Staff) -> Answer<Json<AgentsBody>> {
    staff.reads(Right::SettingsUsers)?;
    Ok(Json(AgentsBody { agents: state.engine().agents(&staff.0).await? }))
}

/// Shows every open session with who or what it waits for
///
/// `violations` names sessions that have neither exactly one owner nor exactly one place in a queue,
/// or no deadline. On a sound system it is empty.
#[utoipa::path(get, path = "/waiting", tag = "team",
    responses((status = 200, body = Waiting), (status = "4XX", body = ProblemBody)))]
async fn waiting(State(state): State<ApiState>, Staff(by): Staff) -> Answer<Json<Waiting>> {
    Ok(Json(state.engine().waiting(&by).await?))
}
