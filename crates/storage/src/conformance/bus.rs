//! Cases for [`Bus`](crate::Bus).

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::{Bus, BusError, NodeId};

/// Makes a test of every case; takes an expression, evaluated within the test, for a bus that holds at
/// least 100 batches for each node. The crate that uses it needs tokio with `macros` and `rt`.
#[macro_export]
macro_rules! bus_suite {
    ($bus:expr) => {
        $crate::bus_suite!(@cases $bus,
            batches_arrive_in_order, nodes_do_not_mix, nobody_receives_nothing,
            a_second_subscription_ends_the_first, a_queue_is_bounded,
        );
    };
    (@cases $bus:expr, $($case:ident,)*) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::conformance::bus::$case($bus).await;
        })*
    };
}

/// Far more than it takes to hear that a receiver was dropped.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

fn batch(number: u32) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

/// One sender's batches come in the order sent.
pub async fn batches_arrive_in_order<B: Bus>(bus: B) {
    let node = NodeId::new("a");
    let mut inbox = bus.subscribe(&node).await.expect("reachable");
    for number in 0..100 {
        bus.publish(&node, batch(number)).await.expect("it receives");
    }
    for number in 0..100 {
        assert_eq!(inbox.recv().await, Some(batch(number)));
    }
}

/// A batch reaches the node it is addressed to, and no other.
pub async fn nodes_do_not_mix<B: Bus>(bus: B) {
    let [a, b] = ["a", "b"].map(NodeId::new);
    let mut inbox_a = bus.subscribe(&a).await.expect("reachable");
    let mut inbox_b = bus.subscribe(&b).await.expect("reachable");
    bus.publish(&a, batch(1)).await.expect("it receives");
    bus.publish(&b, batch(2)).await.expect("it receives");
    assert_eq!(inbox_a.recv().await, Some(batch(1)));
    assert_eq!(inbox_b.recv().await, Some(batch(2)));
}

/// A node that does not receive, or no longer does, is unreachable.
pub async fn nobody_receives_nothing<B: Bus>(bus: B) {
    let node = NodeId::new("a");
    let refused = bus.publish(&node, batch(1)).await.expect_err("nobody there");
    assert!(matches!(refused, BusError::Unreachable { .. }));
    drop(bus.subscribe(&node).await.expect("reachable"));
    // A bus between processes hears of it a moment later; until then batches are taken and lost.
    let deadline = Instant::now() + NOTICED_WITHIN;
    while !matches!(bus.publish(&node, batch(1)).await, Err(BusError::Unreachable { .. })) {
        assert!(Instant::now() < deadline, "nobody noticed that the receiver is gone");
    }
}

/// The newest receiver of a node gets its batches.
pub async fn a_second_subscription_ends_the_first<B: Bus>(bus: B) {
    let node = NodeId::new("a");
    let mut first = bus.subscribe(&node).await.expect("reachable");
    let mut second = bus.subscribe(&node).await.expect("reachable");
    bus.publish(&node, batch(1)).await.expect("it receives");
    assert_eq!(first.recv().await, None);
    assert_eq!(second.recv().await, Some(batch(1)));
}

/// A receiver that never reads costs a bounded queue; what was taken before still arrives.
pub async fn a_queue_is_bounded<B: Bus>(bus: B) {
    let node = NodeId::new("a");
    let mut inbox = bus.subscribe(&node).await.expect("reachable");
    let mut taken = 0;
    while bus.publish(&node, batch(taken)).await.is_ok() {
        taken += 1;
        assert!(taken < 1_000_000, "the queue has no end");
    }
    for number in 0..taken {
        assert_eq!(inbox.recv().await, Some(batch(number)));
    }
}
