//! A blocking HTTP/1.1 client for the set-up of a run: one connection, cookies, JSON both ways.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs as _},
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::ClientConfig;
use serde_json::Value;

use crate::{
    error::{Error, io},
    launch::ProductAccess,
    stream::{Stream, TlsName},
};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer that is read.
const BODY_BYTES_MAX: u64 = 4 << 20;
/// How long a run waits for its turn where the server limits requests.
const PATIENCE: Duration = Duration::from_secs(90);

const JSON: &str = "application/json";
const PLAIN: &str = "text/plain";

/// Where a server is.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) authority: String,
    /// Empty or `/like/this`.
    pub(crate) prefix: String,
    pub(crate) address: SocketAddr,
    /// How it is known, where it speaks TLS.
    tls: Option<TlsName>,
}

impl Base {
    pub(crate) fn of(access: &ProductAccess) -> Result<Self, Error> {
        Self::parse(&access.base_url, access.tls.as_ref())
    }

    /// Of the nodes beside the first.
    pub(crate) fn of_others(access: &ProductAccess) -> Result<Vec<Self>, Error> {
        access.others.iter().map(|url| Self::parse(url, access.tls.as_ref())).collect()
    }

    /// Reads `http://host:port/prefix`, and `https://` where there is something to check certificates with.
    fn parse(url: &str, trust: Option<&Arc<ClientConfig>>) -> Result<Self, Error> {
        let (rest, trust, port) = match (url.split_once("://"), trust) {
            (Some(("http", rest)), _) => (rest, None, 80),
            (Some(("https", rest)), Some(trust)) => (rest, Some(trust), 443),
            _ => {
                return Err(Error::Options("the server's address begins with http:// or https://"));
            }
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // Colons within brackets are those of an IPv6 address.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, digits)) if !digits.ends_with(']') => {
                let port = digits.parse();
                (host, port.map_err(|_| Error::Options("the server's port is a number"))?)
            }
            _ => (authority, port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = (host, port)
            .to_socket_addrs()
            .map_err(io("look up the server's name"))?
            .next()
            .ok_or(Error::Options("the server's name has no address"))?;
        Ok(Self {
            authority: authority.to_owned(),
            prefix: prefix.trim_end_matches('/').to_owned(),
            address,
            tls: trust.map(|trust| TlsName::new(host, Arc::clone(trust))).transpose()?,
        })
    }

    /// What the server speaks, over a connection to it; nothing is said yet.
    pub(crate) fn over(&self, tcp: TcpStream) -> Result<Stream, Error> {
        match &self.tls {
            None => Ok(tcp.into()),
            Some(name) => name.over(tcp),
        }
    }

    /// The same, once the server has shown who it is.
    pub(crate) fn meet(&self, tcp: TcpStream) -> Result<Stream, Error> {
        let mut stream = self.over(tcp)?;
        stream.shake_hands()?;
        Ok(stream)
    }
}

/// A client with its cookies.
#[derive(Debug)]
pub(crate) struct Client {
    base: Base,
    connection: Option<BufReader<Stream>>,
    cookies: Vec<(String, String)>,
    authorization: Option<String>,
    forwarded_for: Option<Ipv4Addr>,
}

struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    keep: bool,
    body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(base: Base) -> Self {
        Self {
            base,
            connection: None,
            cookies: Vec::new(),
            authorization: None,
            forwarded_for: None,
        }
    }

    /// Who asks from now on, in place of the cookies.
    pub(crate) fn authorize(&mut self, authorization: String) {
        self.authorization = Some(authorization);
    }

