//! What the words of a flow's file mean, and everything that can be wrong with it. All problems are told at once, each
//! with its line and step.

mod graph;
mod pattern;
mod tests_entries;

use std::collections::{BTreeMap, BTreeSet};

use regex::RegexBuilder;
use serde_saphyr::Spanned;

use super::read::{
    AnswerEntry, AskEntry, EndEntry, FieldEntry, File, FormEntry, HandoverEntry, IfEntry,
    OptionEntry, Ordered, StartEntry, StepEntry, TextEntry, line,
};
use super::{
    AskChoice, CHOICES_MAX, Field, FieldKind, Flow, FormStep, Problem, STEPS_MAX, Severity, Start,
    Step, TEXT_BYTES_MAX, Test,
};
use crate::{Language, Text, template};

/// Problems that are told; whoever has that many has enough.
const PROBLEMS_MAX: usize = 100;
/// Longest id of a step, a choice or an option; as long as one of a choice on the wire may be.
const ID_BYTES_MAX: usize = 64;
/// Longest name of a flow, a team or a test.
const NAME_CHARACTERS_MAX: usize = 100;
/// Longest label of a button or a field, as on the wire.
const LABEL_CHARACTERS_MAX: usize = 80;
/// Longest note at a handover.
const NOTE_BYTES_MAX: usize = 1_000;
/// Words and intents a flow begins at.
const STARTS_MAX: usize = 100;
/// Values one step sets.
const SET_MAX: usize = 20;
/// Patterns of one flow: they stay in memory, those of all flows of all accounts.
const PATTERNS_MAX: usize = 20;
/// What one compiled pattern may take.
const PATTERN_SIZE_MAX: usize = 64 << 10;

/// Checks a file. There is a flow unless one of the problems is an error.
pub(super) fn check(file: File) -> (Option<Flow>, Vec<Problem>) {
    let mut checker = Checker::default();
    let flow = checker.flow(file);
    let mut problems = checker.problems;
    let refused = problems.iter().any(|problem| problem.severity == Severity::Error);
    problems.sort_by_key(|problem| problem.line);
    problems.truncate(PROBLEMS_MAX);
    (flow.filter(|_| !refused), problems)
}

#[derive(Default)]
struct Checker {
    problems: Vec<Problem>,
    /// The step that is looked at, and its line.
    step: String,
    line: u64,
    /// Variables that are saved somewhere, and where others are used.
    saved: BTreeSet<String>,
    used: Vec<(String, String, u64)>,
    /// Patterns so far.
    patterns: usize,
}

impl Checker {
    fn problem(
        &mut self,
        severity: Severity,
        code: &str,
        line: u64,
        reason: impl Into<String>,
    ) -> &mut Problem {
        let (code, step, reason) = (code.to_owned(), self.step.clone(), reason.into());
        let params = BTreeMap::new();
        self.problems.push(Problem { code, severity, line, step, params, reason });
        self.problems.last_mut().expect("it was put there")
    }

    fn error(&mut self, code: &str, line: u64, reason: impl Into<String>) -> &mut Problem {
        self.problem(Severity::Error, code, line, reason)
    }

    fn flow(&mut self, file: File) -> Option<Flow> {
        let File { name, version, start, steps, tests } = file;
        self.name(&name.value, "a flow", line(name.referenced));
        let start = self.start(start);
        if steps.0.is_empty() {
            self.error("no_steps", line(name.referenced), "a flow has at least one step");
            return None;
        }
        if steps.0.len() > STEPS_MAX {
            let place = line(steps.0[STEPS_MAX].0.referenced);
            let reason = format!("a flow has at most {STEPS_MAX} steps");
            self.error("too_many_steps", place, reason).with("limit", &STEPS_MAX);
            return None;
        }
        let first = steps.0[0].0.value.clone();
        let mut lines = BTreeMap::new();
        let mut checked = BTreeMap::new();
        let mut targets = Vec::new();
        for (id, entry) in steps.0 {
            self.step.clone_from(&id.value);
            self.line = line(id.referenced);
            self.id(&id.value, "a step", self.line);
            if lines.insert(id.value.clone(), self.line).is_some() {
                self.error("duplicate_step", self.line, "there is a step of this name already");
            }
            if let Some(step) = self.step(entry, &mut targets) {
                checked.insert(id.value, step);
            }
        }
        for Target { step, line, to } in targets {
            if !lines.contains_key(&to) {
                self.step = step;
                let near = nearest(&to, lines.keys());
                let hint = near.map(|near| format!(": is it `{near}`?")).unwrap_or_default();
                let near = near.cloned().unwrap_or_default();
                let reason = format!("there is no step `{to}`{hint}");
                self.error("unknown_step", line, reason).with("to", &to).with("near", &near);
            }
        }
        self.graph(&first, &checked, &lines);
        for (name, step, line) in std::mem::take(&mut self.used) {
            if !self.saved.contains(&name) {
                self.step = step;
                let reason = format!("no step of this flow saves `{name}`, so it may be empty");
                self.problem(Severity::Warning, "unknown_variable", line, reason)
                    .with("name", &name);
            }
        }
        self.step.clear();
        let tests = self.tests(tests);
        Some(Flow { name: name.value, version, start, first, steps: checked, tests })
    }

