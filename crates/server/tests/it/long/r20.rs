//! The shard without the catalog stands still, has no connection left, or is full of deadlocks for a minute
//! while people write (R20): only its conversations are refused, and they go on by themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use frontdesk_core::{id::ConversationId, partition_of};
use frontdesk_testkit::{
    Checker, Cluster, Plan, Robot, Who,
    checker::{Event, quantile},
    services::{self, OwnServices, Signal},
};

use super::{
    Report,
    cluster::{self, GOES_ON, Watch, fault_time},
};
use crate::{
    crash::{self, Crowd},
    heavy,
};

const BASELINE: &str = "all is well";
const FAULT: &str = "it begins";
const BACK: &str = "it ends";
/// What R20 gives the pool to recover.
const RECOVERY_MAX: Duration = Duration::from_secs(10);
/// The shard that suffers.
const SHARD: &str = "mysql-2";
/// Visitors of the usual crowd; those who come one after the other; within what time.
const USUAL: u32 = 40;
const LATECOMERS: u32 = 20;
const LATECOMERS_OVER: Duration = Duration::from_secs(4);
/// The fewest that it can be told to give.
const CONNECTIONS: usize = 10;

/// Runs statements as root of a shard; its rows.
fn sql(own: &OwnServices, name: &str, statements: &str) -> String {
    let mut command = own.root(name);
    command.args(["--force", "--execute", statements]);
    services::run(command)
}

/// The database of a cluster, on every shard.
fn database(cluster: &Cluster) -> String {
    let variables = cluster.variables(1);
    let urls = variables.iter().find(|(name, _)| name.ends_with("MYSQL_URLS"));
    let (_, urls) = urls.expect("a cluster has shards");
    let (_, name) = urls.rsplit_once('/').expect("an address names a database");
    name.trim_end_matches(['"', ']']).to_owned()
}

/// Which partitions lie on the second shard.
fn on_the_shard(own: &OwnServices, cluster: &Cluster) -> BTreeMap<u16, bool> {
    let rows = format!("SELECT log, shard FROM {}.placements", database(cluster));
    let rows = sql(own, "mysql-1", &rows);
    let place = |row: &str| {
        let (log, shard) = row.split_once('\t').expect("two columns");
        (log.parse().expect("a partition"), shard == "1")
    };
    rows.lines().map(place).collect()
}

/// The visitors whose conversation lies on the second shard, and the others.
fn sides(checker: &Checker, placed: &BTreeMap<u16, bool>) -> [BTreeSet<String>; 2] {
    let mut sides = [BTreeSet::new(), BTreeSet::new()];
    for line in checker.lines.iter().filter(|line| line.client.starts_with("visitor")) {
        let Event::Ack { conversation, .. } = &line.event else { continue };
        let conversation: ConversationId = conversation.parse().expect("an id");
        let suffers = placed[&partition_of(&conversation, placed.len() as u16)];
        sides[usize::from(!suffers)].insert(line.client.clone());
    }
    sides
}

/// The usual crowd, and as many visitors again as make sure that both shards have some: the ids of those who come
/// in one second are so much alike that they may all lie on one shard.
async fn people(cluster: &Cluster) -> Crowd {
    let mut crowd = cluster::crowd(cluster).await;
    let server = &cluster.nodes[0];
    let mut pace = tokio::time::interval(LATECOMERS_OVER / LATECOMERS);
    for number in 0..LATECOMERS {
        pace.tick().await;
        let who = Who::Visitor { inbox_key: server.installed.inbox_key.clone() };
        let plan =
            crash::plan(server, server.http.clone(), format!("visitor{}", USUAL + number), who);
        let plan = Plan { every: Duration::from_millis(400), ..plan };
        crowd.robots.push(Robot::start(plan, &crowd.recorder));
    }
    crowd.recorder.live_since_fault(crowd.robots.len()).await;
    crowd
}

