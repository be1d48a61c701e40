//! The pure heart of Frontdesk: ids, limits, rights, and the fold that turns the proposals of a
//! message log into numbered entries and session states.
//!
//! Nothing here does IO, reads a clock or knows a socket: callers pass `now` and get results, so the
//! same input gives the same output on every node and after every restart.

pub mod arena;
pub mod fold;
pub mod id;
pub mod limits;
pub mod rights;
pub mod secret;
pub mod times;

pub use id::partition_of;

/// The generated modules, nested as the proto packages are.
#[expect(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    clippy::large_enum_variant,
    reason = "generated; the proto files document it"
)]
mod generated {
    pub mod chat {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/frontdesk.chat.v1.rs"));
            include!(concat!(env!("OUT_DIR"), "/frontdesk.chat.v1.serde.rs"));
        }
    }
    pub mod store {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/frontdesk.store.v1.rs"));
        }
    }
}

/// Entries, sessions and session events: `proto/chat/v1`, on the wire and on disk alike.
pub use generated::chat::v1 as chat;
/// Log records and conversation states: `proto/store/v1`, on disk only.
pub use generated::store::v1 as store;
