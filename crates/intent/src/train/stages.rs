//! The stages of a training: guessing hidden tokens, then labels, then what several networks say together.

use candle_core::{D, DType, Device, Result, Tensor};

use super::{
    augment,
    network::{Batch, Dropout, Network},
    optimiser::Optimiser,
    random::Random,
};
use crate::{Example, LABELS, Label, model::softmax};

/// Tokens of a batch at most, filling included; short texts go in larger batches.
const BATCH_TOKENS_MAX: usize = 2_048;
/// Share of tokens that are hidden for guessing.
const HIDDEN_SHARE: f32 = 0.15;

/// How one stage is run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Settings {
    pub(crate) epochs: usize,
    pub(crate) rate: f32,
    pub(crate) decay: f32,
    pub(crate) dropout: f32,
    /// Share of a target spread over all labels.
    pub(crate) smoothing: f32,
    /// Strength of augmentation.
    pub(crate) variants: f32,
    /// Share of tokens that are read as hidden in fine-tuning.
    pub(crate) word_dropout: f32,
    pub(crate) texts_per_batch: usize,
    pub(crate) averaging: f32,
}

/// What a stage has done so far and how it went.
pub(crate) struct Step {
    pub(crate) done: usize,
    pub(crate) of: usize,
    pub(crate) loss: f32,
}

/// The optimiser of a stage over so many texts.
pub(crate) fn optimiser(settings: &Settings, texts: usize) -> Optimiser {
    let batches = texts.div_ceil(settings.texts_per_batch);
    Optimiser::new(settings.epochs * batches, settings.rate, settings.decay, settings.averaging)
}

/// One pass over all texts in which the network guesses tokens that are hidden from it.
pub(crate) fn pretrain_epoch(
    network: &Network,
    optimiser: &mut Optimiser,
    texts: &[Vec<u32>],
    mask: u32,
    settings: &Settings,
    random: &mut Random,
    done: &mut dyn FnMut(Step),
) -> Result<()> {
    let batches = batches(texts, settings.texts_per_batch, random);
    let of = batches.len();
    for (step, members) in batches.into_iter().enumerate() {
        let mut ids: Vec<Vec<u32>> = members.iter().map(|&at| texts[at].clone()).collect();
        let mut places = Vec::new();
        let mut hidden = Vec::new();
        for (row, ids) in ids.iter_mut().enumerate() {
            let last = ids.len() - 1;
            for (at, id) in ids[..last].iter_mut().enumerate().skip(1) {
                if random.chance(HIDDEN_SHARE) {
                    places.push((row, at));
                    hidden.push(*id);
                    // Some stay or become another token, so that every vector has to be good.
                    match random.below(10) {
                        0 => {}
                        1 => *id = 5 + random.below(network.config.vocab_size - 5) as u32,
                        _ => *id = mask,
                    }
                }
            }
        }
        if hidden.is_empty() {
            continue;
        }
        let rows: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let batch = Batch::new(&rows)?;
        let count = hidden.len();
        let places: Vec<u32> = places.into_iter().map(|(row, at)| batch.place(row, at)).collect();
        let encoded =
            network.encode(&batch, &mut Dropout { share: Some((settings.dropout, random)) })?;
        let logits = network.guess(&encoded, &Tensor::from_vec(places, count, &Device::Cpu)?)?;
        let hidden = Tensor::from_vec(hidden, count, &Device::Cpu)?;
        let loss = candle_nn::loss::cross_entropy(&logits, &hidden)?;
        optimiser.step(network, &loss.backward()?)?;
        done(Step { done: step + 1, of, loss: loss.to_scalar()? });
    }
    Ok(())
}

