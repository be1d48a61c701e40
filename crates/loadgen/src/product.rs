//! What the generator says to the product: the public protocol over WebSocket, binary subprotocol.
//!
//! Messages are patched into a frame that was encoded once, and acks and deliveries are scanned for
//! the few fields a measurement needs: the generator has to cost less than the server, which reads
//! everything. The text says whose message it is, which one and when it was due.

mod scan;
mod setup;

use frontdesk_core::chat;
use frontdesk_protocol::wire::{self, client_frame, server_frame};
use prost::Message as _;

use crate::{
    descriptors,
    error::Error,
    generator::{Dialect, Happened},
    launch::ProductAccess,
    link::Peer,
    websocket::{self, Keys},
};

pub(crate) use setup::{
    Agent, Cast, Door, Pass, VisitorOf, begin, decode, last_seq, random, sign_in, split,
    tickets_door,
};

/// Bytes of a `client_msg_id`.
const ID_BYTES: usize = 16;
/// What a text begins with: a mark, visitor, number and due time in hexadecimal, a blank.
const MARK: u8 = b'm';
const HEAD_BYTES: usize = 1 + 8 + 16 + 16 + 1;
/// Stands for the text and the id while the frame is built; occurs nowhere else in it.
const TEXT_STAND_IN: u8 = b'~';
const ID_STAND_IN: u8 = 0xa5;

/// Frames of the product.
#[derive(Debug)]
pub(crate) struct Product {
    /// An encoded `ClientFrame` with a `Send`.
    template: Vec<u8>,
    id_at: usize,
    text_at: usize,
    text_bytes: usize,
    keys: Keys,
}

/// What a text says about itself.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    visitor: u32,
    number: u64,
    due_ns: u64,
}

impl Product {
    /// `run` makes the ids of this run rise above those of earlier ones: UTC milliseconds.
    fn new(text_bytes: usize, run_ms: u64, seed: u64) -> Result<Self, Error> {
        if text_bytes < HEAD_BYTES {
            return Err(Error::Options("a text has at least 42 bytes"));
        }
        let body = char::from(TEXT_STAND_IN).to_string().repeat(text_bytes);
        let frame = wire::ClientFrame {
            r#ref: 0,
            frame: Some(client_frame::Frame::Send(wire::Send {
                conversation: String::new(),
                client_msg_id: vec![ID_STAND_IN; ID_BYTES].into(),
                content: Some(text(body)),
                audience: chat::Audience::Everyone.into(),
            })),
        };
        let mut template = frame.encode_to_vec();
        let place = |of: u8, bytes: usize| {
            template.windows(bytes).position(|window| window.iter().all(|byte| *byte == of))
        };
        let id_at = place(ID_STAND_IN, ID_BYTES).expect("the frame holds its id");
        let text_at = place(TEXT_STAND_IN, text_bytes).expect("the frame holds its text");
        template[id_at..id_at + 6].copy_from_slice(&run_ms.to_be_bytes()[2..]);
        template[id_at + 6..id_at + 8].copy_from_slice(&(seed as u16).to_be_bytes());
        for (place, byte) in template[text_at..text_at + text_bytes].iter_mut().enumerate() {
            *byte = b"the quick brown fox jumps over the lazy dog "[place % 44];
        }
        template[text_at] = MARK;
        template[text_at + HEAD_BYTES - 1] = b' ';
        Ok(Self { template, id_at, text_at, text_bytes, keys: Keys::new(seed) })
    }

    /// With ids no earlier run had.
    pub(crate) fn fresh(text_bytes: usize) -> Result<Self, Error> {
        Self::new(text_bytes, setup::now_ms(), setup::random()?)
    }

    /// For connections that never write.
    pub(crate) fn silent() -> Result<Self, Error> {
        Self::fresh(HEAD_BYTES)
    }

    /// Signs in, makes agents and visitors, connects all of them and has every conversation begun,
    /// assigned and answered once.
    pub(crate) fn connect(
        access: &ProductAccess,
        visitors: u32,
        agents: u32,
        text_bytes: usize,
    ) -> Result<(Self, Cast), Error> {
        descriptors::check(visitors.saturating_add(agents))?;
        let mut product = Self::fresh(text_bytes)?;
        let cast = setup::connect(&mut product, access, visitors, agents)?;
        Ok((product, cast))
    }

    /// The id of the message of this number; 0 is what is said once in a conversation before the run.
    pub(crate) fn id(&self, number: u64) -> bytes::Bytes {
        let mut id = [0; ID_BYTES];
        id[..8].copy_from_slice(&self.template[self.id_at..self.id_at + 8]);
        id[8..].copy_from_slice(&number.to_be_bytes());
        id.to_vec().into()
    }

    /// Whose message a text is, and which one.
    pub(crate) fn said(&self, text: &[u8]) -> Option<(u32, u64)> {
        self.head(text).map(|head| (head.visitor, head.number))
    }

