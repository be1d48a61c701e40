//! Messages sent by HTTP, by programs without a socket: buttons, forms and what is filled in are those of the socket,
//! to whoever reads them, and held to the same rules.

use frontdesk_core::{
    chat::{
        Choice, Choices, Content, Entry, FieldValue, Form, FormField, FormFieldKind, FormReply,
        Source, content::Kind,
    },
    limits::{
        CHOICE_LABEL_CHARS_MAX, CHOICES_MAX, FIELD_ID_BYTES_MAX, FIELD_VALUE_CHARS_MAX,
        FORM_FIELDS_MAX, TEXT_BYTES_MAX,
    },
};
use frontdesk_testkit::{Http, TestAgent, TestServer, TestVisitor, Timeline, http::Answer};
use serde_json::{Value, json};

use crate::{
    FRONTDESK,
    bots::{
        content, newest,
        own::{given, working},
        send,
    },
    chat::pair,
};

fn messages(conversation: &str) -> String {
    format!("/api/v1/conversations/{conversation}/messages")
}

fn choice(id: &str, label: &str) -> Choice {
    Choice { id: id.to_owned(), label: label.to_owned() }
}

fn buttons() -> Choices {
    let choices = vec![choice("g", "Green"), choice("b", "红茶")];
    Choices { body: "Which tea?".to_owned(), choices }
}

fn field(id: &str, label: &str, kind: FormFieldKind) -> FormField {
    FormField {
        id: id.to_owned(),
        label: label.to_owned(),
        kind: kind.into(),
        ..FormField::default()
    }
}

/// A form with a field of each kind.
fn form() -> Form {
    let size = FormField {
        options: vec![choice("s", "Small"), choice("l", "Large")],
        ..field("size", "Size", FormFieldKind::Choice)
    };
    let order =
        FormField { required: true, ..field("order", "Order number", FormFieldKind::OrderNumber) };
    let fields = vec![
        field("name", "Name", FormFieldKind::Text),
        field("mail", "Email", FormFieldKind::Email),
        field("call", "Phone", FormFieldKind::Phone),
        order,
        size,
    ];
    Form { title: "Your order".to_owned(), fields, submit: "Look it up".to_owned() }
}

fn filled_in() -> FormReply {
    let value = |id: &str, label: &str, value: &str| FieldValue {
        id: id.to_owned(),
        label: label.to_owned(),
        value: value.to_owned(),
    };
    FormReply { values: vec![value("order", "Order number", "A-1042"), value("size", "Size", "")] }
}

/// Waits until a timeline holds what was sent by HTTP, and takes it out.
async fn arrives(visitor: &mut TestVisitor, sent: &Value) -> Content {
    let seq = sent["seq"].as_u64().expect("a place");
    let is_it = |held: &Timeline| newest(held, |entry: &Entry, _| entry.seq == seq);
    visitor.live.until("it arrives", "", |held| is_it(held).is_some()).await;
    let entry = is_it(visitor.held()).expect("it is held");
    content(&entry).expect("it says something").clone()
}

/// The content of an entry as it is read over HTTP.
async fn read_back(http: &Http, conversation: &str, sent: &Value) -> Value {
    let after = sent["seq"].as_u64().expect("a place") - 1;
    let path = format!("/api/v1/conversations/{conversation}/entries?after={after}&limit=1");
    http.get(&path).await.ok()["items"][0]["entry"]["content"].clone()
}

/// A bot of one's own, and a visitor whose session it has been given.
async fn served_by_bot(server: &TestServer) -> (TestAgent, TestVisitor, String) {
    let mut bot = working(server).await;
    let mut visitor = TestVisitor::connect(server).await;
    visitor.say("hello").await;
    let conversation = visitor.conversation.clone();
    given(&mut bot, &conversation).await;
    (bot, visitor, conversation)
}

