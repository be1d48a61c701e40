//! The hand-over to a loop under loom (R30): every order of the steps of two senders and the loop.

use loom::{
    sync::{Condvar, Mutex, atomic},
    thread,
};

#[path = "../../src/edge/awake.rs"]
mod awake;

#[path = "awake_race.rs"]
mod awake_race;

use awake_race::race;

#[test]
fn no_send_is_slept_over_whatever_the_order() {
    loom::model(|| race(2, 1, true));
    loom::model(|| race(1, 2, true));
}

/// The model finds what it is there to find.
#[test]
#[should_panic(expected = "deadlock")]
fn a_loop_that_takes_before_it_arms_sleeps_over_a_send() {
    loom::model(|| race(2, 1, false));
}
