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
            PollFd, PollFlags, Timespec,
            epoll::{self, CreateFlags, Event, EventData, EventFlags},
            poll,
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

        pub(crate) fn remove(&self, socket: impl AsFd) -> io::Result<()> {
            Ok(epoll::delete(&self.epoll, socket)?)
        }

        /// Waits at most `timeout` (without end if `None`) and writes what is ready to `ready`.
        pub(crate) fn wait(
            &mut self,
            ready: &mut Vec<Ready>,
            timeout: Option<Duration>,
        ) -> io::Result<()> {
            ready.clear();
            self.ready_now(ready)?;
            if !ready.is_empty() || timeout == Some(Duration::ZERO) {
                return Ok(());
            }
            let timeout = timeout.map(|timeout| Timespec {
                tv_sec: timeout.as_secs() as _,
                tv_nsec: timeout.subsec_nanos().into(),
            });
            // The wait of epoll is rounded up to milliseconds, a schedule's steps are shorter.
            let mut readable = [PollFd::new(&self.epoll, PollFlags::IN)];
            match poll(&mut readable, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => self.ready_now(ready),
                Err(error) => Err(error.into()),
            }
        }

        /// A busy generator finds something here, and has saved a call.
        fn ready_now(&mut self, ready: &mut Vec<Ready>) -> io::Result<()> {
            let at_once = Timespec::default();
            let count = match epoll::wait(&self.epoll, &mut self.events[..], Some(&at_once)) {
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

        pub(crate) fn remove(&self, _: impl AsFd) -> io::Result<()> {
            unsupported()
        }

        pub(crate) fn wait(&mut self, _: &mut Vec<Ready>, _: Option<Duration>) -> io::Result<()> {
            unsupported()
        }
    }
}

pub(crate) use system::Poller;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        os::unix::net::UnixStream,
        time::Instant,
    };

    use super::*;

    #[test]
    fn what_was_read_in_part_is_reported_again() {
        let (mut near, mut far) = UnixStream::pair().expect("a pair of sockets");
        let mut poller = Poller::new(8).expect("a poller");
        poller.add(&near, 7).expect("a socket");
        far.write_all(b"ab").expect("two bytes");
        let mut ready = Vec::new();
        for _ in 0..2 {
            poller.wait(&mut ready, Some(Duration::from_micros(300))).expect("a wait");
            let found: Vec<_> =
                ready.iter().map(|ready| (ready.key, ready.readable, ready.writable)).collect();
            assert_eq!(found, [(7, true, false)]);
            near.read_exact(&mut [0]).expect("one byte");
        }
        let started = Instant::now();
        poller.wait(&mut ready, Some(Duration::from_micros(300))).expect("a wait");
        assert!(ready.is_empty());
        assert!(started.elapsed() >= Duration::from_micros(300));
        poller.want_write(&near, 7, true).expect("a change");
        poller.wait(&mut ready, None).expect("a wait");
        assert!(ready[0].writable && !ready[0].readable);
        poller.remove(&near).expect("a change");
        poller.wait(&mut ready, Some(Duration::ZERO)).expect("a wait");
        assert!(ready.is_empty());
    }
}
