// What calls an agent back to the console: a sound, a desktop notification, the count in title and
// icon. Every tab of an agent sees the same rows; each event is claimed by one of them, under a lock of
// its own, so that it rings once and not once per tab: its sound by one that can be heard.
import type { KeyValueStore, Platform, TimerId } from "@frontdesk/client";
import type { ReadonlySignal } from "@preact/signals-core";
import { computed, effect, signal } from "@preact/signals-core";
import type { Api } from "./api";
import type { InboxModel } from "./inbox";
import type { Row } from "./types";

/** As `/me/preferences` has them. */
export type SignalChoices = {
  readonly sound: boolean;
  readonly desktop: boolean;
  readonly title: boolean;
  readonly repeat_until_answered: boolean;
};

export const defaultChoices: SignalChoices = { sound: true, desktop: true, title: true, repeat_until_answered: false };

export type Permission = "unasked" | "granted" | "denied" | "unsupported";

/** Why it rings. */
export type Reason = "assigned" | "message" | "queued" | "mention";

/** What the browser can do; see view/bells.ts. */
export interface Bells {
  /** Somebody is at this tab: it is visible and has the focus. */
  readonly attended: ReadonlySignal<boolean>;
  readonly permission: ReadonlySignal<Permission>;
  /** Asks the person; only right after a click. */
  ask(): Promise<void>;
  /** Browsers let a tab sound only once the person has done something in it. */
  canSound(): boolean;
  sound(): void;
  notify(reason: Reason, row: Row, open: () => void): void;
}

/** How often it rings again for who is still not answered. */
export const repeatMs = 20_000;
/** How long the word of a tab that somebody is there counts without being renewed. */
const lookingMs = 4_000;
const renewMs = 1_500;
/** A command of one's own is no news when it comes back as a row. */
const ownMs = 10_000;
/** What one tab writes to the store another one reads a moment later; so long the lock alone tells. */
const settleMs = 2_000;
/** So long a tab that lost its connection may take to hear of an event. */
const claimKeptMs = 10 * 60_000;

/** Why a row that became this should call this agent; null for no reason. */
export function reasonFor(row: Row, before: Row | undefined, user: string, teams: ReadonlySet<string>): Reason | null {
  if (row.mentioned && before?.mentioned !== true) return "mention";
  const { session } = row;
  if (session.status === "closed") return null;
  if (session.owner?.id === user) {
    if (before?.session.owner?.id !== user || before.session.status === "closed") return "assigned";
    return row.unread > before.unread && row.last?.actor.kind === "visitor" ? "message" : null;
  }
  const waits = session.status === "queued" && (session.team === "" || teams.has(session.team));
  return waits && before?.session.status !== "queued" ? "queued" : null;
}

export type SignalOptions = {
  readonly platform: Pick<Platform, "clock" | "storage" | "withLock">;
  readonly api: Pick<Api, "preferences" | "changePreferences">;
  readonly inbox: InboxModel;
  readonly bells: Bells;
  readonly account: string;
  /** The conversation on the screen of this tab. */
  readonly shown: ReadonlySignal<string | null>;
  readonly open: (conversation: string) => void;
};

export class Signals {
  readonly #choices = signal<SignalChoices>(defaultChoices);
  readonly choices: ReadonlySignal<SignalChoices> = this.#choices;
  /** What stands in title and icon; 0 where the person does not want it. */
  readonly count: ReadonlySignal<number>;
  /** Worth asking whether notifications may be shown. */
  readonly askable: ReadonlySignal<boolean>;
  /** What the browser lets this page do. */
  readonly permission: ReadonlySignal<Permission>;
  readonly #later: { readonly value: boolean; set(value: boolean): void };
  readonly #own = new Map<string, number>();
  readonly #key: string;
  readonly #storage: KeyValueStore;
  readonly #stops: (() => void)[] = [];
  #repeatTimer: TimerId | undefined;
  #lookTimer: TimerId | undefined;
  #stopped = false;

