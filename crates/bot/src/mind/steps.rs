//! Flows while they run.

use frontdesk_knowledge::Outcome;

use super::answers::NONE_ID;
use super::{Heard, Turn};
use crate::flow::{AskChoice, Field, Filled, Flow, FormStep, STEPS_MAX, Step, fill, from_text};
use crate::state::{AskedBack, At};
use crate::template::{expand, shortened};
use crate::wording::{Courtesy, courtesy, fold, has_words};
use crate::{Act, Choice, FormField, Language, Reason, TextKey, Why, WhyKind};

/// Longest text of a visitor that is looked at as a label.
const LABEL_BYTES_MAX: usize = 400;

impl<'a> Turn<'a> {
    /// A button, a title or a form that something waits for.
    pub(super) fn picked(&mut self, heard: &Heard<'_>) -> bool {
        if let Some(asked) = self.state.asked_back.take()
            && let Some(pick) = self.title(&asked, heard)
        {
            self.title_picked(&asked, pick);
            return true;
        }
        let Some((flow, step, at)) = self.waiting_step() else { return false };
        match step {
            Step::Ask { choices, save, .. } => {
                let Some(choice) = self.label(choices, heard) else { return false };
                if let Some(save) = save {
                    self.state.save(save, choice.label.pick(self.language));
                }
                self.go_on(flow, &choice.goto);
                true
            }
            Step::Form(form) if !heard.form.is_empty() => {
                let given = |id: &str| {
                    heard.form.iter().find(|(of, _)| of == id).map(|(_, value)| value.as_str())
                };
                match fill(&form.fields, given) {
                    Filled::Right(values) => self.filled(flow, form, values),
                    Filled::Wrong(id) => {
                        let label = form.fields.iter().find(|field| field.id == id);
                        let label = label.map(|field| field.label.pick(self.language));
                        let values = [("field", label.unwrap_or_default())];
                        let text = self.own(TextKey::WrongField, &values);
                        self.once_more(flow, step, at, Some(text));
                    }
                }
                true
            }
            _ => false,
        }
    }

