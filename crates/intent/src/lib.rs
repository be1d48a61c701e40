//! What a visitor wants, read on the CPU without sending a word to anybody.
//!
//! A text is normalised ([`text`]) and gets the probabilities of four labels ([`Label`]) from a model ([`model`]) of a
//! small BERT and hashed n-grams. The model in the box was trained ([`train`]) on the texts of `datasets/intent`, and is
//! judged ([`eval`]) by others. Nothing here waits for a network or knows a conversation.

mod config;
pub mod eval;
mod example;
pub mod gather;
mod label;
pub mod model;
mod router;
mod rules;
pub mod text;
mod traffic;
pub mod train;
mod worker;

pub use config::{AccountConfig, ConfigError, Policy, RouterConfig, SHIPPED, Target};
pub use example::{Example, ReadError, read_examples};
pub use label::{LABELS, Label, ParseLabelError};
pub use model::Classifier;
pub use router::{Context, Decision, RouterOptions, SmartRouter, Source, Why};
pub use rules::{Hit, Rule, Rules};
pub use traffic::{STEPS, Traffic};
pub use worker::{Model, ModelHealth, Trouble, WorkersOptions};
