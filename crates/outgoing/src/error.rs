//! What goes wrong on the way to another server and back.

use hyper_util::client::legacy;

use crate::{Refused, dial::DialError};

/// What was waited for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A connection, with its TLS.
    Connect,
    /// The head of the answer.
    FirstByte,
    /// The next piece of the body.
    Idle,
    /// The end of it all.
    Total,
}

/// A request that brought no answer. Its text never holds a header, a body or an address.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The guard said no.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The name has no address.
    #[error("the host's name has no address")]
    Name(#[source] legacy::Error),
    /// Nobody answers there.
    #[error("cannot connect to the host")]
    Connect(#[source] legacy::Error),
    /// The certificate is not trusted, or the other side speaks no TLS.
    #[error("cannot agree on TLS with the host")]
    Tls(#[source] legacy::Error),
    /// The limit of a phase was reached.
    #[error("the host did not answer in time ({0:?})")]
    Timeout(Phase),
    /// The answer points somewhere else, where nobody goes.
    #[error("the host answers with a redirect (status {status})")]
    Redirected {
        /// 300 to 399.
        status: u16,
    },
    /// An answer beyond the request's limit.
    #[error("the answer has more than {bytes_max} bytes")]
    TooLarge {
        /// The request's limit.
        bytes_max: usize,
    },
    /// The connection ended in the middle, or what came is no HTTP.
    #[error("the connection broke before the end of the answer")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The body is compressed, which was not asked for.
    #[error("the answer is encoded in a way that was not asked for")]
    Encoding,
    /// A page that is not there.
    #[error("the host answers with status {status}")]
    Status {
        /// Neither 200 to 299 nor a redirect.
        status: u16,
    },
    /// A page in a charset that is not known, or with bytes its charset does not have.
    #[error("the answer is not text in a known charset")]
    Charset,
}

impl Error {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.code(),
            Self::Name(_) => "outgoing.name",
            Self::Connect(_) => "outgoing.connect",
            Self::Tls(_) => "outgoing.tls",
            Self::Timeout(_) => "outgoing.timeout",
            Self::Redirected { .. } => "outgoing.redirect",
            Self::TooLarge { .. } => "outgoing.too_large",
            Self::Broken(_) => "outgoing.broken",
            Self::Encoding => "outgoing.encoding",
            Self::Status { .. } => "outgoing.status",
            Self::Charset => "outgoing.charset",
        }
    }

    /// Finds what stopped a request in the chain of hyper's error: the dialler's own words are in it.
    pub(crate) fn of_request(error: legacy::Error) -> Self {
        if !error.is_connect() {
            return Self::Broken(Box::new(error));
        }
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            if let Some(dial) = inner.downcast_ref::<DialError>() {
                return match dial {
                    DialError::Refused(refused) => Self::Refused(*refused),
                    DialError::Timeout => Self::Timeout(Phase::Connect),
                    DialError::Name(_) => Self::Name(error),
                    DialError::Connect(_) => Self::Connect(error),
                };
            }
            cause = inner.source();
        }
        Self::Tls(error)
    }
}
