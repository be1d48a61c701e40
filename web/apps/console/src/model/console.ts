// The whole console without its looks: who is signed in, where they are, their inbox, the open
// conversation. Views read its signals and call its methods; everything it needs from the browser
// is injected.
import type { Platform, SessionCommand } from "@frontdesk/client";
import { AgentClient, Refused } from "@frontdesk/client";
import type { Codec } from "@frontdesk/protocol";
import type { Locale } from "@frontdesk/i18n";
import type { ReadonlySignal } from "@preact/signals-core";
import { computed, effect, signal } from "@preact/signals-core";
import { Account, Rights } from "./account";
import type { Me } from "./api";
import { Api } from "./api";
import { AssistOffer } from "./assist";
import { AllAttachments } from "./attachments";
import { Chat } from "./chat";
import { Complaints } from "./complaints";
import { Drafts } from "./draft";
import { InboxModel } from "./inbox";
import { Standings } from "./newcomers";
import { Notices } from "./notices";
import { Preferences } from "./preferences";
import type { Bells } from "./signals";
import { Signals } from "./signals";
import { DemoControl } from "./demo";
import type { ListView, Route } from "./route";
import { formatRoute, parseRoute } from "./route";
import type { Upload } from "./uploads";

export type ConsoleOptions = {
  readonly platform: Platform;
  readonly codec: Codec;
  readonly upload: Upload;
  readonly bells: Bells;
  /** Puts a text on the clipboard; says whether that worked. */
  readonly copy: (text: string) => Promise<boolean>;
  readonly version: string;
  readonly language: () => string;
  readonly anonymousName: (visitor: string) => string;
  /** The address' hash, and how to change it. */
  readonly address: { readonly hash: () => string; readonly go: (hash: string) => void };
};

/** Everything that exists only while somebody is signed in. */
export class Desk {
  readonly client: AgentClient;
  readonly inbox: InboxModel;
  readonly rights: Rights;
  readonly signals: Signals;
  readonly complaints: Complaints;
  readonly demo: DemoControl;
  readonly standings: Standings;
  readonly assist: AssistOffer;
  readonly #dismissed = signal<ReadonlySet<string>>(new Set());
  readonly #drafts: Drafts;
  readonly #attachments: AllAttachments;
  readonly #chat = signal<Chat | null>(null);
  readonly chat: ReadonlySignal<Chat | null> = this.#chat;

  constructor(
    private readonly console: Console,
    private readonly options: ConsoleOptions,
    readonly me: Me,
  ) {
    this.rights = new Rights(me.rights);
    this.client = new AgentClient({
      platform: options.platform,
      codec: options.codec,
      user: me.id,
      account: me.account.id,
      client: `frontdesk-console/${options.version}`,
      language: options.language,
      onWithdrawn: (conversation) => this.withdrawn(conversation),
      onRightsChanged: () => void console.account.load(),
    });
    this.inbox = new InboxModel(this.client, console.api, me, options.anonymousName);
    const shown = computed(() => this.#chat.value?.id ?? null);
    this.signals = new Signals({
      platform: options.platform,
      api: console.api,
      inbox: this.inbox,
      bells: options.bells,
      account: me.account.id,
      shown,
      open: (conversation) => console.openConversation(conversation),
    });
    this.complaints = new Complaints({ inbox: this.inbox, notices: console.notices, shown, open: (conversation) => console.openConversation(conversation) });
    this.demo = new DemoControl(console.api, me.demo);
    this.standings = new Standings(console.api, this.rights);
    this.assist = new AssistOffer(console.api, this.rights, me);
    this.#drafts = new Drafts(options.platform.storage, `frontdesk/draft/${me.account.id}/${me.id}/`);
    this.#attachments = new AllAttachments({ drafts: this.#drafts, upload: options.upload, fileBytesMax: () => this.client.fileBytesMax });
    this.client.start();
    if (console.account.fresh) this.#beginWork();
    void this.inbox.loadDirectory();
    void this.inbox.loadCounts();
  }

  /** Who signs in begins to work: offline becomes online, once. A reload changes nothing. */
  #beginWork(): void {
    this.console.account.fresh = false;
    const stop = effect(() => {
      if (this.client.connection.value.kind !== "live") return;
      // Not within the effect that is just running.
      void Promise.resolve().then(() => {
        stop();
        if (this.inbox.presence.peek() === "offline") this.inbox.setPresence("online").catch(() => this.console.notices.show("danger", "presence.failed"));
      });
    });
  }

  show(conversation: string | null): void {
    const shown = this.#chat.peek();
    if ((shown?.id ?? null) === conversation) return;
    this.#chat.value =
      conversation === null
        ? null
        : new Chat({
            id: conversation,
            client: this.client,
            api: this.console.api,
            inbox: this.inbox,
            me: this.me,
            rights: this.rights,
            drafts: this.#drafts,
            attachments: this.#attachments,
            dismissed: this.#dismissed,
            command: (of, command, version, again) => this.command(of, command, version, again),
            copy: this.options.copy,
            notices: this.console.notices,
          });
    shown?.leave();
  }

  /** Carries out a session command; says what happened where it was refused. */
  async command(conversation: string, command: SessionCommand, version: number, again: () => number | null = () => null): Promise<boolean> {
    this.signals.expect(conversation);
    if (command.setIntent !== undefined) this.complaints.expect(conversation);
    try {
      await this.client.command(conversation, command, version);
      return true;
    } catch (error) {
      this.complaints.forget(conversation);
      const newer = error instanceof Refused && error.code === "session.version" ? again() : null;
      if (newer !== null) return this.command(conversation, command, newer, () => null);
      const { code, detail } = error instanceof Refused ? error : { code: "connection.lost", detail: "" };
      if (code === "session.taken") this.console.notices.show("info", "refused.session.taken", { name: this.inbox.agentName(detail) || detail });
      else this.console.notices.problem(code, { detail });
      return false;
    }
  }

