// What changed between two texts, by lines.

export type DiffLine = { readonly kind: "same" | "added" | "removed"; readonly text: string };

/** Longer texts are shown as all removed and all added: comparing them would take too long. */
const cellsMax = 4_000_000;

export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const same = (lines: readonly string[]): DiffLine[] => lines.map((text) => ({ kind: "same", text }));
  return [...same(a.slice(0, head)), ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)), ...same(a.slice(a.length - tail))];
}

function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  const removed = (text: string): DiffLine => ({ kind: "removed", text });
  const added = (text: string): DiffLine => ({ kind: "added", text });
  if (a.length * b.length > cellsMax || a.length === 0 || b.length === 0) return [...a.map(removed), ...b.map(added)];
  // The longest common run of lines, from the end.
  const wide = b.length + 1;
  const common = new Uint16Array((a.length + 1) * wide);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * wide + j] = a[i] === b[j] ? (common[(i + 1) * wide + j + 1] ?? 0) + 1 : Math.max(common[(i + 1) * wide + j] ?? 0, common[i * wide + j + 1] ?? 0);
    }
  }
  const out: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      out.push({ kind: "same", text: a[i] ?? "" });
      i += 1;
      j += 1;
    } else if ((common[(i + 1) * wide + j] ?? 0) >= (common[i * wide + j + 1] ?? 0)) out.push(removed(a[i++] ?? ""));
    else out.push(added(b[j++] ?? ""));
  }
  return [...out, ...a.slice(i).map(removed), ...b.slice(j).map(added)];
}

export type DiffPart = { readonly kind: "lines"; readonly lines: readonly DiffLine[] } | { readonly kind: "skipped"; readonly count: number };

/** Only what changed, with a few lines around it. */
export function around(lines: readonly DiffLine[], context = 2): readonly DiffPart[] {
  const near = new Set<number>();
  lines.forEach((line, at) => {
    if (line.kind !== "same") for (let other = at - context; other <= at + context; other++) near.add(other);
  });
  const parts: DiffPart[] = [];
  let skipped = 0;
  let shown: DiffLine[] = [];
  const flush = () => {
    if (shown.length > 0) parts.push({ kind: "lines", lines: shown });
    shown = [];
  };
  lines.forEach((line, at) => {
    if (near.has(at)) {
      if (skipped > 0) parts.push({ kind: "skipped", count: skipped });
      skipped = 0;
      shown.push(line);
    } else {
      flush();
      skipped += 1;
    }
  });
  flush();
  if (skipped > 0 && parts.length > 0) parts.push({ kind: "skipped", count: skipped });
  return parts;
}
