//! What accounts say about their bots: read from the catalog at the start and at every change, and told to the loops,
//! which pass on what happens in inboxes where the bot of this server works.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use frontdesk_api::llm::LlmDocument;
use frontdesk_bot::{BUILT_IN, BotConfig, BotDocument, Flow, InboxMode, Language, Mind};
use frontdesk_catalog::{Catalog, Document, DocumentKind, Error as CatalogError, Hours, Inbox};
use frontdesk_core::{
    chat::{Participant, ParticipantKind},
    id::{AccountId, BotId, InboxId, TeamId},
    rights::{Right, Rights},
};
use frontdesk_gateway::chat::port::{BotInboxes, BotMode};
use frontdesk_knowledge::Knowledge;
use frontdesk_router::{
    access::{Principal, PrincipalKind},
    desk,
};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex as Turn;

use crate::node::trouble;

/// How long what an inbox's bot decides by is kept while nobody writes there: it holds on to all articles.
const MIND_UNUSED_MAX: Duration = Duration::from_mins(1);

/// The bots of all accounts of this node.
pub(crate) struct Bots {
    catalog: Catalog,
    inboxes: Arc<BotInboxes>,
    accounts: Mutex<HashMap<AccountId, Arc<AccountBot>>>,
    /// Held while an account is read, so that what was read earlier never comes later.
    reading: Turn<()>,
    /// Accounts that could not be read.
    unread: Mutex<HashSet<AccountId>>,
}

/// What one account says.
#[derive(Debug, Default)]
pub(crate) struct AccountBot {
    document: BotDocument,
    /// Sessions are summed up when they are handed on or end.
    sums_up: bool,
    /// By the id of the inbox.
    pub(crate) inboxes: HashMap<String, InboxBot>,
    /// Those that hold.
    pub(crate) flows: Vec<Flow>,
    /// By their ids and by their names in each language.
    pub(crate) teams: HashMap<String, TeamId>,
    /// What it decides by, by inbox and whether there is a language model: putting it together takes much longer than
    /// deciding.
    minds: Mutex<HashMap<(String, bool), KeptMind>>,
}

/// What a bot decides by, as long as it is used.
#[derive(Debug)]
struct KeptMind {
    /// Of the articles in it; none where they could not be read.
    version: Option<u64>,
    mind: Mind,
    used_at: Instant,
}

/// What is done in one inbox.
#[derive(Debug, Clone)]
pub(crate) struct InboxBot {
    pub(crate) mode: InboxMode,
    /// [`BUILT_IN`], or the id of a bot's key.
    who: String,
    /// When people are there.
    pub(crate) hours: Hours,
    /// Names the inbox in addresses.
    pub(crate) key: String,
}

impl InboxBot {
    fn is_built_in(&self) -> bool {
        self.who == BUILT_IN
    }
}

impl AccountBot {
    /// How it behaves in one of the inboxes where it works: what past sessions are replayed with.
    pub(crate) fn any_config(&self) -> Option<BotConfig> {
        let answers = |id: &&String| self.inboxes[*id].mode == InboxMode::Answer;
        let mut ids: Vec<&String> = self.inboxes.keys().collect();
        ids.sort();
        let of = ids.iter().copied().find(answers).or(ids.first().copied())?;
        self.document.config(of, false)
    }

    /// How the bot of this server behaves in an inbox; `None` where it does nothing.
    pub(crate) fn config(&self, inbox: &str, llm: bool) -> Option<BotConfig> {
        self.inboxes.get(inbox).filter(|of| of.is_built_in())?;
        self.document.config(inbox, llm)
    }

    /// What the bot of this server decides by in an inbox, with the articles of a version; `None` where it does nothing.
    pub(crate) fn mind(
        &self,
        inbox: &str,
        llm: bool,
        known: Option<(u64, &Knowledge)>,
    ) -> Option<Mind> {
        let version = known.map(|(version, _)| version);
        let key = (inbox.to_owned(), llm);
        let used_at = Instant::now();
        if let Some(kept) = self.minds.lock().get_mut(&key)
            && kept.version == version
        {
            kept.used_at = used_at;
            return Some(kept.mind.clone());
        }
        let config = self.config(inbox, llm)?;
        let knowledge = known.map(|(_, knowledge)| knowledge.clone());
        let mind = Mind::new(config, knowledge, self.flows.clone());
        let kept = KeptMind { version, mind: mind.clone(), used_at };
        self.minds.lock().insert(key, kept);
        Some(mind)
    }
}

