//! Where the model is, what it is called, what it may cost, and the key that opens it.

use std::{fmt, time::Duration};

use frontdesk_outgoing::{Guard, Refused, Timeouts};
use http::HeaderValue;
use url::{Host, Url};

/// The longest name of a model.
const MODEL_BYTES_MAX: usize = 200;
/// The longest key; some vendors sign theirs.
const KEY_BYTES_MAX: usize = 4_096;
/// A key of fewer characters would be given away by four of them.
const HINT_KEY_CHARS_MIN: usize = 16;
const HINT_CHARS: usize = 4;
/// The longest wait for an answer.
const TIMEOUT_MS_MAX: u64 = 300_000;
const TEMPERATURE_MAX: f32 = 2.0;

/// How long a visitor goes without a word of an answer where the settings say nothing else: people have the session 2 s
/// after a message at the latest, whatever became of the model (R27).
pub const VISITOR_WAIT_MS: u64 = 2_000;
/// The longest wait of a visitor for a word, and for all of an answer: the desk takes the session from a bot that takes
/// longer.
pub const VISITOR_WAIT_MS_MAX: u64 = 30_000;

/// Settings that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The address of the endpoint.
    #[error("the address of the model cannot be used")]
    BaseUrl(#[source] Refused),
    /// No name, or a long one.
    #[error("the name of the model has 1 to 200 bytes, without line breaks")]
    Model,
    /// What is no header.
    #[error("the key has 1 to 4096 characters of ASCII, without spaces")]
    Key,
    /// Everybody between here and there could read it.
    #[error("a key goes out over https, or to localhost or an address in numbers")]
    KeyInClear,
    /// Zero, or too long.
    #[error("a wait has 1 to 300000 ms")]
    Timeout,
    /// The same, of how long a visitor waits for words.
    #[error("a visitor waits for words for 1 to 30000 ms")]
    VisitorWait,
    /// Outside of what endpoints take.
    #[error("the temperature is between 0 and 2")]
    Temperature,
    /// Nobody could ask.
    #[error("at least one request at a time and one token of an answer")]
    Limits,
}

impl Invalid {
    /// The stable code; a refused address has the code of its refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BaseUrl(refused) => refused.code(),
            Self::Model => "llm.model",
            Self::Key => "llm.key",
            Self::KeyInClear => "llm.key_in_clear",
            Self::Timeout => "llm.timeout_ms",
            Self::VisitorWait => "llm.visitor_wait_ms",
            Self::Temperature => "llm.temperature",
            Self::Limits => "llm.limits",
        }
    }
}

/// Scheme, host and port of a URL, as a key remembers them.
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether what is sent there can be read on its way. A model on this machine or beside it seldom has a certificate:
/// whoever names it by a number means that one, where a name may lead anywhere.
fn goes_in_clear(url: &Url) -> bool {
    let is_name = matches!(url.host(), Some(Host::Domain(name)) if name != "localhost");
    url.scheme() != "https" && is_name
}

/// A secret, and the only place it may be sent to.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    secret: String,
    origin: String,
}

impl Key {
    /// Binds a key to the host of the address it is given with.
    ///
    /// # Errors
    /// When it could not be sent.
    pub fn new(secret: &str, base_url: &Url) -> Result<Self, Invalid> {
        Self::stored(secret, &origin(base_url))
    }

    /// A key as it was stored: with the [`Key::origin`] it had then.
    ///
    /// # Errors
    /// When it could not be sent.
    pub fn stored(secret: &str, origin: &str) -> Result<Self, Invalid> {
        let fits = (1..=KEY_BYTES_MAX).contains(&secret.len());
        if !fits || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Invalid::Key);
        }
        Ok(Self { secret: secret.to_owned(), origin: origin.to_owned() })
    }

    /// Where it may be sent to.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The secret, to be sealed and stored.
    pub fn reveal(&self) -> &str {
        &self.secret
    }

    /// What may be shown of it: its last four characters, or nothing of a short one.
    pub fn hint(&self) -> &str {
        let shown = self.secret.len().saturating_sub(HINT_CHARS);
        if self.secret.len() < HINT_KEY_CHARS_MIN { "" } else { &self.secret[shown..] }
    }

    pub(crate) fn opens(&self, url: &Url) -> bool {
        self.origin == origin(url)
    }

    pub(crate) fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.secret))
            .expect("a key is visible ASCII");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// One account's model.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The endpoint up to and without `/chat/completions`.
    pub base_url: Url,
    /// The model's name at the endpoint.
    pub model: String,
    /// The key, if the endpoint wants one.
    pub key: Option<Key>,
    /// Tokens one conversation may take; with 0 it gets no answer.
    pub conversation_tokens_max: u64,
    /// Tokens all conversations may take in one day (UTC).
    pub day_tokens_max: u64,
    /// Tokens of one answer.
    pub answer_tokens_max: u32,
    /// From a question to the end of its answer, the wait for a free place included.
    pub timeout_ms: u64,
    /// How long a visitor goes without a word of the answer: from the message to the first one, and from one to the
    /// next, at most [`VISITOR_WAIT_MS_MAX`]. Whoever else asks waits as long as the other two say.
    pub visitor_wait_ms: u64,
    /// Between two pieces of an answer that has begun; a visitor who may wait longer does.
    pub idle_ms: u64,
    /// How freely the model speaks, if the endpoint is to be told.
    pub temperature: Option<f32>,
    /// Requests at a time.
    pub concurrent_max: usize,
    /// Requests that wait for their turn; one more is told at once.
    pub waiting_max: usize,
}

