//! The encoder of BERT: what a sequence of tokens becomes.
//!
//! Embeddings, then layers of attention and feed-forward, each added to its input and normalised. Sequences of a
//! batch stand one after the other without filling; only attention has to know where one ends.

use super::{
    BertConfig, ModelError, Pooling,
    matrix::{Linear, Norm, activate, attend},
    tensors::{Keep, Rows, Tensors},
};
use crate::LABELS;

/// Weights of an encoder and, where there is one, of the head for the labels.
pub(crate) struct Encoder {
    config: BertConfig,
    words: Rows,
    positions: Vec<f32>,
    segment: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    head: Option<Head>,
}

struct Layer {
    /// Query, key and value of a token in one product.
    mixed: Linear,
    attended: Linear,
    attended_norm: Norm,
    inner: Linear,
    output: Linear,
    output_norm: Norm,
}

struct Head {
    /// The layer over the first token that BERT was pretrained with, where the file has it.
    pooler: Option<Linear>,
    classifier: Linear,
}

impl Encoder {
    /// Takes the weights of a file, under the names Hugging Face gives them.
    pub(crate) fn new<'a>(
        config: &BertConfig,
        tensors: &Tensors<'a>,
        keep: Keep<'a>,
    ) -> Result<Self, ModelError> {
        let prefix =
            if tensors.has("bert.embeddings.word_embeddings.weight") { "bert." } else { "" };
        let named = |name: &str| format!("{prefix}{name}");
        let width = config.hidden_size;
        let norm = |name: &str| {
            Ok(Norm {
                gain: tensors.floats(&format!("{name}.weight"), &[width])?,
                shift: tensors.floats(&format!("{name}.bias"), &[width])?,
                epsilon: config.layer_norm_eps,
            })
        };
        let layers = (0..config.num_hidden_layers)
            .map(|layer| {
                let name = named(&format!("encoder.layer.{layer}"));
                let inner = config.intermediate_size;
                Ok(Layer {
                    mixed: mixed(tensors, &name, width)?,
                    attended: linear(
                        tensors,
                        &format!("{name}.attention.output.dense"),
                        width,
                        width,
                    )?,
                    attended_norm: norm(&format!("{name}.attention.output.LayerNorm"))?,
                    inner: linear(tensors, &format!("{name}.intermediate.dense"), width, inner)?,
                    output: linear(tensors, &format!("{name}.output.dense"), inner, width)?,
                    output_norm: norm(&format!("{name}.output.LayerNorm"))?,
                })
            })
            .collect::<Result<_, ModelError>>()?;
        let segments = tensors.floats(
            &named("embeddings.token_type_embeddings.weight"),
            &[config.type_vocab_size, width],
        )?;
        Ok(Self {
            words: tensors.rows(
                &named("embeddings.word_embeddings.weight"),
                [config.vocab_size, width],
                keep,
            )?,
            positions: tensors.floats(
                &named("embeddings.position_embeddings.weight"),
                &[config.max_position_embeddings, width],
            )?,
            segment: segments[..width].to_vec(),
            norm: norm(&named("embeddings.LayerNorm"))?,
            layers,
            head: head(config, tensors, prefix)?,
            config: config.clone(),
        })
    }

    /// Tokens a sequence has at most.
    pub(crate) fn tokens_max(&self) -> usize {
        self.config.max_position_embeddings
    }

    pub(crate) fn has_head(&self) -> bool {
        self.head.is_some()
    }

    /// Logits of the labels for each sequence; there has to be a head.
    pub(crate) fn logits(&self, sequences: &[Vec<u32>]) -> Vec<[f32; LABELS]> {
        let head = self.head.as_ref().expect("it is asked only where there is one");
        let hidden = self.encode(sequences);
        let width = self.config.hidden_size;
        let mut pooled = match self.config.classifier_pooling {
            Pooling::Mean => self.means(&hidden, sequences),
            Pooling::Cls => self.firsts(&hidden, sequences),
        };
        if let Some(pooler) = &head.pooler {
            let mut through = vec![0.0; sequences.len() * width];
            pooler.apply(&pooled, &mut through);
            pooled = through.into_iter().map(f32::tanh).collect();
        }
        let mut logits = vec![0.0; sequences.len() * LABELS];
        head.classifier.apply(&pooled, &mut logits);
        logits.as_chunks::<LABELS>().0.to_vec()
    }

    /// The mean vector of a sequence's tokens, of length 1.
    pub(crate) fn embed(&self, sequence: Vec<u32>) -> Vec<f32> {
        let sequences = [sequence];
        let mut mean = self.means(&self.encode(&sequences), &sequences);
        let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
        for value in &mut mean {
            *value /= length;
        }
        mean
    }

    /// Vectors of all tokens, one sequence after the other.
    fn encode(&self, sequences: &[Vec<u32>]) -> Vec<f32> {
        let width = self.config.hidden_size;
        let tokens: usize = sequences.iter().map(Vec::len).sum();
        let mut hidden = Vec::with_capacity(tokens * width);
        for sequence in sequences {
            for (at, &id) in sequence.iter().enumerate() {
                let from = hidden.len();
                self.words.read_into(id as usize, &mut hidden);
                let position = &self.positions[at * width..][..width];
                let added = position.iter().zip(&self.segment);
                for (value, (position, segment)) in hidden[from..].iter_mut().zip(added) {
                    *value = *value + position + segment;
                }
            }
        }
        self.norm.apply(&mut hidden);
        let mut mixed = vec![0.0; tokens * 3 * width];
        let mut seen = vec![0.0; tokens * width];
        let mut attended = vec![0.0; tokens * width];
        let mut inner = vec![0.0; tokens * self.config.intermediate_size];
        let mut scratch = Vec::new();
        for layer in &self.layers {
            layer.mixed.apply(&hidden, &mut mixed);
            let mut from = 0;
            for sequence in sequences {
                let to = from + sequence.len();
                attend(
                    &mixed[from * 3 * width..to * 3 * width],
                    width,
                    self.config.num_attention_heads,
                    &mut seen[from * width..to * width],
                    &mut scratch,
                );
                from = to;
            }
            layer.attended.apply(&seen, &mut attended);
            layer.attended_norm.add_and_apply(&mut attended, &hidden);
            layer.inner.apply(&attended, &mut inner);
            activate(self.config.hidden_act, &mut inner);
            layer.output.apply(&inner, &mut hidden);
            layer.output_norm.add_and_apply(&mut hidden, &attended);
        }
        hidden
    }

    fn means(&self, hidden: &[f32], sequences: &[Vec<u32>]) -> Vec<f32> {
        let width = self.config.hidden_size;
        let mut means = vec![0.0; sequences.len() * width];
        let mut rows = hidden.chunks_exact(width);
        for (sequence, mean) in sequences.iter().zip(means.chunks_exact_mut(width)) {
            let share = 1.0 / sequence.len() as f32;
            for row in rows.by_ref().take(sequence.len()) {
                for (mean, value) in mean.iter_mut().zip(row) {
                    *mean += value * share;
                }
            }
        }
        means
    }

    fn firsts(&self, hidden: &[f32], sequences: &[Vec<u32>]) -> Vec<f32> {
        let width = self.config.hidden_size;
        let mut firsts = Vec::with_capacity(sequences.len() * width);
        let mut from = 0;
        for sequence in sequences {
            firsts.extend_from_slice(&hidden[from * width..(from + 1) * width]);
            from += sequence.len();
        }
        firsts
    }
}

