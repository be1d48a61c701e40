//! Everybody loses the connection at once (R12) and comes back as the real client does: spread by
//! itself, and held back by what the server admits, while those who stayed are served.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use frontdesk_testkit::{TestServer, checker::quantile, within};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::interval,
};

use super::{Report, binary};
use crate::{
    MIB,
    crash::Crowd,
    heavy,
    herd::{self, MARK, ORDER, Order},
};

const PROCESSES: u8 = 5;
const VISITORS: usize = 2_000;
/// Those who stay connected: visitors and agents.
const STAY: (u32, u32) = (90, 10);
/// Handshakes let in a second by default, and as many at once.
const PER_SECOND: f64 = 500.0;
const BACK: Duration = Duration::from_mins(1);
/// How long memory is looked at before and after. Those who chat fill the history's next table
/// meanwhile, which is flushed every minute: both means have its rise and fall more than once.
const WATCHED: Duration = Duration::from_secs(150);

struct Process {
    _child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(server: &TestServer, number: u8) -> Self {
        let order = Order {
            address: server.address(),
            inbox_key: server.installed.inbox_key.clone(),
            network: 40 + number,
            visitors: VISITORS,
            report_after_s: BACK.as_secs(),
        };
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--ignored", "--exact", "herd::one_process", "--nocapture"])
            .env(ORDER, serde_json::to_string(&order).expect("an order has a JSON form"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a load process starts");
        let input = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { _child: child, input, lines }
    }

    async fn hear(&mut self) -> String {
        within(Duration::from_mins(3), "a load process speaks", async {
            loop {
                let line = self.lines.next_line().await.expect("a line");
                let line = line.expect("a load process ended");
                if let Some((_, said)) = line.split_once(MARK) {
                    return said.to_owned();
                }
            }
        })
        .await
    }

    async fn say(&mut self, what: &str) {
        self.input.write_all(format!("{what}\n").as_bytes()).await.expect("it listens");
    }
}

/// What the server had let in by some moment between two.
struct Look {
    before: Instant,
    after: Instant,
    admitted: f64,
}

/// Looks again and again at how many handshakes were let in. Ends with what it is raced against.
async fn look_on(server: &TestServer, looks: &mut Vec<Look>) -> ! {
    let mut pace = interval(Duration::from_millis(100));
    loop {
        pace.tick().await;
        let before = Instant::now();
        let admitted = server.metric("frontdesk_handshakes_admitted_total").await;
        looks.push(Look { before, after: Instant::now(), admitted });
    }
}

/// The most that was let in at once, on top of [`PER_SECOND`] for the whole of any span of time.
fn most_at_once(looks: &[Look]) -> f64 {
    let spans = looks.iter().enumerate().flat_map(|(place, from)| {
        looks[place..].iter().map(move |to| {
            let span = to.after.duration_since(from.before).as_secs_f64();
            to.admitted - from.admitted - PER_SECOND * span
        })
    });
    spans.fold(0.0, f64::max)
}

/// Mean resident memory over [`WATCHED`], bytes.
async fn memory(server: &TestServer) -> f64 {
    let began = Instant::now();
    let mut pace = interval(Duration::from_secs(1));
    let mut looks = Vec::new();
    while began.elapsed() < WATCHED {
        pace.tick().await;
        looks.push(server.rss_bytes() as f64);
    }
    looks.iter().sum::<f64>() / looks.len() as f64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r12_a_herd_comes_back_without_trampling_those_who_stayed() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r12",
        "10,000 idle visitors in 5 load processes (127.0.40-44.x) lose their connections within 1 s and come back \
         with full jitter (base 0.5 s, cap 30 s, on top of Retry-After). 90 visitors and 10 agents stay and write \
         180 messages a second. Default settings. The load shares 2 cores with the server.",
    );
    let server = TestServer::builder(binary()).start().await;
    let crowd = Crowd::start(&server, STAY.0, STAY.1, Duration::from_secs(1)).await;
    crowd.recorder.live_since_fault(crowd.robots.len()).await;
    let mut processes: Vec<_> =
        (0..PROCESSES).map(|number| Process::start(&server, number)).collect();
    for process in &mut processes {
        assert_eq!(process.hear().await, "ready");
    }
    let connected = server.metric("frontdesk_connections").await;
    // The first table and its flush take memory that later ones take again.
    memory(&server).await;
    let before = memory(&server).await;
    crowd.recorder.fault("10,000 connections are cut");
    for process in &mut processes {
        process.say("cut").await;
    }
    let mut found = Vec::new();
    let reports = async {
        for process in &mut processes {
            let said = process.hear().await;
            found.push(serde_json::from_str::<herd::Report>(&said).expect("a report"));
        }
    };
    let mut looks = Vec::new();
    tokio::select! {
        () = reports => {}
        never = look_on(&server, &mut looks) => never,
    }
    let back_now = server.metric("frontdesk_connections").await;
    let after = memory(&server).await;
    for process in &mut processes {
        process.say("end").await;
    }
    let checker = crowd.finish().await;
    let cut = checker.lines.iter().rev().find(|line| line.client == "harness");
    let cut_us = cut.expect("the cut is noted").at_us;
    let during = frontdesk_testkit::Checker {
        lines: checker
            .lines
            .iter()
            .filter(|line| {
                (cut_us..cut_us + BACK.as_micros() as u64 + 5_000_000).contains(&line.at_us)
            })
            .cloned()
            .collect(),
    };
    let latencies = during.latencies(|_| true);
    let p99 = quantile(&latencies, 99);

    let mut back: Vec<u64> = found.iter().flat_map(|one| one.back_ms.iter().copied()).collect();
    back.sort_unstable();
    let in_time = back.iter().filter(|&&ms| u128::from(ms) <= BACK.as_millis()).count();
    let at = |percent: usize| {
        let place = (back.len() * percent / 100).min(back.len().saturating_sub(1));
        back.get(place).map_or(0.0, |ms| *ms as f64 / 1_000.0)
    };
    let sum = |read: fn(&herd::Report) -> u64| found.iter().map(read).sum::<u64>();
    report.figure("connected before the cut", connected, "10,100", connected >= 10_000.0);
    report.figure(
        "back within 60 s",
        format!("{in_time} of 10000; half after {:.1} s, 99 % after {:.1} s", at(50), at(99)),
        "at least 9,900",
        in_time >= 9_900,
    );
    report.figure("connections then", back_now, "at least 10,000", back_now >= 9_990.0);
    report.figure(
        "handshakes refused for now, of those without Retry-After",
        format!("{}, {}", sum(|one| one.refused), sum(|one| one.refused_without_time)),
        "some, 0",
        sum(|one| one.refused) > 0 && sum(|one| one.refused_without_time) == 0,
    );
    let let_in = looks.last().expect("a look").admitted - looks[0].admitted;
    report.figure(
        "let in since the cut; the most at once, on top of 500/s, over any span",
        format!("{let_in}, {:.0}", most_at_once(&looks)),
        "about all; at most 500",
        let_in >= 9_900.0 && most_at_once(&looks) <= PER_SECOND,
    );
    report.figure("other failures", sum(|one| one.failed), "no figure", true);
    report.figure(
        "ack to those who stayed, p99",
        format!("{p99:.1?} of {} messages", latencies.len()),
        "at most 1 s",
        p99 <= Duration::from_secs(1) && latencies.len() >= 1_000,
    );
    let change = after / before - 1.0;
    report.figure(
        "resident memory, mean of 150 s before the cut and from 60 s after it on",
        format!(
            "{:.1} MiB, {:.1} MiB ({:+.1} %)",
            before / MIB as f64,
            after / MIB as f64,
            change * 100.0
        ),
        "within 10 %",
        change <= 0.1,
    );
    report.verdict(&server, &checker).await;
    report.finish();
}
