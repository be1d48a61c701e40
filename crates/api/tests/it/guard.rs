//! Who may come in: S1, S5, S6, S8, S9, S21.

use frontdesk_api::{ApiConfig, config::RequestLimits};
use frontdesk_catalog::Catalog;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{EMAIL, PASSWORD, SITE, Server, problem};

#[tokio::test]
async fn s09_a_change_by_cookie_needs_our_origin_or_our_header() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let path = "/api/v1/canned-replies";
    let attempt = |name: &'static str, value: &'static str, shortcut: &'static str| {
        let body = json!({ "shortcut": shortcut, "texts": { "en": "x" } });
        owner.http.post(server.url(path)).header(name, value).json(&body).send()
    };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("x-other", "nothing that only our scripts can set"),
    ] {
        problem(attempt(name, value, "a").await.unwrap(), 403, "origin.refused").await;
    }
    let replies: Value = owner.get(path).await.json().await.unwrap();
    assert_eq!(replies["replies"].as_array().unwrap().len(), 0, "nothing changed");
    assert_eq!(attempt("x-frontdesk", "1", "b").await.unwrap().status(), StatusCode::CREATED);
    let body = json!({ "shortcut": "c", "texts": { "en": "x" } });
    assert_eq!(owner.post(path, &body).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn s09_forms_and_text_are_not_json() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "shortcut": "a", "texts": { "en": "x" } }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let request = owner
            .http
            .post(server.url("/api/v1/canned-replies"))
            .header("origin", server.origin())
            .header("content-type", kind)
            .body(body.clone());
        problem(request.send().await.unwrap(), 415, "request.media_type").await;
    }
}

#[tokio::test]
async fn s09_the_login_cookie_is_kept_from_scripts_and_other_sites() {
    let server = Server::start().await;
    let answer = server.browser().sign_in(EMAIL, PASSWORD).await;
    let cookies: Vec<&str> =
        answer.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    let login = cookies.iter().find(|c| c.starts_with("frontdesk=")).unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(login.contains(attribute), "{login}");
    }
    assert!(!login.contains("Domain"), "{login}");
}

