//! A desk with the world around it: a clock, a log whose proposals the real fold takes in order,
//! agents and visitors.

use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::{
    chat::{
        self, Actor, ActorKind, CloseReason, Content, Participant, ParticipantKind, Session,
        SessionStatus, content,
    },
    fold::{Conversation, Verdict, fold},
    id::{ConversationId, IdSource, InboxId, MessageId, SessionId, TeamId, UserId},
    store::{self, change::Change, proposal::Body},
};
use frontdesk_protocol::wire::Presence;
use frontdesk_router::desk::{
    AgentProfile, Desk, DeskSettings, InboxProfile, Input, Output, Proposed, Routing, Summary,
};

pub(crate) const START_MS: i64 = 1_790_000_000_000;

pub(crate) fn agent(number: u8) -> UserId {
    UserId::from_bytes([number; 12])
}

pub(crate) fn conversation(number: u8) -> ConversationId {
    ConversationId::from_bytes([number; 12])
}

pub(crate) fn inbox() -> InboxId {
    InboxId::from_bytes([200; 12])
}

pub(crate) fn team(number: u8) -> TeamId {
    TeamId::from_bytes([number; 12])
}

pub(crate) fn profile(number: u8, capacity: u32) -> AgentProfile {
    AgentProfile {
        id: agent(number),
        name: format!("agent {number}"),
        teams: BTreeSet::new(),
        skills: BTreeSet::new(),
        capacity,
        enabled: true,
    }
}

pub(crate) fn open_inbox() -> InboxProfile {
    InboxProfile {
        id: inbox(),
        routing: Routing::Auto,
        teams: BTreeSet::new(),
        open: true,
        intent_wait_ms: 0,
        bot: None,
    }
}

fn visitor(number: u8) -> Actor {
    let id = format!("visitor {number}");
    Actor { kind: ActorKind::Visitor.into(), id, name: String::new() }
}

pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) now_ms: i64,
    states: BTreeMap<ConversationId, Option<Conversation>>,
    /// The newest session of each conversation.
    pub(crate) sessions: BTreeMap<ConversationId, Session>,
    /// Proposed, not folded yet.
    pub(crate) log: Vec<Proposed>,
    /// Everything ever proposed, by name.
    pub(crate) history: Vec<(ConversationId, String)>,
    /// The newest place each visitor was told.
    pub(crate) places: BTreeMap<ConversationId, (u32, u32, bool)>,
    pub(crate) presence: BTreeMap<UserId, Presence>,
    pub(crate) next_deadline_ms: Option<i64>,
    ids: IdSource,
}

impl World {
    pub(crate) fn new() -> Self {
        let ids = IdSource::new([1, 2, 3], 4, 5);
        let mut world = Self {
            desk: Desk::new(DeskSettings::default(), ids),
            now_ms: START_MS,
            states: BTreeMap::new(),
            sessions: BTreeMap::new(),
            log: Vec::new(),
            history: Vec::new(),
            places: BTreeMap::new(),
            presence: BTreeMap::new(),
            next_deadline_ms: None,
            ids: IdSource::new([9, 9, 9], 1, 0),
        };
        world.feed(vec![Input::Inbox(open_inbox())]);
        world
    }

    /// Agents 1 to n, online and connected, with this capacity.
    pub(crate) fn with_agents(count: u8, capacity: u32) -> Self {
        let mut world = Self::new();
        for number in 1..=count {
            world.come_online(profile(number, capacity));
        }
        world
    }

    pub(crate) fn come_online(&mut self, profile: AgentProfile) {
        let id = profile.id;
        self.feed(vec![
            Input::Agent(profile),
            Input::Presence(id, Presence::Online),
            Input::Connected(id, true),
        ]);
    }

    pub(crate) fn feed(&mut self, inputs: Vec<Input>) {
        let output = self.desk.apply(self.now_ms, inputs);
        self.take(output);
    }

    fn take(&mut self, output: Output) {
        for proposed in output.proposals {
            let busy = self.log.iter().any(|other| {
                other.conversation == proposed.conversation && other.version == proposed.version
            });
            assert!(!busy, "two proposals in flight for one version: {proposed:?}");
            self.history.push((proposed.conversation, name(&change(&proposed))));
            self.log.push(proposed);
        }
        for place in output.places {
            let line = (place.place, place.wait_ms, place.attended);
            self.places.insert(place.conversation, line);
        }
        self.presence.extend(output.presence);
        self.next_deadline_ms = output.next_deadline_ms;
    }

    /// Folds what is in the log until the desk has nothing more to say.
    pub(crate) fn fold(&mut self) {
        while !self.log.is_empty() {
            self.fold_one();
        }
    }

    pub(crate) fn fold_one(&mut self) {
        if self.log.is_empty() {
            return;
        }
        let proposed = self.log.remove(0);
        let conversation = proposed.conversation;
        if !self.append(conversation, proposed.proposal) {
            let version = proposed.version;
            self.feed(vec![Input::Refused { conversation, version }]);
        }
    }

    /// Folds one proposal and tells the desk; false if it changed nothing.
    fn append(&mut self, id: ConversationId, proposal: store::Proposal) -> bool {
        let by_itself = matches!(
            &proposal.body,
            Some(Body::Change(store::Change { change: Some(Change::Closed(closed)), .. }))
                if closed.reason() == CloseReason::Idle
        );
        let warned = self.sessions.get(&id).is_some_and(|session| session.warned_idle);
        let state = self.states.entry(id).or_default();
        let folded = fold(id, state, proposal, None);
        if !matches!(folded.verdict, Verdict::Accepted { .. } | Verdict::Done) {
            return false;
        }
        assert!(!by_itself || warned, "closed by itself without a warning");
        if let Some(session) = state.as_ref().and_then(Conversation::session) {
            self.sessions.insert(id, session.clone());
            self.tell(id);
        }
        true
    }

