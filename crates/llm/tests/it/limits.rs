//! Tokens, places and the breaker.

use std::time::Duration;

use frontdesk_llm::{Budget, Error, Llm, Request, Settings, estimate};
use frontdesk_testkit::{FakeLlm, llm::Mode};
use futures_util::{FutureExt as _, future::join_all};
use tokio::time::Instant;

use crate::fixture::{NOW_MS, answer, ask, llm, outgoing, settings, spend};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().map_or("", |error| error.code())
}

#[tokio::test]
async fn a_conversation_without_tokens_is_not_asked_about() {
    let fake = FakeLlm::start().await;
    // The first question's estimate fits exactly: its text, a message, and the longest answer.
    let question = "Can I return it?";
    let conversation_tokens_max = estimate(question) + 4 + 100;
    let llm = llm(Settings { conversation_tokens_max, answer_tokens_max: 100, ..settings(&fake) });
    llm.answer(ask(question)).await.expect("tokens are left");
    assert_eq!(code(llm.answer(ask(question)).await), "llm.budget_conversation");
    assert_eq!(fake.requests().len(), 1);
    // Another one has its own, and what belongs to none only counts for the day.
    let other = Request { conversation: Some("conversation-2".into()), ..ask(question) };
    llm.answer(other).await.expect("tokens are left");
    llm.answer(Request { conversation: None, ..ask(question) }).await.expect("tokens are left");
    assert_eq!(spend(&llm).requests, 3);
}

