//! Identities a site signs: their secrets, and whose visitor each of them is.

use std::collections::BTreeMap;

use frontdesk_catalog::{IdentityClaims, IdentityMode, InboxChange};
use frontdesk_core::id::{ConversationId, InboxId, VisitorId};

use crate::{Fixture, conflict, invalid, unknown};

fn visitor(number: u8) -> (VisitorId, ConversationId) {
    (VisitorId::from_bytes([number; 12]), ConversationId::from_bytes([number + 100; 12]))
}

fn named(name: &str) -> IdentityClaims {
    IdentityClaims { name: Some(name.to_owned()), ..IdentityClaims::default() }
}

#[tokio::test]
async fn an_inbox_has_two_secrets_and_no_third() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let acme = fixture.account("acme").await;
    let first = catalog.create_identity_secret(acme.account, acme.inbox).await.unwrap();
    let second = catalog.create_identity_secret(acme.account, acme.inbox).await.unwrap();
    assert_ne!(first.salt, second.salt);
    conflict(catalog.create_identity_secret(acme.account, acme.inbox).await, "too_many");
    let listed = catalog.identity_secrets_of(acme.account, acme.inbox).await.unwrap();
    assert_eq!(listed, [first.clone(), second.clone()]);
    assert_eq!(catalog.identity_secrets(acme.account).await.unwrap(), listed);
    catalog.delete_identity_secret(acme.account, acme.inbox, first.id).await.unwrap();
    unknown(catalog.delete_identity_secret(acme.account, acme.inbox, first.id).await);
    catalog.create_identity_secret(acme.account, acme.inbox).await.unwrap();
    let brio = fixture.account("brio").await;
    unknown(catalog.create_identity_secret(brio.account, acme.inbox).await);
    unknown(catalog.delete_identity_secret(brio.account, acme.inbox, second.id).await);
    unknown(catalog.delete_identity_secret(brio.account, brio.inbox, second.id).await);
    assert!(catalog.identity_secrets_of(brio.account, acme.inbox).await.unwrap().is_empty());
    catalog.delete_inbox(acme.account, acme.inbox).await.unwrap();
    assert!(catalog.identity_secrets(acme.account).await.unwrap().is_empty(), "gone with it");
}

#[tokio::test]
async fn s03_an_identity_is_one_visitor_and_a_visitor_one_identity() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let acme = fixture.account("acme").await;
    let bind = |subject: &'static str, claims: IdentityClaims, device, fresh| async move {
        catalog.bind_identity(acme.account, acme.inbox, subject, Some(&claims), device, fresh).await
    };
    let first = bind("u1", named("Lin"), Some(visitor(1)), visitor(2)).await.unwrap();
    assert!(first.changed);
    assert_eq!((first.identity.visitor, first.identity.conversation), visitor(1), "the device's");
    let again = bind("u1", named("Lin"), Some(visitor(3)), visitor(4)).await.unwrap();
    assert!(!again.changed);
    assert_eq!(again.identity, first.identity, "another device");
    let renamed = bind("u1", named("Lin Li"), None, visitor(4)).await.unwrap();
    assert!(renamed.changed);
    assert_eq!(renamed.identity.visitor, visitor(1).0);
    assert_eq!(renamed.identity.claims, Some(named("Lin Li")));
    let hashed = |subject, device, fresh| {
        catalog.bind_identity(acme.account, acme.inbox, subject, None, device, fresh)
    };
    let kept = hashed("u1", None, visitor(4)).await.unwrap();
    assert_eq!((kept.changed, kept.identity), (false, renamed.identity), "a hash says no more");
    let bare = hashed("u3", None, visitor(8)).await.unwrap();
    assert_eq!((bare.changed, bare.identity.claims), (true, None));
    let found = catalog.identity_of(acme.account, visitor(8).0).await.unwrap().unwrap();
    assert_eq!(found.claims, None);
    let other = bind("u2", named("Mei"), Some(visitor(1)), visitor(5)).await.unwrap();
    assert_eq!(other.identity.visitor, visitor(5).0, "a visitor who is somebody stays it");
    let found = catalog.identity_of(acme.account, visitor(1).0).await.unwrap().unwrap();
    assert_eq!(found.subject, "u1");
    assert_eq!(catalog.identity_of(acme.account, visitor(9).0).await.unwrap(), None);
    let brio = fixture.account("brio").await;
    assert_eq!(catalog.identity_of(brio.account, visitor(1).0).await.unwrap(), None);
    let nobody = IdentityClaims::default();
    let there =
        catalog.bind_identity(brio.account, acme.inbox, "u1", Some(&nobody), None, visitor(6));
    unknown(there.await);
    invalid(bind(" ", nobody, None, visitor(7)).await, "sub", "empty");
}

