//! The one look at content before the log: pass, mask, refuse or flag. It is bounded (so many rules, so
//! many bytes, no backtracking) because it runs on the message's way; whatever takes longer follows
//! behind the ack. A new account has no rules.

use frontdesk_core::chat::{Content, content};
use frontdesk_protocol::codes;

use crate::{Rejection, access::PrincipalKind};

/// Rules of one account; each costs a pass over the text.
pub const RULES_MAX: usize = 64;
/// Bytes of a rule's term.
pub const TERM_BYTES_MAX: usize = 128;

/// What a rule does with content that holds its term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Puts asterisks in its place.
    Mask,
    /// Does not let the message pass.
    Refuse,
    /// Lets it pass and tells.
    Flag,
}

/// Whose content a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppliesTo {
    /// Visitors only.
    Visitors,
    /// Everybody who answers visitors.
    Team,
    /// Both.
    Everyone,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it is called in flags and refusals.
    pub name: String,
    /// What to look for; ASCII letters match in either case.
    pub term: String,
    /// What to do.
    pub action: Action,
    /// Whose content.
    pub applies_to: AppliesTo,
}

/// A rule that cannot be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// More than [`RULES_MAX`].
    #[error("more than {RULES_MAX} rules")]
    TooMany,
    /// The term is empty or longer than [`TERM_BYTES_MAX`].
    #[error("the term of rule {name} is empty or longer than {TERM_BYTES_MAX} bytes")]
    Term {
        /// The rule.
        name: String,
    },
}

/// The rules of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Screen {
    rules: Vec<Rule>,
}

/// Content that may pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    /// The content, masked where a rule says so.
    pub content: Content,
    /// The names of the rules that flag it.
    pub flags: Vec<String>,
}

impl Screen {
    /// Takes the rules, in the order they apply.
    pub fn new(mut rules: Vec<Rule>) -> Result<Self, RuleError> {
        if rules.len() > RULES_MAX {
            return Err(RuleError::TooMany);
        }
        for rule in &mut rules {
            if rule.term.is_empty() || rule.term.len() > TERM_BYTES_MAX {
                return Err(RuleError::Term { name: rule.name.clone() });
            }
            rule.term.make_ascii_lowercase();
        }
        Ok(Self { rules })
    }

    /// Looks at what somebody is about to say. File names are looked at like texts.
    pub fn screen(&self, mut content: Content, by: PrincipalKind) -> Result<Passed, Rejection> {
        let mut flags = Vec::new();
        let said = match &mut content.kind {
            Some(content::Kind::Text(text)) => &mut text.body,
            Some(content::Kind::File(file)) => &mut file.name,
            Some(content::Kind::System(_)) | None => return Ok(Passed { content, flags }),
        };
        for rule in self.rules.iter().filter(|rule| rule.looks_at(by)) {
            // ASCII case does not move bytes, so places found here are places in the original.
            let lower = said.to_ascii_lowercase();
            if !lower.contains(&rule.term) {
                continue;
            }
            match rule.action {
                Action::Refuse => {
                    return Err(Rejection::with(&codes::MESSAGE_REFUSED, rule.name.clone()));
                }
                Action::Flag => flags.push(rule.name.clone()),
                Action::Mask => *said = rule.mask(said, &lower),
            }
        }
        Ok(Passed { content, flags })
    }
}

impl Rule {
    fn looks_at(&self, by: PrincipalKind) -> bool {
        match self.applies_to {
            AppliesTo::Everyone => true,
            AppliesTo::Visitors => by == PrincipalKind::Visitor,
            AppliesTo::Team => by != PrincipalKind::Visitor,
        }
    }

    /// One asterisk for each character, so that the length says as much as before.
    fn mask(&self, said: &str, lower: &str) -> String {
        let stars = "*".repeat(self.term.chars().count());
        let mut masked = String::with_capacity(said.len());
        let mut done = 0;
        for (at, found) in lower.match_indices(&self.term) {
            masked.push_str(&said[done..at]);
            masked.push_str(&stars);
            done = at + found.len();
        }
        masked.push_str(&said[done..]);
        masked
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::chat::Text;

    use super::*;

    fn text(body: &str) -> Content {
        Content {
            kind: Some(content::Kind::Text(Text { body: body.to_owned() })),
            ..Content::default()
        }
    }

    fn rule(term: &str, action: Action, applies_to: AppliesTo) -> Rule {
        Rule { name: format!("no {term}"), term: term.to_owned(), action, applies_to }
    }

    #[test]
    fn without_rules_everything_passes() {
        let passed = Screen::default().screen(text("anything"), PrincipalKind::Visitor);
        assert_eq!(passed, Ok(Passed { content: text("anything"), flags: Vec::new() }));
    }

    #[test]
    fn rules_mask_refuse_and_flag_what_they_apply_to() {
        let screen = Screen::new(vec![
            rule("Damn", Action::Mask, AppliesTo::Everyone),
            rule("密码", Action::Mask, AppliesTo::Visitors),
            rule("lottery", Action::Refuse, AppliesTo::Visitors),
            rule("refund", Action::Flag, AppliesTo::Team),
        ])
        .expect("the rules are fine");
        let by = |kind, body| screen.screen(text(body), kind);
        let visitor = PrincipalKind::Visitor;
        let cases = [
            (visitor, "dAMN it, damn", Ok(("**** it, ****", 0))),
            (visitor, "我的密码是1", Ok(("我的**是1", 0))),
            (PrincipalKind::Agent, "我的密码是1", Ok(("我的密码是1", 0))),
            (visitor, "win the LOTTERY", Err(&codes::MESSAGE_REFUSED)),
            (PrincipalKind::Bot, "win the lottery", Ok(("win the lottery", 0))),
            (PrincipalKind::Agent, "a refund, damn", Ok(("a refund, ****", 1))),
            (visitor, "a refund", Ok(("a refund", 0))),
        ];
        for (kind, said, expected) in cases {
            match (by(kind, said), expected) {
                (Ok(passed), Ok((body, flags))) => {
                    assert_eq!(passed.content, text(body));
                    assert_eq!(passed.flags.len(), flags, "{said}");
                }
                (Err(refused), Err(code)) => assert_eq!(refused.code, code),
                other => panic!("{said}: {other:?}"),
            }
        }
    }

    #[test]
    fn rules_are_bounded() {
        let many = vec![rule("x", Action::Flag, AppliesTo::Everyone); RULES_MAX + 1];
        assert_eq!(Screen::new(many), Err(RuleError::TooMany));
        for term in [String::new(), "x".repeat(TERM_BYTES_MAX + 1)] {
            let refused = Screen::new(vec![rule(&term, Action::Flag, AppliesTo::Everyone)]);
            assert!(matches!(refused, Err(RuleError::Term { .. })));
        }
    }
}
