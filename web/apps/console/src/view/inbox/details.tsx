// What is known about the visitor and the session. A column of its own where there is room, else a
// sheet that slides over the timeline.
import { clockTime, dateOf, duration, relativeTime } from "@frontdesk/i18n";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Device } from "../../model/api";
import type { Chat } from "../../model/chat";
import { useConsole, useDesk } from "../context";
import { Avatar } from "../parts/avatar";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { SkeletonFacts } from "../parts/states";
import { locale, t } from "../text";
import { ContactSection } from "./contact";
import { IntentFact } from "./intent";
import { PastSessions, Stars } from "./past";
import { Summary } from "./assist";

export function Details({ chat, open, onClose }: { readonly chat: Chat; readonly open: boolean; readonly onClose: () => void }) {
  const app = useConsole();
  const { inbox, me } = useDesk();
  const row = chat.row.value;
  const session = chat.session.value;
  const known = chat.details.value;
  const pane = useRef<HTMLElement>(null);
  const now = app.now.value;
  useEffect(() => {
    if (open) pane.current?.querySelector<HTMLElement>("button")?.focus();
  }, [open]);
  const page = known.kind === "loaded" ? known.details.page_url : "";
  const referrer = known.kind === "loaded" ? (known.details.referrer ?? "") : "";
  const device = known.kind === "loaded" ? deviceText(known.details.device) : "";
  const team = inbox.teamName(session.team, locale());
  const moment = (atMs: number) => `${dateOf(atMs, now, locale())} ${clockTime(atMs, locale())}`;
  const others = session.participants.filter((participant) => participant.id !== session.owner?.id);
  return (
    <aside ref={pane} class={`details-pane${open ? " details-open" : ""}`} aria-label={t("details.label")} data-testid="details" onKeyDown={(event) => {
      if (event.key !== "Escape" || !open) return;
      event.stopPropagation();
      onClose();
    }}>
      <header class="details-head">
        <h2>{t("details.label")}</h2>
        <span class="only-folded">
          <Button icon="x" kind="quiet" label={t("close")} onClick={onClose} />
        </span>
      </header>
      {row !== null && (
        <section class="details-visitor">
          <Avatar id={row.visitor} name={row.visitorName} size="large" {...(row.visitorName === "" ? { icon: "user" as const } : {})} />
          <h3 data-testid="details-name">{inbox.nameOf(row)}</h3>
          <p class={row.visitorOnline ? "presence-line presence-line-online" : "presence-line"}>{row.visitorOnline ? t("visitor.here") : t("visitor.gone")}</p>
        </section>
      )}
      {known.kind === "failed" && (
        <div class="details-failed" role="alert">
          <span>{t("details.failed")}</span>
          <Button size="small" onClick={() => void chat.loadDetails()}>
            {t("retry")}
          </Button>
        </div>
      )}
      {known.kind === "loading" && <SkeletonFacts />}
      {known.kind === "loaded" && known.details.contact !== undefined && <ContactSection chat={chat} contact={known.details.contact} />}
      <section>
        <h3 class="details-title">{t("details.visit")}</h3>
        <dl class="facts">
          <Fact label={t("details.language")}>{languageName(row?.language ?? "")}</Fact>
          <Fact label={t("details.page")}>{page === "" ? "" : <PageLink url={page} />}</Fact>
          <Fact label={t("details.referrer")}>{referrer === "" ? "" : <PageLink url={referrer} />}</Fact>
          <Fact label={t("details.device")}>{device}</Fact>
          <Fact label={t("details.inbox")}>{inbox.inboxName(session.inbox)}</Fact>
          <Fact label={t("details.since")}>{known.kind === "loaded" && known.details.created_at_ms > 0 ? relativeTime(known.details.created_at_ms, now, locale()) : ""}</Fact>
        </dl>
      </section>
      <section>
        <h3 class="details-title">{t("details.session", { number: session.number })}</h3>
        <dl class="facts">
          <Fact label={t("details.team")}>{team}</Fact>
          <Fact label={t("details.opened")}>{session.openedAtMs > 0 ? moment(session.openedAtMs) : ""}</Fact>
          <Fact label={t("details.first_answer")}>{session.firstAnswerAtMs > 0 ? t("details.after", { duration: duration(session.firstAnswerAtMs - session.openedAtMs, locale()) }) : session.status === "closed" ? "" : t("details.not_yet")}</Fact>
          <Fact label={t("details.closed")}>{session.closedAtMs > 0 ? moment(session.closedAtMs) : ""}</Fact>
          <Fact label={t("details.priority")}>{session.priority >= 4 ? t("priority.urgent") : session.priority === 3 ? t("priority.high") : session.priority === 1 ? t("priority.low") : t("priority.normal")}</Fact>
          <IntentFact chat={chat} session={session} />
          <Fact label={t("details.labels")}>{session.labels.length === 0 ? "" : <span class="labels">{session.labels.map((label) => <span key={label} class="tag">{label}</span>)}</span>}</Fact>
          <Fact label={t("details.rating")}>{session.rating > 0 ? <Rating stars={session.rating} comment={session.ratingComment} /> : ""}</Fact>
        </dl>
      </section>
      <Summary key={chat.id} chat={chat} />
      <section>
        <h3 class="details-title">{t("details.people")}</h3>
        <ul class="people-list">
          {session.owner !== null && (
            <li>
              <Avatar id={session.owner.id} name={session.owner.name} size="small" {...(session.owner.kind === "bot" ? { icon: "bot" as const } : {})} />
              <span>{session.owner.id === me.id ? t("details.you_named", { name: session.owner.name }) : session.owner.name}</span>
              <span class="people-tags">
                {session.owner.kind === "bot" && (
                  <span class="tag">
                    <Icon name="bot" size={12} />
                    {t("details.bot")}
                  </span>
                )}
                <span class="tag">{t("details.owner")}</span>
              </span>
            </li>
          )}
          {others.map((participant) => (
            <li key={participant.id}>
              <Avatar id={participant.id} name={participant.name} size="small" {...(participant.kind === "bot" ? { icon: "bot" as const } : {})} />
              <span>{participant.id === me.id ? t("details.you_named", { name: participant.name }) : participant.name}</span>
              {participant.kind === "supervisor" && <span class="tag">{t("role.supervisor")}</span>}
              {participant.kind === "bot" && <span class="tag">{t("details.bot")}</span>}
            </li>
          ))}
          {chat.viewers.value.map((viewer) => (
            <li key={`v${viewer.id}`}>
              <Avatar id={viewer.id} name={viewer.name} size="small" />
              <span>{viewer.name}</span>
              <span class="viewers">
                <Icon name="eye" size={12} />
                {t("details.looking")}
              </span>
            </li>
          ))}
          {session.owner === null && others.length === 0 && chat.viewers.value.length === 0 && <li class="meta">{t("details.nobody")}</li>}
        </ul>
      </section>
      {known.kind === "loaded" && <PastSessions sessions={(known.details.sessions ?? []).filter((past) => past.id !== session.id)} />}
    </aside>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  if (children === "" || children === null) return null;
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Rating({ stars, comment }: { readonly stars: number; readonly comment: string }) {
  return (
    <span class="rating">
      <Stars stars={stars} />
      {comment !== "" && <span class="rating-comment">{comment}</span>}
    </span>
  );
}

/** A browser and its system, as in "Chrome, Windows"; empty where neither is known. */
function deviceText(device: Device | undefined): string {
  if (device === undefined) return "";
  const known = [device.browser, device.system].filter((part) => part !== "").join(", ");
  return known === "" ? "" : device.mobile ? t("details.mobile", { device: known }) : known;
}

/** Where the visitor wrote from; a link only for the web. */
function PageLink({ url }: { readonly url: string }) {
  let parsed: URL | null = null;
  try {
    parsed = new URL(url);
  } catch {
    // A visitor's browser may say anything: what is no address is shown as text.
  }
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return <span class="visited">{url}</span>;
  return (
    <a class="visited" href={parsed.href} target="_blank" rel="noopener noreferrer nofollow" title={url}>
      <span class="visited-host">{parsed.host}</span>
      {parsed.pathname !== "/" && <span class="visited-path">{parsed.pathname}</span>}
    </a>
  );
}

export function languageName(tag: string): string {
  if (tag === "") return "";
  try {
    return new Intl.DisplayNames(locale(), { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
