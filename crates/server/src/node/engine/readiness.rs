//! What `/readyz` says: whether each thing that this node depends on works, and how durable an ack is.

use std::sync::atomic::Ordering;

use frontdesk_api::engine::{Check, Readiness};

use super::NodeEngine;
use crate::config::Durability;

impl NodeEngine {
    /// Looks at each of them now.
    pub(super) async fn check_readiness(&self) -> Readiness {
        let failed = self.health.iter().any(|loop_| loop_.storage_failed.load(Ordering::Relaxed));
        let full = self.health.iter().any(|loop_| loop_.storage_full.load(Ordering::Relaxed));
        let catalog = self.catalog.accounts().await;
        let written = self.catalog.database().takes_writes();
        let draining = self.draining.load(Ordering::Acquire);
        let check = |name: &str, ok: bool, detail: &str| Check {
            name: name.to_owned(),
            ok,
            detail: if ok { String::new() } else { detail.to_owned() },
        };
        let mut checks = vec![
            check("log", !failed, "a write failed; sends are refused until a restart"),
            check("disk", !full, "almost full; sends are refused until there is space"),
            check("catalog", catalog.is_ok(), "the catalog does not answer"),
            check("catalog writes", written, "a write failed; nothing is changed until a restart"),
            check("accepting", !draining, "the server is stopping"),
        ];
        let ready = checks.iter().all(|check| check.ok);
        if let Some(cluster) = &self.cluster {
            // Told, but no reason to send anybody elsewhere: other nodes need the same engines.
            checks.extend(cluster.checks().await);
        }
        let durability = match self.durability {
            Durability::Sync => "sync",
            Durability::Async => "async",
        };
        Readiness {
            ready,
            degraded: !checks.iter().all(|check| check.ok),
            durability: durability.to_owned(),
            checks,
        }
    }
}
