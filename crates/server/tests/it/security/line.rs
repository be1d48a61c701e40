//! A socket spoken frame by frame: what does the server answer to exactly this one?

use std::net::SocketAddr;

use frontdesk_protocol::wire::{
    self, client_frame::Frame as Out, command::Command as Verb, server_frame::Frame as In,
};
use frontdesk_testkit::{Gone, Socket, SocketOptions, live::message_id, soon};
use serde_json::{Value, json};

/// A connection past its welcome.
pub(super) struct Line {
    pub(super) socket: Socket,
    pub(super) welcome: wire::Welcome,
    next: u32,
}

impl Line {
    /// Opens a socket with a ticket. `Err` is what the server said instead of a welcome.
    pub(super) async fn try_open(
        server: SocketAddr,
        hello: wire::Hello,
    ) -> Result<Self, (String, Gone)> {
        let options = SocketOptions::default();
        let opening = Socket::open(server, &options);
        let mut socket = match soon("a socket opens", opening).await {
            Ok(socket) => socket,
            Err(error) => panic!("no socket: {error:?}"),
        };
        socket.send(1, Out::Hello(hello)).await.expect("the hello goes out");
        let mut code = String::new();
        soon("a welcome or a close", async {
            loop {
                match socket.hear().await {
                    Ok(wire::ServerFrame { frame: Some(In::Welcome(welcome)), .. }) => {
                        return Ok(Self { socket, welcome: *welcome, next: 2 });
                    }
                    Ok(wire::ServerFrame { frame: Some(In::Error(error)), .. }) => {
                        code = error.code;
                    }
                    Ok(frame) => panic!("{frame:?} before the welcome"),
                    Err(gone) => return Err((code, gone)),
                }
            }
        })
        .await
    }

    /// Opens a socket with a ticket that has to be taken.
    pub(super) async fn open(server: SocketAddr, ticket: &str) -> Self {
        match Self::try_open(server, hello(ticket)).await {
            Ok(line) => line,
            Err(refused) => panic!("no welcome: {refused:?}"),
        }
    }

    /// Sends one frame and says in a word what came back: `ack`, `done`, `opened`, `pong`, the code of
    /// the refusal, `closed.3501`, or `silent` for frames that need no answer and got none.
    pub(super) async fn outcome(&mut self, frame: Out) -> String {
        let quiet = matches!(frame, Out::Cursor(_) | Out::Draft(_) | Out::Pong(_));
        let reference = self.next;
        self.next += 3;
        // A refusal may come at the end of the loop's turn: the second pong is of a later one.
        let mut pings = [reference + 1, reference + 2].into_iter();
        let sent = self.socket.send(reference, frame).await;
        assert!(sent.is_ok(), "the socket is gone");
        let mut waiting_for = 0;
        soon("an answer to a frame", async {
            loop {
                if quiet && waiting_for == 0 {
                    let Some(ping) = pings.next() else { return "silent".to_owned() };
                    waiting_for = ping;
                    let sent = self.socket.send(ping, Out::Ping(wire::Ping {})).await;
                    assert!(sent.is_ok(), "the socket is gone");
                }
                let answer = match self.socket.hear().await {
                    Ok(answer) => answer,
                    Err(gone) => return format!("closed.{}", gone.code()),
                };
                if answer.r#ref == waiting_for {
                    waiting_for = 0;
                } else if answer.r#ref == reference {
                    return match answer.frame {
                        Some(In::Ack(_)) => "ack".to_owned(),
                        Some(In::Done(_)) => "done".to_owned(),
                        Some(In::Opened(_)) => "opened".to_owned(),
                        Some(In::Pong(_)) => "pong".to_owned(),
                        Some(In::Refusal(refusal)) => refusal.code,
                        other => panic!("an answer of an unexpected kind: {other:?}"),
                    };
                }
            }
        })
        .await
    }

    /// Waits for a push.
    pub(super) async fn pushed(&mut self, what: &str, right: impl Fn(&In) -> bool) {
        soon(what, async {
            loop {
                match self.socket.hear().await {
                    Ok(frame) if frame.frame.as_ref().is_some_and(&right) => return,
                    Ok(_) => {}
                    Err(gone) => panic!("{gone:?} before {what}"),
                }
            }
        })
        .await;
    }

    /// Waits for the close.
    pub(super) async fn gone(&mut self) -> Gone {
        self.socket.gone().await
    }
}

/// A hello with a ticket.
pub(super) fn hello(ticket: &str) -> wire::Hello {
    wire::Hello { ticket: ticket.to_owned(), client: "security/1".to_owned(), ..Default::default() }
}

