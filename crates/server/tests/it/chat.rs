//! A conversation between a visitor and agents: messages, acks, positions, cursors, and everything a
//! client can get wrong.

use frontdesk_core::chat::{self, Content, Text, content::Kind, timeline_item::Item};
use frontdesk_protocol::{
    Encoding,
    wire::{self, client_frame::Frame as Out, server_frame::Frame as In},
};
use frontdesk_testkit::{
    Gone, Socket, SocketOptions, TestAgent, TestServer, TestVisitor,
    live::{message_id, text},
    socket::Refused,
    soon,
    timeline::{first_seq, last_seq},
};
use serde_json::json;

use crate::FRONTDESK;

/// An agent and a visitor with a session between them.
pub(crate) async fn pair(server: &TestServer) -> (TestAgent, TestVisitor, String) {
    let mut agent = TestAgent::online(server, "Mei").await;
    let mut visitor = TestVisitor::connect(server).await;
    visitor.say("hello").await;
    let conversation = visitor.conversation.clone();
    agent.listed(&conversation, &agent.id.clone()).await;
    agent.open(&conversation).await.expect("an agent may open its own conversation");
    (agent, visitor, conversation)
}

#[tokio::test]
async fn a_message_reaches_an_agent_and_the_answer_comes_back() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    agent.sees(&conversation, "hello").await;
    let ack = agent.say(&conversation, "how can I help?").await;
    visitor.sees("how can I help?").await;
    let position = ack.position.expect("an ack has a position");
    // I4: the sender sees its own message in the history at once.
    let path = format!(
        "/api/v1/conversations/{conversation}/entries?min_position={}:{}",
        position.epoch, position.seq
    );
    let page = agent.http.get(&path).await.ok();
    assert_eq!(page["last_seq"], json!(position.seq));
    let read = visitor.http().history(&conversation).await;
    assert_eq!(last_seq(read.last().expect("entries")), visitor.held().held);
    // Nobody's page can name a position that is not there.
    let ahead = path.replace(&format!(":{}", position.seq), ":999");
    let answer = agent.http.get(&ahead).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "position.ahead"));
}

#[tokio::test]
async fn both_subprotocols_carry_the_same_conversation() {
    let server = TestServer::start(FRONTDESK).await;
    let mut agent = TestAgent::online(&server, "Mei").await;
    let options = SocketOptions { encoding: Encoding::Json, ..SocketOptions::default() };
    let mut visitor = TestVisitor::connect_with(&server, options).await;
    let mut tab = visitor.another_tab();
    tab.options.encoding = Encoding::Proto;
    tab.connect_by_ticket().await;
    visitor.say("你好 👋").await;
    tab.sees("你好 👋").await;
    let conversation = visitor.conversation.clone();
    agent.listed(&conversation, &agent.id.clone()).await;
    agent.say(&conversation, "您好").await;
    let one = visitor.sees("您好").await;
    assert_eq!(one, tab.sees("您好").await);
}

