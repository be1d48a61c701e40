//! Many articles at once, as an import or a crawl brings them: known ones are found by their slug and changed where
//! they say something else, in one transaction. What the team wrote, and what came from another source, is left alone.

use frontdesk_core::id::AccountId;

use super::{
    Article, ArticleState, ArticleTexts, NewArticle, article, bytes_of, checks, held, insert,
    referenced_account, replace, room,
};
use crate::{
    catalog::Catalog,
    changes::Change,
    error::{Doing, Error},
    sql,
    store::Write,
};

/// An article from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutArticle {
    /// Names it in addresses, and says which one it is.
    pub slug: String,
    /// Under which heading it stands; empty to leave that as it is.
    pub category: String,
    /// Whether everybody may read it now; otherwise a known one stays as it is, and a new one is a draft.
    pub publish: bool,
    /// What it says; languages that are not named stay as they are.
    pub texts: ArticleTexts,
    /// Where it comes from: a known article is changed only if it came from there, too. At most 300 bytes.
    pub origin: String,
}

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// There was none.
    Added,
    /// It said something else.
    Changed,
    /// It said the same.
    Unchanged,
}

/// Which articles may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Any,
    Drafts,
}

const EXISTS: Error = Error::Conflict { what: "article", reason: "exists" };
/// The slug names an article that somebody wrote here, or changed since it came.
const OWN: Error = Error::Conflict { what: "article", reason: "own" };
/// The slug names an article that came from another source.
const ELSEWHERE: Error = Error::Conflict { what: "article", reason: "elsewhere" };
const ORIGIN_BYTES_MAX: usize = 300;

impl Catalog {
    /// Adds or changes articles; tells for each in its order what became of it, or why it was left out. All that are
    /// not left out are stored together. One that would change an article of the team's own, or of another origin, is
    /// left out as a [`Error::Conflict`] of reason `own` or `elsewhere`.
    pub async fn put_articles(
        &self,
        account: AccountId,
        articles: &[PutArticle],
    ) -> Result<Vec<Result<Put, Error>>, Error> {
        self.put_all(account, articles, Over::Any).await
    }

    /// The same of articles nobody looked at: one that is published is left alone, and told as a
    /// [`Error::Conflict`] of reason `exists`.
    pub async fn put_drafts(
        &self,
        account: AccountId,
        articles: &[PutArticle],
    ) -> Result<Vec<Result<Put, Error>>, Error> {
        self.put_all(account, articles, Over::Drafts).await
    }

    async fn put_all(
        &self,
        account: AccountId,
        articles: &[PutArticle],
        over: Over,
    ) -> Result<Vec<Result<Put, Error>>, Error> {
        const DOING: &str = "put articles";
        let mut write = self.write(DOING, Change::Account(account)).await?;
        let mut totals = if let Some(totals) = held(&mut write, account).await? {
            totals
        } else {
            sql::query(
                "INSERT INTO knowledge_bases (articles, bytes, version, account) \
                 VALUES (0, 0, 0, ?)",
            )
            .bind(account.to_string())
            .execute(&mut write)
            .await
            .map_err(|source| referenced_account(DOING, source))?;
            (0, 0)
        };
        let mut done = Vec::with_capacity(articles.len());
        for one in articles {
            match self.put(&mut write, account, one, over, &mut totals).await {
                // One that cannot be accepted leaves the others alone.
                Err(error @ (Error::Invalid { .. } | Error::Conflict { .. })) => {
                    done.push(Err(error));
                }
                other => done.push(Ok(other?)),
            }
        }
        if !done.iter().any(|put| matches!(put, Ok(Put::Added | Put::Changed))) {
            return Ok(done);
        }
        sql::query(
            "UPDATE knowledge_bases SET articles = ?, bytes = ?, version = version + 1 \
             WHERE account = ?",
        )
        .bind(totals.0)
        .bind(totals.1)
        .bind(account.to_string())
        .execute(&mut write)
        .await
        .doing(DOING)?;
        write.commit().await.doing(DOING)?;
        Ok(done)
    }

    async fn put(
        &self,
        write: &mut Write,
        account: AccountId,
        one: &PutArticle,
        over: Over,
        totals: &mut (i64, i64),
    ) -> Result<Put, Error> {
        let slug = checks::slug(&one.slug)?;
        if one.origin.len() > ORIGIN_BYTES_MAX {
            return Err(Error::invalid("origin", "too_long"));
        }
        let row = sql::query("SELECT * FROM articles WHERE account = ? AND slug = ?")
            .bind(account.to_string())
            .bind(&slug)
            .fetch_optional(&mut *write)
            .await
            .doing("read an article")?;
        let known = row.as_ref().map(article).transpose()?;
        let new = checks::checked(&merged(known.as_ref(), one))?;
        let bytes = bytes_of(&new.texts) - known.as_ref().map_or(0, |of| bytes_of(&of.texts));
        let articles = i64::from(known.is_none());
        let then = (totals.0 + articles, totals.1 + bytes);
        let put = match known {
            Some(known) if is_same(&known, &new) => return Ok(Put::Unchanged),
            Some(known) if known.origin != one.origin => {
                return Err(if known.origin.is_empty() { OWN } else { ELSEWHERE });
            }
            Some(known) if over == Over::Drafts && known.state == ArticleState::Published => {
                return Err(EXISTS);
            }
            Some(known) => {
                room(articles, then.0, bytes, then.1)?;
                replace(write, account, known, new, one.origin.clone()).await?;
                Put::Changed
            }
            None => {
                room(articles, then.0, bytes, then.1)?;
                insert(self, write, account, new, &one.origin).await?;
                Put::Added
            }
        };
        *totals = then;
        Ok(put)
    }
}

/// What the article is to be: what is known, with what comes in its place.
fn merged(known: Option<&Article>, one: &PutArticle) -> NewArticle {
    let mut texts = known.map(|known| known.texts.clone()).unwrap_or_default();
    texts.extend(one.texts.clone());
    let category = match known {
        Some(known) if one.category.trim().is_empty() => known.category.clone(),
        _ => one.category.clone(),
    };
    let state = match known {
        _ if one.publish => ArticleState::Published,
        Some(known) => known.state,
        None => ArticleState::Draft,
    };
    NewArticle { slug: one.slug.clone(), category, state, texts }
}

fn is_same(known: &Article, new: &NewArticle) -> bool {
    known.category == new.category && known.state == new.state && known.texts == new.texts
}
