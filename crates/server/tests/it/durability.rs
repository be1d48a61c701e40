//! What an ack rests on: the order of system calls (R2), a disk that is full (R5) or fails (R6).

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use frontdesk_testkit::{
    TestServer, TestVisitor, http::note, live::message_id, server::ADMIN_EMAIL, soon, within,
};

use crate::{ENGINE, FRONTDESK, heavy};

const SENDERS: usize = 50;
const EACH: usize = 20;

/// Says so loudly and returns true where a tool is not there.
fn is_missing(test: &str, tool: &str, arguments: &[&str]) -> bool {
    let there = Command::new(tool).args(arguments).output().is_ok_and(|out| out.status.success());
    if !there {
        note(&format!("\n*** {test} SKIPPED: it needs {tool}, which does not work here ***\n"));
    }
    !there
}

/// What a thread did last to the log.
#[derive(Default, Clone, Copy, PartialEq)]
enum Written {
    #[default]
    Synced,
    Unsynced,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r02_every_ack_follows_a_sync() {
    if is_missing("r02", "strace", &["-f", "-e", "trace=fdatasync", "true"]) {
        return;
    }
    let _alone = heavy().await;
    let dir = tempfile::tempdir().expect("a directory");
    let trace = dir.path().join("trace");
    let calls = "trace=fdatasync,fsync,pwrite64,pwritev,write,writev,sendto,sendmsg";
    let path = trace.to_str().expect("a plain path");
    let mut server = TestServer::builder(FRONTDESK)
        .set("storage.embedded.engine", ENGINE)
        .set("limits.ip_burst", 100_000)
        .under(&["strace", "-f", "-y", "-s", "16", "-e", calls, "-o", path])
        .start()
        .await;
    let mut senders = Vec::new();
    for _ in 0..SENDERS {
        senders.push(TestVisitor::connect(&server).await);
    }
    let commits = server.metric("frontdesk_log_commits_total").await;
    let sending = senders.into_iter().map(|mut visitor| {
        tokio::spawn(async move {
            // One at a time: whatever is grouped is grouped over senders.
            for number in 0..EACH {
                visitor.say(&format!("message {number}")).await;
            }
        })
    });
    let sending: Vec<_> = sending.collect();
    for sender in sending {
        within(Duration::from_mins(1), "all acks under the tracer", sender).await.expect("acked");
    }
    let commits = server.metric("frontdesk_log_commits_total").await - commits;
    server.kill9().await;

    let text = fs::read_to_string(&trace).expect("the trace");
    let mut threads: HashMap<&str, Written> = HashMap::new();
    let (mut writes, mut syncs, mut sends) = (0, 0, 0);
    let mut early = Vec::new();
    for line in text.lines() {
        // "1234 pwrite64(12</data/log/0/1.seg>, ...) = 300"; a call that other threads interrupt is
        // written in two lines, of which the first says when it began, the second when it ended.
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let (name, rest) = call.split_once(['(', ' ']).unwrap_or((call, ""));
        let of_log = rest.contains("/log/") && rest.contains(".seg>");
        let begins = !call.starts_with("<...");
        let written = threads.entry(thread).or_default();
        match name {
            "pwrite64" | "pwritev" | "write" | "writev" if begins && of_log => {
                writes += 1;
                *written = Written::Unsynced;
            }
            "fdatasync" | "fsync" if begins && of_log => {
                syncs += 1;
                if !call.contains("unfinished") {
                    assert!(call.contains("= 0"), "a sync that failed: {line}");
                    *written = Written::Synced;
                }
            }
            "<..." if rest.starts_with("fdatasync resumed") => *written = Written::Synced,
            "sendto" | "sendmsg" | "write" | "writev" if begins && rest.contains("<socket:") => {
                sends += 1;
                if *written == Written::Unsynced {
                    early.push(line);
                }
            }
            _ => {}
        }
    }
    let acks = SENDERS * EACH;
    note(&format!(
        "r02: {acks} acks, {writes} writes and {syncs} syncs of the log, {sends} sends, {commits} commits, \
         {} sends before their sync",
        early.len()
    ));
    assert!(writes > 0 && syncs > 0 && sends > 0, "the trace shows nothing");
    assert!(early.is_empty(), "sent before the sync:\n{}", early[..early.len().min(5)].join("\n"));
    assert!(syncs < acks, "{syncs} syncs for {acks} acks: nothing was grouped");
}

/// A file system of 64 MiB.
struct SmallDisk {
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("disk");
        fs::create_dir(&path).expect("a directory");
        let mount = ["-t", "tmpfs", "-o", "size=64m", "tmpfs"];
        let mounted = Command::new("mount").args(mount).arg(&path).status();
        let mounted = mounted.is_ok_and(|status| status.success());
        mounted.then_some(Self { path, _dir: dir })
    }

    /// Fills all but `left` bytes with a file that can be removed again.
    fn fill(&self, left: u64) -> PathBuf {
        let free = free_bytes(&self.path);
        let ballast = self.path.join("ballast");
        fs::write(&ballast, vec![0_u8; usize::try_from(free - left).expect("a small disk")])
            .expect("there is room");
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A disk that is still busy is let go when it no longer is.
        drop(Command::new("umount").arg("-l").arg(&self.path).status());
    }
}

