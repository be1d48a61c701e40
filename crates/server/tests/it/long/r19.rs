//! Redis stands still, comes back empty, is flushed or slow for a minute while people write (R19): messages
//! go on at their pace, who is there is known again, and nobody has to sign in more than once.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use frontdesk_testkit::{
    ChaosProxy, Checker, Http, Recorder, TestServer, TestVisitor,
    checker::{Event, quantile},
    server::ADMIN_EMAIL,
    services::{self, Addresses, OwnServices, Signal},
};
use futures_util::future::join_all;

use super::{
    Report,
    cluster::{self, GOES_ON, Watch, fault_time},
};
use crate::heavy;

const BASELINE: &str = "all is well";
const FAULT: &str = "it begins";
const HEAL: &str = "it ends";
const BACK: &str = "Redis is well again";
/// How soon everybody is shown as what they are.
const REBUILT_MAX: Duration = Duration::from_mins(1);
/// People who stay signed in.
const SIGNED_IN: usize = 5;
/// Between two flushes.
const FLUSH_EVERY: Duration = Duration::from_secs(5);

/// Redis with a network before it.
struct Redis {
    own: OwnServices,
    network: ChaosProxy,
    /// Where nodes reach the engines: Redis through the network.
    addresses: Addresses,
}

impl Redis {
    async fn start() -> Self {
        let own = OwnServices::start();
        let mut addresses = own.addresses();
        let (_, place) = addresses.redis.rsplit_once('@').expect("an address with a password");
        let place = place.trim_end_matches('/').to_owned();
        let network = ChaosProxy::before(place.parse().expect("host and port")).await;
        addresses.redis = addresses.redis.replace(&place, &network.address().to_string());
        Self { own, network, addresses }
    }

    fn flush(&self) {
        let mut command = std::process::Command::new("redis-cli");
        command.args(["--no-auth-warning", "-u", &self.own.addresses().redis, "FLUSHALL"]);
        services::run(command);
    }
}

/// Whether the team is told who is there: the robots, and not the one who left.
async fn presence_is_right(admin: &Http, conversations: &BTreeSet<String>, leaver: &str) -> bool {
    let get = async |path: &str| {
        let request = admin.request(reqwest::Method::GET, path).timeout(Duration::from_secs(5));
        let answer = admin.try_send(request).await?;
        (answer.status == 200).then(|| answer.json())
    };
    let online = async |conversation: &str| {
        let view = get(&format!("/api/v1/conversations/{conversation}")).await?;
        Some(view["row"]["visitorOnline"].as_bool().unwrap_or(false))
    };
    let Some(listed) = get("/api/v1/agents").await else { return false };
    let agents = listed["agents"].as_array().cloned().unwrap_or_default();
    let there = agents.iter().filter(|agent| agent["presence"] == "online").count();
    let visitors = join_all(conversations.iter().map(|of| online(of))).await;
    there == 4
        && visitors.iter().all(|online| *online == Some(true))
        && online(leaver).await == Some(false)
}

/// Answers to who they are.
async fn known(sessions: &[Http]) -> Vec<bool> {
    let ask = async |http: &Http| {
        let request = http.request(reqwest::Method::GET, "/api/v1/me");
        let answer = http.try_send(request.timeout(Duration::from_secs(10))).await;
        answer.is_some_and(|answer| answer.status == 200)
    };
    join_all(sessions.iter().map(ask)).await
}

/// One who wrote and will leave; what it said belongs into the record.
async fn leaver(server: &TestServer, recorder: &Recorder) -> TestVisitor {
    let mut leaver = TestVisitor::connect(server).await;
    let text = "I will be gone".to_owned();
    leaver.say(&text).await;
    let conversation = leaver.conversation.clone();
    recorder.note("leaver", Event::Attempt { conversation, text });
    leaver
}

/// Times from when a message was sent to its ack before and during the fault, within the same run.
fn pace(report: &mut Report, checker: &Checker) {
    let at = |fault| cluster::fault_us(checker, fault);
    let all = |_: &str| true;
    let (before, _) = cluster::latencies(checker, &(at(BASELINE)..at(FAULT)), all);
    let (during, unacked) = cluster::latencies(checker, &(at(FAULT)..at(HEAL)), all);
    let pause = cluster::longest_pause(checker, FAULT, HEAL);
    report.figure(
        "messages sent meanwhile: acked, never acked, longest time without any ack",
        format!("{}, {unacked}, {pause:.1?}", during.len()),
        "they go on: none without an ack",
        unacked == 0 && !during.is_empty(),
    );
    let [(p50_before, p99_before), (p50, p99)] =
        [&before, &during].map(|took| (quantile(took, 50), quantile(took, 99)));
    report.figure(
        "time to the ack, p50 / p99",
        format!("{p50:.1?} / {p99:.1?}, before {p50_before:.1?} / {p99_before:.1?}"),
        "p99 at most 2x that of before",
        p99 <= 2 * p99_before,
    );
}

