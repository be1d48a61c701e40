//! Inboxes: one website or channel each. The public key names an inbox in the widget's snippet and
//! in `/c/{key}`; it is random so that nobody can walk through the inboxes of an installation, and
//! still no secret.

mod checks;
mod hours;

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::id::{AccountId, InboxId, TeamId};
use serde::{Deserialize, Serialize};

use self::checks::{checked_hours, checked_look, checked_origins, checked_questions};
pub use self::hours::Opening;
use crate::catalog::Catalog;
use crate::changes::Change;
use crate::error::{Doing, Error, referenced};
use crate::identities::IdentityMode;
use crate::settings::{self, Place};
use crate::sql::{self, Row};
use crate::store::Write;
use crate::text::{self, TEXT_CHARS_MAX, Texts};
use crate::{rows, secrets, teams};

/// Through what visitors come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InboxKind {
    /// The widget on a website, and its stand-alone page.
    #[default]
    Website,
    /// A client of the API or an SDK.
    Api,
}

/// How a queued session finds its agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoutingMode {
    /// The router assigns it.
    #[default]
    Auto,
    /// Agents take it.
    Manual,
}

macro_rules! coded {
    ($type:ty, $($variant:path => $code:literal),+) => {
        impl $type {
            /// The word stored and shown in the API.
            pub fn code(self) -> &'static str {
                match self { $($variant => $code),+ }
            }
        }
        impl std::str::FromStr for $type {
            type Err = $crate::Error;
            fn from_str(code: &str) -> Result<Self, $crate::Error> {
                match code {
                    $($code => Ok($variant),)+
                    _ => Err($crate::Error::invalid("inbox", "unknown_word")),
                }
            }
        }
    };
}
pub(crate) use coded;
coded!(InboxKind, InboxKind::Website => "website", InboxKind::Api => "api");
coded!(RoutingMode, RoutingMode::Auto => "auto", RoutingMode::Manual => "manual");

/// On which side of the page the widget stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    #[default]
    Right,
}

/// Colours of the widget by day and night.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// As the visitor's system says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How the widget looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Look {
    /// `#rrggbb`; empty for the product's own.
    pub accent: String,
    /// Where the bubble stands.
    pub side: Side,
    /// Light or dark.
    pub scheme: Scheme,
    /// A file id; empty for none.
    pub logo: String,
}

impl Default for Look {
    fn default() -> Self {
        Self { accent: String::new(), side: Side::Right, scheme: Scheme::Auto, logo: String::new() }
    }
}

/// When the inbox is open. Minutes count from midnight in its time zone; a span past midnight ends
/// after minute 1440, and a lunch break is the gap between two spans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hours {
    /// IANA name; empty for UTC.
    pub time_zone: String,
    /// Empty: always open, but for special days.
    pub week: Vec<WeekSpan>,
    /// Holidays and other exceptions.
    pub days: Vec<SpecialDay>,
}

/// One span of each week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeekSpan {
    /// 1 is Monday, 7 Sunday.
    pub day: u8,
    /// 0 to 1439.
    pub from_minute: u16,
    /// After `from_minute`, at most 2880.
    pub to_minute: u16,
}

/// A day whose spans replace those of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialDay {
    /// `2026-12-25`.
    pub date: String,
    /// From and to as in the week; empty for closed.
    pub spans: Vec<(u16, u16)>,
}

/// Questions one language may have.
pub const QUESTIONS_MAX: usize = 6;

/// Suggested questions in the languages a team wrote them in, in the order visitors see them.
pub type Questions = BTreeMap<String, Vec<String>>;

/// Which text of an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxText {
    /// The first thing a visitor reads.
    Greeting,
    /// Shown while nobody is online.
    Away,
    /// Shown outside opening hours.
    Closed,
    /// Asks once for an address while nobody is online.
    AskContact,
    /// Heading of the chat.
    Title,
}

