//! To people: what the visitor is told, what is asked when nobody is there, what the team reads.

use super::{Heard, Turn};
use crate::brief::brief;
use crate::flow::{Field, FieldKind, Filled, fill};
use crate::template::expand;
use crate::{Act, Language, Reason, Text, TextKey, Why, WhyKind};

impl Turn<'_> {
    pub(super) fn hand_over(&mut self, reason: Reason, words: Vec<String>) {
        self.hand_over_to(reason, None, None, words);
    }

    /// By a step of a flow.
    pub(super) fn flow_hands_over(
        &mut self,
        title: String,
        say: &Text,
        team: Option<&String>,
        note: Option<&String>,
    ) {
        let own = expand(say.pick(self.language), |name| self.state.variable(name));
        let note = note.map(|note| expand(note, |name| self.state.variable(name)));
        let why = Why { title, ..self.why(WhyKind::Handover) };
        self.tell(Some(own).filter(|own| !own.is_empty()));
        self.give(Reason::Flow, team.cloned(), note.as_deref(), why);
    }

    fn hand_over_to(
        &mut self,
        reason: Reason,
        team: Option<String>,
        note: Option<&str>,
        words: Vec<String>,
    ) {
        let why = Why { words, ..self.why(WhyKind::Handover) };
        self.tell(None);
        self.give(reason, team, note, why);
    }

    /// Says to the visitor what happens now.
    fn tell(&mut self, own: Option<String>) {
        if self.moment.attended {
            let text = own.unwrap_or_else(|| self.own(TextKey::Handover, &[]));
            return self.say(text);
        }
        if let Some(own) = own {
            self.say(own);
        }
        let text = match self.moment.opens_at {
            Some(opens) => {
                let opens = opens.in_words(self.moment.now_ms, self.language);
                self.own(TextKey::Away, &[("opens", &opens)])
            }
            None => self.own(TextKey::AwayUnknown, &[]),
        };
        self.acts.push(Act::TakeMessage { text });
        let is_saved = |name| self.state.variable(name).is_some_and(|value| !value.is_empty());
        if !(self.moment.contact_known || is_saved("email") || is_saved("phone")) {
            self.ask_for_contact();
        }
    }

    fn give(&mut self, reason: Reason, team: Option<String>, note: Option<&str>, why: Why) {
        let language = self.mind.config.team_language;
        let brief = brief(self.state, &self.mind.flows, self.moment, reason, note, language);
        self.state.at = None;
        self.state.asked_back = None;
        self.state.waiting = None;
        self.state.handed_over = Some(reason);
        let why = Why { reason: Some(reason), ..why };
        self.acts.push(Act::HandOver { reason, team, brief, why });
    }

    /// A message of a session that went to people already. What the visitor fills in is kept; the rest is for them.
    pub(super) fn again_to_people(&mut self, reason: Reason, heard: &Heard<'_>) {
        if !heard.form.is_empty() {
            let given = |id: &str| {
                heard.form.iter().find(|(of, _)| of == id).map(|(_, value)| value.as_str())
            };
            match fill(&contact_fields(self), given) {
                Filled::Right(values) => {
                    for (name, value) in values {
                        self.state.save(&name, &value);
                    }
                    self.say_own(TextKey::ContactNoted);
                }
                Filled::Wrong(id) => {
                    let fields = contact_fields(self);
                    let label = fields.iter().find(|field| field.id == id);
                    let label = label.map(|field| field.label.pick(self.language).to_owned());
                    let label = label.unwrap_or_default();
                    let text = self.own(TextKey::WrongField, &[("field", &label)]);
                    self.say(text);
                    self.ask_for_contact();
                }
            }
        }
        let why = self.why(WhyKind::Handover);
        self.give(reason, None, None, why);
    }

    fn ask_for_contact(&mut self) {
        let title = self.own(TextKey::ContactTitle, &[]);
        let fields = contact_fields(self);
        let fields = fields.iter().map(|field| field.shown(self.language)).collect();
        self.acts.push(Act::Form { title, fields, submit: String::new(), why: None });
    }
}

/// How to reach a visitor; either is enough, so neither is required.
fn contact_fields(turn: &Turn<'_>) -> [Field; 2] {
    let field = |id: &str, kind, key| {
        let config = &turn.mind.config;
        let label = Language::ALL.into_iter().fold(Text::default(), |label, language| {
            label.with(language, config.text(key, language, &[]))
        });
        Field { id: id.to_owned(), kind, label, required: false, options: Vec::new() }
    };
    [
        field("email", FieldKind::Email, TextKey::ContactEmail),
        field("phone", FieldKind::Phone, TextKey::ContactPhone),
    ]
}
