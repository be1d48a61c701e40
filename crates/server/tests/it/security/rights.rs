//! S10: every operation of the HTTP API and every frame of the socket, by every kind of caller, on what
//! is its own, another team's and another tenant's. What has to come out stands in two tables beside
//! this folder; a route or frame that is not in them fails the test.

use std::fmt::Write as _;

use frontdesk_protocol::wire::{
    self, client_frame::Frame as Out, feed_change, server_frame::Frame as In,
};
use frontdesk_testkit::{TestAgent, TestServer, TestVisitor, server::PASSWORD};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    line::{Line, command_bodies, frames, oneof},
    world::{CALLERS, Tenant, World, flow, text},
};
use crate::FRONTDESK;

const HTTP: &str = include_str!("../data/rights_http.txt");
const FRAMES: &str = include_str!("../data/rights_frames.txt");

/// Whose thing the request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Own,
    Team,
    Tenant,
}

impl Scope {
    fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Team => "team",
            Self::Tenant => "tenant",
        }
    }
}

/// A request of the matrix. Every cell gets a new one, with something new to delete where it deletes.
struct Cell {
    path: String,
    body: Option<Value>,
    /// Bytes instead of JSON.
    raw: Option<String>,
}

impl Cell {
    fn bare(path: impl Into<String>) -> Self {
        Self { path: path.into(), body: None, raw: None }
    }

    fn with(path: impl Into<String>, body: Value) -> Self {
        Self { path: path.into(), body: Some(body), raw: None }
    }
}

/// What the whole table is asked for one operation.
struct Rows<'a> {
    world: &'a World,
    number: u32,
}

