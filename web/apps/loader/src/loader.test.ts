// @vitest-environment happy-dom
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import ts from "typescript";
import { beforeEach, describe, expect, it, vi } from "vitest";

const ORIGIN = "https://chat.example";
// The loader is a classic script that looks at the tag it came with: it runs as one here too.
const code = ts.transpileModule(readFileSync(join(import.meta.dirname, "loader.ts"), "utf8"), {
  compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
})
  // What is left of the import of types.
  .outputText.replace("export {};", "");

type Call = (command: string, ...values: unknown[]) => void;
let posted: [Record<string, unknown>, string][];
let warned: string[];

function frontdesk(): Call {
  return (window as unknown as { frontdesk: Call }).frontdesk;
}

function load(): void {
  const tag = { src: `${ORIGIN}/chat/widget.js?v=1` };
  Object.defineProperty(document, "currentScript", { value: tag, configurable: true });
  runInThisContext(`{ ${code} }`);
}

function frame(): HTMLIFrameElement {
  const found = document.querySelector("iframe");
  if (!found) throw new Error("no frame");
  return found;
}

function launcher(): HTMLButtonElement | null {
  return document.getElementById("frontdesk-launcher")?.shadowRoot?.querySelector<HTMLButtonElement>("button") ?? null;
}

function connect(): Window {
  const inner = { postMessage: (message: Record<string, unknown>, origin: string) => void posted.push([message, origin]) } as unknown as Window;
  Object.defineProperty(frame(), "contentWindow", { value: inner, configurable: true });
  frame().onload?.(new Event("load"));
  return inner;
}

function say(data: unknown, source: unknown, origin = ORIGIN): void {
  const event = new Event("message");
  Object.assign(event, { data, source, origin });
  window.dispatchEvent(event);
}

const ready = { frontdesk: 1, kind: "ready", accent: "#2f6b55", onAccent: "#ffffff", side: "right", label: "Chat" };

beforeEach(() => {
  const page = window as unknown as { frontdesk?: Call };
  page.frontdesk?.("shutdown");
  delete page.frontdesk;
  document.body.textContent = "";
  posted = [];
  warned = [];
  // The test's DOM loads no frames and says so each time.
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(console, "warn").mockImplementation((text: string) => void warned.push(text));
});

