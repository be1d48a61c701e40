//! The file store in an S3-compatible bucket, made from `[files.s3]`. object_store speaks the protocol
//! and signs with ring; this file gives it its connections, over hyper and the one rustls of the
//! house, and tries the bucket once at the start.
//!
//! Nothing here follows a redirect, and every wait has an end: a request has to be answered, and an
//! answer's next bytes have to come, within `files.s3.timeout_ms`.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use object_store::{
    BackoffConfig, ClientOptions, Error as StoreError, ObjectStore, ObjectStoreExt as _,
    RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
        HttpResponse, HttpResponseBody, HttpService,
    },
    path::Path as ObjectPath,
    prefix::PrefixStore,
};
use rustls::RootCertStore;
use tokio::time::{Instant, Sleep};

use crate::{
    config::{Addressing, S3},
    outgoing::{self, Requests},
    trust,
};

/// Further tries of a request that the store could not serve at the moment.
const RETRIES: usize = 3;
/// In place of a status: the store said nothing.
const NO_ANSWER: u16 = 0;
/// The object that the start writes, so that a person who looks into the bucket knows whose it is.
const MARK: &str = "frontdesk.txt";
const MARK_TEXT: &str = "Frontdesk keeps the files of its conversations here.\n";

/// Opens the bucket and tries it. What only a person can put right, such as a wrong key, refuses the
/// start; a store that does not answer does not, since chat goes on without files.
pub(crate) async fn open(options: &S3) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let last_status = Arc::new(AtomicU16::new(NO_ANSWER));
    let bucket = connect(options, Arc::clone(&last_status))?;
    let store: Arc<dyn ObjectStore> = match options.prefix.trim_matches('/') {
        "" => Arc::new(bucket),
        prefix => Arc::new(PrefixStore::new(bucket, prefix)),
    };
    let text = Bytes::from_static(MARK_TEXT.as_bytes());
    match store.put(&ObjectPath::from(MARK), text.into()).await {
        Ok(_) => tracing::info!(bucket = options.bucket, "files are kept in a bucket"),
        Err(error) if is_passing(last_status.load(Ordering::Relaxed)) => tracing::error!(
            bucket = options.bucket,
            error = &error as &dyn std::error::Error,
            "the bucket does not answer; uploads and downloads are refused until it does"
        ),
        Err(error) => {
            let hint = hint(&error);
            return Err(error).with_context(|| {
                format!("the bucket {} of files.s3 does not take files: {hint}", options.bucket)
            });
        }
    }
    Ok(store)
}

/// Whether another try may succeed without anybody changing the configuration.
fn is_passing(status: u16) -> bool {
    matches!(status, NO_ANSWER | 408 | 429 | 500..)
}

/// Which keys of the configuration to look at.
fn hint(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotFound { .. } => "there is no such bucket (files.s3.bucket, endpoint)",
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
            "the store refuses these credentials (files.s3.access_key_id, secret_access_key)"
        }
        _ => "look at files.s3.region, endpoint and addressing",
    }
}

fn connect(options: &S3, last_status: Arc<AtomicU16>) -> anyhow::Result<AmazonS3> {
    let timeout = Duration::from_millis(options.timeout_ms);
    let mut builder = AmazonS3Builder::new()
        .with_region(&options.region)
        .with_bucket_name(&options.bucket)
        .with_access_key_id(&options.access_key_id)
        .with_secret_access_key(&options.secret_access_key.0)
        .with_allow_http(options.allow_http)
        .with_virtual_hosted_style_request(options.addressing == Addressing::Virtual)
        // One request a file: not every store knows how to delete many at once.
        .with_disable_bulk_delete(true)
        .with_retry(RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: RETRIES,
            retry_timeout: timeout,
        })
        .with_http_connector(Connector { client: client(options)?, timeout, last_status });
    if let Some(endpoint) = endpoint(options) {
        builder = builder.with_endpoint(endpoint);
    }
    builder.build().context("files.s3 describes no bucket")
}

