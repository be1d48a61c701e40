import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BotSettings } from "./bot";
import { BotApi, asItIs, everyDay, flowNameProblem, lineSpan, ownNames, placeOf, problemsByLine, reasonsOf, replayOf, settingsOf, shareOf, thresholdWrong, withPlace } from "./bot";

const settings: BotSettings = { name: {}, inboxes: { i1: { mode: "answer", who: "built_in", flow: "opening" } }, fallback: {}, handover: { on_complaint: true, on_anger: true, misses_max: 2 }, team_language: "en" };

describe("the bot's places", () => {
  it("are off where nothing is said", () => {
    expect(placeOf(settings, "i1").mode).toBe("answer");
    expect(placeOf(settings, "i2")).toEqual({ mode: "off", who: "built_in", flow: "" });
    expect(placeOf(settings, "constructor").mode).toBe("off");
  });

  it("change one by one, and say nothing where nothing is to be said", () => {
    const both = withPlace(settings, "i2", { mode: "suggest" });
    expect(both["i2"]).toEqual({ mode: "suggest", who: "built_in", flow: "" });
    expect(withPlace({ ...settings, inboxes: both }, "i2", { mode: "off" })).toEqual(settings.inboxes);
    // A flow that was chosen is there again when the bot is turned on again.
    expect(withPlace(settings, "i1", { mode: "off" })).toEqual({ i1: { mode: "off", who: "built_in", flow: "opening" } });
  });
});

describe("a bot nobody named", () => {
  it("is called what the server calls it", () => {
    const texts = readFileSync(join(import.meta.dirname, "../../../../../crates/bot/src/texts.rs"), "utf8");
    expect(texts).toContain(`language.pick("${ownNames.en}", "${ownNames["zh-CN"]}")`);
  });
});

describe("the brief for the team", () => {
  it("is in the language that was chosen, or at first in that of whoever sets the bot up", () => {
    expect(settingsOf({ ...settings, revision: 3 }, "zh-CN").team_language).toBe("en");
    expect(settingsOf({ ...settings, revision: 0 }, "zh-CN").team_language).toBe("zh-CN");
  });
});

describe("figures", () => {
  it("are shares of a whole", () => {
    expect([shareOf(3, 4), shareOf(0, 0), shareOf(5, 4), shareOf(-1, 4)]).toEqual([0.75, 0, 1, 0]);
  });

  it("name the most frequent reason first", () => {
    expect(reasonsOf({ days: [], sessions: 0, contained: 0, handed_over: 0, no_answer: 0, by_reason: { asked: 2, unsure: 9 } }).map(([reason]) => reason)).toEqual(["unsure", "asked"]);
  });
});

describe("a trial on sessions of the past", () => {
  const flow = { name: "tea", yaml: "name: tea" };
  const own = { threshold: {}, intents: {}, rules: [{ intent: "human", keywords: ["person"], regex: null }], inboxes: {} };

  it("changes only what is filled in", () => {
    expect(replayOf(50, flow, asItIs, own)).toEqual({ sessions: 50, flow });
    expect(replayOf(20, flow, { ...asItIs, model: " tea-2 ", prompt: "Be brief.", threshold: "0.9" }, null)).toEqual({ sessions: 20, flow, model: "tea-2", prompt: "Be brief.", threshold: 0.9 });
  });

  it("has a rule before all others, once it has an intent and words", () => {
    const rule = { ...asItIs, intent: "complaint", words: "broken\n碎了\n" };
    expect(replayOf(50, flow, rule, own).intents?.rules).toEqual([{ intent: "complaint", keywords: ["broken", "碎了"], regex: null }, ...own.rules]);
    for (const half of [{ ...rule, words: " " }, { ...rule, intent: "" }]) expect(replayOf(50, flow, half, own).intents).toBeUndefined();
    expect(replayOf(50, flow, rule, null).intents).toBeUndefined();
  });

  it("takes scores from 0 to 1", () => {
    expect(["", "0", "1", "0.93", "1.01", "-1", "much"].map(thresholdWrong)).toEqual([false, false, false, false, true, true, true]);
  });
});

describe("days", () => {
  it("are all there, also those of which nothing is told", () => {
    const days = everyDay([{ date: "2026-11-29", n: 3 }, { date: "2026-10-01", n: 9 }], 3, Date.UTC(2026, 10, 30, 4), (date) => ({ date, n: 0 }));
    expect(days).toEqual([{ date: "2026-11-28", n: 0 }, { date: "2026-11-29", n: 3 }, { date: "2026-11-30", n: 0 }]);
  });
});

describe("a flow", () => {
  it("has a name that fits an address", () => {
    expect(["", "opening", "night-shift_2", "Opening", "two words", "-x", "x-", "开场", "opening"].map((name, at) => flowNameProblem(name, at === 8 ? ["opening"] : []))).toEqual(["empty", null, null, "characters", "characters", "characters", "characters", "characters", "taken"]);
  });

  it("has problems at its lines, and those about none before all", () => {
    const byLine = problemsByLine([{ line: 2, reason: "a" }, { line: 0, reason: "b" }, { line: 99, reason: "c" }, { line: 2, reason: "d" }], 5);
    expect([...byLine].map(([line, problems]) => [line, problems.map((problem) => problem.reason)])).toEqual([[2, ["a", "d"]], [0, ["b", "c"]]]);
  });

  it("has lines that can be selected", () => {
    const text = "one\ntwo\n\nfour";
    expect([1, 2, 3, 4, 9].map((line) => text.slice(...lineSpan(text, line)))).toEqual(["one", "two", "", "four", ""]);
  });

  it("is asked for by its name, whatever is in it", async () => {
    const asked: string[] = [];
    const api = new BotApi(async <T>(method: string, path: string): Promise<T> => {
      asked.push(`${method} ${path}`);
      return { versions: [], flows: [] } as T;
    });
    await api.versions("a/b");
    await api.flow("a/b");
    await api.rollBack("a", 2);
    await api.sessions("contained", "c 1");
    await api.sessions("contained");
    expect(asked).toEqual(["GET api/v1/bot/flows/a%2Fb/versions", "GET api/v1/bot/flows/a%2Fb", "POST api/v1/bot/flows/a/rollback", "GET api/v1/bot/sessions?outcome=contained&cursor=c+1", "GET api/v1/bot/sessions?outcome=contained"]);
  });
});
