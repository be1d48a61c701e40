//! S27: malformed requests and frames get an answer that says so and cost nobody else anything.
//! S23: secrets and what people say to each other never reach the log.

use frontdesk_protocol::{
    Encoding, encode_client,
    wire::{self, client_frame::Frame as Out},
};
use frontdesk_testkit::{
    Http, Socket, SocketOptions, TestAgent, TestServer, TestVisitor, server::PASSWORD,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    line::{Line, frames},
    world::{World, text},
};
use crate::FRONTDESK;

/// Bodies that are no JSON, or not the JSON that is due.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("half", b"{\"email\":".to_vec()),
        ("no UTF-8", vec![b'{', b'"', 0xff, 0xfe, b'"', b':', b'1', b'}']),
        ("null", b"null".to_vec()),
        ("a number", b"1e999".to_vec()),
        ("an array", b"[]".to_vec()),
        ("unknown fields", b"{\"__proto__\":{\"admin\":true}}".to_vec()),
        ("a field twice", b"{\"name\":\"a\",\"name\":\"b\"}".to_vec()),
        ("deep", [vec![b'['; 20_000], vec![b']'; 20_000]].concat()),
        ("deep objects", b"{\"a\":".repeat(20_000)),
        (
            "query operators",
            br#"{"email":{"$ne":null},"password":{"$gt":""},"token":{"$ne":1},
            "text":{"$where":"1"},"name":{"a":1},"names":7,"value":{"$ne":1},"kind":{"$ne":1},
            "command":{"$ne":1},"shortcut":[],"inbox_key":{"$regex":".*"},"disabled":"yes"}"#
                .to_vec(),
        ),
        ("NUL", b"{\"name\":\"a\\u0000b\",\"text\":\"\\ud800\"}".to_vec()),
        ("large", [b"{\"name\":\"".to_vec(), vec![b'a'; 3 << 20], b"\"}".to_vec()].concat()),
    ]
}

#[tokio::test]
async fn s27_every_operation_says_what_is_wrong_with_a_body() {
    let world = World::build().await;
    let document = world.server.http.get("/openapi.json").await.ok();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            if operation["requestBody"].is_null() || path.ends_with("/uploads") {
                continue;
            }
            let room = &world.acme.rooms[0];
            let full = path
                .replace("{conversation}", &room.conversation)
                .replace("{inbox}", &world.acme.inboxes[0])
                .replace("{role}", &world.acme.role)
                .replace("{reply}", &world.acme.reply)
                .replace("{team}", &world.acme.teams[0])
                .replace("{user}", world.acme.user("agent").0)
                .replace("{name}", "routing.capacity");
            let method: Method = method.to_uppercase().parse().expect("a method");
            for (what, body) in bodies() {
                let by = if path == "/api/v1/sign-in" {
                    world.acme.anonymous()
                } else {
                    world.acme.caller("owner")
                };
                let request = by.request(method.clone(), &full);
                // A body cut off by the answer leaves a connection nobody should use again.
                let request = request.header("Connection", "close");
                let request = request.header("Content-Type", "application/json").body(body);
                let Some(answer) = by.try_send(request).await else {
                    assert_eq!(what, "large", "only what is too large may go unanswered");
                    continue;
                };
                asked += 1;
                sound(&answer, &format!("{method} {path} with {what}"));
                if matches!(what, "nothing" | "half" | "no UTF-8" | "null" | "deep" | "large") {
                    assert!(answer.status >= 400, "{method} {path} took {what}");
                }
            }
        }
    }
    assert!(asked > 200, "{asked} requests");
    for (method, path) in [
        ("GET", "/api/v1/conversations?limit=-1"),
        ("GET", "/api/v1/conversations?limit=99999999999999999999"),
        ("GET", "/api/v1/conversations?view=all%00"),
        ("GET", "/api/v1/conversations?cursor=%FF%FE"),
        ("GET", "/api/v1/conversations?cursor=9223372036854775808.x"),
        ("GET", "/api/v1/conversations/%F0%28%8C%28"),
        ("GET", "/api/v1/users/%00"),
        ("GET", "/api/v1/users/' OR 1=1 --"),
        ("DELETE", "/api/v1/me"),
        ("PATCH", "/api/v1/sign-in"),
        ("GET", "/api/v1/nothing/here"),
        ("TRACE", "/api/v1/me"),
        ("BREW", "/api/v1/me"),
    ] {
        let by = world.acme.caller("owner");
        let method: Method = method.parse().expect("a method");
        let answer = by.send(by.request(method.clone(), path)).await;
        assert!(answer.status >= 400, "{method} {path}: {}", answer.status);
        sound(&answer, &format!("{method} {path}"));
    }
    let room = &world.acme.rooms[0].conversation;
    for query in ["before=1&after=1", "after=x", "limit=0", "min_position=1", "min_position=a:b"] {
        let path = format!("/api/v1/conversations/{room}/entries?{query}");
        let answer = world.acme.caller("owner").get(&path).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        sound(&answer, &path);
    }
    assert_eq!(world.server.http.get("/readyz").await.status, 200);
}

