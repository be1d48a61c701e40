//! What becomes of past sessions: shown to who may read them, replayed with other rules, and trained on where a person
//! knew better.

use std::fs;

use frontdesk_core::chat::Session;
use frontdesk_protocol::wire::{self, command::Command as Verb};
use frontdesk_testkit::{TestAgent, TestServer, TestVisitor};
use serde_json::{Value, json};

use super::{RULES, listed_as, sorting_by, until};
use crate::FRONTDESK;

/// A session that a rule took for sales, and in which Mei knew better.
async fn corrected(server: &TestServer, mei: &mut TestAgent) -> TestVisitor {
    let mut visitor = TestVisitor::connect(server).await;
    visitor.say("could you send me a quote").await;
    let conversation = visitor.conversation.clone();
    let sales = |of: &Session| of.intent == "sales" && of.owner.is_some();
    listed_as(mei, &conversation, "sales", sales).await;
    let set = Verb::SetIntent(wire::SetIntent { intent: "complaint".to_owned() });
    mei.command(&conversation, set).await.expect("agents correct intents");
    mei.say(&conversation, "I am sorry").await;
    visitor.say("and a quote from the boss, too").await;
    visitor
}

#[tokio::test]
async fn past_sessions_are_shown_with_what_was_read_of_them_and_what_a_person_said() {
    let (server, _file, _dir) = sorting_by(RULES).await;
    let admin = server.admin();
    let mut mei = TestAgent::online(&server, "Mei").await;
    let visitor = corrected(&server, &mut mei).await;
    let mut other = TestVisitor::connect(&server).await;
    other.say("zzz").await;
    let sessions = async |corrected: bool| {
        let path = format!("/api/v1/intents/sessions?days=1&corrected={corrected}");
        let page = admin.get(&path).await.ok();
        // Open ones, then those that are closed.
        let next = page["next"].as_str().expect("closed ones come next").to_owned();
        let rest = admin.get(&format!("{path}&cursor={next}")).await.ok();
        assert_eq!(
            (rest["sessions"].as_array().map(Vec::len), &rest["next"]),
            (Some(0), &Value::Null)
        );
        page["sessions"].as_array().expect("a list").clone()
    };
    until("the history has both", async || sessions(false).await.len() == 2).await;
    until("and the correction", async || sessions(true).await.len() == 1).await;
    let found = sessions(true).await;
    let [session] = found.as_slice() else { panic!("one was corrected: {found:?}") };
    assert_eq!(session["conversation"], visitor.conversation.as_str());
    let said = (&session["intent"], &session["source"], &session["found"]);
    assert_eq!(said, (&json!("complaint"), &json!("person"), &json!("sales")));
    let messages = session["messages"].as_array().expect("a list");
    assert_eq!(messages.len(), 1, "what came after the answer is not read: {messages:?}");
    assert_eq!(messages[0]["text"], "could you send me a quote");
    for (query, code) in [("days=0", 422), ("days=91", 422), ("days=1&cursor=x", 400), ("", 400)] {
        let refused = admin.get(&format!("/api/v1/intents/sessions?{query}")).await;
        assert_eq!(refused.status, code, "{query}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_file_is_tried_on_past_sessions_and_corrections_become_lines_to_train_on() {
    let (server, _file, dir) = sorting_by(RULES).await;
    let admin = server.admin();
    let mut mei = TestAgent::online(&server, "Mei").await;
    let _visitor = corrected(&server, &mut mei).await;
    let key = json!({"name": "replay", "rights": ["conversation.read.all", "settings.inboxes"]});
    let key = admin.post("/api/v1/api-keys", &key).await.ok()["key"].clone();
    let key_file = dir.path().join("key");
    fs::write(&key_file, key.as_str().expect("text")).expect("it is ours");
    let rules = dir.path().join("other.yaml");
    fs::write(&rules, "rules:\n  - { intent: complaint, keywords: [a quote] }\n").expect("ours");
    let out = dir.path().join("corrections.jsonl");
    let path = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    let address = format!("http://{}", server.address());
    let run = async |command: &[&str]| {
        let mut arguments = vec!["intent"];
        arguments.extend(command);
        let key = path(&key_file);
        arguments.extend(["--days", "1", "--server", &address, "--api-key-file", &key]);
        frontdesk_testkit::run_to_end(FRONTDESK, &arguments, &[]).await
    };
    let rules = path(&rules);
    until("the history has it", async || {
        let end = run(&["replay", "--router-file", &rules, "--json"]).await;
        assert!(end.status.success(), "{}", end.stderr);
        let replayed: Value = serde_json::from_str(&end.stdout).expect("one JSON object");
        let of = (&replayed["sessions"], &replayed["changed"], &replayed["moves"]);
        let right = (&replayed["corrected"]["right_before"], &replayed["corrected"]["right_after"]);
        of == (&json!(1), &json!(1), &json!([["sales", "complaint", 1]]))
            && right == (&json!(0), &json!(1))
    })
    .await;
    let end = run(&["replay"]).await;
    assert!(end.stdout.contains("sessions           1"), "{}", end.stdout);
    let lines = path(&out);
    let end = run(&["corrections", "--out", &lines]).await;
    assert!(
        end.status.success() && end.stdout.contains("1 texts"),
        "{} {}",
        end.stdout,
        end.stderr
    );
    let line: Value = serde_json::from_str(&fs::read_to_string(&out).expect("it was written"))
        .expect("one line of JSON");
    let wanted = json!({"text": "could you send me a quote", "label": "complaint", "lang": "en"});
    assert_eq!(line, wanted);
    // A key that may not, and none.
    fs::write(&key_file, "fdk_nobody").expect("it is ours");
    let end = run(&["replay"]).await;
    assert!(!end.status.success() && end.stderr.contains("401"), "{}", end.stderr);
    let end = frontdesk_testkit::run_to_end(FRONTDESK, &["intent", "replay"], &[]).await;
    assert!(!end.status.success() && end.stderr.contains("FRONTDESK_API_KEY"), "{}", end.stderr);
}
