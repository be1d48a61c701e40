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
        ActorKind, Audience, Entry, IntentSource, SessionEvent, content::Kind, entry::Body,
        session_event::Change,
    },
    fold::Conversation,
    id::ConversationId,
};
use frontdesk_dispatcher::projections::PageCursor;
use frontdesk_gateway::chat::port::HEARD_BYTES_MAX;
use frontdesk_intent::gather::MESSAGES_MAX;
use frontdesk_protocol::codes;
use frontdesk_storage::HistoryError;

use crate::node::{
    SharedHistory,
    engine::{NodeEngine, refused, unavailable},
    past::EVENTS_MAX,
};

/// Entries of a conversation that are in memory at once.
const ENTRIES_AT_ONCE: usize = 100;
/// So many times that are looked at, the newest.
const PAGES_MAX: usize = 10;
/// Requests that read at a time.
pub(crate) const READS_MAX: usize = 2;

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
        // Lists are by when anything last happened, which may be later than what was last said.
        let goes_on = |next: &String| {
            let cursor = next.parse::<PageCursor>();
            cursor.is_ok_and(|cursor| cursor.last_at_ms >= query.since_ms)
        };
        let next = match (view, list.next.filter(goes_on)) {
            (View::Open, Some(next)) => Some(format!("open.{next}")),
            (View::Open, None) => Some("closed.".to_owned()),
            (_, next) => next.map(|next| format!("closed.{next}")),
        };
        let rows = list.rows.iter();
        let conversations: Vec<ConversationId> =
            rows.filter_map(|row| row.conversation.parse().ok()).collect();
        let history = Arc::clone(&self.history);
        let since_ms = query.since_ms;
        // It goes on if nobody waits for it any more: its turn ends when it does.
        let turn = Arc::clone(&self.past_reads).acquire_owned().await.map_err(|_| unavailable())?;
        let read = move || {
            let _turn = turn;
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
pub(in crate::node) fn sessions(
    history: &SharedHistory,
    conversation: ConversationId,
    since_ms: i64,
) -> Result<Vec<SortedSession>, HistoryError> {
    let Some(state) = history.state(&conversation)? else { return Ok(Vec::new()) };
    let Ok(state) = Conversation::decode(&state) else { return Ok(Vec::new()) };
    let (mut from_ms, mut said) = (since_ms, Vec::new());
    let mut before = None;
    for page in 1.. {
        let entries = history.page(&conversation, before, ENTRIES_AT_ONCE)?;
        let Some((first, _)) = entries.first() else { break };
        before = Some(*first);
        let entries: Vec<Entry> = decoded(entries);
        let first_ms = entries.first().map_or(i64::MIN, |first| first.at_ms);
        said.splice(0..0, entries.iter().filter_map(Said::of));
        if before == Some(1) || first_ms < since_ms {
            break;
        }
        if page == PAGES_MAX {
            // What began before it is not whole.
            from_ms = from_ms.max(first_ms.saturating_add(1));
            break;
        }
    }
    let after = state.state().session_events.saturating_sub(EVENTS_MAX);
    let limit = usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX);
    let events: Vec<SessionEvent> = decoded(history.events(&conversation, after, limit)?);
    Ok(told(conversation, &said, &events, from_ms))
}

fn decoded<T: prost::Message + Default>(stored: Vec<(u64, Bytes)>) -> Vec<T> {
    stored.into_iter().filter_map(|(_, bytes)| T::decode(bytes).ok()).collect()
}

/// What matters of an entry.
struct Said {
    session: String,
    at_ms: i64,
    /// The beginning of what a visitor wrote; none of what somebody of the team answered.
    text: Option<String>,
}

impl Said {
    /// None of what is neither.
    fn of(entry: &Entry) -> Option<Self> {
        let actor = entry.actor.as_ref()?.kind();
        let text = match (actor, &entry.body) {
            _ if entry.audience() != Audience::Everyone => return None,
            (ActorKind::Agent, _) => None,
            (ActorKind::Visitor, Some(Body::Content(content))) => {
                let Some(Kind::Text(text)) = &content.kind else { return None };
                let end = text.body.floor_char_boundary(HEARD_BYTES_MAX);
                Some(text.body[..end].to_owned())
            }
            _ => return None,
        };
        Some(Self { session: entry.session.clone(), at_ms: entry.at_ms, text })
    }
}

/// Puts together what entries and events say of each session that began at `from_ms` or later.
fn told(
    conversation: ConversationId,
    said: &[Said],
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
    for one in said {
        let Some(place) = places.get(one.session.as_str()).copied() else { continue };
        let messages = &mut sessions[place].messages;
        match &one.text {
            None => answered[place] = true,
            Some(text) if !answered[place] && messages.len() < MESSAGES_MAX => {
                messages.push(SortedMessage { at_ms: one.at_ms, text: text.clone() });
            }
            Some(_) => {}
        }
    }
    sessions.retain(|session| !session.messages.is_empty());
    sessions
}

#[cfg(test)]
mod tests {
    use frontdesk_core::chat::{Actor, Content, IntentSet, Opened, Text};

    use super::*;

    fn event(session: &str, at_ms: i64, change: Change) -> SessionEvent {
        let (session, inbox) = (session.to_owned(), "shop".to_owned());
        SessionEvent { session, inbox, at_ms, change: Some(change), ..SessionEvent::default() }
    }

    fn set(intent: &str, source: IntentSource) -> Change {
        let source = source.into();
        Change::IntentSet(IntentSet { intent: intent.into(), source, ..IntentSet::default() })
    }

    fn said(session: &str, at_ms: i64, by: ActorKind, body: &str) -> Said {
        let text = Kind::Text(Text { body: body.to_owned() });
        let entry = Entry {
            session: session.to_owned(),
            at_ms,
            actor: Some(Actor { kind: by.into(), ..Actor::default() }),
            audience: Audience::Everyone.into(),
            body: Some(Body::Content(Content { kind: Some(text), ..Content::default() })),
            ..Entry::default()
        };
        Said::of(&entry).expect("it matters")
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
