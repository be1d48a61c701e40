// A flow as boxes and arrows: which steps its file has and where each leads, read line by line, and where the boxes
// stand. The file may be half written: what cannot be read is left out, and the server says what is wrong with it.

export const stepKinds = ["say", "ask", "form", "answer", "set", "if", "handover", "close", "end"] as const;
export type StepKind = (typeof stepKinds)[number];
/** `label`: the choice or the outcome that leads there; empty where there is only one way. */
export type Way = { readonly to: string; readonly label: string };
export type FlowStep = { readonly name: string; readonly line: number; readonly kind: StepKind | null; readonly ways: readonly Way[] };

const key = /^(\s*)(?:- +)?(["']?)([^\s"'#:,{}[\]]+)\2\s*:(?:\s|$)/;
const stepsMax = 200;

/** Without a comment; a "#" inside a word or in quotes is none. */
function bare(line: string): string {
  if (!line.includes("#")) return line;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const sign = line[at] ?? "";
    if (quote !== "") {
      if (sign === quote) quote = "";
    } else if (sign === '"' || sign === "'") {
      if (at === 0 || /[\s{[,:-]/.test(line[at - 1] ?? "")) quote = sign;
    } else if (sign === "#" && (at === 0 || /\s/.test(line[at - 1] ?? ""))) return line.slice(0, at);
  }
  return line;
}

/** The steps of a flow's file in their order. */
export function readSteps(yaml: string): readonly FlowStep[] {
  const lines = yaml.split("\n").map((line) => bare(line.replace(/\t/g, "  ")).trimEnd());
  const from = lines.findIndex((line) => /^steps\s*:\s*$/.test(line));
  if (from < 0) return [];
  const steps: FlowStep[] = [];
  let indent = -1;
  let at = from + 1;
  while (at < lines.length && steps.length < stepsMax) {
    const line = lines[at] ?? "";
    const inset = line.length - line.trimStart().length;
    if (line.trim() === "") {
      at += 1;
      continue;
    }
    if (inset === 0) break;
    if (indent < 0) indent = inset;
    const name = inset === indent ? key.exec(line)?.[3] : undefined;
    if (name === undefined) {
      at += 1;
      continue;
    }
    const end = bodyEnd(lines, at + 1, indent);
    const first = line.slice(line.indexOf(":") + 1);
    steps.push(stepOf(name, at + 1, [first, ...lines.slice(at + 1, end)]));
    at = end;
  }
  return steps;
}

function bodyEnd(lines: readonly string[], from: number, indent: number): number {
  let at = from;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.trim() !== "" && line.length - line.trimStart().length <= indent) break;
    at += 1;
  }
  return at;
}

function stepOf(name: string, line: number, body: readonly string[]): FlowStep {
  const kind = kindOf(body);
  const ways: Way[] = [];
  let choice = "";
  let inset = -1;
  for (const text of body) {
    if (text.trim() === "") continue;
    const own = text.length - text.trimStart().length;
    const id = /(?:^|[\s{,])id\s*:\s*["']?([^\s"',}]+)/.exec(text)?.[1];
    if (id !== undefined) choice = id;
    if (inset < 0 && key.test(text)) inset = own;
    for (const found of text.matchAll(/(?:^|[\s{,])(goto|found|nothing)\s*:\s*["']?([^\s"',}\]]+)/g)) {
      const [, word = "", to = ""] = found;
      const outer = kind === "if" && word === "goto" && own === inset && !/^\s*if\s*:/.test(text);
      const label = kind === "ask" ? choice : kind === "answer" ? word : kind === "if" ? (outer ? "else" : "then") : "";
      if (word === "goto" || kind === "answer") ways.push({ to, label });
    }
  }
  return { name, line, kind, ways };
}

function kindOf(body: readonly string[]): StepKind | null {
  for (const text of body) {
    for (const found of text.matchAll(/(?:^|[\s{,])([a-z]+)\s*:/g)) {
      const kind = stepKinds.find((known) => known === found[1]);
      if (kind !== undefined) return kind;
    }
  }
  return null;
}

export type Box = { readonly step: FlowStep; readonly x: number; readonly y: number; /** Nothing leads to it. */ readonly lost: boolean };
export type Arrow = { readonly from: string; readonly to: string; readonly label: string; readonly path: string; readonly back: boolean; readonly labelX: number; readonly labelY: number };
export type Picture = { readonly width: number; readonly height: number; readonly boxes: readonly Box[]; readonly arrows: readonly Arrow[] };

export const boxWidth = 156;
export const boxHeight = 48;
const gapX = 28;
const gapY = 60;
const margin = 24;
/** Room for what leads back, which goes round at the side, and below the last row. */
const lane = 40;
const below = 12;

/** What stands in a row: a step, or the room that a way takes which passes the row. */
type Cell = { readonly step: FlowStep | null; readonly above: Cell[]; x: number; y: number };
/** A way with all it passes, from its step to the one it leads to. */
type Course = { readonly way: Way; readonly nth: number; readonly of: number; readonly cells: readonly Cell[] };

const passing = 18;
const widthOf = (cell: Cell) => (cell.step === null ? passing : boxWidth);

/** Boxes in rows by how many steps it takes to come to them; arrows that lead back go round at the side. */
export function drawFlow(all: readonly FlowStep[]): Picture {
  // Of two with one name, of which the server will complain, one is drawn.
  const steps = [...new Map(all.map((step) => [step.name, step])).values()];
  if (steps.length === 0) return { width: 0, height: 0, boxes: [], arrows: [] };
  const { rows: rowOf, lost } = rowsOf(steps, new Map(steps.map((step) => [step.name, step])));
  const rows: Cell[][] = Array.from({ length: Math.max(...rowOf.values()) + 1 }, () => []);
  const cellOf = new Map<string, Cell>();
  const rowAt = (step: FlowStep) => rowOf.get(step.name) ?? 0;
  const stand = (step: FlowStep | null, row: number): Cell => {
    const cell = { step, above: [], x: 0, y: margin + row * (boxHeight + gapY) };
    rows[row]?.push(cell);
    return cell;
  };
  for (const step of steps) cellOf.set(step.name, stand(step, rowAt(step)));
  const courses = steps.flatMap((step) => coursesOf(step, cellOf, rowAt, stand));
  order(rows);
  const wide = rows.map((row) => row.reduce((sum, cell) => sum + widthOf(cell) + gapX, -gapX));
  const width = Math.max(...wide) + 2 * margin + lane;
  rows.forEach((row, at) => {
    let x = (width - lane - (wide[at] ?? 0)) / 2;
    for (const cell of row) {
      cell.x = x;
      x += widthOf(cell) + gapX;
    }
  });
  const boxes = steps.flatMap((step) => {
    const cell = cellOf.get(step.name);
    return cell === undefined ? [] : [{ step, x: cell.x, y: cell.y, lost: lost.has(step.name) }];
  });
  return { width, height: 2 * margin + rows.length * boxHeight + (rows.length - 1) * gapY + below, boxes, arrows: courses.map((course) => arrowOf(course, width)) };
}

function coursesOf(step: FlowStep, cellOf: ReadonlyMap<string, Cell>, rowAt: (step: FlowStep) => number, stand: (step: null, row: number) => Cell): Course[] {
  const from = cellOf.get(step.name);
  const ways = step.ways.filter((way) => cellOf.has(way.to));
  return ways.flatMap((way, nth) => {
    const to = cellOf.get(way.to);
    if (from === undefined || to?.step == null) return [];
    const cells = [from];
    for (let row = rowAt(step) + 1; row < rowAt(to.step); row++) {
      const cell = stand(null, row);
      cell.above.push(cells[cells.length - 1] ?? from);
      cells.push(cell);
    }
    if (rowAt(to.step) > rowAt(step)) to.above.push(cells[cells.length - 1] ?? from);
    return [{ way, nth, of: ways.length, cells: [...cells, to] }];
  });
}

/**
 * How far each step is from the first one by the longest way that goes round nowhere; what it never comes to stands below
 * all others, in the same manner.
 */
function rowsOf(steps: readonly FlowStep[], byName: ReadonlyMap<string, FlowStep>): { readonly rows: ReadonlyMap<string, number>; readonly lost: ReadonlySet<string> } {
  const rows = new Map<string, number>();
  const lost = new Set<string>();
  let floor = 0;
  // What leads to others comes before them, so that they stand together.
  const led = new Set(steps.flatMap((step) => step.ways.flatMap((way) => (way.to === step.name ? [] : [way.to]))));
  const [first, ...others] = steps;
  const roots = first === undefined ? [] : [first, ...others.filter((step) => !led.has(step.name)), ...others];
  for (const [at, root] of roots.entries()) {
    if (rows.has(root.name)) continue;
    const found = under(root, byName, rows);
    for (const [name, row] of found) {
      rows.set(name, floor + row);
      if (at > 0) lost.add(name);
    }
    floor = Math.max(floor, ...rows.values()) + 1;
  }
  return { rows, lost };
}

/** The steps a step leads to, those `placed` apart, by the longest way. */
function under(root: FlowStep, byName: ReadonlyMap<string, FlowStep>, placed: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const order: FlowStep[] = [];
  const state = new Map<string, "open" | "done">();
  const forward = new Map<string, readonly string[]>();
  // Depth first, without recursion: a flow may be one long line of steps.
  const stack: { readonly step: FlowStep; next: number }[] = [];
  const enter = (step: FlowStep) => {
    state.set(step.name, "open");
    stack.push({ step, next: 0 });
  };
  enter(root);
  for (let top = stack[stack.length - 1]; top !== undefined; top = stack[stack.length - 1]) {
    const way = top.step.ways[top.next++];
    if (way === undefined) {
      stack.pop();
      state.set(top.step.name, "done");
      order.push(top.step);
      continue;
    }
    const target = byName.get(way.to);
    if (target === undefined || placed.has(target.name) || state.get(target.name) === "open") continue;
    forward.set(top.step.name, [...(forward.get(top.step.name) ?? []), target.name]);
    if (!state.has(target.name)) enter(target);
  }
  const rows = new Map<string, number>();
  for (const step of order.reverse()) {
    const row = rows.get(step.name) ?? 0;
    rows.set(step.name, row);
    for (const to of forward.get(step.name) ?? []) rows.set(to, Math.max(rows.get(to) ?? 0, row + 1));
  }
  return rows;
}

/** Each row in the order of what leads to it: fewer arrows cross. */
function order(rows: readonly Cell[][]): void {
  for (const [at, row] of rows.entries()) {
    const above = new Map((rows[at - 1] ?? []).map((cell, place) => [cell, place]));
    const weight = (cell: Cell) => (cell.above.length === 0 ? above.size : cell.above.reduce((sum, parent) => sum + (above.get(parent) ?? 0), 0) / cell.above.length);
    const weights = new Map(row.map((cell) => [cell, weight(cell)]));
    row.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0));
  }
}

function arrowOf({ way, nth, of, cells }: Course, width: number): Arrow {
  const [from, to] = [cells[0], cells[cells.length - 1]] as [Cell, Cell];
  // Several ways leave a box beside each other.
  const startX = from.x + (boxWidth * (nth + 1)) / (of + 1);
  const startY = from.y + boxHeight;
  const arrow = { from: from.step?.name ?? "", to: way.to, label: way.label, labelX: startX, labelY: startY + 14 };
  if (to.y <= from.y) {
    // Through the gap below, up the lane at the side, and down onto the step from the gap above it.
    const side = width - margin - 6 * (nth % 4);
    const endX = to.x + boxWidth * 0.75;
    return { ...arrow, back: true, path: rounded([[startX, startY], [startX, startY + 26], [side, startY + 26], [side, to.y - 16], [endX, to.y - 16], [endX, to.y - 6]]) };
  }
  let [x, y] = [startX, startY];
  let path = `M ${x} ${y}`;
  for (const cell of cells.slice(1)) {
    const [nextX, nextY] = [cell.x + widthOf(cell) / 2, cell === to ? cell.y - 6 : cell.y];
    const bend = (nextY - y) / 2;
    path += ` C ${x} ${y + bend}, ${nextX} ${nextY - bend}, ${nextX} ${nextY}`;
    [x, y] = [nextX, nextY];
    if (cell === to) break;
    y += boxHeight;
    path += ` L ${x} ${y}`;
  }
  return { ...arrow, back: false, path };
}

/** A line through these places, round at its corners. */
function rounded(points: readonly (readonly [x: number, y: number])[]): string {
  const radius = 8;
  const toward = ([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): readonly [number, number] => {
    const length = Math.hypot(x2 - x1, y2 - y1);
    const step = length === 0 ? 0 : Math.min(radius, length / 2) / length;
    return [x1 + (x2 - x1) * step, y1 + (y2 - y1) * step];
  };
  return points
    .map((point, at) => {
      const [before, after] = [points[at - 1], points[at + 1]];
      if (before === undefined) return `M ${point.join(" ")}`;
      if (after === undefined) return `L ${point.join(" ")}`;
      return `L ${toward(point, before).join(" ")} Q ${point.join(" ")} ${toward(point, after).join(" ")}`;
    })
    .join(" ");
}
