//! An answer while it comes: streamed, or whole from an endpoint that does not stream.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use frontdesk_outgoing::Body;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    ANSWER_BYTES_MAX, Error, Key, NO_ANSWER, Targets, breaker::Pass, budget::Reservation, clean,
    cut, error::says, estimate, events::Events, wire,
};

/// Bytes of a stream that are read as fast as they come: an answer of 400 tokens, each in a document of its own.
const FAST_BYTES: u32 = 128 << 10;
/// Bytes that are read in a second behind them. An endpoint that sends as fast as it can would keep a processor busy that
/// the chat needs; no model speaks so fast, and nobody reads so fast.
const BYTES_PER_S: u32 = 128 << 10;

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Of the prompt.
    pub tokens_in: u64,
    /// Of the answer.
    pub tokens_out: u64,
    /// The endpoint counted; else it is an estimate.
    pub counted: bool,
}

impl Usage {
    /// All tokens.
    pub fn tokens(self) -> u64 {
        self.tokens_in.saturating_add(self.tokens_out)
    }
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Stop,
    /// It was longer than it may be, and is cut.
    Cut,
    /// A filter of the endpoint, or something only it knows.
    Other,
}

/// What comes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// More text, untrusted and as it came: what is shown is [`clean`] of all of it so far.
    Text(String),
    /// The end.
    Done {
        /// What it cost.
        usage: Usage,
        /// Why it ended.
        finish: Finish,
    },
}

/// All of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Untrusted and as it came, at most [`ANSWER_BYTES_MAX`].
    pub text: String,
    /// What it cost.
    pub usage: Usage,
    /// Why it ended.
    pub finish: Finish,
}

impl Answer {
    /// Whether the model says that it does not know, or says nothing: then a person is to answer. The word counts
    /// wherever it stands; a model that is unsure how to use it is unsure.
    pub fn is_unknown(&self) -> bool {
        self.text.trim().is_empty() || self.text.contains(NO_ANSWER)
    }

    /// Whether the beginning of an answer may still become "I do not know", so that it is not yet worth showing.
    pub fn is_undecided(so_far: &str) -> bool {
        let begun = so_far.trim_start_matches(|c: char| !c.is_alphanumeric());
        NO_ANSWER.starts_with(begun) || so_far.contains(NO_ANSWER)
    }

    /// The text for people, with no addresses but these.
    pub fn clean(&self, targets: &Targets) -> String {
        clean(&self.text, targets)
    }
}

/// What a request holds until it is over.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) reservation: Reservation,
    pub(crate) pass: Pass,
    pub(crate) place: OwnedSemaphorePermit,
    pub(crate) slot: OwnedSemaphorePermit,
}

impl Held {
    /// It is over without an answer. What speaks against this request alone tells the breaker nothing.
    pub(crate) fn fail(self, usage: Usage, error: &Error) {
        self.reservation.fail(usage);
        if error.is_of_endpoint() {
            self.pass.failed();
        }
    }
}

/// How long whoever waits for an answer goes without a word of it. What is no word changes nothing: comments, thoughts,
/// empty pieces, blanks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// From one word to the next.
    pub(crate) wait: Duration,
    /// The next word comes until then.
    pub(crate) until: Instant,
}

/// An answer on its way. Dropping it hangs up, and what came is paid for.
#[derive(Debug)]
pub struct Reply {
    body: Option<Body>,
    held: Option<Held>,
    shape: Shape,
    ready: VecDeque<Piece>,
    /// The text so far: pieces are too small for their tokens to be guessed one by one.
    said: String,
    tokens_in: u64,
    usage: Option<Usage>,
    finish: Option<Finish>,
    answered: bool,
    key: Option<Key>,
    /// None where only the limits of the whole count.
    patience: Option<Patience>,
    began: Instant,
    /// Bytes so far.
    read: u32,
}

