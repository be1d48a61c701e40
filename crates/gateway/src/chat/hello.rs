//! From an upgraded socket to a welcome: first frame, gate, and for a visitor the move to the loop of
//! its conversation.

use std::{sync::atomic::Ordering, time::Duration};

use frontdesk_core::{chat, fold, limits};
use frontdesk_protocol::{
    DecodeError, close,
    codes::{self, ErrorCode},
    wire::{self, server_frame::Frame as Out},
};
use prost::Message as _;
use smallvec::SmallVec;

use super::{
    Chat,
    conn::{AgentConn, Conn, Moved, State, VisitorConn},
    elsewhere::SentElsewhere,
    frames,
    port::{
        AgentIdentity, AuthRequest, Command, DeskInput, GateRequest, Identity, VisitorIdentity,
    },
    resume::Resuming,
    seconds,
};
use crate::edge::{ConnId, Io, MovableConn, TimerKey};

/// Most items given on a resume; a client further behind reloads.
const RESUME_ITEMS_MAX: usize = limits::CATCH_UP_ENTRIES_MAX;
/// Items of the newest page.
const PAGE_ITEMS: usize = limits::FIRST_PAGE_ENTRIES;

impl Chat {
    /// The first frame: asks the gate.
    pub(super) fn hello(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        hello: wire::Hello,
    ) {
        let from = self.own(conn);
        let Some(state) = self.conn(conn) else { return };
        let State::Waiting { origin, is_rejoining } = &mut state.state else {
            // A second hello never changes who a connection is (S29).
            Self::close(io, conn, close::BAD_USE.code);
            return;
        };
        if *is_rejoining && hello.resume_token.is_empty() {
            // The page this socket belongs to was looked at for its first ticket only.
            Self::close(io, conn, close::BAD_USE.code);
            return;
        }
        let origin = origin.take().map(String::from);
        state.can_rejoin = hello.can_rejoin;
        let hello = Box::new(hello);
        state.state = State::Authenticating { hello: hello.clone(), reference };
        let is_vouched = self.tunnels.is_one(conn);
        let request = GateRequest::Auth(AuthRequest { from, hello, origin, is_vouched });
        if self.ports.gate.try_send(request).is_err() {
            Self::close(io, conn, close::OVERLOADED.code);
        }
    }

    /// A message that is no frame. Malformed ones end the connection, unknown kinds are refused.
    pub(super) fn undecodable(&mut self, io: &mut Io<'_>, conn: ConnId, error: &DecodeError) {
        let state = self.conn(conn).map(|conn| &conn.state);
        let live = matches!(state, Some(State::Visitor(_) | State::Agent(_)));
        let is_rejoining = matches!(state, Some(State::Waiting { is_rejoining: true, .. }));
        let to = self.own(conn);
        match error {
            DecodeError::UnknownFrame { .. } if is_rejoining => {}
            DecodeError::UnknownFrame { reference } if live => {
                self.refuse(io, to, *reference, &codes::FRAME_UNKNOWN);
            }
            _ => {
                let error = wire::Error {
                    code: error.code().to_owned(),
                    message: codes::FRAME_MALFORMED.text.to_owned(),
                };
                self.answer(io, to, 0, Out::Error(error));
                Self::close(io, conn, close::BAD_USE.code);
            }
        }
    }

