//! The person behind a visitor, as HTTP reads and changes it. What people write about a contact goes
//! into the catalog; lists read its copy and hear of a new name at once.

use std::collections::BTreeMap;

use frontdesk_api::{
    engine::{Contact, ContactChange, EngineError},
    principal::Principal as Caller,
};
use frontdesk_catalog::{self as catalog, ContactAuthor, Error as CatalogError, VisitorIdentity};
use frontdesk_core::{
    id::{AccountId, ConversationId, VisitorId},
    rights::Right,
};
use frontdesk_dispatcher::projections::{self, ProjectionError};
use frontdesk_protocol::codes;

use super::{
    desk::DeskQuery,
    engine::{NodeEngine, broken, refused, unavailable},
    now_ms, principals, trouble,
};

impl NodeEngine {
    /// Whom a conversation belongs to, for a caller who may read both it and visitors.
    async fn visitor_of(
        &self,
        by: &Caller,
        conversation: ConversationId,
    ) -> Result<(AccountId, VisitorId), EngineError> {
        if let Caller::Visitor(visitor) = by {
            // Its token says whose it is, also before the first message.
            return if visitor.conversation == conversation {
                Ok((visitor.account, visitor.visitor))
            } else {
                Err(EngineError::UnknownConversation)
            };
        }
        let (state, _) = self.readable(by, conversation).await?;
        if !by.rights().contains(Right::VisitorRead) {
            return Err(refused(&codes::RIGHT_MISSING));
        }
        let visitor = state.origin().and_then(|origin| origin.visitor.parse().ok());
        Ok((by.account(), visitor.ok_or(EngineError::UnknownConversation)?))
    }

    pub(super) async fn read_contact(
        &self,
        by: &Caller,
        conversation: ConversationId,
    ) -> Result<Contact, EngineError> {
        let (account, visitor) = self.visitor_of(by, conversation).await?;
        self.contact_of(by, account, visitor).await
    }

    pub(super) async fn contact_of(
        &self,
        by: &Caller,
        account: AccountId,
        visitor: VisitorId,
    ) -> Result<Contact, EngineError> {
        let stored = self.projections.contact_of(account, visitor).await.map_err(failure)?;
        self.shown(by, account, visitor, stored).await
    }

    pub(super) async fn write_contact(
        &self,
        by: &Caller,
        conversation: ConversationId,
        change: ContactChange,
    ) -> Result<Contact, EngineError> {
        let (account, visitor) = self.visitor_of(by, conversation).await?;
        let visits = matches!(by, Caller::Visitor(_));
        if !visits && !by.rights().contains(Right::ConversationWrite) {
            return Err(refused(&codes::RIGHT_MISSING));
        }
        let change = match self.identity_of(account, visitor).await? {
            Some(identity) if visits => unsigned(change, &identity),
            // Nothing is stored of somebody who has not written.
            None if visits => {
                self.readable_state(conversation).await?;
                change
            }
            _ => change,
        };
        let principal = principals::of(by);
        let author = ContactAuthor { id: principal.id, name: principal.name, at_ms: now_ms() };
        let change = catalog::ContactChange {
            name: change.name,
            email: change.email,
            phone: change.phone,
            note: change.note.filter(|_| !visits),
        };
        let stored = self.change_contact(account, visitor, &change, &author).await?;
        tracing::info!(
            conversation.id = %conversation,
            contact.id = %stored.id,
            actor.id = author.id,
            "a contact was changed"
        );
        self.tell_name(account, conversation, &stored).await;
        self.shown(by, account, visitor, stored).await
    }

    /// Keeps what a site has signed about a visitor, and what its page said beside that where nothing is
    /// known. With `former`, who the device was until now, that visitor is the same person.
    pub(super) async fn keep_identity(
        &self,
        account: AccountId,
        identity: &VisitorIdentity,
        former: Option<VisitorId>,
        said: ContactChange,
    ) -> Result<(), EngineError> {
        let visitor = identity.visitor;
        let author =
            ContactAuthor { id: visitor.to_string(), name: String::new(), at_ms: now_ms() };
        if let Some(former) = former {
            let merged = self.catalog.merge_contacts(account, former, visitor, &author).await;
            merged.map_err(|error| refusal(&error))?;
            self.projections.copy_contacts(&self.catalog).await.map_err(failure)?;
        }
        let known = self.projections.contact_of(account, visitor).await.map_err(failure)?;
        let claims = identity.claims.clone().unwrap_or_default();
        let missing = |known: &str, said: Option<String>| said.filter(|_| known.is_empty());
        let change = catalog::ContactChange {
            name: claims.name.or_else(|| missing(&known.name, said.name)),
            email: claims.email.or_else(|| missing(&known.email, said.email)),
            phone: claims.phone.or_else(|| missing(&known.phone, said.phone)),
            note: None,
        };
        let is_known =
            |new: &Option<String>, known: &String| new.as_ref().is_none_or(|n| n == known);
        let nothing_new = is_known(&change.name, &known.name)
            && is_known(&change.email, &known.email)
            && is_known(&change.phone, &known.phone);
        if nothing_new && former.is_none() {
            return Ok(());
        }
        let stored = self.change_contact(account, visitor, &change, &author).await?;
        self.tell_name(account, identity.conversation, &stored).await;
        Ok(())
    }

