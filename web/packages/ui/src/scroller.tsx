// A list that grows at both ends and never jumps. What the reader looks at stays where it is while
// rows come in above or below or change their height; a reader at the end stays at the end. Long
// lists are rendered in part.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { visibleRange } from "./windowing";

/** So near to an edge counts as there. */
const NEAR_PX = 48;
const OVERSCAN_PX = 800;
const LOAD_BEFORE_PX = 400;

export type ScrollerRow = {
  readonly key: string;
  /** Stands above whatever comes first, as a day's mark does: no row to hold on to. */
  readonly loose?: boolean;
};

type Anchor = { readonly key: string; readonly top: number };

export type ScrollerProps<R extends ScrollerRow> = {
  readonly rows: readonly R[];
  readonly render: (row: R) => ComponentChildren;
  readonly label: string;
  /** Height of a row nobody has seen yet. */
  readonly estimatePx: number;
  /** Before the first row, for example a greeting or "loading". */
  readonly header?: ComponentChildren;
  /** After the last row, for example who is typing. */
  readonly footer?: ComponentChildren;
  /** The reader came near the first row. */
  readonly onNearTop: () => void;
  readonly onAtEnd: (atEnd: boolean) => void;
  /** Grows to bring the reader to the end, for example after sending. */
  readonly toEnd: number;
};

export function Scroller<R extends ScrollerRow>(props: ScrollerProps<R>): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const heights = useRef(new Map<string, number>());
  const anchor = useRef<Anchor | undefined>(undefined);
  const atEnd = useRef(true);
  /** As the last look found it. */
  const known = useRef({ top: 0, width: 0, height: 0 });
  const latest = useRef(props);
  const [view, setView] = useState({ top: Number.MAX_SAFE_INTEGER, height: 0 });
  latest.current = props;

  // What is rendered follows the reader's place, not the place's old number of pixels: rows that came
  // in above have moved it, and the row to hold on to has to be there.
  const all = props.rows.map((row) => heights.current.get(row.key) ?? props.estimatePx);
  const held = anchor.current;
  const at = held ? props.rows.findIndex((row) => row.key === held.key) : -1;
  const until = atEnd.current ? all.length : at;
  const before = all.slice(0, Math.max(0, until)).reduce((sum, height) => sum + height, 0);
  const top = atEnd.current ? before - view.height : held && at >= 0 ? before - held.top : view.top;
  const range = visibleRange(all, top, view.height, OVERSCAN_PX);

  const settle = (): void => {
    const element = box.current;
    if (!element || !list.current) return;
    measure(list.current, heights.current);
    if (atEnd.current) element.scrollTop = element.scrollHeight;
    else if (anchor.current) {
      const now = topOf(list.current, anchor.current.key, element);
      if (now !== undefined) element.scrollTop += now - anchor.current.top;
    }
    known.current = { top: element.scrollTop, width: element.clientWidth, height: element.clientHeight };
  };

  const onScroll = (): void => {
    const element = box.current;
    if (!element || !list.current) return;
    // Only a reader goes up; a window of another size, or half covered by a keyboard, scrolls by itself.
    const { top, width, height } = known.current;
    const resized = element.clientWidth !== width || element.clientHeight !== height;
    if (atEnd.current && (resized || element.scrollTop >= top)) settle();
    else known.current = { ...known.current, top: element.scrollTop };
    const end = element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR_PX;
    if (end !== atEnd.current) {
      atEnd.current = end;
      latest.current.onAtEnd(end);
    }
    anchor.current = firstVisible(list.current, element);
    setView((old) => {
      const moved = Math.abs(old.top - element.scrollTop) > OVERSCAN_PX / 4 || old.height !== element.clientHeight;
      return moved ? { top: element.scrollTop, height: element.clientHeight } : old;
    });
    if (element.scrollTop < LOAD_BEFORE_PX) latest.current.onNearTop();
  };

  useLayoutEffect(settle);

  useLayoutEffect(() => {
    atEnd.current = true;
    settle();
    latest.current.onAtEnd(true);
  }, [props.toEnd]);

  useEffect(() => {
    const element = box.current;
    if (!element || !content.current || typeof ResizeObserver !== "function") return undefined;
    // Images that load, texts that wrap anew, a keyboard that covers half of the window.
    const observer = new ResizeObserver(() => {
      settle();
      onScroll();
    });
    observer.observe(element);
    observer.observe(content.current);
    return () => observer.disconnect();
  }, []);

  return (
    <div class="scroller" ref={box} onScroll={onScroll} role="log" aria-label={props.label} aria-live="off" tabIndex={0}>
      <div ref={content}>
        {props.header}
        <div ref={list} style={{ paddingTop: `${range.above}px`, paddingBottom: `${range.below}px` }}>
          {props.rows.slice(range.start, range.end).map((row) => (
            <div key={row.key} data-row={row.key} data-loose={row.loose}>
              {props.render(row)}
            </div>
          ))}
        </div>
        {props.footer}
      </div>
    </div>
  );
}

function rowsOf(list: HTMLElement): HTMLElement[] {
  return Array.from(list.children).filter((child): child is HTMLElement => child instanceof HTMLElement);
}

function measure(list: HTMLElement, heights: Map<string, number>): void {
  for (const row of rowsOf(list)) heights.set(row.dataset.row ?? "", row.offsetHeight);
}

function firstVisible(list: HTMLElement, box: HTMLElement): Anchor | undefined {
  const edge = box.getBoundingClientRect().top;
  for (const row of rowsOf(list)) {
    const place = row.getBoundingClientRect();
    if (place.bottom > edge && row.dataset.loose === undefined) return { key: row.dataset.row ?? "", top: place.top - edge };
  }
  return undefined;
}

function topOf(list: HTMLElement, key: string, box: HTMLElement): number | undefined {
  const row = rowsOf(list).find((candidate) => candidate.dataset.row === key);
  return row ? row.getBoundingClientRect().top - box.getBoundingClientRect().top : undefined;
}
