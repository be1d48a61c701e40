//! What visitors want: their first messages are gathered, read by the intent router, and what it finds out becomes a
//! change of the session.
//!
//! ```text
//! loops --Heard--> [this task: gathers] --text--> SmartRouter --decision--> Propose(IntentSet) --> loops
//! ```
//! [`shown`] is what HTTP tells of it, [`past`] what became of earlier sessions.
//!
//! Everything here may be lost: a session nobody has an opinion about stays in its inbox's own queue. Nothing that a
//! visitor writes waits for it.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use frontdesk_catalog::Catalog;
use frontdesk_core::{
    chat::{self, Actor, ActorKind, Cause, IntentSource},
    id::{AccountId, ConversationId, InboxId, TeamId},
    limits,
    store::{self, change::Change, proposal::Body},
};
use frontdesk_gateway::chat::{
    loops::Loops,
    port::{Command, HEARD_MAX, Heard, Reply},
};
use frontdesk_intent::{
    AccountConfig, Classifier, Context, Decision, Label, Model, RouterConfig, RouterOptions,
    SmartRouter, Traffic, Why, WorkersOptions,
    gather::{self, GATHERED_FOR_MAX, MESSAGES_MAX, QUIET_AFTER},
};
use frontdesk_storage::background::lower_priority;
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

pub(super) mod accounts;
pub(super) mod past;
pub(super) mod shown;

use self::accounts::Accounts;
use super::{desk::DeskQuery, now_ms};
use crate::config::Intent;

// A new session waits for its intent until it was read, and a little longer.
const _: () = assert!(GATHERED_FOR_MAX.as_millis() + 200 <= limits::INTENT_WAIT_MS as u128);
// What a loop passes on is what is read.
const _: () = assert!(HEARD_MAX as usize == MESSAGES_MAX);
/// Sessions that are remembered; of more those that wait longest for a message are forgotten. At most 10 KiB each.
const SESSIONS_MAX: usize = 5_000;
/// How long a session is remembered after its last message.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);
/// How often the file is looked at, and old sessions are forgotten.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Answers of the router that wait for this task.
const ANSWERS_MAX: usize = 1_024;

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
        Some(dir) => opened(dir)
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

/// A model that gives labels.
pub(crate) fn opened(dir: &Path) -> anyhow::Result<Classifier> {
    let model = Classifier::open(dir)?;
    anyhow::ensure!(model.has_labels(), "it has no classification head, and no n-grams");
    Ok(model)
}

fn named(path: &Path) -> Option<&Path> {
    (!path.as_os_str().is_empty()).then_some(path)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("intent.router_file: cannot read {}", path.display()))
}

/// What intents mean for the desk of an inbox.
#[derive(Debug, Default)]
pub(super) struct InboxIntents {
    /// How long a new session waits for its intent: not at all where no intent leads to a team or wishes for skills.
    pub(super) wait_ms: i64,
    /// The skills that each intent wishes for.
    pub(super) skills: HashMap<String, BTreeSet<String>>,
}

impl InboxIntents {
    pub(super) fn of(
        router: &SmartRouter,
        account: Option<&AccountConfig>,
        inbox: InboxId,
        name: &str,
    ) -> Self {
        let inbox = inbox.to_string();
        let targets = router.targets(Context { inbox: &inbox, inbox_name: name, account });
        let leads = targets.values().any(|of| of.team.is_some() || !of.skills.is_empty());
        let skills = targets
            .into_iter()
            .filter(|(_, target)| !target.skills.is_empty())
            .map(|(intent, target)| (intent, target.skills.into_iter().collect()))
            .collect();
        Self { wait_ms: if leads { limits::INTENT_WAIT_MS } else { 0 }, skills }
    }
}

/// What sorts what visitors write, for the whole node.
#[derive(Clone)]
pub(crate) struct Sorting {
    pub(crate) router: Arc<SmartRouter>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) traffics: Arc<Traffics>,
}

impl Sorting {
    pub(crate) fn new(router: Arc<SmartRouter>, catalog: Catalog) -> Self {
        let accounts = Arc::new(Accounts::new(catalog, Arc::clone(&router)));
        Self { router, accounts, traffics: Arc::default() }
    }
}

