//! `{variables}` in texts of a flow. Expansion is one pass: what a variable holds is text and nothing else, so a visitor
//! who writes `{email}` into a form sees `{email}`.

/// Longest value of a variable; as long as one of a form may be.
pub(crate) const VALUE_CHARACTERS_MAX: usize = 500;
/// Longest name of a variable.
pub(crate) const NAME_BYTES_MAX: usize = 40;
/// Longest text that comes out: a few times what a flow may say, for values that are used often.
const EXPANDED_BYTES_MAX: usize = 8 << 10;

/// Whether it can name a variable: lower case letters, digits and `_`, a letter first.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Puts values in the place of names. A name without a value leaves nothing; braces around anything else stay.
pub(crate) fn expand<'a>(template: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(template.len());
    for part in parts(template) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Name(name) => out.push_str(value(name).unwrap_or_default()),
        }
        if out.len() > EXPANDED_BYTES_MAX {
            out.truncate(out.floor_char_boundary(EXPANDED_BYTES_MAX));
            break;
        }
    }
    out
}

/// The names a text uses.
pub(crate) fn names(template: &str) -> impl Iterator<Item = &str> {
    parts(template).filter_map(|part| match part {
        Part::Name(name) => Some(name),
        Part::Text(_) => None,
    })
}

enum Part<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = leading_name(rest) {
            rest = after;
            return Some(Part::Name(name));
        }
        // Up to the next brace that begins a name.
        let end = rest
            .match_indices('{')
            .map(|(at, _)| at)
            .find(|at| *at > 0 && leading_name(&rest[*at..]).is_some())
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Part::Text(text))
    })
}

fn leading_name(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    // A name is short: the end is not looked for in all of a long text.
    let head = &inner[..inner.floor_char_boundary(NAME_BYTES_MAX + 1)];
    let end = head.find('}')?;
    is_name(&inner[..end]).then(|| (&inner[..end], &inner[end + 1..]))
}

/// What somebody wrote as the value of a variable: one line of plain text, nothing that hides or turns round what
/// stands beside it.
pub(crate) fn plain(value: &str) -> String {
    let mut out = String::new();
    let mut characters = 0;
    let mut gap = false;
    // Spaces count as nothing, so the text is looked at no further than a few times its longest.
    for character in value.chars().take(VALUE_CHARACTERS_MAX * 8) {
        if character.is_whitespace() || character.is_control() {
            gap = !out.is_empty();
            continue;
        }
        if is_invisible(character) {
            continue;
        }
        if characters + usize::from(gap) >= VALUE_CHARACTERS_MAX {
            break;
        }
        if gap {
            out.push(' ');
            characters += 1;
            gap = false;
        }
        out.push(character);
        characters += 1;
    }
    out
}

/// Marks that turn the direction of a text, and spaces of no width.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// The beginning of a text, with a mark where something is left out. It ends with a word, unless that word alone is
/// longer than half of what may stay; characters of Chinese are words of their own.
pub(crate) fn shortened(text: &str, characters_max: usize) -> String {
    if text.char_indices().nth(characters_max).is_none() {
        return text.to_owned();
    }
    let kept = characters_max.saturating_sub(1);
    let end = text.char_indices().nth(kept).map_or(text.len(), |(at, _)| at);
    let (head, rest) = text.split_at(end);
    let inside = head.ends_with(is_of_word) && rest.starts_with(is_of_word);
    let before = head.trim_end_matches(is_of_word);
    let whole = inside && before.chars().count() * 2 >= kept && !before.is_empty();
    let head = if whole { before } else { head };
    // A mark after a comma or an opening bracket says the same twice.
    let ends = |c: char| c.is_whitespace() || (whole && matches!(c, ',' | ';' | ':' | '(' | '['));
    format!("{}…", head.trim_end_matches(ends))
}

/// Whether it may stand inside a word of a script that separates words.
fn is_of_word(character: char) -> bool {
    let in_name = matches!(character, '\'' | '’' | '-' | '_' | '.' | '@');
    in_name || (character.is_alphanumeric() && !frontdesk_script::is_ideograph(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_everything_else_stays() {
        let value = |name: &str| match name {
            "name" => Some("Ada"),
            "evil" => Some("{name} {{name}} $name"),
            _ => None,
        };
        for (template, expected) in [
            ("Hello {name}!", "Hello Ada!"),
            ("{name}{name}", "AdaAda"),
            ("{nobody}!", "!"),
            ("{}, {Name}, {a b}, {", "{}, {Name}, {a b}, {"),
            ("{{name}}", "{Ada}"),
            ("您好，{name}", "您好，Ada"),
            // A value is not looked at again.
            ("{evil}", "{name} {{name}} $name"),
            ("", ""),
        ] {
            assert_eq!(expand(template, value), expected, "{template}");
        }
        assert_eq!(names("{a} {b} {C}").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_comes_out_is_bounded() {
        let long = "长".repeat(VALUE_CHARACTERS_MAX);
        let text = expand(&"{x}".repeat(1_000), |_| Some(&long));
        assert!(text.len() <= EXPANDED_BYTES_MAX);
        let braces = "{".repeat(64 << 10);
        assert!(expand(&braces, |_| None).len() <= EXPANDED_BYTES_MAX);
    }

    #[test]
    fn a_value_becomes_one_plain_line() {
        for (value, expected) in [
            ("  a \r\n b\t c ", "a b c"),
            ("pay\u{202e}lap", "paylap"),
            ("a\u{0}b", "a b"),
            ("\u{feff}A-1\u{200b}001", "A-1001"),
            ("{email} <script>", "{email} <script>"),
            ("\u{1b}[31mred", "[31mred"),
        ] {
            assert_eq!(plain(value), expected, "{value:?}");
        }
        assert_eq!(plain(&"x".repeat(10_000)).chars().count(), VALUE_CHARACTERS_MAX);
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!(shortened("退货政策", 4), "退货政策");
        assert_eq!(shortened("退货政策是", 4), "退货政…");
        assert_eq!(shortened("one two", 5), "one…");
        for (text, characters_max, expected) in [
            ("one two", 6, "one…"),
            ("How long delivery takes", 14, "How long…"),
            ("How long delivery takes", 19, "How long delivery…"),
            ("Delivery, returns", 12, "Delivery…"),
            // Nothing would be left of a word that long.
            ("xxxxxxxxxx", 5, "xxxx…"),
            ("a xxxxxxxxxx", 8, "a xxxxx…"),
            ("请写信给 ada@example.com 谢谢", 15, "请写信给 ada@examp…"),
            ("请在收到后写信给 ada@example.com", 15, "请在收到后写信给…"),
            ("退货政策 returns", 8, "退货政策…"),
        ] {
            assert_eq!(shortened(text, characters_max), expected, "{text}");
        }
    }
}