fn free_bytes(path: &Path) -> u64 {
    let output = Command::new("df").args(["--output=avail", "-B1"]).arg(path).output();
    let text = String::from_utf8(output.expect("df runs").stdout).expect("plain text");
    text.lines().nth(1).and_then(|line| line.trim().parse().ok()).expect("a number of bytes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r05_a_full_disk_refuses_messages_and_serves_the_rest() {
    let Some(disk) = SmallDisk::mount() else {
        note("\n*** r05 SKIPPED: it needs the right to mount a tmpfs ***\n");
        return;
    };
    let server = TestServer::builder(FRONTDESK)
        .data_dir(&disk.path.join("data"))
        .set("storage.embedded.segment_bytes", 4 << 20)
        .set("limits.visitor_burst", 10_000)
        .start()
        .await;
    let mut visitor = TestVisitor::connect(&server).await;
    let before = visitor.say("while there is room").await;
    let ballast = disk.fill(4 << 20);
    // The log may still have room in the segment it holds: send until it says no.
    let body = "x".repeat(60_000);
    let (mut acked, refused) = (
        1_u64,
        loop {
            let started = Instant::now();
            match visitor.try_say(&message_id(), &body).await {
                Ok(_) => {}
                Err(refusal) => break (refusal, started.elapsed()),
            }
        },
    );
    let (refusal, took) = refused;
    assert_eq!(refusal.code, "storage.full", "{refusal:?}");
    assert!(refusal.retry_after_ms.is_some(), "it can be tried again: {refusal:?}");
    assert!(took <= Duration::from_secs(1), "refused after {took:?}");
    acked = acked.max(visitor.held().held);
    // The rest of the house is open.
    let ready = server.http.get("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.text);
    server.http.sign_in(ADMIN_EMAIL).await;
    assert_eq!(server.http.get("/metrics").await.status, 200);
    let history = visitor.http().history(&visitor.conversation).await;
    assert_eq!(history.len() as u64, acked, "0 false acks");
    for _ in 0..3 {
        let refusal = visitor.try_say(&message_id(), "again").await.expect_err("still full");
        assert_eq!(refusal.code, "storage.full");
    }
    // Room again: the same process goes on, with the same message and the same id.
    fs::remove_file(ballast).expect("removed");
    let id = message_id();
    let freed = Instant::now();
    let after = within(Duration::from_secs(10), "messages are taken again", async {
        loop {
            match visitor.try_say(&id, "there is room again").await {
                Ok(ack) => return ack,
                // Again when the server says, as clients do.
                Err(refusal) => {
                    assert_eq!(refusal.code, "storage.full");
                    let again = refusal.retry_after_ms.expect("it can be tried again");
                    tokio::time::sleep(Duration::from_millis(again.into())).await;
                }
            }
        }
    })
    .await;
    note(&format!("r05: refused after {took:?}, back {:?} after there was room", freed.elapsed()));
    let ready = soon("ready again", async {
        // Readiness is asked for, again and again, by whoever spreads the load.
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        loop {
            pace.tick().await;
            let ready = server.http.get("/readyz").await;
            if ready.status == 200 {
                return ready;
            }
        }
    });
    ready.await;
    let seq = |ack: &frontdesk_protocol::wire::Ack| ack.position.expect("a position").seq;
    assert!(seq(&after) > seq(&before));
}

/// The kernel refuses writes behind a file's first byte to this process, as a broken disk would; it was told
/// to ignore the signal that comes with the error.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r06_a_failed_commit_of_the_catalog_ends_its_writes_and_nothing_else() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let mut server = TestServer::builder(FRONTDESK)
        .under(&["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .allow_error("request failed")
        .start()
        .await;
    let mut visitor = TestVisitor::connect(&server).await;
    let admin = server.admin();
    let set = async |value: u32| {
        let path = "/api/v1/settings/routing.capacity";
        admin.put(path, &serde_json::json!({ "value": value })).await
    };
    assert_eq!(set(3).await.status, 200);
    let pid = Pid::from_raw(server.pid().try_into().expect("a process id"));
    let one_byte = Rlimit { current: Some(1), maximum: None };
    let before = prlimit(pid, Resource::Fsize, one_byte).expect("limits of a child");
    let failed = set(4).await;
    assert_eq!(failed.status, 500, "{}", failed.text);
    // The disk is well again. What was lost meanwhile nobody knows, so nothing is tried again.
    prlimit(pid, Resource::Fsize, before).expect("limits of a child");
    for value in 5..8 {
        let refused = set(value).await;
        assert_eq!((refused.status, refused.code().as_str()), (503, "storage.unavailable"));
    }
    let uploads = format!("/api/v1/conversations/{}/uploads?name=a.txt", visitor.conversation);
    let http = visitor.http();
    let refused = http.send(http.request(reqwest::Method::POST, &uploads).body("text")).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "storage.unavailable"));
    let ready = server.http.get("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.text);
    let failed: Vec<_> = ready.json()["checks"]
        .as_array()
        .expect("a table")
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| check["name"].clone())
        .collect();
    assert_eq!(failed, ["catalog writes"]);
    visitor.say("chat goes on").await;
    let settings = admin.get("/api/v1/settings").await;
    assert_eq!(settings.status, 200, "it is still read");
    server.kill9().await;
    server.restart().await;
    assert_eq!(set(8).await.status, 200);
}
