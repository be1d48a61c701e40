// Written by sdk/generate.mjs from proto/; change it there.
// Frames as protobuf's JSON mapping writes them. A field that is zero, empty or false is absent; 64-bit numbers are
// text; bytes are base64.

export type ActorKind =
  | "ACTOR_KIND_UNSPECIFIED"
  | "ACTOR_KIND_VISITOR"
  | "ACTOR_KIND_AGENT"
  | "ACTOR_KIND_BOT"
  | "ACTOR_KIND_SYSTEM"
  | "ACTOR_KIND_API";

export type Audience =
  | "AUDIENCE_UNSPECIFIED"
  | "AUDIENCE_EVERYONE"
  | "AUDIENCE_TEAM";

export type Cause =
  | "CAUSE_UNSPECIFIED"
  | "CAUSE_MANUAL"
  | "CAUSE_RULE"
  | "CAUSE_TIMEOUT"
  | "CAUSE_CAPACITY";

export type FormFieldKind =
  | "FORM_FIELD_KIND_UNSPECIFIED"
  | "FORM_FIELD_KIND_TEXT"
  | "FORM_FIELD_KIND_EMAIL"
  | "FORM_FIELD_KIND_PHONE"
  | "FORM_FIELD_KIND_ORDER_NUMBER"
  | "FORM_FIELD_KIND_CHOICE";

export type TombstoneReason =
  | "TOMBSTONE_REASON_UNSPECIFIED"
  | "TOMBSTONE_REASON_RETRACTED"
  | "TOMBSTONE_REASON_ERASED";

export type SessionStatus =
  | "SESSION_STATUS_UNSPECIFIED"
  | "SESSION_STATUS_QUEUED"
  | "SESSION_STATUS_ASSIGNED"
  | "SESSION_STATUS_CLOSED"
  | "SESSION_STATUS_PENDING";

export type ParticipantKind =
  | "PARTICIPANT_KIND_UNSPECIFIED"
  | "PARTICIPANT_KIND_AGENT"
  | "PARTICIPANT_KIND_BOT"
  | "PARTICIPANT_KIND_SUPERVISOR";

export type CloseReason =
  | "CLOSE_REASON_UNSPECIFIED"
  | "CLOSE_REASON_AGENT"
  | "CLOSE_REASON_VISITOR"
  | "CLOSE_REASON_IDLE";

export type IntentSource =
  | "INTENT_SOURCE_UNSPECIFIED"
  | "INTENT_SOURCE_PERSON"
  | "INTENT_SOURCE_RULE"
  | "INTENT_SOURCE_MODEL";

export type Presence =
  | "PRESENCE_UNSPECIFIED"
  | "PRESENCE_ONLINE"
  | "PRESENCE_AWAY"
  | "PRESENCE_OFFLINE";

export type Actor = {
  readonly kind?: ActorKind | undefined;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
};

export type Content = {
  readonly text?: Text | undefined;
  readonly file?: File | undefined;
  readonly system?: SystemText | undefined;
  readonly choices?: Choices | undefined;
  readonly form?: Form | undefined;
  readonly formReply?: FormReply | undefined;
  readonly quoteSeq?: string | undefined;
  readonly mentions?: readonly string[] | undefined;
  readonly choice?: string | undefined;
  readonly sources?: readonly Source[] | undefined;
};

export type Text = {
  readonly body?: string | undefined;
};

export type Choices = {
  readonly body?: string | undefined;
  readonly choices?: readonly Choice[] | undefined;
};

export type Choice = {
  readonly id?: string | undefined;
  readonly label?: string | undefined;
};

export type Form = {
  readonly title?: string | undefined;
  readonly fields?: readonly FormField[] | undefined;
  readonly submit?: string | undefined;
};

export type FormField = {
  readonly id?: string | undefined;
  readonly label?: string | undefined;
  readonly kind?: FormFieldKind | undefined;
  readonly required?: boolean | undefined;
  readonly options?: readonly Choice[] | undefined;
};

export type FormReply = {
  readonly values?: readonly FieldValue[] | undefined;
};

export type FieldValue = {
  readonly id?: string | undefined;
  readonly label?: string | undefined;
  readonly value?: string | undefined;
};

export type Source = {
  readonly article?: string | undefined;
  readonly title?: string | undefined;
  readonly path?: string | undefined;
};

export type File = {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly mediaType?: string | undefined;
  readonly sizeBytes?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly hasThumbnail?: boolean | undefined;
};

export type SystemText = {
  readonly key?: string | undefined;
  readonly params?: Readonly<Record<string, string>> | undefined;
};

export type Entry = {
  readonly seq?: string | undefined;
  readonly id?: string | undefined;
  readonly actor?: Actor | undefined;
  readonly audience?: Audience | undefined;
  readonly atMs?: string | undefined;
  readonly clientMsgId?: string | undefined;
  readonly session?: string | undefined;
  readonly content?: Content | undefined;
  readonly tombstone?: Tombstone | undefined;
  readonly retraction?: Retraction | undefined;
};

export type Tombstone = {
  readonly reason?: TombstoneReason | undefined;
};

