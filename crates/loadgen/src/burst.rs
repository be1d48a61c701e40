//! The scenario `burst`: a step in the load. It tells how many messages that cost (none may be lost),
//! and how long after the step begins and ends the p99 of a delivery is back at its level before it.

use std::time::Duration;

use serde::Serialize;

use crate::{
    error::Error,
    launch::Server,
    report::Report,
    text::{Load, Subject, TextOptions, run, text},
    windows::{WINDOW_NS, back_after_s},
};

/// Messages per second in the step, where the server can do so many.
const STEP_RATE: u32 = 50_000;
/// Before and after it.
const BASE_RATE: u32 = 10_000;
/// Share of the server's own peak that a step asks for at most.
const PEAK_SHARE: f64 = 0.8;

/// What to run.
#[derive(Debug, Clone)]
pub struct BurstOptions {
    /// How long the server's peak is measured before.
    pub peak: Duration,
    /// How long the load is level before the step.
    pub before: Duration,
    /// How long the step lasts.
    pub step: Duration,
    /// How long the load is level behind it.
    pub after: Duration,
    /// The shape of both runs; subject, load and measured time are set by the scenario.
    pub shape: TextOptions,
}

impl Default for BurstOptions {
    /// The published shape: a step of 10 s.
    fn default() -> Self {
        Self {
            peak: Duration::from_secs(5),
            before: Duration::from_secs(10),
            step: Duration::from_secs(10),
            after: Duration::from_secs(10),
            shape: TextOptions::new(Subject::Product, Load::Closed, Duration::from_secs(5)),
        }
    }
}

/// What was found, as `--json` prints it. Each field of the run itself stands beside these.
#[derive(Debug, Clone, Serialize)]
pub struct BurstReport {
    /// The run with the step, as of text messages; `rate` is that before and after the step.
    #[serde(flatten)]
    pub run: Report,
    /// Acked messages per second on a closed loop, measured first.
    pub peak_per_s: f64,
    /// Messages per second offered within the step.
    pub step_rate: u32,
    /// `50,000 a second`, or that the server's own peak made it less.
    pub step_chosen: String,
    /// The greatest p99 of a delivery before the step, of windows of `window_ms`.
    pub level_p99_ms: f64,
    /// The same within the step.
    pub step_p99_ms: f64,
    /// Seconds from the step's beginning until the p99 is back and stays for a second, while the step
    /// lasts; absent if it does not come back before the step ends.
    pub back_after_begin_s: Option<f64>,
    /// The same from the step's end.
    pub back_after_end_s: Option<f64>,
    /// Length of a window.
    pub window_ms: f64,
    /// The p99 of a delivery in each window of the measured time, by the time messages were due.
    pub windows_p99_ms: Vec<f64>,
}

/// Measures the peak on one fresh server, then the step on another.
pub fn burst(
    options: &BurstOptions,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<BurstReport, Error> {
    let subject = Subject::Product;
    let peak_options = TextOptions {
        subject,
        load: Load::Closed,
        measured: options.peak,
        ..options.shape.clone()
    };
    let peak_per_s = text(&peak_options, &launch(subject)?)?.acked_per_s;
    let (rate, step_rate) = rates(peak_per_s);
    let step_chosen = if step_rate == STEP_RATE {
        format!("{STEP_RATE} messages a second")
    } else {
        format!("{PEAK_SHARE} of the peak of {peak_per_s:.0} messages a second")
    };
    let ends = options.before + options.step;
    let load = Load::Step { rate, to: step_rate, begins: options.before, ends };
    let step_options =
        TextOptions { subject, load, measured: ends + options.after, ..options.shape.clone() };
    let (report, outcome) = run(&step_options, &launch(subject)?)?;
    let windows = outcome.windows.ok_or(Error::Options("a step is measured in windows"))?.p99_ms();
    let place =
        |time: Duration| ((time.as_nanos() as u64).div_ceil(WINDOW_NS) as usize).min(windows.len());
    let (before, behind) = windows.split_at(place(options.before));
    let (within, after) = behind.split_at(place(ends) - before.len());
    let greatest = |windows: &[f64]| windows.iter().copied().fold(0.0, f64::max);
    let level_p99_ms = greatest(before);
    Ok(BurstReport {
        run: Report { scenario: "burst", ..report },
        peak_per_s,
        step_rate,
        step_chosen,
        level_p99_ms,
        step_p99_ms: greatest(within),
        back_after_begin_s: back_after_s(within, level_p99_ms),
        back_after_end_s: back_after_s(after, level_p99_ms),
        window_ms: WINDOW_NS as f64 / 1e6,
        windows_p99_ms: windows,
    })
}

/// The rates of the level and of the step for a server of this peak.
fn rates(peak_per_s: f64) -> (u32, u32) {
    let step = STEP_RATE.min((peak_per_s * PEAK_SHARE) as u32).max(2);
    (BASE_RATE.min(step / 2), step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_asks_for_no_more_than_the_server_can_do() {
        for (peak, expected) in
            [(90_000.0, (10_000, 50_000)), (40_000.0, (10_000, 32_000)), (5_000.0, (2_000, 4_000))]
        {
            assert_eq!(rates(peak), expected, "{peak}");
        }
    }
}
