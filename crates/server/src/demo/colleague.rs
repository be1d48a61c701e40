//! The colleagues the demo plays. Their sockets stay open, so that nobody's visitors are handed on; and
//! one of them, Yun, answers the shop five seconds after a message, but only while no person is online, and nobody
//! whom the bot answers.
//! As soon as somebody is, Yun puts back what Yun has, and the router gives it to them.
//!
//! None of them counts as somebody who is there for the shop: those of its team are away.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use frontdesk_core::chat::{Session, SessionStatus};
use frontdesk_protocol::wire::{
    self, Presence, client_frame::Frame as Out, command::Command as Verb, feed_change::Change,
    server_frame::Frame as In,
};
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::{
    Person,
    door::{As, CLIENT, Door, DoorError, Socket, message, message_id},
    pace::Pace,
    scenes::Language,
    scripts::shop_lines,
    visitors::Guests,
};

/// From a visitor's message to Yun's answer.
const ANSWER_MS: u64 = 5_000;
/// From a visitor's message to Yun being seen typing.
const TYPING_MS: u64 = 2_000;
/// How long a new session of the shop is left to the bot, however fast the demo runs: a little longer than the desk
/// leaves it.
const BOT_FIRST: Duration = Duration::from_millis(2_500);
/// Between two tries to come back.
const AGAIN: Duration = Duration::from_secs(3);
/// Longest time between two looks at what is due.
const LOOK: Duration = Duration::from_secs(30);

/// One colleague.
#[derive(Debug, Clone)]
pub(super) struct Colleague {
    pub(super) person: Person,
    pub(super) door: Door,
    /// What the colleague's state says.
    pub(super) presence: Presence,
}

impl Colleague {
    /// Keeps a socket open and listens to nothing, for as long as it is polled.
    pub(super) async fn sit(self) {
        loop {
            let ended: Result<(), DoorError> = async {
                let (mut socket, _) = self.enter().await?;
                loop {
                    socket.hear().await?;
                }
            }
            .await;
            tell(ended);
            sleep(AGAIN).await;
        }
    }

    async fn enter(&self) -> Result<(Socket, String), DoorError> {
        let cookie = self.door.sign_in(&self.person.email, &self.person.password).await?;
        let made = self.door.ticket(As::User(&cookie), CLIENT, &json!({ "kind": "agent" })).await?;
        let ticket = made["ticket"].as_str().ok_or(DoorError::Form)?;
        let (mut socket, _) = self.door.socket(ticket, "zh-CN").await?;
        socket.send(Out::Presence(wire::SetPresence { presence: self.presence.into() })).await?;
        Ok((socket, cookie))
    }
}

fn tell(ended: Result<(), DoorError>) {
    if let Err(error) = ended {
        let error: &dyn std::error::Error = &error;
        tracing::debug!(error, "a colleague of the demo comes back in a moment");
    }
}

/// What Yun needs to answer the shop.
#[derive(Debug, Clone)]
pub(super) struct Yun {
    pub(super) colleague: Colleague,
    pub(super) pace: Pace,
    /// The user.
    pub(super) id: String,
    /// The shop's inbox, where the bot is asked first.
    pub(super) shop: String,
    /// The inbox of those who want a person; empty for none.
    pub(super) advisers: String,
    pub(super) guests: Guests,
    /// Users the demo plays: they are nobody.
    pub(super) played: HashSet<String>,
    /// Conversations of the scenes: nobody answers in them.
    pub(super) scenes: HashSet<String>,
    /// Where the console is.
    pub(super) console: String,
    /// Told who of the people is online.
    pub(super) people: watch::Sender<HashSet<String>>,
}

/// A conversation Yun may have to do with.
#[derive(Debug)]
struct Case {
    session: Session,
    language: Language,
    /// The visitor's wait that is being answered, and since when Yun knows of it.
    wait: Option<(i64, Instant)>,
    /// Since when Yun knows of the visitor's newest message.
    spoke: Instant,
    typing: bool,
    /// The version for which a command is on its way.
    asked: u32,
    /// Lines Yun has said in this session.
    said: usize,
}

impl Yun {
    /// Serves for as long as it is polled.
    pub(super) async fn run(self) {
        loop {
            tell(self.serve().await);
            // Whoever was online is asked for anew.
            self.people.send_replace(HashSet::new());
            sleep(AGAIN).await;
        }
    }

    async fn serve(&self) -> Result<(), DoorError> {
        let (mut socket, cookie) = self.colleague.enter().await?;
        let mut cases: HashMap<String, Case> = HashMap::new();
        self.learn(&cookie, &mut cases).await?;
        loop {
            let next = self.act(&mut socket, &mut cases).await?;
            tokio::select! {
                frame = socket.hear() => self.take(frame?, &mut cases),
                () = sleep_until(next) => {}
            }
        }
    }

    /// Who is online, and what waits already.
    async fn learn(
        &self,
        cookie: &str,
        cases: &mut HashMap<String, Case>,
    ) -> Result<(), DoorError> {
        let door = &self.colleague.door;
        let agents = door.get("agents", As::User(cookie)).await?;
        for agent in agents["agents"].as_array().ok_or(DoorError::Form)? {
            let id = agent["id"].as_str().ok_or(DoorError::Form)?;
            self.note(id, agent["presence"] == "online");
        }
        let page = door.get("conversations?view=open&limit=100", As::User(cookie)).await?;
        for row in page["rows"].as_array().ok_or(DoorError::Form)? {
            let row: wire::Row =
                serde_json::from_value(row.clone()).map_err(|_| DoorError::Form)?;
            self.learn_row(row, cases);
        }
        Ok(())
    }

