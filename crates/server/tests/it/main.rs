//! The product as a whole: the real binary, real sockets, real files. One test binary, a module for
//! each feature; tests of reliability.md and security.md are named after their ids.

mod chat;

/// The binary under test.
pub(crate) const FRONTDESK: &str = env!("CARGO_BIN_EXE_frontdesk");
