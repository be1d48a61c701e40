//! The router with models that answer at once, late, never, or nonsense.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_intent::{
    AccountConfig, Context, Decision, Model, RouterConfig, RouterOptions, SmartRouter, Source,
    Trouble, Why, WorkersOptions,
};

const NOWHERE: Context<'static> = Context { inbox: "", inbox_name: "", account: None };
const CONSULT: [f32; 4] = [0.1, 0.7, 0.1, 0.1];

/// A model made of a function; counts the texts it was asked about.
struct Fake<F> {
    asked: Arc<AtomicUsize>,
    says: F,
}

impl<F: Fn(&str) -> [f32; 4] + Send + Sync + 'static> Model for Fake<F> {
    fn classify(&self, texts: &[&str]) -> Vec<[f32; 4]> {
        self.asked.fetch_add(texts.len(), Ordering::Relaxed);
        texts.iter().map(|text| (self.says)(text)).collect()
    }
}

/// The router, and how many texts its model was asked about.
fn router(
    yaml: &str,
    options: RouterOptions,
    says: impl Fn(&str) -> [f32; 4] + Send + Sync + 'static,
) -> (SmartRouter, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let model = Fake { asked: Arc::clone(&asked), says };
    let config = RouterConfig::parse(yaml).expect("it is right");
    (SmartRouter::start(config, Some(Arc::new(model)), options), asked)
}

fn quick() -> RouterOptions {
    RouterOptions {
        deadline: Duration::from_millis(100),
        workers: WorkersOptions { open_for: Duration::from_millis(300), ..Default::default() },
        ..RouterOptions::default()
    }
}

fn intent(decision: &Decision) -> Option<&str> {
    decision.intent.as_deref()
}

#[tokio::test]
async fn the_model_decides_once_and_then_its_answer_is_remembered() {
    let (router, asked) = router("", quick(), |_| CONSULT);
    let first = router.analyze("Where is my order?", NOWHERE).await;
    assert_eq!((intent(&first), first.source), (Some("consult"), Source::Model));
    assert!((first.confidence - 0.7).abs() < 1e-6);
    assert_eq!(first.why, Why::Scores(CONSULT));
    // Written otherwise, the same text.
    let again = router.analyze("  where is MY order？ ", NOWHERE).await;
    assert_eq!((intent(&again), again.source), (Some("consult"), Source::Cache));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let decided = router.traffic().decided();
    assert!(decided.contains(&(Source::Cache, 1)) && decided.contains(&(Source::Model, 1)));
}

