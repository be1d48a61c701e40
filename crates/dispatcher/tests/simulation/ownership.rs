//! A node's partitions: taken when the group says so, handed over when it wants them back, in the steps of
//! the server's `node/cluster/partitions.rs`.

use std::{rc::Rc, sync::Arc, time::Duration};

use frontdesk_dispatcher::{Dispatcher, DispatcherOptions, HistoryWrites, recover};
use frontdesk_storage::{History, MessageLog};
use tokio::time::sleep;

use crate::{
    database::Refusal,
    log::SimLog,
    node::Node,
    wire::{HISTORY, LOG, Message},
    world::PARTITIONS,
};

/// How often a node looks, and how long until a partition that could not be taken is tried again.
const LOOK: Duration = Duration::from_millis(10);
const RETRY_AFTER: Duration = Duration::from_millis(80);

/// Small, so that batches are many and memory is short.
fn options() -> DispatcherOptions {
    DispatcherOptions {
        partitions: PARTITIONS,
        flush_bytes: 1_500,
        lag_bytes_max: 12_000,
        evict_after_ms: 3_000,
        writes: HistoryWrites::InTurn,
        ..DispatcherOptions::default()
    }
}

/// Takes one partition and hands it over, one after the other, for as long as the node lives.
pub(crate) async fn keep(node: Rc<Node>, partition: u16) -> turmoil::Result {
    loop {
        sleep(LOOK).await;
        let is_assigned = node.assigned.borrow().contains(&partition);
        let is_owned = node.dispatchers.borrow().owned().any(|owned| owned == partition);
        if is_assigned == is_owned {
            continue;
        }
        node.busy.borrow_mut().insert(partition);
        if is_owned {
            let_go(&node, partition).await;
        } else if let Some(dispatcher) = open(&node, partition).await {
            node.dispatchers.borrow_mut().adopt(Box::new(dispatcher));
        } else {
            sleep(RETRY_AFTER).await;
        }
        node.busy.borrow_mut().remove(&partition);
    }
}

/// The next epoch in the history, which fences whoever had it; then what the log holds beyond the history is
/// folded. `None` if something did not answer.
async fn open(node: &Node, partition: u16) -> Option<Dispatcher> {
    let applied = take(node, partition).await?;
    let from = applied + 1;
    let ask = |call| Message::Fetch { call, partition, from };
    let Some(Message::Fetched { records, .. }) = node.call(LOG, ask).await else { return None };
    let (appends, producer) = (Arc::clone(&node.appends), node.world.next_number());
    let log = SimLog::open(partition, appends, producer, from, records, node.world.defect);
    let log: Box<dyn MessageLog> = Box::new(log);
    let history: Arc<dyn History> = Arc::<crate::history::SimHistory>::clone(&node.history);
    node.history.waiting(|| {
        let applied = history.applied(partition).ok()?;
        if applied >= log.next_offset() {
            return None;
        }
        let recovered = recover(partition, log, &history, options(), applied, &mut |_| {});
        let (log, recovered) = recovered.ok()?;
        let dispatcher = Dispatcher::new(partition, log, history, options()).ok()?;
        let counts = &mut node.world.journal.borrow_mut().counts;
        counts.takeovers += 1;
        counts.replayed += recovered.records;
        Some(dispatcher)
    })
}

/// Takes the next epoch; returns what is applied.
async fn take(node: &Node, log: u16) -> Option<u64> {
    loop {
        let ask = |call| Message::Progress { call, log };
        let Some(Message::Owned { owned: Ok((epoch, _)), .. }) = node.call(HISTORY, ask).await
        else {
            return None;
        };
        let ask = |call| Message::Own { call, log, epoch: epoch + 1 };
        match node.call(HISTORY, ask).await {
            Some(Message::Owned { owned: Ok((epoch, applied)), .. }) => {
                node.history.own(log, epoch, applied);
                return Some(applied);
            }
            // Another node was faster: whoever is asked last to own it, owns it.
            Some(Message::Owned { owned: Err(Refusal::Fenced), .. }) => {}
            _ => return None,
        }
    }
}

/// Takes nothing new, waits until everybody has an answer, and brings the history up.
async fn let_go(node: &Node, partition: u16) {
    node.dispatchers.borrow_mut().close(partition);
    while node.dispatchers.borrow().unanswered(partition) > 0 {
        sleep(LOOK).await;
    }
    // It may have broken meanwhile.
    let Some(dispatcher) = node.dispatchers.borrow_mut().release(partition) else { return };
    node.send_away(partition);
    let finished = node.history.waiting(|| dispatcher.finish());
    // The log holds what the history did not take; whoever owns it next folds it.
    node.world.journal.borrow_mut().counts.handed_over += u64::from(finished.is_ok());
}
