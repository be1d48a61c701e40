//! What bots and models leave behind: keys that speak as bots, what a model costs, what became of bots' sessions, and
//! when rules of words had something to say.

use frontdesk_catalog::{
    BOT_SESSION_DAYS_MAX, BotDay, BotOutcome, BotSession, CONVERSATION_DAYS_MAX, LlmSpend,
    NewScreenHit, SCREEN_HITS_MAX, SPEND_DAYS_MAX,
};
use frontdesk_core::{
    id::{AccountId, ConversationId, InboxId, SessionId},
    rights::Rights,
};

use crate::{Fixture, operator};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[tokio::test]
async fn a_key_is_for_a_program_or_for_a_bot() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let make = async |name: &str, bot| {
        catalog.create_api_key(account, name, Rights::agent(), bot, operator()).await.unwrap()
    };
    let (program, _) = make("sync", false).await;
    let (bot, text) = make("helper", true).await;
    assert!(!program.bot && bot.bot);
    assert!(catalog.verify_api_key(&text, 1_000).await.unwrap().bot);
    let keys = catalog.api_keys(account).await.unwrap();
    let bots: Vec<_> = keys.iter().filter(|key| key.bot).map(|key| key.name.as_str()).collect();
    assert_eq!(bots, ["helper"]);
}

#[tokio::test]
async fn what_a_model_costs_adds_up_by_day() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) =
        (fixture.account("ours").await.account, fixture.account("theirs").await.account);
    let spend = |tokens_in| LlmSpend { tokens_in, tokens_out: 2, requests: 1, failures: 0 };
    for (account, day, tokens) in [(ours, 1_000, 10), (ours, 1_001, 20), (theirs, 1_000, 40)] {
        catalog.add_llm_spend(account, day, spend(tokens)).await.unwrap();
    }
    let failed = LlmSpend { requests: 1, failures: 1, ..LlmSpend::default() };
    catalog.add_llm_spend(ours, 1_000, failed).await.unwrap();
    let days = catalog.llm_spend(ours, 1_000).await.unwrap();
    let told: Vec<_> = days.iter().map(|of| (of.day, of.spend)).collect();
    let first = LlmSpend { tokens_in: 10, tokens_out: 2, requests: 2, failures: 1 };
    assert_eq!(told, [(1_000, first), (1_001, spend(20))]);
    assert_eq!(catalog.llm_spend(ours, 1_001).await.unwrap().len(), 1);
    assert_eq!(catalog.llm_spend(theirs, 0).await.unwrap().len(), 1);

    catalog.add_llm_spend(ours, 1_000 + SPEND_DAYS_MAX, spend(1)).await.unwrap();
    let days: Vec<_> =
        catalog.llm_spend(ours, 0).await.unwrap().into_iter().map(|of| of.day).collect();
    assert_eq!(days, [1_001, 1_000 + SPEND_DAYS_MAX], "the oldest made room");
    let nobody = AccountId::from_bytes([9; 12]);
    catalog.add_llm_spend(nobody, 1_000, spend(1)).await.unwrap();
    assert!(catalog.llm_spend(nobody, 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn spend_that_comes_at_once_is_counted_in_full() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let catalog = catalog.clone();
        tasks.spawn(async move {
            let spend = LlmSpend { tokens_in: 3, tokens_out: 1, requests: 1, failures: 0 };
            catalog.add_llm_spend(account, 7, spend).await.unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let total = LlmSpend { tokens_in: 60, tokens_out: 20, requests: 20, failures: 0 };
    assert_eq!(catalog.llm_spend(account, 0).await.unwrap()[0].spend, total);
}

#[tokio::test]
async fn spend_beyond_all_bounds_stays_at_one() {
    let fixture = Fixture::new().await;
    let (catalog, account) = (&fixture.catalog, fixture.account("acme").await.account);
    let all = |number| LlmSpend {
        tokens_in: number,
        tokens_out: number,
        requests: number,
        failures: number,
    };
    for number in [u64::MAX, i64::MAX.unsigned_abs(), 1] {
        catalog.add_llm_spend(account, 7, all(number)).await.unwrap();
        let spent = catalog.llm_spend(account, 7).await.unwrap()[0].spend;
        assert_eq!(spent, all(1_000_000_000_000_000), "{number}");
    }
}

#[tokio::test]
async fn what_a_model_costs_a_conversation_adds_up_and_is_forgotten_in_the_end() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) =
        (fixture.account("ours").await.account, fixture.account("theirs").await.account);
    let [first, second] = [1, 2].map(|number| ConversationId::from_bytes([number; 12]));
    let tokens =
        async |account, conversation| catalog.llm_tokens(account, conversation).await.unwrap();
    assert_eq!(tokens(ours, first).await, 0);
    catalog.add_llm_tokens(ours, 1_000, &[(first, 10), (second, 20)]).await.unwrap();
    catalog.add_llm_tokens(ours, 1_001, &[(first, 5)]).await.unwrap();
    catalog.add_llm_tokens(theirs, 1_000, &[(first, 40)]).await.unwrap();
    let all = [tokens(ours, first).await, tokens(ours, second).await, tokens(theirs, first).await];
    assert_eq!(all, [15, 20, 40]);
    catalog.add_llm_tokens(ours, 1_001, &[(first, u64::MAX)]).await.unwrap();
    assert_eq!(tokens(ours, first).await, 1_000_000_000_000_000, "and no more");
    let later = 1_000 + CONVERSATION_DAYS_MAX;
    catalog.add_llm_tokens(ours, later, &[]).await.unwrap();
    assert_eq!((tokens(ours, first).await > 0, tokens(ours, second).await), (true, 0));
    assert_eq!(tokens(theirs, first).await, 40);
    let nobody = AccountId::from_bytes([9; 12]);
    catalog.add_llm_tokens(nobody, 1_000, &[(first, 1)]).await.unwrap();
    assert_eq!(tokens(nobody, first).await, 0);
}

fn session(number: u8, at_ms: i64, outcome: BotOutcome, reason: &str) -> BotSession {
    BotSession {
        session: SessionId::from_bytes([number; 12]),
        conversation: ConversationId::from_bytes([number; 12]),
        inbox: InboxId::from_bytes([1; 12]),
        at_ms,
        outcome,
        reason: reason.to_owned(),
        turns: 3,
        answered: 2,
    }
}

#[tokio::test]
async fn what_became_of_bots_sessions_is_listed_and_counted() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) =
        (fixture.account("ours").await.account, fixture.account("theirs").await.account);
    let keep = async |account, session: &BotSession| {
        catalog.keep_bot_session(account, session).await.unwrap();
    };
    let day = 20_000;
    let at = day * DAY_MS;
    keep(ours, &session(1, at, BotOutcome::Open, "")).await;
    let ended = session(1, at + 5, BotOutcome::HandedOver, "asked");
    keep(ours, &ended).await;
    let kept = BotSession { at_ms: at, ..ended };
    let open = session(2, at + 1, BotOutcome::Open, "");
    let contained = session(3, at + DAY_MS, BotOutcome::Contained, "");
    let lost = session(4, at + DAY_MS, BotOutcome::NoAnswer, "");
    for one in [&open, &contained, &lost] {
        keep(ours, one).await;
    }
    keep(theirs, &session(5, at, BotOutcome::HandedOver, "anger")).await;

    let list = async |outcome, before, limit| {
        catalog.bot_sessions(ours, outcome, before, limit).await.unwrap()
    };
    let all = [lost.clone(), contained.clone(), open.clone(), kept.clone()];
    assert_eq!(list(None, None, 10).await, all);
    assert_eq!(list(None, None, 1).await, all[..1]);
    assert_eq!(list(None, Some((lost.at_ms, lost.session)), 2).await, all[1..3]);
    assert_eq!(list(Some(BotOutcome::HandedOver), None, 10).await, all[3..]);

    let figures = catalog.bot_figures(ours, at).await.unwrap();
    let days = [
        BotDay { day, sessions: 2, contained: 0, handed_over: 1, no_answer: 0 },
        BotDay { day: day + 1, sessions: 2, contained: 1, handed_over: 0, no_answer: 1 },
    ];
    assert_eq!(figures.days, days);
    assert_eq!(figures.by_reason, [("asked".to_owned(), 1)].into());
    assert_eq!(catalog.bot_figures(ours, at + DAY_MS).await.unwrap().days, days[1..]);

    let late = at + DAY_MS + BOT_SESSION_DAYS_MAX * DAY_MS;
    let newest = session(6, late, BotOutcome::Contained, "");
    keep(ours, &newest).await;
    assert_eq!(list(None, None, 10).await, [newest, lost, contained], "the oldest made room");
}

