// When the inbox is open: the week, the time zone it counts in, and days that are different.
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import type { Inbox } from "../../../model/api";
import type { HoursProblem, Span } from "../../../model/hours";
import { dayName, hoursForm, hoursOf, nextSpan, openAt, problemOf, timeZones } from "../../../model/hours";
import { useConsole } from "../../context";
import { Button, SelectField } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { locale, t } from "../../text";
import { RadioCards } from "../fields";
import { SaveBar, useDraft } from "../form";
import { Card, FormError, useSubmit } from "../page";
import type { InboxPageProps } from "./pages";

const spansMax = 4;

const ownTimeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
const draftOf = (inbox: Inbox) => hoursForm(inbox.hours, ownTimeZone());

export function HoursPage({ inbox, onDone }: InboxPageProps) {
  const app = useConsole();
  const draft = useDraft(draftOf(inbox));
  const submit = useSubmit();
  const form = draft.value;
  const problem = problemOf(form);
  const zones = useMemo(() => [...new Set([form.timeZone, ownTimeZone(), ...timeZones()])], [form.timeZone]);
  const open = openAt(inbox.hours, app.now.value);
  const save = async () => {
    const changed = await app.api.changeInbox(inbox.id, { hours: hoursOf(form) });
    draft.reset(draftOf(changed));
    await onDone(changed);
  };
  const putDay = (day: number, spans: readonly Span[]) => draft.set({ week: form.week.map((old, at) => (at === day ? spans : old)) });
  return (
    <form
      class="cards"
      onSubmit={(event) => {
        event.preventDefault();
        if (problem === null) void submit.run(save);
      }}
    >
      <Card title={t("hours.title")} text={t("hours.text")} action={<span class={open ? "tag tag-ok" : "tag"} data-testid="hours-now">{open ? t("hours.open_now") : t("hours.closed_now")}</span>}>
        <div class="form">
          <RadioCards
            legend={t("hours.when")}
            name="hours"
            value={form.always ? "always" : "week"}
            choices={[
              { value: "always", label: t("hours.always"), help: t("hours.always_help") },
              { value: "week", label: t("hours.by_week"), help: t("hours.by_week_help") },
            ]}
            onChange={(value) => draft.set({ always: value === "always" })}
          />
          {(!form.always || form.days.length > 0) && <SelectField label={t("hours.zone")} help={t("hours.zone_help", { time: clockIn(form.timeZone, app.now.value) })} value={form.timeZone} choices={zones.map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }))} onChange={(timeZone) => draft.set({ timeZone })} error={submit.errorOf("hours.time_zone")} testid="hours-zone" />}
          {!form.always && (
            <div class="week">
              {form.week.map((spans, day) => (
                <Day key={day} name={dayName(day, locale(), "long")} spans={spans} error={problemText(problem, "day", day)} onChange={(next) => putDay(day, next)} {...(day === 0 ? { onCopy: () => draft.set({ week: form.week.map((old, at) => (at < 5 ? spans : old)) }) } : {})} testid={`day-${day + 1}`} />
              ))}
              {problem?.kind === "none" && (
                <p class="field-error" role="alert">
                  <Icon name="circle-alert" size={14} />
                  {t("hours.none")}
                </p>
              )}
            </div>
          )}
        </div>
      </Card>
      <Card title={t("hours.special")} text={t("hours.special_text")}>
        <div class="week">
          {form.days.map((day, index) => {
            const put = (change: Partial<typeof day>) => draft.set({ days: form.days.map((old, at) => (at === index ? { ...old, ...change } : old)) });
            return (
              <Day
                key={index}
                name={
                  <span class="special-date">
                    <input type="date" class="input" required value={day.date} aria-label={t("hours.date")} data-testid={`special-${index}`} onInput={(event) => put({ date: event.currentTarget.value })} />
                    <Button size="small" kind="quiet" icon="trash-2" label={t("hours.remove_day")} onClick={() => draft.set({ days: form.days.filter((_, at) => at !== index) })} />
                  </span>
                }
                spans={day.spans}
                error={problemText(problem, "index", index)}
                onChange={(spans) => put({ spans })}
                testid={`special-${index}`}
              />
            );
          })}
          <span>
            <Button size="small" icon="plus" testid="special-add" onClick={() => draft.set({ days: [...form.days, { date: "", spans: [] }] })}>
              {t("hours.add_day")}
            </Button>
          </span>
        </div>
        {submit.errorOf("hours.days") !== null && <p class="field-error">{submit.errorOf("hours.days")}</p>}
      </Card>
      <FormError submit={submit} />
      <SaveBar draft={draft} submit={submit} disabled={problem !== null} testid="inbox-save" />
    </form>
  );
}

function clockIn(timeZone: string, atMs: number): string {
  return new Date(atMs).toLocaleTimeString(locale(), { timeZone, hour: locale() === "en" ? "numeric" : "2-digit", minute: "2-digit" });
}

function problemText(problem: HoursProblem | null, by: "day" | "index", at: number): string | null {
  if (problem === null || problem.kind === "none" || !(by in problem) || (problem as Readonly<Record<string, unknown>>)[by] !== at) return null;
  switch (problem.kind) {
    case "span":
    case "special_span":
      return t("hours.span_wrong");
    case "overlap":
    case "special_overlap":
      return t("hours.overlap");
    case "date":
      return t("hours.date_wrong");
    case "twice":
      return t("hours.twice");
  }
}

type DayProps = { readonly name: ComponentChildren; readonly spans: readonly Span[]; readonly error: string | null; readonly testid: string; readonly onChange: (spans: readonly Span[]) => void; readonly onCopy?: () => void };

function Day({ name, spans, error, testid, onChange, onCopy }: DayProps) {
  const put = (at: number, change: Partial<Span>) => onChange(spans.map((span, other) => (other === at ? { ...span, ...change } : span)));
  return (
    <div class={typeof name === "string" ? "day-line" : "day-line day-special"} role="group" aria-label={typeof name === "string" ? name : undefined}>
      <span class="day-name">{name}</span>
      <div class="day-spans">
        {spans.length === 0 && <span class="meta day-closed">{t("hours.closed")}</span>}
        {spans.map((span, at) => (
          <span key={at} class="day-span">
            <input type="time" class="input" required value={span.from} aria-label={t("hours.from")} aria-invalid={error === null ? undefined : "true"} data-testid={`${testid}-from-${at}`} onInput={(event) => put(at, { from: event.currentTarget.value })} />
            <span aria-hidden="true">–</span>
            <input type="time" class="input" required value={span.to} aria-label={t("hours.to")} aria-invalid={error === null ? undefined : "true"} data-testid={`${testid}-to-${at}`} onInput={(event) => put(at, { to: event.currentTarget.value })} />
            {span.from !== "" && span.to !== "" && span.to < span.from && <span class="meta">{t("hours.next_day")}</span>}
            <Button size="small" kind="quiet" icon="x" label={t("hours.remove_span")} onClick={() => onChange(spans.filter((_, other) => other !== at))} />
          </span>
        ))}
        {error !== null && (
          <p class="field-error" role="alert">
            <Icon name="circle-alert" size={14} />
            {error}
          </p>
        )}
      </div>
      <span class="day-actions">
        {spans.length < spansMax && <Button size="small" kind="quiet" icon="plus" label={t("hours.add_span")} testid={`${testid}-add`} onClick={() => onChange([...spans, nextSpan(spans)])} />}
        {onCopy !== undefined && <Button size="small" kind="quiet" icon="copy" label={t("hours.copy_week")} onClick={onCopy} />}
      </span>
    </div>
  );
}
