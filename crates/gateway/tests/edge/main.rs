//! The edge over real sockets: front door, upgrade, loops. One test binary.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(clippy::print_stdout, reason = "figures are for whoever runs with --nocapture")]

mod autobahn;
mod client;
mod handshake;
mod idle;
mod lifetime;
mod messages;
mod server;
