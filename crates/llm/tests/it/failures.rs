//! Endpoints that fail, hang, lie, or send somewhere else.

use std::time::Duration;

use frontdesk_llm::{Budget, Error, Finish, Llm, Piece, Settings};
use frontdesk_testkit::{FakeLlm, llm::Mode};
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use crate::fixture::{answer, ask, llm, outgoing, settings, spend};

fn status(status: u16, message: &str, retry_after: Option<&str>) -> Mode {
    let retry_after = retry_after.map(str::to_owned);
    Mode::Status { status, message: message.to_owned(), retry_after }
}

fn raw(content_type: &str, body: &str) -> Mode {
    Mode::Raw { content_type: content_type.into(), chunks: vec![body.as_bytes().to_vec()] }
}

#[tokio::test]
async fn every_failure_has_a_code_and_counts_as_one() {
    let fake = FakeLlm::start().await;
    let events = "text/event-stream";
    let said = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n";
    for (mode, code, says) in [
        (status(401, "no such key", None), "llm.unauthorized", Some("no such key")),
        (status(403, "not for you", None), "llm.unauthorized", Some("not for you")),
        (status(404, "no such model", None), "llm.rejected", Some("no such model")),
        (status(400, "bad\nrequest", None), "llm.rejected", Some("bad request")),
        (status(429, "slow down", Some("7")), "llm.limited", Some("slow down")),
        (status(500, "oh no", None), "llm.failed", Some("oh no")),
        (status(503, "", None), "llm.failed", None),
        (Mode::ErrorInStream("overloaded".into()), "llm.failed", Some("overloaded")),
        (raw("application/json", r#"{"error":"not loaded"}"#), "llm.failed", Some("not loaded")),
        (Mode::Garbage, "llm.garbage", None),
        (Mode::Html, "llm.garbage", None),
        (raw("image/png", "PNG"), "llm.garbage", None),
        (raw("application/json", "{}"), "llm.garbage", None),
        (raw("application/json", ""), "llm.garbage", None),
        (raw("text/plain", "hello, how are you?\n"), "llm.garbage", None),
        (raw(events, ""), "llm.garbage", None),
        (raw(events, "data: not JSON\n\n"), "llm.garbage", None),
        (raw(events, "data: [DONE]\n\n"), "llm.garbage", None),
        (raw(events, said), "llm.garbage", None),
        (raw(events, &"a".repeat(1 << 20)), "llm.garbage", None),
        (Mode::CutMidStream, "outgoing.broken", None),
        (Mode::Redirect("http://169.254.169.254/".into()), "outgoing.redirect", None),
        (Mode::Redirect(fake.base_url()), "outgoing.redirect", None),
    ] {
        let llm = llm(settings(&fake));
        fake.set(mode.clone());
        let before = fake.requests().len();
        let error = answer(&llm).await.expect_err("no answer");
        assert_eq!((error.code(), error.endpoint_says()), (code, says), "{mode:?}");
        assert_eq!(fake.requests().len(), before + 1, "{mode:?}");
        let spend = spend(&llm);
        assert_eq!((spend.requests, spend.failures), (1, 1), "{mode:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_far_too_large_is_not_begun() {
    let fake = FakeLlm::start().await;
    let large =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99999999\r\n\r\n";
    let base_url = unfinished(large, false).await;
    let llm = llm(Settings { base_url, key: None, ..settings(&fake) });
    assert_eq!(answer(&llm).await.expect_err("no answer").code(), "llm.too_large");
}

#[tokio::test]
async fn r27_an_endpoint_that_floods_is_read_no_faster_than_people_do() {
    let fake = FakeLlm::start().await;
    // 4 KiB of answer are 300 KiB of documents, of which the first 128 are read at once.
    fake.set(Mode::says_without_end("a"));
    let began = Instant::now();
    let answer = answer(&llm(settings(&fake))).await.expect("it is cut");
    assert_eq!((answer.text, answer.finish), ("a".repeat(4_096), Finish::Cut));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    // What nobody reads is not waited for, however much of it comes.
    let llm = llm(for_visitors(&fake));
    let thoughts = json!({"reasoning_content": "hmm"});
    for flood in [Mode::EndlessComments, Mode::deltas(&thoughts, Duration::ZERO)] {
        fake.set(flood.clone());
        let answer = llm.answer(ask("hello").for_visitor(Instant::now())).await;
        assert_eq!(answer.expect_err("no word").code(), "llm.silent", "{flood:?}");
    }
}

#[tokio::test]
async fn a_limited_endpoint_says_when_to_come_back() {
    let fake = FakeLlm::start().await;
    let llm = llm(settings(&fake));
    let seconds = |count| Some(Duration::from_secs(count));
    for (header, expected) in [
        (Some("7"), seconds(7)),
        (Some("999999999"), seconds(3_600)),
        (Some("soon"), None),
        (None, None),
    ] {
        fake.set(status(429, "slow down", header));
        match answer(&llm).await {
            Err(Error::Limited { retry_after, .. }) => assert_eq!(retry_after, expected),
            other => panic!("{header:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_hangs_is_given_up() {
    let fake = FakeLlm::start().await;
    let short = 100;
    let by_total = Settings { timeout_ms: short, ..settings(&fake) };
    let by_idle = Settings { idle_ms: short, ..settings(&fake) };
    for (mode, settings) in [
        (Mode::HangBeforeHeaders, by_total.clone()),
        (Mode::HangMidStream, by_total),
        (Mode::HangMidStream, by_idle),
    ] {
        let llm = llm(settings);
        fake.set(mode.clone());
        let error = answer(&llm).await.expect_err("no answer");
        assert_eq!(error.code(), "llm.timeout", "{mode:?}");
        // The vendor may have counted the prompt.
        let spend = spend(&llm);
        assert!(spend.tokens_in > 0, "{mode:?}: {spend:?}");
    }
}

/// As long as a visitor waits in these tests.
const VISITOR_WAIT: Duration = Duration::from_millis(500);
/// What is far from it, on a busy machine too.
const LONG: Duration = Duration::from_secs(20);

/// Settings whose only short limit is the visitor's.
fn for_visitors(fake: &FakeLlm) -> Settings {
    let visitor_wait_ms = u64::try_from(VISITOR_WAIT.as_millis()).expect("it is short");
    Settings { visitor_wait_ms, ..settings(fake) }
}

#[tokio::test]
async fn r27_a_visitor_waits_for_the_next_word_only_so_long() {
    let fake = FakeLlm::start().await;
    let pause = Duration::from_millis(20);
    let says_nothing = |delta| Mode::deltas(&delta, pause);
    let comments = Mode::Repeat { chunk: ": keep-alive\n\n".to_owned(), pause };
    let slow = [Mode::HangBeforeHeaders, Mode::HangAfterHeaders, Mode::HangMidStream, comments];
    let empty = [
        says_nothing(json!({})),
        says_nothing(json!({"content": ""})),
        says_nothing(json!({"content": "\n"})),
        says_nothing(json!({"content": null, "reasoning_content": "hmm"})),
        says_nothing(json!({"tool_calls": []})),
    ];
    for modes in [slow.to_vec(), empty.to_vec()] {
        let llm = llm(for_visitors(&fake));
        for mode in &modes {
            fake.set(mode.clone());
            let began = Instant::now();
            let error = llm.answer(ask("hello").for_visitor(began)).await.expect_err("no answer");
            let took = began.elapsed();
            assert_eq!(error.code(), "llm.silent", "{mode:?}");
            assert!(took >= VISITOR_WAIT && took < LONG, "{mode:?}: {took:?}");
        }
        let spend = spend(&llm);
        assert_eq!((spend.requests, spend.failures), (modes.len() as u64, modes.len() as u64));
        // Each is the endpoint's failure: five of them open the circuit, and nobody waits any more.
        assert_eq!(llm.is_open(), modes.len() >= 5);
    }
}

#[tokio::test]
async fn a_visitor_reads_on_as_long_as_words_come_and_others_have_more_time() {
    let fake = FakeLlm::start().await;
    let pieces = vec!["a ".to_owned(); 20];
    fake.set(Mode::Normal { pieces, pause: VISITOR_WAIT / 10 });
    let llm = llm(for_visitors(&fake));
    let began = Instant::now();
    let answer =
        llm.answer(ask("hello").for_visitor(began)).await.expect("words came all the time");
    assert_eq!(answer.text, "a ".repeat(20));
    assert!(began.elapsed() > VISITOR_WAIT * 2, "{:?}", began.elapsed());
    // An agent's question has the time of the settings.
    fake.set(Mode::Normal { pieces: vec!["late".to_owned()], pause: VISITOR_WAIT * 2 });
    assert_eq!(llm.answer(ask("hello")).await.expect("nobody waits so little").text, "late");
    let late = llm.answer(ask("hello").for_visitor(Instant::now())).await;
    assert_eq!(late.expect_err("too late").code(), "llm.silent");
}

#[tokio::test]
async fn a_visitor_who_may_wait_longer_is_not_cut_off_by_the_silence_others_bear() {
    let fake = FakeLlm::start().await;
    let idle_ms = 100;
    let llm = llm(Settings { idle_ms, visitor_wait_ms: 20_000, ..settings(&fake) });
    let pause = Duration::from_millis(idle_ms * 5);
    fake.set(Mode::Normal { pieces: ["late ", "and ", "slow"].map(str::to_owned).into(), pause });
    let answer = llm.answer(ask("hello").for_visitor(Instant::now())).await;
    assert_eq!(answer.expect("it may be slow").text, "late and slow");
    assert_eq!(llm.answer(ask("hello")).await.expect_err("too slow").code(), "llm.timeout");
}

#[tokio::test]
async fn a_visitor_who_has_waited_already_is_not_asked_for() {
    let fake = FakeLlm::start().await;
    let llm = llm(for_visitors(&fake));
    let since = Instant::now().checked_sub(VISITOR_WAIT).expect("the clock is older");
    let error = llm.answer(ask("hello").for_visitor(since)).await.expect_err("it is too late");
    assert_eq!(error.code(), "llm.busy");
    assert!(fake.requests().is_empty() && !llm.is_open());
}

#[tokio::test]
async fn what_follows_an_error_or_the_last_word_keeps_no_visitor() {
    let fake = FakeLlm::start().await;
    let failed = "HTTP/1.1 500 No\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    for (sent, expected) in [(failed, Err("llm.failed")), (ALL_SAID, Ok("All."))] {
        let base_url = unfinished(sent, false).await;
        let llm = llm(Settings { base_url, key: None, ..for_visitors(&fake) });
        let began = Instant::now();
        let answer = llm.answer(ask("hello").for_visitor(began)).await;
        let shown = answer.as_ref().map(|answer| answer.text.as_str()).map_err(Error::code);
        assert_eq!(shown, expected);
        assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn what_came_before_a_failure_ends_with_the_error() {
    let fake = FakeLlm::start().await;
    fake.set(Mode::HangMidStream);
    let llm = llm(Settings { idle_ms: 500, ..settings(&fake) });
    let mut reply = llm.ask(ask("hello")).await.expect("it begins");
    assert_eq!(reply.next().await.expect("a piece"), Some(Piece::Text("Hel".into())));
    assert_eq!(reply.next().await.expect_err("no more").code(), "llm.timeout");
    assert_eq!(reply.next().await.expect("it stays over"), None);
}

#[tokio::test]
async fn an_answer_that_was_said_is_not_lost_by_how_its_stream_ends() {
    let fake = FakeLlm::start().await;
    // A length that is not kept: the connection ends in the middle of the body.
    let base = unfinished(ALL_SAID, true).await;
    let settings = Settings { base_url: base, key: None, ..settings(&fake) };
    assert_eq!(answer(&llm(settings)).await.expect("all was said").text, "All.");
}

/// An answer that promises more than it has, though all of it was said.
const ALL_SAID: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n\r\n\
    data: {\"choices\":[{\"delta\":{\"content\":\"All.\"},\"finish_reason\":\"stop\"}]}\n\n";

/// An endpoint that answers one request with this, then ends the connection or hangs.
async fn unfinished(answer: &'static str, ends: bool) -> Url {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            assert!(stream.read_buf(&mut request).await.expect("a request") > 0);
        }
        stream.write_all(answer.as_bytes()).await.expect("a client");
        if ends {
            stream.shutdown().await.expect("a client");
        } else {
            // Until the client hangs up.
            while stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
        }
    });
    Url::parse(&format!("http://{address}/v1")).expect("a URL")
}

#[tokio::test]
async fn settings_that_lead_inside_are_refused_before_anything_is_sent() {
    let fake = FakeLlm::start().await;
    let inside = |base: &str| {
        let base_url = Url::parse(base).expect("a URL");
        let settings = Settings { base_url, key: None, ..settings(&fake) };
        Llm::new(outgoing(), settings, Budget::new()).err().map(|error| error.code())
    };
    for (base, expected) in [
        ("http://127.0.0.2/v1", Some("outgoing.address")),
        ("http://169.254.169.254/v1", Some("outgoing.address")),
        ("http://[::ffff:10.0.0.1]/v1", Some("outgoing.address")),
        ("http://2130706434/v1", Some("outgoing.address")),
        ("ftp://127.0.0.1/v1", Some("outgoing.scheme")),
        ("http://a:b@127.0.0.1/v1", Some("outgoing.user_info")),
        ("http://2130706433/v1", None),
    ] {
        assert_eq!(inside(base), expected, "{base}");
    }
}
