//! A history on two shards: databases of a test's own, on the servers all share or on some of its own; who owns a
//! partition, and how the partitions lie.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use frontdesk_core::partition_of;
use frontdesk_core::secret::Secret128;
use frontdesk_storage::conformance::history::{PARTITIONS, batches, conversation, log, write};
use frontdesk_storage::{Batch, History, HistoryError};
use frontdesk_storage_cluster::{MySqlHistory, MySqlOptions};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::services::{OwnServices, services, value};

/// A deadline that no call reaches while its shard is there, on a machine that does many other things too.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Databases for one history.
pub(crate) struct Databases {
    pub(crate) urls: Vec<String>,
    epoch: AtomicU64,
    shared: bool,
}

impl Databases {
    /// Two new ones on the servers that all tests share.
    pub(crate) fn shared() -> Self {
        static URLS: OnceLock<Vec<String>> = OnceLock::new();
        let urls = URLS.get_or_init(|| {
            services(&["start", "mysql"], None);
            mysql_urls(&services(&["env"], None))
        });
        let name = format!("frontdesk_{}", &Secret128::random().reveal()[..20].replace('-', "_"));
        let urls: Vec<_> = urls
            .iter()
            .map(|url| {
                execute(url, &[&format!("CREATE DATABASE `{name}` CHARACTER SET latin1")]);
                format!("{}/{name}", url.strip_suffix("/frontdesk").expect("a database"))
            })
            .collect();
        Self { urls, epoch: AtomicU64::new(0), shared: true }
    }

    /// One that is named twice.
    pub(crate) fn shared_one() -> Self {
        let mut databases = Self::shared();
        let other = databases.urls.pop().expect("two");
        drop_database(&other);
        databases.urls.push(databases.urls[0].clone());
        databases
    }

    /// Those of servers of a test's own.
    pub(crate) fn of(servers: &OwnServices) -> Self {
        Self { urls: mysql_urls(&servers.env()), epoch: AtomicU64::new(0), shared: false }
    }

    /// That of one server of a test's own, named twice.
    pub(crate) fn of_one(servers: &OwnServices) -> Self {
        let mut databases = Self::of(servers);
        let [first, second] = &mut databases.urls[..] else { panic!("two") };
        second.clone_from(first);
        databases
    }

    pub(crate) fn options(&self) -> MySqlOptions {
        MySqlOptions { timeout: TIMEOUT, ..MySqlOptions::new(self.urls.clone(), PARTITIONS) }
    }

    pub(crate) fn open(&self) -> MySqlHistory {
        MySqlHistory::open(&self.options()).expect("the shards are there")
    }

    /// Opens the history and takes every partition.
    pub(crate) fn open_and_own(&self) -> MySqlHistory {
        let history = self.open();
        let all: Vec<_> = (0..PARTITIONS).collect();
        history.own(&all, self.next_epoch()).expect("a higher epoch than before");
        history
    }

    pub(crate) fn next_epoch(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        if self.shared {
            self.urls.dedup();
            self.urls.iter().for_each(|url| drop_database(url));
        }
    }
}

fn drop_database(url: &str) {
    let name = url.rsplit('/').next().expect("a name");
    execute(url, &[&format!("DROP DATABASE `{name}`")]);
}

pub(crate) fn mysql_urls(env: &str) -> Vec<String> {
    value(env, "FRONTDESK_MYSQL=").split(',').map(str::to_owned).collect()
}

/// A connection of the test's own, and what runs it.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    connection: MySqlConnection,
}

impl Client {
    pub(crate) fn connect(url: &str) -> Self {
        Self::with(&url.parse().expect("an address"))
    }

    /// As the one who may change settings of the server.
    pub(crate) fn root(servers: &OwnServices, name: &str) -> Self {
        let socket = servers.directory().join(name).join("data/socket");
        Self::with(&MySqlConnectOptions::new().socket(socket).username("root"))
    }

    fn with(options: &MySqlConnectOptions) -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().expect("a runtime");
        let connection = runtime.block_on(options.connect()).expect("it runs");
        Self { runtime, connection }
    }

    pub(crate) fn execute(&mut self, statement: &str) {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        self.runtime.block_on(statement.execute(&mut self.connection)).expect("a statement");
    }

    /// The first value of the first row.
    pub(crate) fn number(&mut self, query: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
        self.runtime.block_on(query.fetch_one(&mut self.connection)).expect("a number")
    }
}

pub(crate) fn execute(url: &str, statements: &[&str]) {
    let mut client = Client::connect(url);
    for statement in statements {
        client.execute(statement);
    }
}

/// The conversation with the lowest number that lies on a shard: partitions are dealt out in turn.
pub(crate) fn conversation_on(shard: u16) -> u32 {
    (1..1000).find(|number| log(*number) % 2 == shard).expect("one of them")
}

