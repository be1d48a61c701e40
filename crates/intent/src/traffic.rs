//! What was decided of what visitors wrote, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::label::Label;
use crate::router::{Decision, Source, Why};

/// Steps of probability that are counted apart.
pub const STEPS: usize = 20;

/// Counts since the start. Reading and counting wait for nobody.
#[derive(Debug, Default)]
pub struct Traffic {
    decided: [AtomicU64; Source::ALL.len()],
    /// How often the model held each label most probable, by how probable.
    seen: [[AtomicU64; STEPS]; Label::ALL.len()],
}

impl Traffic {
    /// Counts a decision.
    pub fn note(&self, decision: &Decision) {
        let step = Source::ALL.into_iter().position(|source| source == decision.source);
        if let Some(count) = step.and_then(|step| self.decided.get(step)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let Why::Scores(scores) = &decision.why {
            let (label, score) = Label::likeliest(scores);
            // 1.0 belongs to the last step.
            let step = ((score * STEPS as f32) as usize).min(STEPS - 1);
            self.seen[label.index()][step].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often each step decided.
    pub fn decided(&self) -> [(Source, u64); Source::ALL.len()] {
        std::array::from_fn(|step| (Source::ALL[step], self.decided[step].load(Ordering::Relaxed)))
    }

    /// How often the model held a label most probable: what a threshold would catch. [`STEPS`] steps of the same
    /// width from 0 to 1.
    pub fn seen(&self, label: Label) -> [u64; STEPS] {
        std::array::from_fn(|step| self.seen[label.index()][step].load(Ordering::Relaxed))
    }
}
