//! The wire of `/ws/v1`: frames generated from `proto/wire/v1`, the codecs of both subprotocols and
//! the tables of error and close codes.

/// Frames: `proto/wire/v1`.
#[expect(missing_docs, clippy::pedantic, reason = "generated; the proto file documents it")]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/frontdesk.wire.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/frontdesk.wire.v1.serde.rs"));
}
