// One conversation as a view shows it: timeline, messages on their way, session, who read how far,
// who types. Fed by a VisitorClient or an AgentClient; what it wants to say goes through a Line.
import type {
  ClientFrame,
  ContentJson,
  CursorUpdateJson,
  DraftUpdateJson,
  EntriesJson,
  OpenedFrameJson,
  ParticipantJson,
  QueuePlaceJson,
  ServerFrame,
  SessionJson,
  SessionUpdateJson,
  TimelineItemJson,
  AckJson,
} from "@frontdesk/protocol";
import type { ReadonlySignal } from "@preact/signals-core";
import { computed, signal } from "@preact/signals-core";
import type { Actor, Cursor, EntryLine, FileInfo, TimelineLine } from "./model";
import { isMessage, keyOf, toActor, toBody, toCursor, toNumber } from "./model";
import type { Outbox, Outgoing } from "./outbox";
import type { Clock, TimerId } from "./platform";
import type { Applied } from "./timeline";
import { Timeline } from "./timeline";

/** A receipt per second at most. */
const CURSOR_EVERY_MS = 1_000;
/** Somebody who stopped telling that they type, stopped typing. */
const TYPING_ENDS_MS = 6_000;
/** A bot may think for longer than a person rests between two words. */
const BOT_TYPING_ENDS_MS = 15_000;
/** How often this side tells that it types. */
const TYPING_EVERY_MS = 2_000;
/** How often what is being written is told, where it is. */
const PEEK_EVERY_MS = 800;
/** A hole this old is not just frames out of order. */
const GAP_MS = 1_500;

export type DeliveryState = "sending" | "sent" | "delivered" | "read" | "refused";

/** A line of the view: what has its place, then what is on its way. */
export type ViewLine = TimelineLine | OutgoingLine;
export type OutgoingLine = Outgoing & { readonly kind: "outgoing" };

export type Typing = { readonly actor: Actor; readonly text: string };

export type OlderPage = { readonly items: readonly TimelineItemJson[]; readonly moreBefore: boolean };

/** Who is to read it (everybody or the team), and which entry it answers. */
export type SendOptions = { readonly team?: boolean; readonly quoteSeq?: number };

/** What a conversation needs from the client it belongs to. */
export type ConversationHost = {
  readonly clock: Clock;
  readonly outbox: Outbox;
  self(): Actor;
  push(frame: ClientFrame): boolean;
  request(frame: ClientFrame): Promise<ServerFrame>;
  /** Reads the page before `beforeSeq` over HTTP. */
  page(conversation: string, beforeSeq: number): Promise<OlderPage>;
  /** Something is missing or worthless: fetch it anew. */
  repair(conversation: Conversation, whole: boolean): void;
  serverNowMs(): number;
};

export class Conversation {
  readonly timeline = new Timeline();
  private readonly sessionNow = signal<SessionJson | undefined>(undefined);
  private readonly cursorsNow = signal<ReadonlyMap<string, Cursor>>(new Map());
  private readonly viewersNow = signal<readonly ParticipantJson[]>([]);
  private readonly typingNow = signal<Typing | undefined>(undefined);
  private readonly queueNow = signal<QueuePlaceJson | undefined>(undefined);
  private readonly loadedNow = signal(false);
  readonly session: ReadonlySignal<SessionJson | undefined> = this.sessionNow;
  /** By actor id: how far everybody got. */
  readonly cursors: ReadonlySignal<ReadonlyMap<string, Cursor>> = this.cursorsNow;
  readonly viewers: ReadonlySignal<readonly ParticipantJson[]> = this.viewersNow;
  readonly typing: ReadonlySignal<Typing | undefined> = this.typingNow;
  readonly queuePlace: ReadonlySignal<QueuePlaceJson | undefined> = this.queueNow;
  /** A first page (perhaps empty) is there. */
  readonly loaded: ReadonlySignal<boolean> = this.loadedNow;
  readonly outgoing: ReadonlySignal<readonly OutgoingLine[]>;
  readonly lines: ReadonlySignal<readonly ViewLine[]>;
  /** Messages of others this reader has not read. */
  readonly unread: ReadonlySignal<number>;
  private readonly selfId = signal("");
  private ownRead = 0;
  private ownDelivered = 0;
  private toldRead = 0;
  private toldDelivered = 0;
  private cursorTimer: TimerId | undefined;
  private typingTimer: TimerId | undefined;
  private gapTimer: TimerId | undefined;
  private draftTimer: TimerId | undefined;
  private toldTypingAtMs = 0;
  private typingTold = false;
  private older: Promise<void> | undefined;

