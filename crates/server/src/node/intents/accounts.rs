//! What the intents need to know of an account: names of its inboxes and teams, and what it says of its own. Read from
//! the catalog now and then, by whoever asks; nobody who waits here keeps anybody else waiting.

use std::{collections::HashMap, sync::Arc, time::Duration};

use frontdesk_catalog::{Catalog, Error as CatalogError, IntentSettings, Team};
use frontdesk_core::id::{AccountId, TeamId};
use frontdesk_intent::{AccountConfig, ConfigError, SmartRouter};
use parking_lot::Mutex;
use tokio::time::Instant;

/// How long names are believed, and how long a catalog that did not answer is left alone.
const NAMES_FOR: Duration = Duration::from_secs(5);
/// How long names of an account are kept that nobody asks for.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);

/// What things are called in an account, and what it says of its own.
#[derive(Debug, Default)]
pub(in crate::node) struct Names {
    /// Of inboxes, by id.
    pub(in crate::node) inboxes: HashMap<String, String>,
    /// Of teams, by their ids and by their names in each language.
    pub(in crate::node) teams: HashMap<String, TeamId>,
    /// None where it says nothing, or what does not fit the file any more.
    pub(in crate::node) own: Option<Arc<AccountConfig>>,
}

/// What an account says of its own, as it was read for one revision and one file.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) settings: IntentSettings,
    /// Why it does not hold, where it does not fit the file any more.
    pub(crate) config: Result<Arc<AccountConfig>, ConfigError>,
    /// The file it was checked on.
    file: u64,
}

/// All accounts of this node.
pub(crate) struct Accounts {
    catalog: Catalog,
    router: Arc<SmartRouter>,
    names: Mutex<HashMap<AccountId, (Instant, Arc<Names>)>>,
    /// Parsed once: whoever parses again begins with an empty memory.
    own: Mutex<HashMap<AccountId, Own>>,
}

impl Accounts {
    pub(crate) fn new(catalog: Catalog, router: Arc<SmartRouter>) -> Self {
        Self { catalog, router, names: Mutex::default(), own: Mutex::default() }
    }

    /// Names of an account, at most some seconds old; those of before while the catalog does not answer.
    pub(in crate::node) async fn names(&self, account: AccountId) -> Arc<Names> {
        let known = self.names.lock().get(&account).cloned();
        if let Some((read, names)) = &known
            && read.elapsed() < NAMES_FOR
        {
            return Arc::clone(names);
        }
        // In a box: what is asked for with every message would else be as large as this seldom step.
        Box::pin(self.read_names(account, known.map(|(_, names)| names))).await
    }

    async fn read_names(&self, account: AccountId, known: Option<Arc<Names>>) -> Arc<Names> {
        let inboxes = self.catalog.inboxes(account).await;
        let teams = self.catalog.teams(account).await;
        let own = self.own(account).await;
        let names = match (inboxes, teams, own) {
            (Ok(inboxes), Ok(teams), Ok(own)) => Arc::new(Names {
                inboxes: inboxes.into_iter().map(|of| (of.id.to_string(), of.name)).collect(),
                teams: teams.iter().flat_map(names_of).collect(),
                own: own.and_then(|own| own.config.ok()),
            }),
            _ => known.unwrap_or_default(),
        };
        self.names.lock().insert(account, (Instant::now(), Arc::clone(&names)));
        names
    }

    /// What an account says of its own; none where it never said anything.
    pub(crate) async fn own(&self, account: AccountId) -> Result<Option<Own>, CatalogError> {
        let Some(settings) = self.catalog.intent_settings(account).await? else {
            return Ok(None);
        };
        let config = self.router.config();
        let known = self.own.lock().get(&account).cloned();
        let is_same =
            |own: &Own| own.settings.revision == settings.revision && own.file == config.number();
        if let Some(own) = known.filter(is_same) {
            return Ok(Some(own));
        }
        let file = config.number();
        let document = settings.document.clone();
        // Making hundreds of rules ready takes a while.
        let parse = move || AccountConfig::parse(&document, &config).map(Arc::new);
        let parsed = tokio::task::spawn_blocking(parse).await;
        let parsed = parsed.unwrap_or_else(|_| Err(ConfigError::unreadable()));
        if let Err(error) = &parsed {
            tracing::warn!(
                account.id = %account,
                reason = error.reason,
                "what the account says of intents does not fit the file, and does not hold"
            );
        }
        let own = Own { settings, config: parsed, file };
        self.own.lock().insert(account, own.clone());
        Ok(Some(own))
    }

    pub(super) fn forget(&self) {
        self.names.lock().retain(|_, (read, _)| read.elapsed() < FORGOTTEN_AFTER);
    }
}

/// What a team may be called: its id, and its name in each language.
fn names_of(team: &Team) -> impl Iterator<Item = (String, TeamId)> {
    let id = team.id;
    let names = team.names.iter().map(|(_, name)| name.to_owned());
    names.chain([id.to_string()]).map(move |name| (name, id))
}
