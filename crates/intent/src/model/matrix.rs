//! Products of matrices and the few functions an encoder needs, on one core and plain slices.
//!
//! An encoder this small spends more time in the bookkeeping of a tensor library, which also wants to spread a
//! product of 32 rows over threads, than in arithmetic. The loops here are written so that the compiler turns
//! them into vector instructions; [`pulp`] picks the widest the machine has when the program runs.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into its caller is not compiled for the caller's vector instructions"
)]

use pulp::{Arch, Simd, WithSimd};

use super::Activation;

/// Columns of one panel of weights: two vectors of eight.
const PANEL: usize = 16;
/// Rows worked on together: with a panel they fill the registers of AVX2.
const ROWS: usize = 6;

/// Weights of one input for the columns of a panel, on a cache line of their own.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Columns([f32; PANEL]);

/// A linear map `x W + b`, its weights in panels of columns so that they are read one after the other.
pub(crate) struct Linear {
    inputs: usize,
    outputs: usize,
    /// For each panel, for each input, the weights of [`PANEL`] outputs.
    panels: Vec<Columns>,
    bias: Vec<Columns>,
}

impl Linear {
    /// Takes weights as Hugging Face stores them: a row for each output.
    pub(crate) fn new(weights: &[f32], bias: &[f32], inputs: usize, outputs: usize) -> Self {
        assert_eq!(weights.len(), inputs * outputs);
        assert_eq!(bias.len(), outputs);
        let of = |panel: usize, at: usize| panel * PANEL + at;
        let count = outputs.div_ceil(PANEL);
        let mut panels = vec![Columns([0.0; PANEL]); count * inputs];
        let mut biases = vec![Columns([0.0; PANEL]); count];
        for panel in 0..count {
            for at in 0..PANEL.min(outputs - panel * PANEL) {
                biases[panel].0[at] = bias[of(panel, at)];
                for input in 0..inputs {
                    panels[panel * inputs + input].0[at] = weights[of(panel, at) * inputs + input];
                }
            }
        }
        Self { inputs, outputs, panels, bias: biases }
    }

    /// Maps rows of inputs to rows of outputs.
    #[inline(never)]
    pub(crate) fn apply(&self, input: &[f32], output: &mut [f32]) {
        assert_eq!(input.len() / self.inputs, output.len() / self.outputs);
        Arch::new().dispatch(Apply { linear: self, input, output });
    }
}

struct Apply<'a> {
    linear: &'a Linear,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // The sums of a panel are held in registers, so how many there are has to be known here.
        match S::F32_LANES {
            16 => self.with_vectors::<S, 1>(simd),
            8 => self.with_vectors::<S, 2>(simd),
            4 => self.with_vectors::<S, 4>(simd),
            _ => self.with_vectors::<S, 16>(simd),
        }
    }
}

impl Apply<'_> {
    #[inline(always)]
    fn with_vectors<S: Simd, const VECTORS: usize>(self, simd: S) {
        let Self { linear, input, output } = self;
        let (inputs, outputs) = (linear.inputs, linear.outputs);
        // A panel is small enough to stay in the first cache while all rows pass by.
        for (panel, bias) in linear.bias.iter().enumerate() {
            let weights = &linear.panels[panel * inputs..(panel + 1) * inputs];
            let from = panel * PANEL;
            let to = (from + PANEL).min(outputs);
            let blocks = input.chunks(ROWS * inputs).zip(output.chunks_mut(ROWS * outputs));
            for (input, output) in blocks {
                // Rows that are missing are the last one again: their sums are not read.
                let last = input.len() / inputs - 1;
                let mut rows = [input; ROWS];
                for (at, row) in rows.iter_mut().enumerate() {
                    *row = &input[at.min(last) * inputs..][..inputs];
                }
                let sums = block::<S, VECTORS>(simd, rows, weights, bias);
                for (output, sums) in output.chunks_mut(outputs).zip(&sums) {
                    output[from..to].copy_from_slice(&sums[..to - from]);
                }
            }
        }
    }
}