#[tokio::test]
async fn over_https_the_cookie_has_the_host_prefix_and_the_wire_is_pinned() {
    let config = ApiConfig {
        public_url: Some("https://help.example/chat/".parse().unwrap()),
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..ApiConfig::default()
    };
    let server = Server::with(config).await;
    let answer = server
        .browser()
        .http
        .post(server.url("/chat/api/v1/sign-in"))
        .header("origin", "https://help.example")
        .header("x-forwarded-for", "198.51.100.4")
        .json(&json!({ "email": EMAIL, "password": PASSWORD }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let cookies = answer.headers().get_all("set-cookie");
    let login =
        cookies.iter().map(|c| c.to_str().unwrap()).find(|c| c.starts_with("__Host-frontdesk="));
    let login = login.unwrap();
    assert!(login.contains("; Path=/;") && login.ends_with("; Secure"), "{login}");
}

#[tokio::test]
async fn plain_http_from_another_machine_is_refused_in_words_or_marked() {
    let proxied = || ApiConfig {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..ApiConfig::default()
    };
    let sign_in = async |server: &Server| {
        let browser = server.browser();
        let answer = browser
            .http
            .post(server.url("/api/v1/sign-in"))
            .header("origin", server.origin())
            .header("x-forwarded-for", "192.168.1.20")
            .json(&json!({ "email": EMAIL, "password": PASSWORD }))
            .send()
            .await
            .unwrap();
        let me = browser.http.get(server.url("/api/v1/me"));
        (answer, me.header("x-forwarded-for", "192.168.1.20").send().await.unwrap())
    };
    let server = Server::with(proxied()).await;
    let (answer, _) = sign_in(&server).await;
    let body = problem(answer, 403, "auth.insecure").await;
    assert!(body["detail"].as_str().unwrap().contains("insecure_http"), "{body}");
    let server = Server::with(ApiConfig { insecure_http: true, ..proxied() }).await;
    let (answer, me) = sign_in(&server).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let me: Value = me.json().await.unwrap();
    assert_eq!(me["insecure_http"], true);
}

#[tokio::test]
async fn s05_guessing_is_slowed_and_a_known_browser_is_not_locked_out() {
    let server = Server::start().await;
    let known = server.owner().await;
    let guesser = server.browser();
    for _ in 0..frontdesk_catalog::FREE_TRIES {
        problem(guesser.sign_in(EMAIL, "wrong").await, 401, "auth.failed").await;
    }
    let refused = guesser.sign_in(EMAIL, "wrong").await;
    assert!(refused.headers().contains_key("retry-after"));
    let body = problem(refused, 429, "auth.throttled").await;
    assert!(body["retry_after"].as_u64().unwrap() >= 1, "{body}");
    assert_eq!(known.sign_in(EMAIL, PASSWORD).await.status(), StatusCode::OK);
    problem(guesser.sign_in("nobody@shop.example", "wrong").await, 401, "auth.failed").await;
}

#[tokio::test]
async fn s08_a_password_change_ends_other_logins_and_their_sockets() {
    let server = Server::start().await;
    let (one, two) = (server.owner().await, server.owner().await);
    let sessions: Value = one.get("/api/v1/me/sessions").await.json().await.unwrap();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2);
    let change = json!({ "current_password": PASSWORD, "new_password": "another long phrase" });
    let wrong = json!({ "current_password": "wrong", "new_password": "another long phrase" });
    problem(one.post("/api/v1/me/password", &wrong).await, 401, "auth.failed").await;
    assert_eq!(one.post("/api/v1/me/password", &change).await.status(), StatusCode::NO_CONTENT);
    problem(two.get("/api/v1/me").await, 401, "auth.required").await;
    assert_eq!(one.get("/api/v1/me").await.status(), StatusCode::OK);
    let revoked = server.engine.revoked.lock().unwrap().clone();
    assert_eq!(revoked, [(server.account.owner, None)]);
}

#[tokio::test]
async fn s08_signing_in_again_rotates_and_signing_out_ends_the_login() {
    let server = Server::start().await;
    let browser = server.owner().await;
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status(), StatusCode::OK);
    let sessions: Value = browser.get("/api/v1/me/sessions").await.json().await.unwrap();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "the former one ended");
    let out = browser.send(Method::POST, "/api/v1/sign-out", None).await;
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    problem(browser.get("/api/v1/me").await, 401, "auth.required").await;
    assert_eq!(server.engine.revoked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn s06_the_first_account_takes_the_one_time_token() {
    let server = Server::start().await;
    let body = json!({ "token": "AAAAAAAAAAAAAAAAAAAAAA", "account": "X", "email": "x@x.example",
        "display_name": "X", "password": PASSWORD });
    problem(server.browser().post("/api/v1/setup", &body).await, 410, "setup.done").await;
    let dir = tempfile::tempdir().unwrap();
    let empty = Catalog::open(&dir.path().join("catalog.db")).await.unwrap();
    let token = empty.create_setup_token(frontdesk_now()).await.unwrap().reveal();
    let fresh = Server::fresh(dir, empty).await;
    let browser = fresh.browser();
    let status: Value = browser.get("/api/v1/setup").await.json().await.unwrap();
    assert_eq!(status["needed"], true);
    problem(browser.post("/api/v1/setup", &body).await, 403, "setup.invalid").await;
    let mut right = body.clone();
    right["token"] = token.into();
    let made = browser.post("/api/v1/setup", &right).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    assert_eq!(browser.get("/api/v1/me").await.status(), StatusCode::OK, "the owner is signed in");
    problem(browser.post("/api/v1/setup", &right).await, 410, "setup.done").await;
}

fn frontdesk_now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

#[tokio::test]
async fn s21_requests_over_the_limit_are_told_when_to_come_back() {
    let limits = RequestLimits { per_ip_per_minute: 5, ..RequestLimits::default() };
    let server = Server::with(ApiConfig { limits, ..ApiConfig::default() }).await;
    let browser = server.browser();
    for left in (0..5).rev() {
        let answer = browser.get("/api/v1/setup").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["ratelimit-policy"], "\"address\";q=5;w=60");
        let now = answer.headers()["ratelimit"].to_str().unwrap().to_owned();
        assert!(now.starts_with(&format!("\"address\";r={left};t=")), "{now}");
    }
    let refused = browser.http.get(server.url("/api/v1/setup"));
    let refused = refused.header("x-forwarded-for", "203.0.113.77").send().await.unwrap();
    assert!(refused.headers().contains_key("retry-after"));
    problem(refused, 429, "rate_limited").await;
}

