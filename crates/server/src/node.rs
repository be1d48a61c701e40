//! One running node: storage, edge loops, gate, desk and HTTP, wired together.
//!
//! ```text
//! start: open storage -> fold what the logs hold beyond the history -> bring projections up
//!        -> loops -> gate, desk, projection writer -> HTTP door
//! stop:  door closed -> loops drain and finish -> desk -> projections -> storage
//! ```
//! Only `backends`, `recovery` and `cluster` name a back end.

mod ahead;
mod assist;
mod attendance;
mod backends;
pub(crate) mod bots;
mod bucket;
mod cluster;
mod contacts;
mod desk;
mod echo;
mod engine;
mod feeds;
mod gate;
pub(crate) mod intents;
mod metrics;
mod models;
mod past;
mod principals;
mod projector;
mod recovery;
mod rows;
mod staff;
mod tls;
mod trouble;
mod words;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use anyhow::Context as _;
use frontdesk_api::{
    ApiConfig, ApiParts, demo::Demo, files::Files, knowledge::KnowledgeBases, token::ServerKey,
};
use frontdesk_catalog::{Catalog, ContactAuthor, ContactChange, MySqlOptions};
use frontdesk_core::id::IdSource;
use frontdesk_dispatcher::projections::Projections;
use frontdesk_gateway::{
    chat::{
        Chat, ChatOptions, ChatParts,
        gcra::Quota,
        loops::Loops,
        place,
        port::{BotPort, ChatHealth, Command, Ports},
    },
    edge::{
        EdgeLimits, EdgeLoop,
        front::{self, FrontLimits},
    },
};
use frontdesk_intent::Classifier;
use frontdesk_knowledge::Options;
use frontdesk_storage::History;
use frontdesk_storage_embedded::{DiskSpace, Reserve};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle as TaskHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{self, Config, Durability, FileStore, Role, Storage},
    data_dir::DataDir,
    demo::Name,
    progress::Progress,
};
pub(crate) use ahead::append;
use backends::Backends;
use bots::{BotParts, Bots};
use desk::{DeskParts, DeskTask, DeskView};
use engine::NodeEngine;
use gate::Gate;
use intents::{IntentParts, Intents, Sorting};
use models::Models;
pub(crate) use recovery::{Recovered, recover};
use staff::Staff;
use words::{HitsPort, Words};

/// Requests to the gate that may wait.
const GATE_QUEUE: usize = 32_768;
/// What the loops may have told the desk before it took it in.
const DESK_QUEUE: usize = 16_384;
/// HTTP queries that may wait for the desk.
const QUERY_QUEUE: usize = 1_024;
/// How long a stop may take beside closing connections.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How long a stop waits for lists to be written.
const TASKS_GRACE: Duration = Duration::from_secs(3);
/// How often what has expired is removed; uploads older than this are given up.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// Partitions whose log or history failed, on their way to whoever opens them anew.
const BROKEN_QUEUE: usize = 256;
/// Batches of messages that wait for a log that is away, on their way to this node's disk.
const OVERDUE_QUEUE: usize = 16;
/// What turns of the loops tell the bot, before it is taken in.
const BOT_QUEUE: usize = 1_024;
/// What turns of the loops heard of visitors, before it is taken in.
const HEARD_QUEUE: usize = 1_024;
/// Batches of rows that may wait for the projection writer.
const ROWS_QUEUE: usize = 64;

/// UTC milliseconds.
pub(crate) fn now_ms() -> i64 {
    frontdesk_gateway::clock::now_ms()
}

/// A node that serves.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    /// Where clients of this very process connect, in plain text.
    pub(crate) inside: SocketAddr,
    drain_ms: u64,
    loops: Arc<Loops>,
    threads: Vec<JoinHandle<anyhow::Result<()>>>,
    draining: Arc<std::sync::atomic::AtomicBool>,
    /// Stops the door.
    door: CancellationToken,
    door_task: TaskHandle<()>,
    /// Stops what serves the loops, after the loops.
    tasks_stop: CancellationToken,
    tasks: TaskTracker,
    /// Among other nodes, if there are any.
    cluster: Option<cluster::Running>,
    _data_dir: DataDir,
}

