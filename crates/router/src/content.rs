//! Checks what a message says before it becomes a proposal: which kinds who may send, and what each holds.

use std::collections::HashSet;

use frontdesk_core::{
    chat::{self, Audience, Content, FormFieldKind, content::Kind},
    limits::{
        CHOICE_LABEL_CHARS_MAX, CHOICES_MAX, FIELD_ID_BYTES_MAX, FIELD_VALUE_CHARS_MAX,
        FORM_FIELDS_MAX, SOURCES_MAX, TEXT_BYTES_MAX,
    },
};
use frontdesk_protocol::{codes, texts};

use crate::{Rejection, access::PrincipalKind, propose::is_file_id};

/// What a help centre's pages begin with: a source leads nowhere else.
const HELP: &str = "/help/";

/// Checks what somebody says; a file becomes the stored one. Mentions are looked at elsewhere.
pub(crate) fn checked(
    content: Content,
    by: PrincipalKind,
    audience: Audience,
    stored: Option<chat::File>,
) -> Result<Content, Rejection> {
    let Content { kind, quote_seq, choice, sources, .. } = content;
    let by_visitor = by == PrincipalKind::Visitor;
    let kind = match kind {
        None => return Err((&codes::MESSAGE_EMPTY).into()),
        // Why a bot said something, and what it suggests, is for the team.
        Some(Kind::System(text)) if by == PrincipalKind::Bot && audience == Audience::Team => {
            check_bots(&text)?;
            Kind::System(text)
        }
        Some(Kind::System(_)) => return Err((&codes::MESSAGE_UNSUPPORTED).into()),
        // Questions go to visitors, replies come from them.
        Some(Kind::Choices(_) | Kind::Form(_)) if by_visitor => {
            return Err((&codes::MESSAGE_UNSUPPORTED).into());
        }
        Some(Kind::FormReply(_)) if !by_visitor => {
            return Err((&codes::MESSAGE_UNSUPPORTED).into());
        }
        Some(Kind::Text(text)) => {
            said(&text.body)?;
            Kind::Text(text)
        }
        Some(Kind::File(file)) => {
            let stored = stored.filter(|stored| is_file_id(&file.id) && stored.id == file.id);
            Kind::File(stored.ok_or(Rejection::from(&codes::FILE_UNKNOWN))?)
        }
        Some(Kind::Choices(choices)) => {
            said(&choices.body)?;
            check_choices(&choices.choices)?;
            Kind::Choices(choices)
        }
        Some(Kind::Form(form)) => {
            said(&form.title)?;
            check_form(&form)?;
            Kind::Form(form)
        }
        Some(Kind::FormReply(reply)) => {
            if quote_seq == 0 {
                return Err(invalid("quote_seq"));
            }
            check_reply(&reply)?;
            Kind::FormReply(reply)
        }
    };
    if !choice.is_empty() {
        let picks = by_visitor && quote_seq > 0 && matches!(kind, Kind::Text(_));
        if !picks || choice.len() > FIELD_ID_BYTES_MAX {
            return Err(invalid("choice"));
        }
    }
    if !sources.is_empty() {
        let may_quote = matches!(by, PrincipalKind::Bot | PrincipalKind::Api);
        if !may_quote || sources.len() > SOURCES_MAX || !sources.iter().all(is_source) {
            return Err(invalid("sources"));
        }
    }
    Ok(Content { kind: Some(kind), quote_seq, choice, sources, ..Content::default() })
}

fn invalid(what: &str) -> Rejection {
    Rejection::with(&codes::MESSAGE_INVALID, what)
}

fn said(text: &str) -> Result<(), Rejection> {
    if text.len() > TEXT_BYTES_MAX {
        return Err((&codes::MESSAGE_TOO_LARGE).into());
    }
    if text.trim().is_empty() {
        return Err((&codes::MESSAGE_EMPTY).into());
    }
    Ok(())
}

/// An id that is there, and short.
fn is_id(id: &str) -> bool {
    (1..=FIELD_ID_BYTES_MAX).contains(&id.len())
}

/// A line of text that says something and fits.
fn is_line(text: &str, chars_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= chars_max
}

fn check_choices(choices: &[chat::Choice]) -> Result<(), Rejection> {
    let mut ids = HashSet::new();
    let fits =
        |choice: &chat::Choice| is_id(&choice.id) && is_line(&choice.label, CHOICE_LABEL_CHARS_MAX);
    let count = (1..=CHOICES_MAX).contains(&choices.len());
    if count && choices.iter().all(|choice| fits(choice) && ids.insert(choice.id.as_str())) {
        Ok(())
    } else {
        Err(invalid("choices"))
    }
}