/// An inbox of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    /// Its id.
    pub id: InboxId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Names it to the public.
    pub public_key: String,
    /// What the team calls it.
    pub name: String,
    /// Through what visitors come.
    pub kind: InboxKind,
    /// Sites that may embed it: `https://shop.example`, `https://*.shop.example`.
    pub origins: Vec<String>,
    /// The queue of new sessions; None for the common one.
    pub default_team: Option<TeamId>,
    /// How a session finds its agent.
    pub routing: RoutingMode,
    /// How the widget looks.
    pub look: Look,
    /// What it says, by language.
    pub texts: BTreeMap<InboxText, Texts>,
    /// When it is open.
    pub hours: Hours,
    /// When it is open, in free words, by language.
    pub hours_text: Texts,
    /// What visitors may ask with one click, by language.
    pub questions: Questions,
    /// BCP 47; empty for the account's language.
    pub language: String,
    /// Whether its visitors come with an identity the site signs.
    pub identity: IdentityMode,
    /// When it was created.
    pub created_ms: i64,
}

/// What a new inbox begins with.
#[derive(Debug, Clone, Default)]
pub struct NewInbox {
    /// What the team calls it.
    pub name: String,
    /// Through what visitors come.
    pub kind: InboxKind,
    /// Sites that may embed it.
    pub origins: Vec<String>,
    /// The queue of new sessions.
    pub default_team: Option<TeamId>,
    /// How a session finds its agent.
    pub routing: RoutingMode,
    /// The first thing a visitor reads.
    pub greeting: Texts,
}

/// Changes of an inbox; None leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct InboxChange {
    /// What the team calls it.
    pub name: Option<String>,
    /// Sites that may embed it.
    pub origins: Option<Vec<String>>,
    /// The queue of new sessions; `Some(None)` for the common one.
    pub default_team: Option<Option<TeamId>>,
    /// How a session finds its agent.
    pub routing: Option<RoutingMode>,
    /// How the widget looks.
    pub look: Option<Look>,
    /// Texts to set; those not named stay, empty ones go.
    pub texts: BTreeMap<InboxText, Texts>,
    /// When it is open.
    pub hours: Option<Hours>,
    /// When it is open, in free words; takes the place of all languages.
    pub hours_text: Option<Texts>,
    /// What visitors may ask with one click; takes the place of all languages.
    pub questions: Option<Questions>,
    /// BCP 47; empty for the account's language.
    pub language: Option<String>,
    /// Whether its visitors come with an identity the site signs.
    pub identity: Option<IdentityMode>,
}

const UNKNOWN: Error = Error::NotFound { what: "inbox" };
/// Characters of the opening hours in words: a line or two below the greeting.
const HOURS_TEXT_CHARS_MAX: usize = 300;

impl Catalog {
    /// Lists the inboxes of an account, oldest first.
    pub async fn inboxes(&self, account: AccountId) -> Result<Vec<Inbox>, Error> {
        sql::query("SELECT * FROM inboxes WHERE account = ? ORDER BY id")
            .bind(account.to_string())
            .fetch_all(self.reads())
            .await
            .doing("read inboxes")?
            .iter()
            .map(inbox)
            .collect()
    }

    /// Reads one inbox.
    pub async fn inbox(&self, account: AccountId, id: InboxId) -> Result<Arc<Inbox>, Error> {
        let found = self.kept().inboxes.get_or_read(id, self.read_inbox(account, id)).await?;
        // Somebody else's was kept.
        if found.account == account { Ok(found) } else { Err(UNKNOWN) }
    }

    async fn read_inbox(&self, account: AccountId, id: InboxId) -> Result<Arc<Inbox>, Error> {
        let row = sql::query("SELECT * FROM inboxes WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read an inbox")?;
        inbox(&row.ok_or(UNKNOWN)?).map(Arc::new)
    }

    /// Finds an inbox by its public key: the one question a visitor's browser asks without an
    /// account.
    pub async fn inbox_by_key(&self, public_key: &str) -> Result<Inbox, Error> {
        let row = sql::query("SELECT * FROM inboxes WHERE public_key = ?")
            .bind(public_key)
            .fetch_optional(self.reads())
            .await
            .doing("read an inbox")?;
        inbox(&row.ok_or(UNKNOWN)?)
    }

