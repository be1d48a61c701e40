//! How well a classifier reads texts whose labels are known: figures, a curve, and thresholds to choose.
//!
//! A judgement needs nothing of the model but its probabilities, so the same code judges the shipped model, its
//! n-grams alone, and whatever else takes a text.

mod plot;
mod propose;

use std::{collections::BTreeMap, time::Instant};

use serde::{Deserialize, Serialize};

pub use self::{
    plot::reliability_svg,
    propose::{Proposal, calibrate},
};
use crate::{Example, LABELS, Label};

/// Bins of confidence over which [`Report::calibration_error`] and the reliability curve are taken.
pub const BINS: usize = 10;

/// The least probability with which a label is an opinion. `other` never is one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// For [`Label::Complaint`].
    pub complaint: f32,
    /// For [`Label::Consult`].
    pub consult: f32,
    /// For [`Label::Sales`].
    pub sales: f32,
}

impl Default for Thresholds {
    /// Those of the reference design.
    fn default() -> Self {
        Self { complaint: 0.78, consult: 0.65, sales: 0.82 }
    }
}

impl Thresholds {
    /// What is decided by these probabilities, if anything.
    pub fn decide(&self, probabilities: &[f32; LABELS]) -> Option<Label> {
        let (label, probability) = Label::likeliest(probabilities);
        let least = match label {
            Label::Complaint => self.complaint,
            Label::Consult => self.consult,
            Label::Sales => self.sales,
            Label::Other => return None,
        };
        (probability >= least).then_some(label)
    }
}

/// Probabilities of one text beside what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The label it has.
    pub label: Label,
    /// The language it is counted under.
    pub lang: String,
    /// What the classifier says, in the order of [`Label::ALL`].
    pub probabilities: [f32; LABELS],
    /// How long the classifier took.
    pub took_us: f64,
}

/// Figures of one label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Share of the texts given this label that have it.
    pub precision: f64,
    /// Share of the texts with this label that were given it.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// Figures of one language.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LanguageFigures {
    /// Texts in it.
    pub texts: usize,
    /// Share of texts given their label.
    pub accuracy: f64,
    /// Mean of the labels' F1.
    pub macro_f1: f64,
}

/// Figures of what is decided where probabilities below the thresholds are no opinion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThresholdFigures {
    /// Share of the decisions that are right.
    pub precision: f64,
    /// The same for the decisions for one label.
    pub per_class_precision: BTreeMap<&'static str, f64>,
    /// Share of the texts with one of the three labels on which something was decided.
    pub coverage: f64,
    /// Share of the texts labelled `other` on which something was decided.
    pub other_false: f64,
}

/// Time per text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Took {
    /// Median, in microseconds.
    pub p50: f64,
    /// 99th of 100, in microseconds.
    pub p99: f64,
}

/// Everything that is said about a classifier. The field names are those of `intent eval --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Texts judged.
    pub texts: usize,
    /// Share of texts given their label.
    pub accuracy: f64,
    /// Mean of the labels' F1.
    pub macro_f1: f64,
    /// Figures of each label.
    pub per_class: BTreeMap<&'static str, ClassFigures>,
    /// Figures of each language the lines name.
    pub per_language: BTreeMap<String, LanguageFigures>,
    /// Texts by the label they have, and within it by the label they were given.
    pub confusion: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    /// What is decided at the thresholds.
    pub at_thresholds: ThresholdFigures,
    /// Mean distance of confidence and accuracy over [`BINS`] bins of equal width, weighted by their texts.
    pub calibration_error: f64,
    /// Time per text.
    pub took_us: Took,
}

/// Judges a classifier by examples.
pub fn evaluate(
    classify: impl FnMut(&str) -> [f32; LABELS],
    examples: &[Example],
    thresholds: &Thresholds,
) -> Report {
    report(&judge(classify, examples), thresholds)
}

/// Lets a classifier read every example, one after the other, and keeps what it says.
pub fn judge(mut classify: impl FnMut(&str) -> [f32; LABELS], examples: &[Example]) -> Vec<Judged> {
    examples
        .iter()
        .map(|example| {
            let began = Instant::now();
            let probabilities = classify(&example.text);
            Judged {
                label: example.label,
                lang: example.lang.clone(),
                probabilities,
                took_us: began.elapsed().as_secs_f64() * 1e6,
            }
        })
        .collect()
}

