//! The demo with its life: what is seeded, that it stays as it was left, who comes by, who answers.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use frontdesk_core::chat::{self, ActorKind, SessionStatus};
use frontdesk_protocol::wire::{
    self, client_frame::Frame as Out, command::Command as Verb, server_frame::Frame as In,
};
use frontdesk_testkit::{Http, Socket, SocketOptions, soon, within};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::{FRONTDESK, eventually, tls};

/// A start seeds ten thousand messages with an unoptimised binary, beside other tests.
const START: Duration = Duration::from_mins(1);

/// A running demo; an ERROR line in its log fails the test that stops it.
struct Demo {
    process: Child,
    address: SocketAddr,
    users: Value,
    log: JoinHandle<Vec<String>>,
}

impl Demo {
    async fn start(data_dir: &Path, flags: &[&str]) -> Self {
        Self::start_with(data_dir, flags, &[]).await
    }

    async fn start_with(data_dir: &Path, flags: &[&str], env: &[(&str, &Path)]) -> Self {
        let mut process = Command::new(FRONTDESK)
            .args(["serve", "--demo", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(flags)
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let mut said = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut logged = BufReader::new(process.stderr.take().expect("piped")).lines();
        let log = tokio::spawn(async move {
            let mut errors = Vec::new();
            while let Ok(Some(line)) = logged.next_line().await {
                if line.contains(" ERROR ") || line.contains("panicked") {
                    errors.push(line);
                }
            }
            errors
        });
        let line = within(START, "the demo says how to enter", said.next_line()).await;
        let line = line.expect("text").expect("a line");
        let entry: Value = serde_json::from_str(&line).expect("JSON");
        let console = entry["console"].as_str().expect("the console's address");
        let (_, address) = console.split_once("://").expect("a scheme");
        let address = address.trim_end_matches('/');
        let address = address.parse().expect("an address and a port");
        Self { process, address, users: entry["users"].clone(), log }
    }

    async fn as_user(&self, role: &str) -> Http {
        Http::new(self.address).enter(&self.users[role]).await
    }

    /// A socket of a user, live and online.
    async fn online(&self, role: &str) -> (Http, Socket) {
        let http = self.as_user(role).await;
        let ticket = http.agent_ticket().await;
        let mut socket = self.socket(ticket).await;
        let presence = wire::Presence::Online.into();
        let chosen = Out::Presence(wire::SetPresence { presence });
        socket.send(7, chosen).await.expect("an open socket");
        soon("the state is taken", async {
            loop {
                let frame = socket.hear().await.expect("an open socket");
                if frame.r#ref == 7 {
                    return assert!(matches!(frame.frame, Some(In::Done(_))), "{frame:?}");
                }
            }
        })
        .await;
        (http, socket)
    }

    async fn socket(&self, ticket: String) -> Socket {
        let opened = Socket::open(self.address, &SocketOptions::default()).await;
        let mut socket = opened.expect("a socket");
        let hello = wire::Hello { ticket, ..wire::Hello::default() };
        socket.send(1, Out::Hello(hello)).await.expect("an open socket");
        soon("a welcome", async {
            while !matches!(socket.hear().await.expect("open").frame, Some(In::Welcome(_))) {}
        })
        .await;
        socket
    }

    /// A visitor of the shop's page who writes one message, and asks for a person once the bot has answered.
    async fn shopper(&self, text: &str) -> Socket {
        let mut socket = self.visitor("en", text).await;
        bot_answer(&mut socket).await;
        let command = Some(Verb::AskForPerson(wire::AskForPerson {}));
        let asked = wire::Command { command, ..wire::Command::default() };
        socket.send(3, Out::Command(asked)).await.expect("an open socket");
        socket
    }

    /// A visitor of the shop's page who writes one message.
    async fn visitor(&self, language: &str, text: &str) -> Socket {
        let nobody = Http::new(self.address);
        let config = nobody.get("/demo/config.json").await.ok();
        let asked =
            json!({ "kind": "visitor", "inbox_key": config["inbox_key"], "language": language });
        let made = nobody.post("/api/v1/tickets", &asked).await.ok();
        let mut socket = self.socket(made["ticket"].as_str().expect("a ticket").to_owned()).await;
        let said = chat::content::Kind::Text(chat::Text { body: text.to_owned() });
        let send = wire::Send {
            client_msg_id: bytes::Bytes::from_static(&[7; 16]),
            content: Some(chat::Content { kind: Some(said), ..chat::Content::default() }),
            ..wire::Send::default()
        };
        socket.send(2, Out::Send(send)).await.expect("an open socket");
        socket
    }

    async fn stop(mut self) {
        let id = i32::try_from(self.process.id().expect("it runs")).expect("a process id");
        let id = rustix::process::Pid::from_raw(id).expect("a process id");
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
        soon("the demo stops", self.process.wait()).await.expect("it ends");
        let errors = soon("the log ends", self.log).await.expect("it is read");
        assert_eq!(errors, Vec::<String>::new(), "errors in the log");
    }

    async fn kill(mut self) {
        self.process.kill().await.expect("it runs");
    }
}

/// The rows of one of a reader's views.
async fn rows(http: &Http, view: &str) -> Vec<Value> {
    let page = http.get(&format!("/api/v1/conversations?view={view}&limit=100")).await.ok();
    page["rows"].as_array().cloned().unwrap_or_default()
}

fn number(value: &Value) -> i64 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or(0)
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_millis()).expect("before the year 292000000")
}

