//! Drops repeats. Per sender the state knows the greatest `client_msg_id` (a greater one is certainly
//! new, so clients with rising ids never cause a look-up) and, in memory only, the newest ids with
//! the place each got. Anything else has to be asked of the history.

use std::collections::VecDeque;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{
    chat,
    id::MessageId,
    limits::{CLIENT_MSG_ID_BYTES, DEDUPE_IDS_MAX, SENDERS_MAX},
    store,
};

type ClientMsgId = [u8; CLIENT_MSG_ID_BYTES];

/// What the state knows about a `client_msg_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dedupe {
    /// Never stored.
    New,
    /// Stored before.
    Repeat {
        /// The place it got.
        seq: u64,
        /// Whether it said the same.
        same_content: bool,
    },
    /// Only the history knows.
    AskHistory,
}

/// A message the state remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    id: ClientMsgId,
    pub(super) seq: u64,
    pub(super) content_hash: u64,
    pub(super) at_ms: i64,
    pub(super) message: MessageId,
}

#[derive(Debug, Clone)]
struct Sender {
    id: String,
    greatest: ClientMsgId,
    /// The newest, oldest first, at most `DEDUPE_IDS_MAX`.
    recent: VecDeque<Sent>,
    /// Some id is not in `recent` any more.
    forgot: bool,
}

/// All senders of one conversation; the one that sent last stands last.
#[derive(Debug, Clone, Default)]
pub(super) struct Senders {
    senders: Vec<Sender>,
    forgot: bool,
}

pub(super) enum Known {
    New,
    Sent(Sent),
    AskHistory,
}

impl Senders {
    pub(super) fn decode(stored: Vec<store::Sender>, forgot: bool) -> Option<Self> {
        let senders = stored
            .into_iter()
            .map(|sender| {
                let greatest = ClientMsgId::try_from(&sender.greatest[..]).ok()?;
                Some(Sender { id: sender.id, greatest, recent: VecDeque::new(), forgot: true })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self { senders, forgot })
    }

    pub(super) fn encode(&self) -> (Vec<store::Sender>, bool) {
        let stored = self.senders.iter().map(|sender| store::Sender {
            id: sender.id.clone(),
            greatest: Bytes::copy_from_slice(&sender.greatest),
        });
        (stored.collect(), self.forgot)
    }

    pub(super) fn look_up(&self, sender: &str, client_msg_id: &[u8]) -> Known {
        let Ok(id) = ClientMsgId::try_from(client_msg_id) else { return Known::New };
        let Some(sender) = self.senders.iter().rev().find(|known| known.id == sender) else {
            return if self.forgot { Known::AskHistory } else { Known::New };
        };
        if id > sender.greatest {
            return Known::New;
        }
        match sender.recent.iter().rev().find(|sent| sent.id == id) {
            Some(sent) => Known::Sent(*sent),
            None if sender.forgot => Known::AskHistory,
            None => Known::New,
        }
    }

    pub(super) fn must_ask(&self, sender: &str, client_msg_id: &[u8]) -> bool {
        matches!(self.look_up(sender, client_msg_id), Known::AskHistory)
    }

    /// Remembers a stored message. Ids of another length (none at all) are not remembered.
    pub(super) fn remember(
        &mut self,
        sender: &str,
        client_msg_id: &[u8],
        (seq, content_hash, at_ms, message): (u64, u64, i64, MessageId),
    ) {
        let Ok(id) = ClientMsgId::try_from(client_msg_id) else { return };
        match self.senders.iter().rposition(|known| known.id == sender) {
            Some(at) => {
                let newest = self.senders.len() - 1;
                self.senders[at..=newest].rotate_left(1);
            }
            None => {
                if self.senders.len() == SENDERS_MAX {
                    self.senders.remove(0);
                    self.forgot = true;
                }
                // Once a sender was forgotten, this one may have sent before.
                let forgot = self.forgot;
                let sender = sender.to_owned();
                self.senders.push(Sender {
                    id: sender,
                    greatest: id,
                    recent: VecDeque::new(),
                    forgot,
                });
            }
        }
        let Some(sender) = self.senders.last_mut() else { return };
        sender.greatest = sender.greatest.max(id);
        if sender.recent.len() == DEDUPE_IDS_MAX {
            sender.recent.pop_front();
            sender.forgot = true;
        }
        sender.recent.push_back(Sent { id, seq, content_hash, at_ms, message });
    }

    /// Gives the memory of the newest ids back; the history answers for them from now on.
    pub(super) fn forget_recent(&mut self) {
        for sender in &mut self.senders {
            sender.forgot |= !sender.recent.is_empty();
            sender.recent = VecDeque::new();
        }
    }
}

/// Fields one after the other: XXH3 (64 bit) of each, seeded by what came before. The length counts
/// in XXH3, so fields do not run into each other. Stored: it never changes.
struct Fields(u64);

impl Fields {
    fn field(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn choices(&mut self, choices: &[chat::Choice]) {
        for choice in choices {
            self.field(choice.id.as_bytes());
            self.field(choice.label.as_bytes());
        }
    }
}

/// A stable hash of what a message says and to whom, to tell a repeat from another message with the
/// same id. Files count by their id: the rest of their description is the server's.
pub fn content_hash(audience: i32, content: &chat::Content) -> u64 {
    use chat::content::Kind;
    let mut hash = Fields(0);
    // Unspecified means everyone.
    hash.field(&[u8::from(audience == chat::Audience::Team as i32)]);
    match &content.kind {
        Some(Kind::Text(text)) => {
            hash.field(b"t");
            hash.field(text.body.as_bytes());
        }
        Some(Kind::File(file)) => {
            hash.field(b"f");
            hash.field(file.id.as_bytes());
        }
        Some(Kind::System(system)) => {
            hash.field(b"s");
            hash.field(system.key.as_bytes());
            for (name, value) in &system.params {
                hash.field(name.as_bytes());
                hash.field(value.as_bytes());
            }
        }
        Some(Kind::Choices(choices)) => {
            hash.field(b"c");
            hash.field(choices.body.as_bytes());
            hash.choices(&choices.choices);
        }
        Some(Kind::Form(form)) => {
            hash.field(b"q");
            hash.field(form.title.as_bytes());
            hash.field(form.submit.as_bytes());
            for field in &form.fields {
                hash.field(field.id.as_bytes());
                hash.field(field.label.as_bytes());
                hash.field(&field.kind.to_le_bytes());
                hash.field(&[u8::from(field.required)]);
                hash.choices(&field.options);
            }
        }
        Some(Kind::FormReply(reply)) => {
            hash.field(b"r");
            for value in &reply.values {
                hash.field(value.id.as_bytes());
                hash.field(value.label.as_bytes());
                hash.field(value.value.as_bytes());
            }
        }
        None => {}
    }
    hash.field(&content.quote_seq.to_le_bytes());
    for user in &content.mentions {
        hash.field(user.as_bytes());
    }
    // Only where there are any: what was stored before they were known hashes as it did.
    if !content.choice.is_empty() {
        hash.field(b"choice");
        hash.field(content.choice.as_bytes());
    }
    for source in &content.sources {
        hash.field(source.article.as_bytes());
    }
    hash.0
}
