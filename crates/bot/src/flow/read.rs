//! The words of a flow's file, and not yet what they mean. Unknown fields and values of the wrong kind are refused
//! here, with their line.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Unexpected, Visitor};
use serde_saphyr::{Location, Spanned};

use super::{FLOW_BYTES_MAX, FieldKind, Problem, Severity};
use crate::Reason;

mod trouble;

/// Reads a file.
pub(super) fn read(yaml: &str) -> Result<File, Problem> {
    if yaml.len() > FLOW_BYTES_MAX {
        let mut problem = Problem {
            code: "too_large".to_owned(),
            severity: Severity::Error,
            line: 0,
            step: String::new(),
            params: [].into(),
            reason: format!("a flow has at most {} KiB", FLOW_BYTES_MAX >> 10),
        };
        problem.with("limit", &(FLOW_BYTES_MAX >> 10));
        return Err(problem);
    }
    serde_saphyr::from_str(yaml).map_err(|error| trouble::unreadable(&error))
}

/// A mapping in the order of the file, with the line of each key.
#[derive(Debug)]
pub(super) struct Ordered<T>(pub(super) Vec<(Spanned<String>, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A text by language.
pub(super) type TextEntry = Ordered<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) version: u32,
    #[serde(default)]
    pub(super) start: StartEntry,
    pub(super) steps: Ordered<StepEntry>,
    #[serde(default)]
    pub(super) tests: Vec<Spanned<TestEntry>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StartEntry {
    pub(super) when: WhenEntry,
    pub(super) default: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WhenEntry {
    pub(super) greeting: bool,
    pub(super) intent: Vec<Spanned<String>>,
    pub(super) words: Vec<Spanned<String>>,
}

/// A step: exactly one of the first nine.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StepEntry {
    pub(super) say: Option<TextEntry>,
    pub(super) ask: Option<AskEntry>,
    pub(super) form: Option<FormEntry>,
    pub(super) answer: Option<AnswerEntry>,
    pub(super) set: Option<Ordered<String>>,
    #[serde(rename = "if")]
    pub(super) condition: Option<IfEntry>,
    pub(super) handover: Option<HandoverEntry>,
    pub(super) close: Option<EndEntry>,
    pub(super) end: Option<EndEntry>,
    pub(super) goto: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskEntry {
    pub(super) text: TextEntry,
    pub(super) choices: Vec<Spanned<ChoiceEntry>>,
    pub(super) save: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChoiceEntry {
    pub(super) id: String,
    pub(super) label: TextEntry,
    pub(super) goto: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormEntry {
    pub(super) title: TextEntry,
    pub(super) fields: Vec<Spanned<FieldEntry>>,
    #[serde(default)]
    pub(super) submit: TextEntry,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldEntry {
    pub(super) id: String,
    pub(super) kind: FieldKind,
    pub(super) label: TextEntry,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) options: Vec<Spanned<OptionEntry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OptionEntry {
    pub(super) id: String,
    pub(super) label: TextEntry,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerEntry {
    #[serde(default)]
    pub(super) question: TextEntry,
    pub(super) found: Spanned<String>,
    pub(super) nothing: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IfEntry {
    pub(super) variable: Spanned<String>,
    pub(super) equals: Option<String>,
    pub(super) matches: Option<Spanned<String>>,
    pub(super) goto: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HandoverEntry {
    pub(super) say: TextEntry,
    pub(super) team: Option<Spanned<String>>,
    pub(super) note: Option<Spanned<String>>,
}

/// `true`, or a text to say before.
#[derive(Debug)]
pub(super) enum EndEntry {
    Silent,
    Say(TextEntry),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestEntry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) language: Option<String>,
    #[serde(default)]
    pub(super) intent: Option<String>,
    #[serde(default)]
    pub(super) attended: Option<bool>,
    pub(super) say: Vec<SaidEntry>,
    pub(super) expect: Vec<Spanned<ExpectEntry>>,
}

/// A text, `{choose: id}` or `{form: {id: value}}`.
#[derive(Debug)]
pub(super) enum SaidEntry {
    Text(String),
    Choose(String),
    Form(Ordered<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ExpectEntry {
    pub(super) text: OneOrMore,
    pub(super) choices: Option<Vec<String>>,
    pub(super) form: Option<Vec<String>>,
    pub(super) article: Option<String>,
    pub(super) handover: Option<HandoverExpected>,
    pub(super) team: Option<String>,
    pub(super) closed: Option<bool>,
}

/// A text or a list of them.
#[derive(Debug, Default)]
pub(super) struct OneOrMore(pub(super) Vec<String>);

/// The words reasons go by in tests of flows.
const REASONS: [&str; Reason::ALL.len()] = {
    let mut words = [""; Reason::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = Reason::ALL[at].as_str();
        at += 1;
    }
    words
};

/// `true`, `false` or a reason.
#[derive(Debug)]
pub(super) enum HandoverExpected {
    Whether(bool),
    For(Reason),
}

impl<'de> Deserialize<'de> for EndEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;

        impl<'de> Visitor<'de> for Of {
            type Value = EndEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(trouble::END)
            }

            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<EndEntry, E> {
                let is_false = || E::invalid_value(Unexpected::Bool(value), &trouble::END);
                value.then_some(EndEntry::Silent).ok_or_else(is_false)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EndEntry, A::Error> {
                let mut say = TextEntry::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "say" => say = map.next_value()?,
                        other => return Err(A::Error::unknown_field(other, &["say"])),
                    }
                }
                Ok(EndEntry::Say(say))
            }
        }

        deserializer.deserialize_any(Of)
    }
}

impl<'de> Deserialize<'de> for SaidEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;

        impl<'de> Visitor<'de> for Of {
            type Value = SaidEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(trouble::SAID)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SaidEntry, E> {
                Ok(SaidEntry::Text(text.to_owned()))
            }

            // A visitor writes numbers too.
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<SaidEntry, E> {
                Ok(SaidEntry::Text(number.to_string()))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<SaidEntry, E> {
                Ok(SaidEntry::Text(number.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SaidEntry, A::Error> {
                let said = match map.next_key::<String>()?.as_deref() {
                    Some("choose") => SaidEntry::Choose(map.next_value()?),
                    Some("form") => SaidEntry::Form(map.next_value()?),
                    Some(other) => return Err(A::Error::unknown_field(other, &["choose", "form"])),
                    None => return Err(A::Error::invalid_length(0, &trouble::SAID)),
                };
                match map.next_key::<String>()? {
                    None => Ok(said),
                    Some(_) => Err(A::Error::invalid_length(2, &trouble::SAID)),
                }
            }
        }

        deserializer.deserialize_any(Of)
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;

        impl<'de> Visitor<'de> for Of {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(trouble::TEXTS)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![text.to_owned()]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut sequence: A,
            ) -> Result<OneOrMore, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = sequence.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMore(texts))
            }
        }

        deserializer.deserialize_any(Of)
    }
}

impl<'de> Deserialize<'de> for HandoverExpected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;

        impl Visitor<'_> for Of {
            type Value = HandoverExpected;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(trouble::HANDOVER)
            }

            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<HandoverExpected, E> {
                Ok(HandoverExpected::Whether(value))
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<HandoverExpected, E> {
                let reason = Reason::ALL.into_iter().find(|reason| reason.as_str() == name);
                let unknown = || E::unknown_variant(name, &REASONS);
                reason.map(HandoverExpected::For).ok_or_else(unknown)
            }
        }

        deserializer.deserialize_any(Of)
    }
}

/// The line of a place; 0 where it is not known.
pub(super) fn line(location: Location) -> u64 {
    location.line()
}