/// The next entry of a conversation, as a batch.
pub(crate) fn next(number: u32, seq: u64) -> Batch {
    batches(seq, vec![write(number, seq..=seq)]).remove(0)
}

#[test]
fn partitions_lie_evenly_on_the_shards() {
    let databases = Databases::shared();
    let history = databases.open_and_own();
    for number in 1..=100 {
        // Two of them may lie in one partition: each comes behind the one before.
        let batch = batches(u64::from(number), vec![write(number, 1..=1)]).remove(0);
        history.apply(&batch).expect("it is there");
    }
    for (shard, url) in (0..).zip(&databases.urls) {
        let mut client = Client::connect(url);
        assert_eq!(client.number("SELECT COUNT(*) FROM progress"), i64::from(PARTITIONS / 2));
        let here = (1..=100_u32)
            .filter(|number| partition_of(&conversation(*number), PARTITIONS) % 2 == shard)
            .count();
        assert!(here > 20, "{here} of 100");
        for table in ["conversations", "entries"] {
            let rows = client.number(&format!("SELECT COUNT(*) FROM {table}"));
            assert_eq!(rows, here as i64, "{table}");
        }
    }
}

#[test]
fn a_stale_owner_is_fenced() {
    let databases = Databases::shared();
    let [former, newer] = [databases.open(), databases.open()];
    let fenced = |result: Result<(), HistoryError>| {
        let error = result.expect_err("not the owner");
        assert!(matches!(error, HistoryError::Fenced { log: of } if of == log(1)), "{error}");
    };
    // Nobody is the owner.
    fenced(former.apply(&next(1, 1)));

    former.own(&[log(1), log(2)], 5).expect("the first owner");
    former.apply(&next(1, 1)).expect("the owner");
    fenced(newer.own(&[log(1)], 5));
    fenced(newer.own(&[log(1)], 4));
    former.apply(&next(1, 2)).expect("still the owner");

    newer.own(&[log(1)], 6).expect("a higher epoch");
    fenced(former.apply(&next(1, 3)));
    assert_eq!(newer.applied(log(1)).expect("readable"), 2);
    newer.apply(&next(1, 3)).expect("the owner");
    fenced(former.apply(&next(1, 4)));
    // Its other partitions are its own.
    former.apply(&next(2, 1)).expect("still the owner");

    let page = newer.page(&conversation(1), None, 10).expect("readable");
    assert_eq!(page.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 2, 3]);
}

/// Of many partitions none is taken, if one may not be.
#[test]
fn partitions_of_a_shard_are_taken_together() {
    let databases = Databases::shared();
    let [former, newer] = [databases.open(), databases.open()];
    let on_one_shard: Vec<u16> = (0..PARTITIONS).step_by(2).collect();
    former.own(&on_one_shard, 1).expect("the first owner");
    former.own(&[on_one_shard[100]], 9).expect("a higher epoch");
    let error = newer.own(&on_one_shard, 5).expect_err("one has a higher epoch");
    assert!(matches!(error, HistoryError::Fenced { .. }), "{error}");
    let mut first = Client::connect(&databases.urls[0]);
    assert_eq!(first.number("SELECT CAST(SUM(epoch) AS SIGNED) FROM progress"), 149 + 9);
}

/// An apply that was not answered was carried out: the owner hears of it, and nothing is written twice.
#[test]
fn an_owner_that_was_overtaken_by_itself_asks_and_goes_on() {
    let databases = Databases::shared();
    let history = databases.open_and_own();
    history.apply(&next(1, 1)).expect("the owner");
    let shard = usize::from(log(1) % 2);
    let late = format!("UPDATE progress SET applied = 2 WHERE log = {}", log(1));
    execute(&databases.urls[shard], &[&late]);

    // The same batch again changes nothing; one that begins before is refused.
    history.apply(&next(1, 2)).expect("it is there already");
    let later = format!("UPDATE progress SET applied = 3 WHERE log = {}", log(1));
    execute(&databases.urls[shard], &[&later]);
    let error = history.apply(&next(1, 4)).expect_err("it was not folded from there");
    assert!(matches!(error, HistoryError::Overtaken { applied: 3, .. }), "{error}");
    assert_eq!(history.applied(log(1)).expect("readable"), 3);
    history.apply(&next(1, 4)).expect("it goes on from there");
}