    /// Sends a file as if from that address.
    pub(crate) fn upload(
        &mut self,
        path: &str,
        from: Ipv4Addr,
        bytes: &[u8],
    ) -> Result<Value, Error> {
        self.forwarded_for = Some(from);
        let answer = self.exchange("POST", path, PLAIN, bytes)?;
        let value: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| Error::Malformed { what: "a JSON body" })?;
        if answer.status / 100 != 2 {
            let code = value["code"].as_str().unwrap_or_default().to_owned();
            let path = path.to_owned();
            return Err(Error::Http { method: "POST", path, status: answer.status, code });
        }
        Ok(value)
    }

    /// Asks, and waits where the server says that it is asked too often.
    pub(crate) fn ask(
        &mut self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let patience_ends = Instant::now() + PATIENCE;
        loop {
            let text = body.map(Value::to_string).unwrap_or_default();
            let answer = self.exchange(method, path, JSON, text.as_bytes())?;
            let value: Value = if answer.body.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&answer.body)
                    .map_err(|_| Error::Malformed { what: "a JSON body" })?
            };
            match (answer.status, answer.retry_after) {
                (200..=299, _) => return Ok(value),
                (429, Some(after)) if Instant::now() + after < patience_ends => wait(after),
                (status, _) => {
                    let code = value["code"].as_str().unwrap_or_default().to_owned();
                    return Err(Error::Http { method, path: path.to_owned(), status, code });
                }
            }
        }
    }

    /// GET of something that is no JSON.
    pub(crate) fn text(&mut self, path: &str) -> Result<String, Error> {
        let answer = self.exchange("GET", path, PLAIN, &[])?;
        if answer.status != 200 {
            let (path, code) = (path.to_owned(), String::new());
            return Err(Error::Http { method: "GET", path, status: answer.status, code });
        }
        String::from_utf8(answer.body).map_err(|_| Error::Malformed { what: "a text" })
    }

    fn exchange(
        &mut self,
        method: &'static str,
        path: &str,
        content_type: &'static str,
        body: &[u8],
    ) -> Result<Answer, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let Base { authority, prefix, .. } = &self.base;
        let mut request = format!(
            "{method} {prefix}{path} HTTP/1.1\r\nHost: {authority}\r\nAccept: application/json\r\n\
             X-Frontdesk: 1\r\n"
        );
        if let Some(address) = self.forwarded_for {
            request.extend(["X-Forwarded-For: ", &address.to_string(), "\r\n"]);
        }
        if let Some(authorization) = &self.authorization {
            request.extend(["Authorization: ", authorization, "\r\n"]);
        } else if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.extend(["Cookie: ", &cookies.join("; "), "\r\n"]);
        }
        if !body.is_empty() {
            request.extend(["Content-Type: ", content_type, "\r\n"]);
        }
        let length = body.len().to_string();
        request.extend(["Content-Length: ", &length, "\r\n\r\n"]);
        let mut request = request.into_bytes();
        request.extend_from_slice(body);
        connection.get_mut().write_all(&request).map_err(io("ask the server"))?;
        let answer = self.read(&mut connection)?;
        if answer.keep {
            self.connection = Some(connection);
        }
        Ok(answer)
    }

    fn connect(&self) -> Result<BufReader<Stream>, Error> {
        let stream = TcpStream::connect_timeout(&self.base.address, TIMEOUT)
            .map_err(io("connect to the server"))?;
        stream.set_nodelay(true).map_err(io("prepare a socket"))?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(io("prepare a socket"))?;
        Ok(BufReader::new(self.base.meet(stream)?))
    }

    fn read(&mut self, connection: &mut BufReader<Stream>) -> Result<Answer, Error> {
        let status_line = line(connection)?;
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or(Error::Malformed { what: "an HTTP/1.1 status line" })?;
        let mut answer = Answer { status, retry_after: None, keep: true, body: Vec::new() };
        let (mut length, mut chunked) = (0, false);
        loop {
            let header = line(connection)?;
            if header.is_empty() {
                break;
            }
            let Some((name, value)) = header.split_once(':') else { continue };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    length = value.parse().map_err(|_| Error::Malformed { what: "a length" })?;
                }
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "connection" => answer.keep = !value.eq_ignore_ascii_case("close"),
                "retry-after" => answer.retry_after = value.parse().ok().map(Duration::from_secs),
                "set-cookie" => self.keep_cookie(value),
                _ => {}
            }
        }
        if chunked {
            while let Some(bytes) = chunk(connection)? {
                answer.body.extend_from_slice(&bytes);
            }
        } else {
            answer.body = exactly(connection, length)?;
        }
        Ok(answer)
    }

    fn keep_cookie(&mut self, text: &str) {
        let pair = text.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else { return };
        self.cookies.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// A whole answer at the beginning of what was received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) status: u16,
    /// Where its body is; it ends the answer.
    pub(crate) body: Range<usize>,
}

/// Reads an answer that tells its length, for a caller that must not wait; `None` while it is not all
/// there.
pub(crate) fn whole_answer(bytes: &[u8]) -> Result<Option<Whole>, Error> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let malformed = Error::Malformed { what: "an answer that tells its length" };
    let Ok(head) = std::str::from_utf8(&bytes[..end]) else { return Err(malformed) };
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let (Some(status), Some(length)) = (status, length) else { return Err(malformed) };
    if length as u64 > BODY_BYTES_MAX {
        return Err(Error::Malformed { what: "a body of bearable size" });
    }
    let body = end + 4..end + 4 + length;
    Ok((body.end <= bytes.len()).then_some(Whole { status, body }))
}

/// The id of a file, in the answer to its upload.
pub(crate) fn file_id(body: &[u8]) -> Result<String, Error> {
    let stored: Value =
        serde_json::from_slice(body).map_err(|_| Error::Malformed { what: "a JSON body" })?;
    string(&stored, "id")
}

pub(crate) fn string(value: &Value, name: &'static str) -> Result<String, Error> {
    value[name].as_str().map(str::to_owned).ok_or(Error::Malformed { what: name })
}

fn line(connection: &mut BufReader<Stream>) -> Result<String, Error> {
    let mut line = String::new();
    connection
        .by_ref()
        .take(64 << 10)
        .read_line(&mut line)
        .map_err(io("read the server's answer"))?;
    if line.pop() != Some('\n') {
        return Err(Error::Malformed { what: "the end of a header line" });
    }
    if line.ends_with('\r') {
        line.pop();
    }
    Ok(line)
}

