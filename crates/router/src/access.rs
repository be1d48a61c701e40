//! Who may do what: every frame of the socket and every action of the HTTP API is a [`Deed`], and one
//! function says whether a [`Principal`] may do it to a conversation.
//!
//! Rights come from data, never from a role's name. Whether the session's state allows it (who owns
//! it, whether it is closed) is the fold's to say, because only the log's order knows; the fold is told
//! by [`Allowed::overrides_owner`] whether the principal may act on what somebody else owns. A
//! conversation the principal may not read is answered like one that does not exist.

use frontdesk_core::{
    chat::{Actor, ActorKind, Audience, Session, SessionStatus},
    fold,
    id::{AccountId, ConversationId, TeamId},
    rights::{Right, Rights},
};
use frontdesk_protocol::{
    codes,
    wire::{Command, client_frame::Frame, command::Command as Order},
};

use crate::Rejection;

/// What kind of somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The person who opened the chat.
    Visitor,
    /// A user of the account, whatever the role.
    Agent,
    /// A program that answers visitors.
    Bot,
    /// A program with a key of the HTTP API.
    Api,
}

/// Somebody whose identity has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What kind.
    pub kind: PrincipalKind,
    /// The account everything it does belongs to.
    pub account: AccountId,
    /// Visitor, user, bot or key.
    pub id: String,
    /// The display name; empty for an anonymous visitor.
    pub name: String,
    /// What it may do; none for a visitor.
    pub rights: Rights,
    /// The teams it belongs to.
    pub teams: Vec<TeamId>,
    /// A visitor's only conversation.
    pub conversation: Option<ConversationId>,
}

impl Principal {
    /// Returns the actor entries and events name.
    pub fn actor(&self) -> Actor {
        let kind = match self.kind {
            PrincipalKind::Visitor => ActorKind::Visitor,
            PrincipalKind::Agent => ActorKind::Agent,
            PrincipalKind::Bot => ActorKind::Bot,
            PrincipalKind::Api => ActorKind::Api,
        };
        Actor { kind: kind.into(), id: self.id.clone(), name: self.name.clone() }
    }
}

/// A conversation as far as rights depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// Whose it is.
    pub account: AccountId,
    /// Its newest session, if it has any.
    pub session: Option<&'a Session>,
}

/// Everything somebody can ask for on the socket; the HTTP API asks for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Keep the connection alive.
    Ping,
    /// Open a conversation, page its history, check its position.
    Read,
    /// Stop looking at it.
    Leave,
    /// Say something.
    Send(Audience),
    /// Take back one's own entry.
    Retract,
    /// Say how far one got.
    MoveCursor,
    /// Show that one types.
    Draft,
    /// From the queue to oneself.
    Take,
    /// From another owner to oneself.
    TakeOver,
    /// To an agent or team.
    Transfer,
    /// End the session.
    Close,
    /// Go on with a closed one.
    Reopen,
    /// Back to the queue.
    Requeue,
    /// Take part beside the owner.
    Join,
    /// No longer take part.
    StepOut,
    /// Say how it was.
    Rate,
    /// Make it more or less urgent.
    SetPriority,
    /// Say what it is about.
    SetIntent,
    /// Label it.
    SetLabels,
    /// Set it aside.
    Pend,
    /// Leave the bot for a person.
    AskForPerson,
    /// Choose one's own state.
    SetPresence,
}

impl Deed {
    /// Returns what a frame asks for. A second hello and an unknown command are refused.
    pub fn of(frame: &Frame) -> Result<Self, Rejection> {
        Ok(match frame {
            Frame::Hello(_) => return Err((&codes::FRAME_UNEXPECTED).into()),
            Frame::Ping(_) | Frame::Pong(_) => Self::Ping,
            Frame::Open(_) | Frame::Sync(_) => Self::Read,
            Frame::Leave(_) => Self::Leave,
            Frame::Send(send) => Self::Send(audience(send.audience)?),
            Frame::Retract(_) => Self::Retract,
            Frame::Cursor(_) => Self::MoveCursor,
            Frame::Draft(_) => Self::Draft,
            Frame::Presence(_) => Self::SetPresence,
            Frame::Command(command) => Self::of_command(command)?,
        })
    }

