//! Visitors who come by: one every 40 seconds, at most four at once. Each is a client of the public
//! protocol with a script: it opens a socket, types, sends, waits for an answer, answers, says thanks,
//! rates and leaves. Whoever nobody answers leaves after a while. Most write to the advisers, who are people; some ask
//! the shop's bot, and of those some ask for a person then.

use std::{collections::HashMap, sync::Arc, time::Duration};

use frontdesk_api::demo::Demo;
use frontdesk_core::chat::{
    self, ActorKind, ParticipantKind, SessionStatus, content::Kind, entry::Body,
    timeline_item::Item,
};
use frontdesk_protocol::wire::{
    self, client_frame::Frame as Out, command::Command as Verb, server_frame::Frame as In,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    door::{As, Door, DoorError, Socket, message, message_id},
    pace::Pace,
    scenes::Language,
    scripts::{SCRIPTS, Script},
    seed::{DESKTOP, PHONE, SITE},
};

/// Between two visitors.
const EVERY_MS: u64 = 40_000;
/// Visitors at once.
const AT_ONCE: u32 = 4;
/// From the start to the first visitor: the console is just being opened.
const FIRST_MS: u64 = 8_000;
/// How long a visitor waits for an answer.
const PATIENCE_MS: u64 = 180_000;
/// How long a visitor who said thanks waits for the agent to close.
const GOODBYE_MS: u64 = 25_000;
/// Between two pieces of what is being typed.
const KEYS_MS: u64 = 700;
/// Characters typed in that time.
const KEYS: usize = 5;
/// How long a frame may go without its answer.
const ACK: Duration = Duration::from_secs(20);

/// Conversations of the visitors who are here, with what a colleague says in them.
#[derive(Debug, Clone, Default)]
pub(super) struct Guests(Arc<Mutex<HashMap<String, &'static Script>>>);

impl Guests {
    /// The script of a conversation.
    pub(super) fn script(&self, conversation: &str) -> Option<&'static Script> {
        self.0.lock().get(conversation).copied()
    }
}

/// What all visitors share.
#[derive(Debug, Clone)]
pub(super) struct Street {
    pub(super) door: Door,
    pub(super) demo: Demo,
    pub(super) pace: Pace,
    /// The shop's inbox, where the bot answers.
    pub(super) shop_key: String,
    /// The inbox of those who want a person.
    pub(super) advisers_key: String,
    pub(super) guests: Guests,
}

impl Street {
    /// Brings visitors for as long as it is polled; they leave with it.
    pub(super) async fn run(mut self) {
        let mut visits = JoinSet::new();
        self.pace.pass(FIRST_MS).await;
        for number in 0.. {
            if self.demo.visitors() < AT_ONCE {
                visits.spawn(self.clone().visit(&SCRIPTS[number % SCRIPTS.len()]));
            }
            self.pace.pass(EVERY_MS).await;
            while visits.try_join_next().is_some() {}
        }
    }

    async fn visit(self, script: &'static Script) {
        let _here = self.demo.visit();
        let to_people = script.asks.is_empty();
        let asked = json!({
            "kind": "visitor",
            "inbox_key": if to_people { &self.advisers_key } else { &self.shop_key },
            "language": script.language.tag(),
            "page": format!("{SITE}{}", script.page),
            "referrer": script.referrer,
        });
        let ended = match self.enter(script.language, script.phone, &asked).await {
            Ok((guest, token, _)) => {
                let conversation = guest.conversation.clone();
                self.guests.0.lock().insert(conversation.clone(), script);
                let ended = guest.play(&self, script, &token).await;
                self.guests.0.lock().remove(&conversation);
                ended
            }
            Err(error) => Err(error),
        };
        tell(ended);
    }

    /// Somebody who wrote before comes back with one more thing to say.
    pub(super) async fn come_back(self, back: Returning) {
        let _here = self.demo.visit();
        let asked = json!({
            "kind": "visitor",
            "inbox_key": self.shop_key,
            "visitor_token": back.token,
            "language": back.language.tag(),
        });
        let ended = match self.enter(back.language, true, &asked).await {
            // After a restart it has been said already.
            Ok((guest, _, said)) if said.contains(&back.text) => {
                guest.socket.leave().await;
                Ok(())
            }
            Ok((guest, ..)) => guest.add(&back).await,
            Err(error) => Err(error),
        };
        tell(ended);
    }

