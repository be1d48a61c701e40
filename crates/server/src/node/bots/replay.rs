//! The time machine: earlier sessions, as the bot of now and a changed one would have answered them. Nothing is sent or
//! stored.
//!
//! Where rules of intents change, each session is sorted anew first ([`sorted`]). Only where it is the language model or
//! its prompt that changes, the model is asked, and paid for ([`tried`]).

mod sorted;
mod tried;

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use frontdesk_api::{
    engine::{Engine as _, EngineError, ListQuery, ReplayWish, SortedSession, View},
    principal::Principal as Caller,
};
use frontdesk_bot::{
    BotConfig, Flow, Mind,
    replay::{PastSession, PastTurn, Report, SESSIONS_MAX, Sorting, compare},
};
use frontdesk_core::{
    chat::{ActorKind, Entry, entry::Body},
    fold::Conversation,
    id::ConversationId,
    limits::PAGE_ENTRIES_MAX,
};
use frontdesk_protocol::codes;
use frontdesk_storage::HistoryError;

use self::tried::Trial;
use super::session::Input;
use crate::node::{
    SharedHistory,
    engine::{NodeEngine, refused, unavailable},
    intents,
};

/// Entries of a conversation that are looked at, the newest.
const ENTRIES_MAX: usize = 200;

/// Past sessions, the newest first, and by their ids what was read of each to sort it.
type Read = (Vec<PastSession>, HashMap<String, SortedSession>);

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
        let model = self.models.of(account).await.filter(|model| model.features.answers);
        let asks = model.is_some();
        let trial = match (&model, wish.model.is_some() || wish.prompt.is_some()) {
            (Some(model), true) => Some(Trial::of(model, &wish)?),
            (None, true) => return Err(refused(&codes::LLM_OFF)),
            (_, false) => None,
        };
        let changed_flow = match &wish.flow {
            // It was checked a moment ago.
            Some(yaml) => Some(Flow::parse(yaml).map_err(|_| unavailable())?),
            None => None,
        };
        let conversations = self.newest(by, wish.sessions.min(SESSIONS_MAX)).await?;
        let turn = Arc::clone(&self.past_reads).acquire_owned().await.map_err(|_| unavailable())?;
        let history = Arc::clone(&self.history);
        let (wished, sorts) = (wish.sessions, wish.intents.is_some());
        let read = move || read(&history, conversations, wished, sorts).map(|read| (read, turn));
        let read = tokio::task::spawn_blocking(read).await.map_err(|_| unavailable())?;
        let ((mut sessions, said), turn) = read.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot read past sessions");
            unavailable()
        })?;
        if let Some(document) = &wish.intents {
            self.sort_anew(account, document, &mut sessions, &said).await?;
        }
        let (threshold, known) = (wish.threshold, knowledge.clone());
        let replay = move || {
            // It goes on if nobody waits for it any more: its turn ends when it does.
            let _turn = turn;
            let mut flows = setup.flows.clone();
            let config = BotConfig { llm: asks, ..setup.any_config().unwrap_or_default() };
            let before = Mind::new(config.clone(), knowledge.clone(), flows.clone());
            if let Some(flow) = changed_flow {
                flows.push(flow);
            }
            let knowledge = match threshold {
                Some(threshold) => knowledge.map(|known| known.answering_from(threshold)),
                None => knowledge,
            };
            let after = Mind::new(config, knowledge, flows);
            compare(&before, &after, sessions.into_iter())
        };
        let report = tokio::task::spawn_blocking(replay).await;
        let mut report = report.map_err(|_| unavailable())?;
        if let Some(trial) = trial {
            trial.run(known.as_ref(), &mut report).await;
        }
        Ok(report)
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

/// So many sessions of these conversations; where they are to be sorted anew, with what was read of them.
fn read(
    history: &SharedHistory,
    conversations: Vec<ConversationId>,
    wished: usize,
    sorts: bool,
) -> Result<Read, HistoryError> {
    let mut sessions = Vec::new();
    let mut said = HashMap::new();
    for conversation in conversations {
        sessions.extend(past(history, conversation)?);
        if sorts {
            let read = intents::past::sessions(history, conversation, i64::MIN)?;
            said.extend(read.into_iter().map(|session| (session.session.clone(), session)));
        }
        if sessions.len() >= wished {
            break;
        }
    }
    sessions.truncate(wished);
    Ok((sessions, said))
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
    let sorting = Sorting { intent, ..Sorting::default() };
    let mut sessions: Vec<PastSession> = Vec::new();
    for entry in entries.into_iter().filter_map(decoded) {
        let by_visitor =
            entry.actor.as_ref().is_some_and(|actor| actor.kind() == ActorKind::Visitor);
        let Some(Body::Content(content)) = entry.body.filter(|_| by_visitor) else { continue };
        // Of earlier bots' questions nothing is known here: what was picked counts.
        let input = Input::of(&content, content.quote_seq);
        let turn = PastTurn {
            text: input.text,
            choice: Some(input.choice).filter(|choice| !choice.is_empty()),
            form: input.form,
        };
        match sessions.last_mut().filter(|session| session.session == entry.session) {
            Some(session) => session.turns.push(turn),
            None => {
                // What earlier sessions were sorted as is not in the state any more.
                let is_newest = entry.session == newest;
                let known = if is_newest { sorting.clone() } else { Sorting::default() };
                sessions.push(PastSession {
                    conversation: conversation.to_string(),
                    session: entry.session,
                    language: language.clone(),
                    before: known.clone(),
                    after: known,
                    turns: vec![turn],
                });
            }
        }
    }
    sessions.reverse();
    Ok(sessions)
}

fn decoded((_, bytes): (u64, Bytes)) -> Option<Entry> {
    prost::Message::decode(bytes).ok()
}
