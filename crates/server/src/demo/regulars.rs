//! Customers of the shop who come back, and what its bot did for them. Their sessions are in the log as if they had
//! happened, each with a line in the bot's figures.
//!
//! A customer begins with `== name` and a line of facts ([`super::scenes`]). Visits follow, each of them a session:
//!
//! ```text
//! at 2d6h rated=5   begins so long ago
//! v  the customer writes; while the bot has the session, it answers
//! p  the customer asks for a person
//! a name  somebody answers who has taken over
//! ```
//! What the bot says is decided by its own rules from the demo's articles, so that "why" is true.

use anyhow::Context as _;
use frontdesk_bot::{Act as BotAct, BotConfig, Heard, Mind, Moment, Reason, State, Why};
use frontdesk_catalog::{BotOutcome, BotSession};
use frontdesk_core::{
    chat::{self, Actor, ActorKind, Audience, CloseReason},
    id::SessionId,
    store::change::Change,
};
use frontdesk_knowledge::{Knowledge, Options};

use super::{
    Name, Stage, bot,
    people::{self, Cast},
    scenes::{Colleague, Scene, TeamName, span_ms},
    seed::{Act, Player, text_content},
};
use crate::node::bots::deeds::{self, Help};

const TEXT: &str = include_str!("scenes/bot.txt");
const SECOND_MS: i64 = 1_000;
/// From a message to the bot's answer.
const BOT_MS: i64 = 40;
/// From the bot's answer to what the customer says about it.
const READS_MS: i64 = 25 * SECOND_MS;
/// From the queue to a person, and from there to each message of theirs.
const PERSON_MS: i64 = 20 * SECOND_MS;

/// A customer.
#[derive(Debug)]
struct Regular {
    /// Who writes, and from where; without lines.
    scene: Scene,
    visits: Vec<Visit>,
}

/// A session.
#[derive(Debug)]
struct Visit {
    ago_ms: i64,
    rating: u32,
    deeds: Vec<Deed>,
}

