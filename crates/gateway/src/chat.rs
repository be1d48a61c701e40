//! The chat service of an edge loop: frames in, proposals to the dispatcher, acks and deliveries out.
//!
//! ```text
//! message -> decode -> limit -> (visitor | agent) -> stage            within the turn
//! turn_end -> commit (one sync) -> per proposal: ack, deliver          nothing is acked before
//!          -> summaries to the desk, batches to other loops
//! ```
//! A visitor's connection lives on the loop that owns its conversation, so its messages never cross
//! loops; where that loop is on another node, the socket stays and a tunnel leads there. An agent's stays where it landed; its frames about a conversation go to that conversation's
//! loop as [`Command::Frame`], the answers come back as [`Command::Deliver`].

mod act;
mod admission;
mod agent;
mod conn;
mod deliver;
mod elsewhere;
mod frames;
pub mod gcra;
mod hello;
mod inbox;
pub mod loops;
mod out;
pub mod place;
pub mod port;
mod rejoin;
mod resume;
mod told;
mod tunnel;
mod visitor;
mod worker;

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use frontdesk_core::{
    arena::Arena,
    id::{AccountId, ConversationId, IdSource, InboxId, UserId},
};
use frontdesk_dispatcher::{Committed, DispatchError, Dispatchers};
use frontdesk_protocol::{
    Encoded, Encoding, close, decode_client,
    wire::{self, client_frame::Frame as In, server_frame::Frame as Out},
};
use frontdesk_router::screen::{Hit, Screens, ScreensView};
use hashbrown::{HashMap, HashSet};
use slab::Slab;
use smallvec::SmallVec;

use self::{
    conn::{Conn, State},
    gcra::{Limits, Quota},
    loops::Loops,
    port::{
        ChatHealth, Command, ConnRef, Delivery, DeskInput, GateRequest, Ports, Projected, Reply,
    },
};
use crate::edge::{
    CloseReason, ConnId, ConnMeta, Io, Message, Service, Subprotocol, TimerKey, Tunnelled,
};

/// Numbers of the timers of a connection.
const TIMER_AUTH: u16 = 1;
const TIMER_PING: u16 = 2;
const TIMER_RESUME_READING: u16 = 3;
const TIMER_DRAIN: u16 = 4;
const TIMER_OWNER: u16 = 5;
/// The loop's own timer: housekeeping.
const TIMER_TICK: u64 = 1;
/// Longest first frame: a ticket and at most 64 positions. Nobody has shown who they are yet.
const HELLO_BYTES_MAX: usize = 32 << 10;
/// How often the loop looks after its dispatcher, cursors and summaries.
const TICK: Duration = Duration::from_millis(100);
/// Least time between two logged cursor moves of one participant, ms (design: one a second).
const CURSOR_EVERY_MS: i64 = frontdesk_core::limits::CURSOR_INTERVAL_MS;
/// How long a send refused for a full disk keeps the node unready, ms: the next one tells anew.
const FULL_TOLD_MS: i64 = 3_000;
/// Addresses, and visitors, a loop keeps a rate limit for.
const PEERS_MAX: usize = 65_536;
/// How long a log may take for an append before its messages are kept elsewhere too, ms: far longer than one takes
/// while all is well.
const SPOOL_AFTER_MS: i64 = 1_000;
/// Messages given out to be kept at once.
const SPOOLED_AT_ONCE: usize = 1_024;

/// What a chat loop is told at its start.
#[derive(Debug, Clone)]
pub struct ChatOptions {
    /// Which of the loops this is: its number ([`place`]).
    pub loop_index: u16,
    /// Which life of the positions this is.
    pub epoch: u64,
    /// Longest frame of a connection that has said who it is, bytes.
    pub frame_bytes_max: usize,
    /// Messages a connection may have unacked in one turn.
    pub in_flight_max: u16,
    /// First frame within.
    pub auth_timeout: Duration,
    /// Silence after which a ping is sent.
    pub ping_interval: Duration,
    /// Per connection, and for the messages of one visitor over all its tabs.
    pub visitor_quota: Quota,
    /// Per connection.
    pub agent_quota: Quota,
    /// All visitors behind one address.
    pub peer_quota: Quota,
    /// All of one account.
    pub account_quota: Quota,
    /// Largest text, bytes; told to clients.
    pub text_bytes_max: u32,
}

