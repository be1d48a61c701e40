//! A connection's place in the slab, and everything of a loop that is not the service.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use frontdesk_protocol::close;
use mio::{Interest, Registry, Token};
use slab::Slab;

use crate::clock;

use super::{
    CloseReason, ConnId, ConnRef, EdgeLimits, EdgeMetrics, EdgeStream, TimerKey, Tunnelled,
    out::{OutPool, OutQueue},
    wheel::Wheel,
    ws::{Opcode, Parser, close_payload},
};

/// One connection. Small on purpose: there are hundreds of thousands.
pub(super) struct Conn {
    pub(super) stream: EdgeStream,
    pub(super) parser: Parser,
    /// What is waiting to be written; `None` while nothing is.
    pub(super) out: Option<Box<OutQueue>>,
    /// Bytes read but not parsed: reading was paused amid them, or they came along from elsewhere.
    pub(super) stash: Option<Box<[u8]>>,
    pub(super) generation: u32,
    /// Tick at which something was received last.
    pub(super) heard: u32,
    /// Longest message taken from this connection.
    pub(super) message_bytes_max: u32,
    pub(super) state: State,
    /// The socket took no more; an event will say when it does.
    pub(super) blocked: bool,
    /// Queued for writing at the end of this turn.
    pub(super) dirty: bool,
    /// In the list of those to read from without waiting for an event.
    pub(super) ready: bool,
    /// The service wants no messages for now.
    pub(super) paused: bool,
    /// There may be something to read that no further event will announce.
    pub(super) readable: bool,
    /// The peer's end of the stream was announced: read until it comes.
    pub(super) hang_up: bool,
    /// The peer's end of the stream was read; only our own close frame is still to go.
    pub(super) eof: bool,
    /// The service wants to know when nothing is queued any more.
    pub(super) tell_drained: bool,
}

/// How far a connection is in its close handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// Our close frame is queued or sent; the peer's is awaited.
    Closing,
    /// Both close frames are there, or the peer's does not matter any more: what is queued is
    /// written, then the stream is shut down.
    Finishing,
    /// Shut down: what comes is thrown away until the end of the stream.
    Draining,
}

/// A connection between two loops, with everything it had in flight.
#[derive(Debug)]
pub struct MovableConn {
    pub(super) stream: EdgeStream,
    pub(super) parser: Parser,
    pub(super) out: Option<Box<OutQueue>>,
    pub(super) stash: Option<Box<[u8]>>,
    pub(super) message_bytes_max: u32,
}

/// What the wheel holds.
pub(super) enum Alarm {
    Silence(ConnId),
    CloseTimeout(ConnId),
    Service(TimerKey),
}

/// A loop without its service: connections, timers, lists of what is to be done.
pub(super) struct Core {
    pub(super) registry: Registry,
    pub(super) conns: Slab<Conn>,
    pub(super) wheel: Wheel<Alarm>,
    pub(super) pool: OutPool,
    pub(super) limits: EdgeLimits,
    pub(super) metrics: Arc<EdgeMetrics>,
    /// Connections to write to when the turn ends.
    pub(super) dirty: Vec<ConnId>,
    /// Connections to read from in the next round without waiting.
    pub(super) ready: Vec<ConnId>,
    /// Connections whose queue has emptied, which the service wants to know.
    pub(super) drained: Vec<ConnId>,
    /// What goes to the nodes that have the sockets of this loop's tunnels, in order.
    pub(super) tunnelled: Vec<(ConnRef, Tunnelled)>,
    /// Ends the service has not heard of.
    pub(super) ended: Vec<(ConnId, CloseReason)>,
    /// The service has more to do: the next turn does not wait.
    pub(super) again: bool,
    pub(super) stop_at: Option<Instant>,
    /// Tick before which nobody is called silent.
    pub(super) judge_silence_from: u64,
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) now_ms: i64,
    generation: u32,
}

