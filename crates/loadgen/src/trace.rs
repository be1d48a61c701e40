//! The scenario `trace`: how many bytes the same chat is in both subprotocols. A visitor and an agent
//! talk, every frame of both connections behind the welcome is kept, and its whole WebSocket frame
//! counted in either encoding: head, mask and payload.

use std::time::{Duration, Instant};

use frontdesk_protocol::{
    Encoding, encode_client, encode_server,
    wire::{self, client_frame, server_frame},
};
use prost::Message as _;
use serde::Serialize;

use crate::{
    error::{Error, io},
    launch::Server,
    link::Link,
    poll::Poller,
    product::{Product, last_seq, split, text},
    websocket,
};

const VISITOR: usize = 0;
const AGENT: usize = 1;
/// How long one line may take to reach the other side.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

/// A chat as people write it.
const LINES: &[(usize, &str)] = &[
    (VISITOR, "Hi! I ordered the green tea set last week and it still says \"preparing\"."),
    (AGENT, "Good morning! Let me look. Could you tell me the number of the order?"),
    (VISITOR, "It is 20418-7"),
    (AGENT, "Thank you. It left the warehouse an hour ago, the page will show it by noon."),
    (VISITOR, "oh good"),
    (VISITOR, "Can I still change the address? I am at work during the day."),
    (AGENT, "Yes, as long as it is in the same city. Which address should it go to?"),
    (VISITOR, "12 Mill Lane, second door, please ring at Weber"),
    (AGENT, "Done. You get a message with the new time within a few minutes."),
    (VISITOR, "谢谢!还有一个问题:可以开发票吗?"),
    (AGENT, "可以的,请告诉我公司名称和税号,我们会发到您的邮箱。"),
    (VISITOR, "好的,我稍后发给您 👍"),
    (AGENT, "不客气,祝您生活愉快!"),
    (VISITOR, "Perfect, that was quick. Bye!"),
];

/// What was found, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct TraceReport {
    /// `trace`.
    pub scenario: &'static str,
    /// Messages of the chat.
    pub messages: usize,
    /// Frames of both connections, both ways.
    pub frames: usize,
    /// Bytes of all of them in protobuf.
    pub proto_bytes: u64,
    /// Bytes of all of them in JSON.
    pub json_bytes: u64,
    /// Protobuf by JSON.
    pub ratio: f64,
}

/// Plays the chat and counts.
pub fn trace(server: &Server) -> Result<TraceReport, Error> {
    let access = server.product("only the product has two subprotocols")?;
    let (product, cast) = Product::connect(access, 1, 1, 200)?;
    let conversation =
        cast.owners.into_keys().next().ok_or(Error::Malformed { what: "a conversation" })?;
    let mut chat = Chat::new(product, cast.links, conversation)?;
    for (number, (who, line)) in (1..).zip(LINES) {
        chat.say(*who, number, line)?;
    }
    let Sizes { frames, proto, json } = chat.sizes;
    Ok(TraceReport {
        scenario: "trace",
        messages: LINES.len(),
        frames,
        proto_bytes: proto,
        json_bytes: json,
        ratio: proto as f64 / json as f64,
    })
}

#[derive(Debug, Default)]
struct Sizes {
    frames: usize,
    proto: u64,
    json: u64,
}

impl Sizes {
    /// Adds a frame by its payloads.
    fn add(&mut self, masked: bool, proto: usize, json: usize) {
        self.frames += 1;
        self.proto += websocket::frame_bytes(proto, masked) as u64;
        self.json += websocket::frame_bytes(json, masked) as u64;
    }

    fn client(&mut self, frame: &wire::ClientFrame) -> Result<(), Error> {
        let encode = |encoding, out: &mut Vec<u8>| encode_client(encoding, frame, out);
        self.add(true, size(Encoding::Proto, encode)?, size(Encoding::Json, encode)?);
        Ok(())
    }

    fn server(&mut self, frame: &wire::ServerFrame) -> Result<(), Error> {
        let encode = |encoding, out: &mut Vec<u8>| encode_server(encoding, frame, out);
        self.add(false, size(Encoding::Proto, encode)?, size(Encoding::Json, encode)?);
        Ok(())
    }
}

