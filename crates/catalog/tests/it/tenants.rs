//! S11: every function with the ids of another account says "unknown" and changes nothing.

use std::collections::BTreeMap;

use frontdesk_catalog::settings::{self, At, IDLE_CLOSE, Place};
use frontdesk_catalog::{
    Builtin, FileFacts, FileQuotas, FileState, FileUsage, InboxChange, InboxKind, InboxText,
    NewFile, NewInbox, NewReply, Presence, ProfileChange, Reserve, RoutingMode, Texts, Uploader,
    new_file_id,
};
use frontdesk_core::id::{ConversationId, IdSource};
use frontdesk_core::rights::Rights;

use crate::{Fixture, PASSWORD, conflict, invalid, new_user, operator, unknown};

#[tokio::test]
async fn s11_users_and_roles_of_another_account_are_unknown() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) = (fixture.account("ours").await, fixture.account("theirs").await);
    let (us, them) = (ours.account, theirs.owner);
    let our_role = catalog.builtin_role(us, Builtin::Admin).await.unwrap().id;
    let their_role = catalog.builtin_role(theirs.account, Builtin::Agent).await.unwrap().id;
    let before = catalog.users(theirs.account).await.unwrap();
    let password = PASSWORD.into();
    let names = Texts::one("en", "x");

    unknown(catalog.user(us, them).await);
    unknown(catalog.access(us, them).await);
    unknown(catalog.update_profile(us, them, &ProfileChange::default(), false).await);
    unknown(catalog.update_profile(us, them, &ProfileChange::default(), true).await);
    unknown(catalog.change_role(us, them, our_role, operator()).await);
    unknown(catalog.change_role(us, ours.owner, their_role, operator()).await);
    unknown(catalog.set_capacity(us, them, Some(1)).await);
    unknown(catalog.set_skills(us, them, &[]).await);
    unknown(catalog.set_user_teams(us, them, &[]).await);
    unknown(catalog.set_disabled(us, them, true, operator()).await);
    unknown(catalog.set_presence(us, them, Presence::Away).await);
    unknown(catalog.reset_password(us, them, &"another phrase".into(), operator()).await);
    unknown(catalog.remove_user(us, them, operator()).await);
    unknown(catalog.create_user(us, &new_user("a@b.c", their_role), &password, operator()).await);
    unknown(catalog.add_membership(us, them, their_role).await);
    unknown(catalog.begin_session(them, us, "", None, 0).await.map(|_| ()));
    unknown(catalog.role(us, their_role).await);
    unknown(catalog.update_role(us, their_role, &names, Rights::none(), operator()).await);
    unknown(catalog.delete_role(us, their_role).await);

    assert_eq!(catalog.users(us).await.unwrap().len(), 1);
    assert_eq!(catalog.users(theirs.account).await.unwrap(), before);
    assert_eq!(catalog.role(theirs.account, their_role).await.unwrap().rights, Rights::agent());
    catalog.sign_in("owner@theirs.example", &password).await.unwrap();
}

