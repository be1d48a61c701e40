//! One connection of the generator: what was received in part, and what the socket did not take yet.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
};

use crate::{
    error::{Error, io},
    poll::Poller,
    stream::Stream,
};

/// Whose connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Visitor(u32),
    Agent(u32),
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Visitor(index) => write!(f, "visitor {index}"),
            Self::Agent(index) => write!(f, "agent {index}"),
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) peer: Peer,
    stream: Stream,
    /// The beginning of a frame whose end has not come. Holds memory only then.
    pub(crate) partial: Vec<u8>,
    /// What a plain socket did not take; a TLS session keeps that itself.
    unsent: Vec<u8>,
    /// The socket is polled for taking bytes again.
    blocked: bool,
}

impl Link {
    /// Takes a blocking socket with what was read ahead of it.
    pub(crate) fn new(
        peer: Peer,
        stream: impl Into<Stream>,
        read_ahead: Vec<u8>,
    ) -> Result<Self, Error> {
        let (mut stream, mut partial) = (stream.into(), read_ahead);
        stream.socket().set_nodelay(true).map_err(io("prepare a socket"))?;
        stream.socket().set_nonblocking(true).map_err(io("prepare a socket"))?;
        if let Stream::Tls(tls) = &mut stream {
            tls.open_sealed(&mut partial).map_err(io("read what came ahead"))?;
        }
        Ok(Self { peer, stream, partial, unsent: Vec::new(), blocked: false })
    }

    pub(crate) fn register(&self, poller: &Poller, key: u64) -> Result<(), Error> {
        poller.add(self.stream.socket(), key).map_err(io("poll"))
    }

    /// One receive. Gives `parse` all bytes that are there; it returns how many it used up.
    pub(crate) fn receive(
        &mut self,
        poller: &Poller,
        key: u64,
        scratch: &mut [u8],
        parse: impl FnOnce(&[u8]) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        let received = match &mut self.stream {
            Stream::Plain(tcp) => tcp.read(scratch),
            Stream::Tls(tls) => tls.receive(scratch, &mut self.partial),
        };
        let count = match received {
            Ok(0) => return Err(self.closed()),
            Ok(count) => count,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Ok(());
            }
            Err(error) => return Err(self.failed(error)),
        };
        if matches!(self.stream, Stream::Tls(_)) {
            // TLS has answers of its own: of its handshake, behind which what was sent before waits.
            self.send_sealed(poller, key)?;
            return self.parse_partial(parse);
        }
        if self.partial.is_empty() {
            let used = parse(&scratch[..count])?;
            self.partial.extend_from_slice(&scratch[used..count]);
            return Ok(());
        }
        self.partial.extend_from_slice(&scratch[..count]);
        self.parse_partial(parse)
    }

    /// Gives `parse` what was read ahead.
    pub(crate) fn parse_partial(
        &mut self,
        parse: impl FnOnce(&[u8]) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        let used = parse(&self.partial)?;
        if used == self.partial.len() {
            self.partial = Vec::new();
        } else {
            self.partial.drain(..used);
        }
        Ok(())
    }

    /// Sends, or keeps what does not fit until the socket is writable.
    pub(crate) fn send(&mut self, poller: &Poller, key: u64, bytes: &[u8]) -> Result<(), Error> {
        let count = match &mut self.stream {
            Stream::Tls(tls) => {
                tls.seal(bytes).map_err(io("encrypt"))?;
                return if self.blocked { Ok(()) } else { self.send_sealed(poller, key) };
            }
            Stream::Plain(_) if self.blocked => 0,
            Stream::Plain(tcp) => write(tcp, bytes).map_err(|error| self.failed(error))?,
        };
        self.unsent.extend_from_slice(&bytes[count..]);
        self.wait_if(!self.unsent.is_empty(), poller, key)
    }

    /// The socket is writable again.
    pub(crate) fn flush(&mut self, poller: &Poller, key: u64) -> Result<(), Error> {
        let Stream::Plain(tcp) = &mut self.stream else { return self.send_sealed(poller, key) };
        let count = write(tcp, &self.unsent).map_err(|error| self.failed(error))?;
        if count == self.unsent.len() {
            self.unsent = Vec::new();
        } else {
            self.unsent.drain(..count);
        }
        self.wait_if(!self.unsent.is_empty(), poller, key)
    }

    fn send_sealed(&mut self, poller: &Poller, key: u64) -> Result<(), Error> {
        let Stream::Tls(tls) = &mut self.stream else { return Ok(()) };
        let all = tls.send().map_err(|error| self.failed(error))?;
        self.wait_if(!all, poller, key)
    }

    /// Has the poller tell when the socket takes bytes, or no longer.
    fn wait_if(&mut self, blocked: bool, poller: &Poller, key: u64) -> Result<(), Error> {
        if blocked == self.blocked {
            return Ok(());
        }
        self.blocked = blocked;
        poller.want_write(self.stream.socket(), key, blocked).map_err(io("poll"))
    }

    fn failed(&self, error: std::io::Error) -> Error {
        match &self.stream {
            Stream::Tls(tls) if error.kind() == ErrorKind::InvalidData => tls.failed(error),
            _ => self.closed(),
        }
    }

    fn closed(&self) -> Error {
        Error::Closed { peer: self.peer.to_string(), code: None }
    }
}

/// How many bytes the socket takes without waiting.
fn write(tcp: &mut TcpStream, bytes: &[u8]) -> std::io::Result<usize> {
    match tcp.write(bytes) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(0)
        }
        written => written,
    }
}
