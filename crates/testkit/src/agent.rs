//! One agent, step by step: signs in, opens a socket, goes online, answers.

use std::net::{IpAddr, SocketAddr};

use frontdesk_core::chat;
use frontdesk_protocol::wire::{
    self, Presence, client_frame::Frame as Out, command::Command as Verb, feed_change::Change,
    server_frame::Frame as In,
};
use serde_json::json;

use crate::{
    Gone, Http, Socket, SocketOptions, TestServer, Timeline,
    live::{Live, message_id, text},
    server::ADMIN_EMAIL,
    soon,
};

/// See the module. Reach deeper by `live`.
#[derive(Debug)]
pub struct TestAgent {
    /// The connection.
    pub live: Live,
    /// Requests as this user.
    pub http: Http,
    /// The user.
    pub id: String,
    /// From the last welcome.
    pub welcome: wire::Welcome,
    /// The state the server takes it to have chosen.
    chosen: Presence,
    /// Newest number of the feed seen.
    pub feed: Option<wire::FeedPosition>,
    /// How its sockets are opened.
    pub options: SocketOptions,
    /// Where its sockets go: the server, or a proxy before it.
    pub address: SocketAddr,
}

impl TestAgent {
    /// The admin of `init`, live and online.
    pub async fn admin(server: &TestServer) -> Self {
        let http = server.http.sign_in(ADMIN_EMAIL).await;
        let mut agent = Self::of(server, http, server.installed.admin_id.clone());
        agent.connect().await;
        agent.presence(Presence::Online).await;
        agent
    }

    /// A new user with the role "agent", live and online. `name` becomes the e-mail, too.
    pub async fn online(server: &TestServer, name: &str) -> Self {
        let mut agent = Self::new(server, name, "agent").await;
        agent.connect().await;
        agent.presence(Presence::Online).await;
        agent
    }

    /// A new user, signed in, without a socket.
    pub async fn new(server: &TestServer, name: &str, role: &str) -> Self {
        let email = format!("{}@acme.example", name.to_lowercase());
        let id = server.admin().create_user(&email, name, role).await;
        let http = server.http.sign_in(&email).await;
        Self::of(server, http, id)
    }

    /// The same, at a machine of its own: one of 127.0.0.0/8.
    pub async fn new_from(server: &TestServer, from: IpAddr, name: &str, role: &str) -> Self {
        let email = format!("{}@acme.example", name.to_lowercase());
        let id = server.admin().create_user(&email, name, role).await;
        let http = server.http.sign_in_from(from, &email).await;
        let mut agent = Self::of(server, http, id);
        agent.options.from = Some(from);
        agent
    }

    /// A bot of the account's own: a key made for it, live.
    pub async fn bot(server: &TestServer, name: &str) -> Self {
        let rights = [
            "conversation.read.own",
            "conversation.write",
            "conversation.note",
            "conversation.assign",
            "conversation.close",
        ];
        let body = json!({"name": name, "rights": rights, "bot": true});
        let made = server.admin().post("/api/v1/api-keys", &body).await.ok();
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let (id, key) = (text(&made["id"]), text(&made["key"]));
        let mut bot = Self::of(server, server.http.with_key(&key), id);
        bot.connect().await;
        bot
    }

    fn of(server: &TestServer, http: Http, id: String) -> Self {
        Self {
            live: Live::default(),
            http,
            id,
            welcome: wire::Welcome::default(),
            chosen: Presence::Unspecified,
            feed: None,
            options: SocketOptions::default(),
            address: server.address(),
        }
    }

    /// The same person in another tab, without a socket yet.
    #[must_use]
    pub fn another_tab(&self) -> Self {
        Self {
            live: Live::default(),
            http: self.http.clone(),
            id: self.id.clone(),
            welcome: wire::Welcome::default(),
            chosen: Presence::Unspecified,
            feed: None,
            options: self.options.clone(),
            address: self.address,
        }
    }

    /// Opens a socket with a new ticket, what is held and the feed.
    pub async fn connect(&mut self) {
        let ticket = self.http.agent_ticket().await;
        let hello = wire::Hello { ticket, ..self.hello() };
        self.welcomed(hello).await;
    }

    /// Opens a socket with the last resume token, what is held and the feed.
    pub async fn resume(&mut self) {
        let resume_token = self.welcome.resume_token.clone();
        let hello = wire::Hello { resume_token, ..self.hello() };
        self.welcomed(hello).await;
    }

    fn hello(&self) -> wire::Hello {
        let held = self.live.timelines.iter().map(|(conversation, timeline)| wire::Held {
            conversation: conversation.clone(),
            position: timeline.position(),
        });
        wire::Hello {
            held: held.collect(),
            feed: self.feed,
            client: "frontdesk-testkit/1".to_owned(),
            language: "en".to_owned(),
            ..wire::Hello::default()
        }
    }

