// The pages of one flow. What is written stays while they change: the time machine tries it before it is saved.
import { useState } from "preact/hooks";
import type { Flow } from "../../../model/bot";
import { useConsole } from "../../context";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { t } from "../../text";
import { Talk } from "../bot/talk";
import { Confirm } from "../confirm";
import { ConflictNote, useConflict } from "../conflict";
import { useDraft } from "../form";
import { FormError, Page, useSubmit } from "../page";
import { FlowEditor } from "./editor";
import { TimeMachine } from "./time-machine";
import { useCheck } from "./check";
import { Versions } from "./versions";

const parts = ["edit", "talk", "machine", "versions"] as const;
type Part = (typeof parts)[number];

type Props = { readonly flow: Flow; readonly part: string | null; readonly onChanged: (flow: Flow | null) => void };

export function FlowPages({ flow, part, onChanged }: Props) {
  const app = useConsole();
  const [shown, setShown] = useState<Part>(() => parts.find((name) => name === part) ?? "edit");
  const [removing, setRemoving] = useState(false);
  const draft = useDraft({ yaml: flow.yaml });
  const { yaml } = draft.value;
  const submit = useSubmit();
  const check = useCheck(yaml);
  const conflict = useConflict<Flow | null>(flow, () => app.api.bot.flow(flow.name));
  const broken = check.problems.some((problem) => problem.severity !== "warning");
  const save = () =>
    submit.run(async () => {
      const done = await conflict.save((known) => app.api.bot.changeFlow(flow.name, yaml, known?.version ?? 0));
      if (done === null) return;
      draft.reset({ yaml: done.yaml });
      onChanged(done);
    });
  return (
    <Page
      wide
      crumb={{ href: "#/settings/flows", text: t("flows.all") }}
      title={flow.name}
      lead={t("flows.version", { version: flow.version })}
      action={
        <span class="page-actions">
          {draft.dirty && (
            <Button
              kind="quiet"
              disabled={submit.busy}
              onClick={() => {
                submit.clear();
                draft.reset();
              }}
            >
              {t("form.discard")}
            </Button>
          )}
          <Button kind="primary" icon="check" busy={submit.busy} disabled={!draft.dirty || broken || check.busy} testid="flow-publish" onClick={() => void save()}>
            {t("flows.publish")}
          </Button>
          <Button kind="danger" icon="trash-2" label={t("remove_named", { name: flow.name })} testid="remove-flow" onClick={() => setRemoving(true)} />
        </span>
      }
    >
      <div class="flow-notes">
        <ConflictNote
          conflict={conflict}
          onTheirs={(theirs) => {
            submit.clear();
            onChanged(theirs);
            if (theirs !== null) draft.reset({ yaml: theirs.yaml });
          }}
        />
        <FormError submit={submit} />
        {draft.dirty && (
          <p class="form-note flow-unsaved" role="status" data-testid="flow-unsaved">
            <Icon name="pencil" />
            {broken ? t("flows.unsaved_broken") : t("flows.unsaved")}
          </p>
        )}
      </div>
      <div class="tabs" role="tablist" aria-label={t("flows.parts")}>
        {parts.map((name) => (
          <button key={name} type="button" role="tab" class="tab" aria-selected={name === shown} data-testid={`flow-${name}-tab`} tabIndex={name === shown ? 0 : -1} onClick={() => setShown(name)} onKeyDown={(event) => {
            const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
            if (step === 0) return;
            event.preventDefault();
            const next = parts[(parts.indexOf(name) + step + parts.length) % parts.length] ?? name;
            setShown(next);
            (event.currentTarget.parentElement?.children[parts.indexOf(next)] as HTMLElement | undefined)?.focus();
          }}>
            {t(`flows.part_${name}`)}
          </button>
        ))}
      </div>
      <div role="tabpanel" aria-label={t(`flows.part_${shown}`)}>
        {shown === "edit" && <FlowEditor yaml={yaml} check={check} onChange={(next) => draft.set({ yaml: next })} />}
        {shown === "talk" && (
          <div class="flow-talk">
            <Talk key={yaml} unsaved={false} flow={yaml} />
          </div>
        )}
        {shown === "machine" && <TimeMachine flow={flow} yaml={yaml} dirty={draft.dirty} broken={broken} saving={submit.busy} onPublish={() => void save()} />}
        {shown === "versions" && (
          <Versions
            flow={flow}
            dirty={draft.dirty}
            onRolledBack={(next) => {
              draft.reset({ yaml: next.yaml });
              onChanged(next);
            }}
          />
        )}
      </div>
      {removing && (
        <Confirm
          title={t("flows.remove")}
          text={t("flows.remove_text", { name: flow.name })}
          action={t("remove")}
          run={async () => {
            await app.api.bot.removeFlow(flow.name);
            draft.reset();
            onChanged(null);
            app.go({ page: "settings", section: "flows", item: null });
          }}
          onClose={() => setRemoving(false)}
        />
      )}
    </Page>
  );
}
