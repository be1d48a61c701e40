// The client of Frontdesk: connection, outbox, timeline and what visitors and agents do with them.
// No DOM: where it runs is injected as a Platform ("@frontdesk/client/browser" has the browser's).
export type { AgentOptions, SessionCommand } from "./agent";
export { AgentClient } from "./agent";
export type { Answer, Choice, FieldKind, FieldProblem, FieldValue, Form, FormField, Source } from "./asked";
export { FIELD_VALUE_CHARS_MAX, answerTo, filledIn, picked, problemOf, tidied, toChoices, toForm, toSources, toValues } from "./asked";
export { Backoff } from "./backoff";
export type { AfterClose } from "./codes";
export { afterClose } from "./codes";
export type { ConnectionOptions, ConnectionState, ConnectionUser, Ticket } from "./connection";
export { Connection, Refused, TicketRefused } from "./connection";
export type { DeliveryState, OlderPage, OutgoingLine, SendOptions, Typing, ViewLine } from "./conversation";
export { Conversation } from "./conversation";
export { MessageIds } from "./ids";
export type { Actor, ActorKind, Body, Cursor, EntryLine, FileInfo, SkipLine, TimelineLine } from "./model";
export { isMessage, toActor, toBody, toEntry, toFile, toNumber } from "./model";
export type { NewMessage, Outgoing, OutgoingState } from "./outbox";
export { Outbox } from "./outbox";
export type { Channel, Clock, HttpAnswer, HttpRequest, KeyValueStore, Platform, Random, Socket, TimerId } from "./platform";
export { problemCode, requestOlder, requestRows, requestTicket } from "./tickets";
export type { Applied } from "./timeline";
export { Timeline } from "./timeline";
export type { Identity, Looked, VisitorCommand, VisitorOptions } from "./visitor";
export { VisitorClient } from "./visitor";
