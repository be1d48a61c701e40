//! What an idle connection costs.

use std::fs;

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
    let server = Server::start(&EdgeLimits::default());
    let warm = connect(&server, 500);
    let before = resident_bytes();
    let crowd = connect(&server, 2000);
    let grown = resident_bytes().saturating_sub(before);
    assert_eq!(server.counters(0).connections, 2500);
    // Other tests run beside and the client's side is counted as well: the figure is printed, the
    // bound only says that no read buffer is kept.
    let each = grown / 2000;
    println!("idle connection: {each} bytes of memory, the client's 300 among them");
    assert!(each < 4096, "{each} bytes per idle connection");
    drop((warm, crowd));
}