/// What a node is started with beside its configuration.
pub(crate) struct Start {
    pub(crate) data_dir: DataDir,
    pub(crate) listener: TcpListener,
    pub(crate) catalog: Catalog,
    /// `/demo` exists, and may be entered as the people it names.
    pub(crate) demo: Option<Demo>,
    /// Names of visitors to note before lists are read.
    pub(crate) names: Vec<Name>,
    /// `/ws/echo` exists.
    pub(crate) echo: bool,
}

impl Node {
    /// Opens everything and begins to serve.
    pub(crate) async fn start(
        config: &Config,
        start: Start,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let Start { data_dir, listener, catalog, demo, names, echo } = start;
        let address = listener.local_addr().context("cannot tell the listener's address")?;
        let tls = tls::source(&config.tls)?;
        let router = intents::open(&config.intent)?;
        let sorting = router.clone().map(|router| Sorting::new(router, catalog.clone()));
        let count = loop_count(config);
        let projections = Arc::new(
            Projections::open(&data_dir.projections())
                .await
                .context("cannot open the projections")?,
        );
        note_names(&catalog, names).await?;
        projections.begin_contacts(&catalog).await.context("cannot copy contacts")?;
        let backends = Backends::open(config, &data_dir, &projections, count, progress).await?;
        let Backends {
            history,
            directory,
            keys,
            epoch,
            dispatchers,
            projected,
            open,
            removed,
            node,
        } = backends;

        let mut edges = Vec::new();
        let mut handles = Vec::new();
        for _ in 0..count {
            let (edge, handle) = EdgeLoop::<Command>::open(edge_limits(config))
                .context("cannot open an edge loop")?;
            edges.push(edge);
            handles.push(handle);
        }
        let partitions = data_dir.installation.partitions;
        let loops = Arc::new(match &node {
            None => Loops::alone(handles, partitions),
            Some(node) => Loops::of_node(node.number(), handles, partitions),
        });
        let (gate_in, gate_out) = mpsc::channel(GATE_QUEUE);
        let (desk_in, desk_out) = mpsc::channel(DESK_QUEUE);
        let (switch_in, switch_out) = mpsc::channel(DESK_QUEUE);
        let (query_in, query_out) = mpsc::channel(QUERY_QUEUE);
        let (rows_in, rows_out) = mpsc::channel(ROWS_QUEUE);
        let (broken_in, broken_out) = mpsc::channel(BROKEN_QUEUE);
        let (overdue_in, overdue_out) = mpsc::channel(OVERDUE_QUEUE);
        let (heard_in, heard_out) = mpsc::channel(HEARD_QUEUE);
        let (words, HitsPort { sender: hits, receiver: hits_out }) =
            Words::open(catalog.clone()).await?;
        let heard = router.as_ref().map(|_| heard_in);
        let options = knowledge_options(&config.knowledge)?;
        let knowledge = KnowledgeBases::new(catalog.clone(), options);
        let bots = Bots::open(catalog.clone()).await?;
        let (news_in, news_out) = mpsc::channel(BOT_QUEUE);
        let bot = Some(BotPort { inboxes: Arc::clone(bots.inboxes()), told: news_in });
        let ports = match &node {
            None => Ports {
                gate: gate_in,
                desk: desk_in.clone(),
                broken: None,
                spool: None,
                heard,
                hits,
                bot,
            },
            Some(_) => Ports {
                gate: gate_in,
                desk: switch_in,
                broken: Some(broken_in),
                spool: Some(overdue_in),
                heard,
                hits,
                bot,
            },
        };

        let mut threads = Vec::new();
        let mut health = Vec::new();
        let of_loops = dispatchers.into_iter().zip(&projected);
        for ((edge, number), (dispatchers, loop_projected)) in
            edges.into_iter().zip(loops.local_numbers()).zip(of_loops)
        {
            let index = place::place_of(number);
            let loop_health = Arc::new(ChatHealth::default());
            let chat = Chat::new(ChatParts {
                options: chat_options(config, number, epoch),
                dispatchers,
                ids: id_source(number),
                ports: ports.clone(),
                loops: Arc::clone(&loops),
                projected: Arc::clone(loop_projected),
                health: Arc::clone(&loop_health),
                screens: Arc::clone(words.screens()),
            });
            let thread =
                std::thread::Builder::new().name(format!("edge-{index}")).spawn(move || {
                    let chat = edge.run(chat).context("an edge loop failed")?;
                    chat.finish().context("the history is not up to date")?;
                    Ok(())
                });
            threads.push(thread.context("cannot start an edge loop")?);
            health.push(loop_health);
        }
        drop(ports);

        let key = ServerKey::new(keys.server);
        let view = Arc::new(DeskView::new(u64::from_be_bytes(random()) | 1));
        let tasks = TaskTracker::new();
        let tasks_stop = CancellationToken::new();
        let files = open_files(config, &data_dir, &catalog).await?;
        for (account, ids) in removed {
            files.remove(account, &ids).await.context("cannot remove files of removed messages")?;
        }
        let gate = Arc::new(Gate::new(
            catalog.clone(),
            Arc::clone(&directory),
            key.clone(),
            ServerKey::new(keys.resume),
            Arc::clone(&loops),
            Arc::clone(&view),
            files.clone(),
        ));
        tasks.spawn(Arc::clone(&gate).run(gate_out, tasks_stop.clone()));
        tasks.spawn(Arc::clone(&words).run(hits_out, tasks_stop.clone()));
        let mut desk = DeskTask::new(DeskParts {
            catalog: catalog.clone(),
            loops: Arc::clone(&loops),
            epoch,
            view: Arc::clone(&view),
            rows: rows_in,
            projections: Arc::clone(&projections),
            id_seed: u32::from_be_bytes(random()),
            sorting: sorting.clone(),
            bots: Arc::clone(&bots),
        });
        if let Some(sorting) = &sorting {
            let parts = IntentParts {
                sorting: sorting.clone(),
                catalog: catalog.clone(),
                loops: Arc::clone(&loops),
                desk: query_in.clone(),
                router_file: config.intent.router_file.clone(),
            };
            tasks.spawn(Intents::run(parts, heard_out, tasks_stop.clone()));
        }
        if node.is_none() {
            desk.begin(open).await.context("cannot open the desks of the accounts")?;
        }
        tasks.spawn(desk.run(desk_out, query_out, tasks_stop.clone()));
        let cluster = match node {
            None => {
                drop((switch_out, broken_out, overdue_out));
                tasks.spawn(projector::run(Arc::clone(&projections), rows_out, projected));
                None
            }
            Some(node) => {
                let parts = cluster::Parts {
                    loops: Arc::clone(&loops),
                    catalog: catalog.clone(),
                    projections: Arc::clone(&projections),
                    view: Arc::clone(&view),
                    files: files.clone(),
                    desk: desk_in.clone(),
                    switch: switch_out,
                    broken: broken_out,
                    overdue: overdue_out,
                    address,
                    rows: rows_out,
                };
                Some(node.start(parts, &tasks).await?)
            }
        };
        drop(desk_in);

        let draining = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let header_timeout = Duration::from_millis(config.gateway.header_timeout_ms);
        let elsewhere =
            cluster.as_ref().map(|cluster| cluster.elsewhere(Arc::clone(&loops), header_timeout));
        let door = CancellationToken::new();
        let outgoing = crate::outgoing::to_named(&config.outgoing)?;
        let models = Arc::new(Models::new(catalog.clone(), key.clone(), outgoing.clone()));
        tasks.spawn(Arc::clone(&models).run(door.clone()));
        let engine = Arc::new(NodeEngine {
            catalog: catalog.clone(),
            history: Arc::clone(&history),
            projections: Arc::clone(&projections),
            loops: Arc::clone(&loops),
            epoch,
            durability: durability(config),
            queries: query_in,
            health: health.clone(),
            draining: Arc::clone(&draining),
            ids: parking_lot::Mutex::new(id_source(u16::MAX)),
            words: Arc::clone(&words),
            bots: Arc::clone(&bots),
            models: Arc::clone(&models),
            knowledge: knowledge.clone(),
            space: space(&data_dir, config),
            next_loop: std::sync::atomic::AtomicUsize::new(0),
            gate: Arc::clone(&gate),
            cluster: cluster.as_ref().map(cluster::Running::health),
            shared_limits: cluster.as_ref().map(|_| Arc::clone(&directory)),
            staff: Staff::new(catalog.clone(), Arc::clone(&projections), Arc::clone(&view)),
            sorting: sorting.clone(),
            past_reads: Arc::new(tokio::sync::Semaphore::new(intents::past::READS_MAX)),
        });
        if let Some(cluster) = &cluster {
            tasks.spawn(cluster.follow_changes(catalog.clone(), Arc::clone(&engine)));
        }
        let parts = BotParts {
            bots,
            engine: Arc::clone(&engine),
            view: Arc::clone(&view),
            knowledge: knowledge.clone(),
            models: Arc::clone(&models),
            conversations_max: config.limits.bot_conversations_max,
        };
        tasks.spawn(bots::run(parts, news_out, tasks_stop.clone()));
        tasks.spawn(maintain(catalog.clone(), files.clone(), door.clone()));
        let metrics = metrics::renderer(Arc::clone(&loops), health, router);
        let demo_lives = demo.is_some();
        let mut router = frontdesk_api::router(ApiParts {
            catalog,
            engine,
            files,
            key,
            ids: id_source(u16::MAX - 1),
            metrics,
            config: api_config(config, demo.is_some())?,
            demo,
            elsewhere,
            knowledge,
            outgoing,
            stopping: door.clone(),
        });
        if echo {
            router = echo::route()?.fallback_service(router);
        }
        let limits = || FrontLimits {
            http_connections_max: config.server.http_connections_max,
            header_timeout,
            ..FrontLimits::default()
        };
        let mut inside = reachable(address);
        if demo_lives && tls.is_some() {
            // The demo's own people need no certificate.
            let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let plain = plain.context("cannot listen for the demo's own people")?;
            inside = plain.local_addr().context("cannot tell the listener's address")?;
            tasks.spawn(front::serve(plain, None, router.clone(), limits(), door.clone()));
        }
        let door_task = tokio::spawn(front::serve(listener, tls, router, limits(), door.clone()));
        Ok(Self {
            address,
            inside,
            drain_ms: config.server.drain_ms,
            loops,
            threads,
            draining,
            door,
            door_task,
            tasks_stop,
            tasks,
            cluster,
            _data_dir: data_dir,
        })
    }

