//! Inboxes: one website or channel each. The public key names an inbox in the widget's snippet and
//! in `/c/{key}`; it is random so that nobody can walk through the inboxes of an installation, and
//! still no secret.

use std::collections::BTreeMap;

use frontdesk_core::id::{AccountId, InboxId, TeamId};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;

use crate::catalog::{Catalog, Write};
use crate::error::{Doing, Error, referenced};
use crate::settings::{self, Place};
use crate::text::{self, TEXT_CHARS_MAX, Texts};
use crate::{login, rows, teams};

/// Origins one inbox may list.
pub(crate) const ORIGINS_MAX: usize = 100;
/// Spans of opening hours and special days one inbox may list.
pub(crate) const HOURS_MAX: usize = 400;

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
            type Err = Error;
            fn from_str(code: &str) -> Result<Self, Error> {
                match code {
                    $($code => Ok($variant),)+
                    _ => Err(Error::invalid("inbox", "unknown_word")),
                }
            }
        }
    };
}
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
}

const UNKNOWN: Error = Error::NotFound { what: "inbox" };

impl Catalog {
    /// Lists the inboxes of an account, oldest first.
    pub async fn inboxes(&self, account: AccountId) -> Result<Vec<Inbox>, Error> {
        sqlx::query("SELECT * FROM inboxes WHERE account = ? ORDER BY id")
            .bind(account.to_string())
            .fetch_all(self.reads())
            .await
            .doing("read inboxes")?
            .iter()
            .map(inbox)
            .collect()
    }

    /// Reads one inbox.
    pub async fn inbox(&self, account: AccountId, id: InboxId) -> Result<Inbox, Error> {
        let row = sqlx::query("SELECT * FROM inboxes WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read an inbox")?;
        inbox(&row.ok_or(UNKNOWN)?)
    }

    /// Finds an inbox by its public key: the one question a visitor's browser asks without an
    /// account.
    pub async fn inbox_by_key(&self, public_key: &str) -> Result<Inbox, Error> {
        let row = sqlx::query("SELECT * FROM inboxes WHERE public_key = ?")
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
        let rows = sqlx::query("SELECT origins FROM inboxes")
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
        let mut write = self.write("create an inbox").await?;
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
        let mut write = self.write("change an inbox").await?;
        let row = sqlx::query("SELECT * FROM inboxes WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(&mut *write)
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
        sqlx::query(
            "UPDATE inboxes SET name = ?, origins = ?, default_team = ?, routing = ?, look = ?, \
             texts = ?, hours = ? WHERE account = ? AND id = ?",
        )
        .bind(&inbox.name)
        .bind(rows::to_json(&inbox.origins))
        .bind(inbox.default_team.map(|team| team.to_string()))
        .bind(inbox.routing.code())
        .bind(rows::to_json(&inbox.look))
        .bind(rows::to_json(&inbox.texts))
        .bind(rows::to_json(&inbox.hours))
        .bind(account.to_string())
        .bind(id.to_string())
        .execute(&mut *write)
        .await
        .doing("change an inbox")?;
        write.commit().await.doing("change an inbox")?;
        Ok(inbox)
    }

    /// Gives an inbox a new public key; pages with the old one stop to work.
    pub async fn rotate_inbox_key(&self, account: AccountId, id: InboxId) -> Result<Inbox, Error> {
        let mut write = self.write("change the key of an inbox").await?;
        let changed = sqlx::query("UPDATE inboxes SET public_key = ? WHERE account = ? AND id = ?")
            .bind(login::random_hex()?)
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut *write)
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
        let mut write = self.write("delete an inbox").await?;
        let changed = sqlx::query("DELETE FROM inboxes WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut *write)
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
    let found: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM inboxes WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_one(&mut **write)
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
        public_key: login::random_hex()?,
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
        created_ms,
    };
    sqlx::query(
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
    .execute(&mut **write)
    .await
    .map_err(|source| referenced(Error::NotFound { what: "account" }, "create an inbox", source))?;
    Ok(inbox)
}

fn inbox(row: &SqliteRow) -> Result<Inbox, Error> {
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
        created_ms: rows::int(row, "created_ms")?,
    })
}

/// Brings origins to the form browsers send (scheme and host in lower case, no default port, no
/// path) and drops repeats.
fn checked_origins(origins: &[String]) -> Result<Vec<String>, Error> {
    if origins.len() > ORIGINS_MAX {
        return Err(Error::invalid("origins", "too_many"));
    }
    let mut checked = Vec::with_capacity(origins.len());
    for origin in origins {
        let origin = checked_origin(origin)?;
        if !checked.contains(&origin) {
            checked.push(origin);
        }
    }
    Ok(checked)
}

