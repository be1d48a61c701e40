//! Training of a model, from lines of text to a directory that [`crate::model::Classifier::open`] takes.
//!
//! A part of the texts is held back for calibration. The encoder first guesses hidden tokens of the other texts, then
//! their labels, several times from different seeds, and is then trained on what these say together. The
//! n-grams are trained apart. Last the weights of both and the temperature are fitted on what was held back, and the
//! n-grams learn from that, too.
//! The same texts, options and seed give the same model on one machine; after every pass the state is kept,
//! and a training that is started again with the same options goes on from there.

mod augment;
mod curve;
mod files;
mod fit;
mod linear;
mod network;
mod optimiser;
mod random;
mod run;
mod stages;
mod vocabulary;
mod wording;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

pub use linear::{LinearOptions, train_ngrams};
pub use run::{calibration_split, train, train_examples};
use serde::Serialize;

use crate::{
    ReadError,
    eval::Report,
    model::{Calibration, ModelError},
};

/// What to train on, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// File of lines, or directory with files of lines.
    pub data: PathBuf,
    /// Directory of the model; it is made if it is not there.
    pub out: PathBuf,
    /// A model to begin with instead of random weights: its sizes and vocabulary are kept.
    pub base: Option<PathBuf>,
    /// What everything random is drawn from.
    pub seed: u64,
    /// How it is trained.
    pub recipe: Recipe,
}

impl TrainOptions {
    /// The recipe of the shipped model.
    pub fn new(data: &Path, out: &Path) -> Self {
        Self {
            data: data.to_owned(),
            out: out.to_owned(),
            base: None,
            seed: 1,
            recipe: Recipe::default(),
        }
    }
}

/// Sizes of the encoder and everything that can be chosen about its training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// Layers of the encoder.
    pub layers: usize,
    /// Width of its vectors.
    pub width: usize,
    /// Width within its feed-forward parts.
    pub inner: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Entries of the vocabulary at most.
    pub vocabulary: usize,
    /// Passes in which hidden tokens are guessed.
    pub pretrain_epochs: usize,
    /// Longest step in them.
    pub pretrain_rate: f32,
    /// Passes over the labels, for each network.
    pub epochs: usize,
    /// Longest step in them.
    pub rate: f32,
    /// Pull of the weights towards 0.
    pub decay: f32,
    /// Share of values left out.
    pub dropout: f32,
    /// Share of tokens hidden while labels are learned.
    pub word_dropout: f32,
    /// Share of a target spread over all labels.
    pub smoothing: f32,
    /// How often texts are varied: 0 never, 1 as the visitors of a busy chat would.
    pub variants: f32,
    /// Texts of a batch at most.
    pub texts_per_batch: usize,
    /// How much of the averaged weights is kept at each step.
    pub averaging: f32,
    /// Networks that are trained from different seeds and distilled into one; with one there is no distilling.
    pub teachers: usize,
    /// Every so many texts one is held back for calibration: whole industries where lines name them.
    pub held_back: usize,
    /// The n-grams.
    pub ngrams: LinearOptions,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            layers: 2,
            width: 128,
            inner: 256,
            heads: 4,
            vocabulary: 6_000,
            pretrain_epochs: 0,
            pretrain_rate: 2e-3,
            epochs: 15,
            rate: 1.5e-3,
            decay: 0.05,
            dropout: 0.15,
            word_dropout: 0.1,
            smoothing: 0.1,
            variants: 1.0,
            texts_per_batch: 64,
            averaging: 0.99,
            teachers: 1,
            held_back: 14,
            ngrams: LinearOptions::default(),
        }
    }
}

/// A stage of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Hidden tokens are guessed.
    Pretrain,
    /// Labels are learned.
    Finetune,
    /// What several networks say is learned by one.
    Distil,
}

impl Stage {
    /// The name shown beside the bar.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pretrain => "pretrain",
            Self::Finetune => "finetune",
            Self::Distil => "distil",
        }
    }
}

/// How far a training is; told after every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Steps done, of all stages.
    pub step: usize,
    /// Steps there are.
    pub of: usize,
    /// Loss of this step.
    pub loss: f32,
    /// Time it will still take, by the steps of this run so far.
    pub eta: Duration,
}

/// What came of a training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trained {
    /// The model.
    pub directory: PathBuf,
    /// Texts it was trained on.
    pub texts: usize,
    /// Entries of its vocabulary.
    pub vocabulary: usize,
    /// Weights of its parts and temperature.
    pub calibration: Calibration,
    /// How it read the texts that were held back, which the temperature was fitted on, before its n-grams learned from them.
    pub held_back: Report,
    /// How the n-grams alone read them.
    pub ngrams_alone: Report,
}

/// A training cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The texts cannot be read.
    #[error("cannot read the texts to train on")]
    Read(#[source] ReadError),
    /// There are not enough texts to learn and to hold some back.
    #[error("{texts} texts are too few to train on, {least} are needed")]
    TooFew {
        /// Texts there are.
        texts: usize,
        /// Texts needed.
        least: usize,
    },
    /// A file of the training cannot be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The model to begin with, or one just written, cannot be used.
    #[error("cannot use a model")]
    Model(#[source] ModelError),
    /// The vocabulary that was learned cannot be used.
    #[error("cannot use the vocabulary: {0}")]
    Vocabulary(String),
    /// A tensor operation failed.
    #[error("cannot compute")]
    Tensor(#[source] candle_core::Error),
    /// The weights have left all bounds; a smaller rate may help.
    #[error("the loss is no number any more at step {step} of {}", stage.as_str())]
    Diverged {
        /// Where.
        stage: Stage,
        /// Step of all stages.
        step: usize,
    },
}
