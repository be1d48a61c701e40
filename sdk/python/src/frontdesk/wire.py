"""Written by sdk/generate.mjs from proto/; change it there.

Frames as protobuf's JSON mapping writes them. A field that is zero, empty or false is absent; 64-bit numbers are
text; bytes are base64.
"""

from __future__ import annotations

from typing import Literal, TypedDict

ActorKind = Literal[
    "ACTOR_KIND_UNSPECIFIED",
    "ACTOR_KIND_VISITOR",
    "ACTOR_KIND_AGENT",
    "ACTOR_KIND_BOT",
    "ACTOR_KIND_SYSTEM",
    "ACTOR_KIND_API",
]

Audience = Literal[
    "AUDIENCE_UNSPECIFIED",
    "AUDIENCE_EVERYONE",
    "AUDIENCE_TEAM",
]

Cause = Literal[
    "CAUSE_UNSPECIFIED",
    "CAUSE_MANUAL",
    "CAUSE_RULE",
    "CAUSE_TIMEOUT",
    "CAUSE_CAPACITY",
]

FormFieldKind = Literal[
    "FORM_FIELD_KIND_UNSPECIFIED",
    "FORM_FIELD_KIND_TEXT",
    "FORM_FIELD_KIND_EMAIL",
    "FORM_FIELD_KIND_PHONE",
    "FORM_FIELD_KIND_ORDER_NUMBER",
    "FORM_FIELD_KIND_CHOICE",
]

TombstoneReason = Literal[
    "TOMBSTONE_REASON_UNSPECIFIED",
    "TOMBSTONE_REASON_RETRACTED",
    "TOMBSTONE_REASON_ERASED",
]

SessionStatus = Literal[
    "SESSION_STATUS_UNSPECIFIED",
    "SESSION_STATUS_QUEUED",
    "SESSION_STATUS_ASSIGNED",
    "SESSION_STATUS_CLOSED",
    "SESSION_STATUS_PENDING",
]

ParticipantKind = Literal[
    "PARTICIPANT_KIND_UNSPECIFIED",
    "PARTICIPANT_KIND_AGENT",
    "PARTICIPANT_KIND_BOT",
    "PARTICIPANT_KIND_SUPERVISOR",
]

CloseReason = Literal[
    "CLOSE_REASON_UNSPECIFIED",
    "CLOSE_REASON_AGENT",
    "CLOSE_REASON_VISITOR",
    "CLOSE_REASON_IDLE",
]

IntentSource = Literal[
    "INTENT_SOURCE_UNSPECIFIED",
    "INTENT_SOURCE_PERSON",
    "INTENT_SOURCE_RULE",
    "INTENT_SOURCE_MODEL",
]

Presence = Literal[
    "PRESENCE_UNSPECIFIED",
    "PRESENCE_ONLINE",
    "PRESENCE_AWAY",
    "PRESENCE_OFFLINE",
]


class Actor(TypedDict, total=False):
    kind: ActorKind
    id: str
    name: str


class Content(TypedDict, total=False):
    text: Text
    file: File
    system: SystemText
    choices: Choices
    form: Form
    formReply: FormReply
    quoteSeq: str
    mentions: list[str]
    choice: str
    sources: list[Source]


class Text(TypedDict, total=False):
    body: str


class Choices(TypedDict, total=False):
    body: str
    choices: list[Choice]


class Choice(TypedDict, total=False):
    id: str
    label: str


class Form(TypedDict, total=False):
    title: str
    fields: list[FormField]
    submit: str


class FormField(TypedDict, total=False):
    id: str
    label: str
    kind: FormFieldKind
    required: bool
    options: list[Choice]


class FormReply(TypedDict, total=False):
    values: list[FieldValue]


class FieldValue(TypedDict, total=False):
    id: str
    label: str
    value: str


class Source(TypedDict, total=False):
    article: str
    title: str
    path: str


class File(TypedDict, total=False):
    id: str
    name: str
    mediaType: str
    sizeBytes: str
    width: int
    height: int
    hasThumbnail: bool


class SystemText(TypedDict, total=False):
    key: str
    params: dict[str, str]


class Entry(TypedDict, total=False):
    seq: str
    id: str
    actor: Actor
    audience: Audience
    atMs: str
    clientMsgId: str
    session: str
    content: Content
    tombstone: Tombstone
    retraction: Retraction


class Tombstone(TypedDict, total=False):
    reason: TombstoneReason


