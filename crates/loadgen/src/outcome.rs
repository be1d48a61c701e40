//! Everything a generator found, to be made into a report; of a crowd, the sum of what its generators
//! found at the same time.

use serde::{Deserialize, Serialize};

use crate::{gaps::Gaps, histogram::Latencies, meter::Cost, report::Counts, windows::Windows};

/// What was found; parts of it come from several processes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) cost: Cost,
    pub(crate) counts: Counts,
    pub(crate) acks_in_time: u64,
    pub(crate) ack: Latencies,
    pub(crate) delivery: Latencies,
    pub(crate) lag: Latencies,
    /// Deliveries by the time they were due, of a load with a step. It has one generator.
    #[serde(skip)]
    pub(crate) windows: Option<Windows>,
    /// Times between acks.
    pub(crate) gaps: Gaps,
    pub(crate) void_reason: Option<String>,
}

impl Outcome {
    /// Adds what another generator found at the same time with a server of its own.
    pub(crate) fn add(&mut self, other: Self) {
        self.cost.add_beside(other.cost);
        self.counts += other.counts;
        self.acks_in_time += other.acks_in_time;
        self.ack.add(&other.ack);
        self.delivery.add(&other.delivery);
        self.lag.add(&other.lag);
        self.void_reason = self.void_reason.take().or(other.void_reason);
    }
}
