//! Texts as the word lists see them: lower case, half width, simplified, the beginning of a long one.

use frontdesk_script::simplified;
use unicode_normalization::UnicodeNormalization;

/// Of a text that is longer the beginning is looked at.
const CHARACTERS_MAX: usize = 2_000;

/// Folds a text.
pub(crate) fn fold(text: &str) -> String {
    text.nfkc()
        .take(CHARACTERS_MAX)
        .flat_map(char::to_lowercase)
        .map(|character| match character {
            '’' | '‘' | '`' | '´' => '\'',
            // 答覆, 回覆: of its two readings the one people answer with.
            '覆' => '复',
            other => simplified(other),
        })
        .collect()
}

/// Whether a folded text has a folded word in it; words of Latin letters as whole words.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let word = word.trim();
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && c.is_ascii());
    !word.is_empty()
        && text.match_indices(word).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let after = text[at + found.len()..].chars().next();
            !(inside(before) && inside(found.chars().next())
                || inside(after) && inside(found.chars().next_back()))
        })
}

/// Whether there is anything to read in a text: a letter or a digit of any script.
pub(crate) fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Clauses of a folded text, without the marks between them.
pub(super) fn clauses(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| {
        matches!(
            c,
            ',' | '.'
                | ';'
                | ':'
                | '!'
                | '?'
                | '\n'
                | '\r'
                | '，'
                | '。'
                | '；'
                | '！'
                | '？'
                | '…'
                | '、'
                | '~'
                | '～'
                | '('
                | ')'
                | '"'
                | '“'
                | '”'
        )
    })
    .map(str::trim)
    .filter(|clause| has_words(clause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_widths_and_cases_become_one() {
        assert_eq!(fold("轉人工，ＨＥＬＬＯ"), "转人工,hello");
        assert_eq!(fold("I’d"), "i'd");
        assert_eq!(fold(&"長".repeat(64 << 10)).chars().count(), CHARACTERS_MAX);
    }

    #[test]
    fn both_scripts_are_read_in_one() {
        assert_eq!(fold("請轉接專人我要答覆"), "请转接专人我要答复");
    }

    #[test]
    fn words_are_whole_words() {
        for (text, word, expected) in [
            ("my order status please", "order status", true),
            ("reorder statuses", "order status", false),
            ("查一下物流信息", "物流", true),
            ("我的order呢", "order", true),
            ("anything", "", false),
        ] {
            assert_eq!(has_word(text, word), expected, "{text} / {word}");
        }
        assert!(!has_words("🙂 …!"));
    }
}