class Retraction(TypedDict, total=False):
    seq: str


class Skip(TypedDict, total=False):
    fromSeq: str
    toSeq: str


class TimelineItem(TypedDict, total=False):
    entry: Entry
    skip: Skip


class Participant(TypedDict, total=False):
    kind: ParticipantKind
    id: str
    name: str


class Session(TypedDict, total=False):
    id: str
    number: int
    version: int
    status: SessionStatus
    owner: Participant
    team: str
    inbox: str
    participants: list[Participant]
    openedAtMs: str
    waitingSinceMs: str
    queuedAtMs: str
    assignedAtMs: str
    firstAnswerAtMs: str
    closedAtMs: str
    lastVisitorAtMs: str
    lastAgentAtMs: str
    priority: int
    intent: str
    rating: int
    ratingComment: str
    unattended: bool
    pendingUntilMs: str
    warnedIdle: bool
    labels: list[str]
    unattendedUntilMs: str
    intentConfidence: float
    intentSource: IntentSource
    intentWhy: str
    askedForPerson: bool


class SessionEvent(TypedDict, total=False):
    session: str
    version: int
    actor: Actor
    cause: Cause
    team: str
    inbox: str
    atMs: str
    number: str
    opened: Opened
    queued: Queued
    assigned: Assigned
    transferred: Transferred
    closed: Closed
    reopened: Reopened
    rated: Rated
    intentSet: IntentSet
    prioritySet: PrioritySet
    joined: Joined
    left: Left
    labelsSet: LabelsSet
    idleWarned: IdleWarned
    firstAnswered: FirstAnswered
    pended: Pended
    unattended: Unattended


class Opened(TypedDict, total=False):
    pass


class Queued(TypedDict, total=False):
    team: str
    waitingSinceMs: str
    fromOwner: str


class Assigned(TypedDict, total=False):
    owner: Participant
    formerOwner: str
    takeOver: bool


class Transferred(TypedDict, total=False):
    fromOwner: str
    toOwner: Participant
    toTeam: str
    waitingSinceMs: str


class Closed(TypedDict, total=False):
    reason: CloseReason


class Reopened(TypedDict, total=False):
    owner: Participant


class Rated(TypedDict, total=False):
    rating: int
    comment: str


class IntentSet(TypedDict, total=False):
    intent: str
    confidence: float
    toTeam: str
    source: IntentSource
    why: str
    priority: int


class PrioritySet(TypedDict, total=False):
    priority: int


class Joined(TypedDict, total=False):
    participant: Participant


class Left(TypedDict, total=False):
    participantId: str


class LabelsSet(TypedDict, total=False):
    labels: list[str]


class IdleWarned(TypedDict, total=False):
    closesAtMs: str


class FirstAnswered(TypedDict, total=False):
    waitedMs: str


class Pended(TypedDict, total=False):
    untilMs: str


class Unattended(TypedDict, total=False):
    deadlineMs: str


class Cursor(TypedDict, total=False):
    actor: Actor
    deliveredSeq: str
    readSeq: str


class ClientFrame(TypedDict, total=False):
    ref: int
    hello: Hello
    send: Send
    retract: Retract
    cursor: MoveCursor
    draft: Draft
    open: Open
    leave: Leave
    command: Command
    presence: SetPresence
    ping: Ping
    pong: Pong
    sync: Sync


class ServerFrame(TypedDict, total=False):
    ref: int
    welcome: Welcome
    ack: Ack
    refusal: Refusal
    entries: Entries
    opened: OpenedFrame
    session: SessionUpdate
    cursor: CursorUpdate
    draft: DraftUpdate
    feed: FeedChanges
    presence: PresenceUpdate
    queuePlace: QueuePlace
    ping: Ping
    pong: Pong
    goAway: GoAway
    error: ErrorFrame
    done: Done
    viewers: Viewers
    attended: Attended
    rejoin: Rejoin


class Position(TypedDict, total=False):
    epoch: str
    seq: str


class Hello(TypedDict, total=False):
    ticket: str
    resumeToken: str
    held: list[Held]
    feed: FeedPosition
    client: str
    language: str
    canRejoin: bool


class Held(TypedDict, total=False):
    conversation: str
    position: Position


class FeedPosition(TypedDict, total=False):
    epoch: str
    number: str


class Welcome(TypedDict, total=False):
    self: Actor
    resumeToken: str
    epoch: str
    serverTimeMs: str
    opened: list[OpenedFrame]
    feed: FeedPosition
    feedRecovered: bool
    presence: Presence
    limits: Limits
    drafts: bool
    attended: bool


