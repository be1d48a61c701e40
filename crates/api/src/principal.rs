//! Who asks. A request is a user's (login cookie), an API key's (`Authorization: Bearer fd_...`), a
//! visitor's (`Authorization: Visitor v1...`) or nobody's; the gate finds out once, handlers name what
//! they need by extractor.

use axum::extract::FromRequestParts;
use frontdesk_catalog::{Access, Granter};
use frontdesk_core::{
    id::{AccountId, ApiKeyId, ConversationId, InboxId, VisitorId},
    rights::{Right, Rights},
    store::Origin,
};
use frontdesk_protocol::codes;
use http::request::Parts;

use crate::problem::Problem;

/// Somebody the server knows.
#[derive(Debug, Clone)]
pub enum Principal {
    /// Somebody with a membership, by login session.
    User(Box<User>),
    /// A program with a key of the account.
    Key(Key),
    /// A visitor, by its token.
    Visitor(Box<Visitor>),
}

/// A signed-in user.
#[derive(Debug, Clone)]
pub struct User {
    /// What the user may do in the account, as of this request.
    pub access: Access,
    /// Names the login session; grants nothing.
    pub login: String,
}

/// An API key.
#[derive(Debug, Clone)]
pub struct Key {
    /// The account.
    pub account: AccountId,
    /// The key.
    pub id: ApiKeyId,
    /// What its maker called it.
    pub name: String,
    /// What it may do.
    pub rights: Rights,
    /// It is a bot's.
    pub bot: bool,
}

/// A visitor.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The inbox's account.
    pub account: AccountId,
    /// The inbox.
    pub inbox: InboxId,
    /// The visitor.
    pub visitor: VisitorId,
    /// The only conversation the visitor has.
    pub conversation: ConversationId,
    /// What a first message creates.
    pub origin: Origin,
}

impl Principal {
    /// The account it belongs to.
    pub fn account(&self) -> AccountId {
        match self {
            Self::User(user) => user.access.account,
            Self::Key(key) => key.account,
            Self::Visitor(visitor) => visitor.account,
        }
    }

    /// What it may do; a visitor has no rights, only its own conversation.
    pub fn rights(&self) -> Rights {
        match self {
            Self::User(user) => user.access.rights,
            Self::Key(key) => key.rights,
            Self::Visitor(_) => Rights::default(),
        }
    }

    /// Its id as text: user, key or visitor.
    pub fn id(&self) -> String {
        match self {
            Self::User(user) => user.access.user.to_string(),
            Self::Key(key) => key.id.to_string(),
            Self::Visitor(visitor) => visitor.visitor.to_string(),
        }
    }

    /// What people call it: of a user the name, of a key what its maker called it; empty for a visitor.
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => &user.access.display_name,
            Self::Key(key) => &key.name,
            Self::Visitor(_) => "",
        }
    }

    /// It as somebody who gives rights: nobody gives what they do not have.
    pub(crate) fn granter(&self) -> Granter {
        match self {
            Self::User(user) => user.access.granter(),
            Self::Key(key) => Granter { rights: key.rights, owner: false },
            Self::Visitor(_) => Granter { rights: Rights::default(), owner: false },
        }
    }

    /// For limits, logs and idempotency: kind and id.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::User(_) => format!("user/{}", self.id()),
            Self::Key(_) => format!("key/{}", self.id()),
            Self::Visitor(_) => format!("visitor/{}", self.id()),
        }
    }

    /// Refuses who lacks the right.
    pub(crate) fn require(&self, right: Right) -> Result<(), Problem> {
        if self.rights().contains(right) { Ok(()) } else { Err(missing(right)) }
    }
}

fn missing(right: Right) -> Problem {
    Problem::new(&codes::RIGHT_MISSING).detail(format!("the right {} is missing", right.code()))
}

/// Any known caller.
pub(crate) struct Caller(pub(crate) Principal);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Principal>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Problem::new(&codes::AUTH_REQUIRED))
    }
}

/// A user or an API key: people and programs of the account, not its visitors.
pub(crate) struct Staff(pub(crate) Principal);

impl Staff {
    /// Returns the account if the caller may read what everybody sees who works in it. A program gets
    /// only what its key is for: something to do with conversations, or with what is read.
    pub(crate) fn reads(&self, changes: Right) -> Result<AccountId, Problem> {
        const CONVERSATIONS: [Right; 4] = [
            Right::ConversationReadOwn,
            Right::ConversationReadTeam,
            Right::ConversationReadAll,
            Right::ConversationWrite,
        ];
        let rights = self.0.rights();
        let works = CONVERSATIONS.iter().any(|right| rights.contains(*right));
        if matches!(self.0, Principal::Key(_)) && !works {
            self.0.require(changes)?;
        }
        Ok(self.0.account())
    }

    /// Returns the account if the caller has the right there.
    pub(crate) fn with(&self, right: Right) -> Result<AccountId, Problem> {
        self.0.require(right)?;
        Ok(self.0.account())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, state).await?.0 {
            Principal::Visitor(_) => {
                Err(Problem::new(&codes::RIGHT_MISSING).detail("visitors cannot do this"))
            }
            staff => Ok(Self(staff)),
        }
    }
}

/// A signed-in user only: what a program with a key has no business with.
pub(crate) struct SignedIn(pub(crate) User);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, state).await?.0 {
            Principal::User(user) => Ok(Self(*user)),
            Principal::Key(_) | Principal::Visitor(_) => {
                Err(Problem::new(&codes::RIGHT_MISSING).detail("only a signed-in user can do this"))
            }
        }
    }
}

/// A visitor only.
pub(crate) struct AsVisitor(pub(crate) Visitor);

impl<S: Send + Sync> FromRequestParts<S> for AsVisitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, state).await?.0 {
            Principal::Visitor(visitor) => Ok(Self(*visitor)),
            Principal::User(_) | Principal::Key(_) => {
                Err(Problem::new(&codes::RIGHT_MISSING).detail("only a visitor can do this"))
            }
        }
    }
}

/// A known caller or nobody.
pub(crate) struct Anyone(pub(crate) Option<Principal>);

impl<S: Send + Sync> FromRequestParts<S> for Anyone {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Principal>().cloned()))
    }
}
