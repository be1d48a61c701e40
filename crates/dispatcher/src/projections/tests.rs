//! Projections over real files in temporary directories.

use std::collections::BTreeMap;
use std::path::Path;

use frontdesk_catalog::{Catalog, ContactAuthor, ContactChange, ContactFact, NewAccount, Password};
use frontdesk_core::chat::{self, SessionStatus};
use frontdesk_core::id::{
    AccountId, ContactId, ConversationId, IdSource, InboxId, TeamId, UserId, VisitorId,
};
use frontdesk_core::rights::{Right, Rights};
use frontdesk_core::store;
use tempfile::TempDir;

use super::*;

/// An installation with two accounts and a summary for every case a test needs.
struct Fixture {
    projections: Projections,
    dir: TempDir,
    ids: IdSource,
    account: AccountId,
    inbox: InboxId,
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let projections = Projections::open(&file(dir.path())).await.unwrap();
        let mut ids = IdSource::new([1, 2, 3], 4, 5);
        let (account, inbox) = (ids.next(0), ids.next(0));
        Self { projections, dir, ids, account, inbox }
    }

    /// A catalog beside the projections, whose account this one is from now on.
    async fn catalog(&mut self) -> Catalog {
        let catalog = Catalog::open(&self.dir.path().join("catalog.db")).await.unwrap();
        let account = NewAccount {
            name: "acme".to_owned(),
            language: "en".to_owned(),
            demo: false,
            owner_email: "owner@acme.example".to_owned(),
            owner_name: "Owner".to_owned(),
            owner_password: Password::new("correct horse battery"),
            origins: Vec::new(),
        };
        let created = catalog.create_account_with_admin(account).await.unwrap();
        (self.account, self.inbox) = (created.account, created.inbox);
        catalog
    }

    /// A queued conversation of this account, its newest entry from the visitor at `last_at_ms`.
    fn summary(&mut self, last_at_ms: i64) -> Summary {
        let conversation: ConversationId = self.ids.next(1_000);
        let visitor: VisitorId = self.ids.next(1_000);
        let text = chat::Text { body: format!("hello at {last_at_ms}") };
        let content = chat::Content {
            kind: Some(chat::content::Kind::Text(text)),
            quote_seq: 0,
            ..Default::default()
        };
        Summary {
            last_owner: None,
            recent: frontdesk_core::fold::Recent::default(),
            conversation,
            origin: store::Origin {
                account: self.account.to_string(),
                inbox: self.inbox.to_string(),
                visitor: visitor.to_string(),
                language: "zh-CN".to_owned(),
                page_url: "https://shop.example/cart".to_owned(),
                secret_hash: vec![7; 32].into(),
                ..store::Origin::default()
            },
            session: Some(chat::Session {
                id: visitor.to_string(),
                number: 1,
                status: SessionStatus::Queued.into(),
                waiting_since_ms: last_at_ms,
                ..chat::Session::default()
            }),
            last: Some(chat::Entry {
                seq: 3,
                actor: Some(actor(&visitor.to_string())),
                at_ms: last_at_ms,
                body: Some(chat::entry::Body::Content(content)),
                ..chat::Entry::default()
            }),
            last_seq: 3,
            visible_entries: 2,
            cursors: Vec::new(),
            mentioned: Vec::new(),
            created_at_ms: 1_000,
            last_at_ms,
            log: 0,
            offset: 1,
        }
    }

    async fn write(&self, summaries: &[Summary]) {
        self.projections.write(summaries, &[]).await.unwrap();
    }

    fn reader(&self, user: UserId, rights: Rights, teams: &[TeamId]) -> Reader {
        Reader { account: self.account, user: Some(user), rights, teams: teams.to_vec() }
    }

    fn admin(&self) -> Reader {
        Reader { account: self.account, user: None, rights: Rights::all(), teams: Vec::new() }
    }

    /// The closed conversations a reader sees, page by page, of two rows each.
    async fn closed(&self, reader: &Reader) -> Vec<ConversationRow> {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = self.projections.closed(reader, after, 2).await.unwrap();
            assert!(page.next.is_none() || page.rows.len() == 2, "a page is full, or the last");
            seen.extend(page.rows);
            let Some(next) = page.next else { return seen };
            after = Some(next.to_string().parse().unwrap());
        }
    }

    /// Of these, what a reader may open.
    async fn readable(&self, reader: &Reader, of: &[&Summary]) -> Vec<ConversationId> {
        let mut found = Vec::new();
        for summary in of {
            let read = self.projections.conversation(reader, summary.conversation).await;
            found.extend(read.ok().map(|row| row.conversation));
        }
        found
    }
}

