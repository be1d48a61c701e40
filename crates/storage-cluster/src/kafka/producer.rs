//! The producer all logs of a node share.
//!
//! It is idempotent and sends again by itself what a broker did not answer, in order and without doubles. What
//! it cannot deliver in time it gives up; then it must not go on behind the gap. It is **retired**:
//! what waits in it is thrown away, what is on its way may end, and a new one takes the appends that begin from
//! then on. One that has no broker left is retired too.

use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use frontdesk_storage::{LogError, Offset, Record};
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};

use super::turn::{Held, Progress, Turn};
use super::{DIAGNOSIS_TIMEOUT, KafkaOptions, Reports, from_kafka};

/// A batch is closed once it has so much.
const BATCH_BYTES: usize = 256 << 10;
/// What waits in one producer, of all its logs: one append of each.
const QUEUE_KBYTES: usize = 256 << 10;
const QUEUE_RECORDS: usize = 1 << 20;
/// How soon it is noticed that a producer is to be retired. The client waits for whole milliseconds and asks without
/// a pause through what is left of the last one: hence a bit more than a whole number of them.
const POLL_INTERVAL: Duration = Duration::from_micros(100_020);
/// How long a broker surely knows a producer that sends nothing; it forgets one after a day.
const KNOWN_FOR: Duration = Duration::from_hours(1);
/// How long what is on its way in a retired producer may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the reports of what was thrown away may take: they come from its own threads.
const PURGE_TIMEOUT: Duration = Duration::from_secs(5);

type Client = BaseProducer<Deliveries>;

/// Appends for all the logs of a node ([`super::KafkaLog`]), by one connection to each broker.
pub struct KafkaProducer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    options: KafkaOptions,
    /// Whoever sends holds it for reading: nothing is sent by a producer that has been replaced.
    client: RwLock<Arc<Client>>,
    is_stopped: AtomicBool,
}

impl fmt::Debug for KafkaProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaProducer")
            .field("topic", &self.shared.options.topic)
            .finish_non_exhaustive()
    }
}

impl KafkaProducer {
    /// Makes a producer; it looks for the brokers by itself.
    pub fn open(options: KafkaOptions) -> Result<Arc<Self>, LogError> {
        let client = new_client(&options)
            .map_err(|source| options.topic_failed("make a producer for", source))?;
        let client = Arc::new(client);
        let shared =
            Shared { options, client: RwLock::new(client), is_stopped: AtomicBool::new(false) };
        let shared = Arc::new(shared);
        shared.client.read().context().belongs_to(&shared);
        let thread = thread::Builder::new()
            .name("kafka-producer".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.run()
            })
            .expect("the system has a thread left");
        Ok(Arc::new(Self { shared, thread: Some(thread) }))
    }

    /// Whether records of all partitions can be appended now; if not, the error says why and what to do.
    /// Asks the brokers, for at most a second.
    pub fn check(&self) -> Result<(), LogError> {
        let options = self.options();
        let client = self.client();
        let metadata = client.client().fetch_metadata(Some(&options.topic), DIAGNOSIS_TIMEOUT).ok();
        let mut partitions = 0..i32::from(options.partitions);
        let trouble = partitions.find_map(|partition| {
            let words = options.trouble(metadata.as_ref(), partition)?;
            Some(format!("partition {partition}: {words}"))
        });
        trouble.map_or(Ok(()), |words| Err(options.topic_failed("append to", words)))
    }

    pub(super) fn options(&self) -> &KafkaOptions {
        &self.shared.options
    }

    /// First and next offset of a partition.
    pub(super) fn bounds(&self, partition: u16) -> Result<(Offset, Offset), LogError> {
        self.options().bounds(self.client().client(), i32::from(partition))
    }

    /// The producer of now, for questions.
    fn client(&self) -> Arc<Client> {
        Arc::clone(&self.shared.client.read())
    }

    /// Hands records over; the turn hears of each of them.
    pub(super) fn send(&self, turn: &Arc<Turn>, records: &[Record<'_>]) {
        let client = self.shared.client.read();
        let now = if client.context().is_known(turn.partition()) {
            records
        } else {
            let (first, rest) = records.split_at(1);
            if !rest.is_empty() {
                turn.hold(rest);
            }
            first
        };
        let records = now.iter().map(|record| (record.partition, record.payload));
        self.shared.hand_over(&client, turn, 0, records);
    }
}

