// The page around the widget, when it stands in a site's frame. Messages are taken only from the
// parent window and, once it spoke, only from its origin; they are posted to that origin and to no
// other.
import type { Settings, ToFrame, ToPage } from "@frontdesk/loader/messages";

/** The union without what `send` fills in. */
export type Outgoing<M> = M extends unknown ? Omit<M, "frontdesk"> : never;

/** What the site's page can say. Once it has connected and the chat is there, the first and the last change nothing. */
export type PageHandlers = {
  connected?(settings: Settings): void;
  updated(settings: Settings): void;
  shown(): void;
  hidden(): void;
  reset(): void;
  near?(): void;
};

export class Page {
  /** The parent's origin, as the browser says. */
  origin = "";
  address = "";
  referrer = "";

  constructor(
    private readonly parent: Window,
    /** Whoever listens now: first what stands at the entrance, then the chat. */
    public handlers: PageHandlers,
  ) {
    window.addEventListener("message", (event: MessageEvent<unknown>) => this.receive(event));
  }

  send(message: Outgoing<ToPage>): void {
    if (this.origin !== "") this.parent.postMessage({ frontdesk: 1, ...message }, this.origin);
  }

  private receive(event: MessageEvent<unknown>): void {
    if (event.source !== this.parent || !isMessage(event.data)) return;
    if (this.origin !== "" && event.origin !== this.origin) return;
    // A page without an origin of its own (a file, a sandbox) cannot be answered safely.
    if (event.origin === "null" || event.origin === "") return;
    const message = event.data;
    switch (message.kind) {
      case "connect":
        if (this.origin !== "") return;
        this.origin = event.origin;
        this.address = message.page;
        this.referrer = message.referrer;
        this.handlers.connected?.(message.settings);
        break;
      case "update":
        this.handlers.updated(message.settings);
        break;
      case "shown":
        this.address = message.page;
        this.handlers.shown();
        break;
      case "hidden":
      case "near":
      case "reset":
        this.handlers[message.kind]?.();
    }
  }
}

function isMessage(data: unknown): data is ToFrame {
  return typeof data === "object" && data !== null && "frontdesk" in data && data.frontdesk === 1;
}
