//! Who gets a socket: S1 (origins), S2 (tickets), S3 (visitors), S29 (frames before their time).

use std::fmt::Write as _;

use frontdesk_protocol::wire::{self, client_frame::Frame as Out};
use frontdesk_testkit::{
    Http, Socket, SocketOptions, TestServer, run_to_end, server::PASSWORD, socket::Refused,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    line::{Line, frames, hello},
    world::{Room, World, text},
};
use crate::FRONTDESK;

/// The status of an upgrade with these headers; the request is written by hand, because clients help.
async fn upgrade(server: &TestServer, headers: &[(&str, &str)]) -> u16 {
    let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
    let mut request = format!(
        "GET /ws/v1 HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: frontdesk.v1.json\r\n",
        server.address()
    );
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").expect("a String takes everything");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.expect("the request goes out");
    let mut answer = Vec::new();
    let mut byte = [0];
    frontdesk_testkit::soon("an answer to an upgrade", async {
        while !answer.ends_with(b"\r\n") {
            assert_eq!(stream.read(&mut byte).await.expect("readable"), 1, "closed unanswered");
            answer.push(byte[0]);
        }
    })
    .await;
    let line = String::from_utf8(answer).expect("a status line is text");
    line.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status")
}

#[tokio::test]
async fn s01_a_socket_opens_for_our_pages_listed_sites_and_programs_only() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let inbox = text(&admin.get("/api/v1/inboxes").await.ok()["inboxes"][0]["id"]);
    let origins = json!({"origins": ["https://site.com", "https://*.shop.example"]});
    admin.patch(&format!("/api/v1/inboxes/{inbox}"), &origins).await.ok();
    let own = server.base();
    let other_port = "http://127.0.0.1:1";
    let cookie = ("Cookie", "frontdesk=AAAAAAAAAAAAAAAAAAAAAA");
    for (origin, with_cookie, status) in [
        (None, false, 101),
        (None, true, 403),
        (Some(own.as_str()), false, 101),
        (Some(own.as_str()), true, 101),
        (Some("https://site.com"), false, 101),
        (Some("https://site.com"), true, 101),
        (Some("https://www.shop.example"), false, 101),
        (Some("null"), false, 403),
        (Some("null"), true, 403),
        (Some(""), false, 403),
        (Some("https://evil.example"), false, 403),
        (Some("https://evil.example"), true, 403),
        (Some("https://site.com.evil.com"), false, 403),
        (Some("https://evilsite.com"), false, 403),
        (Some("http://site.com"), false, 403),
        (Some("https://site.com:8443"), false, 403),
        (Some("https://shop.example"), false, 403),
        (Some("https://evil.example#.shop.example"), false, 403),
        (Some("file://"), false, 403),
        (Some(other_port), false, 403),
        (Some(other_port), true, 403),
    ] {
        let mut headers = Vec::new();
        headers.extend(origin.map(|origin| ("Origin", origin)));
        headers.extend(with_cookie.then_some(cookie));
        let found = upgrade(&server, &headers).await;
        assert_eq!(found, status, "origin {origin:?}, cookie {with_cookie}");
    }
    let two = [("Origin", own.as_str()), ("Origin", "https://evil.example")];
    assert_eq!(upgrade(&server, &two).await, 403, "two origins");
    // The page around the widget is checked where the ticket is issued.
    for (parent, status) in [
        ("https://site.com", 200),
        ("https://a.shop.example", 200),
        ("https://evil.example", 403),
        ("https://site.com.evil.com", 403),
        ("null", 403),
    ] {
        let request = json!({
            "kind": "visitor", "inbox_key": server.installed.inbox_key, "parent_origin": parent,
        });
        let answer = Http::new(server.address()).post("/api/v1/tickets", &request).await;
        assert_eq!(answer.status, status, "{parent}");
    }
    // A page of somebody else's cannot get a ticket with the visitor's browser either.
    let stolen = json!({"kind": "visitor", "inbox_key": server.installed.inbox_key});
    let http = Http::new(server.address());
    let request = http.request(reqwest::Method::POST, "/api/v1/tickets").json(&stolen);
    let answer = http.send(request.header("Origin", "https://evil.example")).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "origin.refused"));
}

/// A server with keys of its own: those that start without a directory share one installation.
async fn other_installation() -> (TestServer, tempfile::TempDir, String) {
    let dir = tempfile::tempdir().expect("there is a temporary directory");
    let (data, password) = (dir.path().join("data"), dir.path().join("password"));
    std::fs::write(&password, PASSWORD).expect("a password file can be written");
    let place = ["--data-dir", &data.display().to_string()].map(str::to_owned);
    let init = ["init", "--account", "Else", "--admin-email", "me@else.example", "--json"];
    let password = ["--admin-password-file", &password.display().to_string()].map(str::to_owned);
    let words = init.map(str::to_owned);
    let words: Vec<&str> =
        words.iter().chain(&place).chain(&password).map(String::as_str).collect();
    let made = run_to_end(FRONTDESK, &words, &[]).await;
    assert!(made.status.success(), "{}", made.stderr);
    let made: Value = serde_json::from_str(&made.stdout).expect("init prints JSON");
    let server = TestServer::builder(FRONTDESK).data_dir(&data).start().await;
    (server, dir, text(&made["api_key"]))
}

