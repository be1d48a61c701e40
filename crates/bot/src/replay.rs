//! The time machine: past sessions once more, with the bot as it is and as it would be. Nothing is sent, stored or asked of
//! an LLM.

use serde::Serialize;

use crate::flow::Said;
use crate::template::shortened;
use crate::{Act, Mind, Moment, State};

/// Sessions of one comparison; further ones are left out.
pub const SESSIONS_MAX: usize = 500;
/// Messages of one session that are looked at.
pub const TURNS_MAX: usize = 20;
/// Rows of a report. Those that changed are in it first.
pub const ROWS_MAX: usize = 1_000;
/// Longest text of a row.
const TEXT_CHARACTERS_MAX: usize = 300;

/// A session as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastSession {
    /// Id of the conversation.
    pub conversation: String,
    /// Id of the session.
    pub session: String,
    /// The visitor's language, a BCP 47 tag.
    pub language: String,
    /// What it is sorted as.
    pub before: Sorting,
    /// What it would be sorted as.
    pub after: Sorting,
    /// What the visitor did, in order.
    pub turns: Vec<PastTurn>,
}

/// What a session is sorted as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sorting {
    /// The intent; none where there is no opinion.
    pub intent: Option<String>,
    /// Id of the team it leads to; empty for the inbox's own queue.
    pub team: String,
}

/// What a visitor did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastTurn {
    /// What was written; of a button its label.
    pub text: String,
    /// The id of the button.
    pub choice: Option<String>,
    /// What was filled into a form.
    pub form: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Sessions that were looked at.
    pub sessions: usize,
    /// How many of them would have gone otherwise.
    pub changed: usize,
    /// One for each message, those that changed before the others.
    pub rows: Vec<Row>,
    /// Sessions that would be sorted otherwise.
    pub sorted: Vec<SortedRow>,
}

/// A session that would be sorted otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SortedRow {
    /// Id of the conversation.
    pub conversation: String,
    /// Id of the session.
    pub session: String,
    /// What the visitor did first.
    pub question: String,
    /// What it is sorted as.
    pub before: Sorting,
    /// What it would be sorted as.
    pub after: Sorting,
}

/// One message, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Id of the conversation.
    pub conversation: String,
    /// Id of the session.
    pub session: String,
    /// What the visitor wrote.
    pub question: String,
    /// What the bot does.
    pub before: Shown,
    /// What it would do.
    pub after: Shown,
    /// Whether that is something else.
    pub changed: bool,
}

/// What a bot does with a message, in short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// As in [`Reply::kind`](crate::talk::Reply::kind), and `people` once people have the session.
    pub kind: String,
    /// What is shown; of a handover the reason.
    pub text: String,
    /// Id of the article; empty for none.
    pub article: String,
}

/// Replays sessions with two minds.
pub fn compare(before: &Mind, after: &Mind, sessions: impl Iterator<Item = PastSession>) -> Report {
    let mut report = Report::default();
    let mut same = Vec::new();
    for session in sessions.take(SESSIONS_MAX) {
        report.sessions += 1;
        let old_moment = moment(&session, &session.before);
        let new_moment = moment(&session, &session.after);
        let (mut old, mut new) = (State::default(), State::default());
        let mut session_changed = session.before != session.after;
        if session_changed {
            let first = session.turns.first().map(PastTurn::shown).unwrap_or_default();
            report.sorted.push(SortedRow {
                conversation: session.conversation.clone(),
                session: session.session.clone(),
                question: shortened(&first, TEXT_CHARACTERS_MAX),
                before: session.before.clone(),
                after: session.after.clone(),
            });
        }
        for turn in session.turns.iter().take(TURNS_MAX) {
            let row = Row {
                conversation: session.conversation.clone(),
                session: session.session.clone(),
                question: shortened(&turn.shown(), TEXT_CHARACTERS_MAX),
                before: shown(before, &mut old, turn, &old_moment),
                after: shown(after, &mut new, turn, &new_moment),
                changed: false,
            };
            let row = Row { changed: row.before != row.after, ..row };
            session_changed |= row.changed;
            let into = if row.changed { &mut report.rows } else { &mut same };
            if into.len() < ROWS_MAX {
                into.push(row);
            }
            if old.handed_over().is_some() && new.handed_over().is_some() {
                break;
            }
        }
        report.changed += usize::from(session_changed);
    }
    same.truncate(ROWS_MAX - report.rows.len());
    report.rows.append(&mut same);
    report
}