impl Core {
    pub(super) fn new(registry: Registry, limits: EdgeLimits, metrics: Arc<EdgeMetrics>) -> Self {
        let start = Instant::now();
        Self {
            registry,
            conns: Slab::new(),
            wheel: Wheel::new(),
            pool: OutPool::default(),
            limits,
            metrics,
            dirty: Vec::new(),
            ready: Vec::new(),
            drained: Vec::new(),
            tunnelled: Vec::new(),
            ended: Vec::new(),
            again: false,
            stop_at: None,
            judge_silence_from: 0,
            start,
            now: start,
            now_ms: clock::now_ms(),
            generation: 0,
        }
    }

    pub(super) fn read_clocks(&mut self) {
        self.now = Instant::now();
        self.now_ms = clock::now_ms();
    }

    /// The tick that is running.
    pub(super) fn tick(&self) -> u64 {
        ticks(self.now - self.start, self.limits.tick)
    }

    pub(super) fn get(&mut self, conn: ConnId) -> Option<&mut Conn> {
        self.conns.get_mut(conn.index()).filter(|found| found.generation == conn.generation)
    }

    pub(super) fn peek(&self, conn: ConnId) -> Option<&Conn> {
        self.conns.get(conn.index()).filter(|found| found.generation == conn.generation)
    }

    pub(super) fn id_at(&self, index: usize) -> Option<ConnId> {
        let generation = self.conns.get(index)?.generation;
        Some(ConnId { index: index as u32, generation })
    }

    /// Whether messages to and from this connection still count.
    pub(super) fn is_open(&self, conn: ConnId) -> bool {
        self.peek(conn).is_some_and(|found| found.state == State::Open)
    }

    /// Puts a connection into the slab and under the poll's eyes.
    /// It is read from in the next round in any case: bytes may lie where no event announces them.
    pub(super) fn insert(&mut self, movable: MovableConn) -> std::io::Result<ConnId> {
        if self.conns.len() >= self.limits.connections_max {
            return Err(std::io::Error::other("the edge loop has as many connections as allowed"));
        }
        let MovableConn { mut stream, parser, out, stash, message_bytes_max } = movable;
        let entry = self.conns.vacant_entry();
        let index = entry.key();
        // Edge-triggered and for both directions, once: no system call when interest changes.
        if let Some(socket) = stream.socket() {
            let both = Interest::READABLE | Interest::WRITABLE;
            self.registry.register(socket, Token(index), both)?;
        }
        self.generation = self.generation.wrapping_add(1);
        let id = ConnId { index: index as u32, generation: self.generation };
        let (has_out, is_tunnel) = (out.is_some(), stream.home().is_some());
        let heard = ticks(self.now - self.start, self.limits.tick) as u32;
        entry.insert(Conn {
            stream,
            parser,
            out,
            stash,
            generation: id.generation,
            heard,
            message_bytes_max,
            state: State::Open,
            blocked: false,
            dirty: false,
            ready: false,
            paused: false,
            readable: true,
            hang_up: false,
            eof: false,
            tell_drained: false,
        });
        self.metrics.connections.set(self.conns.len() as u64);
        self.make_ready(id);
        if has_out {
            self.make_dirty(id);
        }
        // Whoever is silent behind a tunnel is noticed where the socket is.
        if is_tunnel {
            self.metrics.tunnels.add(1);
        } else {
            let silence = self.after(self.limits.silence_max);
            self.wheel.set(silence, Alarm::Silence(id));
        }
        Ok(id)
    }

    /// Takes a connection out of the slab and from under the poll's eyes.
    pub(super) fn remove(&mut self, conn: ConnId) -> Option<Conn> {
        self.peek(conn)?;
        let mut removed = self.conns.remove(conn.index());
        if let Some(socket) = removed.stream.socket()
            && let Err(error) = self.registry.deregister(socket)
        {
            tracing::debug!(%error, "socket could not be deregistered");
        }
        // A slab that once held a crowd gives its memory back when nearly empty.
        if self.conns.is_empty() && self.conns.capacity() > 1024 {
            self.conns = Slab::new();
        }
        self.metrics.connections.set(self.conns.len() as u64);
        if removed.stream.home().is_some() {
            self.metrics.tunnels.subtract(1);
        }
        Some(removed)
    }

