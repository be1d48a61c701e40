//! Rules: words and patterns that decide without the model. The first that matches wins.

use std::fmt::Write as _;
use std::sync::Arc;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use frontdesk_script::simplified;

use crate::text::lower;

/// Rules of one inbox.
const RULES_MAX: usize = 200;
/// Keywords of one rule.
const KEYWORDS_MAX: usize = 200;
/// Longest keyword or pattern.
const PATTERN_BYTES_MAX: usize = 1_000;
/// Of a text that is longer the beginning is looked at.
const TEXT_CHARACTERS_MAX: usize = 2_000;
/// What one compiled pattern may take; one that needs more is refused.
const PATTERN_SIZE_MAX: usize = 1 << 20;
/// What all of them together may take.
const SET_SIZE_MAX: usize = 2 << 20;
/// What a search may keep in mind to be fast; without it is slower, and right.
const SEARCH_SIZE_MAX: usize = 256 << 10;

/// One rule as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it decides.
    pub intent: String,
    /// Any of these in the text, as whole words where they are of Latin letters.
    pub keywords: Vec<String>,
    /// Or this pattern, in the syntax of the crate `regex`, in the folded text: lower case, half width, simplified.
    pub regex: Option<String>,
}

/// Why rules are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Which, from 0.
    pub number: usize,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it decides.
    pub intent: String,
    /// The place of the rule, from 0.
    pub number: usize,
    /// The words it found.
    pub words: String,
}

/// Rules that were checked.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    all: Arc<Vec<Rule>>,
    patterns: Arc<Vec<Regex>>,
    /// All at once; none where there are no rules.
    set: Option<Arc<RegexSet>>,
}

impl Rules {
    /// These rules, with others before them. The error counts the others only.
    pub fn with_first(&self, first: Vec<Rule>) -> Result<Self, RuleError> {
        if first.is_empty() {
            return Ok(self.clone());
        }
        let mut rules = first;
        let own = rules.len();
        rules.extend(self.all.iter().cloned());
        if rules.len() > RULES_MAX {
            let reason = format!("an inbox can have at most {RULES_MAX} rules");
            return Err(RuleError { number: own - 1, reason });
        }
        let mut patterns = Vec::with_capacity(rules.len());
        for (number, rule) in rules.iter().take(own).enumerate() {
            let pattern = pattern(rule).and_then(|source| built(&source));
            patterns.push(pattern.map_err(|reason| RuleError { number, reason })?);
        }
        patterns.extend(self.patterns.iter().cloned());
        let set = RegexSetBuilder::new(patterns.iter().map(Regex::as_str))
            .size_limit(SET_SIZE_MAX)
            .dfa_size_limit(SEARCH_SIZE_MAX)
            .build()
            .map_err(|error| RuleError {
                number: own - 1,
                reason: format!("of all rules: {}", in_words(&error)),
            })?;
        let (all, patterns) = (Arc::new(rules), Arc::new(patterns));
        Ok(Self { all, patterns, set: Some(Arc::new(set)) })
    }