#[tokio::test]
async fn of_two_devices_at_once_the_second_finds_what_the_first_made() {
    let fixture = Fixture::new().await;
    let acme = fixture.account("acme").await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=8 {
        let catalog = fixture.catalog.clone();
        let (account, inbox): (_, InboxId) = (acme.account, acme.inbox);
        tasks.spawn(async move {
            let claims = IdentityClaims::default();
            let device = Some(visitor(number));
            catalog.bind_identity(account, inbox, "u1", Some(&claims), device, visitor(50)).await
        });
    }
    let bound = tasks.join_all().await;
    let bound: Vec<VisitorId> = bound.into_iter().map(|b| b.unwrap().identity.visitor).collect();
    assert!(bound.iter().all(|visitor| *visitor == bound[0]), "{bound:?}");
}

#[test]
fn claims_are_bounded() {
    let with = |name: &str, value: &str| IdentityClaims {
        attributes: BTreeMap::from([(name.to_owned(), value.to_owned())]),
        ..IdentityClaims::default()
    };
    assert_eq!(named("  ").checked().unwrap(), IdentityClaims::default());
    let useless = IdentityClaims {
        email: Some("not an address".to_owned()),
        phone: Some("none".to_owned()),
        ..named("Lin")
    };
    assert_eq!(useless.checked().unwrap(), named("Lin"));
    invalid(named(&"x".repeat(255)).checked(), "name", "too_long");
    invalid(named("a\nb").checked(), "name", "control_character");
    invalid(with("", "x").checked(), "attributes", "empty");
    invalid(with("plan", "a\u{7}").checked(), "attributes", "control_character");
    let many = (0..51).map(|number| (number.to_string(), String::new())).collect();
    let many = IdentityClaims { attributes: many, ..IdentityClaims::default() };
    invalid(many.checked(), "attributes", "too_many");
}

#[tokio::test]
async fn what_an_inbox_says_first_is_kept_and_checked() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let acme = fixture.account("acme").await;
    let asked = BTreeMap::from([("en".to_owned(), vec!["Where is my order?".to_owned()])]);
    let change = InboxChange {
        questions: Some(asked.clone()),
        hours_text: Some(frontdesk_catalog::Texts::one("zh-CN", "周一至周五 9–18 点")),
        language: Some("zh-CN".to_owned()),
        identity: Some(IdentityMode::Optional),
        ..InboxChange::default()
    };
    catalog.update_inbox(acme.account, acme.inbox, change).await.unwrap();
    // A change of something else leaves it alone.
    let other = InboxChange { name: Some("Shop".to_owned()), ..InboxChange::default() };
    catalog.update_inbox(acme.account, acme.inbox, other).await.unwrap();
    let inbox = catalog.inbox(acme.account, acme.inbox).await.unwrap();
    assert_eq!(inbox.questions, asked);
    assert_eq!(inbox.hours_text.pick("zh"), Some("周一至周五 9–18 点"));
    assert_eq!((inbox.language.as_str(), inbox.identity), ("zh-CN", IdentityMode::Optional));
    let language = InboxChange { language: Some("klingon!".to_owned()), ..InboxChange::default() };
    invalid(catalog.update_inbox(acme.account, acme.inbox, language).await, "language", "language");
    let cleared = InboxChange {
        questions: Some(BTreeMap::new()),
        language: Some(String::new()),
        ..InboxChange::default()
    };
    let inbox = catalog.update_inbox(acme.account, acme.inbox, cleared).await.unwrap();
    assert_eq!((inbox.questions.len(), inbox.language.as_str()), (0, ""));
}
