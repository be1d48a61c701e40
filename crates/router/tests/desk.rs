//! The session router against the rules of the product, one case each, and against random lives of an
//! account: whatever happens in whatever order, nobody is left waiting.

#[path = "desk/random.rs"]
mod random;
#[path = "desk/world.rs"]
mod world;

use std::collections::BTreeSet;

use frontdesk_core::{
    chat::{self, Participant, ParticipantKind, SessionStatus},
    id::ConversationId,
    limits::{BOT_ANSWER_MS, BOT_WAIT_MS},
    store::change::Change,
};
use frontdesk_protocol::wire::Presence;
use frontdesk_router::desk::{Bot, Holder, InboxProfile, Input, Routing, Then};
use world::{World, agent, assigned_to, closed, conversation, inbox, open_inbox, profile, team};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;

#[test]
fn the_least_busy_agent_gets_it_and_ties_go_to_who_waited_longest() {
    let mut world = World::with_agents(3, 10);
    let mut owners = Vec::new();
    for number in 1..=6 {
        world.visitor_writes(number);
        world.pass(SECOND_MS);
        owners.push(world.owner(number));
    }
    assert_eq!(owners, [1, 2, 3, 1, 2, 3].map(|number| Some(agent(number))));
    world.change(5, closed());
    world.visitor_writes(7);
    world.fold();
    assert_eq!(world.owner(7), Some(agent(2)));
}

#[test]
fn half_of_a_large_capacity_is_busier_than_a_quarter_of_it() {
    let mut world = World::new();
    world.come_online(profile(1, 2));
    world.come_online(profile(2, 8));
    for number in 1..=5 {
        world.visitor_writes(number);
        world.pass(SECOND_MS);
    }
    let of_one = (1..=5).filter(|number| world.owner(*number) == Some(agent(1))).count();
    assert_eq!(of_one, 1);
}

#[test]
fn nobody_gets_more_than_the_capacity_and_the_queue_moves_in_order() {
    let mut world = World::with_agents(1, 1);
    for number in 1..=3 {
        world.visitor_writes(number);
        world.pass(SECOND_MS);
    }
    assert_eq!(world.owner(1), Some(agent(1)));
    assert_eq!((world.owner(2), world.owner(3)), (None, None));
    assert_eq!(world.places[&conversation(2)].0, 1);
    assert_eq!(world.places[&conversation(3)].0, 2);
    let told = |world: &World, number| {
        world.desk.place(world.now_ms, conversation(number)).map(|told| told.place)
    };
    assert_eq!(told(&world, 3), Some(2), "a visitor who comes back is told again");
    assert_eq!(told(&world, 1), None);
    world.change(1, closed());
    world.pass(2 * SECOND_MS);
    assert_eq!(world.owner(2), Some(agent(1)));
    assert_eq!(world.places[&conversation(2)].0, 0);
    assert_eq!(world.places[&conversation(3)].0, 1);
}

#[test]
fn urgent_sessions_come_first() {
    let mut world = World::with_agents(1, 1);
    for number in 1..=3 {
        world.visitor_writes(number);
        world.pass(SECOND_MS);
    }
    world.change(3, Change::PrioritySet(chat::PrioritySet { priority: 3 }));
    world.change(1, closed());
    world.fold();
    assert_eq!(world.owner(3), Some(agent(1)));
}

#[test]
fn a_returning_visitor_goes_to_the_last_agent_if_free() {
    let mut world = World::with_agents(2, 2);
    world.visitor_writes(1);
    world.fold();
    world.owner_writes(1);
    world.change(1, closed());
    // Agent 2 would be next by turn.
    world.visitor_writes(1);
    world.fold();
    assert_eq!((world.owner(1), world.session(1).number), (Some(agent(1)), 2));
    world.change(1, closed());
    world.feed(vec![Input::Presence(agent(1), Presence::Away)]);
    world.visitor_writes(1);
    world.fold();
    assert_eq!(world.owner(1), Some(agent(2)));
}

