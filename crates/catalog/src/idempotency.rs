//! Idempotency keys of the HTTP API: the first request with a key is answered and its answer kept
//! for 24 hours; a repeat gets the same answer, and a different request under the same key is told.

use frontdesk_core::id::AccountId;

use crate::catalog::Catalog;
use crate::error::{Doing, Error, is_taken};
use crate::mysql::again;
use crate::rows;
use crate::sql;
use crate::store::Lock;

/// How long an answer is kept.
pub const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
/// A first request that has not been answered after this is taken to be lost with its server.
const ANSWER_MS_MAX: i64 = 60_000;
/// Longest key a client may choose.
pub const KEY_CHARS_MAX: usize = 200;
/// Longest method and path a key is kept for.
const ROUTE_BYTES_MAX: usize = 512;
/// Largest answer kept.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// Which request, of whom.
#[derive(Debug, Clone, Copy)]
pub struct IdempotentRequest<'a> {
    /// The account.
    pub account: AccountId,
    /// Who asks: a user, an API key, a visitor.
    pub principal: &'a str,
    /// Method and path template.
    pub route: &'a str,
    /// What the client sent as `Idempotency-Key`.
    pub key: &'a str,
    /// SHA-256 of path and body.
    pub hash: [u8; 32],
}

/// What to do with a request that carries a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotent {
    /// Do it, then call `finish_idempotent` or `abandon_idempotent`.
    New,
    /// Answered before: say the same again.
    Done {
        /// HTTP status.
        status: u16,
        /// Body.
        body: Vec<u8>,
    },
    /// The first one is still being answered.
    InProgress,
    /// The key was used for another request.
    OtherRequest,
}

impl Catalog {
    /// Claims a key for a request, or says what became of the first one.
    pub async fn begin_idempotent(
        &self,
        request: IdempotentRequest<'_>,
        now_ms: i64,
    ) -> Result<Idempotent, Error> {
        if request.key.is_empty() || request.key.chars().count() > KEY_CHARS_MAX {
            return Err(Error::invalid("Idempotency-Key", "length"));
        }
        if request.route.len() > ROUTE_BYTES_MAX {
            return Err(Error::invalid("path", "too_long"));
        }
        again(|| Box::pin(self.claim(request, now_ms))).await
    }

    async fn claim(
        &self,
        request: IdempotentRequest<'_>,
        now_ms: i64,
    ) -> Result<Idempotent, Error> {
        let mut write = self.write_aside("claim an idempotency key", Lock::Rows).await?;
        // Rows that ran out count as absent, whether swept or not.
        sql::query(
            "DELETE FROM idempotency_keys WHERE account = ? AND principal = ? AND route = ? AND \
             client_key = ? AND (created_ms <= ? OR (status IS NULL AND created_ms <= ?))",
        )
        .bind(request.account.to_string())
        .bind(request.principal)
        .bind(request.route)
        .bind(request.key)
        .bind(now_ms - KEPT_MS)
        .bind(now_ms - ANSWER_MS_MAX)
        .execute(&mut write)
        .await
        .doing("claim an idempotency key")?;
        let inserted = sql::query(
            "INSERT INTO idempotency_keys (account, principal, route, client_key, request_hash, \
             created_ms) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(request.account.to_string())
        .bind(request.principal)
        .bind(request.route)
        .bind(request.key)
        .bind(request.hash.to_vec())
        .bind(now_ms)
        .execute(&mut write)
        .await;
        match inserted {
            Ok(_) => {
                write.commit().await.doing("claim an idempotency key")?;
                return Ok(Idempotent::New);
            }
            Err(error) if is_taken(&error) => {}
            Err(source) => {
                return Err(Error::sql("claim an idempotency key", source));
            }
        }
        let row = sql::query(
            "SELECT request_hash, status, body FROM idempotency_keys WHERE account = ? AND \
             principal = ? AND route = ? AND client_key = ?",
        )
        .bind(request.account.to_string())
        .bind(request.principal)
        .bind(request.route)
        .bind(request.key)
        .fetch_one(&mut write)
        .await
        .doing("read an idempotency key")?;
        if rows::bytes(&row, "request_hash")? != request.hash {
            return Ok(Idempotent::OtherRequest);
        }
        Ok(match rows::maybe_int(&row, "status")? {
            None => Idempotent::InProgress,
            Some(status) => Idempotent::Done {
                status: u16::try_from(status).map_err(|_| Error::Stored { what: "status" })?,
                body: rows::maybe_bytes(&row, "body")?.unwrap_or_default(),
            },
        })
    }

    /// Keeps the answer to a claimed request. An answer too large to keep frees the key instead.
    pub async fn finish_idempotent(
        &self,
        request: IdempotentRequest<'_>,
        status: u16,
        body: &[u8],
    ) -> Result<(), Error> {
        if body.len() > BODY_BYTES_MAX {
            return self.abandon_idempotent(request).await;
        }
        let mut write = self.write_aside("keep an answer", Lock::Rows).await?;
        sql::query(
            "UPDATE idempotency_keys SET status = ?, body = ? WHERE account = ? AND \
             principal = ? AND route = ? AND client_key = ?",
        )
        .bind(i64::from(status))
        .bind(body.to_vec())
        .bind(request.account.to_string())
        .bind(request.principal)
        .bind(request.route)
        .bind(request.key)
        .execute(&mut write)
        .await
        .doing("keep an answer")?;
        write.commit().await.doing("keep an answer")
    }

    /// Frees a claimed key: the request failed in a way that a retry may cure.
    pub async fn abandon_idempotent(&self, request: IdempotentRequest<'_>) -> Result<(), Error> {
        let mut write = self.write_aside("free an idempotency key", Lock::Rows).await?;
        sql::query(
            "DELETE FROM idempotency_keys WHERE account = ? AND principal = ? AND route = ? AND \
             client_key = ?",
        )
        .bind(request.account.to_string())
        .bind(request.principal)
        .bind(request.route)
        .bind(request.key)
        .execute(&mut write)
        .await
        .doing("free an idempotency key")?;
        write.commit().await.doing("free an idempotency key")
    }
}
