//! A desk with the world around it: a clock, a log that folds its proposals in order, agents and
//! visitors. The fold here keeps just the session rules the desk relies on.

use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::{
    chat::{CloseReason, Participant, Session, SessionStatus},
    id::{ConversationId, IdSource, InboxId, SessionId, TeamId, UserId},
    store::{change::Change, proposal::Body},
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
    InboxProfile { id: inbox(), routing: Routing::Auto, teams: BTreeSet::new(), open: true }
}

pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) now_ms: i64,
    pub(crate) sessions: BTreeMap<ConversationId, Session>,
    pub(crate) last_owners: BTreeMap<ConversationId, UserId>,
    /// Proposed, not folded yet.
    pub(crate) log: Vec<Proposed>,
    /// Everything ever proposed, by name.
    pub(crate) history: Vec<(ConversationId, String)>,
    /// The newest place each visitor was told.
    pub(crate) places: BTreeMap<ConversationId, (u32, u32, bool)>,
    pub(crate) presence: BTreeMap<UserId, Presence>,
    pub(crate) next_deadline_ms: Option<i64>,
    next_session: u32,
}

impl World {
    pub(crate) fn new() -> Self {
        let ids = IdSource::new([1, 2, 3], 4, 5);
        let mut world = Self {
            desk: Desk::new(DeskSettings::default(), ids),
            now_ms: START_MS,
            sessions: BTreeMap::new(),
            last_owners: BTreeMap::new(),
            log: Vec::new(),
            history: Vec::new(),
            places: BTreeMap::new(),
            presence: BTreeMap::new(),
            next_deadline_ms: None,
            next_session: 0,
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
        let id = proposed.conversation;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let version = proposed.version;
        if session.version == version && apply(session, change(&proposed), self.now_ms) {
            self.tell(id);
        } else {
            self.feed(vec![Input::Refused { conversation: id, version }]);
        }
    }

    /// Gives the desk the conversation as it is.
    pub(crate) fn tell(&mut self, id: ConversationId) {
        let session = self.sessions[&id].clone();
        if session.status() == SessionStatus::Closed
            && let Some(owner) = session.owner.as_ref().and_then(|owner| owner.id.parse().ok())
        {
            self.last_owners.insert(id, owner);
        }
        let last_owner = self.last_owners.get(&id).copied();
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
        let id = conversation(number);
        let now_ms = self.now_ms;
        let open = self.sessions.get_mut(&id).filter(|s| s.status() != SessionStatus::Closed);
        if let Some(session) = open {
            session.last_visitor_at_ms = now_ms;
            session.warned_idle = false;
            if session.waiting_since_ms == 0 {
                session.waiting_since_ms = now_ms;
            }
            if session.status() == SessionStatus::Pending {
                let back = frontdesk_core::chat::Pended::default();
                assert!(apply(session, Change::Pended(back), now_ms), "pending ends at any time");
            }
        } else {
            self.next_session += 1;
            let mut source = IdSource::new([9, 9, 9], 1, self.next_session);
            let session = Session {
                id: source.next::<SessionId>(now_ms).to_string(),
                number: self.sessions.get(&id).map_or(0, |session| session.number) + 1,
                version: self.sessions.get(&id).map_or(0, |session| session.version) + 2,
                status: SessionStatus::Queued.into(),
                inbox: inbox().to_string(),
                team: to.map(|team| team.to_string()).unwrap_or_default(),
                opened_at_ms: now_ms,
                queued_at_ms: now_ms,
                waiting_since_ms: now_ms,
                last_visitor_at_ms: now_ms,
                ..Session::default()
            };
            self.sessions.insert(id, session);
        }
        self.tell(id);
    }

    pub(crate) fn owner_writes(&mut self, number: u8) {
        let id = conversation(number);
        let now_ms = self.now_ms;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.status() != SessionStatus::Assigned {
            return;
        }
        session.last_agent_at_ms = now_ms;
        session.warned_idle = false;
        if session.waiting_since_ms > 0 {
            session.waiting_since_ms = 0;
            if session.first_answer_at_ms == 0 {
                session.first_answer_at_ms = now_ms;
            }
            session.version += 1;
        }
        self.tell(id);
    }

    /// A change by a person, folded at once.
    pub(crate) fn change(&mut self, number: u8, change: Change) {
        let id = conversation(number);
        let now_ms = self.now_ms;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.status() == SessionStatus::Closed {
            return;
        }
        assert!(apply(session, change, now_ms), "a person's change is well chosen here");
        self.tell(id);
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

/// The session rules of the fold, as far as the desk relies on them; false where it refuses.
fn apply(session: &mut Session, change: Change, now_ms: i64) -> bool {
    let waits = session.waiting_since_ms > 0;
    match change {
        Change::Queued(queued) => {
            session.set_status(SessionStatus::Queued);
            session.owner = None;
            session.queued_at_ms = now_ms;
            session.team = queued.team;
            if !waits {
                session.waiting_since_ms = queued.waiting_since_ms;
            }
        }
        Change::Assigned(assigned) => {
            session.set_status(SessionStatus::Assigned);
            session.owner = assigned.owner;
            session.assigned_at_ms = now_ms;
            session.unattended = false;
        }
        Change::Closed(closed) => {
            if closed.reason() == CloseReason::Idle && waits {
                return false;
            }
            assert!(
                closed.reason() != CloseReason::Idle || session.warned_idle,
                "closed by itself without a warning"
            );
            session.set_status(SessionStatus::Closed);
            session.closed_at_ms = now_ms;
            session.waiting_since_ms = 0;
        }
        Change::IdleWarned(_) if waits => return false,
        Change::IdleWarned(_) => session.warned_idle = true,
        Change::Unattended(unattended) => {
            assert!(unattended.deadline_ms > now_ms);
            session.unattended = true;
            session.unattended_until_ms = unattended.deadline_ms;
        }
        Change::PrioritySet(priority) => session.priority = priority.priority,
        Change::Pended(pended) => {
            session.set_status(if pended.until_ms > 0 {
                SessionStatus::Pending
            } else {
                SessionStatus::Assigned
            });
            session.pending_until_ms = pended.until_ms;
        }
        other => panic!("not used here: {other:?}"),
    }
    session.version += 1;
    true
}

pub(crate) fn assigned_to(number: u8) -> Change {
    Change::Assigned(frontdesk_core::chat::Assigned {
        owner: Some(Participant {
            kind: frontdesk_core::chat::ParticipantKind::Agent.into(),
            id: agent(number).to_string(),
            name: String::new(),
        }),
        ..Default::default()
    })
}