    /// Gives a connection another id. What lists and alarms hold under the old one is passed over.
    pub(super) fn renew(&mut self, conn: ConnId) -> Option<ConnId> {
        let generation = self.generation.wrapping_add(1);
        let found = self.get(conn)?;
        if found.state != State::Open || found.stream.home().is_some() {
            return None;
        }
        found.generation = generation;
        (found.dirty, found.ready, found.paused, found.tell_drained) = (false, false, false, false);
        // An end of the stream that was met under the old id is met again.
        found.readable = true;
        self.generation = generation;
        let id = ConnId { index: conn.index, generation };
        self.make_ready(id);
        self.make_dirty(id);
        let silence = self.after(self.limits.silence_max);
        self.wheel.set(silence, Alarm::Silence(id));
        Some(id)
    }

    /// The socket is of no more use: forgets the connection at once.
    pub(super) fn drop_conn(&mut self, conn: ConnId, why: CloseReason) {
        let Some(removed) = self.remove(conn) else { return };
        if let Some(queue) = removed.out {
            self.pool.put(queue);
        }
        if removed.state == State::Open {
            self.ended.push((conn, why));
        }
    }

    pub(super) fn make_dirty(&mut self, conn: ConnId) {
        if let Some(found) = self.get(conn)
            && !found.dirty
        {
            found.dirty = true;
            self.dirty.push(conn);
        }
    }

    pub(super) fn make_ready(&mut self, conn: ConnId) {
        if let Some(found) = self.get(conn)
            && !found.ready
        {
            found.ready = true;
            self.ready.push(conn);
        }
    }

    /// Queues a frame through `push`; a queue that is too long closes the connection as slow.
    pub(super) fn queue(&mut self, conn: ConnId, push: impl FnOnce(&mut OutQueue)) {
        let max = self.limits.out_queue_bytes_max;
        let Some(found) = self.conns.get_mut(conn.index()) else { return };
        if found.generation != conn.generation || found.state != State::Open {
            return;
        }
        let queue = found.out.get_or_insert_with(|| self.pool.take());
        push(queue);
        // A page or what was missed is one long frame: it is not the reader's fault, and it goes whole.
        let full = queue.len_beside_longest(max) > max;
        if !found.dirty {
            found.dirty = true;
            self.dirty.push(conn);
        }
        self.metrics.frames_out.add(1);
        if full {
            // Much was queued in one turn perhaps: slow is only who does not take it.
            self.write(conn);
            let left = self.peek(conn).and_then(|found| found.out.as_ref());
            if left.is_some_and(|queue| queue.len_beside_longest(max) > max) {
                self.metrics.slow_closes.add(1);
                self.end(conn, close::SLOW.code, close::SLOW.reason, CloseReason::Slow);
            }
        }
    }

