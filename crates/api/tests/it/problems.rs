//! Errors, idempotency, pages: what every client of the API relies on (S27, C8).

use std::sync::atomic::Ordering;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Server, problem};

#[tokio::test]
async fn s27_bad_requests_get_a_problem_with_a_stable_code() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let unknown = "00000000000000000000";
    for (method, path, body, status, code) in [
        (Method::GET, "/api/v1/nothing", None, 404, "not_found"),
        (Method::PUT, "/api/v1/me", None, 405, "request.method"),
        (Method::GET, "/api/v1/users/not-an-id", None, 404, "not_found"),
        (Method::GET, "/api/v1/users/00000000000000000000", None, 404, "not_found"),
        (Method::GET, "/api/v1/conversations?limit=0", None, 422, "request.invalid"),
        (Method::GET, "/api/v1/conversations?limit=x", None, 400, "request.malformed"),
        (Method::GET, "/api/v1/conversations?view=secret", None, 400, "request.malformed"),
        (Method::GET, "/api/v1/conversations/xyz/entries", None, 404, "conversation.unknown"),
        (Method::POST, "/api/v1/teams", Some(json!({ "names": 5 })), 422, "request.invalid"),
        (Method::POST, "/api/v1/teams", Some(json!({ "names": {} })), 422, "request.invalid"),
        (
            Method::POST,
            "/api/v1/teams",
            Some(json!({ "names": { "en": "A" }, "extra": 1 })),
            422,
            "request.invalid",
        ),
        (
            Method::PUT,
            "/api/v1/settings/no.such",
            Some(json!({ "value": 1 })),
            404,
            "setting.unknown",
        ),
        (Method::GET, "/nothing/here", None, 404, "not_found"),
    ] {
        problem(owner.send(method, path, body.as_ref()).await, status, code).await;
    }
    let broken = owner
        .http
        .post(server.url("/api/v1/teams"))
        .header("origin", server.origin())
        .header("content-type", "application/json")
        .body("{\"names\": ");
    problem(broken.send().await.unwrap(), 400, "request.malformed").await;
    let large = json!({ "names": { "en": "x".repeat(200_000) } });
    problem(owner.post("/api/v1/teams", &large).await, 413, "request.too_large").await;
    let path = format!("/api/v1/conversations/{unknown}/messages");
    problem(owner.post(&path, &json!({ "text": "hi" })).await, 404, "conversation.unknown").await;
    problem(owner.post(&path, &json!({})).await, 422, "message.empty").await;
    let id = json!({ "text": "hi", "client_msg_id": "short" });
    problem(owner.post(&path, &id).await, 422, "message.id_invalid").await;
}

#[tokio::test]
async fn credentials_that_are_wrong_are_not_somebody_else() {
    let server = Server::start().await;
    for value in ["Bearer fd_AAAAAAAAAAAAAAAAAAAAAA", "Bearer", "Basic YTpi", "Bearer x", "junk"] {
        let request = server.owner().await.http.get(server.url("/api/v1/me"));
        let answer = request.header("authorization", value).send().await.unwrap();
        assert!(answer.headers().contains_key("www-authenticate"), "{value}");
        problem(answer, 401, "auth.required").await;
    }
}

#[tokio::test]
async fn a_repeated_post_with_a_key_is_carried_out_once() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let post = |path: &str, key: &str, body: Value| {
        owner
            .http
            .post(server.url(path))
            .header("origin", server.origin())
            .header("idempotency-key", key)
            .json(&body)
            .send()
    };
    let team = json!({ "names": { "en": "Sales" } });
    let first = post("/api/v1/teams", "k1", team.clone()).await.unwrap();
    assert_eq!(first.status(), StatusCode::CREATED);
    let first: Value = first.json().await.unwrap();
    let again = post("/api/v1/teams", "k1", team).await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.headers()["content-type"], "application/json");
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    let other = json!({ "names": { "en": "Other" } });
    problem(post("/api/v1/teams", "k1", other).await.unwrap(), 409, "request.key_reused").await;
    let teams: Value = owner.get("/api/v1/teams").await.json().await.unwrap();
    assert_eq!(teams["teams"].as_array().unwrap().len(), 1);
    let key = json!({ "name": "CRM", "rights": ["conversation.write"] });
    let made: Value =
        post("/api/v1/api-keys", "k2", key.clone()).await.unwrap().json().await.unwrap();
    assert!(made["key"].as_str().unwrap().starts_with("fd_"));
    let again = post("/api/v1/api-keys", "k2", key).await.unwrap();
    assert_eq!(again.status(), StatusCode::CREATED);
    assert!(again.bytes().await.unwrap().is_empty(), "a secret is shown once");
}

#[tokio::test]
async fn a_message_with_a_key_is_one_message() {
    let server = Server::start().await;
    let (visitor, conversation) = server.visitor().await;
    let path = format!("/api/v1/conversations/{conversation}");
    let send = async || {
        let request = reqwest::Client::new()
            .post(server.url(&format!("{path}/messages")))
            .header("authorization", &visitor)
            .header("idempotency-key", "first words")
            .json(&json!({ "text": "hello" }));
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let (one, two) = (send().await, send().await);
    assert_eq!((&one["seq"], &one["id"]), (&json!(1), &two["id"]));
    let owner = server.owner().await;
    let page: Value = owner.get(&format!("{path}/entries")).await.json().await.unwrap();
    assert_eq!(page["items"][0]["entry"]["content"]["text"]["body"], "hello", "{page}");
    assert_eq!((&page["last_seq"], &page["more_before"]), (&json!(1), &json!(false)));
    let ahead = owner.get(&format!("{path}/entries?min_position=1:9")).await;
    problem(ahead, 503, "position.ahead").await;
    let taken = owner.post(&format!("{path}/commands"), &json!({ "command": "take" })).await;
    assert_eq!(taken.status(), StatusCode::OK);
    let wrong = owner.post(&format!("{path}/commands"), &json!({ "command": "fly" })).await;
    problem(wrong, 422, "request.invalid").await;
    assert_eq!(server.engine.commands.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn s27_a_panic_costs_one_answer_and_tells_nothing() {
    let server = Server::start().await;
    let owner = server.owner().await;
    server.engine.broken.store(true, Ordering::Relaxed);
    let body = problem(owner.get("/api/v1/waiting").await, 500, "internal").await;
    assert!(!body.to_string().contains("secret"), "{body}");
    server.engine.broken.store(false, Ordering::Relaxed);
    assert_eq!(owner.get("/api/v1/waiting").await.status(), StatusCode::OK);
}
