//! The rules by which a bot decides, in their order. What a visitor, an article or an LLM says is text to be found, matched
//! or shown; nothing of it is a command.
//!
//! 1. A button or a form of the step that waits, or a title that was asked back.
//! 2. A wish for a person, a complaint, anger: to people, at once.
//! 3. Anything else said to a step that waits: the knowledge base, then the question once more, then to people.
//! 4. A flow that begins at a word, an intent or a greeting.
//! 5. Manners.
//! 6. The knowledge base: an answer, or which of several articles is meant.
//! 7. The default flow, once.
//! 8. The LLM, if there is one; else "put it differently", and at last to people.

mod answers;
mod handover;
mod steps;

use std::sync::Arc;

use frontdesk_knowledge::{Found, Knowledge};

use crate::flow::{Flow, Step};
use crate::state::{At, TEXT_CHARACTERS_MAX, Waiting};
use crate::template::shortened;
use crate::wording::{self, Courtesy, courtesy, fold, has_word, has_words};
use crate::{Act, BotConfig, Language, Mode, Moment, Reason, State, TextKey, Why, WhyKind};

/// Of a longer message the beginning is asked after.
const QUESTION_CHARACTERS_MAX: usize = 1_000;
/// Longest answer; longer ones are cut.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// How a bot decides in one inbox. Cheap to clone; holds no session.
#[derive(Clone)]
pub struct Mind {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Mind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.inner.flows.iter().map(|flow| flow.name.as_str()).collect();
        f.debug_struct("Mind").field("config", &self.inner.config).field("flows", &names).finish()
    }
}

struct Inner {
    config: BotConfig,
    knowledge: Option<Knowledge>,
    /// By name.
    flows: Vec<Flow>,
    /// Folded words flows begin at, the longest first, and the place of the flow.
    words: Vec<(String, usize)>,
}

/// What a visitor did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard<'a> {
    /// What was written; of a button its label.
    pub text: &'a str,
    /// The id of the button that was picked.
    pub choice: Option<&'a str>,
    /// What was filled into a form: ids of fields and values.
    pub form: &'a [(String, String)],
    /// The circumstances.
    pub moment: Moment<'a>,
}

/// What an LLM said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmAnswer {
    /// The answer, plain text; empty where it has none.
    pub text: String,
    /// The passages it was given.
    pub found: Vec<Found>,
}

/// An LLM that did not answer: too slow, over its budget, broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LlmFailed;

impl Mind {
    /// Puts together what a bot decides by. Of flows with the same name the last one counts.
    pub fn new(config: BotConfig, knowledge: Option<Knowledge>, flows: Vec<Flow>) -> Self {
        let mut by_name: Vec<Flow> = Vec::with_capacity(flows.len());
        for flow in flows {
            match by_name.binary_search_by(|other| other.name.cmp(&flow.name)) {
                Ok(at) => by_name[at] = flow,
                Err(at) => by_name.insert(at, flow),
            }
        }
        let mut words: Vec<(String, usize)> = by_name
            .iter()
            .enumerate()
            .flat_map(|(at, flow)| flow.start.words.iter().map(move |word| (fold(word), at)))
            .collect();
        words.sort_by_key(|(word, at)| (std::cmp::Reverse(word.chars().count()), *at));
        Self { inner: Arc::new(Inner { config, knowledge, flows: by_name, words }) }
    }

    /// How it is configured.
    pub fn config(&self) -> &BotConfig {
        &self.inner.config
    }

    /// Decides what to do with what a visitor did. There is always something: an answer, a question to an LLM, or people;
    /// [`Act::Nothing`] alone only while an LLM is thinking, and in [`Mode::Suggest`].
    ///
    /// A session that went to people already goes there again, so that one the caller lost is not lost for ever.
    pub fn hear(&self, state: &mut State, heard: &Heard<'_>) -> Vec<Act> {
        let text = shortened(heard.text.trim(), QUESTION_CHARACTERS_MAX);
        state.hear(&text);
        let mut turn = Turn::new(&self.inner, state, &heard.moment, text);
        turn.decide(heard);
        turn.end()
    }

    /// Goes on when the LLM has answered what [`Act::AskLlm`] asked, or has failed to. An answer nobody waits for any
    /// more gives [`Act::Nothing`].
    pub fn llm_answer(
        &self,
        state: &mut State,
        turn: u32,
        result: Result<LlmAnswer, LlmFailed>,
        moment: &Moment<'_>,
    ) -> Vec<Act> {
        let Some(waiting) = state.waiting.take_if(|waiting| waiting.turn == turn) else {
            return vec![Act::Nothing];
        };
        let mut turn = Turn::new(&self.inner, state, moment, waiting.question);
        turn.llm_answered(result);
        turn.end()
    }

    /// What to do when the bot itself cannot: its own server is down, or nobody is connected as it.
    pub fn give_up(&self, state: &mut State, reason: Reason, moment: &Moment<'_>) -> Vec<Act> {
        let last = state.last.clone();
        let mut turn = Turn::new(&self.inner, state, moment, last);
        turn.hand_over(reason, Vec::new());
        turn.end()
    }

    pub(crate) fn forget_llm(state: &mut State) {
        state.waiting = None;
    }
}

/// One message, while it is decided about.
struct Turn<'a> {
    mind: &'a Inner,
    state: &'a mut State,
    moment: &'a Moment<'a>,
    language: Language,
    /// What was written, or asked of the LLM.
    text: String,
    acts: Vec<Act>,
}

impl<'a> Turn<'a> {
    fn new(mind: &'a Inner, state: &'a mut State, moment: &'a Moment<'a>, text: String) -> Self {
        let language = Language::of(moment.language);
        Self { mind, state, moment, language, text, acts: Vec::new() }
    }

