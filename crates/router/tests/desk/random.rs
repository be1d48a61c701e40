//! Random lives of an account.

use frontdesk_core::{
    chat::{self, SessionStatus},
    store::change::Change,
};
use frontdesk_protocol::wire::Presence;
use frontdesk_router::desk::{Bot, Holder, InboxProfile, Input, Routing};
use proptest::prelude::*;

use super::world::{World, agent, assigned_to, change, closed, open_inbox, profile, team};

const AGENTS: u8 = 4;
const VISITORS: u8 = 8;

#[derive(Debug, Clone, Copy)]
enum Event {
    VisitorWrites(u8, Option<u8>),
    OwnerWrites(u8),
    Presence(u8, Presence),
    Connected(u8, bool),
    Agent { number: u8, capacity: u32, enabled: bool, in_team: bool },
    AgentGone(u8),
    Inbox { manual: bool, open: bool, of_team: bool, waits: bool, bot: bool },
    BotTakes(u8),
    Take(u8, u8),
    Close(u8),
    Requeue(u8),
    Pend(u8, i64),
    Urgent(u8),
    Intent(u8, bool),
    FoldOne,
    FoldAll,
    LoseProposals,
    Pass(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let visitor = || 1..=VISITORS;
    let staff = || 1..=AGENTS;
    let presence =
        prop_oneof![Just(Presence::Online), Just(Presence::Away), Just(Presence::Offline)];
    prop_oneof![
        6 => (visitor(), proptest::option::of(Just(7_u8)))
            .prop_map(|(v, team)| Event::VisitorWrites(v, team)),
        4 => visitor().prop_map(Event::OwnerWrites),
        3 => (staff(), presence).prop_map(|(a, p)| Event::Presence(a, p)),
        4 => (staff(), any::<bool>()).prop_map(|(a, on)| Event::Connected(a, on)),
        3 => (staff(), 0..4_u32, any::<bool>(), any::<bool>()).prop_map(
            |(number, capacity, enabled, in_team)| Event::Agent { number, capacity, enabled, in_team }
        ),
        1 => staff().prop_map(Event::AgentGone),
        1 => (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(manual, open, of_team, waits, bot)| Event::Inbox {
                manual,
                open,
                of_team,
                waits,
                bot,
            }),
        1 => visitor().prop_map(Event::BotTakes),
        2 => (visitor(), staff()).prop_map(|(v, a)| Event::Take(v, a)),
        2 => visitor().prop_map(Event::Close),
        1 => visitor().prop_map(Event::Requeue),
        1 => (visitor(), 1..7_200_000_i64).prop_map(|(v, ms)| Event::Pend(v, ms)),
        1 => visitor().prop_map(Event::Urgent),
        2 => (visitor(), any::<bool>()).prop_map(|(v, moves)| Event::Intent(v, moves)),
        6 => Just(Event::FoldOne),
        4 => Just(Event::FoldAll),
        1 => Just(Event::LoseProposals),
        5 => prop_oneof![1..2_000_i64, 1..200_000_i64, 1..4_000_000_i64].prop_map(Event::Pass),
    ]
}

/// What the test knows about the agents, kept apart from the desk.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    exists: bool,
    capacity: u32,
    enabled: bool,
    connected: bool,
    online: bool,
}

struct Life {
    world: World,
    known: [Known; AGENTS as usize + 1],
}

impl Life {
    fn step(&mut self, event: Event) {
        let world = &mut self.world;
        let before = world.log.len();
        match event {
            Event::VisitorWrites(v, to) => world.visitor_writes_to(v, to.map(team)),
            Event::OwnerWrites(v) => world.owner_writes(v),
            Event::Presence(a, presence) => {
                let known = &mut self.known[a as usize];
                known.online = known.exists && presence == Presence::Online;
                world.feed(vec![Input::Presence(agent(a), presence)]);
            }
            Event::Connected(a, connected) => {
                let known = &mut self.known[a as usize];
                known.connected = known.exists && connected;
                world.feed(vec![Input::Connected(agent(a), connected)]);
            }
            Event::Agent { number, capacity, enabled, in_team } => {
                let known = &mut self.known[number as usize];
                *known = Known { exists: true, capacity, enabled, ..*known };
                let mut profile = profile(number, capacity);
                profile.enabled = enabled;
                if in_team {
                    profile.teams.insert(team(7));
                }
                world.feed(vec![Input::Agent(profile)]);
            }
            Event::AgentGone(a) => {
                self.known[a as usize] = Known::default();
                world.feed(vec![Input::AgentGone(agent(a))]);
            }
            Event::Inbox { manual, open, of_team, waits, bot } => {
                let routing = if manual { Routing::Manual } else { Routing::Auto };
                let teams = of_team.then(|| team(7)).into_iter().collect();
                world.feed(vec![Input::Inbox(InboxProfile {
                    routing,
                    open,
                    teams,
                    intent_wait_ms: if waits { 2_000 } else { 0 },
                    bot: bot.then_some(Bot::BuiltIn),
                    ..open_inbox()
                })]);
            }
            Event::Take(v, a) => world.change(v, assigned_to(a)),
            Event::BotTakes(v) => {
                let owner = Some(super::of_a_bot());
                world.change(v, Change::Assigned(chat::Assigned { owner, ..Default::default() }));
            }
            Event::Close(v) => world.change(v, closed()),
            Event::Requeue(v) => {
                let waiting_since_ms = world.now_ms;
                world.change(
                    v,
                    Change::Queued(chat::Queued { waiting_since_ms, ..Default::default() }),
                );
            }
            Event::Pend(v, ms) => {
                let owned = world
                    .sessions
                    .get(&super::conversation(v))
                    .is_some_and(|session| session.status() == SessionStatus::Assigned);
                if owned {
                    let until_ms = world.now_ms + ms;
                    world.change(v, Change::Pended(chat::Pended { until_ms }));
                }
            }
            Event::Urgent(v) => {
                world.change(v, Change::PrioritySet(chat::PrioritySet { priority: 4 }));
            }
            Event::Intent(v, moves) => {
                let to_team = if moves { team(7).to_string() } else { String::new() };
                let intent = "sales".to_owned();
                world.change(
                    v,
                    Change::IntentSet(chat::IntentSet { intent, to_team, ..Default::default() }),
                );
            }
            Event::FoldOne => world.fold_one(),
            Event::FoldAll => world.fold(),
            Event::LoseProposals => {
                world.log.clear();
                world.now_ms += 10_000;
                world.feed(Vec::new());
            }
            Event::Pass(ms) => world.pass(ms),
        }
        self.check(before);
    }

