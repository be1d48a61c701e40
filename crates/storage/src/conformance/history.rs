//! Cases for [`History`](crate::History).
//!
//! A log is a partition here, as in a cluster; where logs are something else, any number will do.

use std::collections::BTreeMap;
use std::{ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use frontdesk_core::id::ConversationId;
use frontdesk_core::partition_of;

use crate::{Batch, ConversationWrite, EntryWrite, History, MessageKey, Offset, Sent};

/// Opens the history under test; every call opens the same one again, after the former was
/// dropped.
pub type Open<'a, H> = &'a mut dyn FnMut() -> H;

/// The partitions of the installation under test; some have numbers of more than a byte.
pub const PARTITIONS: u16 = 300;

/// Makes a test of every case; takes an expression for a closure that opens the history.
#[macro_export]
macro_rules! history_suite {
    ($open:expr) => {
        $crate::history_suite!(@cases $open,
            an_empty_history_answers_nothing, entries_come_back_by_page, entries_come_back_since,
            conversations_do_not_mix, a_batch_is_applied_once, logs_do_not_mix,
            the_newest_state_wins, sent_ids_are_found, many_sent_ids_are_found_at_once, replaced_entries_keep_their_seq,
            batches_of_any_size_are_one_timeline,
            events_come_back_since, conversations_are_listed_in_order,
            persisted_batches_survive_reopening,
        );
    };
    (@cases $open:expr, $($case:ident,)*) => {
        $(#[test]
        fn $case() {
            let mut open = $open;
            $crate::conformance::history::$case(&mut open);
        })*
    };
}

/// A conversation id that differs with `number`.
pub fn conversation(number: u32) -> ConversationId {
    let mut bytes = [0x20; 12];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    ConversationId::from_bytes(bytes)
}

/// The entry with this seq, as the cases write it.
pub fn entry(seq: u64) -> EntryWrite {
    EntryWrite {
        seq,
        sender: format!("sender {}", seq % 2),
        client_msg_id: Bytes::copy_from_slice(&u128::from(seq).to_be_bytes()),
        content_hash: seq.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        entry: Bytes::from(format!("entry {seq}")),
    }
}

/// What a conversation gets: entries `seqs`, and a state that names the last.
pub fn write(number: u32, seqs: std::ops::RangeInclusive<u64>) -> ConversationWrite {
    ConversationWrite {
        conversation: conversation(number),
        state: Bytes::from(format!("state {number} {}", seqs.end())),
        entries: seqs.map(entry).map(Arc::new).collect(),
        replaced: Vec::new(),
        events: Vec::new(),
    }
}

/// A batch of log 0.
pub fn batch(offset: Offset, conversations: Vec<ConversationWrite>) -> Batch {
    Batch { log: 0, offset, conversations }
}

/// The log of a conversation.
pub fn log(number: u32) -> u16 {
    partition_of(&conversation(number), PARTITIONS)
}

/// One batch for each log that is written to.
pub fn batches(offset: Offset, conversations: Vec<ConversationWrite>) -> Vec<Batch> {
    let mut logs: BTreeMap<u16, Vec<_>> = BTreeMap::new();
    for change in conversations {
        logs.entry(partition_of(&change.conversation, PARTITIONS)).or_default().push(change);
    }
    let batch = |(log, conversations)| Batch { log, offset, conversations };
    logs.into_iter().map(batch).collect()
}

fn apply(history: &impl History, offset: Offset, conversations: Vec<ConversationWrite>) {
    for batch in batches(offset, conversations) {
        history.apply(&batch).expect("the history takes a batch");
    }
}

fn page(history: &impl History, number: u32, before: Option<u64>, limit: usize) -> Vec<u64> {
    let page = history.page(&conversation(number), before, limit).expect("readable");
    for (seq, bytes) in &page {
        assert_eq!(bytes, &entry(*seq).entry);
    }
    page.into_iter().map(|(seq, _)| seq).collect()
}

fn since(history: &impl History, number: u32, after: u64, limit: usize) -> Vec<u64> {
    let found = history.since(&conversation(number), after, limit).expect("readable");
    found.into_iter().map(|(seq, _)| seq).collect()
}

/// Nothing is found where nothing was applied.
pub fn an_empty_history_answers_nothing<H: History>(open: Open<'_, H>) {
    let history = open();
    assert_eq!(history.applied(log(1)).expect("readable"), 0);
    assert_eq!(history.state(&conversation(1)).expect("readable"), None);
    assert_eq!(history.find(&conversation(1), "a", b"b").expect("readable"), None);
    assert!(page(&history, 1, None, 10).is_empty());
    assert!(since(&history, 1, 0, 10).is_empty());
    history.persist().expect("nothing to persist");
}

/// A page is the newest below `before`, ascending.
pub fn entries_come_back_by_page<H: History>(open: Open<'_, H>) {
    let history = open();
    apply(&history, 1, vec![write(1, 1..=300)]);
    assert_eq!(page(&history, 1, None, 3), [298, 299, 300]);
    assert_eq!(page(&history, 1, Some(298), 3), [295, 296, 297]);
    assert_eq!(page(&history, 1, Some(3), 10), [1, 2]);
    assert_eq!(page(&history, 1, Some(1), 10), [0; 0]);
    assert_eq!(page(&history, 1, Some(0), 10), [0; 0]);
    assert_eq!(page(&history, 1, Some(u64::MAX), 1), [300]);
    assert_eq!(page(&history, 1, None, 0), [0; 0]);
}

/// What came after a seq, oldest first.
pub fn entries_come_back_since<H: History>(open: Open<'_, H>) {
    let history = open();
    apply(&history, 1, vec![write(1, 1..=5)]);
    assert_eq!(since(&history, 1, 0, 2), [1, 2]);
    assert_eq!(since(&history, 1, 3, 10), [4, 5]);
    assert_eq!(since(&history, 1, 5, 10), [0; 0]);
    assert_eq!(since(&history, 1, u64::MAX, 10), [0; 0]);
}

/// Neighbouring conversations are kept apart.
pub fn conversations_do_not_mix<H: History>(open: Open<'_, H>) {
    let history = open();
    apply(&history, 1, vec![write(1, 1..=2), write(2, 1..=3), write(3, 1..=1)]);
    assert_eq!(page(&history, 2, None, 10), [1, 2, 3]);
    assert_eq!(since(&history, 1, 0, 10), [1, 2]);
    assert_eq!(history.find(&conversation(1), "sender 1", &[0; 16]).expect("readable"), None);
}

/// Many questions have the answers of each alone, in their order.
pub fn many_sent_ids_are_found_at_once<H: History>(open: Open<'_, H>) {
    let history = open();
    apply(&history, 1, (1..=20).map(|number| write(number, 1..=30)).collect());
    let ids: Vec<Bytes> = (1..=40).map(|seq| entry(seq).client_msg_id).collect();
    let mut keys = Vec::new();
    for number in 1..=21 {
        for (seq, client_msg_id) in (1_u32..).zip(&ids) {
            // Some were never sent, some by another sender.
            let sender = match (number + seq) % 7 {
                0 => "sender 2",
                _ if seq % 2 == 0 => "sender 0",
                _ => "sender 1",
            };
            keys.push(MessageKey { conversation: conversation(number), sender, client_msg_id });
        }
        let conversation = conversation(number);
        keys.push(MessageKey { conversation, sender: "", client_msg_id: b"" });
    }
    // One of them twice.
    keys.push(keys[0]);
    let found = history.find_many(&keys).expect("readable");
    let alone = |key: &MessageKey<'_>| {
        history.find(&key.conversation, key.sender, key.client_msg_id).expect("readable")
    };
    assert_eq!(found, keys.iter().map(alone).collect::<Vec<_>>());
    assert!(found.iter().flatten().count() > 400, "most were sent");
    assert_eq!(history.find_many(&[]).expect("readable"), []);
}

