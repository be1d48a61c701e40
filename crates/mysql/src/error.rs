//! Why a database cannot be opened, why it does not do what it is asked, and what its numbers mean.

use std::time::Duration;

/// Why a database could not be opened. It is named by host, port and database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
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
    #[error("{address} names no database: end its address with /DATABASE")]
    NoDatabase {
        /// Where.
        address: String,
    },
    /// It does not answer.
    #[error(
        "could not connect to {address}: check that MySQL or MariaDB runs there and is reachable"
    )]
    Connect {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// It did not answer in time.
    #[error(
        "{address} did not answer in time: check that it runs, and that nothing holds locks there"
    )]
    Late {
        /// Where.
        address: String,
    },
    /// The user or the password is wrong.
    #[error(
        "{address} refuses the user: check name and password, and GRANT ALL ON the database to it"
    )]
    Refused {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The user's password cannot be sent over a connection that is not encrypted.
    #[error(
        "{address} wants the password encrypted (caching_sha2_password): create the user \
         IDENTIFIED WITH mysql_native_password"
    )]
    Plugin {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database does not exist.
    #[error("{address} does not exist: CREATE DATABASE it, or correct the address")]
    UnknownDatabase {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The server takes no more connections.
    #[error("{address} takes no more connections: raise its max_connections")]
    Full {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A newer version has changed the tables.
    #[error(
        "the tables in {address} are of a newer version (migration {version}): start a version \
         of frontdesk that is at least as new"
    )]
    TooNew {
        /// Where.
        address: String,
        /// The migration this version does not know.
        version: i64,
    },
    /// The tables could not be created or brought up to date.
    #[error(
        "could not bring the tables in {address} up to date: the user needs CREATE, ALTER, INDEX and REFERENCES there"
    )]
    Migrate {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A setting would lose or change data.
    #[error("{address} has {setting} = {value}: {advice}")]
    Setting {
        /// Where.
        address: String,
        /// Which setting.
        setting: &'static str,
        /// What it is.
        value: String,
        /// What to do.
        advice: &'static str,
    },
    /// A statement failed.
    #[error("could not {operation} in {address}")]
    Statement {
        /// What was tried.
        operation: &'static str,
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
}

/// Why a database does not answer.
#[derive(Debug, thiserror::Error)]
pub enum AwayError {
    /// It was away a moment ago.
    #[error("it is away; connecting is tried again every second")]
    Away,
    /// It lets nobody connect.
    #[error("it does not let anybody connect within {0:?}")]
    Connect(Duration),
    /// Others use all connections.
    #[error("all {0} connections to it are in use")]
    Busy(u32),
    /// The deadline has passed.
    #[error("it did not answer within {0:?}")]
    Late(Duration),
    /// The server gives no more connections.
    #[error("it takes no more connections: raise its max_connections")]
    Full(#[source] sqlx::Error),
    /// The connection ended.
    #[error("the connection was lost")]
    Lost(#[source] sqlx::Error),
    /// Deadlocks and locks, again and again.
    #[error("transactions that want the same rows got in its way {0} times")]
    Conflict(u32, #[source] sqlx::Error),
}

/// The server's number for an error.
pub fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()?;
    Some(error.number())
}

/// Numbers of errors, the same for MySQL and MariaDB.
#[expect(missing_docs, reason = "the names say it all")]
pub mod numbers {
    pub const TOO_MANY_CONNECTIONS: u16 = 1040;
    pub const DATABASE_DENIED: u16 = 1044;
    pub const ACCESS_DENIED: u16 = 1045;
    pub const UNKNOWN_DATABASE: u16 = 1049;
    pub const SHUTDOWN: u16 = 1053;
    pub const DUPLICATE_ENTRY: u16 = 1062;
    pub const TOO_MANY_USER_CONNECTIONS: u16 = 1203;
    pub const LOCK_WAIT_TIMEOUT: u16 = 1205;
    pub const DEADLOCK: u16 = 1213;
    pub const USER_LIMIT_REACHED: u16 = 1226;
    pub const TRUNCATED_VALUE: u16 = 1292;
    pub const WRONG_VALUE: u16 = 1366;
    pub const KILLED: u16 = 1927;
}

/// Whether the server takes no more connections.
pub fn is_full(error: &sqlx::Error) -> bool {
    matches!(
        number(error),
        Some(
            numbers::TOO_MANY_CONNECTIONS
                | numbers::TOO_MANY_USER_CONNECTIONS
                | numbers::USER_LIMIT_REACHED
        )
    )
}

/// Whether other transactions got in the way.
pub fn is_conflict(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(numbers::LOCK_WAIT_TIMEOUT | numbers::DEADLOCK))
}

/// Whether the connection is none any more.
pub fn is_lost(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed)
        || matches!(number(error), Some(numbers::SHUTDOWN | numbers::KILLED))
}

/// Whether the server's words for an error repeat what was to be stored: nothing for a log.
pub fn shows_values(error: &sqlx::Error) -> bool {
    matches!(
        number(error),
        Some(numbers::DUPLICATE_ENTRY | numbers::TRUNCATED_VALUE | numbers::WRONG_VALUE)
    )
}