#[tokio::test]
async fn s02_a_ticket_opens_one_socket_of_this_installation() {
    let world = World::build().await;
    let at = world.server.address();
    let ticket = world.acme.ticket("visitor").await.expect("a ticket");
    let line = Line::open(at, &ticket).await;
    let resume = line.welcome.resume_token.clone();
    let refused = async |hello: wire::Hello| match Line::try_open(at, hello).await {
        Ok(line) => panic!("it was let in as {:?}", line.welcome.self_),
        Err((code, gone)) => (code, gone.code()),
    };
    assert_eq!(refused(hello(&ticket)).await, ("ticket.used".to_owned(), 3400), "used twice");
    let fresh = world.acme.ticket("owner").await.expect("a ticket");
    let swapped = {
        // The first half of one ticket with the signature of another.
        let other = world.brio.ticket("owner").await.expect("a ticket");
        format!("{}{}", &fresh[..fresh.len() - 43], &other[other.len() - 43..])
    };
    let mut flipped = fresh.clone().into_bytes();
    flipped[10] = if flipped[10] == b'A' { b'B' } else { b'A' };
    let token = world.acme.rooms[0].token.clone();
    let (elsewhere, _dir, key) = other_installation().await;
    let of_others = elsewhere.http.with_key(&key).agent_ticket().await;
    for (what, text) in [
        ("nothing", String::new()),
        ("garbage", "garbage".to_owned()),
        ("an empty one", "t1.".to_owned()),
        ("no signature", "t1.AAAA".to_owned()),
        ("cut", fresh[..fresh.len() - 1].to_owned()),
        ("longer", format!("{fresh}A")),
        ("changed", String::from_utf8(flipped).expect("ASCII")),
        ("signed for another", swapped),
        ("very long", format!("t1.{}", "A".repeat(20_000))),
        ("a visitor's token", token.clone()),
        ("a visitor's token as a ticket", token.replace("v1.", "t1.")),
        ("a resume token", resume.clone()),
        ("another installation's", of_others),
    ] {
        assert_eq!(refused(hello(&text)).await, ("ticket.invalid".to_owned(), 3400), "{what}");
    }
    for (what, text) in [("garbage", "garbage".to_owned()), ("a ticket", fresh.clone())] {
        let resuming = wire::Hello { resume_token: text, ..wire::Hello::default() };
        assert_eq!(refused(resuming).await, ("resume.invalid".to_owned(), 3400), "{what}");
    }
    let untouched = Line::try_open(at, hello(&fresh)).await;
    assert!(untouched.is_ok(), "what others tried with it does not use it up");
}

#[tokio::test]
async fn s02_no_credential_opens_anything_from_a_url() {
    let world = World::build().await;
    let ticket = world.acme.ticket("owner").await.expect("a ticket");
    let token = &world.acme.rooms[0].token;
    let conversation = &world.acme.rooms[0].conversation;
    let options =
        SocketOptions { path: format!("/ws/v1?ticket={ticket}"), ..SocketOptions::default() };
    let opened = Socket::open(world.server.address(), &options).await;
    let mut socket = opened.unwrap_or_else(|error: Refused| panic!("{error:?}"));
    socket.send(1, Out::Hello(wire::Hello::default())).await.expect("the hello goes out");
    assert_eq!(socket.gone().await.code(), 3400, "a ticket in the address is not looked at");
    let http = world.acme.anonymous();
    for query in [
        format!("token={token}"),
        format!("visitor_token={token}"),
        format!("access_token={ticket}"),
        format!("api_key={}", world.server.installed.api_key),
    ] {
        let path = format!("/api/v1/conversations/{conversation}?{query}");
        assert_eq!(http.get(&path).await.code(), "auth.required", "{query}");
    }
    assert!(Line::try_open(world.server.address(), hello(&ticket)).await.is_ok(), "still unused");
}

