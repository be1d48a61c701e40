//! How an account begins, and the set-up link.

use frontdesk_catalog::{Builtin, InboxText, Password, SETUP_MS};
use frontdesk_core::rights::Rights;
use frontdesk_core::secret::Secret128;

use crate::{Fixture, PASSWORD, invalid, new_account, refused};

#[tokio::test]
async fn an_account_begins_with_roles_an_owner_an_inbox_and_a_key() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    assert!(catalog.is_empty().await.unwrap());

    let made = fixture.account("acme").await;

    assert!(!catalog.is_empty().await.unwrap());
    assert!(catalog.has_real_account().await.unwrap());
    let roles = catalog.roles(made.account).await.unwrap();
    let builtin: Vec<_> = roles.iter().map(|role| role.builtin).collect();
    assert_eq!(builtin, Builtin::ALL.map(Some));
    assert_eq!(roles[0].rights, Rights::agent());
    assert_eq!(roles[3].names.pick("zh-CN"), Some("所有者"));

    let owner = catalog.access(made.account, made.owner).await.unwrap();
    assert!(owner.owner);
    assert_eq!(owner.rights, Rights::owner());
    assert_eq!(owner.capacity, 5);

    let inbox = catalog.inbox_by_key(&made.inbox_key).await.unwrap();
    assert_eq!((inbox.id, inbox.account), (made.inbox, made.account));
    assert_eq!(inbox.public_key.len(), 32);
    assert_eq!(inbox.origins, ["https://acme.example"]);
    assert!(inbox.texts[&InboxText::Greeting].pick("zh").is_some());

    let key = catalog.verify_api_key(&made.api_key, 1).await.unwrap();
    assert_eq!((key.id, key.account), (made.api_key_id, made.account));
    assert!(made.api_key.ends_with(&key.hint));
}

#[tokio::test]
async fn a_refused_account_leaves_nothing_behind() {
    let fixture = Fixture::new().await;
    let mut new = new_account("acme");
    new.origins = vec!["not an origin".to_owned()];
    invalid(fixture.catalog.create_account_with_admin(new).await, "origins", "origin");
    let mut new = new_account("acme");
    new.owner_password = Password::new("password");
    invalid(fixture.catalog.create_account_with_admin(new).await, "password", "too_common");
    assert!(fixture.catalog.is_empty().await.unwrap());
    assert!(fixture.catalog.find_user("owner@acme.example").await.is_err());
}

#[tokio::test]
async fn everything_is_there_after_it_is_opened_again() {
    let fixture = Fixture::new().await;
    let made = fixture.account("acme").await;
    fixture.catalog.database().close().await;
    let again = fixture.open_again().await;
    assert_eq!(again.account(made.account).await.unwrap().name, "acme");
    let signed_in = again.sign_in("OWNER@acme.example", &PASSWORD.into()).await.unwrap();
    assert_eq!((signed_in.user, signed_in.accounts), (made.owner, vec![made.account]));
}

#[tokio::test]
async fn s06_a_set_up_link_works_once_within_15_minutes_and_for_the_first_account_only() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let old = catalog.create_setup_token(0).await.unwrap();
    let token = catalog.create_setup_token(1_000).await.unwrap();
    refused(catalog.check_setup_token(&old, 1_000).await, "setup.over");
    refused(catalog.check_setup_token(&Secret128::random(), 1_000).await, "setup.over");
    catalog.check_setup_token(&token, 999 + SETUP_MS).await.unwrap();
    refused(catalog.set_up(&token, new_account("acme"), 1_000 + SETUP_MS).await, "setup.over");

    let both = tokio::join!(
        catalog.set_up(&token, new_account("acme"), 2_000),
        catalog.set_up(&token, new_account("other"), 2_000),
    );
    assert_eq!(u8::from(both.0.is_ok()) + u8::from(both.1.is_ok()), 1, "one wins");
    assert_eq!(catalog.accounts().await.unwrap().len(), 1);
    refused(catalog.set_up(&token, new_account("third"), 3_000).await, "setup.over");
    refused(catalog.create_setup_token(3_000).await, "setup.over");
}

#[tokio::test]
async fn s06_a_fresh_installation_lets_nobody_in() {
    let fixture = Fixture::new().await;
    for (email, password) in [("admin@example.com", "admin"), ("agent", "agent"), ("", "")] {
        refused(fixture.catalog.sign_in(email, &password.into()).await, "sign_in.failed");
    }
    for key in ["", "fd_", "fd_AAAAAAAAAAAAAAAAAAAAAA"] {
        refused(fixture.catalog.verify_api_key(key, 0).await, "sign_in.failed");
    }
}
