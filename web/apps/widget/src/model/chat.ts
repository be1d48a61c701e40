// The widget as a model: what is shown and what can be done, without a view. Lives in a site's frame
// (then a Page speaks for the site) or as a page of its own at /c/{inbox_key}.
import type { DeliveryState, EntryLine, SkipLine } from "@frontdesk/client";
import { Refused, VisitorClient, isMessage } from "@frontdesk/client";
import { browserPlatform } from "@frontdesk/client/browser";
import type { Locale } from "@frontdesk/i18n";
import { LOCALES, Texts, pickLocale, systemText } from "@frontdesk/i18n";
import type { WidgetKey } from "@frontdesk/i18n/catalogs/widget.en";
import type { Settings } from "@frontdesk/loader/messages";
import { jsonCodec } from "@frontdesk/protocol";
import { accentColours, followTheme } from "@frontdesk/ui";
import { computed, effect, signal } from "@preact/signals";
import { Files } from "./files";
import type { Inbox } from "./inbox";
import { NO_INBOX, inboxText, parseInbox } from "./inbox";
import { Page } from "./page";
import { buildRows } from "./rows";

const LANGUAGE_KEY = "frontdesk/language";
/** A connection may blink for so long before anybody is told. */
const OFFLINE_AFTER_MS = 1_500;
const LOOK_AGAIN_MS = 15_000;

export type Stage =
  /** Nobody said yet whether this chat may be shown. */
  | { readonly kind: "waiting" }
  | { readonly kind: "open" }
  | { readonly kind: "stopped"; readonly code: string };

export type Question = "none" | "end" | "forget";

export class Chat {
  readonly texts = new Texts<WidgetKey>(undefined, {
    en: () => import("@frontdesk/i18n/catalogs/widget.en").then((module) => module.widgetEn),
    "zh-CN": () => import("@frontdesk/i18n/catalogs/widget.zh-CN").then((module) => module.widgetZh),
  });
  readonly client: VisitorClient;
  readonly files: Files;
  readonly framed: boolean;
  readonly inbox = signal<Inbox>(NO_INBOX);
  readonly draft = signal("");
  readonly question = signal<Question>("none");
  readonly atEnd = signal(true);
  /** Grows with every own message: the timeline goes to its end. */
  readonly toEnd = signal(0);
  readonly offline = signal(false);
  /** A notice that something did not work; empty for none. */
  readonly trouble = signal("");
  readonly olderFailed = signal(false);
  readonly announcement = signal("");
  readonly ratingPutOff = signal("");
  readonly ratingThanked = signal("");
  /** The texts are there: something can be shown. */
  readonly ready = signal(false);
  private readonly visible = signal(false);
  private readonly refused = signal("");
  private readonly newFromSeq = signal(0);
  private readonly page: Page | undefined;
  private settings: Settings = {};
  private ownTitle = "";
  private announcedSeq = -1;
  private unfollowTheme: () => void = () => undefined;

  readonly stage = computed<Stage>(() => {
    const state = this.client.connection.value;
    if (state.kind === "stopped") return { kind: "stopped", code: state.code };
    if (this.refused.value !== "") return { kind: "stopped", code: this.refused.value };
    return this.inbox.value === NO_INBOX || !this.ready.value ? { kind: "waiting" } : { kind: "open" };
  });

  readonly rows = computed(() => {
    const conversation = this.client.conversation;
    return buildRows(conversation.lines.value, (line) => conversation.isOwn(line), this.newFromSeq.value);
  });

  readonly title = computed(() => {
    const inbox = this.inbox.value;
    return inboxText(inbox, "title", this.texts.locale.value) || inbox.name || this.texts.t("widget.title");
  });

  readonly greeting = computed(() => inboxText(this.inbox.value, "greeting", this.texts.locale.value) || this.texts.t("widget.greeting"));

  readonly attended = computed(() => this.client.attended.value ?? this.inbox.value.attended);

  /** The session that can be rated now: over, answered by somebody, not rated, not put off. */
  readonly ratable = computed(() => {
    const session = this.client.conversation.session.value;
    const over = session?.status === "SESSION_STATUS_CLOSED" && session.firstAnswerAtMs !== undefined;
    if (!over || (session.rating ?? 0) > 0) return "";
    const id = session.id ?? "";
    return id === this.ratingPutOff.value || id === this.ratingThanked.value ? "" : id;
  });

  readonly sessionOpen = computed(() => {
    const status = this.client.conversation.session.value?.status;
    return status !== undefined && status !== "SESSION_STATUS_CLOSED" && status !== "SESSION_STATUS_UNSPECIFIED";
  });

