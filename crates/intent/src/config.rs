//! `ai_router.yaml`: from which probability on a label counts, rules that need no model, and where each intent leads.
//!
//! Everything is checked when the file is read: what comes out of here can be used as it is. An error names the line
//! and says what to do; the file as a whole is refused, and whoever has an older one keeps it.
//!
//! ```yaml
//! threshold: { complaint: 0.78, consult: 0.65, sales: 0.82 }
//! intents:
//!   complaint: { team: After-sales, skills: [refunds], priority: high }
//! rules:
//!   - { intent: human, keywords: [转人工, talk to a human] }
//! inboxes:
//!   Shop: { threshold: { sales: 0.7 } }
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use crate::eval::Thresholds;
use crate::label::Label;
use crate::rules::{Rule, RuleError, Rules};

/// The file as it is shipped, and what holds where there is none.
pub const SHIPPED: &str = include_str!("../../../config/ai_router.yaml");

/// Largest file.
const FILE_BYTES_MAX: usize = 256 << 10;
/// Longest name of an intent; as long as a label of a session may be.
const INTENT_BYTES_MAX: usize = 64;
/// Inboxes with entries of their own.
const INBOXES_MAX: usize = 1_000;
/// Intents that lead somewhere.
const INTENTS_MAX: usize = 100;
/// Skills an intent may wish for.
const SKILLS_MAX: usize = 16;
/// Longest skill; as long as one of an agent may be.
const SKILL_CHARACTERS_MAX: usize = 32;
/// Rules of an account, of all its inboxes together: all of them are tried when it changes something.
const ACCOUNT_RULES_MAX: usize = 500;

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct ConfigError {
    /// From 1; 0 where the place is not known.
    pub line: u64,
    /// From 1; 0 where the place is not known.
    pub column: u64,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl ConfigError {
    /// Of a text that reading has failed on for no reason of its own.
    pub fn unreadable() -> Self {
        Self { line: 0, column: 0, reason: "it could not be read".to_owned() }
    }

    fn at(location: Location, reason: impl Into<String>) -> Self {
        Self { line: location.line(), column: location.column(), reason: reason.into() }
    }
}

/// Where sessions of an intent go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// Name of the team whose queue it is; none leaves the session where it is.
    pub team: Option<String>,
    /// Skills that would serve it best.
    pub skills: Vec<String>,
    /// 1 (low) to 4 (urgent); none leaves it as it is.
    pub priority: Option<u32>,
}

/// What holds in one inbox.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Tells this policy's answers from those of every other one, also of one it takes the place of.
    pub(crate) number: u64,
    /// From which probability on a label counts.
    pub thresholds: Thresholds,
    /// Where intents lead; those that are not in it lead nowhere.
    pub targets: BTreeMap<String, Target>,
    /// What decides without the model; those of the inbox come first.
    pub rules: Rules,
}

/// The whole file.
#[derive(Debug, Clone)]
pub struct RouterConfig {
    all: Arc<Policy>,
    /// By name or id of the inbox.
    inboxes: BTreeMap<String, Arc<Policy>>,
}

/// What one account says on top of the file: the same things in the same words, inboxes by their ids.
#[derive(Debug, Clone)]
pub struct AccountConfig {
    /// Tells it from every other one.
    pub(crate) number: u64,
    all: Section,
    inboxes: BTreeMap<String, Section>,
}

impl AccountConfig {
    /// Reads what an account says, and checks it on top of a file. JSON is YAML too.
    pub fn parse(text: &str, on: &RouterConfig) -> Result<Self, ConfigError> {
        let File { threshold, intents, rules, inboxes } = read(text)?;
        let all = Section { threshold, intents, rules };
        let config = Self { number: next_number(), all, inboxes };
        let rules: usize = config.inboxes.values().map(|of| of.rules.len()).sum();
        if rules + config.all.rules.len() > ACCOUNT_RULES_MAX {
            let reason = format!("an account can have at most {ACCOUNT_RULES_MAX} rules");
            return Err(ConfigError { line: 0, column: 0, reason });
        }
        config.policy("", "", on)?;
        for inbox in config.inboxes.keys() {
            config.policy(inbox, "", on)?;
        }
        Ok(config)
    }

    /// The same without what it says of one inbox.
    #[must_use]
    pub(crate) fn without_inbox(&self, inbox: &str) -> Self {
        let mut inboxes = self.inboxes.clone();
        inboxes.remove(inbox);
        Self { number: next_number(), all: self.all.clone(), inboxes }
    }

