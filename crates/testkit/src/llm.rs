//! A language model's endpoint on this machine: a real HTTP server that speaks the protocol of
//! `/chat/completions`, streamed and not, answers as the test says, and remembers what it was asked.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{
    net::TcpSocket,
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use crate::soon;

/// Bytes of an answer that are on their way at most.
const SEND_BYTES: u32 = 64 << 10;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// How the endpoint answers from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// These pieces, one after the other, with a pause before each; the usage is what [`usage`] says.
    Normal {
        /// The text, in the pieces it is streamed in.
        pieces: Vec<String>,
        /// Before each piece.
        pause: Duration,
    },
    /// The whole prompt as it came, in pieces of ten characters.
    Echo,
    /// The name of the model that is asked.
    ModelName,
    /// The text as one JSON document, whatever was asked for.
    Whole(String),
    /// An error as such servers give it, with these words.
    Status {
        /// 400 and more.
        status: u16,
        /// What the error says.
        message: String,
        /// The header, if any.
        retry_after: Option<String>,
    },
    /// The beginning of an answer, then an error in the stream.
    ErrorInStream(String),
    /// Success, and bytes that mean nothing.
    Garbage,
    /// Success, and a page for people.
    Html,
    /// Not even the head of an answer.
    HangBeforeHeaders,
    /// The head of an answer, then silence.
    HangAfterHeaders,
    /// One piece, then silence.
    HangMidStream,
    /// One piece, then the end of the connection.
    CutMidStream,
    /// Pieces without end.
    Endless,
    /// Comments without end.
    EndlessComments,
    /// These bytes again and again, with a pause before each.
    Repeat {
        /// An event or a part of one.
        chunk: String,
        /// Before each.
        pause: Duration,
    },
    /// To another place.
    Redirect(String),
    /// These bytes in these chunks.
    Raw {
        /// The header.
        content_type: String,
        /// As they are sent.
        chunks: Vec<Vec<u8>>,
    },
}

impl Mode {
    /// An answer in one piece.
    pub fn says(text: &str) -> Self {
        Self::Normal { pieces: vec![text.to_owned()], pause: Duration::ZERO }
    }

    /// An answer in these pieces.
    pub fn pieces(pieces: &[&str]) -> Self {
        let pieces = pieces.iter().map(|&piece| piece.to_owned()).collect();
        Self::Normal { pieces, pause: Duration::ZERO }
    }

    /// Documents of an answer without end, each with this as its `delta`.
    pub fn deltas(delta: &Value, pause: Duration) -> Self {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": null});
        Self::Repeat { chunk: format!("data: {}\n\n", json!({"choices": [choice]})), pause }
    }

    /// The same text again and again, as fast as it can be sent.
    pub fn says_without_end(text: &str) -> Self {
        Self::deltas(&json!({"content": text}), Duration::ZERO)
    }

    /// An error of this status.
    pub fn status(status: u16) -> Self {
        Self::Status { status, message: format!("status {status}"), retry_after: None }
    }
}

/// One request, as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Path and query.
    pub path: String,
    /// All headers, the key's included.
    pub headers: HeaderMap,
    /// The body; null where it was no JSON.
    pub body: Value,
}

impl Asked {
    /// What stands in the header that carries the key.
    pub fn authorization(&self) -> Option<&str> {
        self.headers.get(header::AUTHORIZATION)?.to_str().ok()
    }

    /// The contents of all messages, one after the other.
    pub fn prompt(&self) -> String {
        prompt(&self.body)
    }

    /// The content of the first message of a role; empty where there is none.
    pub fn message(&self, role: &str) -> &str {
        let messages = self.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = messages.iter().find(|message| message["role"] == role);
        found.and_then(|message| message["content"].as_str()).unwrap_or_default()
    }
}

/// See the module. Ends with its value, and its connections with it.
#[derive(Debug)]
pub struct FakeLlm {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    mode: Mutex<Mode>,
    asked: watch::Sender<Vec<Asked>>,
}

