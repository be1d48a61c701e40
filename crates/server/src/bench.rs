//! `frontdesk bench`: measures this machine with the public protocol, against bare floors.
//!
//! Servers under test are processes of this same binary, so that their CPU time and memory can be
//! told from the generator's.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use frontdesk_loadgen::{
    BaselineKind, BaselineOptions, BurstOptions, ConnectOptions, CrashOptions, CrowdOptions, Error,
    FanoutOptions, FilesOptions, FloorOptions, Goals, GoalsOptions, IdleOptions, Load,
    MixedOptions, Placement, ProductAccess, ProductLaunch, ReferenceOptions, ReferenceReport,
    ResumeOptions, Server, Size, SizeOptions, SizeReport, StallOptions, Subject as Subject_,
    TextOptions, accept_floor, burst, connect, connections_max, crash, crowd, crowd_worker, fanout,
    files, floor as floor_, goals, idle, launch_baseline, launch_g0, launch_nodes, launch_product,
    mixed, raise_open_files, reference, resume, run_baseline, size, stall, sweep, temporary, text,
    text_by_several, trace,
};
use rustls::{ClientConfig, client::Resumption};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cli::{
        Bench, BenchBurst, BenchConnect, BenchCrash, BenchFanout, BenchFiles, BenchFloor,
        BenchGoals, BenchIdle, BenchMixed, BenchReference, BenchResume, BenchSize, BenchStall,
        BenchTarget, BenchText, CrowdGenerator, Floor, Scenario, Subject,
    },
    commands::{complain, say},
    trust,
};

/// Agents of a text run, and how many visitors each has at most before there are more.
const AGENTS: u32 = 20;
const PER_AGENT: u32 = 500;
/// Where the password of a target's admin is looked for.
const PASSWORD_ENV: &str = "FRONTDESK_BENCH_ADMIN_PASSWORD";

/// Exit code of a benchmark that was stopped: 128 and the number of SIGINT, as shells have it.
const EXIT_STOPPED: u8 = 130;

