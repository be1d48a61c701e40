//! Time as the demo's people live it: as fast as asked for, and standing still while they are paused.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// A clock of one of the demo's people; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    paused: watch::Receiver<bool>,
    speed: u32,
}

impl Pace {
    pub(super) fn new(paused: watch::Receiver<bool>, speed: u32) -> Self {
        Self { paused, speed: speed.max(1) }
    }

    /// So much of the demo's time in real time.
    pub(super) fn real(&self, ms: u64) -> Duration {
        Duration::from_millis(ms) / self.speed
    }

    /// Waits until so much of the demo's time has passed; what passes in a pause does not count.
    pub(super) async fn pass(&mut self, ms: u64) {
        let mut left = self.real(ms);
        loop {
            self.go_on().await;
            let began = Instant::now();
            tokio::select! {
                () = sleep(left) => return,
                changed = self.paused.changed() => {
                    left = left.saturating_sub(began.elapsed());
                    if changed.is_err() {
                        // Nobody is left who could pause.
                        return sleep(left).await;
                    }
                }
            }
        }
    }

    /// Waits while paused.
    pub(super) async fn go_on(&mut self) {
        // Without the switch nothing is paused.
        if self.paused.wait_for(|paused| !*paused).await.is_err() {
            tracing::debug!("the demo's switch is gone");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_runs_at_its_speed_and_stands_still_in_a_pause() {
        let switch = watch::Sender::new(false);
        let mut pace = Pace::new(switch.subscribe(), 10);
        let began = Instant::now();
        pace.pass(1_000).await;
        assert_eq!(began.elapsed().as_millis(), 100);
        let waiting = tokio::spawn(async move {
            pace.pass(1_000).await;
            Instant::now()
        });
        sleep(Duration::from_millis(40)).await;
        switch.send_replace(true);
        sleep(Duration::from_secs(5)).await;
        switch.send_replace(false);
        let ended = waiting.await.expect("it ends");
        let passed = (ended - began).as_millis();
        assert!((5_200..5_205).contains(&passed), "{passed}");
    }
}
