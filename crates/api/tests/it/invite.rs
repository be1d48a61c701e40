//! Joining by a link, the signals of a user, and where an inbox's widget was seen.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{PASSWORD, SITE, Server, problem};

async fn agent_role(server: &Server) -> Value {
    let roles: Value = server.owner().await.get("/api/v1/roles").await.json().await.unwrap();
    let all = roles["roles"].as_array().unwrap();
    all.iter().find(|role| role["builtin"] == "agent").unwrap()["id"].clone()
}

#[tokio::test]
async fn a_link_shows_who_invites_and_signs_in_whoever_accepts() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "email": "new@shop.example", "role": agent_role(&server).await });
    let made = owner.post("/api/v1/invitations", &body).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.unwrap();
    let url = made["url"].as_str().unwrap();
    let token = url.strip_prefix(&format!("{}/#/invite/", server.origin())).unwrap();
    assert_eq!(token.len(), 22);
    let open: Value = owner.get("/api/v1/invitations").await.json().await.unwrap();
    assert_eq!(open["invitations"][0]["email"], "new@shop.example");
    assert!(!open.to_string().contains(token), "the link is shown once");

    let newcomer = server.browser();
    let path = format!("/api/v1/invitations/by-token/{token}");
    let offer: Value = newcomer.get(&path).await.json().await.unwrap();
    assert_eq!(
        offer,
        json!({ "account_name": "Shop", "email": "new@shop.example", "display_name": "",
            "language": "en" })
    );
    let accept = json!({ "display_name": "New", "password": PASSWORD });
    let far = newcomer.http.post(server.url(&format!("{path}/accept")));
    let far = far.header("origin", SITE).json(&accept).send().await.unwrap();
    problem(far, 403, "origin.refused").await;
    let accepted = newcomer.post(&format!("{path}/accept"), &accept).await;
    assert_eq!(accepted.status(), StatusCode::OK);
    let me: Value = newcomer.get("/api/v1/me").await.json().await.unwrap();
    assert_eq!((&me["display_name"], &me["email"]), (&json!("New"), &json!("new@shop.example")));
    problem(newcomer.get(&path).await, 410, "invitation.invalid").await;
    problem(newcomer.post(&format!("{path}/accept"), &accept).await, 410, "invitation.invalid")
        .await;
    for wrong in ["x", "AAAAAAAAAAAAAAAAAAAAAA", "%20"] {
        let path = format!("/api/v1/invitations/by-token/{wrong}");
        problem(server.browser().get(&path).await, 410, "invitation.invalid").await;
    }
    // An agent invites nobody, and nobody is invited twice.
    problem(newcomer.post("/api/v1/invitations", &body).await, 403, "right.missing").await;
    problem(owner.post("/api/v1/invitations", &body).await, 409, "user.email_taken").await;
}

#[tokio::test]
async fn a_repeated_request_does_not_give_the_link_away_again() {
    let server = Server::start().await;
    let body = json!({ "email": "new@shop.example", "role": agent_role(&server).await });
    let ask = || {
        let http = reqwest::Client::new();
        let request = http.post(server.url("/api/v1/invitations"));
        request
            .bearer_auth(&server.account.api_key)
            .header("idempotency-key", "one")
            .json(&body)
            .send()
    };
    let first = ask().await.unwrap();
    assert_eq!(first.status(), StatusCode::CREATED);
    let again = ask().await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.text().await.unwrap(), "");
}

#[tokio::test]
async fn signals_have_defaults_and_are_chosen_as_a_whole() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let path = "/api/v1/me/preferences";
    let defaults = json!({ "sound": true, "desktop": true, "title": true,
        "repeat_until_answered": false });
    let found: Value = owner.get(path).await.json().await.unwrap();
    assert_eq!(found, defaults);
    let mut chosen = defaults;
    chosen["sound"] = false.into();
    let kept: Value = owner.send(Method::PUT, path, Some(&chosen)).await.json().await.unwrap();
    assert_eq!(kept, chosen);
    let found: Value = owner.get(path).await.json().await.unwrap();
    assert_eq!(found, chosen);
    let partly = json!({ "sound": true });
    problem(owner.send(Method::PUT, path, Some(&partly)).await, 422, "request.invalid").await;
    problem(server.browser().get(path).await, 401, "auth.required").await;
}

#[tokio::test]
async fn an_inbox_tells_where_its_snippet_stands_and_who_was_refused() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let key = &server.account.inbox_key;
    let ticket = |origin: &str| {
        let body = json!({ "kind": "visitor", "inbox_key": key, "parent_origin": origin,
            "page": format!("{origin}/cart?user=7") });
        let http = reqwest::Client::new();
        http.post(server.url("/api/v1/tickets")).json(&body).send()
    };
    for _ in 0..3 {
        assert_eq!(ticket(SITE).await.unwrap().status(), StatusCode::OK);
        problem(ticket("https://new.example").await.unwrap(), 403, "origin.refused").await;
    }
    assert_eq!(ticket("null").await.unwrap().status(), StatusCode::FORBIDDEN);
    let frame = |referrer: &str, dest: &str| {
        let http = reqwest::Client::new();
        http.get(server.url(&format!("/widget/{key}")))
            .header("referer", referrer)
            .header("sec-fetch-dest", dest)
            .send()
    };
    // The browser never shows the frame there, so no ticket is asked for: the page's request tells.
    frame("https://framed.example/", "iframe").await.unwrap();
    frame("https://linked.example/", "document").await.unwrap();
    frame(&format!("{SITE}/"), "iframe").await.unwrap();
    let path = format!("/api/v1/inboxes/{}/sightings", server.account.inbox);
    let told: Value = owner.get(&path).await.json().await.unwrap();
    let seen = told["seen"].as_array().unwrap();
    assert_eq!(seen.len(), 1, "{told}");
    assert_eq!(
        (&seen[0]["origin"], &seen[0]["page"]),
        (&json!(SITE), &json!(format!("{SITE}/cart")))
    );
    assert!(seen[0]["last_seen_ms"].as_i64().unwrap() > 1_700_000_000_000);
    let mut refused: Vec<(&str, u64)> = told["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|site| (site["origin"].as_str().unwrap(), site["count"].as_u64().unwrap()))
        .collect();
    refused.sort_unstable();
    assert_eq!(refused, [("https://framed.example", 1), ("https://new.example", 3)]);

    // What is allowed now is no question any more.
    let inbox = format!("/api/v1/inboxes/{}", server.account.inbox);
    let allow = json!({ "origins": [SITE, "https://new.example", "https://framed.example"] });
    owner.send(Method::PATCH, &inbox, Some(&allow)).await.error_for_status().unwrap();
    assert_eq!(ticket("https://new.example").await.unwrap().status(), StatusCode::OK);
    let told: Value = owner.get(&path).await.json().await.unwrap();
    assert_eq!(told["refused"], json!([]));
    assert_eq!(told["seen"].as_array().unwrap().len(), 2);
    let other = server.other_account().await;
    let foreign = reqwest::Client::new().get(server.url(&path)).bearer_auth(other.api_key);
    problem(foreign.send().await.unwrap(), 404, "not_found").await;
}
