// Rules and limits, from the server's registry: name, help, unit, bounds and default come with each,
// so that a new setting needs no new form. For the whole account, or for one inbox.
import { duration, localText } from "@frontdesk/i18n";
import { useEffect, useState } from "preact/hooks";
import type { Setting } from "../../model/api";
import { useConsole, useDesk } from "../context";
import { Button, SelectField } from "../parts/controls";
import { Empty } from "../parts/states";
import { locale, t } from "../text";
import { Card, FormError, Load, Page, useSubmit } from "./page";

export function Limits({ item }: { readonly item: string | null }) {
  const app = useConsole();
  const { inbox: model, rights } = useDesk();
  const { inboxes } = model.directory.value;
  const chosen = inboxes.some((inbox) => inbox.id === item) ? item : null;
  return (
    <Page title={t("settings.limits")} lead={t("limits.lead")}>
      {rights.has("settings.inboxes") && inboxes.length > 0 && (
        <div class="limits-place">
          <SelectField
            label={t("limits.place")}
            help={chosen === null ? t("limits.place_account") : t("limits.place_inbox")}
            value={chosen ?? ""}
            choices={[{ value: "", label: t("limits.account") }, ...inboxes.map((inbox) => ({ value: inbox.id, label: t("limits.inbox", { name: inbox.name }) }))]}
            onChange={(value) => app.go({ page: "settings", section: "limits", item: value === "" ? null : value })}
            testid="limits-place"
          />
        </div>
      )}
      <SettingsOf key={chosen} read={() => app.api.settings(chosen)} inbox={chosen} />
    </Page>
  );
}

export function SettingsOf({ read, inbox }: { readonly read: () => Promise<readonly Setting[]>; readonly inbox: string | null }) {
  return (
    <Load read={read}>
      {({ value: settings, reload }) => (
        <div class="cards">
          {settings.length === 0 && <Empty icon="sliders-horizontal" title={t("limits.none")} />}
          {[...byArea(settings)].map(([area, lines]) => (
            <Card key={area} title={areaTitle(area)}>
              <ul class="lines">
                {lines.map((setting) => (
                  <SettingLine key={setting.name} setting={setting} inbox={inbox} onDone={reload} />
                ))}
              </ul>
            </Card>
          ))}
        </div>
      )}
    </Load>
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

/** "1 h" beside 3,600 seconds; empty where the number says as much. */
function inWords(name: string, text: string): string {
  const value = Number(text);
  if (!name.endsWith("_s") || !Number.isInteger(value) || value < 60) return "";
  const days = value / 86_400;
  return days >= 2 && Number.isInteger(days) ? t("unit.days", { count: days }) : duration(value * 1_000, locale());
}

type LineProps = { readonly setting: Setting; readonly inbox: string | null; readonly onDone: () => Promise<void> };

function SettingLine({ setting, inbox, onDone }: LineProps) {
  const app = useConsole();
  const [text, setText] = useState(String(setting.value));
  useEffect(() => setText(String(setting.value)), [setting.value]);
  const submit = useSubmit();
  // What was chosen stands there while the server is asked.
  const [wanted, setWanted] = useState<boolean | null>(null);
  const id = `setting-${setting.name}`;
  const put = async (value: boolean | number | null) => {
    if (await submit.run(() => app.api.changeSetting(setting.name, value, inbox))) await onDone();
    setWanted(null);
  };
  const changed = setting.kind === "number" && text !== String(setting.value);
  const words = setting.kind === "number" ? inWords(setting.name, text) : "";
  const error = submit.errorOf(setting.name);
  return (
    <li class={setting.kind === "switch" ? "line setting" : "line setting setting-figure"} data-testid="setting" data-name={setting.name}>
      <label class="line-text" for={id}>
        <span>{localText(setting.help, locale())}</span>
        <span class="meta">
          <code>{setting.name}</code> · {setting.own && inbox !== null ? t("limits.own") : inbox !== null ? t("limits.inherited") : t("limits.default", { value: defaultText(setting) })}
        </span>
      </label>
      {setting.kind === "switch" ? (
        <input id={id} type="checkbox" role="switch" class="switch" checked={wanted ?? setting.value === true} onChange={(event) => {
            setWanted(event.currentTarget.checked);
            void put(event.currentTarget.checked);
          }} />
      ) : (
        <form
          class="setting-number"
          onSubmit={(event) => {
            event.preventDefault();
            if (changed) void put(Number(text));
          }}
        >
          <input id={id} class="input" type="number" required step={1} min={setting.min ?? undefined} max={setting.max ?? undefined} value={text} aria-invalid={error === null ? undefined : "true"} aria-describedby={`${id}-words`} onInput={(event) => setText(event.currentTarget.value)} />
          <span class="meta setting-unit" id={`${id}-words`}>
            {unitOf(setting.name)}
            {words !== "" && <span class="setting-words">= {words}</span>}
          </span>
          {changed && (
            <Button type="submit" size="small" kind="primary" busy={submit.busy}>
              {t("save")}
            </Button>
          )}
        </form>
      )}
      <span class={setting.own && !changed ? "setting-reset" : "setting-reset setting-default"}>
        <Button size="small" kind="quiet" icon="rotate-ccw" label={inbox === null ? t("limits.reset") : t("limits.reset_inbox")} disabled={!setting.own || changed} onClick={() => void put(null)} />
      </span>
      {error !== null && (
        <p class="form-error" role="alert">
          {error}
        </p>
      )}
      <FormError submit={submit} />
    </li>
  );
}

function defaultText(setting: Setting): string {
  if (typeof setting.default === "boolean") return setting.default ? t("limits.on") : t("limits.off");
  return `${setting.default.toLocaleString(locale())} ${unitOf(setting.name)}`.trim();
}
