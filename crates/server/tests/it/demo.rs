//! The demo with its life: what is seeded, that it stays as it was left, who comes by, who answers.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use frontdesk_testkit::{Http, soon, within};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::FRONTDESK;

/// A start seeds ten thousand messages with an unoptimised binary, beside other tests.
const START: Duration = Duration::from_secs(60);

/// A running demo; an ERROR line in its log fails the test that stops it.
struct Demo {
    process: Child,
    address: SocketAddr,
    users: Value,
    log: JoinHandle<Vec<String>>,
}

impl Demo {
    async fn start(data_dir: &Path, flags: &[&str]) -> Self {
        let mut process = Command::new(FRONTDESK)
            .args(["serve", "--demo", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(flags)
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
        let address = console.trim_start_matches("http://").trim_end_matches('/');
        let address = address.parse().expect("an address and a port");
        Self { process, address, users: entry["users"].clone(), log }
    }

    async fn as_user(&self, role: &str) -> Http {
        let http = Http::new(self.address);
        http.post("/api/v1/sign-in", &self.users[role]).await.ok();
        http
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
    let text = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
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

#[tokio::test]
async fn a_demo_begins_with_a_shop_full_of_conversations() {
    let dir = tempfile::tempdir().expect("a directory");
    let began = std::time::Instant::now();
    let demo = Demo::start(&dir.path().join("data"), &[]).await;
    let admin = demo.as_user("admin").await;
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
    let unread = |row: &&Value| number(&row["unread"]) > 0 && !owner(row).is_empty();
    assert_eq!(open.iter().filter(unread).count(), 2);
    let pending = |row: &&Value| row["session"]["status"] == "SESSION_STATUS_PENDING";
    assert_eq!(open.iter().filter(pending).count(), 1);
    let closed = rows(&admin, "closed").await;
    assert_eq!(closed.len(), 48);
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

    let replies = lin.get("/api/v1/replies").await.ok();
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
    assert_eq!(rows(&demo.as_user("admin").await, "closed").await.len(), 48 + 11);
    demo.stop().await;
}
