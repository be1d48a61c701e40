//! Inboxes: one website or channel each, with the sites that may show its widget.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::State;
use frontdesk_catalog::{
    Hours, IdentityMode, IdentitySecret, Inbox, InboxChange, InboxKind, InboxText, Look, NewInbox,
    Questions, RoutingMode, Texts,
};
use frontdesk_core::{
    id::{AccountId, InboxId},
    rights::Right,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Done,
    identity_secrets::SecretBody,
    unknown,
    users::{Maybe, present},
};
use crate::{
    extract::{Created, Json, Path},
    principal::Staff,
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(rotate_key))
}

/// An inbox.
#[derive(Serialize, ToSchema)]
struct InboxBody {
    id: String,
    /// Names it to the public, in `/c/{inbox_key}` and the site's snippet.
    inbox_key: String,
    /// What the team calls it.
    name: String,
    /// `website` or `api`.
    kind: &'static str,
    /// Sites that may embed it: `https://shop.example`, `https://*.shop.example`.
    origins: Vec<String>,
    /// The queue of new sessions; absent for the common one.
    default_team: Option<String>,
    /// `auto` or `manual`.
    routing: &'static str,
    /// Colours and place of the widget.
    #[schema(value_type = Object)]
    look: Look,
    /// `greeting`, `away`, `closed`, `ask_contact`, `title`: each by language.
    #[schema(value_type = std::collections::HashMap<String, std::collections::HashMap<String, String>>)]
    texts: BTreeMap<InboxText, Texts>,
    /// Opening hours.
    #[schema(value_type = Object)]
    hours: Hours,
    /// Opening hours in free words, by language.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    hours_text: Texts,
    /// Suggested questions, by language: at most six of 120 characters.
    questions: Questions,
    /// BCP 47: for visitors whose language is not known; empty for the account's.
    language: String,
    /// Whether visitors come with an identity the site signs.
    identity: IdentityBody,
}

/// How visitors of an inbox show who they are.
#[derive(Serialize, ToSchema)]
struct IdentityBody {
    /// `off`, `optional` or `required`.
    mode: &'static str,
    /// What the site may sign with, oldest first; at most two.
    secrets: Vec<SecretBody>,
}

impl InboxBody {
    fn new(state: &ApiState, inbox: Inbox, secrets: &[IdentitySecret]) -> Self {
        let of_inbox = secrets.iter().filter(|secret| secret.inbox == inbox.id);
        let secrets = of_inbox.map(|secret| SecretBody::new(state, inbox.account, secret));
        Self {
            identity: IdentityBody { mode: inbox.identity.code(), secrets: secrets.collect() },
            hours_text: inbox.hours_text,
            questions: inbox.questions,
            language: inbox.language,
            id: inbox.id.to_string(),
            inbox_key: inbox.public_key,
            name: inbox.name,
            kind: inbox.kind.code(),
            origins: inbox.origins,
            default_team: inbox.default_team.map(|team| team.to_string()),
            routing: inbox.routing.code(),
            look: inbox.look,
            texts: inbox.texts,
            hours: inbox.hours,
        }
    }
}

/// One inbox with what belongs to it.
async fn body(state: &ApiState, account: AccountId, inbox: Inbox) -> Answer<InboxBody> {
    let secrets = state.catalog().identity_secrets_of(account, inbox.id).await?;
    Ok(InboxBody::new(state, inbox, &secrets))
}

#[derive(Serialize, ToSchema)]
struct InboxesBody {
    inboxes: Vec<InboxBody>,
}

/// Lists the inboxes
#[utoipa::path(get, path = "/inboxes", tag = "inboxes",
    responses((status = 200, body = InboxesBody), (status = "4XX", body = ProblemBody)))]
