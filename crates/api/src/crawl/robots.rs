//! What a site's robots.txt says (RFC 9309): groups of rules, each for some readers. Ours are those that name it, or
//! else those for everybody; of the rules that fit an address the longest counts, and of two as long the one that
//! allows.

/// What the file may call us.
const NAME: &str = "frontdesk";
/// Rules that are read.
const RULES_MAX: usize = 1_000;
/// Characters of a rule; with more it could not be compared in time.
const RULE_BYTES_MAX: usize = 500;

/// The rules for us.
#[derive(Debug, Default)]
pub(super) struct Robots {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    pattern: String,
    allow: bool,
}

impl Robots {
    /// Reads the file. What is not understood is left out.
    pub(super) fn parse(text: &str) -> Self {
        let (mut own, mut everybodys) = (Vec::new(), Vec::new());
        let (mut names_us, mut names_all, mut in_rules, mut is_named) =
            (false, false, false, false);
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match key.as_str() {
                "user-agent" => {
                    if std::mem::take(&mut in_rules) {
                        (names_us, names_all) = (false, false);
                    }
                    let name = value.to_ascii_lowercase();
                    names_all |= name == "*";
                    names_us |= name.split('/').next() == Some(NAME);
                    is_named |= names_us;
                }
                "allow" | "disallow" => {
                    in_rules = true;
                    // An empty rule forbids nothing.
                    if value.is_empty() || value.len() > RULE_BYTES_MAX {
                        continue;
                    }
                    let rule = || Rule { pattern: value.to_owned(), allow: key == "allow" };
                    if names_us && own.len() < RULES_MAX {
                        own.push(rule());
                    }
                    if names_all && everybodys.len() < RULES_MAX {
                        everybodys.push(rule());
                    }
                }
                _ => {}
            }
        }
        Self { rules: if is_named { own } else { everybodys } }
    }

    /// Whether a path, with its query, may be read.
    pub(super) fn allows(&self, path: &str) -> bool {
        let fitting = self.rules.iter().filter(|rule| fits(&rule.pattern, path));
        fitting.max_by_key(|rule| (rule.pattern.len(), rule.allow)).is_none_or(|rule| rule.allow)
    }
}

/// Whether a pattern fits the beginning of a path: `*` stands for anything, `$` at the end for the path's end.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, to_the_end) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return !to_the_end || rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if to_the_end && parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_for_us_count_before_those_for_everybody() {
        let text = "# hello\nUser-agent: *\nDisallow: /private\nAllow: /private/help\nDisallow: /*.pdf$\n\n\
                    User-Agent: other\nDisallow: /\n";
        let robots = Robots::parse(text);
        for (path, allowed) in [
            ("/", true),
            ("/private", false),
            ("/privateer", false),
            ("/private/help/a", true),
            ("/a/b.pdf", false),
            ("/a/b.pdf?x=1", true),
        ] {
            assert_eq!(robots.allows(path), allowed, "{path}");
        }
        let own = format!("{text}user-agent: Frontdesk/1.0\nuser-agent: x\ndisallow: /a # why\n");
        let robots = Robots::parse(&own);
        assert!(robots.allows("/private") && !robots.allows("/a/b"));
        let robots = Robots::parse("User-agent: *\nDisallow:\nUser-agent: frontdesk\nDisallow: /");
        assert!(!robots.allows("/anything"));
    }

    #[test]
    fn a_group_may_name_several_and_a_rule_ends_the_names() {
        let robots =
            Robots::parse("user-agent: a\nuser-agent: *\ndisallow: /x\nuser-agent: b\ndisallow: /");
        assert!(!robots.allows("/x") && robots.allows("/y"));
        assert!(Robots::parse("disallow: /").allows("/"), "for nobody");
        assert!(Robots::parse("").allows("/"));
    }

    #[test]
    fn patterns_fit_as_the_standard_says() {
        for (pattern, path, is) in [
            ("/a", "/ab", true),
            ("/a$", "/ab", false),
            ("/a$", "/a", true),
            ("/*/c", "/a/b/c/d", true),
            ("/*/c$", "/a/b/c/d", false),
            ("/*c$", "/a/c", true),
            ("*", "/", true),
            ("/a*b*c", "/a1c2b", false),
        ] {
            assert_eq!(fits(pattern, path), is, "{pattern} {path}");
        }
        // Many stars cost no more than a look for each.
        let stars = "*a".repeat(200);
        assert!(!fits(&stars, &"a".repeat(150)));
    }
}
