//! Where widgets were seen, and what a user wants to be told by.

use frontdesk_catalog::{ORIGINS_MAX, Preferences, Seen};

use crate::{Fixture, unknown};

#[tokio::test]
async fn the_newest_sites_of_each_kind_are_kept_with_their_counts() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let seen = |origin: &'static str, refused, now_ms| Seen {
        account: made.account,
        inbox: made.inbox,
        origin,
        page: "https://shop.example/cart",
        refused,
        requests: 2,
        now_ms,
    };
    catalog.note_sighting(seen("https://shop.example", false, 10)).await.unwrap();
    catalog.note_sighting(seen("https://shop.example", false, 20)).await.unwrap();
    catalog.note_sighting(seen("https://shop.example", true, 15)).await.unwrap();
    let found = catalog.sightings(made.account, made.inbox).await.unwrap();
    let told: Vec<_> = found.iter().map(|s| (s.refused, s.seen_ms, s.requests)).collect();
    assert_eq!(told, [(false, 20, 4), (true, 15, 2)]);

    for n in 0..ORIGINS_MAX + 10 {
        let origin = format!("https://{n}.example");
        let now_ms = 100 + i64::try_from(n).unwrap();
        let made_up = Seen { origin: &origin, now_ms, ..seen("", true, 0) };
        catalog.note_sighting(made_up).await.unwrap();
    }
    let found = catalog.sightings(made.account, made.inbox).await.unwrap();
    let refused: Vec<_> = found.iter().filter(|s| s.refused).collect();
    assert_eq!((refused.len(), refused[0].origin.as_str()), (ORIGINS_MAX, "https://59.example"));
    assert!(found.iter().any(|s| !s.refused), "refused ones do not drive the others out");

    let other = fixture.account("other").await;
    assert_eq!(catalog.sightings(other.account, made.inbox).await.unwrap(), []);
    // An inbox that went meanwhile is no failure.
    let gone = Seen { inbox: other.inbox, ..seen("https://x.example", true, 1) };
    catalog.note_sighting(gone).await.unwrap();
    assert_eq!(catalog.sightings(other.account, other.inbox).await.unwrap(), []);
}

#[tokio::test]
async fn signals_are_kept_for_each_user_and_go_with_it() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (acme, other) = (fixture.account("acme").await, fixture.account("other").await);
    let before = catalog.preferences(acme.owner).await.unwrap();
    assert_eq!(before, Preferences::default());
    assert!(before.sound && before.desktop && before.title && !before.repeat_until_answered);
    let quiet = Preferences { sound: false, repeat_until_answered: true, ..before };
    catalog.set_preferences(acme.owner, quiet).await.unwrap();
    catalog.set_preferences(acme.owner, quiet).await.unwrap();
    assert_eq!(catalog.preferences(acme.owner).await.unwrap(), quiet);
    assert_eq!(catalog.preferences(other.owner).await.unwrap(), before);
    let nobody = frontdesk_core::id::UserId::from_bytes([9; 12]);
    unknown(catalog.set_preferences(nobody, quiet).await);
}
