//! The loop itself: one turn after the other.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk_protocol::close;
use mio::{Events, Poll, Token, Waker};

use super::{
    CloseReason, ConnId, EdgeLimits, EdgeMetrics, Io, Kind, LoopHandle, Message, MovableConn,
    Service, TimerKey, UpgradedSocket,
    conn::{Alarm, Core, State},
    handle::{Inbound, Inbox, inbox},
    ws::{Opcode, Parser, Step},
};

/// The waker's token; the others are places in the slab.
const WAKER: Token = Token(usize::MAX);
/// At most so much is read from one socket in one turn.
const SCRATCH_BYTES: usize = 64 * 1024;

/// Waking so much later than asked means that the process or its disk stood still.
const STALL: Duration = Duration::from_secs(1);
/// After a stall what peers sent meanwhile is read first; only then is silence held against them.
const STALL_GRACE: Duration = Duration::from_secs(5);

/// Why a loop could not be made or had to end.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The poll or its waker could not be made.
    #[error("edge loop could not be set up")]
    Open(#[source] io::Error),
    /// Waiting for events failed.
    #[error("edge loop could not wait for events")]
    Poll(#[source] io::Error),
}

/// One edge loop: sockets in, messages out. Made first, so that every loop's handle is known before
/// the services are built; then run on a thread of its own.
pub struct EdgeLoop<C> {
    poll: Poll,
    core: Core,
    inbox: Inbox<C>,
}

impl<C: Send + 'static> EdgeLoop<C> {
    /// Makes a loop and the handle by which others reach it.
    pub fn open(limits: EdgeLimits) -> Result<(Self, LoopHandle<C>), EdgeError> {
        let poll = Poll::new().map_err(EdgeError::Open)?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(EdgeError::Open)?;
        let registry = poll.registry().try_clone().map_err(EdgeError::Open)?;
        let metrics = Arc::new(EdgeMetrics::default());
        let (handle, inbox) = inbox(limits.inbox_max, waker, Arc::clone(&metrics));
        let core = Core::new(registry, limits, metrics);
        Ok((Self { poll, core, inbox }, handle))
    }

    /// Runs until the service says stop or all handles are gone; gives the service back.
    pub fn run<S: Service<Command = C>>(self, service: S) -> Result<S, EdgeError> {
        let Self { mut poll, core, inbox } = self;
        let mut events = Events::with_capacity(core.limits.events_per_turn_max);
        let mut turn = Turn {
            core,
            service,
            scratch: vec![0; SCRATCH_BYTES],
            list: Vec::new(),
            fired: Vec::new(),
            due: None,
        };
        loop {
            let timeout = match turn.wait() {
                _ if !inbox.is_empty() => Some(Duration::ZERO),
                wait => wait,
            };
            match poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(EdgeError::Poll(error)),
            }
            turn.begin();
            turn.take_inbox(&inbox);
            turn.note(&events);
            turn.read_ready();
            turn.fire_timers();
            turn.finish();
            if turn.is_over(&inbox) {
                turn.drop_all();
                return Ok(turn.service);
            }
        }
    }
}

/// What one turn works with.
struct Turn<S> {
    core: Core,
    service: S,
    scratch: Vec<u8>,
    /// Spare list, swapped with that of the ready or dirty connections while it is walked.
    list: Vec<ConnId>,
    fired: Vec<Alarm>,
    /// When the loop has to be awake again.
    due: Option<Instant>,
}

impl<S: Service> Turn<S> {
    /// How long nothing will have to be done unless something happens.
    fn wait(&mut self) -> Option<Duration> {
        self.due = self.next_alarm();
        let core = &mut self.core;
        let again = std::mem::take(&mut core.again);
        if again
            || !core.ready.is_empty()
            || !core.dirty.is_empty()
            || !core.ended.is_empty()
            || !core.drained.is_empty()
        {
            return Some(Duration::ZERO);
        }
        Some(self.due?.saturating_duration_since(Instant::now()))
    }

