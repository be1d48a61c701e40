//! Generates the Rust types of `proto/wire/v1` without protoc; `chat.v1` comes from the core crate.

use std::{env, path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let set = protox::compile(["wire/v1/frame.proto"], [&proto])?;
    let bytes = prost::Message::encode_to_vec(&set);
    prost_build::Config::new()
        .bytes(["."])
        .extern_path(".frontdesk.chat.v1", "::frontdesk_core::chat")
        .compile_fds(set)?;
    pbjson_build::Builder::new()
        .register_descriptors(&bytes)?
        .extern_path(".frontdesk.chat.v1", "::frontdesk_core::chat")
        .ignore_unknown_fields()
        .build(&[".frontdesk.wire.v1"])?;
    Ok(())
}
