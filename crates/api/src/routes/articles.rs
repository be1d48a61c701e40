//! Articles: what the team knows, as the help centre shows it and bots answer from it. One by one, many from files, and
//! the pages of a help centre that is elsewhere; and a question to try on them.

mod crawl;
mod import;
mod try_out;

use std::collections::BTreeMap;

use axum::extract::{DefaultBodyLimit, State};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use frontdesk_catalog::{
    Article, ArticleQuery, ArticleState, ArticleText, ArticleTexts, NewArticle,
};
use frontdesk_core::{id::AccountId, rights::Right};
use frontdesk_knowledge::language_of;
use frontdesk_protocol::codes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::import::put_one;
use super::{ARTICLE_REQUEST_BYTES_MAX, Done, unknown};
use crate::{
    extract::{Created, Json, Path, Query},
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
};

/// Articles of one page.
const PAGE: usize = 50;
/// Longest text the list is searched for.
const WORDS_CHARS_MAX: usize = 200;

pub(crate) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .layer(DefaultBodyLimit::max(ARTICLE_REQUEST_BYTES_MAX))
        .merge(import::router())
        .merge(crawl::router())
        .merge(try_out::router())
}

/// An article in one language.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ArticleTextBody {
    /// Its heading, at most 200 characters.
    title: String,
    /// A sentence or two for lists, at most 500 characters.
    #[serde(default)]
    summary: String,
    /// Markdown, at most 256 KiB.
    #[serde(default)]
    body: String,
    /// Other ways to ask what it answers; at most 50 of 300 characters.
    #[serde(default)]
    questions: Vec<String>,
    /// What the article's category is called in this language, at most 60 characters; empty where it is called the same.
    /// One article of a category that says it is enough.
    #[serde(default)]
    category: String,
}

/// Who may read it.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ArticleStateBody {
    /// The team.
    Draft,
    /// Everybody, bots too.
    Published,
}

/// An article.
#[derive(Serialize, ToSchema)]
struct ArticleBody {
    id: String,
    /// Names it in addresses.
    slug: String,
    /// Under which heading it stands; empty for none.
    category: String,
    state: ArticleStateBody,
    /// What it says, by language.
    texts: BTreeMap<String, ArticleTextBody>,
    /// Where it was imported from, which may change it by another import: `files`, or the address of a site. Empty where
    /// somebody wrote it here, or changed its words.
    origin: String,
    /// Readers it helped.
    helpful: u64,
    /// Readers it did not.
    unhelpful: u64,
    /// To be sent with a change.
    revision: u64,
    created_ms: i64,
    updated_ms: i64,
}

