//! Who answers: the agents of an account as their colleagues see them, and the faces an inbox shows its visitors.

use frontdesk_api::{
    engine::{AgentState, EngineError, InboxStaff},
    principal::Principal as Caller,
};
use frontdesk_core::id::{AccountId, InboxId};
use frontdesk_gateway::chat::port::BotMode;
use frontdesk_protocol::wire;

use super::{NodeEngine, errors::unavailable};
use crate::node::{
    desk::{AgentNow, DeskQuery},
    principals,
};

impl NodeEngine {
    /// The account's agents with their state and load.
    pub(super) async fn read_agents(&self, by: &Caller) -> Result<Vec<AgentState>, EngineError> {
        let account = by.account();
        let now = self.ask_desk(|reply| DeskQuery::Agents { account, reply }).await?;
        let members = self.catalog.users(account).await.map_err(|_| unavailable())?;
        let agents = members.into_iter().filter(|member| !member.disabled).map(|member| {
            let nothing = AgentNow { presence: wire::Presence::Offline, open_sessions: 0 };
            let at = now.get(&member.user.id).copied().unwrap_or(nothing);
            AgentState {
                id: member.user.id.to_string(),
                name: member.user.display_name,
                avatar: member.user.avatar,
                presence: principals::presence_word(at.presence).to_owned(),
                teams: member.teams.iter().map(ToString::to_string).collect(),
                open_sessions: at.open_sessions,
                capacity: u32::from(member.capacity.unwrap_or(5)),
            }
        });
        Ok(agents.collect())
    }

    /// Who serves an inbox and how fast.
    pub(super) async fn read_staff(
        &self,
        account: AccountId,
        inbox: InboxId,
    ) -> Result<InboxStaff, EngineError> {
        let staff = self.staff.of(account, inbox).await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "an inbox shows no faces");
            unavailable()
        })?;
        let mode = self.bots.inboxes().mode(&inbox.to_string());
        Ok(InboxStaff { has_bot: mode == Some(BotMode::Answers), ..staff })
    }
}
