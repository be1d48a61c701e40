//! The file itself: versions, locks, modes, copies.

use frontdesk_catalog::database::{Database, Durability};
use frontdesk_catalog::{Catalog, Error};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::Fixture;

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let fixture = Fixture::new().await;
    let path = fixture.dir.path().join("catalog.db");
    fixture.catalog.database().close().await;
    let mut file = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'from the future', 1, x'00', 0)",
    )
    .execute(&mut file)
    .await
    .unwrap();
    sqlx::Connection::close(file).await.unwrap();

    let error = Catalog::open(&path).await.expect_err("it is from a newer version");
    assert_eq!(error.code(), "storage.newer_version");
    let text = error.to_string();
    assert!(text.contains("newer version of frontdesk (schema 9999"), "{text}");
    assert!(text.contains("catalog.db"), "{text}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    std::fs::write(&path, "this is not a database, it is a text about databases".repeat(40))
        .unwrap();
    let error = Catalog::open(&path).await.expect_err("it is no database");
    assert!(matches!(&error, Error::Open { path: p, .. } if *p == path), "{error:?}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("this is not"), "left as it is");
}

#[tokio::test]
async fn a_missing_directory_is_an_error_that_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing").join("catalog.db");
    let error = Catalog::open(&path).await.expect_err("the directory is missing");
    assert!(error.to_string().contains("missing"), "{error}");
}

#[tokio::test]
async fn a_database_held_by_another_process_is_said_to_be_locked() {
    let fixture = Fixture::new().await;
    let path = fixture.dir.path().join("catalog.db");
    let mut other = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let error = fixture.catalog.database().write("test").await.expect_err("it is locked");
    assert_eq!(error.code(), "storage.locked", "{error:?}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    fixture.account("acme").await;
}

#[tokio::test]
async fn readers_cannot_write() {
    let fixture = Fixture::new().await;
    let error = sqlx::query("DELETE FROM accounts")
        .execute(fixture.catalog.database().reads())
        .await
        .expect_err("readers cannot write");
    assert!(error.to_string().contains("readonly"), "{error}");
}

#[tokio::test]
async fn commits_are_synced_in_full_and_foreign_keys_hold() {
    let fixture = Fixture::new().await;
    let mut write = fixture.catalog.database().write("look").await.unwrap();
    for (pragma, value) in [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1)] {
        let found: i64 = sqlx::query_scalar(pragma).fetch_one(&mut *write).await.unwrap();
        assert_eq!(found, value, "{pragma}");
    }
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *write).await.unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_copy_is_a_sound_catalog_of_its_own() {
    let fixture = Fixture::new().await;
    let made = fixture.account("acme").await;
    let copy = fixture.dir.path().join("copy.db");
    fixture.catalog.database().copy_to(&copy).await.unwrap();
    let copy = Catalog::open(&copy).await.unwrap();
    assert_eq!(copy.account(made.account).await.unwrap().name, "acme");
    assert_eq!(copy.database().check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_new_step_reaches_an_old_file_and_keeps_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("steps.db");
    let first = (1, "first", "CREATE TABLE things (name TEXT NOT NULL)");
    let second = (2, "second", "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7");
    let old = Database::open(&path, &[first], Durability::Full).await.unwrap();
    let mut write = old.write("insert").await.unwrap();
    sqlx::query("INSERT INTO things (name) VALUES ('a')").execute(&mut *write).await.unwrap();
    write.commit().await.unwrap();
    old.close().await;
    let new = Database::open(&path, &[first, second], Durability::Full).await.unwrap();
    let sizes: Vec<i64> =
        sqlx::query_scalar("SELECT size FROM things").fetch_all(new.reads()).await.unwrap();
    assert_eq!(sizes, [7]);
    new.close().await;
    let changed = (1, "first", "CREATE TABLE things (title TEXT NOT NULL)");
    let error = Database::open(&path, &[changed, second], Durability::Full)
        .await
        .expect_err("a released step was changed");
    assert!(matches!(error, Error::Migrate { .. }), "{error:?}");
}

/// The clock of the test jumps to the next deadline whenever everybody waits: a clock that bounded the
/// opening would be over at once, as it is over for a disk that is slow enough.
#[tokio::test(start_paused = true)]
async fn no_clock_ends_the_opening_of_a_file_on_a_slow_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slow.db");
    let step = (1, "first", "CREATE TABLE things (name TEXT NOT NULL)");
    let made = Database::open(&path, &[step], Durability::Full).await.unwrap();
    made.close().await;
    Database::open(&path, &[step], Durability::Full).await.unwrap();
}