/// A node that follows a partition of another one gets each change, the newest state of each conversation, and never a
/// part of a batch.
#[test]
fn what_changed_in_a_partition_is_read_by_offset() {
    let databases = Databases::shared();
    let [owner, follower] = [databases.open_and_own(), databases.open()];
    let partition = log(1);
    let numbers: Vec<u32> =
        (1..100_000).filter(|number| log(*number) == partition).take(40).collect();
    let batch = |offset, numbers: &[u32], seq| {
        let changes = numbers.iter().map(|number| write(*number, seq..=seq)).collect();
        batches(offset, changes).remove(0)
    };
    assert_eq!(follower.changed_since(partition, 0, 10).expect("readable"), []);
    owner.apply(&batch(10, &numbers[..30], 1)).expect("the owner");
    owner.apply(&batch(20, &numbers[30..], 1)).expect("the owner");
    owner.apply(&batch(25, &numbers[..5], 2)).expect("the owner");

    // All of a batch, however little is asked for.
    let page = follower.changed_since(partition, 0, 7).expect("readable");
    let changed: Vec<_> = page.iter().map(|row| (row.conversation, row.offset)).collect();
    let mut expected: Vec<_> =
        numbers[5..30].iter().map(|number| (conversation(*number), 10)).collect();
    expected.sort_unstable();
    assert_eq!(changed, expected);
    let page = follower.changed_since(partition, 10, 100).expect("readable");
    assert_eq!(
        page.iter().map(|row| row.offset).collect::<Vec<_>>(),
        [[20; 10].as_slice(), &[25; 5]].concat()
    );
    for row in &page[10..] {
        assert_eq!(Some(&row.state), owner.state(&row.conversation).expect("readable").as_ref());
    }
    assert_eq!(follower.applied(partition).expect("readable"), 25);
    assert_eq!(follower.changed_since(partition, 25, 100).expect("readable"), []);
    // Other partitions have changes of their own.
    assert_eq!(follower.changed_since((partition + 1) % PARTITIONS, 0, 100).expect("readable"), []);
}

/// More rows and bytes than one statement takes, values of every length, and a state that is larger than a
/// statement otherwise is.
#[test]
fn a_large_batch_is_applied_whole() {
    let databases = Databases::shared();
    let history = databases.open_and_own();
    let mut change = write(1, 1..=3000);
    change.state = vec![7; 3 << 20].into();
    change.events = (1..=700).map(|number| (number, vec![number as u8; 100].into())).collect();
    for batch in batches(1, vec![change.clone()]) {
        history.apply(&batch).expect("the owner");
    }
    let page = history.page(&conversation(1), None, 5000).expect("readable");
    let written: Vec<_> =
        change.entries.iter().map(|entry| (entry.seq, entry.entry.clone())).collect();
    assert_eq!(page, written);
    assert_eq!(history.state(&conversation(1)).expect("readable"), Some(change.state));
    assert_eq!(history.events(&conversation(1), 0, 1000).expect("readable"), change.events);
}

/// The database, not only the fold, refuses a message that is there already; and then the whole batch.
#[test]
fn a_message_cannot_be_stored_twice() {
    let databases = Databases::shared();
    let history = databases.open_and_own();
    history.apply(&next(1, 1)).expect("the owner");
    let mut again = write(1, 2..=3);
    let mut entry = frontdesk_storage::EntryWrite::clone(&again.entries[1]);
    entry.client_msg_id = write(1, 1..=1).entries[0].client_msg_id.clone();
    again.entries[1] = entry.into();
    let error = history.apply(&batches(3, vec![again]).remove(0)).expect_err("it is there");
    assert!(matches!(error, HistoryError::Engine { .. }), "{error}");
    assert_eq!(history.applied(log(1)).expect("readable"), 1);
    assert_eq!(history.page(&conversation(1), None, 10).expect("readable").len(), 1);
}

/// The databases of these tests are latin1; no character set and no collation touches what is stored.
#[test]
fn bytes_of_any_value_come_back_and_names_are_compared_as_bytes() {
    let databases = Databases::shared();
    let history = databases.open_and_own();
    let all: bytes::Bytes = (0..=255).collect();
    let names = ["a", "A", "a ", "\u{e4}", "a\u{308}", "客"];
    let mut change = write(1, 1..=names.len() as u64);
    change.state = all.clone();
    change.events = vec![(1, all.clone())];
    for (entry, name) in change.entries.iter_mut().zip(names) {
        let of_all = frontdesk_storage::EntryWrite {
            sender: name.to_owned(),
            client_msg_id: all.slice(..16),
            content_hash: u64::MAX - entry.seq,
            entry: all.clone(),
            seq: entry.seq,
        };
        *entry = of_all.into();
    }
    history.apply(&batches(1, vec![change]).remove(0)).expect("six senders");

    assert_eq!(history.state(&conversation(1)).expect("readable"), Some(all.clone()));
    assert_eq!(history.events(&conversation(1), 0, 9).expect("readable"), [(1, all.clone())]);
    let page = history.page(&conversation(1), None, 9).expect("readable");
    assert!(page.len() == names.len() && page.iter().all(|(_, entry)| *entry == all));
    for (seq, name) in (1..).zip(names) {
        let sent = history.find(&conversation(1), name, &all[..16]).expect("readable");
        let sent = sent.map(|sent| (sent.seq, sent.content_hash));
        assert_eq!(sent, Some((seq, u64::MAX - seq)), "{name}");
    }
    let shorter = history.find(&conversation(1), "a", &all[..15]).expect("readable");
    assert_eq!(shorter, None);
}