#[tokio::test]
async fn s11_teams_of_another_account_are_unknown_wherever_a_team_fits() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) = (fixture.account("ours").await, fixture.account("theirs").await);
    let us = ours.account;
    let names = Texts::one("en", "Sales");
    let their_team = catalog.create_team(theirs.account, &names, &[theirs.owner]).await.unwrap();
    let our_team = catalog.create_team(us, &names, &[]).await.unwrap();
    let team = Some(their_team.id);
    let reply = NewReply { team, shortcut: "hi".to_owned(), texts: names.clone() };
    let agent = catalog.builtin_role(us, Builtin::Agent).await.unwrap().id;
    let mut with_team = new_user("a@b.c", agent);
    with_team.teams = vec![their_team.id];

    unknown(catalog.team(us, their_team.id).await);
    unknown(catalog.rename_team(us, their_team.id, &Texts::one("en", "Ours")).await);
    unknown(catalog.set_team_members(us, their_team.id, &[]).await);
    unknown(catalog.set_team_members(us, our_team.id, &[theirs.owner]).await);
    unknown(catalog.create_team(us, &names, &[theirs.owner]).await);
    unknown(catalog.set_user_teams(us, ours.owner, &[their_team.id]).await);
    unknown(catalog.create_user(us, &with_team, &PASSWORD.into(), operator()).await);
    unknown(catalog.create_reply(us, &reply).await);
    let new = NewInbox { name: "x".to_owned(), default_team: team, ..NewInbox::default() };
    unknown(catalog.create_inbox(us, &new).await);
    let change = InboxChange { default_team: Some(team), ..InboxChange::default() };
    unknown(catalog.update_inbox(us, ours.inbox, change).await);
    let place = Place::Team(their_team.id);
    unknown(catalog.set_setting(us, place, IDLE_CLOSE.spec().name, &60.into()).await);
    unknown(catalog.reset_setting(us, place, IDLE_CLOSE.spec().name).await);
    unknown(catalog.delete_team(us, their_team.id).await);

    assert_eq!(catalog.teams(us).await.unwrap(), [our_team]);
    assert_eq!(catalog.teams(theirs.account).await.unwrap(), [their_team]);
    assert_eq!(catalog.users(us).await.unwrap().len(), 1);
}

#[tokio::test]
async fn s11_inboxes_replies_keys_and_settings_of_another_account_are_unknown() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) = (fixture.account("ours").await, fixture.account("theirs").await);
    let (us, them) = (ours.account, theirs.account);
    let text =
        NewReply { team: None, shortcut: "/Hi".to_owned(), texts: Texts::one("en", "Hello") };
    let reply = catalog.create_reply(them, &text).await.unwrap();
    let name = IDLE_CLOSE.spec().name;
    catalog.set_setting(them, Place::Account, name, &90.into()).await.unwrap();
    let inbox = catalog.inbox(them, theirs.inbox).await.unwrap();

    unknown(catalog.inbox(us, theirs.inbox).await);
    unknown(catalog.update_inbox(us, theirs.inbox, InboxChange::default()).await);
    unknown(catalog.rotate_inbox_key(us, theirs.inbox).await);
    unknown(catalog.delete_inbox(us, theirs.inbox).await);
    unknown(catalog.reply(us, reply.id).await);
    unknown(catalog.update_reply(us, reply.id, &text).await);
    unknown(catalog.delete_reply(us, reply.id).await);
    unknown(catalog.api_key(us, theirs.api_key_id).await);
    unknown(catalog.delete_api_key(us, theirs.api_key_id).await);
    unknown(catalog.set_setting(us, Place::Inbox(theirs.inbox), name, &60.into()).await);
    unknown(catalog.reset_setting(us, Place::Inbox(theirs.inbox), name).await);

    assert_eq!(catalog.settings(us).await.unwrap().get(IDLE_CLOSE, At::ACCOUNT).as_secs(), 1_800);
    assert_eq!(catalog.settings(them).await.unwrap().get(IDLE_CLOSE, At::ACCOUNT).as_secs(), 90);
    assert_eq!(catalog.inbox(them, theirs.inbox).await.unwrap(), inbox);
    assert_eq!(catalog.replies(them).await.unwrap(), [reply]);
    assert_eq!(catalog.replies(us).await.unwrap(), []);
    catalog.verify_api_key(&theirs.api_key, 0).await.unwrap();
    assert_eq!(catalog.api_keys(us).await.unwrap().len(), 1);
}

