// The console's own words for what the wire and the HTTP API carry, beside the entries and cursors
// that packages/client already gives: plain values with numbers as numbers and enums as short names.
// wire.ts makes them; nothing else here knows the wire.
import type { EntryLine } from "@frontdesk/client";

export type { Actor, ActorKind, Body, Cursor, EntryLine, FileInfo, TimelineLine } from "@frontdesk/client";

export type SessionStatus = "queued" | "assigned" | "closed" | "pending";
export type ParticipantKind = "agent" | "bot" | "supervisor";
/** What decided an intent. */
export type IntentSource = "person" | "rule" | "model";
export type Participant = { readonly kind: ParticipantKind; readonly id: string; readonly name: string };

export type Session = {
  readonly id: string;
  readonly number: number;
  readonly version: number;
  readonly status: SessionStatus;
  readonly owner: Participant | null;
  readonly team: string;
  readonly inbox: string;
  readonly participants: readonly Participant[];
  readonly openedAtMs: number;
  readonly waitingSinceMs: number;
  readonly queuedAtMs: number;
  readonly assignedAtMs: number;
  readonly firstAnswerAtMs: number;
  readonly closedAtMs: number;
  readonly priority: number;
  /** Empty without one. */
  readonly intent: string;
  /** 0 to 1. */
  readonly intentConfidence: number;
  readonly intentSource: IntentSource | null;
  /** The words a rule found, or what the model held probable. */
  readonly intentWhy: string;
  readonly rating: number;
  readonly ratingComment: string;
  readonly unattended: boolean;
  readonly labels: readonly string[];
};

/** One line of the list: a conversation with its newest session. */
export type Row = {
  readonly conversation: string;
  readonly visitor: string;
  readonly visitorName: string;
  readonly session: Session;
  readonly last: EntryLine | null;
  readonly seq: number;
  readonly unread: number;
  /** A note calls upon the reader, who has not read it. */
  readonly mentioned: boolean;
  readonly visitorOnline: boolean;
  readonly language: string;
};

export type Presence = "online" | "away" | "offline";
