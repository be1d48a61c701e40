//! `frontdesk bench`: measures this machine with the public protocol, against bare floors.
//!
//! Servers under test are processes of this same binary, so that their CPU time and memory can be
//! told from the generator's.

use std::{
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
    TextOptions, accept_floor, burst, connect, crash, crowd, crowd_worker, fanout, files,
    floor as floor_, goals, idle, launch_baseline, launch_g0, launch_product, mixed, reference,
    resume, run_baseline, size, stall, text, trace,
};
use rustls::{ClientConfig, client::Resumption};
use serde::Serialize;

use crate::{
    cli::{
        Bench, BenchBurst, BenchCommon, BenchConnect, BenchCrash, BenchFanout, BenchFiles,
        BenchFloor, BenchGoals, BenchIdle, BenchMixed, BenchReference, BenchResume, BenchSize,
        BenchStall, BenchTarget, BenchText, CrowdGenerator, Floor, Subject,
    },
    commands::say,
    trust,
};

/// Where the password of a target's admin is looked for.
const PASSWORD_ENV: &str = "FRONTDESK_BENCH_ADMIN_PASSWORD";

/// Runs a benchmark and prints its report.
pub(crate) fn run(bench: Bench) -> anyhow::Result<ExitCode> {
    match bench {
        Bench::Text(options) => run_text(&options),
        Bench::Idle(options) => run_idle(&options),
        Bench::Connect(options) => run_connect(&options),
        Bench::Fanout(options) => run_fanout(&options),
        Bench::Resume(options) => run_resume(&options),
        Bench::Files(options) => run_files(&options),
        Bench::Mixed(options) => run_mixed(&options),
        Bench::Crash(options) => run_crash(&options),
        Bench::Stall(options) => run_stall(&options),
        Bench::Size(options) => run_size(options),
        Bench::Trace(common) => {
            print(&trace(&launch_pinned(&common, Subject_::Product)?)?, common.json)?;
            Ok(ExitCode::SUCCESS)
        }
        Bench::Burst(options) => run_burst(&options),
        Bench::Floor(options) => run_floor(&options),
        Bench::Reference(options) => run_reference(options),
        Bench::Goals(options) => run_goals(options),
    }
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

fn run_text(options: &BenchText) -> anyhow::Result<ExitCode> {
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
    let measured = Duration::from_secs(options.seconds);
    let text_options = TextOptions {
        visitors: options.visitors,
        agents: options.agents,
        placement,
        ..TextOptions::new(subject, load, measured)
    };
    let server = match target {
        Some(_) if !matches!(subject, Subject_::Product) => {
            anyhow::bail!("--target is the product; --subject chooses what is started here")
        }
        Some(access) => Server::remote(access),
        None => launch(&options.common, subject, placement)?,
    };
    let report = text(&text_options, &server)?;
    print(&report, options.common.json)?;
    Ok(success(report.is_clean()))
}

fn run_idle(options: &BenchIdle) -> anyhow::Result<ExitCode> {
    if let Some(connections) = options.connections {
        return run_crowd(options, connections);
    }
    anyhow::ensure!(
        options.target.target.is_none(),
        "the memory of a server elsewhere is not known: give --connections with --target"
    );
    let server = launch(&options.common, Subject_::Product, Placement::Pinned)?;
    let idle_options = IdleOptions {
        low: options.low,
        high: options.high,
        hold: Duration::from_secs(options.hold),
        ..IdleOptions::default()
    };
    print(&idle(&idle_options, &server)?, options.common.json)?;
    Ok(ExitCode::SUCCESS)
}

/// More connections than a process may have files.
fn run_crowd(options: &BenchIdle, connections: u32) -> anyhow::Result<ExitCode> {
    let shape = CrowdOptions::new(connections, options.chatting.of(connections));
    let crowd_options = CrowdOptions {
        per_process: options.per_process,
        rate: options.rate.unwrap_or(shape.rate),
        hold: Duration::from_secs(options.hold),
        measured: Duration::from_secs(options.seconds),
        ..shape
    };
    let program = std::env::current_exe().context("cannot find this program")?;
    let authorities = authorities(&options.target)?;
    let generator = || {
        let mut command = Command::new(&program);
        command.arg("crowd-generator");
        if let Some(file) = &authorities {
            command.arg("--ca").arg(file);
        }
        command
    };
    let access = target(&options.target)?;
    let mut start = launcher(&options.common);
    let mut server = |subject| match &access {
        Some(access) => Ok(Server::remote(access.clone())),
        None => start(subject),
    };
    let report = crowd(&crowd_options, &generator, &mut server)?;
    print(&report, options.common.json)?;
    Ok(success(report.is_clean()))
}

fn run_burst(options: &BenchBurst) -> anyhow::Result<ExitCode> {
    let time = Duration::from_secs(options.seconds);
    let burst_options = BurstOptions {
        peak: Duration::from_secs(options.peak_seconds),
        before: time,
        step: time,
        after: time,
        shape: TextOptions {
            visitors: options.visitors,
            agents: options.agents,
            ..BurstOptions::default().shape
        },
    };
    let report = burst(&burst_options, &mut launcher(&options.common))?;
    print(&report, options.common.json)?;
    Ok(success(report.run.is_clean()))
}

fn run_connect(options: &BenchConnect) -> anyhow::Result<ExitCode> {
    let connect_options = ConnectOptions {
        connections: options.connections,
        at_once: options.at_once,
        ..ConnectOptions::default()
    };
    let common = &options.common;
    let floor = accept_floor(&connect_options, &launch_pinned(common, Subject_::BAccept)?)?;
    let product = connect(&connect_options, &launch_pinned(common, Subject_::Product)?)?;
    let ratio = product.per_s / floor.per_s;
    print(&Beside { product, floor, ratio }, common.json)?;
    Ok(ExitCode::SUCCESS)
}

fn run_fanout(options: &BenchFanout) -> anyhow::Result<ExitCode> {
    let fanout_options = FanoutOptions {
        sockets: options.sockets,
        in_flight: options.in_flight,
        ..FanoutOptions::new(Duration::from_secs(options.seconds))
    };
    let common = &options.common;
    let floor = fanout(&fanout_options, &launch_pinned(common, Subject_::BSend)?)?;
    let product = fanout(&fanout_options, &launch_pinned(common, Subject_::Product)?)?;
    let (ratio, clean) = (product.deliveries_per_s / floor.deliveries_per_s, product.is_clean());
    print(&Beside { product, floor, ratio }, common.json)?;
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

fn run_resume(options: &BenchResume) -> anyhow::Result<ExitCode> {
    let resume_options = ResumeOptions {
        visitors: options.visitors,
        agents: options.agents,
        ..ResumeOptions::default()
    };
    let report = resume(&resume_options, &launch_pinned(&options.common, Subject_::Product)?)?;
    print(&report, options.common.json)?;
    Ok(success(report.is_clean()))
}

fn run_crash(options: &BenchCrash) -> anyhow::Result<ExitCode> {
    let crash_options = CrashOptions {
        visitors: options.visitors,
        agents: options.agents,
        ..CrashOptions::new(Duration::from_secs(options.seconds))
    };
    let report = crash(&crash_options, &mut launch_pinned(&options.common, Subject_::Product)?)?;
    print(&report, options.common.json)?;
    Ok(success(report.is_clean()))
}

fn run_stall(options: &BenchStall) -> anyhow::Result<ExitCode> {
    let defaults = StallOptions::new(Duration::from_secs(options.seconds));
    let shape =
        TextOptions { visitors: options.visitors, agents: options.agents, ..defaults.shape };
    let server = launch_pinned(&options.common, Subject_::Product)?;
    let report = stall(&StallOptions { shape }, &server)?;
    print(&report, options.common.json)?;
    Ok(success(report.run.is_clean()))
}

fn run_size(options: BenchSize) -> anyhow::Result<ExitCode> {
    let measured = Duration::from_secs(options.seconds);
    let size_options = SizeOptions {
        size: Size { messages: options.messages, conversations: options.conversations },
        store: options.store,
        rounds: options.rounds,
        shape: TextOptions {
            visitors: options.visitors,
            agents: options.agents,
            ..TextOptions::new(Subject_::Product, Load::Closed, measured)
        },
        watched: Duration::from_secs(options.watched_seconds),
        requests: options.requests,
    };
    let launch = product_launch(&options.common, true, Placement::Pinned)?;
    let report = SizeReport {
        commit: options.commit,
        command: Some(called()),
        ..size(&size_options, &launch)?
    };
    print(&report, options.common.json)?;
    Ok(success(report.is_clean()))
}

fn run_files(options: &BenchFiles) -> anyhow::Result<ExitCode> {
    let files_options = FilesOptions {
        visitors: options.visitors,
        agents: options.agents,
        ..FilesOptions::new(Duration::from_secs(options.seconds))
    };
    let report = files(&files_options, &launch_pinned(&options.common, Subject_::Product)?)?;
    print(&report, options.common.json)?;
    Ok(success(report.is_clean()))
}

fn run_mixed(options: &BenchMixed) -> anyhow::Result<ExitCode> {
    let defaults = MixedOptions::new(options.rate, Duration::from_secs(options.seconds));
    let shape =
        TextOptions { visitors: options.visitors, agents: options.agents, ..defaults.shape };
    let mixed_options = MixedOptions { shape, ..defaults };
    let report = mixed(&mixed_options, &launch_pinned(&options.common, Subject_::Product)?)?;
    print(&report, options.common.json)?;
    Ok(success(report.run.is_clean()))
}

fn success(clean: bool) -> ExitCode {
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_floor(options: &BenchFloor) -> anyhow::Result<ExitCode> {
    let floor_options = FloorOptions::new(options.rounds, Duration::from_secs(options.seconds));
    let report = floor_(&floor_options, &mut launcher(&options.common))?;
    print(&report, options.common.json)?;
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
        admin_email: email.clone(),
        admin_password: password.trim_end_matches(['\r', '\n']).to_owned(),
        inbox_key: key.clone(),
        tls: authorities(target)?.as_deref().map(tls).transpose()?,
    }))
}

