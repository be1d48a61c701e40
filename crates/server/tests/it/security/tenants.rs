//! S11: everything a tenant has, asked for by everybody of another, wherever an id fits. Nothing is
//! found, nothing changes, and the answer is the one for what never existed.

use std::sync::Arc;

use frontdesk_protocol::wire::{self, client_frame::Frame, command::Command as Verb};
use frontdesk_testkit::Http;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    line::{Line, command_bodies, frames},
    world::{CALLERS, World, text},
};

/// Something that looks like an id and names nothing, and something that does not even look so.
const NOTHING: [&str; 2] = ["0123456789abcdefghig", "0123456789-no-id"];
/// The cases the bar asks for.
const CASES_MIN: usize = 5_000;

/// One place where an id fits.
#[derive(Debug, Clone)]
struct Place {
    method: Method,
    path: String,
    body: Option<String>,
    /// The request may succeed: it asks for a list, and the id may only not widen it.
    may_succeed: bool,
}

impl Place {
    fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        let body = body.map(|body| body.to_string());
        Self { method, path: path.into(), body, may_succeed: false }
    }

    async fn ask(&self, by: &Http, id: &str) -> frontdesk_testkit::http::Answer {
        let mut request = by.request(self.method.clone(), &self.path.replace("$ID", id));
        if let Some(body) = &self.body {
            request =
                request.header("content-type", "application/json").body(body.replace("$ID", id));
        }
        by.send(request).await
    }
}

/// Every operation with a placeholder in its path, with a body it would take.
async fn paths(world: &World) -> Vec<Place> {
    let document = world.server.http.get("/openapi.json").await.ok();
    let reply = json!({"shortcut": "mine", "texts": {"en": "x"}});
    let mut places = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let Some((head, rest)) = path.split_once('{') else { continue };
        let (_, tail) = rest.split_once('}').expect("a placeholder ends");
        let path = format!("{head}$ID{tail}");
        for method in item.as_object().expect("operations").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let bodies = match (method.as_str(), path.as_str()) {
                ("PUT", "/api/v1/articles/$ID") => vec![json!({
                    "slug": "mine", "state": "draft", "revision": 1,
                    "texts": {"en": {"title": "mine", "body": "mine"}},
                })],
                ("POST", "/api/v1/bot/flows/$ID/rollback") => vec![json!({"version": 1})],
                ("POST", "/api/v1/conversations/$ID/assist") => {
                    vec![json!({"kind": "summary"}), json!({"kind": "rewrite", "text": "mine"})]
                }
                ("PUT", "/api/v1/canned-replies/$ID") => vec![reply.clone()],
                ("PUT", "/api/v1/roles/$ID") => {
                    vec![json!({"names": {"en": "mine"}, "rights": []})]
                }
                ("PUT", "/api/v1/settings/$ID") => vec![json!({"value": 1})],
                ("POST", "/api/v1/conversations/$ID/commands") => command_bodies(),
                ("POST", "/api/v1/conversations/$ID/erase") => {
                    vec![json!({"from_seq": 1, "to_seq": 99})]
                }
                ("POST", "/api/v1/conversations/$ID/messages") => {
                    vec![json!({"text": "mine"}), json!({"text": "mine", "audience": "team"})]
                }
                ("POST", "/api/v1/users/$ID/password") => {
                    vec![json!({"password": "an entirely new password"})]
                }
                ("PATCH", "/api/v1/users/$ID") => vec![json!({"disabled": true})],
                ("PATCH", "/api/v1/inboxes/$ID") => vec![json!({"name": "mine"})],
                ("PATCH", "/api/v1/teams/$ID") => vec![json!({"names": {"en": "mine"}})],
                _ => Vec::new(),
            };
            if bodies.is_empty() {
                places.push(Place::new(method, path.clone(), None));
            } else {
                let with = |body| Place::new(method.clone(), path.clone(), Some(body));
                places.extend(bodies.into_iter().map(with));
            }
        }
    }
    places
}

