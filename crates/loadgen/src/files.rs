//! The scenario `files`: visitors upload files by the HTTP API and send messages that name them. Each
//! visitor has one file on its way: upload, its answer, message, its ack, the next. Beside it the floor:
//! a bare loop that writes the same bytes into a new file each and syncs it.

use std::{
    collections::HashMap,
    io::Write as _,
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

use frontdesk_core::chat::{self, content, entry, timeline_item};
use frontdesk_protocol::wire::{self, client_frame, server_frame};
use serde::Serialize;

use crate::{
    cpu::Process,
    descriptors,
    error::{Error, io},
    histogram::Latencies,
    http::{self, Base},
    launch::Server,
    link::{Link, Peer},
    meter::{Cost, Meter},
    poll::Poller,
    product::{Cast, Product, decode, split},
    progress::Progress,
    report::{CostReport, Counts, Latency},
    source::Sources,
    text::{Placement, place},
    tracker::Tracker,
};

const SCRATCH_BYTES: usize = 64 << 10;

/// What to run.
#[derive(Debug, Clone)]
pub struct FilesOptions {
    /// Who uploads.
    pub visitors: u32,
    /// Who gets the messages.
    pub agents: u32,
    /// Bytes of a file.
    pub file_bytes: usize,
    /// Time before measuring.
    pub warm_up: Duration,
    /// Measured time.
    pub measured: Duration,
    /// How long the last deliveries may take before they count as lost.
    pub drain_max: Duration,
    /// Cores.
    pub placement: Placement,
}

impl FilesOptions {
    /// The published shape: 200 visitors, 20 agents, 16 KiB.
    pub fn new(measured: Duration) -> Self {
        Self {
            visitors: 200,
            agents: 20,
            file_bytes: 16 << 10,
            warm_up: Duration::from_secs(1),
            measured,
            drain_max: Duration::from_secs(10),
            placement: Placement::Pinned,
        }
    }
}

/// What was found, as `--json` prints it.
///
/// `offered` to `delivered` count files whose upload began within the measured time. Loss and disorder
/// count over the whole run. Latencies count from the upload's first byte.
#[derive(Debug, Clone, Serialize)]
pub struct FilesReport {
    /// `files`.
    pub scenario: &'static str,
    /// Who uploads.
    pub visitors: u32,
    /// Who gets the messages.
    pub agents: u32,
    /// Bytes of a file.
    pub file_bytes: usize,
    /// Measured time.
    pub seconds: f64,
    /// What became of the files: `offered` are uploads that were begun, `accepted` files that were stored,
    /// `acked` those whose message the server acked.
    #[serde(flatten)]
    pub counts: Counts,
    /// Acks that came within the measured time, per second.
    pub acked_per_s: f64,
    /// To the answer of the upload: the file is stored.
    pub upload: Latency,
    /// To the message's ack.
    pub ack: Latency,
    /// To the arrival at the agent.
    pub delivery: Latency,
    /// What it cost.
    #[serde(flatten)]
    pub cost: CostReport,
    /// The bare loop on the same disk, before the run.
    pub floor: FilesFloor,
}

/// A bare loop that writes and syncs.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct FilesFloor {
    /// Files per second, one after the other.
    pub files_per_s: f64,
    /// Of one file.
    pub write: Latency,
}

impl FilesReport {
    /// Nothing was lost, doubled or out of order.
    pub fn is_clean(&self) -> bool {
        self.counts.is_clean()
    }
}

/// Writes and syncs files one after the other, each a new one.
fn floor(dir: &Path, options: &FilesOptions) -> Result<FilesFloor, Error> {
    let (mut took, began) = (Latencies::new(), Instant::now());
    let mut count = 0_u64;
    while began.elapsed() < options.measured {
        let at = Instant::now();
        let mut file =
            std::fs::File::create(dir.join(count.to_string())).map_err(io("create a file"))?;
        file.write_all(&bytes_of(count, options.file_bytes)).map_err(io("write a file"))?;
        file.sync_all().map_err(io("sync a file"))?;
        took.record_ns(at.elapsed().as_nanos() as u64);
        count += 1;
    }
    let files_per_s = count as f64 / began.elapsed().as_secs_f64();
    Ok(FilesFloor { files_per_s, write: took.summary() })
}

/// The address an upload was forwarded for: the server allows each of them 60 a minute.
pub(crate) fn forwarded_for(visitor: u64, number: u64) -> Ipv4Addr {
    let place = visitor.wrapping_mul(1 << 12).wrapping_add(number / 30);
    let [.., b, c, d] = (place as u32).to_be_bytes();
    Ipv4Addr::new(10, b, c, d)
}

