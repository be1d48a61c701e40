//! Both floors under the generator: nothing lost, doubled or out of order. Rates are not looked at.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::mpsc,
    time::Duration,
};

use frontdesk_loadgen::{
    BaselineKind, BaselineOptions, ConnectOptions, Endpoint, FanoutOptions, FloorOptions, Load,
    Placement, Report, Server, Subject, TextOptions, accept_floor, fanout, floor, serve_baseline,
    text,
};
use tempfile::TempDir;

/// A floor on a thread of this process.
struct Floor {
    server: Server,
    dir: TempDir,
    stop: UnixStream,
    thread: std::thread::JoinHandle<()>,
}

fn start(kind: BaselineKind) -> Floor {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut options = BaselineOptions::new(kind, listen, PathBuf::from(dir.path()));
    // A circle of 8 MiB: a second's worth of turns goes round it.
    options.log_bytes = 8 << 20;
    let (stop, stopped) = UnixStream::pair().expect("a pair of sockets");
    let (say, hear) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        serve_baseline(&options, &stopped, |address| {
            say.send(address).expect("the test waits");
            Ok(())
        })
        .expect("the floor ends when told to");
    });
    let address = hear.recv().expect("the floor listens");
    let server = Server::of(std::process::id(), Endpoint::Baseline(address));
    Floor { server, dir, stop, thread }
}

impl Floor {
    fn end(self) {
        drop(self.stop);
        self.thread.join().expect("the floor's thread");
        let left = std::fs::read_dir(self.dir.path()).expect("the directory").count();
        assert_eq!(left, 0, "no log is left");
    }
}

fn shape(subject: Subject, load: Load, measured: Duration) -> TextOptions {
    TextOptions {
        visitors: 40,
        agents: 3,
        warm_up: Duration::from_millis(200),
        placement: Placement::Free,
        ..TextOptions::new(subject, load, measured)
    }
}

fn run(kind: BaselineKind, subject: Subject, load: Load) -> Report {
    let floor = start(kind);
    let options = shape(subject, load, Duration::from_secs(1));
    let report = text(&options, &floor.server).expect("a run");
    floor.end();
    report
}

fn assert_sound(report: &Report) {
    assert_eq!(
        (
            report.counts.faults.lost,
            report.counts.faults.duplicated,
            report.counts.faults.reordered,
            report.counts.refused
        ),
        (0, 0, 0, 0)
    );
    assert!(report.is_clean());
    assert!(report.counts.acked > 0, "{report:?}");
    assert_eq!(report.counts.acked, report.counts.delivered);
    assert_eq!(report.counts.offered, report.counts.accepted);
    assert!(report.ack.p50_ms <= report.ack.p99_ms && report.ack.p999_ms <= report.ack.max_ms);
    assert!(report.delivery.max_ms > 0.0);
}

#[test]
fn f0_relays_a_closed_loop_whole_and_in_order() {
    let report = run(BaselineKind::F0, Subject::F0, Load::Closed);
    assert_sound(&report);
    assert_eq!((report.counts.acked, report.durable), (report.counts.offered, false));
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
    assert!(report.counts.offered.abs_diff(500) <= 1, "{report:?}");
}

#[test]
fn b_accept_takes_every_connection() {
    let floor = start(BaselineKind::Accept);
    let options = ConnectOptions { connections: 2_500, at_once: 1, placement: Placement::Free };
    let found = accept_floor(&options, &floor.server).expect("the connections");
    floor.end();
    assert!(found.count == 2_500 && found.per_s > 0.0 && !found.cost.void, "{found:?}");
}

#[test]
fn b_send_sends_to_every_connection() {
    let floor = start(BaselineKind::Send);
    let options = FanoutOptions {
        sockets: 20,
        warm_up: Duration::from_millis(100),
        placement: Placement::Free,
        ..FanoutOptions::new(Duration::from_millis(300))
    };
    let found = fanout(&options, &floor.server).expect("the run");
    floor.end();
    assert!(found.deliveries > 20 && found.is_clean(), "{found:?}");
    assert_eq!((found.subject, found.messages), (Subject::BSend, None));
}

#[test]
fn the_floors_take_turns() {
    let options = FloorOptions {
        rounds: 2,
        shape: shape(Subject::F0, Load::Open { rate: 400 }, Duration::from_millis(500)),
    };
    let mut floors = Vec::new();
    let report = floor(&options, &mut |subject| {
        let floor = start(match subject {
            Subject::F0 => BaselineKind::F0,
            Subject::F1 => BaselineKind::F1,
            _ => BaselineKind::F1Direct,
        });
        let Endpoint::Baseline(address) = floor.server.endpoint else { panic!("no floor") };
        floors.push(floor);
        Ok(Server::of(std::process::id(), Endpoint::Baseline(address)))
    })
    .expect("the rounds");
    for floor in floors {
        floor.end();
    }
    let order: Vec<Subject> = report.runs.iter().map(|run| run.subject).collect();
    let turn = [Subject::F0, Subject::F1, Subject::F1Direct];
    assert_eq!(order, turn.repeat(2));
    for (figures, subject) in report.floors.iter().zip(turn) {
        let counting = report.runs.iter().filter(|run| run.subject == subject && run.counts());
        let rates: Vec<f64> = counting.map(|run| run.acked_per_s).collect();
        assert_eq!((figures.subject, figures.rounds), (subject, rates.len()));
        if let Some(rate) = figures.acked_per_s {
            assert!(rates.contains(&rate.min) && rates.contains(&rate.max), "{figures:?}");
        }
    }
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
