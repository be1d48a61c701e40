//! Identities a site signs for its visitors (S3), in either of two forms.
//!
//! JSON Web Tokens of one kind: HS256 with one of the inbox's secrets, a name for the person (`sub`), an
//! end (`exp`), and the inbox they are for (`aud`). Or the name alone with its HMAC-SHA256 under a secret:
//! that has no end, and vouches for nothing that is said beside it.
//!
//! The signature is checked before anything a token says is looked at, but for its algorithm, and the
//! algorithm is not the token's to choose: whatever is not HS256 is refused. An e-mail address is what
//! a site tells of somebody, never who somebody is.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use frontdesk_catalog::{IdentityClaims, SUBJECT_CHARS_MAX};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use utoipa::ToSchema;

use crate::problem::Problem;
use frontdesk_protocol::codes;

/// The longest token that is looked at: fifty attributes and some.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// How far a site's clock may be from ours, s.
const CLOCK_SKEW_S: f64 = 60.0;

/// Somebody, as the site signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The site's own name for the person.
    pub(crate) subject: String,
    /// What the site tells of the person; none where it signed the name alone.
    pub(crate) claims: Option<IdentityClaims>,
    /// What stood beside it, signed by nobody.
    pub(crate) said: IdentityClaims,
}

/// What a visitor presents to be somebody.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof<'a> {
    /// A JSON Web Token.
    Token(&'a str),
    /// A name and its HMAC.
    Hash(&'a HashedIdentity),
}

/// The site's name for a visitor and its HMAC, for sites that sign no JSON Web Tokens. Prefer those:
/// a hash never ends, and says nothing of the person but the name.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct HashedIdentity {
    /// The site's own name for the person, the same on every device.
    #[serde(default)]
    identifier: String,
    /// HMAC-SHA256 of `identifier` under a secret of the inbox, in hexadecimal.
    #[serde(default)]
    identifier_hash: String,
    /// What people call the person; not vouched for, as if the visitor had said it.
    name: Option<String>,
    /// An address to write to; not vouched for.
    email: Option<String>,
    /// A number to call; not vouched for.
    phone: Option<String>,
}

/// Why a proof was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdentityError {
    /// It proves nothing; the word says why, for whoever builds the site.
    #[error("not an identity of this inbox: {0}")]
    Invalid(&'static str),
    /// It was good.
    #[error("the identity token has expired")]
    Expired,
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Invalid(why) => Self::new(&codes::IDENTITY_INVALID).detail(why),
            IdentityError::Expired => Self::new(&codes::IDENTITY_EXPIRED),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    /// Extensions that must be understood: there is none we understand.
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    aud: Option<Audience>,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, inbox_key: &str) -> bool {
        match self {
            Self::One(name) => name == inbox_key,
            Self::Many(names) => names.iter().any(|name| name == inbox_key),
        }
    }
}

/// Reads what proves somebody for an inbox, signed with any of its secrets.
pub(crate) fn verify(
    proof: Proof<'_>,
    secrets: &[String],
    inbox_key: &str,
    now_ms: i64,
) -> Result<Signed, IdentityError> {
    match proof {
        Proof::Token(token) => verify_token(token, secrets, inbox_key, now_ms),
        Proof::Hash(hashed) => hashed.verify(secrets),
    }
}

fn is_signed(text: &str, signature: &[u8], secrets: &[String]) -> bool {
    secrets.iter().any(|secret| {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length will do");
        mac.update(text.as_bytes());
        mac.verify_slice(signature).is_ok()
    })
}