/// The sums of a block of rows in one panel.
#[expect(
    clippy::needless_range_loop,
    clippy::manual_memcpy,
    reason = "copies of slices would keep the sums in memory instead of in registers"
)]
#[inline(always)]
fn block<S: Simd, const VECTORS: usize>(
    simd: S,
    rows: [&[f32]; ROWS],
    weights: &[Columns],
    bias: &Columns,
) -> [[f32; PANEL]; ROWS] {
    // Rows of exactly as many numbers as there are weights: nothing is checked in the loop.
    let inputs = weights.len();
    let [first, second, third, fourth, fifth, sixth] = rows;
    let (first, second, third) = (&first[..inputs], &second[..inputs], &third[..inputs]);
    let (fourth, fifth, sixth) = (&fourth[..inputs], &fifth[..inputs], &sixth[..inputs]);
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    let (start, _) = S::as_simd_f32s(&bias.0);
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            sums[row][vector] = start[vector];
        }
    }
    for (input, weights) in weights.iter().enumerate() {
        let (weights, _) = S::as_simd_f32s(&weights.0);
        let factors =
            [first[input], second[input], third[input], fourth[input], fifth[input], sixth[input]];
        for row in 0..ROWS {
            let factor = simd.splat_f32s(factors[row]);
            for vector in 0..VECTORS {
                sums[row][vector] = simd.mul_add_e_f32s(factor, weights[vector], sums[row][vector]);
            }
        }
    }
    let mut plain = [[0.0; PANEL]; ROWS];
    for row in 0..ROWS {
        let (vectors, _) = S::as_mut_simd_f32s(&mut plain[row]);
        for vector in 0..VECTORS {
            vectors[vector] = sums[row][vector];
        }
    }
    plain
}

/// A gain and a shift over what is left of each row once mean and deviation are taken out.
pub(crate) struct Norm {
    pub(crate) gain: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    pub(crate) epsilon: f32,
}

impl Norm {
    /// Adds to each row the same row of another matrix, and normalises the sum in place.
    pub(crate) fn add_and_apply(&self, rows: &mut [f32], added: &[f32]) {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (row, added) in rows.iter_mut().zip(added) {
                    *row += added;
                }
                self.normalise(rows);
            },
        );
    }

    /// Normalises each row in place.
    pub(crate) fn apply(&self, rows: &mut [f32]) {
        Arch::new().dispatch(
            #[inline(always)]
            || self.normalise(rows),
        );
    }

    #[inline(always)]
    fn normalise(&self, rows: &mut [f32]) {
        let width = self.gain.len();
        for row in rows.chunks_exact_mut(width) {
            let mean = sum(row) / width as f32;
            for value in row.iter_mut() {
                *value -= mean;
            }
            let variance = sum_of_squares(row) / width as f32;
            let scale = 1.0 / (variance + self.epsilon).sqrt();
            for ((value, gain), shift) in row.iter_mut().zip(&self.gain).zip(&self.shift) {
                *value = *value * scale * gain + shift;
            }
        }
    }
}

/// Sixteen sums side by side: one after the other they could not be vectors.
#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut sums = [0.0; 16];
    for chunk in chunks {
        for at in 0..16 {
            sums[at] += chunk[at];
        }
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

#[inline(always)]
fn sum_of_squares(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut sums = [0.0; 16];
    for chunk in chunks {
        for at in 0..16 {
            sums[at] += chunk[at] * chunk[at];
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| value * value).sum::<f32>()
}

/// Passes every value through the activation of a feed-forward part.
pub(crate) fn activate(activation: Activation, values: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || match activation {
            Activation::Relu => {
                for value in values {
                    *value = value.max(0.0);
                }
            }
            Activation::GeluNew => {
                for value in values {
                    let x = *value;
                    // 0.5 x (1 + tanh(y)) is x over 1 + exp(-2y).
                    let y = 0.797_884_6 * (x + 0.044_715 * x * x * x);
                    *value = x / (1.0 + exp(-2.0 * y));
                }
            }
            Activation::Gelu => {
                for value in values {
                    *value = 0.5 * *value * (1.0 + erf(*value * std::f32::consts::FRAC_1_SQRT_2));
                }
            }
        },
    );
}

/// Attention of one text: each head of each row looks at all rows.
///
/// `mixed` has for every row its query, key and value one after the other; `output` gets what is seen.
pub(crate) fn attend(
    mixed: &[f32],
    width: usize,
    heads: usize,
    output: &mut [f32],
    scratch: &mut Vec<f32>,
) {
    Arch::new().dispatch(
        #[inline(always)]
        || attend_plain(mixed, width, heads, output, scratch),
    );
}

#[inline(always)]
fn attend_plain(
    mixed: &[f32],
    width: usize,
    heads: usize,
    output: &mut [f32],
    scratch: &mut Vec<f32>,
) {
    let rows = mixed.len() / (3 * width);
    let each = width / heads;
    let share = 1.0 / (each as f32).sqrt();
    scratch.clear();
    scratch.resize(rows * each + rows, 0.0);
    let (keys, scores) = scratch.split_at_mut(rows * each);
    for head in 0..heads {
        // Keys with their columns as rows: a query's scores are then sums of whole vectors.
        for (row, mixed) in mixed.chunks_exact(3 * width).enumerate() {
            let key = &mixed[width + head * each..width + (head + 1) * each];
            for (column, value) in key.iter().enumerate() {
                keys[column * rows + row] = *value;
            }
        }
        for (query, output) in mixed.chunks_exact(3 * width).zip(output.chunks_exact_mut(width)) {
            let query = &query[head * each..(head + 1) * each];
            scores.fill(0.0);
            for (factor, keys) in query.iter().zip(keys.chunks_exact(rows)) {
                let factor = factor * share;
                for (score, key) in scores.iter_mut().zip(keys) {
                    *score += factor * key;
                }
            }
            let most = scores.iter().copied().fold(f32::MIN, f32::max);
            for score in scores.iter_mut() {
                *score = exp(*score - most);
            }
            let whole = 1.0 / sum(scores);
            let output = &mut output[head * each..(head + 1) * each];
            output.fill(0.0);
            for (score, mixed) in scores.iter().zip(mixed.chunks_exact(3 * width)) {
                let value = &mixed[2 * width + head * each..2 * width + (head + 1) * each];
                let score = score * whole;
                for (output, value) in output.iter_mut().zip(value) {
                    *output += score * value;
                }
            }
        }
    }
}

/// The exponential function, to about the precision of its type and without a call: loops over it stay vectors.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    // x = n ln 2 + r; adding a number whose last bit is worth 1 rounds.
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let r2 = r * r;
    let low = (1.987_569_1e-4 * r + 1.398_199_9e-3) * r + 8.333_452e-3;
    let power = ((low * r + 4.166_579_6e-2) * r + 0.166_666_65) * r + 0.5;
    let power = power * r2 + r + 1.0;
    let exponent = shifted.to_bits().wrapping_add(127) << 23;
    power * f32::from_bits(exponent)
}

