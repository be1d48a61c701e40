//! The desk task of this node: feeds each account's session router with states, carries its
//! proposals to the loops, keeps the open rows of all lists in memory and tells agents' feeds.
//!
//! ```text
//! loops --Summaries, AgentConnected, ...--> [desk task] --Propose, ToUser, ToVisitor--> loops
//! HTTP  --queries, "configuration changed"-->     |--> projection writer (rows, offsets)
//! ```
//! Everything here can be lost and rebuilt: rows and sessions from the history, presence from the
//! connections that come back.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use frontdesk_catalog::{
    Catalog, Error as CatalogError, RoutingMode,
    settings::{self, At, Settings},
};
use frontdesk_core::{
    chat,
    id::{AccountId, ConversationId, IdSource, InboxId, TeamId, UserId, VisitorId},
    limits,
};
use frontdesk_dispatcher::{Summary, projections::Projections};
use frontdesk_gateway::{
    chat::port::{Answer, Command, ConnRef, DeskInput, Reply},
    edge::{LoopHandle, Refused},
};
use frontdesk_protocol::{
    Encoded,
    wire::{self, server_frame::Frame as Out},
};
use frontdesk_router::{
    access::Principal,
    desk::{AgentProfile, Desk, DeskSettings, InboxProfile, Input, Output, Place, Routing},
};
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    attendance::Attendance,
    feeds::{Feeds, Reader},
    now_ms, rows,
};

/// Longest time the desk goes without looking at its deadlines.
const LOOK_AT_LEAST_MS: i64 = 5_000;

/// How soon a loop whose inbox was full is told again, ms.
const STUCK_RETRY_MS: i64 = 20;
/// How long the feed of an agent without a connection goes on, ms: as long as a resume is possible.
const FEED_KEPT_MS: i64 = limits::RESUME_MS as i64;

/// What the gate and HTTP read without asking the desk.
#[derive(Debug)]
pub(crate) struct DeskView {
    inner: Mutex<View>,
}

#[derive(Debug)]
struct View {
    presence: HashMap<UserId, wire::Presence>,
    attended: HashMap<InboxId, bool>,
    /// Who is online of each account, as routing sees it.
    online: HashSet<(AccountId, UserId)>,
    /// Grows when somebody comes or goes, or something is configured.
    staff_changes: u64,
    feeds: Feeds,
}

impl DeskView {
    pub(crate) fn new(feed_epoch: u64) -> Self {
        Self {
            inner: Mutex::new(View {
                presence: HashMap::new(),
                attended: HashMap::new(),
                online: HashSet::new(),
                staff_changes: 0,
                feeds: Feeds::new(feed_epoch),
            }),
        }
    }

    /// Whether somebody of the inbox is online.
    pub(crate) fn attended(&self, inbox: InboxId) -> bool {
        self.inner.lock().attended.get(&inbox).copied().unwrap_or(false)
    }

    /// Whether somebody of the account is online, connected and not away.
    pub(crate) fn is_online(&self, account: AccountId, user: UserId) -> bool {
        self.inner.lock().online.contains(&(account, user))
    }

    /// Another number than before says that who serves an inbox may have changed.
    pub(crate) fn staff_changes(&self) -> u64 {
        self.inner.lock().staff_changes
    }

    /// Something about people, teams or inboxes is configured otherwise.
    pub(crate) fn staff_changed(&self) {
        self.inner.lock().staff_changes += 1;
    }

    /// What the user chose while this process ran.
    pub(crate) fn presence(&self, user: UserId) -> Option<wire::Presence> {
        self.inner.lock().presence.get(&user).copied()
    }

    /// Where the user's feed stands; from now on the desk expects the user.
    pub(crate) fn feed_position(
        &self,
        reader: Reader,
        held: Option<&wire::FeedPosition>,
    ) -> (wire::FeedPosition, bool) {
        let feeds = &mut self.inner.lock().feeds;
        feeds.expect(reader, now_ms());
        feeds.position(reader, held)
    }
}