/// Sums up what a classifier said.
pub fn report(judged: &[Judged], thresholds: &Thresholds) -> Report {
    let confusion = Confusion::of(judged.iter());
    let mut languages: BTreeMap<String, Vec<&Judged>> = BTreeMap::new();
    for one in judged {
        languages.entry(one.lang.clone()).or_default().push(one);
    }
    let mut took: Vec<f64> = judged.iter().map(|one| one.took_us).collect();
    took.sort_by(f64::total_cmp);
    Report {
        texts: judged.len(),
        accuracy: confusion.accuracy(),
        macro_f1: confusion.macro_f1(),
        per_class: by_label(|label| confusion.figures(label)),
        per_language: languages
            .into_iter()
            .map(|(lang, judged)| {
                let confusion = Confusion::of(judged.iter().copied());
                let figures = LanguageFigures {
                    texts: judged.len(),
                    accuracy: confusion.accuracy(),
                    macro_f1: confusion.macro_f1(),
                };
                (lang, figures)
            })
            .collect(),
        confusion: by_label(|label| by_label(|given| confusion.0[label.index()][given.index()])),
        at_thresholds: at_thresholds(judged, thresholds),
        calibration_error: calibration_error(judged),
        took_us: Took { p50: quantile(&took, 0.5), p99: quantile(&took, 0.99) },
    }
}

/// Texts of one bin of confidence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Bin {
    pub(crate) texts: usize,
    /// Mean probability of the label given.
    pub(crate) confidence: f64,
    /// Share of texts given their label.
    pub(crate) accuracy: f64,
}

/// Sorts what was said into bins of confidence.
pub(crate) fn bins(judged: &[Judged]) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for one in judged {
        let (label, confidence) = Label::likeliest(&one.probabilities);
        let bin = &mut bins[((confidence * BINS as f32) as usize).min(BINS - 1)];
        bin.texts += 1;
        bin.confidence += f64::from(confidence);
        bin.accuracy += f64::from(u8::from(label == one.label));
    }
    for bin in bins.iter_mut().filter(|bin| bin.texts > 0) {
        bin.confidence /= bin.texts as f64;
        bin.accuracy /= bin.texts as f64;
    }
    bins
}

fn calibration_error(judged: &[Judged]) -> f64 {
    let weighted =
        |bin: &Bin| share(bin.texts, judged.len()) * (bin.confidence - bin.accuracy).abs();
    bins(judged).iter().map(weighted).sum()
}

fn at_thresholds(judged: &[Judged], thresholds: &Thresholds) -> ThresholdFigures {
    let mut decided = [0; LABELS];
    let mut right = [0; LABELS];
    let mut matters = 0;
    let mut covered = 0;
    let mut others = 0;
    let mut others_decided = 0;
    for one in judged {
        let decision = thresholds.decide(&one.probabilities);
        let some = usize::from(decision.is_some());
        if one.label == Label::Other {
            others += 1;
            others_decided += some;
        } else {
            matters += 1;
            covered += some;
        }
        if let Some(label) = decision {
            decided[label.index()] += 1;
            right[label.index()] += usize::from(label == one.label);
        }
    }
    ThresholdFigures {
        precision: share(right.iter().sum(), decided.iter().sum()),
        per_class_precision: by_label(|label| share(right[label.index()], decided[label.index()]))
            .into_iter()
            .filter(|(name, _)| *name != Label::Other.as_str())
            .collect(),
        coverage: share(covered, matters),
        other_false: share(others_decided, others),
    }
}

/// Texts by the label they have and the one they were given.
struct Confusion([[usize; LABELS]; LABELS]);

