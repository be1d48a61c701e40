//! Whether a run says something about its server: not where the generator was its limit, or late.

use crate::{generator::IN_FLIGHT_MAX, text::Load};

/// Share of its core beyond which the generator, not the server, is the limit.
const CORE_MAX: f64 = 0.9;
/// Share of its own core at which the server is the limit, however busy the generator is.
const SERVER_FULL: f64 = 0.97;
/// The same where the core is never idle: what the server did not use itself went to what the system did for
/// it, such as interrupts, threads of the kernel, or to the machine below.
const SERVER_FULL_BUSY: f64 = 0.9;
/// Share of the time a core that is never idle may be idle all the same: one tick of a hundred, and one more.
const IDLE_MAX: f64 = 0.02;
/// Lateness beyond which the offered load is not the one asked for.
const LAG_MAX_MS: f64 = 1.0;

/// What tells whether a run says something about its server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Of one core.
    pub(crate) generator_cores: f64,
    pub(crate) server_core: ServerCore,
    /// A visitor had as many messages in flight as there may be.
    pub(crate) overrun: bool,
    /// How late messages were sent, 99 of 100.
    pub(crate) lag_ms: f64,
}

/// How full the server's core was; `None` where nobody could tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerCore {
    /// What the server used, of one core.
    pub(crate) used: Option<f64>,
    /// Share of the time in which nobody used it.
    pub(crate) idle: Option<f64>,
}

impl Usage {
    /// Why the run says nothing.
    pub(crate) fn void_reason(&self, load: Load, pinned: bool) -> Option<String> {
        let server_full = matches!(load, Load::Closed) && self.server_core.is_full(pinned);
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

impl ServerCore {
    /// At the peak of a floor both ends of a connection do the same work, so both are full.
    fn is_full(self, pinned: bool) -> bool {
        let is_busy = self.idle.is_some_and(|idle| idle <= IDLE_MAX);
        let full = if is_busy { SERVER_FULL_BUSY } else { SERVER_FULL };
        pinned && self.used.is_some_and(|cores| cores >= full)
    }
}

fn too_busy(generator_cores: f64) -> String {
    format!("the generator used {:.0} % of its core", generator_cores * 100.0)
}

/// Why a closed loop of any scenario says nothing about its server.
pub(crate) fn closed_loop_void(
    generator_cores: f64,
    server_core: ServerCore,
    pinned: bool,
) -> Option<String> {
    (generator_cores >= CORE_MAX && !server_core.is_full(pinned)).then(|| too_busy(generator_cores))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_void_when_the_generator_is_its_limit() {
        let open = Load::Open { rate: 1 };
        let core = |used, idle| ServerCore { used: Some(used), idle };
        let unknown = ServerCore { used: None, idle: Some(0.0) };
        for (load, pinned, generator_cores, server_core, lag_ms, overrun, void) in [
            (Load::Closed, true, 0.89, core(0.5, None), 0.0, false, false),
            (Load::Closed, true, 0.91, core(0.96, None), 0.0, false, true),
            (Load::Closed, true, 0.91, core(0.96, Some(0.03)), 0.0, false, true),
            (Load::Closed, true, 0.99, unknown, 0.0, false, true),
            // Both are full: the server's peak.
            (Load::Closed, true, 0.99, core(0.98, None), 0.0, false, false),
            (Load::Closed, true, 0.99, core(0.96, Some(0.01)), 0.0, false, false),
            // Somebody else has the core.
            (Load::Closed, true, 0.99, core(0.6, Some(0.0)), 0.0, false, true),
            // On more cores than one nobody knows when a server is full.
            (Load::Closed, false, 0.99, core(0.98, None), 0.0, false, true),
            // A busy generator is late, and its lateness is in the latencies.
            (open, true, 0.99, core(0.98, None), 0.0, false, true),
            (open, true, 0.5, core(0.5, None), 1.0, false, true),
            (open, true, 0.5, core(0.5, None), 0.9, true, true),
            (open, true, 0.5, core(0.5, None), 0.9, false, false),
        ] {
            let usage = Usage { generator_cores, server_core, overrun, lag_ms };
            assert_eq!(usage.void_reason(load, pinned).is_some(), void, "{usage:?} {load:?}");
        }
    }
}