fn check_form(form: &chat::Form) -> Result<(), Rejection> {
    let mut ids = HashSet::new();
    if !(1..=FORM_FIELDS_MAX).contains(&form.fields.len())
        || form.submit.chars().count() > CHOICE_LABEL_CHARS_MAX
    {
        return Err(invalid("fields"));
    }
    for field in &form.fields {
        let known =
            FormFieldKind::try_from(field.kind).is_ok_and(|it| it != FormFieldKind::Unspecified);
        let chooses = field.kind() == FormFieldKind::Choice;
        if !known
            || !is_id(&field.id)
            || !is_line(&field.label, FIELD_VALUE_CHARS_MAX)
            || !ids.insert(field.id.as_str())
            || (!chooses && !field.options.is_empty())
        {
            return Err(invalid("fields"));
        }
        if chooses {
            check_choices(&field.options)?;
        }
    }
    Ok(())
}

/// Whether the values fit the form is for whoever asked to say; here they are bounded.
fn check_reply(reply: &chat::FormReply) -> Result<(), Rejection> {
    let mut ids = HashSet::new();
    let fits = |value: &chat::FieldValue| {
        is_id(&value.id)
            && is_line(&value.label, FIELD_VALUE_CHARS_MAX)
            && value.value.chars().count() <= FIELD_VALUE_CHARS_MAX
    };
    let count = (1..=FORM_FIELDS_MAX).contains(&reply.values.len());
    if count && reply.values.iter().all(|value| fits(value) && ids.insert(value.id.as_str())) {
        Ok(())
    } else {
        Err(invalid("values"))
    }
}

/// A text of the table that bots leave, with no other parameters than it has there.
fn check_bots(text: &chat::SystemText) -> Result<(), Rejection> {
    let Some(line) = texts::OF_BOTS.into_iter().find(|line| line.key == text.key) else {
        return Err((&codes::MESSAGE_UNSUPPORTED).into());
    };
    if text.params.keys().any(|name| !line.params.contains(&name.as_str())) {
        return Err(invalid("params"));
    }
    if text.params.values().map(String::len).sum::<usize>() > TEXT_BYTES_MAX {
        return Err((&codes::MESSAGE_TOO_LARGE).into());
    }
    Ok(())
}