    /// Stops in order: no new connections, sockets closed with a reconnect code over the window,
    /// everything folded written and synced.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.draining.store(true, std::sync::atomic::Ordering::Release);
        self.door.cancel();
        if let Some(cluster) = &self.cluster {
            // Partitions first, while their loops still work.
            cluster.hand_over().await;
        }
        for handle in self.loops.local() {
            if handle.send(Command::Drain { window_ms: self.drain_ms }).is_err() {
                tracing::warn!("a loop did not take the order to drain");
            }
        }
        self.door_task.await.context("the front door panicked")?;
        let threads = self.threads;
        tokio::task::spawn_blocking(move || {
            for thread in threads {
                match thread.join() {
                    Ok(result) => result?,
                    Err(_) => anyhow::bail!("an edge loop panicked"),
                }
            }
            Ok(())
        })
        .await
        .context("cannot wait for the edge loops")??;
        if let Some(cluster) = &self.cluster {
            cluster.end();
        }
        // With the loops gone their channels close: desk and projection writer end when all is taken.
        self.tasks.close();
        if tokio::time::timeout(TASKS_GRACE, self.tasks.wait()).await.is_err() {
            tracing::warn!("lists were not written in time; the next start makes them good");
            self.tasks_stop.cancel();
            self.tasks.wait().await;
        }
        Ok(())
    }
}

