//! The tests inside a flow: conversations, and what is expected of the bot.

use serde_saphyr::Spanned;

use super::super::read::{ExpectEntry, HandoverExpected, SaidEntry, TestEntry, line};
use super::super::{Expected, ExpectedHandover, FlowTest, Said};
use super::Checker;

/// Tests of one flow.
const TESTS_MAX: usize = 100;
/// Messages of one test.
const MESSAGES_MAX: usize = 50;
/// Longest message of a test.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

impl Checker {
    pub(super) fn tests(&mut self, entries: Vec<Spanned<TestEntry>>) -> Vec<FlowTest> {
        if let Some(entry) = entries.get(TESTS_MAX) {
            let reason = format!("a flow has at most {TESTS_MAX} tests");
            self.error("too_many_tests", line(entry.referenced), reason).with("limit", &TESTS_MAX);
        }
        entries.into_iter().map(|entry| self.test(entry)).collect()
    }

    fn test(&mut self, entry: Spanned<TestEntry>) -> FlowTest {
        let place = line(entry.referenced);
        let TestEntry { name, language, intent, attended, say, expect } = entry.value;
        self.name(&name, "a test", place);
        if say.is_empty() || say.len() > MESSAGES_MAX {
            let reason = format!("in a test the visitor says 1 to {MESSAGES_MAX} things");
            self.error("bad_test", place, reason).with("limit", &MESSAGES_MAX);
        }
        if expect.is_empty() || expect.len() > say.len() {
            let reason = "a test expects something of the first message, and no more than there are messages";
            self.error("bad_expect", place, reason);
        }
        let say: Vec<Said> = say.into_iter().map(said).collect();
        if say.iter().any(|said| said.to_string().len() > MESSAGE_BYTES_MAX) {
            let reason = format!("a message of a test has at most {MESSAGE_BYTES_MAX} bytes");
            self.error("text_too_long", place, reason).with("limit", &MESSAGE_BYTES_MAX);
        }
        FlowTest {
            name,
            line: place,
            language: language.unwrap_or_else(|| "en".to_owned()),
            intent,
            attended: attended.unwrap_or(true),
            say,
            expect: expect.into_iter().map(expected).collect(),
        }
    }
}

fn said(entry: SaidEntry) -> Said {
    match entry {
        SaidEntry::Text(text) => Said::Text(text),
        SaidEntry::Choose(id) => Said::Choose(id),
        SaidEntry::Form(values) => {
            Said::Form(values.0.into_iter().map(|(id, value)| (id.value, value)).collect())
        }
    }
}

fn expected(entry: Spanned<ExpectEntry>) -> Expected {
    let place = line(entry.referenced);
    let ExpectEntry { text, choices, form, article, handover, team, closed } = entry.value;
    let handover = handover.map(|handover| match handover {
        HandoverExpected::Whether(whether) => ExpectedHandover::Whether(whether),
        HandoverExpected::For(reason) => ExpectedHandover::For(reason),
    });
    Expected { line: place, text: text.0, choices, form, article, handover, team, closed }
}
