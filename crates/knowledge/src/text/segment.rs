//! Runs of Han characters as words.
//!
//! The list of words (`words/segments.txt`) has those of jieba's own that are seen often; what is not in it is
//! found by its model of characters. The whole list takes 33 MiB of memory and 125 ms to load, this one 5 MiB and
//! 13 ms, and finds the same articles (docs/knowledge.md). It is loaded once, at the first Chinese text.

use std::sync::LazyLock;

use jieba_rs::Jieba;
use smallvec::SmallVec;

use super::{Item, concepts, stop};

const SEGMENTS: &str = include_str!("../../words/segments.txt");
/// How often a word of the concepts counts as seen, so that it is cut out whole.
const CONCEPT_SEEN: usize = 20_000;

static JIEBA: LazyLock<Jieba> = LazyLock::new(|| {
    let mut jieba = Jieba::empty();
    for line in SEGMENTS.lines() {
        if let Some((word, seen)) = line.split_once(' ')
            && let Ok(seen) = seen.parse()
        {
            jieba.add_word(word, Some(seen), None);
        }
    }
    for word in concepts::han_words() {
        jieba.add_word(word, Some(CONCEPT_SEEN), None);
    }
    jieba
});

/// Appends the words of a run. Shorter words within a word are its parts: they are found too, but do not count beside it.
pub(super) fn items(run: &str, items: &mut Vec<Item>) {
    let words = JIEBA.cut(run, true);
    let mut shorter = JIEBA.cut_for_search(run, true).into_iter().peekable();
    for whole in words {
        let mut parts = SmallVec::new();
        while let Some(token) = shorter.next_if(|token| token.end <= whole.end) {
            if token.word != whole.word && !stop::is_chinese_stop_word(token.word) {
                parts.push(token.word.to_owned());
            }
        }
        let concepts: SmallVec<[u16; 2]> = concepts::of_han(whole.word);
        if concepts.is_empty() && stop::is_chinese_stop_word(whole.word) {
            continue;
        }
        let term = whole.word.to_owned();
        items.push(Item { written: term.clone(), term, concepts, parts });
    }
}
