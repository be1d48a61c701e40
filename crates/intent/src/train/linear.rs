//! Training of the n-grams alone: a logistic regression over hashed features.
//!
//! It is trained apart from the encoder, so that neither leans on what the other has learned by heart, and is
//! the measure the whole model has to beat.

use std::collections::HashMap;

use super::{augment::variant, random::Random};
use crate::{
    Example, LABELS, Label,
    model::{Ngrams, ngrams},
    text::normalise,
};

/// How the n-grams are trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearOptions {
    /// Buckets of the table, as a power of two.
    pub bucket_bits: u32,
    /// Texts in which an n-gram occurs at least, or it has no bucket.
    pub texts_min: u32,
    /// Passes over the training texts.
    pub epochs: usize,
    /// Length of the first step (AdaGrad).
    pub rate: f32,
    /// Pull of every weight towards 0.
    pub decay: f32,
    /// Share of the target that is spread over all labels.
    pub smoothing: f32,
    /// Share of a text's n-grams that are left out at each step.
    pub dropout: f32,
    /// Variants of each text that are learned beside it.
    pub variants: usize,
    /// How much they vary.
    pub strength: f32,
}

impl Default for LinearOptions {
    fn default() -> Self {
        Self {
            bucket_bits: 18,
            texts_min: 2,
            epochs: 6,
            rate: 0.15,
            decay: 2e-6,
            smoothing: 0.1,
            dropout: 0.0,
            variants: 2,
            strength: 1.0,
        }
    }
}

/// A text as the buckets it falls into.
struct Row {
    buckets: Vec<u32>,
    share: f32,
    target: [f32; LABELS],
}

/// Trains the n-grams on examples. The same examples, options and seed give the same table.
pub fn train_ngrams(examples: &[&Example], options: &LinearOptions, seed: u64) -> Ngrams {
    let buckets = 1_usize << options.bucket_bits;
    let mut random = Random::new(seed, 0x6c69_6e65);
    let mut texts: Vec<(String, Label)> =
        examples.iter().map(|example| (normalise(&example.text), example.label)).collect();
    for _ in 0..options.variants {
        let variants =
            (0..examples.len()).map(|at| variant(examples, at, options.strength, &mut random));
        texts.extend(variants.map(|(text, label)| (normalise(&text), label)));
    }
    let hashed: Vec<Vec<u64>> = texts.iter().map(|(text, _)| ngrams::hashes(text)).collect();
    let owners = owners(&hashed, buckets, options.texts_min);
    let mut rows: Vec<Row> = hashed
        .iter()
        .zip(&texts)
        .map(|(hashes, (_, label))| row(hashes, &owners, *label, options.smoothing))
        .collect();
    let mut weights = vec![[0.0_f32; LABELS]; buckets];
    let mut steps = vec![[1e-6_f32; LABELS]; buckets];
    let mut bias = [0.0_f32; LABELS];
    let mut kept: Vec<u32> = Vec::new();
    for _ in 0..options.epochs {
        random.shuffle(&mut rows);
        for row in &rows {
            kept.clear();
            kept.extend(
                row.buckets
                    .iter()
                    .filter(|_| options.dropout <= 0.0 || !random.chance(options.dropout)),
            );
            let share = row.share / (1.0 - options.dropout);
            let mut logits = bias;
            for &bucket in &kept {
                for label in 0..LABELS {
                    logits[label] += weights[bucket as usize][label] * share;
                }
            }
            let probabilities = crate::model::softmax(&logits);
            for label in 0..LABELS {
                let error = probabilities[label] - row.target[label];
                bias[label] -= 0.01 * error;
                for &bucket in &kept {
                    let weight = &mut weights[bucket as usize][label];
                    let step = &mut steps[bucket as usize][label];
                    let slope = error * share + options.decay * *weight;
                    *step += slope * slope;
                    *weight -= options.rate * slope / step.sqrt();
                }
            }
        }
    }
    quantised(&owners, &weights, bias)
}

/// The n-gram each bucket belongs to: of those that meet in one, the one in most texts.
fn owners(hashed: &[Vec<u64>], buckets: usize, texts_min: u32) -> Vec<u64> {
    let mut texts: HashMap<u64, u32> = HashMap::new();
    for hash in hashed.iter().flatten() {
        *texts.entry(*hash).or_default() += 1;
    }
    let mut frequent: Vec<(u64, u32)> =
        texts.into_iter().filter(|(_, texts)| *texts >= texts_min).collect();
    frequent.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut owners = vec![0; buckets];
    for (hash, _) in frequent {
        let (bucket, _) = ngrams::place(hash, buckets);
        if owners[bucket] == 0 {
            owners[bucket] = hash;
        }
    }
    owners
}

fn row(hashes: &[u64], owners: &[u64], label: Label, smoothing: f32) -> Row {
    let mut target = [smoothing / LABELS as f32; LABELS];
    target[label.index()] += 1.0 - smoothing;
    Row {
        buckets: hashes
            .iter()
            .filter_map(|&hash| {
                let (bucket, _) = ngrams::place(hash, owners.len());
                (owners[bucket] == hash).then_some(bucket as u32)
            })
            .collect(),
        share: 1.0 / (hashes.len().max(1) as f32).sqrt(),
        target,
    }
}

/// The table with its weights as bytes.
fn quantised(owners: &[u64], weights: &[[f32; LABELS]], bias: [f32; LABELS]) -> Ngrams {
    let scales = std::array::from_fn(|label| {
        let most = weights.iter().fold(1e-6_f32, |most, bucket| most.max(bucket[label].abs()));
        most / f32::from(i8::MAX)
    });
    Ngrams {
        checks: owners
            .iter()
            .map(|&owner| if owner == 0 { 0 } else { ngrams::place(owner, owners.len()).1 })
            .collect(),
        weights: weights
            .iter()
            .flat_map(|bucket| {
                let steps = bucket.iter().zip(scales);
                steps.map(|(weight, scale)| ((weight / scale).round() as i8).cast_unsigned())
            })
            .collect(),
        scales,
        bias,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_words_tell_apart_is_learned() {
        let examples = [
            Example::of("你们太差劲了", Label::Complaint),
            Example::of("服务太差劲", Label::Complaint),
            Example::of("how much is it", Label::Sales),
            Example::of("how much for two", Label::Sales),
            Example::of("怎么改地址", Label::Consult),
            Example::of("怎么改名字", Label::Consult),
            Example::of("谢谢", Label::Other),
            Example::of("谢谢啦", Label::Other),
        ];
        let examples: Vec<&Example> = examples.iter().collect();
        let options = LinearOptions { bucket_bits: 12, ..LinearOptions::default() };
        let table = train_ngrams(&examples, &options, 1);
        for (text, label) in [
            ("真差劲", Label::Complaint),
            ("how much", Label::Sales),
            ("怎么改", Label::Consult),
            ("谢谢", Label::Other),
        ] {
            assert_eq!(Label::likeliest(&table.logits(text)).0, label, "{text}");
        }
        assert_eq!(table, train_ngrams(&examples, &options, 1));
    }
}
