// The time machine: what a changed flow would have said in conversations of the past, beside what was said; with another
// model, prompt or threshold as well, and with one more rule of intents.
import { localText } from "@frontdesk/i18n";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Flow, Otherwise, Replay, ReplayAnswer, ReplayRow, ReplaySorted, ReplaySorting } from "../../../model/bot";
import { asItIs, replayOf, thresholdWrong } from "../../../model/bot";
import { nameProblem } from "../../../model/intent-settings";
import { same } from "../../../model/same";
import { useConsole, useDesk } from "../../context";
import { Explained, spoken } from "../../failure";
import { Button, SelectField, TextArea, TextField } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { IntentTag } from "../../parts/intent";
import { SkeletonRows } from "../../parts/states";
import { locale, t, texts } from "../../text";
import { SwitchLine } from "../fields";
import { nameTrouble } from "../intents/name";
import type { Submit } from "../page";
import { Card, FormError, useSubmit } from "../page";

const amounts = [20, 50, 100, 200] as const;

type Props = { readonly flow: Flow; readonly yaml: string; readonly dirty: boolean; readonly broken: boolean; readonly saving: boolean; readonly onPublish: () => void };
type Run = { readonly yaml: string; readonly otherwise: Otherwise; readonly replay: Replay };

export function TimeMachine({ flow, yaml, dirty, broken, saving, onPublish }: Props) {
  const app = useConsole();
  const [sessions, setSessions] = useState<number>(50);
  const [otherwise, setOtherwise] = useState<Otherwise>(asItIs);
  const [run, setRun] = useState<Run | null>(null);
  const [all, setAll] = useState(false);
  const submit = useSubmit();
  const wrong = thresholdWrong(otherwise.threshold) || (otherwise.intent !== "" && nameProblem(otherwise.intent) !== null);
  const look = async () => {
    try {
      // What holds now is asked for each time: somebody may have changed it.
      const intents = otherwise.intent === "" ? null : await app.api.intents();
      if (otherwise.intent !== "" && intents === null) throw new Explained("intents.off");
      const replay = await app.api.bot.replay(replayOf(sessions, { name: flow.name, yaml }, otherwise, intents?.own ?? null));
      setRun({ yaml, otherwise, replay });
    } catch (failure) {
      throw spoken(failure);
    }
  };
  const start = () => void submit.run(look, { silent: true });
  const rows = run === null ? [] : all ? run.replay.rows : run.replay.rows.filter((row) => row.changed);
  return (
    <Card title={t("machine.title")} text={t("machine.text")} testid="time-machine">
      <div class="machine-foot">
        <SelectField label={t("machine.sessions")} value={String(sessions)} choices={amounts.map((count) => ({ value: String(count), label: t("machine.last", { count }) }))} onChange={(value) => setSessions(Number(value))} testid="machine-sessions" />
        <Button kind="primary" icon="history" busy={submit.busy} disabled={broken || wrong} testid="machine-run" onClick={start}>
          {t("machine.run")}
        </Button>
      </div>
      {broken && <p class="meta">{t("machine.broken")}</p>}
      <More otherwise={otherwise} submit={submit} onChange={(change) => setOtherwise({ ...otherwise, ...change })} />
      <FormError submit={submit} />
      {submit.busy && run === null && <SkeletonRows count={3} />}
      {run !== null && (
        <div class="machine-result" data-testid="machine-result" aria-busy={submit.busy}>
          <div class="machine-verdict" role="status">
            <Icon name={run.replay.changed === 0 ? "circle-check" : "arrow-right-left"} size={20} />
            <p>
              <strong>{run.replay.sessions === 0 ? t("machine.none") : run.replay.changed === 0 ? t("machine.same", { count: run.replay.sessions }) : t("machine.changed", { count: run.replay.changed, sessions: run.replay.sessions })}</strong>
              {run.yaml !== yaml && <span class="meta"> {t("machine.older")}</span>}
              {!same(run.otherwise, asItIs) && <span class="meta"> {t("machine.not_published")}</span>}
            </p>
            {dirty && (
              <Button kind="primary" icon="check" busy={saving} disabled={broken || run.yaml !== yaml} testid="machine-publish" onClick={onPublish}>
                {t("flows.publish")}
              </Button>
            )}
          </div>
          {(run.replay.sorted ?? []).length > 0 && <SortedRows rows={run.replay.sorted ?? []} />}
          {run.replay.rows.some((row) => !row.changed) && <SwitchLine label={t("machine.all")} checked={all} testid="machine-all" onChange={setAll} />}
          {rows.length > 0 && <Rows rows={rows} />}
        </div>
      )}
    </Card>
  );
}

type MoreProps = { readonly otherwise: Otherwise; readonly submit: Submit; readonly onChange: (change: Partial<Otherwise>) => void };

