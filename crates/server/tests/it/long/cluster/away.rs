//! People write while Kafka, or a part of it, is away: what R16 and R18 want of it.

use frontdesk_testkit::{
    Checker, Cluster,
    services::{Addresses, OwnServices},
};

use super::{GOES_ON, Look, Report, Watch};

const AWAY: &str = "it is away";
const LET_GO: &str = "it may go on";
const BACK: &str = "it is back";

/// What is wanted while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::long) enum Meanwhile {
    /// Nothing that is sent is acked: nowhere is it kept as it has to be.
    NothingIsAcked,
    /// Messages go on, after a pause.
    MessagesGoOn,
}

/// A way in which Kafka is away.
pub(in crate::long) struct Away {
    /// Of the report.
    pub(in crate::long) id: &'static str,
    /// What is started, and how it goes away and comes back.
    pub(in crate::long) setup: String,
    pub(in crate::long) nodes: u8,
    /// How many brokers an append needs, where it is not more than half of them.
    pub(in crate::long) min_insync: Option<usize>,
    pub(in crate::long) meanwhile: Meanwhile,
}

impl Away {
    /// Takes it away under load with `fault`, which returns after the time it lasts, gives it back with `heal`,
    /// and looks at everything. Where clients reach the engines is `addresses`.
    pub(in crate::long) async fn run(
        self,
        own: &OwnServices,
        addresses: &Addresses,
        fault: impl AsyncFnOnce(&OwnServices),
        heal: impl FnOnce(&OwnServices),
    ) {
        let mut report = Report::begin(
            self.id,
            &format!(
                "{} nodes, {}. 40 visitors and 4 agents write 200 messages a second, before, meanwhile and after; \
                 the fault lasts {} s. Each message is followed from its sender's outbox to its ack and to the \
                 other side.",
                self.nodes,
                self.setup,
                super::fault_time().as_secs()
            ),
        );
        let cluster = self.cluster(addresses).await;
        let crowd = super::crowd(&cluster).await;
        let watch = Watch::begin(&cluster);
        crowd.recorder.acked(3_000).await;
        let before = watch.since();
        crowd.recorder.fault(AWAY);
        fault(own).await;
        let during = watch.since();
        crowd.recorder.fault(LET_GO);
        tokio::task::block_in_place(|| heal(own));
        crowd.recorder.fault(BACK);
        drop(watch.since());
        // People write on while what has waited arrives.
        tokio::time::sleep(GOES_ON).await;
        let after = watch.since();
        self.figures(&mut report, &crowd.recorder.checker(), [&before, &during, &after]);
        let checker = super::finish(&cluster, crowd).await;
        let refused = super::refused(&checker);
        report.figure("messages refused for good", refused, "0", refused == 0);
        report.verdict(&cluster.nodes[0], &checker).await;
        report.finish();
    }

    /// What holds half a minute after it is back, whatever becomes of the rest.
    fn figures(&self, report: &mut Report, checker: &Checker, looks: [&[Look]; 3]) {
        let [before, during, after] = looks;
        let (sent, acked) = super::meanwhile(checker, AWAY, LET_GO, |_| true);
        match self.meanwhile {
            Meanwhile::NothingIsAcked => {
                report.figure(
                    "messages sent while it is away and acked before it may go on",
                    format!("{acked} of {sent}"),
                    "0",
                    acked == 0,
                );
                super::degraded(report, during);
            }
            Meanwhile::MessagesGoOn => {
                let pause = super::longest_pause(checker, AWAY, LET_GO);
                report.figure(
                    "messages sent while it is away and acked before it may go on, longest time without any ack",
                    format!("{acked} of {sent}, {pause:.1?}"),
                    "they go on within 30 s",
                    acked > 0 && pause <= GOES_ON,
                );
            }
        }
        super::all_delivered(report, checker, BACK);
        super::memory(report, before, during, after);
        super::ready_again(report, after);
    }

    async fn cluster(&self, addresses: &Addresses) -> Cluster {
        super::roomy_with(self.id, addresses, self.nodes, |node| match self.min_insync {
            Some(brokers) => node.set("storage.cluster.kafka_min_insync", brokers),
            None => node,
        })
        .await
    }
}