fn file(dir: &Path) -> std::path::PathBuf {
    dir.join("projections.db")
}

fn actor(id: &str) -> chat::Actor {
    chat::Actor { id: id.to_owned(), ..chat::Actor::default() }
}

fn by(at_ms: i64) -> ContactAuthor {
    ContactAuthor { id: "agent".to_owned(), name: "Lin".to_owned(), at_ms }
}

fn assigned(mut summary: Summary, owner: UserId) -> Summary {
    let session = summary.session.as_mut().unwrap();
    session.status = SessionStatus::Assigned.into();
    session.owner = Some(person(owner));
    summary
}

fn person(id: UserId) -> chat::Participant {
    chat::Participant { id: id.to_string(), ..chat::Participant::default() }
}

fn in_team(mut summary: Summary, team: TeamId) -> Summary {
    summary.session.as_mut().unwrap().team = team.to_string();
    summary
}

fn closed(mut summary: Summary) -> Summary {
    summary.session.as_mut().unwrap().status = SessionStatus::Closed.into();
    summary
}

#[tokio::test]
async fn rows_and_offsets_are_written_together_and_found_after_reopening() {
    let mut fixture = Fixture::new().await;
    let summary = fixture.summary(5_000);
    let projections = &fixture.projections;
    assert_eq!(projections.applied(3).await.unwrap(), 0);
    projections.write(std::slice::from_ref(&summary), &[(3, 17), (4, 1)]).await.unwrap();
    projections.write(&[], &[(3, 18)]).await.unwrap();
    projections.database().close().await;

    let again = Projections::open(&file(fixture.dir.path())).await.unwrap();
    assert_eq!((again.applied(3).await.unwrap(), again.applied(4).await.unwrap()), (18, 1));
    assert_eq!(again.applied_of_all().await.unwrap(), BTreeMap::from([(3, 18), (4, 1)]));
    let row = again.conversation(&fixture.admin(), summary.conversation).await.unwrap();
    assert_eq!((row.session, row.last), (summary.session, summary.last));
    assert_eq!((row.last_seq, row.visible_entries, row.last_at_ms), (3, 2, 5_000));
    assert_eq!((row.inbox, row.language.as_str()), (fixture.inbox, "zh-CN"));
    assert_eq!(row.page_url, "https://shop.example/cart");
    again.forget_logs().await.unwrap();
    assert_eq!(again.applied(3).await.unwrap(), 0);
}

#[tokio::test]
async fn writing_a_summary_twice_changes_nothing_and_the_newest_counts() {
    let mut fixture = Fixture::new().await;
    let old = fixture.summary(1_000);
    let user = fixture.ids.next(0);
    let mut new = assigned(old.clone(), user);
    new.last_at_ms = 2_000;
    fixture.write(&[old.clone(), new.clone()]).await;
    let first = fixture.projections.conversation(&fixture.admin(), old.conversation).await.unwrap();
    fixture.write(&[old.clone(), new]).await;
    let second =
        fixture.projections.conversation(&fixture.admin(), old.conversation).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(first.last_at_ms, 2_000);
    let mut rows = Vec::new();
    fixture.projections.live_conversations(&mut |row| rows.push(row)).await.unwrap();
    assert_eq!(rows, [second]);
}

