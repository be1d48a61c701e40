//! What a broken language model does to the chat (R27): nothing. It fails, says nothing, or says far too much, while
//! visitors ask the bot that asks it. They have an answer or a person within two seconds, it is left alone after five
//! failures, and acks of those who chat with people take as long as without it.

use std::time::Duration;

use frontdesk_core::chat::{Content, Entry};
use frontdesk_testkit::{
    FakeLlm, TestAgent, TestServer, TestVisitor, checker::quantile, http::note, llm::Mode,
};
use serde_json::json;
use tokio::time::{Instant, interval};

use super::{AS_LONG, MESSAGES, ROUNDS, VISITORS, acks_of, as_long};
use crate::{
    bots::{
        self,
        llm::{IN_HANDS_WITHIN, QUESTION, configure, is_meis},
    },
    heavy,
    long::{Report, roomy},
};

/// Visitors who ask the bot, one after the other, as long as the others write.
const QUESTIONS: usize = 40;
const QUESTION_EVERY: Duration = Duration::from_millis(250);
/// An agent says something in one of her conversations.
const AGENT_SAYS_EVERY: Duration = Duration::from_millis(50);
/// The fifth failure opens the circuit; of four at a time three are on their way then.
const SENT: std::ops::RangeInclusive<usize> = 5..=8;
/// What a question takes to people while nobody waits for the model.
const AT_ONCE: Duration = Duration::from_millis(500);

/// What is wrong with the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Model {
    Absent,
    Well,
    Failing,
    Garbage,
    Hanging,
    Flooding,
}

impl Model {
    const ALL: [Self; 6] =
        [Self::Absent, Self::Well, Self::Failing, Self::Garbage, Self::Hanging, Self::Flooding];

    fn name(self) -> &'static str {
        match self {
            Self::Absent => "no model",
            Self::Well => "well",
            Self::Failing => "status 500",
            Self::Garbage => "garbage",
            Self::Hanging => "hanging",
            Self::Flooding => "flooding",
        }
    }

    /// How it answers in a round, if there is one. There are several ways to say nothing, and too much.
    fn mode(self, round: usize) -> Option<Mode> {
        let pause = Duration::from_millis(100);
        let pieces = ["We engrave ", "up to three ", "letters."].map(ToOwned::to_owned).to_vec();
        Some(match (self, round % 3) {
            (Self::Absent, _) => return None,
            (Self::Well, _) => Mode::Normal { pieces, pause },
            (Self::Failing, _) => Mode::status(500),
            (Self::Garbage, _) => Mode::Garbage,
            (Self::Hanging, 0) => Mode::HangBeforeHeaders,
            (Self::Hanging, 1) => Mode::HangAfterHeaders,
            (Self::Hanging, _) => Mode::Repeat { chunk: ": keep-alive\n\n".to_owned(), pause },
            (Self::Flooding, 0) => Mode::Endless,
            (Self::Flooding, 1) => Mode::EndlessComments,
            (Self::Flooding, _) => {
                let thought = json!({"reasoning_content": "Let me think of that again. "});
                Mode::deltas(&thought, Duration::ZERO)
            }
        })
    }
}

/// What the bot says of itself in a round; none where it gives the session to people.
fn answer_in(mode: Option<&Mode>) -> Option<&'static str> {
    match mode {
        None => Some(""),
        Some(Mode::Normal { .. }) => Some("up to three letters"),
        // Cut behind its longest.
        Some(Mode::Endless) => Some("and so on, and so on"),
        Some(_) => None,
    }
}

/// What a round found.
struct Round {
    /// Of those who chat with people.
    acks: Vec<Duration>,
    /// How long each question waited for an answer or a person.
    waited: Vec<Duration>,
    /// Questions that reached the model.
    sent: usize,
    /// How long one more question waited behind all of them, and whether that reached the model.
    last: Duration,
    last_sent: bool,
}

