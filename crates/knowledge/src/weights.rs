//! What the figures of a question and a text count for. Printed by `examples/fit.rs`, not written by hand.

use crate::judge::FIGURES;

/// For the order: the figures of [`crate::Parts`].
pub(crate) const RANK: [f32; FIGURES] = [3.91, 1.54, 4.33, 3.51, 1.24, 2.49, 1.74, 0.00, 2.79];
/// For how sure it is: the same figures, then the margin.
pub(crate) const CERTAIN: [f32; FIGURES + 1] =
    [-0.28, -0.02, 1.21, 0.77, 0.35, -1.93, 1.86, -1.94, 2.26, 0.59];
/// Its constant.
pub(crate) const CERTAIN_BIAS: f32 = -2.09;

/// A sentence model's cosine, for the order: the best of a few on `dev.jsonl` with all-MiniLM-L6-v2.
pub(crate) const COSINE_RANK: f32 = 6.0;

/// A text is the answer from here on.
pub(crate) const ANSWER_FROM: f32 = 0.93;
/// Texts are offered from here on.
pub(crate) const OFFER_FROM: f32 = 0.2;
