//! The router: what a visitor's words ask of the team, and which step said so.
//!
//! ```text
//! text -> normalise -> cache -> rules -> model (own threads) -> threshold -> decision, or no opinion
//! ```
//! No opinion is an answer: the session stays in its inbox's own queue. Whatever goes wrong on the way ends
//! there too, within [`RouterOptions::deadline`]; nothing that a visitor writes waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use quick_cache::sync::Cache;

use crate::config::{ConfigError, Policy, RouterConfig, Target};
use crate::label::Label;
use crate::text::normalise;
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

/// How often each step has decided, since the start.
#[derive(Debug, Default)]
pub struct RouterCounts {
    /// By a rule.
    pub rule: AtomicU64,
    /// By what was said before.
    pub cache: AtomicU64,
    /// By the model.
    pub model: AtomicU64,
    /// By nobody.
    pub none: AtomicU64,
}

/// Steps of probability that are counted apart.
pub const STEPS: usize = 20;

/// How often the model held each label most probable, by how probable, since the start: what a threshold would
/// catch. [`STEPS`] steps of the same width from 0 to 1, for each of [`Label::ALL`].
#[derive(Debug, Default)]
pub struct Seen([[AtomicU64; STEPS]; 4]);

impl Seen {
    fn note(&self, scores: &[f32; 4]) {
        let (label, score) = Label::likeliest(scores);
        // 1.0 belongs to the last step.
        let step = ((score * STEPS as f32) as usize).min(STEPS - 1);
        self.0[label.index()][step].fetch_add(1, Ordering::Relaxed);
    }

    /// Of one label.
    pub fn of(&self, label: Label) -> [u64; STEPS] {
        std::array::from_fn(|step| self.0[label.index()][step].load(Ordering::Relaxed))
    }
}

impl RouterCounts {
    fn of(&self, source: Source) -> &AtomicU64 {
        match source {
            Source::Rule => &self.rule,
            Source::Cache => &self.cache,
            Source::Model => &self.model,
            Source::None => &self.none,
        }
    }
}

/// Reads what visitors write.
pub struct SmartRouter {
    config: RwLock<Arc<RouterConfig>>,
    /// By policy and normalised text. Emptied with every change of the configuration.
    cache: Cache<(u32, Box<str>), Said>,
    workers: Workers,
    options: RouterOptions,
    counts: RouterCounts,
    seen: Seen,
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
            workers: Workers::start(model, options.workers),
            options,
            counts: RouterCounts::default(),
            seen: Seen::default(),
        }
    }

    /// Reads a configuration and takes it from now on. One that is wrong is refused, and the old one stays.
    pub fn configure(&self, text: &str) -> Result<(), ConfigError> {
        let config = RouterConfig::parse(text)?;
        *self.config.write() = Arc::new(config);
        self.cache.clear();
        Ok(())
    }

    /// The configuration of now.
    pub fn config(&self) -> Arc<RouterConfig> {
        Arc::clone(&self.config.read())
    }

    /// How often each step has decided.
    pub fn counts(&self) -> &RouterCounts {
        &self.counts
    }

    /// What the model held probable of what visitors wrote.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// How the model does.
    pub fn health(&self) -> ModelHealth {
        self.workers.health()
    }

    /// What a text asks for. Never fails: who cannot tell has no opinion.
    pub async fn analyze(&self, text: &str, context: Context<'_>) -> Decision {
        let began = Instant::now();
        let config = self.config();
        let policy = config.policy(context.inbox, context.inbox_name);
        let decision = self.decide(text, policy, began).await;
        self.counts.of(decision.source).fetch_add(1, Ordering::Relaxed);
        if let Why::Scores(scores) = &decision.why {
            self.seen.note(scores);
        }
        decision
    }

    /// The same for somebody who tries a text out: it is not counted, and nothing remembered is asked, so that the
    /// step which decides is seen.
    pub async fn try_out(&self, text: &str, context: Context<'_>) -> Decision {
        let began = Instant::now();
        let config = self.config();
        let policy = config.policy(context.inbox, context.inbox_name);
        if let Some(hit) = policy.rules.decide(text) {
            let said = Said::Rule { intent: hit.intent, words: hit.words };
            return conclude(said, policy, Source::Rule, began);
        }
        let normal = normalise(text);
        if normal.is_empty() {
            return none(Why::Empty, 0.0, began);
        }
        match self.workers.classify(&normal, self.options.deadline).await {
            Ok(scores) => conclude(Said::Model(scores), policy, Source::Model, began),
            Err(trouble) => none(Why::Trouble(trouble), 0.0, began),
        }
    }

    async fn decide(&self, text: &str, policy: &Policy, began: Instant) -> Decision {
        let normal = normalise(text);
        if normal.is_empty() {
            return none(Why::Empty, 0.0, began);
        }
        let key = (policy.number, normal.into_boxed_str());
        if let Some(said) = self.cache.get(&key) {
            return conclude(said, policy, Source::Cache, began);
        }
        if let Some(hit) = policy.rules.decide(text) {
            let said = Said::Rule { intent: hit.intent, words: hit.words };
            self.cache.insert(key, said.clone());
            return conclude(said, policy, Source::Rule, began);
        }
        match self.workers.classify(&key.1, self.options.deadline).await {
            Ok(scores) => {
                let said = Said::Model(scores);
                self.cache.insert(key, said.clone());
                conclude(said, policy, Source::Model, began)
            }
            Err(trouble) => none(Why::Trouble(trouble), 0.0, began),
        }
    }
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
