//! What can go wrong around a measurement. A slow or lossy server is no error: that is a result.

use std::io;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused something.
    #[error("cannot {what}")]
    Io {
        /// The operation, as an infinitive.
        what: &'static str,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The server ended a connection in the middle of a run.
    #[error("the server closed the connection of {peer}{}", code.map(|c| format!(" with code {c}")).unwrap_or_default())]
    Closed {
        /// Whose connection.
        peer: String,
        /// The code of the close frame, if there was one.
        code: Option<u16>,
    },
    /// The HTTP API refused a request of the set-up.
    #[error("{method} {path} was answered with {status} {code}")]
    Http {
        /// The request's method.
        method: &'static str,
        /// The request's path.
        path: String,
        /// The status of the answer.
        status: u16,
        /// The stable code of the problem, or empty.
        code: String,
    },
    /// The server is not the one that was meant, or speaks no TLS.
    #[error("cannot speak TLS with {host}{advice}")]
    Tls {
        /// Name or address of the server.
        host: String,
        /// What helps, where that is known.
        advice: &'static str,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The server said something that is not in the protocol.
    #[error("the server's answer is malformed: {what}")]
    Malformed {
        /// What was expected.
        what: &'static str,
    },
    /// The server refused a frame that the set-up needs.
    #[error("the server refused {what}: {code}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The stable code.
        code: String,
    },
    /// Something did not happen in time.
    #[error("waited {seconds} s in vain for {what}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
    /// A process of the run could not be started.
    #[error("cannot start {what}: {reason}")]
    Launch {
        /// Which process.
        what: &'static str,
        /// What it said.
        reason: String,
    },
    /// A generator's process did not get to its end.
    #[error("a generator gave up: {reason}")]
    Generator {
        /// What it said.
        reason: String,
    },
    /// A scenario of one process has more connections than that may hold.
    #[error(
        "{connections} connections in one process, which may open files for {max}: raise the limit \
         (ulimit -n), or ask for fewer"
    )]
    OpenFiles {
        /// Connections that were asked for.
        connections: u32,
        /// As many as fit.
        max: u32,
    },
    /// The options cannot be run.
    #[error("{0}")]
    Options(&'static str),
}

/// Names the operation that failed.
pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { what, source }
}
