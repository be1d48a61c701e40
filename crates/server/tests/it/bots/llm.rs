//! The language model: a local server that speaks the real protocol, well and badly. It answers where no article does,
//! streams, is paid for, and nobody waits for it who does not have to.

use std::time::Duration;

use frontdesk_core::chat::{self, Content, Entry, SessionStatus};
use frontdesk_protocol::wire::server_frame::Frame as In;
use frontdesk_testkit::{FakeLlm, Http, TestAgent, TestServer, TestVisitor, llm::Mode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::{FRONTDESK, ask_for_person, by_bot, hears, newest, says, switch_on, why};
use crate::heavy;

/// What no article answers.
pub(crate) const QUESTION: &str = "can you engrave my initials on a teapot";
/// What a visitor waits for a word of a model, and a little for the way to people.
pub(crate) const IN_HANDS_WITHIN: Duration = Duration::from_millis(2_500);
const KEY: &str = "sk-0123456789";

/// A server whose bot may ask a model, and that model.
async fn with_model(budget: u64) -> (TestServer, FakeLlm) {
    let model = FakeLlm::start().await;
    let builder = TestServer::builder(FRONTDESK)
        .set("outgoing.allow", r#"["127.0.0.1/32"]"#)
        .set("outgoing.any_port", true)
        .set("limits.visitor_rate_per_s", 1_000)
        .set("limits.visitor_burst", 1_000);
    let server = builder.start().await;
    switch_on(&server, "answer").await;
    configure(&server.admin(), &model, json!({"day_tokens_max": budget})).await;
    (server, model)
}

/// Connects the model, with limits that nothing here comes near but the visitors' own.
pub(crate) async fn configure(admin: &Http, model: &FakeLlm, more: Value) -> Value {
    let revision = admin.get("/api/v1/llm").await.ok()["revision"].clone();
    let mut body = json!({
        "revision": revision, "base_url": model.base_url(), "model": "tea-1", "key": KEY,
        "features": {"answers": true, "summary": true, "rewrite": true, "translate": false},
        "conversation_tokens_max": 100_000, "day_tokens_max": 100_000, "timeout_ms": 20_000,
        "prompt": "We are Spruce Tea.",
    });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    admin.put("/api/v1/llm", &body).await.ok()
}

#[tokio::test]
async fn an_answer_of_the_model_grows_before_the_visitors_eyes_and_says_what_it_took() {
    let (server, model) = with_model(100_000).await;
    let mut mei = TestAgent::admin(&server).await;
    let pieces = ["We engrave ", "up to three ", "letters on ", "any teapot."];
    let pieces = pieces.map(ToOwned::to_owned).to_vec();
    model.set(Mode::Normal { pieces, pause: Duration::from_millis(250) });
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say(QUESTION).await;
    let grown = |frame: &frontdesk_protocol::wire::ServerFrame| match &frame.frame {
        Some(In::Draft(draft)) if draft.text.starts_with("We engrave") => Some(draft.text.clone()),
        _ => None,
    };
    let part = visitor.live.wait_for("a part of the answer", grown).await;
    assert!(part.len() < "We engrave up to three letters on any teapot.".len(), "{part}");
    hears(&mut visitor, "We engrave up to three letters on any teapot.").await;
    let asked = model.requests().last().cloned().expect("it was asked");
    assert_eq!(asked.authorization(), Some("Bearer sk-0123456789"));
    assert!(asked.prompt().contains(QUESTION) && asked.prompt().contains("We are Spruce Tea."));
    let conversation = visitor.conversation.clone();
    mei.open(&conversation).await.expect("an admin reads everything");
    let why = why(&mut mei, &conversation).await;
    assert_eq!((&why["kind"], &why["model"]), (&json!("llm"), &json!("tea-1")), "{why}");
    assert!(why["tokens"].as_str().is_some_and(|tokens| tokens != "0"), "{why}");
    // It is written down what it cost.
    let spent = async {
        loop {
            let spend = server.admin().get("/api/v1/llm/spend?days=1").await.ok();
            if spend["today_tokens"].as_u64().is_some_and(|tokens| tokens > 0) {
                return spend;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let spend = timeout(Duration::from_secs(20), spent).await.expect("it is written down");
    assert_eq!(spend["days"][0]["requests"], 1, "{spend}");
}

#[tokio::test]
async fn s12_what_the_model_says_is_plain_text_without_addresses_of_its_own() {
    let (server, model) = with_model(100_000).await;
    model.set(Mode::says(
        "<img src=x onerror=alert(1)>We do. See [our page](https://evil.example/?q=secret) <b>now</b>.",
    ));
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say(QUESTION).await;
    let entry = hears(&mut visitor, "We do.").await;
    let content = super::content(&entry).expect("it says something");
    assert!(!says(content, "<") && !says(content, "evil.example"), "{content:?}");
}

#[tokio::test]
async fn r27_a_model_that_fails_hangs_or_babbles_keeps_nobody_waiting() {
    let (server, model) = with_model(10_000_000).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    for mode in [
        Mode::status(500),
        Mode::Garbage,
        Mode::HangBeforeHeaders,
        Mode::HangMidStream,
        Mode::Redirect("http://127.0.0.1:1/".to_owned()),
    ] {
        let shown = format!("{mode:?}");
        model.set(mode);
        let mut visitor = TestVisitor::connect(&server).await;
        let began = Instant::now();
        visitor.say(QUESTION).await;
        let said = |entry: &Entry, _: &Content| by_bot(entry);
        visitor.live.until(&shown, "", |held| newest(held, said).is_some()).await;
        // What a visitor waits for a word is two seconds, and all of an answer has twenty.
        assert!(began.elapsed() < Duration::from_secs(8), "{shown}: {:?}", began.elapsed());
        mei.listed(&visitor.conversation.clone(), &mei.id.clone()).await;
        mei.command(&visitor.conversation, close()).await.expect("it is hers");
    }
    // It failed so often that it is left alone: people get the session at once.
    let mut visitor = TestVisitor::connect(&server).await;
    let asked = model.requests().len();
    let began = Instant::now();
    visitor.say(QUESTION).await;
    mei.listed(&visitor.conversation.clone(), &mei.id.clone()).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(model.requests().len(), asked, "the circuit is open");
}

/// Waits until Mei has a visitor's session.
pub(crate) async fn is_meis(visitor: &mut TestVisitor) {
    let has = |of: &chat::Session| of.owner.as_ref().is_some_and(|owner| owner.name == "Mei");
    visitor.session("Mei has it", has).await;
}

#[tokio::test]
async fn r27_a_model_that_says_nothing_leaves_the_session_to_people_in_two_seconds() {
    let _alone = heavy().await;
    let (server, model) = with_model(10_000_000).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    let pause = Duration::from_millis(50);
    for mode in [
        Mode::HangBeforeHeaders,
        Mode::HangAfterHeaders,
        Mode::HangMidStream,
        Mode::Repeat { chunk: ": keep-alive\n\n".to_owned(), pause },
        Mode::deltas(&json!({"content": ""}), pause),
        Mode::deltas(&json!({"reasoning_content": "Let me think. "}), pause),
    ] {
        // A change of the settings closes the circuit.
        configure(&server.admin(), &model, json!({})).await;
        model.set(mode.clone());
        let asked = model.requests().len();
        // The quickest of three: other tests are at work beside this one.
        let mut quickest = Duration::MAX;
        for _ in 0..3 {
            let mut visitor = TestVisitor::connect(&server).await;
            let began = Instant::now();
            visitor.say(QUESTION).await;
            is_meis(&mut visitor).await;
            quickest = quickest.min(began.elapsed());
            mei.listed(&visitor.conversation.clone(), &mei.id.clone()).await;
            mei.command(&visitor.conversation, close()).await.expect("it is hers");
            if quickest <= IN_HANDS_WITHIN {
                break;
            }
        }
        assert!(model.requests().len() > asked, "{mode:?}: it was not asked");
        let range = Duration::from_millis(1_900)..=IN_HANDS_WITHIN;
        assert!(range.contains(&quickest), "{mode:?}: {quickest:?}");
    }
}

#[tokio::test]
async fn a_late_answer_is_not_spoken_over_a_person() {
    let (server, model) = with_model(10_000_000).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    // The answer of one comes a second after people got the session.
    let pieces = vec!["We engrave.".to_owned()];
    model.set(Mode::Normal { pieces, pause: Duration::from_secs(3) });
    let mut late = TestVisitor::connect(&server).await;
    late.say(QUESTION).await;
    is_meis(&mut late).await;
    // The other one's begins, and is not yet over when the visitor leaves the bot.
    let pieces = vec!["We engrave. ".to_owned(); 20];
    model.set(Mode::Normal { pieces, pause: Duration::from_millis(100) });
    let mut left = TestVisitor::connect(&server).await;
    left.say(QUESTION).await;
    let speaks = |frame: &In| match frame {
        In::Draft(draft) => draft.text.contains("engrave").then_some(()),
        _ => None,
    };
    left.live.pushed("the answer begins", speaks).await;
    left.command(ask_for_person()).await.expect("a visitor may always");
    is_meis(&mut left).await;
    // By then both would have been said.
    sleep(Duration::from_secs(3)).await;
    for visitor in [&mut late, &mut left] {
        let conversation = visitor.conversation.clone();
        mei.open(&conversation).await.expect("it is hers");
        mei.say(&conversation, "Hello, this is Mei.").await;
        visitor.sees("Hello, this is Mei.").await;
        let spoken = |entry: &Entry, content: &Content| by_bot(entry) && says(content, "engrave");
        assert_eq!(newest(visitor.held(), spoken), None);
    }
    assert!(late.live.kept().all(|frame| speaks(frame).is_none()), "not a word of it was shown");
}

fn close() -> frontdesk_protocol::wire::command::Command {
    frontdesk_protocol::wire::command::Command::Close(frontdesk_protocol::wire::Close {})
}

#[tokio::test]
async fn people_chat_as_ever_while_the_model_hangs() {
    let (server, model) = with_model(10_000_000).await;
    configure(&server.admin(), &model, json!({"timeout_ms": 20_000})).await;
    model.set(Mode::HangMidStream);
    let mut waiting = Vec::new();
    for _ in 0..12 {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say(QUESTION).await;
        waiting.push(visitor);
    }
    model.wait_for_requests(4).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("I need a human").await;
    let conversation = visitor.conversation.clone();
    mei.listed(&conversation, &mei.id.clone()).await;
    let mut slowest = Duration::ZERO;
    for number in 0..100 {
        let began = Instant::now();
        visitor.say(&format!("message {number}")).await;
        slowest = slowest.max(began.elapsed());
    }
    // Far below any time limit of the model; tests run on busy machines.
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    // And who waits for the model reaches a person by one click, at once.
    let mut stuck = waiting.pop().expect("there are twelve");
    stuck.command(ask_for_person()).await.expect("a visitor may always");
    stuck
        .session("in people's hands", |of| {
            of.status() == SessionStatus::Queued
                || of.owner.as_ref().is_some_and(|owner| owner.name == "Mei")
        })
        .await;
}

#[tokio::test]
async fn a_day_without_tokens_is_a_hard_stop() {
    let (server, model) = with_model(1).await;
    model.set(Mode::says("We do."));
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say(QUESTION).await;
    let said = |entry: &Entry, _: &Content| by_bot(entry);
    visitor.live.until("an answer", "", |held| newest(held, said).is_some()).await;
    assert!(model.requests().is_empty(), "nothing was asked");
}

#[tokio::test]
async fn agents_are_helped_where_that_is_switched_on() {
    let (server, model) = with_model(100_000).await;
    let mut mei = TestAgent::online(&server, "Mei").await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("I need a human, my parcel is wet").await;
    let conversation = visitor.conversation.clone();
    mei.listed(&conversation, &mei.id.clone()).await;
    let path = format!("/api/v1/conversations/{conversation}/assist");
    model.set(Mode::says("We are sorry about that."));
    let wish = json!({"kind": "rewrite", "text": "sry about that", "language": "en"});
    let helped = mei.http.post(&path, &wish).await.ok();
    assert_eq!(helped["text"], "We are sorry about that.");
    model.set(Mode::says("The parcel came wet."));
    let helped = mei.http.post(&path, &json!({"kind": "summary", "language": "en"})).await.ok();
    assert_eq!(helped["text"], "The parcel came wet.");
    let prompt = model.requests().last().expect("it was asked").prompt();
    assert!(prompt.contains("my parcel is wet"), "{prompt}");
    // What it was about stands there for whoever comes next, when it ends.
    mei.open(&conversation).await.expect("it is hers");
    for said in ["how wet?", "is the tea dry?"] {
        mei.say(&conversation, said).await;
    }
    mei.command(&conversation, close()).await.expect("it is hers");
    mei.sees(&conversation, "Summary: The parcel came wet.").await;
    let off = json!({"kind": "translate", "text": "hello", "language": "zh-CN"});
    let refused = mei.http.post(&path, &off).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "llm.off"), "{}", refused.text);
    model.set(Mode::status(500));
    let failed = mei.http.post(&path, &wish).await;
    assert_eq!((failed.status, failed.code().as_str()), (502, "llm.failed"), "{}", failed.text);
    // Of what one may not read nothing is asked.
    let ben = TestAgent::new(&server, "Ben", "agent").await;
    let refused = ben.http.post(&path, &wish).await;
    assert_eq!(refused.status, 404, "{}", refused.text);
}

/// The day's tokens once they are more than before: what is spent is written down behind.
async fn spent(admin: &Http, before: u64) -> u64 {
    let more = async {
        loop {
            let spend = admin.get("/api/v1/llm/spend?days=1").await.ok();
            if let Some(tokens) = spend["today_tokens"].as_u64().filter(|now| *now > before) {
                return tokens;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(20), more).await.expect("it is written down")
}

#[tokio::test]
async fn what_a_conversation_may_cost_holds_over_a_kill_of_the_server() {
    let (mut server, model) = with_model(100_000).await;
    // One question and its answer, and no second one.
    configure(&server.admin(), &model, json!({"conversation_tokens_max": 2_000})).await;
    model.set(Mode::says(&"We do. ".repeat(500)));
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say(QUESTION).await;
    hears(&mut visitor, "We do.").await;
    spent(&server.admin(), 0).await;
    assert_eq!(model.requests().len(), 1);
    server.kill9().await;
    server.restart().await;
    visitor.connect_by_ticket().await;
    visitor.say("and can you engrave a poem on the lid").await;
    visitor
        .session("in people's hands", |of| {
            of.status() == SessionStatus::Queued && of.owner.is_none()
        })
        .await;
    assert_eq!(model.requests().len(), 1, "its tokens are spent");
    // Others have theirs.
    let mut other = TestVisitor::connect(&server).await;
    other.say(QUESTION).await;
    hears(&mut other, "We do.").await;
    assert_eq!(model.requests().len(), 2);
}

#[tokio::test]
async fn another_model_of_the_endpoint_is_tried_on_questions_of_before() {
    let (server, model) = with_model(100_000).await;
    model.set(Mode::ModelName);
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say(QUESTION).await;
    hears(&mut visitor, "tea-1").await;
    let before = spent(&server.admin(), 0).await;
    let asked = model.requests().len();
    let wish = json!({"sessions": 10, "model": "tea-2", "prompt": "Speak like a pirate."});
    let report = super::replayed(&server.admin(), &wish, 1).await;
    let row = &report["rows"][0];
    assert_eq!((&report["changed"], &row["changed"]), (&json!(1), &json!(true)), "{report}");
    assert_eq!(row["before"], json!({"kind": "llm", "text": "tea-1", "article": ""}), "{report}");
    assert_eq!(row["after"], json!({"kind": "llm", "text": "tea-2", "article": ""}), "{report}");
    let requests = model.requests().split_off(asked);
    let of = |name: &str, words: &str| {
        let asked = requests.iter().filter(|of| of.body["model"] == name);
        asked.filter(|of| of.prompt().contains(words)).count()
    };
    // Each with its own prompt; the history may have been asked for more than once.
    let (now, other) = (of("tea-1", "We are Spruce Tea."), of("tea-2", "Speak like a pirate."));
    assert!(now >= 1 && now == other && now + other == requests.len(), "{requests:?}");
    assert!(requests.iter().all(|of| of.authorization() == Some("Bearer sk-0123456789")));
    spent(&server.admin(), before).await;
    // Nothing of it is kept.
    assert_eq!(server.admin().get("/api/v1/llm").await.ok()["model"], "tea-1");
    // The day's tokens are a hard stop here as well.
    configure(&server.admin(), &model, json!({"day_tokens_max": 1})).await;
    let asked = model.requests().len();
    let report = super::replayed(&server.admin(), &wish, 1).await;
    assert_eq!(model.requests().len(), asked, "{report}");
    let text = report["rows"][0]["after"]["text"].as_str().expect("text");
    assert!(text.contains("day"), "{report}");
}

#[tokio::test]
async fn a_changed_prompt_is_tried_on_questions_of_before() {
    let (server, model) = with_model(100_000).await;
    model.set(Mode::says("We do."));
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say(QUESTION).await;
    hears(&mut visitor, "We do.").await;
    let asked = model.requests().len();
    let wish = json!({"sessions": 10, "prompt": "Speak like a pirate."});
    let report = super::replayed(&server.admin(), &wish, 1).await;
    assert_eq!(report["rows"][0]["after"], json!({"kind": "llm", "text": "We do.", "article": ""}));
    let prompts: Vec<String> =
        model.requests()[asked..].iter().map(frontdesk_testkit::llm::Asked::prompt).collect();
    // The history may have been asked for more than once.
    let tried = |words: &str| prompts.iter().filter(|prompt| prompt.contains(words)).count();
    assert!(tried("Speak like a pirate.") >= 1 && tried("We are Spruce Tea.") >= 1, "{prompts:?}");
}
