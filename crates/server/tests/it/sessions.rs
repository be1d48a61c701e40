//! How a conversation is served: queue, assignment, take, transfer, take-over, close, reopen, and what
//! happens by itself.

use std::time::{Duration, Instant};

use frontdesk_core::chat::{CloseReason, SessionStatus, session_event::Change};
use frontdesk_protocol::wire::{
    self, Presence, command::Command as Verb, server_frame::Frame as In,
};
use frontdesk_testkit::{TestAgent, TestServer, TestVisitor};
use serde_json::json;

use crate::{FRONTDESK, chat::pair};

/// The watchdog has nothing to say: every open session has one owner or one place, and a deadline.
async fn nobody_is_left_waiting(server: &TestServer) -> serde_json::Value {
    let report = server.admin().get("/api/v1/waiting").await.ok();
    assert_eq!(report["violations"], json!([]), "{report}");
    for session in report["sessions"].as_array().expect("a list") {
        assert!(session["deadline_ms"].is_i64(), "a session without a deadline: {session}");
        assert!(
            session["owner"].is_string() || session["place"].is_u64(),
            "neither owner nor place: {session}"
        );
    }
    report
}

async fn assigned(visitor: &mut TestVisitor, name: &str) {
    visitor
        .session(&format!("assigned to {name}"), |session| {
            session.status() == SessionStatus::Assigned
                && session.owner.as_ref().is_some_and(|owner| owner.name == name)
        })
        .await;
}

#[tokio::test]
async fn a_queue_is_served_in_order_and_everybody_knows_their_place() {
    let server = TestServer::start(FRONTDESK).await;
    server.admin().set("routing.capacity", json!(1)).await;
    let mut visitors = Vec::new();
    for place in 1..=3 {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("is anybody there?").await;
        visitor.queue_place("a place", |told| told.place == place).await;
        visitors.push(visitor);
    }
    let report = nobody_is_left_waiting(&server).await;
    assert_eq!(report["sessions"].as_array().map(Vec::len), Some(3), "{report}");
    let mut agent = TestAgent::online(&server, "Mei").await;
    let id = agent.id.clone();
    for turn in 0..3 {
        assigned(&mut visitors[turn], "Mei").await;
        let conversation = visitors[turn].conversation.clone();
        agent.listed(&conversation, &id).await;
        for (ahead, visitor) in visitors[turn + 1..].iter_mut().enumerate() {
            let place = u32::try_from(ahead + 1).expect("few visitors");
            visitor.queue_place("moved up", |told| told.place == place && told.attended).await;
        }
        nobody_is_left_waiting(&server).await;
        agent.command(&conversation, Verb::Close(wire::Close {})).await.expect("the owner closes");
        visitors[turn].session("closed", |s| s.status() == SessionStatus::Closed).await;
    }
    let report = nobody_is_left_waiting(&server).await;
    assert_eq!(report["sessions"], json!([]), "{report}");
}

#[tokio::test]
async fn the_least_busy_agent_is_chosen() {
    let server = TestServer::start(FRONTDESK).await;
    let mut agents =
        [TestAgent::online(&server, "Mei").await, TestAgent::online(&server, "Ben").await];
    let mut owners = Vec::new();
    for _ in 0..4 {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("hello").await;
        let session = visitor.session("assigned", |s| s.status() == SessionStatus::Assigned).await;
        owners.push(session.owner.expect("an owner").name);
    }
    for name in ["Mei", "Ben"] {
        assert_eq!(owners.iter().filter(|owner| *owner == name).count(), 2, "{owners:?}");
    }
    // Who is away gets nothing.
    agents[0].presence(Presence::Away).await;
    for _ in 0..2 {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("hello").await;
        assigned(&mut visitor, "Ben").await;
    }
}

#[tokio::test]
async fn of_two_who_take_at_once_one_wins_and_the_other_is_told_who() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let inboxes = admin.get("/api/v1/inboxes").await.ok();
    let inbox = inboxes["inboxes"][0]["id"].as_str().expect("an inbox").to_owned();
    let manual = json!({"routing": "manual"});
    admin.patch(&format!("/api/v1/inboxes/{inbox}"), &manual).await.ok();
    let mut mei = TestAgent::online(&server, "Mei").await;
    let mut ben = TestAgent::online(&server, "Ben").await;
    for _ in 0..5 {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("hello").await;
        let conversation = visitor.conversation.clone();
        mei.listed(&conversation, "").await;
        ben.listed(&conversation, "").await;
        let take = || Verb::Take(wire::Take {});
        let (first, second) =
            tokio::join!(mei.command(&conversation, take()), ben.command(&conversation, take()));
        let winner = match (first, second) {
            (Ok(()), Err(refusal)) => {
                assert_eq!(
                    (refusal.code.as_str(), refusal.detail.as_str()),
                    ("session.taken", "Mei")
                );
                "Mei"
            }
            (Err(refusal), Ok(())) => {
                assert_eq!(
                    (refusal.code.as_str(), refusal.detail.as_str()),
                    ("session.taken", "Ben")
                );
                "Ben"
            }
            other => panic!("not exactly one of two took it: {other:?}"),
        };
        assigned(&mut visitor, winner).await;
    }
    nobody_is_left_waiting(&server).await;
}

