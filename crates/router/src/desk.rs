//! The session router of one account: queues, loads, and the choice of agent, as a pure state machine.
//!
//! It is fed with states (summaries of conversations, agents, inboxes), not with commands, so it can be
//! rebuilt at any time from what the projections hold. It answers with proposals for the log: an
//! `Assigned` names the session version it expects, the fold takes the first, and the new summary comes
//! back here. Until it does, the proposal is in flight and nothing else is proposed for that version.
//! The caller passes the time and calls again at `next_deadline_ms`; nothing here reads a clock.
//!
//! Nobody is left waiting: every open session has an owner or a place in a queue, and a deadline at
//! which [`Desk`] looks at it again; `watchdog` proves it.

mod agents;
mod choice;
mod queue;
mod session;
mod settings;
mod watchdog;

use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::{
    chat::{Actor, ActorKind, Cause, Participant, Session, SessionStatus},
    id::{ConversationId, IdSource, InboxId, MessageId, TeamId, UserId},
    store::{self, change::Change, proposal::Body},
};
use frontdesk_protocol::wire::Presence;

pub use self::{
    agents::AgentProfile,
    queue::{Lane, Place},
    settings::DeskSettings,
    watchdog::{Holder, Then, Violation, Waiting},
};
use self::{
    agents::Agents,
    queue::Queue,
    session::{Around, Held, InFlight, Next, Owner, Step},
};

/// A conversation with its newest session, as the fold left it.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its newest session.
    pub session: Session,
    /// Who owned the session before this one: gets the visitor back if free.
    pub last_owner: Option<UserId>,
    /// Skills that would serve this visitor best, such as a language; a wish for the first minutes.
    pub skills: BTreeSet<String>,
}

/// How an inbox hands out sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routing {
    /// The desk assigns.
    Auto,
    /// Agents take.
    Manual,
}

/// What is configured about an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxProfile {
    /// The inbox.
    pub id: InboxId,
    /// Who hands out its sessions.
    pub routing: Routing,
    /// Who serves its common queue; empty means every agent.
    pub teams: BTreeSet<TeamId>,
    /// Whether it is within hours now.
    pub open: bool,
    /// How long a new session waits for its intent before its queue gets it, ms; 0 where intents lead nowhere.
    pub intent_wait_ms: i64,
    /// The bot that new sessions go to before anybody else.
    pub bot: Option<Bot>,
}

/// A bot that answers new sessions of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bot {
    /// The one of this server: it takes new sessions by itself, and the desk waits a moment for it.
    BuiltIn,
    /// A program with a socket: it gets new sessions while it is connected.
    Own(Participant),
}

/// Something the desk learns.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A conversation is new here or changed.
    Conversation(Box<Summary>),
    /// The proposal for this version was refused, or changed nothing.
    Refused {
        /// The conversation.
        conversation: ConversationId,
        /// What the proposal expected.
        version: u32,
    },
    /// A conversation is gone for good.
    Forgotten(ConversationId),
    /// An agent is new or changed: comes before anything else about the agent. Somebody new
    /// who owns sessions counts as just disconnected, so that a restart takes nothing from those who
    /// come back at once; at a start conversations therefore come first.
    Agent(AgentProfile),
    /// An agent is no member of the account any more.
    AgentGone(UserId),
    /// An agent chose a state.
    Presence(UserId, Presence),
    /// An agent's first connection came, or the last one went.
    Connected(UserId, bool),
    /// An inbox is new or changed.
    Inbox(InboxProfile),
    /// An inbox is gone.
    InboxGone(InboxId),
    /// The figures changed.
    Settings(DeskSettings),
    /// The first connection of a bot came, or the last one went.
    BotConnected(String, bool),
}

/// What follows from it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    /// To append to the log.
    pub proposals: Vec<Proposed>,
    /// Agents whose effective presence changed.
    pub presence: Vec<(UserId, Presence)>,
    /// Visitors whose place changed.
    pub places: Vec<Place>,
    /// Inboxes where somebody came online, or nobody is any more.
    pub attended: Vec<(InboxId, bool)>,
    /// When to call again if nothing happens before.
    pub next_deadline_ms: Option<i64>,
}

/// One proposal of the desk.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// The conversation.
    pub conversation: ConversationId,
    /// The session version it expects; named again in [`Input::Refused`].
    pub version: u32,
    /// The record for the log.
    pub proposal: store::Proposal,
}

