//! A WebSocket in plain bytes, without a runtime: for tests with so many sockets or messages that a
//! real client would be what is measured. It is greeted here, one step after the other; a
//! [`Swarm`](crate::Swarm) then serves hundreds of them on one thread.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use frontdesk_protocol::{
    Encoding, decode_server, encode_client,
    wire::{self, client_frame::Frame as Out, server_frame::Frame as In},
};
use socket2::{Domain, Type};

use crate::{Gone, PATIENCE, SocketOptions};

const BINARY: u8 = 2;
const CLOSE: u8 = 8;
/// What a socket is read with while it is greeted.
const READ_BYTES: usize = 16 << 10;

/// A connection of which the bytes that came and were not looked at yet are known.
#[derive(Debug)]
pub struct RawSocket {
    pub(crate) stream: TcpStream,
    pub(crate) unread: Vec<u8>,
}

impl RawSocket {
    /// Connects, and sends nothing. Of the options only the address and the buffers count.
    pub fn connect(server: SocketAddr, options: &SocketOptions) -> Self {
        let socket = socket2::Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        if let Some(bytes) = options.receive_buffer {
            socket.set_recv_buffer_size(bytes as usize).expect("a buffer");
        }
        if let Some(bytes) = options.send_buffer {
            socket.set_send_buffer_size(bytes as usize).expect("a buffer");
        }
        if let Some(from) = options.from {
            socket.bind(&SocketAddr::new(from, 0).into()).expect("an address of the loopback");
        }
        socket.connect_timeout(&server.into(), PATIENCE).expect("the server accepts");
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).expect("an open socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("an open socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("an open socket");
        Self { stream, unread: Vec::new() }
    }

    /// Writes these bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server takes the bytes");
    }

    /// Asks for a WebSocket; [`Self::upgraded`] reads the answer.
    pub fn ask_for_upgrade(&mut self) {
        let host = self.stream.peer_addr().expect("a connected socket");
        let subprotocol = Encoding::Proto.subprotocol();
        // The key of RFC 6455's example: the server has no use for its randomness.
        let request = format!(
            "GET /ws/v1 HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
        );
        self.write(request.as_bytes());
    }

    /// Waits until the upgrade is granted.
    pub fn upgraded(&mut self) {
        let end = loop {
            let end = self.unread.windows(4).position(|window| window == b"\r\n\r\n");
            match end {
                Some(end) => break end + 4,
                None => self.read(),
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        assert!(head.starts_with("HTTP/1.1 101 "), "no upgrade: {head}");
        self.unread.drain(..end);
    }

    /// Sends a frame.
    pub fn send(&mut self, reference: u32, frame: Out) {
        let bytes = client_bytes(reference, frame);
        self.write(&bytes);
    }

    /// Waits for the next frame.
    pub fn hear(&mut self) -> wire::ServerFrame {
        loop {
            if let Some((frame, used)) = split(&self.unread) {
                let heard = match frame {
                    Raw::Message(payload) => Some(server_frame(payload)),
                    Raw::Close(gone) => panic!("closed while it was greeted: {gone:?}"),
                    Raw::Control => None,
                };
                self.unread.drain(..used);
                match heard {
                    Some(frame) => return frame,
                    None => continue,
                }
            }
            self.read();
        }
    }

    /// Sends a frame and waits for its answer; other frames on the way are dropped.
    pub fn ask(&mut self, reference: u32, frame: Out) -> In {
        self.send(reference, frame);
        loop {
            let heard = self.hear();
            if heard.r#ref == reference {
                return heard.frame.expect("an answer says something");
            }
        }
    }

    /// Opens the WebSocket and says who it is.
    pub fn greet(&mut self, hello: wire::Hello) -> wire::Welcome {
        self.ask_for_upgrade();
        self.upgraded();
        match self.ask(1, Out::Hello(hello)) {
            In::Welcome(welcome) => *welcome,
            other => panic!("no welcome: {other:?}"),
        }
    }

    fn read(&mut self) {
        let mut bytes = [0; READ_BYTES];
        match self.stream.read(&mut bytes) {
            Ok(0) => panic!("the server ended the connection while it was greeted"),
            Ok(count) => self.unread.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("the server says nothing: {error}"),
        }
    }
}

/// A frame of the server's.
pub(crate) enum Raw<'a> {
    Message(&'a [u8]),
    Close(Gone),
    /// A ping or pong of RFC 6455, which the server does not need answered.
    Control,
}

/// The frame at the beginning of `bytes` and its length; `None` while its end has not come.
pub(crate) fn split(bytes: &[u8]) -> Option<(Raw<'_>, usize)> {
    let [first, second, ..] = *bytes else { return None };
    assert!(first & 0xf0 == 0x80 && second & 0x80 == 0, "whole, unmasked frames are expected");
    let (head, length) = match second {
        126 => (4, u64::from(u16::from_be_bytes(*bytes[2..].first_chunk()?))),
        127 => (10, u64::from_be_bytes(*bytes[2..].first_chunk()?)),
        short => (2, u64::from(short)),
    };
    let end = head + usize::try_from(length).expect("a bearable frame");
    let payload = bytes.get(head..end)?;
    let frame = match first & 0x0f {
        BINARY => Raw::Message(payload),
        CLOSE => Raw::Close(match payload.split_first_chunk() {
            Some((code, reason)) => Gone::Closed {
                code: u16::from_be_bytes(*code),
                reason: String::from_utf8_lossy(reason).into_owned(),
            },
            None => Gone::Closed { code: 1005, reason: String::new() },
        }),
        _ => Raw::Control,
    };
    Some((frame, end))
}

/// A frame of the subprotocol, decoded.
pub fn server_frame(payload: &[u8]) -> wire::ServerFrame {
    decode_server(Encoding::Proto, payload).expect("the server's frames decode")
}

/// A frame as it goes over the network, to be prepared before the time that counts.
pub fn client_bytes(reference: u32, frame: Out) -> Vec<u8> {
    let frame = wire::ClientFrame { r#ref: reference, frame: Some(frame) };
    let mut payload = Vec::new();
    encode_client(Encoding::Proto, &frame, &mut payload).expect("tests write what has a form");
    let mut bytes = vec![0x80 | BINARY];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        middle @ 126..=0xffff => {
            bytes.push(0xfe);
            bytes.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            bytes.push(0xff);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    // A key of zeros masks nothing: nobody between the two ends could be fooled.
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_lengths_are_split_at_their_end() {
        for length in [0_usize, 125, 126, 65_535, 65_536] {
            let mut bytes = vec![0x82];
            match length {
                0..=125 => bytes.push(length as u8),
                126..=0xffff => {
                    bytes.push(126);
                    bytes.extend_from_slice(&(length as u16).to_be_bytes());
                }
                _ => {
                    bytes.push(127);
                    bytes.extend_from_slice(&(length as u64).to_be_bytes());
                }
            }
            bytes.resize(bytes.len() + length, 7);
            let whole = bytes.len();
            bytes.extend_from_slice(&[0x88, 3, 0x0b, 0xc0, b'x']);
            for short in [0, 1, 2, whole - 1] {
                if short < whole {
                    assert!(split(&bytes[..short]).is_none(), "{short} of {whole}");
                }
            }
            let Some((Raw::Message(payload), used)) = split(&bytes) else { panic!("no message") };
            assert_eq!((payload.len(), used), (length, whole));
            let Some((Raw::Close(gone), 5)) = split(&bytes[used..]) else { panic!("no close") };
            assert_eq!(gone, Gone::Closed { code: 3_008, reason: "x".to_owned() });
        }
    }
}
