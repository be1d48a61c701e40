//! Clients that somebody else serves from now on: their partition went to another node, or the node they were
//! led to is gone.
//!
//! A client that understands `Rejoin` keeps its connection: it is asked to say hello again on it, and is
//! led to whoever serves it now. What it has sent before it read that is passed over, since it sends all of
//! it again, in order (I3). The others are closed with a code that brings them back.

use std::{sync::atomic::Ordering, time::Duration};

use frontdesk_protocol::{
    close,
    wire::{self, server_frame::Frame as Out},
};

use super::{
    Chat, TIMER_AUTH,
    conn::{Conn, State},
    seconds,
};
use crate::edge::{ConnId, Io, TimerKey};

/// When to say hello again, for clients that were served until now: spread, since they come by thousands. As
/// long as the first wait of a client that connects anew.
const SOON_MS: (u32, u32) = (0, 500);
/// The same for those that found nobody to serve them: a partition is without an owner for a second or two.
const LATER_MS: (u32, u32) = (500, 1_500);
/// Between two of a loop: a thousand a second, however many there are. Twice the sockets a node lets in.
const EACH_MS: i64 = 1;

impl Chat {
    /// Has a client of this loop served by whoever is the right one now.
    pub(super) fn send_on(&mut self, io: &mut Io<'_>, conn: ConnId) {
        let is_leaving = self.draining;
        let Some(state) = self.conn(conn) else { return };
        if is_leaving || !state.can_rejoin {
            return Self::close(io, conn, close::RESTART.code);
        }
        let was_served = match state.state {
            State::Waiting { .. } | State::Authenticating { .. } => false,
            State::Tunnel { is_served, .. } => is_served,
            State::Visitor(_) | State::Agent(_) => true,
        };
        let (encoding, peer, limit) = (state.encoding, state.peer, state.limit);
        let Some(renewed) = io.renew(conn) else {
            // The node with its socket asks it.
            return Self::close(io, conn, close::RESTART.code);
        };
        self.forget(io, conn);
        let now_ms = io.now_ms();
        let now_s = seconds(now_ms);
        self.insert(
            renewed,
            Conn {
                state: State::Waiting { origin: None, is_rejoining: true },
                limit,
                ..Conn::new(renewed, (encoding, peer), None, now_s)
            },
        );
        let turn_ms = self.rejoin_ms.max(now_ms);
        self.rejoin_ms = turn_ms + EACH_MS;
        let behind_ms = u32::try_from(turn_ms - now_ms).unwrap_or_default();
        let after_ms = behind_ms + spread(if was_served { SOON_MS } else { LATER_MS }, renewed);
        let to = self.own(renewed);
        self.answer(io, to, 0, Out::Rejoin(wire::Rejoin { after_ms }));
        let wait = Duration::from_millis(u64::from(after_ms)) + self.options.auth_timeout;
        io.set_timer(TimerKey::Conn(renewed, TIMER_AUTH), wait);
        self.health.rejoins.fetch_add(1, Ordering::Relaxed);
    }
}

/// A time between the two, another one for each of many connections in a row.
fn spread((from_ms, to_ms): (u32, u32), conn: ConnId) -> u32 {
    // Multiples of the golden ratio never crowd (Knuth, The Art of Computer Programming, volume 3, 6.4).
    let (_, generation) = conn.to_parts();
    let place = u64::from(generation.wrapping_mul(0x9E37_79B9));
    let width = u64::from(to_ms - from_ms);
    from_ms + u32::try_from((place * width) >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{ConnId, SOON_MS, spread};

    #[test]
    fn a_thousand_connections_in_a_row_come_back_spread() {
        let mut tenths = [0_u32; 10];
        for generation in 1..=1_000 {
            let after_ms = spread(SOON_MS, ConnId::from_parts(7, generation));
            assert!(after_ms < SOON_MS.1);
            tenths[(after_ms / 50) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (95..=105).contains(count)), "{tenths:?}");
    }
}
