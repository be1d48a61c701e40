//! Generates the Rust types of `proto/wire/v1` without protoc (`chat.v1` comes from the core crate),
//! and the text of `docs/events.md` from the comments of `proto/chat/v1`.

use std::{env, fmt::Write, fs, path::PathBuf};

use prost_types::{
    DescriptorProto, FileDescriptorProto, FileDescriptorSet, field_descriptor_proto,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let set = protox::compile(["wire/v1/frame.proto"], [&proto])?;
    let bytes = prost::Message::encode_to_vec(&set);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("events.md"), events_markdown(&set)?)?;
    prost_build::Config::new()
        .bytes(["."])
        .extern_path(".frontdesk.chat.v1", "::frontdesk_core::chat")
        // The large frames are seldom: an ack should not be moved about at their size.
        .boxed(".frontdesk.wire.v1.ServerFrame.frame.welcome")
        .boxed(".frontdesk.wire.v1.ServerFrame.frame.opened")
        .boxed(".frontdesk.wire.v1.ServerFrame.frame.session")
        .compile_fds(set)?;
    pbjson_build::Builder::new()
        .register_descriptors(&bytes)?
        .extern_path(".frontdesk.chat.v1", "::frontdesk_core::chat")
        .ignore_unknown_fields()
        .build(&[".frontdesk.wire.v1"])?;
    Ok(())
}

fn events_markdown(set: &FileDescriptorSet) -> Result<String, Box<dyn std::error::Error>> {
    let file = set
        .file
        .iter()
        .find(|file| file.package() == "frontdesk.chat.v1")
        .ok_or("the set has no chat package")?;
    let event = position(file, "SessionEvent").ok_or("there is no SessionEvent")?;
    let oneof = file.message_type[event]
        .oneof_decl
        .iter()
        .position(|oneof| oneof.name() == "change")
        .ok_or("SessionEvent has no change")?;

    let mut text = String::from(
        "# Session events\n\n\
         Generated from `proto/chat/v1/session.proto`; do not edit.\n\n\
         Every change of a session is one event. Webhooks, rules, service levels, audit and reports\n\
         are folds over these events alone.\n\n\
         ## Fields of every event\n\n",
    );
    let common = |index: usize| file.message_type[event].field[index].oneof_index.is_none();
    table(&mut text, file, event, &common)?;
    for field in &file.message_type[event].field {
        if field.oneof_index != Some(i32::try_from(oneof)?) {
            continue;
        }
        let kind = field.type_name().rsplit('.').next().unwrap_or_default();
        let message = position(file, kind).ok_or("a change has no message")?;
        write!(text, "\n## `{}`\n\n", field.name())?;
        let about = comment(file, &[4, i32::try_from(message)?]);
        if !about.is_empty() {
            write!(text, "{about}\n\n")?;
        }
        if file.message_type[message].field.is_empty() {
            text.push_str("No fields of its own.\n");
        } else {
            table(&mut text, file, message, &|_| true)?;
        }
    }
    text.push_str("\n## Values\n");
    for (index, kind) in file.enum_type.iter().enumerate() {
        write!(text, "\n### `{}`\n\n", kind.name())?;
        let about = comment(file, &[5, i32::try_from(index)?]);
        if !about.is_empty() {
            write!(text, "{about}\n\n")?;
        }
        for (number, value) in kind.value.iter().enumerate() {
            let about = comment(file, &[5, i32::try_from(index)?, 2, i32::try_from(number)?]);
            let about = if about.is_empty() { about } else { format!(": {about}") };
            writeln!(text, "- `{}` = {}{about}", value.name(), value.number())?;
        }
    }
    Ok(text)
}

fn table(
    text: &mut String,
    file: &FileDescriptorProto,
    message: usize,
    wanted: &dyn Fn(usize) -> bool,
) -> Result<(), Box<dyn std::error::Error>> {
    text.push_str("| Field | Type | Meaning |\n|---|---|---|\n");
    let descriptor: &DescriptorProto = &file.message_type[message];
    for (index, field) in descriptor.field.iter().enumerate().filter(|(index, _)| wanted(*index)) {
        let scalar = || field.r#type().as_str_name().trim_start_matches("TYPE_").to_lowercase();
        let mut kind = field
            .type_name()
            .rsplit('.')
            .next()
            .filter(|name| !name.is_empty())
            .map_or_else(scalar, str::to_owned);
        if field.label() == field_descriptor_proto::Label::Repeated {
            kind.insert_str(0, "list of ");
        }
        let about = comment(file, &[4, i32::try_from(message)?, 2, i32::try_from(index)?]);
        writeln!(text, "| `{}` | {kind} | {about} |", field.name())?;
    }
    Ok(())
}

fn position(file: &FileDescriptorProto, message: &str) -> Option<usize> {
    file.message_type.iter().position(|descriptor| descriptor.name() == message)
}

/// The comment above the element with this path (numbers as in descriptor.proto), on one line.
fn comment(file: &FileDescriptorProto, path: &[i32]) -> String {
    file.source_code_info
        .iter()
        .flat_map(|info| &info.location)
        .find(|location| location.path == path)
        .map(|location| {
            location.leading_comments().split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .unwrap_or_default()
}
