// How visitors' messages are sorted, everywhere or in one inbox: a text to try, what counts, where it leads,
// what decides without the model, what people corrected, and what was decided.
import { percent } from "@frontdesk/i18n";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Intents as Read } from "../../model/api";
import { sum } from "../../model/intents";
import { useConsole, useDesk } from "../context";
import { SelectField } from "../parts/controls";
import { Icon } from "../parts/icon";
import type { Bar } from "../parts/intent";
import { Bars } from "../parts/intent";
import { Empty } from "../parts/states";
import { locale, t } from "../text";
import { Corrections } from "./intents/corrections";
import { usePlace } from "./intents/place";
import { Rules } from "./intents/rules";
import { Targets } from "./intents/targets";
import { Thresholds } from "./intents/thresholds";
import { TryText } from "./intents/try";
import type { Loaded } from "./page";
import { Card, Load, Page, useAgain } from "./page";

const lookAgainMs = 10_000;
const steps = ["rule", "cache", "model", "none"] as const;

export function Intents() {
  const app = useConsole();
  const { inbox: model } = useDesk();
  const { inboxes } = model.directory.value;
  const [wanted, setWanted] = useState("");
  const [isOff, setOff] = useState(false);
  const [text, setText] = useState("");
  const inbox = inboxes.some((known) => known.id === wanted) ? wanted : "";
  const read = async () => {
    const sorting = await app.api.intents(inbox === "" ? null : inbox);
    setOff(sorting === null);
    return sorting;
  };
  return (
    <Page title={t("settings.intents")} lead={t("intents.lead")}>
      {!isOff && (
        <div class="limits-place">
          <SelectField
            label={t("limits.place")}
            help={inbox === "" ? t("intents.place_all") : t("intents.place_inbox")}
            value={inbox}
            choices={[{ value: "", label: t("intents.everywhere") }, ...inboxes.map((one) => ({ value: one.id, label: t("limits.inbox", { name: one.name }) }))]}
            onChange={setWanted}
            testid="intents-place"
          />
        </div>
      )}
      <Load key={inbox} read={read}>
        {(loaded) => <Shown inbox={inbox} loaded={loaded} text={text} onText={setText} />}
      </Load>
    </Page>
  );
}

type ShownProps = { readonly inbox: string; readonly loaded: Loaded<Read | null>; readonly text: string; readonly onText: (text: string) => void };

function Shown({ inbox, loaded, text, onText }: ShownProps) {
  useAgain(loaded.reload, lookAgainMs);
  const place = usePlace(inbox, loaded);
  if (place === null) {
    return (
      <Empty icon="split" title={t("intents.off")}>
        <p data-testid="intents-off">
          <Words text={t("intents.off_text")} />
        </p>
      </Empty>
    );
  }
  const { sorting } = place;
  return (
    <div class="cards" data-testid="intents" data-inbox={inbox}>
      {!sorting.has_model ? (
        <Trouble title={t("intents.missing")} text={t("intents.missing_text")} testid="intents-missing" />
      ) : sorting.is_open ? (
        <Trouble title={t("intents.open")} text={t("intents.open_text")} testid="intents-open" />
      ) : null}
      {typeof sorting.void === "string" && <Trouble title={t("intents.void")} text={t("intents.void_text", { reason: sorting.void })} testid="intents-void" />}
      <TryText place={place} text={text} onText={onText} />
      <Thresholds place={place} />
      <Targets place={place} />
      <Rules place={place} />
      <Corrections inbox={inbox} />
      <Decided decided={sorting.decided} />
    </div>
  );
}

/** A text with names of settings and files between backticks. */
export function Words({ text }: { readonly text: string }) {
  return <>{text.split("`").map((part, at): ComponentChildren => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}</>;
}

function Trouble({ title, text, testid }: { readonly title: string; readonly text: string; readonly testid: string }) {
  return (
    <div class="intent-trouble" role="status" data-testid={testid}>
      <Icon name="triangle-alert" />
      <p>
        <strong>{title}</strong> <Words text={text} />
      </p>
    </div>
  );
}

function Decided({ decided }: { readonly decided: Read["decided"] }) {
  const all = sum(steps.map((step) => decided[step] ?? 0));
  const bars: readonly Bar[] = steps.map((step) => {
    const count = decided[step] ?? 0;
    const share = all === 0 ? 0 : count / all;
    return { key: step, label: t(`intents.step_${step}`), share, text: `${count.toLocaleString(locale())} · ${percent(share, locale())}`, strong: step !== "none" };
  });
  return (
    <Card title={t("intents.decided")} text={all === 0 ? t("intents.decided_none") : t("intents.decided_text", { count: all })} testid="intents-decided">
      {all > 0 && <Bars label={t("intents.decided")} bars={bars} />}
    </Card>
  );
}
