//! Serves the help centre ([`crate::help`]) of the account an inbox belongs to. The inbox's key names it, so one account
//! never shows another's articles; only what is published is shown. Pages work without a script and set no cookie.
//!
//! Pages are rendered once for each version of the articles and then kept; browsers ask whether theirs is the newest.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use axum::{
    body::{Bytes, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use frontdesk_catalog::{ArticleState, Error as CatalogError, Inbox, InboxText, VOTER_BYTES};
use frontdesk_core::id::AccountId;
use frontdesk_knowledge::language_of;
use frontdesk_protocol::codes;
use hmac::Mac;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use quick_cache::{Weighter, sync::Cache};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use url::form_urlencoded::byte_serialize;

use super::DAY_MS;
use crate::{
    client::Client,
    extract::{Path, Query, in_time},
    gate,
    help::{self, ARTICLES_PER_PAGE, Page, Said, Site},
    knowledge::{Base, Categories, Heading},
    origin,
    problem::{Answer, Problem},
    state::{ApiState, now_ms},
    token::ServerKey,
};

/// Bytes of all pages that are kept.
const PAGES_BYTES_MAX: u64 = 32 << 20;
/// Pages that are expected among them.
const PAGES: usize = 2_000;
/// Characters of a search that are read.
const TYPED_CHARS_MAX: usize = 200;
/// Results of a search.
const RESULTS_MAX: usize = 15;
/// Of these, articles that are found by a part of their title alone.
const NAMED_MAX: usize = 10;
/// How likely an article has to be for a search to show it.
const SCORE_MIN: f32 = 0.02;
/// Articles under another one.
const RELATED_MAX: usize = 4;
/// Languages that are read of what a browser wants.
const ACCEPTED_MAX: usize = 10;
/// Bytes of what somebody says of an article.
const FORM_BYTES_MAX: usize = 1 << 10;
/// Searches at the same time.
const SEARCHES_MAX: usize = 4;
/// How long a search waits for its turn.
const SEARCH_WAIT: Duration = Duration::from_secs(2);
const VOTER_LABEL: &[u8] = b"frontdesk help centre vote v1";

/// Pages that were rendered, and the turns of those that have to search first.
pub(crate) struct HelpPages {
    kept: Cache<String, Arc<Ready>, Bytewise>,
    searches: Arc<Semaphore>,
}

/// A page with what goes out beside it.
struct Ready {
    html: Bytes,
    tag: String,
    policy: HeaderValue,
}

#[derive(Clone)]
struct Bytewise;

impl Weighter<String, Arc<Ready>> for Bytewise {
    fn weight(&self, key: &String, page: &Arc<Ready>) -> u64 {
        (key.len() + page.html.len() + 256) as u64
    }
}

impl HelpPages {
    pub(crate) fn new() -> Self {
        let kept = Cache::with_weighter(PAGES, PAGES_BYTES_MAX, Bytewise);
        Self { kept, searches: Arc::new(Semaphore::new(SEARCHES_MAX)) }
    }

    /// The page of this name, rendered where it is not kept.
    fn get(&self, name: String, render: impl FnOnce() -> Page) -> Arc<Ready> {
        self.kept.get(&name).unwrap_or_else(|| self.keep(name, render()))
    }

    fn keep(&self, name: String, page: Page) -> Arc<Ready> {
        let page = Arc::new(Ready::of(page));
        self.kept.insert(name, Arc::clone(&page));
        page
    }

    /// Searches on a thread nobody else waits for; a few at a time, so that searches leave time for messages.
    async fn search<T: Send + 'static>(
        &self,
        search: impl FnOnce() -> T + Send + 'static,
    ) -> Answer<T> {
        let turn = Arc::clone(&self.searches).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(SEARCH_WAIT, turn).await else {
            return Err(Problem::new(&codes::OVERLOADED).retry_after(SEARCH_WAIT));
        };
        let searched = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            search()
        });
        searched.await.map_err(Problem::internal)
    }
}

