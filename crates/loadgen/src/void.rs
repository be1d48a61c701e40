//! Whether a run says something about its server: not where the generator was its limit, or late.

use crate::{generator::IN_FLIGHT_MAX, text::Load};

/// Share of its core beyond which the generator, not the server, is the limit.
const CORE_MAX: f64 = 0.9;
/// Share of its own core at which the server is the limit, however busy the generator is.
const SERVER_FULL: f64 = 0.97;
/// Lateness beyond which the offered load is not the one asked for.
const LAG_MAX_MS: f64 = 1.0;

/// What tells whether a run says something about its server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Of one core.
    pub(crate) generator_cores: f64,
    pub(crate) server_cores: Option<f64>,
    /// A visitor had as many messages in flight as there may be.
    pub(crate) overrun: bool,
    /// How late messages were sent, 99 of 100.
    pub(crate) lag_ms: f64,
}

impl Usage {
    /// Why the run says nothing.
    pub(crate) fn void_reason(&self, load: Load, pinned: bool) -> Option<String> {
        let server_full = matches!(load, Load::Closed) && is_full(self.server_cores, pinned);
        if self.overrun {
            return Some(format!("{IN_FLIGHT_MAX} messages of a visitor were in flight"));
        }
        if self.generator_cores >= CORE_MAX && !server_full {
            return Some(too_busy(self.generator_cores));
        }
        (self.lag_ms >= LAG_MAX_MS).then(|| {
            format!("the generator sent {:.1} ms late (99 of 100 messages less)", self.lag_ms)
        })
    }
}

/// At the peak of a floor both ends of a connection do the same work, so both are full.
fn is_full(server_cores: Option<f64>, pinned: bool) -> bool {
    pinned && server_cores.is_some_and(|cores| cores >= SERVER_FULL)
}

fn too_busy(generator_cores: f64) -> String {
    format!("the generator used {:.0} % of its core", generator_cores * 100.0)
}

/// Why a closed loop of any scenario says nothing about its server.
pub(crate) fn closed_loop_void(
    generator_cores: f64,
    server_cores: Option<f64>,
    pinned: bool,
) -> Option<String> {
    (generator_cores >= CORE_MAX && !is_full(server_cores, pinned))
        .then(|| too_busy(generator_cores))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_void_when_the_generator_is_its_limit() {
        let open = Load::Open { rate: 1 };
        for (load, pinned, generator_cores, server_cores, lag_ms, overrun, void) in [
            (Load::Closed, true, 0.89, Some(0.5), 0.0, false, false),
            (Load::Closed, true, 0.91, Some(0.96), 0.0, false, true),
            (Load::Closed, true, 0.99, None, 0.0, false, true),
            // Both are full: the server's peak.
            (Load::Closed, true, 0.99, Some(0.98), 0.0, false, false),
            // On more cores than one nobody knows when a server is full.
            (Load::Closed, false, 0.99, Some(0.98), 0.0, false, true),
            // A busy generator is late, and its lateness is in the latencies.
            (open, true, 0.99, Some(0.98), 0.0, false, true),
            (open, true, 0.5, Some(0.5), 1.0, false, true),
            (open, true, 0.5, Some(0.5), 0.9, true, true),
            (open, true, 0.5, Some(0.5), 0.9, false, false),
        ] {
            let usage = Usage { generator_cores, server_cores, overrun, lag_ms };
            assert_eq!(usage.void_reason(load, pinned).is_some(), void, "{usage:?} {load:?}");
        }
    }
}
