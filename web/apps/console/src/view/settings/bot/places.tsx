// Each inbox: whether the bot works there, as which bot, and what it begins with.
import type { ApiKey } from "../../../model/api";
import type { BotMode, BotPlace, BotSettings, FlowHeading } from "../../../model/bot";
import { botModes, builtIn, placeOf, withPlace } from "../../../model/bot";
import { useDesk } from "../../context";
import { SelectField } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { Empty } from "../../parts/states";
import { t } from "../../text";
import { Card } from "../page";

type Props = {
  readonly settings: BotSettings;
  readonly flows: readonly FlowHeading[];
  readonly keys: readonly ApiKey[];
  readonly errorOf: (field: string) => string | null;
  readonly onChange: (inboxes: BotSettings["inboxes"]) => void;
};

export function Places({ settings, flows, keys, errorOf, onChange }: Props) {
  const { inbox: model } = useDesk();
  const { inboxes } = model.directory.value;
  return (
    <Card title={t("bot.places")} text={t("bot.places_text")} testid="bot-places">
      {inboxes.length === 0 ? (
        <Empty icon="globe" title={t("inboxes.none")}>
          <p>
            <a href="#/settings/inboxes">{t("inboxes.add")}</a>
          </p>
        </Empty>
      ) : (
        <ul class="bot-places">
          {inboxes.map((inbox) => (
            <Place key={inbox.id} id={inbox.id} name={inbox.name} place={placeOf(settings, inbox.id)} flows={flows} keys={keys} error={errorOf(`inboxes.${inbox.id}`) ?? errorOf(`inboxes.${inbox.id}.who`) ?? errorOf(`inboxes.${inbox.id}.flow`)} onChange={(change) => onChange(withPlace(settings, inbox.id, change))} />
          ))}
        </ul>
      )}
    </Card>
  );
}

type PlaceProps = { readonly id: string; readonly name: string; readonly place: BotPlace; readonly flows: readonly FlowHeading[]; readonly keys: readonly ApiKey[]; readonly error: string | null; readonly onChange: (change: Partial<BotPlace>) => void };

function Place({ id, name, place, flows, keys, error, onChange }: PlaceProps) {
  const bots = keys.filter((key) => key.bot === true);
  const known = place.who === builtIn || bots.some((key) => key.id === place.who);
  const who = [{ value: builtIn, label: t("bot.built_in") }, ...bots.map((key) => ({ value: key.id, label: key.name })), ...(known ? [] : [{ value: place.who, label: t("bot.other_key") }])];
  const flowKnown = place.flow === "" || flows.some((flow) => flow.name === place.flow);
  const flowChoices = [{ value: "", label: t("bot.no_flow") }, ...flows.map((flow) => ({ value: flow.name, label: flow.name })), ...(flowKnown ? [] : [{ value: place.flow, label: t("bot.flow_gone", { flow: place.flow }) }])];
  return (
    <li class="bot-place" data-testid="bot-place" data-inbox={id} data-mode={place.mode}>
      <fieldset>
        <legend>
          <Icon name="globe" />
          {name}
        </legend>
        <div class="bot-modes">
          {botModes.map((mode) => (
            <Mode key={mode} id={id} mode={mode} chosen={place.mode === mode} onChange={() => onChange({ mode })} />
          ))}
        </div>
      </fieldset>
      {place.mode !== "off" && (
        <div class="form-row">
          <SelectField label={t("bot.who")} value={place.who} choices={who} onChange={(next) => onChange(next === builtIn ? { who: next } : { who: next, flow: "" })} testid="bot-who" />
          {place.who === builtIn && <SelectField label={t("bot.flow")} value={place.flow} choices={flowChoices} onChange={(flow) => onChange({ flow })} error={flowKnown ? null : t("bot.flow_gone_help")} testid="bot-flow" />}
        </div>
      )}
      {error !== null && (
        <p class="field-error" role="alert">
          <Icon name="circle-alert" size={14} />
          {error}
        </p>
      )}
    </li>
  );
}

function Mode({ id, mode, chosen, onChange }: { readonly id: string; readonly mode: BotMode; readonly chosen: boolean; readonly onChange: () => void }) {
  return (
    <label class="radio-card" data-chosen={chosen}>
      <input type="radio" name={`mode-${id}`} value={mode} checked={chosen} data-testid={`bot-mode-${mode}`} onChange={onChange} />
      <span class="radio-words">
        <span class="bot-mode-name">{t(`bot.mode_${mode}`)}</span>
        <span class="meta">{t(`bot.mode_${mode}_help`)}</span>
      </span>
    </label>
  );
}
