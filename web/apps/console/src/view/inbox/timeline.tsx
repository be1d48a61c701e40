// The timeline's scroller: draws only the rows on the screen and never lets the reader's place
// move. Whatever changes above (older pages, heights that turn out other than estimated), the row at
// the top of the window stays where it is; at the foot, the foot is kept instead.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "../../model/chat";
import { Reading, overscanPx } from "../../model/reading";
import type { TimelineRow } from "../../model/timeline-rows";
import { Column } from "../../model/virtual";
import { useDesk } from "../context";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Empty } from "../parts/states";
import { t } from "../text";
import { TimelineRowView } from "./message";

/** A message that was sought stands this far below the upper edge. */
const soughtBelow = 96;
/** Only a reader who stands this far down can spare what is above. */
const trimBelow = 3_000;
const flashMs = 1_600;

/** Closer than this to the foot counts as being there. */
const footSlack = 48;
const olderWithin = 800;

function estimate(row: TimelineRow | undefined): number {
  if (row === undefined) return 60;
  if (row.kind === "day" || row.kind === "unread") return 44;
  if (row.kind === "system") return 32;
  const extra = (row.first ? 28 : 0) + (row.last ? 8 : 2);
  if (row.body.kind === "file") {
    const { width, height } = row.body.file;
    return extra + (width > 0 ? Math.min(260, (height / width) * 320) : 64);
  }
  const text = row.body.kind === "text" ? row.body.text : "";
  return extra + 20 + 23 * Math.max(1, Math.ceil(text.length / 56));
}

