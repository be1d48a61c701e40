//! Fits the weights of `src/weights.rs` on questions with their articles, and prints them.
//!
//! `fit FILE..`: the order by a softmax over what was found for a question, how sure it is by a logistic line over the
//! first three of each. Five folds say what the figures are on questions that were not fitted on.

use std::{env, fs};

use anyhow::Result;
use frontdesk_knowledge::{FIGURES, FOUND_MAX, Knowledge, Options, demo, eval};

const ROUNDS: usize = 10_000;
const STEP: f64 = 0.1;
const RANK_DECAY: f64 = 0.002;
const CERTAIN_DECAY: f64 = 0.001;
const FOLDS: usize = 5;
/// Says nothing of the order: all texts of a question have the same share of unknown words.
const UNKNOWN: usize = 7;
const CERTAIN: usize = FIGURES + 2;

struct Case {
    figures: Vec<[f64; FIGURES]>,
    right: Option<usize>,
    answerable: bool,
}

#[expect(clippy::print_stdout, reason = "an example speaks to who runs it")]
fn main() -> Result<()> {
    let knowledge = Knowledge::build(&demo::articles(), Options::default())?;
    let mut cases = Vec::new();
    for file in env::args().skip(1) {
        for question in eval::read_questions(&fs::read_to_string(&file)?)? {
            let found = knowledge.find(&question.question, &question.lang, FOUND_MAX);
            let right =
                found.iter().position(|found| Some(&found.slug) == question.article.as_ref());
            let figures = found.iter().map(|found| found.parts.figures().map(f64::from)).collect();
            cases.push(Case { figures, right, answerable: question.article.is_some() });
        }
    }
    let mut scored = Vec::new();
    let (mut first, mut third) = (0, 0);
    for fold in 0..FOLDS {
        let of = |test: bool| {
            cases
                .iter()
                .enumerate()
                .filter(move |(at, _)| (at % FOLDS == fold) == test)
                .map(|(_, case)| case)
        };
        let train: Vec<&Case> = of(false).collect();
        let rank = fit_rank(&train);
        let certain = fit_certain(&train, &rank);
        for case in of(true) {
            let order = order(case, &rank);
            first += usize::from(case.right.is_some() && order.first() == case.right.as_ref());
            third += usize::from(
                case.right.is_some_and(|right| order.iter().take(3).any(|at| *at == right)),
            );
            let Some(best) = order.first() else { continue };
            let score = sigmoid(dot(&certain, &certain_figures(case, &order, 0, &rank)));
            scored.push((score, case.answerable, Some(*best) == case.right));
        }
    }
    let answerable = cases.iter().filter(|case| case.answerable).count();
    let null = cases.len() - answerable;
    println!(
        "held out: recall_at_1 {:.3} recall_at_3 {:.3}",
        first as f64 / answerable as f64,
        third as f64 / answerable as f64
    );
    for threshold in [0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.88, 0.9, 0.92, 0.94, 0.96, 0.97] {
        let over: Vec<_> = scored.iter().filter(|(score, ..)| *score >= threshold).collect();
        let right = over.iter().filter(|(.., right)| *right).count();
        let wrong = over.iter().filter(|(_, answerable, right)| *answerable && !*right).count();
        let without = over.iter().filter(|(_, answerable, _)| !*answerable).count();
        println!(
            "  from {threshold}: right {:.3} wrong {:.3} unanswerable {:.3}",
            right as f64 / answerable as f64,
            wrong as f64 / answerable as f64,
            without as f64 / null as f64
        );
    }
    let all: Vec<&Case> = cases.iter().collect();
    let rank = fit_rank(&all);
    let certain = fit_certain(&all, &rank);
    println!("RANK {rank:.2?}");
    println!("CERTAIN {:.2?}", &certain[..=FIGURES]);
    println!("CERTAIN_BIAS {:.2}", certain[FIGURES + 1]);
    Ok(())
}

fn fit_rank(cases: &[&Case]) -> [f64; FIGURES] {
    let mut weights = [1.0; FIGURES];
    weights[UNKNOWN] = 0.0;
    let usable: Vec<(&Case, usize)> =
        cases.iter().filter_map(|case| Some((*case, case.right?))).collect();
    for _ in 0..ROUNDS {
        let mut slope = [0.0; FIGURES];
        for (case, right) in &usable {
            let scores: Vec<f64> =
                case.figures.iter().map(|figures| dot(&weights, figures).exp()).collect();
            let total: f64 = scores.iter().sum();
            for (at, figures) in case.figures.iter().enumerate() {
                let error = scores[at] / total - f64::from(u8::from(at == *right));
                for (slope, figure) in slope.iter_mut().zip(figures) {
                    *slope += error * figure;
                }
            }
        }
        for (weight, slope) in weights.iter_mut().zip(slope) {
            *weight -= STEP * 4.0 * (slope / usable.len() as f64 + RANK_DECAY * *weight);
        }
        weights[UNKNOWN] = 0.0;
    }
    weights
}

fn fit_certain(cases: &[&Case], rank: &[f64; FIGURES]) -> [f64; CERTAIN] {
    let mut rows = Vec::new();
    for case in cases {
        let order = order(case, rank);
        for place in 0..order.len().min(3) {
            let right = Some(order[place]) == case.right;
            rows.push((certain_figures(case, &order, place, rank), f64::from(u8::from(right))));
        }
    }
    let mut weights = [0.0; CERTAIN];
    for _ in 0..ROUNDS {
        let mut slope = [0.0; CERTAIN];
        for (figures, right) in &rows {
            let error = sigmoid(dot(&weights, figures)) - right;
            for (slope, figure) in slope.iter_mut().zip(figures) {
                *slope += error * figure;
            }
        }
        for (at, (weight, slope)) in weights.iter_mut().zip(slope).enumerate() {
            let decay = if at + 1 == CERTAIN { 0.0 } else { CERTAIN_DECAY * *weight };
            *weight -= STEP * 4.0 * (slope / rows.len() as f64 + decay);
        }
    }
    weights
}

fn order(case: &Case, rank: &[f64; FIGURES]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..case.figures.len()).collect();
    order.sort_by(|one, other| {
        dot(rank, &case.figures[*other]).total_cmp(&dot(rank, &case.figures[*one]))
    });
    order
}

/// The figures, the margin as the library has it, and 1 for the constant.
fn certain_figures(
    case: &Case,
    order: &[usize],
    place: usize,
    rank: &[f64; FIGURES],
) -> [f64; CERTAIN] {
    let score = |place: usize| order.get(place).map_or(0.0, |at| dot(rank, &case.figures[*at]));
    let margin = if place == 0 { score(0) - score(1).max(0.0) } else { score(place) - score(0) };
    let mut row = [1.0; CERTAIN];
    row[..FIGURES].copy_from_slice(&case.figures[order[place]]);
    row[FIGURES] = margin;
    row
}

fn dot<const N: usize>(weights: &[f64; N], figures: &[f64; N]) -> f64 {
    weights.iter().zip(figures).map(|(weight, figure)| weight * figure).sum()
}

fn sigmoid(line: f64) -> f64 {
    1.0 / (1.0 + (-line).exp())
}