/// How long the visitors of queued rows wait, seconds, shortest first.
fn waits(rows: &[Value]) -> Vec<i64> {
    let now = now_ms();
    let mut waits: Vec<i64> =
        rows.iter().map(|row| (now - number(&row["session"]["waitingSinceMs"])) / 1_000).collect();
    waits.sort_unstable();
    waits
}

fn owner(row: &Value) -> &str {
    row["session"]["owner"]["name"].as_str().unwrap_or_default()
}

/// Who owns the visitor's session, once somebody does; with what was said until then.
async fn owner_of(socket: &mut Socket, wanted: &str) -> Vec<String> {
    let mut said = Vec::new();
    soon(wanted, async {
        loop {
            match socket.hear().await.expect("an open socket").frame {
                Some(In::Entries(entries)) => said.extend(answers(entries)),
                Some(In::Session(update)) => {
                    let session = update.session.expect("a session");
                    let owned = session.status() == SessionStatus::Assigned;
                    if owned && session.owner.is_some_and(|owner| owner.name.starts_with(wanted)) {
                        return said;
                    }
                }
                _ => {}
            }
        }
    })
    .await
}

/// The first thing the bot says to a visitor.
async fn bot_answer(socket: &mut Socket) -> chat::Content {
    soon("the bot answers", async {
        loop {
            let frame = socket.hear().await.expect("an open socket").frame;
            let Some(In::Entries(entries)) = frame else { continue };
            for item in entries.items {
                let Some(chat::timeline_item::Item::Entry(entry)) = item.item else { continue };
                let by_bot = entry.actor.is_some_and(|actor| actor.kind() == ActorKind::Bot);
                let Some(chat::entry::Body::Content(content)) = entry.body else { continue };
                let said = !matches!(content.kind, Some(chat::content::Kind::System(_)));
                if by_bot && said {
                    return content;
                }
            }
        }
    })
    .await
}

/// What agents say in these entries.
fn answers(entries: wire::Entries) -> Vec<String> {
    let text = |item: chat::TimelineItem| {
        let Some(chat::timeline_item::Item::Entry(entry)) = item.item else { return None };
        let by_agent = entry.actor.as_ref()?.kind() == ActorKind::Agent;
        match entry.body? {
            chat::entry::Body::Content(chat::Content {
                kind: Some(chat::content::Kind::Text(text)),
                ..
            }) if by_agent => Some(text.body),
            _ => None,
        }
    };
    entries.items.into_iter().filter_map(text).collect()
}

