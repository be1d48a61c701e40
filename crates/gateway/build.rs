//! Generates the Rust types of `proto/peer/v1` without protoc; what they hold comes from the core and the
//! protocol crates.

use std::{env, path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let set = protox::compile(["peer/v1/peer.proto"], [&proto])?;
    prost_build::Config::new()
        .bytes(["."])
        .extern_path(".frontdesk.chat.v1", "::frontdesk_core::chat")
        .extern_path(".frontdesk.store.v1", "::frontdesk_core::store")
        .extern_path(".frontdesk.wire.v1", "::frontdesk_protocol::wire")
        .compile_fds(set)?;
    Ok(())
}