/// How the endpoint answers, which its first bytes tell where its header does not.
#[derive(Debug)]
pub(crate) enum Shape {
    Unknown,
    Events(Events),
    Whole(Vec<u8>),
}

impl Reply {
    pub(crate) fn new(
        body: Body,
        held: Held,
        shape: Shape,
        tokens_in: u64,
        key: Option<Key>,
        patience: Option<Patience>,
    ) -> Self {
        Self {
            body: Some(body),
            held: Some(held),
            shape,
            ready: VecDeque::new(),
            said: String::new(),
            tokens_in,
            usage: None,
            finish: None,
            answered: false,
            key,
            patience,
            began: Instant::now(),
            read: 0,
        }
    }

    /// The next piece; none after the end or an error. May be dropped and called again.
    ///
    /// # Errors
    /// When the endpoint fails in the middle. What came before was no answer.
    pub async fn next(&mut self) -> Result<Option<Piece>, Error> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            let due = self.began + pause_of(self.read);
            let Some(body) = &mut self.body else { return Ok(None) };
            let step = match chunk(body, due, self.patience).await {
                Ok(Some(bytes)) => self.feed(&bytes),
                Ok(None) => self.end(),
                // All was said; that the stream does not end well changes nothing.
                Err(_) if self.finish.is_some() => self.end(),
                Err(error) => Err(error),
            };
            if let Err(error) = step {
                self.fail(&error);
                return Err(error);
            }
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// As [`Reply::next`].
    pub async fn collect(mut self) -> Result<Answer, Error> {
        let mut text = String::new();
        while let Some(piece) = self.next().await? {
            match piece {
                Piece::Text(more) => text.push_str(&more),
                Piece::Done { usage, finish } => return Ok(Answer { text, usage, finish }),
            }
        }
        Err(Error::Garbage("it ended before"))
    }

    fn feed(&mut self, bytes: &Bytes) -> Result<(), Error> {
        self.read = self.read.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        if matches!(self.shape, Shape::Unknown) {
            let begins = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
            self.shape = match begins {
                None => return Ok(()),
                Some(b'{') => Shape::Whole(Vec::new()),
                Some(_) => Shape::Events(Events::default()),
            };
        }
        match &mut self.shape {
            Shape::Unknown => Ok(()),
            Shape::Whole(document) => {
                document.extend_from_slice(bytes);
                Ok(())
            }
            Shape::Events(events) => {
                let events =
                    events.feed(bytes).map_err(|_| Error::Garbage("an event is too long"))?;
                events.iter().try_for_each(|data| self.take(data))
            }
        }
    }

    /// One document of the answer.
    fn take(&mut self, data: &[u8]) -> Result<(), Error> {
        if self.body.is_none() {
            return Ok(());
        }
        if data.trim_ascii() == b"[DONE]" {
            return self.done();
        }
        let part = wire::read(data).ok_or(Error::Garbage("a document is not of this protocol"))?;
        if let Some(words) = part.error {
            let says = says(&words, self.key.as_ref());
            return Err(Error::Failed { status: 200, says });
        }
        self.answered |= part.choice;
        self.finish = part.finish.or(self.finish);
        self.usage = part.usage.or(self.usage);
        if part.text.is_empty() {
            return Ok(());
        }
        let text = cut(&part.text, ANSWER_BYTES_MAX - self.said.len());
        let longer = text.len() < part.text.len();
        self.said.push_str(text);
        if let Some(patience) = &mut self.patience
            && !text.trim().is_empty()
        {
            patience.until = Instant::now() + patience.wait;
        }
        if !text.is_empty() {
            self.ready.push_back(Piece::Text(text.to_owned()));
        }
        if longer {
            self.finish = Some(Finish::Cut);
            return self.done();
        }
        let usage = self.usage_so_far();
        if let Some(held) = &mut self.held {
            held.reservation.so_far(usage);
        }
        Ok(())
    }

