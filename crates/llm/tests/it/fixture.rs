//! A model at the fake endpoint.

use std::time::Duration;

use frontdesk_llm::{
    Answer, Budget, Error, Key, Llm, Message, Prompt, Request, Role, Settings, Spend,
};
use frontdesk_outgoing::{Client, Guard, OutgoingConfig, Timeouts};
use frontdesk_testkit::FakeLlm;
use rustls::RootCertStore;
use url::Url;

/// A day in 2026.
pub(crate) const NOW_MS: u64 = 1_790_000_000_000;

/// May dial this machine, at any port.
pub(crate) fn outgoing() -> Client {
    let allow = vec!["127.0.0.1/32".parse().expect("a network")];
    let guard = Guard::new(OutgoingConfig { allow, any_port: true, ..OutgoingConfig::default() });
    let limit = Duration::from_secs(20);
    let timeouts = Timeouts { connect: limit, ..Timeouts::default() };
    Client::new(guard, RootCertStore::empty(), timeouts)
}

/// With a key, and waits that are longer than a slow machine needs.
pub(crate) fn settings(fake: &FakeLlm) -> Settings {
    let base_url = Url::parse(&fake.base_url()).expect("a URL");
    let key = Key::new("sk-planted-0123456789", &base_url).expect("a key");
    let (timeout_ms, idle_ms) = (60_000, 60_000);
    Settings { key: Some(key), timeout_ms, idle_ms, ..Settings::new(base_url, "model-1") }
}

pub(crate) fn llm(settings: Settings) -> Llm {
    Llm::new(outgoing(), settings, Budget::new()).expect("settings")
}

pub(crate) fn ask(text: &str) -> Request {
    let message = Message { role: Role::User, content: text.to_owned() };
    Request::new("conversation-1", Prompt { messages: vec![message] }, NOW_MS)
}

pub(crate) async fn answer(llm: &Llm) -> Result<Answer, Error> {
    llm.answer(ask("Can I return it?")).await
}

pub(crate) fn spend(llm: &Llm) -> Spend {
    llm.budget().today(NOW_MS)
}
