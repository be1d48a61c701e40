//! The language model of now and a changed one, asked the same questions: a few, out of the day's tokens.

use std::{collections::HashSet, time::Duration};

use frontdesk_api::engine::{EngineError, ReplayWish};
use frontdesk_bot::replay::{Report, Shown};
use frontdesk_knowledge::Knowledge;
use frontdesk_llm::{Passage, Targets, Task};
use tokio::time::Instant;

use crate::node::models::Model;

/// What a row is called that a language model answers.
const LLM: &str = "llm";
/// Messages of visitors the models are asked about.
const ASKED_MAX: usize = 10;
/// Passages they get.
const PASSAGES_MAX: usize = 3;
/// No question begins later than this: somebody waits for all of them.
const BEGUN_WITHIN: Duration = Duration::from_mins(1);

/// A model with its prompt, as it is and as it would be.
pub(super) struct Trial<'a> {
    before: (&'a Model, &'a str),
    after: (Model, &'a str),
}

impl<'a> Trial<'a> {
    pub(super) fn of(model: &'a Model, wish: &'a ReplayWish) -> Result<Self, EngineError> {
        let name = wish.model.as_deref().unwrap_or(model.name());
        let invalid = |_| EngineError::Invalid { field: "model".to_owned(), reason: "name" };
        let other = model.named(name).map_err(invalid)?;
        let prompt = wish.prompt.as_deref().unwrap_or(&model.prompt);
        Ok(Self { before: (model, &model.prompt), after: (other, prompt) })
    }

    /// Puts what the models say where the report only says that one would be asked.
    pub(super) async fn run(self, known: Option<&Knowledge>, report: &mut Report) {
        let until = Instant::now() + BEGUN_WITHIN;
        let is_asked = |shown: &Shown| shown.kind == LLM;
        let rows = report.rows.iter_mut();
        let rows = rows.filter(|row| is_asked(&row.before) || is_asked(&row.after));
        for row in rows.take(ASKED_MAX) {
            if Instant::now() >= until {
                break;
            }
            let found = known.map(|known| known.find(&row.question, "", PASSAGES_MAX));
            let passages = found.unwrap_or_default().into_iter().map(|found| Passage {
                title: found.title,
                path: String::new(),
                text: found.passage,
            });
            let passages: Vec<Passage> = passages.collect();
            let (before, after) = (self.before, (&self.after.0, self.after.1));
            tokio::join!(
                answer(before, &row.question, &passages, &mut row.before),
                answer(after, &row.question, &passages, &mut row.after),
            );
            row.changed = row.before != row.after;
        }
        report.rows.sort_by_key(|row| !row.changed);
        let rows = report.rows.iter().filter(|row| row.changed).map(|row| row.session.as_str());
        let sorted = report.sorted.iter().map(|row| row.session.as_str());
        let changed: HashSet<&str> = rows.chain(sorted).collect();
        report.changed = changed.len();
    }
}

/// What a model says to a question, or why it says nothing; a row that asks none stays as it is.
async fn answer(
    (model, house_rules): (&Model, &str),
    question: &str,
    passages: &[Passage],
    shown: &mut Shown,
) {
    if shown.kind != LLM {
        return;
    }
    let task = Task::Answer {
        question: question.to_owned(),
        passages: passages.to_vec(),
        history: Vec::new(),
        language: String::new(),
        house_rules: house_rules.to_owned(),
    };
    shown.text = match model.try_out(task.prompt()).await {
        Ok(answer) => answer.clean(&Targets::of_passages(passages)),
        Err(error) => match error.endpoint_says() {
            Some(said) => format!("{error}: {said}"),
            None => error.to_string(),
        },
    };
}