  constructor(
    /** Empty for a visitor. */
    readonly id: string,
    private readonly host: ConversationHost,
  ) {
    this.outgoing = computed(() =>
      host.outbox.messages.value
        .filter((message) => message.conversation === id)
        .map((message) => ({ ...message, kind: "outgoing" as const })),
    );
    this.lines = computed<readonly ViewLine[]>(() => {
      const outgoing = this.outgoing.value;
      return outgoing.length === 0 ? this.timeline.lines.value : [...this.timeline.lines.value, ...outgoing];
    });
    this.unread = computed(() => {
      const self = this.selfId.value;
      const read = this.cursorsNow.value.get(self)?.readSeq ?? 0;
      let count = 0;
      for (const line of this.timeline.lines.value) {
        if (isMessage(line) && line.seq > read && line.actor.id !== self) count += 1;
      }
      return count;
    });
  }

  // What the person does.

  /** Sends any content. `shown` is the same with what the server will fill in. */
  send(content: ContentJson, options: SendOptions = {}, shown = content): void {
    const quoteSeq = options.quoteSeq ?? 0;
    const place = quoteSeq > 0 ? { quoteSeq: String(quoteSeq) } : {};
    this.host.outbox.add({
      conversation: this.id,
      content: { ...content, ...place },
      body: toBody({ ...shown, ...place }),
      team: options.team ?? false,
    });
    if (!content.text) return;
    this.typingTold = false;
    this.clearDraft();
  }

  sendText(text: string, options: SendOptions & { readonly mentions?: readonly string[] } = {}): void {
    const mentions = options.mentions ?? [];
    this.send({ text: { body: text }, ...(mentions.length > 0 ? { mentions: [...mentions] } : {}) }, options);
  }

  /** Sends a file that the server already stored. */
  sendFile(file: FileInfo, options: SendOptions = {}): void {
    this.send({ file: { id: file.id } }, options, { file: { ...file, sizeBytes: String(file.sizeBytes) } });
  }

  retry(clientMsgId: string): void {
    this.host.outbox.retry(clientMsgId);
  }

  discard(clientMsgId: string): void {
    this.host.outbox.discard(clientMsgId);
  }

  /** Takes back an own entry. */
  async retract(seq: number): Promise<void> {
    await this.host.request({ retract: { conversation: this.id, seq: String(seq) } });
  }

  /** The person changed the unsent text. With `peek`, others may see the text itself. */
  draft(text: string, peek: boolean): void {
    const typing = text !== "";
    this.clearDraft();
    if (!typing && !this.typingTold) return;
    const waitMs = this.toldTypingAtMs + (peek ? PEEK_EVERY_MS : TYPING_EVERY_MS) - this.host.clock.now();
    if (typing && this.typingTold && waitMs > 0) {
      // Whoever stops in the middle of a sentence is seen with what stands there.
      if (peek) this.draftTimer = this.host.clock.setTimer(() => this.draft(text, peek), waitMs);
      return;
    }
    const told = this.host.push({ draft: { conversation: this.id, typing, text: peek ? text.slice(0, 1_000) : "" } });
    if (!told) return;
    this.typingTold = typing;
    this.toldTypingAtMs = this.host.clock.now();
  }

  /** The person saw everything up to `seq`. */
  read(seq: number): void {
    if (seq <= this.ownRead) return;
    this.ownRead = Math.min(seq, this.timeline.lastSeq);
    // What was read has arrived: one receipt says both.
    this.ownDelivered = Math.max(this.ownDelivered, this.ownRead);
    this.moveOwnCursor();
    this.tellCursor();
  }

  /** Loads the page before what is shown; one at a time. */
  loadOlder(): Promise<void> {
    if (!this.timeline.moreBefore.peek()) return Promise.resolve();
    const first = this.timeline.firstSeq;
    this.older ??= this.host
      .page(this.id, first)
      .then((page) => this.timeline.prepend(first, page.items, page.moreBefore))
      .finally(() => {
        this.older = undefined;
      });
    return this.older;
  }