/// The store's address, with the bucket's name in front of its host where it is told by that.
fn endpoint(options: &S3) -> Option<String> {
    let url = options.endpoint.trim_end_matches('/');
    let (scheme, host) = url.split_once("://")?;
    Some(match options.addressing {
        Addressing::Path => url.to_owned(),
        Addressing::Virtual => format!("{scheme}://{}.{host}", options.bucket),
    })
}

fn client(options: &S3) -> anyhow::Result<Requests<HttpRequestBody>> {
    let plain_only = options.allow_http && options.endpoint.starts_with("http://");
    let roots = if plain_only {
        RootCertStore::empty()
    } else {
        trust::roots(&trust::authorities(&options.ca_file, "files.s3.ca_file")?)?
    };
    outgoing::requests(roots, options.allow_http, Duration::from_millis(options.timeout_ms))
}

/// Gives object_store the client made here, whatever else it would like to have set.
#[derive(Debug, Clone)]
struct Connector {
    client: Requests<HttpRequestBody>,
    timeout: Duration,
    /// How the store answered last: the try at the start tells by it what kind of failure it met.
    last_status: Arc<AtomicU16>,
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.last_status.store(NO_ANSWER, Ordering::Relaxed);
        let answer = tokio::time::timeout(self.timeout, self.client.request(request)).await;
        let answer = answer.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?;
        let answer = answer.map_err(|error| {
            let kind = if error.is_connect() {
                HttpErrorKind::Connect
            } else {
                HttpErrorKind::Interrupted
            };
            HttpError::new(kind, error)
        })?;
        self.last_status.store(answer.status().as_u16(), Ordering::Relaxed);
        let timeout = self.timeout;
        Ok(answer.map(|body| HttpResponseBody::new(Patient::new(body, timeout))))
    }
}

/// An answer's body whose next bytes have to come in time.
struct Patient<B> {
    body: B,
    timeout: Duration,
    late: Pin<Box<Sleep>>,
}

impl<B> Patient<B> {
    fn new(body: B, timeout: Duration) -> Self {
        Self { body, timeout, late: Box::pin(tokio::time::sleep(timeout)) }
    }
}

impl<B> Body for Patient<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let next = Instant::now() + self.timeout;
            self.late.as_mut().reset(next);
            return Poll::Ready(frame.map(|frame| {
                frame.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))
            }));
        }
        ready!(self.late.as_mut().poll(context));
        let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
        Poll::Ready(Some(Err(HttpError::new(HttpErrorKind::Timeout, late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    fn options() -> S3 {
        S3 {
            endpoint: "https://s3.example:9000/".to_owned(),
            bucket: "desk".to_owned(),
            ..S3::default()
        }
    }

    #[test]
    fn the_bucket_is_named_in_the_path_or_in_front_of_the_host() {
        let mut options = options();
        assert_eq!(endpoint(&options).as_deref(), Some("https://s3.example:9000"));
        options.addressing = Addressing::Virtual;
        assert_eq!(endpoint(&options).as_deref(), Some("https://desk.s3.example:9000"));
        options.endpoint.clear();
        assert_eq!(endpoint(&options), None, "Amazon's own");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_coming_ends_with_an_error() {
        let began = Instant::now();
        let timeout = Duration::from_secs(30);
        let (sender, frames) = tokio::sync::mpsc::channel::<Bytes>(1);
        let frames = futures_util::stream::unfold(frames, |mut frames| async {
            let bytes = frames.recv().await?;
            Some((Ok::<_, Infallible>(Frame::data(bytes)), frames))
        });
        let mut body = Patient::new(StreamBody::new(Box::pin(frames)), timeout);
        sender.send(Bytes::from_static(b"a")).await.expect("open");
        let first = body.frame().await.expect("a frame").expect("bytes");
        assert_eq!(first.into_data().expect("data"), "a");
        let error = body.frame().await.expect("an end").expect_err("late");
        assert_eq!(error.kind(), HttpErrorKind::Timeout);
        assert_eq!(began.elapsed(), timeout);
    }
}
