//! Storage of a cluster: what stands behind the seams where several nodes serve one installation.
//!
//! - [`KafkaLog`] and [`KafkaTail`]: the log of one partition of a topic in Kafka, for who appends and for who
//!   reads along; [`KafkaProducer`] is what all logs of a node append by; [`ensure_topic`] makes and checks the topic.
//! - [`KafkaGroup`]: which node owns which partition; [`KafkaBoard`]: what nodes tell all others, each second.
//! - [`RedisDirectory`]: claims, values, locations and shared limits in Redis.
//! - [`RedisBus`]: batches addressed to a node, in a list in Redis for each subscription; [`KafkaBus`]: the same in
//!   Kafka; [`EitherBus`]: by Redis as long as that works, by Kafka meanwhile.
//! - [`MySqlHistory`]: what happened in conversations, in several MySQL or MariaDB databases.
//! - [`Spool`]: what was said while Kafka is away, on the node's own disk.
//!
//! # Kafka
//! Kafka 4.1, on a private network: the connection is not encrypted. What is acknowledged is in the
//! memory of as many brokers as `min.insync.replicas` says. Records are removed by [`KafkaLog`]'s `trim` only.
//!
//! # Redis
//! Nothing in Redis may be something that must not be lost. While it is away every call fails at once
//! and says so; when it is back, flushed or restarted empty, calls work again by themselves.
//!
//! It takes one Redis, 7.0 or newer, at one address: a single one, or the primary of a replicated one
//! behind an address that follows it; not the sharding of Redis Cluster, since scripts reach keys
//! that they find in other keys. The connection is not encrypted: it belongs on a private network.
//!
//! # Keys
//! All begin with `frontdesk:` and the installation's id, and end by themselves:
//!
//! | Key | Holds |
//! |---|---|
//! | `claim:KEY` | nothing; that it is there is the claim |
//! | `value:KEY` | a value |
//! | `user:USER` | sorted set: nodes by the end of their lease |
//! | `limit:BUCKET` | when the bucket's next one is due (GCRA) |
//! | `bus:node:NODE` | hash: token of the node's subscription, since when, bytes in its queue |
//! | `bus:queue:TOKEN` | list: batches of a subscription |
//! | `bus:end:TOKEN` | list: not empty once another subscription has taken its place |

mod bus;
mod directory;
mod either;
mod kafka;
mod link;
mod mysql;
mod spool;

pub use bus::{BusOptions, RedisBus};
pub use directory::RedisDirectory;
pub use either::EitherBus;
pub use kafka::{
    BoardError, GroupEvent, Handover, KafkaBoard, KafkaBus, KafkaGroup, KafkaLog, KafkaOptions,
    KafkaProducer, KafkaTail, NodeNumber, Notice, Notify, TopicError, ensure_topic,
};
pub use link::{RedisError, RedisOptions};
pub use mysql::{
    Changed, MoveError, MoveStep, MySqlHistory, MySqlOpenError, MySqlOptions, PartitionMove,
    Progress, Watch,
};
pub use spool::{Spool, SpoolError};
