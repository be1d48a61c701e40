import { describe, expect, it } from "vitest";
import { findLinks } from "./links";

const links = (text: string): string[] => findLinks(text).flatMap((piece) => (piece.kind === "link" ? [piece.href] : []));

describe("links", () => {
  it.each([
    ["see https://shop.example/tea?x=1.", ["https://shop.example/tea?x=1"]],
    ["（https://shop.example）。写给 hi@shop.example，谢谢", ["https://shop.example", "mailto:hi@shop.example"]],
    ["HTTP://A.example and http://b.example)", ["HTTP://A.example", "http://b.example"]],
    ["javascript:alert(1) data:text/html,x file:///etc/passwd //x.example", []],
    ["https://a.example\"><img src=x onerror=alert(1)>", ["https://a.example"]],
    ["nothing here", []],
  ])("of %j", (text, expected) => {
    expect(links(text)).toEqual(expected);
    expect(findLinks(text).map((piece) => piece.text).join("")).toBe(text);
  });
});
