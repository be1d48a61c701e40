//! Signing in and out. The throttle slows down guessing without locking anybody out: a browser that
//! has signed in to an address before has an allowance of its own.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{Password, Source};
use frontdesk_core::{
    id::{AccountId, UserId},
    secret::Secret128,
};
use frontdesk_protocol::codes;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Done;
use crate::{
    client::Client,
    extract::Json,
    gate::{cookie, user_agent},
    principal::{Anyone, Principal},
    problem::{Answer, Problem, ProblemBody},
    state::{ApiState, now_ms},
    token::Device,
};

/// The cookie that names a browser to the throttle.
const DEVICE_COOKIE: &str = "frontdesk-device";
/// A year.
const DEVICE_SECONDS: u32 = 31_536_000;
/// As long as a login session may live at most.
const LOGIN_SECONDS: i64 = frontdesk_catalog::AGE_MS_MAX / 1_000;

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(sign_in)).routes(routes!(sign_out))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInBody {
    email: String,
    #[schema(format = Password)]
    password: String,
    /// Which account, for users of several.
    #[serde(default)]
    account: Option<String>,
}

/// Who signed in; the login session is in the cookie.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedInBody {
    user_id: String,
    account_id: String,
    /// All accounts that let the user in.
    accounts: Vec<String>,
}

impl SignedInBody {
    /// A user of one account.
    pub(super) fn of(user: UserId, account: AccountId) -> Self {
        let account_id = account.to_string();
        Self { user_id: user.to_string(), accounts: vec![account_id.clone()], account_id }
    }
}

/// Signs in and sets the login cookie
#[utoipa::path(post, path = "/sign-in", tag = "identity", request_body = SignInBody,
    responses((status = 200, body = SignedInBody), (status = "4XX", body = ProblemBody)))]
async fn sign_in(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
    Json(body): Json<SignInBody>,
) -> Answer<Response> {
    refuse_exposed(&state, &client)?;
    admit_address(&state, &client).await?;
    let email_key = body.email.trim().to_lowercase();
    let device = cookie(&headers, DEVICE_COOKIE)
        .and_then(|text| Device::open(text, &email_key, state.key()));
    let source = match device {
        Some(device) => Source::Device(device.handle),
        None => Source::address(&body.email),
    };
    let admitted = state.throttle().lock().admit(&source, now_ms());
    if let Err(wait_ms) = admitted {
        let wait = Duration::from_millis(wait_ms.unsigned_abs());
        return Err(Problem::new(&codes::AUTH_THROTTLED).retry_after(wait));
    }
    let found = state.catalog().sign_in(&body.email, &Password::new(body.password)).await?;
    state.throttle().lock().succeeded(&source);
    let account = match body.account {
        None => *found.accounts.first().ok_or_else(|| Problem::new(&codes::AUTH_FAILED))?,
        Some(text) => text
            .parse::<AccountId>()
            .ok()
            .filter(|account| found.accounts.contains(account))
            .ok_or_else(|| Problem::invalid("account", "not one of the user's accounts"))?,
    };
    let mut response = Json(SignedInBody {
        user_id: found.user.to_string(),
        account_id: account.to_string(),
        accounts: found.accounts.iter().map(ToString::to_string).collect(),
    })
    .into_response();
    begin(&state, &client, &headers, found.user, account, response.headers_mut()).await?;
    let device = Device::issue(&email_key, state.key());
    set_cookie(response.headers_mut(), &client, DEVICE_COOKIE, &device, DEVICE_SECONDS.into());
    Ok(response)
}

/// Ends the login session and its sockets
#[utoipa::path(post, path = "/sign-out", tag = "identity",
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn sign_out(
    State(state): State<ApiState>,
    client: Client,
    Anyone(by): Anyone,
    headers: HeaderMap,
) -> Answer<Response> {
    if let Some(token) = login_token(&client, &headers) {
        state.catalog().end_session(&token).await?;
    }
    if let Some(Principal::User(user)) = by {
        state.engine().revoke(None, user.access.user, Some(&user.login));
    }
    let mut response = Done.into_response();
    set_cookie(response.headers_mut(), &client, client.cookie_name(), "", 0);
    Ok(response)
}

/// The token in the request's login cookie.
pub(super) fn login_token(client: &Client, headers: &HeaderMap) -> Option<Secret128> {
    cookie(headers, client.cookie_name()).and_then(|text| Secret128::parse(text).ok())
}

/// Begins a login session; the one the browser had before ends.
pub(super) async fn begin(
    state: &ApiState,
    client: &Client,
    request: &HeaderMap,
    user: UserId,
    account: AccountId,
    response: &mut HeaderMap,
) -> Answer<()> {
    let former = login_token(client, request);
    let (token, _) = state
        .catalog()
        .begin_session(user, account, &user_agent(request), former.as_ref(), now_ms())
        .await?;
    set_cookie(response, client, client.cookie_name(), &token.reveal(), LOGIN_SECONDS);
    Ok(())
}

fn set_cookie(headers: &mut HeaderMap, client: &Client, name: &str, value: &str, seconds: i64) {
    // The prefix `__Host-` wants the whole host; elsewhere the cookie stays below our own path.
    let (path, secure) = match client.prefix.as_str() {
        _ if client.https => ("", "; Secure"),
        prefix => (prefix, ""),
    };
    let text =
        format!("{name}={value}; Path={path}/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(mut value) = HeaderValue::try_from(text) {
        value.set_sensitive(true);
        headers.append(header::SET_COOKIE, value);
    }
}

/// Passwords do not go over the open wire unless the operator said so.
pub(super) fn refuse_exposed(state: &ApiState, client: &Client) -> Answer<()> {
    if client.is_exposed() && !state.config().insecure_http {
        return Err(Problem::new(&codes::AUTH_INSECURE).detail(
            "set up https (a certificate, or a proxy with server.public_url and \
             server.trusted_proxies), or set server.insecure_http = true",
        ));
    }
    Ok(())
}

/// The limit of one client address: of this node, then of all nodes together, so that guessing is not faster
/// where there are more of them.
pub(super) async fn admit_address(state: &ApiState, client: &Client) -> Answer<()> {
    let limit = &state.limits().sign_in_ip;
    let address = client.bucket();
    let mut retry_after = limit.count(&address).retry_after;
    if retry_after.is_none() {
        let bucket = format!("sign-in:{address}");
        retry_after = state.engine().over_shared_limit(&bucket, limit.per_minute()).await;
    }
    match retry_after {
        Some(after) => Err(Problem::new(&codes::AUTH_THROTTLED).retry_after(after)),
        None => Ok(()),
    }
}
