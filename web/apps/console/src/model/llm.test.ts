import { describe, expect, it } from "vitest";
import type { LlmConfig } from "./llm";
import { LlmApi, budgetShare, clearsKey, hostOf, presetOf, presets, settingsOf, timeoutWrong, visitorWaitWrong } from "./llm";

const config: LlmConfig = { revision: 3, base_url: "https://api.example.com/v1", model: "m", has_key: true, hint: "9f2c", features: { answers: true, summary: false, rewrite: false, translate: false }, conversation_tokens_max: 1, day_tokens_max: 2, timeout_ms: 3, visitor_wait_ms: 4, prompt: "" };

describe("the key of a language model", () => {
  it.each<readonly [string, string, boolean]>([
    ["https://api.example.com/v2", "", false],
    ["https://api.example.com:8443/v1", "", true],
    ["http://api.example.com/v1", "", true],
    ["https://other.example/v1", "", true],
    ["https://other.example/v1", "sk-new", false],
    ["", "", true],
  ])("with the address %j and a new key %j is cleared: %s", (address, key, cleared) => expect(clearsKey(config, address, key)).toBe(cleared));

  it("is not there to be cleared", () => expect(clearsKey({ ...config, has_key: false }, "https://other.example", "")).toBe(false));

  it("is sent only where it changes", async () => {
    const bodies: unknown[] = [];
    const api = new LlmApi(async <T>(_: string, __: string, body?: unknown): Promise<T> => {
      bodies.push(body);
      return config as T;
    });
    const settings = settingsOf(config);
    await api.change(settings, 3);
    await api.change(settings, 3, "sk-new");
    await api.change(settings, 3, "");
    expect(bodies).toEqual([{ ...settings, revision: 3 }, { ...settings, revision: 3, key: "sk-new" }, { ...settings, revision: 3, key: "" }]);
  });
});

describe("addresses of language models", () => {
  it("are known by their presets, with or without a slash at the end", () => {
    for (const preset of presets) expect(presetOf(` ${preset.base_url}/`)?.name).toBe(preset.name);
    expect(presetOf("https://api.openai.com/v2")).toBeNull();
  });

  it("have a host, or are none", () => {
    expect(["https://a.example:1/v1", "ftp://a", "a.example", ""].map(hostOf)).toEqual(["https://a.example:1", null, null, null]);
  });
});

describe("a budget", () => {
  it("is used up at most wholly, and one of nothing from the start", () => {
    expect([budgetShare({ today_tokens: 1, day_tokens_max: 4 }), budgetShare({ today_tokens: 9, day_tokens_max: 4 }), budgetShare({ today_tokens: 9, day_tokens_max: 0 })]).toEqual([0.25, 1, 1]);
  });
});

describe("the waits of a language model", () => {
  it.each<readonly [number, number, "range" | "over" | null]>([
    [20_000, 2_000, null],
    [20_000, 20_000, null],
    [20_000, 20_001, "over"],
    [300_000, 30_000, null],
    [300_000, 30_001, "range"],
    [20_000, 0, "range"],
    [20_000, 1.5, "range"],
    [20_000, Number.NaN, "range"],
    // Of two that are wrong the other one says so.
    [0, 2_000, null],
    [Number.NaN, 2_000, null],
  ])("with %d ms for an answer, %d ms for a word are wrong as %j", (timeout_ms, visitor_wait_ms, wrong) => expect(visitorWaitWrong({ timeout_ms, visitor_wait_ms })).toBe(wrong));

  it.each([
    [0, true],
    [1, false],
    [300_000, false],
    [300_001, true],
    [Number.NaN, true],
  ])("%d ms for an answer are wrong: %s", (ms, wrong) => expect(timeoutWrong(ms)).toBe(wrong));
});
