//! Why a history on MySQL cannot be opened, and why work on a shard did not succeed.

use frontdesk_core::id::ConversationId;
use frontdesk_mysql::OpenError;
use frontdesk_storage::HistoryError;

/// Why the history could not be opened. A shard is named by host, port and database.
#[derive(Debug, thiserror::Error)]
pub enum MySqlOpenError {
    /// There is none.
    #[error("no database is named: the history of a cluster needs one or more")]
    NoShard,
    /// One of them cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// Databases changed places.
    #[error(
        "{shard} is not the database that was number {number} of the shards: name the databases in \
         the order in which they were named first, new ones behind them"
    )]
    WrongShard {
        /// Where.
        shard: String,
        /// Its place, from 1.
        number: usize,
    },
    /// Databases are missing.
    #[error("the history lies on {known} databases, only {named} are named: name all of them")]
    MissingShards {
        /// How many hold it.
        known: usize,
        /// How many were named.
        named: usize,
    },
    /// The number of partitions stays.
    #[error("the history was created with {created} partitions, not {asked}: their number stays")]
    Partitions {
        /// How many it has.
        created: usize,
        /// How many were asked for.
        asked: u16,
    },
    /// Conversations lie in other partitions than this version would put them.
    #[error(
        "{shard} has conversation {conversation} in partition {found}, this version looks for it in {expected}: it was \
         written before the first release; begin with new databases and another topic, or keep the version that wrote it"
    )]
    Misplaced {
        /// Where.
        shard: String,
        /// One of them.
        conversation: ConversationId,
        /// Where it lies.
        found: u16,
        /// Where it should lie.
        expected: u16,
    },
    /// There is no thread for it.
    #[error("could not start the threads of the history")]
    Threads {
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// What comes of work on a connection that did not succeed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database says so.
    Sql(sqlx::Error),
    /// The history says so; the connection is as good as before.
    History(HistoryError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}
