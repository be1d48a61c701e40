//! Words that must not pass: rules of an account on the way of everything that is said, and what becomes of what they
//! find. Which texts a rule finds is tested in the router.

use std::{fs, path::Path, time::Duration};

use frontdesk_core::chat::{SessionStatus, TimelineItem, timeline_item::Item};
use frontdesk_protocol::wire::{
    self, client_frame::Frame as Out, command::Command as Verb, server_frame::Frame as In,
};
use frontdesk_testkit::{
    Http, TestAgent, TestServer, TestVisitor, live::message_id, run_to_end, server::PASSWORD,
    timeline::text_of,
};
use serde_json::{Value, json};

use crate::{FRONTDESK, chat::pair, eventually};

const CARD: &str = "4111 1111 1111 1111";

fn rules() -> Value {
    json!([
        {"name": "rude", "kind": "words", "words": ["damn", "混蛋"], "action": "mask", "applies_to": "everyone"},
        {"name": "gambling", "kind": "words", "words": ["lottery", "赌博"], "action": "refuse", "applies_to": "visitors"},
        {"name": "promises", "kind": "words", "words": ["guarantee"], "action": "flag", "applies_to": "team"},
        {"name": "codes", "kind": "pattern", "pattern": "(?i)code-[0-9]{4}", "action": "mask", "applies_to": "everyone"},
        {"name": "cards", "kind": "card", "action": "mask", "applies_to": "everyone"},
    ])
}

async fn set(http: &Http, rules: Value) {
    let revision = http.get("/api/v1/words").await.ok()["revision"].clone();
    http.put("/api/v1/words", &json!({"revision": revision, "rules": rules})).await.ok();
}

/// A server whose account has the rules of these tests.
async fn screened() -> TestServer {
    let server = TestServer::start(FRONTDESK).await;
    set(&server.admin(), rules()).await;
    server
}

/// The hits as (rule, action, kind of who), the oldest first, once there are so many.
async fn hits(http: &Http, count: usize) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    eventually(Duration::from_secs(10), "the hits are written", async || {
        let page = http.get("/api/v1/words/hits").await.ok();
        let word = |value: &Value| value.as_str().expect("a word").to_owned();
        let hits = page["hits"].as_array().expect("hits").iter();
        let hit =
            |hit: &Value| (word(&hit["rule"]), word(&hit["action"]), word(&hit["by"]["kind"]));
        found = hits.map(hit).collect();
        found.len() >= count
    })
    .await;
    found.reverse();
    found
}

fn hit(rule: &str, action: &str, kind: &str) -> (String, String, String) {
    (rule.to_owned(), action.to_owned(), kind.to_owned())
}

#[tokio::test]
async fn what_visitors_and_agents_say_is_masked_refused_and_flagged() {
    let server = screened().await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    visitor.say(&format!("Damn, my card is {CARD}")).await;
    mei.sees(&conversation, "****, my card is **** **** **** 1111").await;
    let refused = visitor.try_say(&message_id(), "来赌*博").await.expect_err("it is refused");
    assert_eq!((refused.code.as_str(), refused.detail.as_str()), ("message.refused", "gambling"));
    mei.say(&conversation, "a lottery? I guarantee code-1234").await;
    visitor.sees("a lottery? I guarantee *********").await;
    mei.note(&conversation, "what a 混 蛋").await;
    let history = texts(&server.admin(), &conversation).await;
    assert_eq!(history.last().map(String::as_str), Some("what a ***"));
    assert_eq!(
        hits(&server.admin(), 6).await,
        [
            hit("rude", "mask", "visitor"),
            hit("cards", "mask", "visitor"),
            hit("gambling", "refuse", "visitor"),
            hit("promises", "flag", "agent"),
            hit("codes", "mask", "agent"),
            hit("rude", "mask", "agent"),
        ]
    );
    let page = server.admin().get("/api/v1/words/hits").await;
    let newest = &page.ok()["hits"][0];
    assert_eq!(
        (&newest["conversation"], &newest["by"]["id"], &newest["by"]["name"]),
        (&json!(conversation), &json!(mei.id), &json!("Mei"))
    );
    for said in ["damn", "1111", "赌", "guarantee", "1234"] {
        assert!(!page.text.contains(said), "{said} in {}", page.text);
    }
}

#[tokio::test]
async fn whoever_sends_again_gets_the_same_answer_and_is_told_of_once() {
    let server = screened().await;
    let (_mei, mut visitor, conversation) = pair(&server).await;
    let (masked, refused) = (message_id(), message_id());
    let first = visitor.try_say(&masked, "damn it").await.expect("it is masked");
    let again = visitor.try_say(&masked, "damn it").await.expect("it is a repeat");
    assert_eq!((&first.position, &first.id), (&again.position, &again.id));
    for _ in 0..2 {
        let refusal = visitor.try_say(&refused, "lottery").await.expect_err("it is refused");
        assert_eq!(
            (refusal.code.as_str(), refusal.detail.as_str()),
            ("message.refused", "gambling")
        );
    }
    // By HTTP as well.
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let message =
        |body: &str| json!({"client_msg_id": "000102030405060708090a0b0c0d0e0f", "text": body});
    let answer = visitor.http().post(&path, &message("the lottery")).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (422, "message.refused"),
        "{}",
        answer.text
    );
    visitor.say("code-9999").await;
    let told = hits(&server.admin(), 4).await;
    let rules: Vec<&str> = told.iter().map(|(rule, ..)| rule.as_str()).collect();
    assert_eq!(rules, ["rude", "gambling", "gambling", "codes"]);
}