    fn next_alarm(&self) -> Option<Instant> {
        let core = &self.core;
        // Ticks are counted in nanoseconds, which last for centuries.
        let timer = core.wheel.next_tick().map(|tick| {
            let nanos = u128::from(tick) * core.limits.tick.as_nanos();
            core.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        });
        match (timer, core.stop_at) {
            (Some(timer), Some(stop)) => Some(timer.min(stop)),
            (one, other) => one.or(other),
        }
    }

    fn begin(&mut self) {
        self.core.read_clocks();
        if self.due.is_some_and(|due| self.core.now > due + STALL) {
            self.core.judge_silence_from = self.core.after(STALL_GRACE);
        }
        self.core.metrics.turns.add(1);
    }

    /// Takes what came from other threads. Before anything of it may make a connection, the service has heard of all
    /// that have ended: a new one may get the place of one of those.
    fn take_inbox(&mut self, inbox: &Inbox<S::Command>) {
        inbox.arm();
        for _ in 0..self.core.limits.commands_per_turn_max {
            self.tell_ended();
            match inbox.take() {
                None => break,
                Some(Inbound::Command(command)) => {
                    self.service.command(&mut Io { core: &mut self.core, rest: None }, command);
                }
                Some(Inbound::Socket(socket)) => self.connect(*socket),
            }
        }
    }

    fn connect(&mut self, socket: UpgradedSocket) {
        let core = &mut self.core;
        if core.stop_at.is_some() {
            core.metrics.dropped.add(1);
            return socket.refuse(&close::RESTART);
        }
        if core.conns.len() >= core.limits.connections_max {
            core.metrics.dropped.add(1);
            return socket.refuse(&close::OVERLOADED);
        }
        let UpgradedSocket { mut stream, read_ahead, meta } = socket;
        let inserted = stream.prepare(core.limits.send_buffer_bytes).and_then(|()| {
            core.insert(MovableConn {
                stream,
                parser: Parser::default(),
                out: None,
                stash: (!read_ahead.is_empty()).then(|| Box::from(&*read_ahead)),
                message_bytes_max: u32::try_from(core.limits.message_bytes_max).unwrap_or(u32::MAX),
            })
        });
        match inserted {
            Ok(conn) => {
                core.metrics.accepted.add(1);
                self.service.connected(&mut Io { core, rest: None }, conn, meta);
            }
            Err(error) => {
                core.metrics.dropped.add(1);
                tracing::warn!(%error, "upgraded socket could not be taken");
            }
        }
    }

    /// Notes what the events say; nothing is read or written yet.
    fn note(&mut self, events: &Events) {
        for event in events {
            // An event may be older than the connection in its place: that one is then looked at
            // in vain, no more.
            let Some(conn) = self.core.id_at(event.token().0) else { continue };
            let Some(found) = self.core.get(conn) else { continue };
            let mut write = false;
            if found.blocked && (event.is_writable() || event.is_error()) {
                found.blocked = false;
                write = true;
            }
            let hang_up = event.is_read_closed() || event.is_error();
            found.hang_up |= hang_up;
            if event.is_readable() || hang_up {
                found.readable = true;
                self.core.make_ready(conn);
            }
            if write {
                self.core.make_dirty(conn);
            }
        }
    }

    fn read_ready(&mut self) {
        let mut list = std::mem::replace(&mut self.core.ready, std::mem::take(&mut self.list));
        for &conn in &list {
            self.read(conn);
        }
        list.clear();
        self.list = list;
    }

