//! Bots on several nodes: whoever owns a conversation answers in it, once, and goes on where the owner before ended.

use std::{collections::HashSet, time::Duration};

use frontdesk_core::{
    chat::{self, Audience, Choice, Content, content::Kind, timeline_item::Item},
    id::ConversationId,
    partition_of,
};
use frontdesk_protocol::wire::{self, client_frame::Frame as Out, server_frame::Frame as In};
use frontdesk_testkit::{
    Cluster, Http, TestAgent, TestVisitor,
    live::{message_id, text},
    services,
};
use futures_util::future::join_all;
use serde_json::json;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{all_owned, for_robots, spread};
use crate::{
    FRONTDESK,
    bots::{self, own},
    eventually, heavy,
};

/// That not all of so many begin in the same few partitions is sure enough.
const VISITORS_MAX: usize = 400;
/// How long a client waits for an answer before it looks whether its connection still is one.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

/// Nodes that know a bot with articles and these flows from their start.
async fn with_bot(nodes: u8, flows: &[(&str, &str)]) -> Cluster {
    let mut cluster = Cluster::start(FRONTDESK, &services::shared(), 1, for_robots).await;
    all_owned(&cluster).await;
    bots::switch_on(&cluster.nodes[0], "answer").await;
    let admin = cluster.nodes[0].admin();
    for (name, yaml) in flows {
        let flow = json!({"yaml": yaml, "version": 0});
        let put = admin.put(&format!("/api/v1/bot/flows/{name}"), &flow).await;
        assert!(put.status < 300, "{}", put.text);
    }
    for _ in 1..nodes {
        cluster.add(FRONTDESK, for_robots).await;
    }
    settled(&cluster).await;
    cluster
}

async fn settled(cluster: &Cluster) {
    spread(cluster).await;
    all_owned(cluster).await;
}

/// The node that has a visitor's conversation, as the visitor's newest ticket says.
fn owner(visitor: &TestVisitor) -> u8 {
    let (_, node) = visitor.options.path.split_once("?node=").expect("a node has it");
    node.parse().expect("a number")
}

/// Visitors whose conversations are wanted, connected to the first node.
async fn visitors(
    cluster: &Cluster,
    count: usize,
    mut wanted: impl FnMut(&TestVisitor) -> bool,
) -> Vec<TestVisitor> {
    let first = &cluster.nodes[0];
    let mut found = Vec::new();
    for _ in 0..VISITORS_MAX {
        let http = Http::new(first.own_address());
        let mut visitor = TestVisitor::new_at(first, http, first.own_address()).await;
        if wanted(&visitor) {
            visitor.connect_by_ticket().await;
            found.push(visitor);
        }
        if found.len() == count {
            return found;
        }
    }
    panic!("{} of {count} visitors", found.len());
}

/// One for each partition.
async fn of_each_partition(cluster: &Cluster) -> Vec<TestVisitor> {
    let mut known = HashSet::new();
    visitors(cluster, Cluster::PARTITIONS.into(), |visitor| {
        let conversation: ConversationId = visitor.conversation.parse().expect("an id");
        known.insert(partition_of(&conversation, Cluster::PARTITIONS))
    })
    .await
}

/// They come back as after a change of owners.
async fn come_back(visitors: &mut [TestVisitor]) {
    for visitor in visitors {
        visitor.lose();
        visitor.connect_by_ticket().await;
    }
}

