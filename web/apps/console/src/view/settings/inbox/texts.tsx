// What visitors read, language by language: heading, greeting, the texts for when nobody is there,
// hours in words and suggested questions. Beside them the widget as it will look.
import type { Locale } from "@frontdesk/i18n";
import { LOCALES, LOCALE_NAMES } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Inbox, Texts } from "../../../model/api";
import { hoursForm, hoursWords } from "../../../model/hours";
import { useConsole } from "../../context";
import { Button, TextArea, TextField } from "../../parts/controls";
import { locale, t } from "../../text";
import { ShortTexts } from "../fields";
import { SaveBar, useDraft } from "../form";
import { tidyTexts } from "../languages";
import { Card, FormError, useSubmit } from "../page";
import type { InboxPageProps } from "./pages";
import { Preview } from "./preview";

const questionsMax = 6;
const questionCharsMax = 120;
const longTexts = ["greeting", "away", "closed", "ask_contact"] as const;

const draftOf = (inbox: Inbox) => ({ texts: inbox.texts, questions: inbox.questions, hoursText: inbox.hours_text });

function withText(texts: Texts, language: string, text: string): Texts {
  const others = Object.fromEntries(Object.entries(texts).filter(([name]) => name !== language));
  return text === "" ? others : { ...others, [language]: text };
}

export function TextsPage({ inbox, onDone }: InboxPageProps) {
  const app = useConsole();
  const draft = useDraft(draftOf(inbox));
  const submit = useSubmit();
  const [language, setLanguage] = useState<Locale>(locale());
  const { texts, questions, hoursText } = draft.value;
  const text = (key: string) => texts[key]?.[language] ?? "";
  const put = (key: string) => (value: string) => draft.set({ texts: { ...texts, [key]: withText(texts[key] ?? {}, language, value) } });
  const save = async () => {
    const changed = await app.api.changeInbox(inbox.id, {
      // A text that is gone in every language is sent as an empty one.
      texts: Object.fromEntries(Object.entries({ ...inbox.texts, ...texts }).map(([key, value]) => [key, tidyTexts(value)])),
      questions: Object.fromEntries(
        Object.entries(questions)
          .map(([name, lines]) => [name, lines.map((line) => line.trim()).filter((line) => line !== "")] as const)
          .filter(([, lines]) => lines.length > 0),
      ),
      hours_text: tidyTexts(hoursText),
    });
    draft.reset(draftOf(changed));
    await onDone(changed);
  };
  const written = hoursWords(hoursForm(inbox.hours, "UTC").week, language);
  const suggested = inbox.hours.week.length > 0 && written !== (hoursText[language] ?? "") ? written : "";
  return (
    <form
      class="with-preview"
      onSubmit={(event) => {
        event.preventDefault();
        void submit.run(save);
      }}
    >
      <div class="cards">
        <Card title={t("inboxes.texts")} text={t("inboxes.texts_text")}>
          <div class="segments" role="group" aria-label={t("language")}>
            {LOCALES.map((name) => (
              <button key={name} type="button" class="segment" lang={name} aria-pressed={name === language} data-testid={`texts-${name}`} onClick={() => setLanguage(name)}>
                {LOCALE_NAMES[name]}
                {LOCALES.some((other) => Object.values(texts).some((one) => one[other] !== undefined && one[name] === undefined)) && (
                  <span class="segment-gap" title={t("inboxes.language_gap")}>
                    <span class="visually-hidden">{t("inboxes.language_gap")}</span>
                  </span>
                )}
              </button>
            ))}
          </div>
          <div class="form" key={language}>
            <TextField label={t("inboxes.text_title")} help={t("inboxes.text_title_help")} lang={language} value={text("title")} onInput={put("title")} maxlength={100} testid="inbox-title" />
            {longTexts.map((key) => (
              <TextArea key={key} label={t(`inboxes.text_${key}`)} help={t(`inboxes.text_${key}_help`)} lang={language} rows={2} value={text(key)} onInput={put(key)} maxlength={4_000} testid={`inbox-${key}`} />
            ))}
            <TextField label={t("inboxes.hours_text")} help={t("inboxes.hours_text_help")} lang={language} value={hoursText[language] ?? ""} onInput={(value) => draft.set({ hoursText: withText(hoursText, language, value) })} error={submit.errorOf("hours_text")} maxlength={200} testid="inbox-hours-text" />
            {suggested !== "" && (
              <span>
                <Button size="small" icon="clock" testid="hours-from-week" onClick={() => draft.set({ hoursText: withText(hoursText, language, suggested) })}>
                  {t("inboxes.hours_text_use", { hours: suggested })}
                </Button>
              </span>
            )}
          </div>
        </Card>
        <Card title={t("inboxes.questions")} text={t("inboxes.questions_text")}>
          <ShortTexts
            legend={`${t("inboxes.questions")} · ${LOCALE_NAMES[language]}`}
            lang={language}
            values={questions[language] ?? []}
            max={questionsMax}
            maxlength={questionCharsMax}
            placeholder={t("inboxes.question_example")}
            addLabel={t("inboxes.question_add")}
            testid="inbox-question"
            onChange={(values) => draft.set({ questions: { ...Object.fromEntries(Object.entries(questions).filter(([name]) => name !== language)), ...(values.length === 0 ? {} : { [language]: values }) } })}
          />
          {submit.errorOf("questions") !== null && <p class="field-error">{submit.errorOf("questions")}</p>}
        </Card>
        <FormError submit={submit} />
        <SaveBar draft={draft} submit={submit} testid="inbox-save" />
      </div>
      <Preview name={inbox.name} look={inbox.look} texts={texts} questions={questions} hoursText={hoursText} language={language} onLanguage={setLanguage} />
    </form>
  );
}
