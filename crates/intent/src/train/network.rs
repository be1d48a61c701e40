//! The encoder and its heads on tensors that know their gradients.
//!
//! The same mathematics as [`crate::model`], which reads the weights trained here by their Hugging Face names.
//! Sums over rows (for biases, scales and shifts) are written as products with a column of ones: the
//! gradient is then a product of matrices too, and many times faster than a strided sum.

use std::collections::BTreeMap;

use candle_core::{D, DType, Device, Result, Tensor, Var};

use super::random::Random;
use crate::{
    LABELS,
    model::{Activation, BertConfig},
};

/// Deviation of the weights a training begins with.
const DEVIATION: f32 = 0.02;
/// Added to the scores of tokens that only fill a row.
const FILLER: f32 = -1e4;

/// Rows of token ids of one length, shorter ones filled.
pub(crate) struct Batch {
    rows: usize,
    length: usize,
    ids: Tensor,
    /// 0 for tokens, [`FILLER`] for filling: rows x 1 x 1 x length.
    attention: Tensor,
    /// Share of each token in its row's mean: rows x 1 x length.
    shares: Tensor,
}

impl Batch {
    pub(crate) fn new(texts: &[&[u32]]) -> Result<Self> {
        let rows = texts.len();
        let length = texts.iter().map(|ids| ids.len()).max().unwrap_or(1);
        let mut ids = vec![0_u32; rows * length];
        let mut attention = vec![FILLER; rows * length];
        let mut shares = vec![0.0_f32; rows * length];
        for (row, text) in texts.iter().enumerate() {
            let from = row * length;
            ids[from..from + text.len()].copy_from_slice(text);
            attention[from..from + text.len()].fill(0.0);
            shares[from..from + text.len()].fill(1.0 / text.len() as f32);
        }
        let device = &Device::Cpu;
        Ok(Self {
            rows,
            length,
            ids: Tensor::from_vec(ids, rows * length, device)?,
            attention: Tensor::from_vec(attention, (rows, 1, 1, length), device)?,
            shares: Tensor::from_vec(shares, (rows, 1, length), device)?,
        })
    }

    /// Place of a token among all of the batch.
    pub(crate) fn place(&self, row: usize, at: usize) -> u32 {
        (row * self.length + at) as u32
    }
}

/// Weights by name, and the sizes they have.
pub(crate) struct Network {
    pub(crate) config: BertConfig,
    pub(crate) weights: BTreeMap<String, Var>,
}

impl Network {
    /// Draws the weights a training begins with.
    pub(crate) fn new(config: &BertConfig, random: &mut Random) -> Result<Self> {
        let mut weights = BTreeMap::new();
        for (name, shape) in shapes(config) {
            let count: usize = shape.iter().product();
            let values: Vec<f32> = if name.ends_with("LayerNorm.weight") {
                vec![1.0; count]
            } else if name.rsplit('.').next() == Some("bias") {
                vec![0.0; count]
            } else {
                (0..count).map(|_| random.normal() * DEVIATION).collect()
            };
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?;
            weights.insert(name, Var::from_tensor(&tensor)?);
        }
        Ok(Self { config: config.clone(), weights })
    }

    /// Replaces the weights that another training left under the same names and shapes.
    pub(crate) fn take(&self, values: &BTreeMap<String, Vec<f32>>) -> Result<()> {
        for (name, var) in &self.weights {
            if let Some(values) = values.get(name)
                && values.len() == var.elem_count()
            {
                var.set(&Tensor::from_slice(values, var.shape(), &Device::Cpu)?)?;
            }
        }
        Ok(())
    }