/** What else may be tried with the flow; nothing of it is kept. */
function More({ otherwise, submit, onChange }: MoreProps) {
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <button type="button" class="link-button machine-open" aria-expanded={false} data-testid="machine-more" onClick={() => setOpen(true)}>
        {t("machine.more")}
      </button>
    );
  }
  return (
    <div class="machine-more" role="group" aria-label={t("machine.more")}>
      <p class="meta">{t("machine.more_text")}</p>
      <TextField label={t("machine.model")} help={t("machine.model_help")} optional={t("optional")} value={otherwise.model} maxlength={200} onInput={(model) => onChange({ model })} error={submit.errorOf("model")} testid="machine-model" />
      <TextArea label={t("machine.prompt")} help={t("machine.prompt_help")} optional={t("optional")} value={otherwise.prompt} maxlength={4_000} onInput={(prompt) => onChange({ prompt })} error={submit.errorOf("prompt")} testid="machine-prompt" />
      <TextField label={t("machine.threshold")} help={t("machine.threshold_help")} optional={t("optional")} value={otherwise.threshold} placeholder="0.93" onInput={(threshold) => onChange({ threshold })} error={thresholdWrong(otherwise.threshold) ? t("machine.threshold_wrong") : submit.errorOf("threshold")} testid="machine-threshold" />
      <TextField label={t("machine.rule_intent")} help={t("machine.rule_help")} optional={t("optional")} value={otherwise.intent} maxlength={64} placeholder="complaint" onInput={(intent) => onChange({ intent: intent.trim() })} error={nameTrouble(otherwise.intent) ?? submit.errorOf("intents")} testid="machine-intent" />
      <TextArea label={t("machine.rule_words")} help={t("intents.keywords_help")} optional={t("optional")} value={otherwise.words} onInput={(words) => onChange({ words })} testid="machine-words" />
    </div>
  );
}

function Rows({ rows }: { readonly rows: readonly ReplayRow[] }) {
  return (
    <Comparison label={t("machine.title")} first={t("machine.question")}>
      {rows.map((row, at) => (
        <tr key={at} data-testid="machine-row" data-changed={row.changed}>
          <td>
            <a href={`#/inbox/all/${row.conversation}`}>{row.question}</a>
          </td>
          <td data-label={t("machine.before")}>
            <Answer answer={row.before} />
          </td>
          <td data-label={t("machine.after")} class={row.changed ? "machine-changed" : ""}>
            <Answer answer={row.after} />
          </td>
        </tr>
      ))}
    </Comparison>
  );
}

/** Sessions that a changed rule would sort otherwise. */
function SortedRows({ rows }: { readonly rows: readonly ReplaySorted[] }) {
  return (
    <Comparison label={t("machine.sorted")} first={t("machine.sorted")}>
      {rows.map((row) => (
        <tr key={row.session} data-testid="machine-sorted">
          <td>
            <a href={`#/inbox/all/${row.conversation}`}>{row.question}</a>
          </td>
          <td data-label={t("machine.before")}>
            <Sorted sorting={row.before} />
          </td>
          <td data-label={t("machine.after")} class="machine-changed">
            <Sorted sorting={row.after} />
          </td>
        </tr>
      ))}
    </Comparison>
  );
}

function Sorted({ sorting }: { readonly sorting: ReplaySorting }) {
  const { inbox } = useDesk();
  const team = inbox.directory.value.teams.find((known) => known.id === sorting.team);
  return (
    <div class="machine-answer">
      {sorting.intent === "" ? <span class="tag">{t("machine.no_intent")}</span> : <IntentTag intent={sorting.intent} />}
      {sorting.team !== "" && <p>{team === undefined ? sorting.team : localText(team.names, locale())}</p>}
    </div>
  );
}

function Comparison({ label, first, children }: { readonly label: string; readonly first: string; readonly children: ComponentChildren }) {
  return (
    <div class="table-scroll" role="region" tabIndex={0} aria-label={label}>
      <table class="table machine-table table-stacks">
        <thead>
          <tr>
            <th scope="col">{first}</th>
            <th scope="col">{t("machine.before")}</th>
            <th scope="col">{t("machine.after")}</th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function Answer({ answer }: { readonly answer: ReplayAnswer | null }) {
  if (answer === null) return <span class="meta">{t("machine.nothing")}</span>;
  const key = answer.kind === "handover" ? "why.kind_handover" : `answer.kind_${answer.kind}`;
  const reason = `handover.${answer.text ?? ""}`;
  return (
    <div class="machine-answer">
      <span class="tag">{texts.has(key) ? t(key) : answer.kind}</span>
      {typeof answer.text === "string" && answer.text !== "" && <p>{answer.kind === "handover" && texts.has(reason) ? t(reason) : answer.text}</p>}
    </div>
  );
}
