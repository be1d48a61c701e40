//! The time machine where it is a rule of intents that changes: which past sessions would be sorted otherwise, and what
//! the bot would have made of that.

use std::time::Duration;

use frontdesk_protocol::wire::{self, command::Command as Verb};
use frontdesk_testkit::{TestAgent, TestServer, TestVisitor};
use serde_json::{Value, json};

use super::{by_bot, newest, replayed, with_bot};
use crate::eventually;

const WORDS: &str = "do you sell matcha by the crate";

/// A server whose bot was asked something that only a rule of one's own knows, and the conversation.
async fn asked() -> (TestServer, String) {
    let server = with_bot("answer").await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say(WORDS).await;
    visitor.live.until("the bot asks", "", |held| newest(held, |of, _| by_bot(of)).is_some()).await;
    (server, visitor.conversation.clone())
}

fn rules(intent: &str) -> Value {
    json!([{"intent": intent, "keywords": ["by the crate"]}])
}

#[tokio::test]
async fn a_changed_rule_shows_which_sessions_would_get_another_intent_and_team() {
    let (server, _) = asked().await;
    let admin = server.admin();
    let team = admin.create_team("Wholesale", &[]).await;
    let own = json!({"intents": {"bulk": {"team": team}}, "rules": rules("bulk")});
    let report = replayed(&admin, &json!({"sessions": 10, "intents": own}), 1).await;
    assert_eq!(report["changed"], 1, "{report}");
    let sorted = &report["sorted"][0];
    assert_eq!(sorted["question"], WORDS, "{report}");
    assert_eq!(sorted["after"], json!({"intent": "bulk", "team": team}), "{report}");
    assert_eq!(sorted["before"]["team"], "", "{report}");
    assert_ne!(sorted["before"]["intent"], "bulk", "{report}");
    // A complaint goes to people, and so would this session.
    let own = json!({"rules": rules("complaint")});
    let report = replayed(&admin, &json!({"sessions": 10, "intents": own}), 1).await;
    let row = &report["rows"][0];
    assert_eq!((&row["changed"], &row["question"]), (&json!(true), &json!(WORDS)), "{report}");
    assert_ne!(row["before"]["kind"], "handover", "{report}");
    let after = json!({"kind": "handover", "text": "complaint", "article": ""});
    assert_eq!(row["after"], after, "{report}");
    // What holds already changes nothing, and trying kept nothing.
    let own = json!({"own": {"rules": rules("bulk")}, "revision": 0});
    admin.put("/api/v1/intents", &own).await.ok();
    let wish = json!({"sessions": 10, "intents": own["own"]});
    let report = replayed(&admin, &wish, 1).await;
    assert_eq!((&report["changed"], &report["sorted"]), (&json!(0), &json!([])), "{report}");
    let report = replayed(&admin, &json!({"sessions": 10, "intents": {}}), 1).await;
    assert_eq!(report["sorted"][0]["before"]["intent"], "bulk", "{report}");
}

#[tokio::test]
async fn what_a_person_said_of_an_intent_stands() {
    let (server, conversation) = asked().await;
    let admin = server.admin();
    let wish = json!({"sessions": 10, "intents": {"rules": rules("complaint")}});
    let report = replayed(&admin, &wish, 1).await;
    assert_eq!(report["sorted"][0]["after"]["intent"], "complaint", "{report}");
    let mut mei = TestAgent::admin(&server).await;
    let set = Verb::SetIntent(wire::SetIntent { intent: "sales".to_owned() });
    mei.command(&conversation, set).await.expect("an admin corrects intents");
    eventually(Duration::from_secs(20), "the history knows what was said", async || {
        let report = admin.post("/api/v1/bot/replay", &wish).await.ok();
        report["sessions"] == 1 && report["sorted"] == json!([])
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_with_its_field() {
    let server = with_bot("answer").await;
    let admin = server.admin();
    let refused = async |wish: Value| admin.post("/api/v1/bot/replay", &wish).await;
    let nowhere = json!({"intents": {"bulk": {"team": "00000000000000000000"}}});
    let broken = json!({"rules": [{"intent": "bulk", "keywords": [], "regex": "("}]});
    for (wish, field) in [
        (json!({"sessions": 10, "intents": nowhere}), "intents.intents.bulk.team"),
        (json!({"sessions": 10, "intents": broken}), "intents"),
        (json!({"sessions": 10, "model": " "}), "model"),
        (json!({"sessions": 10, "model": "x".repeat(201)}), "model"),
    ] {
        let answer = refused(wish).await;
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (422, &json!(field)),
            "{}",
            answer.text
        );
    }
    // There is no model to be another one.
    for wish in [json!({"sessions": 10, "model": "tea-2"}), json!({"sessions": 10, "prompt": "x"})]
    {
        let answer = refused(wish).await;
        assert_eq!((answer.status, answer.code().as_str()), (409, "llm.off"), "{}", answer.text);
    }
    // A program that may not see how messages are sorted learns nothing of it here.
    let key = json!({"name": "a program", "rights": ["settings.bots"]});
    let made = admin.post("/api/v1/api-keys", &key).await.ok();
    let few = server.http.with_key(made["key"].as_str().expect("a key"));
    let wish = json!({"sessions": 10, "intents": {}});
    assert_eq!(few.post("/api/v1/bot/replay", &wish).await.status, 403);
    assert_eq!(few.post("/api/v1/bot/replay", &json!({"sessions": 10})).await.status, 200);
}
