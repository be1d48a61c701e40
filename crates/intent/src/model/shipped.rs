//! The model in the box: the files of `crates/intent/model/`, built into the program.

use super::{CALIBRATION_FILE, CONFIG_FILE, NGRAMS_FILE, VOCABULARY_FILE, WEIGHTS_FILE};

/// Bytes of a file of the shipped model.
pub(super) fn file(name: &str) -> Option<&'static [u8]> {
    match name {
        CONFIG_FILE => Some(include_bytes!("../../model/config.json")),
        VOCABULARY_FILE => Some(include_bytes!("../../model/vocab.txt")),
        WEIGHTS_FILE => Some(include_bytes!("../../model/model.safetensors")),
        NGRAMS_FILE => Some(include_bytes!("../../model/ngrams.safetensors")),
        CALIBRATION_FILE => Some(include_bytes!("../../model/calibration.json")),
        _ => None,
    }
}