#[derive(Debug)]
enum Deed {
    Says(&'static str),
    AsksForPerson,
    Answers(Colleague, &'static str),
}

fn parse(text: &'static str) -> anyhow::Result<Vec<Regular>> {
    let mut regulars = Vec::new();
    for part in text.split("\n== ").skip(1) {
        let mut lines = part.lines().map(str::trim).filter(|line| !line.is_empty());
        let name = lines.next().unwrap_or_default();
        let facts = lines.next().unwrap_or_default();
        let scene = Scene::new(name, facts).with_context(|| format!("{name}: {facts:?}"))?;
        let mut visits: Vec<Visit> = Vec::new();
        for line in lines {
            read_line(&mut visits, line).with_context(|| format!("{name}: {line:?}"))?;
        }
        regulars.push(Regular { scene, visits });
    }
    Ok(regulars)
}

fn read_line(visits: &mut Vec<Visit>, line: &'static str) -> Option<()> {
    let (kind, text) = line.split_once(' ').unwrap_or((line, ""));
    if kind == "at" {
        let (ago, rating) = text.split_once(" rated=").unwrap_or((text, "0"));
        let (ago_ms, rating) = (span_ms(ago)?, rating.parse().ok()?);
        visits.push(Visit { ago_ms, rating, deeds: Vec::new() });
        return Some(());
    }
    visits.last_mut()?.deeds.push(match kind {
        "v" => Deed::Says(text),
        "p" => Deed::AsksForPerson,
        "a" => {
            let (who, text) = text.split_once(' ')?;
            Deed::Answers(who.parse().ok()?, text)
        }
        _ => return None,
    });
    Some(())
}

/// How the bot decides in the shop's inbox, as it is set up at first.
fn mind(knowledge: Knowledge) -> anyhow::Result<Mind> {
    let config = BotConfig { name: bot::names(), ..BotConfig::default() };
    Ok(Mind::new(config, Some(knowledge), bot::flows()?))
}

/// Plays all visits; returns what the customers are called.
pub(super) async fn play(stage: &Stage<'_>, now_ms: i64) -> anyhow::Result<Vec<Name>> {
    let mut player = Player::new(stage, now_ms, 0).await?;
    let account = player.cast.account;
    let articles = bot::articles_of(stage.catalog, account).await?;
    let knowledge = Knowledge::build(&articles, Options::default());
    let mind = mind(knowledge.context("cannot index the demo's articles")?)?;
    let key = Cast::shop(stage.catalog).await?.public_key;
    let mut kept = Vec::new();
    for regular in parse(TEXT)? {
        let Some(first) = regular.visits.first() else { continue };
        let act = player.act(&regular.scene, now_ms - first.ago_ms)?;
        player.note_name(&act);
        let mut play = Play {
            player: &mut player,
            mind: &mind,
            key: &key,
            act,
            at_ms: 0,
            seq: 0,
            heard_seq: 0,
        };
        for visit in &regular.visits {
            kept.push(play.visit(visit).await?);
        }
    }
    let names = player.append()?;
    for session in &kept {
        stage.catalog.keep_bot_session(account, session).await.context("cannot keep figures")?;
    }
    Ok(names)
}

/// One customer's conversation on its way into the log.
struct Play<'a, 'p> {
    player: &'a mut Player<'p>,
    mind: &'a Mind,
    /// Names the shop's inbox in addresses.
    key: &'a str,
    act: Act<'a>,
    /// The demo's clock in this conversation.
    at_ms: i64,
    /// Entries so far: the log numbers them, and "why" names one.
    seq: u64,
    /// The customer's newest message.
    heard_seq: u64,
}

/// A session as far as it has been played.
struct Course {
    state: State,
    id: Option<SessionId>,
    /// Whoever has it, once the bot has it no more.
    owner: Option<Actor>,
    handed_over: Option<Reason>,
    answered: u64,
}

impl Play<'_, '_> {
    async fn visit(&mut self, visit: &Visit) -> anyhow::Result<BotSession> {
        let began_ms = self.player.now_ms - visit.ago_ms;
        self.at_ms = began_ms;
        let mut course = Course {
            state: State::default(),
            id: None,
            owner: None,
            handed_over: None,
            answered: 0,
        };
        for deed in &visit.deeds {
            match deed {
                Deed::Says(text) => {
                    let customer = self.act.visitor.clone();
                    let id = self.send(customer, text_content((*text).to_owned()), false);
                    self.heard_seq = self.seq;
                    if course.id.is_none() {
                        course.id = Some(id);
                        self.player.sort(&self.act, text, self.at_ms).await;
                        let bot = self.bot();
                        self.at_ms += BOT_MS;
                        self.assign(&bot, &bot);
                    }
                    if course.handed_over.is_none() {
                        self.answer(&mut course, text)?;
                    }
                    self.at_ms += READS_MS;
                }
                Deed::AsksForPerson => {
                    let customer = self.act.visitor.clone();
                    self.queue(&customer);
                    let moment = self.moment();
                    let mut acts = self.mind.give_up(&mut course.state, Reason::Asked, &moment);
                    // It has nothing to say any more to whoever has left it.
                    acts.retain(|act| matches!(act, BotAct::HandOver { .. }));
                    self.perform(&mut course, acts)?;
                }
                Deed::Answers(who, text) => {
                    self.at_ms += PERSON_MS;
                    let owner = self.player.cast.agent(who.name());
                    let owner = owner.with_context(|| format!("{} is gone", who.name()))?;
                    if course.owner.is_none() {
                        let router = Actor { kind: ActorKind::System.into(), ..Actor::default() };
                        self.assign(&router, &owner);
                        self.at_ms += PERSON_MS;
                    }
                    self.send(owner.clone(), text_content((*text).to_owned()), false);
                    course.owner = Some(owner);
                    self.at_ms += READS_MS;
                }
            }
        }
        self.end(&course, visit.rating);
        let outcome = match course.handed_over {
            Some(_) => BotOutcome::HandedOver,
            None if course.answered > 0 => BotOutcome::Contained,
            None => BotOutcome::NoAnswer,
        };
        Ok(BotSession {
            session: course.id.context("nothing was said")?,
            conversation: self.act.conversation,
            inbox: self.player.cast.shop,
            at_ms: began_ms,
            outcome,
            reason: course.handed_over.map(|reason| reason.as_str().to_owned()).unwrap_or_default(),
            turns: u64::from(course.state.turns()),
            answered: course.answered,
        })
    }

    fn bot(&self) -> Actor {
        bot::actor(self.player.cast.account, self.act.scene.language)
    }

    fn moment(&self) -> Moment<'static> {
        Moment {
            now_ms: self.at_ms,
            language: self.act.scene.language.tag(),
            attended: true,
            ..Moment::default()
        }
    }

    fn answer(&mut self, course: &mut Course, text: &str) -> anyhow::Result<()> {
        let moment = self.moment();
        let acts = self.mind.hear(&mut course.state, &Heard { text, moment, ..Heard::default() });
        self.perform(course, acts)?;
        if course.handed_over.is_some() {
            let bot = self.bot();
            self.queue(&bot);
        }
        Ok(())
    }

    fn perform(&mut self, course: &mut Course, acts: Vec<BotAct>) -> anyhow::Result<()> {
        let bot = self.bot();
        for act in acts {
            match act {
                BotAct::Say { text, .. } => {
                    self.send(bot.clone(), text_content(text), false);
                }
                BotAct::Answer { text, found, why } => {
                    let help = Help { inbox_key: self.key.to_owned() };
                    let sources = found.iter().map(|found| help.source(found)).collect();
                    let content = chat::Content { sources, ..text_content(text) };
                    self.send(bot.clone(), content, false);
                    course.answered += 1;
                    let answer = self.seq;
                    self.say_why(&bot, &why, answer);
                }
                BotAct::HandOver { reason, brief, why, .. } => {
                    self.send(bot.clone(), text_content(brief), true);
                    let heard = self.heard_seq;
                    self.say_why(&bot, &why, heard);
                    course.handed_over = Some(reason);
                }
                other => anyhow::bail!("a visit shows what is not played: {other:?}"),
            }
        }
        Ok(())
    }

    /// Why the bot did what it did about the entry `seq`, for the team.
    fn say_why(&mut self, bot: &Actor, why: &Why, seq: u64) {
        self.send(bot.clone(), deeds::why(why, seq, BOT_MS.unsigned_abs(), None), true);
    }

    /// Returns the id of the session, should this be its first message.
    fn send(&mut self, by: Actor, content: chat::Content, to_team: bool) -> SessionId {
        let audience = if to_team { Audience::Team } else { Audience::Everyone };
        self.seq += 1;
        self.player.send(&mut self.act, by, self.at_ms, content, audience)
    }

    fn assign(&mut self, by: &Actor, owner: &Actor) {
        let owner = if owner.kind() == ActorKind::Bot {
            bot::participant(owner)
        } else {
            people::participant(owner)
        };
        let assigned = chat::Assigned { owner: Some(owner), ..chat::Assigned::default() };
        self.change(by, Change::Assigned(assigned));
    }

    /// To the people of the shop.
    fn queue(&mut self, by: &Actor) {
        let team = self.player.cast.team(TeamName::Sales).to_string();
        self.change(by, Change::Queued(chat::Queued { team, ..chat::Queued::default() }));
    }

    /// A change that leaves a line in the conversation.
    fn change(&mut self, by: &Actor, change: Change) {
        self.seq += 1;
        self.player.change(&self.act, by, self.at_ms, change);
    }

    fn end(&mut self, course: &Course, rating: u32) {
        self.at_ms += PERSON_MS;
        let customer = self.act.visitor.clone();
        match &course.owner {
            Some(owner) => {
                let closed = chat::Closed { reason: CloseReason::Agent.into() };
                self.change(owner, Change::Closed(closed));
            }
            None => {
                let closed = chat::Closed { reason: CloseReason::Visitor.into() };
                self.change(&customer, Change::Closed(closed));
            }
        }
        if rating > 0 {
            let rated = chat::Rated { rating, comment: String::new() };
            self.player.change(&self.act, &customer, self.at_ms + PERSON_MS, Change::Rated(rated));
        }
        self.player.all_read(&self.act, self.at_ms + PERSON_MS);
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_knowledge::demo;

    use super::*;
    use crate::demo::scenes::Language;

    /// What the bot does in each visit: how many answers, and why it gave up.
    fn outcomes() -> Vec<(String, usize, Option<Reason>)> {
        let knowledge = Knowledge::build(&demo::articles(), Options::default()).expect("an index");
        let mind = mind(knowledge).expect("flows");
        let mut outcomes = Vec::new();
        for regular in parse(TEXT).expect("it is understood") {
            let language = regular.scene.language.tag();
            for visit in &regular.visits {
                let name = format!("{} {}", regular.scene.names[0], visit.ago_ms);
                let moment = Moment { language, attended: true, ..Moment::default() };
                let (mut state, mut answers) = (State::default(), 0);
                for deed in &visit.deeds {
                    let acts = match deed {
                        Deed::Says(_) | Deed::Answers(..) if state.handed_over().is_some() => {
                            continue;
                        }
                        Deed::Says(text) => {
                            mind.hear(&mut state, &Heard { text, moment, ..Heard::default() })
                        }
                        Deed::AsksForPerson => mind.give_up(&mut state, Reason::Asked, &moment),
                        Deed::Answers(..) => panic!("{name}: the bot has it"),
                    };
                    for act in acts {
                        match act {
                            BotAct::Answer { .. } => answers += 1,
                            BotAct::Say { .. } | BotAct::HandOver { .. } => {}
                            other => panic!("{name}: {other:?}"),
                        }
                    }
                }
                let by_person = visit.deeds.iter().any(|deed| matches!(deed, Deed::Answers(..)));
                assert_eq!(by_person, state.handed_over().is_some(), "{name}");
                outcomes.push((name, answers, state.handed_over()));
            }
        }
        outcomes
    }

    #[test]
    fn the_bot_answers_most_visits_and_hands_over_for_several_reasons() {
        let outcomes = outcomes();
        for (name, answers, handed_over) in &outcomes {
            assert!(*answers > 0 || handed_over.is_some(), "{name} gets nothing");
        }
        let handed_over: Vec<Reason> = outcomes.iter().filter_map(|of| of.2).collect();
        assert_eq!((outcomes.len(), handed_over.len()), (25, 5));
        for reason in [Reason::Asked, Reason::Complaint, Reason::Unsure] {
            assert!(handed_over.contains(&reason), "{reason:?}");
        }
    }

    #[test]
    fn visits_are_of_the_last_two_weeks_and_in_both_languages() {
        let regulars = parse(TEXT).expect("it is understood");
        for regular in &regulars {
            let name = regular.scene.names[0];
            let ago: Vec<i64> = regular.visits.iter().map(|visit| visit.ago_ms).collect();
            assert!(ago.is_sorted_by(|before, after| before > after), "{name}");
            assert!(ago.iter().all(|ago| *ago < 14 * 24 * 3_600_000), "{name}");
        }
        let chinese = |regular: &&Regular| regular.scene.language == Language::Chinese;
        assert_eq!((regulars.len(), regulars.iter().filter(chinese).count()), (6, 3));
    }
}