/// Bytes of a frame in one of the encodings.
fn size<E>(
    encoding: Encoding,
    encode: impl FnOnce(Encoding, &mut Vec<u8>) -> Result<(), E>,
) -> Result<usize, Error> {
    let mut out = Vec::new();
    encode(encoding, &mut out)
        .map_err(|_| Error::Malformed { what: "a frame that can be written" })?;
    Ok(out.len())
}

/// Both connections.
struct Chat {
    product: Product,
    poller: Poller,
    links: Vec<Link>,
    conversation: String,
    reference: u32,
    sizes: Sizes,
}

impl Chat {
    fn new(product: Product, links: Vec<Link>, conversation: String) -> Result<Self, Error> {
        let poller = Poller::new(8).map_err(io("poll"))?;
        for (key, link) in links.iter().enumerate() {
            link.register(&poller, key as u64)?;
        }
        Ok(Self { product, poller, links, conversation, reference: 100, sizes: Sizes::default() })
    }

    /// Somebody types and sends a line; the other side gets it and says that it was read.
    fn say(&mut self, who: usize, number: u64, line: &str) -> Result<(), Error> {
        let conversation = self.name(who);
        for typing in [true, false] {
            if !typing {
                let send = wire::Send {
                    conversation: conversation.clone(),
                    client_msg_id: self.product.id(number),
                    content: Some(text(line.to_owned())),
                    ..wire::Send::default()
                };
                self.send(who, client_frame::Frame::Send(send))?;
            }
            let conversation = conversation.clone();
            let draft = wire::Draft { conversation, typing, ..wire::Draft::default() };
            self.send(who, client_frame::Frame::Draft(draft))?;
        }
        let seq = self.until_delivered(who)?;
        let other = 1 - who;
        let cursor =
            wire::MoveCursor { conversation: self.name(other), delivered_seq: seq, read_seq: seq };
        self.send(other, client_frame::Frame::Cursor(cursor))
    }

    /// Visitors have one conversation and leave its name out.
    fn name(&self, who: usize) -> String {
        if who == AGENT { self.conversation.clone() } else { String::new() }
    }

    fn send(&mut self, who: usize, frame: client_frame::Frame) -> Result<(), Error> {
        self.reference += 1;
        self.sizes
            .client(&wire::ClientFrame { r#ref: self.reference, frame: Some(frame.clone()) })?;
        let mut out = Vec::new();
        self.product.frame(frame, self.reference, &mut out);
        self.links[who].send(&self.poller, who as u64, &out)
    }

    /// Until the sender has its ack and the other side the entry; its seq.
    fn until_delivered(&mut self, who: usize) -> Result<u64, Error> {
        let until = Instant::now() + LINE_TIMEOUT;
        let (mut acked, mut arrived) = (None, None);
        let (mut scratch, mut ready) = (vec![0; 64 << 10], Vec::new());
        loop {
            if let Some((acked, arrived)) = acked.zip(arrived)
                && arrived >= acked
            {
                return Ok(acked);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let what = "a line of the chat".to_owned();
                return Err(Error::Timeout { what, seconds: LINE_TIMEOUT.as_secs() });
            }
            self.poller.wait(&mut ready, Some(left)).map_err(io("poll"))?;
            for event in ready.iter().filter(|event| event.readable) {
                let index = event.key as usize;
                let (link, mut messages) = (&mut self.links[index], Vec::new());
                let peer = link.peer;
                let parse = |bytes: &[u8]| split(peer, bytes, &mut messages);
                link.receive(&self.poller, event.key, &mut scratch, parse)?;
                for message in messages {
                    let Some(frame) = self.kept(&message)? else { continue };
                    match frame {
                        server_frame::Frame::Ack(ack) if index == who => {
                            acked = ack.position.map(|position| position.seq);
                        }
                        server_frame::Frame::Entries(entries) if index != who => {
                            arrived = arrived.max(Some(last_seq(&entries.items)));
                        }
                        server_frame::Frame::Refusal(refusal) => {
                            return Err(Error::Refused { what: "a line", code: refusal.code });
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn kept(&mut self, message: &[u8]) -> Result<Option<server_frame::Frame>, Error> {
        let frame = wire::ServerFrame::decode(message)
            .map_err(|_| Error::Malformed { what: "a server frame" })?;
        self.sizes.server(&frame)?;
        Ok(frame.frame)
    }
}
