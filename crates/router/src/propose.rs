//! Makes proposals for the log from frames whose rights have been checked: validates what they carry,
//! screens content, and gives ids. Nothing malformed gets past here, so the fold need not explain it.

use bytes::Bytes;
use frontdesk_core::{
    arena::Arena,
    chat::{
        self, Audience, Cause, CloseReason, Content, Participant, ParticipantKind, Session,
        content::Kind,
    },
    fold,
    id::{ConversationId, IdSource, MessageId, SessionId, TeamId},
    limits::{
        CLIENT_MSG_ID_BYTES, COMMENT_BYTES_MAX, LABEL_BYTES_MAX, LABELS_MAX, MENTIONS_MAX,
        PARTICIPANTS_MAX, PENDING_MAX_MS,
    },
    rights::Right,
    store::{self, change::Change, proposal::Body},
};
use frontdesk_protocol::{
    codes,
    wire::{self, command::Command as Order},
};

use crate::{
    Rejection,
    access::{self, Allowed, Principal, PrincipalKind, Subject},
    content,
    screen::{Action, Hit, Hitting, Passed, Screen},
};

/// Characters of a file's id: 128 random bits in lower-case hexadecimal.
pub const FILE_ID_CHARS: usize = 32;

/// Makes proposals for one caller: an edge loop, or one HTTP request.
#[derive(Debug)]
pub struct Proposer<'a> {
    /// Where ids come from, and where they are kept while the proposal is on its way.
    pub ids: &'a mut IdSource,
    /// See [`Arena`].
    pub arena: &'a mut Arena,
    /// The account's rules for content.
    pub screen: &'a Screen,
    /// Where it is noted that a rule found something, whether it may pass or not.
    pub hits: &'a mut Vec<Hit>,
    /// The caller's clock.
    pub now_ms: i64,
}

/// What a send needs beside the frame.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// What a first message creates; present while the conversation is not known to be stored.
    pub origin: Option<Box<store::Origin>>,
    /// The queue a session goes to if this message opens one; none is the inbox's common queue.
    pub team: Option<TeamId>,
    /// The stored file the content names, if it names one the sender may use.
    pub file: Option<chat::File>,
    /// Who the content may mention.
    pub mentionable: Mentionable,
}

/// The members of the account a note may mention.
#[derive(Debug, Clone, Default)]
pub struct Mentionable {
    /// Those who may read the conversation.
    pub readers: Vec<String>,
    /// Those who may read it once they take part, which the note brings about.
    pub newcomers: Vec<Participant>,
}

impl Mentionable {
    /// Sorts the members a note of `by` names. Nobody is brought in by somebody who could not hand the
    /// conversation on, into a session that is over, or where there is no room for all of them.
    pub fn of(by: &Principal, members: &[Principal], subject: &Subject<'_>) -> Self {
        let (readers, others): (Vec<_>, Vec<_>) =
            members.iter().partition(|member| access::may_read(member, subject));
        let readers = readers.into_iter().map(|member| member.id.clone()).collect();
        let mut newcomers: Vec<Participant> = Vec::new();
        for other in others.into_iter().filter(|other| access::may_take_part(other, subject)) {
            if !newcomers.iter().any(|known| known.id == other.id) {
                newcomers.push(participant(other));
            }
        }
        let taken = subject.session.map_or(0, |session| session.participants.len());
        let room = taken + newcomers.len() <= PARTICIPANTS_MAX;
        if !room || !by.rights.contains(Right::ConversationAssign) {
            newcomers.clear();
        }
        Self { readers, newcomers }
    }

    fn contains(&self, user: &str) -> bool {
        self.readers.iter().any(|reader| reader == user)
            || self.newcomers.iter().any(|newcomer| newcomer.id == user)
    }
}

/// What a command needs beside the frame.
#[derive(Debug, Clone)]
pub struct Beside<'a> {
    /// What [`access::check`] said.
    pub allowed: Allowed,
    /// The session as it is known here.
    pub session: Option<&'a Session>,
    /// The agent of the account a transfer names, if there is one.
    pub target: Option<Participant>,
}

/// A message on its way to the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Goes to the log before it: those it mentions come in first.
    pub joins: Vec<store::Proposal>,
    /// The record.
    pub proposal: store::Proposal,
}

/// Returns the id of the file a message names, for looking it up before [`Proposer::send`]. An id of
/// another shape names no file.
pub fn file_id(content: Option<&Content>) -> Option<&str> {
    match content?.kind.as_ref()? {
        Kind::File(file) if is_file_id(&file.id) => Some(&file.id),
        _ => None,
    }
}

