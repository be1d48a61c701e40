//! B-accept: takes connections and registers them with epoll, nothing else. A byte is answered by a
//! byte, so that whoever connects learns how far it has come.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
};

use super::{KEY_LISTENER, KEY_STOP, listen};
use crate::{
    error::{Error, io},
    poll::Poller,
};

const EVENTS_MAX: usize = 256;

pub(super) struct Accept {
    listener: TcpListener,
    poller: Poller,
    /// By the key they are registered under; those that ended are gone.
    taken: Vec<Option<TcpStream>>,
}

impl Accept {
    pub(super) fn new(listen_at: SocketAddr, stop: &impl AsFd) -> Result<Self, Error> {
        let (listener, poller) = listen(listen_at, EVENTS_MAX, stop)?;
        Ok(Self { listener, poller, taken: Vec::new() })
    }

    pub(super) fn address(&self) -> Result<SocketAddr, Error> {
        self.listener.local_addr().map_err(io("tell the address"))
    }

    pub(super) fn run(&mut self) -> Result<(), Error> {
        let mut ready = Vec::new();
        loop {
            self.poller.wait(&mut ready, None).map_err(io("poll"))?;
            for event in &ready {
                match event.key {
                    KEY_STOP => return Ok(()),
                    KEY_LISTENER => self.accept()?,
                    key => self.answer(key as usize)?,
                }
            }
        }
    }

    fn accept(&mut self) -> Result<(), Error> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    self.poller.add(&stream, self.taken.len() as u64).map_err(io("poll"))?;
                    self.taken.push(Some(stream));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(io("accept")(error)),
            }
        }
    }

    /// Level-triggered: there is a byte, or the end, so the read does not wait.
    fn answer(&mut self, index: usize) -> Result<(), Error> {
        let Some(stream) = &mut self.taken[index] else { return Ok(()) };
        match stream.read(&mut [0; 64]) {
            Ok(0) | Err(_) => {
                self.poller.remove(stream).map_err(io("poll"))?;
                self.taken[index] = None;
                Ok(())
            }
            Ok(_) => stream.write_all(b"!").map_err(io("answer")),
        }
    }
}
