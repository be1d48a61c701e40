import { describe, expect, it } from "vitest";
import { Reading, redrawsMax } from "./reading";
import { Column } from "./virtual";

const height = 692;

/** Estimates and true heights differ as much as real ones do, always in the same way. */
function rows(count: number, seed: number) {
  const estimate = (key: string) => 30 + ((Number(key) * 7919 + seed) % 160);
  const truth = (key: string) => 22 + ((Number(key) * 104_729 + seed * 31) % 330) + 0.25;
  const column = new Column(estimate);
  column.setKeys(Array.from({ length: count }, (_, at) => String(at)));
  const reading = new Reading(column, () => false);
  reading.height = height;
  return { column, reading, truth };
}

/** Draws as the page does until nothing more is to be drawn; says how often. */
function settle(reading: Reading, truth: (key: string, drawing: number) => number): number {
  for (let drawing = 1; ; drawing++) {
    const span = reading.span();
    let changed = false;
    for (const key of reading.column.keys.slice(span.start, span.end)) changed = reading.column.measure(key, truth(key, drawing)) || changed;
    if (!reading.drawn(span, changed)) return drawing;
  }
}

describe("a reader of a long column", () => {
  it("gets to the end in few drawings, whatever the heights turn out to be", () => {
    for (let seed = 0; seed < 300; seed++) {
      const { column, reading, truth } = rows(10_000, seed);
      reading.scrolled(0, false);
      expect(settle(reading, truth)).toBeLessThan(10);
      reading.scrolled(0, true);
      expect(settle(reading, truth)).toBeLessThan(10);
      const span = reading.span();
      expect(span.end).toBe(10_000);
      expect(column.offset(span.start)).toBeLessThanOrEqual(column.total - height);
      for (const key of column.keys.slice(span.start)) expect(column.measure(key, truth(key))).toBe(false);
    }
  });

  it("keeps the row at the upper edge while heights before it change and rows come in", () => {
    const { column, reading, truth } = rows(400, 3);
    reading.scrolled(9_000, false);
    settle(reading, truth);
    const { place } = reading;
    if (place.kind !== "row") throw new Error("no row is held");
    const before = reading.top - column.offset(column.indexOf(place.key));
    for (let at = 0; at < 20; at++) column.measure(String(at), 500);
    expect(reading.top - column.offset(column.indexOf(place.key))).toBe(before);
    column.setKeys([...Array.from({ length: 50 }, (_, at) => String(1_000 + at)), ...column.keys]);
    settle(reading, truth);
    expect(reading.top - column.offset(column.indexOf(place.key))).toBe(before);
  });

  it("does not hold on to a day's mark, nor to the row whose head goes when older ones come", () => {
    const column = new Column(() => 40);
    const reading = new Reading(column, (key) => key.startsWith("day"));
    reading.height = height;
    const line = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `line ${from + at}`);
    column.setKeys(["day 2", ...line(50, 100)]);
    reading.scrolled(0, false);
    expect(reading.place).toEqual({ kind: "row", key: "line 51", above: -80 });
    // The mark goes up with the older rows, and line 50 becomes one of a group.
    column.setKeys(["day 1", ...line(0, 50), ...line(50, 100)]);
    column.measure("line 50", 16);
    expect(reading.top).toBe(column.offset(column.indexOf("line 51")) - 80);
    column.setKeys(["day 1"]);
    reading.scrolled(0, false);
    expect(reading.top).toBe(0);
  });

  it("keeps its place below older rows where the first ones turned out shorter than thought", () => {
    const column = new Column(() => 60);
    const reading = new Reading(column, () => false);
    reading.height = height;
    const newer = Array.from({ length: 50 }, (_, at) => `newer ${at}`);
    column.setKeys(newer);
    reading.scrolled(0, false);
    settle(reading, () => 50);
    expect(reading.top).toBe(0);
    column.setKeys([...Array.from({ length: 50 }, (_, at) => `older ${at}`), ...newer]);
    settle(reading, () => 50);
    expect(reading.top).toBe(column.offset(column.indexOf("newer 0")));
  });

  it("never looks beyond either end", () => {
    const { column, reading } = rows(30, 1);
    reading.scrolled(column.total - height - 1, false);
    for (const key of column.keys) column.measure(key, 25);
    expect(reading.top).toBe(column.total - height);
    for (const key of column.keys) column.measure(key, 5);
    expect(reading.top).toBe(0);
  });

  it("stops drawing where heights never agree, until somebody scrolls", () => {
    const { reading } = rows(1_000, 1);
    const restless = (_key: string, drawing: number) => (drawing % 2 === 0 ? 40 : 90);
    expect(settle(reading, restless)).toBe(redrawsMax);
    reading.scrolled(0, true);
    expect(settle(reading, restless)).toBe(redrawsMax);
  });
});
