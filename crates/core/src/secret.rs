//! 128 random bits that grant access: tokens, tickets, file names, invite links.

use std::fmt;

use subtle::ConstantTimeEq;

/// Bytes of a secret.
pub const SECRET_BYTES: usize = 16;
/// Characters of a secret as text: base64url without padding.
pub const SECRET_CHARS: usize = 22;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The text is no secret of this shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a secret: 22 characters of base64url are expected")]
pub struct ParseSecretError;

/// 128 random bits. Compared in constant time, hidden in Debug.
#[derive(Clone)]
pub struct Secret128([u8; SECRET_BYTES]);

impl Secret128 {
    /// Draws a new one from the operating system.
    ///
    /// # Panics
    /// When the operating system has no randomness, without which nothing here is safe.
    pub fn random() -> Self {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        Self(bytes)
    }

    /// Takes the bytes as they are.
    pub const fn from_bytes(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads base64url text, strictly.
    ///
    /// # Errors
    /// For another length or alphabet, or when the last character carries more than its two bits.
    pub fn parse(text: &str) -> Result<Self, ParseSecretError> {
        if text.len() != SECRET_CHARS {
            return Err(ParseSecretError);
        }
        let mut bytes = [0; SECRET_BYTES];
        let (mut buffer, mut bits, mut at) = (0_u32, 0_u32, 0);
        for character in text.bytes() {
            let value = match character {
                b'A'..=b'Z' => character - b'A',
                b'a'..=b'z' => character - b'a' + 26,
                b'0'..=b'9' => character - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return Err(ParseSecretError),
            };
            buffer = buffer << 6 | u32::from(value);
            bits += 6;
            if bits >= 8 {
                bits -= 8;
                bytes[at] = (buffer >> bits) as u8;
                at += 1;
                buffer &= (1 << bits) - 1;
            }
        }
        if buffer == 0 { Ok(Self(bytes)) } else { Err(ParseSecretError) }
    }

    /// The text that is handed out, once.
    pub fn reveal(&self) -> String {
        let mut text = String::with_capacity(SECRET_CHARS);
        let (mut buffer, mut bits) = (0_u32, 0_u32);
        for byte in self.0 {
            buffer = buffer << 8 | u32::from(byte);
            bits += 8;
            while bits >= 6 {
                bits -= 6;
                text.push(char::from(ALPHABET[(buffer >> bits & 63) as usize]));
            }
            buffer &= (1 << bits) - 1;
        }
        text.push(char::from(ALPHABET[(buffer << (6 - bits) & 63) as usize]));
        text
    }

    /// The bytes, to be hashed or signed.
    pub const fn as_bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }
}

impl PartialEq for Secret128 {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret128 {}

impl ConstantTimeEq for Secret128 {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for Secret128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret128(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_both_ways() {
        let secret = Secret128::random();
        let text = secret.reveal();
        assert_eq!(text.len(), SECRET_CHARS);
        assert_eq!(Secret128::parse(&text), Ok(secret));
        let known = Secret128::from_bytes(*b"0123456789abcdef");
        assert_eq!(known.reveal(), "MDEyMzQ1Njc4OWFiY2RlZg");
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in
            ["", "MDEyMzQ1Njc4OWFiY2RlZ", "MDEyMzQ1Njc4OWFiY2RlZh", "MDEyMzQ1Njc4OWFiY2RlZ="]
        {
            assert_eq!(Secret128::parse(text), Err(ParseSecretError), "{text}");
        }
    }

    #[test]
    fn debug_hides_it() {
        let secret = Secret128::random();
        assert!(!format!("{secret:?}").contains(&secret.reveal()));
    }
}
