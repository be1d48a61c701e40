//! What the server signs and recognises again without a row: visitor tokens and tickets.
//!
//! A **visitor token** is what the widget's iframe keeps: it names the inbox, the visitor and the
//! conversation, and carries the visitor's secret. Layout before base64url, 80 bytes: `account 12 |
//! inbox 12 | visitor 12 | conversation 12 | secret 16 | HMAC-SHA256(..)[..16]`, as text `v1.<..>`.
//!
//! A **ticket** opens one socket: `POST /api/v1/tickets` issues it, the gate that reads the first
//! frame opens it here and then claims its nonce, so that it works once. Layout before base64url:
//! `claims (protobuf) | HMAC-SHA256(..)`, as text `t1.<..>`. The claims carry what the first message
//! of a new conversation will need, so nothing is stored anywhere until somebody writes.
//!
//! Both use the installation's key with a label each, so one can never pass for the other.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use frontdesk_core::{
    id::{AccountId, ApiKeyId, ConversationId, InboxId, UserId, VisitorId},
    store::Origin,
};
use hmac::{Hmac, KeyInit, Mac};
use prost::Message;
use sha2::{Digest, Sha256};

const VISITOR_PREFIX: &str = "v1.";
const TICKET_PREFIX: &str = "t1.";
const VISITOR_LABEL: &[u8] = b"frontdesk visitor token v1";
const DEVICE_PREFIX: &str = "d1.";
const DEVICE_LABEL: &[u8] = b"frontdesk device v1";
const TICKET_LABEL: &[u8] = b"frontdesk ticket v1";
const IDENTITY_PREFIX: &str = "fdi_";
const IDENTITY_LABEL: &[u8] = b"frontdesk identity secret v1";
const VISITOR_BODY: usize = 12 * 4 + 16;
const VISITOR_MAC: usize = 16;
const TICKET_MAC: usize = 32;

/// How long a ticket may wait for its socket.
pub const TICKET_LIFE_MS: i64 = frontdesk_core::limits::TICKET_MS as i64;
/// The longest ticket text that is looked at: claims are bounded when they are issued.
pub const TICKET_TEXT_MAX: usize = 8 * 1024;

/// The installation's 32 bytes of `keys/server.key`.
#[derive(Clone)]
pub struct ServerKey([u8; 32]);

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerKey(hidden)")
    }
}

impl ServerKey {
    /// Takes the key as it lies in its file.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Makes a key of a secret that people chose; of one secret another key for each label.
    pub fn derived(secret: &str, label: &[u8]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
        mac.update(label);
        mac.finalize().into_bytes().into()
    }

    /// The secret a site signs its visitors' identities with. It is kept nowhere: this key and the salt
    /// of its row make it again. The site uses the text as it is.
    pub fn identity_secret(&self, account: AccountId, inbox: InboxId, salt: &[u8; 16]) -> String {
        let body = [account.as_bytes().as_slice(), inbox.as_bytes(), salt].concat();
        let secret = self.mac(IDENTITY_LABEL, &body).finalize().into_bytes();
        format!("{IDENTITY_PREFIX}{}", BASE64.encode(secret))
    }

    pub(crate) fn mac(&self, label: &[u8], body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any key length will do");
        mac.update(label);
        mac.update(&[0]);
        mac.update(body);
        mac
    }
}

/// Why a token or ticket was not taken. Says no more than its holder may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not of this form, or not signed by this installation.
    #[error("not a token of this installation")]
    Invalid,
    /// Signed by us, but its time is over.
    #[error("the ticket has expired")]
    Expired,
}

/// The visitor's identity, as its token names it.
#[derive(Clone, PartialEq, Eq)]
pub struct VisitorToken {
    /// The inbox's account.
    pub account: AccountId,
    /// The inbox the token is good for.
    pub inbox: InboxId,
    /// The visitor.
    pub visitor: VisitorId,
    /// The visitor's one conversation in the inbox.
    pub conversation: ConversationId,
    secret: [u8; 16],
}

impl std::fmt::Debug for VisitorToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VisitorToken")
            .field("account", &self.account)
            .field("inbox", &self.inbox)
            .field("visitor", &self.visitor)
            .field("conversation", &self.conversation)
            .finish_non_exhaustive()
    }
}

