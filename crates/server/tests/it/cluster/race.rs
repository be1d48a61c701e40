//! Agents who take the same chats at once while nodes die (R23).

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk_testkit::{
    Cluster, Http, Plan, Recorder, Rng, Robot, TestAgent, TestVisitor, Who, http::note, services,
    soon,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::roomy;
use crate::{crash, heavy};

/// Agents who take, and chats they take, in the short version.
const TAKERS: usize = 8;
const CHATS: usize = 60;
/// Visitors who come at the same time.
const AT_ONCE: usize = 8;
/// How long a visitor waits for an answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Until something is asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// Chats that nobody has, and agents who want them.
pub(crate) struct Race {
    admin: Http,
    takers: Vec<Taker>,
    chats: Vec<String>,
    /// Visitors who got no answer in time, and came again.
    pub(crate) unanswered: usize,
    _dir: tempfile::TempDir,
}

struct Taker {
    http: Http,
    id: String,
    /// Its window, which comes back by itself.
    _window: Robot,
}

/// What an agent was told.
pub(crate) struct Told {
    taken: Vec<String>,
    /// The longest it had to ask about one chat.
    longest: Duration,
}

/// How it ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Chats that were given to several, or to another one than was said.
    pub(crate) doubled: Vec<String>,
    /// Chats nobody has.
    pub(crate) orphans: Vec<String>,
    /// What the watchdog found.
    pub(crate) violations: Vec<Value>,
    /// The longest anybody had to ask about one chat.
    pub(crate) longest: Duration,
    /// How many were told that a chat is theirs.
    pub(crate) told: usize,
}

impl Race {
    pub(crate) async fn prepare(cluster: &Cluster, takers: usize, chats: usize) -> Self {
        let admin = cluster.nodes[0].admin();
        let inboxes = admin.get("/api/v1/inboxes").await.ok();
        let inbox = inboxes["inboxes"][0]["id"].as_str().expect("an inbox").to_owned();
        let manual = json!({"routing": "manual"});
        admin.patch(&format!("/api/v1/inboxes/{inbox}"), &manual).await.ok();
        admin.set("routing.capacity", json!(1_000)).await;
        // Nobody answers what was taken: it must not go back to the queue while others are still at it.
        admin.set("routing.first_answer_s", json!(3_600)).await;
        let dir = tempfile::tempdir().expect("there is a temporary directory");
        let recorder = Arc::new(Recorder::new(&dir.path().join("record.jsonl")));
        let mut windows = Vec::new();
        for number in 0..takers {
            windows.push(taker(cluster, number, &recorder).await);
        }
        let (chats, unanswered) = chats_of(cluster, chats).await;
        Self { admin, takers: windows, chats, unanswered, _dir: dir }
    }

    /// Lets everybody try to take every chat, until all were told what became of each.
    pub(crate) async fn tries(&self) -> Vec<Told> {
        let tries = self.takers.iter().zip(0..).map(|(taker, seed)| {
            tokio::spawn(take_all(taker.http.clone(), self.chats.clone(), seed))
        });
        let tries: Vec<_> = tries.collect();
        let mut told = Vec::new();
        for one in tries {
            told.push(one.await.expect("a taker ends well"));
        }
        told
    }

    /// Compares what they were told with what is.
    pub(crate) async fn judge(&self, tries: Vec<Told>) -> Outcome {
        let mut outcome = Outcome::default();
        let mut owners: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, told) in tries.into_iter().enumerate() {
            outcome.longest = outcome.longest.max(told.longest);
            outcome.told += told.taken.len();
            for chat in told.taken {
                owners.entry(chat).or_default().push(number);
            }
        }
        for chat in &self.chats {
            let told = owners.get(chat).map_or(&[][..], Vec::as_slice);
            match (self.owner(chat).await, told) {
                (None, _) => outcome.orphans.push(chat.clone()),
                (Some(_), []) => {}
                (Some(owner), [told]) if owner == *told => {}
                (owner, told) => {
                    outcome.doubled.push(format!("{chat}: told {told:?}, has {owner:?}"));
                }
            }
        }
        let waiting = self.admin.get("/api/v1/waiting").await.ok();
        outcome.violations = waiting["violations"].as_array().cloned().unwrap_or_default();
        outcome
    }

    /// Which of them has a chat.
    async fn owner(&self, chat: &str) -> Option<usize> {
        let path = format!("/api/v1/conversations/{chat}");
        let view = soon("the conversation", async {
            loop {
                let request = self.admin.request(reqwest::Method::GET, &path);
                let answer = self.admin.try_send(request).await;
                if let Some(answer) = answer.filter(|answer| answer.status == 200) {
                    return answer.json();
                }
                tokio::time::sleep(AGAIN).await;
            }
        })
        .await;
        let owner = view["row"]["session"]["owner"]["id"].as_str()?.to_owned();
        self.takers.iter().position(|taker| taker.id == owner)
    }
}

