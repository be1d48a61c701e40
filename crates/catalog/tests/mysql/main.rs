//! The catalog in a database of MariaDB: the tests of `tests/it`, and those of several nodes on one database.

#![expect(clippy::unwrap_used, reason = "a test stops where its set-up fails")]

#[path = "../it/accounts.rs"]
mod accounts;
#[path = "../it/articles.rs"]
mod articles;
mod away;
#[path = "../it/bots.rs"]
mod bots;
#[path = "../it/contacts.rs"]
mod contacts;
#[path = "../it/documents.rs"]
mod documents;
#[path = "../it/files.rs"]
mod files;
#[path = "../it/idempotency.rs"]
mod idempotency;
#[path = "../it/identities.rs"]
mod identities;
#[path = "../it/invitations.rs"]
mod invitations;
#[path = "../it/kept.rs"]
mod kept;
#[path = "../it/login.rs"]
mod login;
mod nodes;
mod open;
#[path = "../it/sightings.rs"]
mod sightings;
#[path = "../it/support.rs"]
mod support;
#[path = "../it/tenants.rs"]
mod tenants;
#[path = "../it/users.rs"]
mod users;

use std::sync::OnceLock;

use frontdesk_catalog::{Catalog, CreatedAccount, MySqlOptions};
use frontdesk_core::secret::Secret128;
use frontdesk_testkit::services::{OwnServices, services, value};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

pub(crate) use support::*;

/// A database of a test's own, on the server that all tests share or on one of its own.
struct Place {
    url: String,
    shared: bool,
}

impl Place {
    async fn shared() -> Self {
        static URL: OnceLock<String> = OnceLock::new();
        let url = URL.get_or_init(|| {
            services(&["start", "mysql-1"], None);
            first(&services(&["env"], None))
        });
        let name = format!("frontdesk_{}", &Secret128::random().reveal()[..20].replace('-', "_"));
        // Whatever the server's character set is: nothing of ours depends on it.
        let create = format!("CREATE DATABASE `{name}` CHARACTER SET latin1");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connect(url).await).await.unwrap();
        let url = format!("{}/{name}", url.strip_suffix("/frontdesk").unwrap());
        Self { url, shared: true }
    }

    fn of(servers: &OwnServices) -> Self {
        Self { url: first(&servers.env()), shared: false }
    }

    fn options(&self) -> MySqlOptions {
        MySqlOptions::new(self.url.clone())
    }

    async fn open(&self) -> Catalog {
        Catalog::open_mysql(&self.options()).await.unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.shared {
            return;
        }
        let url = self.url.clone();
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(drop_database(&url));
        });
        assert!(dropped.join().is_ok() || std::thread::panicking(), "the database stays");
    }
}

/// Drops it under the catalog: its connections end with the test's runtime, which stands still meanwhile.
async fn drop_database(url: &str) {
    let name = url.rsplit('/').next().unwrap();
    let mut connection = connect(url).await;
    let others: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    for id in others {
        // It may have ended by itself.
        drop(sqlx::raw_sql(AssertSqlSafe(format!("KILL {id}"))).execute(&mut connection).await);
    }
    let drop = format!("DROP DATABASE `{name}`");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
}

async fn connect(url: &str) -> MySqlConnection {
    url.parse::<MySqlConnectOptions>().unwrap().connect().await.unwrap()
}

/// The address of the first database.
fn first(env: &str) -> String {
    value(env, "FRONTDESK_MYSQL=").split(',').next().unwrap().to_owned()
}

/// A catalog in a database that goes with it.
struct Fixture {
    catalog: Catalog,
    place: Place,
}

impl Fixture {
    async fn new() -> Self {
        let place = Place::shared().await;
        Self { catalog: place.open().await, place }
    }

    /// The same catalog, opened once more.
    async fn open_again(&self) -> Catalog {
        self.place.open().await
    }

    async fn account(&self, name: &str) -> CreatedAccount {
        self.catalog.create_account_with_admin(new_account(name)).await.unwrap()
    }

    /// The first value of the first row.
    async fn text(&self, query: &'static str) -> String {
        let bytes: Vec<u8> =
            sqlx::query_scalar(query).fetch_one(&mut connect(&self.place.url).await).await.unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Changes something behind the catalog's back.
    async fn execute_with(&self, statement: &'static str, value: &str) {
        sqlx::query(statement)
            .bind(value)
            .execute(&mut connect(&self.place.url).await)
            .await
            .unwrap();
    }

    /// Changes something behind the catalog's back.
    async fn execute(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&mut connect(&self.place.url).await).await.unwrap();
    }
}
