import { describe, expect, it } from "vitest";
import { RENDER_ALL_UP_TO, visibleRange } from "./windowing";

describe("visible range", () => {
  it("is everything while the list is short", () => {
    expect(visibleRange([10, 10, 10], 0, 5, 0)).toEqual({ start: 0, end: 3, above: 0, below: 0 });
  });

  const rows = Array.from({ length: RENDER_ALL_UP_TO * 2 }, (_, at) => 20 + (at % 3) * 10);
  const total = rows.reduce((sum, height) => sum + height, 0);

  it("covers the viewport and adds up to the whole height wherever one looks", () => {
    for (let top = 0; top < total; top += 137) {
      const range = visibleRange(rows, top, 600, 200);
      const inside = rows.slice(range.start, range.end).reduce((sum, height) => sum + height, 0);
      expect(range.above + inside + range.below).toBe(total);
      expect(range.above).toBeLessThanOrEqual(top);
      expect(range.above + inside).toBeGreaterThanOrEqual(Math.min(total, top + 600));
      expect(range.end - range.start).toBeLessThan(60);
    }
  });

  it("never comes out empty when the view lies behind the end", () => {
    const range = visibleRange(rows, total * 2, 600, 200);
    expect(range.end).toBe(rows.length);
    expect(range.start).toBeLessThan(range.end);
  });
});
