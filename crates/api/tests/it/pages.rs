//! Pages, their headers, health and metrics: S13.

use frontdesk_api::ApiConfig;
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{SITE, Server, problem};

#[tokio::test]
async fn s13_every_response_has_the_security_headers() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let frame = format!("/widget/{}", server.account.inbox_key);
    let alone = format!("/c/{}", server.account.inbox_key);
    for path in [
        "/",
        "/docs",
        "/docs/docs.js",
        "/openapi.json",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/me",
        "/api/v1/nothing",
        "/nothing",
        "/ws/v1",
        "/assets/none.js",
        &frame,
        &alone,
        "/c/unknown",
        "/..%2f..%2fCargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/%00",
        "/assets/%5c..%5cx",
    ] {
        let answer = owner.get(path).await;
        assert!(!answer.status().is_server_error(), "{path}: {}", answer.status());
        let headers = answer.headers();
        let csp = headers["content-security-policy"].to_str().unwrap();
        assert!(csp.contains("default-src 'none'"), "{path}: {csp}");
        assert!(!csp.contains("unsafe-"), "{path}: {csp}");
        let ancestors = if path == frame || path == alone {
            format!("frame-ancestors 'self' {SITE};")
        } else {
            "frame-ancestors 'none'".to_owned()
        };
        assert!(csp.contains(&ancestors), "{path}: {csp}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert!(headers.contains_key("referrer-policy"), "{path}");
        assert_eq!(headers["x-request-id"].len(), 16, "{path}");
        assert!(!headers.contains_key("strict-transport-security"), "{path}: plain http");
        assert!(!headers.contains_key("server") && !headers.contains_key("x-powered-by"));
    }
    let console = owner.get("/").await;
    let csp = console.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(csp.contains("require-trusted-types-for 'script'"), "{csp}");
}

#[tokio::test]
async fn pages_work_below_a_prefix_and_name_their_folder() {
    let config = ApiConfig {
        public_url: Some("http://help.example/chat/".parse().unwrap()),
        ..ApiConfig::default()
    };
    let server = Server::with(config).await;
    let browser = server.browser();
    for (path, base) in [
        (format!("/chat/c/{}", server.account.inbox_key), "<base href=\"../widget/\">"),
        (format!("/widget/{}", server.account.inbox_key), "<base href=\"./\">"),
    ] {
        let page = browser.get(&path).await;
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert!(page.text().await.unwrap().contains(base), "{path}");
    }
    assert_eq!(browser.get("/chat/healthz").await.status(), StatusCode::OK);
    assert_eq!(browser.get("/chat").await.status(), StatusCode::OK);
    problem(browser.get("/chatter").await, 404, "not_found").await;
    problem(browser.get("/demo").await, 404, "not_found").await;
}

#[tokio::test]
async fn health_is_for_everybody_and_metrics_for_the_operator() {
    let config = ApiConfig {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        operator_token: Some(frontdesk_api::config::OperatorToken::new("open sesame".to_owned())),
        ..ApiConfig::default()
    };
    let server = Server::with(config).await;
    let get = |path: &str, token: Option<&str>| {
        let request =
            reqwest::Client::new().get(server.url(path)).header("x-forwarded-for", "198.51.100.4");
        match token {
            Some(token) => request.bearer_auth(token).send(),
            None => request.send(),
        }
    };
    assert_eq!(get("/healthz", None).await.unwrap().status(), StatusCode::OK);
    let ready: Value = get("/readyz", None).await.unwrap().json().await.unwrap();
    assert_eq!((&ready["ready"], &ready["durability"]), (&true.into(), &"sync".into()));
    let names: Vec<&str> =
        ready["checks"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["log", "catalog"]);
    for path in ["/metrics", "/docs"] {
        problem(get(path, None).await.unwrap(), 403, "right.missing").await;
        problem(get(path, Some("wrong")).await.unwrap(), 403, "right.missing").await;
        assert_eq!(get(path, Some("open sesame")).await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(server.browser().get("/metrics").await.text().await.unwrap(), "frontdesk_up 1\n");
}
