//! The classifier: a model directory, opened and checked, that gives a text its probabilities.
//!
//! The directory is one of Hugging Face: `config.json`, `tokenizer.json` or `vocab.txt`, `model.safetensors`. Ours has
//! two files more: `ngrams.safetensors` (`checks` u8, `weights` i8, `scales` and `bias` f32) and `calibration.json` with the
//! weight of each part and the temperature. A part that is not there counts for nothing; one of both has to be.

use std::{
    borrow::Cow,
    fs, io,
    path::{Path, PathBuf},
};

use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use super::{
    BertConfig, ModelError, Ngrams,
    encoder::{self, Encoder},
    softmax,
    tensors::{Keep, Tensors},
    tokens::{HEAD_TOKENS_MAX, TAIL_TOKENS_MAX, Tokens},
};
use crate::{LABELS, text::normalise};

/// File of the encoder's sizes.
pub const CONFIG_FILE: &str = "config.json";
/// File of the vocabulary, one entry a line.
pub const VOCABULARY_FILE: &str = "vocab.txt";
/// File of the vocabulary with its rules; preferred where there are both.
pub const TOKENIZER_FILE: &str = "tokenizer.json";
/// File of the encoder's weights.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// File of the n-grams.
pub const NGRAMS_FILE: &str = "ngrams.safetensors";
/// File of what makes probabilities of logits.
pub const CALIBRATION_FILE: &str = "calibration.json";

/// Tokens read for a sentence embedding, as sentence models are trained.
const EMBEDDED_TOKENS_MAX: usize = 256;

/// Gives the bytes of a file of a model, and nothing for one that is not there.
type Files<'f> = dyn Fn(&str) -> Result<Option<Cow<'static, [u8]>>, ModelError> + 'f;

/// How logits become probabilities, fitted on texts the model was not trained on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What the encoder's logits are multiplied by.
    pub encoder_weight: f32,
    /// What the n-grams' logits are multiplied by.
    pub ngrams_weight: f32,
    /// What the sum of both is divided by.
    pub temperature: f32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { encoder_weight: 1.0, ngrams_weight: 1.0, temperature: 1.0 }
    }
}

impl Calibration {
    /// Probabilities of the logits of both parts.
    pub fn probabilities(&self, encoder: &[f32; LABELS], ngrams: &[f32; LABELS]) -> [f32; LABELS] {
        softmax(&std::array::from_fn(|label| {
            (self.encoder_weight * encoder[label] + self.ngrams_weight * ngrams[label])
                / self.temperature
        }))
    }

    fn is_sound(&self) -> bool {
        let finite = self.encoder_weight.is_finite() && self.ngrams_weight.is_finite();
        finite && self.temperature.is_finite() && self.temperature > 0.0
    }
}

/// A model that has been opened. It is read-only and may be used from any number of threads.
pub struct Classifier {
    encoder: Option<(Encoder, Tokens)>,
    ngrams: Option<Ngrams>,
    calibration: Calibration,
    normalised_text: bool,
}

impl std::fmt::Debug for Classifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Classifier")
            .field("encoder", &self.encoder.is_some())
            .field("ngrams", &self.ngrams.is_some())
            .field("calibration", &self.calibration)
            .finish_non_exhaustive()
    }
}

impl Classifier {
    /// Opens the model of a directory; what is wrong with it is named with its file.
    pub fn open(directory: &Path) -> Result<Self, ModelError> {
        Self::from_files(&|file| {
            let path = directory.join(file);
            match fs::read(&path) {
                Ok(bytes) => Ok(Some(Cow::Owned(bytes))),
                Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(ModelError::Io { path, source }),
            }
        })
    }

    /// Opens the model that is built into the program.
    pub fn shipped() -> Result<Self, ModelError> {
        Self::from_files(&|file| Ok(super::shipped::file(file).map(Cow::Borrowed)))
    }

    /// Probabilities of the labels, in the order of [`crate::Label::ALL`].
    pub fn classify(&self, text: &str) -> [f32; LABELS] {
        let [probabilities] = self.classify_array([text]);
        probabilities
    }