fn verify_token(
    token: &str,
    secrets: &[String],
    inbox_key: &str,
    now_ms: i64,
) -> Result<Signed, IdentityError> {
    const MALFORMED: IdentityError = IdentityError::Invalid("it is not a JSON Web Token");
    if token.len() > TOKEN_BYTES_MAX {
        return Err(IdentityError::Invalid("it is too long"));
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
    let (header, payload) = signed.split_once('.').ok_or(MALFORMED)?;
    let decoded = |part: &str| BASE64.decode(part).map_err(|_| MALFORMED);
    let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| MALFORMED)?;
    if header.alg != "HS256" {
        return Err(IdentityError::Invalid("its algorithm is not HS256"));
    }
    if header.crit.is_some() || header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("jwt")) {
        return Err(IdentityError::Invalid("it is of another kind"));
    }
    let signature = decoded(signature)?;
    if !is_signed(signed, &signature, secrets) {
        return Err(IdentityError::Invalid("no secret of the inbox signed it"));
    }
    let claims: Claims = serde_json::from_slice(&decoded(payload)?)
        .map_err(|_| IdentityError::Invalid("a claim is of the wrong type"))?;
    claims.checked(inbox_key, now_ms)
}

impl Claims {
    fn checked(self, inbox_key: &str, now_ms: i64) -> Result<Signed, IdentityError> {
        if !self.aud.is_some_and(|aud| aud.names(inbox_key)) {
            return Err(IdentityError::Invalid("aud is not the key of this inbox"));
        }
        let now_s = now_ms as f64 / 1_000.0;
        let exp = self.exp.ok_or(IdentityError::Invalid("exp is missing"))?;
        if now_s >= exp + CLOCK_SKEW_S {
            return Err(IdentityError::Expired);
        }
        if self.nbf.is_some_and(|nbf| nbf > now_s + CLOCK_SKEW_S) {
            return Err(IdentityError::Invalid("nbf lies ahead"));
        }
        let subject = self.sub.map(|sub| sub.trim().to_owned()).unwrap_or_default();
        if subject.is_empty() {
            return Err(IdentityError::Invalid("sub is missing"));
        }
        if !is_name(&subject) {
            return Err(IdentityError::Invalid("sub is too long or has control characters"));
        }
        let attributes = self
            .attributes
            .into_iter()
            .map(|(name, value)| Some((name, plain(&value)?)))
            .collect::<Option<_>>()
            .ok_or(IdentityError::Invalid("an attribute is no text, number or boolean"))?;
        let claims =
            IdentityClaims { name: self.name, email: self.email, phone: self.phone, attributes };
        let claims = bounded(claims)?;
        Ok(Signed { subject, claims: Some(claims), said: IdentityClaims::default() })
    }
}

impl HashedIdentity {
    fn verify(&self, secrets: &[String]) -> Result<Signed, IdentityError> {
        let subject = self.identifier.trim().to_owned();
        if subject.is_empty() {
            return Err(IdentityError::Invalid("identifier is missing"));
        }
        let hash = from_hex(&self.identifier_hash);
        let hash = hash.ok_or(IdentityError::Invalid("identifier_hash is not hexadecimal"))?;
        if !is_signed(&self.identifier, &hash, secrets) {
            return Err(IdentityError::Invalid("no secret of the inbox made identifier_hash"));
        }
        if !is_name(&subject) {
            return Err(IdentityError::Invalid("identifier is too long or has control characters"));
        }
        let said = bounded(IdentityClaims {
            name: self.name.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            ..IdentityClaims::default()
        })?;
        Ok(Signed { subject, claims: None, said })
    }
}

fn is_name(subject: &str) -> bool {
    subject.chars().count() <= SUBJECT_CHARS_MAX && !subject.chars().any(char::is_control)
}

fn bounded(claims: IdentityClaims) -> Result<IdentityClaims, IdentityError> {
    claims
        .checked()
        .map_err(|_| IdentityError::Invalid("a claim is too long or has control characters"))
}

