//! One conversation as whoever asks may read it. The history holds what was written, a moment behind; the loop that
//! serves the conversation knows the rest, its tail, and every read joins both.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use frontdesk_api::{
    engine::{ConversationView, EngineError, Entries, EntriesPage, PageRange, PastSession},
    principal::Principal as Caller,
};
use frontdesk_core::{
    chat,
    fold::{self, Conversation},
    id::ConversationId,
    limits::MIN_POSITION_WAIT_MS,
    rights::Right,
};
use frontdesk_dispatcher::{Summary, Tail};
use frontdesk_gateway::chat::port::Command;
use frontdesk_router::access::{self, Subject};
use prost::Message as _;
use tokio::time::{sleep, timeout};

use super::{
    NodeEngine,
    errors::{failed, unavailable, unread},
};
use crate::node::{desk::DeskQuery, past, principals, rows};

/// How long a read waits for the position it asks for (I4).
const POSITION_WAIT: Duration = Duration::from_millis(MIN_POSITION_WAIT_MS);
/// How often it looks.
const POSITION_LOOK: Duration = Duration::from_millis(20);

impl NodeEngine {
    /// One page of a timeline.
    pub(super) async fn read_entries(
        &self,
        by: &Caller,
        conversation: ConversationId,
        page: EntriesPage,
    ) -> Result<Entries, EngineError> {
        let reached = async {
            loop {
                let (state, tail) = self.readable(by, conversation).await?;
                let there = page
                    .min_position
                    .is_none_or(|(epoch, seq)| epoch == self.epoch && seq <= state.last_seq());
                if there {
                    return Ok((state, tail));
                }
                sleep(POSITION_LOOK).await;
            }
        };
        let (state, tail) =
            timeout(POSITION_WAIT, reached).await.map_err(|_| EngineError::NotYet)??;
        let last_seq = state.last_seq();
        let entries = self.read(conversation, page.range, page.limit, tail).await?;
        let more = match (page.range, entries.first(), entries.last()) {
            (PageRange::After(_), _, Some(last)) => last.seq < last_seq,
            (_, Some(first), _) => first.seq > 1,
            _ => false,
        };
        let visitor = matches!(by, Caller::Visitor(_));
        let items = fold::for_reader(entries.into_iter(), !visitor, visitor);
        Ok(Entries { items, epoch: self.epoch, last_seq, more })
    }

    /// The conversation with its newest session.
    pub(super) async fn read_conversation(
        &self,
        by: &Caller,
        conversation: ConversationId,
    ) -> Result<ConversationView, EngineError> {
        let (state, tail) = self.readable(by, conversation).await?;
        let online =
            self.ask_desk(|reply| DeskQuery::VisitorOnline { conversation, reply }).await?;
        let visits = matches!(by, Caller::Visitor(_));
        let mut contact = None;
        let mut sessions = Vec::new();
        if !visits {
            sessions = self.past_sessions(conversation, &state, tail).await?;
            if by.rights().contains(Right::VisitorRead)
                && let Some(Ok(visitor)) = state.origin().map(|origin| origin.visitor.parse())
            {
                contact = Some(self.contact_of(by, by.account(), visitor).await?);
            }
        }
        let mut summary = Summary::of(conversation, &state, 0, 0);
        if visits {
            // Visitors see names of people and no ids, here as in the timeline.
            summary.session = summary.session.as_ref().map(fold::session_for_visitor);
            let actors = summary.cursors.iter_mut().filter_map(|cursor| cursor.actor.as_mut());
            actors.for_each(fold::hide_from_visitor);
            let shown = fold::for_reader(summary.last.take().into_iter(), false, true);
            summary.last = shown.into_iter().find_map(|item| match item.item {
                Some(chat::timeline_item::Item::Entry(entry)) => Some(entry),
                _ => None,
            });
        }
        let beside = rows::Beside {
            visitor_name: contact.as_ref().map(|contact| contact.name.clone()).unwrap_or_default(),
            visitor_online: online,
        };
        let row = rows::row(&summary, &by.id(), beside, self.epoch);
        let for_staff = |text: String| if visits { String::new() } else { text };
        Ok(ConversationView {
            row,
            inbox: summary.origin.inbox,
            page_url: for_staff(summary.origin.page_url),
            referrer: for_staff(summary.origin.referrer),
            user_agent: for_staff(summary.origin.user_agent),
            contact,
            sessions,
            cursors: summary.cursors,
            created_at_ms: summary.created_at_ms,
        })
    }

