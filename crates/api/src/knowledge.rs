//! The index of each account's articles, in one place for the help centre, the console and bots.
//!
//! An index is built when somebody asks for it, on a thread of low priority, one at a time; it is kept while it is used
//! and there is room. One that is behind the catalog is used until the next one is there, so that a change of an
//! article makes nobody wait: whether it is behind is looked at once a second, and at once where the change was made on
//! this node. Where changes keep coming, as in an import, it is built again only after a while.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk_catalog::{
    Article, ArticleText, ArticleTexts, Catalog, Error as CatalogError, PutArticle,
};
use frontdesk_core::id::{AccountId, ArticleId};
use frontdesk_knowledge::{self as knowledge, Knowledge, Options};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, watch};

/// Accounts whose index is kept.
const ACCOUNTS_MAX: usize = 64;
/// Bytes of the texts of all that are kept, twice what one account may have; an index takes up to 4.5 times as much
/// (docs/knowledge.md).
const TEXT_BYTES_MAX: u64 = 2 * frontdesk_catalog::KNOWLEDGE_BYTES_MAX;
/// An index smaller than this that was used a moment ago goes after all others, so that a few large ones do not take the
/// place of many small ones.
const SMALL_BYTES: u64 = TEXT_BYTES_MAX / 8;
/// How long ago a moment is.
const JUST_USED: Duration = Duration::from_mins(1);
/// How long an index that nobody asks for is kept.
const UNUSED_MAX: Duration = Duration::from_hours(1);
/// How long an index may be used without looking whether it is behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a build the next one waits so many times as long as it took: while changes keep coming, a tenth of the time at
/// most is spent on building.
const PAUSE_TIMES: u32 = 10;
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long somebody waits for an index.
const WAIT: Duration = Duration::from_secs(5);
/// Articles read at a time.
const ARTICLES_READ: usize = 64;
/// How far the builder steps back behind everybody else.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// What a team knows, as it was at one version of its articles.
#[derive(Debug)]
pub struct Base {
    /// Of [`Catalog::knowledge_version`].
    pub version: u64,
    /// Finds and answers.
    pub knowledge: Knowledge,
    /// What is published, by category and slug.
    pub headings: Vec<Heading>,
    /// Languages there is something in, English and Chinese first.
    pub languages: Vec<String>,
    /// What categories are called in other languages.
    pub categories: Arc<Categories>,
    text_bytes: u64,
}

/// What categories are called, by language.
#[derive(Debug, Default)]
pub struct Categories(HashMap<String, HashMap<String, String>>);

impl Categories {
    /// Takes what an article calls its category. Where two call it otherwise the first is heard.
    pub(crate) fn learn(&mut self, article: &Article) {
        for (language, text) in &article.texts {
            if !text.category.is_empty() && !article.category.is_empty() {
                let names = self.0.entry(article.category.clone()).or_default();
                names.entry(language.clone()).or_insert_with(|| text.category.clone());
            }
        }
    }

    /// The category's name in a language.
    pub fn name<'a>(&'a self, category: &'a str, language: &str) -> &'a str {
        self.0.get(category).and_then(|names| names.get(language)).map_or(category, String::as_str)
    }
}

/// An article in a list.
#[derive(Debug, Clone)]
pub struct Heading {
    /// The article.
    pub id: ArticleId,
    /// Names it in addresses.
    pub slug: String,
    /// Under which heading it stands; empty for none.
    pub category: String,
    /// Title and summary by language.
    pub texts: BTreeMap<String, (String, String)>,
}

