//! The visitor's side of an inbox: what a ticket tells, how to be reached, and the settings that hold
//! for visitors.

use std::time::Duration;

use frontdesk_core::chat::SessionStatus;
use frontdesk_protocol::wire::{
    self, Presence, client_frame::Frame as Out, command::Command as Verb, server_frame::Frame as In,
};
use frontdesk_testkit::{TestAgent, TestServer, TestVisitor};
use serde_json::{Value, json};

use crate::{FRONTDESK, chat::pair};

/// The path of the only inbox.
async fn inbox(server: &TestServer) -> String {
    let inboxes = server.admin().get("/api/v1/inboxes").await.ok();
    format!("/api/v1/inboxes/{}", inboxes["inboxes"][0]["id"].as_str().expect("an inbox"))
}

/// What a ticket says of the inbox.
async fn told(server: &TestServer) -> Value {
    let body = json!({"kind": "visitor", "inbox_key": server.installed.inbox_key});
    server.http.post("/api/v1/tickets", &body).await.ok()["inbox"].clone()
}

async fn attended(visitor: &mut TestVisitor, now: bool) {
    visitor
        .live
        .pushed("whether somebody is there", |frame| match frame {
            In::Attended(attended) if attended.attended == now => Some(()),
            _ => None,
        })
        .await;
}

async fn typing(visitor: &mut TestVisitor, text: &str) {
    let draft = wire::Draft { conversation: String::new(), typing: true, text: text.to_owned() };
    visitor.live.send(Out::Draft(draft)).await;
}

/// A frame that is answered: what was sent before it has been dealt with.
async fn settled(visitor: &mut TestVisitor) {
    match visitor.live.ask(Out::Ping(wire::Ping {})).await {
        In::Pong(_) => {}
        other => panic!("a ping is answered by {other:?}"),
    }
}

fn drafts(frame: &In) -> bool {
    matches!(frame, In::Draft(_))
}

#[tokio::test]
async fn a_ticket_tells_what_the_widget_shows_before_a_word() {
    let server = TestServer::start(FRONTDESK).await;
    let inbox = inbox(&server).await;
    let questions =
        json!({"en": ["Where is my order?", "Do you ship abroad?"], "zh-CN": ["发货吗？"]});
    let change = json!({
        "questions": questions, "hours_text": {"en": "Mon-Fri 9-18"}, "language": "zh-CN",
    });
    let changed = server.admin().patch(&inbox, &change).await.ok();
    assert_eq!(changed["questions"], questions);
    let shown = told(&server).await;
    assert_eq!(shown["questions"], questions);
    assert_eq!(shown["hours_text"], json!({"en": "Mon-Fri 9-18"}));
    assert_eq!(shown["language"], "zh-CN");
    assert_eq!(shown["identity"], "off");
    assert_eq!(shown["answer_minutes"], Value::Null, "nobody knows yet");
    for switch in ["ask_contact", "rating", "visitor_may_close", "typing", "queue_place"] {
        assert_eq!(shown[switch], true, "{switch}");
    }
    server.admin().set("chat.ask_contact", json!(false)).await;
    assert_eq!(told(&server).await["ask_contact"], false);
    let too_many = json!({"questions": {"en": ["1", "2", "3", "4", "5", "6", "7"]}});
    let refused = server.admin().patch(&inbox, &too_many).await;
    assert_eq!((refused.status, refused.code()), (422, "request.invalid".to_owned()));
    server.admin().patch(&inbox, &json!({"language": ""})).await.ok();
    assert_eq!(told(&server).await["language"], "en", "the account's");
}

#[tokio::test]
async fn faces_are_of_those_who_serve_the_inbox_and_who_is_online_comes_first() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let mut mei = TestAgent::new(&server, "Mei", "agent").await;
    let mut ben = TestAgent::new(&server, "Ben", "agent").await;
    TestAgent::new(&server, "Zoe", "agent").await;
    let team = admin.create_team("sales", &[&ben.id, &mei.id]).await;
    admin.patch(&inbox(&server).await, &json!({"default_team": team})).await.ok();
    mei.connect().await;
    mei.presence(Presence::Online).await;
    // Ben joined last, and Zoe and the admin are of no team.
    assert_eq!(told(&server).await["faces"], json!([{"name": "Mei"}, {"name": "Ben"}]));
    ben.connect().await;
    ben.presence(Presence::Online).await;
    mei.presence(Presence::Away).await;
    assert_eq!(told(&server).await["faces"], json!([{"name": "Ben"}, {"name": "Mei"}]));
    let gone = json!({"disabled": true});
    admin.patch(&format!("/api/v1/users/{}", mei.id), &gone).await.ok();
    assert_eq!(told(&server).await["faces"], json!([{"name": "Ben"}]));
}

