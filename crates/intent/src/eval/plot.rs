//! The reliability curve: accuracy over confidence, as a drawing.

use std::fmt::Write as _;

use super::{BINS, Judged, bins};

const SIDE: f64 = 400.0;
const MARGIN: f64 = 48.0;

/// Draws how often the classifier is right at each confidence. On the diagonal its probabilities are true; the
/// bars beneath show how many texts each point stands for.
pub fn reliability_svg(judged: &[Judged]) -> String {
    let bins = bins(judged);
    let most = bins.iter().map(|bin| bin.texts).max().unwrap_or(0).max(1);
    let x = |share: f64| MARGIN + share * SIDE;
    let y = |share: f64| MARGIN + (1.0 - share) * SIDE;
    let whole = SIDE + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{whole}\" height=\"{whole}\" fill=\"#fff\"/>\n\
         <rect x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"#999\"/>\n\
         <line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"#999\" stroke-dasharray=\"4\"/>\n",
        x(0.0),
        y(0.0),
        x(1.0),
        y(1.0),
    );
    let mut points = String::new();
    for (at, bin) in bins.iter().enumerate() {
        let height = 0.25 * SIDE * bin.texts as f64 / most as f64;
        let left = x(at as f64 / BINS as f64);
        add(
            &mut svg,
            format_args!(
                "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#dde6f2\"/>\n",
                y(0.0) - height,
                SIDE / BINS as f64 - 2.0,
            ),
        );
        if bin.texts > 0 {
            let (across, up) = (x(bin.confidence), y(bin.accuracy));
            add(&mut points, format_args!("{across:.1},{up:.1} "));
            add(
                &mut svg,
                format_args!(
                    "<circle cx=\"{across:.1}\" cy=\"{up:.1}\" r=\"4\" fill=\"#2458a6\"><title>{} texts: confidence {:.3}, accuracy {:.3}</title></circle>\n",
                    bin.texts, bin.confidence, bin.accuracy,
                ),
            );
        }
    }
    add(
        &mut svg,
        format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"#2458a6\" stroke-width=\"2\"/>\n",
            points.trim_end(),
        ),
    );
    for tick in 0..=5 {
        let share = f64::from(tick) / 5.0;
        add(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{share:.1}</text>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{share:.1}</text>\n",
                x(share),
                y(0.0) + 16.0,
                MARGIN - 6.0,
                y(share) + 4.0,
            ),
        );
    }
    add(
        &mut svg,
        format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">confidence</text>\n\
         <text x=\"14\" y=\"{:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {:.1})\">accuracy</text>\n</svg>\n",
            x(0.5),
            y(0.0) + 34.0,
            y(0.5),
            y(0.5),
        ),
    );
    svg
}

fn add(svg: &mut String, part: std::fmt::Arguments<'_>) {
    svg.write_fmt(part).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Label, eval::tests::judged};

    #[test]
    fn a_point_is_drawn_for_each_bin_with_texts() {
        let svg = reliability_svg(&[
            judged(Label::Sales, "zh", [0.1, 0.1, 0.7, 0.1]),
            judged(Label::Sales, "zh", [0.0, 0.0, 0.95, 0.05]),
        ]);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<circle").count(), 2);
    }

    #[test]
    fn nothing_judged_is_an_empty_frame() {
        assert_eq!(reliability_svg(&[]).matches("<circle").count(), 0);
    }
}
