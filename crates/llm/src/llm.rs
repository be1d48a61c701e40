//! Asks: tokens, a place, the breaker, then the endpoint.

use std::{sync::Arc, time::Duration};

use frontdesk_outgoing::{Client, Error as OutgoingError, Phase, Response};
use http::{
    HeaderValue, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use crate::{
    Answer, Budget, Error, Key, Prompt, Reply, Settings, Usage,
    breaker::Breaker,
    budget::{Limits, Reservation},
    error::says,
    events::Events,
    reply::{Held, Patience, Shape},
    wire,
};

/// Bytes of a stream: the longest answer, each token of it in a document of its own, and a model's thoughts before it.
const STREAM_BYTES_MAX: usize = 4 << 20;
/// Bytes that are read of an error.
const ERROR_BYTES_MAX: usize = 16 << 10;
/// The longest pause that an endpoint may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// The part of its time that a question waits for its turn. In less than the rest nothing might come of it, and the
/// endpoint would not be to blame.
const TURN: u32 = 2;

/// A question, and who pays for it.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked.
    pub prompt: Prompt,
    /// Whose tokens these are beside the day's; none for what belongs to no conversation.
    pub conversation: Option<String>,
    /// Milliseconds since 1970, which say what day it is.
    pub now_ms: u64,
    /// Tokens of the answer where they are not the settings'.
    pub answer_tokens_max: Option<u32>,
    /// Since when a visitor waits for it, who does not wait longer for a word than [`Settings::visitor_wait_ms`].
    pub visitor_since: Option<Instant>,
}

impl Request {
    /// A question in a conversation.
    pub fn new(conversation: &str, prompt: Prompt, now_ms: u64) -> Self {
        let conversation = Some(conversation.to_owned());
        Self { prompt, conversation, now_ms, answer_tokens_max: None, visitor_since: None }
    }

    /// An answer that a visitor waits for since then.
    #[must_use]
    pub fn for_visitor(self, since: Instant) -> Self {
        Self { visitor_since: Some(since), ..self }
    }
}

/// How long one question may take.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    /// Its turn has come until then.
    turn: Instant,
    /// The head of an answer is there until then.
    head: Instant,
    /// All of it is.
    end: Instant,
    /// Where a visitor waits.
    patience: Option<Patience>,
}

impl Deadlines {
    fn new(settings: &Settings, visitor_since: Option<Instant>) -> Self {
        let now = Instant::now();
        let end = now + Duration::from_millis(settings.timeout_ms);
        let wait = Duration::from_millis(settings.visitor_wait_ms);
        let patience = visitor_since.map(|since| Patience { wait, until: since + wait });
        let head = patience.map_or(end, |patience| patience.until.min(end));
        let began = visitor_since.unwrap_or(now);
        let turn = began + head.saturating_duration_since(began) / TURN;
        Self { turn, head, end, patience }
    }
}

/// One account's language model. Shared by reference; built anew when its settings change, with the same [`Budget`].
#[derive(Debug)]
pub struct Llm {
    client: Client,
    settings: Settings,
    budget: Budget,
    breaker: Arc<Breaker>,
    /// Asked or waiting.
    places: Arc<Semaphore>,
    /// Asked.
    slots: Arc<Semaphore>,
}

impl Llm {
    /// A model that can be asked.
    ///
    /// # Errors
    /// When the settings cannot be used, or their key belongs to another host.
    pub fn new(client: Client, settings: Settings, budget: Budget) -> Result<Self, Error> {
        settings.check(client.guard())?;
        if settings.key.as_ref().is_some_and(|key| !key.opens(&settings.base_url)) {
            return Err(Error::KeyHost);
        }
        let slots = Arc::new(Semaphore::new(settings.concurrent_max));
        let places = settings.concurrent_max.saturating_add(settings.waiting_max);
        let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Ok(Self { client, settings, budget, breaker: Breaker::new(), places, slots })
    }

    /// The model of another name at the same endpoint: with the same key, paid for by the same budget, and among as many
    /// at a time. Its failures open no circuit but its own.
    ///
    /// # Errors
    /// When the name cannot be one.
    pub fn named(&self, model: &str) -> Result<Self, Error> {
        let settings = Settings { model: model.to_owned(), ..self.settings.clone() };
        settings.check(self.client.guard())?;
        Ok(Self {
            client: self.client.clone(),
            settings,
            budget: self.budget.clone(),
            breaker: Breaker::new(),
            places: Arc::clone(&self.places),
            slots: Arc::clone(&self.slots),
        })
    }

    /// As they were given.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Shared with whoever stores it.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Whether the endpoint failed so often that it is left alone for now.
    pub fn is_open(&self) -> bool {
        self.breaker.wait().is_some()
    }

    /// Asks and waits for all of the answer.
    ///
    /// # Errors
    /// As [`Llm::ask`] and [`Reply::next`].
    pub async fn answer(&self, request: Request) -> Result<Answer, Error> {
        self.ask(request).await?.collect().await
    }

