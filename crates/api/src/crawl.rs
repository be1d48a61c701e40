//! Takes over the pages of a help centre that is elsewhere: reads its sitemap, then page by page, slowly, and stores each
//! as an article. The address comes from a person, so every request goes through the guard of [`frontdesk_outgoing`],
//! and only to the origin of the sitemap; what robots.txt forbids is left out.
//!
//! New articles are drafts, and of those there are only drafts are changed that came from this site: what is published,
//! was written here or came from elsewhere is told as a problem.
//!
//! One crawl for each account, and a few altogether. It goes on without whoever started it and stops with the server;
//! what it took over stays.

mod robots;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use frontdesk_catalog::{Catalog, Error as CatalogError, Put};
use frontdesk_core::id::AccountId;
use frontdesk_knowledge::import::{self, sitemap::Sitemap};
use frontdesk_outgoing::{Client, Error as OutgoingError};
use frontdesk_protocol::codes;
use parking_lot::Mutex;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    knowledge::{KnowledgeBases, put_of},
    problem::{Answer, Problem},
    routes::articles::put_one,
    trouble::Trouble,
};
use robots::Robots;

/// Pages of one crawl.
pub(crate) const PAGES_MAX: usize = 500;
/// Bytes of a page.
const PAGE_BYTES_MAX: usize = 1 << 20;
/// Bytes of robots.txt; what stands behind them is not read, as others do it.
const ROBOTS_BYTES_MAX: usize = 512 << 10;
/// Between two requests: nobody's site should notice.
const PAUSE: Duration = Duration::from_millis(200);
/// A crawl ends after this, whatever is left.
const TIME_MAX: Duration = Duration::from_hours(1);
/// Pages in a row that cannot be read: the site does not want it, or is down.
const FAILURES_MAX: u32 = 20;
/// Crawls of all accounts at the same time.
const RUNNING_MAX: usize = 4;
/// Accounts whose last crawl can be looked at.
const KEPT_MAX: usize = 1_000;
/// Problems that are told; more help nobody.
const PROBLEMS_MAX: usize = 100;

/// How far a crawl is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum CrawlPhase {
    #[default]
    Idle,
    Running,
    Done,
    Failed,
}

/// What is known of a crawl.
#[derive(Debug, Clone, Default)]
pub(crate) struct CrawlState {
    pub(crate) phase: CrawlPhase,
    /// Pages that were read.
    pub(crate) pages: u64,
    /// Articles that were added or changed.
    pub(crate) added: u64,
    /// Addresses that were left out, and why.
    pub(crate) problems: Vec<(String, Trouble)>,
    /// Why it ended early.
    pub(crate) ended: Option<Trouble>,
}

/// The crawls of all accounts; cheap to clone.
#[derive(Clone)]
pub(crate) struct Crawls(Arc<Inner>);

struct Inner {
    catalog: Catalog,
    knowledge: KnowledgeBases,
    client: Client,
    stop: CancellationToken,
    running: Arc<Semaphore>,
    runs: Mutex<HashMap<AccountId, Run>>,
}

struct Run {
    state: CrawlState,
    stop: CancellationToken,
    began: Instant,
}

impl Crawls {
    pub(crate) fn new(
        catalog: Catalog,
        knowledge: KnowledgeBases,
        client: Client,
        stop: CancellationToken,
    ) -> Self {
        let running = Arc::new(Semaphore::new(RUNNING_MAX));
        let runs = Mutex::default();
        Self(Arc::new(Inner { catalog, knowledge, client, stop, running, runs }))
    }

    /// How far the account's last one is.
    pub(crate) fn state(&self, account: AccountId) -> CrawlState {
        self.0.runs.lock().get(&account).map(|run| run.state.clone()).unwrap_or_default()
    }

