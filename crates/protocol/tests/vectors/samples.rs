//! One frame of every kind, with every field set somewhere.

use frontdesk_core::chat::{
    self, Actor, ActorKind, Audience, Cause, Choice, Choices, CloseReason, Content, Cursor, Entry,
    FieldValue, File, Form, FormField, FormFieldKind, FormReply, Participant, ParticipantKind,
    Session, SessionEvent, SessionStatus, Skip, Source, SystemText, Text, TimelineItem, Tombstone,
    TombstoneReason, content, entry, session_event::Change, timeline_item,
};
use frontdesk_protocol::wire::{
    Ack, AskForPerson, Attended, ClientFrame, Close, Command, CursorUpdate, Done, Draft,
    DraftUpdate, Entries, Error, FeedChange, FeedChanges, FeedPosition, GoAway, Held, Hello, Join,
    Leave, Limits, MoveCursor, Open, Opened, Pend, Ping, Pong, Position, Presence, PresenceUpdate,
    QueuePlace, Rate, Refusal, Rejoin, Reopen, Requeue, Retract, Row, Send, ServerFrame,
    SessionUpdate, SetIntent, SetLabels, SetPresence, SetPriority, StepOut, Sync, Take, TakeOver,
    Transfer, Viewers, Welcome, client_frame::Frame as C, command::Command as Order, feed_change,
    server_frame::Frame as S,
};

const CONVERSATION: &str = "d4s0q1h2q5k3v8m6n700";
const SESSION: &str = "d4s0q1h2q5k3v8m6n710";
const MESSAGE: &str = "d4s0q1h2q5k3v8m6n720";
const AGENT: &str = "d4s0q1h2q5k3v8m6n730";
const OTHER: &str = "d4s0q1h2q5k3v8m6n740";
const VISITOR: &str = "d4s0q1h2q5k3v8m6n750";
const INBOX: &str = "d4s0q1h2q5k3v8m6n760";
const TEAM: &str = "d4s0q1h2q5k3v8m6n770";
const EPOCH: u64 = 0x8f1d_3c5a_7e92_b046;
const NOON_MS: i64 = 1_790_000_000_000;
const CLIENT_MSG_ID: &[u8; 16] =
    b"\x01\xa0\xc4\x2d\x9c\x00\x00\x01\xff\xfe\xfd\xfc\x00\x10\x20\x30";

fn position(seq: u64) -> Position {
    Position { epoch: EPOCH, seq }
}

fn actor(kind: ActorKind, id: &str, name: &str) -> Actor {
    Actor { kind: kind.into(), id: id.to_owned(), name: name.to_owned() }
}

fn participant(kind: ParticipantKind, id: &str, name: &str) -> Participant {
    Participant { kind: kind.into(), id: id.to_owned(), name: name.to_owned() }
}

fn mei() -> Participant {
    participant(ParticipantKind::Agent, AGENT, "Mei 梅")
}

fn text(body: &str) -> Content {
    Content {
        kind: Some(content::Kind::Text(Text { body: body.to_owned() })),
        quote_seq: 0,
        ..Default::default()
    }
}

fn entry(seq: u64, actor: Actor, body: entry::Body) -> Entry {
    Entry {
        seq,
        id: MESSAGE.to_owned(),
        actor: Some(actor),
        audience: Audience::Everyone.into(),
        at_ms: NOON_MS + 1,
        client_msg_id: CLIENT_MSG_ID.to_vec().into(),
        session: SESSION.to_owned(),
        body: Some(body),
    }
}

fn item(entry: Entry) -> TimelineItem {
    TimelineItem { item: Some(timeline_item::Item::Entry(entry)) }
}

