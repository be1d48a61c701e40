//! Between a decoded frame and the log: who may do what (`access`), what content may be said
//! (`screen`), the proposals for the log (`propose`), and the routing of sessions (`desk`).
//!
//! Everything here is pure: callers pass states and the time, and get answers, proposals and the next
//! deadline. The edge loops and the HTTP API use the first three on a message's way, one desk task
//! per node the fourth.

pub mod access;
mod content;
pub mod desk;
pub mod propose;
mod rejection;
pub mod screen;

pub use rejection::Rejection;