    /// Writes what is queued, as much as the socket takes, and goes on with the close handshake.
    pub(super) fn write(&mut self, conn: ConnId) {
        let Some(found) = self.conns.get_mut(conn.index()) else { return };
        if found.generation != conn.generation {
            return;
        }
        found.dirty = false;
        if found.blocked {
            return;
        }
        // Without a queue TLS may still have something of its own.
        let mut none = OutQueue::default();
        let queue = found.out.as_deref_mut().unwrap_or(&mut none);
        let outcome = match found.stream.write(queue) {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::trace!(%error, "socket failed");
                return self.drop_conn(conn, CloseReason::Lost);
            }
        };
        self.metrics.bytes_out.add(outcome.bytes as u64);
        self.metrics.writes.add(outcome.calls);
        found.blocked = outcome.blocked;
        if queue.is_empty()
            && let Some(queue) = found.out.take()
        {
            self.pool.put(queue);
        }
        if let Some(tunnel) = found.stream.as_tunnel()
            && let Some(frames) = tunnel.take_written()
        {
            self.tunnelled.push((tunnel.home, Tunnelled::Frames(frames)));
        }
        if found.tell_drained && found.out.is_none() {
            found.tell_drained = false;
            self.drained.push(conn);
        }
        if found.state == State::Finishing && found.out.is_none() && !found.blocked {
            found.state = State::Draining;
            let eof = found.eof;
            if let Err(error) = found.stream.shut_down() {
                tracing::trace!(%error, "socket failed");
                return self.drop_conn(conn, CloseReason::Lost);
            }
            if eof {
                self.drop_conn(conn, CloseReason::Lost);
            }
        }
    }

    /// Starts the close handshake with a close frame of ours and tells the service, later.
    pub(super) fn end(&mut self, conn: ConnId, code: u16, text: &str, why: CloseReason) {
        if !self.is_open(conn) {
            return;
        }
        let payload = close_payload(code, text);
        self.end_with(conn, &payload, why);
    }

    pub(super) fn end_with(&mut self, conn: ConnId, close: &[u8], why: CloseReason) {
        if let Some(home) = self.peek(conn).and_then(|found| found.stream.home()) {
            // The close handshake is led where the socket is.
            self.write(conn);
            self.tunnelled.push((home, Tunnelled::End(Bytes::copy_from_slice(close))));
            return self.drop_conn(conn, why);
        }
        let deadline = self.after(self.limits.close_timeout);
        let Some(found) = self.conns.get_mut(conn.index()) else { return };
        let queue = found.out.get_or_insert_with(|| self.pool.take());
        if matches!(why, CloseReason::Slow) {
            // The reader should learn why before it has read a megabyte; what it misses it gets by
            // its position when it comes back.
            queue.cut();
        }
        queue.push_copy(Opcode::Close, close);
        found.state = match why {
            CloseReason::Peer(_) | CloseReason::Violation(_) => State::Finishing,
            _ => State::Closing,
        };
        // The peer's close frame may stand behind what the service did not want to read.
        found.paused = false;
        self.metrics.frames_out.add(1);
        self.wheel.set(deadline, Alarm::CloseTimeout(conn));
        self.make_dirty(conn);
        self.make_ready(conn);
        self.ended.push((conn, why));
    }

    /// Nothing heard for too long?
    pub(super) fn check_silence(&mut self, conn: ConnId) {
        let now = self.tick();
        let max = ticks(self.limits.silence_max, self.limits.tick).max(1);
        let not_before = self.judge_silence_from;
        let Some(found) = self.get(conn) else { return };
        if found.state != State::Open {
            return;
        }
        if found.paused {
            // Its silence is ours: nothing is read.
            found.heard = now as u32;
        }
        let due = (u64::from(found.heard) + max + 1).max(not_before);
        if now < due {
            self.wheel.set(due, Alarm::Silence(conn));
            return;
        }
        self.metrics.silent_closes.add(1);
        self.end(conn, close::SILENT.code, close::SILENT.reason, CloseReason::Silent);
    }

    /// The tick that is certainly not before `after` from now.
    pub(super) fn after(&self, after: Duration) -> u64 {
        // One more for the part of a tick cut off the duration, one for that cut off the present.
        self.tick() + ticks(after, self.limits.tick) + 2
    }
}

/// Whole ticks in a duration.
pub(super) fn ticks(duration: Duration, tick: Duration) -> u64 {
    (duration.as_nanos() / tick.as_nanos().max(1)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_is_small() {
        // One entry of the slab and one alarm of the wheel are all an idle connection has.
        let bytes = size_of::<Conn>() + size_of::<(u64, Alarm)>();
        assert!(bytes <= 128, "{bytes} bytes");
    }
}
