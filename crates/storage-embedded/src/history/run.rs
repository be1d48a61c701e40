//! Runs: the consecutive entries of a conversation that one batch brings, in one row.
//!
//! A busy conversation brings many entries at once. A row costs the engine the same whatever it
//! holds (a key in the memtable, in every flush and in every compaction), so they share rows. A
//! conversation that brings one entry has a row with just that entry.
//!
//! ```text
//! row    = entry | run
//! entry  = chat.v1.Entry            begins with a protobuf key, which is never 0
//! run    = 0x00 (length u32 LE, entry)+       the first has the seq of the row's key, the next seq + 1, ...
//! ids    = (sent hash 16 bytes, content hash u64 LE)+    of the same seqs; zero where an entry has no id
//! ```

use std::{ops::RangeInclusive, sync::Arc};

use bytes::Bytes;
use frontdesk_storage::EntryWrite;

/// Marks a run. No entry begins so: it would be a protobuf key with the field number 0.
const RUN: u8 = 0;
/// A run is closed at so many bytes or entries: a page reads few of them, and a retraction writes one
/// anew.
const BYTES_MAX: usize = 16 << 10;
const ENTRIES_MAX: usize = 64;
/// Bytes of one id in a row of ids.
pub(crate) const ID_BYTES: usize = 24;

/// Splits entries with rising seqs into runs: each without a gap, and within the limits.
pub(crate) fn split(entries: &[Arc<EntryWrite>]) -> impl Iterator<Item = &[Arc<EntryWrite>]> {
    let mut rest = entries;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut bytes = first.entry.len();
        let mut count = 1;
        for (entry, seq) in rest[1..].iter().zip(first.seq + 1..) {
            bytes += entry.entry.len();
            if entry.seq != seq || bytes > BYTES_MAX || count == ENTRIES_MAX {
                break;
            }
            count += 1;
        }
        let (run, behind) = rest.split_at(count);
        rest = behind;
        Some(run)
    })
}

/// The row of consecutive entries.
pub(crate) fn encode<'a>(entries: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<u8> {
    let single = entries.len() == 1;
    let mut row = Vec::new();
    if !single {
        row.push(RUN);
    }
    for entry in entries {
        if !single {
            row.extend_from_slice(&(entry.len() as u32).to_le_bytes());
        }
        row.extend_from_slice(entry);
    }
    row
}

/// The entries of a row with their seqs, those in `wanted` only; `None` if the row is damaged.
pub(crate) fn decode(
    first_seq: u64,
    row: &[u8],
    wanted: &RangeInclusive<u64>,
) -> Option<Vec<(u64, Bytes)>> {
    let mut found = Vec::new();
    each(first_seq, row, |seq, entry| {
        if wanted.contains(&seq) {
            found.push((seq, Bytes::copy_from_slice(entry)));
        }
    })?;
    Some(found)
}

/// How many entries a row holds; `None` if it is damaged.
pub(crate) fn count(row: &[u8]) -> Option<u64> {
    let mut count = 0;
    each(0, row, |_, _| count += 1)?;
    Some(count)
}

/// The row with one entry replaced; `None` if it is damaged or does not hold the entry.
pub(crate) fn replace(first_seq: u64, row: &[u8], seq: u64, by: &[u8]) -> Option<Vec<u8>> {
    let mut entries: Vec<&[u8]> = Vec::new();
    each(first_seq, row, |_, entry| entries.push(entry))?;
    let at = usize::try_from(seq.checked_sub(first_seq)?).ok()?;
    *entries.get_mut(at)? = by;
    Some(encode(entries.into_iter()))
}

fn each<'a>(first_seq: u64, row: &'a [u8], mut visit: impl FnMut(u64, &'a [u8])) -> Option<()> {
    let Some((&RUN, mut rest)) = row.split_first() else {
        visit(first_seq, row);
        return Some(());
    };
    let mut seq = first_seq;
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let (entry, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        visit(seq, entry);
        rest = behind;
        seq += 1;
    }
    (seq > first_seq).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(seqs: impl Iterator<Item = u64>, bytes: usize) -> Vec<Arc<EntryWrite>> {
        let entry = |seq| {
            Arc::new(EntryWrite {
                seq,
                sender: String::new(),
                client_msg_id: Bytes::new(),
                content_hash: 0,
                entry: Bytes::from(vec![8; bytes]),
            })
        };
        seqs.map(entry).collect()
    }

    #[test]
    fn runs_have_no_gap_and_are_bounded() {
        let lengths =
            |entries: &[Arc<EntryWrite>]| split(entries).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(&[]), Vec::<usize>::new());
        assert_eq!(lengths(&entries(5..6, 10)), [1]);
        assert_eq!(lengths(&entries((1..4).chain(6..8), 10)), [3, 2]);
        assert_eq!(lengths(&entries(1..131, 10)), [64, 64, 2]);
        assert_eq!(lengths(&entries(1..6, 6_000)), [2, 2, 1]);
        assert_eq!(lengths(&entries(1..3, 20_000)), [1, 1], "a long entry is alone");
    }

    #[test]
    fn a_row_gives_its_entries_back() {
        for texts in [vec![&b"\x08a"[..]], vec![b"\x08a", b"\x08", b"\x08ccc"], vec![b"\x08a", b""]]
        {
            let row = encode(texts.iter().copied());
            let found = decode(7, &row, &(0..=u64::MAX)).expect("a row");
            let expected: Vec<_> =
                (7..).zip(texts.iter().map(|t| Bytes::from(t.to_vec()))).collect();
            assert_eq!(found, expected);
            assert_eq!(count(&row), Some(texts.len() as u64));
            let replaced = replace(7, &row, 7, b"\x08new").expect("it is there");
            assert_eq!(decode(7, &replaced, &(7..=7)), Some(vec![(7, Bytes::from("\x08new"))]));
            assert_eq!(count(&replaced), Some(texts.len() as u64));
            assert_eq!(replace(7, &row, 6, b"x"), None);
            assert_eq!(replace(7, &row, 7 + texts.len() as u64, b"x"), None);
        }
    }

    #[test]
    fn a_damaged_run_is_no_run() {
        let row = encode([&b"\x08a"[..], b"\x08b"].into_iter());
        for end in 1..row.len() {
            // Cut between two entries it is a shorter run; its key and state tell.
            assert_eq!(count(&row[..end]).is_some(), end == 1 + 4 + 2, "{end}");
        }
    }
}
