// The small pure parts of the model.
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { ApiError, isChanged } from "./api";
import { actionsFor, withWaitOf } from "./chat";
import { Rights } from "./account";
import { letters } from "./letters";
import type { Command } from "./palette";
import { findCommands } from "./palette";
import { soundsAt } from "./pinyin";
import type { CannedReply } from "./replies";
import { fillReply, findReplies } from "./replies";
import { formatRoute, parseRoute } from "./route";
import { sendsOnKey, shortcutFor } from "./shortcuts";
import { chatPage, snippet } from "./snippet";
import { waitClock, warmth } from "./time";
import type { Session } from "./types";
import { fromPresenceJson, toPresenceJson, toRow, toSession } from "./wire";

describe("routes", () => {
  it.each(["#/inbox/mine", "#/inbox/queue/c0000000000000000001", "#/waiting", "#/knowledge", "#/knowledge/a1", "#/settings", "#/settings/flows/opening/machine", "#/settings/inboxes/i1", "#/settings/inboxes/i1/look", "#/settings/rights", "#/welcome/test", "#/invite/a%2Fb", "#/sign-in", "#/setup?token=a%2Fb"])("%s is read and written alike", (hash) => {
    expect(formatRoute(parseRoute(hash))).toBe(hash);
  });

  it("lead home from anywhere unknown", () => {
    for (const hash of ["", "#", "#/nowhere", "#/inbox/nothing"]) expect(formatRoute(parseRoute(hash))).toBe("#/inbox/mine");
    expect(formatRoute(parseRoute("#/settings/nothing"))).toBe("#/settings");
  });
});

describe("how long the visitor of an open conversation waits", () => {
  const session: Session = { ...toSession(undefined), id: "s1", status: "assigned", waitingSinceMs: 5 };

  it("is what the list says, which hears of every answer", () => {
    expect(withWaitOf(session, { ...session, waitingSinceMs: 0 }).waitingSinceMs).toBe(0);
    expect(withWaitOf({ ...session, waitingSinceMs: 0 }, session).waitingSinceMs).toBe(5);
  });

  it("is not what it says of another session, or of an earlier state of this one", () => {
    for (const listed of [undefined, { ...session, id: "s0", waitingSinceMs: 0 }, { ...session, version: session.version - 1, waitingSinceMs: 0 }]) expect(withWaitOf(session, listed)).toBe(session);
  });
});

describe("a change that somebody else was faster with", () => {
  it.each<readonly [number, string, boolean]>([
    [412, "request.precondition", true],
    [409, "changed", true],
    [409, "document.changed", true],
    [409, "name.taken", false],
    [422, "request.invalid", false],
  ])("%d %s: %s", (status, code, changed) => expect(isChanged(new ApiError(status, code, null, null, undefined))).toBe(changed));

  it("is no other failure", () => expect(isChanged(new Error("changed"))).toBe(false));
});

describe("the letters of a name", () => {
  it.each([
    ["Ann", "A"],
    ["Ann van Dyck", "AD"],
    ["王小明", "明"],
    ["宋女士", "宋"],
    ["先生", "生"],
    ["Lin 林", "L林"],
    ["云上茶馆（批发）", "馆"],
    ["Yun 小云 (demo)", "Y小"],
    ["(anonymous)", "A"],
    ["", ""],
    ["…", ""],
  ])("of %j are %j", (name, drawn) => expect(letters(name)).toBe(drawn));
});

describe("waiting time", () => {
  it.each([
    [0, "0:00"],
    [40_000, "0:40"],
    [370_000, "6:10"],
    [3_720_000, "1:02:00"],
    [-5, "0:00"],
  ])("%d ms reads %s", (ms, text) => expect(waitClock(ms)).toBe(text));

  it("warms up to the promise and burns far beyond it", () => {
    expect([0, 59_000, 61_000, 120_000, 400_000].map((ms) => warmth(ms, 120_000))).toEqual(["calm", "calm", "warm", "hot", "burning"]);
  });
});

