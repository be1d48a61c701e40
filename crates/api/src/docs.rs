//! `/openapi.json` and `/docs`: the contract, and a small page that renders it. Page, script and style
//! lie in the binary; nothing is fetched from elsewhere.

use std::sync::LazyLock;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_protocol::codes;
use http::{HeaderMap, HeaderValue, header};

use crate::{
    client::Client,
    headers::CSP_CONSOLE,
    problem::{Answer, Problem},
    routes::health::for_operator,
    state::ApiState,
};

const PAGE: &str = include_str!("../assets/docs/index.html");
const SCRIPT: &str = include_str!("../assets/docs/docs.js");
const STYLE: &str = include_str!("../assets/docs/docs.css");

/// `/openapi.json`
pub(crate) async fn openapi() -> Response {
    static DOCUMENT: LazyLock<String> = LazyLock::new(crate::openapi_json);
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], DOCUMENT.as_str()).into_response()
}

/// `/docs`
pub(crate) async fn page(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
) -> Answer<Response> {
    if state.config().docs_off {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    for_operator(&state, &client, &headers)?;
    Ok(file(PAGE, "text/html; charset=utf-8"))
}

/// `/docs/docs.js`
pub(crate) async fn script() -> Response {
    file(SCRIPT, "text/javascript; charset=utf-8")
}

/// `/docs/docs.css`
pub(crate) async fn style() -> Response {
    file(STYLE, "text/css; charset=utf-8")
}

fn file(text: &'static str, kind: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP_CONSOLE)),
    ];
    (headers, text).into_response()
}
