//! Counters of one loop: plain atomics that only the loop's thread writes, so that counting costs
//! nothing; whoever serves `/metrics` reads them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of one edge loop, shared with readers. All but `connections` and `tunnels` only grow.
        #[derive(Debug, Default)]
        pub struct EdgeMetrics {
            $(pub(super) $name: Counter,)*
        }

        /// The counters at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct EdgeSnapshot {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl EdgeMetrics {
            /// Reads all counters; each is exact, the set is not taken at one instant.
            pub fn snapshot(&self) -> EdgeSnapshot {
                EdgeSnapshot { $($name: self.$name.0.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Connections now, those in their close handshake included.
    connections,
    /// Those of them whose socket is on another node.
    tunnels,
    /// Sockets that arrived from the front door.
    accepted,
    /// Connections that came from another loop.
    adopted,
    /// Connections that went to another loop.
    moved,
    /// Arrivals dropped because the loop was full, stopping, or the socket could not be used.
    dropped,
    /// Bytes read from sockets, after TLS.
    bytes_in,
    /// Bytes written to sockets, before TLS.
    bytes_out,
    /// Whole messages handed to the service.
    messages_in,
    /// Frames queued for sending, control frames included.
    frames_out,
    /// Write calls; `frames_out / writes` shows how well writes are coalesced.
    writes,
    /// Turns of the loop.
    turns,
    /// Connections closed because they did not read.
    slow_closes,
    /// Connections closed because nothing was heard from them.
    silent_closes,
    /// Connections closed because they broke the protocol.
    violations,
}

/// A counter with one writer.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, n: u64) {
        // One writer: a plain load and store, no locked instruction.
        self.0.store(self.0.load(Relaxed).wrapping_add(n), Relaxed);
    }

    pub(super) fn subtract(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_sub(n), Relaxed);
    }

    pub(super) fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }
}
