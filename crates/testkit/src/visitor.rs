//! One visitor, step by step: `TestVisitor::connect(&server).await.say("hi").await`.

use std::net::SocketAddr;

use frontdesk_core::chat;
use frontdesk_protocol::wire::{
    self, client_frame::Frame as Out, command::Command as Verb, server_frame::Frame as In,
};
use serde_json::{Value, json};

use crate::{
    Gone, Http, Socket, SocketOptions, TestServer, Timeline,
    live::{Live, message_id, text},
    soon,
};

/// See the module. Reach deeper by `live`.
#[derive(Debug)]
pub struct TestVisitor {
    /// The connection.
    pub live: Live,
    /// What the visitor keeps: its identity.
    pub token: String,
    /// Its conversation, as HTTP names it.
    pub conversation: String,
    /// From the last welcome.
    pub welcome: wire::Welcome,
    /// How its sockets are opened.
    pub options: SocketOptions,
    /// Where its sockets go: the server, or a proxy before it.
    pub address: SocketAddr,
    /// Who the site says it is: goes with every request for a ticket.
    pub identity_token: Option<String>,
    /// The same as a name and its hash.
    pub identity: Option<Value>,
    http: Http,
    inbox_key: String,
}

impl TestVisitor {
    /// A new visitor of the inbox `init` made, with a live socket.
    pub async fn connect(server: &TestServer) -> Self {
        Self::connect_with(server, SocketOptions::default()).await
    }

    /// The same, where requests and sockets go to different places.
    pub async fn at(server: &TestServer, http: Http, address: SocketAddr) -> Self {
        let mut visitor = Self { address, http, ..Self::blank(server, SocketOptions::default()) };
        visitor.connect_by_ticket().await;
        visitor
    }

    /// The same, without a socket yet.
    pub async fn new_at(server: &TestServer, http: Http, address: SocketAddr) -> Self {
        let mut visitor = Self { address, http, ..Self::blank(server, SocketOptions::default()) };
        // The identity comes with the first ticket, which is left unused.
        visitor.ticket().await;
        visitor
    }

    /// The same, with a socket of one's choice.
    pub async fn connect_with(server: &TestServer, options: SocketOptions) -> Self {
        let mut visitor = Self::new(server, options).await;
        visitor.connect_by_ticket().await;
        visitor
    }

    /// A visitor the site has named, with a live socket.
    pub async fn named(server: &TestServer, identity_token: &str) -> Self {
        let mut visitor = Self::blank(server, SocketOptions::default());
        visitor.identity_token = Some(identity_token.to_owned());
        visitor.connect_by_ticket().await;
        visitor
    }

    /// The same, by a name and its hash.
    pub async fn hashed(server: &TestServer, identity: &Value) -> Self {
        let mut visitor = Self::blank(server, SocketOptions::default());
        visitor.identity = Some(identity.clone());
        visitor.connect_by_ticket().await;
        visitor
    }

    /// A new visitor without a socket.
    pub async fn new(server: &TestServer, options: SocketOptions) -> Self {
        let mut visitor = Self::blank(server, options);
        // The identity comes with the first ticket, which is left unused.
        visitor.ticket().await;
        visitor
    }

    fn blank(server: &TestServer, options: SocketOptions) -> Self {
        Self {
            live: Live::default(),
            token: String::new(),
            conversation: String::new(),
            welcome: wire::Welcome::default(),
            options,
            address: server.address(),
            http: server.http.clone(),
            identity_token: None,
            identity: None,
            inbox_key: server.installed.inbox_key.clone(),
        }
    }

    /// The same person in another tab: same token, no socket yet.
    #[must_use]
    pub fn another_tab(&self) -> Self {
        Self {
            live: Live::default(),
            token: self.token.clone(),
            conversation: self.conversation.clone(),
            welcome: wire::Welcome::default(),
            options: self.options.clone(),
            address: self.address,
            identity_token: self.identity_token.clone(),
            identity: self.identity.clone(),
            http: self.http.clone(),
            inbox_key: self.inbox_key.clone(),
        }
    }

    /// Requests as this visitor.
    pub fn http(&self) -> Http {
        self.http.with_visitor(&self.token)
    }

    /// A ticket for one socket; the first one also makes the identity.
    pub async fn ticket(&mut self) -> String {
        let mut request = json!({
            "kind": "visitor", "inbox_key": self.inbox_key, "language": "en",
        });
        if !self.token.is_empty() {
            request["visitor_token"] = json!(self.token);
        }
        if let Some(identity) = &self.identity_token {
            request["identity_token"] = json!(identity);
        }
        if let Some(identity) = &self.identity {
            request["identity"] = identity.clone();
        }
        let made = self.http.post("/api/v1/tickets", &request).await.ok();
        let field = |name: &str| made[name].as_str().expect("a ticket is complete").to_owned();
        self.token = field("visitor_token");
        self.conversation = field("conversation_id");
        if let Some(node) = made["node"].as_u64() {
            let path = self.options.path.split('?').next().expect("there is a first part");
            self.options.path = format!("{path}?node={node}");
        }
        field("ticket")
    }

