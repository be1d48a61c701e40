//! What other nodes change in the catalog, carried out here: open sockets go on under what holds now, or end.

use std::sync::Arc;

use frontdesk_api::engine::Engine as _;
use frontdesk_catalog::{Catalog, Change};
use frontdesk_gateway::chat::{loops::Loops, port::Command};
use frontdesk_protocol::close;
use tokio_util::sync::CancellationToken;

use crate::node::engine::NodeEngine;

/// Listens until the process stops.
pub(super) async fn follow(catalog: Catalog, engine: Arc<NodeEngine>, stop: CancellationToken) {
    let mut changes = catalog.changes_elsewhere();
    loop {
        let change = tokio::select! {
            () = stop.cancelled() => return,
            change = changes.next() => change,
        };
        let Some(change) = change else { return };
        match change {
            Change::Account(account) => engine.configuration_changed(account).await,
            Change::User { account, user } => {
                engine.close_sockets(account, user, None, close::RIGHTS.code);
                if let Some(account) = account {
                    engine.configuration_changed(account).await;
                }
            }
            Change::Login { user, handle } => engine.revoke(None, user, Some(&handle)),
            Change::Key { account, key } => engine.revoke_key(account, key),
            Change::Everything => {
                tracing::warn!("what changed elsewhere is not known: all agents come back");
                revoke_all(&engine.loops);
                match catalog.accounts().await {
                    Ok(accounts) => {
                        for account in accounts {
                            engine.configuration_changed(account.id).await;
                        }
                    }
                    // The next change is heard of all the same.
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(error, "what changed elsewhere is not known");
                    }
                }
            }
        }
    }
}

/// Whoever lost a right may be among those who are connected: all come back through the gate, which asks again.
fn revoke_all(loops: &Loops) {
    for loop_index in loops.local_numbers() {
        if loops.send(loop_index, Command::RevokeAll { code: close::RIGHTS.code }).is_err() {
            tracing::error!("a loop did not take the order to close the sockets of agents");
        }
    }
}
