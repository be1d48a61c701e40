//! A text as word lists are looked for in it: lower case, half width, simplified, without accents and without what
//! is put between letters to get past a list. Each byte knows the character it came from, so that what is found can
//! be masked in the original.

use frontdesk_script::{is_common_ideograph, simplified};
use unicode_normalization::char::decompose_compatible;

/// A folded text.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// The letters that are left.
    pub(super) text: String,
    /// For each byte of `text` where its character begins in the original.
    at: Vec<u32>,
}

impl Folded {
    /// Folds a text.
    pub(super) fn of(original: &str) -> Self {
        let mut folded = Self {
            text: String::with_capacity(original.len()),
            at: Vec::with_capacity(original.len()),
        };
        for (at, character) in original.char_indices() {
            let before = folded.text.len();
            letters_of(character, |letter| folded.text.push(letter));
            let added = folded.text.len() - before;
            folded.at.extend(std::iter::repeat_n(at as u32, added));
        }
        folded
    }

    /// The span of the original that a span of folded bytes came from; none if that begins or ends inside of one
    /// character, as "fi" does in a ligature of "ffi".
    pub(super) fn span(&self, original: &str, start: usize, end: usize) -> Option<(usize, usize)> {
        let begins = start == 0 || self.at[start - 1] != self.at[start];
        let ends = end == self.at.len() || self.at[end - 1] != self.at[end];
        if !begins || !ends {
            return None;
        }
        let last = self.at[end - 1] as usize;
        let after = original[last..].chars().next().map_or(0, char::len_utf8);
        Some((self.at[start] as usize, last + after))
    }
}

/// Gives the letters a character stands for: none if it is only put between letters.
fn letters_of(character: char, mut letter: impl FnMut(char)) {
    if character.is_ascii() {
        if !is_between(character) {
            letter(character.to_ascii_lowercase());
        }
        return;
    }
    if is_common_ideograph(character) {
        return letter(simplified(character));
    }
    if is_whole(character) {
        return character.to_lowercase().for_each(letter);
    }
    decompose_compatible(character, |part| {
        if !is_between(part) {
            part.to_lowercase().map(simplified).for_each(&mut letter);
        }
    });
}

/// Letters that are others without the mark they would be taken apart from: kana with a voicing mark, syllables of
/// Hangul, and the short i of Cyrillic.
fn is_whole(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}' | 'й' | 'Й')
}

/// What may stand between the letters of a word without making it another word: white space, marks that are no
/// punctuation of sentences but for the full stop, accents, and what nobody sees.
pub(super) fn is_between(character: char) -> bool {
    match character {
        '*' | '.' | '-' | '_' | '~' | '|' | '/' | '\\' | '+' | '=' | '#' | '^' | '`' | '\''
        | '"' => true,
        '\u{b7}' | '\u{2022}' | '\u{30fb}' | '\u{2026}' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {
            true
        }
        // Accents and other marks above and below Latin, Greek and Cyrillic letters.
        '\u{300}'..='\u{36f}' => true,
        _ => character.is_whitespace() || is_unseen(character),
    }
}

/// Characters without a width of their own: joiners, marks of direction, variation selectors, tags.
pub(super) fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}'
    )
}

/// Whether words of this letter's script are set apart by spaces, so that a part of one is not the word.
pub(super) fn is_spaced(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric();
    }
    character.is_alphanumeric()
        && !matches!(
            character,
            // Thai, Lao, Tibetan, Myanmar, Khmer; Hangul, whose particles are written on; kana, ideographs.
            '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
                | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
                | '\u{ff65}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}'
        )
}

/// The value of a decimal digit, in half or full width or in Arabic letters.
pub(super) fn digit(character: char) -> Option<u8> {
    let zero = match character {
        '0'..='9' => '0',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        _ => return None,
    };
    Some((u32::from(character) - u32::from(zero)) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_to_a_reader_folds_to_the_same() {
        for (original, folded) in [
            ("敏*感 词", "敏感词"),
            ("敏\u{200b}感\u{feff}詞", "敏感词"),
            ("ＦＵＬＬ　Width１", "fullwidth1"),
            ("d.a-m_n", "damn"),
            ("Café", "cafe"),
            ("Cafe\u{301}", "cafe"),
            ("ﬁsh", "fish"),
            ("𝐛𝐚𝐝", "bad"),
            ("ガ가й", "ガ가й"),
            ("Straße, 你好。", "straße,你好。"),
        ] {
            assert_eq!(Folded::of(original).text, folded, "{original}");
        }
    }

    #[test]
    fn spans_are_those_of_whole_characters() {
        let original = "x敏* 感y";
        let folded = Folded::of(original);
        assert_eq!(folded.text, "x敏感y");
        assert_eq!(folded.span(original, 1, 7), Some((1, 9)));
        assert_eq!(&original[1..9], "敏* 感");
        let ligature = Folded::of("ﬁ");
        assert_eq!(ligature.span("ﬁ", 0, 2), Some((0, 3)));
        assert_eq!(ligature.span("ﬁ", 0, 1), None);
        assert_eq!(ligature.span("ﬁ", 1, 2), None);
    }

    #[test]
    fn letters_know_whether_spaces_part_their_words() {
        for spaced in ['a', 'Z', '7', 'é', 'ж', 'λ'] {
            assert!(is_spaced(spaced), "{spaced}");
        }
        for unspaced in ['敏', 'の', 'ก', '한', ' ', '*', '，'] {
            assert!(!is_spaced(unspaced), "{unspaced}");
        }
    }

    #[test]
    fn digits_are_read_in_each_width() {
        assert_eq!(['7', '７', '٧', '۷'].map(digit), [Some(7); 4]);
        assert_eq!(['x', '七', '²'].map(digit), [None; 3]);
    }
}
