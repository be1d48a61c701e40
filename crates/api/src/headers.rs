//! Headers every response carries: content security policy, sniffing, referrer, framing, transport.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, header};

use crate::{client::Client, state::ApiState};

/// The name under which a request can be found in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For answers that are no pages.
pub(crate) const CSP_API: &str = "default-src 'none'; frame-ancestors 'none'";

/// For the console and the documentation: nothing from elsewhere, nothing inline, DOM sinks typed.
pub(crate) const CSP_CONSOLE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; media-src 'self' blob:; \
     manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-src 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types 'none'";

/// For files that are shown or saved: no script, no origin of ours.
pub(crate) const CSP_FILE: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// The widget's page may be framed by the inbox's sites, and by nobody else.
pub(crate) fn csp_widget(ancestors: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         font-src 'self'; connect-src 'self'; media-src 'self' blob:; base-uri 'self'; \
         form-action 'none'; frame-ancestors {ancestors}; require-trusted-types-for 'script'; \
         trusted-types 'none'"
    )
}

/// Adds what the handler did not set itself, outermost, so that errors have them too.
pub(crate) async fn add(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let client = Client::of(state.config(), request.headers(), request.extensions());
    let request_id = request_id();
    let span = tracing::info_span!(
        "request",
        request.id = request_id,
        http.method = %request.method(),
        http.path = request.uri().path(),
    );
    let https = client.https;
    // Elsewhere browsers ignore this header and complain of it on every page.
    let trustworthy = https || client.loopback;
    let mut request = request;
    request.extensions_mut().insert(client);
    let mut response = tracing::Instrument::instrument(next.run(request), span).await;
    let headers = response.headers_mut();
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP_API));
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if trustworthy {
        headers
            .entry(HeaderName::from_static("cross-origin-opener-policy"))
            .or_insert(HeaderValue::from_static("same-origin"));
    }
    if https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    response
}

fn request_id() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    format!("{:016x}", u64::from_be_bytes(bytes))
}
