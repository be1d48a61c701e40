//! What the routes share. The server builds the parts; nothing here is late-bound.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk_catalog::{Catalog, Error as CatalogError, LoginThrottle};
use frontdesk_core::id::{AccountId, IdSource, Xid};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    config::ApiConfig,
    crawl::Crawls,
    demo::Demo,
    elsewhere::Elsewhere,
    engine::{Engine, SharedEngine},
    files::Files,
    knowledge::KnowledgeBases,
    limit::{Admission, HandshakeCounts, Limiter},
    routes::help::HelpPages,
    sightings::Sightings,
    token::ServerKey,
};

/// Renders `/metrics`, given what only the routes count.
pub type RenderMetrics = Arc<dyn Fn(HandshakeCounts) -> String + Send + Sync>;

/// What the server hands to [`crate::router`].
pub struct ApiParts {
    /// What people configure.
    pub catalog: Catalog,
    /// What happens to conversations.
    pub engine: SharedEngine,
    /// Stored files.
    pub files: Files,
    /// The installation's key.
    pub key: ServerKey,
    /// Makes ids of visitors and conversations.
    pub ids: IdSource,
    /// Renders `/metrics`.
    pub metrics: RenderMetrics,
    /// Options.
    pub config: ApiConfig,
    /// The demo, where this is one.
    pub demo: Option<Demo>,
    /// Other nodes, where there are any.
    pub elsewhere: Option<Arc<dyn Elsewhere>>,
    /// The indices of articles, which bots answer from as well.
    pub knowledge: KnowledgeBases,
    /// Asks addresses that people name.
    pub outgoing: frontdesk_outgoing::Client,
    /// Cancelled when the server stops: what goes on by itself ends.
    pub stopping: CancellationToken,
}

/// The routes' state; cheap to clone.
#[derive(Clone)]
pub(crate) struct ApiState(Arc<Inner>);

struct Inner {
    catalog: Catalog,
    engine: SharedEngine,
    files: Files,
    key: ServerKey,
    ids: Mutex<IdSource>,
    metrics: RenderMetrics,
    config: ApiConfig,
    demo: Option<Demo>,
    elsewhere: Option<Arc<dyn Elsewhere>>,
    limits: Limits,
    throttle: Mutex<LoginThrottle>,
    listed_origins: Mutex<Option<(Instant, Arc<Vec<String>>)>>,
    sightings: Sightings,
    knowledge: KnowledgeBases,
    outgoing: frontdesk_outgoing::Client,
    crawls: Crawls,
    help_pages: HelpPages,
}

/// How old the list of all sites may be: a flood of handshakes from elsewhere costs one query of it.
const LISTED_ORIGINS_LIFE: Duration = Duration::from_secs(2);

/// The limiters of this node.
pub(crate) struct Limits {
    pub(crate) handshakes: Admission,
    pub(crate) ip: Limiter<IpAddr>,
    pub(crate) principal: Limiter<String>,
    pub(crate) account: Limiter<Option<AccountId>>,
    pub(crate) sign_in_ip: Limiter<IpAddr>,
    /// Visitors are free, so their own quotas do not bound an address that makes many of them.
    pub(crate) upload_ip: Limiter<IpAddr>,
    /// Invitations are links that somebody sends to people.
    pub(crate) invitations: Limiter<Option<AccountId>>,
}

impl ApiState {
    pub(crate) fn new(parts: ApiParts) -> Self {
        let limits = &parts.config.limits;
        let nobody = IpAddr::from([0, 0, 0, 0]);
        let limits = Limits {
            handshakes: Admission::new(limits.handshakes_per_s),
            ip: Limiter::new("address", limits.per_ip_per_minute, nobody),
            principal: Limiter::new("caller", limits.per_principal_per_minute, String::new()),
            account: Limiter::new("account", limits.per_account_per_minute, None),
            sign_in_ip: Limiter::new("sign-in", limits.sign_in_per_ip_per_minute, nobody),
            upload_ip: Limiter::new("upload", limits.visitor_uploads_per_ip_per_minute, nobody),
            invitations: Limiter::new(
                "invitation",
                limits.invitations_per_account_per_minute,
                None,
            ),
        };
        let crawls = Crawls::new(
            parts.catalog.clone(),
            parts.knowledge.clone(),
            parts.outgoing.clone(),
            parts.stopping,
        );
        Self(Arc::new(Inner {
            catalog: parts.catalog,
            engine: parts.engine,
            files: parts.files,
            key: parts.key,
            ids: Mutex::new(parts.ids),
            metrics: parts.metrics,
            config: parts.config,
            demo: parts.demo,
            elsewhere: parts.elsewhere,
            limits,
            throttle: Mutex::new(LoginThrottle::default()),
            listed_origins: Mutex::new(None),
            sightings: Sightings::default(),
            knowledge: parts.knowledge,
            outgoing: parts.outgoing,
            crawls,
            help_pages: HelpPages::new(),
        }))
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        self.0.engine.as_ref()
    }

    pub(crate) fn files(&self) -> &Files {
        &self.0.files
    }

    pub(crate) fn key(&self) -> &ServerKey {
        &self.0.key
    }

    pub(crate) fn config(&self) -> &ApiConfig {
        &self.0.config
    }

    /// Other nodes, where there are any.
    pub(crate) fn elsewhere(&self) -> Option<&dyn Elsewhere> {
        self.0.elsewhere.as_deref()
    }

    /// The demo, where this is one.
    pub(crate) fn demo(&self) -> Option<&Demo> {
        self.0.demo.as_ref()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Slows down guessing of passwords.
    pub(crate) fn throttle(&self) -> &Mutex<LoginThrottle> {
        &self.0.throttle
    }

    /// Every site on any inbox's list.
    pub(crate) async fn listed_origins(&self) -> Result<Arc<Vec<String>>, CatalogError> {
        let known = self.0.listed_origins.lock().clone();
        if let Some((read, list)) = known
            && read.elapsed() < LISTED_ORIGINS_LIFE
        {
            return Ok(list);
        }
        let list = Arc::new(self.catalog().listed_origins().await?);
        *self.0.listed_origins.lock() = Some((Instant::now(), Arc::clone(&list)));
        Ok(list)
    }

    /// On which sites widgets are seen.
    pub(crate) fn sightings(&self) -> &Sightings {
        &self.0.sightings
    }

    /// The indices of articles.
    pub(crate) fn knowledge(&self) -> &KnowledgeBases {
        &self.0.knowledge
    }

    /// Asks addresses that people name.
    pub(crate) fn outgoing(&self) -> &frontdesk_outgoing::Client {
        &self.0.outgoing
    }

    /// Help centres that are taken over.
    pub(crate) fn crawls(&self) -> &Crawls {
        &self.0.crawls
    }

    /// Pages of help centres.
    pub(crate) fn help_pages(&self) -> &HelpPages {
        &self.0.help_pages
    }

    pub(crate) fn metrics(&self) -> String {
        (self.0.metrics)(self.limits().handshakes.counts())
    }

    /// A new public id.
    pub(crate) fn id<T: Xid>(&self) -> T {
        self.0.ids.lock().next(now_ms())
    }
}

/// UTC milliseconds.
pub(crate) fn now_ms() -> i64 {
    frontdesk_gateway::clock::now_ms()
}
