//! The hand-over to a loop under loom (R30): every order of the steps of two senders and the loop.
//!
//! The queue stands for the bounded channel, the bell for the waker: once rung it stays so until heard.

use std::{collections::VecDeque, sync::Arc};

use loom::{
    sync::{Condvar, Mutex, atomic},
    thread,
};

#[path = "../../src/edge/awake.rs"]
mod awake;

use awake::Awake;

#[derive(Default)]
struct Loop {
    queue: Mutex<VecDeque<usize>>,
    awake: Awake,
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Loop {
    fn send(&self, item: usize) {
        self.queue.lock().expect("nobody panicked").push_back(item);
        if self.awake.rouse() {
            *self.rung.lock().expect("nobody panicked") = true;
            self.bell.notify_one();
        }
    }

    fn sleep(&self) {
        let mut rung = self.rung.lock().expect("nobody panicked");
        while !*rung {
            rung = self.bell.wait(rung).expect("nobody panicked");
        }
        *rung = false;
    }

    fn take(&self) -> usize {
        let mut queue = self.queue.lock().expect("nobody panicked");
        std::iter::from_fn(|| queue.pop_front()).count()
    }
}

/// Senders against one loop, which has to see everything or sleeps for ever.
fn race(senders: usize, items: usize, arm_first: bool) {
    let shared = Arc::new(Loop::default());
    for _ in 0..senders {
        let shared = Arc::clone(&shared);
        thread::spawn(move || (0..items).for_each(|item| shared.send(item)));
    }
    let mut taken = 0;
    while taken < senders * items {
        shared.sleep();
        if arm_first {
            shared.awake.arm();
            taken += shared.take();
        } else {
            taken += shared.take();
            shared.awake.arm();
        }
    }
}

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