    fn of_command(command: &Command) -> Result<Self, Rejection> {
        let Some(order) = &command.command else { return Err((&codes::FRAME_UNKNOWN).into()) };
        Ok(match order {
            Order::Take(_) => Self::Take,
            Order::TakeOver(_) => Self::TakeOver,
            Order::Transfer(_) => Self::Transfer,
            Order::Close(_) => Self::Close,
            Order::Reopen(_) => Self::Reopen,
            Order::Requeue(_) => Self::Requeue,
            Order::Join(_) => Self::Join,
            Order::StepOut(_) => Self::StepOut,
            Order::Rate(_) => Self::Rate,
            Order::SetPriority(_) => Self::SetPriority,
            Order::SetIntent(_) => Self::SetIntent,
            Order::SetLabels(_) => Self::SetLabels,
            Order::Pend(_) => Self::Pend,
            Order::AskForPerson(_) => Self::AskForPerson,
        })
    }

    /// The right it takes, beside being allowed to read the conversation.
    fn right(self) -> Option<Right> {
        match self {
            Self::Send(Audience::Team) => Some(Right::ConversationNote),
            Self::Send(_) | Self::Retract | Self::Draft => Some(Right::ConversationWrite),
            Self::Take
            | Self::Transfer
            | Self::Requeue
            | Self::Join
            | Self::SetPriority
            | Self::SetIntent
            | Self::SetLabels
            | Self::Pend => Some(Right::ConversationAssign),
            Self::TakeOver => Some(Right::ConversationTakeOver),
            Self::Close | Self::Reopen => Some(Right::ConversationClose),
            Self::Ping
            | Self::Read
            | Self::Leave
            | Self::MoveCursor
            | Self::StepOut
            | Self::Rate
            | Self::AskForPerson
            | Self::SetPresence => None,
        }
    }

    /// Whether it makes the actor an owner or participant, which a key of the API cannot be.
    fn needs_a_person(self) -> bool {
        matches!(self, Self::Take | Self::TakeOver | Self::Reopen | Self::Join | Self::StepOut)
    }
}

/// What an account leaves to the visitors of one inbox, beside what every visitor may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorRules {
    /// They may end the session themselves.
    pub may_close: bool,
    /// They are asked how it was.
    pub may_rate: bool,
}

impl VisitorRules {
    /// Refuses what visitors of this inbox may not do.
    pub fn check(self, deed: Deed) -> Result<(), Rejection> {
        match deed {
            Deed::Close if !self.may_close => Err((&codes::RIGHT_MISSING).into()),
            Deed::Rate if !self.may_rate => Err((&codes::SESSION_NOT_RATABLE).into()),
            _ => Ok(()),
        }
    }
}

/// Reads an audience off the wire; unspecified is everyone.
pub(crate) fn audience(value: i32) -> Result<Audience, Rejection> {
    match Audience::try_from(value) {
        Ok(Audience::Unspecified | Audience::Everyone) => Ok(Audience::Everyone),
        Ok(Audience::Team) => Ok(Audience::Team),
        Err(_) => Err((&codes::MESSAGE_AUDIENCE).into()),
    }
}

/// It may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Also to a session somebody else owns; goes into `store::Change.overrides_owner`.
    pub overrides_owner: bool,
}

