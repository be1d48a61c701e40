//! Files: quotas of uploads that begin at the same time, and changes that share a commit.

use frontdesk_catalog::{
    Catalog, Error, FileFacts, FileQuotas, FileUsage, NewFile, Reserve, Uploader, UploaderQuota,
    new_file_id,
};
use frontdesk_core::id::{AccountId, IdSource};

use crate::{Fixture, refused, unknown};

pub(crate) const PLENTY: FileUsage = FileUsage { files: 1_000, bytes: 1 << 40 };

pub(crate) fn of(files: u64, bytes: u64) -> FileUsage {
    FileUsage { files, bytes }
}

pub(crate) fn new_file(uploader: &str, reserve: Reserve, quotas: FileQuotas) -> NewFile {
    NewFile {
        id: new_file_id().unwrap(),
        conversation: None,
        uploader: Uploader { kind: "visitor".to_owned(), id: uploader.to_owned() },
        name: "a.txt".to_owned(),
        reserve,
        quotas,
    }
}

pub(crate) fn for_account(account: FileUsage) -> FileQuotas {
    FileQuotas { account, uploader: None }
}

pub(crate) fn for_visitor(ever: FileUsage, since: FileUsage, since_ms: i64) -> FileQuotas {
    FileQuotas { account: PLENTY, uploader: Some(UploaderQuota { ever, since, since_ms }) }
}

pub(crate) fn facts(size_bytes: u64) -> FileFacts {
    FileFacts {
        media_type: "text/plain".to_owned(),
        size_bytes,
        width: 0,
        height: 0,
        has_thumbnail: false,
    }
}

/// Begins uploads of 10 bytes of these visitors at the same time; says how many were let in.
async fn begin_all(
    catalog: &Catalog,
    account: AccountId,
    quotas: FileQuotas,
    who: &[&str],
) -> usize {
    let begun = who.iter().map(|uploader| {
        let (catalog, new) = (catalog.clone(), new_file(uploader, Reserve::Exactly(10), quotas));
        tokio::spawn(async move { catalog.begin_file(account, new).await })
    });
    let (begun, mut let_in): (Vec<_>, _) = (begun.collect(), 0);
    for task in begun {
        match task.await.unwrap() {
            Ok(begun) => {
                assert_eq!(begun.file.size_bytes, 10);
                let_in += 1;
            }
            Err(error) => assert!(matches!(error, Error::Quota { .. }), "{error:?}"),
        }
    }
    let_in
}

#[tokio::test]
async fn s15_uploads_that_begin_at_the_same_time_share_the_quotas() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    let by_files = for_visitor(of(4, 1_000), PLENTY, 0);
    assert_eq!(begin_all(catalog, account, by_files, &["a"; 20]).await, 4);
    let by_bytes = for_visitor(of(100, 39), PLENTY, 0);
    assert_eq!(begin_all(catalog, account, by_bytes, &["b"; 20]).await, 3);
    let a_day = for_visitor(PLENTY, of(2, 1_000), 0);
    assert_eq!(begin_all(catalog, account, a_day, &["c"; 20]).await, 2);
    assert_eq!(catalog.file_usage(account).await.unwrap(), of(9, 90));
    let of_all = for_account(of(15, 1_000));
    assert_eq!(begin_all(catalog, account, of_all, &["d", "e", "f", "g", "h"].repeat(4)).await, 6);
    assert_eq!(catalog.file_usage(account).await.unwrap(), of(15, 150));
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_those_beside_it_alone() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    let nobody = IdSource::new([1, 2, 3], 4, 5).next(1_000);
    let new = |bytes| new_file("a", Reserve::Exactly(bytes), for_account(of(10, 100)));
    let (first, last) = (new(60), new(40));
    let id = first.id.clone();
    // One thread polls them in this order, and the queue keeps it.
    let (first, stranger, large, finished, missing, last) = tokio::join!(
        catalog.begin_file(account, first),
        catalog.begin_file(nobody, new(1)),
        catalog.begin_file(account, new(41)),
        catalog.finish_file(account, &id, facts(60)),
        catalog.finish_file(account, "0123", facts(1)),
        catalog.begin_file(account, last),
    );
    assert_eq!(first.unwrap().file.size_bytes, 60);
    unknown(stranger);
    refused(large, "file.quota");
    assert_eq!(finished.unwrap().media_type, "text/plain");
    unknown(missing);
    assert_eq!(last.unwrap().file.size_bytes, 40);
    assert_eq!(catalog.file_usage(account).await.unwrap(), of(2, 100));
    assert_eq!(catalog.file(account, &id).await.unwrap().size_bytes, 60);
}

#[tokio::test]
async fn an_upload_of_unknown_size_gets_what_is_left_and_gives_back_what_it_did_not_need() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    let all = new_file("a", Reserve::UpTo(50), for_account(of(10, 120)));
    let begun = catalog.begin_file(account, all).await.unwrap();
    assert_eq!((begun.file.size_bytes, begun.bounded_by), (50, None));
    catalog.finish_file(account, &begun.file.id, facts(20)).await.unwrap();
    let narrow = FileQuotas { account: of(10, 120), ..for_visitor(of(10, 60), PLENTY, 0) };
    let rest = new_file("a", Reserve::UpTo(50), narrow);
    let begun = catalog.begin_file(account, rest.clone()).await.unwrap();
    assert_eq!((begun.file.size_bytes, begun.bounded_by), (40, Some("visitor")));
    let more = new_file("b", Reserve::UpTo(100), for_account(of(10, 120)));
    let begun = catalog.begin_file(account, more).await.unwrap();
    assert_eq!((begun.file.size_bytes, begun.bounded_by), (60, Some("account")));
    refused(catalog.begin_file(account, rest).await, "file.quota");
    catalog.delete_file(account, &begun.file.id).await.unwrap();
    assert_eq!(catalog.file_usage(account).await.unwrap(), of(2, 60));
}

#[tokio::test]
async fn files_of_former_days_count_for_all_and_not_for_the_day() {
    let fixture = Fixture::new().await;
    let catalog = &fixture.catalog;
    let account = fixture.account("acme").await.account;
    let first = new_file("a", Reserve::Exactly(60), for_visitor(PLENTY, PLENTY, 0));
    let first = catalog.begin_file(account, first).await.unwrap().file;
    let begin = async |ever, since, since_ms| {
        let quotas = for_visitor(of(10, ever), of(10, since), since_ms);
        catalog.begin_file(account, new_file("a", Reserve::Exactly(50), quotas)).await
    };
    refused(begin(1_000, 100, first.created_ms).await, "file.quota");
    refused(begin(100, 1_000, first.created_ms + 1).await, "file.quota");
    begin(110, 50, i64::MAX).await.unwrap();
}
