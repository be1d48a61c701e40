//! The languages a bot speaks itself, and texts by language.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language the bot's own texts exist in. A visitor of any other one gets English.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Language {
    /// `en`
    #[default]
    #[serde(rename = "en")]
    English,
    /// `zh-CN`; also what is said to whoever reads traditional characters.
    #[serde(rename = "zh-CN")]
    Chinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The one to speak to somebody with this BCP 47 tag.
    pub fn of(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") { Self::Chinese } else { Self::English }
    }

    /// The language of exactly this tag, as files name it.
    pub fn named(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// Its BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The one of the two that this language says it in.
    pub(crate) fn pick(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// One text in the languages somebody wrote it in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    english: Option<String>,
    chinese: Option<String>,
}

impl Text {
    /// Puts it in a language.
    #[must_use]
    pub fn with(mut self, language: Language, text: impl Into<String>) -> Self {
        match language {
            Language::English => self.english = Some(text.into()),
            Language::Chinese => self.chinese = Some(text.into()),
        }
        self
    }

    /// In this language, else in English, else in the other one; empty where there is none at all.
    pub fn pick(&self, language: Language) -> &str {
        let own = match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        };
        own.as_deref().or(self.english.as_deref()).or(self.chinese.as_deref()).unwrap_or_default()
    }

    /// Every language it is in.
    pub fn iter(&self) -> impl Iterator<Item = (Language, &str)> {
        let english = self.english.as_deref().map(|text| (Language::English, text));
        let chinese = self.chinese.as_deref().map(|text| (Language::Chinese, text));
        english.into_iter().chain(chinese)
    }

    /// Whether it is in no language.
    pub fn is_empty(&self) -> bool {
        self.english.is_none() && self.chinese.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_of_any_other_language_gets_english() {
        for (tag, expected) in [
            ("en", Language::English),
            ("en-GB", Language::English),
            ("zh-CN", Language::Chinese),
            ("zh-TW", Language::Chinese),
            ("zh_Hant_HK", Language::Chinese),
            ("ZH", Language::Chinese),
            ("de", Language::English),
            ("", Language::English),
            ("zha", Language::English),
        ] {
            assert_eq!(Language::of(tag), expected, "{tag}");
        }
    }

    #[test]
    fn a_text_is_shown_in_the_language_there_is() {
        let both = Text::default().with(Language::English, "hi").with(Language::Chinese, "你好");
        assert_eq!(both.pick(Language::Chinese), "你好");
        let chinese = Text::default().with(Language::Chinese, "你好");
        assert_eq!(chinese.pick(Language::English), "你好");
        assert_eq!(Text::default().pick(Language::English), "");
    }
}