fn items() -> Vec<TimelineItem> {
    let visitor = || actor(ActorKind::Visitor, VISITOR, "");
    let file = File {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        name: "截图.png".to_owned(),
        media_type: "image/png".to_owned(),
        size_bytes: 1 << 40,
        width: 640,
        height: 480,
        has_thumbnail: true,
    };
    let system = SystemText {
        key: "session.taken_over".to_owned(),
        params: [
            ("former".to_owned(), "Ana".to_owned()),
            ("agent".to_owned(), "Mei 梅".to_owned()),
        ]
        .into(),
    };
    let say = |kind| {
        entry::Body::Content(Content { kind: Some(kind), quote_seq: 1, ..Default::default() })
    };
    let bot = || actor(ActorKind::Bot, INBOX, "Bot");
    let sources = || {
        vec![Source {
            article: MESSAGE.to_owned(),
            title: "Refunds 退款".to_owned(),
            path: "/help/KEY/en/refunds".to_owned(),
        }]
    };
    let gone = Tombstone { reason: TombstoneReason::Retracted.into() };
    vec![
        item(entry(1, visitor(), entry::Body::Content(text("你好 👋\n<b>\"hello\"</b>\u{0}")))),
        item(entry(2, visitor(), say(content::Kind::File(file)))),
        item(entry(3, actor(ActorKind::System, "", ""), say(content::Kind::System(system)))),
        TimelineItem { item: Some(timeline_item::Item::Skip(Skip { from_seq: 4, to_seq: 6 })) },
        item(entry(7, visitor(), entry::Body::Tombstone(gone))),
        item(entry(8, visitor(), entry::Body::Retraction(chat::Retraction { seq: 7 }))),
        item(entry(
            9,
            bot(),
            entry::Body::Content(Content { sources: sources(), ..kind(choices()) }),
        )),
        item(entry(10, bot(), entry::Body::Content(kind(form())))),
        item(entry(11, visitor(), say(form_reply()))),
    ]
}

fn kind(kind: content::Kind) -> Content {
    Content { kind: Some(kind), ..Content::default() }
}

fn choice(id: &str, label: &str) -> Choice {
    Choice { id: id.to_owned(), label: label.to_owned() }
}

fn choices() -> content::Kind {
    content::Kind::Choices(Choices {
        body: "Which one? 哪一个？".to_owned(),
        choices: vec![choice("refund", "退款"), choice("other", "None of these")],
    })
}

fn form() -> content::Kind {
    let field = |id: &str, label: &str, kind: FormFieldKind| FormField {
        id: id.to_owned(),
        label: label.to_owned(),
        kind: kind.into(),
        required: id == "order",
        options: Vec::new(),
    };
    content::Kind::Form(Form {
        title: "Your order".to_owned(),
        fields: vec![
            field("order", "Order number", FormFieldKind::OrderNumber),
            field("mail", "E-mail", FormFieldKind::Email),
            field("phone", "Phone", FormFieldKind::Phone),
            field("words", "In your words", FormFieldKind::Text),
            FormField {
                options: vec![choice("s", "Small"), choice("l", "Large")],
                ..field("size", "Size", FormFieldKind::Choice)
            },
        ],
        submit: "Look it up".to_owned(),
    })
}

fn form_reply() -> content::Kind {
    let value = |id: &str, label: &str, value: &str| FieldValue {
        id: id.to_owned(),
        label: label.to_owned(),
        value: value.to_owned(),
    };
    content::Kind::FormReply(FormReply {
        values: vec![value("order", "Order number", "A-1042"), value("mail", "E-mail", "")],
    })
}

fn session() -> Session {
    Session {
        id: SESSION.to_owned(),
        number: 2,
        version: 9,
        status: SessionStatus::Assigned.into(),
        owner: Some(mei()),
        team: TEAM.to_owned(),
        inbox: INBOX.to_owned(),
        participants: vec![
            participant(ParticipantKind::Supervisor, OTHER, "Ana"),
            participant(ParticipantKind::Bot, INBOX, "Bot"),
        ],
        opened_at_ms: NOON_MS,
        waiting_since_ms: NOON_MS + 1,
        queued_at_ms: NOON_MS + 2,
        assigned_at_ms: NOON_MS + 3,
        first_answer_at_ms: NOON_MS + 4,
        closed_at_ms: NOON_MS + 5,
        last_visitor_at_ms: NOON_MS + 6,
        last_agent_at_ms: NOON_MS + 7,
        priority: 4,
        intent: "complaint".to_owned(),
        intent_confidence: 1.0,
        intent_source: chat::IntentSource::Rule.into(),
        intent_why: "退款".to_owned(),
        rating: 5,
        rating_comment: "quick".to_owned(),
        unattended: true,
        pending_until_ms: NOON_MS + 8,
        warned_idle: true,
        labels: vec!["vip".to_owned(), "退款".to_owned()],
        unattended_until_ms: NOON_MS + 9,
        asked_for_person: true,
    }
}