/// Returns whom a message mentions, for looking them up before [`Proposer::send`]; nobody where it will
/// be refused anyway.
pub fn mentions(send: &wire::Send) -> &[String] {
    match &send.content {
        Some(content) if content.mentions.len() <= MENTIONS_MAX && is_note(send) => {
            &content.mentions
        }
        _ => &[],
    }
}

fn is_note(send: &wire::Send) -> bool {
    send.audience == Audience::Team as i32
}

pub(crate) fn is_file_id(id: &str) -> bool {
    id.len() == FILE_ID_CHARS
        && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl Proposer<'_> {
    /// Makes the proposal of a message.
    pub fn send(
        &mut self,
        by: &Principal,
        conversation: ConversationId,
        send: wire::Send,
        around: Around,
    ) -> Result<Message, Rejection> {
        if send.client_msg_id.len() != CLIENT_MSG_ID_BYTES {
            return Err((&codes::MESSAGE_ID_INVALID).into());
        }
        let audience = access::audience(send.audience)?;
        let content = send.content.ok_or(Rejection::from(&codes::MESSAGE_EMPTY))?;
        let mentions = mentioned(&content.mentions, audience, &around.mentionable)?;
        let content =
            Content { mentions, ..content::checked(content, by.kind, audience, around.file)? };
        let looked = self.screen.screen(content, by.kind);
        let content = self.passed(by, conversation, &send.client_msg_id, looked)?;
        let newcomers = around.mentionable.newcomers.into_iter();
        let joins = newcomers.map(|who| self.join(by, conversation, who)).collect();
        let body = store::Send {
            id: self.message_id(),
            client_msg_id: send.client_msg_id,
            audience: audience.into(),
            content: Some(content),
            origin: around.origin,
            new_session: self.arena.copy(self.ids.next::<SessionId>(self.now_ms).as_bytes()),
            new_session_team: around.team.map(|team| team.to_string()).unwrap_or_default(),
        };
        let proposal = self.proposal(by, conversation, Body::Send(body));
        Ok(Message { joins, proposal })
    }

    /// Looks at the name of a file that is about to be kept: the message that refers to it comes later.
    pub fn name(
        &mut self,
        by: &Principal,
        conversation: ConversationId,
        name: String,
    ) -> Result<String, Rejection> {
        let looked = self.screen.screen_name(name, by.kind);
        self.passed(by, conversation, &[], looked)
    }

    /// Notes which rules found something in what is said, and gives back what is left of it.
    fn passed<T>(
        &mut self,
        by: &Principal,
        conversation: ConversationId,
        client_msg_id: &[u8],
        looked: Result<Passed<T>, Rejection>,
    ) -> Result<T, Rejection> {
        let (passed, hitting) = match looked {
            Ok(Passed { content, by }) => (Ok(content), by),
            Err(rejection) => {
                let hitting = Hitting { rule: rejection.detail.clone(), action: Action::Refuse };
                (Err(rejection), vec![hitting])
            }
        };
        let at_ms = self.now_ms;
        self.hits.extend(hitting.into_iter().map(|Hitting { rule, action }| Hit {
            account: by.account,
            conversation,
            at_ms,
            by: by.actor(),
            rule,
            action,
            client_msg_id: Bytes::copy_from_slice(client_msg_id),
        }));
        passed
    }

    /// Brings in a colleague who is mentioned.
    fn join(
        &mut self,
        by: &Principal,
        conversation: ConversationId,
        newcomer: Participant,
    ) -> store::Proposal {
        let body = store::Change {
            cause: Cause::Manual.into(),
            entry_id: self.message_id(),
            change: Some(Change::Joined(chat::Joined { participant: Some(newcomer) })),
            ..store::Change::default()
        };
        self.proposal(by, conversation, Body::Change(body))
    }

    /// Makes the proposal that takes an entry back.
    pub fn retract(
        &mut self,
        by: &Principal,
        conversation: ConversationId,
        seq: u64,
    ) -> Result<store::Proposal, Rejection> {
        if seq == 0 {
            return Err((&codes::MESSAGE_UNKNOWN).into());
        }
        let body = store::Retract { seq, id: self.message_id() };
        Ok(self.proposal(by, conversation, Body::Retract(body)))
    }

    /// Makes the proposal that moves the principal's own cursor.
    pub fn cursor(
        &mut self,
        by: &Principal,
        conversation: ConversationId,
        delivered_seq: u64,
        read_seq: u64,
    ) -> store::Proposal {
        // Who read it has it.
        let delivered_seq = delivered_seq.max(read_seq);
        let body = Body::Cursor(store::CursorMove { delivered_seq, read_seq });
        self.proposal(by, conversation, body)
    }

    /// Makes the proposals of a command, in order.
    pub fn command(
        &mut self,
        by: &Principal,
        conversation: ConversationId,
        command: wire::Command,
        beside: Beside<'_>,
    ) -> Result<Vec<store::Proposal>, Rejection> {
        let order = command.command.ok_or(Rejection::from(&codes::FRAME_UNKNOWN))?;
        let mut proposals = Vec::with_capacity(2);
        if let Order::Transfer(transfer) = &order
            && !transfer.note.trim().is_empty()
        {
            proposals.push(self.note(by, conversation, &transfer.note)?);
        }
        let mut change = self.change(by, order, beside.session, beside.target)?;
        if let Change::Rated(rated) = &mut change {
            let comment = std::mem::take(&mut rated.comment);
            let looked = self.screen.screen_text(comment, by.kind);
            rated.comment = self.passed(by, conversation, &[], looked)?;
        }
        let body = store::Change {
            expected_version: command.expected_version,
            cause: Cause::Manual.into(),
            entry_id: self.message_id(),
            overrides_owner: beside.allowed.overrides_owner,
            change: Some(change),
            ..store::Change::default()
        };
        proposals.push(self.proposal(by, conversation, Body::Change(body)));
        Ok(proposals)
    }

    fn change(
        &self,
        by: &Principal,
        order: Order,
        session: Option<&Session>,
        target: Option<Participant>,
    ) -> Result<Change, Rejection> {
        let value = |what: &str| Rejection::with(&codes::SESSION_VALUE, what);
        Ok(match order {
            Order::Take(_) => Change::Assigned(chat::Assigned {
                owner: Some(owner(by)),
                ..chat::Assigned::default()
            }),
            Order::TakeOver(_) => Change::Assigned(chat::Assigned {
                owner: Some(owner(by)),
                // Who may take it from a bot only must not get it from a colleague who was quicker.
                former_owner: if by.rights.contains(Right::ConversationTakeOver) {
                    String::new()
                } else {
                    let bot = session.filter(|session| fold::is_bots(session));
                    let bot = bot.and_then(|session| session.owner.as_ref());
                    bot.ok_or(Rejection::from(&codes::RIGHT_MISSING))?.id.clone()
                },
                take_over: true,
            }),
            Order::Transfer(transfer) => Change::Transferred(transferred(&transfer, target)?),
            Order::Close(_) => {
                let visitor = by.kind == PrincipalKind::Visitor;
                let reason = if visitor { CloseReason::Visitor } else { CloseReason::Agent };
                Change::Closed(chat::Closed { reason: reason.into() })
            }
            Order::Reopen(_) => Change::Reopened(chat::Reopened { owner: Some(owner(by)) }),
            // A visitor leaves a bot for the queue the session would go to anyway.
            Order::Requeue(_) | Order::AskForPerson(_) => Change::Queued(chat::Queued {
                team: session.map(|session| session.team.clone()).unwrap_or_default(),
                ..chat::Queued::default()
            }),
            Order::Join(_) => Change::Joined(chat::Joined { participant: Some(participant(by)) }),
            Order::StepOut(_) => Change::Left(chat::Left { participant_id: by.id.clone() }),
            Order::Rate(rate) => {
                if !(1..=5).contains(&rate.rating) {
                    return Err(value("rating"));
                }
                if rate.comment.len() > COMMENT_BYTES_MAX {
                    return Err(value("comment"));
                }
                Change::Rated(chat::Rated { rating: rate.rating, comment: rate.comment })
            }
            Order::SetPriority(set) => {
                if !(1..=4).contains(&set.priority) {
                    return Err(value("priority"));
                }
                Change::PrioritySet(chat::PrioritySet { priority: set.priority })
            }
            Order::SetIntent(set) => {
                if set.intent.len() > LABEL_BYTES_MAX {
                    return Err(value("intent"));
                }
                Change::IntentSet(chat::IntentSet {
                    intent: set.intent,
                    // A person is sure.
                    confidence: 1.0,
                    source: chat::IntentSource::Person.into(),
                    ..chat::IntentSet::default()
                })
            }
            Order::SetLabels(set) => {
                let fits = |label: &String| (1..=LABEL_BYTES_MAX).contains(&label.len());
                if set.labels.len() > LABELS_MAX || !set.labels.iter().all(fits) {
                    return Err(value("labels"));
                }
                let mut labels = set.labels;
                labels.sort_unstable();
                labels.dedup();
                Change::LabelsSet(chat::LabelsSet { labels })
            }
            Order::Pend(pend) => {
                let soon_enough = pend.until_ms <= self.now_ms + PENDING_MAX_MS;
                // 0 ends it.
                if pend.until_ms != 0 && (pend.until_ms <= self.now_ms || !soon_enough) {
                    return Err(value("until_ms"));
                }
                Change::Pended(chat::Pended { until_ms: pend.until_ms })
            }
        })
    }

    /// A transfer's note is a message of its own, towards the team.
    fn note(
        &mut self,
        by: &Principal,
        conversation: ConversationId,
        note: &str,
    ) -> Result<store::Proposal, Rejection> {
        if !by.rights.contains(Right::ConversationNote) {
            return Err((&codes::RIGHT_MISSING).into());
        }
        let text = chat::Text { body: note.to_owned() };
        let send = wire::Send {
            client_msg_id: self.client_msg_id().into(),
            content: Some(Content {
                kind: Some(Kind::Text(text)),
                quote_seq: 0,
                ..Default::default()
            }),
            audience: Audience::Team.into(),
            ..wire::Send::default()
        };
        self.send(by, conversation, send, Around::default()).map(|message| message.proposal)
    }

    /// An id in the form clients are advised to use, so that it rises together with theirs.
    fn client_msg_id(&mut self) -> Vec<u8> {
        let unique: MessageId = self.ids.next(self.now_ms);
        let mut id = Vec::with_capacity(CLIENT_MSG_ID_BYTES);
        id.extend_from_slice(&self.now_ms.to_be_bytes()[2..]);
        id.extend_from_slice(&unique.as_bytes()[2..]);
        id
    }

    fn message_id(&mut self) -> Bytes {
        self.arena.copy(self.ids.next::<MessageId>(self.now_ms).as_bytes())
    }

    fn proposal(
        &mut self,
        by: &Principal,
        conversation: ConversationId,
        body: Body,
    ) -> store::Proposal {
        store::Proposal {
            conversation: self.arena.copy(conversation.as_bytes()),
            actor: Some(by.actor()),
            at_ms: self.now_ms,
            body: Some(body),
        }
    }
}

