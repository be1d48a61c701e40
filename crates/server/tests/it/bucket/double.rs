//! A store that speaks the part of the S3 protocol that files need: objects, parts, ranges, errors as
//! XML. It believes nothing: every request has to carry a signature (version 4) that the secret makes,
//! over the headers and the body as they came.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::Response,
    serve::Listener,
};
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub(super) const BUCKET: &str = "desk-files";
pub(super) const REGION: &str = "eu-test-1";
pub(super) const KEY_ID: &str = "FRONTDESKTEST";
pub(super) const SECRET: &str = "not/a+secret/of anybody";
/// The least size of a part that is not the last one.
const PART_BYTES_MIN: usize = 5 << 20;

/// How the store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// As it should.
    Well,
    /// It answers with this status and code.
    Refusing(u16, &'static str),
    /// It takes a request and says nothing.
    Silent,
    /// It does what is asked and says so only when its mood changes.
    Holding,
    /// Bodies of GET stop in the middle.
    Stalling,
}

/// The running store.
#[derive(Clone)]
pub(super) struct Double {
    inner: Arc<Inner>,
    pub(super) address: SocketAddr,
    scheme: &'static str,
}

struct Inner {
    mood: watch::Sender<Mood>,
    state: Mutex<State>,
    requests: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    uploads: HashMap<String, (String, BTreeMap<u32, Bytes>)>,
    /// Method, name and query of every request.
    requests: Vec<String>,
    /// What was wrong with requests that were refused for how they were written.
    complaints: Vec<String>,
    count: usize,
}

