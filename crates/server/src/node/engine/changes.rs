//! What a change of settings or rights means on this node: parts that keep a copy read it anew, sockets that went in under
//! what held before end. Other nodes hear of it from the catalog.

use frontdesk_core::id::{AccountId, ApiKeyId, UserId};
use frontdesk_gateway::chat::port::Command;
use frontdesk_protocol::close;

use super::NodeEngine;
use crate::node::desk::DeskQuery;

impl NodeEngine {
    /// Tells whoever keeps a copy of what an account has configured.
    pub(super) async fn tell_configuration(&self, account: AccountId) {
        // Before the desk, which asks who gets new sessions.
        self.bots.changed(account).await;
        self.models.changed(account);
        // A full channel means that the desk is about to look anyway.
        if self.queries.try_send(DeskQuery::Configuration { account }).is_err() {
            tracing::warn!(account.id = %account, "the desk did not hear of a change");
        }
        self.staff.changed();
        self.words.changed(account).await;
        self.gate.configuration_changed(account).await;
    }

    /// Closes a user's sockets on this node: in one account or all, of one login session or all.
    pub(in crate::node) fn close_sockets(
        &self,
        account: Option<AccountId>,
        user: UserId,
        login: Option<&str>,
        code: u16,
    ) {
        for loop_index in self.loops.local_numbers() {
            let login = login.map(ToOwned::to_owned);
            let command = Command::Revoke { user, account, login, code };
            if self.loops.send(loop_index, command).is_err() {
                tracing::error!("a loop did not take the order to close a user's sockets");
            }
        }
    }

    /// Closes the sockets of a key of the API.
    pub(super) fn close_key_sockets(&self, account: AccountId, key: ApiKeyId) {
        for loop_index in self.loops.local_numbers() {
            let command = Command::RevokeKey { account, key, code: close::FORBIDDEN.code };
            if self.loops.send(loop_index, command).is_err() {
                tracing::error!("a loop did not take the order to close a key's sockets");
            }
        }
    }
}
