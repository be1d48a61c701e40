//! Users, roles, teams, inboxes, keys and settings: rights and accounts (S8, S10, S11).

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Server, problem};

#[tokio::test]
async fn a_user_is_made_changed_shut_out_and_removed() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let roles: Value = owner.get("/api/v1/roles").await.json().await.unwrap();
    let role = |name: &str| {
        let all = roles["roles"].as_array().unwrap();
        all.iter().find(|role| role["builtin"] == name).unwrap()["id"].clone()
    };
    let new = json!({ "email": "ann@shop.example", "display_name": "Ann", "password": "seven77",
        "role": role("agent") });
    problem(owner.post("/api/v1/users", &new).await, 422, "user.password_weak").await;
    let mut new = new;
    new["password"] = "a phrase for ann".into();
    let made = owner.post("/api/v1/users", &new).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.unwrap();
    problem(owner.post("/api/v1/users", &new).await, 409, "user.email_taken").await;
    let path = format!("/api/v1/users/{}", made["id"].as_str().unwrap());

    let ann = server.browser();
    assert_eq!(ann.sign_in("Ann@Shop.example", "a phrase for ann").await.status(), StatusCode::OK);
    problem(ann.get("/api/v1/users").await, 403, "right.missing").await;
    let promote = json!({ "role": role("admin") });
    problem(ann.send(Method::PATCH, &path, Some(&promote)).await, 403, "right.missing").await;

    let change = json!({ "display_name": "Anna", "capacity": 3 });
    let changed: Value =
        owner.send(Method::PATCH, &path, Some(&change)).await.json().await.unwrap();
    assert_eq!((&changed["display_name"], &changed["capacity"]), (&json!("Anna"), &json!(3)));
    let reset = json!({ "capacity": null, "disabled": true });
    let changed: Value = owner.send(Method::PATCH, &path, Some(&reset)).await.json().await.unwrap();
    assert_eq!((&changed["capacity"], &changed["disabled"]), (&Value::Null, &json!(true)));
    problem(ann.get("/api/v1/me").await, 401, "auth.required").await;
    assert!(!server.engine.revoked.lock().unwrap().is_empty(), "open sockets are closed");
    let removed = owner.send(Method::DELETE, &path, None).await;
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    problem(owner.get(&path).await, 404, "not_found").await;
    let own = format!("/api/v1/users/{}", server.account.owner);
    problem(owner.send(Method::DELETE, &own, None).await, 409, "user.last_owner").await;
}

#[tokio::test]
async fn s11_things_of_another_account_do_not_exist() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let team: Value = owner
        .post("/api/v1/teams", &json!({ "names": { "en": "Sales" } }))
        .await
        .json()
        .await
        .unwrap();
    let other = server.other_account().await;
    let as_other = |method: Method, path: String, body: Option<Value>| {
        let request =
            reqwest::Client::new().request(method, server.url(&path)).bearer_auth(&other.api_key);
        match body {
            Some(body) => request.json(&body).send(),
            None => request.send(),
        }
    };
    let team = team["id"].as_str().unwrap();
    for (method, path, body) in [
        (Method::GET, format!("/api/v1/teams/{team}"), None),
        (Method::PATCH, format!("/api/v1/teams/{team}"), Some(json!({ "names": { "en": "X" } }))),
        (Method::DELETE, format!("/api/v1/teams/{team}"), None),
        (Method::GET, format!("/api/v1/users/{}", server.account.owner), None),
        (Method::DELETE, format!("/api/v1/users/{}", server.account.owner), None),
        (Method::GET, format!("/api/v1/inboxes/{}", server.account.inbox), None),
        (Method::DELETE, format!("/api/v1/inboxes/{}", server.account.inbox), None),
        (Method::GET, format!("/api/v1/settings?inbox={}", server.account.inbox), None),
        (Method::DELETE, format!("/api/v1/api-keys/{}", server.account.api_key_id), None),
    ] {
        problem(as_other(method, path, body).await.unwrap(), 404, "not_found").await;
    }
    let list: Value = as_other(Method::GET, "/api/v1/teams".to_owned(), None)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["teams"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn settings_come_from_the_registry() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let all: Value = owner.get("/api/v1/settings").await.json().await.unwrap();
    let all = all["settings"].as_array().unwrap();
    let number = all.iter().find(|setting| setting["kind"] == "number").unwrap();
    assert!(number["help"]["en"].is_string() && number["help"]["zh-CN"].is_string(), "{number}");
    assert_eq!((&number["own"], &number["value"]), (&json!(false), &number["default"]));
    let path = format!("/api/v1/settings/{}", number["name"].as_str().unwrap());
    let most = json!({ "value": number["max"] });
    let set: Value = owner.send(Method::PUT, &path, Some(&most)).await.json().await.unwrap();
    assert_eq!((&set["own"], &set["value"]), (&json!(true), &most["value"]));
    for bad in [json!("text"), json!([]), json!(1.5), json!(i64::MAX)] {
        let bad = json!({ "value": bad });
        problem(owner.send(Method::PUT, &path, Some(&bad)).await, 422, "setting.invalid").await;
    }
    let null = json!({ "value": null });
    let reset: Value = owner.send(Method::PUT, &path, Some(&null)).await.json().await.unwrap();
    assert_eq!(reset["own"], false);
    owner.send(Method::PUT, &path, Some(&most)).await;
    let reset: Value = owner.send(Method::DELETE, &path, None).await.json().await.unwrap();
    assert_eq!((&reset["own"], &reset["value"]), (&json!(false), &number["default"]));
}

