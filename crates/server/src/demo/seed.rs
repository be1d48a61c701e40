//! Plays scenes into the message log: proposals with times of the past, exactly as the loops would have
//! appended them, and files in the store. The start of the node folds them.

use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use frontdesk_api::{
    files::Files,
    token::{ServerKey, VisitorToken},
};
use frontdesk_catalog::Uploader;
use frontdesk_core::{
    chat::{self, Actor, ActorKind, Audience, CloseReason},
    id::{ConversationId, IdSource, MessageId, SessionId, VisitorId},
    store::{self, change::Change, proposal::Body},
};

use frontdesk_intent::{Context, Decision, SmartRouter};

use super::{
    Back, Name, Played, Stage, long,
    people::{Cast, participant},
    pictures,
    scenes::{self, End, Line, Scene, State, When},
};
use crate::node;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

pub(super) const SITE: &str = "https://spruce-tea.example";
pub(super) const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
    (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
pub(super) const DESKTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36";

/// Plays everything.
pub(super) async fn first(stage: &Stage<'_>, now_ms: i64) -> anyhow::Result<(Played, Vec<Name>)> {
    let mut all = scenes::closed()?;
    all.extend(scenes::open()?);
    Player::new(stage, now_ms, 0).await?.play(&all).await
}

/// Ends what was left open long ago and plays the open scenes again, with other people; the long
/// conversation stays as it is.
pub(super) async fn again(
    stage: &Stage<'_>,
    played: &Played,
    now_ms: i64,
) -> anyhow::Result<(Played, Vec<Name>)> {
    let mut player = Player::new(stage, now_ms, played.round + 1).await?;
    for conversation in &played.open {
        let conversation = conversation.parse().context("a conversation of the demo")?;
        player.end(conversation, played.at_ms + 20 * MINUTE_MS);
    }
    let open: Vec<Scene> = scenes::open()?.into_iter().filter(|scene| scene.before == 0).collect();
    player.play(&open).await
}

/// Puts together what goes into the log.
pub(super) struct Player<'a> {
    stage: &'a Stage<'a>,
    pub(super) cast: Cast,
    files: Files,
    key: ServerKey,
    ids: IdSource,
    pub(super) now_ms: i64,
    round: u32,
    sent: u64,
    names: Vec<Name>,
    /// Reads what visitors write, as it would have been read then; none where nobody does.
    router: Option<Arc<SmartRouter>>,
    proposals: Vec<(ConversationId, store::Proposal)>,
}

/// A scene on its way into the log.
pub(super) struct Act<'a> {
    pub(super) scene: &'a Scene,
    pub(super) conversation: ConversationId,
    token: VisitorToken,
    pub(super) visitor: Actor,
    owner: Option<Actor>,
    created: bool,
}

impl<'a> Player<'a> {
    pub(super) async fn new(stage: &'a Stage<'a>, now_ms: i64, round: u32) -> anyhow::Result<Self> {
        Ok(Self {
            stage,
            cast: Cast::find(stage.catalog).await?,
            files: node::open_files(stage.config, stage.data_dir, stage.catalog).await?,
            key: ServerKey::new(stage.data_dir.server_key),
            ids: node::id_source(u16::MAX - 2),
            now_ms,
            round,
            sent: 0,
            names: Vec::new(),
            router: node::intents::open(&stage.config.intent)?,
            proposals: Vec::new(),
        })
    }

    async fn play(mut self, scenes: &[Scene]) -> anyhow::Result<(Played, Vec<Name>)> {
        let mut played = Played { at_ms: self.now_ms, round: self.round, ..Played::default() };
        let bar = self.stage.progress.begin("seeding the demo", scenes.len() as u64);
        for (done, scene) in scenes.iter().enumerate() {
            let act = self.scene(scene).await?;
            if !matches!(scene.state, State::Closed(..)) && scene.before == 0 {
                played.open.push(act.conversation.to_string());
            }
            if !scene.returns.is_empty() {
                played.returning.push(Back {
                    token: act.token.sign(&self.key),
                    language: scene.language.tag().to_owned(),
                    text: scene.returns.to_owned(),
                });
            }
            self.note_name(&act);
            bar.set(done as u64 + 1);
        }
        Ok((played, self.append()?))
    }

