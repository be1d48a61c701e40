// Address, model and key; what it may do; how much it may cost. The key goes in and never comes out again.
import type { LlmConfig, LlmSettings } from "../../../model/llm";
import { anyFeature, clearsKey, hostOf, llmFeatures, presetOf, presets, settingsOf, timeoutMsMax, timeoutWrong, visitorWaitMsMax, visitorWaitWrong } from "../../../model/llm";
import { useConsole } from "../../context";
import { Field, TextArea, TextField } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { locale, t } from "../../text";
import { ConflictNote, useConflict } from "../conflict";
import { SwitchLine } from "../fields";
import { SaveBar, useDraft } from "../form";
import type { Loaded, Submit } from "../page";
import { Card, FormError, useSubmit } from "../page";
import { TestModel } from "./test";

/** A key that is typed is part of what is not saved yet; an empty one keeps what there is. */
type Draft = LlmSettings & { readonly key: string; readonly forget: boolean };

const draftOf = (config: LlmConfig): Draft => ({ ...settingsOf(config), key: "", forget: false });

export function LlmForm({ loaded: { value: config, put } }: { readonly loaded: Loaded<LlmConfig> }) {
  const app = useConsole();
  const draft = useDraft<Draft>(draftOf(config));
  const submit = useSubmit();
  const conflict = useConflict(config, () => app.api.llm.read());
  const { key, forget, ...settings } = draft.value;
  const addressWrong = settings.base_url.trim() !== "" && hostOf(settings.base_url) === null;
  const wrong = addressWrong || [settings.conversation_tokens_max, settings.day_tokens_max].some((figure) => !isFigure(figure)) || timeoutWrong(settings.timeout_ms) || visitorWaitWrong(settings) !== null;
  const cleared = clearsKey(config, settings.base_url, key);
  const save = async () => {
    const next = { ...settings, base_url: settings.base_url.trim(), model: settings.model.trim() };
    const done = await conflict.save((known) => app.api.llm.change(next, known.revision, key !== "" ? key : forget ? "" : undefined));
    draft.reset(draftOf(done));
    put(done);
  };
  return (
    <form
      class="cards"
      autocomplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) void submit.run(save);
      }}
    >
      <ConflictNote
        conflict={conflict}
        onTheirs={(theirs) => {
          submit.clear();
          put(theirs);
          draft.reset(draftOf(theirs));
        }}
      />
      <Card title={t("llm.where")} text={t("llm.where_text")}>
        <div class="form">
          <Presets baseUrl={settings.base_url} onChoose={(preset) => draft.set({ base_url: preset.base_url, ...(preset.model === "" ? {} : { model: preset.model }) })} />
          <div class="form-row">
            <TextField label={t("llm.base_url")} help={t("llm.base_url_help")} value={settings.base_url} placeholder="https://api.example.com/v1" onInput={(base_url) => draft.set({ base_url })} error={addressWrong ? t("llm.base_url_wrong") : submit.errorOf("base_url")} testid="llm-base-url" />
            <TextField label={t("llm.model")} help={t("llm.model_help")} value={settings.model} placeholder="qwen3:8b" onInput={(model) => draft.set({ model })} error={submit.errorOf("model")} testid="llm-model" />
          </div>
          <KeyField config={config} value={key} forget={forget} cleared={cleared} submit={submit} onChange={(change) => draft.set(change)} />
        </div>
      </Card>
      <Card title={t("llm.features")} text={t("llm.features_text")}>
        {llmFeatures.map((feature) => (
          <SwitchLine key={feature} label={t(`llm.feature_${feature}`)} help={t(`llm.feature_${feature}_help`)} checked={settings.features[feature]} testid={`llm-${feature}`} onChange={(on) => draft.set({ features: { ...settings.features, [feature]: on } })} />
        ))}
        {anyFeature(settings.features) && settings.base_url.trim() === "" && (
          <p class="llm-note">
            <Icon name="triangle-alert" size={14} />
            {t("llm.no_address")}
          </p>
        )}
        {settings.features.answers && (
          <div class="llm-prompt">
            <TextArea label={t("llm.prompt")} help={t("llm.prompt_help")} value={settings.prompt} rows={4} maxlength={4_000} placeholder={t("llm.prompt_example")} onInput={(prompt) => draft.set({ prompt })} error={submit.errorOf("prompt")} testid="llm-prompt" />
          </div>
        )}
      </Card>
      <Card title={t("llm.budgets")} text={t("llm.budgets_text")}>
        <div class="llm-figures">
          <Figure label={t("llm.conversation_tokens")} help={t("llm.conversation_tokens_help")} unit={t("llm.tokens")} value={settings.conversation_tokens_max} submit={submit} field="conversation_tokens_max" onChange={(figure) => draft.set({ conversation_tokens_max: figure })} />
          <Figure label={t("llm.day_tokens")} help={t("llm.day_tokens_help")} unit={t("llm.tokens")} value={settings.day_tokens_max} submit={submit} field="day_tokens_max" onChange={(figure) => draft.set({ day_tokens_max: figure })} />
          <Figure label={t("llm.timeout")} help={t("llm.timeout_help", { most: inMs(timeoutMsMax) })} wrong={timeoutWrong(settings.timeout_ms) ? t("llm.timeout_wrong", { most: inMs(timeoutMsMax) }) : undefined} unit={t("unit.ms")} value={settings.timeout_ms} submit={submit} field="timeout_ms" onChange={(figure) => draft.set({ timeout_ms: figure })} />
          <Figure label={t("llm.visitor_wait")} help={t("llm.visitor_wait_help", { most: inMs(visitorWaitMsMax) })} wrong={waitWrong(settings)} unit={t("unit.ms")} value={settings.visitor_wait_ms} submit={submit} field="visitor_wait_ms" onChange={(figure) => draft.set({ visitor_wait_ms: figure })} />
        </div>
      </Card>
      <TestModel dirty={draft.dirty} ready={config.base_url !== "" && config.model !== ""} />
      <FormError submit={submit} />
      <SaveBar draft={draft} submit={submit} disabled={wrong} testid="llm-save" />
    </form>
  );
}

