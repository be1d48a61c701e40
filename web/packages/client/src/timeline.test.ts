import type { TimelineItemJson } from "@frontdesk/protocol";
import { describe, expect, it } from "vitest";
import { toEntry } from "./model";
import { TRIM_ABOVE, TRIM_TO, Timeline } from "./timeline";

const EPOCH = "5";

function entry(seq: number, more: Record<string, unknown> = {}): TimelineItemJson {
  return { entry: { seq: String(seq), id: `e${seq}`, content: { text: { body: `m${seq}` } }, ...more } };
}

function skip(fromSeq: number, toSeq: number): TimelineItemJson {
  return { skip: { fromSeq: String(fromSeq), toSeq: String(toSeq) } };
}

function shown(timeline: Timeline): string[] {
  return timeline.lines.value.map((line) => {
    if (line.kind === "skip") return `${line.fromSeq}-${line.toSeq}`;
    return line.body.kind === "text" ? line.body.text : `${line.seq}:${line.body.kind}`;
  });
}

function loaded(...items: TimelineItemJson[]): Timeline {
  const timeline = new Timeline();
  timeline.reset({ epoch: EPOCH, seq: "0" }, items, false);
  return timeline;
}

describe("timeline", () => {
  it("stays dense whatever order, repetition or size the pushes have", () => {
    const all = [entry(1), skip(2, 4), entry(5), entry(6), skip(7, 7), entry(8), entry(9), entry(10)];
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let run = 0; run < 200; run++) {
      const timeline = loaded();
      const pushes = [...all, ...all].sort(() => random(3) - 1);
      let last: string = "ok";
      while (pushes.length > 0) last = timeline.append(EPOCH, pushes.splice(0, 1 + random(3)));
      expect(last).toBe("ok");
      expect(shown(timeline)).toEqual(["m1", "2-4", "m5", "m6", "7-7", "m8", "m9", "m10"]);
      expect(timeline.position()).toEqual({ epoch: EPOCH, seq: "10" });
    }
  });

  it("tells of a gap until it is filled", () => {
    const timeline = loaded(entry(1));
    expect(timeline.append(EPOCH, [entry(3)])).toBe("gap");
    expect(shown(timeline)).toEqual(["m1"]);
    expect(timeline.append(EPOCH, [entry(2)])).toBe("ok");
    expect(shown(timeline)).toEqual(["m1", "m2", "m3"]);
  });

  it("cuts a skip that overlaps what is held", () => {
    const timeline = loaded(entry(1), entry(2));
    expect(timeline.append(EPOCH, [skip(2, 5)])).toBe("ok");
    expect(shown(timeline)).toEqual(["m1", "m2", "3-5"]);
  });

  it("empties what was taken back, and what was erased", () => {
    const timeline = loaded(entry(1), entry(2));
    timeline.append(EPOCH, [entry(3, { content: undefined, retraction: { seq: "1" } })]);
    expect(shown(timeline)).toEqual(["1:tombstone", "m2", "3:retraction"]);
    timeline.append(EPOCH, [entry(2, { content: undefined, tombstone: { reason: "TOMBSTONE_REASON_ERASED" } })]);
    expect(shown(timeline)).toEqual(["1:tombstone", "2:tombstone", "3:retraction"]);
  });

  it("knows another life of the log", () => {
    const timeline = loaded(entry(1));
    expect(timeline.append("6", [entry(2)])).toBe("other-epoch");
    expect(shown(timeline)).toEqual(["m1"]);
  });

  it("adds older pages without doubling what is held", () => {
    const timeline = new Timeline();
    timeline.reset({ epoch: EPOCH, seq: "6" }, [entry(5), entry(6)], true);
    timeline.prepend(timeline.firstSeq, [entry(3), entry(4), entry(5)], true);
    timeline.prepend(timeline.firstSeq, [skip(1, 2)], false);
    expect(shown(timeline)).toEqual(["1-2", "m3", "m4", "m5", "m6"]);
    expect(timeline.moreBefore.value).toBe(false);
  });

  it("keeps the key of an own message from its ack to its echo", () => {
    const timeline = loaded();
    timeline.place(EPOCH, toEntry({ seq: "1", id: "e1", clientMsgId: "AAA=", content: { text: { body: "m1" } } }));
    const key = timeline.lines.value[0]?.key;
    timeline.append(EPOCH, [entry(1, { clientMsgId: "AAA=" })]);
    expect(timeline.lines.value).toHaveLength(1);
    expect(timeline.lines.value[0]?.key).toBe(key);
    expect(shown(timeline)).toEqual(["m1"]);
  });

  it("lets the oldest go, and takes them in again as a page", () => {
    const timeline = loaded();
    for (let seq = 1; seq <= TRIM_ABOVE; seq++) timeline.append(EPOCH, [entry(seq)]);
    timeline.trim();
    expect([timeline.lines.value.length, timeline.moreBefore.value]).toEqual([TRIM_ABOVE, false]);
    timeline.append(EPOCH, [entry(TRIM_ABOVE + 1)]);
    timeline.trim();
    const first = TRIM_ABOVE + 2 - TRIM_TO;
    expect([timeline.firstSeq, timeline.lastSeq, timeline.moreBefore.value]).toEqual([first, TRIM_ABOVE + 1, true]);
    expect(timeline.position()).toEqual({ epoch: EPOCH, seq: String(TRIM_ABOVE + 1) });
    // A page asked for before something was let go would leave a hole.
    timeline.prepend(1, [], false);
    expect([timeline.firstSeq, timeline.moreBefore.value]).toEqual([first, true]);
    timeline.prepend(first, [entry(first - 2), entry(first - 1)], true);
    expect([timeline.firstSeq, timeline.lines.value.length]).toEqual([first - 2, TRIM_TO + 2]);
  });

  it("holds no more after thousands of live messages than after the first hundreds", () => {
    const timeline = loaded();
    const held: number[] = [];
    for (let seq = 1; seq <= 2_000; seq++) {
      timeline.append(EPOCH, [entry(seq)]);
      timeline.trim();
      held.push(timeline.lines.value.length);
    }
    expect(Math.max(...held)).toBe(TRIM_ABOVE);
    expect(shown(timeline).slice(-1)).toEqual(["m2000"]);
  });

  it("knows what is taken back of lines that come later, and forgets it with those it let go", () => {
    const timeline = new Timeline();
    timeline.reset({ epoch: EPOCH, seq: "6" }, [entry(5, { content: undefined, retraction: { seq: "3" } }), entry(6)], true);
    timeline.prepend(timeline.firstSeq, [entry(3), entry(4)], true);
    expect(shown(timeline)).toEqual(["3:tombstone", "m4", "5:retraction", "m6"]);
    expect([timeline.entry(4)?.seq, timeline.entry(2), timeline.entry(7)]).toEqual([4, undefined, undefined]);
  });
});