/// Says whether the principal may do it. `subject` is the conversation it is about; none where there is
/// no such conversation, or where the deed is about none.
pub fn check(
    principal: &Principal,
    deed: Deed,
    subject: Option<&Subject<'_>>,
) -> Result<Allowed, Rejection> {
    match deed {
        Deed::Ping => return Ok(Allowed { overrides_owner: false }),
        Deed::SetPresence if principal.kind == PrincipalKind::Agent => {
            return Ok(Allowed { overrides_owner: false });
        }
        Deed::SetPresence => return Err((&codes::RIGHT_MISSING).into()),
        _ => {}
    }
    let subject = subject
        .filter(|subject| subject.account == principal.account && sees(principal, subject, deed));
    let Some(subject) = subject else { return Err((&codes::CONVERSATION_UNKNOWN).into()) };
    if principal.kind == PrincipalKind::Visitor {
        return check_visitor(deed);
    }
    let of_visitors_only = matches!(deed, Deed::Rate | Deed::AskForPerson);
    let of_people_only = deed.needs_a_person() && principal.kind == PrincipalKind::Api;
    let right = if deed == Deed::TakeOver && steps_in(principal, subject) {
        Deed::Take.right()
    } else {
        deed.right()
    };
    let has_right = right.is_none_or(|right| principal.rights.contains(right));
    if of_visitors_only || of_people_only || !has_right {
        return Err((&codes::RIGHT_MISSING).into());
    }
    let overrides_owner = principal.rights.contains(Right::ConversationTakeOver);
    Ok(Allowed { overrides_owner })
}

/// Whether taking over is a person's stepping in for a bot: a bot is no colleague, so it takes no more than taking from
/// the queue.
fn steps_in(principal: &Principal, subject: &Subject<'_>) -> bool {
    principal.kind == PrincipalKind::Agent && subject.session.is_some_and(fold::is_bots)
}

/// A visitor's deeds in the own conversation.
fn check_visitor(deed: Deed) -> Result<Allowed, Rejection> {
    match deed {
        Deed::Send(Audience::Team) => Err((&codes::MESSAGE_AUDIENCE).into()),
        Deed::Send(_)
        | Deed::Read
        | Deed::Retract
        | Deed::MoveCursor
        | Deed::Draft
        | Deed::Close
        | Deed::Rate
        | Deed::AskForPerson => Ok(Allowed { overrides_owner: false }),
        _ => Err((&codes::RIGHT_MISSING).into()),
    }
}

fn sees(principal: &Principal, subject: &Subject<'_>, deed: Deed) -> bool {
    // Whoever lost the right to read it may still close the window.
    deed == Deed::Leave || may_read(principal, subject)
}

/// Says whether the principal may read the conversation.
pub fn may_read(principal: &Principal, subject: &Subject<'_>) -> bool {
    if subject.account != principal.account {
        return false;
    }
    if principal.kind == PrincipalKind::Visitor {
        return principal.conversation == Some(subject.conversation);
    }
    let rights = principal.rights;
    if rights.contains(Right::ConversationReadAll) {
        return true;
    }
    let Some(session) = subject.session else { return false };
    let of_team = session.team.is_empty()
        || session.team.parse().is_ok_and(|team: TeamId| principal.teams.contains(&team));
    if rights.contains(Right::ConversationReadTeam) && of_team {
        return true;
    }
    let owns = session.owner.iter().any(|owner| owner.id == principal.id);
    let takes_part = session.participants.iter().any(|other| other.id == principal.id);
    let in_queue = of_team && session.status() == SessionStatus::Queued;
    rights.contains(Right::ConversationReadOwn) && (owns || takes_part || in_queue)
}

/// Says whether the principal could read the conversation by taking part in its session, which has to
/// be open for that.
pub fn may_take_part(principal: &Principal, subject: &Subject<'_>) -> bool {
    let open = subject.session.is_some_and(|session| {
        !matches!(session.status(), SessionStatus::Closed | SessionStatus::Unspecified)
    });
    open && subject.account == principal.account
        && principal.kind == PrincipalKind::Agent
        && principal.rights.contains(Right::ConversationReadOwn)
}

#[cfg(test)]
mod tests {
    use frontdesk_core::chat::{Participant, ParticipantKind};
    use frontdesk_protocol::wire;

    use super::*;

    const DEEDS: [Deed; 23] = [
        Deed::Ping,
        Deed::Read,
        Deed::Leave,
        Deed::Send(Audience::Everyone),
        Deed::Send(Audience::Team),
        Deed::Retract,
        Deed::MoveCursor,
        Deed::Draft,
        Deed::Take,
        Deed::TakeOver,
        Deed::Transfer,
        Deed::Close,
        Deed::Reopen,
        Deed::Requeue,
        Deed::Join,
        Deed::StepOut,
        Deed::Rate,
        Deed::SetPriority,
        Deed::SetIntent,
        Deed::SetLabels,
        Deed::Pend,
        Deed::AskForPerson,
        Deed::SetPresence,
    ];

