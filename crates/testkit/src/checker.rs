//! Whether a run kept the promises I1-I6 of reliability.md.
//!
//! Each client writes what it attempts, gets acked and receives into one JSONL file, with monotonic
//! times. After the faults the history is read over HTTP and compared with that file: acked messages
//! are there, once, under the acked seq; every client saw what the history holds; nothing is there
//! that nobody sent. A run with fewer than 1,000 acks proves nothing and is void.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use frontdesk_core::chat::{TimelineItem, timeline_item::Item};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::timeline::{first_seq, last_seq, text_of};

/// Fewest acks of a run that counts.
pub const ACKED_MIN: usize = 1_000;
/// Findings shown one by one.
const FINDINGS_SHOWN: usize = 20;

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A message is sent for the first time. `text` is unique in the run.
    Attempt {
        /// The conversation.
        conversation: String,
        /// The message.
        text: String,
    },
    /// The server acked it: the outcome "ok".
    Ack {
        /// The conversation.
        conversation: String,
        /// The message.
        text: String,
        /// Its place.
        seq: u64,
    },
    /// The server refused it for good: the outcome "fail".
    Refused {
        /// The conversation.
        conversation: String,
        /// The message.
        text: String,
        /// Why.
        code: String,
    },
    /// The server refused it for now.
    Later {
        /// Why.
        code: String,
    },
    /// An entry was shown.
    Receive {
        /// The conversation.
        conversation: String,
        /// Its place.
        seq: u64,
        /// What it says; empty where it is no text message.
        text: String,
    },
    /// A connection is live.
    Live,
    /// A client was asked to say hello again on its connection.
    Rejoin,
    /// It is gone.
    Gone {
        /// The close code.
        code: u16,
    },
    /// A client has caught up at the end.
    Held {
        /// The conversation.
        conversation: String,
        /// Held without a hole up to here.
        seq: u64,
    },
    /// The harness did something to the system.
    Fault {
        /// What.
        what: String,
    },
}

/// An event, when, and by whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Microseconds since the run began.
    pub at_us: u64,
    /// The client; "harness" for faults.
    pub client: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// How far a run is, for tests that wait for something in it.
#[derive(Debug, Default)]
struct Tally {
    acked: usize,
    /// Who has come (back) since the last fault.
    live_since_fault: BTreeSet<String>,
}

/// Writes the JSONL file of a run.
#[derive(Debug)]
pub struct Recorder {
    started: Instant,
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
    tally: watch::Sender<Tally>,
}

impl Recorder {
    /// Begins a run.
    pub fn new(path: &Path) -> Self {
        let file = File::create(path).expect("the record can be created");
        Self {
            started: Instant::now(),
            path: path.to_owned(),
            file: Mutex::new(BufWriter::new(file)),
            tally: watch::Sender::default(),
        }
    }

    /// Notes an event.
    pub fn note(&self, client: &str, event: Event) {
        let at_us = u64::try_from(self.started.elapsed().as_micros()).expect("a short run");
        match &event {
            Event::Ack { .. } => self.tally.send_modify(|tally| tally.acked += 1),
            Event::Live => self.tally.send_modify(|tally| {
                tally.live_since_fault.insert(client.to_owned());
            }),
            Event::Fault { .. } => self.tally.send_modify(|tally| tally.live_since_fault.clear()),
            _ => {}
        }
        let line = Line { at_us, client: client.to_owned(), event };
        let mut text = serde_json::to_vec(&line).expect("an event has a JSON form");
        text.push(b'\n');
        self.file.lock().write_all(&text).expect("the record can be written");
    }

    /// Notes a fault, and shows it beside the test's output.
    pub fn fault(&self, what: &str) {
        crate::http::note(&format!("  fault at {:.1?}: {what}", self.started.elapsed()));
        self.note("harness", Event::Fault { what: what.to_owned() });
    }

    /// Waits until so many acks are noted.
    pub async fn acked(&self, count: usize) {
        self.reaches(&format!("{count} acks"), |tally| tally.acked >= count).await;
    }

    /// Waits until so many clients have connected since the last fault.
    pub async fn live_since_fault(&self, count: usize) {
        let what = format!("{count} clients are live again");
        self.reaches(&what, |tally| tally.live_since_fault.len() >= count).await;
    }