/// An address this machine can connect to: the wildcard is this machine.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v6.port()).into(),
        other => other,
    }
}

/// Opens what people configure.
pub(crate) async fn open_catalog(
    config: &Config,
    data_dir: &DataDir,
) -> Result<Catalog, frontdesk_catalog::Error> {
    match &config.storage {
        Storage::Embedded { .. } => Catalog::open(&data_dir.catalog()).await,
        Storage::Cluster { cluster } => {
            // The first shard; a configuration without one is refused before.
            let url = cluster.mysql_urls.first().map(|url| url.0.clone()).unwrap_or_default();
            Catalog::open_mysql(&MySqlOptions::new(url)).await
        }
    }
}

/// How articles are indexed.
///
/// # Errors
/// Where the sentence model that is configured cannot be read.
pub(crate) fn knowledge_options(config: &config::Knowledge) -> anyhow::Result<Options> {
    let dir = &config.sentence_model_dir;
    if dir.as_os_str().is_empty() {
        return Ok(Options::default());
    }
    let model = Classifier::open(dir).with_context(|| {
        format!("knowledge.sentence_model_dir: cannot use the model {}", dir.display())
    })?;
    Ok(Options { embed: Some(Arc::new(move |text| model.embed(text))), ..Options::default() })
}

/// Notes what a demo calls its visitors.
async fn note_names(catalog: &Catalog, names: Vec<Name>) -> anyhow::Result<()> {
    let by = ContactAuthor { id: String::new(), name: String::new(), at_ms: now_ms() };
    for Name { account, visitor, text } in names {
        let change = ContactChange { name: Some(text), ..ContactChange::default() };
        catalog
            .update_contact_of(account, visitor, &change, &by)
            .await
            .context("cannot note the name of a visitor")?;
    }
    Ok(())
}

