//! Texts as the word lists see them: lower case, half width, simplified, the beginning of a long one.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

/// Of a text that is longer the beginning is looked at.
const CHARACTERS_MAX: usize = 2_000;

/// Traditional and simplified forms of the characters that the lists of this crate use.
const PAIRS: &str = "轉转換换聯联繫系係系務务員员專专線线請请煩烦幫帮給给個个來来嗎吗說说話话對对談谈問问題题處处決决馬马讓让\
機机與与會会無无沒没為为這这還还們们費费訴诉騙骗壞坏東东爛烂滾滚媽妈過过氣气報报謝谢見见囉啰嘍喽應应覺觉時时間间長长\
電电臺台連连開开關关錯错誤误實实貨货訂订單单認认識识裡里裏里後后樣样麼么從从師师動动業业號号碼码發发現现狀状態态復复覆复\
視视頻频經经濟济產产創创瞞瞒詐诈罵骂廢废腦脑殘残豬猪惡恶賠赔償偿維维權权體体檢检舉举夥伙嚴严遲迟壓压誰谁聽听寫写\
錢钱點点試试儘尽盡尽緊紧趕赶黨党頭头熱热兩两幾几別别麽么週周審审啟启買买賣卖圖图運运進进遠远慮虑親亲當当確确該该滿满";

static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let mut pairs = HashMap::new();
    let mut characters = PAIRS.chars();
    while let (Some(traditional), Some(simplified)) = (characters.next(), characters.next()) {
        pairs.insert(traditional, simplified);
    }
    pairs
});

/// Folds a text.
pub(crate) fn fold(text: &str) -> String {
    text.nfkc()
        .take(CHARACTERS_MAX)
        .flat_map(char::to_lowercase)
        .map(|character| match character {
            '’' | '‘' | '`' | '´' => '\'',
            other => SIMPLIFIED.get(&other).copied().unwrap_or(other),
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
    fn the_pairs_are_pairs() {
        assert_eq!(PAIRS.chars().count() % 2, 0);
        for (traditional, simplified) in SIMPLIFIED.iter() {
            assert_ne!(traditional, simplified, "{traditional}");
            assert!(!SIMPLIFIED.contains_key(simplified), "{traditional} {simplified}");
        }
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