    /// Asks, and gives the answer as it comes.
    ///
    /// # Errors
    /// Without sending anything: no tokens left, too many at a time, or the endpoint is left alone. Else what the
    /// endpoint did.
    pub async fn ask(&self, request: Request) -> Result<Reply, Error> {
        let deadlines = Deadlines::new(&self.settings, request.visitor_since);
        let closed = |retry_after| Error::CircuitOpen { retry_after };
        // Nobody queues for an endpoint that is left alone.
        self.breaker.wait().map_or(Ok(()), |wait| Err(closed(wait)))?;
        let answer_max = request.answer_tokens_max.unwrap_or(self.settings.answer_tokens_max);
        let tokens_in = request.prompt.tokens();
        let reservation = self.reserve(&request, tokens_in + u64::from(answer_max))?;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Busy)?;
        let slot = timeout_at(deadlines.turn, Arc::clone(&self.slots).acquire_owned()).await;
        let slot = slot.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        // A slot that is free at once is given however late it is.
        if Instant::now() > deadlines.turn {
            return Err(Error::Busy);
        }
        let pass = self.breaker.admit().map_err(closed)?;
        let held = Held { reservation, pass, place, slot };
        self.send(&request, answer_max, tokens_in, held, deadlines).await
    }

    fn reserve(&self, request: &Request, tokens: u64) -> Result<Reservation, Error> {
        let limits = Limits {
            conversation_tokens: self.settings.conversation_tokens_max,
            day_tokens: self.settings.day_tokens_max,
        };
        self.budget.reserve(request.conversation.as_deref(), tokens, limits, request.now_ms)
    }

    async fn send(
        &self,
        request: &Request,
        answer_max: u32,
        tokens_in: u64,
        mut held: Held,
        deadlines: Deadlines,
    ) -> Result<Reply, Error> {
        let asked = Usage { tokens_in, ..Usage::default() };
        held.reservation.so_far(asked);
        let outgoing = self.outgoing(request, answer_max, deadlines);
        let answer = match self.client.send(outgoing).await {
            Ok(answer) => answer,
            Err(error) => {
                // Whatever was under way may be counted; what never left is not.
                let reached = matches!(error, OutgoingError::Timeout(_) | OutgoingError::Broken(_));
                let error = match error {
                    // The head has a limit of its own only where a visitor waits.
                    OutgoingError::Timeout(Phase::FirstByte) => Error::Silent,
                    error => Error::of_outgoing(error),
                };
                held.fail(if reached { asked } else { Usage::default() }, &error);
                return Err(error);
            }
        };
        let key = self.settings.key.clone();
        if answer.status != StatusCode::OK {
            let error = failure(answer, key.as_ref(), deadlines.head).await;
            held.fail(Usage::default(), &error);
            return Err(error);
        }
        let Some(shape) = shape(&answer) else {
            let error = Error::Garbage("it is neither events nor JSON");
            held.fail(asked, &error);
            return Err(error);
        };
        Ok(Reply::new(answer.body, held, shape, tokens_in, key, deadlines.patience))
    }

    fn outgoing(
        &self,
        request: &Request,
        answer_max: u32,
        deadlines: Deadlines,
    ) -> frontdesk_outgoing::Request {
        let settings = &self.settings;
        let question = wire::Question::new(settings, &request.prompt, answer_max);
        let body = serde_json::to_vec(&question).expect("strings and numbers are JSON");
        let now = Instant::now();
        let head = deadlines.head.saturating_duration_since(now);
        let end = deadlines.end.saturating_duration_since(now);
        let accept = HeaderValue::from_static("text/event-stream, application/json");
        let outgoing = frontdesk_outgoing::Request::post(settings.endpoint(), body)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, accept)
            .bytes_max(STREAM_BYTES_MAX)
            .timeouts(settings.timeouts(head, end, deadlines.patience.is_some()));
        match &settings.key {
            Some(key) => outgoing.header(AUTHORIZATION, key.header()),
            None => outgoing,
        }
    }
}

/// How an answer is to be read, by its header; none for what cannot be one.
fn shape(answer: &Response) -> Option<Shape> {
    let header = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = header.unwrap_or_default().split(';').next().unwrap_or_default();
    match media_type.trim().to_ascii_lowercase().as_str() {
        "text/event-stream" => Some(Shape::Events(Events::default())),
        "application/json" => Some(Shape::Whole(Vec::new())),
        "" | "text/plain" | "application/octet-stream" | "application/x-ndjson" => {
            Some(Shape::Unknown)
        }
        _ => None,
    }
}

/// What an answer says that is none, as far as it comes in time.
async fn failure(answer: Response, key: Option<&Key>, until: Instant) -> Error {
    let status = answer.status.as_u16();
    let retry_after = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let seconds = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let retry_after = seconds.map(|wait| wait.min(RETRY_AFTER_MAX));
    let mut body = answer.body;
    let mut bytes = Vec::new();
    // The words are welcome and not needed: the status is the error.
    while let Ok(Ok(Some(chunk))) = timeout_at(until, body.chunk()).await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ERROR_BYTES_MAX {
            break;
        }
    }
    Error::of_status(status, says(&wire::error_words(&bytes), key), retry_after)
}
