//! Articles: what a team knows, written once and read by visitors in the help centre, by bots and by agents.
//!
//! An article has a text for each language, is a draft or published, and is named in addresses by its slug. Every
//! change raises the version of the account's knowledge base, by which those who keep an index or a page of it see that
//! they are behind. Votes of readers do not: nothing that is kept shows them.

mod checks;
mod put;
mod votes;

use std::{collections::BTreeMap, str::FromStr};

use frontdesk_core::id::{AccountId, ArticleId};
use serde::{Deserialize, Serialize};

pub use self::{
    checks::{ARTICLE_BYTES_MAX, BODY_BYTES_MAX},
    put::{Put, PutArticle},
    votes::{VOTER_BYTES, Vote},
};
use crate::{
    catalog::{Catalog, clock_ms},
    changes::Change,
    error::{Doing, Error, is_referenced, is_taken, taken},
    rows,
    sql::{self, Row},
    store::Write,
};

/// Articles of one account.
pub const ARTICLES_MAX: u64 = 20_000;
/// Bytes of all texts of one account: its index lies in memory.
pub const KNOWLEDGE_BYTES_MAX: u64 = 64 << 20;
/// Bytes of the texts of one page of a list; one article at least.
const PAGE_BYTES_MAX: i64 = 4 << 20;

/// Who may read an article.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArticleState {
    /// The team.
    #[default]
    Draft,
    /// Everybody, bots too.
    Published,
}

impl ArticleState {
    /// The word stored and shown in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
        }
    }
}

impl FromStr for ArticleState {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self, Error> {
        let known = [Self::Draft, Self::Published].into_iter().find(|state| state.code() == code);
        known.ok_or_else(|| Error::invalid("state", "unknown_word"))
    }
}

/// An article in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArticleText {
    /// Its heading.
    pub title: String,
    /// A sentence or two for lists.
    #[serde(default)]
    pub summary: String,
    /// Markdown.
    #[serde(default)]
    pub body: String,
    /// Other ways to ask what it answers.
    #[serde(default)]
    pub questions: Vec<String>,
    /// What the article's category is called in this language; empty where it is called the same. One article of a
    /// category that says it is enough.
    #[serde(default)]
    pub category: String,
}

/// Texts of an article by language.
pub type ArticleTexts = BTreeMap<String, ArticleText>;

/// An article of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Its id.
    pub id: ArticleId,
    /// Names it in addresses; unique in the account.
    pub slug: String,
    /// Under which heading it stands; empty for none.
    pub category: String,
    /// Who may read it.
    pub state: ArticleState,
    /// What it says, by language.
    pub texts: ArticleTexts,
    /// Where an import took it from ([`PutArticle::origin`]); empty where somebody wrote it here, or changed what it says.
    pub origin: String,
    /// Readers it helped.
    pub helpful: u64,
    /// Readers it did not.
    pub unhelpful: u64,
    /// From 1; one more with every change, so that of two who change it at once the second is told.
    pub revision: u64,
    /// When it was created.
    pub created_ms: i64,
    /// When it was changed last.
    pub updated_ms: i64,
}

/// What an article consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewArticle {
    /// Names it in addresses.
    pub slug: String,
    /// Under which heading it stands; empty for none.
    pub category: String,
    /// Who may read it.
    pub state: ArticleState,
    /// What it says, by language.
    pub texts: ArticleTexts,
}

/// Which articles.
#[derive(Debug, Clone, Default)]
pub struct ArticleQuery {
    /// Only those of this category.
    pub category: Option<String>,
    /// Only those in this state.
    pub state: Option<ArticleState>,
    /// Only those with this in slug, category or a title; empty for all.
    pub words: String,
    /// Those after this category and slug.
    pub after: Option<(String, String)>,
    /// At most so many.
    pub limit: usize,
}

/// Articles by category and slug.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArticlePage {
    /// The articles.
    pub articles: Vec<Article>,
    /// Where the next page begins; None on the last one.
    pub next: Option<(String, String)>,
}

const UNKNOWN: Error = Error::NotFound { what: "article" };
const TAKEN: Error = Error::Conflict { what: "slug", reason: "taken" };

