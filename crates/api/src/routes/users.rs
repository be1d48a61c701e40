//! People with a login: created, changed, shut out and removed by who has `settings.users`. A change
//! of rights closes the person's sockets, so that nobody stays connected with rights that are gone.

use axum::extract::State;
use frontdesk_catalog::{Granter, Member, NewUser, Password, ProfileChange};
use frontdesk_core::{
    id::{AccountId, UserId},
    rights::Right,
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Done, ids, unknown};
use crate::{
    extract::{Created, Json, Path},
    principal::{Principal, Staff},
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(set_password))
}

/// A member of the account.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserBody {
    id: String,
    /// How the person signs in; unique for the installation.
    email: String,
    /// What visitors see.
    display_name: String,
    /// BCP 47.
    language: String,
    role: String,
    /// `agent`, `supervisor`, `admin` or `owner`; absent for a role of the account's own.
    builtin_role: Option<&'static str>,
    /// Sessions at a time; absent for the account's default.
    capacity: Option<u16>,
    /// What the person is good at, as words; sessions that wish for a skill come to those who have it, for a while.
    skills: Vec<String>,
    teams: Vec<String>,
    /// Shut out of the account.
    disabled: bool,
    /// `online`, `away` or `offline`: what the person chose.
    presence: &'static str,
    /// UTC milliseconds.
    joined_at_ms: i64,
}

impl From<Member> for UserBody {
    fn from(member: Member) -> Self {
        Self {
            id: member.user.id.to_string(),
            email: member.user.email,
            display_name: member.user.display_name,
            language: member.user.language,
            role: member.role.to_string(),
            builtin_role: member.builtin.map(frontdesk_catalog::Builtin::code),
            capacity: member.capacity,
            skills: member.skills,
            teams: member.teams.iter().map(ToString::to_string).collect(),
            disabled: member.disabled || member.user.disabled,
            presence: member.user.presence.code(),
            joined_at_ms: member.joined_ms,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct UsersBody {
    users: Vec<UserBody>,
}

/// Lists the account's users
#[utoipa::path(get, path = "/users", tag = "users",
    responses((status = 200, body = UsersBody), (status = "4XX", body = ProblemBody)))]
async fn list(State(state): State<ApiState>, staff: Staff) -> Answer<Json<UsersBody>> {
    let account = staff.with(Right::SettingsUsers)?;
    let users = state.catalog().users(account).await?;
    Ok(Json(UsersBody { users: users.into_iter().map(Into::into).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUserBody {
    email: String,
    display_name: String,
    /// BCP 47.
    #[serde(default = "english")]
    language: String,
    /// 8 characters or more, 15 advised.
    #[schema(format = Password)]
    password: String,
    /// A role's id.
    role: String,
    /// Sessions at a time; absent for the account's default.
    #[serde(default)]
    capacity: Option<u16>,
    /// What the person is good at: at most 16 words of at most 32 characters.
    #[serde(default)]
    skills: Vec<String>,
    /// Ids of teams.
    #[serde(default)]
    teams: Vec<String>,
}

fn english() -> String {
    "en".to_owned()
}

/// Creates a user
#[utoipa::path(post, path = "/users", tag = "users", request_body = NewUserBody,
    responses((status = 201, body = UserBody), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<NewUserBody>,
) -> Answer<Created<UserBody>> {
    let account = staff.with(Right::SettingsUsers)?;
    let new = NewUser {
        email: body.email,
        display_name: body.display_name,
        language: body.language,
        role: super::id("role", &body.role)?,
        capacity: body.capacity,
        skills: body.skills,
        teams: ids("teams", &body.teams)?,
    };
    let password = Password::new(body.password);
    let member = state.catalog().create_user(account, &new, &password, staff.0.granter()).await?;
    state.engine().configuration_changed(account).await;
    Ok(Created(member.into()))
}

/// Shows a user
#[utoipa::path(get, path = "/users/{user}", tag = "users",
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = UserBody), (status = "4XX", body = ProblemBody)))]
async fn show(
    State(state): State<ApiState>,
    staff: Staff,
    Path(user): Path<String>,
) -> Answer<Json<UserBody>> {
    let account = staff.with(Right::SettingsUsers)?;
    Ok(Json(state.catalog().user(account, unknown(&user)?).await?.into()))
}

/// Fields that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    display_name: Option<String>,
    /// A role's id.
    role: Option<String>,
    /// Sessions at a time; null for the account's default.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u16>)]
    capacity: Maybe<u16>,
    /// All skills: at most 16 words of at most 32 characters.
    skills: Option<Vec<String>>,
    /// All teams.
    teams: Option<Vec<String>>,
    /// Shuts the user out, or lets it in again.
    disabled: Option<bool>,
}

