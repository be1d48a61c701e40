//! Users, roles, teams: who may change whom, and what must stay.

use frontdesk_catalog::settings::{CAPACITY, Place};
use frontdesk_catalog::{Builtin, CreatedAccount, Granter, Presence, ProfileChange, Texts};
use frontdesk_core::id::{RoleId, UserId};
use frontdesk_core::rights::{Right, Rights};

use crate::{Fixture, PASSWORD, conflict, invalid, new_user, operator, refused, unknown};

async fn user(fixture: &Fixture, made: &CreatedAccount, email: &str, builtin: Builtin) -> UserId {
    let role = role(fixture, made, builtin).await;
    fixture
        .catalog
        .create_user(made.account, &new_user(email, role), &PASSWORD.into(), operator())
        .await
        .unwrap()
        .user
        .id
}

async fn role(fixture: &Fixture, made: &CreatedAccount, builtin: Builtin) -> RoleId {
    fixture.catalog.builtin_role(made.account, builtin).await.unwrap().id
}

#[tokio::test]
async fn the_last_owner_stays_an_owner_who_can_sign_in() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let (account, owner) = (made.account, made.owner);
    let admin_role = role(&fixture, &made, Builtin::Admin).await;

    refused(catalog.change_role(account, owner, admin_role, operator()).await, "user.last_owner");
    refused(catalog.set_disabled(account, owner, true, operator()).await, "user.last_owner");
    refused(catalog.remove_user(account, owner, operator()).await, "user.last_owner");
    refused(catalog.operator_set_disabled(owner, true).await, "user.last_owner");

    let second = user(&fixture, &made, "two@acme.example", Builtin::Owner).await;
    catalog.set_disabled(account, second, true, operator()).await.unwrap();
    refused(catalog.remove_user(account, owner, operator()).await, "user.last_owner");
    catalog.set_disabled(account, second, false, operator()).await.unwrap();
    catalog.change_role(account, owner, admin_role, operator()).await.unwrap();
    refused(catalog.remove_user(account, second, operator()).await, "user.last_owner");
}

#[tokio::test]
async fn nobody_gives_or_touches_more_than_they_have() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let account = made.account;
    let agent = user(&fixture, &made, "agent@acme.example", Builtin::Agent).await;
    let admin = user(&fixture, &made, "admin@acme.example", Builtin::Admin).await;
    let owner_role = role(&fixture, &made, Builtin::Owner).await;
    let admin_role = role(&fixture, &made, Builtin::Admin).await;
    let agent_role = role(&fixture, &made, Builtin::Agent).await;
    let as_admin = catalog.access(account, admin).await.unwrap().granter();
    let clerk = Granter { rights: Rights::agent().with(Right::SettingsUsers), owner: false };
    let missing = "right.missing";

    refused(catalog.change_role(account, agent, owner_role, as_admin).await, missing);
    refused(catalog.remove_user(account, made.owner, as_admin).await, missing);
    refused(catalog.reset_password(account, made.owner, &PASSWORD.into(), as_admin).await, missing);
    refused(catalog.change_role(account, agent, admin_role, clerk).await, missing);
    refused(catalog.set_disabled(account, admin, true, clerk).await, missing);
    refused(catalog.reset_password(account, admin, &PASSWORD.into(), clerk).await, missing);
    let new = new_user("new@acme.example", admin_role);
    refused(catalog.create_user(account, &new, &PASSWORD.into(), clerk).await, missing);
    let names = Texts::one("en", "Everything");
    refused(catalog.create_role(account, &names, Rights::all(), clerk).await, missing);
    refused(catalog.update_role(account, agent_role, &names, Rights::all(), clerk).await, missing);
    refused(catalog.update_role(account, admin_role, &names, Rights::none(), clerk).await, missing);
    refused(catalog.create_api_key(account, "k", Rights::all(), false, clerk).await, missing);

    catalog.reset_password(account, agent, &"another phrase".into(), clerk).await.unwrap();
    catalog.change_role(account, agent, admin_role, as_admin).await.unwrap();
}

#[tokio::test]
async fn an_address_is_one_user_and_a_shared_user_belongs_to_no_account_alone() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (acme, other) = (fixture.account("acme").await, fixture.account("other").await);
    let ann = user(&fixture, &acme, "Ann@Example.com", Builtin::Agent).await;
    let other_role = role(&fixture, &other, Builtin::Agent).await;
    let again = new_user("ann@EXAMPLE.com ", other_role);
    conflict(
        catalog.create_user(other.account, &again, &PASSWORD.into(), operator()).await,
        "taken",
    );

    catalog.add_membership(other.account, ann, other_role).await.unwrap();
    conflict(catalog.add_membership(other.account, ann, other_role).await, "member_already");
    let rename = ProfileChange { display_name: Some("Mallory".to_owned()), ..Default::default() };
    conflict(catalog.update_profile(other.account, ann, &rename, false).await, "own_choice_only");
    conflict(
        catalog.reset_password(other.account, ann, &PASSWORD.into(), operator()).await,
        "own_choice_only",
    );
    catalog.set_disabled(other.account, ann, true, operator()).await.unwrap();
    let signed_in = catalog.sign_in("ann@example.com", &PASSWORD.into()).await.unwrap();
    assert_eq!(signed_in.accounts, [acme.account], "the other account is not slowed or shut");
    unknown(catalog.access(other.account, ann).await);
    catalog.remove_user(other.account, ann, operator()).await.unwrap();
    assert_eq!(catalog.user(acme.account, ann).await.unwrap().user.email, "Ann@Example.com");
}

