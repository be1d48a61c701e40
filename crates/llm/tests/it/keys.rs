//! The key: where it goes, and where it never shows.

use std::{
    io,
    sync::{Arc, Mutex},
};

use frontdesk_llm::{Budget, Key, Llm, Settings};
use frontdesk_testkit::{FakeLlm, llm::Mode};
use tracing_subscriber::fmt::MakeWriter;
use url::Url;

use crate::fixture::{answer, ask, llm, outgoing, settings};

const KEY: &str = "sk-planted-0123456789";

#[tokio::test]
async fn a_key_of_another_host_is_not_sent() {
    let (old, new) = (FakeLlm::start().await, FakeLlm::start().await);
    let before = settings(&old);
    let base_url = Url::parse(&new.base_url()).expect("a URL");
    let moved = Settings { base_url, ..before.clone() };
    assert!(before.changed_host(&moved));
    let refused = Llm::new(outgoing(), moved.clone(), Budget::new()).expect_err("another host");
    assert_eq!(refused.code(), "llm.key_host");
    assert!(new.requests().is_empty());
    // Without it the new host is asked without one.
    answer(&llm(Settings { key: None, ..moved })).await.expect("an answer");
    assert_eq!(new.requests()[0].authorization(), None);
    assert!(!format!("{:?}", new.requests()).contains(KEY));
}

#[tokio::test]
async fn a_stored_key_opens_the_host_it_was_stored_with() {
    let fake = FakeLlm::start().await;
    let given = settings(&fake).key.expect("a key");
    let key = Key::stored(given.reveal(), given.origin()).expect("a key");
    answer(&llm(Settings { key: Some(key), ..settings(&fake) })).await.expect("an answer");
    assert_eq!(fake.requests()[0].authorization(), Some(format!("Bearer {KEY}").as_str()));
}

#[tokio::test]
async fn a_redirect_takes_no_key_along() {
    let (outer, inner) = (FakeLlm::start().await, FakeLlm::start().await);
    outer.set(Mode::Redirect(format!("{}/chat/completions", inner.base_url())));
    let error = answer(&llm(settings(&outer))).await.expect_err("no answer");
    assert_eq!(error.code(), "outgoing.redirect");
    assert!(inner.requests().is_empty());
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_key_is_in_no_error_and_no_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log is on");
    let fake = FakeLlm::start().await;
    let repeated = format!("Incorrect API key provided: {KEY}. (Bearer {KEY})");
    let status = |status| {
        let (message, retry_after) = (repeated.clone(), None);
        Mode::Status { status, message, retry_after }
    };
    let mut told = Vec::new();
    for mode in [
        status(401),
        status(500),
        Mode::ErrorInStream(repeated.clone()),
        Mode::Garbage,
        Mode::CutMidStream,
        Mode::Redirect("http://127.0.0.1/".into()),
    ] {
        fake.set(mode);
        let llm = llm(settings(&fake));
        let error = llm.answer(ask("hello")).await.expect_err("no answer");
        told.push(format!("{error} {error:?} {:?} {llm:?}", error.endpoint_says()));
    }
    fake.set(Mode::says("Hello."));
    let llm = llm(settings(&fake));
    let reply = llm.ask(ask("hello")).await.expect("an answer");
    told.push(format!("{reply:?}"));
    reply.collect().await.expect("all of it");
    drop(guard);
    let told = told.join("\n");
    assert!(told.contains("Incorrect API key provided: ***."), "{told}");
    assert!(!told.contains("sk-planted"), "{told}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).expect("UTF-8");
    assert!(log.contains("the log is on"), "{log}");
    assert!(!log.contains("sk-planted"), "{log}");
    assert!(fake.requests().iter().all(|asked| asked.authorization().is_some()));
}
