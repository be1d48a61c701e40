//! Conversations that cannot be read for the moment: nobody may take them for empty ones.

use std::time::Duration;

use frontdesk_testkit::{TestAgent, TestVisitor, services};
use rustix::process::Signal;
use serde_json::json;

use super::roomy;
use crate::{eventually, heavy};

/// Enough for both shards to have some.
const CHATS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r20_a_conversation_whose_shard_is_away_is_refused_and_not_shown_empty() {
    let _alone = heavy().await;
    let own = services::OwnServices::start();
    let cluster = roomy("r20 unreadable", &own.addresses(), 1).await;
    cluster.nodes[0].admin().set("routing.capacity", json!(CHATS)).await;
    let mut agent = TestAgent::online(&cluster.nodes[0], "Lin").await;
    let (mut visitors, mut chats) = (Vec::new(), Vec::new());
    for number in 0..CHATS {
        let mut visitor = TestVisitor::connect(&cluster.nodes[0]).await;
        visitor.say(&format!("question {number}")).await;
        agent.listed(&visitor.conversation.clone(), &agent.id.clone()).await;
        chats.push(visitor.conversation.clone());
        visitors.push(visitor);
    }
    own.signal("mysql-2", Signal::KILL);
    let mut refused = 0;
    for chat in &chats {
        match agent.open(chat).await {
            Ok(opened) => assert!(!opened.items.is_empty(), "{chat} is shown empty"),
            Err(refusal) => {
                assert_eq!(refusal.code, "storage.unavailable");
                assert!(refusal.retry_after_ms.is_some(), "the client tries again");
                refused += 1;
            }
        }
    }
    assert!((1..CHATS).contains(&refused), "{refused} of {CHATS} were refused");
    own.start_again();
    for (number, chat) in chats.iter().enumerate() {
        eventually(Duration::from_secs(20), "it can be opened", async || {
            agent.open(chat).await.is_ok()
        })
        .await;
        agent.sees(chat, &format!("question {number}")).await;
    }
}