#[tokio::test]
async fn buttons_and_forms_of_a_program_are_those_of_a_socket() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut bot, mut visitor, conversation) = served_by_bot(&server).await;
    bot.open(&conversation).await.expect("it is its own");
    let path = messages(&conversation);

    // As they are written on the socket, so they are sent by HTTP.
    let sent = bot.http.post(&path, &json!({"choices": buttons()})).await;
    assert_eq!(sent.status, 201, "{}", sent.text);
    let asked = sent.ok();
    let seen = arrives(&mut visitor, &asked).await;
    assert_eq!(seen, Content { kind: Some(Kind::Choices(buttons())), ..Content::default() });
    let read = read_back(&bot.http, &conversation, &asked).await;
    assert_eq!(read, json!({"choices": buttons()}));

    // A visitor's program picks one; the bot learns which.
    let picked = json!({"text": "Green", "choice": "g", "quote_seq": asked["seq"]});
    visitor.http().post(&path, &picked).await.ok();
    let entry = bot.sees(&conversation, "Green").await;
    let said = content(&entry).expect("it says something");
    assert_eq!((said.choice.as_str(), Some(said.quote_seq)), ("g", asked["seq"].as_u64()));

    // A form, said once however often the request is repeated.
    let body = json!({"form": form(), "client_msg_id": "0199f0c2a5d07c1f9e3b6a4d2c5e8f01"});
    let shown = bot.http.post(&path, &body).await.ok();
    assert_eq!(bot.http.post(&path, &body).await.ok()["seq"], shown["seq"], "sent once");
    let seen = arrives(&mut visitor, &shown).await;
    assert_eq!(seen, Content { kind: Some(Kind::Form(form())), ..Content::default() });
    let read = read_back(&visitor.http(), &conversation, &shown).await;
    assert_eq!(read, json!({"form": form()}));

    let reply = json!({"form_reply": filled_in(), "quote_seq": shown["seq"]});
    let replied = visitor.http().post(&path, &reply).await.ok();
    let is_reply = |_: &Entry, said: &Content| matches!(said.kind, Some(Kind::FormReply(_)));
    bot.live.until("the reply", &conversation, |held| newest(held, is_reply).is_some()).await;
    let entry = newest(bot.timeline(&conversation), is_reply).expect("it is held");
    let said = content(&entry).expect("it says something");
    assert_eq!(said.kind, Some(Kind::FormReply(filled_in())));
    assert_eq!(Some(said.quote_seq), shown["seq"].as_u64());
    let read = read_back(&bot.http, &conversation, &replied).await;
    assert_eq!(read["formReply"], json!(filled_in()));

    // An answer names what it was taken from.
    let source = Source {
        article: "d4s0q1h2q5k3v8m6n700".to_owned(),
        title: "Brewing".to_owned(),
        path: "/help/k/en/brewing".to_owned(),
    };
    let answer = json!({"text": "At 80 degrees.", "sources": [source]});
    let answered = bot.http.post(&path, &answer).await.ok();
    assert_eq!(arrives(&mut visitor, &answered).await.sources, [source]);
}

#[tokio::test]
async fn people_and_keys_ask_by_http_as_bots_do() {
    let server = TestServer::start(FRONTDESK).await;
    let (mei, mut visitor, conversation) = pair(&server).await;
    let path = messages(&conversation);
    for http in [&mei.http, &key(&server).await] {
        for body in [json!({"choices": buttons()}), json!({"form": form()})] {
            let sent = http.post(&path, &body).await.ok();
            arrives(&mut visitor, &sent).await;
            assert_eq!(read_back(http, &conversation, &sent).await, body);
        }
    }
}

/// A program of the account's, which may say something in every conversation.
async fn key(server: &TestServer) -> Http {
    let rights = ["conversation.read.all", "conversation.write", "conversation.take_over"];
    let made = json!({"name": "a program", "rights": rights});
    let made = server.admin().post("/api/v1/api-keys", &made).await.ok();
    server.http.with_key(made["key"].as_str().expect("a key"))
}

/// What is out of bounds, with the code it is refused with and what of it is wrong.
fn bad() -> Vec<(Value, &'static str, &'static str)> {
    let buttons = |choices: Value| json!({"choices": {"body": "Which?", "choices": choices}});
    let one = |id: &str, label: &str| buttons(json!([{"id": id, "label": label}]));
    let fields = |fields: Value| json!({"form": {"title": "Order", "fields": fields}});
    let of_kind = |kind: &str, options: Value| {
        fields(json!([{"id": "a", "label": "A", "kind": kind, "options": options}]))
    };
    let text = json!({"id": "a", "label": "A", "kind": "FORM_FIELD_KIND_TEXT"});
    let too_many = (0..=CHOICES_MAX).map(|n| json!({"id": n.to_string(), "label": "A"})).collect();
    let too_many_fields = (0..=FORM_FIELDS_MAX)
        .map(|n| json!({"id": n.to_string(), "label": "A", "kind": "FORM_FIELD_KIND_TEXT"}))
        .collect();
    let (invalid, request) = ("message.invalid", "request.invalid");
    vec![
        (json!({}), "message.empty", ""),
        (buttons(json!([])), invalid, "choices"),
        (buttons(too_many), invalid, "choices"),
        (one("", "A"), invalid, "choices"),
        (one(&"x".repeat(FIELD_ID_BYTES_MAX + 1), "A"), invalid, "choices"),
        (one("a", " "), invalid, "choices"),
        (one("a", &"字".repeat(CHOICE_LABEL_CHARS_MAX + 1)), invalid, "choices"),
        (
            buttons(json!([{"id": "a", "label": "A"}, {"id": "a", "label": "B"}])),
            invalid,
            "choices",
        ),
        (
            json!({"choices": {"body": " ", "choices": [{"id": "a", "label": "A"}]}}),
            "message.empty",
            "",
        ),
        (
            json!({"choices": {"body": "x".repeat(TEXT_BYTES_MAX + 1), "choices": [{"id": "a", "label": "A"}]}}),
            "message.too_large",
            "",
        ),
        (fields(json!([])), invalid, "fields"),
        (fields(too_many_fields), invalid, "fields"),
        (fields(json!([text, text])), invalid, "fields"),
        (of_kind("FORM_FIELD_KIND_CHOICE", json!([])), invalid, "choices"),
        (of_kind("FORM_FIELD_KIND_TEXT", json!([{"id": "a", "label": "A"}])), invalid, "fields"),
        (json!({"form": {"title": "", "fields": [text]}}), "message.empty", ""),
        (
            json!({"form": {"title": "Order", "fields": [text], "submit": "字".repeat(CHOICE_LABEL_CHARS_MAX + 1)}}),
            invalid,
            "fields",
        ),
        // What JSON on the socket could not be read as, or would be overlooked.
        (of_kind("FORM_FIELD_KIND_UNSPECIFIED", json!([])), request, "FORM_FIELD_KIND_TEXT"),
        (of_kind("email", json!([])), request, "FORM_FIELD_KIND_EMAIL"),
        (
            fields(
                json!([{"id": "a", "label": "A", "kind": "FORM_FIELD_KIND_TEXT", "requred": true}]),
            ),
            request,
            "requred",
        ),
        (json!({"choices": [{"id": "a", "label": "A"}]}), request, ""),
        (json!({"choices": {"body": "Which?"}}), request, "choices"),
        (json!({"text": "hi", "form": {"title": "Order", "fields": [text]}}), request, "one thing"),
        // What only visitors send.
        (json!({"form_reply": filled_in(), "quote_seq": 1}), "message.unsupported", ""),
        (json!({"text": "Green", "choice": "g", "quote_seq": 1}), invalid, "choice"),
        (
            json!({"text": "hi", "sources": [{"article": "a", "title": "A", "path": "//evil.example"}]}),
            invalid,
            "sources",
        ),
    ]
}