impl Ready {
    fn of(page: Page) -> Self {
        let hash = Sha256::digest(page.html.as_bytes());
        let tag = hash[..8].iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        });
        let policy = format!(
            "default-src 'none'; style-src 'self' 'sha256-{}'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
            page.style_hash
        );
        let policy = HeaderValue::try_from(policy).expect("a policy of visible ASCII");
        Self { html: page.html.into(), tag: format!("\"{tag}\""), policy }
    }

    fn response(&self, status: StatusCode, headers: &HeaderMap) -> Response {
        let is_known = headers
            .get(header::IF_NONE_MATCH)
            .is_some_and(|seen| seen.as_bytes() == self.tag.as_bytes());
        let mut response = if is_known && status == StatusCode::OK {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = (status, self.html.clone()).into_response();
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
            response
        };
        let map = response.headers_mut();
        map.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        // An article may be taken back any time, and asking costs little.
        map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        map.insert(header::VARY, HeaderValue::from_static("accept-language"));
        if let Ok(tag) = HeaderValue::try_from(&self.tag) {
            map.insert(header::ETAG, tag);
        }
        response
    }
}

#[derive(Deserialize)]
pub(crate) struct HomeParams {
    #[serde(default)]
    lang: String,
    q: Option<String>,
    category: Option<String>,
    page: Option<usize>,
}

#[derive(Deserialize)]
pub(crate) struct ArticleParams {
    thanks: Option<String>,
}

/// `/help.css`
pub(crate) async fn style(headers: HeaderMap) -> Response {
    let tag = format!("\"{}\"", help::style_version());
    let is_known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        help::STYLE.into_response()
    };
    let map = response.headers_mut();
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    // Pages name it with its version.
    let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
    map.insert(header::CACHE_CONTROL, for_ever);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        map.insert(header::ETAG, tag);
    }
    response
}

/// `/help/{inbox_key}`: the first page, a category, or what a search found.
pub(crate) async fn home(
    State(state): State<ApiState>,
    client: Client,
    Path(key): Path<String>,
    Query(params): Query<HomeParams>,
    headers: HeaderMap,
) -> Answer<Response> {
    limited(&state, &client)?;
    let Some(inbox) = inbox_of(&state, &key).await? else {
        return Ok(nowhere(&state, &client, "", &headers));
    };
    let base = state.knowledge().get(inbox.account).await?;
    let language = wanted(&params.lang, &headers, &inbox, &base.languages);
    let frame = Frame::of(&inbox, &client, language, Some(&base));
    let site = frame.site("");
    let typed = params.q.as_deref().map(str::trim).filter(|typed| !typed.is_empty());
    if let Some(typed) = typed {
        let typed: String = typed.chars().take(TYPED_CHARS_MAX).collect();
        let asked = (Arc::clone(&base), typed.clone(), site.language.to_owned());
        let search = move || {
            let (base, typed, language) = asked;
            let mut found = base.knowledge.find(&typed, &language, RESULTS_MAX);
            found.retain(|found| found.score >= SCORE_MIN);
            let named: Vec<Heading> = named(&base, &typed, &found).into_iter().cloned().collect();
            (found, named)
        };
        let (found, named) = state.help_pages().search(search).await?;
        let named: Vec<&Heading> = named.iter().collect();
        let page = help::search(&site, &typed, &found, &named);
        return Ok(Ready::of(page).response(StatusCode::OK, &headers));
    }
    if let Some(category) = &params.category {
        let of: Vec<&Heading> =
            base.headings.iter().filter(|heading| heading.category == *category).collect();
        let number = params.page.unwrap_or(1);
        if of.is_empty() || !(1..=of.len().div_ceil(ARTICLES_PER_PAGE)).contains(&number) {
            return Ok(missing(&state, &site, &headers));
        }
        let name = frame.name(base.version, &format!("category {number} {category}"));
        let page = state.help_pages().get(name, || help::category(&site, category, &of, number));
        return Ok(page.response(StatusCode::OK, &headers));
    }
    let name = frame.name(base.version, "home");
    let page = state.help_pages().get(name, || help::home(&site, &base.headings));
    Ok(page.response(StatusCode::OK, &headers))
}

