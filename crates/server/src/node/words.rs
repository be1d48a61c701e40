//! Words that must not pass: reads the rules of all accounts, makes them ready for whoever lets content pass, and
//! writes down where they found something.
//!
//! ```text
//! catalog --document--> [Words] --Screen--> Screens <--look-- loops, HTTP
//! loops, HTTP --Hit--> [task: gathers] --> catalog
//! ```
//! Rules hold from the first message after a start on, and as soon as a change of them is answered; on other nodes
//! as soon as those hear of it. Hits follow behind: those of the last second may be lost with the process, and of
//! more than can be written the rest is.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use frontdesk_catalog::{Catalog, DocumentKind, Error as CatalogError, NewScreenHit};
use frontdesk_core::{chat::ActorKind, id::AccountId};
use frontdesk_router::screen::{Hit, Rules, Screen, Screens};
use parking_lot::Mutex;
use tokio::{
    sync::{Mutex as Turn, mpsc},
    time::{Instant, MissedTickBehavior, interval, interval_at},
};
use tokio_util::sync::CancellationToken;

use super::trouble;

/// Batches of hits that may wait to be written.
const HITS_QUEUE: usize = 1_024;
/// Hits gathered before they are written; more are not kept.
const GATHERED_MAX: usize = 4_096;
/// How long hits are gathered.
const GATHERED_FOR: Duration = Duration::from_millis(500);
/// How often rules that could not be read are read again.
const READ_AGAIN: Duration = Duration::from_secs(2);
/// Messages that are remembered, so that one that is sent again is not told again.
const TOLD_MAX: usize = 8_192;

/// The rules of all accounts of this node.
pub(crate) struct Words {
    catalog: Catalog,
    screens: Arc<Screens>,
    /// The revision each account's rules are of; held while rules are read, so that older ones never come last.
    revisions: Turn<HashMap<AccountId, u64>>,
    /// Accounts whose rules could not be read.
    unread: Mutex<HashSet<AccountId>>,
    /// Ends with the loops, which hold the strong ones.
    hits: mpsc::WeakSender<Vec<Hit>>,
}

/// What hits come by.
pub(crate) struct HitsPort {
    pub(crate) sender: mpsc::Sender<Vec<Hit>>,
    pub(crate) receiver: mpsc::Receiver<Vec<Hit>>,
}

impl Words {
    /// Reads the rules of all accounts: before anything is let pass.
    pub(crate) async fn open(catalog: Catalog) -> anyhow::Result<(Arc<Self>, HitsPort)> {
        let (sender, receiver) = mpsc::channel(HITS_QUEUE);
        let words = Self {
            catalog,
            screens: Arc::default(),
            revisions: Turn::default(),
            unread: Mutex::default(),
            hits: sender.downgrade(),
        };
        let accounts = words.catalog.accounts().await.context("cannot read accounts")?;
        for account in accounts {
            words.read(account.id).await.context("cannot read rules of words")?;
            // Once more, when this node hears of what others change: what they changed in between.
            words.unread.lock().insert(account.id);
        }
        Ok((Arc::new(words), HitsPort { sender, receiver }))
    }

    /// What looks at content, by account.
    pub(crate) fn screens(&self) -> &Arc<Screens> {
        &self.screens
    }

    /// Something about an account is configured otherwise, perhaps its rules.
    pub(crate) async fn changed(&self, account: AccountId) {
        match self.read(account).await {
            Ok(()) => drop(self.unread.lock().remove(&account)),
            Err(error) => {
                // The former rules hold meanwhile.
                trouble::tell(&error, "the rules of words of an account");
                self.unread.lock().insert(account);
            }
        }
    }

    /// Takes hits of requests; of loops they come by the port.
    pub(crate) fn note(&self, hits: Vec<Hit>) {
        if hits.is_empty() {
            return;
        }
        if let Some(port) = self.hits.upgrade()
            && port.try_send(hits).is_err()
        {
            tracing::debug!("there are more hits of rules than can be kept");
        }
    }

    async fn read(&self, account: AccountId) -> Result<(), CatalogError> {
        let mut revisions = self.revisions.lock().await;
        let document = self.catalog.document(account, DocumentKind::Words, "").await?;
        let revision = document.as_ref().map_or(0, |document| document.revision);
        if revisions.get(&account).copied().unwrap_or_default() == revision {
            return Ok(());
        }
        let screen = match document {
            None => Screen::default(),
            Some(document) => {
                // Thousands of words take a while.
                let made = tokio::task::spawn_blocking(move || ready(account, &document.document));
                made.await.ok().flatten().unwrap_or_default()
            }
        };
        self.screens.set(account, Arc::new(screen));
        revisions.insert(account, revision);
        Ok(())
    }

