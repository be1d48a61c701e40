//! Roles: named sets of rights. Nobody gives a right they do not have.

use axum::extract::State;
use frontdesk_catalog::{Role, Texts};
use frontdesk_core::rights::{Right, Rights};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Done, unknown};
use crate::{
    extract::{Created, Json, Path},
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(change, remove))
}

/// A role.
#[derive(Serialize, ToSchema)]
struct RoleBody {
    id: String,
    /// `agent`, `supervisor`, `admin` or `owner`; absent for a role of the account's own.
    builtin: Option<&'static str>,
    /// Name by language.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    names: Texts,
    /// Codes such as `conversation.take_over`.
    rights: Vec<&'static str>,
}

impl From<Role> for RoleBody {
    fn from(role: Role) -> Self {
        Self {
            id: role.id.to_string(),
            builtin: role.builtin.map(frontdesk_catalog::Builtin::code),
            names: role.names,
            rights: role.rights.iter().map(Right::code).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct RolesBody {
    roles: Vec<RoleBody>,
    /// All rights there are.
    rights: Vec<&'static str>,
}

/// Lists the roles
#[utoipa::path(get, path = "/roles", tag = "roles",
    responses((status = 200, body = RolesBody), (status = "4XX", body = ProblemBody)))]
async fn list(State(state): State<ApiState>, staff: Staff) -> Answer<Json<RolesBody>> {
    // Who gives roles to users has to see them too.
    let account = staff.with(Right::SettingsRoles).or_else(|_| staff.with(Right::SettingsUsers))?;
    let roles = state.catalog().roles(account).await?;
    Ok(Json(RolesBody {
        roles: roles.into_iter().map(Into::into).collect(),
        rights: Rights::all().iter().map(Right::code).collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleInput {
    /// Name by language.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    names: Texts,
    /// Codes such as `conversation.take_over`.
    rights: Vec<String>,
}

/// Creates a role
#[utoipa::path(post, path = "/roles", tag = "roles", request_body = RoleInput,
    responses((status = 201, body = RoleBody), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<RoleInput>,
) -> Answer<Created<RoleBody>> {
    let account = staff.with(Right::SettingsRoles)?;
    let rights = rights(&body.rights)?;
    let role = state.catalog().create_role(account, &body.names, rights, staff.0.granter()).await?;
    Ok(Created(role.into()))
}

/// Changes a role
#[utoipa::path(put, path = "/roles/{role}", tag = "roles", request_body = RoleInput,
    params(("role" = String, Path, description = "The role's id")),
    responses((status = 200, body = RoleBody), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    staff: Staff,
    Path(role): Path<String>,
    Json(body): Json<RoleInput>,
) -> Answer<Json<RoleBody>> {
    let account = staff.with(Right::SettingsRoles)?;
    let rights = rights(&body.rights)?;
    let catalog = state.catalog();
    let role = catalog
        .update_role(account, unknown(&role)?, &body.names, rights, staff.0.granter())
        .await?;
    // Sockets hold the rights they were opened with.
    for member in catalog.users(account).await? {
        if member.role == role.id {
            state.engine().rights_changed(account, member.user.id);
        }
    }
    state.engine().configuration_changed(account).await;
    Ok(Json(role.into()))
}

/// Deletes a role nobody has
#[utoipa::path(delete, path = "/roles/{role}", tag = "roles",
    params(("role" = String, Path, description = "The role's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn remove(
    State(state): State<ApiState>,
    staff: Staff,
    Path(role): Path<String>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsRoles)?;
    state.catalog().delete_role(account, unknown(&role)?).await?;
    Ok(Done)
}

/// Reads codes of rights.
pub(crate) fn rights(codes: &[String]) -> Answer<Rights> {
    codes
        .iter()
        .map(|code| {
            Right::parse(code)
                .ok_or_else(|| Problem::invalid("rights", format!("there is no right {code}")))
        })
        .collect()
}
