//! Requests of an account's people and programs go to the node that has the account's desk, and the answer
//! comes back through this one.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    body::Body,
    extract::{OriginalUri, Request},
    response::Response,
};
use frontdesk_api::elsewhere::{Elsewhere, NODE_HEADER, unanswered};
use frontdesk_core::id::AccountId;
use frontdesk_gateway::{
    chat::{loops::Loops, place},
    edge::front::Peer,
};
use http::{HeaderMap, HeaderValue, Uri, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use tokio::time::sleep;

use super::board::Nodes;

/// How long the other node may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How often it is looked whether the other node is still there: one that stands still takes a request and never
/// answers, and how long an answer takes otherwise is up to it (an upload comes in as slowly as its sender is).
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Headers that are about one connection only.
const HOP: [header::HeaderName; 4] =
    [header::CONNECTION, header::TE, header::TRANSFER_ENCODING, header::UPGRADE];

/// The way to the other nodes.
pub(super) struct Forward {
    loops: Arc<Loops>,
    nodes: Nodes,
    token: String,
    client: Client<HttpConnector, Body>,
}

impl Forward {
    /// `header_timeout` is the nodes': one ends a connection on which nothing came for so long.
    pub(super) fn new(
        loops: Arc<Loops>,
        nodes: Nodes,
        token: String,
        header_timeout: Duration,
    ) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            // Let go well before the other node does: a request that meets its end would be lost.
            .pool_idle_timeout(header_timeout / 2)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { loops, nodes, token, client }
    }

    async fn send(
        &self,
        node: u8,
        address: &str,
        mut request: Request,
    ) -> Result<Response, String> {
        let uri = match request.extensions().get::<OriginalUri>() {
            Some(OriginalUri(uri)) => uri.clone(),
            None => request.uri().clone(),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let target: Uri = format!("{address}{path}").parse().map_err(text)?;
        let peer = request.extensions().get::<Peer>().map(|peer| peer.address.ip().to_string());
        let headers = request.headers_mut();
        for name in HOP {
            headers.remove(name);
        }
        self.introduce(headers, peer)?;
        *request.uri_mut() = target;
        *request.version_mut() = http::Version::HTTP_11;
        let gone = || "it is gone".to_owned();
        let response = tokio::select! {
            response = self.client.request(request) => response.map_err(text)?,
            () = self.until_gone(node, address) => return Err(gone()),
        };
        let mut response = response.map(Body::new);
        for name in HOP {
            response.headers_mut().remove(name);
        }
        Ok(response)
    }

    async fn until_gone(&self, node: u8, address: &str) {
        while self.nodes.read().get(&node).is_some_and(|known| known == address) {
            sleep(LOOK_EVERY).await;
        }
    }

    /// Says who passes the request on, and for whom.
    fn introduce(&self, headers: &mut HeaderMap, peer: Option<String>) -> Result<(), String> {
        headers.insert(NODE_HEADER, HeaderValue::from_str(&self.token).map_err(text)?);
        if let Some(peer) = peer {
            // Behind the client and the proxies that stand there already.
            headers.append("x-forwarded-for", HeaderValue::from_str(&peer).map_err(text)?);
        }
        Ok(())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[async_trait]
impl Elsewhere for Forward {
    async fn pass_on(&self, account: AccountId, request: Request) -> Result<Response, Request> {
        // While nobody has the desk this node answers what it can.
        let Some(owner) = self.loops.desk_of(account) else { return Err(request) };
        if self.loops.is_local(owner) {
            return Err(request);
        }
        let node = place::node_of(owner);
        let address = self.nodes.read().get(&node).cloned();
        let Some(address) = address else { return Err(request) };
        Ok(match self.send(node, &address, request).await {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(node, address, error, "another node does not answer a request");
                unanswered()
            }
        })
    }
}