    /// The first rule that matches.
    pub fn decide(&self, text: &str) -> Option<Hit> {
        let set = self.set.as_ref()?;
        let text = fold(text);
        let number = set.matches(&text).iter().next()?;
        let found = self.patterns[number].find(&text)?;
        Some(Hit {
            intent: self.all[number].intent.clone(),
            number,
            words: found.as_str().trim().to_owned(),
        })
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.all.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// A text as rules see it: half width, lower case, simplified characters; digits stay what they are. Of a long text
/// the beginning.
fn fold(text: &str) -> String {
    folded(text).take(TEXT_CHARACTERS_MAX).collect()
}

/// The same of the whole text, if it is of so many characters at most: of less than rules see.
pub(crate) fn fold_short(text: &str, most: usize) -> Option<String> {
    let mut characters = folded(text);
    let folded: String = characters.by_ref().take(most.min(TEXT_CHARACTERS_MAX)).collect();
    characters.next().is_none().then_some(folded)
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    lower(text).map(simplified)
}

/// A rule as one pattern.
fn pattern(rule: &Rule) -> Result<String, String> {
    let keywords: Vec<String> = rule.keywords.iter().map(|keyword| fold(keyword)).collect();
    if keywords.len() > KEYWORDS_MAX {
        return Err(format!("a rule can have at most {KEYWORDS_MAX} keywords"));
    }
    if keywords.iter().any(|keyword| keyword.is_empty() || keyword.len() > PATTERN_BYTES_MAX) {
        return Err(format!("a keyword has 1 to {PATTERN_BYTES_MAX} bytes"));
    }
    let mut pattern = String::new();
    for keyword in &keywords {
        let is_latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let (before, after) =
            (is_latin(keyword.chars().next()), is_latin(keyword.chars().next_back()));
        // `\b` would not do: between Chinese and Latin letters it sees no border.
        let before = if before { "(?:^|[^a-z0-9])" } else { "" };
        let after = if after { "(?:[^a-z0-9]|$)" } else { "" };
        let keyword = regex::escape(keyword);
        let or = if pattern.is_empty() { "" } else { "|" };
        write!(pattern, "{or}{before}{keyword}{after}").expect("a string takes everything");
    }
    if let Some(regex) = rule.regex.as_deref().filter(|regex| !regex.is_empty()) {
        if regex.len() > PATTERN_BYTES_MAX {
            return Err(format!("a pattern has at most {PATTERN_BYTES_MAX} bytes"));
        }
        // Alone first: two halves of a pattern could fit together by chance.
        built(regex)?;
        let or = if pattern.is_empty() { "" } else { "|" };
        write!(pattern, "{or}(?:{regex})").expect("a string takes everything");
    }
    if pattern.is_empty() {
        return Err("a rule needs `keywords`, `regex`, or both".to_owned());
    }
    Ok(pattern)
}

fn built(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(source)
        .size_limit(PATTERN_SIZE_MAX)
        .dfa_size_limit(SEARCH_SIZE_MAX)
        .build()
        .map_err(|error| in_words(&error))
}

/// The last line of what the crate says; those before draw the place.
fn in_words(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "the regex takes too much memory: fewer or smaller repetitions".to_owned()
        }
        error => {
            let text = error.to_string();
            let last = text.lines().next_back().unwrap_or_default();
            format!("the regex cannot be read: {}", last.trim_start_matches("error: "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(intent: &str, keywords: &[&str], regex: Option<&str>) -> Rule {
        Rule {
            intent: intent.to_owned(),
            keywords: keywords.iter().map(|keyword| (*keyword).to_owned()).collect(),
            regex: regex.map(str::to_owned),
        }
    }

    fn rules(rules: Vec<Rule>) -> Rules {
        Rules::default().with_first(rules).expect("they are right")
    }

    #[test]
    fn keywords_are_whole_words_where_words_have_spaces() {
        let rules = rules(vec![rule("human", &["Human", "人工"], None)]);
        let found = |text: &str| rules.decide(text).map(|hit| hit.words);
        for text in ["a human, please", "HUMAN", "我要human", "转人工客服", "ｈｕｍａｎ"]
        {
            assert!(found(text).is_some(), "{text}");
        }
        for text in ["humane", "inhuman", "", "人 工"] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_rule_wins_and_says_what_it_found() {
        let rules = rules(vec![
            rule("refund", &[], Some(r"order \d{4,}")),
            rule("order", &["order"], None),
        ]);
        let hit = rules.decide("Where is order 12345?").expect("it matches");
        assert_eq!(
            (hit.intent.as_str(), hit.number, hit.words.as_str()),
            ("refund", 0, "order 12345")
        );
        assert_eq!(rules.decide("my order 12").expect("it matches").intent, "order");
    }

    #[test]
    fn patterns_that_are_broken_or_too_large_are_refused_with_their_number() {
        let refused = |regex: &str| {
            let rules = vec![rule("a", &["a"], None), rule("b", &[], Some(regex))];
            Rules::default().with_first(rules).expect_err(regex)
        };
        for regex in ["(", "a)|(b", r"\p{Nowhere}", "(?P<a", "x{1000}{1000}", &"a".repeat(1_001)] {
            let error = refused(regex);
            assert_eq!(error.number, 1, "{error:?}");
            assert!(error.reason.len() > 10, "{error:?}");
        }
    }

    #[test]
    fn a_pattern_that_would_take_for_ever_elsewhere_does_not() {
        let rules = rules(vec![rule("x", &[], Some("(a+)+$"))]);
        let began = std::time::Instant::now();
        assert!(rules.decide(&format!("{}!", "a".repeat(1_900))).is_none());
        assert!(began.elapsed() < std::time::Duration::from_secs(1));
    }

    #[test]
    fn so_many_and_no_more() {
        let many = |count: usize| Rules::default().with_first(vec![rule("x", &["a"], None); count]);
        assert_eq!(many(RULES_MAX).expect("as many as may be").len(), RULES_MAX);
        assert!(many(RULES_MAX + 1).is_err());
        assert!(
            Rules::default().with_first(vec![rule("x", &["a"; KEYWORDS_MAX + 1], None)]).is_err()
        );
        assert!(Rules::default().with_first(vec![rule("x", &[""], None)]).is_err());
    }
}