async fn list(State(state): State<ApiState>, staff: Staff) -> Answer<Json<InboxesBody>> {
    let account = staff.reads(Right::SettingsInboxes)?;
    let inboxes = state.catalog().inboxes(account).await?;
    let secrets = state.catalog().identity_secrets(account).await?;
    let body = |inbox| InboxBody::new(&state, inbox, &secrets);
    Ok(Json(InboxesBody { inboxes: inboxes.into_iter().map(body).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInboxBody {
    /// What the team calls it.
    name: String,
    /// `website` or `api`.
    #[serde(default)]
    #[schema(value_type = String)]
    kind: InboxKind,
    /// Sites that may embed it.
    #[serde(default)]
    origins: Vec<String>,
    /// The queue of new sessions.
    #[serde(default)]
    default_team: Option<String>,
    /// `auto` or `manual`.
    #[serde(default)]
    #[schema(value_type = String)]
    routing: RoutingMode,
    /// The first thing a visitor reads, by language.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    greeting: Texts,
}

/// Creates an inbox
#[utoipa::path(post, path = "/inboxes", tag = "inboxes", request_body = NewInboxBody,
    responses((status = 201, body = InboxBody), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<NewInboxBody>,
) -> Answer<Created<InboxBody>> {
    let account = staff.with(Right::SettingsInboxes)?;
    let new = NewInbox {
        name: body.name,
        kind: body.kind,
        origins: body.origins,
        default_team: body.default_team.map(|team| super::id("default_team", &team)).transpose()?,
        routing: body.routing,
        greeting: body.greeting,
    };
    let inbox = state.catalog().create_inbox(account, &new).await?;
    state.engine().configuration_changed(account).await;
    Ok(Created(InboxBody::new(&state, inbox, &[])))
}

/// Shows an inbox
#[utoipa::path(get, path = "/inboxes/{inbox}", tag = "inboxes",
    params(("inbox" = String, Path, description = "The inbox's id")),
    responses((status = 200, body = InboxBody), (status = "4XX", body = ProblemBody)))]
async fn show(
    State(state): State<ApiState>,
    staff: Staff,
    Path(inbox): Path<String>,
) -> Answer<Json<InboxBody>> {
    let account = staff.reads(Right::SettingsInboxes)?;
    let inbox = state.catalog().inbox(account, unknown(&inbox)?).await?;
    Ok(Json(body(&state, account, Arc::unwrap_or_clone(inbox)).await?))
}

/// Fields that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InboxInput {
    /// What the team calls it.
    name: Option<String>,
    /// Sites that may embed it.
    origins: Option<Vec<String>>,
    /// The queue of new sessions; null for the common one.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    default_team: Maybe<String>,
    /// `auto` or `manual`.
    #[schema(value_type = Option<String>)]
    routing: Option<RoutingMode>,
    /// Colours and place of the widget.
    #[schema(value_type = Option<Object>)]
    look: Option<Look>,
    /// Texts to set; those not named stay, empty ones go.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, std::collections::HashMap<String, String>>)]
    texts: BTreeMap<InboxText, Texts>,
    /// Opening hours.
    #[schema(value_type = Option<Object>)]
    hours: Option<Hours>,
    /// Opening hours in free words, all languages.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    hours_text: Option<Texts>,
    /// Suggested questions, all languages: at most six of 120 characters.
    questions: Option<Questions>,
    /// BCP 47: for visitors whose language is not known; empty for the account's.
    language: Option<String>,
    /// Whether visitors come with an identity the site signs.
    identity: Option<IdentityInput>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IdentityInput {
    /// `off`, `optional` or `required`.
    #[schema(value_type = String)]
    mode: IdentityMode,
}

/// Changes an inbox
#[utoipa::path(patch, path = "/inboxes/{inbox}", tag = "inboxes", request_body = InboxInput,
    params(("inbox" = String, Path, description = "The inbox's id")),
    responses((status = 200, body = InboxBody), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    staff: Staff,
    Path(inbox): Path<String>,
    Json(input): Json<InboxInput>,
) -> Answer<Json<InboxBody>> {
    let account = staff.with(Right::SettingsInboxes)?;
    let id: InboxId = unknown(&inbox)?;
    let default_team = input
        .default_team
        .map(|team| team.map(|team| super::id("default_team", &team)).transpose())
        .transpose()?;
    let change = InboxChange {
        name: input.name,
        origins: input.origins,
        default_team,
        routing: input.routing,
        look: input.look,
        texts: input.texts,
        hours: input.hours,
        hours_text: input.hours_text,
        questions: input.questions,
        language: input.language,
        identity: input.identity.map(|identity| identity.mode),
    };
    let inbox = state.catalog().update_inbox(account, id, change).await?;
    state.engine().configuration_changed(account).await;
    Ok(Json(body(&state, account, inbox).await?))
}

/// Deletes an inbox
#[utoipa::path(delete, path = "/inboxes/{inbox}", tag = "inboxes",
    params(("inbox" = String, Path, description = "The inbox's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn remove(
    State(state): State<ApiState>,
    staff: Staff,
    Path(inbox): Path<String>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsInboxes)?;
    state.catalog().delete_inbox(account, unknown(&inbox)?).await?;
    state.engine().configuration_changed(account).await;
    Ok(Done)
}

/// Gives an inbox a new key; pages with the old one stop to work
#[utoipa::path(post, path = "/inboxes/{inbox}/rotate-key", tag = "inboxes",
    params(("inbox" = String, Path, description = "The inbox's id")),
    responses((status = 200, body = InboxBody), (status = "4XX", body = ProblemBody)))]
async fn rotate_key(
    State(state): State<ApiState>,
    staff: Staff,
    Path(inbox): Path<String>,
) -> Answer<Json<InboxBody>> {
    let account = staff.with(Right::SettingsInboxes)?;
    let inbox = state.catalog().rotate_inbox_key(account, unknown(&inbox)?).await?;
    state.engine().configuration_changed(account).await;
    Ok(Json(body(&state, account, Arc::unwrap_or_clone(inbox)).await?))
}
