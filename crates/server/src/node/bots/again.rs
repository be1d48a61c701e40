//! A session that the bot had before this process, or before this task: what was said in it is heard again, which
//! leads to the same state, since the mind is pure.

use frontdesk_bot::{LlmAnswer, Mind, State};
use frontdesk_core::chat::{ActorKind, Audience, Content, Entry, content::Kind, entry::Body};

use super::session::{Around, Input, kind_of, moment};

/// What is known of a session after it was heard again.
pub(super) struct Heard {
    pub(super) state: State,
    /// The visitor's newest message among it.
    pub(super) visitor_seq: u64,
    /// The bot's newest question with buttons or fields.
    pub(super) asked_seq: u64,
    /// Answers the bot gave.
    pub(super) answered: u64,
}

/// Hears the entries of one session again, oldest first.
pub(super) fn hear(
    mind: &Mind,
    entries: &[Entry],
    language: &str,
    intent: &str,
    around: Around,
) -> Heard {
    let mut heard = Heard { state: State::default(), visitor_seq: 0, asked_seq: 0, answered: 0 };
    let moment = moment(language, intent, around);
    for entry in entries.iter().filter(|entry| entry.audience() == Audience::Everyone) {
        let Some(Body::Content(content)) = &entry.body else { continue };
        match kind_of(entry) {
            ActorKind::Visitor => {
                heard.visitor_seq = entry.seq;
                let input = Input::of(content, heard.asked_seq);
                mind.hear(&mut heard.state, &input.heard(moment));
            }
            ActorKind::Bot => {
                heard.answered += u64::from(is_answer(content));
                if is_question(content) {
                    heard.asked_seq = entry.seq;
                }
                // What a language model said then, it said. One that was still asked goes on with the next message.
                if let (Some(turn), Some(Kind::Text(text))) =
                    (heard.state.waits_for_llm(), &content.kind)
                {
                    let answer = LlmAnswer { text: text.body.clone(), ..LlmAnswer::default() };
                    mind.llm_answer(&mut heard.state, turn, Ok(answer), &moment);
                }
            }
            _ => {}
        }
    }
    heard
}

/// Whether it counts as an answer in the figures, as while the session goes on.
pub(super) fn is_answer(content: &Content) -> bool {
    !content.sources.is_empty() || matches!(content.kind, Some(Kind::Form(_)))
}

/// Whether a visitor answers it by a button or a form.
pub(super) fn is_question(content: &Content) -> bool {
    matches!(content.kind, Some(Kind::Choices(_) | Kind::Form(_)))
}
