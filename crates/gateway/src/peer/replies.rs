//! Requests to another node that wait for their answer.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use frontdesk_dispatcher::Tail;
use frontdesk_protocol::codes::{self, ErrorCode};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::v1;
use crate::chat::port::{Answer, Placed};

/// Longer than anybody waits for an answer.
const KEPT: Duration = Duration::from_secs(30);
/// Requests that may wait at the same time: of all HTTP requests of a node those that another one serves.
const WAITING_MAX: usize = 65_536;

/// Where an answer goes.
#[derive(Debug)]
pub(super) enum Waiting {
    Answer(oneshot::Sender<Answer>),
    Tail(oneshot::Sender<Result<Tail, &'static ErrorCode>>),
}

/// Requests by their number.
#[derive(Debug, Default)]
pub struct Replies {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    waiting: HashMap<u64, (Instant, Waiting)>,
}

impl Replies {
    /// Numbers a request; `None` if too many wait.
    pub(super) fn wait(&self, waiting: Waiting) -> Option<u64> {
        let mut inner = self.inner.lock();
        if inner.waiting.len() >= WAITING_MAX {
            // Those whose node went away are never answered.
            inner.waiting.retain(|_, (since, _)| since.elapsed() < KEPT);
            if inner.waiting.len() >= WAITING_MAX {
                return None;
            }
        }
        inner.next += 1;
        let number = inner.next;
        inner.waiting.insert(number, (Instant::now(), waiting));
        Some(number)
    }

    /// Gives an answer to whoever waits for it; one that comes too late is dropped.
    pub(crate) fn answer(&self, answer: v1::Answer) {
        let Some((_, waiting)) = self.inner.lock().waiting.remove(&answer.reply) else { return };
        let failed = |code: &str| codes::find(code).unwrap_or(&codes::STORAGE_UNAVAILABLE);
        // Whoever asked may have given up.
        match (waiting, answer.answer) {
            (Waiting::Answer(reply), Some(v1::answer::Answer::Done(done))) => {
                let placed = done.placed.map(|placed| Placed {
                    position: placed.position.unwrap_or_default(),
                    at_ms: placed.at_ms,
                    id: placed.id,
                });
                drop(reply.send(Answer::Done(placed)));
            }
            (Waiting::Answer(reply), Some(v1::answer::Answer::Refused(refusal))) => {
                drop(reply.send(Answer::Refused(refusal)));
            }
            (Waiting::Tail(reply), Some(v1::answer::Answer::Tail(tail))) => {
                drop(reply.send(Ok(tail_of(tail))));
            }
            (Waiting::Tail(reply), Some(v1::answer::Answer::Failed(code))) => {
                drop(reply.send(Err(failed(&code))));
            }
            (waiting, answer) => {
                tracing::error!(?answer, "a node answered what nobody asked");
                drop(waiting);
            }
        }
    }
}

fn tail_of(tail: v1::Tail) -> Tail {
    let pairs =
        |list: Vec<v1::Numbered>| list.into_iter().map(|one| (one.number, one.bytes)).collect();
    Tail {
        state: tail.state,
        last_seq: tail.last_seq,
        entries: pairs(tail.entries),
        replaced: pairs(tail.replaced),
        events: pairs(tail.events),
    }
}

/// An answer as it goes to the node that asked.
pub(super) fn answered(reply: u64, answer: Answer) -> v1::Answer {
    let answer = match answer {
        Answer::Done(placed) => v1::answer::Answer::Done(v1::Done {
            placed: placed.map(|placed| v1::Placed {
                position: Some(placed.position),
                at_ms: placed.at_ms,
                id: placed.id,
            }),
        }),
        Answer::Refused(refusal) => v1::answer::Answer::Refused(refusal),
    };
    v1::Answer { reply, answer: Some(answer) }
}

/// The same of a question for a tail.
pub(super) fn tail_answered(reply: u64, tail: Result<Tail, &'static ErrorCode>) -> v1::Answer {
    let numbered = |list: Vec<(u64, bytes::Bytes)>| {
        list.into_iter().map(|(number, bytes)| v1::Numbered { number, bytes }).collect()
    };
    let answer = match tail {
        Ok(tail) => v1::answer::Answer::Tail(v1::Tail {
            state: tail.state,
            last_seq: tail.last_seq,
            entries: numbered(tail.entries),
            replaced: numbered(tail.replaced),
            events: numbered(tail.events),
        }),
        Err(code) => v1::answer::Answer::Failed(code.code.to_owned()),
    };
    v1::Answer { reply, answer: Some(answer) }
}
