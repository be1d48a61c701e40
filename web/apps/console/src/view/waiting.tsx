// "Nobody waits": every open session with who answers or where it queues, and by when something
// happens. The watchdog's findings stand on top; a sound system has none.
import { duration } from "@frontdesk/i18n";
import { useEffect, useState } from "preact/hooks";
import type { Waiting, WaitingSession } from "../model/api";
import { waitClock, warmth } from "../model/time";
import { useConsole, useDesk } from "./context";
import { Icon } from "./parts/icon";
import { Empty, Failed, SkeletonRows } from "./parts/states";
import { locale, t } from "./text";
import { failureText } from "./failure";
import { Page } from "./settings/page";

const everyMs = 5_000;

export function WaitingPage() {
  const app = useConsole();
  const [state, setState] = useState<Waiting | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = async () => {
    try {
      setState(await app.api.waiting());
      setError(null);
    } catch (failure) {
      setError(failureText(failure));
    }
  };
  useEffect(() => {
    void load();
    const timer = setInterval(() => void load(), everyMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="page" id="main" tabIndex={-1} data-testid="waiting-page">
      <Page title={t("waiting.title")} lead={t("waiting.lead")}>
        {state === null && error === null && <SkeletonRows count={5} />}
        {state === null && error !== null && <Failed text={error} onRetry={() => void load()} />}
        {state !== null && (
          <>
            <Verdict waiting={state} stale={error !== null} />
            {state.sessions.length === 0 ? (
              <Empty icon="coffee" title={t("waiting.none")}>
                <p>{t("waiting.none_text")}</p>
              </Empty>
            ) : (
              <Sessions sessions={[...state.sessions].sort(byWait)} />
            )}
          </>
        )}
      </Page>
    </main>
  );
}

/** Those who wait first, the longest first; then those whose deadline is next. */
function byWait(a: WaitingSession, b: WaitingSession): number {
  const never = Number.MAX_SAFE_INTEGER;
  return (a.waiting_since_ms ?? never) - (b.waiting_since_ms ?? never) || (a.deadline_ms ?? never) - (b.deadline_ms ?? never);
}

function Verdict({ waiting, stale }: { readonly waiting: Waiting; readonly stale: boolean }) {
  const sound = waiting.violations.length === 0;
  return (
    <div class={`verdict ${sound ? "verdict-ok" : "verdict-danger"}`} role="status" data-testid="waiting-verdict">
      <Icon name={sound ? "circle-check" : "triangle-alert"} size={20} />
      <div>
        <p class="verdict-title">{sound ? t("waiting.sound") : t("waiting.broken", { count: waiting.violations.length })}</p>
        <p class="meta">{stale ? t("waiting.stale") : t("waiting.checked", { count: waiting.sessions.length })}</p>
        {waiting.violations.map((violation) => (
          <p key={violation.conversation + violation.code} class="verdict-line">
            <a href={`#/inbox/all/${violation.conversation}`}>{violation.conversation}</a> {violation.detail}
          </p>
        ))}
      </div>
    </div>
  );
}

function Sessions({ sessions }: { readonly sessions: readonly WaitingSession[] }) {
  const app = useConsole();
  const { inbox } = useDesk();
  const now = app.now.value;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={t("waiting.title")}>
      <table class="table table-waiting">
        <thead>
          <tr>
            <th scope="col">{t("visitor")}</th>
            <th scope="col">{t("waiting.with")}</th>
            <th scope="col" class="number">{t("waiting.since")}</th>
            <th scope="col" class="number">{t("waiting.deadline")}</th>
            <th scope="col">{t("waiting.then")}</th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => {
            const row = inbox.rows.value.get(session.conversation);
            const waitedMs = session.waiting_since_ms === null ? null : now - session.waiting_since_ms;
            const leftMs = session.deadline_ms === null ? null : session.deadline_ms - now;
            const team = session.team === null ? "" : inbox.teamName(session.team, locale());
            return (
              <tr key={session.session}>
                <td>
                  <a href={`#/inbox/all/${session.conversation}`}>{row === undefined ? session.conversation : inbox.nameOf(row)}</a>
                </td>
                <td>{session.owner === null ? (session.place === null ? t("waiting.in_queue", { team: team || t("queue.common") }) : t("waiting.place", { team: team || t("queue.common"), place: session.place })) : (session.owner_name ?? inbox.agentName(session.owner))}</td>
                <td class="number">{waitedMs === null ? "–" : <span class={`wait wait-${warmth(waitedMs, inbox.directory.value.answerWithinMs)}`}>{waitClock(waitedMs)}</span>}</td>
                <td class="number" data-label={t("waiting.deadline")}>{leftMs === null ? "–" : leftMs <= 0 ? t("waiting.now") : t("waiting.in", { duration: duration(leftMs, locale()) })}</td>
                <td>{thenText(session.then)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function thenText(code: string): string {
  switch (code) {
    case "next_agent":
      return t("then.next_agent");
    case "close_idle":
      return t("then.close_idle");
    case "requeue":
      return t("then.requeue");
    case "warn_idle":
      return t("then.warn_idle");
    case "urgent":
      return t("then.urgent");
    case "return":
      return t("then.return");
    default:
      return t("then.other");
  }
}
