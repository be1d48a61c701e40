//! API keys: for programs of the account. The key itself is shown once, when it is made.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::ApiKey;
use frontdesk_core::rights::Right;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Done, roles::rights, unknown};
use crate::{
    extract::{Created, Json, Path},
    idempotency::CarriesSecret,
    principal::Staff,
    problem::{Answer, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(remove))
}

/// A key without the key.
#[derive(Serialize, ToSchema)]
struct KeyBody {
    id: String,
    name: String,
    /// Its last characters.
    hint: String,
    /// Codes such as `conversation.write`.
    rights: Vec<&'static str>,
    /// It speaks on the socket as a bot.
    bot: bool,
    /// UTC milliseconds.
    created_at_ms: i64,
    /// UTC milliseconds, to the minute; absent for a key never used.
    last_used_at_ms: Option<i64>,
}

impl From<ApiKey> for KeyBody {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            hint: key.hint,
            rights: key.rights.iter().map(Right::code).collect(),
            bot: key.bot,
            created_at_ms: key.created_ms,
            last_used_at_ms: key.last_used_ms,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct KeysBody {
    api_keys: Vec<KeyBody>,
}

/// Lists the API keys
#[utoipa::path(get, path = "/api-keys", tag = "API keys",
    responses((status = 200, body = KeysBody), (status = "4XX", body = ProblemBody)))]
async fn list(State(state): State<ApiState>, staff: Staff) -> Answer<Json<KeysBody>> {
    let account = staff.with(Right::SettingsKeys)?;
    let keys = state.catalog().api_keys(account).await?;
    Ok(Json(KeysBody { api_keys: keys.into_iter().map(Into::into).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKeyBody {
    /// What it is for.
    name: String,
    /// Codes such as `conversation.write`; none that the caller lacks.
    rights: Vec<String>,
    /// It is a bot's: who uses it on the socket is a bot to everybody.
    #[serde(default)]
    bot: bool,
}

/// A new key; `key` is shown this once.
#[derive(Serialize, ToSchema)]
struct CreatedKeyBody {
    #[serde(flatten)]
    api_key: KeyBody,
    /// Send it as `Authorization: Bearer fd_...`.
    key: String,
}

/// Creates an API key
#[utoipa::path(post, path = "/api-keys", tag = "API keys", request_body = NewKeyBody,
    responses((status = 201, body = CreatedKeyBody), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<NewKeyBody>,
) -> Answer<Response> {
    let account = staff.with(Right::SettingsKeys)?;
    let rights = rights(&body.rights)?;
    let granter = staff.0.granter();
    let created = state.catalog().create_api_key(account, &body.name, rights, body.bot, granter);
    let (api_key, key) = created.await?;
    let mut response = Created(CreatedKeyBody { api_key: api_key.into(), key }).into_response();
    response.extensions_mut().insert(CarriesSecret);
    Ok(response)
}

/// Deletes an API key: it stops working at once
#[utoipa::path(delete, path = "/api-keys/{key}", tag = "API keys",
    params(("key" = String, Path, description = "The key's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn remove(
    State(state): State<ApiState>,
    staff: Staff,
    Path(key): Path<String>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsKeys)?;
    let id = unknown(&key)?;
    state.catalog().delete_api_key(account, id).await?;
    state.engine().revoke_key(account, id);
    Ok(Done)
}
