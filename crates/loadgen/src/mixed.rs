//! The scenario `mixed`: what a desk sees on a day. Text on a schedule; of a hundred messages one is a
//! file that a thread beside the generator uploads; before every fourth message its visitor types;
//! visitors and agents move their cursors.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use frontdesk_protocol::wire::{self, client_frame};
use serde::Serialize;

use crate::{
    cpu::Process,
    error::Error,
    files::{bytes_of, file, forwarded_for},
    generator::{Dialect, Happened},
    http::{Base, Client, string},
    launch::Server,
    link::Peer,
    product::{Product, VisitorOf, files_said},
    report::Report,
    text::{Load, Subject, TextOptions, measure, place},
    websocket,
};

/// Of so many messages one is a file.
const FILE_EVERY: u32 = 100;
const FILE_BYTES: usize = 16 << 10;
/// Of so many messages one is typed before it is sent.
const TYPING_EVERY: u64 = 4;
/// Of so many messages one is followed by moves of both sides' cursors.
const CURSOR_EVERY: u64 = 10;

/// What to run.
#[derive(Debug, Clone)]
pub struct MixedOptions {
    /// Messages per second.
    pub rate: u32,
    /// The shape of the run; its load is the rate.
    pub shape: TextOptions,
}

impl MixedOptions {
    /// The published shape.
    pub fn new(rate: u32, measured: Duration) -> Self {
        let load = Load::Open { rate };
        Self { rate, shape: TextOptions::new(Subject::Product, load, measured) }
    }
}

/// What was found, as `--json` prints it. The generator's figures are without the thread that uploads.
#[derive(Debug, Clone, Serialize)]
pub struct MixedReport {
    /// The run, as of text messages.
    #[serde(flatten)]
    pub run: Report,
    /// Messages of the whole run that were files.
    pub files: u64,
    /// Times somebody began or ceased to type.
    pub drafts: u64,
    /// Moves of cursors, of both sides.
    pub cursors: u64,
}

/// Runs it once.
pub fn mixed(options: &MixedOptions, server: &Server) -> Result<MixedReport, Error> {
    let access = server.product("only the product takes files and cursors")?;
    let load = Load::Open { rate: options.rate };
    let shape = TextOptions { subject: Subject::Product, load, ..options.shape.clone() };
    let process = Process::new(server.pid);
    let pinned = place(shape.placement, process);
    let (product, cast) = Product::connect(access, shape.visitors, shape.agents, shape.text_bytes)?;
    let (say, stored) = mpsc::channel();
    let stop = Arc::new(AtomicBool::new(false));
    let uploads = Uploads {
        client: Client::new(Base::of(access)?),
        visitors: cast.visitors,
        every: Duration::from_secs_f64(f64::from(FILE_EVERY) / f64::from(options.rate.max(1))),
        say,
        stop: Arc::clone(&stop),
    };
    let counts = Arc::new(Counts::default());
    let dialect = Mixed {
        product,
        stored,
        ready: vec![VecDeque::new(); shape.visitors as usize],
        sent: HashMap::new(),
        counts: Arc::clone(&counts),
    };
    let uploading = std::thread::spawn(move || uploads.run());
    let measured = measure(&shape, dialect, cast.links, process, pinned.is_some());
    stop.store(true, Ordering::Relaxed);
    uploading.thread().unpark();
    let uploaded = uploading.join().map_err(|_| Error::Options("the uploads panicked"))?;
    let (report, _) = measured?;
    uploaded?;
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    Ok(MixedReport {
        run: Report { scenario: "mixed", ..report },
        files: count(&counts.files),
        drafts: count(&counts.drafts),
        cursors: count(&counts.cursors),
    })
}

#[derive(Debug, Default)]
struct Counts {
    files: AtomicU64,
    drafts: AtomicU64,
    cursors: AtomicU64,
}

/// The thread that uploads, visitor after visitor, at its share of the rate.
struct Uploads {
    client: Client,
    visitors: Vec<VisitorOf>,
    every: Duration,
    say: mpsc::Sender<(u32, String)>,
    stop: Arc<AtomicBool>,
}

impl Uploads {
    fn run(mut self) -> Result<(), Error> {
        let (started, mut number) = (Instant::now(), 0_u32);
        while !self.stop.load(Ordering::Relaxed) {
            let due = started + self.every * number;
            let left = due.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                std::thread::park_timeout(left);
                continue;
            }
            let index = number % self.visitors.len() as u32;
            let visitor = &self.visitors[index as usize];
            self.client.authorize(format!("Visitor {}", visitor.visitor_token));
            let conversation = &visitor.conversation;
            let path = format!("/api/v1/conversations/{conversation}/uploads?name=bench.txt");
            let from = forwarded_for(0, number.into());
            let stored = self.client.upload(&path, from, &bytes_of(number.into(), FILE_BYTES))?;
            if self.say.send((index, string(&stored, "id")?)).is_err() {
                break;
            }
            number += 1;
        }
        Ok(())
    }
}

/// The product's frames, with what people do beside writing.
#[derive(Debug)]
struct Mixed {
    product: Product,
    stored: mpsc::Receiver<(u32, String)>,
    /// Files of each visitor that no message names yet.
    ready: Vec<VecDeque<String>>,
    /// Whose message names a file: visitor, number, due time.
    sent: HashMap<Vec<u8>, (u32, u64, u64)>,
    counts: Arc<Counts>,
}

