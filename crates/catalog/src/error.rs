//! What can go wrong between a caller and the catalog, with the code each error shows to clients.

use std::path::PathBuf;
use std::sync::Arc;

use frontdesk_mysql::{OpenError, is_conflict, is_lost, number, shows_values};

/// Why the catalog refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such thing in this account; things of other accounts are unknown too.
    #[error("{what} is unknown")]
    NotFound {
        /// The kind of thing, for example `user`.
        what: &'static str,
    },
    /// The change collides with what exists.
    #[error("{what}: {reason}")]
    Conflict {
        /// The thing or field that collides.
        what: &'static str,
        /// Why, as a stable word: `taken`, `in_use`, `member_elsewhere`, ...
        reason: &'static str,
    },
    /// A value that can never be accepted.
    #[error("{field} is not valid: {reason}")]
    Invalid {
        /// The field, or the key of the setting.
        field: String,
        /// Why, as a stable word: `empty`, `too_long`, `too_common`, ...
        reason: &'static str,
    },
    /// A file finds no room.
    #[error("the {whose} has no room for this file")]
    Quota {
        /// `visitor` or `account`.
        whose: &'static str,
    },
    /// Who asks may not give what they do not have.
    #[error("the right {right} is missing")]
    Forbidden {
        /// Code of the right, or `owner`.
        right: &'static str,
    },
    /// Every account keeps an owner who can sign in.
    #[error("the last owner of an account cannot be removed, disabled or given another role")]
    LastOwner,
    /// Wrong e-mail address or password, or a user who may not enter: deliberately one error.
    #[error("e-mail address or password is wrong")]
    SignInFailed,
    /// The login session is unknown, over or revoked.
    #[error("the login session is over")]
    SessionOver,
    /// The set-up token is wrong or too old, or there is an account already.
    #[error("the set-up link is not valid any more")]
    SetupOver,
    /// The invitation is unknown, used, withdrawn or too old, or who made it may not give the role
    /// any more.
    #[error("the invitation is not valid any more")]
    InvitationOver,
    /// The database was written by a newer version of Frontdesk.
    #[error(
        "{} was written by a newer version of frontdesk (schema {found}, this version knows {known}); \
         start that version, or restore a backup made before the upgrade", path.display()
    )]
    NewerVersion {
        /// The database file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema this version knows.
        known: i64,
    },
    /// The database cannot be written.
    #[error("{} cannot be written: check the owner and mode of the file and its directory", path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },
    /// A sync or write of the database failed; it is read, and written again only by another process.
    #[error(
        "a write to {} failed, and nothing more is written to it: check the disk, then start frontdesk again",
        path.display()
    )]
    WritesStopped {
        /// The database file.
        path: PathBuf,
    },
    /// Another process holds the database, longer than we wait.
    #[error("{} is locked by another process", path.display())]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// The database cannot be opened or brought to this version's schema.
    #[error("{} cannot be opened", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the database engine said.
        #[source]
        source: sqlx::Error,
    },
    /// A migration failed; the database is as it was before that migration.
    #[error("{} cannot be migrated", path.display())]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// What the migrator said.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("the catalog failed to {operation}")]
    Sql {
        /// What was tried, for example `read users`.
        operation: &'static str,
        /// What the database engine said.
        #[source]
        source: sqlx::Error,
    },
    /// The database does not answer; it is tried again with every call.
    #[error("the catalog failed to {operation}: its database does not answer, try again")]
    Unavailable {
        /// What was tried, for example `read users`.
        operation: &'static str,
        /// What happened.
        #[source]
        source: sqlx::Error,
    },
    /// Other nodes hold what has to be changed, for longer than a caller waits.
    #[error("the catalog failed to {operation}: others change the same, try again")]
    Contended {
        /// What was tried, for example `set a setting`.
        operation: &'static str,
        /// What the database engine said.
        #[source]
        source: sqlx::Error,
    },
    /// A database that nodes share cannot be opened.
    #[error(transparent)]
    Shared(#[from] OpenError),
    /// There is no file to copy: the catalog lies in a database that nodes share.
    #[error("the catalog lies in MySQL: copy it by mariadb-dump or mysqldump")]
    NoFile,
    /// The one commit of several writes failed, and all of them with it.
    #[error("a write that shares its commit with others failed")]
    Batch {
        /// What failed.
        #[source]
        source: Arc<Error>,
    },
    /// A stored value that this version cannot read.
    #[error("the catalog holds a {what} that cannot be read")]
    Stored {
        /// Which column.
        what: &'static str,
    },
    /// More sign-ins or writes wait for their turn than can be served in time.
    #[error("too much to do at once, try again")]
    Overloaded,
    /// The password hash could not be computed.
    #[error("the password cannot be hashed")]
    Hash,
}

