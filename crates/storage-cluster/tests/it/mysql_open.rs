//! What is refused when the history is opened, in words somebody can act on, and without the password.

use std::time::Duration;

use frontdesk_storage::History;
use frontdesk_storage::conformance::history::{PARTITIONS, log};
use frontdesk_storage_cluster::{MySqlHistory, MySqlOptions};

use crate::mysql::{Client, Databases, execute, next};
use crate::services::OwnServices;

/// Opens it and tells why that cannot be.
fn refused(options: &MySqlOptions, words: &[&str]) {
    let error = MySqlHistory::open(options).expect_err("it cannot be opened");
    let text = error.to_string();
    for words in words {
        assert!(text.contains(words), "{words:?} is missing in {text:?}");
    }
    let all = format!("{error:?} {text}");
    assert!(!all.contains(":frontdesk@") && !all.contains("wrong"), "a password shows: {all}");
}

fn with(options: &MySqlOptions, shard: usize, from: &str, to: &str) -> MySqlOptions {
    let mut options = options.clone();
    assert!(options.urls[shard].contains(from));
    options.urls[shard] = options.urls[shard].replace(from, to);
    options
}

#[test]
fn addresses_that_cannot_be_are_refused() {
    let databases = Databases::shared();
    let options = databases.options();
    let name = databases.urls[1].rsplit('/').next().expect("a name").to_owned();
    refused(&with(&options, 1, "mysql://", "https://"), &["address 2", "mysql://USER:PASSWORD@"]);
    refused(&with(&options, 1, &format!("/{name}"), ""), &["names no database", "/DATABASE"]);
    refused(&with(&options, 1, ":frontdesk@", ":wrong@"), &["check name and password", &name]);
    refused(&with(&options, 1, &name, "frontdesk_no"), &["frontdesk_no", "CREATE DATABASE"]);
    refused(&with(&options, 1, &name, "mysql"), &["GRANT ALL"]);
    let port = databases.urls[1].rsplit(':').next().and_then(|rest| rest.split('/').next());
    let port = format!(":{}/", port.expect("a port"));
    refused(&with(&options, 1, &port, ":1/"), &["127.0.0.1:1/", "is reachable"]);
    refused(&MySqlOptions::new(Vec::new(), PARTITIONS), &["no database is named"]);
}

/// Tables of the first version are brought up to date with what they hold.
#[test]
fn older_tables_are_brought_up_to_date() {
    let databases = Databases::shared();
    let history = databases.open_and_own();
    history.apply(&next(1, 1)).expect("the owner");
    drop(history);
    for url in &databases.urls {
        execute(
            url,
            &[
                "ALTER TABLE conversations DROP KEY by_change, DROP COLUMN changed",
                "DELETE FROM history_migrations WHERE version = 2",
            ],
        );
    }
    let history = databases.open_and_own();
    let changed = history.changed_since(log(1), 0, 10).expect("readable");
    assert_eq!(changed.iter().map(|row| row.offset).collect::<Vec<_>>(), [1]);
    history.apply(&next(1, 2)).expect("the owner");
    let changed = history.changed_since(log(1), 1, 10).expect("readable");
    assert_eq!(changed.iter().map(|row| row.offset).collect::<Vec<_>>(), [2]);
}

#[test]
fn newer_tables_are_refused() {
    let databases = Databases::shared();
    drop(databases.open());
    let newer = "INSERT INTO history_migrations (version, description, success, checksum, \
                 execution_time) VALUES (9, 'later', TRUE, '', 0)";
    execute(&databases.urls[1], &[newer]);
    refused(&databases.options(), &["newer version (migration 9)", "at least as new"]);
}

#[test]
fn databases_that_changed_places_are_refused() {
    let databases = Databases::shared();
    let options = databases.options();
    drop(databases.open());
    let mut swapped = options.clone();
    swapped.urls.reverse();
    refused(&swapped, &["number 1", "in the order in which they were named first"]);
    let mut alone = options.clone();
    alone.urls.truncate(1);
    refused(&alone, &["on 2 databases, only 1 are named"]);
    let other = Databases::shared();
    let mut replaced = options.clone();
    replaced.urls[1].clone_from(&other.urls[1]);
    refused(&replaced, &["number 2"]);
    let more = MySqlOptions { partitions: PARTITIONS + 1, ..options.clone() };
    refused(&more, &["created with 300 partitions, not 301"]);
    // A new one behind them holds nothing yet.
    let mut wider = options;
    wider.urls.push(other.urls[0].clone());
    let history = MySqlHistory::open(&wider).expect("a third shard");
    history.own(&[log(1)], 1).expect("the first owner");
    history.apply(&next(1, 1)).expect("the owner");
}

#[test]
fn conversations_in_other_partitions_than_expected_are_refused() {
    let databases = Databases::shared();
    let history = databases.open_and_own();
    history.apply(&next(1, 1)).expect("the owner");
    drop(history);
    drop(databases.open());
    for url in &databases.urls {
        execute(url, &["UPDATE conversations SET log = log + 1"]);
    }
    let (lies, expected) = (log(1) + 1, log(1));
    let words = [format!("in partition {lies}"), format!("looks for it in {expected}")];
    refused(&databases.options(), &[&words[0], &words[1], "before the first release"]);
}

/// Several nodes start at the same time: one creates the tables, all of them see the same.
#[test]
fn nodes_that_open_a_new_history_together_agree() {
    let databases = Databases::shared();
    std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..4).map(|_| scope.spawn(|| databases.open())).collect();
        let histories = nodes.into_iter().map(|node| node.join().expect("it opens"));
        for (epoch, history) in (1..).zip(histories) {
            history.own(&[log(1)], epoch).expect("a higher epoch");
            history.apply(&next(1, epoch)).expect("the owner");
        }
    });
}

#[test]
fn settings_that_change_or_lose_data_are_refused_or_named() {
    let servers = OwnServices::start_only(&["mysql-1", "mysql-2"]);
    let databases = Databases::of(&servers);
    let options = databases.options();
    let mut root = Client::root(&servers, "mysql-2");
    assert!(databases.open().warnings().is_empty());

    root.execute("SET GLOBAL sql_mode = 'NO_ENGINE_SUBSTITUTION'");
    refused(&options, &["sql_mode = '", "NO_ENGINE_SUBSTITUTION'", "STRICT_TRANS_TABLES"]);
    root.execute("SET GLOBAL sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,ANSI_QUOTES'");
    drop(databases.open());

    root.execute("SET GLOBAL max_allowed_packet = 1048576");
    refused(&options, &["max_allowed_packet = 1048576", "16M"]);
    root.execute("SET GLOBAL max_allowed_packet = 16777216");

    root.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
    let history = databases.open();
    let [warning] = history.warnings() else { panic!("one warning") };
    assert!(warning.contains("innodb_flush_log_at_trx_commit = 2"), "{warning}");
}

#[test]
fn a_server_that_stands_still_is_told_within_the_deadline() {
    let servers = OwnServices::start_only(&["mysql-1", "mysql-2"]);
    let databases = Databases::of(&servers);
    servers.signal("mysql-2", rustix::process::Signal::STOP);
    let options = MySqlOptions { timeout: Duration::from_millis(500), ..databases.options() };
    refused(&options, &["did not answer in time"]);
}