#[tokio::test]
async fn s11_s16_files_of_another_account_and_unfinished_ones_are_unknown() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) = (fixture.account("ours").await, fixture.account("theirs").await);
    let conversation: ConversationId = IdSource::new([1, 2, 3], 4, 5).next(1_000);
    let uploader = Uploader { kind: "visitor".to_owned(), id: "v".to_owned() };
    let quota = FileUsage { files: 10, bytes: 1_000 };
    let new = NewFile {
        id: new_file_id().unwrap(),
        conversation: Some(conversation),
        uploader,
        name: "../a.png".to_owned(),
        reserve: Reserve::Exactly(70),
        quotas: FileQuotas { account: quota, uploader: None },
    };
    let facts = FileFacts {
        media_type: "image/png".to_owned(),
        size_bytes: 10,
        width: 2,
        height: 3,
        has_thumbnail: true,
    };
    let file = catalog.begin_file(theirs.account, new).await.unwrap().file;
    assert_eq!((file.id.len(), file.name.as_str()), (32, "a.png"));
    unknown(catalog.file(theirs.account, &file.id).await);
    assert_eq!(catalog.leftover_files(i64::MAX, 10).await.unwrap().len(), 1);
    let stored = |files, bytes| FileUsage { files, bytes };
    let usage = catalog.file_usage(theirs.account).await.unwrap();
    assert_eq!(usage, stored(1, 70), "room is taken while it comes in");
    unknown(catalog.finish_file(ours.account, &file.id, facts.clone()).await);
    let file = catalog.finish_file(theirs.account, &file.id, facts.clone()).await.unwrap();
    unknown(catalog.finish_file(theirs.account, &file.id, facts).await);

    unknown(catalog.file(ours.account, &file.id).await);
    unknown(catalog.delete_file(ours.account, &file.id).await);
    assert_eq!(catalog.files_of(ours.account, conversation).await.unwrap(), []);
    assert_eq!(catalog.file_usage(ours.account).await.unwrap().files, 0);
    assert_eq!(
        catalog.files_of(theirs.account, conversation).await.unwrap(),
        std::slice::from_ref(&file)
    );
    assert_eq!(catalog.file_usage(theirs.account).await.unwrap(), stored(1, 10));
    catalog.delete_file(theirs.account, &file.id).await.unwrap();
    unknown(catalog.file(theirs.account, &file.id).await);
    unknown(catalog.delete_file(theirs.account, &file.id).await);
    assert_eq!(catalog.file_usage(theirs.account).await.unwrap(), stored(0, 0));

    let left = catalog.leftover_files(0, 10).await.unwrap();
    assert_eq!(left.len(), 1, "its bytes are not known to be gone");
    assert_eq!((left[0].id.as_str(), left[0].state), (file.id.as_str(), FileState::Removing));
    unknown(catalog.file_removed(ours.account, &file.id).await);
    catalog.file_removed(theirs.account, &file.id).await.unwrap();
    unknown(catalog.file_removed(theirs.account, &file.id).await);
    assert_eq!(catalog.leftover_files(i64::MAX, 10).await.unwrap(), []);
}

#[tokio::test]
async fn an_inbox_keeps_what_is_set_and_its_key_can_be_changed() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let (account, id) = (made.account, made.inbox);
    let team = catalog.create_team(account, &Texts::one("en", "Sales"), &[]).await.unwrap();
    let change = InboxChange {
        name: Some(" Shop ".to_owned()),
        origins: Some(vec!["https://Shop.example/".to_owned(), "https://shop.example".to_owned()]),
        default_team: Some(Some(team.id)),
        routing: Some(RoutingMode::Manual),
        texts: BTreeMap::from([
            (InboxText::Away, Texts::one("zh-CN", "稍后回复")),
            (InboxText::Greeting, Texts::default()),
        ]),
        ..InboxChange::default()
    };
    let inbox = catalog.update_inbox(account, id, change).await.unwrap();
    assert_eq!((inbox.name.as_str(), inbox.kind), ("Shop", InboxKind::Website));
    assert_eq!(inbox.origins, ["https://shop.example"]);
    assert_eq!(inbox.texts.len(), 1);
    assert_eq!(*catalog.inbox(account, id).await.unwrap(), inbox);
    conflict(catalog.delete_team(account, team.id).await, "in_use");

    let rotated = catalog.rotate_inbox_key(account, id).await.unwrap();
    unknown(catalog.inbox_by_key(&made.inbox_key).await);
    assert_eq!(catalog.inbox_by_key(&rotated.public_key).await.unwrap(), *rotated);
    catalog.delete_inbox(account, id).await.unwrap();
    unknown(catalog.inbox_by_key(&rotated.public_key).await);
    catalog.delete_team(account, team.id).await.unwrap();
}

