//! Past sessions sorted by the rules of now and by changed ones. What a person said of a session's intent stands in both.

use std::{collections::HashMap, sync::Arc, time::Duration};

use frontdesk_api::engine::{EngineError, SortedSession};
use frontdesk_bot::replay::{PastSession, Sorting};
use frontdesk_core::id::AccountId;
use frontdesk_intent::{AccountConfig, Context, Decision, SmartRouter, Trouble, Why, gather};
use tokio::time::{Instant, sleep};

use crate::node::{
    engine::{NodeEngine, unavailable},
    intents::accounts::Names,
};

/// How often a model that visitors keep busy is looked at again, and how often at most for one text.
const BUSY: Duration = Duration::from_millis(50);
const TRIES_MAX: u32 = 40;
/// All sessions together; those that are left then stay as they are.
const LONGEST: Duration = Duration::from_mins(1);

impl NodeEngine {
    /// Sorts sessions by what the account says of its own now, and by another document that was checked.
    pub(super) async fn sort_anew(
        &self,
        account: AccountId,
        document: &str,
        sessions: &mut [PastSession],
        said: &HashMap<String, SortedSession>,
    ) -> Result<(), EngineError> {
        let off = || EngineError::Invalid { field: "intents".to_owned(), reason: "off" };
        let sorting = self.sorting.as_ref().ok_or_else(off)?;
        let (document, file) = (document.to_owned(), sorting.router.config());
        let parse = move || AccountConfig::parse(&document, &file);
        let parsed = tokio::task::spawn_blocking(parse).await.map_err(|_| unavailable())?;
        let changed = parsed.map_err(|_| unavailable())?;
        let names = sorting.accounts.names(account).await;
        // Not of the names: they may be some seconds old.
        let own = sorting.accounts.own(account).await.map_err(|_| unavailable())?;
        let own: Option<Arc<AccountConfig>> = own.and_then(|own| own.config.ok());
        let until = Instant::now() + LONGEST;
        for session in sessions {
            let Some(read) = said.get(&session.session) else { continue };
            if read.source == "person" {
                let intent = Some(read.intent.clone()).filter(|intent| !intent.is_empty());
                session.before = Sorting { intent, ..Sorting::default() };
                session.after = session.before.clone();
                continue;
            }
            if Instant::now() >= until {
                break;
            }
            session.before = sort(&sorting.router, &names, own.as_deref(), read).await;
            session.after = sort(&sorting.router, &names, Some(&changed), read).await;
        }
        Ok(())
    }
}

/// What the router says of a session, as it would have been read while it was written.
async fn sort(
    router: &SmartRouter,
    names: &Names,
    account: Option<&AccountConfig>,
    session: &SortedSession,
) -> Sorting {
    let inbox_name = names.inboxes.get(&session.inbox).map_or("", String::as_str);
    let context = Context { inbox: &session.inbox, inbox_name, account };
    let messages: Vec<(i64, &str)> =
        session.messages.iter().map(|message| (message.at_ms, message.text.as_str())).collect();
    let mut sorting = Sorting::default();
    for text in gather::readings(&messages) {
        let Decision { intent, target, .. } = decided(router, &text, context).await;
        let known = sorting.intent.as_deref().unwrap_or_default();
        if let Some(intent) = intent.filter(|intent| gather::takes_over(intent, known)) {
            let team = target.team.and_then(|name| names.teams.get(&name).copied());
            sorting = Sorting {
                intent: Some(intent),
                team: team.map(|team| team.to_string()).unwrap_or_default(),
            };
        }
    }
    sorting
}

/// Visitors go first; a text whose turn never comes has no opinion.
async fn decided(router: &SmartRouter, text: &str, context: Context<'_>) -> Decision {
    let mut decision = router.try_out(text, context).await;
    for _ in 1..TRIES_MAX {
        if decision.why != Why::Trouble(Trouble::Busy) {
            break;
        }
        sleep(BUSY).await;
        decision = router.try_out(text, context).await;
    }
    decision
}
