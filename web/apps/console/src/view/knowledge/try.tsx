// A question as a visitor might ask it: what the bot would do, and which articles fit how well.
import type { Locale } from "@frontdesk/i18n";
import { LOCALES, LOCALE_NAMES, millis } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Found, TriedQuestion } from "../../model/articles";
import { composing } from "../../model/shortcuts";
import { useConsole } from "../context";
import type { IconName } from "../icons";
import { Button, SelectField, TextArea } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Passage, ScoreBar } from "../parts/score";
import { SkeletonFacts } from "../parts/states";
import { Card, FormError, useSubmit } from "../settings/page";
import { locale, t } from "../text";

type Answer = { readonly question: string; readonly language: Locale; readonly tried: TriedQuestion };

export function TryQuestion() {
  const app = useConsole();
  const [question, setQuestion] = useState("");
  const [language, setLanguage] = useState<Locale>(locale());
  const [answer, setAnswer] = useState<Answer | null>(null);
  const submit = useSubmit();
  const asked = question.trim();
  const run = () => {
    if (asked === "" || submit.busy) return;
    void submit.run(async () => setAnswer({ question: asked, language, tried: await app.api.articles.try(asked, language) }), { silent: true });
  };
  const stale = answer !== null && (answer.question !== asked || answer.language !== language);
  return (
    <Card title={t("knowledge.try")} text={t("knowledge.try_text")} testid="try-question">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          run();
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || composing(event)) return;
          event.preventDefault();
          run();
        }}
      >
        <TextArea label={t("knowledge.try_question")} value={question} onInput={setQuestion} rows={2} maxlength={1_000} placeholder={t("knowledge.try_placeholder")} lang={language} error={submit.errorOf("question")} testid="question" />
        <div class="try-question-foot">
          <SelectField label={t("language")} value={language} choices={LOCALES.map((one) => ({ value: one, label: LOCALE_NAMES[one] }))} onChange={(value) => setLanguage(value as Locale)} testid="question-language" />
          <Button type="submit" kind="primary" busy={submit.busy} disabled={asked === ""} testid="question-try">
            {t("intents.try_submit")}
          </Button>
        </div>
        <FormError submit={submit} />
      </form>
      <div class={answer === null && !submit.busy ? "try-result try-none" : "try-result"} data-testid="question-result" aria-busy={submit.busy}>
        <div role="status">{answer !== null && <Outcome tried={answer.tried} />}</div>
        {answer === null && submit.busy && <SkeletonFacts />}
        {answer !== null && (
          <>
            {answer.tried.found.length > 0 && (
              <ol class="found-list">
                {answer.tried.found.map((found, at) => (
                  <FoundLine key={found.article} found={found} first={at === 0 && answer.tried.outcome === "answer"} />
                ))}
              </ol>
            )}
            <p class="meta">
              {took(answer.tried.took_us)}
              {stale && ` · ${t("intents.try_changed")}`}
            </p>
          </>
        )}
      </div>
    </Card>
  );
}

/** How long the server looked; what it measures finer than anybody reads is told in milliseconds. */
function took(us: number): string {
  const ms = us / 1_000;
  return ms < 0.05 ? t("knowledge.took_no_time") : t("knowledge.took", { ms: millis(ms, locale()) });
}

const outcomes: Readonly<Record<TriedQuestion["outcome"], { readonly icon: IconName; readonly look: string }>> = {
  answer: { icon: "circle-check", look: "sign-ok" },
  between: { icon: "circle-help", look: "sign-info" },
  nothing: { icon: "arrow-right-left", look: "sign-warning" },
};

function Outcome({ tried }: { readonly tried: TriedQuestion }) {
  const { icon, look } = outcomes[tried.outcome];
  return (
    <p class="try-outcome" data-testid="question-outcome" data-outcome={tried.outcome}>
      <span class={look}>
        <Icon name={icon} size={20} />
      </span>
      <span>
        <strong>{t(`knowledge.outcome_${tried.outcome}`)}</strong>
        <span class="meta">{t(`knowledge.outcome_${tried.outcome}_text`)}</span>
      </span>
    </p>
  );
}

function FoundLine({ found, first }: { readonly found: Found; readonly first: boolean }) {
  return (
    <li class={first ? "found found-first" : "found"} data-testid="found">
      <div class="found-head">
        <a href={`#/knowledge/${found.article}`}>
          <Passage text={found.title === "" ? found.slug : found.title} words={found.words} />
        </a>
        <ScoreBar score={found.score} strong={first} />
      </div>
      <p class="found-passage" lang={found.language}>
        <Passage text={found.passage} words={found.words} />
      </p>
    </li>
  );
}
