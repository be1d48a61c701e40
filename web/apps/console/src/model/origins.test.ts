import { describe, expect, it } from "vitest";
import { originOf, parseOrigins, siteOf } from "./origins";

describe("websites", () => {
  it.each([
    ["https://www.example.com/shop?x=1", "https://www.example.com"],
    [" http://localhost:3000 ", "http://localhost:3000"],
    ["https://*.example.com", "https://*.example.com"],
    ["ftp://example.com", null],
    ["example", null],
    ["", null],
  ])("%s has the origin %s", (typed, origin) => expect(originOf(typed)).toBe(origin));

  it("are understood without a scheme where that can only be a website", () => {
    expect(["www.example.com", "shop.example.com:8443/cart", "javascript:alert(1)", "localhost"].map(siteOf)).toEqual(["https://www.example.com", "https://shop.example.com:8443", null, null]);
  });

  it("stand one a line, each once, and what is none is told apart", () => {
    expect(parseOrigins("https://a.example\nhttps://a.example/x， b.example\n:no")).toEqual({ origins: ["https://a.example", "https://b.example"], wrong: [":no"] });
  });
});
