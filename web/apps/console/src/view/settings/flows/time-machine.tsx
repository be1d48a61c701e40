// The time machine: what a changed flow would have said in conversations of the past, beside what was said.
import { useState } from "preact/hooks";
import type { Flow, Replay, ReplayAnswer, ReplayRow } from "../../../model/bot";
import { useConsole } from "../../context";
import { Button, SelectField } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { SkeletonRows } from "../../parts/states";
import { t, texts } from "../../text";
import { SwitchLine } from "../fields";
import { spoken } from "../../failure";
import { Card, FormError, useSubmit } from "../page";

const amounts = [20, 50, 100, 200] as const;

type Props = { readonly flow: Flow; readonly yaml: string; readonly dirty: boolean; readonly broken: boolean; readonly saving: boolean; readonly onPublish: () => void };
type Run = { readonly yaml: string; readonly replay: Replay };

export function TimeMachine({ flow, yaml, dirty, broken, saving, onPublish }: Props) {
  const app = useConsole();
  const [sessions, setSessions] = useState<number>(50);
  const [run, setRun] = useState<Run | null>(null);
  const [all, setAll] = useState(false);
  const submit = useSubmit();
  const look = async () => {
    try {
      setRun({ yaml, replay: await app.api.bot.replay({ sessions, flow: { name: flow.name, yaml } }) });
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
        <Button kind="primary" icon="history" busy={submit.busy} disabled={broken} testid="machine-run" onClick={start}>
          {t("machine.run")}
        </Button>
      </div>
      {broken && <p class="meta">{t("machine.broken")}</p>}
      <FormError submit={submit} />
      {submit.busy && run === null && <SkeletonRows count={3} />}
      {run !== null && (
        <div class="machine-result" data-testid="machine-result" aria-busy={submit.busy}>
          <div class="machine-verdict" role="status">
            <Icon name={run.replay.changed === 0 ? "circle-check" : "arrow-right-left"} size={20} />
            <p>
              <strong>{run.replay.sessions === 0 ? t("machine.none") : run.replay.changed === 0 ? t("machine.same", { count: run.replay.sessions }) : t("machine.changed", { count: run.replay.changed, sessions: run.replay.sessions })}</strong>
              {run.yaml !== yaml && <span class="meta"> {t("machine.older")}</span>}
            </p>
            {dirty && (
              <Button kind="primary" icon="check" busy={saving} disabled={broken || run.yaml !== yaml} testid="machine-publish" onClick={onPublish}>
                {t("flows.publish")}
              </Button>
            )}
          </div>
          {run.replay.rows.some((row) => !row.changed) && <SwitchLine label={t("machine.all")} checked={all} testid="machine-all" onChange={setAll} />}
          {rows.length > 0 && <Rows rows={rows} />}
        </div>
      )}
    </Card>
  );
}

function Rows({ rows }: { readonly rows: readonly ReplayRow[] }) {
  return (
    <div class="table-scroll" role="region" tabIndex={0} aria-label={t("machine.title")}>
      <table class="table machine-table table-stacks">
        <thead>
          <tr>
            <th scope="col">{t("machine.question")}</th>
            <th scope="col">{t("machine.before")}</th>
            <th scope="col">{t("machine.after")}</th>
          </tr>
        </thead>
        <tbody>
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
        </tbody>
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