/// What happens to Redis under load, from `fault`, which takes its time, to the end of `heal`.
async fn under_load(
    id: &'static str,
    how: &str,
    fault: impl AsyncFnOnce(&Redis),
    heal: impl FnOnce(&Redis),
) {
    let _alone = heavy().await;
    let lasts = fault_time();
    let mut report = Report::begin(
        id,
        &format!(
            "Three nodes, one broker of Kafka 4.1, Redis 7, two MariaDB. 40 visitors and 4 agents write 200 messages a \
             second. Redis {how}; that lasts {0} s, and the {0} s before it are what it is compared with. One visitor \
             leaves meanwhile, and {SIGNED_IN} people are signed in.",
            lasts.as_secs()
        ),
    );
    let redis = Redis::start().await;
    let cluster = cluster::roomy(id, &redis.addresses, 3).await;
    let server = &cluster.nodes[0];
    let sessions = join_all((0..SIGNED_IN).map(|_| server.http.sign_in(ADMIN_EMAIL))).await;
    let crowd = cluster::crowd(&cluster).await;
    let mut leaver = leaver(server, &crowd.recorder).await;
    let watch = Watch::begin(&cluster);
    crowd.recorder.acked(2_000).await;
    crowd.recorder.fault(BASELINE);
    tokio::time::sleep(lasts).await;
    let before = watch.since();
    crowd.recorder.fault(FAULT);
    leaver.lose();
    fault(&redis).await;
    let meanwhile = known(&sessions).await;
    crowd.recorder.fault(HEAL);
    let during = watch.since();
    tokio::task::block_in_place(|| heal(&redis));
    crowd.recorder.fault(BACK);
    drop(watch.since());

    let began = Instant::now();
    let admin = server.admin();
    let checker = crowd.recorder.checker();
    let mut conversations = checker.conversations();
    conversations.remove(&leaver.conversation);
    let rebuilt = async {
        while !presence_is_right(&admin, &conversations, &leaver.conversation).await {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        began.elapsed()
    };
    let rebuilt = tokio::time::timeout(REBUILT_MAX, rebuilt).await.ok();
    tokio::time::sleep(GOES_ON.saturating_sub(began.elapsed())).await;
    let after = watch.since();
    report.figure(
        &format!(
            "presence of 4 agents, {} visitors and one who left is right, after",
            conversations.len()
        ),
        rebuilt.map_or("never".to_owned(), |after| format!("{after:.1?}")),
        "at most 60 s",
        rebuilt.is_some(),
    );
    signed_in(&mut report, server, &sessions, &meanwhile).await;
    pace(&mut report, &crowd.recorder.checker());
    cluster::memory(&mut report, &before, &during, &after);
    cluster::ready_again(&mut report, &after);
    let checker = cluster::finish(&cluster, crowd).await;
    let refused = cluster::refused(&checker);
    report.figure("messages refused for good", refused, "0", refused == 0);
    report.verdict(server, &checker).await;
    report.finish();
}

/// Who is still signed in; who is not signs in once, and then is.
async fn signed_in(
    report: &mut Report,
    server: &TestServer,
    sessions: &[Http],
    meanwhile: &[bool],
) {
    let after = known(sessions).await;
    let survived = after.iter().filter(|known| **known).count();
    let mut lost = 0;
    for _ in survived..sessions.len() {
        let anew = server.http.sign_in(ADMIN_EMAIL).await;
        lost += usize::from(!known(&[anew]).await[0]);
    }
    let through = meanwhile.iter().filter(|known| **known).count();
    report.figure(
        &format!(
            "of {} sign-in sessions: known meanwhile / still known / lost though signed in anew",
            sessions.len()
        ),
        format!("{through} / {survived} / {lost}"),
        "each survives, or asks once",
        lost == 0,
    );
}

/// How long it lasts is the test.
async fn lasts() {
    tokio::time::sleep(fault_time()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r19_redis_stopped_for_a_minute_costs_no_message() {
    let fault = async |redis: &Redis| {
        redis.own.signal("redis", Signal::STOP);
        lasts().await;
    };
    let heal = |redis: &Redis| redis.own.signal("redis", Signal::CONT);
    under_load("r19", "has SIGSTOP, then SIGCONT", fault, heal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r19_redis_killed_and_started_empty_costs_no_message() {
    let fault = async |redis: &Redis| {
        redis.own.signal("redis", Signal::KILL);
        lasts().await;
    };
    let heal = |redis: &Redis| redis.own.start_again();
    under_load("r19-emptied", "has kill -9, then starts without data", fault, heal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r19_redis_flushed_again_and_again_costs_no_message() {
    let fault = async |redis: &Redis| {
        let began = Instant::now();
        while began.elapsed() < fault_time() {
            tokio::task::block_in_place(|| redis.flush());
            tokio::time::sleep(FLUSH_EVERY).await;
        }
    };
    under_load("r19-flushed", "has FLUSHALL every 5 s", fault, |_| ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r19_redis_half_a_second_away_costs_no_message() {
    let latency = |redis: &Redis, latency| {
        redis.network.change(|weather| weather.latency = latency);
    };
    let fault = async |redis: &Redis| {
        latency(redis, Duration::from_millis(500));
        lasts().await;
    };
    let heal = |redis: &Redis| latency(redis, Duration::ZERO);
    under_load("r19-slow", "answers 500 ms later each way", fault, heal).await;
}
