//! Two tenants on one server, each with every kind of caller, two teams, and something of everything.

use std::{fs, net::SocketAddr};

use frontdesk_testkit::{Http, TestServer, run_to_end, server::PASSWORD};
use serde_json::{Value, json};

use crate::FRONTDESK;

/// Everybody who may knock, in the order of the tables' columns.
pub(super) const CALLERS: [&str; 8] =
    ["anonymous", "visitor", "agent", "supervisor", "admin", "owner", "key_all", "key_few"];

/// Both tenants.
pub(super) struct World {
    pub(super) server: TestServer,
    pub(super) acme: Tenant,
    pub(super) brio: Tenant,
}

/// One tenant. Everything of it that is text carries its mark.
pub(super) struct Tenant {
    pub(super) mark: &'static str,
    pub(super) account: String,
    pub(super) inbox_key: String,
    /// An API key with all rights.
    pub(super) key: Http,
    /// By name: agent, supervisor (both of the first team), admin, owner.
    pub(super) users: Vec<(&'static str, String, Http)>,
    pub(super) weak_key: Http,
    pub(super) weak_key_id: String,
    /// The team of agent and supervisor, and one nobody of them belongs to.
    pub(super) teams: [String; 2],
    pub(super) inboxes: [String; 2],
    pub(super) role: String,
    pub(super) agent_role: String,
    pub(super) reply: String,
    pub(super) article: String,
    /// One visitor with a conversation in the queue of each team.
    pub(super) rooms: [Room; 2],
}

/// A visitor with its conversation.
pub(super) struct Room {
    pub(super) token: String,
    pub(super) conversation: String,
    pub(super) file: String,
}

impl World {
    /// Starts a server and fills it.
    pub(super) async fn build() -> Self {
        let mut builder = TestServer::builder(FRONTDESK).set("gateway.loops", 1);
        for limit in [
            "visitor_rate_per_s",
            "visitor_burst",
            "agent_rate_per_s",
            "agent_burst",
            "ip_rate_per_s",
            "ip_burst",
            "http_per_address_per_minute",
            "http_per_caller_per_minute",
            "http_per_account_per_minute",
        ] {
            builder = builder.set(&format!("limits.{limit}"), 10_000_000);
        }
        let mut server = builder.start().await;
        let first = server.installed.clone();
        server.stop().await;
        let password = server.data_dir().with_extension("brio");
        fs::write(&password, PASSWORD).expect("a password file can be written");
        let data_dir = server.data_dir().display().to_string();
        let password = password.display().to_string();
        let init = ["init", "--account", "planted-brio", "--admin-email", "owner@brio.example"];
        let place = ["--data-dir", &data_dir, "--admin-password-file", &password, "--json"];
        let arguments: Vec<&str> = init.into_iter().chain(place).collect();
        let made = run_to_end(FRONTDESK, &arguments, &[]).await;
        assert!(made.status.success(), "{}", made.stderr);
        let second: Value = serde_json::from_str(&made.stdout).expect("init prints JSON");
        let text = |name: &str| second[name].as_str().expect("a text").to_owned();
        server.restart().await;
        let at = server.address();
        let owner = (frontdesk_testkit::server::ADMIN_EMAIL, first.admin_id);
        let acme = Tenant::fill(
            at,
            "planted-acme",
            first.account_id,
            first.inbox_key,
            &first.api_key,
            owner,
        );
        let acme = acme.await;
        let owner = ("owner@brio.example", text("admin_id"));
        let key = text("api_key");
        let brio =
            Tenant::fill(at, "planted-brio", text("account_id"), text("inbox_key"), &key, owner);
        let brio = brio.await;
        Self { server, acme, brio }
    }
}

impl Tenant {
    async fn fill(
        server: SocketAddr,
        mark: &'static str,
        account: String,
        inbox_key: String,
        api_key: &str,
        owner: (&str, String),
    ) -> Self {
        let http = Http::new(server);
        let key = http.with_key(api_key);
        let mut users = Vec::new();
        for role in ["agent", "supervisor", "admin"] {
            let email = format!("{role}@{mark}.example");
            let id = key.create_user(&email, &format!("{mark} {role}"), role).await;
            users.push((role, id, http.sign_in(&email).await));
        }
        let (email, id) = owner;
        users.push(("owner", id, http.sign_in(email).await));
        let roles = key.get("/api/v1/roles").await.ok();
        let roles = roles["roles"].as_array().expect("roles");
        let agent_role = roles.iter().find(|role| role["builtin"] == "agent").expect("agent");
        let agent_role = agent_role["id"].as_str().expect("an id").to_owned();
        let members = [users[0].1.as_str(), users[1].1.as_str()];
        let teams = [
            key.create_team(&format!("{mark} sales"), &members).await,
            key.create_team(&format!("{mark} billing"), &[]).await,
        ];
        let inbox = key.get("/api/v1/inboxes").await.ok()["inboxes"][0].take();
        let first = text(&inbox["id"]);
        let own = json!({"default_team": teams[0], "name": format!("{mark} shop")});
        key.patch(&format!("/api/v1/inboxes/{first}"), &own).await.ok();
        let other = json!({"name": format!("{mark} bills"), "default_team": teams[1]});
        let other = key.post("/api/v1/inboxes", &other).await.ok();
        let role = json!({"names": {"en": format!("{mark} role")}, "rights": ["visitor.read"]});
        let role = key.post("/api/v1/roles", &role).await.ok();
        let reply = json!({
            "shortcut": "planted", "texts": {"en": format!("{mark} reply")}, "team": teams[0],
        });
        let reply = key.post("/api/v1/canned-replies", &reply).await.ok();
        let article = json!({
            "slug": "planted", "state": "draft",
            "texts": {"en": {"title": format!("{mark} article"), "body": format!("{mark} body")}},
        });
        let article = key.post("/api/v1/articles", &article).await.ok();
        let flow = json!({"yaml": flow("planted", &format!("{mark} flow")), "version": 0});
        key.put("/api/v1/bot/flows/planted", &flow).await.ok();
        let weak = json!({"name": format!("{mark} key"), "rights": ["visitor.read"]});
        let weak = key.post("/api/v1/api-keys", &weak).await.ok();
        let rooms = [
            Room::enter(&http, &inbox_key, mark).await,
            Room::enter(&http, &text(&other["inbox_key"]), mark).await,
        ];
        Self {
            mark,
            account,
            inbox_key,
            weak_key: http.with_key(&text(&weak["key"])),
            weak_key_id: text(&weak["id"]),
            key,
            users,
            inboxes: [first, text(&other["id"])],
            teams,
            role: text(&role["id"]),
            agent_role,
            reply: text(&reply["id"]),
            article: text(&article["id"]),
            rooms,
        }
    }

