//! Cases for [`Directory`](crate::Directory).

use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

use crate::{Admission, Directory, NodeId, Quota};

/// A directory, and how time passes for it: a paused clock moved on, or a real wait.
pub struct Subject<D> {
    /// The directory under test, empty.
    pub directory: D,
    /// The time to live of what the cases keep. Where the wait is real, a case that is held up for a
    /// quarter of it fails.
    pub ttl: Duration,
    /// Lets time pass.
    pub elapse: fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Makes a test of every case; takes an expression for a [`Subject`], evaluated within the test: it may
/// await, and pause the clock. The crate that uses it needs tokio with `macros` and `rt`.
#[macro_export]
macro_rules! directory_suite {
    ($subject:expr) => {
        $crate::directory_suite!(@cases $subject,
            a_key_is_claimed_once, values_end_by_themselves, a_value_is_removed_once,
            users_are_located_where_announced, a_limit_allows_its_burst_and_then_its_rate,
            buckets_do_not_mix,
        );
    };
    (@cases $subject:expr, $($case:ident,)*) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::conformance::directory::$case($subject).await;
        })*
    };
}

/// The first claim wins until its time is over.
pub async fn a_key_is_claimed_once<D: Directory>(subject: Subject<D>) {
    let Subject { directory, ttl, elapse } = subject;
    let half = ttl / 2;
    assert!(directory.claim("a", ttl).await.expect("reachable"));
    assert!(!directory.claim("a", ttl).await.expect("reachable"));
    assert!(directory.claim("b", ttl).await.expect("reachable"));
    elapse(half).await;
    assert!(!directory.claim("a", ttl).await.expect("reachable"));
    elapse(ttl).await;
    assert!(directory.claim("a", ttl).await.expect("reachable"));
}

/// A value is there for its time; putting it again starts anew.
pub async fn values_end_by_themselves<D: Directory>(subject: Subject<D>) {
    let Subject { directory, ttl, elapse } = subject;
    let half = ttl / 2;
    let (one, two) = (Bytes::from_static(b"one"), Bytes::from_static(b"two"));
    directory.put("a", one.clone(), ttl).await.expect("reachable");
    directory.put("b", one.clone(), ttl).await.expect("reachable");
    elapse(half).await;
    directory.put("a", two.clone(), ttl).await.expect("reachable");
    assert_eq!(directory.get("b").await.expect("reachable"), Some(one));
    elapse(half + half / 2).await;
    assert_eq!(directory.get("a").await.expect("reachable"), Some(two));
    assert_eq!(directory.get("b").await.expect("reachable"), None);
    assert_eq!(directory.remove("b").await.expect("reachable"), None);
}

/// Only one caller gets what it removes.
pub async fn a_value_is_removed_once<D: Directory>(subject: Subject<D>) {
    let Subject { directory, ttl, .. } = subject;
    let value = Bytes::from_static(b"value");
    directory.put("a", value.clone(), ttl).await.expect("reachable");
    assert_eq!(directory.remove("a").await.expect("reachable"), Some(value));
    assert_eq!(directory.remove("a").await.expect("reachable"), None);
    assert_eq!(directory.get("a").await.expect("reachable"), None);
}

/// A user is on the nodes that announced and did not withdraw, for as long as they repeat it.
pub async fn users_are_located_where_announced<D: Directory>(subject: Subject<D>) {
    let Subject { directory, ttl, elapse } = subject;
    let half = ttl / 2;
    let [a, b] = ["node-a", "node-b"].map(NodeId::new);
    directory.announce("user", &b, ttl).await.expect("reachable");
    directory.announce("user", &a, ttl).await.expect("reachable");
    directory.announce("user", &a, ttl).await.expect("reachable");
    assert_eq!(directory.locate("user").await.expect("reachable"), [a.clone(), b.clone()]);
    assert!(directory.locate("other").await.expect("reachable").is_empty());
    elapse(half).await;
    directory.announce("user", &a, ttl).await.expect("reachable");
    elapse(half + half / 2).await;
    assert_eq!(directory.locate("user").await.expect("reachable"), std::slice::from_ref(&a));
    directory.withdraw("user", &a).await.expect("reachable");
    directory.withdraw("user", &a).await.expect("reachable");
    assert!(directory.locate("user").await.expect("reachable").is_empty());
}

/// Three at once, then one each half of the time to live.
fn quota(ttl: Duration) -> Quota {
    Quota { burst: NonZeroU32::new(3).expect("not zero"), interval: ttl / 2 }
}

/// The burst passes at once, then one each interval; what is refused is not counted.
pub async fn a_limit_allows_its_burst_and_then_its_rate<D: Directory>(subject: Subject<D>) {
    let Subject { directory, ttl, elapse } = subject;
    let quota = quota(ttl);
    for _ in 0..3 {
        let admission = directory.admit("a", quota).await.expect("reachable");
        assert_eq!(admission, Admission::Admitted);
    }
    for _ in 0..3 {
        let admission = directory.admit("a", quota).await.expect("reachable");
        let Admission::Refused { retry_after } = admission else { panic!("over the burst") };
        assert!(retry_after <= quota.interval && !retry_after.is_zero(), "{retry_after:?}");
    }
    elapse(quota.interval).await;
    assert_eq!(directory.admit("a", quota).await.expect("reachable"), Admission::Admitted);
    let admission = directory.admit("a", quota).await.expect("reachable");
    assert!(matches!(admission, Admission::Refused { .. }));
}

/// A bucket used up leaves the others alone.
pub async fn buckets_do_not_mix<D: Directory>(subject: Subject<D>) {
    let Subject { directory, ttl, .. } = subject;
    let quota = quota(ttl);
    while directory.admit("a", quota).await.expect("reachable") == Admission::Admitted {}
    assert_eq!(directory.admit("b", quota).await.expect("reachable"), Admission::Admitted);
}
