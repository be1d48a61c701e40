//! What visitors want: read from their first messages, shown to the team, and routed by. What an account says of its own
//! is in [`own`], what becomes of past sessions in [`past`].

mod own;
mod past;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use frontdesk_core::chat::{IntentSource, Session, SessionStatus};
use frontdesk_protocol::wire::{self, Presence, command::Command as Verb};
use frontdesk_testkit::{TestAgent, TestServer, TestVisitor};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::{FRONTDESK, chat::pair};

/// Rules that need no model, so that these tests say what routing does and not how well a model reads.
const RULES: &str = "
intents:
  sales: { team: Sales }
  complaint: { priority: urgent }
rules:
  - { intent: complaint, keywords: [compensation] }
  - { intent: sales, keywords: [报价, a quote] }
";

/// A server that sorts by a file.
async fn sorting_by(rules: &str) -> (TestServer, PathBuf, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("ai_router.yaml");
    fs::write(&file, rules).expect("it is ours");
    let builder = TestServer::builder(FRONTDESK).set("intent.router_file", file.display());
    let builder = builder.allow_error("the file is refused");
    (builder.start().await, file, dir)
}

/// Waits until the conversation's session is as wanted; the agent sees it in the list.
async fn listed_as(
    agent: &mut TestAgent,
    conversation: &str,
    what: &str,
    right: impl Fn(&Session) -> bool,
) -> Session {
    let row = agent
        .row(what, |row| {
            row.conversation == conversation && row.session.as_ref().is_some_and(&right)
        })
        .await;
    row.session.expect("it was looked at")
}

#[tokio::test]
async fn a_session_goes_to_the_team_its_intent_leads_to_before_anybody_else_gets_it() {
    let (server, _file, _dir) = sorting_by(RULES).await;
    let mut anybody = TestAgent::online(&server, "Mei").await;
    let mut seller = TestAgent::new(&server, "Ben", "agent").await;
    let team = server.admin().create_team("Sales", &[&seller.id]).await;
    seller.connect().await;
    seller.presence(Presence::Online).await;
    // A greeting first, as people do.
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("你好").await;
    visitor.say("在吗").await;
    visitor.say("我想要一份报价").await;
    let began = Instant::now();
    let conversation = visitor.conversation.clone();
    let of_sales = |session: &Session| session.intent == "sales" && session.owner.is_some();
    let session = listed_as(&mut seller, &conversation, "it is Ben's", of_sales).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(session.owner.as_ref().map(|owner| owner.name.as_str()), Some("Ben"));
    assert_eq!(
        (session.team.as_str(), session.intent_source()),
        (team.as_str(), IntentSource::Rule)
    );
    assert_eq!(session.intent_why, "报价");
    // The visitor hears nothing of it.
    let seen = visitor.session("assigned", |of| of.status() == SessionStatus::Assigned).await;
    assert_eq!((seen.intent.as_str(), seen.intent_why.as_str()), ("", ""));
    // What no intent is found in waits for two seconds, then goes to whoever is there.
    let mut other = TestVisitor::connect(&server).await;
    let began = Instant::now();
    other.say("zzz").await;
    let conversation = other.conversation.clone();
    listed_as(&mut anybody, &conversation, "somebody has it", |of| of.owner.is_some()).await;
    let took = began.elapsed();
    assert!(took > Duration::from_millis(1_500) && took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_later_complaint_raises_the_priority_and_a_persons_word_stands() {
    let (server, _file, _dir) = sorting_by(RULES).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    visitor.say("could you send me a quote").await;
    listed_as(&mut mei, &conversation, "sales", |of| of.intent == "sales").await;
    visitor.say("and I want compensation").await;
    let complaint = |of: &Session| of.intent == "complaint" && of.priority == 4;
    listed_as(&mut mei, &conversation, "an urgent complaint", complaint).await;
    let set = |intent: &str| Verb::SetIntent(wire::SetIntent { intent: intent.to_owned() });
    mei.command(&conversation, set("consult")).await.expect("agents correct intents");
    let by_mei = |of: &Session| of.intent == "consult";
    let session = listed_as(&mut mei, &conversation, "consult", by_mei).await;
    assert_eq!(session.intent_source(), IntentSource::Person);
    let normal = Verb::SetPriority(wire::SetPriority { priority: 2 });
    mei.command(&conversation, normal).await.expect("agents set priorities");
    visitor.say("compensation, I said").await;
    sleep(Duration::from_millis(2_500)).await;
    let view = server.admin().get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    let session = &view["row"]["session"];
    assert_eq!(
        (&session["intent"], &session["priority"]),
        (&json!("consult"), &json!(2)),
        "{view}"
    );
}

#[tokio::test]
async fn the_file_is_read_again_when_it_changes_and_a_bad_one_is_refused() {
    let (server, file, _dir) = sorting_by(RULES).await;
    let admin = server.admin();
    let tried = |text: &'static str| {
        let admin = &admin;
        async move {
            let tried = admin.post("/api/v1/intents/try", &json!({"text": text})).await.ok();
            tried["tried"].clone()
        }
    };
    assert_eq!(tried("a quote").await["intent"], "sales");
    write(&file, "rules:\n  - { intent: lead, keywords: [a quote] }\n");
    until("the new rule decides", || async { tried("a quote").await["intent"] == "lead" }).await;
    write(&file, "rules:\n  - { intent: x, regex: '(' }\n");
    let refused = server.logged("the file is refused").await;
    assert!(refused.contains("line=2") && refused.contains("regex"), "{refused}");
    assert_eq!(tried("a quote").await["intent"], "lead");
    // Half written, as an editor may leave it.
    write(&file, "rules:\n  - { intent: x, keywo");
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!(tried("a quote").await["step"], "rule");
}

#[tokio::test]
async fn a_bad_file_is_refused_at_the_start_with_its_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("ai_router.yaml");
    write(&file, "threshold:\n  complaint: 7\n");
    let data = dir.path().join("data");
    let arguments =
        ["serve", "--data-dir", data.to_str().expect("text"), "--listen", "127.0.0.1:0"];
    let variable = ("FRONTDESK__INTENT__ROUTER_FILE", file.to_str().expect("text"));
    let end = frontdesk_testkit::run_to_end(FRONTDESK, &arguments, &[variable]).await;
    let (status, said) = (end.status, end.stderr);
    assert!(!status.success(), "{said}");
    assert!(said.contains("line 2") && said.contains("between 0 and 1"), "{said}");
}

