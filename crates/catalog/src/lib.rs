//! What people configure, in SQL: accounts, users and their memberships, roles as sets of rights,
//! teams, inboxes, canned replies, settings, API keys, login sessions, what is known of files, what was
//! written about the persons behind visitors, what a team knows and what its bots do.
//!
//! Nothing on a message's way asks the catalog: the gateway reads rights when a socket opens, the
//! router keeps what it needs in memory, and the rest is the HTTP API. [`Catalog`] is one concrete
//! type over a SQLite file of this process, or over a MySQL or MariaDB database that nodes share; its SQL
//! keeps to what all of them understand ([`Catalog::open`], [`Catalog::open_mysql`]).

mod accounts;
mod api_keys;
mod articles;
mod bot_sessions;
mod catalog;
mod changes;
mod contacts;
pub mod database;
mod documents;
mod error;
mod files;
mod fresh;
mod idempotency;
mod identities;
mod inboxes;
mod intents;
mod invitations;
mod kept;
mod llm_spend;
mod login;
mod mysql;
mod password;
mod preferences;
mod replies;
mod roles;
mod rows;
mod screen_hits;
mod secrets;
pub mod settings;
mod setup;
mod sightings;
mod sql;
mod store;
mod teams;
mod text;
mod throttle;
mod users;

pub use accounts::{Account, CreatedAccount, NewAccount};
pub use api_keys::{API_KEY_PREFIX, ApiKey};
pub use articles::{
    ARTICLE_BYTES_MAX, ARTICLES_MAX, Article, ArticlePage, ArticleQuery, ArticleState, ArticleText,
    ArticleTexts, BODY_BYTES_MAX as ARTICLE_BODY_BYTES_MAX, KNOWLEDGE_BYTES_MAX, NewArticle, Put,
    PutArticle, VOTER_BYTES, Vote,
};
pub use bot_sessions::{BOT_SESSION_DAYS_MAX, BotDay, BotFigures, BotOutcome, BotSession};
pub use catalog::Catalog;
pub use changes::{Change, ChangesElsewhere};
pub use contacts::{Contact, ContactAuthor, ContactChange, ContactFact, ContactNews};
pub use documents::{
    DOCUMENT_BYTES_MAX, DOCUMENTS_MAX, Document, DocumentHeading, DocumentKind, DocumentVersion,
    NewDocument, SEALED_BYTES_MAX, VERSIONS_MAX,
};
pub use error::Error;
pub use files::{
    Begun, FileFacts, FileQuotas, FileState, FileUsage, NewFile, Reserve, StoredFile, Uploader,
    UploaderQuota, new_file_id,
};
pub use fresh::Fresh;
pub use idempotency::{BODY_BYTES_MAX, Idempotent, IdempotentRequest, KEPT_MS, KEY_CHARS_MAX};
pub use identities::{
    ATTRIBUTES_MAX, Binding, IDENTITY_SECRETS_MAX, IdentityClaims, IdentityMode, IdentitySecret,
    SUBJECT_CHARS_MAX, VisitorIdentity,
};
pub use inboxes::{
    Hours, Inbox, InboxChange, InboxKind, InboxText, Look, NewInbox, Opening, QUESTIONS_MAX,
    Questions, RoutingMode, Scheme, Side, SpecialDay, WeekSpan,
};
pub use intents::IntentSettings;
pub use invitations::{INVITATION_MS, INVITATIONS_MAX, Invitation, Inviter, NewInvitation};
pub use llm_spend::{CONVERSATION_DAYS_MAX, LlmSpend, LlmSpendDay, SPEND_DAYS_MAX};
pub use login::{AGE_MS_MAX, IDLE_MS_MAX, LoginSession, SignedIn};
pub use mysql::{MySqlOptions, MySqlStore};
pub use password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, Password};
pub use preferences::Preferences;
pub use replies::{NewReply, Reply};
pub use roles::{Builtin, Granter, Role};
pub use screen_hits::{NewScreenHit, SCREEN_HITS_MAX, ScreenHit};
pub use setup::SETUP_MS;
pub use sightings::{ORIGINS_MAX, Seen, Sighting};
pub use store::Store;
pub use teams::Team;
pub use text::{Texts, is_email, is_phone};
pub use throttle::{DELAY_MS_MAX, FORGET_MS, FREE_TRIES, LoginThrottle, Source};
pub use users::{Access, Member, NewUser, Presence, ProfileChange, User};
