//! Which batches have arrived already.
//!
//! A batch begins with its sender and its number (8 bytes each, big endian), which rises with each batch a sender
//! makes, whomever it is for.

use bytes::{BufMut as _, Bytes, BytesMut};
use hashbrown::HashMap;
use tokio::time::Instant;

const HEADER_BYTES: usize = 16;
/// How far behind the newest number of its sender a batch may arrive: what both buses hold, and some.
const WINDOW: u64 = 1 << 16;
/// Senders that are remembered: each start of a node is one.
const SENDERS_MAX: usize = 256;

/// Puts sender and number before a batch.
pub(super) fn seal(sender: u64, number: u64, batch: &[u8]) -> Bytes {
    let mut sealed = BytesMut::with_capacity(HEADER_BYTES + batch.len());
    sealed.put_u64(sender);
    sealed.put_u64(number);
    sealed.put_slice(batch);
    sealed.freeze()
}

/// The batches that have arrived.
#[derive(Debug, Default)]
pub(super) struct Seen {
    senders: HashMap<u64, Window>,
}

impl Seen {
    /// The batch without what [`seal`] put before it, if it arrives for the first time.
    pub(super) fn open(&mut self, mut sealed: Bytes, now: Instant) -> Option<Bytes> {
        let header: [u8; HEADER_BYTES] = sealed.get(..HEADER_BYTES)?.try_into().ok()?;
        let [sender, number] = [&header[..8], &header[8..]]
            .map(|bytes| u64::from_be_bytes(bytes.try_into().expect("eight")));
        let batch = sealed.split_off(HEADER_BYTES);
        if !self.senders.contains_key(&sender) {
            self.forget_oldest();
        }
        let window = self.senders.entry(sender).or_insert_with(|| Window::new(number, now));
        window.heard = now;
        window.is_new(number).then_some(batch)
    }

    fn forget_oldest(&mut self) {
        if self.senders.len() < SENDERS_MAX {
            return;
        }
        let oldest = self.senders.iter().min_by_key(|(_, window)| window.heard);
        if let Some(oldest) = oldest.map(|(sender, _)| *sender) {
            self.senders.remove(&oldest);
        }
    }
}

/// The newest number of a sender, and which of those before it have arrived.
#[derive(Debug)]
struct Window {
    newest: u64,
    arrived: Vec<u64>,
    heard: Instant,
}

impl Window {
    fn new(first: u64, heard: Instant) -> Self {
        let arrived = vec![0; (WINDOW / 64) as usize];
        Self { newest: first, arrived, heard }
    }

    /// Notes that a number has arrived; whether it had not. One that is too old counts as arrived: it
    /// was sent by the other bus long ago.
    fn is_new(&mut self, number: u64) -> bool {
        if number + WINDOW <= self.newest {
            return false;
        }
        // Places that were those of numbers which are too old now.
        let fresh = number.saturating_sub(self.newest).min(WINDOW);
        for place in (0..fresh).map(|back| (number - back) % WINDOW) {
            self.arrived[(place / 64) as usize] &= !(1 << (place % 64));
        }
        self.newest = self.newest.max(number);
        let place = number % WINDOW;
        let (word, bit) = (&mut self.arrived[(place / 64) as usize], 1 << (place % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::{Bytes, Instant, SENDERS_MAX, Seen, WINDOW, seal};

    fn arrives(seen: &mut Seen, sender: u64, number: u64) -> bool {
        let batch = seen.open(seal(sender, number, b"batch"), Instant::now());
        batch.inspect(|batch| assert_eq!(batch, &Bytes::from_static(b"batch"))).is_some()
    }

    #[test]
    fn each_number_of_each_sender_arrives_once_in_any_order() {
        let mut seen = Seen::default();
        let mut arrived = HashSet::new();
        // Numbers that jump back and forth within half a window, many of them twice.
        let mut number = WINDOW;
        for step in 0..200_000_u64 {
            number = number.wrapping_add(step * step % 1_000) - 400;
            let sender = step % 3;
            assert_eq!(arrives(&mut seen, sender, number), arrived.insert((sender, number)));
        }
    }

    #[test]
    fn a_jump_forgets_what_is_too_old_only() {
        let mut seen = Seen::default();
        assert!(arrives(&mut seen, 1, 1));
        assert!(arrives(&mut seen, 1, WINDOW));
        assert!(!arrives(&mut seen, 1, 1));
        assert!(arrives(&mut seen, 1, 2));
        assert!(arrives(&mut seen, 1, 10 * WINDOW));
        assert!(!arrives(&mut seen, 1, 9 * WINDOW));
        assert!(arrives(&mut seen, 1, 9 * WINDOW + 1));
    }

    #[test]
    fn of_too_many_senders_the_one_heard_of_longest_ago_is_forgotten() {
        let mut seen = Seen::default();
        let began = Instant::now();
        for sender in 0..=SENDERS_MAX as u64 {
            let now = began + Duration::from_secs(sender);
            assert!(seen.open(seal(sender, 1, b""), now).is_some());
        }
        assert_eq!(seen.senders.len(), SENDERS_MAX);
        assert!(!arrives(&mut seen, 1, 1));
        assert!(arrives(&mut seen, 0, 1));
    }

    #[test]
    fn what_is_too_short_is_none_of_ours() {
        assert_eq!(Seen::default().open(Bytes::from_static(b"short"), Instant::now()), None);
    }
}