describe("canned replies", () => {
  const reply = (shortcut: string, text = ""): CannedReply => ({ id: shortcut, shortcut, team: null, texts: { en: text } });
  const all = [reply("发货", "ships today"), reply("退货", "return within 7 days"), reply("hello", "Hello there"), reply("发票")];

  it("are found by shortcut, text, pinyin and its initials", () => {
    const found = (query: string) => findReplies(all, query, 9).map((known) => known.shortcut);
    expect(found("fh")).toEqual(["发货"]);
    expect(found("fahuo")).toEqual(["发货"]);
    expect(found("f").slice(0, 2).sort()).toEqual(["发票", "发货"].sort());
    expect(found("货").length).toBe(2);
    expect(found("hel")[0]).toBe("hello");
    expect(found("within")).toEqual(["退货"]);
    expect(found("zzz")).toEqual([]);
    expect(found("").length).toBe(4);
  });

  it("put names where they are asked for", () => {
    expect(fillReply("Hi {{visitor}}, {{ agent }} here {{other}}", { visitor: "Ann", agent: "Lin" })).toBe("Hi Ann, Lin here {{other}}");
  });
});

describe("pinyin", () => {
  it.each([
    ["发货", "fh", 0],
    ["发货", "fahuo", 0],
    ["发货", "fa huo", 0],
    ["发货", "fhuo", 0],
    ["发货", "fah", 0],
    ["当天发货", "fahuo", 2],
    ["女款", "nvkuan", 0],
    ["重发", "chongfa", 0],
    ["A4 纸", "a4 zhi", 0],
    ["云杉茶器", "yscq", 0],
    ["林晓", "lx", 0],
    ["Mei 陈", "mei c", 0],
    ["发货", "fhx", -1],
    ["退款", "fh", -1],
    ["hello", "hl", -1],
    ["发货", "a".repeat(200), -1],
  ])("%s answers to %s at %d", (text, typed, at) => expect(soundsAt(text, typed)).toBe(at));
});

describe("keys", () => {
  const press = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, keyCode: 0, ...more });

  it("send on Enter, but never while an input method composes", () => {
    expect(sendsOnKey(press("Enter"))).toBe(true);
    expect(sendsOnKey(press("Enter", { shiftKey: true }))).toBe(false);
    expect(sendsOnKey(press("Enter", { isComposing: true }))).toBe(false);
    expect(sendsOnKey(press("Enter", { keyCode: 229 }))).toBe(false);
  });

  it("are shortcuts only outside of fields", () => {
    expect(shortcutFor(press("j"), false)).toBe("next");
    expect(shortcutFor(press("j"), true)).toBeNull();
    expect(shortcutFor(press("j", { isComposing: true }), false)).toBeNull();
    expect(shortcutFor(press("e", { ctrlKey: true }), false)).toBeNull();
    expect(shortcutFor(press("k", { metaKey: true }), true)).toBe("palette");
    expect(shortcutFor(press("Escape"), true)).toBeNull();
  });
});