#[tokio::test]
async fn a_long_text_is_cut_to_a_preview_at_a_character() {
    let mut fixture = Fixture::new().await;
    let mut summary = fixture.summary(1_000);
    let text = chat::Text { body: "长".repeat(20_000) };
    let content = chat::Content {
        kind: Some(chat::content::Kind::Text(text)),
        quote_seq: 0,
        ..Default::default()
    };
    summary.last.as_mut().unwrap().body = Some(chat::entry::Body::Content(content));
    fixture.write(std::slice::from_ref(&summary)).await;
    let row = fixture.projections.conversation(&fixture.admin(), summary.conversation).await;
    let Some(chat::entry::Body::Content(content)) = row.unwrap().last.unwrap().body else {
        panic!("the entry is a content");
    };
    let expected = chat::Text { body: format!("{}…", "长".repeat(200)) };
    assert_eq!(content.kind, Some(chat::content::Kind::Text(expected)));
}

#[tokio::test]
async fn a_row_tells_who_has_not_read_it() {
    let mut fixture = Fixture::new().await;
    let mut summary = fixture.summary(1_000);
    let cursor = |id: &str, read_seq| chat::Cursor {
        actor: Some(actor(id)),
        read_seq,
        ..chat::Cursor::default()
    };
    summary.cursors = vec![cursor("behind", 2), cursor("there", 3)];
    fixture.write(std::slice::from_ref(&summary)).await;
    let row =
        fixture.projections.conversation(&fixture.admin(), summary.conversation).await.unwrap();
    for (who, unread) in [
        ("behind", true),
        ("there", false),
        ("never", true),
        (summary.origin.visitor.as_str(), false),
    ] {
        assert_eq!(row.is_unread_for(who), unread, "{who}");
    }
}

#[tokio::test]
async fn s10_each_reader_sees_what_its_rights_allow() {
    let mut fixture = Fixture::new().await;
    let (me, other): (UserId, UserId) = (fixture.ids.next(0), fixture.ids.next(0));
    let (mine, foreign): (TeamId, TeamId) = (fixture.ids.next(0), fixture.ids.next(0));
    let common = fixture.summary(100);
    let queued = in_team(fixture.summary(200), mine);
    let queued_elsewhere = in_team(fixture.summary(300), foreign);
    let owned = in_team(assigned(fixture.summary(400), me), foreign);
    let of_colleague = in_team(assigned(fixture.summary(500), other), mine);
    let of_stranger = in_team(assigned(fixture.summary(600), other), foreign);
    let mut joined = in_team(assigned(fixture.summary(700), other), foreign);
    joined.session.as_mut().unwrap().participants.push(person(me));
    let ended = in_team(closed(assigned(fixture.summary(800), me)), mine);
    let mut bare = fixture.summary(50);
    bare.session = None;
    let all = [
        &bare,
        &common,
        &queued,
        &queued_elsewhere,
        &owned,
        &of_colleague,
        &of_stranger,
        &joined,
        &ended,
    ];
    fixture.write(&all.map(Clone::clone)).await;

    let (agent, supervisor) = (Rights::agent(), Rights::supervisor());
    let cases: [(&str, Rights, Vec<&Summary>); 5] = [
        ("agent", agent, vec![&common, &queued, &owned, &joined, &ended]),
        ("supervisor", supervisor, vec![&common, &queued, &owned, &of_colleague, &joined, &ended]),
        ("admin", Rights::admin(), all.to_vec()),
        ("nothing", Rights::none(), vec![]),
        ("settings only", Rights::none().with(Right::SettingsUsers), vec![]),
    ];
    for (name, rights, expected) in cases {
        let reader = fixture.reader(me, rights, &[mine]);
        let expected: Vec<_> = expected.iter().map(|s| s.conversation).collect();
        assert_eq!(fixture.readable(&reader, &all).await, expected, "{name}");
    }
}

