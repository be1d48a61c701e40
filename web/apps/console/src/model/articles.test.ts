import { describe, expect, it } from "vitest";
import type { ArticleContent } from "./articles";
import { contentProblem, coverage, helpHome, helpPath, highlight, importFormat, isWebAddress, noText, slugOf, textIn, tidyContent, titleOf, withText } from "./articles";

const content = (more: Partial<ArticleContent> = {}): ArticleContent => ({ slug: "returns", category: "", state: "draft", texts: { en: { ...noText, title: "Returns", body: "Within 30 days." } }, ...more });

describe("an article's texts", () => {
  it("are put in by language, and an empty one is none", () => {
    const both = withText(content().texts, "zh-CN", { title: "退货" });
    expect(textIn(both, "zh-CN").title).toBe("退货");
    expect(Object.keys(withText(both, "zh-CN", { title: "" }))).toEqual(["en"]);
    expect(textIn(both, "toString")).toEqual(noText);
  });

  it("tell in which languages it can be read", () => {
    expect(coverage(withText(content().texts, "zh-CN", { title: "退货" }))).toEqual([
      { locale: "en", state: "whole" },
      { locale: "zh-CN", state: "part" },
    ]);
    expect(coverage({}).map((known) => known.state)).toEqual(["none", "none"]);
  });

  it("give the reader's title, else any there is", () => {
    const { texts } = content();
    expect([titleOf(texts, "en"), titleOf(texts, "zh-CN"), titleOf({}, "en")]).toEqual(["Returns", "Returns", ""]);
  });

  it("are sent without blanks, empty questions and empty languages", () => {
    const tidy = tidyContent(content({ slug: " returns ", category: " Orders ", texts: { en: { title: " Returns ", summary: "", body: "x\n", questions: ["", " may I? "], category: " Orders & returns " }, "zh-CN": { ...noText, questions: [" "] } } }));
    expect(tidy).toEqual({ slug: "returns", category: "Orders", state: "draft", texts: { en: { title: "Returns", summary: "", body: "x", questions: ["may I?"], category: "Orders & returns" } } });
  });
});

describe("what an article lacks", () => {
  it.each<readonly [string, Partial<ArticleContent>, unknown]>([
    ["nothing", {}, null],
    ["any text", { texts: {} }, { field: "texts", problem: "empty" }],
    ["a title in a language", { texts: { en: { ...noText, body: "x" } } }, { field: "title", locale: "en", problem: "empty" }],
    ["a text once it is published", { state: "published", texts: { en: { ...noText, title: "x" } } }, { field: "body", locale: "en", problem: "empty" }],
    ["an address", { slug: " " }, { field: "slug", problem: "empty" }],
    ["an address of other signs", { slug: "Zur Rückgabe" }, { field: "slug", problem: "characters" }],
    ["an address without a hyphen at its end", { slug: "returns-" }, { field: "slug", problem: "characters" }],
  ])("is %s", (_, more, problem) => {
    expect(contentProblem(content(more))).toEqual(problem);
  });
});

describe("an address", () => {
  it.each([
    ["How do I return something?", "how-do-i-return-something"],
    ["Rückgabe & Umtausch", "ruckgabe-umtausch"],
    ["如何退货？", "ru-he-tui-huo"],
    ["iPhone 15 退货", "iphone-15-tui-huo"],
    ["？！", ""],
    [`${"a".repeat(99)} b`, "a".repeat(99)],
  ])("of %j is %j", (title, slug) => expect(slugOf(title)).toBe(slug));

  it("leads to the help centre in a language there is, and only while it is published", () => {
    const article = content({ state: "published" });
    expect(helpPath(article, "k1", "en")).toBe("help/k1/en/returns");
    expect(helpPath(article, "k1", "zh-CN")).toBe("help/k1/en/returns");
    expect(helpPath(content(), "k1", "en")).toBeNull();
    expect(helpHome("k 1", "zh-CN")).toBe("help/k%201?lang=zh-CN");
  });

  it("of the web is one with its scheme", () => {
    expect(["https://a.example/sitemap.xml", " http://a ", "ftp://a", "a.example", "javascript:alert(1)"].map(isWebAddress)).toEqual([true, true, false, false, false]);
  });
});

describe("words that were found", () => {
  const hits = (passage: string, words: readonly string[]) => highlight(passage, words).filter((piece) => piece.hit).map((piece) => piece.text);

  it("are marked from the beginning of a word to its end", () => {
    expect(hits("Parcels ship the same day, no re-shipping.", ["parcel", "ship"])).toEqual(["Parcels", "ship", "shipping"]);
    expect(hits("This leadership", ["ship"])).toEqual([]);
  });

  it("are marked anywhere in Chinese", () => {
    expect(hits("未使用的商品可以退货，退货免运费", ["退货", "商品"])).toEqual(["商品", "退货", "退货"]);
  });

  it("leave the text as it is", () => {
    for (const [passage, words] of [["a parcel", ["parcel"]], ["", ["x"]], ["nothing", []], ["İstanbul parcel", ["parcel"]]] as const) expect(highlight(passage, words).map((piece) => piece.text).join("")).toBe(passage);
  });
});

describe("files to import", () => {
  it("are of one kind", () => {
    expect([["a.md", "b.markdown"], ["a.csv"], ["a.CSV", "b.md"], ["a.docx"], []].map(importFormat)).toEqual(["markdown", "csv", null, null, null]);
  });
});