/// Who gets the answer of a staged proposal.
#[derive(Debug)]
enum Origin {
    /// A connection; `client_msg_id` is empty unless it is a message.
    Conn { to: ConnRef, reference: u32, client_msg_id: Bytes, visitor: bool },
    /// The desk or a waiting request.
    Reply(Reply),
    /// Nobody: the loop itself.
    Silent,
}

/// Connections around one conversation.
#[derive(Debug, Default)]
struct Subscribers {
    /// The visitor's tabs and devices; all on this loop.
    visitors: SmallVec<[ConnId; 1]>,
    /// People who look at it, participants or not.
    viewers: Vec<Viewer>,
}

#[derive(Debug, Clone)]
struct Viewer {
    conn: ConnRef,
    principal: Arc<frontdesk_router::access::Principal>,
}

/// A cursor move waiting for its second to pass.
#[derive(Debug)]
struct PendingCursor {
    actor: frontdesk_core::chat::Actor,
    delivered_seq: u64,
    read_seq: u64,
    due_ms: i64,
}

/// The service.
pub struct Chat {
    options: ChatOptions,
    dispatchers: Dispatchers,
    ids: IdSource,
    /// Ids of the messages of a turn.
    arena: Arena,
    ports: Ports,
    loops: Arc<Loops>,
    projected: Arc<Projected>,
    health: Arc<ChatHealth>,
    /// Each account's rules for content.
    screens: ScreensView,
    /// Where rules found something in this turn.
    hits: Vec<Hit>,

    conns: Vec<Option<Conn>>,
    subscribers: HashMap<ConversationId, Subscribers>,
    /// Replica of who is connected where, for all loops of this node.
    users: HashMap<(AccountId, UserId), SmallVec<[ConnRef; 2]>>,
    /// Agents' connections of this loop.
    agents: HashMap<AccountId, SmallVec<[ConnId; 8]>>,

    /// Who waits for the proposals that have no answer yet, by their tag.
    origins: Slab<Origin>,
    /// Proposals that no dispatcher here took.
    unplaced: Vec<(ConversationId, Origin, DispatchError)>,
    /// Whose held conversations were answered in this turn, on other loops.
    held_answered: Vec<ConnRef>,
    committed: Vec<Committed>,
    /// Connections not read for the rest of this turn.
    paused: Vec<ConnId>,
    /// Number of this turn.
    turn: u32,
    /// When the disk was last found full.
    full_ms: i64,
    /// What other loops get at the end of this turn.
    outbound: HashMap<u16, Vec<Delivery>>,
    /// What the full inbox of each other loop did not take yet, in order.
    stuck: HashMap<u16, VecDeque<Command>>,
    /// Connections of this loop whose sockets are on other nodes.
    tunnels: tunnel::Tunnels,
    /// Partitions that are handed over as soon as nothing of theirs is under way.
    releasing: Vec<worker::Releasing>,
    /// Conversations whose summary the desk does not have, and those it should have at once.
    changed: HashSet<ConversationId>,
    urgent: Vec<ConversationId>,
    /// The round of summaries that the desk is being told, and up to which offset it then knows all.
    telling: Vec<ConversationId>,
    telling_offset: u64,
    /// Those of the round that could not be read.
    unread: Vec<ConversationId>,
    to_desk: VecDeque<DeskInput>,
    /// Removals of files the gate had no room for yet; each follows from a message that was stored.
    to_gate: VecDeque<GateRequest>,
    /// What visitors wrote in this turn, for whoever finds out what they want.
    heard: Vec<port::Heard>,
    /// What happened in this turn in inboxes where the bot of this server works.
    to_bot: told::ToBot,
    /// How many messages of a session were passed on so far: conversation to session and count.
    heard_of: HashMap<ConversationId, (u32, u8)>,
    told_desk_ms: i64,
    told_offset: u64,

    cursors: HashMap<(ConversationId, String), PendingCursor>,
    cursor_moved_ms: HashMap<(ConversationId, String), i64>,
    waiting: HashMap<u64, act::Waiting>,
    next_ticket: u64,

