//! Latency at rest (R31): what a message takes from a visitor to an agent while little happens.

use frontdesk_testkit::http::note;

use crate::{
    bench::{assert_clean, bench},
    rounds::measured,
};

/// Wanted of the time from when a message was due to its arrival at the agent.
const P50_MS: f64 = 10.0;
const P99_MS: f64 = 100.0;

#[test]
fn r31_a_message_reaches_its_agent_within_milliseconds() {
    measured(async {
        let shape = ["--visitors", "40", "--agents", "4", "--seconds", "10"];
        let report = bench(&[&["text", "--rate", "200"], &shape[..]].concat(), &[]).await;
        note(&format!("r31: delivery {}, ack {}", report["delivery"], report["ack"]));
        assert_clean(&report);
        // A generator that was late makes a message late too: it counts from when it was due.
        assert_eq!(report["durable"], true, "{report}");
        assert_eq!(report["delivered"], 2_000, "{report}");
        let took = |name: &str| report["delivery"][name].as_f64().expect("milliseconds");
        assert!(took("p50_ms") <= P50_MS, "{report}");
        assert!(took("p99_ms") <= P99_MS, "{report}");
    });
}