    /// What the visitor is called is not in the log, but noted by the node that starts.
    pub(super) fn note_name(&mut self, act: &Act<'_>) {
        self.names.push(Name {
            account: self.cast.account,
            visitor: act.token.visitor,
            text: act.visitor.name.clone(),
        });
    }

    /// Appends everything to the log; returns the names of the visitors.
    pub(super) fn append(self) -> anyhow::Result<Vec<Name>> {
        node::append(self.stage.config, self.stage.data_dir, &self.proposals)?;
        Ok(self.names)
    }

    /// Somebody who writes for the first time.
    pub(super) fn act<'s>(&mut self, scene: &'s Scene, first_ms: i64) -> anyhow::Result<Act<'s>> {
        let name = scene.names[self.round as usize % scene.names.len()];
        let (conversation, visitor): (ConversationId, VisitorId) =
            (self.ids.next(first_ms), self.ids.next(first_ms));
        let token = VisitorToken::issue(
            self.cast.account,
            self.cast.inbox(scene.team),
            visitor,
            conversation,
        );
        let owner = scene.owner().map(|who| {
            let name = who.name();
            self.cast.agent(name).with_context(|| format!("{name} is not there any more"))
        });
        Ok(Act {
            scene,
            conversation,
            token,
            visitor: Actor {
                kind: ActorKind::Visitor.into(),
                id: visitor.to_string(),
                name: name.to_owned(),
            },
            owner: owner.transpose()?,
            created: false,
        })
    }

    async fn scene<'s>(&mut self, scene: &'s Scene) -> anyhow::Result<Act<'s>> {
        let times = times(scene, self.now_ms);
        let first_ms = times.first().copied().unwrap_or(self.now_ms);
        let mut act = self.act(scene, first_ms)?;
        self.before(&mut act);
        let mut assigned = false;
        // What the visitor wrote until somebody answered, or it was clear what it is about.
        let mut unsorted = Some(String::new());
        for (line, at_ms) in scene.lines.iter().zip(&times) {
            self.line(&mut act, line, *at_ms).await?;
            match line {
                Line::Visitor(text) => {
                    if let Some(said) = &mut unsorted {
                        said.push_str(text);
                        said.push('\n');
                        if self.sort(&act, said, *at_ms + 2 * SECOND_MS).await {
                            unsorted = None;
                        }
                    }
                }
                Line::Owner(_) => unsorted = None,
                _ => {}
            }
            if !assigned && let Some(owner) = act.owner.clone() {
                self.assign(&act, &owner, *at_ms + 3 * SECOND_MS);
                assigned = true;
            }
            if matches!(line, Line::Owner(_)) {
                self.all_read(&act, *at_ms);
            }
        }
        let last_ms = times.last().copied().unwrap_or(self.now_ms);
        self.finish(&act, last_ms);
        Ok(act)
    }

    /// Finds out what the visitor wants; false without an opinion.
    pub(super) async fn sort(&mut self, act: &Act<'_>, said: &str, at_ms: i64) -> bool {
        let Some(router) = &self.router else { return false };
        let Decision { intent, confidence, why, .. } =
            router.analyze(said, Context::default()).await;
        let Some(intent) = intent else { return false };
        let set = node::intents::intent_set(intent, confidence, &why);
        let system = Actor { kind: ActorKind::System.into(), ..Actor::default() };
        self.change(act, &system, at_ms, Change::IntentSet(set));
        true
    }

    /// The days before the lines of the scene.
    fn before(&mut self, act: &mut Act<'_>) {
        let Some(owner) = act.owner.clone().filter(|_| act.scene.before > 0) else { return };
        for day in long::days(act.scene.before) {
            let mut last_ms = 0;
            for (number, (before_ms, said)) in day.messages.into_iter().enumerate() {
                last_ms = self.now_ms - before_ms;
                let (actor, text) = match said {
                    long::Said::Visitor(text) => (act.visitor.clone(), text),
                    long::Said::Owner(text) => (owner.clone(), text),
                };
                self.send(act, actor, last_ms, text_content(text), Audience::Everyone);
                if number == 0 {
                    self.assign(act, &owner, last_ms + 3 * SECOND_MS);
                }
            }
            self.close(act, &owner, CloseReason::Agent, last_ms + 2 * MINUTE_MS);
        }
    }

    async fn line(&mut self, act: &mut Act<'_>, line: &Line, at_ms: i64) -> anyhow::Result<()> {
        let owner = act.owner.clone().unwrap_or_default();
        match line {
            Line::Visitor(text) => {
                let visitor = act.visitor.clone();
                self.send(
                    act,
                    visitor,
                    at_ms,
                    text_content((*text).to_owned()),
                    Audience::Everyone,
                );
            }
            Line::Owner(text) => {
                self.send(act, owner, at_ms, text_content((*text).to_owned()), Audience::Everyone);
            }
            Line::Note(text) => {
                self.send(act, owner, at_ms, text_content((*text).to_owned()), Audience::Team);
            }
            Line::Picture(name) => {
                let picture =
                    pictures::draw(name).with_context(|| format!("nobody draws {name}"))?;
                let uploader = Uploader { kind: "visitor".to_owned(), id: act.visitor.id.clone() };
                let file = self
                    .files
                    .keep(self.cast.account, act.conversation, uploader, name, Bytes::from(picture))
                    .await
                    .context("cannot store a picture of the demo")?;
                let content = chat::Content {
                    kind: Some(chat::content::Kind::File(file)),
                    ..chat::Content::default()
                };
                let visitor = act.visitor.clone();
                self.send(act, visitor, at_ms, content, Audience::Everyone);
            }
        }
        Ok(())
    }

    /// What follows the lines: labels, the end, the rating, who has read it.
    fn finish(&mut self, act: &Act<'_>, last_ms: i64) {
        let scene = act.scene;
        let owner = act.owner.clone().unwrap_or_default();
        if !scene.labels.is_empty() {
            let labels = scene.labels.iter().map(|label| (*label).to_owned()).collect();
            self.change(act, &owner, last_ms, Change::LabelsSet(chat::LabelsSet { labels }));
        }
        if matches!(scene.lines.last(), Some(Line::Owner(_) | Line::Note(_))) {
            self.read(act, act.visitor.clone(), last_ms);
        }
        match scene.state {
            State::Queued => {}
            State::Assigned(_) => {
                if scene.read {
                    self.all_read(act, last_ms);
                }
            }
            State::Pending(_) => {
                self.all_read(act, last_ms);
                let until_ms = self.now_ms + DAY_MS;
                self.change(
                    act,
                    &owner,
                    last_ms + MINUTE_MS,
                    Change::Pended(chat::Pended { until_ms }),
                );
            }
            State::Closed(_, end) => {
                let system = Actor { kind: ActorKind::System.into(), ..Actor::default() };
                let at_ms = last_ms + closing_ms(end);
                match end {
                    End::Owner => self.close(act, &owner, CloseReason::Agent, at_ms),
                    End::Visitor => {
                        let visitor = act.visitor.clone();
                        self.close(act, &visitor, CloseReason::Visitor, at_ms);
                    }
                    End::Idle => self.close(act, &system, CloseReason::Idle, at_ms),
                }
                if scene.rating > 0 {
                    let visitor = act.visitor.clone();
                    let rated =
                        chat::Rated { rating: scene.rating, comment: scene.comment.to_owned() };
                    self.change(act, &visitor, at_ms + 25 * SECOND_MS, Change::Rated(rated));
                }
                self.all_read(act, at_ms + MINUTE_MS);
            }
        }
    }

    /// Ends an open session of an earlier round, wherever it stands now.
    fn end(&mut self, conversation: ConversationId, at_ms: i64) {
        let Some(by) = self.cast.agent("mei").or_else(|| self.cast.agent("admin")) else { return };
        // Nobody closes what nobody has.
        let owner = Some(participant(&by));
        for change in [
            Change::Assigned(chat::Assigned {
                owner,
                take_over: true,
                ..chat::Assigned::default()
            }),
            Change::Closed(chat::Closed { reason: CloseReason::Agent.into() }),
        ] {
            let change = self.changed(at_ms, change);
            self.propose(conversation, by.clone(), at_ms, Body::Change(change));
        }
    }

    fn assign(&mut self, act: &Act<'_>, owner: &Actor, at_ms: i64) {
        let system = Actor { kind: ActorKind::System.into(), ..Actor::default() };
        let assigned =
            chat::Assigned { owner: Some(participant(owner)), ..chat::Assigned::default() };
        // In the after-sales inbox agents take; in the shop's the router assigns.
        let by = match act.scene.team {
            scenes::TeamName::Sales => system,
            scenes::TeamName::Support => owner.clone(),
        };
        self.change(act, &by, at_ms, Change::Assigned(assigned));
    }

    fn close(&mut self, act: &Act<'_>, by: &Actor, reason: CloseReason, at_ms: i64) {
        self.change(act, by, at_ms, Change::Closed(chat::Closed { reason: reason.into() }));
    }

    pub(super) fn change(&mut self, act: &Act<'_>, by: &Actor, at_ms: i64, change: Change) {
        let change = self.changed(at_ms, change);
        self.propose(act.conversation, by.clone(), at_ms, Body::Change(change));
    }

    fn changed(&mut self, at_ms: i64, change: Change) -> store::Change {
        let entry: MessageId = self.ids.next(at_ms);
        let cause = if matches!(change, Change::Assigned(_) | Change::IntentSet(_)) {
            chat::Cause::Rule
        } else {
            chat::Cause::Manual
        };
        store::Change {
            cause: cause.into(),
            entry_id: Bytes::copy_from_slice(entry.as_bytes()),
            overrides_owner: true,
            change: Some(change),
            ..store::Change::default()
        }
    }

    /// Everybody of the team has seen it so far: only what came since is new to anybody.
    pub(super) fn all_read(&mut self, act: &Act<'_>, at_ms: i64) {
        let everybody: Vec<Actor> = self.cast.everybody().collect();
        for reader in everybody {
            self.read(act, reader, at_ms);
        }
    }

    fn read(&mut self, act: &Act<'_>, reader: Actor, at_ms: i64) {
        // The fold knows how far there is to read.
        let moved = store::CursorMove { delivered_seq: u64::MAX, read_seq: u64::MAX };
        self.propose(act.conversation, reader, at_ms, Body::Cursor(moved));
    }

    /// Returns the id of the session, should this message open one.
    pub(super) fn send(
        &mut self,
        act: &mut Act<'_>,
        actor: Actor,
        at_ms: i64,
        content: chat::Content,
        audience: Audience,
    ) -> SessionId {
        let id: MessageId = self.ids.next(at_ms);
        let session: SessionId = self.ids.next(at_ms);
        self.sent += 1;
        let client_msg_id = u128::from(at_ms.unsigned_abs()) << 64 | u128::from(self.sent);
        let scene = act.scene;
        let origin = (!std::mem::replace(&mut act.created, true)).then(|| store::Origin {
            account: self.cast.account.to_string(),
            inbox: self.cast.inbox(scene.team).to_string(),
            visitor: act.visitor.id.clone(),
            language: scene.language.tag().to_owned(),
            page_url: format!("{SITE}{}", scene.page),
            referrer: scene.referrer.to_owned(),
            user_agent: if scene.phone { PHONE } else { DESKTOP }.to_owned(),
            secret_hash: Bytes::copy_from_slice(&act.token.secret_hash()),
        });
        let send = store::Send {
            id: Bytes::copy_from_slice(id.as_bytes()),
            client_msg_id: Bytes::copy_from_slice(&client_msg_id.to_be_bytes()),
            audience: audience.into(),
            content: Some(content),
            origin: origin.map(Box::new),
            new_session: Bytes::copy_from_slice(session.as_bytes()),
            new_session_team: self.cast.team(scene.team).to_string(),
        };
        self.propose(act.conversation, actor, at_ms, Body::Send(send));
        session
    }

    fn propose(&mut self, conversation: ConversationId, actor: Actor, at_ms: i64, body: Body) {
        let proposal = store::Proposal {
            conversation: Bytes::copy_from_slice(conversation.as_bytes()),
            actor: Some(actor),
            at_ms,
            body: Some(body),
        };
        self.proposals.push((conversation, proposal));
    }
}

