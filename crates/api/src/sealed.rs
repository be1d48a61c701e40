//! Secrets that have to be read again, so that a hash will not do: the key of a language model. The catalog holds them
//! encrypted; what opens them is the installation's key, which lies in a file of its own.
//!
//! Layout: `1 | salt 16 | ChaCha20-Poly1305(secret)`. Each has a key of its own, made of the installation's key and the
//! salt, so the nonce may be zero; the account and the purpose are bound to it, so that one that is moved to another
//! row, or whose row says that it goes elsewhere, opens nothing.

use frontdesk_core::id::AccountId;
use hmac::Mac;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::token::ServerKey;

const LABEL: &[u8] = b"frontdesk sealed secret v1";
const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;

/// What was sealed is not of this installation, account and purpose, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored secret cannot be opened with this installation's key")]
pub struct NotOpened;

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// The key of a language model.
    LlmKey {
        /// Scheme, host and port it may be sent to.
        origin: &'a str,
    },
}

impl ServerKey {
    /// Encrypts a secret for the catalog.
    pub fn seal(&self, account: AccountId, purpose: Purpose<'_>, secret: &str) -> Vec<u8> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).expect("the operating system gives random bytes");
        let mut body = secret.as_bytes().to_vec();
        self.sealing_key(salt)
            .seal_in_place_append_tag(nonce(), bound(account, purpose), &mut body)
            .expect("a secret is far shorter than what the cipher takes");
        [&[VERSION], salt.as_slice(), &body].concat()
    }

    /// Reads a secret of the catalog.
    pub fn unseal(
        &self,
        account: AccountId,
        purpose: Purpose<'_>,
        sealed: &[u8],
    ) -> Result<String, NotOpened> {
        let body = sealed.strip_prefix(&[VERSION]).ok_or(NotOpened)?;
        let (salt, body) = body.split_first_chunk::<SALT_BYTES>().ok_or(NotOpened)?;
        let mut body = body.to_vec();
        let key = self.sealing_key(*salt);
        let opened = key.open_in_place(nonce(), bound(account, purpose), &mut body);
        let secret = opened.map_err(|_| NotOpened)?.to_vec();
        String::from_utf8(secret).map_err(|_| NotOpened)
    }

    fn sealing_key(&self, salt: [u8; SALT_BYTES]) -> LessSafeKey {
        let key = self.mac(LABEL, &salt).finalize().into_bytes();
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key).expect("a key of 32 bytes");
        LessSafeKey::new(key)
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn bound(account: AccountId, purpose: Purpose<'_>) -> Aad<Vec<u8>> {
    let Purpose::LlmKey { origin } = purpose;
    Aad::from([account.as_bytes().as_slice(), b"llm key ", origin.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ServerKey = ServerKey::new([7; 32]);
    const SECRET: &str = "sk-a-planted-secret";
    const HERE: Purpose<'_> = Purpose::LlmKey { origin: "https://llm.example" };

    fn account(number: u8) -> AccountId {
        AccountId::from_bytes([number; 12])
    }

    #[test]
    fn a_secret_comes_back_and_shows_nowhere() {
        let sealed = KEY.seal(account(1), HERE, SECRET);
        assert_eq!(KEY.unseal(account(1), HERE, &sealed), Ok(SECRET.to_owned()));
        assert!(!sealed.windows(8).any(|window| SECRET.as_bytes().windows(8).any(|s| s == window)));
        assert_ne!(sealed, KEY.seal(account(1), HERE, SECRET), "never the same twice");
        let empty = KEY.seal(account(1), HERE, "");
        assert_eq!(KEY.unseal(account(1), HERE, &empty), Ok(String::new()));
    }

    #[test]
    fn another_account_key_or_host_and_a_changed_byte_open_nothing() {
        let sealed = KEY.seal(account(1), HERE, SECRET);
        assert_eq!(KEY.unseal(account(2), HERE, &sealed), Err(NotOpened));
        let elsewhere = Purpose::LlmKey { origin: "https://evil.example" };
        assert_eq!(KEY.unseal(account(1), elsewhere, &sealed), Err(NotOpened));
        let other = ServerKey::new([8; 32]);
        assert_eq!(other.unseal(account(1), HERE, &sealed), Err(NotOpened));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(KEY.unseal(account(1), HERE, &changed), Err(NotOpened), "{at}");
        }
        for short in 0..sealed.len() {
            assert_eq!(KEY.unseal(account(1), HERE, &sealed[..short]), Err(NotOpened));
        }
    }
}
