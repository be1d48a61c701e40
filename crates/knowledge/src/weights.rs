//! What the figures of a question and a text count for. Printed by `examples/fit.rs`, not written by hand.

use crate::judge::FIGURES;

/// For the order: the figures of [`crate::Parts`].
pub(crate) const RANK: [f32; FIGURES] = [3.91, 1.54, 4.33, 3.51, 1.24, 2.49, 1.74, 0.00, 2.79];
/// For how sure it is: the same figures, then the margin.
pub(crate) const CERTAIN: [f32; FIGURES + 1] =
    [-0.28, -0.02, 1.21, 0.77, 0.35, -1.93, 1.86, -1.94, 2.26, 0.59];
/// Its constant.
pub(crate) const CERTAIN_BIAS: f32 = -2.09;

/// A sentence model's cosine, for the order.
pub(crate) const COSINE_RANK: f32 = 4.0;
/// The same for how sure it is, from the middle on.
pub(crate) const COSINE_CERTAIN: f32 = 5.0;
/// The cosine of a title and a question that are neither near nor far.
pub(crate) const COSINE_MIDDLE: f32 = 0.5;

/// A text is the answer from here on.
pub(crate) const ANSWER_FROM: f32 = 0.93;
/// Texts are offered from here on.
pub(crate) const OFFER_FROM: f32 = 0.2;