#[tokio::test]
async fn the_usual_wait_is_measured_once_five_answers_are_known() {
    let server = TestServer::start(FRONTDESK).await;
    let mut agent = TestAgent::online(&server, "Mei").await;
    for number in 0..5 {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("hello").await;
        let conversation = visitor.conversation.clone();
        agent.listed(&conversation, &agent.id.clone()).await;
        agent.say(&conversation, &format!("answer {number}")).await;
        visitor.sees(&format!("answer {number}")).await;
    }
    // Rows are written behind the acks, and that too little is known is looked at again soon.
    let mut looks = tokio::time::interval(Duration::from_millis(250));
    let told = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            looks.tick().await;
            let inbox = told(&server).await;
            if !inbox["answer_minutes"].is_null() {
                return inbox;
            }
        }
    });
    let told = told.await.expect("five answers are a measure");
    assert_eq!(told["answer_minutes"], 1, "answered within seconds");
}

#[tokio::test]
async fn idle_visitors_hear_that_somebody_comes_and_that_nobody_is_left() {
    let server = TestServer::start(FRONTDESK).await;
    server.admin().set("routing.offline_grace_s", json!(5)).await;
    let mut visitors = Vec::new();
    for _ in 0..3 {
        let visitor = TestVisitor::connect(&server).await;
        assert!(!visitor.welcome.attended, "nobody is there");
        visitors.push(visitor);
    }
    let mut agent = TestAgent::online(&server, "Mei").await;
    for visitor in &mut visitors {
        attended(visitor, true).await;
    }
    let late = TestVisitor::connect(&server).await;
    assert!(late.welcome.attended);
    agent.presence(Presence::Offline).await;
    for visitor in &mut visitors {
        attended(visitor, false).await;
    }
}

#[tokio::test]
async fn a_visitor_says_once_how_to_be_reached() {
    let mut server = TestServer::start(FRONTDESK).await;
    let mut visitor = TestVisitor::connect(&server).await;
    let contact = "/api/v1/visitor/contact";
    let nothing = json!({"name": "", "email": "", "phone": ""});
    assert_eq!(visitor.http().get(contact).await.ok(), nothing);
    let change = json!({"email": "lin@shop.example"});
    let early = visitor.http().put(contact, &change).await;
    assert_eq!((early.status, early.code()), (404, "conversation.unknown".to_owned()));
    visitor.say("is anybody there?").await;
    // At once, before any list knows of the visitor.
    assert_eq!(visitor.http().put(contact, &change).await.status, 204);
    let more = json!({"name": " Lin ", "phone": "+86 138 0013 8000"});
    assert_eq!(visitor.http().put(contact, &more).await.status, 204);
    let known = json!({"name": "Lin", "email": "lin@shop.example", "phone": "+86 138 0013 8000"});
    assert_eq!(visitor.http().get(contact).await.ok(), known);
    for (bad, field) in [
        (json!({"email": "lin at shop"}), "email"),
        (json!({"phone": "call me"}), "phone"),
        (json!({"name": "x".repeat(255)}), "name"),
        (json!({"name": "a\nb"}), "name"),
    ] {
        let refused = visitor.http().put(contact, &bad).await;
        assert_eq!((refused.status, refused.code()), (422, "request.invalid".to_owned()), "{bad}");
        assert_eq!(refused.json()["field"], field);
    }
    let note = visitor.http().put(contact, &json!({"note": "trust me"})).await;
    assert_eq!(note.status, 422, "a note is the team's");
    let path = format!("/api/v1/conversations/{}", visitor.conversation);
    let seen = server.admin().get(&path).await.ok();
    assert_eq!(seen["contact"]["email"], "lin@shop.example", "{seen}");
    assert_eq!(seen["contact"]["verified"], false, "anybody may say so");
    let stranger = TestVisitor::connect(&server).await;
    assert_eq!(stranger.http().get(contact).await.ok(), nothing);
    server.kill9().await;
    server.restart().await;
    let back = server.http.with_visitor(&visitor.token);
    assert_eq!(back.get(contact).await.ok(), known, "it is synced when it is answered");
}

#[tokio::test]
async fn what_visitors_may_not_is_refused_on_open_sockets_too() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    let admin = server.admin();
    let close = || Verb::Close(wire::Close {});
    let rate = || Verb::Rate(wire::Rate { rating: 5, comment: String::new() });
    admin.set("session.visitor_may_close", json!(false)).await;
    let refused = visitor.command(close()).await.expect_err("the setting is off");
    assert_eq!(refused.code, "right.missing");
    let commands = format!("/api/v1/conversations/{conversation}/commands");
    let by_http = visitor.http().post(&commands, &json!({"command": "close"})).await;
    assert_eq!((by_http.status, by_http.code()), (403, "right.missing".to_owned()));
    admin.set("session.visitor_may_close", json!(true)).await;
    visitor.command(close()).await.expect("the setting is on");
    visitor.session("closed", |s| s.status() == SessionStatus::Closed).await;
    admin.set("session.rating", json!(false)).await;
    let refused = visitor.command(rate()).await.expect_err("nobody asks for ratings");
    assert_eq!(refused.code, "session.not_ratable");
    let by_http = json!({"command": "rate", "rating": 5});
    let by_http = visitor.http().post(&commands, &by_http).await;
    assert_eq!(by_http.code(), "session.not_ratable");
    assert_eq!(told(&server).await["rating"], false);
    admin.set("session.rating", json!(true)).await;
    visitor.command(rate()).await.expect("ratings are on");
    agent.lose();
}