/// Checks whom a message mentions: notes only, and only who can read them. Each once.
fn mentioned(
    wanted: &[String],
    audience: Audience,
    mentionable: &Mentionable,
) -> Result<Vec<String>, Rejection> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    if audience != Audience::Team || wanted.len() > MENTIONS_MAX {
        return Err((&codes::MESSAGE_MENTION).into());
    }
    let mut mentions: Vec<String> = Vec::with_capacity(wanted.len());
    for user in wanted {
        if !mentionable.contains(user) {
            return Err(Rejection::with(&codes::MESSAGE_MENTION, user.clone()));
        }
        if !mentions.contains(user) {
            mentions.push(user.clone());
        }
    }
    Ok(mentions)
}

/// A transfer names either an agent of the account or a team.
fn transferred(
    transfer: &wire::Transfer,
    target: Option<Participant>,
) -> Result<chat::Transferred, Rejection> {
    let to = match (transfer.to_agent.as_str(), transfer.to_team.as_str()) {
        (agent, "") if !agent.is_empty() => {
            let target = target.filter(|target| target.id == agent);
            Some(chat::Transferred { to_owner: target.clone(), ..chat::Transferred::default() })
                .filter(|_| target.is_some())
        }
        ("", team) if team.parse::<TeamId>().is_ok() => {
            Some(chat::Transferred { to_team: team.to_owned(), ..chat::Transferred::default() })
        }
        _ => None,
    };
    to.ok_or(Rejection::from(&codes::SESSION_TARGET))
}