/// Absent, null or a value.
pub(crate) type Maybe<T> = Option<Option<T>>;

/// Tells null from absent.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Maybe<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Changes a user
#[utoipa::path(patch, path = "/users/{user}", tag = "users", request_body = UserChange,
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = UserBody), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    staff: Staff,
    Path(user): Path<String>,
    Json(body): Json<UserChange>,
) -> Answer<Json<UserBody>> {
    let account = staff.with(Right::SettingsUsers)?;
    let id: UserId = unknown(&user)?;
    let teams = body.teams.map(|teams| ids("teams", &teams)).transpose()?;
    let role = body.role.map(|role| super::id("role", &role)).transpose()?;
    let catalog = state.catalog();
    let mut member = catalog.user(account, id).await?;
    if let Some(role) = role.filter(|role| *role != member.role) {
        member = catalog.change_role(account, id, role, staff.0.granter()).await?;
        state.engine().rights_changed(account, id);
    }
    if let Some(name) = body.display_name {
        let change = ProfileChange { display_name: Some(name), ..ProfileChange::default() };
        member = catalog.update_profile(account, id, &change, is_self(&staff.0, id)).await?;
    }
    if let Some(capacity) = body.capacity {
        member = catalog.set_capacity(account, id, capacity).await?;
    }
    if let Some(skills) = body.skills {
        member = catalog.set_skills(account, id, &skills).await?;
    }
    if let Some(teams) = teams {
        member = catalog.set_user_teams(account, id, &teams).await?;
        state.engine().rights_changed(account, id);
    }
    if let Some(disabled) = body.disabled {
        member = catalog.set_disabled(account, id, disabled, staff.0.granter()).await?;
        if disabled {
            state.engine().revoke(Some(account), id, None);
        }
    }
    state.engine().configuration_changed(account).await;
    Ok(Json(member.into()))
}

/// Removes a user from the account
#[utoipa::path(delete, path = "/users/{user}", tag = "users",
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn remove(
    State(state): State<ApiState>,
    staff: Staff,
    Path(user): Path<String>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsUsers)?;
    let id: UserId = unknown(&user)?;
    state.catalog().remove_user(account, id, staff.0.granter()).await?;
    state.engine().revoke(Some(account), id, None);
    state.engine().configuration_changed(account).await;
    Ok(Done)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    /// 8 characters or more, 15 advised.
    #[schema(format = Password)]
    password: String,
}

/// Sets somebody's password and ends their login sessions
#[utoipa::path(post, path = "/users/{user}/password", tag = "users", request_body = PasswordBody,
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn set_password(
    State(state): State<ApiState>,
    staff: Staff,
    Path(user): Path<String>,
    Json(body): Json<PasswordBody>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsUsers)?;
    let id: UserId = unknown(&user)?;
    reset(&state, account, id, body.password, staff.0.granter()).await?;
    Ok(Done)
}

async fn reset(
    state: &ApiState,
    account: AccountId,
    user: UserId,
    password: String,
    granter: Granter,
) -> Answer<()> {
    state.catalog().reset_password(account, user, &Password::new(password), granter).await?;
    state.engine().revoke(None, user, None);
    Ok(())
}

fn is_self(by: &Principal, user: UserId) -> bool {
    matches!(by, Principal::User(own) if own.access.user == user)
}
