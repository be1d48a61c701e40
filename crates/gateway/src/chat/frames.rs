//! Small builders for the frames that answer and push.

use frontdesk_core::{chat, id::ConversationId};
use frontdesk_dispatcher::DispatchError;
use frontdesk_protocol::{
    codes::{self, ErrorCode, Retry},
    wire,
};

use frontdesk_router::Rejection;

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

/// A refusal as the router words it, with the wait where trying again makes sense.
pub(super) fn rejected(rejection: &Rejection) -> wire::Refusal {
    wire::Refusal { detail: rejection.detail.clone(), ..refusal(rejection.code) }
}

/// Logs that a conversation could not be read, and gives the code for whoever asked. That its partition has
/// moved, or that its database is away, is no fault of this process.
pub(super) fn unreadable(
    conversation: ConversationId,
    error: &DispatchError,
) -> &'static ErrorCode {
    let error_text = error as &dyn std::error::Error;
    if error.is_passing() {
        tracing::debug!(conversation.id = %conversation, error = error_text, "not readable now");
    } else {
        tracing::error!(
            conversation.id = %conversation,
            error = error_text,
            "cannot read a conversation"
        );
    }
    &codes::STORAGE_UNAVAILABLE
}

/// A timeline item of one entry.
pub(super) fn item(entry: chat::Entry) -> chat::TimelineItem {
    chat::TimelineItem { item: Some(chat::timeline_item::Item::Entry(entry)) }
}
