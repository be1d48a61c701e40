//! The tables "full store" of `docs/benchmarks.md`, from `docs/benchmarks/size.json`, which
//! `frontdesk bench size` measures.

use serde_json::Value;

use crate::benchmarks::{rounds, short, spread};

pub(crate) const RESULT: &str = "docs/benchmarks/size.json";
pub(crate) const TABLE: &str = "a full store";

/// What is wanted and what was found, then the requests.
pub(crate) fn tables(result: &str) -> Result<String, String> {
    let result: Value =
        serde_json::from_str(result).map_err(|error| format!("cannot read {RESULT}: {error}"))?;
    let word = |name: &str| result[name].as_str().unwrap_or("unknown").to_owned();
    let number = |value: &Value| value.as_f64().map_or_else(|| "none".to_owned(), short);
    let list = |name: &str| result[name].as_array().cloned().unwrap_or_default();
    let mut lines = vec![
        format!(
            "Machine: {}. Commit `{}`. Command: `{}`. The store: {} messages in {} conversations, {} MB.\n",
            word("machine"),
            word("commit"),
            word("command"),
            number(&result["messages"]),
            number(&result["conversations"]),
            number(&(result["stored_bytes"].as_u64().unwrap_or(0) >> 20).into()),
        ),
        "| | wanted | measured (median; rounds) | holds |\n|---|---|---|---|".to_owned(),
    ];
    for figure in list("figures") {
        lines.push(format!(
            "| {} | {} {} | {}{} | {} |",
            figure["name"].as_str().unwrap_or_default(),
            figure["side"].as_str().unwrap_or_default(),
            number(&figure["wanted"]),
            number(&figure["value"]),
            spread(&rounds(&figure)),
            if figure["holds"] == true { "yes" } else { "no" },
        ));
    }
    lines.push("\n| Request | how often | p50 / p99 / longest, ms |\n|---|---|---|".to_owned());
    for read in list("reads") {
        let took = &read["took"];
        lines.push(format!(
            "| {} {} | {} | {} / {} / {} |",
            read["kind"].as_str().unwrap_or_default(),
            read["name"].as_str().unwrap_or_default(),
            number(&read["count"]),
            number(&took["p50_ms"]),
            number(&took["p99_ms"]),
            number(&took["max_ms"]),
        ));
    }
    let stall = &result["stall"];
    lines.push(format!(
        "\nAt its peak for {} s ({} acks a second): time between two acks p50 / p99 / longest {} / {} / {} ms, \
         {} stalls of {} ms or more; the longest ack took {} ms. Meanwhile {} segments of the log and {} tables \
         of the history were written, {} MB in all.",
        number(&stall["seconds"]),
        number(&stall["acked_per_s"]),
        number(&stall["gap"]["p50_ms"]),
        number(&stall["gap"]["p99_ms"]),
        number(&stall["gap"]["max_ms"]),
        number(&stall["stalls"]),
        number(&stall["stall_ms"]),
        number(&stall["ack"]["max_ms"]),
        number(&stall["written"]["log_segments"]),
        number(&stall["written"]["history_tables"]),
        number(&(stall["written"]["disk_bytes"].as_u64().unwrap_or(0) >> 20).into()),
    ));
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_figure_and_every_request_has_a_row() {
        let took = json!({ "p50_ms": 0.5, "p99_ms": 1.25, "max_ms": 12.0 });
        let result = json!({
            "machine": "2 cores", "commit": "abc", "command": "frontdesk bench size",
            "messages": 10_000_000, "conversations": 100_000, "stored_bytes": 4_u64 << 30,
            "figures": [{ "name": "peak", "side": "at least", "wanted": 0.9, "value": 0.95,
                "holds": true, "rounds": [0.9, 0.95, 1.0] }],
            "reads": [{ "kind": "list", "name": "closed", "count": 200, "took": took }],
            "stall": { "seconds": 60.0, "acked_per_s": 50_000.0, "stalls": 0, "stall_ms": 100.0,
                "gap": took, "ack": took,
                "written": { "log_segments": 9, "history_tables": 40, "disk_bytes": 1 << 30 } },
        });
        let text = tables(&result.to_string()).expect("tables");
        for part in [
            "10,000,000 messages in 100,000 conversations, 4,096 MB.",
            "| peak | at least 0.9 | 0.95 (0.9-1; 3) | yes |",
            "| list closed | 200 | 0.5 / 1.25 / 12 |",
            "0.5 / 1.25 / 12 ms, 0 stalls of 100 ms",
            "9 segments of the log and 40 tables",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(tables("nothing").is_err());
    }
}
