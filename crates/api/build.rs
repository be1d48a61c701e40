//! The web apps are built before the server; where they have not been, each gets a page that says so,
//! so that the crate builds and its tests run without Node.

use std::{env, fs, io, path::PathBuf};

const NOTICE: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>Frontdesk</title></head><body><p>The web apps are not built yet: run \
    <code>make web</code>, then build the server again.</p></body></html>\n";

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = here.join("../../web/dist");
    for app in ["console", "widget", "loader", "demo"] {
        let folder = dist.join(app);
        fs::create_dir_all(&folder)?;
        let empty = fs::read_dir(&folder)?.next().is_none();
        if empty && app != "loader" {
            fs::write(folder.join("index.html"), NOTICE)?;
        }
        println!("cargo:rerun-if-changed={}", folder.display());
    }
    Ok(())
}
