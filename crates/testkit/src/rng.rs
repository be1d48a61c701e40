//! Random choices of tests: from a seed that is printed, so that a run can be repeated
//! (`FRONTDESK_SEED=...`).

use std::ops::Range;

/// A small generator (splitmix64): good enough to choose times and texts, worthless for secrets.
#[derive(Debug, Clone)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// From the environment's `FRONTDESK_SEED`, or from the system; prints which.
    pub fn announced(test: &str) -> Self {
        let seed = std::env::var("FRONTDESK_SEED")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| u64::from_le_bytes(random()));
        crate::http::note(&format!("{test}: FRONTDESK_SEED={seed}"));
        Self::new(seed)
    }

    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number of the range.
    pub fn pick(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next_u64() % (range.end - range.start)
    }
}

/// Bytes nobody else has: ids of messages.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}