    /// Handles what was stashed, or else reads once.
    fn read(&mut self, conn: ConnId) {
        let Some(found) = self.core.get(conn) else { return };
        found.ready = false;
        if found.paused {
            return;
        }
        if found.stream.home().is_some() {
            return self.read_tunnel(conn);
        }
        if let Some(mut stash) = found.stash.take() {
            if !matches!(found.state, State::Finishing | State::Draining) {
                self.parse(conn, &mut stash);
            }
        } else if found.readable {
            let mut scratch = std::mem::take(&mut self.scratch);
            self.read_socket(conn, &mut scratch);
            self.scratch = scratch;
        }
        if let Some(found) = self.core.get(conn)
            && !found.paused
            && (found.readable || found.stash.is_some())
        {
            self.core.make_ready(conn);
        }
    }

    /// Hands over what came through a tunnel, until the service wants no more.
    fn read_tunnel(&mut self, conn: ConnId) {
        while let Some(found) = self.core.get(conn)
            && !found.paused
            && let Some(tunnel) = found.stream.as_tunnel()
            && let Some(message) = tunnel.next()
        {
            let kind = tunnel.kind;
            self.core.metrics.messages_in.add(1);
            let mut io = Io { core: &mut self.core, rest: None };
            match (kind, std::str::from_utf8(&message)) {
                (Kind::Binary, _) => self.service.message(&mut io, conn, Message::Binary(&message)),
                (Kind::Text, Ok(text)) => self.service.message(&mut io, conn, Message::Text(text)),
                // The node with the socket has looked at it.
                (Kind::Text, Err(_)) => tracing::error!("a text message came damaged from a node"),
            }
        }
    }