/// What HTTP asks of the desk.
#[derive(Debug)]
pub(crate) enum DeskQuery {
    /// Open rows the principal may see, with the online state of their visitors.
    Open { principal: Arc<Principal>, reply: oneshot::Sender<Vec<OpenRow>> },
    /// Every open session the principal may see, with its holder and deadline.
    Waiting { principal: Arc<Principal>, reply: oneshot::Sender<WaitingReport> },
    /// Effective presence of the account's agents and how many sessions each owns.
    Agents { account: AccountId, reply: oneshot::Sender<HashMap<UserId, AgentNow>> },
    /// Whether the visitor of a conversation is connected.
    VisitorOnline { conversation: ConversationId, reply: oneshot::Sender<bool> },
    /// People, teams, inboxes or settings changed.
    Configuration { account: AccountId },
    /// The person these conversations are with is called so from now on.
    Renamed { account: AccountId, conversations: Vec<ConversationId>, name: String },
}

/// A conversation of a list.
#[derive(Debug, Clone)]
pub(crate) struct OpenRow {
    pub(crate) summary: Arc<Summary>,
    pub(crate) beside: rows::Beside,
}

/// The watchdog's report.
#[derive(Debug, Default)]
pub(crate) struct WaitingReport {
    pub(crate) sessions: Vec<frontdesk_router::desk::Waiting>,
    pub(crate) violations: Vec<frontdesk_router::desk::Violation>,
}

/// An agent at this moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AgentNow {
    pub(crate) presence: wire::Presence,
    pub(crate) open_sessions: u32,
}

/// What the projection writer gets.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Newest states.
    pub(crate) summaries: Vec<Arc<Summary>>,
    /// Logs whose records up to the offset are all contained in what was sent so far.
    pub(crate) complete: Vec<(u16, u64)>,
}

/// One account at the desk.
struct AccountDesk {
    desk: Desk,
    /// Open conversations, and closed ones in which somebody has to read a mention.
    open: HashMap<ConversationId, Arc<Summary>>,
    /// What people call the visitors of those, where anybody does.
    names: HashMap<ConversationId, String>,
    /// Agents with a connection, and those who may resume.
    agents: HashMap<UserId, Connected>,
    presence: HashMap<UserId, wire::Presence>,
    /// What the settings say of each inbox.
    inboxes: HashMap<InboxId, InboxRules>,
    next_ms: i64,
    /// Whether the desk knows what is configured: before that it decides nothing.
    configured: bool,
}

impl AccountDesk {
    /// Notes what the visitor of a conversation is called; says whether that is new.
    fn call(&mut self, conversation: ConversationId, name: &str) -> bool {
        let before = if name.is_empty() {
            self.names.remove(&conversation)
        } else {
            self.names.insert(conversation, name.to_owned())
        };
        before.unwrap_or_default() != name
    }
}

/// Settings of an inbox that the desk carries out itself.
#[derive(Debug, Clone, Copy)]
struct InboxRules {
    /// Who comes back meets the last agent.
    last_agent: bool,
    /// Visitors see their place in the queue.
    queue_place: bool,
}

impl Default for InboxRules {
    fn default() -> Self {
        Self { last_agent: true, queue_place: true }
    }
}

impl InboxRules {
    fn of(settings: &Settings, inbox: InboxId) -> Self {
        let at = At { team: None, inbox: Some(inbox) };
        Self {
            last_agent: settings.get(settings::LAST_AGENT, at),
            queue_place: settings.get(settings::QUEUE_PLACE, at),
        }
    }
}

#[derive(Debug)]
struct Connected {
    principal: Arc<Principal>,
    conns: HashSet<ConnRef>,
    /// Conversations of this agent's list, to say when one leaves it.
    listed: HashSet<ConversationId>,
    /// When the last connection went.
    lost_ms: i64,
}

/// What the task is made of.
pub(crate) struct DeskParts {
    pub(crate) catalog: Catalog,
    pub(crate) loops: Arc<[LoopHandle<Command>]>,
    pub(crate) partitions: u16,
    /// Life of the positions, for rows.
    pub(crate) epoch: u64,
    pub(crate) view: Arc<DeskView>,
    pub(crate) rows: mpsc::Sender<Rows>,
    pub(crate) projections: Arc<Projections>,
    /// Unlike that of every other source of ids.
    pub(crate) id_seed: u32,
}

