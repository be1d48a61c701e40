//! Fifty agents who want the same thousand chats while nodes die (R23).

use std::time::Duration;

use frontdesk_testkit::{Cluster, Rng, http::note, services};
use tokio::{sync::watch, time::sleep};

use super::{Report, binary};
use crate::{
    cluster::{all_owned, race::Race, roomy_with},
    heavy,
};

const TAKERS: usize = 50;
const CHATS: usize = 1_000;
/// Kills are so far apart at random.
const BETWEEN_MS: std::ops::Range<u64> = 2_000..8_000;
/// More would measure how long somebody goes on killing.
const KILLS_MAX: usize = 6;
const KILLS_MIN: usize = 3;
const ORPHAN_MAX: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r23_a_thousand_chats_have_one_owner_each_over_kills() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r23",
        "Three nodes, 1,000 chats that wait, 50 agents who each try to take every one of them, in an order of their \
         own. Meanwhile kill -9 of a random node at random moments; each starts again at once.",
    );
    let mut nodes = roomy_with(binary(), "r23", &services::shared(), 3, |node| {
        node.set("limits.visitor_rate_per_s", 100_000)
            .set("limits.visitor_burst", 100_000)
            .set("limits.http_per_address_per_minute", 1_000_000)
            .set("limits.http_per_account_per_minute", 1_000_000)
    })
    .await;
    let race = Race::prepare(&nodes, TAKERS, CHATS).await;
    let (over, is_over) = watch::channel(false);
    let run = async {
        let tries = race.tries().await;
        over.send_replace(true);
        tries
    };
    let (tries, kills) = tokio::join!(run, kill_until(&mut nodes, is_over));
    all_owned(&nodes).await;
    let found = race.judge(tries).await;
    report.figure(
        "visitors without an answer within 10 s, before anything was killed",
        race.unanswered,
        "0",
        race.unanswered == 0,
    );
    report.figure("kills while they took", kills, "at least 3", kills >= KILLS_MIN);
    report.figure(
        "chats that two have, or another one than was told",
        found.doubled.len(),
        "0",
        found.doubled.is_empty(),
    );
    report.figure("chats nobody has", found.orphans.len(), "0", found.orphans.is_empty());
    report.figure(
        "told that a chat is theirs",
        format!("{} times for {CHATS} chats", found.told),
        "at most once for each",
        found.told <= CHATS,
    );
    report.figure(
        "the longest a chat could not be taken, nor anybody say whose it is",
        format!("{:.1?}", found.longest),
        "at most 30 s",
        found.longest <= ORPHAN_MAX,
    );
    let violations = found.violations.len();
    report.figure("sessions the watchdog names", violations, "0", violations == 0);
    for finding in found.doubled.iter().chain(&found.orphans).take(20) {
        note(finding);
    }
    report.finish();
}

/// Kills random nodes at random moments, several times or until it is over; how many.
async fn kill_until(nodes: &mut Cluster, mut over: watch::Receiver<bool>) -> usize {
    let mut rng = Rng::announced("r23");
    let mut kills = 0;
    while kills < KILLS_MAX {
        let wait = sleep(Duration::from_millis(rng.pick(BETWEEN_MS)));
        tokio::select! {
            _ = over.wait_for(|over| *over) => return kills,
            () = wait => {}
        }
        let victim = rng.pick(0..nodes.nodes.len() as u64) as usize;
        note(&format!("  kill -9 of node {}", victim + 1));
        nodes.nodes[victim].kill9().await;
        kills += 1;
        nodes.nodes[victim].restart().await;
        all_owned(nodes).await;
    }
    kills
}
