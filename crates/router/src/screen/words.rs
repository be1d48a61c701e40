//! Lists of words, thousands at a time: one pass of an automaton over the folded text, and a closer look at the
//! original where it stops.
//!
//! Between letters of scripts without spaces anything that [`is_between`] may stand. A word of letters with spaces is
//! found only where a word begins and ends, and with spaces inside only where each letter is set apart ("d a m n"):
//! otherwise two harmless neighbours would make one bad word.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::{
    Found,
    fold::{Folded, digit, is_between, is_spaced, is_unseen},
};

/// Places of a text that are looked at more closely. Lists of words people say have a few in a message; one that is
/// made to have one word in the other would have them by the million.
pub(super) const LOOKS_MAX: usize = 50_000;

/// The words of all rules of an account.
#[derive(Debug)]
pub(super) struct Words {
    automaton: AhoCorasick,
    words: Box<[Word]>,
}

/// One word, as it was put into the automaton.
#[derive(Debug)]
pub(super) struct Word {
    rule: u8,
    folded: String,
    /// Its first and last letters are of a script with spaces.
    begins_spaced: bool,
    ends_spaced: bool,
    /// Letters after which it has a space of its own, counted from 1.
    gaps: Box<[u8]>,
}

/// Why a word cannot be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadWord {
    /// Nothing is left of it.
    Empty,
    /// Its first or last sign is one that is not looked at.
    Edge,
}

impl Word {
    pub(super) fn new(rule: u8, word: &str) -> Result<Self, BadWord> {
        let word = word.trim();
        let folded = Folded::of(word);
        let (Some(first), Some(last)) = (word.chars().next(), word.chars().next_back()) else {
            return Err(BadWord::Empty);
        };
        if folded.text.is_empty() {
            return Err(BadWord::Empty);
        }
        if (is_between(first) && !is_unseen(first)) || (is_between(last) && !is_accent(last)) {
            return Err(BadWord::Edge);
        }
        let mut gaps = Vec::new();
        let mut letters = 0u8;
        for character in word.chars() {
            if !is_between(character) {
                // A word has 128 bytes at most.
                letters = letters.saturating_add(1);
            } else if character.is_whitespace() && gaps.last() != Some(&letters) {
                gaps.push(letters);
            }
        }
        Ok(Self {
            rule,
            begins_spaced: folded.text.chars().next().is_some_and(is_spaced),
            ends_spaced: folded.text.chars().next_back().is_some_and(is_spaced),
            folded: folded.text,
            gaps: gaps.into(),
        })
    }

    /// Whether what the automaton found there is this word to a reader.
    fn stands_at(&self, original: &str, start: usize, end: usize) -> bool {
        let is_seen = |character: &char| !is_unseen(*character);
        let before = original[..start].chars().rev().find(is_seen);
        let after = original[end..].chars().find(is_seen);
        let goes_on = |spaced: bool, beside: Option<char>| spaced && beside.is_some_and(is_spaced);
        let is_part = goes_on(self.begins_spaced, before) || goes_on(self.ends_spaced, after);
        !is_part && self.is_one_word(&original[start..end])
    }

    /// Whether nothing between the letters makes several words of them.
    fn is_one_word(&self, span: &str) -> bool {
        let (mut letters, mut last) = (0u8, None);
        // Of the gap before the next letter.
        let (mut has_space, mut has_mark, mut has_any) = (false, false, false);
        let (mut some_spaces, mut some_closed) = (false, false);
        for character in span.chars() {
            if is_between(character) {
                has_space |= character.is_whitespace();
                has_mark |= !matches!(character, '*' | '_')
                    && !character.is_whitespace()
                    && !is_unseen(character);
                has_any |= !is_unseen(character);
                continue;
            }
            if let Some(last) = last
                && is_spaced(last)
                && is_spaced(character)
                && !self.gaps.contains(&letters)
            {
                // 6.4 and 6-4 are no 64.
                if has_mark && digit(last).is_some() && digit(character).is_some() {
                    return false;
                }
                some_spaces |= has_space;
                some_closed |= !has_any;
            }
            letters = letters.saturating_add(1);
            last = Some(character);
            (has_space, has_mark, has_any) = (false, false, false);
        }
        !(some_spaces && some_closed)
    }
}

fn is_accent(character: char) -> bool {
    is_unseen(character) || matches!(character, '\u{300}'..='\u{36f}')
}

impl Words {
    /// Makes the automaton; none where there are no words.
    pub(super) fn new(words: Vec<Word>) -> Result<Option<Self>, aho_corasick::BuildError> {
        if words.is_empty() {
            return Ok(None);
        }
        let automaton = AhoCorasick::builder()
            // Of a few megabytes at most, where tables for each byte would take gigabytes.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .build(words.iter().map(|word| word.folded.as_bytes()))?;
        Ok(Some(Self { automaton, words: words.into() }))
    }

