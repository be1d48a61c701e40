//! The figures of `docs/benchmarks.md` and the plots beside it, from `docs/benchmarks/result.json` and
//! `reference.json` beside it, which `make bench` measures. What people wrote around the figures stays.

use std::fmt::Write as _;

use serde_json::Value;

use crate::plot::{Bar, Tone, bars};

pub(crate) const RESULT: &str = "docs/benchmarks/result.json";
pub(crate) const REFERENCE: &str = "docs/benchmarks/reference.json";
/// Messages per second at which latencies are compared with the floor.
const REFERENCE_RATE: u64 = 12_000;
pub(crate) const DOCUMENT: &str = "docs/benchmarks.md";
const BEGIN: &str = "<!-- figures of result.json -->\n";
const REFERENCE_BEGIN: &str = "<!-- figures of reference.json -->\n";
const END: &str = "<!-- end of figures -->";

/// The document and the plots as they should be for these results.
pub(crate) fn written(
    document: &str,
    result: &str,
    reference: Option<&str>,
) -> Result<Vec<(&'static str, String)>, String> {
    let parsed = |text: &str, path: &str| -> Result<Value, String> {
        serde_json::from_str(text).map_err(|error| format!("cannot read {path}: {error}"))
    };
    let result = parsed(result, RESULT)?;
    let mut text = put_between(document, BEGIN, &figures(&result))?;
    if let Some(reference) = reference {
        text = put_between(&text, REFERENCE_BEGIN, &published(&parsed(reference, REFERENCE)?))?;
    }
    Ok(vec![
        (DOCUMENT, text),
        ("docs/benchmarks/throughput.svg", throughput(&result)),
        ("docs/benchmarks/latency.svg", latency(&result)),
        ("docs/benchmarks/memory.svg", memory(&result)),
        ("docs/benchmarks/goals.svg", goals(&result)),
    ])
}

/// The document with other words between a marker and the end behind it.
fn put_between(document: &str, begin: &str, words: &str) -> Result<String, String> {
    let from = document.find(begin).ok_or_else(|| format!("{DOCUMENT} has no {begin}"))?;
    let from = from + begin.len();
    let to = document[from..].find(END).ok_or_else(|| format!("{DOCUMENT} has no {END}"))? + from;
    Ok(format!("{}\n{words}\n{}", &document[..from], &document[to..]))
}

/// The figures of the reference design, each beside what was measured.
fn published(reference: &Value) -> String {
    let word = |name: &str| reference[name].as_str().unwrap_or("unknown");
    let mut text = format!(
        "Machine: {}, server and generator on all cores, unpinned. Commit `{}`. Command: `frontdesk bench \
         reference`.\n\n\
         | Scenario | Published: rate, mean / p99 ms | Offered | Acked/s | Ack mean / p99 ms | Delivery mean / \
         p99 ms | Better |\n|---|---|---|---|---|---|---|\n",
        word("machine"),
        word("commit"),
    );
    for row in reference["rows"].as_array().into_iter().flatten() {
        let number = |pointer: &str| row.pointer(pointer).and_then(Value::as_f64).map(short);
        let both = |of: &str| {
            let part = |name: &str| number(&format!("{of}/{name}")).unwrap_or_default();
            format!("{} / {}", part("mean_ms"), part("p99_ms"))
        };
        let floor = match (row["acked_per_s"].as_f64(), row["floor_per_s"].as_f64()) {
            (Some(acked), Some(floor)) if floor > 0.0 => {
                format!(" ({} of a bare loop that writes and syncs)", short(acked / floor))
            }
            _ => String::new(),
        };
        put(
            &mut text,
            &format!(
                "| {} | {}, {} | {} | {}{floor} | {} | {} | {} |\n",
                row["name"].as_str().unwrap_or_default(),
                number("/published/per_s").unwrap_or_default(),
                both("/published"),
                number("/offered_per_s").unwrap_or_else(|| "as fast as acks come".to_owned()),
                number("/acked_per_s").unwrap_or_default(),
                both("/ack"),
                both("/delivery"),
                if row["better"] == true { "yes" } else { "no" },
            ),
        );
    }
    text
}

fn list(result: &Value) -> &[Value] {
    result["goals"].as_array().map_or(&[], Vec::as_slice)
}

