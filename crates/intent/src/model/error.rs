//! Why a model cannot be used.

use std::{io, path::PathBuf};

/// A model directory was refused. Every variant names the file.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file the model needs cannot be read.
    #[error("cannot read {} of the model", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file of settings is no JSON, or not the one expected.
    #[error("{file} of the model is broken")]
    Json {
        /// Name within the directory.
        file: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The sizes of the encoder contradict each other or are beyond what is read.
    #[error("{file} of the model cannot be used: {reason}")]
    Config {
        /// Name within the directory.
        file: String,
        /// Which of them.
        reason: String,
    },
    /// The vocabulary cannot be read.
    #[error("{file} of the model is no vocabulary: {reason}")]
    Vocabulary {
        /// Name within the directory.
        file: String,
        /// Why not.
        reason: String,
    },
    /// The vocabulary has more entries than the weights.
    #[error("{file} of the model has {entries} entries, but there are weights for {expected}")]
    VocabularySize {
        /// Name within the directory.
        file: String,
        /// Entries it has.
        entries: usize,
        /// Entries `config.json` announces.
        expected: usize,
    },
    /// A file of tensors cannot be read.
    #[error("{file} of the model is broken")]
    Tensors {
        /// Name within the directory.
        file: String,
        /// What is wrong with it.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// A tensor the model needs is not there.
    #[error("{file} of the model has no tensor {tensor}")]
    TensorMissing {
        /// Name within the directory.
        file: String,
        /// The tensor.
        tensor: String,
    },
    /// A tensor has other sizes than the configuration says, or a type of number that is not read.
    #[error("{tensor} in {file} of the model is {found}, expected {expected}")]
    Shape {
        /// Name within the directory.
        file: String,
        /// The tensor.
        tensor: String,
        /// Sizes or type it has.
        found: String,
        /// What is expected.
        expected: String,
    },
    /// A weight is not a number, or infinite.
    #[error("{tensor} in {file} of the model has a weight that is no finite number")]
    NotFinite {
        /// Name within the directory.
        file: String,
        /// The tensor.
        tensor: String,
    },
}