/// The session router of one account.
#[derive(Debug)]
pub struct Desk {
    settings: DeskSettings,
    ids: IdSource,
    agents: Agents,
    inboxes: BTreeMap<InboxId, InboxProfile>,
    /// The bots with a connection, by id.
    bots: BTreeSet<String>,
    /// Whether each inbox was attended when last told.
    attended: BTreeMap<InboxId, bool>,
    sessions: BTreeMap<ConversationId, Held>,
    queue: Queue,
    deadlines: BTreeSet<(i64, ConversationId)>,
    /// Sessions to look at before the call ends.
    dirty: BTreeSet<ConversationId>,
    /// Who serves what may have changed: queued sessions may find an agent.
    rematch: bool,
    /// Agents or inboxes changed.
    staff_changed: bool,
    places_changed: bool,
    places_due_ms: i64,
}

impl Desk {
    /// Makes a desk that knows nobody yet. Feed it agents, presence, inboxes and conversations in one
    /// [`Desk::apply`], so that nobody is judged by half of the state.
    pub fn new(settings: DeskSettings, ids: IdSource) -> Self {
        Self {
            settings,
            ids,
            agents: Agents::default(),
            inboxes: BTreeMap::new(),
            bots: BTreeSet::new(),
            attended: BTreeMap::new(),
            sessions: BTreeMap::new(),
            queue: Queue::default(),
            deadlines: BTreeSet::new(),
            dirty: BTreeSet::new(),
            rematch: false,
            staff_changed: false,
            places_changed: false,
            places_due_ms: 0,
        }
    }

    /// Takes in what happened and says what follows. An empty list of inputs is the tick.
    pub fn apply(&mut self, now_ms: i64, inputs: impl IntoIterator<Item = Input>) -> Output {
        for input in inputs {
            self.take_in(now_ms, input);
        }
        self.settle(now_ms)
    }

    /// Whether somebody who serves the inbox's common queue is online within hours.
    pub fn is_attended(&self, now_ms: i64, inbox: InboxId) -> bool {
        self.serves_now(now_ms, Some(inbox), None)
    }

    /// The place a visitor was told last, for one who comes back; `None` outside the queue.
    pub fn place(&self, now_ms: i64, conversation: ConversationId) -> Option<Place> {
        self.queue.told(conversation, now_ms, self.settings.estimate_window_ms)
    }

    fn take_in(&mut self, now_ms: i64, input: Input) {
        match input {
            Input::Conversation(summary) => self.conversation(now_ms, *summary),
            Input::Refused { conversation, version } => self.refused(now_ms, conversation, version),
            Input::Forgotten(conversation) => {
                self.remove(conversation);
            }
            Input::Agent(profile) => {
                let id = profile.id;
                self.agents.upsert(now_ms, profile);
                self.touch_agent(id);
            }
            Input::AgentGone(id) => {
                self.agents.remove(id);
                self.touch_agent(id);
            }
            Input::Presence(id, presence) => {
                self.agents.choose(id, presence);
                self.touch_agent(id);
            }
            Input::Connected(id, connected) => {
                self.agents.connection(now_ms, id, connected);
                self.touch_agent(id);
            }
            Input::Inbox(profile) => {
                self.inboxes.insert(profile.id, profile);
                self.staff_changed = true;
            }
            Input::InboxGone(id) => {
                self.inboxes.remove(&id);
                self.attended.remove(&id);
                self.staff_changed = true;
            }
            Input::BotConnected(id, connected) => {
                let changed = if connected { self.bots.insert(id) } else { self.bots.remove(&id) };
                self.staff_changed |= changed;
            }
            Input::Settings(settings) => {
                self.settings = settings;
                self.dirty.extend(self.sessions.keys());
                self.staff_changed = true;
            }
        }
    }

    fn touch_agent(&mut self, id: UserId) {
        self.dirty.extend(self.agents.owned(id));
        self.staff_changed = true;
    }

    fn conversation(&mut self, now_ms: i64, summary: Summary) {
        let id = summary.conversation;
        let mut held = Held::new(summary);
        if let Some(old) = self.sessions.get(&id) {
            if old.newer_than(held.session()) {
                return;
            }
            let served = self.queue.contains(id) && !held.queued();
            if let (true, Some(lane)) = (served, self.queue.lane(id)) {
                self.queue.departed(lane, now_ms);
            }
        }
        if let Some(old) = self.remove(id)
            && old.session().id == held.session().id
        {
            let same_version = old.session().version == held.session().version;
            let waits = held.session().waiting_since_ms > 0;
            held.missed = if waits { old.missed } else { Vec::new() };
            held.checked_at_ms = old.checked_at_ms;
            held.warned_at_ms = old.warned_at_ms;
            if same_version {
                held.retry_at_ms = old.retry_at_ms;
                held.in_flight = old.in_flight;
            }
        }
        let open = matches!(
            held.session().status(),
            SessionStatus::Queued | SessionStatus::Assigned | SessionStatus::Pending
        );
        // Room became free, or somebody new stands in the queue.
        self.rematch = true;
        if !open {
            return;
        }
        if !held.session().warned_idle {
            held.warned_at_ms = 0;
        } else if held.warned_at_ms == 0 {
            held.warned_at_ms = now_ms;
        }
        if held.queued() {
            self.queue.enter(id, held.lane(), held.priority(), held.since_ms());
            self.places_changed = true;
        } else if let Owner::Agent(agent) = held.owner {
            self.agents.own(now_ms, agent, &held);
        }
        if let Some(InFlight { agent: Some(agent), .. }) = held.in_flight {
            self.agents.reserve(agent, id, now_ms);
        }
        self.sessions.insert(id, held);
        self.dirty.insert(id);
    }