#[tokio::test]
async fn a_demo_begins_with_a_shop_full_of_conversations() {
    let dir = tempfile::tempdir().expect("a directory");
    let began = std::time::Instant::now();
    let demo = Demo::start(&dir.path().join("data"), &[]).await;
    let admin = demo.as_user("admin").await;
    admin.post("/api/v1/demo/pause", &json!({})).await.ok();
    let mei = demo.as_user("supervisor").await;
    let lin = demo.as_user("agent").await;

    let slow = i64::try_from(began.elapsed().as_secs()).expect("a short time") + 2;
    let queue = waits(&rows(&lin, "queue").await);
    assert_eq!(queue.len(), 3, "{queue:?}");
    for (wait, expected) in queue.iter().zip([40, 145, 370]) {
        assert!((expected..=expected + slow).contains(wait), "{queue:?}");
    }
    let mine = rows(&lin, "mine").await;
    assert_eq!(mine.len(), 3);
    let long = mine.iter().map(|row| number(&row["position"]["seq"])).max();
    assert!(long > Some(10_000), "{long:?}");
    let open = rows(&mei, "open").await;
    assert_eq!(open.len(), 12);
    let named = |row: &&Value| row["visitorName"].as_str().is_some_and(|name| !name.is_empty());
    assert_eq!(open.iter().filter(named).count(), 12);
    let unread = |row: &&Value| number(&row["unread"]) > 0 && !owner(row).is_empty();
    assert_eq!(open.iter().filter(unread).count(), 2);
    let pending = |row: &&Value| row["session"]["status"] == "SESSION_STATUS_PENDING";
    assert_eq!(open.iter().filter(pending).count(), 1);
    let closed = rows(&admin, "closed").await;
    // Those of the scenes, and customers the bot has served.
    assert_eq!(closed.len(), 48 + 6);
    let rated = closed.iter().filter(|row| number(&row["session"]["rating"]) > 0).count();
    let commented = closed.iter().filter(|row| {
        row["session"]["ratingComment"].as_str().is_some_and(|comment| !comment.is_empty())
    });
    assert!(rated >= 30 && commented.count() >= 15, "{rated} rated");
    let language = |tag: &str| closed.iter().filter(|row| row["language"] == tag).count();
    assert!(language("zh-CN") >= 20 && language("en") >= 20);

    let (mut pictures, mut notes) = (0, 0);
    for row in open.iter().chain(&closed) {
        let conversation = row["conversation"].as_str().expect("an id");
        let page =
            admin.get(&format!("/api/v1/conversations/{conversation}/entries?limit=50")).await;
        for item in page.ok()["items"].as_array().expect("items") {
            notes += u32::from(item["entry"]["audience"] == "AUDIENCE_TEAM");
            let Some(file) = item["entry"]["content"]["file"]["id"].as_str() else { continue };
            pictures += 1;
            let path = format!("/api/v1/files/{file}");
            assert_eq!(admin.get(&path).await.status, 200, "{path}");
        }
    }
    assert!(pictures >= 7 && notes >= 5, "{pictures} pictures, {notes} notes");

    let replies = lin.get("/api/v1/canned-replies").await.ok();
    let replies = replies["replies"].as_array().expect("replies").clone();
    assert_eq!(replies.len(), 12);
    assert!(
        replies
            .iter()
            .all(|reply| reply["texts"]["zh-CN"].is_string() && reply["texts"]["en"].is_string())
    );
    let teams = lin.get("/api/v1/teams").await.ok();
    assert_eq!(teams["teams"].as_array().map(Vec::len), Some(2));
    // Three may be entered as; those the demo plays are no doors.
    let doors = Http::new(demo.address).get("/api/v1/setup").await.ok();
    let doors: Vec<_> = doors["demo_users"].as_array().expect("users").iter().collect();
    let roles: Vec<_> = doors.iter().map(|door| door["role"].as_str().expect("a role")).collect();
    assert_eq!(roles, ["agent", "supervisor", "owner"]);
    demo.stop().await;
}

#[tokio::test]
async fn an_old_demo_plays_its_open_scenes_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let demo = Demo::start(&data, &[]).await;
    let lin = demo.as_user("agent").await;
    let before = rows(&lin, "queue").await;
    demo.kill().await;
    // Two hours pass.
    let file = data.join("demo.json");
    let text = std::fs::read_to_string(&file).expect("the demo's file");
    let mut known: Value = serde_json::from_str(&text).expect("JSON");
    known["scenes"]["at_ms"] = json!(number(&known["scenes"]["at_ms"]) - 2 * 60 * 60 * 1_000);
    std::fs::write(&file, known.to_string()).expect("written");

    let demo = Demo::start(&data, &[]).await;
    let lin = demo.as_user("agent").await;
    let queue = rows(&lin, "queue").await;
    assert_eq!(queue.len(), 3);
    assert!(waits(&queue)[0] < 100, "{:?}", waits(&queue));
    let same = |row: &&Value| before.iter().any(|old| old["conversation"] == row["conversation"]);
    assert_eq!(queue.iter().filter(same).count(), 0, "other people wait now");
    // The long conversation goes on; everything else that was open has come to its end.
    assert_eq!(rows(&lin, "mine").await.len(), 3);
    assert_eq!(rows(&demo.as_user("admin").await, "closed").await.len(), 48 + 6 + 11);
    demo.stop().await;
}

