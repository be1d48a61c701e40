//! What a [`Service`](super::Service) may do with its connections: the effects side of a loop.

use std::{
    io,
    time::{Duration, Instant},
};

use bytes::Bytes;
use frontdesk_protocol::close;

use super::{
    CloseReason, ConnId, ConnRef, EdgeStream, Kind, MovableConn, Payload, TimerKey,
    conn::{Alarm, Core, State},
    tunnel::Tunnel,
    ws::Parser,
};

/// The loop as a service sees it during a call.
pub struct Io<'a> {
    pub(super) core: &'a mut Core,
    /// The bytes that follow the message being handed over, and whose they are.
    pub(super) rest: Option<(ConnId, &'a [u8])>,
}

impl Io<'_> {
    /// The time of this turn: read once, the same for everything in it.
    pub fn now(&self) -> Instant {
        self.core.now
    }

    /// The clock of this turn ([`clock`](crate::clock)): milliseconds since 1970, UTC.
    pub fn now_ms(&self) -> i64 {
        self.core.now_ms
    }

    /// Queues a message. It leaves when the turn ends, or before if the queue is full; a connection
    /// that then does not take it is closed ([`CloseReason::Slow`]). Ignored for a connection that
    /// is closing or gone.
    pub fn send(&mut self, conn: ConnId, payload: &Payload) {
        self.core.queue(conn, |queue| queue.push_shared(payload.kind.into(), &payload.bytes));
    }

    /// As [`send`](Self::send), for bytes that go to one connection only and can be copied.
    pub fn send_copy(&mut self, conn: ConnId, kind: Kind, bytes: &[u8]) {
        self.core.queue(conn, |queue| queue.push_copy(kind.into(), bytes));
    }

    /// As [`send_copy`](Self::send_copy), for a message of so many bytes that `write` appends: one that
    /// goes to one connection need not lie anywhere else first.
    pub fn send_with(
        &mut self,
        conn: ConnId,
        kind: Kind,
        bytes: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.core.queue(conn, |queue| queue.push_with(kind.into(), bytes, write));
    }

    /// Bytes waiting to be written to a connection; 0 if it is gone.
    pub fn queued_bytes(&self, conn: ConnId) -> usize {
        self.core.peek(conn).and_then(|found| found.out.as_ref()).map_or(0, |queue| queue.len())
    }

    /// Has another turn follow this one at once, for work that the service spreads over turns.
    pub fn turn_again(&mut self) {
        self.core.again = true;
    }

    /// Calls [`Service::drained`](super::Service::drained) as soon as everything queued for a
    /// connection has been written, which may be at once. Ignored for one that is closing or gone.
    pub fn tell_drained(&mut self, conn: ConnId) {
        if let Some(found) = self.core.get(conn)
            && found.state == State::Open
        {
            found.tell_drained = true;
            self.core.make_dirty(conn);
        }
    }

    /// Closes a connection: what is queued is written, then a close frame with this code. The
    /// service hears [`Service::closed`](super::Service::closed) once, later in this turn.
    pub fn close(&mut self, conn: ConnId, code: u16, reason: &str) {
        self.core.end(conn, code, reason, CloseReason::Service(code));
    }

    /// Whether the connection is open here (not closing, not moved).
    pub fn is_open(&self, conn: ConnId) -> bool {
        self.core.is_open(conn)
    }

    /// Stops reading from a connection: its messages stay in the kernel's buffers. Those of the
    /// read under way are kept for later. Silence is not counted meanwhile.
    pub fn pause_reading(&mut self, conn: ConnId) {
        if let Some(found) = self.core.get(conn)
            && found.state == State::Open
        {
            found.paused = true;
        }
    }

    /// Reads from a paused connection again.
    pub fn resume_reading(&mut self, conn: ConnId) {
        if let Some(found) = self.core.get(conn)
            && found.paused
        {
            found.paused = false;
            self.core.make_ready(conn);
        }
    }

    /// Changes the longest message taken from a connection, from its next frame on. Starts at the
    /// loop's limit; a service that has not yet authenticated the peer takes less.
    pub fn limit_messages(&mut self, conn: ConnId, bytes_max: usize) {
        if let Some(found) = self.core.get(conn) {
            found.message_bytes_max = u32::try_from(bytes_max).unwrap_or(u32::MAX);
        }
    }

    /// Sets a timer that fires once, not before `after` has passed and a few ticks later at most.
    pub fn set_timer(&mut self, key: TimerKey, after: Duration) {
        let tick = self.core.after(after);
        self.core.wheel.set(tick, Alarm::Service(key));
    }

    /// Takes a connection out of this loop, with everything read and queued but not yet handled, to
    /// give it to another loop. `None` if it is closing or gone: then `closed` tells.
    pub fn take(&mut self, conn: ConnId) -> Option<MovableConn> {
        if !self.core.is_open(conn) {
            return None;
        }
        let mut taken = self.core.remove(conn)?;
        if let Some((current, rest)) = self.rest
            && current == conn
            && !rest.is_empty()
        {
            taken.stash = Some(Box::from(rest));
        }
        self.core.metrics.moved.add(1);
        Some(MovableConn {
            stream: taken.stream,
            parser: taken.parser,
            out: taken.out,
            stash: taken.stash,
            message_bytes_max: taken.message_bytes_max,
        })
    }

    /// Begins a connection anew on the same socket, under another id: whatever is still under way for the old
    /// one finds nobody. What is queued is written; what was read but not yet handled is handed over under
    /// the new id. `closed` is not called for the old one. `None` where the socket is on another node, or the
    /// connection is closing or gone.
    pub fn renew(&mut self, conn: ConnId) -> Option<ConnId> {
        let renewed = self.core.renew(conn)?;
        if let Some((current, rest)) = self.rest
            && current == conn
            && !rest.is_empty()
            && let Some(found) = self.core.get(renewed)
        {
            found.stash = Some(Box::from(rest));
        }
        Some(renewed)
    }

    /// Takes over a connection that another loop let go; it is read from, whether it was paused
    /// there or not. Messages it had in flight are handed over
    /// after the current call. The error is the operating system's or the loop is full; the
    /// connection is lost then and `closed` is not called.
    pub fn adopt(&mut self, conn: MovableConn) -> io::Result<ConnId> {
        match self.core.insert(conn) {
            Ok(id) => {
                self.core.metrics.adopted.add(1);
                Ok(id)
            }
            Err(error) => {
                self.core.metrics.dropped.add(1);
                Err(error)
            }
        }
    }

    /// Opens a tunnel: a connection whose socket is at `home`, on another node. Messages come by
    /// [`tunnel_message`](Self::tunnel_message); what is queued for it goes to
    /// [`Service::tunnelled`](super::Service::tunnelled).
    pub fn open_tunnel(&mut self, home: ConnRef, kind: Kind) -> io::Result<ConnId> {
        self.adopt(MovableConn {
            stream: EdgeStream::tunnel(Tunnel::new(home, kind)),
            parser: Parser::default(),
            out: None,
            stash: None,
            message_bytes_max: u32::MAX,
        })
    }

    /// A message came through a tunnel; it is handed over in this turn or the next, as soon as the
    /// connection is read from. One that sends much more than is taken is closed as slow.
    pub fn tunnel_message(&mut self, conn: ConnId, message: Bytes) {
        let max = self.core.limits.out_queue_bytes_max;
        let Some(found) = self.core.get(conn) else { return };
        let Some(tunnel) = found.stream.as_tunnel() else { return };
        tunnel.push(message);
        if tunnel.waiting_bytes() > max {
            self.core.end(conn, close::SLOW.code, close::SLOW.reason, CloseReason::Slow);
        } else {
            self.core.make_ready(conn);
        }
    }

    /// Queues whole frames that another node made for a connection of this loop.
    pub fn send_frames(&mut self, conn: ConnId, frames: &Bytes) {
        self.core.queue(conn, |queue| queue.push_frames(frames));
    }

    /// The other end of a connection is gone: nothing can be told to it any more.
    pub fn lose(&mut self, conn: ConnId) {
        self.core.drop_conn(conn, CloseReason::Lost);
    }

    /// Connections of this loop, those that are closing included.
    pub fn connections(&self) -> usize {
        self.core.conns.len()
    }

    /// Ends the loop: as soon as no connection is left, at the latest after `grace`. The service
    /// closes its connections with codes of its own choice; new sockets are refused from now on.
    pub fn stop(&mut self, grace: Duration) {
        let at = self.core.now + grace;
        self.core.stop_at = Some(self.core.stop_at.map_or(at, |earlier| earlier.min(at)));
    }
}
