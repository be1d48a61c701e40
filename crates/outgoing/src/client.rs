//! The client: requests with limits, answers that are no redirects.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, USER_AGENT},
};
use http_body_util::Full;
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use rustls::RootCertStore;
use tokio::time::{Instant, timeout_at};
use url::{Position, Url};

use crate::{
    Body, Error, Guard, Phase, Refused, Resolve, SystemResolver, Text, dial::Connector,
    text::decode,
};

/// How long an unused connection waits for the next request. Short: a host may be moved or refused any time.
const IDLE: Duration = Duration::from_secs(15);
/// Unused connections to one host.
const IDLE_MAX: usize = 4;
/// Bytes of the head of an answer.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Headers of an answer.
const HEADERS_MAX: usize = 128;
/// Bytes of an answer where the request says nothing else.
const BYTES_MAX: usize = 1 << 20;
const AGENT: &str = concat!("Frontdesk/", env!("CARGO_PKG_VERSION"));

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The name, the connection and its TLS. The client's; a request cannot change it.
    pub connect: Duration,
    /// From the start of a request to the head of its answer, the connection included.
    pub first_byte: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// From the start of a request to the end of its body.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(5), first_byte: seconds(15), idle: seconds(10), total: seconds(30) }
    }
}

/// What to ask, and how much of an answer to take.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    bytes_max: usize,
    timeouts: Option<Timeouts>,
}

impl Request {
    /// A GET.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url, Bytes::new())
    }

    /// A POST.
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, url, body.into())
    }

    fn new(method: Method, url: Url, body: Bytes) -> Self {
        let headers = HeaderMap::new();
        Self { method, url, headers, body, bytes_max: BYTES_MAX, timeouts: None }
    }

    /// Adds a header. One that holds a secret has to be marked as sensitive by the caller.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Takes an answer of at most so many bytes; 1 MiB without this.
    #[must_use]
    pub fn bytes_max(mut self, bytes_max: usize) -> Self {
        self.bytes_max = bytes_max;
        self
    }

    /// Waits as long as this says and not as the client does, but for the connection.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }
}

/// The head of an answer, and its body to be read.
#[derive(Debug)]
pub struct Response {
    /// Anything but a redirect.
    pub status: StatusCode,
    /// At most 128.
    pub headers: HeaderMap,
    /// Unread.
    pub body: Body,
}

/// Sends requests to places that people name. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    guard: Guard,
    timeouts: Timeouts,
    http: legacy::Client<Connector, Full<Bytes>>,
}

impl Client {
    /// A client that goes where the guard lets it and trusts the certificates of these authorities.
    pub fn new(guard: Guard, roots: RootCertStore, timeouts: Timeouts) -> Self {
        Self::with_resolver(guard, roots, timeouts, Arc::new(SystemResolver))
    }

    /// The same, with another source of addresses. The guard checks what it gives.
    pub fn with_resolver(
        guard: Guard,
        roots: RootCertStore,
        timeouts: Timeouts,
        resolver: Arc<dyn Resolve>,
    ) -> Self {
        let connector = Connector::new(guard.clone(), roots, resolver, timeouts.connect);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_MAX)
            .pool_timer(TokioTimer::new())
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .http1_max_headers(HEADERS_MAX)
            .build(connector);
        Self { guard, timeouts, http }
    }

    /// What says where this client may go.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// When the URL or its address is refused, nobody answers in time, or the answer is a redirect, compressed, or
    /// says it is larger than the request takes. A status of 400 and more is an answer.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let timeouts = request.timeouts.unwrap_or(self.timeouts);
        let started = Instant::now();
        let deadline = started + timeouts.total;
        let bytes_max = request.bytes_max;
        self.guard.check_url(&request.url)?;
        let (until, phase) = if timeouts.first_byte < timeouts.total {
            (started + timeouts.first_byte, Phase::FirstByte)
        } else {
            (deadline, Phase::Total)
        };
        let asked = timeout_at(until, self.http.request(head(request)?)).await;
        let answer = asked.map_err(|_| Error::Timeout(phase))?.map_err(Error::of_request)?;
        let (parts, incoming) = answer.into_parts();
        if parts.status.is_redirection() {
            return Err(Error::Redirected { status: parts.status.as_u16() });
        }
        let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
        if !parts.headers.get_all(CONTENT_ENCODING).iter().all(plain) {
            return Err(Error::Encoding);
        }
        let length = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if length.and_then(|text| text.parse().ok()).is_some_and(|length: usize| length > bytes_max)
        {
            return Err(Error::TooLarge { bytes_max });
        }
        let body = Body::new(incoming, bytes_max, timeouts.idle, deadline);
        Ok(Response { status: parts.status, headers: parts.headers, body })
    }

    /// Gets a page as text, for a crawl.
    ///
    /// # Errors
    /// As [`Client::send`], for any status but success, and for what is not text in a known charset.
    pub async fn fetch_text(&self, url: &Url, bytes_max: usize) -> Result<Text, Error> {
        let answer = self.send(Request::get(url.clone()).bytes_max(bytes_max)).await?;
        if !answer.status.is_success() {
            return Err(Error::Status { status: answer.status.as_u16() });
        }
        decode(&answer.headers, &answer.body.bytes().await?)
    }
}

/// The request as hyper takes it. The two libraries must read the same host in a URL, or the check of one would not
/// hold for the other.
fn head(request: Request) -> Result<http::Request<Full<Bytes>>, Refused> {
    let target = &request.url[..Position::AfterQuery];
    let uri: Uri = target.parse().map_err(|_| Refused::Url)?;
    if uri.host() != request.url.host_str() || uri.port_u16() != request.url.port() {
        return Err(Refused::Url);
    }
    let mut sent = http::Request::new(Full::new(request.body));
    *sent.method_mut() = request.method;
    *sent.uri_mut() = uri;
    *sent.headers_mut() = request.headers;
    let headers = sent.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(sent)
}
