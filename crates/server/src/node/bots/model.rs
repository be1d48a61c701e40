//! The language model asked for an answer to a visitor: what it says grows before the visitor's eyes, and is an answer
//! only when all of it is there. A model that says nothing for longer than a visitor waits is hung up on: it has failed,
//! and what it would have said later is never heard.

use std::{sync::Arc, time::Duration};

use frontdesk_bot::{Line, LlmAnswer, LlmFailed, Speaker};
use frontdesk_core::id::ConversationId;
use frontdesk_knowledge::Found;
use frontdesk_llm::{
    Answer, Error, Passage, Piece, Targets, Task, Turn, VISITOR_WAIT_MS_MAX, clean,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{
    deeds::{Help, Used},
    voice::Voice,
};
use crate::node::models::Model;

/// Least time between two states of an answer that grows: people read no faster.
const DRAFT_EVERY: Duration = Duration::from_millis(150);
/// States that wait to be shown; of more the newer ones are left out.
const DRAFTS_MAX: usize = 4;
/// Longest time for all of it, whatever an account says: the desk takes the session from a bot that takes longer.
const LONGEST: Duration = Duration::from_millis(VISITOR_WAIT_MS_MAX);

/// What is asked.
pub(super) struct Question {
    pub(super) conversation: ConversationId,
    pub(super) turn: u32,
    pub(super) text: String,
    pub(super) language: String,
    pub(super) passages: Vec<Found>,
    pub(super) history: Vec<Line>,
}

/// What comes of it.
pub(super) enum Said {
    /// The answer so far, plain text.
    Draft(String),
    /// All of it, and what it took.
    Done(Result<(LlmAnswer, Used), LlmFailed>),
}

/// A question on its way. Dropping it hangs up.
pub(super) struct Asked {
    pub(super) turn: u32,
    /// Where what it says is shown.
    pub(super) voice: Voice,
    /// The visitor's message, and the number of the next thing that is said about it.
    pub(super) about: (u64, u16),
    pub(super) began: Instant,
    pub(super) said: mpsc::Receiver<Said>,
}

/// Asks the model.
pub(super) fn ask(
    model: Arc<Model>,
    question: Question,
    help: &Help,
    voice: Voice,
    about: (u64, u16),
    began: Instant,
) -> Asked {
    let (out, said) = mpsc::channel(DRAFTS_MAX);
    let turn = question.turn;
    let passages = question.passages.iter().map(|found| Passage {
        title: found.title.clone(),
        path: help.path(found),
        text: found.passage.clone(),
    });
    let passages: Vec<Passage> = passages.collect();
    tokio::spawn(async move {
        let hung_up = out.clone();
        let answered = async {
            let listening = listen(&model, &question, passages, began, &out);
            let answer = timeout(LONGEST, listening).await;
            let result = match answer {
                Ok(Ok(answered)) => Ok(answered),
                Ok(Err(error)) => {
                    let code = error.code();
                    tracing::debug!(conversation.id = %question.conversation, code, "no answer");
                    Err(LlmFailed)
                }
                Err(_) => Err(LlmFailed),
            };
            // Whoever asked may be gone.
            drop(out.send(Said::Done(result)).await);
        };
        tokio::select! {
            () = answered => {}
            () = hung_up.closed() => {}
        }
    });
    Asked { turn, voice, about, began, said }
}

async fn listen(
    model: &Model,
    question: &Question,
    passages: Vec<Passage>,
    began: Instant,
    out: &mpsc::Sender<Said>,
) -> Result<(LlmAnswer, Used), Error> {
    let targets = Targets::of_passages(&passages);
    let task = Task::Answer {
        question: question.text.clone(),
        passages,
        history: question.history.iter().map(turn_of).collect(),
        language: question.language.clone(),
        house_rules: model.prompt.clone(),
    };
    let conversation = question.conversation;
    let mut reply = model.ask_for_visitor(conversation, task.prompt(), began).await?;
    let mut text = String::new();
    let mut shown = Instant::now();
    loop {
        match reply.next().await? {
            Some(Piece::Text(more)) => {
                text.push_str(&more);
                if shown.elapsed() >= DRAFT_EVERY && !Answer::is_undecided(&text) {
                    shown = Instant::now();
                    // One that finds no room is behind already.
                    drop(out.try_send(Said::Draft(clean(&text, &targets))));
                }
            }
            Some(Piece::Done { usage, finish }) => {
                let answer = Answer { text, usage, finish };
                let known = !answer.is_unknown();
                let said = if known { answer.clean(&targets) } else { String::new() };
                let used = Used { model: model.name().to_owned(), tokens: usage.tokens() };
                let found = question.passages.clone();
                return Ok((LlmAnswer { text: said, found }, used));
            }
            None => return Err(Error::Garbage("it ends without an end")),
        }
    }
}

fn turn_of(line: &Line) -> Turn {
    let speaker = match line.by {
        Speaker::Visitor => frontdesk_llm::Speaker::Visitor,
        Speaker::Bot => frontdesk_llm::Speaker::Bot,
    };
    Turn { speaker, text: line.text.clone() }
}
