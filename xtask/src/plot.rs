//! Bars as SVG, for documents: they follow the reader's light or dark page and need no script.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const LABEL: f64 = 290.0;
const VALUE: f64 = 120.0;
const ROW: f64 = 28.0;
const TOP: f64 = 44.0;
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.q{fill:#59636e}\
.h{font-size:15px;font-weight:600}.b{fill:#2f6f6a}.c{fill:#a8b3b1}.x{fill:#b4543a}\
.l{stroke:#59636e;stroke-width:1.5}.m{stroke-dasharray:3 3}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.q{fill:#9198a1}.b{fill:#5fb3ab}\
.c{fill:#56605f}.x{fill:#e08a6d}.l{stroke:#9198a1}}";

/// How a bar looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// The product.
    Own,
    /// A floor.
    Other,
    /// Does not hold.
    Failed,
}

/// One bar.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// The value as it is written.
    pub(crate) text: String,
    pub(crate) tone: Tone,
    /// Where a dashed line stands on this bar.
    pub(crate) mark: Option<f64>,
}

/// Bars below each other. `line` is a value at which one line crosses all of them.
pub(crate) fn bars(title: &str, note: &str, bars: &[Bar], line: Option<f64>) -> String {
    let height = TOP + bars.len().max(1) as f64 * ROW + 26.0;
    let greatest = bars
        .iter()
        .flat_map(|bar| [Some(bar.value), bar.mark])
        .chain([line])
        .flatten()
        .fold(f64::MIN_POSITIVE, f64::max);
    let room = WIDTH - LABEL - VALUE;
    let x = |value: f64| LABEL + value / greatest * room;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{0}\">\n<style>{STYLE}</style>\n<text class=\"h\" x=\"0\" y=\"20\">{0}</text>\n",
        escaped(title)
    );
    for (row, bar) in bars.iter().enumerate() {
        let y = TOP + row as f64 * ROW;
        let class = match bar.tone {
            Tone::Own => "b",
            Tone::Other => "c",
            Tone::Failed => "x",
        };
        let end = x(bar.value);
        put(
            &mut svg,
            format_args!(
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\n\
             <rect class=\"{class}\" x=\"{LABEL}\" y=\"{y:.0}\" width=\"{:.1}\" height=\"18\" rx=\"3\"/>\n\
             <text class=\"q\" x=\"{:.1}\" y=\"{:.0}\">{}</text>\n",
                LABEL - 10.0,
                y + 14.0,
                escaped(&bar.label),
                (end - LABEL).max(1.0),
                end.max(bar.mark.map_or(end, x)) + 8.0,
                y + 14.0,
                escaped(&bar.text)
            ),
        );
        if let Some(mark) = bar.mark {
            vertical(&mut svg, "l m", x(mark), y - 2.0, y + 20.0);
        }
    }
    if bars.is_empty() {
        put(
            &mut svg,
            format_args!("<text class=\"q\" x=\"0\" y=\"{:.0}\">not measured</text>\n", TOP + 14.0),
        );
    }
    if let Some(line) = line.filter(|_| !bars.is_empty()) {
        vertical(&mut svg, "l", x(line), TOP - 6.0, TOP + bars.len() as f64 * ROW);
    }
    put(
        &mut svg,
        format_args!(
            "<text class=\"q\" x=\"0\" y=\"{:.0}\">{}</text>\n</svg>\n",
            height - 8.0,
            escaped(note)
        ),
    );
    svg
}

fn vertical(svg: &mut String, class: &str, x: f64, from: f64, to: f64) {
    put(
        svg,
        format_args!(
            "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{from:.0}\" x2=\"{x:.1}\" y2=\"{to:.0}\"/>\n"
        ),
    );
}

fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).expect("a String takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_value_and_text_is_escaped() {
        let bar = |value| Bar {
            label: "a < b & \"c\"".to_owned(),
            value,
            text: format!("{value}"),
            tone: Tone::Own,
            mark: None,
        };
        let svg = bars("T", "n", &[bar(2.0), bar(1.0)], Some(1.0));
        assert!(svg.contains("width=\"310.0\"") && svg.contains("width=\"155.0\""), "{svg}");
        assert!(svg.contains("a &lt; b &amp; &quot;c&quot;") && !svg.contains("a < b"), "{svg}");
        assert!(svg.contains("x1=\"445.0\""), "the line stands at 1 of 2: {svg}");
        assert!(svg.contains("prefers-color-scheme:dark"));
        assert!(bars("T", "n", &[], Some(1.0)).contains("not measured"));
    }
}