export type Retraction = {
  readonly seq?: string | undefined;
};

export type Skip = {
  readonly fromSeq?: string | undefined;
  readonly toSeq?: string | undefined;
};

export type TimelineItem = {
  readonly entry?: Entry | undefined;
  readonly skip?: Skip | undefined;
};

export type Participant = {
  readonly kind?: ParticipantKind | undefined;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
};

export type Session = {
  readonly id?: string | undefined;
  readonly number?: number | undefined;
  readonly version?: number | undefined;
  readonly status?: SessionStatus | undefined;
  readonly owner?: Participant | undefined;
  readonly team?: string | undefined;
  readonly inbox?: string | undefined;
  readonly participants?: readonly Participant[] | undefined;
  readonly openedAtMs?: string | undefined;
  readonly waitingSinceMs?: string | undefined;
  readonly queuedAtMs?: string | undefined;
  readonly assignedAtMs?: string | undefined;
  readonly firstAnswerAtMs?: string | undefined;
  readonly closedAtMs?: string | undefined;
  readonly lastVisitorAtMs?: string | undefined;
  readonly lastAgentAtMs?: string | undefined;
  readonly priority?: number | undefined;
  readonly intent?: string | undefined;
  readonly rating?: number | undefined;
  readonly ratingComment?: string | undefined;
  readonly unattended?: boolean | undefined;
  readonly pendingUntilMs?: string | undefined;
  readonly warnedIdle?: boolean | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly unattendedUntilMs?: string | undefined;
  readonly intentConfidence?: number | undefined;
  readonly intentSource?: IntentSource | undefined;
  readonly intentWhy?: string | undefined;
  readonly askedForPerson?: boolean | undefined;
};

export type SessionEvent = {
  readonly session?: string | undefined;
  readonly version?: number | undefined;
  readonly actor?: Actor | undefined;
  readonly cause?: Cause | undefined;
  readonly team?: string | undefined;
  readonly inbox?: string | undefined;
  readonly atMs?: string | undefined;
  readonly number?: string | undefined;
  readonly opened?: Opened | undefined;
  readonly queued?: Queued | undefined;
  readonly assigned?: Assigned | undefined;
  readonly transferred?: Transferred | undefined;
  readonly closed?: Closed | undefined;
  readonly reopened?: Reopened | undefined;
  readonly rated?: Rated | undefined;
  readonly intentSet?: IntentSet | undefined;
  readonly prioritySet?: PrioritySet | undefined;
  readonly joined?: Joined | undefined;
  readonly left?: Left | undefined;
  readonly labelsSet?: LabelsSet | undefined;
  readonly idleWarned?: IdleWarned | undefined;
  readonly firstAnswered?: FirstAnswered | undefined;
  readonly pended?: Pended | undefined;
  readonly unattended?: Unattended | undefined;
};

export type Opened = Readonly<Record<string, never>>;

export type Queued = {
  readonly team?: string | undefined;
  readonly waitingSinceMs?: string | undefined;
  readonly fromOwner?: string | undefined;
};

export type Assigned = {
  readonly owner?: Participant | undefined;
  readonly formerOwner?: string | undefined;
  readonly takeOver?: boolean | undefined;
};

export type Transferred = {
  readonly fromOwner?: string | undefined;
  readonly toOwner?: Participant | undefined;
  readonly toTeam?: string | undefined;
  readonly waitingSinceMs?: string | undefined;
};

export type Closed = {
  readonly reason?: CloseReason | undefined;
};

export type Reopened = {
  readonly owner?: Participant | undefined;
};

export type Rated = {
  readonly rating?: number | undefined;
  readonly comment?: string | undefined;
};

export type IntentSet = {
  readonly intent?: string | undefined;
  readonly confidence?: number | undefined;
  readonly toTeam?: string | undefined;
  readonly source?: IntentSource | undefined;
  readonly why?: string | undefined;
  readonly priority?: number | undefined;
};

export type PrioritySet = {
  readonly priority?: number | undefined;
};

export type Joined = {
  readonly participant?: Participant | undefined;
};

export type Left = {
  readonly participantId?: string | undefined;
};

export type LabelsSet = {
  readonly labels?: readonly string[] | undefined;
};

export type IdleWarned = {
  readonly closesAtMs?: string | undefined;
};

export type FirstAnswered = {
  readonly waitedMs?: string | undefined;
};

export type Pended = {
  readonly untilMs?: string | undefined;
};

export type Unattended = {
  readonly deadlineMs?: string | undefined;
};

export type Cursor = {
  readonly actor?: Actor | undefined;
  readonly deliveredSeq?: string | undefined;
  readonly readSeq?: string | undefined;
};

export type ClientFrame = {
  readonly ref?: number | undefined;
  readonly hello?: Hello | undefined;
  readonly send?: Send | undefined;
  readonly retract?: Retract | undefined;
  readonly cursor?: MoveCursor | undefined;
  readonly draft?: Draft | undefined;
  readonly open?: Open | undefined;
  readonly leave?: Leave | undefined;
  readonly command?: Command | undefined;
  readonly presence?: SetPresence | undefined;
  readonly ping?: Ping | undefined;
  readonly pong?: Pong | undefined;
  readonly sync?: Sync | undefined;
};

