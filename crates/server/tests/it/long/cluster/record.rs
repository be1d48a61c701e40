//! What the record of a run says about the time in which an engine was away.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
    time::Duration,
};

use frontdesk_testkit::{
    Checker,
    checker::{Event, Line},
};

/// What the harness does takes this long to be so.
const SETTLES_US: u64 = 100_000;

/// When the harness noted this.
pub(in crate::long) fn fault_us(checker: &Checker, fault: &str) -> u64 {
    let is_meant = |line: &&Line| matches!(&line.event, Event::Fault { what } if what == fault);
    checker.lines.iter().find(is_meant).map(|line| line.at_us).expect("the fault is noted")
}

/// A message: who sent it when, and when it was acked, as which.
struct Message<'a> {
    client: &'a str,
    conversation: &'a str,
    sent_us: u64,
    ack: Option<(u64, u64)>,
}

/// All messages whose fate is open or good.
fn messages(checker: &Checker) -> Vec<Message<'_>> {
    let mut found: Vec<Message<'_>> = Vec::new();
    let mut by_text: HashMap<(&str, &str), usize> = HashMap::new();
    for line in &checker.lines {
        match &line.event {
            Event::Attempt { conversation, text } => {
                by_text.insert((&line.client, text), found.len());
                let (client, sent_us) = (line.client.as_str(), line.at_us);
                found.push(Message { client, conversation, sent_us, ack: None });
            }
            Event::Ack { text, seq, conversation } => {
                let Some(&place) = by_text.get(&(line.client.as_str(), text.as_str())) else {
                    continue;
                };
                // The first of a visitor names no conversation when it is sent.
                found[place].conversation = conversation;
                found[place].ack.get_or_insert((line.at_us, *seq));
            }
            _ => {}
        }
    }
    found
}

/// How messages that were sent before the engine was back got through.
#[derive(Debug, Default)]
pub(in crate::long) struct Delivery {
    /// From its return to the last ack.
    pub(in crate::long) last_ack: Duration,
    /// To the moment at which the last was shown to somebody else.
    pub(in crate::long) last_shown: Duration,
    /// How many there were.
    pub(in crate::long) messages: usize,
    /// Without an ack to the end.
    pub(in crate::long) unacked: usize,
    /// Acked, and never shown to anybody else, nor anything behind it.
    pub(in crate::long) unshown: usize,
}

/// By conversation and client, what it was shown last, and when.
type Shown<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Vec<(u64, u64)>>>;

/// Of each client in each conversation how far it was shown, rising.
fn shown(checker: &Checker) -> Shown<'_> {
    let mut shown = Shown::new();
    for line in &checker.lines {
        let Event::Receive { conversation, seq, .. } = &line.event else { continue };
        let steps = shown.entry(conversation).or_default().entry(&line.client).or_default();
        if steps.last().is_none_or(|(held, _)| held < seq) {
            steps.push((*seq, line.at_us));
        }
    }
    shown
}

/// When somebody else was shown this or what lies behind it: a timeline has no holes, so it was there.
fn shown_us(shown: &Shown<'_>, message: &Message<'_>, seq: u64) -> Option<u64> {
    let others = shown.get(message.conversation)?.iter();
    let others = others.filter(|(client, _)| **client != message.client);
    let when = others.filter_map(|(_, steps)| {
        steps.get(steps.partition_point(|(held, _)| *held < seq)).map(|(_, at_us)| *at_us)
    });
    when.min()
}

/// See [`Delivery`]; `back` is what the harness noted when the engine was back.
pub(in crate::long) fn delivery(checker: &Checker, back: &str) -> Delivery {
    let back_us = fault_us(checker, back);
    let shown = shown(checker);
    let since = |at_us: u64| Duration::from_micros(at_us.saturating_sub(back_us));
    let mut delivery = Delivery::default();
    for message in messages(checker).iter().filter(|message| message.sent_us < back_us) {
        delivery.messages += 1;
        let Some((acked_us, seq)) = message.ack else {
            delivery.unacked += 1;
            continue;
        };
        delivery.last_ack = delivery.last_ack.max(since(acked_us));
        match shown_us(&shown, message, seq) {
            Some(at_us) => delivery.last_shown = delivery.last_shown.max(since(at_us)),
            None => delivery.unshown += 1,
        }
    }
    delivery
}

/// Messages of some clients sent between two things the harness did, and how many of them were acked before the
/// second.
pub(in crate::long) fn meanwhile(
    checker: &Checker,
    from: &str,
    to: &str,
    which: impl Fn(&str) -> bool,
) -> (usize, usize) {
    let (from, to) = (fault_us(checker, from) + SETTLES_US, fault_us(checker, to));
    let (mut sent, mut acked) = (0, 0);
    for message in messages(checker) {
        if (from..to).contains(&message.sent_us) && which(message.client) {
            sent += 1;
            acked += usize::from(message.ack.is_some_and(|(acked_us, _)| acked_us < to));
        }
    }
    (sent, acked)
}

/// The longest time between two things the harness did in which nothing at all was acked.
pub(in crate::long) fn longest_pause(checker: &Checker, from: &str, to: &str) -> Duration {
    let (from, to) = (fault_us(checker, from), fault_us(checker, to));
    let acks = checker.lines.iter().filter(|line| matches!(line.event, Event::Ack { .. }));
    let acks = acks.map(|line| line.at_us).filter(|at_us| (from..to).contains(at_us));
    let times: Vec<u64> = std::iter::once(from).chain(acks).chain([to]).collect();
    let longest = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max();
    Duration::from_micros(longest.unwrap_or_default())
}

/// Messages that were refused for good.
pub(in crate::long) fn refused(checker: &Checker) -> usize {
    let is_refused = |line: &&Line| matches!(line.event, Event::Refused { .. });
    checker.lines.iter().filter(is_refused).count()
}

/// From attempt to ack, sorted, of what these clients sent in a time; and how many of them got none.
pub(in crate::long) fn latencies(
    checker: &Checker,
    sent_us: &Range<u64>,
    which: impl Fn(&str) -> bool,
) -> (Vec<Duration>, usize) {
    let (mut took, mut unacked) = (Vec::new(), 0);
    for message in messages(checker) {
        if !sent_us.contains(&message.sent_us) || !which(message.client) {
            continue;
        }
        match message.ack {
            Some((acked_us, _)) => took.push(Duration::from_micros(acked_us - message.sent_us)),
            None => unacked += 1,
        }
    }
    took.sort_unstable();
    (took, unacked)
}

/// What went wrong for some clients since the harness did something, by code.
pub(in crate::long) fn errors(
    checker: &Checker,
    since: &str,
    clients: &BTreeSet<String>,
) -> BTreeMap<String, usize> {
    let from = fault_us(checker, since);
    let mut errors = BTreeMap::new();
    let theirs = checker.lines.iter().filter(|line| clients.contains(&line.client));
    for line in theirs.filter(|line| line.at_us >= from) {
        let code = match &line.event {
            Event::Later { code } | Event::Refused { code, .. } => code.clone(),
            Event::Gone { code } => format!("closed with {code}"),
            _ => continue,
        };
        *errors.entry(code).or_default() += 1;
    }
    errors
}

/// The same in words.
pub(in crate::long) fn told(errors: &BTreeMap<String, usize>) -> String {
    let all: Vec<String> = errors.iter().map(|(code, count)| format!("{count} {code}")).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
