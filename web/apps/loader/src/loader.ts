// The script a site includes. Defines one global function, `frontdesk(command, ...)`, which collects
// calls made before it was loaded; puts the launcher and the widget's frame on the page. Styles are
// set through the CSSOM only, so a strict content security policy of the site does not mind, and
// everything stands in fixed places, so nothing of the page moves.
import type { Given, HashedIdentity, Settings, ToFrame, ToPage } from "./messages";

type Listener = (detail: { readonly count: number; readonly code: string }) => void;
type EventName = "ready" | "unread" | "open" | "close" | "refused";
type Api = { (command: string, ...values: unknown[]): void; q?: ArrayLike<unknown>[]; loaded?: boolean };

const PHONE = "(max-width: 480px)";
const BUBBLE = "M7.9 20A9 9 0 1 0 4 16.1L2 22Z";
const ARROW = "m6 9 6 6 6-6";
/** A keyboard makes the visible part smaller, and some browsers move it. */
const MOVES = ["resize", "scroll"] as const;
const SVG = "http://www.w3.org/2000/svg";
/** A frame that signs somebody out is given so long to do it. */
const GOODBYE_MS = 2_000;

const page = window as unknown as { frontdesk?: Api };
const script = document.currentScript as HTMLScriptElement | null;

function start(base: string): void {
  const origin = new URL(base).origin;
  const listeners: [EventName, Listener][] = [];
  let settings: Settings = {};
  let frame: HTMLIFrameElement | undefined;
  let host: HTMLElement | undefined;
  let button: HTMLButtonElement | undefined;
  let badge: HTMLElement | undefined;
  let look: Extract<ToPage, { kind: "ready" }> | undefined;
  let open = false;
  let wanted = false;
  let connected = false;
  let unread = 0;
  let title = "";
  let refusal = "";
  /** The page's own title while ours stands in its place. */
  let ownTitle = "";

  const warn = (text: string): void => console.warn(`Frontdesk: ${text}`);

  const emit = (name: EventName): void => {
    for (const [wantedName, run] of listeners) if (wantedName === name) run({ count: unread, code: refusal });
  };

  const tell = (message: ToFrame): void => {
    if (connected) frame?.contentWindow?.postMessage(message, origin);
  };

  const style = (element: HTMLElement, css: string): void => {
    element.style.cssText = css;
  };

  const phone = (): boolean => matchMedia(PHONE).matches;

  const place = (): void => {
    if (!frame) return;
    const x = settings.offsetX ?? 20;
    const y = settings.offsetY ?? 20;
    const side = settings.side ?? look?.side ?? "right";
    const fixed = `all:initial;position:fixed;z-index:${settings.zIndex ?? 2147483000};`;
    const small = phone();
    const view = window.visualViewport;
    const height = view?.height ?? innerHeight;
    // What a phone keeps for itself at its edges; a keyboard lies over the lower one.
    const edge = (name: string): string => ` env(safe-area-inset-${name})`;
    const size = small
      ? `left:0;top:${view?.offsetTop ?? 0}px;width:100%;height:${height}px;box-sizing:border-box;background:Canvas;` +
        `padding:${edge("top")}${edge("right")}${height < innerHeight * 0.8 ? " 0" : edge("bottom")}${edge("left")}`
      : `${side}:${x}px;bottom:${y + 72}px;width:380px;height:640px;max-width:calc(100vw - ${2 * x}px);max-height:calc(100vh - ${y + 92}px);border-radius:16px;box-shadow:0 8px 32px rgba(20,21,30,.16),0 1px 4px rgba(20,21,30,.08)`;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    style(
      frame,
      `${fixed}border:0;color-scheme:normal;${size};` +
        (calm ? "" : "transition:opacity .14s ease-out,transform .14s ease-out,visibility .14s;") +
        (open ? "opacity:1" : "opacity:0;visibility:hidden;transform:translateY(8px)"),
    );
    if (host && button && badge && look) {
      const shown = settings.launcher !== false && !(small && open);
      style(host, `${fixed}${side}:${x}px;bottom:${y}px;width:56px;height:56px;display:${shown ? "block" : "none"}`);
      style(
        button,
        `width:100%;height:100%;margin:0;padding:16px;border:0;border-radius:50%;cursor:pointer;box-sizing:border-box;` +
          `box-shadow:0 2px 12px rgba(20,21,30,.2);background:${look.accent};color:${look.onAccent}`,
      );
      style(
        badge,
        `position:absolute;top:-2px;right:-2px;min-width:20px;padding:0 5px;box-sizing:border-box;border-radius:10px;background:#b3261e;color:#fff;font:600 12px/20px system-ui,sans-serif;text-align:center;pointer-events:none;display:${unread > 0 && !open ? "block" : "none"}`,
      );
      badge.textContent = unread > 99 ? "99+" : `${unread}`;
      button.setAttribute("aria-label", unread > 0 && !open ? title : look.label);
      button.setAttribute("aria-expanded", `${open}`);
      button.querySelector("path")?.setAttribute("d", open ? ARROW : BUBBLE);
    }
  };

  const drawLauncher = (): void => {
    if (host) return;
    host = document.createElement("div");
    host.id = "frontdesk-launcher";
    button = document.createElement("button");
    button.type = "button";
    const svg = document.createElementNS(SVG, "svg");
    for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", width: "24", height: "24", fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" })) {
      svg.setAttribute(name, value);
    }
    svg.appendChild(document.createElementNS(SVG, "path"));
    badge = document.createElement("span");
    badge.setAttribute("aria-hidden", "true");
    button.append(svg, badge);
    button.onclick = () => (open ? closeChat() : openChat());
    // Whoever comes near is about to open it.
    button.onpointerenter = button.onfocus = () => tell({ frontdesk: 1, kind: "near" });
    host.attachShadow({ mode: "open" }).append(button);
    document.body.append(host);
  };

  const flash = (): void => {
    const waiting = unread > 0 && document.hidden;
    if (waiting) {
      if (ownTitle === "") ownTitle = document.title;
      document.title = title;
    } else if (ownTitle !== "") {
      if (document.title === title || unread === 0) document.title = ownTitle;
      ownTitle = "";
    }
  };

  const openChat = (): void => {
    wanted = true;
    if (open || !frame || !look) return;
    open = true;
    // On a phone the back gesture closes the chat, not the page.
    if (phone()) history.pushState({ ...(history.state as object | null), frontdesk: 1 }, "");
    place();
    tell({ frontdesk: 1, kind: "shown", page: location.href });
    frame.focus();
    emit("open");
  };

  const closeChat = (): void => {
    wanted = false;
    if (!open) return;
    open = false;
    if ((history.state as { frontdesk?: number } | null)?.frontdesk === 1) history.back();
    place();
    tell({ frontdesk: 1, kind: "hidden" });
    button?.focus();
    emit("close");
  };

  const receive = (event: MessageEvent<ToPage>): void => {
    if (event.origin !== origin || !frame || event.source !== frame.contentWindow || event.data.frontdesk !== 1) return;
    const message = event.data;
    switch (message.kind) {
      case "ready": {
        const first = !look;
        look = message;
        frame.title = message.label;
        drawLauncher();
        place();
        if (first) emit("ready");
        if (wanted) openChat();
        break;
      }
      case "unread":
        unread = message.count;
        title = message.title;
        place();
        flash();
        emit("unread");
        break;
      case "close":
        closeChat();
        break;
      case "refused":
        refusal = message.code;
        warn(`the chat cannot be shown here (${refusal}).`);
        emit("refused");
        break;
    }
  };

  const back = (): void => {
    if (open && phone()) closeChat();
  };

  const shutdown = (): void => {
    const old = frame;
    if (!old) return;
    closeChat();
    wanted = false;
    removeEventListener("message", receive);
    removeEventListener("popstate", back);
    removeEventListener("resize", place);
    for (const name of MOVES) window.visualViewport?.removeEventListener(name, place);
    document.removeEventListener("visibilitychange", flash);
    unread = 0;
    flash();
    if (settings.identity && connected) {
      // Whoever was signed in leaves nothing on this device.
      tell({ frontdesk: 1, kind: "reset" });
      old.id = "";
      style(old, "display:none");
      setTimeout(() => old.remove(), GOODBYE_MS);
    } else old.remove();
    host?.remove();
    frame = host = button = badge = look = undefined;
    connected = false;
  };

  // Who somebody is goes as a text, which the frame tells from the one before.
  const take = ({ identity, ...given }: Given): void => {
    settings = { ...settings, ...given };
    if (identity !== undefined) settings = { ...settings, identity: typeof identity === "string" ? identity : JSON.stringify(identity) };
  };

  const boot = (given: Given): void => {
    if (frame) {
      warn("the page has a chat already; shut it down first.");
      return;
    }
    if (!given.inbox) {
      warn("boot needs an inbox.");
      return;
    }
    // Who somebody is may have been said before.
    take(given);
    frame = document.createElement("iframe");
    frame.id = "frontdesk-frame";
    frame.title = "Frontdesk";
    // A sound for a new message.
    frame.allow = "autoplay";
    frame.src = `${base}widget/${encodeURIComponent(given.inbox)}`;
    frame.onload = () => {
      connected = true;
      tell({ frontdesk: 1, kind: "connect", page: location.href, referrer: document.referrer, settings });
    };
    addEventListener("message", receive);
    addEventListener("popstate", back);
    addEventListener("resize", place);
    for (const name of MOVES) window.visualViewport?.addEventListener(name, place);
    document.addEventListener("visibilitychange", flash);
    place();
    document.body.append(frame);
  };

  const update = (given: Given): void => {
    take(given);
    place();
    tell({ frontdesk: 1, kind: "update", settings });
  };

  const commands: Record<string, (value: never, more: never) => void> = {
    boot,
    update,
    identify: (identity: string | HashedIdentity) => update({ identity }),
    show: () => update({ launcher: true }),
    hide: () => {
      closeChat();
      update({ launcher: false });
    },
    open: openChat,
    close: closeChat,
    shutdown: () => {
      shutdown();
      settings = {};
    },
    on: (name: EventName, run: Listener) => void listeners.push([name, run]),
  };

  const run = (call: ArrayLike<unknown>): void => {
    const name = String(call[0]);
    if (Object.prototype.hasOwnProperty.call(commands, name)) commands[name]?.((call[1] ?? {}) as never, call[2] as never);
    else warn(`unknown command ${name}`);
  };

  const queue = page.frontdesk?.q ?? [];
  const api: Api = (...call) => run(call);
  api.loaded = true;
  page.frontdesk = api;
  const ready = (): void => {
    for (const call of Array.from(queue)) run(call);
  };
  // A frame needs a body to stand in.
  if (document.body) ready();
  else addEventListener("DOMContentLoaded", ready);
}

if (page.frontdesk?.loaded === true) console.warn("Frontdesk: the loader is on this page already.");
else if (script) start(new URL(".", script.src).href);
