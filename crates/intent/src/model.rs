//! The model: what a text is read with.
//!
//! A small BERT and a table of hashed n-grams each give a text four logits; what each counts for, and how sure the
//! sum may be, was fitted on texts neither was trained on. The encoder reads any BERT directory of Hugging Face.

mod classifier;
mod config;
mod encoder;
mod error;
mod matrix;
pub(crate) mod ngrams;
mod shipped;
mod tensors;
mod tokens;

pub use classifier::{
    CALIBRATION_FILE, CONFIG_FILE, Calibration, Classifier, NGRAMS_FILE, TOKENIZER_FILE,
    VOCABULARY_FILE, WEIGHTS_FILE,
};
pub use config::{Activation, BertConfig, Pooling};
pub use error::ModelError;
pub use ngrams::Ngrams;
pub(crate) use tensors::Tensors;
pub(crate) use tokens::Tokens;
pub use tokens::{HEAD_TOKENS_MAX, TAIL_TOKENS_MAX};

use crate::LABELS;

/// Probabilities of logits.
pub(crate) fn softmax(logits: &[f32; LABELS]) -> [f32; LABELS] {
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let powers = logits.map(|logit| (logit - most).exp());
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}