  /** What is on the screen went to somebody whose conversations this person may not read. */
  private withdrawn(conversation: string): void {
    if (this.#chat.peek()?.id !== conversation) return;
    this.console.notices.show("info", "chat.withdrawn");
    this.console.openConversation(null);
  }

  stop(): void {
    this.show(null);
    this.#attachments.stop();
    this.signals.stop();
    this.complaints.stop();
    this.client.stop();
  }
}

export class Console {
  readonly api: Api;
  readonly account: Account;
  readonly notices: Notices;
  readonly preferences: Preferences;
  readonly #route = signal<Route>(parseRoute(""));
  readonly route: ReadonlySignal<Route> = this.#route;
  readonly #desk = signal<Desk | null>(null);
  readonly desk: ReadonlySignal<Desk | null> = this.#desk;
  /** UTC milliseconds by the server's clock, moved once a second. */
  readonly now = signal(0);
  /** What waits to be read, as far as the person wants to see it in title and icon. */
  readonly count: ReadonlySignal<number>;
  readonly title: ReadonlySignal<string>;
  readonly #unsaved = new Set<symbol>();
  readonly #leaving = signal<Route | null>(null);
  /** Where the reader was going when something unsaved held them back. */
  readonly leaving: ReadonlySignal<Route | null> = this.#leaving;

  constructor(private readonly options: ConsoleOptions) {
    const { platform } = options;
    this.api = new Api(platform.http);
    this.account = new Account(this.api);
    this.notices = new Notices(platform.clock);
    this.preferences = new Preferences(platform.storage);
    this.count = computed(() => this.#desk.value?.signals.count.value ?? 0);
    this.title = computed(() => {
      const count = this.count.value;
      return count > 0 ? `(${count}) Frontdesk` : "Frontdesk";
    });
    this.addressChanged();
    this.#tick();
    effect(() => {
      const state = this.account.state.value;
      const desk = this.#desk.peek();
      if (state.kind === "signed-in" && (desk === null || !mayTheSame(desk.me, state.me))) {
        desk?.stop();
        this.#desk.value = new Desk(this, options, state.me);
      }
      if (state.kind === "signed-out" && desk !== null) {
        desk.stop();
        this.#desk.value = null;
      }
    });
    effect(() => {
      const route = this.#route.value;
      const desk = this.#desk.value;
      if (desk === null) return;
      if (route.page === "inbox") desk.inbox.view.value = route.view;
      desk.show(route.page === "inbox" ? route.conversation : null);
    });
    // A login that ended shows as a ticket refused.
    effect(() => {
      const connection = this.#desk.value?.client.connection.value;
      if (connection?.kind === "stopped" && stopsLogin(connection.code)) void this.account.load();
    });
  }

  async start(): Promise<void> {
    await this.account.load();
  }

  go(route: Route): void {
    this.options.address.go(formatRoute(route));
  }

  addressChanged(): void {
    const route = parseRoute(this.options.address.hash());
    const here = this.#route.peek();
    if (formatRoute(route) === formatRoute(here)) return;
    if (this.unsaved) {
      this.#leaving.value = route;
      this.options.address.go(formatRoute(here));
      return;
    }
    this.#route.value = route;
  }

  /** Somebody has typed what is not saved yet: leaving asks first. */
  get unsaved(): boolean {
    return this.#unsaved.size > 0;
  }

  /** A form holds what is not saved, until the returned function is called. */
  holdUnsaved(): () => void {
    const form = Symbol("form");
    this.#unsaved.add(form);
    return () => this.#unsaved.delete(form);
  }

  /** Goes where the reader was going and gives up what was not saved; or stays. */
  leave(really: boolean): void {
    const route = this.#leaving.peek();
    this.#leaving.value = null;
    if (!really || route === null) return;
    this.#unsaved.clear();
    this.go(route);
  }

  /** The language of this browser from now on; the server keeps it for what it writes to the person. */
  chooseLanguage(locale: Locale): void {
    this.preferences.language.value = locale;
    if (this.#desk.peek() !== null) this.api.changeMe({ language: locale }).catch(() => undefined);
  }

  /** Copies a text and says so. */
  async copy(text: string): Promise<void> {
    const done = await this.options.copy(text);
    this.notices.show(done ? "ok" : "danger", done ? "copied" : "copy.failed");
  }

  openConversation(conversation: string | null, view?: ListView): void {
    const route = this.#route.peek();
    this.go({ page: "inbox", view: view ?? (route.page === "inbox" ? route.view : "mine"), conversation });
  }

  /** Moves to the row below or above the open one. */
  step(by: 1 | -1): void {
    const route = this.#route.peek();
    const inbox = this.#desk.peek()?.inbox;
    if (route.page !== "inbox" || inbox === undefined) return;
    const next = inbox.neighbour(route.conversation, by);
    if (next !== null) this.openConversation(next);
  }

  #tick(): void {
    const { clock } = this.options.platform;
    this.now.value = this.#desk.peek()?.client.serverNowMs() ?? clock.now();
    clock.setTimer(() => this.#tick(), 1_000);
  }
}

/** Everything a desk offers follows from rights and teams: with others it is another desk. */
function mayTheSame(one: Me, other: Me): boolean {
  const same = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((item) => b.includes(item));
  return one.id === other.id && one.account.id === other.account.id && same(one.rights, other.rights) && same(one.teams, other.teams);
}

function stopsLogin(code: string): boolean {
  return code === "auth.required" || code === "auth.disabled" || code.startsWith("close.");
}
