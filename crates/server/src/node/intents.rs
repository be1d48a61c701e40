//! What visitors want: their first messages are gathered, read by the intent router, and what it finds out becomes a
//! change of the session.
//!
//! ```text
//! loops --Heard--> [this task: gathers] --text--> SmartRouter --decision--> Propose(intent, priority) --> loops
//! ```
//! Everything here may be lost: a session nobody has an opinion about stays in its inbox's own queue. Nothing that a
//! visitor writes waits for it.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use frontdesk_api::engine::{IntentRule, IntentTarget, Intents as Shown, TriedText};
use frontdesk_catalog::{Catalog, Team};
use frontdesk_core::{
    chat::{self, Actor, ActorKind, Cause, IntentSource},
    id::{AccountId, ConversationId, InboxId, TeamId},
    limits,
    store::{self, change::Change, proposal::Body},
};
use frontdesk_gateway::chat::{
    loops::Loops,
    port::{Command, Heard, Reply},
};
use frontdesk_intent::{
    Classifier, Context, Decision, Label, Model, Policy, RouterConfig, RouterOptions, Rule,
    SmartRouter, Target, Why, WorkersOptions,
};
use frontdesk_storage::background::lower_priority;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{desk::DeskQuery, now_ms};
use crate::config::Intent;

/// People open with a greeting and send the matter in pieces: this long after the last piece it is read.
const QUIET_AFTER: Duration = Duration::from_millis(1_500);
/// So long after the first piece it is read in any case: a new session waits [`limits::INTENT_WAIT_MS`] for it.
const GATHERED_FOR_MAX: Duration = Duration::from_millis(limits::INTENT_WAIT_MS as u64 - 200);
/// Messages of a session that are read.
const MESSAGES_MAX: usize = 5;
/// Sessions that are remembered; of more those that wait longest for a message are forgotten. At most 10 KiB each.
const SESSIONS_MAX: usize = 20_000;
/// How long a session is remembered after its last message.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(30);
/// How often the file is looked at, and old sessions are forgotten.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long names of inboxes and teams are believed.
const NAMES_FOR: Duration = Duration::from_secs(5);
/// Answers of the router that wait for this task.
const ANSWERS_MAX: usize = 1_024;
/// Priority 0 is normal.
const PRIORITY_NORMAL: u32 = 2;

/// Reads the configuration and the model, and starts the model's threads.
pub(crate) fn open(config: &Intent) -> anyhow::Result<Option<Arc<SmartRouter>>> {
    if !config.enabled {
        return Ok(None);
    }
    let rules = match named(&config.router_file) {
        None => RouterConfig::default(),
        Some(path) => {
            let text = read(path)?;
            RouterConfig::parse(&text).with_context(|| format!("{}", path.display()))?
        }
    };
    let model = match named(&config.model_dir) {
        None => Classifier::shipped().context("the model that is shipped is broken"),
        Some(dir) => Classifier::open(dir)
            .with_context(|| format!("intent.model_dir: cannot use the model {}", dir.display())),
    };
    let model: Option<Arc<dyn Model>> = match model {
        Ok(model) => Some(Arc::new(model)),
        // Chat goes on without: rules decide, and everything else goes to the inbox's own queue.
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "there is no intent model");
            None
        }
    };
    let options = RouterOptions {
        deadline: Duration::from_millis(config.deadline_ms),
        // Whoever has a message to acknowledge goes first.
        workers: WorkersOptions { begins: lower_priority, ..WorkersOptions::default() },
        ..RouterOptions::default()
    };
    Ok(Some(Arc::new(SmartRouter::start(rules, model, options))))
}

fn named(path: &Path) -> Option<&Path> {
    (!path.as_os_str().is_empty()).then_some(path)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("intent.router_file: cannot read {}", path.display()))
}

/// How long a new session of an inbox waits for its intent: not at all where no intent leads anywhere.
pub(super) fn wait_ms(router: Option<&SmartRouter>, inbox: InboxId, name: &str) -> i64 {
    let leads = |policy: &Policy| policy.targets.values().any(|target| target.team.is_some());
    let config = router.map(SmartRouter::config);
    match config {
        Some(config) if leads(config.policy(&inbox.to_string(), name)) => limits::INTENT_WAIT_MS,
        _ => 0,
    }
}

/// What the task is made of.
pub(super) struct IntentParts {
    pub(super) router: Arc<SmartRouter>,
    pub(super) catalog: Catalog,
    pub(super) loops: Arc<Loops>,
    /// Told when the configuration changed.
    pub(super) desk: mpsc::Sender<DeskQuery>,
    /// Empty where there is none.
    pub(super) router_file: PathBuf,
}

