//! The catalog over real SQLite files in temporary directories. The same tests run over MySQL in
//! `tests/mysql`; what is of SQLite alone is in `database.rs`.

#![expect(clippy::unwrap_used, reason = "a test stops where its set-up fails")]

mod accounts;
mod articles;
mod bots;
mod contacts;
mod database;
mod documents;
mod files;
mod idempotency;
mod identities;
mod invitations;
mod kept;
mod login;
mod sightings;
mod support;
mod tenants;
mod users;

use std::path::PathBuf;

use frontdesk_catalog::{Catalog, CreatedAccount};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;

pub(crate) use support::*;

/// A catalog in a directory that goes with it.
struct Fixture {
    catalog: Catalog,
    dir: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(&dir.path().join("catalog.db")).await.unwrap();
        Self { catalog, dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("catalog.db")
    }

    /// The same catalog, opened once more.
    async fn open_again(&self) -> Catalog {
        Catalog::open(&self.path()).await.unwrap()
    }

    async fn account(&self, name: &str) -> CreatedAccount {
        self.catalog.create_account_with_admin(new_account(name)).await.unwrap()
    }

    /// A connection of the test's own.
    async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path()).connect().await.unwrap()
    }

    /// The first value of the first row.
    async fn text(&self, query: &'static str) -> String {
        sqlx::query_scalar(query).fetch_one(&mut self.connect().await).await.unwrap()
    }

    /// Changes something behind the catalog's back.
    async fn execute_with(&self, statement: &'static str, value: &str) {
        sqlx::query(statement).bind(value).execute(&mut self.connect().await).await.unwrap();
    }
}
