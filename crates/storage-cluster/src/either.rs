//! Two buses as one: the fast one as long as it works, the other one meanwhile.
//!
//! A batch goes by the first bus. When that fails or takes longer than [`FIRST_TIMEOUT`] it goes by the
//! second, and so do all that follow, until the first one takes one again: once a second a batch goes by both. A
//! receiver listens to both, and since a batch that was not answered in time may arrive all the same, each carries its
//! sender and a number, by which a second copy is known (`either/seen.rs`).

mod seen;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::secret::Secret128;
use frontdesk_storage::{Bus, BusError, NodeId};
use parking_lot::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep, timeout};

use seen::{Seen, seal};

/// How long the first bus may take.
const FIRST_TIMEOUT: Duration = Duration::from_millis(250);
/// How often it is tried again, and how often a subscription is.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// Batches that have arrived and that the node has not yet taken.
const CHANNEL_BATCHES: usize = 1024;

/// A bus that stands on two.
pub struct EitherBus {
    first: Arc<First>,
    second: Arc<dyn Bus>,
    /// Tells this bus' batches from those of others.
    sender: u64,
    next: AtomicU64,
}

/// The first bus, and whether it works.
struct First {
    bus: Arc<dyn Bus>,
    circuit: Circuit,
}

impl std::fmt::Debug for EitherBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EitherBus").field("circuit", &self.first.circuit).finish_non_exhaustive()
    }
}

impl EitherBus {
    /// Makes one of two.
    pub fn new(first: Arc<dyn Bus>, second: Arc<dyn Bus>) -> Self {
        let random = Secret128::random();
        let half = random.as_bytes().first_chunk().expect("a secret has 16 bytes");
        let sender = u64::from_be_bytes(*half);
        let first = Arc::new(First { bus: first, circuit: Circuit::default() });
        Self { first, second, sender, next: AtomicU64::new(1) }
    }

    /// Whether batches go by the first bus.
    pub fn is_on_first(&self) -> bool {
        self.first.circuit.failed.lock().is_none()
    }

    /// By the second bus, and by the first one to see whether it works again. Nobody waits for that: what follows goes
    /// on by the second one.
    async fn by_both(&self, node: &NodeId, batch: Bytes) -> Result<(), BusError> {
        let (first, to, copy) = (Arc::clone(&self.first), node.clone(), batch.clone());
        let probe = tokio::spawn(async move { first.publish(&to, copy).await });
        match self.second.publish(node, batch).await {
            Ok(()) => Ok(()),
            Err(error) => match probe.await {
                Ok(Ok(())) => Ok(()),
                _ => Err(error),
            },
        }
    }
}

impl First {
    /// Publishes a batch, if the bus takes it in time.
    async fn publish(&self, node: &NodeId, batch: Bytes) -> Result<(), Failure> {
        match timeout(FIRST_TIMEOUT, self.bus.publish(node, batch)).await {
            Ok(Ok(())) => {
                self.circuit.works();
                Ok(())
            }
            Ok(Err(error @ BusError::Full { .. })) => Err(Failure::Refuses(error)),
            // Perhaps it was emptied and does not know the node yet.
            Ok(Err(BusError::Unreachable { .. })) => Err(Failure::DoesNotKnow),
            Ok(Err(error)) => {
                self.circuit.fails(&error.to_string());
                Err(Failure::Fails)
            }
            Err(_elapsed) => {
                self.circuit.fails("it takes too long");
                Err(Failure::Fails)
            }
        }
    }
}

/// Why the first bus did not take a batch.
enum Failure {
    /// The receiver is slow, whatever the bus.
    Refuses(BusError),
    DoesNotKnow,
    Fails,
}

#[async_trait]
impl Bus for EitherBus {
    async fn publish(&self, node: &NodeId, batch: Bytes) -> Result<(), BusError> {
        let batch = seal(self.sender, self.next.fetch_add(1, Ordering::Relaxed), &batch);
        match self.first.circuit.way(Instant::now()) {
            Way::First => match self.first.publish(node, batch.clone()).await {
                Ok(()) => Ok(()),
                Err(Failure::Refuses(error)) => Err(error),
                Err(Failure::DoesNotKnow | Failure::Fails) => {
                    self.second.publish(node, batch).await
                }
            },
            Way::Second => self.second.publish(node, batch).await,
            Way::Both => self.by_both(node, batch).await,
        }
    }

    async fn subscribe(&self, node: &NodeId) -> Result<Receiver<Bytes>, BusError> {
        let (first, second) =
            tokio::join!(self.first.bus.subscribe(node), self.second.subscribe(node));
        let (first, second) = match (first, second) {
            (Err(error), Err(_)) => return Err(error),
            (first, second) => (first.ok(), second.ok()),
        };
        let (into, arrived) = channel(CHANNEL_BATCHES);
        let (sender, receiver) = channel(CHANNEL_BATCHES);
        tokio::spawn(forward(Arc::clone(&self.first.bus), node.clone(), first, into.clone()));
        tokio::spawn(forward(Arc::clone(&self.second), node.clone(), second, into));
        tokio::spawn(unite(arrived, sender));
        Ok(receiver)
    }
}

