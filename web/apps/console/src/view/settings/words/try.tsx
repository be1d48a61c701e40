// A text to try the saved rules on: what would be stored, whether it would be refused, and what would be flagged.
import { enumerated } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { TriedWords } from "../../../model/words";
import { maskedParts } from "../../../model/words";
import { useConsole } from "../../context";
import { Button, SelectField, TextArea } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { locale, t } from "../../text";
import { Card, FormError, useSubmit } from "../page";

type By = "visitor" | "agent";
type Answer = { readonly of: string; readonly tried: TriedWords };

export function TryWords({ revision }: { readonly revision: number }) {
  const app = useConsole();
  const [text, setText] = useState("");
  const [by, setBy] = useState<By>("visitor");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const submit = useSubmit();
  const of = `${revision} ${by} ${text}`;
  const run = async () => setAnswer({ of, tried: await app.api.words.try(text, by) });
  return (
    <Card title={t("words.try")} text={t("words.try_text")} testid="try-words">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") void submit.run(run, { silent: true });
        }}
      >
        <TextArea label={t("words.try_label")} value={text} rows={2} maxlength={4_000} placeholder={t("words.try_placeholder")} onInput={setText} error={submit.errorOf("text")} testid="words-text" />
        <div class="try-question-foot">
          <SelectField label={t("words.try_by")} value={by} choices={[{ value: "visitor", label: t("words.by_visitor") }, { value: "agent", label: t("words.by_agent") }]} onChange={(next) => setBy(next as By)} testid="words-by" />
          <Button type="submit" kind="primary" busy={submit.busy} disabled={text.trim() === ""} testid="words-try">
            {t("intents.try_submit")}
          </Button>
        </div>
        <FormError submit={submit} />
      </form>
      <div class={answer === null ? "try-result try-none" : "try-result"} role="status" data-testid="words-result">
        {answer !== null && <Result tried={answer.tried} />}
        {answer !== null && answer.of !== of && <p class="meta">{t("words.try_older")}</p>}
      </div>
    </Card>
  );
}

function Result({ tried }: { readonly tried: TriedWords }) {
  const { text, refused, flags, rules } = tried;
  return (
    <>
      <p class="try-verdict">
        <span class={refused ? "sign-danger" : rules.length > 0 ? "sign-warning" : "sign-ok"}>
          <Icon name={refused ? "circle-x" : rules.length > 0 ? "triangle-alert" : "circle-check"} />
        </span>
        {refused ? t("words.result_refused") : rules.length === 0 ? t("words.result_passes") : t("words.result_changed")}
      </p>
      {!refused && (
        <blockquote class="words-result-text">
          {maskedParts(text).map((part, at) => (part.masked ? <mark key={at}>{part.text}</mark> : part.text))}
        </blockquote>
      )}
      {rules.length > 0 && <p class="meta">{t("words.result_rules", { rules: enumerated(rules, locale()) })}</p>}
      {flags.length > 0 && <p class="meta">{t("words.result_flags", { flags: enumerated(flags, locale()) })}</p>}
    </>
  );
}
