import { describe, expect, it } from "vitest";
import { around, diffLines } from "./diff";

const shown = (before: string, after: string) => diffLines(before, after).map((line) => `${{ same: " ", added: "+", removed: "-" }[line.kind]}${line.text}`);

describe("what changed between two texts", () => {
  it("is told line by line", () => {
    expect(shown("a\nb\nc\nd", "a\nc\nx\nd")).toEqual([" a", "-b", " c", "+x", " d"]);
    expect(shown("a", "a")).toEqual([" a"]);
    expect(shown("", "a\nb")).toEqual(["-", "+a", "+b"]);
    expect(shown("a\na\na", "a\na")).toEqual([" a", " a", "-a"]);
  });

  it("gives both texts back", () => {
    const [before, after] = ["x\na\nb\nc\ny\nz", "a\nc\nb\ny\ny\nz"];
    const lines = diffLines(before, after);
    expect(lines.filter((line) => line.kind !== "added").map((line) => line.text).join("\n")).toBe(before);
    expect(lines.filter((line) => line.kind !== "removed").map((line) => line.text).join("\n")).toBe(after);
  });

  it("is shown with a few lines around it", () => {
    const before = Array.from({ length: 20 }, (_, at) => String(at)).join("\n");
    const parts = around(diffLines(before, before.replace("\n9\n", "\nnine\n")), 1);
    expect(parts.map((part) => (part.kind === "skipped" ? part.count : part.lines.map((line) => line.text)))).toEqual([8, ["8", "9", "nine", "10"], 9]);
    expect(around(diffLines(before, before))).toEqual([]);
  });
});
