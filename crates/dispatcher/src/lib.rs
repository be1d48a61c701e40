//! Folds the message log of one edge loop and owns what follows from it.
//!
//! A turn stages proposals ([`Dispatcher::stage`]) and commits them with one sync
//! ([`Dispatcher::commit`]); what the fold made of each comes back in order, ready to be acked and
//! delivered. Behind that, off the message's way, folded batches go to the history
//! ([`HistoryWriter`]) and, as [`Summary`] rows, to the projections.

mod dispatch;
mod dispatchers;
mod error;
mod live;
pub mod projections;
mod recover;
mod summary;
mod writer;

pub use dispatch::{Committed, Dispatcher, DispatcherOptions, Overdue, Stored};
pub use dispatchers::{Dispatchers, EncodedState};
pub use error::DispatchError;
pub use frontdesk_storage::EntryWrite;
pub use live::Tail;
pub use recover::{Recovered, recover};
pub use summary::Summary;
pub use writer::{HistoryWriter, HistoryWrites};
