// The live conversation list: views with counts, search, and rows of a fixed height of which only
// those on the screen exist.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { relativeTime } from "@frontdesk/i18n";
import type { Sight } from "../../model/list";
import { belongs, shiftOf } from "../../model/list";
import type { ListView } from "../../model/route";
import { listViews } from "../../model/route";
import { waitClock, warmth } from "../../model/time";
import type { Row } from "../../model/types";
import { useConsole, useDesk } from "../context";
import type { IconName } from "../icons";
import { Avatar } from "../parts/avatar";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { IntentTag } from "../parts/intent";
import { Empty, Failed, SkeletonRows } from "../parts/states";
import { locale, problem, t } from "../text";
import { lineText } from "./line-text";

const rowHeight = 76;
const overscanRows = 6;

const viewIcons: Readonly<Record<ListView, IconName>> = { mine: "user", mentions: "at-sign", queue: "list-ordered", team: "users", all: "inbox", closed: "circle-check" };

export function ConversationList() {
  const app = useConsole();
  const { client, inbox, rights } = useDesk();
  const view = inbox.view.value;
  const counts = inbox.counts.value;
  const open = client.rows.value.size;
  const opened = useRef(open);
  // The feed tells of open ones: one less may be one more that is closed.
  useEffect(() => {
    if (open < opened.current) void (view === "closed" ? inbox.refreshClosed() : inbox.loadCounts());
    opened.current = open;
  }, [open]);
  const shown = listViews.filter((name) => (name !== "mentions" || counts.mentions > 0 || view === "mentions") && (name !== "team" || inbox.viewer.teams.size > 0) && (name !== "all" || rights.any("conversation.read.team", "conversation.read.all")));
  return (
    <section class="list-pane" aria-label={t("list.label")} data-testid={view === "queue" ? "queue-view" : "list-view"}>
      <header class="list-head">
        <h1>{t("nav.inbox")}</h1>
        <div class="search">
          <Icon name="search" size={14} />
          <input type="search" class="search-input" placeholder={t("list.search")} aria-label={t("list.search")} value={inbox.query.value} data-testid="list-search" onInput={(event) => (inbox.query.value = event.currentTarget.value)} onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            inbox.query.value = "";
            event.currentTarget.blur();
          }} />
        </div>
      </header>
      <nav class="views" aria-label={t("list.views")}>
        {shown.map((name) => (
          <a key={name} class={`view-tab view-tab-${name}`} href={`#/inbox/${name}`} aria-current={view === name ? "page" : undefined} title={t(`view.${name}`)} data-testid={`view-${name}`}>
            <Icon name={viewIcons[name]} size={14} />
            <span class="view-name">{t(`view.${name}`)}</span>
            <span class={name === "closed" || client.listed.value ? "count" : "count count-unknown"}>{counts[name].toLocaleString(locale())}</span>
          </a>
        ))}
      </nav>
      <NotifyOffer />
      <Rows key={view} onOpen={(id) => app.openConversation(id)} />
    </section>
  );
}

/** Offers desktop notifications once: browsers let a page ask only after a click. */
function NotifyOffer() {
  const { signals } = useDesk();
  if (!signals.askable.value) return null;
  return (
    <div class="notify-offer" role="note" data-testid="notify-offer">
      <Icon name="bell" />
      <span class="notify-text">{t("notify.offer")}</span>
      <Button size="small" testid="notify-accept" onClick={() => void signals.ask()}>
        {t("notify.accept")}
      </Button>
      <Button size="small" kind="quiet" icon="x" label={t("notify.later")} testid="notify-later" onClick={() => signals.askLater()} />
    </div>
  );
}