    /// The rules that hold after every step.
    fn check(&self, before: usize) {
        let world = &self.world;
        let now_ms = world.now_ms;
        assert_eq!(world.desk.violations(now_ms), []);

        // No session is lost, and each has one holder and a deadline.
        let report = world.desk.waiting(now_ms);
        let open = world.sessions.iter().filter(|(_, s)| s.status() != SessionStatus::Closed);
        assert_eq!(report.len(), open.clone().count());
        for (id, session) in open {
            let lines: Vec<_> = report.iter().filter(|line| line.conversation == *id).collect();
            assert_eq!(lines.len(), 1);
            let in_queue = matches!(lines[0].holder, Holder::Queue { .. });
            assert_eq!(in_queue, session.status() == SessionStatus::Queued, "{session:?}");
            assert!(lines[0].deadline_ms > 0);
        }

        // New assignments go to agents who are there.
        for proposed in world.log.iter().skip(before) {
            if let Some(number) = assignee(&change(proposed)) {
                let known = self.known[number as usize];
                assert!(known.exists && known.enabled, "{known:?}");
                assert!(known.connected && known.online, "{known:?}");
            }
        }
    }

    /// Nobody is above capacity by a proposal of the desk: owned and proposed sessions together.
    fn check_capacity(&self, event: &Event, proposed_before: usize) {
        let world = &self.world;
        for proposed in world.log.iter().skip(proposed_before) {
            let session = &world.sessions[&proposed.conversation];
            let Some(number) = assignee(&change(proposed)) else { continue };
            if session.version != proposed.version {
                continue;
            }
            let owned = (1..=VISITORS)
                .filter(|v| world.sessions.contains_key(&super::conversation(*v)))
                .filter(|v| world.owner(*v) == Some(agent(number)))
                .count();
            let coming = world
                .log
                .iter()
                .filter(|other| assignee(&change(other)) == Some(number))
                .filter(|other| world.sessions[&other.conversation].version == other.version)
                .count();
            let capacity = self.known[number as usize].capacity as usize;
            assert!(owned + coming <= capacity, "{owned} + {coming} > {capacity} by {event:?}");
        }
    }
}

fn assignee(change: &Change) -> Option<u8> {
    match change {
        Change::Assigned(chat::Assigned { owner: Some(owner), .. }) => {
            (1..=AGENTS).find(|number| owner.id == agent(*number).to_string())
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn nobody_is_left_waiting(events in proptest::collection::vec(event(), 1..120)) {
        let mut life = Life { world: World::new(), known: Default::default() };
        for event in events {
            // A step may fold what was in the log; only what is new is the step's own.
            let folds = matches!(event, Event::FoldOne | Event::FoldAll | Event::Pass(_) | Event::LoseProposals);
            let before = if folds { 0 } else { life.world.log.len() };
            life.step(event);
            if !folds {
                life.check_capacity(&event, before);
            }
        }
        // In the end somebody comes to work, and everybody who waits is served.
        life.world.fold();
        life.step(Event::Inbox { manual: false, open: true, of_team: false, waits: true, bot: true });
        for number in 1..=AGENTS {
            life.step(Event::Agent { number, capacity: 20, enabled: true, in_team: true });
            life.step(Event::Presence(number, Presence::Online));
            life.step(Event::Connected(number, true));
        }
        life.step(Event::Pass(2_000));
        for number in 1..=VISITORS {
            if let Some(session) = life.world.sessions.get(&super::conversation(number)) {
                prop_assert_ne!(session.status(), SessionStatus::Queued);
            }
        }
    }
}