pub(super) fn text_content(body: String) -> chat::Content {
    chat::Content {
        kind: Some(chat::content::Kind::Text(chat::Text { body })),
        ..chat::Content::default()
    }
}

/// From the last line to the end of the session.
fn closing_ms(end: End) -> i64 {
    match end {
        End::Owner => 70 * SECOND_MS,
        End::Visitor => 15 * SECOND_MS,
        End::Idle => 30 * MINUTE_MS,
    }
}

/// When each line was said.
fn times(scene: &Scene, now_ms: i64) -> Vec<i64> {
    let gaps = scene.lines.iter().zip(scene.lines.iter().skip(1)).map(|(before, line)| {
        let typed_ms = match line {
            Line::Visitor(text) | Line::Owner(text) | Line::Note(text) => {
                let bytes = i64::try_from(text.len()).unwrap_or(0);
                6 * SECOND_MS + bytes * 180
            }
            Line::Picture(_) => 9 * SECOND_MS,
        };
        let turns = matches!(before, Line::Owner(_)) != matches!(line, Line::Owner(_));
        if turns { typed_ms + 12 * SECOND_MS } else { typed_ms }
    });
    let mut times = vec![0];
    for gap_ms in gaps {
        let last = times.last().copied().unwrap_or(0);
        times.push(last + gap_ms);
    }
    let length_ms = times.last().copied().unwrap_or(0);
    let first_ms = match scene.when {
        // Whatever was written since then fits into the wait.
        When::WaitsMs(wait_ms) => {
            if length_ms * 2 > wait_ms {
                for time in &mut times {
                    *time = *time * wait_ms / (length_ms * 2);
                }
            }
            now_ms - wait_ms
        }
        When::AgoMs(ago_ms) => {
            let end_ms = match scene.state {
                State::Closed(_, end) => closing_ms(end),
                _ => 0,
            };
            now_ms - ago_ms - end_ms - length_ms
        }
    };
    times.into_iter().map(|time| first_ms + time).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_ends_or_begins_when_it_says() {
        let now_ms = 1_800_000_000_000;
        let all = scenes::open().expect("scenes").into_iter();
        for scene in all.chain(scenes::closed().expect("scenes")) {
            let times = times(&scene, now_ms);
            assert_eq!(times.len(), scene.lines.len());
            assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{}", scene.names[0]);
            assert!(times.last() <= Some(&now_ms), "{}", scene.names[0]);
            match (scene.when, scene.state) {
                (When::WaitsMs(wait_ms), _) => assert_eq!(times[0], now_ms - wait_ms),
                (When::AgoMs(ago_ms), State::Closed(_, end)) => {
                    let closed_ms = times[times.len() - 1] + closing_ms(end);
                    assert_eq!(closed_ms, now_ms - ago_ms);
                }
                (When::AgoMs(ago_ms), _) => {
                    assert_eq!(times[times.len() - 1], now_ms - ago_ms);
                }
            }
        }
    }
}
