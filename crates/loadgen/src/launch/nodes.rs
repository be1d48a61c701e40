//! Nodes of one cluster for a run, which begins once they have shared the partitions among them.

use std::time::{Duration, Instant};

use super::{
    Endpoint, NOT_OURS, Own, ProductAccess, ProductLaunch, Server, launch_product, serve, temporary,
};
use crate::{
    error::Error,
    http::{Base, Client, wait},
};

/// The metric with the partitions a node owns.
const PARTITIONS: &str = "frontdesk_partitions ";
/// How long the shares have to stay as they are: longer than the brokers need to tell a node of a change.
const CALM: Duration = Duration::from_secs(8);
/// Longest wait for that.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often the nodes are asked.
const EVERY: Duration = Duration::from_millis(500);

/// Makes an account in a cluster and serves it on so many of its nodes, whose numbers are 1 and up. Each owns its
/// share of the partitions then.
pub fn launch_nodes(launch: &ProductLaunch, nodes: u8) -> Result<Server, Error> {
    let mut first = launch_product(&launch.of_node(1))?;
    let Endpoint::Product(access) = &mut first.endpoint else { return Err(NOT_OURS) };
    for node in 2..=nodes {
        let launch = launch.of_node(node);
        let temporary = temporary(&launch.parent)?;
        let dir = temporary.path().to_owned();
        let (running, base_url) = serve(&launch, &dir)?;
        access.others.push(base_url);
        let launch = Some(launch);
        first.others.push(Own { running, dir, launch, _temporary: Some(temporary) });
    }
    calm(access)?;
    Ok(first)
}

/// Waits until every node is well and no partition has moved for a while.
fn calm(access: &ProductAccess) -> Result<(), Error> {
    let mut nodes = vec![Client::new(Base::of(access)?)];
    nodes.extend(Base::of_others(access)?.into_iter().map(Client::new));
    let began = Instant::now();
    let (mut shares, mut since) = (Vec::new(), began);
    while began.elapsed() < PATIENCE {
        let found = nodes.iter_mut().map(share).collect::<Result<Vec<_>, _>>()?;
        if found != shares || !is_even(&found) {
            (shares, since) = (found, Instant::now());
        } else if since.elapsed() > CALM {
            return Ok(());
        }
        wait(EVERY);
    }
    let what = "nodes that are well and share the partitions".to_owned();
    Err(Error::Timeout { what, seconds: PATIENCE.as_secs() })
}

/// Partitions of a node; none of one that waits for something.
fn share(node: &mut Client) -> Result<Option<u32>, Error> {
    let ready = match node.ask("GET", "/readyz", None) {
        Err(Error::Http { .. }) => return Ok(None),
        ready => ready?,
    };
    if ready["degraded"] != false {
        return Ok(None);
    }
    let metrics = node.text("/metrics")?;
    let share = metrics.lines().find_map(|line| line.strip_prefix(PARTITIONS)?.parse().ok());
    Ok(Some(share.ok_or(Error::Malformed { what: "how many partitions a node owns" })?))
}

/// Whether all nodes are well and own as many partitions, give or take one.
fn is_even(shares: &[Option<u32>]) -> bool {
    let Some(shares) = shares.iter().copied().collect::<Option<Vec<u32>>>() else { return false };
    let (least, most) = (shares.iter().min(), shares.iter().max());
    least.zip(most).is_some_and(|(least, most)| *least > 0 && most - least <= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_share_evenly_once_each_owns_as_many_give_or_take_one() {
        assert!(is_even(&[Some(64)]));
        assert!(is_even(&[Some(21), Some(22), Some(21)]));
        assert!(!is_even(&[Some(32), Some(32), Some(0)]));
        assert!(!is_even(&[Some(20), Some(22), Some(22)]));
        assert!(!is_even(&[Some(21), None, Some(22)]));
        assert!(!is_even(&[Some(0)]));
    }
}