#[tokio::test]
async fn the_newest_hits_of_rules_are_kept() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let (ours, theirs) =
        (fixture.account("ours").await.account, fixture.account("theirs").await.account);
    let hit = |number: usize| NewScreenHit {
        at_ms: number as i64,
        rule: format!("rule {number}"),
        action: "mask".to_owned(),
        by_kind: "visitor".to_owned(),
        by_id: "v".to_owned(),
        by_name: "x".repeat(300),
        conversation: "c".to_owned(),
    };
    catalog.note_screen_hits(theirs, &[hit(1)]).await.unwrap();
    let many: Vec<_> = (0..SCREEN_HITS_MAX).map(hit).collect();
    for some in many.chunks(1_000) {
        catalog.note_screen_hits(ours, some).await.unwrap();
    }
    catalog.note_screen_hits(ours, &[hit(SCREEN_HITS_MAX)]).await.unwrap();
    let newest = catalog.screen_hits(ours, None, 2).await.unwrap();
    let rules: Vec<_> = newest.iter().map(|of| of.hit.rule.as_str()).collect();
    assert_eq!(rules, ["rule 10000", "rule 9999"]);
    assert_eq!(newest[0].hit.by_name.len(), 254, "cut rather than lost");
    let next = catalog.screen_hits(ours, Some(newest[1].id), 1).await.unwrap();
    assert_eq!(next[0].hit.rule, "rule 9998");
    let all = catalog.screen_hits(ours, None, 20_000).await.unwrap();
    assert_eq!(all.len(), SCREEN_HITS_MAX);
    assert_eq!(all.last().unwrap().hit.rule, "rule 1");
    assert_eq!(catalog.screen_hits(theirs, None, 10).await.unwrap().len(), 1);
}