class Limits(TypedDict, total=False):
    textBytesMax: int
    fileBytesMax: str
    inFlightMax: int
    pingIntervalMs: int


class OpenedFrame(TypedDict, total=False):
    conversation: str
    recovered: bool
    items: list[TimelineItem]
    position: Position
    moreBefore: bool
    session: Session
    cursors: list[Cursor]
    viewers: list[Participant]
    queuePlace: QueuePlace


class Send(TypedDict, total=False):
    conversation: str
    clientMsgId: str
    content: Content
    audience: Audience


class Ack(TypedDict, total=False):
    clientMsgId: str
    position: Position
    atMs: str
    conversation: str
    id: str


class Refusal(TypedDict, total=False):
    code: str
    message: str
    retryAfterMs: int
    clientMsgId: str
    conversation: str
    detail: str


class ErrorFrame(TypedDict, total=False):
    code: str
    message: str


class Done(TypedDict, total=False):
    pass


class Entries(TypedDict, total=False):
    conversation: str
    epoch: str
    items: list[TimelineItem]


class Retract(TypedDict, total=False):
    conversation: str
    seq: str


class MoveCursor(TypedDict, total=False):
    conversation: str
    deliveredSeq: str
    readSeq: str


class CursorUpdate(TypedDict, total=False):
    conversation: str
    cursor: Cursor


class Draft(TypedDict, total=False):
    conversation: str
    typing: bool
    text: str


class DraftUpdate(TypedDict, total=False):
    conversation: str
    actor: Actor
    typing: bool
    text: str


class Open(TypedDict, total=False):
    conversation: str
    position: Position


class Viewers(TypedDict, total=False):
    conversation: str
    viewers: list[Participant]


class Leave(TypedDict, total=False):
    conversation: str


class Sync(TypedDict, total=False):
    held: list[Held]


class Command(TypedDict, total=False):
    conversation: str
    expectedVersion: int
    take: Take
    takeOver: TakeOver
    transfer: Transfer
    close: Close
    reopen: Reopen
    requeue: Requeue
    join: Join
    stepOut: StepOut
    rate: Rate
    setPriority: SetPriority
    setIntent: SetIntent
    setLabels: SetLabels
    pend: Pend
    askForPerson: AskForPerson


class Take(TypedDict, total=False):
    pass


class TakeOver(TypedDict, total=False):
    pass


class Transfer(TypedDict, total=False):
    toAgent: str
    toTeam: str
    note: str


class Close(TypedDict, total=False):
    pass


class Reopen(TypedDict, total=False):
    pass


class Requeue(TypedDict, total=False):
    pass


class Join(TypedDict, total=False):
    pass


class StepOut(TypedDict, total=False):
    pass


class Rate(TypedDict, total=False):
    rating: int
    comment: str


class SetPriority(TypedDict, total=False):
    priority: int


class SetIntent(TypedDict, total=False):
    intent: str


class SetLabels(TypedDict, total=False):
    labels: list[str]


class Pend(TypedDict, total=False):
    untilMs: str


class AskForPerson(TypedDict, total=False):
    pass


class SessionUpdate(TypedDict, total=False):
    conversation: str
    session: Session
    event: SessionEvent


class QueuePlace(TypedDict, total=False):
    place: int
    waitMs: int
    attended: bool


class Attended(TypedDict, total=False):
    attended: bool


class SetPresence(TypedDict, total=False):
    presence: Presence


class PresenceUpdate(TypedDict, total=False):
    actor: Actor
    presence: Presence
    conversation: str


class Row(TypedDict, total=False):
    conversation: str
    visitor: str
    visitorName: str
    session: Session
    last: Entry
    position: Position
    unread: int
    visitorOnline: bool
    language: str
    mentioned: bool


class FeedChange(TypedDict, total=False):
    number: str
    row: Row
    removed: str


class FeedChanges(TypedDict, total=False):
    changes: list[FeedChange]


class Ping(TypedDict, total=False):
    pass


class Pong(TypedDict, total=False):
    pass


class GoAway(TypedDict, total=False):
    reconnectAfterMs: int


class Rejoin(TypedDict, total=False):
    afterMs: int


