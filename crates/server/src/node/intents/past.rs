//! Earlier sessions as a router would have met them: what was read of each, what was decided, and what a person said.
//!
//! They come from the history alone, which every node can read and which is a moment behind; nothing of it is on a
//! message's way.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use frontdesk_api::{
    engine::{
        Engine as _, EngineError, ListQuery, SortedMessage, SortedPage, SortedQuery, SortedSession,
        View,
    },
    principal::Principal as Caller,
};
use frontdesk_core::{
    chat::{
        Actor, ActorKind, Audience, Entry, IntentSource, SessionEvent, content::Kind, entry::Body,
        session_event::Change,
    },
    id::ConversationId,
};
use frontdesk_intent::gather::MESSAGES_MAX;
use frontdesk_protocol::codes;
use frontdesk_storage::HistoryError;

use crate::node::{
    SharedHistory,
    engine::{NodeEngine, refused, unavailable},
    past::EVENTS_MAX,
};

/// Newest entries of a conversation that are looked at.
const ENTRIES_MAX: usize = 1_000;
/// Of a message the beginning is shown, as much as the router reads.
const MESSAGE_BYTES_MAX: usize = frontdesk_gateway::chat::port::HEARD_BYTES_MAX;

impl NodeEngine {
    /// One page: the sessions of so many conversations, open ones first, of each list the one that was written in
    /// last first.
    pub(crate) async fn past_intents(
        &self,
        by: &Caller,
        query: SortedQuery,
    ) -> Result<SortedPage, EngineError> {
        let (view, cursor) = match query.cursor.as_deref().map(|cursor| cursor.split_once('.')) {
            None => (View::Open, None),
            Some(Some(("open", rest))) => (View::Open, Some(rest)),
            Some(Some(("closed", rest))) => (View::Closed, Some(rest)),
            Some(_) => return Err(refused(&codes::CURSOR_INVALID)),
        };
        let cursor = cursor.filter(|cursor| !cursor.is_empty()).map(str::to_owned);
        let list = self.list(by, ListQuery { view, cursor, limit: query.limit }).await?;
        let in_time = |at: &frontdesk_protocol::wire::Row| {
            at.last.as_ref().is_some_and(|last| last.at_ms >= query.since_ms)
        };
        let is_all = list.rows.len() == list.rows.iter().take_while(|row| in_time(row)).count();
        let next = match (view, list.next.filter(|_| is_all)) {
            (View::Open, Some(next)) => Some(format!("open.{next}")),
            (View::Open, None) => Some("closed.".to_owned()),
            (_, next) => next.map(|next| format!("closed.{next}")),
        };
        let of_time = list.rows.iter().filter(|row| in_time(row));
        let conversations: Vec<ConversationId> =
            of_time.filter_map(|row| row.conversation.parse().ok()).collect();
        let history = Arc::clone(&self.history);
        let since_ms = query.since_ms;
        let read = move || {
            let mut found = Vec::new();
            for conversation in conversations {
                found.extend(sessions(&history, conversation, since_ms)?);
            }
            Ok::<_, HistoryError>(found)
        };
        let found = tokio::task::spawn_blocking(read).await.map_err(|_| unavailable())?;
        let mut sessions = found.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot read past sessions");
            unavailable()
        })?;
        sessions.retain(|session| !query.corrected || session.source == "person");
        Ok(SortedPage { sessions, next })
    }
}

/// The sessions of one conversation that began in time, oldest first. What cannot be decoded is passed over: it is
/// reported where conversations are opened.
fn sessions(
    history: &SharedHistory,
    conversation: ConversationId,
    since_ms: i64,
) -> Result<Vec<SortedSession>, HistoryError> {
    let entries = history.page(&conversation, None, ENTRIES_MAX)?;
    let whole = entries.first().is_some_and(|(seq, _)| *seq == 1);
    let entries: Vec<Entry> = decoded(entries);
    let from_ms = match entries.first() {
        Some(first) if !whole => since_ms.max(first.at_ms + 1),
        _ => since_ms,
    };
    let limit = usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX);
    let events: Vec<SessionEvent> = decoded(history.events(&conversation, 0, limit)?);
    Ok(told(conversation, &entries, &events, from_ms))
}

fn decoded<T: prost::Message + Default>(stored: Vec<(u64, Bytes)>) -> Vec<T> {
    stored.into_iter().filter_map(|(_, bytes)| T::decode(bytes).ok()).collect()
}

