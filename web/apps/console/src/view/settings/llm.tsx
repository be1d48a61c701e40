// The language model: where it is, what it may do and what that may cost, and what it has cost so far.
import { everyDay } from "../../model/bot";
import type { LlmConfig, LlmSpend } from "../../model/llm";
import { budgetShare } from "../../model/llm";
import { useConsole } from "../context";
import { DayPlot } from "../parts/plot";
import { Failed, SkeletonFacts } from "../parts/states";
import { locale, t } from "../text";
import { LlmForm } from "./llm/form";
import { Card, Load, Page, useAgain } from "./page";
import { failureText } from "../failure";
import { useEffect, useState } from "preact/hooks";

const spendDays = 30;
const lookAgainMs = 30_000;

export function LlmPage() {
  const app = useConsole();
  return (
    <Page title={t("settings.llm")} lead={t("llm.lead")}>
      <Load read={() => app.api.llm.read()}>
        {(loaded) => (
          <div class="cards">
            <LlmForm loaded={loaded} />
            <Spend config={loaded.value} />
          </div>
        )}
      </Load>
    </Page>
  );
}

function Spend({ config }: { readonly config: LlmConfig }) {
  const app = useConsole();
  const [spend, setSpend] = useState<LlmSpend | null>(null);
  const [error, setError] = useState<string | null>(null);
  const look = () =>
    app.api.llm.spend(spendDays).then(
      (next) => {
        setSpend(next);
        setError(null);
      },
      (failure: unknown) => setError(failureText(failure)),
    );
  useEffect(() => void look(), [config.revision]);
  useAgain(look, lookAgainMs);
  return (
    <Card title={t("llm.spend")} text={t("llm.spend_text")} testid="llm-spend">
      {spend === null && error === null && <SkeletonFacts />}
      {spend === null && error !== null && <Failed text={error} onRetry={() => void look()} />}
      {spend !== null && <SpendOf spend={spend} />}
    </Card>
  );
}

function SpendOf({ spend }: { readonly spend: LlmSpend }) {
  const app = useConsole();
  const share = budgetShare(spend);
  const figure = (tokens: number) => tokens.toLocaleString(locale());
  const words = t("llm.today", { tokens: figure(spend.today_tokens), max: figure(spend.day_tokens_max) });
  const days = everyDay(spend.days, spendDays, app.now.peek(), (date) => ({ date, tokens_in: 0, tokens_out: 0, requests: 0, failures: 0 }));
  const failures = spend.days.reduce((sum, day) => sum + day.failures, 0);
  const requests = spend.days.reduce((sum, day) => sum + day.requests, 0);
  return (
    <div class="llm-spend">
      <div class="budget">
        <p class="budget-words">
          <span>{words}</span>
          {share >= 1 && <span class="tag tag-warning">{t("llm.budget_used")}</span>}
        </p>
        <div class="budget-track" role="meter" aria-label={t("llm.spend")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)} aria-valuetext={words}>
          <span class={share >= 0.9 ? "budget-fill budget-full" : "budget-fill"} style={{ width: `${Math.round(share * 1_000) / 10}%` }} />
        </div>
      </div>
      {requests === 0 ? (
        <p class="meta">{t("llm.spend_none")}</p>
      ) : (
        <>
          <DayPlot
            label={t("llm.spend_by_day")}
            dayLabel={t("figures.day")}
            series={[
              { key: "in", label: t("llm.tokens_in"), look: "quiet" },
              { key: "out", label: t("llm.tokens_out"), look: "strong" },
            ]}
            days={days.map((day) => ({ date: day.date, values: [day.tokens_in, day.tokens_out] }))}
            testid="llm-plot"
          />
          <p class="meta">
            {t("llm.requests", { count: requests })} {failures > 0 && t("llm.failures", { count: failures })}
          </p>
        </>
      )}
    </div>
  );
}