/// Runs a benchmark and prints its report.
pub(crate) fn run(bench: Bench) -> anyhow::Result<ExitCode> {
    let Bench { common, scenario } = bench;
    let dir = temporary(&common.dir.unwrap_or_else(std::env::temp_dir))?;
    let stage = &Stage {
        program: std::env::current_exe().context("cannot find this program")?,
        dir: dir.path().to_owned(),
        g0: common.g0,
        json: common.json,
    };
    stage.sweep_at_a_signal()?;
    raise_open_files()?;
    match scenario {
        Scenario::Text(options) => run_text(&options, stage),
        Scenario::Idle(options) => run_idle(&options, stage),
        Scenario::Connect(options) => run_connect(&options, stage),
        Scenario::Fanout(options) => run_fanout(&options, stage),
        Scenario::Resume(options) => run_resume(&options, stage),
        Scenario::Files(options) => run_files(&options, stage),
        Scenario::Mixed(options) => run_mixed(&options, stage),
        Scenario::Crash(options) => run_crash(&options, stage),
        Scenario::Stall(options) => run_stall(&options, stage),
        Scenario::Size(options) => run_size(options, stage),
        Scenario::Trace => {
            stage.print(&trace(&stage.pinned(Subject_::Product)?)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Scenario::Burst(options) => run_burst(&options, stage),
        Scenario::Floor(options) => run_floor(&options, stage),
        Scenario::Reference(options) => run_reference(options, stage),
        Scenario::Goals(options) => run_goals(options, stage),
    }
}

/// What is left of a benchmark that was stopped.
pub(crate) fn swept(dir: &Path) -> anyhow::Result<ExitCode> {
    sweep(dir)?;
    Ok(ExitCode::from(EXIT_STOPPED))
}

/// A process of a crowd.
pub(crate) fn crowd_generator(options: &CrowdGenerator) -> anyhow::Result<ExitCode> {
    crowd_worker(options.ca.as_deref().map(tls).transpose()?)?;
    Ok(ExitCode::SUCCESS)
}

/// The process of a floor.
pub(crate) fn floor(floor: Floor) -> anyhow::Result<ExitCode> {
    let kind = BaselineKind::parse(&floor.kind).context("there is no such floor")?;
    run_baseline(&BaselineOptions::new(kind, ([127, 0, 0, 1], 0).into(), floor.dir))?;
    Ok(ExitCode::SUCCESS)
}

fn run_text(options: &BenchText, stage: &Stage) -> anyhow::Result<ExitCode> {
    let subject = match options.subject {
        Subject::Product => Subject_::Product,
        Subject::ProductAsync => Subject_::ProductAsync,
        Subject::F0 => Subject_::F0,
        Subject::F1 => Subject_::F1,
        Subject::F1Direct => Subject_::F1Direct,
    };
    let load = match options.rate {
        Some(rate) if !options.closed => Load::Open { rate },
        _ => Load::Closed,
    };
    let target = target(&options.target)?;
    let free = options.unpinned || target.is_some();
    let placement = if free { Placement::Free } else { Placement::Pinned };
    let measured = options.time.duration();
    let agents = options.agents.unwrap_or(AGENTS.max(options.visitors.div_ceil(PER_AGENT)));
    let text_options = TextOptions {
        visitors: options.visitors,
        agents,
        placement,
        ..TextOptions::new(subject, load, measured)
    };
    anyhow::ensure!(
        target.is_none() || subject == Subject_::Product,
        "--target is the product; --subject chooses what is started here"
    );
    let mut launch = stage.launcher(placement);
    let mut server = |subject| match &target {
        Some(access) => Ok(Server::remote(access.clone())),
        None => launch(subject),
    };
    let several = options.visitors.saturating_add(agents) > connections_max()
        && matches!(subject, Subject_::Product | Subject_::ProductAsync);
    let report = if several {
        text_by_several(&text_options, &stage.generator(&options.target)?, &mut server)?
    } else {
        text(&text_options, &server(subject)?)?
    };
    stage.print(&report)?;
    Ok(success(report.is_clean()))
}

fn run_idle(options: &BenchIdle, stage: &Stage) -> anyhow::Result<ExitCode> {
    if let Some(connections) = options.connections {
        return run_crowd(options, connections, stage);
    }
    anyhow::ensure!(
        options.target.target.is_none(),
        "the memory of a server elsewhere is not known: give --connections with --target"
    );
    let server = stage.launch(Subject_::Product, Placement::Pinned)?;
    let idle_options = IdleOptions {
        low: options.low,
        high: options.high,
        hold: Duration::from_secs(options.hold),
        ..IdleOptions::default()
    };
    stage.print(&idle(&idle_options, &server)?)?;
    Ok(ExitCode::SUCCESS)
}

/// More connections than a process may have files.
fn run_crowd(options: &BenchIdle, connections: u32, stage: &Stage) -> anyhow::Result<ExitCode> {
    let shape = CrowdOptions::new(connections, options.chatting.of(connections));
    let chat = shape.chat.map(|chat| TextOptions {
        load: options.rate.map_or(chat.load, |rate| Load::Open { rate }),
        measured: Duration::from_secs(options.seconds),
        ..chat
    });
    let crowd_options = CrowdOptions {
        per_process: options.per_process.unwrap_or(shape.per_process),
        hold: Duration::from_secs(options.hold),
        chat,
        ..shape
    };
    let access = target(&options.target)?;
    let mut start = stage.launcher(Placement::Pinned);
    let mut server = |subject| match &access {
        Some(access) => Ok(Server::remote(access.clone())),
        None => start(subject),
    };
    let report = crowd(&crowd_options, &stage.generator(&options.target)?, &mut server)?;
    stage.print(&report)?;
    Ok(success(report.is_clean()))
}

fn run_burst(options: &BenchBurst, stage: &Stage) -> anyhow::Result<ExitCode> {
    let time = Duration::from_secs(options.seconds);
    let burst_options = BurstOptions {
        peak: Duration::from_secs(options.peak_seconds),
        before: time,
        step: time,
        after: time,
        shape: TextOptions {
            visitors: options.people.visitors,
            agents: options.people.agents,
            ..BurstOptions::default().shape
        },
    };
    let report = burst(&burst_options, &mut stage.launcher(Placement::Pinned))?;
    stage.print(&report)?;
    Ok(success(report.run.is_clean()))
}

fn run_connect(options: &BenchConnect, stage: &Stage) -> anyhow::Result<ExitCode> {
    let connect_options = ConnectOptions {
        connections: options.connections,
        at_once: options.at_once,
        ..ConnectOptions::default()
    };
    let floor = accept_floor(&connect_options, &stage.pinned(Subject_::BAccept)?)?;
    let product = connect(&connect_options, &stage.pinned(Subject_::Product)?)?;
    let ratio = product.per_s / floor.per_s;
    stage.print(&Beside { product, floor, ratio })?;
    Ok(ExitCode::SUCCESS)
}

fn run_fanout(options: &BenchFanout, stage: &Stage) -> anyhow::Result<ExitCode> {
    let fanout_options = FanoutOptions {
        sockets: options.sockets,
        in_flight: options.in_flight,
        ..FanoutOptions::new(options.time.duration())
    };
    let floor = fanout(&fanout_options, &stage.pinned(Subject_::BSend)?)?;
    let product = fanout(&fanout_options, &stage.pinned(Subject_::Product)?)?;
    let (ratio, clean) = (product.deliveries_per_s / floor.deliveries_per_s, product.is_clean());
    stage.print(&Beside { product, floor, ratio })?;
    Ok(success(clean))
}

/// A report with that of its floor.
#[derive(Serialize)]
struct Beside<P, F> {
    #[serde(flatten)]
    product: P,
    floor: F,
    /// The rate of the product by that of the floor.
    ratio: f64,
}

fn run_resume(options: &BenchResume, stage: &Stage) -> anyhow::Result<ExitCode> {
    let resume_options = ResumeOptions {
        visitors: options.people.visitors,
        agents: options.people.agents,
        ..ResumeOptions::default()
    };
    let report = resume(&resume_options, &stage.pinned(Subject_::Product)?)?;
    stage.print(&report)?;
    Ok(success(report.is_clean()))
}

fn run_crash(options: &BenchCrash, stage: &Stage) -> anyhow::Result<ExitCode> {
    let crash_options = CrashOptions {
        visitors: options.people.visitors,
        agents: options.people.agents,
        ..CrashOptions::new(options.time.duration())
    };
    let report = crash(&crash_options, &mut stage.pinned(Subject_::Product)?)?;
    stage.print(&report)?;
    Ok(success(report.is_clean()))
}

fn run_stall(options: &BenchStall, stage: &Stage) -> anyhow::Result<ExitCode> {
    let defaults = StallOptions::new(options.time.duration());
    let shape = TextOptions {
        visitors: options.people.visitors,
        agents: options.people.agents,
        ..defaults.shape
    };
    let server = stage.pinned(Subject_::Product)?;
    let report = stall(&StallOptions { shape }, &server)?;
    stage.print(&report)?;
    Ok(success(report.run.is_clean()))
}

fn run_size(options: BenchSize, stage: &Stage) -> anyhow::Result<ExitCode> {
    let measured = options.time.duration();
    let size_options = SizeOptions {
        size: Size { messages: options.messages, conversations: options.conversations },
        store: options.store,
        rounds: options.rounds.rounds,
        shape: TextOptions {
            visitors: options.people.visitors,
            agents: options.people.agents,
            ..TextOptions::new(Subject_::Product, Load::Closed, measured)
        },
        watched: Duration::from_secs(options.watched_seconds),
        requests: options.requests,
    };
    let launch = stage.product(true, Placement::Pinned);
    let report = SizeReport {
        commit: options.commit.commit,
        command: Some(called()),
        ..size(&size_options, &launch)?
    };
    stage.print(&report)?;
    Ok(success(report.is_clean()))
}

fn run_files(options: &BenchFiles, stage: &Stage) -> anyhow::Result<ExitCode> {
    let files_options = FilesOptions {
        visitors: options.people.visitors,
        agents: options.people.agents,
        ..FilesOptions::new(options.time.duration())
    };
    let report = files(&files_options, &stage.pinned(Subject_::Product)?)?;
    stage.print(&report)?;
    Ok(success(report.is_clean()))
}

fn run_mixed(options: &BenchMixed, stage: &Stage) -> anyhow::Result<ExitCode> {
    let defaults = MixedOptions::new(options.rate, options.time.duration());
    let shape = TextOptions {
        visitors: options.people.visitors,
        agents: options.people.agents,
        ..defaults.shape
    };
    let mixed_options = MixedOptions { shape, ..defaults };
    let report = mixed(&mixed_options, &stage.pinned(Subject_::Product)?)?;
    stage.print(&report)?;
    Ok(success(report.run.is_clean()))
}

fn success(clean: bool) -> ExitCode {
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_floor(options: &BenchFloor, stage: &Stage) -> anyhow::Result<ExitCode> {
    let floor_options = FloorOptions::new(options.rounds.rounds, options.time.duration());
    let report = floor_(&floor_options, &mut stage.launcher(Placement::Pinned))?;
    stage.print(&report)?;
    Ok(ExitCode::SUCCESS)
}

/// The file of the authorities the target's certificate is checked with, if it speaks TLS.
fn authorities(target: &BenchTarget) -> anyhow::Result<Option<PathBuf>> {
    let https = target.target.as_ref().is_some_and(|url| url.starts_with("https://"));
    anyhow::ensure!(
        https || target.ca.is_none(),
        "--ca is for a --target that begins with https://"
    );
    let given = target.ca.as_deref().unwrap_or(Path::new(""));
    https.then(|| trust::authorities(given, "--ca")).transpose()
}

/// How visitors and agents speak TLS. Each is on a device of its own: none resumes what another began.
fn tls(authorities: &Path) -> anyhow::Result<Arc<ClientConfig>> {
    let mut config = trust::client(trust::roots(authorities)?)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The server to measure over the network, if one is named.
fn target(target: &BenchTarget) -> anyhow::Result<Option<ProductAccess>> {
    let (Some(url), Some(email), Some(key)) =
        (&target.target, &target.admin_email, &target.inbox_key)
    else {
        return Ok(None);
    };
    let password = if target.admin_password_stdin {
        std::io::read_to_string(std::io::stdin()).context("cannot read the password")?
    } else {
        std::env::var(PASSWORD_ENV)
            .with_context(|| format!("give --admin-password-stdin, or set {PASSWORD_ENV}"))?
    };
    Ok(Some(ProductAccess {
        base_url: url.clone(),
        others: Vec::new(),
        admin_email: email.clone(),
        admin_password: password.trim_end_matches(['\r', '\n']).to_owned(),
        inbox_key: key.clone(),
        tls: authorities(target)?.as_deref().map(tls).transpose()?,
    }))
}

fn run_reference(options: BenchReference, stage: &Stage) -> anyhow::Result<ExitCode> {
    let shapes = ReferenceOptions::new(options.time.duration());
    let (visitors, agents) = (options.people.visitors, options.people.agents);
    let reference_options = ReferenceOptions {
        shape: TextOptions { visitors, agents, ..shapes.shape },
        files: FilesOptions { visitors: visitors.div_ceil(5), agents, ..shapes.files },
    };
    let found = reference(&reference_options, &mut stage.launcher(Placement::Free))?;
    let report = ReferenceReport { commit: options.commit.commit, ..found };
    stage.print(&report)?;
    Ok(success(report.is_clean()))
}

fn run_goals(options: BenchGoals, stage: &Stage) -> anyhow::Result<ExitCode> {
    let goals_options = GoalsOptions {
        only: options.only,
        rounds: options.rounds.rounds,
        measured: options.time.duration(),
        has_cluster: options.cluster.is_some(),
        ..GoalsOptions::default()
    };
    let mut launch = |subject| match (subject, &options.cluster) {
        (Subject_::ProductCluster, Some(file)) => stage.launch_nodes(file, 1),
        (Subject_::ProductThreeNodes, Some(file)) => stage.launch_nodes(file, 3),
        _ => stage.pinned(subject),
    };
    let found = Goals {
        commit: options.commit.commit,
        command: Some(called()),
        ..goals(&goals_options, &mut launch)?
    };
    stage.print(&found)?;
    Ok(ExitCode::SUCCESS)
}

/// How this was called; the program's place is nobody's business.
fn called() -> String {
    let words = std::env::args().skip(1);
    ["frontdesk".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// What all runs of a benchmark have in common.
struct Stage {
    /// This binary, which is every server and every other process, too.
    program: PathBuf,
    /// Where they work.
    dir: PathBuf,
    /// Source of the relay in Go.
    g0: PathBuf,
    json: bool,
}

impl Stage {
    /// At Ctrl-C or SIGTERM, whatever the run is at, this process becomes [`swept`]. That closes the pipes on
    /// which its servers hang, and leaves them its children, so that it can wait for their end.
    fn sweep_at_a_signal(&self) -> anyhow::Result<()> {
        let mut sweep = Command::new(&self.program);
        sweep.arg("sweep").arg(&self.dir);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let listen = || {
            let _inside = runtime.enter();
            Ok::<_, std::io::Error>((
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
            ))
        };
        let (mut interrupt, mut terminate) = listen().context("cannot hear signals")?;
        let heard = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        let wait = move || {
            runtime.block_on(heard);
            complain(&format!("cannot sweep up: {}", sweep.exec()));
            std::process::exit(1)
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(wait)
            .context("cannot start a thread")?;
        Ok(())
    }

    /// Starts what answers, as a process of its own.
    fn launch(&self, subject: Subject_, placement: Placement) -> Result<Server, Error> {
        let floor = |kind| {
            let mut command = Command::new(&self.program);
            command.arg("floor");
            launch_baseline(command, kind, &self.dir)
        };
        match subject {
            Subject_::F0 => floor(BaselineKind::F0),
            Subject_::F1 => floor(BaselineKind::F1),
            Subject_::F1Direct => floor(BaselineKind::F1Direct),
            Subject_::G0 => launch_g0(&self.g0, &self.dir),
            Subject_::BAccept => floor(BaselineKind::Accept),
            Subject_::BSend => floor(BaselineKind::Send),
            Subject_::Product | Subject_::ProductAsync => {
                launch_product(&self.product(subject.is_durable(), placement))
            }
            Subject_::ProductCluster | Subject_::ProductThreeNodes => {
                Err(Error::Options("a node of a cluster needs the configuration of one"))
            }
        }
    }

    /// Starts nodes of a cluster, on one core.
    fn launch_nodes(&self, config: &Path, nodes: u8) -> Result<Server, Error> {
        let config = Some(config.to_owned());
        launch_nodes(&ProductLaunch { config, ..self.product(true, Placement::Pinned) }, nodes)
    }

    /// A process of a crowd that reaches the target, or servers started here.
    fn generator(&self, target: &BenchTarget) -> anyhow::Result<impl Fn() -> Command> {
        let authorities = authorities(target)?;
        Ok(move || {
            let mut command = Command::new(&self.program);
            command.arg("crowd-generator");
            if let Some(file) = &authorities {
                command.arg("--ca").arg(file);
            }
            command
        })
    }

    fn pinned(&self, subject: Subject_) -> Result<Server, Error> {
        self.launch(subject, Placement::Pinned)
    }

    /// Starts a fresh server for each run of a scenario that needs several.
    fn launcher(&self, placement: Placement) -> impl FnMut(Subject_) -> Result<Server, Error> {
        move |subject| self.launch(subject, placement)
    }

    fn product(&self, durable: bool, placement: Placement) -> ProductLaunch {
        // One core, one loop; otherwise one per core, which 0 stands for.
        let loops = u16::from(placement == Placement::Pinned);
        let (program, parent) = (self.program.clone(), self.dir.clone());
        ProductLaunch { program, parent, durable, loops, config: None, node: None }
    }

    fn print(&self, report: &impl Serialize) -> anyhow::Result<()> {
        let text = if self.json {
            serde_json::to_string(report)
        } else {
            serde_json::to_string_pretty(report)
        };
        say(&text.context("cannot write the report")?);
        Ok(())
    }
}
