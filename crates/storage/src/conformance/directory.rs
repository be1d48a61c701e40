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
    /// Lets time pass.
    pub elapse: fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Makes a test of every case; takes an expression for a [`Subject`]. The crate that uses it needs
/// tokio with `macros`, `rt` and `test-util`.
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
        $(#[tokio::test(start_paused = true)]
        async fn $case() {
            $crate::conformance::directory::$case($subject).await;
        })*
    };
}

const TTL: Duration = Duration::from_secs(2);
const HALF: Duration = Duration::from_secs(1);

/// The first claim wins until its time is over.
pub async fn a_key_is_claimed_once<D: Directory>(subject: Subject<D>) {
    let Subject { directory, elapse } = subject;
    assert!(directory.claim("a", TTL).await.expect("reachable"));
    assert!(!directory.claim("a", TTL).await.expect("reachable"));
    assert!(directory.claim("b", TTL).await.expect("reachable"));
    elapse(HALF).await;
    assert!(!directory.claim("a", TTL).await.expect("reachable"));
    elapse(TTL).await;
    assert!(directory.claim("a", TTL).await.expect("reachable"));
}

/// A value is there for its time; putting it again starts anew.
pub async fn values_end_by_themselves<D: Directory>(subject: Subject<D>) {
    let Subject { directory, elapse } = subject;
    let (one, two) = (Bytes::from_static(b"one"), Bytes::from_static(b"two"));
    directory.put("a", one.clone(), TTL).await.expect("reachable");
    directory.put("b", one.clone(), TTL).await.expect("reachable");
    elapse(HALF).await;
    directory.put("a", two.clone(), TTL).await.expect("reachable");
    assert_eq!(directory.get("b").await.expect("reachable"), Some(one));
    elapse(HALF + HALF / 2).await;
    assert_eq!(directory.get("a").await.expect("reachable"), Some(two));
    assert_eq!(directory.get("b").await.expect("reachable"), None);
    assert_eq!(directory.remove("b").await.expect("reachable"), None);
}

/// Only one caller gets what it removes.
pub async fn a_value_is_removed_once<D: Directory>(subject: Subject<D>) {
    let Subject { directory, .. } = subject;
    let value = Bytes::from_static(b"value");
    directory.put("a", value.clone(), TTL).await.expect("reachable");
    assert_eq!(directory.remove("a").await.expect("reachable"), Some(value));
    assert_eq!(directory.remove("a").await.expect("reachable"), None);
    assert_eq!(directory.get("a").await.expect("reachable"), None);
}

/// A user is on the nodes that announced and did not withdraw, for as long as they repeat it.
pub async fn users_are_located_where_announced<D: Directory>(subject: Subject<D>) {
    let Subject { directory, elapse } = subject;
    let [a, b] = ["node-a", "node-b"].map(NodeId::new);
    directory.announce("user", &b, TTL).await.expect("reachable");
    directory.announce("user", &a, TTL).await.expect("reachable");
    directory.announce("user", &a, TTL).await.expect("reachable");
    assert_eq!(directory.locate("user").await.expect("reachable"), [a.clone(), b.clone()]);
    assert!(directory.locate("other").await.expect("reachable").is_empty());
    elapse(HALF).await;
    directory.announce("user", &a, TTL).await.expect("reachable");
    elapse(HALF + HALF / 2).await;
    assert_eq!(directory.locate("user").await.expect("reachable"), std::slice::from_ref(&a));
    directory.withdraw("user", &a).await.expect("reachable");
    directory.withdraw("user", &a).await.expect("reachable");
    assert!(directory.locate("user").await.expect("reachable").is_empty());
}

fn quota() -> Quota {
    let number = |n| NonZeroU32::new(n).expect("not zero");
    Quota::per_second(number(2), number(3))
}

/// The burst passes at once, then one each interval; what is refused is not counted.
pub async fn a_limit_allows_its_burst_and_then_its_rate<D: Directory>(subject: Subject<D>) {
    let Subject { directory, elapse } = subject;
    for _ in 0..3 {
        let admission = directory.admit("a", quota()).await.expect("reachable");
        assert_eq!(admission, Admission::Admitted);
    }
    for _ in 0..3 {
        let admission = directory.admit("a", quota()).await.expect("reachable");
        let Admission::Refused { retry_after } = admission else { panic!("over the burst") };
        assert!(retry_after <= quota().interval && !retry_after.is_zero(), "{retry_after:?}");
    }
    elapse(quota().interval).await;
    assert_eq!(directory.admit("a", quota()).await.expect("reachable"), Admission::Admitted);
    let admission = directory.admit("a", quota()).await.expect("reachable");
    assert!(matches!(admission, Admission::Refused { .. }));
}

/// A bucket used up leaves the others alone.
pub async fn buckets_do_not_mix<D: Directory>(subject: Subject<D>) {
    let Subject { directory, .. } = subject;
    while directory.admit("a", quota()).await.expect("reachable") == Admission::Admitted {}
    assert_eq!(directory.admit("b", quota()).await.expect("reachable"), Admission::Admitted);
}
