//! `frontdesk intent replay` and `corrections`: past sessions of a running server, asked for by its API with a key.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use frontdesk_intent::{
    AccountConfig, Classifier, Context, Label, RouterConfig, RouterOptions, SmartRouter, gather,
};
use frontdesk_script::is_ideograph;
use http_body_util::{BodyExt as _, Empty, Limited};
use rustls::RootCertStore;
use serde::{Deserialize, Serialize};

use crate::{
    cli::PastSessions,
    commands::say,
    outgoing::{self, Requests},
    progress::{Bar, Progress},
    trust,
};

/// How long the server may take for one page.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest page.
const PAGE_BYTES_MAX: usize = 32 << 20;
/// Sessions that are named in the answer.
const NAMED_MAX: usize = 20;
/// The beginning of a text that is shown of one.
const SHOWN_CHARS_MAX: usize = 60;
/// Stands for no opinion.
const NONE: &str = "none";

#[derive(Deserialize)]
struct Page {
    sessions: Vec<Session>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Session {
    conversation: String,
    inbox: String,
    messages: Vec<Message>,
    intent: String,
    source: String,
    found: String,
}

impl Session {
    fn is_corrected(&self) -> bool {
        self.source == "person"
    }

    fn text(&self) -> String {
        let mut text = String::new();
        self.messages.iter().for_each(|message| gather::join(&mut text, &message.text));
        text
    }
}

#[derive(Deserialize)]
struct Message {
    at_ms: i64,
    text: String,
}

#[derive(Deserialize)]
struct InboxesBody {
    inboxes: Vec<Inbox>,
}

#[derive(Deserialize)]
struct Inbox {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct IntentsBody {
    intents: Option<Own>,
}

#[derive(Deserialize)]
struct Own {
    own: serde_json::Value,
}

/// A server, and the key it knows us by.
struct Server {
    client: Requests<Empty<Bytes>>,
    base: String,
    key: String,
}

impl Server {
    fn of(past: &PastSessions) -> anyhow::Result<Self> {
        let base = past.server.trim_end_matches('/').to_owned();
        let is_plain = base.starts_with("http://");
        let roots = if is_plain {
            RootCertStore::empty()
        } else {
            let given = past.ca.as_deref().unwrap_or(Path::new(""));
            trust::roots(&trust::authorities(given, "--ca")?)?
        };
        let key = match &past.api_key_file {
            Some(file) => fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?,
            None => std::env::var("FRONTDESK_API_KEY").context(
                "an API key is needed: create one in the console (Settings, API keys), and put it into the variable \
                 FRONTDESK_API_KEY or a file named by --api-key-file",
            )?,
        };
        let client = outgoing::requests(roots, is_plain, TIMEOUT)?;
        Ok(Self { client, base, key: key.trim().to_owned() })
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> anyhow::Result<T> {
        let url = format!("{}{path}", self.base);
        let request = http::Request::get(&url)
            .header("authorization", format!("Bearer {}", self.key))
            .body(Empty::new())
            .with_context(|| format!("{} is no address of a server", self.base))?;
        let asked = async {
            let answer = self.client.request(request).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), PAGE_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
            anyhow::Ok((status, body))
        };
        let answer = tokio::time::timeout(TIMEOUT, asked).await;
        let (status, body) = answer
            .with_context(|| format!("{url} did not answer within {TIMEOUT:?}"))?
            .with_context(|| format!("cannot ask {url}"))?;
        if !status.is_success() {
            let hint = match status.as_u16() {
                401 => ": the key is unknown, withdrawn or too old",
                403 => ": the key lacks a right; it needs those to read conversations and settings",
                404 => ": is it the address of a Frontdesk of this version?",
                _ => "",
            };
            bail!("{url} says {status}{hint}");
        }
        serde_json::from_slice(&body).with_context(|| format!("{url} answers something else"))
    }

