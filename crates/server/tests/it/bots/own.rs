//! Bots of an account's own: programs with a key and a socket, which are given sessions, answer, stream, and hand
//! over.

use std::time::Duration;

use frontdesk_core::chat::{self, ActorKind, Choice, Choices, Content, content::Kind};
use frontdesk_protocol::wire::{
    self, client_frame::Frame as Out, command::Command as Verb, server_frame::Frame as In,
};
use frontdesk_testkit::{TestAgent, TestServer, TestVisitor, message_id};
use serde_json::json;
use tokio::time::Instant;

use super::{FRONTDESK, by_bot, content, newest, set_bot};

/// A bot that gets new sessions.
pub(crate) async fn working(server: &TestServer) -> TestAgent {
    let bot = TestAgent::bot(server, "Tea bot").await;
    let id = bot.id.clone();
    set_bot(&server.admin(), |inbox| json!({inbox: {"mode": "answer", "who": id, "flow": ""}}))
        .await;
    bot
}

/// Waits until the bot has been given the conversation.
pub(crate) async fn given(bot: &mut TestAgent, conversation: &str) -> wire::Row {
    let own = bot.id.clone();
    bot.row("it is the bot's", |row| {
        let owner = row.session.as_ref().and_then(|session| session.owner.as_ref());
        row.conversation == conversation && owner.is_some_and(|owner| owner.id == own)
    })
    .await
}

#[tokio::test]
async fn a_bot_is_given_sessions_answers_streams_and_hands_over() {
    let server = TestServer::start(FRONTDESK).await;
    let mut bot = working(&server).await;
    assert_eq!(bot.welcome.self_.as_ref().map(chat::Actor::kind), Some(ActorKind::Bot));
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("hello").await;
    let conversation = visitor.conversation.clone();
    given(&mut bot, &conversation).await;
    bot.open(&conversation).await.expect("it is its own");
    // What it is about to say grows before the visitor's eyes.
    for text in ["We have", "We have green tea"] {
        let draft =
            wire::Draft { conversation: conversation.clone(), typing: true, text: text.to_owned() };
        bot.live.send(Out::Draft(draft)).await;
    }
    let seen = visitor
        .live
        .wait_for("a draft", |frame| match &frame.frame {
            Some(In::Draft(draft)) if draft.text == "We have green tea" => Some(draft.clone()),
            _ => None,
        })
        .await;
    assert_eq!(seen.actor.as_ref().map(chat::Actor::kind), Some(ActorKind::Bot));
    let choice = |id: &str, label: &str| Choice { id: id.to_owned(), label: label.to_owned() };
    let body = "We have green tea and black tea. Which?".to_owned();
    let choices = Choices { body, choices: vec![choice("g", "Green"), choice("b", "Black")] };
    let send = wire::Send {
        conversation: conversation.clone(),
        client_msg_id: message_id().to_vec().into(),
        content: Some(Content { kind: Some(Kind::Choices(choices)), ..Content::default() }),
        ..wire::Send::default()
    };
    let asked = bot.live.message(send).await.expect("bots ask").position.expect("placed").seq;
    let is_asked = |_: &chat::Entry, said: &Content| matches!(said.kind, Some(Kind::Choices(_)));
    visitor.live.until("buttons", "", |held| newest(held, is_asked).is_some()).await;
    let picked = Content {
        kind: Some(Kind::Text(chat::Text { body: "Green".to_owned() })),
        quote_seq: asked,
        choice: "g".to_owned(),
        ..Content::default()
    };
    super::send(&mut visitor, picked).await.expect("it is a choice");
    let entry = bot.sees(&conversation, "Green").await;
    assert_eq!(content(&entry).map(|said| said.choice.as_str()), Some("g"));
    bot.note(&conversation, "wants green tea").await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    bot.command(&conversation, Verb::Requeue(wire::Requeue {})).await.expect("it may hand over");
    mei.listed(&conversation, &mei.id.clone()).await;
    mei.open(&conversation).await.expect("it is hers");
    mei.sees(&conversation, "wants green tea").await;
    // What is people's is no more the bot's.
    let late = wire::Send {
        conversation: conversation.clone(),
        client_msg_id: message_id().to_vec().into(),
        content: Some(Content {
            kind: Some(Kind::Text(chat::Text { body: "me again".to_owned() })),
            ..Content::default()
        }),
        ..wire::Send::default()
    };
    assert!(bot.live.message(late).await.is_err());
}