#[tokio::test]
async fn the_watchdog_leaves_the_scenes_as_they_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(&dir.path().join("data"), &[]).await;
    let admin = demo.as_user("admin").await;
    admin.post("/api/v1/demo/pause", &json!({})).await.ok();
    // The colleagues the demo plays come in right after the start.
    let mut report = Value::Null;
    eventually(START, "nobody who is waited for is away", async || {
        report = admin.get("/api/v1/waiting").await.ok();
        let sessions = report["sessions"].as_array().expect("sessions");
        let moves = ["requeue", "urgent", "close_idle"];
        sessions.iter().all(|session| moves.iter().all(|then| session["then"] != *then))
    })
    .await;
    assert_eq!(report["violations"], json!([]));
    let now = now_ms();
    for session in report["sessions"].as_array().expect("sessions") {
        let left_s = (number(&session["deadline_ms"]) - now) / 1_000;
        let owned = session["owner"].is_string();
        assert!(!owned || left_s > 20 * 60, "{left_s} s left: {session}");
        assert!(owned || session["then"] == "look_again", "{session}");
    }
    // Each of them comes on a connection of their own; people stay away.
    let expected = [
        ("Lin", "offline"),
        ("Mei", "offline"),
        ("Ada", "away"),
        ("Yun", "away"),
        ("Chen", "online"),
    ];
    eventually(START, "everybody is as the demo has them", async || {
        let agents = admin.get("/api/v1/agents").await.ok();
        let agents = agents["agents"].as_array().expect("agents").clone();
        expected.iter().all(|(name, presence)| {
            agents.iter().any(|agent| {
                let called = agent["name"].as_str().unwrap_or_default();
                called.starts_with(name) && agent["presence"] == *presence
            })
        })
    })
    .await;
    demo.stop().await;
}

#[tokio::test]
async fn a_colleague_answers_the_shop_only_while_nobody_else_is_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(&dir.path().join("data"), &[]).await;
    let mut alone = demo.shopper("Hello?").await;
    let asked = std::time::Instant::now();
    let answer = soon("an answer", async {
        loop {
            let frame = alone.hear().await.expect("an open socket");
            let Some(In::Entries(entries)) = frame.frame else { continue };
            if let Some(answer) = answers(entries).pop() {
                return answer;
            }
        }
    })
    .await;
    let seconds = asked.elapsed().as_secs_f64();
    assert!(seconds > 4.5, "after {seconds} s");
    assert!(answer.contains(&format!("http://{}/", demo.address)), "{answer}");

    // Somebody comes: the visitor is theirs, and so is whoever comes next.
    let (_lin, _socket) = demo.online("agent").await;
    assert_eq!(owner_of(&mut alone, "Lin").await, Vec::<String>::new());
    let mut next = demo.shopper("Is anybody there?").await;
    assert_eq!(owner_of(&mut next, "Lin").await, Vec::<String>::new());
    demo.stop().await;
}

#[tokio::test]
async fn the_shops_bot_answers_within_a_second_in_both_languages() {
    let dir = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(&dir.path().join("data"), &[]).await;
    for (language, question, title, words) in [
        ("en", "How long does delivery take?", "How long does delivery take?", "SF Express"),
        ("zh-CN", "多久能收到货？", "多久能收到货？", "顺丰"),
    ] {
        // The quickest of three: other tests are at work beside this one.
        let mut quickest = (Duration::MAX, chat::Content::default());
        for _ in 0..3 {
            let mut visitor = demo.visitor(language, question).await;
            let asked = std::time::Instant::now();
            let answer = bot_answer(&mut visitor).await;
            if asked.elapsed() < quickest.0 {
                quickest = (asked.elapsed(), answer);
            }
        }
        let (took, answer) = quickest;
        assert!(took < Duration::from_secs(1), "{language}: {took:?}");
        let Some(chat::content::Kind::Text(text)) = answer.kind else { panic!("{answer:?}") };
        assert!(text.body.contains(words), "{}", text.body);
        let source = answer.sources.first().expect("where it comes from");
        assert_eq!(source.title, title);
        let page = Http::new(demo.address).get(&source.path).await;
        assert!(page.status == 200 && page.text.contains(words), "{}", source.path);
    }
    demo.stop().await;
}

