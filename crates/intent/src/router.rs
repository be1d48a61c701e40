//! The router: what a visitor's words ask of the team, and which step said so.
//!
//! ```text
//! text -> fold -> cache -> rules -> normalise -> model (own threads) -> threshold -> decision, or no opinion
//! ```
//! No opinion is an answer: the session stays in its inbox's own queue. Whatever goes wrong on the way ends
//! there too, within [`RouterOptions::deadline`]; nothing that a visitor writes waits for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use quick_cache::sync::Cache;

use crate::config::{AccountConfig, ConfigError, Policy, RouterConfig, Target};
use crate::label::Label;
use crate::rules;
use crate::text::normalise;
use crate::traffic::Traffic;
use crate::worker::{Model, ModelHealth, Trouble, Workers, WorkersOptions};

/// Which step decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A rule.
    Rule,
    /// What was said of the same text before.
    Cache,
    /// The model.
    Model,
    /// Nobody had an opinion.
    None,
}

impl Source {
    /// In the order they are told of.
    pub const ALL: [Self; 4] = [Self::Rule, Self::Cache, Self::Model, Self::None];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Cache => "cache",
            Self::Model => "model",
            Self::None => "none",
        }
    }
}

/// Where a text was written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// Id of the inbox.
    pub inbox: &'a str,
    /// Its name.
    pub inbox_name: &'a str,
    /// What its account says on top of the file.
    pub account: Option<&'a AccountConfig>,
}

/// Why there is no opinion, or what spoke for the one there is.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// A rule found these words.
    Words(String),
    /// What the model holds probable, in the order of [`Label::ALL`].
    Scores([f32; 4]),
    /// There is nothing to read.
    Empty,
    /// The model could not be asked, or did not answer in time.
    Trouble(Trouble),
}

/// What a text asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What was decided; none without an opinion.
    pub intent: Option<String>,
    /// How sure that is, 0 to 1: of a rule 1, of the model the probability of its best label.
    pub confidence: f32,
    /// Which step decided.
    pub source: Source,
    /// What spoke for it.
    pub why: Why,
    /// Where the intent leads; nowhere if nothing is said of it.
    pub target: Target,
    /// From the call to the answer.
    pub took: Duration,
}

/// What somebody said of a text before the threshold of an inbox is asked.
#[derive(Debug, Clone)]
enum Said {
    Rule { intent: String, words: String },
    Model([f32; 4]),
}

/// Figures of the router.
#[derive(Debug, Clone, Copy)]
pub struct RouterOptions {
    /// Longest wait for the model.
    pub deadline: Duration,
    /// Texts whose answers are kept.
    pub cached: usize,
    /// Of the threads behind it.
    pub workers: WorkersOptions,
}

impl Default for RouterOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            cached: 10_000,
            workers: WorkersOptions::default(),
        }
    }
}

/// Longest text whose answer is kept: all of them take some megabytes.
const REMEMBERED_CHARACTERS_MAX: usize = 200;
/// Policies of accounts that are kept. Of usual rules one is made in about a millisecond; it takes 4 MiB at most.
const POLICIES_MAX: usize = 256;

/// Reads what visitors write.
pub struct SmartRouter {
    config: RwLock<Arc<RouterConfig>>,
    /// By policy and text.
    cache: Cache<(u64, Box<str>), Said>,
    /// Policies of accounts that say something of their own, by file, account, and inbox.
    policies: Cache<(u64, u64, Box<str>), Arc<Policy>>,
    workers: Workers,
    options: RouterOptions,
    traffic: Traffic,
}

impl std::fmt::Debug for SmartRouter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmartRouter").field("options", &self.options).finish_non_exhaustive()
    }
}

impl SmartRouter {
    /// Starts the model's threads. Without a model only rules decide.
    pub fn start(
        config: RouterConfig,
        model: Option<Arc<dyn Model>>,
        options: RouterOptions,
    ) -> Self {
        Self {
            config: RwLock::new(Arc::new(config)),
            cache: Cache::new(options.cached),
            policies: Cache::new(POLICIES_MAX),
            workers: Workers::start(model, options.workers),
            options,
            traffic: Traffic::default(),
        }
    }

    /// Reads a configuration and takes it from now on. One that is wrong is refused, and the old one stays.
    pub fn configure(&self, text: &str) -> Result<(), ConfigError> {
        let config = RouterConfig::parse(text)?;
        *self.config.write() = Arc::new(config);
        Ok(())
    }

    /// The configuration of now.
    pub fn config(&self) -> Arc<RouterConfig> {
        Arc::clone(&self.config.read())
    }

    /// What holds where a text was written.
    pub fn policy(&self, context: Context<'_>) -> Arc<Policy> {
        let config = self.config();
        let Context { inbox, inbox_name, account } = context;
        let Some(account) = account else { return Arc::clone(config.policy(inbox, inbox_name)) };
        // A line break is in no id.
        let place = format!("{inbox}\n{inbox_name}").into_boxed_str();
        let key = (config.all().number, account.number, place);
        if let Some(policy) = self.policies.get(&key) {
            return policy;
        }
        let policy = match account.policy(inbox, inbox_name, &config) {
            Ok(policy) => Arc::new(policy),
            Err(error) => {
                tracing::warn!(%error, "an account's own intents do not fit the file any more");
                Arc::clone(config.policy(inbox, inbox_name))
            }
        };
        self.policies.insert(key, Arc::clone(&policy));
        policy
    }