    fn start(&mut self, entry: StartEntry) -> Start {
        let StartEntry { when, default } = entry;
        let mut checked = |entries: Vec<Spanned<String>>, what: &str| {
            if let Some(one) = entries.get(STARTS_MAX) {
                let reason = format!("a flow begins at no more than {STARTS_MAX} {what}");
                self.error("too_many_starts", line(one.referenced), reason)
                    .with("limit", &STARTS_MAX);
            }
            for one in &entries {
                if one.value.trim().is_empty() || one.value.len() > NAME_CHARACTERS_MAX {
                    let reason = format!("here stand {what} of 1 to {NAME_CHARACTERS_MAX} bytes");
                    self.error("bad_start", line(one.referenced), reason)
                        .with("limit", &NAME_CHARACTERS_MAX);
                }
            }
            entries.into_iter().map(|one| one.value).collect()
        };
        let intents = checked(when.intent, "intents");
        let words = checked(when.words, "words");
        Start { greeting: when.greeting, intents, words, default }
    }

    fn step(&mut self, entry: StepEntry, targets: &mut Vec<Target>) -> Option<Step> {
        let StepEntry { say, ask, form, answer, set, condition, handover, close, end, goto } =
            entry;
        let kinds = [
            say.is_some(),
            ask.is_some(),
            form.is_some(),
            answer.is_some(),
            set.is_some(),
            condition.is_some(),
            handover.is_some(),
            close.is_some(),
            end.is_some(),
        ];
        let here = self.line;
        match kinds.into_iter().filter(|is| *is).count() {
            1 => {}
            0 => {
                let reason =
                    "a step has one of say, ask, form, answer, set, if, handover, close, end";
                self.error("empty_step", here, reason);
                return None;
            }
            _ => {
                let reason = "a step does one thing: make two steps of it";
                self.error("several_kinds", here, reason);
                return None;
            }
        }
        let goes_on = say.is_some() || form.is_some() || set.is_some() || condition.is_some();
        match (&goto, goes_on) {
            (None, true) => {
                let reason = "it does not say where to go on: give it a `goto`";
                self.error("missing_goto", here, reason);
            }
            (Some(goto), false) => {
                let reason =
                    "a `goto` does nothing here: this step says itself where to go, or ends";
                self.error("needless_goto", line(goto.referenced), reason);
            }
            _ => {}
        }
        let step_id = self.step.clone();
        let mut to = |target: Spanned<String>| {
            let step = step_id.clone();
            let to = target.value.clone();
            targets.push(Target { step, line: line(target.referenced), to });
            target.value
        };
        let goto = goto.map(&mut to).unwrap_or_default();
        Some(if let Some(text) = say {
            Step::Say { text: self.text(text, "what is said"), goto }
        } else if let Some(AskEntry { text, choices, save }) = ask {
            let text = self.text(text, "the question");
            if let Some(save) = &save {
                self.variable(save);
            }
            self.count(choices.len(), "choices", here);
            let mut ids = BTreeSet::new();
            let mut checked = Vec::new();
            for choice in choices {
                let place = line(choice.referenced);
                self.button(&choice.value.id, &mut ids, place);
                let label = self.label(choice.value.label, place);
                let goto = to(choice.value.goto);
                checked.push(AskChoice { id: choice.value.id, label, goto });
            }
            Step::Ask { text, choices: checked, save: save.map(|save| save.value) }
        } else if let Some(form) = form {
            Step::Form(self.form(form, goto))
        } else if let Some(AnswerEntry { question, found, nothing }) = answer {
            let question = self.optional_text(question);
            Step::Answer { question, found: to(found), nothing: to(nothing) }
        } else if let Some(Ordered(values)) = set {
            if values.is_empty() || values.len() > SET_MAX {
                let reason = format!("a step sets 1 to {SET_MAX} variables");
                self.error("bad_set", here, reason).with("limit", &SET_MAX);
            }
            for (name, value) in &values {
                self.variable(name);
                self.plain_text(value, TEXT_BYTES_MAX, line(name.referenced));
            }
            let values = values.into_iter().map(|(name, value)| (name.value, value)).collect();
            Step::Set { values, goto }
        } else if let Some(IfEntry { variable, equals, matches, goto: then }) = condition {
            self.used.push((variable.value.clone(), self.step.clone(), line(variable.referenced)));
            let test = self.condition(equals, matches)?;
            Step::If { variable: variable.value, test, then: to(then), otherwise: goto }
        } else if let Some(HandoverEntry { say, team, note }) = handover {
            if let Some(team) = &team {
                self.name(&team.value, "a team", line(team.referenced));
            }
            if let Some(note) = &note {
                self.plain_text(&note.value, NOTE_BYTES_MAX, line(note.referenced));
            }
            let say = self.optional_text(say);
            Step::Handover {
                say,
                team: team.map(|team| team.value),
                note: note.map(|note| note.value),
            }
        } else if let Some(close) = close {
            match close {
                EndEntry::Silent => Step::Close { say: Text::default() },
                EndEntry::Say(say) => Step::Close { say: self.text(say, "what is said") },
            }
        } else {
            if matches!(end, Some(EndEntry::Say(_))) {
                let reason =
                    "`end` says nothing: put a `say` step before it, and write `end: true`";
                self.error("bad_end", here, reason);
            }
            Step::End
        })
    }

