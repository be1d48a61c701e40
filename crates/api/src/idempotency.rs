//! `Idempotency-Key` on POSTs that create: the first answer is kept for a day and given again, so a
//! client that lost the answer may simply repeat the request. The same key with another request is
//! an error.
//!
//! The catalog keeps it with the caller's account. Messages do without it: their `client_msg_id` is
//! made of the key, and the conversation itself drops repeats, so nothing on a message's way runs
//! SQL. Answers that carry a secret (a new API key) are kept without their body.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{Idempotent, IdempotentRequest};
use frontdesk_protocol::codes;
use http::{HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::{
    extract::{in_time, is_json},
    principal::Principal,
    problem::Problem,
    routes::body_bytes_max,
    state::{ApiState, now_ms},
};

const KEY: &str = "idempotency-key";
/// Largest answer that is looked at; answers of these routes are far smaller.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Marks an answer whose body must not be kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CarriesSecret;

pub(crate) async fn once(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let principal = request.extensions().get::<Principal>().cloned();
    let key = request.headers().get(KEY).map(|key| key.to_str().map(str::to_owned));
    let applies = request.method() == Method::POST
        && is_json(request.headers())
        && !request.uri().path().ends_with("/messages");
    let (Some(key), Some(principal), true) = (key, principal, applies) else {
        return next.run(request).await;
    };
    let Ok(key) = key else {
        return Problem::invalid("Idempotency-Key", "visible ASCII characters only")
            .into_response();
    };
    match run(&state, &principal, &key, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn run(
    state: &ApiState,
    principal: &Principal,
    key: &str,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let route = format!("{} {}", parts.method, parts.uri.path());
    let usual = state.config().limits.body_bytes_max;
    let body = in_time(to_bytes(body, body_bytes_max(parts.uri.path(), usual)))
        .await?
        .map_err(|error| Problem::new(&codes::REQUEST_TOO_LARGE).because(error))?;
    let label = principal.label();
    let claim = IdempotentRequest {
        account: principal.account(),
        principal: &label,
        route: &route,
        key,
        hash: Sha256::digest(&body).into(),
    };
    let catalog = state.catalog();
    match catalog.begin_idempotent(claim, now_ms()).await? {
        Idempotent::New => {}
        Idempotent::Done { status, body } => return Ok(replayed(status, body)),
        Idempotent::InProgress => {
            return Err(Problem::new(&codes::IDEMPOTENCY_RUNNING)
                .retry_after(std::time::Duration::from_secs(1)));
        }
        Idempotent::OtherRequest => return Err(Problem::new(&codes::IDEMPOTENCY_REUSED)),
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        catalog.abandon_idempotent(claim).await?;
        return Ok(response);
    }
    let secret = response.extensions().get::<CarriesSecret>().is_some();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(Problem::internal)?;
    let kept: &[u8] = if secret { &[] } else { &body };
    catalog.finish_idempotent(claim, status.as_u16(), kept).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replayed(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let empty = body.is_empty();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    if empty {
        headers.remove(header::CONTENT_TYPE);
    } else {
        let kind =
            if status.is_success() { "application/json" } else { "application/problem+json" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}
