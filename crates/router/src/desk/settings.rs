//! Every figure of session routing. The registry of settings fills it in per account.

use frontdesk_core::limits;

/// The figures of one account; all times are positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskSettings {
    /// How long an owner has for an answer after getting a session in which the visitor waits; then
    /// it goes to the next agent.
    pub first_answer_ms: i64,
    /// The same for every later message, once this owner has answered.
    pub follow_up_ms: i64,
    /// The same for a bot, after each message; then the session goes to people.
    pub bot_answer_ms: i64,
    /// How long an agent counts as present after the last connection is lost: a reload takes seconds.
    pub presence_grace_ms: i64,
    /// When a session closes by itself, after the last message, while the visitor does not wait.
    pub idle_close_ms: i64,
    /// How long before that the visitor is told.
    pub idle_warn_ms: i64,
    /// After this time in a queue, agents without the wanted skills get the session too.
    pub queue_ms: i64,
    /// A session nobody was online for becomes urgent after this time.
    pub unattended_ms: i64,
    /// Visitors are told their new places at most this often: a moving queue moves many places.
    pub places_interval_ms: i64,
    /// Departures older than this say nothing about today's pace.
    pub estimate_window_ms: i64,
    /// A proposal without an answer for this long counts as lost; making it again is safe because it
    /// names the version it expects.
    pub in_flight_ms: i64,
    /// How long to wait after a refused proposal, in case the newer state does not arrive.
    pub retry_ms: i64,
    /// How late something may happen before the watchdog reports it.
    pub watchdog_slack_ms: i64,
}

impl Default for DeskSettings {
    fn default() -> Self {
        const SECOND_MS: i64 = 1_000;
        const MINUTE_MS: i64 = 60 * SECOND_MS;
        Self {
            first_answer_ms: limits::FIRST_ANSWER_MS,
            follow_up_ms: 30 * MINUTE_MS,
            bot_answer_ms: limits::BOT_ANSWER_MS,
            presence_grace_ms: limits::PRESENCE_GRACE_MS,
            idle_close_ms: limits::IDLE_CLOSE_MS,
            idle_warn_ms: limits::IDLE_WARN_MS,
            queue_ms: 2 * MINUTE_MS,
            unattended_ms: limits::UNATTENDED_DEADLINE_MS,
            places_interval_ms: SECOND_MS,
            estimate_window_ms: 30 * MINUTE_MS,
            in_flight_ms: 10 * SECOND_MS,
            retry_ms: SECOND_MS,
            watchdog_slack_ms: 10 * SECOND_MS,
        }
    }
}
