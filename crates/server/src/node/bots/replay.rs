//! The time machine: earlier sessions, as the bot of now and a changed one would have answered them. Nothing is sent,
//! stored, or asked of a language model.

use std::sync::Arc;

use bytes::Bytes;
use frontdesk_api::{
    engine::{Engine as _, EngineError, ListQuery, ReplayWish, View},
    principal::Principal as Caller,
};
use frontdesk_bot::{
    Flow, Mind,
    replay::{PastSession, PastTurn, Report, SESSIONS_MAX, compare},
};
use frontdesk_core::{
    chat::{ActorKind, Entry, entry::Body},
    fold::Conversation,
    id::ConversationId,
    limits::PAGE_ENTRIES_MAX,
};
use frontdesk_storage::HistoryError;

use super::session::Input;
use crate::node::{
    SharedHistory,
    engine::{NodeEngine, unavailable},
};

/// Entries of a conversation that are looked at, the newest.
const ENTRIES_MAX: usize = 200;

impl NodeEngine {
    /// Replays the newest sessions whose conversations the caller may read.
    pub(crate) async fn replay_bot(
        &self,
        by: &Caller,
        wish: ReplayWish,
    ) -> Result<Report, EngineError> {
        let account = by.account();
        let setup = self.bots.of(account).unwrap_or_default();
        let knowledge = self.knowledge.get(account).await.ok().map(|base| base.knowledge.clone());
        let changed_flow = match &wish.flow {
            // It was checked a moment ago.
            Some(yaml) => Some(Flow::parse(yaml).map_err(|_| unavailable())?),
            None => None,
        };
        let conversations = self.newest(by, wish.sessions.min(SESSIONS_MAX)).await?;
        let turn = Arc::clone(&self.past_reads).acquire_owned().await.map_err(|_| unavailable())?;
        let history = Arc::clone(&self.history);
        let replay = move || {
            let _turn = turn;
            let mut sessions = Vec::new();
            for conversation in conversations {
                sessions.extend(past(&history, conversation)?);
                if sessions.len() >= wish.sessions {
                    break;
                }
            }
            sessions.truncate(wish.sessions);
            let mut flows = setup.flows.clone();
            let config = setup.any_config().unwrap_or_default();
            let before = Mind::new(config.clone(), knowledge.clone(), flows.clone());
            if let Some(flow) = changed_flow {
                flows.push(flow);
            }
            let knowledge = match wish.threshold {
                Some(threshold) => knowledge.map(|known| known.answering_from(threshold)),
                None => knowledge,
            };
            let after = Mind::new(config, knowledge, flows);
            Ok::<_, HistoryError>(compare(&before, &after, sessions.into_iter()))
        };
        let report = tokio::task::spawn_blocking(replay).await.map_err(|_| unavailable())?;
        report.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot read past sessions");
            unavailable()
        })
    }

    /// The conversations somebody wrote in last, open ones first.
    async fn newest(&self, by: &Caller, limit: usize) -> Result<Vec<ConversationId>, EngineError> {
        let mut found: Vec<ConversationId> = Vec::new();
        for view in [View::Open, View::Closed] {
            let mut cursor = None;
            while found.len() < limit {
                let limit = (limit - found.len()).min(PAGE_ENTRIES_MAX);
                let list = self.list(by, ListQuery { view, cursor, limit }).await?;
                let ids = list.rows.iter().map(|row| row.conversation.parse::<ConversationId>());
                found.extend(ids.filter_map(Result::ok));
                cursor = list.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// The sessions of one conversation as far as they are looked at, the newest first. What cannot be decoded is passed
/// over: it is reported where conversations are opened.
fn past(
    history: &SharedHistory,
    conversation: ConversationId,
) -> Result<Vec<PastSession>, HistoryError> {
    let Some(state) = history.state(&conversation)? else { return Ok(Vec::new()) };
    let Ok(state) = Conversation::decode(&state) else { return Ok(Vec::new()) };
    let language = state.origin().map(|origin| origin.language.clone()).unwrap_or_default();
    let entries = history.page(&conversation, None, ENTRIES_MAX)?;
    let newest = state.session().map(|session| session.id.clone()).unwrap_or_default();
    let intent = state.session().map(|session| session.intent.clone());
    let intent = intent.filter(|intent| !intent.is_empty());
    let mut sessions: Vec<PastSession> = Vec::new();
    for entry in entries.into_iter().filter_map(decoded) {
        let by_visitor =
            entry.actor.as_ref().is_some_and(|actor| actor.kind() == ActorKind::Visitor);
        let Some(Body::Content(content)) = entry.body.filter(|_| by_visitor) else { continue };
        let input = Input::of(&content);
        let turn = PastTurn {
            text: input.text,
            choice: Some(input.choice).filter(|choice| !choice.is_empty()),
            form: input.form,
        };
        match sessions.last_mut().filter(|session| session.session == entry.session) {
            Some(session) => session.turns.push(turn),
            None => sessions.push(PastSession {
                conversation: conversation.to_string(),
                // What earlier sessions were sorted as is not in the state any more.
                intent: intent.clone().filter(|_| entry.session == newest),
                session: entry.session,
                language: language.clone(),
                turns: vec![turn],
            }),
        }
    }
    sessions.reverse();
    Ok(sessions)
}

fn decoded((_, bytes): (u64, Bytes)) -> Option<Entry> {
    prost::Message::decode(bytes).ok()
}
