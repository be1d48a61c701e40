import { expect, it } from "vitest";
import { same } from "./same";

it.each([
  [{ a: 1, b: [1, { c: "x" }] }, { b: [1, { c: "x" }], a: 1 }, true],
  [{ a: undefined }, {}, false],
  [[1, 2], [2, 1], false],
  [[], {}, false],
  [null, {}, false],
  ["a", "a", true],
])("%j and %j: %s", (one, other, equal) => expect(same(one, other)).toBe(equal));