/// A batch applied again, or an older one, changes nothing.
pub fn a_batch_is_applied_once<H: History>(open: Open<'_, H>) {
    let history = open();
    apply(&history, 5, vec![write(1, 1..=2)]);
    apply(&history, 9, vec![write(1, 3..=3)]);
    for offset in [9, 5, 3] {
        apply(&history, offset, vec![write(1, 7..=7)]);
    }
    assert_eq!(history.applied(log(1)).expect("readable"), 9);
    assert_eq!(page(&history, 1, None, 10), [1, 2, 3]);
    let state = history.state(&conversation(1)).expect("readable");
    assert_eq!(state.as_deref(), Some(&b"state 1 3"[..]));
}

/// Each log has its own offset.
pub fn logs_do_not_mix<H: History>(open: Open<'_, H>) {
    let history = open();
    let second = (2..1_000_000).find(|number| log(*number) > 255).expect("one of them");
    let first = 1;
    assert_ne!(log(first), log(second));
    apply(&history, 7, vec![write(first, 1..=1)]);
    apply(&history, 3, vec![write(second, 1..=1)]);
    let applied = |number| history.applied(log(number)).expect("readable");
    assert_eq!([applied(first), applied(second)], [7, 3]);
    let other = (0..PARTITIONS).find(|other| ![log(first), log(second)].contains(other));
    assert_eq!(history.applied(other.expect("more than two")).expect("readable"), 0);
}

/// The state is the last one written.
pub fn the_newest_state_wins<H: History>(open: Open<'_, H>) {
    let history = open();
    for seq in 1..=20 {
        apply(&history, seq, vec![write(1, seq..=seq)]);
    }
    let state = history.state(&conversation(1)).expect("readable");
    assert_eq!(state.as_deref(), Some(&b"state 1 20"[..]));
}

