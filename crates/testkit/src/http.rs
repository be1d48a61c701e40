//! Requests to the HTTP API as nobody, a signed-in user, an API key or a visitor.

use std::{
    io::Write as _,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use frontdesk_core::chat::TimelineItem;
use serde_json::{Value, json};

use crate::{server::PASSWORD, soon};

/// Writes a line beside the test's output.
pub fn note(text: &str) {
    // Whoever closed the pipe wants no more of it.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.text) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}), status {}: {}", self.status, self.text),
        }
    }

    /// The body as JSON, if the request succeeded.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "status {}: {}", self.status, self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The `code` of a problem document.
    #[track_caller]
    pub fn code(&self) -> String {
        let problem = self.json();
        problem["code"].as_str().unwrap_or_else(|| panic!("no code: {problem}")).to_owned()
    }
}

/// Who asks.
#[derive(Debug, Clone)]
enum As {
    Nobody,
    /// By the cookies of the client.
    User,
    /// By the `Authorization` header.
    Bearer(String),
}

/// A client of one server as one caller.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    base: String,
    by: As,
}

impl Http {
    /// Requests as nobody.
    pub fn new(address: SocketAddr) -> Self {
        Self { client: client(None), base: format!("http://{address}"), by: As::Nobody }
    }

    /// The same from another machine: one of 127.0.0.0/8.
    pub fn new_from(from: IpAddr, address: SocketAddr) -> Self {
        Self { client: client(Some(from)), ..Self::new(address) }
    }

    /// Requests with an API key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { by: As::Bearer(format!("Bearer {key}")), ..self.clone() }
    }

    /// Requests with a visitor's token.
    #[must_use]
    pub fn with_visitor(&self, token: &str) -> Self {
        Self { by: As::Bearer(format!("Visitor {token}")), ..self.clone() }
    }

    /// Signs in with the password of everybody in tests, into cookies of its own.
    pub async fn sign_in(&self, email: &str) -> Self {
        self.sign_in_with(client(None), email).await
    }

    /// The same from another machine: one of 127.0.0.0/8.
    pub async fn sign_in_from(&self, from: IpAddr, email: &str) -> Self {
        self.sign_in_with(client(Some(from)), email).await
    }

    /// Signs in with an e-mail address and a password of its own.
    pub async fn enter(&self, credentials: &Value) -> Self {
        let user = Self { client: client(None), base: self.base.clone(), by: As::User };
        user.post("/api/v1/sign-in", credentials).await.ok();
        user
    }

    async fn sign_in_with(&self, client: reqwest::Client, email: &str) -> Self {
        let user = Self { client, base: self.base.clone(), by: As::User };
        let body = json!({"email": email, "password": PASSWORD});
        user.post("/api/v1/sign-in", &body).await.ok();
        user
    }

    /// Where the server is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to be changed before it is sent.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.by {
            As::Nobody => request,
            As::User => request.header("Origin", &self.base),
            As::Bearer(value) => request.header("Authorization", value),
        }
    }

    /// Sends a request; `None` where no answer came.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        // On the heap: it is large, and part of nearly every future of a test.
        let answer = Box::pin(async {
            let response = request.send().await.ok()?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Some(Answer { status, headers, text: response.text().await.ok()? })
        });
        soon("an HTTP answer", answer).await
    }

    /// Sends a request and reads the answer, which has to come.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.expect("the server answers")
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(reqwest::Method::GET, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(reqwest::Method::POST, path).json(body)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(reqwest::Method::PUT, path).json(body)).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(reqwest::Method::PATCH, path).json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(reqwest::Method::DELETE, path)).await
    }

    /// Sets an account-wide setting, for example `routing.capacity`.
    pub async fn set(&self, setting: &str, value: Value) {
        self.put(&format!("/api/v1/settings/{setting}"), &json!({"value": value})).await.ok();
    }

    /// Creates a user with one of the built-in roles; returns the id.
    pub async fn create_user(&self, email: &str, name: &str, role: &str) -> String {
        let roles = self.get("/api/v1/roles").await.ok();
        let roles = roles["roles"].as_array().expect("a list of roles");
        let role = roles.iter().find(|known| known["builtin"] == role).expect("a built-in role");
        let user = json!({
            "email": email, "display_name": name, "language": "en",
            "password": PASSWORD, "role": role["id"], "teams": [],
        });
        let made = self.post("/api/v1/users", &user).await.ok();
        made["id"].as_str().expect("a user has an id").to_owned()
    }

    /// Creates a team with these members; returns the id.
    pub async fn create_team(&self, name: &str, members: &[&str]) -> String {
        let team = json!({"names": {"en": name}, "members": members});
        let made = self.post("/api/v1/teams", &team).await.ok();
        made["id"].as_str().expect("a team has an id").to_owned()
    }

    /// A ticket for a socket of this user or API key.
    pub async fn agent_ticket(&self) -> String {
        let made = self.post("/api/v1/tickets", &json!({"kind": "agent"})).await.ok();
        made["ticket"].as_str().expect("a ticket").to_owned()
    }

    /// A GET that is made again while it is answered that the server is busy, as when a conversation moves to
    /// another node.
    async fn get_in_time(&self, path: &str) -> Answer {
        soon(path, async {
            loop {
                let answer = self.get(path).await;
                if answer.status != 503 {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        })
        .await
    }

    /// The whole timeline of a conversation as this caller sees it.
    pub async fn history(&self, conversation: &str) -> Vec<TimelineItem> {
        let mut items: Vec<TimelineItem> = Vec::new();
        let mut after = 0;
        loop {
            let path =
                format!("/api/v1/conversations/{conversation}/entries?after={after}&limit=200");
            let mut page = self.get_in_time(&path).await.ok();
            let found: Vec<TimelineItem> =
                serde_json::from_value(page["items"].take()).expect("timeline items");
            after = found.last().map_or(after, crate::timeline::last_seq);
            items.extend(found);
            if page["more_after"] != true {
                return items;
            }
        }
    }
}

fn client(from: Option<IpAddr>) -> reqwest::Client {
    let client = reqwest::Client::builder()
        .cookie_store(true)
        .no_proxy()
        .local_address(from)
        // The server ends a connection that was idle for 10 s, perhaps just as it is used again.
        .pool_idle_timeout(Duration::from_secs(5));
    client.build().expect("a client without TLS can always be built")
}
