//! The gate in front of `/api/v1`: limits by address, finds out who asks, refuses what another site
//! could make a browser send (S9), then limits by caller and account and writes the rate headers.
//!
//! A credential in the Authorization header wins over the cookie, and a wrong one is an error rather
//! than a step down to somebody else. A wrong or old cookie is nobody, so that signing in works.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{Error as CatalogError, IdentityMode};
use frontdesk_core::{secret::Secret128, store::Origin};
use frontdesk_protocol::codes;
use http::{HeaderMap, Method, header};

use crate::{
    client::Client,
    limit::Standing,
    origin,
    principal::{Key, Principal, User, Visitor},
    problem::{Answer, Problem},
    state::{ApiState, now_ms},
    token::VisitorToken,
};

/// Shows that a script of ours made the request: other sites' scripts may not set it.
pub(crate) const OWN_HEADER: &str = "x-frontdesk";

pub(crate) async fn pass(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = match request.extensions().get::<Client>() {
        Some(client) => client.clone(),
        None => Client::of(state.config(), request.headers(), request.extensions()),
    };
    let mut standing = state.limits().ip.count(&client.bucket());
    if standing.retry_after.is_some() {
        return refused(standing);
    }
    let found = identify(&state, &client, request.headers()).await;
    let identity = match found {
        Ok(identity) => identity,
        Err(problem) => return with_standing(problem.into_response(), standing),
    };
    let by_header = request.headers().contains_key(header::AUTHORIZATION);
    if !by_header && changes_state(request.method()) {
        let from_us = same_site(&client, request.headers(), identity.is_some());
        if let Err(problem) = from_us {
            return with_standing(problem.into_response(), standing);
        }
    }
    if let Some(principal) = identity {
        for limit in [
            state.limits().principal.count(&principal.label()),
            state.limits().account.count(&Some(principal.account())),
        ] {
            standing = standing.tighter(limit);
        }
        if standing.retry_after.is_some() {
            return refused(standing);
        }
        if let (Some(elsewhere), Principal::User(_) | Principal::Key(_), false) =
            (state.elsewhere(), &principal, client.passed_on)
        {
            match elsewhere.pass_on(principal.account(), request).await {
                Ok(response) => return response,
                Err(back) => request = back,
            }
        }
        request.extensions_mut().insert(principal);
    }
    with_standing(next.run(request).await, standing)
}

fn refused(standing: Standing) -> Response {
    let mut problem = Problem::new(&codes::RATE_LIMITED);
    if let Some(after) = standing.retry_after {
        problem = problem.retry_after(after);
    }
    with_standing(problem.into_response(), standing)
}

fn with_standing(mut response: Response, standing: Standing) -> Response {
    // A handler's own limit (sign-in) has the last word.
    if !response.headers().contains_key("ratelimit") {
        standing.write(response.headers_mut());
    }
    response
}