/// Why there is no index.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoBase {
    /// The articles could not be read.
    #[error("the articles cannot be read")]
    Catalog(#[source] Arc<CatalogError>),
    /// The index could not be built.
    #[error("the articles cannot be indexed")]
    Index(#[source] Arc<knowledge::Error>),
    /// It takes longer than anybody waits.
    #[error("the articles are being indexed, try again")]
    Late,
}

/// The indices of all accounts; cheap to clone.
#[derive(Clone)]
pub struct KnowledgeBases {
    inner: Arc<Inner>,
}

struct Inner {
    catalog: Catalog,
    options: Options,
    entries: Mutex<HashMap<AccountId, Entry>>,
    /// One is built at a time.
    builder: Arc<Semaphore>,
}

struct Entry {
    /// What was built last, and what went wrong if the last build did.
    state: watch::Sender<State>,
    /// The newest version anybody saw.
    wanted: u64,
    looked_at: Option<Instant>,
    used_at: Instant,
    is_building: bool,
    /// Not before then, unless somebody waits for it.
    rest_until: Instant,
    /// Somebody waits for what is new.
    hurry: Arc<Notify>,
}

#[derive(Debug, Clone, Default)]
struct State {
    base: Option<Arc<Base>>,
    failed: Option<NoBase>,
}

impl std::fmt::Debug for KnowledgeBases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnowledgeBases").finish_non_exhaustive()
    }
}

impl KnowledgeBases {
    /// Indexes nothing yet.
    pub fn new(catalog: Catalog, options: Options) -> Self {
        let entries = Mutex::default();
        let builder = Arc::new(Semaphore::new(1));
        Self { inner: Arc::new(Inner { catalog, options, entries, builder }) }
    }

    /// The index of an account, which may be behind by the time a build takes. The first one is waited for.
    pub async fn get(&self, account: AccountId) -> Result<Arc<Base>, NoBase> {
        self.look(account, false).await?;
        self.wait(account, 0).await
    }

    /// The index with all that is in the catalog now; the last one if a build takes longer than anybody waits.
    pub async fn get_new(&self, account: AccountId) -> Result<Arc<Base>, NoBase> {
        let version = self.look(account, true).await?;
        if let Some(entry) =
            self.inner.entries.lock().get(&account).filter(|entry| entry.is_behind())
        {
            entry.hurry.notify_one();
        }
        match self.wait(account, version.unwrap_or_default()).await {
            Err(NoBase::Late) => self.wait(account, 0).await,
            other => other,
        }
    }

    /// The index as it is, if it was built; one is begun where it was not.
    pub async fn peek(&self, account: AccountId) -> Option<Arc<Base>> {
        if let Err(error) = self.look(account, false).await {
            tracing::debug!(error.chain = chain(&error), "articles cannot be looked at");
        }
        self.state(account).and_then(|state| state.base)
    }

    /// Somebody changed an article of the account on this node: an index that is in use is made anew.
    pub fn changed(&self, account: AccountId) {
        let is_used = {
            let mut entries = self.inner.entries.lock();
            let entry = entries.get_mut(&account);
            entry.map(|entry| entry.looked_at = None).is_some()
        };
        if is_used {
            let bases = self.clone();
            tokio::spawn(async move {
                if let Err(error) = bases.look(account, true).await {
                    tracing::warn!(%error, account.id = %account, "articles cannot be looked at");
                }
            });
        }
    }

    /// Looks whether the index is behind, and begins to build one if so. Tells the version of the catalog, if it was
    /// asked.
    async fn look(&self, account: AccountId, at_once: bool) -> Result<Option<u64>, NoBase> {
        let now = Instant::now();
        {
            let mut entries = self.inner.entries.lock();
            if !entries.contains_key(&account) {
                make_room(&mut entries, 1, now);
            }
            let entry = entries.entry(account).or_insert_with(|| Entry::new(now));
            entry.used_at = now;
            let is_fresh = entry.looked_at.is_some_and(|at| now - at < LOOK_EVERY);
            if is_fresh && !at_once {
                return Ok(None);
            }
            entry.looked_at = Some(now);
        }
        let asked = self.inner.catalog.knowledge_version(account).await;
        let version = match asked {
            Ok(version) => version,
            Err(error) => {
                // What is there is used on while the catalog is away.
                let known = self.state(account).is_some_and(|state| state.base.is_some());
                let failed = NoBase::Catalog(Arc::new(error));
                return if known && !at_once { Ok(None) } else { Err(failed) };
            }
        };
        let mut entries = self.inner.entries.lock();
        let entry = entries.entry(account).or_insert_with(|| Entry::new(now));
        entry.wanted = entry.wanted.max(version);
        if entry.is_behind() && !entry.is_building {
            entry.is_building = true;
            let (state, hurry) = (entry.state.clone(), Arc::clone(&entry.hurry));
            tokio::spawn(self.clone().build(account, state, hurry, entry.rest_until));
        }
        Ok(Some(version))
    }

