//! Entering the demo without a password: on the machine itself, into an account that `serve --demo` made
//! and that never holds anybody's own data. Anywhere else these routes do not exist.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{Builtin, Member};
use frontdesk_core::id::AccountId;
use frontdesk_protocol::codes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Done, sign_in::begin};
use crate::{
    client::Client,
    extract::Json,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(enter))
}

/// Somebody of the demo account.
#[derive(Serialize, ToSchema)]
pub(super) struct DemoUser {
    email: String,
    name: String,
    /// `agent`, `supervisor`, `admin` or `owner`.
    role: &'static str,
}

/// Whom one may enter the demo as; nobody outside of it.
pub(super) async fn users(state: &ApiState, client: &Client) -> Answer<Vec<DemoUser>> {
    let users = members(state, client).await?.into_iter();
    Ok(users
        .map(|(_, member)| DemoUser {
            email: member.user.email,
            name: member.user.display_name,
            role: member.builtin.map_or("agent", Builtin::code),
        })
        .collect())
}

async fn members(state: &ApiState, client: &Client) -> Answer<Vec<(AccountId, Member)>> {
    let mut members = Vec::new();
    if !state.config().demo || !client.loopback {
        return Ok(members);
    }
    for account in state.catalog().accounts().await? {
        if account.demo {
            let users = state.catalog().users(account.id).await?;
            members.extend(users.into_iter().map(|member| (account.id, member)));
        }
    }
    members.retain(|(_, member)| !member.disabled && !member.user.disabled);
    Ok(members)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EnterBody {
    /// One of `demo_users` of `GET /api/v1/setup`.
    email: String,
}

/// Enters the demo as one of its users, on the server's own machine only
#[utoipa::path(post, path = "/sign-in/demo", tag = "identity", request_body = EnterBody,
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn enter(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
    Json(body): Json<EnterBody>,
) -> Answer<Response> {
    let (account, member) = members(&state, &client)
        .await?
        .into_iter()
        .find(|(_, member)| member.user.email == body.email)
        .ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    let mut response = Done.into_response();
    begin(&state, &client, &headers, member.user.id, account, response.headers_mut()).await?;
    Ok(response)
}
