//! The part visitors and agents share: frames out with a reference, answers and pushes in, timelines
//! kept along the way. Pushes nobody waited for yet are kept, so a test can ask for what already came.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use frontdesk_protocol::wire::{
    self, client_frame::Frame as Out, command::Command as Verb, server_frame::Frame as In,
};

use crate::{Gone, PATIENCE, Socket, Timeline, soon};

/// Pushes kept for later.
const BACKLOG_MAX: usize = 100_000;

/// A live connection with what came over it.
#[derive(Debug)]
pub struct Live {
    socket: Option<Socket>,
    backlog: VecDeque<wire::ServerFrame>,
    /// By conversation; a visitor's only one is under "".
    pub timelines: HashMap<String, Timeline>,
    /// How long it waits for what should come.
    pub patience: Duration,
    next_ref: u32,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            socket: None,
            backlog: VecDeque::new(),
            timelines: HashMap::new(),
            patience: PATIENCE,
            next_ref: 0,
        }
    }
}

impl Live {
    /// Takes a new socket; pushes of an old one are forgotten, timelines stay.
    pub fn attach(&mut self, socket: Socket) {
        self.socket = Some(socket);
        self.backlog.clear();
    }

    /// Drops the socket as a lost network does.
    pub fn detach(&mut self) -> Option<Socket> {
        self.socket.take()
    }

    /// The socket.
    pub fn socket(&mut self) -> &mut Socket {
        self.socket.as_mut().expect("the client is connected")
    }

    /// Sends a frame and returns its reference.
    pub async fn send(&mut self, frame: Out) -> u32 {
        self.next_ref += 1;
        let reference = self.next_ref;
        let sent = soon("a frame goes out", self.socket().send(reference, frame)).await;
        assert!(sent.is_ok(), "the socket is gone");
        reference
    }

    /// Sends a frame and waits for its answer.
    pub async fn ask(&mut self, frame: Out) -> In {
        let reference = self.send(frame).await;
        self.answer(reference).await
    }

