//! Failed writes: nothing acked, nothing folded, and the reason told (R5, R6, I7).

use frontdesk_dispatcher::{Committed, DispatcherOptions};
use frontdesk_storage::History as _;
use frontdesk_storage_embedded::{
    Durability,
    failpoint::{self, Point},
};

use crate::{
    model::{conversation, say},
    node::{LOG, Node},
};

fn all_refused(results: &[Committed], code: &str) {
    assert!(!results.is_empty());
    for committed in results {
        assert_eq!(committed.result.as_ref().unwrap_err().code(), code);
    }
}

#[test]
fn r06_a_failed_write_or_sync_refuses_the_whole_turn_and_all_later_ones() {
    for point in [Point::LogWrite, Point::LogSync] {
        let mut node = Node::new(DispatcherOptions::default(), Durability::Sync, None);
        node.turn([say(1, 1)]);
        failpoint::arm(point, &node.log_dir(), 0);
        let results = node.turn([say(1, 2), say(2, 3), say(1, 4)]);
        assert_eq!(results.iter().map(|one| one.tag).collect::<Vec<_>>(), [0, 1, 2]);
        all_refused(&results, "storage.unavailable");
        assert!(results.iter().all(|one| one.result.as_ref().unwrap_err().is_final()));
        all_refused(&node.turn([say(1, 5)]), "storage.unavailable");
        assert_eq!(node.dispatcher().folded(), 1);
        let now_ms = node.now_ms;
        assert!(node.dispatcher().state(conversation(2), now_ms).unwrap().is_none());
        let page = node.dispatcher().page(conversation(1), None, 9, now_ms).unwrap();
        assert_eq!(page.len(), 1, "reads go on, and show nothing of the failed turn");
        node.kill();
        // What was not acked may be there after a restart or not, but in order.
        let offset = node.start(0, None).offset;
        assert!((1..=4).contains(&offset), "{offset}");
    }
}

/// Whoever hands a partition over waits for a while only; the log holds what the history did not take.
#[test]
fn r20_a_history_that_is_away_does_not_hold_up_the_end_for_ever() {
    let mut node = Node::plain();
    node.turn([say(1, 1)]);
    node.settle();
    node.history().go_away();
    // More batches than its writer keeps, and one more.
    for number in 2..30 {
        node.turn([say(1, number)]);
        let interval_ms = node.options.flush_interval_ms;
        node.tend(interval_ms, 0);
    }
    let folded = node.dispatcher().folded();
    assert!(node.dispatcher.take().unwrap().finish().is_err(), "not all of it is written");
    assert_eq!(node.history().applied(LOG).unwrap(), 1);
    let offset = node.start(0, None).offset;
    assert_eq!(offset, folded, "the next owner folds it");
}

#[test]
fn r05_a_full_disk_refuses_and_ends_by_itself() {
    let mut node = Node::plain();
    node.turn([say(1, 1)]);
    failpoint::set_free_bytes(&node.log_dir(), Some(0));
    let reserve = frontdesk_storage_embedded::Reserve::default();
    node.stop();
    let log_options = frontdesk_storage_embedded::LogOptions {
        reserve,
        ..crate::node::log_options(Durability::Async)
    };
    failpoint::set_free_bytes(&node.log_dir(), None);
    let log = frontdesk_storage_embedded::SegmentLog::open(&node.log_dir(), log_options).unwrap();
    node.begin(Box::new(log));
    failpoint::set_free_bytes(&node.log_dir(), Some(1 << 20));
    let refused = loop {
        // The log asks for the free space now and then, not for each turn.
        let results = node.turn([say(1, 2), say(2, 3)]);
        if results[0].result.is_err() {
            break results;
        }
    };
    all_refused(&refused, "storage.full");
    assert!(!refused[0].result.as_ref().unwrap_err().is_final());
    failpoint::set_free_bytes(&node.log_dir(), None);
    let now_ms = node.now_ms;
    let before = node.dispatcher().page(conversation(1), None, 9, now_ms).unwrap().len();
    while node.turn([say(1, 1_000)])[0].result.is_err() {
        std::thread::yield_now();
    }
    let after = node.dispatcher().page(conversation(1), None, 9, now_ms).unwrap().len();
    assert_eq!(after, before + 1);
}

#[test]
fn a_history_that_lags_too_far_refuses_until_it_has_caught_up() {
    let options = DispatcherOptions { lag_bytes_max: 2_000, ..DispatcherOptions::default() };
    let mut node = Node::new(options, Durability::Async, Some(0));
    let mut unique = 0;
    let refused = loop {
        unique += 1;
        let results = node.turn([say(1, unique)]);
        if results[0].result.is_err() {
            break results;
        }
        assert!(unique < 100, "never refused");
    };
    all_refused(&refused, "overloaded");
    assert_eq!(node.dispatcher().folded(), u64::from(unique) - 1);
    node.history().permit(100);
    node.settle();
    assert!(node.turn([say(1, unique)])[0].result.is_ok());
}

#[test]
fn r06_a_history_that_cannot_be_written_refuses_but_still_reads() {
    let mut node = Node::new(DispatcherOptions::default(), Durability::Async, None);
    node.turn([say(1, 1)]);
    node.settle();
    failpoint::arm(Point::HistoryWrite, &node.history_dir(), 0);
    node.turn([say(1, 2)]);
    node.tend(node.options.flush_interval_ms, 0);
    let mut unique = 3;
    let refused = loop {
        let results = node.turn([say(1, unique)]);
        if results[0].result.is_err() {
            break results;
        }
        unique += 1;
        std::thread::yield_now();
    };
    all_refused(&refused, "storage.unavailable");
    assert!(refused[0].result.as_ref().unwrap_err().is_final());
    // Nobody hangs, and what was acked is answered from memory.
    for _ in 0..40 {
        node.tend(node.options.flush_interval_ms, 0);
    }
    let now_ms = node.now_ms;
    let page = node.dispatcher().page(conversation(1), None, 100_000, now_ms).unwrap();
    assert_eq!(page.len() as u32, unique - 1);
    assert!(node.dispatcher.take().unwrap().finish().is_err());
    assert_eq!(node.history().applied(LOG).unwrap(), 1);
    // The log has it all.
    assert_eq!(node.start(0, None).records, u64::from(unique) - 2);
}