/// Opens the store of files the configuration names.
pub(crate) async fn open_files(
    config: &Config,
    data_dir: &DataDir,
    catalog: &Catalog,
) -> anyhow::Result<Files> {
    let limits = api_config(config, false)?.files;
    Ok(match &config.files.store {
        FileStore::Local => Files::open(&data_dir.files(), catalog.clone(), limits)
            .context("cannot open the file store")?,
        FileStore::S3(options) => {
            Files::over(bucket::open(options).await?, catalog.clone(), limits)
        }
    })
}

pub(crate) fn loop_count(config: &Config) -> u16 {
    if config.gateway.loops > 0 {
        return config.gateway.loops;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u16::try_from(cores).unwrap_or(u16::MAX).min(256)
}

fn edge_limits(config: &Config) -> EdgeLimits {
    let gateway = &config.gateway;
    EdgeLimits {
        frame_bytes_max: gateway.frame_bytes_max,
        message_bytes_max: gateway.frame_bytes_max,
        out_queue_bytes_max: gateway.out_queue_bytes_max,
        silence_max: Duration::from_millis(
            (gateway.ping_interval_ms + gateway.pong_wait_ms).saturating_sub(1_000).max(1_000),
        ),
        ..EdgeLimits::default()
    }
}

fn chat_options(config: &Config, loop_index: u16, epoch: u64) -> ChatOptions {
    let limits = &config.limits;
    ChatOptions {
        loop_index,
        epoch,
        frame_bytes_max: config.gateway.frame_bytes_max,
        in_flight_max: frontdesk_core::limits::IN_FLIGHT_MAX,
        auth_timeout: Duration::from_millis(config.gateway.auth_timeout_ms),
        ping_interval: Duration::from_millis(config.gateway.ping_interval_ms),
        visitor_quota: Quota::new(limits.visitor_rate_per_s, limits.visitor_burst),
        agent_quota: Quota::new(limits.agent_rate_per_s, limits.agent_burst),
        peer_quota: Quota::new(limits.ip_rate_per_s, limits.ip_burst),
        account_quota: Quota::new(limits.account_rate_per_s, limits.account_burst),
        text_bytes_max: frontdesk_core::limits::TEXT_BYTES_MAX as u32,
    }
}

/// Removes what has expired, once an hour: login sessions, idempotency keys, unfinished uploads.
async fn maintain(catalog: Catalog, files: Files, stop: CancellationToken) {
    let mut hourly = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = hourly.tick() => {}
        }
        if let Err(error) = catalog.sweep(now_ms()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot sweep the catalog");
        }
        let unfinished = now_ms() - i64::try_from(SWEEP_EVERY.as_millis()).unwrap_or(i64::MAX);
        if let Err(error) = files.sweep(unfinished).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot sweep the files");
        }
    }
}

