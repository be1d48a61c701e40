//! Lock files name public registries only: a mirror's address in one would break every other machine.

use super::Report;
use crate::tree::SourceFile;

const CARGO: &str = "registry+https://github.com/rust-lang/crates.io-index";
const NPM: &str = "https://registry.npmjs.org/";

pub(super) fn check(files: &[SourceFile], report: &mut Report) {
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        for (index, line) in file.text.lines().enumerate() {
            if !is_public(name, line.trim()) {
                let (path, line) = (&file.path, index + 1);
                report.error(format!("{path}:{line}: not the address of a public registry"));
            }
        }
    }
}

fn is_public(file_name: &str, line: &str) -> bool {
    match file_name {
        "Cargo.lock" => line
            .strip_prefix("source = \"")
            .is_none_or(|source| source.strip_suffix('"') == Some(CARGO)),
        "package-lock.json" => line.strip_prefix("\"resolved\": \"").is_none_or(|url| {
            // Without a scheme it is a package of this workspace.
            url.starts_with(NPM) || !url.contains("://")
        }),
        "requirements.txt" => !line.contains("://"),
        "go.mod" => !line.starts_with("replace "),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn mirrors_are_found_in_every_kind_of_lock_file() {
        for (file, line, public) in [
            ("Cargo.lock", format!("source = \"{}\"", super::CARGO), true),
            ("Cargo.lock", "source = \"sparse+http://mirror.example/\"".to_owned(), false),
            ("Cargo.lock", "version = \"1.0.0\"".to_owned(), true),
            ("package-lock.json", "\"resolved\": \"packages/ui\",".to_owned(), true),
            ("package-lock.json", format!("\"resolved\": \"{}a/-/a-1.tgz\",", super::NPM), true),
            ("package-lock.json", "\"resolved\": \"http://mirror.example/a\",".to_owned(), false),
            ("requirements.txt", "--index-url http://mirror.example/".to_owned(), false),
            ("requirements.txt", "websockets==15.0.1".to_owned(), true),
        ] {
            assert_eq!(is_public(file, &line), public, "{file}: {line}");
        }
    }
}