    peers: Limits<std::net::IpAddr>,
    /// By the visitor's only conversation: all its tabs are connections of this loop.
    visitors: Limits<ConversationId>,
    accounts: Limits<AccountId>,
    /// Inboxes that were set up otherwise since the start.
    inboxes: HashMap<InboxId, Arc<port::InboxFacts>>,
    /// Inboxes whose visitors are being told whether somebody is there.
    announcements: Vec<inbox::Announcement>,
    ping: Encoded,
    pong: Encoded,
    /// When the next client that is sent on may say hello again.
    rejoin_ms: i64,
    draining: bool,
    ticking: bool,
}

impl std::fmt::Debug for Chat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chat").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What a chat loop is made of.
#[derive(Debug)]
pub struct ChatParts {
    /// See the type.
    pub options: ChatOptions,
    /// Owners of the loop's logs.
    pub dispatchers: Dispatchers,
    /// Source of ids, unlike that of every other loop.
    pub ids: IdSource,
    /// Ways out.
    pub ports: Ports,
    /// All loops.
    pub loops: Arc<Loops>,
    /// How far the projections are with this loop's log.
    pub projected: Arc<Projected>,
    /// What others read of this loop.
    pub health: Arc<ChatHealth>,
    /// All accounts' rules for content.
    pub screens: Arc<Screens>,
}

impl Chat {
    /// Puts a chat loop together; it starts to work when an edge loop runs it.
    pub fn new(parts: ChatParts) -> Self {
        let ChatParts { options, dispatchers, ids, ports, loops, projected, health, screens } =
            parts;
        Self {
            peers: Limits::new(options.peer_quota, PEERS_MAX),
            visitors: Limits::new(options.visitor_quota, PEERS_MAX),
            accounts: Limits::new(options.account_quota, PEERS_MAX),
            outbound: HashMap::new(),
            stuck: HashMap::new(),
            tunnels: tunnel::Tunnels::default(),
            releasing: Vec::new(),
            options,
            dispatchers,
            ids,
            arena: Arena::default(),
            ports,
            loops,
            projected,
            health,
            screens: screens.view(),
            hits: Vec::new(),
            conns: Vec::new(),
            subscribers: HashMap::new(),
            users: HashMap::new(),
            agents: HashMap::new(),
            origins: Slab::new(),
            unplaced: Vec::new(),
            committed: Vec::new(),
            held_answered: Vec::new(),
            paused: Vec::new(),
            turn: 0,
            full_ms: 0,
            changed: HashSet::new(),
            urgent: Vec::new(),
            telling: Vec::new(),
            telling_offset: 0,
            unread: Vec::new(),
            to_desk: VecDeque::new(),
            to_gate: VecDeque::new(),
            heard: Vec::new(),
            to_bot: told::ToBot::default(),
            heard_of: HashMap::new(),
            told_desk_ms: 0,
            told_offset: 0,
            cursors: HashMap::new(),
            cursor_moved_ms: HashMap::new(),
            waiting: HashMap::new(),
            next_ticket: 0,
            inboxes: HashMap::new(),
            announcements: Vec::new(),
            ping: Encoded::push(Out::Ping(wire::Ping {})),
            pong: Encoded::push(Out::Pong(wire::Pong {})),
            rejoin_ms: 0,
            draining: false,
            ticking: false,
        }
    }

    /// Ends the loop's work: everything folded goes to the history, synced.
    pub fn finish(mut self) -> Result<(), DispatchError> {
        // The newest states first, so that the next start finds the lists up to date. Twice, since the
        // first may be the rest of a round.
        while self.tell_desk(i64::MAX) {}
        while self.tell_desk(i64::MAX) {}
        for request in std::mem::take(&mut self.to_gate) {
            // The loop is no task: it may wait here. A gate that has ended takes nothing.
            if self.ports.gate.blocking_send(request).is_err() {
                tracing::warn!("files of removed messages stay readable");
                break;
            }
        }
        self.dispatchers.finish()
    }

    fn own(&self, conn: ConnId) -> ConnRef {
        ConnRef { loop_index: self.options.loop_index, conn }
    }