impl Double {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let double = Self::at(listener.local_addr().expect("bound"), "http");
        let served = axum::serve(listener, double.router());
        tokio::spawn(async move { served.await.expect("it serves") });
        double
    }

    /// With TLS and a certificate for `localhost`, which is returned as PEM.
    pub(super) async fn start_tls() -> (Self, String) {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let signed = signed.expect("a certificate can be made");
        let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key.expect("a key"))
            .expect("a certificate");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let double = Self::at(listener.local_addr().expect("bound"), "https");
        let listener = Secure { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
        let served = axum::serve(listener, double.router());
        tokio::spawn(async move { served.await.expect("it serves") });
        (double, signed.cert.pem())
    }

    fn at(address: SocketAddr, scheme: &'static str) -> Self {
        let inner = Inner {
            mood: watch::Sender::new(Mood::Well),
            state: Mutex::default(),
            requests: watch::Sender::new(0),
        };
        Self { inner: Arc::new(inner), address, scheme }
    }

    fn router(&self) -> Router {
        let double = self.clone();
        Router::new().fallback(async move |request: Request| double.serve(request).await)
    }

    pub(super) fn endpoint(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    pub(super) fn is(&self, mood: Mood) {
        self.inner.mood.send_replace(mood);
    }

    pub(super) fn objects(&self) -> BTreeMap<String, Bytes> {
        self.inner.state.lock().objects.clone()
    }

    /// Uploads in parts that were begun and neither completed nor given up.
    pub(super) fn open_uploads(&self) -> usize {
        self.inner.state.lock().uploads.len()
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.inner.state.lock().requests.clone()
    }

    pub(super) fn complaints(&self) -> Vec<String> {
        self.inner.state.lock().complaints.clone()
    }

    /// Waits until so many requests have come in all.
    pub(super) async fn asked(&self, count: usize) {
        let mut requests = self.inner.requests.subscribe();
        let wait = requests.wait_for(|requests| *requests >= count);
        drop(frontdesk_testkit::soon("a request", wait).await.expect("the double lives"));
    }

    async fn serve(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap_or_default();
        let path = parts.uri.path().to_owned();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        {
            let mut state = self.inner.state.lock();
            state.requests.push(format!("{} {path}?{query}", parts.method));
            state.count += 1;
            self.inner.requests.send_replace(state.count);
        }
        let mut mood = self.inner.mood.subscribe();
        let now = *mood.borrow_and_update();
        match now {
            Mood::Refusing(status, code) => return problem(status, code),
            Mood::Silent => std::future::pending().await,
            Mood::Well | Mood::Holding | Mood::Stalling => {}
        }
        if let Err((status, code, why)) = check_signature(&parts, &body) {
            self.inner.state.lock().complaints.push(format!("{code}: {why}"));
            return problem(status, code);
        }
        let answer = self.act(&parts, &path, &query, body, now);
        if now == Mood::Holding {
            mood.wait_for(|mood| *mood != Mood::Holding).await.expect("the double lives");
        }
        answer
    }

    fn act(
        &self,
        parts: &http::request::Parts,
        path: &str,
        query: &str,
        body: Bytes,
        mood: Mood,
    ) -> Response {
        let Some(key) = path.strip_prefix(&format!("/{BUCKET}/")) else {
            return problem(404, "NoSuchBucket");
        };
        let query: HashMap<&str, &str> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .collect();
        let mut state = self.inner.state.lock();
        let upload = query.get("uploadId").map(|id| (*id).to_owned());
        match (parts.method.as_str(), upload) {
            ("PUT", None) => {
                let tag = tag(&body);
                state.objects.insert(key.to_owned(), body);
                answer(200).header("etag", tag).body(Body::empty()).expect("an answer")
            }
            ("PUT", Some(id)) => {
                let number: u32 = query["partNumber"].parse().expect("a number");
                let Some((_, parts)) = state.uploads.get_mut(&id) else {
                    return problem(404, "NoSuchUpload");
                };
                let tag = tag(&body);
                parts.insert(number, body);
                answer(200).header("etag", tag).body(Body::empty()).expect("an answer")
            }
            ("POST", None) if query.contains_key("uploads") => {
                let id = format!("upload{}", state.count);
                state.uploads.insert(id.clone(), (key.to_owned(), BTreeMap::new()));
                xml(
                    200,
                    &format!(
                        "<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{key}</Key>\
                         <UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                    ),
                )
            }
            ("POST", Some(id)) => {
                let Some((key, parts)) = state.uploads.remove(&id) else {
                    return problem(404, "NoSuchUpload");
                };
                let list = String::from_utf8_lossy(&body).into_owned();
                let wanted = list.matches("<PartNumber>").count();
                let last = parts.keys().next_back().copied();
                let named = parts.iter().all(|(number, bytes)| {
                    // A tag stands in quotes, which XML may write as entities.
                    let hash = tag(bytes).trim_matches('"').to_owned();
                    list.contains(&format!("<PartNumber>{number}</PartNumber>"))
                        && list.contains(&hash)
                });
                if wanted != parts.len() || !named {
                    state.complaints.push(format!("InvalidPart: {list}"));
                    return problem(400, "InvalidPart");
                }
                let small = |(number, bytes): (&u32, &Bytes)| {
                    Some(*number) != last && bytes.len() < PART_BYTES_MIN
                };
                if parts.iter().any(small) {
                    return problem(400, "EntityTooSmall");
                }
                let whole: Vec<u8> = parts.into_values().flatten().collect();
                state.objects.insert(key, whole.into());
                xml(
                    200,
                    "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag>\
                     </CompleteMultipartUploadResult>",
                )
            }
            ("DELETE", Some(id)) => {
                state.uploads.remove(&id);
                answer(204).body(Body::empty()).expect("an answer")
            }
            ("DELETE", None) => {
                state.objects.remove(key);
                answer(204).body(Body::empty()).expect("an answer")
            }
            ("GET" | "HEAD", None) => {
                let Some(bytes) = state.objects.get(key).cloned() else {
                    return problem(404, "NoSuchKey");
                };
                get(parts, &bytes, mood)
            }
            _ => problem(405, "MethodNotAllowed"),
        }
    }
}

fn get(parts: &http::request::Parts, bytes: &Bytes, mood: Mood) -> Response {
    let range = parts.headers.get("range").map(|range| {
        let range = range.to_str().expect("text").strip_prefix("bytes=").expect("bytes");
        let (from, to) = range.split_once('-').expect("a range");
        let (from, to): (usize, usize) = (from.parse().expect("from"), to.parse().expect("to"));
        (from, to.min(bytes.len() - 1))
    });
    let tag = tag(bytes);
    let (status, sent) = match range {
        Some((from, to)) => (206, bytes.slice(from..=to)),
        None => (200, bytes.clone()),
    };
    let mut answer = answer(status)
        .header("etag", tag)
        .header("last-modified", "Sat, 28 Nov 2026 08:00:00 GMT")
        .header("content-length", sent.len());
    if let Some((from, to)) = range {
        answer = answer.header("content-range", format!("bytes {from}-{to}/{}", bytes.len()));
    }
    let body = if parts.method == "HEAD" {
        Body::empty()
    } else if mood == Mood::Stalling {
        let half = sent.slice(..sent.len() / 2);
        let first = futures_util::stream::iter([Ok::<_, io::Error>(half)]);
        Body::from_stream(futures_util::StreamExt::chain(first, futures_util::stream::pending()))
    } else {
        Body::from(sent)
    };
    answer.body(body).expect("an answer")
}

fn answer(status: u16) -> http::response::Builder {
    http::Response::builder().status(status).header("x-amz-request-id", "double")
}

fn xml(status: u16, inner: &str) -> Response {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{inner}");
    answer(status).header("content-type", "application/xml").body(text.into()).expect("an answer")
}

fn problem(status: u16, code: &str) -> Response {
    xml(status, &format!("<Error><Code>{code}</Code><Message>no: {code}</Message></Error>"))
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &hex(&Sha256::digest(bytes))[..32])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

type Complaint = (u16, &'static str, String);

/// Makes the signature anew from what came, as the protocol describes it.
fn check_signature(parts: &http::request::Parts, body: &[u8]) -> Result<(), Complaint> {
    let header = |name: &str| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    let authorization = header("authorization");
    let Some(fields) = authorization.strip_prefix("AWS4-HMAC-SHA256 ") else {
        return Err((403, "AccessDenied", format!("authorization {authorization:?}")));
    };
    let field = |name: &str| {
        let mut fields = fields.split(',').map(str::trim);
        fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
    };
    let scope: Vec<&str> = field("Credential").split('/').collect();
    let [key_id, day, region, service, end] = scope[..] else {
        return Err((400, "AuthorizationHeaderMalformed", format!("{scope:?}")));
    };
    if key_id != KEY_ID {
        return Err((403, "InvalidAccessKeyId", key_id.to_owned()));
    }
    if (region, service, end) != (REGION, "s3", "aws4_request") {
        return Err((400, "AuthorizationHeaderMalformed", format!("{scope:?}")));
    }
    let date = header("x-amz-date");
    if !date.starts_with(day) || (seconds_of(date) - now_s()).abs() > 900 {
        return Err((403, "RequestTimeTooSkewed", date.to_owned()));
    }
    let body_hash = hex(&Sha256::digest(body));
    if header("x-amz-content-sha256") != body_hash {
        return Err((400, "XAmzContentSHA256Mismatch", body_hash));
    }
    let mut query: Vec<String> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    query.sort();
    let signed = field("SignedHeaders");
    for needed in ["host", "x-amz-content-sha256", "x-amz-date"] {
        if !signed.split(';').any(|name| name == needed) {
            return Err((403, "AccessDenied", format!("{needed} is not signed")));
        }
    }
    let mut canonical = format!("{}\n{}\n{}\n", parts.method, parts.uri.path(), query.join("&"));
    for name in signed.split(';') {
        writeln!(canonical, "{name}:{}", header(name).trim()).expect("a String takes everything");
    }
    write!(canonical, "\n{signed}\n{body_hash}").expect("a String takes everything");
    let scope = format!("{day}/{region}/{service}/{end}");
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
    let mut key = mac(format!("AWS4{SECRET}").as_bytes(), day);
    for part in [region, service, end] {
        key = mac(&key, part);
    }
    if hex(&mac(&key, &to_sign)) != field("Signature") {
        return Err((403, "SignatureDoesNotMatch", canonical));
    }
    Ok(())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length will do");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("fits")
}

/// Reads `20261128T080000Z`.
fn seconds_of(date: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| -> i64 {
        date.get(range).and_then(|text| text.parse().ok()).unwrap_or_default()
    };
    let (year, month, day) = (number(0..4), number(4..6), number(6..8));
    // Days since 1970 of a date of the Gregorian calendar, whose year is taken to begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    (days - 719_469) * 86_400 + number(9..11) * 3_600 + number(11..13) * 60 + number(13..15)
}

/// A port with TLS.
struct Secure {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (socket, from) = self.listener.accept().await.expect("connections come");
            // Who does not trust the certificate hangs up.
            if let Ok(stream) = self.acceptor.accept(socket).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