    fn read_socket(&mut self, conn: ConnId, scratch: &mut [u8]) {
        let tick = self.core.tick() as u32;
        let Some(found) = self.core.get(conn) else { return };
        let outcome = match found.stream.read(scratch) {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::trace!(%error, "socket failed");
                return self.core.drop_conn(conn, CloseReason::Lost);
            }
        };
        // With the peer's end announced the stream is read until it shows: no event follows.
        found.readable = !outcome.drained || (found.hang_up && !outcome.eof);
        if outcome.bytes > 0 {
            found.heard = tick;
        }
        let discard = matches!(found.state, State::Finishing | State::Draining);
        let wants_write = found.stream.wants_write();
        self.core.metrics.bytes_in.add(outcome.bytes as u64);
        if wants_write {
            self.core.make_dirty(conn);
        }
        if outcome.bytes > 0 && !discard {
            self.parse(conn, &mut scratch[..outcome.bytes]);
        }
        if outcome.eof {
            self.end_of_stream(conn);
        }
    }

    fn end_of_stream(&mut self, conn: ConnId) {
        let Some(found) = self.core.get(conn) else { return };
        found.readable = false;
        found.hang_up = false;
        if found.paused && found.stash.is_some() {
            // Amid what came before the end the service asked for a pause: it gets the rest, then
            // the next read shows the end again.
            found.hang_up = true;
            found.readable = true;
        } else if found.state == State::Finishing {
            // Only the peer's sending half may be closed; our close frame is still to go.
            found.eof = true;
        } else {
            self.core.drop_conn(conn, CloseReason::Lost);
        }
    }

    /// Hands over the messages in `input`; what must wait is stashed.
    fn parse(&mut self, conn: ConnId, input: &mut [u8]) {
        let mut input = input;
        while !input.is_empty() {
            let core = &mut self.core;
            let Some(found) = core.conns.get_mut(conn.index()) else { return };
            if found.generation != conn.generation
                || matches!(found.state, State::Finishing | State::Draining)
            {
                return;
            }
            if found.paused {
                found.stash = Some(Box::from(&*input));
                return;
            }
            let open = found.state == State::Open;
            let max = found.message_bytes_max as usize;
            let (step, rest) = match found.parser.step(input, &core.limits, max) {
                Ok(found) => found,
                Err(violation) => {
                    let code = violation.code();
                    if open {
                        tracing::debug!(%violation, "client broke the protocol");
                        core.metrics.violations.add(1);
                        core.end(conn, code.code, code.reason, CloseReason::Violation(code.code));
                    } else {
                        found.state = State::Finishing;
                        core.make_dirty(conn);
                    }
                    return;
                }
            };
            match step {
                Step::NeedMore | Step::Progress | Step::Pong => {}
                Step::Text(text) if open => {
                    core.metrics.messages_in.add(1);
                    let mut io = Io { core, rest: Some((conn, rest)) };
                    self.service.message(&mut io, conn, Message::Text(&text));
                }
                Step::Binary(bytes) if open => {
                    core.metrics.messages_in.add(1);
                    let mut io = Io { core, rest: Some((conn, rest)) };
                    self.service.message(&mut io, conn, Message::Binary(&bytes));
                }
                Step::Text(_) | Step::Binary(_) => {}
                // Ignored once our close frame is queued: nothing may follow it.
                Step::Ping(payload) => {
                    core.queue(conn, |queue| queue.push_copy(Opcode::Pong, &payload));
                }
                Step::Close(code) if open => {
                    // The same code back; nothing if there was none.
                    let echo = code.map(u16::to_be_bytes);
                    let echo: &[u8] = echo.as_ref().map_or(&[], |bytes| bytes);
                    core.end_with(conn, echo, CloseReason::Peer(code));
                }
                Step::Close(_) => {
                    found.state = State::Finishing;
                    core.make_dirty(conn);
                }
            }
            input = rest;
        }
    }

    fn fire_timers(&mut self) {
        let mut fired = std::mem::take(&mut self.fired);
        self.core.wheel.advance(self.core.tick(), &mut fired);
        for alarm in fired.drain(..) {
            match alarm {
                Alarm::Silence(conn) => self.core.check_silence(conn),
                Alarm::CloseTimeout(conn) => self.core.drop_conn(conn, CloseReason::Lost),
                Alarm::Service(TimerKey::Conn(conn, _)) if !self.core.is_open(conn) => {}
                Alarm::Service(key) => {
                    self.service.timer(&mut Io { core: &mut self.core, rest: None }, key);
                }
            }
        }
        self.fired = fired;
    }

    /// Ends the turn: tells what ended, lets the service commit, writes.
    fn finish(&mut self) {
        self.tell_ended();
        self.tell_drained();
        self.service.turn_end(&mut Io { core: &mut self.core, rest: None });
        // What ended in `turn_end` is told in the next turn, which follows at once.
        let mut list = std::mem::replace(&mut self.core.dirty, std::mem::take(&mut self.list));
        for &conn in &list {
            self.core.write(conn);
        }
        list.clear();
        self.list = list;
        if !self.core.tunnelled.is_empty() {
            let tunnelled = std::mem::take(&mut self.core.tunnelled);
            self.service.tunnelled(tunnelled);
        }
    }

    fn tell_ended(&mut self) {
        // A call may end more of them.
        while !self.core.ended.is_empty() {
            for (conn, why) in std::mem::take(&mut self.core.ended) {
                self.service.closed(&mut Io { core: &mut self.core, rest: None }, conn, why);
            }
        }
    }

    fn tell_drained(&mut self) {
        for conn in std::mem::take(&mut self.core.drained) {
            if self.core.is_open(conn) {
                self.service.drained(&mut Io { core: &mut self.core, rest: None }, conn);
            }
        }
    }

    fn is_over(&self, inbox: &Inbox<S::Command>) -> bool {
        match self.core.stop_at {
            Some(at) => self.core.conns.is_empty() || self.core.now >= at,
            None => self.core.conns.is_empty() && inbox.is_orphan(),
        }
    }

    /// Drops what is left and lets the service commit a last time.
    fn drop_all(&mut self) {
        let left: Vec<usize> = self.core.conns.iter().map(|(index, _)| index).collect();
        for conn in left.into_iter().filter_map(|index| self.core.id_at(index)).collect::<Vec<_>>()
        {
            self.core.drop_conn(conn, CloseReason::Stopped);
        }
        self.tell_ended();
        self.service.turn_end(&mut Io { core: &mut self.core, rest: None });
    }
}