/// The principal as the owner of a session.
fn owner(by: &Principal) -> Participant {
    let bot = by.kind == PrincipalKind::Bot;
    let kind = if bot { ParticipantKind::Bot } else { ParticipantKind::Agent };
    Participant { kind: kind.into(), id: by.id.clone(), name: by.name.clone() }
}

/// The principal beside the owner.
fn participant(by: &Principal) -> Participant {
    let owner = owner(by);
    let supervises = by.rights.contains(Right::ConversationTakeOver);
    if supervises && owner.kind() == ParticipantKind::Agent {
        return Participant { kind: ParticipantKind::Supervisor.into(), ..owner };
    }
    owner
}

#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "frames hold optional content")]
mod tests {
    use frontdesk_core::{
        chat::SessionStatus, id::AccountId, limits::TEXT_BYTES_MAX, rights::Rights,
    };
    use frontdesk_protocol::codes::ErrorCode;

    use super::*;
    use crate::screen::{self, AppliesTo, Rule};

    const NOW_MS: i64 = 1_790_000_000_000;
    const FILE: &str = "0123456789abcdef0123456789abcdef";

    fn agent(rights: Rights) -> Principal {
        Principal {
            kind: PrincipalKind::Agent,
            account: AccountId::from_bytes([1; 12]),
            id: "d4s0q1h2q5k3v8m6n730".to_owned(),
            name: "Mei".to_owned(),
            rights,
            teams: Vec::new(),
            conversation: None,
        }
    }

