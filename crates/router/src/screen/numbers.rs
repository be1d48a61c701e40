//! Numbers of payment cards and of identity documents of mainland China, told from other digits by their length,
//! their first digits and their check digit. Digits may be set in groups; each group belongs to a number whole or
//! not at all.

use super::fold::{digit, is_unseen};

/// Digits of a number that stay, so that both sides know which one it is.
const KEPT: usize = 4;
/// Digits of a card.
const CARD: std::ops::RangeInclusive<usize> = 13..=19;
/// Digits of an identity number, the check digit included; the old form has none.
const ID_DIGITS: usize = 18;
const OLD_ID_DIGITS: usize = 15;
/// Signs that may stand between two groups.
const SIGNS_MAX: usize = 3;
/// Digits that may be seen of a number that is still being typed: the issuer, or the region.
const SHOWN: usize = 6;
/// The value of the check digit X.
const X: u8 = 10;

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Card,
    Id { old_form: bool },
}

/// One digit of a text.
#[derive(Debug, Clone, Copy)]
struct Digit {
    value: u8,
    start: usize,
    end: usize,
    /// Whether it is the first of its group.
    begins: bool,
}

/// Digits of a text that may belong together, group by group.
#[derive(Debug, Default)]
pub(super) struct Runs {
    digits: Vec<Digit>,
    /// Where runs end in `digits`.
    ends: Vec<usize>,
}

impl Runs {
    /// Reads the digits of a text; nothing is kept of runs shorter than `min`.
    pub(super) fn of(text: &str, min: usize) -> Self {
        let mut runs = Self::default();
        let (mut run, mut signs, mut begins) = (0, 0, true);
        for (start, character) in text.char_indices() {
            let end = start + character.len_utf8();
            if let Some(value) = digit(character) {
                runs.digits.push(Digit { value, start, end, begins });
                (signs, begins) = (0, false);
            } else if matches!(character, 'x' | 'X' | 'ｘ' | 'Ｘ')
                && runs.digits.len() > run
                && signs == 0
            {
                // The last one of an identity number, and of no other.
                runs.digits.push(Digit { value: X, start, end, begins });
                runs.close(&mut run, min);
                begins = true;
            } else if runs.digits.len() > run && is_sign(character) && signs < SIGNS_MAX {
                (signs, begins) = (signs + 1, true);
            } else {
                runs.close(&mut run, min);
                (signs, begins) = (0, true);
            }
        }
        runs.close(&mut run, min);
        runs
    }

    fn close(&mut self, run: &mut usize, min: usize) {
        if self.digits.len() - *run < min {
            self.digits.truncate(*run);
        } else {
            self.ends.push(self.digits.len());
        }
        *run = self.digits.len();
    }

    fn each(&self) -> impl Iterator<Item = &[Digit]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.digits[start..*end])
    }

    /// Calls `mask` with the place of each digit that must not be seen, and says whether there was a number.
    pub(super) fn look(&self, number: Number, mut mask: impl FnMut(usize, usize)) -> bool {
        let mut found = false;
        for run in self.each() {
            let mut start = 0;
            while start < run.len() {
                let ends = (start + 1..=run.len().min(start + CARD.end()))
                    .rev()
                    // A letter behind a card is no digit of it.
                    .filter(|end| run.get(*end).is_none_or(|next| next.begins || next.value == X));
                let end =
                    ends.filter(|_| run[start].begins).find(|end| number.is(&run[start..*end]));
                match end {
                    Some(end) => {
                        run[start..end - KEPT].iter().for_each(|of| mask(of.start, of.end));
                        (found, start) = (true, end);
                    }
                    None => start += 1,
                }
            }
        }
        found
    }

    /// Calls `mask` with the place of each digit that must not be seen while a number is being typed: it may still
    /// become a card's, and what is seen bit by bit is seen in the end.
    pub(super) fn hide_unfinished(&self, mut mask: impl FnMut(usize, usize)) {
        for run in self.each() {
            run.iter().skip(SHOWN).for_each(|of| mask(of.start, of.end));
        }
    }
}

