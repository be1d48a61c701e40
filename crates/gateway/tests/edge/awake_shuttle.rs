//! The hand-over to a loop under shuttle (R30): random orders of more threads than loom can go through.

use shuttle::{
    sync::{Condvar, Mutex, atomic},
    thread,
};

#[path = "../../src/edge/awake.rs"]
mod awake;

#[path = "awake_race.rs"]
mod awake_race;

use awake_race::race;

#[test]
fn no_send_of_many_is_slept_over() {
    shuttle::check_random(|| race(4, 10, true), 2_000);
}

/// The model finds what it is there to find.
#[test]
#[should_panic(expected = "deadlock")]
fn a_loop_that_takes_before_it_arms_sleeps_over_one_of_many() {
    shuttle::check_random(|| race(4, 10, false), 2_000);
}