    /// Opens a socket; returns the visitor with the token, and what the visitor said before.
    async fn enter(
        &self,
        language: Language,
        phone: bool,
        asked: &Value,
    ) -> Result<(Guest, String, Vec<String>), DoorError> {
        let agent = if phone { PHONE } else { DESKTOP };
        let made = self.door.ticket(As::Nobody, agent, asked).await?;
        let field = |name: &str| made[name].as_str().map(str::to_owned).ok_or(DoorError::Form);
        let (ticket, token) = (field("ticket")?, field("visitor_token")?);
        let conversation = field("conversation_id")?;
        let (socket, welcome) = self.door.socket(&ticket, language.tag()).await?;
        let items = welcome.opened.into_iter().flat_map(|opened| opened.items);
        let said = items.filter_map(|item| match item.item? {
            Item::Entry(entry) if entry.actor.as_ref()?.kind() == ActorKind::Visitor => {
                match entry.body? {
                    Body::Content(chat::Content { kind: Some(Kind::Text(text)), .. }) => {
                        Some(text.body)
                    }
                    _ => None,
                }
            }
            _ => None,
        });
        let said = said.collect();
        let guest = Guest {
            socket,
            pace: self.pace.clone(),
            conversation,
            answers: 0,
            with_bot: false,
            newest_seq: 0,
            closed: false,
            sending: None,
        };
        Ok((guest, token, said))
    }
}

/// Whoever is cut off by a stop, or turned away by a limit, simply does not come.
fn tell(ended: Result<(), DoorError>) {
    if let Err(error) = ended {
        let error: &dyn std::error::Error = &error;
        tracing::debug!(error, "a visitor of the demo left early");
    }
}

/// Somebody of the scenes, with what is still to be said.
#[derive(Debug, Clone)]
pub(super) struct Returning {
    pub(super) token: String,
    pub(super) language: Language,
    pub(super) text: String,
}

/// A visitor with an open socket.
#[derive(Debug)]
struct Guest {
    socket: Socket,
    pace: Pace,
    conversation: String,
    /// Messages of agents and of the bot so far.
    answers: u32,
    /// The bot has the session.
    with_bot: bool,
    newest_seq: u64,
    /// The session is over.
    closed: bool,
    /// The message on its way, and what came of it.
    sending: Option<(u128, Sending)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    OnItsWay,
    Stored,
    RetryAfter(Duration),
    Refused,
}

impl Guest {
    async fn play(
        mut self,
        street: &Street,
        script: &'static Script,
        token: &str,
    ) -> Result<(), DoorError> {
        self.spend(2_500).await?;
        let said = script.turns.iter().map(|(said, _)| said);
        for (number, said) in script.asks.iter().chain(said).enumerate() {
            if number == script.asks.len() && self.with_bot {
                self.command(Verb::AskForPerson(wire::AskForPerson {})).await?;
            }
            let answers = self.answers;
            self.say(said).await?;
            if number == 0 {
                let name = json!({ "name": script.name });
                if let Err(error) =
                    street.door.put("visitor/contact", As::Visitor(token), &name).await
                {
                    let error: &dyn std::error::Error = &error;
                    tracing::debug!(error, "a visitor of the demo stays without a name");
                }
            }
            if !self.until(PATIENCE_MS, |guest| guest.answers > answers || guest.closed).await? {
                self.say(script.leaves).await?;
                return self.close(None).await;
            }
            if self.closed {
                break;
            }
            self.spend(2_000).await?;
            self.read().await?;
            self.spend(3_500).await?;
        }
        if !self.closed {
            self.say(script.thanks).await?;
            self.until(GOODBYE_MS, |guest| guest.closed).await?;
        }
        self.close(Some(script)).await
    }

    async fn add(mut self, back: &Returning) -> Result<(), DoorError> {
        let answers = self.answers;
        self.say(&back.text).await?;
        if self.until(PATIENCE_MS * 2, |guest| guest.answers > answers || guest.closed).await?
            && !self.closed
        {
            self.spend(3_000).await?;
            self.read().await?;
            self.say(match back.language {
                Language::Chinese => "好的，太谢谢您了！",
                Language::English => "Perfect, thank you!",
            })
            .await?;
            self.until(GOODBYE_MS, |guest| guest.closed).await?;
        }
        self.socket.leave().await;
        Ok(())
    }

