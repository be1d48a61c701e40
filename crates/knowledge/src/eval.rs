//! How well questions are answered: the figures of `frontdesk kb eval`.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::knowledge::{Knowledge, Outcome};

/// A question somebody asked and the article that answers it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Question {
    /// What was asked.
    pub question: String,
    /// The language of who asks.
    pub lang: String,
    /// The slug of the article; None where none answers it.
    pub article: Option<String>,
}

/// What is wrong with a file of questions.
#[derive(Debug, thiserror::Error)]
pub enum QuestionsError {
    /// A line that is no question.
    #[error("line {line} is not {{\"question\", \"lang\", \"article\"}}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// No line at all.
    #[error("the file has no questions")]
    Empty,
}

/// Reads lines of {"question", "lang", "article"}.
pub fn read_questions(text: &str) -> Result<Vec<Question>, QuestionsError> {
    let mut questions = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if !line.trim().is_empty() {
            let question = serde_json::from_str(line)
                .map_err(|source| QuestionsError::Line { line: at + 1, source })?;
            questions.push(question);
        }
    }
    if questions.is_empty() { Err(QuestionsError::Empty) } else { Ok(questions) }
}

/// The figures of an index over questions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How many were asked.
    pub questions: usize,
    /// Of those how many an article answers.
    pub answerable: usize,
    /// Share of the answerable ones whose article was found first.
    pub recall_at_1: f64,
    /// Share whose article was among the first three.
    pub recall_at_3: f64,
    /// Share of the answerable ones that were answered with their article.
    pub answered_right: f64,
    /// Share that were answered with another one.
    pub answered_wrong: f64,
    /// Share where the right article was among those that are offered.
    pub offered_right: f64,
    /// Share of the questions without an article that were answered all the same.
    pub unanswerable_answered: f64,
    /// Median time for a question in microseconds.
    pub took_us: u64,
    /// The time that one of a hundred exceeds.
    pub took_p99_us: u64,
    /// Articles asked.
    pub articles: usize,
}

/// Asks every question.
pub fn evaluate(knowledge: &Knowledge, questions: &[Question]) -> Report {
    let mut took: Vec<Duration> = Vec::with_capacity(questions.len());
    let (mut first, mut third) = (0, 0);
    let (mut right, mut wrong, mut offered, mut answered) = (0, 0, 0, 0);
    for question in questions {
        let began = Instant::now();
        let outcome = knowledge.answer(&question.question, &question.lang);
        took.push(began.elapsed());
        let Some(article) = &question.article else {
            answered += usize::from(matches!(outcome, Outcome::Answer(_)));
            continue;
        };
        match &outcome {
            Outcome::Answer(answer) if answer.found.slug == *article => right += 1,
            Outcome::Answer(_) => wrong += 1,
            Outcome::Between(found) => {
                offered += usize::from(found.iter().any(|found| found.slug == *article));
            }
            Outcome::Nothing => {}
        }
        let found = knowledge.find(&question.question, &question.lang, 3);
        let place = found.iter().position(|found| found.slug == *article);
        first += usize::from(place == Some(0));
        third += usize::from(place.is_some());
    }
    took.sort_unstable();
    let at = |share: f64| {
        let place = ((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1));
        took.get(place).map_or(0, |took| took.as_micros() as u64)
    };
    let answerable = questions.iter().filter(|question| question.article.is_some()).count();
    let share = |part: usize, of: usize| if of == 0 { 0.0 } else { part as f64 / of as f64 };
    Report {
        questions: questions.len(),
        answerable,
        recall_at_1: share(first, answerable),
        recall_at_3: share(third, answerable),
        answered_right: share(right, answerable),
        answered_wrong: share(wrong, answerable),
        offered_right: share(offered, answerable),
        unanswerable_answered: share(answered, questions.len() - answerable),
        took_us: at(0.5),
        took_p99_us: at(0.99),
        articles: knowledge.len(),
    }
}
