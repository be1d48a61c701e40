//! One WebSocket to `/ws/v1`, frame by frame, in either subprotocol.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use frontdesk_protocol::{
    Encoding, decode_server, encode_client,
    wire::{self, client_frame::Frame as Out, server_frame::Frame as In},
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest as _, http, protocol::CloseFrame},
};

use crate::soon;

/// How a socket shall be opened.
#[derive(Debug, Clone)]
pub struct SocketOptions {
    /// The subprotocol.
    pub encoding: Encoding,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// The path.
    pub path: String,
    /// The client's own address: one of 127.0.0.0/8 makes it another machine to the server.
    pub from: Option<IpAddr>,
    /// Size of the kernel's receive buffer, bytes: small ones make a slow reader.
    pub receive_buffer: Option<u32>,
    /// Size of the kernel's send buffer, bytes: behind small ones a writer soon notices that it is not
    /// read.
    pub send_buffer: Option<u32>,
    /// Answer the server's pings.
    pub pong: bool,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            encoding: Encoding::Proto,
            origin: None,
            path: "/ws/v1".to_owned(),
            from: None,
            receive_buffer: None,
            send_buffer: None,
            pong: true,
        }
    }
}

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// With a close frame.
    Closed {
        /// Its code.
        code: u16,
        /// Its reason.
        reason: String,
    },
    /// Without one.
    Lost,
}

impl Gone {
    /// The close code; 1006 where there was none, as browsers say.
    pub fn code(&self) -> u16 {
        match self {
            Self::Closed { code, .. } => *code,
            Self::Lost => 1006,
        }
    }
}

/// Why a handshake failed.
#[derive(Debug)]
pub enum Refused {
    /// The server answered with something else than 101.
    Answer {
        /// Its status.
        status: u16,
        /// Its body.
        body: String,
        /// From `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// There was no connection, or it went.
    Lost(String),
}

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    encoding: Encoding,
    pong: bool,
    /// The server's close frame, once it was read. Kept here because whoever waited for it may have
    /// turned to something else (a `select!`) before the closing handshake was over.
    closed: Option<Gone>,
}

