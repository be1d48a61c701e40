// Asks the model one small thing, as it is saved: whether it answers, how fast, and what.
import { useState } from "preact/hooks";
import type { LlmTest } from "../../../model/llm";
import { useConsole } from "../../context";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { locale, t } from "../../text";
import { Card, FormError, useSubmit } from "../page";

export function TestModel({ dirty, ready }: { readonly dirty: boolean; readonly ready: boolean }) {
  const app = useConsole();
  const [result, setResult] = useState<LlmTest | null>(null);
  const submit = useSubmit();
  return (
    <Card
      title={t("llm.test")}
      text={!ready ? t("llm.test_not_ready") : dirty ? t("llm.test_unsaved") : t("llm.test_text")}
      testid="llm-test"
      action={
        <Button size="small" icon="play" busy={submit.busy} disabled={!ready} testid="llm-test-run" onClick={() => void submit.run(async () => setResult(await app.api.llm.test()), { silent: true })}>
          {t("llm.test_run")}
        </Button>
      }
    >
      <FormError submit={submit} />
      <div role="status">
        {result !== null && (
          <div class={result.ok ? "llm-answer llm-answer-ok" : "llm-answer llm-answer-failed"} data-testid="llm-test-result" data-ok={result.ok}>
            <Icon name={result.ok ? "circle-check" : "circle-alert"} size={20} />
            <div>
              <p>
                <strong>{t(result.ok ? "llm.test_ok" : "llm.test_failed")}</strong> <span class="meta number">{t("intents.took_ms", { ms: Math.round(result.took_ms).toLocaleString(locale()) })}</span>
              </p>
              {result.ok && typeof result.answer === "string" && result.answer !== "" && <p>{result.answer}</p>}
              {!result.ok && typeof result.error === "string" && <p>{result.error}</p>}
            </div>
          </div>
        )}
      </div>
    </Card>
  );
}