impl VisitorToken {
    /// Makes a token for a visitor nobody has seen before.
    pub fn issue(
        account: AccountId,
        inbox: InboxId,
        visitor: VisitorId,
        conversation: ConversationId,
    ) -> Self {
        Self { account, inbox, visitor, conversation, secret: random() }
    }

    /// SHA-256 of the secret: what the stored conversation remembers of it.
    pub fn secret_hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }

    /// Writes the token for its holder.
    pub fn sign(&self, key: &ServerKey) -> String {
        let mut body = Vec::with_capacity(VISITOR_BODY + VISITOR_MAC);
        body.extend_from_slice(self.account.as_bytes());
        body.extend_from_slice(self.inbox.as_bytes());
        body.extend_from_slice(self.visitor.as_bytes());
        body.extend_from_slice(self.conversation.as_bytes());
        body.extend_from_slice(&self.secret);
        let mac = key.mac(VISITOR_LABEL, &body).finalize().into_bytes();
        body.extend_from_slice(&mac[..VISITOR_MAC]);
        format!("{VISITOR_PREFIX}{}", BASE64.encode(body))
    }

    /// Reads a token somebody presents; the signature is compared in constant time.
    pub fn open(text: &str, key: &ServerKey) -> Result<Self, TokenError> {
        let encoded = text.strip_prefix(VISITOR_PREFIX).ok_or(TokenError::Invalid)?;
        if encoded.len() > 128 {
            return Err(TokenError::Invalid);
        }
        let bytes = BASE64.decode(encoded).map_err(|_| TokenError::Invalid)?;
        if bytes.len() != VISITOR_BODY + VISITOR_MAC {
            return Err(TokenError::Invalid);
        }
        let (body, mac) = bytes.split_at(VISITOR_BODY);
        key.mac(VISITOR_LABEL, body).verify_truncated_left(mac).map_err(|_| TokenError::Invalid)?;
        let id = |at: usize| -> [u8; 12] {
            body[at..at + 12].try_into().expect("a slice of twelve bytes")
        };
        Ok(Self {
            account: AccountId::from_bytes(id(0)),
            inbox: InboxId::from_bytes(id(12)),
            visitor: VisitorId::from_bytes(id(24)),
            conversation: ConversationId::from_bytes(id(36)),
            secret: body[48..64].try_into().expect("a slice of sixteen bytes"),
        })
    }
}

/// A browser that has signed in to an address before: keeps its own allowance of tries, which
/// strangers' wrong guesses cannot use up. Text: `d1.` and base64url of `address 16 | random 16 |
/// HMAC-SHA256(..)[..16]`; the address is the start of its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    /// Names the browser in the throttle.
    pub(crate) handle: String,
}

impl Device {
    /// Makes the cookie's value for a browser that has just signed in.
    pub(crate) fn issue(email_key: &str, key: &ServerKey) -> String {
        let mut body = address_hash(email_key).to_vec();
        body.extend_from_slice(&random::<16>());
        let mac = key.mac(DEVICE_LABEL, &body).finalize().into_bytes();
        body.extend_from_slice(&mac[..VISITOR_MAC]);
        format!("{DEVICE_PREFIX}{}", BASE64.encode(body))
    }

    /// Reads a cookie; `None` unless we made it for this very address.
    pub(crate) fn open(text: &str, email_key: &str, key: &ServerKey) -> Option<Self> {
        let bytes = BASE64.decode(text.strip_prefix(DEVICE_PREFIX)?).ok()?;
        if bytes.len() != 32 + VISITOR_MAC {
            return None;
        }
        let (body, mac) = bytes.split_at(32);
        key.mac(DEVICE_LABEL, body).verify_truncated_left(mac).ok()?;
        (body[..16] == address_hash(email_key)).then(|| Self { handle: BASE64.encode(&body[16..]) })
    }
}

fn address_hash(email_key: &str) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(email_key.as_bytes()).into();
    hash[..16].try_into().expect("half of thirty-two bytes")
}

/// Whom a ticket lets in.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A visitor, with what their first message creates.
    Visitor {
        /// The inbox.
        inbox: InboxId,
        /// The visitor.
        visitor: VisitorId,
        /// The visitor's conversation.
        conversation: ConversationId,
        /// Page, language and secret hash, for the conversation's first record.
        origin: Box<Origin>,
        /// The site says who it is.
        identified: bool,
    },
    /// Somebody with a membership; rights are read when the socket opens, not here.
    Agent {
        /// The user.
        user: UserId,
        /// Names the login session it came from: the socket ends with it.
        login: String,
    },
    /// A program with a key of the account.
    Key {
        /// The key.
        key: ApiKeyId,
    },
}