describe("loader", () => {
  it("runs what was called before it was there, below the path it came from", () => {
    const early = ((...call: unknown[]) => void (early.q ??= []).push(call)) as Call & { q?: unknown[][] };
    (window as unknown as { frontdesk: Call }).frontdesk = early;
    early("boot", { inbox: "in/box" });
    load();
    expect(frame().src).toBe(`${ORIGIN}/chat/widget/in%2Fbox`);
  });

  it("draws the launcher once the frame says it may be shown, and posts to its exact origin", () => {
    load();
    frontdesk()("boot", { inbox: "key" });
    const inner = connect();
    expect(launcher()).toBeNull();
    say(ready, inner);
    const button = launcher();
    expect(button?.getAttribute("aria-label")).toBe("Chat");
    button?.click();
    expect(button?.getAttribute("aria-expanded")).toBe("true");
    expect(posted.map(([message, origin]) => [message.kind, origin])).toEqual([
      ["connect", ORIGIN],
      ["shown", ORIGIN],
    ]);
  });

  it("takes nothing from other windows and other origins", () => {
    load();
    frontdesk()("boot", { inbox: "key" });
    const inner = connect();
    say(ready, window);
    say(ready, inner, "https://evil.example");
    say({ ...ready, frontdesk: 2 }, inner);
    expect(launcher()).toBeNull();
  });

  it("tells how many messages are unread", () => {
    load();
    const counts: number[] = [];
    frontdesk()("on", "unread", (detail: { count: number }) => void counts.push(detail.count));
    frontdesk()("boot", { inbox: "key" });
    const inner = connect();
    say(ready, inner);
    say({ frontdesk: 1, kind: "unread", count: 2, title: "(2) New messages" }, inner);
    expect(counts).toEqual([2]);
    expect(launcher()?.getAttribute("aria-label")).toBe("(2) New messages");
    expect(launcher()?.querySelector("span")?.textContent).toBe("2");
  });

  it("keeps a wish to be opened until it can be, closes, and leaves nothing behind", () => {
    load();
    const events: string[] = [];
    for (const name of ["ready", "open", "close"]) frontdesk()("on", name, () => void events.push(name));
    frontdesk()("boot", { inbox: "key" });
    frontdesk()("open");
    const inner = connect();
    say(ready, inner);
    expect(frame().id).toBe("frontdesk-frame");
    say({ frontdesk: 1, kind: "close" }, inner);
    expect(events).toEqual(["ready", "open", "close"]);
    frontdesk()("shutdown");
    expect(document.body.children).toHaveLength(0);
    frontdesk()("boot", { inbox: "other" });
    expect(frame().src).toContain("other");
  });

  it("hides the launcher and shows it again, and closes what was open", () => {
    load();
    frontdesk()("boot", { inbox: "key" });
    const inner = connect();
    say(ready, inner);
    frontdesk()("open");
    frontdesk()("hide");
    expect(document.getElementById("frontdesk-launcher")?.style.display).toBe("none");
    expect(launcher()?.getAttribute("aria-expanded")).toBe("false");
    frontdesk()("show");
    expect(document.getElementById("frontdesk-launcher")?.style.display).toBe("block");
  });

  it("tells the frame who the visitor is, also when that was said first", () => {
    load();
    frontdesk()("identify", "jwt-1");
    frontdesk()("boot", { inbox: "key" });
    connect();
    frontdesk()("identify", "jwt-2");
    expect(posted.map(([message]) => (message.settings as { identity: string }).identity)).toEqual(["jwt-1", "jwt-2"]);
  });

  it("hands a name and its hash to the frame as one text", () => {
    load();
    const hashed = { identifier: "u7", identifier_hash: "ab", name: "Lin" };
    frontdesk()("identify", hashed);
    frontdesk()("boot", { inbox: "key" });
    connect();
    frontdesk()("update", { theme: "dark" });
    frontdesk()("update", { identity: { ...hashed, identifier: "u8" } });
    const told = posted.map(([message]) => JSON.parse((message.settings as { identity: string }).identity) as unknown);
    expect(told).toEqual([hashed, hashed, { ...hashed, identifier: "u8" }]);
  });

  it("signs whoever was identified out when it is shut down", () => {
    load();
    frontdesk()("boot", { inbox: "key", identity: "jwt" });
    connect();
    frontdesk()("shutdown");
    expect(posted[posted.length - 1]).toEqual([{ frontdesk: 1, kind: "reset" }, ORIGIN]);
    expect(document.getElementById("frontdesk-frame")).toBeNull();
    frontdesk()("boot", { inbox: "key" });
    posted = [];
    const later = document.getElementById("frontdesk-frame") as HTMLIFrameElement;
    Object.defineProperty(later, "contentWindow", { value: { postMessage: (message: Record<string, unknown>) => void posted.push([message, ""]) } });
    later.onload?.(new Event("load"));
    expect(posted.map(([message]) => message.settings)).toEqual([{ inbox: "key" }]);
  });

  it("says so when the pointer is on the launcher, and when the chat may not be shown", () => {
    load();
    const codes: string[] = [];
    frontdesk()("on", "refused", (detail: { code: string }) => void codes.push(detail.code));
    frontdesk()("boot", { inbox: "key" });
    const inner = connect();
    say(ready, inner);
    launcher()?.dispatchEvent(new Event("pointerenter"));
    expect(posted[posted.length - 1]?.[0]).toEqual({ frontdesk: 1, kind: "near" });
    say({ frontdesk: 1, kind: "refused", code: "origin.refused" }, inner);
    expect(codes).toEqual(["origin.refused"]);
  });

  it("refuses a second chat, a second loader and a boot without an inbox, in words", () => {
    load();
    frontdesk()("boot", {});
    frontdesk()("boot", { inbox: "key" });
    frontdesk()("boot", { inbox: "key" });
    load();
    frontdesk()("dance");
    expect(document.querySelectorAll("iframe")).toHaveLength(1);
    expect(warned).toHaveLength(4);
  });
});
