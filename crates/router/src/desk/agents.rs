//! Who is there and how busy: agents, their chosen and effective presence, their loads.

use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::{
    chat::SessionStatus,
    id::{ConversationId, TeamId, UserId},
};
use frontdesk_protocol::wire::Presence;

use super::session::Held;

/// What is configured about an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentProfile {
    /// The user.
    pub id: UserId,
    /// The name visitors see.
    pub name: String,
    /// The teams whose queues the agent serves.
    pub teams: BTreeSet<TeamId>,
    /// What the agent can do, in the account's own words.
    pub skills: BTreeSet<String>,
    /// How many sessions the agent gets by routing; taking more by hand is free.
    pub capacity: u32,
    /// A disabled user gets nothing and counts as offline.
    pub enabled: bool,
}

#[derive(Debug)]
pub(super) struct Agent {
    pub(super) profile: AgentProfile,
    chosen: Presence,
    connected: bool,
    /// When the last connection was lost; for agents not seen yet, when they were first known to own a
    /// session, and 0 before.
    lost_at_ms: i64,
    announced: Presence,
    /// Orders equally busy agents: the longest without a new session comes first.
    last_assigned_ms: i64,
}

#[derive(Debug, Default)]
pub(super) struct Agents {
    known: BTreeMap<UserId, Agent>,
    /// Sessions by owner, also of owners without a profile.
    owned: BTreeMap<UserId, Owned>,
    /// Sessions proposed for an agent and not answered yet.
    reserved: BTreeMap<UserId, BTreeSet<ConversationId>>,
}

/// The sessions of one owner.
#[derive(Debug, Default)]
struct Owned {
    /// Whether each counts as load: one that is set aside does not.
    sessions: BTreeMap<ConversationId, bool>,
    /// How many do: asked for at every choice, for every agent.
    active: u32,
}

impl Owned {
    fn insert(&mut self, conversation: ConversationId, counts: bool) {
        self.remove(conversation);
        self.sessions.insert(conversation, counts);
        self.active += u32::from(counts);
    }

    fn remove(&mut self, conversation: ConversationId) {
        let counted = self.sessions.remove(&conversation).unwrap_or(false);
        self.active -= u32::from(counted);
    }
}

impl Agent {
    fn effective(&self, now_ms: i64, grace_ms: i64) -> Presence {
        let present = self.connected || now_ms < self.lost_at_ms + grace_ms;
        if self.profile.enabled && present { self.chosen } else { Presence::Offline }
    }
}

impl Agents {
    pub(super) fn upsert(&mut self, now_ms: i64, profile: AgentProfile) {
        match self.known.get_mut(&profile.id) {
            Some(agent) => agent.profile = profile,
            None => {
                // After a start, whoever owns sessions is given the time to come back; anybody else
                // who is not connected is not there.
                let owns = self.owned.contains_key(&profile.id);
                let agent = Agent {
                    chosen: Presence::Offline,
                    connected: false,
                    lost_at_ms: if owns { now_ms } else { 0 },
                    announced: Presence::Offline,
                    last_assigned_ms: 0,
                    profile,
                };
                self.known.insert(agent.profile.id, agent);
            }
        }
    }

    pub(super) fn remove(&mut self, id: UserId) {
        self.known.remove(&id);
    }

    pub(super) fn choose(&mut self, id: UserId, presence: Presence) {
        if let Some(agent) = self.known.get_mut(&id) {
            agent.chosen =
                if presence == Presence::Unspecified { Presence::Offline } else { presence };
        }
    }

    pub(super) fn connection(&mut self, now_ms: i64, id: UserId, connected: bool) {
        if let Some(agent) = self.known.get_mut(&id) {
            if agent.connected && !connected {
                agent.lost_at_ms = now_ms;
            }
            agent.connected = connected;
        }
    }

    pub(super) fn get(&self, id: UserId) -> Option<&Agent> {
        self.known.get(&id)
    }

    pub(super) fn name(&self, id: UserId) -> &str {
        self.known.get(&id).map_or("", |agent| agent.profile.name.as_str())
    }

    /// Whether the agent counts as there: online or away.
    pub(super) fn present(&self, now_ms: i64, grace_ms: i64, id: UserId) -> bool {
        self.known
            .get(&id)
            .is_some_and(|agent| agent.effective(now_ms, grace_ms) != Presence::Offline)
    }