fn moment<'a>(session: &'a PastSession, sorting: &'a Sorting) -> Moment<'a> {
    let (language, intent) = (session.language.as_str(), sorting.intent.as_deref());
    Moment { language, intent, attended: true, ..Moment::default() }
}

impl PastTurn {
    fn shown(&self) -> String {
        match (self.text.is_empty(), self.form.is_empty(), &self.choice) {
            (false, _, _) => self.text.clone(),
            (true, false, _) => Said::Form(self.form.clone()).to_string(),
            (true, true, Some(choice)) => choice.clone(),
            (true, true, None) => String::new(),
        }
    }
}

fn shown(mind: &Mind, state: &mut State, turn: &PastTurn, moment: &Moment<'_>) -> Shown {
    if state.handed_over().is_some() {
        return Shown { kind: "people".to_owned(), ..Shown::default() };
    }
    let heard = crate::Heard {
        text: &turn.text,
        choice: turn.choice.as_deref(),
        form: &turn.form,
        moment: *moment,
    };
    let acts = mind.hear(state, &heard);
    // As if it had answered: what it would have said is not known.
    Mind::forget_llm(state);
    let closed = acts.iter().any(|act| matches!(act, Act::Close));
    let shown = in_short(&acts);
    if closed {
        *state = State::default();
    }
    shown
}

