//! The file itself: versions, locks, modes, copies, what lies in it.

use frontdesk_catalog::database::{Database, Durability};
use frontdesk_catalog::{Catalog, Error, Reserve, Store};
use frontdesk_core::{
    id::RoleId,
    rights::{Right, Rights},
};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::files::{PLENTY, for_visitor, new_file, of};
use crate::{Fixture, PASSWORD, refused};

fn file(fixture: &Fixture) -> &Database {
    match fixture.catalog.database() {
        Store::Sqlite(database) => database,
        Store::MySql(_) => panic!("it is a file"),
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let fixture = Fixture::new().await;
    let path = fixture.path();
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
    let path = fixture.path();
    let mut other = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let error = file(&fixture).write("test").await.expect_err("it is locked");
    assert_eq!(error.code(), "storage.locked", "{error:?}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    fixture.account("acme").await;
}

#[tokio::test]
async fn readers_cannot_write() {
    let fixture = Fixture::new().await;
    let error = sqlx::query("DELETE FROM accounts")
        .execute(file(&fixture).reads())
        .await
        .expect_err("readers cannot write");
    assert!(error.to_string().contains("readonly"), "{error}");
}

#[tokio::test]
async fn commits_are_synced_in_full_and_foreign_keys_hold() {
    let fixture = Fixture::new().await;
    let mut write = file(&fixture).write("look").await.unwrap();
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

#[tokio::test]
async fn s23_no_secret_lies_readable_in_the_file() {
    let fixture = Fixture::new().await;
    let made = fixture.account("acme").await;
    let (token, _) =
        fixture.catalog.begin_session(made.owner, made.account, "ua", None, 0).await.unwrap();
    fixture.catalog.database().close().await;
    let bytes = std::fs::read(fixture.path()).unwrap();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(made.inbox_key.as_bytes()), "the search finds what is there");
    let api_key = made.api_key.trim_start_matches("fd_");
    for secret in
        [PASSWORD.as_bytes(), api_key.as_bytes(), token.reveal().as_bytes(), token.as_bytes()]
    {
        assert!(!holds(secret));
    }
}

#[tokio::test]
async fn what_was_stored_before_usage_was_kept_is_counted() {
    let fixture = Fixture::new().await;
    let (acme, idle) =
        (fixture.account("acme").await.account, fixture.account("idle").await.account);
    let (path, dir) = (fixture.dir.path().join("old.db"), &fixture.dir);
    let steps = [
        (1, "catalog", include_str!("../../migrations/sqlite/0001_catalog.sql")),
        (2, "visitors", include_str!("../../migrations/sqlite/0002_visitors.sql")),
        (3, "people", include_str!("../../migrations/sqlite/0003_people_and_sightings.sql")),
        (4, "contacts", include_str!("../../migrations/sqlite/0004_contacts.sql")),
    ];
    Database::open(&path, &steps, Durability::Full).await.unwrap().close().await;
    let mut old = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::query("ATTACH ? AS new")
        .bind(dir.path().join("catalog.db").to_string_lossy().into_owned())
        .execute(&mut old)
        .await
        .unwrap();
    sqlx::query("INSERT INTO accounts SELECT * FROM new.accounts").execute(&mut old).await.unwrap();
    for (number, (state, bytes)) in [
        ("uploading", 1),
        ("stored", 20),
        ("stored", 300),
        ("removing", 4_000),
        ("deleted", 50_000),
    ]
    .into_iter()
    .enumerate()
    {
        sqlx::query(
            "INSERT INTO files (id, account, conversation, uploader_kind, uploader, name, \
             media_type, size_bytes, width, height, has_thumbnail, state, created_ms) \
             VALUES (?, ?, '', 'visitor', 'a', 'a.txt', 'text/plain', ?, 0, 0, 0, ?, 5)",
        )
        .bind(format!("{number:032}"))
        .bind(acme.to_string())
        .bind(bytes)
        .bind(state)
        .execute(&mut old)
        .await
        .unwrap();
    }
    sqlx::Connection::close(old).await.unwrap();

    let catalog = Catalog::open(&path).await.unwrap();
    assert_eq!(catalog.file_usage(acme).await.unwrap(), of(3, 321));
    assert_eq!(catalog.file_usage(idle).await.unwrap(), of(0, 0));
    let begin = async |bytes| {
        let quotas = for_visitor(of(4, 400), PLENTY, 0);
        catalog.begin_file(acme, new_file("a", Reserve::Exactly(bytes), quotas)).await
    };
    refused(begin(80).await, "file.quota");
    begin(79).await.unwrap();
    catalog.delete_file(acme, &format!("{:032}", 2)).await.unwrap();
    assert_eq!(catalog.file_usage(acme).await.unwrap(), of(3, 100));
}

#[tokio::test]
async fn built_in_roles_made_before_get_the_rights_that_are_new() {
    let fixture = Fixture::new().await;
    let account = fixture.account("acme").await.account;
    let steps = [
        (1, "catalog", include_str!("../../migrations/sqlite/0001_catalog.sql")),
        (2, "visitors", include_str!("../../migrations/sqlite/0002_visitors.sql")),
        (3, "people", include_str!("../../migrations/sqlite/0003_people_and_sightings.sql")),
        (4, "contacts", include_str!("../../migrations/sqlite/0004_contacts.sql")),
        (5, "file usage", include_str!("../../migrations/sqlite/0005_file_usage.sql")),
        (6, "quotas", include_str!("../../migrations/sqlite/0006_quotas_of_uploaders.sql")),
        (7, "intents", include_str!("../../migrations/sqlite/0007_intents.sql")),
    ];
    let path = fixture.dir.path().join("old.db");
    Database::open(&path, &steps, Durability::Full).await.unwrap().close().await;
    let mut old = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::query("ATTACH ? AS new")
        .bind(fixture.path().to_string_lossy().into_owned())
        .execute(&mut old)
        .await
        .unwrap();
    sqlx::query("INSERT INTO accounts SELECT * FROM new.accounts").execute(&mut old).await.unwrap();
    let before = |rights: Rights| -> Vec<&str> {
        let new = [Right::SettingsKnowledge, Right::SettingsBots];
        rights.iter().filter(|right| !new.contains(right)).map(Right::code).collect()
    };
    for (id, builtin, rights) in [
        (1, "owner", before(Rights::owner())),
        (2, "admin", before(Rights::admin())),
        (3, "supervisor", before(Rights::supervisor())),
        (4, "agent", before(Rights::agent())),
        // Somebody has narrowed these, or they are an account's own.
        (5, "", before(Rights::admin())),
        (6, "", Vec::new()),
    ] {
        sqlx::query(
            "INSERT INTO roles (id, account, builtin, names, rights) VALUES (?, ?, ?, '{}', ?)",
        )
        .bind(RoleId::from_bytes([id; 12]).to_string())
        .bind(account.to_string())
        .bind(builtin)
        .bind(serde_json::to_string(&rights).unwrap())
        .execute(&mut old)
        .await
        .unwrap();
    }
    sqlx::Connection::close(old).await.unwrap();
    let catalog = Catalog::open(&path).await.unwrap();
    let rights =
        async |id: u8| catalog.role(account, RoleId::from_bytes([id; 12])).await.unwrap().rights;
    assert_eq!(rights(1).await, Rights::owner());
    assert_eq!(rights(2).await, Rights::admin());
    assert_eq!(rights(3).await, Rights::supervisor());
    assert_eq!(rights(4).await, Rights::agent());
    assert!(!rights(5).await.contains(Right::SettingsBots));
    assert_eq!(rights(6).await, Rights::none());
}