#[tokio::test]
async fn rules_change_at_once_and_a_bad_one_changes_nothing() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let nothing = admin.get("/api/v1/words").await.ok();
    assert_eq!(nothing, json!({"revision": 0, "rules": []}));
    visitor.say("one damn thing").await;
    mei.sees(&conversation, "one damn thing").await;
    set(&admin, rules()).await;
    visitor.say("two damn things").await;
    mei.sees(&conversation, "two **** things").await;
    let stale = admin.put("/api/v1/words", &json!({"revision": 0, "rules": []})).await;
    assert_eq!(stale.code(), "request.precondition", "{}", stale.text);
    let mut bad = rules();
    bad[3]["pattern"] = json!("code-([0-9]{4}");
    let refused = admin.put("/api/v1/words", &json!({"revision": 1, "rules": bad})).await;
    let problem = refused.json();
    assert_eq!((refused.status, &problem["field"]), (422, &json!("rules[3].pattern")), "{problem}");
    let detail = problem["detail"].as_str().expect("a reason");
    assert!(detail.contains("at character 6") && detail.contains("unclosed"), "{detail}");
    visitor.say("three damn things").await;
    mei.sees(&conversation, "three **** things").await;
    let tried = json!({"text": "damn, the lottery", "by": "visitor"});
    assert_eq!(
        admin.post("/api/v1/words/try", &tried).await.ok(),
        json!({"text": "****, the lottery", "refused": true, "flags": [], "rules": ["rude", "gambling"]})
    );
    set(&admin, json!([])).await;
    visitor.say("four damn things").await;
    mei.sees(&conversation, "four damn things").await;
    // Rules are nobody's business who does not set up the account.
    let answer = mei.http.get("/api/v1/words").await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "right.missing"));
}

#[tokio::test]
async fn ten_thousand_words_can_hold_and_are_kept_over_a_restart() {
    let mut server = TestServer::start(FRONTDESK).await;
    let words: Vec<String> = (0..10_000).map(|number| format!("词{number}尾")).collect();
    let rule = |name: &str, words: &[String]| json!({"name": name, "kind": "words", "words": words, "action": "refuse", "applies_to": "visitors"});
    set(&server.admin(), json!([rule("many", &words)])).await;
    let more = json!({"revision": 1, "rules": [rule("many", &words), rule("more", &words[..1])]});
    let refused = server.admin().put("/api/v1/words", &more).await;
    assert_eq!(refused.json()["field"], "rules[1].words", "{}", refused.text);
    server.kill9().await;
    server.restart().await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("词1").await;
    let refused = visitor.try_say(&message_id(), "是词9999尾吗").await.expect_err("it is refused");
    assert_eq!(refused.detail, "many");
}

#[tokio::test]
async fn notes_of_transfers_comments_of_ratings_and_names_of_files_are_looked_at() {
    let server = screened().await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let upload = |name: &str| format!("/api/v1/conversations/{conversation}/uploads?name={name}");
    let http = visitor.http();
    let send = async |name: &str| {
        let request = http.request(reqwest::Method::POST, &upload(name));
        http.send(request.body(b"words".to_vec())).await
    };
    let stored = send("damn%204111111111111111.txt").await.ok();
    assert_eq!(stored["name"], "____ ____________1111.txt");
    let refused = send("lottery.txt").await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "message.refused"));
    let mut ben = TestAgent::online(&server, "Ben").await;
    let to_ben = Verb::Transfer(wire::Transfer {
        to_agent: ben.id.clone(),
        to_team: String::new(),
        note: "a damn hard one".to_owned(),
    });
    mei.command(&conversation, to_ben).await.expect("the owner hands it on");
    ben.listed(&conversation, &ben.id.clone()).await;
    ben.open(&conversation).await.expect("it is Ben's now");
    ben.sees(&conversation, "a **** hard one").await;
    ben.command(&conversation, Verb::Close(wire::Close {})).await.expect("the owner closes");
    visitor.session("closed", |of| of.status() == SessionStatus::Closed).await;
    let rate = |comment: &str| Verb::Rate(wire::Rate { rating: 5, comment: comment.to_owned() });
    let refused = visitor.command(rate("play the lottery")).await.expect_err("it is refused");
    assert_eq!((refused.code.as_str(), refused.detail.as_str()), ("message.refused", "gambling"));
    visitor.command(rate("damn good")).await.expect("a closed session is rated");
    let view = server.admin().get(&format!("/api/v1/conversations/{conversation}")).await.text;
    assert!(view.contains("**** good") && !view.contains("damn"), "{view}");
}

