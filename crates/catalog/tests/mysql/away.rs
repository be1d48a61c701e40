//! The database stands still or is killed: what is kept is used, all else is refused in time with an error that
//! says to try again, and goes on by itself when the database is back.

use std::time::{Duration, Instant};

use frontdesk_catalog::settings::{self, At, Place as SettingPlace};
use frontdesk_catalog::{Catalog, CreatedAccount, Error, MySqlOptions};
use frontdesk_testkit::services::{OwnServices, Signal};
use serde_json::json;

use crate::{Fixture, PASSWORD, Place, new_account};

/// What the requirement gives the catalog to recover.
const RECOVERY_MAX: Duration = Duration::from_secs(10);
/// How long a row is kept while the database answers.
const KEPT: Duration = Duration::from_secs(2);
const DEADLINE: Duration = Duration::from_secs(1);
/// What a call may take beyond its deadline on a machine that is busy.
const GRACE: Duration = Duration::from_secs(2);
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

async fn set(catalog: &Catalog, made: &CreatedAccount, mib: u32) -> Result<(), Error> {
    let place = SettingPlace::Account;
    catalog.set_setting(made.account, place, "files.size_mib", &json!(mib)).await
}

#[track_caller]
fn away<T: std::fmt::Debug>(result: Result<T, Error>, began: Instant) {
    let error = result.expect_err("the database is away");
    assert_eq!(error.code(), "storage.unavailable", "{error:?}");
    assert!(began.elapsed() < DEADLINE + GRACE, "{:?}", began.elapsed());
}

async fn goes_and_comes(goes: impl FnOnce(&OwnServices), comes: impl FnOnce(&OwnServices)) {
    let servers = OwnServices::start_only(&["mysql-1"]);
    let place = Place::of(&servers);
    let options = MySqlOptions { timeout: DEADLINE, ..place.options() };
    let catalog = Catalog::open_mysql(&options).await.unwrap();
    let made = catalog.create_account_with_admin(new_account("acme")).await.unwrap();
    set(&catalog, &made, 7).await.unwrap();
    let kept = catalog.settings(made.account).await.unwrap();
    let inbox = catalog.inbox(made.account, made.inbox).await.unwrap();

    goes(&servers);
    let began = Instant::now();
    away(set(&catalog, &made, 8).await, began);
    let began = Instant::now();
    away(catalog.sign_in("owner@acme.example", &PASSWORD.into()).await, began);
    // It is used long after it would have been read again.
    let until = Instant::now() + 2 * KEPT;
    while Instant::now() < until {
        let began = Instant::now();
        assert_eq!(catalog.settings(made.account).await.unwrap(), kept);
        assert_eq!(catalog.inbox(made.account, made.inbox).await.unwrap(), inbox);
        assert!(began.elapsed() < DEADLINE + GRACE, "{:?}", began.elapsed());
        let began = Instant::now();
        away(catalog.access(made.account, made.owner).await, began);
        tokio::task::yield_now().await;
    }

    comes(&servers);
    let back = Instant::now();
    let both = async || {
        set(&catalog, &made, 8).await?;
        catalog.access(made.account, made.owner).await
    };
    while let Err(error) = both().await {
        assert_eq!(error.code(), "storage.unavailable", "{error:?}");
        assert!(back.elapsed() < RECOVERY_MAX, "{error}");
    }
    for mib in 9..30 {
        set(&catalog, &made, mib).await.expect("no connection is left that is none");
    }
    catalog.sign_in("owner@acme.example", &PASSWORD.into()).await.unwrap();
    assert_ne!(catalog.settings(made.account).await.unwrap(), kept, "it is read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stands_still_refuses_what_is_new_and_goes_on_by_itself() {
    goes_and_comes(
        |servers| servers.signal("mysql-1", Signal::STOP),
        |servers| servers.signal("mysql-1", Signal::CONT),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_refuses_what_is_new_and_goes_on_by_itself() {
    goes_and_comes(|servers| servers.signal("mysql-1", Signal::KILL), OwnServices::start_again)
        .await;
}

/// Callers go away while their writes wait or run. No connection keeps a transaction or a lock of theirs, and none
/// gives the next caller the answer of another.
#[tokio::test]
async fn whoever_goes_away_leaves_no_lock_behind() {
    let fixture = Fixture::new().await;
    let made = fixture.account("acme").await;
    let mut gone = 0;
    for step in 0..60 {
        let limit = Duration::from_micros(200 * step);
        let write = set(&fixture.catalog, &made, 7);
        gone += u32::from(tokio::time::timeout(limit, write).await.is_err());
    }
    assert!(gone > 0, "some went away before their writes were done");
    for mib in 1..20 {
        set(&fixture.catalog, &made, mib).await.expect("nobody holds the lock");
        let settings = fixture.catalog.settings(made.account).await.unwrap();
        assert_eq!(settings.get(settings::FILE_MIB, At::ACCOUNT), u64::from(mib));
    }
}

/// Somebody holds the lock and does not let go, as a node that stands still does.
#[tokio::test]
async fn a_lock_that_is_held_refuses_in_time_and_to_try_again() {
    let place = Place::shared().await;
    let options = MySqlOptions { timeout: DEADLINE, ..place.options() };
    let catalog = Catalog::open_mysql(&options).await.unwrap();
    let made = catalog.create_account_with_admin(new_account("acme")).await.unwrap();
    let mut holder = crate::connect(&place.url).await;
    for statement in ["START TRANSACTION", "SELECT * FROM catalog_locks FOR UPDATE"] {
        sqlx::raw_sql(statement).execute(&mut holder).await.unwrap();
    }
    let began = Instant::now();
    let error = set(&catalog, &made, 7).await.expect_err("somebody holds the lock");
    assert!(matches!(error.code(), "overloaded" | "storage.unavailable"), "{error:?}");
    assert!(began.elapsed() < DEADLINE + GRACE, "{:?}", began.elapsed());
    assert!(catalog.account(made.account).await.is_ok(), "reading goes on");
    sqlx::Connection::close(holder).await.unwrap();
    let began = Instant::now();
    while set(&catalog, &made, 7).await.is_err() {
        assert!(began.elapsed() < PATIENCE);
    }
}
