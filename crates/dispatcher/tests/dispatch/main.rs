//! The dispatcher over the real segment log and the real history, in temporary directories.

#![expect(clippy::unwrap_used, reason = "tests")]

mod failures;
mod late;
mod model;
mod node;
mod overdue;
mod owners;
mod random;
mod recovery;
mod turns;
