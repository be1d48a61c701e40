//! The wire of `/ws/v1`: frames generated from `proto/wire/v1`, the codecs of both subprotocols, the
//! tables of error codes, close codes and system texts, and the text of `docs/events.md`.
//!
//! Golden vectors for other implementations lie in `vectors/`; a test here and one in
//! `web/packages/protocol` read the same files.

pub mod close;
mod codec;
pub mod codes;
mod encoded;
mod entry_frame;
mod events;
mod tables;
pub mod texts;

/// Frames: `proto/wire/v1`.
#[expect(
    missing_docs,
    clippy::pedantic,
    clippy::large_enum_variant,
    reason = "generated; the proto file documents it"
)]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/frontdesk.wire.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/frontdesk.wire.v1.serde.rs"));
}

pub use codec::{
    DecodeError, EncodeError, Encoding, decode_client, decode_server, encode_client, encode_server,
};
pub use encoded::Encoded;
pub use entry_frame::EntryFrame;
pub use events::events_markdown;
pub use tables::document_tables;
