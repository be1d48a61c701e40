//! What is known of the persons behind visitors.

use frontdesk_catalog::{Contact, ContactAuthor, ContactChange, ContactFact, ContactNews};
use frontdesk_core::id::{AccountId, ContactId, VisitorId};

use crate::{Fixture, invalid};

fn visitor(number: u8) -> VisitorId {
    VisitorId::from_bytes([number; 12])
}

fn contact(number: u8) -> ContactId {
    ContactId::from_bytes([number; 12])
}

fn by(at_ms: i64) -> ContactAuthor {
    ContactAuthor { id: "u".to_owned(), name: "Mei".to_owned(), at_ms }
}

fn named(name: &str) -> ContactChange {
    ContactChange { name: Some(name.to_owned()), ..ContactChange::default() }
}

fn known(news: &ContactNews) -> &Contact {
    match &news.fact {
        ContactFact::Known(contact) => contact,
        ContactFact::SamePerson { .. } => panic!("a person: {news:?}"),
    }
}

#[tokio::test]
async fn every_change_is_news_once_after_the_one_before() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    for number in 1..=3 {
        catalog.update_contact_of(account, visitor(number), &named("Lin"), &by(1)).await.unwrap();
    }
    let news = catalog.contact_news(0, 10).await.unwrap();
    let ids: Vec<_> = news.iter().map(|news| known(news).id).collect();
    assert_eq!(ids, [contact(1), contact(2), contact(3)]);
    let first = catalog.contact_news(0, 2).await.unwrap();
    assert_eq!(first, news[..2], "a page of it");
    assert_eq!(catalog.contact_news(first[1].revision, 2).await.unwrap(), news[2..]);
    // Of two changes of one row the newest state is told, after everything before.
    let newest = news[2].revision;
    let phone = ContactChange { phone: Some(" 138 0013 8000 ".to_owned()), ..Default::default() };
    catalog.update_contact_of(account, visitor(1), &phone, &by(2)).await.unwrap();
    let note = ContactChange { note: Some(" mail ".to_owned()), ..Default::default() };
    catalog.update_contact_of(account, visitor(1), &note, &by(3)).await.unwrap();
    let news = catalog.contact_news(newest, 10).await.unwrap();
    assert_eq!(news.len(), 1);
    let expected = Contact {
        id: contact(1),
        name: "Lin".to_owned(),
        email: String::new(),
        phone: "138 0013 8000".to_owned(),
        note: "mail".to_owned(),
        changed: by(3),
    };
    assert_eq!((news[0].account, known(&news[0])), (account, &expected));
}

#[tokio::test]
async fn one_person_keeps_what_only_the_other_contact_knew() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    let said = ContactChange { email: Some("lin@example.com".to_owned()), ..named("Lin") };
    catalog.update_contact_of(account, visitor(1), &said, &by(1)).await.unwrap();
    catalog.update_contact_of(account, visitor(2), &named("Li Na"), &by(2)).await.unwrap();
    catalog.merge_contacts(account, visitor(1), visitor(2), &by(3)).await.unwrap();
    let before = catalog.contact_news(2, 10).await.unwrap();
    catalog.merge_contacts(account, visitor(1), visitor(2), &by(4)).await.unwrap();
    let news = catalog.contact_news(2, 10).await.unwrap();
    assert_eq!(news, before, "once is enough");
    let same = ContactFact::SamePerson { visitor: visitor(1), contact: contact(2) };
    assert_eq!(news[1].fact, same);
    let kept = known(&news[0]);
    assert_eq!((kept.name.as_str(), kept.email.as_str()), ("Li Na", "lin@example.com"));
    // What is said of the one is said of the other.
    catalog.update_contact_of(account, visitor(1), &named("Lina"), &by(5)).await.unwrap();
    let news = catalog.contact_news(news[1].revision, 10).await.unwrap();
    assert_eq!((news.len(), known(&news[0]).id), (1, contact(2)));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_nobody_writes_for_no_account() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    let change = |change| async move {
        catalog.update_contact_of(account, visitor(1), &change, &by(1)).await
    };
    let text = |chars: usize| Some("x".repeat(chars));
    invalid(change(named(&"x".repeat(255))).await, "name", "too_long");
    invalid(change(named("a\u{7}b")).await, "name", "control_character");
    let none = ContactChange::default;
    invalid(change(ContactChange { email: text(3), ..none() }).await, "email", "email");
    invalid(change(ContactChange { phone: text(3), ..none() }).await, "phone", "phone");
    invalid(change(ContactChange { note: text(4_001), ..none() }).await, "note", "too_long");
    assert_eq!(catalog.contact_news(0, 10).await.unwrap(), []);
    let nobody = AccountId::from_bytes([9; 12]);
    let refused = catalog.update_contact_of(nobody, visitor(1), &named("Lin"), &by(1)).await;
    assert_eq!(refused.unwrap_err().code(), "not_found");
    // An account's contact of the same id is another one's.
    let other = fixture.account("brio").await.account;
    change(named("Lin")).await.unwrap();
    catalog.update_contact_of(other, visitor(1), &named("Mei"), &by(2)).await.unwrap();
    let news = catalog.contact_news(0, 10).await.unwrap();
    let names: Vec<_> = news.iter().map(|n| (n.account, known(n).name.clone())).collect();
    assert_eq!(names, [(account, "Lin".to_owned()), (other, "Mei".to_owned())]);
}