/// Nobody whose conversations lie elsewhere notices anything.
fn undisturbed(report: &mut Report, checker: &Checker, others: &BTreeSet<String>, whose: &str) {
    let found = cluster::errors(checker, FAULT, others);
    report.figure(
        &format!("errors of the {} visitors {whose}", others.len()),
        cluster::told(&found),
        "0",
        found.is_empty() && !others.is_empty(),
    );
    let at = |fault| cluster::fault_us(checker, fault);
    let theirs = |client: &str| others.contains(client);
    let (before, _) = cluster::latencies(checker, &(at(BASELINE)..at(FAULT)), theirs);
    let (during, unacked) = cluster::latencies(checker, &(at(FAULT)..at(BACK)), theirs);
    let [before, took] = [&before, &during]
        .map(|took| format!("{:.1?} / {:.1?}", quantile(took, 50), quantile(took, 99)));
    report.figure(
        "their messages meanwhile: acked, never acked; time to the ack p50 / p99, before",
        format!("{}, {unacked}; {took}, {before}", during.len()),
        "all are acked",
        unacked == 0 && !during.is_empty(),
    );
}

/// Until each of the shard's visitors had an ack again after it was back.
fn recovered(report: &mut Report, checker: &Checker, theirs: &BTreeSet<String>) {
    let back = cluster::fault_us(checker, BACK);
    let mut first: BTreeMap<&str, u64> = BTreeMap::new();
    for line in checker.lines.iter().filter(|line| line.at_us >= back) {
        if matches!(line.event, Event::Ack { .. }) && theirs.contains(&line.client) {
            first.entry(&line.client).or_insert(line.at_us - back);
        }
    }
    let last = Duration::from_micros(first.values().max().copied().unwrap_or_default());
    report.figure(
        "an ack again for each visitor of the shard, after it was back",
        format!("{last:.1?} ({} of {} visitors)", first.len(), theirs.len()),
        "at most 10 s",
        last <= RECOVERY_MAX && first.len() == theirs.len(),
    );
}

/// What one shard of two goes through under load.
struct Trouble {
    report: Report,
    own: OwnServices,
    cluster: Cluster,
}

impl Trouble {
    async fn begin(id: &'static str, how: &str) -> Self {
        let lasts = fault_time().as_secs();
        let report = Report::begin(
            id,
            &format!(
                "Three nodes, one broker of Kafka 4.1, Redis, two MariaDB 10.11 (shards). 60 visitors and 4 agents \
                 write 250 messages a second. The second shard, which does not hold the catalog, {how} for {lasts} s. \
                 Counted are visitors, each of whom has one conversation on one shard; agents write on both."
            ),
        );
        let own = OwnServices::start();
        let cluster = cluster::roomy(id, &own.addresses(), 3).await;
        Self { report, own, cluster }
    }