    /// Takes a session out of every index.
    fn remove(&mut self, id: ConversationId) -> Option<Held> {
        let held = self.sessions.remove(&id)?;
        self.deadlines.remove(&(held.deadline_ms, id));
        self.dirty.remove(&id);
        if self.queue.contains(id) {
            self.queue.leave(id);
            self.places_changed = true;
        }
        if let Owner::Agent(agent) = held.owner {
            self.agents.disown(agent, id);
        }
        if let Some(InFlight { agent: Some(agent), .. }) = held.in_flight {
            self.agents.release(agent, id);
        }
        self.rematch = true;
        Some(held)
    }

    fn refused(&mut self, now_ms: i64, id: ConversationId, version: u32) {
        let retry_at_ms = now_ms + self.settings.retry_ms;
        if let Some(held) = self.sessions.get_mut(&id)
            && held.in_flight.is_some_and(|flight| flight.version == version)
        {
            held.retry_at_ms = retry_at_ms;
            Self::land(&mut self.agents, held);
            self.dirty.insert(id);
            self.rematch = true;
        }
    }

    /// The proposal in flight came to nothing.
    fn land(agents: &mut Agents, held: &mut Held) {
        if let Some(InFlight { agent: Some(agent), .. }) = held.in_flight.take() {
            agents.release(agent, held.id());
        }
    }

    fn settle(&mut self, now_ms: i64) -> Output {
        let mut output = Output {
            presence: self.agents.changes(now_ms, self.settings.presence_grace_ms),
            ..Output::default()
        };
        for (id, _) in &output.presence {
            self.touch_agent(*id);
        }
        if self.staff_changed {
            self.staff_changed = false;
            self.dirty.extend(self.queue.in_order());
            self.places_changed = true;
            self.rematch = true;
            output.attended = self.attended_changes(now_ms);
        }
        let due: Vec<ConversationId> =
            self.deadlines.range(..=(now_ms, LAST_ID)).map(|(_, id)| *id).collect();
        self.dirty.extend(due);
        for id in std::mem::take(&mut self.dirty) {
            self.look_at(now_ms, id, &mut output);
        }
        if std::mem::take(&mut self.rematch) {
            self.match_queue(now_ms, &mut output);
        }
        if self.places_changed && now_ms >= self.places_due_ms {
            self.places_changed = false;
            self.places_due_ms = now_ms + self.settings.places_interval_ms;
            output.places = self.tell_places(now_ms);
        }
        output.next_deadline_ms = [
            self.deadlines.first().map(|(at_ms, _)| *at_ms),
            self.agents.next_deadline(self.settings.presence_grace_ms),
            self.places_changed.then_some(self.places_due_ms),
        ]
        .into_iter()
        .flatten()
        .min();
        output
    }

    /// Applies the rules to one session and gives it its next deadline.
    fn look_at(&mut self, now_ms: i64, id: ConversationId, output: &mut Output) {
        let Some(held) = self.sessions.get_mut(&id) else { return };
        if held.in_flight.is_some_and(|flight| now_ms >= flight.until_ms) {
            Self::land(&mut self.agents, held);
            self.rematch = true;
        }
        let busy_until_ms = held.in_flight.map_or(held.retry_at_ms, |flight| flight.until_ms);
        if now_ms < busy_until_ms {
            self.set_deadline(id, busy_until_ms);
            return;
        }
        let Some(held) = self.sessions.get(&id) else { return };
        let Next { step, deadline_ms } =
            held.next(now_ms, &self.settings, &self.around(now_ms, held));
        if held.queued() {
            // Its wish for skills may have ended, or a refusal been waited for.
            self.rematch = true;
        }
        self.set_deadline(id, deadline_ms);
        match step {
            Step::Nothing => {}
            Step::Propose(change) => self.propose(now_ms, id, change, None, output),
            Step::Keep => {
                if let Some(held) = self.sessions.get_mut(&id) {
                    held.checked_at_ms = now_ms;
                }
            }
            Step::NoAnswer(change) => {
                self.remember_missed(id);
                self.propose(now_ms, id, change, None, output);
            }
            Step::NextAgent(agent) => {
                self.remember_missed(id);
                self.assign(now_ms, id, agent, output);
            }
        }
    }