/// A problem document without anything of the server's inside, and never the server's own failure.
fn sound(answer: &frontdesk_testkit::http::Answer, about: &str) {
    assert!(answer.status < 500, "{about}: {} {}", answer.status, answer.text);
    for inside in ["panicked", ".rs:", "stack backtrace", "SELECT ", "sqlx", "SQLITE"] {
        assert!(!answer.text.contains(inside), "{about}: {}", answer.text);
    }
    if answer.status >= 400 {
        let kind = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{about}: {}", answer.text);
        let code = answer.code();
        let known = frontdesk_protocol::codes::find(&code).expect("a code of the table");
        assert_eq!(answer.status, known.status, "{about}: {code}");
    }
}

#[tokio::test]
async fn s27_malformed_frames_end_their_connection_and_nothing_else() {
    let world = World::build().await;
    let at = world.server.address();
    let room = &world.acme.rooms[0].conversation;
    let mut bystander = Line::open(at, &world.acme.ticket("agent").await.expect("a ticket")).await;
    let mut rng = frontdesk_testkit::Rng::new(27);
    for encoding in [Encoding::Proto, Encoding::Json] {
        let mut broken: Vec<Vec<u8>> = Vec::new();
        for (_, frame) in frames(room) {
            let frame = wire::ClientFrame { r#ref: 7, frame: Some(frame) };
            let mut bytes = Vec::new();
            encode_client(encoding, &frame, &mut bytes).expect("it has a form");
            broken.push(bytes[..bytes.len() / 2].to_vec());
            broken.push(bytes[..bytes.len().saturating_sub(1)].to_vec());
        }
        match encoding {
            Encoding::Json => broken.extend(
                [
                    "",
                    "null",
                    "[]",
                    "{",
                    "7",
                    "\"x\"",
                    "{\"ref\":-1}",
                    "{\"ref\":\"x\"}",
                    "{\"send\":[]}",
                    "{\"send\":{},\"open\":{}}",
                    "{\"nothing\":{}}",
                    "{\"hello\":{\"ticket\":{\"$ne\":1}}}",
                    "{\"command\":{\"take\":7}}",
                ]
                .map(|text| text.as_bytes().to_vec())
                .into_iter()
                .chain([b"{\"a\":".repeat(5_000), b"[".repeat(30_000)]),
            ),
            Encoding::Proto => {
                for length in [1_usize, 2, 5, 17, 100, 1_000] {
                    broken.push((0..length).map(|_| rng.pick(0..256) as u8).collect());
                }
                broken.push(vec![0xff; 64]);
                broken.push(vec![0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]);
            }
        }
        for live in [false, true] {
            for bytes in &broken {
                let options = SocketOptions { encoding, ..SocketOptions::default() };
                let opened = Socket::open(at, &options).await;
                let mut socket = opened.unwrap_or_else(|error| panic!("{error:?}"));
                if live {
                    let ticket = world.acme.ticket("visitor").await.expect("a ticket");
                    let hello = Out::Hello(super::line::hello(&ticket));
                    socket.send(1, hello).await.expect("the hello goes out");
                    socket.hear().await.expect("a welcome");
                }
                socket.send_bytes(bytes.clone()).await.expect("the bytes go out");
                // Either it is the end, or a frame that means nothing: then a ping is answered.
                let answered = socket.send(99, Out::Ping(wire::Ping {})).await;
                let end = if answered.is_ok() { heard_pong(&mut socket).await } else { Some(1006) };
                let fair = |code: u16| {
                    matches!(code, 1002 | 1003 | 1006 | 1007 | 1009) || (3400..4000).contains(&code)
                };
                assert!(end.is_none_or(fair), "{encoding:?} {bytes:?}: closed {end:?}");
            }
        }
    }
    // Text on the binary protocol, and the other way round.
    for (encoding, wrong) in [(Encoding::Proto, Encoding::Json), (Encoding::Json, Encoding::Proto)]
    {
        let options = SocketOptions { encoding, ..SocketOptions::default() };
        let opened = Socket::open(at, &options).await;
        let mut socket = opened.unwrap_or_else(|error| panic!("{error:?}"));
        let message = match wrong {
            Encoding::Json => {
                tokio_tungstenite::tungstenite::Message::Text("{\"ref\":1,\"ping\":{}}".into())
            }
            Encoding::Proto => {
                tokio_tungstenite::tungstenite::Message::Binary(vec![0x08, 0x01].into())
            }
        };
        socket.send_message(message).await.expect("it goes out");
        let code = socket.gone().await.code();
        assert!(code == 1003 || (3500..4000).contains(&code), "closed {code}");
    }
    assert_eq!(bystander.outcome(Out::Ping(wire::Ping {})).await, "pong");
}

/// `None` once the ping is answered, the close code otherwise.
async fn heard_pong(socket: &mut Socket) -> Option<u16> {
    frontdesk_testkit::soon("a pong or a close", async {
        loop {
            match socket.hear().await {
                Ok(frame) if frame.r#ref == 99 => return None,
                Ok(_) => {}
                Err(gone) => return Some(gone.code()),
            }
        }
    })
    .await
}

#[tokio::test]
async fn s23_the_log_holds_neither_secrets_nor_what_people_say() {
    let builder = TestServer::builder(FRONTDESK).set("log.level", "debug");
    let server = builder.start().await;
    let admin = server.admin();
    admin.set("chat.sneak_peek", json!(true)).await;
    let mut agent = TestAgent::online(&server, "Planted").await;
    let mut visitor = TestVisitor::connect(&server).await;
    let mut planted: Vec<(&str, String)> = vec![
        ("a password", PASSWORD.to_owned()),
        ("an API key", server.installed.api_key.clone()),
        ("a visitor's token", visitor.token.clone()),
        ("a resume token", visitor.welcome.resume_token.clone()),
        ("an agent's resume token", agent.welcome.resume_token.clone()),
        ("an address", "planted@acme.example".to_owned()),
    ];
    let conversation = visitor.conversation.clone();
    visitor.say("planted question 4711").await;
    let own = agent.id.clone();
    agent.listed(&conversation, &own).await;
    agent.open(&conversation).await.expect("it may be opened");
    agent.say(&conversation, "planted answer 4711").await;
    agent.note(&conversation, "planted note 4711").await;
    visitor.sees("planted answer 4711").await;
    let draft =
        wire::Draft { typing: true, text: "planted draft 4711".to_owned(), ..Default::default() };
    visitor.live.send(Out::Draft(draft)).await;
    for (what, text) in [
        ("a question", "planted question 4711"),
        ("an answer", "planted answer 4711"),
        ("a note", "planted note 4711"),
        ("a draft", "planted draft 4711"),
    ] {
        planted.push((what, text.to_owned()));
    }
    // Refused and failing requests are what logs are for; they say no more.
    let nobody = Http::new(server.address());
    let wrong =
        json!({"email": "planted-nobody@acme.example", "password": "planted wrong password"});
    nobody.post("/api/v1/sign-in", &wrong).await;
    planted.push(("an unknown address", "planted-nobody@acme.example".to_owned()));
    planted.push(("a wrong password", "planted wrong password".to_owned()));
    nobody.with_key("fd_plantedplantedplantedpl").get("/api/v1/me").await;
    planted.push(("a wrong key", "fd_plantedplanted".to_owned()));
    let used = visitor.ticket().await;
    planted.push(("a ticket", used.clone()));
    for _ in 0..2 {
        drop(Line::try_open(server.address(), super::line::hello(&used)).await);
    }
    drop(Line::try_open(server.address(), super::line::hello("t1.plantedgarbage")).await);
    planted.push(("a wrong ticket", "plantedgarbage".to_owned()));
    let sent = nobody.request(Method::GET, "/api/v1/me?token=planted-in-the-address");
    nobody.send(sent.header("Cookie", "frontdesk=plantedplantedplantedpl")).await;
    planted.push(("a query", "planted-in-the-address".to_owned()));
    planted.push(("a cookie", "plantedplantedplantedpl".to_owned()));
    let broken: Value = json!({"email": {"planted broken": 1}});
    nobody.post("/api/v1/sign-in", &broken).await;
    planted.push(("a broken body", "planted broken".to_owned()));
    let key = json!({"name": "k", "rights": []});
    planted.push(("a new key", text(&admin.post("/api/v1/api-keys", &key).await.ok()["key"])));
    visitor.lose();
    let mut server = server;
    server.stop().await;
    let lines = server.log();
    assert!(lines.len() > 3, "there is a log");
    for (what, secret) in planted {
        let found = lines.iter().find(|line| line.contains(&secret));
        assert!(found.is_none(), "{what} is in the log: {found:?}");
    }
}
