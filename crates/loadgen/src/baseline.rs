//! The floors: the least a chat server has to do, as one thread over level-triggered epoll.
//!
//! - **F0** relays raw frames: for each ready visitor one receive, a copy of each frame to the
//!   buffer of the visitor's agent, one send with the acks; at the end of a turn one send per agent.
//! - **F1** is F0 with a group-commit log: nothing is sent before the turn's frames are written to a
//!   circular, preallocated log with one pwrite and one fdatasync.
//!
//! Two more are the floors of single things a server does: **B-accept** takes connections, **B-send**
//! sends 200 bytes to each of them.
//!
//! No WebSocket, no decoding, no authentication, no lock, no allocation per message, no recovery:
//! floors of cost, not servers.
//!
//! Frames are little-endian; `len` counts the bytes after itself.
//! ```text
//! hello     12 B  u32 len = 8,   u32 role (0 visitor, 1 agent), u32 index
//! message  200 B  u32 len = 196, u32 visitor, u64 number, 184 B filler
//! delivery        the same bytes, unchanged
//! ack       24 B  u32 len = 20,  u32 visitor, u64 number, u64 offset (0 in F0)
//! ```

mod accept;
mod log;
mod relay;
mod send;

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener},
    os::fd::AsFd,
    path::PathBuf,
};

use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    error::{Error, io},
    poll::Poller,
};

/// Bytes of a message, its length included.
pub(crate) const MESSAGE_BYTES: usize = 200;
/// Bytes of an ack, its length included.
pub(crate) const ACK_BYTES: usize = 24;
/// Bytes of a hello, its length included.
pub(crate) const HELLO_BYTES: usize = 12;
/// Bytes of the log of F1.
const LOG_BYTES: u64 = 256 << 20;

/// Connections the kernel may hold for us before they are accepted.
const BACKLOG: i32 = 4_096;
const KEY_LISTENER: u64 = u64::MAX;
const KEY_STOP: u64 = u64::MAX - 1;

/// Which floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaselineKind {
    /// No storage.
    F0,
    /// A log with one write and one fdatasync a turn.
    F1,
    /// The same with O_DIRECT and O_DSYNC instead of the fdatasync: printed beside, not in ratios.
    F1Direct,
    /// Takes connections and registers them, nothing else.
    Accept,
    /// One send of 200 bytes to each connection, over and over.
    Send,
}

impl BaselineKind {
    /// The name in commands and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::F0 => "f0",
            Self::F1 => "f1",
            Self::F1Direct => "f1-direct",
            Self::Accept => "b-accept",
            Self::Send => "b-send",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::F0, Self::F1, Self::F1Direct, Self::Accept, Self::Send]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// How to run a floor.
#[derive(Debug, Clone)]
pub struct BaselineOptions {
    /// Which one.
    pub kind: BaselineKind,
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where F1 makes its log: on the disk that is to be measured. Not used by F0.
    pub log_dir: PathBuf,
    /// Size of F1's log in bytes.
    pub log_bytes: u64,
}

impl BaselineOptions {
    /// A floor as it is measured.
    pub fn new(kind: BaselineKind, listen: SocketAddr, log_dir: PathBuf) -> Self {
        Self { kind, listen, log_dir, log_bytes: LOG_BYTES }
    }
}

/// The child process of a measurement: prints its address as the first line of standard output and
/// relays until standard input ends, which it does when the parent is gone.
pub fn run_baseline(options: &BaselineOptions) -> Result<(), Error> {
    serve_baseline(options, std::io::stdin(), |address| {
        let mut out = std::io::stdout();
        writeln!(out, "{address}").and_then(|()| out.flush()).map_err(io("say the address"))
    })
}

/// Relays until `stop` can be read or is closed. `ready` is told the address.
pub fn serve_baseline(
    options: &BaselineOptions,
    stop: impl AsFd,
    ready: impl FnOnce(SocketAddr) -> Result<(), Error>,
) -> Result<(), Error> {
    match options.kind {
        BaselineKind::Accept => {
            let mut floor = accept::Accept::new(options.listen, &stop)?;
            ready(floor.address()?)?;
            floor.run()
        }
        BaselineKind::Send => {
            let mut floor = send::Send::new(options.listen, &stop)?;
            ready(floor.address()?)?;
            floor.run()
        }
        BaselineKind::F0 | BaselineKind::F1 | BaselineKind::F1Direct => {
            let mut relay = relay::Relay::new(options, &stop)?;
            ready(relay.address())?;
            relay.run()
        }
    }
}

/// A socket that listens, and a poller that reports it and the end of `stop`.
fn listen(
    at: SocketAddr,
    events_max: usize,
    stop: &impl AsFd,
) -> Result<(TcpListener, Poller), Error> {
    let domain = Domain::for_address(at);
    let socket =
        Socket::new(domain, Type::STREAM, Some(Protocol::TCP)).map_err(io("open a socket"))?;
    socket.set_reuse_address(true).map_err(io("prepare the socket"))?;
    socket.bind(&at.into()).map_err(io("bind the socket"))?;
    socket.listen(BACKLOG).map_err(io("listen"))?;
    socket.set_nonblocking(true).map_err(io("prepare the socket"))?;
    let listener = TcpListener::from(socket);
    let poller = Poller::new(events_max).map_err(io("poll"))?;
    poller.add(&listener, KEY_LISTENER).map_err(io("poll"))?;
    // A standard input that is a plain file or /dev/null cannot be waited for: it never ends.
    if poller.add(stop, KEY_STOP).is_err() {
        return Err(Error::Options("the floor is stopped by closing a pipe"));
    }
    Ok((listener, poller))
}