/// Runs of so many digits can hold something to look for; of unfinished ones, something to hide.
pub(super) const RUN_MIN: usize = 13;
pub(super) const UNFINISHED_RUN_MIN: usize = SHOWN + 1;

/// What groups of digits are set apart by. Not by lines: a column of figures is no number.
fn is_sign(character: char) -> bool {
    match character {
        '-' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => true,
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => false,
        _ => character.is_whitespace() || is_unseen(character),
    }
}

impl Number {
    fn is(self, digits: &[Digit]) -> bool {
        match self {
            Self::Card => is_card(digits),
            Self::Id { old_form } => is_id(digits) || (old_form && is_old_id(digits)),
        }
    }
}

fn number(digits: &[Digit]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit.value))
}

fn is_card(digits: &[Digit]) -> bool {
    CARD.contains(&digits.len())
        && digits.iter().all(|digit| digit.value != X)
        && has_issuer(number(&digits[..6]), digits.len())
        && is_luhn(digits)
}

/// Known issuers by the first six digits, each with the lengths it gives out.
fn has_issuer(first: u32, length: usize) -> bool {
    let four = first / 100;
    match first / 10_000 {
        // Visa.
        40..=49 => matches!(length, 13 | 16 | 19),
        // Mastercard.
        51..=55 => length == 16,
        // American Express, Diners Club.
        34 | 37 => length == 15,
        36 => (14..=19).contains(&length),
        30 => matches!(four, 3000..=3059 | 3095) && (14..=19).contains(&length),
        38 | 39 => (14..=19).contains(&length),
        // JCB.
        35 => matches!(four, 3528..=3589) && (16..=19).contains(&length),
        // Mastercard from 2017 on, Mir.
        22..=27 => matches!(four, 2200..=2204 | 2221..=2720) && (16..=19).contains(&length),
        // UnionPay.
        62 | 81 => (16..=19).contains(&length),
        // Discover, RuPay, and cards of Chinese banks from before UnionPay.
        60 | 64 | 65 => (16..=19).contains(&length),
        95 => four == 9558 && length == 19,
        97 => four == 9792 && length == 16,
        // Maestro.
        50 | 56..=58 | 61 | 63 | 66..=69 => (13..=19).contains(&length),
        _ => false,
    }
}

fn is_luhn(digits: &[Digit]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit.value) * (1 + place as u32 % 2);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// GB 11643: region, date of birth, serial number, check digit.
fn is_id(digits: &[Digit]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    if digits.len() != ID_DIGITS || digits[..17].iter().any(|digit| digit.value == X) {
        return false;
    }
    let sum: u32 =
        digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit.value) * weight).sum();
    u32::from(digits[17].value) == (12 - sum % 11) % 11
        && is_region(number(&digits[..2]))
        && is_date(number(&digits[6..10]), number(&digits[10..12]), number(&digits[12..14]))
}

/// The form of before 1999: two digits of the year, no check digit.
fn is_old_id(digits: &[Digit]) -> bool {
    digits.len() == OLD_ID_DIGITS
        && digits.iter().all(|digit| digit.value != X)
        && is_region(number(&digits[..2]))
        && is_date(1900 + number(&digits[6..8]), number(&digits[8..10]), number(&digits[10..12]))
}

fn is_region(province: u32) -> bool {
    matches!(
        province,
        11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83
    )
}

