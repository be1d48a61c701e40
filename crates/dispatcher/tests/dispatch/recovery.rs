//! A start after a kill: exactly what was acked, nothing twice, nothing unknown skipped.

use std::collections::HashSet;

use bytes::Bytes;
use frontdesk_core::store;
use frontdesk_dispatcher::{DispatchError, DispatcherOptions};
use frontdesk_storage::{History as _, MessageLog as _, Record};
use frontdesk_storage_embedded::Durability;
use prost::Message as _;

use crate::{
    model::{conversation, say},
    node::{LOG, Node},
};

/// Five batches of two records each, of which the history takes `applied`.
fn killed_after(applied: u64) -> Node {
    let mut node = Node::new(DispatcherOptions::default(), Durability::Async, Some(applied));
    for batch in 0..5_u8 {
        let unique = u32::from(batch) * 2;
        node.turn([say(batch, unique), say(9, unique + 1)]);
        node.tend(node.options.flush_interval_ms, 0);
    }
    // The history has what it may before the process ends.
    while node.history().applied(LOG).unwrap() < applied * 2 {
        std::thread::yield_now();
    }
    node.kill();
    node
}

#[test]
fn r01_a_history_behind_by_any_number_of_batches_is_brought_up() {
    for applied in 0..=5_u64 {
        for projected in [0, 3, 10] {
            let mut node = killed_after(applied);
            assert_eq!(node.history().applied(LOG).unwrap(), applied * 2);
            let recovered = node.start(projected, None);
            assert_eq!(recovered.records, 10 - applied * 2);
            assert_eq!(recovered.offset, 10);
            let mut touched = HashSet::new();
            for batch in 0..5_u8 {
                let offset = u64::from(batch) * 2 + 1;
                touched.extend((offset > projected).then_some(conversation(batch)));
                touched.extend((offset + 1 > projected).then_some(conversation(9)));
            }
            assert_eq!(recovered.touched.into_iter().collect::<HashSet<_>>(), touched);
            let now_ms = node.now_ms;
            let page = node.dispatcher().page(conversation(9), None, 50, now_ms).unwrap();
            assert_eq!(page.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        }
    }
}

#[test]
fn a_start_after_a_stop_folds_nothing_also_behind_records_that_changed_nothing() {
    let mut node = Node::plain();
    node.turn([say(1, 1), say(1, 1), say(1, 1)]);
    node.settle();
    node.turn([say(1, 1)]);
    node.stop();
    let recovered = node.start(4, None);
    assert_eq!((recovered.records, recovered.offset), (0, 4));
    assert!(recovered.touched.is_empty());
}

#[test]
fn a_replay_longer_than_memory_lets_go_of_what_the_history_holds() {
    let options = DispatcherOptions { lag_bytes_max: 4_096, ..DispatcherOptions::default() };
    let mut node = Node::new(options, Durability::Async, Some(0));
    node.options.flush_bytes = 1_024;
    for round in 0..20_u32 {
        // Below the bound of what a turn may leave behind, because the history takes nothing.
        let Some(dispatcher) = node.dispatcher.take() else { panic!("no dispatcher") };
        drop_killed(&mut node, dispatcher);
        node.start(0, Some(0));
        node.turn((0..5).map(|n| say(n as u8, round * 5 + n)));
    }
    node.kill();
    node.start(0, None);
    for number in 0..5 {
        let now_ms = node.now_ms;
        let state = node.dispatcher().state(conversation(number), now_ms).unwrap().unwrap();
        assert_eq!(state.last_seq(), 20);
    }
}

fn drop_killed(node: &mut Node, dispatcher: frontdesk_dispatcher::Dispatcher) {
    node.dispatcher = Some(dispatcher);
    node.kill();
}

/// Appends one record behind a good one and starts.
fn start_with(payload: &[u8]) -> DispatchError {
    let mut node = Node::plain();
    node.turn([say(1, 1)]);
    node.kill();
    let mut log = node.open_log();
    log.append(&[Record { partition: 17, payload }]).unwrap();
    drop(log);
    match node.recover(0) {
        Ok(_) => panic!("an unknown record was skipped"),
        Err(error) => error,
    }
}

#[test]
fn an_unknown_kind_of_record_stops_the_start_and_is_named() {
    let (_, known) = say(1, 2);
    // Field 15: a body of a later version. An empty change or content likewise.
    let mut later = store::Proposal { body: None, ..known.clone() }.encode_to_vec();
    later.extend_from_slice(&[15 << 3 | 2, 0]);
    let change = store::proposal::Body::Change(store::Change::default());
    let change = store::Proposal { body: Some(change), ..known.clone() };
    let content = store::Send {
        content: Some(frontdesk_core::chat::Content::default()),
        ..store::Send::default()
    };
    let content =
        store::Proposal { body: Some(store::proposal::Body::Send(content)), ..known.clone() };
    let nowhere = store::Proposal { conversation: Bytes::from_static(b"short"), ..known };
    for payload in [
        later,
        change.encode_to_vec(),
        content.encode_to_vec(),
        nowhere.encode_to_vec(),
        b"\xff\xff".to_vec(),
    ] {
        match start_with(&payload) {
            DispatchError::Record { log, offset, partition, .. } => {
                assert_eq!((log, offset, partition), (LOG, 2, 17));
            }
            error => panic!("{error:?}"),
        }
    }
}

#[test]
fn a_proposal_of_an_unknown_kind_never_enters_the_log() {
    let mut node = Node::plain();
    let (id, mut bad) = say(1, 1);
    bad.body = None;
    let results = node.turn([say(1, 2), (id, bad), say(1, 3)]);
    assert!(results[0].result.is_ok() && results[2].result.is_ok());
    assert_eq!(results[1].result.as_ref().unwrap_err().code(), "request.invalid");
    assert_eq!(node.dispatcher().folded(), 2);
    node.kill();
    assert_eq!(node.start(0, None).offset, 2);
}