fn run_reference(options: BenchReference) -> anyhow::Result<ExitCode> {
    let shapes = ReferenceOptions::new(Duration::from_secs(options.seconds));
    let (visitors, agents) = (options.visitors, options.agents);
    let reference_options = ReferenceOptions {
        shape: TextOptions { visitors, agents, ..shapes.shape },
        files: FilesOptions { visitors: visitors.div_ceil(5), agents, ..shapes.files },
    };
    let common = options.common;
    let found = reference(&reference_options, &mut launcher_on(&common, Placement::Free))?;
    let report = ReferenceReport { commit: options.commit, ..found };
    print(&report, common.json)?;
    Ok(success(report.is_clean()))
}

fn run_goals(options: BenchGoals) -> anyhow::Result<ExitCode> {
    let goals_options = GoalsOptions {
        only: options.only,
        rounds: options.rounds,
        measured: Duration::from_secs(options.seconds),
        ..GoalsOptions::default()
    };
    let common = options.common;
    let found = Goals {
        commit: options.commit,
        command: Some(called()),
        ..goals(&goals_options, &mut launcher(&common))?
    };
    print(&found, common.json)?;
    Ok(ExitCode::SUCCESS)
}

/// How this was called; the program's place is nobody's business.
fn called() -> String {
    let words = std::env::args().skip(1);
    ["frontdesk".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// Starts a fresh server for each run of a scenario that needs several.
fn launcher(common: &BenchCommon) -> impl FnMut(Subject_) -> Result<Server, Error> {
    launcher_on(common, Placement::Pinned)
}

fn launcher_on(
    common: &BenchCommon,
    placement: Placement,
) -> impl FnMut(Subject_) -> Result<Server, Error> {
    move |subject| {
        launch(common, subject, placement)
            .map_err(|error| Error::Launch { what: "a server", reason: format!("{error:#}") })
    }
}

fn launch_pinned(common: &BenchCommon, subject: Subject_) -> anyhow::Result<Server> {
    launch(common, subject, Placement::Pinned)
}

/// Starts what answers, as a process of its own.
fn launch(common: &BenchCommon, subject: Subject_, placement: Placement) -> anyhow::Result<Server> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let parent = common.dir.clone().unwrap_or_else(std::env::temp_dir);
    let floor = |kind| start_floor(&program, &parent, kind);
    match subject {
        Subject_::F0 => floor(BaselineKind::F0),
        Subject_::F1 => floor(BaselineKind::F1),
        Subject_::F1Direct => floor(BaselineKind::F1Direct),
        Subject_::G0 => Ok(launch_g0(&common.g0, &parent)?),
        Subject_::BAccept => floor(BaselineKind::Accept),
        Subject_::BSend => floor(BaselineKind::Send),
        Subject_::Product | Subject_::ProductAsync => {
            Ok(launch_product(&product_launch(common, subject.is_durable(), placement)?)?)
        }
    }
}

fn product_launch(
    common: &BenchCommon,
    durable: bool,
    placement: Placement,
) -> anyhow::Result<ProductLaunch> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let parent = common.dir.clone().unwrap_or_else(std::env::temp_dir);
    // One core, one loop; otherwise one per core, which 0 stands for.
    let loops = u16::from(placement == Placement::Pinned);
    Ok(ProductLaunch { program, parent, durable, loops })
}

fn start_floor(program: &Path, parent: &Path, kind: BaselineKind) -> anyhow::Result<Server> {
    let mut command = Command::new(program);
    command.arg("floor");
    Ok(launch_baseline(command, kind, parent)?)
}

fn print(report: &impl Serialize, json: bool) -> anyhow::Result<()> {
    let text =
        if json { serde_json::to_string(report) } else { serde_json::to_string_pretty(report) };
    say(&text.context("cannot write the report")?);
    Ok(())
}
