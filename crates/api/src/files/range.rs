//! The one part of a file that a `Range` header asks for (RFC 9110, section 14). Players of audio and
//! video jump by it, and a broken download goes on. Several parts at once are nothing any of them asks
//! for: such a header is passed over, as the standard allows, and the whole file is the answer.

use std::ops::Range;

use http::{HeaderMap, header};

/// What to send of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Whole,
    /// These bytes, never none.
    Part(Range<u64>),
    /// The part lies behind the end.
    Beyond,
}

/// Reads the header against the file's size and tag.
pub(crate) fn asked(headers: &HeaderMap, bytes: u64, tag: &str) -> Extent {
    let Some(range) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else {
        return Extent::Whole;
    };
    // What the client holds the beginning of may be another file by now: then it wants all of it.
    let same = headers.get(header::IF_RANGE).is_none_or(|held| held.as_bytes() == tag.as_bytes());
    if !same {
        return Extent::Whole;
    }
    parse(range, bytes).unwrap_or(Extent::Whole)
}

/// `None`: not one range of bytes.
fn parse(text: &str, bytes: u64) -> Option<Extent> {
    let (unit, range) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (from, to) = range.trim().split_once('-')?;
    if from.is_empty() {
        let last = number(to)?;
        let extent = match last.min(bytes) {
            0 => Extent::Beyond,
            last => Extent::Part(bytes - last..bytes),
        };
        return Some(extent);
    }
    let from = number(from)?;
    let end = match to {
        "" => bytes,
        to => {
            let to = number(to)?;
            if to < from {
                return None;
            }
            to.saturating_add(1).min(bytes)
        }
    };
    Some(if from < end { Extent::Part(from..end) } else { Extent::Beyond })
}

/// Digits alone; a number too large for any file is as large as can be.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_everything_else_passed_over() {
        let part = Extent::Part;
        for (text, expected) in [
            ("bytes=0-0", part(0..1)),
            ("bytes=2-5", part(2..6)),
            ("Bytes= 2-5 ", part(2..6)),
            ("bytes=2-", part(2..10)),
            ("bytes=2-99", part(2..10)),
            ("bytes=0-18446744073709551615", part(0..10)),
            ("bytes=0-99999999999999999999999", part(0..10)),
            ("bytes=-3", part(7..10)),
            ("bytes=-99", part(0..10)),
            ("bytes=-0", Extent::Beyond),
            ("bytes=10-", Extent::Beyond),
            ("bytes=10-12", Extent::Beyond),
            ("bytes=99999999999999999999999-", Extent::Beyond),
            ("bytes=5-2", Extent::Whole),
            ("bytes=0-1,4-5", Extent::Whole),
            ("bytes=-", Extent::Whole),
            ("bytes=a-b", Extent::Whole),
            ("bytes=+1-2", Extent::Whole),
            ("bytes=--1", Extent::Whole),
            ("bytes", Extent::Whole),
            ("lines=1-2", Extent::Whole),
            ("", Extent::Whole),
        ] {
            assert_eq!(parse(text, 10).unwrap_or(Extent::Whole), expected, "{text:?}");
        }
        assert_eq!(parse("bytes=0-", 0), Some(Extent::Beyond));
        assert_eq!(parse("bytes=-1", 0), Some(Extent::Beyond));
    }

    #[test]
    fn a_range_holds_for_the_file_the_client_knows_only() {
        let asks = |pairs: &[(header::HeaderName, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(name, value.parse().expect("a header value"));
            }
            asked(&headers, 10, "\"abc\"")
        };
        let range = (header::RANGE, "bytes=1-2");
        assert_eq!(asks(&[]), Extent::Whole);
        assert_eq!(asks(std::slice::from_ref(&range)), Extent::Part(1..3));
        for (held, expected) in [
            ("\"abc\"", Extent::Part(1..3)),
            ("\"abd\"", Extent::Whole),
            ("W/\"abc\"", Extent::Whole),
            ("Sat, 28 Nov 2026 08:00:00 GMT", Extent::Whole),
        ] {
            assert_eq!(asks(&[range.clone(), (header::IF_RANGE, held)]), expected, "{held}");
        }
    }
}
