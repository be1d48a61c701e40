import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { texts } from "./text";
import { fileProblemText, flowProblemText } from "./trouble";

const unreadable = (kind: string, more: Readonly<Record<string, string>>) => ({ code: "unreadable", params: { detail: "did not find expected node content", kind, ...more }, reason: "did not find expected node content" });
const badPattern = (kind: string, more: Readonly<Record<string, string>>) => ({ code: "bad_pattern", params: { detail: "error: unclosed group", kind, ...more }, reason: "this pattern cannot be used: error: unclosed group" });
const unknownStep = (near: string) => ({ code: "unknown_step", params: { to: "nowhere", near }, reason: "there is no step `nowhere`" });

describe("what is wrong with something", () => {
  it("is told in English by its code", () => {
    expect(flowProblemText(unknownStep(""))).toBe("There is no step “nowhere”.");
    expect(fileProblemText({ code: "outgoing.status", params: { about: "sitemap", status: "404" }, reason: "x" })).toBe("The sitemap cannot be read. The host answers with status 404.");
  });

  describe("in Chinese", () => {
    beforeAll(() => texts.use("zh-CN"));
    afterAll(() => texts.use("en"));

    it("is told in Chinese, with what stands in it", () => {
      expect(flowProblemText(unknownStep(""))).toBe("没有名为“nowhere”的步骤。");
      expect(flowProblemText(unknownStep("nowhere-else"))).toBe("没有名为“nowhere”的步骤，是不是“nowhere-else”？");
      expect(fileProblemText({ code: "article_own", params: { slug: "refunds" }, reason: "slug taken by an article of your own: refunds" })).toBe("“refunds”是您自己写的文章，未作改动。");
      expect(fileProblemText({ code: "outgoing.status", params: { about: "robots", status: "503" }, reason: "x" })).toBe("无法读取 robots.txt。服务器返回状态 503。");
    });

    it("is told by its kind where a file or a pattern cannot be read", () => {
      expect(flowProblemText(unreadable("unknown_field", { name: "colour", allowed: "say, ask" }))).toBe("这里没有“colour”字段。可用的有：say, ask。");
      expect(flowProblemText(unreadable("unclosed_bracket", { open: "{" }))).toBe("“{”没有闭合。");
      expect(flowProblemText(badPattern("group_unclosed", { at: "3", part: "(" }))).toBe("“(”没有闭合（第 3 个字符）。");
      // Of no kind, or one of a newer server: what the parser says is better than nothing.
      expect(flowProblemText(unreadable("of_a_newer_version", {}))).toBe("无法读取：did not find expected node content");
      expect(flowProblemText(badPattern("", {}))).toBe("此正则表达式无法使用：error: unclosed group");
    });

    it("is told as the server says it where there are no words for it", () => {
      expect(flowProblemText({ code: "of_a_newer_version", params: {}, reason: "something new" })).toBe("something new");
      expect(fileProblemText({ reason: "something old" })).toBe("something old");
    });
  });
});
