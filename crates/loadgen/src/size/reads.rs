//! What people wait for at a full store, one request after the other: conversations picked by chance and
//! opened as the console and an integration open them, and pages of every list the console has, for one
//! who may read all and for one agent of a team.

use std::time::Instant;

use frontdesk_protocol::wire::{self, client_frame, server_frame};
use serde::Serialize;
use serde_json::json;

use crate::{
    error::Error,
    histogram::Latencies,
    http::{Base, Client, string},
    launch::ProductAccess,
    product::{Pass, random, sign_in, tickets_door},
    progress::Progress,
    report::Latency,
};

/// Lists and how many rows the console takes of each at once.
const VIEWS: [(&str, u32); 5] =
    [("mine", 50), ("queue", 50), ("open", 200), ("mentioned", 50), ("closed", 50)];
/// Somebody of the team whose conversations the store is filled with.
const AGENT_EMAIL: &str = "past-0@bench.example";

/// One kind of request.
#[derive(Debug, Clone, Serialize)]
pub struct Read {
    /// `opening` or `list`.
    pub kind: &'static str,
    /// What was asked for.
    pub name: String,
    /// How often.
    pub count: u64,
    /// From the request to the whole answer, taken apart.
    pub took: Latency,
}

/// A kind of request that is being measured.
struct Measured {
    kind: &'static str,
    name: String,
    took: Latencies,
}

impl Measured {
    fn new(kind: &'static str, name: String) -> Self {
        Self { kind, name, took: Latencies::new() }
    }

    fn time<T>(&mut self, ask: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let began = Instant::now();
        let answer = ask()?;
        self.took.record_ns(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        Ok(answer)
    }

    fn read(self) -> Read {
        let Self { kind, name, took } = self;
        Read { kind, name, count: took.count(), took: took.summary() }
    }
}

/// Asks for everything at the server, each thing `requests` times. Nobody's connection rests meanwhile: the
/// server would close it.
pub(super) fn reads(access: &ProductAccess, requests: u64) -> Result<Vec<Read>, Error> {
    let base = Base::of(access)?;
    let mut admin = Client::new(base.clone());
    sign_in(&mut admin, &access.admin_email, &access.admin_password)?;
    let password = format!("{:016x}{:016x}", random()?, random()?);
    reset_password(&mut admin, &password)?;
    let mut found = lists(&mut admin, "of all", requests)?;
    let (every_page, conversations) = closed(&mut admin)?;
    found.push(every_page);
    if conversations.is_empty() {
        return Err(Error::Options("the store has no closed conversation to open"));
    }
    found.extend(openings(access, &mut admin, requests, &conversations)?);
    let mut agent = Client::new(base);
    sign_in(&mut agent, AGENT_EMAIL, &password)?;
    found.extend(lists(&mut agent, "of an agent", requests)?);
    // Some lists have one page only.
    found.retain(|read| read.count > 0);
    Ok(found)
}

/// Every list of the console, as somebody sees it.
fn lists(client: &mut Client, who: &str, requests: u64) -> Result<Vec<Read>, Error> {
    let mut progress = Progress::new();
    let mut found = Vec::new();
    for (view, rows) in VIEWS {
        progress.tell(|| format!("list {view}, {who}"));
        found.extend(list(client, view, rows, who, requests)?);
    }
    for path in ["conversations?view=closed&limit=1", "waiting", "agents"] {
        let mut measured = Measured::new("list", format!("{path}, {who}"));
        for _ in 0..requests {
            measured.time(|| client.ask("GET", &format!("/api/v1/{path}"), None))?;
        }
        found.push(measured.read());
    }
    Ok(found)
}

/// First pages of a list, then the pages behind them.
fn list(
    client: &mut Client,
    view: &str,
    rows: u32,
    who: &str,
    requests: u64,
) -> Result<[Read; 2], Error> {
    let path = format!("/api/v1/conversations?view={view}&limit={rows}");
    let mut first = Measured::new("list", format!("{view}, {who}: first page"));
    for _ in 1..requests {
        first.time(|| client.ask("GET", &path, None))?;
    }
    let mut page = first.time(|| client.ask("GET", &path, None))?;
    let mut next = Measured::new("list", format!("{view}, {who}: next pages"));
    loop {
        let Some(cursor) = page["next"].as_str().filter(|_| next.took.count() < requests) else {
            return Ok([first.read(), next.read()]);
        };
        let path = format!("{path}&cursor={cursor}");
        page = next.time(|| client.ask("GET", &path, None))?;
    }
}

/// Every page of the longest list, and what is in it.
fn closed(admin: &mut Client) -> Result<(Read, Vec<String>), Error> {
    let first = "/api/v1/conversations?view=closed&limit=100";
    let mut pages = Measured::new("list", "closed, of all: every page of 100 rows".to_owned());
    let mut conversations = Vec::new();
    let mut path = first.to_owned();
    loop {
        let page = pages.time(|| admin.ask("GET", &path, None))?;
        for row in page["rows"].as_array().into_iter().flatten() {
            conversations.push(string(row, "conversation")?);
        }
        let Some(cursor) = page["next"].as_str() else {
            return Ok((pages.read(), conversations));
        };
        path = format!("{first}&cursor={cursor}");
    }
}

/// Conversations by chance, each opened in another way.
fn openings(
    access: &ProductAccess,
    admin: &mut Client,
    requests: u64,
    conversations: &[String],
) -> Result<[Read; 3], Error> {
    let mut progress = Progress::new();
    let pick = || random().map(|number| &conversations[number as usize % conversations.len()]);
    let mut page = Measured::new("opening", "last page, HTTP".to_owned());
    let mut details = Measured::new("opening", "the conversation itself, HTTP".to_owned());
    let mut open = Measured::new("opening", "`open`, WebSocket".to_owned());
    let ticket = admin.ask("POST", "/api/v1/tickets", Some(&json!({ "kind": "agent" })))?;
    let mut talk = tickets_door(access)?.agent(&Pass::of(&ticket)?)?;
    for number in 0..requests {
        progress.tell(|| format!("conversation {number} of {requests} opened"));
        let path = format!("/api/v1/conversations/{}/entries?limit=50", pick()?);
        page.time(|| admin.ask("GET", &path, None))?;
        let path = format!("/api/v1/conversations/{}", pick()?);
        details.time(|| admin.ask("GET", &path, None))?;
        let conversation = pick()?.clone();
        let frame = wire::Open { conversation: conversation.clone(), position: None };
        let answer = open.time(|| talk.ask(client_frame::Frame::Open(frame)))?;
        if !matches!(answer, server_frame::Frame::Opened(_)) {
            return Err(Error::Malformed { what: "an opened conversation" });
        }
        talk.tell(client_frame::Frame::Leave(wire::Leave { conversation }))?;
    }
    Ok([page.read(), details.read(), open.read()])
}

fn reset_password(admin: &mut Client, password: &str) -> Result<(), Error> {
    let users = admin.ask("GET", "/api/v1/users", None)?;
    let user = users["users"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|user| user["email"] == AGENT_EMAIL)
        .ok_or(Error::Malformed { what: "an agent of the filled store" })?;
    let path = format!("/api/v1/users/{}/password", string(user, "id")?);
    admin.ask("POST", &path, Some(&json!({ "password": password }))).map(drop)
}