/// The task.
pub(crate) struct DeskTask {
    catalog: Catalog,
    loops: Arc<[LoopHandle<Command>]>,
    partitions: u16,
    /// Life of the positions, for rows.
    epoch: u64,
    view: Arc<DeskView>,
    rows: mpsc::Sender<Rows>,
    projections: Arc<Projections>,
    accounts: HashMap<AccountId, AccountDesk>,
    visitors_online: HashSet<ConversationId>,
    /// What visitors were told of who is there.
    attendance: Attendance,
    /// What a full inbox of a loop did not take yet, in order.
    stuck: VecDeque<(u16, Command)>,
    id_seed: u32,
}

impl DeskTask {
    pub(crate) fn new(parts: DeskParts) -> Self {
        let DeskParts { catalog, loops, partitions, epoch, view, rows, projections, id_seed } =
            parts;
        Self {
            catalog,
            loops,
            partitions,
            epoch,
            view,
            rows,
            projections,
            accounts: HashMap::new(),
            visitors_online: HashSet::new(),
            attendance: Attendance::default(),
            stuck: VecDeque::new(),
            id_seed,
        }
    }

    /// Takes the open conversations the projections know, before the first input.
    pub(crate) async fn begin(&mut self, open: Vec<Summary>) -> Result<(), CatalogError> {
        let mut by_account: HashMap<AccountId, Vec<Summary>> = HashMap::new();
        for account in self.catalog.accounts().await? {
            by_account.insert(account.id, Vec::new());
        }
        for summary in open {
            if let Ok(account) = summary.origin.account.parse() {
                by_account.entry(account).or_default().push(summary);
            }
        }
        for (account, summaries) in by_account {
            self.open_account(account);
            self.learn_names(&summaries).await;
            if let Some(at) = self.accounts.get_mut(&account) {
                at.open = summaries
                    .into_iter()
                    .map(|summary| (summary.conversation, Arc::new(summary)))
                    .collect();
            }
            self.reload(account).await?;
        }
        Ok(())
    }

    /// Works until told to stop.
    pub(crate) async fn run(
        mut self,
        mut inputs: mpsc::Receiver<DeskInput>,
        mut queries: mpsc::Receiver<DeskQuery>,
        stop: CancellationToken,
    ) {
        loop {
            let now = now_ms();
            let next_ms = self
                .accounts
                .values()
                .map(|account| account.next_ms)
                .chain(self.attendance.next_ms())
                .min()
                .unwrap_or(i64::MAX)
                .clamp(now, now + LOOK_AT_LEAST_MS);
            let next_ms = if self.stuck.is_empty() { next_ms } else { now + STUCK_RETRY_MS };
            let wait = u64::try_from(next_ms - now).unwrap_or(0);
            let deadline = Instant::now() + std::time::Duration::from_millis(wait);
            tokio::select! {
                () = stop.cancelled() => return,
                input = inputs.recv() => match input {
                    Some(input) => self.take(input).await,
                    None => return,
                },
                Some(query) = queries.recv() => self.query(query).await,
                () = sleep_until(deadline) => {}
            }
            let now = now_ms();
            let due: Vec<AccountId> = self
                .accounts
                .iter()
                .filter(|(_, account)| account.next_ms <= now)
                .map(|(id, _)| *id)
                .collect();
            for account in due {
                if self.accounts.get(&account).is_some_and(|at| !at.configured) {
                    self.account(account).await;
                } else {
                    self.apply(account, Vec::new());
                }
            }
            self.tell_attended(now);
            self.tell_stuck();
            self.forget_lost(now);
        }
    }

