//! What may be filled into a form, and what of it can be read out of a message.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Field;
use crate::template;

/// What a field takes. The numbers are those of the wire's `FormFieldKind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Any text.
    Text = 1,
    /// An e-mail address.
    Email = 2,
    /// A phone number.
    Phone = 3,
    /// Letters, digits, `-` and `_`, 3 to 40 of them.
    OrderNumber = 4,
    /// One of the field's options.
    Choice = 5,
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){0,5}\.[A-Za-z]{2,24}")
        .expect("the pattern is tested")
});
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\+?[0-9(][0-9 ()./\-]{4,22}[0-9]").expect("the pattern is tested")
});
static ORDER_NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9_\-]{3,}").expect("the pattern is tested"));

/// What a form reply is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Every value, by the fields' ids.
    Right(Vec<(String, String)>),
    /// The id of the first field that is wrong, or not there though it must be.
    Wrong(String),
}

/// Checks what was filled in. Values of fields the form does not have are dropped.
pub(crate) fn fill<'a>(fields: &[Field], value: impl Fn(&str) -> Option<&'a str>) -> Filled {
    let mut values = Vec::new();
    for field in fields {
        let given = template::plain(value(&field.id).unwrap_or_default());
        if given.is_empty() {
            if field.required {
                return Filled::Wrong(field.id.clone());
            }
            continue;
        }
        match field.accepted(&given) {
            Some(value) => values.push((field.id.clone(), value)),
            None => return Filled::Wrong(field.id.clone()),
        }
    }
    Filled::Right(values)
}

/// What a free text fills in, for whoever answers a form in words: all that must be filled in, or nothing.
pub(crate) fn from_text(fields: &[Field], text: &str) -> Option<Vec<(String, String)>> {
    let mut rest = text.to_owned();
    let mut values = Vec::new();
    // An address may have digits in it that look like a number, so it is taken out first.
    let (addresses, others): (Vec<&Field>, Vec<&Field>) =
        fields.iter().partition(|field| field.kind == FieldKind::Email);
    for field in addresses.into_iter().chain(others) {
        let taken = match field.kind {
            FieldKind::Email => EMAIL.find(&rest).map(|found| found.range()),
            FieldKind::Phone => {
                PHONE.find_iter(&rest).find(|found| is_phone(found.as_str())).map(|it| it.range())
            }
            FieldKind::OrderNumber => ORDER_NUMBER
                .find_iter(&rest)
                .find(|found| {
                    // A word is none.
                    is_order_number(found.as_str())
                        && found.as_str().bytes().any(|b| b.is_ascii_digit())
                })
                .map(|found| found.range()),
            FieldKind::Text | FieldKind::Choice if fields.len() == 1 => Some(0..rest.len()),
            FieldKind::Text | FieldKind::Choice => None,
        };
        let value = taken.clone().and_then(|range| field.accepted(&template::plain(&rest[range])));
        match (value, taken) {
            (Some(value), Some(range)) => {
                rest.replace_range(range, " ");
                values.push((field.id.clone(), value));
            }
            _ if field.required => return None,
            _ => {}
        }
    }
    (!values.is_empty()).then_some(values)
}

impl Field {
    /// The value as it is saved, if the field takes it.
    fn accepted(&self, given: &str) -> Option<String> {
        let whole = |pattern: &Regex| {
            pattern.find(given).is_some_and(|found| found.range() == (0..given.len()))
        };
        let fits = match self.kind {
            FieldKind::Text => !given.is_empty(),
            FieldKind::Email => whole(&EMAIL),
            FieldKind::Phone => whole(&PHONE) && is_phone(given),
            FieldKind::OrderNumber => is_order_number(given),
            FieldKind::Choice => {
                // The id, or what stands on the screen in any language; the id is what a flow asks for.
                let found = self.options.iter().find(|(id, label)| {
                    id == given || label.iter().any(|(_, label)| label.trim() == given)
                });
                return found.map(|(id, _)| id.clone());
            }
        };
        fits.then(|| given.to_owned())
    }
}

fn is_phone(text: &str) -> bool {
    (6..=15).contains(&text.bytes().filter(u8::is_ascii_digit).count())
}

fn is_order_number(text: &str) -> bool {
    (3..=40).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Language, Text};

    fn field(id: &str, kind: FieldKind, required: bool) -> Field {
        let options = match kind {
            FieldKind::Choice => vec![
                ("small".to_owned(), Text::default().with(Language::Chinese, "小号")),
                ("large".to_owned(), Text::default().with(Language::English, "Large")),
            ],
            _ => Vec::new(),
        };
        Field { id: id.to_owned(), kind, label: Text::default(), required, options }
    }

    #[test]
    fn each_kind_takes_what_it_is_for() {
        for (kind, value, expected) in [
            (FieldKind::Text, " a  b ", Some("a b")),
            (FieldKind::Email, "ada@example.com", Some("ada@example.com")),
            (FieldKind::Email, "ada@example", None),
            (FieldKind::Email, "ada@example.com, bob@example.com", None),
            (FieldKind::Email, "a@b.c@d.com", None),
            (FieldKind::Phone, "+86 138-0013-8000", Some("+86 138-0013-8000")),
            (FieldKind::Phone, "12345", None),
            (FieldKind::Phone, "call me", None),
            (FieldKind::OrderNumber, "A-1001", Some("A-1001")),
            (FieldKind::OrderNumber, "A 1001", None),
            (FieldKind::OrderNumber, "A1", None),
            (FieldKind::OrderNumber, "'; drop table", None),
            (FieldKind::Choice, "small", Some("small")),
            (FieldKind::Choice, "小号", Some("small")),
            (FieldKind::Choice, "Large", Some("large")),
            (FieldKind::Choice, "medium", None),
        ] {
            let filled = fill(&[field("f", kind, true)], |_| Some(value));
            let expected = match expected {
                Some(value) => Filled::Right(vec![("f".to_owned(), value.to_owned())]),
                None => Filled::Wrong("f".to_owned()),
            };
            assert_eq!(filled, expected, "{kind:?} {value}");
        }
    }

    #[test]
    fn what_need_not_be_filled_in_may_be_empty_and_never_wrong() {
        let fields = [field("email", FieldKind::Email, false)];
        assert_eq!(fill(&fields, |_| None), Filled::Right(Vec::new()));
        assert_eq!(fill(&fields, |_| Some("nonsense")), Filled::Wrong("email".to_owned()));
    }

    #[test]
    fn a_form_can_be_answered_in_words() {
        let order = field("order_number", FieldKind::OrderNumber, true);
        let email = field("email", FieldKind::Email, true);
        let both = [order.clone(), email.clone()];
        let read = |fields: &[Field], text: &str| {
            let mut values = from_text(fields, text)?;
            values.sort();
            Some(values.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(
            read(&both, "it is A-1001, I am ada7@example.com").as_deref(),
            Some("ada7@example.com A-1001")
        );
        assert_eq!(read(&both, "it is A-1001"), None);
        assert_eq!(read(&both, "where is my order?"), None);
        assert_eq!(read(&[order], "订单号是20240301，谢谢").as_deref(), Some("20240301"));
        let phone = field("phone", FieldKind::Phone, true);
        assert_eq!(read(&[phone], "打我电话 138 0013 8000").as_deref(), Some("138 0013 8000"));
        let size = field("size", FieldKind::Choice, true);
        assert_eq!(read(std::slice::from_ref(&size), "小号").as_deref(), Some("small"));
        assert_eq!(read(&[size], "which sizes are there?"), None);
    }
}