    /// Puts where intents lead in an inbox in the place of what the file says.
    pub(crate) fn add_targets(&self, inbox: &str, targets: &mut BTreeMap<String, Target>) {
        let sections = [Some(&self.all), self.inboxes.get(inbox)];
        for (intent, entry) in sections.into_iter().flatten().flat_map(|of| &of.intents) {
            // What cannot hold was refused when it was said.
            if let Ok(target) = target(intent, entry.clone()) {
                targets.insert(intent.clone(), target);
            }
        }
    }

    /// What holds in an inbox of the account. It fails where the file has changed since, and both together are too much.
    pub(crate) fn policy(
        &self,
        inbox: &str,
        inbox_name: &str,
        on: &RouterConfig,
    ) -> Result<Policy, ConfigError> {
        let all = self.all.clone().check(on.policy(inbox, inbox_name))?;
        match self.inboxes.get(inbox) {
            Some(section) => section.clone().check(&all),
            None => Ok(all),
        }
    }
}

fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Reads the words, and not yet what they mean.
fn read(text: &str) -> Result<File, ConfigError> {
    if text.len() > FILE_BYTES_MAX {
        let reason = format!("the file is larger than {} KiB", FILE_BYTES_MAX >> 10);
        return Err(ConfigError { line: 0, column: 0, reason });
    }
    let file: File = serde_saphyr::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
        let reason = error.without_snippet().to_string();
        // Its own words name the place once more, in a line of their own.
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        ConfigError { line, column, reason }
    })?;
    if file.inboxes.len() > INBOXES_MAX {
        let reason = format!("at most {INBOXES_MAX} inboxes can have entries of their own");
        return Err(ConfigError { line: 0, column: 0, reason });
    }
    Ok(file)
}

impl Default for RouterConfig {
    /// As it is shipped.
    fn default() -> Self {
        Self::parse(SHIPPED).expect("the shipped file is tested")
    }
}

