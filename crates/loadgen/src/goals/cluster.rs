//! What a cluster costs: one of its nodes beside the product on one machine, and three of them beside one.

use std::time::Duration;

use super::{Goal, GoalsOptions, Run, goal, known, median, paired};
use crate::{
    error::Error,
    launch::Server,
    report::Report,
    text::{Load, Subject, TextOptions, text},
};

/// Messages per second at which a node is compared with one machine: its engines share this one.
const RATE: u32 = 2_000;
/// Most CPU time of a node for each message, against the product on one machine.
const CPU_MAX: f64 = 2.5;
/// Messages per second of each node, where three are compared with one: six times the sockets, engines and
/// generator share this machine with them.
const RATE_EACH: u32 = 500;
/// Visitors and agents of each node.
const VISITORS_EACH: u32 = 500;
const AGENTS_EACH: u32 = 10;
/// Most CPU time of three nodes for each message, against one.
const NODES_CPU_MAX: f64 = 1.15;

/// All of it. The goal's value is what a node adds to the p50 of the ack; it holds if the costs do too.
pub(super) fn cluster(
    options: &GoalsOptions,
    launch: &mut dyn FnMut(Subject) -> Result<Server, Error>,
) -> Result<Goal, Error> {
    if !options.has_cluster {
        let reason = "needs engines: name the configuration of a node with --cluster FILE";
        return Ok(goal(known(16), Vec::new(), Some(reason.to_owned()), Vec::new()));
    }
    let (mut tax, mut growth, mut tails) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
    let found = paired(known(16), options.rounds, &mut || {
        let load = Load::Open { rate: RATE };
        let mut beside =
            |subject| text(&TextOptions::new(subject, load, options.measured), &launch(subject)?);
        let (alone, node) = (beside(Subject::Product)?, beside(Subject::ProductCluster)?);
        let mut nodes =
            |subject, count| text(&of_nodes(count, subject, options.measured), &launch(subject)?);
        let one = nodes(Subject::ProductCluster, 1)?;
        let three = nodes(Subject::ProductThreeNodes, 3)?;
        tax.extend(cost(&alone, &node));
        growth.extend(cost(&one, &three));
        for (tail, report) in tails.iter_mut().zip([&alone, &node]) {
            tail.push(report.ack.p99_ms);
        }
        let added_ms = node.ack.p50_ms - alone.ack.p50_ms;
        let runs = [alone, node, one, three].map(|report| Run::Text(Box::new(report)));
        Ok((Some(added_ms), runs.into()))
    })?;
    let (tax, growth) = (median(&tax), median(&growth));
    let [alone, node] = tails.map(|tail| words(median(&tail)));
    let note = format!(
        "{RATE} messages per second; CPU of the node for each {} times that of one machine, at most {CPU_MAX}; p99 of \
         the ack {node} ms against {alone}; CPU of three nodes for each {} times that of one, at most \
         {NODES_CPU_MAX}, at {RATE_EACH} messages per second a node",
        words(tax),
        words(growth),
    );
    let is_cheap = tax.is_some_and(|tax| tax <= CPU_MAX)
        && growth.is_some_and(|growth| growth <= NODES_CPU_MAX);
    Ok(Goal { holds: found.holds && is_cheap, note: Some(note), ..found })
}

/// A run against so many nodes: as much for each as for one.
fn of_nodes(count: u32, subject: Subject, measured: Duration) -> TextOptions {
    let load = Load::Open { rate: RATE_EACH * count };
    TextOptions {
        visitors: VISITORS_EACH * count,
        agents: AGENTS_EACH * count,
        ..TextOptions::new(subject, load, measured)
    }
}

/// CPU for each message, of one run against that of another.
fn cost(to: &Report, of: &Report) -> Option<f64> {
    Some(of.cost.server_cpu_s_per_million? / to.cost.server_cpu_s_per_million?)
}

fn words(figure: Option<f64>) -> String {
    figure.map_or_else(|| "unknown".to_owned(), |figure| format!("{figure:.2}"))
}