    fn conversation() -> ConversationId {
        ConversationId::from_bytes([7; 12])
    }

    fn with<T>(act: impl FnOnce(&mut Proposer<'_>) -> T) -> T {
        let mut ids = IdSource::new([1, 2, 3], 4, 5);
        let (screen, mut arena) = (Screen::default(), Arena::default());
        act(&mut Proposer {
            ids: &mut ids,
            arena: &mut arena,
            screen: &screen,
            hits: &mut Vec::new(),
            now_ms: NOW_MS,
        })
    }

    fn text(body: &str) -> Option<Content> {
        let text = chat::Text { body: body.to_owned() };
        Some(Content { kind: Some(Kind::Text(text)), quote_seq: 0, ..Default::default() })
    }

    fn file(id: &str) -> Option<Content> {
        let file = chat::File { id: id.to_owned(), ..chat::File::default() };
        Some(Content { kind: Some(Kind::File(file)), quote_seq: 3, ..Default::default() })
    }

    fn stored() -> chat::File {
        chat::File { id: FILE.to_owned(), name: "a.png".to_owned(), ..chat::File::default() }
    }

    fn send(content: Option<Content>, stored: Option<chat::File>) -> Result<Message, Rejection> {
        let client_msg_id = vec![9; 16].into();
        let send = wire::Send { client_msg_id, content, ..wire::Send::default() };
        let around = Around { file: stored, ..Around::default() };
        with(|proposer| proposer.send(&agent(Rights::agent()), conversation(), send, around))
    }

    fn run(order: Order) -> Result<Vec<store::Proposal>, Rejection> {
        let command =
            wire::Command { command: Some(order), expected_version: 4, ..wire::Command::default() };
        let target =
            Participant { id: "d4s0q1h2q5k3v8m6n740".to_owned(), ..owner(&agent(Rights::none())) };
        let beside = Beside {
            allowed: Allowed { overrides_owner: true },
            session: None,
            target: Some(target),
        };
        let by = agent(Rights::agent());
        with(|proposer| proposer.command(&by, conversation(), command, beside))
    }

    #[test]
    fn a_message_becomes_a_proposal_that_can_open_a_session() {
        let message = send(text("hello"), None).expect("it is fine");
        let Some(Body::Send(send)) = message.proposal.body else { panic!("a send") };
        assert_eq!((send.id.len(), send.new_session.len()), (12, 12));
        assert_eq!((send.audience(), send.content), (Audience::Everyone, text("hello")));
        assert_eq!(message.proposal.conversation, conversation().as_bytes().as_slice());
        assert_eq!(message.proposal.at_ms, NOW_MS);
    }

    #[test]
    fn content_that_cannot_be_is_refused() {
        let system = Kind::System(chat::SystemText::default());
        let cases: Vec<(Option<Content>, Option<chat::File>, &ErrorCode)> = vec![
            (None, None, &codes::MESSAGE_EMPTY),
            (Some(Content::default()), None, &codes::MESSAGE_EMPTY),
            (text(""), None, &codes::MESSAGE_EMPTY),
            (text(" \n\u{3000}"), None, &codes::MESSAGE_EMPTY),
            (text(&"x".repeat(TEXT_BYTES_MAX + 1)), None, &codes::MESSAGE_TOO_LARGE),
            (
                Some(Content { kind: Some(system), quote_seq: 0, ..Default::default() }),
                None,
                &codes::MESSAGE_UNSUPPORTED,
            ),
            (file(FILE), None, &codes::FILE_UNKNOWN),
            (file("../../etc/passwd"), Some(stored()), &codes::FILE_UNKNOWN),
            (file(&"f".repeat(32)), Some(stored()), &codes::FILE_UNKNOWN),
        ];
        for (content, stored, code) in cases {
            assert_eq!(send(content, stored).map_err(|refused| refused.code), Err(code));
        }
        assert!(send(text(&"x".repeat(TEXT_BYTES_MAX)), None).is_ok());
    }

    #[test]
    fn a_note_mentions_those_who_may_read_it_each_once() {
        let note = |mentions: &[&str], audience: Audience| {
            let mentions: Vec<String> = mentions.iter().map(ToString::to_string).collect();
            let send = wire::Send {
                client_msg_id: vec![1; 16].into(),
                content: text("look").map(|content| Content { mentions, ..content }),
                audience: audience.into(),
                ..wire::Send::default()
            };
            let asked = super::mentions(&send).len();
            let readers = vec!["a".into(), "b".into()];
            let mentionable = Mentionable { readers, newcomers: Vec::new() };
            let around = Around { mentionable, ..Around::default() };
            let by = agent(Rights::agent());
            let sent = with(|proposer| proposer.send(&by, conversation(), send, around));
            (asked, sent.map(|message| message.proposal.body))
        };
        let (asked, sent) = note(&["a", "b", "a"], Audience::Team);
        let Ok(Some(Body::Send(send))) = sent else { panic!("a note") };
        assert_eq!(asked, 3);
        assert_eq!(
            send.content.map(|content| content.mentions),
            Some(vec!["a".into(), "b".into()])
        );
        let detail = |(_, refused): (usize, Result<Option<Body>, Rejection>)| {
            let refused = refused.expect_err("it is refused");
            assert_eq!(refused.code, &codes::MESSAGE_MENTION);
            refused.detail
        };
        assert_eq!(detail(note(&["a", "c"], Audience::Team)), "c");
        assert_eq!(detail(note(&["a"], Audience::Everyone)), "");
        let many = vec!["a"; MENTIONS_MAX + 1];
        assert_eq!(note(&many, Audience::Team).0, 0, "nobody is looked up for it");
        assert_eq!(detail(note(&many, Audience::Team)), "");
    }

    /// Whom a note of somebody with these rights may bring in, of those it names.
    fn brought_in(
        by: Rights,
        members: &[(&str, Rights)],
        account: u8,
        session: &Session,
    ) -> (Vec<String>, Vec<String>) {
        let members: Vec<Principal> = members
            .iter()
            .map(|(id, rights)| Principal { id: (*id).to_owned(), ..agent(*rights) })
            .collect();
        let subject = Subject {
            conversation: conversation(),
            account: AccountId::from_bytes([account; 12]),
            session: Some(session),
        };
        let Mentionable { readers, newcomers } = Mentionable::of(&agent(by), &members, &subject);
        (readers, newcomers.into_iter().map(|newcomer| newcomer.id).collect())
    }

    #[test]
    fn a_note_brings_in_members_who_could_read_it_as_participants() {
        let someone = |id: &str| Participant { id: id.to_owned(), ..Participant::default() };
        let session = |status: SessionStatus, others: usize| Session {
            status: status.into(),
            team: TeamId::from_bytes([2; 12]).to_string(),
            owner: Some(someone("owner")),
            participants: (0..others).map(|number| someone(&format!("p{number}"))).collect(),
            ..Session::default()
        };
        let members = [
            ("boss", Rights::admin()),
            ("ben", Rights::agent()),
            ("blind", Rights::none().with(Right::ConversationWrite)),
            ("ben", Rights::agent()),
            ("bea", Rights::agent()),
        ];
        let mei = Rights::agent();
        let open = session(SessionStatus::Assigned, PARTICIPANTS_MAX - 2);
        let case = |by: Rights, session: &Session| brought_in(by, &members, 1, session);
        let known = vec!["boss".to_owned()];
        let both = vec!["ben".to_owned(), "bea".to_owned()];
        assert_eq!(case(mei, &open), (known.clone(), both));
        let few = Rights::none().with(Right::ConversationNote);
        let full = session(SessionStatus::Assigned, PARTICIPANTS_MAX - 1);
        let over = session(SessionStatus::Closed, 0);
        for (why, by, session) in
            [("no right", few, &open), ("no room", mei, &full), ("over", mei, &over)]
        {
            assert_eq!(case(by, session), (known.clone(), Vec::new()), "{why}");
        }
        let foreign = brought_in(mei, &members, 2, &open);
        assert_eq!(foreign, (Vec::new(), Vec::new()), "of another account");
    }

    #[test]
    fn who_is_brought_in_joins_before_the_note() {
        let send = wire::Send {
            client_msg_id: vec![1; 16].into(),
            content: text("look")
                .map(|content| Content { mentions: vec!["ben".into()], ..content }),
            audience: Audience::Team.into(),
            ..wire::Send::default()
        };
        let ben = Participant { id: "ben".to_owned(), ..owner(&agent(Rights::agent())) };
        let mentionable = Mentionable { newcomers: vec![ben.clone()], ..Mentionable::default() };
        let around = Around { mentionable, ..Around::default() };
        let by = agent(Rights::agent());
        let message = with(|p| p.send(&by, conversation(), send, around)).expect("a note");
        let [join] = &message.joins[..] else { panic!("one joins") };
        assert_eq!(join.actor, Some(by.actor()));
        let Some(Body::Change(change)) = &join.body else { panic!("a change") };
        let joined = chat::Joined { participant: Some(ben) };
        assert_eq!(change.change, Some(Change::Joined(joined)));
        assert_eq!((change.entry_id.len(), change.expected_version), (12, 0));
    }

    #[test]
    fn what_rules_find_is_noted_whether_it_may_pass_or_not() {
        let rules =
            [("rude", Action::Mask), ("gambling", Action::Refuse)].map(|(word, action)| Rule {
                name: format!("no {word}"),
                kind: screen::Kind::Words,
                words: vec![word.to_owned()],
                pattern: String::new(),
                old_form: false,
                action,
                applies_to: AppliesTo::Everyone,
            });
        let screen = Screen::new(&rules).expect("they can hold");
        let mut ids = IdSource::new([1, 2, 3], 4, 5);
        let (mut arena, mut hits) = (Arena::default(), Vec::new());
        let mut proposer = Proposer {
            ids: &mut ids,
            arena: &mut arena,
            screen: &screen,
            hits: &mut hits,
            now_ms: NOW_MS,
        };
        let by = agent(Rights::agent());
        let said = |body| wire::Send {
            client_msg_id: vec![1; 16].into(),
            content: text(body),
            ..wire::Send::default()
        };
        let around = Around::default;
        let message = proposer.send(&by, conversation(), said("how rude"), around());
        let Some(Body::Send(sent)) = message.expect("it passes").proposal.body else {
            panic!("a send")
        };
        assert_eq!(sent.content, text("how ****"));
        let refused = proposer.send(&by, conversation(), said("rude gambling"), around());
        let refused = refused.expect_err("it is refused");
        assert_eq!(
            (refused.code, refused.detail.as_str()),
            (&codes::MESSAGE_REFUSED, "no gambling")
        );
        let name = proposer.name(&by, conversation(), "rude.pdf".to_owned());
        assert_eq!(name.as_deref(), Ok("____.pdf"));
        let hit = |rule: &str, action, client_msg_id: &'static [u8]| Hit {
            account: by.account,
            conversation: conversation(),
            at_ms: NOW_MS,
            by: by.actor(),
            rule: rule.to_owned(),
            action,
            client_msg_id: Bytes::from_static(client_msg_id),
        };
        let expected = [
            hit("no rude", Action::Mask, &[1; 16]),
            hit("no gambling", Action::Refuse, &[1; 16]),
            hit("no rude", Action::Mask, &[]),
        ];
        assert_eq!(hits, expected);
    }