    /// The same for several texts; together they take less time than one after the other.
    pub fn classify_batch(&self, texts: &[&str]) -> Vec<[f32; LABELS]> {
        let normalised: Vec<Cow<'_, str>> = texts.iter().map(|text| self.prepared(text)).collect();
        let ngrams = normalised.iter().map(|text| self.ngrams_logits(text));
        let ngrams: Vec<[f32; LABELS]> = ngrams.collect();
        let encoded = match &self.encoder {
            Some((encoder, tokens)) if encoder.has_head() => {
                let sequences: Vec<Vec<u32>> =
                    normalised.iter().map(|text| tokens.ids(text)).collect();
                encoder.logits(&sequences)
            }
            _ => vec![[0.0; LABELS]; texts.len()],
        };
        encoded
            .iter()
            .zip(&ngrams)
            .map(|(encoder, ngrams)| self.calibration.probabilities(encoder, ngrams))
            .collect()
    }

    /// The meaning of a text as a vector of length 1: the mean of its tokens' vectors. None without an encoder.
    pub fn embed(&self, text: &str) -> Option<Vec<f32>> {
        let (encoder, tokens) = self.encoder.as_ref()?;
        let most = encoder.tokens_max().min(EMBEDDED_TOKENS_MAX);
        Some(encoder.embed(tokens.first_ids(&self.prepared(text), most)))
    }

    /// How logits become probabilities here.
    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    /// Opens the files a function gives; one it gives nothing for is not there.
    pub(crate) fn from_files(file: &Files<'_>) -> Result<Self, ModelError> {
        let ngrams = match file(NGRAMS_FILE)? {
            None => None,
            Some(Cow::Borrowed(bytes)) => Some(read_ngrams(bytes, Cow::Borrowed)?),
            Some(Cow::Owned(bytes)) => Some(read_ngrams(&bytes, copied)?),
        };
        let mut normalised_text = true;
        let mut encoder = None;
        let config = file(CONFIG_FILE)?;
        // N-grams alone are a model; an encoder without its sizes is not.
        if config.is_some() || ngrams.is_none() {
            let config = required(config, CONFIG_FILE)?;
            let config: BertConfig = json(CONFIG_FILE, &config)?;
            encoder::check(&config)
                .map_err(|reason| ModelError::Config { file: CONFIG_FILE.to_owned(), reason })?;
            normalised_text = config.normalised_text;
            let tokens = read_tokens(&config, file)?;
            let read = match required(file(WEIGHTS_FILE)?, WEIGHTS_FILE)? {
                Cow::Borrowed(weights) => {
                    Encoder::new(&config, &Tensors::read(WEIGHTS_FILE, weights)?, Cow::Borrowed)?
                }
                Cow::Owned(weights) => {
                    Encoder::new(&config, &Tensors::read(WEIGHTS_FILE, &weights)?, copied)?
                }
            };
            encoder = Some((read, tokens));
        }
        let calibration = match file(CALIBRATION_FILE)? {
            Some(bytes) => json(CALIBRATION_FILE, &bytes)?,
            None => Calibration::default(),
        };
        if !calibration.is_sound() {
            return Err(ModelError::Config {
                file: CALIBRATION_FILE.to_owned(),
                reason: "weights have to be finite and the temperature above 0".to_owned(),
            });
        }
        let classifier = Self { encoder, ngrams, calibration, normalised_text };
        classifier.check_positions()?;
        Ok(classifier)
    }

    /// Whether texts can be given labels, or only embedded.
    pub fn has_labels(&self) -> bool {
        self.ngrams.is_some()
            || self.encoder.as_ref().is_some_and(|(encoder, _)| encoder.has_head())
    }

    /// The same model where only some of its parts count; the temperature stays.
    #[must_use]
    pub fn parts(mut self, encoder: bool, ngrams: bool) -> Self {
        self.calibration.encoder_weight = f32::from(u8::from(encoder));
        self.calibration.ngrams_weight = f32::from(u8::from(ngrams));
        self
    }

