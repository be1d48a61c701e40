//! The web apps inside the binary: console at `/`, the stand-alone page at `/c/{inbox_key}`, the
//! widget's frame at `/widget/{inbox_key}`, the loader at `/widget.js`, the demo page at `/demo`.
//!
//! Pages use relative URLs only, so that they work under any path prefix; a page whose address is
//! not the folder of its assets gets a `<base>` that names that folder. Hashed assets are kept for
//! ever, pages are asked for again each time. Precompressed variants (`.br`, `.gz`) written by the
//! web build are served where the browser takes them.

use std::{borrow::Cow, fmt::Write as _};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::Inbox;
use frontdesk_protocol::codes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::{
    client::Client,
    extract::{Json, Path},
    headers::{CSP_CONSOLE, csp_widget},
    origin,
    problem::{Answer, Problem},
    state::ApiState,
};

#[derive(RustEmbed)]
#[folder = "../../web/dist/console"]
struct Console;

#[derive(RustEmbed)]
#[folder = "../../web/dist/widget"]
struct Widget;

#[derive(RustEmbed)]
#[folder = "../../web/dist/loader"]
struct Loader;

#[derive(RustEmbed)]
#[folder = "../../web/dist/demo"]
struct Demo;

type Find = fn(&str) -> Option<EmbeddedFile>;

/// `/`
pub(crate) async fn console(headers: HeaderMap) -> Answer<Response> {
    page(Console::get, &headers, None, CSP_CONSOLE)
}

/// `/assets/{*path}` and other files of the console.
pub(crate) async fn console_asset(
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    asset(Console::get, &format!("assets/{path}"), &headers, CSP_CONSOLE)
}

/// Any other path: a file at the console's root (icon, manifest), else nothing.
pub(crate) async fn console_file(request: http::Request<axum::body::Body>) -> Answer<Response> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    if request.method() != http::Method::GET && request.method() != http::Method::HEAD {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    asset(Console::get, &path, request.headers(), CSP_CONSOLE)
}

/// `/c/{inbox_key}`: the chat as a page of its own.
pub(crate) async fn stand_alone(
    State(state): State<ApiState>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let csp = widget_policy(&inbox_of(&state, &key).await?);
    page(Widget::get, &headers, Some("../widget/"), &csp)
}

/// `/widget/{inbox_key}`: the page inside the site's iframe.
pub(crate) async fn widget_frame(
    State(state): State<ApiState>,
    client: Client,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let inbox = inbox_of(&state, &key).await?;
    // The browser will not show it there, so no ticket will be asked for: this is all we hear of it.
    if let Some(site) = framing_site(&headers)
        && site != client.origin
        && !origin::is_listed(&site, &inbox.origins)
    {
        let whose = (inbox.account, inbox.id);
        state.sightings().note(state.catalog(), whose, &site, "", true).await;
    }
    page(Widget::get, &headers, Some("./"), &widget_policy(&inbox))
}

async fn inbox_of(state: &ApiState, key: &str) -> Answer<Inbox> {
    state.catalog().inbox_by_key(key).await.map_err(|error| match error {
        frontdesk_catalog::Error::NotFound { .. } => Problem::new(&codes::INBOX_UNKNOWN),
        other => other.into(),
    })
}

fn widget_policy(inbox: &Inbox) -> String {
    csp_widget(&origin::frame_ancestors(&inbox.origins))
}

/// The site whose page asks for the frame, as far as the browser says.
fn framing_site(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(HeaderName::from_static("sec-fetch-dest")).is_some_and(|dest| dest != "iframe") {
        return None;
    }
    let referrer = text(header::REFERER)?;
    let (scheme, rest) = referrer.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    origin::parse(&format!("{scheme}://{authority}"))
}

/// `/widget/assets/{*path}`
pub(crate) async fn widget_asset(Path(path): Path<String>, headers: HeaderMap) -> Answer<Response> {
    asset(Widget::get, &format!("assets/{path}"), &headers, CSP_CONSOLE)
}

