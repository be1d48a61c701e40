//! Reads only what a measurement needs out of encoded server frames, without allocating: where an
//! ack places a message, and the texts of entries with their seqs. Field numbers are those of
//! `proto/wire/v1/frame.proto` and `proto/chat/v1/session.proto`; tests compare with the generated
//! types.

use crate::error::Error;

/// A server frame, as far as it is looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen<'a> {
    Ack {
        client_msg_id: &'a [u8],
        seq: u64,
    },
    /// The `Entries` message.
    Entries(&'a [u8]),
    /// A push that a measurement does not need: lists, sessions, receipts, presence.
    Ignored,
    /// Worth decoding whole.
    Rare,
}

/// A text in a timeline.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said<'a> {
    pub(super) seq: u64,
    pub(super) text: &'a [u8],
}

pub(super) fn server_frame(frame: &[u8]) -> Result<Seen<'_>, Error> {
    let mut seen = Seen::Rare;
    for field in Fields(frame) {
        seen = match field? {
            (3, Value::Bytes(ack)) => {
                let (mut client_msg_id, mut seq) = (&[][..], 0);
                for field in Fields(ack) {
                    match field? {
                        (1, Value::Bytes(id)) => client_msg_id = id,
                        (2, Value::Bytes(position)) => {
                            for field in Fields(position) {
                                if let (2, Value::Number(number)) = field? {
                                    seq = number;
                                }
                            }
                        }
                        _ => {}
                    }
                }
                Seen::Ack { client_msg_id, seq }
            }
            (5, Value::Bytes(entries)) => Seen::Entries(entries),
            // Session, cursor, draft, feed, presence, queue place, viewers.
            (7..=12 | 18, Value::Bytes(_)) => Seen::Ignored,
            _ => continue,
        };
    }
    Ok(seen)
}

/// The texts among the items of an `Entries` message.
pub(super) fn texts(entries: &[u8]) -> impl Iterator<Item = Result<Said<'_>, Error>> {
    Fields(entries).filter_map(|field| match field {
        Ok((3, Value::Bytes(item))) => said(item).transpose(),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// A file in a timeline: its seq and its id.
pub(crate) type FileSaid<'a> = (u64, &'a [u8]);

/// The conversation of an `Entries` message, and the files among its items.
pub(super) fn files(entries: &[u8]) -> Result<(&[u8], Vec<FileSaid<'_>>), Error> {
    let (mut conversation, mut found) = (&[][..], Vec::new());
    for field in Fields(entries) {
        match field? {
            (1, Value::Bytes(name)) => conversation = name,
            (3, Value::Bytes(item)) => {
                let Some((seq, content)) = content_of(item)? else { continue };
                if let Some(file) = bytes_of(content, 2)?
                    && let Some(id) = bytes_of(file, 1)?
                {
                    found.push((seq, id));
                }
            }
            _ => {}
        }
    }
    Ok((conversation, found))
}

/// TimelineItem.entry.content.text.body, with the entry's seq.
fn said(item: &[u8]) -> Result<Option<Said<'_>>, Error> {
    let Some((seq, content)) = content_of(item)? else { return Ok(None) };
    let Some(text) = bytes_of(content, 1)? else { return Ok(None) };
    Ok(bytes_of(text, 1)?.map(|text| Said { seq, text }))
}

/// TimelineItem.entry.content, with the entry's seq.
fn content_of(item: &[u8]) -> Result<Option<(u64, &[u8])>, Error> {
    let Some(entry) = bytes_of(item, 1)? else { return Ok(None) };
    let (mut seq, mut content) = (0, None);
    for field in Fields(entry) {
        match field? {
            (1, Value::Number(number)) => seq = number,
            (10, Value::Bytes(bytes)) => content = Some(bytes),
            _ => {}
        }
    }
    Ok(content.map(|content| (seq, content)))
}

