// The bot's flows: those there are, and the pages of the one that is open: its file with its picture, its versions, and
// what it would have said in conversations of the past.
import { relativeTime } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { FlowHeading } from "../../model/bot";
import { flowNameProblem } from "../../model/bot";
import { useConsole } from "../context";
import { Button, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Dialog, DialogFoot } from "../parts/overlay";
import { Empty } from "../parts/states";
import { locale, t } from "../text";
import { FlowPages } from "./flows/pages";
import { firstFlow } from "./flows/template";
import { Card, FormError, Load, Page, useSubmit } from "./page";

export function FlowsPage({ item, part }: { readonly item: string | null; readonly part: string | null }) {
  return item === null ? <FlowList /> : <OneFlow key={item} name={item} part={part} />;
}

function OneFlow({ name, part }: { readonly name: string; readonly part: string | null }) {
  const app = useConsole();
  return <Load read={() => app.api.bot.flow(name)}>{({ value: flow, put }) => (flow === null ? <FlowList /> : <FlowPages flow={flow} part={part} onChanged={put} />)}</Load>;
}

function FlowList() {
  const app = useConsole();
  const [adding, setAdding] = useState(false);
  return (
    <Load read={() => app.api.bot.flows()}>
      {({ value: flows }) => (
        <Page
          title={t("settings.flows")}
          lead={t("flows.lead")}
          action={
            <Button kind="primary" icon="plus" testid="add-flow" onClick={() => setAdding(true)}>
              {t("flows.add")}
            </Button>
          }
        >
          {flows.length === 0 ? (
            <Empty icon="workflow" title={t("flows.none")}>
              <p>{t("flows.none_text")}</p>
            </Empty>
          ) : (
            <Card>
              <ul class="lines" data-testid="flows">
                {flows.map((flow) => (
                  <FlowLine key={flow.name} flow={flow} />
                ))}
              </ul>
            </Card>
          )}
          {adding && <AddFlow taken={flows.map((flow) => flow.name)} onClose={() => setAdding(false)} onDone={(name) => app.go({ page: "settings", section: "flows", item: name })} />}
        </Page>
      )}
    </Load>
  );
}

function FlowLine({ flow }: { readonly flow: FlowHeading }) {
  const app = useConsole();
  const time = relativeTime(flow.updated_ms, app.now.value, locale());
  return (
    <li>
      <a class="line line-link" href={`#/settings/flows/${encodeURIComponent(flow.name)}`} data-testid="flow">
        <Icon name="workflow" />
        <span class="line-text">
          <span>{flow.name}</span>
          <span class="meta">
            {t("flows.version", { version: flow.version })} · {flow.by ? t("flows.changed_by", { name: flow.by, time }) : time}
          </span>
        </span>
        <Icon name="chevron-right" />
      </a>
    </li>
  );
}

type AddProps = { readonly taken: readonly string[]; readonly onClose: () => void; readonly onDone: (name: string) => void };

function AddFlow({ taken, onClose, onDone }: AddProps) {
  const app = useConsole();
  const [name, setName] = useState("");
  const submit = useSubmit();
  const problem = flowNameProblem(name, taken);
  return (
    <Dialog title={t("flows.add")} onClose={onClose} testid="flow-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (problem === null) void submit.run(() => app.api.bot.changeFlow(name, firstFlow(name), 0)).then((done) => (done ? onDone(name) : undefined));
        }}
      >
        <p>{t("flows.add_text")}</p>
        <TextField label={t("flows.name")} help={t("flows.name_help")} value={name} maxlength={64} placeholder="returns" onInput={(next) => setName(next.trim().toLowerCase())} error={problem === null || problem === "empty" ? submit.errorOf("name") : t(`flows.name_${problem}`)} autofocus testid="flow-name" />
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("flows.add")} busy={submit.busy} disabled={problem !== null} testid="flow-submit" />
      </form>
    </Dialog>
  );
}
