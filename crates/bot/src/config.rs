//! How a bot behaves in one inbox, beyond its flows and its articles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Language, texts::TextKey};

/// What a bot does with what it knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Speaks to the visitor.
    #[default]
    Answer,
    /// Speaks to the agent only.
    Suggest,
}

/// When a bot gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HandoverRules {
    /// A session whose intent is `complaint` goes to people at once.
    pub on_complaint: bool,
    /// So does one whose visitor is angry.
    pub on_anger: bool,
    /// So does one with so many messages in a row that the bot does not understand; 1 to 10.
    pub misses_max: u32,
}

impl Default for HandoverRules {
    fn default() -> Self {
        Self { on_complaint: true, on_anger: true, misses_max: 2 }
    }
}

/// How a bot behaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BotConfig {
    /// What it calls itself, by language (`en`, `zh-CN`).
    pub name: BTreeMap<String, String>,
    /// To whom it speaks.
    pub mode: Mode,
    /// The flow that begins a session when nothing else does; empty for none. One that does not exist is none.
    pub flow: String,
    /// When it gives up.
    pub handover: HandoverRules,
    /// Whether an LLM is asked where the knowledge base has no answer.
    pub llm: bool,
    /// What it says in the place of its own texts, by language.
    pub texts: BTreeMap<TextKey, BTreeMap<String, String>>,
    /// The language briefs are written in.
    pub team_language: Language,
}