impl FakeLlm {
    /// Begins to answer "Hello." on a port of its own.
    #[expect(clippy::unused_async, reason = "it has to be called on a runtime")]
    pub async fn start() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        // What nobody reads is not sent, either.
        socket.set_send_buffer_size(SEND_BYTES).expect("a socket has a buffer");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let listener = socket.listen(BACKLOG).expect("it is bound");
        let address = listener.local_addr().expect("a listener has an address");
        let mode = Mutex::new(Mode::says("Hello."));
        let state = Arc::new(State { mode, asked: watch::Sender::new(Vec::new()) });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // Nagle would add a latency of its own.
                drop(stream.set_nodelay(true));
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    // A client that hangs up, and an answer that is cut, are what tests ask for.
                    drop(connection.await);
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, state, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to configure.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Answers like this from now on.
    pub fn set(&self, mode: Mode) {
        *self.state.mode.lock() = mode;
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Asked> {
        self.state.asked.borrow().clone()
    }

    /// Waits until there were so many requests, and gives all of them.
    pub async fn wait_for_requests(&self, count: usize) -> Vec<Asked> {
        let mut asked = self.state.asked.subscribe();
        let what = format!("{count} requests to the language model");
        let enough = soon(&what, asked.wait_for(|asked| asked.len() >= count)).await;
        enough.expect("the sender lives as long as this").clone()
    }
}

impl Drop for FakeLlm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The tokens this endpoint counts for a prompt and an answer: a token for each four bytes.
pub fn usage(prompt: &str, answer: &str) -> (u64, u64) {
    (prompt.len().div_ceil(4) as u64, answer.len().div_ceil(4) as u64)
}

type Body = UnsyncBoxBody<Bytes, std::io::Error>;
type Answer = Result<Response<Body>, Infallible>;

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let path = parts.uri.to_string();
    let known = parts.method == http::Method::POST && path == "/v1/chat/completions";
    let streamed = body["stream"] == true;
    let prompt = prompt(&body);
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    state.asked.send_modify(|asked| asked.push(Asked { path, headers: parts.headers, body }));
    if !known {
        return Ok(error(404, "no such path"));
    }
    let mode = state.mode.lock().clone();
    Ok(match mode {
        Mode::Normal { pieces, pause } if streamed => stream_of(pieces, pause, &prompt),
        Mode::Normal { pieces, .. } => whole(&prompt, &pieces.concat()),
        Mode::ModelName => whole(&prompt, &model),
        Mode::Echo if streamed => stream_of(tens(&prompt), Duration::ZERO, &prompt),
        Mode::Echo => whole(&prompt, &prompt),
        Mode::Whole(text) => whole(&prompt, &text),
        Mode::Status { status, message, retry_after } => {
            let mut answer = error(status, &message);
            if let Some(value) = retry_after {
                let value = HeaderValue::from_str(&value).expect("the test gives ASCII");
                answer.headers_mut().insert(header::RETRY_AFTER, value);
            }
            answer
        }
        Mode::ErrorInStream(message) => {
            let error = json!({"error": {"message": message, "type": "server_error"}});
            chunks(EVENTS, stream::iter([Ok(piece("Hel")), Ok(event(&error))]))
        }
        Mode::Garbage => full("application/json", "\u{1}{{]] not at all"),
        Mode::Html => full("text/html; charset=utf-8", "<html><body>Sign in</body></html>"),
        Mode::HangBeforeHeaders => std::future::pending().await,
        Mode::HangAfterHeaders => chunks(EVENTS, stream::pending()),
        Mode::HangMidStream => {
            chunks(EVENTS, stream::iter([Ok(piece("Hel"))]).chain(stream::pending()))
        }
        Mode::CutMidStream => {
            let cut = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
            chunks(EVENTS, stream::iter([Ok(piece("Hel")), Err(cut)]))
        }
        Mode::Endless => chunks(EVENTS, stream::repeat_with(|| Ok(piece("and so on, ")))),
        Mode::EndlessComments => {
            let comment = Bytes::from_static(b": keep-alive, keep-alive, keep-alive\n\n");
            chunks(EVENTS, stream::repeat_with(move || Ok(comment.clone())))
        }
        Mode::Repeat { chunk, pause } => {
            let chunk = Bytes::from(chunk);
            let again = stream::repeat_with(move || chunk.clone());
            chunks(EVENTS, again.then(move |chunk| after(pause, chunk)))
        }
        Mode::Redirect(place) => {
            let mut answer = full("text/plain", "elsewhere");
            *answer.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            let place = HeaderValue::from_str(&place).expect("the test gives ASCII");
            answer.headers_mut().insert(header::LOCATION, place);
            answer
        }
        Mode::Raw { content_type, chunks: raw } => {
            chunks(&content_type, stream::iter(raw.into_iter().map(|chunk| Ok(chunk.into()))))
        }
    })
}