export function Timeline({ chat }: { readonly chat: Chat }) {
  const desk = useDesk();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = chat.rows.value;
  const byKey = useRef(new Map<string, TimelineRow>());
  const reading = useRef<Reading>(new Reading(new Column((key) => estimate(byKey.current.get(key))), (key) => byKey.current.get(key)?.kind === "day"));
  const { column } = reading.current;
  const keys = useRef<{ readonly rows: readonly TimelineRow[]; readonly keys: readonly string[] }>({ rows: [], keys: [] });
  /** The reader has been put where the conversation is to be read from. */
  const placed = useRef(false);
  const [, redraw] = useState(0);
  const [atFoot, setAtFoot] = useState(true);
  const [seenSeq, setSeenSeq] = useState(0);
  const [olderFailed, setOlderFailed] = useState(false);
  const [flashing, setFlashing] = useState("");
  const more = chat.conversation.timeline.moreBefore.value;
  const outgoing = chat.conversation.outgoing.value.length;

  if (keys.current.rows !== rows) {
    byKey.current = new Map(rows.map((row) => [row.key, row]));
    keys.current = { rows, keys: rows.map((row) => row.key) };
    column.setKeys(keys.current.keys);
  }

  const span = reading.current.span();

  const keepPlace = () => {
    const element = scroller.current;
    // Not on the screen: nothing in it has a height.
    if (element === null || element.clientHeight === 0) return;
    reading.current.height = element.clientHeight;
    if (!placed.current) {
      placed.current = true;
      const unread = column.indexOf("unread");
      const below = unread < 0 ? 0 : column.total - column.offset(unread);
      if (below > element.clientHeight - 80) reading.current.place = { kind: "row", key: "unread", above: -56 };
    }
    const { place, top } = reading.current;
    const wanted = place.kind === "foot" ? element.scrollHeight - element.clientHeight : top;
    if (Math.abs(element.scrollTop - wanted) >= 1) element.scrollTop = wanted;
  };

  const measureRows = () => {
    const element = scroller.current;
    if (element === null || element.clientHeight === 0) return false;
    let changed = false;
    for (const child of element.querySelectorAll<HTMLElement>("[data-key]")) {
      changed = column.measure(child.dataset["key"] ?? "", child.getBoundingClientRect().height) || changed;
    }
    return changed;
  };

  // Heights are true only once drawn: measure, put the reader's place back, draw again if needed.
  useLayoutEffect(() => {
    const changed = measureRows();
    keepPlace();
    if (reading.current.drawn(span, changed)) redraw((version) => version + 1);
  });

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    let width = element.clientWidth;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth !== width) {
        width = element.clientWidth;
        measureRows();
      }
      keepPlace();
      redraw((version) => version + 1);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const loadOlder = () => {
    setOlderFailed(false);
    chat.conversation.loadOlder().then(fillAbove, () => setOlderFailed(true));
  };

  // A page may be of lines this reader does not see, and then nothing scrolls: more is fetched until
  // there is enough above.
  const fillAbove = () => {
    const element = scroller.current;
    if (element === null || element.clientHeight === 0) return;
    if (chat.conversation.timeline.moreBefore.peek() && element.scrollTop < olderWithin) loadOlder();
  };

  const scrolled = () => {
    const element = scroller.current;
    if (element === null) return;
    const foot = element.scrollHeight - element.clientHeight - element.scrollTop < footSlack;
    reading.current.scrolled(element.scrollTop, foot);
    setAtFoot(foot);
    if (more && !olderFailed && element.scrollTop < olderWithin) loadOlder();
    const next = reading.current.span(overscanPx / 2);
    if (next.start < span.start || next.end > span.end) redraw((version) => version + 1);
    tellRead();
  };

  const tellRead = () => {
    const element = scroller.current;
    if (element === null || document.visibilityState !== "visible" || !document.hasFocus()) return;
    const bottom = Math.min(column.at(element.scrollTop + element.clientHeight - 8) + 1, rows.length);
    const seq = lastSeqOf(rows, bottom);
    if (seq > 0) chat.conversation.read(seq);
    setSeenSeq((known) => Math.max(known, seq));
  };

  useEffect(() => {
    tellRead();
    window.addEventListener("focus", tellRead);
    return () => window.removeEventListener("focus", tellRead);
  }, [rows]);

  // A short page does not fill the window.
  useEffect(() => {
    if (more && !olderFailed) fillAbove();
  }, [more, rows.length]);

  const jump = () => {
    reading.current.place = { kind: "foot" };
    setAtFoot(true);
    keepPlace();
    redraw((version) => version + 1);
  };

  // A reader at the foot needs nothing of what is far above; it can be loaded again.
  useEffect(() => {
    const element = scroller.current;
    if (element === null || reading.current.place.kind !== "foot" || chat.reaching.peek()) return;
    if (element.scrollTop > trimBelow) chat.conversation.timeline.trim();
  }, [rows]);

  // A message that was sought: it comes onto the screen and shows itself.
  const sought = chat.sought.value;
  useLayoutEffect(() => {
    const row = sought === null ? undefined : rows.find((known) => (known.kind === "message" || known.kind === "note") && known.seq === sought.seq);
    if (row === undefined) return;
    reading.current.place = { kind: "row", key: row.key, above: -soughtBelow };
    setAtFoot(false);
    setFlashing(row.key);
    keepPlace();
    redraw((version) => version + 1);
    const timer = window.setTimeout(() => setFlashing(""), flashMs);
    return () => window.clearTimeout(timer);
  }, [sought]);

  // What I say I want to see.
  const said = useRef(outgoing);
  useLayoutEffect(() => {
    if (outgoing > said.current) jump();
    said.current = outgoing;
  }, [outgoing]);

  const missed = atFoot ? 0 : countNew(rows, seenSeq, desk.me.id);
  const typing = chat.conversation.typing.value;
  return (
    <div class="timeline-pane">
      <div ref={scroller} class="timeline" role="region" aria-label={t("timeline.label")} tabIndex={0} data-testid="timeline" onScroll={scrolled}>
        {rows.length === 0 ? (
          <Empty icon="message-square" title={t("timeline.empty")} />
        ) : (
          <div class="timeline-column" style={{ paddingTop: `${column.offset(span.start)}px`, paddingBottom: `${Math.max(0, column.total - column.offset(span.end))}px` }}>
            {rows.slice(span.start, span.end).map((row) => (
              <div key={row.key} class={row.key === flashing ? "timeline-row timeline-row-sought" : "timeline-row"} data-key={row.key}>
                <TimelineRowView row={row} chat={chat} />
              </div>
            ))}
          </div>
        )}
      </div>
      {olderFailed && (
        <div class="timeline-older" role="alert">
          <span>{t("timeline.older_failed")}</span>
          <Button size="small" onClick={loadOlder}>
            {t("retry")}
          </Button>
        </div>
      )}
      {!atFoot && (
        <button type="button" class="jump" data-testid="jump-to-latest" onClick={jump}>
          <Icon name="arrow-down" size={14} />
          {missed > 0 ? t("timeline.jump_new", { count: missed }) : t("timeline.latest")}
        </button>
      )}
      <div class="typing" aria-live="off" data-testid="typing">
        {typing !== undefined && (
          <>
            <span class="typing-dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            <span class="typing-text">{typing.text === "" ? t("timeline.typing", { name: typing.actor.name || t("visitor") }) : t("timeline.typing_text", { name: typing.actor.name || t("visitor"), text: typing.text })}</span>
          </>
        )}
      </div>
    </div>
  );
}

/** The newest seq of the rows before `end`. */
function lastSeqOf(rows: readonly TimelineRow[], end: number): number {
  for (let at = end - 1; at >= 0; at--) {
    const row = rows[at];
    if (row?.kind === "system") return row.entry.seq;
    if ((row?.kind === "message" || row?.kind === "note") && row.seq > 0) return row.seq;
  }
  return 0;
}

function countNew(rows: readonly TimelineRow[], seenSeq: number, user: string): number {
  let count = 0;
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at];
    if (row === undefined || row.kind === "day" || row.kind === "unread" || row.kind === "system") continue;
    if (row.seq > 0 && row.seq <= seenSeq) break;
    if (row.seq > 0 && row.actor.id !== user) count += 1;
  }
  return count;
}
