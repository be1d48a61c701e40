//! Lock files name public registries only: the address of a mirror or of one's own network would break
//! every other machine.

use super::Report;
use crate::tree::SourceFile;

/// Top-level names that only a network of one's own resolves.
const PRIVATE: [&str; 6] = ["local", "localhost", "internal", "lan", "home", "corp"];

pub(super) fn check(files: &[SourceFile], report: &mut Report) {
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        // Whatever the first package came from, the others come from there too.
        let mut first = None;
        for (index, line) in file.text.lines().enumerate() {
            let public = match address(name, line.trim()) {
                Source::None => true,
                Source::Refused => false,
                Source::At(url) => host(url).is_some_and(|host| *first.get_or_insert(host) == host),
            };
            if !public {
                let (path, line) = (&file.path, index + 1);
                report.error(format!("{path}:{line}: not the address of a public registry"));
            }
        }
    }
}

/// Where a line of a lock file says that a package comes from.
#[derive(Debug, PartialEq, Eq)]
enum Source<'a> {
    /// Nowhere, or this workspace.
    None,
    At(&'a str),
    /// From a place that does not belong into such a file at all.
    Refused,
}

fn address<'a>(file_name: &str, line: &'a str) -> Source<'a> {
    let refused_if = |refused: bool| if refused { Source::Refused } else { Source::None };
    match file_name {
        "Cargo.lock" => match line.strip_prefix("source = \"") {
            Some(source) => source.strip_prefix("registry+").map_or(Source::Refused, Source::At),
            None => Source::None,
        },
        "package-lock.json" => match line.strip_prefix("\"resolved\": \"") {
            // Without a scheme it is a package of this workspace.
            Some(url) if url.contains("://") => Source::At(url),
            _ => Source::None,
        },
        "requirements.txt" => refused_if(line.contains("://")),
        "go.mod" => refused_if(line.starts_with("replace ")),
        _ => Source::None,
    }
}

/// The host of an https address with a public name, without a port or a user.
fn host(url: &str) -> Option<&str> {
    let host = url.strip_prefix("https://")?.split('/').next()?;
    let top = host.rsplit('.').next()?;
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    let named = host.contains('.') && top.bytes().all(|b| b.is_ascii_alphabetic());
    (plain && named && !PRIVATE.contains(&top)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::{Source, address, host};

    #[test]
    fn mirrors_are_found_in_every_kind_of_lock_file() {
        for (file, line, public) in [
            ("Cargo.lock", "source = \"registry+https://index.example/all\"", true),
            ("Cargo.lock", "source = \"sparse+http://mirror.example/\"", false),
            ("Cargo.lock", "source = \"registry+https://127.0.0.1/all\"", false),
            ("Cargo.lock", "source = \"git+https://code.example/a\"", false),
            ("Cargo.lock", "version = \"1.0.0\"", true),
            ("package-lock.json", "\"resolved\": \"packages/ui\",", true),
            ("package-lock.json", "\"resolved\": \"https://registry.example/a/-/a-1.tgz\",", true),
            ("package-lock.json", "\"resolved\": \"http://mirror.example/a\",", false),
            ("package-lock.json", "\"resolved\": \"https://mirror.example:8443/a\",", false),
            ("package-lock.json", "\"resolved\": \"https://npm.office.lan/a\",", false),
            ("package-lock.json", "\"resolved\": \"https://mirror/a\",", false),
            ("requirements.txt", "--index-url http://mirror.example/", false),
            ("requirements.txt", "websockets==15.0.1", true),
            ("go.mod", "replace a => ../a", false),
        ] {
            let found = match address(file, line) {
                Source::None => true,
                Source::Refused => false,
                Source::At(url) => host(url).is_some(),
            };
            assert_eq!(found, public, "{file}: {line}");
        }
    }

    #[test]
    fn one_package_from_elsewhere_is_found_among_the_others() {
        use super::{Report, SourceFile, check};
        let text =
            "\"resolved\": \"https://a.example/x\",\n\"resolved\": \"https://b.example/y\",\n";
        let file = SourceFile { path: "web/package-lock.json".to_owned(), text: text.to_owned() };
        let mut report = Report::default();
        check(&[file], &mut report);
        assert_eq!(report.errors.len(), 1);
    }
}