/// What was decided of what each account's visitors wrote, since the start of this node.
#[derive(Debug, Default)]
pub(crate) struct Traffics(Mutex<HashMap<AccountId, Arc<Traffic>>>);

impl Traffics {
    /// Of one account.
    pub(super) fn of(&self, account: AccountId) -> Arc<Traffic> {
        Arc::clone(self.0.lock().entry(account).or_default())
    }
}

/// What the task is made of.
pub(super) struct IntentParts {
    pub(super) sorting: Sorting,
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
                task.read(conversation);
            }
            if now >= look_at {
                look_at = now + LOOK_EVERY;
                task.forget(now);
                task.look_at_file();
            }
        }
    }

    fn hear(&mut self, heard: Heard) {
        let Heard { account, conversation, inbox, session, intent, text } = heard;
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
            due: None,
            since: now,
            last: now,
        });
        if at.session != session {
            (at.session, at.messages) = (session, 0);
            at.text.clear();
            at.intent.clear();
        }
        at.last = now;
        at.inbox = inbox;
        // What was found meanwhile is known here before the loop hears of it.
        if !intent.is_empty() {
            at.intent = intent;
        }
        at.messages += 1;
        // A complaint stays one; whatever else it was may become one.
        if at.messages > MESSAGES_MAX || at.intent == Label::Complaint.as_str() {
            return;
        }
        gather::join(&mut at.text, &text);
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
    fn read(&mut self, conversation: ConversationId) {
        let Some(at) = self.sessions.get_mut(&conversation) else { return };
        if let Some(due) = at.due.take() {
            self.due.remove(&(due, conversation));
        }
        let (account, session) = (at.account, at.session);
        let is_last = at.messages >= MESSAGES_MAX;
        let text = if is_last { std::mem::take(&mut at.text) } else { at.text.clone() };
        let inbox = at.inbox.clone();
        let traffic = self.parts.sorting.traffics.of(account);
        let Sorting { router, accounts, .. } = self.parts.sorting.clone();
        let answers = self.answers_in.clone();
        tokio::spawn(async move {
            let names = accounts.names(account).await;
            let inbox_name = names.inboxes.get(&inbox).map_or("", String::as_str);
            let context = Context { inbox: &inbox, inbox_name, account: names.own.as_deref() };
            let decision = router.analyze(&text, context).await;
            traffic.note(&decision);
            let team = decision.target.team.as_ref().and_then(|name| {
                let team = names.teams.get(name).copied();
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

    /// Makes a decision a change of the session.
    fn conclude(&mut self, answer: Answer) {
        let Answer { conversation, session, decision, team } = answer;
        let Some(at) = self.sessions.get_mut(&conversation) else { return };
        let Some(intent) = decision.intent.filter(|_| at.session == session) else { return };
        if !gather::takes_over(&intent, &at.intent) {
            return;
        }
        at.intent.clone_from(&intent);
        // With the intent, so that a person's word stands against both.
        let set = chat::IntentSet {
            to_team: team.map(|team| team.to_string()).unwrap_or_default(),
            priority: decision.target.priority.unwrap_or_default(),
            ..intent_set(intent, decision.confidence, &decision.why)
        };
        self.propose(conversation, Change::IntentSet(set));
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
        self.parts.sorting.accounts.forget();
    }

    /// Makes room: the half that was written in longest ago.
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
    fn look_at_file(&mut self) {
        let now = seen(&self.parts.router_file);
        if now == self.file_seen || now.is_none() {
            return;
        }
        let path = &self.parts.router_file;
        let text = match read(path) {
            Ok(text) => text,
            // Somebody may be about to put it there: it is looked at again.
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the intents stay as they are");
                return;
            }
        };
        self.file_seen = now;
        match self.parts.sorting.router.configure(&text) {
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
        let (catalog, desk) = (self.parts.catalog.clone(), self.parts.desk.clone());
        tokio::spawn(async move {
            match catalog.accounts().await {
                Ok(accounts) => {
                    for account in accounts {
                        drop(desk.send(DeskQuery::Configuration { account: account.id }).await);
                    }
                }
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "inboxes may wait for intents as they did before the file changed"
                ),
            }
        });
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