    /// The shard's conversations are refused meanwhile, and no others.
    async fn away(self, fault: impl AsyncFnOnce(&OwnServices), heal: impl FnOnce(&OwnServices)) {
        let Self { mut report, own, cluster } = self;
        let placed = on_the_shard(&own, &cluster);
        let crowd = people(&cluster).await;
        let watch = Watch::begin(&cluster);
        crowd.recorder.fault(BASELINE);
        crowd.recorder.acked(3_000).await;
        let before = watch.since();
        crowd.recorder.fault(FAULT);
        fault(&own).await;
        let during = watch.since();
        tokio::task::block_in_place(|| heal(&own));
        crowd.recorder.fault(BACK);
        drop(watch.since());
        tokio::time::sleep(GOES_ON).await;
        let after = watch.since();
        let checker = crowd.recorder.checker();
        let [theirs, others] = sides(&checker, &placed);
        undisturbed(&mut report, &checker, &others, "of the other shard");
        let refused = cluster::refused(&checker);
        let (sent, acked) =
            cluster::meanwhile(&checker, FAULT, BACK, |client| theirs.contains(client));
        report.figure(
            &format!("the shard's {} visitors: what they were told; messages acked meanwhile; refused for good", theirs.len()),
            format!("{}; {acked} of {sent}; {refused}", cluster::told(&cluster::errors(&checker, FAULT, &theirs))),
            "refused for now, none for good",
            refused == 0 && !theirs.is_empty(),
        );
        recovered(&mut report, &checker, &theirs);
        cluster::all_delivered(&mut report, &checker, BACK);
        cluster::memory(&mut report, &before, &during, &after);
        cluster::degraded(&mut report, &during);
        cluster::ready_again(&mut report, &after);
        let checker = cluster::finish(&cluster, crowd).await;
        report.verdict(&cluster.nodes[0], &checker).await;
        report.finish();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r20_a_shard_stopped_for_a_minute_refuses_its_conversations_alone() {
    let _alone = heavy().await;
    let fault = async |own: &OwnServices| {
        own.signal(SHARD, Signal::STOP);
        // How long it is away is the test.
        tokio::time::sleep(fault_time()).await;
    };
    let heal = |own: &OwnServices| own.signal(SHARD, Signal::CONT);
    Trouble::begin("r20", "has SIGSTOP, then SIGCONT,").await.away(fault, heal).await;
}

/// Holds a connection of the shard until it is killed: it waits for statements that do not come.
fn holder(own: &OwnServices) -> Child {
    let mut command = own.root(SHARD);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("a client can be started")
}

fn end(children: &mut Vec<Child>) {
    for mut child in children.drain(..) {
        child.kill().expect("it runs");
        child.wait().expect("a child can be waited for");
    }
}

/// Others take all connections there are, and those of the nodes are ended.
fn use_up(own: &OwnServices) -> Vec<Child> {
    let holders: Vec<Child> = (0..CONNECTIONS).map(|_| holder(own)).collect();
    let held = "SELECT COUNT(*) FROM information_schema.processlist \
                WHERE user = 'root' AND command = 'Sleep'";
    let began = Instant::now();
    while sql(own, SHARD, held).trim() != CONNECTIONS.to_string() {
        assert!(began.elapsed() < Duration::from_secs(20), "the connections are not taken");
    }
    // One statement after the other on one connection: there is none left for a second.
    let cap = format!("SET GLOBAL max_connections = {CONNECTIONS}; KILL USER frontdesk");
    sql(own, SHARD, &cap);
    holders
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r20_connections_used_up_for_a_minute_come_back() {
    let _alone = heavy().await;
    let mut holders = Vec::new();
    let fault = async |own: &OwnServices| {
        holders = tokio::task::block_in_place(|| use_up(own));
        tokio::time::sleep(fault_time()).await;
        end(&mut holders);
    };
    let heal = |own: &OwnServices| drop(sql(own, SHARD, "SET GLOBAL max_connections = 300"));
    let how = "has max_connections of 10, all of which others hold, and ended those of the nodes,";
    Trouble::begin("r20-connections", how).await.away(fault, heal).await;
}

/// One who locks what a node's transaction locks, in the other order, with more to lose.
fn rival(own: &OwnServices, database: &str) -> Child {
    let rows: Vec<String> = (0..200).map(|number| format!("({number})")).collect();
    let turn = format!(
        "START TRANSACTION; INSERT INTO rival.rows VALUES {}; SELECT id FROM conversations FOR UPDATE; \
         DO SLEEP(0.01); UPDATE progress SET epoch = epoch; ROLLBACK; DO SLEEP(0.03);\n",
        rows.join(", ")
    );
    let mut command: Command = own.root(SHARD);
    command.args(["--force", database]).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("a client can be started");
    let mut input = child.stdin.take().expect("standard input is piped");
    std::thread::spawn(move || while input.write_all(turn.as_bytes()).is_ok() {});
    child
}

fn deadlocks(own: &OwnServices) -> u64 {
    let count = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS \
                 WHERE VARIABLE_NAME = 'INNODB_DEADLOCKS'";
    sql(own, SHARD, count).trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r20_a_minute_of_deadlocks_refuses_nobody() {
    let _alone = heavy().await;
    let how =
        "has somebody beside the nodes who locks the same rows in the other order again and again";
    let Trouble { mut report, own, cluster } = Trouble::begin("r20-deadlocks", how).await;
    sql(&own, SHARD, "CREATE DATABASE rival; CREATE TABLE rival.rows (number INT PRIMARY KEY)");
    let placed = on_the_shard(&own, &cluster);
    let crowd = people(&cluster).await;
    crowd.recorder.fault(BASELINE);
    crowd.recorder.acked(3_000).await;
    let before = deadlocks(&own);
    crowd.recorder.fault(FAULT);
    let mut rivals = vec![rival(&own, &database(&cluster))];
    // How long it lasts is the test.
    tokio::time::sleep(fault_time()).await;
    end(&mut rivals);
    crowd.recorder.fault(BACK);
    let met = deadlocks(&own) - before;
    let least = fault_time().as_secs();
    report.figure("deadlocks", met, "at least one a second, else void", met >= least);
    let checker = cluster::finish(&cluster, crowd).await;
    let [theirs, others] = sides(&checker, &placed);
    undisturbed(&mut report, &checker, &theirs, "of the shard");
    undisturbed(&mut report, &checker, &others, "of the other shard");
    report.verdict(&cluster.nodes[0], &checker).await;
    report.finish();
}
