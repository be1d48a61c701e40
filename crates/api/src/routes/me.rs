//! The caller itself: who it is and what it may do; a user's own profile, password and login sessions.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{LoginSession, Password, ProfileChange};
use frontdesk_core::{id::AccountId, rights::Right};
use frontdesk_protocol::codes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Done,
    sign_in::{admit_address, begin},
};
use crate::{
    client::Client,
    engine::AssistKind,
    extract::{Json, Path},
    llm,
    principal::{Principal, SignedIn, Staff},
    problem::{Answer, Problem, ProblemBody},
    state::{ApiState, now_ms},
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(show, change))
        .routes(routes!(change_password))
        .routes(routes!(sessions, end_others))
        .routes(routes!(end_session))
}

/// Who asks.
#[derive(Serialize, ToSchema)]
struct MeBody {
    /// `user` or `api_key`.
    kind: &'static str,
    id: String,
    /// What visitors see, or the key's name.
    display_name: String,
    /// A file id, or `hue-0` to `hue-7` for the colour behind the initials; empty for none.
    avatar: String,
    /// How the person signs in; absent for a key.
    email: Option<String>,
    /// BCP 47, of the console; absent for a key.
    language: Option<String>,
    /// `online`, `away` or `offline`; absent for a key.
    presence: Option<&'static str>,
    account: MyAccount,
    /// Codes such as `conversation.take_over`.
    rights: Vec<&'static str>,
    /// Ids of the caller's teams.
    teams: Vec<String>,
    /// The connection is not encrypted and leaves this machine: the console shows a banner.
    insecure_http: bool,
    /// The installation runs with demo data.
    demo: bool,
    /// What the language model helps with: `summary`, `rewrite`, `translate`.
    assist: Vec<AssistKind>,
}

/// The caller's account.
#[derive(Serialize, ToSchema)]
struct MyAccount {
    id: String,
    name: String,
    /// BCP 47.
    language: String,
}

/// Shows who the caller is
#[utoipa::path(get, path = "/me", tag = "identity",
    responses((status = 200, body = MeBody), (status = "4XX", body = ProblemBody)))]
async fn show(
    State(state): State<ApiState>,
    client: Client,
    Staff(by): Staff,
) -> Answer<Json<MeBody>> {
    let account = state.catalog().account(by.account()).await?;
    let rights = by.rights().iter().map(Right::code).collect();
    let mut body = MeBody {
        kind: "api_key",
        id: by.id(),
        display_name: String::new(),
        avatar: String::new(),
        email: None,
        language: None,
        presence: None,
        account: MyAccount {
            id: account.id.to_string(),
            name: account.name,
            language: account.language,
        },
        rights,
        teams: Vec::new(),
        insecure_http: client.is_exposed(),
        demo: account.demo,
        assist: help_of_model(&state, by.account()).await,
    };
    match by {
        Principal::User(user) => {
            let own = state.catalog().session_user(&user.access).await?;
            body.kind = "user";
            body.display_name = user.access.display_name;
            body.avatar = user.access.avatar;
            body.email = Some(own.email);
            body.language = Some(user.access.language);
            body.presence = Some(user.access.presence.code());
            body.teams = user.access.teams.iter().map(ToString::to_string).collect();
        }
        Principal::Key(key) => body.display_name = key.name,
        Principal::Visitor(_) => {}
    }
    Ok(Json(body))
}

/// What the account's language model may be asked for; nothing while that cannot be read.
async fn help_of_model(state: &ApiState, account: AccountId) -> Vec<AssistKind> {
    let kept = match llm::read(state.catalog(), state.key(), account).await {
        Ok(kept) if kept.settings().is_some() => kept,
        Ok(_) => return Vec::new(),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(account.id = %account, error, "nobody is helped by a language model");
            return Vec::new();
        }
    };
    let features = kept.document.features;
    [
        (features.summary, AssistKind::Summary),
        (features.rewrite, AssistKind::Rewrite),
        (features.translate, AssistKind::Translate),
    ]
    .into_iter()
    .filter_map(|(on, kind)| on.then_some(kind))
    .collect()
}

/// Fields that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MyChange {
    /// What visitors see.
    display_name: Option<String>,
    /// A file id, or `hue-0` to `hue-7` for the colour behind the initials; empty for none.
    avatar: Option<String>,
    /// BCP 47, of the console.
    language: Option<String>,
}

