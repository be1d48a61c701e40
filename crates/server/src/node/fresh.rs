//! What was read of inboxes, as long as it is fresh.

use std::time::{Duration, Instant};

use frontdesk_core::id::InboxId;
use quick_cache::sync::Cache;

/// Inboxes kept in memory; of more, those nobody asks for go.
const INBOXES_MAX: usize = 10_000;

/// A value for each inbox, forgotten when it has an age.
pub(crate) struct Fresh<V> {
    values: Cache<InboxId, (Instant, V)>,
    age_max: Duration,
}

impl<V: Clone> Fresh<V> {
    /// Keeps nothing yet.
    pub(crate) fn new(age_max: Duration) -> Self {
        Self { values: Cache::new(INBOXES_MAX), age_max }
    }

    /// What is known of an inbox and still fresh.
    pub(crate) fn get(&self, inbox: InboxId) -> Option<V> {
        let (read_at, value) = self.values.get(&inbox)?;
        (read_at.elapsed() < self.age_max).then_some(value)
    }

    /// Remembers what has just been read.
    pub(crate) fn insert(&self, inbox: InboxId, value: V) {
        self.values.insert(inbox, (Instant::now(), value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_fresh_is_known() {
        let inbox = InboxId::from_slice(&[7; 12]).expect("an id");
        let kept = Fresh::new(Duration::from_hours(1));
        assert_eq!(kept.get(inbox), None);
        kept.insert(inbox, 1);
        kept.insert(inbox, 2);
        assert_eq!(kept.get(inbox), Some(2), "the newest");
        let stale = Fresh::new(Duration::ZERO);
        stale.insert(inbox, 1);
        assert_eq!(stale.get(inbox), None);
    }

    #[test]
    fn more_inboxes_than_fit_push_others_out() {
        let kept = Fresh::new(Duration::from_hours(1));
        for number in 0..3 * INBOXES_MAX as u64 {
            let mut id = [0; 12];
            id[..8].copy_from_slice(&number.to_le_bytes());
            kept.insert(InboxId::from_slice(&id).expect("an id"), number);
        }
        assert!(kept.values.len() <= INBOXES_MAX, "{}", kept.values.len());
    }
}
