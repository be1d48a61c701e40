// What people corrected: the newest sessions, with what was found and what they said, and all of them as lines to
// train a model on.
import { relativeTime } from "@frontdesk/i18n";
import { useEffect, useRef, useState } from "preact/hooks";
import type { SortedSession } from "../../../model/api";
import type { Corrections as Known, DaysBack, Training } from "../../../model/corrections";
import { daysBack, noneRead, readAll, readMore, textOf, training } from "../../../model/corrections";
import { useConsole, useDesk } from "../../context";
import { failureText } from "../../failure";
import { saveText } from "../../files";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { IntentTag, intentName } from "../../parts/intent";
import { SkeletonRows } from "../../parts/states";
import { locale, t } from "../../text";
import { Words } from "../intents";
import { Card } from "../page";

/** Sessions that are shown at first, and with each press more. */
const atOnce = 10;
/** Pages that are read for them, however few they hold. */
const pagesAtOnce = 4;
/** Of a text the beginning is shown. */
const charsShown = 240;

const readRights = ["conversation.read.own", "conversation.read.team", "conversation.read.all"] as const;

export function Corrections({ inbox }: { readonly inbox: string }) {
  const { rights } = useDesk();
  const [days, setDays] = useState<DaysBack>(30);
  if (!readRights.some((right) => rights.has(right))) return <Card title={t("intents.corrections")} text={t("intents.corrections_no_right")} testid="intent-corrections" />;
  return (
    <Card title={t("intents.corrections")} text={t("intents.corrections_text")} testid="intent-corrections">
      <div class="segments" role="group" aria-label={t("intents.corrections_since")}>
        {daysBack.map((count) => (
          <button key={count} type="button" class="segment" aria-pressed={days === count} data-testid={`corrections-${count}`} onClick={() => setDays(count)}>
            {t("intents.days", { count })}
          </button>
        ))}
      </div>
      <Newest key={days} days={days} inbox={inbox} />
      <p class="intent-hint">
        <Icon name="circle-help" size={14} />
        <span>
          <Words text={t("intents.replay", { days: String(days) })} />
        </span>
      </p>
    </Card>
  );
}

type NewestProps = { readonly days: DaysBack; readonly inbox: string };

function Newest({ days, inbox }: NewestProps) {
  const app = useConsole();
  const [known, setKnown] = useState<Known>(noneRead);
  const [busy, setBusy] = useState(true);
  const [error, setError] = useState<string | null>(null);
  const gone = useRef(false);
  const more = async (from: Known) => {
    setBusy(true);
    setError(null);
    try {
      const next = await readMore(from, (cursor) => app.api.correctedSessions(days, cursor), inbox, atOnce, pagesAtOnce);
      if (!gone.current) setKnown(next);
    } catch (failure) {
      if (!gone.current) setError(failureText(failure));
    }
    if (!gone.current) setBusy(false);
  };
  useEffect(() => {
    void more(noneRead);
    return () => {
      gone.current = true;
    };
  }, []);
  const nothing = known.sessions.length === 0;
  if (busy && nothing) return <SkeletonRows count={2} />;
  return (
    <>
      {nothing && error === null && (
        <p class="meta" data-testid="corrections-none">
          {known.next === null ? t("intents.corrections_none", { count: days }) : t("intents.corrections_none_yet")}
        </p>
      )}
      {!nothing && (
        <ul class="lines" data-testid="corrections">
          {known.sessions.map((session) => (
            <CorrectionLine key={session.session} session={session} named={inbox === ""} />
          ))}
        </ul>
      )}
      {error !== null && (
        <p class="form-error" role="alert">
          <Icon name="circle-alert" />
          {error}
        </p>
      )}
      <div class="correction-foot">
        {(error !== null || known.next !== null) && (
          <Button size="small" busy={busy} testid="corrections-more" onClick={() => void more(known)}>
            {error !== null ? t("retry") : t("intents.corrections_more")}
          </Button>
        )}
        {!nothing && <Download days={days} inbox={inbox} />}
      </div>
    </>
  );
}

function CorrectionLine({ session, named }: { readonly session: SortedSession; readonly named: boolean }) {
  const app = useConsole();
  const { inbox: model } = useDesk();
  const text = textOf(session).slice(0, charsShown);
  const said = (intent: string, none: string) => (intent === "" ? none : intentName(intent));
  const many = model.directory.value.inboxes.length > 1;
  const inbox = named && many ? model.inboxName(session.inbox) : "";
  return (
    <li class="line correction" data-testid="correction" data-conversation={session.conversation}>
      <a class="clamp correction-text" href={`#/inbox/all/${session.conversation}`}>
        {text}
      </a>
      <span class="correction-about">
        <span class="correction-tags" aria-hidden="true">
          {session.found === "" ? <span class="tag">{t("intents.no_opinion")}</span> : <IntentTag intent={session.found} />}
          <Icon name="arrow-right" size={14} />
          {session.intent === "" ? <span class="tag">{t("intent.none")}</span> : <IntentTag intent={session.intent} />}
        </span>
        <span class="visually-hidden">{t("intents.corrected", { found: said(session.found, t("intents.no_opinion")), intent: said(session.intent, t("intent.none")) })}</span>
        <span class="meta">
          <time dateTime={new Date(session.at_ms).toISOString()}>{relativeTime(session.at_ms, app.now.value, locale())}</time>
          {inbox !== "" && ` · ${inbox}`}
        </span>
      </span>
    </li>
  );
}

type Progress = { readonly kind: "idle" } | { readonly kind: "reading"; readonly count: number } | { readonly kind: "failed"; readonly text: string } | { readonly kind: "done"; readonly made: Training };

/** Reads everything and saves it as a file; says how far it is and what was left out. */
function Download({ days, inbox }: NewestProps) {
  const app = useConsole();
  const [progress, setProgress] = useState<Progress>({ kind: "idle" });
  const run = useRef(0);
  useEffect(() => () => void (run.current += 1), []);
  const start = async () => {
    const own = ++run.current;
    const cancelled = () => run.current !== own;
    setProgress({ kind: "reading", count: 0 });
    try {
      const sessions = await readAll((cursor) => app.api.correctedSessions(days, cursor), {
        inbox,
        cancelled,
        onRead: (count) => !cancelled() && setProgress({ kind: "reading", count }),
        wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      });
      if (sessions === null) return;
      const made = training(sessions);
      if (made.lines > 0) saveText(made.text, "corrections.jsonl");
      setProgress({ kind: "done", made });
    } catch (failure) {
      if (!cancelled()) setProgress({ kind: "failed", text: failureText(failure) });
    }
  };
  const cancel = () => {
    run.current += 1;
    setProgress({ kind: "idle" });
  };
  return (
    <span class="correction-download">
      {progress.kind === "reading" ? (
        <Button size="small" icon="x" testid="download-cancel" onClick={cancel}>
          {t("cancel")}
        </Button>
      ) : (
        <Button size="small" icon="download" testid="download-corrections" onClick={() => void start()}>
          {t("intents.download")}
        </Button>
      )}
      <span class={progress.kind === "failed" ? "correction-state sign-danger" : "correction-state meta"} role="status" data-testid="download-state">
        {progress.kind === "reading" && t("intents.download_reading", { count: progress.count })}
        {progress.kind === "failed" && progress.text}
        {progress.kind === "done" && doneText(progress.made)}
      </span>
    </span>
  );
}

function doneText({ lines, leftOut }: Training): string {
  const saved = lines === 0 ? t("intents.download_none") : t("intents.download_done", { count: lines });
  return leftOut === 0 ? saved : `${saved} ${t("intents.download_left", { count: leftOut })}`;
}
