//! The client's half of RFC 6455, as much as a generator needs: upgrade request, masked frames out,
//! unmasked unfragmented frames in.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{error::Error, link::Peer};

/// Opcodes.
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Of the second byte: the payload is masked; its length stands in the next 2 or 8 bytes.
const MASKED: u8 = 0x80;
const LENGTH_16: u8 = 0x7e;
const LENGTH_64: u8 = 0x7f;

/// More than any server frame needs.
const PAYLOAD_BYTES_MAX: u64 = 16 << 20;

/// A frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// Bytes of the whole frame.
    pub(crate) bytes: usize,
}

impl<'a> Frame<'a> {
    /// What a message holds; nothing of a ping or pong. A close frame ends the run of whoever is there.
    pub(crate) fn message(&self, peer: Peer) -> Result<Option<&'a [u8]>, Error> {
        match self.opcode {
            BINARY => Ok(Some(self.payload)),
            CLOSE => {
                let code = self.payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                Err(Error::Closed { peer: peer.to_string(), code })
            }
            _ => Ok(None),
        }
    }
}

/// The frame at the beginning of `bytes`; `None` while its end has not come.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Frame<'_>>, Error> {
    let [first, second, ..] = *bytes else { return Ok(None) };
    if first & 0xf0 != 0x80 || second & MASKED != 0 {
        return Err(Error::Malformed { what: "an unfragmented, unmasked frame" });
    }
    let (head, length) = match second {
        LENGTH_16 => match bytes.get(2..4) {
            Some(&[a, b]) => (4, u64::from(u16::from_be_bytes([a, b]))),
            _ => return Ok(None),
        },
        LENGTH_64 => match bytes.get(2..10).and_then(|length| <[u8; 8]>::try_from(length).ok()) {
            Some(length) => (10, u64::from_be_bytes(length)),
            None => return Ok(None),
        },
        short => (2, u64::from(short)),
    };
    if length > PAYLOAD_BYTES_MAX {
        return Err(Error::Malformed { what: "a frame of bearable size" });
    }
    let end = head + length as usize;
    Ok(bytes.get(head..end).map(|payload| Frame { opcode: first & 0x0f, payload, bytes: end }))
}

/// Appends the header of a masked frame; its payload follows, and [`mask`] over it.
pub(crate) fn begin(opcode: u8, payload_bytes: usize, key: [u8; 4], out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match payload_bytes {
        0..=125 => out.push(MASKED | payload_bytes as u8),
        126..=0xffff => {
            out.push(MASKED | LENGTH_16);
            out.extend_from_slice(&(payload_bytes as u16).to_be_bytes());
        }
        _ => {
            out.push(MASKED | LENGTH_64);
            out.extend_from_slice(&(payload_bytes as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key);
}

/// Bytes of a whole frame.
pub(crate) fn frame_bytes(payload_bytes: usize, masked: bool) -> usize {
    let length = match payload_bytes {
        0..=125 => 0,
        126..=0xffff => 2,
        _ => 8,
    };
    2 + length + if masked { 4 } else { 0 } + payload_bytes
}

/// Masks a whole payload in place.
pub(crate) fn mask(payload: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends one masked frame.
pub(crate) fn write(opcode: u8, payload: &[u8], key: [u8; 4], out: &mut Vec<u8>) {
    begin(opcode, payload.len(), key, out);
    let start = out.len();
    out.extend_from_slice(payload);
    mask(&mut out[start..], key);
}

/// The request that asks for the upgrade.
pub(crate) fn request(authority: &str, path: &str, nonce: [u8; 16], subprotocol: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\
         Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n",
        STANDARD.encode(nonce)
    )
    .into_bytes()
}

/// Where the answer's head ends; `None` while its end has not come. Anything but 101 is an error.
pub(crate) fn answer(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > 64 << 10 {
            Err(Error::Malformed { what: "the end of the upgrade's answer" })
        } else {
            Ok(None)
        };
    };
    let status = bytes.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    if status == Some(b"101") {
        return Ok(Some(end + 4));
    }
    let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let code = String::new();
    Err(Error::Http { method: "GET", path: "/ws/v1".into(), status: status.unwrap_or(0), code })
}

/// Mask keys: different for each frame, which is all a load test needs of them.
#[derive(Debug)]
pub(crate) struct Keys(u64);

impl Keys {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn next(&mut self) -> [u8; 4] {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) as u32).to_ne_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a server sends: the same frame, unmasked.
    fn unmasked(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        begin(opcode, payload.len(), [0; 4], &mut out);
        out.truncate(out.len() - 4);
        out[1] &= 0x7f;
        out.extend_from_slice(payload);
        out
    }

    #[test]
    fn the_masked_hello_of_the_rfc() {
        let mut out = Vec::new();
        write(1, b"Hello", [0x37, 0xfa, 0x21, 0x3d], &mut out);
        let expected = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(out, expected);
    }

    #[test]
    fn frames_of_all_lengths_come_back_and_wait_for_their_end() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536] {
            let payload: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let sent = unmasked(BINARY, &payload);
            assert_eq!(frame_bytes(length, false), sent.len());
            let mut masked = Vec::new();
            write(BINARY, &payload, [1; 4], &mut masked);
            assert_eq!(frame_bytes(length, true), masked.len());
            for short in [0, 1, 2, 3, 9, sent.len() - 1] {
                if short < sent.len() {
                    assert_eq!(read(&sent[..short]).expect("a beginning"), None);
                }
            }
            let frame = read(&sent).expect("a frame").expect("a whole frame");
            assert_eq!(
                (frame.opcode, frame.payload, frame.bytes),
                (BINARY, &payload[..], sent.len())
            );
        }
    }

    #[test]
    fn only_messages_hold_something_and_a_close_is_the_end() {
        let peer = Peer::Agent(3);
        let frame = |opcode, payload| Frame { opcode, payload, bytes: 0 };
        assert_eq!(frame(BINARY, b"ab").message(peer).expect("a message"), Some(&b"ab"[..]));
        for opcode in [PING, PONG] {
            assert_eq!(frame(opcode, b"ab").message(peer).expect("none"), None);
        }
        for (payload, expected) in [(&[0x0b, 0xb8][..], Some(3_000)), (&[], None)] {
            match frame(CLOSE, payload).message(peer) {
                Err(Error::Closed { peer, code }) => {
                    assert_eq!((peer.as_str(), code), ("agent 3", expected));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_a_server_must_not_send_is_refused() {
        for bytes in
            [&[0x02, 0x00][..], &[0x82, 0x80], &[0xc2, 0x00], &[0x82, 127, 1, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        assert!(answer(b"HTTP/1.1 403 Forbidden\r\n\r\n").is_err());
        assert_eq!(answer(b"HTTP/1.1 101 Switching").expect("a beginning"), None);
        assert_eq!(answer(b"HTTP/1.1 101 S\r\nA: b\r\n\r\nxy").expect("an answer"), Some(24));
    }

    proptest! {
        #[test]
        fn masking_twice_changes_nothing(payload: Vec<u8>, key: [u8; 4]) {
            let mut masked = payload.clone();
            mask(&mut masked, key);
            for (place, byte) in masked.iter().enumerate() {
                prop_assert_eq!(*byte, payload[place] ^ key[place % 4]);
            }
            mask(&mut masked, key);
            prop_assert_eq!(masked, payload);
        }
    }
}
