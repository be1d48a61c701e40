//! Whether a numbered stream arrived whole, once and in order.

use crate::report::Faults;

/// Watches numbers that are expected to come as 1, 2, 3 and so on.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    /// The greatest number seen.
    last: u64,
    /// Smaller ones that have not come yet.
    missing: Vec<u64>,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
}

impl Tracker {
    /// Takes note of a number; says whether it came for the first time.
    pub(crate) fn note(&mut self, number: u64) -> bool {
        if number == self.last + 1 {
            self.last = number;
            return true;
        }
        if number > self.last {
            self.missing.extend(self.last + 1..number);
            self.last = number;
            return true;
        }
        if let Some(place) = self.missing.iter().position(|missing| *missing == number) {
            self.missing.swap_remove(place);
            self.reordered += 1;
            return true;
        }
        self.duplicated += 1;
        false
    }

    /// How many of the numbers up to `acked` have not come; later ones may have.
    pub(crate) fn missing_of(&self, acked: u64) -> u64 {
        let before = self.missing.iter().filter(|missing| **missing <= acked).count() as u64;
        acked.saturating_sub(self.last) + before
    }

    /// The greatest number up to which all have come.
    pub(crate) fn whole(&self) -> u64 {
        self.missing.iter().min().map_or(self.last, |missing| missing - 1)
    }

    /// What went wrong, where so many did not come.
    pub(crate) fn faults(&self, lost: u64) -> Faults {
        Faults { lost, duplicated: self.duplicated, reordered: self.reordered }
    }

    /// How many of the numbers up to `sent` have not come.
    pub(crate) fn missing(&self, sent: u64) -> u64 {
        sent.saturating_sub(self.last) + self.missing.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_acked_may_be_missing() {
        let mut tracker = Tracker::default();
        for number in [1, 2, 4] {
            tracker.note(number);
        }
        let missing = [1, 2, 3, 4, 6].map(|acked| tracker.missing_of(acked));
        assert_eq!((missing, tracker.whole()), ([0, 0, 1, 1, 3], 2));
        tracker.note(3);
        assert_eq!(tracker.whole(), 4);
    }

    #[test]
    fn every_disorder_has_its_name() {
        for (numbers, sent, lost, duplicated, reordered) in [
            (&[1, 2, 3][..], 3, 0, 0, 0),
            (&[], 0, 0, 0, 0),
            (&[1, 2], 3, 1, 0, 0),
            (&[1, 3], 3, 1, 0, 0),
            (&[1, 3, 2], 3, 0, 0, 1),
            (&[1, 2, 2, 3], 3, 0, 1, 0),
            (&[3, 1, 1], 4, 2, 1, 1),
        ] {
            let mut tracker = Tracker::default();
            for number in numbers {
                tracker.note(*number);
            }
            let found = (tracker.missing(sent), tracker.duplicated, tracker.reordered);
            assert_eq!(found, (lost, duplicated, reordered), "{numbers:?} of {sent}");
        }
    }
}
