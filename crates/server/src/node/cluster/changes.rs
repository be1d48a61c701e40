//! What other nodes change in the catalog, carried out here: open sockets go on under what holds now, or end.

use std::sync::Arc;

use frontdesk_api::engine::Engine as _;
use frontdesk_catalog::{Catalog, Change};
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
            Change::Everything => match catalog.accounts().await {
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
            },
        }
    }
}