impl Rows<'_> {
    /// Something that carries a name nobody has yet.
    fn name(&mut self) -> String {
        self.number += 1;
        format!("n{}", self.number)
    }

    fn tenant(&self, scope: Scope) -> &Tenant {
        if scope == Scope::Tenant { &self.world.brio } else { &self.world.acme }
    }

    /// The variants of an operation: the commands are one route and thirteen things to do.
    fn variants(operation: &str) -> Vec<(String, Option<Value>)> {
        if operation != "POST /api/v1/conversations/{conversation}/commands" {
            return vec![(operation.to_owned(), None)];
        }
        let named = |body: Value| (format!("{operation}#{}", text(&body["command"])), Some(body));
        command_bodies().into_iter().map(named).collect()
    }

    /// Where the operation may be aimed at.
    fn scopes(path: &str) -> &'static [Scope] {
        match path {
            _ if path.contains("{conversation}") || path.contains("{file}") => {
                &[Scope::Own, Scope::Team, Scope::Tenant]
            }
            // Whoever holds a link may use it: that is what it is for.
            "/api/v1/settings/{name}" => &[Scope::Own],
            _ if path.contains("{token}") => &[Scope::Own],
            _ if path.contains('{') => &[Scope::Own, Scope::Tenant],
            _ => &[Scope::Own],
        }
    }

    #[expect(clippy::too_many_lines, reason = "one line for each operation there is")]
    async fn cell(
        &mut self,
        operation: &str,
        variant: Option<Value>,
        scope: Scope,
        caller: &str,
    ) -> Cell {
        let name = self.name();
        let tenant = self.tenant(scope);
        let key = &tenant.key;
        let room = &tenant.rooms[usize::from(scope == Scope::Team)];
        let room_path = format!("/api/v1/conversations/{}", room.conversation);
        let made = |path: &'static str, body: Value| async move {
            text(&key.post(path, &body).await.ok()["id"])
        };
        let reply = json!({"shortcut": name, "texts": {"en": "hi"}});
        let role = json!({"names": {"en": name}, "rights": ["visitor.read"]});
        let inbox = json!({"name": name});
        let team = json!({"names": {"en": name}});
        let email = format!("{name}@people.example");
        let user = json!({
            "email": email, "display_name": name, "password": frontdesk_testkit::server::PASSWORD,
            "role": tenant.agent_role,
        });
        let invitation = json!({"email": email, "role": tenant.agent_role});
        let invited = async || key.post("/api/v1/invitations", &invitation).await.ok();
        let link = |made: &Value| {
            let url = text(&made["url"]);
            let (_, token) = url.rsplit_once('/').expect("a link");
            format!("/api/v1/invitations/by-token/{token}")
        };
        let article = json!({
            "slug": name, "state": "draft", "texts": {"en": {"title": name, "body": "a body"}},
        });
        let flowed = async || {
            let path = format!("/api/v1/bot/flows/{name}");
            key.put(&path, &json!({"yaml": flow(&name, "hi"), "version": 0})).await.ok();
            path
        };
        let (_, path) = operation.split_once(' ').expect("method and path");
        match operation {
            "GET /healthz"
            | "GET /readyz"
            | "GET /metrics"
            | "GET /api/v1/agents"
            | "GET /api/v1/api-keys"
            | "GET /api/v1/articles"
            | "DELETE /api/v1/articles/crawl"
            | "GET /api/v1/articles/crawl"
            | "GET /api/v1/bot"
            | "GET /api/v1/bot/figures"
            | "GET /api/v1/bot/flows"
            | "GET /api/v1/bot/sessions"
            | "GET /api/v1/canned-replies"
            | "GET /api/v1/conversations"
            | "GET /api/v1/demo"
            | "POST /api/v1/demo/pause"
            | "POST /api/v1/demo/resume"
            | "GET /api/v1/inboxes"
            | "GET /api/v1/intents"
            | "GET /api/v1/invitations"
            | "GET /api/v1/llm"
            | "GET /api/v1/llm/spend"
            | "POST /api/v1/llm/test"
            | "GET /api/v1/me"
            | "GET /api/v1/me/preferences"
            | "GET /api/v1/me/sessions"
            | "GET /api/v1/roles"
            | "GET /api/v1/settings"
            | "GET /api/v1/setup"
            | "GET /api/v1/teams"
            | "GET /api/v1/users"
            | "GET /api/v1/visitor/contact"
            | "GET /api/v1/waiting"
            | "GET /api/v1/words"
            | "GET /api/v1/words/hits" => Cell::bare(path),
            "POST /api/v1/api-keys" => Cell::with(path, json!({"name": name, "rights": []})),
            "DELETE /api/v1/api-keys/{key}" => {
                let id = made("/api/v1/api-keys", json!({"name": name, "rights": []})).await;
                Cell::bare(format!("/api/v1/api-keys/{id}"))
            }
            "POST /api/v1/articles" => Cell::with(path, article),
            "GET /api/v1/articles/{article}" | "DELETE /api/v1/articles/{article}" => {
                Cell::bare(format!("/api/v1/articles/{}", made("/api/v1/articles", article).await))
            }
            "PUT /api/v1/articles/{article}" => {
                let mut body = article.clone();
                body["revision"] = 1.into();
                let id = made("/api/v1/articles", article).await;
                Cell::with(format!("/api/v1/articles/{id}"), body)
            }
            // An address nobody may ask: whoever may try gets to know that.
            "POST /api/v1/articles/crawl" => {
                Cell::with(path, json!({"sitemap": "http://127.0.0.1/sitemap.xml"}))
            }
            "POST /api/v1/articles/import" => {
                Cell::with(path, json!({"format": "csv", "files": []}))
            }
            "POST /api/v1/articles/try" => Cell::with(path, json!({"question": "hello"})),
            "PUT /api/v1/bot" => {
                let now = key.get(path).await.ok()["revision"].clone();
                let handover = json!({"on_complaint": true, "on_anger": true, "misses_max": 2});
                Cell::with(path, json!({"revision": now, "handover": handover}))
            }
            "POST /api/v1/bot/flows/check" => Cell::with(path, json!({"yaml": flow(&name, "hi")})),
            // Names are not ids: of another tenant's flow nobody knows which version it has.
            "PUT /api/v1/bot/flows/{name}" => {
                Cell::with(flowed().await, json!({"yaml": flow(&name, "hello"), "version": 1}))
            }
            "DELETE /api/v1/bot/flows/{name}" => Cell::bare(flowed().await),
            "GET /api/v1/bot/flows/{name}" => Cell::bare(flowed().await),
            "GET /api/v1/bot/flows/{name}/versions" => {
                Cell::bare(format!("{}/versions", flowed().await))
            }
            "POST /api/v1/bot/flows/{name}/rollback" => {
                Cell::with(format!("{}/rollback", flowed().await), json!({"version": 1}))
            }
            "POST /api/v1/bot/replay" => Cell::with(path, json!({"sessions": 1})),
            "POST /api/v1/bot/talk" => Cell::with(path, json!({"messages": ["hello"]})),
            "POST /api/v1/canned-replies" => Cell::with(path, reply),
            "PUT /api/v1/canned-replies/{reply}" => {
                let body = json!({"shortcut": format!("{name}x"), "texts": {"en": "hi"}});
                let id = made("/api/v1/canned-replies", reply).await;
                Cell::with(format!("/api/v1/canned-replies/{id}"), body)
            }
            "DELETE /api/v1/canned-replies/{reply}" => Cell::bare(format!(
                "/api/v1/canned-replies/{}",
                made("/api/v1/canned-replies", reply).await
            )),
            "GET /api/v1/conversations/{conversation}" => Cell::bare(room_path),
            "PATCH /api/v1/conversations/{conversation}/contact" => {
                Cell::with(format!("{room_path}/contact"), json!({"note": name}))
            }
            "GET /api/v1/conversations/{conversation}/entries" => {
                Cell::bare(format!("{room_path}/entries"))
            }
            "POST /api/v1/conversations/{conversation}/commands" => {
                Cell { body: variant, ..Cell::bare(format!("{room_path}/commands")) }
            }
            "POST /api/v1/conversations/{conversation}/erase" => Cell::with(
                format!("{room_path}/erase"),
                json!({"from_seq": 9_000, "to_seq": 9_001}),
            ),
            "POST /api/v1/conversations/{conversation}/assist" => {
                Cell::with(format!("{room_path}/assist"), json!({"kind": "summary"}))
            }
            "POST /api/v1/conversations/{conversation}/messages" => {
                Cell::with(format!("{room_path}/messages"), json!({"text": "a message"}))
            }
            "POST /api/v1/conversations/{conversation}/uploads" => Cell {
                raw: Some("a text".to_owned()),
                ..Cell::bare(format!("{room_path}/uploads?name=a.txt"))
            },
            "GET /api/v1/files/{file}" => Cell::bare(format!("/api/v1/files/{}", room.file)),
            "GET /api/v1/files/{file}/thumbnail" => {
                Cell::bare(format!("/api/v1/files/{}/thumbnail", room.file))
            }
            "POST /api/v1/inboxes" => Cell::with(path, inbox),
            "GET /api/v1/inboxes/{inbox}" => {
                Cell::bare(format!("/api/v1/inboxes/{}", tenant.inboxes[0]))
            }
            "PATCH /api/v1/inboxes/{inbox}" => {
                Cell::with(format!("/api/v1/inboxes/{}", tenant.inboxes[0]), json!({}))
            }
            "DELETE /api/v1/inboxes/{inbox}" => {
                Cell::bare(format!("/api/v1/inboxes/{}", made("/api/v1/inboxes", inbox).await))
            }
            "POST /api/v1/inboxes/{inbox}/rotate-key" => {
                let id = made("/api/v1/inboxes", inbox).await;
                Cell::bare(format!("/api/v1/inboxes/{id}/rotate-key"))
            }
            "POST /api/v1/inboxes/{inbox}/identity-secrets" => {
                let id = made("/api/v1/inboxes", inbox).await;
                Cell::bare(format!("/api/v1/inboxes/{id}/identity-secrets"))
            }
            "DELETE /api/v1/inboxes/{inbox}/identity-secrets/{secret}" => {
                let id = made("/api/v1/inboxes", inbox).await;
                let secrets = format!("/api/v1/inboxes/{id}/identity-secrets");
                let secret = text(&key.post(&secrets, &json!({})).await.ok()["id"]);
                Cell::bare(format!("{secrets}/{secret}"))
            }
            "GET /api/v1/inboxes/{inbox}/sightings" => {
                Cell::bare(format!("/api/v1/inboxes/{}/sightings", tenant.inboxes[0]))
            }
            "PUT /api/v1/intents" => {
                let now = key.get(path).await.ok()["intents"]["revision"].clone();
                Cell::with(path, json!({"own": {}, "revision": now}))
            }
            "GET /api/v1/intents/sessions" => Cell::bare(format!("{path}?days=1")),
            "POST /api/v1/intents/try" => Cell::with(path, json!({"text": "hello"})),
            "POST /api/v1/invitations" => Cell::with(path, invitation),
            "DELETE /api/v1/invitations/{invitation}" => {
                Cell::bare(format!("/api/v1/invitations/{}", text(&invited().await["id"])))
            }
            "GET /api/v1/invitations/by-token/{token}" => Cell::bare(link(&invited().await)),
            "POST /api/v1/invitations/by-token/{token}/accept" => Cell::with(
                format!("{}/accept", link(&invited().await)),
                json!({"display_name": name, "password": "a good long password"}),
            ),
            "PUT /api/v1/llm" => {
                let now = key.get(path).await.ok()["revision"].clone();
                let features = json!({
                    "answers": false, "summary": false, "rewrite": false, "translate": false,
                });
                Cell::with(
                    path,
                    json!({
                        "revision": now, "base_url": "", "model": "", "features": features,
                        "conversation_tokens_max": 1, "day_tokens_max": 1, "timeout_ms": 1_000,
                    }),
                )
            }
            "PATCH /api/v1/me" => Cell::with(path, json!({})),
            "PUT /api/v1/me/preferences" => Cell::with(
                path,
                json!({"sound": true, "desktop": true, "title": true, "repeat_until_answered": false}),
            ),
            // The wrong password: whoever may try gets to know that, and keeps the login.
            "POST /api/v1/me/password" => Cell::with(
                path,
                json!({"current_password": "not the password", "new_password": "another good one"}),
            ),
            "DELETE /api/v1/me/sessions" => Cell::bare(path),
            "DELETE /api/v1/me/sessions/{handle}" => {
                // Another login of the caller where it is a user, of the tenant's owner elsewhere.
                let owner = scope == Scope::Tenant || !tenant.users.iter().any(|u| u.0 == caller);
                let role = if owner { "owner" } else { caller };
                let of = tenant.user(role).1;
                let me = of.get("/api/v1/me").await.ok();
                tenant.anonymous().sign_in(&text(&me["email"])).await;
                let sessions = of.get("/api/v1/me/sessions").await.ok();
                let sessions = sessions["sessions"].as_array().expect("sessions").clone();
                let other = sessions.iter().find(|session| session["current"] == false);
                let handle = text(&other.expect("another login")["handle"]);
                Cell::bare(format!("/api/v1/me/sessions/{handle}"))
            }
            "POST /api/v1/roles" => Cell::with(path, role),
            "PUT /api/v1/roles/{role}" => {
                let id = made("/api/v1/roles", role).await;
                let body = json!({"names": {"en": format!("{name}x")}, "rights": ["visitor.read"]});
                Cell::with(format!("/api/v1/roles/{id}"), body)
            }
            "DELETE /api/v1/roles/{role}" => {
                Cell::bare(format!("/api/v1/roles/{}", made("/api/v1/roles", role).await))
            }
            "PUT /api/v1/settings/{name}" => {
                Cell::with("/api/v1/settings/routing.capacity", json!({"value": 5}))
            }
            "DELETE /api/v1/settings/{name}" => Cell::bare("/api/v1/settings/routing.capacity"),
            "POST /api/v1/setup" => Cell::with(
                path,
                json!({
                    "token": "AAAAAAAAAAAAAAAAAAAAAA", "account": name, "email": email,
                    "display_name": name, "password": "a good long password",
                }),
            ),
            "POST /api/v1/sign-in" => {
                Cell::with(path, json!({"email": email, "password": "not the password"}))
            }
            "POST /api/v1/sign-in/demo" => Cell::with(path, json!({"email": email})),
            "POST /api/v1/sign-out" => Cell::bare(path),
            "POST /api/v1/teams" => Cell::with(path, team),
            "GET /api/v1/teams/{team}" => Cell::bare(format!("/api/v1/teams/{}", tenant.teams[0])),
            "PATCH /api/v1/teams/{team}" => {
                Cell::with(format!("/api/v1/teams/{}", tenant.teams[0]), json!({}))
            }
            "DELETE /api/v1/teams/{team}" => {
                Cell::bare(format!("/api/v1/teams/{}", made("/api/v1/teams", team).await))
            }
            "POST /api/v1/tickets" => Cell::with(path, json!({"kind": "agent"})),
            "POST /api/v1/users" => Cell::with(path, user),
            "GET /api/v1/users/{user}" => {
                Cell::bare(format!("/api/v1/users/{}", tenant.user("agent").0))
            }
            "PATCH /api/v1/users/{user}" => {
                Cell::with(format!("/api/v1/users/{}", tenant.user("agent").0), json!({}))
            }
            "DELETE /api/v1/users/{user}" => {
                Cell::bare(format!("/api/v1/users/{}", made("/api/v1/users", user).await))
            }
            "POST /api/v1/users/{user}/password" => {
                let id = made("/api/v1/users", user).await;
                let body = json!({"password": "an entirely new password"});
                Cell::with(format!("/api/v1/users/{id}/password"), body)
            }
            "PUT /api/v1/visitor/contact" => Cell::with(path, json!({"name": name})),
            "PUT /api/v1/words" => {
                let now = key.get(path).await.ok()["revision"].clone();
                Cell::with(path, json!({"revision": now, "rules": []}))
            }
            "POST /api/v1/words/try" => Cell::with(path, json!({"text": "hello", "by": "visitor"})),
            other => panic!("{other} is new: say in the matrix how it is asked for"),
        }
    }

    /// One line of the table.
    async fn row(
        &mut self,
        label: &str,
        operation: &str,
        variant: Option<&Value>,
        scope: Scope,
    ) -> String {
        let mut line = format!("{label} {}", scope.word());
        let (method, _) = operation.split_once(' ').expect("method and path");
        let method: Method = method.parse().expect("a method");
        for caller in CALLERS {
            let cell = self.cell(operation, variant.cloned(), scope, caller).await;
            let tenant = &self.world.acme;
            let mut by = tenant.caller(caller);
            let ends_a_login =
                operation == "POST /api/v1/sign-out" || operation.ends_with("/accept");
            if ends_a_login && tenant.users.iter().any(|u| u.0 == caller) {
                // It ends a login of its own.
                let me = by.get("/api/v1/me").await.ok();
                by = tenant.anonymous().sign_in(&text(&me["email"])).await;
            }
            let mut request = by.request(method.clone(), &cell.path);
            if let Some(body) = &cell.body {
                request = request.json(body);
            }
            if let Some(raw) = cell.raw {
                request = request.body(raw);
            }
            let answer = by.send(request).await;
            assert!(answer.status < 500, "{label} by {caller}: {} {}", answer.status, answer.text);
            let word = match answer.status {
                200..300 => answer.status.to_string(),
                _ => answer.code(),
            };
            assert!(
                scope != Scope::Tenant || answer.status >= 400,
                "{label} by {caller} reached another tenant: {}",
                answer.text
            );
            write!(line, " {word}").expect("a String takes everything");
        }
        line
    }
}

