//! Texts as lists of words that can be compared: of a question and of an article alike.
//!
//! NFKC, lower case, traditional characters as simplified ones. Runs of Han characters are cut into words by
//! jieba's search mode, with a list of words a tenth of the usual size; English words lose their ending.
//! Words and phrases that mean the same to a shop's visitor share a concept (`words/concepts.txt`), in both
//! languages; a concept stands in the index beside the word that was written.

pub(crate) mod common;
pub(crate) mod concepts;
mod segment;
pub(crate) mod stem;
pub(crate) mod stop;

use frontdesk_script::{is_ideograph, simplified};
use smallvec::SmallVec;
use unicode_normalization::UnicodeNormalization as _;

/// Characters of a question that are read; who writes more has written the matter by then.
pub(crate) const QUESTION_READ_MAX: usize = 1_000;
/// Words of a question that are looked up, the first of each.
pub(crate) const QUESTION_ITEMS_MAX: usize = 64;

/// A word or phrase of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// What it is compared by; empty where only the concept counts.
    pub(crate) term: String,
    /// As it was written, in lower case.
    pub(crate) written: String,
    /// What it means, as terms that begin with `#`.
    pub(crate) concepts: SmallVec<[u16; 2]>,
    /// The words of a phrase, which are indexed but not counted one by one.
    pub(crate) parts: SmallVec<[String; 2]>,
}

/// Reads a text of an article; the text is bounded by the article's limits.
pub(crate) fn items(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for run in runs(text) {
        match run {
            Run::Han(run) => segment::items(&run, &mut items),
            Run::Words(words) => concepts::phrases(&words, &mut items),
        }
    }
    items
}

/// Reads a question: a bounded part of it, each word once.
pub(crate) fn question_items(question: &str) -> Vec<Item> {
    let end = question.char_indices().nth(QUESTION_READ_MAX).map_or(question.len(), |(at, _)| at);
    let mut kept: Vec<Item> = Vec::new();
    for item in items(&question[..end]) {
        if kept.len() == QUESTION_ITEMS_MAX {
            break;
        }
        if !kept.iter().any(|known| known.term == item.term && known.concepts == item.concepts) {
            kept.push(item);
        }
    }
    kept
}

/// The words a text is compared by, each as often as it is written.
pub fn terms(text: &str) -> Vec<String> {
    items(text).into_iter().map(|item| item.term).collect()
}

/// Whether most letters of a text are ideographs or Latin; None where neither is.
pub(crate) fn is_chinese(text: &str) -> Option<bool> {
    let (mut han, mut latin) = (0_usize, 0_usize);
    for character in text.chars().take(QUESTION_READ_MAX) {
        if is_ideograph(character) {
            han += 1;
        } else if character.is_alphabetic() {
            latin += 1;
        }
    }
    // An ideograph is about a word, and a word about five letters.
    (han + latin > 0).then_some(han * 4 >= latin)
}

/// A stretch of a text in one script.
enum Run {
    /// Han characters without anything between them.
    Han(String),
    /// Words of other scripts and digits, up to the next mark that ends a phrase.
    Words(Vec<String>),
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut han = String::new();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let end_word = |word: &mut String, words: &mut Vec<String>| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
    };
    for character in text.nfkc().flat_map(char::to_lowercase).map(simplified) {
        if is_ideograph(character) {
            end_word(&mut word, &mut words);
            if !words.is_empty() {
                runs.push(Run::Words(std::mem::take(&mut words)));
            }
            han.push(character);
            continue;
        }
        if !han.is_empty() {
            runs.push(Run::Han(std::mem::take(&mut han)));
        }
        if character.is_alphanumeric() {
            word.push(character);
        } else if matches!(character, '\'' | '’' | '`') {
            // "don't" is one word, and so is "shop's".
        } else {
            end_word(&mut word, &mut words);
            if matches!(
                character,
                '.' | ',' | ';' | ':' | '!' | '?' | '。' | '、' | '(' | ')' | '\n'
            ) && !words.is_empty()
            {
                runs.push(Run::Words(std::mem::take(&mut words)));
            }
        }
    }
    if !han.is_empty() {
        runs.push(Run::Han(han));
    }
    end_word(&mut word, &mut words);
    if !words.is_empty() {
        runs.push(Run::Words(words));
    }
    runs
}
