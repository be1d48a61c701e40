//! Cases for [`MessageLog`](crate::MessageLog).

use std::ops::ControlFlow;

use crate::{LogError, MessageLog, Offset, Record};

/// Opens the log under test; every call opens the same one again, after the former was dropped.
pub type Open<'a, L> = &'a mut dyn FnMut() -> L;

/// Makes a test of every case; takes an expression for a closure that opens the log.
#[macro_export]
macro_rules! message_log_suite {
    ($open:expr) => {
        $crate::message_log_suite!(@cases $open,
            offsets_are_dense_from_one, records_come_back_in_order, reading_starts_anywhere,
            reading_stops_when_told, reopening_keeps_everything, an_empty_append_does_nothing,
            empty_and_large_payloads_fit, a_payload_too_large_changes_nothing,
            trimming_keeps_what_is_asked_for, trimming_survives_reopening,
            reading_what_is_trimmed_is_an_error,
        );
    };
    (@cases $open:expr, $($case:ident,)*) => {
        $(#[test]
        fn $case() {
            let mut open = $open;
            $crate::conformance::log::$case(&mut open);
        })*
    };
}

/// Reads all records at or after `from`.
pub fn read_all(log: &impl MessageLog, from: Offset) -> Vec<(Offset, u16, Vec<u8>)> {
    let mut records = Vec::new();
    log.read(from, &mut |offset, partition, payload| {
        records.push((offset, partition, payload.to_vec()));
        ControlFlow::Continue(())
    })
    .expect("a whole log can be read");
    records
}

/// Appends one record per payload, all in one append; the partition is the payload's length.
pub fn append(log: &mut impl MessageLog, payloads: &[&[u8]]) -> Offset {
    let records: Vec<_> = payloads
        .iter()
        .map(|payload| Record { partition: payload.len() as u16, payload })
        .collect();
    log.append(&records).expect("there is room")
}

fn appended<L: MessageLog>(open: Open<'_, L>, count: u64) -> L {
    let mut log = open();
    for number in 1..=count {
        append(&mut log, &[format!("record {number}").as_bytes()]);
    }
    log
}

/// Offsets start at 1 and have no gaps, over appends of any size.
pub fn offsets_are_dense_from_one<L: MessageLog>(open: Open<'_, L>) {
    let mut log = open();
    assert_eq!((log.first_offset(), log.next_offset()), (1, 1));
    assert_eq!(append(&mut log, &[b"a", b"b", b"c"]), 1);
    assert_eq!(append(&mut log, &[b"d"]), 4);
    assert_eq!(log.next_offset(), 5);
    let offsets: Vec<_> = read_all(&log, 1).into_iter().map(|(offset, ..)| offset).collect();
    assert_eq!(offsets, [1, 2, 3, 4]);
}

/// Records keep order, partition and payload.
pub fn records_come_back_in_order<L: MessageLog>(open: Open<'_, L>) {
    let mut log = open();
    append(&mut log, &[b"one", b"three"]);
    append(&mut log, &[b"four"]);
    assert_eq!(
        read_all(&log, 1),
        [(1, 3, b"one".to_vec()), (2, 5, b"three".to_vec()), (3, 4, b"four".to_vec())]
    );
}

/// `from` is inclusive and may be the next offset.
pub fn reading_starts_anywhere<L: MessageLog>(open: Open<'_, L>) {
    let log = appended(open, 5);
    for from in 1..=6 {
        let offsets: Vec<_> = read_all(&log, from).into_iter().map(|(offset, ..)| offset).collect();
        assert_eq!(offsets, (from..=5).collect::<Vec<_>>());
    }
}

