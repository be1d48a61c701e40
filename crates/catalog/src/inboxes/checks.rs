//! Checks of what people set on an inbox, before it is stored.

use super::{Hours, Look, QUESTIONS_MAX, Questions};
use crate::error::Error;
use crate::text;

/// Origins one inbox may list.
const ORIGINS_MAX: usize = 100;
/// Spans of opening hours and special days one inbox may list.
const HOURS_MAX: usize = 400;
/// Characters of a suggested question: it stands on a button.
const QUESTION_CHARS_MAX: usize = 120;

/// Brings origins to the form browsers send (scheme and host in lower case, no default port, no
/// path) and drops repeats.
pub(super) fn checked_origins(origins: &[String]) -> Result<Vec<String>, Error> {
    if origins.len() > ORIGINS_MAX {
        return Err(Error::invalid("origins", "too_many"));
    }
    let mut checked = Vec::with_capacity(origins.len());
    for origin in origins {
        let origin = checked_origin(origin)?;
        if !checked.contains(&origin) {
            checked.push(origin);
        }
    }
    Ok(checked)
}

fn checked_origin(text: &str) -> Result<String, Error> {
    let invalid = || Error::invalid("origins", "origin");
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://").ok_or_else(invalid)?;
    if !matches!(scheme, "http" | "https") {
        return Err(invalid());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = port
        .map(|port| port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(invalid))
        .transpose()?;
    if !is_host(host.strip_prefix("*.").unwrap_or(host)) {
        return Err(invalid());
    }
    Ok(match port {
        None | Some(80) if scheme == "http" => format!("http://{host}"),
        None | Some(443) if scheme == "https" => format!("https://{host}"),
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => return Err(invalid()),
    })
}

fn is_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return v6.parse::<std::net::Ipv6Addr>().is_ok();
    }
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

/// Trims questions, drops empty ones and repeats, and languages that are left without any.
pub(super) fn checked_questions(questions: Questions) -> Result<Questions, Error> {
    let mut checked = Questions::new();
    for (language, asked) in questions {
        text::language_tag("questions", &language)?;
        let mut kept: Vec<String> = Vec::new();
        for question in asked {
            let question = text::line("questions", &question, QUESTION_CHARS_MAX)?;
            if !question.is_empty() && !kept.contains(&question) {
                kept.push(question);
            }
        }
        if kept.len() > QUESTIONS_MAX {
            return Err(Error::invalid("questions", "too_many"));
        }
        if !kept.is_empty() {
            checked.insert(language, kept);
        }
    }
    if checked.len() > text::LANGUAGES_MAX {
        return Err(Error::invalid("questions", "too_many"));
    }
    Ok(checked)
}

pub(super) fn checked_look(look: Look) -> Result<Look, Error> {
    let accent = look.accent.as_bytes();
    let is_colour =
        accent.len() == 7 && accent[0] == b'#' && accent[1..].iter().all(u8::is_ascii_hexdigit);
    if !accent.is_empty() && !is_colour {
        return Err(Error::invalid("look.accent", "colour"));
    }
    let logo = look.logo.as_bytes();
    let is_file = logo.len() == 32 && logo.iter().all(u8::is_ascii_hexdigit);
    if !logo.is_empty() && !is_file {
        return Err(Error::invalid("look.logo", "file"));
    }
    Ok(look)
}

pub(super) fn checked_hours(hours: Hours) -> Result<Hours, Error> {
    let zone_ok = hours.time_zone.len() <= 64
        && hours.time_zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
    if !zone_ok {
        return Err(Error::invalid("hours.time_zone", "time_zone"));
    }
    if hours.week.len() + hours.days.len() > HOURS_MAX {
        return Err(Error::invalid("hours", "too_many"));
    }
    let span_ok = |from: u16, to: u16| from < 1_440 && from < to && to <= 2_880;
    let week_ok = hours
        .week
        .iter()
        .all(|span| (1..=7).contains(&span.day) && span_ok(span.from_minute, span.to_minute));
    if !week_ok {
        return Err(Error::invalid("hours.week", "span"));
    }
    for day in &hours.days {
        if !is_date(&day.date) {
            return Err(Error::invalid("hours.days", "date"));
        }
        if day.spans.len() > 24 || !day.spans.iter().all(|(from, to)| span_ok(*from, *to)) {
            return Err(Error::invalid("hours.days", "span"));
        }
    }
    Ok(hours)
}