#[tokio::test]
async fn the_nearest_place_of_a_setting_wins_and_goes_with_its_inbox() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let (account, inbox) = (made.account, made.inbox);
    let team = catalog.create_team(account, &Texts::one("en", "Sales"), &[]).await.unwrap().id;
    let name = IDLE_CLOSE.spec().name;
    for (place, seconds) in
        [(Place::Account, 100), (Place::Inbox(inbox), 200), (Place::Team(team), 300)]
    {
        catalog.set_setting(account, place, name, &seconds.into()).await.unwrap();
        catalog.set_setting(account, place, name, &(seconds + 1).into()).await.unwrap();
    }
    let settings = catalog.settings(account).await.unwrap();
    let at = |team, inbox| settings.get(IDLE_CLOSE, At { team, inbox }).as_secs();
    assert_eq!(at(None, None), 101);
    assert_eq!(at(None, Some(inbox)), 201);
    assert_eq!(at(Some(team), Some(inbox)), 301);
    assert_eq!(settings.own(IDLE_CLOSE.spec(), Place::Inbox(inbox)), Some(201.into()));

    catalog.reset_setting(account, Place::Account, name).await.unwrap();
    catalog.delete_inbox(account, inbox).await.unwrap();
    let settings = catalog.settings(account).await.unwrap();
    assert_eq!(settings.get(IDLE_CLOSE, At { team: None, inbox: Some(inbox) }).as_secs(), 1_800);
    assert_eq!(settings.own(IDLE_CLOSE.spec(), Place::Inbox(inbox)), None);

    unknown(catalog.set_setting(account, Place::Account, "no.such", &1.into()).await);
    let grace = settings::OFFLINE_GRACE.spec().name;
    invalid(
        catalog.set_setting(account, Place::Team(team), grace, &9.into()).await,
        grace,
        "scope",
    );
}

#[tokio::test]
async fn a_shortcut_is_unique_in_its_scope() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    let team = catalog.create_team(account, &Texts::one("en", "Sales"), &[]).await.unwrap().id;
    let reply = |team, shortcut: &str| NewReply {
        team,
        shortcut: shortcut.to_owned(),
        texts: Texts::one("en", "Hello").with("zh-CN", "您好"),
    };
    let first = catalog.create_reply(account, &reply(None, "/Hello")).await.unwrap();
    assert_eq!(first.shortcut, "hello");
    conflict(catalog.create_reply(account, &reply(None, "HELLO")).await, "taken");
    catalog.create_reply(account, &reply(Some(team), "hello")).await.unwrap();
    conflict(catalog.update_reply(account, first.id, &reply(Some(team), "hello")).await, "taken");
    let changed = catalog.update_reply(account, first.id, &reply(None, "bye")).await.unwrap();
    assert_eq!((changed.id, changed.shortcut.as_str()), (first.id, "bye"));
    invalid(
        catalog.create_reply(account, &reply(None, "two words")).await,
        "shortcut",
        "whitespace",
    );
    catalog.delete_team(account, team).await.unwrap();
    assert_eq!(catalog.replies(account).await.unwrap(), [changed], "a team's replies go with it");
}

#[tokio::test]
async fn what_an_account_says_of_intents_is_its_own_and_of_two_changes_at_once_one_is_told() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) = (fixture.account("ours").await, fixture.account("theirs").await);
    assert_eq!(catalog.intent_settings(ours.account).await.unwrap(), None);
    let first = catalog.set_intent_settings(ours.account, "{}", 0).await.unwrap();
    assert_eq!((first.document.as_str(), first.revision), ("{}", 1));
    let second = catalog.set_intent_settings(ours.account, "{\"rules\":[]}", 1).await.unwrap();
    conflict(catalog.set_intent_settings(ours.account, "{}", 1).await, "changed");
    conflict(catalog.set_intent_settings(ours.account, "{}", 0).await, "changed");
    assert_eq!(catalog.intent_settings(ours.account).await.unwrap(), Some(second));
    assert_eq!(catalog.intent_settings(theirs.account).await.unwrap(), None);
    let long = " ".repeat((256 << 10) + 1);
    invalid(catalog.set_intent_settings(ours.account, &long, 2).await, "intents", "too_long");
}