function Presets({ baseUrl, onChoose }: { readonly baseUrl: string; readonly onChoose: (preset: (typeof presets)[number]) => void }) {
  const chosen = presetOf(baseUrl);
  return (
    <div class="presets" role="group" aria-label={t("llm.presets")}>
      {presets.map((preset) => (
        <button key={preset.name} type="button" class="preset" aria-pressed={chosen?.name === preset.name} data-testid={`preset-${preset.name}`} onClick={() => onChoose(preset)}>
          <span>{preset.name}</span>
          <span class="meta">{preset.local ? t("llm.local") : new URL(preset.base_url).host}</span>
        </button>
      ))}
    </div>
  );
}

type KeyProps = { readonly config: LlmConfig; readonly value: string; readonly forget: boolean; readonly cleared: boolean; readonly submit: Submit; readonly onChange: (change: { readonly key?: string; readonly forget?: boolean }) => void };

function KeyField({ config, value, forget, cleared, submit, onChange }: KeyProps) {
  const kept = config.has_key && !forget && !cleared;
  const help = kept && value === "" ? t("llm.key_kept", { hint: config.hint ?? "" }) : config.has_key && value !== "" ? t("llm.key_replaces") : t("llm.key_help");
  return (
    <div class="llm-key">
      <Field label={t("llm.key")} help={help} error={submit.errorOf("key")} optional={t("optional")}>
        {(ids) => <input {...ids} type="password" class="input" autocomplete="off" spellcheck={false} value={value} placeholder={kept ? `••••••••${config.hint ?? ""}` : "sk-…"} data-testid="llm-key" onInput={(event) => onChange({ key: event.currentTarget.value.trim(), forget: false })} />}
      </Field>
      {config.has_key && value === "" && !cleared && (
        <button type="button" class="link-button" data-testid="llm-forget" onClick={() => onChange({ forget: !forget })}>
          {forget ? t("llm.key_keep") : t("llm.key_forget")}
        </button>
      )}
      {(cleared || forget) && (
        <p class="llm-note" role="status" data-testid="llm-key-cleared">
          <Icon name="triangle-alert" size={14} />
          {cleared ? t("llm.key_cleared", { host: hostOf(config.base_url) ?? config.base_url }) : t("llm.key_forgotten")}
        </p>
      )}
    </div>
  );
}

const isFigure = (value: number): boolean => Number.isInteger(value) && value >= 0;

const inMs = (ms: number): string => `${ms.toLocaleString(locale())} ${t("unit.ms")}`;

/** Said before the server refuses it. */
function waitWrong(settings: LlmSettings): string | undefined {
  const wrong = visitorWaitWrong(settings);
  if (wrong === null) return undefined;
  return wrong === "over" ? t("llm.visitor_wait_over", { most: inMs(settings.timeout_ms) }) : t("llm.visitor_wait_wrong", { most: inMs(visitorWaitMsMax) });
}

type FigureProps = { readonly label: string; readonly help: string; /** What is wrong with it beside being no whole number. */ readonly wrong?: string | undefined; readonly unit: string; readonly value: number; readonly field: string; readonly submit: Submit; readonly onChange: (figure: number) => void };

function Figure({ label, help, wrong, unit, value, field, submit, onChange }: FigureProps) {
  return (
    <Field label={label} help={help} error={isFigure(value) ? (wrong ?? submit.errorOf(field)) : t("invalid.not_whole")}>
      {(ids) => (
        <span class="setting-number">
          <input {...ids} type="number" class="input" min={0} step={1} value={Number.isNaN(value) ? "" : value} data-testid={`llm-${field}`} onInput={(event) => onChange(event.currentTarget.value === "" ? Number.NaN : Number(event.currentTarget.value))} />
          <span class="meta">{unit}</span>
        </span>
      )}
    </Field>
  );
}