/// A permission to open one socket.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// The account the socket belongs to.
    pub account: AccountId,
    /// Whom it lets in.
    pub subject: Subject,
    /// Last moment at which it is taken.
    pub expires_at_ms: i64,
    /// Claimed once in the directory.
    pub nonce: [u8; 16],
}

impl Ticket {
    /// Makes a ticket that is good for [`TICKET_LIFE_MS`].
    pub fn issue(account: AccountId, subject: Subject, now_ms: i64) -> Self {
        Self { account, subject, expires_at_ms: now_ms + TICKET_LIFE_MS, nonce: random() }
    }

    /// The name under which the directory remembers that the ticket was used.
    pub fn claim_key(&self) -> String {
        format!("ticket/{}", BASE64.encode(self.nonce))
    }

    /// Writes the ticket for its holder.
    pub fn sign(&self, key: &ServerKey) -> String {
        let claims = match &self.subject {
            Subject::Visitor { visitor, conversation, inbox, origin, identified } => Claims {
                account: self.account.as_bytes().to_vec(),
                expires_at_ms: self.expires_at_ms,
                nonce: self.nonce.to_vec(),
                visitor: visitor.as_bytes().to_vec(),
                conversation: conversation.as_bytes().to_vec(),
                inbox: inbox.as_bytes().to_vec(),
                origin: Some(origin.as_ref().clone()),
                identified: *identified,
                ..Claims::default()
            },
            Subject::Agent { user, login } => Claims {
                account: self.account.as_bytes().to_vec(),
                expires_at_ms: self.expires_at_ms,
                nonce: self.nonce.to_vec(),
                user: user.as_bytes().to_vec(),
                login: login.clone(),
                ..Claims::default()
            },
            Subject::Key { key } => Claims {
                account: self.account.as_bytes().to_vec(),
                expires_at_ms: self.expires_at_ms,
                nonce: self.nonce.to_vec(),
                key: key.as_bytes().to_vec(),
                ..Claims::default()
            },
        };
        let mut bytes = claims.encode_to_vec();
        let mac = key.mac(TICKET_LABEL, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        format!("{TICKET_PREFIX}{}", BASE64.encode(bytes))
    }

    /// Reads a ticket somebody presents. The caller still claims [`Ticket::claim_key`].
    pub fn open(text: &str, key: &ServerKey, now_ms: i64) -> Result<Self, TokenError> {
        let ticket = Self::open_at_any_time(text, key)?;
        if ticket.expires_at_ms < now_ms {
            return Err(TokenError::Expired);
        }
        Ok(ticket)
    }

    /// Reads a ticket that another node has found in time.
    pub fn open_at_any_time(text: &str, key: &ServerKey) -> Result<Self, TokenError> {
        let encoded = text.strip_prefix(TICKET_PREFIX).ok_or(TokenError::Invalid)?;
        if encoded.len() > TICKET_TEXT_MAX {
            return Err(TokenError::Invalid);
        }
        let bytes = BASE64.decode(encoded).map_err(|_| TokenError::Invalid)?;
        let at = bytes.len().checked_sub(TICKET_MAC).ok_or(TokenError::Invalid)?;
        let (body, mac) = bytes.split_at(at);
        key.mac(TICKET_LABEL, body).verify_slice(mac).map_err(|_| TokenError::Invalid)?;
        Claims::decode(body).ok().and_then(Self::from_claims).ok_or(TokenError::Invalid)
    }

    fn from_claims(claims: Claims) -> Option<Self> {
        let subject = match claims.origin {
            Some(origin) => Subject::Visitor {
                inbox: InboxId::from_bytes(twelve(&claims.inbox)?),
                visitor: VisitorId::from_bytes(twelve(&claims.visitor)?),
                conversation: ConversationId::from_bytes(twelve(&claims.conversation)?),
                origin: Box::new(origin),
                identified: claims.identified,
            },
            None if claims.key.is_empty() => Subject::Agent {
                user: UserId::from_bytes(twelve(&claims.user)?),
                login: claims.login,
            },
            None => Subject::Key { key: ApiKeyId::from_bytes(twelve(&claims.key)?) },
        };
        Some(Self {
            account: AccountId::from_bytes(twelve(&claims.account)?),
            subject,
            expires_at_ms: claims.expires_at_ms,
            nonce: claims.nonce.as_slice().try_into().ok()?,
        })
    }
}

/// The signed part of a ticket. Only this installation reads it, within a minute.
#[derive(Clone, PartialEq, Message)]
struct Claims {
    #[prost(bytes = "vec", tag = "1")]
    account: Vec<u8>,
    #[prost(sfixed64, tag = "2")]
    expires_at_ms: i64,
    #[prost(bytes = "vec", tag = "3")]
    nonce: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    visitor: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    conversation: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    inbox: Vec<u8>,
    #[prost(message, optional, tag = "7")]
    origin: Option<Origin>,
    #[prost(bytes = "vec", tag = "8")]
    user: Vec<u8>,
    #[prost(string, tag = "9")]
    login: String,
    #[prost(bytes = "vec", tag = "10")]
    key: Vec<u8>,
    #[prost(bool, tag = "11")]
    identified: bool,
}

fn twelve(bytes: &[u8]) -> Option<[u8; 12]> {
    bytes.try_into().ok()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ServerKey = ServerKey::new([7; 32]);

    fn visitor() -> VisitorToken {
        VisitorToken::issue(
            AccountId::from_bytes([9; 12]),
            InboxId::from_bytes([1; 12]),
            VisitorId::from_bytes([2; 12]),
            ConversationId::from_bytes([3; 12]),
        )
    }

    fn ticket() -> Ticket {
        Ticket::issue(
            AccountId::from_bytes([9; 12]),
            Subject::Agent { user: UserId::from_bytes([4; 12]), login: "0a1b".to_owned() },
            1_000,
        )
    }

    #[test]
    fn a_visitor_token_comes_back_as_it_was_issued() {
        let token = visitor();
        assert_eq!(VisitorToken::open(&token.sign(&KEY), &KEY), Ok(token));
    }

    #[test]
    fn a_changed_character_or_another_key_is_refused() {
        let text = visitor().sign(&KEY);
        for at in VISITOR_PREFIX.len()..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(VisitorToken::open(&changed, &KEY), Err(TokenError::Invalid), "{at}");
        }
        let other = ServerKey::new([8; 32]);
        assert_eq!(VisitorToken::open(&text, &other), Err(TokenError::Invalid));
        for bad in ["", "v1.", "v1.AAAA", "v2.AAAA", "{\"$gt\":\"\"}"] {
            assert_eq!(VisitorToken::open(bad, &KEY), Err(TokenError::Invalid), "{bad}");
        }
    }

