//! A session that the bot had before this process, before this task, or on another node: what was said in it is heard
//! again, which leads to the same state, since the mind is pure. What has no answer yet is answered then.

use frontdesk_bot::{Act, LlmAnswer, Mind, State};
use frontdesk_core::{
    chat::{ActorKind, Audience, Content, Entry, content::Kind, entry::Body},
    id::ConversationId,
};

use super::{
    deeds,
    session::{Around, Input, kind_of, moment},
};

/// Whose session it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) conversation: ConversationId,
    /// The id of the bot.
    pub(super) bot: &'a str,
    pub(super) language: &'a str,
    pub(super) intent: &'a str,
    pub(super) around: Around,
    /// An answer to what was said since then may have been broken off.
    pub(super) recent_since_ms: i64,
}

/// What is known of a session after it was heard again.
pub(super) struct Heard {
    pub(super) state: State,
    /// The visitor's newest message that has an answer, or the beginning of one; 0 for none.
    pub(super) done_seq: u64,
    /// What the bot did about it, to be done once more: what was said already is not said twice.
    pub(super) redo: Option<Vec<Act>>,
    /// What the visitor said since, in its order.
    pub(super) rest: Vec<(u64, Content)>,
    /// The bot's newest question with buttons or fields.
    pub(super) asked_seq: u64,
    /// Answers the bot gave, without those that are done once more.
    pub(super) answered: u64,
    /// It told the visitor, without being asked, that a person comes.
    pub(super) gave_up: bool,
}

/// Hears the entries of one session again, oldest first.
pub(super) fn hear(mind: &Mind, entries: &[Entry], whose: Whose<'_>) -> Heard {
    let Whose { conversation, bot, language, intent, around, recent_since_ms } = whose;
    let about = |entry: &Entry| {
        let is_bots = entry.actor.as_ref().is_some_and(|actor| actor.id == bot);
        let about = deeds::about(conversation, &entry.client_msg_id);
        about.filter(|_| is_bots && entry.audience() == Audience::Everyone)
    };
    let answers = entries.iter().filter_map(about).filter(|(_, number)| *number < deeds::LEFT);
    let done_seq = answers.map(|(seq, _)| seq).max().unwrap_or_default();
    let mut heard = Heard {
        state: State::default(),
        done_seq,
        redo: None,
        rest: Vec::new(),
        asked_seq: 0,
        answered: 0,
        gave_up: false,
    };
    let moment = moment(language, intent, around);
    for entry in entries.iter().filter(|entry| entry.audience() == Audience::Everyone) {
        let Some(Body::Content(content)) = &entry.body else { continue };
        match kind_of(entry) {
            ActorKind::Visitor if entry.seq > done_seq => {
                heard.rest.push((entry.seq, content.clone()));
            }
            ActorKind::Visitor => {
                let input = Input::of(content, heard.asked_seq);
                let acts = mind.hear(&mut heard.state, &input.heard(moment));
                let is_last = entry.seq == done_seq && entry.at_ms >= recent_since_ms;
                heard.redo = Some(acts).filter(|acts| is_last && may_be_redone(acts));
            }
            ActorKind::Bot => {
                let of = about(entry);
                let is_redone = heard.redo.is_some() && of.is_some_and(|(seq, _)| seq == done_seq);
                heard.answered += u64::from(is_answer(content) && !is_redone);
                heard.gave_up |= of.is_some_and(|(_, number)| number >= deeds::SORTED);
                if is_question(content) {
                    heard.asked_seq = entry.seq;
                }
                // What a language model said then, it said. One that was still asked is asked again.
                if let (Some(turn), Some(Kind::Text(text))) =
                    (heard.state.waits_for_llm(), &content.kind)
                {
                    let answer = LlmAnswer { text: text.body.clone(), ..LlmAnswer::default() };
                    mind.llm_answer(&mut heard.state, turn, Ok(answer), &moment);
                }
            }
            _ => {}
        }
    }
    heard
}

/// Whether all of it can be done once more without doing anything twice: it begins with something that is known by its
/// id, and a language model would find other words.
fn may_be_redone(acts: &[Act]) -> bool {
    let says_first = matches!(
        acts.first(),
        Some(
            Act::Say { .. }
                | Act::TakeMessage { .. }
                | Act::Answer { .. }
                | Act::Choices { .. }
                | Act::AskBack { .. }
                | Act::Form { .. }
        )
    );
    says_first && !acts.iter().any(|act| matches!(act, Act::AskLlm { .. }))
}

/// Whether it counts as an answer in the figures, as while the session goes on.
pub(super) fn is_answer(content: &Content) -> bool {
    !content.sources.is_empty() || matches!(content.kind, Some(Kind::Form(_)))
}