#[tokio::test]
async fn s03_a_visitor_is_its_token_and_nobody_elses() {
    let world = World::build().await;
    let http = world.acme.anonymous();
    let room = &world.acme.rooms[0];
    let path = format!("/api/v1/conversations/{}", room.conversation);
    let mut changed = room.token.clone().into_bytes();
    for place in [3, 20, 40, 60, 90, changed.len() - 1] {
        let kept = changed[place];
        changed[place] = if kept == b'A' { b'Q' } else { b'A' };
        let token = String::from_utf8(changed.clone()).expect("ASCII");
        if token != room.token {
            let answer = http.with_visitor(&token).get(&path).await;
            let said = (answer.status, answer.code());
            assert_eq!(said, (401, "visitor.token_invalid".to_owned()), "byte {place}");
        }
        changed[place] = kept;
    }
    for length in [0, 3, 10, room.token.len() / 2, room.token.len() - 1] {
        let answer = http.with_visitor(&room.token[..length]).get(&path).await;
        assert_eq!(answer.status, 401, "cut to {length}");
    }
    let other = &world.acme.rooms[1];
    let answer = http.with_visitor(&other.token).get(&path).await;
    assert_eq!(answer.code(), "conversation.unknown", "another visitor of the account");
    let answer = http.with_visitor(&world.brio.rooms[0].token).get(&path).await;
    assert_eq!(answer.code(), "conversation.unknown", "a visitor of another tenant");
    // The token is for one inbox: in another one it is as good as none.
    for inbox_key in [&world.brio.inbox_key, &world.acme.inbox_key] {
        let request = json!({
            "kind": "visitor", "inbox_key": inbox_key, "visitor_token": other.token,
        });
        assert_eq!(http.post("/api/v1/tickets", &request).await.code(), "visitor.token_invalid");
    }
    assert_eq!(http.with_key(&room.token).get("/api/v1/me").await.status, 403, "no user's rights");
}

#[tokio::test]
async fn s29_nothing_happens_before_the_welcome() {
    let world = World::build().await;
    let at = world.server.address();
    let room = &world.acme.rooms[0];
    let path = format!("/api/v1/conversations/{}/entries", room.conversation);
    let before = world.acme.key.get(&path).await.text;
    for (name, frame) in frames(&room.conversation) {
        if matches!(name.as_str(), "hello" | "ping" | "pong") {
            continue;
        }
        let opened = Socket::open(at, &SocketOptions::default()).await;
        let mut socket = opened.unwrap_or_else(|error| panic!("{error:?}"));
        socket.send(1, frame.clone()).await.expect("the frame goes out");
        let code = socket.gone().await.code();
        assert!((3400..4000).contains(&code), "{name} before hello: closed {code}");
        // Behind a hello that is still being looked at.
        let opened = Socket::open(at, &SocketOptions::default()).await;
        let mut socket = opened.unwrap_or_else(|error| panic!("{error:?}"));
        socket.feed(1, Out::Hello(hello("t1.wrong"))).await.expect("the hello goes out");
        socket.feed(2, frame).await.expect("the frame goes out");
        socket.flush().await.expect("both go out");
        let code = socket.gone().await.code();
        assert!((3400..4000).contains(&code), "{name} behind a wrong hello: closed {code}");
    }
    assert_eq!(world.acme.key.get(&path).await.text, before, "nothing changed");
}

#[tokio::test]
async fn s29_a_connection_never_becomes_somebody_else() {
    let world = World::build().await;
    let at = world.server.address();
    for first in ["visitor", "agent", "key_all"] {
        for second in ["visitor", "owner"] {
            for tenant in [&world.acme, &world.brio] {
                let ticket = world.acme.ticket(first).await.expect("a ticket");
                let mut line = Line::open(at, &ticket).await;
                let other = tenant.ticket(second).await.expect("a ticket");
                let word = line.outcome(Out::Hello(hello(&other))).await;
                assert_eq!(word, "closed.3501", "{first}, then {second}");
                let kept = Line::try_open(at, hello(&other)).await;
                assert!(kept.is_ok(), "the second ticket was not looked at");
            }
        }
    }
    // Two hellos at once: one identity at most, and it is the first.
    let ticket = world.acme.ticket("visitor").await.expect("a ticket");
    let other = world.brio.ticket("owner").await.expect("a ticket");
    let opened = Socket::open(at, &SocketOptions::default()).await;
    let mut socket = opened.unwrap_or_else(|error| panic!("{error:?}"));
    socket.feed(1, Out::Hello(hello(&ticket))).await.expect("the first goes out");
    socket.feed(2, Out::Hello(hello(&other))).await.expect("the second goes out");
    socket.flush().await.expect("both go out");
    assert_eq!(socket.gone().await.code(), 3501);
    // Frames of a tenant's agent for another tenant's conversation are in the matrix of S10 and S11.
    let room = Room::enter(&world.brio.anonymous(), &world.brio.inbox_key, world.brio.mark).await;
    let ticket = world.acme.ticket("owner").await.expect("a ticket");
    let mut line = Line::open(at, &ticket).await;
    let open = wire::Open { conversation: room.conversation, position: None };
    assert_eq!(line.outcome(Out::Open(open)).await, "conversation.unknown");
}
