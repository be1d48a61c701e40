//! The server's own address as its visitors and agents see it: requests to the HTTP API and sockets of
//! the public protocol, as light as the demo needs them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use frontdesk_core::chat;
use frontdesk_protocol::{
    Encoding, decode_server, encode_client,
    wire::{self, client_frame::Frame as Out, server_frame::Frame as In},
};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// How long an answer or a handshake may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Another address of this machine; not every system has it.
const OWN: [u8; 4] = [127, 0, 0, 2];
/// Bytes of an answer that is read.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Why something could not be done at the door.
#[derive(Debug, thiserror::Error)]
pub(super) enum DoorError {
    #[error("there was no answer in time")]
    Late,
    #[error("the server could not be reached")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("{path} was answered with {status}")]
    Answer { path: String, status: u16 },
    #[error("the answer is of another form than documented")]
    Form,
    #[error("the socket was closed")]
    Closed,
}

fn lost(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DoorError {
    DoorError::Lost(error.into())
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum As<'a> {
    Nobody,
    Visitor(&'a str),
    /// By the login cookie.
    User(&'a str),
}

/// The way in.
#[derive(Debug, Clone)]
pub(super) struct Door {
    address: SocketAddr,
    /// The demo's people live at an address of their own where there is one, so that what they use of
    /// the limits per address is not taken from whoever looks at the demo.
    from: Option<IpAddr>,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Door {
    pub(super) fn new(address: SocketAddr) -> Self {
        let own = IpAddr::from(OWN);
        let there = address.ip() == IpAddr::from(Ipv4Addr::LOCALHOST)
            && std::net::TcpListener::bind((own, 0)).is_ok();
        let from = there.then_some(own);
        let mut connector = HttpConnector::new();
        connector.set_local_address(from);
        Self { address, from, http: Client::builder(TokioExecutor::new()).build(connector) }
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let socket =
            if self.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Asks the API and returns the answer's headers and JSON; null where it has no body.
    async fn request(
        &self,
        method: Method,
        path: &str,
        by: As<'_>,
        agent: &str,
        body: Option<&Value>,
    ) -> Result<(HeaderMap, Value), DoorError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}/api/v1/{path}", self.address))
            .header(header::USER_AGENT, agent)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-frontdesk", "1");
        request = match by {
            As::Nobody => request,
            As::Visitor(token) => request.header(header::AUTHORIZATION, format!("Visitor {token}")),
            As::User(cookie) => request.header(header::COOKIE, cookie),
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(Full::new(Bytes::from(body))).map_err(lost)?;
        let answer = timeout(PATIENCE, self.http.request(request))
            .await
            .map_err(|_| DoorError::Late)?
            .map_err(lost)?;
        let (head, body) = answer.into_parts();
        let body = timeout(PATIENCE, Limited::new(body, ANSWER_BYTES_MAX).collect())
            .await
            .map_err(|_| DoorError::Late)?
            .map_err(lost)?
            .to_bytes();
        if !head.status.is_success() {
            let status = head.status.as_u16();
            return Err(DoorError::Answer { path: path.to_owned(), status });
        }
        let value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).map_err(|_| DoorError::Form)?
        };
        Ok((head.headers, value))
    }

    pub(super) async fn get(&self, path: &str, by: As<'_>) -> Result<Value, DoorError> {
        Ok(self.request(Method::GET, path, by, CLIENT, None).await?.1)
    }

    pub(super) async fn put(
        &self,
        path: &str,
        by: As<'_>,
        body: &Value,
    ) -> Result<Value, DoorError> {
        Ok(self.request(Method::PUT, path, by, CLIENT, Some(body)).await?.1)
    }

    /// Asks for a ticket, as the widget or the console does.
    pub(super) async fn ticket(
        &self,
        by: As<'_>,
        agent: &str,
        body: &Value,
    ) -> Result<Value, DoorError> {
        Ok(self.request(Method::POST, "tickets", by, agent, Some(body)).await?.1)
    }

    /// Signs in; returns the login cookie.
    pub(super) async fn sign_in(&self, email: &str, password: &str) -> Result<String, DoorError> {
        let body = json!({ "email": email, "password": password });
        let (headers, _) =
            self.request(Method::POST, "sign-in", As::Nobody, CLIENT, Some(&body)).await?;
        let cookies = headers.get_all(header::SET_COOKIE).iter();
        let pairs = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookie = pairs.collect::<Vec<_>>().join("; ");
        if cookie.is_empty() { Err(DoorError::Form) } else { Ok(cookie) }
    }

    /// Opens a socket and says hello with a ticket.
    pub(super) async fn socket(
        &self,
        ticket: &str,
        language: &str,
    ) -> Result<(Socket, wire::Welcome), DoorError> {
        let mut request =
            format!("ws://{}/ws/v1", self.address).into_client_request().map_err(lost)?;
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            header::HeaderValue::from_static(Encoding::Proto.subprotocol()),
        );
        let opening = async {
            let stream = self.connect().await.map_err(lost)?;
            let (stream, _) =
                tokio_tungstenite::client_async(request, stream).await.map_err(lost)?;
            let mut socket = Socket { stream, references: 0 };
            let hello = wire::Hello {
                ticket: ticket.to_owned(),
                client: CLIENT.to_owned(),
                language: language.to_owned(),
                ..wire::Hello::default()
            };
            socket.send(Out::Hello(hello)).await?;
            loop {
                match socket.hear().await?.frame {
                    Some(In::Welcome(welcome)) => return Ok((socket, *welcome)),
                    Some(In::Refusal(_) | In::Error(_)) => return Err(DoorError::Closed),
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, opening).await.map_err(|_| DoorError::Late)?
    }
}

/// What the demo's clients call themselves.
pub(super) const CLIENT: &str = concat!("frontdesk-demo/", env!("CARGO_PKG_VERSION"));

/// An open socket that has said hello.
#[derive(Debug)]
pub(super) struct Socket {
    stream: WebSocketStream<TcpStream>,
    references: u32,
}

impl Socket {
    /// Sends a frame and returns the reference its answer will carry.
    pub(super) async fn send(&mut self, frame: Out) -> Result<u32, DoorError> {
        self.references += 1;
        let frame = wire::ClientFrame { r#ref: self.references, frame: Some(frame) };
        let mut bytes = Vec::new();
        encode_client(Encoding::Proto, &frame, &mut bytes).map_err(|_| DoorError::Form)?;
        self.stream.send(Message::Binary(bytes.into())).await.map_err(|_| DoorError::Closed)?;
        Ok(self.references)
    }

    /// Waits for the next frame; pings are answered. Nothing is lost where the wait is given up.
    pub(super) async fn hear(&mut self) -> Result<wire::ServerFrame, DoorError> {
        loop {
            let message = match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(DoorError::Closed),
                Some(Ok(_)) => continue,
            };
            let frame = decode_server(Encoding::Proto, &message).map_err(|_| DoorError::Form)?;
            if matches!(frame.frame, Some(In::Ping(_))) {
                self.send(Out::Pong(wire::Pong {})).await?;
                continue;
            }
            return Ok(frame);
        }
    }

    /// Leaves as a browser does that closes the page.
    pub(super) async fn leave(mut self) {
        let ended = timeout(PATIENCE, async {
            // The server may have gone first.
            if self.stream.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        });
        if ended.await.is_err() {
            tracing::debug!("a socket of the demo was not closed in time");
        }
    }
}

/// A message as clients send it.
pub(super) fn message(conversation: &str, id: u128, body: &str) -> Out {
    Out::Send(wire::Send {
        conversation: conversation.to_owned(),
        client_msg_id: Bytes::copy_from_slice(&id.to_be_bytes()),
        content: Some(chat::Content {
            kind: Some(chat::content::Kind::Text(chat::Text { body: body.to_owned() })),
            ..chat::Content::default()
        }),
        audience: chat::Audience::Everyone.into(),
    })
}

/// A fresh `client_msg_id` that rises with time.
pub(super) fn message_id() -> u128 {
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("the operating system has randomness");
    let now = crate::node::now_ms().unsigned_abs();
    u128::from(now) << 64 | u128::from(u64::from_be_bytes(random))
}
