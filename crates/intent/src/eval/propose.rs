//! Thresholds for a wanted precision.

use serde::Serialize;

use super::{Judged, Thresholds};
use crate::Label;

/// Highest threshold proposed: above it a probability says no more.
const THRESHOLD_MAX: f32 = 0.99;

/// A threshold for each label, and how often it was right on the texts it was chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Proposal {
    /// The lowest thresholds that give the precision wanted.
    pub thresholds: Thresholds,
    /// Whether every label reaches it. Where one does not, its threshold is the highest there is.
    pub reached: bool,
}

/// Proposes for each label the lowest threshold from which on its decisions have the precision wanted.
///
/// Each label is looked at alone. Texts the thresholds are chosen by should be none the model was trained on.
pub fn calibrate(judged: &[Judged], precision: f64) -> Proposal {
    let complaint = lowest(judged, Label::Complaint, precision);
    let consult = lowest(judged, Label::Consult, precision);
    let sales = lowest(judged, Label::Sales, precision);
    Proposal {
        thresholds: Thresholds {
            complaint: complaint.unwrap_or(THRESHOLD_MAX),
            consult: consult.unwrap_or(THRESHOLD_MAX),
            sales: sales.unwrap_or(THRESHOLD_MAX),
        },
        reached: complaint.is_some() && consult.is_some() && sales.is_some(),
    }
}

/// The lowest of the probabilities given to a label from which on it is right often enough, in steps of 0.01.
fn lowest(judged: &[Judged], label: Label, precision: f64) -> Option<f32> {
    let given: Vec<(f32, bool)> = judged
        .iter()
        .filter_map(|one| {
            let (likeliest, probability) = Label::likeliest(&one.probabilities);
            (likeliest == label).then_some((probability, one.label == label))
        })
        .collect();
    (25..=99).map(|step| step as f32 / 100.0).find(|least| {
        let decided = given.iter().filter(|(probability, _)| probability >= least);
        let (right, all) = decided.fold((0_u32, 0_u32), |(right, all), (_, is_right)| {
            (right + u32::from(*is_right), all + 1)
        });
        all > 0 && f64::from(right) >= precision * f64::from(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::tests::judged;

    #[test]
    fn the_lowest_threshold_that_is_precise_enough_is_proposed() {
        let mut texts = Vec::new();
        for label in [Label::Complaint, Label::Consult, Label::Sales] {
            for (probability, right) in [(0.9, true), (0.8, true), (0.6, false), (0.6, true)] {
                let mut probabilities = [(1.0 - probability) / 3.0; 4];
                probabilities[label.index()] = probability;
                texts.push(judged(if right { label } else { Label::Other }, "zh", probabilities));
            }
        }
        let precise = calibrate(&texts, 0.95);
        assert!(precise.reached);
        assert!((precise.thresholds.sales - 0.61).abs() < 1e-6);
        let lax = calibrate(&texts, 0.7);
        assert!(lax.thresholds.sales < 0.5);
    }

    #[test]
    fn a_label_that_is_never_right_gets_the_highest_threshold() {
        let texts = [judged(Label::Other, "zh", [0.0, 0.0, 1.0, 0.0])];
        let proposal = calibrate(&texts, 0.9);
        assert!(!proposal.reached);
        assert!((proposal.thresholds.sales - THRESHOLD_MAX).abs() < 1e-6);
    }
}
