//! The time machine: earlier sessions, as the bot of now and a changed one would have answered them. Nothing is sent or
//! stored. Only where it is the prompt that changes, the language model is asked, and paid for: a few questions, with
//! both prompts.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use frontdesk_api::{
    engine::{Engine as _, EngineError, ListQuery, ReplayWish, View},
    principal::Principal as Caller,
};
use frontdesk_bot::{
    BotConfig, Flow, Mind,
    replay::{PastSession, PastTurn, Report, SESSIONS_MAX, compare},
};
use frontdesk_core::{
    chat::{ActorKind, Entry, entry::Body},
    fold::Conversation,
    id::ConversationId,
    limits::PAGE_ENTRIES_MAX,
};
use frontdesk_knowledge::Knowledge;
use frontdesk_llm::{Passage, Targets, Task};
use frontdesk_storage::HistoryError;

use super::session::Input;
use crate::node::{
    SharedHistory,
    engine::{NodeEngine, unavailable},
    models::Model,
};

/// What a row is called that a language model answers.
const LLM: &str = "llm";
/// Questions the language model is asked to try a prompt: each twice.
const ASKED_MAX: usize = 10;
/// Passages it gets.
const PASSAGES_MAX: usize = 3;
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
        let model = self.models.of(account).await.filter(|model| model.features.answers);
        let asks = model.is_some();
        let known = knowledge.clone();
        let changed_flow = match &wish.flow {
            // It was checked a moment ago.
            Some(yaml) => Some(Flow::parse(yaml).map_err(|_| unavailable())?),
            None => None,
        };
        let conversations = self.newest(by, wish.sessions.min(SESSIONS_MAX)).await?;
        let turn = Arc::clone(&self.past_reads).acquire_owned().await.map_err(|_| unavailable())?;
        let history = Arc::clone(&self.history);
        let (wished, threshold) = (wish.sessions, wish.threshold);
        let replay = move || {
            let _turn = turn;
            let mut sessions = Vec::new();
            for conversation in conversations {
                sessions.extend(past(&history, conversation)?);
                if sessions.len() >= wished {
                    break;
                }
            }
            sessions.truncate(wished);
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
            Ok::<_, HistoryError>(compare(&before, &after, sessions.into_iter()))
        };
        let report = tokio::task::spawn_blocking(replay).await.map_err(|_| unavailable())?;
        let mut report = report.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot read past sessions");
            unavailable()
        })?;
        if let (Some(model), Some(prompt)) = (model, &wish.prompt) {
            try_prompt(&model, known.as_ref(), prompt, &mut report).await;
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

/// Answers what the language model would be asked, with the prompt of now and another one.
async fn try_prompt(model: &Model, known: Option<&Knowledge>, prompt: &str, report: &mut Report) {
    let asked =
        report.rows.iter_mut().filter(|row| row.before.kind == LLM && row.after.kind == LLM);
    for row in asked.take(ASKED_MAX) {
        let found = known.map(|known| known.find(&row.question, "", PASSAGES_MAX));
        let passages = found.unwrap_or_default().into_iter().map(|found| Passage {
            title: found.title,
            path: String::new(),
            text: found.passage,
        });
        let passages: Vec<Passage> = passages.collect();
        let task = |house_rules: &str| Task::Answer {
            question: row.question.clone(),
            passages: passages.clone(),
            history: Vec::new(),
            language: String::new(),
            house_rules: house_rules.to_owned(),
        };
        for (shown, house_rules) in
            [(&mut row.before, model.prompt.as_str()), (&mut row.after, prompt)]
        {
            match model.try_out(task(house_rules).prompt()).await {
                Ok(answer) => shown.text = answer.clean(&Targets::of_passages(&passages)),
                Err(error) => shown.text = error.to_string(),
            }
        }
        row.changed = row.before != row.after;
    }
    report.rows.sort_by_key(|row| !row.changed);
    let changed: HashSet<&str> =
        report.rows.iter().filter(|row| row.changed).map(|row| row.session.as_str()).collect();
    report.changed = changed.len();
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
        // Of earlier bots' questions nothing is known here: what was picked counts.
        let input = Input::of(&content, content.quote_seq);
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