function Rows({ onOpen }: { readonly onOpen: (id: string) => void }) {
  const app = useConsole();
  const desk = useDesk();
  const { inbox } = desk;
  const view = inbox.view.value;
  const order = inbox.order.value;
  const rows = inbox.rows.value;
  const route = app.route.value;
  const open = route.page === "inbox" ? route.conversation : null;
  const scroller = useRef<HTMLDivElement>(null);
  const [window_, setWindow] = useState({ top: 0, height: 800 });
  /** What is on the screen, of which order; none at the top, where new rows are to be seen. */
  const sight = useRef<{ readonly order: readonly string[]; readonly seen: Sight } | null>(null);

  useEffect(() => {
    if (view === "closed") void inbox.refreshClosed();
    return () => inbox.hold(null);
  }, [view]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWindow((known) => ({ ...known, height: element.clientHeight })));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // The open row stays in sight while the keyboard moves through the list.
  useLayoutEffect(() => {
    const element = scroller.current;
    const at = open === null ? -1 : order.indexOf(open);
    if (element === null || at < 0) return;
    const top = at * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight - element.clientHeight;
  }, [open]);

  // Rows that come in above push nothing that is being read.
  const known = sight.current;
  const shift = known === null || known.order === order ? 0 : shiftOf(order, known.seen);
  const top = Math.max(0, window_.top + shift * rowHeight);
  const look = (element: HTMLDivElement) => {
    const from = Math.floor(element.scrollTop / rowHeight);
    const to = Math.ceil((element.scrollTop + element.clientHeight) / rowHeight);
    sight.current = element.scrollTop < rowHeight / 2 ? null : { order, seen: { from, keys: order.slice(from, to) } };
  };
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    if (shift !== 0) {
      element.scrollTop += shift * rowHeight;
      setWindow({ top: element.scrollTop, height: element.clientHeight });
    }
    look(element);
  }, [order]);

  const start = Math.max(0, Math.floor(top / rowHeight) - overscanRows);
  const end = Math.min(order.length, Math.ceil((top + window_.height) / rowHeight) + overscanRows);
  const scrolled = (element: HTMLDivElement) => {
    setWindow({ top: element.scrollTop, height: element.clientHeight });
    look(element);
    if (view === "closed" && element.scrollHeight - element.scrollTop - element.clientHeight < 600) void inbox.loadClosed();
  };

  let body: ComponentChildren;
  if (order.length > 0) {
    body = (
      <ul class="rows" style={{ height: `${order.length * rowHeight}px` }} onMouseLeave={() => inbox.hold(null)}>
        {order.slice(start, end).map((id, at) => {
          const row = rows.get(id);
          return row === undefined ? null : <ListRow key={id} row={row} index={start + at} total={order.length} current={id === open} onOpen={onOpen} onRest={() => inbox.hold(id, sight.current?.seen)} />;
        })}
      </ul>
    );
  } else if (inbox.query.value.trim() !== "") {
    body = <Empty icon="search" title={t("list.none_found")}><p>{t("list.none_found_text")}</p></Empty>;
  } else if (view === "closed" ? inbox.closedMore.value === undefined && !inbox.closedFailed.value : !desk.client.listed.value) {
    body = <SkeletonRows count={7} />;
  } else if (view === "closed" && inbox.closedFailed.value) {
    body = <Failed text={problem("network")} onRetry={() => void inbox.loadClosed()} />;
  } else {
    body = (
      <Empty icon={viewIcons[view]} title={t(`empty.${view}`)}>
        <p>{t(`empty.${view}_text`)}</p>
        {view === "mine" && inbox.counts.value.queue > 0 && (
          <Button onClick={() => app.go({ page: "inbox", view: "queue", conversation: null })}>{t("empty.to_queue", { count: inbox.counts.value.queue })}</Button>
        )}
      </Empty>
    );
  }
  return (
    <div ref={scroller} class="rows-scroller" tabIndex={-1} onScroll={(event) => scrolled(event.currentTarget)}>
      {body}
    </div>
  );
}

type ListRowProps = { readonly row: Row; readonly index: number; readonly total: number; readonly current: boolean; readonly onOpen: (id: string) => void; readonly onRest: () => void };

