import { describe, expect, it } from "vitest";
import { sharedEn } from "./catalogs/shared.en";
import { sharedZh } from "./catalogs/shared.zh-CN";
import { errorText } from "./errors";
import { enumerated } from "./lists";
import { localText, pickLocale } from "./locale";
import { duration, fileSize, millis, percent } from "./measures";
import { systemText } from "./system";
import { Texts } from "./texts";
import { clockTime, dayMark, relativeTime } from "./time";

const texts = (): Texts<keyof typeof sharedEn> => new Texts(sharedEn, { "zh-CN": () => Promise.resolve(sharedZh) });

describe("locale", () => {
  it("takes the first wish that can be met", () => {
    expect(pickLocale(undefined, "fr-FR", "zh-TW", "en")).toBe("zh-CN");
    expect(pickLocale("", null, "EN-gb")).toBe("en");
    expect(pickLocale("de")).toBe("en");
  });

  it("falls back to any language a text was written in", () => {
    expect(localText({ en: "Hi", "zh-CN": "您好" }, "zh-CN")).toBe("您好");
    expect(localText({ zh: "您好" }, "zh-CN")).toBe("您好");
    expect(localText({ "zh-CN": "您好" }, "en")).toBe("您好");
    expect(localText(undefined, "en")).toBe("");
  });
});

describe("texts", () => {
  it("fill in parameters and choose plural forms", async () => {
    const both = texts();
    expect(both.t("offline.unsent", { count: 1 })).toContain("1 message waits");
    expect(both.t("offline.unsent", { count: 1200 })).toContain("1,200 messages wait");
    await both.use("zh-CN");
    expect(both.t("offline.unsent", { count: 2 })).toContain("2 条消息");
    expect(both.locale.value).toBe("zh-CN");
  });

  it("say something for codes and system texts they have never heard of", () => {
    expect(errorText(texts(), "session.taken", { detail: "Lin" })).toBe("Lin has taken this conversation.");
    expect(errorText(texts(), "made.up")).toBe(sharedEn["error.general"]);
    expect(systemText(texts(), "session.assigned", { agent: "Lin" })).toBe("Lin has joined");
    expect(systemText(texts(), "session.assigned", {})).toBe("An agent has joined");
    expect(systemText(texts(), "made.up", {})).toBe(sharedEn["system.unknown"]);
  });
});

describe("times", () => {
  const now = new Date(2026, 5, 15, 12, 0).getTime();

  it("are relative up to a day, then dated", () => {
    expect(relativeTime(now, now, "en")).toBe("now");
    expect(relativeTime(now - 5 * 60_000, now, "zh-CN")).toContain("5");
    expect(relativeTime(now - 3 * 86_400_000, now, "en")).toBe("Jun 12");
    expect(relativeTime(new Date(2025, 0, 2).getTime(), now, "en")).toContain("2025");
  });

  it("mark days as people say them", () => {
    expect(dayMark(now, now, "en")).toBe("Today");
    expect(dayMark(now - 86_400_000, now, "zh-CN")).toBe("昨天");
    expect(dayMark(now - 10 * 86_400_000, now, "en")).toContain("Jun 5");
  });

  it("and hours are written as the language writes them", () => {
    const morning = new Date(2026, 5, 15, 9, 5).getTime();
    expect(clockTime(morning, "en")).toMatch(/^9:05\sAM$/);
    expect(clockTime(morning, "zh-CN")).toBe("09:05");
  });

  it("and names stay apart", () => {
    expect(enumerated(["Ada", "Mei 梅"], "en")).toBe("Ada, Mei 梅");
    expect(enumerated(["Ada", "Mei 梅"], "zh-CN")).toBe("Ada、Mei 梅");
  });

  it("and sizes are short", () => {
    expect(duration(80 * 60_000, "en")).toBe("1 h 20 min");
    expect(duration(1, "zh-CN")).toBe("1 秒");
    expect(duration(59_999, "en")).toBe("59 s");
    expect(duration(60_000, "zh-CN")).toBe("1 分钟");
    expect(fileSize(1_468_006, "en")).toBe("1.4 MB");
    expect(fileSize(512, "en")).toBe("512 B");
    expect([0.05, 0.43, 9.949, 9.96, 120.4, 1_250].map((ms) => millis(ms, "en"))).toEqual(["0.1", "0.4", "9.9", "10", "120", "1,250"]);
    expect(millis(2, "zh-CN")).toBe("2.0");
  });
});

describe("shares", () => {
  it("are the whole only where they are", () => {
    expect([0, 0.004, 0.725, 0.99, 0.9997, 1].map((share) => percent(share, "en"))).toEqual(["0%", "0%", "73%", "99%", "99%", "100%"]);
    expect([0.78, 0.785, 0.9997, 1].map((share) => percent(share, "zh-CN", 1))).toEqual(["78%", "78.5%", "99.9%", "100%"]);
  });
});
