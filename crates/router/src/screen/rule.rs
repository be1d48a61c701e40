//! Rules as an account puts them in, and why one cannot hold.

use serde::{Deserialize, Serialize};

use super::words::BadWord;

/// Rules of one account.
pub const RULES_MAX: usize = 100;
/// Words of all lists of an account together.
pub const WORDS_MAX: usize = 10_000;
/// Bytes of one word.
pub const WORD_BYTES_MAX: usize = 128;
/// Rules of an account that are patterns: each costs a pass over the text.
pub const PATTERNS_MAX: usize = 50;
/// Bytes of one pattern.
pub const PATTERN_BYTES_MAX: usize = 512;
/// Bytes of a rule's name: it is told to whoever is refused.
pub const NAME_BYTES_MAX: usize = 64;

/// What a rule looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The words of a list.
    Words,
    /// A regular expression.
    Pattern,
    /// Numbers of payment cards.
    Card,
    /// Numbers of identity cards of mainland China.
    IdNumber,
}

/// What a rule does with content that holds what it looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Puts asterisks in its place.
    Mask,
    /// Does not let the message pass.
    Refuse,
    /// Lets it pass and tells.
    Flag,
}

impl Action {
    /// Returns its word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Refuse => "refuse",
            Self::Flag => "flag",
        }
    }
}

/// Whose content a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppliesTo {
    /// Visitors only.
    Visitors,
    /// Everybody who answers visitors: agents, bots, keys.
    Team,
    /// Both.
    Everyone,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is called in hits and refusals.
    pub name: String,
    /// What it looks for.
    pub kind: Kind,
    /// Of [`Kind::Words`]: the list.
    #[serde(default)]
    pub words: Vec<String>,
    /// Of [`Kind::Pattern`]: the regular expression.
    #[serde(default)]
    pub pattern: String,
    /// Of [`Kind::IdNumber`]: numbers of 15 digits too, which have no check digit.
    #[serde(default)]
    pub old_form: bool,
    /// What it does.
    pub action: Action,
    /// Whose content it looks at.
    pub applies_to: AppliesTo,
}

/// The rules of an account, as they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// All of them.
    pub rules: Vec<Rule>,
}

/// Why rules cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct RuleError {
    /// Which rule; none where it is about all of them.
    pub rule: Option<usize>,
    /// Which part of them, for example `rules[3].pattern`.
    pub field: String,
    /// Why, for whoever wrote it.
    pub reason: String,
}

impl RuleError {
    pub(super) fn of_all(reason: impl Into<String>) -> Self {
        Self { rule: None, field: "rules".to_owned(), reason: reason.into() }
    }

    pub(super) fn at(rule: usize, field: &str, reason: impl Into<String>) -> Self {
        Self { rule: Some(rule), field: format!("rules[{rule}].{field}"), reason: reason.into() }
    }

    pub(super) fn word(rule: usize, word: usize, bad: BadWord) -> Self {
        let reason = match bad {
            BadWord::Empty => "holds no letter or digit to look for",
            BadWord::Edge => {
                "begins or ends with a sign that is not looked at between letters; use a pattern"
            }
        };
        Self::at(rule, &format!("words[{word}]"), reason)
    }
}

/// Checks everything of rules that can be told without making them ready.
pub(super) fn check(rules: &[Rule]) -> Result<(), RuleError> {
    if rules.len() > RULES_MAX {
        return Err(RuleError::of_all(format!("there are more than {RULES_MAX}")));
    }
    let (mut words, mut patterns) = (0, 0);
    for (number, rule) in rules.iter().enumerate() {
        let bad = |field: &str, reason: &str| Err(RuleError::at(number, field, reason));
        if rule.name.trim().is_empty() || rule.name.len() > NAME_BYTES_MAX {
            return bad("name", &format!("must have 1 to {NAME_BYTES_MAX} bytes"));
        }
        if rules[..number].iter().any(|other| other.name == rule.name) {
            return bad("name", "another rule is called the same");
        }
        if rule.kind != Kind::Words && !rule.words.is_empty() {
            return bad("words", "only a rule of the kind words has them");
        }
        if rule.kind != Kind::Pattern && !rule.pattern.is_empty() {
            return bad("pattern", "only a rule of the kind pattern has one");
        }
        if rule.kind != Kind::IdNumber && rule.old_form {
            return bad("old_form", "only a rule of the kind id_number has one");
        }
        match rule.kind {
            Kind::Words => {
                if rule.words.is_empty() {
                    return bad("words", "there is none");
                }
                words += rule.words.len();
                if words > WORDS_MAX {
                    return bad("words", &format!("more than {WORDS_MAX} words in all lists"));
                }
                let long = rule.words.iter().position(|word| word.len() > WORD_BYTES_MAX);
                if let Some(long) = long {
                    let reason = format!("is longer than {WORD_BYTES_MAX} bytes");
                    return bad(&format!("words[{long}]"), &reason);
                }
            }
            Kind::Pattern => {
                patterns += 1;
                if patterns > PATTERNS_MAX {
                    return bad("pattern", &format!("more than {PATTERNS_MAX} rules are patterns"));
                }
                if rule.pattern.is_empty() || rule.pattern.len() > PATTERN_BYTES_MAX {
                    return bad("pattern", &format!("must have 1 to {PATTERN_BYTES_MAX} bytes"));
                }
            }
            Kind::Card | Kind::IdNumber => {}
        }
    }
    Ok(())
}