#[derive(Serialize, ToSchema)]
struct ArticlesBody {
    /// By category and slug.
    articles: Vec<ArticleBody>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    next: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewArticleBody {
    /// Small letters, digits and single hyphens, at most 100; unique in the account.
    slug: String,
    /// At most 60 characters; empty for none.
    #[serde(default)]
    category: String,
    state: ArticleStateBody,
    /// By language: `en`, `zh-CN`, `de`.
    texts: BTreeMap<String, ArticleTextBody>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ArticleChange {
    /// Small letters, digits and single hyphens, at most 100; unique in the account.
    slug: String,
    /// At most 60 characters; empty for none.
    #[serde(default)]
    category: String,
    state: ArticleStateBody,
    /// By language: `en`, `zh-CN`, `de`. A language that is not named goes.
    texts: BTreeMap<String, ArticleTextBody>,
    /// That of what it replaces.
    revision: u64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ArticlesParams {
    /// Only those of this category.
    category: Option<String>,
    /// Only `draft` or `published`.
    state: Option<String>,
    /// Only those with this in slug, category or a title.
    q: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl From<ArticleStateBody> for ArticleState {
    fn from(state: ArticleStateBody) -> Self {
        match state {
            ArticleStateBody::Draft => Self::Draft,
            ArticleStateBody::Published => Self::Published,
        }
    }
}

impl From<ArticleState> for ArticleStateBody {
    fn from(state: ArticleState) -> Self {
        match state {
            ArticleState::Draft => Self::Draft,
            ArticleState::Published => Self::Published,
        }
    }
}

impl From<Article> for ArticleBody {
    fn from(article: Article) -> Self {
        let texts = article.texts.into_iter().map(|(language, text)| {
            let ArticleText { title, summary, body, questions, category } = text;
            (language, ArticleTextBody { title, summary, body, questions, category })
        });
        Self {
            id: article.id.to_string(),
            slug: article.slug,
            category: article.category,
            state: article.state.into(),
            texts: texts.collect(),
            origin: article.origin,
            helpful: article.helpful,
            unhelpful: article.unhelpful,
            revision: article.revision,
            created_ms: article.created_ms,
            updated_ms: article.updated_ms,
        }
    }
}

/// Texts under the tags the index knows: an article that lies under `zh` would be found by nobody who reads `zh-CN`.
fn texts(texts: BTreeMap<String, ArticleTextBody>) -> Answer<ArticleTexts> {
    let mut checked = ArticleTexts::new();
    for (language, text) in texts {
        let known = language_of(&language);
        if known != language {
            let detail = format!("use {known}");
            return Err(Problem::invalid(&format!("texts.{language}"), detail));
        }
        let ArticleTextBody { title, summary, body, questions, category } = text;
        checked.insert(language, ArticleText { title, summary, body, questions, category });
    }
    Ok(checked)
}

/// Lists the articles
///
/// By category and slug, with their texts; a page of large articles is short.
#[utoipa::path(get, path = "/articles", tag = "articles", params(ArticlesParams),
    responses((status = 200, body = ArticlesBody), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(state): State<ApiState>,
    staff: Staff,
    Query(params): Query<ArticlesParams>,
) -> Answer<Json<ArticlesBody>> {
    let account = staff.reads(Right::SettingsKnowledge)?;
    let words = params.q.unwrap_or_default();
    if words.chars().count() > WORDS_CHARS_MAX {
        return Err(Problem::invalid("q", format!("has more than {WORDS_CHARS_MAX} characters")));
    }
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let in_state = given(params.state).map(|state| state.parse::<ArticleState>()).transpose()?;
    let query = ArticleQuery {
        category: given(params.category),
        state: in_state,
        words,
        after: given(params.cursor).map(|cursor| place(&cursor)).transpose()?,
        limit: PAGE,
    };
    let page = state.catalog().articles(account, &query).await?;
    let next = page.next.map(|place| cursor(&place));
    Ok(Json(ArticlesBody { articles: page.articles.into_iter().map(Into::into).collect(), next }))
}

fn cursor(place: &(String, String)) -> String {
    BASE64.encode(format!("{}\n{}", place.0, place.1))
}

fn place(cursor: &str) -> Answer<(String, String)> {
    let bytes = BASE64.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let place = text.as_deref().and_then(|text| text.split_once('\n'));
    let (category, slug) = place.ok_or_else(|| Problem::new(&codes::CURSOR_INVALID))?;
    Ok((category.to_owned(), slug.to_owned()))
}

/// Creates an article
#[utoipa::path(post, path = "/articles", tag = "articles", request_body = NewArticleBody,
    responses((status = 201, body = ArticleBody), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<NewArticleBody>,
) -> Answer<Created<ArticleBody>> {
    let account = staff.with(Right::SettingsKnowledge)?;
    let new = NewArticle {
        slug: body.slug,
        category: body.category,
        state: body.state.into(),
        texts: texts(body.texts)?,
    };
    let article = state.catalog().create_article(account, &new).await?;
    changed(&state, account);
    Ok(Created(article.into()))
}

/// Shows an article
#[utoipa::path(get, path = "/articles/{article}", tag = "articles",
    params(("article" = String, Path, description = "The article's id")),
    responses((status = 200, body = ArticleBody), (status = "4XX", body = ProblemBody)))]
async fn show(
    State(state): State<ApiState>,
    staff: Staff,
    Path(article): Path<String>,
) -> Answer<Json<ArticleBody>> {
    let account = staff.reads(Right::SettingsKnowledge)?;
    Ok(Json(state.catalog().article(account, unknown(&article)?).await?.into()))
}

/// Changes an article as a whole
///
/// A change that somebody else was faster with is refused.
#[utoipa::path(put, path = "/articles/{article}", tag = "articles", request_body = ArticleChange,
    params(("article" = String, Path, description = "The article's id")),
    responses((status = 200, body = ArticleBody), (status = "4XX", body = ProblemBody)))]
async fn change(
    State(state): State<ApiState>,
    staff: Staff,
    Path(article): Path<String>,
    Json(body): Json<ArticleChange>,
) -> Answer<Json<ArticleBody>> {
    let account = staff.with(Right::SettingsKnowledge)?;
    let id = unknown(&article)?;
    let new = NewArticle {
        slug: body.slug,
        category: body.category,
        state: body.state.into(),
        texts: texts(body.texts)?,
    };
    let article = state.catalog().update_article(account, id, &new, body.revision).await?;
    changed(&state, account);
    Ok(Json(article.into()))
}

/// Deletes an article
#[utoipa::path(delete, path = "/articles/{article}", tag = "articles",
    params(("article" = String, Path, description = "The article's id")),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
async fn remove(
    State(state): State<ApiState>,
    staff: Staff,
    Path(article): Path<String>,
) -> Answer<Done> {
    let account = staff.with(Right::SettingsKnowledge)?;
    state.catalog().delete_article(account, unknown(&article)?).await?;
    changed(&state, account);
    Ok(Done)
}

/// Nodes elsewhere hear of it from the catalog.
fn changed(state: &ApiState, account: AccountId) {
    state.knowledge().changed(account);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_place_in_the_list() {
        let at = ("Orders & money".to_owned(), "pay-by-card".to_owned());
        assert_eq!(place(&cursor(&at)).expect("it is ours"), at);
        for bad in ["", "!", "YQ"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_lie_under_the_tags_the_index_knows() {
        let text = || ArticleTextBody {
            title: "t".to_owned(),
            summary: String::new(),
            body: String::new(),
            questions: Vec::new(),
            category: String::new(),
        };
        let of = |language: &str| texts(BTreeMap::from([(language.to_owned(), text())]));
        for good in ["en", "zh-CN", "de"] {
            assert!(of(good).is_ok(), "{good}");
        }
        for bad in ["zh", "en-US", "EN", "", "<script>"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