/// Every frame a client may send, about one conversation. Commands name a session version that never
/// was, so that who may do it learns that, and nothing changes for the next one.
pub(super) fn frames(conversation: &str) -> Vec<(String, Out)> {
    let to = || conversation.to_owned();
    let send = |audience: frontdesk_core::chat::Audience| wire::Send {
        audience: audience.into(),
        ..frontdesk_testkit::live::text(conversation, &message_id(), "a message")
    };
    let mut frames = vec![
        ("send everyone".to_owned(), Out::Send(send(frontdesk_core::chat::Audience::Everyone))),
        ("send team".to_owned(), Out::Send(send(frontdesk_core::chat::Audience::Team))),
        ("retract".to_owned(), Out::Retract(wire::Retract { conversation: to(), seq: 9_999 })),
        (
            "cursor".to_owned(),
            Out::Cursor(wire::MoveCursor { conversation: to(), delivered_seq: 1, read_seq: 1 }),
        ),
        (
            "draft".to_owned(),
            Out::Draft(wire::Draft { conversation: to(), typing: true, text: "dra".to_owned() }),
        ),
        ("open".to_owned(), Out::Open(wire::Open { conversation: to(), position: None })),
        ("leave".to_owned(), Out::Leave(wire::Leave { conversation: to() })),
        (
            "sync".to_owned(),
            Out::Sync(wire::Sync {
                held: vec![wire::Held {
                    conversation: to(),
                    position: Some(wire::Position::default()),
                }],
            }),
        ),
        (
            "presence".to_owned(),
            Out::Presence(wire::SetPresence { presence: wire::Presence::Away.into() }),
        ),
        ("ping".to_owned(), Out::Ping(wire::Ping {})),
        ("pong".to_owned(), Out::Pong(wire::Pong {})),
        ("hello".to_owned(), Out::Hello(hello("t1.again"))),
    ];
    frames.extend(verbs().into_iter().map(|verb| {
        let command = wire::Command {
            conversation: to(),
            expected_version: 999_999,
            command: Some(verb.clone()),
        };
        (format!("command {}", verb_name(&verb)), Out::Command(command))
    }));
    frames
}

fn verbs() -> Vec<Verb> {
    vec![
        Verb::Take(wire::Take {}),
        Verb::TakeOver(wire::TakeOver {}),
        Verb::Transfer(wire::Transfer::default()),
        Verb::Close(wire::Close {}),
        Verb::Reopen(wire::Reopen {}),
        Verb::Requeue(wire::Requeue {}),
        Verb::Join(wire::Join {}),
        Verb::StepOut(wire::StepOut {}),
        Verb::Rate(wire::Rate { rating: 5, comment: String::new() }),
        Verb::SetPriority(wire::SetPriority { priority: 2 }),
        Verb::SetIntent(wire::SetIntent { intent: "refund".to_owned() }),
        Verb::SetLabels(wire::SetLabels { labels: vec!["vip".to_owned()] }),
        Verb::Pend(wire::Pend { until_ms: 4_102_444_800_000 }),
        Verb::AskForPerson(wire::AskForPerson {}),
    ]
}

/// The field's name in the definition of the wire; a new command does not compile without one.
fn verb_name(verb: &Verb) -> &'static str {
    match verb {
        Verb::Take(_) => "take",
        Verb::TakeOver(_) => "take_over",
        Verb::Transfer(_) => "transfer",
        Verb::Close(_) => "close",
        Verb::Reopen(_) => "reopen",
        Verb::Requeue(_) => "requeue",
        Verb::Join(_) => "join",
        Verb::StepOut(_) => "step_out",
        Verb::Rate(_) => "rate",
        Verb::SetPriority(_) => "set_priority",
        Verb::SetIntent(_) => "set_intent",
        Verb::SetLabels(_) => "set_labels",
        Verb::Pend(_) => "pend",
        Verb::AskForPerson(_) => "ask_for_person",
    }
}

/// The names of the fields of a oneof, as the definition of the wire has them.
pub(super) fn oneof(message: &str, oneof: &str) -> Vec<String> {
    const WIRE: &str = include_str!("../../../../../proto/wire/v1/frame.proto");
    let message = WIRE.split(&format!("message {message} {{")).nth(1).expect("the message exists");
    let fields = message.split(&format!("oneof {oneof} {{")).nth(1).expect("the oneof exists");
    let fields = fields.split('}').next().unwrap_or_default();
    let lines = fields.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let names: Vec<String> = lines
        .filter_map(|line| line.split_once('=')?.0.split_whitespace().nth(1).map(str::to_owned))
        .collect();
    assert!(names.len() > 10, "the definition reads otherwise than this test thinks: {names:?}");
    names
}

/// The same commands as bodies of the HTTP API.
pub(super) fn command_bodies() -> Vec<Value> {
    let simple = ["take", "take_over", "close", "reopen", "requeue", "join", "leave"];
    let mut bodies: Vec<Value> = simple
        .into_iter()
        .map(|name| json!({"command": name, "expected_version": 999_999}))
        .collect();
    bodies.extend([
        json!({"command": "transfer", "expected_version": 999_999}),
        json!({"command": "rate", "rating": 5}),
        json!({"command": "priority", "expected_version": 999_999, "priority": 2}),
        json!({"command": "labels", "expected_version": 999_999, "labels": ["vip"]}),
        json!({"command": "intent", "expected_version": 999_999, "intent": "refund"}),
        json!({"command": "pend", "expected_version": 999_999, "until_ms": 4_102_444_800_000_i64}),
    ]);
    bodies
}
