//! Fills a data directory with messages, to measure how long a start takes.
//!
//! ```text
//! frontdesk init --data-dir DIR ... --json          names the account
//! cargo run -p frontdesk-dispatcher --example fill -- DIR ACCOUNT 1000000
//! frontdesk serve --data-dir DIR                    until /readyz answers; once more for a start
//!                                                   that finds the lists up to date
//! ```
//! With `log` as fourth argument only the log is written, as if the process had been killed before
//! the history took anything; then this also replays it and tells how long that took.

#![expect(clippy::print_stdout, reason = "a tool for the command line")]

use std::{error::Error, path::Path, sync::Arc, time::Instant};

use bytes::Bytes;
use frontdesk_core::{
    chat::{self, Actor, ActorKind},
    id::{ConversationId, IdSource, InboxId, MessageId, SessionId, VisitorId},
    partition_of, store,
};
use frontdesk_dispatcher::{Dispatcher, DispatcherOptions, recover};
use frontdesk_storage::{History, MessageLog, Record};
use frontdesk_storage_embedded::{
    Durability, FjallHistory, HistoryOptions, LogOptions, Reserve, SegmentLog,
};
use prost::Message as _;

/// Messages of one conversation.
const PER_CONVERSATION: u64 = 50;
/// Of each block of conversations, how many sessions stay open.
const LEFT_OPEN: usize = 50;
/// Messages of one turn, and conversations of one block.
const TURN: u64 = 1_000;
/// Logs filled: one per edge loop of a machine with two cores.
const LOGS: u16 = 2;

struct Source {
    account: String,
    inbox: String,
    ids: IdSource,
    /// Conversations that are being written, each with its visitor.
    open: Vec<(ConversationId, VisitorId)>,
    now_ms: i64,
    made: u64,
}

impl Source {
    fn next(&mut self) -> (ConversationId, store::Proposal) {
        if self.made.is_multiple_of(TURN * PER_CONVERSATION) {
            let (ids, now_ms) = (&mut self.ids, self.now_ms);
            self.open = (0..TURN).map(|_| (ids.next(now_ms), ids.next(now_ms))).collect();
        }
        let place = usize::try_from(self.made % TURN).unwrap_or(0);
        let (conversation, visitor) = self.open[place];
        self.made += 1;
        self.now_ms += 1;
        let id: MessageId = self.ids.next(self.now_ms);
        let session: SessionId = self.ids.next(self.now_ms);
        let body = format!("message {:>92}", self.made);
        let send = store::Send {
            id: Bytes::copy_from_slice(id.as_bytes()),
            client_msg_id: Bytes::copy_from_slice(&u128::from(self.made).to_be_bytes()),
            audience: chat::Audience::Everyone.into(),
            content: Some(chat::Content {
                kind: Some(chat::content::Kind::Text(chat::Text { body })),
                quote_seq: 0,
                ..Default::default()
            }),
            origin: Some(store::Origin {
                account: self.account.clone(),
                inbox: self.inbox.clone(),
                visitor: visitor.to_string(),
                ..store::Origin::default()
            }),
            new_session: Bytes::copy_from_slice(session.as_bytes()),
            new_session_team: String::new(),
        };
        let visitor = visitor.to_string();
        let proposal = store::Proposal {
            conversation: Bytes::copy_from_slice(conversation.as_bytes()),
            actor: Some(Actor {
                kind: ActorKind::Visitor.into(),
                id: visitor,
                name: String::new(),
            }),
            at_ms: self.now_ms,
            body: Some(store::proposal::Body::Send(send)),
        };
        (conversation, proposal)
    }

