//! How common a word is in what people write to shops of every kind.
//!
//! A question's word that no article has is a sign that none answers it ("is there parking?"), unless it is one that
//! says little anywhere ("the stuff at the bottom"). `words/common.txt` counts in how many of the texts of
//! `datasets/intent/train` a word is; `examples/common.rs` writes it.

use std::{collections::HashMap, sync::LazyLock};

const TEXT: &str = include_str!("../../words/common.txt");
/// The weight of a word that is in as many texts as any, and of one that is in none, as shares of the rarest one's.
const WEIGHT_MIN: f32 = 0.15;
const WEIGHT_MAX: f32 = 0.85;
/// The same for a word that some article has.
const KNOWN_MIN: f32 = 0.4;
const KNOWN_MAX: f32 = 1.0;
const NUMBER_WEIGHT: f32 = 0.25;
/// Texts a word is in at the most.
const SEEN_MAX: f32 = 400.0;

static SEEN: LazyLock<HashMap<&str, f32>> = LazyLock::new(|| {
    let lines = TEXT.lines().filter_map(|line| line.split_once(' '));
    lines.filter_map(|(word, seen)| Some((word, seen.parse().ok()?))).collect()
});

/// What a word counts for that no article has.
pub(crate) fn unknown_weight(term: &str) -> f32 {
    WEIGHT_MAX - (WEIGHT_MAX - WEIGHT_MIN) * share(term)
}

/// What a word counts for that an article has and that belongs to no concept; a number alone is mostly a coincidence.
pub(crate) fn known_weight(term: &str) -> f32 {
    if term.bytes().all(|byte| byte.is_ascii_digit()) {
        return NUMBER_WEIGHT;
    }
    KNOWN_MAX - (KNOWN_MAX - KNOWN_MIN) * share(term)
}

/// How common a word is: 0 for one that is in no text, 1 for one that is in as many as any.
fn share(term: &str) -> f32 {
    let seen = SEEN.get(term).copied().unwrap_or(0.0);
    ((1.0 + seen).ln() / (1.0 + SEEN_MAX).ln()).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_word_that_is_missing_says_less_than_a_rare_one() {
        assert!(unknown_weight("parking") > unknown_weight("problem") + 0.1);
        assert!((unknown_weight("qwertz") - WEIGHT_MAX).abs() < f32::EPSILON);
    }
}