/// Whether a push says that this user now has a session.
fn gives(frame: &In, user: &str) -> bool {
    let In::Feed(feed) = frame else { return false };
    feed.changes.iter().any(|change| match &change.change {
        Some(feed_change::Change::Row(row)) => {
            let owner = row.session.as_ref().and_then(|session| session.owner.as_ref());
            owner.is_some_and(|owner| owner.id == user)
        }
        _ => false,
    })
}

/// Compares what came out with the table, line by line, and shows the whole of it where they differ.
fn compare(table: &str, found: &[String]) {
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected: Vec<String> = lines.map(squeezed).collect();
    if expected == found {
        return;
    }
    let missing = found.iter().filter(|line| !expected.contains(line));
    let gone = expected.iter().filter(|line| !found.contains(line));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    let gone: Vec<&str> = gone.map(String::as_str).collect();
    panic!(
        "the matrix differs.\n--- came out, is not in the table:\n{}\n--- in the table, did not come \
         out:\n{}\n--- all that came out:\n{}",
        missing.join("\n"),
        gone.join("\n"),
        found.join("\n")
    );
}

#[tokio::test]
async fn s10_every_operation_by_every_caller_comes_out_as_the_table_says() {
    let world = World::build().await;
    let document = world.server.http.get("/openapi.json").await.ok();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            operations.push((path.clone(), format!("{} {path}", method.to_uppercase())));
        }
    }
    let mut rows = Rows { world: &world, number: 0 };
    let mut found = Vec::new();
    for (path, operation) in &operations {
        for (label, variant) in Rows::variants(operation) {
            for scope in Rows::scopes(path) {
                found.push(rows.row(&label, operation, variant.as_ref(), *scope).await);
            }
        }
    }
    compare(HTTP, &found);
}