#[tokio::test]
async fn rules_come_before_the_model_and_say_what_they_found() {
    let yaml = "rules: [{ intent: human, keywords: [人工] }]\nintents: { human: { team: People, priority: urgent } }";
    let (router, asked) = router(yaml, quick(), |_| CONSULT);
    let decision = router.analyze("我要轉人工", NOWHERE).await;
    assert_eq!((intent(&decision), decision.source), (Some("human"), Source::Rule));
    assert_eq!(decision.why, Why::Words("人工".to_owned()));
    assert_eq!(decision.target.team.as_deref(), Some("People"));
    assert_eq!(decision.target.priority, Some(4));
    assert_eq!(router.analyze("我要轉人工", NOWHERE).await.source, Source::Cache);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_a_rule_found_is_remembered_of_that_text_alone() {
    let yaml =
        "rules: [{ intent: mine, regex: '1[3-9]\\d{9}' }, { intent: order, regex: 'order 1234' }]";
    let (router, _) = router(yaml, quick(), |_| CONSULT);
    // To the model all of these are the same text.
    for (text, words) in
        [("call me 13812345678", "13812345678"), ("call me 13999999999", "13999999999")]
    {
        assert_eq!(router.analyze(text, NOWHERE).await.why, Why::Words(words.to_owned()));
    }
    assert_eq!(intent(&router.analyze("order 5678", NOWHERE).await), Some("consult"));
    assert_eq!(intent(&router.analyze("order 1234", NOWHERE).await), Some("order"));
    assert_eq!(intent(&router.analyze("order 5678", NOWHERE).await), Some("consult"));
}

#[tokio::test]
async fn an_account_is_sorted_by_what_it_says_itself_also_after_the_file_changed() {
    let (router, _) =
        router("rules: [{ intent: human, keywords: [人工] }]", quick(), |_| CONSULT);
    let own = r#"{"threshold": {"consult": 0.9}, "rules": [{"intent": "vip", "keywords": ["gold"]}],
        "inboxes": {"i1": {"threshold": {"consult": 0.5}, "intents": {"consult": {"skills": [" ZH "]}}}}}"#;
    let own = AccountConfig::parse(own, &router.config()).expect("it is right");
    let elsewhere = Context { inbox: "i2", inbox_name: "", account: Some(&own) };
    let here = Context { inbox: "i1", ..elsewhere };
    assert_eq!(intent(&router.analyze("a question", NOWHERE).await), Some("consult"));
    assert_eq!(intent(&router.analyze("a question", elsewhere).await), None);
    let found = router.analyze("a question", here).await;
    assert_eq!(
        (intent(&found), found.target.skills.as_slice()),
        (Some("consult"), ["zh".to_owned()].as_slice())
    );
    assert_eq!(router.targets(here)["consult"], found.target);
    assert!(router.targets(elsewhere).is_empty());
    assert_eq!(intent(&router.analyze("gold", elsewhere).await), Some("vip"));
    assert_eq!(intent(&router.analyze("gold", NOWHERE).await), Some("consult"));
    router.configure("rules: [{ intent: person, keywords: [人工] }]").expect("it is right");
    assert_eq!(intent(&router.analyze("人工", here).await), Some("person"));
}

#[tokio::test]
async fn below_its_threshold_and_for_other_there_is_no_opinion() {
    let yaml = "inboxes: { Shop: { threshold: { consult: 0.75 } } }";
    let (router, _) = router(yaml, quick(), |text| {
        if text.contains("thanks") { [0.01, 0.01, 0.01, 0.97] } else { CONSULT }
    });
    let shop = Context { inbox: "id", inbox_name: "Shop", account: None };
    assert_eq!(intent(&router.analyze("a question", NOWHERE).await), Some("consult"));
    let unsure = router.analyze("a question", shop).await;
    assert_eq!((intent(&unsure), unsure.source), (None, Source::None));
    assert_eq!(unsure.why, Why::Scores(CONSULT));
    let other = router.analyze("thanks", NOWHERE).await;
    assert_eq!((intent(&other), other.source), (None, Source::None));
}

#[tokio::test]
async fn r27_without_a_model_rules_decide_and_the_rest_has_no_opinion() {
    let router = SmartRouter::start(RouterConfig::default(), None, quick());
    let decision = router.analyze("talk to a human", NOWHERE).await;
    assert_eq!(intent(&decision), Some("human"));
    let none = router.analyze("where is my order", NOWHERE).await;
    assert_eq!(none.why, Why::Trouble(Trouble::Missing));
    assert!(!router.health().is_there);
}

#[tokio::test]
async fn r27_a_model_that_stands_still_costs_its_deadline_five_times_and_then_nothing() {
    let (router, _) = router("", quick(), |_| {
        thread::park_timeout(Duration::from_secs(5));
        CONSULT
    });
    for number in 0..5 {
        let began = Instant::now();
        let late = router.analyze(&format!("number {number} word {number}x"), NOWHERE).await;
        assert_eq!(late.why, Why::Trouble(Trouble::Late), "{number}");
        assert!(began.elapsed() < Duration::from_secs(2));
    }
    assert!(router.health().is_open);
    let began = Instant::now();
    let none = router.analyze("another one", NOWHERE).await;
    assert_eq!(none.why, Why::Trouble(Trouble::Open));
    assert!(began.elapsed() < Duration::from_millis(50));
}