/// What the bot has said to the visitor of a conversation, in its order.
async fn said_by_bot(admin: &Http, conversation: &str) -> Vec<String> {
    let items = admin.history(conversation).await;
    let said = items.iter().filter_map(|item| match &item.item {
        Some(Item::Entry(entry)) if bots::by_bot(entry) => Some(entry),
        _ => None,
    });
    let said = said.filter(|entry| entry.audience() == Audience::Everyone);
    said.filter_map(|entry| match &bots::content(entry)?.kind {
        Some(Kind::Text(text)) => Some(text.body.clone()),
        Some(Kind::Choices(choices)) => Some(choices.body.clone()),
        Some(Kind::Form(form)) => Some(form.title.clone()),
        _ => None,
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_answers_each_question_once_whoever_has_the_conversation() {
    let _alone = heavy().await;
    let cluster = with_bot(2, &[]).await;
    let mut visitors = of_each_partition(&cluster).await;
    let elsewhere = visitors.iter().filter(|visitor| owner(visitor) == 2).count();
    assert_eq!(
        elsewhere,
        visitors.len() / 2,
        "half of them are connected where they are not served"
    );
    let asked = [
        ("how long does delivery take?", "two working days"),
        ("when do I get my money back?", "five working days"),
    ];
    for (question, answer) in asked {
        for visitor in &mut visitors {
            visitor.say(question).await;
        }
        for visitor in &mut visitors {
            bots::hears(visitor, answer).await;
        }
    }
    let admin = cluster.nodes[0].admin();
    for visitor in &visitors {
        let said = said_by_bot(&admin, &visitor.conversation).await;
        let fits = said.len() == asked.len()
            && said.iter().zip(asked).all(|(said, (_, answer))| said.contains(answer));
        assert!(fits, "of node {}: {said:?}", owner(visitor));
    }
}

/// Questions, each of which begins a flow that answers in two messages.
const TOPICS: [&str; 6] = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"];

fn flow_about(topic: &str) -> String {
    format!(
        "
name: {topic}
start: {{ when: {{ words: [{topic}] }} }}
steps:
  first:
    say: {{ en: 'Of {topic} the first.', zh-CN: '{topic} 一' }}
    goto: second
  second:
    say: {{ en: 'Of {topic} the second.', zh-CN: '{topic} 二' }}
    goto: done
  done:
    end: true
"
    )
}

/// Says something however often the connection is lost, until it is acknowledged.
async fn insists(visitor: &mut TestVisitor, said: &str) {
    let id = message_id();
    while !is_acked(visitor, &id, said).await {
        sleep(Duration::from_millis(200)).await;
        let ticket = visitor.ticket().await;
        let hello = wire::Hello { ticket, ..visitor.hello() };
        if let Ok(welcome) = visitor.try_hello(hello).await {
            visitor.welcome = welcome;
        }
    }
}

async fn is_acked(visitor: &mut TestVisitor, id: &[u8], said: &str) -> bool {
    let frame = Out::Send(text("", id, said));
    if visitor.live.socket().send(1, frame).await.is_err() {
        return false;
    }
    let answered = async {
        loop {
            match visitor.live.hear().await.map(|frame| frame.frame) {
                Ok(Some(In::Ack(ack))) if ack.client_msg_id == id => return true,
                Ok(Some(In::Refusal(refusal))) if refusal.client_msg_id == id => return false,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    };
    timeout(ANSWER_WAIT, answered).await.unwrap_or(false)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_is_killed_leaves_no_question_without_and_none_with_two_answers() {
    let _alone = heavy().await;
    let flows = TOPICS.map(|topic| (topic, flow_about(topic)));
    let flows: Vec<(&str, &str)> =
        flows.iter().map(|(name, yaml)| (*name, yaml.as_str())).collect();
    let mut cluster = with_bot(3, &flows).await;
    let (mut theirs, mut others) = (0, 0);
    let mut visitors = visitors(&cluster, 18, |visitor| {
        let count = if owner(visitor) == 2 { &mut theirs } else { &mut others };
        *count += 1;
        *count <= if owner(visitor) == 2 { 12 } else { 6 }
    })
    .await;
    for visitor in &mut visitors {
        visitor.say(TOPICS[0]).await;
        bots::hears(visitor, "Of alpha the second.").await;
    }
    let admin = cluster.nodes[0].admin();
    // Every third asks everything at once: when one of them has its last ack, the answers are still under way, and
    // nothing that it says later could remind anybody. The others are in the middle of their talk.
    let last_ack = &Notify::new();
    let talks = join_all(visitors.iter_mut().enumerate().map(|(number, visitor)| async move {
        let (is_hasty, is_theirs) = (number % 3 == 0, owner(visitor) == 2);
        let (begins_ms, pause_ms) = if is_hasty { (700, 0) } else { (40 * number as u64, 200) };
        sleep(Duration::from_millis(begins_ms)).await;
        for topic in &TOPICS[1..] {
            insists(visitor, topic).await;
            sleep(Duration::from_millis(pause_ms)).await;
        }
        if is_hasty && is_theirs {
            last_ack.notify_one();
        }
    }));
    let victim = &mut cluster.nodes[1];
    let kill = async {
        last_ack.notified().await;
        victim.kill9().await;
    };
    tokio::join!(talks, kill);
    let wanted: Vec<String> = TOPICS
        .iter()
        .flat_map(|topic| ["first", "second"].map(|which| format!("Of {topic} the {which}.")))
        .collect();
    for visitor in &visitors {
        let mut said = Vec::new();
        let what = format!("everything is answered in {}", visitor.conversation);
        let answered = async || {
            said = said_by_bot(&admin, &visitor.conversation).await;
            said.len() >= wanted.len()
        };
        eventually(Duration::from_secs(30), &what, answered).await;
        assert_eq!(said, wanted);
    }
    // Whoever takes partitions looks for what was left without an answer, and finds nothing.
    cluster.nodes[1].restart().await;
    settled(&cluster).await;
    for visitor in &mut visitors {
        insists(visitor, TOPICS[0]).await;
    }
    for visitor in &visitors {
        let again = &wanted[..2];
        let what = format!("the new owner answers in {}", visitor.conversation);
        let mut said = Vec::new();
        let answered = async || {
            said = said_by_bot(&admin, &visitor.conversation).await;
            said.len() >= wanted.len() + again.len()
        };
        eventually(Duration::from_secs(30), &what, answered).await;
        assert_eq!(said, [&wanted[..], again].concat());
    }
}

const MENU: &str = "
name: menu
start: { when: { words: [menu] } }
steps:
  first:
    ask:
      text: { en: Which one, zh-CN: 哪一个 }
      choices: [{ id: a, label: { en: One, zh-CN: 一 }, goto: second }]
  second:
    ask:
      text: { en: And now, zh-CN: 然后 }
      choices: [{ id: a, label: { en: Two, zh-CN: 二 }, goto: third }]
  third:
    form:
      title: { en: Your order, zh-CN: 您的订单 }
      fields:
        - { id: order, kind: order_number, label: { en: Order number, zh-CN: 订单号 }, required: true }
    goto: thanks
  thanks:
    say: { en: 'Order {order} is on its way.', zh-CN: '订单 {order} 已发出。' }
    goto: done
  done:
    end: true
";

/// Presses the only button of the question that the bot has asked in these words.
async fn picks(visitor: &mut TestVisitor, question: &str) {
    let entry = bots::hears(visitor, question).await;
    let Some(Kind::Choices(choices)) = bots::content(&entry).and_then(|said| said.kind.clone())
    else {
        panic!("{entry:?}")
    };
    let [Choice { id, label }] = &choices.choices[..] else { panic!("{choices:?}") };
    let reply = Content {
        kind: Some(Kind::Text(chat::Text { body: label.clone() })),
        quote_seq: entry.seq,
        choice: id.clone(),
        ..Content::default()
    };
    bots::send(visitor, reply).await.expect("it is a choice");
}

/// Fills in the form the bot has asked to be filled in.
async fn fills_in(visitor: &mut TestVisitor, order: &str) {
    let form = bots::hears(visitor, "Your order").await;
    let value = chat::FieldValue {
        id: "order".to_owned(),
        label: "Order number".to_owned(),
        value: order.to_owned(),
    };
    let reply = Content {
        kind: Some(Kind::FormReply(chat::FormReply { values: vec![value] })),
        quote_seq: form.seq,
        ..Content::default()
    };
    bots::send(visitor, reply).await.expect("it is a reply");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_moves_away_and_back_goes_on_at_the_right_step_and_to_people() {
    let _alone = heavy().await;
    let mut cluster = with_bot(2, &[("menu", MENU)]).await;
    cluster.nodes[1].stop().await;
    all_owned_by_the_first(&cluster).await;
    let mut visitors = of_each_partition(&cluster).await;
    for visitor in &mut visitors {
        visitor.say("menu").await;
        bots::hears(visitor, "Which one").await;
    }
    // Half of them move, and are back before the first node has forgotten anything by itself.
    cluster.nodes[1].restart().await;
    settled(&cluster).await;
    come_back(&mut visitors).await;
    let moved = visitors.iter().filter(|visitor| owner(visitor) == 2).count();
    assert_eq!(moved, visitors.len() / 2);
    for visitor in &mut visitors {
        picks(visitor, "Which one").await;
        bots::hears(visitor, "And now").await;
    }
    cluster.nodes[1].stop().await;
    all_owned_by_the_first(&cluster).await;
    come_back(&mut visitors).await;
    for visitor in &mut visitors {
        picks(visitor, "And now").await;
        bots::hears(visitor, "Your order").await;
    }
    cluster.nodes[1].restart().await;
    settled(&cluster).await;
    come_back(&mut visitors).await;
    let admin = cluster.nodes[0].admin();
    for (number, visitor) in visitors.iter_mut().enumerate() {
        fills_in(visitor, &format!("A-10{number}")).await;
        let thanks = format!("Order A-10{number} is on its way.");
        bots::hears(visitor, &thanks).await;
        let wanted = ["Which one", "And now", "Your order", &thanks];
        assert_eq!(said_by_bot(&admin, &visitor.conversation).await, wanted);
    }
    // Who asks for a person after the moves gets one, with what was said before them.
    let mut mei = TestAgent::online(&cluster.nodes[0], "Mei").await;
    for node in [1, 2] {
        let of_node = |visitor: &&mut TestVisitor| owner(visitor) == node;
        let visitor = visitors.iter_mut().find(of_node).expect("each node has some");
        visitor.command(bots::ask_for_person()).await.expect("a visitor may always");
        let conversation = visitor.conversation.clone();
        mei.listed(&conversation, &mei.id.clone()).await;
        mei.open(&conversation).await.expect("it is hers");
        let is_brief = |entry: &chat::Entry, said: &Content| {
            bots::by_bot(entry) && entry.audience() == Audience::Team && bots::says(said, "A-10")
        };
        let what = format!("a brief of node {node}");
        let has_brief = |held: &_| bots::newest(held, is_brief).is_some();
        mei.live.until(&what, &conversation, has_brief).await;
        let hello = format!("Mei, of node {node}");
        mei.say(&conversation, &hello).await;
        visitor.sees(&hello).await;
    }
}

async fn all_owned_by_the_first(cluster: &Cluster) {
    let first = &cluster.nodes[0];
    let has_all = async || {
        (first.metric("frontdesk_partitions").await - f64::from(Cluster::PARTITIONS)).abs() < 0.5
    };
    eventually(Duration::from_secs(30), "the first node has every partition", has_all).await;
    eventually(Duration::from_secs(30), "and says so", async || {
        super::readiness(first, "partitions").await["ok"] == true
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_of_ones_own_answers_where_another_node_has_the_conversation() {
    let _alone = heavy().await;
    let mut cluster = Cluster::start(FRONTDESK, &services::shared(), 1, for_robots).await;
    all_owned(&cluster).await;
    let mut bot = own::working(&cluster.nodes[0]).await;
    cluster.add(FRONTDESK, for_robots).await;
    settled(&cluster).await;
    let mut visitors = of_each_partition(&cluster).await;
    assert!(visitors.iter().any(|visitor| owner(visitor) == 2));
    let middle = visitors.len() / 2;
    // From either node, one of which has the desk.
    for (number, visitor) in visitors.iter_mut().enumerate() {
        if number == 0 || number == middle {
            bot.lose();
            bot.address = cluster.nodes[usize::from(number == middle)].own_address();
            bot.connect().await;
        }
        visitor.say("hello").await;
        let conversation = visitor.conversation.clone();
        own::given(&mut bot, &conversation).await;
        bot.open(&conversation).await.expect("it is its own");
        bot.sees(&conversation, "hello").await;
        let answer = format!("answer {number}");
        bot.say(&conversation, &answer).await;
        visitor.sees(&answer).await;
    }
    let admin = cluster.nodes[0].admin();
    for (number, visitor) in visitors.iter().enumerate() {
        let said = said_by_bot(&admin, &visitor.conversation).await;
        assert_eq!(said, [format!("answer {number}")]);
    }
    let mut mei = TestAgent::online(&cluster.nodes[0], "Mei").await;
    for node in [1, 2] {
        let of_node = |visitor: &&mut TestVisitor| owner(visitor) == node;
        let visitor = visitors.iter_mut().find(of_node).expect("each node has some");
        visitor.command(bots::ask_for_person()).await.expect("a visitor may always");
        mei.listed(&visitor.conversation.clone(), &mei.id.clone()).await;
    }
}
