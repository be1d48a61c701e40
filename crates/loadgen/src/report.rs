//! What a run found, as `--json` prints it.

use std::{iter::Sum, ops::AddAssign};

use serde::{Deserialize, Serialize};

use crate::text::Subject;

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// The mean.
    pub mean_ms: f64,
    /// Half are below.
    pub p50_ms: f64,
    /// 99 of 100 are below.
    pub p99_ms: f64,
    /// 999 of 1,000 are below.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// Where streams did not arrive whole, once and in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// What had to come and had not when the run ended; of messages: their ack, or their delivery once
    /// they were acked.
    pub lost: u64,
    /// What came again.
    pub duplicated: u64,
    /// What came behind a later one, or at another place than acked.
    pub reordered: u64,
}

impl Faults {
    /// There are none.
    pub fn is_clean(self) -> bool {
        self == Self::default()
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
    }
}

impl Sum for Faults {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, faults| {
            sum += faults;
            sum
        })
    }
}

/// What became of messages.
///
/// `offered` to `delivered` count messages that were due within the measured time; an ack or a
/// delivery may come after it, while the run ends. Faults count over the whole run, the warm-up
/// included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Messages that were due.
    pub offered: u64,
    /// Of those, messages the server did not refuse.
    pub accepted: u64,
    /// Of those, messages the server acked.
    pub acked: u64,
    /// Messages that reached their agent.
    pub delivered: u64,
    /// Of acks and deliveries.
    #[serde(flatten)]
    pub faults: Faults,
    /// Messages the server refused.
    pub refused: u64,
}

impl Counts {
    /// Nothing was lost, doubled, out of order or refused.
    pub fn is_clean(&self) -> bool {
        self.faults.is_clean() && self.refused == 0
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.offered += other.offered;
        self.accepted += other.accepted;
        self.acked += other.acked;
        self.delivered += other.delivered;
        self.faults += other.faults;
        self.refused += other.refused;
    }
}

/// What a run cost, and whether it says something about the server.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CostReport {
    /// CPU seconds of the server process per million messages, files, deliveries or handshakes: what the
    /// scenario counts.
    pub server_cpu_s_per_million: Option<f64>,
    /// The same of the generator.
    pub generator_cpu_s_per_million: Option<f64>,
    /// Cores the server used.
    pub server_cores: Option<f64>,
    /// Cores the generator used, of one.
    pub generator_cores: f64,
    /// Resident memory of the server at the end.
    pub server_rss_bytes: Option<u64>,
    /// Server and generator have a core each.
    pub pinned: bool,
    /// The run says nothing about the server.
    pub void: bool,
    /// Why.
    pub void_reason: Option<String>,
}

/// A run of text messages.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `text`.
    pub scenario: &'static str,
    /// What answered.
    pub subject: Subject,
    /// `closed` (one outstanding message per visitor) or `open` (on a schedule).
    pub mode: &'static str,
    /// Messages per second the schedule asked for; absent where closed.
    pub rate: Option<u32>,
    /// An acked message is on disk.
    pub durable: bool,
    /// Connections that write.
    pub visitors: u32,
    /// Connections that read.
    pub agents: u32,
    /// Generators, each with a server of its own unless there is one elsewhere.
    pub processes: u32,
    /// Bytes of each message's text (of each whole frame towards a baseline).
    pub text_bytes: usize,
    /// Measured time.
    pub seconds: f64,
    /// What became of the messages.
    #[serde(flatten)]
    pub counts: Counts,
    /// Acks that came within the measured time, per second.
    pub acked_per_s: f64,
    /// From the due time to the ack.
    pub ack: Latency,
    /// From the due time to the arrival at the agent.
    pub delivery: Latency,
    /// Resident memory of the server with all connected, before the first message of the run.
    pub server_rss_before_bytes: Option<u64>,
    /// How late the generator sent, 99 of 100 messages; 0 where closed.
    pub schedule_lag_p99_ms: f64,
    /// How late it sent at worst.
    pub schedule_lag_max_ms: f64,
    /// What it cost.
    #[serde(flatten)]
    pub cost: CostReport,
}

impl Report {
    /// Nothing was lost, doubled, out of order or refused.
    pub fn is_clean(&self) -> bool {
        self.counts.is_clean()
    }

    /// The run says something about its server, and the server did what it had to.
    pub fn counts(&self) -> bool {
        self.is_clean() && !self.cost.void
    }
}

/// A run of connections that do nothing.
#[derive(Debug, Clone, Serialize)]
pub struct IdleReport {
    /// `idle`.
    pub scenario: &'static str,
    /// Connections at the first reading.
    pub connections_low: u32,
    /// Connections at the second.
    pub connections_high: u32,
    /// Resident memory at the first reading.
    pub rss_low_bytes: u64,
    /// Resident memory at the second.
    pub rss_high_bytes: u64,
    /// What each costs.
    #[serde(flatten)]
    pub cost: IdleCost,
}

/// What a connection costs that does nothing.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct IdleCost {
    /// Connections opened, upgraded and welcomed per second, one after the other in each generator.
    pub connected_per_s: f64,
    /// Resident memory one more connection costs: the slope between the readings. Absent of a server
    /// elsewhere, as is all that follows.
    pub bytes_per_connection: Option<f64>,
    /// The same of the kernel's objects: half of what the whole system's grew by, since the generators'
    /// ends of the connections are on this machine too. Absent where `/proc/slabinfo` cannot be read.
    pub slab_bytes_per_connection: Option<f64>,
    /// How long all connections were held to see what they cost in CPU.
    pub held_s: f64,
    /// CPU microseconds of the servers per connection and second meanwhile, pings included.
    pub idle_cpu_us_per_s: Option<f64>,
}
