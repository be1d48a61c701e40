//! What people configure, in SQL: accounts, users and their memberships, roles as sets of rights,
//! teams, inboxes, canned replies, settings, API keys, login sessions, what is known of files, and what
//! was written about the persons behind visitors.
//!
//! Nothing on a message's way asks the catalog: the gateway reads rights when a socket opens, the
//! router keeps what it needs in memory, and the rest is the HTTP API. [`Catalog`] is one concrete
//! type over a SQLite file of this process, or over a MySQL or MariaDB database that nodes share; its SQL
//! keeps to what all of them understand ([`Catalog::open`], [`Catalog::open_mysql`]).

mod accounts;
mod api_keys;
mod catalog;
mod changes;
mod contacts;
pub mod database;
mod error;
mod files;
mod fresh;
mod idempotency;
mod identities;
mod inboxes;
mod intents;
mod invitations;
mod kept;
mod login;
mod mysql;
mod password;
mod preferences;
mod replies;
mod roles;
mod rows;
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
pub use catalog::Catalog;
pub use changes::{Change, ChangesElsewhere};
pub use contacts::{Contact, ContactAuthor, ContactChange, ContactFact, ContactNews};
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
    Hours, Inbox, InboxChange, InboxKind, InboxText, Look, NewInbox, QUESTIONS_MAX, Questions,
    RoutingMode, Scheme, Side, SpecialDay, WeekSpan,
};
pub use intents::IntentSettings;
pub use invitations::{INVITATION_MS, INVITATIONS_MAX, Invitation, Inviter, NewInvitation};
pub use login::{AGE_MS_MAX, IDLE_MS_MAX, LoginSession, SignedIn};
pub use mysql::{MySqlOptions, MySqlStore};
pub use password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, Password};
pub use preferences::Preferences;
pub use replies::{NewReply, Reply};
pub use roles::{Builtin, Granter, Role};
pub use setup::SETUP_MS;
pub use sightings::{ORIGINS_MAX, Seen, Sighting};
pub use store::Store;
pub use teams::Team;
pub use text::{Texts, is_email, is_phone};
pub use throttle::{DELAY_MS_MAX, FORGET_MS, FREE_TRIES, LoginThrottle, Source};
pub use users::{Access, Member, NewUser, Presence, ProfileChange, User};