    fn conn(&mut self, conn: ConnId) -> Option<&mut Conn> {
        self.conns.get_mut(conn.index())?.as_mut().filter(|state| state.id == conn)
    }

    fn insert(&mut self, conn: ConnId, state: Conn) {
        if self.conns.len() <= conn.index() {
            self.conns.resize_with(conn.index() + 1, || None);
        }
        self.conns[conn.index()] = Some(state);
    }

    /// A connection is over: whoever has to know is told.
    fn forget(&mut self, io: &mut Io<'_>, conn: ConnId) {
        let Some(state) = self.conns.get_mut(conn.index()).and_then(Option::take) else { return };
        self.tunnels.close(conn);
        match state.state {
            State::Waiting { .. } | State::Authenticating { .. } => {}
            State::Tunnel { to, .. } => {
                let home = self.own(conn);
                self.tell(to, Command::TunnelClosed { home });
            }
            State::Visitor(visitor) => self.visitor_gone(io, conn, &visitor),
            State::Agent(agent) => self.agent_gone(conn, &agent),
        }
    }

    /// Remembers who gets the answer of the proposal staged next, and stages it.
    fn stage(
        &mut self,
        origin: Origin,
        conversation: ConversationId,
        proposal: frontdesk_core::store::Proposal,
    ) {
        let place = self.origins.vacant_entry();
        match self.dispatchers.stage(place.key() as u64, conversation, proposal) {
            Ok(()) => drop(place.insert(origin)),
            Err(error) => self.unplaced.push((conversation, origin, error)),
        }
    }

    /// One commit and everything that follows from it.
    fn commit(&mut self, io: &mut Io<'_>) {
        for (conversation, origin, error) in std::mem::take(&mut self.unplaced) {
            self.failed(io, conversation, &error, origin);
        }
        if !self.dispatchers.has_work() {
            return;
        }
        let started = std::time::Instant::now();
        let mut committed = std::mem::take(&mut self.committed);
        self.dispatchers.commit(io.now_ms(), &mut committed);
        self.health.commits.fetch_add(1, Ordering::Relaxed);
        let spent = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.health.commit_ns.fetch_add(spent, Ordering::Relaxed);
        for committed in &mut committed {
            // Given out by `stage` and given back once.
            let origin = self.origins.remove(committed.tag as usize);
            self.conclude(io, committed, origin);
        }
        committed.clear();
        self.committed = committed;
    }

    /// Housekeeping, ten times a second.
    fn tick(&mut self, io: &mut Io<'_>) {
        let now_ms = io.now_ms();
        self.flush_cursors(now_ms);
        self.go_on_telling(io);
        self.spool_overdue(now_ms);
        if now_ms - self.full_ms > FULL_TOLD_MS {
            self.health.storage_full.store(false, Ordering::Relaxed);
        }
        let kept_from = now_ms - CURSOR_EVERY_MS;
        self.cursor_moved_ms.retain(|_, moved_ms| *moved_ms > kept_from);
        io.set_timer(TimerKey::Own(TIMER_TICK), TICK);
    }

    /// Messages that a log has kept waiting are to survive this process. Their senders wait on.
    fn spool_overdue(&mut self, now_ms: i64) {
        let Some(spool) = &self.ports.spool else { return };
        // What it cannot take now stays for the next tick.
        let Ok(permit) = spool.try_reserve() else { return };
        let overdue = self.dispatchers.overdue(now_ms, SPOOL_AFTER_MS, SPOOLED_AT_ONCE);
        if !overdue.is_empty() {
            permit.send(overdue);
        }
    }
}

impl Service for Chat {
    type Command = Command;

    fn connected(&mut self, io: &mut Io<'_>, conn: ConnId, meta: ConnMeta) {
        let encoding = match meta.subprotocol {
            Subprotocol::Proto => Encoding::Proto,
            Subprotocol::Json => Encoding::Json,
        };
        let now_s = seconds(io.now_ms());
        self.insert(conn, Conn::new(conn, (encoding, meta.peer), meta.origin, now_s));
        io.limit_messages(conn, HELLO_BYTES_MAX);
        if self.draining {
            Self::close(io, conn, close::RESTART.code);
            return;
        }
        io.set_timer(TimerKey::Conn(conn, TIMER_AUTH), self.options.auth_timeout);
    }