/// A reader's closed conversations are those that it may open, newest first, each once, however they come
/// together; and they are counted so.
#[tokio::test]
async fn s10_closed_ones_are_listed_and_counted_as_rights_allow() {
    let mut fixture = Fixture::new().await;
    let (me, other): (UserId, UserId) = (fixture.ids.next(0), fixture.ids.next(0));
    let (mine, foreign): (TeamId, TeamId) = (fixture.ids.next(0), fixture.ids.next(0));
    let mut summaries = Vec::new();
    for number in 0..60 {
        let owner = if number % 3 == 0 { me } else { other };
        // Some at the same moment.
        let summary = assigned(fixture.summary(1_000 + number / 4), owner);
        let summary = match number % 5 {
            0 | 1 => in_team(summary, mine),
            2 | 3 => in_team(summary, foreign),
            _ => summary,
        };
        summaries.push(if number % 7 == 6 { summary } else { closed(summary) });
    }
    let mut elsewhere = closed(assigned(fixture.summary(2_000), me));
    elsewhere.origin.account = fixture.ids.next::<AccountId>(0).to_string();
    fixture.write(&summaries).await;
    fixture.write(&[elsewhere]).await;
    let readers = [
        fixture.admin(),
        fixture.reader(me, Rights::admin(), &[mine]),
        fixture.reader(me, Rights::supervisor(), &[mine]),
        fixture.reader(me, Rights::supervisor(), &[mine, foreign]),
        fixture.reader(me, Rights::agent(), &[mine]),
        fixture.reader(other, Rights::agent(), &[]),
        fixture.reader(me, Rights::none(), &[mine]),
    ];
    for round in 0..3 {
        for reader in &readers {
            let mut expected: Vec<(i64, ConversationId)> = Vec::new();
            for summary in &summaries {
                let row = fixture.projections.conversation(reader, summary.conversation).await;
                let is_closed = |row: &ConversationRow| {
                    row.session.as_ref().unwrap().status() == SessionStatus::Closed
                };
                expected.extend(
                    row.ok().filter(is_closed).map(|row| (row.last_at_ms, row.conversation)),
                );
            }
            expected.sort_unstable_by(|a, b| b.cmp(a));
            let seen = fixture.closed(reader).await;
            let seen: Vec<_> = seen.iter().map(|row| (row.last_at_ms, row.conversation)).collect();
            assert_eq!(seen, expected, "round {round}, {reader:?}");
            let count = fixture.projections.count_closed(reader).await.unwrap();
            assert_eq!(count, seen.len() as u64, "round {round}, {reader:?}");
        }
        // Some open again, some go to another team or owner, some are closed later than before.
        for (number, summary) in summaries.iter_mut().enumerate() {
            let was = summary.clone();
            *summary = match number % 6 {
                0 => in_team(was, if round == 0 { foreign } else { mine }),
                1 => closed(assigned(was, if round == 0 { me } else { other })),
                2 => assigned(was, me),
                3 => Summary { last_at_ms: was.last_at_ms + 7, ..was },
                _ => closed(was),
            };
        }
        fixture.write(&summaries).await;
    }
    fixture.projections.wipe().await.unwrap();
    assert_eq!(fixture.projections.count_closed(&fixture.admin()).await.unwrap(), 0);
}

#[tokio::test]
async fn s11_another_account_sees_nothing() {
    let mut fixture = Fixture::new().await;
    let (me, team): (UserId, TeamId) = (fixture.ids.next(0), fixture.ids.next(0));
    let summary = closed(in_team(assigned(fixture.summary(100), me), team));
    fixture.write(std::slice::from_ref(&summary)).await;
    let visitor: VisitorId = summary.origin.visitor.parse().unwrap();
    let contact = ContactId::from_bytes(*visitor.as_bytes());
    let projections = &fixture.projections;

    let mut ids = IdSource::new([9, 9, 9], 9, 9);
    let other: AccountId = ids.next(0);
    let reader =
        Reader { account: other, user: Some(me), rights: Rights::all(), teams: vec![team] };
    for rights in [Rights::all(), Rights::supervisor(), Rights::agent()] {
        let reader = Reader { rights, ..reader.clone() };
        assert_eq!(fixture.closed(&reader).await, []);
        assert_eq!(projections.count_closed(&reader).await.unwrap(), 0);
    }
    assert_eq!(projections.conversations_of(&reader, visitor).await.unwrap(), []);
    for code in [
        projections.conversation(&reader, summary.conversation).await.unwrap_err().code(),
        projections.visitor(other, visitor).await.unwrap_err().code(),
        projections.set_attributes(other, visitor, &BTreeMap::new()).await.unwrap_err().code(),
        projections.contact(other, contact).await.unwrap_err().code(),
    ] {
        assert_eq!(code, "not_found");
    }
}

