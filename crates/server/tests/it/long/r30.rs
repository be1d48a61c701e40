//! Random input for a long time (R30): the state machines of session, room and desk by proptest, the
//! hand-over to loops by loom and shuttle, the parsers by libFuzzer.

use std::{
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use super::Report;
use crate::heavy;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Crate, its kind of test, the test, and how many cases one run of it is.
const MACHINES: [(&str, &[&str], &str, u32); 3] = [
    ("frontdesk-core", &["--lib"], "whatever_is_proposed_the_rules_hold", 192),
    (
        "frontdesk-dispatcher",
        &["--test", "dispatch"],
        "the_dispatcher_is_the_fold_of_what_was_committed",
        48,
    ),
    ("frontdesk-router", &["--test", "desk"], "nobody_is_left_waiting", 256),
];
const TARGETS: [&str; 3] = ["frames", "websocket", "upload"];

fn seconds() -> u64 {
    let asked = std::env::var("FRONTDESK_FUZZ_SECONDS").ok();
    asked.map_or(600, |text| text.parse().expect("FRONTDESK_FUZZ_SECONDS is a number"))
}

fn cargo(toolchain: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new("cargo");
    // The toolchain of the test itself is not the one the fuzzer needs.
    for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC"] {
        command.env_remove(name);
    }
    command.args(toolchain).args(arguments).current_dir(Path::new(ROOT));
    command.output().expect("cargo starts")
}

fn machine(report: &mut Report, (package, kind, test, cases): (&str, &[&str], &str, u32)) {
    let limit = Duration::from_secs(seconds());
    let began = Instant::now();
    let (mut runs, mut failed, mut slowest) = (0, 0, Duration::ZERO);
    while began.elapsed() < limit && failed == 0 {
        let run = Instant::now();
        let arguments = [&["test", "-p", package, "--locked"], kind, &[test]].concat();
        let out = cargo(None, &arguments);
        let text = String::from_utf8_lossy(&out.stdout);
        if !out.status.success() || !text.contains("1 passed") {
            failed += 1;
            frontdesk_testkit::http::note(&format!(
                "{text}{}",
                String::from_utf8_lossy(&out.stderr)
            ));
        }
        if runs > 0 {
            // The first one may build.
            slowest = slowest.max(run.elapsed());
        }
        runs += 1;
    }
    report.figure(
        &format!("proptest, {test}, {:.0} s", began.elapsed().as_secs_f64()),
        format!("{} cases in {runs} runs (longest {slowest:.1?}), {failed} failed", runs * cases),
        "0 failed",
        failed == 0 && runs > 1,
    );
}

fn models(report: &mut Report) {
    let out =
        cargo(None, &["test", "-p", "frontdesk-gateway", "--locked", "--test", "edge", "awake_"]);
    let text = String::from_utf8_lossy(&out.stdout);
    let passed = out.status.success() && text.contains("4 passed");
    report.figure(
        "loom (every order of 2 senders) and shuttle (2,000 orders of 4 senders) of the hand-over to a loop",
        if passed { "4 passed" } else { "failed" },
        "4 passed; two of them show that a wrong order is found",
        passed,
    );
}

/// The number behind a name in the fuzzer's final statistics.
fn stat(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(&format!("stat::{name}:")))?;
    line.split_whitespace().last()?.parse().ok()
}

fn fuzz(report: &mut Report, target: &str) {
    let limit = format!("-max_total_time={}", seconds());
    let arguments = [
        "fuzz",
        "run",
        "--sanitizer",
        "none",
        target,
        "--",
        &limit,
        "-timeout=1",
        "-rss_limit_mb=512",
    ];
    let out = cargo(Some("+nightly"), &[&arguments[..], &["-print_final_stats=1"]].concat());
    let text = String::from_utf8_lossy(&out.stderr);
    let runs = stat(&text, "number_of_executed_units");
    let (rss, slowest) = (stat(&text, "peak_rss_mb"), stat(&text, "slowest_unit_time_sec"));
    let fine = out.status.success() && runs > Some(0) && rss.is_some_and(|mib| mib <= 512);
    if !fine {
        let lines: Vec<&str> = text.lines().rev().take(40).collect();
        let lines: Vec<&str> = lines.into_iter().rev().collect();
        frontdesk_testkit::http::note(&lines.join("\n"));
    }
    report.figure(
        &format!("libFuzzer, {target}, {} s", seconds()),
        format!(
            "{} inputs, peak {} MiB, slowest {} s, {}",
            runs.unwrap_or(0),
            rss.unwrap_or(0),
            slowest.map_or("?".to_owned(), |s| s.to_string()),
            if out.status.success() { "nothing found" } else { "a finding" }
        ),
        "0 panics, 0 hangs over 1 s, at most 512 MiB",
        fine,
    );
}

#[tokio::test]
#[ignore = "an hour; make test-long"]
async fn r30_random_input_finds_nothing() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r30",
        "proptest runs its cases again and again with new seeds, each machine as long as named; loom and \
         shuttle once; libFuzzer without sanitizer (there is no unsafe code of ours in what it runs), images up to 1 \
         million pixels. A webhook verifier does not exist yet and is not fuzzed.",
    );
    for of in MACHINES {
        machine(&mut report, of);
    }
    models(&mut report);
    if cargo(Some("+nightly"), &["fuzz", "--version"]).status.success() {
        for target in TARGETS {
            fuzz(&mut report, target);
        }
    } else {
        report.figure(
            "libFuzzer",
            "SKIPPED: it needs cargo-fuzz and a nightly toolchain",
            "10 minutes each",
            false,
        );
    }
    report.finish();
}
