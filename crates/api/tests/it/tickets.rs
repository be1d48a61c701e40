//! Tickets and visitor tokens: S2, S3 as far as it exists, S11.

use frontdesk_api::token::{Subject, Ticket, VisitorToken};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{KEY, SITE, Server, problem};

#[tokio::test]
async fn a_visitor_gets_a_ticket_that_names_what_its_first_message_creates() {
    let server = Server::start().await;
    let body = json!({ "kind": "visitor", "inbox_key": server.account.inbox_key,
        "parent_origin": SITE, "page": "https://shop.example/cart", "referrer": "javascript:x",
        "language": "zh-CN" });
    let answer: Value = server.browser().post("/api/v1/tickets", &body).await.json().await.unwrap();
    let text = answer["ticket"].as_str().unwrap();
    let expires = answer["expires_at_ms"].as_i64().unwrap();
    let ticket = Ticket::open(text, &KEY, expires).unwrap();
    let token = VisitorToken::open(answer["visitor_token"].as_str().unwrap(), &KEY).unwrap();
    let Subject::Visitor { inbox, visitor, conversation, origin, identified } = ticket.subject
    else {
        panic!("a visitor's ticket");
    };
    assert_eq!((ticket.account, inbox), (server.account.account, server.account.inbox));
    assert_eq!((visitor, conversation), (token.visitor, token.conversation));
    assert!(!identified, "nobody said who it is");
    assert_eq!(answer["conversation_id"], conversation.to_string());
    assert_eq!(origin.page_url, "https://shop.example/cart");
    assert_eq!((origin.referrer.as_str(), origin.language.as_str()), ("", "zh-CN"));
    assert_eq!(origin.secret_hash, token.secret_hash().to_vec());
    assert!(answer["inbox"]["name"].is_string(), "{answer}");
    assert!(Ticket::open(text, &KEY, expires + 1).is_err(), "a minute is all it has");
}

#[tokio::test]
async fn a_known_visitor_keeps_its_conversation() {
    let server = Server::start().await;
    let (authorization, conversation) = server.visitor().await;
    let token = authorization.strip_prefix("Visitor ").unwrap();
    let body = json!({ "kind": "visitor", "inbox_key": server.account.inbox_key,
        "visitor_token": token });
    let again: Value = server.browser().post("/api/v1/tickets", &body).await.json().await.unwrap();
    assert_eq!(again["conversation_id"], conversation);
    let other = server.other_account().await;
    for (inbox_key, token) in [
        (other.inbox_key.as_str(), token),
        (&server.account.inbox_key, "v1.AAAA"),
        (&server.account.inbox_key, ""),
    ] {
        let body = json!({ "kind": "visitor", "inbox_key": inbox_key, "visitor_token": token });
        let answer = server.browser().post("/api/v1/tickets", &body).await;
        problem(answer, 401, "visitor.token_invalid").await;
    }
    let wrong_type = json!({ "kind": "visitor", "inbox_key": { "$gt": "" } });
    problem(server.browser().post("/api/v1/tickets", &wrong_type).await, 422, "request.invalid")
        .await;
    let unknown = json!({ "kind": "visitor", "inbox_key": "nothing" });
    problem(server.browser().post("/api/v1/tickets", &unknown).await, 404, "inbox.unknown").await;
}

#[tokio::test]
async fn s01_the_page_around_the_widget_must_be_on_the_list() {
    let server = Server::start().await;
    let own = server.origin();
    for (parent, listed) in [
        (SITE, true),
        (own.as_str(), true),
        ("https://evil.example", false),
        ("https://shop.example.evil.com", false),
        ("https://shop.example:8443", false),
        ("http://shop.example", false),
        ("null", false),
        ("", false),
    ] {
        let body = json!({ "kind": "visitor", "inbox_key": server.account.inbox_key,
            "parent_origin": parent });
        let answer = server.browser().post("/api/v1/tickets", &body).await;
        if listed {
            assert_eq!(answer.status(), StatusCode::OK, "{parent}");
        } else {
            problem(answer, 403, "origin.refused").await;
        }
    }
}

#[tokio::test]
async fn people_and_programs_get_tickets_for_themselves_only() {
    let server = Server::start().await;
    let ask = json!({ "kind": "agent" });
    problem(server.browser().post("/api/v1/tickets", &ask).await, 401, "auth.required").await;
    let answer: Value =
        server.owner().await.post("/api/v1/tickets", &ask).await.json().await.unwrap();
    let open = |answer: &Value| Ticket::open(answer["ticket"].as_str().unwrap(), &KEY, 0).unwrap();
    let ticket = open(&answer);
    let Subject::Agent { user, login } = ticket.subject else { panic!("a user's ticket") };
    assert_eq!((ticket.account, user), (server.account.account, server.account.owner));
    assert_eq!(login.len(), 24);
    let key = reqwest::Client::new()
        .post(server.url("/api/v1/tickets"))
        .bearer_auth(&server.account.api_key)
        .json(&ask);
    let answer: Value = key.send().await.unwrap().json().await.unwrap();
    assert_eq!(open(&answer).subject, Subject::Key { key: server.account.api_key_id });
    let (visitor, _) = server.visitor().await;
    let ticket = reqwest::Client::new()
        .post(server.url("/api/v1/tickets"))
        .header("authorization", visitor)
        .json(&ask);
    problem(ticket.send().await.unwrap(), 422, "request.invalid").await;
}

#[tokio::test]
async fn s11_a_visitor_reaches_its_own_conversation_only() {
    let server = Server::start().await;
    let (mine, conversation) = server.visitor().await;
    let (_, other) = server.visitor().await;
    let http = reqwest::Client::new();
    let say = |to: &str, authorization: &str| {
        http.post(server.url(&format!("/api/v1/conversations/{to}/messages")))
            .header("authorization", authorization)
            .json(&json!({ "text": "hi" }))
            .send()
    };
    assert_eq!(say(&conversation, &mine).await.unwrap().status(), StatusCode::CREATED);
    problem(say(&other, &mine).await.unwrap(), 404, "conversation.unknown").await;
    let bearer = mine.replace("Visitor", "Bearer");
    assert_eq!(say(&conversation, &bearer).await.unwrap().status(), StatusCode::CREATED);
    for path in ["/api/v1/conversations", "/api/v1/agents", "/api/v1/waiting", "/api/v1/me"] {
        let answer = http.get(server.url(path)).header("authorization", &mine).send().await;
        problem(answer.unwrap(), 403, "right.missing").await;
    }
    let forged = format!("{}A", &mine[..mine.len() - 1]);
    if forged != mine {
        problem(say(&conversation, &forged).await.unwrap(), 401, "visitor.token_invalid").await;
    }
}
