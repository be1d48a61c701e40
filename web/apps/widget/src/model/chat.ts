// The widget as a model: what is shown and what can be done, without a view. Lives in a site's frame
// (then a Page speaks for the site) or as a page of its own at /c/{inbox_key}.
import type { DeliveryState, EntryLine, SkipLine } from "@frontdesk/client";
import { VisitorClient, isMessage } from "@frontdesk/client";
import { browserPlatform } from "@frontdesk/client/browser";
import { Texts, systemText } from "@frontdesk/i18n";
import type { WidgetKey } from "@frontdesk/i18n/catalogs/widget.en";
import type { WidgetLaterKey } from "@frontdesk/i18n/catalogs/widget-later.en";
import type { Settings } from "@frontdesk/loader/messages";
import type { ContentJson } from "@frontdesk/protocol";
import { jsonCodec } from "@frontdesk/protocol";
import { computed, effect, signal } from "@preact/signals";
import type { Given } from "./entrance";
import { whenIdle } from "./entrance";
import { Files } from "./files";
import type { Inbox } from "./inbox";
import { NO_INBOX, parseInbox } from "./inbox";
import { dress, identityOf, isLocale, languageOf, readyMessage, titleOf } from "./look";
import type { Page } from "./page";
import { buildRows, draftLine } from "./rows";

/** A connection may blink for so long before anybody is told. */
const OFFLINE_AFTER_MS = 1_500;

export type Stage =
  /** Nobody said yet whether this chat may be shown. */
  | { readonly kind: "waiting" }
  | { readonly kind: "open" }
  | { readonly kind: "stopped"; readonly code: string };

export type Question = "none" | "end" | "forget";