#[tokio::test]
async fn agents_who_see_unsent_text_see_no_card_grow() {
    let server = screened().await;
    server.admin().set("chat.sneak_peek", json!(true)).await;
    let (mut mei, mut visitor, _) = pair(&server).await;
    for (typed, shown) in
        [("my 4111 11", "my 4111 11"), ("my 4111 1111 1", "my 4111 11** *"), ("damn", "****")]
    {
        let draft = wire::Draft { typing: true, text: typed.to_owned(), ..Default::default() };
        visitor.live.send(Out::Draft(draft)).await;
        let seen = mei.live.pushed("a draft", |frame| match frame {
            In::Draft(draft) => Some(draft.text.clone()),
            _ => None,
        });
        assert_eq!(seen.await, shown);
    }
}

#[tokio::test]
async fn another_account_is_not_concerned() {
    let dir = tempfile::tempdir().expect("there is a temporary directory");
    let (data, password) = (dir.path().join("data"), dir.path().join("password"));
    fs::write(&password, PASSWORD).expect("a password file can be written");
    let mut server = TestServer::builder(FRONTDESK).data_dir(&data).start().await;
    set(&server.admin(), rules()).await;
    server.stop().await;
    let (data, password) = (data.display().to_string(), password.display().to_string());
    let made = run_to_end(
        FRONTDESK,
        &[
            "init",
            "--account",
            "Else",
            "--admin-email",
            "me@else.example",
            "--json",
            "--data-dir",
            &data,
            "--admin-password-file",
            &password,
        ],
        &[],
    )
    .await;
    assert!(made.status.success(), "{}", made.stderr);
    let other: Value = serde_json::from_str(&made.stdout).expect("init prints JSON");
    server.restart().await;
    let http = Http::new(server.address());
    let inbox_key = other["inbox_key"].as_str().expect("a key");
    let ticket = json!({"kind": "visitor", "inbox_key": inbox_key});
    let ticket = http.post("/api/v1/tickets", &ticket).await.ok();
    let word = |name: &str| ticket[name].as_str().expect("a text").to_owned();
    let theirs = http.with_visitor(&word("visitor_token"));
    let path = format!("/api/v1/conversations/{}/messages", word("conversation_id"));
    let body =
        json!({"client_msg_id": "000102030405060708090a0b0c0d0e0f", "text": "a damn lottery"});
    theirs.post(&path, &body).await.ok();
    let key = http.with_key(other["api_key"].as_str().expect("a key"));
    assert_eq!(key.get("/api/v1/words").await.ok()["rules"], json!([]));
    assert_eq!(key.get("/api/v1/words/hits").await.ok()["hits"], json!([]));
    // The rules of the first hold after the restart, from its first message on.
    let mut visitor = TestVisitor::connect(&server).await;
    let refused =
        visitor.try_say(&message_id(), "a damn lottery").await.expect_err("it is refused");
    assert_eq!(refused.detail, "gambling");
}

#[tokio::test]
async fn a_card_number_is_nowhere_on_the_disk_after_a_crash() {
    let mut server = screened().await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let plain = CARD.replace(' ', "");
    visitor.say(&format!("pay with {CARD}, or {plain}")).await;
    mei.say(&conversation, &format!("{plain}, I see")).await;
    mei.note(&conversation, &format!("it was {CARD}")).await;
    let refused = visitor.try_say(&message_id(), &format!("lottery {plain}")).await;
    assert!(refused.is_err(), "it is refused");
    let draft = wire::Draft { typing: true, text: CARD.to_owned(), ..Default::default() };
    visitor.live.send(Out::Draft(draft)).await;
    visitor.say("a mark that is on the disk").await;
    hits(&server.admin(), 4).await;
    server.kill9().await;
    let holds = |text: &str| holding(server.data_dir(), text.as_bytes());
    assert!(!holds("a mark that is on the disk").is_empty(), "what is said can be found");
    for raw in [CARD, &plain, "11111111", "lottery 4"] {
        assert_eq!(holds(raw), Vec::<String>::new(), "{raw}");
    }
    server.restart().await;
    let texts = texts(&server.admin(), &conversation).await;
    let masked = "pay with **** **** **** 1111, or ************1111";
    assert!(texts.iter().any(|text| text == masked), "{texts:?}");
}

/// The texts of a conversation as they are kept.
async fn texts(http: &Http, conversation: &str) -> Vec<String> {
    let history = http.history(conversation).await;
    let text = |item: &TimelineItem| match &item.item {
        Some(Item::Entry(entry)) => text_of(entry).map(ToOwned::to_owned),
        _ => None,
    };
    history.iter().filter_map(text).collect()
}

/// The files below a directory that hold these bytes.
fn holding(dir: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else if path.is_file() {
            let content = fs::read(&path).expect("a file");
            if content.windows(bytes.len()).any(|window| window == bytes) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}