  readonly tooLong = computed(() => {
    const limit = this.client.connection.value.kind === "live" ? this.client.textBytesMax : 0;
    return limit > 0 && new TextEncoder().encode(this.draft.value).length > limit;
  });

  constructor(baseUrl: string, inboxKey: string, framed: boolean) {
    this.framed = framed;
    const platform = browserPlatform(baseUrl);
    this.client = new VisitorClient({
      platform,
      codec: jsonCodec,
      inboxKey,
      client: "frontdesk-widget/0.1.0",
      language: () => this.texts.locale.peek(),
      surroundings: () => this.surroundings(),
      onInbox: (inbox) => {
        this.inbox.value = parseInbox(inbox);
      },
      onDraft: (text) => {
        this.draft.value = text;
      },
    });
    this.files = new Files(baseUrl, this.client);
    this.draft.value = this.client.draft;
    if (framed) {
      this.page = new Page(window.parent, {
        connected: (settings) => {
          this.apply(settings);
          void this.begin();
        },
        updated: (settings) => this.apply(settings),
        shown: () => this.show(),
        hidden: () => {
          this.visible.value = false;
        },
        reset: () => this.client.forget(),
      });
    }
    this.follow();
  }

  /** A page of its own begins at once; in a frame the site's page has the first word. */
  start(): void {
    if (this.framed) return;
    this.apply({});
    this.visible.value = document.visibilityState === "visible";
    document.addEventListener("visibilitychange", () => {
      this.visible.value = document.visibilityState === "visible";
    });
    this.client.start();
  }

  close(): void {
    this.page?.send({ kind: "close" });
  }

  tryAgain(): void {
    this.refused.value = "";
    if (this.framed && !this.client.known && !this.visible.peek()) void this.begin();
    else this.client.start();
  }

  write(text: string): void {
    this.draft.value = text;
    this.client.saveDraft(text);
  }

  send(): void {
    const text = this.draft.peek().trim();
    if (text === "" || this.tooLong.peek()) return;
    this.client.conversation.sendText(text);
    this.write("");
    this.newFromSeq.value = 0;
    this.toEnd.value += 1;
  }

  attach(files: readonly File[]): void {
    for (const file of files) void this.files.add(file);
    this.toEnd.value += 1;
  }

  async loadOlder(): Promise<void> {
    try {
      await this.client.conversation.loadOlder();
      this.olderFailed.value = false;
    } catch {
      this.olderFailed.value = true;
    }
  }

  async end(): Promise<void> {
    this.question.value = "none";
    await this.attempt(() => this.client.end());
  }

  async forget(): Promise<void> {
    this.question.value = "none";
    // Offline the device forgets all the same; the session then closes by itself.
    if (this.sessionOpen.peek()) await this.client.end().catch(() => undefined);
    this.client.forget();
    this.draft.value = "";
  }

  /** True when the server took it. */
  async rate(session: string, rating: number, comment: string): Promise<boolean> {
    try {
      await this.client.rate(rating, comment);
      this.ratingThanked.value = session;
      return true;
    } catch {
      return false;
    }
  }

  async save(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch {
      this.trouble.value = "network";
    }
  }

  chooseLanguage(locale: Locale): void {
    try {
      localStorage.setItem(LANGUAGE_KEY, locale);
    } catch {
      // Forbidden by the browser: the choice holds until the page is left.
    }
    void this.texts.use(locale);
  }

  otherLanguage(): Locale {
    return LOCALES.find((locale) => locale !== this.texts.locale.value) ?? "en";
  }

  deliveryOf(line: EntryLine): DeliveryState {
    return this.client.conversation.deliveryOf(line);
  }

  /** Learns about the inbox, so that the site's page can draw the launcher in its colours. */
  private async begin(): Promise<void> {
    if (this.client.known) {
      this.client.start();
      return;
    }
    try {
      await this.client.look();
    } catch (error) {
      const stop = typeof error === "object" && error !== null && "stop" in error && error.stop === true;
      if (stop && "code" in error) this.refused.value = String(error.code);
      else window.setTimeout(() => void this.begin(), LOOK_AGAIN_MS * (0.5 + Math.random()));
    }
  }

  private show(): void {
    this.newFromSeq.value = this.firstUnread();
    this.visible.value = true;
    this.toEnd.value += 1;
    this.client.start();
  }