    /// Waits for the answer to a frame.
    pub async fn answer(&mut self, reference: u32) -> In {
        self.wait_for("an answer", |frame| {
            (frame.r#ref == reference).then(|| frame.frame.clone()).flatten()
        })
        .await
    }

    /// Waits for a frame, beginning with those nobody waited for. `pick` says which.
    pub async fn wait_for<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&wire::ServerFrame) -> Option<T>,
    ) -> T {
        let mut kept = self.backlog.iter().enumerate();
        if let Some((place, found)) = kept.find_map(|(place, frame)| Some((place, pick(frame)?))) {
            self.backlog.remove(place);
            return found;
        }
        let found = tokio::time::timeout(self.patience, async {
            loop {
                match self.hear().await {
                    Ok(frame) => match pick(&frame) {
                        Some(found) => return found,
                        None => self.keep(frame),
                    },
                    Err(gone) => self.give_up(&format!("the socket ended ({gone:?})"), what),
                }
            }
        })
        .await;
        found.unwrap_or_else(|_| self.give_up("time passed", what))
    }

    fn give_up(&self, why: &str, what: &str) -> ! {
        let came: Vec<String> =
            self.backlog.iter().rev().take(20).map(|frame| format!("  {frame:?}")).collect();
        panic!("{why} before: {what}; the newest of what came:\n{}", came.join("\n"));
    }

    fn keep(&mut self, frame: wire::ServerFrame) {
        assert!(self.backlog.len() < BACKLOG_MAX, "more pushes than a test should see");
        self.backlog.push_back(frame);
    }

    /// Waits for a push of the kind `pick` takes.
    pub async fn pushed<T>(&mut self, what: &str, mut pick: impl FnMut(&In) -> Option<T>) -> T {
        self.wait_for(what, |frame| frame.frame.as_ref().and_then(&mut pick)).await
    }

    /// Waits for a push of the kind `pick` takes, and forgets those of the same kind (`same`) that
    /// came before it: for states, of which only the newest counts.
    pub async fn state<T>(
        &mut self,
        what: &str,
        same: impl Fn(&In) -> bool,
        pick: impl Fn(&In) -> Option<T>,
    ) -> T {
        let mut passed = 0;
        let found = self
            .pushed(what, |frame| {
                let found = pick(frame);
                passed += usize::from(found.is_none() && same(frame));
                found
            })
            .await;
        self.backlog.retain(|frame| {
            let old = passed > 0 && frame.frame.as_ref().is_some_and(&same);
            passed -= usize::from(old);
            !old
        });
        found
    }

    /// Waits until a timeline says so.
    pub async fn until(&mut self, what: &str, key: &str, done: impl Fn(&Timeline) -> bool) {
        let held = tokio::time::timeout(self.patience, async {
            while !self.timelines.get(key).is_some_and(&done) {
                match self.hear().await {
                    Ok(frame) => self.keep(frame),
                    Err(gone) => self.give_up(&format!("the socket ended ({gone:?})"), what),
                }
            }
        })
        .await;
        if held.is_err() {
            self.give_up("time passed", what);
        }
    }

    /// Forgets pushes nobody waited for.
    pub fn forget(&mut self, which: impl Fn(&In) -> bool) {
        self.backlog.retain(|frame| !frame.frame.as_ref().is_some_and(&which));
    }

    /// Pushes that came and nobody waited for.
    pub fn kept(&self) -> impl Iterator<Item = &In> {
        self.backlog.iter().filter_map(|frame| frame.frame.as_ref())
    }

    /// The next frame, with its items taken into the timelines.
    pub async fn hear(&mut self) -> Result<wire::ServerFrame, Gone> {
        let frame = self.socket().hear().await?;
        match &frame.frame {
            Some(In::Entries(entries)) => {
                if let Some(timeline) = self.timelines.get_mut(&entries.conversation) {
                    timeline.entries(entries);
                }
            }
            Some(In::Ack(ack)) => {
                if let Some(timeline) = self.timelines.get_mut(&ack.conversation) {
                    timeline.ack(ack);
                }
            }
            Some(In::Opened(opened)) => {
                let timeline = self.timelines.entry(opened.conversation.clone()).or_default();
                let presented = opened.recovered.then(|| timeline.position()).flatten();
                timeline.open(opened, presented);
            }
            Some(In::Welcome(welcome)) => {
                for opened in &welcome.opened {
                    let timeline = self.timelines.entry(opened.conversation.clone()).or_default();
                    let presented = opened.recovered.then(|| timeline.position()).flatten();
                    timeline.open(opened, presented);
                }
            }
            _ => {}
        }
        Ok(frame)
    }

    /// Reads to the end of the connection.
    pub async fn gone(&mut self) -> Gone {
        let gone = soon("the server closes the socket", async {
            loop {
                match self.hear().await {
                    Ok(frame) => self.keep(frame),
                    Err(gone) => return gone,
                }
            }
        })
        .await;
        self.socket = None;
        gone
    }

    /// A session command; `Err` with the refusal.
    pub async fn command(
        &mut self,
        conversation: &str,
        expected_version: u32,
        command: Verb,
    ) -> Result<(), wire::Refusal> {
        let command = wire::Command {
            conversation: conversation.to_owned(),
            expected_version,
            command: Some(command),
        };
        match self.ask(Out::Command(command)).await {
            In::Done(_) => Ok(()),
            In::Refusal(refusal) => Err(refusal),
            other => panic!("a command is answered by {other:?}"),
        }
    }

    /// A message; `Err` with the refusal.
    pub async fn message(&mut self, send: wire::Send) -> Result<wire::Ack, wire::Refusal> {
        match self.ask(Out::Send(send)).await {
            In::Ack(ack) => Ok(ack),
            In::Refusal(refusal) => Err(refusal),
            other => panic!("a message is answered by {other:?}"),
        }
    }

    /// A position check of one conversation.
    pub async fn sync(&mut self, conversation: &str, position: wire::Position) {
        let held = wire::Held { conversation: conversation.to_owned(), position: Some(position) };
        match self.ask(Out::Sync(wire::Sync { held: vec![held] })).await {
            In::Done(_) => {}
            other => panic!("a sync is answered by {other:?}"),
        }
    }

    /// Moves the own cursor.
    pub async fn move_cursor(&mut self, conversation: &str, delivered_seq: u64, read_seq: u64) {
        let conversation = conversation.to_owned();
        self.send(Out::Cursor(wire::MoveCursor { conversation, delivered_seq, read_seq })).await;
    }
}

/// A text message.
pub fn text(conversation: &str, client_msg_id: &[u8], body: &str) -> wire::Send {
    use frontdesk_core::chat::{Audience, Content, Text, content::Kind};
    wire::Send {
        conversation: conversation.to_owned(),
        client_msg_id: client_msg_id.to_vec().into(),
        content: Some(Content {
            kind: Some(Kind::Text(Text { body: body.to_owned() })),
            quote_seq: 0,
            ..Default::default()
        }),
        audience: Audience::Unspecified.into(),
    }
}

/// A new message id, as docs/protocol.md advises: milliseconds, then randomness.
pub fn message_id() -> [u8; 16] {
    let mut id: [u8; 16] = crate::rng::random();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now_ms = now.map_or(0, |since| since.as_millis());
    id[..6].copy_from_slice(&now_ms.to_be_bytes()[10..]);
    id
}