/// Passes on what arrives by one bus, then that it has ended: another subscription took its place.
async fn forward(
    bus: Arc<dyn Bus>,
    node: NodeId,
    mut receiver: Option<Receiver<Bytes>>,
    into: Sender<Option<Bytes>>,
) {
    let receive = async {
        let mut receiver = loop {
            match receiver.take() {
                Some(receiver) => break receiver,
                None => sleep(PROBE_INTERVAL).await,
            }
            match bus.subscribe(&node).await {
                Ok(new) => receiver = Some(new),
                Err(error) => tracing::debug!(%error, "one of two buses is not subscribed to"),
            }
        };
        loop {
            let batch = receiver.recv().await;
            let is_end = batch.is_none();
            if into.send(batch).await.is_err() || is_end {
                return;
            }
        }
    };
    tokio::select! {
        () = into.closed() => {}
        () = receive => {}
    }
}

/// Passes on what arrives, each batch once, until one of the buses has ended.
async fn unite(mut arrived: Receiver<Option<Bytes>>, sender: Sender<Bytes>) {
    let mut seen = Seen::default();
    loop {
        let batch = tokio::select! {
            () = sender.closed() => return,
            batch = arrived.recv() => batch,
        };
        let Some(Some(batch)) = batch else { return };
        if let Some(batch) = seen.open(batch, Instant::now())
            && sender.send(batch).await.is_err()
        {
            return;
        }
    }
}

/// Which way a batch goes.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    First,
    Second,
    /// By the second, and by the first to see whether it works again.
    Both,
}

/// Remembers that the first bus fails, and when to try it again.
#[derive(Debug, Default)]
struct Circuit {
    /// When it is tried again, while it fails.
    failed: Mutex<Option<Instant>>,
}

impl Circuit {
    fn way(&self, now: Instant) -> Way {
        match &mut *self.failed.lock() {
            None => Way::First,
            Some(probe_at) if now >= *probe_at => {
                *probe_at = now + PROBE_INTERVAL;
                Way::Both
            }
            Some(_) => Way::Second,
        }
    }

    fn fails(&self, reason: &str) {
        let probe_at = Instant::now() + PROBE_INTERVAL;
        if self.failed.lock().replace(probe_at).is_none() {
            tracing::warn!(reason, "the bus goes by kafka: redis fails");
        }
    }

    fn works(&self) {
        if self.failed.lock().take().is_some() {
            tracing::info!("the bus goes by redis again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use bytes::Bytes;
    use frontdesk_storage::{Bus, BusError, NodeId};
    use tokio::sync::mpsc::Receiver;

    use super::{Circuit, Duration, EitherBus, FIRST_TIMEOUT, Instant, PROBE_INTERVAL, Way, sleep};

    /// A bus that answers after a time.
    struct After(Duration);

    #[async_trait]
    impl Bus for After {
        async fn publish(&self, _: &NodeId, _: Bytes) -> Result<(), BusError> {
            sleep(self.0).await;
            Ok(())
        }

        async fn subscribe(&self, _: &NodeId) -> Result<Receiver<Bytes>, BusError> {
            unreachable!("nobody listens")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_bus_that_is_slow_but_the_first_to_meet_it() {
        let millisecond = Duration::from_millis(1);
        let (first, second) = (After(2 * FIRST_TIMEOUT), After(millisecond));
        let bus = EitherBus::new(Arc::new(first), Arc::new(second));
        let mut took = Vec::new();
        for _ in 0..5 {
            let began = Instant::now();
            bus.publish(&NodeId::new("2"), Bytes::new()).await.expect("one of them takes it");
            took.push(began.elapsed());
            sleep(PROBE_INTERVAL).await;
        }
        assert_eq!(took[0], FIRST_TIMEOUT + millisecond);
        assert_eq!(took[1..], [millisecond; 4], "each was a probe");
    }

    #[test]
    fn a_bus_that_fails_is_left_alone_and_tried_once_a_second() {
        let circuit = Circuit::default();
        let now = Instant::now();
        assert_eq!(circuit.way(now), Way::First);
        circuit.fails("a test");
        assert_eq!(circuit.way(now), Way::Second);
        let later = Instant::now() + PROBE_INTERVAL;
        assert_eq!(circuit.way(later), Way::Both);
        assert_eq!(circuit.way(later + Duration::from_millis(1)), Way::Second);
        circuit.works();
        assert_eq!(circuit.way(later), Way::First);
    }
}