  private firstUnread(): number {
    const conversation = this.client.conversation;
    if (conversation.unread.peek() === 0) return 0;
    const read = Math.max(0, ...[...conversation.cursors.peek().values()].filter((cursor) => cursor.actor.kind === "visitor").map((cursor) => cursor.readSeq));
    const first = conversation.timeline.lines.peek().find((line) => isMessage(line) && line.seq > read && !conversation.isOwn(line));
    return first?.kind === "entry" ? first.seq : 0;
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.trouble.value = "";
    } catch (error) {
      this.trouble.value = error instanceof Refused ? error.code : "general";
    }
  }

  private apply(settings: Settings): void {
    this.settings = { ...this.settings, ...settings };
    let chosen: string | null = null;
    try {
      chosen = localStorage.getItem(LANGUAGE_KEY);
    } catch {
      // Forbidden by the browser: nothing was chosen.
    }
    void this.texts.use(pickLocale(this.settings.language, chosen, ...navigator.languages)).then(() => {
      this.ready.value = true;
    });
    this.dress(this.inbox.peek());
  }

  private dress(inbox: Inbox): void {
    this.unfollowTheme();
    this.unfollowTheme = followTheme(this.settings.theme ?? inbox.scheme);
    const colours = accentColours(inbox.accent);
    if (!colours) return;
    const style = document.documentElement.style;
    style.setProperty("--accent", colours.accent);
    style.setProperty("--on-accent", colours.onAccent);
    style.setProperty("--accent-text-light", colours.textLight);
    style.setProperty("--accent-text-dark", colours.textDark);
  }

  private surroundings(): Record<string, string> {
    if (!this.page) return { page: location.href, referrer: document.referrer };
    return { parent_origin: this.page.origin, page: this.page.address, referrer: this.page.referrer };
  }

  /** Everything that follows from a change of state. */
  private follow(): void {
    const { client } = this;
    effect(() => {
      document.documentElement.lang = this.texts.locale.value;
    });
    effect(() => this.dress(this.inbox.value));
    effect(() => {
      const stage = this.stage.value;
      if (stage.kind === "stopped") this.page?.send({ kind: "refused", code: stage.code });
      if (stage.kind !== "open") return;
      const inbox = this.inbox.value;
      const colours = accentColours(inbox.accent) ?? { accent: "#2f5fd0", onAccent: "#ffffff" };
      this.page?.send({ kind: "ready", accent: colours.accent, onAccent: colours.onAccent, side: this.settings.side ?? inbox.side, label: this.title.value });
    });
    effect(() => this.tellUnread(client.conversation.unread.value));
    // Whatever is looked at, is read.
    effect(() => {
      const lines = client.conversation.timeline.lines.value;
      const last = lines[lines.length - 1];
      if (!this.visible.value || !this.atEnd.value || last === undefined || !client.conversation.loaded.value) return;
      client.conversation.read(last.kind === "entry" ? last.seq : last.toSeq);
    });
    effect(() => this.announce(client.conversation.timeline.lines.value));
    let timer: number | undefined;
    effect(() => {
      const kind = client.connection.value.kind;
      if (kind === "live" || kind === "idle" || kind === "stopped") {
        window.clearTimeout(timer);
        timer = undefined;
        this.offline.value = false;
      } else {
        timer ??= window.setTimeout(() => (this.offline.value = true), OFFLINE_AFTER_MS);
      }
    });
  }

  private tellUnread(count: number): void {
    const title = this.texts.t("widget.unread_title", { count });
    this.page?.send({ kind: "unread", count, title });
    if (this.framed) return;
    if (count > 0 && !this.visible.value) {
      document.title = title;
    } else {
      this.ownTitle = this.title.value;
      document.title = this.ownTitle;
    }
  }

  /** Says new messages of others to screen readers, not those of the first load. */
  private announce(lines: readonly (EntryLine | SkipLine)[]): void {
    const last = lines[lines.length - 1];
    if (!this.client.conversation.loaded.value) {
      this.announcedSeq = -1;
      return;
    }
    const seq = last?.kind === "entry" ? last.seq : (last?.toSeq ?? 0);
    const first = this.announcedSeq < 0;
    const known = this.announcedSeq;
    this.announcedSeq = Math.max(seq, known);
    if (first || last?.kind !== "entry" || seq <= known || this.client.conversation.isOwn(last)) return;
    if (last.body.kind === "system") this.announcement.value = systemText(this.texts, last.body.key, last.body.params);
    else {
      const from = this.texts.t("widget.new_message_from", { name: last.actor.name || this.texts.t("widget.team") });
      this.announcement.value = last.body.kind === "text" ? `${from}: ${last.body.text}` : from;
    }
  }
}
