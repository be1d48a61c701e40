//! S3: who a visitor is, as the site signs it.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use frontdesk_protocol::wire;
use frontdesk_testkit::{SocketOptions, TestAgent, TestServer, TestVisitor, live::Live};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::world::text;
use crate::FRONTDESK;

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// What any JWT library makes of it.
fn signed(secret: &str, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(text.as_bytes());
    format!("{text}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// A name and its hash, as the site's server makes them.
fn hashed(secret: &str, identifier: &str) -> Value {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(identifier.as_bytes());
    let bytes = mac.finalize().into_bytes();
    let hash = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    json!({"identifier": identifier, "identifier_hash": hash})
}

/// A server whose inbox takes identities, with a secret.
struct Site {
    server: TestServer,
    inbox: String,
    secret: String,
}

impl Site {
    async fn open(mode: &str) -> Self {
        let server = TestServer::start(FRONTDESK).await;
        let inboxes = server.admin().get("/api/v1/inboxes").await.ok();
        let inbox = format!("/api/v1/inboxes/{}", text(&inboxes["inboxes"][0]["id"]));
        let site = Self { server, inbox, secret: String::new() };
        site.mode(mode).await;
        let (_, secret) = site.new_secret().await;
        Self { secret, ..site }
    }

    async fn mode(&self, mode: &str) {
        let body = json!({"identity": {"mode": mode}});
        self.server.admin().patch(&self.inbox, &body).await.ok();
    }

    /// Id and text of another secret.
    async fn new_secret(&self) -> (String, String) {
        let path = format!("{}/identity-secrets", self.inbox);
        let made = self.server.admin().post(&path, &json!({})).await.ok();
        (text(&made["id"]), text(&made["secret"]))
    }

    fn claims(&self, subject: &str) -> Value {
        json!({"sub": subject, "aud": self.server.installed.inbox_key, "exp": now_s() + 300})
    }

    fn token(&self, subject: &str) -> String {
        signed(&self.secret, &self.claims(subject))
    }

    /// The ticket's answer: status and code, or 200 and nothing.
    async fn ask(&self, identity: Option<&str>) -> (u16, String) {
        let proof = identity.map_or(json!({}), |token| json!({"identity_token": token}));
        let (status, answer) = self.ticket(&proof).await;
        (status, if status == 200 { String::new() } else { text(&answer["code"]) })
    }

    /// The ticket for somebody with this proof.
    async fn ticket(&self, proof: &Value) -> (u16, Value) {
        let mut body = proof.clone();
        body["kind"] = json!("visitor");
        body["inbox_key"] = json!(self.server.installed.inbox_key);
        let answer = self.server.http.post("/api/v1/tickets", &body).await;
        (answer.status, answer.json())
    }

    /// Asks with a name and its hash: the conversation, or the code.
    async fn ask_hashed(&self, identity: &Value) -> Result<String, (u16, String)> {
        match self.ticket(&json!({"identity": identity})).await {
            (200, answer) => Ok(text(&answer["conversation_id"])),
            (status, answer) => {
                assert_eq!(answer["field"], "identity", "{answer}");
                Err((status, text(&answer["code"])))
            }
        }
    }
}

fn refused(code: &str) -> (u16, String) {
    (401, code.to_owned())
}

#[tokio::test]
async fn s03_one_identity_is_one_visitor_on_every_device() {
    let site = Site::open("optional").await;
    let mut phone = TestVisitor::named(&site.server, &site.token("u1")).await;
    phone.say("from the phone").await;
    let mut laptop = TestVisitor::named(&site.server, &site.token("u1")).await;
    assert_eq!(laptop.conversation, phone.conversation);
    assert_ne!(laptop.token, phone.token, "each device has a secret of its own");
    laptop.sees("from the phone").await;
    laptop.say("from the laptop").await;
    phone.sees("from the laptop").await;
    let other = TestVisitor::named(&site.server, &site.token("u2")).await;
    assert_ne!(other.conversation, phone.conversation);
}

#[tokio::test]
async fn s03_what_a_device_wrote_before_comes_along_once() {
    let site = Site::open("optional").await;
    let mut device = TestVisitor::connect(&site.server).await;
    device.say("before signing in").await;
    let before = device.conversation.clone();
    device.live = Live::default();
    device.identity_token = Some(site.token("u1"));
    device.connect_by_ticket().await;
    assert_eq!(device.conversation, before);
    device.sees("before signing in").await;
    // The next one at this device is somebody else, also with the token that was left behind.
    device.live = Live::default();
    device.identity_token = Some(site.token("u2"));
    device.connect_by_ticket().await;
    assert_ne!(device.conversation, before);
    // Whoever comes without the site's word begins anew and reads nothing.
    device.live = Live::default();
    device.identity_token = Some(site.token("u1"));
    device.connect_by_ticket().await;
    assert_eq!(device.conversation, before);
    device.live = Live::default();
    device.identity_token = None;
    device.connect_by_ticket().await;
    assert_ne!(device.conversation, before);
    assert!(device.held().texts().is_empty(), "somebody else's words");
}

#[tokio::test]
async fn s03_what_the_site_did_not_sign_for_this_inbox_now_is_refused() {
    let site = Site::open("optional").await;
    let other = site.server.admin().post("/api/v1/inboxes", &json!({"name": "other"})).await.ok();
    let replayed = json!({"sub": "u1", "aud": other["inbox_key"], "exp": now_s() + 300});
    let expired = json!({"sub": "u1", "aud": site.claims("u1")["aud"], "exp": now_s() - 61});
    let endless = json!({"sub": "u1", "aud": site.claims("u1")["aud"]});
    let email =
        json!({"email": "a@b.example", "aud": site.claims("u1")["aud"], "exp": now_s() + 300});
    let good = site.token("u1");
    let (head, _) = good.rsplit_once('.').expect("three parts");
    let none = BASE64.encode(json!({"alg": "none"}).to_string());
    let swapped = BASE64.encode(json!({"alg": "RS256", "typ": "JWT"}).to_string());
    let body = head.split_once('.').expect("two parts").1;
    for (token, code) in [
        (signed("another secret", &site.claims("u1")), "identity.invalid"),
        (format!("{none}.{body}."), "identity.invalid"),
        (good.replacen(good.split('.').next().expect("a part"), &swapped, 1), "identity.invalid"),
        (signed(&site.secret, &replayed), "identity.invalid"),
        (signed(&site.secret, &endless), "identity.invalid"),
        (signed(&site.secret, &email), "identity.invalid"),
        (signed(&site.secret, &expired), "identity.expired"),
        (String::new(), "identity.invalid"),
    ] {
        assert_eq!(site.ask(Some(&token)).await, refused(code), "{token}");
    }
    assert_eq!(site.ask(Some(&good)).await, (200, String::new()));
    site.mode("off").await;
    assert_eq!(site.ask(Some(&good)).await, refused("identity.invalid"));
}

#[tokio::test]
async fn s03_a_secret_is_changed_without_a_gap() {
    let site = Site::open("required").await;
    let admin = site.server.admin();
    let (id, next) = site.new_secret().await;
    assert_ne!(next, site.secret);
    let third = admin.post(&format!("{}/identity-secrets", site.inbox), &json!({})).await;
    assert_eq!((third.status, third.code()), (409, "too_many".to_owned()));
    let by_next = signed(&next, &site.claims("u1"));
    assert_eq!(site.ask(Some(&site.token("u1"))).await.0, 200);
    assert_eq!(site.ask(Some(&by_next)).await.0, 200);
    let shown = admin.get(&site.inbox).await.ok();
    let secrets = shown["identity"]["secrets"].as_array().expect("secrets").clone();
    assert_eq!(secrets.len(), 2);
    assert_eq!(text(&secrets[1]["id"]), id);
    assert!(next.ends_with(&text(&secrets[1]["hint"])), "{shown}");
    assert!(!shown.to_string().contains(&next), "a secret is shown once");
    let former = text(&secrets[0]["id"]);
    admin.delete(&format!("{}/identity-secrets/{former}", site.inbox)).await.ok();
    assert_eq!(site.ask(Some(&site.token("u1"))).await, refused("identity.invalid"));
    assert_eq!(site.ask(Some(&by_next)).await.0, 200);
}

#[tokio::test]
async fn s03_an_inbox_that_requires_identities_hears_nobody_else() {
    let mut site = Site::open("optional").await;
    let mut nobody = TestVisitor::connect(&site.server).await;
    nobody.say("I am nobody").await;
    let mut ahead = TestVisitor::connect(&site.server).await;
    let ticket = ahead.ticket().await;
    let mut somebody = TestVisitor::named(&site.server, &site.token("u1")).await;
    somebody.say("I am u1").await;
    site.mode("required").await;
    // The open socket ends, and no way leads back: ticket, resume token, HTTP.
    let gone = nobody.live.gone().await;
    assert_eq!(gone.code(), 3400, "{gone:?}");
    assert_eq!(site.ask(None).await, refused("identity.required"));
    for hello in [
        wire::Hello { ticket, ..wire::Hello::default() },
        wire::Hello { resume_token: nobody.welcome.resume_token.clone(), ..wire::Hello::default() },
    ] {
        let (error, gone) = ahead.try_hello(hello).await.expect_err("nobody is let in");
        assert_eq!(error.map(|error| error.code).as_deref(), Some("identity.required"));
        assert_eq!(gone.code(), 3400, "{gone:?}");
    }
    let path = format!("/api/v1/conversations/{}/messages", nobody.conversation);
    let sent = nobody.http().post(&path, &json!({"text": "by HTTP"})).await;
    assert_eq!((sent.status, sent.code()), refused("identity.required"));
    // Who is named is heard all the while.
    somebody.say("still here").await;
    let path = format!("/api/v1/conversations/{}/messages", somebody.conversation);
    somebody.http().post(&path, &json!({"text": "by HTTP"})).await.ok();
    somebody.lose();
    somebody.resume().await;
    site.server.stop().await;
    site.server.restart().await;
    assert_eq!(site.ask(Some(&site.token("u1"))).await.0, 200, "secrets survive a restart");
    let back = TestVisitor::named(&site.server, &site.token("u1")).await;
    assert_eq!(back.conversation, somebody.conversation);
}

#[tokio::test]
async fn s03_the_team_sees_what_the_site_signed_and_visitors_cannot_change_it() {
    let site = Site::open("optional").await;
    let mut agent = TestAgent::admin(&site.server).await;
    let mut claims = site.claims("u1");
    claims["name"] = json!("Li Na 李娜");
    claims["email"] = json!("li.na@example.com");
    claims["phone"] = json!("no number at all");
    claims["attributes"] = json!({"plan": "gold", "orders": 12, "beta": true});
    let mut visitor = TestVisitor::named(&site.server, &signed(&site.secret, &claims)).await;
    visitor.say("hello").await;
    let conversation = visitor.conversation.clone();
    agent.row("a row with the name", |row| row.visitor_name == "Li Na 李娜").await;
    let change = json!({"name": "The Boss", "phone": "+86 138 0013 8000"});
    let contact = visitor.http().put("/api/v1/visitor/contact", &change).await;
    assert_eq!(contact.status, 204, "{}", contact.text);
    let seen = agent.http.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    let contact = &seen["contact"];
    assert_eq!(contact["name"], "Li Na 李娜", "{seen}");
    assert_eq!(contact["email"], "li.na@example.com");
    assert_eq!(contact["phone"], "+86 138 0013 8000", "what the site did not say");
    assert_eq!(contact["verified"], true);
    let attributes = json!({"plan": "gold", "orders": "12", "beta": "true"});
    assert_eq!(contact["attributes"], attributes);
    let mut stranger = TestVisitor::new(&site.server, SocketOptions::default()).await;
    stranger.connect_by_ticket().await;
    stranger.say("hello").await;
    let path = format!("/api/v1/conversations/{}", stranger.conversation);
    assert_eq!(agent.http.get(&path).await.ok()["contact"]["verified"], false);
}

#[tokio::test]
async fn s03_a_name_and_its_hash_are_the_same_visitor_as_a_token_for_that_name() {
    let site = Site::open("optional").await;
    let mut visitor = TestVisitor::named(&site.server, &site.token("u1")).await;
    visitor.say("by token").await;
    let by_hash = site.ask_hashed(&hashed(&site.secret, "u1")).await;
    assert_eq!(by_hash, Ok(visitor.conversation.clone()));
    let other = site.ask_hashed(&hashed(&site.secret, "u2")).await.expect("somebody else");
    assert_ne!(other, visitor.conversation);
    let again = site.ask_hashed(&hashed(&site.secret, "u2")).await;
    assert_eq!(again, Ok(other), "on every device");
    // Both secrets hold, until one goes.
    let (_, next) = site.new_secret().await;
    assert_eq!(site.ask_hashed(&hashed(&next, "u1")).await, Ok(visitor.conversation.clone()));
    let admin = site.server.admin();
    let shown = admin.get(&site.inbox).await.ok();
    let former = text(&shown["identity"]["secrets"][0]["id"]);
    admin.delete(&format!("{}/identity-secrets/{former}", site.inbox)).await.ok();
    let gone = site.ask_hashed(&hashed(&site.secret, "u1")).await;
    assert_eq!(gone, Err(refused("identity.invalid")));
    assert_eq!(site.ask_hashed(&hashed(&next, "u1")).await, Ok(visitor.conversation.clone()));
}

#[tokio::test]
async fn s03_a_hash_the_site_did_not_make_for_this_inbox_is_refused() {
    let site = Site::open("optional").await;
    let admin = site.server.admin();
    let other = admin.post("/api/v1/inboxes", &json!({"name": "other"})).await.ok();
    let other = format!("/api/v1/inboxes/{}", text(&other["id"]));
    admin.patch(&other, &json!({"identity": {"mode": "optional"}})).await.ok();
    let foreign = admin.post(&format!("{other}/identity-secrets"), &json!({})).await.ok();
    let good = hashed(&site.secret, "u1");
    let with = |field: &str, value: &str| {
        let mut changed = good.clone();
        changed[field] = json!(value);
        changed
    };
    for bad in [
        hashed(&text(&foreign["secret"]), "u1"),
        hashed("another secret", "u1"),
        hashed(&site.secret, ""),
        with("identifier", "u2"),
        with("identifier", ""),
        with("identifier_hash", ""),
        with("identifier_hash", "none"),
        json!({"email": "a@b.example"}),
        json!({}),
    ] {
        let answer = site.ask_hashed(&bad).await;
        assert_eq!(answer, Err(refused("identity.invalid")), "{bad}");
    }
    let two = json!({"identity_token": site.token("u1"), "identity": good});
    let (status, answer) = site.ticket(&two).await;
    assert_eq!((status, text(&answer["code"])), refused("identity.invalid"), "one of the two");
    // An inbox that requires identities takes either form, one that takes none neither.
    site.mode("required").await;
    assert_eq!(site.ask(None).await, refused("identity.required"));
    assert_eq!(site.ask(Some(&site.token("u1"))).await.0, 200);
    let mut visitor = TestVisitor::hashed(&site.server, &good).await;
    visitor.say("I am u1").await;
    site.mode("off").await;
    assert_eq!(site.ask_hashed(&good).await, Err(refused("identity.invalid")));
}

#[tokio::test]
async fn s03_what_stands_beside_a_hash_is_not_vouched_for() {
    let site = Site::open("optional").await;
    let agent = TestAgent::admin(&site.server).await;
    let mut identity = hashed(&site.secret, "u1");
    identity["name"] = json!("Li Na");
    identity["email"] = json!("li.na@example.com");
    identity["attributes"] = json!({"plan": "gold"});
    let conversation = site.ask_hashed(&identity).await.expect("a ticket");
    let mut visitor = TestVisitor::named(&site.server, &site.token("u1")).await;
    assert_eq!(visitor.conversation, conversation);
    visitor.say("hello").await;
    let path = format!("/api/v1/conversations/{conversation}");
    let fresh = site.ask_hashed(&hashed(&site.secret, "u2")).await.expect("another one");
    assert_ne!(fresh, conversation);

    // A token without a word about the name leaves what the page said.
    let contact = agent.http.get(&path).await.ok()["contact"].clone();
    assert_eq!(
        (&contact["name"], &contact["email"]),
        (&json!("Li Na"), &json!("li.na@example.com"))
    );
    assert_eq!(contact["attributes"], json!({}), "attributes take a token");

    // What the team wrote stands, whatever the page says, and what the site signs stands above both.
    let change = json!({"name": "Ms Li"});
    agent.http.patch(&format!("{path}/contact"), &change).await.ok();
    identity["name"] = json!("The Boss");
    site.ask_hashed(&identity).await.expect("a ticket");
    assert_eq!(agent.http.get(&path).await.ok()["contact"]["name"], "Ms Li");
    let mut claims = site.claims("u1");
    claims["name"] = json!("Li Na 李娜");
    assert_eq!(site.ask(Some(&signed(&site.secret, &claims))).await.0, 200);
    site.ask_hashed(&identity).await.expect("a ticket");
    let contact = agent.http.get(&path).await.ok()["contact"].clone();
    assert_eq!((&contact["name"], &contact["verified"]), (&json!("Li Na 李娜"), &json!(true)));
}

#[tokio::test]
async fn s03_somebody_known_by_a_hash_alone_is_not_shown_as_verified() {
    let site = Site::open("optional").await;
    let agent = TestAgent::admin(&site.server).await;
    let mut identity = hashed(&site.secret, "u1");
    identity["name"] = json!("The Boss");
    let mut visitor = TestVisitor::hashed(&site.server, &identity).await;
    visitor.say("hello").await;
    let path = format!("/api/v1/conversations/{}", visitor.conversation);
    let contact = agent.http.get(&path).await.ok()["contact"].clone();
    assert_eq!((&contact["name"], &contact["verified"]), (&json!("The Boss"), &json!(false)));
}
