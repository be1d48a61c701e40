//! Invitations: a link by which a colleague joins, chooses a name and a password, and is signed in. Made and
//! withdrawn by who has `settings.users`; read and accepted by whoever holds the link.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{Invitation, Inviter, NewInvitation, Password};
use frontdesk_core::{rights::Right, secret::Secret128};
use frontdesk_protocol::codes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Done, ids,
    sign_in::{SignedInBody, admit_address, begin, refuse_exposed},
    unknown,
};
use crate::{
    client::Client,
    extract::{Created, Json, Path},
    idempotency::CarriesSecret,
    principal::{Principal, Staff},
    problem::{Answer, Problem, ProblemBody},
    state::{ApiState, now_ms},
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(withdraw))
        .routes(routes!(show))
        .routes(routes!(accept))
}

/// An invitation nobody has used yet.
#[derive(Serialize, ToSchema)]
struct InvitationBody {
    id: String,
    /// How the person will sign in.
    email: String,
    /// What visitors will see; empty where the person is to say it.
    display_name: String,
    /// BCP 47.
    language: String,
    /// A role's id.
    role: String,
    /// Ids of teams.
    teams: Vec<String>,
    /// UTC milliseconds.
    created_at_ms: i64,
    /// UTC milliseconds.
    expires_at_ms: i64,
}

impl From<Invitation> for InvitationBody {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id.to_string(),
            email: invitation.email,
            display_name: invitation.display_name,
            language: invitation.language,
            role: invitation.role.to_string(),
            teams: invitation.teams.iter().map(ToString::to_string).collect(),
            created_at_ms: invitation.created_ms,
            expires_at_ms: invitation.ends_ms,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct InvitationsBody {
    invitations: Vec<InvitationBody>,
}

/// Lists the invitations that are open
#[utoipa::path(get, path = "/invitations", tag = "invitations",
    responses((status = 200, body = InvitationsBody), (status = "4XX", body = ProblemBody)))]
async fn list(State(state): State<ApiState>, staff: Staff) -> Answer<Json<InvitationsBody>> {
    let account = staff.with(Right::SettingsUsers)?;
    let open = state.catalog().invitations(account, now_ms()).await?;
    Ok(Json(InvitationsBody { invitations: open.into_iter().map(Into::into).collect() }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInvitationBody {
    email: String,
    /// What visitors will see; the person may change it.
    #[serde(default)]
    display_name: String,
    /// A role's id; none with rights the caller lacks.
    role: String,
    /// Ids of teams.
    #[serde(default)]
    teams: Vec<String>,
    /// BCP 47.
    #[serde(default = "english")]
    language: String,
}

fn english() -> String {
    "en".to_owned()
}

/// A new invitation; `url` is shown this once.
#[derive(Serialize, ToSchema)]
struct CreatedInvitationBody {
    id: String,
    /// Give it to the person, and to nobody else.
    url: String,
    /// UTC milliseconds.
    expires_at_ms: i64,
}

/// Invites somebody; an open invitation of the same address ends
#[utoipa::path(post, path = "/invitations", tag = "invitations", request_body = NewInvitationBody,
    responses((status = 201, body = CreatedInvitationBody), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(state): State<ApiState>,
    client: Client,
    staff: Staff,
    Json(body): Json<NewInvitationBody>,
) -> Answer<Response> {
    let account = staff.with(Right::SettingsUsers)?;
    if let Some(after) = state.limits().invitations.count(&Some(account)).retry_after {
        return Err(Problem::new(&codes::RATE_LIMITED).retry_after(after));
    }
    let by = match &staff.0 {
        Principal::User(user) => Inviter::User(user.access.user),
        Principal::Key(key) => Inviter::Key(key.id),
        Principal::Visitor(_) => return Err(Problem::new(&codes::RIGHT_MISSING)),
    };
    let new = NewInvitation {
        email: body.email,
        display_name: body.display_name,
        language: body.language,
        role: super::id("role", &body.role)?,
        teams: ids("teams", &body.teams)?,
    };
    let made = state.catalog().create_invitation(account, &new, by, staff.0.granter(), now_ms());
    let (invitation, secret) = made.await?;
    let mut response = Created(CreatedInvitationBody {
        id: invitation.id.to_string(),
        // Behind the hash, so that it reaches no server's log.
        url: format!("{}{}/#/invite/{}", client.origin, client.prefix, secret.reveal()),
        expires_at_ms: invitation.ends_ms,
    })
    .into_response();
    response.extensions_mut().insert(CarriesSecret);
    Ok(response)
}

/// Withdraws an invitation: its link stops working at once
#[utoipa::path(delete, path = "/invitations/{invitation}", tag = "invitations",
    params(("invitation" = String, Path, description = "The invitation's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn withdraw(
    State(state): State<ApiState>,
    staff: Staff,
    Path(invitation): Path<String>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsUsers)?;
    state.catalog().withdraw_invitation(account, unknown(&invitation)?).await?;
    Ok(Done)
}

/// What the page behind a link says before anything is typed.
#[derive(Serialize, ToSchema)]
struct OfferBody {
    /// Who invites.
    account_name: String,
    /// How the person will sign in.
    email: String,
    /// What visitors will see; empty where nobody has said it yet.
    display_name: String,
    /// BCP 47.
    language: String,
}

/// Shows the invitation behind a link
#[utoipa::path(get, path = "/invitations/by-token/{token}", tag = "invitations",
    params(("token" = String, Path, description = "The last part of the link")),
    responses((status = 200, body = OfferBody), (status = "4XX", body = ProblemBody)))]
async fn show(State(state): State<ApiState>, Path(token): Path<String>) -> Answer<Json<OfferBody>> {
    let found = state.catalog().invitation(&secret(&token)?, now_ms()).await?;
    let account = state.catalog().account(found.account).await?;
    Ok(Json(OfferBody {
        account_name: account.name,
        email: found.email,
        display_name: found.display_name,
        language: found.language,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptBody {
    /// What visitors will see.
    display_name: String,
    /// 8 characters or more, 15 advised.
    #[schema(format = Password)]
    password: String,
}

/// Accepts an invitation and signs the new user in
#[utoipa::path(post, path = "/invitations/by-token/{token}/accept", tag = "invitations",
    params(("token" = String, Path, description = "The last part of the link")),
    request_body = AcceptBody,
    responses((status = 200, body = SignedInBody), (status = "4XX", body = ProblemBody)))]
async fn accept(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
    Path(token): Path<String>,
    Json(body): Json<AcceptBody>,
) -> Answer<Response> {
    refuse_exposed(&state, &client)?;
    let secret = secret(&token)?;
    // Only who holds a link makes us compute a hash, and not too often.
    state.catalog().invitation(&secret, now_ms()).await?;
    admit_address(&state, &client).await?;
    let password = Password::new(body.password);
    let accepted =
        state.catalog().accept_invitation(&secret, &body.display_name, &password, now_ms());
    let (account, user) = accepted.await?;
    state.engine().configuration_changed(account).await;
    let mut response = Json(SignedInBody::of(user, account)).into_response();
    begin(&state, &client, &headers, user, account, response.headers_mut()).await?;
    Ok(response)
}

/// A text that is no token belongs to no invitation.
fn secret(token: &str) -> Answer<Secret128> {
    Secret128::parse(token).map_err(|_| Problem::new(&codes::INVITATION_INVALID))
}
