//! What the parts of a model count for, and its temperature, fitted on texts it was not trained on.

use crate::{LABELS, Label, model::Calibration};

/// Logits of both parts for one text, and the label it has.
pub(crate) struct Held {
    pub(crate) label: Label,
    pub(crate) encoder: [f32; LABELS],
    pub(crate) ngrams: [f32; LABELS],
}

/// Shares of the encoder that are tried, in steps of 0.05; what is left is the n-grams'.
const STEPS: u32 = 20;

/// Finds the weights and the temperature under which the labels are least surprising.
pub(crate) fn fit(held: &[Held]) -> Calibration {
    // Logits of both parts are brought to one size first, so that the shares mean something.
    let encoder_size = size(held.iter().map(|one| &one.encoder));
    let ngrams_size = size(held.iter().map(|one| &one.ngrams));
    let mut best = (f32::INFINITY, Calibration::default());
    for step in 0..=STEPS {
        let share = step as f32 / STEPS as f32;
        let with = |temperature| Calibration {
            encoder_weight: share / encoder_size,
            ngrams_weight: (1.0 - share) / ngrams_size,
            temperature,
        };
        let temperature = least(|temperature| surprise(held, &with(temperature)));
        let calibration = with(temperature);
        let surprise = surprise(held, &calibration);
        if surprise < best.0 {
            best = (surprise, calibration);
        }
    }
    best.1
}

/// Mean surprise of the labels.
pub(crate) fn surprise(held: &[Held], calibration: &Calibration) -> f32 {
    let sum: f32 = held
        .iter()
        .map(|one| {
            let probabilities = calibration.probabilities(&one.encoder, &one.ngrams);
            -probabilities[one.label.index()].max(1e-9).ln()
        })
        .sum();
    sum / held.len().max(1) as f32
}

/// Mean distance of logits from their mean.
fn size<'a>(logits: impl Iterator<Item = &'a [f32; LABELS]>) -> f32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for row in logits {
        let mean = row.iter().sum::<f32>() / LABELS as f32;
        sum += row.iter().map(|logit| (logit - mean).powi(2)).sum::<f32>();
        count += LABELS as f32;
    }
    (sum / f32::max(count, 1.0)).sqrt().max(1e-6)
}

/// The temperature with the least surprise, between 0.02 and 10, by halving the interval around it.
fn least(surprise: impl Fn(f32) -> f32) -> f32 {
    let (mut low, mut high) = (0.02_f32.ln(), 10.0_f32.ln());
    for _ in 0..30 {
        let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if surprise(a.exp()) < surprise(b.exp()) {
            high = b;
        } else {
            low = a;
        }
    }
    f32::midpoint(low, high).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_knows_counts_and_confidence_becomes_accuracy() {
        // The encoder is right three times of four and always sure; the n-grams say the same of all.
        let held: Vec<Held> = (0..400)
            .map(|at| {
                let mut encoder = [0.0; LABELS];
                encoder[usize::from(at % 4 == 0)] = 50.0;
                Held { label: Label::Complaint, encoder, ngrams: [0.0, 0.0, 1.0, 0.0] }
            })
            .collect();
        let calibration = fit(&held);
        assert!(calibration.encoder_weight > calibration.ngrams_weight * 0.01);
        let probabilities = calibration.probabilities(&held[1].encoder, &held[1].ngrams);
        assert!((probabilities[0] - 0.75).abs() < 0.08, "{probabilities:?}");
    }
}
