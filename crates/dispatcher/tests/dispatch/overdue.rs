//! What is given out while a log keeps its dispatcher waiting.

use std::sync::atomic::Ordering;

use frontdesk_core::store::{Proposal, proposal::Body};
use frontdesk_dispatcher::Overdue;
use prost::Message as _;

use crate::{
    late::Late,
    model::{conversation, cursor, say, visitor},
    node::Node,
};

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
    node.stop();
    let (log, is_away) = Late::away(Box::new(node.open_log()));
    node.begin(log);
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