    fn account(number: u8) -> AccountId {
        AccountId::from_bytes([number; 12])
    }

    fn team(number: u8) -> TeamId {
        TeamId::from_bytes([number; 12])
    }

    fn principal(kind: PrincipalKind, rights: Rights) -> Principal {
        Principal {
            kind,
            account: account(1),
            id: "me".to_owned(),
            name: "Me".to_owned(),
            rights,
            teams: vec![team(1)],
            conversation: None,
        }
    }

    fn visitor(conversation: u8) -> Principal {
        Principal {
            conversation: Some(ConversationId::from_bytes([conversation; 12])),
            ..principal(PrincipalKind::Visitor, Rights::none())
        }
    }

    fn session(status: SessionStatus, owner: &str, of_team: Option<u8>) -> Session {
        Session {
            status: status.into(),
            owner: (!owner.is_empty()).then(|| Participant {
                kind: ParticipantKind::Agent.into(),
                id: owner.to_owned(),
                name: String::new(),
            }),
            team: of_team.map(|number| team(number).to_string()).unwrap_or_default(),
            ..Session::default()
        }
    }

    /// One letter for each answer: `+` allowed, `O` allowed also on what others own, `-` no right,
    /// `?` unknown conversation, `a` audience.
    fn row(principal: &Principal, of_account: u8, session: Option<&Session>) -> String {
        let subject = Subject {
            conversation: ConversationId::from_bytes([1; 12]),
            account: account(of_account),
            session,
        };
        DEEDS
            .iter()
            .map(|deed| match check(principal, *deed, Some(&subject)) {
                Ok(Allowed { overrides_owner: true }) => 'O',
                Ok(Allowed { overrides_owner: false }) => '+',
                Err(denied) if denied.code == &codes::RIGHT_MISSING => '-',
                Err(denied) if denied.code == &codes::CONVERSATION_UNKNOWN => '?',
                Err(denied) if denied.code == &codes::MESSAGE_AUDIENCE => 'a',
                Err(other) => panic!("{deed:?}: {other:?}"),
            })
            .collect()
    }

