//! `frontdesk bench`: measures this machine.

use std::process::ExitCode;

use crate::cli::Bench;

/// Runs a benchmark and prints its report.
pub(crate) fn run(bench: Bench) -> anyhow::Result<ExitCode> {
    let Bench::Text(_text) = bench;
    anyhow::bail!("the generator is not linked")
}