export type ServerFrame = {
  readonly ref?: number | undefined;
  readonly welcome?: Welcome | undefined;
  readonly ack?: Ack | undefined;
  readonly refusal?: Refusal | undefined;
  readonly entries?: Entries | undefined;
  readonly opened?: OpenedFrame | undefined;
  readonly session?: SessionUpdate | undefined;
  readonly cursor?: CursorUpdate | undefined;
  readonly draft?: DraftUpdate | undefined;
  readonly feed?: FeedChanges | undefined;
  readonly presence?: PresenceUpdate | undefined;
  readonly queuePlace?: QueuePlace | undefined;
  readonly ping?: Ping | undefined;
  readonly pong?: Pong | undefined;
  readonly goAway?: GoAway | undefined;
  readonly error?: ErrorFrame | undefined;
  readonly done?: Done | undefined;
  readonly viewers?: Viewers | undefined;
  readonly attended?: Attended | undefined;
  readonly rejoin?: Rejoin | undefined;
};

export type Position = {
  readonly epoch?: string | undefined;
  readonly seq?: string | undefined;
};

export type Hello = {
  readonly ticket?: string | undefined;
  readonly resumeToken?: string | undefined;
  readonly held?: readonly Held[] | undefined;
  readonly feed?: FeedPosition | undefined;
  readonly client?: string | undefined;
  readonly language?: string | undefined;
  readonly canRejoin?: boolean | undefined;
};

export type Held = {
  readonly conversation?: string | undefined;
  readonly position?: Position | undefined;
};

export type FeedPosition = {
  readonly epoch?: string | undefined;
  readonly number?: string | undefined;
};

export type Welcome = {
  readonly self?: Actor | undefined;
  readonly resumeToken?: string | undefined;
  readonly epoch?: string | undefined;
  readonly serverTimeMs?: string | undefined;
  readonly opened?: readonly OpenedFrame[] | undefined;
  readonly feed?: FeedPosition | undefined;
  readonly feedRecovered?: boolean | undefined;
  readonly presence?: Presence | undefined;
  readonly limits?: Limits | undefined;
  readonly drafts?: boolean | undefined;
  readonly attended?: boolean | undefined;
};

export type Limits = {
  readonly textBytesMax?: number | undefined;
  readonly fileBytesMax?: string | undefined;
  readonly inFlightMax?: number | undefined;
  readonly pingIntervalMs?: number | undefined;
};

export type OpenedFrame = {
  readonly conversation?: string | undefined;
  readonly recovered?: boolean | undefined;
  readonly items?: readonly TimelineItem[] | undefined;
  readonly position?: Position | undefined;
  readonly moreBefore?: boolean | undefined;
  readonly session?: Session | undefined;
  readonly cursors?: readonly Cursor[] | undefined;
  readonly viewers?: readonly Participant[] | undefined;
  readonly queuePlace?: QueuePlace | undefined;
};

export type Send = {
  readonly conversation?: string | undefined;
  readonly clientMsgId?: string | undefined;
  readonly content?: Content | undefined;
  readonly audience?: Audience | undefined;
};

export type Ack = {
  readonly clientMsgId?: string | undefined;
  readonly position?: Position | undefined;
  readonly atMs?: string | undefined;
  readonly conversation?: string | undefined;
  readonly id?: string | undefined;
};

export type Refusal = {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly clientMsgId?: string | undefined;
  readonly conversation?: string | undefined;
  readonly detail?: string | undefined;
};

export type ErrorFrame = {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
};

export type Done = Readonly<Record<string, never>>;

export type Entries = {
  readonly conversation?: string | undefined;
  readonly epoch?: string | undefined;
  readonly items?: readonly TimelineItem[] | undefined;
};

export type Retract = {
  readonly conversation?: string | undefined;
  readonly seq?: string | undefined;
};

export type MoveCursor = {
  readonly conversation?: string | undefined;
  readonly deliveredSeq?: string | undefined;
  readonly readSeq?: string | undefined;
};

export type CursorUpdate = {
  readonly conversation?: string | undefined;
  readonly cursor?: Cursor | undefined;
};

export type Draft = {
  readonly conversation?: string | undefined;
  readonly typing?: boolean | undefined;
  readonly text?: string | undefined;
};

export type DraftUpdate = {
  readonly conversation?: string | undefined;
  readonly actor?: Actor | undefined;
  readonly typing?: boolean | undefined;
  readonly text?: string | undefined;
};

export type Open = {
  readonly conversation?: string | undefined;
  readonly position?: Position | undefined;
};

export type Viewers = {
  readonly conversation?: string | undefined;
  readonly viewers?: readonly Participant[] | undefined;
};

export type Leave = {
  readonly conversation?: string | undefined;
};

export type Sync = {
  readonly held?: readonly Held[] | undefined;
};