    /// Which of the titles, from 0; the one after the last is "none of these".
    fn title(&self, asked: &AskedBack, heard: &Heard<'_>) -> Option<usize> {
        let count = asked.articles.len();
        let by_id = |id: &str| match id {
            NONE_ID => Some(count),
            id => id.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < count),
        };
        heard.choice.and_then(by_id).or_else(|| {
            let none = self.own(TextKey::NoneOfThese, &[]);
            let titles = asked.articles.iter().map(|(_, title)| title.as_str());
            let mut labels = titles.chain([none.as_str()]);
            labels
                .position(|label| same(label, &self.text))
                .or_else(|| number(&self.text, count + 1))
        })
    }

    fn title_picked(&mut self, asked: &AskedBack, pick: usize) {
        let place = self.waiting_step();
        let in_flow = place.and_then(|(flow, step, _)| match step {
            Step::Answer { found, nothing, .. } => Some((flow, found, nothing)),
            _ => None,
        });
        match (self.chosen(asked, pick), in_flow) {
            (Some(found), None) => self.answer(&asked.question, found),
            (Some(found), Some((flow, goto, _))) => {
                self.answer(&asked.question, found);
                self.go_on(flow, goto);
            }
            (None, Some((flow, _, goto))) => self.go_on(flow, goto),
            (None, None) => {
                // The question is still the one that was asked, and not the words of the button.
                self.text.clone_from(&asked.question);
                self.not_found();
            }
        }
    }

    /// Which of the choices: by id, by label in any language, by number.
    fn label(&self, choices: &'a [AskChoice], heard: &Heard<'_>) -> Option<&'a AskChoice> {
        if let Some(id) = heard.choice
            && let Some(choice) = choices.iter().find(|choice| choice.id == id)
        {
            return Some(choice);
        }
        let by_label = choices
            .iter()
            .find(|choice| choice.label.iter().any(|(_, label)| same(label, &self.text)));
        by_label.or_else(|| choices.get(number(&self.text, choices.len())?))
    }

    /// What was said to a step that waits for something else.
    pub(super) fn in_flow(&mut self) -> bool {
        let Some((flow, step, at)) = self.waiting_step() else { return false };
        if let Step::Answer { found, nothing, .. } = step {
            // It was asked which article is meant, and this is a new question.
            match self.outcome() {
                Outcome::Answer(answer) => {
                    let question = self.text.clone();
                    self.answer(&question, answer.found);
                    self.go_on(flow, found);
                }
                Outcome::Between(_) | Outcome::Nothing => self.go_on(flow, nothing),
            }
            return true;
        }
        if let Step::Form(form) = step
            && let Some(values) = from_text(&form.fields, &self.text)
        {
            self.filled(flow, form, values);
            return true;
        }
        if let Some(other) = self.called_by_word().filter(|other| other.name != flow.name) {
            self.begin(other);
            return true;
        }
        match courtesy(&self.text) {
            Some(Courtesy::Bye) => {
                self.state.at = None;
                self.say_own(TextKey::Bye);
                return true;
            }
            Some(_) => {}
            None => {
                if let Outcome::Answer(answer) = self.outcome() {
                    let question = self.text.clone();
                    self.answer(&question, answer.found);
                    self.show(flow, &at.step, step);
                    return true;
                }
            }
        }
        self.once_more(flow, step, at, None);
        true
    }

    /// Asks again, and the second time gives up.
    fn once_more(&mut self, flow: &'a Flow, step: &'a Step, at: At, text: Option<String>) {
        if at.again {
            return self.hand_over(Reason::Unsure, Vec::new());
        }
        let key = match step {
            Step::Form(_) => TextKey::FillAgain,
            _ => TextKey::ChooseAgain,
        };
        let text = text.unwrap_or_else(|| self.own(key, &[]));
        self.say(text);
        self.show(flow, &at.step, step);
        self.state.at = Some(At { again: true, ..at });
    }

    fn filled(&mut self, flow: &'a Flow, form: &'a FormStep, values: Vec<(String, String)>) {
        for (name, value) in values {
            self.state.save(&name, &value);
        }
        self.go_on(flow, &form.goto);
    }

    fn go_on(&mut self, flow: &'a Flow, step: &'a str) {
        self.state.misses = 0;
        self.run(flow, step);
    }

    /// Runs a flow from a step on, until it waits or ends.
    pub(super) fn run(&mut self, flow: &'a Flow, from: &str) {
        self.state.at = None;
        let mut id = from;
        // A flow that was checked cannot go round without waiting; what is wrong all the same ends here.
        for _ in 0..=STEPS_MAX {
            let Some((name, step)) = flow.steps.get_key_value(id) else { break };
            let title = || format!("{} / {name}", flow.name);
            match step {
                Step::Say { text, goto } => {
                    let text = self.expanded(text.pick(self.language));
                    let why = Some(Why { title: title(), ..self.why(WhyKind::Flow) });
                    self.acts.push(Act::Say { text, why });
                    id = goto;
                }
                Step::Ask { .. } | Step::Form(_) => {
                    self.show(flow, name, step);
                    let at = At { flow: flow.name.clone(), step: name.clone(), again: false };
                    self.state.at = Some(at);
                    return;
                }
                Step::Answer { question, found, nothing } => {
                    if !question.is_empty() {
                        self.text = self.expanded(question.pick(self.language));
                    } else if !has_words(&self.text) {
                        self.text.clone_from(&self.state.last);
                    }
                    match self.outcome() {
                        Outcome::Answer(answer) => {
                            let question = self.text.clone();
                            self.answer(&question, answer.found);
                            id = found;
                        }
                        Outcome::Between(articles) if !articles.is_empty() => {
                            self.ask_back(articles);
                            let at =
                                At { flow: flow.name.clone(), step: name.clone(), again: false };
                            self.state.at = Some(at);
                            return;
                        }
                        Outcome::Between(_) | Outcome::Nothing => id = nothing,
                    }
                }
                Step::Set { values, goto } => {
                    for (variable, value) in values {
                        let value = self.expanded(value);
                        self.state.save(variable, &value);
                    }
                    id = goto;
                }
                Step::If { variable, test, then, otherwise } => {
                    let value = self.state.variable(variable).unwrap_or_default();
                    id = if test.holds(value) { then } else { otherwise };
                }
                Step::Handover { say, team, note } => {
                    return self.flow_hands_over(title(), say, team.as_ref(), note.as_ref());
                }
                Step::Close { say } => {
                    if !say.is_empty() {
                        let text = self.expanded(say.pick(self.language));
                        let why = Some(Why { title: title(), ..self.why(WhyKind::Flow) });
                        self.acts.push(Act::Say { text, why });
                    }
                    self.acts.push(Act::Close);
                    return;
                }
                Step::End => {
                    if self.acts.is_empty() {
                        self.say_own(TextKey::AnythingElse);
                    }
                    return;
                }
            }
        }
        self.hand_over(Reason::BotFailed, Vec::new());
    }

    /// Shows the question or the form of a step.
    fn show(&mut self, flow: &Flow, name: &str, step: &Step) {
        let title = format!("{} / {name}", flow.name);
        let why = Some(Why { title, ..self.why(WhyKind::Flow) });
        match step {
            Step::Ask { text, choices, .. } => {
                let body = self.expanded(text.pick(self.language));
                let choices = choices
                    .iter()
                    .map(|choice| Choice {
                        id: choice.id.clone(),
                        label: choice.label.pick(self.language).to_owned(),
                    })
                    .collect();
                self.acts.push(Act::Choices { body, choices, why });
            }
            Step::Form(FormStep { title, fields, submit, .. }) => {
                let title = self.expanded(title.pick(self.language));
                let fields = fields.iter().map(|field| field.shown(self.language)).collect();
                let submit = submit.pick(self.language).to_owned();
                self.acts.push(Act::Form { title, fields, submit, why });
            }
            _ => {}
        }
    }

    fn expanded(&self, template: &str) -> String {
        expand(template, |name| self.state.variable(name))
    }
}

