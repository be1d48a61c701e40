//! What an idle connection costs.

use std::{env, fs, process::Command};

use frontdesk_gateway::edge::EdgeLimits;

use super::{
    client::Client,
    server::{Event, Server},
};

fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// Connects, sends one message each, gets the answer, stays.
fn connect(server: &Server, count: usize) -> Vec<Client> {
    (0..count)
        .map(|_| {
            let mut client = Client::connect(server.address);
            assert!(matches!(server.event(), Event::Connected(_)));
            client.say("hello");
            assert_eq!(client.hear(), "hello");
            client
        })
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
fn two_thousand_idle_connections_cost_little_memory() {
    // In a process of its own: memory of tests that run beside would be counted.
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", "idle::measured_alone", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    println!("{said}");
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "started by the test above in a process of its own"]
fn measured_alone() {
    let server = Server::start(&EdgeLimits::default());
    let warm = connect(&server, 500);
    let before = resident_bytes();
    let crowd = connect(&server, 2000);
    let each = resident_bytes().saturating_sub(before) / 2000;
    assert_eq!(server.counters(0).connections, 2500);
    println!("idle connection: {each} bytes of memory, the client's 300 among them");
    assert!(each < 1024, "{each} bytes per idle connection");
    drop((warm, crowd));
}
