//! The language models of all accounts of this node: made as their accounts say, asked by the bot and for agents, and
//! paid for out of each account's budget, which is written down behind.

use std::{collections::HashMap, sync::Arc, time::Duration};

use frontdesk_api::{
    engine::{AssistKind, LlmTest},
    llm::{self, LlmFeatures, LlmKept},
    token::ServerKey,
};
use frontdesk_catalog::{Catalog, Error as CatalogError, LlmSpend};
use frontdesk_core::id::{AccountId, ConversationId};
use frontdesk_llm::{Budget, Error, Llm, Prompt, Request, Spend};
use frontdesk_outgoing::Client;
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{now_ms, trouble};

/// How long what an account says is believed where nobody said that it changed.
const READ_AGAIN: Duration = Duration::from_mins(1);
/// How often what was spent is written down: of a process that dies so much is forgotten.
const WRITE_EVERY: Duration = Duration::from_secs(2);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// One account's model.
pub(crate) struct Model {
    account: AccountId,
    catalog: Catalog,
    llm: Llm,
    /// What it may be asked for.
    pub(crate) features: LlmFeatures,
    /// What the team tells it.
    pub(crate) prompt: String,
    revision: u64,
}

impl Model {
    /// Its name at its endpoint.
    pub(crate) fn name(&self) -> &str {
        &self.llm.settings().model
    }

    /// The same endpoint's model of another name, paid for out of the same budget.
    pub(crate) fn named(&self, name: &str) -> Result<Self, Error> {
        Ok(Self {
            account: self.account,
            catalog: self.catalog.clone(),
            llm: self.llm.named(name)?,
            features: self.features,
            prompt: self.prompt.clone(),
            revision: self.revision,
        })
    }

    /// Asks it for an answer to a visitor, who waits since then, and for each word no longer than the account says.
    pub(crate) async fn ask_for_visitor(
        &self,
        conversation: ConversationId,
        prompt: Prompt,
        since: Instant,
    ) -> Result<frontdesk_llm::Reply, Error> {
        let wait = Duration::from_millis(self.llm.settings().visitor_wait_ms);
        // The catalog may be slow as well.
        let read = timeout_at(since + wait, self.read_spent(conversation)).await;
        read.map_err(|_| Error::Silent)?;
        let request = Request::new(&conversation.to_string(), prompt, since_1970());
        self.llm.ask(request.for_visitor(since)).await
    }

    /// Asks it for something that belongs to a conversation and no visitor waits for, and waits for all of the answer.
    pub(crate) async fn answer(
        &self,
        conversation: ConversationId,
        prompt: Prompt,
    ) -> Result<frontdesk_llm::Answer, Error> {
        self.read_spent(conversation).await;
        self.llm.answer(Request::new(&conversation.to_string(), prompt, since_1970())).await
    }

    /// Reads what a conversation has cost: before a restart, and on other nodes, it may have asked as well.
    async fn read_spent(&self, conversation: ConversationId) {
        match self.catalog.llm_tokens(self.account, conversation).await {
            Ok(tokens) => {
                self.llm.budget().load_conversation(&conversation.to_string(), tokens);
            }
            // The day's limit holds, and the next question reads it again.
            Err(error) => trouble::tell(&error, "what a language model has cost a conversation"),
        }
    }

    /// Asks it for something that belongs to no conversation.
    pub(crate) async fn try_out(&self, prompt: Prompt) -> Result<frontdesk_llm::Answer, Error> {
        let request = Request { conversation: None, ..Request::new("", prompt, since_1970()) };
        self.llm.answer(request).await
    }

    /// Whether it may be asked for this.
    pub(crate) fn may(&self, kind: AssistKind) -> bool {
        match kind {
            AssistKind::Summary => self.features.summary,
            AssistKind::Rewrite => self.features.rewrite,
            AssistKind::Translate => self.features.translate,
        }
    }
}

struct Kept {
    /// None where the account has no model.
    model: Option<Arc<Model>>,
    read: Instant,
}

/// The models of all accounts.
pub(crate) struct Models {
    catalog: Catalog,
    key: ServerKey,
    client: Client,
    kept: Mutex<HashMap<AccountId, Kept>>,
    budgets: Mutex<HashMap<AccountId, Budget>>,
}

impl Models {
    pub(crate) fn new(catalog: Catalog, key: ServerKey, client: Client) -> Self {
        let (kept, budgets) = (Mutex::default(), Mutex::default());
        Self { catalog, key, client, kept, budgets }
    }

    /// An account's model; none where it has none, or where what it says cannot be read.
    pub(crate) async fn of(&self, account: AccountId) -> Option<Arc<Model>> {
        if let Some(kept) = self.kept.lock().get(&account)
            && kept.read.elapsed() < READ_AGAIN
        {
            return kept.model.clone();
        }
        self.read(account).await
    }

    /// Something about an account is configured otherwise, perhaps its model.
    pub(crate) fn changed(&self, account: AccountId) {
        if let Some(kept) = self.kept.lock().get_mut(&account) {
            kept.read = Instant::now().checked_sub(READ_AGAIN).unwrap_or_else(Instant::now);
        }
    }