    /// All sessions, page by page.
    async fn sessions(
        &self,
        days: u32,
        corrected: bool,
        bar: &Bar,
    ) -> anyhow::Result<Vec<Session>> {
        let mut sessions = Vec::new();
        let mut cursor = String::new();
        loop {
            let path =
                format!("/api/v1/intents/sessions?days={days}&corrected={corrected}{cursor}");
            let page: Page = self.get(&path).await?;
            sessions.extend(page.sessions);
            bar.set(sessions.len() as u64);
            // Cursors are of letters, digits, dots and dashes.
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(sessions),
            }
        }
    }
}

/// What a router would have done with past sessions.
#[derive(Debug, Default, Serialize)]
struct Replayed {
    sessions: usize,
    /// Sessions that would have another intent.
    changed: usize,
    /// By intent, what rules and the model found then; without an opinion `none`.
    before: BTreeMap<String, usize>,
    /// By intent, what they would find now.
    after: BTreeMap<String, usize>,
    /// From, to, and how many.
    moves: Vec<(String, String, usize)>,
    corrected: Corrected,
    /// The first of those that change.
    changes: Vec<Moved>,
}

/// Of the sessions a person corrected.
#[derive(Debug, Default, Serialize)]
struct Corrected {
    sessions: usize,
    /// In which what was found then is what the person said.
    right_before: usize,
    /// In which what would be found now is.
    right_after: usize,
}

#[derive(Debug, Serialize)]
struct Moved {
    conversation: String,
    from: String,
    to: String,
    text: String,
}

impl Replayed {
    fn note(&mut self, session: &Session, now: &str) {
        let name = |intent: &str| if intent.is_empty() { NONE } else { intent }.to_owned();
        let (from, to) = (name(&session.found), name(now));
        self.sessions += 1;
        *self.before.entry(from.clone()).or_default() += 1;
        *self.after.entry(to.clone()).or_default() += 1;
        if session.is_corrected() {
            self.corrected.sessions += 1;
            self.corrected.right_before += usize::from(session.found == session.intent);
            self.corrected.right_after += usize::from(now == session.intent);
        }
        if from == to {
            return;
        }
        self.changed += 1;
        match self.moves.iter_mut().find(|(before, after, _)| *before == from && *after == to) {
            Some((_, _, count)) => *count += 1,
            None => self.moves.push((from.clone(), to.clone(), 1)),
        }
        if self.changes.len() < NAMED_MAX {
            let text = session.text().replace('\n', " ");
            self.changes.push(Moved {
                conversation: session.conversation.clone(),
                from,
                to,
                text: text.chars().take(SHOWN_CHARS_MAX).collect(),
            });
        }
    }

