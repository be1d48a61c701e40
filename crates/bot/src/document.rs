//! What an account says about its bot: one document, kept by the catalog and changed in the console.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BotConfig, HandoverRules, Language, Mode, TextKey};

/// The word for the bot of this server where a document says who answers.
pub const BUILT_IN: &str = "built_in";
/// Inboxes a document may name.
pub const INBOXES_MAX: usize = 500;
/// Characters of one of the bot's own texts.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Characters of the bot's name.
pub const NAME_CHARS_MAX: usize = 60;

/// What a bot does in an inbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxMode {
    /// Nothing.
    #[default]
    Off,
    /// Answers visitors.
    Answer,
    /// Suggests answers to the agents.
    Suggest,
}

/// What an account says about one inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InboxBot {
    /// What is done there.
    pub mode: InboxMode,
    /// [`BUILT_IN`], or the id of a bot's key.
    pub who: String,
    /// The flow that begins a session; empty for none.
    pub flow: String,
}

impl Default for InboxBot {
    fn default() -> Self {
        Self { mode: InboxMode::Off, who: BUILT_IN.to_owned(), flow: String::new() }
    }
}

/// What an account says about its bot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BotDocument {
    /// What it calls itself, by language (`en`, `zh-CN`).
    pub name: BTreeMap<String, String>,
    /// By the id of the inbox.
    pub inboxes: BTreeMap<String, InboxBot>,
    /// When it gives up.
    pub handover: HandoverRules,
    /// What it says in the place of its own texts, by language.
    pub texts: BTreeMap<TextKey, BTreeMap<String, String>>,
    /// The language briefs are written in.
    pub team_language: Language,
}

/// Why a document does not hold: which field, and a stable code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct DocumentError {
    /// The path of the field.
    pub field: String,
    /// `too_long`, `too_many`, `range`, `language`.
    pub reason: &'static str,
}

impl BotDocument {
    /// Refuses what is out of bounds. Whether inboxes, keys and flows exist is for whoever knows them.
    pub fn check(&self) -> Result<(), DocumentError> {
        let wrong = |field: String, reason| Err(DocumentError { field, reason });
        if self.inboxes.len() > INBOXES_MAX {
            return wrong("inboxes".to_owned(), "too_many");
        }
        if !(1..=10).contains(&self.handover.misses_max) {
            return wrong("handover.misses_max".to_owned(), "range");
        }
        let by_language = |field: &str, texts: &BTreeMap<String, String>, chars_max: usize| {
            for (language, text) in texts {
                if !["en", "zh-CN"].contains(&language.as_str()) {
                    return wrong(format!("{field}.{language}"), "language");
                }
                if text.chars().count() > chars_max {
                    return wrong(format!("{field}.{language}"), "too_long");
                }
            }
            Ok(())
        };
        by_language("name", &self.name, NAME_CHARS_MAX)?;
        for (key, texts) in &self.texts {
            let key = serde_json::to_value(key).ok();
            let key = key.as_ref().and_then(|key| key.as_str()).unwrap_or_default();
            by_language(&format!("texts.{key}"), texts, TEXT_CHARS_MAX)?;
        }
        Ok(())
    }

    /// What it calls itself where nobody's language is known.
    pub fn own_name(&self) -> &str {
        let names = ["en", "zh-CN"].into_iter().filter_map(|language| self.name.get(language));
        names.map(|name| name.trim()).find(|name| !name.is_empty()).unwrap_or("Frontdesk")
    }

    /// How the bot behaves in an inbox; `None` where it does nothing. Whether a language model may be asked is said
    /// elsewhere.
    pub fn config(&self, inbox: &str, llm: bool) -> Option<BotConfig> {
        let of = self.inboxes.get(inbox)?;
        let mode = match of.mode {
            InboxMode::Off => return None,
            InboxMode::Answer => Mode::Answer,
            InboxMode::Suggest => Mode::Suggest,
        };
        Some(BotConfig {
            name: self.name.clone(),
            mode,
            flow: of.flow.clone(),
            handover: self.handover,
            llm,
            texts: self.texts.clone(),
            team_language: self.team_language,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> BotDocument {
        serde_json::from_str(json).expect("it is a document")
    }

    #[test]
    fn what_is_left_out_is_as_the_product_has_it() {
        let document = parse(r#"{"inboxes": {"a": {"mode": "answer"}, "b": {}}}"#);
        assert_eq!(document.check(), Ok(()));
        assert_eq!(document.inboxes["a"].who, BUILT_IN);
        let config = document.config("a", true).expect("it answers there");
        assert_eq!((config.mode, config.llm, config.handover.misses_max), (Mode::Answer, true, 2));
        assert_eq!(document.config("b", true), None);
        assert_eq!(document.config("c", true), None);
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        let long = "字".repeat(NAME_CHARS_MAX + 1);
        for (json, field, reason) in [
            (r#"{"handover": {"misses_max": 0}}"#.to_owned(), "handover.misses_max", "range"),
            (r#"{"name": {"fr": "Robot"}}"#.to_owned(), "name.fr", "language"),
            (format!(r#"{{"name": {{"en": "{long}"}}}}"#), "name.en", "too_long"),
            (r#"{"texts": {"away": {"de": "x"}}}"#.to_owned(), "texts.away.de", "language"),
        ] {
            let field = field.to_owned();
            assert_eq!(parse(&json).check(), Err(DocumentError { field, reason }), "{json}");
        }
        for json in [r#"{"inbox": {}}"#, r#"{"inboxes": {"a": {"mode": "on"}}}"#] {
            assert!(serde_json::from_str::<BotDocument>(json).is_err(), "{json}");
        }
    }
}
