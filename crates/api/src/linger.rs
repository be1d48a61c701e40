//! Reads, for a while, what a client still sends when its request is answered already.
//!
//! Many answers are known before a body has arrived: too large, no room, no right. If the connection
//! ended there with bytes unread, TCP would reset it, and a client still sending would lose the answer
//! and see a broken network instead of a reason. So a body that a handler drops early is read on and
//! thrown away, within [`LINGER_BYTES_MAX`] and [`LINGER_MS`]; beyond these the connection goes.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use frontdesk_core::limits::{LINGER_BYTES_MAX, LINGER_MS};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;

/// Puts the body of a request under care.
pub(crate) fn keep(request: Request) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    request.map(|body| Body::new(Lingering(Some(body))))
}

/// A body that is read on when it is dropped before its end.
struct Lingering(Option<Body>);

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else { return };
        // Without a runtime there is no connection either: the process is ending.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async {
            // At its end the connection is of use again, or it goes with the rest of the body.
            drop(tokio::time::timeout(Duration::from_millis(LINGER_MS), discard(body)).await);
        });
    }
}

async fn discard(mut body: Body) {
    let mut left = LINGER_BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(bytes) else { return };
        left = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures_util::{StreamExt as _, stream};

    use super::*;

    /// A body of `chunks` pieces of 1 MiB that counts what was taken of it.
    fn counted(chunks: usize) -> (Request, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let pieces = stream::iter(0..chunks).map(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(Bytes::from(vec![0; 1 << 20]))
        });
        (keep(Request::new(Body::from_stream(pieces))), taken)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_dropped_early_is_read_to_its_end() {
        let (request, taken) = counted(20);
        drop(request);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(taken.load(Ordering::SeqCst), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn reading_on_has_an_end_in_bytes_and_in_time() {
        let (request, taken) = counted(1_000);
        drop(request);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(taken.load(Ordering::SeqCst), (LINGER_BYTES_MAX >> 20) + 1);

        let held = Arc::new(());
        let witness = Arc::clone(&held);
        let never = stream::pending::<Result<Bytes, std::io::Error>>().inspect(move |_| {
            let _ = &witness;
        });
        drop(keep(Request::new(Body::from_stream(never))));
        tokio::time::sleep(Duration::from_millis(LINGER_MS - 1)).await;
        assert_eq!(Arc::strong_count(&held), 2, "a slow client has time");
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(Arc::strong_count(&held), 1, "and no more than that");
    }

    #[tokio::test]
    async fn a_body_that_was_read_is_left_alone() {
        let (request, taken) = counted(3);
        let bytes = request.into_body().collect().await.expect("a body").to_bytes();
        assert_eq!((bytes.len(), taken.load(Ordering::SeqCst)), (3 << 20, 3));
    }
}