/// The task.
pub(super) struct Intents {
    parts: IntentParts,
    sessions: HashMap<ConversationId, Gathered>,
    /// When sessions are to be read.
    due: BTreeSet<(Instant, ConversationId)>,
    names: HashMap<AccountId, Names>,
    file_seen: Option<(SystemTime, u64)>,
    answers_in: mpsc::Sender<Answer>,
}

/// The first messages of one session.
struct Gathered {
    account: AccountId,
    inbox: String,
    session: u32,
    messages: usize,
    text: String,
    /// The intent it has, also by somebody else's word.
    intent: String,
    priority: u32,
    /// When it is read; none while nothing new was written.
    due: Option<Instant>,
    /// When the first of what was not read yet was written.
    since: Instant,
    last: Instant,
}

/// What the router said of a session.
struct Answer {
    conversation: ConversationId,
    session: u32,
    decision: Decision,
    team: Option<TeamId>,
}

/// What things are called in an account.
struct Names {
    read: Instant,
    inboxes: HashMap<String, String>,
    teams: HashMap<String, TeamId>,
}

impl Intents {
    /// Works until told to stop.
    pub(super) async fn run(
        parts: IntentParts,
        mut inputs: mpsc::Receiver<Vec<Heard>>,
        stop: CancellationToken,
    ) {
        let (answers_in, mut answers) = mpsc::channel(ANSWERS_MAX);
        let mut task = Self {
            file_seen: seen(&parts.router_file),
            parts,
            sessions: HashMap::new(),
            due: BTreeSet::new(),
            names: HashMap::new(),
            answers_in,
        };
        let mut look_at = Instant::now() + LOOK_EVERY;
        loop {
            let due = task.due.first().map_or(look_at, |of| of.0.min(look_at));
            tokio::select! {
                () = stop.cancelled() => return,
                heard = inputs.recv() => match heard {
                    Some(heard) => heard.into_iter().for_each(|one| task.hear(one)),
                    None => return,
                },
                Some(answer) = answers.recv() => task.conclude(answer),
                () = sleep_until(due) => {}
            }
            let now = Instant::now();
            while let Some((_, conversation)) = task.due.first().copied().filter(|of| of.0 <= now) {
                task.read(conversation).await;
            }
            if now >= look_at {
                look_at = now + LOOK_EVERY;
                task.forget(now);
                task.look_at_file().await;
            }
        }
    }

    fn hear(&mut self, heard: Heard) {
        let Heard { account, conversation, inbox, session, intent, priority, text } = heard;
        let now = Instant::now();
        if self.sessions.len() >= SESSIONS_MAX && !self.sessions.contains_key(&conversation) {
            self.forget_oldest();
        }
        let at = self.sessions.entry(conversation).or_insert_with(|| Gathered {
            account,
            inbox: String::new(),
            session: 0,
            messages: 0,
            text: String::new(),
            intent: String::new(),
            priority: 0,
            due: None,
            since: now,
            last: now,
        });
        if at.session != session {
            (at.session, at.messages) = (session, 0);
            at.text.clear();
        }
        at.last = now;
        (at.inbox, at.intent, at.priority) = (inbox, intent, priority);
        at.messages += 1;
        // A complaint stays one; whatever else it was may become one.
        if at.messages > MESSAGES_MAX || at.intent == Label::Complaint.as_str() {
            return;
        }
        if !at.text.is_empty() {
            at.text.push('\n');
        }
        at.text.push_str(&text);
        if let Some(due) = at.due {
            self.due.remove(&(due, conversation));
        } else {
            at.since = now;
        }
        let due = (now + QUIET_AFTER).min(at.since + GATHERED_FOR_MAX);
        at.due = Some(due);
        self.due.insert((due, conversation));
    }

    /// Asks the router about a session; its answer comes back to this task.
    async fn read(&mut self, conversation: ConversationId) {
        let Some(at) = self.sessions.get_mut(&conversation) else {
            self.due.retain(|of| of.1 != conversation);
            return;
        };
        if let Some(due) = at.due.take() {
            self.due.remove(&(due, conversation));
        }
        let (account, session) = (at.account, at.session);
        let is_last = at.messages >= MESSAGES_MAX;
        let text = if is_last { std::mem::take(&mut at.text) } else { at.text.clone() };
        let inbox = at.inbox.clone();
        let names = self.names(account).await;
        let inbox_name = names.and_then(|names| names.inboxes.get(&inbox)).cloned();
        let teams = names.map(|names| names.teams.clone()).unwrap_or_default();
        let router = Arc::clone(&self.parts.router);
        let answers = self.answers_in.clone();
        tokio::spawn(async move {
            let inbox_name = inbox_name.unwrap_or_default();
            let context = Context { inbox: &inbox, inbox_name: &inbox_name };
            let decision = router.analyze(&text, context).await;
            let team = decision.target.team.as_ref().and_then(|name| {
                let team = teams.get(name).copied();
                if team.is_none() {
                    tracing::warn!(
                        account.id = %account,
                        team = name,
                        "an intent leads to a team that the account does not have"
                    );
                }
                team
            });
            // The task may have ended.
            drop(answers.send(Answer { conversation, session, decision, team }).await);
        });
    }

