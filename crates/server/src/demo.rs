//! `serve --demo`: an account to look at, in a directory of its own.
//!
//! Passwords are drawn anew in an empty directory, kept beside the data (mode 0600) so that a later
//! start can say them again, and printed.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use anyhow::Context as _;
use frontdesk_catalog::{
    Builtin, Catalog, Granter, NewAccount, NewUser, Password,
    settings::{self, Place},
};
use frontdesk_core::secret::Secret128;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{commands::say, data_dir::DataDir};

/// Who may enter the demo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seeded {
    people: Vec<Person>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Person {
    role: String,
    email: String,
    password: String,
}

/// Seeds an empty catalog; otherwise reads what was drawn before.
pub(crate) async fn seed(catalog: &Catalog, data_dir: &DataDir) -> anyhow::Result<Seeded> {
    let file = data_dir.path().join("demo.json");
    if !catalog.is_empty().await? {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("cannot read the demo's passwords in {}", file.display()))?;
        return serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged", file.display()));
    }
    let people: Vec<Person> = [("admin", "admin"), ("agent", "lin"), ("supervisor", "mei")]
        .map(|(role, name)| Person {
            role: role.to_owned(),
            email: format!("{name}@demo.example"),
            password: Secret128::random().reveal(),
        })
        .into();
    let seeded = Seeded { people };
    write(&file, &serde_json::to_vec_pretty(&seeded).context("cannot write the passwords")?)?;
    let admin = &seeded.people[0];
    let made = catalog
        .create_account_with_admin(NewAccount {
            name: "云杉茶器 Spruce Tea".to_owned(),
            language: "zh-CN".to_owned(),
            demo: true,
            owner_email: admin.email.clone(),
            owner_name: "Admin".to_owned(),
            owner_password: Password::new(admin.password.clone()),
            origins: Vec::new(),
        })
        .await
        .context("cannot create the demo account")?;
    for (person, name, builtin) in
        [(1, "Lin 林", Builtin::Agent), (2, "Mei 梅", Builtin::Supervisor)]
    {
        let person = &seeded.people[person];
        let role = catalog.builtin_role(made.account, builtin).await?;
        let user = NewUser {
            email: person.email.clone(),
            display_name: name.to_owned(),
            language: "zh-CN".to_owned(),
            role: role.id,
            capacity: None,
            teams: Vec::new(),
        };
        let password = Password::new(person.password.clone());
        catalog
            .create_user(made.account, &user, &password, Granter::operator())
            .await
            .context("cannot create a demo user")?;
    }
    catalog
        .set_setting(
            made.account,
            Place::Account,
            settings::SNEAK_PEEK.spec().name,
            &serde_json::Value::Bool(true),
        )
        .await
        .context("cannot set up the demo account")?;
    Ok(seeded)
}

fn write(file: &PathBuf, content: &[u8]) -> anyhow::Result<()> {
    let written =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(file).and_then(
            |mut open| {
                open.write_all(content)?;
                open.sync_all()
            },
        );
    written.with_context(|| format!("cannot write {}", file.display()))
}

impl Seeded {
    /// Says how to enter, for people.
    pub(crate) fn announce(&self, base: &str) {
        let mut text = format!(
            "\nFrontdesk demo\n  Shop (visitor)   {base}/demo\n  Console          {base}/\n"
        );
        for person in &self.people {
            let Person { role, email, password } = person;
            writeln!(text, "    {role:<12} {email:<20} {password}").expect("a String grows");
        }
        text.push_str("  Stop with Ctrl+C.\n");
        say(&text);
    }

    /// Says how to enter, for programs: one line.
    pub(crate) fn announce_json(&self, base: &str) {
        let users: serde_json::Map<String, serde_json::Value> = self
            .people
            .iter()
            .map(|Person { role, email, password }| {
                (role.clone(), json!({ "email": email, "password": password }))
            })
            .collect();
        let object = json!({ "shop": format!("{base}/demo"), "console": format!("{base}/"), "users": users });
        say(&object.to_string());
    }
}
