//! B-send: the least a fan-out has to do: one send() of 200 bytes to each of its connections, over and
//! over. It begins when one of them says a byte. A connection that takes nothing is passed over.

use std::{
    io::{ErrorKind, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    time::Duration,
};

use super::{KEY_LISTENER, KEY_STOP, MESSAGE_BYTES, listen};
use crate::{
    error::{Error, io},
    poll::Poller,
};

const EVENTS_MAX: usize = 256;
/// Rounds over all connections between two looks at whether to stop.
const ROUNDS: usize = 8;

pub(super) struct Send {
    listener: TcpListener,
    poller: Poller,
    /// With what is left of the message each is in the middle of.
    connections: Vec<(TcpStream, usize)>,
    sending: bool,
}

impl Send {
    pub(super) fn new(listen_at: SocketAddr, stop: &impl AsFd) -> Result<Self, Error> {
        let (listener, poller) = listen(listen_at, EVENTS_MAX, stop)?;
        Ok(Self { listener, poller, connections: Vec::new(), sending: false })
    }

    pub(super) fn address(&self) -> Result<SocketAddr, Error> {
        self.listener.local_addr().map_err(io("tell the address"))
    }

    pub(super) fn run(&mut self) -> Result<(), Error> {
        let mut ready = Vec::new();
        loop {
            let wait = self.sending.then_some(Duration::ZERO);
            self.poller.wait(&mut ready, wait).map_err(io("poll"))?;
            for event in &ready {
                match event.key {
                    KEY_STOP => return Ok(()),
                    KEY_LISTENER => self.accept()?,
                    // Somebody says go, or is gone; either is heard once.
                    key => {
                        self.sending = true;
                        let (stream, _) = &self.connections[key as usize];
                        self.poller.remove(stream).map_err(io("poll"))?;
                    }
                }
            }
            for _ in 0..ROUNDS {
                if self.sending && !self.round() {
                    return Ok(());
                }
            }
        }
    }

    fn accept(&mut self) -> Result<(), Error> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true).map_err(io("prepare a socket"))?;
                    stream.set_nodelay(true).map_err(io("prepare a socket"))?;
                    self.poller.add(&stream, self.connections.len() as u64).map_err(io("poll"))?;
                    self.connections.push((stream, MESSAGE_BYTES));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(io("accept")(error)),
            }
        }
    }

    /// One message to each; false when the receiver is gone.
    fn round(&mut self) -> bool {
        for (stream, left) in &mut self.connections {
            match stream.write(&[b'.'; MESSAGE_BYTES][..*left]) {
                Ok(count) if count == *left => *left = MESSAGE_BYTES,
                Ok(count) => *left -= count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
        }
        true
    }
}
