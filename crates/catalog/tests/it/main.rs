//! The catalog over real SQLite files in temporary directories.

#![expect(clippy::unwrap_used, reason = "a test stops where its set-up fails")]

mod accounts;
mod contacts;
mod database;
mod files;
mod idempotency;
mod identities;
mod invitations;
mod kept;
mod login;
mod sightings;
mod tenants;
mod users;

use frontdesk_catalog::{Catalog, CreatedAccount, Error, Granter, NewAccount, NewUser, Password};
use frontdesk_core::id::RoleId;
use tempfile::TempDir;

/// A password that passes the rules.
const PASSWORD: &str = "correct horse battery";

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

    async fn account(&self, name: &str) -> CreatedAccount {
        self.catalog.create_account_with_admin(new_account(name)).await.unwrap()
    }
}

fn new_account(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        language: "en".to_owned(),
        demo: false,
        owner_email: format!("owner@{name}.example"),
        owner_name: format!("{name} owner"),
        owner_password: Password::new(PASSWORD),
        origins: vec![format!("https://{name}.example")],
    }
}

fn new_user(email: &str, role: RoleId) -> NewUser {
    NewUser {
        email: email.to_owned(),
        display_name: "Somebody".to_owned(),
        language: "zh-CN".to_owned(),
        role,
        capacity: None,
        teams: Vec::new(),
    }
}

fn operator() -> Granter {
    Granter::operator()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, code: &str) {
    match result {
        Ok(value) => panic!("{value:?} where {code} was due"),
        Err(error) => assert_eq!(error.code(), code, "{error}"),
    }
}

#[track_caller]
fn unknown<T: std::fmt::Debug>(result: Result<T, Error>) {
    refused(result, "not_found");
}

#[track_caller]
fn conflict<T: std::fmt::Debug>(result: Result<T, Error>, reason: &str) {
    match result {
        Err(Error::Conflict { reason: found, .. }) => assert_eq!(found, reason),
        other => panic!("{other:?} where a conflict {reason} was due"),
    }
}

#[track_caller]
fn invalid<T: std::fmt::Debug>(result: Result<T, Error>, field: &str, reason: &str) {
    match result {
        Err(Error::Invalid { field: f, reason: r }) => assert_eq!((f.as_str(), r), (field, reason)),
        other => panic!("{other:?} where {field}: {reason} was due"),
    }
}