impl Settings {
    /// A model at an endpoint, with limits that suit a chat.
    pub fn new(base_url: Url, model: &str) -> Self {
        Self {
            base_url,
            model: model.to_owned(),
            key: None,
            conversation_tokens_max: 20_000,
            day_tokens_max: 500_000,
            answer_tokens_max: 800,
            timeout_ms: 20_000,
            visitor_wait_ms: VISITOR_WAIT_MS,
            idle_ms: 10_000,
            temperature: Some(0.2),
            concurrent_max: 4,
            waiting_max: 16,
        }
    }

    /// Checks everything that can be known without asking the endpoint. A key for another host is found by
    /// [`crate::Llm::new`].
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn check(&self, guard: &Guard) -> Result<(), Invalid> {
        guard.check_url(&self.endpoint()).map_err(Invalid::BaseUrl)?;
        if self.key.is_some() && goes_in_clear(&self.base_url) {
            return Err(Invalid::KeyInClear);
        }
        let fits = (1..=MODEL_BYTES_MAX).contains(&self.model.len());
        if !fits || self.model.chars().any(char::is_control) {
            return Err(Invalid::Model);
        }
        let waits = [self.timeout_ms, self.idle_ms];
        if !waits.iter().all(|wait| (1..=TIMEOUT_MS_MAX).contains(wait)) {
            return Err(Invalid::Timeout);
        }
        if !(1..=VISITOR_WAIT_MS_MAX).contains(&self.visitor_wait_ms) {
            return Err(Invalid::VisitorWait);
        }
        if self.temperature.is_some_and(|t| !(0.0..=TEMPERATURE_MAX).contains(&t)) {
            return Err(Invalid::Temperature);
        }
        if self.concurrent_max == 0 || self.answer_tokens_max == 0 {
            return Err(Invalid::Limits);
        }
        Ok(())
    }

    /// Whether other settings lead to another scheme, host or port, where the stored key must not go.
    pub fn changed_host(&self, new: &Self) -> bool {
        origin(&self.base_url) != origin(&new.base_url)
    }

    /// Where questions are sent. People paste either address.
    pub(crate) fn endpoint(&self) -> Url {
        const PATH: &str = "/chat/completions";
        let mut url = self.base_url.clone();
        let path = url.path().trim_end_matches('/');
        if !path.ends_with(PATH) {
            let path = format!("{path}{PATH}");
            url.set_path(&path);
        }
        url
    }

