//! What the bot of this server does in one conversation: hears what the visitor says, one message after the other, and
//! does what the mind decides, by the same frames as a program with a socket.

use std::{sync::Arc, time::Duration};

use frontdesk_api::engine::{EngineError, PageRange};
use frontdesk_bot::{Act, Heard, LlmFailed, Mind, Mode, Moment, OpensAt, Reason, State};
use frontdesk_catalog::{BotOutcome, BotSession};
use frontdesk_core::{
    chat::{
        self, ActorKind, Audience, Content, Entry, SessionEvent, SessionStatus, content::Kind,
        session_event::Change,
    },
    id::{AccountId, ConversationId},
};
use frontdesk_gateway::chat::port::{BotNews, Strand};
use frontdesk_protocol::wire::{self, command::Command as Order};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{
    Shared,
    again::{self, Whose},
    deeds::{self, LEFT, SORTED, Used},
    model::{self, Asked, Question, Said},
    setup::{self, AccountBot},
    taken::RECENT_MS,
    voice::Voice,
};
use crate::node::{engine::unavailable, models::Model, now_ms, trouble};

/// How long a conversation without news keeps its task.
const IDLE: Duration = Duration::from_mins(10);
/// Entries that are heard again after a restart: of a longer session the bot knows the end.
const HEARD_AGAIN_MAX: usize = 200;

/// One conversation.
pub(super) struct Session {
    shared: Arc<Shared>,
    account: AccountId,
    conversation: ConversationId,
    visitor: String,
    language: String,
    /// The session as it was last heard of.
    last: chat::Session,
    /// What was told of it last belongs to this one.
    strand: Strand,
    state: State,
    /// The visitor's newest message that was looked at.
    heard_seq: u64,
    /// The bot's newest question with buttons or fields: ids of choices are of one question only.
    asked_seq: u64,
    answered: u64,
    began_ms: i64,
    /// What a language model was asked and has not answered.
    asked: Option<Asked>,
    /// It was the bot's.
    took: bool,
    /// It is no longer the bot's.
    is_over: bool,
}

/// What the bot acts with, as its account has set it up now.
struct Now {
    mind: Mind,
    /// Asked where the knowledge base has no answer; none where it may not be.
    model: Option<Arc<Model>>,
    account: Arc<AccountBot>,
    voice: Voice,
    help: deeds::Help,
    around: Around,
}

