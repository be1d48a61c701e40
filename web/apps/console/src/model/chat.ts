// The conversation on the screen: its timeline rows, its session and what may be done with it, the
// composer, and what is known about the visitor.
import type { AgentClient, Conversation, OutgoingLine, SessionCommand } from "@frontdesk/client";
import { Refused, toEntry } from "@frontdesk/client";
import type { Locale } from "@frontdesk/i18n";
import type { ReadonlySignal, Signal } from "@preact/signals-core";
import { computed, effect, signal } from "@preact/signals-core";
import type { Rights } from "./account";
import type { Api, ContactChange, ConversationDetails, Me } from "./api";
import { ApiError } from "./api";
import type { AllAttachments } from "./attachments";
import { Composer } from "./composer";
import type { Drafts } from "./draft";
import type { InboxModel } from "./inbox";
import type { Notices } from "./notices";
import type { TimelineRow } from "./timeline-rows";
import { timelineRows } from "./timeline-rows";
import type { EntryLine, Participant, Row, Session } from "./types";
import type { Suggestion } from "./why";
import { openSuggestion } from "./why";
import { toParticipant, toRow, toSession } from "./wire";

/** So many older pages are read to come to a message that was quoted. */
const reachPages = 60;

/** A message the reader wants to be shown: the timeline goes there. `at` tells two wishes apart. */
export type Sought = { readonly seq: number; readonly at: number };

/** What cannot be undone and is asked about once more. */
export type Question = { readonly kind: "retract"; readonly seq: number } | { readonly kind: "requeue" };

export type DetailsState =
  | { readonly kind: "loading" }
  | { readonly kind: "loaded"; readonly details: ConversationDetails }
  | { readonly kind: "failed"; readonly code: string };

/** What can be done with the session now, by this person. */
export type Actions = {
  readonly reply: boolean;
  readonly note: boolean;
  readonly take: boolean;
  readonly takeOver: boolean;
  readonly transfer: boolean;
  readonly close: boolean;
  readonly reopen: boolean;
  readonly requeue: boolean;
  readonly join: boolean;
  readonly stepOut: boolean;
};

const nothing: Actions = {
  reply: false,
  note: false,
  take: false,
  takeOver: false,
  transfer: false,
  close: false,
  reopen: false,
  requeue: false,
  join: false,
  stepOut: false,
};

/** An answer that is not the first ends the wait without moving the session: only the list is told, so its word counts. */
export function withWaitOf(session: Session, listed: Session | undefined): Session {
  return listed?.id === session.id && listed.version >= session.version ? { ...session, waitingSinceMs: listed.waitingSinceMs } : session;
}

export function actionsFor(session: Session, user: string, rights: Rights): Actions {
  // Nothing is known of the session yet: nothing can be done with it.
  if (session.id === "") return nothing;
  const open = session.status !== "closed";
  const owner = session.owner?.id === user;
  const owned = session.owner !== null;
  const partOf = session.participants.some((participant) => participant.id === user);
  const write = rights.has("conversation.write");
  const assign = rights.has("conversation.assign");
  const close = rights.has("conversation.close");
  // What a colleague has takes this right to change; a bot is no colleague, and whoever may take may step in for it.
  const over = rights.has("conversation.take_over");
  return {
    reply: open && write && (owner || partOf),
    note: rights.has("conversation.note"),
    take: open && assign && session.status === "queued",
    takeOver: open && owned && !owner && (over || (assign && session.owner?.kind === "bot")),
    transfer: open && assign && (owner || over || !owned),
    close: open && close && (owner || over || !owned),
    reopen: !open && close,
    requeue: open && owned && assign && (owner || over),
    join: open && owned && !owner && !partOf && assign,
    stepOut: open && partOf && !owner,
  };
}

export type ChatOptions = {
  readonly id: string;
  readonly client: AgentClient;
  readonly api: Api;
  readonly inbox: InboxModel;
  readonly me: Me;
  readonly rights: Rights;
  readonly drafts: Drafts;
  readonly attachments: AllAttachments;
  /** Suggestions of a bot that were used or put aside, as "conversation/seq". */
  readonly dismissed: Signal<ReadonlySet<string>>;
  /**
   * Carries out a session command; false (and a notice) where it was refused. Where the session has moved on
   * in ways that change nothing for the command, `again` says the version to try once more with.
   */
  readonly command: (conversation: string, command: SessionCommand, version: number, again: () => number | null) => Promise<boolean>;
  /** Puts a text on the clipboard; says whether that worked. */
  readonly copy: (text: string) => Promise<boolean>;
  readonly notices: Notices;
};

