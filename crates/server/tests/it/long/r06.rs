//! A sync that fails (R6): strace makes one system call of the running server fail, once, as a broken
//! disk would. What would succeed if it were tried again must not be tried.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use frontdesk_testkit::{
    TestServer, TestVisitor,
    live::{message_id, text},
    soon,
};
use serde_json::json;

use super::{Report, roomy};
use crate::{crash::Crowd, heavy};

/// Attempts after the error, each of which has to be refused.
const ATTEMPTS: usize = 50;

/// strace on a running server: the first call of this name on these files fails.
struct Injector {
    strace: Child,
    trace: PathBuf,
}

impl Injector {
    fn attach(server: &TestServer, call: &str, files: &[PathBuf], dir: &Path) -> Self {
        let trace = dir.join("trace");
        let inject = format!("inject={call}:error=EIO:when=1");
        let mut command = Command::new("strace");
        command.args([
            "-f",
            "-y",
            "-s",
            "0",
            "-e",
            "trace=fdatasync,fsync,pwrite64",
            "-e",
            &inject,
        ]);
        for file in files {
            command.arg("-P").arg(file);
        }
        command.arg("-o").arg(&trace).args(["-p", &server.pid().to_string()]);
        let strace = command.stderr(Stdio::null()).spawn().expect("strace starts");
        Self { strace, trace }
    }

    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.trace).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until a call has failed; whoever attached is not there at once.
    async fn struck(&self, mut provoke: impl AsyncFnMut()) {
        soon("a call fails", async {
            while !self.calls().iter().any(|line| line.contains("(INJECTED)")) {
                provoke().await;
            }
        })
        .await;
    }

    /// The failed call and what followed it on the same files.
    fn since_the_error(&self) -> Vec<String> {
        let calls = self.calls();
        let failed = calls.iter().position(|line| line.contains("(INJECTED)"));
        calls[failed.expect("a call failed")..].to_vec()
    }
}

impl Drop for Injector {
    fn drop(&mut self) {
        // It goes by itself when the server is killed.
        drop(self.strace.kill());
        drop(self.strace.wait());
    }
}

/// The segments of the log, also those made ahead.
fn segments(server: &TestServer) -> Vec<PathBuf> {
    let dir = server.data_dir().join("log/0");
    let files = fs::read_dir(dir).expect("the log").map(|entry| entry.expect("the log").path());
    files.filter(|path| path.extension().is_some_and(|end| end == "seg")).collect()
}

async fn log_error(report: &mut Report, call: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = roomy().set("gateway.loops", 1).allow_error("log").start().await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("before").await;
    let crowd = Crowd::start(&server, 20, 2, Duration::from_millis(100)).await;
    crowd.recorder.acked(1_200).await;
    crowd.recorder.fault(&format!("the next {call} of the log fails"));
    let injector = Injector::attach(&server, call, &segments(&server), dir.path());
    injector.struck(async || tokio::time::sleep(Duration::from_millis(20)).await).await;
    let acked = server.metric("frontdesk_messages_acked_total").await;
    let mut codes = std::collections::BTreeMap::new();
    for number in 0..ATTEMPTS {
        let said = visitor.try_say(&message_id(), &format!("after {number}")).await;
        let code = said.map_or_else(|refusal| refusal.code, |_| "acked".to_owned());
        *codes.entry(code).or_insert(0) += 1;
    }
    let later = server.metric("frontdesk_messages_acked_total").await;
    let ready = server.http.get("/readyz").await;
    let reads = visitor.http().history(&visitor.conversation).await;
    let calls = injector.since_the_error();
    server.kill9().await;
    drop(injector);
    server.restart().await;
    crowd.recorder.live_since_fault(crowd.robots.len()).await;
    let checker = crowd.finish().await;

    let name = format!("log, failed {call}");
    let refused = codes.get("storage.unavailable") == Some(&ATTEMPTS);
    report.figure(
        &format!("{name}: {ATTEMPTS} later sends"),
        format!("{codes:?}"),
        "all storage.unavailable",
        refused,
    );
    report.figure(
        &format!("{name}: acks afterwards"),
        later - acked,
        "0",
        (later - acked).abs() < 0.5,
    );
    report.figure(
        &format!("{name}: later writes and syncs of the log"),
        calls.len() - 1,
        "0: nothing is tried again",
        calls.len() == 1,
    );
    report.figure(
        &format!("{name}: /readyz, and reading"),
        format!("{}, {} entries", ready.status, reads.len()),
        "503, and it goes on",
        ready.status == 503 && !reads.is_empty(),
    );
    report.verdict(&server, &checker).await;
}