    /// Waits for an index of this version or a later one.
    async fn wait(&self, account: AccountId, version: u64) -> Result<Arc<Base>, NoBase> {
        let states = self.inner.entries.lock().get(&account).map(|entry| entry.state.subscribe());
        let Some(mut states) = states else { return Err(NoBase::Late) };
        let enough = |state: &State| {
            let has = state.base.as_ref().is_some_and(|base| base.version >= version);
            has || state.failed.is_some()
        };
        let waited = tokio::time::timeout(WAIT, states.wait_for(enough)).await;
        let Ok(Ok(state)) = waited else { return Err(NoBase::Late) };
        match (&state.base, &state.failed) {
            (Some(base), _) => Ok(Arc::clone(base)),
            (None, Some(failed)) => Err(failed.clone()),
            (None, None) => Err(NoBase::Late),
        }
    }

    fn state(&self, account: AccountId) -> Option<State> {
        self.inner.entries.lock().get(&account).map(|entry| entry.state.borrow().clone())
    }

    /// Builds until nothing is behind, or it fails.
    async fn build(
        self,
        account: AccountId,
        state: watch::Sender<State>,
        hurry: Arc<Notify>,
        mut rest_until: Instant,
    ) {
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(rest_until.into()) => {}
                () = hurry.notified() => {}
            }
            let is_first = state.borrow().base.is_none();
            let (built, took) = match self.built(account).await {
                Ok((base, took)) => (Ok(base), took),
                Err(error) => (Err(error), Duration::ZERO),
            };
            rest_until = Instant::now() + pause(is_first, took);
            let failed = built.as_ref().err().cloned();
            match &built {
                Ok(base) => tracing::debug!(
                    account.id = %account, version = base.version, articles = base.knowledge.len(),
                    "articles are indexed"
                ),
                Err(error) => tracing::error!(
                    account.id = %account, error.chain = chain(error), "articles cannot be indexed"
                ),
            }
            let has_failed = failed.is_some();
            state.send_modify(|state| {
                state.failed = failed;
                if let Ok(base) = built {
                    state.base = Some(base);
                }
            });
            let mut entries = self.inner.entries.lock();
            let Some(entry) = entries.get_mut(&account) else { return };
            entry.rest_until = rest_until;
            // Whoever saw a newer version meanwhile relies on this build.
            if has_failed || !entry.is_behind() {
                entry.is_building = false;
                make_room(&mut entries, 0, Instant::now());
                return;
            }
        }
    }

    /// An index of what is there now, and how long it took without the turns of others.
    async fn built(&self, account: AccountId) -> Result<(Arc<Base>, Duration), NoBase> {
        let _turn = self.inner.builder.acquire().await.map_err(|_| NoBase::Late)?;
        let began = Instant::now();
        let catalog = &self.inner.catalog;
        let failed = |error| NoBase::Catalog(Arc::new(error));
        // Read first: what is changed while the articles are read makes the index be behind.
        let version = catalog.knowledge_version(account).await.map_err(failed)?;
        let mut articles = Vec::new();
        let mut headings = Vec::new();
        let mut categories = Categories::default();
        let mut after = None;
        loop {
            let page = catalog.published_articles(account, after, ARTICLES_READ).await;
            let page = page.map_err(failed)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for article in page {
                headings.push(heading(&article));
                categories.learn(&article);
                articles.push(indexed(article));
            }
        }
        headings.sort_by(|a, b| (&a.category, &a.slug).cmp(&(&b.category, &b.slug)));
        let languages = languages(&headings);
        let text_bytes = articles.iter().map(|article| article.bytes() as u64).sum();
        let options = self.inner.options.clone();
        let build = move || {
            step_back();
            Knowledge::build(&articles, options)
        };
        // A thread of its own: one of the pool would stay as slow for whoever gets it next.
        let (done, result) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name("articles".to_owned())
            .spawn(move || drop(done.send(build())))
            .map_err(|_| NoBase::Late)?;
        let knowledge = result.await.map_err(|_| NoBase::Late)?;
        let knowledge = knowledge.map_err(|error| NoBase::Index(Arc::new(error)))?;
        let categories = Arc::new(categories);
        let base = Base { version, knowledge, headings, languages, categories, text_bytes };
        Ok((Arc::new(base), began.elapsed()))
    }
}

