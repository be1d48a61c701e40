//! Where the catalog lies: in one SQLite file of this process, or in a MySQL database several nodes share. A
//! statement finds its way to either from here; nobody else asks which it is.

use std::path::Path;

use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{MySql, Sqlite};

use crate::changes::Change;
use crate::database::{self, Database};
use crate::error::Error;
use crate::kept::Changes;
use crate::mysql::{Call, MySqlStore, MySqlWrite, within};
use crate::sql::{Query, Row, Value};

/// What a change must not share with another one at the same time. One SQLite file has one writer, so it is
/// only in a shared database that they differ. Every change but those of the configuration goes along
/// with others, and none along with one of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Whatever people configure, and who may do what: nothing else changes meanwhile.
    Configuration,
    /// Files, and how much of them is stored.
    Files,
    /// Contacts: their revisions have one order.
    Contacts,
    /// Which visitor an identity is.
    Identities,
    /// Login sessions that begin: a user may have so many.
    Sessions,
    /// Where widgets were seen.
    Sightings,
    /// Rows nobody else counts or numbers: those the statements touch.
    Rows,
}

/// The database of a catalog.
#[derive(Debug)]
pub enum Store {
    /// A file of this process.
    Sqlite(Database),
    /// A database that nodes share.
    MySql(Box<MySqlStore>),
}

impl Store {
    pub(crate) fn reads(&self) -> Reads<'_> {
        match self {
            Self::Sqlite(database) => Reads::Sqlite(database.reads()),
            Self::MySql(database) => Reads::MySql(database),
        }
    }

    pub(crate) async fn write(&self, operation: &'static str, lock: Lock) -> Result<Write, Error> {
        let transaction = match self {
            Self::Sqlite(database) => Transaction::Sqlite(database.write(operation).await?),
            Self::MySql(database) => Transaction::MySql(database.write(operation, lock).await?),
        };
        Ok(Write { transaction, changes: None, told: Vec::new() })
    }

    /// Whether it still takes writes; see [`database::Write::commit`].
    pub fn takes_writes(&self) -> bool {
        match self {
            Self::Sqlite(database) => database.takes_writes(),
            // One that is away comes back, and says so by itself.
            Self::MySql(_) => true,
        }
    }

    /// Lists what the engine's own check finds wrong; nothing for a sound file. A shared database is
    /// checked by its own tools.
    pub async fn check(&self) -> Result<Vec<String>, Error> {
        match self {
            Self::Sqlite(database) => database.check().await,
            Self::MySql(_) => Ok(Vec::new()),
        }
    }

    /// Copies the file, as of now, to a new one. A shared database is copied by its own tools.
    pub async fn copy_to(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Sqlite(database) => database.copy_to(path).await,
            Self::MySql(_) => Err(Error::NoFile),
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::MySql(database) => database.close().await,
        }
    }
}

/// Sees what was committed last, and cannot write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reads<'a> {
    Sqlite(&'a SqlitePool),
    MySql(&'a MySqlStore),
}

#[derive(Debug)]
enum Transaction {
    Sqlite(database::Write),
    MySql(MySqlWrite),
}

/// A write that has begun. Dropped without a commit, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Write {
    transaction: Transaction,
    changes: Option<Changes>,
    told: Vec<Change>,
}

impl Write {
    /// Makes kept rows old when it commits.
    pub(crate) fn noting(mut self, changes: Changes) -> Self {
        self.changes = Some(changes);
        self
    }

    /// Tells other nodes of a change when it commits. Takes [`Lock::Configuration`], which gives all changes
    /// one order.
    pub(crate) fn tell(&mut self, change: Change) {
        self.told.push(change);
    }

    /// Commits.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        let done = match self.transaction {
            Transaction::Sqlite(write) => write.commit().await,
            Transaction::MySql(write) => write.commit(&self.told).await,
        };
        if let Some(changes) = &self.changes {
            changes.note();
        }
        done
    }
}

/// What a statement runs on.
#[derive(Debug)]
pub(crate) enum On<'a> {
    SqlitePool(&'a SqlitePool),
    Sqlite(&'a mut SqliteConnection),
    MySqlPool(&'a MySqlStore),
    MySql(&'a mut Call),
}

impl<'a> From<Reads<'a>> for On<'a> {
    fn from(reads: Reads<'a>) -> Self {
        match reads {
            Reads::Sqlite(pool) => Self::SqlitePool(pool),
            Reads::MySql(store) => Self::MySqlPool(store),
        }
    }
}

impl<'a> From<&'a mut Write> for On<'a> {
    fn from(write: &'a mut Write) -> Self {
        match &mut write.transaction {
            Transaction::Sqlite(write) => Self::Sqlite(write),
            Transaction::MySql(write) => Self::MySql(write.call()),
        }
    }
}

/// What a statement gave on either engine.
enum Gave<S, M> {
    Sqlite(S),
    MySql(M),
}

macro_rules! run {
    ($on:expr, $query:expr, $method:ident) => {
        match $on {
            On::SqlitePool(pool) => Gave::Sqlite(sqlite($query).$method(pool).await?),
            On::Sqlite(one) => Gave::Sqlite(sqlite($query).$method(one).await?),
            On::MySqlPool(store) => {
                let mut call = store.begin_read().await?;
                let (deadline, connection) = call.connection()?;
                let gave = within(deadline, mysql($query).$method(connection)).await;
                let gave = call.ended(gave);
                call.give_back();
                Gave::MySql(gave?)
            }
            On::MySql(call) => {
                let (deadline, connection) = call.connection()?;
                let gave = within(deadline, mysql($query).$method(connection)).await;
                Gave::MySql(call.ended(gave)?)
            }
        }
    };
}

impl On<'_> {
    pub(crate) async fn execute(self, query: Query) -> Result<u64, sqlx::Error> {
        Ok(match run!(self, query, execute) {
            Gave::Sqlite(done) => done.rows_affected(),
            Gave::MySql(done) => done.rows_affected(),
        })
    }

    pub(crate) async fn fetch_all(self, query: Query) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match run!(self, query, fetch_all) {
            Gave::Sqlite(rows) => rows.into_iter().map(Row::Sqlite).collect(),
            Gave::MySql(rows) => rows.into_iter().map(Row::MySql).collect(),
        })
    }

    pub(crate) async fn fetch_optional(self, query: Query) -> Result<Option<Row>, sqlx::Error> {
        Ok(match run!(self, query, fetch_optional) {
            Gave::Sqlite(row) => row.map(Row::Sqlite),
            Gave::MySql(row) => row.map(Row::MySql),
        })
    }
}

fn sqlite(query: Query) -> sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments> {
    let statement = sqlx::query(query.text.sqlite);
    query.values.into_iter().fold(statement, |statement, value| match value {
        Value::Int(value) => statement.bind(value),
        Value::Text(value) => statement.bind(value),
        Value::Bytes(value) => statement.bind(value),
    })
}

fn mysql(query: Query) -> sqlx::query::Query<'static, MySql, sqlx::mysql::MySqlArguments> {
    let statement = sqlx::query(query.text.mysql);
    query.values.into_iter().fold(statement, |statement, value| match value {
        Value::Int(value) => statement.bind(value),
        Value::Text(value) => statement.bind(value),
        Value::Bytes(value) => statement.bind(value),
    })
}