    /// Opens a socket with a new ticket and what is held.
    pub async fn connect_by_ticket(&mut self) {
        let ticket = self.ticket().await;
        let hello = wire::Hello { ticket, ..self.hello() };
        self.welcomed(hello).await;
    }

    /// Opens a socket with the last resume token and what is held.
    pub async fn resume(&mut self) {
        let resume_token = self.welcome.resume_token.clone();
        let hello = wire::Hello { resume_token, ..self.hello() };
        self.welcomed(hello).await;
    }

    /// A hello with what is held, to be completed.
    pub fn hello(&self) -> wire::Hello {
        let position = self.timeline().and_then(Timeline::position);
        let held = position
            .map(|position| wire::Held { conversation: String::new(), position: Some(position) });
        wire::Hello {
            held: held.into_iter().collect(),
            client: "frontdesk-testkit/1".to_owned(),
            language: "en".to_owned(),
            ..wire::Hello::default()
        }
    }

    async fn welcomed(&mut self, hello: wire::Hello) {
        match self.try_hello(hello).await {
            Ok(welcome) => self.welcome = welcome,
            Err((error, gone)) => panic!("no welcome: {error:?}, {gone:?}"),
        }
    }

    /// Opens a socket, says hello, and returns the welcome or the error frame and the close.
    pub async fn try_hello(
        &mut self,
        hello: wire::Hello,
    ) -> Result<wire::Welcome, (Option<wire::Error>, Gone)> {
        let opening = Socket::open(self.address, &self.options);
        let socket = match soon("a socket opens", opening).await {
            Ok(socket) => socket,
            Err(error) => panic!("no socket: {error:?}"),
        };
        self.live.attach(socket);
        self.live.send(Out::Hello(hello)).await;
        let mut error = None;
        soon("a welcome or a close", async {
            loop {
                match self.live.hear().await {
                    Ok(wire::ServerFrame { frame: Some(In::Welcome(welcome)), .. }) => {
                        return Ok(*welcome);
                    }
                    Ok(wire::ServerFrame { frame: Some(In::Error(said)), .. }) => {
                        error = Some(said);
                    }
                    Ok(frame) => panic!("{frame:?} before the welcome"),
                    Err(gone) => return Err((error.take(), gone)),
                }
            }
        })
        .await
    }

    /// What it holds.
    pub fn timeline(&self) -> Option<&Timeline> {
        self.live.timelines.get("")
    }

    /// What it holds; there has been a welcome.
    pub fn held(&self) -> &Timeline {
        self.timeline().expect("there was a welcome")
    }

    /// Sends a text and waits for its ack.
    pub async fn say(&mut self, body: &str) -> wire::Ack {
        match self.try_say(&message_id(), body).await {
            Ok(ack) => ack,
            Err(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// Sends a text under an id and waits for the answer.
    pub async fn try_say(
        &mut self,
        client_msg_id: &[u8],
        body: &str,
    ) -> Result<wire::Ack, wire::Refusal> {
        self.live.message(text("", client_msg_id, body)).await
    }

    /// Waits until this text is held, and returns its entry.
    pub async fn sees(&mut self, body: &str) -> chat::Entry {
        let what = format!("the visitor sees {body:?}");
        self.live.until(&what, "", |timeline| timeline.texts().contains(&body)).await;
        let found = self.held().entries_held();
        let found = found.filter(|entry| crate::timeline::text_of(entry) == Some(body)).last();
        found.expect("it is held").clone()
    }

    /// Waits until this system text is held.
    pub async fn sees_system(&mut self, key: &str) {
        let what = format!("the visitor sees the system text {key}");
        self.live.until(&what, "", |timeline| timeline.system_keys().contains(&key)).await;
    }

    /// Waits for a session of which `right` says so; states before it are forgotten.
    pub async fn session(
        &mut self,
        what: &str,
        right: impl Fn(&chat::Session) -> bool,
    ) -> chat::Session {
        self.live
            .state(
                what,
                |frame| matches!(frame, In::Session(_)),
                |frame| match frame {
                    In::Session(update) => update.session.clone().filter(&right),
                    _ => None,
                },
            )
            .await
    }

    /// Waits for a queue place of which `right` says so; those before it are forgotten.
    pub async fn queue_place(
        &mut self,
        what: &str,
        right: impl Fn(&wire::QueuePlace) -> bool,
    ) -> wire::QueuePlace {
        self.live
            .state(
                what,
                |frame| matches!(frame, In::QueuePlace(_)),
                |frame| match frame {
                    In::QueuePlace(place) if right(place) => Some(*place),
                    _ => None,
                },
            )
            .await
    }

    /// A command on its own session.
    pub async fn command(&mut self, command: Verb) -> Result<(), wire::Refusal> {
        self.live.command("", 0, command).await
    }

    /// Loses the connection as a network does: no close frame.
    pub fn lose(&mut self) {
        drop(self.live.detach());
    }
}