#[tokio::test]
async fn bad_messages_are_refused_by_code_and_change_nothing() {
    let server = TestServer::start(FRONTDESK).await;
    for encoding in Encoding::ALL {
        let options = SocketOptions { encoding, ..SocketOptions::default() };
        let mut visitor = TestVisitor::connect_with(&server, options).await;
        let id = message_id();
        let first = visitor.try_say(&id, "one").await.expect("accepted");
        let again = visitor.try_say(&id, "one").await.expect("a repeat is acked again");
        assert_eq!((first.position, &first.id), (again.position, &again.id));
        let largest = "x".repeat(65_536);
        visitor.say(&largest).await;
        let text_of = |body: &str| Content {
            kind: Some(Kind::Text(Text { body: body.to_owned() })),
            quote_seq: 0,
            ..Default::default()
        };
        let new = || message_id().to_vec();
        let cases: Vec<(&str, wire::Send)> = vec![
            ("message.id_reused", text("", &id, "two")),
            ("message.empty", text("", &new(), "")),
            ("message.empty", wire::Send { client_msg_id: new().into(), ..wire::Send::default() }),
            ("message.too_large", text("", &new(), &"x".repeat(65_537))),
            ("message.id_invalid", text("", &new()[..15], "short id")),
            ("message.id_invalid", text("", &[], "no id")),
            (
                "message.audience",
                wire::Send {
                    audience: chat::Audience::Team.into(),
                    ..text("", &new(), "a note by a visitor")
                },
            ),
            (
                "message.quote",
                wire::Send {
                    content: Some(Content { quote_seq: 999, ..text_of("quotes nothing") }),
                    ..text("", &new(), "")
                },
            ),
            (
                "message.unsupported",
                wire::Send {
                    content: Some(Content {
                        kind: Some(Kind::System(chat::SystemText::default())),
                        quote_seq: 0,
                        ..Default::default()
                    }),
                    ..text("", &new(), "")
                },
            ),
        ];
        for (code, send) in cases {
            let refusal = visitor.live.message(send).await.expect_err(code);
            assert_eq!(refusal.code, code, "{encoding:?}: {refusal:?}");
            assert_eq!(refusal.retry_after_ms, None, "{code} cannot pass later");
        }
        let texts = visitor.http().history(&visitor.conversation).await;
        let said = texts.iter().filter(|item| {
            matches!(&item.item, Some(Item::Entry(entry))
            if frontdesk_testkit::timeline::text_of(entry).is_some())
        });
        assert_eq!(said.count(), 2, "{encoding:?}: only what was accepted is there");
    }
}

/// A connection that gets nothing but refusals goes on being read, beyond the number of messages it
/// may have in flight.
#[tokio::test]
async fn refusals_do_not_use_up_a_connection() {
    let server = TestServer::builder(FRONTDESK)
        .set("limits.visitor_burst", 1_000)
        .set("limits.agent_burst", 1_000)
        .start()
        .await;
    let mut visitor = TestVisitor::connect(&server).await;
    for _ in 0..200 {
        visitor.try_say(&message_id(), "").await.expect_err("empty");
    }
    let mut agent = TestAgent::online(&server, "Mei").await;
    for _ in 0..200 {
        let refusal = agent.open("d4s0q1h2q5k3v8m6n700").await.expect_err("unknown");
        assert_eq!(refusal.code, "conversation.unknown");
    }
}

#[tokio::test]
async fn unknown_conversations_are_refused_alike() {
    let server = TestServer::start(FRONTDESK).await;
    let mut agent = TestAgent::online(&server, "Mei").await;
    for id in ["d4s0q1h2q5k3v8m6n700", "", "not an id", "D4S0Q1H2Q5K3V8M6N700"] {
        let refusal = agent.open(id).await.expect_err(id);
        assert_eq!(refusal.code, "conversation.unknown", "{id:?}");
        let send = text(id, &message_id(), "hello?");
        let refusal = agent.live.message(send).await.expect_err(id);
        assert_eq!(refusal.code, "conversation.unknown", "{id:?}");
    }
    let answer = agent.http.get("/api/v1/conversations/d4s0q1h2q5k3v8m6n700").await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "conversation.unknown"));
}

async fn live_socket(server: &TestServer, encoding: Encoding) -> TestVisitor {
    let options = SocketOptions { encoding, ..SocketOptions::default() };
    TestVisitor::connect_with(server, options).await
}

