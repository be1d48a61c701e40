//! A hashed timer wheel: all timers of a loop, with coarse ticks.
//!
//! Setting costs a push, a tick costs a walk over one slot. Nothing is cancelled: whoever gets a
//! fired timer looks whether it still matters. A timer further away than one round of the wheel is
//! passed over once per round.

/// Slots of the wheel; with ticks of 100 ms one round takes 51 s, longer than the silence limit.
const SLOTS: u64 = 512;

pub(super) struct Wheel<K> {
    slots: Vec<Vec<(u64, K)>>,
    /// The first tick that has not been fired.
    next: u64,
    len: usize,
}

impl<K> Wheel<K> {
    pub(super) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), next: 0, len: 0 }
    }

    /// Sets a timer for a tick; one that has passed already fires with the next.
    pub(super) fn set(&mut self, tick: u64, key: K) {
        let tick = tick.max(self.next);
        self.slots[(tick % SLOTS) as usize].push((tick, key));
        self.len += 1;
    }

    /// Moves all timers up to and including `now` into `fired`, in no particular order.
    pub(super) fn advance(&mut self, now: u64, fired: &mut Vec<K>) {
        // After a long stall one round visits every slot; ticks are then merged.
        while self.next <= now {
            let upto = if now - self.next >= SLOTS { now } else { self.next };
            let slot = &mut self.slots[(self.next % SLOTS) as usize];
            let mut at = 0;
            while at < slot.len() {
                if slot[at].0 <= upto {
                    fired.push(slot.swap_remove(at).1);
                    self.len -= 1;
                } else {
                    at += 1;
                }
            }
            // A slot that once held a burst does not keep its memory.
            if slot.is_empty() && slot.capacity() > 64 {
                *slot = Vec::new();
            }
            self.next += 1;
            if self.len == 0 {
                self.next = self.next.max(now + 1);
            }
        }
    }

    /// The tick at which something may fire: exact within one round, else the end of the round.
    pub(super) fn next_tick(&self) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        let round = self.next + SLOTS;
        (self.next..round)
            .find(|tick| !self.slots[(tick % SLOTS) as usize].is_empty())
            .or(Some(round))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [u32; 0] = [];

    fn fired_at(wheel: &mut Wheel<u32>, now: u64) -> Vec<u32> {
        let mut fired = Vec::new();
        wheel.advance(now, &mut fired);
        fired
    }

    #[test]
    fn fires_at_its_tick_and_not_before() {
        let mut wheel = Wheel::new();
        wheel.set(5, 1);
        assert_eq!(fired_at(&mut wheel, 4), NONE);
        assert_eq!(fired_at(&mut wheel, 5), [1]);
        assert_eq!(fired_at(&mut wheel, 6), NONE);
        assert_eq!(wheel.next_tick(), None);
    }

    #[test]
    fn a_timer_beyond_one_round_waits_for_its_round() {
        let mut wheel = Wheel::new();
        wheel.set(SLOTS * 2 + 3, 1);
        wheel.set(3, 2);
        assert_eq!(fired_at(&mut wheel, 3), [2]);
        assert_eq!(fired_at(&mut wheel, SLOTS + 3), NONE);
        assert_eq!(fired_at(&mut wheel, SLOTS * 2 + 2), NONE);
        assert_eq!(fired_at(&mut wheel, SLOTS * 2 + 3), [1]);
    }

    #[test]
    fn a_late_timer_fires_with_the_next_tick() {
        let mut wheel = Wheel::new();
        wheel.set(1, 0);
        assert_eq!(fired_at(&mut wheel, 10), [0]);
        wheel.set(2, 1);
        assert_eq!(wheel.next_tick(), Some(11));
        assert_eq!(fired_at(&mut wheel, 11), [1]);
    }

    #[test]
    fn a_stall_of_many_rounds_fires_everything_once() {
        let mut wheel = Wheel::new();
        for key in 0..100 {
            wheel.set(u64::from(key) * 37, key);
        }
        let mut fired = fired_at(&mut wheel, SLOTS * 20);
        fired.sort_unstable();
        assert_eq!(fired, (0..100).collect::<Vec<_>>());
        assert_eq!(fired_at(&mut wheel, SLOTS * 21), NONE);
    }
}
