//! Partitions that move while people are connected: who understands `Rejoin` keeps the connection.

use std::{collections::HashMap, time::Duration};

use frontdesk_core::{chat::timeline_item::Item, id::ConversationId, partition_of};
use frontdesk_protocol::{
    close,
    wire::{self, client_frame::Frame as Out, server_frame::Frame as In},
};
use frontdesk_testkit::{
    Cluster, Gone, Http, TestVisitor,
    live::{message_id, text},
    services,
    timeline::text_of,
};
use tokio::time::sleep;

use super::{all_owned, roomy, spread};
use crate::heavy;

/// Each of two nodes has six: two of these at least move.
const PARTITIONS: usize = 8;
/// That not all of so many begin in the same few partitions is sure enough.
const VISITORS_MAX: usize = 400;

/// What a visitor waits for.
enum Heard {
    Ack,
    Rejoin(u32),
    Welcome(Box<wire::Welcome>),
    Later(u32),
}

/// Says something, whoever serves the visitor; how often that was somebody else from then on.
async fn says(visitor: &mut TestVisitor, said: &str) -> usize {
    let id = message_id();
    let mut rejoins = 0;
    visitor.live.send(Out::Send(text("", &id, said))).await;
    loop {
        let heard = visitor.live.pushed("what becomes of a message", |frame| match frame {
            In::Ack(ack) if ack.client_msg_id == id[..] => Some(Heard::Ack),
            In::Rejoin(rejoin) => Some(Heard::Rejoin(rejoin.after_ms)),
            In::Welcome(welcome) => Some(Heard::Welcome(welcome.clone())),
            In::Refusal(refusal) => refusal.retry_after_ms.map(Heard::Later),
            _ => None,
        });
        match heard.await {
            Heard::Ack => return rejoins,
            Heard::Rejoin(after_ms) => {
                rejoins += 1;
                sleep(Duration::from_millis(u64::from(after_ms))).await;
                let hello = hello_again(visitor);
                visitor.live.send(Out::Hello(hello)).await;
            }
            Heard::Welcome(welcome) => {
                assert!(welcome.opened[0].recovered, "nothing is shown twice, nothing is left out");
                visitor.welcome = *welcome;
                visitor.live.send(Out::Send(text("", &id, said))).await;
            }
            Heard::Later(after_ms) => {
                sleep(Duration::from_millis(u64::from(after_ms))).await;
                visitor.live.send(Out::Send(text("", &id, said))).await;
            }
        }
    }
}

fn hello_again(visitor: &TestVisitor) -> wire::Hello {
    let resume_token = visitor.welcome.resume_token.clone();
    wire::Hello { resume_token, can_rejoin: true, ..visitor.hello() }
}

/// The same person in another tab, of a client that may rejoin or of an older one.
async fn tab(visitor: &TestVisitor, can_rejoin: bool) -> TestVisitor {
    let mut tab = visitor.another_tab();
    let ticket = tab.ticket().await;
    let hello = wire::Hello { ticket, can_rejoin, ..tab.hello() };
    tab.welcome = tab.try_hello(hello).await.expect("it is welcome");
    tab
}

/// Visitors of different partitions, all connected to the first node.
async fn visitors(cluster: &Cluster) -> Vec<TestVisitor> {
    let first = &cluster.nodes[0];
    let mut found = HashMap::new();
    for _ in 0..VISITORS_MAX {
        if found.len() == PARTITIONS {
            break;
        }
        let http = Http::new(first.own_address());
        let visitor = TestVisitor::at(first, http, first.own_address()).await;
        let conversation: ConversationId = visitor.conversation.parse().expect("an id");
        found.entry(partition_of(&conversation, Cluster::PARTITIONS)).or_insert(visitor);
    }
    assert_eq!(found.len(), PARTITIONS);
    let mut tabs = Vec::new();
    for visitor in found.values() {
        let mut tab = tab(visitor, true).await;
        tab.say("before").await;
        tabs.push(tab);
    }
    tabs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_moves_costs_nobody_a_connection_who_can_rejoin() {
    let _alone = heavy().await;
    let mut cluster = roomy("rejoin", &services::shared(), 2).await;
    let mut visitors = visitors(&cluster).await;
    let mut older = Vec::new();
    for visitor in &visitors {
        older.push(tab(visitor, false).await);
    }
    // What the second node had goes to the first one, which has the sockets.
    cluster.nodes[1].stop().await;
    let mut moved = 0;
    for (visitor, older) in visitors.iter_mut().zip(&mut older) {
        let rejoins = says(visitor, "while one is gone").await;
        if rejoins > 0 {
            moved += 1;
            let code = older.live.socket().gone().await.code();
            assert_eq!(code, close::RESTART.code, "a client that cannot rejoin is closed");
        }
    }
    assert!(moved >= PARTITIONS - 6, "{moved} moved");
    // And back: from a loop that has the sockets itself, or has them from another one.
    let mut strangers = Vec::new();
    for visitor in &visitors {
        strangers.push(tab(visitor, true).await);
    }
    cluster.nodes[1].restart().await;
    spread(&cluster).await;
    all_owned(&cluster).await;
    let mut moved = 0;
    for (visitor, stranger) in visitors.iter_mut().zip(&mut strangers) {
        if says(visitor, "once it is back").await > 0 {
            moved += 1;
            // A socket stays whose it was: by a new ticket nobody takes it over.
            let asked = |frame: &In| matches!(frame, In::Rejoin(_)).then_some(());
            stranger.live.pushed("it may rejoin", asked).await;
            let ticket = stranger.ticket().await;
            stranger.live.send(Out::Hello(wire::Hello { ticket, ..stranger.hello() })).await;
            let gone = stranger.live.socket().gone().await;
            assert!(matches!(gone, Gone::Closed { code, .. } if code == close::BAD_USE.code));
        }
    }
    assert!(moved >= PARTITIONS - 6, "{moved} moved");
    assert!(cluster.nodes[0].metric("frontdesk_rejoins_total").await >= moved as f64);
    for visitor in &visitors {
        let items = visitor.http().history(&visitor.conversation).await;
        let said = items.iter().filter_map(|item| match &item.item {
            Some(Item::Entry(entry)) => text_of(entry),
            _ => None,
        });
        let wanted = ["before", "while one is gone", "once it is back"];
        assert_eq!(said.collect::<Vec<_>>(), wanted);
    }
}