export type Command = {
  readonly conversation?: string | undefined;
  readonly expectedVersion?: number | undefined;
  readonly take?: Take | undefined;
  readonly takeOver?: TakeOver | undefined;
  readonly transfer?: Transfer | undefined;
  readonly close?: Close | undefined;
  readonly reopen?: Reopen | undefined;
  readonly requeue?: Requeue | undefined;
  readonly join?: Join | undefined;
  readonly stepOut?: StepOut | undefined;
  readonly rate?: Rate | undefined;
  readonly setPriority?: SetPriority | undefined;
  readonly setIntent?: SetIntent | undefined;
  readonly setLabels?: SetLabels | undefined;
  readonly pend?: Pend | undefined;
  readonly askForPerson?: AskForPerson | undefined;
};

export type Take = Readonly<Record<string, never>>;

export type TakeOver = Readonly<Record<string, never>>;

export type Transfer = {
  readonly toAgent?: string | undefined;
  readonly toTeam?: string | undefined;
  readonly note?: string | undefined;
};

export type Close = Readonly<Record<string, never>>;

export type Reopen = Readonly<Record<string, never>>;

export type Requeue = Readonly<Record<string, never>>;

export type Join = Readonly<Record<string, never>>;

export type StepOut = Readonly<Record<string, never>>;

export type Rate = {
  readonly rating?: number | undefined;
  readonly comment?: string | undefined;
};

export type SetPriority = {
  readonly priority?: number | undefined;
};

export type SetIntent = {
  readonly intent?: string | undefined;
};

export type SetLabels = {
  readonly labels?: readonly string[] | undefined;
};

export type Pend = {
  readonly untilMs?: string | undefined;
};

export type AskForPerson = Readonly<Record<string, never>>;

export type SessionUpdate = {
  readonly conversation?: string | undefined;
  readonly session?: Session | undefined;
  readonly event?: SessionEvent | undefined;
};

export type QueuePlace = {
  readonly place?: number | undefined;
  readonly waitMs?: number | undefined;
  readonly attended?: boolean | undefined;
};

export type Attended = {
  readonly attended?: boolean | undefined;
};

export type SetPresence = {
  readonly presence?: Presence | undefined;
};

export type PresenceUpdate = {
  readonly actor?: Actor | undefined;
  readonly presence?: Presence | undefined;
  readonly conversation?: string | undefined;
};

export type Row = {
  readonly conversation?: string | undefined;
  readonly visitor?: string | undefined;
  readonly visitorName?: string | undefined;
  readonly session?: Session | undefined;
  readonly last?: Entry | undefined;
  readonly position?: Position | undefined;
  readonly unread?: number | undefined;
  readonly visitorOnline?: boolean | undefined;
  readonly language?: string | undefined;
  readonly mentioned?: boolean | undefined;
};

export type FeedChange = {
  readonly number?: string | undefined;
  readonly row?: Row | undefined;
  readonly removed?: string | undefined;
};

export type FeedChanges = {
  readonly changes?: readonly FeedChange[] | undefined;
};

export type Ping = Readonly<Record<string, never>>;

export type Pong = Readonly<Record<string, never>>;

export type GoAway = {
  readonly reconnectAfterMs?: number | undefined;
};

export type Rejoin = {
  readonly afterMs?: number | undefined;
};

/** Name, name in the proto file, type, and how it stands: plain, repeated, optional or a oneof's name. */
export type Field = readonly [name: string, proto: string, type: string, stands: string];