    #[test]
    fn s10_every_deed_by_every_principal() {
        let agent = principal(PrincipalKind::Agent, Rights::agent());
        let supervisor = principal(PrincipalKind::Agent, Rights::supervisor());
        let admin = principal(PrincipalKind::Agent, Rights::admin());
        let key = principal(PrincipalKind::Api, Rights::all());
        let weak_key = principal(PrincipalKind::Api, Rights::none().with(Right::VisitorRead));
        let bot = principal(PrincipalKind::Bot, Rights::agent());
        let own = session(SessionStatus::Assigned, "me", Some(2));
        let queue = session(SessionStatus::Queued, "", Some(1));
        let common = session(SessionStatus::Queued, "", None);
        let team_mate = session(SessionStatus::Assigned, "other", Some(1));
        let foreign = session(SessionStatus::Assigned, "other", Some(2));
        let foreign_queue = session(SessionStatus::Queued, "", Some(2));
        let stranger = "+?????????????????????";
        let served = "+++++++++-++++++-++++-";
        let served_all = "+OOOOOOOOOOOOOOO-OOOO-";
        // Columns as in DEEDS; the last is presence, which is about no conversation.
        let table = [
            ("visitor, own", &visitor(1), 1, Some(&own), "++-+a+++---+----+----+", '-'),
            ("visitor, own, none yet", &visitor(1), 1, None, "++-+a+++---+----+----+", '-'),
            ("visitor, other", &visitor(2), 1, Some(&own), "+?-???????????????????", '-'),
            ("visitor, account", &visitor(1), 2, Some(&own), stranger, '-'),
            ("agent, own", &agent, 1, Some(&own), served, '+'),
            ("agent, queue", &agent, 1, Some(&queue), served, '+'),
            ("agent, common queue", &agent, 1, Some(&common), served, '+'),
            ("agent, team mate", &agent, 1, Some(&team_mate), "+?+???????????????????", '+'),
            ("agent, team's queue", &agent, 1, Some(&foreign_queue), "+?+???????????????????", '+'),
            ("agent, none yet", &agent, 1, None, "+?+???????????????????", '+'),
            ("agent, account", &agent, 2, Some(&own), stranger, '+'),
            ("supervisor, team", &supervisor, 1, Some(&team_mate), served_all, '+'),
            ("supervisor, other", &supervisor, 1, Some(&foreign), "+?O???????????????????", '+'),
            ("admin, any", &admin, 1, Some(&foreign), served_all, '+'),
            ("admin, account", &admin, 2, Some(&foreign), stranger, '+'),
            ("key, all rights", &key, 1, Some(&foreign), "+OOOOOOO--OO-O---OOOO-", '-'),
            ("key, few rights", &weak_key, 1, Some(&foreign), "+?+???????????????????", '-'),
            ("key, account", &key, 2, Some(&foreign), stranger, '-'),
            ("bot, own", &bot, 1, Some(&own), served, '-'),
            ("bot, other", &bot, 1, Some(&foreign), "+?+???????????????????", '-'),
        ];
        for (name, principal, of_account, session, expected, presence) in table {
            assert_eq!(
                row(principal, of_account, session),
                format!("{expected}{presence}"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_bot_is_no_colleague_to_people() {
        let mut session = session(SessionStatus::Assigned, "robot", Some(1));
        let mut may = |principal: &Principal, owner: ParticipantKind| {
            session.owner.as_mut().expect("somebody has it").kind = owner.into();
            let subject = Subject {
                conversation: ConversationId::from_bytes([1; 12]),
                account: account(1),
                session: Some(&session),
            };
            check(principal, Deed::TakeOver, Some(&subject)).map(|allowed| allowed.overrides_owner)
        };
        let team = Rights::agent().with(Right::ConversationReadTeam);
        let agent = principal(PrincipalKind::Agent, team);
        // Of everything else that a bot has, nothing is theirs before they have taken it.
        assert_eq!(may(&agent, ParticipantKind::Bot), Ok(false));
        assert_eq!(may(&agent, ParticipantKind::Agent), Err((&codes::RIGHT_MISSING).into()));
        let supervisor = principal(PrincipalKind::Agent, Rights::supervisor());
        assert_eq!(may(&supervisor, ParticipantKind::Bot), Ok(true));
        // Whoever may take nothing takes nothing from a bot either; nor does another bot.
        let reader = Rights::none().with(Right::ConversationReadTeam);
        let reader = principal(PrincipalKind::Agent, reader);
        assert_eq!(may(&reader, ParticipantKind::Bot), Err((&codes::RIGHT_MISSING).into()));
        let bot = principal(PrincipalKind::Bot, team);
        assert_eq!(may(&bot, ParticipantKind::Bot), Err((&codes::RIGHT_MISSING).into()));
    }

    #[test]
    fn without_the_right_it_is_refused_whoever_owns_it() {
        let own = session(SessionStatus::Assigned, "me", None);
        let reader = Rights::none().with(Right::ConversationReadOwn);
        let row = row(&principal(PrincipalKind::Agent, reader), 1, Some(&own));
        assert_eq!(row, "+++---+--------+------+");
    }

    #[test]
    fn s29_a_second_hello_and_unknown_commands_are_refused() {
        let hello = Deed::of(&Frame::Hello(wire::Hello::default()));
        assert_eq!(hello, Err((&codes::FRAME_UNEXPECTED).into()));
        let command = Deed::of(&Frame::Command(Command::default()));
        assert_eq!(command, Err((&codes::FRAME_UNKNOWN).into()));
        let send = wire::Send { audience: 77, ..wire::Send::default() };
        assert_eq!(Deed::of(&Frame::Send(send)), Err((&codes::MESSAGE_AUDIENCE).into()));
    }
}
