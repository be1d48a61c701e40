//! The choice of agent: who serves a queue, who of them may get a session, and who gets it.

use frontdesk_core::{
    chat::{IntentSource, Participant, SessionStatus},
    id::{InboxId, TeamId, UserId},
    limits::BOT_WAIT_MS,
};

use super::{
    Bot, Desk, Routing,
    agents::Agent,
    session::{Held, Instead, Owner},
};

impl Desk {
    /// Chooses the agent for a queued session, if one has room.
    pub(super) fn choose(&self, now_ms: i64, held: &Held) -> Option<UserId> {
        if !self.is_auto(held.inbox) || !self.is_open(held.inbox) {
            return None;
        }
        if self.first_look_until_ms(held).is_some_and(|until_ms| now_ms < until_ms) {
            return None;
        }
        // A returning visitor goes to the agent who knows the story, unless the session is another team's.
        // That is known when the wait for the intent is over, so this comes after it.
        let may_have = |agent: &Agent| {
            let serves = held.team.is_none_or(|team| agent.profile.teams.contains(&team));
            serves && self.agents.has_room(agent)
        };
        if let Some(last) = held.summary.last_owner
            && !held.missed.contains(&last)
            && self.agents.get(last).is_some_and(may_have)
        {
            return Some(last);
        }
        let mut candidates: Vec<&Agent> = self.candidates(now_ms, held).collect();
        // Those who did not answer before come last: only when there is nobody else.
        if candidates.iter().any(|agent| !held.missed.contains(&agent.profile.id)) {
            candidates.retain(|agent| !held.missed.contains(&agent.profile.id));
        }
        let wished = &held.summary.skills;
        let skilled = |agent: &&Agent| wished.is_subset(&agent.profile.skills);
        let wish_holds = held.wish_until_ms(now_ms, &self.settings).is_some();
        if wish_holds && candidates.iter().any(skilled) {
            candidates.retain(skilled);
        }
        self.agents.least_busy(candidates.into_iter().filter(|agent| self.agents.has_room(agent)))
    }

    /// Until when a new session waits: for its intent, which may lead it to another queue, and for the bot of this
    /// server, which may take it.
    pub(super) fn first_look_until_ms(&self, held: &Held) -> Option<i64> {
        let session = held.session();
        let inbox = self.inboxes.get(&held.inbox?)?;
        if !held.is_new() {
            return None;
        }
        // "None" by a person is an answer, too: no other comes after it.
        let is_unknown =
            session.intent.is_empty() && session.intent_source() != IntentSource::Person;
        let intent_ms = if is_unknown { inbox.intent_wait_ms } else { 0 };
        let waits_for_bot = inbox.bot == Some(Bot::BuiltIn) && held.is_for_bots();
        let bot_ms = if waits_for_bot { BOT_WAIT_MS } else { 0 };
        let wait_ms = intent_ms.max(bot_ms);
        (wait_ms > 0).then_some(session.opened_at_ms + wait_ms)
    }

    /// The bot that a new session goes to now.
    pub(super) fn bot_for(&self, held: &Held) -> Option<Participant> {
        match &self.inboxes.get(&held.inbox?)?.bot {
            Some(Bot::Own(bot)) if held.is_for_bots() && self.bots.contains(&bot.id) => {
                Some(bot.clone())
            }
            _ => None,
        }
    }

    /// Everybody online who serves the session's queue.
    fn candidates(&self, now_ms: i64, held: &Held) -> impl Iterator<Item = &Agent> {
        self.serving(now_ms, held.inbox, held.team)
    }

    fn serving(
        &self,
        now_ms: i64,
        inbox: Option<InboxId>,
        team: Option<TeamId>,
    ) -> impl Iterator<Item = &Agent> {
        let teams = inbox.and_then(|inbox| self.inboxes.get(&inbox)).map(|inbox| &inbox.teams);
        self.agents.online(now_ms, self.settings.presence_grace_ms).filter(move |agent| {
            match (team, teams) {
                (Some(team), _) => agent.profile.teams.contains(&team),
                (None, Some(teams)) if !teams.is_empty() => {
                    !teams.is_disjoint(&agent.profile.teams)
                }
                (None, _) => true,
            }
        })
    }

    pub(super) fn serves_now(
        &self,
        now_ms: i64,
        inbox: Option<InboxId>,
        team: Option<TeamId>,
    ) -> bool {
        self.is_open(inbox) && self.serving(now_ms, inbox, team).next().is_some()
    }

    /// Sessions of an inbox that was deleted are still served.
    fn is_open(&self, inbox: Option<InboxId>) -> bool {
        inbox.and_then(|inbox| self.inboxes.get(&inbox)).is_none_or(|inbox| inbox.open)
    }

    fn is_auto(&self, inbox: Option<InboxId>) -> bool {
        inbox
            .and_then(|inbox| self.inboxes.get(&inbox))
            .is_none_or(|inbox| inbox.routing == Routing::Auto)
    }

    /// Who could answer instead of an owner who does not; nobody is looked for before that is due.
    pub(super) fn instead(&self, now_ms: i64, held: &Held) -> Instead {
        let waits = held.session().status() == SessionStatus::Assigned
            && held.session().waiting_since_ms > 0
            && held.answer_due_ms(&self.settings) <= now_ms;
        if !waits || !self.is_open(held.inbox) {
            return Instead::Nobody;
        }
        let others: Vec<&Agent> = self
            .candidates(now_ms, held)
            .filter(|agent| Owner::Agent(agent.profile.id) != held.owner)
            .filter(|agent| !held.missed.contains(&agent.profile.id))
            .collect();
        if others.is_empty() {
            return Instead::Nobody;
        }
        if !self.is_auto(held.inbox) {
            return Instead::Queue;
        }
        let free = others.into_iter().filter(|agent| self.agents.has_room(agent));
        self.agents.least_busy(free).map_or(Instead::Queue, Instead::Agent)
    }
}
