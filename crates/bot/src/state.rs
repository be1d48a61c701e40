//! What a bot keeps in mind of one session. It is stored with the session, so it is bounded in every part, whatever a
//! visitor writes and however long.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::template::{plain, shortened};
use crate::wording::{courtesy, has_words, wish_for_a_person};
use crate::{Act, Line, Reason, Speaker};

/// Variables of a session; further ones are dropped.
const VARIABLES_MAX: usize = 50;
/// What all their values together may take.
const VALUES_BYTES_MAX: usize = 8 << 10;
/// Lines an LLM is shown.
const HISTORY_MAX: usize = 8;
const LINE_CHARACTERS_MAX: usize = 400;
/// Titles of articles that were given as answers.
const ANSWERED_MAX: usize = 5;
/// Flows that began by themselves.
const STARTED_MAX: usize = 20;
/// Longest part of a message that is kept.
pub(crate) const TEXT_CHARACTERS_MAX: usize = 500;
/// Longest first sentence.
const WANTED_CHARACTERS_MAX: usize = 200;
/// Letters from which a sentence says something.
const WANTED_LETTERS_MIN: usize = 4;

/// What a bot keeps in mind of one session. A new session begins with the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The step a flow waits in.
    pub(crate) at: Option<At>,
    /// What flows saved.
    pub(crate) variables: BTreeMap<String, String>,
    /// Messages in a row that were not understood.
    pub(crate) misses: u32,
    /// Articles the visitor was asked to choose from.
    pub(crate) asked_back: Option<AskedBack>,
    /// Messages of the visitor.
    pub(crate) turns: u32,
    /// The first sentence that says something.
    pub(crate) wanted: String,
    /// The last message with words in it.
    pub(crate) last: String,
    /// Titles of the articles that were given as answers.
    pub(crate) answered: Vec<String>,
    /// What was said, the oldest first.
    pub(crate) history: VecDeque<Line>,
    /// Flows that begin once in a session, and did.
    pub(crate) started: Vec<String>,
    /// What an LLM was asked and has not answered.
    pub(crate) waiting: Option<Waiting>,
    /// Why the session went to people.
    pub(crate) handed_over: Option<Reason>,
}

/// Where a flow waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    pub(crate) flow: String,
    pub(crate) step: String,
    /// Whether it has asked again already.
    pub(crate) again: bool,
}

/// A question with several articles that may answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AskedBack {
    pub(crate) question: String,
    /// Ids and titles.
    pub(crate) articles: Vec<(String, String)>,
}

/// A question an LLM was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) turn: u32,
    pub(crate) question: String,
}

impl State {
    /// Messages of the visitor so far.
    pub fn turns(&self) -> u32 {
        self.turns
    }

    /// Why the session went to people, if it did.
    pub fn handed_over(&self) -> Option<Reason> {
        self.handed_over
    }

    /// The turn of the question an LLM has not answered yet. After a restart the caller answers for it.
    pub fn waits_for_llm(&self) -> Option<u32> {
        self.waiting.as_ref().map(|waiting| waiting.turn)
    }

    /// What the visitor filled in and chose.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Saves a variable as plain text, while there is room.
    pub(crate) fn save(&mut self, name: &str, value: &str) {
        let value = plain(value);
        let others: usize =
            self.variables.iter().filter(|(of, _)| *of != name).map(|(_, value)| value.len()).sum();
        let is_new = !self.variables.contains_key(name);
        if others + value.len() > VALUES_BYTES_MAX
            || is_new && self.variables.len() >= VARIABLES_MAX
        {
            return;
        }
        self.variables.insert(name.to_owned(), value);
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Counts a message, and keeps what is needed of it.
    pub(crate) fn hear(&mut self, text: &str) {
        self.turns = self.turns.saturating_add(1);
        if !has_words(text) {
            return;
        }
        self.last = shortened(text.trim(), TEXT_CHARACTERS_MAX);
        if self.wanted.is_empty() {
            self.wanted = first_informative(text).unwrap_or_default();
        }
        self.remember(Speaker::Visitor, text);
    }

    /// Keeps what the bot said.
    pub(crate) fn said(&mut self, acts: &[Act]) {
        for act in acts {
            match act {
                Act::Say { text, .. } | Act::TakeMessage { text } => {
                    self.remember(Speaker::Bot, text);
                }
                Act::Choices { body, .. } | Act::AskBack { body, .. } => {
                    self.remember(Speaker::Bot, body);
                }
                Act::Form { title, .. } => self.remember(Speaker::Bot, title),
                Act::Answer { text, found, .. } => {
                    self.remember(Speaker::Bot, text);
                    if let Some(found) = found.first() {
                        let title = shortened(&found.title, 100);
                        if !self.answered.contains(&title) && self.answered.len() < ANSWERED_MAX {
                            self.answered.push(title);
                        }
                    }
                }
                Act::Suggest { .. }
                | Act::AskLlm { .. }
                | Act::HandOver { .. }
                | Act::Close
                | Act::Nothing => {}
            }
        }
    }

    pub(crate) fn has_started(&self, flow: &str) -> bool {
        // Once the list is full nothing begins by itself any more.
        self.started.len() >= STARTED_MAX || self.started.iter().any(|name| name == flow)
    }

    pub(crate) fn start(&mut self, flow: &str) {
        if !self.has_started(flow) {
            self.started.push(flow.to_owned());
        }
    }

    fn remember(&mut self, by: Speaker, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.history.len() >= HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back(Line { by, text: shortened(text.trim(), LINE_CHARACTERS_MAX) });
    }
}

/// The first sentence that is neither manners nor a wish for a person.
fn first_informative(text: &str) -> Option<String> {
    text.split_inclusive(['.', '!', '?', '。', '！', '？', '\n'])
        .take(50)
        .map(|sentence| shortened(&plain(sentence), WANTED_CHARACTERS_MAX))
        .find(|sentence| {
            sentence.chars().filter(|c| c.is_alphanumeric()).count() >= WANTED_LETTERS_MIN
                && courtesy(sentence).is_none()
                && wish_for_a_person(sentence).is_none()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_that_says_something_is_kept() {
        for (text, expected) in [
            ("Hello! Where is my order? I need it.", Some("Where is my order?")),
            ("你好。我的订单还没到！急", Some("我的订单还没到！")),
            ("hi", None),
            ("I want to talk to a human", None),
            ("1", None),
            ("My order A-1001\nis late", Some("My order A-1001")),
        ] {
            assert_eq!(first_informative(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn variables_have_an_end() {
        let mut state = State::default();
        for number in 0..1_000 {
            state.save(&format!("v{number}"), &"长".repeat(10_000));
        }
        assert!(state.variables.len() <= VARIABLES_MAX);
        assert!(state.variables.values().map(String::len).sum::<usize>() <= VALUES_BYTES_MAX);
        // One that is there may change.
        state.save("v0", "short");
        assert_eq!(state.variable("v0"), Some("short"));
    }
}
