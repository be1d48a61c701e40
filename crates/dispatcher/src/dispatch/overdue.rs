//! Messages that wait for a log that is away: each is given out once, so that it can be kept elsewhere.

use frontdesk_core::{partition_of, store};
use prost::Message as _;

use super::{Dispatcher, Staged};

/// A message without an answer, as it would stand in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// Its partition.
    pub partition: u16,
    /// The encoded proposal.
    pub record: Vec<u8>,
}

impl Dispatcher {
    /// While an append has taken longer than `patience_ms`: the messages that wait for it or behind it and were not
    /// given out before, oldest first, at most `limit`.
    pub fn overdue(&mut self, now_ms: i64, patience_ms: i64, limit: usize) -> Vec<Overdue> {
        let is_late = |since_ms: i64| now_ms.saturating_sub(since_ms) > patience_ms;
        let Some(appending) = self.appending.as_mut().filter(|of| is_late(of.since_ms)) else {
            return Vec::new();
        };
        let partitions = self.options.partitions;
        let waiting = appending.staged.iter_mut().chain(&mut self.staged);
        waiting
            .filter(|staged| !staged.is_given_out && is_message(&staged.proposal))
            .take(limit)
            .map(|Staged { conversation, proposal, is_given_out, .. }| {
                *is_given_out = true;
                Overdue {
                    partition: partition_of(conversation, partitions),
                    record: proposal.encode_to_vec(),
                }
            })
            .collect()
    }
}

/// Everything else is a step of the session, which whoever made it makes again.
fn is_message(proposal: &store::Proposal) -> bool {
    matches!(proposal.body, Some(store::proposal::Body::Send(_)))
}
