//! `/ws/v1`: the door of every socket. Decides by Origin and cookies who may come in (S1), then the
//! edge takes the socket; who it is, its first frame says.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_gateway::edge::upgrade::{HandshakeError, WsUpgrade};
use frontdesk_protocol::codes;
use http::{HeaderMap, header};

use crate::{
    client::Client,
    origin,
    problem::{Answer, Problem},
    state::ApiState,
};

pub(crate) async fn connect(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
    upgrade: Result<WsUpgrade, HandshakeError>,
) -> Answer<Response> {
    let standing = state.limits().ip.count(&client.bucket());
    if let Some(after) = standing.retry_after {
        return Err(Problem::new(&codes::RATE_LIMITED).retry_after(after));
    }
    check_origin(&state, &client, &headers).await?;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(error) => return Ok(error.into_response()),
    };
    // Last, so that what would be refused anyway takes nobody's place.
    if let Err(after) = state.limits().handshakes.admit() {
        return Err(Problem::new(&codes::OVERLOADED).retry_after(after));
    }
    let ip = client.ip;
    Ok(upgrade.accept(ip, move |socket| state.engine().connect(socket)))
}

/// Ours, or a site of some inbox that embeds a client directly, or no browser at all. A socket's
/// identity is in its first frame and never in a cookie, so a request that names no origin has no
/// business with one.
async fn check_origin(state: &ApiState, client: &Client, headers: &HeaderMap) -> Answer<()> {
    let refused = |detail: &str| Err(Problem::new(&codes::ORIGIN_REFUSED).detail(detail));
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(value) = origins.next() else {
        return if headers.contains_key(header::COOKIE) {
            refused("a request with cookies names its origin")
        } else {
            Ok(())
        };
    };
    let sent = value.to_str().ok().and_then(origin::parse);
    let Some(sent) = sent.filter(|_| origins.next().is_none()) else {
        return refused("the origin is none of ours");
    };
    if sent == client.origin {
        return Ok(());
    }
    if origin::is_listed(&sent, &state.listed_origins().await?) {
        return Ok(());
    }
    refused("the origin is neither ours nor on an inbox's list")
}