fn goal(result: &Value, id: u64) -> Option<&Value> {
    list(result).iter().find(|goal| goal["id"] == id)
}

/// All runs of text messages, each once: goals share them.
fn runs(result: &Value) -> Vec<&Value> {
    let mut found: Vec<&Value> = Vec::new();
    for goal in list(result) {
        for run in goal["runs"].as_array().into_iter().flatten() {
            if run["scenario"] == "text" && !found.contains(&run) {
                found.push(run);
            }
        }
    }
    found
}

/// How a run was loaded: "closed", "open" at the rate of the reference design or above, else the rate.
fn load(run: &Value) -> String {
    match run["rate"].as_u64() {
        Some(rate) if rate < REFERENCE_RATE => rate.to_string(),
        _ => run["mode"].as_str().unwrap_or_default().to_owned(),
    }
}

/// Numbers of every run of a subject under a load that count.
fn numbers(runs: &[&Value], subject: &str, mode: &str, pointer: &str) -> Vec<f64> {
    runs.iter()
        .filter(|run| run["subject"] == subject && load(run) == mode && run["void"] == false)
        .filter_map(|run| run.pointer(pointer)?.as_f64())
        .collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

fn figures(result: &Value) -> String {
    let word = |name: &str| result[name].as_str().unwrap_or("unknown").to_owned();
    let mut text = format!(
        "Machine: {}. Commit `{}`. Command: `{}`.\n\n\
         | Goal | Gate | Aim | Measured (median; rounds) | Holds |\n|---|---|---|---|---|\n",
        word("machine"),
        word("commit"),
        word("command")
    );
    for goal in list(result) {
        let number = |name: &str| goal[name].as_f64().map_or_else(String::new, short);
        let measured = match goal["value"].as_f64() {
            Some(value) => format!("{}{}", short(value), spread(&rounds(goal))),
            None => goal["reason"].as_str().unwrap_or("not measured").to_owned(),
        };
        let note = goal["note"].as_str().map(|note| format!("; {note}")).unwrap_or_default();
        let holds = match goal["value"].is_null() {
            true => "",
            false if goal["holds"] == true => "yes",
            false => "no",
        };
        put(
            &mut text,
            &format!(
                "| {}. {} | {} | {} | {measured}{note} | {holds} |\n",
                goal["id"],
                goal["name"].as_str().unwrap_or_default(),
                number("gate"),
                number("aim"),
            ),
        );
    }
    text.push_str(
        "\n![Each goal beside its gate](benchmarks/goals.svg)\n\n\
         ![Peak messages per second](benchmarks/throughput.svg)\n\n\
         ![Latency of the ack](benchmarks/latency.svg)\n\n\
         ![Memory per idle connection](benchmarks/memory.svg)\n\n\
         Every run of text messages, void ones left out:\n\n\
         | Subject | acked/s | server CPU us per message | ack p50 / p99 ms |\n|---|---|---|---|\n",
    );
    let runs = runs(result);
    for (name, subject, mode) in SUBJECTS {
        let all = |pointer| numbers(&runs, subject, mode, pointer);
        let rates = all("/acked_per_s");
        if rates.is_empty() {
            continue;
        }
        let words = |values: Vec<f64>| values.into_iter().map(short).collect::<Vec<_>>().join(" ");
        put(
            &mut text,
            &format!(
                "| {name} | {} | {} | {} / {} |\n",
                words(rates),
                words(all("/server_cpu_s_per_million")),
                words(all("/ack/p50_ms")),
                words(all("/ack/p99_ms"))
            ),
        );
    }
    text
}

/// Rows of the raw numbers, and which of them stand in the plots.
const SUBJECTS: [(&str, &str, &str); 10] = [
    ("product, closed loop", "product", "closed"),
    ("product with the log off, closed loop", "product_async", "closed"),
    ("F0, closed loop", "f0", "closed"),
    ("relay in Go, closed loop", "g0", "closed"),
    ("product, on a schedule", "product", "open"),
    ("F1, on a schedule", "f1", "open"),
    ("product, 2,000 a second", "product", "2000"),
    ("node of a cluster, 2,000 a second", "product_cluster", "2000"),
    ("node of a cluster, 500 a second", "product_cluster", "500"),
    ("three nodes of a cluster, 1,500 a second", "product_three_nodes", "1500"),
];

/// The value of each round.
pub(crate) fn rounds(goal: &Value) -> Vec<f64> {
    goal["rounds"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// From the least to the most of several rounds.
pub(crate) fn spread(rounds: &[f64]) -> String {
    let least = rounds.iter().copied().fold(f64::INFINITY, f64::min);
    let most = rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if rounds.len() < 2 {
        return String::new();
    }
    format!(" ({}-{}; {})", short(least), short(most), rounds.len())
}

/// As many digits as say something, thousands apart.
pub(crate) fn short(value: f64) -> String {
    if value.abs() < 100.0 {
        let text = format!("{value:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn put(text: &mut String, part: &str) {
    text.write_str(part).expect("a String takes everything");
}

fn tone(subject: &str) -> Tone {
    if subject.starts_with("product") { Tone::Own } else { Tone::Other }
}

fn throughput(result: &Value) -> String {
    let runs = runs(result);
    let found = SUBJECTS.iter().filter(|(.., mode)| *mode == "closed").filter_map(|row| {
        let (name, subject, mode) = *row;
        let value = median(numbers(&runs, subject, mode, "/acked_per_s"))?;
        let label = name.trim_end_matches(", closed loop").to_owned();
        Some(Bar { label, value, text: short(value), tone: tone(subject), mark: None })
    });
    let note = "acked a second, median; server on one core, generator on the other";
    bars("Peak messages per second", note, &found.collect::<Vec<_>>(), None)
}

fn latency(result: &Value) -> String {
    let runs = runs(result);
    let mut found = Vec::new();
    for (percentile, name) in [("p50_ms", "p50"), ("p99_ms", "p99"), ("p999_ms", "p99.9")] {
        for (label, subject) in [("product", "product"), ("F1", "f1")] {
            let values = numbers(&runs, subject, "open", &format!("/ack/{percentile}"));
            let Some(value) = median(values) else { continue };
            let (label, text) = (format!("{label} {name}"), format!("{} ms", short(value)));
            found.push(Bar { label, value, text, tone: tone(subject), mark: None });
        }
    }
    let note = "from the time each message was due to its ack, at 12,000 a second; both on disk";
    bars("Latency of the ack", note, &found, None)
}

fn memory(result: &Value) -> String {
    let run = [6, 7, 8].iter().find_map(|id| goal(result, *id)?["runs"].get(0));
    let found = [
        ("the server's memory", "bytes_per_connection", Tone::Own),
        ("the kernel's objects", "slab_bytes_per_connection", Tone::Other),
    ]
    .into_iter()
    .filter_map(|(label, name, tone)| {
        let value = run?[name].as_f64()?;
        let text = format!("{} bytes", short(value));
        Some(Bar { label: label.to_owned(), value, text, tone, mark: None })
    });
    let note =
        "by the slope between two numbers of connections, so the empty server does not count";
    bars("Memory per idle authenticated connection", note, &found.collect::<Vec<_>>(), None)
}

/// As much of a name as fits beside a bar.
fn brief(name: &str) -> String {
    // Not at the comma of a number.
    let name = name.split(", ").next().unwrap_or_default();
    let name = name.split(" / ").next().unwrap_or_default();
    match name.char_indices().nth(30) {
        Some((end, _)) => format!("{}…", name[..end].trim_end()),
        None => name.to_owned(),
    }
}

/// Beyond this multiple of its gate a bar ends.
const MULTIPLE_MAX: f64 = 3.0;

fn goals(result: &Value) -> String {
    let found = list(result).iter().filter_map(|goal| {
        let (value, gate) = (goal["value"].as_f64()?, goal["gate"].as_f64()?);
        let aim = goal["aim"].as_f64()?;
        // Turned so that more is better for all of them.
        let multiple = |value: f64| {
            let multiple = if aim > gate { value / gate } else { gate / value.max(1e-9) };
            multiple.min(MULTIPLE_MAX)
        };
        Some(Bar {
            label: format!("{}. {}", goal["id"], brief(goal["name"].as_str().unwrap_or_default())),
            value: multiple(value),
            text: format!("{} (gate {})", short(value), short(gate)),
            tone: if goal["holds"] == true { Tone::Own } else { Tone::Failed },
            mark: Some(multiple(aim)),
        })
    });
    let note =
        "the line is the gate, dashed the aim; longer is better, at most three times the gate";
    bars("Each goal beside its gate", note, &found.collect::<Vec<_>>(), Some(1.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn result() -> Value {
        let run = |subject: &str, rate: f64, void: bool| {
            json!({ "scenario": "text", "subject": subject, "mode": "closed", "void": void,
                "acked_per_s": rate, "server_cpu_s_per_million": 9.5,
                "ack": { "p50_ms": 1.0, "p99_ms": 2.0, "p999_ms": 3.0 } })
        };
        let shared =
            [run("product", 40_000.0, false), run("f0", 80_000.0, false), run("f0", 1.0, true)];
        json!({ "machine": "2 cores", "commit": "abc", "command": "frontdesk bench goals", "goals": [
            { "id": 1, "name": "peak", "gate": 0.65, "aim": 0.8, "value": 0.5, "holds": false,
              "rounds": [0.4, 0.5, 0.6], "runs": shared },
            { "id": 3, "name": "cpu", "gate": 1.4, "aim": 1.15, "value": 0.7, "holds": true,
              "rounds": [0.7], "runs": shared },
            { "id": 12, "name": "peer", "gate": 3.0, "aim": 5.0, "value": null, "holds": false,
              "reason": "not here", "rounds": [], "runs": [] } ] })
    }

    #[test]
    fn figures_go_between_their_markers_and_nowhere_else() {
        let other = format!("{REFERENCE_BEGIN}{END}\n");
        let document = format!("by hand\n{BEGIN}stale\n{END}\n{other}also by hand\n");
        let result = result().to_string();
        let row = json!({ "name": "text", "offered_per_s": 12_000, "acked_per_s": 11_999.6,
            "published": { "per_s": 12_000, "mean_ms": 83.0, "p99_ms": 142.0 }, "floor_per_s": null,
            "ack": { "mean_ms": 1.5, "p99_ms": 9.0 }, "better": true,
            "delivery": { "mean_ms": 1.75, "p99_ms": 9.5 } });
        let reference = json!({ "machine": "2 cores", "rows": [row] }).to_string();
        let written = |document: &str| super::written(document, &result, Some(&reference));
        let files = written(&document).expect("a document");
        let text = &files[0].1;
        assert!(text.starts_with("by hand\n") && text.ends_with("also by hand\n"), "{text}");
        assert!(!text.contains("stale"), "{text}");
        for line in [
            "| 1. peak | 0.65 | 0.8 | 0.5 (0.4-0.6; 3) | no |",
            "| 3. cpu | 1.4 | 1.15 | 0.7 | yes |",
            "| 12. peer | 3 | 5 | not here |  |",
            "| F0, closed loop | 80,000 | 9.5 | 1 / 2 |",
            "| text | 12,000, 83 / 142 | 12,000 | 12,000 | 1.5 / 9 | 1.75 / 9.5 | yes |",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert_eq!(&written(text).expect("a document")[0].1, text, "twice is once");
        assert!(written("no markers").is_err());
        let named =
            files[1..].iter().all(|(path, _)| text.contains(path.trim_start_matches("docs/")));
        assert!(named, "every plot stands in the document");
    }

    #[test]
    fn a_goal_is_longer_when_it_is_better() {
        let svg = goals(&result());
        // 0.5 of 0.65, and 1.4 by 0.7: the second is twice its gate and the longest.
        assert!(svg.contains("width=\"310.0\"") && svg.contains("width=\"119.2\""), "{svg}");
        assert!(svg.contains("class=\"x\"") && !svg.contains("goal 12"), "{svg}");
    }

    #[test]
    fn numbers_and_names_are_short() {
        assert_eq!(brief("peak, product / F0"), "peak");
        assert_eq!(
            brief("resident KiB of the server per idle connection"),
            "resident KiB of the server per…"
        );
        for (value, text) in [
            (0.651, "0.65"),
            (3.0, "3"),
            (99.999, "100"),
            (1_234_567.8, "1,234,568"),
            (123.4, "123"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
