//! The loss curve of a training, as a drawing.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 320.0;
const MARGIN: f64 = 44.0;
/// Points of a line at most; each is the mean of the steps around it.
const POINTS_MAX: usize = 300;
const COLOURS: [&str; 4] = ["#2458a6", "#b3541e", "#2e7d4f", "#7a3b8f"];

/// Losses of one stage, step by step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Losses {
    pub(crate) stage: String,
    pub(crate) losses: Vec<f32>,
}

/// Draws each stage as a line of its own over its share of the steps.
pub(crate) fn svg(stages: &[Losses]) -> String {
    let most = stages.iter().flat_map(|stage| &stage.losses).copied().fold(0.0_f32, f32::max);
    let most = f64::from(most.max(1e-6));
    let (whole, high) = (WIDTH + 2.0 * MARGIN, HEIGHT + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {high}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{whole}\" height=\"{high}\" fill=\"#fff\"/>\n\
         <rect x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"none\" stroke=\"#999\"/>\n"
    );
    for (at, stage) in stages.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let group = stage.losses.len().div_ceil(POINTS_MAX).max(1);
        let points: Vec<f64> = stage
            .losses
            .chunks(group)
            .map(|losses| f64::from(losses.iter().sum::<f32>() / losses.len() as f32))
            .collect();
        let mut line = String::new();
        for (place, loss) in points.iter().enumerate() {
            let x = MARGIN + WIDTH * place as f64 / points.len() as f64;
            let y = MARGIN + HEIGHT * (1.0 - loss / most);
            write!(line, "{x:.1},{y:.1} ").expect("a string takes everything");
        }
        let name_y = MARGIN + 16.0 * (at + 1) as f64;
        let name_x = MARGIN + WIDTH - 8.0;
        let last = points.last().copied().unwrap_or(0.0);
        write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n\
             <text x=\"{name_x}\" y=\"{name_y}\" fill=\"{colour}\" text-anchor=\"end\">{} {last:.3}</text>\n",
            line.trim_end(), stage.stage,
        )
        .expect("a string takes everything");
    }
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let y = MARGIN + HEIGHT * (1.0 - share) + 4.0;
        let x = MARGIN - 6.0;
        writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{:.2}</text>",
            share * most
        )
        .expect("a string takes everything");
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_is_a_line() {
        let stage = |name: &str| Losses {
            stage: name.to_owned(),
            losses: (0..1_000).map(|at| 1.0 / (at + 1) as f32).collect(),
        };
        let drawn = svg(&[stage("pretrain"), stage("finetune")]);
        assert_eq!(drawn.matches("<polyline").count(), 2);
        assert!(drawn.contains(">pretrain 0.001<") && drawn.ends_with("</svg>\n"));
        assert_eq!(svg(&[]).matches("<polyline").count(), 0);
    }
}
