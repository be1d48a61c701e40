// The versions of a flow, each with what it changed; one press takes one back.
import { clockTime, dateOf } from "@frontdesk/i18n";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Flow, FlowVersion } from "../../../model/bot";
import { around, diffLines } from "../../../model/diff";
import { useConsole } from "../../context";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { locale, t } from "../../text";
import { Card, FormError, Load, useSubmit } from "../page";

type Props = { readonly flow: Flow; readonly dirty: boolean; readonly onRolledBack: (flow: Flow) => void };

export function Versions({ flow, dirty, onRolledBack }: Props) {
  const app = useConsole();
  return (
    <Card title={t("flows.part_versions")} text={t("flows.versions_text")} testid="flow-versions">
      {dirty && (
        <p class="form-note" role="note">
          <Icon name="circle-help" />
          {t("flows.versions_unsaved")}
        </p>
      )}
      <Load key={flow.version} read={() => app.api.bot.versions(flow.name)}>
        {({ value: versions }) => <List flow={flow} versions={[...versions].sort((a, b) => b.version - a.version)} dirty={dirty} onRolledBack={onRolledBack} />}
      </Load>
    </Card>
  );
}

function List({ flow, versions, dirty, onRolledBack }: Props & { readonly versions: readonly FlowVersion[] }) {
  const app = useConsole();
  const submit = useSubmit();
  return (
    <>
      <FormError submit={submit} />
      <ul class="lines">
        {versions.map((version, at) => {
          const current = version.version === flow.version;
          return (
            <Line key={version.version} version={version} before={versions[at + 1]?.yaml} current={current}>
              {!current && (
                <Button
                  size="small"
                  icon="history"
                  busy={submit.busy}
                  disabled={dirty}
                  testid="roll-back"
                  onClick={() => {
                    void submit.run(async () => onRolledBack(await app.api.bot.rollBack(flow.name, version.version)));
                  }}
                >
                  {t("flows.roll_back", { version: version.version })}
                </Button>
              )}
            </Line>
          );
        })}
      </ul>
    </>
  );
}

type LineProps = { readonly version: FlowVersion; readonly before: string | undefined; readonly current: boolean; readonly children: ComponentChildren };

function Line({ version, before, current, children }: LineProps) {
  const app = useConsole();
  const [open, setOpen] = useState(false);
  const { yaml } = version;
  const at = `${dateOf(version.updated_ms, app.now.value, locale())} ${clockTime(version.updated_ms, locale())}`;
  return (
    <li class="flow-version" data-testid="flow-version" data-version={version.version}>
      <div class="line">
        <Icon name="history" />
        <span class="line-text">
          <span>
            {t("flows.version", { version: version.version })} {current && <span class="tag tag-ok">{t("flows.current")}</span>}
          </span>
          <span class="meta">{version.by ? t("flows.changed_by", { name: version.by, time: at }) : at}</span>
        </span>
        {yaml !== undefined && before !== undefined && (
          <Button size="small" kind="quiet" expanded={open} onClick={() => setOpen(!open)}>
            {open ? t("flows.diff_hide") : t("flows.diff")}
          </Button>
        )}
        {children}
      </div>
      {open && yaml !== undefined && before !== undefined && <Diff before={before} after={yaml} />}
    </li>
  );
}

const signs = { same: " ", added: "+", removed: "−" } as const;

function Diff({ before, after }: { readonly before: string; readonly after: string }) {
  const parts = around(diffLines(before, after));
  if (parts.length === 0) return <p class="meta">{t("flows.diff_none")}</p>;
  return (
    <pre class="diff" tabIndex={0} aria-label={t("flows.diff")} role="region">
      {parts.map((part, at) =>
        part.kind === "skipped" ? (
          <span key={at} class="diff-line diff-skipped">
            {t("flows.diff_skipped", { count: part.count })}
          </span>
        ) : (
          part.lines.map((line, place) => (
            <span key={`${at}-${place}`} class={`diff-line diff-${line.kind}`}>
              <span aria-hidden="true">{signs[line.kind]}</span>
              {line.kind !== "same" && <span class="visually-hidden">{t(`flows.diff_${line.kind}`)}</span>} {line.text}
            </span>
          ))
        ),
      )}
    </pre>
  );
}
