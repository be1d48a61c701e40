//! What an account says of its language model, as the catalog keeps it: a document, and beside it the key, sealed
//! ([`crate::sealed`]). Whoever asks the model reads it here.

use frontdesk_catalog::{Catalog, DocumentKind, Error as CatalogError};
use frontdesk_core::id::AccountId;
use frontdesk_llm::{Key, Settings, VISITOR_WAIT_MS, VISITOR_WAIT_MS_MAX};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{sealed::Purpose, token::ServerKey};

/// Characters of what a team tells the model.
pub const PROMPT_CHARS_MAX: usize = 4_000;

/// What the model may be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = LlmFeatures)]
pub struct LlmFeatures {
    /// To answer visitors where articles are not sure enough.
    pub answers: bool,
    /// To tell an agent what a conversation is about.
    pub summary: bool,
    /// To say an agent's answer in better words.
    pub rewrite: bool,
    /// To say it in another language.
    pub translate: bool,
}

impl LlmFeatures {
    /// Whether it may be asked for anything.
    pub fn any(self) -> bool {
        self.answers || self.summary || self.rewrite || self.translate
    }
}

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LlmDocument {
    /// The endpoint up to and without `/chat/completions`; empty where there is no model.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// What it may be asked for.
    pub features: LlmFeatures,
    /// Tokens one conversation may take.
    pub conversation_tokens_max: u64,
    /// Tokens of one day (UTC).
    pub day_tokens_max: u64,
    /// From a question to the end of its answer.
    pub timeout_ms: u64,
    /// How long a visitor goes without a word of it.
    pub visitor_wait_ms: u64,
    /// What the team tells the model beside what the product does.
    pub prompt: String,
    /// Scheme, host and port the key may be sent to; empty without a key.
    pub key_origin: String,
}

impl Default for LlmDocument {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            model: String::new(),
            features: LlmFeatures::default(),
            conversation_tokens_max: 20_000,
            day_tokens_max: 500_000,
            timeout_ms: 20_000,
            visitor_wait_ms: VISITOR_WAIT_MS,
            prompt: String::new(),
            key_origin: String::new(),
        }
    }
}

/// What is kept of an account's model.
#[derive(Debug, Clone, Default)]
pub struct LlmKept {
    /// What the account says.
    pub document: LlmDocument,
    /// Of the document; 0 where nothing was ever said.
    pub revision: u64,
    /// The key, for the host it was given for.
    pub key: Option<Key>,
    /// As it lies in the catalog.
    pub(crate) sealed: Option<Vec<u8>>,
}

/// Why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LlmUnreadable {
    /// The catalog does not answer.
    #[error("what is said of the language model cannot be read")]
    Catalog(#[from] CatalogError),
    /// A newer version wrote it.
    #[error("what is said of the language model was written by another version")]
    Document(#[source] serde_json::Error),
}

impl LlmKept {
    /// The model to ask; none where the account names none.
    pub fn settings(&self) -> Option<Settings> {
        let document = &self.document;
        let base_url = Url::parse(&document.base_url).ok()?;
        Some(Settings {
            key: self.key.clone(),
            conversation_tokens_max: document.conversation_tokens_max,
            day_tokens_max: document.day_tokens_max,
            timeout_ms: document.timeout_ms,
            // What was kept before there was this limit goes on, within it.
            visitor_wait_ms: document.visitor_wait_ms.min(VISITOR_WAIT_MS_MAX),
            ..Settings::new(base_url, &document.model)
        })
    }
}

/// Reads what an account says of its model.
pub async fn read(
    catalog: &Catalog,
    key: &ServerKey,
    account: AccountId,
) -> Result<LlmKept, LlmUnreadable> {
    let Some(kept) = catalog.document(account, DocumentKind::Llm, "").await? else {
        return Ok(LlmKept::default());
    };
    let document: LlmDocument =
        serde_json::from_str(&kept.document).map_err(LlmUnreadable::Document)?;
    let opened = kept.sealed.as_deref().and_then(|sealed| {
        let purpose = Purpose::LlmKey { origin: &document.key_origin };
        let secret = key.unseal(account, purpose, sealed);
        let key = secret.ok().and_then(|secret| Key::stored(&secret, &document.key_origin).ok());
        if key.is_none() {
            // The installation's key is another one than when it was sealed: it has to be given again.
            tracing::warn!(account.id = %account, "the key of the language model cannot be opened");
        }
        key
    });
    let sealed = kept.sealed.filter(|_| opened.is_some());
    Ok(LlmKept { document, revision: kept.revision, key: opened, sealed })
}
