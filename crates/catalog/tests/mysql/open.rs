//! What is refused when the database is opened, and what never shows.

use frontdesk_catalog::{Builtin, Catalog, MySqlOptions};
use frontdesk_core::rights::Rights;

use crate::{Fixture, Place, new_account};

#[tokio::test]
async fn nodes_that_open_a_new_database_together_find_the_same_tables() {
    let place = Place::shared().await;
    let [a, b, c] = tokio::join!(place.open(), place.open(), place.open()).into();
    let made = a.create_account_with_admin(new_account("acme")).await.unwrap();
    for node in [b, c] {
        assert_eq!(node.account(made.account).await.unwrap().name, "acme");
    }
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused() {
    let fixture = Fixture::new().await;
    let later = "INSERT INTO catalog_migrations (version, description, success, checksum, \
                 execution_time) VALUES (9999, 'from the future', TRUE, '', 0)";
    fixture.execute(later).await;
    let error = Catalog::open_mysql(&fixture.place.options()).await.expect_err("it is newer");
    assert_eq!(error.code(), "storage.newer_version");
    assert!(error.to_string().contains("newer version (migration 9999)"), "{error}");
}

#[tokio::test]
async fn no_password_shows() {
    let place = Place::shared().await;
    let url = place.url.replace(":frontdesk@", ":wrong-secret@");
    let options = MySqlOptions::new(url);
    let error = Catalog::open_mysql(&options).await.expect_err("the password is wrong");
    let text = format!("{error} {error:?} {options:?}");
    assert!(text.contains("check name and password"), "{text}");
    assert!(!text.contains("wrong-secret"), "{text}");
}

/// The server's words for a value that is there already repeat it.
#[tokio::test]
async fn no_value_shows_in_an_error() {
    let fixture = Fixture::new().await;
    fixture.account("acme").await;
    fixture.execute("ALTER TABLE accounts ADD UNIQUE KEY only (name)").await;
    let mut again = new_account("acme");
    again.owner_email = "other@acme.example".to_owned();
    let error = fixture.catalog.create_account_with_admin(again).await.expect_err("it is taken");
    assert_eq!(error.code(), "internal");
    let text = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
    assert!(text.contains("1062"), "{text}");
    assert!(!text.contains("acme"), "{text}");
}

#[tokio::test]
async fn built_in_roles_made_before_get_the_rights_that_are_new() {
    let fixture = Fixture::new().await;
    let account = fixture.account("acme").await.account;
    let rights =
        async |builtin| fixture.catalog.builtin_role(account, builtin).await.unwrap().rights;
    let as_it_was = "UPDATE roles SET rights = REPLACE(REPLACE(rights, ',\"settings.knowledge\"', ''), \
                     ',\"settings.bots\"', '')";
    fixture.execute(as_it_was).await;
    assert_ne!(rights(Builtin::Owner).await, Rights::owner());
    let step = include_str!("../../migrations/mysql/0003_smart_service.sql");
    let (_, updates) = step.split_once("-- The built-in roles").unwrap();
    let (_, updates) = updates.split_once('\n').unwrap();
    fixture.execute(updates).await;
    for (builtin, all) in [
        (Builtin::Owner, Rights::owner()),
        (Builtin::Admin, Rights::admin()),
        (Builtin::Supervisor, Rights::supervisor()),
        (Builtin::Agent, Rights::agent()),
    ] {
        assert_eq!(rights(builtin).await, all, "{builtin:?}");
    }
}