function ListRow({ row, index, total, current, onOpen, onRest }: ListRowProps) {
  const app = useConsole();
  const desk = useDesk();
  const { inbox } = desk;
  const name = inbox.nameOf(row);
  const now = app.now.value;
  const { session } = row;
  const waitedMs = session.waitingSinceMs > 0 && session.status !== "closed" ? now - session.waitingSinceMs : 0;
  const mine = session.owner?.id === desk.me.id;
  const takeable = session.status === "queued" && desk.rights.has("conversation.write") && belongs(row, "queue", inbox.viewer);
  const at = row.last?.atMs ?? session.openedAtMs;
  return (
    <li class="row-slot" style={{ top: `${index * rowHeight}px` }} aria-setsize={total} aria-posinset={index + 1}>
      <a
        class={`row${row.unread > 0 || row.mentioned ? " row-unread" : ""}`}
        href={`#/inbox/${inbox.view.value}/${row.conversation}`}
        aria-current={current ? "true" : undefined}
        data-testid="conversation-row"
        data-conversation={row.conversation}
        data-status={session.status}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          onOpen(row.conversation);
        }}
        onMouseEnter={onRest}
      >
        <span class="row-avatar">
          <Avatar id={row.visitor} name={row.visitorName === "" ? "" : name} {...(row.visitorName === "" ? { icon: "user" as const } : {})} {...(row.visitorOnline ? { presence: "online" as const } : {})} />
          <span class="channel-mark" title={inbox.inboxName(session.inbox) || t("channel.web")}>
            <Icon name="globe" size={12} />
          </span>
        </span>
        <span class="row-text">
          <span class="row-line">
            <span class="row-name">{name}</span>
            {session.priority > 2 && <span class="tag tag-warning">{session.priority >= 4 ? t("priority.urgent") : t("priority.high")}</span>}
            <time class="row-time">{relativeTime(at, now, locale())}</time>
          </span>
          <span class="row-line">
            <span class="row-last">
              {row.last?.team === true && <Icon name="lock" size={12} />}
              {row.last !== null && (row.last.actor.kind === "agent" || row.last.actor.kind === "bot") && <span class="row-who">{t("list.said_by", { name: row.last.actor.id === desk.me.id ? t("you") : row.last.actor.name || t("bot") })}</span>}
              {row.last === null ? t("list.no_message") : lineText(row.last)}
            </span>
            {row.mentioned && (
              <span class="badge badge-mention" title={t("list.mentioned")} data-testid="row-mentioned">
                <Icon name="at-sign" size={12} />
                <span class="visually-hidden">{t("list.mentioned")}</span>
              </span>
            )}
            {row.unread > 0 && (
              <span class="badge" aria-label={t("list.unread", { count: row.unread })}>
                {row.unread > 99 ? "99+" : row.unread}
              </span>
            )}
          </span>
          <span class="row-line row-meta">
            <StateMark row={row} mine={mine} />
            {session.intent !== "" && <IntentTag intent={session.intent} testid="row-intent" />}
            {waitedMs > 0 && (
              <span class={`wait wait-${warmth(waitedMs, inbox.directory.value.answerWithinMs)}`} title={t("list.waiting_title")}>
                <Icon name="clock" size={12} />
                {waitClock(waitedMs)}
              </span>
            )}
          </span>
        </span>
      </a>
      {takeable && (
        <span class="row-take">
          <Button
            size="small"
            kind="primary"
            testid="row-take"
            onClick={() => {
              void desk.command(row.conversation, { take: {} }, session.version).then((taken) => taken && app.openConversation(row.conversation, "mine"));
            }}
          >
            {t("take")}
          </Button>
        </span>
      )}
    </li>
  );
}

function StateMark({ row, mine }: { readonly row: Row; readonly mine: boolean }) {
  const { inbox } = useDesk();
  const { session } = row;
  const team = inbox.teamName(session.team, locale());
  if (session.status === "closed") {
    return (
      <span class="row-state">
        <Icon name="circle-check" size={12} />
        <span>{session.rating > 0 ? t("list.closed_rated", { rating: session.rating }) : t("list.closed")}</span>
      </span>
    );
  }
  if (session.status === "queued") {
    return (
      <span class="row-state">
        <Icon name={session.unattended ? "moon" : "list-ordered"} size={12} />
        <span>{session.unattended ? t("list.unattended") : team === "" ? t("list.queued") : t("list.queued_in", { team })}</span>
      </span>
    );
  }
  return (
    <span class="row-state">
      <Icon name={session.status === "pending" ? "hourglass" : session.owner?.kind === "bot" ? "bot" : "user-check"} size={12} />
      <span>{mine ? t("list.mine") : (session.owner?.name ?? "")}</span>
    </span>
  );
}