#[tokio::test]
async fn the_shops_bot_has_articles_flows_and_two_weeks_behind_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(&dir.path().join("data"), &[]).await;
    let admin = demo.as_user("admin").await;
    admin.post("/api/v1/demo/pause", &json!({})).await.ok();
    let mut articles = Vec::new();
    let mut path = "/api/v1/articles?state=published".to_owned();
    loop {
        let page = admin.get(&path).await.ok();
        articles.extend(page["articles"].as_array().expect("articles").clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/articles?state=published&cursor={next}");
    }
    assert_eq!(articles.len(), 50);
    for article in &articles {
        let texts = &article["texts"];
        assert!(texts["en"].is_object() && texts["zh-CN"].is_object(), "{}", article["slug"]);
        assert_ne!(article["category"], "", "{}", article["slug"]);
    }
    let flows = admin.get("/api/v1/bot/flows").await.ok();
    let flows: Vec<_> = flows["flows"].as_array().expect("flows").iter().collect();
    assert_eq!(
        flows.iter().map(|flow| &flow["name"]).collect::<Vec<_>>(),
        ["opening", "order-status"]
    );
    let bot = admin.get("/api/v1/bot").await.ok();
    assert_eq!(bot["name"], json!({ "en": "Leaf", "zh-CN": "小叶" }));

    let figures = admin.get("/api/v1/bot/figures?days=15").await.ok();
    assert_eq!((&figures["contained"], &figures["handed_over"]), (&json!(20), &json!(5)));
    assert_eq!(figures["by_reason"], json!({ "asked": 3, "complaint": 1, "unsure": 1 }));
    let days = figures["days"].as_array().expect("days").len();
    assert!(days >= 10, "{days} days with a session");

    // Every answer says why, and whoever took over was told what it is about.
    let sessions = admin.get("/api/v1/bot/sessions").await.ok();
    let sessions = sessions["sessions"].as_array().expect("sessions");
    let conversations: std::collections::BTreeSet<_> =
        sessions.iter().map(|session| session["conversation"].as_str().expect("an id")).collect();
    assert_eq!(conversations.len(), 6);
    let (mut answers, mut reasons, mut briefs) = (0, 0, 0);
    for conversation in conversations {
        let path = format!("/api/v1/conversations/{conversation}/entries?limit=100");
        let page = admin.get(&path).await.ok();
        let entries: Vec<_> =
            page["items"].as_array().expect("items").iter().map(|item| &item["entry"]).collect();
        let answer = |entry: &Value| entry["content"]["sources"][0]["article"].clone();
        answers += entries.iter().filter(|entry| answer(entry).is_string()).count();
        briefs += entries
            .iter()
            .filter(|entry| entry["audience"] == "AUDIENCE_TEAM")
            .filter_map(|entry| entry["content"]["text"]["body"].as_str())
            .filter(|text| text.contains("Handed over because"))
            .count();
        for entry in &entries {
            let why = &entry["content"]["system"]["params"];
            if why["kind"] != "answer" {
                continue;
            }
            reasons += 1;
            let about = entries.iter().find(|entry| entry["seq"] == why["seq"]);
            assert_eq!(about.map(|entry| answer(entry)), Some(why["article"].clone()), "{entry}");
        }
    }
    assert_eq!((answers, reasons, briefs), (22, 22, 5));
    demo.stop().await;
}

#[tokio::test]
async fn a_bot_that_is_there_is_left_as_people_made_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let demo = Demo::start(&data, &[]).await;
    let admin = demo.as_user("admin").await;
    let mut bot = admin.get("/api/v1/bot").await.ok();
    bot["name"] = json!({ "en": "Sprout" });
    let changed = admin.put("/api/v1/bot", &bot).await.ok();
    let figures = admin.get("/api/v1/bot/figures").await.ok();
    demo.stop().await;
    // A demo of an earlier version knows nothing of a bot.
    let file = data.join("demo.json");
    let text = std::fs::read_to_string(&file).expect("the demo's file");
    let mut known: Value = serde_json::from_str(&text).expect("JSON");
    known.as_object_mut().expect("an object").remove("bot").expect("it was noted");
    std::fs::write(&file, known.to_string()).expect("written");

    let demo = Demo::start(&data, &[]).await;
    let admin = demo.as_user("admin").await;
    assert_eq!(admin.get("/api/v1/bot").await.ok(), changed);
    assert_eq!(admin.get("/api/v1/bot/figures").await.ok()["contained"], figures["contained"]);
    demo.stop().await;
}

