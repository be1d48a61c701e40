// How visitors' messages are sorted: what counts, where it leads, what was decided, and a text to try.
// Nothing is saved here; the server reads a file, and this page shows what it made of it.
import { enumerated, localText, percent } from "@frontdesk/i18n";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { IntentRule, IntentTarget, Intents as Sorting } from "../../model/api";
import { sum } from "../../model/intents";
import { useConsole, useDesk } from "../context";
import { Icon } from "../parts/icon";
import type { Bar } from "../parts/intent";
import { Bars, IntentTag } from "../parts/intent";
import { Empty } from "../parts/states";
import { locale, t } from "../text";
import { Thresholds } from "./intents/thresholds";
import { TryText } from "./intents/try";
import { Card, Load, Page, useAgain } from "./page";

const lookAgainMs = 10_000;
/** More words of a rule are shown when asked for. */
const wordsShown = 16;
const steps = ["rule", "cache", "model", "none"] as const;

export function Intents() {
  const app = useConsole();
  return (
    <Page title={t("settings.intents")} lead={t("intents.lead")}>
      <Load read={() => app.api.intents()}>{({ value, reload }) => <Shown sorting={value} reload={reload} />}</Load>
    </Page>
  );
}

function Shown({ sorting, reload }: { readonly sorting: Sorting | null; readonly reload: () => Promise<void> }) {
  useAgain(reload, lookAgainMs);
  if (sorting === null) {
    return (
      <Empty icon="split" title={t("intents.off")}>
        <p data-testid="intents-off">
          <Words text={t("intents.off_text")} />
        </p>
      </Empty>
    );
  }
  return (
    <div class="cards" data-testid="intents">
      {!sorting.has_model ? (
        <Trouble title={t("intents.missing")} text={t("intents.missing_text")} testid="intents-missing" />
      ) : sorting.is_open ? (
        <Trouble title={t("intents.open")} text={t("intents.open_text")} testid="intents-open" />
      ) : null}
      <TryText />
      <Thresholds sorting={sorting} />
      <Card title={t("intents.targets")} text={t("intents.targets_text")} testid="intent-targets">
        {sorting.targets.length === 0 ? (
          <p class="meta">{t("intents.targets_none")}</p>
        ) : (
          <ul class="lines">
            {sorting.targets.map((target) => (
              <li key={target.intent} class="line intent-line" data-testid="intent-target">
                <span class="intent-what">
                  <IntentTag intent={target.intent} />
                </span>
                <span class="line-text">
                  <TargetText target={target} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Card>
      <Card title={t("intents.rules")} text={t("intents.rules_text")} testid="intent-rules">
        {sorting.rules.length === 0 ? (
          <p class="meta">{t("intents.rules_none")}</p>
        ) : (
          <ol class="lines intent-rules">
            {sorting.rules.map((rule, at) => (
              <RuleLine key={at} rule={rule} number={at + 1} />
            ))}
          </ol>
        )}
      </Card>
      <Decided decided={sorting.decided} />
    </div>
  );
}

/** A text with names of settings and files between backticks. */
export function Words({ text }: { readonly text: string }) {
  return <>{text.split("`").map((part, at): ComponentChildren => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}</>;
}

function Trouble({ title, text, testid }: { readonly title: string; readonly text: string; readonly testid: string }) {
  return (
    <div class="intent-trouble" role="status" data-testid={testid}>
      <Icon name="triangle-alert" />
      <p>
        <strong>{title}</strong> <Words text={text} />
      </p>
    </div>
  );
}

/** The team, skills and priority an intent leads to, in one line. */
export function TargetText({ target }: { readonly target: IntentTarget }) {
  const { inbox } = useDesk();
  const { teams, agents } = inbox.directory.value;
  const wanted = target.team ?? "";
  const team = teams.find((known) => known.id === wanted || Object.values(known.names).includes(wanted));
  const parts: string[] = [];
  if (wanted !== "") parts.push(t("intents.target_team", { team: team === undefined ? wanted : localText(team.names, locale()) }));
  if (target.skills.length > 0) parts.push(t("intents.target_skills", { skills: enumerated(target.skills, locale()) }));
  if (typeof target.priority === "number") parts.push(t("intents.target_priority", { priority: priorityName(target.priority) }));
  // An account may have no team at all; somebody is always there once the names have been read.
  const lost = wanted !== "" && team === undefined && agents.length > 0;
  return (
    <>
      <span>{parts.length === 0 ? t("intents.target_nowhere") : parts.join(" · ")}</span>
      {lost && (
        <span class="intent-lost">
          <Icon name="triangle-alert" size={12} />
          {t("intents.team_unknown")}
        </span>
      )}
    </>
  );
}

function priorityName(priority: number): string {
  if (priority >= 4) return t("priority.urgent");
  if (priority === 3) return t("priority.high");
  return priority === 1 ? t("priority.low") : t("priority.normal");
}

function RuleLine({ rule, number }: { readonly rule: IntentRule; readonly number: number }) {
  const [all, setAll] = useState(false);
  const more = rule.keywords.length > wordsShown;
  const words = more && !all ? rule.keywords.slice(0, wordsShown) : rule.keywords;
  return (
    <li class="line intent-line intent-rule" data-testid="intent-rule">
      <span class="intent-rule-number number" aria-hidden="true">
        {number}
      </span>
      <span class="intent-what">
        <IntentTag intent={rule.intent} />
      </span>
      <div class="line-text">
        {rule.keywords.length > 0 && (
          <ul class="intent-words" aria-label={t("intents.rule_words")}>
            {words.map((word) => (
              <li key={word} class="intent-word">
                {word}
              </li>
            ))}
          </ul>
        )}
        {more && (
          <button type="button" class="link-button intent-more" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? t("past.fewer") : t("past.all", { count: rule.keywords.length })}
          </button>
        )}
        {typeof rule.regex === "string" && rule.regex !== "" && (
          <p class="intent-regex">
            <span class="meta">{rule.keywords.length > 0 ? t("intents.rule_or") : t("intents.rule_pattern")}</span> <code>{rule.regex}</code>
          </p>
        )}
      </div>
    </li>
  );
}

function Decided({ decided }: { readonly decided: Sorting["decided"] }) {
  const all = sum(steps.map((step) => decided[step] ?? 0));
  const bars: readonly Bar[] = steps.map((step) => {
    const count = decided[step] ?? 0;
    const share = all === 0 ? 0 : count / all;
    return { key: step, label: t(`intents.step_${step}`), share, text: `${count.toLocaleString(locale())} · ${percent(share, locale())}`, strong: step !== "none" };
  });
  return (
    <Card title={t("intents.decided")} text={all === 0 ? t("intents.decided_none") : t("intents.decided_text", { count: all })} testid="intents-decided">
      {all > 0 && <Bars label={t("intents.decided")} bars={bars} />}
    </Card>
  );
}
