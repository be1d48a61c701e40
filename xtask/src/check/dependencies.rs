//! Rules for dependencies: what never comes in, what comes in once, which licences. They look at
//! `Cargo.lock` (every target and feature), at `cargo metadata` and at `web/package-lock.json`.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::{Report, licence};
use crate::tree;

/// Crates that stay out, with the reason. A name that ends in `*` is a prefix.
const BANNED: [(&str, &str); 4] = [
    ("openssl*", "TLS is rustls; the binary links no system library for it"),
    ("native-tls", "TLS is rustls; the binary links no system library for it"),
    ("aws-lc*", "ring is the one crypto provider; a second one costs minutes of C"),
    ("ring-compat", "ring is used by rustls and object_store alone"),
];
/// Crates that are there in one version: each costs compile time or has state of its own.
const ONCE: [&str; 9] =
    ["tokio", "hyper", "axum", "rustls", "ring", "prost", "sqlx", "fjall", "image"];

pub(super) fn check(root: &Path, report: &mut Report) -> Result<(), String> {
    for (name, versions) in packages(&tree::read(root, "Cargo.lock")?) {
        for (banned, reason) in BANNED {
            let hit = match banned.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == banned,
            };
            if hit {
                report.error(format!("Cargo.lock: {name} is banned: {reason}"));
            }
        }
        if versions.len() > 1 && ONCE.contains(&name.as_str()) {
            let versions = versions.join(" and ");
            report
                .error(format!("Cargo.lock: {name} is there as {versions}; one version is wanted"));
        }
    }
    crates(root, report)?;
    npm(&tree::read(root, "web/package-lock.json")?, report)
}

/// Names and versions of a lock file.
fn packages(lock: &str) -> BTreeMap<String, Vec<String>> {
    let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = None;
    for line in lock.lines() {
        let value = |key: &str| Some(line.strip_prefix(key)?.strip_suffix('"')?.to_owned());
        if let Some(found) = value("name = \"") {
            name = Some(found);
        } else if let (Some(version), Some(name)) = (value("version = \""), name.take()) {
            packages.entry(name).or_default().push(version);
        }
    }
    packages
}

/// Licences of every crate that is built here.
fn crates(root: &Path, report: &mut Report) -> Result<(), String> {
    let rustc = tree::run(root, "rustc", &["-vV"])?;
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc does not tell its host")?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments =
        ["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host];
    let metadata = tree::run(root, &cargo, &arguments)?;
    let metadata: Value = serde_json::from_str(&metadata)
        .map_err(|error| format!("cargo metadata printed no JSON: {error}"))?;
    for package in metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        if !licence::is_allowed(licence) {
            report.error(format!("crate {name}: the licence \"{licence}\" is not on the list"));
        }
    }
    Ok(())
}

/// Licences of what ends in the pages we serve; build tools are not shipped.
fn npm(lock: &str, report: &mut Report) -> Result<(), String> {
    let lock: Value = serde_json::from_str(lock)
        .map_err(|error| format!("web/package-lock.json is no JSON: {error}"))?;
    let none = serde_json::Map::new();
    for (path, package) in lock["packages"].as_object().unwrap_or(&none) {
        let Some(name) = path.strip_prefix("node_modules/") else { continue };
        let shipped = package["dev"] != true && package["link"] != true;
        let licence = package["license"].as_str().unwrap_or_default();
        if shipped && !licence::is_allowed(licence) {
            report
                .error(format!("npm package {name}: the licence \"{licence}\" is not on the list"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::packages;

    #[test]
    fn a_lock_file_gives_every_version_of_a_name() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        let found = packages(lock);
        assert_eq!(found.len(), 1);
        assert_eq!(found["a"], ["1.0.0", "2.0.0"]);
    }
}
