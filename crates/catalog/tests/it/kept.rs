//! Rows that are kept between reads are what the database holds: a change of ours is seen at once, and so
//! is a change by somebody who writes about something else.

use frontdesk_catalog::settings::{self, At, Place};
use frontdesk_catalog::{FileUsage, InboxChange, Reserve, Texts};
use serde_json::json;

use crate::files::{facts, for_account, new_file};
use crate::{Fixture, unknown};

#[tokio::test]
async fn a_setting_holds_from_the_moment_it_is_set() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("ours").await.account);
    let inbox = catalog.inboxes(account).await.unwrap()[0].id;
    let at = At { team: None, inbox: Some(inbox) };
    let size = async || catalog.settings(account).await.unwrap().get(settings::FILE_MIB, at);
    let default = size().await;
    for (place, mib) in [(Place::Account, 7), (Place::Inbox(inbox), 3)] {
        catalog.set_setting(account, place, "files.size_mib", &json!(mib)).await.unwrap();
        assert_eq!(size().await, mib);
    }
    catalog.reset_setting(account, Place::Inbox(inbox), "files.size_mib").await.unwrap();
    assert_eq!(size().await, 7);
    catalog.reset_setting(account, Place::Account, "files.size_mib").await.unwrap();
    assert_eq!(size().await, default);
}

#[tokio::test]
async fn an_inbox_is_what_it_was_made_and_nobody_elses() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (account, other) =
        (fixture.account("ours").await.account, fixture.account("theirs").await.account);
    let id = catalog.inboxes(account).await.unwrap()[0].id;
    let team = catalog.create_team(account, &Texts::one("en", "Billing"), &[]).await.unwrap().id;
    let change = InboxChange {
        name: Some("Shop".to_owned()),
        default_team: Some(Some(team)),
        ..InboxChange::default()
    };
    catalog.inbox(account, id).await.unwrap();
    catalog.update_inbox(account, id, change).await.unwrap();
    let inbox = catalog.inbox(account, id).await.unwrap();
    assert_eq!((inbox.name.as_str(), inbox.default_team), ("Shop", Some(team)));
    unknown(catalog.inbox(other, id).await);
    let rotated = catalog.rotate_inbox_key(account, id).await.unwrap();
    assert_ne!(rotated.public_key, inbox.public_key);
    catalog.delete_inbox(account, id).await.unwrap();
    unknown(catalog.inbox(account, id).await);
}

#[tokio::test]
async fn a_file_is_sent_from_when_it_is_stored_until_it_goes() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (account, other) =
        (fixture.account("ours").await.account, fixture.account("theirs").await.account);
    let room = FileUsage { files: 10, bytes: 1_000 };
    let new = new_file("v", Reserve::Exactly(10), for_account(room));
    let id = catalog.begin_file(account, new).await.unwrap().file.id;
    unknown(catalog.file_to_send(account, &id).await);
    let stored = catalog.finish_file(account, &id, facts(10)).await.unwrap();
    assert_eq!(catalog.file_to_send(account, &id).await.unwrap(), stored);
    assert_eq!(catalog.file(account, &id).await.unwrap(), stored, "as the row says");
    unknown(catalog.file_to_send(other, &id).await);
    catalog.delete_file(account, &id).await.unwrap();
    unknown(catalog.file_to_send(account, &id).await);
}