impl Entry {
    fn new(now: Instant) -> Self {
        let state = watch::Sender::default();
        Self {
            state,
            wanted: 0,
            looked_at: None,
            used_at: now,
            is_building: false,
            rest_until: now,
            hurry: Arc::default(),
        }
    }

    fn is_behind(&self) -> bool {
        self.state.borrow().base.as_ref().is_none_or(|base| base.version < self.wanted)
    }
}

/// How long the next build waits. The first one reads the words of a language besides, and what was there before it is
/// no change.
fn pause(is_first: bool, took: Duration) -> Duration {
    if is_first { Duration::ZERO } else { took.saturating_mul(PAUSE_TIMES).min(PAUSE_MAX) }
}

/// Lets go of what nobody asks for, and of what was not asked for longest where there is too much.
fn make_room(entries: &mut HashMap<AccountId, Entry>, places: usize, now: Instant) {
    let is_idle = |entry: &Entry| entry.state.receiver_count() == 0 && !entry.is_building;
    entries.retain(|_, entry| {
        !is_idle(entry) || now.saturating_duration_since(entry.used_at) < UNUSED_MAX
    });
    let bytes =
        |entry: &Entry| entry.state.borrow().base.as_ref().map_or(0, |base| base.text_bytes);
    loop {
        let total: u64 = entries.values().map(bytes).sum();
        if entries.len() + places <= ACCOUNTS_MAX && total <= TEXT_BYTES_MAX {
            return;
        }
        let oldest = entries.iter().filter(|(_, entry)| is_idle(entry));
        let is_spared = |entry: &Entry| {
            bytes(entry) < SMALL_BYTES && now.saturating_duration_since(entry.used_at) < JUST_USED
        };
        let oldest = oldest
            .min_by_key(|(_, entry)| (is_spared(entry), entry.used_at))
            .map(|(account, _)| *account);
        // One alone may be as large as an account's articles may be.
        let Some(oldest) = oldest.filter(|_| entries.len() > 1) else { return };
        entries.remove(&oldest);
    }
}

fn languages(headings: &[Heading]) -> Vec<String> {
    let all: BTreeSet<&str> =
        headings.iter().flat_map(|heading| heading.texts.keys().map(String::as_str)).collect();
    let mut all: Vec<String> = all.into_iter().map(str::to_owned).collect();
    all.sort_by_key(|language| (language != "en", language != "zh-CN"));
    all
}

fn heading(article: &Article) -> Heading {
    let texts = article
        .texts
        .iter()
        .map(|(language, text)| (language.clone(), (text.title.clone(), text.summary.clone())));
    Heading {
        id: article.id,
        slug: article.slug.clone(),
        category: article.category.clone(),
        texts: texts.collect(),
    }
}

/// An article as the catalog takes it.
pub fn put_of(article: &knowledge::Article, publish: bool, origin: &str) -> PutArticle {
    let texts: ArticleTexts = article
        .texts
        .iter()
        .map(|(language, text)| {
            let text = ArticleText {
                title: text.title.clone(),
                summary: text.summary.clone(),
                body: text.body.clone(),
                questions: text.questions.clone(),
                category: text.category.clone(),
            };
            (language.clone(), text)
        })
        .collect();
    PutArticle {
        slug: article.slug.clone(),
        category: article.category.clone(),
        publish,
        texts,
        origin: origin.to_owned(),
    }
}

