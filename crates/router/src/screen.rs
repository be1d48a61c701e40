//! The one look at content before the log: pass, mask, refuse or flag. It is bounded (so many rules, so
//! many bytes, no backtracking) because it runs on the message's way; whatever takes longer follows
//! behind the ack. A new account has no rules, and one without rules is not looked at.
//!
//! ```text
//! content --texts--> words | patterns | numbers --spans--> refuse, or mask the spans and name the rules
//! ```
//! Of rules that find something a refusal wins, then masks, then flags; otherwise their order means nothing. What
//! is not masked is not changed by a byte.

mod content;
mod fold;
mod numbers;
mod pattern;
mod rule;
mod screens;
#[cfg(test)]
mod tests;
mod words;

use bytes::Bytes;
use frontdesk_core::{
    chat::{self, Actor, Content},
    id::{AccountId, ConversationId},
};
use frontdesk_protocol::codes;

use self::{
    numbers::{Number, Runs},
    pattern::Pattern,
    words::{Word, Words},
};
pub use self::{
    rule::{
        Action, AppliesTo, Kind, NAME_BYTES_MAX, PATTERN_BYTES_MAX, PATTERNS_MAX, RULES_MAX, Rule,
        RuleError, Rules, WORD_BYTES_MAX, WORDS_MAX,
    },
    screens::{Screens, ScreensView},
};
use crate::{Rejection, access::PrincipalKind};

/// What stands for a character that is masked; in names of files nothing that a file system takes amiss.
const IN_TEXTS: char = '*';
const IN_NAMES: char = '_';

// One bit for each rule.
const _: () = assert!(RULES_MAX <= u128::BITS as usize);

/// The rules of one account, ready to look at content.
#[derive(Debug, Default)]
pub struct Screen {
    rules: Vec<(String, Action)>,
    words: Option<Words>,
    patterns: Vec<Pattern>,
    numbers: Vec<(u8, Number)>,
    /// The rules that look at visitors, and at the team, as bits.
    of_visitors: u128,
    of_team: u128,
    /// Those that refuse, and those that mask.
    refuse: u128,
    mask: u128,
}

/// Content that may pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed<T = Content> {
    /// The content, masked where a rule says so.
    pub content: T,
    /// The rules that found something.
    pub by: Vec<Hitting>,
}

/// A rule that found something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hitting {
    /// Its name.
    pub rule: String,
    /// What it did.
    pub action: Action,
}

/// That a rule found something, and where; never what.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Whose rule.
    pub account: AccountId,
    /// Where it was said.
    pub conversation: ConversationId,
    /// When, UTC in ms.
    pub at_ms: i64,
    /// Who said it.
    pub by: Actor,
    /// The rule.
    pub rule: String,
    /// What it did.
    pub action: Action,
    /// Of the message, so that one that is sent again is not told again; empty for what is no message.
    pub client_msg_id: Bytes,
}

/// What would become of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The text as it would be kept.
    pub text: String,
    /// Whether it would be refused.
    pub is_refused: bool,
    /// All rules that find something in it.
    pub by: Vec<Hitting>,
}

/// What was found in one text.
#[derive(Debug, Default)]
struct Found {
    /// The rules, as bits.
    rules: u128,
    spans: Vec<Span>,
}

/// Bytes of a text that a rule found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    start: usize,
    end: usize,
    rule: u8,
}

impl Found {
    fn note(&mut self, rule: u8, start: usize, end: usize) {
        self.rules |= 1 << rule;
        self.spans.push(Span { start, end, rule });
    }
}

impl Screen {
    /// Makes rules ready. Takes a while for thousands of words.
    pub fn new(rules: &[Rule]) -> Result<Self, RuleError> {
        rule::check(rules)?;
        let mut screen = Self::default();
        let mut words = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            let bit = number as u8;
            match rule.kind {
                Kind::Words => {
                    for (place, word) in rule.words.iter().enumerate() {
                        let bad = |bad| RuleError::word(number, place, bad);
                        words.push(Word::new(bit, word).map_err(bad)?);
                    }
                }
                Kind::Pattern => screen.patterns.push(Pattern::new(bit, &rule.pattern)?),
                Kind::Card => screen.numbers.push((bit, Number::Card)),
                Kind::IdNumber => {
                    screen.numbers.push((bit, Number::Id { old_form: rule.old_form }));
                }
            }
            match rule.action {
                Action::Refuse => screen.refuse |= 1 << bit,
                Action::Mask => screen.mask |= 1 << bit,
                Action::Flag => {}
            }
            if rule.applies_to != AppliesTo::Team {
                screen.of_visitors |= 1 << bit;
            }
            if rule.applies_to != AppliesTo::Visitors {
                screen.of_team |= 1 << bit;
            }
            screen.rules.push((rule.name.clone(), rule.action));
        }
        screen.words = Words::new(words).map_err(|error| RuleError::of_all(error.to_string()))?;
        Ok(screen)
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Looks at what somebody is about to say: at every text of it that is read by others. What the product itself
    /// says of a conversation is masked where others would be refused, since nobody could say it otherwise.
    pub fn screen(&self, mut content: Content, by: PrincipalKind) -> Result<Passed, Rejection> {
        let rules = self.rules_for(by);
        if rules == 0 {
            return Ok(Passed { content, by: Vec::new() });
        }
        let (mut found, mut hit) = (Vec::new(), 0);
        content::texts(&mut content, &mut |text| {
            let of_text = self.look(text, rules);
            hit |= of_text.rules;
            found.push(of_text.spans);
        });
        let is_own = matches!(content.kind, Some(chat::content::Kind::System(_)));
        if !is_own {
            self.refused(hit)?;
        }
        let is_file = matches!(content.kind, Some(chat::content::Kind::File(_)));
        let sign = if is_file { IN_NAMES } else { IN_TEXTS };
        let masking = if is_own { self.mask | self.refuse } else { self.mask };
        if hit & masking != 0 {
            let mut found = found.into_iter();
            content::texts(&mut content, &mut |text| {
                mask(text, found.next().unwrap_or_default(), masking, sign);
            });
        }
        Ok(Passed { content, by: self.hitting(hit) })
    }

