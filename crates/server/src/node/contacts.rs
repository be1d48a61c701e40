//! The person behind a visitor, as HTTP reads and changes it. What people write about a contact lies in
//! the projections' file, synced; lists hear of a new name at once.

use frontdesk_api::{
    engine::{Contact, ContactChange, EngineError},
    principal::Principal as Caller,
};
use frontdesk_core::{
    id::{AccountId, ConversationId, VisitorId},
    rights::Right,
};
use frontdesk_dispatcher::projections::{self, ContactAuthor, ProjectionError, Projections};
use frontdesk_protocol::codes;

use super::{
    desk::DeskQuery,
    engine::{NodeEngine, broken, refused},
    now_ms, principals,
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
        shown(by, &self.projections, account, visitor, stored).await
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
        let principal = principals::of(by);
        let author = ContactAuthor { id: principal.id, name: principal.name, at_ms: now_ms() };
        let change = projections::ContactChange {
            name: change.name,
            email: change.email,
            phone: change.phone,
            note: change.note.filter(|_| !visits),
        };
        let stored = self.projections.update_contact_of(account, visitor, &change, &author).await;
        let stored = stored.map_err(failure)?;
        tracing::info!(
            conversation.id = %conversation,
            contact.id = %stored.id,
            actor.id = author.id,
            "a contact was changed"
        );
        let mut conversations = stored.conversations.clone();
        conversations.push(conversation);
        let renamed = DeskQuery::Renamed { account, conversations, name: stored.name.clone() };
        if self.queries.send(renamed).await.is_err() {
            tracing::warn!("lists show the new name after the next start only");
        }
        shown(by, &self.projections, account, visitor, stored).await
    }
}

/// The contact as this caller sees it: a visitor learns what it said itself, and no note.
async fn shown(
    by: &Caller,
    projections: &Projections,
    account: AccountId,
    visitor: VisitorId,
    stored: projections::Contact,
) -> Result<Contact, EngineError> {
    let known = match projections.visitor(account, visitor).await {
        Ok(visitor) => Some(visitor),
        Err(ProjectionError::NotFound { .. }) => None,
        Err(error) => return Err(failure(error)),
    };
    let contact = Contact {
        name: stored.name,
        email: stored.email,
        phone: stored.phone,
        verified: known.as_ref().is_some_and(|visitor| visitor.secret_hash.is_empty()),
        ..Contact::default()
    };
    if matches!(by, Caller::Visitor(_)) {
        return Ok(contact);
    }
    let changed = stored.changed.filter(|changed| !changed.id.is_empty());
    Ok(Contact {
        note: stored.note,
        attributes: known.map(|visitor| visitor.attributes).unwrap_or_default(),
        changed_by: changed.as_ref().map(|changed| changed.id.clone()),
        changed_by_name: changed.as_ref().map(|changed| changed.name.clone()),
        changed_at_ms: changed.map(|changed| changed.at_ms),
        ..contact
    })
}

fn failure(error: ProjectionError) -> EngineError {
    match error {
        ProjectionError::Invalid { field, reason } => EngineError::Invalid { field, reason },
        ProjectionError::NotFound { .. } => EngineError::UnknownConversation,
        other => broken(&other),
    }
}