/// A day somebody who is alive may have been born on.
fn is_date(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1900..=2099).contains(&year) && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with what is hidden as asterisks.
    fn masked(number: Number, text: &str) -> Option<String> {
        let mut bytes = text.as_bytes().to_vec();
        let found = Runs::of(text, RUN_MIN).look(number, |start, end| bytes[start..end].fill(b'*'));
        found.then(|| String::from_utf8(bytes).expect("ASCII"))
    }

    fn is(number: Number, text: &str) -> bool {
        masked(number, text).is_some()
    }

    const ID: Number = Number::Id { old_form: false };
    const OLD: Number = Number::Id { old_form: true };

    #[test]
    fn cards_are_found_in_any_grouping_and_keep_four_digits() {
        for (text, expected) in [
            ("4111111111111111", "************1111"),
            ("my card: 4111 1111 1111 1111.", "my card: **** **** **** 1111."),
            ("4111-1111-1111-1111", "****-****-****-1111"),
            ("3782 822463 10005", "**** ****** *0005"),
            ("12 4111 1111 1111 1111 99", "12 **** **** **** 1111 99"),
            ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "* * * * * * * * * * * * 1 1 1 1"),
            ("4111111111111111, 5555555555554444", "************1111, ************4444"),
            ("visa4111111111111111x", "visa************1111x"),
            ("2026-05-01 4111 1111 1111 1111", "2026-05-01 **** **** **** 1111"),
        ] {
            assert_eq!(masked(Number::Card, text).as_deref(), Some(expected), "{text}");
        }
        for card in [
            "4222222222222",
            "5105105105105100",
            "2223003122003222",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "36070500001020",
            "6200000000000005",
            "6222021234567890003",
            "２２２３００３１２２００３２２２",
        ] {
            let mut hidden = 0;
            assert!(Runs::of(card, RUN_MIN).look(Number::Card, |_, _| hidden += 1), "{card}");
            assert_eq!(hidden, card.chars().count() - KEPT, "{card}");
        }
    }

    #[test]
    fn other_numbers_are_no_cards() {
        for text in [
            "4111111111111112",     // check digit
            "1111111111111117",     // issuer
            "0000000000000000",     // issuer
            "411111111111",         // too short
            "41111111111111111111", // too long
            "41111111111111119",    // part of another
            "4111 1111\n1111 1111", // a column
            "4111,1111,1111,1111",  // other signs
            "4111    1111 1111 1111",
            "13800138000",
            "order 2026050112345678",
        ] {
            assert!(!is(Number::Card, text), "{text}");
        }
    }

    #[test]
    fn identity_numbers_have_region_date_and_check_digit() {
        for (text, expected) in [
            ("11010519491231002X", "**************002X"),
            ("身份证11010519491231002x。", "身份证**************002x。"),
            ("440524 18800101 0014", ""),
            ("440308 1999 0101 0012", "****** **** **** 0012"),
        ] {
            let mut out = text.as_bytes().to_vec();
            let found = Runs::of(text, RUN_MIN).look(ID, |start, end| out[start..end].fill(b'*'));
            let out = String::from_utf8(out).expect("digits are ASCII");
            assert_eq!(if found { out.as_str() } else { "" }, expected, "{text}");
        }
        for text in [
            "110105194912310021",  // check digit
            "99010519491231002X",  // region
            "110105194913310021",  // month
            "1101051949123100X",   // length
            "110105194912310020X", // length
        ] {
            assert!(!is(ID, text), "{text}");
        }
        assert!(is_date(2000, 2, 29) && !is_date(1900, 2, 29) && !is_date(2001, 4, 31));
    }

    #[test]
    fn the_old_form_is_looked_for_only_where_wanted() {
        assert!(is(OLD, "110105491231002") && !is(ID, "110105491231002"));
        assert!(!is(OLD, "110105491331002") && !is(OLD, "990105491231002"));
        assert!(is(OLD, "11010519491231002X"));
    }

    #[test]
    fn of_an_unfinished_number_six_digits_are_seen() {
        let hidden = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            let runs = Runs::of(text, UNFINISHED_RUN_MIN);
            runs.hide_unfinished(|start, end| bytes[start..end].fill(b'*'));
            String::from_utf8(bytes).expect("ASCII")
        };
        assert_eq!(hidden("4111 11"), "4111 11");
        assert_eq!(hidden("at 4111 1111 1"), "at 4111 11** *");
        assert_eq!(hidden("4111 1111 1111 1111"), "4111 11** **** ****");
    }
}
