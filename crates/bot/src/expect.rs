//! Runs the tests inside a flow, and says where the bot does something else.

use serde::Serialize;

use crate::flow::{Expected, ExpectedHandover, FlowTest};
use crate::talk::{Reply, TalkTurn, talk};
use crate::{Flow, Mind, Moment};

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Where it stands in the file.
    pub line: u64,
    /// The visitor's language.
    pub language: String,
    /// What was expected and did not come; empty where the test passes.
    pub mismatches: Vec<Mismatch>,
}

impl CaseResult {
    /// Whether everything came as expected.
    pub fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// Something that was expected and did not come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mismatch {
    /// Where the expectation stands in the file.
    pub line: u64,
    /// The message before.
    pub after: String,
    /// What it is about: `text`, `choices`, `form`, `article`, `handover`, `team`, `closed`.
    pub of: &'static str,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
}

/// Runs all tests of a flow with a mind that has this flow.
pub fn run_tests(mind: &Mind, flow: &Flow) -> Vec<CaseResult> {
    flow.tests.iter().map(|test| run_test(mind, test)).collect()
}

fn run_test(mind: &Mind, test: &FlowTest) -> CaseResult {
    let moment = Moment {
        language: &test.language,
        intent: test.intent.as_deref(),
        attended: test.attended,
        ..Moment::default()
    };
    let turns = talk(mind, &test.say, &moment);
    let mut mismatches = Vec::new();
    for (expected, turn) in test.expect.iter().zip(&turns) {
        look(expected, turn, &mut mismatches);
    }
    CaseResult {
        name: test.name.clone(),
        line: test.line,
        language: test.language.clone(),
        mismatches,
    }
}

fn look(expected: &Expected, turn: &TalkTurn, mismatches: &mut Vec<Mismatch>) {
    let mut differs = |of, expected_text: String, got: String| {
        mismatches.push(Mismatch {
            line: expected.line,
            after: turn.visitor.clone(),
            of,
            expected: expected_text,
            got,
        });
    };
    // The brief is for the team, and no part of what a visitor reads.
    let shown: Vec<&str> = turn
        .replies
        .iter()
        .filter(|reply| reply.kind != "handover" && !reply.text.is_empty())
        .map(|reply| reply.text.as_str())
        .collect();
    let shown = shown.join("\n");
    for text in &expected.text {
        if !shown.contains(text.as_str()) {
            differs("text", text.clone(), shown.clone());
        }
    }
    if let Some(choices) = &expected.choices {
        let got: Vec<&str> = turn
            .replies
            .iter()
            .flat_map(|reply| &reply.choices)
            .map(|choice| choice.label.as_str())
            .collect();
        if got != *choices {
            differs("choices", choices.join(" | "), got.join(" | "));
        }
    }
    if let Some(form) = &expected.form {
        let fields = turn.replies.iter().flat_map(|reply| &reply.form);
        let got: Vec<&str> = fields.map(|field| field.id.as_str()).collect();
        if got != *form {
            differs("form", form.join(" | "), got.join(" | "));
        }
    }
    if let Some(article) = &expected.article {
        let sources = || {
            turn.replies.iter().filter(|reply| is_answer(reply)).flat_map(|reply| &reply.sources)
        };
        if !sources().any(|source| source.article == *article || source.slug == *article) {
            let got: Vec<&str> = sources().map(|source| source.slug.as_str()).collect();
            let got = if got.is_empty() { kinds(turn) } else { got.join(" | ") };
            differs("article", article.clone(), got);
        }
    }
    let handover = turn.replies.iter().find(|reply| reply.kind == "handover");
    if let Some(wanted) = expected.handover {
        let (fits, wanted) = match wanted {
            ExpectedHandover::Whether(whether) => {
                (whether == handover.is_some(), whether.to_string())
            }
            ExpectedHandover::For(reason) => {
                let fits = handover.is_some_and(|reply| reply.reason == reason.as_str());
                (fits, reason.as_str().to_owned())
            }
        };
        if !fits {
            differs(
                "handover",
                wanted,
                handover.map_or_else(|| kinds(turn), |it| it.reason.into()),
            );
        }
    }
    if let Some(team) = &expected.team {
        let got = handover.map(|reply| reply.team.clone()).unwrap_or_default();
        if got != *team {
            differs("team", team.clone(), got);
        }
    }
    if let Some(wanted) = expected.closed {
        let got = turn.replies.iter().any(|reply| reply.kind == "close");
        if got != wanted {
            differs("closed", wanted.to_string(), got.to_string());
        }
    }
}

fn is_answer(reply: &Reply) -> bool {
    matches!(reply.kind, "answer" | "suggestion")
}

fn kinds(turn: &TalkTurn) -> String {
    let kinds: Vec<&str> = turn.replies.iter().map(|reply| reply.kind).collect();
    if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") }
}