#[tokio::test]
async fn s10_every_frame_by_every_caller_comes_out_as_the_table_says() {
    let world = World::build().await;
    let mut kinds: Vec<String> = Vec::new();
    for (name, _) in frames("") {
        kinds.push(name.split(' ').next().unwrap_or_default().to_owned());
        if let Some(verb) = name.strip_prefix("command ") {
            kinds.push(format!("command {verb}"));
        }
    }
    for field in oneof("ClientFrame", "frame") {
        assert!(kinds.contains(&field), "the frame {field} is new: the matrix does not send it");
    }
    for field in oneof("Command", "command") {
        let verb = format!("command {field}");
        assert!(kinds.contains(&verb), "the command {field} is new: the matrix does not send it");
    }
    let mut lines = Vec::new();
    for caller in CALLERS {
        let ticket = world.acme.ticket(caller).await;
        let mut line = match ticket {
            Some(ticket) => Some(Line::open(world.server.address(), &ticket).await),
            None => None,
        };
        if let ("agent", Some(line)) = (caller, &mut line) {
            // The first who is there gets the visitor who waits; the table counts on it.
            let own = world.acme.user("agent").0;
            line.pushed("the agent has the conversation", |frame| gives(frame, own)).await;
        }
        lines.push((caller, line));
    }
    let mut found = Vec::new();
    for scope in [Scope::Own, Scope::Team, Scope::Tenant] {
        let tenant = if scope == Scope::Tenant { &world.brio } else { &world.acme };
        let room = &tenant.rooms[usize::from(scope == Scope::Team)];
        let count = frames("").len();
        for place in 0..count {
            let (name, _) = frames("")[place].clone();
            let mut line = format!("{} {}", name.replace(' ', "#"), scope.word());
            for (caller, socket) in &mut lines {
                // A message of its own for everybody: ids are unique.
                let (_, frame) = frames(&room.conversation)[place].clone();
                let word = match (socket, name.as_str()) {
                    (None, _) => "-".to_owned(),
                    (Some(_), "hello") => {
                        let ticket = world.acme.ticket(caller).await.expect("a ticket");
                        Line::open(world.server.address(), &ticket).await.outcome(frame).await
                    }
                    (Some(socket), _) => socket.outcome(frame).await,
                };
                let reached = matches!(word.as_str(), "ack" | "opened");
                assert!(
                    !(scope == Scope::Tenant && reached && *caller != "visitor"),
                    "{name} by {caller} reached another tenant"
                );
                write!(line, " {word}").expect("a String takes everything");
            }
            found.push(line);
        }
    }
    // A visitor's frames name no conversation: whatever they name, they mean the visitor's own.
    for (tenant, room) in [(&world.acme, 1), (&world.brio, 0)] {
        let path = format!("/api/v1/conversations/{}/entries", tenant.rooms[room].conversation);
        let entries = tenant.key.get(&path).await;
        let own = format!("/api/v1/conversations/{}", world.acme.rooms[0].conversation);
        let visitor = text(&world.acme.key.get(&own).await.ok()["row"]["visitor"]);
        assert!(!entries.text.contains(&visitor), "a visitor wrote elsewhere: {}", entries.text);
    }
    compare(FRAMES, &found);
}