fn is_date(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|t| t.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    text.len() == 10
        && text.as_bytes()[4] == b'-'
        && text.as_bytes()[7] == b'-'
        && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inboxes::{SpecialDay, WeekSpan};

    #[test]
    fn origins_take_the_form_browsers_send() {
        for (typed, origin) in [
            (" https://Shop.Example/ ", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("http://shop.example:80", "http://shop.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://*.shop.example", "https://*.shop.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(checked_origin(typed).ok().as_deref(), Some(origin), "{typed}");
        }
        for bad in [
            "",
            "shop.example",
            "null",
            "*",
            "ftp://shop.example",
            "https://",
            "https://*",
            "https://a.*.b",
            "https://shop.example/path",
            "https://user@shop.example",
            "https://shop.example:0",
            "https://shop.example:99999",
            "https://shop.example; script-src *",
            "javascript:alert(1)",
        ] {
            assert!(checked_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hours_that_no_calendar_has_are_refused() {
        let span = |day, from_minute, to_minute| Hours {
            week: vec![WeekSpan { day, from_minute, to_minute }],
            ..Hours::default()
        };
        assert!(checked_hours(span(7, 1_320, 1_560)).is_ok());
        for bad in [span(0, 1, 2), span(8, 1, 2), span(1, 2, 2), span(1, 0, 2_881)] {
            assert!(checked_hours(bad.clone()).is_err(), "{bad:?}");
        }
        for (date, ok) in [
            ("2028-02-29", true),
            ("2026-12-31", true),
            ("2026-02-29", false),
            ("2026-04-31", false),
            ("2026-13-01", false),
            ("2026-1-01", false),
            ("20261201", false),
            ("2026-12-0x", false),
        ] {
            let days = vec![SpecialDay { date: date.to_owned(), spans: Vec::new() }];
            assert_eq!(checked_hours(Hours { days, ..Hours::default() }).is_ok(), ok, "{date}");
        }
    }

    #[test]
    fn questions_are_few_and_short() {
        let one = |language: &str, asked: &[&str]| {
            let asked = asked.iter().map(|text| (*text).to_owned()).collect();
            Questions::from([(language.to_owned(), asked)])
        };
        let kept = checked_questions(one("en", &[" Where is it? ", "", "Where is it?", "Price?"]));
        assert_eq!(kept.unwrap_or_default(), one("en", &["Where is it?", "Price?"]));
        assert_eq!(checked_questions(one("en", &[" "])).unwrap_or(one("x", &[])), Questions::new());
        let fits = "问".repeat(QUESTION_CHARS_MAX);
        assert!(checked_questions(one("zh-CN", &[&fits])).is_ok());
        let seven = ["1", "2", "3", "4", "5", "6", "7"];
        for bad in [
            one("en", &[&"x".repeat(QUESTION_CHARS_MAX + 1)]),
            one("en", &seven),
            one("en_US", &["x"]),
            one("en", &["two\nlines"]),
        ] {
            assert!(checked_questions(bad.clone()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_look_is_a_colour_and_a_file_and_nothing_else() {
        for (accent, ok) in
            [("", true), ("#1a2B3c", true), ("red", false), ("#12345", false), ("#12345g", false)]
        {
            let look = Look { accent: accent.to_owned(), ..Look::default() };
            assert_eq!(checked_look(look).is_ok(), ok, "{accent}");
        }
        let look = Look { logo: "../secret".to_owned(), ..Look::default() };
        assert!(checked_look(look).is_err());
    }
}