    fn end(self) -> Vec<Act> {
        self.state.said(&self.acts);
        if self.acts.is_empty() { vec![Act::Nothing] } else { self.acts }
    }

    fn decide(&mut self, heard: &Heard<'_>) {
        if self.mind.config.mode == Mode::Suggest {
            return self.suggest();
        }
        if let Some(reason) = self.state.handed_over {
            return self.again_to_people(reason, heard);
        }
        if self.picked(heard) || self.calls_for_people() || self.in_flow() {
            return;
        }
        let manners = courtesy(&self.text);
        if self.state.waiting.is_some() && manners.is_some_and(|is| is != Courtesy::Unhelped) {
            // Politeness while an LLM is thinking.
            return;
        }
        let unanswered = self.state.waiting.take();
        if self.starts(manners) {
            return;
        }
        match manners {
            Some(Courtesy::Greeting) => {
                let name = self.mind.config.own_name(self.language);
                let text = self.own(TextKey::Greeting, &[("name", name)]);
                self.say(text);
            }
            Some(Courtesy::Thanks) => self.say_own(TextKey::Thanks),
            Some(Courtesy::Bye) => self.say_own(TextKey::Bye),
            Some(Courtesy::Unhelped) => self.missed(Reason::Unsure),
            None if !has_words(&self.text) => self.missed(Reason::Unsure),
            None => {
                if self.answers() || self.default_flow() {
                    return;
                }
                if let Some(Waiting { question, .. }) = unanswered {
                    // People write in pieces: what the LLM was asked and this are one question.
                    self.text = format!("{question}\n{}", self.text);
                }
                self.not_found();
            }
        }
    }

    /// Wishes, complaints and anger, which no flow stands in the way of.
    fn calls_for_people(&mut self) -> bool {
        let rules = self.mind.config.handover;
        let wish = match self.moment.intent {
            Some("human") => Some("human".to_owned()),
            _ => wording::wish_for_a_person(&self.text),
        };
        if let Some(words) = wish {
            self.hand_over(Reason::Asked, vec![words]);
            return true;
        }
        if rules.on_complaint {
            let is_sorted = self.moment.intent == Some("complaint");
            let words = wording::complaint(&self.text);
            if is_sorted || words.is_some() {
                self.hand_over(Reason::Complaint, words.into_iter().collect());
                return true;
            }
        }
        if rules.on_anger
            && let Some(words) = wording::anger(&self.text)
        {
            self.hand_over(Reason::Angry, vec![words]);
            return true;
        }
        false
    }

    /// Begins a flow that this message calls for.
    fn starts(&mut self, manners: Option<Courtesy>) -> bool {
        let mind = self.mind;
        if let Some(flow) = self.called_by_word() {
            self.begin(flow);
            return true;
        }
        if let Some(intent) = self.moment.intent {
            let by_intent = mind.flows.iter().find(|flow| {
                flow.start.intents.iter().any(|of| of == intent)
                    && !self.state.has_started(&flow.name)
            });
            if let Some(flow) = by_intent {
                self.begin(flow);
                return true;
            }
        }
        if manners == Some(Courtesy::Greeting) {
            let own = mind.flows.iter().find(|flow| flow.name == mind.config.flow);
            let greets = || mind.flows.iter().find(|flow| flow.start.greeting);
            if let Some(flow) = own.or_else(greets) {
                self.begin(flow);
                return true;
            }
        }
        false
    }

    /// The flow whose word is in the text; of several words the longest decides.
    fn called_by_word(&self) -> Option<&'a Flow> {
        let mind = self.mind;
        let folded = fold(&self.text);
        let (_, at) = mind.words.iter().find(|(word, _)| has_word(&folded, word))?;
        mind.flows.get(*at)
    }

    /// Begins the flow for whatever has no answer, once.
    fn default_flow(&mut self) -> bool {
        let mind = self.mind;
        let is_default = |flow: &&Flow| flow.name == mind.config.flow || flow.start.default;
        // The inbox's own comes first.
        let own = mind.flows.iter().find(|flow| flow.name == mind.config.flow);
        let flow = own.or_else(|| mind.flows.iter().find(is_default));
        match flow.filter(|flow| !self.state.has_started(&flow.name)) {
            Some(flow) => {
                self.begin(flow);
                true
            }
            None => false,
        }
    }

    fn begin(&mut self, flow: &'a Flow) {
        self.state.start(&flow.name);
        self.run(flow, &flow.first);
    }

    /// The flow and the step that wait; a flow that has changed since is left.
    fn waiting_step(&mut self) -> Option<(&'a Flow, &'a Step, At)> {
        let at = self.state.at.clone()?;
        let mind = self.mind;
        let flow = mind.flows.iter().find(|flow| flow.name == at.flow);
        let step = flow.and_then(|flow| flow.steps.get(&at.step));
        match (flow, step) {
            (Some(flow), Some(step)) if step.waits() || matches!(step, Step::Answer { .. }) => {
                Some((flow, step, at))
            }
            _ => {
                self.state.at = None;
                None
            }
        }
    }

    fn own(&self, key: TextKey, values: &[(&str, &str)]) -> String {
        self.mind.config.text(key, self.language, values)
    }

    fn say(&mut self, text: String) {
        self.acts.push(Act::Say { text, why: None });
    }

    fn say_own(&mut self, key: TextKey) {
        let text = self.own(key, &[]);
        self.say(text);
    }

    fn why(&self, kind: WhyKind) -> Why {
        Why::new(kind, &shortened(&self.text, TEXT_CHARACTERS_MAX))
    }
}

#[cfg(test)]
mod tests;