#[test]
fn without_a_first_answer_the_next_agent_gets_it() {
    let mut world = World::with_agents(2, 5);
    world.visitor_writes(1);
    let since_ms = world.now_ms;
    world.pass(120 * SECOND_MS - 1);
    assert_eq!(world.owner(1), Some(agent(1)));
    world.pass(1);
    assert_eq!(world.owner(1), Some(agent(2)));
    assert_eq!(world.session(1).waiting_since_ms, since_ms);
    // Both missed it: it stays, instead of going round and round.
    world.pass(30 * MINUTE_MS);
    assert_eq!(world.owner(1), Some(agent(2)));
    assert_eq!(world.names(1), ["Assigned", "Assigned"]);
}

#[test]
fn without_a_first_answer_it_waits_in_the_queue_for_others_who_are_busy() {
    let mut world = World::with_agents(2, 1);
    world.visitor_writes(1);
    world.fold();
    world.pass(MINUTE_MS);
    world.visitor_writes(2);
    world.fold();
    world.owner_writes(2);
    world.pass(MINUTE_MS);
    assert_eq!(world.session(1).status(), SessionStatus::Queued);
    assert_eq!(world.owner(2), Some(agent(2)));
    world.change(2, closed());
    world.fold();
    assert_eq!(world.owner(1), Some(agent(2)));
}

#[test]
fn an_answer_in_time_keeps_the_session() {
    let mut world = World::with_agents(2, 5);
    world.visitor_writes(1);
    world.pass(100 * SECOND_MS);
    world.owner_writes(1);
    world.pass(10 * MINUTE_MS);
    world.visitor_writes(1);
    world.pass(10 * MINUTE_MS);
    assert_eq!(world.names(1), ["Assigned"]);
    // Even a follow-up is not forgotten for ever.
    world.pass(20 * MINUTE_MS);
    assert_eq!(world.owner(1), Some(agent(2)));
}

#[test]
fn a_short_drop_changes_nothing_and_gives_nothing_new() {
    let mut world = World::with_agents(1, 5);
    world.visitor_writes(1);
    world.fold();
    world.feed(vec![Input::Connected(agent(1), false)]);
    world.visitor_writes(2);
    world.pass(59 * SECOND_MS);
    assert_eq!(world.owner(1), Some(agent(1)));
    assert_eq!(world.session(2).status(), SessionStatus::Queued);
    assert!(!world.session(2).unattended);
    assert_eq!(world.presence[&agent(1)], Presence::Online);
    world.feed(vec![Input::Connected(agent(1), true)]);
    world.fold();
    assert_eq!((world.owner(1), world.owner(2)), (Some(agent(1)), Some(agent(1))));
}

#[test]
fn after_the_grace_waiting_visitors_are_queued_again_and_others_stay_until_they_write() {
    let mut world = World::with_agents(1, 5);
    world.visitor_writes(1);
    world.visitor_writes(2);
    world.fold();
    let since_ms = world.now_ms;
    world.owner_writes(2);
    world.feed(vec![Input::Connected(agent(1), false)]);
    world.pass(60 * SECOND_MS);
    assert_eq!(world.presence[&agent(1)], Presence::Offline);
    assert_eq!(world.session(1).status(), SessionStatus::Queued);
    assert_eq!(world.session(1).waiting_since_ms, since_ms);
    assert_eq!(world.owner(2), Some(agent(1)));
    world.visitor_writes(2);
    world.fold();
    assert_eq!(world.session(2).status(), SessionStatus::Queued);
    assert_eq!(world.names(2), ["Assigned", "Queued", "Unattended"]);
    world.feed(vec![Input::Connected(agent(1), true)]);
    world.fold();
    assert_eq!((world.owner(1), world.owner(2)), (Some(agent(1)), Some(agent(1))));
    assert_eq!(world.presence[&agent(1)], Presence::Online);
}