/// The article as the index takes it.
pub fn indexed(article: Article) -> knowledge::Article {
    let published = article.state == frontdesk_catalog::ArticleState::Published;
    let texts = article.texts.into_iter().map(|(language, text)| {
        let text = knowledge::ArticleText {
            title: text.title,
            summary: text.summary,
            body: text.body,
            questions: text.questions,
            category: text.category,
        };
        (language, text)
    });
    knowledge::Article {
        id: article.id.to_string(),
        slug: article.slug,
        category: article.category,
        texts: texts.collect(),
        published,
    }
}

/// This thread runs when the others leave time: messages go first.
fn step_back() {
    // On Linux each thread has a niceness of its own. Who may not change it works as everybody does.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "articles are indexed with the priority of everything else");
    }
}

fn chain(error: &NoBase) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[cfg(test)]
mod tests {
    use frontdesk_catalog::{
        ArticleState, ArticleText, ArticleTexts, NewAccount, NewArticle, Password,
    };
    use frontdesk_knowledge::Outcome;

    use super::*;

    async fn catalog(dir: &tempfile::TempDir) -> Catalog {
        Catalog::open(&dir.path().join("catalog.db")).await.expect("it opens")
    }

    async fn account(catalog: &Catalog, name: &str) -> AccountId {
        let new = NewAccount {
            name: name.to_owned(),
            language: "en".to_owned(),
            demo: false,
            owner_email: format!("owner@{name}.example"),
            owner_name: name.to_owned(),
            owner_password: Password::new("correct horse battery"),
            origins: Vec::new(),
        };
        catalog.create_account_with_admin(new).await.expect("an account").account
    }

    fn article(slug: &str, title: &str, state: ArticleState) -> NewArticle {
        let text = ArticleText {
            title: title.to_owned(),
            body: format!("{title} is explained here."),
            ..ArticleText::default()
        };
        NewArticle {
            slug: slug.to_owned(),
            category: String::new(),
            state,
            texts: ArticleTexts::from([("en".to_owned(), text)]),
        }
    }

    #[tokio::test]
    async fn what_is_published_is_found_once_it_is_there_and_by_nobody_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let catalog = catalog(&dir).await;
        let (ours, theirs) = (account(&catalog, "ours").await, account(&catalog, "theirs").await);
        let bases = KnowledgeBases::new(catalog.clone(), Options::default());
        assert!(bases.get(ours).await.expect("an empty index").knowledge.is_empty());
        let made = catalog
            .create_article(ours, &article("pay", "Paying by card", ArticleState::Published))
            .await
            .expect("an article");
        let draft = article("draft", "Paying by shells", ArticleState::Draft);
        catalog.create_article(ours, &draft).await.expect("a draft");
        let base = bases.get_new(ours).await.expect("an index");
        assert_eq!((base.version, base.knowledge.len(), base.headings.len()), (2, 1, 1));
        assert_eq!(base.languages, ["en"]);
        assert_eq!((base.headings[0].id, base.headings[0].slug.as_str()), (made.id, "pay"));
        let found = base.knowledge.answer("paying by card", "en");
        assert!(
            matches!(&found, Outcome::Answer(answer) if answer.found.slug == "pay"),
            "{found:?}"
        );
        assert!(bases.get_new(theirs).await.expect("an index").headings.is_empty());