    /// Starts one, unless one is running.
    pub(crate) fn start(
        &self,
        account: AccountId,
        sitemap: Url,
        pages_max: usize,
    ) -> Answer<CrawlState> {
        let mut runs = self.0.runs.lock();
        if runs.get(&account).is_some_and(|run| run.state.phase == CrawlPhase::Running) {
            return Err(Problem::new(&codes::TOO_MANY).detail("a crawl of the account is running"));
        }
        let permit = Arc::clone(&self.0.running).try_acquire_owned().map_err(|_| {
            let problem = Problem::new(&codes::OVERLOADED).retry_after(Duration::from_mins(1));
            problem.detail("other accounts' crawls have to end first")
        })?;
        if runs.len() >= KEPT_MAX {
            let ended = runs.iter().filter(|(_, run)| run.state.phase != CrawlPhase::Running);
            let oldest = ended.min_by_key(|(_, run)| run.began).map(|(account, _)| *account);
            oldest.map(|oldest| runs.remove(&oldest));
        }
        let state = CrawlState { phase: CrawlPhase::Running, ..CrawlState::default() };
        let stop = self.0.stop.child_token();
        let run = Run { state: state.clone(), stop: stop.clone(), began: Instant::now() };
        runs.insert(account, run);
        drop(runs);
        let crawls = self.clone();
        tokio::spawn(async move {
            let running = Running { crawls: crawls.clone(), account, is_over: false };
            let until = Instant::now() + TIME_MAX;
            let crawl = Crawl { crawls: &crawls, account, sitemap: &sitemap, pages_max };
            let ended = tokio::select! {
                () = stop.cancelled() => Err(Trouble::new("crawl_stopped", "it was stopped")),
                ended = timeout_at(until, crawl.run()) => {
                    let late = || Trouble::new("crawl_late", "it took longer than an hour");
                    ended.unwrap_or_else(|_| Err(late()))
                }
            };
            running.end(ended);
            drop(permit);
        });
        Ok(state)
    }

    /// Stops the account's, if one is running.
    pub(crate) fn stop(&self, account: AccountId) {
        if let Some(run) = self.0.runs.lock().get(&account) {
            run.stop.cancel();
        }
    }

    fn change(&self, account: AccountId, change: impl FnOnce(&mut CrawlState)) {
        if let Some(run) = self.0.runs.lock().get_mut(&account) {
            change(&mut run.state);
        }
    }
}

/// Sees to it that a crawl that breaks off does not stay running for ever.
struct Running {
    crawls: Crawls,
    account: AccountId,
    is_over: bool,
}

impl Running {
    fn end(mut self, ended: Result<(), Trouble>) {
        // Before the state changes: from then on the account may start another one.
        self.is_over = true;
        self.tell(ended);
    }

    fn tell(&self, ended: Result<(), Trouble>) {
        self.crawls.change(self.account, |state| match ended {
            Ok(()) => state.phase = CrawlPhase::Done,
            Err(trouble) => {
                state.phase = CrawlPhase::Failed;
                state.ended = Some(trouble);
            }
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            self.tell(Err(Trouble::new("crawl_broken", "it broke off")));
        }
    }
}

/// One crawl while it runs.
struct Crawl<'a> {
    crawls: &'a Crawls,
    account: AccountId,
    sitemap: &'a Url,
    pages_max: usize,
}