#[tokio::test]
async fn s10_a_visitor_sees_neither_notes_nor_ids_of_people() {
    let server = TestServer::start(FRONTDESK).await;
    let mut agent = TestAgent::online(&server, "Mei").await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("hello").await;
    let (room, id) = (visitor.conversation.clone(), agent.id.clone());
    agent.listed(&room, &id).await;
    agent.open(&room).await.expect("it is its own");
    agent.note(&room, "first secret note").await;
    agent.say(&room, "an answer").await;
    agent.live.move_cursor(&room, 1, 1).await;
    agent
        .live
        .send(Out::Draft(wire::Draft {
            conversation: room.clone(),
            typing: true,
            text: "half a secret".to_owned(),
        }))
        .await;
    agent.note(&room, "second secret note").await;
    agent.say(&room, "another answer").await;
    visitor.sees("another answer").await;
    let mut seen: Vec<String> = visitor.live.kept().map(|frame| format!("{frame:?}")).collect();
    seen.extend(visitor.held().entries_held().map(|entry| format!("{entry:?}")));
    let path = format!("/api/v1/conversations/{room}");
    for path in [path.clone(), format!("{path}/entries"), format!("{path}/entries?after=0")] {
        let answer = visitor.http().get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        seen.push(answer.text);
    }
    visitor.lose();
    visitor.connect_by_ticket().await;
    seen.push(format!("{:?}", visitor.welcome));
    for text in seen {
        assert!(!text.contains("secret"), "a note or draft: {text}");
        assert!(!text.contains(&id), "the id of a user: {text}");
    }
    let note = json!({"text": "posing as the team", "audience": "team"});
    let path = format!("{path}/messages");
    assert_eq!(visitor.http().post(&path, &note).await.code(), "message.audience");
}

