//! A conversation between a visitor and agents: messages, acks, positions, cursors.

use frontdesk_testkit::{TestAgent, TestServer, TestVisitor};

use crate::FRONTDESK;

#[tokio::test]
async fn a_message_reaches_an_agent_and_the_answer_comes_back() {
    let server = TestServer::start(FRONTDESK).await;
    let mut agent = TestAgent::online(&server, "Mei").await;
    let mut visitor = TestVisitor::connect(&server).await;
    let ack = visitor.say("hello").await;
    assert_eq!(ack.position.map(|position| position.seq), Some(1));
    let conversation = visitor.conversation.clone();
    agent.listed(&conversation, &agent.id.clone()).await;
    agent.open(&conversation).await.expect("an agent may open its own conversation");
    agent.sees(&conversation, "hello").await;
    agent.say(&conversation, "how can I help?").await;
    visitor.sees("how can I help?").await;
    let read = visitor.http().history(&conversation).await;
    assert_eq!(frontdesk_testkit::timeline::last_seq(read.last().expect("entries")), {
        visitor.held().held
    });
}
