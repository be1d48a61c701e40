// An article in one language: title, summary, the text as Markdown with its look, and other ways to ask for it.
import type { Locale } from "@frontdesk/i18n";
import { LOCALE_NAMES } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { ArticleText } from "../../model/articles";
import { bodyCharsMax, questionCharsMax, questionsMax, summaryCharsMax, titleCharsMax } from "../../model/articles";
import { Field, TextArea, TextField } from "../parts/controls";
import { Markdown } from "../parts/markdown";
import { ShortTexts } from "../settings/fields";
import { t } from "../text";

type Props = { readonly language: Locale; readonly text: ArticleText; readonly titleError: string | null; readonly bodyError: string | null; readonly onChange: (change: Partial<ArticleText>) => void };

export function TextFields({ language, text, titleError, bodyError, onChange }: Props) {
  const [preview, setPreview] = useState(false);
  return (
    <div class="form">
      <TextField label={t("knowledge.title")} lang={language} value={text.title} maxlength={titleCharsMax} placeholder={t("knowledge.title_example")} error={titleError} onInput={(title) => onChange({ title })} testid="article-title" />
      <TextArea label={t("knowledge.summary")} help={t("knowledge.summary_help")} lang={language} value={text.summary} rows={2} maxlength={summaryCharsMax} onInput={(summary) => onChange({ summary })} testid="article-summary" />
      <Field label={t("knowledge.body")} help={t("knowledge.body_help")} error={bodyError}>
        {(ids) => (
          <div class="article-body">
            <div class="segments" role="group" aria-label={t("knowledge.body")}>
              <button type="button" class="segment" aria-pressed={!preview} data-testid="body-write" onClick={() => setPreview(false)}>
                {t("knowledge.write")}
              </button>
              <button type="button" class="segment" aria-pressed={preview} data-testid="body-preview" onClick={() => setPreview(true)}>
                {t("knowledge.preview")}
              </button>
            </div>
            {/* Stays in the page, so that its label and what was undone stay with it. */}
            <textarea {...ids} class="input textarea input-code article-source" hidden={preview} lang={language} rows={16} maxLength={bodyCharsMax} value={text.body} spellcheck data-testid="article-body" onInput={(event) => onChange({ body: event.currentTarget.value })} />
            {preview && (
              <div class="article-preview" data-testid="article-preview">
                {text.body.trim() === "" ? <p class="meta">{t("knowledge.no_text")}</p> : <Markdown text={text.body} lang={language} />}
              </div>
            )}
          </div>
        )}
      </Field>
      <div>
        <ShortTexts legend={`${t("knowledge.questions")} · ${LOCALE_NAMES[language]}`} lang={language} values={text.questions} max={questionsMax} maxlength={questionCharsMax} placeholder={t("knowledge.question_example")} addLabel={t("knowledge.question_add")} testid="article-question" onChange={(questions) => onChange({ questions })} />
        <p class="field-help article-questions-help">{t("knowledge.questions_help")}</p>
      </div>
    </div>
  );
}