#[tokio::test]
async fn a_bot_that_comes_back_is_told_what_it_owns() {
    let mut server = TestServer::start(FRONTDESK).await;
    let mut bot = working(&server).await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("hello").await;
    let conversation = visitor.conversation.clone();
    given(&mut bot, &conversation).await;
    server.kill9().await;
    server.restart().await;
    let mut again = bot.another_tab();
    again.connect().await;
    given(&mut again, &conversation).await;
    again.say(&conversation, "still here").await;
    visitor.connect_by_ticket().await;
    visitor.sees("still here").await;
}

#[tokio::test]
async fn without_its_bot_a_session_goes_to_people_and_a_gone_key_is_no_bot() {
    let server = TestServer::start(FRONTDESK).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    let mut bot = working(&server).await;
    bot.lose();
    let mut visitor = TestVisitor::connect(&server).await;
    // The desk may not have heard yet that the bot is gone: then it has this one, and people the next.
    visitor.say("hello").await;
    let mut next = TestVisitor::connect(&server).await;
    next.say("hello").await;
    mei.listed(&next.conversation.clone(), &mei.id.clone()).await;
    let gone = server.admin().delete(&format!("/api/v1/api-keys/{}", bot.id)).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    assert_eq!(bot.http.post("/api/v1/tickets", &json!({"kind": "agent"})).await.status, 401);
}

#[tokio::test]
async fn a_bot_sees_nothing_of_another_account_and_of_people() {
    let server = TestServer::start(FRONTDESK).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("for Mei").await;
    let conversation = visitor.conversation.clone();
    mei.listed(&conversation, &mei.id.clone()).await;
    let mut bot = TestAgent::bot(&server, "Tea bot").await;
    let refused = bot.open(&conversation).await.expect_err("it is Mei's");
    assert_eq!(refused.code, "conversation.unknown");
    let list = bot.http.get("/api/v1/conversations").await.ok();
    assert_eq!(list["rows"], json!([]), "{list}");
    assert!(newest(visitor.held(), |entry, _| by_bot(entry)).is_none());
}

#[tokio::test]
async fn a_bot_that_answers_a_thousand_times_is_slowed_down_and_disturbs_nobody() {
    let builder = TestServer::builder(FRONTDESK);
    let limited = builder.set("limits.agent_rate_per_s", 5).set("limits.agent_burst", 50);
    let server = limited.start().await;
    let mut bot = working(&server).await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("hello").await;
    let conversation = visitor.conversation.clone();
    given(&mut bot, &conversation).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    let say = |number: u32| {
        let kind = Some(Kind::Text(chat::Text { body: format!("answer {number}") }));
        let content = Some(Content { kind, ..Content::default() });
        wire::Send {
            conversation: conversation.clone(),
            client_msg_id: message_id().to_vec().into(),
            content,
            ..wire::Send::default()
        }
    };
    for number in 0..1_000 {
        bot.live.send(Out::Send(say(number))).await;
    }
    // People go on as ever, in this conversation and in others.
    let began = Instant::now();
    visitor.command(super::ask_for_person()).await.expect("a visitor may always");
    mei.listed(&conversation, &mei.id.clone()).await;
    mei.say(&conversation, "hello from Mei").await;
    visitor.sees("hello from Mei").await;
    let mut other = TestVisitor::connect(&server).await;
    other.say("hello, too").await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // Of a thousand answers those came through for which there was room; behind Mei's there are none.
    let held = visitor.held().entries_held();
    let of_bot = held.filter(|entry| by_bot(entry)).count();
    assert!((1..200).contains(&of_bot), "{of_bot}");
}