    fn form(&mut self, entry: FormEntry, goto: String) -> FormStep {
        let FormEntry { title, fields, submit } = entry;
        let here = self.line;
        let title = self.text(title, "the title");
        self.count(fields.len(), "fields", here);
        let mut ids = BTreeSet::new();
        let mut checked = Vec::new();
        for Spanned { value, referenced, .. } in fields {
            let FieldEntry { id, kind, label, required, options } = value;
            let place = line(referenced);
            self.variable(&Spanned::new(id.clone(), referenced, referenced));
            if !ids.insert(id.clone()) {
                let reason = format!("there is a field `{id}` already");
                self.error("duplicate_id", place, reason).with("id", &id);
            }
            let label = self.label(label, place);
            if (kind == FieldKind::Choice) == options.is_empty() {
                let reason = "a field of the kind `choice` has options, and no other field has";
                self.error("bad_options", place, reason);
            }
            if options.len() > CHOICES_MAX {
                self.count(options.len(), "options", place);
            }
            let mut option_ids = BTreeSet::new();
            let mut checked_options = Vec::new();
            for Spanned { value: OptionEntry { id, label }, referenced, .. } in options {
                self.button(&id, &mut option_ids, line(referenced));
                checked_options.push((id, self.label(label, line(referenced))));
            }
            checked.push(Field { id, kind, label, required, options: checked_options });
        }
        if !checked.is_empty() && checked.iter().all(|field| !field.required) {
            let reason = "no field is required, so the form may come back empty";
            self.problem(Severity::Warning, "nothing_required", here, reason);
        }
        let submit = if submit.0.is_empty() { Text::default() } else { self.label(submit, here) };
        FormStep { title, fields: checked, submit, goto }
    }

    fn condition(
        &mut self,
        equals: Option<String>,
        matches: Option<Spanned<String>>,
    ) -> Option<Test> {
        match (equals, matches) {
            (Some(value), None) => Some(Test::Equals(value)),
            (None, Some(pattern)) => self.pattern(&pattern.value, line(pattern.referenced)),
            _ => {
                let reason = "an `if` has either `equals` or `matches`";
                self.error("bad_condition", self.line, reason);
                None
            }
        }
    }

