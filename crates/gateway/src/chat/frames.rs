//! Small builders for the frames that answer and push.

use frontdesk_core::chat;
use frontdesk_protocol::{
    codes::{ErrorCode, Retry},
    wire,
};

/// How long a client waits before it tries again what failed for a reason that passes, ms.
const RETRY_AFTER_MS: u32 = 1_000;

/// A refusal with a code of the table; the wait is filled in where trying again makes sense.
pub(super) fn refusal(code: &'static ErrorCode) -> wire::Refusal {
    wire::Refusal {
        code: code.code.to_owned(),
        message: code.text.to_owned(),
        retry_after_ms: (code.retry == Retry::Later).then_some(RETRY_AFTER_MS),
        ..wire::Refusal::default()
    }
}

/// A timeline item of one entry.
pub(super) fn item(entry: chat::Entry) -> chat::TimelineItem {
    chat::TimelineItem { item: Some(chat::timeline_item::Item::Entry(entry)) }
}

/// A timeline item of one entry that the reader may not see.
pub(super) fn skip(seq: u64) -> chat::TimelineItem {
    let skip = chat::Skip { from_seq: seq, to_seq: seq };
    chat::TimelineItem { item: Some(chat::timeline_item::Item::Skip(skip)) }
}

/// What a visitor may know of a session: who serves it and where it stands, nothing of the team's.
pub(super) fn session_for_visitor(session: &chat::Session) -> chat::Session {
    chat::Session {
        labels: Vec::new(),
        intent: String::new(),
        priority: 0,
        team: String::new(),
        pending_until_ms: 0,
        ..session.clone()
    }
}

/// Whether a visitor hears of this change.
pub(super) fn concerns_visitor(event: &chat::SessionEvent) -> bool {
    use chat::session_event::Change;
    !matches!(
        event.change,
        Some(
            Change::IntentSet(_)
                | Change::PrioritySet(_)
                | Change::LabelsSet(_)
                | Change::FirstAnswered(_)
                | Change::Pended(_)
        )
    )
}