    /// Requests as one of [`CALLERS`].
    pub(super) fn caller(&self, name: &str) -> Http {
        match name {
            "anonymous" => self.anonymous(),
            "visitor" => self.anonymous().with_visitor(&self.rooms[0].token),
            "key_all" => self.key.clone(),
            "key_few" => self.weak_key.clone(),
            role => self.user(role).1.clone(),
        }
    }

    /// Requests as nobody, with a client of their own.
    pub(super) fn anonymous(&self) -> Http {
        let address = self.key.base().trim_start_matches("http://").parse();
        Http::new(address.expect("the base is an address"))
    }

    /// Id and requests of the user with this role.
    pub(super) fn user(&self, role: &str) -> (&str, &Http) {
        let found = self.users.iter().find(|user| user.0 == role).expect("a caller of the list");
        (&found.1, &found.2)
    }

    /// A ticket for one socket of this caller; none for who cannot have one.
    pub(super) async fn ticket(&self, caller: &str) -> Option<String> {
        let by = self.caller(caller);
        let request = match caller {
            "anonymous" => return None,
            "visitor" => json!({
                "kind": "visitor",
                "inbox_key": self.inbox_key,
                "visitor_token": self.rooms[0].token,
            }),
            _ => json!({"kind": "agent"}),
        };
        let made = by.post("/api/v1/tickets", &request).await.ok();
        Some(text(&made["ticket"]))
    }