    /// The gate has answered.
    pub(super) fn authenticated(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        result: Result<Identity, &'static ErrorCode>,
    ) {
        let Some(state) = self.conn(conn) else { return };
        let State::Authenticating { hello, reference } = &mut state.state else { return };
        let (hello, reference) = (std::mem::take(hello), *reference);
        match result {
            Ok(Identity::Visitor(identity)) => {
                let owner = self.loops.owner_of(&identity.conversation);
                let Some(owner) = owner.filter(|owner| self.loops.is_local(*owner)) else {
                    // Its owner changed a moment ago: the next try finds it.
                    return self.unowned(io, conn, reference);
                };
                let Some(state) = self.conn(conn) else { return };
                let moved = Moved {
                    encoding: state.encoding,
                    peer: state.peer,
                    limit: state.limit,
                    hello,
                    reference,
                    identity,
                };
                if owner == self.options.loop_index {
                    self.visitor_live(io, conn, moved);
                } else if let Some(movable) = io.take(conn) {
                    self.conns[conn.index()] = None;
                    self.tell(owner, Command::Arrive { conn: movable, state: Box::new(moved) });
                }
            }
            Ok(Identity::Unowned) => self.unowned(io, conn, reference),
            Ok(Identity::Elsewhere { loop_index, partition, ticket }) => {
                if self.loops.owners().owner(partition) == Some(loop_index) {
                    self.lead_on(io, conn, (loop_index, partition), ticket, (hello, reference));
                } else {
                    self.unowned(io, conn, reference);
                }
            }
            Ok(Identity::Agent(identity)) => {
                self.agent_live(io, conn, reference, &hello, *identity);
            }
            Err(code) => self.turn_away(io, conn, reference, code),
        }
    }

    /// Says why a client is not let in, and closes.
    fn turn_away(&mut self, io: &mut Io<'_>, conn: ConnId, reference: u32, code: &ErrorCode) {
        let to = self.own(conn);
        let error = wire::Error { code: code.code.to_owned(), message: code.text.to_owned() };
        self.answer(io, to, reference, Out::Error(error));
        let close = match code.code {
            "overloaded" | "internal" | "storage.unavailable" => close::OVERLOADED,
            "auth.disabled" | "origin.refused" | "inbox.unknown" => close::FORBIDDEN,
            _ => close::TICKET,
        };
        Self::close(io, conn, close.code);
    }

    /// Nobody serves a client at the moment: it tries again soon.
    fn unowned(&mut self, io: &mut Io<'_>, conn: ConnId, reference: u32) {
        if self.conn(conn).is_some_and(|state| state.can_rejoin) {
            return self.send_on(io, conn);
        }
        self.turn_away(io, conn, reference, &codes::OVERLOADED);
    }

    /// A visitor's connection comes from the loop where its socket landed.
    pub(super) fn arrive(&mut self, io: &mut Io<'_>, movable: MovableConn, moved: Moved) {
        match io.adopt(movable) {
            Ok(conn) => self.visitor_live(io, conn, moved),
            Err(error) => tracing::warn!(%error, "a connection was lost on its way between loops"),
        }
    }

    fn visitor_live(&mut self, io: &mut Io<'_>, conn: ConnId, moved: Moved) {
        let Moved { encoding, peer, limit, hello, reference, identity } = moved;
        let VisitorIdentity {
            inbox,
            principal,
            conversation,
            origin,
            resume_token,
            attended,
            identified,
        } = *identity;
        let inbox = self.newest(inbox);
        if inbox.identity_required && !identified {
            Self::close(io, conn, close::TICKET.code);
            return;
        }
        let now_ms = io.now_ms();
        let held = hello.held.first().and_then(|held| held.position);
        let Ok(mut opened) = self.opened(io, conversation, held, false) else {
            Self::close(io, conn, close::OVERLOADED.code);
            return;
        };
        opened.conversation.clear();
        let stored = self.dispatchers.state_in_memory(conversation).is_some();
        let (drafts, file_bytes_max) = (inbox.drafts, inbox.file_bytes_max);
        let account = inbox.account;
        let origin = (!stored).then(|| origin.encode_to_vec().into_boxed_slice());
        let self_actor = principal.actor();
        let visitor = VisitorConn { inbox, principal, conversation, identified, origin };
        let state = State::Visitor(visitor);
        let now_s = seconds(now_ms);
        self.insert(
            conn,
            Conn {
                id: conn,
                encoding,
                peer,
                state,
                limit,
                can_rejoin: hello.can_rejoin,
                heard_s: now_s,
                sent_s: now_s,
                in_flight: 0,
                in_flight_turn: 0,
            },
        );
        io.limit_messages(conn, self.options.frame_bytes_max);
        let subscribers = self.subscribers.entry(conversation).or_default();
        let first = subscribers.visitors.is_empty();
        subscribers.visitors.push(conn);

        let welcome = wire::Welcome {
            self_: Some(self_actor),
            resume_token,
            opened: vec![opened],
            drafts,
            attended,
            ..self.welcome(now_ms, file_bytes_max)
        };
        let to = self.own(conn);
        self.answer(io, to, reference, Out::Welcome(Box::new(welcome)));
        io.set_timer(TimerKey::Conn(conn, super::TIMER_PING), self.options.ping_interval);
        if first && stored {
            self.visitor_presence(io, account, conversation, true);
        } else if stored {
            // The desk tells every connection that comes its place in the queue.
            let online = true;
            self.to_desk.push_back(DeskInput::VisitorPresence { account, conversation, online });
        }
    }

