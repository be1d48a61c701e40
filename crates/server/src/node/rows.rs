//! List rows: a conversation as one line of an agent's list.

use frontdesk_api::engine::View;
use frontdesk_catalog::Presence as Stored;
use frontdesk_core::{chat::SessionStatus, id::AccountId};
use frontdesk_dispatcher::{Summary, projections::ConversationRow};
use frontdesk_protocol::wire;
use frontdesk_router::access::{self, Principal, Subject};

/// What a row says that the conversation itself does not know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beside {
    /// What people call the visitor; empty while nobody does.
    pub(crate) visitor_name: String,
    pub(crate) visitor_online: bool,
}

/// Whether lists keep the conversation in memory: it is open, or somebody has to read a mention.
pub(crate) fn is_live(summary: &Summary) -> bool {
    is_open(summary) || !summary.mentioned.is_empty()
}

/// Whether the conversation has an open session.
pub(crate) fn is_open(summary: &Summary) -> bool {
    summary.session.as_ref().is_some_and(|session| {
        !matches!(session.status(), SessionStatus::Closed | SessionStatus::Unspecified)
    })
}

/// Whether the principal owns the session or takes part in it.
pub(crate) fn takes_part(principal: &Principal, summary: &Summary) -> bool {
    summary.session.as_ref().is_some_and(|session| {
        session.owner.iter().chain(&session.participants).any(|who| who.id == principal.id)
    })
}

/// Whether a conversation of this account stands in the principal's lists: it is open, or mentions the
/// principal.
pub(crate) fn is_listed(account: AccountId, principal: &Principal, summary: &Summary) -> bool {
    let subject =
        Subject { conversation: summary.conversation, account, session: summary.session.as_ref() };
    let due = is_open(summary) || summary.mentions(&principal.id);
    due && access::may_read(principal, &subject)
}

/// Whether a conversation that is listed belongs to this view.
pub(crate) fn is_in(view: View, principal: &Principal, summary: &Summary) -> bool {
    let queued =
        summary.session.as_ref().is_some_and(|session| session.status() == SessionStatus::Queued);
    match view {
        View::Mine => is_open(summary) && takes_part(principal, summary),
        View::Queue => queued,
        View::Open => is_open(summary),
        View::Mentioned => summary.mentions(&principal.id),
        View::Closed => false,
    }
}

/// A closed conversation's row, as stored.
pub(crate) fn stored_row(row: &ConversationRow, reader: &str, epoch: u64) -> wire::Row {
    wire::Row {
        conversation: row.conversation.to_string(),
        visitor: row.visitor.to_string(),
        visitor_name: row.contact_name.clone(),
        session: row.session.clone(),
        last: row.last.clone(),
        position: Some(wire::Position { epoch, seq: row.last_seq }),
        unread: u32::from(row.is_unread_for(reader)),
        visitor_online: false,
        language: row.language.clone(),
        mentioned: row.mentioned.iter().any(|user| user == reader),
    }
}

/// The row as this reader sees it.
pub(crate) fn row(summary: &Summary, reader: &str, beside: Beside, epoch: u64) -> wire::Row {
    wire::Row {
        conversation: summary.conversation.to_string(),
        visitor: summary.origin.visitor.clone(),
        visitor_name: beside.visitor_name,
        session: summary.session.clone(),
        last: summary.last.clone(),
        position: Some(wire::Position { epoch, seq: summary.last_seq }),
        unread: summary.unread(reader),
        visitor_online: beside.visitor_online,
        language: summary.origin.language.clone(),
        mentioned: summary.mentions(reader),
    }
}

/// The stored choice as a wire value.
pub(crate) fn presence(stored: Stored) -> wire::Presence {
    match stored {
        Stored::Online => wire::Presence::Online,
        Stored::Away => wire::Presence::Away,
        Stored::Offline => wire::Presence::Offline,
    }
}

/// A wire value as the stored choice.
pub(crate) fn stored_presence(presence: wire::Presence) -> Stored {
    match presence {
        wire::Presence::Online => Stored::Online,
        wire::Presence::Away => Stored::Away,
        wire::Presence::Offline | wire::Presence::Unspecified => Stored::Offline,
    }
}
