//! Passwords: which are accepted (S4), how they are hashed, and how a wrong one costs as much time
//! whether the user exists or not (S5).
//!
//! Hashing takes 19 MiB and tens of milliseconds, so it runs on Tokio's blocking threads, a few at
//! a time; a flood of sign-ins queues here instead of taking the memory of everything else.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::error::Error;

/// Shortest password accepted; 15 and more are advised.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest: far above any pass phrase, and it keeps hashing time bounded.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Hashes computed at the same time.
const HASHES_AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// Address space reserved for one hash, in blocks of 1 KiB; only what argon2 needs of it is touched.
/// Above 2 GiB mimalloc maps memory apart and gives it back to the system at once, as glibc does above
/// 32 MiB. Below, what was freed stays for a second, and whatever is allocated meanwhile comes to lie on
/// it in pages of up to 4 MiB: 19 MiB that hardly anything is in stayed resident for good.
const RESERVED_BLOCKS: usize = (2 << 20) + 1024;

/// The passwords attackers try first, sorted by bytes, in lower case, one a line: those of eight
/// characters and more among the 30,000 most frequent in the zxcvbn project's list (MIT licence,
/// Copyright (c) 2016 Daniel Wolf, Dropbox, Inc.), with the habits of Chinese and office users added.
const COMMON: &str = include_str!("password/common.txt");

/// A password on its way in. Never shown by `Debug`, never stored.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Takes what a person typed, as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Checks a new password: length and the list of common ones, nothing about its composition.
    pub fn check(&self) -> Result<(), Error> {
        let field = "password";
        if self.0.chars().count() < PASSWORD_CHARS_MIN {
            return Err(Error::invalid(field, "too_short"));
        }
        if self.0.len() > PASSWORD_BYTES_MAX {
            return Err(Error::invalid(field, "too_long"));
        }
        let mut chars = self.0.chars();
        let first = chars.next();
        if chars.all(|c| Some(c) == first) || is_common(&self.0.to_lowercase()) {
            return Err(Error::invalid(field, "too_common"));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(hidden)")
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Binary search over the lines of the list, without an index in memory.
fn is_common(password: &str) -> bool {
    let (mut low, mut high) = (0, COMMON.len());
    while low < high {
        let middle = low.midpoint(high);
        let line_start = COMMON.as_bytes()[..middle]
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |newline| newline + 1);
        let line_end = COMMON.as_bytes()[line_start..]
            .iter()
            .position(|b| *b == b'\n')
            .map_or(COMMON.len(), |length| line_start + length);
        match COMMON.as_bytes()[line_start..line_end].cmp(password.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = line_end + 1,
            std::cmp::Ordering::Greater => high = line_start,
        }
    }
    false
}

/// What checking a password against a stored hash found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    Wrong,
    Right,
    /// Right, and stored with weaker parameters than today's: here is the new hash.
    RightAndStale(String),
}

/// Computes and checks argon2id hashes, a few at a time.
#[derive(Debug)]
pub(crate) struct Hasher {
    turns: Arc<Semaphore>,
    /// A hash nobody has the password of, checked where there is no user.
    nobody: String,
}

impl Hasher {
    pub(crate) async fn new() -> Result<Self, Error> {
        let mut random = [0u8; 16];
        getrandom::fill(&mut random).map_err(|_| Error::Hash)?;
        let nobody = blocking(move || hash(&random)).await??;
        Ok(Self { turns: Arc::new(Semaphore::new(HASHES_AT_ONCE)), nobody })
    }

    /// Hashes a password that was checked.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String, Error> {
        let password = password.0.clone();
        self.in_turn(move || hash(password.as_bytes())).await?
    }

    /// Checks a password. `None` stands for an unknown user: the answer is `Wrong`, for the same
    /// amount of work.
    pub(crate) async fn check(
        &self,
        password: &Password,
        stored: Option<String>,
    ) -> Result<Check, Error> {
        if password.0.len() > PASSWORD_BYTES_MAX {
            return Ok(Check::Wrong);
        }
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let password = password.0.clone();
        self.in_turn(move || {
            let unreadable = || Error::Stored { what: "password_hash" };
            let parsed = PasswordHash::new(&stored).map_err(|_| unreadable())?;
            let computed = compute_like(&parsed, password.as_bytes()).ok_or_else(unreadable)?;
            // The outputs are compared in constant time.
            if parsed.hash != Some(computed) || !known {
                return Ok(Check::Wrong);
            }
            if is_current(&parsed) {
                return Ok(Check::Right);
            }
            Ok(Check::RightAndStale(hash(password.as_bytes())?))
        })
        .await?
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| Error::Overloaded)?
            .map_err(|_| Error::Overloaded)?;
        // The turn goes with the work: a caller that gives up does not free it early.
        blocking(move || {
            let result = work();
            drop(turn);
            result
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Hash)
}

/// OWASP's figure: 19 MiB, two passes, one lane.
fn current_params() -> Params {
    Params::new(19 * 1024, 2, 1, None).expect("the parameters are within argon2's limits")
}

fn hash(password: &[u8]) -> Result<String, Error> {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).map_err(|_| Error::Hash)?;
    let params = current_params();
    let made = Salt::new(&random).ok().and_then(|salt| {
        Some(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(salt),
            hash: Some(compute(Algorithm::Argon2id, Version::V0x13, &params, password, &salt)?),
        })
    });
    made.map(|hash| hash.to_string()).ok_or(Error::Hash)
}

/// Hashes with the parameters and salt of a stored hash; None if they make no sense.
fn compute_like(stored: &PasswordHash, password: &[u8]) -> Option<Output> {
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = Version::try_from(stored.version?).ok()?;
    let params = Params::try_from(stored).ok()?;
    compute(algorithm, version, &params, password, stored.salt.as_ref()?)
}

fn compute(
    algorithm: Algorithm,
    version: Version,
    params: &Params,
    password: &[u8],
    salt: &[u8],
) -> Option<Output> {
    let needed = params.block_count();
    let mut blocks = Vec::new();
    // A system that counts what is reserved may not have so much.
    if blocks.try_reserve_exact(needed.max(RESERVED_BLOCKS)).is_err() {
        blocks.reserve_exact(needed);
    }
    blocks.resize(needed, Block::new());
    let mut output = [0u8; Output::MAX_LENGTH];
    let output = output.get_mut(..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN))?;
    Argon2::new(algorithm, version, params.clone())
        .hash_password_into_with_memory(password, salt, output, &mut blocks)
        .ok()?;
    Output::new(output).ok()
}

fn is_current(stored: &PasswordHash) -> bool {
    let current = current_params();
    Params::try_from(stored).is_ok_and(|params| {
        stored.algorithm == Algorithm::Argon2id.ident()
            && params.m_cost() >= current.m_cost()
            && params.t_cost() >= current.t_cost()
            && params.p_cost() >= current.p_cost()
    })
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[test]
    fn hashes_are_those_of_any_other_argon2id() {
        let ours = hash(b"correct horse").unwrap();
        assert!(ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{ours}");
        assert_ne!(ours, hash(b"correct horse").unwrap(), "each has its own salt");
        assert!(Argon2::default().verify_password(b"correct horse", ours.as_str()).is_ok());
        assert!(Argon2::default().verify_password(b"correct mule", ours.as_str()).is_err());

        let theirs: PasswordHash = Argon2::default().hash_password(b"correct horse").unwrap();
        assert_eq!(compute_like(&theirs, b"correct horse"), theirs.hash);
        assert_ne!(compute_like(&theirs, b"correct mule"), theirs.hash);
    }
}
