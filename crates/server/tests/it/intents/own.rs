//! What an account says of intents on top of the file: thresholds, rules, targets, and the skills its agents have.

use std::time::Duration;

use frontdesk_core::chat::Session;
use frontdesk_protocol::wire::Presence;
use frontdesk_testkit::{Http, TestAgent, TestServer, TestVisitor};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{RULES, listed_as, sorting_by, until};
use crate::FRONTDESK;

/// Says something for the account, and waits until new sessions are sorted by it.
async fn say(admin: &Http, own: &Value) -> Value {
    let now = admin.get("/api/v1/intents").await.ok();
    let body = json!({"own": own, "revision": now["intents"]["revision"]});
    admin.put("/api/v1/intents", &body).await.ok()["intents"].clone()
}

#[tokio::test]
async fn an_account_changes_thresholds_rules_and_targets_for_itself_and_for_one_inbox() {
    let (server, _file, _dir) = sorting_by(RULES).await;
    let admin = server.admin();
    let inbox = admin.get("/api/v1/inboxes").await.ok()["inboxes"][0]["id"].clone();
    let inbox = inbox.as_str().expect("text");
    let own = json!({
        "threshold": {"consult": 1.0},
        "rules": [{"intent": "vip", "keywords": ["a quote"]}],
        "inboxes": {inbox: {"threshold": {"consult": 0.01}}},
    });
    let shown = say(&admin, &own).await;
    assert_eq!(shown["revision"], 1, "{shown}");
    assert_eq!(shown["own"]["threshold"], json!({"consult": 1.0}));
    assert_eq!(shown["inherited"]["thresholds"]["consult"], 0.65, "the file's");
    assert_eq!(shown["rules"][0]["intent"], "vip");
    assert_eq!(shown["inherited"]["rules"][0]["intent"], "complaint");
    let here = admin.get(&format!("/api/v1/intents?inbox={inbox}")).await.ok()["intents"].clone();
    assert_eq!(here["thresholds"]["consult"], 0.01, "{here}");
    assert_eq!(here["inherited"]["thresholds"]["consult"], 1.0, "{here}");
    let tried = async |text: &str, inbox: Option<&str>| {
        let body = json!({"text": text, "inbox": inbox});
        admin.post("/api/v1/intents/try", &body).await.ok()["tried"].clone()
    };
    // Its own rules come before those of the file.
    assert_eq!(tried("a quote please", None).await["intent"], "vip");
    assert_eq!(tried("我想要一份报价", None).await["intent"], "sales");
    let question = "How do I change the delivery address?";
    assert_eq!(tried(question, None).await["intent"], Value::Null);
    assert_eq!(tried(question, Some(inbox)).await["intent"], "consult");
    // And visitors' messages are sorted so, five seconds later at the latest.
    let mut mei = TestAgent::online(&server, "Mei").await;
    let found = |of: &Session| !of.intent.is_empty();
    let began = Instant::now();
    loop {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("could I get a quote").await;
        let conversation = visitor.conversation.clone();
        let session = listed_as(&mut mei, &conversation, "sorted", found).await;
        if session.intent == "vip" {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "still {}", session.intent);
    }
}

#[tokio::test]
async fn what_cannot_hold_is_refused_by_name_and_changes_nothing() {
    let (server, _file, _dir) = sorting_by(RULES).await;
    let admin = server.admin();
    say(&admin, &json!({"threshold": {"sales": 0.5}})).await;
    let nobody = "d5k2v8q0000000000000";
    for (own, field, words) in [
        (json!({"threshold": {"sales": 1.5}}), "own", "1.5"),
        (json!({"threshold": {"buying": 0.5}}), "own", "buying"),
        (json!({"rules": [{"intent": "x", "regex": "("}]}), "own", "regex"),
        (json!({"rules": [{"intent": "other", "keywords": ["x"]}]}), "own", "other"),
        (json!({"intents": {"sales": {"priority": "highest"}}}), "own", "highest"),
        (json!({"intents": {"sales": {"team": "Sales"}}}), "own.intents.sales.team", "team"),
        (json!({"inboxes": {nobody: {}}}), "own.inboxes", "inbox"),
    ] {
        let refused = admin.put("/api/v1/intents", &json!({"own": own, "revision": 1})).await;
        assert_eq!(refused.status, 422, "{own}: {}", refused.text);
        let problem: Value = serde_json::from_str(&refused.text).expect("JSON");
        let named = problem["field"].as_str().unwrap_or_default();
        assert!(named.starts_with(field), "{own}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|said| said.contains(words)), "{problem}");
    }
    let late = admin.put("/api/v1/intents", &json!({"own": {}, "revision": 0})).await;
    assert_eq!(late.status, 412, "{}", late.text);
    let now = admin.get("/api/v1/intents").await.ok()["intents"].clone();
    assert_eq!((&now["revision"], &now["thresholds"]["sales"]), (&json!(1), &json!(0.5)));
}

#[tokio::test]
async fn what_is_said_of_a_team_that_is_gone_can_be_sent_back() {
    let (server, _file, _dir) = sorting_by(RULES).await;
    let admin = server.admin();
    let team = admin.create_team("Returns", &[]).await;
    say(&admin, &json!({"intents": {"refund": {"team": team, "priority": "low"}}})).await;
    assert_eq!(admin.delete(&format!("/api/v1/teams/{team}")).await.status, 204);
    let now = admin.get("/api/v1/intents").await.ok()["intents"].clone();
    let lead = &now["own"]["intents"]["refund"];
    assert_eq!((&lead["team"], &lead["priority"]), (&Value::Null, &json!("low")), "{now}");
    assert_eq!(say(&admin, &now["own"]).await["revision"], 2);
}

#[tokio::test]
async fn a_session_comes_to_who_has_the_skills_its_intent_wishes_for() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let mut skilled = TestAgent::new(&server, "Mei", "agent").await;
    let mut other = TestAgent::new(&server, "Ben", "agent").await;
    let path = format!("/api/v1/users/{}", skilled.id);
    let changed = admin.patch(&path, &json!({"skills": ["Refunds", "中文"]})).await.ok();
    assert_eq!(changed["skills"], json!(["refunds", "中文"]));
    let own = json!({
        "rules": [{"intent": "refund", "keywords": ["money back"]}],
        "intents": {"refund": {"skills": ["refunds"], "priority": "high"}},
    });
    say(&admin, &own).await;
    // Ben has nothing to do, Mei has two conversations: without a wish Ben would be chosen.
    skilled.connect().await;
    skilled.presence(Presence::Online).await;
    let mut before = Vec::new();
    for _ in 0..2 {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("zzz").await;
        let conversation = visitor.conversation.clone();
        listed_as(&mut skilled, &conversation, "Mei's", |of| of.owner.is_some()).await;
        before.push(visitor);
    }
    other.connect().await;
    other.presence(Presence::Online).await;
    until("what is said holds for messages", async || {
        let body = json!({"text": "I want my money back"});
        let tried = admin.post("/api/v1/intents/try", &body).await.ok();
        tried["tried"]["target"]["skills"] == json!(["refunds"])
    })
    .await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("I want my money back").await;
    let conversation = visitor.conversation.clone();
    let taken = |of: &Session| of.intent == "refund" && of.owner.is_some();
    let session = listed_as(&mut skilled, &conversation, "a refund", taken).await;
    let owner = session.owner.as_ref().map(|owner| owner.name.as_str());
    assert_eq!((owner, session.priority), (Some("Mei"), 3));
}