/// Checks what the sizes of a configuration have to fulfil among each other.
pub(crate) fn check(config: &BertConfig) -> Result<(), String> {
    let limits = [
        ("vocab_size", config.vocab_size, 1_000_000),
        ("hidden_size", config.hidden_size, 8_192),
        ("num_hidden_layers", config.num_hidden_layers, 128),
        ("num_attention_heads", config.num_attention_heads, 128),
        ("intermediate_size", config.intermediate_size, 65_536),
        ("max_position_embeddings", config.max_position_embeddings, 65_536),
        ("type_vocab_size", config.type_vocab_size, 1_024),
    ];
    for (name, value, most) in limits {
        if value == 0 || value > most {
            return Err(format!("{name} is {value}, expected 1 to {most}"));
        }
    }
    if config.model_type != "bert" {
        return Err(format!("model_type is {}, only bert is read", config.model_type));
    }
    if !config.hidden_size.is_multiple_of(config.num_attention_heads) {
        return Err("hidden_size is no multiple of num_attention_heads".to_owned());
    }
    if !config.layer_norm_eps.is_finite() || config.layer_norm_eps <= 0.0 {
        return Err("layer_norm_eps is not above 0".to_owned());
    }
    Ok(())
}

fn head(
    config: &BertConfig,
    tensors: &Tensors<'_>,
    prefix: &str,
) -> Result<Option<Head>, ModelError> {
    if !tensors.has("classifier.weight") {
        return Ok(None);
    }
    let width = config.hidden_size;
    let pooler = format!("{prefix}pooler.dense");
    let pooled =
        config.classifier_pooling == Pooling::Cls && tensors.has(&format!("{pooler}.weight"));
    Ok(Some(Head {
        pooler: pooled.then(|| linear(tensors, &pooler, width, width)).transpose()?,
        classifier: linear(tensors, "classifier", width, LABELS)?,
    }))
}

fn linear(
    tensors: &Tensors<'_>,
    name: &str,
    inputs: usize,
    outputs: usize,
) -> Result<Linear, ModelError> {
    let weights = tensors.floats(&format!("{name}.weight"), &[outputs, inputs])?;
    let bias = tensors.floats(&format!("{name}.bias"), &[outputs])?;
    Ok(Linear::new(&weights, &bias, inputs, outputs))
}

/// Query, key and value as one map.
fn mixed(tensors: &Tensors<'_>, layer: &str, width: usize) -> Result<Linear, ModelError> {
    let mut weights = Vec::with_capacity(3 * width * width);
    let mut bias = Vec::with_capacity(3 * width);
    for part in ["query", "key", "value"] {
        let name = format!("{layer}.attention.self.{part}");
        weights.extend(tensors.floats(&format!("{name}.weight"), &[width, width])?);
        bias.extend(tensors.floats(&format!("{name}.bias"), &[width])?);
    }
    Ok(Linear::new(&weights, &bias, width, 3 * width))
}
