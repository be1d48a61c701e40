//! `frontdesk shard`: where the partitions of a cluster lie, and moving one while it is used.

use std::{ops::ControlFlow, process::ExitCode};

use anyhow::Context as _;
use frontdesk_storage_cluster::{MoveStep, MySqlHistory, MySqlOptions};
use serde_json::json;

use crate::{
    cli::Shard,
    commands::say,
    config::{Config, Storage},
};

/// Carries the command out.
pub(crate) fn run(config: &Config, command: &Shard) -> anyhow::Result<ExitCode> {
    let Storage::Cluster { cluster } = &config.storage else {
        anyhow::bail!("there are no shards on one machine: storage.mode is \"embedded\"");
    };
    let urls = cluster.mysql_urls.iter().map(|url| url.0.clone()).collect();
    let history = MySqlHistory::open(&MySqlOptions::new(urls, cluster.partitions))
        .context("storage.cluster.mysql_urls: cannot open the shards")?;
    match command {
        Shard::Status { json, .. } => status(&history, *json),
        Shard::Move { partition, to, .. } => move_partition(&history, *partition, *to),
        Shard::TakeBack { partition, .. } => {
            history.take_back(*partition)?;
            say(&format!("partition {partition} stays where it was"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Each shard with its partitions, and what is on its way. Shards are numbered from 1, as they stand in the
/// configuration.
fn status(history: &MySqlHistory, as_json: bool) -> anyhow::Result<ExitCode> {
    let placements = history.placements().context("cannot read where the partitions lie")?;
    let moves = history.status().context("cannot read the moves")?;
    let checks = history.check();
    let mut shards = Vec::new();
    for (number, (address, answer)) in (0_u16..).zip(checks) {
        let partitions: Vec<usize> =
            (0..placements.len()).filter(|partition| placements[*partition] == number).collect();
        shards.push((number + 1, address, answer, partitions));
    }
    if as_json {
        let shards: Vec<_> = shards
            .iter()
            .map(|(number, address, answer, partitions)| {
                json!({
                    "shard": number, "address": address, "ok": answer.is_ok(), "partitions": partitions,
                })
            })
            .collect();
        let moves: Vec<_> = moves
            .iter()
            .map(|one| {
                json!({
                    "partition": one.log, "from": one.source + 1, "to": one.target + 1,
                    "flipped": one.is_flipped,
                })
            })
            .collect();
        say(&json!({ "shards": shards, "moves": moves }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for (number, address, answer, partitions) in shards {
        let standing = if answer.is_ok() { "ok" } else { "away" };
        say(&format!("shard {number}  {address}  {standing}  {} partitions", partitions.len()));
        say(&format!("  {}", ranges(&partitions)));
    }
    for one in moves {
        say(&format!(
            "partition {} is on its way from shard {} to {}: start the same move again, or take it back",
            one.log,
            one.source + 1,
            one.target + 1
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Numbers with those that follow each other drawn together: `0-3, 7`.
fn ranges(numbers: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => parts.push((number, number)),
        }
    }
    let word = |(first, last): &(usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    if parts.is_empty() {
        return "none".to_owned();
    }
    parts.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn move_partition(history: &MySqlHistory, partition: u16, to: u16) -> anyhow::Result<ExitCode> {
    let Some(shard) = to.checked_sub(1) else {
        anyhow::bail!("shards are numbered from 1, as they stand in storage.cluster.mysql_urls");
    };
    // One that is interrupted is gone on with by the same command.
    history.move_partition(partition, shard, &mut |step| {
        say(&words(step));
        ControlFlow::Continue(())
    })?;
    say(&format!("partition {partition} lies on shard {to}"));
    Ok(ExitCode::SUCCESS)
}

/// A step as the operator reads it.
fn words(step: MoveStep) -> String {
    match step {
        MoveStep::Begun => "begun".to_owned(),
        MoveStep::Copied { conversations } => format!("{conversations} conversations copied"),
        MoveStep::Paused => "paused: messages go on, the history waits".to_owned(),
        MoveStep::Verified => "the copy is complete and the same".to_owned(),
        MoveStep::Ready => "the new shard has all of it".to_owned(),
        MoveStep::Flipped => "the partition lies on the new shard".to_owned(),
        MoveStep::Closed => "nobody reads from the former shard any more".to_owned(),
        MoveStep::Resumed => "the history goes on".to_owned(),
        MoveStep::Cleaned => "the former shard is clean".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn numbers_that_follow_each_other_are_drawn_together() {
        assert_eq!(ranges(&[]), "none");
        assert_eq!(ranges(&[4]), "4");
        assert_eq!(ranges(&[0, 1, 2, 3, 7, 9, 10]), "0-3, 7, 9-10");
    }
}
