// What is set of the bot, saved as a whole; a talk with it stands beside and changes nothing.
import { LOCALES, LOCALE_NAMES } from "@frontdesk/i18n";
import type { BotSettings, HandoverRules } from "../../../model/bot";
import { missesMax, ownNames, settingsOf } from "../../../model/bot";
import { useConsole } from "../../context";
import { SelectField, TextField } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { locale, t } from "../../text";
import type { BotData } from "../bot";
import { ConflictNote, useConflict } from "../conflict";
import { SwitchLine } from "../fields";
import { SaveBar, useDraft } from "../form";
import { LanguageFields, tidyTexts } from "../languages";
import type { Loaded } from "../page";
import { Card, FormError, useSubmit } from "../page";
import { Places } from "./places";
import { Talk } from "./talk";

export function BotForm({ loaded: { value, put } }: { readonly loaded: Loaded<BotData> }) {
  const app = useConsole();
  const { config, flows, keys, articles } = value;
  const draft = useDraft<BotSettings>(settingsOf(config, locale()));
  const submit = useSubmit();
  const conflict = useConflict(config, () => app.api.bot.read());
  const { name, fallback, handover, team_language: teamLanguage } = draft.value;
  const misses = handover.misses_max;
  const wrong = !Number.isInteger(misses) || misses < 1 || misses > missesMax;
  const save = async () => {
    const settings: BotSettings = { ...draft.value, name: tidyTexts(name), fallback: tidyTexts(fallback) };
    const done = await conflict.save((known) => app.api.bot.change(settings, known.revision));
    draft.reset(settingsOf(done, locale()));
    put({ ...value, config: done });
  };
  const rule = (change: Partial<HandoverRules>) => draft.set({ handover: { ...handover, ...change } });
  return (
    <div class="with-talk">
      <form
        class="cards"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) void submit.run(save);
        }}
      >
        <ConflictNote
          conflict={conflict}
          onTheirs={(theirs) => {
            submit.clear();
            put({ ...value, config: theirs });
            draft.reset(settingsOf(theirs, locale()));
          }}
        />
        {!articles && (
          <p class="form-note" data-testid="bot-no-articles">
            <Icon name="book-open" />
            <span>
              {t("settings.bot_no_articles")} <a href="#/knowledge">{t("settings.bot_to_knowledge")}</a>
            </span>
          </p>
        )}
        <Places settings={draft.value} flows={flows} keys={keys} onChange={(inboxes) => draft.set({ inboxes })} errorOf={submit.errorOf} />
        <Card title={t("bot.name")} text={t("bot.name_text")}>
          <LanguageFields label={t("bot.name")} placeholders={ownNames} value={name} onChange={(next) => draft.set({ name: next })} error={submit.errorOf("name")} testid="bot-name" />
        </Card>
        <Card title={t("bot.handover")} text={t("bot.handover_text")}>
          <SwitchLine label={t("bot.on_complaint")} help={t("bot.on_complaint_help")} checked={handover.on_complaint} testid="bot-on-complaint" onChange={(on) => rule({ on_complaint: on })} />
          <SwitchLine label={t("bot.on_anger")} help={t("bot.on_anger_help")} checked={handover.on_anger} testid="bot-on-anger" onChange={(on) => rule({ on_anger: on })} />
          <div class="bot-misses">
            <TextField label={t("bot.misses")} help={t("bot.misses_help")} type="number" value={Number.isNaN(misses) ? "" : String(misses)} onInput={(text) => rule({ misses_max: text.trim() === "" ? Number.NaN : Number(text) })} error={wrong ? t("bot.misses_wrong", { max: missesMax }) : submit.errorOf("handover.misses_max")} testid="bot-misses" />
          </div>
          <div class="bot-brief">
            <SelectField label={t("settings.bot_brief")} help={t("settings.bot_brief_help")} value={teamLanguage} choices={LOCALES.map((one) => ({ value: one, label: LOCALE_NAMES[one] }))} onChange={(language) => draft.set({ team_language: language })} error={submit.errorOf("team_language")} testid="bot-brief-language" />
          </div>
        </Card>
        <Card title={t("bot.fallback")} text={t("bot.fallback_text")}>
          <LanguageFields long label={t("bot.fallback_label")} value={fallback} onChange={(next) => draft.set({ fallback: next })} error={submit.errorOf("fallback")} testid="bot-fallback" />
        </Card>
        <FormError submit={submit} />
        <SaveBar draft={draft} submit={submit} disabled={wrong} testid="bot-save" />
      </form>
      <aside class="talk-side">
        <Talk unsaved={draft.dirty} />
      </aside>
    </div>
  );
}
