//! Requests that another node of a cluster answers: those of people and programs of an account whose desk is
//! there.

use std::time::Duration;

use async_trait::async_trait;
use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use frontdesk_core::id::AccountId;
use frontdesk_protocol::codes;
use http::HeaderMap;

use crate::problem::Problem;

/// Shows that another node passes a request on, with a token that only nodes know.
pub const NODE_HEADER: &str = "x-frontdesk-node";

/// Sends requests to other nodes.
#[async_trait]
pub trait Elsewhere: Send + Sync {
    /// Sends a request to the node that serves the account; gives it back if that is this node.
    async fn pass_on(&self, account: AccountId, request: Request) -> Result<Response, Request>;
}

/// What a client is told where the other node does not answer.
pub fn unanswered() -> Response {
    let problem = Problem::new(&codes::OVERLOADED).retry_after(Duration::from_secs(1));
    problem
        .detail("the node that serves this account does not answer; another one will")
        .into_response()
}

/// Whether another node passes this request on.
pub(crate) fn is_passed_on(token: Option<&str>, headers: &HeaderMap) -> bool {
    let sent = headers.get(NODE_HEADER).map(http::HeaderValue::as_bytes);
    match (token, sent) {
        // Compared in the same time wherever they differ.
        (Some(token), Some(sent)) => {
            let differences = token.bytes().zip(sent).filter(|(a, b)| *a != **b).count();
            token.len() == sent.len() && differences == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_token_makes_a_node() {
        let mut headers = HeaderMap::new();
        assert!(!is_passed_on(Some("abc"), &headers));
        for (sent, right) in [("abc", true), ("abd", false), ("ab", false), ("abcd", false)] {
            headers.insert(NODE_HEADER, sent.parse().expect("a value"));
            assert_eq!(is_passed_on(Some("abc"), &headers), right, "{sent}");
        }
        assert!(!is_passed_on(None, &headers), "a node that is alone believes nobody");
    }
}
