//! Many articles from files: Markdown with or without a front matter, or a table of questions and answers.

use axum::extract::{DefaultBodyLimit, State};
use frontdesk_catalog::{Catalog, Error as CatalogError, Put, PutArticle};
use frontdesk_core::{id::AccountId, rights::Right};
use frontdesk_knowledge::{self as knowledge, import};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::IMPORT_REQUEST_BYTES_MAX;
use crate::{
    extract::Json,
    knowledge::put_of,
    principal::Staff,
    problem::{Answer, Problem, ProblemBody},
    state::ApiState,
    trouble::Trouble,
};

/// Where articles from files come from: whatever a file is called, the next import may change what it brought.
const FILES: &str = "files";
/// Files of one import.
const FILES_MAX: usize = 1_000;
/// Problems that are told; more help nobody.
const PROBLEMS_MAX: usize = 200;
/// Articles that share one commit: few enough that nobody waits long behind them.
const ARTICLES_PER_COMMIT: usize = 100;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(import_files))
        .layer(DefaultBodyLimit::max(IMPORT_REQUEST_BYTES_MAX))
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ImportFormat {
    /// An article a file, in the language its front matter or its name says.
    Markdown,
    /// A row an article: `question`, `answer`, and perhaps `lang`, `category`, `slug`, `summary`, `questions`.
    Csv,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportFile {
    /// With the directories above it.
    name: String,
    text: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportBody {
    format: ImportFormat,
    /// At most 1,000, and 8 MiB together.
    files: Vec<ImportFile>,
    /// Everybody may read them at once; otherwise new ones are drafts.
    #[serde(default)]
    publish: bool,
}

/// What was left out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FileProblem {
    /// The file, or the page's address.
    pub(crate) file: String,
    /// From 1; absent where it is about the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    #[serde(flatten)]
    pub(crate) trouble: Trouble,
}

#[derive(Serialize, ToSchema)]
struct ImportedBody {
    /// Articles there were none of.
    added: u64,
    /// Articles that said something else.
    changed: u64,
    /// Articles that said the same.
    unchanged: u64,
    /// What was left out; the rest is stored.
    problems: Vec<FileProblem>,
}

/// Imports articles from files
///
/// An article is known by its slug: one that an import brought is changed, in the languages that come, so the same files
/// may be imported again and again. One that somebody wrote here, whose words were changed here, or that came from
/// another source stays as it is and is told. What is wrong is told with its file and line, and the rest is stored.
#[utoipa::path(post, path = "/articles/import", tag = "articles", request_body = ImportBody,
    responses((status = 200, body = ImportedBody), (status = "4XX", body = ProblemBody)))]
async fn import_files(
    State(state): State<ApiState>,
    staff: Staff,
    Json(body): Json<ImportBody>,
) -> Answer<Json<ImportedBody>> {
    let account = staff.with(Right::SettingsKnowledge)?;
    if body.files.len() > FILES_MAX {
        return Err(Problem::invalid("files", format!("are more than {FILES_MAX}")));
    }
    let publish = body.publish;
    let read = tokio::task::spawn_blocking(move || read(body));
    let (articles, mut problems) = read.await.map_err(Problem::internal)?;
    let mut imported = ImportedBody { added: 0, changed: 0, unchanged: 0, problems: Vec::new() };
    for some in articles.chunks(ARTICLES_PER_COMMIT) {
        let puts: Vec<_> =
            some.iter().map(|(_, article)| put_of(article, publish, FILES)).collect();
        let done = state.catalog().put_articles(account, &puts).await;
        // What is stored is in the index, whatever becomes of the rest.
        super::changed(&state, account);
        for ((file, article), put) in some.iter().zip(done?) {
            match put {
                Ok(Put::Added) => imported.added += 1,
                Ok(Put::Changed) => imported.changed += 1,
                Ok(Put::Unchanged) => imported.unchanged += 1,
                Err(error) => problems.push(FileProblem {
                    file: file.clone(),
                    line: None,
                    trouble: Trouble::of_catalog(&error, &article.slug).ok_or(error)?,
                }),
            }
        }
    }
    problems.truncate(PROBLEMS_MAX);
    imported.problems = problems;
    Ok(Json(imported))
}

/// Reads all files: articles, each with the file it was found in first, and what is wrong.
fn read(body: ImportBody) -> (Vec<(String, knowledge::Article)>, Vec<FileProblem>) {
    let mut problems = Vec::new();
    let mut drafts = Vec::new();
    let mut files = std::collections::HashMap::new();
    for file in body.files {
        let name: String = file.name.chars().take(200).collect();
        let mut wrong = |problem: import::Problem| {
            let line = (problem.line > 0).then_some(problem.line);
            problems.push(FileProblem { file: name.clone(), line, trouble: problem.into() });
        };
        let found = match body.format {
            ImportFormat::Markdown => match import::markdown(&file.name, &file.text) {
                Ok(draft) => vec![draft],
                Err(problem) => {
                    wrong(problem);
                    Vec::new()
                }
            },
            ImportFormat::Csv => {
                let table = import::csv(&file.text);
                table.problems.into_iter().for_each(wrong);
                table.drafts
            }
        };
        for draft in found {
            files.entry(draft.slug.clone()).or_insert_with(|| name.clone());
            drafts.push(draft);
        }
    }
    let articles = import::merged(drafts, body.publish).into_iter().map(|article| {
        let file = files.get(&article.slug).cloned().unwrap_or_default();
        (file, article)
    });
    (articles.collect(), problems)
}

/// Stores one article of a crawl; one that is published stays as it is.
pub(crate) async fn put_one(
    catalog: &Catalog,
    account: AccountId,
    article: PutArticle,
) -> Result<Put, CatalogError> {
    let done = catalog.put_drafts(account, std::slice::from_ref(&article)).await?;
    done.into_iter().next().unwrap_or(Ok(Put::Unchanged))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> ImportFile {
        ImportFile { name: name.to_owned(), text: text.to_owned() }
    }

    fn read_all(
        format: ImportFormat,
        files: Vec<ImportFile>,
    ) -> (Vec<(String, knowledge::Article)>, Vec<FileProblem>) {
        read(ImportBody { format, files, publish: true })
    }

    #[test]
    fn files_of_one_slug_are_one_article_and_what_is_wrong_has_its_place() {
        let files = vec![
            file("pay.md", "# Paying\n\nBy card."),
            file("pay.zh-CN.md", "# 付款\n\n刷卡。"),
            file("bad.md", "---\ntitle: x\nlang: klingon!\n---\nx"),
        ];
        let (articles, problems) = read_all(ImportFormat::Markdown, files);
        let [(name, article)] = &articles[..] else { panic!("{articles:?}") };
        assert_eq!((name.as_str(), article.slug.as_str()), ("pay.md", "pay"));
        assert_eq!(article.texts.keys().collect::<Vec<_>>(), ["en", "zh-CN"]);
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert_eq!((problem.file.as_str(), problem.line), ("bad.md", Some(3)));
        let put = put_of(article, true, FILES);
        assert!(put.publish && put.texts["en"].body == "By card.");
    }

    #[test]
    fn rows_of_a_table_are_articles() {
        let table = "question,answer\nHow?,So.\n,nothing\n";
        let (articles, problems) = read_all(ImportFormat::Csv, vec![file("faq.csv", table)]);
        assert_eq!(articles.len(), 1);
        assert_eq!((problems.len(), problems[0].line), (1, Some(3)));
    }
}
