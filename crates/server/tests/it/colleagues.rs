//! What colleagues know of a conversation: mentions in notes, the person behind the visitor, what it was
//! before, and where the widget stands.

use frontdesk_core::chat::{self, Audience, SessionStatus};
use frontdesk_protocol::wire::{self, client_frame::Frame as Out, command::Command as Verb};
use frontdesk_testkit::{SocketOptions, TestAgent, TestServer, TestVisitor, timeline::system_key};
use serde_json::{Value, json};

use crate::{FRONTDESK, chat::pair};

/// A note of this agent that mentions people.
async fn mention(
    agent: &mut TestAgent,
    conversation: &str,
    people: &[&str],
    audience: Audience,
) -> Result<wire::Ack, wire::Refusal> {
    let text = chat::content::Kind::Text(chat::Text { body: "please look".to_owned() });
    let mentions = people.iter().map(ToString::to_string).collect();
    let note = wire::Send {
        conversation: conversation.to_owned(),
        client_msg_id: frontdesk_testkit::live::message_id().to_vec().into(),
        content: Some(chat::Content { kind: Some(text), mentions, ..chat::Content::default() }),
        audience: audience.into(),
    };
    agent.live.message(note).await
}

async fn counts(agent: &TestAgent) -> (u64, u64) {
    let list = agent.http.get("/api/v1/conversations?view=mentioned").await.ok();
    let rows = list["rows"].as_array().map_or(0, Vec::len);
    (rows as u64, list["counts"]["mentioned"].as_u64().expect("a count"))
}

/// Reads everything in the conversation.
async fn read(agent: &mut TestAgent, conversation: &str, read_seq: u64) {
    let cursor = wire::MoveCursor {
        conversation: conversation.to_owned(),
        delivered_seq: read_seq,
        read_seq,
    };
    agent.live.send(Out::Cursor(cursor)).await;
}

#[tokio::test]
async fn a_mentioned_colleague_finds_the_conversation_until_the_note_is_read() {
    let mut server = TestServer::start(FRONTDESK).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let mut boss = TestAgent::new(&server, "Boss", "admin").await;
    boss.connect().await;
    mention(&mut mei, &conversation, &[&boss.id.clone()], Audience::Team).await.expect("a note");
    let row = boss.row("mentioned", |row| row.conversation == conversation && row.mentioned).await;
    assert_eq!(row.unread, 1, "the visitor's message");
    assert_eq!(counts(&boss).await, (1, 1));
    assert_eq!(counts(&mei).await, (0, 0));

    // A close takes it from everybody's list but not from hers.
    mei.command(&conversation, Verb::Close(wire::Close {})).await.expect("the owner closes");
    visitor.session("closed", |session| session.status() == SessionStatus::Closed).await;
    mei.unlisted(&conversation).await;
    boss.row("closed and still there", |row| {
        let session = row.session.as_ref();
        row.mentioned && session.is_some_and(|s| s.status() == SessionStatus::Closed)
    })
    .await;
    let open = boss.http.get("/api/v1/conversations?view=open").await.ok();
    assert_eq!(open["rows"], json!([]), "{open}");

    // Nor does a restart.
    boss.lose();
    mei.lose();
    visitor.lose();
    server.stop().await;
    server.restart().await;
    assert_eq!(counts(&boss).await, (1, 1));
    boss.feed = None;
    boss.connect().await;
    let opened = boss.open(&conversation).await.expect("an admin reads everything");
    let seq = opened.position.expect("a position").seq;
    read(&mut boss, &conversation, seq).await;
    boss.unlisted(&conversation).await;
    assert_eq!(counts(&boss).await, (0, 0));
    let noted = opened.items.iter().find_map(|item| match &item.item {
        Some(chat::timeline_item::Item::Entry(entry)) => match &entry.body {
            Some(chat::entry::Body::Content(content)) if !content.mentions.is_empty() => {
                Some(content.mentions.clone())
            }
            _ => None,
        },
        _ => None,
    });
    assert_eq!(noted, Some(vec![boss.id.clone()]));
}

