//! What a node of a cluster answers: sockets, requests, or both. What it does not is for another node: it says 503 and
//! which role is asked for. A proxy sends each kind to the nodes that take it (deploy/nginx).

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use frontdesk_protocol::codes;

use crate::{config::Serves, elsewhere, problem::Problem, state::ApiState};

/// Where sockets come in.
const SOCKETS: &str = "/ws/";
/// What every node answers for itself.
const OWN: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

pub(crate) async fn only(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let config = state.config();
    // Whoever has the desk of an account answers for it, when another node asks.
    let is_passed_on = elsewhere::is_passed_on(config.node_token.as_deref(), request.headers());
    let role = missing(config.serves, request.uri().path()).filter(|_| !is_passed_on);
    if let Some(role) = role {
        let detail = format!("this node does not have the role \"{role}\" (cluster.roles)");
        return Problem::new(&codes::OVERLOADED).detail(detail).into_response();
    }
    next.run(request).await
}

/// The role a node would need to answer this.
fn missing(serves: Serves, path: &str) -> Option<&'static str> {
    if OWN.contains(&path) {
        None
    } else if path.starts_with(SOCKETS) {
        (!serves.sockets).then_some("gateway")
    } else {
        (!serves.requests).then_some("api")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_answers_what_its_roles_say_and_how_it_is() {
        let serves = |sockets, requests| Serves { sockets, requests };
        for (serves, path, role) in [
            (serves(true, true), "/ws/v1", None),
            (serves(true, true), "/api/v1/tickets", None),
            (serves(false, true), "/ws/v1", Some("gateway")),
            (serves(false, true), "/", None),
            (serves(true, false), "/ws/v1", None),
            (serves(true, false), "/api/v1/tickets", Some("api")),
            (serves(true, false), "/", Some("api")),
            (serves(false, false), "/readyz", None),
            (serves(false, false), "/metrics", None),
        ] {
            assert_eq!(missing(serves, path), role, "{path}");
        }
    }
}