export class Chat {
  readonly id: string;
  readonly conversation: Conversation;
  readonly composer: Composer;
  readonly row: ReadonlySignal<Row | null>;
  readonly session: ReadonlySignal<Session>;
  readonly rows: ReadonlySignal<readonly TimelineRow[]>;
  readonly actions: ReadonlySignal<Actions>;
  readonly viewers: ReadonlySignal<readonly Participant[]>;
  /** What a bot would answer now, for whoever may. */
  readonly suggestion: ReadonlySignal<Suggestion | null>;
  readonly #details = signal<DetailsState>({ kind: "loading" });
  readonly details: ReadonlySignal<DetailsState> = this.#details;
  readonly #unreadFrom = signal(0);
  readonly #fetched = signal<ReadonlyMap<number, EntryLine | null>>(new Map());
  readonly #sought = signal<Sought | null>(null);
  readonly sought: ReadonlySignal<Sought | null> = this.#sought;
  readonly #reaching = signal(false);
  /** Older pages are being read to come to a message: nothing may be let go of meanwhile. */
  readonly reaching: ReadonlySignal<boolean> = this.#reaching;
  readonly #question = signal<Question | null>(null);
  readonly question: ReadonlySignal<Question | null> = this.#question;
  readonly #stop: () => void;

  constructor(private readonly options: ChatOptions) {
    const { id, client, inbox, me } = options;
    this.id = id;
    this.conversation = client.open(id);
    this.row = computed(() => {
      const listed = inbox.rows.value.get(id);
      if (listed !== undefined) return listed;
      const details = this.#details.value;
      return details.kind === "loaded" ? toRow(details.details.row) : null;
    });
    this.session = computed(() => {
      const live = this.conversation.session.value;
      return live === undefined ? (this.row.value?.session ?? toSession(undefined)) : withWaitOf(toSession(live), inbox.rows.value.get(id)?.session);
    });
    this.rows = computed(() =>
      timelineRows({
        lines: this.conversation.lines.value,
        self: client.self.value,
        cursors: this.conversation.cursors.value,
        unreadFrom: this.#unreadFrom.value,
      }),
    );
    this.actions = computed(() => actionsFor(this.session.value, me.id, options.rights));
    this.suggestion = computed(() => (this.actions.value.reply ? openSuggestion(this.conversation.lines.value, (seq) => options.dismissed.value.has(`${id}/${seq}`)) : null));
    this.composer = new Composer(this.conversation, options.drafts, options.attachments.of(id), () => client.textBytesMax, this.actions);
    this.viewers = computed(() =>
      this.conversation.viewers.value.map(toParticipant).filter((viewer) => viewer.id !== me.id),
    );
    // The divider stands where the reader was when the conversation was first shown, and stays.
    let divided = false;
    const stopDividing = effect(() => {
      if (divided || !this.conversation.loaded.value) return;
      divided = true;
      const read = this.conversation.cursors.peek().get(me.id)?.readSeq ?? 0;
      const first = this.conversation.lines
        .peek()
        .find((line) => line.kind === "entry" && line.seq > read && line.actor.id !== me.id && line.body.kind !== "system");
      if (read > 0 && first?.kind === "entry") this.#unreadFrom.value = first.seq;
    });
    // What is told of the visitor changes with the session, and when it becomes known who it is.
    let told = "";
    const stopTelling = effect(() => {
      const { id: session, status } = this.session.value;
      const now = `${session} ${status === "closed" ? "closed" : ""} ${this.row.value?.visitorName ?? ""}`;
      if (told !== "" && now !== told && this.#details.peek().kind === "loaded") void this.loadDetails();
      told = now;
    });
    this.#stop = () => {
      stopDividing();
      stopTelling();
    };
    void this.loadDetails();
  }