#[tokio::test]
async fn visitors_who_come_by_can_be_paused() {
    let dir = tempfile::tempdir().expect("a directory");
    // Without colleagues, and paused until somebody lets them go on.
    let flags = ["--quiet-demo", "--demo-speed", "20"];
    let demo = Demo::start(&dir.path().join("data"), &flags).await;
    let (admin, mut socket) = demo.online("admin").await;
    let state = async || admin.get("/api/v1/demo").await.ok();
    assert_eq!(state().await, json!({ "paused": true, "visitors": 0 }));
    admin.post("/api/v1/demo/resume", &json!({})).await.ok();
    eventually(START, "visitors come", async || number(&state().await["visitors"]) >= 2).await;
    admin.post("/api/v1/demo/pause", &json!({})).await.ok();
    let paused = state().await;
    assert_eq!(paused["paused"], true);
    // What was on its way arrives; then nothing happens for forty seconds of the visitors' time.
    let quiet = Duration::from_secs(2);
    soon("it is quiet", async {
        while tokio::time::timeout(quiet, socket.hear()).await.is_ok() {}
    })
    .await;
    assert_eq!(state().await, paused);
    admin.post("/api/v1/demo/resume", &json!({})).await.ok();
    soon("it goes on", socket.hear()).await.expect("an open socket");
    // Only people of the demo pause it.
    assert_eq!(Http::new(demo.address).post("/api/v1/demo/pause", &json!({})).await.status, 401);
    demo.stop().await;
}

#[tokio::test]
async fn the_demo_lives_behind_https_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let trusted = tls::issue(dir.path());
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let env = [
        ("FRONTDESK__TLS__CERTIFICATE", certificate.as_path()),
        ("FRONTDESK__TLS__KEY", key.as_path()),
    ];
    let data = dir.path().join("data");
    let demo = Demo::start_with(&data, &["--demo-speed", "20"], &env).await;
    let credentials = Some(demo.users["admin"].clone());
    let (head, body) =
        tls::ask_as(demo.address, &trusted, "/api/v1/sign-in", credentials, "").await;
    let cookie = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("set-cookie").then_some(value)
    });
    let cookie = cookie.and_then(|cookie| cookie.split(';').next());
    let cookie = cookie.unwrap_or_else(|| panic!("no cookie: {head} {body}"));
    let told = async |path: &str| -> Value {
        let (head, body) = tls::ask_as(demo.address, &trusted, path, None, cookie).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head} {body}");
        serde_json::from_str(&body).expect("JSON")
    };
    // Those the demo plays connect without a certificate, to a listener of their own.
    eventually(START, "a colleague is there", async || {
        let agents = told("/api/v1/agents").await;
        let agents = agents["agents"].as_array().expect("agents").clone();
        agents.iter().any(|agent| agent["presence"] == "online")
    })
    .await;
    eventually(START, "visitors come", async || {
        number(&told("/api/v1/demo").await["visitors"]) >= 2
    })
    .await;
    // Nobody else reaches the address that people are given without https.
    let plain = reqwest::get(format!("http://{}/healthz", demo.address)).await;
    assert!(plain.is_err(), "{plain:?}");
    demo.stop().await;
}

#[tokio::test]
async fn hours_of_visitors_pass_without_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(&dir.path().join("data"), &["--demo-speed", "720"]).await;
    let admin = demo.as_user("admin").await;
    let closed = async || {
        let page = admin.get("/api/v1/conversations?view=closed&limit=100").await.ok();
        page["rows"].as_array().expect("rows").clone()
    };
    // Those who were there before make 54; the newest come first.
    eventually(START, "thirty visitors have come and gone", async || closed().await.len() >= 84)
        .await;
    let came = closed().await;
    let rated = came[..30].iter().filter(|row| number(&row["session"]["rating"]) > 0).count();
    assert!(rated >= 15, "{rated} of thirty were answered and rated");
    let report = admin.get("/api/v1/waiting").await.ok();
    assert_eq!(report["violations"], json!([]));
    demo.stop().await;
}
