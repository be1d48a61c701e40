//! The WebSocket handshake: checks the HTTP request, answers 101, takes the stream back from hyper.
//!
//! A route takes [`WsUpgrade`] as an extractor, decides whether it wants the client (origin, limits)
//! and calls [`WsUpgrade::accept`]. Once hyper has written the 101 the socket, with what hyper had
//! read ahead, goes to the callback, which hands it to an edge loop.

use std::net::IpAddr;

use axum::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::{ConnMeta, EdgeStream, Subprotocol, UpgradedSocket, front::Peer};

/// Appended to the client's key before hashing (RFC 6455 section 1.3).
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a request is no acceptable WebSocket handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Not GET.
    #[error("a WebSocket handshake is a GET request")]
    Method,
    /// No `Connection: upgrade` with `Upgrade: websocket`.
    #[error("the headers \"Connection: upgrade\" and \"Upgrade: websocket\" are missing")]
    NotUpgrade,
    /// `Sec-WebSocket-Version` is not 13.
    #[error("the header \"Sec-WebSocket-Version\" must be 13")]
    Version,
    /// `Sec-WebSocket-Key` is missing or not 16 bytes in base64.
    #[error("the header \"Sec-WebSocket-Key\" must be 16 bytes in base64")]
    Key,
    /// None of our subprotocols was offered.
    #[error("offer \"frontdesk.v1.proto\" or \"frontdesk.v1.json\" in \"Sec-WebSocket-Protocol\"")]
    Subprotocol,
    /// The connection cannot be upgraded: it is not HTTP/1.1 or not one of our front door's.
    #[error("this connection cannot be upgraded")]
    NotUpgradable,
}

impl HandshakeError {
    /// The stable code for clients.
    pub fn code(self) -> &'static str {
        match self {
            Self::Method => "handshake.method",
            Self::NotUpgrade => "handshake.not_upgrade",
            Self::Version => "handshake.version",
            Self::Key => "handshake.key",
            Self::Subprotocol => "handshake.subprotocol",
            Self::NotUpgradable => "handshake.not_upgradable",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Key | Self::Subprotocol | Self::NotUpgradable => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for HandshakeError {
    /// A problem of RFC 9457.
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "code": self.code(),
            "detail": self.to_string(),
        });
        let mut response = (status, Body::from(problem.to_string())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self {
            Self::Method => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET"));
            }
            Self::NotUpgrade | Self::Version => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            Self::Key | Self::Subprotocol | Self::NotUpgradable => {}
        }
        response
    }
}

/// A valid WebSocket handshake that has not been answered yet.
#[derive(Debug)]
pub struct WsUpgrade {
    /// The best of our subprotocols that the client offers.
    pub subprotocol: Subprotocol,
    /// Where the socket comes from.
    pub peer: Peer,
    /// The `Origin` header. A value that is no text reads as `null`, which nobody allows.
    pub origin: Option<String>,
    handshake: Handshake,
}

