//! Several nodes on one database: what one changes the others see within two seconds, and what may be done once
//! is done once.

use std::time::{Duration, Instant};

use frontdesk_catalog::settings::{self, At};
use frontdesk_catalog::{
    ArticleText, ArticleTexts, Builtin, Catalog, Change, ChangesElsewhere, ContactAuthor,
    ContactChange, CreatedAccount, DocumentKind, Error, Idempotent, IdempotentRequest, Inviter,
    NewArticle, NewDocument, NewInvitation, NewReply, Reserve, Seen, Texts,
};
use frontdesk_core::id::{ConversationId, VisitorId};
use serde_json::json;
use tokio::time::timeout;

use crate::files::{for_account, for_visitor, new_file, of};
use crate::{Fixture, PASSWORD, conflict, new_user, operator};

/// What a node may be behind another one.
const BEHIND_MAX: Duration = Duration::from_secs(2);

/// Two nodes with one account.
async fn two_nodes() -> (Fixture, Catalog, CreatedAccount) {
    let fixture = Fixture::new().await;
    let made = fixture.account("acme").await;
    let other = fixture.open_again().await;
    (fixture, other, made)
}

async fn hears(changes: &mut ChangesElsewhere) -> Change {
    let heard = timeout(BEHIND_MAX, changes.next()).await.expect("it is told within two seconds");
    heard.expect("the catalog is open")
}

#[tokio::test]
async fn what_another_node_sets_holds_within_two_seconds() {
    let (fixture, other, made) = two_nodes().await;
    let size = async || {
        let settings = other.settings(made.account).await.unwrap();
        settings.get(settings::FILE_MIB, At::ACCOUNT)
    };
    let mut changes = other.changes_elsewhere();
    for mib in [7, 8, 9] {
        assert_ne!(size().await, mib);
        let place = settings::Place::Account;
        let value = json!(mib);
        fixture.catalog.set_setting(made.account, place, "files.size_mib", &value).await.unwrap();
        let set_at = Instant::now();
        assert_eq!(hears(&mut changes).await, Change::Account(made.account));
        assert_eq!(size().await, mib, "whoever hears of it reads it");
        assert!(set_at.elapsed() < BEHIND_MAX, "{:?}", set_at.elapsed());
    }
}

#[tokio::test]
async fn others_hear_of_articles_and_documents_and_of_two_who_change_one_the_second_is_told() {
    let (fixture, other, made) = two_nodes().await;
    let (one, account) = (&fixture.catalog, made.account);
    let mut changes = other.changes_elsewhere();
    let text = ArticleText { title: "Pay".to_owned(), ..ArticleText::default() };
    let texts = ArticleTexts::from([("en".to_owned(), text)]);
    let new = NewArticle { slug: "pay".to_owned(), texts, ..NewArticle::default() };
    let article = one.create_article(account, &new).await.unwrap();
    assert_eq!(hears(&mut changes).await, Change::Account(account));
    assert_eq!(other.knowledge_version(account).await.unwrap(), 1);
    let both = tokio::join!(
        one.update_article(account, article.id, &new, 1),
        other.update_article(account, article.id, &new, 1),
    );
    assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
    conflict(both.0.and(both.1), "changed");
    let says = NewDocument { document: "x", sealed: None, by_name: "Ann" };
    let set = |catalog: &Catalog| {
        let catalog = catalog.clone();
        async move { catalog.set_document(account, DocumentKind::Words, "", says, 0).await }
    };
    let both = tokio::join!(set(one), set(&other));
    assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
    conflict(both.0.and(both.1), "changed");
}

#[tokio::test]
async fn others_hear_who_may_no_longer_do_what_and_nobody_hears_itself() {
    let (fixture, other, made) = two_nodes().await;
    let (one, account) = (&fixture.catalog, made.account);
    let (mut own, mut changes) = (one.changes_elsewhere(), other.changes_elsewhere());
    let agent = one.builtin_role(account, Builtin::Agent).await.unwrap().id;
    let new = new_user("agent@acme.example", agent);
    let user = one.create_user(account, &new, &PASSWORD.into(), operator()).await.unwrap().user.id;
    assert_eq!(hears(&mut changes).await, Change::Account(account));

    let (token, login) = one.begin_session(user, account, "ua", None, 0).await.unwrap();
    let (_, second) = one.begin_session(user, account, "ua", None, 0).await.unwrap();
    one.end_session(&token).await.unwrap();
    assert_eq!(hears(&mut changes).await, Change::Login { user, handle: login.handle });
    one.revoke_other_sessions(user, "").await.unwrap();
    assert_eq!(hears(&mut changes).await, Change::Login { user, handle: second.handle });

    one.revoke_session(user, "unknown").await.expect_err("nothing to tell");
    one.set_disabled(account, user, true, operator()).await.unwrap();
    assert_eq!(hears(&mut changes).await, Change::User { account: Some(account), user });
    one.reset_password(account, user, &"another phrase".into(), operator()).await.unwrap();
    assert_eq!(hears(&mut changes).await, Change::User { account: None, user });
    one.delete_api_key(account, made.api_key_id).await.unwrap();
    assert_eq!(hears(&mut changes).await, Change::Key { account, key: made.api_key_id });

    other.update_account(account, "renamed", "en").await.unwrap();
    assert_eq!(hears(&mut own).await, Change::Account(account), "the first it hears of");
}

