//! A connection whose socket is on another node: messages come whole, frames go out whole.
//!
//! The node with the socket does what belongs to it: handshake, masking, fragments, limits, silence, slow
//! readers, the close handshake. Here the connection is one like any other.

use std::{collections::VecDeque, io};

use bytes::Bytes;

use super::{ConnRef, Kind, out::OutQueue};

/// What goes to the node with the socket.
#[derive(Debug, PartialEq, Eq)]
pub enum Tunnelled {
    /// WebSocket frames, whole, to be written as they are.
    Frames(Bytes),
    /// The payload of a close frame: the connection is over here.
    End(Bytes),
}

/// This end of it.
#[derive(Debug)]
pub(super) struct Tunnel {
    /// The socket.
    pub(super) home: ConnRef,
    /// Of its messages.
    pub(super) kind: Kind,
    inbox: VecDeque<Bytes>,
    waiting_bytes: usize,
    written: Vec<u8>,
}

impl Tunnel {
    pub(super) fn new(home: ConnRef, kind: Kind) -> Self {
        Self { home, kind, inbox: VecDeque::new(), waiting_bytes: 0, written: Vec::new() }
    }

    /// A message that came.
    pub(super) fn push(&mut self, message: Bytes) {
        self.waiting_bytes += message.len();
        self.inbox.push_back(message);
    }

    /// The oldest message that waits.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let message = self.inbox.pop_front()?;
        self.waiting_bytes -= message.len();
        Some(message)
    }

    /// Bytes of the messages that wait.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Takes everything queued.
    pub(super) fn write(&mut self, out: &mut OutQueue) -> io::Result<usize> {
        let before = self.written.len();
        while !out.is_empty() {
            let written = &mut self.written;
            out.write_with(|slices| {
                for slice in slices {
                    written.extend_from_slice(slice);
                }
                Ok(slices.iter().map(|slice| slice.len()).sum())
            })?;
        }
        Ok(self.written.len() - before)
    }

    /// What was written since last time.
    pub(super) fn take_written(&mut self) -> Option<Bytes> {
        let written = std::mem::take(&mut self.written);
        (!written.is_empty()).then(|| Bytes::from(written))
    }
}
