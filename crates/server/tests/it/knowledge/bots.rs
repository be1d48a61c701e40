//! What an account says of its bot and of its language model: documents with revisions, flows with versions, a key
//! that nobody reads again.

use std::path::Path;

use frontdesk_testkit::{Http, TestServer};
use serde_json::{Value, json};

use super::{article, text, with};
use crate::FRONTDESK;

const FLOW: &str = "name: opening
start: { when: { greeting: true } }
steps:
  menu:
    ask:
      text: { en: What is it about?, zh-CN: 请问您想咨询什么？ }
      choices:
        - { id: order, label: { en: My order, zh-CN: 我的订单 }, goto: person }
        - { id: nothing, label: { en: Nothing, zh-CN: 没什么 }, goto: end }
  person:
    handover: {}
  end:
    end: true
";
const SECRET: &str = "sk-planted-0123456789abcdef";

fn bot(revision: u64, inboxes: &Value) -> Value {
    json!({
        "revision": revision, "name": {"en": "Dot"}, "inboxes": inboxes,
        "fallback": {"en": "Pardon?"},
        "handover": {"on_complaint": true, "on_anger": false, "misses_max": 3},
    })
}

fn llm(revision: u64, base_url: &str) -> Value {
    json!({
        "revision": revision, "base_url": base_url, "model": "model-1",
        "features": {"answers": true, "summary": false, "rewrite": false, "translate": true},
        "conversation_tokens_max": 1000, "day_tokens_max": 5000, "timeout_ms": 3000, "prompt": "Be short.",
    })
}

async fn first_inbox(admin: &Http) -> String {
    text(&admin.get("/api/v1/inboxes").await.ok()["inboxes"][0]["id"])
}

#[tokio::test]
async fn a_flow_is_checked_kept_by_version_and_taken_back() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let path = "/api/v1/bot/flows/opening";
    let checked = admin.post("/api/v1/bot/flows/check", &json!({"yaml": FLOW})).await.ok();
    assert_eq!(checked["ok"], true, "{checked}");
    let broken = FLOW.replace("goto: end }", "goto: nowhere }");
    let checked = admin.post("/api/v1/bot/flows/check", &json!({"yaml": broken})).await.ok();
    assert_eq!(checked["ok"], false, "{checked}");
    let errors: Vec<_> = checked["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .filter(|of| of["severity"] == "error")
        .collect();
    assert!(errors.iter().any(|of| of["line"] == 9), "{checked}");
    let unknown = errors.iter().find(|of| of["code"] == "unknown_step");
    assert_eq!(unknown.map(|of| of["params"]["to"].clone()), Some(json!("nowhere")), "{checked}");

    let refused = admin.put(path, &json!({"yaml": broken, "version": 0})).await;
    assert_eq!((refused.status, refused.json()["field"].as_str()), (422, Some("yaml")));
    let renamed = admin.put("/api/v1/bot/flows/other", &json!({"yaml": FLOW, "version": 0})).await;
    assert_eq!(renamed.status, 422, "its name is another one: {}", renamed.text);
    let first = admin.put(path, &json!({"yaml": FLOW, "version": 0})).await.ok();
    assert_eq!((first["version"].clone(), first["name"].as_str()), (json!(1), Some("opening")));
    let second = FLOW.replace("What is it about?", "How can I help?");
    let conflict = admin.put(path, &json!({"yaml": second, "version": 0})).await;
    assert_eq!(conflict.code(), "request.precondition");
    admin.put(path, &json!({"yaml": second, "version": 1})).await.ok();
    let versions = admin.get(&format!("{path}/versions")).await.ok();
    let numbers: Vec<_> = versions["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|of| of["version"].clone())
        .collect();
    assert_eq!(numbers, [json!(2), json!(1)]);
    let back = admin.post(&format!("{path}/rollback"), &json!({"version": 1})).await.ok();
    assert_eq!((back["version"].clone(), back["yaml"].as_str()), (json!(3), Some(FLOW)));
    assert_eq!(admin.get(path).await.ok(), back);
    // A list has no documents in it.
    let mut heading = back;
    heading.as_object_mut().expect("an object").remove("yaml");
    assert_eq!(admin.get("/api/v1/bot/flows").await.ok()["flows"], json!([heading]));
    assert_eq!(admin.delete(path).await.status, 204);
    assert_eq!(admin.get(&format!("{path}/versions")).await.status, 404);
    assert_eq!(admin.get(path).await.status, 404);
}

#[tokio::test]
async fn what_the_bot_does_names_only_what_is_there() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let inbox = first_inbox(&admin).await;
    let nothing = admin.get("/api/v1/bot").await.ok();
    assert_eq!((nothing["revision"].clone(), nothing["inboxes"].clone()), (json!(0), json!({})));
    let key = json!({"name": "helper", "rights": ["conversation.write"], "bot": true});
    let key = admin.post("/api/v1/api-keys", &key).await.ok();
    assert_eq!(key["bot"], true, "{key}");
    let program = json!({"name": "sync", "rights": ["conversation.write"]});
    let program = admin.post("/api/v1/api-keys", &program).await.ok();
    assert_eq!(program["bot"], false, "{program}");
    admin.put("/api/v1/bot/flows/opening", &json!({"yaml": FLOW, "version": 0})).await.ok();

    let of = |mode: &str, who: &Value, flow: &str| json!({inbox.as_str(): {"mode": mode, "who": who, "flow": flow}});
    let built_in = json!("built_in");
    for (inboxes, field) in [
        (
            json!({"0123456789abcdefghig": {"mode": "off", "who": "built_in", "flow": ""}}),
            "inboxes.0123456789abcdefghig",
        ),
        (of("answer", &program["id"], ""), &*format!("inboxes.{inbox}.who")),
        (of("answer", &built_in, "nothing"), &*format!("inboxes.{inbox}.flow")),
    ] {
        let refused = admin.put("/api/v1/bot", &bot(0, &inboxes)).await;
        assert_eq!(refused.json()["field"], field, "{}", refused.text);
    }
    let bad = with(
        bot(0, &json!({})),
        &json!({"handover": {"on_complaint": true, "on_anger": true, "misses_max": 0}}),
    );
    assert_eq!(admin.put("/api/v1/bot", &bad).await.json()["field"], "handover.misses_max");
    let set = admin.put("/api/v1/bot", &bot(0, &of("answer", &built_in, "opening"))).await.ok();
    assert_eq!(
        (set["revision"].clone(), set["fallback"].clone()),
        (json!(1), json!({"en": "Pardon?"}))
    );
    assert_eq!(admin.get("/api/v1/bot").await.ok(), set);
    let late = admin.put("/api/v1/bot", &bot(0, &json!({}))).await;
    assert_eq!((late.status, late.code().as_str()), (412, "request.precondition"));

    // What is gone meanwhile is left out, so that it can be sent back.
    admin.put("/api/v1/bot", &bot(1, &of("answer", &key["id"], "opening"))).await.ok();
    admin.delete("/api/v1/bot/flows/opening").await;
    admin.delete(&format!("/api/v1/api-keys/{}", text(&key["id"]))).await;
    let left = admin.get("/api/v1/bot").await.ok();
    assert_eq!(left["inboxes"], of("off", &built_in, ""), "{left}");
    admin.put("/api/v1/bot", &bot(2, &left["inboxes"])).await.ok();
}