  /** How far an own entry got. */
  deliveryOf(line: Pick<EntryLine, "actor" | "seq">): DeliveryState {
    let state: DeliveryState = "sent";
    for (const cursor of this.cursorsNow.value.values()) {
      if (!isOtherSide(line.actor, cursor.actor)) continue;
      if (cursor.readSeq >= line.seq) return "read";
      if (cursor.deliveredSeq >= line.seq) state = "delivered";
    }
    return state;
  }

  isOwn(line: Pick<EntryLine, "actor">): boolean {
    return line.actor.id !== "" && line.actor.id === this.selfId.value;
  }

  // What the server says.

  opened(frame: OpenedFrameJson): void {
    const items = frame.items ?? [];
    this.selfId.value = this.host.self().id;
    if (frame.recovered) this.follow(this.timeline.append(frame.position?.epoch, items));
    else this.timeline.reset(frame.position, items, frame.moreBefore ?? false);
    this.sessionNow.value = frame.session;
    this.viewersNow.value = frame.viewers ?? [];
    this.queueNow.value = frame.queuePlace;
    this.typingNow.value = undefined;
    const cursors = new Map<string, Cursor>();
    for (const json of frame.cursors ?? []) {
      const cursor = toCursor(json);
      cursors.set(cursor.actor.id, cursor);
    }
    this.cursorsNow.value = cursors;
    const own = cursors.get(this.selfId.peek());
    this.toldRead = own?.readSeq ?? 0;
    this.toldDelivered = own?.deliveredSeq ?? 0;
    this.ownRead = Math.max(this.ownRead, this.toldRead);
    this.ownDelivered = Math.max(this.ownDelivered, this.toldDelivered);
    this.typingTold = false;
    this.arrived();
    this.loadedNow.value = true;
  }

  entries(frame: EntriesJson): void {
    if (!this.follow(this.timeline.append(frame.epoch, frame.items ?? []))) return;
    for (const item of frame.items ?? []) {
      const typing = this.typingNow.peek()?.actor;
      if (!item.entry?.actor || typing === undefined) continue;
      // Visitors are not told the ids of people, only their names.
      const author = toActor(item.entry.actor);
      if (author.kind === typing.kind && author.name === typing.name) this.typingNow.value = undefined;
    }
    this.arrived();
  }

  acked(message: Outgoing, ack: AckJson): void {
    const seq = toNumber(ack.position?.seq);
    const applied = this.timeline.place(ack.position?.epoch, {
      kind: "entry",
      key: keyOf(message.clientMsgId, seq),
      seq,
      id: ack.id ?? "",
      actor: this.host.self(),
      team: message.team,
      atMs: toNumber(ack.atMs),
      session: this.sessionNow.peek()?.id ?? "",
      clientMsgId: message.clientMsgId,
      body: message.body,
    });
    if (applied !== "ok") this.follow(applied);
  }

  cursorMoved(frame: CursorUpdateJson): void {
    if (!frame.cursor) return;
    const cursor = toCursor(frame.cursor);
    const known = this.cursorsNow.peek().get(cursor.actor.id);
    const cursors = new Map(this.cursorsNow.peek());
    cursors.set(cursor.actor.id, {
      actor: cursor.actor,
      deliveredSeq: Math.max(known?.deliveredSeq ?? 0, cursor.deliveredSeq),
      readSeq: Math.max(known?.readSeq ?? 0, cursor.readSeq),
    });
    this.cursorsNow.value = cursors;
    if (cursor.actor.id === this.selfId.peek()) {
      // Another tab or device of this person.
      this.ownRead = Math.max(this.ownRead, cursor.readSeq);
      this.ownDelivered = Math.max(this.ownDelivered, cursor.deliveredSeq);
    }
  }

  drafted(frame: DraftUpdateJson): void {
    const actor = toActor(frame.actor);
    if (actor.id === this.selfId.peek()) return;
    if (this.typingTimer !== undefined) this.host.clock.clearTimer(this.typingTimer);
    this.typingTimer = undefined;
    if (!frame.typing) {
      this.typingNow.value = undefined;
      return;
    }
    this.typingNow.value = { actor, text: frame.text ?? "" };
    this.typingTimer = this.host.clock.setTimer(
      () => {
        this.typingNow.value = undefined;
      },
      actor.kind === "bot" ? BOT_TYPING_ENDS_MS : TYPING_ENDS_MS,
    );
  }