/// Every id sent is found under its sender, and under no other.
pub fn sent_ids_are_found<H: History>(open: Open<'_, H>) {
    let history = open();
    let mut nameless = write(1, 1..=50);
    nameless.entries[9] = Arc::new(EntryWrite { client_msg_id: Bytes::new(), ..entry(10) });
    apply(&history, 1, vec![nameless]);
    for seq in 1..=50 {
        let EntryWrite { sender, client_msg_id, content_hash, .. } = entry(seq);
        let found = history.find(&conversation(1), &sender, &client_msg_id).expect("readable");
        let expected = (seq != 10).then_some(Sent { seq, content_hash });
        assert_eq!(found, expected);
        let other = history.find(&conversation(1), "another", &client_msg_id).expect("readable");
        assert_eq!(other, None);
    }
    assert_eq!(history.find(&conversation(1), "sender 0", b"").expect("readable"), None);
}

/// A replaced entry has the new content; its id is still found.
pub fn replaced_entries_keep_their_seq<H: History>(open: Open<'_, H>) {
    let history = open();
    apply(&history, 1, vec![write(1, 1..=3)]);
    let mut replacing = write(1, 4..=4);
    replacing.replaced = vec![(2, Bytes::from_static(b"gone")), (4, Bytes::from_static(b"gone"))];
    apply(&history, 2, vec![replacing]);
    let found = history.since(&conversation(1), 0, 10).expect("readable");
    let found: Vec<_> = found.iter().map(|(seq, bytes)| (*seq, &bytes[..])).collect();
    assert_eq!(found, [(1, &b"entry 1"[..]), (2, b"gone"), (3, b"entry 3"), (4, b"gone")]);
    let sent = history.find(&conversation(1), "sender 0", &entry(2).client_msg_id);
    assert_eq!(sent.expect("readable").map(|sent| sent.seq), Some(2));
}

/// How many entries came together does not show: not from where they are read, not when some of them
/// are replaced, not by their ids.
pub fn batches_of_any_size_are_one_timeline<H: History>(open: Open<'_, H>) {
    let history = open();
    let mut last = 0;
    for (offset, count) in (1..).zip([1, 2, 7, 8, 9, 63, 64, 65, 200, 1, 30]) {
        let mut change = write(1, last + 1..=last + count);
        if last > 3 {
            // Two of an earlier batch, one of them for the second time, and one of this one.
            change.replaced = [3, last, last + 1].map(|seq| (seq, entry(seq).entry)).to_vec();
        }
        apply(&history, offset, vec![change, write(2, offset..=offset)]);
        last += count;
    }
    for seq in 0..=last + 1 {
        let newer: Vec<_> = (seq + 1..=last).take(5).collect();
        assert_eq!(since(&history, 1, seq, 5), newer);
        let older: Vec<_> = (seq.saturating_sub(5).max(1)..seq).collect();
        assert_eq!(page(&history, 1, Some(seq), 5), older);
    }
    for seq in 1..=last {
        let EntryWrite { sender, client_msg_id, content_hash, .. } = entry(seq);
        let found = history.find(&conversation(1), &sender, &client_msg_id).expect("readable");
        assert_eq!(found, Some(Sent { seq, content_hash }));
    }
    assert_eq!(since(&history, 2, 0, 20), (1..=11).collect::<Vec<_>>());
}

/// Session events have numbers of their own.
pub fn events_come_back_since<H: History>(open: Open<'_, H>) {
    let history = open();
    let mut with_events = write(1, 1..=1);
    with_events.events =
        (1..=4).map(|number| (number, Bytes::from(format!("event {number}")))).collect();
    apply(&history, 1, vec![with_events, write(2, 1..=9)]);
    let found = history.events(&conversation(1), 1, 2).expect("readable");
    assert_eq!(found, [(2, Bytes::from_static(b"event 2")), (3, Bytes::from_static(b"event 3"))]);
    assert!(history.events(&conversation(2), 0, 10).expect("readable").is_empty());
    assert_eq!(page(&history, 1, None, 10), [1]);
}

/// All conversations are visited, ids ascending, until told to stop.
pub fn conversations_are_listed_in_order<H: History>(open: Open<'_, H>) {
    let history = open();
    apply(&history, 1, [5, 1, 300, 2].map(|number| write(number, 1..=2)).to_vec());
    let mut listed = Vec::new();
    history
        .conversations(&mut |id, state| {
            listed.push((id, state));
            ControlFlow::Continue(())
        })
        .expect("readable");
    let expected = [1, 2, 5, 300].map(|n| (conversation(n), Bytes::from(format!("state {n} 2"))));
    assert_eq!(listed, expected);
    let mut count = 0;
    history
        .conversations(&mut |_, _| {
            count += 1;
            ControlFlow::Break(())
        })
        .expect("readable");
    assert_eq!(count, 1);
}

/// What was persisted is there again, offset and all.
pub fn persisted_batches_survive_reopening<H: History>(open: Open<'_, H>) {
    let history = open();
    apply(&history, 1, vec![write(1, 1..=100), write(2, 1..=1)]);
    history.persist().expect("durable");
    drop(history);
    let history = open();
    assert_eq!(history.applied(log(1)).expect("readable"), 1);
    assert_eq!(page(&history, 1, None, 200), (1..=100).collect::<Vec<_>>());
    apply(&history, 2, vec![write(1, 101..=101)]);
    history.persist().expect("durable");
    drop(history);
    assert_eq!(page(&open(), 1, None, 2), [100, 101]);
}