    async fn change_contact(
        &self,
        account: AccountId,
        visitor: VisitorId,
        change: &catalog::ContactChange,
        by: &ContactAuthor,
    ) -> Result<projections::Contact, EngineError> {
        let changed = self.catalog.update_contact_of(account, visitor, change, by).await;
        changed.map_err(|error| refusal(&error))?;
        self.projections.copy_contacts(&self.catalog).await.map_err(failure)?;
        self.projections.contact_of(account, visitor).await.map_err(failure)
    }

    /// Lists show what the person is called now.
    async fn tell_name(
        &self,
        account: AccountId,
        conversation: ConversationId,
        stored: &projections::Contact,
    ) {
        let mut conversations = stored.conversations.clone();
        conversations.push(conversation);
        let renamed = DeskQuery::Renamed { account, conversations, name: stored.name.clone() };
        if self.queries.send(renamed).await.is_err() {
            tracing::warn!("lists show the new name after the next start only");
        }
    }

    async fn identity_of(
        &self,
        account: AccountId,
        visitor: VisitorId,
    ) -> Result<Option<VisitorIdentity>, EngineError> {
        self.catalog.identity_of(account, visitor).await.map_err(|error| {
            trouble::tell(&error, "an identity");
            unavailable()
        })
    }

    /// The contact as this caller sees it: a visitor learns what it said itself, and no note.
    async fn shown(
        &self,
        by: &Caller,
        account: AccountId,
        visitor: VisitorId,
        stored: projections::Contact,
    ) -> Result<Contact, EngineError> {
        let contact = Contact {
            name: stored.name,
            email: stored.email,
            phone: stored.phone,
            ..Contact::default()
        };
        if matches!(by, Caller::Visitor(_)) {
            return Ok(contact);
        }
        let mut attributes = match self.projections.visitor(account, visitor).await {
            Ok(visitor) => visitor.attributes,
            Err(ProjectionError::NotFound { .. }) => BTreeMap::new(),
            Err(error) => return Err(failure(error)),
        };
        let identity = self.identity_of(account, visitor).await?;
        let claims = identity.and_then(|identity| identity.claims);
        let verified = claims.is_some();
        // What the site has signed stands above what anybody else says.
        attributes.extend(claims.map(|claims| claims.attributes).unwrap_or_default());
        let changed = stored.changed.filter(|changed| !changed.id.is_empty());
        Ok(Contact {
            note: stored.note,
            verified,
            attributes,
            changed_by: changed.as_ref().map(|changed| changed.id.clone()),
            changed_by_name: changed.as_ref().map(|changed| changed.name.clone()),
            changed_at_ms: changed.map(|changed| changed.at_ms),
            ..contact
        })
    }
}

/// What a visitor says beside what its site has signed.
fn unsigned(change: ContactChange, identity: &VisitorIdentity) -> ContactChange {
    let Some(claims) = &identity.claims else { return change };
    ContactChange {
        name: change.name.filter(|_| claims.name.is_none()),
        email: change.email.filter(|_| claims.email.is_none()),
        phone: change.phone.filter(|_| claims.phone.is_none()),
        note: change.note,
    }
}

fn refusal(error: &CatalogError) -> EngineError {
    match error {
        CatalogError::Invalid { field, reason } => {
            EngineError::Invalid { field: field.clone(), reason }
        }
        other => {
            trouble::tell(other, "a contact that changes");
            unavailable()
        }
    }
}

fn failure(error: ProjectionError) -> EngineError {
    match error {
        ProjectionError::Invalid { field, reason } => {
            EngineError::Invalid { field: field.to_owned(), reason }
        }
        ProjectionError::NotFound { .. } => EngineError::UnknownConversation,
        other => broken(&other),
    }
}
