//! Regular expressions of an account: no backtracking, and so small that the slowest way to match one stays bearable.

use regex::{Regex, RegexBuilder};
use regex_syntax::Parser;

use super::{Found, RuleError};

/// Bytes of a pattern that is ready: `\d{11}` takes 64 KiB, an e-mail address in any script 192.
const SIZE_MAX: usize = 256 << 10;
/// Bytes of what is remembered while matching, for each pattern and thread.
const CACHE_MAX: usize = 256 << 10;
/// Groups within groups.
const NEST_MAX: u32 = 20;

/// One expression.
#[derive(Debug)]
pub(super) struct Pattern {
    rule: u8,
    regex: Regex,
}

impl Pattern {
    /// Makes one ready; says where it is wrong otherwise.
    pub(super) fn new(rule: u8, pattern: &str) -> Result<Self, RuleError> {
        let bad = |reason: String| RuleError::at(usize::from(rule), "pattern", reason);
        // The crate regex tells its trouble as a picture of several lines; its parser tells the place.
        if let Err(error) = Parser::new().parse(pattern) {
            let (reason, span) = match &error {
                regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
                regex_syntax::Error::Translate(error) => {
                    (error.kind().to_string(), Some(error.span()))
                }
                other => (other.to_string(), None),
            };
            return Err(bad(match span {
                Some(span) => format!("at character {}: {reason}", span.start.column),
                None => reason,
            }));
        }
        let built = RegexBuilder::new(pattern)
            .size_limit(SIZE_MAX)
            .dfa_size_limit(CACHE_MAX)
            .nest_limit(NEST_MAX)
            .build();
        let regex = built.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                bad(r"is too large: repeat less, or write [0-9] for \d and [a-z] for \w".to_owned())
            }
            _ => bad(format!("has more than {NEST_MAX} groups within each other")),
        })?;
        if regex.is_match("") {
            return Err(bad(
                "matches where there is nothing, so it would match every text".to_owned()
            ));
        }
        Ok(Self { rule, regex })
    }

    /// Notes everything of a text that matches, if the rule is one of these.
    pub(super) fn look(&self, text: &str, rules: u128, found: &mut Found) {
        if rules & (1 << self.rule) == 0 {
            return;
        }
        for hit in self.regex.find_iter(text).filter(|hit| !hit.is_empty()) {
            found.note(self.rule, hit.start(), hit.end());
        }
    }
}
