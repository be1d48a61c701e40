//! What a conversation was about, in a few words for the team: asked of the language model when a session is handed to
//! somebody else, and when it ends, where the account wants that.

use std::{sync::Arc, time::Duration};

use frontdesk_api::engine::{EngineError, PageRange};
use frontdesk_core::{
    chat::{Audience, Content, session_event::Change},
    id::{AccountId, ConversationId},
};
use frontdesk_gateway::chat::port::BotNews;
use frontdesk_llm::{Targets, Task, Turn};
use frontdesk_protocol::wire::client_frame::Frame;
use tokio::time::timeout;

use super::{Shared, deeds, setup};
use crate::node::assist;

/// Entries a summary is made of, the newest.
const SUMMED_MAX: usize = 100;
/// How long it may take: later nobody is looking any more.
const LONGEST: Duration = Duration::from_mins(1);
/// What is shorter is read as fast as its summary.
const TURNS_MIN: usize = 4;

/// Whether something happened after which people want to read what it was about.
pub(super) fn is_due(news: &BotNews) -> bool {
    let due = |change: &Change| matches!(change, Change::Closed(_) | Change::Transferred(_));
    news.events.iter().filter_map(|event| event.change.as_ref()).any(due)
}

/// A session to sum up.
pub(super) struct Due {
    account: AccountId,
    conversation: ConversationId,
    session: String,
    version: u32,
}

impl Due {
    pub(super) fn of(news: &BotNews) -> Self {
        Self {
            account: news.account,
            conversation: news.conversation,
            session: news.session.id.clone(),
            version: news.session.version,
        }
    }

    /// Writes a note for the team; nothing where the account wants none, or the model has nothing to say.
    pub(super) async fn write(self, shared: Arc<Shared>) {
        if let Err(error) = self.try_write(&shared).await {
            tracing::debug!(conversation.id = %self.conversation, %error, "there is no summary");
        }
    }

    async fn try_write(&self, shared: &Shared) -> Result<(), EngineError> {
        let parts = &shared.parts;
        // Of a burst, those are written for which there is room.
        let Some(_place) = shared.summaries.take(self.account) else { return Ok(()) };
        let model = parts.models.of(self.account).await;
        let Some(model) = model.filter(|model| model.features.summary) else { return Ok(()) };
        let tail = parts.engine.tail(self.conversation).await?;
        let range = PageRange::Newest;
        let entries = parts.engine.read(self.conversation, range, SUMMED_MAX, tail).await?;
        let of_session = entries.iter().filter(|entry| entry.session == self.session);
        let transcript: Vec<Turn> = of_session.filter_map(assist::turn).collect();
        if transcript.len() < TURNS_MIN {
            return Ok(());
        }
        let account = parts.engine.catalog.account(self.account).await;
        let language = account.map(|account| account.language).unwrap_or_default();
        let task = Task::Summary { transcript, language: language.clone() };
        let asked = model.answer(self.conversation, task.prompt());
        let Ok(answer) = timeout(LONGEST, asked).await else { return Ok(()) };
        let answer = match answer {
            Ok(answer) if !answer.is_unknown() => answer,
            Ok(_) => return Ok(()),
            Err(error) => {
                let code = error.code();
                tracing::debug!(conversation.id = %self.conversation, code, "there is no summary");
                return Ok(());
            }
        };
        let said = answer.clean(&Targets::default());
        let heading = if language.starts_with("zh") { "小结：" } else { "Summary: " };
        let kind = Some(deeds::text_kind(&format!("{heading}{said}")));
        let content = Content { kind, ..Content::default() };
        // One for each state of a session: a repeat finds it there.
        let id = deeds::client_msg_id(self.conversation, u64::from(self.version), deeds::SUMMARY);
        let send = deeds::send(self.conversation, id, content, Audience::Team);
        let config = parts.bots.of(self.account).and_then(|bot| bot.any_config());
        let by = setup::principal(self.account, &config.unwrap_or_default(), &language);
        parts.engine.frame(by, self.conversation, Frame::Send(send)).await.map(drop)
    }
}
