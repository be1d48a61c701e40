//! Storage on one machine, without any other service: what `frontdesk serve` uses by default.
//!
//! - [`SegmentLog`]: the message log of one edge loop, the commit point of every message.
//! - [`EmbeddedHistory`]: conversations behind the log, on an [`engine`]: an LSM tree.
//! - [`InProcessDirectory`] and [`InProcessBus`]: in memory; lost with the process, as they may be.
//! - [`doctor`]: checks what lies on disk, without starting anything.
//!
//! Damage is detected and named, never served around: a log or history that cannot be shown to be
//! whole refuses to open. [`check_continuity`] proves on start that log and history meet.

mod bus;
mod continuity;
mod directory;
mod dirs;
pub mod doctor;
pub mod engine;
pub mod failpoint;
mod history;
mod log;
mod space;

pub use bus::InProcessBus;
pub use continuity::check_continuity;
pub use directory::{DirectoryOptions, InProcessDirectory};
pub use engine::Engine;
pub use history::{EmbeddedHistory, HistoryOptions};
pub use log::{Durability, LogOptions, SegmentLog};
pub use space::{DiskSpace, Reserve};