    fn agent_live(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        hello: &wire::Hello,
        identity: AgentIdentity,
    ) {
        let AgentIdentity {
            principal,
            user,
            login,
            presence,
            feed,
            feed_recovered,
            resume_token,
            file_bytes_max,
        } = identity;
        let now_ms = io.now_ms();
        let own = self.own(conn);
        let Some(state) = self.conn(conn) else { return };
        let agent = AgentConn {
            principal: principal.clone(),
            user,
            login: login.into_boxed_str(),
            open: SmallVec::new(),
            resuming: Some(Box::new(Resuming::new(hello, feed, feed_recovered, seconds(now_ms)))),
            sent_elsewhere: SentElsewhere::default(),
        };
        state.state = State::Agent(Box::new(agent));
        io.limit_messages(conn, self.options.frame_bytes_max);
        self.agents.entry(principal.account).or_default().push(conn);
        let welcome = wire::Welcome {
            self_: Some(principal.actor()),
            resume_token,
            feed: Some(feed),
            feed_recovered,
            presence: presence.into(),
            ..self.welcome(now_ms, file_bytes_max)
        };
        self.answer(io, own, reference, Out::Welcome(Box::new(welcome)));
        io.set_timer(TimerKey::Conn(conn, super::TIMER_PING), self.options.ping_interval);
        self.resume(io, conn);
    }

    /// The parts of a welcome that are the same for everybody.
    fn welcome(&self, now_ms: i64, file_bytes_max: u64) -> wire::Welcome {
        let ping_interval_ms =
            u32::try_from(self.options.ping_interval.as_millis()).unwrap_or(u32::MAX);
        wire::Welcome {
            epoch: self.options.epoch,
            server_time_ms: now_ms,
            limits: Some(wire::Limits {
                text_bytes_max: self.options.text_bytes_max,
                file_bytes_max,
                in_flight_max: u32::from(self.options.in_flight_max),
                ping_interval_ms,
            }),
            ..wire::Welcome::default()
        }
    }

