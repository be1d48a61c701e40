//! Carries out what an account's desk decides: proposals, presence, places in the queue, and whether
//! somebody is there go to the loops.

use frontdesk_core::{
    chat,
    id::{AccountId, ConversationId, InboxId},
};
use frontdesk_gateway::peer::Notice;
use frontdesk_gateway::{
    chat::port::{Command, Reply},
    edge::Refused,
};
use frontdesk_protocol::{
    Encoded,
    wire::{self, server_frame::Frame as Out},
};
use frontdesk_router::desk::{Input, Output, Place};

use super::{DeskTask, account::InboxRules};
use crate::node::{attendance::Word, now_ms};

impl DeskTask {
    /// Tells the account's desk and carries out what follows.
    pub(super) fn apply(&mut self, account: AccountId, inputs: Vec<Input>) {
        let now = now_ms();
        let Some(at) = self.accounts.get_mut(&account).filter(|at| at.configured) else { return };
        let Output { proposals, presence, places, attended, next_deadline_ms } =
            at.desk.apply(now, inputs);
        at.next_ms = next_deadline_ms.unwrap_or(i64::MAX);
        for (user, presence) in &presence {
            at.presence.insert(*user, *presence);
            let mut view = self.view.inner.lock();
            if *presence == wire::Presence::Online {
                view.online.insert((account, *user));
            } else {
                view.online.remove(&(account, *user));
            }
            view.staff_changes += 1;
        }
        for proposed in proposals {
            // While nobody owns the conversation a proposal is lost as well.
            let Some(owner) = self.loops.owner_of(&proposed.conversation) else { continue };
            let command = Command::Propose {
                conversation: proposed.conversation,
                proposal: Box::new(proposed.proposal),
                reply: Reply::Desk { account, version: proposed.version },
            };
            // A lost proposal is made again: the desk's own in-flight time sees to that.
            self.tell(owner, command);
        }
        for (user, presence) in presence {
            let update = wire::PresenceUpdate {
                actor: Some(chat::Actor {
                    kind: chat::ActorKind::Agent.into(),
                    id: user.to_string(),
                    name: String::new(),
                }),
                presence: presence.into(),
                conversation: String::new(),
            };
            let frame = Encoded::push(Out::Presence(update));
            for loop_index in self.loops.numbers() {
                self.tell(loop_index, Command::ToAccount { account, frame: frame.clone() });
            }
        }
        for place in places {
            self.tell_place(account, place);
        }
        for (inbox, attended) in attended {
            self.view.note_attended_here(account, inbox, attended);
            self.attendance.note(now, inbox, attended);
        }
    }

    /// Tells the visitors of inboxes where somebody came online, or the last one went: those of this node, and the
    /// other nodes, which tell theirs. A node to which the link begins later hears it then.
    pub(super) fn tell_attended(&mut self, now: i64) {
        for Word { inbox, attended, is_news } in self.attendance.due(now) {
            self.loops.tell_all(&Notice::Attended { inbox, attended });
            if is_news {
                for loop_index in self.loops.local_numbers() {
                    self.tell(loop_index, Command::Attended { inbox, attended });
                }
            }
        }
    }

    /// The rules of the inbox of an open conversation.
    pub(super) fn rules_of(&self, account: AccountId, conversation: ConversationId) -> InboxRules {
        let Some(at) = self.accounts.get(&account) else { return InboxRules::default() };
        let inbox = at.open.get(&conversation).and_then(|open| open.origin.inbox.parse().ok());
        inbox.and_then(|inbox: InboxId| at.inboxes.get(&inbox)).cloned().unwrap_or_default()
    }

    /// Tells a visitor its place in the queue, where the inbox shows it.
    pub(super) fn tell_place(&mut self, account: AccountId, place: Place) {
        let shown = self.rules_of(account, place.conversation).queue_place;
        let frame = Encoded::push(Out::QueuePlace(wire::QueuePlace {
            place: if shown { place.place } else { 0 },
            wait_ms: if shown { place.wait_ms } else { 0 },
            attended: place.attended,
        }));
        if let Some(owner) = self.loops.owner_of(&place.conversation) {
            self.tell(owner, Command::ToVisitor { conversation: place.conversation, frame });
        }
    }

    /// Tells a loop something; what a full inbox does not take is told soon, in order.
    pub(super) fn tell(&mut self, loop_index: u16, command: Command) {
        if self.stuck.iter().any(|(other, _)| *other == loop_index) {
            self.stuck.push_back((loop_index, command));
        } else if let Err(Refused::Full(command)) = self.loops.send(loop_index, command) {
            self.stuck.push_back((loop_index, command));
        }
    }

    pub(super) fn tell_stuck(&mut self) {
        for (loop_index, command) in std::mem::take(&mut self.stuck) {
            self.tell(loop_index, command);
        }
    }
}