#[tokio::test]
async fn a_node_that_missed_more_than_is_kept_takes_everything_to_be_changed() {
    let (fixture, other, made) = two_nodes().await;
    let mut changes = other.changes_elsewhere();
    let [later, gone] = [
        "UPDATE catalog_changes SET revision = revision + 20000 ORDER BY revision DESC",
        "DELETE FROM catalog_changes WHERE revision > 20000",
    ];
    // Too many came while it did not look; then the database is put back to what it was once.
    for behind_its_back in [later, gone] {
        fixture.execute(behind_its_back).await;
        assert_eq!(hears(&mut changes).await, Change::Everything);
        fixture.catalog.update_account(made.account, "renamed", "en").await.unwrap();
        assert_eq!(hears(&mut changes).await, Change::Account(made.account), "and what comes");
    }
}

#[tokio::test]
async fn two_nodes_overdraw_no_quota() {
    let (fixture, other, made) = two_nodes().await;
    for (who, quotas, room) in [
        ("a", for_account(of(100, 105)), 10),
        ("b", for_visitor(of(4, 1_000), of(100, 1_000), 0), 4),
        ("c", for_visitor(of(100, 1_000), of(100, 79), 0), 7),
    ] {
        let uploads: Vec<_> = (0..40)
            .map(|number| {
                let node = if number % 2 == 0 { fixture.catalog.clone() } else { other.clone() };
                let new = new_file(who, Reserve::Exactly(10), quotas);
                tokio::spawn(async move { node.begin_file(made.account, new).await })
            })
            .collect();
        let mut let_in = 0;
        for upload in uploads {
            match upload.await.unwrap() {
                Ok(_) => let_in += 1,
                Err(error) => assert!(matches!(error, Error::Quota { .. }), "{error:?}"),
            }
        }
        assert_eq!(let_in, room, "{who}");
    }
    assert_eq!(other.file_usage(made.account).await.unwrap(), of(21, 210));
}

#[tokio::test]
async fn of_two_nodes_one_uses_an_invitation() {
    const NOW: i64 = 1_790_000_000_000;
    let (fixture, other, made) = two_nodes().await;
    let one = &fixture.catalog;
    let role = one.builtin_role(made.account, Builtin::Agent).await.unwrap().id;
    for round in 0..3 {
        let new = NewInvitation {
            email: format!("new{round}@acme.example"),
            display_name: String::new(),
            language: "en".to_owned(),
            role,
            teams: Vec::new(),
        };
        let by = Inviter::User(made.owner);
        let invited = one.create_invitation(made.account, &new, by, operator(), NOW).await;
        let (_, secret) = invited.unwrap();
        let password = PASSWORD.into();
        let both = tokio::join!(
            one.accept_invitation(&secret, "One", &password, NOW),
            other.accept_invitation(&secret, "Other", &password, NOW),
        );
        let used: Vec<_> = [both.0, both.1].into_iter().filter_map(Result::ok).collect();
        assert_eq!(used.len(), 1);
        assert_eq!(one.users(made.account).await.unwrap().len(), 2 + round);
    }
}

