//! One spelling for what can be written in many: the first step of every analysis.
//!
//! NFKC (full-width forms become half-width), lower case, traditional characters as simplified ones, every
//! digit as `0`, whitespace as one space, the marks of Chinese and English as one. What carries a mood
//! stays: `!!!`, `???`, emoji, 哈哈哈; a run of one character is cut to three (of digits to four).
//! A model, its vocabulary and its n-grams see normalised text only, in training as in use.

use frontdesk_script::{is_ideograph, simplified};
use unicode_normalization::UnicodeNormalization;

/// Characters read from the beginning of a text; a visitor's matter is near one of its ends.
pub const HEAD_CHARACTERS_MAX: usize = 1_200;
/// Characters read from the end of a text that is longer than both together.
pub const TAIL_CHARACTERS_MAX: usize = 800;

const RUN_MAX: usize = 3;
const DIGIT_RUN_MAX: usize = 4;

/// Normalises a text. The result has at most [`HEAD_CHARACTERS_MAX`] + [`TAIL_CHARACTERS_MAX`] characters and one
/// between them; it is empty when nothing but whitespace and control characters was written.
pub fn normalise(text: &str) -> String {
    let (head, tail) = ends(text);
    let mut written = Written::with_capacity(head.len() + tail.len());
    if tail.is_empty() {
        written.push_first(head, HEAD_CHARACTERS_MAX + TAIL_CHARACTERS_MAX);
    } else {
        written.push_first(head, HEAD_CHARACTERS_MAX);
        written.push(' ');
        written.push_last(tail, TAIL_CHARACTERS_MAX);
    }
    written.finish()
}

/// The beginning of a text that is read as it is, without normalising.
pub(crate) fn bounded(text: &str) -> &str {
    let most = HEAD_CHARACTERS_MAX + TAIL_CHARACTERS_MAX;
    let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// The part at the beginning and, of a long text, the part at the end.
fn ends(text: &str) -> (&str, &str) {
    let most = HEAD_CHARACTERS_MAX + TAIL_CHARACTERS_MAX;
    // A text of so few bytes has no more characters.
    if text.len() <= most || text.char_indices().nth(most).is_none() {
        return (text, "");
    }
    let head = text.char_indices().nth(HEAD_CHARACTERS_MAX).map_or(text.len(), |(at, _)| at);
    let tail =
        text.char_indices().nth_back(TAIL_CHARACTERS_MAX - 1).map_or(text.len(), |(at, _)| at);
    (&text[..head], &text[tail..])
}

/// The text so far, with what is needed to cut runs.
struct Written {
    text: String,
    last: char,
    run: usize,
}

impl Written {
    fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), last: ' ', run: 0 }
    }

    /// Takes the first characters of a text, of which one may become eighteen by NFKC.
    fn push_first(&mut self, text: &str, most: usize) {
        for character in spelled(text).take(most) {
            self.push(character);
        }
    }

    /// Takes the last ones.
    fn push_last(&mut self, text: &str, most: usize) {
        let characters: Vec<char> = spelled(text).collect();
        let from = characters.len().saturating_sub(most);
        for character in &characters[from..] {
            self.push(*character);
        }
    }

    fn push(&mut self, character: char) {
        if is_dropped(character) {
            return;
        }
        if character == ' ' {
            // Spaces wait until something follows, so that none stands at an end.
            if self.last != ' ' {
                self.last = ' ';
                self.run = 0;
            }
            return;
        }
        let most = if character == '0' { DIGIT_RUN_MAX } else { RUN_MAX };
        if character == self.last {
            self.run += 1;
            if self.run > most {
                return;
            }
        } else {
            if self.last == ' ' && !self.text.is_empty() {
                self.text.push(' ');
            }
            self.run = 1;
        }
        self.last = character;
        self.text.push(character);
    }

    fn finish(self) -> String {
        self.text
    }
}