    /// Vectors of the tokens of a batch, one row each. Without `dropout` nothing is left out.
    pub(crate) fn encode(&self, batch: &Batch, dropout: &mut Dropout<'_>) -> Result<Tensor> {
        let tokens = batch.rows * batch.length;
        let ones = Tensor::ones((tokens, 1), DType::F32, &Device::Cpu)?;
        let positions: Vec<u32> = (0..tokens).map(|at| (at % batch.length) as u32).collect();
        let positions = Tensor::from_vec(positions, tokens, &Device::Cpu)?;
        let embedded = self
            .weight("bert.embeddings.word_embeddings.weight")
            .index_select(&batch.ids, 0)?
            .add(
                &self
                    .weight("bert.embeddings.position_embeddings.weight")
                    .index_select(&positions, 0)?,
            )?
            .add(&ones.matmul(
                &self.weight("bert.embeddings.token_type_embeddings.weight").narrow(0, 0, 1)?,
            )?)?;
        let mut hidden = self.norm(&embedded, &ones, "bert.embeddings.LayerNorm")?;
        hidden = dropout.over(&hidden)?;
        for layer in 0..self.config.num_hidden_layers {
            hidden =
                self.layer(&hidden, &ones, batch, &format!("bert.encoder.layer.{layer}"), dropout)?;
        }
        Ok(hidden)
    }

    fn layer(
        &self,
        input: &Tensor,
        ones: &Tensor,
        batch: &Batch,
        name: &str,
        dropout: &mut Dropout<'_>,
    ) -> Result<Tensor> {
        let heads = self.config.num_attention_heads;
        let width = self.config.hidden_size / heads;
        let split = |tensor: Tensor| {
            tensor.reshape((batch.rows, batch.length, heads, width))?.transpose(1, 2)?.contiguous()
        };
        let query = split(self.linear(input, ones, &format!("{name}.attention.self.query"))?)?;
        let key = split(self.linear(input, ones, &format!("{name}.attention.self.key"))?)?;
        let value = split(self.linear(input, ones, &format!("{name}.attention.self.value"))?)?;
        let scores = (query.matmul(&key.t()?)? * (1.0 / (width as f64).sqrt()))?
            .broadcast_add(&batch.attention)?;
        let most = scores.max_keepdim(D::Minus1)?.detach();
        let powers = scores.broadcast_sub(&most)?.exp()?;
        let shares = powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)?;
        let seen = shares
            .matmul(&value)?
            .transpose(1, 2)?
            .contiguous()?
            .reshape((batch.rows * batch.length, self.config.hidden_size))?;
        let attended = dropout.over(&self.linear(
            &seen,
            ones,
            &format!("{name}.attention.output.dense"),
        )?)?;
        let attended =
            self.norm(&(attended + input)?, ones, &format!("{name}.attention.output.LayerNorm"))?;
        let inner = self.linear(&attended, ones, &format!("{name}.intermediate.dense"))?;
        let inner = match self.config.hidden_act {
            Activation::Gelu => inner.gelu_erf()?,
            Activation::GeluNew => inner.gelu()?,
            Activation::Relu => inner.relu()?,
        };
        let output =
            dropout.over(&self.linear(&inner, ones, &format!("{name}.output.dense"))?)?;
        self.norm(&(output + attended)?, ones, &format!("{name}.output.LayerNorm"))
    }

    /// Logits of the labels: the head reads the mean of a text's vectors.
    pub(crate) fn classify(
        &self,
        hidden: &Tensor,
        batch: &Batch,
        dropout: &mut Dropout<'_>,
    ) -> Result<Tensor> {
        let hidden = hidden.reshape((batch.rows, batch.length, self.config.hidden_size))?;
        let mean = batch.shares.matmul(&hidden)?.squeeze(1)?;
        let ones = Tensor::ones((batch.rows, 1), DType::F32, &Device::Cpu)?;
        self.linear(&dropout.over(&mean)?, &ones, "classifier")
    }

    /// Logits of the vocabulary for tokens at some places.
    pub(crate) fn guess(&self, hidden: &Tensor, places: &Tensor) -> Result<Tensor> {
        let hidden = hidden.index_select(places, 0)?;
        let ones = Tensor::ones((hidden.dim(0)?, 1), DType::F32, &Device::Cpu)?;
        let inner = self.linear(&hidden, &ones, "cls.predictions.transform.dense")?.gelu()?;
        let inner = self.norm(&inner, &ones, "cls.predictions.transform.LayerNorm")?;
        let words = self.weight("bert.embeddings.word_embeddings.weight");
        inner
            .matmul(&words.t()?)?
            .add(&ones.matmul(&self.weight("cls.predictions.bias").unsqueeze(0)?)?)
    }

    fn linear(&self, input: &Tensor, ones: &Tensor, name: &str) -> Result<Tensor> {
        let weight = self.weight(&format!("{name}.weight"));
        let bias = self.weight(&format!("{name}.bias")).unsqueeze(0)?;
        input.matmul(&weight.t()?)?.add(&ones.matmul(&bias)?)
    }

    fn norm(&self, input: &Tensor, ones: &Tensor, name: &str) -> Result<Tensor> {
        let centred = input.broadcast_sub(&input.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let scale = (variance + f64::from(self.config.layer_norm_eps))?.sqrt()?.recip()?;
        let normal = centred.broadcast_mul(&scale)?;
        let gain = ones.matmul(&self.weight(&format!("{name}.weight")).unsqueeze(0)?)?;
        let shift = ones.matmul(&self.weight(&format!("{name}.bias")).unsqueeze(0)?)?;
        normal.mul(&gain)?.add(&shift)
    }

    fn weight(&self, name: &str) -> &Tensor {
        self.weights[name].as_tensor()
    }
}