    fn pattern(&mut self, pattern: &str, place: u64) -> Option<Test> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            let reason = format!("a flow has at most {PATTERNS_MAX} patterns");
            self.error("too_many_patterns", place, reason).with("limit", &PATTERNS_MAX);
            return None;
        }
        let error = match RegexBuilder::new(pattern).size_limit(PATTERN_SIZE_MAX).build() {
            Ok(pattern) => return Some(Test::Matches(pattern)),
            Err(error) => error,
        };
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            let reason = "this pattern is too large: `[0-9]` is much smaller than `\\d`, and \
                          `[A-Za-z0-9_]` than `\\w`; and it may repeat less";
            self.error("large_pattern", place, reason);
        } else {
            // The last line says what, the others draw where.
            let reason = error.to_string();
            let detail = reason.lines().last().unwrap_or_default().trim();
            let reason = format!("this pattern cannot be used: {detail}");
            let problem = self.error("bad_pattern", place, reason);
            problem.with("detail", detail);
            if let Some(cause) = pattern::cause(pattern) {
                problem.with("kind", cause.kind).with("at", &cause.at).with("part", &cause.part);
            }
        }
        None
    }

    fn text(&mut self, entry: TextEntry, what: &str) -> Text {
        if entry.0.is_empty() {
            self.error("no_text", self.line, format!("{what} is empty: write it as {{en: ...}}"));
        }
        self.optional_text(entry)
    }

    fn optional_text(&mut self, entry: TextEntry) -> Text {
        let mut text = Text::default();
        for (language, words) in entry.0 {
            let place = line(language.referenced);
            let Some(of) = Language::named(&language.value) else {
                let reason = format!("`{}` is no language here: en or zh-CN", language.value);
                self.error("unknown_language", place, reason).with("lang", &language.value);
                continue;
            };
            if words.trim().is_empty() {
                self.error("no_text", place, "the text is empty");
            }
            self.plain_text(&words, TEXT_BYTES_MAX, place);
            text = text.with(of, words.trim());
        }
        text
    }

    fn label(&mut self, entry: TextEntry, place: u64) -> Text {
        let label = self.text(entry, "the label");
        let mut names = false;
        for (_, words) in label.iter() {
            names |= template::names(words).next().is_some();
            if words.chars().count() > LABEL_CHARACTERS_MAX {
                let reason = format!("a label has at most {LABEL_CHARACTERS_MAX} characters");
                self.error("label_too_long", place, reason).with("limit", &LABEL_CHARACTERS_MAX);
            }
        }
        if names {
            let reason = "a label has no {variables}: a visitor must be able to name it";
            self.error("variable_in_label", place, reason);
        }
        label
    }

    fn plain_text(&mut self, words: &str, bytes_max: usize, place: u64) {
        if words.len() > bytes_max {
            let reason = format!("a text has at most {bytes_max} bytes here");
            self.error("text_too_long", place, reason).with("limit", &bytes_max);
            return;
        }
        for name in template::names(words) {
            self.used.push((name.to_owned(), self.step.clone(), place));
        }
    }

    fn count(&mut self, count: usize, what: &str, place: u64) {
        if count == 0 {
            self.error(&format!("no_{what}"), place, format!("there are no {what}"));
        } else if count > CHOICES_MAX {
            let reason = format!("there are at most {CHOICES_MAX} {what}, and here are {count}");
            self.error(&format!("too_many_{what}"), place, reason).with("limit", &CHOICES_MAX);
        }
    }

    fn button(&mut self, id: &str, ids: &mut BTreeSet<String>, place: u64) {
        self.id(id, "a choice", place);
        if !ids.insert(id.to_owned()) {
            let reason = format!("there is a choice `{id}` already");
            self.error("duplicate_id", place, reason).with("id", id);
        }
    }

    fn variable(&mut self, name: &Spanned<String>) {
        if template::is_name(&name.value) {
            self.saved.insert(name.value.clone());
        } else {
            let reason = format!(
                "`{}` is no name of a variable: up to {} lower case letters, digits and `_`, a letter first",
                name.value,
                template::NAME_BYTES_MAX
            );
            self.error("bad_variable", line(name.referenced), reason)
                .with("name", &name.value)
                .with("limit", &template::NAME_BYTES_MAX);
        }
    }

    fn id(&mut self, id: &str, what: &str, place: u64) {
        let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() {
            self.error("empty_name", place, format!("the name of {what} is empty"));
        } else if id.len() > ID_BYTES_MAX || !id.chars().all(fits) {
            let reason = format!(
                "the name of {what} has up to {ID_BYTES_MAX} bytes of letters, digits, `-` and `_`"
            );
            self.error("bad_id", place, reason).with("limit", &ID_BYTES_MAX);
        }
    }

    fn name(&mut self, name: &str, what: &str, place: u64) {
        if name.trim().is_empty() {
            self.error("empty_name", place, format!("the name of {what} is empty"));
        } else if name.chars().count() > NAME_CHARACTERS_MAX || name.chars().any(char::is_control) {
            let reason = format!("the name of {what} has up to {NAME_CHARACTERS_MAX} characters");
            self.error("bad_name", place, reason).with("limit", &NAME_CHARACTERS_MAX);
        }
    }
}

struct Target {
    step: String,
    line: u64,
    to: String,
}

/// The step whose name is most like another: one that begins the same, or is the same in another case.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let alike = |other: &&String| {
        let same = name.chars().zip(other.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b));
        same.count()
    };
    names.max_by_key(alike).filter(|other| alike(other) * 2 > name.chars().count().max(2))
}