    fn show(&self) {
        say(&format!("sessions           {}", self.sessions));
        say(&format!("would change       {}", self.changed));
        say("intent             then    now");
        let intents: std::collections::BTreeSet<&String> =
            self.before.keys().chain(self.after.keys()).collect();
        for intent in intents {
            let of = |counts: &BTreeMap<String, usize>| counts.get(intent).copied().unwrap_or(0);
            say(&format!("  {intent:<17}{:<8}{}", of(&self.before), of(&self.after)));
        }
        let Corrected { sessions, right_before, right_after } = self.corrected;
        if sessions > 0 {
            say(&format!(
                "of the {sessions} sessions that a person corrected {right_before} were right then, {right_after} would be now"
            ));
        }
        for Moved { conversation, from, to, text } in &self.changes {
            say(&format!("{conversation}  {from} -> {to}  {text}"));
        }
        if self.changed > self.changes.len() {
            say(&format!("... and {} more", self.changed - self.changes.len()));
        }
    }
}

/// Asks a server for its past sessions, and says what this configuration and this model would have done.
pub(super) fn replay(
    past: &PastSessions,
    config: RouterConfig,
    model: Classifier,
    json: bool,
) -> anyhow::Result<()> {
    let server = Server::of(past)?;
    let router = SmartRouter::start(config, Some(Arc::new(model)), RouterOptions::default());
    let replayed = runtime()?.block_on(async {
        let bar = Progress::on_terminal().begin("reading", 0);
        let sessions = server.sessions(past.days, false, &bar).await?;
        let inboxes: InboxesBody = server.get("/api/v1/inboxes").await?;
        let names: BTreeMap<String, String> =
            inboxes.inboxes.into_iter().map(|inbox| (inbox.id, inbox.name)).collect();
        // What the account says of its own holds on top of any file.
        let own: IntentsBody = server.get("/api/v1/intents").await?;
        let own = own
            .intents
            .map(|intents| AccountConfig::parse(&intents.own.to_string(), &router.config()))
            .transpose()
            .context("what the account says of its own does not fit this configuration")?;
        bar.set_total(sessions.len() as u64);
        let mut replayed = Replayed::default();
        for (number, session) in (1..).zip(&sessions) {
            replayed.note(session, &found(&router, own.as_ref(), &names, session).await);
            bar.set(number);
        }
        anyhow::Ok(replayed)
    })?;
    if json {
        say(&serde_json::to_string(&replayed)?);
    } else {
        replayed.show();
    }
    Ok(())
}

/// What the router finds of a session; empty where it has no opinion.
async fn found(
    router: &SmartRouter,
    own: Option<&AccountConfig>,
    names: &BTreeMap<String, String>,
    session: &Session,
) -> String {
    let inbox_name = names.get(&session.inbox).map_or("", String::as_str);
    let context = Context { inbox: &session.inbox, inbox_name, account: own };
    let messages: Vec<(i64, &str)> =
        session.messages.iter().map(|message| (message.at_ms, message.text.as_str())).collect();
    let mut known = String::new();
    for text in gather::readings(&messages) {
        let decision = router.analyze(&text, context).await;
        if let Some(intent) = decision.intent.filter(|intent| gather::takes_over(intent, &known)) {
            known = intent;
        }
    }
    known
}

/// Writes what people corrected as lines to train on. Intents of one's own are no labels of a model, and left out.
pub(super) fn corrections(past: &PastSessions, out: &Path) -> anyhow::Result<()> {
    let server = Server::of(past)?;
    let bar = Progress::on_terminal().begin("reading", 0);
    let sessions = runtime()?.block_on(server.sessions(past.days, true, &bar))?;
    drop(bar);
    let cannot = || format!("cannot write {}", out.display());
    let mut file = BufWriter::new(File::create(out).with_context(cannot)?);
    let mut written = 0;
    for session in &sessions {
        let Ok(label) = session.intent.parse::<Label>() else { continue };
        let text = session.text();
        let line = serde_json::json!({"text": text, "label": label, "lang": language(&text)});
        writeln!(file, "{line}").with_context(cannot)?;
        written += 1;
    }
    file.flush().with_context(cannot)?;
    say(&format!("{written} texts in {}", out.display()));
    if written < sessions.len() {
        say(&format!("{} with intents of your own are left out", sessions.len() - written));
    }
    Ok(())
}

/// The language of a text as data sets name it.
fn language(text: &str) -> &'static str {
    let ideographs = text.chars().filter(|one| is_ideograph(*one)).count();
    let words = text.split(|one: char| !one.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    match (ideographs, words.count()) {
        (0, _) => "en",
        (_, 0 | 1) => "zh",
        _ => "mix",
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(found: &str, intent: &str, source: &str) -> Session {
        Session {
            conversation: "c".to_owned(),
            inbox: String::new(),
            messages: vec![Message { at_ms: 0, text: "hello\nthere".to_owned() }],
            intent: intent.to_owned(),
            source: source.to_owned(),
            found: found.to_owned(),
        }
    }

    #[test]
    fn what_changes_is_counted_and_named() {
        let mut replayed = Replayed::default();
        replayed.note(&session("sales", "sales", "model"), "sales");
        replayed.note(&session("sales", "complaint", "person"), "complaint");
        replayed.note(&session("", "", ""), "consult");
        assert_eq!((replayed.sessions, replayed.changed), (3, 2));
        assert_eq!(replayed.before, BTreeMap::from([("none".into(), 1), ("sales".into(), 2)]));
        let Corrected { sessions, right_before, right_after } = replayed.corrected;
        assert_eq!((sessions, right_before, right_after), (1, 0, 1));
        assert_eq!(replayed.changes[0].text, "hello there");
    }

    #[test]
    fn a_text_is_of_the_language_it_is_written_in() {
        assert_eq!(language("where is it"), "en");
        assert_eq!(language("我的包裹呢"), "zh");
        assert_eq!(language("我的 iPhone 坏了"), "zh");
        assert_eq!(language("这个 size 有 in stock 吗"), "mix");
    }
}