    /// What things are called in an account, read anew now and then; none while the catalog does not answer.
    async fn names(&mut self, account: AccountId) -> Option<&Names> {
        let now = Instant::now();
        let is_fresh = |names: &Names| names.read + NAMES_FOR > now;
        if !self.names.get(&account).is_some_and(is_fresh) {
            let inboxes = self.parts.catalog.inboxes(account).await;
            let teams = self.parts.catalog.teams(account).await;
            if let (Ok(inboxes), Ok(teams)) = (inboxes, teams) {
                let names = Names {
                    read: now,
                    inboxes: inboxes.into_iter().map(|of| (of.id.to_string(), of.name)).collect(),
                    teams: teams.iter().flat_map(names_of).collect(),
                };
                self.names.insert(account, names);
            }
        }
        self.names.get(&account)
    }

    /// Makes a decision a change of the session.
    fn conclude(&mut self, answer: Answer) {
        let Answer { conversation, session, decision, team } = answer;
        let Some(at) = self.sessions.get_mut(&conversation) else { return };
        let Some(intent) = decision.intent.filter(|_| at.session == session) else { return };
        // An opinion is final, but for a complaint that comes later.
        if !at.intent.is_empty() && (intent != Label::Complaint.as_str() || at.intent == intent) {
            return;
        }
        at.intent.clone_from(&intent);
        let current = if at.priority == 0 { PRIORITY_NORMAL } else { at.priority };
        let priority = decision.target.priority.filter(|priority| *priority > current);
        let set = chat::IntentSet {
            to_team: team.map(|team| team.to_string()).unwrap_or_default(),
            ..intent_set(intent, decision.confidence, &decision.why)
        };
        self.propose(conversation, Change::IntentSet(set));
        if let Some(priority) = priority {
            self.propose(conversation, Change::PrioritySet(chat::PrioritySet { priority }));
        }
    }

    fn propose(&self, conversation: ConversationId, change: Change) {
        // While nobody owns the conversation it is lost.
        let Some(owner) = self.parts.loops.owner_of(&conversation) else { return };
        let change = store::Change {
            cause: Cause::Rule.into(),
            // The rules of the account stand above the owner.
            overrides_owner: true,
            change: Some(change),
            ..store::Change::default()
        };
        let proposal = store::Proposal {
            conversation: conversation.as_bytes().to_vec().into(),
            actor: Some(Actor { kind: ActorKind::System.into(), ..Actor::default() }),
            at_ms: now_ms(),
            body: Some(Body::Change(change)),
        };
        // Nobody waits for the answer: what is refused was closed, or said otherwise by a person.
        let (reply, _) = oneshot::channel();
        let command = Command::Propose {
            conversation,
            proposal: Box::new(proposal),
            reply: Reply::Once(reply),
        };
        if self.parts.loops.send(owner, command).is_err() {
            tracing::debug!(conversation.id = %conversation, "a loop is too busy for an intent");
        }
    }

    fn forget(&mut self, now: Instant) {
        self.sessions.retain(|_, at| at.due.is_some() || at.last + FORGOTTEN_AFTER > now);
        self.names.retain(|_, names| names.read + FORGOTTEN_AFTER > now);
    }

    /// Makes room: half of those that wait for nothing.
    fn forget_oldest(&mut self) {
        let mut times: Vec<Instant> = self.sessions.values().map(|at| at.last).collect();
        times.sort_unstable();
        let Some(middle) = times.get(times.len() / 2).copied() else { return };
        let due = &mut self.due;
        self.sessions.retain(|conversation, at| {
            let is_kept = at.last > middle;
            if let Some(at_due) = at.due.filter(|_| !is_kept) {
                due.remove(&(at_due, *conversation));
            }
            is_kept
        });
    }