    #[test]
    fn a_file_is_the_stored_one_whatever_the_client_says_of_it() {
        let mut content = file(FILE);
        if let Some(Content { kind: Some(Kind::File(file)), .. }) = &mut content {
            file.name = "harmless.txt".to_owned();
        }
        assert_eq!(file_id(content.as_ref()), Some(FILE));
        assert_eq!(file_id(file("x").as_ref()), None);
        let message = send(content, Some(stored())).expect("it is stored");
        let Some(Body::Send(send)) = message.proposal.body else { panic!("a send") };
        let content = send.content.expect("content");
        assert_eq!((content.kind, content.quote_seq), (Some(Kind::File(stored())), 3));
    }

    #[test]
    fn ids_of_other_lengths_are_refused() {
        for length in [0, 15, 17] {
            let send = wire::Send {
                client_msg_id: vec![1; length].into(),
                content: text("x"),
                ..wire::Send::default()
            };
            let by = agent(Rights::agent());
            let refused = with(|p| p.send(&by, conversation(), send, Around::default()));
            assert_eq!(refused.map_err(|refused| refused.code), Err(&codes::MESSAGE_ID_INVALID));
        }
    }

    #[test]
    fn taking_over_from_a_bot_names_it_unless_anybody_may_be_taken_over_from() {
        let session = |kind: ParticipantKind| Session {
            owner: Some(Participant {
                kind: kind.into(),
                id: "o".to_owned(),
                ..Participant::default()
            }),
            ..Session::default()
        };
        let bots = session(ParticipantKind::Bot);
        let colleagues = session(ParticipantKind::Agent);
        for (rights, session, former) in [
            (Rights::agent(), &bots, "o"),
            (Rights::supervisor(), &bots, ""),
            (Rights::supervisor(), &colleagues, ""),
        ] {
            let by = agent(rights);
            let order = Some(Order::TakeOver(wire::TakeOver {}));
            let command = wire::Command { command: order, ..wire::Command::default() };
            let allowed = Allowed { overrides_owner: false };
            let beside = Beside { allowed, session: Some(session), target: None };
            let proposals = with(|p| p.command(&by, conversation(), command, beside));
            let Some(Body::Change(change)) = &proposals.expect("it is fine")[0].body else {
                panic!("a change")
            };
            let Some(Change::Assigned(assigned)) = &change.change else { panic!("{change:?}") };
            assert!(assigned.take_over);
            assert_eq!(assigned.former_owner, former);
        }
        // Nothing is made that would take it from whoever has it.
        for session in [None, Some(&colleagues)] {
            let order = Some(Order::TakeOver(wire::TakeOver {}));
            let command = wire::Command { command: order, ..wire::Command::default() };
            let allowed = Allowed { overrides_owner: false };
            let beside = Beside { allowed, session, target: None };
            let by = agent(Rights::agent());
            let proposals = with(|p| p.command(&by, conversation(), command, beside));
            assert_eq!(proposals, Err((&codes::RIGHT_MISSING).into()));
        }
    }

