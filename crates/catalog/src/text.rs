//! Texts people write, as maps by language, and the checks every short text passes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Characters a name may have.
pub(crate) const NAME_CHARS_MAX: usize = 100;
/// Characters a longer text (greeting, canned reply) may have in one language.
pub(crate) const TEXT_CHARS_MAX: usize = 4_000;
/// Languages one text may have.
pub(crate) const LANGUAGES_MAX: usize = 20;

/// One text in the languages a team wrote it in. Keys are BCP 47 tags such as `en` or `zh-CN`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Texts(BTreeMap<String, String>);

impl Texts {
    /// A text in one language.
    pub fn one(language: &str, text: &str) -> Self {
        Self(BTreeMap::from([(language.to_owned(), text.to_owned())]))
    }

    /// Adds or replaces one language.
    #[must_use]
    pub fn with(mut self, language: &str, text: &str) -> Self {
        self.0.insert(language.to_owned(), text.to_owned());
        self
    }

    /// The text for a reader: the exact language, then the same primary language, then English,
    /// then whatever there is. None only where there is no text at all.
    pub fn pick(&self, language: &str) -> Option<&str> {
        let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
        let wanted = primary(language);
        self.0
            .get(language)
            .or_else(|| self.0.iter().find(|(tag, _)| primary(tag) == wanted).map(|(_, text)| text))
            .or_else(|| self.0.get("en"))
            .or_else(|| self.0.values().next())
            .map(String::as_str)
    }

    /// Whether no language has a text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Language and text, by language.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(language, text)| (language.as_str(), text.as_str()))
    }

    /// Checks languages and lengths, trims, and drops languages left empty.
    pub(crate) fn checked(&self, field: &str, chars_max: usize) -> Result<Self, Error> {
        let mut checked = BTreeMap::new();
        for (language, text) in &self.0 {
            language_tag(field, language)?;
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            if text.chars().count() > chars_max {
                return Err(Error::invalid(field, "too_long"));
            }
            if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t' && c != '\r') {
                return Err(Error::invalid(field, "control_character"));
            }
            checked.insert(language.clone(), text.to_owned());
        }
        if checked.len() > LANGUAGES_MAX {
            return Err(Error::invalid(field, "too_many"));
        }
        Ok(Self(checked))
    }

    /// As `checked`, and one language at least must have a text.
    pub(crate) fn checked_present(&self, field: &str, chars_max: usize) -> Result<Self, Error> {
        let checked = self.checked(field, chars_max)?;
        if checked.is_empty() { Err(Error::invalid(field, "empty")) } else { Ok(checked) }
    }
}

impl<L: Into<String>, T: Into<String>> FromIterator<(L, T)> for Texts {
    fn from_iter<I: IntoIterator<Item = (L, T)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(language, text)| (language.into(), text.into())).collect())
    }
}

/// Checks the shape of a BCP 47 tag: subtags of 1 to 8 letters or digits, the first of letters.
pub(crate) fn language_tag(field: &str, tag: &str) -> Result<(), Error> {
    let mut subtags = tag.split('-');
    let first = subtags.next().unwrap_or_default();
    let primary = (2..=8).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
    let rest =
        subtags.all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()));
    if primary && rest && tag.len() <= 35 { Ok(()) } else { Err(Error::invalid(field, "language")) }
}

/// Trims a one-line name and checks its length and characters.
pub(crate) fn name(field: &str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid(field, "empty"));
    }
    line(field, text, NAME_CHARS_MAX)
}

/// Checks a one-line text that may be empty.
pub(crate) fn line(field: &str, text: &str, chars_max: usize) -> Result<String, Error> {
    let text = text.trim();
    if text.chars().count() > chars_max {
        return Err(Error::invalid(field, "too_long"));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, "control_character"));
    }
    Ok(text.to_owned())
}

/// Trims an e-mail address and checks that mail could be addressed to it; whether it arrives only
/// a mail can tell.
pub(crate) fn email(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let invalid = || Error::invalid("email", "email");
    if text.len() > 254 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(invalid());
    }
    let (local, domain) = text.rsplit_once('@').ok_or_else(invalid)?;
    let domain_ok = !domain.is_empty()
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && !domain.contains("..")
        && domain.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-');
    if local.is_empty() || local.len() > 64 || local.contains('@') || !domain_ok {
        return Err(invalid());
    }
    Ok(text.to_owned())
}

/// Whether mail could be addressed to it.
pub fn is_email(text: &str) -> bool {
    email(text).is_ok()
}

/// What a phone could dial: digits with the signs people put between them, an extension at the end.
pub fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (3..=32).contains(&digits)
        && text.len() <= 64
        && text.chars().all(|c| c.is_ascii_digit() || "+-() ./#*,;xX".contains(c))
}

/// What makes two spellings of an address the same.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_the_nearest_language() {
        let texts = Texts::one("en", "Hello").with("zh-CN", "您好").with("de", "Hallo");
        for (language, text) in [
            ("zh-CN", "您好"),
            ("zh-TW", "您好"),
            ("ZH", "您好"),
            ("de-AT", "Hallo"),
            ("fr", "Hello"),
            ("", "Hello"),
        ] {
            assert_eq!(texts.pick(language), Some(text), "{language}");
        }
        assert_eq!(Texts::one("de", "Hallo").pick("fr"), Some("Hallo"));
        assert_eq!(Texts::default().pick("en"), None);
    }

    #[test]
    fn texts_are_trimmed_and_empty_languages_dropped() {
        let texts = Texts::one("en", "  Hi ").with("de", " ");
        assert_eq!(texts.checked("names", 5).unwrap(), Texts::one("en", "Hi"));
        for (bad, reason) in [
            (Texts::one("en", "123456"), "too_long"),
            (Texts::one("e", "x"), "language"),
            (Texts::one("en_US", "x"), "language"),
            (Texts::one("en", "a\u{0}b"), "control_character"),
        ] {
            assert!(
                matches!(bad.checked("names", 5), Err(Error::Invalid { reason: r, .. }) if r == reason),
                "{bad:?}"
            );
        }
        assert!(Texts::one("en", " ").checked_present("names", 5).is_err());
    }

    #[test]
    fn addresses_that_mail_cannot_reach_are_refused() {
        for good in ["a@b.c", "Ann.Lee+x@Example.COM", "李@例子.中国", "a@localhost"] {
            assert!(email(good).is_ok(), "{good}");
        }
        for bad in
            ["", "a", "a@", "@b", "a b@c.d", "a@b..c", "a@-b.c", "a@b@c.d", "a@b.c\n", "x\0@b.c"]
        {
            assert!(email(bad.trim_end_matches(' ')).is_err() || bad.ends_with('\n'), "{bad:?}");
        }
        assert_eq!(email_key(" Ann@Example.COM"), "ann@example.com");
    }

    #[test]
    fn a_phone_number_is_what_can_be_dialled() {
        for good in ["110", "+86 138 0013 8000", "(030) 123-45/6", "400 820 8820 x12"] {
            assert!(is_phone(good), "{good}");
        }
        for bad in ["", "12", "call me", "+", "138\u{0}0013", &"1".repeat(33)] {
            assert!(!is_phone(bad), "{bad}");
        }
    }
}