#[tokio::test]
async fn s10_the_page_of_who_waits_shows_what_the_caller_may_read() {
    let world = World::build().await;
    let rooms = world.acme.rooms.each_ref().map(|room| room.conversation.as_str());
    for (caller, expected) in [
        ("agent", &rooms[..1]),
        ("supervisor", &rooms[..1]),
        ("admin", &rooms[..]),
        ("key_all", &rooms[..]),
        ("key_few", &[]),
    ] {
        let shown = world.acme.caller(caller).get("/api/v1/waiting").await.ok();
        let mut sessions: Vec<&str> = shown["sessions"]
            .as_array()
            .expect("sessions")
            .iter()
            .filter_map(|session| session["conversation"].as_str())
            .collect();
        sessions.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(sessions, expected, "{caller}");
    }
}

#[tokio::test]
async fn s10_nobody_gives_or_takes_more_than_they_have() {
    let world = World::build().await;
    let acme = &world.acme;
    let made = acme.key.get("/api/v1/roles").await.ok();
    let builtin = |name: &str| {
        let roles = made["roles"].as_array().expect("roles");
        text(&roles.iter().find(|role| role["builtin"] == name).expect("a built-in role")["id"])
    };
    let rights = ["settings.users", "settings.roles", "settings.keys"];
    let clerk = json!({"names": {"en": "clerk"}, "rights": rights});
    let clerk_role = text(&acme.key.post("/api/v1/roles", &clerk).await.ok()["id"]);
    let new = |email: &str, role: &str| json!({"email": email, "display_name": "New", "password": PASSWORD, "role": role});
    acme.key.post("/api/v1/users", &new("clerk@acme.example", &clerk_role)).await.ok();
    let clerk = acme.anonymous().sign_in("clerk@acme.example").await;
    let me = text(&clerk.get("/api/v1/me").await.ok()["id"]);
    let (admin, owner, agent) = (acme.user("admin").0, acme.user("owner").0, acme.user("agent").0);
    let users = "/api/v1/users";
    let more = json!({"names": {"en": "more"}, "rights": ["conversation.read.all"]});
    let key = json!({"name": "k", "rights": ["conversation.read.all"]});
    let password = json!({"password": "an entirely new one"});
    let role = |name: &str| json!({"role": builtin(name)});
    let mut tried = Vec::new();
    for role_name in ["agent", "admin", "owner"] {
        let user = new(&format!("{role_name}@new.example"), &builtin(role_name));
        tried.push(("makes a user", clerk.post(users, &user).await));
        let path = format!("{users}/{me}");
        tried.push(("lifts itself", clerk.patch(&path, &role(role_name)).await));
    }
    tried.push(("makes a role", clerk.post("/api/v1/roles", &more).await));
    let path = format!("/api/v1/roles/{clerk_role}");
    tried.push(("lifts its role", clerk.put(&path, &more).await));
    tried.push(("makes a key", clerk.post("/api/v1/api-keys", &key).await));
    for (who, id) in [("agent", agent), ("admin", admin), ("owner", owner)] {
        let path = format!("{users}/{id}");
        tried.push((who, clerk.post(&format!("{path}/password"), &password).await));
        tried.push((who, clerk.patch(&path, &json!({"disabled": true})).await));
        tried.push((who, clerk.patch(&path, &json!({"role": clerk_role})).await));
        tried.push((who, clerk.delete(&path).await));
    }
    // An admin and a key with all rights are no owner.
    for by in ["admin", "key_all"] {
        let by = acme.caller(by);
        let path = format!("{users}/{owner}");
        tried.push(("the owner", by.post(&format!("{path}/password"), &password).await));
        tried.push(("the owner", by.patch(&path, &json!({"disabled": true})).await));
        tried.push(("the owner", by.patch(&path, &role("agent")).await));
        tried.push(("the owner", by.delete(&path).await));
        tried.push(("an owner", by.post(users, &new("boss@new.example", &builtin("owner"))).await));
        tried.push(("an owner", by.patch(&format!("{users}/{agent}"), &role("owner")).await));
    }
    for (what, answer) in tried {
        assert_eq!((answer.status, answer.code().as_str()), (403, "right.missing"), "{what}");
    }
    // Nor does the last owner lock everybody out.
    let by = acme.caller("owner");
    let answer = by.patch(&format!("{users}/{owner}"), &role("agent")).await;
    assert_eq!(answer.code(), "user.last_owner");
}
