//! People and programs as the router knows them, and small conversions between the crates' words.

use frontdesk_api::{
    engine::{Violation, WaitingSession},
    principal::Principal as Caller,
};
use frontdesk_catalog::{Access, FileState, StoredFile};
use frontdesk_core::{
    chat,
    id::{AccountId, ApiKeyId, ConversationId, UserId, VisitorId},
    rights::Rights,
};
use frontdesk_dispatcher::projections::Reader;
use frontdesk_protocol::wire;
use frontdesk_router::{
    access::{Principal, PrincipalKind},
    desk::{self, Holder},
};

/// A visitor of one conversation.
pub(crate) fn of_visitor(
    account: AccountId,
    visitor: VisitorId,
    conversation: ConversationId,
) -> Principal {
    Principal {
        kind: PrincipalKind::Visitor,
        account,
        id: visitor.to_string(),
        name: String::new(),
        rights: Rights::none(),
        teams: Vec::new(),
        conversation: Some(conversation),
    }
}

/// A member of an account.
pub(crate) fn of_access(access: &Access) -> Principal {
    Principal {
        kind: PrincipalKind::Agent,
        account: access.account,
        id: access.user.to_string(),
        name: access.display_name.clone(),
        rights: access.rights,
        teams: access.teams.clone(),
        conversation: None,
    }
}

/// A key of the API, or the bot that has one.
pub(crate) fn of_key(
    account: AccountId,
    key: ApiKeyId,
    name: &str,
    rights: Rights,
    is_bot: bool,
) -> Principal {
    Principal {
        kind: if is_bot { PrincipalKind::Bot } else { PrincipalKind::Api },
        account,
        id: key.to_string(),
        name: name.to_owned(),
        rights,
        teams: Vec::new(),
        conversation: None,
    }
}

/// Whose feed and lists a bot's are: its own. Its id takes the place of a user's; both are unique.
pub(crate) fn feed_of_bot(key: ApiKeyId) -> UserId {
    UserId::from_bytes(*key.as_bytes())
}

/// Whoever asks by HTTP.
pub(crate) fn of(caller: &Caller) -> Principal {
    match caller {
        Caller::User(user) => of_access(&user.access),
        Caller::Key(key) => of_key(key.account, key.id, &key.name, key.rights, key.bot),
        Caller::Visitor(visitor) => {
            of_visitor(visitor.account, visitor.visitor, visitor.conversation)
        }
    }
}

/// Whoever asks for a stored list; a visitor has none.
pub(crate) fn reader(caller: &Caller) -> Option<Reader> {
    match caller {
        Caller::User(user) => Some(Reader {
            account: user.access.account,
            user: Some(user.access.user),
            rights: user.access.rights,
            teams: user.access.teams.clone(),
        }),
        Caller::Key(key) => {
            let user = key.bot.then(|| feed_of_bot(key.id));
            Some(Reader { account: key.account, user, rights: key.rights, teams: Vec::new() })
        }
        Caller::Visitor(_) => None,
    }
}

/// A stored file as a message refers to it, if this sender may send it there.
pub(crate) fn file_of(
    stored: StoredFile,
    conversation: ConversationId,
    sender: &str,
) -> Option<chat::File> {
    let usable = stored.state == FileState::Stored
        && stored.conversation == Some(conversation)
        && stored.uploader.id == sender;
    usable.then_some(chat::File {
        id: stored.id,
        name: stored.name,
        media_type: stored.media_type,
        size_bytes: stored.size_bytes,
        width: stored.width,
        height: stored.height,
        has_thumbnail: stored.has_thumbnail,
    })
}

/// The word of the API.
pub(crate) fn presence_word(presence: wire::Presence) -> &'static str {
    match presence {
        wire::Presence::Online => "online",
        wire::Presence::Away => "away",
        wire::Presence::Offline | wire::Presence::Unspecified => "offline",
    }
}

/// A line of the watchdog's page.
pub(crate) fn waiting(session: &desk::Waiting) -> WaitingSession {
    let (owner, owner_name, team, place) = match &session.holder {
        Holder::Owner { id, name, .. } => (Some(id.clone()), Some(name.clone()), None, None),
        Holder::Queue { team, place, .. } => {
            (None, None, team.map(|team| team.to_string()), Some(*place))
        }
    };
    WaitingSession {
        conversation: session.conversation.to_string(),
        session: session.session.clone(),
        owner,
        owner_name,
        team,
        place,
        waiting_since_ms: (session.waiting_since_ms > 0).then_some(session.waiting_since_ms),
        deadline_ms: Some(session.deadline_ms),
        then: session.then.code().to_owned(),
    }
}

/// What breaks the rule, in the API's words.
pub(crate) fn violation(violation: &desk::Violation) -> Violation {
    use desk::Violation as Broken;
    let (conversation, code, detail) = match violation {
        Broken::NoHolder(id) => (id, "no_owner_no_queue", "it has neither an owner nor a queue"),
        Broken::TwoHolders(id) => (id, "owner_and_queue", "it has an owner and a queue"),
        Broken::NoDeadline(id) => (id, "no_deadline", "it has no deadline"),
        Broken::Overdue(id) => (id, "overdue", "its deadline passed and nothing happened"),
        Broken::OwnerAway(id, _) => {
            (id, "owner_away", "the visitor waits for somebody who is not there")
        }
    };
    Violation {
        conversation: conversation.to_string(),
        code: code.to_owned(),
        detail: detail.to_owned(),
    }
}