/// Puts together what entries and events say of each session that began at `from_ms` or later.
fn told(
    conversation: ConversationId,
    entries: &[Entry],
    events: &[SessionEvent],
    from_ms: i64,
) -> Vec<SortedSession> {
    let mut sessions: Vec<SortedSession> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for event in events {
        if let Some(Change::Opened(_)) = &event.change
            && event.at_ms >= from_ms
        {
            places.insert(&event.session, sessions.len());
            sessions.push(SortedSession {
                conversation: conversation.to_string(),
                session: event.session.clone(),
                inbox: event.inbox.clone(),
                at_ms: event.at_ms,
                ..SortedSession::default()
            });
        }
        let Some(place) = places.get(event.session.as_str()) else { continue };
        if let Some(Change::IntentSet(set)) = &event.change {
            let session = &mut sessions[*place];
            let source = match set.source() {
                IntentSource::Person => "person",
                IntentSource::Rule => "rule",
                IntentSource::Model | IntentSource::Unspecified => "model",
            };
            if source != "person" {
                session.found.clone_from(&set.intent);
            }
            if source == "person" || session.source != "person" {
                session.intent.clone_from(&set.intent);
                source.clone_into(&mut session.source);
            }
        }
    }
    // An answer ends what is read of a session.
    let mut answered: Vec<bool> = vec![false; sessions.len()];
    for entry in entries {
        let Some(place) = places.get(entry.session.as_str()).copied() else { continue };
        let Some(actor) = entry.actor.as_ref().map(Actor::kind) else { continue };
        let is_open = entry.audience() == Audience::Everyone;
        if actor == ActorKind::Agent && is_open {
            answered[place] = true;
        }
        let messages = &mut sessions[place].messages;
        if actor != ActorKind::Visitor || answered[place] || messages.len() >= MESSAGES_MAX {
            continue;
        }
        let Some(Body::Content(content)) = &entry.body else { continue };
        let Some(Kind::Text(text)) = &content.kind else { continue };
        let end = text.body.floor_char_boundary(MESSAGE_BYTES_MAX);
        messages.push(SortedMessage { at_ms: entry.at_ms, text: text.body[..end].to_owned() });
    }
    sessions.retain(|session| !session.messages.is_empty());
    sessions
}

#[cfg(test)]
mod tests {
    use frontdesk_core::chat::{Content, IntentSet, Opened, Text};

    use super::*;

    fn event(session: &str, at_ms: i64, change: Change) -> SessionEvent {
        let (session, inbox) = (session.to_owned(), "shop".to_owned());
        SessionEvent { session, inbox, at_ms, change: Some(change), ..SessionEvent::default() }
    }

    fn set(intent: &str, source: IntentSource) -> Change {
        let source = source.into();
        Change::IntentSet(IntentSet { intent: intent.into(), source, ..IntentSet::default() })
    }

    fn said(session: &str, at_ms: i64, by: ActorKind, body: &str) -> Entry {
        let text = Kind::Text(Text { body: body.to_owned() });
        Entry {
            session: session.to_owned(),
            at_ms,
            actor: Some(Actor { kind: by.into(), ..Actor::default() }),
            audience: Audience::Everyone.into(),
            body: Some(Body::Content(Content { kind: Some(text), ..Content::default() })),
            ..Entry::default()
        }
    }

    #[test]
    fn a_session_is_told_with_what_was_read_of_it_and_who_decided() {
        let conversation = ConversationId::from_bytes([7; 12]);
        let events = [
            event("a", 10, Change::Opened(Opened {})),
            event("a", 30, set("sales", IntentSource::Model)),
            event("a", 90, set("complaint", IntentSource::Person)),
            event("b", 200, Change::Opened(Opened {})),
            event("b", 210, set("human", IntentSource::Rule)),
        ];
        let entries = [
            said("a", 10, ActorKind::Visitor, "hi"),
            said("a", 20, ActorKind::Visitor, "it broke"),
            said("a", 40, ActorKind::Agent, "sorry to hear"),
            said("a", 50, ActorKind::Visitor, "thanks"),
            said("b", 200, ActorKind::Visitor, "human please"),
        ];
        let all = told(conversation, &entries, &events, 0);
        let [a, b] = all.as_slice() else { panic!("two sessions: {all:?}") };
        let texts: Vec<&str> = a.messages.iter().map(|message| message.text.as_str()).collect();
        assert_eq!(texts, ["hi", "it broke"], "what came after the answer is not read");
        assert_eq!((a.intent.as_str(), a.source.as_str()), ("complaint", "person"));
        assert_eq!((a.found.as_str(), a.inbox.as_str(), a.at_ms), ("sales", "shop", 10));
        assert_eq!(
            (b.intent.as_str(), b.source.as_str(), b.found.as_str()),
            ("human", "rule", "human")
        );
        let late = told(conversation, &entries, &events, 100);
        assert_eq!(late.len(), 1, "sessions of before are left out");
    }
}
