// What came of the bot's sessions: how many it kept, how many it handed over and why. Each number opens the sessions
// behind it.
import { clockTime, dateOf, percent, relativeTime } from "@frontdesk/i18n";
import { useEffect, useRef, useState } from "preact/hooks";
import type { BotFigures, BotOutcome, BotSession } from "../../../model/bot";
import { everyDay, reasonsOf, shareOf } from "../../../model/bot";
import { useConsole, useDesk } from "../../context";
import { failureText } from "../../failure";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { Bars } from "../../parts/intent";
import { DayPlot } from "../../parts/plot";
import { Empty, SkeletonRows } from "../../parts/states";
import { locale, t, texts } from "../../text";
import { Card, Load } from "../page";

const spans = [7, 30, 90] as const;
type Span = (typeof spans)[number];

const dayMs = 86_400_000;

export function BotFiguresView() {
  const app = useConsole();
  const [days, setDays] = useState<Span>(30);
  return (
    <div class="cards" data-testid="bot-figures">
      <div class="segments" role="group" aria-label={t("intents.corrections_since")}>
        {spans.map((count) => (
          <button key={count} type="button" class="segment" aria-pressed={days === count} data-testid={`figures-${count}`} onClick={() => setDays(count)}>
            {t("intents.days", { count })}
          </button>
        ))}
      </div>
      <Load key={days} read={() => app.api.bot.figures(days)}>
        {({ value }) => <Figures figures={value} days={days} />}
      </Load>
    </div>
  );
}

function Figures({ figures, days }: { readonly figures: BotFigures; readonly days: number }) {
  const app = useConsole();
  const { rights } = useDesk();
  const may = rights.has("settings.bots");
  const [open, setOpen] = useState<BotOutcome | null>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (open !== null) list.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  if (figures.sessions === 0) {
    return (
      <Empty icon="bot" title={t("figures.none", { count: days })}>
        <p>{t("figures.none_text")}</p>
        {may && (
          <a class="button button-plain button-normal" href="#/settings/bot">
            {t("figures.to_setup")}
          </a>
        )}
      </Empty>
    );
  }
  const tiles: readonly { readonly key: BotOutcome; readonly count: number }[] = [
    { key: "contained", count: figures.contained },
    { key: "handed_over", count: figures.handed_over },
    { key: "no_answer", count: figures.no_answer },
  ];
  const reasons = reasonsOf(figures);
  const most = reasons[0]?.[1] ?? 0;
  return (
    <>
      <ul class="tiles">
        <li class="tile">
          <span class="tile-label">{t("figures.sessions")}</span>
          <span class="tile-figure number" data-testid="figure-sessions">
            {figures.sessions.toLocaleString(locale())}
          </span>
          <span class="meta">{t("figures.sessions_text", { count: days })}</span>
        </li>
        {tiles.map(({ key, count }) => (
          <li key={key}>
            <button type="button" class="tile tile-button" disabled={!may} aria-expanded={open === key} data-testid={`figure-${key}`} onClick={() => setOpen(open === key ? null : key)}>
              <span class="tile-label">{t(`figures.${key}`)}</span>
              <span class="tile-figure number">{percent(shareOf(count, figures.sessions), locale())}</span>
              <span class="meta">{t(`figures.${key}_text`, { count })}</span>
              {may && <Icon name="chevron-down" size={14} />}
            </button>
          </li>
        ))}
      </ul>
      {open !== null && (
        <div ref={list}>
          <Card title={t(`figures.${open}`)} text={t(`figures.${open}_means`)} testid="figure-list">
            <SessionsBehind key={open} outcome={open} />
          </Card>
        </div>
      )}
      <Card title={t("figures.by_day")}>
        <DayPlot
          label={t("figures.by_day")}
          dayLabel={t("figures.day")}
          series={[
            { key: "contained", label: t("figures.contained"), look: "strong" },
            { key: "handed_over", label: t("figures.handed_over"), look: "quiet" },
            { key: "open", label: t("figures.open"), look: "warning" },
          ]}
          days={everyDay(figures.days, days, app.now.peek(), (date) => ({ date, sessions: 0, contained: 0, handed_over: 0 })).map((day) => ({ date: day.date, values: [day.contained, day.handed_over, Math.max(0, day.sessions - day.contained - day.handed_over)] }))}
          testid="figures-plot"
        />
      </Card>
      {reasons.length > 0 && (
        <Card title={t("figures.reasons")} text={t("figures.reasons_text")}>
          <Bars label={t("figures.reasons")} bars={reasons.map(([reason, count]) => ({ key: reason, label: reasonName(reason), share: shareOf(count, most), text: count.toLocaleString(locale()), strong: count === most }))} testid="figures-reasons" />
        </Card>
      )}
    </>
  );
}

