//! What waits for another node: bounded, sent as one batch as soon as the one before is on the bus.

use parking_lot::Mutex;
use prost::Message as _;
use tokio::sync::Notify;

use super::v1;

/// Bytes that may wait for a node: a second of a busy link.
const WAITING_BYTES_MAX: usize = 16 << 20;
/// Bytes of one batch, beyond which the rest waits for the next.
const BATCH_BYTES: usize = 512 << 10;

/// The queue for one other node.
#[derive(Debug)]
pub struct Outbox {
    /// How many loops the node has.
    pub(crate) loops: u16,
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    commands: std::collections::VecDeque<v1::Command>,
    bytes: usize,
    closed: bool,
    /// A batch is due, be it empty.
    due: bool,
    /// More came than may wait: all of it was dropped.
    spilled: bool,
    /// How often the link began anew.
    beginnings: u64,
}

/// What a batch is made of.
#[derive(Debug, PartialEq)]
pub struct Waited {
    /// What waited, up to a batch's size.
    pub commands: Vec<v1::Command>,
    /// Whether something before it was dropped, because the link is far behind.
    pub is_after_spill: bool,
}

impl Outbox {
    pub(crate) fn new(loops: u16, beginnings: u64) -> Self {
        let waiting = Waiting { beginnings, ..Waiting::default() };
        Self { loops, waiting: Mutex::new(waiting), more: Notify::new() }
    }

    /// Adds a command; false if it is dropped, because the node is gone or too much waits already. Then all
    /// that waits is dropped with it, and the link begins anew.
    pub(crate) fn push(&self, command: v1::Command) -> bool {
        self.push_if(command, |_| true)
    }

    /// As [`Self::push`], for somebody's message that must not overtake those before it: it is dropped as well if the
    /// link began anew more often than its sender knows.
    pub(crate) fn push_in_order(&self, command: v1::Command, beginnings: u64) -> bool {
        self.push_if(command, |waiting| waiting.beginnings == beginnings)
    }

    fn push_if(&self, command: v1::Command, may: impl Fn(&Waiting) -> bool) -> bool {
        let bytes = command.encoded_len() + 8;
        let mut waiting = self.waiting.lock();
        if waiting.closed || !may(&waiting) {
            return false;
        }
        let is_full = waiting.bytes + bytes > WAITING_BYTES_MAX && !waiting.commands.is_empty();
        if is_full {
            let beginnings = waiting.beginnings;
            *waiting = Waiting { spilled: true, beginnings, ..Waiting::default() };
        } else {
            waiting.bytes += bytes;
            waiting.commands.push_back(command);
        }
        let is_first = is_full || waiting.commands.len() == 1;
        drop(waiting);
        if is_first {
            self.more.notify_one();
        }
        !is_full
    }

    /// Asks for a batch, be it empty: the other node has to hear of this one.
    pub fn ask_for_batch(&self) {
        self.waiting.lock().due = true;
        self.more.notify_one();
    }

    /// The link begins anew: messages of people that wait go, since some before them may be lost. Whoever sent them
    /// sends all of them again.
    pub(crate) fn begin_anew(&self, beginnings: u64) {
        let mut waiting = self.waiting.lock();
        waiting.beginnings = beginnings;
        waiting.commands.retain(|of| !matches!(of.command, Some(v1::command::Command::Frame(_))));
        waiting.bytes = waiting.commands.iter().map(|of| of.encoded_len() + 8).sum();
    }

    /// The node is gone: nothing more is taken, and nothing sent.
    pub(crate) fn close(&self) {
        let mut waiting = self.waiting.lock();
        *waiting = Waiting { closed: true, ..Waiting::default() };
        drop(waiting);
        self.more.notify_one();
    }

    /// Waits for something to send; `None` once the node is gone.
    pub async fn next(&self) -> Option<Waited> {
        loop {
            if let Some(waited) = self.take() {
                return Some(waited);
            }
            if self.waiting.lock().closed {
                return None;
            }
            self.more.notified().await;
        }
    }

    fn take(&self) -> Option<Waited> {
        let mut waiting = self.waiting.lock();
        let mut commands = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES
            && let Some(command) = waiting.commands.pop_front()
        {
            bytes += command.encoded_len() + 8;
            commands.push(command);
        }
        waiting.bytes -= bytes;
        let is_due = std::mem::take(&mut waiting.due);
        let is_after_spill = std::mem::take(&mut waiting.spilled);
        let is_something = is_due || is_after_spill || !commands.is_empty();
        is_something.then_some(Waited { commands, is_after_spill })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(bytes: usize) -> v1::Command {
        let message = v1::TunnelMessage { home: None, message: vec![0; bytes].into() };
        v1::Command { r#loop: 1, command: Some(v1::command::Command::TunnelMessage(message)) }
    }

    #[tokio::test]
    async fn what_waits_goes_out_in_batches_and_an_empty_one_on_demand() {
        let outbox = Outbox::new(1, 0);
        for _ in 0..3 {
            assert!(outbox.push(command(300 << 10)));
        }
        let sizes =
            [outbox.next().await, outbox.next().await].map(|of| of.expect("waits").commands.len());
        assert_eq!(sizes, [2, 1]);
        outbox.ask_for_batch();
        let empty = Waited { commands: Vec::new(), is_after_spill: false };
        assert_eq!(outbox.next().await, Some(empty));
        outbox.close();
        assert_eq!(outbox.next().await, None);
        assert!(!outbox.push(command(1)));
    }

    #[tokio::test]
    async fn more_than_may_wait_drops_all_and_says_so() {
        let outbox = Outbox::new(1, 0);
        let fits = WAITING_BYTES_MAX / (1 << 20) - 1;
        assert!((0..fits).all(|_| outbox.push(command(1 << 20))));
        assert!(!outbox.push(command(2 << 20)));
        assert!(outbox.push(command(1)), "there is room again");
        let after = outbox.next().await.expect("waits");
        assert!(after.is_after_spill && after.commands.len() == 1);
    }

    #[tokio::test]
    async fn a_message_does_not_overtake_those_that_went_with_the_link() {
        let frame = |r#loop| {
            let frame = v1::command::Command::Frame(v1::Frame::default());
            v1::Command { r#loop, command: Some(frame) }
        };
        let outbox = Outbox::new(1, 4);
        assert!(outbox.push_in_order(frame(1), 4));
        assert!(outbox.push(command(1)));
        outbox.begin_anew(5);
        assert!(!outbox.push_in_order(frame(2), 4), "its loop has not heard of it");
        assert!(outbox.push_in_order(frame(3), 5));
        let waited = outbox.next().await.expect("waits").commands;
        assert_eq!(waited, [command(1), frame(3)]);
    }
}
