//! Nodes whose clocks are wrong (R22): the real binary under libfaketime, whose offset the test changes while
//! people chat. The monotonic clock goes on, as it does when somebody sets the time.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use frontdesk_core::chat::{TimelineItem, timeline_item::Item};
use frontdesk_protocol::wire::Hello;
use frontdesk_testkit::{Checker, Cluster, Http, TestVisitor, http::note, services, soon};

use super::{all_owned, readiness, roomy_with};
use crate::{FRONTDESK, crash, eventually, heavy};

/// Where Debian puts it.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
pub(crate) const MINUTE: i64 = 60;
/// Less than the minute a ticket is good for, by what a slow machine may need.
const WITHIN: i64 = 50;
/// So many conversations are not all owned by one node of three.
const VISITORS: usize = 12;

/// What libfaketime lacks.
const REST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cluster/cnd_timedwait.c");

/// The wall clock of one process.
pub(crate) struct FakeClock {
    file: PathBuf,
    /// Compiled from [`REST`].
    rest: PathBuf,
}

impl FakeClock {
    /// One that is right, in a directory of its own; `None` where libfaketime is not there.
    pub(crate) fn new(dir: &Path) -> Option<Self> {
        if !Path::new(LIBRARY).exists() {
            return None;
        }
        let clock = Self { file: dir.join("offset"), rest: dir.join("rest.so") };
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&clock.rest).arg(REST);
        services::run(compile);
        clock.set(0);
        Some(clock)
    }

    /// Sets it so many seconds ahead of the right time.
    pub(crate) fn set(&self, offset_s: i64) {
        // Replaced as a whole: the process reads it at any moment.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{offset_s:+}")).expect("the offset can be written");
        fs::rename(new, &self.file).expect("the offset can be replaced");
    }

    /// What the process has to run under.
    pub(crate) fn wrapper(&self) -> Vec<String> {
        let preload = format!("LD_PRELOAD={}:{LIBRARY}", self.rest.display());
        let file = format!("FAKETIME_TIMESTAMP_FILE={}", self.file.display());
        let others = ["FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
        [&["env", &preload, &file], &others[..]].concat().into_iter().map(str::to_owned).collect()
    }
}

/// Three nodes, each with a clock of its own.
pub(crate) struct Timed {
    pub(crate) cluster: Cluster,
    pub(crate) clocks: Vec<FakeClock>,
    _dirs: [tempfile::TempDir; 3],
}

impl Timed {
    /// Starts them with the right time; `None` where libfaketime is not there.
    pub(crate) async fn start(binary: &str, test: &str) -> Option<Self> {
        let dirs = [(); 3].map(|()| tempfile::tempdir().expect("a directory"));
        let clocks: Option<Vec<FakeClock>> =
            dirs.iter().map(|dir| FakeClock::new(dir.path())).collect();
        let clocks = clocks?;
        let number = Cell::new(0);
        let cluster = roomy_with(binary, test, &services::shared(), 3, |node| {
            let wrapper = clocks[number.replace(number.get() + 1)].wrapper();
            let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
            node.set("limits.visitor_rate_per_s", 100_000)
                .set("limits.visitor_burst", 100_000)
                .under(&wrapper)
        })
        .await;
        Some(Self { cluster, clocks, _dirs: dirs })
    }

    /// Whether a ticket of one node is taken on another one; why not, where that has to do with the ticket.
    pub(crate) async fn take_ticket(&self, from: usize, on: usize) -> Result<(), String> {
        let [from, on] = [from, on].map(|of| self.cluster.nodes[of].own_address());
        let http = Http::new(from);
        let mut visitor = TestVisitor::new_at(&self.cluster.nodes[0], http, on).await;
        let told = Box::pin(async {
            loop {
                let ticket = visitor.ticket().await;
                let hello = Hello { ticket, ..visitor.hello() };
                match visitor.try_hello(hello).await {
                    Ok(_) => return Ok(()),
                    Err((Some(error), _)) if error.code.starts_with("ticket") => {
                        return Err(error.code);
                    }
                    // Its owner is another one in a moment.
                    Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
                }
            }
        });
        soon("an answer about the ticket", told).await
    }

    /// Waits until a node says of itself that its clock is wrong; returns its words.
    pub(crate) async fn says_so(&self, node: usize) -> String {
        let mut words = String::new();
        eventually(Duration::from_secs(30), "the node says that its clock is wrong", async || {
            let clock = readiness(&self.cluster.nodes[node], "clock").await;
            clock["detail"].as_str().unwrap_or_default().clone_into(&mut words);
            clock["ok"] == false
        })
        .await;
        words
    }

    /// What the first node, whose clock is right, wrote about the others.
    pub(crate) fn told_by_the_first(&self) -> Vec<String> {
        let log = self.cluster.nodes[0].log();
        log.into_iter().filter(|line| line.contains("a node's clock differs")).collect()
    }

