import { describe, expect, it } from "vitest";
import type { SortedPage, SortedSession } from "./api";
import { ApiError } from "./api";
import { languageOf, noneRead, readAll, readMore, training } from "./corrections";

const session = (id: string, more: Partial<SortedSession> = {}): SortedSession => ({ conversation: `c-${id}`, session: id, inbox: "shop", at_ms: 1, messages: [{ at_ms: 1, text: `text of ${id}` }], intent: "complaint", source: "person", found: "", ...more });

/** Pages in their order; what was asked for is noted. */
function book(pages: readonly (readonly SortedSession[])[]) {
  const asked: (string | null)[] = [];
  const read = (cursor: string | null): Promise<SortedPage> => {
    asked.push(cursor);
    const at = cursor === null ? 0 : Number(cursor);
    return Promise.resolve({ sessions: pages[at] ?? [], ...(at + 1 < pages.length ? { next: String(at + 1) } : {}) });
  };
  return { asked, read };
}

describe("corrected sessions", () => {
  it("are read over empty pages until there are enough, newest first", async () => {
    const { asked, read } = book([[], [session("a", { at_ms: 5 })], [session("b", { at_ms: 9 })], [session("c", { at_ms: 7 })]]);
    const first = await readMore(noneRead, read, "", 2, 10);
    expect(first.sessions.map((one) => one.session)).toEqual(["b", "a"]);
    expect([asked, first.next]).toEqual([[null, "1", "2"], "3"]);
    const all = await readMore(first, read, "", 2, 10);
    expect(all.sessions.map((one) => one.session)).toEqual(["b", "c", "a"]);
    expect(all.next).toBeNull();
    expect(await readMore(all, read, "", 2, 10)).toEqual(all);
  });

  it("are not read without end where there are none", async () => {
    const { asked, read } = book([[], [], [], []]);
    expect(await readMore(noneRead, read, "", 2, 3)).toEqual({ sessions: [], next: "3" });
    expect(asked.length).toBe(3);
  });

  it("are those of one inbox where one is asked for, and each is there once", async () => {
    const { read } = book([[session("a"), session("b", { inbox: "other" })], [session("a"), session("c")]]);
    const found = await readMore(noneRead, read, "shop", 9, 9);
    expect(found.sessions.map((one) => one.session)).toEqual(["a", "c"]);
  });
});

describe("all of them", () => {
  const options = { inbox: "", onRead: () => undefined, cancelled: () => false, wait: () => Promise.resolve() };

  it("are counted while they are read", async () => {
    const { read } = book([[session("a")], [], [session("b"), session("c")]]);
    const counts: number[] = [];
    const all = await readAll(read, { ...options, onRead: (count) => counts.push(count) });
    expect([all?.length, counts]).toEqual([3, [1, 1, 3]]);
  });

  it("are given up when that is wished", async () => {
    const { asked, read } = book([[session("a")], [session("b")]]);
    expect(await readAll(read, { ...options, cancelled: () => asked.length === 1 })).toBeNull();
    expect(asked.length).toBe(1);
  });

  it("wait where the server asks for it, and fail where it says no", async () => {
    const { read } = book([[session("a")]]);
    const waited: number[] = [];
    let tries = 0;
    const busy = (cursor: string | null) => (++tries < 3 ? Promise.reject(new ApiError(429, "rate_limited", null, null, 2_000)) : read(cursor));
    const wait = (ms: number) => Promise.resolve(void waited.push(ms));
    expect((await readAll(busy, { ...options, wait }))?.length).toBe(1);
    expect(waited).toEqual([2_000, 2_000]);
    const never = () => Promise.reject(new ApiError(429, "rate_limited", null, null, 1));
    await expect(readAll(never, options)).rejects.toThrow("rate_limited");
    await expect(readAll(() => Promise.reject(new ApiError(403, "right.missing", null, null, undefined)), options)).rejects.toThrow("right.missing");
  });
});

describe("training data", () => {
  it("is a line for each text a model has a label for", () => {
    const messages = [{ at_ms: 1, text: '你好 "there"' }, { at_ms: 2, text: "坏了" }];
    const made = training([session("a", { messages }), session("b", { intent: "refund" }), session("c", { intent: "" }), session("d", { intent: "sales" }), session("e", { messages: [] }), session("f", { intent: "other" })]);
    expect(made.text).toBe('{"text":"你好 \\"there\\"\\n坏了","label":"complaint","lang":"zh"}\n{"text":"text of d","label":"sales","lang":"en"}\n');
    expect([made.lines, made.leftOut]).toEqual([2, 4]);
    expect(training([])).toEqual({ text: "", lines: 0, leftOut: 0 });
  });

  it("names the language by what it is written in", () => {
    const cases: readonly (readonly [text: string, language: string])[] = [["where is it", "en"], ["我的包裹呢", "zh"], ["我的 iPhone 坏了", "zh"], ["这个 size 有 in stock 吗", "mix"], ["𠀀", "zh"], ["12 !", "en"], ["", "en"]];
    for (const [text, language] of cases) expect([text, languageOf(text)]).toEqual([text, language]);
  });
});