#[tokio::test]
async fn frames_that_are_none_end_the_connection_by_a_named_code() {
    use tokio_tungstenite::tungstenite::Message;

    let server = TestServer::start(FRONTDESK).await;
    let closed = |code: u16| move |gone: Gone| assert_eq!(gone.code(), code, "{gone:?}");
    for encoding in Encoding::ALL {
        // Malformed: an error frame says so, then the close.
        let mut visitor = live_socket(&server, encoding).await;
        visitor.live.socket().send_bytes(b"{\"send\":".to_vec()).await.expect("sent");
        let code = visitor
            .live
            .pushed("an error frame", |frame| match frame {
                In::Error(error) => Some(error.code.clone()),
                _ => None,
            })
            .await;
        assert_eq!(code, "frame.malformed");
        closed(3501)(visitor.live.gone().await);

        // A kind this server does not know is refused, and the connection lives.
        let mut visitor = live_socket(&server, encoding).await;
        let unknown: &[u8] = match encoding {
            Encoding::Proto => &[0x08, 0x07, 0xfa, 0x3f, 0x00],
            Encoding::Json => br#"{"ref":7,"juggle":{}}"#,
        };
        visitor.live.socket().send_bytes(unknown.to_vec()).await.expect("sent");
        match visitor.live.answer(7).await {
            In::Refusal(refusal) => assert_eq!(refusal.code, "frame.unknown"),
            other => panic!("{other:?}"),
        }
        visitor.say("still here").await;

        // The other subprotocol's kind of message.
        let other = match encoding {
            Encoding::Proto => Message::Text("{}".into()),
            Encoding::Json => Message::Binary(vec![0x5a, 0x00].into()),
        };
        visitor.live.socket().send_message(other).await.expect("sent");
        closed(1003)(visitor.live.gone().await);

        // A second hello.
        let mut visitor = live_socket(&server, encoding).await;
        visitor.live.send(Out::Hello(wire::Hello::default())).await;
        closed(3501)(visitor.live.gone().await);

        // Anything before the hello.
        let options = SocketOptions { encoding, ..SocketOptions::default() };
        let mut socket =
            soon("a socket", Socket::open(server.address(), &options)).await.expect("open");
        socket.send(1, Out::Send(text("", &message_id(), "x"))).await.expect("sent");
        closed(3501)(socket.gone().await);
    }
    // Larger than a frame may be. The server stops reading, so the write may fail half way.
    let mut visitor = live_socket(&server, Encoding::Proto).await;
    let sent = visitor.live.socket().send_bytes(vec![0; (1 << 20) + 1]).await;
    drop(sent);
    closed(1009)(visitor.live.gone().await);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_once() {
    let server = TestServer::start(FRONTDESK).await;
    let mut visitor = TestVisitor::connect(&server).await;
    let ticket = visitor.ticket().await;
    let hello = |ticket: &str| wire::Hello { ticket: ticket.to_owned(), ..wire::Hello::default() };
    let mut tab = visitor.another_tab();
    tab.try_hello(hello(&ticket)).await.expect("the first use");
    let cases = [
        (ticket.clone(), "ticket.used"),
        (ticket.replace("t1.", "t1.AAAA"), "ticket.invalid"),
        (ticket[..ticket.len() - 4].to_owned(), "ticket.invalid"),
        ("nonsense".to_owned(), "ticket.invalid"),
    ];
    for (ticket, code) in cases {
        let (error, gone) = tab.try_hello(hello(&ticket)).await.expect_err(code);
        assert_eq!(error.expect("an error frame").code, code);
        assert_eq!(gone.code(), 3400, "{code}");
    }
    let stranger = wire::Hello { resume_token: "t1.AAAA".to_owned(), ..wire::Hello::default() };
    let (error, gone) = tab.try_hello(stranger).await.expect_err("unknown");
    assert_eq!(
        (error.expect("an error frame").code.as_str(), gone.code()),
        ("resume.invalid", 3400)
    );
    let (error, gone) = tab.try_hello(wire::Hello::default()).await.expect_err("nothing");
    assert_eq!(gone.code(), 3400, "{error:?}");
}

#[tokio::test]
async fn a_handshake_without_a_known_subprotocol_is_refused() {
    let server = TestServer::start(FRONTDESK).await;
    let request = server
        .http
        .request(reqwest::Method::GET, "/ws/v1")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Protocol", "chat");
    let answer = server.http.send(request).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.code().starts_with("handshake."), "{}", answer.text);
    let foreign = SocketOptions {
        origin: Some("https://evil.example".to_owned()),
        ..SocketOptions::default()
    };
    match soon("an answer", Socket::open(server.address(), &foreign)).await {
        Err(Refused::Answer { status: 403, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_resume_gives_exactly_what_was_missed_and_hides_notes() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    agent.say(&conversation, "first").await;
    visitor.sees("first").await;
    let before = visitor.held().held;
    visitor.lose();
    agent.note(&conversation, "a note").await;
    agent.note(&conversation, "another note").await;
    agent.say(&conversation, "second").await;
    agent.note(&conversation, "a third note").await;
    visitor.resume().await;
    let opened = &visitor.welcome.opened[0];
    assert!(opened.recovered);
    let shape: Vec<(u64, u64)> =
        opened.items.iter().map(|item| (first_seq(item), last_seq(item))).collect();
    assert_eq!(
        shape,
        [(before + 1, before + 2), (before + 3, before + 3), (before + 4, before + 4)]
    );
    let visible = |item: &chat::TimelineItem| matches!(item.item, Some(Item::Entry(_)));
    assert_eq!(opened.items.iter().filter(|item| visible(item)).count(), 1);
    assert!(!format!("{opened:?}").contains("note"), "a skip tells nothing");
    // Live notes are skips, too.
    agent.note(&conversation, "a fourth note").await;
    agent.say(&conversation, "third").await;
    visitor.sees("third").await;
    assert_eq!(visitor.held().held, before + 6);
    // Nothing missed: nothing given.
    visitor.lose();
    visitor.resume().await;
    assert!(visitor.welcome.opened[0].recovered && visitor.welcome.opened[0].items.is_empty());
    // A ticket takes a position as well as a resume token does.
    visitor.lose();
    agent.say(&conversation, "fourth").await;
    visitor.connect_by_ticket().await;
    assert!(visitor.welcome.opened[0].recovered);
    assert_eq!(visitor.welcome.opened[0].items.len(), 1);
    // The agent's own resume, over a socket of its own.
    agent.lose();
    visitor.say("meanwhile").await;
    agent.resume().await;
    agent.sees(&conversation, "meanwhile").await;
    assert_eq!(agent.timeline(&conversation).reloaded, 0);
    // A position that is not there is answered with the newest page.
    for position in [
        wire::Position { epoch: visitor.welcome.epoch, seq: 999 },
        wire::Position { epoch: visitor.welcome.epoch ^ 2, seq: 1 },
    ] {
        let mut tab = visitor.another_tab();
        let held = vec![wire::Held { conversation: String::new(), position: Some(position) }];
        let hello = wire::Hello { ticket: tab.ticket().await, held, ..wire::Hello::default() };
        let welcome = tab.try_hello(hello).await.expect("a welcome");
        assert!(!welcome.opened[0].recovered && !welcome.opened[0].items.is_empty());
    }
}

#[tokio::test]
async fn too_much_missed_is_answered_with_the_newest_page() {
    let server = TestServer::builder(FRONTDESK).set("limits.agent_burst", 10_000).start().await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    visitor.lose();
    let mut last = 0;
    for number in 0..501 {
        let send = text(&conversation, &message_id(), &format!("message {number}"));
        last = agent.live.send(Out::Send(send)).await;
    }
    agent.live.answer(last).await;
    visitor.resume().await;
    let opened = &visitor.welcome.opened[0];
    assert!(!opened.recovered && opened.more_before);
    assert_eq!(visitor.held().texts().last(), Some(&"message 500"));
    let all = visitor.http().history(&conversation).await;
    assert_eq!(all.len() as u64, visitor.held().held);
}

/// More tabs, or coming back, give a visitor no more than one connection has.
#[tokio::test]
async fn s21_a_visitor_has_one_limit_over_all_its_tabs() {
    let server = TestServer::builder(FRONTDESK)
        .set("limits.visitor_rate_per_s", 1)
        .set("limits.visitor_burst", 30)
        .start()
        .await;
    let mut one = TestVisitor::connect(&server).await;
    one.say("hello").await;
    let mut two = one.another_tab();
    two.connect_by_ticket().await;
    let started = std::time::Instant::now();
    let mut taken = 1;
    let mut limited = 0;
    for round in 0..40 {
        let tab = if round % 2 == 0 { &mut one } else { &mut two };
        match tab.try_say(&message_id(), "again").await {
            Ok(_) => taken += 1,
            Err(refusal) => {
                assert_eq!(refusal.code, "rate_limited");
                assert!(refusal.retry_after_ms.is_some_and(|ms| ms > 0));
                limited += 1;
            }
        }
    }
    let allowed = 30 + started.elapsed().as_secs() + 1;
    assert!(taken <= allowed && limited > 0, "{taken} were taken, {allowed} are allowed");
    let mut other = TestVisitor::connect(&server).await;
    other.say("I am not limited").await;
}

#[tokio::test]
async fn a_welcome_tells_the_limits_of_the_account() {
    let server = TestServer::start(FRONTDESK).await;
    let told = |welcome: &wire::Welcome| welcome.limits.map(|limits| limits.file_bytes_max);
    let agent = TestAgent::online(&server, "Mei").await;
    assert_eq!(told(&agent.welcome), Some(20 << 20));
    server.admin().set("files.size_mib", json!(3)).await;
    let agent = TestAgent::online(&server, "Tom").await;
    assert_eq!(told(&agent.welcome), Some(3 << 20));
    let visitor = TestVisitor::connect(&server).await;
    assert_eq!(told(&visitor.welcome), Some(3 << 20));
}

/// What an agent missed in many conversations is more than may wait for a connection: it comes as fast
/// as it is read, in order, and closes nobody as slow.
#[tokio::test]
async fn an_agent_who_missed_much_in_many_conversations_catches_up() {
    const VISITORS: usize = 24;
    const MESSAGES: usize = 60;
    let server = TestServer::builder(FRONTDESK)
        .set("limits.visitor_burst", 10_000)
        .set("limits.ip_burst", 10_000)
        .start()
        .await;
    server.admin().set("routing.capacity", json!(100)).await;
    let mut agent = TestAgent::online(&server, "Mei").await;
    let mut visitors = Vec::new();
    for _ in 0..VISITORS {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("hello").await;
        let conversation = visitor.conversation.clone();
        agent.listed(&conversation, &agent.id.clone()).await;
        agent.open(&conversation).await.expect("its own");
        visitors.push(visitor);
    }
    agent.lose();
    let text = |number| format!("{number} {}", "x".repeat(4_000));
    for visitor in &mut visitors {
        for number in 0..MESSAGES {
            visitor.say(&text(number)).await;
        }
    }
    // Little fits the kernel's buffer: what is sent waits in the server.
    agent.options.receive_buffer = Some(4_096);
    agent.resume().await;
    // What comes while it catches up stands behind what it missed.
    for visitor in &mut visitors {
        visitor.say(&text(MESSAGES)).await;
    }
    for visitor in &visitors {
        agent.sees(&visitor.conversation, &text(MESSAGES)).await;
        let texts = agent.timeline(&visitor.conversation).texts().len();
        assert_eq!(texts, MESSAGES + 2, "everything was given");
    }
    assert!(server.metric("frontdesk_slow_closes_total").await < 1.0, "nobody was slow");
}

#[tokio::test]
async fn a_position_check_brings_what_is_missing() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    agent.say(&conversation, "one").await;
    visitor.sees("one").await;
    let position = visitor.held().position().expect("a position");
    visitor.live.forget(|_| true);
    visitor.live.sync("", position).await;
    assert_eq!(visitor.live.kept().count(), 0, "nothing is missing, nothing is sent");
    visitor.live.sync("", wire::Position { seq: 0, ..position }).await;
    let entries = visitor.live.kept().find_map(|frame| match frame {
        In::Entries(entries) => Some(entries.clone()),
        _ => None,
    });
    let items = entries.expect("all entries before the answer").items;
    assert_eq!((first_seq(&items[0]), last_seq(items.last().expect("items"))), (1, position.seq));
    visitor.live.sync("", wire::Position { epoch: position.epoch ^ 2, seq: 1 }).await;
    let reloaded = visitor.live.kept().any(|frame| matches!(frame, In::Opened(o) if !o.recovered));
    assert!(reloaded, "another epoch gets a whole page");
}

#[tokio::test]
async fn cursors_reach_the_other_side_and_never_fall() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    let seq = agent.say(&conversation, "read me").await.position.expect("a position").seq;
    visitor.sees("read me").await;
    let cursor_of = |kind: chat::ActorKind| {
        move |frame: &In| match frame {
            In::Cursor(update) => {
                let cursor = update.cursor.clone()?;
                (cursor.actor.as_ref()?.kind() == kind).then_some(cursor)
            }
            _ => None,
        }
    };
    let by_visitor = cursor_of(chat::ActorKind::Visitor);
    visitor.live.move_cursor("", seq, 0).await;
    let moved = agent.live.pushed("delivered", by_visitor).await;
    assert_eq!((moved.delivered_seq, moved.read_seq), (seq, 0));
    visitor.live.move_cursor("", seq, seq).await;
    let moved = agent.live.pushed("read", by_visitor).await;
    assert_eq!((moved.delivered_seq, moved.read_seq), (seq, seq));
    // Backwards, and beyond the end: the first is dropped, the second held to the end.
    visitor.live.move_cursor("", 1, 1).await;
    visitor.live.move_cursor("", 9_999, 9_999).await;
    let next = visitor.say("one more").await.position.expect("a position").seq;
    visitor.live.move_cursor("", next, next).await;
    let moved = agent
        .live
        .pushed("the end", |frame| by_visitor(frame).filter(|cursor| cursor.read_seq == next))
        .await;
    assert_eq!((moved.delivered_seq, moved.read_seq), (next, next));
    agent.live.move_cursor(&conversation, next, next).await;
    let moved = visitor.live.pushed("the agent's", cursor_of(chat::ActorKind::Agent)).await;
    assert_eq!((moved.delivered_seq, moved.read_seq), (next, next));
    let shown = visitor.http().get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    let cursors = shown["cursors"].as_array().expect("cursors");
    assert!(cursors.iter().all(|cursor| cursor["readSeq"] == json!(next.to_string())), "{shown}");
}

#[tokio::test]
async fn an_entry_taken_back_leaves_a_tombstone_everywhere() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    let seq = agent.say(&conversation, "a secret").await.position.expect("a position").seq;
    visitor.sees("a secret").await;
    let retract = wire::Retract { conversation: conversation.clone(), seq: 1 };
    match agent.live.ask(Out::Retract(retract)).await {
        In::Refusal(refusal) => assert_eq!(refusal.code, "message.not_author"),
        other => panic!("{other:?}"),
    }
    let retract = wire::Retract { conversation: conversation.clone(), seq };
    assert!(matches!(agent.live.ask(Out::Retract(retract)).await, In::Done(_)));
    visitor
        .live
        .until("the text is gone", "", |timeline| !timeline.texts().contains(&"a secret"))
        .await;
    let all = format!("{:?}", visitor.http().history(&conversation).await);
    assert!(!all.contains("a secret") && all.contains("Retraction"), "{all}");
}

#[tokio::test]
async fn typing_is_told_and_never_stored() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    let before = visitor.held().held;
    let draft = |conversation: &str| {
        Out::Draft(wire::Draft {
            conversation: conversation.to_owned(),
            typing: true,
            text: "a half sentence".to_owned(),
        })
    };
    visitor.live.send(draft("")).await;
    let seen = agent.live.pushed("a draft", |frame| match frame {
        In::Draft(draft) => Some(draft.clone()),
        _ => None,
    });
    let seen = seen.await;
    assert!(seen.typing && seen.text.is_empty(), "without sneak peek no text: {seen:?}");
    agent.live.send(draft(&conversation)).await;
    let seen = visitor.live.pushed("a draft", |frame| match frame {
        In::Draft(draft) => Some(draft.clone()),
        _ => None,
    });
    let seen = seen.await;
    assert!(seen.typing && seen.text.is_empty(), "an agent's text is never passed on: {seen:?}");
    visitor.say("done").await;
    assert!(visitor.held().held > before);
    let all = format!("{:?}", visitor.http().history(&conversation).await);
    assert!(!all.contains("half sentence"), "{all}");
}
