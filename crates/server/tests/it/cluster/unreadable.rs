//! Conversations that cannot be read for the moment: nobody may take them for empty ones.

use std::time::Duration;

use frontdesk_core::{id::ConversationId, partition_of};
use frontdesk_testkit::{Cluster, TestAgent, TestVisitor, services};
use rustix::process::Signal;
use serde_json::json;

use super::roomy;
use crate::{eventually, heavy};

/// Conversations on each shard. Those begun in one second may all lie on one of them.
const EACH: usize = 3;

/// Whether a conversation lies on the second shard: partitions are dealt out in turn.
fn is_on_the_second(conversation: &str) -> bool {
    let conversation: ConversationId = conversation.parse().expect("an id");
    partition_of(&conversation, Cluster::PARTITIONS) % 2 == 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r20_a_conversation_whose_shard_is_away_is_refused_and_not_shown_empty() {
    let _alone = heavy().await;
    let own = services::OwnServices::start();
    let cluster = roomy("r20 unreadable", &own.addresses(), 1).await;
    cluster.nodes[0].admin().set("routing.capacity", json!(1_000)).await;
    let mut agent = TestAgent::online(&cluster.nodes[0], "Lin").await;
    let mut visitors: [Vec<TestVisitor>; 2] = Default::default();
    while visitors.iter().any(|on| on.len() < EACH) {
        let mut visitor = TestVisitor::connect(&cluster.nodes[0]).await;
        let shard = usize::from(is_on_the_second(&visitor.conversation));
        if visitors[shard].len() == EACH {
            continue;
        }
        visitor.say("hello").await;
        agent.listed(&visitor.conversation.clone(), &agent.id.clone()).await;
        visitors[shard].push(visitor);
    }
    own.signal("mysql-2", Signal::KILL);
    let chats: Vec<String> =
        visitors.iter().flatten().map(|visitor| visitor.conversation.clone()).collect();
    for chat in &chats {
        match agent.open(chat).await {
            Ok(opened) => {
                assert!(!is_on_the_second(chat), "{chat} was read from a shard that is away");
                assert!(!opened.items.is_empty(), "{chat} is shown empty");
            }
            Err(refusal) => {
                assert!(is_on_the_second(chat), "{chat} was refused: {refusal:?}");
                assert_eq!(refusal.code, "storage.unavailable");
                assert!(refusal.retry_after_ms.is_some(), "the client tries again");
            }
        }
    }
    own.start_again();
    for chat in &chats {
        eventually(Duration::from_secs(20), "it can be opened", async || {
            agent.open(chat).await.is_ok()
        })
        .await;
        agent.sees(chat, "hello").await;
    }
}
