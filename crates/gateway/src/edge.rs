//! Sockets: from the accepted connection to whole messages and back.
//!
//! Flow: [`front`] (Tokio, hyper) takes a connection, TLS and the HTTP head; [`upgrade`] checks the
//! WebSocket handshake and takes the stream back from hyper; an [`EdgeLoop`] (own thread, mio) owns
//! it from then on and calls a [`Service`] with whole messages. The service answers through [`Io`].
//!
//! One turn of a loop: wait for events; take commands from other threads; read each ready socket
//! once, at most 64 KiB, and call the service per message; fire timers; [`Service::turn_end`]; then
//! write what was queued, one call per socket. While a connection is idle it holds no buffer: bytes
//! are read into one scratch buffer per loop, and a message is copied out only while incomplete.

mod awake;
mod conn;
mod handle;
mod io;
mod limits;
mod metrics;
mod out;
mod stream;
mod tunnel;
mod turn;
mod wheel;
mod ws;

pub mod echo;
pub mod front;
pub mod upgrade;

use std::{net::IpAddr, sync::atomic};

use bytes::Bytes;

pub use conn::MovableConn;
pub use handle::{LoopHandle, Refused};
pub use io::Io;
pub use limits::EdgeLimits;
pub use metrics::{EdgeMetrics, EdgeSnapshot};
pub use stream::{EdgeStream, UpgradedSocket};
pub use tunnel::Tunnelled;
pub use turn::{EdgeError, EdgeLoop};
#[cfg(fuzzing)]
pub use ws::fuzzing;

/// What runs on an edge loop: the chat service, or the echo of the conformance tests.
///
/// All methods run on the loop's own thread and must not block (the one exception is the log's
/// sync in `turn_end`). What they queue through [`Io`] is written when the turn ends.
pub trait Service {
    /// What other threads may tell this loop. A connection that moves here comes as a command
    /// carrying the [`MovableConn`] beside whatever state the service kept for it.
    type Command: Send + 'static;

    /// A freshly upgraded socket arrived; its first message has not been read yet.
    /// A connection taken over with [`Io::adopt`] does not come through here.
    fn connected(&mut self, io: &mut Io<'_>, conn: ConnId, meta: ConnMeta);

    /// One whole message. Not called again for this connection within the turn after
    /// [`Io::pause_reading`], [`Io::close`] or [`Io::take`].
    fn message(&mut self, io: &mut Io<'_>, conn: ConnId, message: Message<'_>);

    /// The connection is over: called exactly once for each connection that was connected or
    /// adopted here and not taken away. By now sends to it are ignored; the edge finishes the
    /// close handshake by itself. What ends in `turn_end` or while writing is told in the next
    /// turn, which then follows at once.
    fn closed(&mut self, io: &mut Io<'_>, conn: ConnId, why: CloseReason);

    /// A timer set with [`Io::set_timer`] has run out. Timers of a connection that is gone do not
    /// fire.
    fn timer(&mut self, io: &mut Io<'_>, key: TimerKey);

    /// Everything queued for a connection has been written: told once for each
    /// [`Io::tell_drained`], before the turn ends.
    fn drained(&mut self, _io: &mut Io<'_>, _conn: ConnId) {}

    /// What was written to tunnels in this turn, in order: whole WebSocket frames, and ends. For the
    /// nodes that have the sockets.
    fn tunnelled(&mut self, _tunnelled: Vec<(ConnRef, Tunnelled)>) {}

    /// Something another thread sent through a [`LoopHandle`].
    fn command(&mut self, io: &mut Io<'_>, command: Self::Command);

    /// All input of this turn has been handed over: commit, then queue what follows from it.
    /// Called once in every turn, also in one without input.
    fn turn_end(&mut self, io: &mut Io<'_>);
}

/// Names one connection of one loop. An id is never used again while the loop lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl ConnId {
    /// The connection's place in the loop's slab: small and dense, used again by later connections.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// As two numbers, for other nodes.
    pub fn to_parts(self) -> (u32, u32) {
        (self.index, self.generation)
    }

    /// Of the numbers another node gave back.
    pub fn from_parts(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }
}

/// A connection of whatever loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnRef {
    /// The loop's number.
    pub loop_index: u16,
    /// The connection there.
    pub conn: ConnId,
}

/// Text or binary, as in the frame's opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Arbitrary bytes.
    Binary,
}

/// A whole message as received, valid during the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A text message; its UTF-8 has been checked.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
}

/// A message to send. Its bytes are shared: encode once, send to many connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Text or binary.
    pub kind: Kind,
    /// The message, without frame header. Text must be UTF-8.
    pub bytes: Bytes,
}

impl Payload {
    /// A binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self { kind: Kind::Binary, bytes: bytes.into() }
    }

    /// A text message.
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: Kind::Text, bytes: Bytes::from(text.into()) }
    }
}

/// What is known of a connection from its handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnMeta {
    /// The encoding agreed on.
    pub subprotocol: Subprotocol,
    /// Who connects: the socket's peer, or what a trusted proxy said.
    pub peer: IpAddr,
    /// The `Origin` header, if there was one.
    pub origin: Option<String>,
    /// Whether the socket carries TLS (a proxy's TLS does not count here).
    pub tls: bool,
}

/// The two encodings a client may choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subprotocol {
    /// `frontdesk.v1.proto`: binary protobuf frames.
    Proto,
    /// `frontdesk.v1.json`: text frames in protobuf's canonical JSON.
    Json,
}

impl Subprotocol {
    /// All of them, the preferred one first.
    pub const ALL: [Self; 2] = [Self::Proto, Self::Json];

    /// The name used in `Sec-WebSocket-Protocol`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proto => "frontdesk.v1.proto",
            Self::Json => "frontdesk.v1.json",
        }
    }
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The service closed it with this code.
    Service(u16),
    /// The peer closed it, with a code or without.
    Peer(Option<u16>),
    /// The peer broke the protocol and was closed with this code (1002, 1007 or 1009).
    Violation(u16),
    /// The peer did not read: its out-queue reached the limit (closed with 3008).
    Slow,
    /// Nothing was received for too long (closed with 3009).
    Silent,
    /// The socket failed or ended without a close frame.
    Lost,
    /// The loop stopped.
    Stopped,
}

/// Names a timer. A timer cannot be cancelled: when it fires, look whether it still matters, and
/// for a deadline that keeps moving keep one timer and set it again for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimerKey {
    /// Belongs to a connection and goes with it; the number is the service's.
    Conn(ConnId, u16),
    /// Belongs to the service.
    Own(u64),
}
