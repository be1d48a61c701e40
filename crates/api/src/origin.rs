//! Web origins: how a browser writes them, and an inbox's list of sites it may appear on.
//!
//! A list line is an origin (`https://shop.example`, with a port where it is not the scheme's own), a
//! host alone (both schemes), `*.example.com` (any name below it, not itself), or `*`.

/// Writes an origin as browsers do: lower case, no port where it is the scheme's own.
pub(crate) fn write(https: bool, authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    let (scheme, own_port) = if https { ("https", ":443") } else { ("http", ":80") };
    let authority = authority.strip_suffix(own_port).unwrap_or(&authority);
    format!("{scheme}://{authority}")
}

/// Brings an origin a client sent to one form; `None` for `null` and everything that is no origin.
pub(crate) fn parse(text: &str) -> Option<String> {
    let text = text.trim();
    let (https, authority) = match text.split_once("://")? {
        (scheme, rest) if scheme.eq_ignore_ascii_case("https") => (true, rest),
        (scheme, rest) if scheme.eq_ignore_ascii_case("http") => (false, rest),
        _ => return None,
    };
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if authority.is_empty() || authority.len() > 255 || !authority.chars().all(plain) {
        return None;
    }
    Some(write(https, authority))
}

/// Whether `origin` (as [`parse`] wrote it) is on the list.
pub fn is_listed(origin: &str, list: &[String]) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    list.iter().any(|line| {
        let line = line.trim();
        if line == "*" {
            return true;
        }
        if line.contains("://") {
            let (scheme, rest) = line.split_once("://").unwrap_or_default();
            if let Some(domain) = rest.strip_prefix("*.") {
                return origin
                    .strip_prefix(&format!("{}://", scheme.to_ascii_lowercase()))
                    .is_some_and(|host| is_below(host, domain));
            }
            return parse(line).is_some_and(|line| line == origin);
        }
        match line.strip_prefix("*.") {
            Some(domain) => is_below(authority, domain),
            None => authority.eq_ignore_ascii_case(line),
        }
    })
}

fn is_below(host: &str, domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    host.strip_suffix(&domain)
        .and_then(|rest| rest.strip_suffix('.'))
        .is_some_and(|name| !name.is_empty())
}

/// The list as `frame-ancestors` sources. `'self'` is always there: our own demo and console preview
/// frame the widget too. Lines that could not stand in a header are left out.
pub(crate) fn frame_ancestors(list: &[String]) -> String {
    let mut sources = String::from("'self'");
    for line in list {
        let line = line.trim();
        let plain = |c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '*' | ':' | '/' | '[' | ']')
        };
        if !line.is_empty() && line.chars().all(plain) {
            sources.push(' ');
            sources.push_str(line);
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_come_to_one_form() {
        for (text, expected) in [
            ("https://Shop.Example", Some("https://shop.example")),
            ("https://shop.example:443", Some("https://shop.example")),
            ("http://shop.example:80/", Some("http://shop.example")),
            ("https://shop.example:8443", Some("https://shop.example:8443")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("null", None),
            ("", None),
            ("file://", None),
            ("https://", None),
            ("https://a b", None),
            ("https://a/path", None),
            ("https://user@a", None),
        ] {
            assert_eq!(parse(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_list_lets_in_what_it_names_and_nothing_that_looks_like_it() {
        let list = ["https://site.com", "*.shop.cn", "plain.example:8080", "https://*.only.tls"]
            .map(str::to_owned);
        for (origin, listed) in [
            ("https://site.com", true),
            ("http://site.com", false),
            ("https://site.com:8443", false),
            ("https://site.com.evil.com", false),
            ("https://evilsite.com", false),
            ("https://www.shop.cn", true),
            ("http://a.b.shop.cn", true),
            ("https://shop.cn", false),
            ("https://notshop.cn", false),
            ("http://plain.example:8080", true),
            ("http://plain.example", false),
            ("https://a.only.tls", true),
            ("http://a.only.tls", false),
        ] {
            assert_eq!(is_listed(origin, &list), listed, "{origin}");
        }
        assert!(!is_listed("https://site.com", &[]));
        assert!(is_listed("https://anything.example", &["*".to_owned()]));
    }

    #[test]
    fn frame_ancestors_never_carry_a_separator() {
        let list =
            ["https://a.com".to_owned(), "x; script-src *".to_owned(), "b.com\r\nX: y".to_owned()];
        assert_eq!(frame_ancestors(&list), "'self' https://a.com");
    }
}