impl Catalog {
    /// Rises with every change of an account's articles; 0 where there was never one.
    pub async fn knowledge_version(&self, account: AccountId) -> Result<u64, Error> {
        let version: Option<i64> =
            sql::scalar("SELECT version FROM knowledge_bases WHERE account = ?")
                .bind(account.to_string())
                .fetch_optional(self.reads())
                .await
                .doing("read a knowledge base")?;
        Ok(version.map_or(0, i64::unsigned_abs))
    }

    /// Lists a page of articles by category and slug.
    pub async fn articles(
        &self,
        account: AccountId,
        query: &ArticleQuery,
    ) -> Result<ArticlePage, Error> {
        // A page ends early where its articles are large, so what they hold is asked for first.
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).max(1);
        let rows = filtered(PLACES, account, query)
            .bind(limit + 1)
            .fetch_all(self.reads())
            .await
            .doing("read articles")?;
        let mut last = None;
        let mut bytes = 0;
        let mut more = false;
        for (at, row) in rows.iter().enumerate() {
            bytes += rows::int(row, "bytes")?;
            if at > 0 && (bytes > PAGE_BYTES_MAX || at as i64 >= limit) {
                more = true;
                break;
            }
            last = Some((rows::text(row, "category")?, rows::text(row, "slug")?));
        }
        let Some(last) = last else { return Ok(ArticlePage::default()) };
        let articles = filtered(UP_TO, account, query)
            .bind(&last.0)
            .bind(&last.0)
            .bind(&last.1)
            .bind(limit)
            .fetch_all(self.reads())
            .await
            .doing("read articles")?
            .iter()
            .map(article)
            .collect::<Result<_, _>>()?;
        Ok(ArticlePage { articles, next: more.then_some(last) })
    }

    /// Lists published articles by id, after one of them: what an index is made of.
    pub async fn published_articles(
        &self,
        account: AccountId,
        after: Option<ArticleId>,
        limit: usize,
    ) -> Result<Vec<Article>, Error> {
        sql::query(
            "SELECT * FROM articles WHERE account = ? AND state = ? AND id > ? ORDER BY id LIMIT ?",
        )
        .bind(account.to_string())
        .bind(ArticleState::Published.code())
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.reads())
        .await
        .doing("read articles")?
        .iter()
        .map(article)
        .collect()
    }

    /// Reads one article.
    pub async fn article(&self, account: AccountId, id: ArticleId) -> Result<Article, Error> {
        let row = sql::query("SELECT * FROM articles WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read an article")?;
        article(&row.ok_or(UNKNOWN)?)
    }

    /// Reads the article a slug names.
    pub async fn article_by_slug(&self, account: AccountId, slug: &str) -> Result<Article, Error> {
        let row = sql::query("SELECT * FROM articles WHERE account = ? AND slug = ?")
            .bind(account.to_string())
            .bind(slug)
            .fetch_optional(self.reads())
            .await
            .doing("read an article")?;
        article(&row.ok_or(UNKNOWN)?)
    }

    /// Creates an article.
    pub async fn create_article(
        &self,
        account: AccountId,
        new: &NewArticle,
    ) -> Result<Article, Error> {
        const DOING: &str = "create an article";
        let new = checks::checked(new)?;
        let mut write = self.write(DOING, Change::Account(account)).await?;
        grow(&mut write, account, 1, bytes_of(&new.texts)).await?;
        let article = insert(self, &mut write, account, new, "").await?;
        write.commit().await.doing(DOING)?;
        Ok(article)
    }

    /// Puts `new` in the place of what an article was at revision `before`.
    ///
    /// Fails with [`Error::Conflict`] of reason `changed` where somebody else was faster.
    pub async fn update_article(
        &self,
        account: AccountId,
        id: ArticleId,
        new: &NewArticle,
        before: u64,
    ) -> Result<Article, Error> {
        const DOING: &str = "change an article";
        let new = checks::checked(new)?;
        let mut write = self.write(DOING, Change::Account(account)).await?;
        let row = sql::query("SELECT * FROM articles WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(&mut write)
            .await
            .doing(DOING)?;
        let known = article(&row.ok_or(UNKNOWN)?)?;
        if known.revision != before {
            return Err(Error::Conflict { what: "article", reason: "changed" });
        }
        grow(&mut write, account, 0, bytes_of(&new.texts) - bytes_of(&known.texts)).await?;
        // Other words are the team's own; only published or listed elsewhere it is still the source's.
        let origin = if known.texts == new.texts { known.origin.clone() } else { String::new() };
        let changed = replace(&mut write, account, known, new, origin).await?;
        write.commit().await.doing(DOING)?;
        Ok(changed)
    }

    /// Deletes an article with its votes.
    pub async fn delete_article(&self, account: AccountId, id: ArticleId) -> Result<(), Error> {
        const DOING: &str = "delete an article";
        let mut write = self.write(DOING, Change::Account(account)).await?;
        let bytes: Option<i64> =
            sql::scalar("SELECT bytes FROM articles WHERE account = ? AND id = ?")
                .bind(account.to_string())
                .bind(id.to_string())
                .fetch_optional(&mut write)
                .await
                .doing(DOING)?;
        let bytes = bytes.ok_or(UNKNOWN)?;
        sql::query("DELETE FROM articles WHERE account = ? AND id = ?")
            .bind(account.to_string())
            .bind(id.to_string())
            .execute(&mut write)
            .await
            .doing(DOING)?;
        grow(&mut write, account, -1, -bytes).await?;
        write.commit().await.doing(DOING)
    }
}