fn bytes_of(message: &[u8], number: u32) -> Result<Option<&[u8]>, Error> {
    for field in Fields(message) {
        if let (found, Value::Bytes(bytes)) = field?
            && found == number
        {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

#[derive(Debug)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a fixed size; none of them is looked at.
    Fixed,
}

/// The fields of one message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn split(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(bytes)
    }

    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.split(8).map(|_| Value::Fixed)?,
            2 => {
                let bytes = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.split(bytes)?)
            }
            5 => self.split(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        Some((u32::try_from(tag >> 3).ok()?, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            // Nothing behind a malformed field can be read.
            self.0 = &[];
        }
        Some(field.ok_or(Error::Malformed { what: "a protobuf field" }))
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::chat;
    use frontdesk_protocol::wire::{self, server_frame::Frame};
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    fn encoded(reference: u32, frame: Frame) -> Vec<u8> {
        wire::ServerFrame { r#ref: reference, frame: Some(frame) }.encode_to_vec()
    }

    #[test]
    fn frames_a_measurement_does_not_need_are_told_from_those_worth_reading() {
        let update = wire::PresenceUpdate::default();
        for frame in [
            Frame::Session(Box::default()),
            Frame::Feed(wire::FeedChanges::default()),
            Frame::Presence(update),
            Frame::Viewers(wire::Viewers::default()),
        ] {
            assert_eq!(server_frame(&encoded(0, frame)).expect("a frame"), Seen::Ignored);
        }
        for frame in [
            Frame::Ping(wire::Ping {}),
            Frame::Done(wire::Done {}),
            Frame::Refusal(wire::Refusal::default()),
            Frame::Error(wire::Error::default()),
            Frame::GoAway(wire::GoAway::default()),
            Frame::Rejoin(wire::Rejoin::default()),
        ] {
            assert_eq!(server_frame(&encoded(4, frame)).expect("a frame"), Seen::Rare);
        }
    }

    #[test]
    fn files_are_found_among_texts() {
        let file = chat::File { id: "f".repeat(32), name: "a.bin".into(), ..Default::default() };
        let said = |seq, kind| {
            let content = chat::Content { kind: Some(kind), ..Default::default() };
            let body = Some(chat::entry::Body::Content(content));
            let entry = chat::Entry { seq, body, ..Default::default() };
            chat::TimelineItem { item: Some(chat::timeline_item::Item::Entry(entry)) }
        };
        let text = chat::content::Kind::Text(chat::Text { body: "f".into() });
        let items = vec![said(8, text), said(9, chat::content::Kind::File(file.clone()))];
        let entries = wire::Entries { conversation: "c".into(), epoch: 1, items };
        let found = files(&entries.encode_to_vec()).map(|(of, files)| {
            (of.to_vec(), files.into_iter().map(|(seq, id)| (seq, id.to_vec())).collect::<Vec<_>>())
        });
        let expected = (b"c".to_vec(), vec![(9, file.id.into_bytes())]);
        assert_eq!(found.expect("entries"), expected);
    }

    proptest! {
        #[test]
        fn scanning_finds_what_decoding_finds(
            reference: u32, id: [u8; 16], epoch: u64, seq: u64, at_ms: i64,
            texts_said in proptest::collection::vec((any::<u64>(), ".{1,40}"), 0..4),
        ) {
            let ack = wire::Ack {
                client_msg_id: id.to_vec().into(),
                position: Some(wire::Position { epoch, seq }),
                at_ms,
                conversation: String::new(),
                id: "x".into(),
            };
            let bytes = encoded(reference, Frame::Ack(ack));
            let expected = Seen::Ack { client_msg_id: &id, seq };
            prop_assert_eq!(server_frame(&bytes).expect("an ack"), expected);

            let items = texts_said.iter().map(|(seq, body)| {
                let text = chat::Text { body: body.clone() };
                let kind = Some(chat::content::Kind::Text(text));
                let content = chat::Content { kind, quote_seq: 3, ..Default::default() };
                let entry = chat::Entry {
                    seq: *seq,
                    at_ms,
                    actor: Some(chat::Actor { name: "n".into(), ..chat::Actor::default() }),
                    body: Some(chat::entry::Body::Content(content)),
                    ..chat::Entry::default()
                };
                chat::TimelineItem { item: Some(chat::timeline_item::Item::Entry(entry)) }
            });
            let entries = wire::Entries { conversation: "c".into(), epoch, items: items.collect() };
            let bytes = encoded(reference, Frame::Entries(entries));
            let Seen::Entries(entries) = server_frame(&bytes).expect("entries") else {
                panic!("not seen as entries")
            };
            let found: Vec<(u64, String)> = texts(entries)
                .map(|said| said.expect("a text"))
                .map(|said| (said.seq, String::from_utf8_lossy(said.text).into_owned()))
                .collect();
            prop_assert_eq!(found, texts_said);
            prop_assert_eq!(files(entries).expect("entries"), (&b"c"[..], Vec::new()));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            if let Ok(Seen::Entries(entries)) = server_frame(&bytes) {
                let _found = texts(entries).count();
            }
        }
    }
}
