//! Whether an inbox is open at a time, and when it opens next, by the clocks of its time zone.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::Hours;

/// Days that are looked through for the next opening: a closed year ends in "not known".
const DAYS_MAX: i32 = 370;

/// How an inbox stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Whether it is open.
    pub is_open: bool,
    /// When it opens next, UTC milliseconds; none while it is open, and where that is not within a year.
    pub opens_at_ms: Option<i64>,
    /// What its clocks are ahead of UTC when it opens, or now.
    pub utc_offset_minutes: i32,
}

impl Hours {
    /// How it stands at a time, UTC milliseconds. A time zone that is not known counts as UTC.
    pub fn at(&self, now_ms: i64) -> Opening {
        let zone = self.zone();
        let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let offset = |at: Timestamp| zone.to_offset(at).seconds() / 60;
        let open = Opening { is_open: true, opens_at_ms: None, utc_offset_minutes: offset(now) };
        if self.week.is_empty() && self.days.is_empty() {
            return open;
        }
        let local = zone.to_datetime(now);
        let today = local.date();
        // A span of yesterday may end today.
        let yesterday = today.saturating_sub(1.day());
        let mut spans = self.spans(yesterday).chain(self.spans(today));
        if spans.any(|(from, to)| from <= local && local < to) {
            return open;
        }
        let later = (0..DAYS_MAX)
            .filter_map(|days| today.checked_add(days.days()).ok())
            .flat_map(|date| self.spans(date))
            .map(|(from, _)| from)
            .find(|from| *from > local)
            .and_then(|from| zone.to_timestamp(from).ok());
        Opening {
            is_open: false,
            opens_at_ms: later.map(Timestamp::as_millisecond),
            utc_offset_minutes: offset(later.unwrap_or(now)),
        }
    }

    fn zone(&self) -> TimeZone {
        if self.time_zone.is_empty() {
            return TimeZone::UTC;
        }
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// The spans that begin on a day, the earliest first.
    fn spans(&self, date: Date) -> impl Iterator<Item = (DateTime, DateTime)> {
        let midnight = date.at(0, 0, 0, 0);
        let special = self.days.iter().find(|day| day.date == date.to_string());
        let mut spans: Vec<(u16, u16)> = match special {
            Some(day) => day.spans.clone(),
            // Days with hours of their own, and none for the others, leave those open.
            None if self.week.is_empty() => vec![(0, 1_440)],
            None => {
                let weekday = date.weekday().to_monday_one_offset();
                let of_day =
                    self.week.iter().filter(|span| i16::from(span.day) == i16::from(weekday));
                of_day.map(|span| (span.from_minute, span.to_minute)).collect()
            }
        };
        spans.sort_unstable();
        let at = move |minute: u16| midnight.saturating_add(i64::from(minute).minutes());
        spans.into_iter().map(move |(from, to)| (at(from), at(to)))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{SpecialDay, WeekSpan},
        *,
    };

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time").as_millisecond()
    }

    fn hours() -> Hours {
        let span = |day, from, to| WeekSpan { day, from_minute: from, to_minute: to };
        let mut week: Vec<WeekSpan> = (1..=5)
            .flat_map(|day| [span(day, 13 * 60, 18 * 60), span(day, 9 * 60, 12 * 60)])
            .collect();
        // From Saturday evening to two in the night.
        week.push(span(6, 20 * 60, 26 * 60));
        let days = vec![SpecialDay { date: "2026-12-25".to_owned(), spans: Vec::new() }];
        Hours { time_zone: "Asia/Shanghai".to_owned(), week, days }
    }

    #[test]
    fn it_opens_by_the_clocks_of_its_time_zone() {
        for (now, opens) in [
            // Monday, 10:00 in Shanghai.
            ("2026-11-30T02:00:00Z", None),
            // The lunch break.
            ("2026-11-30T04:30:00Z", Some("2026-11-30T05:00:00Z")),
            // After six.
            ("2026-11-30T10:00:00Z", Some("2026-12-01T01:00:00Z")),
            // Friday night, then Saturday evening.
            ("2026-12-04T15:00:00Z", Some("2026-12-05T12:00:00Z")),
            // Past midnight, still of Saturday.
            ("2026-12-05T17:59:00Z", None),
            ("2026-12-05T18:00:00Z", Some("2026-12-07T01:00:00Z")),
            // A holiday on a Friday.
            ("2026-12-25T02:00:00Z", Some("2026-12-26T12:00:00Z")),
        ] {
            let opening = hours().at(ms(now));
            assert_eq!(opening.is_open, opens.is_none(), "{now}");
            assert_eq!(opening.opens_at_ms, opens.map(ms), "{now}");
            assert_eq!(opening.utc_offset_minutes, 480);
        }
    }

    #[test]
    fn clocks_that_change_are_followed() {
        let span = WeekSpan { day: 7, from_minute: 9 * 60, to_minute: 10 * 60 };
        let hours =
            Hours { time_zone: "Europe/Berlin".to_owned(), week: vec![span], days: Vec::new() };
        // Summer time begins on Sunday, 29 March 2026.
        let opening = hours.at(ms("2026-03-28T12:00:00Z"));
        assert_eq!(opening.opens_at_ms, Some(ms("2026-03-29T07:00:00Z")));
        assert_eq!(opening.utc_offset_minutes, 120);
    }

    #[test]
    fn without_hours_it_is_open_and_one_that_never_opens_says_nothing() {
        assert!(Hours::default().at(0).is_open);
        let days = vec![SpecialDay { date: "2026-12-25".to_owned(), spans: Vec::new() }];
        let only_holidays = Hours { days, ..Hours::default() };
        assert!(only_holidays.at(ms("2026-12-24T12:00:00Z")).is_open);
        let closed = only_holidays.at(ms("2026-12-25T12:00:00Z"));
        assert_eq!(closed.opens_at_ms, Some(ms("2026-12-26T00:00:00Z")));
        let nowhere = Hours { time_zone: "Mars/Olympus".to_owned(), ..hours() };
        assert_eq!(nowhere.at(ms("2026-11-30T02:00:00Z")).utc_offset_minutes, 0);
        assert!(hours().at(i64::MAX).opens_at_ms.is_none_or(|at_ms| at_ms > 0));
    }
}