    /// What only the loop knows yet.
    pub(in crate::node) async fn tail(
        &self,
        conversation: ConversationId,
    ) -> Result<Tail, EngineError> {
        self.ask_loop(&conversation, |reply| Command::Tail { conversation, reply })
            .await?
            .map_err(|_| unavailable())
    }

    /// The state as it is now.
    pub(in crate::node) async fn readable_state(
        &self,
        conversation: ConversationId,
    ) -> Result<(Conversation, Tail), EngineError> {
        let tail = self.tail(conversation).await?;
        let Some(state) = &tail.state else { return Err(EngineError::UnknownConversation) };
        let state = Conversation::decode(state).map_err(|error| failed(conversation, &error))?;
        Ok((state, tail))
    }

    /// The state as it is now; unknown to whoever may not read it.
    pub(in crate::node) async fn readable(
        &self,
        by: &Caller,
        conversation: ConversationId,
    ) -> Result<(Conversation, Tail), EngineError> {
        let (state, tail) = self.readable_state(conversation).await?;
        let may = match by {
            Caller::Visitor(visitor) => visitor.conversation == conversation,
            staff => {
                let account = state.account();
                account.is_some_and(|account| {
                    let subject = Subject { conversation, account, session: state.session() };
                    access::may_read(&principals::of(staff), &subject)
                })
            }
        };
        if may { Ok((state, tail)) } else { Err(EngineError::UnknownConversation) }
    }

    /// Entries of a range, from the history and the loop's tail.
    pub(in crate::node) async fn read(
        &self,
        conversation: ConversationId,
        range: PageRange,
        limit: usize,
        tail: Tail,
    ) -> Result<Vec<chat::Entry>, EngineError> {
        let history = Arc::clone(&self.history);
        let stored = tokio::task::spawn_blocking(move || match range {
            PageRange::Newest => history.page(&conversation, None, limit),
            PageRange::Before(seq) => history.page(&conversation, Some(seq), limit),
            PageRange::After(seq) => history.since(&conversation, seq, limit),
        })
        .await
        .map_err(|_| unavailable())?
        .map_err(|error| unread(conversation, &error))?;
        let mut entries: BTreeMap<u64, Bytes> = stored.into_iter().collect();
        entries.extend(tail.entries);
        for (seq, tombstone) in tail.replaced {
            entries.entry(seq).and_modify(|entry| *entry = tombstone);
        }
        let wanted: Vec<Bytes> = match range {
            PageRange::After(seq) => {
                entries.range(seq + 1..).take(limit).map(|(_, entry)| entry.clone()).collect()
            }
            PageRange::Newest | PageRange::Before(_) => {
                let before = if let PageRange::Before(seq) = range { seq } else { u64::MAX };
                let mut newest: Vec<Bytes> = entries
                    .range(..before)
                    .rev()
                    .take(limit)
                    .map(|(_, entry)| entry.clone())
                    .collect();
                newest.reverse();
                newest
            }
        };
        wanted
            .into_iter()
            .map(|bytes| chat::Entry::decode(bytes).map_err(|error| failed(conversation, &error)))
            .collect()
    }

    /// The sessions that are over, from the history and the loop's tail.
    async fn past_sessions(
        &self,
        conversation: ConversationId,
        state: &Conversation,
        tail: Tail,
    ) -> Result<Vec<PastSession>, EngineError> {
        let after = state.state().session_events.saturating_sub(past::EVENTS_MAX);
        let history = Arc::clone(&self.history);
        let limit = usize::try_from(past::EVENTS_MAX).unwrap_or(usize::MAX);
        let stored =
            tokio::task::spawn_blocking(move || history.events(&conversation, after, limit))
                .await
                .map_err(|_| unavailable())?
                .map_err(|error| unread(conversation, &error))?;
        let mut events: BTreeMap<u64, Bytes> = stored.into_iter().collect();
        events.extend(tail.events);
        let events = events
            .into_values()
            .map(|bytes| {
                chat::SessionEvent::decode(bytes).map_err(|error| failed(conversation, &error))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(past::sessions(&events, state.session().map_or(0, |session| session.number)))
    }
}