    fn head(&self, text: &[u8]) -> Option<Head> {
        if text.len() != self.text_bytes || text[0] != MARK {
            return None;
        }
        Some(Head {
            visitor: u32::try_from(number_from(&text[1..9])?).ok()?,
            number: number_from(&text[9..25])?,
            due_ns: number_from(&text[25..41])?,
        })
    }

    /// Appends a whole frame of any kind.
    pub(crate) fn frame(&mut self, frame: client_frame::Frame, reference: u32, out: &mut Vec<u8>) {
        let payload = wire::ClientFrame { r#ref: reference, frame: Some(frame) }.encode_to_vec();
        websocket::write(websocket::BINARY, &payload, self.keys.next(), out);
    }

    fn rare(
        &mut self,
        peer: Peer,
        payload: &[u8],
        out: &mut Vec<u8>,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Error> {
        let frame = wire::ServerFrame::decode(payload)
            .map_err(|_| Error::Malformed { what: "a server frame" })?;
        match frame.frame {
            Some(server_frame::Frame::Ping(_)) => {
                self.frame(client_frame::Frame::Pong(wire::Pong {}), frame.r#ref, out);
            }
            Some(server_frame::Frame::Refusal(refusal)) => {
                let number = id_number(&refusal.client_msg_id);
                match (peer, number) {
                    (Peer::Visitor(visitor), Some(number)) if number > 0 => {
                        happened.push(Happened::Refused { visitor, number });
                    }
                    _ => {
                        let what = "a frame of the generator";
                        return Err(Error::Refused { what, code: refusal.code });
                    }
                }
            }
            Some(server_frame::Frame::Error(error)) => {
                return Err(Error::Refused { what: "a connection", code: error.code });
            }
            _ => {}
        }
        Ok(())
    }
}

impl Dialect for Product {
    fn message(&mut self, visitor: u32, number: u64, due_ns: u64, out: &mut Vec<u8>) {
        let key = self.keys.next();
        websocket::begin(websocket::BINARY, self.template.len(), key, out);
        let start = out.len();
        out.extend_from_slice(&self.template);
        let payload = &mut out[start..];
        payload[self.id_at + 8..self.id_at + ID_BYTES].copy_from_slice(&number.to_be_bytes());
        let text = &mut payload[self.text_at..];
        write_number(u64::from(visitor), &mut text[1..9]);
        write_number(number, &mut text[9..25]);
        write_number(due_ns, &mut text[25..41]);
        websocket::mask(payload, key);
    }

    fn read(
        &mut self,
        peer: Peer,
        bytes: &[u8],
        out: &mut Vec<u8>,
        happened: &mut Vec<Happened>,
    ) -> Result<usize, Error> {
        let mut used = 0;
        while let Some(frame) = websocket::read(&bytes[used..])? {
            used += frame.bytes;
            if frame.opcode == websocket::PING {
                websocket::write(websocket::PONG, frame.payload, self.keys.next(), out);
            }
            let Some(message) = frame.message(peer)? else { continue };
            match scan::server_frame(message)? {
                scan::Seen::Ack { client_msg_id, seq } => {
                    if let (Peer::Visitor(visitor), Some(number)) = (peer, id_number(client_msg_id))
                        && number > 0
                    {
                        happened.push(Happened::Acked { visitor, number, place: seq });
                    }
                }
                scan::Seen::Entries(items) => {
                    if matches!(peer, Peer::Agent(_)) {
                        for said in scan::texts(items) {
                            let said = said?;
                            if let Some(head) = self.head(said.text)
                                && head.number > 0
                            {
                                happened.push(Happened::Delivered {
                                    visitor: head.visitor,
                                    number: head.number,
                                    place: said.seq,
                                    due_ns: head.due_ns,
                                });
                            }
                        }
                    }
                }
                scan::Seen::Ignored => {}
                scan::Seen::Rare => self.rare(peer, message, out, happened)?,
            }
        }
        Ok(used)
    }
}

pub(crate) fn text(body: String) -> chat::Content {
    let kind = Some(chat::content::Kind::Text(chat::Text { body }));
    chat::Content { kind, quote_seq: 0, ..Default::default() }
}

/// The conversation of an encoded frame with entries, and the files in it. Nothing of any other
/// frame.
pub(crate) fn files_said(payload: &[u8]) -> Result<(String, Vec<scan::FileSaid<'_>>), Error> {
    let scan::Seen::Entries(entries) = scan::server_frame(payload)? else {
        return Ok((String::new(), Vec::new()));
    };
    let (conversation, files) = scan::files(entries)?;
    Ok((String::from_utf8_lossy(conversation).into_owned(), files))
}

/// The number in the second half of an id.
fn id_number(id: &[u8]) -> Option<u64> {
    let number = id.get(ID_BYTES - 8..)?;
    <[u8; 8]>::try_from(number).ok().map(u64::from_be_bytes)
}

fn write_number(mut number: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

fn number_from(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(number << 4 | u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use frontdesk_protocol::{Encoding, decode_client};

    use super::*;

    /// The payload of a masked frame, as a server sees it.
    fn unmasked(sent: &[u8]) -> Vec<u8> {
        let head = if sent[1] & 0x7f == 126 { 4 } else { 2 };
        let key = [sent[head], sent[head + 1], sent[head + 2], sent[head + 3]];
        let mut payload = sent[head + 4..].to_vec();
        websocket::mask(&mut payload, key);
        payload
    }

    /// A server frame on the wire.
    fn from_server(frame: server_frame::Frame) -> Vec<u8> {
        let payload = wire::ServerFrame { r#ref: 0, frame: Some(frame) }.encode_to_vec();
        let mut out = vec![0x82, 126];
        out.extend_from_slice(&(payload.len() as u16).to_be_bytes());
        out.extend_from_slice(&payload);
        out
    }

    fn read(product: &mut Product, peer: Peer, bytes: &[u8]) -> (Vec<Happened>, Vec<u8>) {
        let (mut out, mut happened) = (Vec::new(), Vec::new());
        let used = product.read(peer, bytes, &mut out, &mut happened).expect("frames");
        assert_eq!(used, bytes.len());
        (happened, out)
    }

    #[test]
    fn a_patched_message_is_a_send_that_says_who_and_when() {
        let mut product = Product::new(200, 0x0102_0304_0506, 7).expect("a dialect");
        for (visitor, number, due_ns) in [(0, 1, 0), (999, u64::MAX, 12_345_678_901)] {
            let mut sent = Vec::new();
            product.message(visitor, number, due_ns, &mut sent);
            let frame = decode_client(Encoding::Proto, &unmasked(&sent)).expect("a frame");
            let Some(client_frame::Frame::Send(send)) = frame.frame else { panic!("{frame:?}") };
            assert_eq!(send.client_msg_id[..6], [1, 2, 3, 4, 5, 6]);
            assert_eq!(id_number(&send.client_msg_id), Some(number));
            let Some(chat::content::Kind::Text(text)) = send.content.and_then(|c| c.kind) else {
                panic!("no text")
            };
            assert_eq!(text.body.len(), 200);
            let head = product.head(text.body.as_bytes());
            assert_eq!(head, Some(Head { visitor, number, due_ns }));
        }
        assert!(Product::new(41, 0, 0).is_err());
    }

    #[test]
    fn acks_and_deliveries_are_seen_and_pings_answered() {
        let mut product = Product::new(100, 1, 1).expect("a dialect");
        let mut sent = Vec::new();
        product.message(3, 5, 77, &mut sent);
        let frame = decode_client(Encoding::Proto, &unmasked(&sent)).expect("a frame");
        let Some(client_frame::Frame::Send(send)) = frame.frame else { panic!("{frame:?}") };

        let ack = from_server(server_frame::Frame::Ack(wire::Ack {
            client_msg_id: send.client_msg_id.clone(),
            position: Some(wire::Position { epoch: 9, seq: 8 }),
            at_ms: 1_700_000_000_000,
            conversation: String::new(),
            id: "c".repeat(20),
        }));
        let (happened, out) = read(&mut product, Peer::Visitor(3), &ack);
        assert_eq!(happened, [Happened::Acked { visitor: 3, number: 5, place: 8 }]);
        assert!(out.is_empty());

        let entry = chat::Entry {
            seq: 8,
            id: "c".repeat(20),
            at_ms: 5,
            body: Some(chat::entry::Body::Content(send.content.expect("content"))),
            ..chat::Entry::default()
        };
        let item = chat::TimelineItem { item: Some(chat::timeline_item::Item::Entry(entry)) };
        let entries = from_server(server_frame::Frame::Entries(wire::Entries {
            conversation: "d".repeat(20),
            epoch: 9,
            items: vec![item],
        }));
        let expected = Happened::Delivered { visitor: 3, number: 5, place: 8, due_ns: 77 };
        assert_eq!(read(&mut product, Peer::Agent(0), &entries).0, [expected]);
        assert_eq!(read(&mut product, Peer::Visitor(3), &entries).0, []);

        let refusal = from_server(server_frame::Frame::Refusal(wire::Refusal {
            code: "rate_limited".to_owned(),
            client_msg_id: send.client_msg_id,
            ..wire::Refusal::default()
        }));
        let (happened, _) = read(&mut product, Peer::Visitor(3), &refusal);
        assert_eq!(happened, [Happened::Refused { visitor: 3, number: 5 }]);

        let ping = from_server(server_frame::Frame::Ping(wire::Ping {}));
        let (_, out) = read(&mut product, Peer::Agent(0), &ping);
        let pong = decode_client(Encoding::Proto, &unmasked(&out)).expect("a frame");
        assert_eq!(pong.frame, Some(client_frame::Frame::Pong(wire::Pong {})));
    }
}