impl Confusion {
    fn of<'a>(judged: impl Iterator<Item = &'a Judged>) -> Self {
        let mut counts = [[0; LABELS]; LABELS];
        for one in judged {
            let (given, _) = Label::likeliest(&one.probabilities);
            counts[one.label.index()][given.index()] += 1;
        }
        Self(counts)
    }

    fn accuracy(&self) -> f64 {
        let right = (0..LABELS).map(|at| self.0[at][at]).sum();
        share(right, self.0.iter().flatten().sum())
    }

    fn figures(&self, label: Label) -> ClassFigures {
        let at = label.index();
        let right = self.0[at][at];
        let given: usize = self.0.iter().map(|row| row[at]).sum();
        let have: usize = self.0[at].iter().sum();
        ClassFigures {
            precision: share(right, given),
            recall: share(right, have),
            f1: share(2 * right, given + have),
        }
    }

    /// Mean over the labels that occur or were given: one that does neither says nothing.
    fn macro_f1(&self) -> f64 {
        let f1: Vec<f64> = Label::ALL
            .into_iter()
            .filter(|label| {
                let at = label.index();
                self.0[at].iter().sum::<usize>() + self.0.iter().map(|row| row[at]).sum::<usize>()
                    > 0
            })
            .map(|label| self.figures(label).f1)
            .collect();
        f1.iter().sum::<f64>() / f1.len().max(1) as f64
    }
}

fn by_label<T>(of: impl Fn(Label) -> T) -> BTreeMap<&'static str, T> {
    Label::ALL.into_iter().map(|label| (label.as_str(), of(label))).collect()
}

/// Part of a whole; none of nothing is 0.
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn quantile(sorted: &[f64], at: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * at).round() as usize).copied().unwrap_or(0.0)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn judged(label: Label, lang: &str, probabilities: [f32; LABELS]) -> Judged {
        Judged { label, lang: lang.to_owned(), probabilities, took_us: 100.0 }
    }

    #[test]
    fn figures_are_those_counted_by_hand() {
        let judged = [
            judged(Label::Complaint, "zh", [0.9, 0.1, 0.0, 0.0]),
            judged(Label::Complaint, "zh", [0.2, 0.7, 0.1, 0.0]),
            judged(Label::Consult, "en", [0.1, 0.6, 0.2, 0.1]),
            judged(Label::Sales, "en", [0.0, 0.1, 0.85, 0.05]),
            judged(Label::Other, "en", [0.0, 0.1, 0.0, 0.9]),
            judged(Label::Other, "en", [0.8, 0.1, 0.1, 0.0]),
        ];
        let report = report(&judged, &Thresholds::default());
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
        close(report.accuracy, 4.0 / 6.0);
        close(report.per_class["complaint"].precision, 0.5);
        close(report.per_class["complaint"].recall, 0.5);
        close(report.per_class["consult"].f1, 2.0 / 3.0);
        close(report.macro_f1, (0.5 + 2.0 / 3.0 + 1.0 + 2.0 / 3.0) / 4.0);
        assert_eq!(report.confusion["other"]["complaint"], 1);
        // Decided: 0.9 and 0.8 complaint, 0.7 consult, 0.85 sales; the consult of 0.6 is not.
        close(report.at_thresholds.precision, 0.5);
        close(report.at_thresholds.coverage, 0.75);
        close(report.at_thresholds.other_false, 0.5);
        close(report.at_thresholds.per_class_precision["sales"], 1.0);
        assert_eq!(report.per_language["en"].texts, 4);
        assert!(report.calibration_error > 0.0);
        let json = serde_json::to_value(&report).expect("a report is plain");
        assert!(json["took_us"]["p99"].is_number());
    }

    #[test]
    fn nothing_judged_is_a_report_of_zeros() {
        let report = report(&[], &Thresholds::default());
        assert_eq!(report.texts, 0);
        assert!(report.macro_f1.abs() < f64::EPSILON);
        assert!(report.took_us.p50.abs() < f64::EPSILON);
    }

    #[test]
    fn confidence_that_is_accuracy_has_no_error() {
        // Of ten texts with 0.8, eight are right.
        let judged: Vec<Judged> = (0..10)
            .map(|at| {
                let label = if at < 8 { Label::Sales } else { Label::Consult };
                judged(label, "zh", [0.1, 0.05, 0.8, 0.05])
            })
            .collect();
        assert!(calibration_error(&judged) < 1e-6);
    }
}