    async fn take(&mut self, input: DeskInput) {
        match input {
            DeskInput::Summaries { summaries, complete } => {
                self.summaries(summaries, complete).await;
            }
            DeskInput::AgentConnected { principal, user, conn, feed } => {
                self.agent_connected(principal, user, conn, feed).await;
            }
            DeskInput::AgentLost { account, user, conn } => {
                let Some(at) = self.accounts.get_mut(&account) else { return };
                let Some(agent) = at.agents.get_mut(&user) else { return };
                agent.conns.remove(&conn);
                if agent.conns.is_empty() {
                    // The feed goes on for as long as it may be resumed.
                    agent.lost_ms = now_ms();
                    self.apply(account, vec![Input::Connected(user, false)]);
                }
            }
            DeskInput::SetPresence { account, user, presence } => {
                self.view.inner.lock().presence.insert(user, presence);
                let stored = rows::stored_presence(presence);
                if let Err(error) = self.catalog.set_presence(account, user, stored).await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot keep an agent's chosen state"
                    );
                }
                self.apply(account, vec![Input::Presence(user, presence)]);
            }
            DeskInput::VisitorPresence { account, conversation, online } => {
                let changed = if online {
                    self.visitors_online.insert(conversation)
                } else {
                    self.visitors_online.remove(&conversation)
                };
                if changed {
                    self.tell_lists(account, conversation);
                }
                if online {
                    let at = self.accounts.get(&account);
                    let place = at.and_then(|at| at.desk.place(now_ms(), conversation));
                    if let Some(place) = place {
                        self.tell_place(account, place);
                    }
                }
            }
            DeskInput::Proposed { account, conversation, version, answer } => {
                if let Answer::Refused(refusal) = answer {
                    tracing::debug!(
                        conversation.id = %conversation,
                        code = refusal.code,
                        "a proposal of the desk was refused"
                    );
                    self.apply(account, vec![Input::Refused { conversation, version }]);
                }
            }
        }
    }

    /// Reads what people call the visitors of conversations that come into the lists.
    async fn learn_names(&mut self, summaries: &[Summary]) {
        let mut coming: HashMap<VisitorId, (AccountId, ConversationId)> = HashMap::new();
        for summary in summaries.iter().filter(|summary| rows::is_live(summary)) {
            let Ok(account) = summary.origin.account.parse() else { continue };
            let Ok(visitor) = summary.origin.visitor.parse() else { continue };
            self.open_account(account);
            let at = self.accounts.get(&account);
            if !at.is_some_and(|at| at.open.contains_key(&summary.conversation)) {
                coming.insert(visitor, (account, summary.conversation));
            }
        }
        if coming.is_empty() {
            return;
        }
        let visitors: Vec<VisitorId> = coming.keys().copied().collect();
        match self.projections.names_of(&visitors).await {
            Ok(names) => {
                for (visitor, name) in names {
                    if let Some((account, conversation)) = coming.get(&visitor)
                        && let Some(at) = self.accounts.get_mut(account)
                    {
                        at.call(*conversation, &name);
                    }
                }
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "lists go without the names of some visitors"
            ),
        }
    }

    /// Newest states of conversations: to the router, to the lists, to the projections.
    async fn summaries(&mut self, summaries: Vec<Summary>, complete: Option<(u16, u64)>) {
        self.learn_names(&summaries).await;
        let mut shared = Vec::with_capacity(summaries.len());
        let mut inputs: HashMap<AccountId, Vec<Input>> = HashMap::new();
        for summary in summaries {
            let Ok(account) = summary.origin.account.parse::<AccountId>() else { continue };
            self.account(account).await;
            let Some(at) = self.accounts.get_mut(&account) else { continue };
            inputs.entry(account).or_default().extend(conversation_input(&summary, &at.inboxes));
            let summary = Arc::new(summary);
            let conversation = summary.conversation;
            if rows::is_live(&summary) {
                at.open.insert(conversation, Arc::clone(&summary));
            } else {
                at.open.remove(&conversation);
                at.names.remove(&conversation);
            }
            self.tell_lists(account, conversation);
            shared.push(summary);
        }
        for (account, inputs) in inputs {
            self.apply(account, inputs);
        }
        let rows = Rows { summaries: shared, complete: complete.into_iter().collect() };
        // Waiting here holds back the loops' summaries, which then wait in the loops, newest only.
        if self.rows.send(rows).await.is_err() {
            tracing::error!("the projection writer is gone");
        }
    }

    async fn agent_connected(
        &mut self,
        principal: Arc<Principal>,
        user: UserId,
        conn: ConnRef,
        feed: wire::FeedPosition,
    ) {
        let account = principal.account;
        self.account(account).await;
        let Some(at) = self.accounts.get_mut(&account) else { return };
        let listed = at
            .open
            .values()
            .filter(|summary| rows::is_listed(&principal, summary))
            .map(|summary| summary.conversation)
            .collect::<HashSet<_>>();
        let agent = at.agents.entry(user).or_insert_with(|| Connected {
            principal: Arc::clone(&principal),
            conns: HashSet::new(),
            listed: listed.clone(),
            lost_ms: 0,
        });
        agent.principal = principal;
        agent.conns.insert(conn);
        // Other rights than last time show other conversations.
        let former = std::mem::replace(&mut agent.listed, listed);
        let missed = {
            let feeds = &mut self.view.inner.lock().feeds;
            for conversation in former.symmetric_difference(&agent.listed) {
                feeds.note((account, user), *conversation);
            }
            feeds.arrived((account, user));
            feeds.since((account, user), feed.number)
        };
        let changes: Vec<wire::FeedChange> = missed
            .into_iter()
            .filter_map(|(number, conversation)| self.change(account, user, conversation, number))
            .collect();
        if !changes.is_empty() {
            let frame = Encoded::push(Out::Feed(wire::FeedChanges { changes }));
            let delivery = frontdesk_gateway::chat::port::Delivery {
                to: smallvec::SmallVec::from_slice(&[conn.conn]),
                frame,
            };
            self.tell(conn.loop_index, Command::Deliver(vec![delivery]));
        }
        self.apply(account, vec![Input::Connected(user, true)]);
    }

    async fn query(&mut self, query: DeskQuery) {
        match query {
            DeskQuery::Open { principal, reply } => {
                let rows = self.accounts.get(&principal.account).map_or_else(Vec::new, |at| {
                    at.open
                        .values()
                        .filter(|summary| rows::is_listed(&principal, summary))
                        .map(|summary| OpenRow {
                            summary: Arc::clone(summary),
                            beside: self.beside(at, summary.conversation),
                        })
                        .collect()
                });
                drop(reply.send(rows));
            }
            DeskQuery::Waiting { principal, reply } => {
                let now = now_ms();
                let of_account = self.accounts.get(&principal.account);
                let report = of_account.map_or_else(WaitingReport::default, |at| {
                    let may_see = |conversation: &ConversationId| {
                        let summary = at.open.get(conversation);
                        summary.is_some_and(|summary| rows::is_listed(&principal, summary))
                    };
                    let mut sessions = at.desk.waiting(now);
                    sessions.retain(|session| may_see(&session.conversation));
                    let mut violations = at.desk.violations(now);
                    violations.retain(|violation| may_see(&violation.conversation()));
                    WaitingReport { sessions, violations }
                });
                drop(reply.send(report));
            }
            DeskQuery::Agents { account, reply } => {
                let mut now: HashMap<UserId, AgentNow> = HashMap::new();
                if let Some(at) = self.accounts.get(&account) {
                    for (user, presence) in &at.presence {
                        now.insert(*user, AgentNow { presence: *presence, open_sessions: 0 });
                    }
                    for summary in at.open.values().filter(|summary| rows::is_open(summary)) {
                        let owner = summary.session.as_ref().and_then(|s| s.owner.as_ref());
                        let Some(Ok(user)) = owner.map(|owner| owner.id.parse::<UserId>()) else {
                            continue;
                        };
                        let agent = now.entry(user).or_insert(AgentNow {
                            presence: wire::Presence::Offline,
                            open_sessions: 0,
                        });
                        agent.open_sessions += 1;
                    }
                }
                drop(reply.send(now));
            }
            DeskQuery::VisitorOnline { conversation, reply } => {
                // Whoever asked may have given up.
                if reply.send(self.visitors_online.contains(&conversation)).is_err() {
                    tracing::debug!("a request was given up");
                }
            }
            DeskQuery::Renamed { account, conversations, name } => {
                for conversation in conversations {
                    let Some(at) = self.accounts.get_mut(&account) else { return };
                    if at.open.contains_key(&conversation) && at.call(conversation, &name) {
                        self.tell_lists(account, conversation);
                    }
                }
            }
            DeskQuery::Configuration { account } => {
                if let Err(error) = self.reload(account).await {
                    tracing::error!(
                        account.id = %account,
                        error = &error as &dyn std::error::Error,
                        "cannot reload an account's desk"
                    );
                }
            }
        }
    }

    /// Opens the account's desk if it is not open. Where its configuration cannot be read it decides
    /// nothing yet, and tries again soon.
    async fn account(&mut self, account: AccountId) {
        let now = now_ms();
        if self.accounts.get(&account).is_some_and(|at| at.configured || now < at.next_ms) {
            return;
        }
        if let Err(error) = self.reload(account).await {
            tracing::error!(
                account.id = %account,
                error = &error as &dyn std::error::Error,
                "cannot read what is configured about an account; it is tried again"
            );
            if let Some(at) = self.accounts.get_mut(&account).filter(|at| !at.configured) {
                at.next_ms = now + LOOK_AT_LEAST_MS;
            }
        }
    }

    fn open_account(&mut self, account: AccountId) {
        if self.accounts.contains_key(&account) {
            return;
        }
        let mut machine = [0; 3];
        getrandom::fill(&mut machine).expect("the operating system has randomness");
        self.id_seed = self.id_seed.wrapping_add(0x0100_0000);
        let ids = IdSource::new(machine, std::process::id() as u16, self.id_seed);
        self.accounts.entry(account).or_insert_with(|| AccountDesk {
            desk: Desk::new(DeskSettings::default(), ids),
            open: HashMap::new(),
            names: HashMap::new(),
            agents: HashMap::new(),
            presence: HashMap::new(),
            inboxes: HashMap::new(),
            next_ms: 0,
            configured: false,
        });
    }

    /// Reads what is configured about an account and tells its desk.
    async fn reload(&mut self, account: AccountId) -> Result<(), CatalogError> {
        self.open_account(account);
        let (mut inputs, inboxes) = self.configured(account).await?;
        if let Some(at) = self.accounts.get_mut(&account) {
            at.inboxes = inboxes;
        }
        if let Some(at) = self.accounts.get_mut(&account).filter(|at| !at.configured) {
            // In one go, so that nobody is judged by half of the state.
            at.configured = true;
            // Conversations first: whoever owns one is given the time to come back.
            let inboxes = &at.inboxes;
            let open = at.open.values().filter_map(|summary| conversation_input(summary, inboxes));
            inputs = open.chain(inputs).collect();
            let connected = at.agents.iter().filter(|(_, agent)| !agent.conns.is_empty());
            inputs.extend(connected.map(|(user, _)| Input::Connected(*user, true)));
        }
        self.apply(account, inputs);
        Ok(())
    }

    /// What is configured about an account, as the desk takes it.
    async fn configured(
        &self,
        account: AccountId,
    ) -> Result<(Vec<Input>, HashMap<InboxId, InboxRules>), CatalogError> {
        let settings = self.catalog.settings(account).await?;
        let members = self.catalog.users(account).await?;
        let inboxes = self.catalog.inboxes(account).await?;
        let mut inputs = vec![Input::Settings(desk_settings(&settings))];
        let mut rules = HashMap::new();
        let default_capacity: u16 = settings.get(settings::CAPACITY, At::ACCOUNT);
        let mut kept = HashSet::new();
        for member in members {
            let id = member.user.id;
            kept.insert(id);
            let teams: BTreeSet<TeamId> = member.teams.iter().copied().collect();
            inputs.push(Input::Agent(AgentProfile {
                id,
                name: member.user.display_name.clone(),
                teams,
                skills: BTreeSet::new(),
                capacity: u32::from(member.capacity.unwrap_or(default_capacity)),
                enabled: !member.disabled && !member.user.disabled,
            }));
            let known = self.view.presence(id);
            let presence = known.unwrap_or_else(|| rows::presence(member.user.presence));
            inputs.push(Input::Presence(id, presence));
        }
        for inbox in inboxes {
            rules.insert(inbox.id, InboxRules::of(&settings, inbox.id));
            inputs.push(Input::Inbox(InboxProfile {
                id: inbox.id,
                routing: match inbox.routing {
                    RoutingMode::Auto => Routing::Auto,
                    RoutingMode::Manual => Routing::Manual,
                },
                teams: inbox.default_team.into_iter().collect(),
                open: true,
            }));
        }
        if let Some(at) = self.accounts.get(&account) {
            let gone: Vec<UserId> =
                at.presence.keys().filter(|user| !kept.contains(user)).copied().collect();
            inputs.extend(gone.into_iter().map(Input::AgentGone));
        }
        Ok((inputs, rules))
    }

    /// Tells the account's desk and carries out what follows.
    fn apply(&mut self, account: AccountId, inputs: Vec<Input>) {
        let now = now_ms();
        let Some(at) = self.accounts.get_mut(&account).filter(|at| at.configured) else { return };
        let Output { proposals, presence, places, attended, next_deadline_ms } =
            at.desk.apply(now, inputs);
        at.next_ms = next_deadline_ms.unwrap_or(i64::MAX);
        for (user, presence) in &presence {
            at.presence.insert(*user, *presence);
            let mut view = self.view.inner.lock();
            if *presence == wire::Presence::Online {
                view.online.insert((account, *user));
            } else {
                view.online.remove(&(account, *user));
            }
            view.staff_changes += 1;
        }
        for proposed in proposals {
            let owner = frontdesk_core::partition_of(&proposed.conversation, self.partitions)
                % self.loops.len() as u16;
            let command = Command::Propose {
                conversation: proposed.conversation,
                proposal: Box::new(proposed.proposal),
                reply: Reply::Desk { account, version: proposed.version },
            };
            // A lost proposal is made again: the desk's own in-flight time sees to that.
            self.tell(owner, command);
        }
        for (user, presence) in presence {
            let update = wire::PresenceUpdate {
                actor: Some(chat::Actor {
                    kind: chat::ActorKind::Agent.into(),
                    id: user.to_string(),
                    name: String::new(),
                }),
                presence: presence.into(),
                conversation: String::new(),
            };
            let frame = Encoded::push(Out::Presence(update));
            for loop_index in 0..self.loops.len() as u16 {
                self.tell(loop_index, Command::ToAccount { account, frame: frame.clone() });
            }
        }
        for place in places {
            self.tell_place(account, place);
        }
        for (inbox, attended) in attended {
            self.view.inner.lock().attended.insert(inbox, attended);
            self.attendance.note(now, inbox, attended);
        }
    }

    /// Tells the visitors of inboxes where somebody came online, or the last one went.
    fn tell_attended(&mut self, now: i64) {
        for (inbox, attended) in self.attendance.due(now) {
            for loop_index in 0..self.loops.len() as u16 {
                self.tell(loop_index, Command::Attended { inbox, attended });
            }
        }
    }

    /// The rules of the inbox of an open conversation.
    fn rules_of(&self, account: AccountId, conversation: ConversationId) -> InboxRules {
        let Some(at) = self.accounts.get(&account) else { return InboxRules::default() };
        let inbox = at.open.get(&conversation).and_then(|open| open.origin.inbox.parse().ok());
        inbox.and_then(|inbox: InboxId| at.inboxes.get(&inbox)).copied().unwrap_or_default()
    }

    /// Tells a visitor its place in the queue, where the inbox shows it.
    fn tell_place(&mut self, account: AccountId, place: Place) {
        let shown = self.rules_of(account, place.conversation).queue_place;
        let frame = Encoded::push(Out::QueuePlace(wire::QueuePlace {
            place: if shown { place.place } else { 0 },
            wait_ms: if shown { place.wait_ms } else { 0 },
            attended: place.attended,
        }));
        let owner = frontdesk_core::partition_of(&place.conversation, self.partitions)
            % self.loops.len() as u16;
        self.tell(owner, Command::ToVisitor { conversation: place.conversation, frame });
    }

    /// Tells every agent in whose list the conversation is, was or comes.
    fn tell_lists(&mut self, account: AccountId, conversation: ConversationId) {
        let Some(at) = self.accounts.get_mut(&account) else { return };
        let summary = at.open.get(&conversation).cloned();
        let mut concerned = Vec::new();
        for (user, agent) in &mut at.agents {
            let listed =
                summary.as_ref().is_some_and(|summary| rows::is_listed(&agent.principal, summary));
            let was = if listed {
                !agent.listed.insert(conversation)
            } else {
                agent.listed.remove(&conversation)
            };
            if listed || was {
                concerned.push(*user);
            }
        }
        let known = &at.agents;
        self.view
            .inner
            .lock()
            .feeds
            .note_awaited(account, conversation, |user| known.contains_key(&user));
        for user in concerned {
            let number = self.view.inner.lock().feeds.note((account, user), conversation);
            let loops = self.loops_of(account, user);
            if loops.is_empty() {
                continue;
            }
            if let Some(change) = self.change(account, user, conversation, number) {
                let changes = wire::FeedChanges { changes: vec![change] };
                let frame = Encoded::push(Out::Feed(changes));
                for loop_index in loops {
                    let frame = frame.clone();
                    self.tell(loop_index, Command::ToUser { account, user, frame });
                }
            }
        }
    }

    fn loops_of(&self, account: AccountId, user: UserId) -> BTreeSet<u16> {
        self.accounts
            .get(&account)
            .and_then(|at| at.agents.get(&user))
            .map(|agent| agent.conns.iter().map(|conn| conn.loop_index).collect())
            .unwrap_or_default()
    }

    /// A feed change as it is now for this reader.
    fn change(
        &self,
        account: AccountId,
        user: UserId,
        conversation: ConversationId,
        number: u64,
    ) -> Option<wire::FeedChange> {
        use wire::feed_change::Change;
        let at = self.accounts.get(&account)?;
        let agent = at.agents.get(&user)?;
        let listed =
            at.open.get(&conversation).filter(|summary| rows::is_listed(&agent.principal, summary));
        let change = match listed {
            Some(summary) => {
                let beside = self.beside(at, conversation);
                Change::Row(rows::row(summary, &agent.principal.id, beside, self.epoch))
            }
            None => Change::Removed(conversation.to_string()),
        };
        Some(wire::FeedChange { number, change: Some(change) })
    }

    fn beside(&self, at: &AccountDesk, conversation: ConversationId) -> rows::Beside {
        rows::Beside {
            visitor_name: at.names.get(&conversation).cloned().unwrap_or_default(),
            visitor_online: self.visitors_online.contains(&conversation),
        }
    }

    /// Tells a loop something; what a full inbox does not take is told soon, in order.
    fn tell(&mut self, loop_index: u16, command: Command) {
        if self.stuck.iter().any(|(other, _)| *other == loop_index) {
            self.stuck.push_back((loop_index, command));
        } else if let Err(Refused::Full(command)) =
            self.loops[usize::from(loop_index)].send(command)
        {
            self.stuck.push_back((loop_index, command));
        }
    }

    fn tell_stuck(&mut self) {
        for (loop_index, command) in std::mem::take(&mut self.stuck) {
            self.tell(loop_index, command);
        }
    }

    /// Lets go of agents who can no longer resume, and of their feeds.
    fn forget_lost(&mut self, now: i64) {
        let feeds = &mut self.view.inner.lock().feeds;
        feeds.sweep(now);
        for (account, at) in &mut self.accounts {
            at.agents.retain(|user, agent| {
                let kept = !agent.conns.is_empty() || now - agent.lost_ms < FEED_KEPT_MS;
                if !kept {
                    feeds.lapse((*account, *user));
                }
                kept
            });
        }
    }
}