impl Drop for KafkaProducer {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::Release);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the kafka producer panicked");
        }
    }
}

impl Shared {
    /// Hands records of a turn over, the first of which has an index.
    fn hand_over<'a>(
        &self,
        client: &Client,
        turn: &Arc<Turn>,
        first: usize,
        records: impl Iterator<Item = (u16, &'a [u8])>,
    ) {
        for (index, (bucket, payload)) in (first..).zip(records) {
            let key = bucket.to_be_bytes();
            let place = Box::new(Place { turn: Arc::clone(turn), index });
            let message = BaseRecord::with_opaque_to(&self.options.topic, place)
                .partition(i32::from(turn.partition()))
                .key(&key)
                .payload(payload);
            if let Err((error, _)) = client.send(message) {
                client.context().progress(turn, turn.cut(index, error));
                return;
            }
        }
    }

    /// Hands over what was held back until the brokers knew the producer.
    fn hand_over_held(&self, client: &Client) {
        let turns = std::mem::take(&mut *client.context().held.lock());
        for turn in turns {
            let Some(records) = turn.take_held() else { continue };
            let records = records.iter().map(|(bucket, payload)| (*bucket, &payload[..]));
            self.hand_over(client, &turn, 1, records);
        }
    }

    /// Serves the producer's events, and replaces one that has to go.
    fn run(self: &Arc<Self>) {
        let mut client = Arc::clone(&self.client.read());
        while !self.is_stopped.load(Ordering::Acquire) {
            client.poll(POLL_INTERVAL);
            let context = client.context();
            if context.reports.take_stranded() {
                context.retire();
            }
            if !context.is_retired.load(Ordering::Acquire) {
                continue;
            }
            match new_client(&self.options) {
                Ok(new) => {
                    new.context().belongs_to(self);
                    let new = Arc::new(new);
                    *self.client.write() = Arc::clone(&new);
                    let old = std::mem::replace(&mut client, new);
                    let options = self.options.clone();
                    // What is left of it must not hold up the appends of the new one.
                    thread::spawn(move || retire(&options, &old));
                }
                Err(error) => tracing::error!(%error, "could not make a kafka producer"),
            }
        }
    }
}

fn new_client(options: &KafkaOptions) -> Result<Client, ClientError> {
    let timeout_ms = options.delivery_timeout.as_millis().max(1).to_string();
    let mut config = options.client("log");
    config
        .set("enable.idempotence", "true")
        // A record that is given up must not be followed by those behind it.
        .set("enable.gapless.guarantee", "true")
        .set("acks", "all")
        .set("linger.ms", "0")
        .set("delivery.timeout.ms", &timeout_ms)
        .set("request.timeout.ms", &timeout_ms)
        .set("batch.size", BATCH_BYTES.to_string())
        .set("queue.buffering.max.kbytes", QUEUE_KBYTES.to_string())
        .set("queue.buffering.max.messages", QUEUE_RECORDS.to_string());
    BaseProducer::from_config_and_context(&config, Deliveries::default())
}

