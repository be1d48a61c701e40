//! What is given out while a log keeps its dispatcher waiting.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use frontdesk_core::store::{Proposal, proposal::Body};
use frontdesk_dispatcher::Overdue;
use frontdesk_storage::{Begun, LogError, MessageLog, Offset, Record, Visit};
use frontdesk_storage_embedded::SegmentLog;
use prost::Message as _;

use crate::{
    model::{conversation, cursor, say, visitor},
    node::Node,
};

/// A log whose appends end when the test says so.
struct Late {
    inner: SegmentLog,
    is_away: Arc<AtomicBool>,
    pending: Option<Offset>,
}

impl MessageLog for Late {
    fn append(&mut self, records: &[Record<'_>]) -> Result<Offset, LogError> {
        self.inner.append(records)
    }

    fn begin(&mut self, records: &[Record<'_>]) -> Result<Begun, LogError> {
        assert_eq!(self.pending, None, "one append at a time");
        self.pending = Some(self.inner.append(records)?);
        Ok(Begun::Pending)
    }

    fn ended(&mut self) -> Option<Result<Offset, LogError>> {
        if self.is_away.load(Ordering::Relaxed) {
            return None;
        }
        self.pending.take().map(Ok)
    }

    fn next_offset(&self) -> Offset {
        self.pending.unwrap_or_else(|| self.inner.next_offset())
    }

    fn first_offset(&self) -> Offset {
        self.inner.first_offset()
    }

    fn read(&self, from: Offset, visit: Visit<'_>) -> Result<(), LogError> {
        self.inner.read(from, visit)
    }

    fn trim(&mut self, before: Offset) -> Result<(), LogError> {
        self.inner.trim(before)
    }
}

const PATIENCE_MS: i64 = 1_000;

fn words(overdue: &[Overdue]) -> Vec<Vec<u8>> {
    let id = |of: &Overdue| match Proposal::decode(&of.record[..]).unwrap().body {
        Some(Body::Send(send)) => send.client_msg_id.to_vec(),
        other => panic!("{other:?} is no message"),
    };
    overdue.iter().map(id).collect()
}

#[test]
fn messages_that_a_log_keeps_waiting_are_given_out_once_and_in_order() {
    let mut node = Node::plain();
    let is_away = Arc::new(AtomicBool::new(true));
    node.stop();
    let inner = node.open_log();
    let log = Late { inner, is_away: Arc::clone(&is_away), pending: None };
    node.begin(Box::new(log));
    let now_ms = node.now_ms;
    let dispatcher = node.dispatcher();
    let messages = [say(1, 1), say(1, 2), say(1, 3)];
    let ids = |range: std::ops::Range<usize>| -> Vec<Vec<u8>> {
        let id = |(_, proposal): &(_, Proposal)| match &proposal.body {
            Some(Body::Send(send)) => send.client_msg_id.to_vec(),
            other => panic!("{other:?} is no message"),
        };
        messages[range].iter().map(id).collect()
    };
    let mut results = Vec::new();
    let [first, second, third] = messages.clone();
    dispatcher.stage(0, first.0, first.1);
    dispatcher.commit(now_ms, &mut results);
    // Behind the append that is under way.
    dispatcher.stage(1, second.0, second.1);
    dispatcher.stage(2, conversation(1), cursor(1, visitor(1), 1));
    let later_ms = now_ms + PATIENCE_MS;
    assert!(dispatcher.overdue(later_ms, PATIENCE_MS, 9).is_empty(), "it is not late yet");
    let later_ms = later_ms + 1;
    assert_eq!(words(&dispatcher.overdue(later_ms, PATIENCE_MS, 1)), ids(0..1), "within the limit");
    assert_eq!(words(&dispatcher.overdue(later_ms, PATIENCE_MS, 9)), ids(1..2), "messages alone");
    assert!(dispatcher.overdue(later_ms, PATIENCE_MS, 9).is_empty(), "each once");
    dispatcher.stage(3, third.0, third.1);
    assert_eq!(words(&dispatcher.overdue(later_ms, PATIENCE_MS, 9)), ids(2..3));
    assert!(results.is_empty(), "nobody has an answer");

    is_away.store(false, Ordering::Relaxed);
    dispatcher.commit(later_ms, &mut results);
    dispatcher.commit(later_ms, &mut results);
    assert_eq!(results.iter().map(|one| one.tag).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(dispatcher.overdue(later_ms + 9 * PATIENCE_MS, PATIENCE_MS, 9).is_empty());
}