#[test]
fn a_disabled_agent_loses_waiting_visitors_at_once() {
    let mut world = World::with_agents(2, 5);
    world.visitor_writes(1);
    world.fold();
    let mut disabled = profile(1, 5);
    disabled.enabled = false;
    world.feed(vec![Input::Agent(disabled)]);
    world.fold();
    assert_eq!(world.owner(1), Some(agent(2)));
    world.feed(vec![Input::AgentGone(agent(2))]);
    world.fold();
    assert_eq!(world.session(1).status(), SessionStatus::Queued);
    assert!(world.session(1).unattended);
}

#[test]
fn a_silent_visitor_is_warned_and_then_the_session_closes_by_itself() {
    let mut world = World::with_agents(1, 5);
    world.visitor_writes(1);
    world.fold();
    world.owner_writes(1);
    world.pass(25 * MINUTE_MS - 1);
    assert!(!world.session(1).warned_idle);
    world.pass(1);
    assert!(world.session(1).warned_idle);
    world.pass(5 * MINUTE_MS - 1);
    assert_eq!(world.session(1).status(), SessionStatus::Assigned);
    world.pass(1);
    assert_eq!(world.session(1).status(), SessionStatus::Closed);
    assert!(world.desk.waiting(world.now_ms).is_empty());
}

#[test]
fn a_visitor_who_writes_after_the_warning_keeps_the_session_open() {
    let mut world = World::with_agents(1, 5);
    world.visitor_writes(1);
    world.fold();
    world.owner_writes(1);
    world.pass(26 * MINUTE_MS);
    world.visitor_writes(1);
    world.pass(60 * MINUTE_MS);
    assert_eq!(world.session(1).status(), SessionStatus::Assigned);
}

#[test]
fn a_late_warning_still_gives_the_announced_time() {
    let mut world = World::with_agents(1, 5);
    world.visitor_writes(1);
    world.fold();
    world.owner_writes(1);
    // Nobody called for two hours, as if the process was down.
    world.now_ms += 120 * MINUTE_MS;
    world.feed(Vec::new());
    world.fold();
    assert!(world.session(1).warned_idle);
    world.pass(5 * MINUTE_MS - 1);
    assert_eq!(world.session(1).status(), SessionStatus::Assigned);
    world.pass(1);
    assert_eq!(world.session(1).status(), SessionStatus::Closed);
}

#[test]
fn with_nobody_online_it_is_unattended_and_becomes_urgent_in_time() {
    let mut world = World::new();
    world.feed(vec![Input::Agent(profile(1, 5))]);
    world.visitor_writes(1);
    world.pass(2 * SECOND_MS);
    assert!(world.session(1).unattended);
    assert_eq!(world.places[&conversation(1)], (1, 0, false));
    assert!(!world.desk.is_attended(world.now_ms, inbox()));
    world.pass(24 * 60 * MINUTE_MS);
    assert_eq!(world.session(1).priority, 4);
    assert_eq!(world.names(1), ["Unattended", "PrioritySet"]);
    world.come_online(profile(1, 5));
    world.fold();
    assert_eq!(world.owner(1), Some(agent(1)));
}

#[test]
fn outside_hours_nothing_is_assigned() {
    let mut world = World::with_agents(1, 5);
    world.feed(vec![Input::Inbox(InboxProfile { open: false, ..open_inbox() })]);
    world.visitor_writes(1);
    world.fold();
    assert!(world.session(1).unattended);
    assert_eq!(world.owner(1), None);
    world.feed(vec![Input::Inbox(open_inbox())]);
    world.fold();
    assert_eq!(world.owner(1), Some(agent(1)));
}

