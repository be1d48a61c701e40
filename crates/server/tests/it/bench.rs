//! `frontdesk bench`: every scenario runs against the real binary and reports what scripts read.
//! Rates are not looked at: a debug build on a shared machine has none worth the name.

use std::collections::HashMap;

use frontdesk_testkit::{
    TestServer,
    server::{ADMIN_EMAIL, PASSWORD, run_to_end},
};
use serde_json::Value;

use crate::{FRONTDESK, heavy};

/// Runs a scenario and reads its report.
async fn bench(arguments: &[&str], env: &[(&str, &str)]) -> Value {
    let arguments = [&["bench"], arguments, &["--json"]].concat();
    let out = run_to_end(FRONTDESK, &arguments, env).await;
    serde_json::from_str(&out.stdout).unwrap_or_else(|error| panic!("{error}: {out:?}"))
}

/// Nothing lost, doubled, out of order or refused.
fn assert_clean(report: &Value) {
    for name in ["lost", "duplicated", "reordered", "refused"] {
        assert_eq!(report[name], 0, "{name} in {report}");
    }
    assert!(report["acked"].as_u64() > Some(0), "{report}");
}

#[tokio::test]
async fn a_server_elsewhere_is_measured_by_the_public_protocol_alone() {
    let _alone = heavy().await;
    let rates: HashMap<&str, u32> = [
        "visitor_rate_per_s",
        "visitor_burst",
        "ip_rate_per_s",
        "ip_burst",
        "http_per_address_per_minute",
    ]
    .map(|name| (name, 100_000))
    .into();
    let server = rates
        .iter()
        .fold(TestServer::builder(FRONTDESK), |server, (name, value)| {
            server.set(&format!("limits.{name}"), value)
        })
        .start()
        .await;
    let (base, key) = (server.base(), server.installed.inbox_key.clone());
    let shape = ["text", "--rate", "100", "--seconds", "1", "--visitors", "5", "--agents", "2"];
    let target = ["--target", &base, "--admin-email", ADMIN_EMAIL, "--inbox-key", &key];
    let env = [("FRONTDESK_BENCH_ADMIN_PASSWORD", PASSWORD)];
    let report = bench(&[&shape[..], &target].concat(), &env).await;
    assert_clean(&report);
    assert_eq!(report["acked"], report["delivered"], "{report}");
    assert!(report["pinned"] == false && report["generator_cores"].is_f64(), "{report}");
    for unknown in ["server_cpu_s_per_million", "server_cores", "server_rss_after_bytes"] {
        assert!(report[unknown].is_null(), "{unknown} in {report}");
    }

    let floor = [&shape[..], &target, &["--subject", "f0"]].concat();
    let out = run_to_end(FRONTDESK, &[&["bench"], &floor[..]].concat(), &env).await;
    assert!(!out.status.success() && out.stderr.contains("--target"), "{out:?}");
    let out = run_to_end(FRONTDESK, &[&["bench"], &shape[..], &target].concat(), &[]).await;
    assert!(!out.status.success() && out.stderr.contains("FRONTDESK_BENCH"), "{out:?}");
}