#[tokio::test]
async fn a_talk_shows_what_the_bot_would_do() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let body = article("pay-by-card", "How do I pay by card?", "Choose card at the till.");
    admin.post("/api/v1/articles", &body).await.ok();
    let talk = async |body: Value| admin.post("/api/v1/bot/talk", &body).await;
    let said = talk(json!({"language": "en", "messages": ["how can I pay by card", "I want to talk to a person"]})).await.ok();
    let turns = said["turns"].as_array().expect("turns");
    assert_eq!(turns[0]["replies"][0]["kind"], "answer", "{said}");
    assert_eq!(turns[0]["replies"][0]["sources"][0]["slug"], "pay-by-card");
    assert_eq!(
        (turns[0]["handed_over"].clone(), turns[1]["handed_over"].clone()),
        (json!(false), json!(true)),
        "{said}"
    );
    let flow = talk(json!({"language": "zh-CN", "messages": ["你好", "我的订单"], "flow": FLOW}))
        .await
        .ok();
    let turns = flow["turns"].as_array().expect("turns");
    assert_eq!(turns[0]["replies"][0]["choices"][0]["label"], "我的订单", "{flow}");
    assert_eq!(turns[1]["handed_over"], true, "{flow}");
    let bad = talk(json!({"language": "en", "messages": ["hi"], "flow": "name: x"})).await;
    assert_eq!(bad.json()["field"], "yaml", "{}", bad.text);
    let many: Vec<_> = (0..51).map(|n| n.to_string()).collect();
    assert_eq!(talk(json!({"messages": many})).await.json()["field"], "messages");
    let elsewhere = talk(json!({"inbox": "0123456789abcdefghig", "messages": ["hi"]})).await;
    assert_eq!(elsewhere.status, 404, "{}", elsewhere.text);
}

#[tokio::test]
async fn figures_and_spend_begin_empty() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let figures = admin.get("/api/v1/bot/figures?days=7").await.ok();
    assert_eq!((figures["sessions"].clone(), figures["days"].clone()), (json!(0), json!([])));
    assert_eq!(
        admin.get("/api/v1/bot/sessions?outcome=contained").await.ok()["sessions"],
        json!([])
    );
    let spend = admin.get("/api/v1/llm/spend").await.ok();
    assert_eq!((spend["days"].clone(), spend["today_tokens"].clone()), (json!([]), json!(0)));
    for path in [
        "/api/v1/bot/figures?days=0",
        "/api/v1/llm/spend?days=366",
        "/api/v1/bot/sessions?outcome=x",
    ] {
        assert_eq!(admin.get(path).await.status, 422, "{path}");
    }
    assert_eq!(admin.get("/api/v1/bot/sessions?cursor=x").await.code(), "request.cursor");
}