# Name, name in the proto file, type, and how it stands: plain, repeated, optional or a oneof's name.
MESSAGES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "Actor": (
        ("kind", "kind", "ActorKind", "plain"),
        ("id", "id", "string", "plain"),
        ("name", "name", "string", "plain"),
    ),
    "Content": (
        ("text", "text", "Text", "kind"),
        ("file", "file", "File", "kind"),
        ("system", "system", "SystemText", "kind"),
        ("choices", "choices", "Choices", "kind"),
        ("form", "form", "Form", "kind"),
        ("formReply", "form_reply", "FormReply", "kind"),
        ("quoteSeq", "quote_seq", "uint64", "plain"),
        ("mentions", "mentions", "string", "repeated"),
        ("choice", "choice", "string", "plain"),
        ("sources", "sources", "Source", "repeated"),
    ),
    "Text": (
        ("body", "body", "string", "plain"),
    ),
    "Choices": (
        ("body", "body", "string", "plain"),
        ("choices", "choices", "Choice", "repeated"),
    ),
    "Choice": (
        ("id", "id", "string", "plain"),
        ("label", "label", "string", "plain"),
    ),
    "Form": (
        ("title", "title", "string", "plain"),
        ("fields", "fields", "FormField", "repeated"),
        ("submit", "submit", "string", "plain"),
    ),
    "FormField": (
        ("id", "id", "string", "plain"),
        ("label", "label", "string", "plain"),
        ("kind", "kind", "FormFieldKind", "plain"),
        ("required", "required", "bool", "plain"),
        ("options", "options", "Choice", "repeated"),
    ),
    "FormReply": (
        ("values", "values", "FieldValue", "repeated"),
    ),
    "FieldValue": (
        ("id", "id", "string", "plain"),
        ("label", "label", "string", "plain"),
        ("value", "value", "string", "plain"),
    ),
    "Source": (
        ("article", "article", "string", "plain"),
        ("title", "title", "string", "plain"),
        ("path", "path", "string", "plain"),
    ),
    "File": (
        ("id", "id", "string", "plain"),
        ("name", "name", "string", "plain"),
        ("mediaType", "media_type", "string", "plain"),
        ("sizeBytes", "size_bytes", "uint64", "plain"),
        ("width", "width", "uint32", "plain"),
        ("height", "height", "uint32", "plain"),
        ("hasThumbnail", "has_thumbnail", "bool", "plain"),
    ),
    "SystemText": (
        ("key", "key", "string", "plain"),
        ("params", "params", "map", "plain"),
    ),
    "Entry": (
        ("seq", "seq", "uint64", "plain"),
        ("id", "id", "string", "plain"),
        ("actor", "actor", "Actor", "plain"),
        ("audience", "audience", "Audience", "plain"),
        ("atMs", "at_ms", "int64", "plain"),
        ("clientMsgId", "client_msg_id", "bytes", "plain"),
        ("session", "session", "string", "plain"),
        ("content", "content", "Content", "body"),
        ("tombstone", "tombstone", "Tombstone", "body"),
        ("retraction", "retraction", "Retraction", "body"),
    ),
    "Tombstone": (
        ("reason", "reason", "TombstoneReason", "plain"),
    ),
    "Retraction": (
        ("seq", "seq", "uint64", "plain"),
    ),
    "Skip": (
        ("fromSeq", "from_seq", "uint64", "plain"),
        ("toSeq", "to_seq", "uint64", "plain"),
    ),
    "TimelineItem": (
        ("entry", "entry", "Entry", "item"),
        ("skip", "skip", "Skip", "item"),
    ),
    "Participant": (
        ("kind", "kind", "ParticipantKind", "plain"),
        ("id", "id", "string", "plain"),
        ("name", "name", "string", "plain"),
    ),
    "Session": (
        ("id", "id", "string", "plain"),
        ("number", "number", "uint32", "plain"),
        ("version", "version", "uint32", "plain"),
        ("status", "status", "SessionStatus", "plain"),
        ("owner", "owner", "Participant", "plain"),
        ("team", "team", "string", "plain"),
        ("inbox", "inbox", "string", "plain"),
        ("participants", "participants", "Participant", "repeated"),
        ("openedAtMs", "opened_at_ms", "int64", "plain"),
        ("waitingSinceMs", "waiting_since_ms", "int64", "plain"),
        ("queuedAtMs", "queued_at_ms", "int64", "plain"),
        ("assignedAtMs", "assigned_at_ms", "int64", "plain"),
        ("firstAnswerAtMs", "first_answer_at_ms", "int64", "plain"),
        ("closedAtMs", "closed_at_ms", "int64", "plain"),
        ("lastVisitorAtMs", "last_visitor_at_ms", "int64", "plain"),
        ("lastAgentAtMs", "last_agent_at_ms", "int64", "plain"),
        ("priority", "priority", "uint32", "plain"),
        ("intent", "intent", "string", "plain"),
        ("rating", "rating", "uint32", "plain"),
        ("ratingComment", "rating_comment", "string", "plain"),
        ("unattended", "unattended", "bool", "plain"),
        ("pendingUntilMs", "pending_until_ms", "int64", "plain"),
        ("warnedIdle", "warned_idle", "bool", "plain"),
        ("labels", "labels", "string", "repeated"),
        ("unattendedUntilMs", "unattended_until_ms", "int64", "plain"),
        ("intentConfidence", "intent_confidence", "float", "plain"),
        ("intentSource", "intent_source", "IntentSource", "plain"),
        ("intentWhy", "intent_why", "string", "plain"),
        ("askedForPerson", "asked_for_person", "bool", "plain"),
    ),
    "SessionEvent": (
        ("session", "session", "string", "plain"),
        ("version", "version", "uint32", "plain"),
        ("actor", "actor", "Actor", "plain"),
        ("cause", "cause", "Cause", "plain"),
        ("team", "team", "string", "plain"),
        ("inbox", "inbox", "string", "plain"),
        ("atMs", "at_ms", "int64", "plain"),
        ("number", "number", "uint64", "plain"),
        ("opened", "opened", "Opened", "change"),
        ("queued", "queued", "Queued", "change"),
        ("assigned", "assigned", "Assigned", "change"),
        ("transferred", "transferred", "Transferred", "change"),
        ("closed", "closed", "Closed", "change"),
        ("reopened", "reopened", "Reopened", "change"),
        ("rated", "rated", "Rated", "change"),
        ("intentSet", "intent_set", "IntentSet", "change"),
        ("prioritySet", "priority_set", "PrioritySet", "change"),
        ("joined", "joined", "Joined", "change"),
        ("left", "left", "Left", "change"),
        ("labelsSet", "labels_set", "LabelsSet", "change"),
        ("idleWarned", "idle_warned", "IdleWarned", "change"),
        ("firstAnswered", "first_answered", "FirstAnswered", "change"),
        ("pended", "pended", "Pended", "change"),
        ("unattended", "unattended", "Unattended", "change"),
    ),
    "Opened": (),
    "Queued": (
        ("team", "team", "string", "plain"),
        ("waitingSinceMs", "waiting_since_ms", "int64", "plain"),
        ("fromOwner", "from_owner", "string", "plain"),
    ),
    "Assigned": (
        ("owner", "owner", "Participant", "plain"),
        ("formerOwner", "former_owner", "string", "plain"),
        ("takeOver", "take_over", "bool", "plain"),
    ),
    "Transferred": (
        ("fromOwner", "from_owner", "string", "plain"),
        ("toOwner", "to_owner", "Participant", "plain"),
        ("toTeam", "to_team", "string", "plain"),
        ("waitingSinceMs", "waiting_since_ms", "int64", "plain"),
    ),
    "Closed": (
        ("reason", "reason", "CloseReason", "plain"),
    ),
    "Reopened": (
        ("owner", "owner", "Participant", "plain"),
    ),
    "Rated": (
        ("rating", "rating", "uint32", "plain"),
        ("comment", "comment", "string", "plain"),
    ),
    "IntentSet": (
        ("intent", "intent", "string", "plain"),
        ("confidence", "confidence", "float", "plain"),
        ("toTeam", "to_team", "string", "plain"),
        ("source", "source", "IntentSource", "plain"),
        ("why", "why", "string", "plain"),
        ("priority", "priority", "uint32", "plain"),
    ),
    "PrioritySet": (
        ("priority", "priority", "uint32", "plain"),
    ),
    "Joined": (
        ("participant", "participant", "Participant", "plain"),
    ),
    "Left": (
        ("participantId", "participant_id", "string", "plain"),
    ),
    "LabelsSet": (
        ("labels", "labels", "string", "repeated"),
    ),
    "IdleWarned": (
        ("closesAtMs", "closes_at_ms", "int64", "plain"),
    ),
    "FirstAnswered": (
        ("waitedMs", "waited_ms", "int64", "plain"),
    ),
    "Pended": (
        ("untilMs", "until_ms", "int64", "plain"),
    ),
    "Unattended": (
        ("deadlineMs", "deadline_ms", "int64", "plain"),
    ),
    "Cursor": (
        ("actor", "actor", "Actor", "plain"),
        ("deliveredSeq", "delivered_seq", "uint64", "plain"),
        ("readSeq", "read_seq", "uint64", "plain"),
    ),
    "ClientFrame": (
        ("ref", "ref", "uint32", "plain"),
        ("hello", "hello", "Hello", "frame"),
        ("send", "send", "Send", "frame"),
        ("retract", "retract", "Retract", "frame"),
        ("cursor", "cursor", "MoveCursor", "frame"),
        ("draft", "draft", "Draft", "frame"),
        ("open", "open", "Open", "frame"),
        ("leave", "leave", "Leave", "frame"),
        ("command", "command", "Command", "frame"),
        ("presence", "presence", "SetPresence", "frame"),
        ("ping", "ping", "Ping", "frame"),
        ("pong", "pong", "Pong", "frame"),
        ("sync", "sync", "Sync", "frame"),
    ),
    "ServerFrame": (
        ("ref", "ref", "uint32", "plain"),
        ("welcome", "welcome", "Welcome", "frame"),
        ("ack", "ack", "Ack", "frame"),
        ("refusal", "refusal", "Refusal", "frame"),
        ("entries", "entries", "Entries", "frame"),
        ("opened", "opened", "OpenedFrame", "frame"),
        ("session", "session", "SessionUpdate", "frame"),
        ("cursor", "cursor", "CursorUpdate", "frame"),
        ("draft", "draft", "DraftUpdate", "frame"),
        ("feed", "feed", "FeedChanges", "frame"),
        ("presence", "presence", "PresenceUpdate", "frame"),
        ("queuePlace", "queue_place", "QueuePlace", "frame"),
        ("ping", "ping", "Ping", "frame"),
        ("pong", "pong", "Pong", "frame"),
        ("goAway", "go_away", "GoAway", "frame"),
        ("error", "error", "ErrorFrame", "frame"),
        ("done", "done", "Done", "frame"),
        ("viewers", "viewers", "Viewers", "frame"),
        ("attended", "attended", "Attended", "frame"),
        ("rejoin", "rejoin", "Rejoin", "frame"),
    ),
    "Position": (
        ("epoch", "epoch", "fixed64", "plain"),
        ("seq", "seq", "uint64", "plain"),
    ),
    "Hello": (
        ("ticket", "ticket", "string", "plain"),
        ("resumeToken", "resume_token", "string", "plain"),
        ("held", "held", "Held", "repeated"),
        ("feed", "feed", "FeedPosition", "plain"),
        ("client", "client", "string", "plain"),
        ("language", "language", "string", "plain"),
        ("canRejoin", "can_rejoin", "bool", "plain"),
    ),
    "Held": (
        ("conversation", "conversation", "string", "plain"),
        ("position", "position", "Position", "plain"),
    ),
    "FeedPosition": (
        ("epoch", "epoch", "fixed64", "plain"),
        ("number", "number", "uint64", "plain"),
    ),
    "Welcome": (
        ("self", "self", "Actor", "plain"),
        ("resumeToken", "resume_token", "string", "plain"),
        ("epoch", "epoch", "fixed64", "plain"),
        ("serverTimeMs", "server_time_ms", "int64", "plain"),
        ("opened", "opened", "OpenedFrame", "repeated"),
        ("feed", "feed", "FeedPosition", "plain"),
        ("feedRecovered", "feed_recovered", "bool", "plain"),
        ("presence", "presence", "Presence", "plain"),
        ("limits", "limits", "Limits", "plain"),
        ("drafts", "drafts", "bool", "plain"),
        ("attended", "attended", "bool", "plain"),
    ),
    "Limits": (
        ("textBytesMax", "text_bytes_max", "uint32", "plain"),
        ("fileBytesMax", "file_bytes_max", "uint64", "plain"),
        ("inFlightMax", "in_flight_max", "uint32", "plain"),
        ("pingIntervalMs", "ping_interval_ms", "uint32", "plain"),
    ),
    "OpenedFrame": (
        ("conversation", "conversation", "string", "plain"),
        ("recovered", "recovered", "bool", "plain"),
        ("items", "items", "TimelineItem", "repeated"),
        ("position", "position", "Position", "plain"),
        ("moreBefore", "more_before", "bool", "plain"),
        ("session", "session", "Session", "plain"),
        ("cursors", "cursors", "Cursor", "repeated"),
        ("viewers", "viewers", "Participant", "repeated"),
        ("queuePlace", "queue_place", "QueuePlace", "plain"),
    ),
    "Send": (
        ("conversation", "conversation", "string", "plain"),
        ("clientMsgId", "client_msg_id", "bytes", "plain"),
        ("content", "content", "Content", "plain"),
        ("audience", "audience", "Audience", "plain"),
    ),
    "Ack": (
        ("clientMsgId", "client_msg_id", "bytes", "plain"),
        ("position", "position", "Position", "plain"),
        ("atMs", "at_ms", "int64", "plain"),
        ("conversation", "conversation", "string", "plain"),
        ("id", "id", "string", "plain"),
    ),
    "Refusal": (
        ("code", "code", "string", "plain"),
        ("message", "message", "string", "plain"),
        ("retryAfterMs", "retry_after_ms", "uint32", "optional"),
        ("clientMsgId", "client_msg_id", "bytes", "plain"),
        ("conversation", "conversation", "string", "plain"),
        ("detail", "detail", "string", "plain"),
    ),
    "ErrorFrame": (
        ("code", "code", "string", "plain"),
        ("message", "message", "string", "plain"),
    ),
    "Done": (),
    "Entries": (
        ("conversation", "conversation", "string", "plain"),
        ("epoch", "epoch", "fixed64", "plain"),
        ("items", "items", "TimelineItem", "repeated"),
    ),
    "Retract": (
        ("conversation", "conversation", "string", "plain"),
        ("seq", "seq", "uint64", "plain"),
    ),
    "MoveCursor": (
        ("conversation", "conversation", "string", "plain"),
        ("deliveredSeq", "delivered_seq", "uint64", "plain"),
        ("readSeq", "read_seq", "uint64", "plain"),
    ),
    "CursorUpdate": (
        ("conversation", "conversation", "string", "plain"),
        ("cursor", "cursor", "Cursor", "plain"),
    ),
    "Draft": (
        ("conversation", "conversation", "string", "plain"),
        ("typing", "typing", "bool", "plain"),
        ("text", "text", "string", "plain"),
    ),
    "DraftUpdate": (
        ("conversation", "conversation", "string", "plain"),
        ("actor", "actor", "Actor", "plain"),
        ("typing", "typing", "bool", "plain"),
        ("text", "text", "string", "plain"),
    ),
    "Open": (
        ("conversation", "conversation", "string", "plain"),
        ("position", "position", "Position", "plain"),
    ),
    "Viewers": (
        ("conversation", "conversation", "string", "plain"),
        ("viewers", "viewers", "Participant", "repeated"),
    ),
    "Leave": (
        ("conversation", "conversation", "string", "plain"),
    ),
    "Sync": (
        ("held", "held", "Held", "repeated"),
    ),
    "Command": (
        ("conversation", "conversation", "string", "plain"),
        ("expectedVersion", "expected_version", "uint32", "plain"),
        ("take", "take", "Take", "command"),
        ("takeOver", "take_over", "TakeOver", "command"),
        ("transfer", "transfer", "Transfer", "command"),
        ("close", "close", "Close", "command"),
        ("reopen", "reopen", "Reopen", "command"),
        ("requeue", "requeue", "Requeue", "command"),
        ("join", "join", "Join", "command"),
        ("stepOut", "step_out", "StepOut", "command"),
        ("rate", "rate", "Rate", "command"),
        ("setPriority", "set_priority", "SetPriority", "command"),
        ("setIntent", "set_intent", "SetIntent", "command"),
        ("setLabels", "set_labels", "SetLabels", "command"),
        ("pend", "pend", "Pend", "command"),
        ("askForPerson", "ask_for_person", "AskForPerson", "command"),
    ),
    "Take": (),
    "TakeOver": (),
    "Transfer": (
        ("toAgent", "to_agent", "string", "plain"),
        ("toTeam", "to_team", "string", "plain"),
        ("note", "note", "string", "plain"),
    ),
    "Close": (),
    "Reopen": (),
    "Requeue": (),
    "Join": (),
    "StepOut": (),
    "Rate": (
        ("rating", "rating", "uint32", "plain"),
        ("comment", "comment", "string", "plain"),
    ),
    "SetPriority": (
        ("priority", "priority", "uint32", "plain"),
    ),
    "SetIntent": (
        ("intent", "intent", "string", "plain"),
    ),
    "SetLabels": (
        ("labels", "labels", "string", "repeated"),
    ),
    "Pend": (
        ("untilMs", "until_ms", "int64", "plain"),
    ),
    "AskForPerson": (),
    "SessionUpdate": (
        ("conversation", "conversation", "string", "plain"),
        ("session", "session", "Session", "plain"),
        ("event", "event", "SessionEvent", "plain"),
    ),
    "QueuePlace": (
        ("place", "place", "uint32", "plain"),
        ("waitMs", "wait_ms", "uint32", "plain"),
        ("attended", "attended", "bool", "plain"),
    ),
    "Attended": (
        ("attended", "attended", "bool", "plain"),
    ),
    "SetPresence": (
        ("presence", "presence", "Presence", "plain"),
    ),
    "PresenceUpdate": (
        ("actor", "actor", "Actor", "plain"),
        ("presence", "presence", "Presence", "plain"),
        ("conversation", "conversation", "string", "plain"),
    ),
    "Row": (
        ("conversation", "conversation", "string", "plain"),
        ("visitor", "visitor", "string", "plain"),
        ("visitorName", "visitor_name", "string", "plain"),
        ("session", "session", "Session", "plain"),
        ("last", "last", "Entry", "plain"),
        ("position", "position", "Position", "plain"),
        ("unread", "unread", "uint32", "plain"),
        ("visitorOnline", "visitor_online", "bool", "plain"),
        ("language", "language", "string", "plain"),
        ("mentioned", "mentioned", "bool", "plain"),
    ),
    "FeedChange": (
        ("number", "number", "uint64", "plain"),
        ("row", "row", "Row", "change"),
        ("removed", "removed", "string", "change"),
    ),
    "FeedChanges": (
        ("changes", "changes", "FeedChange", "repeated"),
    ),
    "Ping": (),
    "Pong": (),
    "GoAway": (
        ("reconnectAfterMs", "reconnect_after_ms", "uint32", "plain"),
    ),
    "Rejoin": (
        ("afterMs", "after_ms", "uint32", "plain"),
    ),
}

