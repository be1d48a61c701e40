//! Files of a training: the model that comes of it, and what is needed to go on after an interruption.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use half::f16;
use safetensors::{Dtype, tensor::TensorView};
use serde::{Deserialize, Serialize};

use super::{
    TrainError,
    network::{Network, shapes},
    optimiser::{Memory, Optimiser},
};
use crate::model::{NGRAMS_FILE, Ngrams, Tensors, WEIGHTS_FILE};

/// How far a training has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Options and texts the training was begun with, as one number.
    pub(crate) fingerprint: u64,
    /// Stages that are done.
    pub(crate) stage: usize,
    /// Passes of the next one that are done.
    pub(crate) epoch: usize,
    /// Steps of that one.
    pub(crate) step: usize,
}

/// The directory that exists while a training does.
pub(crate) struct Checkpoint(PathBuf);

impl Checkpoint {
    pub(crate) fn new(out: &Path) -> Result<Self, TrainError> {
        let directory = out.join("checkpoint");
        fs::create_dir_all(&directory).map_err(|source| io(&directory, source))?;
        Ok(Self(directory))
    }

    /// Where the training with this fingerprint was interrupted.
    pub(crate) fn position(&self, fingerprint: u64) -> Position {
        let begun = Position { fingerprint, ..Position::default() };
        // What is not there, half written or of another training is begun anew.
        let Ok(bytes) = fs::read(self.0.join("position.json")) else {
            return begun;
        };
        match serde_json::from_slice::<Position>(&bytes) {
            Ok(position) if position.fingerprint == fingerprint => position,
            _ => begun,
        }
    }

    /// Keeps the state within a stage, then the position that refers to it.
    pub(crate) fn save(
        &self,
        position: &Position,
        network: &Network,
        optimiser: &Optimiser,
    ) -> Result<(), TrainError> {
        let mut tensors = BTreeMap::new();
        for (name, values) in plain(network)? {
            tensors.insert(format!("weight.{name}"), values);
        }
        for (name, memory) in &optimiser.memories {
            tensors.insert(format!("first.{name}"), memory.first.clone());
            tensors.insert(format!("second.{name}"), memory.second.clone());
            tensors.insert(format!("mean.{name}"), memory.mean.clone());
        }
        write_floats(&self.0.join(state_file(position)), &tensors)?;
        self.mark(position)?;
        // The state before is of no use any more; one that cannot be removed is removed with the rest.
        if position.epoch > 1 {
            let before = Position { epoch: position.epoch - 1, ..position.clone() };
            fs::remove_file(self.0.join(state_file(&before))).unwrap_or_default();
        }
        Ok(())
    }

    pub(crate) fn load(
        &self,
        position: &Position,
        network: &Network,
        optimiser: &mut Optimiser,
    ) -> Result<(), TrainError> {
        let mut tensors = read_floats(&self.0.join(state_file(position)))?;
        let mut take = |kind: &str, name: &str| tensors.remove(&format!("{kind}.{name}"));
        let mut weights = BTreeMap::new();
        for name in network.weights.keys() {
            if let Some(values) = take("weight", name) {
                weights.insert(name.clone(), values);
            }
            if let (Some(first), Some(second), Some(mean)) =
                (take("first", name), take("second", name), take("mean", name))
            {
                optimiser.memories.insert(name.clone(), Memory { first, second, mean });
            }
        }
        optimiser.step = position.step;
        network.take(&weights).map_err(TrainError::Tensor)
    }

    /// Keeps the weights a stage ended with.
    pub(crate) fn finish(
        &self,
        position: &Position,
        weights: &BTreeMap<String, Vec<f32>>,
    ) -> Result<(), TrainError> {
        write_floats(&self.0.join(format!("stage-{}.safetensors", position.stage)), weights)?;
        self.mark(&Position { stage: position.stage + 1, epoch: 0, step: 0, ..position.clone() })
    }

    /// The weights a stage ended with.
    pub(crate) fn finished(&self, stage: usize) -> Result<BTreeMap<String, Vec<f32>>, TrainError> {
        read_floats(&self.0.join(format!("stage-{stage}.safetensors")))
    }

    /// Removes everything: the model is written.
    pub(crate) fn remove(&self) -> Result<(), TrainError> {
        fs::remove_dir_all(&self.0).map_err(|source| io(&self.0, source))
    }

    fn mark(&self, position: &Position) -> Result<(), TrainError> {
        let json = serde_json::to_vec(position).expect("a position is plain");
        write(&self.0.join("position.json"), &json)
    }
}

fn state_file(position: &Position) -> String {
    format!("state-{}-{}.safetensors", position.stage, position.epoch)
}

/// Numbers of every weight.
pub(crate) fn plain(network: &Network) -> Result<BTreeMap<String, Vec<f32>>, TrainError> {
    let numbers = |var: &candle_core::Var| var.flatten_all()?.to_vec1::<f32>();
    network
        .weights
        .iter()
        .map(|(name, var)| Ok((name.clone(), numbers(var).map_err(TrainError::Tensor)?)))
        .collect()
}

