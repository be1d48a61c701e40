//! Answers: from the knowledge base, from an LLM, or "put it differently".

use frontdesk_knowledge::{Found, Outcome};

use super::{ANSWER_BYTES_MAX, LlmAnswer, LlmFailed, Turn};
use crate::state::{AskedBack, Waiting};
use crate::template::shortened;
use crate::wording::{courtesy, has_words};
use crate::{Act, Choice, Reason, TextKey, Why, WhyKind};

/// Passages an LLM is given.
const PASSAGES_MAX: usize = 4;
/// Articles a visitor is asked to choose from.
const ASKED_BACK_MAX: usize = 4;
/// The score from which an article that is not sure is suggested to an agent.
const SUGGESTED_FROM: f32 = 0.5;
/// Longest label of a button.
const LABEL_CHARACTERS_MAX: usize = 80;
/// How far an article is looked for that was chosen by its title.
const CHOSEN_LOOKED_AT: usize = 20;
/// The id of "none of these"; articles have numbers.
pub(super) const NONE_ID: &str = "none";

impl Turn<'_> {
    /// Answers from the knowledge base, or asks which article is meant.
    pub(super) fn answers(&mut self) -> bool {
        match self.outcome() {
            Outcome::Answer(answer) => {
                let question = self.text.clone();
                self.answer(&question, answer.found);
                true
            }
            Outcome::Between(found) if !found.is_empty() => {
                self.ask_back(found);
                true
            }
            Outcome::Between(_) | Outcome::Nothing => false,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match &self.mind.knowledge {
            Some(knowledge) if has_words(&self.text) => {
                knowledge.answer(&self.text, self.moment.language)
            }
            _ => Outcome::Nothing,
        }
    }

    pub(super) fn answer(&mut self, question: &str, found: Found) {
        self.state.misses = 0;
        // Where it is from the visitor reads from `found`. The article's words are put in as they are: braces in them
        // are braces.
        let passage = found.passage.trim();
        let text = if passage.is_empty() { &found.title } else { passage };
        let text = cut(text, ANSWER_BYTES_MAX);
        let why = Why::found(WhyKind::Answer, &shortened(question, 500), &found);
        self.acts.push(Act::Answer { text, found: vec![found], why });
    }

    pub(super) fn ask_back(&mut self, mut found: Vec<Found>) {
        found.truncate(ASKED_BACK_MAX);
        let Some(best) = found.first() else { return };
        let why = Why::found(WhyKind::AskBack, &shortened(&self.text, 500), best);
        let mut choices: Vec<Choice> = found
            .iter()
            .enumerate()
            .map(|(at, found)| Choice {
                id: (at + 1).to_string(),
                label: shortened(&found.title, LABEL_CHARACTERS_MAX),
            })
            .collect();
        choices.push(Choice { id: NONE_ID.to_owned(), label: self.own(TextKey::NoneOfThese, &[]) });
        self.state.asked_back = Some(AskedBack {
            question: shortened(&self.text, 500),
            articles: found
                .iter()
                .map(|found| (found.article.clone(), shortened(&found.title, LABEL_CHARACTERS_MAX)))
                .collect(),
        });
        let body = self.own(TextKey::AskBack, &[]);
        self.acts.push(Act::AskBack { body, choices, why });
    }

    /// The article that was chosen, as it is now: one that has been taken away is not answered with.
    pub(super) fn chosen(&self, asked: &AskedBack, at: usize) -> Option<Found> {
        let (article, title) = asked.articles.get(at)?;
        let knowledge = self.mind.knowledge.as_ref()?;
        let look = |question: &str| {
            let found = knowledge.find(question, self.moment.language, CHOSEN_LOOKED_AT);
            found.into_iter().find(|found| found.article == *article)
        };
        look(&asked.question).or_else(|| look(title))
    }

    /// Proposes to the agent what the knowledge base has.
    pub(super) fn suggest(&mut self) {
        if courtesy(&self.text).is_some() {
            return;
        }
        let found = match self.outcome() {
            Outcome::Answer(answer) => Some(answer.found),
            Outcome::Between(found) => {
                found.into_iter().next().filter(|found| found.score >= SUGGESTED_FROM)
            }
            Outcome::Nothing => None,
        };
        if let Some(found) = found {
            let why = Why::found(WhyKind::Suggestion, &shortened(&self.text, 500), &found);
            let text = cut(found.passage.trim(), ANSWER_BYTES_MAX);
            self.acts.push(Act::Suggest { text, found, why });
        }
    }

    /// The knowledge base has nothing: the LLM is asked if there is one.
    pub(super) fn not_found(&mut self) {
        if !self.mind.config.llm {
            return self.missed(Reason::Unsure);
        }
        let question = shortened(&self.text, super::QUESTION_CHARACTERS_MAX);
        let passages = self
            .mind
            .knowledge
            .as_ref()
            .map(|knowledge| knowledge.find(&question, self.moment.language, PASSAGES_MAX));
        let turn = self.state.turns;
        self.state.waiting = Some(Waiting { turn, question: question.clone() });
        self.acts.push(Act::AskLlm {
            turn,
            question,
            language: self.moment.language.to_owned(),
            passages: passages.unwrap_or_default(),
            history: self.state.history.iter().cloned().collect(),
        });
    }

    pub(super) fn llm_answered(&mut self, result: Result<LlmAnswer, LlmFailed>) {
        let Ok(LlmAnswer { text, found }) = result else {
            // The visitor has waited already; it is not their words that are at fault.
            return self.hand_over(Reason::BotFailed, Vec::new());
        };
        let text = cut(text.trim(), ANSWER_BYTES_MAX);
        if !has_words(&text) {
            return self.missed(Reason::Unsure);
        }
        self.state.misses = 0;
        let why = match found.first() {
            Some(found) => Why::found(WhyKind::Llm, &shortened(&self.text, 500), found),
            None => self.why(WhyKind::Llm),
        };
        self.acts.push(Act::Answer { text, found, why });
    }

    /// Counts a message that was not understood: asks to put it differently, or hands over.
    pub(super) fn missed(&mut self, reason: Reason) {
        self.state.misses = self.state.misses.saturating_add(1);
        if self.state.misses >= self.mind.config.handover.misses_max.clamp(1, 10) {
            self.hand_over(reason, Vec::new());
        } else {
            self.say_own(TextKey::Rephrase);
        }
    }
}

/// At most so many bytes; where something is missing, three dots say so.
fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max - '…'.len_utf8());
    format!("{}…", text[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn what_is_cut_says_so_and_fits() {
        assert_eq!(cut("茶壶", 6), "茶壶");
        assert_eq!(cut("茶壶 and a lid", 8), "茶…");
        assert_eq!(cut("a lid and a pot", 8), "a lid…");
    }
}
