//! Endpoints that fail, hang, lie, or send somewhere else.

use std::time::Duration;

use frontdesk_llm::{Budget, Error, Llm, Piece, Settings};
use frontdesk_testkit::{FakeLlm, llm::Mode};
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
        (Mode::EndlessComments, "llm.too_large", None),
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
    let stream =
        "data: {\"choices\":[{\"delta\":{\"content\":\"All.\"},\"finish_reason\":\"stop\"}]}\n\n";
    let base = broken_after(stream).await;
    let settings = Settings { base_url: base, key: None, ..settings(&fake) };
    assert_eq!(answer(&llm(settings)).await.expect("all was said").text, "All.");
}

/// An endpoint that promises more than this and ends.
async fn broken_after(body: &'static str) -> Url {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            assert!(stream.read_buf(&mut request).await.expect("a request") > 0);
        }
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n\r\n";
        stream.write_all(format!("{head}{body}").as_bytes()).await.expect("a client");
        stream.shutdown().await.expect("a client");
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
