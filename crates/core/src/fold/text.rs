//! The system entries that session changes leave: key and parameters, rendered by each reader. The
//! keys are those of the protocol crate's table, which a test there compares.

use crate::{
    chat::{self, Audience},
    id::MessageId,
};

macro_rules! keys {
    ($($name:ident = $key:literal;)+) => {
        $(pub(super) const $name: &str = $key;)+
        /// The key of every text a change of a session may leave.
        pub const TEXT_KEYS: &[&str] = &[$($key),+];
    };
}

keys! {
    QUEUED = "session.queued";
    ASSIGNED = "session.assigned";
    TAKEN_OVER = "session.taken_over";
    TRANSFERRED_AGENT = "session.transferred_agent";
    TRANSFERRED_TEAM = "session.transferred_team";
    CLOSED = "session.closed";
    CLOSED_IDLE = "session.closed_idle";
    IDLE_WARNING = "session.idle_warning";
    REOPENED = "session.reopened";
    UNATTENDED = "session.unattended";
    JOINED = "participant.joined";
    LEFT = "participant.left";
}

/// A system text on its way into an entry.
pub(super) struct Text {
    audience: Audience,
    text: chat::SystemText,
}

impl Text {
    /// For everybody.
    pub(super) fn new(key: &str) -> Self {
        let text = chat::SystemText { key: key.to_owned(), ..chat::SystemText::default() };
        Self { audience: Audience::Everyone, text }
    }

    /// For the team alone.
    pub(super) fn for_team(self) -> Self {
        Self { audience: Audience::Team, ..self }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.text.params.insert(name.to_owned(), value.into());
        self
    }

    /// The entry, still without its number.
    pub(super) fn into_entry(self, id: MessageId, actor: chat::Actor) -> chat::Entry {
        let content = chat::Content {
            kind: Some(chat::content::Kind::System(self.text)),
            ..chat::Content::default()
        };
        chat::Entry {
            id: id.to_string(),
            actor: Some(actor),
            audience: self.audience as i32,
            body: Some(chat::entry::Body::Content(content)),
            ..chat::Entry::default()
        }
    }
}