#[tokio::test]
async fn an_address_and_a_shortcut_are_taken_once_by_two_nodes_at_once() {
    let (fixture, other, made) = two_nodes().await;
    let (one, account) = (&fixture.catalog, made.account);
    let role = one.builtin_role(account, Builtin::Agent).await.unwrap().id;
    for number in 0..3 {
        let new = new_user(&format!("new{number}@acme.example"), role);
        let password = PASSWORD.into();
        let both = tokio::join!(
            one.create_user(account, &new, &password, operator()),
            other.create_user(account, &new, &password, operator()),
        );
        let second = if both.0.is_ok() { both.1 } else { both.0 };
        conflict(second, "taken");
        let text = Texts::one("en", "Hello");
        let reply = NewReply { team: None, shortcut: format!("hi{number}"), texts: text };
        let both =
            tokio::join!(one.create_reply(account, &reply), other.create_reply(account, &reply));
        let second = if both.0.is_ok() { both.1 } else { both.0 };
        conflict(second, "taken");
    }
    assert_eq!(one.users(account).await.unwrap().len(), 4);
    assert_eq!(one.replies(account).await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_owner_stays_whom_two_nodes_disable_at_once() {
    let (fixture, other, made) = two_nodes().await;
    let (one, account) = (&fixture.catalog, made.account);
    let role = one.builtin_role(account, Builtin::Owner).await.unwrap().id;
    let new = new_user("two@acme.example", role);
    let second = one.create_user(account, &new, &PASSWORD.into(), operator()).await.unwrap();
    for _ in 0..5 {
        let both = tokio::join!(
            one.set_disabled(account, made.owner, true, operator()),
            other.set_disabled(account, second.user.id, true, operator()),
        );
        assert_eq!(u8::from(both.0.is_ok()) + u8::from(both.1.is_ok()), 1, "{both:?}");
        for user in [made.owner, second.user.id] {
            one.set_disabled(account, user, false, operator()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_identity_a_key_and_a_sighting_of_two_nodes_at_once_are_one() {
    let (fixture, other, made) = two_nodes().await;
    let one = &fixture.catalog;
    for number in 0..10_u8 {
        let device = |kind| {
            let id = [kind, number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            (VisitorId::from_bytes(id), ConversationId::from_bytes(id))
        };
        let bind = async |node: &Catalog, kind| {
            let subject = format!("person {number}");
            let (device, fresh) = (Some(device(kind)), device(kind + 10));
            node.bind_identity(made.account, made.inbox, &subject, None, device, fresh).await
        };
        let both = tokio::join!(bind(one, 1), bind(&other, 2));
        let (a, b) = (both.0.unwrap().identity, both.1.unwrap().identity);
        assert_eq!(a.visitor, b.visitor);

        let key = format!("key {number}");
        let request = IdempotentRequest {
            account: made.account,
            principal: "p",
            route: "r",
            key: &key,
            hash: [1; 32],
        };
        let both =
            tokio::join!(one.begin_idempotent(request, 1), other.begin_idempotent(request, 1));
        let mut answers = [both.0.unwrap(), both.1.unwrap()];
        answers.sort_by_key(|answer| *answer != Idempotent::New);
        assert_eq!(answers, [Idempotent::New, Idempotent::InProgress]);

        let origin = format!("https://{number}.example");
        let seen = Seen {
            account: made.account,
            inbox: made.inbox,
            origin: &origin,
            page: "",
            refused: false,
            requests: 1,
            now_ms: i64::from(number),
        };
        let both = tokio::join!(one.note_sighting(seen.clone()), other.note_sighting(seen));
        both.0.and(both.1).unwrap();
    }
    let sightings = one.sightings(made.account, made.inbox).await.unwrap();
    assert_eq!(sightings.iter().map(|seen| seen.requests).collect::<Vec<_>>(), [2; 10]);
}

#[tokio::test]
async fn contacts_of_two_nodes_have_one_order() {
    let (fixture, other, made) = two_nodes().await;
    let by = ContactAuthor { id: "u".to_owned(), name: "Mei".to_owned(), at_ms: 1 };
    let changes: Vec<_> = (0..20_u8)
        .map(|number| {
            let node = if number % 2 == 0 { fixture.catalog.clone() } else { other.clone() };
            let (visitor, by) = (VisitorId::from_bytes([number; 12]), by.clone());
            let name = Some(number.to_string());
            let change = ContactChange { name, ..ContactChange::default() };
            tokio::spawn(async move {
                node.update_contact_of(made.account, visitor, &change, &by).await
            })
        })
        .collect();
    for change in changes {
        change.await.unwrap().unwrap();
    }
    let news = other.contact_news(0, 100).await.unwrap();
    let revisions: Vec<_> = news.iter().map(|news| news.revision).collect();
    assert_eq!(revisions, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn sign_ins_of_one_user_on_two_nodes_all_succeed_and_keep_the_bound() {
    let (fixture, other, made) = two_nodes().await;
    let signed_in: Vec<_> = (0..60)
        .map(|number| {
            let node = if number % 2 == 0 { fixture.catalog.clone() } else { other.clone() };
            tokio::spawn(async move {
                let (token, _) =
                    node.begin_session(made.owner, made.account, "ua", None, number).await?;
                node.rotate_session(&token, number).await.map(drop)
            })
        })
        .collect();
    for signed_in in signed_in {
        // One that was ended to make room cannot be renewed.
        let ended = signed_in.await.unwrap();
        assert!(matches!(ended, Ok(()) | Err(Error::SessionOver)), "{ended:?}");
    }
    assert!(other.sessions(made.owner, 0).await.unwrap().len() <= 50);
}
