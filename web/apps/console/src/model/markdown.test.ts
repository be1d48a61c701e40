import { describe, expect, it } from "vitest";
import type { Block, Inline } from "./markdown";
import { parseMarkdown, safeHref } from "./markdown";

const words = (inside: readonly Inline[]): string =>
  inside
    .map((inline) => {
      switch (inline.kind) {
        case "text":
          return inline.text;
        case "code":
          return `<code>${inline.text}</code>`;
        case "link":
          return `<a ${inline.href}>${words(inline.inside)}</a>`;
        case "break":
          return "<br>";
        case "em":
        case "strong":
          return `<${inline.kind}>${words(inline.inside)}</${inline.kind}>`;
      }
    })
    .join("");
const line = (text: string) => {
  const [block] = parseMarkdown(text);
  return block?.kind === "paragraph" ? words(block.inside) : null;
};
const kinds = (blocks: readonly Block[]) => blocks.map((block) => block.kind);

describe("markdown", () => {
  it("has headings, paragraphs, rules and code", () => {
    expect(kinds(parseMarkdown("# One\n\ntext\n\n---\n\n```js\n# no heading\n```\n###### Six ######"))).toEqual(["heading", "paragraph", "rule", "code", "heading"]);
    expect(parseMarkdown("```\na\n  b\n```")).toEqual([{ kind: "code", text: "a\n  b" }]);
    expect(parseMarkdown("```\nnever closed")).toEqual([{ kind: "code", text: "never closed" }]);
    expect(parseMarkdown("#no heading")[0]?.kind).toBe("paragraph");
  });

  it("has lists in lists, with what belongs to an item", () => {
    const [list] = parseMarkdown("1. one\n   - inner\n2. two\n\n   more of two\n\nafter");
    expect(list).toMatchObject({ kind: "list", ordered: true, start: 1 });
    if (list?.kind !== "list") throw new Error("no list");
    expect(list.items.map(kinds)).toEqual([["paragraph", "list"], ["paragraph", "paragraph"]]);
    expect(kinds(parseMarkdown("- a\n- b\n\ntext"))).toEqual(["list", "paragraph"]);
    expect(parseMarkdown("3. three")[0]).toMatchObject({ start: 3 });
  });

  it("has quotes and tables", () => {
    expect(parseMarkdown("> a\n> > b")).toMatchObject([{ kind: "quote", blocks: [{ kind: "paragraph" }, { kind: "quote" }] }]);
    const [table] = parseMarkdown("| a | b |\n| --- | :-: |\n| 1 | 2 |\n| 3 |");
    expect(table?.kind === "table" && [table.head.map(words), table.rows.map((row) => row.map(words))]).toEqual([["a", "b"], [["1", "2"], ["3", ""]]]);
    expect(parseMarkdown("a | b")[0]?.kind).toBe("paragraph");
  });

  it.each([
    ["**bold** and *slanted*", "<strong>bold</strong> and <em>slanted</em>"],
    ["a `code *is* code` b", "a <code>code *is* code</code> b"],
    ["snake_case_name", "snake_case_name"],
    ["2 * 3 * 4", "2 * 3 * 4"],
    ["\\*no\\*", "*no*"],
    ["[text](https://a.example/x_(y))", "<a https://a.example/x_(y)>text</a>"],
    ["![picture](https://a.example/p.png)", "<a https://a.example/p.png>picture</a>"],
    ["[bad](javascript:alert(1))", "[bad](javascript:alert(1))"],
    ["<b>no markup</b>", "<b>no markup</b>"],
    ["one\ntwo", "one two"],
    ["第一行\n第二行", "第一行第二行"],
    ["hard  \nbreak", "hard<br>break"],
  ])("reads %j as %j", (text, shown) => expect(line(text)).toBe(shown));

  it("leads only where addresses are harmless", () => {
    expect(["https://a", "mailto:a@b", "tel:+1", "/help/x", "other-article", "javascript:x", "data:text/html,x", "//evil.example", "JAVASCRIPT:x"].map(safeHref)).toEqual(["https://a", "mailto:a@b", "tel:+1", "/help/x", "other-article", null, null, null, null]);
  });

  it("takes no longer for what is badly nested", () => {
    const began = performance.now();
    for (const bad of ["> ".repeat(5_000), "- ".repeat(5_000), "*".repeat(20_000), "[".repeat(20_000), "**a ".repeat(10_000), "`".repeat(20_001), "_a *b ".repeat(8_000)]) parseMarkdown(bad);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});