impl Crawl<'_> {
    async fn run(&self) -> Result<(), Trouble> {
        let robots = self.robots().await?;
        let pages = self.pages(&robots).await?;
        let mut slugs = HashSet::new();
        let mut failures = 0;
        for address in pages {
            sleep(PAUSE).await;
            match self.page(&address, &robots, &mut slugs).await {
                Ok(()) => failures = 0,
                Err(trouble) => {
                    failures += 1;
                    self.problem(&address, trouble);
                }
            }
            if failures == FAILURES_MAX {
                let reason = format!("{FAILURES_MAX} pages in a row could not be taken over");
                return Err(Trouble::new("crawl_failures", reason).with("count", &FAILURES_MAX));
            }
        }
        Ok(())
    }

    /// What the site lets robots read. One without the file lets them read everything, and one that fails is not read.
    async fn robots(&self) -> Result<Robots, Trouble> {
        let mut address = self.sitemap.clone();
        address.set_path("/robots.txt");
        address.set_query(None);
        address.set_fragment(None);
        match self.client().fetch_text(&address, ROBOTS_BYTES_MAX).await {
            Ok(text) => Ok(Robots::parse(&text.text)),
            Err(OutgoingError::Status { status: 400..=499 } | OutgoingError::Redirected { .. }) => {
                Ok(Robots::default())
            }
            Err(error) => Err(about("robots", "robots.txt cannot be read", error.into())),
        }
    }

    /// Addresses of pages, in the order of the sitemap or of the sitemaps it names.
    async fn pages(&self, robots: &Robots) -> Result<Vec<String>, Trouble> {
        let failed = |trouble| about("sitemap", "the sitemap cannot be read", trouble);
        let text = self.sitemap_text(self.sitemap).await.map_err(failed)?;
        let inner = match self.sitemap_of(text, self.sitemap).await.map_err(failed)? {
            Sitemap::Pages(pages) => return Ok(pages),
            Sitemap::Index(inner) => inner,
        };
        let mut pages = Vec::new();
        let mut seen = HashSet::new();
        for address in inner {
            if pages.len() >= self.pages_max {
                break;
            }
            sleep(PAUSE).await;
            let found = match self.of_this_site(&address, robots) {
                Ok(url) => match self.sitemap_text(&url).await {
                    Ok(text) => self.sitemap_of(text, &url).await,
                    Err(trouble) => Err(trouble),
                },
                Err(trouble) => Err(trouble),
            };
            match found {
                Ok(Sitemap::Pages(more)) => {
                    pages.extend(more.into_iter().filter(|page| seen.insert(page.clone())));
                }
                Ok(Sitemap::Index(_)) => {
                    let reason = "it is a list of sitemaps in a list of sitemaps";
                    self.problem(&address, Trouble::new("sitemap_nested", reason));
                }
                Err(trouble) => self.problem(&address, trouble),
            }
        }
        pages.truncate(self.pages_max);
        let none = || failed(Trouble::new("sitemap_empty", "it names no page"));
        if pages.is_empty() { Err(none()) } else { Ok(pages) }
    }

    async fn sitemap_text(&self, address: &Url) -> Result<String, Trouble> {
        let bytes_max = import::sitemap::SITEMAP_BYTES_MAX;
        let text = self.client().fetch_text(address, bytes_max).await;
        Ok(text?.text)
    }

    /// What a sitemap says. It may have megabytes, which are not read on a thread that others wait for.
    async fn sitemap_of(&self, text: String, address: &Url) -> Result<Sitemap, Trouble> {
        let (address, pages_max) = (address.to_string(), self.pages_max);
        let read =
            tokio::task::spawn_blocking(move || import::sitemap(&text, &address, pages_max)).await;
        read.map_err(|_| unreadable())?.map_err(|problem| {
            let reason = problem.to_string();
            Trouble { reason, ..Trouble::from(problem) }
        })
    }

    /// Takes over one page.
    async fn page(
        &self,
        address: &str,
        robots: &Robots,
        slugs: &mut HashSet<String>,
    ) -> Result<(), Trouble> {
        let url = self.of_this_site(address, robots)?;
        let text = self.client().fetch_text(&url, PAGE_BYTES_MAX).await?;
        if !matches!(text.media_type.as_str(), "" | "text/html" | "application/xhtml+xml") {
            return Err(Trouble::new("page_no_html", "it is no page of HTML"));
        }
        let from = address.to_owned();
        let read = tokio::task::spawn_blocking(move || import::page(&text.text, &from));
        let draft = read.await.map_err(|_| unreadable())??;
        self.crawls.change(self.account, |state| state.pages += 1);
        if !slugs.insert(draft.slug.clone()) {
            let reason = format!("another page is the article {} already", draft.slug);
            return Err(Trouble::new("page_twice", reason).with("slug", &draft.slug));
        }
        let articles = import::merged(vec![draft], false);
        let origin = self.sitemap.origin().ascii_serialization();
        for article in articles {
            let put = put_of(&article, false, &origin);
            let put = put_one(&self.crawls.0.catalog, self.account, put).await;
            match put {
                Ok(Put::Added | Put::Changed) => {
                    self.crawls.change(self.account, |state| state.added += 1);
                    self.crawls.0.knowledge.changed(self.account);
                }
                Ok(Put::Unchanged) => {}
                Err(error) => {
                    let Some(trouble) = Trouble::of_catalog(&error, &article.slug) else {
                        tracing::error!(%error, "a page that was read cannot be stored");
                        return Err(Trouble::new("page_unstored", "it cannot be stored"));
                    };
                    let is_left = matches!(
                        error,
                        CatalogError::Conflict { reason: "exists" | "own" | "elsewhere", .. }
                    );
                    if !is_left {
                        return Err(trouble);
                    }
                    // No failure: a site that was taken over and published may be looked at again.
                    self.problem(address, trouble);
                }
            }
        }
        Ok(())
    }

    /// An address that may be read: of the sitemap's own site, and not forbidden by it.
    fn of_this_site(&self, address: &str, robots: &Robots) -> Result<Url, Trouble> {
        let url =
            Url::parse(address).map_err(|_| Trouble::new("page_address", "it is no address"))?;
        if url.origin() != self.sitemap.origin() {
            return Err(Trouble::new("page_elsewhere", "it belongs to another site"));
        }
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let forbidden = || Trouble::new("page_forbidden", "robots.txt forbids it");
        if robots.allows(path) { Ok(url) } else { Err(forbidden()) }
    }

    fn problem(&self, address: &str, trouble: Trouble) {
        self.crawls.change(self.account, |state| {
            if state.problems.len() < PROBLEMS_MAX {
                state.problems.push((address.chars().take(300).collect(), trouble));
            }
        });
    }

    fn client(&self) -> &Client {
        &self.crawls.0.client
    }
}

