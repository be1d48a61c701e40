//! Senders that race a loop to sleep, for the models that go through their orders (R30): each includes
//! this file with its own locks and threads.
//!
//! The queue stands for the bounded channel, the bell for the waker: once rung it stays so until heard.

use std::{collections::VecDeque, sync::Arc};

use super::{Condvar, Mutex, awake::Awake, thread};

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
pub(super) fn race(senders: usize, items: usize, arm_first: bool) {
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
