//! The body of an answer, piece by piece, within its limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::{Error, Phase};

/// Reads what the host sends. Dropping it before the end closes the connection.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    bytes_max: usize,
    bytes_left: usize,
    idle: Duration,
    deadline: Instant,
}

impl Body {
    pub(crate) fn new(
        incoming: Incoming,
        bytes_max: usize,
        idle: Duration,
        deadline: Instant,
    ) -> Self {
        Self { incoming, bytes_max, bytes_left: bytes_max, idle, deadline }
    }

    /// The next piece, or nothing at the end. Its size is the host's choice.
    ///
    /// # Errors
    /// When the next piece is late, the whole takes too long or is too large, or the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let idle = Instant::now() + self.idle;
            let (until, phase) = if idle < self.deadline {
                (idle, Phase::Idle)
            } else {
                (self.deadline, Phase::Total)
            };
            // A host that always has something ready would never let the timer have its turn.
            if Instant::now() >= self.deadline {
                return Err(Error::Timeout(Phase::Total));
            }
            let frame = timeout_at(until, self.incoming.frame()).await;
            let Some(frame) = frame.map_err(|_| Error::Timeout(phase))? else { return Ok(None) };
            let frame = frame.map_err(|error| Error::Broken(Box::new(error)))?;
            // Trailers say nothing to anybody here.
            let Ok(bytes) = frame.into_data() else { continue };
            self.bytes_left = self
                .bytes_left
                .checked_sub(bytes.len())
                .ok_or(Error::TooLarge { bytes_max: self.bytes_max })?;
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }

    /// All that is left.
    ///
    /// # Errors
    /// As [`Body::chunk`].
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut all = BytesMut::from(&first[..]);
        all.extend_from_slice(&second);
        while let Some(next) = self.chunk().await? {
            all.extend_from_slice(&next);
        }
        Ok(all.freeze())
    }
}