impl Error {
    /// The stable code a client sees.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::Conflict { .. } => "conflict",
            Self::Invalid { .. } => "invalid",
            Self::Forbidden { .. } => "right.missing",
            Self::LastOwner => "user.last_owner",
            Self::SignInFailed => "sign_in.failed",
            Self::SessionOver => "session.over",
            Self::SetupOver => "setup.over",
            Self::InvitationOver => "invitation.over",
            Self::NewerVersion { .. } => "storage.newer_version",
            Self::ReadOnly { .. } => "storage.read_only",
            Self::WritesStopped { .. } => "storage.unavailable",
            Self::Locked { .. } => "storage.locked",
            Self::Unavailable { .. } => "storage.unavailable",
            Self::Overloaded | Self::Contended { .. } => "overloaded",
            Self::Shared(OpenError::TooNew { .. }) => "storage.newer_version",
            Self::Quota { .. } => "file.quota",
            Self::Batch { source } => source.code(),
            Self::Open { .. }
            | Self::Migrate { .. }
            | Self::Sql { .. }
            | Self::Stored { .. }
            | Self::Shared(_)
            | Self::NoFile
            | Self::Hash => "internal",
        }
    }

    /// What happened, where a write shared its fate with others.
    pub fn root(&self) -> &Self {
        match self {
            Self::Batch { source } => source.root(),
            other => other,
        }
    }

    /// True where the caller did nothing wrong and the log should tell.
    pub fn is_internal(&self) -> bool {
        self.code() == "internal" || self.code().starts_with("storage.")
    }

    /// The error of a statement. What the server says of a value stays out of it.
    pub(crate) fn sql(operation: &'static str, source: sqlx::Error) -> Self {
        if is_conflict(&source) {
            Self::Contended { operation, source }
        } else if is_lost(&source) && !matches!(source, sqlx::Error::WorkerCrashed) {
            Self::Unavailable { operation, source }
        } else if shows_values(&source) {
            let number = number(&source).unwrap_or_default();
            let source = sqlx::Error::Decode(format!("error {number} of the server").into());
            Self::Sql { operation, source }
        } else {
            Self::Sql { operation, source }
        }
    }

    pub(crate) fn invalid(field: impl Into<String>, reason: &'static str) -> Self {
        Self::Invalid { field: field.into(), reason }
    }
}

/// Names the operation of a failed statement.
pub(crate) trait Doing<T> {
    /// Turns an engine error into one of the catalog.
    fn doing(self, operation: &'static str) -> Result<T, Error>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::sql(operation, source))
    }
}

/// Whether an insert or update hit a unique index.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether a change hit a foreign key.
pub(crate) fn is_referenced(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
}

/// The error of a change that hit a foreign key, or failed otherwise.
pub(crate) fn referenced(meaning: Error, operation: &'static str, source: sqlx::Error) -> Error {
    if is_referenced(&source) { meaning } else { Error::sql(operation, source) }
}

/// The error of a change that hit a unique index, or failed otherwise.
pub(crate) fn taken(meaning: Error, operation: &'static str, source: sqlx::Error) -> Error {
    if is_taken(&source) { meaning } else { Error::sql(operation, source) }
}
