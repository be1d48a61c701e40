//! What language models cost an account, day by day: tokens, requests, and those that failed; and the tokens of each
//! conversation.

use frontdesk_core::id::{AccountId, ConversationId};

use crate::{
    catalog::Catalog,
    error::{Doing, Error, is_referenced},
    mysql::again,
    rows,
    sql::{self, Dialects},
    store::Lock,
};

/// Days that are kept.
pub const SPEND_DAYS_MAX: i64 = 400;

/// Days without a question after which what a conversation took is forgotten.
pub const CONVERSATION_DAYS_MAX: i64 = 90;

/// The highest number of a day, which a number in JSON still holds exactly; whatever would be more stays at it.
const SPENT_MAX: i64 = 1_000_000_000_000_000;

/// Tokens and requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LlmSpend {
    /// Tokens of what the model was asked.
    pub tokens_in: u64,
    /// Tokens of what it answered.
    pub tokens_out: u64,
    /// Requests, those that failed too.
    pub requests: u64,
    /// Requests without a useful answer.
    pub failures: u64,
}

/// That of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LlmSpendDay {
    /// Days since 1970, UTC.
    pub day: i64,
    /// What was spent.
    pub spend: LlmSpend,
}

// What was there is cut to the room beside what comes, so that no sum is too large for its column.
const ADD: Dialects = Dialects {
    sqlite: "INSERT INTO llm_spend (account, day, tokens_in, tokens_out, requests, failures) \
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account, day) DO UPDATE SET \
             tokens_in = MIN(tokens_in, ?) + excluded.tokens_in, \
             tokens_out = MIN(tokens_out, ?) + excluded.tokens_out, \
             requests = MIN(requests, ?) + excluded.requests, \
             failures = MIN(failures, ?) + excluded.failures",
    mysql: "INSERT INTO llm_spend (account, day, tokens_in, tokens_out, requests, failures) \
            VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
            tokens_in = LEAST(tokens_in, ?) + VALUES(tokens_in), \
            tokens_out = LEAST(tokens_out, ?) + VALUES(tokens_out), \
            requests = LEAST(requests, ?) + VALUES(requests), \
            failures = LEAST(failures, ?) + VALUES(failures)",
};

const ADD_TO_CONVERSATION: Dialects = Dialects {
    sqlite: "INSERT INTO llm_conversations (account, conversation, tokens, day) \
             VALUES (?, ?, ?, ?) ON CONFLICT (account, conversation) DO UPDATE SET \
             tokens = MIN(tokens, ?) + excluded.tokens, day = MAX(day, excluded.day)",
    mysql: "INSERT INTO llm_conversations (account, conversation, tokens, day) \
            VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
            tokens = LEAST(tokens, ?) + VALUES(tokens), day = GREATEST(day, VALUES(day))",
};

impl Catalog {
    /// Adds what was spent on a day (since 1970, UTC). An account that is gone meanwhile is no error.
    pub async fn add_llm_spend(
        &self,
        account: AccountId,
        day: i64,
        spend: LlmSpend,
    ) -> Result<(), Error> {
        again(|| Box::pin(self.add_spend(account, day, spend))).await
    }

    async fn add_spend(&self, account: AccountId, day: i64, spend: LlmSpend) -> Result<(), Error> {
        const DOING: &str = "count what a language model costs";
        let numbers = [spend.tokens_in, spend.tokens_out, spend.requests, spend.failures];
        let [tokens_in, tokens_out, requests, failures] =
            numbers.map(|number| i64::try_from(number).unwrap_or(SPENT_MAX).min(SPENT_MAX));
        let mut write = self.write_aside(DOING, Lock::Rows).await?;
        let added = sql::query(ADD)
            .bind(account.to_string())
            .bind(day)
            .bind(tokens_in)
            .bind(tokens_out)
            .bind(requests)
            .bind(failures)
            .bind(SPENT_MAX - tokens_in)
            .bind(SPENT_MAX - tokens_out)
            .bind(SPENT_MAX - requests)
            .bind(SPENT_MAX - failures)
            .execute(&mut write)
            .await;
        match added {
            Err(source) if is_referenced(&source) => return Ok(()),
            other => other.doing(DOING)?,
        };
        sql::query("DELETE FROM llm_spend WHERE account = ? AND day <= ?")
            .bind(account.to_string())
            .bind(day - SPEND_DAYS_MAX)
            .execute(&mut write)
            .await
            .doing(DOING)?;
        write.commit().await.doing(DOING)
    }

    /// Lists what was spent from a day (since 1970, UTC) on, by day; days without any are absent.
    pub async fn llm_spend(
        &self,
        account: AccountId,
        since_day: i64,
    ) -> Result<Vec<LlmSpendDay>, Error> {
        sql::query("SELECT * FROM llm_spend WHERE account = ? AND day >= ? ORDER BY day")
            .bind(account.to_string())
            .bind(since_day)
            .fetch_all(self.reads())
            .await
            .doing("read what a language model costs")?
            .iter()
            .map(|row| {
                Ok(LlmSpendDay {
                    day: rows::int(row, "day")?,
                    spend: LlmSpend {
                        tokens_in: rows::number(row, "tokens_in")?,
                        tokens_out: rows::number(row, "tokens_out")?,
                        requests: rows::number(row, "requests")?,
                        failures: rows::number(row, "failures")?,
                    },
                })
            })
            .collect()
    }

    /// Adds the tokens that conversations took, on a day (since 1970, UTC). An account that is gone meanwhile is no error.
    pub async fn add_llm_tokens(
        &self,
        account: AccountId,
        day: i64,
        conversations: &[(ConversationId, u64)],
    ) -> Result<(), Error> {
        again(|| Box::pin(self.add_tokens(account, day, conversations))).await
    }

    async fn add_tokens(
        &self,
        account: AccountId,
        day: i64,
        conversations: &[(ConversationId, u64)],
    ) -> Result<(), Error> {
        const DOING: &str = "count what a language model costs a conversation";
        let mut write = self.write_aside(DOING, Lock::Rows).await?;
        for (conversation, tokens) in conversations {
            let tokens = i64::try_from(*tokens).unwrap_or(SPENT_MAX).min(SPENT_MAX);
            let added = sql::query(ADD_TO_CONVERSATION)
                .bind(account.to_string())
                .bind(conversation.to_string())
                .bind(tokens)
                .bind(day)
                .bind(SPENT_MAX - tokens)
                .execute(&mut write)
                .await;
            match added {
                Err(source) if is_referenced(&source) => return Ok(()),
                other => other.doing(DOING)?,
            };
        }
        sql::query("DELETE FROM llm_conversations WHERE account = ? AND day <= ?")
            .bind(account.to_string())
            .bind(day - CONVERSATION_DAYS_MAX)
            .execute(&mut write)
            .await
            .doing(DOING)?;
        write.commit().await.doing(DOING)
    }

    /// The tokens a conversation took; 0 where it asked for nothing, or too long ago.
    pub async fn llm_tokens(
        &self,
        account: AccountId,
        conversation: ConversationId,
    ) -> Result<u64, Error> {
        let tokens: Option<i64> = sql::scalar(
            "SELECT tokens FROM llm_conversations WHERE account = ? AND conversation = ?",
        )
        .bind(account.to_string())
        .bind(conversation.to_string())
        .fetch_optional(self.reads())
        .await
        .doing("read what a language model costs a conversation")?;
        Ok(tokens.map_or(0, i64::unsigned_abs))
    }
}
