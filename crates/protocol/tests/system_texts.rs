//! The system texts the fold leaves are those of the table: key, parameters and audience.

use frontdesk_core::{
    chat::{
        self, Actor, ActorKind, CloseReason, Content, Participant, ParticipantKind, Text, content,
        entry::Body,
    },
    fold::{Conversation, fold},
    id::{ConversationId, MessageId, SessionId},
    store::{self, change::Change, proposal},
};
use frontdesk_protocol::texts;

fn actor(kind: ActorKind, id: &str) -> Actor {
    Actor { kind: kind.into(), id: id.to_owned(), name: id.to_owned() }
}

#[expect(clippy::unnecessary_wraps, reason = "changes hold optional participants")]
fn agent(id: &str) -> Option<Participant> {
    Some(Participant {
        kind: ParticipantKind::Agent.into(),
        id: id.to_owned(),
        name: id.to_owned(),
    })
}

/// A conversation that is folded step by step, and the system texts it leaves.
struct Story {
    state: Option<Conversation>,
    at_ms: i64,
    left: Vec<(String, Vec<String>, bool)>,
}

impl Story {
    fn fold(&mut self, actor: Actor, body: proposal::Body) {
        self.at_ms += 1_000;
        let id = ConversationId::from_bytes([1; 12]);
        let proposal = store::Proposal {
            conversation: id.as_bytes().to_vec().into(),
            actor: Some(actor),
            at_ms: self.at_ms,
            body: Some(body),
        };
        let folded = fold(id, &mut self.state, proposal, None);
        for entry in folded.entries {
            let everyone = entry.audience() == chat::Audience::Everyone;
            if let Some(Body::Content(Content {
                kind: Some(content::Kind::System(text)), ..
            })) = entry.body
            {
                self.left.push((text.key, text.params.into_keys().collect(), everyone));
            }
        }
    }

    fn change(&mut self, kind: ActorKind, by: &str, change: Change) {
        let body = store::Change {
            entry_id: MessageId::from_bytes([2; 12]).as_bytes().to_vec().into(),
            overrides_owner: true,
            change: Some(change),
            ..store::Change::default()
        };
        self.fold(actor(kind, by), proposal::Body::Change(body));
    }

    fn say(&mut self, kind: ActorKind, by: &str) {
        let text = content::Kind::Text(Text { body: "hello".to_owned() });
        let send = store::Send {
            id: MessageId::from_bytes([3; 12]).as_bytes().to_vec().into(),
            content: Some(Content { kind: Some(text), quote_seq: 0, ..Default::default() }),
            origin: Some(Box::new(store::Origin {
                visitor: "v".to_owned(),
                ..store::Origin::default()
            })),
            new_session: SessionId::from_bytes([4; 12]).as_bytes().to_vec().into(),
            ..store::Send::default()
        };
        self.fold(actor(kind, by), proposal::Body::Send(send));
    }
}

#[test]
fn system_texts_of_the_fold_are_in_the_table() {
    use ActorKind::{Agent, System, Visitor};
    let mut story = Story { state: None, at_ms: 1_790_000_000_000, left: Vec::new() };
    let assigned = |id: &str, take_over| {
        Change::Assigned(chat::Assigned { owner: agent(id), take_over, ..Default::default() })
    };
    let closed = |reason: CloseReason| Change::Closed(chat::Closed { reason: reason.into() });
    story.say(Visitor, "v");
    story.change(System, "", Change::Unattended(chat::Unattended { deadline_ms: i64::MAX }));
    story.change(System, "", assigned("a", false));
    story.change(Agent, "b", Change::Joined(chat::Joined { participant: agent("b") }));
    story.change(Agent, "b", Change::Left(chat::Left { participant_id: "b".to_owned() }));
    story.change(Agent, "b", assigned("b", true));
    let to_agent = chat::Transferred { to_owner: agent("a"), ..Default::default() };
    story.change(Agent, "b", Change::Transferred(to_agent));
    let to_team = chat::Transferred { to_team: "t".to_owned(), ..Default::default() };
    story.change(Agent, "a", Change::Transferred(to_team));
    story.change(Agent, "a", assigned("a", false));
    story.change(Agent, "a", Change::Queued(chat::Queued::default()));
    story.change(Agent, "a", assigned("a", false));
    story.say(Agent, "a");
    story.change(System, "", Change::IdleWarned(chat::IdleWarned { closes_at_ms: i64::MAX }));
    story.change(System, "", closed(CloseReason::Idle));
    story.change(Agent, "a", Change::Reopened(chat::Reopened { owner: agent("a") }));
    story.change(Agent, "a", closed(CloseReason::Agent));

    for (key, params, everyone) in &story.left {
        let line = texts::find(key).unwrap_or_else(|| panic!("{key} is not in the table"));
        let mut wanted: Vec<String> = line.params.iter().map(|p| (*p).to_owned()).collect();
        wanted.sort();
        assert_eq!(params, &wanted, "{key}");
        assert_eq!(*everyone, line.everyone, "{key}");
    }
    for line in texts::ALL.iter().filter(|line| !texts::OF_BOTS.contains(line)) {
        assert!(story.left.iter().any(|(key, ..)| key == line.key), "{} is never left", line.key);
    }
}