/// What the router needs of a summary; `None` where there is no session.
fn conversation_input(summary: &Summary, inboxes: &HashMap<InboxId, InboxRules>) -> Option<Input> {
    let session = summary.session.clone()?;
    let inbox = summary.origin.inbox.parse::<InboxId>().ok();
    let rules = inbox.and_then(|inbox| inboxes.get(&inbox)).copied().unwrap_or_default();
    let last_owner = summary.last_owner.as_ref().filter(|_| rules.last_agent);
    let last_owner = last_owner.and_then(|owner| owner.id.parse::<UserId>().ok());
    Some(Input::Conversation(Box::new(frontdesk_router::desk::Summary {
        conversation: summary.conversation,
        session,
        last_owner,
        skills: BTreeSet::new(),
    })))
}

/// The figures of an account, from its settings.
fn desk_settings(settings: &Settings) -> DeskSettings {
    let ms = |key| {
        let duration: std::time::Duration = settings.get(key, At::ACCOUNT);
        i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
    };
    DeskSettings {
        first_answer_ms: ms(settings::FIRST_ANSWER),
        presence_grace_ms: ms(settings::OFFLINE_GRACE),
        idle_close_ms: ms(settings::IDLE_CLOSE),
        idle_warn_ms: ms(settings::IDLE_WARN),
        unattended_ms: ms(settings::UNATTENDED_DEADLINE),
        ..DeskSettings::default()
    }
}
