//! Leaves an endpoint alone that fails again and again: closed, then open for half a minute, then one probe decides.
//! Time is Tokio's, so that tests need not wait for it.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

/// Failures in a row after which nobody is sent there.
const FAILURES_MAX: u32 = 5;
/// How long nobody is.
const OPEN: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
    },
    /// One request is on its way to find out.
    Probing,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Breaker {
    state: Mutex<State>,
}

/// Leave to send one request. Dropping it says nothing about the endpoint.
#[derive(Debug)]
pub(crate) struct Pass {
    breaker: Arc<Breaker>,
    probe: bool,
    told: bool,
}

impl Breaker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::Closed { failures: 0 }) })
    }

    /// How long nobody is let through, if so.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match *self.state.lock() {
            State::Closed { .. } => None,
            State::Open { until } => {
                Some(until.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero())
            }
            State::Probing => Some(Duration::ZERO),
        }
    }

    /// Lets one request through, or says how long it is not worth trying.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Pass, Duration> {
        if let Some(wait) = self.wait() {
            return Err(wait);
        }
        let mut state = self.state.lock();
        let probe = match *state {
            State::Closed { .. } => false,
            State::Open { .. } => true,
            // Another one was faster.
            State::Probing => return Err(Duration::ZERO),
        };
        if probe {
            *state = State::Probing;
        }
        drop(state);
        Ok(Pass { breaker: Arc::clone(self), probe, told: false })
    }

    fn tell(&self, probe: bool, success: Option<bool>) {
        let mut state = self.state.lock();
        let now = Instant::now();
        *state = match (*state, success) {
            // Whoever probed and gave up leaves the probe to the next.
            (State::Probing, None) if probe => State::Open { until: now },
            (State::Probing, Some(true)) if probe => State::Closed { failures: 0 },
            (State::Probing, Some(false)) if probe => State::Open { until: now + OPEN },
            (State::Closed { .. }, Some(true)) => State::Closed { failures: 0 },
            (State::Closed { failures }, Some(false)) if failures + 1 < FAILURES_MAX => {
                State::Closed { failures: failures + 1 }
            }
            (State::Closed { .. }, Some(false)) => State::Open { until: now + OPEN },
            // Requests from before it opened say nothing new.
            (state, _) => state,
        };
    }
}

impl Pass {
    pub(crate) fn succeeded(mut self) {
        self.told = true;
        self.breaker.tell(self.probe, Some(true));
    }

    pub(crate) fn failed(mut self) {
        self.told = true;
        self.breaker.tell(self.probe, Some(false));
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.told {
            self.breaker.tell(self.probe, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn fail(breaker: &Arc<Breaker>, times: u32) {
        for _ in 0..times {
            breaker.admit().expect("it is closed").failed();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_open_it_for_half_a_minute() {
        let breaker = Breaker::new();
        fail(&breaker, 4);
        breaker.admit().expect("four are not five").succeeded();
        fail(&breaker, 5);
        assert_eq!(breaker.admit().expect_err("open"), OPEN);
        advance(OPEN.saturating_sub(Duration::from_millis(1))).await;
        assert_eq!(breaker.admit().expect_err("still"), Duration::from_millis(1));
        advance(Duration::from_millis(1)).await;
        assert_eq!(breaker.wait(), None);
        breaker.admit().expect("a probe").succeeded();
        fail(&breaker, 4);
        assert!(breaker.admit().is_ok(), "it counts from the start again");
    }

    #[tokio::test(start_paused = true)]
    async fn only_one_probes_and_its_failure_opens_it_again() {
        let breaker = Breaker::new();
        fail(&breaker, 5);
        advance(OPEN).await;
        let probe = breaker.admit().expect("a probe");
        assert_eq!(breaker.admit().expect_err("one is enough"), Duration::ZERO);
        probe.failed();
        assert_eq!(breaker.admit().expect_err("open again"), OPEN);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_leaves_its_place() {
        let breaker = Breaker::new();
        fail(&breaker, 5);
        advance(OPEN).await;
        drop(breaker.admit().expect("a probe"));
        breaker.admit().expect("the next one").succeeded();
        assert_eq!(breaker.wait(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_from_before_say_nothing_new() {
        let breaker = Breaker::new();
        let (slow, slower, slowest) = (breaker.admit(), breaker.admit(), breaker.admit());
        fail(&breaker, 5);
        slow.expect("it was closed").succeeded();
        assert_eq!(breaker.wait(), Some(OPEN));
        advance(OPEN).await;
        let probe = breaker.admit().expect("a probe");
        slower.expect("it was closed").failed();
        drop(slowest);
        assert!(breaker.admit().is_err(), "the probe is still on its way");
        probe.succeeded();
        assert_eq!(breaker.wait(), None);
    }

    #[tokio::test]
    async fn requests_that_are_given_up_are_no_failures() {
        let breaker = Breaker::new();
        for _ in 0..10 {
            drop(breaker.admit().expect("closed"));
        }
        assert_eq!(breaker.wait(), None);
    }
}
