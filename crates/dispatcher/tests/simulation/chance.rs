//! The chance of a run: all that is not decided by turmoil is decided here, from the seed.

/// SplitMix64: a state of one number, which is enough to choose faults.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// A sequence of its own for each `purpose` of a seed.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut chance = Self(seed);
        let start = chance.next() ^ purpose.wrapping_mul(0x2545_f491_4f6c_dd1d);
        Self(start)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number of a range, its end excluded.
    pub(crate) fn within(&mut self, from: u64, end: u64) -> u64 {
        from + self.below(end - from)
    }

    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}