#[test]
fn in_a_manual_inbox_agents_take() {
    let mut world = World::with_agents(2, 5);
    world.feed(vec![Input::Inbox(InboxProfile { routing: Routing::Manual, ..open_inbox() })]);
    world.visitor_writes(1);
    world.pass(10 * MINUTE_MS);
    assert_eq!(world.names(1), [""; 0]);
    world.change(1, assigned_to(2));
    world.pass(120 * SECOND_MS);
    // Taken and not answered: back to the queue for the others.
    assert_eq!(world.names(1), ["Queued"]);
}

#[test]
fn a_team_queue_is_served_by_its_team() {
    let mut world = World::with_agents(1, 5);
    let mut second = profile(2, 5);
    second.teams = BTreeSet::from([team(7)]);
    world.come_online(second);
    world.visitor_writes_to(1, Some(team(7)));
    world.visitor_writes_to(2, Some(team(8)));
    world.fold();
    assert_eq!(world.owner(1), Some(agent(2)));
    assert!(world.session(2).unattended);
    // The inbox's common queue, given to a team.
    let teams = BTreeSet::from([team(7)]);
    world.feed(vec![Input::Inbox(InboxProfile { teams, ..open_inbox() })]);
    world.visitor_writes(3);
    world.fold();
    assert_eq!(world.owner(3), Some(agent(2)));
}

#[test]
fn a_new_session_waits_for_its_intent_where_that_may_lead_elsewhere() {
    const WAIT_MS: i64 = 2 * SECOND_MS;
    let mut world = World::with_agents(1, 5);
    let mut second = profile(2, 5);
    second.teams = BTreeSet::from([team(7)]);
    world.come_online(second);
    world.feed(vec![Input::Inbox(InboxProfile { intent_wait_ms: WAIT_MS, ..open_inbox() })]);
    let sales = |to_team: String| {
        let intent = "sales".to_owned();
        Change::IntentSet(chat::IntentSet { intent, to_team, ..Default::default() })
    };
    world.visitor_writes(1);
    world.pass(WAIT_MS - SECOND_MS);
    assert_eq!(world.owner(1), None);
    world.change(1, sales(team(7).to_string()));
    world.fold();
    assert_eq!(world.owner(1), Some(agent(2)));
    // An intent that leads nowhere ends the wait as well, and so does time.
    world.visitor_writes(2);
    world.change(2, sales(String::new()));
    world.fold();
    assert_eq!(world.owner(2), Some(agent(1)));
    world.visitor_writes(3);
    world.pass(WAIT_MS - 1);
    assert_eq!(world.owner(3), None);
    world.pass(1);
    assert!(world.owner(3).is_some());
    // It was in somebody's hands: nobody waits again.
    let requeued = chat::Queued { waiting_since_ms: world.now_ms, ..Default::default() };
    world.change(3, Change::Queued(requeued));
    world.fold();
    assert!(world.owner(3).is_some());
}

/// Gives a session's visitor a wish for somebody who speaks Chinese.
fn wish(world: &mut World, number: u8) {
    let summary = frontdesk_router::desk::Summary {
        conversation: conversation(number),
        session: world.session(number).clone(),
        last_owner: None,
        skills: BTreeSet::from(["zh".to_owned()]),
    };
    world.feed(vec![Input::Conversation(Box::new(summary))]);
}

/// An agent 1 of no team, an agent 2 of team 7, and intents that may lead from the inbox's queue to it.
fn two_queues(wait_ms: i64) -> World {
    let mut world = World::with_agents(1, 5);
    let mut second = profile(2, 5);
    second.teams = BTreeSet::from([team(7)]);
    world.come_online(second);
    world.feed(vec![Input::Inbox(InboxProfile { intent_wait_ms: wait_ms, ..open_inbox() })]);
    world
}

fn found(intent: &str, to_team: String) -> Change {
    let intent = intent.to_owned();
    Change::IntentSet(chat::IntentSet { intent, to_team, ..Default::default() })
}