/// Text without sense, different for each file.
pub(crate) fn bytes_of(number: u64, count: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes().map(|byte| b'a' + (byte & 15))
    };
    let mut bytes: Vec<u8> =
        std::iter::repeat_with(word).take(count.div_ceil(8)).flatten().collect();
    bytes.truncate(count);
    bytes
}

/// Runs the floor, then the product.
pub fn files(options: &FilesOptions, server: &Server) -> Result<FilesReport, Error> {
    let access = server.product("only the product takes files")?;
    if options.visitors == 0 || options.agents == 0 || options.measured.is_zero() {
        return Err(Error::Options("a run needs visitors, agents and time"));
    }
    // Each visitor has one for chat and one for uploads.
    descriptors::check(options.visitors.saturating_mul(2).saturating_add(options.agents))?;
    let dir = server.dir().ok_or(Error::Options("files need the disk of the server"))?;
    // Its files stay until the end: where a thousand files have just been removed, ext4 looks long for
    // an inode that it may use again.
    let scratch = tempfile::tempdir_in(dir).map_err(io("make a temporary directory"))?;
    let floor = floor(scratch.path(), options)?;
    let process = Process::new(server.pid);
    let pinned = place(options.placement, process);
    let (product, cast) = Product::connect(access, options.visitors, options.agents, 200)?;
    let base = Base::of(access)?;
    let (cost, run) = Run::new(options, product, cast, &base, process)?.run()?;
    let void_reason = cost.void_reason(pinned.is_some());
    let faults = |uploader: &Uploader| {
        let unacked = u64::from(uploader.stage != Stage::Done);
        uploader.seen.faults(uploader.seen.missing(uploader.number).max(unacked))
    };
    Ok(FilesReport {
        scenario: "files",
        visitors: options.visitors,
        agents: options.agents,
        file_bytes: options.file_bytes,
        seconds: cost.seconds,
        counts: Counts {
            offered: run.offered,
            accepted: run.accepted,
            acked: run.acked,
            delivered: run.delivered,
            faults: run.uploaders.iter().map(faults).sum(),
            // One that is refused ends the run.
            refused: 0,
        },
        acked_per_s: run.acks_in_time as f64 / cost.seconds,
        upload: run.upload.summary(),
        ack: run.ack.summary(),
        delivery: run.delivery.summary(),
        cost: cost.report(run.acks_in_time, process.rss_bytes(), pinned.is_some(), void_reason),
        floor,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Uploading,
    Sending,
    /// Acked, and nothing begun since.
    Done,
}

/// A visitor with its HTTP connection.
#[derive(Debug)]
struct Uploader {
    http: Link,
    /// Of the request, up to the address it was forwarded for.
    head: String,
    stage: Stage,
    number: u64,
    began: Instant,
    seen: Tracker,
}

struct Run<'a> {
    options: &'a FilesOptions,
    product: Product,
    process: Process,
    poller: Poller,
    /// Sockets of visitors and agents; keys behind them are HTTP connections of visitors.
    links: Vec<Link>,
    uploaders: Vec<Uploader>,
    /// Whose file it is, its number and when its upload began.
    sent: HashMap<String, (u32, u64, Instant)>,
    measured_from: Option<Instant>,
    measured_to: Option<Instant>,
    offered: u64,
    accepted: u64,
    acked: u64,
    acks_in_time: u64,
    delivered: u64,
    upload: Latencies,
    ack: Latencies,
    delivery: Latencies,
}

impl<'a> Run<'a> {
    fn new(
        options: &'a FilesOptions,
        product: Product,
        cast: Cast,
        base: &Base,
        process: Process,
    ) -> Result<Self, Error> {
        let poller = Poller::new(1_024).map_err(io("poll"))?;
        for (key, link) in cast.links.iter().enumerate() {
            link.register(&poller, key as u64)?;
        }
        let (mut uploaders, sources) = (Vec::new(), Sources::fresh()?);
        for (index, visitor) in (0_u32..).zip(&cast.visitors) {
            let stream = base.over(sources.connect(base.address, index)?)?;
            let http = Link::new(Peer::Visitor(index), stream, Vec::new())?;
            http.register(&poller, cast.links.len() as u64 + u64::from(index))?;
            let head = format!(
                "POST {}/api/v1/conversations/{}/uploads?name=bench.txt HTTP/1.1\r\nHost: {}\r\n\
                 Authorization: Visitor {}\r\nContent-Type: text/plain\r\n\
                 Content-Length: {}\r\nX-Forwarded-For: ",
                base.prefix,
                visitor.conversation,
                base.authority,
                visitor.visitor_token,
                options.file_bytes
            );
            let (stage, began, seen) = (Stage::Done, Instant::now(), Tracker::default());
            uploaders.push(Uploader { http, head, stage, number: 0, began, seen });
        }
        Ok(Self {
            options,
            product,
            process,
            poller,
            links: cast.links,
            uploaders,
            sent: HashMap::new(),
            measured_from: None,
            measured_to: None,
            offered: 0,
            accepted: 0,
            acked: 0,
            acks_in_time: 0,
            delivered: 0,
            upload: Latencies::new(),
            ack: Latencies::new(),
            delivery: Latencies::new(),
        })
    }

    fn run(mut self) -> Result<(Cost, Self), Error> {
        let (mut scratch, mut ready) = (vec![0; SCRATCH_BYTES], Vec::new());
        for index in 0..self.links.len() {
            self.socket(index, None)?;
        }
        let started = Instant::now();
        for uploader in 0..self.uploaders.len() {
            self.begin(uploader)?;
        }
        let mut progress = Progress::new();
        let mut meter = None::<Meter>;
        let mut cost = None::<Cost>;
        let drained = self.options.warm_up + self.options.measured + self.options.drain_max;
        loop {
            if meter.is_none() && started.elapsed() >= self.options.warm_up {
                meter = Some(Meter::start(self.process));
                self.measured_from = Some(Instant::now());
            }
            if cost.is_none() {
                let read = meter.as_ref().map(Meter::read);
                cost = read.filter(|read| read.seconds >= self.options.measured.as_secs_f64());
                self.measured_to = cost.map(|_| Instant::now());
            }
            if let Some(cost) = cost
                && (self.is_done() || started.elapsed() >= drained)
            {
                return Ok((cost, self));
            }
            progress.tell(|| format!("{} files acked", self.acked));
            self.poller.wait(&mut ready, Some(Duration::from_millis(10))).map_err(io("poll"))?;
            for event in &ready {
                let index = event.key as usize;
                let http = index.checked_sub(self.links.len());
                if event.writable {
                    let link = match http {
                        Some(uploader) => &mut self.uploaders[uploader].http,
                        None => &mut self.links[index],
                    };
                    link.flush(&self.poller, event.key)?;
                }
                if event.readable {
                    match http {
                        Some(uploader) => self.answered(uploader, &mut scratch)?,
                        None => self.socket(index, Some(&mut scratch))?,
                    }
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        let quiet = |uploader: &Uploader| {
            uploader.stage == Stage::Done && uploader.seen.missing(uploader.number) == 0
        };
        self.uploaders.iter().all(quiet)
    }

    /// Of something that began then.
    fn is_measured(&self, began: Instant) -> bool {
        self.measured_from.is_some_and(|from| began >= from)
            && self.measured_to.is_none_or(|to| began < to)
    }

    fn begin(&mut self, index: usize) -> Result<(), Error> {
        let key = (self.links.len() + index) as u64;
        let uploader = &mut self.uploaders[index];
        uploader.number += 1;
        uploader.began = Instant::now();
        uploader.stage = Stage::Uploading;
        let number = (index as u64) << 32 | uploader.number;
        let from = forwarded_for(index as u64, uploader.number);
        let mut request = format!("{}{from}\r\n\r\n", uploader.head).into_bytes();
        request.extend(bytes_of(number, self.options.file_bytes));
        uploader.http.send(&self.poller, key, &request)?;
        let began = uploader.began;
        self.offered += u64::from(self.is_measured(began));
        Ok(())
    }

    /// The file is stored: its message goes.
    fn answered(&mut self, index: usize, scratch: &mut [u8]) -> Result<(), Error> {
        let mut body = None;
        let key = (self.links.len() + index) as u64;
        self.uploaders[index].http.receive(&self.poller, key, scratch, |bytes| {
            let Some(answer) = http::whole_answer(bytes)? else { return Ok(0) };
            if answer.status / 100 != 2 {
                let code = String::from_utf8_lossy(&bytes[answer.body]).into_owned();
                let path = "an upload".to_owned();
                return Err(Error::Http { method: "POST", path, status: answer.status, code });
            }
            let used = answer.body.end;
            body = Some(bytes[answer.body].to_vec());
            Ok(used)
        })?;
        let Some(body) = body else { return Ok(()) };
        let id = http::file_id(&body)?;
        let uploader = &mut self.uploaders[index];
        let (began, number) = (uploader.began, uploader.number);
        uploader.stage = Stage::Sending;
        if self.is_measured(began) {
            self.accepted += 1;
            self.upload.record_ns(began.elapsed().as_nanos() as u64);
        }
        self.sent.insert(id.clone(), (index as u32, number, began));
        let send = wire::Send {
            client_msg_id: self.product.id(number),
            content: Some(file(id)),
            ..wire::Send::default()
        };
        let mut out = Vec::new();
        self.product.frame(client_frame::Frame::Send(send), 0, &mut out);
        self.links[index].send(&self.poller, index as u64, &out)
    }

    /// Takes what was received, or without a buffer what was read ahead.
    fn socket(&mut self, index: usize, scratch: Option<&mut Vec<u8>>) -> Result<(), Error> {
        let mut messages = Vec::new();
        let link = &mut self.links[index];
        let peer = link.peer;
        let parse = |bytes: &[u8]| split(peer, bytes, &mut messages);
        match scratch {
            Some(scratch) => link.receive(&self.poller, index as u64, scratch, parse)?,
            None => link.parse_partial(parse)?,
        }
        for message in messages {
            self.frame(index, peer, &message)?;
        }
        Ok(())
    }

    fn frame(&mut self, index: usize, peer: Peer, payload: &[u8]) -> Result<(), Error> {
        let (reference, frame) = decode(payload)?;
        match (peer, frame) {
            (_, server_frame::Frame::Ping(_)) => {
                let mut out = Vec::new();
                self.product.frame(client_frame::Frame::Pong(wire::Pong {}), reference, &mut out);
                self.links[index].send(&self.poller, index as u64, &out)?;
            }
            (_, server_frame::Frame::Refusal(refusal)) => {
                return Err(Error::Refused { what: "a message with a file", code: refusal.code });
            }
            (Peer::Visitor(visitor), server_frame::Frame::Ack(_)) => {
                self.acked(visitor as usize)?;
            }
            (Peer::Agent(_), server_frame::Frame::Entries(entries)) => {
                for (visitor, number, began) in
                    entries.items.iter().filter_map(|item| self.sent.get(file_of(item)?).copied())
                {
                    let first = self.uploaders[visitor as usize].seen.note(number);
                    if first && self.is_measured(began) {
                        self.delivered += 1;
                        self.delivery.record_ns(began.elapsed().as_nanos() as u64);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn acked(&mut self, index: usize) -> Result<(), Error> {
        let uploader = &mut self.uploaders[index];
        if uploader.stage != Stage::Sending {
            // What was said before the run.
            return Ok(());
        }
        uploader.stage = Stage::Done;
        let began = uploader.began;
        self.acks_in_time += u64::from(self.is_measured(Instant::now()));
        if self.is_measured(began) {
            self.acked += 1;
            self.ack.record_ns(began.elapsed().as_nanos() as u64);
        }
        if self.measured_to.is_none() {
            self.begin(index)?;
        }
        Ok(())
    }
}

/// A message that is a file.
pub(crate) fn file(id: String) -> chat::Content {
    let kind = Some(content::Kind::File(chat::File { id, ..chat::File::default() }));
    chat::Content { kind, ..chat::Content::default() }
}

/// The id of the file an item carries.
fn file_of(item: &chat::TimelineItem) -> Option<&str> {
    let Some(timeline_item::Item::Entry(entry)) = &item.item else { return None };
    let Some(entry::Body::Content(said)) = &entry.body else { return None };
    match &said.kind {
        Some(content::Kind::File(file)) => Some(&file.id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_text_of_their_length_and_differ() {
        for count in [0, 1, 8, 16_384] {
            let bytes = bytes_of(1, count);
            assert!(bytes.len() == count && bytes.iter().all(u8::is_ascii_lowercase));
        }
        assert_ne!(bytes_of(1, 16), bytes_of(2, 16));
    }

    #[test]
    fn no_address_uploads_more_than_it_may() {
        let mut count = HashMap::new();
        for upload in 0..1_000 {
            for visitor in [0, 1, 199] {
                *count.entry(forwarded_for(visitor, upload)).or_insert(0) += 1;
            }
        }
        assert!(count.values().all(|uploads| *uploads <= 30), "{count:?}");
    }
}