/// The error function, to 1.5e-7 (Abramowitz and Stegun 7.1.26).
#[inline(always)]
fn erf(x: f32) -> f32 {
    let positive = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * positive);
    let sum = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t
        + 0.254_829_6)
        * t;
    (1.0 - sum * exp(-positive * positive)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f32, b: f32, by: f32) {
        assert!((a - b).abs() <= by * (1.0 + b.abs()), "{a} is not {b}");
    }

    #[test]
    fn a_product_is_the_one_computed_plainly() {
        // Sizes around those of panels and blocks.
        for (rows, inputs, outputs) in
            [(1, 1, 1), (6, 16, 16), (7, 5, 17), (13, 128, 4), (2, 33, 31)]
        {
            let number = |at: usize| ((at * 37 % 101) as f32 - 50.0) / 50.0;
            let input: Vec<f32> = (0..rows * inputs).map(number).collect();
            let weights: Vec<f32> = (0..inputs * outputs).map(|at| number(at + 3)).collect();
            let bias: Vec<f32> = (0..outputs).map(|at| number(at + 7)).collect();
            let mut output = vec![f32::NAN; rows * outputs];
            Linear::new(&weights, &bias, inputs, outputs).apply(&input, &mut output);
            for row in 0..rows {
                for column in 0..outputs {
                    let expected: f32 = (0..inputs)
                        .map(|at| input[row * inputs + at] * weights[column * inputs + at])
                        .sum();
                    close(output[row * outputs + column], expected + bias[column], 1e-5);
                }
            }
        }
    }

    #[test]
    fn functions_are_those_of_the_standard_library() {
        for step in -400..=400 {
            let x = step as f32 / 50.0;
            close(exp(x), x.exp(), 1e-6);
            let mut gelu = [x];
            activate(Activation::GeluNew, &mut gelu);
            let tanh = (0.797_884_6 * (x + 0.044_715 * x * x * x)).tanh();
            close(gelu[0], 0.5 * x * (1.0 + tanh), 1e-5);
        }
        close(exp(-1_000.0), 0.0, 1e-30);
        for (x, expected) in
            [(0.0, 0.0), (0.5, 0.520_499_9), (-1.0, -0.842_700_8), (3.0, 0.999_977_9)]
        {
            close(erf(x), expected, 1e-6);
        }
    }

    #[test]
    fn a_row_is_normalised_to_gain_and_shift() {
        let norm = Norm { gain: vec![2.0; 4], shift: vec![1.0; 4], epsilon: 1e-6 };
        let mut row = [1.0, 2.0, 3.0, 4.0];
        norm.add_and_apply(&mut row, &[1.0; 4]);
        let mean: f32 = row.iter().sum::<f32>() / 4.0;
        close(mean, 1.0, 1e-5);
        let mut again = row;
        norm.apply(&mut again);
        close(again[0], row[0], 1e-5);
    }

    #[test]
    fn equal_keys_are_looked_at_equally() {
        // Two rows of width 2 with one head: query, key, value.
        let mixed = [1.0, 0.0, 0.5, 0.5, 1.0, 3.0, 0.0, 1.0, 0.5, 0.5, 3.0, 5.0];
        let mut output = [0.0; 4];
        attend(&mixed, 2, 1, &mut output, &mut Vec::new());
        for (value, expected) in output.into_iter().zip([2.0, 4.0, 2.0, 4.0]) {
            close(value, expected, 1e-5);
        }
    }
}