#[tokio::test]
async fn a_note_brings_a_colleague_of_another_team_into_the_conversation() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let mut ben = TestAgent::new(&server, "Ben", "agent").await;
    server.admin().create_team("Billing", &[&ben.id]).await;
    ben.connect().await;
    let refused = ben.open(&conversation).await.expect_err("it is Mei's");
    assert_eq!(refused.code, "conversation.unknown");

    let ack = mention(&mut mei, &conversation, &[&ben.id.clone()], Audience::Team).await;
    let note = ack.expect("a note").position.expect("a position").seq;
    let own = ben.id.clone();
    let row = ben.row("mentioned", |row| row.conversation == conversation && row.mentioned).await;
    let session = row.session.expect("a session");
    assert!(session.participants.iter().any(|who| who.id == own), "{session:?}");
    assert_eq!(session.owner.map(|owner| owner.id), Some(mei.id.clone()), "it stays Mei's");
    assert_eq!(counts(&ben).await, (1, 1));
    ben.open(&conversation).await.expect("who takes part may read");
    ben.sees(&conversation, "please look").await;
    ben.sees(&conversation, "hello").await;

    // The team sees who brought in whom before it sees why; the visitor sees neither.
    let joined = ben.timeline(&conversation).entries_held().find(|entry| entry.seq == note - 1);
    let joined = joined.expect("an entry before the note");
    assert_eq!(system_key(joined), Some("participant.joined"));
    assert_eq!(joined.actor.as_ref().map(|actor| &actor.id), Some(&mei.id));
    ben.say(&conversation, "Ben here").await;
    visitor.sees("Ben here").await;
    assert_eq!(visitor.held().texts(), ["Ben here"]);
    assert!(!visitor.held().system_keys().contains(&"participant.joined"));
}

#[tokio::test]
async fn a_note_brings_nobody_in_who_could_not_read_it_or_without_the_right() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let ben = TestAgent::new(&server, "Ben", "agent").await.id;
    let admin = server.admin();
    let blind = json!({"names": {"en": "blind"}, "rights": ["conversation.note"]});
    let blind = admin.post("/api/v1/roles", &blind).await.ok();
    let nora = TestAgent::new(&server, "Nora", "agent").await.id;
    admin.patch(&format!("/api/v1/users/{nora}"), &json!({"role": blind["id"]})).await.ok();
    let refused = mention(&mut mei, &conversation, &[&ben, &nora], Audience::Team).await;
    let refused = refused.expect_err("Nora reads no conversation, not even her own");
    assert_eq!((refused.code.as_str(), &refused.detail), ("message.mention", &nora));

    // Over, the session takes nobody in; opened again it does, but not by somebody without the right.
    mei.command(&conversation, Verb::Close(wire::Close {})).await.expect("closed");
    visitor.session("closed", |session| session.status() == SessionStatus::Closed).await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let note = json!({"text": "look", "audience": "team", "mentions": [ben]});
    let mut keys = Vec::new();
    let note_rights = ["conversation.read.all", "conversation.note"];
    for more in [&[][..], &["conversation.assign"]] {
        let rights = [&note_rights[..], more].concat();
        let key = json!({"name": "a program", "rights": rights});
        let made = admin.post("/api/v1/api-keys", &key).await.ok();
        keys.push(server.http.with_key(made["key"].as_str().expect("a key")));
    }
    let (few, full) = (&keys[0], &keys[1]);
    let refused = full.post(&path, &note).await;
    assert_eq!(refused.code(), "message.mention", "it is over");
    visitor.say("once more").await;
    mei.listed(&conversation, &mei.id.clone()).await;
    let refused = few.post(&path, &note).await;
    assert_eq!(refused.code(), "message.mention", "the key may not hand on");
    full.post(&path, &note).await.ok();
    let shown = admin.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    let participants = shown["row"]["session"]["participants"].to_string();
    assert!(participants.contains(&ben) && !participants.contains(&nora), "{shown}");
}

#[tokio::test]
async fn a_note_mentions_only_members_of_the_account() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let boss = TestAgent::new(&server, "Boss", "admin").await.id;
    let admin = server.admin();
    let shut_out = TestAgent::new(&server, "Gone", "admin").await.id;
    admin.patch(&format!("/api/v1/users/{shut_out}"), &json!({"disabled": true})).await.ok();
    for wrong in [shut_out.as_str(), "d4s0q1h2q5k3v8m6n730", "nobody", ""] {
        let refused = mention(&mut mei, &conversation, &[&boss, wrong], Audience::Team).await;
        let refused = refused.expect_err("one of them is none");
        assert_eq!((refused.code.as_str(), refused.detail.as_str()), ("message.mention", wrong));
    }
    let loud = mention(&mut mei, &conversation, &[&boss], Audience::Everyone).await;
    assert_eq!(loud.expect_err("the visitor would read it").code, "message.mention");
    let many = vec![boss.as_str(); 21];
    let refused = mention(&mut mei, &conversation, &many, Audience::Team).await;
    assert_eq!(refused.expect_err("too many").code, "message.mention");

    // By HTTP the same, and a visitor mentions nobody.
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let note = |user: &str| json!({"text": "look", "audience": "team", "mentions": [user]});
    let refused = mei.http.post(&path, &note(&shut_out)).await;
    assert_eq!((refused.status, refused.code()), (422, "message.mention".to_owned()));
    mei.http.post(&path, &note(&boss)).await.ok();
    let asked = visitor.http().post(&path, &json!({"text": "hi", "mentions": [boss]})).await;
    assert_eq!(asked.code(), "message.mention");
    visitor.say("still here").await;
    mei.sees(&conversation, "still here").await;
}

