// Entries as views use them: numbers instead of decimal strings, one discriminated union instead of
// optional fields. Nothing here trusts that the other side filled a field in.
import type {
  ActorJson,
  ChoiceJson,
  ContentJson,
  CursorJson,
  EntryJson,
  FieldValueJson,
  FileJson,
  FormJson,
  SourceJson,
  TimelineItemJson,
} from "@frontdesk/protocol";

export type ActorKind = "visitor" | "agent" | "bot" | "system" | "api";

export type Actor = { readonly kind: ActorKind; readonly id: string; readonly name: string };

export type FileInfo = {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** 0 where the file is no image. */
  readonly width: number;
  readonly height: number;
  readonly hasThumbnail: boolean;
};

export type Body =
  | {
      readonly kind: "text";
      readonly text: string;
      readonly quoteSeq: number;
      /** Ids of the people a note calls upon. */
      readonly mentions?: readonly string[] | undefined;
      /** Buttons under it, as the wire has them: `toChoices` reads them. */
      readonly choices?: readonly ChoiceJson[] | undefined;
      /** The id of the button that this text picks, among those of the quoted entry. */
      readonly choice?: string | undefined;
      /** The articles that a bot took it from, as the wire has them: `toSources` reads them. */
      readonly sources?: readonly SourceJson[] | undefined;
    }
  | { readonly kind: "file"; readonly file: FileInfo; readonly quoteSeq: number }
  /** Asks for several things at once; as the wire has it: `toForm` reads it. */
  | { readonly kind: "form"; readonly form: FormJson; readonly quoteSeq: number }
  /** What was filled in, for the form of the quoted entry: `toValues` reads it. */
  | { readonly kind: "formReply"; readonly values: readonly FieldValueJson[]; readonly quoteSeq: number }
  | { readonly kind: "system"; readonly key: string; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: "tombstone"; readonly reason: "retracted" | "erased" }
  | { readonly kind: "retraction"; readonly seq: number }
  | { readonly kind: "unsupported" };

/** An entry of a timeline. */
export type EntryLine = {
  readonly kind: "entry";
  /** Stays the same from the moment an own message is typed. */
  readonly key: string;
  readonly seq: number;
  readonly id: string;
  readonly actor: Actor;
  /** A note for the team. */
  readonly team: boolean;
  readonly atMs: number;
  readonly session: string;
  readonly clientMsgId: string;
  readonly body: Body;
};

/** A run of entries the reader may not see. */
export type SkipLine = { readonly kind: "skip"; readonly key: string; readonly fromSeq: number; readonly toSeq: number };

export type TimelineLine = EntryLine | SkipLine;

export type Cursor = { readonly actor: Actor; readonly deliveredSeq: number; readonly readSeq: number };

/** As the wire names them, in capitals behind ACTOR_KIND_; whoever is none of them is the system. */
const ACTOR_KINDS: readonly ActorKind[] = ["visitor", "agent", "bot", "api"];

/** A decimal string of the wire as a number; 0 where absent. */
export function toNumber(value: string | number | undefined): number {
  const number = Number(value ?? 0);
  return Number.isFinite(number) ? number : 0;
}

export function toActor(json: ActorJson | undefined): Actor {
  return { kind: ACTOR_KINDS.find((kind) => json?.kind === `ACTOR_KIND_${kind.toUpperCase()}`) ?? "system", id: json?.id ?? "", name: json?.name ?? "" };
}

export function toFile(json: FileJson): FileInfo {
  return {
    id: json.id ?? "",
    name: json.name ?? "",
    mediaType: json.mediaType ?? "",
    sizeBytes: toNumber(json.sizeBytes),
    width: json.width ?? 0,
    height: json.height ?? 0,
    hasThumbnail: json.hasThumbnail ?? false,
  };
}

/** A text with buttons is a text: whoever does not draw the buttons still shows what was asked. */
export function toBody(content: ContentJson = {}): Body {
  const { text, choices, file, system, form, formReply, mentions, choice, sources } = content;
  const quoteSeq = toNumber(content.quoteSeq);
  const said = text ?? choices;
  if (said) return { kind: "text", text: said.body ?? "", quoteSeq, mentions, choices: choices?.choices, choice, sources };
  if (file) return { kind: "file", file: toFile(file), quoteSeq };
  if (form) return { kind: "form", form, quoteSeq };
  if (formReply) return { kind: "formReply", values: formReply.values ?? [], quoteSeq };
  if (system) return { kind: "system", key: system.key ?? "", params: system.params ?? {} };
  return { kind: "unsupported" };
}

function toEntryBody(json: EntryJson): Body {
  if (json.tombstone) {
    return { kind: "tombstone", reason: json.tombstone.reason === "TOMBSTONE_REASON_ERASED" ? "erased" : "retracted" };
  }
  if (json.retraction) return { kind: "retraction", seq: toNumber(json.retraction.seq) };
  return toBody(json.content);
}

export function keyOf(clientMsgId: string, seq: number): string {
  return clientMsgId === "" ? `s${seq}` : `m${clientMsgId}`;
}

export function toEntry(json: EntryJson): EntryLine {
  const seq = toNumber(json.seq);
  const clientMsgId = json.clientMsgId ?? "";
  return {
    kind: "entry",
    key: keyOf(clientMsgId, seq),
    seq,
    id: json.id ?? "",
    actor: toActor(json.actor),
    team: json.audience === "AUDIENCE_TEAM",
    atMs: toNumber(json.atMs),
    session: json.session ?? "",
    clientMsgId,
    body: toEntryBody(json),
  };
}

export function toLine(json: TimelineItemJson): TimelineLine | undefined {
  if (json.entry) return toEntry(json.entry);
  if (json.skip) {
    const fromSeq = toNumber(json.skip.fromSeq);
    return { kind: "skip", key: `k${fromSeq}`, fromSeq, toSeq: toNumber(json.skip.toSeq) };
  }
  return undefined;
}

export function toCursor(json: CursorJson): Cursor {
  return { actor: toActor(json.actor), deliveredSeq: toNumber(json.deliveredSeq), readSeq: toNumber(json.readSeq) };
}

/** Whether an entry is something a person would count as unread. */
export function isMessage(line: TimelineLine): line is EntryLine {
  return line.kind === "entry" && !["system", "tombstone", "retraction"].includes(line.body.kind);
}
