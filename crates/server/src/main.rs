//! The `frontdesk` binary: one file with server, web apps, tools and benchmarks.
//!
//! Exit codes: 0 done, 1 failed (or `doctor` found something), 64 bad command line or configuration.

mod bench;
mod bot;
mod cli;
mod commands;
mod config;
mod data_dir;
mod demo;
mod fill;
mod intent;
mod knowledge;
mod node;
mod outgoing;
mod progress;
mod serve;
mod shards;
mod telemetry;
mod trust;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command, ConfigCommand, Place};
use config::{Config, ConfigError, Flags};

/// Messages are made on the edge loops and let go on the history threads, which is what the C
/// library's allocator does worst (docs/adr/022-allocator.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of a refused command line or configuration (EX_USAGE of sysexits.h).
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { EXIT_USAGE } else { 0 };
            // Nothing is left to do where the terminal is gone.
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    match started(&cli).and_then(|()| run(cli.command)) {
        Ok(code) => code,
        Err(error) => {
            // The whole chain, once.
            commands::complain(&format!("{error:#}"));
            let usage = error.chain().any(<dyn std::error::Error>::is::<ConfigError>);
            ExitCode::from(if usage { EXIT_USAGE } else { 1 })
        }
    }
}

/// Before anything else: whoever started this process may be gone already.
fn started(cli: &Cli) -> anyhow::Result<()> {
    if cli.ends_with_stdin {
        frontdesk_loadgen::end_with_stdin()?;
    }
    Ok(())
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(serve) => {
            let flags = Flags { listen: serve.listen.clone(), ..flags(&serve.place) };
            let config = load(&flags)?;
            telemetry::init(&config.log)?;
            serve::run(&config, &serve)
        }
        Command::Init(init) => commands::init(&load(&flags(&init.place))?, &init),
        Command::Doctor(doctor) => commands::doctor(&load(&flags(&doctor.place))?),
        Command::User(user) => commands::user(user),
        Command::Account(account) => commands::account(account),
        Command::Shard(shard) => shards::run(&load(&flags(shard.place()))?, &shard),
        Command::Config(ConfigCommand::Check { place }) => {
            load(&flags(&place))?;
            commands::say("the configuration is fine");
            Ok(ExitCode::SUCCESS)
        }
        Command::Config(ConfigCommand::Print { place }) => {
            commands::say(config::printable(&flags(&place), std::env::vars())?.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Config(ConfigCommand::Default) => {
            commands::say(config::DEFAULT.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Intent(command) => intent::run(command),
        Command::Kb(command) => knowledge::run(command),
        Command::Bot(command) => bot::run(command),
        Command::Openapi => {
            commands::say(frontdesk_api::openapi_json().trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Bench(bench) => bench::run(bench),
        Command::Floor(floor) => bench::floor(floor),
        Command::Sweep { dir } => bench::swept(&dir),
        Command::CrowdGenerator(generator) => bench::crowd_generator(&generator),
        Command::Fill(fill) => fill::run(&load(&flags(&fill.place))?, &fill),
        Command::Version => {
            commands::say(concat!("frontdesk ", env!("CARGO_PKG_VERSION")));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn flags(place: &Place) -> Flags {
    Flags { file: place.config.clone(), data_dir: place.data_dir.clone(), listen: None }
}

fn load(flags: &Flags) -> Result<Config, ConfigError> {
    Config::load(flags, std::env::vars())
}
