// What the agent's list shows: the rows the feed keeps live, the closed ones read page by page over
// HTTP, their order and their counts, and the names of teams, colleagues and inboxes in them.
import type { AgentClient } from "@frontdesk/client";
import type { Locale } from "@frontdesk/i18n";
import { localText } from "@frontdesk/i18n";
import type { RowJson } from "@frontdesk/protocol";
import type { ReadonlySignal } from "@preact/signals-core";
import { computed, signal } from "@preact/signals-core";
import type { Agent, Api, Inbox, Me, Team } from "./api";
import { Board } from "./board";
import type { Counts, Sight, Viewer } from "./list";
import { holdInPlace, matches, supersedes } from "./list";
import type { CannedReply } from "./replies";
import type { ListView } from "./route";
import type { Presence, Row } from "./types";
import { fromPresenceJson, toPresenceJson, toRow } from "./wire";

export type Directory = {
  readonly teams: readonly Team[];
  readonly agents: readonly Agent[];
  readonly inboxes: readonly Inbox[];
  readonly replies: readonly CannedReply[];
  /** In which time visitors are to get their first answer. */
  readonly answerWithinMs: number;
};

type Held = { readonly key: string; readonly index: number; readonly sight: Sight | undefined } | null;

const pageRows = 50;
/** What a waiting time is held against until the account's own figure has been read. */
const answerWithinMs = 120_000;

export class InboxModel {
  readonly #rowOf = new WeakMap<RowJson, Row>();
  readonly #otherwiseOf = new WeakMap<Row, Row>();
  readonly #older = signal<ReadonlyMap<string, Row>>(new Map());
  readonly #closedCursor = signal<string | null | undefined>(undefined);
  readonly #closedCount = signal<number | null>(null);
  readonly #closedFailed = signal(false);
  readonly #directory = signal<Directory>({ teams: [], agents: [], inboxes: [], replies: [], answerWithinMs });
  readonly #held = signal<Held>(null);
  #closedLoading = false;
  /** The newest are to be read once more: something moved while they were on their way. */
  #closedAgain = false;

  /** Every row known, by conversation. */
  readonly rows: ReadonlySignal<ReadonlyMap<string, Row>>;
  readonly viewer: Viewer;
  readonly counts: ReadonlySignal<Counts>;
  readonly unread: ReadonlySignal<number>;
  readonly presence: ReadonlySignal<Presence>;
  readonly directory: ReadonlySignal<Directory> = this.#directory;
  readonly closedFailed: ReadonlySignal<boolean> = this.#closedFailed;
  readonly view = signal<ListView>("mine");
  readonly query = signal("");
  /** Conversation ids of the current view, in the order the list draws them. */
  readonly order: ReadonlySignal<readonly string[]>;

