//! Why something of somebody else's was left out, a file or a page: a code and what stands in it, by which the console
//! words it in its reader's language, and the same in English.

use std::collections::BTreeMap;

use frontdesk_catalog::Error as CatalogError;
use frontdesk_knowledge::import;
use frontdesk_outgoing::Error as OutgoingError;
use serde::Serialize;
use utoipa::ToSchema;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Trouble {
    /// Stable, for programs.
    pub(crate) code: String,
    /// What the words for it name, such as a slug or a limit.
    pub(crate) params: BTreeMap<String, String>,
    /// The same in English.
    pub(crate) reason: String,
}

impl Trouble {
    pub(crate) fn new(code: &str, reason: impl Into<String>) -> Self {
        Self { code: code.to_owned(), params: BTreeMap::new(), reason: reason.into() }
    }

    pub(crate) fn with(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }

    /// Why an article with this slug was not stored; None where the catalog itself failed.
    pub(crate) fn of_catalog(error: &CatalogError, slug: &str) -> Option<Self> {
        let trouble = match error {
            CatalogError::Conflict { reason: "own", .. } => {
                let reason = format!("slug taken by an article of your own: {slug}");
                Self::new("article_own", reason).with("slug", slug)
            }
            CatalogError::Conflict { reason: "elsewhere", .. } => {
                let reason = format!("slug taken by an article from another source: {slug}");
                Self::new("article_elsewhere", reason).with("slug", slug)
            }
            CatalogError::Conflict { reason: "exists", .. } => {
                let reason = format!("exists: the article {slug} is published");
                Self::new("article_published", reason).with("slug", slug)
            }
            CatalogError::Conflict { what, reason: "too_many" } => {
                Self::new(&format!("{what}_full"), error.to_string())
            }
            CatalogError::Invalid { field, .. } => {
                Self::new("article_invalid", error.to_string()).with("field", field)
            }
            _ => return None,
        };
        Some(trouble)
    }
}

impl From<import::Problem> for Trouble {
    fn from(problem: import::Problem) -> Self {
        let params = problem.params.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self { code: problem.code.to_owned(), params: params.collect(), reason: problem.reason }
    }
}

impl From<OutgoingError> for Trouble {
    fn from(error: OutgoingError) -> Self {
        let trouble = Self::new(error.code(), error.to_string());
        match error {
            OutgoingError::Status { status } | OutgoingError::Redirected { status } => {
                trouble.with("status", &status)
            }
            OutgoingError::TooLarge { bytes_max } => trouble.with("kib", &(bytes_max >> 10)),
            _ => trouble,
        }
    }
}