    /// Notes every word of a text that is of one of these rules.
    pub(super) fn look(&self, original: &str, rules: u128, found: &mut Found) {
        let folded = Folded::of(original);
        let mut looks = 0;
        for hit in self.automaton.find_overlapping_iter(&folded.text) {
            let word = &self.words[hit.pattern().as_usize()];
            if rules & (1 << word.rule) == 0 {
                continue;
            }
            looks += 1;
            let Some((start, end)) = folded.span(original, hit.start(), hit.end()) else {
                continue;
            };
            if looks > LOOKS_MAX {
                // Whatever follows is taken to be like what came before.
                found.note(word.rule, start, original.len());
                return;
            }
            if word.stands_at(original, start, end) {
                found.note(word.rule, start, end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(words: &[&str], text: &str) -> Vec<String> {
        let words = words.iter().map(|word| Word::new(0, word).expect("a word")).collect();
        let words = Words::new(words).expect("it is built").expect("there are some");
        let mut found = Found::default();
        words.look(text, 1, &mut found);
        found.spans.iter().map(|span| text[span.start..span.end].to_owned()).collect()
    }

    #[test]
    fn words_are_found_as_readers_read_them() {
        let table: &[(&[&str], &str, &[&str])] = &[
            // Latin words stand between borders of words.
            (&["ass"], "a class of glass", &[]),
            (&["ass"], "You ASS!", &["ASS"]),
            (&["ass"], "an a*s*s", &["a*s*s"]),
            (&["ass"], "an a s s here", &["a s s"]),
            (&["ass"], "as so many", &[]),
            (&["ass"], "as s", &[]),
            (&["ass"], "gr\u{200b}ass", &[]),
            (&["ass"], "a\u{200b}ss", &["a\u{200b}ss"]),
            (&["ass"], "ＡＳＳ", &["ＡＳＳ"]),
            (&["ass"], "你ass好", &["ass"]),
            (&["ass"], "àss", &["àss"]),
            (
                &["free money"],
                "FREE   money, freemoney, free-money",
                &["FREE   money", "freemoney", "free-money"],
            ),
            (&["free money"], "fre e money", &[]),
            // Chinese has no borders.
            (&["敏感词"], "这是敏感词吗", &["敏感词"]),
            (&["敏感词"], "这是敏*感 词吗", &["敏*感 词"]),
            (&["敏感词"], "敏.感\u{200d}詞", &["敏.感\u{200d}詞"]),
            (&["敏感詞"], "敏感词", &["敏感词"]),
            (&["敏感词"], "敏，感词", &[]),
            (&["敏感词"], "敏感的词", &[]),
            // Both in one.
            (&["加V信"], "请加v信", &["加v信"]),
            (&["加V信"], "请加 Ｖ 信", &["加 Ｖ 信"]),
            (&["A货"], "卖a货", &["a货"]),
            (&["A货"], "USA货", &[]),
            // Numbers.
            (&["64"], "1964, 6.4, 6-4, 64", &["64"]),
            (&["64"], "6*4", &["6*4"]),
            // Each of several that overlap.
            (&["赌博", "赌博网站", "网站"], "赌博网站", &["赌博", "赌博网站", "网站"]),
        ];
        for (words, text, expected) in table {
            assert_eq!(&find(words, text), expected, "{words:?} in {text}");
        }
    }

    #[test]
    fn words_that_would_be_found_everywhere_or_nowhere_are_refused() {
        for (word, why) in [
            ("", BadWord::Empty),
            (" \u{200b}", BadWord::Empty),
            ("***", BadWord::Empty),
            ("C++", BadWord::Edge),
            (".net", BadWord::Edge),
            ("#话题", BadWord::Edge),
        ] {
            assert_eq!(Word::new(0, word).map(|_| ()), Err(why), "{word:?}");
        }
    }

    #[test]
    fn only_words_of_the_wanted_rules_are_noted() {
        let words = vec![Word::new(0, "一").expect("a word"), Word::new(7, "二").expect("a word")];
        let words = Words::new(words).expect("it is built").expect("there are some");
        let mut found = Found::default();
        words.look("一二", 1 << 7, &mut found);
        assert_eq!((found.rules, found.spans.len()), (1 << 7, 1));
    }

    #[test]
    fn a_list_that_is_made_to_take_long_costs_no_more_than_its_limit() {
        let words: Vec<String> = (1..=40).map(|length| "一".repeat(length)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let text = "一".repeat(20_000);
        let found = find(&words, &text);
        assert_eq!(found.len(), LOOKS_MAX + 1);
        assert!(
            found.last().is_some_and(|last| last.len() > text.len() / 2),
            "the rest counts too"
        );
    }
}