    async fn reaches(&self, what: &str, right: impl Fn(&Tally) -> bool) {
        let mut tally = self.tally.subscribe();
        let reached = tally.wait_for(|tally| right(tally));
        crate::soon(what, reached).await.map(drop).expect("the recorder outlives the wait");
    }

    /// Ends the record and reads it back.
    pub fn checker(&self) -> Checker {
        self.file.lock().flush().expect("the record can be written");
        let file = File::open(&self.path).expect("the record can be read");
        let lines = BufReader::new(file).lines().map(|line| {
            let line = line.expect("the record can be read");
            serde_json::from_str(&line).expect("the record holds events")
        });
        Checker { lines: lines.collect() }
    }
}

/// The record of a run, read back.
#[derive(Debug)]
pub struct Checker {
    /// All of it.
    pub lines: Vec<Line>,
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Acked messages that are not in the history under their seq (I1).
    pub lost: usize,
    /// Messages in the history or on a client more than once (I2).
    pub dup: usize,
    /// Holes, places that differ between clients, messages of one sender out of order (I3, I6).
    pub order: usize,
    /// Entries nobody sent (I5).
    pub phantom: usize,
    /// Distinct acked messages.
    pub acked: usize,
    findings: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lost, dup, order, phantom, acked, .. } = self;
        write!(f, "lost={lost} dup={dup} order={order} phantom={phantom} acked={acked}")
    }
}

impl Verdict {
    fn found(&mut self, which: fn(&mut Self) -> &mut usize, what: String) {
        *which(self) += 1;
        if self.findings.len() < FINDINGS_SHOWN {
            self.findings.push(what);
        }
    }

    /// The first of what was found, in words.
    pub fn findings(&self) -> &[String] {
        &self.findings
    }

    /// Prints the verdict and fails the test unless the run counts and nothing was found.
    #[track_caller]
    pub fn must_hold(&self, test: &str) {
        crate::http::note(&format!("{test}: {self}"));
        let sound = self.lost + self.dup + self.order + self.phantom == 0;
        assert!(sound, "{self}\n{}", self.findings.join("\n"));
        assert!(self.acked >= ACKED_MIN, "void: {} acks are fewer than {ACKED_MIN}", self.acked);
    }
}

