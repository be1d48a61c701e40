//! What tokens are left. They are reserved by an estimate before a question is sent and settled by what the endpoint
//! counted, so that many at a time cannot spend more than one after the other.
//!
//! In memory. Whoever keeps it on a disk takes what is new with [`Budget::drain`], adds it to the stored row of its day
//! and gives the row back with [`Budget::load`]; so several processes see each other's spending. The same goes for
//! conversations, by [`Budget::drain_conversations`] and, before each question, [`Budget::load_conversation`].

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{Error, Usage};

/// Conversations whose tokens are remembered. Beyond it those that asked least recently are forgotten, with what was not
/// drained yet; the day's limit counts them all the same.
pub const CONVERSATIONS_MAX: usize = 10_000;
/// How many of them go at a time, so that looking for them is rare.
const FORGOTTEN: usize = CONVERSATIONS_MAX / 10;
/// Days that wait to be drained; the oldest goes first.
const DAYS_MAX: usize = 8;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What one day (UTC) cost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spend {
    /// `2026-08-31`.
    pub date: String,
    /// Of prompts.
    pub tokens_in: u64,
    /// Of answers.
    pub tokens_out: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Those of them that brought no answer.
    pub failures: u64,
}

impl Spend {
    /// The day of a moment.
    pub fn date_of(now_ms: u64) -> String {
        date(now_ms / DAY_MS)
    }

    /// All tokens.
    pub fn tokens(&self) -> u64 {
        self.tokens_in.saturating_add(self.tokens_out)
    }

    fn add(&mut self, other: &Self) {
        self.tokens_in = self.tokens_in.saturating_add(other.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(other.tokens_out);
        self.requests = self.requests.saturating_add(other.requests);
        self.failures = self.failures.saturating_add(other.failures);
    }
}

/// Guesses the tokens of a text: two characters of Chinese, Japanese or Korean are one, and four of anything else.
pub fn estimate(text: &str) -> u64 {
    let dense = |&c: &char| matches!(u32::from(c), 0x1100..=0x11ff | 0x2e80..=0xd7ff | 0xf900..=0xfaff | 0xff00..=0xffef | 0x2_0000..=0x3_ffff);
    let (cjk, all) = (text.chars().filter(dense).count(), text.chars().count());
    (2 * cjk + (all - cjk)).div_ceil(4) as u64
}

/// The limits a reservation has to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) conversation_tokens: u64,
    pub(crate) day_tokens: u64,
}

/// See the module. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Today; it never goes back.
    day: u64,
    /// Of today, that of others as loaded included.
    today: Spend,
    /// Held by requests on their way.
    reserved: u64,
    /// By day, what was not drained yet.
    fresh: BTreeMap<u64, Spend>,
    conversations: HashMap<String, Conversation>,
    /// Rises with each use of a conversation.
    uses: u64,
}

#[derive(Debug, Default)]
struct Conversation {
    spent: u64,
    /// Of that, what was not drained yet.
    fresh: u64,
    reserved: u64,
    used: u64,
}

impl Budget {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what a day cost as it is stored, all processes together. A day that is over is left alone.
    pub fn load(&self, stored: &Spend, now_ms: u64) {
        let mut state = self.state.lock();
        state.turn(now_ms);
        if stored.date != date(state.day) {
            return;
        }
        let mut today = stored.clone();
        if let Some(fresh) = state.fresh.get(&state.day) {
            today.add(fresh);
        }
        state.today = today;
    }

    /// Takes what came since the last call, by day, to be added to what is stored.
    pub fn drain(&self) -> Vec<Spend> {
        std::mem::take(&mut self.state.lock().fresh).into_values().collect()
    }

    /// Gives back what was drained and could not be stored.
    pub fn undrain(&self, spends: Vec<Spend>) {
        let mut state = self.state.lock();
        for spend in spends {
            if let Some(day) = day_of(&spend.date) {
                state.fresh(day).add(&spend);
            }
        }
    }

    /// What today cost so far.
    pub fn today(&self, now_ms: u64) -> Spend {
        let mut state = self.state.lock();
        state.turn(now_ms);
        state.today.clone()
    }

    /// What a conversation cost so far; 0 if it is not remembered.
    pub fn conversation_tokens(&self, conversation: &str) -> u64 {
        self.state.lock().conversations.get(conversation).map_or(0, |found| found.spent)
    }