  async loadDetails(): Promise<void> {
    try {
      this.#details.value = { kind: "loaded", details: await this.options.api.conversation(this.id) };
    } catch (error) {
      // What is known already stays on the screen.
      if (this.#details.peek().kind === "loaded") return;
      this.#details.value = { kind: "failed", code: error instanceof ApiError ? error.code : "connection.lost" };
    }
  }

  /** Changes what is known of the person; rejects with the server's ApiError. */
  async changeContact(change: ContactChange): Promise<void> {
    const contact = await this.options.api.changeContact(this.id, change);
    const known = this.#details.peek();
    if (known.kind === "loaded") this.#details.value = { kind: "loaded", details: { ...known.details, contact } };
  }

  leave(): void {
    this.#stop();
    this.options.attachments.leave(this.id);
    this.options.client.leave(this.id);
  }

  command(command: SessionCommand): Promise<boolean> {
    const seen = this.session.peek();
    return this.options.command(this.id, command, seen.version, () => {
      // One's own answer on its way to the server moves the session as well.
      const now = this.session.peek();
      const same = now.id === seen.id && now.status === seen.status && now.owner?.id === seen.owner?.id;
      return same && now.version !== seen.version ? now.version : null;
    });
  }

  /** Closes at once; the way back stands in the notice. */
  async close(): Promise<void> {
    if (!this.actions.peek().close) return;
    const name = this.row.peek() === null ? "" : this.options.inbox.nameOf(this.row.peek() as Row);
    if (await this.command({ close: {} })) {
      this.options.notices.show("ok", "closed.notice", { name }, { label: "undo", run: () => void this.command({ reopen: {} }) });
    }
  }

  /** Puts a suggestion into the composer, before what stands there. */
  takeSuggestion(suggestion: Suggestion): void {
    this.dismissSuggestion(suggestion);
    this.composer.resume(suggestion.text, "reply", 0);
  }

  dismissSuggestion({ seq }: Suggestion): void {
    const { dismissed } = this.options;
    dismissed.value = new Set([...dismissed.peek(), `${this.id}/${seq}`]);
  }

  /** An entry by its seq: from what is loaded, else read once; null until it is there, or for none. */
  entry(seq: number): EntryLine | null {
    const line = this.conversation.timeline.entry(seq);
    if (line !== undefined) return line;
    const fetched = this.#fetched.value.get(seq);
    if (fetched === undefined) void this.#fetch(seq);
    if (fetched !== undefined && fetched !== null && this.conversation.timeline.takenBack(seq)) return { ...fetched, body: { kind: "tombstone", reason: "retracted" } };
    return fetched ?? null;
  }

  async #fetch(seq: number): Promise<void> {
    // Not within the drawing that asks for it; and asked for once, however many draw it.
    await Promise.resolve();
    if (this.#fetched.peek().has(seq)) return;
    this.#fetched.value = new Map(this.#fetched.peek()).set(seq, null);
    try {
      const json = await this.options.api.entry(this.id, seq);
      if (json !== undefined) this.#fetched.value = new Map(this.#fetched.peek()).set(seq, toEntry(json));
    } catch {
      // A quote without its text says that it is an earlier message.
    }
  }

  /** Brings a message onto the screen, however far back it is. */
  async reach(seq: number): Promise<void> {
    const { timeline } = this.conversation;
    if (this.#reaching.peek()) return;
    this.#reaching.value = true;
    try {
      for (let page = 0; page < reachPages && timeline.firstSeq > seq && timeline.moreBefore.peek(); page++) await this.conversation.loadOlder();
      if (timeline.entry(seq) === undefined) this.options.notices.show("info", "quote.too_far");
      else this.#sought.value = { seq, at: (this.#sought.peek()?.at ?? 0) + 1 };
    } catch {
      this.options.notices.show("danger", "timeline.older_failed");
    } finally {
      this.#reaching.value = false;
    }
  }

  /** Takes a refused message back into the composer, to say it otherwise. */
  rewrite(message: OutgoingLine): void {
    if (message.body.kind !== "text") return;
    this.composer.resume(message.body.text, message.team ? "note" : "reply", message.body.quoteSeq);
    this.conversation.discard(message.clientMsgId);
  }

  /** Asks once more before what cannot be undone; null takes the question back. */
  ask(question: Question | null): void {
    this.#question.value = question;
  }

  /** The answer is yes. */
  async confirmed(): Promise<void> {
    const question = this.#question.peek();
    this.#question.value = null;
    if (question?.kind === "retract") await this.retract(question.seq);
    else if (question?.kind === "requeue") await this.command({ requeue: {} });
  }

  visitorName(): string {
    const row = this.row.value;
    return row === null ? "" : this.options.inbox.nameOf(row);
  }

  teamName(id: string, locale: Locale): string {
    return this.options.inbox.teamName(id, locale);
  }

  async copy(text: string): Promise<void> {
    const done = await this.options.copy(text);
    this.options.notices.show(done ? "ok" : "danger", done ? "copied" : "copy.failed");
  }

  async retract(seq: number): Promise<void> {
    try {
      await this.conversation.retract(seq);
    } catch (error) {
      this.options.notices.problem(error instanceof Refused ? error.code : "connection.lost");
    }
  }
}