# Values by their number.
ENUMS: dict[str, tuple[str, ...]] = {
    "ActorKind": ("ACTOR_KIND_UNSPECIFIED", "ACTOR_KIND_VISITOR", "ACTOR_KIND_AGENT", "ACTOR_KIND_BOT", "ACTOR_KIND_SYSTEM", "ACTOR_KIND_API"),
    "Audience": ("AUDIENCE_UNSPECIFIED", "AUDIENCE_EVERYONE", "AUDIENCE_TEAM"),
    "Cause": ("CAUSE_UNSPECIFIED", "CAUSE_MANUAL", "CAUSE_RULE", "CAUSE_TIMEOUT", "CAUSE_CAPACITY"),
    "FormFieldKind": ("FORM_FIELD_KIND_UNSPECIFIED", "FORM_FIELD_KIND_TEXT", "FORM_FIELD_KIND_EMAIL", "FORM_FIELD_KIND_PHONE", "FORM_FIELD_KIND_ORDER_NUMBER", "FORM_FIELD_KIND_CHOICE"),
    "TombstoneReason": ("TOMBSTONE_REASON_UNSPECIFIED", "TOMBSTONE_REASON_RETRACTED", "TOMBSTONE_REASON_ERASED"),
    "SessionStatus": ("SESSION_STATUS_UNSPECIFIED", "SESSION_STATUS_QUEUED", "SESSION_STATUS_ASSIGNED", "SESSION_STATUS_CLOSED", "SESSION_STATUS_PENDING"),
    "ParticipantKind": ("PARTICIPANT_KIND_UNSPECIFIED", "PARTICIPANT_KIND_AGENT", "PARTICIPANT_KIND_BOT", "PARTICIPANT_KIND_SUPERVISOR"),
    "CloseReason": ("CLOSE_REASON_UNSPECIFIED", "CLOSE_REASON_AGENT", "CLOSE_REASON_VISITOR", "CLOSE_REASON_IDLE"),
    "IntentSource": ("INTENT_SOURCE_UNSPECIFIED", "INTENT_SOURCE_PERSON", "INTENT_SOURCE_RULE", "INTENT_SOURCE_MODEL"),
    "Presence": ("PRESENCE_UNSPECIFIED", "PRESENCE_ONLINE", "PRESENCE_AWAY", "PRESENCE_OFFLINE"),
}