    async fn welcomed(&mut self, hello: wire::Hello) {
        let held = hello.held.len();
        match self.try_hello(hello).await {
            Ok(welcome) => {
                self.feed = welcome.feed;
                self.chosen = welcome.presence();
                self.welcome = welcome;
            }
            Err((error, gone)) => panic!("no welcome: {error:?}, {gone:?}"),
        }
        // Each conversation of the hello is opened by itself, or refused where it is out of reach.
        for _ in 0..held {
            self.live
                .pushed("what was held is opened", |frame| {
                    matches!(frame, In::Opened(_) | In::Refusal(_)).then_some(())
                })
                .await;
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

    /// Chooses a state and waits until the desk has heard of it.
    pub async fn presence(&mut self, presence: Presence) {
        // A choice that changes nothing is announced to nobody, so there is a change first.
        if self.chosen == presence {
            let other = if presence == Presence::Away { Presence::Online } else { Presence::Away };
            self.choose(other).await;
        }
        self.choose(presence).await;
    }

    async fn choose(&mut self, presence: Presence) {
        let asked = wire::SetPresence { presence: presence.into() };
        let id = self.id.clone();
        let own = |frame: &In| match frame {
            In::Presence(update) if update.actor.as_ref().is_some_and(|actor| actor.id == id) => {
                Some(update.presence())
            }
            _ => None,
        };
        self.live.forget(|frame| own(frame).is_some());
        match self.live.ask(Out::Presence(asked)).await {
            In::Done(_) => {}
            other => panic!("presence is answered by {other:?}"),
        }
        self.live
            .pushed("the own presence", |frame| own(frame).filter(|now| *now == presence))
            .await;
        self.chosen = presence;
    }

    /// Looks at a conversation.
    pub async fn open(&mut self, conversation: &str) -> Result<wire::Opened, wire::Refusal> {
        let position = self.live.timelines.get(conversation).and_then(Timeline::position);
        let open = wire::Open { conversation: conversation.to_owned(), position };
        match self.live.ask(Out::Open(open)).await {
            In::Opened(opened) => Ok(*opened),
            In::Refusal(refusal) => Err(refusal),
            other => panic!("open is answered by {other:?}"),
        }
    }

    /// What it holds of a conversation it has opened.
    pub fn timeline(&self, conversation: &str) -> &Timeline {
        self.live.timelines.get(conversation).expect("the conversation was opened")
    }

    /// Waits for a row of the list of which `right` says so. Rows that came before count.
    pub async fn row(&mut self, what: &str, right: impl Fn(&wire::Row) -> bool) -> wire::Row {
        let (number, row) = self
            .live
            .pushed(what, |frame| match frame {
                In::Feed(feed) => feed.changes.iter().find_map(|change| match &change.change {
                    Some(Change::Row(row)) if right(row) => Some((change.number, row.clone())),
                    _ => None,
                }),
                _ => None,
            })
            .await;
        if let Some(feed) = &mut self.feed {
            feed.number = feed.number.max(number);
        }
        row
    }

    /// Waits until the list holds this conversation with this owner ("" while queued).
    pub async fn listed(&mut self, conversation: &str, owner: &str) -> wire::Row {
        let what = format!("conversation {conversation} is listed with owner {owner:?}");
        self.row(&what, |row| {
            let session = row.session.as_ref();
            let has = session.and_then(|s| s.owner.as_ref()).map_or("", |owner| owner.id.as_str());
            row.conversation == conversation && has == owner
        })
        .await
    }

    /// Waits until a conversation is no longer in the list.
    pub async fn unlisted(&mut self, conversation: &str) {
        self.live
            .pushed("a conversation leaves the list", |frame| match frame {
                In::Feed(feed) => feed
                    .changes
                    .iter()
                    .any(|change| change.change == Some(Change::Removed(conversation.to_owned())))
                    .then_some(()),
                _ => None,
            })
            .await;
    }

    /// Sends a text and waits for its ack.
    pub async fn say(&mut self, conversation: &str, body: &str) -> wire::Ack {
        match self.live.message(text(conversation, &message_id(), body)).await {
            Ok(ack) => ack,
            Err(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// Sends a note for the team and waits for its ack.
    pub async fn note(&mut self, conversation: &str, body: &str) -> wire::Ack {
        let note = wire::Send {
            audience: chat::Audience::Team.into(),
            ..text(conversation, &message_id(), body)
        };
        match self.live.message(note).await {
            Ok(ack) => ack,
            Err(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// A command, whatever the version.
    pub async fn command(
        &mut self,
        conversation: &str,
        command: Verb,
    ) -> Result<(), wire::Refusal> {
        self.live.command(conversation, 0, command).await
    }

    /// Waits until this text is held.
    pub async fn sees(&mut self, conversation: &str, body: &str) -> chat::Entry {
        let what = format!("the agent sees {body:?}");
        let has = |timeline: &Timeline| timeline.texts().contains(&body);
        self.live.until(&what, conversation, has).await;
        let found = self.timeline(conversation).entries_held();
        let found = found.filter(|entry| crate::timeline::text_of(entry) == Some(body)).last();
        found.expect("it is held").clone()
    }

    /// Loses the connection as a network does: no close frame.
    pub fn lose(&mut self) {
        drop(self.live.detach());
    }
}