const EVENTS: &str = "text/event-stream";

fn prompt(body: &Value) -> String {
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let contents = messages.iter().filter_map(|message| message["content"].as_str());
    contents.collect::<Vec<_>>().join("\n")
}

fn tens(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(10).map(|ten| ten.iter().collect()).collect()
}

fn event(value: &Value) -> Bytes {
    format!("data: {value}\n\n").into()
}

fn piece(text: &str) -> Bytes {
    let choice = json!({"index": 0, "delta": {"content": text}, "finish_reason": null});
    event(&json!({"object": "chat.completion.chunk", "choices": [choice]}))
}

fn counted(prompt: &str, text: &str) -> Value {
    let (tokens_in, tokens_out) = usage(prompt, text);
    json!({
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    })
}

fn stream_of(pieces: Vec<String>, pause: Duration, prompt: &str) -> Response<Body> {
    let role = json!({"index": 0, "delta": {"role": "assistant"}, "finish_reason": null});
    let end = json!({"index": 0, "delta": {}, "finish_reason": "stop"});
    let usage = counted(prompt, &pieces.concat());
    let last = [
        event(&json!({"choices": [end]})),
        event(&json!({"choices": [], "usage": usage})),
        Bytes::from_static(b"data: [DONE]\n\n"),
    ];
    let texts = stream::iter(pieces).then(move |text| after(pause, piece(&text)));
    let first = stream::iter([Ok(event(&json!({"choices": [role]})))]);
    chunks(EVENTS, first.chain(texts).chain(stream::iter(last.map(Ok))))
}

async fn after(pause: Duration, bytes: Bytes) -> std::io::Result<Bytes> {
    if !pause.is_zero() {
        sleep(pause).await;
    }
    Ok(bytes)
}

fn whole(prompt: &str, text: &str) -> Response<Body> {
    let message = json!({"role": "assistant", "content": text});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    let body = json!({"choices": [choice], "usage": counted(prompt, text)});
    full("application/json", &body.to_string())
}

fn error(status: u16, message: &str) -> Response<Body> {
    let body = json!({"error": {"message": message, "type": "error", "code": status}});
    let mut answer = full("application/json", &body.to_string());
    *answer.status_mut() = StatusCode::from_u16(status).expect("the test gives a status");
    answer
}

fn full(content_type: &str, body: &str) -> Response<Body> {
    let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {});
    typed(content_type, body.boxed_unsync())
}

fn chunks(
    content_type: &str,
    chunks: impl stream::Stream<Item = std::io::Result<Bytes>> + Send + 'static,
) -> Response<Body> {
    typed(content_type, StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync())
}

fn typed(content_type: &str, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    let value = HeaderValue::from_str(content_type).expect("the test gives ASCII");
    answer.headers_mut().insert(header::CONTENT_TYPE, value);
    answer
}
