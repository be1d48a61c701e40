//! What can go wrong behind each seam, by what the caller does about it.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use frontdesk_core::id::ConversationId;

use crate::{NodeId, Offset};

/// A failed operation on the message log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Free space fell below the reserve. Nothing was written; retryable, ends by itself.
    #[error("the disk is full: {free_bytes} bytes free, {reserve_bytes} are kept in reserve")]
    Full {
        /// What is free now.
        free_bytes: u64,
        /// What is kept free for everything that is not a message.
        reserve_bytes: u64,
    },
    /// Records too large for this log. Nothing was written.
    #[error("{bytes} bytes are too large for the log, at most {bytes_max} fit")]
    TooLarge {
        /// The size of what was to be appended.
        bytes: u64,
        /// The largest that fits.
        bytes_max: u64,
    },
    /// An earlier write or sync failed: this log takes nothing more until a restart.
    #[error("the log is closed for writing after a failed write")]
    Poisoned,
    /// Another writer's records lie among these or before them: they are durable, but their places are not
    /// known before all of it has been read and folded. This log is closed; open it again.
    #[error("records of another writer lie behind offset {known}")]
    Overtaken {
        /// The last offset this log knew of.
        known: Offset,
    },
    /// What is stored is damaged. Nothing is skipped to go on.
    #[error("{} is damaged at {at}: {what}", file.display())]
    Corrupt {
        /// The damaged file, or the partition of a topic.
        file: PathBuf,
        /// Where: a byte of the file, an offset of the partition.
        at: u64,
        /// What is wrong there.
        what: String,
    },
    /// Records asked for were trimmed away.
    #[error("records before offset {first} are no longer in the log")]
    Trimmed {
        /// The oldest offset still kept.
        first: Offset,
    },
    /// The back end failed.
    #[error("could not {operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file, or on which topic.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl LogError {
    /// Whether sending again later may succeed without anybody's help to this process.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// A short name for metrics.
    pub fn metric_label(&self) -> &'static str {
        match self {
            Self::Full { .. } => "full",
            Self::TooLarge { .. } => "too_large",
            Self::Poisoned => "poisoned",
            Self::Overtaken { .. } => "overtaken",
            Self::Corrupt { .. } => "corrupt",
            Self::Trimmed { .. } => "trimmed",
            Self::Io { .. } => "io",
        }
    }
}

/// A failed operation on the history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// An earlier write or sync failed: nothing more is written until a restart.
    #[error("the history is closed for writing after a failed write")]
    Poisoned,
    /// A file is damaged.
    #[error("{} is damaged: {what}", file.display())]
    Corrupt {
        /// The damaged file, or the directory if the engine does not tell which.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A stored value cannot be what was written.
    #[error("the stored {what} of conversation {conversation} is damaged")]
    Damaged {
        /// Whose.
        conversation: ConversationId,
        /// Which value.
        what: &'static str,
    },
    /// History and log do not meet: records are missing between them.
    #[error(
        "log {} and the history do not meet: the history has applied offset {applied}, \
         the log holds {first} to {}", log.display(), next.saturating_sub(1)
    )]
    Gap {
        /// The log's directory.
        log: PathBuf,
        /// What the history applied.
        applied: Offset,
        /// The oldest offset in the log.
        first: Offset,
        /// The next offset of the log.
        next: Offset,
    },
    /// Another node took the partition: this one writes it no longer. Nothing was written.
    #[error("partition {log} is owned by another node; owning it again takes a higher epoch")]
    Fenced {
        /// Which partition.
        log: u16,
    },
    /// The history went on without this caller: an apply that was not answered was carried out after
    /// all. Nothing was written.
    #[error(
        "the history has applied offset {applied} of log {log} meanwhile; \
         ask for it and fold from there"
    )]
    Overtaken {
        /// Which log.
        log: u16,
        /// What the history has applied.
        applied: Offset,
    },
    /// The back end cannot be reached or does not answer. It may be asked again, also for the same batch:
    /// what was not answered may still have happened.
    #[error("could not {operation} in {place}")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// Where.
        place: String,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The back end failed.
    #[error("could not {operation} in {}", path.display())]
    Engine {
        /// What was tried.
        operation: &'static str,
        /// Where the history lies.
        path: PathBuf,
        /// What the engine said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A failed operation on the directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The directory holds as much as it may.
    #[error("the directory is full, it holds {entries_max} entries")]
    Full {
        /// The limit.
        entries_max: usize,
    },
    /// The back end cannot be reached or failed.
    #[error("could not {operation} in the directory")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A batch that will not arrive.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// Nobody receives for this node.
    #[error("node {node} does not receive")]
    Unreachable {
        /// Which node.
        node: NodeId,
    },
    /// The node's queue is full.
    #[error("the queue of node {node} is full")]
    Full {
        /// Which node.
        node: NodeId,
    },
    /// The back end cannot be reached or failed.
    #[error("could not {operation} on the bus")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}
