//! `frontdesk serve`: from a configuration to a running node, and back at a signal.
//!
//! The first SIGTERM or SIGINT drains; a second one exits at once.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context as _;
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::{self, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

use crate::{
    cli::Serve,
    commands::say,
    config::{Config, Durability},
    data_dir::{DataDir, Missing},
    demo::{self, Life, Stage},
    node::{self, Node, Start, now_ms, reachable},
    progress::Progress,
};

/// Connections the kernel may hold for us before they are accepted.
const BACKLOG: u32 = 4_096;
/// Name of the runtime's threads, as the system shows it.
const THREADS: &str = "tokio";
/// How long a thread that may block waits for more to do. Whoever waits longest gets the next piece of work,
/// so with Tokio's own 10 s twenty requests in a second keep up to two hundred threads, and half a
/// megabyte for each, that one busy moment has made.
const BLOCKING_IDLE: Duration = Duration::from_millis(200);
/// How long threads are waited for that outlive the server.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(1);

pub(crate) fn run(config: &Config, flags: &Serve) -> anyhow::Result<ExitCode> {
    let runtime = runtime().context("cannot start the runtime")?;
    let ended = runtime.block_on(serve(config, flags));
    // A thread may wait for an engine that is away; what it has to write the log holds.
    runtime.shutdown_timeout(SHUTDOWN_WAIT);
    ended
}

fn runtime() -> std::io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name(THREADS)
        .thread_keep_alive(BLOCKING_IDLE)
        .build()
}

async fn serve(config: &Config, flags: &Serve) -> anyhow::Result<ExitCode> {
    let &Serve { demo, echo, json, quiet_demo, demo_speed, .. } = flags;
    let listener = listen(config.server.listen)?;
    let missing =
        Missing::Create { partitions: config.storage.partitions(), demo, now_ms: now_ms() };
    let data_dir = DataDir::open(&config.server.data_dir, missing)?;
    let catalog = node::open_catalog(config, &data_dir).await.context("cannot open the catalog")?;
    let progress = Progress::on_terminal();
    if demo {
        if catalog.has_real_account().await? || !data_dir.installation.demo {
            anyhow::bail!(
                "{} holds an account of your own; a demo starts only in a directory of its own \
                 (choose another --data-dir)",
                data_dir.path().display()
            );
        }
    } else if data_dir.installation.demo {
        tracing::warn!("this data directory was made for a demo");
    }
    let mut seeded = if demo {
        let stage = Stage { catalog: &catalog, data_dir: &data_dir, config, progress: &progress };
        Some(stage.prepare(quiet_demo).await?)
    } else {
        None
    };
    let setup = if catalog.is_empty().await? {
        Some(catalog.create_setup_token(now_ms()).await?)
    } else {
        None
    };
    if node::durability(config) == Durability::Async {
        tracing::warn!(
            "storage.embedded.durability is \"async\": acknowledged messages may be lost when the \
             machine stops"
        );
    }
    let path = data_dir.path().display().to_string();
    let switch = seeded.as_ref().map(demo::Seeded::switch);
    let names = seeded.as_mut().map(demo::Seeded::names).unwrap_or_default();
    let start =
        Start { data_dir, listener, catalog: catalog.clone(), demo: switch.clone(), names, echo };
    let node = Node::start(config, start, &progress).await?;

    let scheme = if config.has_tls() { "https" } else { "http" };
    let base = if config.server.public_url.is_empty() {
        format!("{scheme}://{}", reachable(node.address))
    } else {
        config.server.public_url.trim_end_matches('/').to_owned()
    };
    // Before anybody is told that it runs: whoever stops it at once gets a clean stop.
    let mut terminate = signal(SignalKind::terminate()).context("cannot hear SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot hear SIGINT")?;
    tracing::info!(address = %node.address, data_dir = path, "frontdesk is ready");
    let mut life = None;
    if let (Some(seeded), Some(switch)) = (&seeded, switch) {
        let address = node.inside;
        life = Some(Life::begin(seeded, &catalog, switch, address, &base, demo_speed).await?);
        if json {
            seeded.announce_json(&base);
        } else {
            seeded.announce(&base);
        }
    } else if let Some(token) = setup {
        say(&format!(
            "\nSet up Frontdesk within 15 minutes:\n  {base}/#/setup?token={}\n",
            token.reveal()
        ));
    } else {
        say(&format!("Frontdesk serves {base}"));
    }

    next(&mut terminate, &mut interrupt).await;
    drop(life);
    tracing::info!("stopping; a second signal stops at once");
    let grace = Duration::from_millis(config.server.drain_ms) + node::stop_grace(config);
    tokio::select! {
        stopped = tokio::time::timeout(grace, node.stop()) => {
            stopped.context("stopping took too long")??;
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
        () = next(&mut terminate, &mut interrupt) => {
            tracing::warn!("stopped at once");
            // Everything acked is on disk; the rest is what a kill would lose, too.
            std::process::exit(1)
        }
    }
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.context("cannot open a socket")?;
    socket.set_reuseaddr(true).context("cannot prepare the socket")?;
    let taken = || format!("cannot listen on {address}; choose another with --listen");
    socket.bind(address).with_context(taken)?;
    socket.listen(BACKLOG).with_context(taken)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        fs,
        sync::{Arc, Barrier},
        time::Instant,
    };

    use tokio::{
        task::{JoinSet, spawn_blocking},
        time::interval,
    };

    use super::*;

    /// Pieces of work at the same time.
    const BUSY: usize = 60;
    /// Threads that may be left beside those there are always.
    const LEFT: usize = 20;
    /// Twenty pieces of work a second, one after the other.
    const THEN_EVERY: Duration = Duration::from_millis(50);

    /// Threads of a runtime of the server in this process.
    fn threads() -> usize {
        let threads = fs::read_dir("/proc/self/task").expect("Linux has /proc").flatten();
        // One that ends meanwhile has no name any more.
        let name = |of: fs::DirEntry| fs::read_to_string(of.path().join("comm"));
        threads.filter_map(|of| name(of).ok()).filter(|name| name.trim_end() == THREADS).count()
    }

    #[test]
    fn threads_of_a_busy_moment_end_while_work_goes_on() {
        runtime().expect("a runtime").block_on(async {
            let always = threads();
            let all_there = Arc::new(Barrier::new(BUSY));
            let mut work = JoinSet::new();
            for _ in 0..BUSY {
                let all_there = Arc::clone(&all_there);
                work.spawn_blocking(move || all_there.wait());
            }
            work.join_all().await;
            let busy = threads();
            assert!(busy > always + LEFT, "{busy} threads, {always} before");
            let mut pace = interval(THEN_EVERY);
            let ended = Instant::now();
            while threads() > always + LEFT {
                assert!(ended.elapsed() < Duration::from_secs(8), "{} threads", threads());
                pace.tick().await;
                spawn_blocking(|| ()).await.expect("it ends");
            }
        });
    }
}
