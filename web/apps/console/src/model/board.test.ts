import { describe, expect, it } from "vitest";
import { Board } from "./board";
import { countRows, rowsOf } from "./list";
import { listViews } from "./route";
import type { Row } from "./types";
import { toRow } from "./wire";

const viewer = { user: "me", teams: new Set(["t1"]) };
const statuses = ["SESSION_STATUS_QUEUED", "SESSION_STATUS_ASSIGNED", "SESSION_STATUS_CLOSED"] as const;

/** Always the same numbers in the same order. */
function numbers(seed: number) {
  let state = seed;
  return (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
}

function made(id: number, random: (below: number) => number): Row {
  const at = String(1_000 + random(500));
  return toRow({
    conversation: `c${id}`,
    unread: random(3),
    session: {
      status: statuses[random(3)] ?? "SESSION_STATUS_QUEUED",
      owner: { id: random(2) === 0 ? "me" : "you" },
      team: `t${random(3)}`,
      openedAtMs: at,
      queuedAtMs: at,
      waitingSinceMs: at,
      closedAtMs: at,
      priority: 1 + random(4),
    },
    last: { seq: "1", atMs: at },
  });
}

describe("the board", () => {
  it("stands as if everything were counted and sorted anew, whatever changed", () => {
    const random = numbers(11);
    const board = new Board(viewer);
    let rows = new Map<string, Row>();
    for (let step = 0; step < 300; step++) {
      rows = new Map(rows);
      const many = step % 40 === 0 ? 30 : 1 + random(3);
      for (let change = 0; change < many; change++) {
        const id = random(120);
        if (random(5) === 0) rows.delete(`c${id}`);
        else rows.set(`c${id}`, made(id, random));
      }
      board.take(rows);
      expect(board.counts).toEqual(countRows(rows.values(), viewer));
      for (const view of listViews) {
        expect(board.order(view).map((row) => row.conversation)).toEqual(rowsOf(rows.values(), view, viewer).map((row) => row.conversation));
      }
    }
    let unread = 0;
    for (const row of rows.values()) if (row.session.status !== "closed" && row.session.owner?.id === "me") unread += row.unread;
    expect(board.unread).toBe(unread);
  });
});
