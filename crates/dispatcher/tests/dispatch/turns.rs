//! Order, numbers and repeats.

use frontdesk_core::{
    fold::{Conversation, Verdict},
    store::Proposal,
};
use frontdesk_dispatcher::Committed;

use crate::{
    model::{client_msg_id, conversation, cursor, say, send, visitor},
    node::{LOG, Node},
};
use frontdesk_storage::History as _;

fn seq(committed: &Committed) -> u64 {
    match committed.result.as_ref().unwrap().verdict {
        Verdict::Accepted { seq, .. } | Verdict::Repeat { seq, .. } => seq,
        ref other => panic!("{other:?}"),
    }
}

fn repeats(committed: &[Committed]) -> bool {
    committed
        .iter()
        .all(|one| matches!(one.result.as_ref().unwrap().verdict, Verdict::Repeat { .. }))
}

#[test]
fn a_turn_comes_back_in_its_order_with_dense_seqs() {
    let mut node = Node::plain();
    let results = node.turn([say(1, 1), say(2, 2), say(1, 3), say(1, 4), say(2, 5)]);
    let places: Vec<_> = results.iter().map(|r| (r.tag, r.conversation, seq(r))).collect();
    let (a, b) = (conversation(1), conversation(2));
    assert_eq!(places, [(0, a, 1), (1, b, 1), (2, a, 2), (3, a, 3), (4, b, 2)]);
    assert_eq!(node.dispatcher().folded(), 5);
    let created = |r: &Committed| r.result.as_ref().unwrap().created;
    assert_eq!(results.iter().map(created).collect::<Vec<_>>(), [true, true, false, false, false]);
    assert!(node.turn([]).is_empty(), "a turn with nothing writes nothing");
    assert_eq!(node.dispatcher().folded(), 5);
}

#[test]
fn a_repeat_gets_the_first_place_wherever_that_lies() {
    let mut node = Node::plain();
    let first = say(1, 1);
    let places = node.turn([first.clone(), say(1, 2), first.clone()]);
    assert_eq!(seq(&places[0]), seq(&places[2]), "in one turn");
    assert_eq!(seq(&node.turn([first.clone()])[0]), 1, "in memory");

    // Many newer ids push it out of what the state remembers; it still lies in the tail.
    let many: Vec<_> = (3..200).map(|unique| say(1, unique)).collect();
    node.turn(many.clone());
    assert!(repeats(&node.turn([first.clone(), say(1, 100)])), "in the tail");
    node.settle();
    assert!(repeats(&node.turn([first.clone(), say(1, 100)])), "in the history");

    let evict = node.options.evict_after_ms;
    node.tend(evict + 1_000, 0);
    assert!(node.dispatcher().state_in_memory(conversation(1)).is_none(), "evicted");
    let again = node.turn([first.clone(), say(1, 199), say(1, 2)]);
    assert!(repeats(&again), "after eviction");
    assert_eq!(again.iter().map(seq).collect::<Vec<_>>(), [1, 199, 2]);

    node.stop();
    node.start(0, None);
    let again = node.turn(std::iter::once(first).chain(many));
    assert!(repeats(&again), "after a restart");
    assert_eq!(again.iter().map(seq).max(), Some(199));
    assert_eq!(seq(&node.turn([say(1, 500)])[0]), 200, "and the next is the next");
}

#[test]
fn a_reused_id_with_other_content_is_refused_also_long_after() {
    let mut node = Node::plain();
    let id = client_msg_id(5);
    let other = |text: &str, unique| -> (_, Proposal) {
        (conversation(1), send(1, visitor(1), id.clone(), unique, text))
    };
    node.turn([other("first", 1)]);
    node.turn((10..60).map(|unique| say(1, unique)));
    node.stop();
    node.start(0, None);
    let refused = node.turn([other("second", 2)]);
    match &refused[0].result.as_ref().unwrap().verdict {
        Verdict::Refused(refused) => assert_eq!(refused.code(), "message.id_reused"),
        verdict => panic!("{verdict:?}"),
    }
}

#[test]
fn cursors_alone_reach_the_history_too() {
    let mut node = Node::plain();
    node.turn([say(1, 1), say(1, 2)]);
    node.settle();
    node.turn([(conversation(1), cursor(1, visitor(1), 2))]);
    assert!(node.dispatcher().needs_tending());
    node.settle();
    assert_eq!(node.history().applied(LOG).unwrap(), 3);
    assert!(!node.dispatcher().needs_tending());
    node.kill();
    node.start(0, None);
    let now_ms = node.now_ms;
    let state = node.dispatcher().state(conversation(1), now_ms).unwrap().unwrap();
    assert_eq!(state.state().cursors[0].read_seq, 2);
}

#[test]
fn a_batch_put_together_over_turns_holds_conversations_as_they_were_at_one_offset() {
    const CONVERSATIONS: u8 = 200;
    let mut node = Node::plain();
    node.turn((1..=CONVERSATIONS).map(|number| say(number, number.into())));
    let waits = node.options.flush_interval_ms;
    let now_ms = node.now_ms + waits;
    node.now_ms = now_ms;
    assert!(node.dispatcher().tend(now_ms, 0), "one turn does not pack them all");
    // Every conversation goes on before the batch is complete, a few in each turn.
    let mut turns = 0;
    for first in (1..=CONVERSATIONS).step_by(20) {
        node.turn((first..first + 20).map(|number| say(number, 1_000 + u32::from(number))));
        turns += 1;
        if !node.dispatcher().tend(now_ms, 0) {
            break;
        }
    }
    assert!(turns > 1, "the batch was under way meanwhile");
    while node.history().applied(LOG).unwrap() == 0 {
        std::thread::yield_now();
    }
    node.kill();
    assert_eq!(node.history().applied(LOG).unwrap(), u64::from(CONVERSATIONS));
    for number in 1..=CONVERSATIONS {
        let state =
            node.history().state(&conversation(number)).unwrap().expect("it was in the batch");
        let state = Conversation::decode(&state).unwrap();
        assert_eq!(state.last_seq(), 1, "conversation {number} has what came behind the offset");
    }
    // Nothing behind it is lost, or counted twice.
    node.start(0, None);
    let written = 20 * turns;
    for number in 1..=CONVERSATIONS {
        let now_ms = node.now_ms;
        let state = node.dispatcher().state(conversation(number), now_ms).unwrap().unwrap();
        assert_eq!(state.last_seq(), if number <= written { 2 } else { 1 });
    }
}