    /// Types and sends a message; returns once it is stored.
    async fn say(&mut self, text: &str) -> Result<(), DoorError> {
        let characters: Vec<char> = text.chars().collect();
        for typed in (KEYS..characters.len()).step_by(KEYS) {
            let so_far = characters[..typed].iter().collect();
            self.draft(true, so_far).await?;
            self.spend(KEYS_MS).await?;
        }
        self.draft(false, String::new()).await?;
        let id = message_id();
        loop {
            self.sending = Some((id, Sending::OnItsWay));
            self.socket.send(message("", id, text)).await?;
            let sent = tokio::time::timeout(ACK, async {
                while matches!(self.sending, Some((_, Sending::OnItsWay))) {
                    let frame = self.socket.hear().await?;
                    self.take(frame);
                }
                Ok(())
            });
            sent.await.map_err(|_| DoorError::Late)??;
            match self.sending {
                Some((_, Sending::RetryAfter(time))) => tokio::time::sleep(time).await,
                Some((_, Sending::Refused)) => return Err(DoorError::Closed),
                _ => return Ok(()),
            }
        }
    }

    async fn draft(&mut self, typing: bool, text: String) -> Result<(), DoorError> {
        let draft = wire::Draft { conversation: String::new(), typing, text };
        self.socket.send(Out::Draft(draft)).await?;
        Ok(())
    }

    async fn read(&mut self) -> Result<(), DoorError> {
        let seq = self.newest_seq;
        let moved =
            wire::MoveCursor { conversation: String::new(), delivered_seq: seq, read_seq: seq };
        self.socket.send(Out::Cursor(moved)).await?;
        Ok(())
    }

    async fn command(&mut self, verb: Verb) -> Result<(), DoorError> {
        let command = wire::Command { command: Some(verb), ..wire::Command::default() };
        self.socket.send(Out::Command(command)).await?;
        Ok(())
    }

    /// Ends the session where nobody has, rates it, and leaves.
    async fn close(mut self, rates: Option<&Script>) -> Result<(), DoorError> {
        if !self.closed {
            self.command(Verb::Close(wire::Close {})).await?;
            let closing = tokio::time::timeout(ACK, async {
                while !self.closed {
                    let frame = self.socket.hear().await?;
                    self.take(frame);
                }
                Ok::<_, DoorError>(())
            });
            closing.await.map_err(|_| DoorError::Late)??;
        }
        if let Some(script) = rates.filter(|script| script.rating > 0) {
            self.spend(4_000).await?;
            let comment = script.comment.to_owned();
            self.command(Verb::Rate(wire::Rate { rating: script.rating, comment })).await?;
            self.spend(1_500).await?;
        }
        self.socket.leave().await;
        Ok(())
    }

    /// Lets time pass while listening.
    async fn spend(&mut self, ms: u64) -> Result<(), DoorError> {
        self.until(ms, |_| false).await?;
        Ok(())
    }

    /// Listens until something holds, or so much time has passed; says whether it holds.
    async fn until(&mut self, ms: u64, holds: impl Fn(&Self) -> bool) -> Result<bool, DoorError> {
        let mut pace = self.pace.clone();
        let passing = pace.pass(ms);
        tokio::pin!(passing);
        while !holds(self) {
            tokio::select! {
                () = &mut passing => return Ok(false),
                frame = self.socket.hear() => self.take(frame?),
            }
        }
        Ok(true)
    }

    fn take(&mut self, frame: wire::ServerFrame) {
        match frame.frame {
            Some(In::Entries(entries)) => {
                for item in entries.items {
                    let Some(Item::Entry(entry)) = item.item else { continue };
                    self.newest_seq = self.newest_seq.max(entry.seq);
                    let by_us = entry.actor.as_ref().is_some_and(|actor| {
                        matches!(actor.kind(), ActorKind::Agent | ActorKind::Bot)
                    });
                    let said = matches!(entry.body, Some(Body::Content(ref content))
                        if !matches!(content.kind, Some(Kind::System(_))));
                    self.answers += u32::from(by_us && said);
                }
            }
            Some(In::Session(update)) => {
                let Some(session) = update.session else { return };
                self.closed = session.status() == SessionStatus::Closed;
                self.with_bot = session
                    .owner
                    .as_ref()
                    .is_some_and(|owner| owner.kind() == ParticipantKind::Bot);
            }
            Some(In::Ack(ack)) => self.settle(&ack.client_msg_id, Sending::Stored),
            Some(In::Refusal(refusal)) => {
                let outcome = refusal.retry_after_ms.map_or(Sending::Refused, |ms| {
                    Sending::RetryAfter(Duration::from_millis(ms.into()))
                });
                self.settle(&refusal.client_msg_id, outcome);
            }
            _ => {}
        }
    }

    fn settle(&mut self, client_msg_id: &[u8], outcome: Sending) {
        if let Some((id, sending)) = &mut self.sending
            && id.to_be_bytes() == *client_msg_id
        {
            *sending = outcome;
        }
    }
}
