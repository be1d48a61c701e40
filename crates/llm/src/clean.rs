//! What a model says, as plain text. It is as trustworthy as whoever wrote into its prompt: an image is fetched without
//! a click and a link carries off with one, so an address stays only if a passage of the team's own has exactly it.
//! Tags, and characters that nobody sees, go.
//!
//! The steps are repeated until nothing changes, because what one takes away may leave something for another.

use std::collections::HashSet;

use url::Url;

use crate::{ANSWER_BYTES_MAX, Passage, cut};

/// What is read of a text: more than an answer, so that taking away does not shorten it.
const READ_BYTES_MAX: usize = 4 * ANSWER_BYTES_MAX;
/// Rounds after which what still changes is made harmless.
const ROUNDS_MAX: usize = 16;
/// The longest address in a link, its title included; a longer one never ends.
const ADDRESS_CHARS_MAX: usize = 2_048;
const SCHEMES: [&str; 3] = ["http://", "https://", "www."];
/// Elements whose content is no text.
const SILENT: [&str; 2] = ["script", "style"];

/// Addresses that may stand in an answer, each exactly as it is here.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    known: HashSet<String>,
}

impl Targets {
    /// These addresses: URLs with http or https, mail addresses with `mailto:`, and paths of this server.
    pub fn new<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Self {
        Self { known: addresses.into_iter().filter_map(normal).collect() }
    }

    /// Where passages are, and what addresses stand in their texts.
    pub fn of_passages(passages: &[Passage]) -> Self {
        let paths = passages.iter().map(|passage| passage.path.as_str());
        let inside = passages.iter().flat_map(|passage| addresses(&passage.text));
        Self::new(paths.chain(inside))
    }

    fn has(&self, address: &str) -> bool {
        normal(address).is_some_and(|address| self.known.contains(&address))
    }
}

/// One way to write each address; none for what may never be one.
fn normal(address: &str) -> Option<String> {
    let address = address.trim();
    if let Some(path) = address.strip_prefix('/') {
        // A second slash, also the other way round, would begin a host.
        return (!path.starts_with(['/', '\\'])).then(|| address.to_owned());
    }
    let lower = address.to_ascii_lowercase();
    if lower.starts_with("mailto:") {
        return Some(lower);
    }
    let address =
        if lower.starts_with("www.") { format!("https://{address}") } else { address.to_owned() };
    let url = Url::parse(&address).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (plain && matches!(url.scheme(), "http" | "https")).then(|| url.into())
}

/// Makes plain text of a model's: at most 4 KiB, line breaks kept, without tags, images and hidden characters, and
/// without addresses but these. Also fits the beginning of an answer that is still coming.
pub fn clean(text: &str, targets: &Targets) -> String {
    let mut text = visible(cut(text, READ_BYTES_MAX));
    for _ in 0..ROUNDS_MAX {
        let round = plain(&tags(&bare(&links(&text, targets), targets), targets));
        let round = tidy(cut(&round, ANSWER_BYTES_MAX));
        if round == text {
            return text;
        }
        text = round;
    }
    // Whoever nests deeper than this is not writing an answer.
    let harmless: String = text.chars().filter(|c| !matches!(c, '<' | '[' | ']')).collect();
    cut(&bare(&harmless, &Targets::default()), ANSWER_BYTES_MAX).trim().to_owned()
}

/// Without characters that nobody sees: controls, fillers, and formats that turn or hide text or carry it unseen. Every
/// line break becomes the usual one, a tab a space. An emoji that selects how it looks loses the selector; what joins two
/// emoji, or letters of scripts that need it, stays between such.
pub(crate) fn visible(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if matches!(c, '\u{200c}' | '\u{200d}') {
            if out.ends_with(is_joined) && chars.peek().is_some_and(|&next| is_joined(next)) {
                out.push(c);
            }
        } else {
            out.extend(shown(c));
        }
    }
    out
}