async fn catalog_error(report: &mut Report, call: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = roomy().allow_error("catalog").start().await;
    let admin = server.admin();
    let mut visitor = TestVisitor::connect(&server).await;
    admin.set("routing.capacity", json!(7)).await;
    let journal = server.data_dir().join("catalog.db-wal");
    let injector = Injector::attach(&server, call, &[journal], dir.path());
    let mut acked = 7;
    let mut refused = Vec::new();
    let mut value = 7;
    injector
        .struck(async || {
            value += 1;
            let path = "/api/v1/settings/routing.capacity";
            let answer = admin.put(path, &json!({"value": value})).await;
            if answer.status < 300 {
                acked = value;
            } else {
                refused.push(answer.status);
            }
        })
        .await;
    let (struck, unknown) = (refused.len(), value);
    for _ in 0..10 {
        value += 1;
        let path = "/api/v1/settings/routing.capacity";
        let answer = admin.put(path, &json!({"value": value})).await;
        refused.push(answer.status);
    }
    let ready = server.http.get("/readyz").await;
    let said = visitor.live.message(text("", &message_id(), "chat goes on")).await;
    let syncs = injector.since_the_error().iter().filter(|line| line.contains("sync(")).count();
    server.kill9().await;
    drop(injector);
    server.restart().await;
    let read = server.admin().get("/api/v1/settings").await.text;
    let kept = serde_json::from_str::<serde_json::Value>(&read).expect("settings");
    let kept = find(&kept, "routing.capacity");

    let name = format!("catalog (SQLite), failed {call}");
    report.figure(
        &format!("{name}: changes from the error on"),
        format!("{struck} refused by it, then {:?}", &refused[struck..]),
        "refused, all later ones with 503",
        struck == 1 && refused[struck..].iter().all(|status| *status == 503),
    );
    let failed_sync = usize::from(call.ends_with("sync"));
    report.figure(
        &format!("{name}: later syncs of the journal"),
        syncs - failed_sync,
        "0: nothing is tried again",
        syncs == failed_sync,
    );
    report.figure(
        &format!("{name}: /readyz, and chat"),
        format!("{}, {}", ready.status, if said.is_ok() { "acked" } else { "refused" }),
        "503, and chat goes on",
        ready.status == 503 && said.is_ok(),
    );
    report.figure(
        &format!("{name}: after a restart"),
        format!(
            "{kept}; the last change that was answered {acked}, the one whose sync failed {unknown}"
        ),
        "one of both",
        kept == json!(acked) || kept == json!(unknown),
    );
}

/// The value of a setting wherever it stands in the answer.
fn find(answer: &serde_json::Value, key: &str) -> serde_json::Value {
    let list = answer["settings"].as_array().expect("a list of settings");
    let setting = list.iter().find(|setting| setting["name"] == key).expect("a known setting");
    setting["value"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs strace; make test-long"]
async fn r06_the_first_failed_sync_ends_acks_for_good() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r06",
        "strace attaches to the running server and makes one call fail with EIO, once: a sync or a write of \
         the message log under 400 messages a second, then one of the catalog's journal. Then kill -9 and a \
         start on the same data.",
    );
    let there = Command::new("strace").args(["-f", "-e", "trace=fdatasync", "true"]).output();
    if !there.is_ok_and(|out| out.status.success()) {
        return report.skip("it needs strace, which does not work here");
    }
    for call in ["fdatasync", "pwrite64"] {
        log_error(&mut report, call).await;
    }
    for call in ["fsync", "pwrite64"] {
        catalog_error(&mut report, call).await;
    }
    report.finish();
}
