// From the wire's JSON mapping (64-bit numbers as text, enums by name, defaults absent) to the
// console's types. Total: what a newer server sends and this console does not know becomes a
// default, never an exception.
import { toEntry, toNumber } from "@frontdesk/client";
import type { ParticipantJson, PresenceJson, RowJson, SessionJson } from "@frontdesk/protocol";
import type { IntentSource, Participant, ParticipantKind, Presence, Row, Session, SessionStatus } from "./types";

const participantKinds: Partial<Record<string, ParticipantKind>> = {
  PARTICIPANT_KIND_AGENT: "agent",
  PARTICIPANT_KIND_BOT: "bot",
  PARTICIPANT_KIND_SUPERVISOR: "supervisor",
};

export function toParticipant(json: ParticipantJson): Participant {
  return { kind: participantKinds[json.kind ?? ""] ?? "agent", id: json.id ?? "", name: json.name ?? "" };
}

const statuses: Partial<Record<string, SessionStatus>> = {
  SESSION_STATUS_QUEUED: "queued",
  SESSION_STATUS_ASSIGNED: "assigned",
  SESSION_STATUS_CLOSED: "closed",
  SESSION_STATUS_PENDING: "pending",
};

const intentSources: Partial<Record<string, IntentSource>> = {
  INTENT_SOURCE_PERSON: "person",
  INTENT_SOURCE_RULE: "rule",
  INTENT_SOURCE_MODEL: "model",
};

export function toSession(json: SessionJson | undefined): Session {
  return {
    id: json?.id ?? "",
    number: json?.number ?? 0,
    version: json?.version ?? 0,
    status: statuses[json?.status ?? ""] ?? "closed",
    owner: json?.owner && json.owner.id ? toParticipant(json.owner) : null,
    team: json?.team ?? "",
    inbox: json?.inbox ?? "",
    participants: (json?.participants ?? []).map(toParticipant),
    openedAtMs: toNumber(json?.openedAtMs),
    waitingSinceMs: toNumber(json?.waitingSinceMs),
    queuedAtMs: toNumber(json?.queuedAtMs),
    assignedAtMs: toNumber(json?.assignedAtMs),
    firstAnswerAtMs: toNumber(json?.firstAnswerAtMs),
    closedAtMs: toNumber(json?.closedAtMs),
    // 0 is read as 2, normal.
    priority: json?.priority || 2,
    intent: json?.intent ?? "",
    // What is no number comes as text.
    intentConfidence: typeof json?.intentConfidence === "number" ? json.intentConfidence : 0,
    intentSource: intentSources[json?.intentSource ?? ""] ?? null,
    intentWhy: json?.intentWhy ?? "",
    rating: json?.rating ?? 0,
    ratingComment: json?.ratingComment ?? "",
    unattended: json?.unattended ?? false,
    labels: json?.labels ?? [],
  };
}

export function toRow(json: RowJson): Row {
  return {
    conversation: json.conversation ?? "",
    visitor: json.visitor ?? "",
    visitorName: json.visitorName ?? "",
    session: toSession(json.session),
    last: json.last ? toEntry(json.last) : null,
    seq: toNumber(json.position?.seq),
    unread: json.unread ?? 0,
    mentioned: json.mentioned ?? false,
    visitorOnline: json.visitorOnline ?? false,
    language: json.language ?? "",
  };
}

export function fromPresenceJson(json: PresenceJson | undefined): Presence {
  if (json === "PRESENCE_ONLINE") return "online";
  return json === "PRESENCE_AWAY" ? "away" : "offline";
}

export function toPresenceJson(presence: Presence): PresenceJson {
  const names = { online: "PRESENCE_ONLINE", away: "PRESENCE_AWAY", offline: "PRESENCE_OFFLINE" } as const;
  return names[presence];
}