/// Changes one's own profile
#[utoipa::path(patch, path = "/me", tag = "identity", request_body = MyChange,
    responses((status = 200, body = MeBody), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    client: Client,
    SignedIn(mut user): SignedIn,
    Json(body): Json<MyChange>,
) -> Answer<Json<MeBody>> {
    let change = ProfileChange {
        display_name: body.display_name,
        avatar: body.avatar,
        language: body.language,
    };
    let (account, id) = (user.access.account, user.access.user);
    let member = state.catalog().update_profile(account, id, &change, true).await?;
    user.access.display_name = member.user.display_name;
    user.access.avatar = member.user.avatar;
    user.access.language = member.user.language;
    state.engine().configuration_changed(account).await;
    show(State(state), client, Staff(Principal::User(Box::new(user)))).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    #[schema(format = Password)]
    current_password: String,
    /// 8 characters or more, 15 advised.
    #[schema(format = Password)]
    new_password: String,
}

/// Changes one's own password; every other login session ends
#[utoipa::path(post, path = "/me/password", tag = "identity", request_body = PasswordChange,
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn change_password(
    State(state): State<ApiState>,
    client: Client,
    SignedIn(user): SignedIn,
    headers: HeaderMap,
    Json(body): Json<PasswordChange>,
) -> Answer<Response> {
    admit_address(&state, &client).await?;
    let id = user.access.user;
    let (current, new) = (Password::new(body.current_password), Password::new(body.new_password));
    state.catalog().change_password(id, &current, &new).await?;
    state.engine().revoke(None, id, None);
    let mut response = Done.into_response();
    let account = user.access.account;
    begin(&state, &client, &headers, id, account, response.headers_mut()).await?;
    Ok(response)
}

/// A browser that is signed in.
#[derive(Serialize, ToSchema)]
struct SessionBody {
    /// Names it here; grants nothing.
    handle: String,
    /// The one that asks.
    current: bool,
    /// What the browser called itself.
    user_agent: String,
    /// UTC milliseconds.
    created_at_ms: i64,
    /// UTC milliseconds, to the minute.
    seen_at_ms: i64,
    /// UTC milliseconds.
    ends_at_ms: i64,
}

impl SessionBody {
    fn of(session: LoginSession, current: &str) -> Self {
        Self {
            current: session.handle == current,
            handle: session.handle,
            user_agent: session.user_agent,
            created_at_ms: session.created_ms,
            seen_at_ms: session.seen_ms,
            ends_at_ms: session.ends_ms,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct SessionsBody {
    sessions: Vec<SessionBody>,
}

/// Lists one's own login sessions
#[utoipa::path(get, path = "/me/sessions", tag = "identity",
    responses((status = 200, body = SessionsBody), (status = "4XX", body = ProblemBody)))]
async fn sessions(
    State(state): State<ApiState>,
    SignedIn(user): SignedIn,
) -> Answer<Json<SessionsBody>> {
    let found = state.catalog().sessions(user.access.user, now_ms()).await?;
    let sessions = found.into_iter().map(|session| SessionBody::of(session, &user.login)).collect();
    Ok(Json(SessionsBody { sessions }))
}

/// Ends all one's login sessions but this one
#[utoipa::path(delete, path = "/me/sessions", tag = "identity",
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn end_others(State(state): State<ApiState>, SignedIn(user): SignedIn) -> Answer<Done> {
    let id = user.access.user;
    let others = state.catalog().sessions(id, now_ms()).await?;
    state.catalog().revoke_other_sessions(id, &user.login).await?;
    for other in others.iter().filter(|other| other.handle != user.login) {
        state.engine().revoke(None, id, Some(&other.handle));
    }
    Ok(Done)
}

/// Ends one of one's login sessions
#[utoipa::path(delete, path = "/me/sessions/{handle}", tag = "identity",
    params(("handle" = String, Path, description = "The session's handle")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn end_session(
    State(state): State<ApiState>,
    SignedIn(user): SignedIn,
    Path(handle): Path<String>,
) -> Answer<Done> {
    if handle.len() > 64 {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    state.catalog().revoke_session(user.access.user, &handle).await?;
    state.engine().revoke(None, user.access.user, Some(&handle));
    Ok(Done)
}