/// `/help/{inbox_key}/{lang}`: what is left of an article's address without its slug leads to the first page.
pub(crate) async fn home_in(Path((key, language)): Path<(String, String)>) -> Response {
    let part = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    moved(&format!("../{}?lang={}", part(&key), part(&language)))
}

/// `/help/{inbox_key}/{lang}/{slug}`: an article.
pub(crate) async fn article(
    State(state): State<ApiState>,
    client: Client,
    Path((key, language, slug)): Path<(String, String, String)>,
    Query(params): Query<ArticleParams>,
    headers: HeaderMap,
) -> Answer<Response> {
    limited(&state, &client)?;
    let Some(inbox) = inbox_of(&state, &key).await? else {
        return Ok(nowhere(&state, &client, "../../", &headers));
    };
    let account = inbox.account;
    let language = language_of(&language);
    // Whoever reads an article does not wait for the index: it only says what is related.
    let base = state.knowledge().peek(account).await;
    let frame = Frame::of(&inbox, &client, language, base.as_deref());
    let site = frame.site("../../");
    let article = match state.catalog().article_by_slug(account, &slug).await {
        Ok(article) if article.state == ArticleState::Published => article,
        Ok(_) | Err(CatalogError::NotFound { .. }) => return Ok(missing(&state, &site, &headers)),
        Err(error) => return Err(error.into()),
    };
    let Some(text) = article.texts.get(site.language) else {
        // It is there in another language.
        let there = article.texts.keys();
        let other = there.clone().find(|language| *language == "en").or(there.clone().next());
        return Ok(match other {
            Some(other) => moved(&format!("../{other}/{slug}")),
            None => missing(&state, &site, &headers),
        });
    };
    let said = if params.thanks.is_some() { Said::Thanks } else { Said::Nothing };
    let render = |related: &[Heading]| help::article(&site, &article, text, related, said);
    let Some(base) = base else {
        return Ok(Ready::of(render(&[])).response(StatusCode::OK, &headers));
    };
    let what = format!("article {} {} {:?}", article.id, article.revision, said);
    let name = frame.name(base.version, &what);
    if let Some(page) = state.help_pages().kept.get(&name) {
        return Ok(page.response(StatusCode::OK, &headers));
    }
    let asked = (text.title.clone(), site.language.to_owned());
    let search = move || related(&base, &slug, &asked.0, &asked.1);
    let page = match state.help_pages().search(search).await {
        Ok(related) => state.help_pages().keep(name, render(&related)),
        // What is related is left out where there is no time to look for it.
        Err(_) => Arc::new(Ready::of(render(&[]))),
    };
    Ok(page.response(StatusCode::OK, &headers))
}

