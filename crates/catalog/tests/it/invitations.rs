//! Invitations: once, for a week, and never more than who made them may give.

use frontdesk_catalog::{
    Builtin, CreatedAccount, Granter, INVITATION_MS, INVITATIONS_MAX, Invitation, Inviter,
    NewInvitation, Texts,
};
use frontdesk_core::{
    id::RoleId,
    rights::{Right, Rights},
    secret::Secret128,
};

use crate::{Fixture, PASSWORD, conflict, invalid, new_user, operator, refused, unknown};

const NOW: i64 = 1_790_000_000_000;
const OVER: &str = "invitation.over";

fn new(email: &str, role: RoleId) -> NewInvitation {
    NewInvitation {
        email: email.to_owned(),
        display_name: String::new(),
        language: "zh-CN".to_owned(),
        role,
        teams: Vec::new(),
    }
}

async fn role(fixture: &Fixture, made: &CreatedAccount, builtin: Builtin) -> RoleId {
    fixture.catalog.builtin_role(made.account, builtin).await.unwrap().id
}

/// An invitation of the owner.
async fn invite(
    fixture: &Fixture,
    made: &CreatedAccount,
    new: &NewInvitation,
) -> (Invitation, Secret128) {
    let by = Inviter::User(made.owner);
    fixture.catalog.create_invitation(made.account, new, by, operator(), NOW).await.unwrap()
}

#[tokio::test]
async fn an_invitation_makes_a_member_once() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let agent = role(&fixture, &made, Builtin::Agent).await;
    let names = Texts::one("en", "Sales");
    let kept = catalog.create_team(made.account, &names, &[]).await.unwrap().id;
    let dissolved = catalog.create_team(made.account, &names, &[]).await.unwrap().id;
    let wanted = NewInvitation { teams: vec![kept, dissolved], ..new(" New@Acme.example ", agent) };
    let (invitation, secret) = invite(&fixture, &made, &wanted).await;
    assert_eq!(invitation.email, "New@Acme.example");
    let open = catalog.invitations(made.account, NOW).await.unwrap();
    assert_eq!(open, std::slice::from_ref(&invitation));
    assert_eq!(catalog.invitation(&secret, NOW).await.unwrap(), invitation);
    catalog.delete_team(made.account, dissolved).await.unwrap();

    let weak = catalog.accept_invitation(&secret, "小新", &"short".into(), NOW).await;
    invalid(weak, "password", "too_short");
    let nameless = catalog.accept_invitation(&secret, " ", &PASSWORD.into(), NOW).await;
    invalid(nameless, "display_name", "empty");
    let accepted = catalog.accept_invitation(&secret, "小新", &PASSWORD.into(), NOW).await;
    let (account, user) = accepted.unwrap();
    assert_eq!(account, made.account);
    let member = catalog.user(account, user).await.unwrap();
    assert_eq!((member.role, member.teams), (agent, vec![kept]));
    assert_eq!(
        (member.user.display_name.as_str(), member.user.language.as_str()),
        ("小新", "zh-CN")
    );
    catalog.sign_in("new@acme.example", &PASSWORD.into()).await.unwrap();
    refused(catalog.accept_invitation(&secret, "x", &PASSWORD.into(), NOW).await, OVER);
    assert_eq!(catalog.invitations(account, NOW).await.unwrap(), []);
}

