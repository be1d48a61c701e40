//! A client that can break every rule: raw frames over a blocking socket.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

pub(crate) struct Client {
    pub(crate) socket: BufReader<TcpStream>,
}

/// The headers of a good handshake.
pub(crate) const GOOD: &[&str] = &[
    "Host: test",
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: chat, frontdesk.v1.json",
];

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, b"")
    }

    /// Connects and sends `behind` in the same write as the handshake.
    pub(crate) fn connect_with(address: SocketAddr, behind: &[u8]) -> Self {
        let (mut client, head) = Self::request(address, "GET /ws", GOOD, behind);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client.socket.get_mut().set_nodelay(true).unwrap();
        client
    }

    /// Sends a request and reads the head of the answer.
    pub(crate) fn request(
        address: SocketAddr,
        line: &str,
        headers: &[&str],
        behind: &[u8],
    ) -> (Self, String) {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut bytes = format!("{line} HTTP/1.1\r\n{}\r\n\r\n", headers.join("\r\n")).into_bytes();
        bytes.extend_from_slice(behind);
        socket.write_all(&bytes).unwrap();
        // Small, since the test of idle connections counts these as well.
        let mut socket = BufReader::with_capacity(256, socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && socket.read_line(&mut head).unwrap() > 0 {}
        (Self { socket }, head)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.send(&frame(TEXT, text.as_bytes()));
    }

    /// The next frame: its first byte and its payload.
    pub(crate) fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.socket.read_exact(&mut head).unwrap();
        let len = match head[1] {
            126 => {
                let mut len = [0; 2];
                self.socket.read_exact(&mut len).unwrap();
                u64::from(u16::from_be_bytes(len))
            }
            127 => {
                let mut len = [0; 8];
                self.socket.read_exact(&mut len).unwrap();
                u64::from_be_bytes(len)
            }
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(len).unwrap()];
        self.socket.read_exact(&mut payload).unwrap();
        (head[0], payload)
    }

    pub(crate) fn hear(&mut self) -> String {
        let (first, payload) = self.frame();
        assert_eq!(first, TEXT, "{payload:?}");
        String::from_utf8(payload).unwrap()
    }

    /// Expects a close frame, answers it, expects the end of the stream; returns the code.
    pub(crate) fn closed(&mut self) -> u16 {
        let (first, payload) = self.frame();
        assert_eq!(first, CLOSE, "{payload:?}");
        let code = u16::from_be_bytes([payload[0], payload[1]]);
        // The server may have shut down already.
        drop(self.socket.get_mut().write_all(&frame(CLOSE, &payload[..2])));
        self.ended();
        code
    }

    pub(crate) fn ended(&mut self) {
        let mut rest = Vec::new();
        let read = self.socket.read_to_end(&mut rest);
        assert!(matches!(read, Ok(0)), "{read:?} {rest:?}");
    }
}

/// A masked frame.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    if payload.len() < 126 {
        bytes.push(0x80 | payload.len() as u8);
    } else if let Ok(len) = u16::try_from(payload.len()) {
        bytes.push(0xfe);
        bytes.extend_from_slice(&len.to_be_bytes());
    } else {
        bytes.push(0xff);
        bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    }
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}
