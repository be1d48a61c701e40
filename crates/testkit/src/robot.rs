//! Visitors and agents that chat by themselves, on a schedule, and come back by themselves after any
//! loss, as the real clients do: outbox kept until the ack, same ids sent again, positions presented,
//! resume token first and a new ticket where it is refused, random growing waits between attempts.
//! Everything they do and see goes into the [`Recorder`].

mod hello;
mod mind;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use frontdesk_core::chat::TimelineItem;
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use self::mind::Mind;
use crate::{Http, Recorder, SocketOptions};

/// Longest wait for a handshake, a ticket or a welcome.
const STEP: Duration = Duration::from_secs(10);
/// Longest a robot may need to come to an end.
const LAST: Duration = Duration::from_mins(1);

/// Who a robot is.
#[derive(Debug, Clone)]
pub enum Who {
    /// A new visitor of this inbox.
    Visitor {
        /// The inbox.
        inbox_key: String,
    },
    /// A signed-in user, who answers in the sessions it owns.
    Agent {
        /// The user.
        id: String,
    },
}

/// What a robot does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name in the record.
    pub name: String,
    /// Who it is.
    pub who: Who,
    /// Where its sockets go.
    pub address: SocketAddr,
    /// Where its requests go, as whom.
    pub http: Http,
    /// Between two messages; the schedule does not wait for acks.
    pub every: Duration,
    /// Messages it sends at most.
    pub messages: u64,
    /// A socket that was silent for so long is dropped.
    pub silence: Duration,
    /// How its sockets are opened.
    pub options: SocketOptions,
    /// Pushes and acks may get lost, as between nodes of a cluster: the robot then asks for what it misses and
    /// sends again what stays without an ack, as the real client does. Otherwise both are failures.
    pub repairs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Work,
    /// Send nothing new; say so once everything is acked.
    Quieten,
    /// Catch up and end.
    Finish,
}

/// A running robot.
#[derive(Debug)]
pub struct Robot {
    name: String,
    phase: watch::Sender<Phase>,
    /// What it is up to, for whoever looks why a test waits.
    doing: watch::Receiver<VecDeque<String>>,
    /// Whether everything it sent is acked and it sends nothing more.
    quiet: watch::Receiver<bool>,
    task: JoinHandle<Report>,
}

/// What a robot has seen.
#[derive(Debug, Default)]
pub struct Report {
    /// Connections made.
    pub connections: u64,
    /// Times it was asked to say hello again on its connection.
    pub rejoins: u64,
    /// Resumes that gave exactly what was missed.
    pub recovered: u64,
    /// Resumes that gave a new page.
    pub reloaded: u64,
    /// Its conversations.
    pub conversations: Vec<String>,
}

impl Robot {
    /// Starts a robot.
    pub fn start(plan: Plan, recorder: &Arc<Recorder>) -> Self {
        let (phase, phases) = watch::channel(Phase::Work);
        let (quiet_now, quiet) = watch::channel(false);
        let (doing_now, doing) = watch::channel(VecDeque::new());
        let name = plan.name.clone();
        let mind = Mind::new(plan, recorder, quiet_now, doing_now);
        Self { name, phase, doing, quiet, task: tokio::spawn(mind.live(phases)) }
    }

    /// Waits until it has sent all its messages and has all their acks.
    pub async fn quiet(&mut self) {
        // A robot that broke down says why when it is joined.
        drop(self.quiet.wait_for(|quiet| *quiet).await);
    }

    async fn join(mut self) -> Report {
        self.phase.send_replace(Phase::Finish);
        let Ok(ended) = timeout(LAST, &mut self.task).await else {
            let doing = self.doing.borrow();
            panic!("{} has not caught up within {LAST:?}: {:#?}", self.name, *doing);
        };
        match ended {
            Ok(report) => report,
            Err(error) => panic!("a robot broke down: {error}"),
        }
    }
}

impl Drop for Robot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Lets robots send what they have, and waits until all of it is acked.
pub async fn quieten_all(robots: &mut [Robot]) {
    for robot in robots.iter() {
        robot.phase.send_replace(Phase::Quieten);
    }
    let all_quiet = async {
        for robot in robots.iter_mut() {
            robot.quiet().await;
        }
    };
    if timeout(LAST, all_quiet).await.is_err() {
        let late = robots.iter().filter(|robot| !*robot.quiet.borrow());
        let late: Vec<String> =
            late.map(|robot| format!("{} {:#?}", robot.name, *robot.doing.borrow())).collect();
        panic!("not everything is acked within {LAST:?}: {}", late.join("\n"));
    }
}

/// The same, then lets all catch up, and ends them.
pub async fn finish_all(mut robots: Vec<Robot>) -> Vec<Report> {
    quieten_all(&mut robots).await;
    let mut reports = Vec::new();
    for robot in robots {
        reports.push(robot.join().await);
    }
    reports
}

/// Reads the histories of these conversations as `http`.
pub async fn histories(
    http: &Http,
    conversations: impl IntoIterator<Item = String>,
) -> BTreeMap<String, Vec<TimelineItem>> {
    let mut histories = BTreeMap::new();
    for conversation in conversations {
        let items = http.history(&conversation).await;
        histories.insert(conversation, items);
    }
    histories
}
