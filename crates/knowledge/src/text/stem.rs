//! English words without their ending.
//!
//! A light stemmer: plural, -ed, -ing, -ly and possessive, so that "returned", "returns" and "returning" are one word.
//! It is made for matching, not for reading: both sides of a comparison go through it.

/// The word without its ending. Words with digits or letters beyond a to z stay as they are.
pub(crate) fn stem(word: &str) -> String {
    if word.len() < 4 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let mut stem = singular(word);
    if let Some(rest) = stem.strip_suffix("ing").or_else(|| stem.strip_suffix("ed"))
        && rest.len() >= 3
        && rest.bytes().any(is_vowel)
        && !stem.ends_with("eed")
    {
        stem = undoubled(rest);
    } else if let Some(rest) = stem.strip_suffix("ly")
        && rest.len() >= 4
    {
        stem = rest.to_owned();
    } else if let Some(rest) = stem.strip_suffix("ment")
        && rest.len() >= 3
    {
        stem = rest.to_owned();
    }
    // "change" and "changing" meet without the e; so do "reply" and "replied" with i for y.
    if stem.len() >= 4
        && let Some(rest) = stem.strip_suffix('e')
    {
        stem = rest.to_owned();
    }
    if stem.len() >= 3
        && let Some(rest) = stem.strip_suffix('y')
        && !rest.bytes().last().is_some_and(is_vowel)
    {
        stem = format!("{rest}i");
    }
    stem
}

fn singular(word: &str) -> String {
    if let Some(rest) = word.strip_suffix("ies")
        && rest.len() >= 2
    {
        return format!("{rest}y");
    }
    for ending in ["sses", "shes", "ches", "xes", "zes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    if word.ends_with('s')
        && !word.ends_with("ss")
        && !word.ends_with("us")
        && !word.ends_with("is")
    {
        return word[..word.len() - 1].to_owned();
    }
    word.to_owned()
}

/// "stopp" is "stop"; "fill", "pass" and "fuzz" stay.
fn undoubled(word: &str) -> String {
    let bytes = word.as_bytes();
    if let [.., before, last] = bytes
        && before == last
        && !matches!(last, b'l' | b's' | b'z')
        && !is_vowel(*last)
    {
        return word[..word.len() - 1].to_owned();
    }
    word.to_owned()
}

fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_one() {
        for forms in [
            &["return", "returns", "returned", "returning"][..],
            &["change", "changes", "changed", "changing"],
            &["ship", "ships", "shipped", "shipping"],
            &["policy", "policies"],
            &["glaze", "glazes", "glazed"],
            &["box", "boxes"],
            &["pay", "pays", "paying", "payment", "payments"],
            &["glass", "glasses"],
            &["reply", "replies", "replied"],
            &["fill", "filled"],
        ] {
            let first = stem(forms[0]);
            for form in forms {
                assert_eq!(stem(form), first, "{form}");
            }
        }
    }

    #[test]
    fn short_and_foreign_words_stay() {
        for word in ["is", "bus", "tea", "red", "k08", "straße", "bring", "status", "need"] {
            assert_eq!(stem(word), word, "{word}");
        }
    }
}