async fn round(mode: Option<Mode>) -> Round {
    let fake = FakeLlm::start().await;
    let server = roomy()
        .set("intent.enabled", false)
        .set("outgoing.allow", r#"["127.0.0.1/32"]"#)
        .set("outgoing.any_port", true);
    let server = server.start().await;
    let admin = server.admin();
    bots::switch_on(&server, "answer").await;
    admin.set("routing.capacity", json!(1_000)).await;
    let answer = answer_in(mode.as_ref());
    if let Some(mode) = mode {
        configure(&admin, &fake, json!({"day_tokens_max": 100_000_000})).await;
        fake.set(mode);
    }
    let mut mei = TestAgent::online(&server, "Mei").await;
    let (mut writers, mut conversations) = (Vec::new(), Vec::new());
    for _ in 0..VISITORS {
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("I need a human").await;
        is_meis(&mut visitor).await;
        mei.open(&visitor.conversation).await.expect("it is hers");
        conversations.push(visitor.conversation.clone());
        writers.push(visitor);
    }
    let chat = async { tokio::join!(acks_of(writers), questions(&server, answer)) };
    let (acks, waited) = tokio::select! {
        both = chat => both,
        () = answers(&mut mei, &conversations) => unreachable!("she goes on"),
    };
    let sent = fake.requests().len();
    let last = question(TestVisitor::connect(&server).await, answer).await;
    Round { acks, waited, sent, last, last_sent: fake.requests().len() > sent }
}

/// The agent writes, and reads what came meanwhile.
async fn answers(mei: &mut TestAgent, conversations: &[String]) {
    let mut pace = interval(AGENT_SAYS_EVERY);
    for conversation in conversations.iter().cycle() {
        pace.tick().await;
        mei.say(conversation, "Let me look into that for you.").await;
    }
}

/// How long each of the visitors waits who ask the bot.
async fn questions(server: &TestServer, answer: Option<&'static str>) -> Vec<Duration> {
    let mut pace = interval(QUESTION_EVERY);
    let mut asked = Vec::new();
    for _ in 0..QUESTIONS {
        pace.tick().await;
        let visitor = TestVisitor::connect(server).await;
        asked.push(tokio::spawn(question(visitor, answer)));
    }
    let mut waited = Vec::new();
    for asked in asked {
        waited.push(asked.await.expect("it does not panic"));
    }
    waited
}

/// How long a visitor's question waits for this answer, or for a person.
async fn question(mut visitor: TestVisitor, answer: Option<&str>) -> Duration {
    let began = Instant::now();
    visitor.say(QUESTION).await;
    match answer {
        Some(words) => {
            let right = |entry: &Entry, content: &Content| {
                bots::by_bot(entry) && bots::says(content, words)
            };
            let said = |held: &_| bots::newest(held, right).is_some();
            visitor.live.until("an answer", "", said).await;
        }
        None => is_meis(&mut visitor).await,
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r27_a_broken_language_model_is_not_felt() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r27-llm",
        &format!(
            "{VISITORS} visitors in an agent's sessions write {MESSAGES} messages each, 200 a second, and she writes 20 a second; \
             {QUESTIONS} others, one every {} ms, ask the bot what no article answers. Its language model is absent, well (300 ms), \
             answers 500 or garbage, hangs (before the head of an answer, behind it, sending comments), or floods (with words, \
             comments, thoughts). {ROUNDS} rounds in turns. The endpoint is in the test's own process, on the same 2 cores.",
            QUESTION_EVERY.as_millis()
        ),
    );
    let mut acks = Model::ALL.map(|_| Vec::new());
    let mut longest = Model::ALL.map(|_| Duration::ZERO);
    for number in 0..ROUNDS {
        for (place, model) in Model::ALL.into_iter().enumerate() {
            let mode = model.mode(number);
            let gives_up = mode.is_some() && answer_in(mode.as_ref()).is_none();
            let found = Box::pin(round(mode)).await;
            let (p50, p99) = (quantile(&found.acks, 50), quantile(&found.acks, 99));
            note(&format!("r27-llm: {} {}: p50 {p50:?}, p99 {p99:?}", model.name(), number + 1));
            acks[place].extend(found.acks);
            let slowest = found.waited.iter().max().copied().unwrap_or_default();
            longest[place] = longest[place].max(slowest);
            if gives_up {
                let what = format!(
                    "{}, round {}: questions sent, then one more: sent, with a person after",
                    model.name(),
                    number + 1
                );
                let held = SENT.contains(&found.sent) && !found.last_sent && found.last <= AT_ONCE;
                let last_sent = usize::from(found.last_sent);
                let measured = format!("{}; {last_sent}, {:.1?}", found.sent, found.last);
                report.figure(
                    &what,
                    measured,
                    "5 failures and 3 on their way at most; 0, 0.5 s",
                    held,
                );
            }
        }
    }
    for (model, longest) in Model::ALL.into_iter().zip(longest) {
        let what = format!("{}: a question has an answer or a person after, at most", model.name());
        let held = longest <= IN_HANDS_WITHIN;
        report.figure(&what, format!("{longest:.1?}"), "2 s, and 0.5 s for the way", held);
    }
    let mut without = Duration::ZERO;
    for (model, mut acks) in Model::ALL.into_iter().zip(acks) {
        acks.sort_unstable();
        let p99 = quantile(&acks, 99);
        let what = format!("{}: ack p50, p99", model.name());
        let measured = format!("{:.2?}, {p99:.2?}", quantile(&acks, 50));
        if model == Model::Absent {
            without = p99;
            report.figure(&what, measured, "no figure", true);
        } else {
            report.figure(&what, measured, AS_LONG, as_long(without, p99));
        }
    }
    report.finish();
}
