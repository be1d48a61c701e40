import { describe, expect, it } from "vitest";
import { Column } from "./virtual";

function column(keys: readonly string[]): Column {
  const made = new Column(() => 10);
  made.setKeys(keys);
  return made;
}

const keys = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `k${from + at}`);

describe("a column", () => {
  it("adds up estimates until rows are measured", () => {
    const made = column(keys(5));
    expect(made.total).toBe(50);
    expect(made.measure("k1", 34)).toBe(true);
    expect(made.measure("k1", 34)).toBe(false);
    expect(made.offset(1)).toBe(10);
    expect(made.offset(2)).toBe(44);
    expect(made.total).toBe(74);
  });

  it("agrees with plain sums for every row and offset", () => {
    const made = column(keys(137));
    const sizes = keys(137).map((key, at) => {
      const size = 5 + ((at * 7919) % 60);
      made.measure(key, size);
      return size;
    });
    let sum = 0;
    sizes.forEach((size, at) => {
      expect(made.offset(at)).toBe(sum);
      expect(made.at(sum)).toBe(at);
      expect(made.at(sum + size - 1)).toBe(at);
      sum += size;
    });
    expect(made.total).toBe(sum);
    expect(made.at(sum + 1_000)).toBe(136);
    expect(made.at(0)).toBe(0);
  });

  it("remembers what was measured when rows come in before it", () => {
    const made = column(keys(3, 100));
    made.measure("k101", 50);
    made.setKeys([...keys(100), ...keys(3, 100)]);
    expect(made.offset(made.indexOf("k102")) - made.offset(made.indexOf("k101"))).toBe(50);
    expect(made.total).toBe(102 * 10 + 50);
  });

  it("draws only what is near the window", () => {
    const made = column(keys(10_000));
    expect(made.span(50_000, 800, 100)).toEqual({ start: 4_990, end: 5_091 });
    expect(made.span(0, 800, 100)).toEqual({ start: 0, end: 91 });
    expect(column([]).span(0, 800, 100)).toEqual({ start: 0, end: 0 });
  });

  it("takes in fractions, which nobody sees in one row and everybody in many", () => {
    const made = column(keys(40));
    for (const key of keys(40)) expect(made.measure(key, 10.25)).toBe(false);
    expect(made.total).toBe(410);
    made.setKeys([...keys(40), "last"]);
    expect(made.total).toBe(420);
  });

  it("has no row for a key it does not know", () => {
    const made = column(keys(2));
    expect(made.measure("other", 5)).toBe(false);
    expect(made.indexOf("other")).toBe(-1);
  });

  it("takes rows that come at the end as if all were set anew", () => {
    const estimate = (key: string) => 20 + (Number(key.slice(1)) % 7);
    const grown = new Column(estimate);
    const keys: string[] = [];
    const measured = new Map<string, number>();
    for (let step = 1; step <= 200; step++) {
      for (let more = 0; more < 1 + (step % 3); more++) keys.push(`k${keys.length}`);
      grown.setKeys([...keys]);
      const key = `k${step % keys.length}`;
      grown.measure(key, 100 + step);
      measured.set(key, 100 + step);
    }
    const fresh = new Column((key) => measured.get(key) ?? estimate(key));
    fresh.setKeys([...keys]);
    for (let at = 0; at <= keys.length; at++) expect(grown.offset(at)).toBeCloseTo(fresh.offset(at));
    for (let at = 0; at < keys.length; at++) expect(grown.at(grown.offset(at) + 1)).toBe(at);
    // Another key in the middle is no growing at the end.
    grown.setKeys([...keys.slice(0, 5), "x", ...keys.slice(5)]);
    expect([grown.indexOf("x"), grown.length]).toEqual([5, keys.length + 1]);
  });
});