        catalog.delete_article(ours, made.id).await.expect("it goes");
        bases.changed(ours);
        assert_eq!(bases.get_new(ours).await.expect("an index").version, 3);
        assert!(bases.get(ours).await.expect("an index").knowledge.is_empty());
    }

    #[tokio::test]
    async fn of_many_who_ask_at_once_each_gets_what_is_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let catalog = catalog(&dir).await;
        let ours = account(&catalog, "ours").await;
        let bases = KnowledgeBases::new(catalog.clone(), Options::default());
        for number in 1..=20_u64 {
            let title = format!("Title number {number}");
            let new = article(&format!("a{number}"), &title, ArticleState::Published);
            catalog.create_article(ours, &new).await.expect("an article");
            bases.changed(ours);
            let asked = (0..4).map(|_| bases.get_new(ours));
            for base in futures_util::future::join_all(asked).await {
                assert!(base.expect("an index").version >= number);
            }
        }
    }

    #[tokio::test]
    async fn while_changes_keep_coming_it_is_built_now_and_then_and_at_once_for_who_waits() {
        let dir = tempfile::tempdir().expect("a directory");
        let catalog = catalog(&dir).await;
        let (ours, theirs) = (account(&catalog, "ours").await, account(&catalog, "theirs").await);
        let bases = KnowledgeBases::new(catalog.clone(), Options::default());
        bases.get(ours).await.expect("an index");
        let rest_until = Instant::now() + PAUSE_MAX;
        bases.inner.entries.lock().get_mut(&ours).expect("an entry").rest_until = rest_until;
        let new = article("pay", "Paying by card", ArticleState::Published);
        catalog.create_article(ours, &new).await.expect("an article");
        bases.look(ours, true).await.expect("a look");
        // They are built in turns: ours would be the first.
        bases.get(theirs).await.expect("an index");
        assert_eq!(bases.peek(ours).await.expect("the last one").version, 0, "it rests");
        assert_eq!(bases.get_new(ours).await.expect("a new one").version, 1);
    }

    #[test]
    fn a_pause_is_ten_builds_long_and_bounded() {
        assert_eq!(pause(true, Duration::from_secs(2)), Duration::ZERO);
        assert_eq!(pause(false, Duration::from_millis(20)), Duration::from_millis(200));
        assert_eq!(pause(false, Duration::from_secs(9)), PAUSE_MAX);
    }

    #[test]
    fn what_was_not_asked_for_longest_makes_room() {
        let began = Instant::now();
        let account = |number: usize| {
            let mut bytes = [0; 12];
            bytes[4..].copy_from_slice(&(number as u64).to_be_bytes());
            AccountId::from_bytes(bytes)
        };
        let base = |text_bytes| {
            let knowledge = Knowledge::build(&[], Options::default()).expect("an empty index");
            Arc::new(Base {
                version: 1,
                knowledge,
                headings: Vec::new(),
                languages: Vec::new(),
                categories: Arc::default(),
                text_bytes,
            })
        };
        let fill = |count: usize, text_bytes| -> HashMap<AccountId, Entry> {
            let entry = |number: usize| {
                let entry = Entry::new(began + Duration::from_millis(number as u64));
                entry.state.send_modify(|state| state.base = Some(base(text_bytes)));
                (account(number), entry)
            };
            (0..count).map(entry).collect()
        };
        let mut entries = fill(ACCOUNTS_MAX, 10);
        make_room(&mut entries, 1, began);
        assert_eq!(entries.len(), ACCOUNTS_MAX - 1);
        assert!(!entries.contains_key(&account(0)) && entries.contains_key(&account(1)));

        let mut entries = fill(5, TEXT_BYTES_MAX / 3);
        make_room(&mut entries, 0, began);
        assert_eq!(entries.len(), 3, "by their bytes");
        assert!(entries.contains_key(&account(4)));

        // What is large goes before what is small and was used a moment ago, and the small ones after all others.
        let mut entries = fill(10, SMALL_BYTES - 1);
        let mut large = fill(12, TEXT_BYTES_MAX / 2);
        entries.extend(large.remove_entry(&account(10)));
        entries.extend(large.remove_entry(&account(11)));
        make_room(&mut entries, 0, began + Duration::from_secs(1));
        assert!(!entries.contains_key(&account(10)) && !entries.contains_key(&account(11)));
        assert_eq!(entries.len(), 8, "small ones alone have to find room as well");
        let mut entries = fill(2, SMALL_BYTES - 1);
        entries.extend(fill(4, TEXT_BYTES_MAX / 2).into_iter().filter(|(of, _)| *of > account(1)));
        make_room(&mut entries, 0, began + JUST_USED * 2);
        assert!(!entries.contains_key(&account(0)), "it was not used for long");

        let mut entries = fill(1, 2 * TEXT_BYTES_MAX);
        make_room(&mut entries, 0, began);
        assert_eq!(entries.len(), 1, "one alone may be as large as it is");
        make_room(&mut entries, 0, began + UNUSED_MAX * 2);
        assert!(entries.is_empty(), "nobody asked for it");
    }
}
