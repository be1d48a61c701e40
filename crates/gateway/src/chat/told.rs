//! What the desk, the gate and whoever finds out what visitors want are told of a loop's work: some in each turn, so
//! that none takes long.

use std::collections::HashMap;

use frontdesk_core::{
    chat::{
        ActorKind, Audience, Entry, ParticipantKind, SessionEvent, SessionStatus, content::Kind,
        entry::Body,
    },
    id::{AccountId, ConversationId},
    partition_of,
};
use frontdesk_dispatcher::{DispatchError, EncodedState};

use super::{
    Chat, frames,
    port::{BotMode, BotNews, BotTold, DeskInput, HEARD_BYTES_MAX, HEARD_MAX, Heard, Strand},
};
use crate::peer::State;

/// How long new messages alone may wait before lists of people who take no part hear of them, ms.
const SUMMARIES_EVERY_MS: i64 = 1_000;
/// Summaries handed to the desk in one turn: a fraction of a millisecond for the loop, and for the desk.
const SUMMARIES_PER_TURN: usize = 64;
/// Sessions whose messages are counted; beyond it counting begins anew.
const HEARD_SESSIONS_MAX: usize = 1 << 12;

/// What the bot of this server has to be told.
#[derive(Debug, Default)]
pub(super) struct ToBot {
    told: BotTold,
    /// How far the log of each partition was folded when it was taken, where partitions come and go.
    since: HashMap<u16, u64>,
    /// How often there was no room for news.
    lost: u64,
}

impl ToBot {
    /// The loop has taken a partition whose log is folded so far.
    pub(super) fn took(&mut self, partition: u16, folded: u64) {
        self.since.insert(partition, folded);
        self.told.taken.push((partition, self.strand(partition)));
    }

    fn strand(&self, partition: u16) -> Strand {
        let since = self.since.get(&partition).copied().unwrap_or_default();
        Strand { since, lost: self.lost }
    }
}

impl Chat {
    /// Hands the desk what changed, newest states only, some in each turn; what it cannot take now
    /// waits. Returns whether more can go in a turn that follows at once.
    pub(super) fn tell_desk(&mut self, now_ms: i64) -> bool {
        while let Some(input) = self.to_desk.pop_front() {
            if let Err(error) = self.ports.desk.try_send(input) {
                self.to_desk.push_front(error.into_inner());
                return false;
            }
        }
        let mut round = !self.telling.is_empty();
        if !round {
            let folded = self.dispatchers.folded();
            // Whoever lists follow a change of a session gets the messages up to it as well.
            let due = !self.urgent.is_empty()
                || now_ms.saturating_sub(self.told_desk_ms) >= SUMMARIES_EVERY_MS;
            if due && (!self.changed.is_empty() || folded != self.told_offset) {
                self.telling.extend(self.changed.drain());
                self.telling_offset = folded;
                self.told_desk_ms = now_ms;
                round = true;
            }
        }
        if !round && self.urgent.is_empty() {
            return false;
        }
        let Ok(permit) = self.ports.desk.try_reserve() else { return false };
        // With a log for each partition the desk may be on another node, and nobody trims by what it knows.
        let single = self.dispatchers.single();
        let (mut summaries, mut states) = (Vec::new(), Vec::new());
        for _ in 0..SUMMARIES_PER_TURN {
            let Some(conversation) = self.urgent.pop().or_else(|| self.telling.pop()) else {
                break;
            };
            // It may have left memory while the desk had no room: then it is read again.
            let told = if single.is_some() {
                self.dispatchers.summary(conversation, now_ms).map(|one| summaries.extend(one))
            } else {
                self.dispatchers.encoded(conversation, now_ms).map(|one| states.extend(one))
            };
            match told {
                Ok(()) => {}
                // Its partition is owned elsewhere by now, and told from there.
                Err(DispatchError::Elsewhere { .. }) => {}
                Err(error) => {
                    frames::unreadable(conversation, &error);
                    self.unread.push(conversation);
                }
            }
        }
        let told = round && self.telling.is_empty() && self.urgent.is_empty();
        let all = told && self.unread.is_empty();
        if all {
            self.told_offset = self.telling_offset;
        }
        let complete = single.filter(|_| all).map(|(log, _)| (log, self.telling_offset));
        if told {
            // Those are told in the next round, and till then the lists are not complete.
            self.changed.extend(self.unread.drain(..));
        }
        permit.send(if single.is_some() {
            DeskInput::Summaries { summaries, complete }
        } else {
            let encoded = |(account, state): (AccountId, EncodedState)| {
                let EncodedState { conversation, state, log, offset } = state;
                (account, State { conversation, state, log, offset })
            };
            DeskInput::States(states.into_iter().map(encoded).collect())
        });
        !self.telling.is_empty() || !self.urgent.is_empty()
    }