fn changes() -> Vec<(&'static str, Change)> {
    let from_owner = || AGENT.to_owned();
    vec![
        ("opened", Change::Opened(chat::Opened {})),
        (
            "queued",
            Change::Queued(chat::Queued {
                team: TEAM.to_owned(),
                waiting_since_ms: NOON_MS,
                from_owner: from_owner(),
            }),
        ),
        (
            "assigned",
            Change::Assigned(chat::Assigned {
                owner: Some(mei()),
                former_owner: OTHER.to_owned(),
                take_over: true,
            }),
        ),
        (
            "transferred",
            Change::Transferred(chat::Transferred {
                from_owner: from_owner(),
                to_owner: None,
                to_team: TEAM.to_owned(),
                waiting_since_ms: NOON_MS,
            }),
        ),
        (
            "transferred_to_agent",
            Change::Transferred(chat::Transferred {
                from_owner: from_owner(),
                to_owner: Some(participant(ParticipantKind::Agent, OTHER, "Ana")),
                to_team: String::new(),
                waiting_since_ms: 0,
            }),
        ),
        ("closed", Change::Closed(chat::Closed { reason: CloseReason::Idle.into() })),
        ("reopened", Change::Reopened(chat::Reopened { owner: Some(mei()) })),
        ("rated", Change::Rated(chat::Rated { rating: 5, comment: "很好".to_owned() })),
        (
            "intent_set",
            Change::IntentSet(chat::IntentSet {
                intent: "sales".to_owned(),
                confidence: 0.8125,
                to_team: TEAM.to_owned(),
                source: chat::IntentSource::Model.into(),
                why: "sales 0.81, consult 0.13".to_owned(),
                priority: 3,
            }),
        ),
        ("priority_set", Change::PrioritySet(chat::PrioritySet { priority: 3 })),
        ("joined", Change::Joined(chat::Joined { participant: Some(mei()) })),
        ("left", Change::Left(chat::Left { participant_id: AGENT.to_owned() })),
        ("labels_set", Change::LabelsSet(chat::LabelsSet { labels: vec!["vip".to_owned()] })),
        ("idle_warned", Change::IdleWarned(chat::IdleWarned { closes_at_ms: NOON_MS + 300_000 })),
        ("first_answered", Change::FirstAnswered(chat::FirstAnswered { waited_ms: 4_200 })),
        ("pended", Change::Pended(chat::Pended { until_ms: NOON_MS + 86_400_000 })),
        ("unattended", Change::Unattended(chat::Unattended { deadline_ms: NOON_MS + 86_400_000 })),
    ]
}

