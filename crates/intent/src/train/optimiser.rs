//! AdamW with a warm-up, a slope down to nothing, and an average of the weights it passes through.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor, backprop::GradStore};

use super::network::Network;

const FIRST_DECAY: f32 = 0.9;
const SECOND_DECAY: f32 = 0.98;
const EPSILON: f32 = 1e-8;
/// Longest gradient of all weights together; a longer one is shortened to it.
const GRADIENT_MAX: f32 = 1.0;

/// What is remembered of one weight tensor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) first: Vec<f32>,
    pub(crate) second: Vec<f32>,
    pub(crate) mean: Vec<f32>,
}

/// The state of an optimisation; all of it is in a checkpoint.
pub(crate) struct Optimiser {
    pub(crate) memories: BTreeMap<String, Memory>,
    pub(crate) step: usize,
    steps: usize,
    rate: f32,
    decay: f32,
    averaging: f32,
}

impl Optimiser {
    /// Begins an optimisation of `steps` steps whose longest has the length `rate`.
    pub(crate) fn new(steps: usize, rate: f32, decay: f32, averaging: f32) -> Self {
        Self { memories: BTreeMap::new(), step: 0, steps, rate, decay, averaging }
    }

    /// Length of the next step: up over the first tenth, then down to nothing.
    fn rate(&self) -> f32 {
        let done = self.step as f32 / self.steps.max(1) as f32;
        let height = if done < 0.1 { done / 0.1 } else { (1.0 - done) / 0.9 };
        self.rate * height.max(0.001)
    }

    /// Takes one step down the gradients.
    pub(crate) fn step(&mut self, network: &Network, gradients: &GradStore) -> Result<()> {
        let rate = self.rate();
        self.step += 1;
        let first_share = 1.0 - FIRST_DECAY.powi(self.step as i32);
        let second_share = 1.0 - SECOND_DECAY.powi(self.step as i32);
        let averaging = self.averaging.min(self.step as f32 / (self.step as f32 + 10.0));
        let mut slopes = Vec::with_capacity(network.weights.len());
        let mut length = 0.0;
        for (name, var) in &network.weights {
            if let Some(gradient) = gradients.get(var.as_tensor()) {
                let slope = gradient.flatten_all()?.to_vec1::<f32>()?;
                length += slope.iter().map(|one| one * one).sum::<f32>();
                slopes.push((name, var, slope));
            }
        }
        let shortened = (GRADIENT_MAX / length.sqrt().max(1e-12)).min(1.0);
        for (name, var, slope) in slopes {
            let mut values = var.flatten_all()?.to_vec1::<f32>()?;
            let memory = self.memories.entry(name.clone()).or_insert_with(|| Memory {
                first: vec![0.0; slope.len()],
                second: vec![0.0; slope.len()],
                mean: values.clone(),
            });
            let decay = if var.rank() > 1 { rate * self.decay } else { 0.0 };
            let parts = memory.first.iter_mut().zip(&mut memory.second).zip(&mut memory.mean);
            for ((value, slope), ((first, second), mean)) in
                values.iter_mut().zip(&slope).zip(parts)
            {
                let slope = slope * shortened;
                *first = FIRST_DECAY * *first + (1.0 - FIRST_DECAY) * slope;
                *second = SECOND_DECAY * *second + (1.0 - SECOND_DECAY) * slope * slope;
                let towards = *first / first_share / ((*second / second_share).sqrt() + EPSILON);
                *value -= rate * towards + decay * *value;
                *mean = averaging * *mean + (1.0 - averaging) * *value;
            }
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu)?)?;
        }
        Ok(())
    }

    /// The averaged weights; those never stepped are left out.
    pub(crate) fn means(&self) -> BTreeMap<String, Vec<f32>> {
        self.memories.iter().map(|(name, memory)| (name.clone(), memory.mean.clone())).collect()
    }
}
