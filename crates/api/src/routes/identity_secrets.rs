//! The secrets a site signs its visitors' identities with: shown once, two at most, so that a site
//! changes from one to the other without a moment in which nobody is known.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::IdentitySecret;
use frontdesk_core::{id::AccountId, rights::Right};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Done, unknown};
use crate::{
    extract::{Created, Path},
    idempotency::CarriesSecret,
    principal::Staff,
    problem::{Answer, ProblemBody},
    state::ApiState,
};

/// Characters shown of a secret, so that people can tell two apart.
const HINT_CHARS: usize = 4;

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(remove))
}

/// A secret without the secret.
#[derive(Serialize, ToSchema)]
#[schema(as = IdentitySecretBody)]
pub(super) struct SecretBody {
    id: String,
    /// UTC milliseconds.
    created_at_ms: i64,
    /// Its last characters.
    hint: String,
}

impl SecretBody {
    pub(super) fn new(state: &ApiState, account: AccountId, secret: &IdentitySecret) -> Self {
        let text = state.key().identity_secret(account, secret.inbox, &secret.salt);
        let hint = text.get(text.len() - HINT_CHARS..).unwrap_or_default();
        Self { id: secret.id.to_string(), created_at_ms: secret.created_ms, hint: hint.to_owned() }
    }
}

/// A new secret; `secret` is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedIdentitySecretBody)]
struct CreatedSecretBody {
    #[serde(flatten)]
    about: SecretBody,
    /// The key of HS256, as it is: the whole text, not decoded.
    secret: String,
}

/// Creates a secret for signing the identities of an inbox's visitors
#[utoipa::path(post, path = "/inboxes/{inbox}/identity-secrets", tag = "inboxes",
    operation_id = "create_identity_secret",
    params(("inbox" = String, Path, description = "The inbox's id")),
    responses((status = 201, body = CreatedSecretBody), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(state): State<ApiState>,
    staff: Staff,
    Path(inbox): Path<String>,
) -> Answer<Response> {
    let account = staff.with(Right::SettingsInboxes)?;
    let inbox = unknown(&inbox)?;
    let secret = state.catalog().create_identity_secret(account, inbox).await?;
    let body = CreatedSecretBody {
        about: SecretBody::new(&state, account, &secret),
        secret: state.key().identity_secret(account, inbox, &secret.salt),
    };
    let mut response = Created(body).into_response();
    response.extensions_mut().insert(CarriesSecret);
    Ok(response)
}

/// Deletes a secret: what it signed is refused at once
#[utoipa::path(delete, path = "/inboxes/{inbox}/identity-secrets/{secret}", tag = "inboxes",
    operation_id = "remove_identity_secret",
    params(("inbox" = String, Path, description = "The inbox's id"),
        ("secret" = String, Path, description = "The secret's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn remove(
    State(state): State<ApiState>,
    staff: Staff,
    Path((inbox, secret)): Path<(String, String)>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsInboxes)?;
    state.catalog().delete_identity_secret(account, unknown(&inbox)?, unknown(&secret)?).await?;
    Ok(Done)
}
