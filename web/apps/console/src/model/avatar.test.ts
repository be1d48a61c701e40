import { describe, expect, it } from "vitest";
import { avatarHues, avatarOf, hueById, hueOf, huesOf } from "./avatar";

describe("the colour behind initials", () => {
  it("is kept and read alike, and anything else is none", () => {
    for (const hue of avatarHues) expect(hueOf(avatarOf(hue))).toBe(hue);
    for (const other of ["", "hue-8", "hue-", "0", undefined, null]) expect(hueOf(other)).toBeNull();
  });

  it("goes with the id where nobody chose", () => {
    expect(hueById("u1")).toBe(hueById("u1"));
    expect(new Set(["a", "b", "c", "d", "e", "f", "g", "h"].map(hueById)).size).toBe(8);
  });

  it("is the newest one told of a person", () => {
    expect([...huesOf([{ id: "a", avatar: "hue-1" }, { id: "b", avatar: "" }, { id: "a", avatar: "hue-3" }])]).toEqual([["a", 3]]);
    expect(huesOf([{ id: "a", avatar: "hue-1" }, { id: "a", avatar: "" }]).size).toBe(0);
  });
});
