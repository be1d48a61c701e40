//! How many conversations the bot is in at a time: the sessions beyond them go to people, and none is left waiting.

use std::time::Duration;

use frontdesk_core::chat::SessionStatus;
use frontdesk_testkit::{TestAgent, TestServer, TestVisitor};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{FRONTDESK, by_bot, hears, newest, switch_on};

const QUESTION: &str = "how long does delivery take?";
/// Of five places an account that is alone has four: it leaves a fifth to others.
const PLACES: usize = 5;
const OF_ONE_ACCOUNT: usize = 4;

/// Each open session has an owner or a place in a queue, and something that happens next.
async fn nobody_is_in_limbo(server: &TestServer, sessions: usize) {
    let report = server.admin().get("/api/v1/waiting").await.ok();
    assert_eq!(report["violations"], json!([]), "{report}");
    let rows = report["sessions"].as_array().expect("a list");
    assert_eq!(rows.len(), sessions, "{report}");
    for row in rows {
        let has = |field: &str| row[field] != Value::Null;
        assert!(has("owner") != has("place"), "one owner or one place in a queue: {row}");
    }
}

#[tokio::test]
async fn a_session_for_which_the_bot_has_no_room_goes_to_people_and_nobody_waits_in_limbo() {
    let builder = TestServer::builder(FRONTDESK).set("limits.bot_conversations_max", PLACES);
    let server = builder.start().await;
    switch_on(&server, "answer").await;
    let mut with_bot = Vec::new();
    for _ in 0..OF_ONE_ACCOUNT {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say(QUESTION).await;
        hears(&mut visitor, "two working days").await;
        with_bot.push(visitor);
    }

    // Where nobody is there, it waits in the queue, and the visitor is told so.
    let mut early = TestVisitor::connect(&server).await;
    early.say(QUESTION).await;
    let waits = |of: &frontdesk_core::chat::Session| {
        of.status() == SessionStatus::Queued && of.unattended && of.owner.is_none()
    };
    early.session("it waits for people", waits).await;
    nobody_is_in_limbo(&server, OF_ONE_ACCOUNT + 1).await;

    // Whoever comes has it, and the next one at once.
    let mut mei = TestAgent::online(&server, "Mei").await;
    let mut late = TestVisitor::connect(&server).await;
    let began = Instant::now();
    late.say(QUESTION).await;
    for visitor in [&mut early, &mut late] {
        let conversation = visitor.conversation.clone();
        mei.listed(&conversation, &mei.id.clone()).await;
        mei.open(&conversation).await.expect("it is hers");
        mei.say(&conversation, "within two days").await;
        visitor.sees("within two days").await;
        assert!(newest(visitor.held(), |entry, _| by_bot(entry)).is_none(), "no bot was there");
    }
    // The bot is waited for for 2 s; others are at work on this machine.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    nobody_is_in_limbo(&server, OF_ONE_ACCOUNT + 2).await;

    // Those who have the bot keep it.
    for visitor in &mut with_bot {
        visitor.say("how do refunds work?").await;
        hears(visitor, "within five working days").await;
    }
}