#[tokio::test]
async fn an_older_file_gets_its_closed_conversations_counted_and_in_order() {
    let mut fixture = Fixture::new().await;
    let (me, team): (UserId, TeamId) = (fixture.ids.next(0), fixture.ids.next(0));
    let summaries: Vec<_> = (0..20)
        .map(|number| {
            let summary = in_team(assigned(fixture.summary(1_000 + number), me), team);
            if number % 4 == 0 { summary } else { closed(summary) }
        })
        .collect();
    fixture.write(&summaries).await;
    let readers = [fixture.admin(), fixture.reader(me, Rights::agent(), &[])];
    let mut before = Vec::new();
    for reader in &readers {
        before.push((fixture.closed(reader).await, 15));
    }
    // As it was before the fifth step.
    for statement in [
        "DELETE FROM _sqlx_migrations WHERE version = 5",
        "DROP TABLE closed_counts",
        "DROP INDEX people_by_close",
        "ALTER TABLE people DROP COLUMN closed_at_ms",
        "DROP INDEX conversations_live",
        "CREATE INDEX conversations_by_mention ON conversations (id) WHERE mentioned <> ''",
    ] {
        let mut write = fixture.projections.begin("undo a step").await.unwrap();
        sqlx::query(statement).execute(&mut *write).await.unwrap();
        write.commit().await.unwrap();
    }
    fixture.projections.database().close().await;
    fixture.projections = Projections::open(&file(fixture.dir.path())).await.unwrap();
    for (reader, expected) in readers.iter().zip(before) {
        let count = fixture.projections.count_closed(reader).await.unwrap();
        assert_eq!((fixture.closed(reader).await, count), expected, "{reader:?}");
    }
}

#[tokio::test]
async fn a_page_has_its_bounds_and_a_cursor_its_form() {
    let mut fixture = Fixture::new().await;
    let summaries: Vec<_> = (0..103).map(|n| closed(fixture.summary(1_000 + n / 5))).collect();
    fixture.write(&summaries).await;
    for (limit, rows) in [(0, 1), (1, 1), (4, 4), (100, 100), (u16::MAX, 100)] {
        let page = fixture.projections.closed(&fixture.admin(), None, limit).await.unwrap();
        assert_eq!(page.rows.len(), rows, "{limit}");
    }
    for bad in ["", "1", "x-y", "1-' OR 1=1", "-"] {
        assert_eq!(bad.parse::<PageCursor>().unwrap_err().code(), "invalid", "{bad}");
    }
}

#[tokio::test]
async fn an_owner_who_hands_over_no_longer_has_it() {
    let mut fixture = Fixture::new().await;
    let (me, other): (UserId, UserId) = (fixture.ids.next(0), fixture.ids.next(0));
    let summary = assigned(fixture.summary(100), me);
    fixture.write(std::slice::from_ref(&summary)).await;
    let reader = fixture.reader(me, Rights::agent(), &[]);
    assert_eq!(fixture.readable(&reader, &[&summary]).await, [summary.conversation]);
    fixture.write(&[assigned(summary.clone(), other)]).await;
    assert_eq!(fixture.readable(&reader, &[&summary]).await, []);
}

