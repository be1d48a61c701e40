//! Limits of the edge. Each has a unit in its name and a reason; the defaults are the product's.

use std::time::Duration;

use frontdesk_core::limits;

/// What one edge loop allows. Checks are never off; a benchmark raises figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeLimits {
    /// Longest payload of one frame: bigger closes with 1009 as soon as its header is read.
    pub frame_bytes_max: usize,
    /// Longest message over all its fragments: bigger closes with 1009.
    pub message_bytes_max: usize,
    /// Most fragments of one message: a drip of tiny frames would cost CPU without end (1009).
    pub fragments_max: u32,
    /// Most bytes waiting for one connection behind the frame on its way: a reader slower than that is
    /// closed as slow.
    pub out_queue_bytes_max: usize,
    /// The kernel's send buffer per socket. Left alone it grows to megabytes, and a slow reader is
    /// noticed only behind that. `None` leaves it alone.
    pub send_buffer_bytes: Option<usize>,
    /// Nothing received for so long means the peer is gone. A client pings every 25 s; with the
    /// ticks of the wheel a dead one is noticed within 35 s.
    pub silence_max: Duration,
    /// How long a peer may take to answer a close before the socket is dropped.
    pub close_timeout: Duration,
    /// Granularity of all timers of the loop.
    pub tick: Duration,
    /// Commands and new sockets waiting for the loop; more are refused to the sender.
    pub inbox_max: usize,
    /// Most commands taken in one turn, so that sockets get their share.
    pub commands_per_turn_max: usize,
    /// Most socket events taken in one turn, so that a turn's commit stays bounded.
    pub events_per_turn_max: usize,
    /// Most connections of this loop; further ones are dropped at arrival.
    pub connections_max: usize,
}

impl Default for EdgeLimits {
    fn default() -> Self {
        Self {
            frame_bytes_max: limits::FRAME_BYTES_MAX,
            message_bytes_max: limits::FRAME_BYTES_MAX,
            fragments_max: 1024,
            out_queue_bytes_max: limits::OUT_QUEUE_BYTES_MAX,
            send_buffer_bytes: Some(128 << 10),
            silence_max: Duration::from_secs(34),
            close_timeout: Duration::from_secs(5),
            tick: Duration::from_millis(100),
            inbox_max: 16 * 1024,
            commands_per_turn_max: 4096,
            events_per_turn_max: 512,
            connections_max: 1 << 20,
        }
    }
}