#[track_caller]
fn assert_refused(answer: &Answer, code: &str, detail: &str) {
    let status = if code == "message.too_large" { 413 } else { 422 };
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{detail}: {}",
        answer.text
    );
    let said = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains(detail), "{detail}: {}", answer.text);
}

async fn last_seq(http: &Http, conversation: &str) -> Value {
    let path = format!("/api/v1/conversations/{conversation}/entries?limit=1");
    http.get(&path).await.ok()["last_seq"].clone()
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_by_http_and_changes_nothing() {
    let server = TestServer::start(FRONTDESK).await;
    let (bot, mut visitor, conversation) = served_by_bot(&server).await;
    let path = messages(&conversation);
    let before = last_seq(&bot.http, &conversation).await;
    for (body, code, detail) in bad() {
        assert_refused(&bot.http.post(&path, &body).await, code, detail);
    }
    assert_eq!(last_seq(&bot.http, &conversation).await, before, "nothing was said");
    let sent = bot.http.post(&path, &json!({"choices": buttons()})).await.ok();
    assert_eq!(sent["seq"].as_u64(), before.as_u64().map(|seq| seq + 1), "and nothing is stuck");
    arrives(&mut visitor, &sent).await;
}

#[tokio::test]
async fn a_visitor_replies_by_http_and_asks_nothing() {
    let server = TestServer::start(FRONTDESK).await;
    let (mei, mut visitor, conversation) = pair(&server).await;
    let path = messages(&conversation);
    let http = visitor.http();
    let before = last_seq(&http, &conversation).await;
    let reply = |quote_seq: u64, values: Value| json!({"form_reply": {"values": values}, "quote_seq": quote_seq});
    let value = json!({"id": "a", "label": "A", "value": "1"});
    let invalid = "message.invalid";
    let longest = "字".repeat(FIELD_VALUE_CHARS_MAX + 1);
    for (body, code, detail) in [
        (json!({"choices": buttons()}), "message.unsupported", ""),
        (json!({"form": form()}), "message.unsupported", ""),
        (reply(0, json!([value])), invalid, "quote_seq"),
        (reply(1, json!([])), invalid, "values"),
        (reply(1, json!([value, value])), invalid, "values"),
        (reply(1, json!([{"id": "a", "label": "A", "value": longest}])), invalid, "values"),
        (json!({"text": "Green", "choice": "g"}), invalid, "choice"),
        (
            json!({"text": "Green", "choice": "g".repeat(FIELD_ID_BYTES_MAX + 1), "quote_seq": 1}),
            invalid,
            "choice",
        ),
        (
            json!({"text": "hi", "sources": [{"article": "a", "title": "A", "path": ""}]}),
            invalid,
            "sources",
        ),
    ] {
        assert_refused(&http.post(&path, &body).await, code, detail);
    }
    // The socket says the same.
    for kind in [Kind::Choices(buttons()), Kind::Form(form())] {
        let content = Content { kind: Some(kind), ..Content::default() };
        let refused = send(&mut visitor, content).await.expect_err("visitors ask nothing");
        assert_eq!(refused.code, "message.unsupported");
    }
    assert_eq!(last_seq(&http, &conversation).await, before, "nothing was said");
    let said = http.post(&path, &json!({"text": "only this"})).await.ok();
    assert_eq!(said["seq"].as_u64(), before.as_u64().map(|seq| seq + 1));
    let items = mei.http.history(&conversation).await;
    assert!(!json!(items).to_string().contains("Your order"), "no form reached the team");
}