/// `/widget.js`: the loader sites include. Any site may load it; it carries nothing of anybody.
pub(crate) async fn loader(headers: HeaderMap) -> Answer<Response> {
    let mut response = asset(Loader::get, "widget.js", &headers, CSP_CONSOLE)?;
    let map = response.headers_mut();
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    map.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    map.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

/// `/demo`: a small shop with the widget on it.
pub(crate) async fn demo(State(state): State<ApiState>, headers: HeaderMap) -> Answer<Response> {
    if !state.config().demo {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    page(Demo::get, &headers, Some("demo/"), &demo_policy())
}

/// `/demo/assets/{*path}`
pub(crate) async fn demo_asset(
    State(state): State<ApiState>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    if !state.config().demo {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    asset(Demo::get, &format!("assets/{path}"), &headers, &demo_policy())
}

/// `/demo/config.json`: which inbox the demo page boots.
pub(crate) async fn demo_config(State(state): State<ApiState>) -> Answer<Json<DemoConfig>> {
    if !state.config().demo {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    for account in state.catalog().accounts().await? {
        if account.demo
            && let Some(inbox) = state.catalog().inboxes(account.id).await?.into_iter().next()
        {
            return Ok(Json(DemoConfig { inbox_key: inbox.public_key }));
        }
    }
    Err(Problem::new(&codes::NOT_FOUND))
}

/// What the demo page has to know.
#[derive(serde::Serialize)]
pub(crate) struct DemoConfig {
    inbox_key: String,
}

/// The demo is a site with the widget: it needs a base and the frame, and nothing else.
fn demo_policy() -> String {
    CSP_CONSOLE.replace("base-uri 'none'", "base-uri 'self'")
}

/// The app's page, with its base where it needs one.
fn page(find: Find, headers: &HeaderMap, base: Option<&str>, csp: &str) -> Answer<Response> {
    let file = find("index.html").ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    let html = match (base, std::str::from_utf8(&file.data)) {
        (Some(base), Ok(text)) => Cow::Owned(
            text.replacen("<head>", &format!("<head><base href=\"{base}\">"), 1).into_bytes(),
        ),
        _ => file.data,
    };
    let tag =
        format!("W/\"{}{}\"", hex(&file.metadata.sha256_hash()[..8]), base.map_or(0, str::len));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return Ok(with_policy(StatusCode::NOT_MODIFIED.into_response(), csp, "no-cache"));
    }
    let mut response = html.into_owned().into_response();
    let map = response.headers_mut();
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        map.insert(header::ETAG, tag);
    }
    Ok(with_policy(response, csp, "no-cache"))
}

/// A file of an app. The embedded names are an exact list, so no path can climb out of it.
fn asset(find: Find, path: &str, headers: &HeaderMap, csp: &str) -> Answer<Response> {
    // Pages have addresses of their own, compressed variants are chosen and never named.
    let extension = path.rsplit('.').next().unwrap_or_default();
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    if path.is_empty() || hidden || matches!(extension, "html" | "br" | "gz") {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    let plain = find(path).ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let variant = [("br", ".br"), ("gzip", ".gz")].into_iter().find_map(|(name, ending)| {
        accepts(accepted, name)
            .then(|| find(&format!("{path}{ending}")))
            .flatten()
            .map(|file| (name, file))
    });
    let tag = format!("\"{}\"", hex(&plain.metadata.sha256_hash()[..8]));
    let cache = if is_hashed(path) { "public, max-age=31536000, immutable" } else { "no-cache" };
    if headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return Ok(with_policy(StatusCode::NOT_MODIFIED.into_response(), csp, cache));
    }
    let (encoding, data) = match variant {
        Some((name, file)) => (Some(name), file.data),
        None => (None, plain.data),
    };
    let mut response = data.into_owned().into_response();
    let map = response.headers_mut();
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    map.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        map.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        map.insert(header::ETAG, tag);
    }
    Ok(with_policy(response, csp, cache))
}

fn with_policy(mut response: Response, csp: &str, cache: &'static str) -> Response {
    let map = response.headers_mut();
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(csp) = HeaderValue::try_from(csp) {
        map.insert(header::CONTENT_SECURITY_POLICY, csp);
    }
    response
}

fn accepts(header: &str, name: &str) -> bool {
    header.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        words.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name))
            && !words.any(|q| matches!(q, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// The bundler writes `name-HASH.ext` with eight or more characters of hash.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    stem.rsplit_once('-').is_some_and(|(_, hash)| {
        hash.len() >= 8 && hash.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

/// The path prefix the outside sees, stripped before routing where a proxy passes it on.
pub(crate) fn strip_prefix(state: &ApiState, uri: &http::Uri) -> Option<http::Uri> {
    let prefix = state.config().public_url.as_ref()?.prefix();
    if prefix.is_empty() {
        return None;
    }
    let all = uri.path_and_query()?.as_str();
    let rest = all.strip_prefix(prefix)?;
    let rest =
        if rest.is_empty() || rest.starts_with('?') { format!("/{rest}") } else { rest.to_owned() };
    if !rest.starts_with('/') {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse().ok()?);
    http::Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        for (path, hashed) in [
            ("assets/index-B3kX9_aq.js", true),
            ("assets/index-B3kX9aq1.css", true),
            ("favicon.svg", false),
            ("assets/my-icon.svg", false),
        ] {
            assert_eq!(is_hashed(path), hashed, "{path}");
        }
    }

    #[test]
    fn a_refused_coding_is_not_used() {
        assert!(accepts("gzip, br", "br"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("", "gzip"));
    }
}