describe("actions", () => {
  const agent = new Rights(["conversation.write", "conversation.note", "conversation.close", "conversation.assign"]);
  const supervisor = new Rights(["conversation.write", "conversation.note", "conversation.close", "conversation.assign", "conversation.take_over"]);
  const session = (more: Partial<Session>): Session => ({ ...toSession(undefined), id: "s", ...more });
  const owner = (id: string, kind: "agent" | "bot" = "agent") => ({ kind, id, name: id });

  it("follow who owns the session and what the person may do", () => {
    const mine = session({ status: "assigned", owner: owner("me") });
    expect(actionsFor(mine, "me", agent)).toMatchObject({ reply: true, close: true, transfer: true, requeue: true, take: false, takeOver: false, join: false });
    const theirs = session({ status: "assigned", owner: owner("you") });
    expect(actionsFor(theirs, "me", agent)).toMatchObject({ reply: false, note: true, close: false, transfer: false, requeue: false, takeOver: false, join: true });
    expect(actionsFor(theirs, "me", supervisor)).toMatchObject({ close: true, transfer: true, takeOver: true });
    expect(actionsFor(session({ status: "queued" }), "me", agent)).toMatchObject({ take: true, reply: false, transfer: true, close: true });
    expect(actionsFor(session({ status: "closed", owner: owner("me") }), "me", agent)).toMatchObject({ reopen: true, reply: false, note: true, close: false });
  });

  it("let whoever may take step in for a bot, which is no colleague", () => {
    const bots = session({ status: "assigned", owner: owner("robot", "bot") });
    expect(actionsFor(bots, "me", agent)).toMatchObject({ takeOver: true, join: true, reply: false, transfer: false, close: false, requeue: false });
    expect(actionsFor(bots, "me", supervisor)).toMatchObject({ takeOver: true, transfer: true, close: true });
    const reader = new Rights(["conversation.read.team", "conversation.note"]);
    expect(actionsFor(bots, "me", reader)).toMatchObject({ takeOver: false, join: false });
  });

  it("are those the server would not refuse", () => {
    const writer = new Rights(["conversation.write"]);
    expect(actionsFor(session({ status: "queued" }), "me", writer)).toMatchObject({ take: false, transfer: false, close: false });
    expect(actionsFor(session({ status: "assigned", owner: owner("me") }), "me", writer)).toMatchObject({ reply: true, transfer: false, requeue: false, close: false });
    expect(actionsFor(session({ status: "closed" }), "me", writer)).toMatchObject({ reopen: false });
  });

  it("are none while nothing is known", () => {
    expect(Object.values(actionsFor(toSession(undefined), "me", supervisor)).some(Boolean)).toBe(false);
  });
});

describe("the snippet", () => {
  it("names this installation under its path prefix, and queues calls until the loader is there", () => {
    const text = snippet("https://help.example/chat/", "k1");
    expect(text).toContain('src="https://help.example/chat/widget.js"');
    expect(text).toContain('{inbox:"k1"}');
    expect(chatPage("https://help.example/chat/", "k1")).toBe("https://help.example/chat/c/k1");
    const calls: unknown[][] = [];
    const page: { window?: unknown; frontdesk?: { readonly q?: ArrayLike<unknown>[] } } = {};
    page.window = page;
    const code = /<script>(.*?)<\/script>/.exec(text)?.[1] ?? "";
    runInNewContext(code, page);
    for (const call of page.frontdesk?.q ?? []) calls.push(Array.from(call));
    expect(calls).toEqual([["boot", { inbox: "k1" }]]);
  });
});

describe("commands", () => {
  it("are found by the beginning, pinyin and what they hint at, in that order", () => {
    const command = (label: string, hint = ""): Command => ({ key: label, group: "page", label, hint, run: () => undefined });
    const all = [command("设置: 团队"), command("Transfer"), command("王小雨", "team lunch")];
    const found = (query: string) => findCommands(all, query, 9).map((known) => known.label);
    expect(found("sz")).toEqual(["设置: 团队"]);
    expect(found("t")).toEqual(["Transfer", "设置: 团队", "王小雨"]);
    expect(found("")).toHaveLength(3);
    expect(found("xyz")).toEqual([]);
  });
});

describe("the wire", () => {
  it("reads absent fields as their defaults", () => {
    expect(toRow({})).toMatchObject({ conversation: "", unread: 0, seq: 0, last: null, session: { status: "closed", owner: null, priority: 2 } });
    expect(toSession({ status: "SESSION_STATUS_QUEUED", waitingSinceMs: "1700000000000" })).toMatchObject({ status: "queued", waitingSinceMs: 1_700_000_000_000 });
  });

  it("names presence both ways", () => {
    for (const presence of ["online", "away", "offline"] as const) expect(fromPresenceJson(toPresenceJson(presence))).toBe(presence);
    expect(fromPresenceJson(undefined)).toBe("offline");
  });
});
