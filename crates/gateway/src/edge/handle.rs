//! How other threads reach a loop: a bounded inbox and a waker.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use mio::Waker;

use super::{EdgeMetrics, UpgradedSocket, awake::Awake};

/// What waits in the inbox of a loop.
pub(super) enum Inbound<C> {
    Socket(Box<UpgradedSocket>),
    Command(C),
}

/// Reaches one edge loop from any thread, never blocking.
pub struct LoopHandle<C> {
    shared: Arc<Shared<C>>,
}

struct Shared<C> {
    inbox: Sender<Inbound<C>>,
    waker: Waker,
    awake: Arc<Awake>,
    metrics: Arc<EdgeMetrics>,
}

impl<C> Drop for Shared<C> {
    fn drop(&mut self) {
        // The last handle is gone: the loop ends itself, if only it wakes up to see it.
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "edge loop could not be woken");
        }
    }
}

/// The loop did not take what was sent; here it is back.
pub enum Refused<T> {
    /// The inbox is full: the loop is overloaded.
    Full(T),
    /// The loop has ended.
    Stopped(T),
}

impl<C: Send + 'static> LoopHandle<C> {
    /// Sends a command.
    pub fn send(&self, command: C) -> Result<(), Refused<C>> {
        self.put(Inbound::Command(command)).map_err(|refused| {
            refused.map(|inbound| match inbound {
                Inbound::Command(command) => command,
                Inbound::Socket(_) => unreachable!("a command was put"),
            })
        })
    }

    /// Hands over a freshly upgraded socket. One that comes back is best ended with
    /// [`UpgradedSocket::refuse`].
    pub fn connect(&self, socket: UpgradedSocket) -> Result<(), Refused<Box<UpgradedSocket>>> {
        self.put(Inbound::Socket(Box::new(socket))).map_err(|refused| {
            refused.map(|inbound| match inbound {
                Inbound::Socket(socket) => socket,
                Inbound::Command(_) => unreachable!("a socket was put"),
            })
        })
    }

    /// The loop's counters.
    pub fn metrics(&self) -> &Arc<EdgeMetrics> {
        &self.shared.metrics
    }

    /// Things waiting in the inbox.
    pub fn backlog(&self) -> usize {
        self.shared.inbox.len()
    }

    fn put(&self, inbound: Inbound<C>) -> Result<(), Refused<Inbound<C>>> {
        match self.shared.inbox.try_send(inbound) {
            Ok(()) => {}
            Err(TrySendError::Full(back)) => return Err(Refused::Full(back)),
            Err(TrySendError::Disconnected(back)) => return Err(Refused::Stopped(back)),
        }
        if self.shared.awake.rouse()
            && let Err(error) = self.shared.waker.wake()
        {
            // Only a bad descriptor could cause this; the loop would still see the inbox at its
            // next turn.
            self.shared.awake.arm();
            tracing::error!(%error, "edge loop could not be woken");
        }
        Ok(())
    }
}

impl<C> Clone for LoopHandle<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C> fmt::Debug for LoopHandle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopHandle").field("backlog", &self.shared.inbox.len()).finish()
    }
}

impl<T> Refused<T> {
    /// What was not taken.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(inner) | Self::Stopped(inner) => inner,
        }
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Refused<U> {
        match self {
            Self::Full(inner) => Refused::Full(change(inner)),
            Self::Stopped(inner) => Refused::Stopped(change(inner)),
        }
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the edge loop's inbox is full",
            Self::Stopped(_) => "the edge loop has ended",
        })
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full",
            Self::Stopped(_) => "Stopped",
        })
    }
}

impl<T> std::error::Error for Refused<T> {}

/// The loop's end of the inbox.
pub(super) struct Inbox<C> {
    receiver: Receiver<Inbound<C>>,
    awake: Arc<Awake>,
    shared: Weak<Shared<C>>,
}

impl<C> Inbox<C> {
    /// Must be called before taking: sends from now on wake the loop again.
    pub(super) fn arm(&self) {
        self.awake.arm();
    }

    pub(super) fn take(&self) -> Option<Inbound<C>> {
        self.receiver.try_recv().ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }

    /// Whether all handles are gone: nobody can send anything any more.
    pub(super) fn is_orphan(&self) -> bool {
        self.shared.strong_count() == 0 && self.receiver.is_empty()
    }
}

pub(super) fn inbox<C>(
    capacity: usize,
    waker: Waker,
    metrics: Arc<EdgeMetrics>,
) -> (LoopHandle<C>, Inbox<C>) {
    let (sender, receiver) = bounded(capacity);
    let awake = Arc::new(Awake::default());
    let shared = Arc::new(Shared { inbox: sender, waker, awake: Arc::clone(&awake), metrics });
    let inbox = Inbox { receiver, awake, shared: Arc::downgrade(&shared) };
    (LoopHandle { shared }, inbox)
}
