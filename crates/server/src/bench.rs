//! `frontdesk bench`: measures this machine with the public protocol, against bare floors.
//!
//! Servers under test are processes of this same binary, so that their CPU time and memory can be
//! told from the generator's.

use std::{
    path::Path,
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::Context as _;
use frontdesk_loadgen::{
    BaselineKind, BaselineOptions, GoalsOptions, IdleOptions, Load, Placement, ProductLaunch,
    Server, Subject as Subject_, TextOptions, goals, idle, launch_baseline, launch_product,
    run_baseline, text,
};
use serde::Serialize;

use crate::{
    cli::{Bench, BenchCommon, BenchGoals, BenchIdle, BenchText, Floor, Subject},
    commands::say,
};

/// Runs a benchmark and prints its report.
pub(crate) fn run(bench: Bench) -> anyhow::Result<ExitCode> {
    match bench {
        Bench::Text(options) => run_text(&options),
        Bench::Idle(options) => run_idle(&options),
        Bench::Goals(options) => run_goals(options),
    }
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
    let placement = if options.unpinned { Placement::Free } else { Placement::Pinned };
    let measured = Duration::from_secs(options.seconds);
    let text_options = TextOptions {
        visitors: options.visitors,
        agents: options.agents,
        placement,
        ..TextOptions::new(subject, load, measured)
    };
    let server = launch(&options.common, subject, placement)?;
    let report = text(&text_options, &server)?;
    print(&report, options.common.json)?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_idle(options: &BenchIdle) -> anyhow::Result<ExitCode> {
    let server = launch(&options.common, Subject_::Product, Placement::Pinned)?;
    let idle_options =
        IdleOptions { low: options.low, high: options.high, ..IdleOptions::default() };
    print(&idle(&idle_options, &server)?, options.common.json)?;
    Ok(ExitCode::SUCCESS)
}

fn run_goals(options: BenchGoals) -> anyhow::Result<ExitCode> {
    let goals_options = GoalsOptions {
        only: options.only,
        rounds: options.rounds,
        measured: Duration::from_secs(options.seconds),
        idle: IdleOptions::default(),
    };
    let common = options.common;
    let found = goals(&goals_options, &mut |subject| {
        launch(&common, subject, Placement::Pinned).map_err(|error| {
            frontdesk_loadgen::Error::Launch { what: "a server", reason: format!("{error:#}") }
        })
    })?;
    print(&found, common.json)?;
    Ok(ExitCode::SUCCESS)
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
        Subject_::Product | Subject_::ProductAsync => {
            // One core, one loop; otherwise one per core, which 0 stands for.
            let loops = u16::from(placement == Placement::Pinned);
            let durable = subject.is_durable();
            Ok(launch_product(&ProductLaunch { program, parent, durable, loops })?)
        }
    }
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