/** In the reader's words; a reason of a newer server as it is. */
function reasonName(reason: string): string {
  const key = `handover.${reason}`;
  return texts.has(key) ? t(key) : reason;
}

type Known = { readonly sessions: readonly BotSession[]; readonly next: string | null };

function SessionsBehind({ outcome }: { readonly outcome: BotOutcome }) {
  const app = useConsole();
  const { inbox } = useDesk();
  const many = inbox.directory.value.inboxes.length > 1;
  const [known, setKnown] = useState<Known | null>(null);
  const [busy, setBusy] = useState(true);
  const [error, setError] = useState<string | null>(null);
  const gone = useRef(false);
  const more = async (from: Known | null) => {
    setBusy(true);
    setError(null);
    try {
      const page = await app.api.bot.sessions(outcome, from?.next ?? null);
      if (!gone.current) setKnown({ sessions: [...(from?.sessions ?? []), ...page.sessions], next: page.next ?? null });
    } catch (failure) {
      if (!gone.current) setError(failureText(failure));
    }
    if (!gone.current) setBusy(false);
  };
  useEffect(() => {
    void more(null);
    return () => {
      gone.current = true;
    };
  }, []);
  if (known === null && error === null) return <SkeletonRows count={2} />;
  return (
    <>
      {known !== null && known.sessions.length === 0 && <p class="meta">{t("figures.list_none")}</p>}
      {known !== null && known.sessions.length > 0 && (
        <ul class="lines">
          {known.sessions.map((session) => (
            <SessionLine key={session.session} session={session} many={many} />
          ))}
        </ul>
      )}
      {error !== null && (
        <p class="form-error" role="alert">
          <Icon name="circle-alert" />
          {error}
        </p>
      )}
      {(error !== null || (known !== null && known.next !== null)) && (
        <Button size="small" busy={busy} onClick={() => void more(known)}>
          {error !== null ? t("retry") : t("show_more")}
        </Button>
      )}
    </>
  );
}

function SessionLine({ session, many }: { readonly session: BotSession; readonly many: boolean }) {
  const app = useConsole();
  const { inbox } = useDesk();
  const row = inbox.rows.value.get(session.conversation);
  const { reason, at_ms: atMs, turns, answered } = session;
  const now = app.now.value;
  // Of an earlier day many have no name at hand: the time tells them apart.
  const when = now - atMs < dayMs ? relativeTime(atMs, now, locale()) : `${dateOf(atMs, now, locale())} ${clockTime(atMs, locale())}`;
  const about = [reason === "" ? "" : reasonName(reason), t("figures.turns", { count: turns, answered }), many ? inbox.inboxName(session.inbox) : "", when];
  return (
    <li>
      <a class="line line-link" href={`#/inbox/all/${session.conversation}`} data-testid="bot-session">
        <Icon name="message-square" />
        <span class="line-text">
          <span>{row === undefined ? t("visitor") : inbox.nameOf(row)}</span>
          <span class="meta">{about.filter((part) => part !== "").join(" · ")}</span>
        </span>
        <Icon name="chevron-right" />
      </a>
    </li>
  );
}