/// Whether a visitor answers it by a button or a form.
pub(super) fn is_question(content: &Content) -> bool {
    matches!(content.kind, Some(Kind::Choices(_) | Kind::Form(_)))
}

#[cfg(test)]
mod tests {
    use frontdesk_bot::{BotConfig, Flow};
    use frontdesk_core::chat::{self, Actor};

    use super::*;

    const FLOW: &str = "
name: tea
start: { when: { words: [tea] } }
steps:
  first:
    say: { en: It is green., zh-CN: 绿茶。 }
    goto: second
  second:
    ask:
      text: { en: Which one, zh-CN: 哪一个 }
      choices: [{ id: a, label: { en: One, zh-CN: 一 }, goto: done }]
  done:
    end: true
";
    const VISITOR: &str = "visitor";
    const BOT: &str = "bot";
    const NOW_MS: i64 = 1_000_000;

    fn conversation() -> ConversationId {
        ConversationId::from_bytes([7; 12])
    }

    fn entry(seq: u64, kind: ActorKind, text: &str) -> Entry {
        let id = if kind == ActorKind::Bot { BOT } else { VISITOR };
        let actor = Actor { kind: kind.into(), id: id.to_owned(), ..Actor::default() };
        let content = Content { kind: Some(deeds::text_kind(text)), ..Content::default() };
        Entry {
            seq,
            at_ms: NOW_MS,
            actor: Some(actor),
            audience: Audience::Everyone.into(),
            body: Some(Body::Content(content)),
            ..Entry::default()
        }
    }

    fn asked(seq: u64, text: &str) -> Entry {
        entry(seq, ActorKind::Visitor, text)
    }

    fn said(seq: u64, about: (u64, u16), text: &str) -> Entry {
        let client_msg_id = deeds::client_msg_id(conversation(), about.0, about.1);
        Entry { client_msg_id, ..entry(seq, ActorKind::Bot, text) }
    }

    /// The question of [`FLOW`], as it was asked about a message.
    fn question(seq: u64, about: (u64, u16)) -> Entry {
        let choices = chat::Choices { body: "Which one".to_owned(), choices: Vec::new() };
        let content = Content { kind: Some(Kind::Choices(choices)), ..Content::default() };
        Entry { body: Some(Body::Content(content)), ..said(seq, about, "") }
    }

    fn heard(entries: &[Entry], recent_since_ms: i64) -> Heard {
        let flow = Flow::parse(FLOW).expect("it holds");
        let mind = Mind::new(BotConfig::default(), None, vec![flow]);
        let around = Around { attended: true, contact_known: true, opens_at: None };
        let (conversation, bot, language, intent) = (conversation(), BOT, "en", "");
        let whose = Whose { conversation, bot, language, intent, around, recent_since_ms };
        hear(&mind, entries, whose)
    }

    fn texts(rest: &[(u64, Content)]) -> Vec<u64> {
        rest.iter().map(|(seq, _)| *seq).collect()
    }

    #[test]
    fn what_has_no_answer_is_left_and_what_has_half_of_one_is_done_again() {
        let half = [asked(1, "tea"), said(2, (1, 0), "It is green."), asked(3, "hello")];
        let again = heard(&half, NOW_MS);
        assert_eq!((again.done_seq, texts(&again.rest)), (1, vec![3]));
        let acts = again.redo.expect("the second half may be missing");
        assert!(matches!(acts[..], [Act::Say { .. }, Act::Choices { .. }]), "{acts:?}");
        // Long ago nothing was broken off.
        let again = heard(&half, NOW_MS + 1);
        assert!(again.redo.is_none());
        assert_eq!(again.state.turns(), 1, "what is left is heard when it is answered");
    }

    #[test]
    fn nothing_was_said_by_the_bot_if_others_said_it() {
        let mut other = said(2, (1, 0), "It is green.");
        other.actor = entry(2, ActorKind::Visitor, "").actor;
        let note = Entry { audience: Audience::Team.into(), ..said(3, (1, 1), "why") };
        let again = heard(&[asked(1, "tea"), other, note], NOW_MS);
        assert_eq!((again.done_seq, texts(&again.rest)), (0, vec![1, 2]));
        assert!(again.redo.is_none());
        assert_eq!(again.state, State::default());
    }

    #[test]
    fn the_newest_question_is_found_and_a_promise_that_was_not_kept() {
        let entries = [
            asked(1, "tea"),
            said(2, (1, 0), "It is green."),
            question(3, (1, 1)),
            said(4, (1, deeds::SORTED), "A colleague comes."),
        ];
        let again = heard(&entries, NOW_MS + 1);
        assert_eq!((again.asked_seq, again.done_seq), (3, 1));
        assert!(again.gave_up && again.rest.is_empty());
        assert!(!heard(&entries[..3], NOW_MS + 1).gave_up);
    }
}
