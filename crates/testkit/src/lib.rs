//! Everything the integration tests drive the product with: the real binary, real sockets, real
//! files.
//!
//! ```text
//! TestServer ---- starts `frontdesk`, watches its log, kills and restarts it
//!   Http          requests as nobody, a user, an API key or a visitor
//!   TestVisitor   one visitor, step by step        TestAgent   one agent, step by step
//!   robot         visitors and agents by the dozen, which reconnect by themselves
//!   RawSocket     a socket in plain bytes          Swarm       hundreds of them on one thread
//!   ChaosProxy    a bad network between the two
//!   FakeLlm       a language model's endpoint, and all that can go wrong with one
//! Cluster ------- several of them on Kafka, Redis and MariaDB, behind a balancer
//!   Namespace     a network of its own for one of them, which can be cut
//!   Checker       nothing lost, doubled, out of order or invented
//! ```
//! Nothing here waits for a time to pass: everything waits for an event, with a limit ([`PATIENCE`]).
//! What has a clock is load and faults: a schedule of messages ([`pace`]), a random moment of a kill, a
//! client's wait before it connects again.
//! What goes wrong is a panic with the reason, because a panic is how a test says so.

pub mod agent;
pub mod balancer;
pub mod checker;
pub mod cluster;
pub mod http;
pub mod live;
pub mod llm;
pub mod namespace;
pub mod pace;
pub mod ports;
pub mod proxy;
pub mod raw;
pub mod rng;
pub mod robot;
pub mod server;
pub mod services;
pub mod socket;
pub mod swarm;
pub mod timeline;
pub mod visitor;

use std::time::Duration;

pub use agent::TestAgent;
pub use checker::{Checker, Recorder, Verdict};
pub use cluster::Cluster;
pub use http::Http;
pub use live::message_id;
pub use llm::FakeLlm;
pub use namespace::Namespace;
pub use proxy::ChaosProxy;
pub use raw::RawSocket;
pub use rng::Rng;
pub use robot::{Plan, Robot, Who};
pub use server::{Output, ServerBuilder, TestServer, run_to_end};
pub use socket::{Gone, Socket, SocketOptions};
pub use swarm::{Seen, Swarm};
pub use timeline::Timeline;
pub use visitor::TestVisitor;

/// How long anything may take that should take milliseconds. Machines that run tests are slow and
/// busy; this decides only how late a failure is reported.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that should happen soon.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    within(PATIENCE, what, future).await
}

/// Waits for something that has to happen in time.
pub async fn within<T>(limit: Duration, what: &str, future: impl Future<Output = T>) -> T {
    let value = tokio::time::timeout(limit, future).await;
    value.unwrap_or_else(|_| panic!("not within {limit:?}: {what}"))
}
