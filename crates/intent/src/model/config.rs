//! `config.json` of a BERT directory, as Hugging Face writes it.

use serde::{Deserialize, Serialize};

/// The sizes of an encoder and how its head reads it. Keys that are not named here are let be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BertConfig {
    /// Kind of the model; only `bert` is known.
    pub model_type: String,
    /// Entries of the vocabulary.
    pub vocab_size: usize,
    /// Width of a token's vector.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads of attention in a layer.
    pub num_attention_heads: usize,
    /// Width within the feed-forward part of a layer.
    pub intermediate_size: usize,
    /// Its activation.
    pub hidden_act: Activation,
    /// Tokens for which there are positions.
    pub max_position_embeddings: usize,
    /// Kinds of segments; every token is of the first.
    #[serde(default = "two")]
    pub type_vocab_size: usize,
    /// What keeps a layer norm from dividing by nothing.
    #[serde(default = "layer_norm_eps")]
    pub layer_norm_eps: f32,
    /// What the classification head reads.
    #[serde(default)]
    pub classifier_pooling: Pooling,
    /// Whether the vocabulary is one of text that [`crate::text::normalise`] has been over.
    #[serde(default)]
    pub normalised_text: bool,
}

fn two() -> usize {
    2
}

fn layer_norm_eps() -> f32 {
    1e-12
}

/// The function between the two halves of a feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x * Phi(x)`.
    Gelu,
    /// The same with Phi by tanh.
    GeluNew,
    /// `max(x, 0)`.
    Relu,
}

/// The vector a head reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// That of the first token, through the pooler where there is one.
    #[default]
    Cls,
    /// The mean over all tokens.
    Mean,
}
