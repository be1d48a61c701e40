//! Connections over two nodes: the socket on one, the conversation or the desk on the other.
//!
//! The node where the socket landed checks the first frame's ticket, sees who serves it, and passes the frame
//! on with a ticket of its own making. From then on messages go there and frames come back; what a connection
//! is, only the serving node knows.

use frontdesk_protocol::{Encoding, close, wire};
use hashbrown::HashMap;

use super::{
    Chat, TIMER_AUTH,
    conn::{Conn, State},
    place,
    port::{Command, ConnRef, Tunnelled},
    seconds,
};
use crate::edge::{self, ConnId, Io, Kind, Message, TimerKey};

/// The tunnels that end at this loop.
#[derive(Debug, Default)]
pub(super) struct Tunnels {
    by_home: HashMap<ConnRef, ConnId>,
    homes: HashMap<ConnId, ConnRef>,
}

impl Tunnels {
    fn open(&mut self, home: ConnRef, conn: ConnId) -> Option<ConnId> {
        self.homes.insert(conn, home);
        self.by_home.insert(home, conn)
    }

    /// Forgets a connection, if it is one.
    pub(super) fn close(&mut self, conn: ConnId) {
        if let Some(home) = self.homes.remove(&conn)
            && self.by_home.get(&home) == Some(&conn)
        {
            self.by_home.remove(&home);
        }
    }

    /// Whether the socket of a connection is on another node.
    pub(super) fn is_one(&self, conn: ConnId) -> bool {
        self.homes.contains_key(&conn)
    }

    fn of(&self, home: ConnRef) -> Option<ConnId> {
        self.by_home.get(&home).copied()
    }

    fn of_node(&self, node: u8) -> Vec<ConnId> {
        let theirs =
            self.by_home.iter().filter(|(home, _)| place::node_of(home.loop_index) == node);
        theirs.map(|(_, conn)| *conn).collect()
    }
}

impl Chat {
    /// The first frame of a socket of this loop says that it is served by a loop of another node.
    pub(super) fn lead_on(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        (to, partition): (u16, u16),
        ticket: String,
        (mut hello, reference): (Box<wire::Hello>, u32),
    ) {
        let home = self.own(conn);
        let frame_bytes_max = self.options.frame_bytes_max;
        let Some(state) = self.conn(conn) else { return };
        state.state = State::Tunnel { to, partition, is_served: false };
        if !ticket.is_empty() {
            hello.ticket = ticket;
            hello.resume_token.clear();
        }
        let arrival = Tunnelled {
            home,
            encoding: state.encoding,
            peer: state.peer,
            // The gate has looked at it.
            origin: None,
            reference,
            hello,
        };
        io.limit_messages(conn, frame_bytes_max);
        self.tell(to, Command::Tunnel(Box::new(arrival)));
    }

    /// Passes a message of a socket of this loop on.
    pub(super) fn pass_on(&mut self, conn: ConnId, to: u16, message: Message<'_>) {
        let bytes = match message {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
        };
        let message = bytes::Bytes::copy_from_slice(bytes);
        let home = self.own(conn);
        self.tell(to, Command::TunnelMessage { home, message });
    }

    /// A connection comes from another node.
    pub(super) fn tunnel(&mut self, io: &mut Io<'_>, arrival: Tunnelled) {
        let Tunnelled { home, encoding, peer, origin, reference, hello } = arrival;
        let kind = match encoding {
            Encoding::Proto => Kind::Binary,
            Encoding::Json => Kind::Text,
        };
        let opened = if self.draining { None } else { io.open_tunnel(home, kind).ok() };
        let Some(conn) = opened else {
            return self.end_home(home, &close::RESTART);
        };
        if let Some(former) = self.tunnels.open(home, conn) {
            // Its node began a new life and counts its connections anew.
            io.lose(former);
        }
        let now_s = seconds(io.now_ms());
        self.insert(conn, Conn::new(conn, (encoding, peer), origin, now_s));
        io.set_timer(TimerKey::Conn(conn, TIMER_AUTH), self.options.auth_timeout);
        self.hello(io, conn, reference, *hello);
    }

    /// A message of a connection whose socket is elsewhere.
    pub(super) fn tunnel_message(&mut self, io: &mut Io<'_>, home: ConnRef, message: bytes::Bytes) {
        match self.tunnels.of(home) {
            Some(conn) => io.tunnel_message(conn, message),
            // This loop never heard of it, or has ended it: the client begins anew.
            None => self.end_home(home, &close::RESTART),
        }
    }

    /// The socket is gone.
    pub(super) fn tunnel_closed(&mut self, io: &mut Io<'_>, home: ConnRef) {
        if let Some(conn) = self.tunnels.of(home) {
            io.lose(conn);
        }
    }

    /// Frames for a socket of this loop.
    pub(super) fn tunnel_bytes(&mut self, io: &mut Io<'_>, conn: ConnId, frames: &bytes::Bytes) {
        if let Some(State::Tunnel { is_served, .. }) = self.conn(conn).map(|conn| &mut conn.state) {
            *is_served = true;
            io.send_frames(conn, frames);
        }
    }

    /// The node that serves a socket of this loop is done with it.
    pub(super) fn tunnel_end(&mut self, io: &mut Io<'_>, conn: ConnId, code: u16, reason: &str) {
        let Some(State::Tunnel { .. }) = self.conn(conn).map(|conn| &conn.state) else { return };
        if code == close::RESTART.code {
            self.send_on(io, conn);
        } else {
            io.close(conn, code, reason);
        }
    }

    /// What was written to connections whose sockets are elsewhere.
    pub(super) fn send_tunnelled(&mut self, tunnelled: Vec<(ConnRef, edge::Tunnelled)>) {
        for (home, what) in tunnelled {
            let conn = home.conn;
            let command = match what {
                edge::Tunnelled::Frames(frames) => Command::TunnelBytes { conn, frames },
                edge::Tunnelled::End(close) => {
                    let (code, reason) = close_of(&close);
                    Command::TunnelEnd { conn, code, reason }
                }
            };
            self.tell(home.loop_index, command);
        }
    }

    fn end_home(&mut self, home: ConnRef, code: &close::CloseCode) {
        let (code, reason) = (code.code, code.reason.to_owned());
        self.tell(home.loop_index, Command::TunnelEnd { conn: home.conn, code, reason });
    }

    /// Ends what reaches over to a node that is gone.
    pub(super) fn end_tunnels(&mut self, io: &mut Io<'_>, node: u8) {
        let is_there = |state: &State| matches!(state, State::Tunnel { to, .. } if place::node_of(*to) == node);
        let conns = self.conns.iter().flatten();
        let led: Vec<ConnId> =
            conns.filter(|conn| is_there(&conn.state)).map(|conn| conn.id).collect();
        for conn in led {
            self.send_on(io, conn);
        }
        for conn in self.tunnels.of_node(node) {
            io.lose(conn);
        }
    }
}

/// Code and words of a close frame's payload.
fn close_of(payload: &[u8]) -> (u16, String) {
    match payload.split_first_chunk::<2>() {
        Some((code, reason)) => {
            (u16::from_be_bytes(*code), String::from_utf8_lossy(reason).into_owned())
        }
        None => (close::RESTART.code, close::RESTART.reason.to_owned()),
    }
}