/// The act that says most: to people before an answer, an answer before what stands round it.
fn in_short(acts: &[Act]) -> Shown {
    let weight = |act: &&Act| match act {
        Act::HandOver { .. } => 5,
        Act::AskLlm { .. } => 4,
        Act::Answer { .. } | Act::Suggest { .. } => 3,
        Act::AskBack { .. } | Act::Choices { .. } | Act::Form { .. } => 2,
        Act::Say { .. } | Act::TakeMessage { .. } => 1,
        Act::Close | Act::Nothing => 0,
    };
    // The first of several that are equal.
    let Some(act) = acts.iter().rev().max_by_key(weight) else { return Shown::default() };
    let reply = crate::talk::Reply::from(act);
    let (text, article) = match act {
        Act::HandOver { reason, .. } => (reason.as_str().to_owned(), String::new()),
        // Which passages it would get is not what is compared.
        Act::AskLlm { .. } => (String::new(), String::new()),
        Act::AskBack { choices, .. } | Act::Choices { choices, .. } => {
            let labels: Vec<&str> = choices.iter().map(|choice| choice.label.as_str()).collect();
            (format!("{} [{}]", reply.text, labels.join(" | ")), String::new())
        }
        Act::Form { fields, .. } => {
            let labels: Vec<&str> = fields.iter().map(|field| field.label.as_str()).collect();
            (format!("{} [{}]", reply.text, labels.join(" | ")), String::new())
        }
        _ => {
            let article = reply.sources.first().map(|source| source.article.clone());
            (reply.text.clone(), article.unwrap_or_default())
        }
    };
    Shown { kind: reply.kind.to_owned(), text: shortened(&text, TEXT_CHARACTERS_MAX), article }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BotConfig, Flow};

    const FLOW: &str = "name: menu\nstart: { when: { greeting: true } }\nsteps:\n  \
        ask: { ask: { text: { en: What is it? }, choices: [{ id: a, label: { en: A }, goto: people }] } }\n  \
        people: { handover: {} }\n";

    fn mind(config: BotConfig, yaml: Option<&str>) -> Mind {
        Mind::new(config, None, yaml.map(|yaml| Flow::parse(yaml).unwrap()).into_iter().collect())
    }

    fn session(texts: &[&str]) -> PastSession {
        let turn = |text: &&str| PastTurn { text: (*text).to_owned(), ..PastTurn::default() };
        PastSession {
            conversation: "c".to_owned(),
            session: "s".to_owned(),
            language: "en".to_owned(),
            before: Sorting::default(),
            after: Sorting::default(),
            turns: texts.iter().map(turn).collect(),
        }
    }

    #[test]
    fn what_would_have_gone_otherwise_is_told_and_stands_first() {
        let before = mind(BotConfig::default(), None);
        let after = mind(BotConfig::default(), Some(FLOW));
        let sessions = [session(&["qwertz", "human"]), session(&["hello", "A", "asdf"])];
        let report = compare(&before, &after, sessions.into_iter());
        assert_eq!((report.sessions, report.changed), (2, 1));
        let rows: Vec<(&str, &str, &str, bool)> = report
            .rows
            .iter()
            .map(|row| (&*row.question, &*row.before.kind, &*row.after.kind, row.changed))
            .collect();
        assert_eq!(
            rows,
            [
                ("hello", "say", "choices", true),
                ("A", "say", "handover", true),
                ("asdf", "handover", "people", true),
                ("qwertz", "say", "say", false),
                ("human", "handover", "handover", false),
            ]
        );
        assert_eq!(report.rows[0].after.text, "What is it? [A]");
        assert_eq!(report.rows[1].after.text, "flow");
    }

    #[test]
    fn an_llm_is_not_asked_and_shown_as_one() {
        let llm = mind(BotConfig { llm: true, ..BotConfig::default() }, None);
        let plain = mind(BotConfig::default(), None);
        let report = compare(&plain, &llm, std::iter::once(session(&["qwertz", "asdf", "jklö"])));
        let kinds: Vec<&str> = report.rows.iter().map(|row| &*row.after.kind).collect();
        assert_eq!(kinds, ["llm", "llm", "llm"]);
        assert_eq!(report.rows[0].after.text, "");
    }

    #[test]
    fn a_session_that_would_be_sorted_otherwise_is_told_and_the_bot_hears_of_it() {
        let mind = mind(BotConfig::default(), None);
        let sorted = |intent: &str, team: &str| Sorting {
            intent: Some(intent.to_owned()).filter(|intent| !intent.is_empty()),
            team: team.to_owned(),
        };
        let complains = PastSession {
            before: sorted("consult", ""),
            after: sorted("complaint", "t1"),
            ..session(&["qwertz"])
        };
        let moves = PastSession {
            before: sorted("sales", "t1"),
            after: sorted("sales", "t2"),
            ..session(&["qwertz"])
        };
        let stays = PastSession {
            before: sorted("sales", "t1"),
            after: sorted("sales", "t1"),
            ..session(&["qwertz"])
        };
        let report = compare(&mind, &mind, [complains, moves, stays].into_iter());
        assert_eq!((report.sessions, report.changed, report.sorted.len()), (3, 2, 2));
        assert_eq!(report.sorted[0].after, sorted("complaint", "t1"));
        assert_eq!(report.sorted[0].question, "qwertz");
        let row = &report.rows[0];
        assert_eq!((&*row.before.kind, &*row.after.text, row.changed), ("say", "complaint", true));
        assert!(report.rows[1..].iter().all(|row| !row.changed));
    }

    #[test]
    fn a_report_is_bounded() {
        let mind = mind(BotConfig::default(), Some(FLOW));
        let long = "x".repeat(10_000);
        let many = vec![long.as_str(); 1_000];
        let hellos = vec!["thanks"; 1_000];
        let sessions = (0..2_000).map(|n| session(if n % 2 == 0 { &many } else { &hellos }));
        let report = compare(&mind, &mind, sessions);
        assert_eq!((report.sessions, report.changed), (SESSIONS_MAX, 0));
        assert_eq!(report.rows.len(), ROWS_MAX);
        assert!(report.rows.iter().all(|row| row.question.chars().count() <= TEXT_CHARACTERS_MAX));
    }
}
