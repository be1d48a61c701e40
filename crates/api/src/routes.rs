//! All routes below `/api/v1`: one file per resource, each with its part of the OpenAPI document.

use axum::response::{IntoResponse, Response};
use frontdesk_protocol::codes;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    problem::{Answer, Problem},
    state::ApiState,
};

mod api_keys;
pub(crate) mod articles;
mod assist;
mod bot;
mod commands;
mod conversations;
mod demo;
mod files;
pub(crate) mod health;
pub(crate) mod help;
mod identity_secrets;
mod inboxes;
mod intents;
mod invitations;
mod llm;
mod me;
mod messages;
mod preferences;
mod replies;
mod roles;
mod settings;
mod setup;
mod sightings;
mod sign_in;
mod teams;
mod tickets;
mod users;
mod visitor;
mod watch;
mod words;

/// Everything below `/api/v1`.
pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(sign_in::router())
        .merge(demo::router())
        .merge(setup::router())
        .merge(me::router())
        .merge(preferences::router())
        .merge(tickets::router())
        .merge(visitor::router())
        .merge(conversations::router())
        .merge(messages::router())
        .merge(commands::router())
        .merge(files::router())
        .merge(watch::router())
        .merge(intents::router())
        .merge(words::router())
        .merge(articles::router())
        .merge(bot::router())
        .merge(llm::router())
        .merge(assist::router())
        .merge(users::router())
        .merge(invitations::router())
        .merge(roles::router())
        .merge(teams::router())
        .merge(inboxes::router())
        .merge(identity_secrets::router())
        .merge(sightings::router())
        .merge(replies::router())
        .merge(settings::router())
        .merge(api_keys::router())
}

/// One article in its languages; as JSON a letter may take six bytes, and seldom takes more than one.
pub(crate) const ARTICLE_REQUEST_BYTES_MAX: usize = 2 << 20;
/// Files of an import.
pub(crate) const IMPORT_REQUEST_BYTES_MAX: usize = 8 << 20;
/// A flow, or a talk with one.
pub(crate) const FLOW_REQUEST_BYTES_MAX: usize = 1 << 20;

/// Largest body of a request that may be repeated, by its path below `/api/v1`: where a route takes more than others.
pub(crate) fn body_bytes_max(path: &str, usual: usize) -> usize {
    let larger = match path.trim_start_matches("/api/v1") {
        "/articles" => ARTICLE_REQUEST_BYTES_MAX,
        "/articles/import" => IMPORT_REQUEST_BYTES_MAX,
        path if path.starts_with("/bot/") => FLOW_REQUEST_BYTES_MAX,
        _ => usual,
    };
    larger.max(usual)
}

pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A day since 1970 as `2026-11-30`.
pub(crate) fn date(day: i64) -> String {
    let first = jiff::civil::date(1970, 1, 1);
    let days = jiff::Span::new().try_days(day);
    days.and_then(|days| first.checked_add(days))
        .map_or_else(|_| String::new(), |date| date.to_string())
}

/// Carried out; there is nothing to say.
pub(crate) struct Done;

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// An id in the path: text that is no id names nothing.
fn unknown<T: std::str::FromStr>(text: &str) -> Answer<T> {
    text.parse().map_err(|_| Problem::new(&codes::NOT_FOUND))
}

/// An id in a field.
fn id<T: std::str::FromStr>(field: &str, text: &str) -> Answer<T> {
    text.parse().map_err(|_| Problem::invalid(field, "not an id"))
}

/// Ids in a field.
fn ids<T: std::str::FromStr>(field: &str, texts: &[String]) -> Answer<Vec<T>> {
    texts.iter().map(|text| id(field, text)).collect()
}