#[tokio::test]
async fn r27_nonsense_and_panics_are_no_opinion_until_it_is_well_again() {
    let well = Arc::new(AtomicUsize::new(0));
    let says = {
        let well = Arc::clone(&well);
        move |text: &str| {
            if well.load(Ordering::Relaxed) == 1 {
                return CONSULT;
            }
            assert!(!text.contains("panic"), "as it is told");
            if text.contains("nan") { [f32::NAN; 4] } else { [0.9, 0.9, 0.9, 0.9] }
        }
    };
    // A panic writes its backtrace before it ends.
    let options = RouterOptions { deadline: Duration::from_secs(10), ..quick() };
    let (router, _) = router("", options, says);
    for text in ["nan", "a sum above one", "panic", "nan again", "panic again"] {
        let none = router.analyze(text, NOWHERE).await;
        assert_eq!(none.why, Why::Trouble(Trouble::Broken), "{text}");
    }
    assert!(router.health().is_open);
    well.store(1, Ordering::Relaxed);
    // Nothing of it was remembered, and after a while somebody tries it.
    let deadline = Instant::now() + Duration::from_secs(5);
    while intent(&router.analyze("nan", NOWHERE).await).is_none() {
        assert!(Instant::now() < deadline, "it is not tried again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!router.health().is_open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_texts_than_may_wait_are_turned_away_at_once() {
    let options = RouterOptions {
        deadline: Duration::from_secs(1),
        workers: WorkersOptions {
            queued_max: 4,
            batch_max: 1,
            failures_max: u32::MAX,
            ..WorkersOptions::default()
        },
        ..RouterOptions::default()
    };
    let (router, _) = router("", options, |_| {
        thread::park_timeout(Duration::from_millis(50));
        CONSULT
    });
    let router = Arc::new(router);
    let ask = |number: usize| {
        let router = Arc::clone(&router);
        let text =
            format!("question {} {}", "x".repeat(number % 3 + 1), char::from(b'a' + number as u8));
        tokio::spawn(async move { router.analyze(&text, NOWHERE).await })
    };
    let asked: Vec<_> = (0..20).map(ask).collect();
    let mut busy = 0;
    for answer in asked {
        let decision = answer.await.expect("it does not panic");
        match decision.why {
            Why::Trouble(Trouble::Busy) => busy += 1,
            _ => assert_eq!(intent(&decision), Some("consult"), "{decision:?}"),
        }
    }
    assert!((1..20).contains(&busy), "{busy}");
}

#[tokio::test]
async fn a_bad_configuration_is_refused_and_the_old_one_stays() {
    let (router, asked) = router("threshold: { consult: 0.6 }", quick(), |_| CONSULT);
    assert_eq!(intent(&router.analyze("a question", NOWHERE).await), Some("consult"));
    let error = router.configure("threshold:\n  consult: 6").expect_err("it is no probability");
    assert_eq!(error.line, 2);
    assert_eq!(router.analyze("a question", NOWHERE).await.source, Source::Cache);
    // A good one is taken, and nothing of before is remembered.
    router.configure("threshold: { consult: 0.9 }").expect("it is right");
    assert_eq!(intent(&router.analyze("a question", NOWHERE).await), None);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn empty_and_very_long_texts_are_answered() {
    let (router, asked) = router("", quick(), |_| CONSULT);
    for text in ["", "  \n\t ", "\u{200b}"] {
        assert_eq!(router.analyze(text, NOWHERE).await.why, Why::Empty, "{text:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let long = "什么 what ".repeat(6_000);
    assert!(long.len() >= 64 << 10);
    let began = Instant::now();
    assert_eq!(intent(&router.analyze(&long, NOWHERE).await), Some("consult"));
    assert!(began.elapsed() < Duration::from_secs(1));
    // Long ones are not remembered.
    for asks in [2, 3] {
        assert_eq!(router.analyze(&"x".repeat(201), NOWHERE).await.source, Source::Model);
        assert_eq!(asked.load(Ordering::Relaxed), asks);
    }
    router.analyze(&"x".repeat(200), NOWHERE).await;
    assert_eq!(router.analyze(&"x".repeat(200), NOWHERE).await.source, Source::Cache);
}
