//! The frame most often sent: one entry, pushed to one connection.
//!
//! Encoded by hand around the generated encoding of the entry. The generated code asks for the length
//! of everything inside once on each level, five here; and each of them compares an empty
//! `client_msg_id` with `b""`, which reads (masked out) from an address that does not exist and costs
//! 130 ns of fault handling on current x86 processors. A test holds this to the generated encoding.

use frontdesk_core::chat::Entry;
use prost::{
    Message as _,
    encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len},
};

/// Field numbers: `ServerFrame.entries`, `Entries.{conversation, epoch, items}`, `TimelineItem.entry`.
const ENTRIES: u32 = 5;
const CONVERSATION: u32 = 1;
const EPOCH: u32 = 2;
const ITEMS: u32 = 3;
const ENTRY: u32 = 1;

/// A push of [`Entries`](crate::wire::Entries) with one entry.
#[derive(Debug)]
pub struct EntryFrame<'a> {
    conversation: &'a str,
    epoch: u64,
    entry: &'a Entry,
    entry_bytes: usize,
}

impl<'a> EntryFrame<'a> {
    /// `conversation` is empty towards a visitor.
    pub fn new(conversation: &'a str, epoch: u64, entry: &'a Entry) -> Self {
        Self { conversation, epoch, entry, entry_bytes: entry.encoded_len() }
    }

    fn item_bytes(&self) -> usize {
        field_len(ENTRY, self.entry_bytes)
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
        begin(ENTRY, self.entry_bytes, out);
        self.entry.encode_raw(out);
    }
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
    use frontdesk_core::chat::{self, TimelineItem, timeline_item::Item};

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
                    let entry = Entry {
                        seq: 300,
                        id: "d4s0q1h2q5k3v8m6n701".to_owned(),
                        client_msg_id,
                        body: Some(chat::entry::Body::Content(content)),
                        ..Entry::default()
                    };
                    let frame = EntryFrame::new(conversation, epoch, &entry);
                    let mut written = Vec::new();
                    frame.encode(&mut written);
                    assert_eq!(written.len(), frame.encoded_len());
                    let items = vec![TimelineItem { item: Some(Item::Entry(entry.clone())) }];
                    let entries = Entries { conversation: conversation.to_owned(), epoch, items };
                    let generated = ServerFrame { r#ref: 0, frame: Some(Frame::Entries(entries)) };
                    assert_eq!(written, generated.encode_to_vec());
                }
            }
        }
    }
}
