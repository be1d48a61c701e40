//! One connection of the generator: what was received in part, and what the socket did not take yet.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
};

use crate::{
    error::{Error, io},
    poll::Poller,
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
    stream: TcpStream,
    /// The beginning of a frame whose end has not come. Holds memory only then.
    pub(crate) partial: Vec<u8>,
    unsent: Vec<u8>,
}

impl Link {
    /// Takes a blocking socket with what was read ahead of it.
    pub(crate) fn new(peer: Peer, stream: TcpStream, read_ahead: Vec<u8>) -> Result<Self, Error> {
        stream.set_nodelay(true).map_err(io("prepare a socket"))?;
        stream.set_nonblocking(true).map_err(io("prepare a socket"))?;
        Ok(Self { peer, stream, partial: read_ahead, unsent: Vec::new() })
    }

    pub(crate) fn register(&self, poller: &Poller, key: u64) -> Result<(), Error> {
        poller.add(&self.stream, key).map_err(io("poll"))
    }

    /// One receive. Gives `parse` all bytes that are there; it returns how many it used up.
    pub(crate) fn receive(
        &mut self,
        scratch: &mut [u8],
        parse: impl FnOnce(&[u8]) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        let count = match (&self.stream).read(scratch) {
            Ok(0) => return Err(self.closed()),
            Ok(count) => count,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Ok(());
            }
            Err(_) => return Err(self.closed()),
        };
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
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let count = self.write(bytes)?;
        if count < bytes.len() {
            self.unsent.extend_from_slice(&bytes[count..]);
            poller.want_write(&self.stream, key, true).map_err(io("poll"))?;
        }
        Ok(())
    }

    /// The socket is writable again.
    pub(crate) fn flush(&mut self, poller: &Poller, key: u64) -> Result<(), Error> {
        let unsent = std::mem::take(&mut self.unsent);
        let count = self.write(&unsent)?;
        if count < unsent.len() {
            self.unsent = unsent[count..].to_vec();
            return Ok(());
        }
        poller.want_write(&self.stream, key, false).map_err(io("poll"))
    }

    fn write(&self, bytes: &[u8]) -> Result<usize, Error> {
        match (&self.stream).write(bytes) {
            Ok(count) => Ok(count),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(0)
            }
            Err(_) => Err(self.closed()),
        }
    }

    fn closed(&self) -> Error {
        Error::Closed { peer: self.peer.to_string(), code: None }
    }
}
