//! Both floors under the generator: nothing lost, doubled or out of order. Rates are not looked at.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::mpsc,
    time::Duration,
};

use frontdesk_loadgen::{
    BaselineKind, BaselineOptions, Endpoint, Load, Placement, Report, Server, Subject, TextOptions,
    serve_baseline, text,
};

fn run(kind: BaselineKind, subject: Subject, load: Load) -> Report {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut options = BaselineOptions::new(kind, listen, PathBuf::from(dir.path()));
    // A circle of 8 MiB: a second's worth of turns goes round it.
    options.log_bytes = 8 << 20;
    let (stop, stopped) = UnixStream::pair().expect("a pair of sockets");
    let (say, hear) = mpsc::channel();
    let floor = std::thread::spawn(move || {
        serve_baseline(&options, &stopped, |address| {
            say.send(address).expect("the test waits");
            Ok(())
        })
    });
    let address = hear.recv().expect("the floor listens");
    let server = Server::of(std::process::id(), Endpoint::Baseline(address));
    let options = TextOptions {
        visitors: 40,
        agents: 3,
        warm_up: Duration::from_millis(200),
        placement: Placement::Free,
        ..TextOptions::new(subject, load, Duration::from_secs(1))
    };
    let report = text(&options, &server).expect("a run");
    drop(stop);
    floor.join().expect("the floor's thread").expect("the floor ends when told to");
    assert_eq!(std::fs::read_dir(dir.path()).expect("the directory").count(), 0, "no log is left");
    report
}

fn assert_sound(report: &Report) {
    assert_eq!((report.lost, report.duplicated, report.reordered, report.refused), (0, 0, 0, 0));
    assert!(report.is_clean());
    assert!(report.acked > 0, "{report:?}");
    assert_eq!(report.acked, report.delivered);
    assert_eq!(report.offered, report.accepted);
    assert!(report.ack.p50_ms <= report.ack.p99_ms && report.ack.p999_ms <= report.ack.max_ms);
    assert!(report.delivery.max_ms > 0.0);
}

#[test]
fn f0_relays_a_closed_loop_whole_and_in_order() {
    let report = run(BaselineKind::F0, Subject::F0, Load::Closed);
    assert_sound(&report);
    assert_eq!((report.acked, report.durable), (report.offered, false));
}

#[test]
fn f1_commits_and_relays_a_closed_loop_whole_and_in_order() {
    let report = run(BaselineKind::F1, Subject::F1, Load::Closed);
    assert_sound(&report);
    assert!(report.durable);
}

#[test]
fn f1_keeps_to_the_schedule_of_an_open_loop() {
    let report = run(BaselineKind::F1, Subject::F1, Load::Open { rate: 500 });
    assert_sound(&report);
    // What was due in one second, give or take the edges.
    assert!(report.offered.abs_diff(500) <= 1, "{report:?}");
}

#[test]
fn a_report_has_the_fields_that_scripts_read() {
    let report = run(BaselineKind::F0, Subject::F0, Load::Open { rate: 200 });
    let json = serde_json::to_value(&report).expect("a report is JSON");
    for name in
        ["offered", "accepted", "acked", "delivered", "lost", "duplicated", "reordered", "refused"]
    {
        assert!(json[name].is_u64(), "{name} in {json}");
    }
    assert!(json["acked_per_s"].is_f64());
    assert!(json["void"].is_boolean());
    assert_eq!(json["subject"], "f0");
    for side in ["ack", "delivery"] {
        for name in ["p50_ms", "p99_ms", "p999_ms", "max_ms"] {
            assert!(json[side][name].is_f64(), "{side}.{name} in {json}");
        }
    }
}
