import { describe, expect, it } from "vitest";
import { findLinks } from "./links";

const links = (text: string): string[] => findLinks(text).flatMap((piece) => (piece.kind === "link" ? [piece.href] : []));

describe("links", () => {
  it.each([
    ["see https://shop.example/tea?x=1.", ["https://shop.example/tea?x=1"]],
    ["see https://a.example/x?y=1, or (http://b.example/z). mail a@b.example!", ["https://a.example/x?y=1", "http://b.example/z", "mailto:a@b.example"]],
    ["（https://shop.example）。写给 hi@shop.example，谢谢", ["https://shop.example/", "mailto:hi@shop.example"]],
    ["HTTP://A.example and http://b.example)", ["http://a.example/", "http://b.example/"]],
    ["x https://a.example/(b) y", ["https://a.example/(b)"]],
    ["详见https://a.example/茶，谢谢", ["https://a.example/%E8%8C%B6"]],
    ["javascript:alert(1) data:text/html,x file:///etc/passwd //x.example", []],
    ["https://a.example\"><img src=x onerror=alert(1)>", ["https://a.example/"]],
    ["http:// https://))) https://%zz https://[::1", []],
    ["https://a.example/\u202egro.knab//:sptth", ["https://a.example/"]],
    ["https://a.example/\u0000x", ["https://a.example/"]],
    ["nothing here", []],
    ["", []],
  ])("of %j", (text, expected) => {
    expect(links(text)).toEqual(expected);
    expect(findLinks(text).map((piece) => piece.text).join("")).toBe(text);
  });
});
