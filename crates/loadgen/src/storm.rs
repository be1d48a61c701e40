//! Many handshakes at a time on one thread: connect, upgrade, hello, welcome.

use std::time::{Duration, Instant};

use frontdesk_protocol::{
    Encoding,
    wire::{self, client_frame, server_frame},
};
use prost::Message as _;

use crate::{
    error::{Error, io},
    histogram::Latencies,
    http::Base,
    link::{Link, Peer},
    poll::Poller,
    product::random,
    progress::Progress,
    source::Sources,
    websocket::{self, Keys},
};

/// How long all of them may take.
const TIMEOUT: Duration = Duration::from_mins(2);
const SCRATCH_BYTES: usize = 64 << 10;

/// Somebody before the door.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) peer: Peer,
    pub(crate) hello: wire::Hello,
}

/// Everybody who came in, in the order of the guests.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) links: Vec<Link>,
    pub(crate) welcomes: Vec<wire::Welcome>,
    /// From the connect to the welcome.
    pub(crate) took: Latencies,
    /// From the beginning of the storm to the welcome.
    pub(crate) since_start: Latencies,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Upgrading,
    Greeting,
    In,
}

/// Lets everybody in, at most `at_once` of them on their way at a time.
pub(crate) fn storm(base: &Base, guests: Vec<Guest>, at_once: usize) -> Result<Entered, Error> {
    let path = format!("{}/ws/v1", base.prefix);
    let nonce = u128::from(random()?).to_be_bytes();
    let request = websocket::request(&base.authority, &path, nonce, Encoding::Proto.subprotocol());
    let mut keys = Keys::new(random()?);
    let mut poller = Poller::new(1_024).map_err(io("poll"))?;
    let (count, sources) = (guests.len(), Sources::fresh()?);
    let mut hellos = Vec::with_capacity(count);
    let mut guests = guests.into_iter();
    let mut stages: Vec<(Stage, Instant)> = Vec::with_capacity(count);
    let mut entered = Entered {
        links: Vec::with_capacity(count),
        welcomes: vec![wire::Welcome::default(); count],
        took: Latencies::new(),
        since_start: Latencies::new(),
    };
    let (mut scratch, mut ready) = (vec![0; SCRATCH_BYTES], Vec::new());
    let (mut inside, started) = (0, Instant::now());
    let mut progress = Progress::new();
    while inside < count {
        while entered.links.len() - inside < at_once
            && let Some(guest) = guests.next()
        {
            let key = entered.links.len() as u64;
            let began = Instant::now();
            let stream = base.over(sources.connect(base.address, key as u32)?)?;
            let mut link = Link::new(guest.peer, stream, Vec::new())?;
            link.register(&poller, key)?;
            link.send(&poller, key, &request)?;
            entered.links.push(link);
            hellos.push(guest.hello);
            stages.push((Stage::Upgrading, began));
        }
        progress.tell(|| format!("{inside} of {count} connections"));
        let left = TIMEOUT.saturating_sub(started.elapsed());
        if left.is_zero() {
            let what = format!("{} welcomes", count - inside);
            return Err(Error::Timeout { what, seconds: TIMEOUT.as_secs() });
        }
        poller.wait(&mut ready, Some(left)).map_err(io("poll"))?;
        for event in &ready {
            let index = event.key as usize;
            let link = &mut entered.links[index];
            if event.writable {
                link.flush(&poller, event.key)?;
            }
            if !event.readable {
                continue;
            }
            let (peer, before) = (link.peer, stages[index].0);
            let (mut stage, mut out, mut welcome) = (before, Vec::new(), None);
            link.receive(&poller, event.key, &mut scratch, |bytes| {
                let mut used = 0;
                if stage == Stage::Upgrading {
                    let Some(end) = websocket::answer(bytes)? else { return Ok(0) };
                    used = end;
                    stage = Stage::Greeting;
                    let frame = client_frame::Frame::Hello(std::mem::take(&mut hellos[index]));
                    let hello = wire::ClientFrame { r#ref: 1, frame: Some(frame) };
                    let payload = hello.encode_to_vec();
                    websocket::write(websocket::BINARY, &payload, keys.next(), &mut out);
                }
                // What comes behind the welcome stays for whoever takes the connection.
                while stage == Stage::Greeting
                    && let Some(frame) = websocket::read(&bytes[used..])?
                {
                    used += frame.bytes;
                    welcome = greeted(peer, &frame)?;
                    if welcome.is_some() {
                        stage = Stage::In;
                    }
                }
                Ok(used)
            })?;
            if !out.is_empty() {
                link.send(&poller, event.key, &out)?;
            }
            stages[index].0 = stage;
            if let Some(welcome) = welcome {
                entered.welcomes[index] = welcome;
                inside += 1;
                let ns = |time: Duration| time.as_nanos() as u64;
                entered.took.record_ns(ns(stages[index].1.elapsed()));
                entered.since_start.record_ns(ns(started.elapsed()));
            }
        }
    }
    Ok(entered)
}

fn greeted(peer: Peer, frame: &websocket::Frame<'_>) -> Result<Option<wire::Welcome>, Error> {
    let Some(message) = frame.message(peer)? else { return Ok(None) };
    let frame = wire::ServerFrame::decode(message)
        .map_err(|_| Error::Malformed { what: "a server frame" })?;
    match frame.frame {
        Some(server_frame::Frame::Welcome(welcome)) => Ok(Some(*welcome)),
        Some(server_frame::Frame::Error(error)) => {
            Err(Error::Refused { what: "a connection", code: error.code })
        }
        _ => Ok(None),
    }
}