#[tokio::test]
async fn a_user_keeps_profile_presence_capacity_and_teams() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let account = made.account;
    let ann = user(&fixture, &made, "ann@acme.example", Builtin::Agent).await;
    let sales = catalog.create_team(account, &Texts::one("en", "Sales"), &[ann]).await.unwrap();
    let help = catalog.create_team(account, &Texts::one("en", "Help"), &[]).await.unwrap();

    catalog.set_user_teams(account, ann, &[help.id, sales.id, help.id]).await.unwrap();
    catalog.set_capacity(account, ann, Some(9)).await.unwrap();
    catalog.set_presence(account, ann, Presence::Away).await.unwrap();
    let change = ProfileChange {
        display_name: Some(" 安 ".to_owned()),
        language: Some("zh-CN".to_owned()),
        avatar: None,
    };
    let member = catalog.update_profile(account, ann, &change, true).await.unwrap();
    assert_eq!((member.user.display_name.as_str(), member.capacity), ("安", Some(9)));

    let access = catalog.access(account, ann).await.unwrap();
    assert_eq!(access.teams, [sales.id, help.id]);
    assert_eq!((access.capacity, access.presence), (9, Presence::Away));
    assert_eq!(catalog.team(account, help.id).await.unwrap().members, [ann]);
    assert_eq!(catalog.users(account).await.unwrap()[1], catalog.user(account, ann).await.unwrap());

    let skills = [" Refunds ".to_owned(), "refunds".to_owned(), "中文".to_owned()];
    let member = catalog.set_skills(account, ann, &skills).await.unwrap();
    assert_eq!(member.skills, ["refunds", "中文"], "as they are compared, each once");
    assert_eq!(catalog.user(account, ann).await.unwrap(), member);
    invalid(catalog.set_skills(account, ann, &[" ".to_owned()]).await, "skills", "empty");
    invalid(catalog.set_skills(account, ann, &["x".repeat(33)]).await, "skills", "too_long");
    let many: Vec<String> = (0..17).map(|number| number.to_string()).collect();
    invalid(catalog.set_skills(account, ann, &many).await, "skills", "too_many");
    assert_eq!(catalog.user(account, ann).await.unwrap().skills, ["refunds", "中文"]);

    catalog.set_capacity(account, ann, None).await.unwrap();
    catalog.set_setting(account, Place::Account, CAPACITY.spec().name, &7.into()).await.unwrap();
    assert_eq!(catalog.access(account, ann).await.unwrap().capacity, 7);

    catalog.set_team_members(account, help.id, &[]).await.unwrap();
    catalog.delete_team(account, sales.id).await.unwrap();
    assert_eq!(catalog.access(account, ann).await.unwrap().teams, []);
}

#[tokio::test]
async fn an_avatar_is_a_colour_or_a_file_or_nothing() {
    let fixture = Fixture::new().await;
    let made = fixture.account("acme").await;
    let (account, owner) = (made.account, made.owner);
    let file = "0123456789abcdef0123456789abcdef";
    for (avatar, allowed) in [
        ("hue-0", true),
        ("hue-7", true),
        (file, true),
        ("", true),
        ("hue-8", false),
        ("hue-+1", false),
        ("hue-", false),
        ("red", false),
        ("../etc/passwd", false),
    ] {
        let change = ProfileChange { avatar: Some(avatar.to_owned()), ..ProfileChange::default() };
        let changed = fixture.catalog.update_profile(account, owner, &change, true).await;
        assert_eq!(
            changed.map(|member| member.user.avatar).ok().as_deref() == Some(avatar),
            allowed,
            "{avatar}"
        );
    }
}

#[tokio::test]
async fn roles_in_use_built_in_roles_and_the_owners_rights_stay() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let made = fixture.account("acme").await;
    let account = made.account;
    let names = Texts::one("en", "Night shift").with("zh-CN", "夜班");
    let night = catalog.create_role(account, &names, Rights::agent(), operator()).await.unwrap();
    let new = new_user("n@acme.example", night.id);
    let user = catalog.create_user(account, &new, &PASSWORD.into(), operator()).await.unwrap();
    conflict(catalog.delete_role(account, night.id).await, "in_use");
    let more = Rights::agent().with(Right::ReportRead);
    catalog.update_role(account, night.id, &names, more, operator()).await.unwrap();
    assert_eq!(catalog.access(account, user.user.id).await.unwrap().rights, more);
    catalog.remove_user(account, user.user.id, operator()).await.unwrap();
    catalog.delete_role(account, night.id).await.unwrap();
    unknown(catalog.role(account, night.id).await);

    let owner_role = role(&fixture, &made, Builtin::Owner).await;
    conflict(catalog.delete_role(account, owner_role).await, "builtin");
    let fewer = catalog.update_role(account, owner_role, &names, Rights::agent(), operator()).await;
    conflict(fewer, "owner_fixed");
    invalid(
        catalog.create_role(account, &Texts::default(), Rights::none(), operator()).await,
        "names",
        "empty",
    );
}
