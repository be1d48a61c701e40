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
mod commands;
mod conversations;
mod demo;
mod files;
pub(crate) mod health;
mod identity_secrets;
mod inboxes;
mod intents;
mod invitations;
mod me;
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
        .merge(commands::router())
        .merge(files::router())
        .merge(watch::router())
        .merge(intents::router())
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