#[tokio::test]
async fn s01_sockets_come_from_us_from_listed_sites_or_without_cookies() {
    let server = Server::start().await;
    let own = server.origin();
    let upgrade = |origin: Option<&str>, cookie: bool| {
        let mut request = reqwest::Client::new()
            .get(server.url("/ws/v1"))
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", "frontdesk.v1.json");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if cookie {
            request = request.header("cookie", "frontdesk=x");
        }
        request.send()
    };
    let other_port = "http://127.0.0.1:1";
    for (origin, cookie, welcome) in [
        (Some(own.as_str()), true, true),
        (Some(SITE), false, true),
        (None, false, true),
        (None, true, false),
        (Some("null"), false, false),
        (Some("https://evil.example"), false, false),
        (Some("https://shop.example.evil.com"), false, false),
        (Some("http://shop.example"), false, false),
        (Some("https://shop.example:8443"), false, false),
        (Some(other_port), true, false),
    ] {
        let answer = upgrade(origin, cookie).await.unwrap();
        if welcome {
            assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS, "{origin:?}");
            assert_eq!(answer.headers()["sec-websocket-protocol"], "frontdesk.v1.json");
        } else {
            problem(answer, 403, "origin.refused").await;
        }
    }
}

#[tokio::test]
async fn the_demo_is_entered_without_a_password_on_its_own_machine_only() {
    let config = || ApiConfig {
        demo: true,
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..ApiConfig::default()
    };
    let real = Server::with(config()).await;
    let enter = json!({ "email": EMAIL });
    problem(real.browser().post("/api/v1/sign-in/demo", &enter).await, 404, "not_found").await;
    let server = Server::demo(config()).await;
    let browser = server.browser();
    let options: Value = browser.get("/api/v1/setup").await.json().await.unwrap();
    assert_eq!(options["demo_users"][0]["email"], EMAIL);
    let page: Value = browser.get("/demo/config.json").await.json().await.unwrap();
    assert_eq!(page["inbox_key"], server.account.inbox_key);
    let path = server.url("/api/v1/sign-in/demo");
    let far = browser.http.post(path).header("x-forwarded-for", "192.168.1.20").json(&enter);
    problem(far.send().await.unwrap(), 404, "not_found").await;
    // A page elsewhere whose name points here: the browser takes it for the page's own server.
    let port = server.address.port();
    for host in [format!("evil.example:{port}"), format!("127.0.0.1.nip.io:{port}")] {
        let asked = browser.http.get(server.url("/api/v1/setup")).header("host", &host);
        let options: Value = asked.send().await.unwrap().json().await.unwrap();
        assert_eq!(options["demo_users"], json!([]), "{host}");
        let rebound = browser
            .http
            .post(server.url("/api/v1/sign-in/demo"))
            .header("host", &host)
            .header("origin", format!("http://{host}"))
            .json(&enter);
        problem(rebound.send().await.unwrap(), 404, "not_found").await;
    }
    let foreign = browser.http.get(server.url("/api/v1/setup")).header("origin", SITE);
    let options: Value = foreign.send().await.unwrap().json().await.unwrap();
    assert_eq!(options["demo_users"], json!([]));
    let enter_with = |headers: &[(&'static str, String)]| {
        let mut request = browser.http.post(server.url("/api/v1/sign-in/demo")).json(&enter);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.send()
    };
    let ours = ("x-frontdesk", "1".to_owned());
    let nameless = enter_with(std::slice::from_ref(&ours)).await.unwrap();
    problem(nameless, 404, "not_found").await;
    let foreign = enter_with(&[ours, ("origin", SITE.to_owned())]).await.unwrap();
    problem(foreign, 403, "origin.refused").await;
    let local = format!("localhost:{port}");
    let named = enter_with(&[("host", local.clone()), ("origin", format!("http://{local}"))]);
    assert_eq!(named.await.unwrap().status(), StatusCode::NO_CONTENT);
    let entered = browser.post("/api/v1/sign-in/demo", &enter).await;
    assert_eq!(entered.status(), StatusCode::NO_CONTENT);
    let me: Value = browser.get("/api/v1/me").await.json().await.unwrap();
    assert_eq!(me["demo"], true);
}