async fn taker(cluster: &Cluster, number: usize, recorder: &Arc<Recorder>) -> Taker {
    let name = format!("Taker{number}");
    let agent = TestAgent::new(&cluster.nodes[0], &name, "agent").await;
    let who = Who::Agent { id: agent.id.clone() };
    let (http, id) = (agent.http.clone(), agent.id.clone());
    let plan = Plan { messages: 0, ..crash::plan(&cluster.nodes[0], http.clone(), name, who) };
    Taker { http, id, _window: Robot::start(plan, recorder) }
}

/// Conversations of visitors who said hello and went; and how often one got no answer.
async fn chats_of(cluster: &Cluster, count: usize) -> (Vec<String>, usize) {
    let unanswered = Cell::new(0);
    let hello = async || {
        let mut visitor = TestVisitor::connect(&cluster.nodes[0]).await;
        visitor.say("hello").await;
        visitor.conversation
    };
    let chat = async || {
        loop {
            // As the real client does, which comes again.
            match timeout(ANSWER, hello()).await {
                Ok(chat) => return chat,
                Err(_) => unanswered.set(unanswered.get() + 1),
            }
        }
    };
    let mut chats = Vec::new();
    while chats.len() < count {
        chats.extend(join_all((0..AT_ONCE.min(count - chats.len())).map(|_| chat())).await);
    }
    (chats, unanswered.get())
}

/// Tries to take every chat, in an order of its own, until it is told what became of each; those it was
/// told are its own.
async fn take_all(http: Http, mut chats: Vec<String>, seed: u64) -> Told {
    let mut rng = Rng::new(seed);
    chats.sort_by_cached_key(|_| rng.next_u64());
    let mut told = Told { taken: Vec::new(), longest: Duration::ZERO };
    for chat in chats {
        let began = Instant::now();
        if take(&http, &chat).await {
            told.taken.push(chat);
        }
        told.longest = told.longest.max(began.elapsed());
    }
    told
}

/// Asks for a chat until there is an answer: whether it is the caller's now.
async fn take(http: &Http, chat: &str) -> bool {
    let path = format!("/api/v1/conversations/{chat}/commands");
    loop {
        let request = http.request(reqwest::Method::POST, &path).timeout(Duration::from_secs(10));
        let answer = http.try_send(request.json(&json!({"command": "take"}))).await;
        match answer.map(|answer| answer.status) {
            Some(200) => return true,
            // Its node is gone, nobody owns the conversation for the moment, or too many ask at once.
            None | Some(429 | 502..=504 | 507) => tokio::time::sleep(AGAIN).await,
            // Another agent has it.
            Some(409) => return false,
            Some(status) => panic!("take of {chat} was answered with {status}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r23_of_agents_who_take_at_once_one_has_each_chat_over_a_kill() {
    let _alone = heavy().await;
    let mut cluster = roomy("r23", &services::shared(), 3).await;
    let race = Race::prepare(&cluster, TAKERS, CHATS).await;
    let kill = async {
        // The moment is the test: whatever is under way then, is cut.
        tokio::time::sleep(Duration::from_millis(300)).await;
        cluster.nodes[1].kill9().await;
    };
    let (tries, ()) = tokio::join!(race.tries(), kill);
    let outcome = race.judge(tries).await;
    note(&format!(
        "r23: {} visitors had to come again, {} takes told, the longest asked for {:.1?}",
        race.unanswered, outcome.told, outcome.longest
    ));
    let Outcome { doubled, orphans, violations, .. } = &outcome;
    assert!(doubled.is_empty(), "chats of several agents: {doubled:?}");
    assert!(orphans.is_empty(), "chats of nobody: {orphans:?}");
    assert!(violations.is_empty(), "somebody is left waiting: {violations:?}");
}