impl WsUpgrade {
    /// Answers 101. When hyper has let go of the socket, it is given to `on_socket` on a Tokio
    /// task. `client` is whose connection this is: the socket's peer or, behind a trusted proxy,
    /// the address that one reports.
    pub fn accept(
        self,
        client: IpAddr,
        on_socket: impl FnOnce(UpgradedSocket) + Send + 'static,
    ) -> Response {
        let meta = ConnMeta {
            subprotocol: self.subprotocol,
            peer: client,
            origin: self.origin,
            tls: self.peer.tls,
        };
        let mut response = self.handshake.accept(meta, on_socket);
        response.headers_mut().insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(self.subprotocol.name()),
        );
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WsUpgrade {
    type Rejection = HandshakeError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HandshakeError> {
        let subprotocol = choose(&parts.headers);
        let handshake = Handshake::take(parts)?;
        let peer = parts.extensions.get::<Peer>().copied().ok_or(HandshakeError::NotUpgradable)?;
        let origin = parts
            .headers
            .get(header::ORIGIN)
            .map(|origin| origin.to_str().unwrap_or("null").to_owned());
        let subprotocol = subprotocol.ok_or(HandshakeError::Subprotocol)?;
        Ok(Self { subprotocol, peer, origin, handshake })
    }
}

/// The part of a handshake that knows nothing of subprotocols.
#[derive(Debug)]
pub(super) struct Handshake {
    accept_key: String,
    upgrade: OnUpgrade,
}

impl Handshake {
    pub(super) fn take(parts: &mut Parts) -> Result<Self, HandshakeError> {
        let headers = &parts.headers;
        if parts.method != Method::GET {
            return Err(HandshakeError::Method);
        }
        if !has_token(headers, &header::CONNECTION, "upgrade")
            || !has_token(headers, &header::UPGRADE, "websocket")
        {
            return Err(HandshakeError::NotUpgrade);
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(HandshakeError::Version);
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(HandshakeError::Key)?.as_bytes();
        if STANDARD.decode(key).map_or(0, |nonce| nonce.len()) != 16 {
            return Err(HandshakeError::Key);
        }
        let accept_key = accept_key(key);
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        Ok(Self { accept_key, upgrade: upgrade.ok_or(HandshakeError::NotUpgradable)? })
    }

    pub(super) fn accept(
        self,
        meta: ConnMeta,
        on_socket: impl FnOnce(UpgradedSocket) + Send + 'static,
    ) -> Response {
        tokio::spawn(async move {
            // An error means that the client went away before the answer was written.
            match self.upgrade.await {
                Ok(upgraded) => match take_back(upgraded, meta) {
                    Ok(socket) => on_socket(socket),
                    Err(error) => tracing::warn!(%error, "upgraded socket could not be taken back"),
                },
                Err(error) => tracing::debug!(%error, "upgrade did not complete"),
            }
        });
        let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        let accept = HeaderValue::from_str(&self.accept_key).expect("base64 is a header value");
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        response
    }
}

/// Undoes the layers hyper and Tokio put around a socket.
fn take_back(upgraded: Upgraded, meta: ConnMeta) -> std::io::Result<UpgradedSocket> {
    let (stream, read_ahead) = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => (EdgeStream::plain(parts.io.into_inner().into_std()?), parts.read_buf),
        Err(upgraded) => match upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>() {
            Ok(parts) => {
                let (tcp, session) = parts.io.into_inner().into_inner();
                (EdgeStream::tls(tcp.into_std()?, session), parts.read_buf)
            }
            Err(_) => {
                return Err(std::io::Error::other("the stream is not one of the front door's"));
            }
        },
    };
    Ok(UpgradedSocket { stream, read_ahead, meta })
}

fn accept_key(key: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(KEY_SUFFIX);
    STANDARD.encode(hash.finalize())
}

/// The items of a comma-separated header, over all its lines.
fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &header::HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

fn has_token(headers: &HeaderMap, name: &header::HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|item| item.eq_ignore_ascii_case(token))
}

fn choose(headers: &HeaderMap) -> Option<Subprotocol> {
    Subprotocol::ALL.into_iter().find(|ours| {
        tokens(headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == ours.name())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_rfc_is_answered_as_the_rfc_says() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn protobuf_is_preferred_whatever_the_order_and_spacing() {
        let mut headers = HeaderMap::new();
        assert_eq!(choose(&headers), None);
        let offer = HeaderValue::from_static("chat, frontdesk.v1.json");
        headers.append(header::SEC_WEBSOCKET_PROTOCOL, offer);
        assert_eq!(choose(&headers), Some(Subprotocol::Json));
        let offer = HeaderValue::from_static(" frontdesk.v1.proto ");
        headers.append(header::SEC_WEBSOCKET_PROTOCOL, offer);
        assert_eq!(choose(&headers), Some(Subprotocol::Proto));
    }
}
