//! What a stretch of time cost server and generator, and whether it says something about the server.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::{
    cpu::{Process, of_this_thread},
    report::CostReport,
    void::closed_loop_void,
};

/// Readings at the beginning.
#[derive(Debug)]
pub(crate) struct Meter {
    process: Process,
    began: Instant,
    server: Option<Duration>,
    generator: Duration,
}

/// What was used since.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    pub(crate) server_cpu: Option<Duration>,
    pub(crate) generator_cpu: Duration,
}

impl Meter {
    pub(crate) fn start(process: Process) -> Self {
        let (server, generator) = (process.cpu(), of_this_thread());
        Self { process, began: Instant::now(), server, generator }
    }

    pub(crate) fn read(&self) -> Cost {
        let seconds = self.began.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
        let server_cpu = self.server.zip(self.process.cpu()).map(|(b, a)| a.saturating_sub(b));
        Cost { seconds, server_cpu, generator_cpu: of_this_thread().saturating_sub(self.generator) }
    }
}

impl Cost {
    pub(crate) fn server_cores(&self) -> Option<f64> {
        self.server_cpu.map(|cpu| cpu.as_secs_f64() / self.seconds)
    }

    pub(crate) fn generator_cores(&self) -> f64 {
        self.generator_cpu.as_secs_f64() / self.seconds
    }

    /// Of no time at all, to which others are added.
    pub(crate) fn nothing() -> Self {
        let none = Duration::ZERO;
        Self { seconds: 0.0, server_cpu: Some(none), generator_cpu: none }
    }

    /// Adds that of another stretch of time.
    pub(crate) fn add(&mut self, other: Self) {
        let seconds = self.seconds + other.seconds;
        self.add_beside(other);
        self.seconds = seconds;
    }

    /// Adds that of another server and its generator in the same time.
    pub(crate) fn add_beside(&mut self, other: Self) {
        self.seconds = self.seconds.max(other.seconds);
        self.server_cpu = self.server_cpu.zip(other.server_cpu).map(|(own, others)| own + others);
        self.generator_cpu += other.generator_cpu;
    }

    /// As reports show it, where it was for `count` things.
    pub(crate) fn report(
        &self,
        count: u64,
        rss: Option<u64>,
        pinned: bool,
        void_reason: Option<String>,
    ) -> CostReport {
        let per_million =
            |cpu: Duration| (count > 0).then(|| cpu.as_secs_f64() * 1e6 / count as f64);
        CostReport {
            server_cpu_s_per_million: self.server_cpu.and_then(per_million),
            generator_cpu_s_per_million: per_million(self.generator_cpu),
            server_cores: self.server_cores(),
            generator_cores: self.generator_cores(),
            server_rss_bytes: rss,
            pinned,
            void: void_reason.is_some(),
            void_reason,
        }
    }

    /// Why it says nothing about the server, as on any closed loop.
    pub(crate) fn void_reason(&self, pinned: bool) -> Option<String> {
        closed_loop_void(self.generator_cores(), self.server_cores(), pinned)
    }
}
