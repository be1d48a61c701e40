//! The model's own threads: a bounded queue, batches, a deadline, and a circuit that opens when it fails again and
//! again, so that a model that hangs or answers nonsense costs a few seconds once, not every session its time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::model::Classifier;

/// Says how probable each label is; blocks for as long as it takes.
pub trait Model: Send + Sync + 'static {
    /// For each text the probabilities in the order of [`crate::Label::ALL`].
    fn classify(&self, texts: &[&str]) -> Vec<[f32; 4]>;
}

impl Model for Classifier {
    fn classify(&self, texts: &[&str]) -> Vec<[f32; 4]> {
        self.classify_batch(texts)
    }
}

/// Why the model said nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no model.
    Missing,
    /// Too many texts wait already.
    Busy,
    /// It did not answer in time.
    Late,
    /// It panicked, or what it said are no probabilities.
    Broken,
    /// It failed so often that it is not asked for a while.
    Open,
}

impl Trouble {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Busy => "busy",
            Self::Late => "late",
            Self::Broken => "broken",
            Self::Open => "open",
        }
    }
}

/// Figures of the threads.
#[derive(Debug, Clone, Copy)]
pub struct WorkersOptions {
    /// How many threads; a model that stands still holds one.
    pub threads: usize,
    /// Texts that may wait.
    pub queued_max: usize,
    /// Texts of one call.
    pub batch_max: usize,
    /// Failures in a row after which it is not asked any more (R27).
    pub failures_max: u32,
    /// For how long then; one text tries it afterwards.
    pub open_for: Duration,
    /// What each thread does first, such as to let others go before it.
    pub begins: fn(),
}

impl Default for WorkersOptions {
    fn default() -> Self {
        Self {
            threads: 1,
            queued_max: 1_024,
            // Nobody else gets the core amid a call.
            batch_max: 1,
            failures_max: 5,
            open_for: Duration::from_secs(30),
            begins: || {},
        }
    }
}

/// How the model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelHealth {
    /// Whether there is one.
    pub is_there: bool,
    /// Whether it is not asked for now.
    pub is_open: bool,
    /// Texts it did not answer, since the start.
    pub failed: u64,
    /// Texts that wait.
    pub queued: usize,
}

struct Job {
    text: Box<str>,
    /// Nobody waits for it any more then.
    deadline: Instant,
    reply: oneshot::Sender<Result<[f32; 4], Trouble>>,
}

/// Threads that ask the model. They end when nobody can give them a job any more; one that stands still is left to
/// itself.
pub(crate) struct Workers {
    /// None where there is no model.
    jobs: Option<Sender<Job>>,
    circuit: Circuit,
}

impl Workers {
    pub(crate) fn start(model: Option<Arc<dyn Model>>, options: WorkersOptions) -> Self {
        let circuit = Circuit::new(options);
        let Some(model) = model else {
            return Self { jobs: None, circuit };
        };
        let (sender, receiver) = bounded(options.queued_max);
        for number in 0..options.threads.max(1) {
            let (model, receiver) = (Arc::clone(&model), receiver.clone());
            let thread = thread::Builder::new().name(format!("intent-{number}")).spawn(move || {
                (options.begins)();
                run(&*model, &receiver, options.batch_max);
            });
            drop(thread.expect("the system has a thread left"));
        }
        Self { jobs: Some(sender), circuit }
    }

    /// Asks the model; waits at most for so long.
    pub(crate) async fn classify(
        &self,
        text: &str,
        deadline: Duration,
    ) -> Result<[f32; 4], Trouble> {
        let Some(jobs) = &self.jobs else { return Err(Trouble::Missing) };
        if !self.circuit.lets_through() {
            return Err(Trouble::Open);
        }
        let (reply, answer) = oneshot::channel();
        let job = Job { text: text.into(), deadline: Instant::now() + deadline, reply };
        let said = match jobs.try_send(job) {
            Ok(()) => match timeout(deadline, answer).await {
                Ok(Ok(said)) => said,
                // Whoever held it is gone.
                Ok(Err(_)) => Err(Trouble::Broken),
                Err(_) => Err(Trouble::Late),
            },
            Err(TrySendError::Full(_)) => Err(Trouble::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Trouble::Broken),
        };
        match &said {
            // Much to do is no fault of the model.
            Err(Trouble::Busy) => self.circuit.note_busy(),
            said => self.circuit.note(said.is_ok()),
        }
        said
    }

    /// Whether so much waits that whoever can wait should.
    pub(crate) fn is_busy(&self) -> bool {
        self.jobs
            .as_ref()
            .is_some_and(|jobs| jobs.len() * 2 > jobs.capacity().unwrap_or(usize::MAX))
    }

    pub(crate) fn health(&self) -> ModelHealth {
        ModelHealth {
            is_there: self.jobs.is_some(),
            is_open: self.circuit.is_open(),
            failed: self.circuit.failed.load(Ordering::Relaxed),
            queued: self.jobs.as_ref().map_or(0, Sender::len),
        }
    }
}

fn run(model: &dyn Model, jobs: &Receiver<Job>, batch_max: usize) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(batch_max.saturating_sub(1)));
        let now = Instant::now();
        batch.retain(|job| job.deadline > now);
        if batch.is_empty() {
            continue;
        }
        let texts: Vec<&str> = batch.iter().map(|job| &*job.text).collect();
        let said = catch_unwind(AssertUnwindSafe(|| model.classify(&texts))).unwrap_or_default();
        let mut said = said.into_iter();
        for job in batch {
            let scores = said.next().filter(are_probabilities).ok_or(Trouble::Broken);
            if job.reply.send(scores).is_err() {
                tracing::debug!("the intent model answers whom nobody waits for any more");
            }
        }
        // However much there is to do: whoever waits for this core, such as an edge loop, goes first. By
        // itself the scheduler looks after that only every few milliseconds.
        thread::yield_now();
    }
}

/// NaN is none.
fn are_probabilities(scores: &[f32; 4]) -> bool {
    let sum: f32 = scores.iter().sum();
    scores.iter().all(|score| (0.0..=1.0).contains(score)) && (sum - 1.0).abs() < 0.01
}

/// Opens after failures in a row, and lets one through after a while.
struct Circuit {
    options: WorkersOptions,
    /// Since the start.
    failed: AtomicU64,
    state: Mutex<CircuitState>,
}

#[derive(Default)]
struct CircuitState {
    /// In a row.
    failures: u32,
    /// Since when it is open; moved on by whoever tries whether the model answers again.
    opened: Option<Instant>,
}

impl Circuit {
    fn new(options: WorkersOptions) -> Self {
        Self { options, failed: AtomicU64::new(0), state: Mutex::default() }
    }

    fn is_open(&self) -> bool {
        self.state.lock().opened.is_some()
    }

    fn lets_through(&self) -> bool {
        match &mut self.state.lock().opened {
            None => true,
            Some(since) if since.elapsed() < self.options.open_for => false,
            Some(since) => {
                *since = Instant::now();
                true
            }
        }
    }

    fn note_busy(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    fn note(&self, is_well: bool) {
        let mut state = self.state.lock();
        if is_well {
            state.failures = 0;
            if state.opened.take().is_some() {
                tracing::info!("the intent model answers again");
            }
            return;
        }
        self.failed.fetch_add(1, Ordering::Relaxed);
        state.failures += 1;
        if state.failures >= self.options.failures_max {
            if state.opened.is_none() {
                let failures = state.failures;
                tracing::warn!(failures, "the intent model fails and is not asked for a while");
            }
            state.opened = Some(Instant::now());
        }
    }
}
