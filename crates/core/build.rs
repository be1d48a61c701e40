//! Generates the Rust types of `proto/chat/v1` and `proto/store/v1` without protoc.

use std::{env, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let files = ["chat/v1/session.proto", "store/v1/record.proto"];
    let set = protox::compile(files, [&proto])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let bytes = prost_build::Config::new()
        .bytes(["."])
        // Ordered maps: the same message always encodes to the same bytes.
        .btree_map(["."])
        // Large and seldom there: every proposal is moved several times on its way.
        .boxed(".frontdesk.store.v1.Send.origin")
        .compile_fds(set.clone())
        .map(|()| prost::Message::encode_to_vec(&set))?;
    fs::write(out.join("descriptor.bin"), &bytes)?;
    pbjson_build::Builder::new()
        .register_descriptors(&bytes)?
        .ignore_unknown_fields()
        .btree_map(["."])
        .build(&[".frontdesk.chat.v1"])?;
    Ok(())
}