    fn note(&self, user: &str, online: bool) {
        if self.played.contains(user) {
            return;
        }
        self.people.send_if_modified(|people| {
            if online { people.insert(user.to_owned()) } else { people.remove(user) }
        });
    }

    fn take(&self, frame: wire::ServerFrame, cases: &mut HashMap<String, Case>) {
        match frame.frame {
            Some(In::Presence(update)) => {
                if let Some(actor) = &update.actor
                    && update.conversation.is_empty()
                {
                    self.note(&actor.id, update.presence() == Presence::Online);
                }
            }
            Some(In::Feed(feed)) => {
                for change in feed.changes {
                    match change.change {
                        Some(Change::Row(row)) => self.learn_row(row, cases),
                        Some(Change::Removed(conversation)) => {
                            cases.remove(&conversation);
                        }
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn learn_row(&self, row: wire::Row, cases: &mut HashMap<String, Case>) {
        let Some(session) = row.session else { return };
        let inboxes = [&self.shop, &self.advisers];
        let of_shop = inboxes.contains(&&session.inbox) && !self.scenes.contains(&row.conversation);
        let open = matches!(session.status(), SessionStatus::Queued | SessionStatus::Assigned);
        if !of_shop || !open {
            cases.remove(&row.conversation);
            return;
        }
        let language = Language::of(&row.language);
        let case = cases.entry(row.conversation).or_insert_with(|| Case {
            session: Session::default(),
            language,
            wait: None,
            spoke: Instant::now(),
            typing: false,
            asked: 0,
            said: 0,
        });
        if case.session.id != session.id {
            case.said = 0;
        }
        if case.session.last_visitor_at_ms != session.last_visitor_at_ms {
            case.spoke = Instant::now();
        }
        let since = session.waiting_since_ms;
        if since == 0 {
            case.wait = None;
            case.typing = false;
        } else if case.wait.is_none_or(|(known, _)| known != since) {
            case.wait = Some((since, Instant::now()));
            case.typing = false;
        }
        case.session = session;
    }

    /// Does what is due and says when to look again.
    async fn act(
        &self,
        socket: &mut Socket,
        cases: &mut HashMap<String, Case>,
    ) -> Result<Instant, DoorError> {
        let mut next = Instant::now() + LOOK;
        let attended = !self.people.borrow().is_empty();
        for (conversation, case) in cases {
            let mine = case.session.owner.as_ref().is_some_and(|owner| owner.id == self.id);
            let fresh = case.asked != case.session.version;
            if attended {
                if mine && fresh {
                    case.asked = case.session.version;
                    self.command(socket, conversation, case, Verb::Requeue(wire::Requeue {}))
                        .await?;
                }
                continue;
            }
            let Some((_, since)) = case.wait else { continue };
            let now = Instant::now();
            let queued = case.session.status() == SessionStatus::Queued;
            let bots_first = case.session.inbox == self.shop && case.session.assigned_at_ms == 0;
            let first = if bots_first { BOT_FIRST } else { Duration::ZERO };
            let typing_at = since + self.pace.real(TYPING_MS).max(first);
            let mut answer_at = since + self.pace.real(ANSWER_MS).max(first);
            if self.comes_from_bot(conversation) {
                if case.session.last_visitor_at_ms < case.session.queued_at_ms {
                    // Still typing what a person is wanted for; the message wakes this up.
                    continue;
                }
                answer_at = answer_at.max(case.spoke + self.pace.real(ANSWER_MS));
            }
            if queued && fresh && now >= typing_at {
                case.asked = case.session.version;
                self.command(socket, conversation, case, Verb::Take(wire::Take {})).await?;
            } else if mine && !case.typing && now < answer_at && now >= typing_at {
                case.typing = true;
                self.typing(socket, conversation, true).await?;
            } else if mine && now >= answer_at {
                if let Some(line) = self.line(conversation, case) {
                    self.typing(socket, conversation, false).await?;
                    socket.send(message(conversation, message_id(), &line)).await?;
                }
                case.said += 1;
                case.wait = None;
            }
            for due in [typing_at, answer_at] {
                if due > now {
                    next = next.min(due);
                }
            }
        }
        Ok(next)
    }

    /// Whether it is a visitor of the demo who asks the bot first.
    fn comes_from_bot(&self, conversation: &str) -> bool {
        self.guests.script(conversation).is_some_and(|script| !script.asks.is_empty())
    }

    /// What Yun says next; nothing once all is said.
    fn line(&self, conversation: &str, case: &Case) -> Option<String> {
        if let Some(script) = self.guests.script(conversation) {
            return script.turns.get(case.said).map(|(_, answer)| (*answer).to_owned());
        }
        let line = shop_lines(case.language).get(case.said).copied();
        line.map(|line| line.replace("{console}", &self.console))
    }

    async fn command(
        &self,
        socket: &mut Socket,
        conversation: &str,
        case: &Case,
        verb: Verb,
    ) -> Result<(), DoorError> {
        let command = wire::Command {
            conversation: conversation.to_owned(),
            expected_version: case.session.version,
            command: Some(verb),
        };
        socket.send(Out::Command(command)).await?;
        Ok(())
    }

    async fn typing(
        &self,
        socket: &mut Socket,
        conversation: &str,
        typing: bool,
    ) -> Result<(), DoorError> {
        let draft =
            wire::Draft { conversation: conversation.to_owned(), typing, text: String::new() };
        socket.send(Out::Draft(draft)).await?;
        Ok(())
    }
}