    /// The body is over.
    fn end(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.shape, Shape::Unknown) {
            Shape::Unknown => return Err(Error::Garbage("it is empty")),
            // A document that can be read is whole; it need not say that it ended.
            Shape::Whole(document) => {
                self.take(&document)?;
                return self.done();
            }
            Shape::Events(mut events) => {
                let last = events.finish().map_err(|_| Error::Garbage("an event is too long"))?;
                if let Some(last) = last {
                    self.take(&last)?;
                }
            }
        }
        if self.body.is_some() && self.finish.is_none() {
            return Err(Error::Garbage("it ends in the middle"));
        }
        self.done()
    }

    fn done(&mut self) -> Result<(), Error> {
        if self.body.is_none() {
            return Ok(());
        }
        if !self.answered {
            return Err(Error::Garbage("there is no answer in it"));
        }
        self.body = None;
        let usage = self.usage_so_far();
        if let Some(held) = self.held.take() {
            held.reservation.settle(usage);
            held.pass.succeeded();
            drop((held.slot, held.place));
        }
        let finish = self.finish.unwrap_or(Finish::Stop);
        self.ready.push_back(Piece::Done { usage, finish });
        Ok(())
    }

    /// What the endpoint counted, or else a guess.
    fn usage_so_far(&self) -> Usage {
        let tokens_out = estimate(&self.said);
        self.usage.unwrap_or(Usage { tokens_in: self.tokens_in, tokens_out, counted: false })
    }

    fn fail(&mut self, error: &Error) {
        self.body = None;
        self.ready.clear();
        let usage = self.usage_so_far();
        if let Some(held) = self.held.take() {
            held.fail(usage, error);
        }
    }
}

/// How long after its begin more of a stream is read of which so many bytes came.
fn pause_of(read: u32) -> Duration {
    Duration::from_secs(1) * read.saturating_sub(FAST_BYTES) / BYTES_PER_S
}

/// The next bytes of a body, not before they are due, and as long as somebody waits for them.
async fn chunk(
    body: &mut Body,
    due: Instant,
    patience: Option<Patience>,
) -> Result<Option<Bytes>, Error> {
    let next = async {
        if Instant::now() < due {
            sleep_until(due).await;
        }
        body.chunk().await.map_err(Error::of_outgoing)
    };
    let Some(patience) = patience else { return next.await };
    // An endpoint that always has something ready would never let the timer have its turn.
    if Instant::now() >= patience.until {
        return Err(Error::Silent);
    }
    timeout_at(patience.until, next).await.map_err(|_| Error::Silent)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer {
        Answer { text: text.to_owned(), usage: Usage::default(), finish: Finish::Stop }
    }

    #[test]
    fn a_model_that_does_not_know_is_understood() {
        for text in ["NO_ANSWER", " NO_ANSWER.\n", "**NO_ANSWER**", "Sorry. NO_ANSWER", "", " \n"] {
            assert!(answer(text).is_unknown(), "{text:?}");
        }
        for text in ["Within 30 days.", "no_answer is a word of mine", "NO, ANSWER the phone"] {
            assert!(!answer(text).is_unknown(), "{text:?}");
        }
    }

    #[test]
    fn a_stream_is_read_as_fast_as_a_model_speaks() {
        for (read, pause_ms) in [(0, 0), (FAST_BYTES, 0), (256 << 10, 1_000), (4 << 20, 31_000)] {
            assert_eq!(pause_of(read), Duration::from_millis(pause_ms), "{read}");
        }
        assert!(pause_of(u32::MAX) > Duration::from_hours(9));
    }

    #[test]
    fn a_beginning_that_may_become_the_word_is_not_shown() {
        for text in ["", "N", "NO", "NO_ANS", "**NO_", " NO_ANSWER", "Sorry. NO_ANSWER"] {
            assert!(Answer::is_undecided(text), "{text:?}");
        }
        for text in ["Within", "NO, never", "No", "Nobody"] {
            assert!(!Answer::is_undecided(text), "{text:?}");
        }
    }
}
