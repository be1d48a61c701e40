//! Teams: groups of agents with a queue of their own.

use axum::extract::State;
use frontdesk_catalog::{Team, Texts};
use frontdesk_core::{
    id::{AccountId, TeamId, UserId},
    rights::Right,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Done, ids, unknown};
use crate::{
    extract::{Created, Json, Path},
    principal::Staff,
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change, remove))
}

/// A team.
#[derive(Serialize, ToSchema)]
struct TeamBody {
    id: String,
    /// Name by language.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    names: Texts,
    /// Ids of users.
    members: Vec<String>,
}

impl From<Team> for TeamBody {
    fn from(team: Team) -> Self {
        Self {
            id: team.id.to_string(),
            names: team.names,
            members: team.members.iter().map(ToString::to_string).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct TeamsBody {
    teams: Vec<TeamBody>,
}

/// Lists the teams
#[utoipa::path(get, path = "/teams", tag = "teams",
    responses((status = 200, body = TeamsBody), (status = "4XX", body = ProblemBody)))]
async fn list(State(state): State<ApiState>, staff: Staff) -> Answer<Json<TeamsBody>> {
    let teams = state.catalog().teams(staff.reads(Right::SettingsTeams)?).await?;
    Ok(Json(TeamsBody { teams: teams.into_iter().map(Into::into).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTeamBody {
    /// Name by language.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    names: Texts,
    /// Ids of users.
    #[serde(default)]
    members: Vec<String>,
}

/// Creates a team
#[utoipa::path(post, path = "/teams", tag = "teams", request_body = NewTeamBody,
    responses((status = 201, body = TeamBody), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<NewTeamBody>,
) -> Answer<Created<TeamBody>> {
    let account = staff.with(Right::SettingsTeams)?;
    let members = ids("members", &body.members)?;
    let team = state.catalog().create_team(account, &body.names, &members).await?;
    changed(&state, account, &members).await;
    Ok(Created(team.into()))
}

/// Shows a team
#[utoipa::path(get, path = "/teams/{team}", tag = "teams",
    params(("team" = String, Path, description = "The team's id")),
    responses((status = 200, body = TeamBody), (status = "4XX", body = ProblemBody)))]
async fn show(
    State(state): State<ApiState>,
    staff: Staff,
    Path(team): Path<String>,
) -> Answer<Json<TeamBody>> {
    let account = staff.reads(Right::SettingsTeams)?;
    Ok(Json(state.catalog().team(account, unknown(&team)?).await?.into()))
}

/// Fields that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TeamChange {
    /// Name by language.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    names: Option<Texts>,
    /// All members.
    members: Option<Vec<String>>,
}

/// Changes a team
#[utoipa::path(patch, path = "/teams/{team}", tag = "teams", request_body = TeamChange,
    params(("team" = String, Path, description = "The team's id")),
    responses((status = 200, body = TeamBody), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    staff: Staff,
    Path(team): Path<String>,
    Json(body): Json<TeamChange>,
) -> Answer<Json<TeamBody>> {
    let account = staff.with(Right::SettingsTeams)?;
    let id: TeamId = unknown(&team)?;
    let members: Option<Vec<UserId>> =
        body.members.map(|members| ids("members", &members)).transpose()?;
    let catalog = state.catalog();
    let mut team = catalog.team(account, id).await?;
    let mut touched = Vec::new();
    if let Some(names) = body.names {
        team = catalog.rename_team(account, id, &names).await?;
    }
    if let Some(members) = members {
        // Who joins or leaves sees other queues from now on.
        touched = team.members.iter().filter(|user| !members.contains(user)).copied().collect();
        touched.extend(members.iter().copied().filter(|user| !team.members.contains(user)));
        team = catalog.set_team_members(account, id, &members).await?;
    }
    changed(&state, account, &touched).await;
    Ok(Json(team.into()))
}

/// Deletes a team
#[utoipa::path(delete, path = "/teams/{team}", tag = "teams",
    params(("team" = String, Path, description = "The team's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn remove(
    State(state): State<ApiState>,
    staff: Staff,
    Path(team): Path<String>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsTeams)?;
    let id: TeamId = unknown(&team)?;
    let former = state.catalog().team(account, id).await?;
    state.catalog().delete_team(account, id).await?;
    changed(&state, account, &former.members).await;
    Ok(Done)
}

/// Sockets hold the teams they were opened with.
async fn changed(state: &ApiState, account: AccountId, members: &[UserId]) {
    for user in members {
        state.engine().rights_changed(account, *user);
    }
    state.engine().configuration_changed(account).await;
}
