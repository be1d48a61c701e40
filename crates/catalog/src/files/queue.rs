//! Writes about files that come at the same time share one transaction and one sync.
//!
//! An upload writes twice, and a sync costs as much as all the rest of it. So whoever writes about a file
//! puts the change into a bounded queue and waits; one task takes all that wait, decides them in the order
//! they came ([`super::batch`]), commits once and tells each its result. A change that is refused leaves
//! the others alone; a commit that fails fails them all.
//!
//! Whoever goes away while waiting changes nothing: the change is made, and one that takes it back comes
//! after it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::batch::{self, Change, Made};
use super::{FileState, StoredFile};
use crate::error::Error;
use crate::kept::Kept;
use crate::store::Store;

/// Changes that wait. Each is an upload at its begin or its end.
const WAITING_MAX: usize = 1_024;
/// Changes that share a commit: a larger batch saves nothing more and makes its first change wait.
const BATCH_MAX: usize = 256;
/// How long a change waits for a place in the queue.
const WAIT: Duration = Duration::from_secs(10);

/// The way to the task that writes.
#[derive(Debug)]
pub(crate) struct FileQueue {
    changes: mpsc::Sender<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    change: Change,
    result: oneshot::Sender<Result<Made, Error>>,
}

impl FileQueue {
    /// Starts the task; it ends with the queue.
    pub(crate) fn start(store: Arc<Store>, kept: Arc<Kept>) -> Self {
        let (changes, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(work(store, kept, waiting));
        Self { changes }
    }

    /// Makes a change; returns once it survives power loss.
    pub(super) async fn make(&self, change: Change) -> Result<Made, Error> {
        // The task is gone only where it panicked or its runtime has ended.
        let ended =
            || Error::Sql { operation: "write about files", source: sqlx::Error::WorkerCrashed };
        let (result, made) = oneshot::channel();
        self.changes.send_timeout(Waiting { change, result }, WAIT).await.map_err(|error| {
            match error {
                mpsc::error::SendTimeoutError::Timeout(_) => Error::Overloaded,
                mpsc::error::SendTimeoutError::Closed(_) => ended(),
            }
        })?;
        made.await.map_err(|_| ended())?
    }
}

async fn work(store: Arc<Store>, kept: Arc<Kept>, mut waiting: mpsc::Receiver<Waiting>) {
    let mut taken = Vec::with_capacity(BATCH_MAX);
    while waiting.recv_many(&mut taken, BATCH_MAX).await > 0 {
        let (changes, results): (Vec<_>, Vec<_>) =
            taken.drain(..).map(|waiting| (waiting.change, waiting.result)).unzip();
        match batch::commit(&store, changes).await {
            Ok(made) => {
                made.iter().flatten().for_each(|(file, _)| keep(&kept, file));
                for (result, made) in results.into_iter().zip(made) {
                    // Whoever went away does not want to know.
                    drop(result.send(made));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for result in results {
                    drop(result.send(Err(Error::Batch { source: Arc::clone(&error) })));
                }
            }
        }
    }
}

/// A file that was just stored is named by a message soon. One that goes is known no longer, before whoever
/// let it go hears that it is gone.
fn keep(kept: &Kept, file: &StoredFile) {
    match file.state {
        FileState::Stored => kept.files.insert(file.id.clone(), file.clone()),
        FileState::Uploading => {}
        FileState::Removing | FileState::Deleted => kept.files.remove(&file.id),
    }
}