#[tokio::test]
async fn what_is_known_of_a_visitor_shows_in_lists_and_survives_a_kill() {
    let mut server = TestServer::start(FRONTDESK).await;
    let (mut mei, visitor, conversation) = pair(&server).await;
    let path = format!("/api/v1/conversations/{conversation}");
    let contact = format!("{path}/contact");
    let known = json!({"name": " 李雷 ", "email": "lilei@example.com", "note": "prefers mail"});
    let changed = mei.http.patch(&contact, &known).await.ok();
    assert_eq!((&changed["name"], &changed["note"]), (&json!("李雷"), &json!("prefers mail")));
    assert_eq!(changed["changed_by_name"], "Mei");
    mei.row("the new name", |row| row.visitor_name == "李雷").await;
    for (bad, field) in [
        (json!({"email": "not an address"}), "email"),
        (json!({"phone": "call me"}), "phone"),
        (json!({"name": "x".repeat(300)}), "name"),
        (json!({"note": "x".repeat(4_001)}), "note"),
    ] {
        let refused = mei.http.patch(&contact, &bad).await;
        assert_eq!((refused.status, refused.code()), (422, "request.invalid".to_owned()), "{bad}");
        assert_eq!(refused.json()["field"], field);
    }
    server.kill9().await;
    server.restart().await;
    let list = mei.http.get("/api/v1/conversations").await.ok();
    assert_eq!(list["rows"][0]["visitorName"], "李雷", "{list}");
    let shown = mei.http.get(&path).await.ok();
    assert_eq!(shown["contact"]["email"], "lilei@example.com");
    assert_eq!(shown["row"]["visitorName"], "李雷");
    // The visitor learns nothing of it here.
    let own = visitor.http().get(&path).await.ok();
    let texts = own.to_string();
    assert!(own["contact"].is_null() && own["device"].is_null(), "{own}");
    assert!(!texts.contains("prefers mail") && !texts.contains("Mei\",\"changed"), "{own}");
    let refused = visitor.http().patch(&contact, &json!({"name": "x"})).await;
    assert_eq!(refused.code(), "right.missing");
}

#[tokio::test]
async fn what_people_wrote_of_contacts_is_there_without_the_projections_file() {
    let mut server = TestServer::start(FRONTDESK).await;
    let (mei, mut visitor, conversation) = pair(&server).await;
    let path = format!("/api/v1/conversations/{conversation}");
    let said = json!({"email": "lilei@example.com"});
    let answer = visitor.http().put("/api/v1/visitor/contact", &said).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    let known = json!({"name": "李雷", "note": "prefers mail"});
    mei.http.patch(&format!("{path}/contact"), &known).await.ok();
    let before = mei.http.get(&path).await.ok()["contact"].clone();
    visitor.lose();
    server.stop().await;
    for file in ["projections.db", "projections.db-wal", "projections.db-shm"] {
        let gone = std::fs::remove_file(server.data_dir().join(file));
        assert!(gone.is_ok() || file != "projections.db", "{gone:?}");
    }
    server.restart().await;
    let after = mei.http.get(&path).await.ok();
    assert_eq!(after["contact"], before, "{after}");
    assert_eq!(before["email"], "lilei@example.com");
    assert_eq!(after["row"]["visitorName"], "李雷");
    let list = mei.http.get("/api/v1/conversations").await.ok();
    assert_eq!(list["rows"][0]["visitorName"], "李雷", "{list}");
}

