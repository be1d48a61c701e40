// The script a site includes. Defines one global function, `Frontdesk(command, ...)`, which collects
// calls made before it was loaded; puts the launcher and the widget's frame on the page. Styles are
// set through the CSSOM only, so a strict content security policy of the site does not mind.
import type { Settings, ToFrame, ToPage } from "./messages";

type Listener = (detail: { readonly count: number }) => void;
type EventName = "ready" | "unread" | "show" | "hide";
type Api = { (command: string, ...values: unknown[]): void; q?: ArrayLike<unknown>[]; loaded?: boolean };

const PHONE = "(max-width: 480px)";
const BUBBLE = "M7.9 20A9 9 0 1 0 4 16.1L2 22Z";
const ARROW = "m6 9 6 6 6-6";
const SVG = "http://www.w3.org/2000/svg";

const page = window as unknown as { Frontdesk?: Api };
const script = document.currentScript as HTMLScriptElement | null;

function start(base: string): void {
  const origin = new URL(base).origin;
  const listeners: [EventName, Listener][] = [];
  let settings: Settings = {};
  let frame: HTMLIFrameElement | undefined;
  let button: HTMLButtonElement | undefined;
  let badge: HTMLElement | undefined;
  let look: Extract<ToPage, { kind: "ready" }> | undefined;
  let open = false;
  let wanted = false;
  let connected = false;
  let unread = 0;
  let title = "";
  /** The page's own title while ours stands in its place. */
  let ownTitle = "";

  const emit = (name: EventName): void => {
    for (const [wantedName, run] of listeners) if (wantedName === name) run({ count: unread });
  };

  const tell = (message: ToFrame): void => {
    if (connected) frame?.contentWindow?.postMessage(message, origin);
  };

  const style = (element: HTMLElement, css: string): void => {
    element.style.cssText = css;
  };

  const place = (): void => {
    if (!frame) return;
    const x = settings.offsetX ?? 20;
    const y = settings.offsetY ?? 20;
    const side = settings.side ?? look?.side ?? "right";
    const layer = settings.zIndex ?? 2147483000;
    const phone = matchMedia(PHONE).matches;
    const view = window.visualViewport;
    const size = phone
      ? `left:0;top:${view?.offsetTop ?? 0}px;width:100%;height:${view?.height ?? innerHeight}px`
      : `${side}:${x}px;bottom:${y + 72}px;width:380px;height:640px;max-width:calc(100vw - ${2 * x}px);max-height:calc(100vh - ${y + 92}px);border-radius:16px;box-shadow:0 8px 32px rgba(20,21,30,.16),0 1px 4px rgba(20,21,30,.08)`;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    style(
      frame,
      `position:fixed;border:0;z-index:${layer};color-scheme:normal;background:transparent;${size};` +
        (calm ? "" : "transition:opacity .14s ease-out,transform .14s ease-out,visibility .14s;") +
        (open ? "opacity:1" : "opacity:0;visibility:hidden;transform:translateY(8px)"),
    );
    if (button && badge && look) {
      const shown = settings.launcher !== false && !(phone && open);
      style(
        button,
        `position:fixed;${side}:${x}px;bottom:${y}px;width:56px;height:56px;margin:0;padding:16px;border:0;border-radius:50%;cursor:pointer;box-sizing:border-box;` +
          `box-shadow:0 2px 12px rgba(20,21,30,.2);z-index:${layer};background:${look.accent};color:${look.onAccent};display:${shown ? "block" : "none"}`,
      );
      style(
        badge,
        `position:absolute;top:-2px;right:-2px;min-width:20px;padding:0 5px;box-sizing:border-box;border-radius:10px;background:#b3261e;color:#fff;font:600 12px/20px system-ui,sans-serif;text-align:center;display:${unread > 0 && !open ? "block" : "none"}`,
      );
      badge.textContent = unread > 99 ? "99+" : `${unread}`;
      button.setAttribute("aria-label", unread > 0 && !open ? title : look.label);
      button.setAttribute("aria-expanded", `${open}`);
      button.querySelector("path")?.setAttribute("d", open ? ARROW : BUBBLE);
    }
  };

  const drawButton = (): void => {
    if (button) return;
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
    button.onclick = () => (open ? hide() : show());
    document.body.appendChild(button);
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

  const show = (): void => {
    wanted = true;
    if (open || !frame || !look) return;
    open = true;
    // On a phone the back gesture closes the chat, not the page.
    if (matchMedia(PHONE).matches) history.pushState({ frontdesk: 1 }, "");
    place();
    tell({ frontdesk: 1, kind: "shown", page: location.href });
    frame.focus();
    emit("show");
  };

  const hide = (): void => {
    wanted = false;
    if (!open) return;
    open = false;
    if ((history.state as { frontdesk?: number } | null)?.frontdesk === 1) history.back();
    place();
    tell({ frontdesk: 1, kind: "hidden" });
    button?.focus();
    emit("hide");
  };

  const receive = (event: MessageEvent<ToPage>): void => {
    if (event.origin !== origin || !frame || event.source !== frame.contentWindow || event.data.frontdesk !== 1) return;
    const message = event.data;
    switch (message.kind) {
      case "ready":
        look = message;
        drawButton();
        place();
        emit("ready");
        if (wanted) show();
        break;
      case "unread":
        unread = message.count;
        title = message.title;
        place();
        flash();
        emit("unread");
        break;
      case "close":
        hide();
        break;
      case "refused":
        console.warn(`Frontdesk: the chat cannot be shown here (${message.code}).`);
        break;
    }
  };

  const back = (): void => {
    if (open && matchMedia(PHONE).matches) hide();
  };

  const shutdown = (): void => {
    if (open) hide();
    removeEventListener("message", receive);
    removeEventListener("popstate", back);
    removeEventListener("resize", place);
    window.visualViewport?.removeEventListener("resize", place);
    document.removeEventListener("visibilitychange", flash);
    unread = 0;
    flash();
    frame?.remove();
    button?.remove();
    frame = button = badge = look = undefined;
    connected = false;
  };

  const boot = (given: Settings): void => {
    if (frame) {
      console.warn("Frontdesk: the page has a chat already; shut it down first.");
      return;
    }
    settings = given;
    if (!given.inbox) {
      console.warn("Frontdesk: boot needs an inbox.");
      return;
    }
    frame = document.createElement("iframe");
    frame.title = "Frontdesk";
    frame.src = `${base}widget/${encodeURIComponent(given.inbox)}`;
    frame.onload = () => {
      connected = true;
      tell({ frontdesk: 1, kind: "connect", page: location.href, referrer: document.referrer, settings });
    };
    addEventListener("message", receive);
    addEventListener("popstate", back);
    addEventListener("resize", place);
    window.visualViewport?.addEventListener("resize", place);
    document.addEventListener("visibilitychange", flash);
    place();
    document.body.appendChild(frame);
  };

  const run = (command: unknown, value: unknown, more: unknown): void => {
    switch (command) {
      case "boot":
        boot((value ?? {}));
        break;
      case "update":
        settings = { ...settings, ...(value as Settings) };
        place();
        tell({ frontdesk: 1, kind: "update", settings });
        break;
      case "show":
        show();
        break;
      case "hide":
        hide();
        break;
      case "reset":
        tell({ frontdesk: 1, kind: "reset" });
        break;
      case "shutdown":
        shutdown();
        break;
      case "on":
        listeners.push([value as EventName, more as Listener]);
        break;
      default:
        console.warn(`Frontdesk: unknown command ${String(command)}`);
    }
  };

  const queue = page.Frontdesk?.q ?? [];
  const api: Api = (...call) => run(call[0], call[1], call[2]);
  api.loaded = true;
  page.Frontdesk = api;
  const ready = (): void => {
    for (const call of queue) run(call[0], call[1], call[2]);
  };
  // A frame needs a body to stand in.
  if (document.body) ready();
  else addEventListener("DOMContentLoaded", ready);
}

if (page.Frontdesk?.loaded === true) console.warn("Frontdesk: the loader is on this page already.");
else if (script) start(new URL(".", script.src).href);