#[tokio::test]
async fn a_wipe_and_a_rebuild_bring_the_same_rows_and_keep_what_people_wrote() {
    let mut fixture = Fixture::new().await;
    let catalog = fixture.catalog().await;
    let summaries: Vec<_> = (0..3).map(|n| closed(fixture.summary(n))).collect();
    let visitor: VisitorId = summaries[0].origin.visitor.parse().unwrap();
    let projections = &fixture.projections;
    projections.write(&summaries, &[(0, 9)]).await.unwrap();
    let contact = projections.visitor(fixture.account, visitor).await.unwrap().contact;
    let change = ContactChange {
        name: Some(" 李雷 ".to_owned()),
        email: Some("li@example.com".to_owned()),
        ..ContactChange::default()
    };
    catalog.update_contact_of(fixture.account, visitor, &change, &by(5)).await.unwrap();
    projections.copy_contacts(&catalog).await.unwrap();
    let attributes = BTreeMap::from([("plan".to_owned(), "gold".to_owned())]);
    projections.set_attributes(fixture.account, visitor, &attributes).await.unwrap();
    let reader = fixture.admin();
    let before = projections.closed(&reader, None, 10).await.unwrap();
    assert_eq!(before.rows[2].contact_name, "李雷");

    projections.wipe().await.unwrap();
    assert_eq!(projections.applied(0).await.unwrap(), 0);
    assert_eq!(projections.closed(&reader, None, 10).await.unwrap().rows, []);
    projections.write(&summaries, &[(0, 9)]).await.unwrap();

    assert_eq!(projections.closed(&reader, None, 10).await.unwrap(), before);
    let kept = projections.visitor(fixture.account, visitor).await.unwrap();
    assert_eq!((kept.attributes, kept.secret_hash), (attributes, vec![7; 32]));
    let contact = projections.contact(fixture.account, contact).await.unwrap();
    assert_eq!((contact.email.as_str(), contact.visitors), ("li@example.com", vec![visitor]));
}

#[tokio::test]
async fn a_start_reads_every_open_session_of_all_accounts_once() {
    let mut fixture = Fixture::new().await;
    let mut summaries: Vec<_> = (0..1_203).map(|n| fixture.summary(n)).collect();
    summaries[7] = closed(summaries[7].clone());
    summaries[8].session = None;
    summaries[9].origin.account = fixture.ids.next::<AccountId>(0).to_string();
    fixture.write(&summaries).await;
    let mut found = Vec::new();
    fixture.projections.live_conversations(&mut |row| found.push(row.conversation)).await.unwrap();
    assert_eq!(found.len(), 1_201);
    found.dedup();
    assert_eq!(found.len(), 1_201);
}

#[tokio::test]
async fn first_answers_are_those_of_the_inbox_and_of_late() {
    let mut fixture = Fixture::new().await;
    let mut answered = |last_at_ms: i64, wait_ms: i64| {
        let mut summary = fixture.summary(last_at_ms);
        let session = summary.session.as_mut().expect("it has a session");
        session.opened_at_ms = 1_000;
        session.first_answer_at_ms = if wait_ms == 0 { 0 } else { 1_000 + wait_ms };
        summary
    };
    let old = answered(5_000, 111);
    let unanswered = answered(20_000, 0);
    let mut elsewhere = answered(20_000, 222);
    let recent = [answered(20_000, 3_000), answered(30_000, 4_000)];
    let other_inbox: InboxId = fixture.ids.next(0);
    elsewhere.origin.inbox = other_inbox.to_string();
    fixture.write(&[old, unanswered, elsewhere]).await;
    fixture.write(&recent).await;
    let waits = |account, inbox| fixture.projections.first_answers(account, inbox, 10_000);
    let mut found = waits(fixture.account, fixture.inbox).await.unwrap();
    found.sort_unstable();
    assert_eq!(found, [3_000, 4_000]);
    assert_eq!(waits(fixture.account, other_inbox).await.unwrap(), [222]);
    let other_account = AccountId::from_bytes([9; 12]);
    assert_eq!(waits(other_account, fixture.inbox).await.unwrap(), Vec::<i64>::new());
}

