// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { Page } from "./page";

const SITE = "https://shop.example";
let posted: [unknown, string][];
let parent: Window;
let heard: string[];
let page: Page;

beforeEach(() => {
  posted = [];
  heard = [];
  parent = { postMessage: (message: unknown, origin: string) => void posted.push([message, origin]) } as unknown as Window;
  page = new Page(parent, {
    connected: () => void heard.push("connected"),
    updated: () => void heard.push("updated"),
    shown: () => void heard.push("shown"),
    hidden: () => void heard.push("hidden"),
    near: () => void heard.push("near"),
    reset: () => void heard.push("reset"),
  });
});

function say(data: unknown, origin = SITE, source: unknown = parent): void {
  const event = new Event("message");
  Object.assign(event, { data, origin, source });
  window.dispatchEvent(event);
}

const connect = { frontdesk: 1, kind: "connect", page: `${SITE}/tea`, referrer: "", settings: {} };

describe("page", () => {
  it("listens to the parent and answers its exact origin only", () => {
    page.send({ kind: "close" });
    expect(posted).toEqual([]);
    say(connect);
    page.send({ kind: "close" });
    expect(posted).toEqual([[{ frontdesk: 1, kind: "close" }, SITE]]);
    expect([page.origin, page.address]).toEqual([SITE, `${SITE}/tea`]);
  });

  it("takes nothing from other windows, other origins, and pages without an origin", () => {
    say(connect, SITE, window);
    say(connect, "null");
    say("text");
    say({ kind: "connect" });
    expect(heard).toEqual([]);
    say(connect);
    say({ frontdesk: 1, kind: "reset" }, "https://evil.example");
    say({ frontdesk: 1, kind: "reset" }, SITE, {});
    say({ ...connect, page: "https://evil.example/" }, "https://evil.example");
    say({ ...connect, page: "other" });
    expect(heard).toEqual(["connected"]);
    expect(page.origin).toBe(SITE);
    say({ frontdesk: 1, kind: "shown", page: `${SITE}/cups` });
    say({ frontdesk: 1, kind: "reset" });
    expect(heard).toEqual(["connected", "shown", "reset"]);
  });
});
