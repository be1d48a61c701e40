// A text to try in a place: what it would be sorted as by what is saved, who says so, and where it would lead.
// Changes nothing.
import { percent } from "@frontdesk/i18n";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { TriedText } from "../../../model/api";
import { byScore } from "../../../model/intents";
import { composing } from "../../../model/shortcuts";
import { useConsole } from "../../context";
import { Button, TextArea } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { Bars, IntentTag, intentName } from "../../parts/intent";
import { SkeletonFacts } from "../../parts/states";
import { locale, t } from "../../text";
import { Words } from "../intents";
import { Card, FormError, useSubmit } from "../page";
import type { Place } from "./place";
import { TargetText } from "./targets";

/** `revision`: of what is saved, when it was tried. */
type Answer = { readonly text: string; readonly revision: number; readonly tried: TriedText | null };

/** The text outlives a change of place, what became of it does not. */
type TryProps = { readonly place: Place; readonly text: string; readonly onText: (text: string) => void };

export function TryText({ place, text, onText }: TryProps) {
  const app = useConsole();
  const { inbox } = place;
  const { revision } = place.sorting;
  const [answer, setAnswer] = useState<Answer | null>(null);
  const submit = useSubmit();
  const ready = text.trim() !== "" && !submit.busy;
  const run = () => {
    if (!ready) return;
    void submit.run(async () => setAnswer({ text, revision, tried: await app.api.tryIntent(text, inbox === "" ? null : inbox) }), { silent: true });
  };
  const stale = answer === null || submit.busy ? null : answer.text !== text ? t("intents.try_changed") : answer.revision !== revision ? t("intents.try_older") : null;
  return (
    <Card title={t("intents.try")} text={t("intents.try_text")} testid="intent-try">
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
        <TextArea label={t("intents.try_label")} value={text} onInput={onText} rows={3} maxlength={20_000} placeholder={t("intents.try_placeholder")} error={submit.errorOf("text")} testid="try-text" />
        <div class="try-foot">
          <span class="meta try-keys">{t("intents.try_keys")}</span>
          <Button type="submit" kind="primary" busy={submit.busy} disabled={text.trim() === ""} testid="try-submit">
            {t("intents.try_submit")}
          </Button>
        </div>
        <FormError submit={submit} />
      </form>
      <div class={answer === null && !submit.busy ? "try-result try-none" : "try-result"} data-testid="try-result" aria-busy={submit.busy}>
        <div role="status" class="try-head">
          {answer !== null && <Headline tried={answer.tried} />}
        </div>
        {answer === null && submit.busy && <SkeletonFacts />}
        {answer?.tried != null && <Reasons tried={answer.tried} />}
        {stale !== null && <p class="meta">{stale}</p>}
      </div>
    </Card>
  );
}

function Headline({ tried }: { readonly tried: TriedText | null }) {
  if (tried === null) return <Words text={t("intents.off_text")} />;
  if (typeof tried.intent === "string") {
    return (
      <>
        <IntentTag intent={tried.intent} testid="try-intent" />
        <span>{t(tried.step === "rule" ? "intent.by_rule" : "intent.by_model")}</span>
      </>
    );
  }
  const trouble = tried.trouble ?? "";
  return (
    <>
      <span class={trouble === "" ? "try-verdict" : "try-verdict sign-warning"} data-testid="try-intent">
        {trouble !== "" && <Icon name="triangle-alert" size={14} />}
        {t("intents.no_opinion")}
      </span>
      <span data-testid="try-why">
        <Words text={whyNot(tried)} />
      </span>
    </>
  );
}

/** Why there is no opinion, in plain words. */
function whyNot(tried: TriedText): string {
  switch (tried.trouble ?? "") {
    case "":
      if (tried.scores == null) return t("intents.why_empty");
      return byScore(tried.scores)[0]?.label === "other" ? t("intents.why_other") : t("intents.why_unsure");
    case "missing":
      return t("intents.why_missing");
    case "busy":
      return t("intents.why_busy");
    case "late":
      return t("intents.why_late");
    case "broken":
      return t("intents.why_broken");
    case "open":
      return t("intents.why_open");
    default:
      return t("intents.why_unknown", { reason: tried.trouble ?? "" });
  }
}

function Reasons({ tried }: { readonly tried: TriedText }) {
  const scores = tried.scores == null ? [] : byScore(tried.scores);
  const ms = tried.took_us / 1_000;
  const took = t("intents.took_ms", { ms: ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms) });
  return (
    <>
      <dl class="facts try-facts">
        {(typeof tried.intent === "string" || scores.length > 0) && <TryFact label={t("intents.confidence")}>{percent(tried.confidence, locale())}</TryFact>}
        {typeof tried.words === "string" && tried.words !== "" && <TryFact label={t("intents.words")}>{tried.words}</TryFact>}
        {tried.target != null && (
          <TryFact label={t("intents.leads")}>
            <TargetText target={tried.target} />
          </TryFact>
        )}
        <TryFact label={t("intents.took")}>{took}</TryFact>
      </dl>
      {scores.length > 0 && <Bars label={t("intents.scores")} bars={scores.map((score) => ({ key: score.label, label: intentName(score.label), share: score.share, strong: score.label === tried.intent }))} testid="try-scores" />}
    </>
  );
}

function TryFact({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