fn exactly(connection: &mut BufReader<Stream>, length: u64) -> Result<Vec<u8>, Error> {
    if length > BODY_BYTES_MAX {
        return Err(Error::Malformed { what: "a body of bearable size" });
    }
    let mut body = vec![0; length as usize];
    connection.read_exact(&mut body).map_err(io("read the server's answer"))?;
    Ok(body)
}

/// The next chunk; `None` after the last.
fn chunk(connection: &mut BufReader<Stream>) -> Result<Option<Vec<u8>>, Error> {
    let head = line(connection)?;
    let size = head.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(size, 16)
        .map_err(|_| Error::Malformed { what: "the size of a chunk" })?;
    let bytes = exactly(connection, size)?;
    line(connection)?;
    Ok((size > 0).then_some(bytes))
}

/// Waits; nothing else goes on during a set-up.
pub(crate) fn wait(time: Duration) {
    let ends = Instant::now() + time;
    while let Some(left) = ends.checked_duration_since(Instant::now()).filter(|t| !t.is_zero()) {
        std::thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use serde_json::json;

    use super::*;

    fn plain(url: &str) -> Result<Base, Error> {
        Base::parse(url, None)
    }

    fn trusting_nobody() -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_root_certificates(rustls::RootCertStore::empty());
        Arc::new(config.with_no_client_auth())
    }

    #[test]
    fn addresses_have_ports_and_prefixes() {
        let base = plain("http://127.0.0.1:8080/chat/").expect("a base");
        assert_eq!((base.authority.as_str(), base.prefix.as_str()), ("127.0.0.1:8080", "/chat"));
        for (url, port) in [
            ("http://127.0.0.1", 80),
            ("http://[::1]:99", 99),
            ("http://[::1]/", 80),
            ("https://[::1]", 443),
            ("https://localhost:99/", 99),
        ] {
            let base = Base::parse(url, Some(&trusting_nobody())).expect("a base");
            assert_eq!((base.address.port(), base.tls.is_some()), (port, url.contains("https")));
        }
        for wrong in ["https://127.0.0.1", "ftp://127.0.0.1", "127.0.0.1", "http://127.0.0.1:x"] {
            assert!(plain(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_answer_is_taken_when_all_of_it_is_there() {
        let bytes = b"HTTP/1.1 201 Created\r\nA: b\r\ncontent-length: 3\r\n\r\nabcHTTP";
        let end = bytes.len() - 4;
        for short in [0, 10, 40, end - 1] {
            assert_eq!(whole_answer(&bytes[..short]).expect("a beginning"), None);
        }
        let whole = whole_answer(bytes).expect("an answer").expect("a whole one");
        assert_eq!((whole.status, &bytes[whole.body]), (201, &b"abc"[..]));
        assert!(whole_answer(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "no length");
    }

    #[test]
    fn answers_are_read_and_cookies_sent_back() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(Stream::from(stream));
            let mut requests = Vec::new();
            for answer in [
                "HTTP/1.1 200 OK\r\nSet-Cookie: frontdesk=abc; Path=/\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
                "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"b\"\r\n3\r\n:2}\r\n0\r\n\r\n",
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 18\r\n\r\n{\"code\":\"no.entry\"}",
            ] {
                let mut head = String::new();
                let mut length = 0;
                loop {
                    let line = line(&mut reader).expect("a line");
                    if let Some(text) = line.strip_prefix("Content-Length: ") {
                        length = text.parse().expect("a length");
                    }
                    if line.is_empty() {
                        break;
                    }
                    head.push_str(&line);
                    head.push('\n');
                }
                exactly(&mut reader, length).expect("a body");
                requests.push(head);
                let answer = answer.replace("Content-Length: 18", "Content-Length: 19");
                reader.get_mut().write_all(answer.as_bytes()).expect("an answer");
            }
            requests
        });
        let mut client = Client::new(plain(&format!("http://{address}/x")).expect("a base"));
        assert_eq!(client.ask("GET", "/1", None).expect("an answer"), json!({ "a": 1 }));
        let body = json!({ "c": 3 });
        assert_eq!(client.ask("POST", "/2", Some(&body)).expect("an answer"), json!({ "b": 2 }));
        client.authorize("Visitor v1.x".to_owned());
        match client.ask("GET", "/3", None) {
            Err(Error::Http { status: 403, code, .. }) => assert_eq!(code, "no.entry"),
            other => panic!("{other:?}"),
        }
        let requests = server.join().expect("the server");
        assert!(requests[0].starts_with("GET /x/1 HTTP/1.1\n"));
        assert!(!requests[0].contains("Cookie"));
        assert!(requests[1].contains("Cookie: frontdesk=abc\n"));
        assert!(requests[2].contains("Authorization: Visitor v1.x\n"));
        assert!(!requests[2].contains("Cookie"));
    }
}