#[test]
fn nobody_is_told_that_nobody_is_there_before_the_intent_is_known() {
    const WAIT_MS: i64 = 2 * SECOND_MS;
    let mut world = two_queues(WAIT_MS);
    world.feed(vec![Input::Presence(agent(1), Presence::Offline)]);
    // Nobody of the inbox's own team is online, but somebody is where the intent leads.
    let teams = BTreeSet::from([team(8)]);
    let of_nobody = InboxProfile { intent_wait_ms: WAIT_MS, teams, ..open_inbox() };
    world.feed(vec![Input::Inbox(of_nobody)]);
    world.visitor_writes(1);
    world.pass(WAIT_MS - 1);
    assert_eq!(world.names(1), [""; 0]);
    world.change(1, found("sales", team(7).to_string()));
    world.fold();
    assert_eq!((world.owner(1), world.names(1)), (Some(agent(2)), vec!["Assigned"]));
    // Without an intent it is said when the wait ends.
    world.visitor_writes(2);
    world.pass(WAIT_MS - 1);
    assert!(!world.session(2).unattended);
    world.pass(1);
    assert!(world.session(2).unattended);
}

#[test]
fn a_session_that_an_intent_moves_has_the_deadline_of_its_new_queue() {
    let mut world = two_queues(0);
    let mut busy = profile(2, 0);
    busy.teams = BTreeSet::from([team(7)]);
    world.feed(vec![Input::Agent(busy), Input::Presence(agent(1), Presence::Offline)]);
    let teams = BTreeSet::from([team(8)]);
    world.feed(vec![Input::Inbox(InboxProfile { teams, ..open_inbox() })]);
    world.visitor_writes(1);
    world.fold();
    assert!(world.session(1).unattended);
    world.change(1, found("sales", team(7).to_string()));
    world.fold();
    assert!(!world.session(1).unattended);
    let line = &world.desk.waiting(world.now_ms)[0];
    assert_eq!(line.deadline_ms, world.session(1).waiting_since_ms + 2 * MINUTE_MS);
}

#[test]
fn a_returning_visitor_goes_where_the_intent_leads() {
    const WAIT_MS: i64 = 2 * SECOND_MS;
    let mut world = two_queues(WAIT_MS);
    let served_by_one = |world: &mut World| {
        world.visitor_writes(1);
        world.change(1, assigned_to(1));
        world.owner_writes(1);
        world.change(1, closed());
    };
    served_by_one(&mut world);
    // The last owner waits for the intent like everybody else, and has no part in another team's queue.
    world.visitor_writes(1);
    world.pass(WAIT_MS - 1);
    assert_eq!(world.owner(1), None);
    world.change(1, found("sales", team(7).to_string()));
    world.fold();
    assert_eq!(world.owner(1), Some(agent(2)));
    world.change(1, closed());
    // Nobody there: it waits in the team's queue all the same.
    served_by_one(&mut world);
    world.feed(vec![Input::Presence(agent(2), Presence::Offline)]);
    world.visitor_writes(1);
    world.change(1, found("sales", team(7).to_string()));
    world.fold();
    assert_eq!(world.owner(1), None);
    world.change(1, closed());
    world.feed(vec![Input::Presence(agent(2), Presence::Online)]);
    // Without an intent the wait is all there is to it.
    served_by_one(&mut world);
    world.visitor_writes(1);
    world.pass(WAIT_MS);
    assert_eq!(world.owner(1), Some(agent(1)));
    world.change(1, closed());
    // Who serves the team is the last owner there as well: by turn it would be agent 2.
    let mut first = profile(1, 5);
    first.teams = BTreeSet::from([team(7)]);
    world.feed(vec![Input::Agent(first)]);
    served_by_one(&mut world);
    world.visitor_writes(1);
    world.change(1, found("sales", team(7).to_string()));
    world.fold();
    assert_eq!(world.owner(1), Some(agent(1)));
}