fn changes_state(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The cross-site rule. An Origin that is present must be ours. One that is absent is fine for
/// programs without a cookie; with a cookie the request must carry our own header.
fn same_site(client: &Client, headers: &HeaderMap, with_cookie: bool) -> Answer<()> {
    let refused = |detail: String| Err(Problem::new(&codes::ORIGIN_REFUSED).detail(detail));
    let own_header = headers.contains_key(OWN_HEADER);
    match headers.get(header::ORIGIN) {
        Some(value) => {
            let sent = value.to_str().ok().and_then(origin::parse);
            if sent.as_deref() == Some(client.origin.as_str()) {
                return Ok(());
            }
            if own_header
                && sent.as_deref().is_some_and(|sent| same_authority(sent, &client.origin))
            {
                // Behind a proxy that ends TLS and is not configured as trusted.
                return Ok(());
            }
            refused(format!(
                "the page is not served from {}; behind a proxy set server.public_url and \
                 server.trusted_proxies",
                client.origin
            ))
        }
        None if with_cookie && !own_header => {
            refused(format!("send an Origin or an {OWN_HEADER} header with the login cookie"))
        }
        None => Ok(()),
    }
}

fn same_authority(a: &str, b: &str) -> bool {
    match (a.split_once("://"), b.split_once("://")) {
        (Some((_, a)), Some((_, b))) => a == b,
        _ => false,
    }
}

/// Finds out who asks; `None` is nobody.
pub(crate) async fn identify(
    state: &ApiState,
    client: &Client,
    headers: &HeaderMap,
) -> Answer<Option<Principal>> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return by_cookie(state, client, headers).await;
    };
    let unknown = || Problem::new(&codes::AUTH_REQUIRED);
    let text = value.to_str().map_err(|_| unknown())?;
    let (scheme, credential) = text.split_once(' ').ok_or_else(unknown)?;
    let credential = credential.trim();
    if scheme.eq_ignore_ascii_case("visitor")
        || (scheme.eq_ignore_ascii_case("bearer") && credential.starts_with("v1."))
    {
        return visitor(state, credential, headers).await.map(Some);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unknown().detail("use Bearer with an API key, or Visitor with a visitor token"));
    }
    match state.catalog().verify_api_key(credential, now_ms()).await {
        Ok(key) => Ok(Some(Principal::Key(Key {
            account: key.account,
            id: key.id,
            name: key.name,
            rights: key.rights,
            bot: key.bot,
        }))),
        Err(CatalogError::NotFound { .. } | CatalogError::SignInFailed) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

async fn visitor(state: &ApiState, credential: &str, headers: &HeaderMap) -> Answer<Principal> {
    let token = VisitorToken::open(credential, state.key())?;
    // A token outlives its inbox; what is left of it grants nothing.
    let inbox = state.catalog().inbox(token.account, token.inbox).await;
    let inbox = inbox.map_err(|error| match error {
        CatalogError::NotFound { .. } => Problem::new(&codes::INBOX_UNKNOWN),
        other => other.into(),
    })?;
    let account = token.account;
    if inbox.identity == IdentityMode::Required
        && state.catalog().identity_of(account, token.visitor).await?.is_none()
    {
        return Err(Problem::new(&codes::IDENTITY_REQUIRED));
    }
    let origin = Origin {
        account: account.to_string(),
        inbox: token.inbox.to_string(),
        visitor: token.visitor.to_string(),
        language: language(headers),
        user_agent: user_agent(headers),
        secret_hash: token.secret_hash().to_vec().into(),
        ..Origin::default()
    };
    Ok(Principal::Visitor(Box::new(Visitor {
        account,
        inbox: token.inbox,
        visitor: token.visitor,
        conversation: token.conversation,
        origin,
    })))
}

async fn by_cookie(
    state: &ApiState,
    client: &Client,
    headers: &HeaderMap,
) -> Answer<Option<Principal>> {
    let Some(token) = cookie(headers, client.cookie_name()) else { return Ok(None) };
    let Ok(token) = Secret128::parse(token) else { return Ok(None) };
    match state.catalog().verify_session(&token, now_ms()).await {
        Ok((session, access)) => {
            Ok(Some(Principal::User(Box::new(User { access, login: session.handle }))))
        }
        Err(CatalogError::SessionOver) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The value of one cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name && !value.is_empty()).then_some(value))
}

/// The first language of Accept-Language, as a tag of bounded length.
pub(crate) fn language(headers: &HeaderMap) -> String {
    let first = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split([',', ';']).next())
        .map(str::trim)
        .unwrap_or_default();
    let tag = first.len() <= 35 && first.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if tag { first.to_owned() } else { String::new() }
}

/// The browser's name for itself, bounded and without control characters.
pub(crate) fn user_agent(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::USER_AGENT)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default();
    bounded(&text, 256)
}

/// Cuts at a character's border and drops control characters.
pub(crate) fn bounded(text: &str, bytes_max: usize) -> String {
    let mut kept = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if kept.len() + c.len_utf8() > bytes_max {
            break;
        }
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_is_found_among_many() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; frontdesk=abc".parse().expect("a value"));
        headers.append(header::COOKIE, "__Host-frontdesk=def; x".parse().expect("a value"));
        assert_eq!(cookie(&headers, "frontdesk"), Some("abc"));
        assert_eq!(cookie(&headers, "__Host-frontdesk"), Some("def"));
        assert_eq!(cookie(&headers, "desk"), None);
    }

    #[test]
    fn texts_from_headers_are_bounded() {
        assert_eq!(bounded("中中中", 7), "中中");
        assert_eq!(bounded("a\r\nb", 10), "ab");
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9".parse().expect("a value"));
        assert_eq!(language(&headers), "zh-CN");
        headers.insert(header::ACCEPT_LANGUAGE, "<script>".parse().expect("a value"));
        assert_eq!(language(&headers), "");
    }
}
