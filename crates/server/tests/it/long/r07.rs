//! A server that stands still for half a minute and goes on (R7): clients notice, come back, and what
//! they sent meanwhile is there once.

use std::time::{Duration, Instant};

use frontdesk_protocol::wire::{Presence, server_frame::Frame as In};
use frontdesk_testkit::{TestAgent, TestVisitor, checker::Event, within};
use rustix::process::Signal;

use super::{Report, roomy};
use crate::{crash::Crowd, heavy};

const STOPPED: Duration = Duration::from_secs(30);
/// 25 s to the ping, 10 s to the pong.
const NOTICED: Duration = Duration::from_secs(35);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r07_a_stopped_server_goes_on_without_doubles_or_ghosts() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r07",
        "40 visitors and 4 agents write 320 messages a second; SIGSTOP, 30 s, SIGCONT. The robots drop a \
         connection that was silent for 35 s, as the real client does. One visitor leaves while the server \
         stands still: its presence is what may be stale.",
    );
    let server = roomy().start().await;
    let mut agent = TestAgent::admin(&server).await;
    let mut leaver = TestVisitor::connect(&server).await;
    leaver.say("I will be gone").await;
    let conversation = leaver.conversation.clone();
    agent.listed(&conversation, &agent.id.clone()).await;
    agent.open(&conversation).await.expect("its own");
    let crowd = Crowd::start(&server, 40, 4, Duration::from_millis(250)).await;
    crowd.recorder.acked(1_000).await;

    crowd.recorder.fault("SIGSTOP");
    server.signal(Signal::STOP);
    leaver.lose();
    agent.live.forget(|frame| matches!(frame, In::Presence(_)));
    // Half a minute is the fault.
    tokio::time::sleep(STOPPED).await;
    crowd.recorder.note("harness", Event::Fault { what: "SIGCONT".to_owned() });
    server.signal(Signal::CONT);
    let went_on = Instant::now();
    within(Duration::from_mins(1), "the visitor who left counts as offline", async {
        loop {
            let frame = agent.live.hear().await.expect("the agent stays connected");
            let Some(In::Presence(update)) = frame.frame else { continue };
            if update.conversation == conversation && update.presence() == Presence::Offline {
                return;
            }
        }
    })
    .await;
    let offline = went_on.elapsed();
    let checker = crowd.finish().await;

    // The longest silence anybody bore, from what each received.
    let fault_us = checker
        .lines
        .iter()
        .find(|line| matches!(&line.event, Event::Fault { what } if what == "SIGSTOP"))
        .map(|line| line.at_us)
        .expect("the fault is noted");
    let mut first = std::collections::BTreeMap::new();
    for line in checker.lines.iter().filter(|line| line.at_us > fault_us + 1_000_000) {
        let noticed =
            matches!(line.event, Event::Ack { .. } | Event::Receive { .. } | Event::Gone { .. });
        if noticed && line.client != "harness" {
            first.entry(line.client.as_str()).or_insert(line.at_us - fault_us);
        }
    }
    let slowest = first.values().max().copied().unwrap_or_default();
    let slowest = Duration::from_micros(slowest);
    report.figure(
        "last client served again, or gone to connect anew, after",
        format!("{slowest:.1?} ({} clients)", first.len()),
        "at most 35 s",
        slowest <= NOTICED && first.len() == 44,
    );
    let limit = Duration::from_mins(1);
    report.figure(
        "the visitor who left shown offline, after going on",
        format!("{offline:.1?}"),
        "at most 60 s",
        offline <= limit,
    );
    report.verdict(&server, &checker).await;
    report.finish();
}
