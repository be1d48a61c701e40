// The account's figures, from the server's registry: name, help, unit, bounds and default come with
// each, so that a new setting needs no new form.
import { localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Setting } from "../../model/api";
import { useConsole } from "../context";
import { Button } from "../parts/controls";
import { locale, t } from "../text";
import { Card, FormError, Load, Page, useSubmit } from "./page";

export function Limits() {
  const app = useConsole();
  return (
    <Page title={t("settings.limits")} lead={t("limits.lead")}>
      <Load read={() => app.api.settings()}>
        {({ value: settings, reload }) => (
          <>
            {[...byArea(settings)].map(([area, lines]) => (
              <Card key={area} title={areaTitle(area)}>
                <ul class="lines">
                  {lines.map((setting) => (
                    <SettingLine key={setting.name} setting={setting} onDone={reload} />
                  ))}
                </ul>
              </Card>
            ))}
          </>
        )}
      </Load>
    </Page>
  );
}

function byArea(settings: readonly Setting[]): Map<string, Setting[]> {
  const areas = new Map<string, Setting[]>();
  for (const setting of settings) {
    const area = setting.name.split(".")[0] ?? "";
    areas.set(area, [...(areas.get(area) ?? []), setting]);
  }
  return areas;
}

function areaTitle(area: string): string {
  switch (area) {
    case "session":
      return t("limits.session");
    case "routing":
      return t("limits.routing");
    case "chat":
      return t("limits.chat");
    case "files":
      return t("limits.files");
    default:
      return t("limits.other", { area });
  }
}

/** The unit ends the name of a number. */
function unitOf(name: string): string {
  if (name.endsWith("_ms")) return t("unit.ms");
  if (name.endsWith("_s")) return t("unit.s");
  if (name.endsWith("_min")) return t("unit.min");
  if (name.endsWith("_mib")) return "MiB";
  return "";
}

function SettingLine({ setting, onDone }: { readonly setting: Setting; readonly onDone: () => Promise<void> }) {
  const app = useConsole();
  const [text, setText] = useState(String(setting.value));
  const submit = useSubmit();
  const id = `setting-${setting.name}`;
  const put = (value: boolean | number | null) => void submit.run(() => app.api.changeSetting(setting.name, value)).then((done) => (done ? onDone() : undefined));
  const changed = setting.kind === "number" && text !== String(setting.value);
  return (
    <li class="line setting" data-testid="setting" data-name={setting.name}>
      <label class="line-text" for={id}>
        <span>{localText(setting.help, locale())}</span>
        <span class="meta">
          <code>{setting.name}</code> · {t("limits.default", { value: defaultText(setting) })}
        </span>
      </label>
      {setting.kind === "switch" ? (
        <input id={id} type="checkbox" role="switch" class="switch" checked={setting.value === true} disabled={submit.busy} onChange={(event) => put(event.currentTarget.checked)} />
      ) : (
        <form
          class="setting-number"
          onSubmit={(event) => {
            event.preventDefault();
            if (changed) put(Number(text));
          }}
        >
          <input id={id} class="input" type="number" required step={1} min={setting.min ?? undefined} max={setting.max ?? undefined} value={text} onInput={(event) => setText(event.currentTarget.value)} />
          <span class="meta setting-unit">{unitOf(setting.name)}</span>
          {changed && (
            <Button type="submit" size="small" kind="primary" busy={submit.busy}>
              {t("save")}
            </Button>
          )}
        </form>
      )}
      <span class={setting.own && !changed ? "setting-reset" : "setting-reset setting-default"}>
        <Button size="small" kind="quiet" icon="rotate-ccw" label={t("limits.reset")} disabled={!setting.own || changed} onClick={() => {
          setText(String(setting.default));
          put(null);
        }} />
      </span>
      <FormError submit={submit} />
    </li>
  );
}

function defaultText(setting: Setting): string {
  if (typeof setting.default === "boolean") return setting.default ? t("limits.on") : t("limits.off");
  return `${setting.default.toLocaleString(locale())} ${unitOf(setting.name)}`.trim();
}
