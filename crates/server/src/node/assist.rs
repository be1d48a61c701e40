//! What a language model does for whoever answers: sums a conversation up, and says an answer in better words or in
//! another language. Nothing of it is sent.

use frontdesk_api::{
    engine::{AssistKind, AssistWish, Engine as _, EngineError, EntriesPage, PageRange},
    principal::Principal as Caller,
};
use frontdesk_core::{
    chat::{ActorKind, Audience, Entry, content::Kind, entry::Body, timeline_item::Item},
    id::ConversationId,
};
use frontdesk_llm::{Speaker, Targets, Task, Tone, Turn};
use frontdesk_protocol::codes;

use super::engine::{NodeEngine, refused};

/// Entries a summary is made of: the end of a long conversation.
const SUMMED_MAX: usize = 100;

impl NodeEngine {
    /// Asks the account's model for what an agent wants.
    pub(super) async fn help_agent(
        &self,
        by: &Caller,
        conversation: ConversationId,
        wish: AssistWish,
    ) -> Result<String, EngineError> {
        let model = self.models.of(by.account()).await;
        let model = model.filter(|model| model.may(wish.kind));
        let model = model.ok_or_else(|| refused(&codes::LLM_OFF))?;
        let AssistWish { kind, text, language } = wish;
        // What must not be said is not told to a vendor either.
        let text = self.screened(by, text)?;
        let task = match kind {
            AssistKind::Summary => {
                let page =
                    EntriesPage { range: PageRange::Newest, limit: SUMMED_MAX, min_position: None };
                let entries = self.entries(by, conversation, page).await?;
                let transcript = entries.items.iter().filter_map(|item| match &item.item {
                    Some(Item::Entry(entry)) => turn(entry),
                    _ => None,
                });
                Task::Summary { transcript: transcript.collect(), language }
            }
            AssistKind::Rewrite => Task::Rewrite { text, tone: Tone::Friendly, language },
            AssistKind::Translate => Task::Translate { text, to: language },
        };
        match model.answer(conversation, task.prompt()).await {
            Ok(answer) => Ok(answer.clean(&Targets::default())),
            Err(error) => {
                let failed = refused(&codes::LLM_FAILED);
                let EngineError::Refused { code, message, retry_after, .. } = failed else {
                    return Err(failed);
                };
                Err(EngineError::Refused { code, message, detail: error.to_string(), retry_after })
            }
        }
    }
}

/// What somebody said; none where it says nothing a summary could be made of.
pub(super) fn turn(entry: &Entry) -> Option<Turn> {
    let speaker = match entry.actor.as_ref()?.kind() {
        ActorKind::Visitor => Speaker::Visitor,
        ActorKind::Bot => Speaker::Bot,
        ActorKind::Agent | ActorKind::Api => Speaker::Agent,
        ActorKind::System | ActorKind::Unspecified => return None,
    };
    if entry.audience() != Audience::Everyone {
        return None;
    }
    let Some(Body::Content(content)) = &entry.body else { return None };
    let text = match content.kind.as_ref()? {
        Kind::Text(text) => text.body.clone(),
        Kind::Choices(choices) => choices.body.clone(),
        Kind::Form(form) => form.title.clone(),
        Kind::FormReply(reply) => {
            let values = reply.values.iter().map(|of| format!("{}: {}", of.label, of.value));
            values.collect::<Vec<_>>().join(", ")
        }
        Kind::File(file) => file.name.clone(),
        Kind::System(_) => return None,
    };
    Some(Turn { speaker, text })
}