#[tokio::test]
async fn r27_without_a_model_the_session_goes_to_the_default_queue_within_two_seconds() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("ai_router.yaml");
    write(&file, RULES);
    let builder = TestServer::builder(FRONTDESK)
        .set("intent.router_file", file.display())
        .set("intent.model_dir", dir.path().join("nowhere").display())
        .allow_error("there is no intent model");
    let server = builder.start().await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    let mut visitor = TestVisitor::connect(&server).await;
    let began = Instant::now();
    visitor.say("where is my order").await;
    let conversation = visitor.conversation.clone();
    listed_as(&mut mei, &conversation, "Mei has it", |of| of.owner.is_some()).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let intents = server.admin().get("/api/v1/intents").await.ok();
    assert_eq!(intents["intents"]["has_model"], false, "{intents}");
    let body = json!({"text": "where is my order"});
    let tried = server.admin().post("/api/v1/intents/try", &body).await.ok();
    assert_eq!(tried["tried"]["trouble"], "missing", "{tried}");
}

#[tokio::test]
async fn the_model_in_the_box_reads_both_languages() {
    let server = TestServer::start(FRONTDESK).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    for (text, intent) in [
        (
            "这已经是我第三次催你们退款了，说好三天到账，现在都半个月了，太过分了，我要投诉！",
            "complaint",
        ),
        (
            "I was promised a refund two weeks ago and nothing has happened. This is unacceptable!",
            "complaint",
        ),
        ("请问怎么修改收货地址？", "consult"),
        ("How much is the annual plan for a team of twenty?", "sales"),
    ] {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say(text).await;
        let conversation = visitor.conversation.clone();
        let found = |of: &Session| !of.intent.is_empty();
        let session = listed_as(&mut mei, &conversation, text, found).await;
        assert_eq!(session.intent, intent, "{text}");
        assert_eq!(session.intent_source(), IntentSource::Model);
        assert!(session.intent_why.contains(intent), "{}", session.intent_why);
    }
    let intents = server.admin().get("/api/v1/intents").await.ok();
    assert_eq!(intents["intents"]["decided"]["model"], 4, "{intents}");
    assert!(server.metric("frontdesk_intent_decisions_total").await >= 4.0);
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).expect("it is ours");
}

async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let looking = async {
        while !is_so().await {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(20), looking).await.unwrap_or_else(|_| panic!("never: {what}"));
}