    /// Agents who are online, with or without room for more.
    pub(super) fn online(&self, now_ms: i64, grace_ms: i64) -> impl Iterator<Item = &Agent> {
        self.known
            .values()
            .filter(move |agent| agent.effective(now_ms, grace_ms) == Presence::Online)
    }

    /// Whether routing may give the agent one more session now. Nobody gets one in the grace time.
    pub(super) fn has_room(&self, agent: &Agent) -> bool {
        agent.profile.enabled
            && agent.connected
            && agent.chosen == Presence::Online
            && self.load(agent.profile.id) < agent.profile.capacity
    }

    pub(super) fn any_room(&self) -> bool {
        self.known.values().any(|agent| self.has_room(agent))
    }

    /// Least busy first: the smallest share of the capacity, then the longest without a new session.
    pub(super) fn least_busy<'a>(
        &self,
        candidates: impl Iterator<Item = &'a Agent>,
    ) -> Option<UserId> {
        candidates
            .map(|agent| (agent, u64::from(self.load(agent.profile.id))))
            .min_by(|(a, a_load), (b, b_load)| {
                let a_share = a_load * u64::from(b.profile.capacity);
                let b_share = b_load * u64::from(a.profile.capacity);
                (a_share, a.last_assigned_ms, a.profile.id).cmp(&(
                    b_share,
                    b.last_assigned_ms,
                    b.profile.id,
                ))
            })
            .map(|(agent, _)| agent.profile.id)
    }

    pub(super) fn load(&self, id: UserId) -> u32 {
        let owned = self.owned.get(&id);
        let active = owned.map_or(0, |owned| owned.active);
        let reserved = self.reserved.get(&id).map_or(0, |reserved| {
            let known =
                |c: &&ConversationId| owned.is_some_and(|owned| owned.sessions.contains_key(*c));
            reserved.iter().filter(|c| !known(c)).count()
        });
        active + reserved as u32
    }

    /// The sessions of one owner.
    pub(super) fn owned(&self, id: UserId) -> impl Iterator<Item = ConversationId> + '_ {
        self.owned.get(&id).into_iter().flat_map(|owned| owned.sessions.keys()).copied()
    }

    pub(super) fn own(&mut self, now_ms: i64, id: UserId, session: &Held) {
        // A desk that has moved here may hear late who owns what.
        if let Some(agent) = self.known.get_mut(&id).filter(|agent| agent.lost_at_ms == 0) {
            agent.lost_at_ms = now_ms;
        }
        let counts = session.session().status() == SessionStatus::Assigned;
        self.owned.entry(id).or_default().insert(session.id(), counts);
        self.assigned(id, session.session().assigned_at_ms);
    }

    pub(super) fn disown(&mut self, id: UserId, conversation: ConversationId) {
        if let Some(owned) = self.owned.get_mut(&id) {
            owned.remove(conversation);
            if owned.sessions.is_empty() {
                self.owned.remove(&id);
            }
        }
    }

    pub(super) fn reserve(&mut self, id: UserId, conversation: ConversationId, now_ms: i64) {
        self.reserved.entry(id).or_default().insert(conversation);
        self.assigned(id, now_ms);
    }

    pub(super) fn release(&mut self, id: UserId, conversation: ConversationId) {
        if let Some(reserved) = self.reserved.get_mut(&id) {
            reserved.remove(&conversation);
            if reserved.is_empty() {
                self.reserved.remove(&id);
            }
        }
    }

    fn assigned(&mut self, id: UserId, at_ms: i64) {
        if let Some(agent) = self.known.get_mut(&id) {
            agent.last_assigned_ms = agent.last_assigned_ms.max(at_ms);
        }
    }

    /// Returns whose presence is another than announced, and remembers it as announced.
    pub(super) fn changes(&mut self, now_ms: i64, grace_ms: i64) -> Vec<(UserId, Presence)> {
        let mut changes = Vec::new();
        for (id, agent) in &mut self.known {
            let effective = agent.effective(now_ms, grace_ms);
            if effective != agent.announced {
                agent.announced = effective;
                changes.push((*id, effective));
            }
        }
        changes
    }

    /// When the next grace time ends.
    pub(super) fn next_deadline(&self, grace_ms: i64) -> Option<i64> {
        self.known
            .values()
            .filter(|agent| !agent.connected && agent.announced != Presence::Offline)
            .map(|agent| agent.lost_at_ms + grace_ms)
            .min()
    }
}