fn unreadable() -> Trouble {
    Trouble::new("page_unreadable", "it cannot be read")
}

/// What keeps the whole crawl from going on: the sitemap or robots.txt, and what is wrong with it.
fn about(file: &str, what: &str, trouble: Trouble) -> Trouble {
    let reason = format!("{what}: {}", trouble.reason);
    Trouble { reason, ..trouble }.with("about", file)
}

#[cfg(test)]
mod tests {
    use frontdesk_knowledge::Options;
    use frontdesk_outgoing::{Guard, Timeouts};

    use super::*;

    #[tokio::test]
    async fn a_crawl_that_breaks_off_has_failed() {
        let dir = tempfile::tempdir().expect("a directory");
        let catalog = Catalog::open(&dir.path().join("catalog.db")).await.expect("it opens");
        let knowledge = KnowledgeBases::new(catalog.clone(), Options::default());
        let roots = rustls::RootCertStore::empty();
        let client = Client::new(Guard::default(), roots, Timeouts::default());
        let crawls = Crawls::new(catalog, knowledge, client, CancellationToken::new());
        let account = AccountId::from_bytes([1; 12]);
        let run = || {
            let state = CrawlState { phase: CrawlPhase::Running, ..CrawlState::default() };
            let run = Run { state, stop: CancellationToken::new(), began: Instant::now() };
            crawls.0.runs.lock().insert(account, run);
            Running { crawls: crawls.clone(), account, is_over: false }
        };
        let running = run();
        let broken = tokio::spawn(async move {
            let _running = running;
            panic!("a page nobody thought of");
        });
        assert!(broken.await.is_err());
        let state = crawls.state(account);
        assert_eq!(
            (state.phase, state.ended.map(|ended| ended.reason)),
            (CrawlPhase::Failed, Some("it broke off".to_owned()))
        );
        run().end(Ok(()));
        let state = crawls.state(account);
        assert_eq!((state.phase, state.ended), (CrawlPhase::Done, None));
    }
}