  constructor(private readonly options: SignalOptions) {
    const { platform, inbox, bells } = options;
    this.#storage = platform.storage;
    this.permission = bells.permission;
    this.#key = `${options.account}/${inbox.me.id}`;
    const later = signal(platform.storage.get("frontdesk/notify-later") !== undefined);
    this.#later = {
      get value() {
        return later.value;
      },
      set: (value) => (later.value = value),
    };
    this.count = computed(() => (this.#choices.value.title ? inbox.unread.value + inbox.counts.value.mentions : 0));
    this.askable = computed(() => this.#choices.value.desktop && bells.permission.value === "unasked" && !this.#later.value);
    this.#watch();
    this.#stops.push(
      effect(() => {
        const { attended } = bells;
        this.#look(attended.value ? (options.shown.value ?? "-") : null);
      }),
    );
    this.#repeat();
    void this.#load();
  }

  /** Changes a choice at once and on the server; takes it back and rejects where that fails. */
  async choose(change: Partial<SignalChoices>): Promise<void> {
    const before = this.#choices.peek();
    this.#choices.value = { ...before, ...change };
    try {
      this.#choices.value = await this.options.api.changePreferences(this.#choices.peek());
    } catch (error) {
      this.#choices.value = before;
      throw error;
    }
  }

  /** The person wants notifications: the browser asks, after this click. */
  ask(): Promise<void> {
    return this.options.bells.ask();
  }

  /** Not now: this browser does not ask again. */
  askLater(): void {
    this.#storage.set("frontdesk/notify-later", "1");
    this.#later.set(true);
  }

  /** This tab is about to do something to a conversation: its coming is no news. */
  expect(conversation: string): void {
    this.#own.set(conversation, this.options.platform.clock.now() + ownMs);
  }

  stop(): void {
    this.#stopped = true;
    for (const stop of this.#stops) stop();
    const { clock } = this.options.platform;
    for (const timer of [this.#repeatTimer, this.#lookTimer]) if (timer !== undefined) clock.clearTimer(timer);
    this.#look(null);
  }

  async #load(): Promise<void> {
    try {
      this.#choices.value = await this.options.api.preferences();
    } catch {
      // The defaults serve until the next visit.
    }
  }

  /** Compares what the list is with what it was. The first list is how things stand, not news. */
  #watch(): void {
    const { inbox } = this.options;
    let known: ReadonlyMap<string, Row> | null = null;
    this.#stops.push(
      effect(() => {
        const rows = inbox.rows.value;
        if (!inbox.client.listed.value) return;
        const before = known;
        known = rows;
        if (before === null || before === rows) return;
        for (const [id, row] of rows) {
          const was = before.get(id);
          if (was === row) continue;
          const reason = reasonFor(row, was, inbox.me.id, inbox.viewer.teams);
          if (reason !== null) this.#ring(reason, row);
        }
      }),
    );
  }

  #ring(reason: Reason, row: Row): void {
    const { platform, inbox, bells } = this.options;
    const now = platform.clock.now();
    if (reason !== "message" && (this.#own.get(row.conversation) ?? 0) > now) {
      this.#own.delete(row.conversation);
      return;
    }
    const presence = inbox.presence.peek();
    // Who is not on duty is not called to a queue.
    if (reason === "queued" && presence !== "online") return;
    const event = `${row.conversation} ${reason} ${reason === "message" ? row.seq : `${row.session.number}.${row.session.version}`}`;
    if (bells.canSound()) {
      this.#claim(`${event} sound`, () => {
        if (this.#choices.peek().sound && this.#looking() !== row.conversation) bells.sound();
      });
    }
    this.#claim(event, () => {
      if (this.#choices.peek().desktop && this.#looking() === null) bells.notify(reason, row, () => this.options.open(row.conversation));
    });
  }

  /** Rings in one tab only: the first that comes to it. */
  #claim(event: string, ring: () => void): void {
    const { platform } = this.options;
    const { clock } = platform;
    const prefix = `frontdesk/rang/${this.#key}/`;
    void platform.withLock(`${prefix}${event}`, async () => {
      if (this.#stopped || this.#storage.get(`${prefix}${event}`) !== undefined) return;
      const now = clock.now();
      for (const key of this.#storage.keys(prefix)) if (Number(this.#storage.get(key)) < now - claimKeptMs) this.#storage.remove(key);
      this.#storage.set(`${prefix}${event}`, String(now));
      ring();
      await new Promise<void>((resolve) => clock.setTimer(resolve, settleMs));
    });
  }

  /** What the agent looks at in any tab: a conversation, "-" for something else, null for nothing. */
  #looking(): string | null {
    const [what = "", until = "0"] = (this.#storage.get(`frontdesk/looking/${this.#key}`) ?? "").split(" ");
    return what !== "" && Number(until) > this.options.platform.clock.now() ? what : null;
  }

  #look(what: string | null): void {
    const { clock } = this.options.platform;
    const key = `frontdesk/looking/${this.#key}`;
    const looked = this.#lookTimer !== undefined;
    if (this.#lookTimer !== undefined) clock.clearTimer(this.#lookTimer);
    this.#lookTimer = undefined;
    if (what === null) {
      // Only the tab that said so takes it back.
      if (looked) this.#storage.remove(key);
      return;
    }
    this.#storage.set(key, `${what} ${clock.now() + lookingMs}`);
    if (!this.#stopped) this.#lookTimer = clock.setTimer(() => this.#look(what), renewMs);
  }

  #repeat(): void {
    const { platform, inbox, bells } = this.options;
    this.#repeatTimer = platform.clock.setTimer(() => this.#repeat(), repeatMs);
    const choices = this.#choices.peek();
    if (!choices.repeat_until_answered || !choices.sound) return;
    const waits = [...inbox.rows.peek().values()].some(
      ({ session, unread }) => unread > 0 && session.status !== "closed" && session.owner?.id === inbox.me.id && session.waitingSinceMs > 0,
    );
    if (!waits || !bells.canSound()) return;
    this.#claim(`repeat ${Math.floor(platform.clock.now() / repeatMs)}`, () => bells.sound());
  }
}