/// What clients send.
pub(super) fn client() -> Vec<(&'static str, ClientFrame)> {
    let conversation = || CONVERSATION.to_owned();
    let held = Held { conversation: conversation(), position: Some(position(41)) };
    let file =
        chat::File { id: "0123456789abcdef0123456789abcdef".to_owned(), ..Default::default() };
    let mut frames: Vec<(&'static str, C)> = vec![
        (
            "hello_with_a_ticket",
            C::Hello(Hello {
                ticket: "t1.AAEC".to_owned(),
                client: "frontdesk-widget/0.1.0".to_owned(),
                language: "zh-CN".to_owned(),
                can_rejoin: true,
                ..Default::default()
            }),
        ),
        (
            "hello_with_a_resume_token",
            C::Hello(Hello {
                resume_token: "AAECAwQFBgcICQoLDA0ODw".to_owned(),
                held: vec![
                    held.clone(),
                    Held { position: Some(position(0)), ..Default::default() },
                ],
                feed: Some(FeedPosition { epoch: EPOCH, number: 1 << 53 }),
                ..Default::default()
            }),
        ),
        (
            "send_text_as_a_visitor",
            C::Send(Send {
                client_msg_id: CLIENT_MSG_ID.to_vec().into(),
                content: Some(text("你好, hello 👋")),
                ..Default::default()
            }),
        ),
        (
            "send_a_note_that_quotes",
            C::Send(Send {
                conversation: conversation(),
                client_msg_id: CLIENT_MSG_ID.to_vec().into(),
                content: Some(Content { quote_seq: 7, ..text("call back") }),
                audience: Audience::Team.into(),
            }),
        ),
        (
            "send_a_note_that_mentions",
            C::Send(Send {
                conversation: conversation(),
                client_msg_id: CLIENT_MSG_ID.to_vec().into(),
                content: Some(Content { mentions: vec![AGENT.to_owned()], ..text("@Mei look") }),
                audience: Audience::Team.into(),
            }),
        ),
        (
            "send_a_file",
            C::Send(Send {
                conversation: conversation(),
                client_msg_id: CLIENT_MSG_ID.to_vec().into(),
                content: Some(Content {
                    kind: Some(content::Kind::File(file)),
                    quote_seq: 0,
                    ..Default::default()
                }),
                audience: Audience::Everyone.into(),
            }),
        ),
        ("retract", C::Retract(Retract { conversation: conversation(), seq: u64::MAX })),
        (
            "cursor",
            C::Cursor(MoveCursor { conversation: conversation(), delivered_seq: 42, read_seq: 41 }),
        ),
        (
            "draft",
            C::Draft(Draft {
                conversation: conversation(),
                typing: true,
                text: "I would li".to_owned(),
            }),
        ),
        (
            "send_a_choice_as_a_visitor",
            C::Send(Send {
                client_msg_id: CLIENT_MSG_ID.to_vec().into(),
                content: Some(Content {
                    choice: "refund".to_owned(),
                    quote_seq: 9,
                    ..text("退款")
                }),
                ..Default::default()
            }),
        ),
        (
            "send_a_form_as_a_bot",
            C::Send(Send {
                conversation: conversation(),
                client_msg_id: CLIENT_MSG_ID.to_vec().into(),
                content: Some(kind(form())),
                ..Default::default()
            }),
        ),
        (
            "send_a_form_reply_as_a_visitor",
            C::Send(Send {
                client_msg_id: CLIENT_MSG_ID.to_vec().into(),
                content: Some(Content { quote_seq: 10, ..kind(form_reply()) }),
                ..Default::default()
            }),
        ),
        ("open", C::Open(Open { conversation: conversation(), position: Some(position(41)) })),
        ("leave", C::Leave(Leave { conversation: conversation() })),
        ("presence", C::Presence(SetPresence { presence: Presence::Away.into() })),
        ("ping", C::Ping(Ping {})),
        ("pong", C::Pong(Pong {})),
        ("sync", C::Sync(Sync { held: vec![held] })),
    ];
    for (name, order) in [
        ("command_take", Order::Take(Take {})),
        ("command_take_over", Order::TakeOver(TakeOver {})),
        (
            "command_transfer",
            Order::Transfer(Transfer {
                to_agent: String::new(),
                to_team: TEAM.to_owned(),
                note: "speaks Chinese".to_owned(),
            }),
        ),
        (
            "command_transfer_to_agent",
            Order::Transfer(Transfer { to_agent: OTHER.to_owned(), ..Default::default() }),
        ),
        ("command_close", Order::Close(Close {})),
        ("command_reopen", Order::Reopen(Reopen {})),
        ("command_requeue", Order::Requeue(Requeue {})),
        ("command_join", Order::Join(Join {})),
        ("command_step_out", Order::StepOut(StepOut {})),
        ("command_rate", Order::Rate(Rate { rating: 4, comment: "thanks".to_owned() })),
        ("command_set_priority", Order::SetPriority(SetPriority { priority: 4 })),
        ("command_set_intent", Order::SetIntent(SetIntent { intent: "sales".to_owned() })),
        (
            "command_set_labels",
            Order::SetLabels(SetLabels { labels: vec!["vip".to_owned(), String::new()] }),
        ),
        ("command_pend", Order::Pend(Pend { until_ms: NOON_MS })),
        ("command_ask_for_person", Order::AskForPerson(AskForPerson {})),
    ] {
        frames.push((
            name,
            C::Command(Command {
                conversation: conversation(),
                expected_version: 9,
                command: Some(order),
            }),
        ));
    }
    (1..)
        .zip(frames)
        .map(|(number, (name, frame))| (name, ClientFrame { r#ref: number, frame: Some(frame) }))
        .collect()
}

/// What the server sends.
pub(super) fn server() -> Vec<(&'static str, ServerFrame)> {
    let conversation = || CONVERSATION.to_owned();
    let place = QueuePlace { place: 3, wait_ms: 95_000, attended: true };
    let cursor = Cursor {
        actor: Some(actor(ActorKind::Agent, AGENT, "Mei 梅")),
        delivered_seq: 8,
        read_seq: 7,
    };
    let opened = Opened {
        conversation: conversation(),
        recovered: true,
        items: items(),
        position: Some(position(8)),
        more_before: true,
        session: Some(session()),
        cursors: vec![cursor.clone()],
        viewers: vec![mei()],
        queue_place: Some(place),
    };
    let row = Row {
        conversation: conversation(),
        visitor: VISITOR.to_owned(),
        visitor_name: "访客".to_owned(),
        session: Some(session()),
        last: Some(entry(8, actor(ActorKind::Bot, INBOX, "Bot"), entry::Body::Content(text("…")))),
        position: Some(position(8)),
        unread: 2,
        visitor_online: true,
        language: "zh-CN".to_owned(),
        mentioned: true,
    };
    let mut frames: Vec<(&'static str, S)> = vec![
        (
            "welcome",
            S::Welcome(Box::new(Welcome {
                self_: Some(actor(ActorKind::Agent, AGENT, "Mei 梅")),
                resume_token: "AAECAwQFBgcICQoLDA0ODw".to_owned(),
                epoch: EPOCH,
                server_time_ms: NOON_MS,
                opened: vec![opened.clone()],
                feed: Some(FeedPosition { epoch: EPOCH, number: 12 }),
                feed_recovered: true,
                presence: Presence::Online.into(),
                limits: Some(Limits {
                    text_bytes_max: 65_536,
                    file_bytes_max: 20 << 20,
                    in_flight_max: 32,
                    ping_interval_ms: 25_000,
                }),
                drafts: true,
                attended: true,
            })),
        ),
        (
            "welcome_of_a_new_visitor",
            S::Welcome(Box::new(Welcome {
                self_: Some(actor(ActorKind::Visitor, VISITOR, "")),
                opened: vec![Opened { position: Some(position(0)), ..Default::default() }],
                ..Default::default()
            })),
        ),
        (
            "ack",
            S::Ack(Ack {
                client_msg_id: CLIENT_MSG_ID.to_vec().into(),
                position: Some(position(8)),
                at_ms: NOON_MS,
                conversation: conversation(),
                id: MESSAGE.to_owned(),
            }),
        ),
        (
            "refusal",
            S::Refusal(Refusal {
                code: "session.taken".to_owned(),
                message: "somebody else has it; detail says who".to_owned(),
                conversation: conversation(),
                detail: "Ana".to_owned(),
                ..Default::default()
            }),
        ),
        (
            "refusal_to_try_again_at_once",
            S::Refusal(Refusal {
                code: "rate_limited".to_owned(),
                retry_after_ms: Some(0),
                client_msg_id: CLIENT_MSG_ID.to_vec().into(),
                ..Default::default()
            }),
        ),
        (
            "entries",
            S::Entries(Entries { conversation: String::new(), epoch: EPOCH, items: items() }),
        ),
        ("opened", S::Opened(Box::new(opened))),
        ("cursor", S::Cursor(CursorUpdate { conversation: conversation(), cursor: Some(cursor) })),
        (
            "draft",
            S::Draft(DraftUpdate {
                conversation: conversation(),
                actor: Some(actor(ActorKind::Visitor, VISITOR, "")),
                typing: true,
                text: "I would li".to_owned(),
            }),
        ),
        (
            "feed",
            S::Feed(FeedChanges {
                changes: vec![
                    FeedChange { number: 12, change: Some(feed_change::Change::Row(row)) },
                    FeedChange {
                        number: 13,
                        change: Some(feed_change::Change::Removed(conversation())),
                    },
                ],
            }),
        ),
        (
            "presence",
            S::Presence(PresenceUpdate {
                actor: Some(actor(ActorKind::Api, OTHER, "crm")),
                presence: Presence::Offline.into(),
                conversation: conversation(),
            }),
        ),
        ("queue_place", S::QueuePlace(place)),
        ("ping", S::Ping(Ping {})),
        ("pong", S::Pong(Pong {})),
        ("go_away", S::GoAway(GoAway { reconnect_after_ms: 1_500 })),
        ("rejoin", S::Rejoin(Rejoin { after_ms: 350 })),
        (
            "error",
            S::Error(Error {
                code: "frame.malformed".to_owned(),
                message: "the frame cannot be read".to_owned(),
            }),
        ),
        ("done", S::Done(Done {})),
        ("viewers", S::Viewers(Viewers { conversation: conversation(), viewers: vec![mei()] })),
        ("attended", S::Attended(Attended { attended: true })),
    ];
    for (name, change) in changes() {
        let event = SessionEvent {
            session: SESSION.to_owned(),
            version: 9,
            actor: Some(actor(ActorKind::System, "", "")),
            cause: Cause::Timeout.into(),
            team: TEAM.to_owned(),
            inbox: INBOX.to_owned(),
            at_ms: NOON_MS,
            number: 17,
            change: Some(change),
        };
        frames.push((
            name,
            S::Session(Box::new(SessionUpdate {
                conversation: conversation(),
                session: Some(session()),
                event: Some(event),
            })),
        ));
    }
    (0..)
        .zip(frames)
        .map(|(number, (name, frame))| (name, ServerFrame { r#ref: number, frame: Some(frame) }))
        .collect()
}
