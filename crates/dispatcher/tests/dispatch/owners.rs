//! Another owner takes the partition while an append of this one is under way.

use std::sync::{Arc, atomic::Ordering};

use frontdesk_core::{id::ConversationId, store};
use frontdesk_dispatcher::{Committed, Dispatcher, DispatcherOptions};
use frontdesk_storage::History;
use frontdesk_storage_embedded::{Durability, SegmentLog};

use crate::{
    late::Late,
    model::{client_msg_id, conversation, retract, send, visitor},
    node::{LOG, Node, log_options},
};

fn stage(dispatcher: &mut Dispatcher, proposals: &[(ConversationId, store::Proposal)]) {
    for (tag, (conversation, proposal)) in (0..).zip(proposals) {
        dispatcher.stage(tag, *conversation, proposal.clone());
    }
}

#[test]
fn r29_an_append_whose_end_is_heard_late_is_folded_as_by_the_owner_who_came_meanwhile() {
    let said = |id, unique| {
        let proposal = send(1, visitor(1), client_msg_id(id), unique, "text");
        (conversation(1), proposal)
    };
    let first = [said(9, 1)];
    // Ids that do not rise have to be asked for, and so has what is taken back.
    let append = [said(5, 2), said(4, 3), (conversation(1), retract(1, visitor(1), 1, 4))];

    let mut node = Node::plain();
    node.turn(first.clone());
    node.stop();
    let (log, _) = node.recover(0).unwrap();
    let (log, is_away) = Late::away(log);
    node.begin(log);
    let mut late: Vec<Committed> = Vec::new();
    stage(node.dispatcher(), &append);
    node.dispatcher().commit(0, &mut late);
    assert!(late.is_empty());

    // The other one has the same records, and the history of both has what they fold to.
    let dir = tempfile::tempdir().unwrap();
    let log = SegmentLog::open(dir.path(), log_options(Durability::Async)).unwrap();
    let history: Arc<dyn History> = Arc::clone(node.history()) as _;
    let options = DispatcherOptions::default();
    let mut other = Dispatcher::new(LOG, Box::new(log), history, options).unwrap();
    let mut expected = Vec::new();
    stage(&mut other, &first);
    other.commit(0, &mut expected);
    expected.clear();
    stage(&mut other, &append);
    other.commit(0, &mut expected);
    other.finish().unwrap();

    is_away.store(false, Ordering::Relaxed);
    node.dispatcher().commit(0, &mut late);
    let folded = |all: Vec<Committed>| -> Vec<_> {
        all.into_iter().map(|committed| committed.result.unwrap()).collect()
    };
    assert_eq!(folded(late), folded(expected));
}