  sessionMoved(frame: SessionUpdateJson): void {
    const known = this.sessionNow.peek();
    const next = frame.session;
    if (!next) return;
    const older = known && (next.number ?? 0) === (known.number ?? 0) && (next.version ?? 0) < (known.version ?? 0);
    if (!older) this.sessionNow.value = next;
    if (next.status !== "SESSION_STATUS_QUEUED") this.queueNow.value = undefined;
  }

  queueMoved(place: QueuePlaceJson): void {
    this.queueNow.value = (place.place ?? 0) > 0 ? place : undefined;
  }

  /** Empties it: what comes next belongs to somebody else, or begins anew. */
  forget(): void {
    this.lost();
    this.timeline.reset(undefined, [], false);
    this.sessionNow.value = undefined;
    this.cursorsNow.value = new Map();
    this.viewersNow.value = [];
    this.queueNow.value = undefined;
    this.loadedNow.value = false;
    this.ownRead = this.ownDelivered = this.toldRead = this.toldDelivered = 0;
  }

  /** The connection is gone: nobody can be seen typing. */
  lost(): void {
    this.typingNow.value = undefined;
    this.clearGap();
    this.clearTimers();
  }

  private arrived(): void {
    for (const line of this.timeline.lines.peek().slice(-128)) {
      if (line.kind === "entry" && line.clientMsgId !== "") this.host.outbox.arrived(line.clientMsgId);
    }
    if (this.timeline.lastSeq > this.ownDelivered) {
      this.ownDelivered = this.timeline.lastSeq;
      this.tellCursor();
    }
  }

  private moveOwnCursor(): void {
    const cursors = new Map(this.cursorsNow.peek());
    cursors.set(this.selfId.peek(), { actor: this.host.self(), deliveredSeq: this.ownDelivered, readSeq: this.ownRead });
    this.cursorsNow.value = cursors;
  }

  private tellCursor(): void {
    if (this.cursorTimer !== undefined) return;
    this.cursorNow();
    this.cursorTimer = this.host.clock.setTimer(() => {
      this.cursorTimer = undefined;
      if (this.ownRead > this.toldRead || this.ownDelivered > this.toldDelivered) this.tellCursor();
    }, CURSOR_EVERY_MS);
  }

  private cursorNow(): void {
    if (this.ownRead <= this.toldRead && this.ownDelivered <= this.toldDelivered) return;
    const told = this.host.push({
      cursor: { conversation: this.id, deliveredSeq: String(this.ownDelivered), readSeq: String(this.ownRead) },
    });
    if (!told) return;
    this.toldRead = this.ownRead;
    this.toldDelivered = this.ownDelivered;
  }

  /** Asks for what is missing, in a moment or at once. False if nothing of it fits. */
  private follow(applied: Applied): boolean {
    if (applied === "ok") this.clearGap();
    else if (applied === "gap") this.watchGap();
    else this.host.repair(this, true);
    return applied !== "other-epoch";
  }

  private watchGap(): void {
    this.gapTimer ??= this.host.clock.setTimer(() => {
      this.gapTimer = undefined;
      this.host.repair(this, false);
    }, GAP_MS);
  }

  private clearGap(): void {
    if (this.gapTimer !== undefined) this.host.clock.clearTimer(this.gapTimer);
    this.gapTimer = undefined;
  }

  private clearDraft(): void {
    if (this.draftTimer !== undefined) this.host.clock.clearTimer(this.draftTimer);
    this.draftTimer = undefined;
  }

  private clearTimers(): void {
    this.clearDraft();
    for (const timer of [this.cursorTimer, this.typingTimer]) {
      if (timer !== undefined) this.host.clock.clearTimer(timer);
    }
    this.cursorTimer = this.typingTimer = undefined;
  }
}

function isOtherSide(author: Actor, reader: Actor): boolean {
  return author.kind === "visitor" ? reader.kind === "agent" || reader.kind === "bot" : reader.kind === "visitor";
}