#[tokio::test]
async fn a_conversation_tells_of_its_device_and_its_past() {
    let server = TestServer::start(FRONTDESK).await;
    let request = json!({
        "kind": "visitor", "inbox_key": server.installed.inbox_key,
        "page": "https://shop.example/cart", "referrer": "https://search.example/?q=tea",
    });
    let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
                 like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
    let asked = server.http.request(reqwest::Method::POST, "/api/v1/tickets");
    let made = server.http.send(asked.header("user-agent", phone).json(&request)).await.ok();
    let field = |name: &str| made[name].as_str().expect("a ticket is complete").to_owned();
    let mut visitor = TestVisitor::new(&server, SocketOptions::default()).await;
    let conversation = field("conversation_id");
    visitor.token = field("visitor_token");
    visitor.conversation.clone_from(&conversation);
    let hello = wire::Hello { ticket: field("ticket"), ..visitor.hello() };
    visitor.try_hello(hello).await.expect("a welcome");
    let mut mei = TestAgent::online(&server, "Mei").await;
    for (number, rating) in [(1, 5), (2, 3)] {
        visitor.say("a question").await;
        let own = mei.id.clone();
        mei.row("a session of hers", |row| {
            let session = row.session.as_ref();
            row.conversation == conversation
                && session.is_some_and(|s| {
                    s.number == number && s.owner.as_ref().is_some_and(|owner| owner.id == own)
                })
        })
        .await;
        mei.say(&conversation, "an answer").await;
        mei.command(&conversation, Verb::Close(wire::Close {})).await.expect("closed");
        let rate = wire::Rate { rating, comment: format!("visit {number}") };
        let closed = |session: &chat::Session| {
            session.number == number && session.status() == SessionStatus::Closed
        };
        visitor.session("closed", closed).await;
        visitor.command(Verb::Rate(rate)).await.expect("rated");
    }
    visitor.say("once more").await;
    let shown = server.admin().get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(shown["page_url"], "https://shop.example/cart");
    assert_eq!(shown["referrer"], "https://search.example/?q=tea");
    assert_eq!(shown["device"], json!({"browser": "Safari", "system": "iOS", "mobile": true}));
    let sessions = shown["sessions"].as_array().expect("sessions");
    let told: Vec<Value> = sessions
        .iter()
        .map(|session| {
            json!([
                session["number"],
                session["owner_name"],
                session["rating"],
                session["rating_comment"],
                session["close_reason"],
                session["first_answer_ms"].is_u64(),
                session["closed_at_ms"].is_u64(),
            ])
        })
        .collect();
    let expected = [
        json!([2, "Mei", 3, "visit 2", "agent", true, true]),
        json!([1, "Mei", 5, "visit 1", "agent", true, true]),
    ];
    assert_eq!(told, expected, "{shown}");
}

#[tokio::test]
async fn an_invited_colleague_joins_with_the_link_and_can_work() {
    let server = TestServer::start(FRONTDESK).await;
    let admin = server.admin();
    let roles = admin.get("/api/v1/roles").await.ok();
    let roles = roles["roles"].as_array().expect("roles").clone();
    let role = roles.iter().find(|role| role["builtin"] == "agent").expect("agent")["id"].clone();
    let invitation = json!({
        "email": "new@acme.example", "display_name": "New", "role": role, "language": "zh-CN",
    });
    let made = admin.post("/api/v1/invitations", &invitation).await.ok();
    let url = made["url"].as_str().expect("a link").to_owned();
    let (base, token) = url.split_once("/#/invite/").expect("a page of the console");
    assert_eq!(base, server.base());
    let path = format!("/api/v1/invitations/by-token/{token}");
    let offer = server.http.get(&path).await.ok();
    assert_eq!(offer["email"], "new@acme.example");
    let accept = json!({"display_name": "小新", "password": frontdesk_testkit::server::PASSWORD});
    let answer = server.http.post(&format!("{path}/accept"), &accept).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(server.http.get(&path).await.code(), "invitation.invalid");
    // Not only the cookie of the answer: the password works from elsewhere too.
    let http = server.http.sign_in("new@acme.example").await;
    let me = http.get("/api/v1/me").await.ok();
    assert_eq!((&me["display_name"], &me["language"]), (&json!("小新"), &json!("zh-CN")));
    let log = server.log().join("\n");
    assert!(!log.contains(token), "the link stands in the log");
}

#[tokio::test]
async fn a_mention_frame_is_heard_by_the_team_only() {
    let server = TestServer::start(FRONTDESK).await;
    let (mut mei, mut visitor, conversation) = pair(&server).await;
    let mut boss = TestAgent::new(&server, "Boss", "admin").await;
    boss.connect().await;
    boss.open(&conversation).await.expect("an admin reads everything");
    let id = boss.id.clone();
    mention(&mut mei, &conversation, &[&id], Audience::Team).await.expect("a note");
    boss.sees(&conversation, "please look").await;
    mei.say(&conversation, "for the visitor").await;
    visitor.sees("for the visitor").await;
    assert!(!visitor.held().texts().contains(&"please look"));
    let heard = visitor.live.kept().any(|frame| format!("{frame:?}").contains(&id));
    assert!(!heard, "the visitor heard who was mentioned");
}
