//! Words and phrases that mean the same to who asks a shop.
//!
//! A line of `words/concepts.txt` is a concept: its name, `:`, and words and phrases with `,` between them, English
//! and Chinese in any order. English ones are compared by their stems, and a phrase by the words that follow each
//! other. A word may belong to several concepts. A name with `~` before it is of what is asked about everything.

use std::{collections::HashMap, sync::LazyLock};

use frontdesk_script::{is_ideograph, simplified};
use smallvec::{SmallVec, smallvec};

use super::{Item, stem::stem, stop};

const TEXT: &str = include_str!("../../words/concepts.txt");
/// Words of the longest phrase.
const PHRASE_WORDS_MAX: usize = 4;

struct Table {
    names: Vec<&'static str>,
    han: HashMap<String, SmallVec<[u16; 2]>>,
    /// By the stems with a space between them.
    phrases: HashMap<String, SmallVec<[u16; 2]>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { names: Vec::new(), han: HashMap::new(), phrases: HashMap::new() };
    for line in TEXT.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let Some((name, words)) = line.split_once(':') else { continue };
        let concept = table.names.len() as u16;
        table.names.push(name.trim());
        for word in words.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let of = if word.chars().any(is_ideograph) {
                let folded: String =
                    word.chars().flat_map(char::to_lowercase).map(simplified).collect();
                table.han.entry(folded).or_default()
            } else {
                let stems: Vec<String> = word.split_whitespace().map(stem).collect();
                table.phrases.entry(stems.join(" ")).or_default()
            };
            if !of.contains(&concept) {
                of.push(concept);
            }
        }
    }
    table
});

/// The term a concept is indexed as; no written word begins so.
pub(crate) fn term(concept: u16) -> String {
    format!("#{}", TABLE.names.get(usize::from(concept)).copied().unwrap_or_default())
}

/// The words a Chinese text is cut by, beside the general list.
pub(super) fn han_words() -> impl Iterator<Item = &'static str> {
    TABLE.han.keys().map(String::as_str).filter(|word| word.chars().all(is_ideograph))
}

/// Whether a concept is one that is asked about everything.
pub(crate) fn is_general(concept: u16) -> bool {
    TABLE.names.get(usize::from(concept)).is_some_and(|name| name.starts_with('~'))
}

/// The concepts of a Chinese word.
pub(super) fn of_han(word: &str) -> SmallVec<[u16; 2]> {
    TABLE.han.get(word).cloned().unwrap_or_default()
}

/// Appends the words of a stretch of other scripts; the longest phrase that is known is one item.
pub(super) fn phrases(words: &[String], items: &mut Vec<Item>) {
    let stems: Vec<String> = words.iter().map(|word| stem(word)).collect();
    let mut at = 0;
    while at < words.len() {
        let most = PHRASE_WORDS_MAX.min(words.len() - at);
        let known = (1..=most).rev().find_map(|length| {
            let phrase = stems[at..at + length].join(" ");
            TABLE.phrases.get(&phrase).map(|concepts| (length, phrase, concepts.clone()))
        });
        match known {
            Some((1, term, concepts)) => {
                let written = words[at].clone();
                items.push(Item { term, written, concepts, parts: smallvec![] });
                at += 1;
            }
            Some((length, term, concepts)) => {
                let parts = (at..at + length)
                    .filter(|part| !stop::is_english_stop_word(&words[*part]))
                    .map(|part| stems[part].clone())
                    .collect();
                let written = words[at..at + length].join(" ");
                items.push(Item { term: term.replace(' ', "_"), written, concepts, parts });
                at += length;
            }
            None => {
                if !stop::is_english_stop_word(&words[at]) {
                    let (term, written) = (stems[at].clone(), words[at].clone());
                    items.push(Item { term, written, concepts: smallvec![], parts: smallvec![] });
                }
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_concept_with_words_and_names_are_told_apart() {
        let lines = TEXT.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
        for line in lines {
            let (name, words) = line.split_once(':').unwrap_or_else(|| panic!("{line}"));
            assert!(!name.trim().is_empty() && words.split(',').count() > 1, "{line}");
            for word in words.split(',') {
                assert!(!word.trim().is_empty(), "an empty word: {line}");
                assert!(word.split_whitespace().count() <= PHRASE_WORDS_MAX, "too long: {word}");
            }
        }
        let mut names = TABLE.names.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.names.len());
    }

    #[test]
    fn a_word_in_either_language_has_the_concept() {
        let concept = |text: &str| super::super::items(text)[0].concepts.clone();
        assert_eq!(concept("refund"), concept("退款"));
        assert_eq!(concept("money back"), concept("退錢"));
        assert!(!concept("refunded").is_empty());
    }
}
