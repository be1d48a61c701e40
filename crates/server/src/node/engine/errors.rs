//! What went wrong, as HTTP says it. Who asks learns what it can act on; the log learns the rest, here and once.

use std::time::Duration;

use frontdesk_api::engine::EngineError;
use frontdesk_catalog::Error as CatalogError;
use frontdesk_core::id::ConversationId;
use frontdesk_dispatcher::projections::ProjectionError;
use frontdesk_protocol::codes;
use frontdesk_router::Rejection;
use frontdesk_storage::HistoryError;

pub(in crate::node) fn unavailable() -> EngineError {
    EngineError::Unavailable { retry_after: Duration::from_secs(1) }
}

pub(in crate::node) fn refused(code: &'static codes::ErrorCode) -> EngineError {
    EngineError::Refused {
        code: code.code,
        message: code.text.to_owned(),
        detail: String::new(),
        retry_after: None,
    }
}

pub(super) fn rejected(rejection: Rejection) -> EngineError {
    if rejection.code.code == codes::CONVERSATION_UNKNOWN.code {
        return EngineError::UnknownConversation;
    }
    EngineError::Refused {
        code: rejection.code.code,
        message: rejection.code.text.to_owned(),
        detail: rejection.detail,
        retry_after: None,
    }
}

/// A history that is away says so itself.
pub(super) fn unread(conversation: ConversationId, error: &HistoryError) -> EngineError {
    match error {
        HistoryError::Unavailable { .. } => unavailable(),
        error => failed(conversation, error),
    }
}

pub(super) fn failed(
    conversation: ConversationId,
    error: &(dyn std::error::Error + 'static),
) -> EngineError {
    tracing::error!(conversation.id = %conversation, error, "cannot read a conversation");
    unavailable()
}

pub(in crate::node) fn broken(error: &ProjectionError) -> EngineError {
    tracing::error!(error = error as &dyn std::error::Error, "cannot read a list");
    unavailable()
}

pub(super) fn unsaid(error: &CatalogError) -> EngineError {
    tracing::error!(error = error as &dyn std::error::Error, "cannot read what is said of intents");
    unavailable()
}
