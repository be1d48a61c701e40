//! The relay loop of both floors.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
};

use super::{
    ACK_BYTES, BaselineKind, BaselineOptions, HELLO_BYTES, KEY_LISTENER, KEY_STOP, MESSAGE_BYTES,
    listen, log::Log,
};
use crate::{
    error::{Error, io},
    poll::{Poller, Ready},
};

/// Sockets of one turn.
const EVENTS_F0: usize = 256;
/// A group commit pays more the more it carries.
const EVENTS_F1: usize = 4_096;
/// One receive.
const SCRATCH_BYTES: usize = 64 << 10;
/// Unsent bytes of one agent beyond which the run is void.
const AGENT_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Unknown,
    Visitor,
    Agent,
}

#[derive(Debug)]
struct Conn {
    stream: TcpStream,
    role: Role,
    /// The beginning of a frame whose end has not come yet.
    partial: Vec<u8>,
    /// What is to be sent: acks of a visitor, deliveries of an agent.
    out: Vec<u8>,
    wants_write: bool,
    /// Stands in the list of this turn.
    listed: bool,
}

/// One floor at work.
#[derive(Debug)]
pub(super) struct Relay {
    listener: TcpListener,
    address: SocketAddr,
    poller: Poller,
    conns: Vec<Option<Conn>>,
    /// Connection of each agent, by its index.
    agents: Vec<usize>,
    log: Option<Log>,
    scratch: Vec<u8>,
    /// Connections that have something to send at the end of the turn.
    acking: Vec<usize>,
    delivering: Vec<usize>,
}