/// `/help/{inbox_key}/{lang}/{slug}/feedback`: whether an article helped.
pub(crate) async fn feedback(
    State(state): State<ApiState>,
    client: Client,
    Path((key, _, slug)): Path<(String, String, String)>,
    request: Request,
) -> Answer<Response> {
    // Before anything of the body is read.
    limited(&state, &client)?;
    from_us(&client, request.headers())?;
    let body = in_time(to_bytes(request.into_body(), FORM_BYTES_MAX))
        .await?
        .map_err(|error| Problem::new(&codes::REQUEST_TOO_LARGE).because(error))?;
    let mut fields = url::form_urlencoded::parse(&body);
    let said = fields.find(|(name, _)| name == "helpful").map(|(_, value)| value);
    let helpful = match said.as_deref() {
        Some("yes") => true,
        Some("no") => false,
        _ => return Err(Problem::invalid("helpful", "yes or no")),
    };
    let inbox = inbox_of(&state, &key).await?.ok_or_else(|| Problem::new(&codes::INBOX_UNKNOWN))?;
    let article = state.catalog().article_by_slug(inbox.account, &slug).await?;
    if article.state != ArticleState::Published {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    let day = now_ms().div_euclid(DAY_MS);
    let voter = voter(state.key(), inbox.account, &client, day);
    state.catalog().vote_article(inbox.account, article.id, voter, day, helpful).await?;
    Ok(moved(&format!("../{slug}?thanks=1#helpful")))
}

/// Names a reader for a day; who has not the installation's key learns nothing from it. The address alone: what a
/// browser calls itself is for everybody to choose, and would be as many votes.
fn voter(key: &ServerKey, account: AccountId, client: &Client, day: i64) -> [u8; VOTER_BYTES] {
    let body = format!("{account} {} {day}", client.bucket());
    let mac = key.mac(VOTER_LABEL, body.as_bytes()).finalize().into_bytes();
    std::array::from_fn(|at| mac[at])
}

/// Another site's page may not vote for its readers.
fn from_us(client: &Client, headers: &HeaderMap) -> Answer<()> {
    let refused = || Err(Problem::new(&codes::ORIGIN_REFUSED));
    let sent = headers.get(header::ORIGIN).map(|value| value.to_str().ok().and_then(origin::parse));
    let site = headers.get(HeaderName::from_static("sec-fetch-site"));
    match sent {
        Some(sent) if sent.as_deref() != Some(client.origin.as_str()) => {
            // Behind a proxy that ends TLS and is not trusted the scheme differs, and the browser knows better.
            if site.is_some_and(|site| site == "same-origin") { Ok(()) } else { refused() }
        }
        _ if site.is_some_and(|site| site == "cross-site") => refused(),
        _ => Ok(()),
    }
}

/// The pages count as everything else that comes from an address.
fn limited(state: &ApiState, client: &Client) -> Answer<()> {
    match state.limits().ip.count(&client.bucket()).retry_after {
        Some(after) => Err(Problem::new(&codes::RATE_LIMITED).retry_after(after)),
        None => Ok(()),
    }
}

async fn inbox_of(state: &ApiState, key: &str) -> Answer<Option<Inbox>> {
    match state.catalog().inbox_by_key(key).await {
        Ok(inbox) => Ok(Some(inbox)),
        Err(CatalogError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the pages of a help centre have in common.
struct Frame {
    key: String,
    name: String,
    accent: String,
    outside: String,
    language: String,
    languages: Vec<String>,
    categories: Arc<Categories>,
    account: AccountId,
}

impl Frame {
    fn of(inbox: &Inbox, client: &Client, language: String, base: Option<&Base>) -> Self {
        let title = inbox.texts.get(&InboxText::Title).and_then(|texts| texts.pick(&language));
        Self {
            key: inbox.public_key.clone(),
            name: title.unwrap_or(&inbox.name).to_owned(),
            accent: inbox.look.accent.clone(),
            outside: format!("{}{}", client.origin, client.prefix),
            language,
            languages: base.map(|base| base.languages.clone()).unwrap_or_default(),
            categories: base.map(|base| Arc::clone(&base.categories)).unwrap_or_default(),
            account: inbox.account,
        }
    }

    fn site(&self, root: &'static str) -> Site<'_> {
        Site {
            key: &self.key,
            name: &self.name,
            accent: &self.accent,
            root,
            outside: &self.outside,
            language: &self.language,
            languages: &self.languages,
            categories: &self.categories,
        }
    }

    /// Everything a page depends on. A reader who invents hosts takes places of the cache and nothing else.
    fn name(&self, version: u64, what: &str) -> String {
        let Self { key, name, accent, outside, language, account, .. } = self;
        format!("{account} {version} {key} {accent} {language} {outside}\n{name}\n{what}")
    }
}

/// The language of a page: as the address says, else as the browser wants, else the inbox's own.
fn wanted(asked: &str, headers: &HeaderMap, inbox: &Inbox, languages: &[String]) -> String {
    let there = |tag: &str| {
        let language = language_of(tag);
        // Ours are there even where no article is.
        let known = languages.contains(&language) || (languages.is_empty() && is_ours(&language));
        known.then_some(language)
    };
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let accepted = accepted
        .split(',')
        .take(ACCEPTED_MAX)
        .filter_map(|part| part.split(';').next())
        .map(str::trim)
        .filter(|tag| !tag.is_empty() && *tag != "*")
        .find_map(there);
    (!asked.is_empty())
        .then(|| language_of(asked))
        .filter(|language| is_ours(language) || languages.contains(language))
        .or(accepted)
        .or_else(|| there(&inbox.language).filter(|_| !inbox.language.is_empty()))
        .or_else(|| languages.first().cloned())
        .unwrap_or_else(|| "en".to_owned())
}

fn is_ours(language: &str) -> bool {
    matches!(language, "en" | "zh-CN")
}

/// Articles whose title has what was typed, beside those the index found.
fn named<'b>(
    base: &'b Base,
    typed: &str,
    found: &[frontdesk_knowledge::Found],
) -> Vec<&'b Heading> {
    let typed = typed.to_lowercase();
    let has = |heading: &&Heading| {
        heading.texts.values().any(|(title, _)| title.to_lowercase().contains(&typed))
            && !found.iter().any(|found| found.slug == heading.slug)
    };
    let room = RESULTS_MAX.saturating_sub(found.len()).min(NAMED_MAX);
    base.headings.iter().filter(has).take(room).collect()
}

/// What else somebody may want to read: what the title finds, then others of the category.
fn related(base: &Base, slug: &str, title: &str, language: &str) -> Vec<Heading> {
    let heading = |slug: &str| base.headings.iter().find(|heading| heading.slug == slug);
    let found = base.knowledge.find(title, language, RELATED_MAX + 1);
    let found = found.iter().filter(|found| found.score >= SCORE_MIN);
    let mut slugs: Vec<&str> = found.map(|found| found.slug.as_str()).collect();
    if let Some(own) = heading(slug).filter(|own| !own.category.is_empty()) {
        let others = base.headings.iter().filter(|other| other.category == own.category);
        slugs.extend(others.take(RELATED_MAX + 1).map(|other| other.slug.as_str()));
    }
    let mut related: Vec<Heading> = Vec::new();
    for other in slugs {
        let is_new = other != slug && !related.iter().any(|known| known.slug == other);
        if is_new && related.len() < RELATED_MAX {
            related.extend(heading(other).cloned());
        }
    }
    related
}

/// The page that is not there.
fn missing(state: &ApiState, site: &Site<'_>, headers: &HeaderMap) -> Response {
    let name =
        format!("404 {} {} {} {}\n{}", site.key, site.root, site.language, site.accent, site.name);
    state.help_pages().get(name, || help::not_found(site)).response(StatusCode::NOT_FOUND, headers)
}

/// There is no such help centre.
fn nowhere(state: &ApiState, client: &Client, root: &'static str, headers: &HeaderMap) -> Response {
    let language = language_of(&gate::language(headers));
    let language = if is_ours(&language) { language.as_str() } else { "en" };
    let outside = format!("{}{}", client.origin, client.prefix);
    let (languages, categories) = (&[], &Categories::default());
    let (key, name, accent, outside) = ("", "", "", outside.as_str());
    let site = Site { key, name, accent, root, outside, language, languages, categories };
    missing(state, &site, headers)
}

/// Leads to another page of the help centre.
fn moved(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl From<crate::knowledge::NoBase> for Problem {
    fn from(error: crate::knowledge::NoBase) -> Self {
        use crate::knowledge::NoBase;
        match error {
            NoBase::Late => {
                let problem = Self::new(&codes::OVERLOADED).retry_after(Duration::from_secs(2));
                problem.detail("the articles are being indexed")
            }
            NoBase::Catalog(error) if error.code() == "storage.unavailable" => {
                Self::new(&codes::STORAGE_UNAVAILABLE).retry_after(Duration::from_secs(1))
            }
            NoBase::Catalog(_) | NoBase::Index(_) => Self::internal(error),
        }
    }
}
