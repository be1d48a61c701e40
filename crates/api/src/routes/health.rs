//! For operators and their machines: alive, ready, metrics. Alive never asks a store.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_protocol::codes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    client::Client,
    engine::{Check, Readiness},
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

/// Says that the process answers
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says whether every dependency works, and how durable an acknowledged message is
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(crate) async fn readyz(State(state): State<ApiState>) -> Response {
    let mut readiness = state.engine().readiness().await;
    if !readiness.checks.iter().any(|check| check.name == "catalog") {
        let catalog = state.catalog().is_empty().await;
        readiness.ready &= catalog.is_ok();
        readiness.checks.push(Check {
            name: "catalog".to_owned(),
            ok: catalog.is_ok(),
            detail: catalog.err().map(|error| error.to_string()).unwrap_or_default(),
        });
    }
    readiness.degraded |= !readiness.checks.iter().all(|check| check.ok);
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(readiness)).into_response()
}

/// Metrics in the Prometheus text format
///
/// Only from the machine itself, or with the operator's token as a bearer token.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 403, body = ProblemBody)))]
pub(crate) async fn metrics(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
) -> Answer<Response> {
    for_operator(&state, &client, &headers)?;
    let mut response = state.metrics().into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    Ok(response)
}

/// Loopback, or the operator's token.
pub(crate) fn for_operator(state: &ApiState, client: &Client, headers: &HeaderMap) -> Answer<()> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Bearer "));
    let by_token = match (&state.config().operator_token, token) {
        (Some(configured), Some(token)) => configured.is(token),
        _ => false,
    };
    if client.loopback || by_token {
        Ok(())
    } else {
        Err(Problem::new(&codes::RIGHT_MISSING)
            .detail("only from the server's own machine, or with the operator's token"))
    }
}
