//! R29: the dispatcher, its take-over and its hand-over on three simulated nodes, under seeded faults.
//!
//! ```text
//! clients --TCP--> nodes: the real `Dispatchers`, `recover`, `Dispatcher`   (node, client)
//!                    |--UDP--> group     says who owns which partition     (group)
//!                    |--UDP--> log       partitions as Kafka keeps them    (broker, log)
//!                    `--UDP--> history   tables as MySQL keeps them        (database, history)
//! ```
//! Everything runs in one thread on turmoil's network and clock, so that one seed is one run (`world`). While
//! clients talk, hosts are cut off, held up and crashed (`faults`). In the end everything heals, and what the
//! clients saw is compared with the history, and the history with one fold of the log (`checker`).
//!
//! `FRONTDESK_SIM_SEEDS` runs so many seeds, `FRONTDESK_SIM_SEED` one: that which a failure names.

#![expect(clippy::unwrap_used, reason = "tests")]

mod broker;
mod chance;
mod checker;
mod client;
mod database;
mod faults;
mod group;
mod history;
mod journal;
mod log;
#[path = "../dispatch/model.rs"]
#[expect(dead_code, reason = "the tests of turns use the rest")]
mod model;
mod node;
mod ownership;
mod wire;
mod world;

use std::{
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use parking_lot::Mutex;

use self::world::{Defect, Outcome, World};

/// Seeds of a run that names no other number.
const SEEDS: u64 = 200;
/// Seeds after which a defect that was put in must have been noticed.
const DEFECT_SEEDS: u64 = 40;

fn number_from(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is no number: {value}")))
}

/// One seed; what was wrong with it, in words.
fn run(seed: u64, defect: Option<Defect>) -> Outcome {
    let ran = catch_unwind(AssertUnwindSafe(|| World::run(seed, defect)));
    ran.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Outcome::failed(format!("panicked: {}", words.unwrap_or_default()))
    })
}

#[test]
fn r29_no_fault_loses_repeats_reorders_or_invents_a_message() {
    if let Some(seed) = number_from("FRONTDESK_SIM_SEED") {
        let outcome = run(seed, None);
        assert!(outcome.violations.is_empty(), "seed {seed}: {outcome:#?}");
        return;
    }
    let seeds = number_from("FRONTDESK_SIM_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let all = Mutex::new(Outcome::default());
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let outcome = run(seed, None);
                    if !outcome.violations.is_empty() {
                        failed.lock().push((seed, outcome.violations.clone()));
                    }
                    all.lock().add(outcome);
                }
            });
        }
    });
    let (all, failed) = (all.into_inner(), failed.into_inner());
    assert!(
        failed.is_empty(),
        "{} of {seeds} seeds failed; FRONTDESK_SIM_SEED runs one of them again: {failed:#?}",
        failed.len()
    );
    assert!(all.acked >= 1_000.min(10 * seeds), "too little was acked to mean anything: {all:?}");
    // What a run is about has to happen in it.
    if seeds >= SEEDS {
        assert!(all.is_eventful(), "some fault never mattered: {all:?}");
    }
    note(&format!("{seeds} seeds, lost=0 dup=0 order=0 phantom=0 {all:?}"));
}

/// A line for whoever runs it with `--nocapture`.
#[expect(clippy::print_stdout, reason = "the figures of a run")]
fn note(line: &str) {
    println!("{line}");
}

#[test]
fn r29_one_seed_is_one_run() {
    for seed in 0..3 {
        let (first, second) = (run(seed, None), run(seed, None));
        assert_eq!(first, second, "seed {seed}");
    }
}

#[test]
fn r29_a_history_that_fences_nobody_is_noticed() {
    notices(Defect::NoFence);
}

#[test]
fn r29_a_history_that_forgets_what_was_sent_is_noticed() {
    notices(Defect::NoDedupe);
}

#[test]
fn r29_a_log_that_ignores_other_writers_is_noticed() {
    notices(Defect::NoOvertake);
}

#[test]
fn r29_a_log_that_answers_too_early_is_noticed() {
    notices(Defect::EarlyAck);
}

fn notices(defect: Defect) {
    let noticed = (0..DEFECT_SEEDS).find_map(|seed| {
        let violations = run(seed, Some(defect)).violations;
        (!violations.is_empty()).then_some((seed, violations))
    });
    let (seed, violations) = noticed.unwrap_or_else(|| panic!("nothing noticed {defect:?}"));
    note(&format!("{defect:?}: seed {seed}: {violations:?}"));
}