    /// Ends the sessions of what was just written, all but a few; empty between two blocks.
    fn close(&mut self) -> Vec<(ConversationId, store::Proposal)> {
        if !self.made.is_multiple_of(TURN * PER_CONVERSATION) {
            return Vec::new();
        }
        let mut closed = Vec::new();
        for (conversation, _) in self.open.iter().skip(LEFT_OPEN) {
            let entry: MessageId = self.ids.next(self.now_ms);
            let reason = chat::CloseReason::Agent.into();
            let change = store::Change {
                entry_id: Bytes::copy_from_slice(entry.as_bytes()),
                overrides_owner: true,
                change: Some(store::change::Change::Closed(chat::Closed { reason })),
                ..store::Change::default()
            };
            let proposal = store::Proposal {
                conversation: Bytes::copy_from_slice(conversation.as_bytes()),
                actor: Some(Actor {
                    kind: ActorKind::Agent.into(),
                    id: "agent".to_owned(),
                    name: String::new(),
                }),
                at_ms: self.now_ms,
                body: Some(store::proposal::Body::Change(change)),
            };
            closed.push((*conversation, proposal));
        }
        closed
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, account, count, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fill DIR ACCOUNT COUNT [log]".into());
    };
    let (dir, count) = (Path::new(dir), count.parse::<u64>()?);
    let mut ids = IdSource::new([1, 2, 3], 7, 1);
    let inbox: InboxId = ids.next(1_700_000_000_000);
    let mut source = Source {
        account: account.clone(),
        inbox: inbox.to_string(),
        ids,
        open: Vec::new(),
        now_ms: 1_700_000_000_000,
        made: 0,
    };
    let options = LogOptions {
        segment_bytes: 64 << 20,
        durability: Durability::Async,
        reserve: Reserve { percent: 0, bytes_min: 0 },
    };
    let mut logs = Vec::new();
    for number in 0..LOGS {
        logs.push(SegmentLog::open(&dir.join(format!("log/{number}")), options)?);
    }
    let history: Arc<dyn History> =
        Arc::new(FjallHistory::open(&dir.join("history"), HistoryOptions::default())?);
    let partitions = DispatcherOptions::default().partitions;
    let log_of =
        |conversation: &ConversationId| usize::from(partition_of(conversation, partitions) % LOGS);
    let began = Instant::now();
    if rest.first().is_some_and(|word| word == "log") {
        while source.made < count {
            let (conversation, proposal) = source.next();
            let payload = proposal.encode_to_vec();
            let partition = partition_of(&conversation, partitions);
            logs[log_of(&conversation)].append(&[Record { partition, payload: &payload }])?;
        }
        println!("wrote {count} messages to the logs in {:?}", began.elapsed());
        let began = Instant::now();
        for (number, log) in (0..).zip(logs) {
            let options = DispatcherOptions::default();
            let (_, recovered) =
                recover(number, Box::new(log), &history, options, u64::MAX, &mut |_| {})?;
            println!("log {number}: {} records replayed", recovered.records);
        }
        println!("replayed {count} messages in {:?}", began.elapsed());
        return Ok(());
    }
    let mut dispatchers = Vec::new();
    for (number, log) in (0..).zip(logs) {
        let options = DispatcherOptions { flush_interval_ms: 1, ..DispatcherOptions::default() };
        dispatchers.push(Dispatcher::new(number, Box::new(log), Arc::clone(&history), options)?);
    }
    let mut results = Vec::new();
    while source.made < count {
        for _ in 0..TURN {
            let (conversation, proposal) = source.next();
            dispatchers[log_of(&conversation)].stage(0, conversation, proposal);
        }
        for (conversation, proposal) in source.close() {
            dispatchers[log_of(&conversation)].stage(0, conversation, proposal);
        }
        for dispatcher in &mut dispatchers {
            dispatcher.commit(source.now_ms, &mut results);
            dispatcher.tend(source.now_ms, u64::MAX - 1);
        }
        for committed in results.drain(..) {
            committed.result?;
        }
    }
    for dispatcher in dispatchers {
        dispatcher.finish()?;
    }
    println!("stored {count} messages in {:?}", began.elapsed());
    Ok(())
}
