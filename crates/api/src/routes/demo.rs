//! Entering the demo without a password: on the machine itself, into an account that `serve --demo` made
//! and that never holds anybody's own data. Anywhere else these routes do not exist.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{Builtin, Member};
use frontdesk_core::{id::AccountId, rights::Right};
use frontdesk_protocol::codes;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Done, sign_in::begin};
use crate::{
    client::Client,
    demo::Demo,
    extract::Json,
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(enter))
        .routes(routes!(show))
        .routes(routes!(pause))
        .routes(routes!(resume))
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
pub(super) async fn users(
    state: &ApiState,
    client: &Client,
    headers: &HeaderMap,
) -> Answer<Vec<DemoUser>> {
    let users = members(state, client, headers).await?.into_iter();
    Ok(users
        .map(|(_, member)| DemoUser {
            email: member.user.email,
            name: member.user.display_name,
            role: member.builtin.map_or("agent", Builtin::code),
        })
        .collect())
}

async fn members(
    state: &ApiState,
    client: &Client,
    headers: &HeaderMap,
) -> Answer<Vec<(AccountId, Member)>> {
    let mut members = Vec::new();
    if !state.config().demo || !is_at_home(client, headers) {
        return Ok(members);
    }
    for account in state.catalog().accounts().await? {
        if account.demo {
            let users = state.catalog().users(account.id).await?;
            members.extend(users.into_iter().map(|member| (account.id, member)));
        }
    }
    members.retain(|(_, member)| !member.disabled && !member.user.disabled);
    if let Some(demo) = state.demo() {
        // Colleagues who are played by the demo itself are no doors.
        members.retain(|(_, member)| demo.door(&member.user.email).is_some());
        members.sort_by_key(|(_, member)| demo.door(&member.user.email));
    }
    Ok(members)
}

/// The request comes from this machine and means this machine. The address alone does not say so: a
/// page elsewhere can let its own name point to 127.0.0.1, and the browser then counts it as ours.
fn is_at_home(client: &Client, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let outside = client.origin.split_once("://").map(|(_, authority)| authority);
    let asked = headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or_default());
    client.loopback
        && host.is_some_and(is_loopback)
        && outside.is_some_and(is_loopback)
        && asked.is_none_or(|origin| origin == client.origin)
}

/// Whether `host[:port]` can only mean the machine itself.
fn is_loopback(authority: &str) -> bool {
    let authority = authority.trim();
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    if let Some(v6) = authority.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return v6.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        Some(_) => return false,
        None => authority,
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
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
    // A browser names the page a POST comes from; whoever does not is no page of ours.
    if !headers.contains_key(header::ORIGIN) {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    let (account, member) = members(&state, &client, &headers)
        .await?
        .into_iter()
        .find(|(_, member)| member.user.email == body.email)
        .ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    let mut response = Done.into_response();
    begin(&state, &client, &headers, member.user.id, account, response.headers_mut()).await?;
    Ok(response)
}

/// The visitors a demo brings by itself.
#[derive(Serialize, ToSchema)]
struct DemoBody {
    /// They stand still.
    paused: bool,
    /// How many are here now.
    visitors: u32,
}

/// The demo this account belongs to.
async fn demo_of(state: &ApiState, staff: &Staff) -> Answer<Demo> {
    let none = || Problem::new(&codes::NOT_FOUND);
    let demo = state.demo().cloned().ok_or_else(none)?;
    if state.catalog().account(staff.reads(Right::SettingsAccount)?).await?.demo {
        Ok(demo)
    } else {
        Err(none())
    }
}

/// Tells whether the demo's visitors are paused, and how many are here
#[utoipa::path(get, path = "/demo", tag = "demo",
    responses((status = 200, body = DemoBody), (status = "4XX", body = ProblemBody)))]
async fn show(State(state): State<ApiState>, staff: Staff) -> Answer<Json<DemoBody>> {
    let demo = demo_of(&state, &staff).await?;
    Ok(Json(DemoBody { paused: *demo.paused().borrow(), visitors: demo.visitors() }))
}

/// Lets the demo's visitors stand still
#[utoipa::path(post, path = "/demo/pause", tag = "demo",
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn pause(State(state): State<ApiState>, staff: Staff) -> Answer<Done> {
    demo_of(&state, &staff).await?.pause(true);
    Ok(Done)
}

/// Lets the demo's visitors go on
#[utoipa::path(post, path = "/demo/resume", tag = "demo",
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn resume(State(state): State<ApiState>, staff: Staff) -> Answer<Done> {
    demo_of(&state, &staff).await?.pause(false);
    Ok(Done)
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_names_and_addresses_of_the_machine_itself_are_home() {
        for home in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.8.9.1:80",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_loopback(home), "{home}");
        }
        for elsewhere in [
            "",
            "chat.example",
            "localhost.evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "127.0.0.1.nip.io:80",
            "192.168.1.2:8080",
            "[2001:db8::1]:8080",
            "localhost:x",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }
}