impl Field {
    /// As a visitor of this language sees it.
    pub(super) fn shown(&self, language: Language) -> FormField {
        let options = self
            .options
            .iter()
            .map(|(id, label)| Choice { id: id.clone(), label: label.pick(language).to_owned() });
        FormField {
            id: self.id.clone(),
            label: self.label.pick(language).to_owned(),
            kind: self.kind,
            required: self.required,
            options: options.collect(),
        }
    }
}

/// Whether a visitor's text is a label, but for case, script and marks.
fn same(label: &str, text: &str) -> bool {
    if text.is_empty() || text.len() > LABEL_BYTES_MAX {
        return false;
    }
    let letters =
        |text: &str| -> String { fold(text).chars().filter(|c| c.is_alphanumeric()).collect() };
    let (label_letters, text_letters) = (letters(label), letters(text));
    if label_letters.is_empty() || text_letters.is_empty() {
        return label.trim() == text.trim();
    }
    // What was cut off a long label was not on the screen.
    label_letters == text_letters || shortened(text, 80) == label
}

/// The place from 0 that a text names by a number from 1.
fn number(text: &str, count: usize) -> Option<usize> {
    let digits = text.trim().trim_start_matches('#').trim_end_matches(['.', ')', '）', '。', '、']);
    if digits.is_empty() || digits.len() > 2 {
        return None;
    }
    let number: usize = digits.parse().ok()?;
    number.checked_sub(1).filter(|at| *at < count)
}
