//! What a bot does with what a visitor writes: flows, answers from the knowledge base, handover to people.
//!
//! Everything here is pure: no clock, no socket, no thread. Whoever wires it gives [`Mind::hear`] what a visitor wrote
//! and the [`State`] of the session, does the [`Act`]s that come back, and stores the state. A visitor is never left in
//! limbo: each message is answered, waits for an LLM that was asked, or goes to people.
//!
//! - [`flow`]: what a team writes in YAML, checked with line and step
//! - [`Mind`]: the rules in their order
//! - [`brief`]: what a person reads who takes over
//! - [`replay`]: what another mind would have done with past sessions
//! - [`talk`]: a conversation to try, for the console and for the tests inside flows

mod act;
pub mod brief;
mod config;
mod document;
mod expect;
pub mod flow;
mod language;
mod mind;
mod moment;
pub mod replay;
mod state;
pub mod talk;
mod template;
mod texts;
pub mod wording;

pub use act::{Act, Choice, FormField, Line, Reason, Speaker, Why, WhyKind};
pub use config::{BotConfig, HandoverRules, Mode};
pub use document::{
    BUILT_IN, BotDocument, DocumentError, INBOXES_MAX, InboxBot, InboxMode, NAME_CHARS_MAX,
    TEXT_CHARS_MAX,
};
pub use expect::{CaseResult, Mismatch, run_tests};
pub use flow::{Flow, Problem, Severity};
pub use language::{Language, Text};
pub use mind::{Heard, LlmAnswer, LlmFailed, Mind};
pub use moment::{Moment, OpensAt};
pub use state::State;
pub use texts::TextKey;