/// A visitor that breaks sees nothing more.
pub fn reading_stops_when_told<L: MessageLog>(open: Open<'_, L>) {
    let log = appended(open, 5);
    let mut seen = Vec::new();
    log.read(2, &mut |offset, _, _| {
        seen.push(offset);
        if offset == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .expect("a whole log can be read");
    assert_eq!(seen, [2, 3]);
}

/// A log opened again holds what was appended and goes on behind it.
pub fn reopening_keeps_everything<L: MessageLog>(open: Open<'_, L>) {
    let log = appended(open, 3);
    let before = read_all(&log, 1);
    drop(log);
    let mut log = open();
    assert_eq!(read_all(&log, 1), before);
    assert_eq!(append(&mut log, &[b"next"]), 4);
    drop(log);
    assert_eq!(read_all(&open(), 1).len(), 4);
}

/// An empty append answers the next offset.
pub fn an_empty_append_does_nothing<L: MessageLog>(open: Open<'_, L>) {
    let mut log = appended(open, 2);
    assert_eq!(log.append(&[]).expect("nothing to write"), 3);
    assert_eq!(log.next_offset(), 3);
}

/// Payloads from nothing to 64 KiB, in appends of many records, come back whole.
pub fn empty_and_large_payloads_fit<L: MessageLog>(open: Open<'_, L>) {
    let mut log = open();
    let large = vec![0xa5; 64 << 10];
    let zeros = vec![0; 4096];
    let payloads: Vec<&[u8]> = vec![b"", &zeros, &large, b"", &large, &zeros];
    for _ in 0..4 {
        append(&mut log, &payloads);
    }
    drop(log);
    let read = read_all(&open(), 1);
    assert_eq!(read.len(), 24);
    for (index, (_, _, payload)) in read.iter().enumerate() {
        assert_eq!(payload.as_slice(), payloads[index % payloads.len()]);
    }
}

/// A payload over the limit is refused, and the log goes on.
pub fn a_payload_too_large_changes_nothing<L: MessageLog>(open: Open<'_, L>) {
    let mut log = appended(open, 1);
    let payload = vec![1; 256 << 20];
    let small = Record { partition: 0, payload: b"small" };
    let large = Record { partition: 0, payload: &payload };
    let refused = log.append(&[small, large]).expect_err("too large");
    assert!(matches!(refused, LogError::TooLarge { .. }), "{refused:?}");
    assert_eq!(append(&mut log, &[b"after"]), 2);
    assert_eq!(read_all(&log, 1).len(), 2);
}

/// Trimming never takes a record at or after the offset given.
pub fn trimming_keeps_what_is_asked_for<L: MessageLog>(open: Open<'_, L>) {
    let mut log = appended(open, 100);
    let all = read_all(&log, 1);
    let mut kept = 1;
    for before in [1, 40, 40, 70, 20, 101] {
        log.trim(before).expect("the log is whole");
        // What was let go once may be gone.
        kept = kept.max(before);
        assert!(log.first_offset() <= kept);
        assert_eq!(read_all(&log, kept), all[kept as usize - 1..]);
    }
    assert_eq!(append(&mut log, &[b"after"]), 101);
}

/// A trimmed log opened again still has its offsets.
pub fn trimming_survives_reopening<L: MessageLog>(open: Open<'_, L>) {
    let mut log = appended(open, 50);
    log.trim(51).expect("the log is whole");
    drop(log);
    let mut log = open();
    assert_eq!(log.next_offset(), 51);
    assert_eq!(append(&mut log, &[b"after"]), 51);
    assert_eq!(read_all(&log, 51).len(), 1);
}

/// Reading before the first offset is an error, not a gap.
pub fn reading_what_is_trimmed_is_an_error<L: MessageLog>(open: Open<'_, L>) {
    let mut log = open();
    let payload = vec![7; 32 << 10];
    for _ in 0..400 {
        append(&mut log, &[&payload]);
    }
    log.trim(401).expect("the log is whole");
    let first = log.first_offset();
    if first > 1 {
        let refused =
            log.read(first - 1, &mut |_, _, _| ControlFlow::Continue(())).expect_err("it is gone");
        assert!(matches!(refused, LogError::Trimmed { first: f } if f == first), "{refused:?}");
    }
}