impl Checker {
    /// Compares the record with the histories, by conversation, as somebody of the team reads them.
    pub fn verdict(&self, histories: &BTreeMap<String, Vec<TimelineItem>>) -> Verdict {
        let mut verdict = Verdict::default();
        // (conversation, text) to its places in the history.
        let mut places: HashMap<(&str, &str), Vec<u64>> = HashMap::new();
        let mut by_seq: HashMap<(&str, u64), &str> = HashMap::new();
        let mut last: HashMap<&str, u64> = HashMap::new();
        for (conversation, items) in histories {
            let mut next = 1;
            for item in items {
                if first_seq(item) != next {
                    let found = first_seq(item);
                    let what = format!("{conversation}: history has {found} in place of {next}");
                    verdict.found(|v| &mut v.order, what);
                }
                next = last_seq(item) + 1;
                if let Some(Item::Entry(entry)) = &item.item {
                    let text = text_of(entry).unwrap_or_default();
                    by_seq.insert((conversation, entry.seq), text);
                    if !text.is_empty() {
                        places.entry((conversation, text)).or_default().push(entry.seq);
                    }
                }
            }
            last.insert(conversation, next - 1);
        }
        let mut attempts: HashSet<(&str, &str)> = HashSet::new();
        let mut order: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        let mut acked: HashMap<(&str, &str), u64> = HashMap::new();
        let mut refused: BTreeSet<&str> = BTreeSet::new();
        let mut shown: HashMap<(&str, &str, &str), u64> = HashMap::new();
        for line in &self.lines {
            let client = line.client.as_str();
            match &line.event {
                Event::Attempt { conversation, text } => {
                    attempts.insert((conversation, text));
                    order.entry((client, conversation)).or_default().push(text);
                }
                Event::Ack { conversation, text, seq } => {
                    if let Some(earlier) = acked.insert((conversation, text), *seq)
                        && earlier != *seq
                    {
                        let what = format!("{client}: {text:?} acked as {earlier} and as {seq}");
                        verdict.found(|v| &mut v.dup, what);
                    }
                }
                Event::Refused { .. } | Event::Later { .. } => {
                    refused.insert(client);
                }
                Event::Receive { conversation, seq, text } => {
                    if by_seq.get(&(conversation.as_str(), *seq)).is_none_or(|known| known != text)
                    {
                        let known = by_seq.get(&(conversation.as_str(), *seq));
                        let what =
                            format!("{client}: saw {text:?} as {seq}, the history has {known:?}");
                        verdict.found(|v| &mut v.order, what);
                    }
                    if !text.is_empty()
                        && let Some(earlier) = shown.insert((client, conversation, text), *seq)
                        && earlier != *seq
                    {
                        let what = format!("{client}: {text:?} shown as {earlier} and as {seq}");
                        verdict.found(|v| &mut v.dup, what);
                    }
                }
                Event::Held { conversation, seq } => {
                    let there = last.get(conversation.as_str()).copied().unwrap_or(0);
                    if *seq != there {
                        let what = format!("{client}: holds {seq} of {there} in {conversation}");
                        verdict.found(|v| &mut v.order, what);
                    }
                }
                Event::Live | Event::Rejoin | Event::Gone { .. } | Event::Fault { .. } => {}
            }
        }
        for ((conversation, text), seq) in &acked {
            if !places.get(&(*conversation, *text)).is_some_and(|seqs| seqs.contains(seq)) {
                let what = format!("{conversation}: acked {text:?} is not at {seq}");
                verdict.found(|v| &mut v.lost, what);
            }
        }
        for ((conversation, text), seqs) in &places {
            if seqs.len() > 1 {
                let what = format!("{conversation}: {text:?} is stored at {seqs:?}");
                verdict.found(|v| &mut v.dup, what);
            }
            if !attempts.contains(&(*conversation, *text)) {
                let what = format!("{conversation}: nobody sent {text:?}");
                verdict.found(|v| &mut v.phantom, what);
            }
        }
        // One sender's messages stand in the order they were sent, unless some had to come later.
        for ((client, conversation), texts) in &order {
            if refused.contains(client) {
                continue;
            }
            let seqs: Vec<u64> = texts
                .iter()
                .filter_map(|text| acked.get(&(*conversation, *text)).copied())
                .collect();
            if seqs.windows(2).any(|pair| pair[0] >= pair[1]) {
                let what = format!("{client}: its messages stand in another order than sent");
                verdict.found(|v| &mut v.order, what);
            }
        }
        verdict.acked = acked.len();
        verdict
    }

    /// Conversations somebody got an ack in.
    pub fn conversations(&self) -> BTreeSet<String> {
        let of = |line: &Line| match &line.event {
            Event::Ack { conversation, .. } => Some(conversation.clone()),
            _ => None,
        };
        self.lines.iter().filter_map(of).collect()
    }

    /// From attempt to ack, for the clients `which` takes, sorted.
    pub fn latencies(&self, which: impl Fn(&str) -> bool) -> Vec<Duration> {
        let mut sent: HashMap<&str, u64> = HashMap::new();
        let mut found = Vec::new();
        for line in self.lines.iter().filter(|line| which(&line.client)) {
            match &line.event {
                Event::Attempt { text, .. } => {
                    sent.insert(text, line.at_us);
                }
                Event::Ack { text, .. } => {
                    if let Some(at_us) = sent.remove(text.as_str()) {
                        found.push(Duration::from_micros(line.at_us - at_us));
                    }
                }
                _ => {}
            }
        }
        found.sort_unstable();
        found
    }

    /// How long each client was away after each loss of its connection, sorted.
    pub fn absences(&self) -> Vec<Duration> {
        let mut gone: HashMap<&str, u64> = HashMap::new();
        let mut found = Vec::new();
        for line in &self.lines {
            match &line.event {
                Event::Gone { .. } => {
                    gone.entry(&line.client).or_insert(line.at_us);
                }
                Event::Live => {
                    if let Some(at_us) = gone.remove(line.client.as_str()) {
                        found.push(Duration::from_micros(line.at_us - at_us));
                    }
                }
                _ => {}
            }
        }
        found.sort_unstable();
        found
    }

    /// Close codes clients saw, with how often.
    pub fn close_codes(&self) -> BTreeMap<u16, usize> {
        let mut codes = BTreeMap::new();
        for line in &self.lines {
            if let Event::Gone { code } = &line.event {
                *codes.entry(*code).or_default() += 1;
            }
        }
        codes
    }
}