const PLACES: &str = "SELECT category, slug, bytes FROM articles WHERE account = ? \
    AND (? IS NULL OR category = ?) AND (? IS NULL OR state = ?) AND (? = '' OR INSTR(names, ?) > 0) \
    AND (? = 0 OR category > ? OR (category = ? AND slug > ?)) \
    ORDER BY category, slug LIMIT ?";
const UP_TO: &str = "SELECT * FROM articles WHERE account = ? \
    AND (? IS NULL OR category = ?) AND (? IS NULL OR state = ?) AND (? = '' OR INSTR(names, ?) > 0) \
    AND (? = 0 OR category > ? OR (category = ? AND slug > ?)) \
    AND (category < ? OR (category = ? AND slug <= ?)) \
    ORDER BY category, slug LIMIT ?";

/// Binds what both statements ask alike.
fn filtered(statement: &'static str, account: AccountId, query: &ArticleQuery) -> sql::Query {
    let state = query.state.map(|state| state.code().to_owned());
    let words = query.words.trim().to_lowercase();
    let (category, slug) = query.after.clone().unwrap_or_default();
    sql::query(statement)
        .bind(account.to_string())
        .bind(query.category.clone())
        .bind(query.category.clone())
        .bind(state.clone())
        .bind(state)
        .bind(&words)
        .bind(&words)
        .bind(i64::from(query.after.is_some()))
        .bind(&category)
        .bind(&category)
        .bind(&slug)
}

/// Raises the version of a knowledge base and counts what it holds; refuses more than one may.
async fn grow(
    write: &mut Write,
    account: AccountId,
    articles: i64,
    bytes: i64,
) -> Result<(), Error> {
    const DOING: &str = "count articles";
    let known = held(write, account).await?;
    let (articles_now, bytes_now) = known.unwrap_or_default();
    let (articles_then, bytes_then) = (articles_now + articles, bytes_now + bytes);
    room(articles, articles_then, bytes, bytes_then)?;
    let query = if known.is_some() {
        sql::query(
            "UPDATE knowledge_bases SET articles = ?, bytes = ?, version = version + 1 \
             WHERE account = ?",
        )
    } else {
        sql::query(
            "INSERT INTO knowledge_bases (articles, bytes, version, account) VALUES (?, ?, 1, ?)",
        )
    };
    query
        .bind(articles_then)
        .bind(bytes_then)
        .bind(account.to_string())
        .execute(&mut *write)
        .await
        .map_err(|source| referenced_account(DOING, source))?;
    Ok(())
}

/// How many articles and bytes of them an account has; none where it never had one.
async fn held(write: &mut Write, account: AccountId) -> Result<Option<(i64, i64)>, Error> {
    let row = sql::query("SELECT articles, bytes FROM knowledge_bases WHERE account = ?")
        .bind(account.to_string())
        .fetch_optional(&mut *write)
        .await
        .doing("count articles")?;
    row.map(|row| Ok((rows::int(&row, "articles")?, rows::int(&row, "bytes")?))).transpose()
}