export const MESSAGES: Readonly<Record<string, readonly Field[]>> = {
  Actor: [
    ["kind", "kind", "ActorKind", "plain"],
    ["id", "id", "string", "plain"],
    ["name", "name", "string", "plain"],
  ],
  Content: [
    ["text", "text", "Text", "kind"],
    ["file", "file", "File", "kind"],
    ["system", "system", "SystemText", "kind"],
    ["choices", "choices", "Choices", "kind"],
    ["form", "form", "Form", "kind"],
    ["formReply", "form_reply", "FormReply", "kind"],
    ["quoteSeq", "quote_seq", "uint64", "plain"],
    ["mentions", "mentions", "string", "repeated"],
    ["choice", "choice", "string", "plain"],
    ["sources", "sources", "Source", "repeated"],
  ],
  Text: [
    ["body", "body", "string", "plain"],
  ],
  Choices: [
    ["body", "body", "string", "plain"],
    ["choices", "choices", "Choice", "repeated"],
  ],
  Choice: [
    ["id", "id", "string", "plain"],
    ["label", "label", "string", "plain"],
  ],
  Form: [
    ["title", "title", "string", "plain"],
    ["fields", "fields", "FormField", "repeated"],
    ["submit", "submit", "string", "plain"],
  ],
  FormField: [
    ["id", "id", "string", "plain"],
    ["label", "label", "string", "plain"],
    ["kind", "kind", "FormFieldKind", "plain"],
    ["required", "required", "bool", "plain"],
    ["options", "options", "Choice", "repeated"],
  ],
  FormReply: [
    ["values", "values", "FieldValue", "repeated"],
  ],
  FieldValue: [
    ["id", "id", "string", "plain"],
    ["label", "label", "string", "plain"],
    ["value", "value", "string", "plain"],
  ],
  Source: [
    ["article", "article", "string", "plain"],
    ["title", "title", "string", "plain"],
    ["path", "path", "string", "plain"],
  ],
  File: [
    ["id", "id", "string", "plain"],
    ["name", "name", "string", "plain"],
    ["mediaType", "media_type", "string", "plain"],
    ["sizeBytes", "size_bytes", "uint64", "plain"],
    ["width", "width", "uint32", "plain"],
    ["height", "height", "uint32", "plain"],
    ["hasThumbnail", "has_thumbnail", "bool", "plain"],
  ],
  SystemText: [
    ["key", "key", "string", "plain"],
    ["params", "params", "map", "plain"],
  ],
  Entry: [
    ["seq", "seq", "uint64", "plain"],
    ["id", "id", "string", "plain"],
    ["actor", "actor", "Actor", "plain"],
    ["audience", "audience", "Audience", "plain"],
    ["atMs", "at_ms", "int64", "plain"],
    ["clientMsgId", "client_msg_id", "bytes", "plain"],
    ["session", "session", "string", "plain"],
    ["content", "content", "Content", "body"],
    ["tombstone", "tombstone", "Tombstone", "body"],
    ["retraction", "retraction", "Retraction", "body"],
  ],
  Tombstone: [
    ["reason", "reason", "TombstoneReason", "plain"],
  ],
  Retraction: [
    ["seq", "seq", "uint64", "plain"],
  ],
  Skip: [
    ["fromSeq", "from_seq", "uint64", "plain"],
    ["toSeq", "to_seq", "uint64", "plain"],
  ],
  TimelineItem: [
    ["entry", "entry", "Entry", "item"],
    ["skip", "skip", "Skip", "item"],
  ],
  Participant: [
    ["kind", "kind", "ParticipantKind", "plain"],
    ["id", "id", "string", "plain"],
    ["name", "name", "string", "plain"],
  ],
  Session: [
    ["id", "id", "string", "plain"],
    ["number", "number", "uint32", "plain"],
    ["version", "version", "uint32", "plain"],
    ["status", "status", "SessionStatus", "plain"],
    ["owner", "owner", "Participant", "plain"],
    ["team", "team", "string", "plain"],
    ["inbox", "inbox", "string", "plain"],
    ["participants", "participants", "Participant", "repeated"],
    ["openedAtMs", "opened_at_ms", "int64", "plain"],
    ["waitingSinceMs", "waiting_since_ms", "int64", "plain"],
    ["queuedAtMs", "queued_at_ms", "int64", "plain"],
    ["assignedAtMs", "assigned_at_ms", "int64", "plain"],
    ["firstAnswerAtMs", "first_answer_at_ms", "int64", "plain"],
    ["closedAtMs", "closed_at_ms", "int64", "plain"],
    ["lastVisitorAtMs", "last_visitor_at_ms", "int64", "plain"],
    ["lastAgentAtMs", "last_agent_at_ms", "int64", "plain"],
    ["priority", "priority", "uint32", "plain"],
    ["intent", "intent", "string", "plain"],
    ["rating", "rating", "uint32", "plain"],
    ["ratingComment", "rating_comment", "string", "plain"],
    ["unattended", "unattended", "bool", "plain"],
    ["pendingUntilMs", "pending_until_ms", "int64", "plain"],
    ["warnedIdle", "warned_idle", "bool", "plain"],
    ["labels", "labels", "string", "repeated"],
    ["unattendedUntilMs", "unattended_until_ms", "int64", "plain"],
    ["intentConfidence", "intent_confidence", "float", "plain"],
    ["intentSource", "intent_source", "IntentSource", "plain"],
    ["intentWhy", "intent_why", "string", "plain"],
    ["askedForPerson", "asked_for_person", "bool", "plain"],
  ],
  SessionEvent: [
    ["session", "session", "string", "plain"],
    ["version", "version", "uint32", "plain"],
    ["actor", "actor", "Actor", "plain"],
    ["cause", "cause", "Cause", "plain"],
    ["team", "team", "string", "plain"],
    ["inbox", "inbox", "string", "plain"],
    ["atMs", "at_ms", "int64", "plain"],
    ["number", "number", "uint64", "plain"],
    ["opened", "opened", "Opened", "change"],
    ["queued", "queued", "Queued", "change"],
    ["assigned", "assigned", "Assigned", "change"],
    ["transferred", "transferred", "Transferred", "change"],
    ["closed", "closed", "Closed", "change"],
    ["reopened", "reopened", "Reopened", "change"],
    ["rated", "rated", "Rated", "change"],
    ["intentSet", "intent_set", "IntentSet", "change"],
    ["prioritySet", "priority_set", "PrioritySet", "change"],
    ["joined", "joined", "Joined", "change"],
    ["left", "left", "Left", "change"],
    ["labelsSet", "labels_set", "LabelsSet", "change"],
    ["idleWarned", "idle_warned", "IdleWarned", "change"],
    ["firstAnswered", "first_answered", "FirstAnswered", "change"],
    ["pended", "pended", "Pended", "change"],
    ["unattended", "unattended", "Unattended", "change"],
  ],
  Opened: [],
  Queued: [
    ["team", "team", "string", "plain"],
    ["waitingSinceMs", "waiting_since_ms", "int64", "plain"],
    ["fromOwner", "from_owner", "string", "plain"],
  ],
  Assigned: [
    ["owner", "owner", "Participant", "plain"],
    ["formerOwner", "former_owner", "string", "plain"],
    ["takeOver", "take_over", "bool", "plain"],
  ],
  Transferred: [
    ["fromOwner", "from_owner", "string", "plain"],
    ["toOwner", "to_owner", "Participant", "plain"],
    ["toTeam", "to_team", "string", "plain"],
    ["waitingSinceMs", "waiting_since_ms", "int64", "plain"],
  ],
  Closed: [
    ["reason", "reason", "CloseReason", "plain"],
  ],
  Reopened: [
    ["owner", "owner", "Participant", "plain"],
  ],
  Rated: [
    ["rating", "rating", "uint32", "plain"],
    ["comment", "comment", "string", "plain"],
  ],
  IntentSet: [
    ["intent", "intent", "string", "plain"],
    ["confidence", "confidence", "float", "plain"],
    ["toTeam", "to_team", "string", "plain"],
    ["source", "source", "IntentSource", "plain"],
    ["why", "why", "string", "plain"],
    ["priority", "priority", "uint32", "plain"],
  ],
  PrioritySet: [
    ["priority", "priority", "uint32", "plain"],
  ],
  Joined: [
    ["participant", "participant", "Participant", "plain"],
  ],
  Left: [
    ["participantId", "participant_id", "string", "plain"],
  ],
  LabelsSet: [
    ["labels", "labels", "string", "repeated"],
  ],
  IdleWarned: [
    ["closesAtMs", "closes_at_ms", "int64", "plain"],
  ],
  FirstAnswered: [
    ["waitedMs", "waited_ms", "int64", "plain"],
  ],
  Pended: [
    ["untilMs", "until_ms", "int64", "plain"],
  ],
  Unattended: [
    ["deadlineMs", "deadline_ms", "int64", "plain"],
  ],
  Cursor: [
    ["actor", "actor", "Actor", "plain"],
    ["deliveredSeq", "delivered_seq", "uint64", "plain"],
    ["readSeq", "read_seq", "uint64", "plain"],
  ],
  ClientFrame: [
    ["ref", "ref", "uint32", "plain"],
    ["hello", "hello", "Hello", "frame"],
    ["send", "send", "Send", "frame"],
    ["retract", "retract", "Retract", "frame"],
    ["cursor", "cursor", "MoveCursor", "frame"],
    ["draft", "draft", "Draft", "frame"],
    ["open", "open", "Open", "frame"],
    ["leave", "leave", "Leave", "frame"],
    ["command", "command", "Command", "frame"],
    ["presence", "presence", "SetPresence", "frame"],
    ["ping", "ping", "Ping", "frame"],
    ["pong", "pong", "Pong", "frame"],
    ["sync", "sync", "Sync", "frame"],
  ],
  ServerFrame: [
    ["ref", "ref", "uint32", "plain"],
    ["welcome", "welcome", "Welcome", "frame"],
    ["ack", "ack", "Ack", "frame"],
    ["refusal", "refusal", "Refusal", "frame"],
    ["entries", "entries", "Entries", "frame"],
    ["opened", "opened", "OpenedFrame", "frame"],
    ["session", "session", "SessionUpdate", "frame"],
    ["cursor", "cursor", "CursorUpdate", "frame"],
    ["draft", "draft", "DraftUpdate", "frame"],
    ["feed", "feed", "FeedChanges", "frame"],
    ["presence", "presence", "PresenceUpdate", "frame"],
    ["queuePlace", "queue_place", "QueuePlace", "frame"],
    ["ping", "ping", "Ping", "frame"],
    ["pong", "pong", "Pong", "frame"],
    ["goAway", "go_away", "GoAway", "frame"],
    ["error", "error", "ErrorFrame", "frame"],
    ["done", "done", "Done", "frame"],
    ["viewers", "viewers", "Viewers", "frame"],
    ["attended", "attended", "Attended", "frame"],
    ["rejoin", "rejoin", "Rejoin", "frame"],
  ],
  Position: [
    ["epoch", "epoch", "fixed64", "plain"],
    ["seq", "seq", "uint64", "plain"],
  ],
  Hello: [
    ["ticket", "ticket", "string", "plain"],
    ["resumeToken", "resume_token", "string", "plain"],
    ["held", "held", "Held", "repeated"],
    ["feed", "feed", "FeedPosition", "plain"],
    ["client", "client", "string", "plain"],
    ["language", "language", "string", "plain"],
    ["canRejoin", "can_rejoin", "bool", "plain"],
  ],
  Held: [
    ["conversation", "conversation", "string", "plain"],
    ["position", "position", "Position", "plain"],
  ],
  FeedPosition: [
    ["epoch", "epoch", "fixed64", "plain"],
    ["number", "number", "uint64", "plain"],
  ],
  Welcome: [
    ["self", "self", "Actor", "plain"],
    ["resumeToken", "resume_token", "string", "plain"],
    ["epoch", "epoch", "fixed64", "plain"],
    ["serverTimeMs", "server_time_ms", "int64", "plain"],
    ["opened", "opened", "OpenedFrame", "repeated"],
    ["feed", "feed", "FeedPosition", "plain"],
    ["feedRecovered", "feed_recovered", "bool", "plain"],
    ["presence", "presence", "Presence", "plain"],
    ["limits", "limits", "Limits", "plain"],
    ["drafts", "drafts", "bool", "plain"],
    ["attended", "attended", "bool", "plain"],
  ],
  Limits: [
    ["textBytesMax", "text_bytes_max", "uint32", "plain"],
    ["fileBytesMax", "file_bytes_max", "uint64", "plain"],
    ["inFlightMax", "in_flight_max", "uint32", "plain"],
    ["pingIntervalMs", "ping_interval_ms", "uint32", "plain"],
  ],
  OpenedFrame: [
    ["conversation", "conversation", "string", "plain"],
    ["recovered", "recovered", "bool", "plain"],
    ["items", "items", "TimelineItem", "repeated"],
    ["position", "position", "Position", "plain"],
    ["moreBefore", "more_before", "bool", "plain"],
    ["session", "session", "Session", "plain"],
    ["cursors", "cursors", "Cursor", "repeated"],
    ["viewers", "viewers", "Participant", "repeated"],
    ["queuePlace", "queue_place", "QueuePlace", "plain"],
  ],
  Send: [
    ["conversation", "conversation", "string", "plain"],
    ["clientMsgId", "client_msg_id", "bytes", "plain"],
    ["content", "content", "Content", "plain"],
    ["audience", "audience", "Audience", "plain"],
  ],
  Ack: [
    ["clientMsgId", "client_msg_id", "bytes", "plain"],
    ["position", "position", "Position", "plain"],
    ["atMs", "at_ms", "int64", "plain"],
    ["conversation", "conversation", "string", "plain"],
    ["id", "id", "string", "plain"],
  ],
  Refusal: [
    ["code", "code", "string", "plain"],
    ["message", "message", "string", "plain"],
    ["retryAfterMs", "retry_after_ms", "uint32", "optional"],
    ["clientMsgId", "client_msg_id", "bytes", "plain"],
    ["conversation", "conversation", "string", "plain"],
    ["detail", "detail", "string", "plain"],
  ],
  ErrorFrame: [
    ["code", "code", "string", "plain"],
    ["message", "message", "string", "plain"],
  ],
  Done: [],
  Entries: [
    ["conversation", "conversation", "string", "plain"],
    ["epoch", "epoch", "fixed64", "plain"],
    ["items", "items", "TimelineItem", "repeated"],
  ],
  Retract: [
    ["conversation", "conversation", "string", "plain"],
    ["seq", "seq", "uint64", "plain"],
  ],
  MoveCursor: [
    ["conversation", "conversation", "string", "plain"],
    ["deliveredSeq", "delivered_seq", "uint64", "plain"],
    ["readSeq", "read_seq", "uint64", "plain"],
  ],
  CursorUpdate: [
    ["conversation", "conversation", "string", "plain"],
    ["cursor", "cursor", "Cursor", "plain"],
  ],
  Draft: [
    ["conversation", "conversation", "string", "plain"],
    ["typing", "typing", "bool", "plain"],
    ["text", "text", "string", "plain"],
  ],
  DraftUpdate: [
    ["conversation", "conversation", "string", "plain"],
    ["actor", "actor", "Actor", "plain"],
    ["typing", "typing", "bool", "plain"],
    ["text", "text", "string", "plain"],
  ],
  Open: [
    ["conversation", "conversation", "string", "plain"],
    ["position", "position", "Position", "plain"],
  ],
  Viewers: [
    ["conversation", "conversation", "string", "plain"],
    ["viewers", "viewers", "Participant", "repeated"],
  ],
  Leave: [
    ["conversation", "conversation", "string", "plain"],
  ],
  Sync: [
    ["held", "held", "Held", "repeated"],
  ],
  Command: [
    ["conversation", "conversation", "string", "plain"],
    ["expectedVersion", "expected_version", "uint32", "plain"],
    ["take", "take", "Take", "command"],
    ["takeOver", "take_over", "TakeOver", "command"],
    ["transfer", "transfer", "Transfer", "command"],
    ["close", "close", "Close", "command"],
    ["reopen", "reopen", "Reopen", "command"],
    ["requeue", "requeue", "Requeue", "command"],
    ["join", "join", "Join", "command"],
    ["stepOut", "step_out", "StepOut", "command"],
    ["rate", "rate", "Rate", "command"],
    ["setPriority", "set_priority", "SetPriority", "command"],
    ["setIntent", "set_intent", "SetIntent", "command"],
    ["setLabels", "set_labels", "SetLabels", "command"],
    ["pend", "pend", "Pend", "command"],
    ["askForPerson", "ask_for_person", "AskForPerson", "command"],
  ],
  Take: [],
  TakeOver: [],
  Transfer: [
    ["toAgent", "to_agent", "string", "plain"],
    ["toTeam", "to_team", "string", "plain"],
    ["note", "note", "string", "plain"],
  ],
  Close: [],
  Reopen: [],
  Requeue: [],
  Join: [],
  StepOut: [],
  Rate: [
    ["rating", "rating", "uint32", "plain"],
    ["comment", "comment", "string", "plain"],
  ],
  SetPriority: [
    ["priority", "priority", "uint32", "plain"],
  ],
  SetIntent: [
    ["intent", "intent", "string", "plain"],
  ],
  SetLabels: [
    ["labels", "labels", "string", "repeated"],
  ],
  Pend: [
    ["untilMs", "until_ms", "int64", "plain"],
  ],
  AskForPerson: [],
  SessionUpdate: [
    ["conversation", "conversation", "string", "plain"],
    ["session", "session", "Session", "plain"],
    ["event", "event", "SessionEvent", "plain"],
  ],
  QueuePlace: [
    ["place", "place", "uint32", "plain"],
    ["waitMs", "wait_ms", "uint32", "plain"],
    ["attended", "attended", "bool", "plain"],
  ],
  Attended: [
    ["attended", "attended", "bool", "plain"],
  ],
  SetPresence: [
    ["presence", "presence", "Presence", "plain"],
  ],
  PresenceUpdate: [
    ["actor", "actor", "Actor", "plain"],
    ["presence", "presence", "Presence", "plain"],
    ["conversation", "conversation", "string", "plain"],
  ],
  Row: [
    ["conversation", "conversation", "string", "plain"],
    ["visitor", "visitor", "string", "plain"],
    ["visitorName", "visitor_name", "string", "plain"],
    ["session", "session", "Session", "plain"],
    ["last", "last", "Entry", "plain"],
    ["position", "position", "Position", "plain"],
    ["unread", "unread", "uint32", "plain"],
    ["visitorOnline", "visitor_online", "bool", "plain"],
    ["language", "language", "string", "plain"],
    ["mentioned", "mentioned", "bool", "plain"],
  ],
  FeedChange: [
    ["number", "number", "uint64", "plain"],
    ["row", "row", "Row", "change"],
    ["removed", "removed", "string", "change"],
  ],
  FeedChanges: [
    ["changes", "changes", "FeedChange", "repeated"],
  ],
  Ping: [],
  Pong: [],
  GoAway: [
    ["reconnectAfterMs", "reconnect_after_ms", "uint32", "plain"],
  ],
  Rejoin: [
    ["afterMs", "after_ms", "uint32", "plain"],
  ],
};