#[tokio::test]
async fn inboxes_roles_replies_and_keys_go_round() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let new = json!({ "name": "Shop 2", "origins": ["https://two.example"] });
    let inbox: Value = owner.post("/api/v1/inboxes", &new).await.json().await.unwrap();
    let path = format!("/api/v1/inboxes/{}", inbox["id"].as_str().unwrap());
    let change = json!({ "routing": "manual", "texts": { "greeting": { "en": "Hello" } } });
    let changed: Value =
        owner.send(Method::PATCH, &path, Some(&change)).await.json().await.unwrap();
    assert_eq!(changed["routing"], "manual");
    assert_eq!(changed["texts"]["greeting"]["en"], "Hello");
    let rotated: Value =
        owner.send(Method::POST, &format!("{path}/rotate-key"), None).await.json().await.unwrap();
    assert_ne!(rotated["inbox_key"], inbox["inbox_key"]);
    assert_eq!(owner.send(Method::DELETE, &path, None).await.status(), StatusCode::NO_CONTENT);

    let role = json!({ "names": { "en": "Reader" }, "rights": ["conversation.read.all"] });
    let made: Value = owner.post("/api/v1/roles", &role).await.json().await.unwrap();
    let path = format!("/api/v1/roles/{}", made["id"].as_str().unwrap());
    let wrong = json!({ "names": { "en": "Reader" }, "rights": ["fly"] });
    problem(owner.send(Method::PUT, &path, Some(&wrong)).await, 422, "request.invalid").await;
    assert_eq!(owner.send(Method::DELETE, &path, None).await.status(), StatusCode::NO_CONTENT);

    let reply = json!({ "shortcut": "hello", "texts": { "en": "Hello!", "zh-CN": "您好！" } });
    let made: Value = owner.post("/api/v1/canned-replies", &reply).await.json().await.unwrap();
    assert_eq!(made["texts"]["zh-CN"], "您好！");
    problem(owner.post("/api/v1/canned-replies", &reply).await, 409, "name.taken").await;

    let key = json!({ "name": "CRM", "rights": ["conversation.write"] });
    let made: Value = owner.post("/api/v1/api-keys", &key).await.json().await.unwrap();
    let request = |secret: &str| {
        reqwest::Client::new().get(server.url("/api/v1/me")).bearer_auth(secret).send()
    };
    let secret = made["key"].as_str().unwrap();
    let me: Value = request(secret).await.unwrap().json().await.unwrap();
    assert_eq!((&me["kind"], &me["rights"]), (&json!("api_key"), &json!(["conversation.write"])));
    let list = owner.get("/api/v1/api-keys").await.text().await.unwrap();
    assert!(!list.contains(secret), "a key is shown once");
    let path = format!("/api/v1/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(owner.send(Method::DELETE, &path, None).await.status(), StatusCode::NO_CONTENT);
    problem(request(secret).await.unwrap(), 401, "auth.required").await;
}
