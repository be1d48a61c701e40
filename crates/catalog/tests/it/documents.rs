//! Documents with their revisions and versions.

use frontdesk_catalog::{
    DOCUMENT_BYTES_MAX, DOCUMENTS_MAX, DocumentKind, NewDocument, SEALED_BYTES_MAX, VERSIONS_MAX,
};

use crate::{Fixture, conflict, invalid, unknown};

const FLOW: DocumentKind = DocumentKind::Flow;

fn says(document: &str) -> NewDocument<'_> {
    NewDocument { document, sealed: None, by_name: "Ann" }
}

#[tokio::test]
async fn of_two_who_change_a_document_the_second_is_told() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    assert_eq!(catalog.document(account, FLOW, "welcome").await.unwrap(), None);
    conflict(catalog.set_document(account, FLOW, "welcome", says("x"), 1).await, "changed");
    let first = catalog.set_document(account, FLOW, "welcome", says("one"), 0).await.unwrap();
    assert_eq!((first.revision, first.by_name.as_str()), (1, "Ann"));
    conflict(catalog.set_document(account, FLOW, "welcome", says("x"), 0).await, "changed");
    let by_bob = NewDocument { by_name: "Bob", ..says("two") };
    let second = catalog.set_document(account, FLOW, "welcome", by_bob, 1).await.unwrap();
    assert_eq!((second.revision, second.document.as_str()), (2, "two"));
    assert_eq!(catalog.document(account, FLOW, "welcome").await.unwrap(), Some(second.clone()));
    let other = catalog.set_document(account, FLOW, "a", says("three"), 0).await.unwrap();
    assert_eq!(catalog.documents(account, FLOW).await.unwrap(), [other, second]);
    assert!(catalog.documents(account, DocumentKind::Words).await.unwrap().is_empty());

    let versions = catalog.document_versions(account, FLOW, "welcome").await.unwrap();
    let told: Vec<_> = versions
        .iter()
        .map(|of| (of.revision, of.document.as_str(), of.by_name.as_str()))
        .collect();
    assert_eq!(told, [(2, "two", "Bob"), (1, "one", "Ann")]);
}

#[tokio::test]
async fn going_back_is_a_change_and_the_last_versions_are_kept() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let count = VERSIONS_MAX as u64 + 5;
    for number in 0..count {
        let text = format!("v{}", number + 1);
        catalog.set_document(account, FLOW, "f", says(&text), number).await.unwrap();
    }
    let revisions = async || -> Vec<u64> {
        let versions = catalog.document_versions(account, FLOW, "f").await.unwrap();
        versions.into_iter().map(|version| version.revision).collect()
    };
    assert_eq!(revisions().await, (6..=count).rev().collect::<Vec<_>>());
    unknown(catalog.rollback_document(account, FLOW, "f", 5, "Bob").await);
    let back = catalog.rollback_document(account, FLOW, "f", 6, "Bob").await.unwrap();
    assert_eq!((back.revision, back.document.as_str()), (count + 1, "v6"));
    assert_eq!(back.by_name, "Bob");
    assert_eq!(catalog.document(account, FLOW, "f").await.unwrap(), Some(back));
    assert_eq!(revisions().await.len(), VERSIONS_MAX);

    catalog.delete_document(account, FLOW, "f").await.unwrap();
    unknown(catalog.document_versions(account, FLOW, "f").await);
    unknown(catalog.delete_document(account, FLOW, "f").await);
    unknown(catalog.rollback_document(account, FLOW, "f", 7, "Bob").await);
}

#[tokio::test]
async fn a_secret_goes_with_its_document_and_not_with_its_versions() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let llm = DocumentKind::Llm;
    let set = async |document: &str, bytes: Option<&[u8]>, before| {
        let new = NewDocument { sealed: bytes, ..says(document) };
        catalog.set_document(account, llm, "", new, before).await.unwrap().sealed
    };
    assert_eq!(set("one", Some(&[0, 255, 7]), 0).await, Some(vec![0, 255, 7]));
    assert_eq!(set("two", None, 1).await, None);
    assert_eq!(set("three", Some(&[9]), 2).await, Some(vec![9]));
    let read = catalog.document(account, llm, "").await.unwrap().unwrap();
    assert_eq!(read.sealed, Some(vec![9]));
    let back = catalog.rollback_document(account, llm, "", 1, "Bob").await.unwrap();
    assert_eq!((back.document.as_str(), back.sealed), ("one", Some(vec![9])), "as it is now");
}

#[tokio::test]
async fn documents_are_bounded_and_named_as_their_kind_is() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let set = async |kind, name: &str, document: &str| {
        catalog.set_document(account, kind, name, says(document), 0).await
    };
    invalid(set(FLOW, "", "x").await, "name", "empty");
    invalid(set(FLOW, " a", "x").await, "name", "whitespace");
    invalid(set(FLOW, &"x".repeat(101), "x").await, "name", "too_long");
    invalid(set(DocumentKind::Words, "a", "x").await, "name", "empty");
    let large = "x".repeat(DOCUMENT_BYTES_MAX);
    set(DocumentKind::Words, "", &large).await.unwrap();
    invalid(set(FLOW, "large", &format!("{large}x")).await, "document", "too_long");
    let sealed = vec![0; SEALED_BYTES_MAX + 1];
    let new = NewDocument { sealed: Some(&sealed), ..says("x") };
    invalid(catalog.set_document(account, DocumentKind::Llm, "", new, 0).await, "key", "too_long");
    for number in 0..DOCUMENTS_MAX {
        set(FLOW, &format!("f{number}"), "x").await.unwrap();
    }
    conflict(set(FLOW, "one more", "x").await, "too_many");
    let names = catalog.document_names(account, FLOW).await.unwrap();
    assert_eq!((names.len(), names[0].as_str(), names[1].as_str()), (DOCUMENTS_MAX, "f0", "f1"));
    catalog.set_document(account, FLOW, "f0", says("y"), 1).await.unwrap();
}

#[tokio::test]
async fn s11_documents_of_another_account_are_unknown() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (us, them) =
        (fixture.account("ours").await.account, fixture.account("theirs").await.account);
    let theirs = catalog.set_document(them, FLOW, "f", says("theirs"), 0).await.unwrap();
    assert_eq!(catalog.document(us, FLOW, "f").await.unwrap(), None);
    assert!(catalog.documents(us, FLOW).await.unwrap().is_empty());
    assert!(catalog.document_names(us, FLOW).await.unwrap().is_empty());
    unknown(catalog.document_versions(us, FLOW, "f").await);
    unknown(catalog.rollback_document(us, FLOW, "f", 1, "Eve").await);
    unknown(catalog.delete_document(us, FLOW, "f").await);
    conflict(catalog.set_document(us, FLOW, "f", says("ours"), 1).await, "changed");
    catalog.set_document(us, FLOW, "f", says("ours"), 0).await.unwrap();
    assert_eq!(catalog.document(them, FLOW, "f").await.unwrap(), Some(theirs));
}
