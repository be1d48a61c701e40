//! The system entries that session changes leave: key and parameters, rendered by each reader. The
//! keys are those of the protocol crate's table, which a test there compares.

use crate::{
    chat::{self, Audience},
    id::MessageId,
};

pub(super) const QUEUED: &str = "session.queued";
pub(super) const ASSIGNED: &str = "session.assigned";
pub(super) const TAKEN_OVER: &str = "session.taken_over";
pub(super) const TRANSFERRED_AGENT: &str = "session.transferred_agent";
pub(super) const TRANSFERRED_TEAM: &str = "session.transferred_team";
pub(super) const CLOSED: &str = "session.closed";
pub(super) const CLOSED_IDLE: &str = "session.closed_idle";
pub(super) const IDLE_WARNING: &str = "session.idle_warning";
pub(super) const REOPENED: &str = "session.reopened";
pub(super) const UNATTENDED: &str = "session.unattended";
pub(super) const JOINED: &str = "participant.joined";
pub(super) const LEFT: &str = "participant.left";

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
