//! HTTP: the API below `/api/v1`, the door of the sockets, health and metrics, the help centre, and the
//! web apps that lie inside the binary.
//!
//! A request passes, from the outside in: care for a body that is left unread ([`linger`]), the path
//! prefix of `server.public_url` ([`web`]), security headers and request id ([`headers`]), then for the API the gate ([`gate`]: limits, who asks,
//! cross-site rule), the idempotency of POSTs ([`idempotency`]), and its handler below [`routes`].
//! Conversations are reached through [`engine::Engine`] alone, what people configure through the
//! catalog. The server builds [`ApiParts`], gives them to [`router`] and serves it at its front door.

mod client;
pub mod config;
mod crawl;
pub mod demo;
mod device;
mod docs;
pub mod elsewhere;
pub mod engine;
mod extract;
pub mod files;
mod gate;
mod headers;
mod help;
mod idempotency;
mod identity;
pub mod knowledge;
mod limit;
mod linger;
pub mod llm;
pub mod origin;
pub mod principal;
mod problem;
mod roles;
mod routes;
pub mod sealed;
mod sightings;
mod socket;
mod state;
pub mod token;
mod trouble;
mod web;

use std::any::Any;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use frontdesk_protocol::codes;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub use config::ApiConfig;
pub use frontdesk_gateway::edge::front::Peer;
pub use limit::HandshakeCounts;
pub use state::{ApiParts, RenderMetrics};

use problem::Problem;
use routes::{health, help as help_routes};
use state::ApiState;

/// The application: give it to the front door.
pub fn router(parts: ApiParts) -> Router {
    let state = ApiState::new(parts);
    let body_bytes_max = state.config().limits.body_bytes_max;
    let (operation, _) = operation().split_for_parts();
    let (api, _) = routes::router().split_for_parts();
    let api = api
        .fallback(async || Problem::new(&codes::NOT_FOUND))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .layer(middleware::from_fn_with_state(state.clone(), idempotency::once))
        .layer(middleware::from_fn_with_state(state.clone(), gate::pass));
    let inner = pages()
        .merge(operation)
        .nest("/api/v1", api)
        .method_not_allowed_fallback(async || Problem::new(&codes::METHOD_NOT_ALLOWED))
        .layer(CatchPanicLayer::custom(caught))
        .layer(middleware::from_fn_with_state(state.clone(), roles::only))
        .layer(middleware::from_fn_with_state(state.clone(), headers::add))
        .with_state(state.clone());
    // Routing happens inside of a service, so the prefix can still be taken off in front of it.
    let strip = move |mut request: Request| {
        if let Some(uri) = web::strip_prefix(&state, request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    };
    let service =
        tower::ServiceBuilder::new().map_request(linger::keep).map_request(strip).service(inner);
    Router::new().fallback_service(service)
}

fn operation() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
}

fn pages() -> Router<ApiState> {
    Router::new()
        .route("/ws/v1", get(socket::connect))
        .route("/openapi.json", get(docs::openapi))
        .route("/docs", get(docs::page))
        .route("/docs/docs.js", get(docs::script))
        .route("/docs/docs.css", get(docs::style))
        .route("/", get(web::console))
        .route("/assets/{*path}", get(web::console_asset))
        .route("/c/{inbox_key}", get(web::stand_alone))
        .route("/widget/{inbox_key}", get(web::widget_frame))
        .route("/widget/assets/{*path}", get(web::widget_asset))
        .route("/widget.js", get(web::loader))
        .route("/help.css", get(help_routes::style))
        .route("/help/{inbox_key}", get(help_routes::home))
        .route("/help/{inbox_key}/{language}", get(help_routes::home_in))
        .route("/help/{inbox_key}/{language}/{slug}", get(help_routes::article))
        .route("/help/{inbox_key}/{language}/{slug}/feedback", post(help_routes::feedback))
        .route("/demo", get(web::demo))
        .route("/demo/assets/{*path}", get(web::demo_asset))
        .route("/demo/config.json", get(web::demo_config))
        .fallback(web::console_file)
}

/// The OpenAPI 3.1 document of everything the API offers.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = operation().nest("/api/v1", routes::router()).into_openapi();
    // A handler's name is unique in its file only: `list` of users becomes `users_list`.
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            let tag = operation.tags.as_ref().and_then(|tags| tags.first());
            let tag = tag.map(|tag| tag.to_lowercase().replace(' ', "_")).unwrap_or_default();
            let name = operation.operation_id.take().unwrap_or_default();
            operation.operation_id = Some(format!("{tag}_{name}"));
        }
    }
    document
}

/// The document as it is served and lies in the repository.
pub fn openapi_json() -> String {
    let mut text = openapi().to_pretty_json().expect("a document of texts and numbers");
    text.push('\n');
    text
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Frontdesk",
        description = "The HTTP API of Frontdesk, self-hosted customer chat. Errors are \
            application/problem+json with the stable codes of docs/protocol.md.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This installation")),
    modifiers(&Ways),
    security((), ("login" = []), ("api_key" = []), ("visitor" = [])),
)]
struct Document;

/// The ways to say who one is.
struct Ways;

impl Modify for Ways {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "login",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                "__Host-frontdesk",
                "The login cookie of POST /api/v1/sign-in (`frontdesk` over plain http). A request \
                 that changes something also needs an Origin of ours or an X-Frontdesk header.",
            ))),
        );
        components.add_security_scheme(
            "api_key",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some("An API key, `fd_...`"))
                    .build(),
            ),
        );
        components.add_security_scheme(
            "visitor",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "Authorization",
                "`Visitor v1....`: a visitor's token of POST /api/v1/tickets",
            ))),
        );
    }
}

/// A panic in a handler costs one answer; the log has its text, the client has not.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn caught(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a text".to_owned());
    Problem::internal(format!("a handler panicked: {text}")).into_response()
}
