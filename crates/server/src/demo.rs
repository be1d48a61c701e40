//! `serve --demo`: an account to look at, in a directory of its own, and the life in it.
//!
//! ```text
//! people     the account, its colleagues, teams, inboxes, canned replies
//! bot        the shop's bot: articles, flows, and where it works
//! scenes     what they have lived through, as scripts; pictures and long tell more of it
//! seed       plays the scenes into the log, before the node starts
//! regulars   what the bot has done over the last two weeks, into the log as well
//! life       what goes on while the node runs:
//! visitors   a visitor who comes by every 40 seconds; scripts tells what they say, most of them to people
//! colleague  answers the shop while nobody else does, and holds the colleagues' sockets
//! door       HTTP and WebSocket to the server's own address: the public protocol; pace is its clock
//! ```
//! Passwords are drawn anew in an empty directory, kept beside the data (mode 0600) so that a later
//! start can say them again, and printed. With `--quiet-demo` there are people and nothing else.

mod bot;
mod colleague;
mod door;
mod life;
mod long;
mod pace;
mod people;
mod pictures;
mod regulars;
mod scenes;
mod scripts;
mod seed;
mod visitors;

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use frontdesk_api::demo::Demo;
use frontdesk_catalog::Catalog;
use frontdesk_core::{
    id::{AccountId, VisitorId},
    secret::Secret128,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use life::Life;

use crate::{
    commands::say,
    config::{Config, Durability},
    data_dir::DataDir,
    node::now_ms,
    progress::Progress,
};

/// Scenes older than this are played again at a start: nobody waits for two days.
const SCENES_AGE_MS: i64 = 60 * 60 * 1_000;

/// What is known of a demo beside its data.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Seeded {
    /// Those one may enter as.
    people: Vec<Person>,
    /// Those the demo plays itself.
    #[serde(default)]
    colleagues: Vec<Person>,
    #[serde(default)]
    scenes: Option<Played>,
    #[serde(default)]
    bot: Option<HasBot>,
    /// Nobody but those one may enter as.
    #[serde(skip)]
    quiet: bool,
    /// Names of visitors that this start has to note.
    #[serde(skip)]
    names: Vec<Name>,
}

/// What the people of the shop call a visitor.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) account: AccountId,
    pub(crate) visitor: VisitorId,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Person {
    role: String,
    email: String,
    password: String,
}

/// When the scenes were played, and what is needed to go on with them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Played {
    at_ms: i64,
    /// How often they were played before.
    round: u32,
    /// Conversations that were left open.
    open: Vec<String>,
    /// Visitors who write again once their agent is there.
    returning: Vec<Back>,
}

/// The bot was set up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct HasBot {
    /// The inbox where it suggests answers to people; empty where somebody had set up a bot before.
    advisers: String,
    /// What it has done before is in the log.
    played: bool,
}

/// A visitor who comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Back {
    token: String,
    language: String,
    text: String,
}

/// With what a demo is made ready.
pub(crate) struct Stage<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) data_dir: &'a DataDir,
    pub(crate) config: &'a Config,
    pub(crate) progress: &'a Progress,
}

impl Person {
    fn drawn(role: &str, name: &str) -> Self {
        Self {
            role: role.to_owned(),
            email: format!("{name}@demo.example"),
            password: Secret128::random().reveal(),
        }
    }
}

impl Stage<'_> {
    fn file(&self) -> PathBuf {
        self.data_dir.path().join("demo.json")
    }

    /// Seeds an empty directory; otherwise reads what was drawn before, and plays scenes that have
    /// grown old once more. The node must not run yet.
    pub(crate) async fn prepare(&self, quiet: bool) -> anyhow::Result<Seeded> {
        let file = self.file();
        let mut seeded = if self.catalog.is_empty().await? {
            let drawn = Seeded {
                people: [("admin", "admin"), ("agent", "lin"), ("supervisor", "mei")]
                    .map(|(role, name)| Person::drawn(role, name))
                    .into(),
                colleagues: Vec::new(),
                scenes: None,
                bot: None,
                quiet,
                names: Vec::new(),
            };
            write(&file, &drawn)?;
            people::create(self.catalog, &drawn.people).await?;
            drawn
        } else {
            let text = fs::read_to_string(&file).with_context(|| {
                format!("cannot read the demo's passwords in {}", file.display())
            })?;
            serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))?
        };
        seeded.quiet = quiet;
        if quiet {
            return Ok(seeded);
        }
        if seeded.colleagues.is_empty() {
            seeded.colleagues =
                ["chen", "ada", "yun"].map(|name| Person::drawn("agent", name)).into();
            write(&file, &seeded)?;
        }
        let now = now_ms();
        // Where a log may have lost its tail, only the node itself knows where it goes on.
        let may_append = seeded.scenes.is_none()
            || self.config.storage.embedded()?.durability == Durability::Sync;
        if seeded.scenes.is_none() {
            people::add_life(self.catalog, &seeded.colleagues).await?;
        }
        if seeded.bot.is_none() {
            seeded.bot = Some(bot::install(self.catalog).await?);
        }
        let scenes = match &seeded.scenes {
            None => Some(seed::first(self, now).await?),
            Some(played) if now - played.at_ms > SCENES_AGE_MS && may_append => {
                Some(seed::again(self, played, now).await?)
            }
            Some(_) => None,
        };
        if let Some((scenes, names)) = scenes {
            seeded.scenes = Some(scenes);
            seeded.names = names;
        }
        if let Some(bot) = seeded.bot.as_mut().filter(|bot| !bot.played && may_append) {
            seeded.names.extend(regulars::play(self, now).await?);
            bot.played = true;
        }
        write(&file, &seeded)?;
        Ok(seeded)
    }
}

fn write(file: &Path, seeded: &Seeded) -> anyhow::Result<()> {
    let content = serde_json::to_vec_pretty(seeded).context("cannot write the passwords")?;
    // Under another name first: a kill never leaves half of it.
    let fresh = file.with_extension("json.new");
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut open| {
            open.write_all(&content)?;
            open.sync_all()
        })
        .and_then(|()| fs::rename(&fresh, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

impl Seeded {
    /// Takes the names this start has to note.
    pub(crate) fn names(&mut self) -> Vec<Name> {
        std::mem::take(&mut self.names)
    }

    /// The switch and the doors of this demo, for the API.
    pub(crate) fn switch(&self) -> Demo {
        let order = ["agent", "supervisor", "admin"];
        let mut doors: Vec<&Person> = self.people.iter().collect();
        doors.sort_by_key(|person| order.iter().position(|role| person.role == *role));
        Demo::new(doors.into_iter().map(|person| person.email.clone()).collect(), self.quiet)
    }

    /// Says how to enter, for people.
    pub(crate) fn announce(&self, base: &str) {
        let mut text = format!(
            "\nFrontdesk demo\n  Shop (visitor)   {base}/demo\n  Console          {base}/\n"
        );
        for person in &self.people {
            let Person { role, email, password } = person;
            writeln!(text, "    {role:<12} {email:<20} {password}").expect("a String grows");
        }
        text.push_str(
            "  Pause visitors   \"Pause demo visitors\" in the console\n  Stop             Ctrl+C\n",
        );
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