/// The bot of this server, as one that acts in an account.
pub(crate) fn principal(account: AccountId, config: &BotConfig, language: &str) -> Principal {
    Principal {
        kind: PrincipalKind::Bot,
        account,
        id: id_of(account),
        name: config.own_name(Language::of(language)).to_owned(),
        // It may have to take over from any queue; of what people own nothing is its.
        rights: Rights::agent().with(Right::ConversationReadAll),
        teams: Vec::new(),
        conversation: None,
    }
}

/// Each account's bot has the account's id: there is one.
pub(crate) fn id_of(account: AccountId) -> String {
    BotId::from_bytes(*account.as_bytes()).to_string()
}

impl Bots {
    /// Reads what all accounts say.
    pub(crate) async fn open(catalog: Catalog) -> anyhow::Result<Arc<Self>> {
        let bots = Self {
            catalog,
            inboxes: Arc::default(),
            accounts: Mutex::default(),
            reading: Turn::default(),
            unread: Mutex::default(),
        };
        for account in bots.catalog.accounts().await.context("cannot read accounts")? {
            bots.read(account.id).await.context("cannot read what an account says about bots")?;
        }
        Ok(Arc::new(bots))
    }

    /// Where the bot of this server works, for the loops.
    pub(crate) fn inboxes(&self) -> &Arc<BotInboxes> {
        &self.inboxes
    }

    /// What an account says; none where it has no bot.
    pub(crate) fn of(&self, account: AccountId) -> Option<Arc<AccountBot>> {
        self.accounts.lock().get(&account).cloned()
    }

    /// Whether an account's sessions are summed up by its language model.
    pub(crate) fn sums_up(&self, account: AccountId) -> bool {
        self.of(account).is_some_and(|of| of.sums_up)
    }

    /// Who gets new sessions of an inbox before anybody else.
    pub(crate) fn for_desk(&self, account: AccountId, inbox: InboxId) -> Option<desk::Bot> {
        let of = self.of(account)?;
        let bot = of.inboxes.get(&inbox.to_string())?;
        match bot.mode {
            InboxMode::Answer if bot.is_built_in() => Some(desk::Bot::BuiltIn),
            InboxMode::Answer => Some(desk::Bot::Own(Participant {
                kind: ParticipantKind::Bot.into(),
                id: bot.who.clone(),
                name: of.document.own_name().to_owned(),
            })),
            InboxMode::Suggest | InboxMode::Off => None,
        }
    }

    /// Something about an account is configured otherwise, perhaps its bot.
    pub(crate) async fn changed(&self, account: AccountId) {
        match self.read(account).await {
            Ok(()) => drop(self.unread.lock().remove(&account)),
            Err(error) => {
                // What held before holds meanwhile.
                trouble::tell(&error, "what an account says about its bot");
                self.unread.lock().insert(account);
            }
        }
    }

    /// Lets go of what nobody has decided by for a while.
    pub(crate) fn forget_unused(&self) {
        for account in self.accounts.lock().values() {
            account.minds.lock().retain(|_, kept| kept.used_at.elapsed() < MIND_UNUSED_MAX);
        }
    }

    /// Reads again what could not be read.
    pub(crate) async fn read_again(&self) {
        let unread: Vec<AccountId> = self.unread.lock().iter().copied().collect();
        for account in unread {
            self.changed(account).await;
        }
    }

    async fn read(&self, account: AccountId) -> Result<(), CatalogError> {
        let _reading = self.reading.lock().await;
        let found = self.read_account(account).await?;
        let mut accounts = self.accounts.lock();
        let former: Vec<String> = accounts
            .get(&account)
            .map(|of| of.inboxes.keys().cloned().collect())
            .unwrap_or_default();
        let sums_up = found.as_ref().is_some_and(|of| of.sums_up);
        let working = found.iter().flat_map(|of| &of.inboxes);
        let working = working.filter_map(|(id, of)| Some((id.clone(), mode_of(of, sums_up)?)));
        self.inboxes.replace(&former, working);
        match found {
            Some(found) => drop(accounts.insert(account, Arc::new(found))),
            None => drop(accounts.remove(&account)),
        }
        Ok(())
    }