  constructor(
    readonly client: AgentClient,
    private readonly api: Api,
    readonly me: Me,
    private readonly anonymousName: (visitor: string) => string,
  ) {
    this.viewer = { user: me.id, teams: new Set(me.teams) };
    const board = new Board(this.viewer);
    this.rows = computed(() => {
      const all = new Map(this.#older.value);
      const presences = client.presences.value;
      for (const [id, json] of client.rows.value) {
        const listed = this.#toRow(json);
        // Who comes and goes is told by itself, not by a new row.
        const presence = presences.get(listed.visitor);
        const online = presence === undefined ? listed.visitorOnline : fromPresenceJson(presence) === "online";
        const row = online === listed.visitorOnline ? listed : this.#otherwise(listed);
        if (supersedes(row, all.get(id))) all.set(id, row);
      }
      return all;
    });
    this.counts = computed(() => {
      board.take(this.rows.value);
      const { counts } = board;
      return { ...counts, closed: Math.max(counts.closed, this.#closedCount.value ?? 0) };
    });
    this.unread = computed(() => {
      board.take(this.rows.value);
      return board.unread;
    });
    this.presence = computed(() => fromPresenceJson(client.presence.value));
    this.order = computed(() => {
      const query = this.query.value;
      board.take(this.rows.value);
      const rows = board.order(this.view.value);
      const order = (query.trim() === "" ? rows : rows.filter((row) => matches(row, query, this.nameOf(row)))).map((row) => row.conversation);
      const held = this.#held.value;
      return held === null ? order : holdInPlace(order, held.key, held.index, held.sight);
    });
  }

  nameOf(row: Pick<Row, "visitorName" | "visitor">): string {
    return row.visitorName === "" ? this.anonymousName(row.visitor) : row.visitorName;
  }

  teamName(id: string, locale: Locale): string {
    const team = this.#directory.value.teams.find((known) => known.id === id);
    return team === undefined ? "" : localText(team.names, locale);
  }

  inboxName(id: string): string {
    return this.#directory.value.inboxes.find((known) => known.id === id)?.name ?? "";
  }

  /** The colleagues with their state as it is now. */
  agents(): readonly Agent[] {
    const presences = this.client.presences.value;
    return this.#directory.value.agents.map((agent) => {
      const presence = presences.get(agent.id);
      return presence === undefined ? agent : { ...agent, presence: fromPresenceJson(presence) };
    });
  }

  agentName(id: string): string {
    return this.#directory.value.agents.find((known) => known.id === id)?.name ?? "";
  }

  /**
   * The pointer rests on a row (or on none): that row stays where it is while others move. Where the
   * reader has scrolled, `sight` tells what else is on the screen and stays as well.
   */
  hold(conversation: string | null, sight?: Sight): void {
    const known = this.#held.peek();
    if (conversation === (known?.key ?? null)) return;
    this.#held.value = conversation === null ? null : { key: conversation, index: this.order.peek().indexOf(conversation), sight };
  }

  /** The conversation `step` rows below (or above) this one. */
  neighbour(conversation: string | null, step: 1 | -1): string | null {
    const order = this.order.peek();
    const at = conversation === null ? -1 : order.indexOf(conversation);
    if (at < 0) return order[step > 0 ? 0 : order.length - 1] ?? null;
    return order[at + step] ?? null;
  }

  setPresence(presence: Presence): Promise<void> {
    return this.client.setPresence(toPresenceJson(presence));
  }

  /** Names and replies the inbox shows; what cannot be read now is kept as it was. */
  async loadDirectory(): Promise<void> {
    const known = this.#directory.peek();
    const [teams, agents, inboxes, replies, settings] = await Promise.all([
      this.api.teams().catch(() => known.teams),
      this.api.agents().catch(() => known.agents),
      this.api.inboxes().catch(() => known.inboxes),
      this.api.replies().catch(() => known.replies),
      this.api.settings().catch(() => []),
    ]);
    const seconds = settings.find((setting) => setting.name === "routing.first_answer_s")?.value;
    this.#directory.value = { teams, agents, inboxes, replies, answerWithinMs: typeof seconds === "number" ? seconds * 1000 : known.answerWithinMs };
  }

  async loadCounts(): Promise<void> {
    try {
      this.#closedCount.value = (await this.api.conversations({ view: "closed", limit: 1 })).counts.closed;
    } catch {
      // The count of closed ones is a comfort; the list itself says when it cannot be read.
    }
  }

  /** Null where nothing older is left; undefined before the first page. */
  get closedMore(): ReadonlySignal<string | null | undefined> {
    return this.#closedCursor;
  }

  /** Reads the next page of closed conversations. */
  async loadClosed(): Promise<void> {
    const cursor = this.#closedCursor.peek();
    if (cursor !== null) await this.#readClosed(cursor);
  }

  /** Some were closed since, or rated: reads the newest again. */
  async refreshClosed(): Promise<void> {
    await this.#readClosed(undefined);
  }

  async #readClosed(cursor: string | undefined): Promise<void> {
    if (this.#closedLoading) {
      if (cursor === undefined) this.#closedAgain = true;
      return;
    }
    this.#closedLoading = true;
    try {
      const page = await this.api.conversations({ view: "closed", limit: pageRows, ...(cursor === undefined ? {} : { cursor }) });
      const older = new Map(this.#older.peek());
      // The newest join what was read before; where more have come than a page holds, it is read on from there.
      const joins = cursor === undefined && this.#closedCursor.peek() !== undefined && page.rows.some((json) => older.has(json.conversation ?? ""));
      for (const json of page.rows) {
        const row = toRow(json);
        if (supersedes(row, older.get(row.conversation))) older.set(row.conversation, row);
      }
      this.#older.value = older;
      this.#closedCount.value = page.counts.closed;
      if (!joins) this.#closedCursor.value = page.next ?? null;
      this.#closedFailed.value = false;
    } catch {
      this.#closedFailed.value = true;
    } finally {
      this.#closedLoading = false;
    }
    if (!this.#closedAgain) return;
    this.#closedAgain = false;
    await this.#readClosed(undefined);
  }

  /** The same row with the visitor come or gone; the same object as long as the row is the same. */
  #otherwise(listed: Row): Row {
    const known = this.#otherwiseOf.get(listed);
    if (known !== undefined) return known;
    const row = { ...listed, visitorOnline: !listed.visitorOnline };
    this.#otherwiseOf.set(listed, row);
    return row;
  }

  #toRow(json: RowJson): Row {
    const known = this.#rowOf.get(json);
    if (known !== undefined) return known;
    const row = toRow(json);
    this.#rowOf.set(json, row);
    return row;
  }
}