/// One pass over variants of all examples. With teachers the target of a text is what they say of it.
#[expect(
    clippy::too_many_arguments,
    reason = "a pass has no state of its own that would hold them"
)]
pub(crate) fn finetune_epoch(
    network: &Network,
    teachers: &[Network],
    optimiser: &mut Optimiser,
    examples: &[&Example],
    encode: &dyn Fn(&str) -> Vec<u32>,
    mask: Option<u32>,
    settings: &Settings,
    random: &mut Random,
    done: &mut dyn FnMut(Step),
) -> Result<()> {
    let variants: Vec<(String, Label)> = (0..examples.len())
        .map(|at| augment::variant(examples, at, settings.variants, random))
        .collect();
    let texts: Vec<Vec<u32>> = variants.iter().map(|(text, _)| encode(text)).collect();
    let batches = batches(&texts, settings.texts_per_batch, random);
    let of = batches.len();
    for (step, members) in batches.into_iter().enumerate() {
        let plain: Vec<&[u32]> = members.iter().map(|&at| texts[at].as_slice()).collect();
        let targets = targets(teachers, &plain, &members, &variants, settings)?;
        let mut dropped: Vec<Vec<u32>> = plain.iter().map(|ids| ids.to_vec()).collect();
        for ids in &mut dropped {
            let last = ids.len() - 1;
            for id in &mut ids[1..last.max(1)] {
                if let Some(mask) = mask
                    && random.chance(settings.word_dropout)
                {
                    *id = mask;
                }
            }
        }
        let rows: Vec<&[u32]> = dropped.iter().map(Vec::as_slice).collect();
        let batch = Batch::new(&rows)?;
        let mut dropout = Dropout { share: Some((settings.dropout, &mut *random)) };
        let encoded = network.encode(&batch, &mut dropout)?;
        let logits = network.classify(&encoded, &batch, &mut dropout)?;
        let loss = cross_entropy(&logits, &targets)?;
        optimiser.step(network, &loss.backward()?)?;
        done(Step { done: step + 1, of, loss: loss.to_scalar()? });
    }
    Ok(())
}

/// Logits of texts, in their order.
pub(crate) fn logits(network: &Network, texts: &[Vec<u32>]) -> Result<Vec<[f32; LABELS]>> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&at| texts[at].len());
    let mut logits = vec![[0.0; LABELS]; texts.len()];
    for members in order.chunks(64) {
        let rows: Vec<&[u32]> = members.iter().map(|&at| texts[at].as_slice()).collect();
        for (&at, row) in members.iter().zip(classify(network, &rows)?) {
            logits[at] = row;
        }
    }
    Ok(logits)
}

fn classify(network: &Network, rows: &[&[u32]]) -> Result<Vec<[f32; LABELS]>> {
    let batch = Batch::new(rows)?;
    let mut none = Dropout { share: None };
    let logits = network.classify(&network.encode(&batch, &mut none)?, &batch, &mut none)?;
    let flat = logits.flatten_all()?.to_vec1::<f32>()?;
    Ok(flat.chunks_exact(LABELS).map(|row| std::array::from_fn(|label| row[label])).collect())
}

fn targets(
    teachers: &[Network],
    rows: &[&[u32]],
    members: &[usize],
    variants: &[(String, Label)],
    settings: &Settings,
) -> Result<Tensor> {
    let mut targets = vec![0.0_f32; rows.len() * LABELS];
    for teacher in teachers {
        for (row, logits) in classify(teacher, rows)?.iter().enumerate() {
            for (label, probability) in softmax(logits).into_iter().enumerate() {
                targets[row * LABELS + label] += probability / teachers.len() as f32;
            }
        }
    }
    // The label itself keeps a say beside the teachers.
    let share = if teachers.is_empty() { 1.0 } else { 0.3 };
    for (row, &at) in members.iter().enumerate() {
        for label in 0..LABELS {
            let own = settings.smoothing / LABELS as f32
                + if label == variants[at].1.index() { 1.0 - settings.smoothing } else { 0.0 };
            let target = &mut targets[row * LABELS + label];
            *target = *target * (1.0 - share) + own * share;
        }
    }
    Tensor::from_vec(targets, (rows.len(), LABELS), &Device::Cpu)
}

fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let rows = logits.dim(0)? as f64;
    let logits = logits.to_dtype(DType::F32)?;
    let probable = candle_nn::ops::log_softmax(&logits, D::Minus1)?;
    targets.mul(&probable)?.sum_all()? / -rows
}

/// Texts in batches of about one length, the batches in no order.
fn batches(texts: &[Vec<u32>], texts_per_batch: usize, random: &mut Random) -> Vec<Vec<usize>> {
    let mut order: Vec<(usize, usize)> = texts
        .iter()
        .enumerate()
        // Lengths are blurred, so that other texts meet in every pass.
        .map(|(at, ids)| (ids.len() + random.below(4), at))
        .collect();
    random.shuffle(&mut order);
    order.sort_by_key(|(length, _)| *length);
    let mut batches = Vec::new();
    for members in order.chunks(texts_per_batch) {
        let longest = members.iter().map(|(_, at)| texts[*at].len()).max().unwrap_or(1);
        let most = (BATCH_TOKENS_MAX / longest).max(1);
        for members in members.chunks(most) {
            batches.push(members.iter().map(|(_, at)| *at).collect());
        }
    }
    random.shuffle(&mut batches);
    batches
}