/// Every query and body field that takes an id, in a request about something of one's own.
fn fields(world: &World) -> Vec<Place> {
    let own = &world.brio;
    let room = format!("/api/v1/conversations/{}", own.rooms[0].conversation);
    let agent = own.user("agent").0;
    let post = |path: &str, body| Place::new(Method::POST, path, Some(body));
    let patch = |path: String, body| Place::new(Method::PATCH, path, Some(body));
    let user = |role: &str, teams: Value| {
        json!({
            "email": "new@planted-brio.example", "display_name": "new",
            "password": "a good long password", "role": role, "teams": teams,
        })
    };
    let reply = json!({"shortcut": "field", "texts": {"en": "x"}, "team": "$ID"});
    let mut places = vec![
        post("/api/v1/users", user("$ID", json!([]))),
        post("/api/v1/users", user(&own.agent_role, json!(["$ID"]))),
        patch(format!("/api/v1/users/{agent}"), json!({"role": "$ID"})),
        patch(format!("/api/v1/users/{agent}"), json!({"teams": ["$ID"]})),
        post("/api/v1/teams", json!({"names": {"en": "field"}, "members": ["$ID"]})),
        patch(format!("/api/v1/teams/{}", own.teams[1]), json!({"members": ["$ID"]})),
        post("/api/v1/inboxes", json!({"name": "field", "default_team": "$ID"})),
        patch(format!("/api/v1/inboxes/{}", own.inboxes[1]), json!({"default_team": "$ID"})),
        post("/api/v1/canned-replies", reply.clone()),
        Place::new(Method::PUT, format!("/api/v1/canned-replies/{}", own.reply), Some(reply)),
        post(&format!("{room}/messages"), json!({"file": "$ID"})),
        post(
            &format!("{room}/messages"),
            json!({"text": "field", "audience": "team", "mentions": ["$ID"]}),
        ),
        post(&format!("{room}/commands"), json!({"command": "transfer", "to_agent": "$ID"})),
        post(&format!("{room}/commands"), json!({"command": "transfer", "to_team": "$ID"})),
        Place::new(
            Method::DELETE,
            format!("/api/v1/inboxes/{}/identity-secrets/$ID", own.inboxes[0]),
            None,
        ),
        Place::new(Method::GET, "/api/v1/settings?inbox=$ID", None),
        Place::new(Method::GET, "/api/v1/settings?team=$ID", None),
        Place::new(Method::GET, "/api/v1/intents?inbox=$ID", None),
        post("/api/v1/intents/try", json!({"text": "field", "inbox": "$ID"})),
        post("/api/v1/bot/talk", json!({"messages": ["field"], "inbox": "$ID"})),
    ];
    let handover = json!({"on_complaint": true, "on_anger": true, "misses_max": 2});
    for inboxes in [
        json!({"$ID": {"mode": "answer", "who": "built_in"}}),
        json!({own.inboxes[0].as_str(): {"mode": "answer", "who": "$ID"}}),
        json!({own.inboxes[0].as_str(): {"mode": "answer", "who": "built_in", "flow": "$ID"}}),
    ] {
        let body = json!({"revision": 0, "handover": handover, "inboxes": inboxes});
        places.push(Place::new(Method::PUT, "/api/v1/bot", Some(body)));
    }
    for own in
        [json!({"intents": {"sales": {"team": "$ID"}}}), json!({"inboxes": {"$ID": {"rules": []}}})]
    {
        let body = json!({"own": own, "revision": 0});
        places.push(Place::new(Method::PUT, "/api/v1/intents", Some(body)));
    }
    for place in ["inbox", "team"] {
        let path = format!("/api/v1/settings/routing.capacity?{place}=$ID");
        places.push(Place::new(Method::PUT, path.clone(), Some(json!({"value": 1}))));
        places.push(Place::new(Method::DELETE, path, None));
    }
    for path in [
        "/api/v1/conversations?view=open&cursor=$ID",
        "/api/v1/conversations?view=closed&cursor=9999999999999.$ID",
        "/api/v1/conversations?view=open&cursor=9999999999999-$ID",
        "/api/v1/intents/sessions?days=1&cursor=open.9999999999999-$ID",
        "/api/v1/intents/sessions?days=1&cursor=closed.9999999999999.$ID",
        "/api/v1/bot/sessions?cursor=9999999999999.$ID",
        "/api/v1/words/hits?cursor=$ID",
        "/api/v1/articles?category=$ID",
        "/api/v1/articles?q=$ID",
    ] {
        places.push(Place { may_succeed: true, ..Place::new(Method::GET, path, None) });
    }
    places
}

/// Asks every place for every id as one caller and returns how many cases that were.
async fn attack(
    by: Http,
    caller: &'static str,
    places: Arc<Vec<Place>>,
    ids: Arc<Vec<(&'static str, String)>>,
    mark: &'static str,
) -> usize {
    let mut cases = 0;
    for place in &*places {
        let nothing = [place.ask(&by, NOTHING[0]).await, place.ask(&by, NOTHING[1]).await];
        for (kind, id) in &*ids {
            let answer = place.ask(&by, id).await;
            let about =
                format!("{} {} with a foreign {kind} by {caller}", place.method, place.path);
            let said = format!("{about}: {} {}", answer.status, answer.text);
            assert!(answer.status < 500, "{said}");
            assert!(!answer.text.contains(mark), "{said}");
            assert!(place.may_succeed || answer.status >= 400, "{said}");
            if !place.may_succeed {
                let sortable =
                    id.len() == 20 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'v'));
                let nothing = &nothing[usize::from(!sortable)];
                let other = (nothing.status, nothing.code());
                assert_eq!((answer.status, answer.code()), other, "{about} is told from nothing");
            }
            cases += 1;
        }
    }
    cases
}

