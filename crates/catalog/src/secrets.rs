//! What is stored in place of secrets, and names that nobody can guess.

use frontdesk_core::secret::Secret128;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// What is stored of a secret. One round of SHA-256 is enough for 128 random bits.
pub(crate) fn secret_hash(secret: &Secret128) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// 128 random bits in hexadecimal, for names that must not be guessed.
pub(crate) fn random_hex() -> Result<String, Error> {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).map_err(|_| Error::Hash)?;
    Ok(hex(&random))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}
