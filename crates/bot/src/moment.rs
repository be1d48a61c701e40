//! The circumstances of a message: language, intent, whether somebody of the team is there.

use crate::Language;

const DAY_MS: i64 = 86_400_000;

/// What holds when a visitor writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment<'a> {
    /// UTC.
    pub now_ms: i64,
    /// The visitor's, a BCP 47 tag.
    pub language: &'a str,
    /// What the session was sorted as.
    pub intent: Option<&'a str>,
    /// Whether people are there to take over.
    pub attended: bool,
    /// Whether the team can reach the visitor by e-mail or phone.
    pub contact_known: bool,
    /// When they are there next, where that is known.
    pub opens_at: Option<OpensAt>,
}

/// When a team is there next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpensAt {
    /// UTC.
    pub at_ms: i64,
    /// What the team's clocks are ahead of UTC.
    pub utc_offset_minutes: i32,
}

impl OpensAt {
    /// In words, by the team's clocks: "9:00 tomorrow".
    pub(crate) fn in_words(self, now_ms: i64, language: Language) -> String {
        let offset_ms = i64::from(self.utc_offset_minutes) * 60_000;
        let local = self.at_ms.saturating_add(offset_ms);
        let (day, minute) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS) / 60_000);
        let today = now_ms.saturating_add(offset_ms).div_euclid(DAY_MS);
        let time = format!("{}:{:02}", minute / 60, minute % 60);
        let (month, date) = month_and_date(day);
        // 1 January 1970 was a Thursday.
        let weekday = (day + 3).rem_euclid(7) as usize;
        match (day - today, language) {
            (0, Language::English) => format!("{time} today"),
            (1, Language::English) => format!("{time} tomorrow"),
            (2..=6, Language::English) => format!("{time} on {}", WEEKDAYS[weekday].0),
            (_, Language::English) => format!("{time} on {date} {}", MONTHS[month]),
            (0, Language::Chinese) => format!("今天 {time}"),
            (1, Language::Chinese) => format!("明天 {time}"),
            (2..=6, Language::Chinese) => format!("{} {time}", WEEKDAYS[weekday].1),
            (_, Language::Chinese) => format!("{} 月 {date} 日 {time}", month + 1),
        }
    }
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("Monday", "周一"),
    ("Tuesday", "周二"),
    ("Wednesday", "周三"),
    ("Thursday", "周四"),
    ("Friday", "周五"),
    ("Saturday", "周六"),
    ("Sunday", "周日"),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Month from 0 and date from 1 of a day counted from 1 January 1970. Years are counted from March, so that the day
/// that comes and goes is the last one of them.
fn month_and_date(day: i64) -> (usize, i64) {
    let of_era = (day + 719_468).rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * from_march + 2) / 5 + 1;
    (((from_march + 2) % 12) as usize, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Friday, 28 February 2025, 20:00 UTC.
    const NOW: i64 = 1_740_772_800_000;
    const HOUR: i64 = 3_600_000;

    #[test]
    fn the_next_opening_is_said_by_the_teams_clocks() {
        for (hours, offset, english, chinese) in [
            (2, 0, "22:00 today", "今天 22:00"),
            (13, 0, "9:00 tomorrow", "明天 9:00"),
            (61, 0, "9:00 on Monday", "周一 9:00"),
            (24 * 9, 0, "20:00 on 9 March", "3 月 9 日 20:00"),
            // It is already tomorrow there, 4:00.
            (5, 480, "9:00 today", "今天 9:00"),
            (13, 330, "14:30 today", "今天 14:30"),
            (13, -300, "4:00 tomorrow", "明天 4:00"),
            // Past: a date is never wrong.
            (-48, 0, "20:00 on 26 February", "2 月 26 日 20:00"),
        ] {
            let opens = OpensAt { at_ms: NOW + hours * HOUR, utc_offset_minutes: offset };
            assert_eq!(opens.in_words(NOW, Language::English), english);
            assert_eq!(opens.in_words(NOW, Language::Chinese), chinese);
        }
    }

    #[test]
    fn dates_are_right_around_leap_days_and_at_the_ends_of_time() {
        for (day, month, date) in
            [(0, 0, 1), (59, 2, 1), (789, 1, 29), (790, 2, 1), (-1, 11, 31), (20_147, 1, 28)]
        {
            assert_eq!(month_and_date(day), (month, date), "{day}");
        }
        for at_ms in [i64::MIN, i64::MAX] {
            let opens = OpensAt { at_ms, utc_offset_minutes: i32::MAX };
            assert!(!opens.in_words(0, Language::English).is_empty());
        }
    }
}