    fn message(&mut self, io: &mut Io<'_>, conn: ConnId, message: Message<'_>) {
        let now_s = seconds(io.now_ms());
        let Some(state) = self.conn(conn) else { return };
        state.heard_s = now_s;
        if let State::Tunnel { to, .. } = state.state {
            return self.pass_on(conn, to, message);
        }
        let encoding = state.encoding;
        let bytes = match (encoding, message) {
            (Encoding::Proto, Message::Binary(bytes)) => bytes,
            (Encoding::Json, Message::Text(text)) => text.as_bytes(),
            _ => {
                Self::close(io, conn, close::UNSUPPORTED.code);
                return;
            }
        };
        let frame = match decode_client(encoding, bytes) {
            Ok(frame) => frame,
            Err(error) => {
                self.undecodable(io, conn, &error);
                return;
            }
        };
        let wire::ClientFrame { r#ref: reference, frame: Some(frame) } = frame else { return };
        match frame {
            In::Ping(_) => {
                let pong = if reference == 0 {
                    self.pong.clone()
                } else {
                    Encoded::new(wire::ServerFrame {
                        r#ref: reference,
                        frame: Some(Out::Pong(wire::Pong {})),
                    })
                };
                self.send(io, conn, &pong);
            }
            In::Pong(_) => {}
            In::Hello(hello) => self.hello(io, conn, reference, hello),
            frame => match self.conn(conn).map(|conn| &conn.state) {
                Some(State::Visitor(_)) => self.visitor_frame(io, conn, reference, frame),
                Some(State::Agent(_)) => self.agent_frame(io, conn, reference, frame),
                Some(State::Waiting { is_rejoining: true, .. }) => {}
                Some(State::Waiting { .. } | State::Authenticating { .. }) => {
                    // Nothing but Hello before the welcome (S29).
                    Self::close(io, conn, close::BAD_USE.code);
                }
                Some(State::Tunnel { .. }) | None => {}
            },
        }
    }

    fn closed(&mut self, io: &mut Io<'_>, conn: ConnId, _why: CloseReason) {
        self.forget(io, conn);
    }

    fn drained(&mut self, io: &mut Io<'_>, conn: ConnId) {
        self.resume_drained(conn);
        self.resume(io, conn);
    }

    fn tunnelled(&mut self, tunnelled: Vec<(ConnRef, Tunnelled)>) {
        self.send_tunnelled(tunnelled);
    }

    fn timer(&mut self, io: &mut Io<'_>, key: TimerKey) {
        match key {
            TimerKey::Own(_) => self.tick(io),
            TimerKey::Conn(conn, TIMER_AUTH) => {
                if let Some(State::Waiting { .. } | State::Authenticating { .. }) =
                    self.conn(conn).map(|conn| &conn.state)
                {
                    Self::close(io, conn, close::AUTH_TIMEOUT.code);
                }
            }
            TimerKey::Conn(conn, TIMER_PING) => self.ping(io, conn),
            TimerKey::Conn(conn, TIMER_RESUME_READING) => io.resume_reading(conn),
            TimerKey::Conn(conn, TIMER_OWNER) => self.resume_with_owner(io, conn),
            TimerKey::Conn(conn, TIMER_DRAIN) => {
                Self::close(io, conn, close::RESTART.code);
            }
            TimerKey::Conn(..) => {}
        }
    }

    fn command(&mut self, io: &mut Io<'_>, command: Command) {
        match command {
            Command::Authenticated { conn, result } => self.authenticated(io, conn, result),
            Command::Arrive { conn, state } => self.arrive(io, conn, *state),
            Command::Propose { conversation, proposal, reply } => {
                self.stage(Origin::Reply(reply), conversation, *proposal);
            }
            Command::Frame { from, principal, frame } => {
                if !self.is_served_here(&frame) {
                    return self.unserved(io, from, &principal, *frame);
                }
                // Whether a hello held it, or the client asks for no answer by number: then it is
                // told in vain.
                if frame.r#ref == 0 && matches!(frame.frame, Some(In::Open(_))) {
                    self.held_answered.push(from);
                }
                self.agent_frame_here(io, act::Asker::Conn(from), &principal, *frame);
            }
            Command::Request { principal, frame, reply } => {
                self.agent_frame_here(io, act::Asker::Once(reply), &principal, *frame);
            }
            Command::Found { ticket, result } => self.found(io, ticket, result),
            Command::Deliver(deliveries) => {
                for delivery in deliveries {
                    for conn in delivery.to {
                        self.send(io, conn, &delivery.frame);
                    }
                }
            }
            Command::HeldAnswered { conn } => {
                self.resume_answered(io, conn);
                self.resume(io, conn);
            }
            Command::UserConn { account, user, conn, present } => {
                self.note_user(account, user, conn, present);
            }
            Command::Revoke { user, account, login, code } => {
                self.revoke(io, user, account, login.as_deref(), code);
            }
            Command::RevokeKey { account, key, code } => self.revoke_key(io, account, key, code),
            Command::RevokeAll { code } => self.revoke_all(io, code),
            Command::Tail { conversation, reply } => {
                let tail = self
                    .dispatchers
                    .tail(conversation, io.now_ms())
                    .map_err(|error| frames::unreadable(conversation, &error));
                // The request may have been given up meanwhile.
                drop(reply.send(tail));
            }
            Command::ToVisitor { conversation, frame } => {
                let visitors = self.subscribers.get(&conversation).map(|s| s.visitors.clone());
                for conn in visitors.unwrap_or_default() {
                    self.send(io, conn, &frame);
                }
            }
            Command::ToUser { account, user, frame } => {
                for conn in self.users.get(&(account, user)).cloned().unwrap_or_default() {
                    if conn.loop_index == self.options.loop_index {
                        self.send(io, conn.conn, &frame);
                    }
                }
            }
            Command::ToAccount { account, frame } => {
                for conn in self.agents.get(&account).cloned().unwrap_or_default() {
                    self.send(io, conn, &frame);
                }
            }
            Command::Inbox(facts) => self.inbox_changed(io, facts),
            Command::Attended { inbox, attended } => self.attended(io, inbox, attended),
            Command::Drain { window_ms } => self.drain(io, window_ms),
            Command::Tunnel(arrival) => self.tunnel(io, *arrival),
            Command::TunnelMessage { home, message } => self.tunnel_message(io, home, message),
            Command::TunnelClosed { home } => self.tunnel_closed(io, home),
            Command::TunnelBytes { conn, frames } => self.tunnel_bytes(io, conn, &frames),
            Command::TunnelEnd { conn, code, reason } => self.tunnel_end(io, conn, code, &reason),
            Command::NodeJoined { node } => self.node_joined(io, node),
            Command::NodeLost { node } => self.node_lost(io, node),
            Command::Adopt(dispatcher) => self.adopt_partition(dispatcher.into_inner()),
            Command::Moved { partition } => self.moved(io, partition),
            Command::Release { partition, reply } => self.begin_release(partition, reply),
            Command::Unserved { conn } => self.send_on(io, conn),
            // It only had to wake the loop.
            Command::Appended => {}
        }
    }

    fn turn_end(&mut self, io: &mut Io<'_>) {
        if !self.ticking {
            self.ticking = true;
            io.set_timer(TimerKey::Own(TIMER_TICK), TICK);
        }
        self.commit(io);
        self.give_up_broken(io);
        self.release_settled(io);
        self.resume_paused(io);
        self.tell_stuck();
        if !self.outbound.is_empty() {
            for (loop_index, deliveries) in std::mem::take(&mut self.outbound) {
                self.tell(loop_index, Command::Deliver(deliveries));
            }
        }
        for ConnRef { loop_index, conn } in std::mem::take(&mut self.held_answered) {
            self.tell(loop_index, Command::HeldAnswered { conn });
        }
        self.tell_gate();
        self.tell_heard();
        self.tell_hits();
        self.tell_bot();
        let telling = self.tell_desk(io.now_ms());
        let tending = self.dispatchers.tend(io.now_ms(), self.projected.get());
        if telling || tending {
            io.turn_again();
        }
    }
}

fn seconds(ms: i64) -> u32 {
    u32::try_from(ms / 1_000).unwrap_or(u32::MAX)
}