#[tokio::test]
async fn s11_nothing_of_a_tenant_is_found_or_changed_by_another() {
    let world = World::build().await;
    let ids = Arc::new(world.acme.ids().await);
    let before = world.acme.snapshot().await;
    let mut places = paths(&world).await;
    places.extend(fields(&world));
    let places = Arc::new(places);
    let mut attacks = JoinSet::new();
    for caller in CALLERS {
        let by = world.brio.caller(caller);
        let mark = world.acme.mark;
        attacks.spawn(attack(by, caller, Arc::clone(&places), Arc::clone(&ids), mark));
    }
    let mut cases: usize = attacks.join_all().await.into_iter().sum();
    cases += foreign_frames(&world, &ids).await;
    cases += foreign_tokens(&world).await;
    let after = world.acme.snapshot().await;
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(old, new, "another tenant changed something");
    }
    frontdesk_testkit::http::note(&format!("s11: {cases} cases, 0 leaks"));
    assert!(cases >= CASES_MIN, "{cases} cases");
}

/// Every frame with every id where the conversation stands, and ids where agents, teams and files do.
async fn foreign_frames(world: &World, ids: &[(&'static str, String)]) -> usize {
    let own = &world.brio.rooms[0].conversation;
    let mut cases = 0;
    for caller in ["visitor", "agent", "supervisor", "admin", "owner", "key_all", "key_few"] {
        let ticket = world.brio.ticket(caller).await.expect("a ticket");
        let mut line = Line::open(world.server.address(), &ticket).await;
        for (kind, id) in ids {
            let mut sent = frames(id);
            sent.retain(|(name, _)| {
                !matches!(name.as_str(), "hello" | "presence" | "ping" | "pong")
            });
            for transfer in [
                wire::Transfer { to_agent: id.clone(), ..Default::default() },
                wire::Transfer { to_team: id.clone(), ..Default::default() },
            ] {
                let command = Some(Verb::Transfer(transfer));
                let conversation = own.clone();
                let command = wire::Command { conversation, command, ..Default::default() };
                sent.push(("transfer to".to_owned(), Frame::Command(command)));
            }
            let mut send = frontdesk_testkit::live::text(own, &[9; 16], "");
            if let Some(content) = &mut send.content {
                content.kind =
                    Some(frontdesk_core::chat::content::Kind::File(frontdesk_core::chat::File {
                        id: id.clone(),
                        ..Default::default()
                    }));
            }
            sent.push(("send file".to_owned(), Frame::Send(send)));
            for (name, frame) in sent {
                let word = line.outcome(frame).await;
                cases += 1;
                // A visitor's frame means its own conversation, whatever it names.
                let named = name == "transfer to" || name == "send file";
                let about = caller == "visitor" && !named;
                let harmless = word == "silent" || (name == "sync" && word == "done") || about;
                let refused = word.contains('.');
                assert!(harmless || refused, "{name} with a foreign {kind} by {caller}: {word}");
            }
        }
    }
    cases
}

/// Credentials of one tenant where the other's are due.
async fn foreign_tokens(world: &World) -> usize {
    let http = world.brio.anonymous();
    let mut cases = 0;
    for room in &world.acme.rooms {
        for inbox in [&world.brio.inbox_key, &world.acme.inbox_key] {
            let request = json!({
                "kind": "visitor", "inbox_key": inbox, "visitor_token": room.token,
            });
            let answer = http.post("/api/v1/tickets", &request).await;
            cases += 1;
            if answer.status == 200 {
                let same = text(&answer.json()["conversation_id"]) == room.conversation;
                assert!(same && *inbox == world.acme.inbox_key, "{}", answer.text);
            } else {
                assert_eq!(answer.code(), "visitor.token_invalid");
            }
        }
    }
    let own = world.brio.user("agent").1.get("/api/v1/me").await.ok();
    let body = json!({
        "email": own["email"],
        "password": frontdesk_testkit::server::PASSWORD,
        "account": world.acme.account,
    });
    let answer = http.post("/api/v1/sign-in", &body).await;
    assert_eq!(answer.code(), "request.invalid", "nobody signs in to an account of others");
    cases + 1
}
