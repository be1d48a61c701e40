//! What the loops of this node have to hear of others and their inboxes did not take yet.
//!
//! Loops act upon links and owners as they are told: what does not reach them makes the two ends of a link differ for
//! good. So nothing of it is dropped; it is told again soon, to each loop in order, and before anything that came behind.

use std::collections::{BTreeSet, VecDeque};

use frontdesk_gateway::chat::port::Command;

/// What waits, in order.
#[derive(Debug, Default)]
pub(super) struct Stuck {
    waiting: VecDeque<(u16, Command)>,
}

impl Stuck {
    /// Adds a word for a loop, unless the same will be heard anyway.
    pub(super) fn push(&mut self, loop_index: u16, command: Command) {
        let is_said = |(of, said): &(u16, Command)| *of == loop_index && is_same(said, &command);
        if !self.waiting.iter().any(is_said) {
            self.waiting.push_back((loop_index, command));
        }
    }

    /// Adds that a link begins anew, unless the loop will hear that anyway.
    pub(super) fn push_anew(&mut self, loop_index: u16, node: u8) {
        let of_node =
            |(of, said): &&(u16, Command)| *of == loop_index && link_of(said) == Some(node);
        let last = self.waiting.iter().rfind(of_node);
        if last.is_some_and(|(_, said)| matches!(said, Command::NodeJoined { .. })) {
            return;
        }
        self.waiting.push_back((loop_index, Command::NodeLost { node }));
        self.waiting.push_back((loop_index, Command::NodeJoined { node }));
    }

    /// Tells what the loops take now; a command comes back from one that is full.
    pub(super) fn tell(&mut self, mut send: impl FnMut(u16, Command) -> Option<Command>) {
        let mut full = BTreeSet::new();
        for (loop_index, command) in std::mem::take(&mut self.waiting) {
            let left =
                if full.contains(&loop_index) { Some(command) } else { send(loop_index, command) };
            if let Some(command) = left {
                full.insert(loop_index);
                self.waiting.push_back((loop_index, command));
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// The node of whose link a command tells.
fn link_of(command: &Command) -> Option<u8> {
    match command {
        Command::NodeLost { node } | Command::NodeJoined { node } => Some(*node),
        _ => None,
    }
}

/// Whether two words are one: a loop looks by itself who owns a partition.
fn is_same(one: &Command, other: &Command) -> bool {
    matches!((one, other), (Command::Moved { partition: one }, Command::Moved { partition: other })
        if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a loop hears that takes so many.
    fn heard(stuck: &mut Stuck, mut takes: usize) -> Vec<String> {
        let mut heard = Vec::new();
        stuck.tell(|loop_index, command| {
            if loop_index == 1 && takes == 0 {
                return Some(command);
            }
            takes -= usize::from(loop_index == 1);
            heard.push(format!("{loop_index} {command:?}"));
            None
        });
        heard
    }

    #[test]
    fn what_a_full_loop_does_not_take_is_told_later_and_in_order() {
        let mut stuck = Stuck::default();
        for loop_index in [1, 2] {
            stuck.push(loop_index, Command::Moved { partition: 7 });
            stuck.push(loop_index, Command::NodeLost { node: 3 });
        }
        let lost = |of| format!("{of} {:?}", Command::NodeLost { node: 3 });
        let moved = |of| format!("{of} {:?}", Command::Moved { partition: 7 });
        assert_eq!(heard(&mut stuck, 1), [moved(1), moved(2), lost(2)]);
        assert!(!stuck.is_empty());
        stuck.push(1, Command::NodeJoined { node: 3 });
        let joined = format!("1 {:?}", Command::NodeJoined { node: 3 });
        assert_eq!(heard(&mut stuck, 2), [lost(1), joined]);
        assert!(stuck.is_empty());
    }

    #[test]
    fn a_link_that_begins_anew_again_and_again_is_told_of_once() {
        let mut stuck = Stuck::default();
        for _ in 0..3 {
            stuck.push_anew(1, 3);
            stuck.push(1, Command::Moved { partition: 7 });
        }
        assert_eq!(stuck.waiting.len(), 3);
        stuck.push(1, Command::NodeLost { node: 3 });
        stuck.push_anew(1, 3);
        assert_eq!(stuck.waiting.len(), 6, "it is gone, and there again");
    }
}