    /// What would hold in an inbox if its account said nothing of it alone; made anew each time.
    pub fn policy_around(
        &self,
        account: &AccountConfig,
        inbox: &str,
        inbox_name: &str,
    ) -> Arc<Policy> {
        let config = self.config();
        let policy = account.without_inbox(inbox).policy(inbox, inbox_name, &config);
        policy.map_or_else(|_| Arc::clone(config.policy(inbox, inbox_name)), Arc::new)
    }

    /// Where intents lead there; no rule is made ready for it.
    pub fn targets(&self, context: Context<'_>) -> BTreeMap<String, Target> {
        let config = self.config();
        let Context { inbox, inbox_name, account } = context;
        let mut targets = config.policy(inbox, inbox_name).targets.clone();
        if let Some(account) = account {
            account.add_targets(inbox, &mut targets);
        }
        targets
    }

    /// What was decided of what visitors wrote.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// How the model does.
    pub fn health(&self) -> ModelHealth {
        self.workers.health()
    }

    /// What a text asks for. Never fails: who cannot tell has no opinion.
    pub async fn analyze(&self, text: &str, context: Context<'_>) -> Decision {
        let began = Instant::now();
        let policy = self.policy(context);
        let decision = self.decide(text, &policy, began).await;
        self.traffic.note(&decision);
        decision
    }

    /// The same for somebody who tries a text out: it is not counted, and nothing remembered is asked, so that the
    /// step which decides is seen.
    pub async fn try_out(&self, text: &str, context: Context<'_>) -> Decision {
        let began = Instant::now();
        let policy = self.policy(context);
        if let Some(hit) = policy.rules.decide(text) {
            let said = Said::Rule { intent: hit.intent, words: hit.words };
            return conclude(said, &policy, Source::Rule, began);
        }
        let normal = normalise(text);
        if normal.is_empty() {
            return none(Why::Empty, 0.0, began);
        }
        // Visitors go first.
        if self.workers.is_busy() {
            return none(Why::Trouble(Trouble::Busy), 0.0, began);
        }
        match self.workers.classify(&normal, self.options.deadline).await {
            Ok(scores) => conclude(Said::Model(scores), &policy, Source::Model, began),
            Err(trouble) => none(Why::Trouble(trouble), 0.0, began),
        }
    }

    async fn decide(&self, text: &str, policy: &Policy, began: Instant) -> Decision {
        // Rules tell numbers apart, and name what they found: what is remembered is of this very text.
        let key = remembered_by(text).map(|text| (policy.number, text));
        if let Some(said) = key.as_ref().and_then(|key| self.cache.get(key)) {
            return conclude(said, policy, Source::Cache, began);
        }
        let (said, source) = if let Some(hit) = policy.rules.decide(text) {
            (Said::Rule { intent: hit.intent, words: hit.words }, Source::Rule)
        } else {
            let normal = normalise(text);
            if normal.is_empty() {
                return none(Why::Empty, 0.0, began);
            }
            match self.workers.classify(&normal, self.options.deadline).await {
                Ok(scores) => (Said::Model(scores), Source::Model),
                Err(trouble) => return none(Why::Trouble(trouble), 0.0, began),
            }
        };
        if let Some(key) = key {
            self.cache.insert(key, said.clone());
        }
        conclude(said, policy, source, began)
    }
}

/// What a text is remembered by: as rules see it. Long ones hardly come twice, and are not remembered.
fn remembered_by(text: &str) -> Option<Box<str>> {
    let folded = rules::fold_short(text, REMEMBERED_CHARACTERS_MAX)?;
    Some(folded.trim().into())
}

fn conclude(said: Said, policy: &Policy, source: Source, began: Instant) -> Decision {
    let target = |intent: &str| policy.targets.get(intent).cloned().unwrap_or_default();
    match said {
        Said::Rule { intent, words } => Decision {
            target: target(&intent),
            intent: Some(intent),
            confidence: 1.0,
            source,
            why: Why::Words(words),
            took: began.elapsed(),
        },
        Said::Model(scores) => {
            let (_, confidence) = Label::likeliest(&scores);
            let Some(label) = policy.thresholds.decide(&scores) else {
                return none(Why::Scores(scores), confidence, began);
            };
            Decision {
                target: target(label.as_str()),
                intent: Some(label.as_str().to_owned()),
                confidence,
                source,
                why: Why::Scores(scores),
                took: began.elapsed(),
            }
        }
    }
}

fn none(why: Why, confidence: f32, began: Instant) -> Decision {
    Decision {
        intent: None,
        confidence,
        source: Source::None,
        why,
        target: Target::default(),
        took: began.elapsed(),
    }
}