    /// Agents who count as offline and sessions that are closed, by the words of the first node: nobody left, and
    /// nobody closed any.
    pub(crate) async fn disturbed(&self) -> Vec<String> {
        let admin = self.cluster.nodes[0].admin();
        let agents = admin.get("/api/v1/agents").await.ok();
        let agents = agents["agents"].as_array().cloned().unwrap_or_default();
        let robots = agents
            .iter()
            .filter(|agent| agent["name"].as_str().is_some_and(|name| name.starts_with("Agent")));
        let offline = robots.filter(|agent| agent["presence"] != "online");
        let mut found: Vec<String> =
            offline.map(|agent| format!("{} is {}", agent["name"], agent["presence"])).collect();
        let list = admin.get("/api/v1/conversations?view=closed").await.ok();
        let closed = list["rows"].as_array().map_or(0, Vec::len);
        found.extend((closed > 0).then(|| format!("{closed} sessions are closed")));
        found
    }
}

/// What the histories show of time.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    pub(crate) entries: usize,
    pub(crate) ids: usize,
    /// Entries whose time is before that of the entry before them.
    pub(crate) falls: usize,
}

pub(crate) fn stamps(histories: &BTreeMap<String, Vec<TimelineItem>>) -> Stamps {
    let (mut ids, mut stamps) = (BTreeSet::new(), Stamps::default());
    for items in histories.values() {
        let mut newest_ms = 0;
        for item in items {
            let Some(Item::Entry(entry)) = &item.item else { continue };
            stamps.entries += 1;
            ids.insert(entry.id.clone());
            stamps.falls += usize::from(entry.at_ms < newest_ms);
            newest_ms = entry.at_ms;
        }
    }
    Stamps { ids: ids.len(), ..stamps }
}

/// Reads all conversations of the record.
pub(crate) async fn read(
    cluster: &Cluster,
    checker: &Checker,
) -> BTreeMap<String, Vec<TimelineItem>> {
    let reader = cluster.nodes[0].http.sign_in(frontdesk_testkit::server::ADMIN_EMAIL).await;
    frontdesk_testkit::robot::histories(&reader, checker.conversations()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_nodes_five_minutes_apart_say_so_and_lose_nothing() {
    let _alone = heavy().await;
    let Some(mut timed) = Timed::start(FRONTDESK, "r22 nodes").await else {
        assert!(std::env::var_os("CI").is_none(), "r22 needs libfaketime");
        return note("\n*** r22 SKIPPED: it needs libfaketime (Debian package faketime) ***\n");
    };
    let every = Duration::from_millis(250);
    let mut crowd = crash::Crowd::start(&timed.cluster.nodes[0], 40, 4, every).await;
    crowd.recorder.acked(500).await;
    timed.clocks[1].set(WITHIN);
    for (from, on) in [(0, 1), (1, 0), (2, 1), (1, 2)] {
        let taken = timed.take_ticket(from, on).await;
        assert_eq!(taken, Ok(()), "a ticket of node {from} on node {on}, 50 s apart");
    }
    crowd.recorder.fault("node 2 is 5 min ahead, node 3 is set 5 min back");
    timed.clocks[1].set(5 * MINUTE);
    timed.clocks[2].set(-5 * MINUTE);
    crowd.recorder.acked(1_000).await;
    assert_eq!(timed.disturbed().await, [""; 0]);
    // A clock that runs goes back slowly; one that starts is as wrong as it can be.
    crowd.recorder.fault("node 3 starts again, 5 min behind");
    timed.cluster.nodes[2].stop().await;
    timed.cluster.nodes[2].restart().await;
    all_owned(&timed.cluster).await;
    crowd.recorder.acked(1_500).await;
    // The one with the socket judges by its own clock, and whoever serves the visitor believes it.
    for _ in 0..VISITORS {
        assert_eq!(timed.take_ticket(2, 2).await, Ok(()), "whoever owns the conversation");
    }
    for node in [1, 2] {
        let words = timed.says_so(node).await;
        note(&format!("r22: node {} says: {words}", node + 1));
        assert!(words.contains("set the time of this machine"), "{words}");
    }
    let told = timed.told_by_the_first();
    for node in ["node=2", "node=3"] {
        assert!(told.iter().any(|line| line.contains(node)), "{node} is not in {told:?}");
    }
    crowd.quieten().await;
    assert_eq!(timed.disturbed().await, [""; 0]);
    let checker = crowd.finish().await;
    let stamps = stamps(&read(&timed.cluster, &checker).await);
    note(&format!("r22: {stamps:?}"));
    assert_eq!(stamps.ids, stamps.entries, "ids are unique");
    crash::check(&timed.cluster.nodes[0], &checker, "r22 nodes").await;
}
