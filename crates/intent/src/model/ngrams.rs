//! Hashed n-grams: the part of the model that counts.
//!
//! Every run of 1 to 4 characters with an ideograph in it, of 2 to 5 without one, every word and every pair of
//! neighbouring words of a text is hashed to one bucket of the table. A bucket holds a check byte, so that
//! most n-grams never seen in training count for nothing instead of for another one, and four weights. The
//! logits of a text are the bias and the sum of the weights, divided by the square root of the number of
//! different buckets it fell into.

use std::borrow::Cow;

use frontdesk_script::is_ideograph;

use crate::LABELS;

/// Longest run of characters that contains an ideograph.
const IDEOGRAPH_RUN_MAX: usize = 4;
/// Longest run of characters without one.
const LETTER_RUN_MAX: usize = 5;
/// Shortest run of characters without an ideograph.
const LETTER_RUN_MIN: usize = 2;

const WORD_SALT: u64 = 0x776f_7264;
const PAIR_SALT: u64 = 0x7061_6972;

/// The table, weights as bytes with one scale per label.
#[derive(Debug, Clone, PartialEq)]
pub struct Ngrams {
    /// Check byte of each bucket; 0 marks an empty one.
    pub(crate) checks: Cow<'static, [u8]>,
    /// Four weights of each bucket, each the byte of an `i8`.
    pub(crate) weights: Cow<'static, [u8]>,
    /// What one step of a weight is worth.
    pub(crate) scales: [f32; LABELS],
    /// Logits of a text without any known n-gram.
    pub(crate) bias: [f32; LABELS],
}

impl Ngrams {
    /// Logits of a normalised text, in the order of [`crate::Label::ALL`].
    pub fn logits(&self, text: &str) -> [f32; LABELS] {
        let hashes = hashes(text);
        let mut sums = [0_i32; LABELS];
        for &hash in &hashes {
            let (bucket, check) = place(hash, self.checks.len());
            if self.checks[bucket] == check {
                let weights = &self.weights[bucket * LABELS..][..LABELS];
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += i32::from(weight.cast_signed());
                }
            }
        }
        let share = 1.0 / (hashes.len().max(1) as f32).sqrt();
        std::array::from_fn(|label| {
            self.bias[label] + sums[label] as f32 * self.scales[label] * share
        })
    }
}

/// The bucket of a hash in a table of a power of two, and the byte that tells it from others there.
pub(crate) fn place(hash: u64, buckets: usize) -> (usize, u8) {
    debug_assert!(buckets.is_power_of_two());
    let check = (hash >> 56) as u8;
    (hash as usize & (buckets - 1), check.max(1))
}

/// Hashes of the different n-grams of a normalised text, sorted.
pub(crate) fn hashes(text: &str) -> Vec<u64> {
    // A space at each end marks where words and the text begin and end.
    let mut characters = Vec::with_capacity(text.len() + 2);
    characters.push(' ');
    characters.extend(text.chars());
    characters.push(' ');
    let mut hashes = Vec::with_capacity(characters.len() * 5);
    for start in 0..characters.len() {
        push_runs(&characters[start..], &mut hashes);
    }
    push_words(&characters, &mut hashes);
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// Every run that begins with the first of these characters.
fn push_runs(characters: &[char], hashes: &mut Vec<u64>) {
    let mut hash = 0;
    let mut ideograph = false;
    for (at, &character) in characters.iter().take(LETTER_RUN_MAX).enumerate() {
        ideograph |= is_ideograph(character);
        hash = mixed(hash, character);
        let length = at + 1;
        let counts = if ideograph { length <= IDEOGRAPH_RUN_MAX } else { length >= LETTER_RUN_MIN };
        if counts {
            hashes.push(finished(hash));
        }
    }
}

/// Words of letters, and pairs of neighbours.
fn push_words(characters: &[char], hashes: &mut Vec<u64>) {
    let mut before = None;
    for word in characters.split(|character| !character.is_alphanumeric()) {
        if word.is_empty() {
            continue;
        }
        let hash = word.iter().fold(WORD_SALT, |hash, character| mixed(hash, *character));
        if !word.iter().any(|character| is_ideograph(*character)) {
            hashes.push(finished(hash));
        }
        if let Some(before) = before {
            hashes.push(finished(mixed(before, ' ') ^ hash.rotate_left(17) ^ PAIR_SALT));
        }
        before = Some(hash);
    }
}

fn mixed(hash: u64, character: char) -> u64 {
    (hash.rotate_left(5) ^ u64::from(u32::from(character)).wrapping_add(0x9e37_79b9))
        .wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// Spreads a hash over all its bits.
fn finished(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let hash = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_ngrams_follows_the_script() {
        // Runs of " ab ": 2 to 4 characters are 3 + 2 + 1, and one word.
        assert_eq!(hashes("ab").len(), 7);
        // Runs of " 退 " with the ideograph: 1 + 2 + 1.
        assert_eq!(hashes("退").len(), 4);
        // The two spaces of an empty text.
        assert_eq!(hashes("").len(), 1);
    }

    #[test]
    fn an_ngram_of_another_text_counts_for_nothing() {
        let mut table = Ngrams {
            checks: vec![0; 1 << 10].into(),
            weights: vec![0; LABELS << 10].into(),
            scales: [0.5; LABELS],
            bias: [0.0, 1.0, 0.0, 0.0],
        };
        for hash in hashes("退款") {
            let (bucket, check) = place(hash, table.checks.len());
            table.checks.to_mut()[bucket] = check;
            table.weights.to_mut()[bucket * LABELS] = 2;
        }
        let known = table.logits("退款");
        assert!(known[0] > 1.0, "{known:?}");
        let unknown = table.logits("hello");
        assert!(unknown[0] < 0.5 && unknown[1] > 0.99, "{unknown:?}");
    }
}
