//! The edge over real sockets: front door, upgrade, loops. One test binary.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures are for whoever runs with --nocapture")]
#![expect(
    clippy::duplicate_mod,
    reason = "loom and shuttle each bring atomics of their own to one file"
)]

mod autobahn;
mod awake_loom;
mod awake_shuttle;
mod client;
mod handshake;
mod idle;
mod lifetime;
mod messages;
mod places;
mod server;