/// Whether people are there, and how the visitor can be reached while they are not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    pub(super) attended: bool,
    pub(super) contact_known: bool,
    pub(super) opens_at: Option<OpensAt>,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, news: &BotNews) -> Self {
        Self {
            shared,
            account: news.account,
            conversation: news.conversation,
            visitor: news.visitor.clone(),
            language: news.language.clone(),
            last: chat::Session::default(),
            strand: news.strand,
            state: State::default(),
            heard_seq: 0,
            asked_seq: 0,
            answered: 0,
            began_ms: now_ms(),
            asked: None,
            took: false,
            is_over: false,
        }
    }

    /// Works until nothing has happened for a while, or the bot can do nothing here any more.
    pub(super) async fn run(mut self, mut inputs: mpsc::Receiver<Box<BotNews>>) {
        loop {
            let done = tokio::select! {
                // Who has the session by now, before what the model says.
                biased;
                news = timeout(IDLE, inputs.recv()) => match news {
                    Ok(Some(news)) => self.take(*news).await,
                    Ok(None) => return,
                    // What came just now is heard before the end.
                    Err(_) => {
                        inputs.close();
                        continue;
                    }
                },
                said = model_says(self.asked.as_mut()) => self.model_said(said).await,
            };
            if let Err(error) = done {
                // Whatever it was, people get the session: by whoever took it meanwhile, or by the desk.
                tracing::debug!(
                    conversation.id = %self.conversation,
                    %error,
                    "the bot gives a session up"
                );
                self.asked = None;
                // Should it be the bot's all the same, it is heard again with the next news.
                self.last = chat::Session::default();
            }
        }
    }

    /// The language model said something.
    async fn model_said(&mut self, said: Option<Said>) -> Result<(), EngineError> {
        let result = match said {
            Some(Said::Draft(text)) => {
                if let Some(asked) = &self.asked {
                    asked.voice.draft(true, &text).await;
                }
                return Ok(());
            }
            Some(Said::Done(result)) => result,
            None => Err(LlmFailed),
        };
        let Some(asked) = self.asked.take() else { return Ok(()) };
        let Some(now) = self.now(&self.last).await? else { return Ok(()) };
        let (result, used) = match result {
            Ok((answer, used)) => (Ok(answer), Some(used)),
            Err(failed) => (Err(failed), None),
        };
        let moment = now.moment(&self.language, &self.last.intent);
        let acts = now.mind.llm_answer(&mut self.state, asked.turn, result, &moment);
        let (seq, number) = asked.about;
        self.perform(&now, acts, (seq, number), asked.began, used.as_ref()).await
    }

    async fn take(&mut self, news: BotNews) -> Result<(), EngineError> {
        let is_other = news.session.number != self.last.number || news.strand != self.strand;
        if is_reminder(&news) && !is_other {
            // All of it was heard as it happened.
            return Ok(());
        }
        let BotNews { session, said, events, strand, .. } = news;
        if is_other {
            let first = said.first().map_or(u64::MAX, |(seq, _)| *seq);
            (self.last, self.strand) = (session.clone(), strand);
            self.begin(&session, &events, first).await?;
        }
        self.last = session;
        self.follow(&events).await?;
        for (seq, content) in said {
            if seq > self.heard_seq && (!self.is_over || self.stays(&self.last)) {
                self.heard_seq = seq;
                self.answer(seq, &content).await?;
            }
        }
        Ok(())
    }

    /// Another session than before, or one of which something was missed. One that somebody had already was begun
    /// before this task: it is heard again, and what has no answer yet gets one.
    async fn begin(
        &mut self,
        session: &chat::Session,
        events: &[SessionEvent],
        first: u64,
    ) -> Result<(), EngineError> {
        self.state = State::default();
        (self.answered, self.heard_seq, self.asked_seq, self.asked) = (0, 0, 0, None);
        self.began_ms = session.opened_at_ms;
        let is_new = is_new(session);
        let was_own = self.owns(session) || left_bot(events, &setup::id_of(self.account));
        self.took = !is_new;
        self.is_over = false;
        let has_just_begun =
            events.iter().any(|event| matches!(event.change, Some(Change::Opened(_))));
        if has_just_begun || first <= 1 {
            return Ok(());
        }
        let Some(now) = self.now(session).await? else { return Ok(()) };
        if now.mind.config().mode == Mode::Suggest {
            return Ok(());
        }
        self.is_over = !is_new && !was_own;
        if self.is_over && !self.stays(session) {
            return Ok(());
        }
        let engine = &self.shared.parts.engine;
        let tail = engine.tail(self.conversation).await?;
        let range = if first == u64::MAX { PageRange::Newest } else { PageRange::Before(first) };
        let mut entries = engine.read(self.conversation, range, HEARD_AGAIN_MAX, tail).await?;
        entries.retain(|entry| entry.session == session.id);
        let heard = self.hear_again(&now, entries, session.intent.clone()).await?;
        self.heard_seq = heard.done_seq;
        (self.asked_seq, self.answered) = (heard.asked_seq, heard.answered);
        self.state = heard.state;
        let is_own = session.status() == SessionStatus::Assigned && self.owns(session);
        if !(is_own || is_new || self.stays(session)) {
            return Ok(());
        }
        let mut promised = is_own && heard.gave_up;
        match heard.redo {
            Some(acts) => {
                promised &= !acts.iter().any(|act| matches!(act, Act::HandOver { .. }));
                let done = self.perform(&now, acts, (heard.done_seq, 0), Instant::now(), None);
                if let Err(error) = done.await {
                    // What it says to the same message by now may be something else: then the first word stands.
                    tracing::debug!(conversation.id = %self.conversation, %error, "nothing is added");
                }
            }
            None => promised |= is_own && self.state.handed_over().is_some(),
        }
        if promised {
            // It said that a person comes, and died before it could ask for one.
            now.voice.hand_over(None, !now.around.attended).await?;
            return Ok(());
        }
        for (seq, content) in heard.rest {
            self.heard_seq = seq;
            self.answer(seq, &content).await?;
        }
        Ok(())
    }

    /// Hears again, on a thread where that keeps nobody waiting.
    async fn hear_again(
        &self,
        now: &Now,
        entries: Vec<Entry>,
        intent: String,
    ) -> Result<again::Heard, EngineError> {
        let turn = Arc::clone(&self.shared.thoughts).acquire_owned().await;
        let turn = turn.map_err(|_| unavailable())?;
        let (mind, language, around) = (now.mind.clone(), self.language.clone(), now.around);
        let (conversation, bot) = (self.conversation, setup::id_of(self.account));
        let recent_since_ms = now_ms() - RECENT_MS;
        let heard = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let (bot, language, intent) = (&bot, &language, &intent);
            let whose = Whose { conversation, bot, language, intent, around, recent_since_ms };
            again::hear(&mind, &entries, whose)
        });
        heard.await.map_err(|_| unavailable())
    }

    /// What the bot acts with now; none where its account has no bot here any more.
    async fn now(&self, session: &chat::Session) -> Result<Option<Now>, EngineError> {
        let parts = &self.shared.parts;
        let Some(account) = parts.bots.of(self.account) else { return Ok(None) };
        let model = parts.models.of(self.account).await.filter(|model| model.features.answers);
        let Some(inbox) = account.inboxes.get(&session.inbox) else { return Ok(None) };
        let base = match parts.knowledge.get(self.account).await {
            Ok(base) => Some(base),
            // Flows and the way to people work without.
            Err(error) => {
                tracing::warn!(account.id = %self.account, %error, "the bot knows no articles");
                None
            }
        };
        let known = base.as_ref().map(|base| (base.version, &base.knowledge));
        let Some(mind) = account.mind(&session.inbox, model.is_some(), known) else {
            return Ok(None);
        };
        let opening = inbox.hours.at(now_ms());
        let opens_at = opening
            .opens_at_ms
            .map(|at_ms| OpensAt { at_ms, utc_offset_minutes: opening.utc_offset_minutes });
        let attended =
            opening.is_open && session.inbox.parse().is_ok_and(|inbox| parts.view.attended(inbox));
        let voice = Voice {
            engine: Arc::clone(&parts.engine),
            principal: setup::principal(self.account, mind.config(), &self.language),
            conversation: self.conversation,
        };
        let help = deeds::Help { inbox_key: inbox.key.clone() };
        let contact_known = !attended && self.contact_known().await;
        let around = Around { attended, contact_known, opens_at };
        Ok(Some(Now { mind, model, account, voice, help, around }))
    }

    /// Whether the team can reach the visitor by e-mail or phone.
    async fn contact_known(&self) -> bool {
        let Ok(visitor) = self.visitor.parse() else { return false };
        let projections = &self.shared.parts.engine.projections;
        match projections.contact_of(self.account, visitor).await {
            Ok(contact) => !contact.email.is_empty() || !contact.phone.is_empty(),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "the bot asks for an address that may be known");
                false
            }
        }
    }

    /// Whether the bot of this server has the session.
    fn owns(&self, session: &chat::Session) -> bool {
        let id = setup::id_of(self.account);
        session.owner.as_ref().is_some_and(|owner| owner.id == id)
    }

    /// Whether the bot waits in a queue with the visitor, to take down an address.
    fn stays(&self, session: &chat::Session) -> bool {
        let id = setup::id_of(self.account);
        session.owner.is_none() && session.participants.iter().any(|other| other.id == id)
    }

    /// What became of the session meanwhile.
    async fn follow(&mut self, events: &[SessionEvent]) -> Result<(), EngineError> {
        let id = setup::id_of(self.account);
        for event in events {
            let by = event.actor.as_ref().map_or(ActorKind::Unspecified, chat::Actor::kind);
            match &event.change {
                Some(Change::Queued(queued)) if queued.from_owner == id => {
                    self.left(by).await?;
                }
                Some(Change::Transferred(to)) if to.from_owner == id => self.left(by).await?,
                Some(Change::Assigned(assigned)) if assigned.former_owner == id => {
                    self.end(BotOutcome::HandedOver, "taken_over").await;
                }
                Some(Change::Closed(_)) if self.owns(&self.last) => {
                    let outcome = if self.answered > 0 {
                        BotOutcome::Contained
                    } else {
                        BotOutcome::NoAnswer
                    };
                    self.end(outcome, "").await;
                }
                // The session may be from before the bot took it.
                Some(Change::IntentSet(set)) if self.took && !self.is_over => {
                    self.sorted(&set.intent).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The session left the bot for a queue: by itself, by the visitor, or because it did not answer.
    async fn left(&mut self, by: ActorKind) -> Result<(), EngineError> {
        if self.is_over {
            return Ok(());
        }
        let reason = match by {
            ActorKind::Visitor => Reason::Asked,
            _ => self.state.handed_over().unwrap_or(Reason::BotFailed),
        };
        if self.state.handed_over().is_none()
            && let Some(now) = self.now(&self.last).await?
        {
            // Nobody has told the team yet what it is about.
            let moment = now.moment(&self.language, &self.last.intent);
            let acts = now.mind.give_up(&mut self.state, reason, &moment);
            for act in acts {
                if let Act::HandOver { brief, why, .. } = act {
                    let seq = self.heard_seq;
                    now.voice.note(&brief, (seq, LEFT)).await;
                    let content = deeds::why(&why, seq, 0, None);
                    now.voice.tell_team(content, (seq, LEFT + 1)).await;
                }
            }
        }
        self.end(BotOutcome::HandedOver, reason.as_str()).await;
        Ok(())
    }

    /// It was found out what the visitor wants, after the bot had begun to answer.
    async fn sorted(&mut self, intent: &str) -> Result<(), EngineError> {
        if self.is_over || self.state.handed_over().is_some() {
            return Ok(());
        }
        let Some(now) = self.now(&self.last).await? else { return Ok(()) };
        let reason = match intent {
            "complaint" if now.mind.config().handover.on_complaint => Reason::Complaint,
            "human" => Reason::Asked,
            _ => return Ok(()),
        };
        if now.mind.config().mode == Mode::Suggest {
            return Ok(());
        }
        let moment = now.moment(&self.language, intent);
        let acts = now.mind.give_up(&mut self.state, reason, &moment);
        self.perform(&now, acts, (self.heard_seq, SORTED), Instant::now(), None).await
    }

    async fn end(&mut self, outcome: BotOutcome, reason: &str) {
        self.asked = None;
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        self.keep(outcome, reason).await;
    }

    /// Writes down what became of the session, for the figures.
    async fn keep(&self, outcome: BotOutcome, reason: &str) {
        let (Ok(session), Ok(inbox)) = (self.last.id.parse(), self.last.inbox.parse()) else {
            return;
        };
        let row = BotSession {
            session,
            conversation: self.conversation,
            inbox,
            at_ms: self.began_ms,
            outcome,
            reason: reason.to_owned(),
            turns: u64::from(self.state.turns()),
            answered: self.answered,
        };
        let catalog = &self.shared.parts.engine.catalog;
        if let Err(error) = catalog.keep_bot_session(self.account, &row).await {
            trouble::tell(&error, "what became of a bot's session");
        }
    }

    /// The visitor said something.
    async fn answer(&mut self, seq: u64, content: &Content) -> Result<(), EngineError> {
        let began = Instant::now();
        let Some(now) = self.now(&self.last).await? else { return Ok(()) };
        let input = Input::of(content, self.asked_seq);
        let acts = self.think(&now, input).await?;
        if let Some(asked) = &self.asked
            && self.state.waits_for_llm() != Some(asked.turn)
        {
            // Nobody waits for that answer any more.
            asked.voice.draft(false, "").await;
            self.asked = None;
        }
        if acts == [Act::Nothing] {
            return Ok(());
        }
        let suggests = now.mind.config().mode == Mode::Suggest;
        let takes = !suggests && !self.took;
        if takes {
            // Of several who want it the first in the log has it.
            now.voice.order(Order::Take(wire::Take {})).await?;
            self.took = true;
        }
        self.perform(&now, acts, (seq, 0), began, None).await?;
        if takes && !self.is_over {
            self.keep(BotOutcome::Open, "").await;
        }
        Ok(())
    }

    /// Lets the mind decide, on a thread where that keeps nobody waiting.
    async fn think(&mut self, now: &Now, input: Input) -> Result<Vec<Act>, EngineError> {
        let turn = Arc::clone(&self.shared.thoughts).acquire_owned().await;
        let turn = turn.map_err(|_| unavailable())?;
        let mut state = std::mem::take(&mut self.state);
        let (mind, language) = (now.mind.clone(), self.language.clone());
        let (intent, around) = (self.last.intent.clone(), now.around);
        let thought = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let moment = moment(&language, &intent, around);
            let acts = mind.hear(&mut state, &input.heard(moment));
            (state, acts)
        });
        let (state, acts) = thought.await.map_err(|_| unavailable())?;
        self.state = state;
        Ok(acts)
    }

    /// Does what was decided `about` the visitor's message with a seq, from the number of the first thing that is
    /// said about it on.
    async fn perform(
        &mut self,
        now: &Now,
        acts: Vec<Act>,
        about: (u64, u16),
        began: Instant,
        used: Option<&Used>,
    ) -> Result<(), EngineError> {
        let (seq, mut number) = about;
        let voice = &now.voice;
        let is_away = acts.iter().any(|act| matches!(act, Act::TakeMessage { .. }));
        for act in acts {
            if let Some(content) = deeds::said(&act, &now.help) {
                let (answers, asks) = (again::is_answer(&content), again::is_question(&content));
                let placed = voice.say(content, Audience::Everyone, (seq, number)).await?;
                self.answered += u64::from(answers);
                if asks {
                    self.asked_seq = placed;
                }
                number += 1;
                if let Some(why) = act.why() {
                    let content = deeds::why(why, placed, took_ms(began), used);
                    voice.tell_team(content, (seq, number)).await;
                    number += 1;
                }
                continue;
            }
            match act {
                Act::Suggest { text, found, .. } => {
                    let content = deeds::suggestion(&text, &found, &now.help);
                    voice.tell_team(content, (seq, number)).await;
                    number += 1;
                }
                // It waits in the queue with the visitor, and the team has been told.
                Act::HandOver { .. } if self.is_over => {}
                Act::HandOver { team, brief, why, .. } => {
                    // First of all: the visitor has been told that a person comes.
                    let team = team.and_then(|name| now.account.teams.get(&name).copied());
                    voice.hand_over(team, is_away).await?;
                    voice.note(&brief, (seq, number)).await;
                    let content = deeds::why(&why, seq, took_ms(began), used);
                    voice.tell_team(content, (seq, number + 1)).await;
                    number += 2;
                }
                Act::Close => voice.order(Order::Close(wire::Close {})).await?,
                Act::AskLlm { turn, question, language, passages, history } => {
                    let conversation = self.conversation;
                    let text = question;
                    let question =
                        Question { conversation, turn, text, language, passages, history };
                    self.ask_model(now, question, (seq, number), began).await;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks the account's language model; the answer comes to [`Self::model_said`].
    async fn ask_model(
        &mut self,
        now: &Now,
        question: Question,
        about: (u64, u16),
        began: Instant,
    ) {
        let voice = now.voice.clone();
        voice.draft(true, "").await;
        self.asked = match &now.model {
            Some(model) => {
                Some(model::ask(Arc::clone(model), question, &now.help, voice, about, began))
            }
            // It was switched off meanwhile: what was asked fails.
            None => {
                let (_, said) = mpsc::channel(1);
                Some(Asked { turn: question.turn, voice, about, began, said })
            }
        };
    }
}

/// Whether one of the events took the session from the bot, or ended it while the bot had it.
pub(super) fn left_bot(events: &[SessionEvent], bot: &str) -> bool {
    events.iter().any(|event| match &event.change {
        Some(Change::Queued(queued)) => queued.from_owner == bot,
        Some(Change::Transferred(to)) => to.from_owner == bot,
        Some(Change::Assigned(assigned)) => assigned.former_owner == bot,
        _ => false,
    })
}

/// Whether nobody has had the session yet, and its visitor wants no person in particular: a bot may take it.
pub(super) fn is_new(session: &chat::Session) -> bool {
    session.status() == SessionStatus::Queued
        && session.assigned_at_ms == 0
        && !session.asked_for_person
}

/// Whether it is no news, but a reminder that somebody may wait here.
pub(super) fn is_reminder(news: &BotNews) -> bool {
    news.said.is_empty() && news.events.is_empty()
}

/// The next thing a language model says; waits for ever where none was asked.
async fn model_says(asked: Option<&mut Asked>) -> Option<Said> {
    match asked {
        Some(asked) => asked.said.recv().await,
        None => std::future::pending().await,
    }
}

fn took_ms(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn kind_of(entry: &Entry) -> ActorKind {
    entry.actor.as_ref().map_or(ActorKind::Unspecified, chat::Actor::kind)
}

impl Now {
    fn moment<'a>(&self, language: &'a str, intent: &'a str) -> Moment<'a> {
        moment(language, intent, self.around)
    }
}

pub(super) fn moment<'a>(language: &'a str, intent: &'a str, around: Around) -> Moment<'a> {
    Moment {
        now_ms: now_ms(),
        language,
        intent: (!intent.is_empty()).then_some(intent),
        attended: around.attended,
        contact_known: around.contact_known,
        opens_at: around.opens_at,
    }
}

/// What a visitor said, as the mind takes it.
pub(super) struct Input {
    pub(super) text: String,
    pub(super) choice: String,
    pub(super) form: Vec<(String, String)>,
}

impl Input {
    /// What was said when the newest question stood at a seq: what answers an older one by a button or a form counts
    /// as its words alone.
    pub(super) fn of(content: &Content, asked_seq: u64) -> Self {
        let mut input = Self { text: String::new(), choice: String::new(), form: Vec::new() };
        let is_newest = content.quote_seq == asked_seq;
        if is_newest {
            input.choice.clone_from(&content.choice);
        }
        match &content.kind {
            Some(Kind::Text(text)) => input.text.clone_from(&text.body),
            Some(Kind::FormReply(reply)) if !is_newest => {
                let values = reply.values.iter().map(|of| of.value.as_str());
                input.text = values.collect::<Vec<_>>().join(" ");
            }
            Some(Kind::FormReply(reply)) => {
                let values = reply.values.iter();
                input.form = values.map(|of| (of.id.clone(), of.value.clone())).collect();
            }
            _ => {}
        }
        input
    }

    pub(super) fn heard<'a>(&'a self, moment: Moment<'a>) -> Heard<'a> {
        Heard {
            text: &self.text,
            choice: (!self.choice.is_empty()).then_some(self.choice.as_str()),
            form: &self.form,
            moment,
        }
    }
}