/** Values by their number. */
export const ENUMS: Readonly<Record<string, readonly string[]>> = {
  ActorKind: ["ACTOR_KIND_UNSPECIFIED", "ACTOR_KIND_VISITOR", "ACTOR_KIND_AGENT", "ACTOR_KIND_BOT", "ACTOR_KIND_SYSTEM", "ACTOR_KIND_API"],
  Audience: ["AUDIENCE_UNSPECIFIED", "AUDIENCE_EVERYONE", "AUDIENCE_TEAM"],
  Cause: ["CAUSE_UNSPECIFIED", "CAUSE_MANUAL", "CAUSE_RULE", "CAUSE_TIMEOUT", "CAUSE_CAPACITY"],
  FormFieldKind: ["FORM_FIELD_KIND_UNSPECIFIED", "FORM_FIELD_KIND_TEXT", "FORM_FIELD_KIND_EMAIL", "FORM_FIELD_KIND_PHONE", "FORM_FIELD_KIND_ORDER_NUMBER", "FORM_FIELD_KIND_CHOICE"],
  TombstoneReason: ["TOMBSTONE_REASON_UNSPECIFIED", "TOMBSTONE_REASON_RETRACTED", "TOMBSTONE_REASON_ERASED"],
  SessionStatus: ["SESSION_STATUS_UNSPECIFIED", "SESSION_STATUS_QUEUED", "SESSION_STATUS_ASSIGNED", "SESSION_STATUS_CLOSED", "SESSION_STATUS_PENDING"],
  ParticipantKind: ["PARTICIPANT_KIND_UNSPECIFIED", "PARTICIPANT_KIND_AGENT", "PARTICIPANT_KIND_BOT", "PARTICIPANT_KIND_SUPERVISOR"],
  CloseReason: ["CLOSE_REASON_UNSPECIFIED", "CLOSE_REASON_AGENT", "CLOSE_REASON_VISITOR", "CLOSE_REASON_IDLE"],
  IntentSource: ["INTENT_SOURCE_UNSPECIFIED", "INTENT_SOURCE_PERSON", "INTENT_SOURCE_RULE", "INTENT_SOURCE_MODEL"],
  Presence: ["PRESENCE_UNSPECIFIED", "PRESENCE_ONLINE", "PRESENCE_AWAY", "PRESENCE_OFFLINE"],
};