#[test]
fn nobody_waits_for_an_intent_after_a_person_said_there_is_none() {
    let mut world = two_queues(2 * SECOND_MS);
    world.visitor_writes(1);
    world.fold();
    assert_eq!(world.owner(1), None);
    let source = chat::IntentSource::Person.into();
    world.change(1, Change::IntentSet(chat::IntentSet { source, ..Default::default() }));
    world.fold();
    assert!(world.owner(1).is_some());
}

#[test]
fn a_wish_for_skills_ends_in_time_where_nobody_was_online_at_first() {
    let mut world = World::new();
    world.feed(vec![Input::Agent(profile(1, 1))]);
    world.visitor_writes(1);
    world.fold();
    assert!(world.session(1).unattended);
    wish(&mut world, 1);
    let line = &world.desk.waiting(world.now_ms)[0];
    assert_eq!((line.deadline_ms - world.now_ms, line.then), (2 * MINUTE_MS, Then::LookAgain));
    // Who speaks the language has no room, and who has room does not speak it.
    let mut second = profile(2, 0);
    second.skills = BTreeSet::from(["zh".to_owned()]);
    world.come_online(second);
    world.come_online(profile(1, 1));
    world.pass(2 * MINUTE_MS - 1);
    assert_eq!(world.owner(1), None);
    world.pass(1);
    assert_eq!(world.owner(1), Some(agent(1)));
}

#[test]
fn wished_skills_hold_for_a_while() {
    let mut world = World::with_agents(1, 1);
    let mut second = profile(2, 1);
    second.skills = BTreeSet::from(["zh".to_owned()]);
    world.come_online(second);
    world.visitor_writes(1);
    world.fold();
    world.visitor_writes(2);
    world.fold();
    world.owner_writes(1);
    world.owner_writes(2);
    world.visitor_writes(3);
    wish(&mut world, 3);
    world.change(1, closed());
    world.pass(MINUTE_MS);
    assert_eq!(world.owner(3), None, "agent 1 is free but speaks no Chinese");
    world.pass(MINUTE_MS);
    assert_eq!(world.owner(3), Some(agent(1)));
}

#[test]
fn a_session_set_aside_comes_back_in_time_or_when_the_visitor_writes() {
    let mut world = World::with_agents(1, 5);
    for number in [1, 2] {
        world.visitor_writes(number);
        world.fold();
        world.owner_writes(number);
        let until_ms = world.now_ms + 60 * MINUTE_MS;
        world.change(number, Change::Pended(chat::Pended { until_ms }));
    }
    world.pass(59 * MINUTE_MS);
    assert_eq!(world.session(1).status(), SessionStatus::Pending);
    world.visitor_writes(2);
    world.fold();
    assert_eq!(world.owner(2), Some(agent(1)));
    world.pass(MINUTE_MS);
    assert_eq!(world.owner(1), Some(agent(1)));
}

#[test]
fn of_two_who_assign_the_later_is_refused_and_the_desk_follows() {
    let mut world = World::with_agents(2, 5);
    world.visitor_writes(1);
    // Agent 2 takes it by hand while the desk's proposal is on its way.
    world.change(1, assigned_to(2));
    world.fold();
    assert_eq!(world.owner(1), Some(agent(2)));
    // The reservation is gone: the next one goes to agent 1.
    world.visitor_writes(2);
    world.fold();
    assert_eq!(world.owner(2), Some(agent(1)));
    assert!(world.desk.violations(world.now_ms).is_empty());
}

#[test]
fn a_lost_proposal_is_made_again() {
    let mut world = World::with_agents(1, 5);
    world.visitor_writes(1);
    assert_eq!(world.log.len(), 1);
    world.log.clear();
    world.now_ms += 10 * SECOND_MS;
    world.feed(Vec::new());
    world.fold();
    assert_eq!(world.owner(1), Some(agent(1)));
}