#[tokio::test]
async fn a_transfer_carries_a_note_and_moves_the_session() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let mut ben = TestAgent::online(&server, "Ben").await;
    mei.say(&conversation, "one moment").await;
    let to_agent = Verb::Transfer(wire::Transfer {
        to_agent: ben.id.clone(),
        to_team: String::new(),
        note: "speaks French".to_owned(),
    });
    mei.command(&conversation, to_agent).await.expect("the owner hands it on");
    let ben_id = ben.id.clone();
    ben.listed(&conversation, &ben_id).await;
    assigned(&mut visitor, "Ben").await;
    ben.open(&conversation).await.expect("it is Ben's now");
    ben.sees(&conversation, "speaks French").await;
    ben.say(&conversation, "bonjour").await;
    visitor.sees("bonjour").await;
    assert!(!visitor.held().texts().contains(&"speaks French"));
    // To a team: its free member gets it, or its queue.
    let mut zoe = TestAgent::new(&server, "Zoe", "agent").await;
    let team = server.admin().create_team("Billing", &[&zoe.id]).await;
    zoe.connect().await;
    zoe.presence(Presence::Online).await;
    let to_team = Verb::Transfer(wire::Transfer { to_team: team.clone(), ..Default::default() });
    ben.command(&conversation, to_team).await.expect("the owner hands it on");
    assigned(&mut visitor, "Zoe").await;
    // To nobody at all.
    for nobody in ["d4s0q1h2q5k3v8m6n700", "nonsense"] {
        let to = wire::Transfer { to_agent: nobody.to_owned(), ..Default::default() };
        let refusal = zoe.command(&conversation, Verb::Transfer(to)).await.expect_err(nobody);
        assert_eq!(refusal.code, "session.target", "{nobody}");
    }
    nobody_is_left_waiting(&server).await;
}

#[tokio::test]
async fn a_take_over_keeps_the_former_owner_as_a_participant() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let mut ben = TestAgent::new(&server, "Ben", "agent").await;
    ben.connect().await;
    let over = || Verb::TakeOver(wire::TakeOver {});
    let refusal = ben.command(&conversation, over()).await.expect_err("no right");
    assert!(
        ["right.missing", "conversation.unknown"].contains(&refusal.code.as_str()),
        "{refusal:?}"
    );
    let mut boss = TestAgent::admin(&server).await;
    boss.command(&conversation, over()).await.expect("an admin may");
    let session = mei
        .live
        .pushed("the former owner hears of it", |frame| match frame {
            In::Session(update) => match update.event.as_ref()?.change.as_ref()? {
                Change::Assigned(assigned) if assigned.take_over => update.session.clone(),
                _ => None,
            },
            _ => None,
        })
        .await;
    assert_eq!(session.owner.map(|owner| owner.id), Some(boss.id.clone()));
    assert!(session.participants.iter().any(|participant| participant.id == mei.id));
    mei.say(&conversation, "I stay beside you").await;
    visitor.sees("I stay beside you").await;
    visitor.sees_system("session.taken_over").await;
}

#[tokio::test]
async fn a_closed_session_is_rated_reopened_and_followed_by_the_next() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let _ben = TestAgent::online(&server, "Ben").await;
    let rate = |rating| Verb::Rate(wire::Rate { rating, comment: "thanks".to_owned() });
    mei.command(&conversation, Verb::Close(wire::Close {})).await.expect("the owner closes");
    let closed = visitor.session("closed", |s| s.status() == SessionStatus::Closed).await;
    assert_eq!(closed.number, 1);
    let refusal = visitor.command(rate(6)).await.expect_err("out of range");
    assert_eq!(refusal.code, "session.value");
    visitor.command(rate(4)).await.expect("a closed session is rated");
    mei.command(&conversation, Verb::Reopen(wire::Reopen {})).await.expect("an agent reopens");
    visitor.session("open again", |s| s.number == 1 && s.status() == SessionStatus::Assigned).await;
    mei.command(&conversation, Verb::Close(wire::Close {})).await.expect("the owner closes");
    visitor.session("closed", |s| s.status() == SessionStatus::Closed).await;
    // The visitor is back: a new session in the same conversation, with the agent it knows.
    visitor.say("one more thing").await;
    let next = visitor
        .session("the next session", |s| s.number == 2 && s.status() == SessionStatus::Assigned)
        .await;
    assert_eq!(next.owner.map(|owner| owner.name).as_deref(), Some("Mei"));
    visitor.command(Verb::Close(wire::Close {})).await.expect("a visitor may close");
    let reason = mei
        .live
        .pushed("closed by the visitor", |frame| match frame {
            In::Session(update) => match update.event.as_ref()?.change.as_ref()? {
                Change::Closed(closed) if update.session.as_ref()?.number == 2 => {
                    Some(closed.reason())
                }
                _ => None,
            },
            _ => None,
        })
        .await;
    assert_eq!(reason, CloseReason::Visitor);
    nobody_is_left_waiting(&server).await;
}

