//! What keeps a node from starting is said in words an operator can act on.

use std::{path::Path, time::Duration};

use frontdesk_testkit::{Cluster, Output, server::run_to_end_within, services};

use crate::{FRONTDESK, heavy};

/// The longest a start looks for an engine that is not there.
const LIMIT: Duration = Duration::from_secs(90);

/// Starts one more node that has to fail, with one key set otherwise.
async fn started(cluster: &Cluster, node: u8, dir: &Path, key: &str, value: &str) -> Output {
    let mut env = cluster.variables(node);
    if !key.is_empty() {
        let name = format!("FRONTDESK__{}", key.to_ascii_uppercase().replace('.', "__"));
        env.retain(|(known, _)| *known != name);
        env.push((name, value.to_owned()));
    }
    let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let dir = dir.display().to_string();
    let arguments = ["serve", "--data-dir", &dir, "--listen", "127.0.0.1:0"];
    run_to_end_within(LIMIT, FRONTDESK, &arguments, &env).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_work_says_why() {
    let _alone = heavy().await;
    let addresses = services::shared();
    let cluster = Cluster::start(FRONTDESK, &addresses, 1, |node| node).await;
    let dir = tempfile::tempdir().expect("a directory");
    let wrong_redis = addresses.redis.replace("frontdesk@", "wrong@");
    let urls: Vec<String> =
        addresses.mysql.iter().map(|url| url.replacen(":frontdesk@", ":wrong@", 1)).collect();
    let wrong_mysql = format!("[{:?}, {:?}]", urls[0], urls[1]);
    for (key, value, words) in [
        // The one that runs keeps its number.
        ("", "", "runs under the number 1"),
        ("storage.cluster.redis_url", wrong_redis.as_str(), "storage.cluster.redis_url"),
        ("storage.cluster.redis_url", "redis://127.0.0.1:1/", "storage.cluster.redis_url"),
        ("storage.cluster.mysql_urls", wrong_mysql.as_str(), "refuses"),
        ("storage.cluster.kafka_brokers", "127.0.0.1:1", "127.0.0.1:1"),
        ("storage.cluster.kafka_replication", "2", "replica"),
        ("storage.cluster.partitions", "13", "partitions"),
        ("cluster.secret", "short", "at least 32 characters"),
        ("cluster.node", "255", "between 1 and 254"),
        ("cluster.roles", "[]", "names no role"),
    ] {
        let node = if key.is_empty() { 1 } else { 2 };
        let place = dir.path().join(format!("{key}-{}", words.len()));
        let output = started(&cluster, node, &place, key, value).await;
        assert!(!output.status.success(), "{key} = {value} is no reason to stop");
        assert!(output.stderr.contains(words), "{key} = {value}:\n{}", output.stderr);
        assert!(!output.stderr.contains("wrong@"), "a password shows:\n{}", output.stderr);
    }
}