    fn remember_missed(&mut self, id: ConversationId) {
        if let Some(held) = self.sessions.get_mut(&id)
            && let Owner::Agent(owner) = held.owner
            && !held.missed.contains(&owner)
        {
            held.missed.push(owner);
        }
    }

    fn around(&self, now_ms: i64, held: &Held) -> Around {
        let grace_ms = self.settings.presence_grace_ms;
        Around {
            owner_present: match held.owner {
                Owner::Nobody => false,
                Owner::Agent(agent) => self.agents.present(now_ms, grace_ms, agent),
                Owner::Other => true,
            },
            attended: self.serves_now(now_ms, held.inbox, held.team),
            instead: self.instead(now_ms, held),
            first_look_until_ms: self
                .first_look_until_ms(held)
                .filter(|until_ms| *until_ms > now_ms),
            bot: self.bot_for(held),
        }
    }

    /// Gives queued sessions to agents with room, the most urgent and longest waiting first.
    fn match_queue(&mut self, now_ms: i64, output: &mut Output) {
        if !self.agents.any_room() {
            return;
        }
        let queued: Vec<ConversationId> = self.queue.in_order().collect();
        for id in queued {
            let Some(held) = self.sessions.get(&id) else { continue };
            if held.in_flight.is_some() || now_ms < held.retry_at_ms {
                continue;
            }
            if let Some(agent) = self.choose(now_ms, held) {
                self.assign(now_ms, id, agent, output);
                if !self.agents.any_room() {
                    return;
                }
            }
        }
    }

    fn assign(&mut self, now_ms: i64, id: ConversationId, agent: UserId, output: &mut Output) {
        let Some(held) = self.sessions.get(&id) else { return };
        let change = held.give_to(agent, self.agents.name(agent));
        self.propose(now_ms, id, change, Some(agent), output);
    }

    fn propose(
        &mut self,
        now_ms: i64,
        id: ConversationId,
        change: Change,
        agent: Option<UserId>,
        output: &mut Output,
    ) {
        let Some(held) = self.sessions.get_mut(&id) else { return };
        let version = held.session().version;
        let until_ms = now_ms + self.settings.in_flight_ms;
        held.in_flight = Some(InFlight { version, until_ms, agent });
        let from_queue = held.queued();
        if let Some(agent) = agent {
            self.agents.reserve(agent, id, now_ms);
        }
        self.set_deadline(id, until_ms);
        let cause = match &change {
            Change::Assigned(_) | Change::Unattended(_) if from_queue => Cause::Rule,
            _ => Cause::Timeout,
        };
        let entry: MessageId = self.ids.next(now_ms);
        let change = store::Change {
            expected_version: version,
            cause: cause.into(),
            // The rules of the account stand above the owner.
            overrides_owner: true,
            entry_id: entry.as_bytes().to_vec().into(),
            change: Some(change),
            ..store::Change::default()
        };
        let proposal = store::Proposal {
            conversation: id.as_bytes().to_vec().into(),
            actor: Some(Actor { kind: ActorKind::System.into(), ..Actor::default() }),
            at_ms: now_ms,
            body: Some(Body::Change(change)),
        };
        output.proposals.push(Proposed { conversation: id, version, proposal });
    }

    fn set_deadline(&mut self, id: ConversationId, deadline_ms: i64) {
        if let Some(held) = self.sessions.get_mut(&id) {
            self.deadlines.remove(&(held.deadline_ms, id));
            held.deadline_ms = deadline_ms;
            self.deadlines.insert((deadline_ms, id));
        }
    }

    fn attended_changes(&mut self, now_ms: i64) -> Vec<(InboxId, bool)> {
        let now: Vec<(InboxId, bool)> =
            self.inboxes.keys().map(|id| (*id, self.is_attended(now_ms, *id))).collect();
        now.into_iter()
            .filter(|(id, attended)| self.attended.insert(*id, *attended) != Some(*attended))
            .collect()
    }

    fn tell_places(&mut self, now_ms: i64) -> Vec<Place> {
        // Many sessions share few queues, so each queue's staff is asked for once.
        let mut known: BTreeMap<(Option<InboxId>, Option<TeamId>), bool> = BTreeMap::new();
        let mut attended: BTreeMap<ConversationId, bool> = BTreeMap::new();
        for id in self.queue.in_order() {
            if let Some(held) = self.sessions.get(&id) {
                let key = (held.inbox, held.team);
                let answer =
                    *known.entry(key).or_insert_with(|| self.serves_now(now_ms, key.0, key.1));
                attended.insert(id, answer);
            }
        }
        let window_ms = self.settings.estimate_window_ms;
        self.queue.tell(now_ms, window_ms, |id| attended.get(&id).copied().unwrap_or(false))
    }
}

/// Greater than every id that is made, for ranges.
const LAST_ID: ConversationId = ConversationId::from_bytes([0xff; 12]);