    /// Every id that names something of this tenant, with its kind.
    pub(super) async fn ids(&self) -> Vec<(&'static str, String)> {
        let mut ids = vec![
            ("account", self.account.clone()),
            ("role", self.role.clone()),
            ("role", self.agent_role.clone()),
            ("reply", self.reply.clone()),
            ("article", self.article.clone()),
            ("key", self.weak_key_id.clone()),
            ("inbox key", self.inbox_key.clone()),
        ];
        ids.extend(self.users.iter().map(|user| ("user", user.1.clone())));
        ids.extend(self.teams.iter().map(|id| ("team", id.clone())));
        ids.extend(self.inboxes.iter().map(|id| ("inbox", id.clone())));
        for room in &self.rooms {
            ids.push(("conversation", room.conversation.clone()));
            ids.push(("file", room.file.clone()));
            let path = format!("/api/v1/conversations/{}", room.conversation);
            let shown = self.key.get(&path).await.ok();
            ids.push(("visitor", text(&shown["row"]["visitor"])));
            ids.push(("session", text(&shown["row"]["session"]["id"])));
            let entries = self.key.get(&format!("{path}/entries")).await.ok();
            ids.push(("message", text(&entries["items"][0]["entry"]["id"])));
        }
        let sessions = self.user("owner").1.get("/api/v1/me/sessions").await.ok();
        ids.push(("login", text(&sessions["sessions"][0]["handle"])));
        ids
    }

    /// Everything the tenant has, as its owner sees it: what nobody else may change. What a look
    /// itself moves (times of use, presence) is left out.
    pub(super) async fn snapshot(&self) -> Vec<(String, Value)> {
        let mut paths: Vec<String> = ["users", "roles", "teams", "inboxes", "canned-replies"]
            .into_iter()
            .chain(["settings", "conversations?view=open", "conversations?view=closed"])
            .chain(["articles", "articles/crawl", "bot", "bot/flows", "llm", "words"])
            .map(|name| format!("/api/v1/{name}"))
            .collect();
        for room in &self.rooms {
            paths.push(format!("/api/v1/conversations/{}", room.conversation));
            paths.push(format!("/api/v1/conversations/{}/entries?limit=200", room.conversation));
        }
        let mut found = Vec::new();
        for path in paths {
            let seen = self.key.get(&path).await.ok();
            found.push((path, seen));
        }
        for room in &self.rooms {
            let path = format!("/api/v1/files/{}", room.file);
            let seen = self.key.get(&path).await;
            found.push((path, json!({"status": seen.status, "text": seen.text})));
        }
        let keys = self.key.get("/api/v1/api-keys").await.ok();
        let keys = keys["api_keys"].as_array().expect("keys").iter();
        found.push(("keys".to_owned(), keys.map(|key| key["id"].clone()).collect()));
        found
    }
}

impl Room {
    /// A new visitor of the inbox, who says something and sends a file.
    pub(super) async fn enter(http: &Http, inbox_key: &str, mark: &str) -> Self {
        let request = json!({"kind": "visitor", "inbox_key": inbox_key, "language": "en"});
        let made = http.post("/api/v1/tickets", &request).await.ok();
        let (token, conversation) = (text(&made["visitor_token"]), text(&made["conversation_id"]));
        let visitor = http.with_visitor(&token);
        let path = format!("/api/v1/conversations/{conversation}");
        let said = json!({"text": format!("{mark} needs help")});
        visitor.post(&format!("{path}/messages"), &said).await.ok();
        let upload = visitor.request(reqwest::Method::POST, &format!("{path}/uploads?name=a.txt"));
        let stored = visitor.send(upload.body(format!("{mark} in a file"))).await.ok();
        let file = text(&stored["id"]);
        visitor.post(&format!("{path}/messages"), &json!({"file": file})).await.ok();
        Self { token, conversation, file }
    }
}

/// A flow of a bot that says one thing.
pub(super) fn flow(name: &str, says: &str) -> String {
    format!(
        "name: {name}\nstart: {{ default: true }}\nsteps:\n  first:\n    say: {{ en: {says} }}\n    goto: last\n  \
         last:\n    end: true\n"
    )
}

/// A text that has to be there.
#[track_caller]
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
