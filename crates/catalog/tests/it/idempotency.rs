//! Idempotency keys.

use frontdesk_catalog::{Idempotent, IdempotentRequest, KEPT_MS};

use crate::{Fixture, invalid};

#[tokio::test]
async fn a_repeat_gets_the_first_answer_for_a_day() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    let request = IdempotentRequest {
        account,
        principal: "user:1",
        route: "POST /x",
        key: "k",
        hash: [1; 32],
    };
    let done = Idempotent::Done { status: 201, body: b"{}".to_vec() };

    assert_eq!(catalog.begin_idempotent(request, 0).await.unwrap(), Idempotent::New);
    assert_eq!(catalog.begin_idempotent(request, 1).await.unwrap(), Idempotent::InProgress);
    catalog.finish_idempotent(request, 201, b"{}").await.unwrap();
    assert_eq!(catalog.begin_idempotent(request, KEPT_MS - 1).await.unwrap(), done);
    let other = IdempotentRequest { hash: [2; 32], ..request };
    assert_eq!(catalog.begin_idempotent(other, 2).await.unwrap(), Idempotent::OtherRequest);
    assert_eq!(catalog.begin_idempotent(request, KEPT_MS).await.unwrap(), Idempotent::New);
}

#[tokio::test]
async fn keys_of_others_never_meet() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let ours = fixture.account("ours").await.account;
    let theirs = fixture.account("theirs").await.account;
    let request =
        IdempotentRequest { account: ours, principal: "p", route: "r", key: "k", hash: [1; 32] };
    for other in [
        request,
        IdempotentRequest { account: theirs, ..request },
        IdempotentRequest { principal: "q", ..request },
        IdempotentRequest { route: "s", ..request },
    ] {
        assert_eq!(catalog.begin_idempotent(other, 0).await.unwrap(), Idempotent::New, "{other:?}");
    }
}

#[tokio::test]
async fn a_failed_or_lost_first_request_frees_the_key() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    let request =
        IdempotentRequest { account, principal: "p", route: "r", key: "k", hash: [1; 32] };
    assert_eq!(catalog.begin_idempotent(request, 0).await.unwrap(), Idempotent::New);
    catalog.abandon_idempotent(request).await.unwrap();
    assert_eq!(catalog.begin_idempotent(request, 1).await.unwrap(), Idempotent::New);
    assert_eq!(catalog.begin_idempotent(request, 60_001).await.unwrap(), Idempotent::New, "lost");
    catalog.finish_idempotent(request, 200, &vec![0; 1_000_000]).await.unwrap();
    assert_eq!(
        catalog.begin_idempotent(request, 60_002).await.unwrap(),
        Idempotent::New,
        "too large"
    );
    let empty = IdempotentRequest { key: "", ..request };
    invalid(catalog.begin_idempotent(empty, 0).await, "Idempotency-Key", "length");
}