/// The value a share of all lies at or below: `quantile(&sorted, 99)` is the p99.
pub fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// The middle one.
pub fn median<T: Copy + Ord>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use frontdesk_core::chat::{Content, Entry, Text, content::Kind, entry::Body};

    use super::*;

    /// Name, history, record, and what is found: lost, dup, order, phantom.
    type Case = (&'static str, Vec<TimelineItem>, Vec<Event>, [usize; 4]);

    fn entry(seq: u64, text: &str) -> TimelineItem {
        let kind = Some(Kind::Text(Text { body: text.to_owned() }));
        let body = Some(Body::Content(Content { kind, quote_seq: 0, ..Default::default() }));
        TimelineItem { item: Some(Item::Entry(Entry { seq, body, ..Entry::default() })) }
    }

    fn run(history: Vec<TimelineItem>, events: &[Event]) -> Verdict {
        let line = |event: &Event| Line { at_us: 0, client: "a".to_owned(), event: event.clone() };
        let checker = Checker { lines: events.iter().map(line).collect() };
        checker.verdict(&BTreeMap::from([("c".to_owned(), history)]))
    }

    fn attempt(text: &str) -> Event {
        Event::Attempt { conversation: "c".to_owned(), text: text.to_owned() }
    }

    fn ack(text: &str, seq: u64) -> Event {
        Event::Ack { conversation: "c".to_owned(), text: text.to_owned(), seq }
    }

    fn receive(text: &str, seq: u64) -> Event {
        Event::Receive { conversation: "c".to_owned(), seq, text: text.to_owned() }
    }

    /// The checker has to find what is wrong: a harness that cannot fail shows nothing.
    #[test]
    fn every_kind_of_breach_is_found() {
        let sound = [attempt("x"), ack("x", 1), attempt("y"), receive("y", 2), receive("x", 1)];
        let cases: [Case; 9] = [
            ("sound", vec![entry(1, "x"), entry(2, "y")], sound.to_vec(), [0, 0, 0, 0]),
            ("lost", vec![], vec![attempt("x"), ack("x", 1)], [1, 0, 0, 0]),
            (
                "moved",
                vec![entry(1, "z"), entry(2, "x")],
                vec![attempt("z"), attempt("x"), ack("x", 1)],
                [1, 0, 0, 0],
            ),
            (
                "stored twice",
                vec![entry(1, "x"), entry(2, "x")],
                vec![attempt("x"), ack("x", 1)],
                [0, 1, 0, 0],
            ),
            (
                "hole",
                vec![entry(1, "x"), entry(3, "y")],
                vec![attempt("x"), attempt("y")],
                [0, 0, 1, 0],
            ),
            ("phantom", vec![entry(1, "x")], vec![], [0, 0, 0, 1]),
            (
                "seen elsewhere",
                vec![entry(1, "x"), entry(2, "y")],
                vec![attempt("x"), attempt("y"), receive("y", 1)],
                [0, 0, 1, 0],
            ),
            (
                "swapped",
                vec![entry(1, "y"), entry(2, "x")],
                vec![attempt("x"), attempt("y"), ack("x", 2), ack("y", 1)],
                [0, 0, 1, 0],
            ),
            (
                "behind",
                vec![entry(1, "x")],
                vec![attempt("x"), Event::Held { conversation: "c".to_owned(), seq: 0 }],
                [0, 0, 1, 0],
            ),
        ];
        for (name, history, events, expected) in cases {
            let Verdict { lost, dup, order, phantom, .. } = run(history, &events);
            assert_eq!([lost, dup, order, phantom], expected, "{name}");
        }
    }

    #[test]
    #[should_panic(expected = "void")]
    fn a_run_with_few_acks_is_void() {
        run(vec![entry(1, "x")], &[attempt("x"), ack("x", 1)]).must_hold("few");
    }

    #[test]
    fn quantiles_of_few_values_are_values() {
        let values: Vec<Duration> = (1..=4).map(Duration::from_secs).collect();
        assert_eq!(quantile(&values, 50), Duration::from_secs(2));
        assert_eq!(quantile(&values, 99), Duration::from_secs(4));
        assert_eq!(quantile(&[], 99), Duration::ZERO);
    }
}
