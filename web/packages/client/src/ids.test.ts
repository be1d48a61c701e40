import { describe, expect, it } from "vitest";
import { FakeBrowser, FakeClock, FakeServer } from "../testing";
import { MessageIds } from "./ids";

describe("message ids", () => {
  it("are 16 bytes, never repeat and rise, even when the clock goes back", async () => {
    const clock = new FakeClock();
    const ids = new MessageIds(clock, new FakeBrowser(clock, new FakeServer(clock)).tab().random);
    const made: string[] = [];
    for (let at = 0; at < 70_000; at++) made.push(Buffer.from(ids.next(), "base64").toString("hex"));
    clock.sleep(-60_000);
    made.push(Buffer.from(ids.next(), "base64").toString("hex"));
    await clock.advance(120_000);
    made.push(Buffer.from(ids.next(), "base64").toString("hex"));
    expect(new Set(made.map((id) => id.length))).toEqual(new Set([32]));
    for (let at = 1; at < made.length; at++) expect((made[at] ?? "") > (made[at - 1] ?? "")).toBe(true);
  });
});