/// Writes the weights of an encoder and its head as f16; what only guesses hidden tokens is left out.
pub(crate) fn write_encoder(out: &Path, network: &Network) -> Result<(), TrainError> {
    let mut numbers = plain(network)?;
    let mut tensors = Vec::new();
    for (name, shape) in shapes(&network.config) {
        if let (false, Some(values)) = (name.starts_with("cls."), numbers.remove(&name)) {
            let bytes: Vec<u8> =
                values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
            tensors.push((name, Dtype::F16, shape, bytes));
        }
    }
    write_tensors(&out.join(WEIGHTS_FILE), &tensors)
}

/// Writes a table of n-grams.
pub(crate) fn write_ngrams(out: &Path, ngrams: &Ngrams) -> Result<(), TrainError> {
    let floats =
        |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let (buckets, labels) = (ngrams.checks.len(), ngrams.bias.len());
    let tensors = vec![
        ("checks".to_owned(), Dtype::U8, vec![buckets], ngrams.checks.to_vec()),
        ("weights".to_owned(), Dtype::I8, vec![buckets, labels], ngrams.weights.to_vec()),
        ("scales".to_owned(), Dtype::F32, vec![labels], floats(&ngrams.scales)),
        ("bias".to_owned(), Dtype::F32, vec![labels], floats(&ngrams.bias)),
    ];
    write_tensors(&out.join(NGRAMS_FILE), &tensors)
}

/// Writes a file beside its place first, so that it is never there in part.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let beside = path.with_extension("part");
    fs::write(&beside, bytes)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|source| io(path, source))
}

fn write_tensors(
    path: &Path,
    tensors: &[(String, Dtype, Vec<usize>, Vec<u8>)],
) -> Result<(), TrainError> {
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes)
            .expect("bytes are as many as the shape says");
        (name.as_str(), view)
    });
    let bytes =
        safetensors::serialize(views, None).expect("names are different and views are sound");
    write(path, &bytes)
}

fn write_floats(path: &Path, tensors: &BTreeMap<String, Vec<f32>>) -> Result<(), TrainError> {
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, values)| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (name.clone(), Dtype::F32, vec![values.len()], bytes)
        })
        .collect();
    write_tensors(path, &tensors)
}

fn read_floats(path: &Path) -> Result<BTreeMap<String, Vec<f32>>, TrainError> {
    let bytes = fs::read(path).map_err(|source| io(path, source))?;
    let file = path.to_string_lossy();
    let tensors = Tensors::read(&file, &bytes).map_err(TrainError::Model)?;
    tensors
        .names()
        .into_iter()
        .map(|name| {
            let values = tensors
                .shape(&name)
                .and_then(|shape| tensors.floats(&name, &shape))
                .map_err(TrainError::Model)?;
            Ok((name, values))
        })
        .collect()
}

fn io(path: &Path, source: std::io::Error) -> TrainError {
    TrainError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            Activation, BertConfig, CONFIG_FILE, Classifier, Pooling, Tokens, VOCABULARY_FILE,
        },
        train::{random::Random, stages},
    };

    /// Weights as they were drawn say little about attention; larger ones tell the two programs apart.
    const SPREAD: f64 = 10.0;

    #[test]
    fn the_model_computes_what_the_network_was_trained_as() {
        let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n退\n款";
        let tokens = Tokens::from_lines(vocabulary).expect("tokens");
        for hidden_act in [Activation::Gelu, Activation::GeluNew, Activation::Relu] {
            let config = BertConfig {
                model_type: "bert".to_owned(),
                vocab_size: 10,
                hidden_size: 24,
                num_hidden_layers: 2,
                num_attention_heads: 3,
                intermediate_size: 40,
                hidden_act,
                max_position_embeddings: 64,
                type_vocab_size: 1,
                layer_norm_eps: 1e-6,
                classifier_pooling: Pooling::Mean,
                normalised_text: true,
            };
            let network = Network::new(&config, &mut Random::new(1, 1)).expect("a network");
            for (name, var) in &network.weights {
                if !name.contains("LayerNorm") {
                    let larger = (var.as_tensor() * SPREAD).expect("larger");
                    var.set(&larger).expect("set");
                }
            }
            let out = tempfile::tempdir().expect("a temporary directory");
            let json = serde_json::to_vec(&config).expect("plain");
            write(&out.path().join(CONFIG_FILE), &json).expect("written");
            write(&out.path().join(VOCABULARY_FILE), vocabulary.as_bytes()).expect("written");
            write_encoder(out.path(), &network).expect("written");
            let model = Classifier::open(out.path()).expect("a model");
            let texts = ["a", "退款 a b c", "", "c c c c c c c c c c c c c 退"];
            let ids: Vec<Vec<u32>> = texts.iter().map(|text| tokens.ids(text)).collect();
            let expected = stages::logits(&network, &ids).expect("logits");
            for (text, logits) in texts.iter().zip(expected) {
                let expected = crate::model::softmax(&logits);
                for (ours, theirs) in model.classify(text).into_iter().zip(expected) {
                    assert!((ours - theirs).abs() < 0.01, "{text}: {ours} is not {theirs}");
                }
            }
        }
    }
}