#[tokio::test]
async fn a_day_without_tokens_ends_with_the_day() {
    let fake = FakeLlm::start().await;
    let llm = llm(Settings { day_tokens_max: 120, answer_tokens_max: 100, ..settings(&fake) });
    let mut asked = 0;
    let refused = loop {
        match answer(&llm).await {
            Ok(_) => asked += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code(), "llm.budget_day");
    assert_eq!(fake.requests().len(), asked);
    let tomorrow = Request { now_ms: NOW_MS + DAY_MS, ..ask("hello") };
    llm.answer(tomorrow).await.expect("a new day");
    let drained = llm.budget().drain();
    let requests: Vec<u64> = drained.iter().map(|spend| spend.requests).collect();
    assert_eq!(requests, [asked as u64, 1]);
    assert!(drained[0].tokens() <= 120, "{drained:?}");
}

#[tokio::test]
async fn tokens_of_requests_on_their_way_are_not_given_twice() {
    let fake = FakeLlm::start().await;
    fake.set(Mode::HangBeforeHeaders);
    let settings = Settings { day_tokens_max: 150, answer_tokens_max: 100, ..settings(&fake) };
    let llm = llm(settings);
    let mut first = Box::pin(answer(&llm));
    assert!(first.as_mut().now_or_never().is_none());
    assert_eq!(code(answer(&llm).await), "llm.budget_day");
    drop(first);
    // It was sent, so its prompt is paid for; its answer is free again.
    fake.set(Mode::says("Hello."));
    answer(&llm).await.expect("tokens are left");
    assert_eq!(spend(&llm).requests, 2);
}

#[tokio::test]
async fn a_budget_outlives_the_settings_it_was_used_with() {
    let fake = FakeLlm::start().await;
    let budget = Budget::new();
    let settings =
        Settings { conversation_tokens_max: 150, answer_tokens_max: 100, ..settings(&fake) };
    let first = Llm::new(outgoing(), settings.clone(), budget.clone()).expect("settings");
    budget.load_conversation("conversation-1", 40);
    answer(&first).await.expect("40 + 8 + 100 tokens");
    let second = Llm::new(outgoing(), settings, budget).expect("settings");
    assert_eq!(code(answer(&second).await), "llm.budget_conversation");
}

#[tokio::test]
async fn who_finds_the_queue_full_is_told_at_once() {
    let fake = FakeLlm::start().await;
    fake.set(Mode::HangBeforeHeaders);
    let llm = llm(Settings { concurrent_max: 2, waiting_max: 1, ..settings(&fake) });
    let mut asked = vec![Box::pin(answer(&llm)), Box::pin(answer(&llm))];
    let mut waiting = Box::pin(answer(&llm));
    for (number, future) in asked.iter_mut().enumerate() {
        assert!(future.as_mut().now_or_never().is_none(), "{number} is on its way");
    }
    assert!(waiting.as_mut().now_or_never().is_none(), "one waits");
    assert_eq!(code(answer(&llm).await), "llm.busy");
    // A place that becomes free goes to the one that waits, and there is room for another to wait.
    let sent = tokio::select! {
        sent = fake.wait_for_requests(2) => sent.len(),
        _ = join_all(asked.iter_mut()) => unreachable!("nobody answers"),
    };
    assert_eq!(sent, 2, "the one that waits is not sent");
    asked.pop();
    fake.set(Mode::says("Hello."));
    waiting.await.expect("its turn has come");
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn who_waits_too_long_for_a_place_is_told() {
    let fake = FakeLlm::start().await;
    fake.set(Mode::HangMidStream);
    let llm = llm(Settings { concurrent_max: 1, timeout_ms: 2_000, ..settings(&fake) });
    // A reply that nobody reads keeps its place.
    let reply = llm.ask(ask("hello")).await.expect("it begins");
    assert_eq!(code(answer(&llm).await), "llm.busy");
    drop(reply);
    fake.set(Mode::says("Hello."));
    answer(&llm).await.expect("the place is free");
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn who_gets_a_place_with_little_time_left_is_not_sent() {
    let fake = FakeLlm::start().await;
    fake.set(Mode::HangMidStream);
    let llm = llm(Settings { concurrent_max: 1, ..settings(&fake) });
    for _ in 0..6 {
        let reply = llm.ask(ask("hello")).await.expect("it begins");
        let mut waiting = Box::pin(answer(&llm));
        assert!(waiting.as_mut().now_or_never().is_none(), "it waits");
        // 31 of its 60 s pass.
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(31)).await;
        tokio::time::resume();
        drop(reply);
        assert_eq!(code(waiting.await), "llm.busy");
    }
    assert_eq!(fake.requests().len(), 6, "only those that did not wait");
    assert!(!llm.is_open());
}

#[tokio::test]
async fn r27_an_endpoint_that_hangs_is_left_alone_however_many_ask() {
    let fake = FakeLlm::start().await;
    fake.set(Mode::HangAfterHeaders);
    let (visitor_wait_ms, waiting_max) = (1_000, 100);
    let conversation_tokens_max = 400_000;
    let llm =
        llm(Settings { visitor_wait_ms, waiting_max, conversation_tokens_max, ..settings(&fake) });
    // Far more than can be asked: most of them wait for their turn in vain, and are not sent.
    let llm = &llm;
    let visitors = (0..60).map(|number| async move {
        tokio::time::sleep(Duration::from_millis(50) * number).await;
        code(llm.answer(ask("hello").for_visitor(Instant::now())).await)
    });
    let codes = join_all(visitors).await;
    assert!(llm.is_open(), "{codes:?}");
    let sent = fake.requests().len();
    // The fifth failure ends it; three are on their way then.
    assert!((5..=8).contains(&sent), "{sent}: {codes:?}");
    let last = codes.last().copied();
    assert_eq!(last, Some("llm.circuit_open"), "{codes:?}");
}

#[tokio::test]
async fn requests_that_are_refused_for_what_they_are_leave_the_endpoint_in_use() {
    let fake = FakeLlm::start().await;
    let llm = llm(settings(&fake));
    for status in [400, 404, 409, 413, 422, 400] {
        fake.set(Mode::status(status));
        assert_eq!(code(answer(&llm).await), "llm.rejected", "{status}");
    }
    assert!(!llm.is_open());
    for status in [401, 403, 408, 429, 500] {
        assert!(!llm.is_open(), "before {status}");
        fake.set(Mode::status(status));
        answer(&llm).await.expect_err("no answer");
    }
    assert!(llm.is_open());
}

#[tokio::test]
async fn five_failures_leave_the_endpoint_alone_until_a_probe_succeeds() {
    let fake = FakeLlm::start().await;
    let llm = llm(settings(&fake));
    let modes =
        [Mode::status(500), Mode::Garbage, Mode::CutMidStream, Mode::Html, Mode::status(401)];
    for mode in modes {
        assert!(!llm.is_open(), "before {mode:?}");
        fake.set(mode);
        answer(&llm).await.expect_err("no answer");
    }
    assert!(llm.is_open());
    fake.set(Mode::says("Hello."));
    let Err(Error::CircuitOpen { retry_after }) = answer(&llm).await else { panic!("not open") };
    assert!(retry_after <= Duration::from_secs(30), "{retry_after:?}");
    assert_eq!(fake.requests().len(), 5);
    // Half a minute passes while nothing is on a socket.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30)).await;
    tokio::time::resume();
    answer(&llm).await.expect("the probe");
    assert!(!llm.is_open());
    assert_eq!(fake.requests().len(), 6);
    // What was refused cost nothing.
    assert_eq!(spend(&llm).requests, 6);
}

#[tokio::test]
async fn answers_that_are_given_up_are_no_failures() {
    let fake = FakeLlm::start().await;
    fake.set(Mode::HangMidStream);
    let llm = llm(settings(&fake));
    for _ in 0..6 {
        drop(llm.ask(ask("hello")).await.expect("it begins"));
    }
    assert!(!llm.is_open());
    assert_eq!((spend(&llm).requests, spend(&llm).failures), (6, 0));
}
