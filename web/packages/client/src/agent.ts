// An agent's client: one connection, the list that the feed keeps up to date, and the conversations
// that are open on this screen.
import type {
  AckJson,
  ClientFrame,
  Codec,
  CommandJson,
  FeedPositionJson,
  HeldJson,
  OpenedFrameJson,
  PresenceJson,
  PresenceUpdateJson,
  RefusalJson,
  RowJson,
  ServerFrame,
  WelcomeJson,
} from "@frontdesk/protocol";
import type { ReadonlySignal } from "@preact/signals-core";
import { batch, signal } from "@preact/signals-core";
import type { ConnectionState } from "./connection";
import { Connection, Refused } from "./connection";
import { Conversation } from "./conversation";
import { MessageIds } from "./ids";
import type { Actor } from "./model";
import { toActor, toNumber } from "./model";
import { Outbox } from "./outbox";
import type { Platform, TimerId } from "./platform";
import { requestOlder, requestRows, requestTicket } from "./tickets";

/** As many as Hello may name. */
const OPEN_MAX = 64;
/** How long after a failure the list is asked for again. */
const LIST_AGAIN_MS = 3_000;

export type AgentOptions = {
  readonly platform: Platform;
  readonly codec: Codec;
  /** Keeps the unsent messages of two people at one browser apart. */
  readonly user: string;
  readonly account: string;
  readonly client: string;
  readonly language: () => string;
  /** A conversation that is open may no longer be read: somebody else has it now. */
  readonly onWithdrawn?: (conversation: string) => void;
  /** What the user may do has changed: a console shows other things now. */
  readonly onRightsChanged?: () => void;
  /** Sent with every POST, against cross-site requests. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** A command without the conversation: `{ take: {} }`, `{ transfer: { toAgent } }` and so on. */
export type SessionCommand = Omit<CommandJson, "conversation" | "expectedVersion">;

export class AgentClient {
  readonly outbox: Outbox;
  readonly connection: ReadonlySignal<ConnectionState>;
  private readonly link: Connection;
  private readonly rowsNow = signal<ReadonlyMap<string, RowJson>>(new Map());
  private readonly presenceNow = signal<PresenceJson>("PRESENCE_UNSPECIFIED");
  private readonly presencesNow = signal<ReadonlyMap<string, PresenceJson>>(new Map());
  private readonly selfNow = signal<Actor>({ kind: "agent", id: "", name: "" });
  private readonly listedNow = signal(false);
  /** The list by conversation id, as the feed tells it. */
  readonly rows: ReadonlySignal<ReadonlyMap<string, RowJson>> = this.rowsNow;
  /** The own chosen state. */
  readonly presence: ReadonlySignal<PresenceJson> = this.presenceNow;
  /** What is known of other agents and of visitors, by actor id. */
  readonly presences: ReadonlySignal<ReadonlyMap<string, PresenceJson>> = this.presencesNow;
  readonly self: ReadonlySignal<Actor> = this.selfNow;
  /** The list has been there once: before, an empty list means nothing. */
  readonly listed: ReadonlySignal<boolean> = this.listedNow;
  /** Whether visitors' unsent text may be looked at. */
  drafts = false;
  private readonly opened = new Map<string, { conversation: Conversation; users: number }>();
  private feedPosition: FeedPositionJson | undefined;
  /** What the last hello named: the server answers each by itself. */
  private presented: ReadonlySet<string> = new Set();
  /** Rows the feed changed while the list was being read: newer than the list. */
  private changedMeanwhile: Map<string, RowJson | undefined> | undefined;
  private listTimer: TimerId | undefined;
  /** The connection went while the list was being read: what is shown may miss changes. */
  private listCutOff = false;

  constructor(private readonly options: AgentOptions) {
    const { platform } = options;
    this.link = new Connection({
      platform,
      codec: options.codec,
      client: options.client,
      language: options.language,
      user: {
        ticket: () => requestTicket(platform, { kind: "agent" }, options.headers),
        held: () => this.held(),
        feed: () => {
          this.presented = new Set(this.held().map((held) => held.conversation ?? ""));
          return this.feedPosition;
        },
        welcomed: (welcome) => this.welcomed(welcome),
        received: (frame) => this.received(frame),
        lost: () => this.lost(),
        rightsChanged: () => this.options.onRightsChanged?.(),
      },
    });
    this.connection = this.link.state;
    this.outbox = new Outbox({
      platform,
      ids: new MessageIds(platform.clock, platform.random),
      prefix: `frontdesk/outbox/${options.account}/${options.user}/`,
      transmit: (send) => this.link.push({ send }),
    });
  }

  start(): void {
    this.link.start();
  }

  stop(): void {
    this.link.stop();
  }

  /** Tries now instead of at the end of the back-off. */
  reconnect(): void {
    this.link.wake();
  }

  serverNowMs(): number {
    return this.link.serverNowMs();
  }

  get textBytesMax(): number {
    return this.link.limits.textBytesMax ?? 0;
  }

  get fileBytesMax(): number {
    return toNumber(this.link.limits.fileBytesMax);
  }

  /** Shows a conversation; `leave` as often as opened. It fills itself when it can. */
  open(id: string): Conversation {
    const known = this.opened.get(id);
    if (known) {
      known.users += 1;
      return known.conversation;
    }
    const conversation = new Conversation(id, {
      clock: this.options.platform.clock,
      outbox: this.outbox,
      self: () => this.selfNow.peek(),
      push: (frame) => this.link.push(frame),
      request: (frame) => this.link.request(frame),
      page: (of, before) => requestOlder(this.options.platform, of, before, this.options.headers),
      repair: (broken, whole) => void this.load(broken, !whole),
      serverNowMs: () => this.link.serverNowMs(),
    });
    this.opened.set(id, { conversation, users: 1 });
    void this.load(conversation, false);
    return conversation;
  }

  leave(id: string): void {
    const known = this.opened.get(id);
    if (!known) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.opened.delete(id);
    known.conversation.lost();
    this.link.push({ leave: { conversation: id } });
  }

  /** Moves a session; rejects with Refused. */
  async command(conversation: string, command: SessionCommand, expectedVersion = 0): Promise<void> {
    await this.link.request({ command: { conversation, expectedVersion, ...command } });
  }

  async setPresence(presence: PresenceJson): Promise<void> {
    const before = this.presenceNow.peek();
    this.presenceNow.value = presence;
    try {
      await this.link.request({ presence: { presence } });
    } catch (error) {
      this.presenceNow.value = before;
      throw error;
    }
  }

  request(frame: ClientFrame): Promise<ServerFrame> {
    return this.link.request(frame);
  }

  private held(): HeldJson[] {
    const held: HeldJson[] = [];
    for (const [id, { conversation }] of this.opened) {
      const position = conversation.timeline.position();
      held.push({ conversation: id, ...(position ? { position } : {}) });
      if (held.length === OPEN_MAX) break;
    }
    return held;
  }

  private async load(conversation: Conversation, recover: boolean): Promise<void> {
    if (!this.link.live) return;
    const position = recover ? conversation.timeline.position() : undefined;
    try {
      const answer = await this.link.request({ open: { conversation: conversation.id, ...(position ? { position } : {}) } });
      if (answer.opened && this.opened.get(conversation.id)?.conversation === conversation) conversation.opened(answer.opened);
    } catch (error) {
      // A lost connection opens it again in its hello.
      if (error instanceof Refused) this.loadLater(conversation, error.retryAfterMs);
    }
  }

  /** What may not be read the feed takes away; what cannot be read now is asked for again as long as it is shown. */
  private loadLater(conversation: Conversation, afterMs: number | undefined): void {
    if (afterMs === undefined) return;
    this.options.platform.clock.setTimer(() => {
      if (this.opened.get(conversation.id)?.conversation === conversation) void this.load(conversation, conversation.loaded.peek());
    }, afterMs);
  }

  private welcomed(welcome: WelcomeJson): void {
    batch(() => {
      this.selfNow.value = toActor(welcome.self);
      this.presenceNow.value = welcome.presence ?? "PRESENCE_UNSPECIFIED";
      this.drafts = welcome.drafts ?? false;
      // Recovered, the position presented stands and what follows moves it on.
      if (welcome.feed && !(welcome.feedRecovered && this.feedPosition)) this.feedPosition = welcome.feed;
      for (const opened of welcome.opened ?? []) this.of(opened.conversation)?.opened(opened);
      // Opened while the hello was on its way.
      for (const [id, { conversation }] of this.opened) {
        if (!this.presented.has(id)) void this.load(conversation, true);
      }
    });
    if (!welcome.feedRecovered || this.listCutOff) void this.readList();
    this.outbox.resume(this.link.limits.inFlightMax);
  }

  /** The feed says what changes; what there was before, the list says. */
  private async readList(): Promise<void> {
    const changed = new Map<string, RowJson | undefined>();
    this.changedMeanwhile = changed;
    this.listCutOff = false;
    try {
      const list = await requestRows(this.options.platform, this.options.headers);
      if (this.changedMeanwhile !== changed) return;
      const rows = new Map<string, RowJson>();
      for (const row of list) if (row.conversation) rows.set(row.conversation, row);
      for (const [id, row] of changed) {
        if (row) rows.set(id, row);
        else rows.delete(id);
      }
      batch(() => {
        this.rowsNow.value = rows;
        this.listedNow.value = true;
      });
      this.changedMeanwhile = undefined;
    } catch {
      // The old rows stay; a lost connection reads the list after its next welcome.
      if (this.changedMeanwhile !== changed) return;
      this.listTimer = this.options.platform.clock.setTimer(() => void this.readList(), LIST_AGAIN_MS);
    }
  }

  private received(frame: ServerFrame): void {
    batch(() => {
      if (frame.entries) this.of(frame.entries.conversation)?.entries(frame.entries);
      else if (frame.ack) this.acked(frame.ack);
      else if (frame.refusal) this.refused(frame.refusal);
      else if (frame.session) this.of(frame.session.conversation)?.sessionMoved(frame.session);
      else if (frame.cursor) this.of(frame.cursor.conversation)?.cursorMoved(frame.cursor);
      else if (frame.draft) this.of(frame.draft.conversation)?.drafted(frame.draft);
      else if (frame.opened) this.openedAnew(frame.opened);
      else if (frame.feed) this.fed(frame.feed.changes ?? []);
      else if (frame.presence) this.seen(frame.presence);
    });
  }

  /** Not asked for: the conversation is served by another node now, which may not have what the last one took. */
  private openedAnew(opened: OpenedFrameJson): void {
    const conversation = this.of(opened.conversation);
    if (conversation === undefined) return;
    conversation.opened(opened);
    this.outbox.resume(this.link.limits.inFlightMax);
  }

  private refused(refusal: RefusalJson): void {
    if (this.outbox.refused(refusal)) return;
    const conversation = refusal.conversation ?? "";
    const shown = this.opened.get(conversation);
    if (shown === undefined) return;
    if (refusal.code === "conversation.unknown") this.options.onWithdrawn?.(conversation);
    // One of those a resume was to bring back.
    else this.loadLater(shown.conversation, refusal.retryAfterMs);
  }

  private acked(ack: AckJson): void {
    const message = this.outbox.acked(ack);
    if (message) this.of(message.conversation)?.acked(message, ack);
  }

  private fed(changes: readonly { number?: string; row?: RowJson; removed?: string }[]): void {
    const rows = new Map(this.rowsNow.peek());
    for (const change of changes) {
      const id = change.row?.conversation ?? change.removed ?? "";
      if (change.row) rows.set(id, change.row);
      else rows.delete(id);
      this.changedMeanwhile?.set(id, change.row);
      if (change.number !== undefined && this.feedPosition) {
        this.feedPosition = { ...this.feedPosition, number: change.number };
      }
    }
    this.rowsNow.value = rows;
  }

  private seen(update: PresenceUpdateJson): void {
    const actor = toActor(update.actor);
    const presence = update.presence ?? "PRESENCE_UNSPECIFIED";
    if (actor.id === this.selfNow.peek().id) {
      // Chosen in another tab.
      this.presenceNow.value = presence;
      return;
    }
    this.presencesNow.value = new Map(this.presencesNow.peek()).set(actor.id, presence);
  }

  private lost(): void {
    this.outbox.pause();
    if (this.listTimer !== undefined) this.options.platform.clock.clearTimer(this.listTimer);
    if (this.changedMeanwhile) this.listCutOff = true;
    this.changedMeanwhile = undefined;
    for (const { conversation } of this.opened.values()) conversation.lost();
  }

  private of(id: string | undefined): Conversation | undefined {
    return this.opened.get(id ?? "")?.conversation;
  }
}
