//! Why a pattern cannot be used, as a kind and the part of it that is wrong, by which the console words it in its
//! reader's language.

use regex_syntax::ast::ErrorKind as Written;
use regex_syntax::hir::ErrorKind as Meant;
use regex_syntax::{Error, ParserBuilder};

/// What is wrong with a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) kind: &'static str,
    /// Where, in characters from 1.
    pub(super) at: usize,
    /// What stands there; empty where it is the end.
    pub(super) part: String,
}

/// Says what is wrong; none where nothing is, or nothing that has a kind.
pub(super) fn cause(pattern: &str) -> Option<Cause> {
    // As patterns are compiled.
    let (kind, span) = match ParserBuilder::new().build().parse(pattern).err()? {
        Error::Parse(error) => (written(error.kind())?, *error.span()),
        Error::Translate(error) => (meant(error.kind())?, *error.span()),
        _ => return None,
    };
    let (before, after) = pattern.split_at_checked(span.start.offset)?;
    let length = span.end.offset.saturating_sub(span.start.offset);
    let part = match after.get(..length).unwrap_or_default() {
        // A place between two characters: what comes next is what does not fit.
        "" => after.chars().take(1).collect(),
        part => part.to_owned(),
    };
    Some(Cause { kind, at: before.chars().count() + 1, part })
}

fn written(kind: &Written) -> Option<&'static str> {
    Some(match kind {
        Written::ClassUnclosed => "class_unclosed",
        Written::ClassRangeInvalid | Written::ClassRangeLiteral => "class_range",
        Written::ClassEscapeInvalid
        | Written::EscapeUnrecognized
        | Written::EscapeUnexpectedEof
        | Written::EscapeHexEmpty
        | Written::EscapeHexInvalid
        | Written::EscapeHexInvalidDigit
        | Written::SpecialWordBoundaryUnclosed
        | Written::SpecialWordBoundaryUnrecognized
        | Written::SpecialWordOrRepetitionUnexpectedEof => "escape",
        Written::FlagDanglingNegation
        | Written::FlagDuplicate { .. }
        | Written::FlagRepeatedNegation { .. }
        | Written::FlagUnexpectedEof
        | Written::FlagUnrecognized => "flag",
        Written::GroupNameDuplicate { .. }
        | Written::GroupNameEmpty
        | Written::GroupNameInvalid
        | Written::GroupNameUnexpectedEof => "group_name",
        Written::GroupUnclosed => "group_unclosed",
        Written::GroupUnopened => "group_unopened",
        Written::NestLimitExceeded(_) => "nesting",
        Written::DecimalEmpty
        | Written::DecimalInvalid
        | Written::RepetitionCountInvalid
        | Written::RepetitionCountDecimalEmpty
        | Written::RepetitionCountUnclosed => "repetition_count",
        Written::RepetitionMissing => "repetition_missing",
        Written::UnicodeClassInvalid => "unicode",
        Written::UnsupportedBackreference => "backreference",
        Written::UnsupportedLookAround => "look_around",
        _ => return None,
    })
}

fn meant(kind: &Meant) -> Option<&'static str> {
    match kind {
        Meant::UnicodePropertyNotFound | Meant::UnicodePropertyValueNotFound => Some("unicode"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_of_a_kind_and_has_a_place() {
        for (pattern, kind, at, part) in [
            ("(", "group_unclosed", 1, "("),
            ("订单)", "group_unopened", 3, ")"),
            ("[0-9", "class_unclosed", 1, "["),
            ("[z-a]", "class_range", 2, "z-a"),
            (r"[\d-z]", "class_range", 2, r"\d"),
            (r"\y", "escape", 1, r"\y"),
            (r"\", "escape", 1, r"\"),
            ("(?k)", "flag", 3, "k"),
            ("(?<1>x)", "group_name", 4, "1"),
            ("a{2,1}", "repetition_count", 2, "{2,1}"),
            ("a{}", "repetition_count", 3, "}"),
            ("订*+*", "", 0, ""),
            ("*", "repetition_missing", 1, "*"),
            (r"\p{Greeek}", "unicode", 1, r"\p{Greeek}"),
            (r"(a)\1", "backreference", 4, r"\1"),
            ("a(?=b)", "look_around", 2, "(?="),
        ] {
            let found = cause(pattern);
            if kind.is_empty() {
                assert_eq!(found, None, "{pattern}");
            } else {
                let part = part.to_owned();
                assert_eq!(found, Some(Cause { kind, at, part }), "{pattern}");
            }
        }
        let deep = "(".repeat(300) + &")".repeat(300);
        assert_eq!(cause(&deep).map(|of| of.kind), Some("nesting"));
    }
}