/// Whether files may take so many bytes without touching the disk's reserve.
fn space(data_dir: &DataDir, config: &Config) -> Box<dyn Fn(u64) -> bool + Send + Sync> {
    let reserve = match &config.storage {
        Storage::Embedded { embedded } => embedded.reserve(),
        Storage::Cluster { .. } => Reserve::default(),
    };
    let path = data_dir.path().to_owned();
    Box::new(move |bytes| {
        DiskSpace::of(&path, reserve).is_ok_and(|space| space.usable_bytes() >= bytes)
    })
}

/// How long a stop may take beside closing connections: a node of several hands its partitions over.
pub(crate) fn stop_grace(config: &Config) -> Duration {
    match &config.storage {
        Storage::Embedded { .. } => STOP_GRACE,
        Storage::Cluster { .. } => STOP_GRACE + cluster::LEAVE_TIMEOUT,
    }
}

pub(crate) fn durability(config: &Config) -> Durability {
    match &config.storage {
        Storage::Embedded { embedded } => embedded.durability,
        Storage::Cluster { .. } => Durability::Sync,
    }
}

fn api_config(config: &Config, demo: bool) -> anyhow::Result<ApiConfig> {
    let server = &config.server;
    let mut api = ApiConfig { insecure_http: server.insecure_http, demo, ..ApiConfig::default() };
    if !server.public_url.is_empty() {
        api.public_url = Some(server.public_url.parse().context("server.public_url")?);
    }
    for network in &server.trusted_proxies {
        api.trusted_proxies.push(network.parse().context("server.trusted_proxies")?);
    }
    if !config.metrics.token.0.is_empty() {
        api.operator_token =
            Some(frontdesk_api::config::OperatorToken::new(config.metrics.token.0.clone()));
    }
    if let Storage::Cluster { .. } = config.storage {
        api.node_token = Some(cluster::node_token(&config.cluster.secret.0));
        let has = |role| config.cluster.has(role);
        api.serves =
            frontdesk_api::config::Serves { sockets: has(Role::Gateway), requests: has(Role::Api) };
    }
    api.limits.handshakes_per_s = config.limits.handshakes_per_s;
    api.limits.per_ip_per_minute = config.limits.http_per_address_per_minute;
    api.limits.per_principal_per_minute = config.limits.http_per_caller_per_minute;
    api.limits.per_account_per_minute = config.limits.http_per_account_per_minute;
    api.files.file_bytes_max = config.files.bytes_max;
    api.files.visitor_bytes_max = config.files.visitor_quota_bytes;
    api.files.account_bytes_max = config.files.account_quota_bytes;
    Ok(api)
}

/// Sources of ids of one process differ in the loop they belong to and in a random start.
/// Makes ids that no other source of this installation makes.
pub(crate) fn id_source(index: u16) -> IdSource {
    let machine: [u8; 3] = random();
    let process = (std::process::id() as u16).wrapping_mul(257).wrapping_add(index);
    IdSource::new(machine, process, u32::from_be_bytes(random()))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// A history as every part of the node holds it.
pub(crate) type SharedHistory = Arc<dyn History>;