fn checked_origin(text: &str) -> Result<String, Error> {
    let invalid = || Error::invalid("origins", "origin");
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://").ok_or_else(invalid)?;
    if !matches!(scheme, "http" | "https") {
        return Err(invalid());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = port
        .map(|port| port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(invalid))
        .transpose()?;
    if !is_host(host.strip_prefix("*.").unwrap_or(host)) {
        return Err(invalid());
    }
    Ok(match port {
        None | Some(80) if scheme == "http" => format!("http://{host}"),
        None | Some(443) if scheme == "https" => format!("https://{host}"),
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => return Err(invalid()),
    })
}

fn is_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return v6.parse::<std::net::Ipv6Addr>().is_ok();
    }
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn checked_look(look: Look) -> Result<Look, Error> {
    let accent = look.accent.as_bytes();
    let is_colour =
        accent.len() == 7 && accent[0] == b'#' && accent[1..].iter().all(u8::is_ascii_hexdigit);
    if !accent.is_empty() && !is_colour {
        return Err(Error::invalid("look.accent", "colour"));
    }
    let logo = look.logo.as_bytes();
    let is_file = logo.len() == 32 && logo.iter().all(u8::is_ascii_hexdigit);
    if !logo.is_empty() && !is_file {
        return Err(Error::invalid("look.logo", "file"));
    }
    Ok(look)
}

fn checked_hours(hours: Hours) -> Result<Hours, Error> {
    let zone_ok = hours.time_zone.len() <= 64
        && hours.time_zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
    if !zone_ok {
        return Err(Error::invalid("hours.time_zone", "time_zone"));
    }
    if hours.week.len() + hours.days.len() > HOURS_MAX {
        return Err(Error::invalid("hours", "too_many"));
    }
    let span_ok = |from: u16, to: u16| from < 1_440 && from < to && to <= 2_880;
    let week_ok = hours
        .week
        .iter()
        .all(|span| (1..=7).contains(&span.day) && span_ok(span.from_minute, span.to_minute));
    if !week_ok {
        return Err(Error::invalid("hours.week", "span"));
    }
    for day in &hours.days {
        if !is_date(&day.date) {
            return Err(Error::invalid("hours.days", "date"));
        }
        if day.spans.len() > 24 || !day.spans.iter().all(|(from, to)| span_ok(*from, *to)) {
            return Err(Error::invalid("hours.days", "span"));
        }
    }
    Ok(hours)
}

fn is_date(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|t| t.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    text.len() == 10
        && text.as_bytes()[4] == b'-'
        && text.as_bytes()[7] == b'-'
        && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_take_the_form_browsers_send() {
        for (typed, origin) in [
            (" https://Shop.Example/ ", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("http://shop.example:80", "http://shop.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://*.shop.example", "https://*.shop.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(checked_origin(typed).ok().as_deref(), Some(origin), "{typed}");
        }
        for bad in [
            "",
            "shop.example",
            "null",
            "*",
            "ftp://shop.example",
            "https://",
            "https://*",
            "https://a.*.b",
            "https://shop.example/path",
            "https://user@shop.example",
            "https://shop.example:0",
            "https://shop.example:99999",
            "https://shop.example; script-src *",
            "javascript:alert(1)",
        ] {
            assert!(checked_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hours_that_no_calendar_has_are_refused() {
        let span = |day, from_minute, to_minute| Hours {
            week: vec![WeekSpan { day, from_minute, to_minute }],
            ..Hours::default()
        };
        assert!(checked_hours(span(7, 1_320, 1_560)).is_ok());
        for bad in [span(0, 1, 2), span(8, 1, 2), span(1, 2, 2), span(1, 0, 2_881)] {
            assert!(checked_hours(bad.clone()).is_err(), "{bad:?}");
        }
        for (date, ok) in [
            ("2028-02-29", true),
            ("2026-12-31", true),
            ("2026-02-29", false),
            ("2026-04-31", false),
            ("2026-13-01", false),
            ("2026-1-01", false),
            ("20261201", false),
            ("2026-12-0x", false),
        ] {
            let days = vec![SpecialDay { date: date.to_owned(), spans: Vec::new() }];
            assert_eq!(checked_hours(Hours { days, ..Hours::default() }).is_ok(), ok, "{date}");
        }
    }

    #[test]
    fn a_look_is_a_colour_and_a_file_and_nothing_else() {
        for (accent, ok) in
            [("", true), ("#1a2B3c", true), ("red", false), ("#12345", false), ("#12345g", false)]
        {
            let look = Look { accent: accent.to_owned(), ..Look::default() };
            assert_eq!(checked_look(look).is_ok(), ok, "{accent}");
        }
        let look = Look { logo: "../secret".to_owned(), ..Look::default() };
        assert!(checked_look(look).is_err());
    }
}
