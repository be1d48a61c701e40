//! Benchmarks where a process may open few files: more connections than that are held by several
//! processes, or come in waves, or are refused before anything starts.

use frontdesk_testkit::{Output, server::run_to_end_within};
use serde_json::Value;

use super::{LIMIT, assert_clean};
use crate::{FRONTDESK, heavy};

/// Runs a benchmark where every process may open 256 files: connections for 124 beside its others.
async fn limited(arguments: &[&str]) -> Output {
    let shell = ["-c", "ulimit -n 256; exec \"$0\" \"$@\"", FRONTDESK, "bench"];
    run_to_end_within(LIMIT, "sh", &[&shell, arguments, &["--json"]].concat(), &[]).await
}

async fn report(arguments: &[&str]) -> Value {
    let out = limited(arguments).await;
    serde_json::from_str(&out.stdout).unwrap_or_else(|error| panic!("{error}: {out:?}"))
}

#[tokio::test]
async fn text_of_more_visitors_than_a_process_holds_is_written_by_several() {
    let _alone = heavy().await;
    for load in [&["--rate", "100"][..], &["--closed"]] {
        let shape = ["text", "--visitors", "200", "--agents", "4", "--seconds", "1"];
        let report = report(&[&shape, load].concat()).await;
        assert_clean(&report);
        assert_eq!(report["acked"], report["delivered"], "{report}");
        let counts = ["processes", "visitors", "agents"].map(|name| &report[name]);
        assert_eq!(counts, [2, 200, 4], "{report}");
        assert!(report["server_cpu_s_per_million"].is_f64(), "{report}");
        assert!(report["server_rss_bytes"].is_u64(), "{report}");
    }
    let few = report(&["text", "--rate", "50", "--visitors", "100", "--seconds", "1"]).await;
    assert_clean(&few);
    assert_eq!(few["processes"], 1, "{few}");
}

#[tokio::test]
async fn handshakes_of_more_than_a_process_holds_come_in_waves() {
    let _alone = heavy().await;
    let report = report(&["connect", "--connections", "300"]).await;
    for kind in ["ticket", "resume", "floor"] {
        assert_eq!(report[kind]["count"], 300, "{kind} in {report}");
    }
    assert_eq!(report["recovered"], 300, "{report}");
    assert!(report["ticket"]["server_cpu_s_per_million"].is_f64(), "{report}");
}

#[tokio::test]
async fn what_one_process_has_to_hold_says_so_where_it_may_not() {
    let _alone = heavy().await;
    for arguments in [
        &["mixed", "--visitors", "200"][..],
        &["files", "--visitors", "100"],
        &["fanout", "--sockets", "200"],
        &["idle", "--low", "10", "--high", "200"],
        &["text", "--subject", "f0", "--visitors", "200"],
    ] {
        let out = limited(arguments).await;
        assert!(
            !out.status.success() && out.stderr.contains("ulimit -n"),
            "{arguments:?}: {out:?}"
        );
    }
}