    #[test]
    fn a_transfer_goes_to_one_target_and_its_note_goes_before_it() {
        let transfer = |agent: &str, team: &str, note: &str| {
            Order::Transfer(wire::Transfer {
                to_agent: agent.to_owned(),
                to_team: team.to_owned(),
                note: note.to_owned(),
            })
        };
        let known = "d4s0q1h2q5k3v8m6n740";
        let proposals = run(transfer(known, "", "speaks Chinese")).expect("it is fine");
        assert_eq!(proposals.len(), 2);
        let Some(Body::Send(note)) = &proposals[0].body else { panic!("a note") };
        assert_eq!((note.audience(), note.client_msg_id.len()), (Audience::Team, 16));
        assert_eq!(note.client_msg_id[..6], NOW_MS.to_be_bytes()[2..]);
        let Some(Body::Change(change)) = &proposals[1].body else { panic!("a change") };
        assert_eq!((change.expected_version, change.overrides_owner), (4, true));
        assert!(matches!(&change.change, Some(Change::Transferred(to)) if to.to_owner.is_some()));
        assert_eq!(run(transfer("", known, " ")).map(|proposals| proposals.len()), Ok(1));
        for (agent, team) in [("", ""), (known, known), ("d4s0q1h2q5k3v8m6n750", ""), ("", "x")] {
            let refused = run(transfer(agent, team, "")).map_err(|refused| refused.code);
            assert_eq!(refused, Err(&codes::SESSION_TARGET), "{agent} {team}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let labels = |labels: Vec<String>| Order::SetLabels(wire::SetLabels { labels });
        let rate =
            |rating, comment: &str| Order::Rate(wire::Rate { rating, comment: comment.to_owned() });
        let priority = |priority| Order::SetPriority(wire::SetPriority { priority });
        let pend = |until_ms| Order::Pend(wire::Pend { until_ms });
        let fine = [
            rate(1, ""),
            rate(5, "thanks"),
            priority(4),
            pend(0),
            pend(NOW_MS + 1),
            pend(NOW_MS + PENDING_MAX_MS),
            labels(vec!["vip".to_owned(); LABELS_MAX]),
            Order::SetIntent(wire::SetIntent::default()),
        ];
        for order in fine {
            assert!(run(order.clone()).is_ok(), "{order:?}");
        }
        let wrong = [
            rate(0, ""),
            rate(6, ""),
            rate(5, &"x".repeat(COMMENT_BYTES_MAX + 1)),
            priority(0),
            priority(5),
            pend(NOW_MS),
            pend(NOW_MS + PENDING_MAX_MS + 1),
            pend(i64::MIN),
            labels(vec!["vip".to_owned(); LABELS_MAX + 1]),
            labels(vec![String::new()]),
            labels(vec!["x".repeat(LABEL_BYTES_MAX + 1)]),
            Order::SetIntent(wire::SetIntent { intent: "x".repeat(LABEL_BYTES_MAX + 1) }),
        ];
        for order in wrong {
            let refused = run(order.clone()).map_err(|refused| refused.code);
            assert_eq!(refused, Err(&codes::SESSION_VALUE), "{order:?}");
        }
    }

    #[test]
    fn a_cursor_that_read_has_delivered() {
        let proposal = with(|p| p.cursor(&agent(Rights::agent()), conversation(), 3, 5));
        let moved = store::CursorMove { delivered_seq: 5, read_seq: 5 };
        assert_eq!(proposal.body, Some(Body::Cursor(moved)));
    }

    #[test]
    fn a_supervisor_joins_as_such() {
        let participants = [Rights::agent(), Rights::supervisor()]
            .map(|rights| participant(&agent(rights)).kind());
        assert_eq!(participants, [ParticipantKind::Agent, ParticipantKind::Supervisor]);
    }
}