export class Chat {
  readonly texts = new Texts<WidgetKey | WidgetLaterKey>(undefined, {
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
  /** The seq of the message that the next one answers; 0 for none. */
  readonly quoting = signal(0);
  /** The little pictures are shown. */
  readonly choosing = signal(false);
  /** New messages sound. */
  readonly loud = signal(true);
  /** The site did not settle the language. */
  readonly choosesLanguage = signal(true);
  /** How the question for an address ended; empty while it was not asked. */
  readonly contact = signal("");
  readonly ratingPutOff = signal("");
  readonly ratingThanked = signal("");
  /** The texts are there: something can be shown. */
  readonly ready = signal(false);
  private readonly visible = signal(false);
  private readonly newFromSeq = signal(0);
  private readonly page: Page | undefined;
  private settings: Settings;
  private announcedSeq = -1;
  private fetchingLater: Promise<void> | undefined;
  private unfollowTheme: () => void = () => undefined;

  readonly stage = computed<Stage>(() => {
    const state = this.client.connection.value;
    if (state.kind === "stopped") return { kind: "stopped", code: state.code };
    return this.inbox.value === NO_INBOX || !this.ready.value ? { kind: "waiting" } : { kind: "open" };
  });

  readonly rows = computed(() => {
    const { conversation } = this.client;
    const lines = conversation.lines.value;
    const draft = draftLine(conversation.typing.value, lines, conversation.timeline.lastSeq, Date.now());
    return buildRows([...lines, ...draft], (line) => conversation.isOwn(line), this.newFromSeq.value);
  });

  readonly title = computed(() => titleOf(this.inbox.value, this.texts.locale.value));

  /** Whether people are here, once that matters: where a bot answers first it does not before the first message. */
  readonly attended = computed(() => (this.inbox.value.bot && !this.client.conversation.session.value ? undefined : (this.client.attended.value ?? this.inbox.value.attended)));

  /** Who answers in the open session. */
  readonly owner = computed(() => (this.sessionOpen.value ? this.client.conversation.session.value?.owner : undefined));

  readonly byBot = computed(() => this.owner.value?.kind === "PARTICIPANT_KIND_BOT");

  /** How soon somebody answers, as measured. */
  readonly promise = computed(() => {
    const minutes = this.inbox.value.answerMinutes;
    if (minutes !== undefined) return this.texts.t("widget.answers_in", { count: Math.max(1, minutes) });
    return this.attended.value ? this.texts.t("widget.attended") : "\u00a0";
  });

  /** Somebody wrote, nobody is there, and it is not known where an answer could go. */
  readonly asksContact = computed(() => {
    const contact = this.contact.value;
    // Whoever has begun to answer may end it, also when somebody comes.
    if (contact !== "" || !this.inbox.value.asksContact) return contact === "begun";
    // A bot asks itself where it cannot help, and whoever has taken it is there.
    const alone = this.attended.value === false && !this.owner.value && this.client.conversation.session.value?.firstAnswerAtMs === undefined;
    return alone && this.rows.value.some((row) => row.kind === "message" && row.own && row.line.kind === "entry");
  });

  /** The session that can be rated now: over, answered by somebody, not rated, not put off. */
  readonly ratable = computed(() => {
    const session = this.client.conversation.session.value;
    if (!this.inbox.value.rates) return "";
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

  constructor(baseUrl: string, inboxKey: string, given: Given | undefined) {
    this.framed = given !== undefined;
    this.page = given?.page;
    this.settings = given?.settings ?? {};
    this.inbox.value = given?.inbox ?? NO_INBOX;
    this.visible.value = given?.shown ?? false;
    const platform = browserPlatform(baseUrl);
    this.client = new VisitorClient({
      platform,
      codec: jsonCodec,
      inboxKey,
      client: "frontdesk-widget/0.1.0",
      language: () => this.texts.locale.peek(),
      surroundings: () => this.surroundings(),
      identity: () => identityOf(this.settings),
      looked: given?.looked,
      onInbox: (inbox) => {
        this.inbox.value = parseInbox(inbox);
      },
      onDraft: (text) => {
        this.draft.value = text;
      },
    });
    this.files = new Files(baseUrl, this.client, () => this.takeQuote());
    this.recallContact();
    this.loud.value = this.client.kept("sound") !== "off";
    this.draft.value = this.client.draft;
    if (this.page) {
      this.page.handlers = {
        updated: (settings) => this.apply(settings),
        shown: () => this.show(),
        hidden: () => {
          this.visible.value = false;
        },
        reset: () => this.client.forget(),
      };
    }
    this.follow();
  }

  /** A page of its own is looked at; in a frame it may be here for an answer only. */
  start(): void {
    void this.speak();
    if (this.framed) {
      if (this.visible.peek()) this.show();
      else if (this.client.known) this.client.start();
      return;
    }
    const look = (): void => {
      this.visible.value = document.visibilityState === "visible";
    };
    look();
    document.addEventListener("visibilitychange", look);
    this.begin();
  }

  /** Fetches what the first view does without: before something of it is shown. */
  later(): Promise<void> {
    this.fetchingLater ??= import("./later")
      .then((module) => module.fetchLater(this.texts))
      .catch((error: unknown) => {
        this.fetchingLater = undefined;
        throw error;
      });
    return this.fetchingLater;
  }

  close(): void {
    this.page?.send({ kind: "close" });
  }

  tryAgain(): void {
    this.client.start();
  }

  write(text: string): void {
    this.draft.value = text;
    this.client.saveDraft(text, this.inbox.peek().showsTyping);
  }

  send(): void {
    const text = this.draft.peek().trim();
    if (text === "" || this.tooLong.peek()) return;
    this.write("");
    this.ask(text);
  }

  /** Sends a text as it is. */
  ask(text: string): void {
    this.say({ text: { body: text } }, this.takeQuote());
  }

  /** Sends any content, as the answer to that entry; 0 for none. */
  say(content: ContentJson, quoteSeq: number): void {
    this.client.conversation.send(content, { quoteSeq });
    this.newFromSeq.value = 0;
    this.toEnd.value += 1;
  }

  /** The next message answers that one; 0 for none. */
  quote(seq: number): void {
    this.quoting.value = seq;
    if (seq > 0) this.focusText();
  }

  /** To where the next message is written. */
  focusText(): void {
    document.querySelector<HTMLElement>(".composer textarea")?.focus();
  }

  lineOf(seq: number): EntryLine | undefined {
    return this.client.conversation.timeline.entry(seq);
  }

  private takeQuote(): number {
    const seq = this.quoting.peek();
    this.quoting.value = 0;
    return seq;
  }

  /** What this device knows about the question for an address. */
  recallContact(): void {
    this.contact.value = this.client.kept("contact") === "" ? "" : "known";
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

  async save(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch {
      this.trouble.value = "network";
    }
  }

  deliveryOf(line: Pick<EntryLine, "actor" | "seq">): DeliveryState {
    return this.client.conversation.deliveryOf(line);
  }

  private show(): void {
    this.newFromSeq.value = this.firstUnread();
    this.visible.value = true;
    this.toEnd.value += 1;
    this.begin();
  }

  private begin(): void {
    this.client.start();
    // Before it is needed, so that a menu opens without a connection too.
    whenIdle(() => void this.later().catch(() => undefined));
  }

  private firstUnread(): number {
    const conversation = this.client.conversation;
    if (conversation.unread.peek() === 0) return 0;
    const read = Math.max(0, ...[...conversation.cursors.peek().values()].filter((cursor) => cursor.actor.kind === "visitor").map((cursor) => cursor.readSeq));
    const first = conversation.timeline.lines.peek().find((line) => isMessage(line) && line.seq > read && !conversation.isOwn(line));
    return first?.kind === "entry" ? first.seq : 0;
  }

  private apply(settings: Settings): void {
    this.settings = settings;
    void this.speak();
    this.unfollowTheme();
    this.unfollowTheme = dress(settings, this.inbox.peek());
    this.tellReady();
    this.client.identified();
    this.recallContact();
  }

  private async speak(): Promise<void> {
    this.choosesLanguage.value = !isLocale(this.settings.language);
    await this.texts.use(languageOf(this.settings, this.inbox.peek()));
    this.ready.value = true;
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
    effect(() => {
      const inbox = this.inbox.value;
      this.unfollowTheme();
      this.unfollowTheme = dress(this.settings, inbox);
      if (this.ready.peek()) void this.speak();
    });
    effect(() => {
      const stage = this.stage.value;
      if (stage.kind === "stopped") this.page?.send({ kind: "refused", code: stage.code });
      else if (stage.kind === "open") this.tellReady();
    });
    effect(() => this.tellUnread(client.conversation.unread.value));
    // Whoever opens it can type at once; where that brings up a keyboard, it would cover what is to be read first.
    effect(() => {
      if (this.framed && this.visible.value && this.ready.value && matchMedia("(pointer:fine)").matches) window.setTimeout(() => this.focusText());
    });
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

  private tellReady(): void {
    if (this.inbox.value !== NO_INBOX) this.page?.send(readyMessage(this.settings, this.inbox.value, this.title.value));
  }

  private tellUnread(count: number): void {
    const title = this.texts.t("widget.unread_title", { count });
    this.page?.send({ kind: "unread", count, title });
    if (this.framed) return;
    document.title = count > 0 && !this.visible.value ? title : this.title.value;
  }

  private ring(line: EntryLine): void {
    if (!this.loud.peek()) return;
    const looked = this.visible.peek() && document.visibilityState === "visible" ;
    void import("./sound").then((module) => module.sound(line.id, looked), () => undefined);
  }

  /** Says new messages of others to screen readers, not those of the first load. */
  private announce(lines: readonly (EntryLine | SkipLine)[]): void {
    const last = lines[lines.length - 1];
    if (!this.client.conversation.loaded.value) {
      this.announcedSeq = -1;
      return;
    }
    const seq = last?.kind === "entry" ? last.seq : (last?.toSeq ?? 0);
    const known = this.announcedSeq;
    this.announcedSeq = Math.max(seq, known);
    if (known < 0 || last?.kind !== "entry" || seq <= known || this.client.conversation.isOwn(last)) return;
    if (isMessage(last)) this.ring(last);
    if (last.body.kind === "system") this.announcement.value = systemText(this.texts, last.body.key, last.body.params);
    else {
      const from = this.texts.t("widget.new_message_from", { name: last.actor.name || this.texts.t("widget.team") });
      const { body } = last;
      const words = body.kind === "text" ? body.text : body.kind === "form" ? body.form.title : "";
      this.announcement.value = words ? `${from}: ${words}` : from;
    }
  }
}