/// The characters of a text in one spelling.
fn spelled(text: &str) -> impl Iterator<Item = char> {
    lower(text).map(folded)
}

/// The characters of a text by NFKC and in lower case. What is ASCII is so
/// already but for its capitals, and most English texts are.
pub(crate) fn lower(text: &str) -> impl Iterator<Item = char> {
    let (ascii, other) = if text.is_ascii() { (text, "") } else { ("", text) };
    let ascii = ascii.bytes().map(|byte| char::from(byte.to_ascii_lowercase()));
    ascii.chain(other.nfkc().flat_map(char::to_lowercase))
}

/// One character for all that are read alike.
fn folded(character: char) -> char {
    match character {
        '0'..='9' => '0',
        'a'..='z' => character,
        _ if character.is_whitespace() => ' ',
        '。' | '．' | '｡' => '.',
        '、' | '，' => ',',
        '“' | '”' | '„' | '«' | '»' | '「' | '」' | '『' | '』' | '《' | '》' => '"',
        '‘' | '’' | '`' | '´' => '\'',
        '–' | '—' | '―' | '‐' | '‑' => '-',
        '【' => '[',
        '】' => ']',
        '〜' => '~',
        _ if character.is_numeric() && !is_ideograph(character) => '0',
        _ => simplified(character),
    }
}

/// Control characters, and joiners that are seen by no reader.
fn is_dropped(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_text_become_one() {
        for (written, expected) in [
            ("Ｈｅｌｌｏ，　ＷＯＲＬＤ！", "hello, world!"),
            ("什麼時候發貨？", "什么时候发货?"),
            ("订单12345678到哪了", "订单0000到哪了"),
            ("５折", "0折"),
            ("  a \t\n b  ", "a b"),
            ("I don’t “know”", "i don't \"know\""),
            ("退款。", "退款."),
            ("ﬁne ①", "fine 0"),
        ] {
            assert_eq!(normalise(written), expected, "{written}");
        }
    }

    #[test]
    fn signs_of_a_mood_stay_and_runs_are_cut() {
        assert_eq!(normalise("快点！！！！！！"), "快点!!!");
        assert_eq!(normalise("??"), "??");
        assert_eq!(normalise("哈哈哈哈哈哈哈"), "哈哈哈");
        assert_eq!(normalise("soooooo slow 😡😡😡😡😡"), "sooo slow 😡😡😡");
        // A run is one of neighbours: spaces end it.
        assert_eq!(normalise("! ! ! !"), "! ! ! !");
    }

    #[test]
    fn empty_text_and_invisible_text_are_empty() {
        for nothing in ["", "   ", "\u{200b}\u{feff}", "\u{0}\u{7}\r\n", "　"] {
            assert_eq!(normalise(nothing), "", "{nothing:?}");
        }
    }

    #[test]
    fn mixed_scripts_keep_their_order() {
        assert_eq!(
            normalise("這個 App 的 BUG 幾時修好呀 مرحبا привет 👩‍💻"),
            "这个 app 的 bug 几时修好呀 مرحبا привет 👩💻"
        );
    }

    #[test]
    fn a_long_text_keeps_both_ends_and_is_bounded() {
        let long = format!("begin {} end", "退款 abc ﷺ ".repeat(64 * 1024 / 14));
        let normalised = normalise(&long);
        assert!(normalised.starts_with("begin "));
        assert!(normalised.ends_with(" end"));
        assert!(normalised.chars().count() <= HEAD_CHARACTERS_MAX + TAIL_CHARACTERS_MAX + 1);
    }

    #[test]
    fn normalising_twice_changes_nothing_more() {
        for text in ["Ｈｅｌｌｏ，　ＷＯＲＬＤ！", "訂單 123 ⅷ ﷺ", "é è ñ Ⅻ ㊗ İ"]
        {
            let once = normalise(text);
            assert_eq!(normalise(&once), once, "{text}");
        }
    }
}
