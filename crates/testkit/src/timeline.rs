//! What a client holds of one conversation, by the reader's rules of docs/protocol.md section 6. Every
//! breach of them by the server is a panic: a hole, an entry under another seq, a resume that gives
//! too little or too much (I3, I6).

use std::collections::BTreeMap;

use frontdesk_core::chat::{self, TimelineItem, content::Kind, entry::Body, timeline_item::Item};
use frontdesk_protocol::wire;

/// One line under its seq.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// Something visible.
    Entry(Box<chat::Entry>),
    /// The own message, known by its ack.
    Own {
        /// Its id.
        client_msg_id: Vec<u8>,
    },
    /// Something this reader may not see.
    Skip,
}

/// First seq of an item.
pub fn first_seq(item: &TimelineItem) -> u64 {
    match item.item.as_ref().expect("an item is an entry or a skip") {
        Item::Entry(entry) => entry.seq,
        Item::Skip(skip) => skip.from_seq,
    }
}

/// Last seq of an item.
pub fn last_seq(item: &TimelineItem) -> u64 {
    match item.item.as_ref().expect("an item is an entry or a skip") {
        Item::Entry(entry) => entry.seq,
        Item::Skip(skip) => skip.to_seq,
    }
}

/// The text of a message; `None` for everything else.
pub fn text_of(entry: &chat::Entry) -> Option<&str> {
    match entry.body.as_ref()? {
        Body::Content(content) => match content.kind.as_ref()? {
            Kind::Text(text) => Some(&text.body),
            _ => None,
        },
        _ => None,
    }
}

/// The key of a system text; `None` for everything else.
pub fn system_key(entry: &chat::Entry) -> Option<&str> {
    match entry.body.as_ref()? {
        Body::Content(content) => match content.kind.as_ref()? {
            Kind::System(system) => Some(&system.key),
            _ => None,
        },
        _ => None,
    }
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// The epoch of the positions; 0 before the first.
    pub epoch: u64,
    /// What is held, by seq.
    pub lines: BTreeMap<u64, Line>,
    /// Held without a hole up to here.
    pub held: u64,
    /// How often a resume gave exactly what was missed.
    pub recovered: u64,
    /// How often everything held was dropped for the newest page.
    pub reloaded: u64,
}

impl Timeline {
    /// What to present on reconnecting; `None` while nothing was ever shown.
    pub fn position(&self) -> Option<wire::Position> {
        (self.epoch != 0).then_some(wire::Position { epoch: self.epoch, seq: self.held })
    }

    /// Takes the answer to a hello or an open. `presented` is the position sent with it.
    #[track_caller]
    pub fn open(&mut self, opened: &wire::Opened, presented: Option<wire::Position>) {
        let position = opened.position.expect("an opened names its position");
        if opened.recovered {
            let presented = presented.expect("only a presented position can be recovered");
            assert_eq!(presented.epoch, position.epoch, "recovered over a change of the epoch");
            let mut next = presented.seq + 1;
            for item in &opened.items {
                assert_eq!(first_seq(item), next, "I6: a resume with a hole or a repeat");
                next = last_seq(item) + 1;
            }
            assert_eq!(next, position.seq + 1, "I6: a resume that gives not all that was missed");
            self.recovered += 1;
        } else {
            if presented.is_some() {
                self.reloaded += 1;
            }
            self.lines.clear();
            let first = opened.items.first().map_or(position.seq + 1, first_seq);
            assert_eq!(first > 1 && position.seq > 0, opened.more_before, "more_before is wrong");
            let mut next = first;
            for item in &opened.items {
                assert_eq!(first_seq(item), next, "I3: a page with a hole");
                next = last_seq(item) + 1;
            }
            assert_eq!(next, position.seq + 1, "I3: a page that is not the newest");
            self.held = first - 1;
        }
        self.epoch = position.epoch;
        for item in &opened.items {
            self.item(item);
        }
        // A sender's acks may have been ahead of a position only if something was lost.
        assert!(self.held <= position.seq.max(self.held), "held beyond the conversation");
        if opened.recovered {
            assert!(self.held >= position.seq, "I6: less is held than was recovered");
        } else {
            self.held = position.seq;
        }
    }

    /// Takes pushed items.
    #[track_caller]
    pub fn entries(&mut self, entries: &wire::Entries) {
        assert_eq!(entries.epoch, self.epoch, "entries of another epoch");
        for item in &entries.items {
            self.item(item);
        }
    }

    /// Takes the ack of an own message.
    #[track_caller]
    pub fn ack(&mut self, ack: &wire::Ack) {
        let position = ack.position.expect("an ack has a position");
        assert_eq!(position.epoch, self.epoch, "an ack of another epoch");
        // The ack of a repeat names the old place, perhaps older than the page that is held.
        if position.seq > self.held {
            assert_eq!(position.seq, self.held + 1, "I3: a hole before an own message");
            self.held = position.seq;
            let client_msg_id = ack.client_msg_id.to_vec();
            self.lines.insert(position.seq, Line::Own { client_msg_id });
        } else if let Some(Line::Skip) = self.lines.get(&position.seq) {
            panic!("I3: seq {} is a skip and an own message", position.seq);
        }
    }

    #[track_caller]
    fn item(&mut self, item: &TimelineItem) {
        match item.item.as_ref().expect("an item is an entry or a skip") {
            Item::Entry(entry) => self.entry(entry),
            Item::Skip(skip) => {
                assert!(skip.from_seq <= skip.to_seq && skip.from_seq > 0, "an empty skip");
                assert!(skip.from_seq <= self.held + 1, "I3: a hole before a skip");
                for seq in skip.from_seq..=skip.to_seq {
                    self.lines.entry(seq).or_insert(Line::Skip);
                }
                self.held = self.held.max(skip.to_seq);
            }
        }
    }

    #[track_caller]
    fn entry(&mut self, entry: &chat::Entry) {
        let tombstone = matches!(entry.body, Some(Body::Tombstone(_)));
        let seq = entry.seq;
        match self.lines.get(&seq) {
            Some(Line::Entry(known)) if !tombstone && known.body != entry.body => {
                let was_tombstone = matches!(known.body, Some(Body::Tombstone(_)));
                assert!(was_tombstone, "I3: seq {seq} changed its content");
                return;
            }
            Some(Line::Skip) => panic!("I3: seq {seq} was a skip before"),
            _ => {}
        }
        assert!(seq <= self.held + 1, "I3: a hole, {} held, {seq} came", self.held);
        self.held = self.held.max(seq);
        self.lines.insert(seq, Line::Entry(Box::new(entry.clone())));
    }

    /// Visible entries in order.
    pub fn entries_held(&self) -> impl Iterator<Item = &chat::Entry> {
        self.lines.values().filter_map(|line| match line {
            Line::Entry(entry) => Some(&**entry),
            _ => None,
        })
    }

    /// Texts of messages others sent, in order.
    pub fn texts(&self) -> Vec<&str> {
        self.entries_held().filter_map(text_of).collect()
    }

    /// Keys of system texts, in order.
    pub fn system_keys(&self) -> Vec<&str> {
        self.entries_held().filter_map(system_key).collect()
    }
}
