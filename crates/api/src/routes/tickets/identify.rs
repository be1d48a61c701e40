//! Which visitor a ticket is for: the device's, the one an identity is bound to, or a new one.
//!
//! The conversation of somebody the site names is open only with the site's word for it: a device that
//! comes back without one begins as a new visitor, so whoever sits there next reads nothing.

use frontdesk_catalog::{IdentityMode, Inbox};
use frontdesk_core::id::{ConversationId, VisitorId};
use frontdesk_gateway::clock::wall_ms;
use frontdesk_protocol::codes;

use crate::{
    engine::ContactChange,
    identity::{self, HashedIdentity, Proof},
    problem::{Answer, Problem},
    state::ApiState,
    token::VisitorToken,
};

/// A visitor and whether the site said who it is.
pub(super) struct Identified {
    pub(super) token: VisitorToken,
    pub(super) identified: bool,
}

/// The one proof a request carries. Two could name different people.
pub(super) fn proof<'a>(
    token: Option<&'a str>,
    hashed: Option<&'a HashedIdentity>,
) -> Answer<Option<Proof<'a>>> {
    match (token, hashed) {
        (Some(_), Some(_)) => Err(Problem::new(&codes::IDENTITY_INVALID)
            .field("identity")
            .detail("identity_token says who it is already")),
        (token, hashed) => Ok(token.map(Proof::Token).or(hashed.map(Proof::Hash))),
    }
}

/// The field of the request a proof came in.
fn field(proof: Proof<'_>) -> &'static str {
    match proof {
        Proof::Token(_) => "identity_token",
        Proof::Hash(_) => "identity",
    }
}

/// Finds the visitor of a device that presents a token, an identity, both or nothing.
pub(super) async fn visitor(
    state: &ApiState,
    inbox: &Inbox,
    device: Option<VisitorToken>,
    proof: Option<Proof<'_>>,
) -> Answer<Identified> {
    match (proof, inbox.identity) {
        (Some(proof), IdentityMode::Off) => Err(Problem::new(&codes::IDENTITY_INVALID)
            .field(field(proof))
            .detail("the inbox takes no identities")),
        (None, IdentityMode::Required) => Err(Problem::new(&codes::IDENTITY_REQUIRED)),
        (None, IdentityMode::Off | IdentityMode::Optional) => anonymous(state, inbox, device).await,
        (Some(proof), IdentityMode::Optional | IdentityMode::Required) => {
            let token = named(state, inbox, device, proof).await?;
            Ok(Identified { token, identified: true })
        }
    }
}

async fn anonymous(
    state: &ApiState,
    inbox: &Inbox,
    device: Option<VisitorToken>,
) -> Answer<Identified> {
    let bound = match &device {
        Some(token) => state.catalog().identity_of(inbox.account, token.visitor).await?.is_some(),
        None => false,
    };
    let token = device.filter(|_| !bound).unwrap_or_else(|| fresh(state, inbox));
    Ok(Identified { token, identified: false })
}

async fn named(
    state: &ApiState,
    inbox: &Inbox,
    device: Option<VisitorToken>,
    proof: Proof<'_>,
) -> Answer<VisitorToken> {
    let catalog = state.catalog();
    let secrets: Vec<String> = catalog
        .identity_secrets_of(inbox.account, inbox.id)
        .await?
        .iter()
        .map(|secret| state.key().identity_secret(inbox.account, inbox.id, &secret.salt))
        .collect();
    let signed = identity::verify(proof, &secrets, &inbox.public_key, wall_ms())
        .map_err(|error| Problem::from(error).field(field(proof)))?;
    let new = fresh(state, inbox);
    let binding = catalog
        .bind_identity(
            inbox.account,
            inbox.id,
            &signed.subject,
            signed.claims.as_ref(),
            device.as_ref().map(|token| (token.visitor, token.conversation)),
            (new.visitor, new.conversation),
        )
        .await?;
    let who = binding.identity;
    // Whoever the device was until now is the same person, unless it is another one's already.
    let former = match &device {
        Some(token) if token.visitor != who.visitor => {
            let bound = catalog.identity_of(inbox.account, token.visitor).await?.is_some();
            (!bound).then_some(token.visitor)
        }
        _ => None,
    };
    let said = ContactChange {
        name: signed.said.name,
        email: signed.said.email,
        phone: signed.said.phone,
        note: None,
    };
    if binding.changed || former.is_some() || said != ContactChange::default() {
        state.engine().identified(inbox.account, &who, former, said).await?;
    }
    Ok(device.filter(|token| token.visitor == who.visitor).unwrap_or_else(|| {
        VisitorToken::issue(inbox.account, inbox.id, who.visitor, who.conversation)
    }))
}

fn fresh(state: &ApiState, inbox: &Inbox) -> VisitorToken {
    VisitorToken::issue(
        inbox.account,
        inbox.id,
        state.id::<VisitorId>(),
        state.id::<ConversationId>(),
    )
}