/// Whether there is room for what comes; what goes always may.
fn room(articles: i64, articles_then: i64, bytes: i64, bytes_then: i64) -> Result<(), Error> {
    if articles > 0 && articles_then.unsigned_abs() > ARTICLES_MAX {
        return Err(Error::Conflict { what: "articles", reason: "too_many" });
    }
    if bytes > 0 && bytes_then.unsigned_abs() > KNOWLEDGE_BYTES_MAX {
        return Err(Error::Conflict { what: "bytes", reason: "too_many" });
    }
    Ok(())
}

async fn insert(
    catalog: &Catalog,
    write: &mut Write,
    account: AccountId,
    new: NewArticle,
    origin: &str,
) -> Result<Article, Error> {
    const DOING: &str = "create an article";
    let (id, created_ms) = catalog.new_id::<ArticleId>();
    sql::query(
        "INSERT INTO articles (account, id, slug, category, state, texts, origin, names, bytes, \
         helpful, unhelpful, revision, created_ms, updated_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 1, ?, ?)",
    )
    .bind(account.to_string())
    .bind(id.to_string())
    .bind(&new.slug)
    .bind(&new.category)
    .bind(new.state.code())
    .bind(rows::to_json(&new.texts))
    .bind(origin)
    .bind(names(&new))
    .bind(bytes_of(&new.texts))
    .bind(created_ms)
    .bind(created_ms)
    .execute(&mut *write)
    .await
    .map_err(
        |source| {
            if is_taken(&source) { TAKEN } else { referenced_account(DOING, source) }
        },
    )?;
    let NewArticle { slug, category, state, texts } = new;
    Ok(Article {
        id,
        slug,
        category,
        state,
        texts,
        origin: origin.to_owned(),
        helpful: 0,
        unhelpful: 0,
        revision: 1,
        created_ms,
        updated_ms: created_ms,
    })
}

async fn replace(
    write: &mut Write,
    account: AccountId,
    known: Article,
    new: NewArticle,
    origin: String,
) -> Result<Article, Error> {
    let updated_ms = clock_ms();
    sql::query(
        "UPDATE articles SET slug = ?, category = ?, state = ?, texts = ?, origin = ?, names = ?, \
         bytes = ?, revision = revision + 1, updated_ms = ? WHERE account = ? AND id = ?",
    )
    .bind(&new.slug)
    .bind(&new.category)
    .bind(new.state.code())
    .bind(rows::to_json(&new.texts))
    .bind(&origin)
    .bind(names(&new))
    .bind(bytes_of(&new.texts))
    .bind(updated_ms)
    .bind(account.to_string())
    .bind(known.id.to_string())
    .execute(&mut *write)
    .await
    .map_err(|source| taken(TAKEN, "change an article", source))?;
    let NewArticle { slug, category, state, texts } = new;
    let revision = known.revision + 1;
    Ok(Article { slug, category, state, texts, origin, revision, updated_ms, ..known })
}

/// What the team's list is searched by.
fn names(new: &NewArticle) -> String {
    let titles = new.texts.values().flat_map(|text| [text.title.as_str(), text.category.as_str()]);
    let all = [new.slug.as_str(), new.category.as_str()].into_iter().chain(titles);
    all.collect::<Vec<_>>().join("\n").to_lowercase()
}

fn bytes_of(texts: &ArticleTexts) -> i64 {
    let bytes: usize = texts.values().map(checks::bytes_of).sum();
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn referenced_account(operation: &'static str, source: sqlx::Error) -> Error {
    if is_referenced(&source) {
        Error::NotFound { what: "account" }
    } else {
        Error::sql(operation, source)
    }
}

fn article(row: &Row) -> Result<Article, Error> {
    Ok(Article {
        id: rows::parsed(row, "id")?,
        slug: rows::text(row, "slug")?,
        category: rows::text(row, "category")?,
        state: rows::parsed(row, "state")?,
        texts: rows::json(row, "texts")?,
        origin: rows::text(row, "origin")?,
        // A count that went wrong must not keep anybody from the article.
        helpful: rows::int(row, "helpful")?.max(0).unsigned_abs(),
        unhelpful: rows::int(row, "unhelpful")?.max(0).unsigned_abs(),
        revision: rows::number(row, "revision")?,
        created_ms: rows::int(row, "created_ms")?,
        updated_ms: rows::int(row, "updated_ms")?,
    })
}
