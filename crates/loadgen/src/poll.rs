//! Readiness of many sockets, level-triggered: a socket that was read only in part is reported again.
//!
//! epoll, so Linux. Elsewhere the crate builds and says that it cannot measure.

use std::{io, os::fd::AsFd, time::Duration};

/// A socket that is ready.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) key: u64,
    /// There is something to read, or the peer is gone.
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

#[cfg(target_os = "linux")]
mod system {
    use std::os::fd::OwnedFd;

    use rustix::{
        event::{
            Timespec,
            epoll::{self, CreateFlags, Event, EventData, EventFlags},
        },
        io::Errno,
    };

    use super::{AsFd, Duration, Ready, io};

    /// A set of sockets.
    pub(crate) struct Poller {
        epoll: OwnedFd,
        events: Vec<Event>,
    }

    impl std::fmt::Debug for Poller {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Poller").field("epoll", &self.epoll).finish_non_exhaustive()
        }
    }

    fn flags(writable: bool) -> EventFlags {
        if writable { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN }
    }

    impl Poller {
        /// `events_max`: how many a wait reports at most.
        pub(crate) fn new(events_max: usize) -> io::Result<Self> {
            let none = Event { flags: EventFlags::empty(), data: EventData::new_u64(0) };
            Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: vec![none; events_max] })
        }

        pub(crate) fn add(&self, socket: impl AsFd, key: u64) -> io::Result<()> {
            Ok(epoll::add(&self.epoll, socket, EventData::new_u64(key), flags(false))?)
        }

        /// Also reports, or no longer reports, that the socket takes bytes.
        pub(crate) fn want_write(&self, socket: impl AsFd, key: u64, on: bool) -> io::Result<()> {
            Ok(epoll::modify(&self.epoll, socket, EventData::new_u64(key), flags(on))?)
        }

        /// Waits at most `timeout` (without end if `None`) and writes what is ready to `ready`.
        pub(crate) fn wait(
            &mut self,
            ready: &mut Vec<Ready>,
            timeout: Option<Duration>,
        ) -> io::Result<()> {
            ready.clear();
            let timeout = timeout.map(|timeout| Timespec {
                tv_sec: timeout.as_secs() as _,
                tv_nsec: timeout.subsec_nanos().into(),
            });
            let count = match epoll::wait(&self.epoll, &mut self.events[..], timeout.as_ref()) {
                Ok(count) => count,
                Err(Errno::INTR) => 0,
                Err(error) => return Err(error.into()),
            };
            ready.extend(self.events[..count].iter().map(|event| {
                let flags = event.flags;
                let data = event.data;
                Ready {
                    key: data.u64(),
                    readable: flags.intersects(
                        EventFlags::IN | EventFlags::HUP | EventFlags::ERR | EventFlags::RDHUP,
                    ),
                    writable: flags.contains(EventFlags::OUT),
                }
            }));
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{AsFd, Duration, Ready, io};

    /// There is none here.
    #[derive(Debug)]
    pub(crate) struct Poller;

    fn unsupported<T>() -> io::Result<T> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "measuring needs epoll, that is Linux"))
    }

    impl Poller {
        pub(crate) fn new(_: usize) -> io::Result<Self> {
            unsupported()
        }

        pub(crate) fn add(&self, _: impl AsFd, _: u64) -> io::Result<()> {
            unsupported()
        }

        pub(crate) fn want_write(&self, _: impl AsFd, _: u64, _: bool) -> io::Result<()> {
            unsupported()
        }

        pub(crate) fn wait(&mut self, _: &mut Vec<Ready>, _: Option<Duration>) -> io::Result<()> {
            unsupported()
        }
    }
}

pub(crate) use system::Poller;