    /// Notes what a visitor wrote, as long as nobody of the team has answered.
    pub(super) fn hear(&mut self, conversation: ConversationId, entries: &[Entry]) {
        if self.ports.heard.is_none() {
            return;
        }
        for entry in entries {
            let by_visitor =
                entry.actor.as_ref().is_some_and(|actor| actor.kind() == ActorKind::Visitor);
            let Some(Body::Content(content)) = &entry.body else { continue };
            let Some(Kind::Text(text)) = &content.kind else { continue };
            if !by_visitor || entry.audience() != Audience::Everyone {
                continue;
            }
            let Some(state) = self.dispatchers.state_in_memory(conversation) else { return };
            let (Some(account), Some(session)) = (state.account(), state.session()) else { return };
            if session.first_answer_at_ms > 0 {
                return;
            }
            if self.heard_of.len() >= HEARD_SESSIONS_MAX {
                self.heard_of.clear();
            }
            let (of, count) = self.heard_of.entry(conversation).or_default();
            if *of != session.number {
                (*of, *count) = (session.number, 0);
            }
            if *count >= HEARD_MAX {
                return;
            }
            *count += 1;
            let end = text.body.floor_char_boundary(HEARD_BYTES_MAX);
            let heard = Heard {
                account,
                conversation,
                inbox: session.inbox.clone(),
                session: session.number,
                intent: session.intent.clone(),
                text: text.body[..end].into(),
            };
            self.heard.push(heard);
        }
    }

    /// Notes what the bot of this server has to know of a conversation of its inboxes.
    pub(super) fn tell_bot_of(
        &mut self,
        conversation: ConversationId,
        entries: &[Entry],
        events: &[SessionEvent],
    ) {
        let Some(port) = &self.ports.bot else { return };
        let Some(state) = self.dispatchers.state_in_memory(conversation) else { return };
        let (Some(account), Some(session)) = (state.account(), state.session()) else { return };
        let Some(mode) = port.inboxes.mode(&session.inbox) else { return };
        let is_bots =
            session.owner.as_ref().is_some_and(|owner| owner.kind() == ParticipantKind::Bot);
        let is_new = session.status() == SessionStatus::Queued
            && session.assigned_at_ms == 0
            && !session.asked_for_person;
        // It may wait in a queue with the visitor, to take down an address.
        let stays = session.owner.is_none()
            && session.participants.iter().any(|other| other.kind() == ParticipantKind::Bot);
        let answers = is_bots || is_new || stays;
        let said = |entry: &Entry| {
            let by_visitor =
                entry.actor.as_ref().is_some_and(|actor| actor.kind() == ActorKind::Visitor);
            match &entry.body {
                Some(Body::Content(content)) if by_visitor => Some((entry.seq, content.clone())),
                _ => None,
            }
        };
        let listens = match mode {
            BotMode::Answers => answers,
            BotMode::Suggests => true,
            BotMode::SumsUp => false,
        };
        let said: Vec<_> =
            if listens { entries.iter().filter_map(said).collect() } else { Vec::new() };
        if said.is_empty() && events.is_empty() {
            return;
        }
        let partition = partition_of(&conversation, self.loops.owners().partitions());
        self.to_bot.told.news.push(BotNews {
            account,
            conversation,
            visitor: state.origin().map(|origin| origin.visitor.clone()).unwrap_or_default(),
            language: state.origin().map(|origin| origin.language.clone()).unwrap_or_default(),
            session: session.clone(),
            said,
            events: events.to_vec(),
            strand: self.to_bot.strand(partition),
        });
    }

    /// Passes on what the bot has to know. What there is no room for it does not answer: the desk gives the session
    /// to people. Which partitions were taken is told with the next turn then.
    pub(super) fn tell_bot(&mut self) {
        let ToBot { told, lost, .. } = &mut self.to_bot;
        if told.taken.is_empty() && told.news.is_empty() {
            return;
        }
        let told_now = std::mem::take(told);
        let Some(port) = &self.ports.bot else { return };
        if let Err(refused) = port.told.try_send(told_now) {
            tracing::debug!("the bot has more to do than it can");
            let BotTold { taken, news } = refused.into_inner();
            *lost += u64::from(!news.is_empty());
            told.taken = taken;
        }
    }

    /// Passes on what was heard. What there is no room for is not looked at: its session stays in the inbox's queue.
    pub(super) fn tell_heard(&mut self) {
        if self.heard.is_empty() {
            return;
        }
        let heard = std::mem::take(&mut self.heard);
        if let Some(port) = &self.ports.heard
            && port.try_send(heard).is_err()
        {
            tracing::debug!("nobody has time to find out what visitors want");
        }
    }

    /// Passes on where rules found something. What there is no room for is told nowhere: the message itself was
    /// masked or refused all the same.
    pub(super) fn tell_hits(&mut self) {
        if self.hits.is_empty() {
            return;
        }
        if self.ports.hits.try_send(std::mem::take(&mut self.hits)).is_err() {
            tracing::debug!("there are more hits of rules than can be kept");
        }
    }

    /// Hands the gate what it had no room for; what it cannot take now waits.
    pub(super) fn tell_gate(&mut self) {
        while let Some(request) = self.to_gate.pop_front() {
            if let Err(error) = self.ports.gate.try_send(request) {
                self.to_gate.push_front(error.into_inner());
                return;
            }
        }
    }
}
