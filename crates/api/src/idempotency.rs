//! `Idempotency-Key` on POSTs that create: the first answer is kept for a day and given again, so a
//! client that lost the answer may simply repeat the request. The same key with another request is
//! an error.
//!
//! The catalog keeps it with the caller's account. Messages do without it: their `client_msg_id` is
//! made of the key, and the conversation itself drops repeats, so nothing on a message's way runs
//! SQL. Answers that carry a secret (a new API key) or are very large are kept without their body.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{Idempotent, IdempotentRequest};
use frontdesk_protocol::codes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
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
/// Largest answer that is kept; answers of these routes are far smaller.
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
    // The handler did its work: whatever its answer is like, the key is finished.
    let looked_at = looked_at(body).await;
    let kept: &[u8] = match &looked_at {
        Ok(Answered::Whole(body)) if !secret => body,
        _ => &[],
    };
    catalog.finish_idempotent(claim, status.as_u16(), kept).await?;
    let body = match looked_at.map_err(Problem::internal)? {
        Answered::Whole(body) => Body::from(body),
        Answered::Large(body) => body,
    };
    Ok(Response::from_parts(parts, body))
}

/// The body of an answer.
enum Answered {
    Whole(Bytes),
    /// More than is kept; all of it is still to be sent.
    Large(Body),
}

async fn looked_at(body: Body) -> Result<Answered, axum::Error> {
    let mut rest = body.into_data_stream();
    let mut parts: Vec<Bytes> = Vec::new();
    let mut bytes = 0;
    while let Some(part) = rest.try_next().await? {
        bytes += part.len();
        parts.push(part);
        if bytes > ANSWER_BYTES_MAX {
            let all = stream::iter(parts.into_iter().map(Ok)).chain(rest);
            return Ok(Answered::Large(Body::from_stream(all)));
        }
    }
    Ok(Answered::Whole(parts.concat().into()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_is_too_large_to_keep_goes_out_whole() {
        let in_parts = |parts: usize| {
            let part = |number: usize| Ok::<_, axum::Error>(Bytes::from(vec![number as u8; 1_000]));
            Body::from_stream(stream::iter((0..parts).map(part)))
        };
        let Ok(Answered::Whole(small)) = looked_at(in_parts(3)).await else {
            panic!("it is small");
        };
        assert_eq!((small.len(), small[2_999]), (3_000, 2));
        let Ok(Answered::Large(large)) = looked_at(in_parts(2_000)).await else {
            panic!("it is large");
        };
        let sent = to_bytes(large, usize::MAX).await.expect("a body");
        assert_eq!((sent.len(), sent[1_000], sent[255_000]), (2_000_000, 1, 255));
        let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("it broke"))]);
        assert!(looked_at(Body::from_stream(broken)).await.is_err());
    }
}