    /// Where a visitor waits it is the visitor's patience that ends a silence, however long the account has made it.
    pub(crate) fn timeouts(
        &self,
        first_byte: Duration,
        total: Duration,
        visitor_waits: bool,
    ) -> Timeouts {
        let patience = if visitor_waits { self.visitor_wait_ms } else { 0 };
        let idle = Duration::from_millis(self.idle_ms.max(patience));
        Timeouts { first_byte, idle, total, ..Timeouts::default() }
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_outgoing::OutgoingConfig;

    use super::*;

    fn settings(base_url: &str) -> Settings {
        Settings::new(Url::parse(base_url).expect(base_url), "model-1")
    }

    #[test]
    fn the_endpoint_follows_the_base_address() {
        for (base, expected) in [
            ("https://api.deepseek.com/v1", "https://api.deepseek.com/v1/chat/completions"),
            ("https://api.deepseek.com/v1/", "https://api.deepseek.com/v1/chat/completions"),
            ("https://api.deepseek.com", "https://api.deepseek.com/chat/completions"),
            ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1/chat/completions"),
            ("https://x.example/v1/chat/completions", "https://x.example/v1/chat/completions"),
            ("https://x.example/a?v=2", "https://x.example/a/chat/completions?v=2"),
        ] {
            assert_eq!(settings(base).endpoint().as_str(), expected);
        }
    }

    #[test]
    fn another_scheme_host_or_port_is_another_host() {
        let old = settings("https://api.deepseek.com/v1");
        for (new, changed) in [
            ("https://api.deepseek.com/v2", false),
            ("https://API.deepseek.com:443/v1?x=1", false),
            ("http://api.deepseek.com/v1", true),
            ("https://api.deepseek.com:8443/v1", true),
            ("https://deepseek.com/v1", true),
            ("https://api.deepseek.com.evil.example/v1", true),
            ("https://api.deepseek.com@evil.example/v1", true),
        ] {
            assert_eq!(old.changed_host(&settings(new)), changed, "{new}");
            let key = Key::new("sk-1", &old.base_url).expect("a key");
            assert_eq!(key.opens(&settings(new).endpoint()), !changed, "{new}");
        }
    }

    #[test]
    fn a_key_is_hidden_and_gives_a_hint() {
        let url = Url::parse("https://api.deepseek.com/v1").expect("a URL");
        let key = Key::new("sk-0123456789abcdef", &url).expect("a key");
        let with_key = Settings { key: Some(key.clone()), ..Settings::new(url.clone(), "m") };
        let shown = format!("{key:?} {with_key:?} {:?}", key.header());
        assert!(!shown.contains("sk-0"), "{shown}");
        assert_eq!((key.hint(), key.origin()), ("cdef", "https://api.deepseek.com"));
        assert_eq!(Key::new("short-key", &url).expect("a key").hint(), "");
        for wrong in ["", "a b", "a\nb", "schlüssel", &"a".repeat(5_000)] {
            assert_eq!(Key::new(wrong, &url), Err(Invalid::Key));
        }
    }

    #[test]
    fn a_key_does_not_go_out_in_clear() {
        let networks = ["127.0.0.0/8", "10.0.0.0/8", "::1/128"];
        let allow = networks.map(|network| network.parse().expect("a network")).to_vec();
        let open = OutgoingConfig { allow, any_port: true, ..OutgoingConfig::default() };
        let guard = Guard::new(open);
        for (base, refused) in [
            ("https://api.deepseek.com/v1", false),
            ("http://api.deepseek.com/v1", true),
            ("HTTP://API.deepseek.com:8000/v1", true),
            ("http://localhost.evil.example/v1", true),
            ("http://vllm:8000/v1", true),
            ("http://localhost:8000/v1", false),
            ("http://LOCALHOST:8000/v1", false),
            ("http://127.0.0.1:8000/v1", false),
            ("http://10.1.2.3:8000/v1", false),
            ("http://[::1]:8000/v1", false),
        ] {
            let without = settings(base);
            let key = Key::new("sk-1", &without.base_url).expect("a key");
            let with = Settings { key: Some(key), ..without.clone() };
            let code = with.check(&guard).err().map_or("", Invalid::code);
            assert_eq!(code, if refused { "llm.key_in_clear" } else { "" }, "{base}");
            assert_eq!(without.check(&guard), Ok(()), "{base}");
        }
    }

    #[test]
    fn what_cannot_be_used_has_a_code() {
        let ok = || settings("https://api.deepseek.com/v1");
        let inner = settings("http://127.0.0.1:11434/v1");
        for (settings, expected) in [
            (ok(), ""),
            (inner.clone(), "outgoing.port"),
            (settings("http://2130706433/v1"), "outgoing.address"),
            (Settings { model: String::new(), ..ok() }, "llm.model"),
            (Settings { model: "a\nb".into(), ..ok() }, "llm.model"),
            (Settings { model: "a".repeat(201), ..ok() }, "llm.model"),
            (Settings { timeout_ms: 0, ..ok() }, "llm.timeout_ms"),
            (Settings { idle_ms: 300_001, ..ok() }, "llm.timeout_ms"),
            (Settings { visitor_wait_ms: 0, ..ok() }, "llm.visitor_wait_ms"),
            (Settings { visitor_wait_ms: 30_000, ..ok() }, ""),
            (Settings { visitor_wait_ms: 30_001, ..ok() }, "llm.visitor_wait_ms"),
            (Settings { temperature: Some(2.1), ..ok() }, "llm.temperature"),
            (Settings { temperature: Some(f32::NAN), ..ok() }, "llm.temperature"),
            (Settings { temperature: None, ..ok() }, ""),
            (Settings { concurrent_max: 0, ..ok() }, "llm.limits"),
            (Settings { answer_tokens_max: 0, ..ok() }, "llm.limits"),
        ] {
            let code = settings.check(&Guard::default()).err().map_or("", Invalid::code);
            assert_eq!(code, expected, "{settings:?}");
        }
        let allow = vec!["127.0.0.1/32".parse().expect("a network")];
        let open = OutgoingConfig { allow, any_port: true, ..OutgoingConfig::default() };
        assert_eq!(inner.check(&Guard::new(open)), Ok(()));
    }
}