    /// Gives the desk the conversation as it is.
    pub(crate) fn tell(&mut self, id: ConversationId) {
        let session = self.sessions[&id].clone();
        let last_owner = self.states[&id]
            .as_ref()
            .and_then(|state| state.state().last_owner.as_ref())
            .and_then(|owner| owner.id.parse().ok());
        let skills = BTreeSet::new();
        let summary = Summary { conversation: id, session, last_owner, skills };
        self.feed(vec![Input::Conversation(Box::new(summary))]);
    }

    /// Lets time pass, calling the desk at every deadline on the way, folding at once.
    pub(crate) fn pass(&mut self, ms: i64) {
        let until_ms = self.now_ms + ms;
        self.fold();
        while let Some(deadline_ms) = self.next_deadline_ms.filter(|at_ms| *at_ms <= until_ms) {
            self.now_ms = deadline_ms.max(self.now_ms);
            self.feed(Vec::new());
            self.fold();
            assert!(
                self.next_deadline_ms.is_none_or(|at_ms| at_ms > self.now_ms),
                "a deadline that has come must move"
            );
        }
        self.now_ms = until_ms;
    }

    pub(crate) fn visitor_writes(&mut self, number: u8) {
        self.visitor_writes_to(number, None);
    }

    pub(crate) fn visitor_writes_to(&mut self, number: u8, to: Option<TeamId>) {
        self.send(number, visitor(number), to);
    }

    /// The owner answers, if there is one.
    pub(crate) fn owner_writes(&mut self, number: u8) {
        let owner = self.sessions.get(&conversation(number)).and_then(|s| s.owner.clone());
        if let Some(owner) = owner {
            let kind = ActorKind::Agent.into();
            self.send(number, Actor { kind, id: owner.id, name: owner.name }, None);
        }
    }

    fn send(&mut self, number: u8, by: Actor, to: Option<TeamId>) {
        let text = content::Kind::Text(chat::Text { body: "hello".to_owned() });
        let origin = store::Origin {
            inbox: inbox().to_string(),
            visitor: by.id.clone(),
            ..store::Origin::default()
        };
        let id: MessageId = self.ids.next(self.now_ms);
        let session: SessionId = self.ids.next(self.now_ms);
        let send = store::Send {
            id: id.as_bytes().to_vec().into(),
            content: Some(Content { kind: Some(text), quote_seq: 0, ..Default::default() }),
            origin: Some(Box::new(origin)),
            new_session: session.as_bytes().to_vec().into(),
            new_session_team: to.map(|team| team.to_string()).unwrap_or_default(),
            ..store::Send::default()
        };
        self.propose(number, by, Body::Send(send));
    }

    pub(crate) fn visitor_asks_for_a_person(&mut self, number: u8) {
        self.change_by(number, visitor(number), Change::Queued(chat::Queued::default()));
    }

    /// A change by a person, folded at once; nothing where the session does not allow it.
    pub(crate) fn change(&mut self, number: u8, change: Change) {
        let by =
            Actor { kind: ActorKind::Agent.into(), id: "lead".to_owned(), name: String::new() };
        self.change_by(number, by, change);
    }

    fn change_by(&mut self, number: u8, by: Actor, change: Change) {
        let id: MessageId = self.ids.next(self.now_ms);
        let body = store::Change {
            entry_id: id.as_bytes().to_vec().into(),
            cause: chat::Cause::Manual.into(),
            overrides_owner: true,
            change: Some(change),
            ..store::Change::default()
        };
        self.propose(number, by, Body::Change(body));
    }

    fn propose(&mut self, number: u8, by: Actor, body: Body) {
        let id = conversation(number);
        let proposal = store::Proposal {
            conversation: id.as_bytes().to_vec().into(),
            actor: Some(by),
            at_ms: self.now_ms,
            body: Some(body),
        };
        self.append(id, proposal);
    }

    pub(crate) fn session(&self, number: u8) -> &Session {
        &self.sessions[&conversation(number)]
    }

    pub(crate) fn owner(&self, number: u8) -> Option<UserId> {
        let session = self.session(number);
        (session.status() == SessionStatus::Assigned)
            .then(|| session.owner.as_ref().and_then(|owner| owner.id.parse().ok()))
            .flatten()
    }

    pub(crate) fn names(&self, number: u8) -> Vec<&str> {
        let id = conversation(number);
        self.history.iter().filter(|(of, _)| *of == id).map(|(_, name)| name.as_str()).collect()
    }
}

pub(crate) fn change(proposed: &Proposed) -> Change {
    match &proposed.proposal.body {
        Some(Body::Change(change)) => {
            assert_eq!(change.expected_version, proposed.version);
            assert_eq!(change.entry_id.len(), 12);
            change.change.clone().expect("a change says what changes")
        }
        other => panic!("the desk proposes changes only: {other:?}"),
    }
}

fn name(change: &Change) -> String {
    let text = format!("{change:?}");
    text.split('(').next().unwrap_or_default().to_owned()
}

/// An agent takes it, from the queue or from whoever has it.
pub(crate) fn assigned_to(number: u8) -> Change {
    Change::Assigned(chat::Assigned {
        owner: Some(Participant {
            kind: ParticipantKind::Agent.into(),
            id: agent(number).to_string(),
            name: String::new(),
        }),
        take_over: true,
        ..chat::Assigned::default()
    })
}

/// An agent closes it.
pub(crate) fn closed() -> Change {
    Change::Closed(chat::Closed { reason: CloseReason::Agent.into() })
}