#[tokio::test]
async fn two_visitors_who_are_one_person_have_one_contact_and_two_streams() {
    let mut fixture = Fixture::new().await;
    let catalog = fixture.catalog().await;
    let (phone, laptop) = (fixture.summary(1_000), fixture.summary(2_000));
    let both = [phone.clone(), laptop.clone()];
    fixture.write(&both).await;
    let visitor = |summary: &Summary| summary.origin.visitor.parse::<VisitorId>().unwrap();
    let (projections, account) = (&fixture.projections, fixture.account);
    let said = ContactChange {
        name: Some("Lin".to_owned()),
        phone: Some("138 0013 8000".to_owned()),
        ..ContactChange::default()
    };
    catalog.update_contact_of(account, visitor(&phone), &said, &by(1)).await.unwrap();
    let known = ContactChange { name: Some("Li Na".to_owned()), ..ContactChange::default() };
    catalog.update_contact_of(account, visitor(&laptop), &known, &by(2)).await.unwrap();
    let author = by(3);
    let merge = async || {
        let (phone, laptop) = (visitor(&phone), visitor(&laptop));
        catalog.merge_contacts(account, phone, laptop, &author).await.unwrap();
        projections.copy_contacts(&catalog).await.unwrap();
        projections.contact_of(account, phone).await.unwrap()
    };
    let merged = merge().await;
    assert_eq!((merged.name.as_str(), merged.phone.as_str()), ("Li Na", "138 0013 8000"));
    assert_eq!(merged.visitors, [visitor(&phone), visitor(&laptop)]);
    assert_eq!(merged.conversations, [phone.conversation, laptop.conversation]);
    assert_eq!(merge().await, merged, "once is enough");
    // What the log says next changes nothing about it.
    fixture.write(std::slice::from_ref(&phone)).await;
    projections.wipe().await.unwrap();
    fixture.write(&both).await;
    let found = projections.contact_of(account, visitor(&phone)).await.unwrap();
    assert_eq!(found, merged);

    // Of a file that is gone only the history is needed, whichever comes first.
    for contacts_first in [true, false] {
        let again = fixture.dir.path().join(format!("again-{contacts_first}.db"));
        let again = Projections::open(&again).await.unwrap();
        if contacts_first {
            again.copy_contacts(&catalog).await.unwrap();
        }
        again.write(&both, &[]).await.unwrap();
        again.copy_contacts(&catalog).await.unwrap();
        assert_eq!(again.contact_of(account, visitor(&phone)).await.unwrap(), merged);
        let names = again.names_of(&[visitor(&phone), visitor(&laptop)]).await.unwrap();
        assert!(names.iter().all(|(_, name)| name == "Li Na") && names.len() == 2, "{names:?}");
        for one in &both {
            let row = again.conversation(&fixture.admin(), one.conversation).await.unwrap();
            assert_eq!(row.contact, merged.id);
        }
    }
}