impl RouterConfig {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let File { threshold, intents, rules, inboxes } = read(text)?;
        let nothing = Policy::default();
        let all = Section { threshold, intents, rules }.check(&nothing)?;
        let mut policies = BTreeMap::new();
        for (name, section) in inboxes {
            policies.insert(name, Arc::new(section.check(&all)?));
        }
        Ok(Self { all: Arc::new(all), inboxes: policies })
    }

    /// What holds in an inbox, by its id or its name.
    pub fn policy(&self, id: &str, name: &str) -> &Arc<Policy> {
        self.inboxes.get(id).or_else(|| self.inboxes.get(name)).unwrap_or(&self.all)
    }

    /// Tells this file from every other one, also from one of the same words.
    pub fn number(&self) -> u64 {
        self.all.number
    }

    /// What holds where nothing else is said.
    pub fn all(&self) -> &Arc<Policy> {
        &self.all
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    threshold: Option<ThresholdEntries>,
    intents: BTreeMap<String, Spanned<TargetEntry>>,
    rules: Vec<Spanned<RuleEntry>>,
    inboxes: BTreeMap<String, Section>,
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Section {
    threshold: Option<ThresholdEntries>,
    intents: BTreeMap<String, Spanned<TargetEntry>>,
    rules: Vec<Spanned<RuleEntry>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThresholdEntries {
    complaint: Option<Spanned<f32>>,
    consult: Option<Spanned<f32>>,
    sales: Option<Spanned<f32>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetEntry {
    team: Option<String>,
    #[serde(default)]
    skills: Vec<String>,
    priority: Option<PriorityName>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PriorityName {
    Low = 1,
    Normal = 2,
    High = 3,
    Urgent = 4,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    intent: String,
    #[serde(default)]
    keywords: Vec<String>,
    regex: Option<String>,
}

impl Section {
    /// On top of what holds elsewhere.
    fn check(self, base: &Policy) -> Result<Policy, ConfigError> {
        let mut policy = Policy { number: next_number(), ..base.clone() };
        if let Some(entries) = self.threshold {
            let thresholds = &mut policy.thresholds;
            let places = [
                (entries.complaint, &mut thresholds.complaint),
                (entries.consult, &mut thresholds.consult),
                (entries.sales, &mut thresholds.sales),
            ];
            for (entry, place) in places {
                let Some(entry) = entry else { continue };
                // NaN is in no range.
                if !(0.0..=1.0).contains(&entry.value) {
                    let reason = format!(
                        "a threshold is a probability between 0 and 1, and {} is not: 0.78 is usual",
                        entry.value
                    );
                    return Err(ConfigError::at(entry.referenced, reason));
                }
                *place = entry.value;
            }
        }
        for (intent, entry) in self.intents {
            let place = entry.referenced;
            let target = target(&intent, entry)?;
            if policy.targets.len() >= INTENTS_MAX {
                let reason = format!("at most {INTENTS_MAX} intents can lead somewhere");
                return Err(ConfigError::at(place, reason));
            }
            policy.targets.insert(intent, target);
        }
        let mut rules = Vec::new();
        for entry in self.rules {
            let Spanned { value, referenced, .. } = entry;
            check_intent(&value.intent, referenced)?;
            rules.push((
                Rule { intent: value.intent, keywords: value.keywords, regex: value.regex },
                referenced,
            ));
        }
        let (own, places): (Vec<Rule>, Vec<Location>) = rules.into_iter().unzip();
        policy.rules = base.rules.with_first(own).map_err(|RuleError { number, reason }| {
            let place = places.get(number).copied().unwrap_or(Location::UNKNOWN);
            ConfigError::at(place, reason)
        })?;
        Ok(policy)
    }
}

/// Where an intent leads, once it is known that it can.
fn target(intent: &str, entry: Spanned<TargetEntry>) -> Result<Target, ConfigError> {
    let Spanned { value, referenced, .. } = entry;
    check_intent(intent, referenced)?;
    if value.skills.len() > SKILLS_MAX {
        let reason = format!("an intent can wish for at most {SKILLS_MAX} skills");
        return Err(ConfigError::at(referenced, reason));
    }
    // As those of agents are compared.
    let skills: Vec<String> =
        value.skills.iter().map(|skill| skill.trim().to_lowercase()).collect();
    let is_skill = |skill: &String| (1..=SKILL_CHARACTERS_MAX).contains(&skill.chars().count());
    if !skills.iter().all(is_skill) {
        let reason = format!("a skill has 1 to {SKILL_CHARACTERS_MAX} characters");
        return Err(ConfigError::at(referenced, reason));
    }
    Ok(Target {
        team: value.team.filter(|team| !team.is_empty()),
        skills,
        priority: value.priority.map(|priority| priority as u32),
    })
}

fn check_intent(intent: &str, place: Location) -> Result<(), ConfigError> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if intent.is_empty() || intent.len() > INTENT_BYTES_MAX || !intent.chars().all(is_name) {
        let reason = format!(
            "`{intent}` is no name of an intent: 1 to {INTENT_BYTES_MAX} bytes of letters, digits, `_` and `-`"
        );
        return Err(ConfigError::at(place, reason));
    }
    if intent == Label::Other.as_str() {
        let reason = "`other` leads nowhere: it is what no team has to answer";
        return Err(ConfigError::at(place, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> ConfigError {
        RouterConfig::parse(text).expect_err(text)
    }

    #[test]
    fn the_shipped_file_has_the_thresholds_of_the_reference_design() {
        let config = RouterConfig::default();
        assert_eq!(config.all().thresholds, Thresholds::default());
        let decides = |text: &str| config.all().rules.decide(text).map(|hit| hit.intent.clone());
        for text in ["转人工", "我要人工客服", "human please", "let me talk to a human"] {
            assert_eq!(decides(text).as_deref(), Some("human"), "{text}");
        }
        assert_eq!(decides("is this humane?"), None);
    }

    #[test]
    fn an_inbox_has_what_it_says_on_top_of_what_holds_everywhere() {
        let config = RouterConfig::parse(
            "threshold: { sales: 0.9 }\n\
             intents:\n  sales: { team: Sales, priority: high }\n\
             rules:\n  - { intent: human, keywords: [人工] }\n\
             inboxes:\n  Shop:\n    threshold: { sales: 0.5 }\n    \
             rules:\n      - { intent: vip, regex: 'gold card' }\n",
        )
        .expect("it is right");
        let shop = config.policy("id", "Shop");
        assert_eq!(config.policy("Shop", "another").number, shop.number);
        assert_eq!(shop.thresholds, Thresholds { sales: 0.5, ..Thresholds::default() });
        assert_eq!(shop.targets["sales"].priority, Some(3));
        assert!(shop.rules.decide("my gold card").is_some_and(|hit| hit.intent == "vip"));
        assert!(shop.rules.decide("人工").is_some_and(|hit| hit.intent == "human"));
        let other = config.policy("id", "Other");
        assert!((other.thresholds.sales - 0.9).abs() < f32::EPSILON);
        assert!(other.rules.decide("my gold card").is_none());
    }

    #[test]
    fn an_account_has_what_it_says_on_top_of_the_file() {
        let file = RouterConfig::parse(
            "threshold: { sales: 0.9 }\n\
             intents:\n  sales: { team: Sales }\n  complaint: { priority: high }\n\
             rules:\n  - { intent: human, keywords: [人工] }\n\
             inboxes:\n  Shop: { threshold: { consult: 0.5 } }\n",
        )
        .expect("it is right");
        let own = r#"{"threshold": {"sales": 0.7}, "intents": {"sales": {"team": null, "skills": ["zh"], "priority": "urgent"}},
            "rules": [{"intent": "vip", "keywords": ["gold"], "regex": null}],
            "inboxes": {"i1": {"threshold": {"sales": 0.6}}}}"#;
        let own = AccountConfig::parse(own, &file).expect("JSON is YAML");
        let anywhere = own.policy("i2", "Other", &file).expect("it fits");
        assert!((anywhere.thresholds.sales - 0.7).abs() < f32::EPSILON);
        assert_eq!(anywhere.targets["sales"].skills, ["zh"]);
        assert_eq!(
            (&anywhere.targets["sales"].team, anywhere.targets["sales"].priority),
            (&None, Some(4))
        );
        assert_eq!(anywhere.targets["complaint"].priority, Some(3), "what it does not name stays");
        assert!(
            anywhere.rules.decide("gold").is_some_and(|hit| hit.intent == "vip" && hit.number == 0)
        );
        assert!(anywhere.rules.decide("人工").is_some_and(|hit| hit.intent == "human"));
        let shop = own.policy("i1", "Shop", &file).expect("it fits");
        assert!((shop.thresholds.sales - 0.6).abs() < f32::EPSILON);
        assert!(
            (shop.thresholds.consult - 0.5).abs() < f32::EPSILON,
            "as the file says of the inbox"
        );
        let without = own.without_inbox("i1").policy("i1", "Shop", &file).expect("it fits");
        assert!((without.thresholds.sales - 0.7).abs() < f32::EPSILON);
        let numbers = [anywhere.number, shop.number, without.number, file.all().number];
        assert!((1..4).all(|at| !numbers[..at].contains(&numbers[at])), "{numbers:?}");
    }

    #[test]
    fn an_account_that_says_what_cannot_be_is_refused() {
        let file = RouterConfig::default();
        for (text, words) in [
            (r#"{"threshold": {"sales": 1.7}}"#, "1.7"),
            (r#"{"inboxes": {"i1": {"threshold": {"sales": -1}}}}"#, "-1"),
            (r#"{"rules": [{"intent": "x", "keywords": [], "regex": "("}]}"#, "regex"),
            (r#"{"rules": [{"intent": "a b", "keywords": ["x"]}]}"#, "a b"),
            (r#"{"surprise": 1}"#, "surprise"),
            ("{", ""),
        ] {
            let error = AccountConfig::parse(text, &file).expect_err(text);
            assert!(!error.reason.is_empty() && error.reason.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn broken_yaml_is_refused_with_its_line() {
        for text in
            ["threshold: { complaint: 0.78\nrules: [", "a: b: c", "\t- x", "threshold:\n  - 1"]
        {
            let error = error(text);
            assert!(error.line > 0 && !error.reason.is_empty(), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_half_written_file_is_refused() {
        for cut in (1..SHIPPED.len()).filter(|cut| SHIPPED.is_char_boundary(*cut)).step_by(7) {
            // Some beginnings are whole files themselves; none may do anything but be read or refused.
            drop(RouterConfig::parse(&SHIPPED[..cut]));
        }
        assert!(error("rules:\n  - { intent: human, keywords: [人").line > 0);
    }

    #[test]
    fn unknown_keys_and_values_are_refused_with_their_line() {
        let cases = [
            ("thresholds: {}", 1, "thresholds"),
            ("threshold:\n  complain: 0.7", 2, "complain"),
            ("threshold:\n  complaint: 0.7\n  sales: 1.7", 3, "1.7"),
            ("threshold:\n  sales: .nan", 2, "NaN"),
            ("intents:\n  sales:\n    priority: highest", 3, "highest"),
            ("intents:\n  sales: { prio: 1 }", 2, "prio"),
            ("rules:\n  - { keywords: [a] }", 2, "intent"),
            (
                "rules:\n  - { intent: human, keywords: [人工] }\n  - { intent: x, regex: '(' }",
                3,
                "regex",
            ),
            ("rules:\n  - { intent: 'a b', keywords: [a] }", 2, "a b"),
            ("rules:\n  - { intent: other, keywords: [a] }", 2, "other"),
            ("rules:\n  - { intent: x }", 2, "keywords"),
            ("inboxes:\n  Shop:\n    threshold: { sales: -1 }", 3, "-1"),
        ];
        for (text, line, words) in cases {
            let error = error(text);
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.reason.contains(words), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_unread() {
        assert!(error(&"#".repeat(FILE_BYTES_MAX + 1)).reason.contains("256 KiB"));
    }
}
