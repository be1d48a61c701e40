//! Why a flow's file cannot be read, as a kind and what stands in it, by which the console words it in its reader's
//! language. What is of no kind here is told in the parser's own words.

use serde_saphyr::granit_parser::ErrorKind as Syntax;
use serde_saphyr::{Error, ExternalMessageSource};

use super::super::{Problem, Severity};

/// What values of more than one type are expected to be, in the words of a refusal.
pub(super) const END: &str = "`true`, or a mapping with `say`";
pub(super) const SAID: &str = "a text, `{choose: id}` or `{form: {id: value}}`";
pub(super) const TEXTS: &str = "a text or a list of texts";
pub(super) const HANDOVER: &str = "`true`, `false` or a reason such as `asked`";

/// A kind, and what its words name.
type Cause = (&'static str, Vec<(&'static str, String)>);

/// Says what is wrong and where.
pub(super) fn unreadable(error: &Error) -> Problem {
    let error = error.without_snippet();
    // Its own words name the place once more, at their end or in a line of their own.
    let reason = error.to_string();
    let reason = reason.lines().next().unwrap_or_default();
    // Not within a name of the author's.
    let is_place =
        |at: &str| at.starts_with(|first: char| first.is_ascii_digit()) && !at.contains(['`', '"']);
    let placed = reason.rsplit_once(" at line ").filter(|(_, at)| is_place(at));
    let reason = placed.map_or(reason, |(words, _)| words).to_owned();
    let place = error.location();
    let mut problem = Problem {
        code: "unreadable".to_owned(),
        severity: Severity::Error,
        line: place.map_or(0, |at| at.line()),
        step: String::new(),
        params: [("detail".to_owned(), reason.clone())].into(),
        reason,
    };
    if let Some(column) = place.map(|at| at.column()).filter(|column| *column > 0) {
        problem.with("column", &column);
    }
    if let Some((kind, params)) = cause(error) {
        problem.with("kind", kind);
        for (name, value) in params {
            problem.with(name, &value);
        }
    }
    problem
}

fn cause(error: &Error) -> Option<Cause> {
    let named = |value: &str| vec![("name", value.to_owned())];
    Some(match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let mut params = named(field);
            params.push(("allowed", expected.join(", ")));
            ("unknown_field", params)
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            let mut params = named(variant);
            params.push(("allowed", expected.join(", ")));
            ("unknown_value", params)
        }
        Error::SerdeMissingField { field, .. } => ("missing_field", named(field)),
        Error::DuplicateMappingKey { key: Some(key), .. } => ("duplicate_key", named(key)),
        Error::SerdeInvalidType { expected, .. }
        | Error::SerdeInvalidValue { expected, .. }
        | Error::SerdeInvalidLength { expected, .. } => (wrong_type(expected)?, Vec::new()),
        Error::Unexpected { expected, .. } | Error::InvalidScalar { ty: expected, .. } => {
            (wrong_type(expected)?, Vec::new())
        }
        Error::NullIntoString { .. } => ("not_text", Vec::new()),
        Error::InvalidBooleanStrict { .. } => ("not_boolean", Vec::new()),
        Error::Eof { .. } => ("empty", Vec::new()),
        Error::MultipleDocuments { .. } => ("several_documents", Vec::new()),
        Error::UnknownAnchor { .. } => ("unknown_anchor", Vec::new()),
        Error::ExternalMessage { source, .. } => match source.as_ref() {
            ExternalMessageSource::Parser(error) => syntax(error.kind())?,
            _ => return None,
        },
        _ => return None,
    })
}

/// What was expected where something else stands.
fn wrong_type(expected: &str) -> Option<&'static str> {
    Some(match expected {
        END => "not_end",
        SAID => "not_said",
        TEXTS => "not_texts",
        HANDOVER => "not_handover",
        "a mapping" | "mapping start" => "not_mapping",
        of if of.starts_with("struct ") => "not_mapping",
        "a sequence" | "sequence start" => "not_list",
        "a string" | "string scalar" | "scalar" => "not_text",
        "a boolean" | "boolean" | "bool" => "not_boolean",
        "u32" => "not_number",
        _ => return None,
    })
}

/// What is wrong with the file before it says anything.
fn syntax(kind: &Syntax) -> Option<Cause> {
    let bracket = |open: char| vec![("open", open.to_string())];
    Some(match kind {
        Syntax::UnclosedFlowCollection { open } => ("unclosed_bracket", bracket(*open)),
        Syntax::UnexpectedEofFlowSequence => ("unclosed_bracket", bracket('[')),
        Syntax::UnexpectedEofFlowMapping | Syntax::UnexpectedEofImplicitFlowMapping => {
            ("unclosed_bracket", bracket('{'))
        }
        Syntax::MismatchedFlowCollectionEnd { open, close } => {
            let mut params = bracket(*open);
            params.push(("close", close.to_string()));
            ("wrong_bracket", params)
        }
        Syntax::MisplacedFlowCollectionEnd => ("needless_bracket", Vec::new()),
        Syntax::ExpectedFlowMappingSeparator | Syntax::ExpectedFlowSequenceSeparator => {
            ("missing_comma", Vec::new())
        }
        Syntax::UnclosedQuotedScalar | Syntax::DocumentIndicatorInQuotedScalar => {
            ("unclosed_quote", Vec::new())
        }
        Syntax::InvalidTrailingSingleQuotedScalar | Syntax::InvalidTrailingDoubleQuotedScalar => {
            ("after_quote", Vec::new())
        }
        Syntax::UnknownQuotedScalarEscape
        | Syntax::InvalidQuotedScalarHexEscape
        | Syntax::InvalidUnicodeEscape => ("escape", Vec::new()),
        Syntax::TabNotAllowed
        | Syntax::TabInBlockIndentation
        | Syntax::TabInIndentation
        | Syntax::TabAtBlockScalarStart
        | Syntax::TabInPlainScalar => ("tab", Vec::new()),
        Syntax::InvalidIndentation
        | Syntax::InvalidFlowScalarIndent
        | Syntax::InvalidQuotedScalarIndent
        | Syntax::InvalidBlockScalarIndent
        | Syntax::ExpectedBlockMappingKey
        | Syntax::ExpectedBlockSequenceEntry
        | Syntax::ExpectedDocumentStart
        | Syntax::BlockSequenceEntryNotAllowed
        | Syntax::MappingKeyNotAllowed => ("indentation", Vec::new()),
        Syntax::SimpleKeyExpected | Syntax::InvalidSimpleKey => ("missing_colon", Vec::new()),
        Syntax::MappingValueNotAllowed
        | Syntax::InvalidColonPlacement
        | Syntax::InvalidMappingValueWhitespace => ("colon", Vec::new()),
        Syntax::UnexpectedCharacter { character } => {
            ("character", vec![("character", character.to_string())])
        }
        _ => return None,
    })
}