    /// What a client needs to show a conversation: exactly what it missed since the position it
    /// holds, or the newest page (I6). A conversation that cannot be read now is not an empty one: the
    /// error has the code for whoever asked.
    pub(super) fn opened(
        &mut self,
        io: &mut Io<'_>,
        conversation: frontdesk_core::id::ConversationId,
        held: Option<wire::Position>,
        team: bool,
    ) -> Result<wire::Opened, &'static ErrorCode> {
        let now_ms = io.now_ms();
        let epoch = self.options.epoch;
        let unreadable = |error| frames::unreadable(conversation, &error);
        let state = self.dispatchers.state(conversation, now_ms).map_err(unreadable)?;
        let last_seq = state.map_or(0, fold::Conversation::last_seq);
        let missed = match held {
            Some(held) if held.epoch == epoch && held.seq <= last_seq => self
                .dispatchers
                .since(conversation, held.seq, RESUME_ITEMS_MAX, now_ms)
                .map_err(unreadable)?
                .filter(|entries| {
                    let bytes: usize = entries.iter().map(chat::Entry::encoded_len).sum();
                    bytes <= limits::CATCH_UP_BYTES_MAX
                }),
            _ => None,
        };
        let recovered = missed.is_some();
        if held.is_some() {
            let counter = if recovered { &self.health.resumed } else { &self.health.reloaded };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let entries = match missed {
            Some(entries) => entries,
            None => {
                self.dispatchers.page(conversation, None, PAGE_ITEMS, now_ms).map_err(unreadable)?
            }
        };
        let more_before = !recovered && entries.first().is_some_and(|entry| entry.seq > 1);
        let state = self.dispatchers.state_in_memory(conversation);
        let session = state
            .and_then(fold::Conversation::session)
            .map(|session| if team { session.clone() } else { fold::session_for_visitor(session) });
        let mut cursors = state.map(|state| state.state().cursors.clone()).unwrap_or_default();
        if !team {
            for actor in cursors.iter_mut().filter_map(|cursor| cursor.actor.as_mut()) {
                fold::hide_from_visitor(actor);
            }
        }
        let viewers = if team { self.viewers_of(conversation) } else { Vec::new() };
        Ok(wire::Opened {
            conversation: conversation.to_string(),
            recovered,
            items: fold::for_reader(entries.into_iter(), team, !team),
            position: Some(wire::Position { epoch, seq: last_seq }),
            more_before,
            session,
            cursors,
            viewers,
            queue_place: None,
        })
    }

    /// Sends a ping to a connection that was quiet, and comes back when it will have been for the interval
    /// again. Not a whole interval later in any case: somebody who only listens, and was heard in the middle
    /// of one, would be closed as silent before.
    pub(super) fn ping(&mut self, io: &mut Io<'_>, conn: ConnId) {
        let now_s = seconds(io.now_ms());
        if self.resumes_too_long(conn, now_s) {
            Self::close(io, conn, close::SLOW.code);
            return;
        }
        let interval = self.options.ping_interval;
        let quiet_s = u32::try_from(interval.as_secs()).unwrap_or(u32::MAX);
        let Some(state) = self.conn(conn) else { return };
        let quiet_for_s = now_s.saturating_sub(state.heard_s.min(state.sent_s));
        let next = if quiet_for_s >= quiet_s {
            let ping = self.ping.clone();
            self.send(io, conn, &ping);
            interval
        } else {
            interval.saturating_sub(Duration::from_secs(quiet_for_s.into()))
        };
        io.set_timer(TimerKey::Conn(conn, super::TIMER_PING), next);
    }

    /// The server stops: every connection is sent away with a reconnect code, spread over the
    /// window so that they do not come back all at once.
    pub(super) fn drain(&mut self, io: &mut Io<'_>, window_ms: u64) {
        self.draining = true;
        let live: Vec<ConnId> = self.conns.iter().flatten().map(|state| state.id).collect();
        let count = live.len() as u64;
        // One connection need not wait: the window is used up only by thousands.
        let longest_ms = window_ms;
        let window_ms = window_ms.min(count * 5);
        for (place, conn) in live.into_iter().enumerate() {
            let after_ms = window_ms * place as u64 / count.max(1);
            let go_away = wire::GoAway {
                reconnect_after_ms: u32::try_from(window_ms - after_ms).unwrap_or(u32::MAX),
            };
            let to = self.own(conn);
            self.answer(io, to, 0, Out::GoAway(go_away));
            io.set_timer(TimerKey::Conn(conn, super::TIMER_DRAIN), Duration::from_millis(after_ms));
        }
        // Clients get time to answer the close; a socket cut before that looks like a lost one. The
        // loop ends as soon as the last has gone.
        let grace_ms = (window_ms + 5_000).min(longest_ms + 3_000);
        io.stop(Duration::from_millis(grace_ms));
    }
}