#[tokio::test]
async fn s19_the_key_of_a_model_goes_with_its_host_and_is_never_shown() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let put = async |body: Value| admin.put("/api/v1/llm", &body).await;
    let key = |body: Value, key: &str| with(body, &json!({"key": key}));
    let here = "https://llm.example/v1";
    let first = put(key(llm(0, here), SECRET)).await;
    assert!(!first.text.contains(SECRET), "{}", first.text);
    let first = first.ok();
    assert_eq!((first["has_key"].clone(), first["hint"].as_str()), (json!(true), Some("cdef")));
    assert_eq!(first["visitor_wait_ms"], 2_000, "what is not said is the default: {first}");
    let read = admin.get("/api/v1/llm").await;
    assert!(!read.text.contains(SECRET) && read.ok() == first);

    let waits = json!({"timeout_ms": 8_000, "visitor_wait_ms": 8_000});
    let slow = with(llm(1, "https://LLM.example:443/v2"), &waits);
    let moved = put(slow).await.ok();
    assert_eq!(moved["visitor_wait_ms"], 8_000, "{moved}");
    assert_eq!(moved["has_key"], true, "another path of the same host: {moved}");
    let evil = put(llm(2, "https://llm.example.evil.example/v1")).await.ok();
    assert_eq!(
        (evil["has_key"].clone(), evil["hint"].as_str()),
        (json!(false), Some("")),
        "{evil}"
    );
    let back = put(llm(3, here)).await.ok();
    assert_eq!(back["has_key"], false, "what was cleared does not come back: {back}");
    put(key(llm(4, here), SECRET)).await.ok();
    let cleared = put(key(llm(5, here), "")).await.ok();
    assert_eq!(cleared["has_key"], false, "{cleared}");
    assert_eq!(put(llm(0, here)).await.code(), "request.precondition");

    for (body, field) in [
        (llm(6, "http://127.0.0.1:11434/v1"), "base_url"),
        (llm(6, "http://169.254.169.254/"), "base_url"),
        (llm(6, "llm"), "base_url"),
        (llm(6, ""), "base_url"),
        (with(llm(6, here), &json!({"model": ""})), "model"),
        (with(llm(6, here), &json!({"timeout_ms": 0})), "timeout_ms"),
        (with(llm(6, here), &json!({"visitor_wait_ms": 0})), "visitor_wait_ms"),
        (with(llm(6, here), &json!({"visitor_wait_ms": 30_001})), "visitor_wait_ms"),
        (
            with(llm(6, here), &json!({"timeout_ms": 9_000, "visitor_wait_ms": 9_001})),
            "visitor_wait_ms",
        ),
        (key(llm(6, here), "two words"), "key"),
        (with(llm(6, here), &json!({"prompt": "x".repeat(4_001)})), "prompt"),
    ] {
        let refused = put(body).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json()["field"], field, "{}", refused.text);
    }
    let off = json!({"answers": false, "summary": false, "rewrite": false, "translate": false});
    let none = put(with(llm(6, ""), &json!({"features": off}))).await.ok();
    assert_eq!(none["base_url"], "");
    // The longest wait; and where the whole is shorter than the usual one, that.
    let long = with(llm(7, here), &json!({"timeout_ms": 30_000, "visitor_wait_ms": 30_000}));
    assert_eq!(put(long).await.ok()["visitor_wait_ms"], 30_000);
    let short = with(llm(8, here), &json!({"timeout_ms": 1_000}));
    assert_eq!(put(short).await.ok()["visitor_wait_ms"], 1_000);
}

#[tokio::test]
async fn s23_the_key_of_a_model_lies_nowhere_in_the_data_directory() {
    let mut server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let body = with(llm(0, "https://llm.example/v1"), &json!({"key": SECRET}));
    admin.put("/api/v1/llm", &body).await.ok();
    server.stop().await;
    let (mut files, mut holds) = (0, Vec::new());
    look(server.data_dir(), &mut |path, bytes| {
        files += 1;
        for needle in [SECRET, "planted-0123456789", "model-1"] {
            if bytes.windows(needle.len()).any(|window| window == needle.as_bytes()) {
                holds.push((needle, path.to_owned()));
            }
        }
    });
    assert!(holds.iter().any(|(needle, _)| *needle == "model-1"), "the search finds what is there");
    assert!(files > 3 && holds.iter().all(|(needle, _)| *needle == "model-1"), "{holds:?}");
    assert!(!server.log().iter().any(|line| line.contains("planted")), "nor in the log");
    server.restart().await;
    let read = server.admin().get("/api/v1/llm").await.ok();
    assert_eq!(read["has_key"], true, "it is still there after a restart");
    // Another installation's key opens nothing.
    server.stop().await;
    std::fs::write(server.data_dir().join("keys/server.key"), [9; 32]).expect("a key is written");
    server.restart().await;
    let read = server.admin().get("/api/v1/llm").await.ok();
    assert_eq!(
        (read["has_key"].clone(), read["model"].as_str()),
        (json!(false), Some("model-1")),
        "{read}"
    );
}

fn look(dir: &Path, found: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(dir).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            look(&path, found);
        } else {
            found(&path, &std::fs::read(&path).expect("it can be read"));
        }
    }
}
