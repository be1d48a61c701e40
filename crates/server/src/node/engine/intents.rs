//! How visitors' messages are sorted in an account, and what a text would be sorted as. Where nothing is sorted there is
//! nothing to say.

use frontdesk_api::engine::{EngineError, Intents, TriedText};
use frontdesk_core::id::AccountId;
use frontdesk_intent::{AccountConfig, Context};

use super::{NodeEngine, errors::unsaid};
use crate::node::intents::shown;

impl NodeEngine {
    /// How messages are sorted in a place.
    pub(super) async fn read_intents(
        &self,
        account: AccountId,
        place: (&str, &str),
    ) -> Result<Option<Intents>, EngineError> {
        let Some(sorting) = &self.sorting else { return Ok(None) };
        let own = sorting.accounts.own(account).await.map_err(|error| unsaid(&error))?;
        let traffic = sorting.traffics.of(account);
        Ok(Some(shown::shown(&sorting.router, &traffic, own.as_ref(), place)))
    }

    /// Whether a document of an account can hold, and if not, why.
    pub(super) async fn check_intent_document(&self, document: &str) -> Result<(), String> {
        let Some(sorting) = &self.sorting else { return Ok(()) };
        let (document, config) = (document.to_owned(), sorting.router.config());
        // Making hundreds of rules ready takes a while.
        let parse = move || AccountConfig::parse(&document, &config).map(drop);
        let parsed = tokio::task::spawn_blocking(parse).await;
        parsed.map_or(Err("it could not be read".to_owned()), |parsed| {
            parsed.map_err(|error| error.reason)
        })
    }

    /// What a text would be sorted as in a place.
    pub(super) async fn try_text(
        &self,
        account: AccountId,
        text: &str,
        place: (&str, &str),
    ) -> Result<Option<TriedText>, EngineError> {
        let Some(sorting) = &self.sorting else { return Ok(None) };
        let own = sorting.accounts.own(account).await.map_err(|error| unsaid(&error))?;
        let own = own.and_then(|own| own.config.ok());
        let (inbox, inbox_name) = place;
        let context = Context { inbox, inbox_name, account: own.as_deref() };
        Ok(Some(shown::tried(sorting.router.try_out(text, context).await)))
    }
}