/// The 32 bytes of a hash; none for anything else.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from((digit(pair[0])? << 4) | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW_MS: i64 = 1_790_000_000_000;
    const NOW_S: i64 = NOW_MS / 1_000;
    const INBOX: &str = "0123456789abcdef0123456789abcdef";

    fn signed(header: &Value, claims: &Value, secret: &str) -> String {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(text.as_bytes());
        format!("{text}.{}", BASE64.encode(mac.finalize().into_bytes()))
    }

    fn header() -> Value {
        json!({"alg": "HS256", "typ": "JWT"})
    }

    fn claims() -> Value {
        json!({"sub": "u-7", "exp": NOW_S + 60, "aud": INBOX})
    }

    fn with(change: impl FnOnce(&mut Value)) -> Value {
        let mut claims = claims();
        change(&mut claims);
        claims
    }

    fn check(token: &str) -> Result<Signed, IdentityError> {
        verify(Proof::Token(token), &["old".to_owned(), "new".to_owned()], INBOX, NOW_MS)
    }

    fn hash(secret: &str, identifier: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(identifier.as_bytes());
        mac.finalize()
            .into_bytes()
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    fn check_hash(identity: Value) -> Result<Signed, IdentityError> {
        let identity: HashedIdentity = serde_json::from_value(identity).expect("its fields");
        verify(Proof::Hash(&identity), &["old".to_owned(), "new".to_owned()], INBOX, NOW_MS)
    }

    #[test]
    fn s03_a_hash_of_either_secret_says_who_somebody_is_and_no_more() {
        // RFC 4231, test case 2: so that ours is what everybody else calls HMAC-SHA256.
        let known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hash("Jefe", "what do ya want for nothing?"), known);
        for secret in ["old", "new"] {
            let hashed = hash(secret, "u-7");
            for written in [hashed.clone(), hashed.to_uppercase()] {
                let who = check_hash(json!({
                    "identifier": "u-7", "identifier_hash": written,
                    "name": " Lin ", "email": "no address", "attributes": {"vip": true},
                }));
                let who = who.expect("a good hash");
                assert_eq!((who.subject.as_str(), who.claims), ("u-7", None));
                let said = IdentityClaims { name: Some("Lin".to_owned()), ..Default::default() };
                assert_eq!(who.said, said);
            }
        }
    }

    #[test]
    fn s03_a_hash_of_anything_else_proves_nothing() {
        let good = hash("new", "u-7");
        for (identifier, hashed) in [
            ("u-7", hash("another", "u-7")),
            ("u-7", hash("", "u-7")),
            ("u-8", good.clone()),
            ("u-7 ", good.clone()),
            ("", hash("new", "")),
            (" ", hash("new", " ")),
            ("a\nb", hash("new", "a\nb")),
            ("u-7", String::new()),
            ("u-7", good[..62].to_owned()),
            ("u-7", format!("{good}00")),
            ("u-7", format!("+{}", &good[1..])),
            ("u-7", "é".repeat(32)),
        ] {
            let identity = json!({"identifier": identifier, "identifier_hash": hashed});
            let refused = check_hash(identity.clone());
            assert!(matches!(refused, Err(IdentityError::Invalid(_))), "{identity}: {refused:?}");
        }
        let long = "x".repeat(SUBJECT_CHARS_MAX + 1);
        let identity = json!({"identifier": long, "identifier_hash": hash("new", &long)});
        assert!(check_hash(identity).is_err());
        let named = json!({
            "identifier": "u-7", "identifier_hash": good, "name": "x".repeat(255),
        });
        assert!(check_hash(named).is_err(), "what is said beside it is bounded too");
    }

    #[test]
    fn s03_a_token_of_either_secret_says_who_somebody_is() {
        let told = with(|claims| {
            claims["name"] = json!(" Lin ");
            claims["email"] = json!("lin@shop.example");
            claims["attributes"] = json!({"plan": "gold", "orders": 12, "vip": true});
            claims["aud"] = json!(["other", INBOX]);
        });
        for secret in ["old", "new"] {
            let who = check(&signed(&header(), &told, secret)).expect("a good token");
            assert_eq!(who.subject, "u-7");
            let claims = who.claims.expect("claims");
            assert_eq!(claims.name.as_deref(), Some("Lin"));
            assert_eq!(claims.email.as_deref(), Some("lin@shop.example"));
            assert_eq!(claims.phone, None);
            let attributes: Vec<_> = claims.attributes.iter().collect();
            assert_eq!(
                format!("{attributes:?}"),
                r#"[("orders", "12"), ("plan", "gold"), ("vip", "true")]"#
            );
        }
    }

    #[test]
    fn s03_another_key_or_another_algorithm_proves_nothing() {
        let good = signed(&header(), &claims(), "new");
        let (text, _) = good.rsplit_once('.').expect("three parts");
        let none = |alg: &str| {
            let head = BASE64.encode(json!({"alg": alg}).to_string());
            let payload = BASE64.encode(claims().to_string());
            [format!("{head}.{payload}."), format!("{head}.{payload}")]
        };
        let mut bad = vec![
            signed(&header(), &claims(), "another"),
            signed(&header(), &claims(), ""),
            format!("{text}."),
            format!("{text}.{}", BASE64.encode([0; 32])),
            text.to_owned(),
            good.replacen('.', "..", 1),
            format!("{good}.x"),
            String::new(),
            "a.b.c".to_owned(),
            "x".repeat(TOKEN_BYTES_MAX + 1),
        ];
        bad.extend(none("none").into_iter().chain(none("None")).chain(none("")));
        for alg in ["RS256", "HS384", "HS512", "ES256", "hs256", "none"] {
            bad.push(signed(&json!({"alg": alg, "typ": "JWT"}), &claims(), "new"));
        }
        bad.push(signed(&json!({"alg": "HS256", "crit": ["b64"], "b64": false}), &claims(), "new"));
        bad.push(signed(&json!({"alg": "HS256", "typ": "JWE"}), &claims(), "new"));
        for token in bad {
            let refused = check(&token);
            assert!(matches!(refused, Err(IdentityError::Invalid(_))), "{token}: {refused:?}");
        }
        let bare = verify(Proof::Token(&good), &[], INBOX, NOW_MS);
        assert!(bare.is_err(), "an inbox without a secret");
    }

    #[test]
    fn s03_claims_that_do_not_name_somebody_here_and_now_are_refused() {
        for (claims, error) in [
            (with(|claims| claims["exp"] = json!(NOW_S - 60)), IdentityError::Expired),
            (with(|claims| claims["exp"] = json!(NOW_S - 3_600)), IdentityError::Expired),
            (with(|claims| claims["exp"] = Value::Null), IdentityError::Invalid("exp is missing")),
            (
                with(|claims| claims["exp"] = json!("tomorrow")),
                IdentityError::Invalid("a claim is of the wrong type"),
            ),
            (
                with(|claims| claims["aud"] = json!("another inbox")),
                IdentityError::Invalid("aud is not the key of this inbox"),
            ),
            (
                with(|claims| claims["aud"] = Value::Null),
                IdentityError::Invalid("aud is not the key of this inbox"),
            ),
            (
                with(|claims| claims["nbf"] = json!(NOW_S + 3_600)),
                IdentityError::Invalid("nbf lies ahead"),
            ),
            (with(|claims| claims["sub"] = json!(" ")), IdentityError::Invalid("sub is missing")),
            (
                with(|claims| {
                    claims["sub"] = Value::Null;
                    claims["email"] = json!("lin@shop.example");
                }),
                IdentityError::Invalid("sub is missing"),
            ),
            (
                with(|claims| claims["sub"] = json!(7)),
                IdentityError::Invalid("a claim is of the wrong type"),
            ),
            (
                with(|claims| claims["attributes"] = json!({"a": {"b": 1}})),
                IdentityError::Invalid("an attribute is no text, number or boolean"),
            ),
            (
                with(|claims| claims["name"] = json!("x".repeat(255))),
                IdentityError::Invalid("a claim is too long or has control characters"),
            ),
        ] {
            assert_eq!(check(&signed(&header(), &claims, "new")), Err(error), "{claims}");
        }
    }
}
