//! `/metrics` in the Prometheus text format, from counters the loops keep without a lock.

use std::{
    fmt::Write as _,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use frontdesk_api::RenderMetrics;
use frontdesk_gateway::chat::{loops::Loops, port::ChatHealth};
use frontdesk_intent::SmartRouter;

/// Makes the function that renders the metrics of this node. Called on the runtime whose tasks count.
pub(crate) fn renderer(
    loops: Arc<Loops>,
    health: Vec<Arc<ChatHealth>>,
    intents: Option<Arc<SmartRouter>>,
) -> RenderMetrics {
    let started = Instant::now();
    let runtime = tokio::runtime::Handle::current().metrics();
    Arc::new(move |handshakes| {
        let edges: Vec<_> =
            loops.local().iter().map(|handle| handle.metrics().snapshot()).collect();
        let chat =
            |read: fn(&ChatHealth) -> u64| health.iter().map(|loop_| read(loop_)).sum::<u64>();
        let mut text = String::with_capacity(4_096);
        let uptime = started.elapsed().as_secs();
        gauge(&mut text, "frontdesk_uptime_seconds", "Seconds since the start", uptime);
        let sum = |read: fn(&frontdesk_gateway::edge::EdgeSnapshot) -> u64| {
            edges.iter().map(read).sum::<u64>()
        };
        let tunnels = sum(|edge| edge.tunnels);
        let sockets = sum(|edge| edge.connections) - tunnels;
        gauge(&mut text, "frontdesk_connections", "Open sockets", sockets);
        let help = "Sockets of other nodes whose conversations are served here";
        gauge(&mut text, "frontdesk_tunnels", help, tunnels);
        let owners = loops.owners();
        let is_own = |of: &u16| owners.owner(*of).is_some_and(|owner| loops.is_local(owner));
        let owned = (0..owners.partitions()).filter(is_own).count() as u64;
        gauge(&mut text, "frontdesk_partitions", "Partitions of the log this node owns", owned);
        let tasks = runtime.num_alive_tasks() as u64;
        gauge(&mut text, "frontdesk_tasks", "Tasks of the asynchronous runtime", tasks);
        let backlog = loops.local().iter().map(|handle| handle.backlog() as u64).sum();
        gauge(&mut text, "frontdesk_loop_backlog", "Commands waiting for the edge loops", backlog);
        let counters: [(&str, &str, u64); 13] = [
            ("frontdesk_handshakes_admitted_total", "Sockets let in", handshakes.admitted),
            (
                "frontdesk_handshakes_refused_total",
                "Sockets told to come again later",
                handshakes.refused,
            ),
            ("frontdesk_received_bytes_total", "Bytes read from sockets", sum(|e| e.bytes_in)),
            ("frontdesk_sent_bytes_total", "Bytes written to sockets", sum(|e| e.bytes_out)),
            ("frontdesk_slow_closes_total", "Connections closed as slow", sum(|e| e.slow_closes)),
            (
                "frontdesk_messages_acked_total",
                "Messages that are on disk and acked",
                chat(|h| h.acked.load(Ordering::Relaxed)),
            ),
            (
                "frontdesk_entries_delivered_total",
                "Entries handed to connections",
                chat(|h| h.delivered.load(Ordering::Relaxed)),
            ),
            (
                "frontdesk_log_commits_total",
                "Commits of the message log",
                chat(|h| h.commits.load(Ordering::Relaxed)),
            ),
            (
                "frontdesk_rate_limited_total",
                "Frames refused by a rate limit",
                chat(|h| h.rate_limited.load(Ordering::Relaxed)),
            ),
            (
                "frontdesk_pushes_dropped_total",
                "Batches of frames an edge loop was too far behind to take",
                chat(|h| h.pushes_dropped.load(Ordering::Relaxed)),
            ),
            (
                "frontdesk_resumes_recovered_total",
                "Resumes that gave exactly what was missed",
                chat(|h| h.resumed.load(Ordering::Relaxed)),
            ),
            (
                "frontdesk_resumes_reloaded_total",
                "Resumes that gave a new page",
                chat(|h| h.reloaded.load(Ordering::Relaxed)),
            ),
            (
                "frontdesk_rejoins_total",
                "Times a client was served by somebody else from then on, on the same connection",
                chat(|h| h.rejoins.load(Ordering::Relaxed)),
            ),
        ];
        for (name, help, value) in counters {
            describe(&mut text, name, help, "counter");
            line(&mut text, name, &value.to_string());
        }
        let seconds = chat(|h| h.commit_ns.load(Ordering::Relaxed)) as f64 / 1e9;
        let name = "frontdesk_log_commit_seconds_total";
        describe(&mut text, name, "Seconds spent in commits and what follows from them", "counter");
        line(&mut text, name, &format!("{seconds:.6}"));
        if let Some(intents) = &intents {
            of_intents(&mut text, intents);
        }
        text
    })
}

/// What finding out what visitors want comes to.
fn of_intents(text: &mut String, intents: &SmartRouter) {
    let name = "frontdesk_intent_decisions_total";
    describe(text, name, "Texts of visitors that were read, by the step that decided", "counter");
    for (step, count) in intents.traffic().decided() {
        line(text, &format!("{name}{{step=\"{}\"}}", step.as_str()), &count.to_string());
    }
    let health = intents.health();
    let name = "frontdesk_intent_failures_total";
    describe(text, name, "Texts the intent model did not answer in time or at all", "counter");
    line(text, name, &health.failed.to_string());
    let queued = health.queued as u64;
    gauge(text, "frontdesk_intent_queue", "Texts that wait for the intent model", queued);
    let open = u64::from(health.is_open);
    gauge(text, "frontdesk_intent_circuit_open", "The intent model is not asked for now", open);
}

fn gauge(text: &mut String, name: &str, help: &str, value: u64) {
    describe(text, name, help, "gauge");
    line(text, name, &value.to_string());
}

fn describe(text: &mut String, name: &str, help: &str, kind: &str) {
    // Writing to a String cannot fail.
    writeln!(text, "# HELP {name} {help}.\n# TYPE {name} {kind}").expect("a String grows");
}

fn line(text: &mut String, name: &str, value: &str) {
    writeln!(text, "{name} {value}").expect("a String grows");
}