    /// Sets what a conversation cost as it is stored, all processes together.
    pub fn load_conversation(&self, conversation: &str, stored: u64) {
        let mut state = self.state.lock();
        let found = state.conversation(conversation);
        // What is being stored at this moment is in neither of the two; nothing ever becomes less.
        found.spent = found.spent.max(stored.saturating_add(found.fresh));
    }

    /// Takes what conversations cost since the last call, to be added to what is stored.
    pub fn drain_conversations(&self) -> Vec<(String, u64)> {
        let mut state = self.state.lock();
        let fresh = state.conversations.iter_mut().filter(|(_, found)| found.fresh > 0);
        fresh.map(|(id, found)| (id.clone(), std::mem::take(&mut found.fresh))).collect()
    }

    /// Gives back what was drained and could not be stored.
    pub fn undrain_conversations(&self, conversations: Vec<(String, u64)>) {
        let mut state = self.state.lock();
        for (id, tokens) in conversations {
            let found = state.conversation(&id);
            found.fresh = found.fresh.saturating_add(tokens);
            found.spent = found.spent.max(found.fresh);
        }
    }

    /// Holds the tokens of a request. With no conversation only the day counts.
    pub(crate) fn reserve(
        &self,
        conversation: Option<&str>,
        tokens: u64,
        limits: Limits,
        now_ms: u64,
    ) -> Result<Reservation, Error> {
        let mut state = self.state.lock();
        state.turn(now_ms);
        let day = state.today.tokens().saturating_add(state.reserved).saturating_add(tokens);
        if day > limits.day_tokens {
            return Err(Error::BudgetDay);
        }
        if let Some(conversation) = conversation {
            let found = state.conversation(conversation);
            let all = found.spent.saturating_add(found.reserved).saturating_add(tokens);
            if all > limits.conversation_tokens {
                return Err(Error::BudgetConversation);
            }
            found.reserved += tokens;
        }
        state.reserved += tokens;
        let day = state.day;
        drop(state);
        let conversation = conversation.map(str::to_owned);
        let budget = self.clone();
        Ok(Reservation { budget, conversation, day, tokens, sent: None })
    }
}

impl State {
    fn turn(&mut self, now_ms: u64) {
        let day = now_ms / DAY_MS;
        if day > self.day || self.today.date.is_empty() {
            self.day = day;
            self.today = Spend { date: date(day), ..Spend::default() };
        }
    }

    fn fresh(&mut self, day: u64) -> &mut Spend {
        if self.fresh.len() >= DAYS_MAX && !self.fresh.contains_key(&day) {
            self.fresh.pop_first();
        }
        self.fresh.entry(day).or_insert_with(|| Spend { date: date(day), ..Spend::default() })
    }

    fn conversation(&mut self, id: &str) -> &mut Conversation {
        self.uses += 1;
        if self.conversations.len() >= CONVERSATIONS_MAX && !self.conversations.contains_key(id) {
            self.forget();
        }
        let found = self.conversations.entry(id.to_owned()).or_default();
        found.used = self.uses;
        found
    }

    /// Forgets those that asked least recently and have nothing on its way.
    fn forget(&mut self) {
        let idle = self.conversations.values().filter(|found| found.reserved == 0);
        let mut used: Vec<u64> = idle.map(|found| found.used).collect();
        used.sort_unstable();
        let Some(&last) = used.get(FORGOTTEN.min(used.len()).saturating_sub(1)) else { return };
        self.conversations.retain(|_, found| found.reserved > 0 || found.used > last);
    }

    fn settle(&mut self, reservation: &Reservation, spend: &Spend) {
        self.reserved = self.reserved.saturating_sub(reservation.tokens);
        if let Some(id) = &reservation.conversation
            && let Some(found) = self.conversations.get_mut(id)
        {
            found.reserved = found.reserved.saturating_sub(reservation.tokens);
            found.spent = found.spent.saturating_add(spend.tokens());
            found.fresh = found.fresh.saturating_add(spend.tokens());
        }
        if reservation.day == self.day {
            self.today.add(spend);
        }
        self.fresh(reservation.day).add(spend);
    }
}

/// Tokens held for one request. Dropped, it charges what is known so far: a vendor counts what it began, too.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Budget,
    conversation: Option<String>,
    day: u64,
    tokens: u64,
    sent: Option<(Usage, bool)>,
}

impl Reservation {
    /// The request is on its way, or got further.
    pub(crate) fn so_far(&mut self, usage: Usage) {
        self.sent = Some((usage, false));
    }

    pub(crate) fn settle(mut self, usage: Usage) {
        self.sent = Some((usage, false));
    }