#[tokio::test]
async fn of_two_who_use_a_link_at_once_one_wins() {
    let fixture = Fixture::new().await;
    let made = fixture.account("acme").await;
    let agent = role(&fixture, &made, Builtin::Agent).await;
    let (_, secret) = invite(&fixture, &made, &new("new@acme.example", agent)).await;
    let password = PASSWORD.into();
    let accept = || fixture.catalog.accept_invitation(&secret, "New", &password, NOW);
    let (a, b) = tokio::join!(accept(), accept());
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    assert_eq!(fixture.catalog.users(made.account).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_link_ends_with_its_week_its_withdrawal_and_its_successor() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let agent = role(&fixture, &made, Builtin::Agent).await;
    let (_, first) = invite(&fixture, &made, &new("new@acme.example", agent)).await;
    let (second, secret) = invite(&fixture, &made, &new("NEW@acme.example", agent)).await;
    refused(catalog.invitation(&first, NOW).await, OVER);
    let end = NOW + INVITATION_MS;
    catalog.invitation(&secret, end - 1).await.unwrap();
    refused(catalog.invitation(&secret, end).await, OVER);
    refused(catalog.accept_invitation(&secret, "x", &PASSWORD.into(), end).await, OVER);
    let other = fixture.account("other").await;
    unknown(catalog.withdraw_invitation(other.account, second.id).await);
    catalog.withdraw_invitation(made.account, second.id).await.unwrap();
    refused(catalog.invitation(&secret, NOW).await, OVER);
    unknown(catalog.withdraw_invitation(made.account, second.id).await);
    refused(catalog.invitation(&Secret128::random(), NOW).await, OVER);

    let (_, third) = invite(&fixture, &made, &new("third@acme.example", agent)).await;
    catalog.sweep(end).await.unwrap();
    refused(catalog.invitation(&third, NOW).await, OVER);
}

#[tokio::test]
async fn nobody_invites_to_more_than_they_have_also_when_the_link_is_used() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let account = made.account;
    let (agent, admin, owner) = (
        role(&fixture, &made, Builtin::Agent).await,
        role(&fixture, &made, Builtin::Admin).await,
        role(&fixture, &made, Builtin::Owner).await,
    );
    let create = |role, by, granter| async move {
        let new = new("new@acme.example", role);
        catalog.create_invitation(account, &new, by, granter, NOW).await
    };
    let clerk = Granter { rights: Rights::agent().with(Right::SettingsUsers), owner: false };
    let key = Inviter::Key(made.api_key_id);
    refused(create(admin, key, clerk).await, "right.missing");
    let all = Granter { rights: Rights::all(), owner: false };
    refused(create(owner, key, all).await, "right.missing");
    let other = fixture.account("other").await;
    let theirs = catalog.builtin_role(other.account, Builtin::Agent).await.unwrap().id;
    unknown(create(theirs, key, all).await);

    // Who made it is no admin any more, or no member: the link dies with that.
    let maker = new_user("maker@acme.example", admin);
    let maker = catalog.create_user(account, &maker, &PASSWORD.into(), operator()).await.unwrap();
    let maker = maker.user.id;
    let (_, secret) = create(agent, Inviter::User(maker), all).await.unwrap();
    catalog.invitation(&secret, NOW).await.unwrap();
    catalog.change_role(account, maker, agent, operator()).await.unwrap();
    refused(catalog.accept_invitation(&secret, "x", &PASSWORD.into(), NOW).await, OVER);
    catalog.change_role(account, maker, admin, operator()).await.unwrap();
    catalog.invitation(&secret, NOW).await.unwrap();
    catalog.set_disabled(account, maker, true, operator()).await.unwrap();
    refused(catalog.invitation(&secret, NOW).await, OVER);

    // A key that is gone takes its links along, and a role that is gone its invitations.
    let (_, secret) = create(agent, key, all).await.unwrap();
    catalog.delete_api_key(account, made.api_key_id).await.unwrap();
    refused(catalog.invitation(&secret, NOW).await, OVER);
    let names = Texts::one("en", "Clerk");
    let clerks = catalog.create_role(account, &names, Rights::agent(), operator()).await.unwrap();
    let (_, secret) = invite(&fixture, &made, &new("c@acme.example", clerks.id)).await;
    catalog.delete_role(account, clerks.id).await.unwrap();
    refused(catalog.invitation(&secret, NOW).await, OVER);
}

#[tokio::test]
async fn what_cannot_become_a_user_is_not_invited() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let account = made.account;
    let agent = role(&fixture, &made, Builtin::Agent).await;
    let by = Inviter::User(made.owner);
    let create = |new: NewInvitation| async move {
        catalog.create_invitation(account, &new, by, operator(), NOW).await
    };
    invalid(create(new("nobody", agent)).await, "email", "email");
    conflict(create(new("OWNER@acme.example", agent)).await, "taken");
    let language = NewInvitation { language: "x".to_owned(), ..new("a@b.c", agent) };
    invalid(create(language).await, "language", "language");
    let other = fixture.account("other").await;
    let names = Texts::one("en", "Sales");
    let theirs = catalog.create_team(other.account, &names, &[]).await.unwrap().id;
    unknown(create(NewInvitation { teams: vec![theirs], ..new("a@b.c", agent) }).await);
    for n in 0..INVITATIONS_MAX {
        create(new(&format!("{n}@acme.example"), agent)).await.unwrap();
    }
    conflict(create(new("more@acme.example", agent)).await, "too_many");
    create(new("0@acme.example", agent)).await.expect("it takes the place of the one before");
    // The address became a user by another way: the link tells so and stays.
    let (_, secret) = create(new("1@acme.example", agent)).await.unwrap();
    let user = new_user("1@acme.example", agent);
    catalog.create_user(account, &user, &PASSWORD.into(), operator()).await.unwrap();
    conflict(catalog.accept_invitation(&secret, "x", &PASSWORD.into(), NOW).await, "taken");
    assert_eq!(catalog.invitations(account, NOW).await.unwrap().len(), INVITATIONS_MAX);
}