    fn check_positions(&self) -> Result<(), ModelError> {
        let most = HEAD_TOKENS_MAX + TAIL_TOKENS_MAX;
        match &self.encoder {
            Some((encoder, _)) if encoder.tokens_max() < most => Err(ModelError::Config {
                file: CONFIG_FILE.to_owned(),
                reason: format!(
                    "max_position_embeddings is {}, {most} tokens are read",
                    encoder.tokens_max()
                ),
            }),
            _ => Ok(()),
        }
    }

    fn prepared<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.normalised_text {
            Cow::Owned(normalise(text))
        } else {
            // A tokenizer of others has its own rules, but no bound of its own.
            Cow::Borrowed(crate::text::bounded(text))
        }
    }

    fn ngrams_logits(&self, text: &str) -> [f32; LABELS] {
        self.ngrams.as_ref().map_or([0.0; LABELS], |ngrams| {
            if self.normalised_text { ngrams.logits(text) } else { ngrams.logits(&normalise(text)) }
        })
    }

    fn classify_array<const N: usize>(&self, texts: [&str; N]) -> [[f32; LABELS]; N] {
        let probabilities = self.classify_batch(&texts);
        std::array::from_fn(|at| probabilities[at])
    }
}

/// Of a file that was read only what is used is kept.
fn copied(bytes: &[u8]) -> Cow<'static, [u8]> {
    Cow::Owned(bytes.to_vec())
}

fn required<'a>(bytes: Option<Cow<'a, [u8]>>, file: &str) -> Result<Cow<'a, [u8]>, ModelError> {
    bytes.ok_or_else(|| ModelError::Io {
        path: PathBuf::from(file),
        source: io::Error::from(io::ErrorKind::NotFound),
    })
}

fn json<T: for<'de> Deserialize<'de>>(file: &str, bytes: &[u8]) -> Result<T, ModelError> {
    serde_json::from_slice(bytes)
        .map_err(|source| ModelError::Json { file: file.to_owned(), source })
}

fn read_tokens(config: &BertConfig, file: &Files<'_>) -> Result<Tokens, ModelError> {
    let (name, tokens) = match file(TOKENIZER_FILE)? {
        Some(bytes) => (TOKENIZER_FILE, Tokens::from_json(&bytes)),
        None => {
            let bytes = required(file(VOCABULARY_FILE)?, VOCABULARY_FILE)?;
            let tokens = std::str::from_utf8(&bytes)
                .map_err(|error| error.to_string())
                .and_then(Tokens::from_lines);
            (VOCABULARY_FILE, tokens)
        }
    };
    let tokens =
        tokens.map_err(|reason| ModelError::Vocabulary { file: name.to_owned(), reason })?;
    // Fewer entries than weights are usual: tables are rounded up. More would read past them.
    if tokens.size > config.vocab_size {
        return Err(ModelError::VocabularySize {
            file: name.to_owned(),
            entries: tokens.size,
            expected: config.vocab_size,
        });
    }
    Ok(tokens)
}

fn read_ngrams<'a>(bytes: &'a [u8], keep: Keep<'a>) -> Result<Ngrams, ModelError> {
    let tensors = Tensors::read(NGRAMS_FILE, bytes)?;
    let shape = tensors.shape("checks")?;
    let buckets = shape.first().copied().unwrap_or(0);
    if !buckets.is_power_of_two() {
        return Err(ModelError::Config {
            file: NGRAMS_FILE.to_owned(),
            reason: format!("{buckets} buckets are no power of two"),
        });
    }
    let floats = |name: &str| {
        let numbers = tensors.floats(name, &[LABELS])?;
        Ok(std::array::from_fn(|label| numbers[label]))
    };
    Ok(Ngrams {
        checks: keep(tensors.bytes("checks", Dtype::U8, &[buckets])?),
        weights: keep(tensors.bytes("weights", Dtype::I8, &[buckets, LABELS])?),
        scales: floats("scales")?,
        bias: floats("bias")?,
    })
}
