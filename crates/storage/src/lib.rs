//! The four seams behind which a back end lives: [`MessageLog`], [`History`], [`Directory`], [`Bus`].
//!
//! A message passes here twice: the edge loop appends its proposal to the log (the commit point),
//! and the history thread applies what the dispatcher folded from it. The guarantees of each
//! method are written on the method, and [`conformance`] checks them for every back end; only the
//! `server` crate names one.

pub mod background;
mod bus;
pub mod conformance;
mod directory;
mod error;
mod history;
mod log;

pub use bus::Bus;
pub use directory::{Admission, Directory, NodeId, Quota};
pub use error::{BusError, DirectoryError, HistoryError, LogError};
pub use history::{Batch, ConversationWrite, EntryWrite, History, MessageKey, Sent};
pub use log::{Begun, MessageLog, Offset, Record, Visit};