#[tokio::test]
async fn an_agent_who_is_lost_hands_back_who_waits_and_keeps_the_others() {
    let server = TestServer::start(FRONTDESK).await;
    server.admin().set("routing.offline_grace_s", json!(5)).await;
    let (mut mei, mut answered, conversation) = pair(&server).await;
    mei.say(&conversation, "hello yourself").await;
    answered.sees("hello yourself").await;
    let mut waiting = TestVisitor::connect(&server).await;
    waiting.say("and me?").await;
    assigned(&mut waiting, "Mei").await;
    mei.lose();
    // Back within the grace time nothing happens: one tab of several, or a reload.
    mei.resume().await;
    mei.lose();
    let requeued = waiting.session("queued again", |s| s.status() == SessionStatus::Queued).await;
    assert!(
        requeued.waiting_since_ms > 0 && requeued.waiting_since_ms <= requeued.opened_at_ms + 1
    );
    // The desk hears of it a moment after the visitor.
    let kept = async || {
        let report = nobody_is_left_waiting(&server).await;
        let sessions = report["sessions"].as_array().expect("a list").iter();
        sessions.filter(|session| session["owner"] == json!(mei.id)).count()
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while kept().await != 1 {
        assert!(Instant::now() < deadline, "who was answered stays, and nobody else");
    }
    let _ben = TestAgent::online(&server, "Ben").await;
    assigned(&mut waiting, "Ben").await;
    answered.say("are you still there?").await;
    assigned(&mut answered, "Ben").await;
}

#[tokio::test]
async fn no_first_answer_in_time_brings_the_next_agent() {
    let server = TestServer::start(FRONTDESK).await;
    server.admin().set("routing.first_answer_s", json!(10)).await;
    let (_mei, mut visitor, _) = pair(&server).await;
    let _ben = TestAgent::online(&server, "Ben").await;
    assigned(&mut visitor, "Ben").await;
    nobody_is_left_waiting(&server).await;
}

#[tokio::test]
async fn a_silent_visitor_is_warned_and_the_session_closes_by_itself() {
    let server = TestServer::start(FRONTDESK).await;
    server.admin().set("session.idle_close_s", json!(60)).await;
    server.admin().set("session.idle_warn_s", json!(55)).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    mei.say(&conversation, "anything else?").await;
    visitor.live.patience = Duration::from_secs(90);
    visitor.sees_system("session.idle_warning").await;
    visitor.sees_system("session.closed_idle").await;
    let closed = visitor.session("closed", |s| s.status() == SessionStatus::Closed).await;
    assert!(closed.closed_at_ms - closed.last_agent_at_ms >= 60_000, "{closed:?}");
}

#[tokio::test]
async fn the_state_an_agent_chose_survives_a_reload_and_a_restart() {
    let mut server = TestServer::start(FRONTDESK).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    let mut tab = mei.another_tab();
    tab.connect().await;
    mei.presence(Presence::Away).await;
    tab.live
        .pushed("the other tab hears of it", |frame| match frame {
            In::Presence(update) => (update.presence() == Presence::Away).then_some(()),
            _ => None,
        })
        .await;
    mei.lose();
    mei.connect().await;
    assert_eq!(mei.welcome.presence(), Presence::Away);
    server.kill9().await;
    server.restart().await;
    mei.connect().await;
    assert_eq!(mei.welcome.presence(), Presence::Away);
}

#[tokio::test]
async fn a_feed_goes_on_where_it_was() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut mei, _visitor, _) = pair(&server).await;
    mei.lose();
    let mut another = TestVisitor::connect(&server).await;
    another.say("while you were away").await;
    another.queue_place("queued", |place| place.place == 1).await;
    mei.resume().await;
    assert!(mei.welcome.feed_recovered);
    let conversation = another.conversation.clone();
    let id = mei.id.clone();
    mei.listed(&conversation, &id).await;
}
