//! Why a history on MySQL cannot be opened, and why a shard does not do what it is asked.

use frontdesk_storage::HistoryError;

/// Why the history could not be opened. A shard is named by host, port and database.
#[derive(Debug, thiserror::Error)]
pub enum MySqlOpenError {
    /// There is none.
    #[error("no database is named: the history of a cluster needs one or more")]
    NoShard,
    /// An address cannot be one.
    #[error(
        "address {number} of the databases must look like mysql://USER:PASSWORD@HOST:PORT/DATABASE"
    )]
    Url {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: sqlx::Error,
    },
    /// The address names no database.
    #[error("{shard} names no database: end its address with /DATABASE")]
    NoDatabase {
        /// Where.
        shard: String,
    },
    /// It does not answer.
    #[error(
        "could not connect to {shard}: check that MySQL or MariaDB runs there and is reachable"
    )]
    Connect {
        /// Where.
        shard: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// It did not answer in time.
    #[error(
        "{shard} did not answer in time: check that it runs, and that nothing holds locks there"
    )]
    Late {
        /// Where.
        shard: String,
    },
    /// The user or the password is wrong.
    #[error(
        "{shard} refuses the user: check name and password, and GRANT ALL ON the database to it"
    )]
    Refused {
        /// Where.
        shard: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The user's password cannot be sent over a connection that is not encrypted.
    #[error(
        "{shard} wants the password encrypted (caching_sha2_password): create the user \
         IDENTIFIED WITH mysql_native_password"
    )]
    Plugin {
        /// Where.
        shard: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database does not exist.
    #[error("{shard} does not exist: CREATE DATABASE it, or correct the address")]
    UnknownDatabase {
        /// Where.
        shard: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The server takes no more connections.
    #[error("{shard} takes no more connections: raise its max_connections")]
    Full {
        /// Where.
        shard: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A newer version has changed the tables.
    #[error(
        "the tables in {shard} are of a newer version (migration {version}): start a version \
         of frontdesk that is at least as new"
    )]
    TooNew {
        /// Where.
        shard: String,
        /// The migration this version does not know.
        version: i64,
    },
    /// The tables could not be created or brought up to date.
    #[error(
        "could not bring the tables in {shard} up to date: the user needs CREATE, ALTER and INDEX there"
    )]
    Migrate {
        /// Where.
        shard: String,
        /// Why.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A setting would lose or change data.
    #[error("{shard} has {setting} = {value}: {advice}")]
    Setting {
        /// Where.
        shard: String,
        /// Which setting.
        setting: &'static str,
        /// What it is.
        value: String,
        /// What to do.
        advice: &'static str,
    },
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
    /// A statement failed.
    #[error("could not {operation} in {shard}")]
    Statement {
        /// What was tried.
        operation: &'static str,
        /// Where.
        shard: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// There is no thread for it.
    #[error("could not start the threads of the history")]
    Threads {
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Why a shard does not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AwayError {
    #[error("it is away; connecting is tried again every second")]
    Away,
    #[error("it does not let anybody connect within {0:?}")]
    Connect(std::time::Duration),
    #[error("all {0} connections to it are in use")]
    Busy(u32),
    #[error("it did not answer within {0:?}")]
    Late(std::time::Duration),
    #[error("it takes no more connections: raise its max_connections")]
    Full(#[source] sqlx::Error),
    #[error("the connection was lost")]
    Lost(#[source] sqlx::Error),
    #[error("transactions that want the same rows got in its way {0} times")]
    Conflict(u32, #[source] sqlx::Error),
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

/// The server's number for an error.
pub(super) fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()?;
    Some(error.number())
}

/// Numbers of errors, the same for MySQL and MariaDB.
pub(super) mod numbers {
    pub(crate) const TOO_MANY_CONNECTIONS: u16 = 1040;
    pub(crate) const DATABASE_DENIED: u16 = 1044;
    pub(crate) const ACCESS_DENIED: u16 = 1045;
    pub(crate) const UNKNOWN_DATABASE: u16 = 1049;
    pub(crate) const SHUTDOWN: u16 = 1053;
    pub(crate) const KILLED: u16 = 1927;
    pub(crate) const TOO_MANY_USER_CONNECTIONS: u16 = 1203;
    pub(crate) const LOCK_WAIT_TIMEOUT: u16 = 1205;
    pub(crate) const DEADLOCK: u16 = 1213;
    pub(crate) const USER_LIMIT_REACHED: u16 = 1226;
}
