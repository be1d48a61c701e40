//! An echo on the same edge loops as the chat: the peer of the WebSocket conformance suite.
//!
//! For tests only; no product route leads here. Other than the chat it takes clients that offer no
//! subprotocol, since the suite offers none.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;

use super::{
    CloseReason, ConnId, ConnMeta, Io, Kind, Message, Service, Subprotocol, TimerKey,
    UpgradedSocket,
    front::Peer,
    upgrade::{Handshake, HandshakeError},
};

/// Sends every message back.
#[derive(Debug, Default)]
pub struct EchoService;

/// What an echo loop can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EchoCommand {
    /// End the loop at once.
    Stop,
}

impl Service for EchoService {
    type Command = EchoCommand;

    fn connected(&mut self, _: &mut Io<'_>, _: ConnId, _: ConnMeta) {}

    fn message(&mut self, io: &mut Io<'_>, conn: ConnId, message: Message<'_>) {
        match message {
            Message::Text(text) => io.send_copy(conn, Kind::Text, text.as_bytes()),
            Message::Binary(bytes) => io.send_copy(conn, Kind::Binary, bytes),
        }
    }

    fn closed(&mut self, _: &mut Io<'_>, _: ConnId, _: CloseReason) {}

    fn timer(&mut self, _: &mut Io<'_>, _: TimerKey) {}

    fn command(&mut self, io: &mut Io<'_>, EchoCommand::Stop: EchoCommand) {
        io.stop(std::time::Duration::ZERO);
    }

    fn turn_end(&mut self, _: &mut Io<'_>) {}
}

/// A handshake with or without subprotocol.
#[derive(Debug)]
pub struct EchoUpgrade {
    handshake: Handshake,
    peer: Peer,
}

impl EchoUpgrade {
    /// Answers 101 and gives the socket to `on_socket`, like
    /// [`WsUpgrade::accept`](super::upgrade::WsUpgrade::accept).
    pub fn accept(self, on_socket: impl FnOnce(UpgradedSocket) + Send + 'static) -> Response {
        let meta = ConnMeta {
            subprotocol: Subprotocol::Json,
            peer: self.peer.address.ip(),
            origin: None,
            tls: self.peer.tls,
        };
        self.handshake.accept(meta, on_socket)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for EchoUpgrade {
    type Rejection = HandshakeError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HandshakeError> {
        let peer = parts.extensions.get::<Peer>().copied().ok_or(HandshakeError::NotUpgradable)?;
        Ok(Self { handshake: Handshake::take(parts)?, peer })
    }
}