impl Socket {
    /// Opens a socket. Waits as long as the server lets it.
    pub async fn open(server: SocketAddr, options: &SocketOptions) -> Result<Self, Refused> {
        let lost = |error: std::io::Error| Refused::Lost(error.to_string());
        let socket = TcpSocket::new_v4().map_err(lost)?;
        if let Some(bytes) = options.receive_buffer {
            socket.set_recv_buffer_size(bytes).map_err(lost)?;
        }
        if let Some(bytes) = options.send_buffer {
            socket.set_send_buffer_size(bytes).map_err(lost)?;
        }
        if let Some(from) = options.from {
            socket.bind(SocketAddr::new(from, 0)).map_err(lost)?;
        }
        let stream = socket.connect(server).await.map_err(lost)?;
        stream.set_nodelay(true).map_err(lost)?;
        let url = format!("ws://{server}{}", options.path);
        let mut request = url.into_client_request().expect("the URL is well formed");
        let headers = request.headers_mut();
        let subprotocol = http::HeaderValue::from_static(options.encoding.subprotocol());
        headers.insert("Sec-WebSocket-Protocol", subprotocol);
        if let Some(origin) = &options.origin {
            headers.insert("Origin", origin.parse().expect("an origin fits a header"));
        }
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((stream, _)) => {
                Ok(Self { stream, encoding: options.encoding, pong: options.pong, closed: None })
            }
            Err(tungstenite::Error::Http(response)) => Err(Refused::Answer {
                status: response.status().as_u16(),
                body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default())
                    .into_owned(),
                retry_after: response
                    .headers()
                    .get(http::header::RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.parse().ok())
                    .map(Duration::from_secs),
            }),
            Err(error) => Err(Refused::Lost(error.to_string())),
        }
    }

    /// The subprotocol.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Sends a frame.
    pub async fn send(&mut self, reference: u32, frame: Out) -> Result<(), Gone> {
        let frame = wire::ClientFrame { r#ref: reference, frame: Some(frame) };
        let mut bytes = Vec::new();
        encode_client(self.encoding, &frame, &mut bytes).expect("tests write what has a form");
        self.send_bytes(bytes).await
    }

    /// Sends bytes as a message of the subprotocol's kind.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), Gone> {
        let message = match self.encoding {
            Encoding::Proto => Message::Binary(bytes.into()),
            Encoding::Json => {
                let text = String::from_utf8(bytes).expect("JSON frames of tests are UTF-8");
                Message::Text(text.into())
            }
        };
        self.send_message(message).await
    }

    /// Sends any WebSocket message.
    pub async fn send_message(&mut self, message: Message) -> Result<(), Gone> {
        match self.stream.send(message).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.end().await),
        }
    }

    /// Puts a frame into the socket's buffer; [`Self::flush`] sends it.
    pub async fn feed(&mut self, reference: u32, frame: Out) -> Result<(), Gone> {
        let frame = wire::ClientFrame { r#ref: reference, frame: Some(frame) };
        let mut bytes = Vec::new();
        encode_client(self.encoding, &frame, &mut bytes).expect("tests write what has a form");
        let message = match self.encoding {
            Encoding::Proto => Message::Binary(Bytes::from(bytes)),
            Encoding::Json => {
                Message::Text(String::from_utf8(bytes).expect("JSON is UTF-8").into())
            }
        };
        match self.stream.feed(message).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.end().await),
        }
    }

    /// Sends what was fed.
    pub async fn flush(&mut self) -> Result<(), Gone> {
        match self.stream.flush().await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.end().await),
        }
    }

    /// Why nothing can be sent any more: a close frame may lie unread.
    async fn end(&mut self) -> Gone {
        soon("a broken socket ends", async {
            while self.closed.is_none() {
                match self.stream.next().await {
                    Some(Ok(Message::Close(frame))) => self.closed = Some(gone(frame)),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Gone::Lost,
                }
            }
            self.finish().await
        })
        .await
    }

    /// Waits for the next frame. Pings are answered and not shown. Nothing is lost where the wait is
    /// given up.
    pub async fn hear(&mut self) -> Result<wire::ServerFrame, Gone> {
        loop {
            if self.closed.is_some() {
                return Err(self.finish().await);
            }
            let Some(Ok(message)) = self.stream.next().await else { return Err(Gone::Lost) };
            let bytes: &[u8] = match &message {
                Message::Binary(bytes) => bytes,
                Message::Text(text) => text.as_bytes(),
                Message::Close(frame) => {
                    self.closed = Some(gone(frame.clone()));
                    continue;
                }
                _ => continue,
            };
            let kind = message.is_text() == (self.encoding == Encoding::Json);
            assert!(kind, "a message of the wrong kind for {:?}", self.encoding);
            let frame = decode_server(self.encoding, bytes).expect("the server's frames decode");
            if matches!(frame.frame, Some(In::Ping(_))) && self.pong {
                self.send(0, Out::Pong(wire::Pong {})).await?;
                continue;
            }
            return Ok(frame);
        }
    }

    /// Lets the closing handshake end, as RFC 6455 asks; then tells how the server closed.
    async fn finish(&mut self) -> Gone {
        soon("the closing handshake ends", async {
            while let Some(Ok(_)) = self.stream.next().await {}
        })
        .await;
        self.closed.clone().unwrap_or(Gone::Lost)
    }

    /// Reads on to the end; frames on the way are dropped.
    pub async fn gone(&mut self) -> Gone {
        soon("the server closes the socket", async {
            loop {
                if let Err(gone) = self.hear().await {
                    return gone;
                }
            }
        })
        .await
    }

    /// The TCP stream, to read or write bytes of one's own.
    pub fn tcp(&mut self) -> &mut TcpStream {
        self.stream.get_mut()
    }

    /// Closes as a browser does that leaves the page.
    pub async fn close(mut self) {
        // The server may have gone first.
        drop(self.stream.close(None).await);
        self.gone().await;
    }
}

fn gone(frame: Option<CloseFrame>) -> Gone {
    match frame {
        Some(frame) => {
            Gone::Closed { code: frame.code.into(), reason: frame.reason.as_str().to_owned() }
        }
        None => Gone::Closed { code: 1005, reason: String::new() },
    }
}
