//! Hundreds of sockets on one thread, as cheap for the machine as sockets can be: frames are cut and
//! handed over as bytes, nothing is decoded, nothing allocated per frame. What the server does with
//! many connections is measured then, and not what the test costs.
//!
//! A swarm is run turn by turn by the thread it lives on; between the turns that thread does what its
//! schedule says.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use socket2::SockRef;

use crate::{
    Gone, RawSocket,
    raw::{Raw, split},
};

const EVENTS_MAX: usize = 1_024;
const SCRATCH_BYTES: usize = 256 << 10;
/// A slow reader takes a little so often.
const SIP_EVERY: Duration = Duration::from_millis(125);

/// What came over a link.
#[derive(Debug)]
pub enum Seen<'a> {
    /// A message of the subprotocol.
    Message(&'a [u8]),
    /// The end of the connection; with a link of plain bytes also what had come before.
    End(Gone, &'a [u8]),
}

#[derive(Debug)]
struct Link {
    stream: TcpStream,
    /// Read and not handed over: less than a frame.
    unread: Vec<u8>,
    /// Not taken by the socket yet.
    unwritten: Vec<u8>,
    /// Whether frames are cut.
    frames: bool,
    /// The server's close frame.
    closed: Option<Gone>,
    ended: bool,
    /// Bytes of one sip of a slow reader and when the next is due.
    sips: Option<(usize, Instant)>,
}

/// See the module.
#[derive(Debug)]
pub struct Swarm {
    poll: Poll,
    events: Events,
    links: Vec<Link>,
    /// New ones, of which something may have been read before they came here.
    fresh: Vec<usize>,
    scratch: Vec<u8>,
}

impl Default for Swarm {
    fn default() -> Self {
        Self {
            poll: Poll::new().expect("a poll"),
            events: Events::with_capacity(EVENTS_MAX),
            links: Vec::new(),
            fresh: Vec::new(),
            scratch: vec![0; SCRATCH_BYTES],
        }
    }
}

impl Swarm {
    /// Takes a WebSocket; returns its number.
    pub fn add(&mut self, socket: RawSocket) -> usize {
        self.insert(socket, true, None)
    }

    /// Takes a connection that never got as far as a WebSocket.
    pub fn add_plain(&mut self, socket: RawSocket) -> usize {
        self.insert(socket, false, None)
    }

    /// Takes a WebSocket that is read at this rate, until [`Self::hurry`].
    pub fn add_slow(&mut self, socket: RawSocket, bytes_per_s: usize) -> usize {
        let sips_per_s = usize::try_from(1_000 / SIP_EVERY.as_millis()).expect("a few a second");
        self.insert(socket, true, Some((bytes_per_s / sips_per_s, Instant::now())))
    }

    fn insert(&mut self, socket: RawSocket, frames: bool, sips: Option<(usize, Instant)>) -> usize {
        let RawSocket { stream, unread } = socket;
        stream.set_nonblocking(true).expect("an open socket");
        let mut stream = TcpStream::from_std(stream);
        let number = self.links.len();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(number), interest).expect("a place");
        let unwritten = Vec::new();
        let (closed, ended) = (None, false);
        self.links.push(Link { stream, unread, unwritten, frames, closed, ended, sips });
        self.fresh.push(number);
        number
    }

    /// Loses the newest link as a network does.
    pub fn lose_newest(&mut self) {
        self.links.pop().expect("there is one");
        self.fresh.retain(|number| *number < self.links.len());
    }

    /// Lets a slow reader read as fast as it can from now on.
    pub fn hurry(&mut self, number: usize, each: impl FnMut(usize, Seen<'_>)) {
        let link = &mut self.links[number];
        link.sips = None;
        SockRef::from(&link.stream).set_recv_buffer_size(1 << 20).expect("an open socket");
        link.drain(&mut self.scratch, usize::MAX, number, each);
    }

    /// Sends bytes, or as much of them as the socket takes; the rest follows by itself.
    pub fn write(&mut self, number: usize, bytes: &[u8]) {
        let link = &mut self.links[number];
        if link.unwritten.is_empty() {
            let taken = link.write_some(bytes);
            link.unwritten.extend_from_slice(&bytes[taken..]);
        } else {
            link.unwritten.extend_from_slice(bytes);
        }
    }

    /// Bytes that wait for a socket to take them.
    pub fn unwritten(&self, number: usize) -> usize {
        self.links[number].unwritten.len()
    }

    /// Serves the sockets until something came or it is time, and hands over what came.
    pub fn turn(&mut self, until: Instant, mut each: impl FnMut(usize, Seen<'_>)) {
        for number in self.fresh.drain(..) {
            self.links[number].take(&[], number, &mut each);
        }
        let sip = self.links.iter().filter_map(|link| link.sips).map(|(_, due)| due).min();
        let until = sip.map_or(until, |sip| sip.min(until));
        let wait = until.saturating_duration_since(Instant::now());
        match self.poll.poll(&mut self.events, Some(wait)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            Err(error) => panic!("no events: {error}"),
        }
        for event in &self.events {
            let number = event.token().0;
            let link = &mut self.links[number];
            if event.is_writable() && !link.unwritten.is_empty() {
                let bytes = std::mem::take(&mut link.unwritten);
                let taken = link.write_some(&bytes);
                link.unwritten.extend_from_slice(&bytes[taken..]);
            }
            if link.sips.is_none() && (event.is_readable() || event.is_read_closed()) {
                link.drain(&mut self.scratch, usize::MAX, number, &mut each);
            }
        }
        if sip.is_some() {
            let now = Instant::now();
            for (number, link) in self.links.iter_mut().enumerate() {
                if let Some((bytes, due)) = link.sips
                    && due <= now
                {
                    link.sips = Some((bytes, now + SIP_EVERY));
                    link.drain(&mut self.scratch, bytes, number, &mut each);
                }
            }
        }
    }
}

impl Link {
    /// Reads at most `most` bytes and hands over what is whole.
    fn drain(
        &mut self,
        scratch: &mut [u8],
        most: usize,
        number: usize,
        mut each: impl FnMut(usize, Seen<'_>),
    ) {
        let mut left = most;
        while left > 0 && !self.ended {
            let room = scratch.len().min(left);
            match self.stream.read(&mut scratch[..room]) {
                Ok(0) => self.end(number, &mut each),
                Ok(count) => {
                    left -= count;
                    self.take(&scratch[..count], number, &mut each);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.end(number, &mut each),
            }
        }
    }

    fn take(&mut self, came: &[u8], number: usize, mut each: impl FnMut(usize, Seen<'_>)) {
        if !self.frames {
            self.unread.extend_from_slice(came);
            return;
        }
        // Mostly whole frames come, and are handed over where they lie.
        let kept = std::mem::take(&mut self.unread);
        let joined;
        let mut rest = if kept.is_empty() {
            came
        } else {
            joined = [&kept[..], came].concat();
            &joined
        };
        while let Some((frame, used)) = split(rest) {
            match frame {
                Raw::Message(payload) => each(number, Seen::Message(payload)),
                Raw::Close(gone) => self.closed = Some(gone),
                Raw::Control => {}
            }
            rest = &rest[used..];
        }
        self.unread = rest.to_vec();
        if self.closed.is_some() {
            // A close frame of the same code back, and the connection is over.
            self.end(number, &mut each);
        }
    }

    fn end(&mut self, number: usize, mut each: impl FnMut(usize, Seen<'_>)) {
        self.ended = true;
        let gone = self.closed.clone().unwrap_or(Gone::Lost);
        let answer = [&[0x88, 0x82, 0, 0, 0, 0][..], &gone.code().to_be_bytes()].concat();
        if self.closed.is_some() {
            // The server may have gone first.
            self.stream.write(&answer).map(drop).unwrap_or_default();
        }
        each(number, Seen::End(gone, &self.unread));
    }

    /// Writes until the socket takes no more; returns how much it took.
    fn write_some(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            match self.stream.write(&bytes[taken..]) {
                Ok(count) => taken += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Reading says how the connection ended.
                Err(error) if is_end(&error) => return bytes.len(),
                Err(error) => panic!("a socket takes nothing: {error}"),
            }
        }
        taken
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}