/// What is left of a character by itself.
fn shown(c: char) -> Option<char> {
    match c {
        '\n' => Some('\n'),
        '\t' => Some(' '),
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => {
            None
        }
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => None,
        '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => None,
        '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

/// Whether a joiner beside it may be of use. Latin letters need none, and brackets are to be found as they stand.
fn is_joined(c: char) -> bool {
    !c.is_ascii() && !matches!(c, '＜' | '＞' | '﹤' | '﹥') && shown(c) == Some(c)
}

/// Without Markdown's links and images: of a link its text stays, and its address if it is known.
fn links(text: &str, targets: &Targets) -> String {
    let mut out = String::with_capacity(text.len());
    // Where brackets that are open begin in `out`.
    let mut open: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = after;
        match c {
            '[' => {
                open.push(out.len());
                out.push('[');
            }
            ']' => {
                let Some(start) = open.pop() else {
                    out.push(']');
                    continue;
                };
                if let Some(left) = definition(after, &out[..start]) {
                    out.truncate(start);
                    rest = left;
                    continue;
                }
                let Some((address, left)) = destination(after) else {
                    out.push(']');
                    continue;
                };
                rest = left;
                let label = out.split_off(start).split_off(1);
                if out.ends_with('!') {
                    out.pop();
                    continue;
                }
                out.push_str(&label);
                if let Some(address) = address.filter(|address| shows(address, &label, targets)) {
                    out.push_str(" (");
                    out.push_str(address);
                    out.push(')');
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// A path of this server is told by the sources beside an answer; a URL that is its own text need not stand twice.
fn shows(address: &str, label: &str, targets: &Targets) -> bool {
    !address.starts_with('/') && targets.has(address) && normal(label) != normal(address)
}

/// What follows a closing bracket: the address of a link, or none for a reference, and the text after it. Nothing
/// where it is only a bracket.
fn destination(after: &str) -> Option<(Option<&str>, &str)> {
    if let Some(inside) = after.strip_prefix('(') {
        let mut depth = 0_usize;
        for (at, c) in inside.char_indices().take(ADDRESS_CHARS_MAX) {
            match c {
                '(' => depth += 1,
                ')' if depth == 0 => {
                    return Some((first_word(&inside[..at]), &inside[at + 1..]));
                }
                ')' => depth -= 1,
                _ => {}
            }
        }
        // It is still coming, or never ends.
        let line = inside.find('\n').unwrap_or(inside.len());
        return Some((None, &inside[line..]));
    }
    let inside = after.strip_prefix('[')?;
    let end = inside.find([']', '\n'])?;
    inside[end..].starts_with(']').then(|| (None, &inside[end + 1..]))
}

/// What follows a line that says where a reference leads, if that is what a closing bracket belongs to.
fn definition<'a>(after: &'a str, before: &str) -> Option<&'a str> {
    let line_begins = before.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
    let inside = after.strip_prefix(':').filter(|_| line_begins)?;
    let line = inside.find('\n').unwrap_or(inside.len());
    let address = inside[..line].trim_start();
    let is_address = address.contains("://") || address.starts_with(['/', '<']);
    is_address.then(|| &inside[line..])
}

/// The address without a title and without the brackets around it.
fn first_word(inside: &str) -> Option<&str> {
    let word = inside.split_whitespace().next()?;
    Some(word.trim_start_matches('<').trim_end_matches('>'))
}

/// Without addresses that stand in the text and are not known.
fn bare(text: &str, targets: &Targets) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(at) = next_address(&lower, done) {
        out.push_str(&text[done..at]);
        let token = token(&text[at..]);
        let Some(known) = known(token, targets) else {
            done = at + without_end(token).len();
            continue;
        };
        out.push_str(known);
        done = at + known.len();
        // What stands beside it without closing a sentence would be read as part of it, and Chinese may be.
        let beside = |c: char| !c.is_ascii() && !c.is_whitespace();
        if !token[known.len()..].chars().all(closes) || text[done..].starts_with(beside) {
            out.push(' ');
        }
    }
    out.push_str(&text[done..]);
    out
}

/// Where the next address begins, in a text in lower case. `www.` inside a word is none.
fn next_address(lower: &str, from: usize) -> Option<usize> {
    let begins =
        |scheme: &str, at: usize| scheme != "www." || !lower[..at].ends_with(char::is_alphanumeric);
    let found = SCHEMES.iter().filter_map(|scheme| {
        let mut all = lower[from..].match_indices(scheme).map(|(at, _)| from + at);
        all.find(|&at| begins(scheme, at))
    });
    found.min()
}

/// An address with all that a reader could take for its end.
fn token(text: &str) -> &str {
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(c, '<' | '>' | '"' | '\'' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}')
    };
    &text[..text.find(ends).unwrap_or(text.len())]
}

/// Closes a sentence or a bracket: no reader takes it for the end of an address.
fn closes(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | ')' | ']' | '}')
}

/// Without that, and without Markdown's marks.
fn without_end(token: &str) -> &str {
    token.trim_end_matches(|c| closes(c) || matches!(c, '*' | '_' | '`' | '|'))
}

/// The longest part of a token, from its beginning, that is a known address.
fn known<'a>(token: &'a str, targets: &Targets) -> Option<&'a str> {
    let ascii = &token[..token.find(|c: char| !c.is_ascii()).unwrap_or(token.len())];
    [token, ascii].into_iter().find_map(|candidate| {
        let shortest = without_end(candidate).len();
        let ends =
            (shortest..=candidate.len()).rev().filter(|&end| candidate.is_char_boundary(end));
        ends.map(|end| &candidate[..end]).find(|part| targets.has(part))
    })
}

/// The addresses in a text of the team's own.
fn addresses(text: &str) -> Vec<&str> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut done = 0;
    while let Some(at) = next_address(&lower, done) {
        let token = token(&text[at..]);
        found.push(without_end(token));
        done = at + token.len();
    }
    found
}

/// Without tags. A bracket that is only a bracket stays.
fn tags(text: &str, targets: &Targets) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if !after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            out.push('<');
            rest = after;
            continue;
        }
        let Some(end) = after.find('>') else {
            // No tag, or one that is still coming: without its bracket it is text.
            rest = after;
            continue;
        };
        let inside = &after[..end];
        rest = &after[end + 1..];
        if targets.has(inside) {
            out.push_str(inside);
        }
        rest = past_silent(inside, rest);
    }
    out.push_str(rest);
    out
}

/// Skips what stands in an element that is not for people.
fn past_silent<'a>(tag: &str, rest: &'a str) -> &'a str {
    let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    if !SILENT.iter().any(|silent| silent.eq_ignore_ascii_case(name)) {
        return rest;
    }
    let closing = format!("</{}", name.to_ascii_lowercase());
    rest.to_ascii_lowercase().find(&closing).map_or("", |at| &rest[at..])
}

/// Without Markdown's marks for bold text and headings, which would be shown as they are.
fn plain(text: &str) -> String {
    let pairs = text.matches("**").count() / 2 * 2;
    let text = text.replacen("**", "", pairs);
    let lines = text.split('\n').map(|line| {
        let title = line.trim_start_matches('#');
        let marks = line.len() - title.len();
        if (1..=6).contains(&marks) && title.starts_with(' ') { title.trim_start() } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// At most one empty line in a row, no spaces at the ends of lines.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.split('\n').map(str::trim_end) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests;
