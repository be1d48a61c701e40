//! How much a connection may ask for: rates over time, and messages in flight within a turn.

use std::{sync::atomic::Ordering, time::Duration};

use frontdesk_protocol::{
    codes,
    wire::{self, server_frame::Frame as Out},
};

use super::{Chat, TIMER_RESUME_READING, conn::State, frames};
use crate::edge::{ConnId, Io, TimerKey};

impl Chat {
    /// Counts a frame against all limits; refuses and stops reading where one is reached (R10).
    pub(super) fn admit(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        reference: u32,
        message: Option<&wire::Send>,
    ) -> bool {
        let now_us = io.now_ms() * 1_000;
        let (visitor_quota, agent_quota) = (self.options.visitor_quota, self.options.agent_quota);
        let Some(state) = self.conns.get_mut(conn.index()).and_then(Option::as_mut) else {
            return false;
        };
        let (quota, shared) = match &state.state {
            State::Visitor(visitor) => {
                let shared = (state.peer, visitor.conversation, visitor.inbox.account);
                (visitor_quota, Some(shared))
            }
            _ => (agent_quota, None),
        };
        let mut verdict = state.limit.admit(quota, now_us);
        if let (Ok(()), Some((peer, visitor, account)), Some(_)) = (verdict, shared, message) {
            verdict = self
                .visitors
                .admit(visitor, now_us)
                .and_then(|()| self.peers.admit(peer, now_us))
                .and_then(|()| self.accounts.admit(account, now_us));
        }
        let Err(retry_after_ms) = verdict else { return true };
        self.health.rate_limited.fetch_add(1, Ordering::Relaxed);
        let mut refusal = frames::refusal(&codes::RATE_LIMITED);
        refusal.retry_after_ms = Some(retry_after_ms);
        refusal.client_msg_id = message.map(|send| send.client_msg_id.clone()).unwrap_or_default();
        let to = self.own(conn);
        self.answer(io, to, reference, Out::Refusal(refusal));
        // The end of the turn may not undo this pause.
        self.paused.retain(|paused| *paused != conn);
        io.pause_reading(conn);
        let wait = Duration::from_millis(u64::from(retry_after_ms.clamp(20, 1_000)));
        io.set_timer(TimerKey::Conn(conn, TIMER_RESUME_READING), wait);
        false
    }

    /// Counts a proposal of a connection; at the limit the connection is not read until the next turn.
    pub(super) fn count_in_flight(&mut self, io: &mut Io<'_>, conn: ConnId) {
        let (limit, turn) = (self.options.in_flight_max, self.turn);
        let Some(state) = self.conn(conn) else { return };
        if state.in_flight_turn != turn {
            (state.in_flight_turn, state.in_flight) = (turn, 0);
        }
        state.in_flight += 1;
        if state.in_flight == limit {
            io.pause_reading(conn);
            self.paused.push(conn);
        }
    }

    /// Reads on where a connection had enough in flight in this turn, whether or not the turn had
    /// anything to commit: frames may have gone to other loops.
    pub(super) fn resume_paused(&mut self, io: &mut Io<'_>) {
        self.turn = self.turn.wrapping_add(1);
        for conn in std::mem::take(&mut self.paused) {
            if self.conn(conn).is_some() {
                io.resume_reading(conn);
            }
        }
    }
}