fn is_source(source: &chat::Source) -> bool {
    is_line(&source.title, FIELD_VALUE_CHARS_MAX)
        && source.article.len() <= FIELD_ID_BYTES_MAX
        && (source.path.is_empty() || (source.path.starts_with(HELP) && source.path.len() <= 1_024))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(id: &str, label: &str) -> chat::Choice {
        chat::Choice { id: id.to_owned(), label: label.to_owned() }
    }

    fn choices(choices: Vec<chat::Choice>) -> Content {
        let kind = Kind::Choices(chat::Choices { body: "Which one?".to_owned(), choices });
        Content { kind: Some(kind), ..Content::default() }
    }

    fn field(id: &str, kind: FormFieldKind, options: Vec<chat::Choice>) -> chat::FormField {
        chat::FormField {
            id: id.to_owned(),
            label: "Order".to_owned(),
            kind: kind.into(),
            required: true,
            options,
        }
    }

    fn form(fields: Vec<chat::FormField>) -> Content {
        let form = chat::Form { title: "Your order".to_owned(), fields, submit: String::new() };
        Content { kind: Some(Kind::Form(form)), ..Content::default() }
    }

    fn reply(quote_seq: u64, values: &[(&str, &str)]) -> Content {
        let value = |(id, value): &(&str, &str)| chat::FieldValue {
            id: (*id).to_owned(),
            label: "Order".to_owned(),
            value: (*value).to_owned(),
        };
        let values = values.iter().map(value).collect();
        let kind = Kind::FormReply(chat::FormReply { values });
        Content { kind: Some(kind), quote_seq, ..Content::default() }
    }

    fn text() -> Content {
        let kind = Kind::Text(chat::Text { body: "Refund".to_owned() });
        Content { kind: Some(kind), ..Content::default() }
    }

    fn source(title: &str, path: &str) -> chat::Source {
        let article = "d4s0q1h2q5k3v8m6n700".to_owned();
        chat::Source { article, title: title.to_owned(), path: path.to_owned() }
    }

    fn code(content: Content, by: PrincipalKind) -> Option<&'static str> {
        checked(content, by, Audience::Everyone, None).err().map(|refused| refused.code.code)
    }

    #[test]
    fn a_bot_tells_the_team_why_and_nothing_else_as_the_system() {
        let text = |key: &str, param: &str| {
            let params = [(param.to_owned(), "0.83".to_owned())].into();
            let text = chat::SystemText { key: key.to_owned(), params };
            Content { kind: Some(Kind::System(text)), ..Content::default() }
        };
        let code = |content, by, audience| {
            checked(content, by, audience, None).err().map(|refused| refused.code.code)
        };
        let bot = PrincipalKind::Bot;
        for key in ["bot.why", "bot.suggestion"] {
            assert_eq!(code(text(key, "score"), bot, Audience::Team), None);
            let everyone = code(text(key, "score"), bot, Audience::Everyone);
            assert_eq!(everyone, Some("message.unsupported"));
            let by_agent = code(text(key, "score"), PrincipalKind::Agent, Audience::Team);
            assert_eq!(by_agent, Some("message.unsupported"));
            let unknown = code(text(key, "price"), bot, Audience::Team);
            assert_eq!(unknown, Some("message.invalid"));
        }
        let other = code(text("session.closed", "by"), bot, Audience::Team);
        assert_eq!(other, Some("message.unsupported"));
    }

    #[test]
    fn questions_go_to_visitors_and_replies_come_from_them() {
        use FormFieldKind::{Choice, Email};
        let fields = || {
            vec![
                field("mail", Email, Vec::new()),
                field("size", Choice, vec![choice("s", "Small"), choice("l", "Large")]),
            ]
        };
        for by in [PrincipalKind::Agent, PrincipalKind::Bot, PrincipalKind::Api] {
            assert_eq!(code(choices(vec![choice("a", "A")]), by), None);
            assert_eq!(code(form(fields()), by), None);
            assert_eq!(code(reply(3, &[("a", "1")]), by), Some("message.unsupported"));
        }
        let visitor = PrincipalKind::Visitor;
        assert_eq!(code(choices(vec![choice("a", "A")]), visitor), Some("message.unsupported"));
        assert_eq!(code(form(fields()), visitor), Some("message.unsupported"));
        assert_eq!(code(reply(3, &[("a", "1"), ("b", "")]), visitor), None);
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        use FormFieldKind::{Choice, Text, Unspecified};
        let bot = PrincipalKind::Bot;
        let eleven = (0..11).map(|n| choice(&n.to_string(), "A")).collect();
        let long = "x".repeat(FIELD_ID_BYTES_MAX + 1);
        for refused in [
            choices(Vec::new()),
            choices(eleven),
            choices(vec![choice("a", "A"), choice("a", "B")]),
            choices(vec![choice("", "A")]),
            choices(vec![choice(&long, "A")]),
            choices(vec![choice("a", " ")]),
            choices(vec![choice("a", &"字".repeat(CHOICE_LABEL_CHARS_MAX + 1))]),
            form(Vec::new()),
            form(vec![field("a", Unspecified, Vec::new())]),
            form(vec![field("a", Choice, Vec::new())]),
            form(vec![field("a", Text, vec![choice("a", "A")])]),
            form(vec![field("a", Text, Vec::new()), field("a", Text, Vec::new())]),
        ] {
            assert_eq!(code(refused.clone(), bot), Some("message.invalid"), "{refused:?}");
        }
        let visitor = PrincipalKind::Visitor;
        let longest = "字".repeat(FIELD_VALUE_CHARS_MAX);
        assert_eq!(code(reply(1, &[("a", &longest)]), visitor), None);
        for refused in [
            reply(0, &[("a", "1")]),
            reply(1, &[]),
            reply(1, &[("a", "1"), ("a", "2")]),
            reply(1, &[("a", &format!("{longest}字"))]),
        ] {
            assert_eq!(code(refused.clone(), visitor), Some("message.invalid"), "{refused:?}");
        }
    }

    #[test]
    fn only_a_visitor_picks_and_only_a_program_quotes_the_help_centre() {
        let picked = |quote_seq| Content { choice: "refund".to_owned(), quote_seq, ..text() };
        assert_eq!(code(picked(4), PrincipalKind::Visitor), None);
        assert_eq!(code(picked(0), PrincipalKind::Visitor), Some("message.invalid"));
        assert_eq!(code(picked(4), PrincipalKind::Agent), Some("message.invalid"));
        let quoting = |sources| Content { sources, ..text() };
        let good = || vec![source("Refunds", "/help/k/en/refunds"), source("Returns", "")];
        assert_eq!(code(quoting(good()), PrincipalKind::Bot), None);
        assert_eq!(code(quoting(good()), PrincipalKind::Visitor), Some("message.invalid"));
        for path in ["https://evil.example", "//evil.example", "javascript:alert(1)", "/api/v1"] {
            let content = quoting(vec![source("Refunds", path)]);
            assert_eq!(code(content, PrincipalKind::Bot), Some("message.invalid"), "{path}");
        }
    }
}
