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
}

impl Outbox {
    pub(crate) fn new(loops: u16) -> Self {
        Self { loops, waiting: Mutex::default(), more: Notify::new() }
    }

    /// Adds a command; false if too much waits already.
    pub(crate) fn push(&self, command: v1::Command) -> bool {
        let bytes = command.encoded_len() + 8;
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return false;
        }
        if waiting.bytes + bytes > WAITING_BYTES_MAX && !waiting.commands.is_empty() {
            return false;
        }
        waiting.bytes += bytes;
        waiting.commands.push_back(command);
        let first = waiting.commands.len() == 1;
        drop(waiting);
        if first {
            self.more.notify_one();
        }
        true
    }

    /// The node is gone: nothing more is taken, and nothing sent.
    pub(crate) fn close(&self) {
        let mut waiting = self.waiting.lock();
        *waiting = Waiting { closed: true, ..Waiting::default() };
        drop(waiting);
        self.more.notify_one();
    }

    /// Waits for something to send: what waits, up to a batch's size; `None` once the node is gone.
    pub async fn next(&self) -> Option<Vec<v1::Command>> {
        loop {
            let taken = self.take();
            if !taken.is_empty() {
                return Some(taken);
            }
            if self.waiting.lock().closed {
                return None;
            }
            self.more.notified().await;
        }
    }

    fn take(&self) -> Vec<v1::Command> {
        let mut waiting = self.waiting.lock();
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES
            && let Some(command) = waiting.commands.pop_front()
        {
            bytes += command.encoded_len() + 8;
            taken.push(command);
        }
        waiting.bytes -= bytes;
        taken
    }
}
