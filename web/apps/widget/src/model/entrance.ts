// What stands in the frame until somebody comes: tells the site's page how to draw the launcher, and
// fetches the chat itself when the pointer is on it, when it is opened, or when an answer may be
// waiting for somebody who wrote here before. A page whose visitors never open the chat pays for this
// file and no more.
import type { Looked } from "@frontdesk/client";
import type { Settings } from "@frontdesk/loader/messages";
import type { Inbox } from "./inbox";
import { NO_INBOX, parseInbox } from "./inbox";
import { dress, identityOf, languageOf, readyMessage, takeLook, titleOf } from "./look";
import { Page } from "./page";

const LOOK_AGAIN_MS = 15_000;
const FETCH_AGAIN_MS = 3_000;
/** A page that is never idle gets no later than this what is waiting for its visitor. */
const IDLE_MS = 2_000;

/** What the chat begins with. */
export type Given = {
  readonly page: Page;
  readonly settings: Settings;
  readonly shown: boolean;
  readonly inbox: Inbox;
  readonly looked: Looked | undefined;
};

type Options = {
  readonly baseUrl: string;
  readonly inboxKey: string;
  /** Fetches the chat. */
  readonly fetchChat: () => Promise<(given: Given) => void>;
  /** Draws what is seen while it is fetched. */
  readonly drawWaiting: (title: string) => void;
};

export class Entrance {
  private readonly page: Page;
  private settings: Settings = {};
  private inbox: Inbox = NO_INBOX;
  private looked: Looked | undefined;
  private shown = false;
  private fetching = false;
  private over = false;
  private leaving = false;
  /** Counts looks: an older one that comes late says nothing. */
  private look = 0;

  constructor(
    parent: Window,
    private readonly options: Options,
  ) {
    this.page = new Page(parent, {
      connected: (settings) => {
        this.settings = settings;
        void this.takeLook();
        if (this.known()) whenIdle(() => this.enter());
      },
      updated: (settings) => {
        const before = this.settings.identity ?? "";
        this.settings = settings;
        if ((settings.identity ?? "") === before) {
          this.tell();
          return;
        }
        void this.takeLook();
        if (this.known()) this.enter();
      },
      shown: () => {
        this.shown = true;
        if (this.inbox !== NO_INBOX) this.options.drawWaiting(titleOf(this.inbox, languageOf(this.settings, this.inbox)));
        this.enter();
      },
      hidden: () => {
        this.shown = false;
      },
      near: () => this.enter(),
      reset: () => {
        this.leaving = true;
        this.enter();
      },
    });
  }

  private get prefix(): string {
    return `frontdesk/visitor/${this.options.inboxKey}/`;
  }

  /** Somebody for whom an answer may be waiting. */
  private known(): boolean {
    return this.visitorToken() !== undefined || identityOf(this.settings) !== undefined;
  }

  private visitorToken(): string | undefined {
    try {
      return localStorage.getItem(`${this.prefix}visitor`) ?? undefined;
    } catch {
      return undefined;
    }
  }

  private async takeLook(): Promise<void> {
    const look = ++this.look;
    const identity = identityOf(this.settings);
    const token = identity ? undefined : this.visitorToken();
    const seen = await takeLook(this.options.baseUrl, {
      inbox_key: this.options.inboxKey,
      ...(token === undefined ? {} : { visitor_token: token }),
      ...identity?.proof,
      parent_origin: this.page.origin,
      page: this.page.address,
      referrer: this.page.referrer,
      language: languageOf(this.settings, NO_INBOX),
    });
    if (look !== this.look || this.over) return;
    if (seen.kind === "seen") {
      this.inbox = parseInbox(seen.inbox);
      this.looked = seen.looked;
      this.tell();
    } else if (seen.kind === "failed") {
      window.setTimeout(() => look === this.look && void this.takeLook(), LOOK_AGAIN_MS * (0.5 + Math.random()));
    } else if (token !== undefined) {
      // The chat knows what to do with a token that is worth nothing any more.
      this.enter();
    } else {
      this.page.send({ kind: "refused", code: seen.code });
    }
  }

  private tell(): void {
    if (this.inbox === NO_INBOX || this.over) return;
    const title = titleOf(this.inbox, languageOf(this.settings, this.inbox));
    dress(this.settings, this.inbox)();
    this.page.send(readyMessage(this.settings, this.inbox, title));
  }

  private enter(): void {
    if (this.fetching || this.over) return;
    this.fetching = true;
    this.options.fetchChat().then(
      (begin) => {
        this.over = true;
        const { page, settings, shown, inbox, looked } = this;
        begin({ page, settings, shown, inbox, looked });
        if (this.leaving) page.handlers.reset();
      },
      () => {
        // Offline: the next wish tries again, and a visitor who looks at it need not wish twice.
        this.fetching = false;
        if (this.shown) window.setTimeout(() => this.shown && this.enter(), FETCH_AGAIN_MS);
      },
    );
  }
}

/** Runs it when the page has nothing better to do, or soon. */
export function whenIdle(run: () => void): void {
  // Absent from Safari.
  const idle = (window as { requestIdleCallback?: (run: () => void, options: { timeout: number }) => void }).requestIdleCallback;
  if (idle) idle.call(window, run, { timeout: IDLE_MS });
  else window.setTimeout(run, IDLE_MS / 4);
}