#[test]
fn the_report_names_every_holder() {
    let mut world = World::with_agents(1, 1);
    world.visitor_writes(1);
    world.pass(SECOND_MS);
    world.visitor_writes(2);
    world.fold();
    let report = world.desk.waiting(world.now_ms);
    assert_eq!(report.len(), 2);
    assert!(
        matches!(&report[0].holder, Holder::Owner { name, present: true, .. } if name == "agent 1")
    );
    assert!(matches!(report[1].holder, Holder::Queue { place: 1, unattended: false, .. }));
    assert!(report.iter().all(|line| line.deadline_ms > world.now_ms));
    assert_eq!((report[0].then, report[1].then), (Then::NextAgent, Then::LookAgain));
}

fn of_a_bot() -> Participant {
    let id = ConversationId::from_bytes([99; 12]).to_string();
    Participant { kind: ParticipantKind::Bot.into(), id, name: "Tea bot".to_owned() }
}

fn bot_inbox(bot: Bot) -> InboxProfile {
    InboxProfile { bot: Some(bot), ..open_inbox() }
}

#[test]
fn a_new_session_goes_to_the_bot_that_is_connected_and_once_only() {
    let mut world = World::with_agents(1, 5);
    world.feed(vec![Input::Inbox(bot_inbox(Bot::Own(of_a_bot())))]);
    world.visitor_writes(1);
    world.fold();
    assert_eq!(world.owner(1), Some(agent(1)), "the bot is not there");
    world.feed(vec![Input::BotConnected(of_a_bot().id, true)]);
    world.visitor_writes(2);
    world.fold();
    assert_eq!(world.session(2).owner, Some(of_a_bot()));
    // It hands over, and is not asked again.
    world.change(2, Change::Queued(chat::Queued::default()));
    world.fold();
    assert_eq!(world.owner(2), Some(agent(1)));
    world.feed(vec![Input::BotConnected(of_a_bot().id, false)]);
    world.visitor_writes(3);
    world.fold();
    assert_eq!(world.owner(3), Some(agent(1)));
}

#[test]
fn who_asked_for_a_person_waits_for_no_bot() {
    for bot in [Bot::Own(of_a_bot()), Bot::BuiltIn] {
        let mut world = World::with_agents(1, 5);
        let connected = Input::BotConnected(of_a_bot().id, true);
        world.feed(vec![Input::Inbox(bot_inbox(bot)), connected]);
        world.visitor_writes(1);
        world.visitor_asks_for_a_person(1);
        world.pass(BOT_WAIT_MS / 2 + 1);
        assert_eq!(world.owner(1), Some(agent(1)));
    }
}

#[test]
fn a_bot_that_never_answers_loses_the_session_to_people() {
    let mut world = World::with_agents(1, 5);
    world.feed(vec![
        Input::Inbox(bot_inbox(Bot::Own(of_a_bot()))),
        Input::BotConnected(of_a_bot().id, true),
    ]);
    world.visitor_writes(1);
    world.fold();
    world.pass(BOT_ANSWER_MS - SECOND_MS);
    assert_eq!(world.session(1).owner, Some(of_a_bot()));
    world.pass(2 * SECOND_MS);
    assert_eq!(world.owner(1), Some(agent(1)));
}

#[test]
fn a_new_session_waits_a_moment_for_the_bot_of_the_server() {
    let mut world = World::with_agents(1, 5);
    world.feed(vec![Input::Inbox(bot_inbox(Bot::BuiltIn))]);
    world.visitor_writes(1);
    world.pass(BOT_WAIT_MS - 1);
    assert_eq!(world.owner(1), None);
    let owner = Some(of_a_bot());
    world.change(1, Change::Assigned(chat::Assigned { owner, ..Default::default() }));
    world.fold();
    assert_eq!(world.session(1).owner, Some(of_a_bot()));
    // It has too much to do.
    world.visitor_writes(2);
    world.pass(BOT_WAIT_MS);
    assert_eq!(world.owner(2), Some(agent(1)));
}
