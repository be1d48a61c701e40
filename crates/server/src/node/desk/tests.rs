//! The desk task of a node of a cluster, told by hand.

use frontdesk_catalog::Catalog;
use frontdesk_gateway::{
    chat::place,
    edge::{EdgeLoop, LoopHandle},
};

use super::*;

const PARTITIONS: u16 = 64;
const HERE: u8 = 1;
const ACCOUNT: AccountId = AccountId::from_bytes([3; 12]);
const CONVERSATION: ConversationId = ConversationId::from_bytes([4; 12]);

/// A desk task, and what it stands on.
struct Fixture {
    desk: DeskTask,
    _edge: EdgeLoop<Command>,
    _rows: mpsc::Receiver<Rows>,
    _dir: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let catalog = Catalog::open(&dir.path().join("catalog.db")).await.expect("a catalog");
        let projections = Projections::open(&dir.path().join("projections.db")).await;
        let (edge, handle): (_, LoopHandle<Command>) =
            EdgeLoop::open(frontdesk_gateway::edge::EdgeLimits::default()).expect("a loop");
        let (rows, kept_rows) = mpsc::channel(16);
        let bots = Bots::open(catalog.clone()).await.expect("there are none");
        let desk = DeskTask::new(DeskParts {
            catalog,
            loops: Arc::new(Loops::of_node(HERE, vec![handle], PARTITIONS)),
            epoch: 1,
            view: Arc::new(DeskView::new(1)),
            rows,
            projections: Arc::new(projections.expect("projections")),
            id_seed: 1,
            sorting: None,
            bots,
        });
        Self { desk, _edge: edge, _rows: kept_rows, _dir: dir }
    }

    /// Which node has the account's desk.
    fn desk_is_on(&self, node: u8) {
        let partition = place::account_partition(ACCOUNT, PARTITIONS);
        self.desk.loops.owners().set(partition, Some(place::loop_number(node, 0)));
    }

    async fn tell(&mut self, node: u8, online: bool) {
        let (account, conversation) = (ACCOUNT, CONVERSATION);
        self.desk.take(DeskInput::VisitorElsewhere { node, account, conversation, online }).await;
    }

    async fn is_online(&mut self) -> bool {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let conversation = CONVERSATION;
        self.desk.query(DeskQuery::VisitorOnline { conversation, reply }).await;
        answer.await.expect("an answer")
    }
}

#[tokio::test]
async fn what_is_configured_opens_no_desk_that_is_on_another_node() {
    let mut fixture = Fixture::new().await;
    fixture.desk_is_on(HERE + 1);
    fixture.desk.query(DeskQuery::Configuration { account: ACCOUNT }).await;
    assert!(fixture.desk.accounts.is_empty());
    fixture.desk_is_on(HERE);
    fixture.desk.query(DeskQuery::Configuration { account: ACCOUNT }).await;
    assert!(fixture.desk.accounts.contains_key(&ACCOUNT));
}

#[tokio::test]
async fn a_desk_that_comes_back_knows_of_nobody_who_left_meanwhile() {
    let mut fixture = Fixture::new().await;
    fixture.tell(2, true).await;
    assert!(fixture.is_online().await);
    let partitions = vec![place::account_partition(ACCOUNT, PARTITIONS)];
    fixture.desk.take(DeskInput::Close { partitions }).await;
    assert!(!fixture.is_online().await);
}

#[tokio::test]
async fn visitors_of_a_node_that_is_gone_are_offline() {
    let mut fixture = Fixture::new().await;
    fixture.tell(2, true).await;
    fixture.desk.take(DeskInput::NodeForgotten { node: 3 }).await;
    assert!(fixture.is_online().await);
    fixture.desk.take(DeskInput::NodeForgotten { node: 2 }).await;
    assert!(!fixture.is_online().await);
}

#[tokio::test]
async fn a_visitor_who_has_come_to_another_node_is_online_whatever_the_former_one_says_late() {
    let mut fixture = Fixture::new().await;
    fixture.tell(2, true).await;
    fixture.tell(3, true).await;
    fixture.tell(2, false).await;
    assert!(fixture.is_online().await);
    fixture.tell(3, false).await;
    assert!(!fixture.is_online().await);
}