    async fn read(&self, account: AccountId) -> Option<Arc<Model>> {
        let said = match llm::read(&self.catalog, &self.key, account).await {
            Ok(said) => said,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(account.id = %account, error, "the language model is not asked");
                return None;
            }
        };
        let known = self.kept.lock().get(&account).and_then(|kept| kept.model.clone());
        // Other nodes spend, too.
        let budget = self.budgets.lock().get(&account).cloned();
        if let Some(budget) = budget
            && let Err(error) = self.load(account, &budget).await
        {
            trouble::tell(&error, "what a language model has cost");
        }
        // A breaker and a queue go on over other changes of the account.
        let same = known.filter(|model| model.revision == said.revision);
        let model = match same {
            Some(model) => Some(model),
            None => self.make(account, said).await,
        };
        let kept = Kept { model: model.clone(), read: Instant::now() };
        self.kept.lock().insert(account, kept);
        model
    }

    async fn make(&self, account: AccountId, said: LlmKept) -> Option<Arc<Model>> {
        let settings = said.settings()?;
        let budget = self.budget(account).await;
        match Llm::new(self.client.clone(), settings, budget) {
            Ok(llm) => Some(Arc::new(Model {
                account,
                catalog: self.catalog.clone(),
                llm,
                features: said.document.features,
                prompt: said.document.prompt,
                revision: said.revision,
            })),
            Err(error) => {
                let code = error.code();
                tracing::warn!(account.id = %account, code, "the language model cannot be used");
                None
            }
        }
    }

    /// What an account may still spend, over all settings it ever had.
    async fn budget(&self, account: AccountId) -> Budget {
        if let Some(budget) = self.budgets.lock().get(&account) {
            return budget.clone();
        }
        let budget = Budget::new();
        if let Err(error) = self.load(account, &budget).await {
            trouble::tell(&error, "what a language model has cost");
        }
        self.budgets.lock().entry(account).or_insert(budget).clone()
    }

    /// What all nodes spent today.
    async fn load(&self, account: AccountId, budget: &Budget) -> Result<(), CatalogError> {
        let today = now_ms().div_euclid(DAY_MS);
        let days = self.catalog.llm_spend(account, today).await?;
        if let Some(spent) = days.iter().find(|of| of.day == today) {
            let LlmSpend { tokens_in, tokens_out, requests, failures } = spent.spend;
            let date = Spend::date_of(since_1970());
            let spend = Spend { date, tokens_in, tokens_out, requests, failures };
            budget.load(&spend, since_1970());
        }
        Ok(())
    }

    /// Writes down what was spent until told to stop, and then once more.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut tick = interval(WRITE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.write().await,
                _ = tick.tick() => self.write().await,
            }
        }
    }

    async fn write(&self) {
        let budgets: Vec<(AccountId, Budget)> =
            self.budgets.lock().iter().map(|(id, budget)| (*id, budget.clone())).collect();
        for (account, budget) in budgets {
            self.write_conversations(account, &budget).await;
            let spends = budget.drain();
            let is_news = !spends.is_empty();
            for spend in spends {
                let Some(day) = day_of(&spend.date) else { continue };
                let Spend { tokens_in, tokens_out, requests, failures, .. } = spend;
                let row = LlmSpend { tokens_in, tokens_out, requests, failures };
                if let Err(error) = self.catalog.add_llm_spend(account, day, row).await {
                    trouble::tell(&error, "what a language model cost");
                    budget.undrain(vec![spend]);
                }
            }
            if is_news && let Err(error) = self.load(account, &budget).await {
                trouble::tell(&error, "what a language model has cost");
            }
        }
    }

    async fn write_conversations(&self, account: AccountId, budget: &Budget) {
        let fresh = budget.drain_conversations();
        if fresh.is_empty() {
            return;
        }
        let of = |(id, tokens): &(String, u64)| Some((id.parse::<ConversationId>().ok()?, *tokens));
        let rows: Vec<(ConversationId, u64)> = fresh.iter().filter_map(of).collect();
        let today = now_ms().div_euclid(DAY_MS);
        if let Err(error) = self.catalog.add_llm_tokens(account, today, &rows).await {
            trouble::tell(&error, "what a language model cost");
            budget.undrain_conversations(fresh);
        }
    }

    /// Asks an account's model for a word.
    pub(crate) async fn test(&self, account: AccountId) -> Option<LlmTest> {
        self.changed(account);
        let model = self.of(account).await?;
        let began = Instant::now();
        let answer = model.try_out(Prompt::probe()).await;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(match answer {
            Ok(answer) => LlmTest {
                ok: true,
                took_ms,
                answer: Some(answer.clean(&frontdesk_llm::Targets::default())),
                error: None,
            },
            Err(error) => LlmTest {
                ok: false,
                took_ms,
                answer: None,
                error: Some(match error.endpoint_says() {
                    Some(said) => format!("{error}: {said}"),
                    None => error.to_string(),
                }),
            },
        })
    }
}

fn since_1970() -> u64 {
    u64::try_from(now_ms()).unwrap_or(0)
}

/// Days since 1970 of a date as a budget names it, `2026-11-30`.
fn day_of(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    // Years are counted from March, so that the day that comes and goes is the last one of them.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
            - 719_468,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_a_budget_are_days_of_the_catalog() {
        for (now_ms, day) in [(0, 0), (951_782_400_000, 11_016), (1_796_016_830_189, 20_787)] {
            let date = Spend::date_of(now_ms);
            assert_eq!(day_of(&date), Some(day), "{date}");
        }
        assert_eq!(day_of("today"), None);
    }
}