    /// Writes hits until the loops have ended, and reads again what could not be read.
    pub(crate) async fn run(
        self: Arc<Self>,
        mut hits: mpsc::Receiver<Vec<Hit>>,
        stop: CancellationToken,
    ) {
        let mut told = Told::default();
        let mut gathered: Vec<Hit> = Vec::new();
        let mut write = interval(GATHERED_FOR);
        let mut again = interval_at(Instant::now() + READ_AGAIN, READ_AGAIN);
        write.set_missed_tick_behavior(MissedTickBehavior::Delay);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                batch = hits.recv() => {
                    let Some(batch) = batch else { break };
                    let room = GATHERED_MAX - gathered.len();
                    gathered.extend(batch.into_iter().filter(|hit| told.is_new(hit)).take(room));
                }
                _ = write.tick() => self.write(std::mem::take(&mut gathered)).await,
                _ = again.tick() => {
                    let unread: Vec<AccountId> = self.unread.lock().iter().copied().collect();
                    for account in unread {
                        self.changed(account).await;
                    }
                }
            }
        }
        self.write(gathered).await;
    }

    async fn write(&self, hits: Vec<Hit>) {
        let mut accounts: BTreeMap<AccountId, Vec<NewScreenHit>> = BTreeMap::new();
        for hit in hits {
            accounts.entry(hit.account).or_default().push(kept(hit));
        }
        for (account, hits) in accounts {
            if let Err(error) = self.catalog.note_screen_hits(account, &hits).await {
                trouble::tell(&error, "hits of rules of words");
            }
        }
    }
}

/// Makes stored rules ready. They could hold when they were put in; one that cannot any more, since another version
/// of the product put it in, is left out by name, and the others hold.
fn ready(account: AccountId, document: &str) -> Option<Screen> {
    let mut rules = match serde_json::from_str::<Rules>(document) {
        Ok(document) => document.rules,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(account.id = %account, error, "rules of words cannot be read, and none holds");
            return None;
        }
    };
    loop {
        match Screen::new(&rules) {
            Ok(screen) => return Some(screen),
            Err(error) => {
                let left_out = error.rule.filter(|rule| *rule < rules.len());
                let named = left_out.map(|rule| rules.remove(rule).name).unwrap_or_default();
                tracing::error!(
                    account.id = %account,
                    rule.name = named,
                    error = &error as &dyn std::error::Error,
                    "a rule of words cannot hold"
                );
                left_out?;
            }
        }
    }
}

/// A hit as it is kept.
fn kept(hit: Hit) -> NewScreenHit {
    let kind = match hit.by.kind() {
        ActorKind::Visitor => "visitor",
        ActorKind::Bot => "bot",
        ActorKind::Api => "api",
        _ => "agent",
    };
    NewScreenHit {
        at_ms: hit.at_ms,
        rule: hit.rule,
        action: hit.action.code().to_owned(),
        by_kind: kind.to_owned(),
        by_id: hit.by.id,
        by_name: hit.by.name,
        conversation: hit.conversation.to_string(),
    }
}

/// What was told lately, by its hash.
#[derive(Default)]
struct Told {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Told {
    /// Whether a hit is not of a message that is sent again.
    fn is_new(&mut self, hit: &Hit) -> bool {
        if hit.client_msg_id.is_empty() {
            return true;
        }
        let mut hasher = DefaultHasher::new();
        (hit.conversation, &hit.by.id, &hit.client_msg_id, &hit.rule).hash(&mut hasher);
        let hash = hasher.finish();
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > TOLD_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use frontdesk_core::{chat::Actor, id::ConversationId};
    use frontdesk_router::{access::PrincipalKind, screen::Action};

    use super::*;

    fn hit(client_msg_id: &'static [u8], rule: &str) -> Hit {
        Hit {
            account: AccountId::from_bytes([1; 12]),
            conversation: ConversationId::from_bytes([2; 12]),
            at_ms: 7,
            by: Actor { kind: ActorKind::Visitor.into(), ..Actor::default() },
            rule: rule.to_owned(),
            action: Action::Mask,
            client_msg_id: Bytes::from_static(client_msg_id),
        }
    }

    #[test]
    fn a_message_that_is_sent_again_is_told_once() {
        let mut told = Told::default();
        assert!(told.is_new(&hit(b"1", "a")) && told.is_new(&hit(b"1", "b")));
        assert!(told.is_new(&hit(b"2", "a")) && !told.is_new(&hit(b"1", "a")));
        assert!(told.is_new(&hit(b"", "a")) && told.is_new(&hit(b"", "a")), "no message");
        for number in 0..2 * TOLD_MAX as u64 {
            let client_msg_id = Bytes::copy_from_slice(&number.to_be_bytes());
            assert!(told.is_new(&Hit { client_msg_id, ..hit(b"", "a") }));
        }
        assert_eq!((told.known.len(), told.order.len()), (TOLD_MAX, TOLD_MAX));
    }

    #[test]
    fn of_stored_rules_those_that_can_hold_do() {
        let rule = |name: &str, pattern: &str| {
            format!(
                r#"{{"name":"{name}","kind":"pattern","pattern":"{pattern}","action":"mask","applies_to":"everyone"}}"#
            )
        };
        let account = AccountId::from_bytes([1; 12]);
        let document =
            format!(r#"{{"rules":[{},{},{}]}}"#, rule("a", "x+"), rule("b", "("), rule("c", "y+"));
        let screen = ready(account, &document).expect("two of them hold");
        let tried = screen.try_out("xyz(".to_owned(), PrincipalKind::Visitor);
        assert_eq!(tried.text, "**z(");
        assert!(ready(account, "{").is_none() && ready(account, r#"{"rules":[{}]}"#).is_none());
    }
}
