//! Flows: what a team has a bot say, ask and do, step by step. They are written in YAML, checked, and
//! refused as a whole where something is wrong; what comes out can be run as it is.
//!
//! ```yaml
//! name: opening
//! start: { when: { greeting: true } }
//! steps:
//!   menu:
//!     ask:
//!       text: { en: What is it about?, zh-CN: 请问您想咨询什么？ }
//!       choices:
//!         - { id: order, label: { en: My order, zh-CN: 我的订单 }, goto: person }
//!         - { id: nothing, label: { en: Nothing, zh-CN: 没什么 }, goto: end }
//!   person:
//!     handover: { team: Support, note: "Asked for {topic}" }
//!   end:
//!     end: true
//! ```

mod check;
mod fields;
mod read;

use std::collections::BTreeMap;
use std::fmt;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::Text;

pub use fields::FieldKind;
pub(crate) use fields::{Filled, fill, from_text};

/// Largest file.
pub const FLOW_BYTES_MAX: usize = 256 << 10;
/// Steps of one flow.
pub const STEPS_MAX: usize = 200;
/// Longest text that is shown to a visitor.
pub const TEXT_BYTES_MAX: usize = 4 << 10;
/// Choices of one step, fields of one form, options of one field.
pub const CHOICES_MAX: usize = 10;

/// A flow that was checked.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Names it among the flows of an account.
    pub name: String,
    /// What the team counts its versions by; 0 where it does not.
    pub version: u32,
    /// When it begins by itself.
    pub start: Start,
    pub(crate) first: String,
    pub(crate) steps: BTreeMap<String, Step>,
    /// What is expected of it.
    pub tests: Vec<FlowTest>,
}

impl Flow {
    /// Reads and checks a flow. Warnings let it pass; [`Flow::check`] has them.
    pub fn parse(yaml: &str) -> Result<Self, Vec<Problem>> {
        let (flow, problems) = Self::check(yaml);
        flow.ok_or(problems)
    }

    /// Reads a flow, and says everything that is wrong with it. There is a flow unless one of the problems is an error.
    pub fn check(yaml: &str) -> (Option<Self>, Vec<Problem>) {
        match read::read(yaml) {
            Ok(file) => check::check(file),
            Err(problem) => (None, vec![problem]),
        }
    }

    /// How many steps it has.
    pub fn steps_count(&self) -> usize {
        self.steps.len()
    }
}

/// When a flow begins by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// At a greeting.
    pub greeting: bool,
    /// At a message of a session with one of these intents, once in a session.
    pub intents: Vec<String>,
    /// At one of these words.
    pub words: Vec<String>,
    /// Where nothing else has an answer, once in a session.
    pub default: bool,
}

/// One step.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Say { text: Text, goto: String },
    Ask { text: Text, choices: Vec<AskChoice>, save: Option<String> },
    Form(FormStep),
    Answer { question: Text, found: String, nothing: String },
    Set { values: Vec<(String, String)>, goto: String },
    If { variable: String, test: Test, then: String, otherwise: String },
    Handover { say: Text, team: Option<String>, note: Option<String> },
    Close { say: Text },
    End,
}

#[derive(Debug, Clone)]
pub(crate) struct AskChoice {
    pub(crate) id: String,
    pub(crate) label: Text,
    pub(crate) goto: String,
}

#[derive(Debug, Clone)]
pub(crate) struct FormStep {
    pub(crate) title: Text,
    pub(crate) fields: Vec<Field>,
    pub(crate) submit: Text,
    pub(crate) goto: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) id: String,
    pub(crate) kind: FieldKind,
    pub(crate) label: Text,
    pub(crate) required: bool,
    pub(crate) options: Vec<(String, Text)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Test {
    Equals(String),
    Matches(Regex),
}

impl Test {
    pub(crate) fn holds(&self, value: &str) -> bool {
        match self {
            Self::Equals(expected) => value == expected,
            Self::Matches(pattern) => pattern.is_match(value),
        }
    }
}

impl Step {
    /// Whether it waits for the visitor.
    pub(crate) fn waits(&self) -> bool {
        matches!(self, Self::Ask { .. } | Self::Form(_))
    }

    /// Every step it may lead to.
    pub(crate) fn leads_to(&self) -> Vec<&str> {
        match self {
            Self::Say { goto, .. } | Self::Set { goto, .. } | Self::Form(FormStep { goto, .. }) => {
                vec![goto]
            }
            Self::Ask { choices, .. } => choices.iter().map(|choice| &*choice.goto).collect(),
            Self::Answer { found, nothing, .. } => vec![found, nothing],
            Self::If { then, otherwise, .. } => vec![then, otherwise],
            Self::Handover { .. } | Self::Close { .. } | Self::End => Vec::new(),
        }
    }
}

/// One conversation, and what is expected of the bot in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowTest {
    /// What it shows.
    pub name: String,
    /// Where it stands.
    pub line: u64,
    /// The visitor's, a BCP 47 tag.
    pub language: String,
    /// What the session was sorted as.
    pub intent: Option<String>,
    /// Whether people are there.
    pub attended: bool,
    /// What the visitor does, one message after the other.
    pub say: Vec<Said>,
    /// What the bot does after each of them; where there are fewer, nothing is expected of the last ones.
    pub expect: Vec<Expected>,
}

/// What a visitor does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Writes. A label of a button on the screen is as good as the button.
    Text(String),
    /// Picks a button by its id.
    Choose(String),
    /// Fills in the form on the screen: id and value.
    Form(Vec<(String, String)>),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Choose(id) => write!(f, "[{id}]"),
            Self::Form(values) => {
                for (number, (id, value)) in values.iter().enumerate() {
                    write!(f, "{}{id}: {value}", if number == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

/// What is expected of a bot's reply. What is not said is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Where it stands.
    pub line: u64,
    /// Everything it says together has each of these in it.
    pub text: Vec<String>,
    /// Exactly these labels, in this order.
    pub choices: Option<Vec<String>>,
    /// A form with exactly these fields, by their ids.
    pub form: Option<Vec<String>>,
    /// Id or slug of the article it answers with.
    pub article: Option<String>,
    /// Whether, and why, the session goes to people.
    pub handover: Option<ExpectedHandover>,
    /// Name of the team it goes to.
    pub team: Option<String>,
    /// Whether the session is closed.
    pub closed: Option<bool>,
}

/// What is expected of a handover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedHandover {
    /// There is none, or one for any reason.
    Whether(bool),
    /// There is one for this reason.
    For(crate::Reason),
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The flow is refused.
    Error,
    /// The flow can be used.
    Warning,
}

/// Something that is wrong with a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable, for programs.
    pub code: String,
    /// How bad.
    pub severity: Severity,
    /// From 1; 0 where the place is not known.
    pub line: u64,
    /// The step it is in; empty for none.
    pub step: String,
    /// What the words for it name: a step, a limit, a variable.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// What is wrong and what would be right, in English.
    pub reason: String,
}

impl Problem {
    fn with(&mut self, name: &str, value: &(impl ToString + ?Sized)) -> &mut Self {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.step.is_empty() {
            write!(f, "step `{}`: ", self.step)?;
        }
        write!(f, "{} ({})", self.reason, self.code)
    }
}
