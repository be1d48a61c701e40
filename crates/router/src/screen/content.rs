//! Every text of a content that somebody gets to read.

use frontdesk_core::chat::{Choice, Content, SystemText, content::Kind};

/// Parameters of system texts that are somebody's words; the others are numbers, ids and codes.
const WORDED: [&str; 5] = ["question", "text", "title", "words", "summary"];

/// Calls `each` with every text, always in the same order.
pub(super) fn texts(content: &mut Content, each: &mut dyn FnMut(&mut String)) {
    match &mut content.kind {
        Some(Kind::Text(text)) => each(&mut text.body),
        Some(Kind::File(file)) => each(&mut file.name),
        Some(Kind::System(system)) => worded(system, each),
        Some(Kind::Choices(choices)) => {
            each(&mut choices.body);
            labels(&mut choices.choices, each);
        }
        Some(Kind::Form(form)) => {
            each(&mut form.title);
            for field in &mut form.fields {
                each(&mut field.label);
                labels(&mut field.options, each);
            }
            each(&mut form.submit);
        }
        Some(Kind::FormReply(reply)) => {
            for value in &mut reply.values {
                each(&mut value.label);
                each(&mut value.value);
            }
        }
        None => {}
    }
    for source in &mut content.sources {
        each(&mut source.title);
    }
}

fn worded(system: &mut SystemText, each: &mut dyn FnMut(&mut String)) {
    for name in WORDED {
        if let Some(text) = system.params.get_mut(name) {
            each(text);
        }
    }
}

fn labels(choices: &mut [Choice], each: &mut dyn FnMut(&mut String)) {
    for choice in choices {
        each(&mut choice.label);
    }
}