    async fn read_account(&self, account: AccountId) -> Result<Option<AccountBot>, CatalogError> {
        let document = self.catalog.document(account, DocumentKind::Bot, "").await?;
        let document = document.map(|kept| read_as::<BotDocument>(account, &kept.document));
        let document = document.flatten().unwrap_or_default();
        let llm = self.catalog.document(account, DocumentKind::Llm, "").await?;
        let llm = llm.and_then(|kept| read_as::<LlmDocument>(account, &kept.document));
        let sums_up = llm.is_some_and(|llm| llm.features.summary && !llm.base_url.is_empty());
        if document.inboxes.is_empty() && !sums_up {
            return Ok(None);
        }
        let inboxes = self.catalog.inboxes(account).await?;
        let inboxes: HashMap<String, InboxBot> =
            inboxes.into_iter().map(|inbox| of_inbox(&document, inbox)).collect();
        let flows = self.catalog.documents(account, DocumentKind::Flow).await?;
        // Many large flows take a while, and their patterns are compiled.
        let parsed = tokio::task::spawn_blocking(move || those_that_hold(account, &flows));
        let flows = parsed.await.unwrap_or_else(|error| {
            tracing::error!(account.id = %account, %error, "flows could not be read");
            Vec::new()
        });
        let teams = self.catalog.teams(account).await?;
        let teams = teams
            .iter()
            .flat_map(|team| {
                let names = team.names.iter().map(|(_, name)| name.to_owned());
                names.chain([team.id.to_string()]).map(|name| (name, team.id))
            })
            .collect();
        let minds = Mutex::default();
        Ok(Some(AccountBot { document, sums_up, inboxes, flows, teams, minds }))
    }
}

fn those_that_hold(account: AccountId, flows: &[Document]) -> Vec<Flow> {
    let parsed = flows.iter().filter_map(|flow| match Flow::parse(&flow.document) {
        Ok(parsed) => Some(parsed),
        // It was checked when it was put in, by the rules of that time.
        Err(problems) => {
            let reason = problems.first().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(account.id = %account, flow.name, reason, "a flow does not hold");
            None
        }
    });
    parsed.collect()
}

fn of_inbox(document: &BotDocument, inbox: Inbox) -> (String, InboxBot) {
    let id = inbox.id.to_string();
    let of = document.inboxes.get(&id).cloned().unwrap_or_default();
    let bot = InboxBot { mode: of.mode, who: of.who, hours: inbox.hours, key: inbox.public_key };
    (id, bot)
}

/// A document as it was checked when it was put in; none where another version wrote it.
fn read_as<T: DeserializeOwned>(account: AccountId, document: &str) -> Option<T> {
    match serde_json::from_str(document) {
        Ok(read) => Some(read),
        Err(error) => {
            tracing::error!(
                account.id = %account,
                %error,
                "what an account says about its bot cannot be read, and does not hold"
            );
            None
        }
    }
}

/// What the loops pass on for.
fn mode_of(of: &InboxBot, sums_up: bool) -> Option<BotMode> {
    match of.mode {
        InboxMode::Answer if of.is_built_in() => Some(BotMode::Answers),
        InboxMode::Suggest if of.is_built_in() => Some(BotMode::Suggests),
        _ => sums_up.then_some(BotMode::SumsUp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bot_decides_by_is_put_together_once() {
        let document: BotDocument =
            serde_json::from_str(r#"{"inboxes": {"inbox": {"mode": "answer"}}}"#).expect("JSON");
        let who = BUILT_IN.to_owned();
        let (hours, key) = (Hours::default(), String::new());
        let inbox = InboxBot { mode: InboxMode::Answer, who, hours, key };
        let inboxes = HashMap::from([("inbox".to_owned(), inbox)]);
        let account = AccountBot { document, inboxes, ..AccountBot::default() };
        let kept = || account.minds.lock().values().map(|kept| kept.version).collect::<Vec<_>>();
        let knowledge = Knowledge::build(&[], frontdesk_knowledge::Options::default());
        let knowledge = knowledge.expect("there is nothing to index");
        assert!(account.mind("other", false, None).is_none());
        assert!(account.mind("inbox", false, Some((1, &knowledge))).is_some());
        assert_eq!(kept(), [Some(1)]);
        let used_at = account.minds.lock()[&("inbox".to_owned(), false)].used_at;
        account.mind("inbox", false, Some((1, &knowledge)));
        assert!(account.minds.lock()[&("inbox".to_owned(), false)].used_at > used_at);
        // Other articles, or none that can be read, make another one.
        account.mind("inbox", false, Some((2, &knowledge)));
        assert_eq!(kept(), [Some(2)]);
        account.mind("inbox", false, None);
        assert_eq!(kept(), [None]);
        account.mind("inbox", true, None);
        assert_eq!(kept().len(), 2, "with a language model it is another one");
    }
}