    /// Reads the file again when it has changed. A bad one is refused, and the old one stays.
    async fn look_at_file(&mut self) {
        let now = seen(&self.parts.router_file);
        if now == self.file_seen || now.is_none() {
            return;
        }
        self.file_seen = now;
        let path = self.parts.router_file.clone();
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the intents stay as they are");
                return;
            }
        };
        match self.parts.router.configure(&text) {
            Ok(()) => tracing::info!(file = %path.display(), "intents are sorted anew"),
            Err(error) => {
                tracing::error!(
                    file = %path.display(),
                    line = error.line,
                    reason = error.reason,
                    "the file is refused, and the intents stay as they are"
                );
                return;
            }
        }
        // Inboxes may wait for intents from now on, or not any more.
        let accounts = self.parts.catalog.accounts().await.unwrap_or_default();
        for account in accounts {
            let query = DeskQuery::Configuration { account: account.id };
            drop(self.parts.desk.send(query).await);
        }
    }
}

/// A decision as a change of the session, which leads nowhere yet.
pub(crate) fn intent_set(intent: String, confidence: f32, why: &Why) -> chat::IntentSet {
    let by_rule = matches!(why, Why::Words(_));
    let source = if by_rule { IntentSource::Rule } else { IntentSource::Model };
    chat::IntentSet {
        intent,
        confidence,
        source: source.into(),
        why: words(why),
        ..chat::IntentSet::default()
    }
}

/// What a team may be called: its id, and its name in each language.
fn names_of(team: &Team) -> impl Iterator<Item = (String, TeamId)> {
    let id = team.id;
    let names = team.names.iter().map(|(_, name)| name.to_owned());
    names.chain([id.to_string()]).map(move |name| (name, id))
}

/// When a file was written and how long it is.
fn seen(path: &Path) -> Option<(SystemTime, u64)> {
    let found = std::fs::metadata(named(path)?).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// What spoke for a decision, for the team.
fn words(why: &Why) -> String {
    match why {
        Why::Words(words) => words.chars().take(200).collect(),
        Why::Scores(scores) => {
            let mut scores: Vec<_> = Label::ALL.into_iter().zip(scores).collect();
            scores.sort_by(|left, right| right.1.total_cmp(left.1));
            let shown =
                scores.iter().map(|(label, score)| format!("{} {score:.2}", label.as_str()));
            shown.collect::<Vec<_>>().join(", ")
        }
        Why::Empty | Why::Trouble(_) => String::new(),
    }
}

/// How messages are sorted, as HTTP shows it.
pub(super) fn shown(router: &SmartRouter) -> Shown {
    let config = router.config();
    let policy = config.all();
    let counts = router.counts();
    let decided = [
        ("rule", &counts.rule),
        ("cache", &counts.cache),
        ("model", &counts.model),
        ("none", &counts.none),
    ];
    let health = router.health();
    let thresholds = [
        (Label::Complaint, policy.thresholds.complaint),
        (Label::Consult, policy.thresholds.consult),
        (Label::Sales, policy.thresholds.sales),
    ];
    Shown {
        thresholds: thresholds.map(|(label, of)| (label.as_str(), of)).into(),
        targets: policy
            .targets
            .iter()
            .map(|(intent, target)| shown_target(intent, target))
            .collect(),
        rules: policy.rules.iter().map(shown_rule).collect(),
        has_model: health.is_there,
        is_open: health.is_open,
        decided: decided.map(|(step, count)| (step, count.load(Ordering::Relaxed))).into(),
        seen: Label::ALL.map(|label| (label.as_str(), router.seen().of(label).to_vec())).into(),
    }
}

/// What became of a text somebody tried.
pub(super) fn tried(decision: Decision) -> TriedText {
    let Decision { intent, confidence, source, why, target, took } = decision;
    let (mut words, mut scores, mut trouble) = (None, None, None);
    match why {
        Why::Words(found) => words = Some(found),
        Why::Scores(of) => {
            scores = Some(Label::ALL.into_iter().map(Label::as_str).zip(of).collect());
        }
        Why::Trouble(what) => trouble = Some(what.as_str()),
        Why::Empty => {}
    }
    TriedText {
        target: intent.as_deref().map(|intent| shown_target(intent, &target)),
        intent,
        step: source.as_str(),
        confidence,
        words,
        scores,
        trouble,
        took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    }
}

fn shown_target(intent: &str, target: &Target) -> IntentTarget {
    IntentTarget {
        intent: intent.to_owned(),
        team: target.team.clone(),
        skills: target.skills.clone(),
        priority: target.priority,
    }
}

fn shown_rule(rule: &Rule) -> IntentRule {
    let Rule { intent, keywords, regex } = rule.clone();
    IntentRule { intent, keywords, regex }
}