/// Leaves out a share of what passes, in training.
pub(crate) struct Dropout<'a> {
    /// Share that is left out and where its choice comes from; none outside of training.
    pub(crate) share: Option<(f32, &'a mut Random)>,
}

impl Dropout<'_> {
    fn over(&mut self, tensor: &Tensor) -> Result<Tensor> {
        let Some((share, random)) = &mut self.share else {
            return Ok(tensor.clone());
        };
        if *share <= 0.0 {
            return Ok(tensor.clone());
        }
        let kept = 1.0 / (1.0 - *share);
        let limit = (f64::from(*share) * 65_536.0) as u64;
        let mut mask = Vec::with_capacity(tensor.elem_count() + 3);
        // Four choices of each number drawn.
        while mask.len() < tensor.elem_count() {
            let drawn = random.next();
            for at in 0..4 {
                mask.push(if drawn >> (16 * at) & 0xffff < limit { 0.0 } else { kept });
            }
        }
        mask.truncate(tensor.elem_count());
        tensor.mul(&Tensor::from_vec(mask, tensor.shape(), &Device::Cpu)?)
    }
}

/// Names and shapes of all weights. The head that guesses hidden tokens is only there for training.
pub(crate) fn shapes(config: &BertConfig) -> Vec<(String, Vec<usize>)> {
    let width = config.hidden_size;
    let mut shapes = vec![
        ("bert.embeddings.word_embeddings.weight".to_owned(), vec![config.vocab_size, width]),
        (
            "bert.embeddings.position_embeddings.weight".to_owned(),
            vec![config.max_position_embeddings, width],
        ),
        (
            "bert.embeddings.token_type_embeddings.weight".to_owned(),
            vec![config.type_vocab_size, width],
        ),
    ];
    let norm = |shapes: &mut Vec<_>, name: &str| {
        shapes.push((format!("{name}.weight"), vec![width]));
        shapes.push((format!("{name}.bias"), vec![width]));
    };
    let linear = |shapes: &mut Vec<_>, name: &str, from: usize, to: usize| {
        shapes.push((format!("{name}.weight"), vec![to, from]));
        shapes.push((format!("{name}.bias"), vec![to]));
    };
    norm(&mut shapes, "bert.embeddings.LayerNorm");
    for layer in 0..config.num_hidden_layers {
        let name = format!("bert.encoder.layer.{layer}");
        for part in [
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
        ] {
            linear(&mut shapes, &format!("{name}.{part}"), width, width);
        }
        norm(&mut shapes, &format!("{name}.attention.output.LayerNorm"));
        linear(&mut shapes, &format!("{name}.intermediate.dense"), width, config.intermediate_size);
        linear(&mut shapes, &format!("{name}.output.dense"), config.intermediate_size, width);
        norm(&mut shapes, &format!("{name}.output.LayerNorm"));
    }
    linear(&mut shapes, "classifier", width, LABELS);
    linear(&mut shapes, "cls.predictions.transform.dense", width, width);
    norm(&mut shapes, "cls.predictions.transform.LayerNorm");
    shapes.push(("cls.predictions.bias".to_owned(), vec![config.vocab_size]));
    shapes
}