    #[test]
    fn a_ticket_carries_both_kinds_of_subject() {
        let agent = ticket();
        assert_eq!(Ticket::open(&agent.sign(&KEY), &KEY, 1_000), Ok(agent));
        let visitor = Ticket::issue(
            AccountId::from_bytes([9; 12]),
            Subject::Visitor {
                inbox: InboxId::from_bytes([1; 12]),
                visitor: VisitorId::from_bytes([2; 12]),
                conversation: ConversationId::from_bytes([3; 12]),
                origin: Box::new(Origin { language: "zh-CN".into(), ..Origin::default() }),
                identified: true,
            },
            5,
        );
        assert_eq!(Ticket::open(&visitor.sign(&KEY), &KEY, 5), Ok(visitor));
    }

    #[test]
    fn a_ticket_ends_after_a_minute_and_is_no_visitor_token() {
        let ticket = ticket();
        let text = ticket.sign(&KEY);
        assert!(Ticket::open(&text, &KEY, 1_000 + TICKET_LIFE_MS).is_ok());
        assert_eq!(Ticket::open(&text, &KEY, 1_001 + TICKET_LIFE_MS), Err(TokenError::Expired));
        assert_eq!(Ticket::open_at_any_time(&text, &KEY), Ok(ticket));
        let other = text.replace('A', "B");
        assert_eq!(Ticket::open_at_any_time(&other, &KEY), Err(TokenError::Invalid));
        assert_eq!(Ticket::open(&visitor().sign(&KEY), &KEY, 0), Err(TokenError::Invalid));
        let swapped = text.replacen("t1.", "v1.", 1);
        assert_eq!(VisitorToken::open(&swapped, &KEY), Err(TokenError::Invalid));
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let shown = format!("{:?} {:?}", visitor(), KEY);
        assert!(!shown.contains("secret") && !shown.contains('['), "{shown}");
    }
}