    /// All origins on the list of any inbox of the installation: who may open a socket from a page
    /// that is not ours.
    pub async fn listed_origins(&self) -> Result<Vec<String>, Error> {
        let mut all: Vec<String> = Vec::new();
        let rows = sql::query("SELECT origins FROM inboxes")
            .fetch_all(self.reads())
            .await
            .doing("read origins")?;
        for row in &rows {
            all.extend(rows::json::<Vec<String>>(row, "origins")?);
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// Creates an inbox with a new public key.
    pub async fn create_inbox(&self, account: AccountId, new: &NewInbox) -> Result<Inbox, Error> {
        let mut write = self.write("create an inbox", Change::Account(account)).await?;
        let inbox = insert(self, &mut write, account, new).await?;
        write.commit().await.doing("create an inbox")?;
        Ok(inbox)
    }

    /// Changes an inbox.
    pub async fn update_inbox(
        &self,
        account: AccountId,
        id: InboxId,
        change: InboxChange,
    ) -> Result<Inbox, Error> {
        let mut write = self.write("change an inbox", Change::Account(account)).await?;
        let row = sql::query("SELECT * FROM inboxes WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(&mut write)
            .await
            .doing("read an inbox")?;
        let mut inbox = inbox(&row.ok_or(UNKNOWN)?)?;
        if let Some(name) = change.name {
            inbox.name = text::name("name", &name)?;
        }
        if let Some(origins) = change.origins {
            inbox.origins = checked_origins(&origins)?;
        }
        if let Some(team) = change.default_team {
            if let Some(team) = team {
                teams::exists(&mut write, account, team).await?;
            }
            inbox.default_team = team;
        }
        if let Some(routing) = change.routing {
            inbox.routing = routing;
        }
        if let Some(look) = change.look {
            inbox.look = checked_look(look)?;
        }
        for (which, texts) in change.texts {
            let texts = texts.checked("texts", TEXT_CHARS_MAX)?;
            if texts.is_empty() {
                inbox.texts.remove(&which);
            } else {
                inbox.texts.insert(which, texts);
            }
        }
        if let Some(hours) = change.hours {
            inbox.hours = checked_hours(hours)?;
        }
        if let Some(words) = change.hours_text {
            inbox.hours_text = words.checked("hours_text", HOURS_TEXT_CHARS_MAX)?;
        }
        if let Some(questions) = change.questions {
            inbox.questions = checked_questions(questions)?;
        }
        if let Some(language) = change.language {
            if !language.is_empty() {
                text::language_tag("language", &language)?;
            }
            inbox.language = language;
        }
        if let Some(identity) = change.identity {
            inbox.identity = identity;
        }
        sql::query(
            "UPDATE inboxes SET name = ?, origins = ?, default_team = ?, routing = ?, look = ?, \
             texts = ?, hours = ?, hours_text = ?, questions = ?, language = ?, identity_mode = ? \
             WHERE account = ? AND id = ?",
        )
        .bind(&inbox.name)
        .bind(rows::to_json(&inbox.origins))
        .bind(inbox.default_team.map(|team| team.to_string()))
        .bind(inbox.routing.code())
        .bind(rows::to_json(&inbox.look))
        .bind(rows::to_json(&inbox.texts))
        .bind(rows::to_json(&inbox.hours))
        .bind(rows::to_json(&inbox.hours_text))
        .bind(rows::to_json(&inbox.questions))
        .bind(&inbox.language)
        .bind(inbox.identity.code())
        .bind(account.to_string())
        .bind(id.to_string())
        .execute(&mut write)
        .await
        .doing("change an inbox")?;
        write.commit().await.doing("change an inbox")?;
        Ok(inbox)
    }

    /// Gives an inbox a new public key; pages with the old one stop to work.
    pub async fn rotate_inbox_key(
        &self,
        account: AccountId,
        id: InboxId,
    ) -> Result<Arc<Inbox>, Error> {
        let mut write = self.write("change the key of an inbox", Change::Account(account)).await?;
        let changed = sql::query("UPDATE inboxes SET public_key = ? WHERE account = ? AND id = ?")
            .bind(secrets::random_hex()?)
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("change the key of an inbox")?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        write.commit().await.doing("change the key of an inbox")?;
        self.inbox(account, id).await
    }

    /// Deletes an inbox. Its conversations stay readable.
    pub async fn delete_inbox(&self, account: AccountId, id: InboxId) -> Result<(), Error> {
        let mut write = self.write("delete an inbox", Change::Account(account)).await?;
        let changed = sql::query("DELETE FROM inboxes WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing("delete an inbox")?;
        if changed.rows_affected() == 0 {
            return Err(UNKNOWN);
        }
        settings::forget(&mut write, account, Place::Inbox(id)).await?;
        write.commit().await.doing("delete an inbox")
    }
}

/// Makes sure that the account has this inbox.
pub(crate) async fn exists(
    write: &mut Write,
    account: AccountId,
    id: InboxId,
) -> Result<(), Error> {
    let found: i64 = sql::scalar("SELECT COUNT(*) FROM inboxes WHERE account = ? AND id = ?")
        .bind(account.to_string())
        .bind(id.to_string())
        .fetch_one(&mut *write)
        .await
        .doing("read an inbox")?;
    if found == 0 { Err(UNKNOWN) } else { Ok(()) }
}

pub(crate) async fn insert(
    catalog: &Catalog,
    write: &mut Write,
    account: AccountId,
    new: &NewInbox,
) -> Result<Inbox, Error> {
    let (id, created_ms) = catalog.new_id::<InboxId>();
    let greeting = new.greeting.checked("greeting", TEXT_CHARS_MAX)?;
    if let Some(team) = new.default_team {
        teams::exists(write, account, team).await?;
    }
    let inbox = Inbox {
        id,
        account,
        public_key: secrets::random_hex()?,
        name: text::name("name", &new.name)?,
        kind: new.kind,
        origins: checked_origins(&new.origins)?,
        default_team: new.default_team,
        routing: new.routing,
        look: Look::default(),
        texts: if greeting.is_empty() {
            BTreeMap::new()
        } else {
            BTreeMap::from([(InboxText::Greeting, greeting)])
        },
        hours: Hours::default(),
        hours_text: Texts::default(),
        questions: Questions::new(),
        language: String::new(),
        identity: IdentityMode::Off,
        created_ms,
    };
    sql::query(
        "INSERT INTO inboxes (id, account, public_key, name, kind, origins, default_team, \
         routing, look, texts, hours, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(inbox.id.to_string())
    .bind(account.to_string())
    .bind(&inbox.public_key)
    .bind(&inbox.name)
    .bind(inbox.kind.code())
    .bind(rows::to_json(&inbox.origins))
    .bind(inbox.default_team.map(|team| team.to_string()))
    .bind(inbox.routing.code())
    .bind(rows::to_json(&inbox.look))
    .bind(rows::to_json(&inbox.texts))
    .bind(rows::to_json(&inbox.hours))
    .bind(created_ms)
    .execute(&mut *write)
    .await
    .map_err(|source| referenced(Error::NotFound { what: "account" }, "create an inbox", source))?;
    Ok(inbox)
}

fn inbox(row: &Row) -> Result<Inbox, Error> {
    Ok(Inbox {
        id: rows::parsed(row, "id")?,
        account: rows::parsed(row, "account")?,
        public_key: rows::text(row, "public_key")?,
        name: rows::text(row, "name")?,
        kind: rows::parsed(row, "kind")?,
        origins: rows::json(row, "origins")?,
        default_team: rows::maybe_parsed(row, "default_team")?,
        routing: rows::parsed(row, "routing")?,
        look: rows::json(row, "look")?,
        texts: rows::json(row, "texts")?,
        hours: rows::json(row, "hours")?,
        hours_text: rows::json(row, "hours_text")?,
        questions: rows::json(row, "questions")?,
        language: rows::text(row, "language")?,
        identity: rows::parsed(row, "identity_mode")?,
        created_ms: rows::int(row, "created_ms")?,
    })
}