impl Relay {
    pub(super) fn new(options: &BaselineOptions, stop: &impl AsFd) -> Result<Self, Error> {
        let (events_max, log) = match options.kind {
            BaselineKind::F0 => (EVENTS_F0, None),
            kind => {
                let name = format!("frontdesk-floor-{}.log", std::process::id());
                let direct = kind == BaselineKind::F1Direct;
                let path = options.log_dir.join(name);
                (EVENTS_F1, Some(Log::create(path, options.log_bytes, direct)?))
            }
        };
        let (listener, poller) = listen(options.listen, events_max, stop)?;
        let address = listener.local_addr().map_err(io("tell the address"))?;
        Ok(Self {
            listener,
            address,
            poller,
            conns: Vec::new(),
            agents: Vec::new(),
            log,
            scratch: vec![0; SCRATCH_BYTES],
            acking: Vec::new(),
            delivering: Vec::new(),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Turns until told to stop.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        let mut ready = Vec::new();
        loop {
            self.poller.wait(&mut ready, None).map_err(io("poll"))?;
            for event in &ready {
                match event.key {
                    KEY_STOP => return Ok(()),
                    KEY_LISTENER => self.accept()?,
                    _ => self.serve(*event)?,
                }
                // Frames that no longer fit wait in their sockets for the next turn.
                if self.log.as_ref().is_some_and(|log| !log.has_room(SCRATCH_BYTES * 2)) {
                    break;
                }
            }
            self.end_turn()?;
        }
    }

    fn accept(&mut self) -> Result<(), Error> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(io("accept")(error)),
            };
            stream.set_nonblocking(true).map_err(io("prepare a socket"))?;
            stream.set_nodelay(true).map_err(io("prepare a socket"))?;
            let index = self.conns.len();
            self.poller.add(&stream, index as u64).map_err(io("poll"))?;
            self.conns.push(Some(Conn {
                stream,
                role: Role::Unknown,
                partial: Vec::new(),
                out: Vec::new(),
                wants_write: false,
                listed: false,
            }));
        }
    }

    /// One ready connection: one receive, and in F0 the acks at once.
    fn serve(&mut self, event: Ready) -> Result<(), Error> {
        let index = event.key as usize;
        if event.writable {
            self.writable(index)?;
        }
        if !event.readable {
            return Ok(());
        }
        let Some(conn) = self.conns[index].as_mut() else { return Ok(()) };
        let mut scratch = std::mem::take(&mut self.scratch);
        let read = (&conn.stream).read(&mut scratch);
        let result = match read {
            Ok(0) => {
                self.forget(index);
                Ok(())
            }
            Ok(count) => self.split(index, &scratch[..count]),
            Err(error) if would_wait(&error) => Ok(()),
            Err(_) => {
                self.forget(index);
                Ok(())
            }
        };
        self.scratch = scratch;
        result?;
        if self.log.is_none() && self.conns[index].as_ref().is_some_and(|conn| !conn.out.is_empty())
        {
            let conn = self.conns[index].as_ref();
            if conn.is_some_and(|conn| conn.role == Role::Visitor) {
                self.send(index)?;
            }
        }
        Ok(())
    }

    /// What did not fit goes on; in F1 at the end of the turn, because frames of this turn may stand
    /// behind it already.
    fn writable(&mut self, index: usize) -> Result<(), Error> {
        if self.log.is_none() {
            return self.send(index);
        }
        if let Some(conn) = self.conns[index].as_mut()
            && !conn.listed
        {
            conn.listed = true;
            self.delivering.push(index);
        }
        Ok(())
    }

    /// Takes the frames out of what was received.
    fn split(&mut self, index: usize, received: &[u8]) -> Result<(), Error> {
        let Some(conn) = self.conns[index].as_mut() else { return Ok(()) };
        let whole;
        let mut rest = if conn.partial.is_empty() {
            received
        } else {
            conn.partial.extend_from_slice(received);
            whole = std::mem::take(&mut conn.partial);
            &whole[..]
        };
        while let Some((head, _)) = rest.split_first_chunk::<4>() {
            let bytes = u32::from_le_bytes(*head) as usize + 4;
            if bytes > MESSAGE_BYTES {
                return Err(Error::Malformed { what: "a frame of at most 200 bytes" });
            }
            let Some((frame, behind)) = rest.split_at_checked(bytes) else { break };
            self.frame(index, frame)?;
            rest = behind;
        }
        if !rest.is_empty()
            && let Some(conn) = self.conns[index].as_mut()
        {
            conn.partial.extend_from_slice(rest);
        }
        Ok(())
    }

    fn frame(&mut self, index: usize, frame: &[u8]) -> Result<(), Error> {
        let Some(conn) = self.conns[index].as_mut() else { return Ok(()) };
        if frame.len() == HELLO_BYTES {
            let is_agent = frame[4] == 1;
            conn.role = if is_agent { Role::Agent } else { Role::Visitor };
            if is_agent {
                let place = u32::from_le_bytes([frame[8], frame[9], frame[10], frame[11]]) as usize;
                if place > 1 << 16 {
                    return Err(Error::Malformed { what: "an agent's index" });
                }
                if self.agents.len() <= place {
                    self.agents.resize(place + 1, usize::MAX);
                }
                self.agents[place] = index;
            }
            return Ok(());
        }
        if frame.len() != MESSAGE_BYTES || conn.role != Role::Visitor || self.agents.is_empty() {
            return Err(Error::Malformed { what: "a visitor's message" });
        }
        let offset = self.log.as_mut().map_or(0, |log| log.append(frame));
        let mut ack = [0_u8; ACK_BYTES];
        ack[..4].copy_from_slice(&20_u32.to_le_bytes());
        // Visitor and number as they came.
        ack[4..16].copy_from_slice(&frame[4..16]);
        ack[16..].copy_from_slice(&offset.to_le_bytes());
        conn.out.extend_from_slice(&ack);
        if self.log.is_some() && !conn.listed {
            conn.listed = true;
            self.acking.push(index);
        }
        let visitor = u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]) as usize;
        let agent = self.agents[visitor % self.agents.len()];
        let Some(agent_conn) = self.conns.get_mut(agent).and_then(Option::as_mut) else {
            return Ok(());
        };
        agent_conn.out.extend_from_slice(frame);
        if agent_conn.out.len() > AGENT_BYTES_MAX {
            return Err(Error::Options("an agent's buffer is full: the run is void"));
        }
        if !agent_conn.listed {
            agent_conn.listed = true;
            self.delivering.push(agent);
        }
        Ok(())
    }

    /// The turn's frames are made durable, then acks go out, then deliveries.
    fn end_turn(&mut self) -> Result<(), Error> {
        if let Some(log) = &mut self.log {
            log.commit()?;
        }
        let mut acking = std::mem::take(&mut self.acking);
        for index in acking.drain(..) {
            self.send_listed(index)?;
        }
        self.acking = acking;
        let mut delivering = std::mem::take(&mut self.delivering);
        for index in delivering.drain(..) {
            self.send_listed(index)?;
        }
        self.delivering = delivering;
        Ok(())
    }

    fn send_listed(&mut self, index: usize) -> Result<(), Error> {
        if let Some(conn) = self.conns[index].as_mut() {
            conn.listed = false;
            self.send(index)?;
        }
        Ok(())
    }

    /// One send; what does not fit waits until the socket is writable.
    fn send(&mut self, index: usize) -> Result<(), Error> {
        let Some(conn) = self.conns[index].as_mut() else { return Ok(()) };
        if !conn.out.is_empty() {
            match (&conn.stream).write(&conn.out) {
                Ok(count) if count == conn.out.len() => conn.out.clear(),
                Ok(count) => {
                    conn.out.drain(..count);
                }
                Err(error) if would_wait(&error) => {}
                Err(_) => {
                    self.forget(index);
                    return Ok(());
                }
            }
        }
        let wants_write = !conn.out.is_empty();
        if wants_write != conn.wants_write {
            conn.wants_write = wants_write;
            self.poller.want_write(&conn.stream, index as u64, wants_write).map_err(io("poll"))?;
        }
        Ok(())
    }

    /// Closing the socket takes it out of the poll set. Places are not used again: a run opens its
    /// connections once.
    fn forget(&mut self, index: usize) {
        self.conns[index] = None;
    }
}

fn would_wait(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
