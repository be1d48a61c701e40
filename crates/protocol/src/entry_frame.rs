//! The frame most often sent: one entry, pushed to one connection.
//!
//! The entry was encoded for the history already. Its bytes go out as they are, without the
//! `client_msg_id`, which is for its sender: they are cut where that field lies, and the frame is put
//! around them by hand. A test holds this to the generated encoding.

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

/// Field numbers: `ServerFrame.entries`, `Entries.{conversation, epoch, items}`, `TimelineItem.entry`.
const ENTRIES: u32 = 5;
const CONVERSATION: u32 = 1;
const EPOCH: u32 = 2;
const ITEMS: u32 = 3;
const ENTRY: u32 = 1;

/// Of `Entry`. Fields are written in the order of their numbers.
const CLIENT_MSG_ID: u64 = 6;

/// A push of [`Entries`](crate::wire::Entries) with one entry.
#[derive(Debug)]
pub struct EntryFrame<'a> {
    conversation: &'a str,
    epoch: u64,
    /// The encoded entry before and behind its `client_msg_id`.
    entry: [&'a [u8]; 2],
}

impl<'a> EntryFrame<'a> {
    /// `conversation` is empty towards a visitor; `entry` is an encoded
    /// [`Entry`](frontdesk_core::chat::Entry). `None` if it is not.
    pub fn new(conversation: &'a str, epoch: u64, entry: &'a [u8]) -> Option<Self> {
        Some(Self { conversation, epoch, entry: without_client_msg_id(entry)? })
    }

    fn entry_bytes(&self) -> usize {
        self.entry[0].len() + self.entry[1].len()
    }

    fn item_bytes(&self) -> usize {
        field_len(ENTRY, self.entry_bytes())
    }

    fn entries_bytes(&self) -> usize {
        let conversation = match self.conversation.len() {
            0 => 0,
            bytes => field_len(CONVERSATION, bytes),
        };
        let epoch = if self.epoch == 0 { 0 } else { key_len(EPOCH) + size_of::<u64>() };
        conversation + epoch + field_len(ITEMS, self.item_bytes())
    }

    /// Bytes of the frame.
    pub fn encoded_len(&self) -> usize {
        field_len(ENTRIES, self.entries_bytes())
    }

    /// Appends the frame in the binary subprotocol.
    pub fn encode(&self, out: &mut Vec<u8>) {
        begin(ENTRIES, self.entries_bytes(), out);
        if !self.conversation.is_empty() {
            begin(CONVERSATION, self.conversation.len(), out);
            out.extend_from_slice(self.conversation.as_bytes());
        }
        if self.epoch != 0 {
            encode_key(EPOCH, WireType::SixtyFourBit, out);
            out.extend_from_slice(&self.epoch.to_le_bytes());
        }
        begin(ITEMS, self.item_bytes(), out);
        begin(ENTRY, self.entry_bytes(), out);
        out.extend_from_slice(self.entry[0]);
        out.extend_from_slice(self.entry[1]);
    }
}

/// What lies before and behind the field.
fn without_client_msg_id(entry: &[u8]) -> Option<[&[u8]; 2]> {
    let mut rest = entry;
    while !rest.is_empty() {
        let (before, field) = (rest, varint(&mut rest)?);
        if field >> 3 > CLIENT_MSG_ID {
            return Some([entry, &[]]);
        }
        match field & 7 {
            0 => drop(varint(&mut rest)?),
            1 => rest = rest.get(8..)?,
            2 => {
                let bytes = usize::try_from(varint(&mut rest)?).ok()?;
                rest = rest.get(bytes..)?;
            }
            5 => rest = rest.get(4..)?,
            _ => return None,
        }
        if field >> 3 == CLIENT_MSG_ID {
            return Some([&entry[..entry.len() - before.len()], rest]);
        }
    }
    Some([entry, &[]])
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    // Nearly all of them have one byte.
    if let [byte @ 0..0x80, behind @ ..] = *rest {
        *rest = behind;
        return Some(u64::from(*byte));
    }
    prost::encoding::decode_varint(rest).ok()
}

/// Bytes of a field of so many bytes, with its key and length.
fn field_len(number: u32, bytes: usize) -> usize {
    key_len(number) + encoded_len_varint(bytes as u64) + bytes
}

fn begin(number: u32, bytes: usize, out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes as u64, out);
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use frontdesk_core::chat::{self, Entry, TimelineItem, timeline_item::Item};
    use prost::Message as _;

    use super::*;
    use crate::wire::{Entries, ServerFrame, server_frame::Frame};

    #[test]
    fn it_is_what_the_generated_code_writes() {
        for text in ["", "short", &"long ".repeat(5_000)] {
            for conversation in ["", "d4s0q1h2q5k3v8m6n700"] {
                for (epoch, client_msg_id) in [(0, Bytes::new()), (7, vec![3; 16].into())] {
                    let text = chat::Text { body: text.to_owned() };
                    let content = chat::Content {
                        kind: Some(chat::content::Kind::Text(text)),
                        ..Default::default()
                    };
                    let stored = Entry {
                        seq: 300,
                        id: "d4s0q1h2q5k3v8m6n701".to_owned(),
                        client_msg_id,
                        session: "d4s0q1h2q5k3v8m6n702".to_owned(),
                        body: Some(chat::entry::Body::Content(content)),
                        ..Entry::default()
                    };
                    let bytes = stored.encode_to_vec();
                    let frame = EntryFrame::new(conversation, epoch, &bytes).expect("an entry");
                    let mut written = Vec::new();
                    frame.encode(&mut written);
                    assert_eq!(written.len(), frame.encoded_len());
                    let entry = Entry { client_msg_id: Bytes::new(), ..stored };
                    let items = vec![TimelineItem { item: Some(Item::Entry(entry)) }];
                    let entries = Entries { conversation: conversation.to_owned(), epoch, items };
                    let generated = ServerFrame { r#ref: 0, frame: Some(Frame::Entries(entries)) };
                    assert_eq!(written, generated.encode_to_vec());
                }
            }
        }
    }
    #[test]
    fn what_is_no_entry_is_not_sent() {
        let entry = Entry { seq: 300, id: "d4s0q1h2q5k3v8m6n701".to_owned(), ..Entry::default() };
        let bytes = entry.encode_to_vec();
        assert!(EntryFrame::new("", 1, &bytes[..bytes.len() - 1]).is_none());
        assert!(EntryFrame::new("", 1, &[0x0b]).is_none(), "a group");
    }
}