#[tokio::test]
async fn a_copy_that_missed_changes_gets_them_with_the_next() {
    let mut fixture = Fixture::new().await;
    let catalog = fixture.catalog().await;
    let (projections, account) = (&fixture.projections, fixture.account);
    let visitors: Vec<VisitorId> = (0..2_100).map(|_| fixture.ids.next(0)).collect();
    let name = |text: &str| ContactChange { name: Some(text.to_owned()), ..Default::default() };
    for visitor in &visitors[..2] {
        catalog.update_contact_of(account, *visitor, &name("first"), &by(1)).await.unwrap();
    }
    projections.copy_contacts(&catalog).await.unwrap();
    // A process that died in between wrote the catalog only.
    catalog.update_contact_of(account, visitors[1], &name("second"), &by(2)).await.unwrap();
    let more = visitors[2..].iter().map(|visitor| {
        let contact = frontdesk_catalog::Contact {
            id: ContactId::from_bytes(*visitor.as_bytes()),
            name: "second".to_owned(),
            email: String::new(),
            phone: String::new(),
            note: String::new(),
            changed: by(2),
        };
        (account, ContactFact::Known(contact))
    });
    catalog.take_over_contacts(&more.collect::<Vec<_>>()).await.unwrap();
    projections.copy_contacts(&catalog).await.unwrap();
    let mut names = projections.names_of(&visitors).await.unwrap();
    names.sort_unstable();
    let mut expected: Vec<_> = visitors.iter().map(|id| (*id, "second".to_owned())).collect();
    expected[0].1 = "first".to_owned();
    expected.sort_unstable();
    assert_eq!(names, expected);

    // An older catalog out of a backup knows less, and counts on from there.
    projections.begin_contacts(&catalog).await.unwrap();
    assert_eq!(projections.names_of(&visitors).await.unwrap().len(), visitors.len());
    let kept = std::mem::replace(&mut fixture.dir, tempfile::tempdir().unwrap());
    let catalog = fixture.catalog().await;
    let older = &fixture;
    older.projections.begin_contacts(&catalog).await.unwrap();
    assert_eq!(older.projections.names_of(&visitors).await.unwrap(), []);
    catalog.update_contact_of(older.account, visitors[0], &name("third"), &by(3)).await.unwrap();
    older.projections.copy_contacts(&catalog).await.unwrap();
    let names = older.projections.names_of(&visitors).await.unwrap();
    assert_eq!(names, [(visitors[0], "third".to_owned())]);
    drop(kept);
}

#[tokio::test]
async fn what_was_written_before_the_catalog_owned_contacts_goes_there_once() {
    let mut fixture = Fixture::new().await;
    let catalog = fixture.catalog().await;
    let (phone, laptop) = (fixture.summary(1_000), fixture.summary(2_000));
    let visitor = |summary: &Summary| summary.origin.visitor.parse::<VisitorId>().unwrap();
    fixture.write(&[phone.clone(), laptop.clone()]).await;
    let (projections, account) = (&fixture.projections, fixture.account);
    // As the file was written before.
    let mut write = projections.begin("write").await.unwrap();
    for (id, account) in [
        (laptop.origin.visitor.as_str(), account.to_string()),
        ("0123456789abcdefghig", AccountId::from_bytes([9; 12]).to_string()),
    ] {
        sqlx::query(
            "INSERT INTO contacts (id, account, name, email, phone, note, updated_ms, updated_by, \
             updated_by_name) VALUES (?, ?, 'Li Na', '', '', 'prefers mail', 7, 'u', 'Mei')",
        )
        .bind(id)
        .bind(account)
        .execute(&mut *write)
        .await
        .unwrap();
    }
    sqlx::query("UPDATE visitors SET contact = ? WHERE id = ?")
        .bind(&laptop.origin.visitor)
        .bind(&phone.origin.visitor)
        .execute(&mut *write)
        .await
        .unwrap();
    write.commit().await.unwrap();

    projections.begin_contacts(&catalog).await.unwrap();
    let found = projections.contact_of(account, visitor(&phone)).await.unwrap();
    assert_eq!((found.name.as_str(), found.note.as_str()), ("Li Na", "prefers mail"));
    assert_eq!(found.changed.map(|by| (by.name, by.at_ms)), Some(("Mei".to_owned(), 7)));
    assert_eq!(found.visitors, [visitor(&phone), visitor(&laptop)]);
    // Again, it gives nothing back that was changed meanwhile.
    let change = ContactChange { note: Some(String::new()), ..ContactChange::default() };
    catalog.update_contact_of(account, visitor(&phone), &change, &by(8)).await.unwrap();
    projections.begin_contacts(&catalog).await.unwrap();
    let found = projections.contact_of(account, visitor(&laptop)).await.unwrap();
    assert_eq!((found.name.as_str(), found.note.as_str()), ("Li Na", ""));
}