    /// Looks at a single text, as a comment.
    pub fn screen_text(
        &self,
        text: String,
        by: PrincipalKind,
    ) -> Result<Passed<String>, Rejection> {
        self.screen_one(text, by, IN_TEXTS)
    }

    /// Looks at the name of a file.
    pub fn screen_name(
        &self,
        name: String,
        by: PrincipalKind,
    ) -> Result<Passed<String>, Rejection> {
        self.screen_one(name, by, IN_NAMES)
    }

    fn screen_one(
        &self,
        mut text: String,
        by: PrincipalKind,
        sign: char,
    ) -> Result<Passed<String>, Rejection> {
        let found = self.look(&text, self.rules_for(by));
        self.refused(found.rules)?;
        mask(&mut text, found.spans, self.mask, sign);
        Ok(Passed { content: text, by: self.hitting(found.rules) })
    }

    /// Hides what must not be seen of a text that is still being written. Nothing is told of it: the message that
    /// comes of it is looked at again.
    pub fn screen_draft(&self, mut text: String, by: PrincipalKind) -> String {
        let rules = self.rules_for(by) & (self.mask | self.refuse);
        if rules == 0 {
            return text;
        }
        let mut found = Found::default();
        self.look_at_words(&text, rules, &mut found);
        let number = self.numbers.iter().find(|(rule, _)| rules & (1 << rule) != 0);
        if let Some((rule, _)) = number {
            let runs = Runs::of(&text, numbers::UNFINISHED_RUN_MIN);
            runs.hide_unfinished(|start, end| found.note(*rule, start, end));
        }
        mask(&mut text, found.spans, rules, IN_TEXTS);
        text
    }

    /// Tells what would become of a text.
    pub fn try_out(&self, mut text: String, by: PrincipalKind) -> Tried {
        let found = self.look(&text, self.rules_for(by));
        mask(&mut text, found.spans, self.mask, IN_TEXTS);
        let is_refused = found.rules & self.refuse != 0;
        Tried { text, is_refused, by: self.hitting(found.rules) }
    }

    fn rules_for(&self, by: PrincipalKind) -> u128 {
        if by == PrincipalKind::Visitor { self.of_visitors } else { self.of_team }
    }

    fn look(&self, text: &str, rules: u128) -> Found {
        let mut found = Found::default();
        self.look_at_words(text, rules, &mut found);
        if self.numbers.iter().any(|(rule, _)| rules & (1 << rule) != 0) {
            let runs = Runs::of(text, numbers::RUN_MIN);
            for (rule, number) in &self.numbers {
                if rules & (1 << rule) != 0 {
                    runs.look(*number, |start, end| found.note(*rule, start, end));
                }
            }
        }
        found
    }

    fn look_at_words(&self, text: &str, rules: u128, found: &mut Found) {
        if let Some(words) = &self.words {
            words.look(text, rules, found);
        }
        for pattern in &self.patterns {
            pattern.look(text, rules, found);
        }
    }

    /// The first of the rules that refuse, if one of these does.
    fn refused(&self, hit: u128) -> Result<(), Rejection> {
        let refusing = hit & self.refuse;
        if refusing == 0 {
            return Ok(());
        }
        let (name, _) = &self.rules[refusing.trailing_zeros() as usize];
        Err(Rejection::with(&codes::MESSAGE_REFUSED, name.clone()))
    }

    fn hitting(&self, hit: u128) -> Vec<Hitting> {
        let rules = self.rules.iter().enumerate();
        rules
            .filter(|(number, _)| hit & (1 << number) != 0)
            .map(|(_, (rule, action))| Hitting { rule: rule.clone(), action: *action })
            .collect()
    }
}

/// Puts one sign in the place of each character of the spans of these rules, so that the length says as much as
/// before.
fn mask(text: &mut String, mut spans: Vec<Span>, rules: u128, sign: char) {
    spans.retain(|span| rules & (1 << span.rule) != 0);
    if spans.is_empty() {
        return;
    }
    spans.sort_unstable();
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for Span { start, end, .. } in spans {
        let start = start.max(done);
        if start >= end {
            continue;
        }
        masked.push_str(&text[done..start]);
        masked.extend(std::iter::repeat_n(sign, text[start..end].chars().count()));
        done = end;
    }
    masked.push_str(&text[done..]);
    *text = masked;
}
