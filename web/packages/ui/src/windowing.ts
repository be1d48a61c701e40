// Which rows of a long list are worth rendering. Pure: heights in, range out.

export type Range = {
  readonly start: number;
  /** One past the last rendered row. */
  readonly end: number;
  /** Pixels of the rows that are not rendered, above and below. */
  readonly above: number;
  readonly below: number;
};

/** So few rows are all rendered: find-in-page and screen readers see everything. */
export const RENDER_ALL_UP_TO = 150;

export function visibleRange(heights: readonly number[], scrollTop: number, viewport: number, overscan: number): Range {
  if (heights.length <= RENDER_ALL_UP_TO) return { start: 0, end: heights.length, above: 0, below: 0 };
  const from = scrollTop - overscan;
  const to = scrollTop + viewport + overscan;
  let start = 0;
  let above = 0;
  while (start < heights.length - 1 && above + (heights[start] ?? 0) < from) {
    above += heights[start] ?? 0;
    start += 1;
  }
  let end = start;
  let bottom = above;
  while (end < heights.length && bottom < to) {
    bottom += heights[end] ?? 0;
    end += 1;
  }
  let below = 0;
  for (let at = end; at < heights.length; at++) below += heights[at] ?? 0;
  return { start, end, above, below };
}