impl Mixed {
    fn say(&mut self, frame: client_frame::Frame, out: &mut Vec<u8>) {
        let counts = &self.counts;
        let counter = match &frame {
            client_frame::Frame::Draft(_) => &counts.drafts,
            client_frame::Frame::Cursor(_) => &counts.cursors,
            _ => &counts.files,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.product.frame(frame, 0, out);
    }

    fn draft(&mut self, typing: bool, out: &mut Vec<u8>) {
        let draft = wire::Draft { typing, ..wire::Draft::default() };
        self.say(client_frame::Frame::Draft(draft), out);
    }

    fn cursor(&mut self, conversation: String, seq: u64, out: &mut Vec<u8>) {
        let cursor = wire::MoveCursor { conversation, delivered_seq: seq, read_seq: seq };
        self.say(client_frame::Frame::Cursor(cursor), out);
    }
}

impl Dialect for Mixed {
    fn message(&mut self, visitor: u32, number: u64, due_ns: u64, out: &mut Vec<u8>) {
        while let Ok((visitor, id)) = self.stored.try_recv() {
            self.ready[visitor as usize].push_back(id);
        }
        let types = number.is_multiple_of(TYPING_EVERY);
        if types {
            self.draft(true, out);
        }
        match self.ready[visitor as usize].pop_front() {
            Some(id) => {
                self.sent.insert(id.clone().into_bytes(), (visitor, number, due_ns));
                let client_msg_id = self.product.id(number);
                let content = Some(file(id));
                let send = wire::Send { client_msg_id, content, ..wire::Send::default() };
                self.say(client_frame::Frame::Send(send), out);
            }
            None => self.product.message(visitor, number, due_ns, out),
        }
        if types {
            self.draft(false, out);
        }
    }

    fn read(
        &mut self,
        peer: Peer,
        bytes: &[u8],
        out: &mut Vec<u8>,
        happened: &mut Vec<Happened>,
    ) -> Result<usize, Error> {
        let mut used = 0;
        while let Some(frame) = websocket::read(&bytes[used..])? {
            let whole = &bytes[used..used + frame.bytes];
            let before = happened.len();
            self.product.read(peer, whole, out, happened)?;
            let mut conversation = String::new();
            if frame.opcode == websocket::BINARY && matches!(peer, Peer::Agent(_)) {
                let (of, files) = files_said(frame.payload)?;
                for (seq, id) in files {
                    if let Some((visitor, number, due_ns)) = self.sent.get(id).copied() {
                        happened.push(Happened::Delivered { visitor, number, place: seq, due_ns });
                    }
                }
                conversation = of;
                // Texts were found first; a file before one of them in the frame came before it.
                happened[before..].sort_by_key(Happened::place);
            }
            let read_up_to = happened[before..].iter().filter_map(|event| match *event {
                Happened::Acked { number, place, .. }
                | Happened::Delivered { number, place, .. } => {
                    number.is_multiple_of(CURSOR_EVERY).then_some(place)
                }
                Happened::Refused { .. } => None,
            });
            if let Some(seq) = read_up_to.max() {
                self.cursor(conversation, seq, out);
            }
            used += frame.bytes;
        }
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::chat;
    use frontdesk_protocol::wire::server_frame;
    use prost::Message as _;

    use super::*;
    use crate::product::text;

    #[test]
    fn a_file_before_a_text_in_one_frame_was_delivered_before_it() {
        let (_stored, receiver) = mpsc::channel();
        let id = "f".repeat(20);
        let mut mixed = Mixed {
            product: Product::fresh(100).expect("a dialect"),
            stored: receiver,
            ready: vec![VecDeque::new(); 4],
            sent: HashMap::from([(id.clone().into_bytes(), (3, 1, 70))]),
            counts: Arc::default(),
        };
        let said = format!("m{:08x}{:016x}{:016x} ", 3, 2, 77);
        let bodies = [file(id), text(format!("{said:100}"))];
        let items = (8..).zip(bodies).map(|(seq, content)| {
            let body = Some(chat::entry::Body::Content(content));
            let entry = chat::Entry { seq, body, ..chat::Entry::default() };
            chat::TimelineItem { item: Some(chat::timeline_item::Item::Entry(entry)) }
        });
        let entries = wire::Entries { items: items.collect(), ..wire::Entries::default() };
        let frame = Some(server_frame::Frame::Entries(entries));
        let payload = wire::ServerFrame { r#ref: 0, frame }.encode_to_vec();
        let mut bytes = vec![0x82, 126];
        bytes.extend_from_slice(&(payload.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&payload);
        let mut happened = Vec::new();
        let read = mixed.read(Peer::Agent(0), &bytes, &mut Vec::new(), &mut happened);
        assert_eq!(read.expect("a frame"), bytes.len());
        let delivered =
            |number, place, due_ns| Happened::Delivered { visitor: 3, number, place, due_ns };
        assert_eq!(happened, [delivered(1, 8, 70), delivered(2, 9, 77)]);
    }
}