    pub(crate) fn fail(mut self, usage: Usage) {
        self.sent = Some((usage, true));
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let spend = self.sent.map(|(usage, failed)| Spend {
            date: String::new(),
            tokens_in: usage.tokens_in,
            tokens_out: usage.tokens_out,
            requests: 1,
            failures: u64::from(failed),
        });
        let mut state = self.budget.state.lock();
        match spend {
            Some(spend) => state.settle(self, &spend),
            // Never sent: only the place is given back.
            None => state.release(self),
        }
    }
}

impl State {
    fn release(&mut self, reservation: &Reservation) {
        self.reserved = self.reserved.saturating_sub(reservation.tokens);
        if let Some(id) = &reservation.conversation
            && let Some(found) = self.conversations.get_mut(id)
        {
            found.reserved = found.reserved.saturating_sub(reservation.tokens);
        }
    }
}

/// The date of a day since 1970, by Hinnant's arithmetic of eras: years begin in March, so the odd day is the last.
fn date(day: u64) -> String {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The reverse, for what was drained: only a date as [`date`] writes it.
fn day_of(text: &str) -> Option<u64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let shifted = year.checked_sub(u64::from(month <= 2))?;
    let (era, of_era) = (shifted / 400, shifted % 400);
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day.checked_sub(1)?;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    let days = (era * 146_097 + of_era).checked_sub(719_468)?;
    (date(days) == text).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 20_000 * DAY_MS + DAY_MS / 2;
    const LIMITS: Limits = Limits { conversation_tokens: 1_000, day_tokens: 2_500 };

    fn usage(tokens_in: u64, tokens_out: u64) -> Usage {
        Usage { tokens_in, tokens_out, counted: true }
    }

    fn reserve(budget: &Budget, id: &str, tokens: u64) -> Result<Reservation, Error> {
        budget.reserve(Some(id), tokens, LIMITS, NOON)
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (day, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (10_957, "2000-01-01"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(day), text);
            assert_eq!(day_of(text), Some(day), "{text}");
        }
        for wrong in ["", "2026", "2026-02-30", "2026-13-01", "2026-1-1", "1969-12-31", "x-y-z"] {
            assert_eq!(day_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn tokens_are_guessed_by_script() {
        for (text, expected) in [
            ("", 0),
            ("a", 1),
            ("abcd", 1),
            ("abcde", 2),
            ("退货", 1),
            ("退货吗", 2),
            ("退货 ok", 2),
        ] {
            assert_eq!(estimate(text), expected, "{text}");
        }
    }

    #[test]
    fn many_at_a_time_spend_no_more_than_one_after_the_other() {
        let budget = Budget::new();
        let first = reserve(&budget, "a", 600).expect("600 of 1000");
        let failed = reserve(&budget, "a", 401).expect_err("1001 of 1000");
        assert_eq!(failed.code(), "llm.budget_conversation");
        let second = reserve(&budget, "a", 400).expect("1000 of 1000");
        let third = reserve(&budget, "b", 1_000).expect("2000 of 2500");
        let failed = reserve(&budget, "c", 501).expect_err("2501 of 2500");
        assert_eq!(failed.code(), "llm.budget_day");
        // It was cheaper than thought: the rest is free again.
        first.settle(usage(50, 50));
        assert_eq!(budget.conversation_tokens("a"), 100);
        drop(reserve(&budget, "a", 500).expect("100 + 400 + 500"));
        second.settle(usage(300, 700));
        assert_eq!(reserve(&budget, "a", 1).expect_err("1101").code(), "llm.budget_conversation");
        third.fail(usage(0, 0));
        assert_eq!(budget.conversation_tokens("b"), 0);
        let today = budget.today(NOON);
        assert_eq!((today.tokens_in, today.tokens_out), (350, 750));
        assert_eq!((today.requests, today.failures), (3, 1));
    }

    #[test]
    fn what_is_dropped_pays_for_what_was_sent() {
        let budget = Budget::new();
        drop(reserve(&budget, "a", 900).expect("a place"));
        assert_eq!(budget.today(NOON), Spend { date: date(20_000), ..Spend::default() });
        let mut sent = reserve(&budget, "a", 900).expect("the place is free again");
        sent.so_far(usage(100, 0));
        sent.so_far(usage(100, 20));
        drop(sent);
        assert_eq!(budget.conversation_tokens("a"), 120);
        assert_eq!(budget.today(NOON).requests, 1);
    }

    #[test]
    fn a_new_day_has_new_tokens_and_an_old_one_is_not_forgotten() {
        let budget = Budget::new();
        reserve(&budget, "a", 500).expect("tokens").settle(usage(1_000, 1_500));
        assert!(matches!(reserve(&budget, "b", 1), Err(Error::BudgetDay)));
        let late = budget.reserve(None, 0, LIMITS, NOON).expect("nothing is always left");
        let tomorrow = NOON + DAY_MS;
        let next = budget.reserve(Some("b"), 500, LIMITS, tomorrow).expect("a new day");
        late.settle(usage(1, 2));
        next.settle(usage(3, 4));
        assert_eq!(budget.today(tomorrow).tokens(), 7);
        // A clock that was set back does not open a day again.
        assert_eq!(budget.today(NOON).date, date(20_001));
        let drained = budget.drain();
        let tokens: Vec<_> =
            drained.iter().map(|spend| (spend.date.as_str(), spend.tokens())).collect();
        assert_eq!(tokens, [("2024-10-04", 2_503), ("2024-10-05", 7)]);
        assert!(budget.drain().is_empty());
    }

    #[test]
    fn what_is_stored_and_what_is_new_count_together() {
        let budget = Budget::new();
        reserve(&budget, "a", 1).expect("tokens").settle(usage(100, 0));
        let mut stored = Spend { date: Spend::date_of(NOON), tokens_in: 2_000, ..Spend::default() };
        budget.load(&stored, NOON);
        assert_eq!(budget.today(NOON).tokens(), 2_100);
        let drained = budget.drain();
        assert_eq!(budget.today(NOON).tokens(), 2_100);
        // It could not be stored: it is still new.
        budget.undrain(drained);
        budget.load(&stored, NOON);
        assert_eq!(budget.today(NOON).tokens(), 2_100);
        for spend in budget.drain() {
            stored.add(&spend);
        }
        stored.tokens_out += 300;
        budget.load(&stored, NOON);
        assert_eq!(budget.today(NOON).tokens(), 2_400);
        budget.load(&Spend { date: "2024-10-03".into(), ..Spend::default() }, NOON);
        assert_eq!(budget.today(NOON).tokens(), 2_400);
        assert!(matches!(reserve(&budget, "b", 101), Err(Error::BudgetDay)));
    }

    #[test]
    fn what_a_conversation_cost_elsewhere_and_here_counts_together() {
        let budget = Budget::new();
        budget.load_conversation("a", 700);
        let failed = reserve(&budget, "a", 301).expect_err("1001 of 1000");
        assert_eq!(failed.code(), "llm.budget_conversation");
        reserve(&budget, "a", 300).expect("1000 of 1000").settle(usage(60, 40));
        // What others store meanwhile comes on top of what is only known here.
        budget.load_conversation("a", 750);
        assert_eq!(budget.conversation_tokens("a"), 850);
        let drained = budget.drain_conversations();
        assert_eq!(drained, [("a".to_owned(), 100)]);
        assert!(budget.drain_conversations().is_empty());
        // Read before it was stored: nothing becomes less.
        budget.load_conversation("a", 750);
        assert_eq!(budget.conversation_tokens("a"), 850);
        budget.undrain_conversations(drained.clone());
        assert_eq!(budget.drain_conversations(), drained);
        budget.load_conversation("a", 850);
        assert_eq!(budget.conversation_tokens("a"), 850);
    }

    #[test]
    fn conversations_that_asked_least_recently_are_forgotten() {
        let budget = Budget::new();
        let limits = Limits { conversation_tokens: 10, day_tokens: u64::MAX };
        let held = budget.reserve(Some("held"), 1, limits, NOON).expect("tokens");
        budget.load_conversation("old", 7);
        for number in 0..CONVERSATIONS_MAX {
            budget.load_conversation(&number.to_string(), 5);
        }
        assert_eq!(budget.conversation_tokens("old"), 0);
        assert_eq!(budget.conversation_tokens(&(CONVERSATIONS_MAX - 1).to_string()), 5);
        assert!(budget.state.lock().conversations.len() <= CONVERSATIONS_MAX);
        held.settle(usage(4, 5));
        assert_eq!(budget.conversation_tokens("held"), 9);
    }

    #[test]
    fn figures_beyond_all_measure_end_the_day() {
        let budget = Budget::new();
        reserve(&budget, "a", 1).expect("tokens").settle(usage(u64::MAX, u64::MAX));
        assert!(matches!(reserve(&budget, "b", 0), Err(Error::BudgetDay)));
    }
}
