//! What can go wrong between a proposal and its place.

use frontdesk_core::id::ConversationId;
use frontdesk_storage::{HistoryError, LogError};

/// Why a turn, a read or a replay failed. Nothing is acked when one of these comes back.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// The log did not take the turn's records.
    #[error("message log {log} refused the turn")]
    Append {
        /// Number of the log, one per edge loop.
        log: u16,
        /// What the log said, to every proposal of the turn.
        #[source]
        source: std::sync::Arc<LogError>,
    },
    /// The history could not be read.
    #[error("cannot read conversation {conversation} from the history")]
    Read {
        /// The conversation asked for.
        conversation: ConversationId,
        /// What the history said.
        #[source]
        source: HistoryError,
    },
    /// The history could not be written or asked for its offset.
    #[error("cannot bring the history up to log {log}")]
    History {
        /// Number of the log.
        log: u16,
        /// What the history said.
        #[source]
        source: HistoryError,
    },
    /// A stored record does not decode or is of an unknown kind: this partition stops here.
    #[error(
        "log {log} holds an unreadable record at offset {offset} (partition {partition}): {reason}"
    )]
    Record {
        /// Number of the log.
        log: u16,
        /// Offset of the record.
        offset: u64,
        /// Partition the record belongs to.
        partition: u16,
        /// What is wrong with it.
        reason: String,
    },
    /// A stored conversation state or entry does not decode.
    #[error("conversation {conversation} holds an unreadable {what}: {reason}")]
    Stored {
        /// The conversation.
        conversation: ConversationId,
        /// `state` or `entry`.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A proposal is of a kind this version does not know: it may not enter the log.
    #[error("malformed proposal: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A durable record could not be folded; nothing is taken behind it until a restart.
    #[error("log {log} stopped before its record at offset {offset}")]
    Stopped {
        /// Number of the log.
        log: u16,
        /// The record without a place.
        offset: u64,
    },
    /// The conversation's partition is owned by another loop or node, or by nobody for the moment.
    #[error("partition {partition} is not served here")]
    Elsewhere {
        /// The partition.
        partition: u16,
    },
    /// The log has not answered for long, and as much waits for it as may; try again soon.
    #[error("{proposals} proposals wait for log {log}")]
    Waiting {
        /// Number of the log.
        log: u16,
        /// How many.
        proposals: usize,
    },
    /// The history of this log cannot be written any more until a restart.
    #[error("the history of log {log} cannot be written")]
    HistoryFailed {
        /// Number of the log.
        log: u16,
    },
    /// The writer's thread did not start.
    #[error("cannot start the history writer of log {log}")]
    Thread {
        /// Number of the log.
        log: u16,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// More is folded than the history has taken; try again soon.
    #[error("the history lags behind by {bytes} bytes")]
    Lagging {
        /// Bytes folded and not yet written.
        bytes: usize,
    },
}

impl DispatchError {
    /// Whether nothing can be stored any more until a restart.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Append { source, .. } => {
                !matches!(**source, LogError::Full { .. } | LogError::TooLarge { .. })
            }
            Self::Stopped { .. } | Self::HistoryFailed { .. } => true,
            _ => false,
        }
    }

    /// Whether it is no fault of this process and ends by itself: the conversation is served elsewhere, or
    /// its database is away.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Elsewhere { .. } | Self::Waiting { .. } | Self::Lagging { .. } => true,
            Self::Read { source, .. } => matches!(source, HistoryError::Unavailable { .. }),
            _ => false,
        }
    }

    /// The stable code the sender of a refused proposal sees.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Append { source, .. } if matches!(**source, LogError::Full { .. }) => {
                "storage.full"
            }
            Self::Lagging { .. } | Self::Waiting { .. } => "overloaded",
            Self::Malformed { .. } => "request.invalid",
            _ => "storage.unavailable",
        }
    }
}
