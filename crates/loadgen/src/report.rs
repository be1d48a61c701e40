//! What a run found, as `--json` prints it.

use serde::Serialize;

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

/// What became of messages.
///
/// `offered` to `delivered` count messages that were due within the measured time; an ack or a
/// delivery may come after it, while the run ends. Loss and disorder count over the whole run, the
/// warm-up included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages that were due.
    pub offered: u64,
    /// Of those, messages the server did not refuse.
    pub accepted: u64,
    /// Of those, messages the server acked.
    pub acked: u64,
    /// Messages that reached their agent.
    pub delivered: u64,
    /// Messages that were not acked, or acked and not delivered, when the run ended.
    pub lost: u64,
    /// Acks or deliveries that came again.
    pub duplicated: u64,
    /// Acks or deliveries that came behind a later one, or at another place than acked.
    pub reordered: u64,
    /// Messages the server refused.
    pub refused: u64,
}

impl Counts {
    /// Nothing was lost, doubled, out of order or refused.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.reordered == 0 && self.refused == 0
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
    /// Resident memory one more connection costs: the slope between the readings.
    pub bytes_per_connection: f64,
    /// The same of the kernel's objects: half of what the whole system's grew by, since the generator's
    /// ends of the connections are on this machine too. Absent where `/proc/slabinfo` cannot be read.
    pub slab_bytes_per_connection: Option<f64>,
    /// How long all connections were held to see what they cost in CPU.
    pub held_s: f64,
    /// CPU microseconds of the server per connection and second meanwhile, pings included.
    pub idle_cpu_us_per_s: Option<f64>,
    /// Connections opened, upgraded and welcomed per second, one after the other.
    pub connected_per_s: f64,
}