#[tokio::test]
async fn typing_is_passed_on_only_where_the_inbox_says_so() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    let types = |conversation: &str| {
        Out::Draft(wire::Draft {
            conversation: conversation.to_owned(),
            typing: true,
            text: String::new(),
        })
    };
    typing(&mut visitor, "").await;
    agent.live.pushed("the visitor types", |frame| drafts(frame).then_some(())).await;
    agent.live.send(types(&conversation)).await;
    visitor.live.pushed("the agent types", |frame| drafts(frame).then_some(())).await;
    server.admin().set("chat.typing", json!(false)).await;
    agent.live.forget(drafts);
    visitor.live.forget(drafts);
    typing(&mut visitor, "").await;
    settled(&mut visitor).await;
    agent.live.send(types(&conversation)).await;
    agent.say(&conversation, "after typing").await;
    visitor.sees("after typing").await;
    visitor.say("after typing, too").await;
    agent.sees(&conversation, "after typing, too").await;
    assert_eq!(visitor.live.kept().filter(|frame| drafts(frame)).count(), 0);
    assert_eq!(agent.live.kept().filter(|frame| drafts(frame)).count(), 0);
}

#[tokio::test]
async fn places_are_shown_only_where_the_inbox_says_so() {
    let server = TestServer::start(FRONTDESK).await;
    server.admin().set("chat.queue_place", json!(false)).await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("is anybody there?").await;
    let place = visitor.queue_place("a frame about the queue", |_| true).await;
    assert_eq!((place.place, place.wait_ms), (0, 0));
    assert_eq!(told(&server).await["queue_place"], false);
    server.admin().set("chat.queue_place", json!(true)).await;
    let mut other = TestVisitor::connect(&server).await;
    other.say("me too").await;
    other.queue_place("the second place", |told| told.place == 2).await;
}

#[tokio::test]
async fn the_last_agent_is_preferred_only_where_the_inbox_says_so() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    mei.say(&conversation, "hello").await;
    mei.command(&conversation, Verb::Close(wire::Close {})).await.expect("the owner closes");
    visitor.session("closed", |s| s.status() == SessionStatus::Closed).await;
    // Mei is busy with somebody else, so that Ben is the choice by load.
    let mut other = TestVisitor::connect(&server).await;
    other.say("hello").await;
    mei.listed(&other.conversation.clone(), &mei.id.clone()).await;
    let ben = TestAgent::online(&server, "Ben").await;
    server.admin().set("routing.last_agent", json!(false)).await;
    visitor.say("again").await;
    let served = visitor.session("assigned", |s| s.status() == SessionStatus::Assigned).await;
    assert_eq!(served.owner.map(|owner| owner.name).as_deref(), Some("Ben"));
    visitor.command(Verb::Close(wire::Close {})).await.expect("the visitor closes");
    visitor.session("closed", |s| s.status() == SessionStatus::Closed).await;
    // The next one makes Ben busy, and Mei has nobody any more: by load the choice would be Mei.
    let mut third = TestVisitor::connect(&server).await;
    third.say("hello").await;
    let served = third.session("assigned", |s| s.status() == SessionStatus::Assigned).await;
    assert_eq!(served.owner.map(|owner| owner.name).as_deref(), Some("Ben"));
    other.command(Verb::Close(wire::Close {})).await.expect("the visitor closes");
    mei.unlisted(&other.conversation.clone()).await;
    server.admin().set("routing.last_agent", json!(true)).await;
    visitor.say("and again").await;
    let served = visitor.session("assigned", |s| s.status() == SessionStatus::Assigned).await;
    assert_eq!(served.owner.map(|owner| owner.name).as_deref(), Some("Ben"), "the last one");
    // Without the setting the same visitor goes by load.
    visitor.command(Verb::Close(wire::Close {})).await.expect("the visitor closes");
    visitor.session("closed", |s| s.status() == SessionStatus::Closed).await;
    server.admin().set("routing.last_agent", json!(false)).await;
    visitor.say("once more").await;
    let served = visitor.session("assigned", |s| s.status() == SessionStatus::Assigned).await;
    assert_eq!(served.owner.map(|owner| owner.name).as_deref(), Some("Mei"), "by load");
    drop(ben);
}