/// Lets end what is on its way, throws away the rest, and tells the logs whose records were given up.
fn retire(options: &KafkaOptions, client: &Client) {
    client.purge(PurgeConfig::default().queue());
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    while client.in_flight_count() > 0 && Instant::now() < deadline {
        client.poll(POLL_INTERVAL);
    }
    client.purge(PurgeConfig::default().queue().inflight());
    if let Err(error) = client.flush(PURGE_TIMEOUT) {
        tracing::error!(%error, "a kafka producer did not give up its records");
    }
    for turn in std::mem::take(&mut *client.context().held.lock()) {
        let error = ClientError::MessageProduction(RDKafkaErrorCode::PurgeQueue);
        client.context().progress(&turn, turn.give_up_held(error));
    }
    let given_up = std::mem::take(&mut *client.context().given_up.lock());
    if given_up.is_empty() {
        return;
    }
    let metadata = client.client().fetch_metadata(Some(&options.topic), DIAGNOSIS_TIMEOUT).ok();
    let reports = &client.context().reports;
    let said = match (client.client().fatal_error(), reports.take()) {
        (Some((_, reason)), _) => format!("; the producer gave up: {reason}"),
        (None, Some(report)) => format!("; the client last said: {report}"),
        (None, None) => String::new(),
    };
    for turn in given_up {
        let partition = i32::from(turn.partition());
        let words = options.diagnose(metadata.as_ref(), partition);
        turn.give_up(&format!("{words}{said}"));
    }
}

/// Which record a report is about.
struct Place {
    turn: Arc<Turn>,
    index: usize,
}

/// What one producer tells.
#[derive(Default)]
struct Deliveries {
    /// Whose producer it is, or was.
    shared: OnceLock<Weak<Shared>>,
    /// It gave something up.
    is_retired: AtomicBool,
    /// Appends that shall hear why.
    given_up: Mutex<Vec<Arc<Turn>>>,
    /// Appends whose first record is durable, and whose others were held back.
    held: Mutex<Vec<Arc<Turn>>>,
    /// When the leaders of partitions last took something from this producer.
    known: Mutex<HashMap<u16, Instant>>,
    reports: Reports,
}

impl Deliveries {
    /// Whether the leader of a partition knows this producer, and so refuses what comes behind a gap. From one that it
    /// does not know it takes any record: then the first one goes alone.
    fn is_known(&self, partition: u16) -> bool {
        self.known.lock().get(&partition).is_some_and(|at| at.elapsed() < KNOWN_FOR)
    }

    fn belongs_to(&self, shared: &Arc<Shared>) {
        self.shared.set(Arc::downgrade(shared)).expect("a producer is of one node");
    }

    /// Hands over what was held back. What is held by a producer that goes is given up with it.
    fn hand_over_held(&self) {
        let Some(shared) = self.shared.get().and_then(Weak::upgrade) else { return };
        let client = shared.client.read();
        let is_current = ptr::eq(Arc::as_ptr(client.context()), self);
        if is_current && !self.is_retired.load(Ordering::Acquire) {
            shared.hand_over_held(&client);
        }
    }

    fn retire(&self) {
        self.is_retired.store(true, Ordering::Release);
    }

    fn progress(&self, turn: &Arc<Turn>, progress: Progress) {
        if progress == Progress::GivenUp {
            self.given_up.lock().push(Arc::clone(turn));
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Place>;

    fn delivery(&self, result: &DeliveryResult<'_>, place: Box<Place>) {
        let turn = &place.turn;
        let result = match result {
            // A batch whose answer was lost counts as kept once one behind it is; nobody said where.
            Ok(message) => Ok((message.offset() >= 0).then(|| from_kafka(message.offset()))),
            Err((error, _)) => {
                self.retire();
                Err(error.clone())
            }
        };
        if place.index == 0 && result.is_ok() {
            self.known.lock().insert(turn.partition(), Instant::now());
        }
        self.progress(turn, turn.report(place.index, result));
        match turn.held() {
            None => {}
            Some(Held::Free) => {
                self.held.lock().push(Arc::clone(turn));
                self.hand_over_held();
            }
            Some(Held::InVain) => {
                let error = ClientError::MessageProduction(RDKafkaErrorCode::PurgeQueue);
                self.progress(turn, turn.give_up_held(error));
            }
        }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reports.log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        let is_fatal = error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal);
        self.reports.error(error, reason);
        if is_fatal {
            self.retire();
        }
    }

    fn stats(&self, statistics: Statistics) {
        self.reports.stats(statistics);
    }
}
