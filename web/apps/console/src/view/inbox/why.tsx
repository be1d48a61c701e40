// What a bot tells the team alone: why it said something, folded under it, and what it would say, above the composer.
import { clockTime } from "@frontdesk/i18n";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "../../model/chat";
import type { TimelineRow } from "../../model/timeline-rows";
import type { Why } from "../../model/why";
import { suggestionOf } from "../../model/why";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { ScoreBar } from "../parts/score";
import { locale, t } from "../text";

type SystemRow = Extract<TimelineRow, { kind: "system" }>;

/** A line that opens what stands behind it. */
function Fold({ label, testid, children }: { readonly label: ComponentChildren; readonly testid: string; readonly children: ComponentChildren }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const body = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (open) body.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <div class="why" data-testid={testid}>
      <button type="button" class="why-button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        <Icon name={open ? "chevron-down" : "chevron-right"} size={12} />
        {label}
      </button>
      <div ref={body} id={id} class="why-body" hidden={!open}>
        {open && children}
      </div>
    </div>
  );
}

/** Folded under the bot's message; why it handed over, under the visitor's that decided. */
export function WhyUnder({ why }: { readonly why: Why }) {
  return (
    <Fold label={t(why.kind === "handover" ? "why.handover" : "why.title")} testid="why">
      <Reasons why={why} />
    </Fold>
  );
}

/** A reason that is about no message stands for itself. */
export function WhyLine({ row }: { readonly row: SystemRow }) {
  if (row.why === null) return null;
  return (
    <div class="system-line system-fold">
      <Fold label={t(row.why.kind === "handover" ? "why.handover" : "why.title")} testid="why-line">
        <Reasons why={row.why} />
      </Fold>
    </div>
  );
}

/** What a bot suggested, long after. */
export function SuggestedLine({ row }: { readonly row: SystemRow }) {
  const suggestion = suggestionOf(row.entry);
  if (suggestion === null) return null;
  return (
    <div class="system-line system-fold">
      <Fold
        label={
          <>
            {t("system.bot.suggestion")} <time class="system-time">{clockTime(row.entry.atMs, locale())}</time>
          </>
        }
        testid="suggested"
      >
        <p class="why-text" dir="auto">
          {suggestion.text}
        </p>
        {row.why !== null && <Reasons why={row.why} />}
      </Fold>
    </div>
  );
}

function Reasons({ why }: { readonly why: Why }) {
  return (
    <dl class="why-facts">
      {why.kind !== null && <Fact label={t("why.how")}>{t(`why.kind_${why.kind}`)}</Fact>}
      {why.reason !== null && <Fact label={t("why.reason")}>{t(`handover.${why.reason}`)}</Fact>}
      {why.question !== "" && <Fact label={t("why.question")}>{why.question}</Fact>}
      {why.title !== "" && <Fact label={t("why.article")}>{why.article === "" ? why.title : <a href={`#/knowledge/${why.article}`}>{why.title}</a>}</Fact>}
      {why.score !== null && (
        <Fact label={t("why.score")}>
          <ScoreBar score={why.score} />
        </Fact>
      )}
      {why.words.length > 0 && (
        <Fact label={t("why.words")}>
          <span class="intent-words">
            {why.words.map((word, at) => (
              <span key={at} class="intent-word">
                {word}
              </span>
            ))}
          </span>
        </Fact>
      )}
      {why.model !== "" && (
        <Fact label={t("why.model")}>
          {why.model}
          {why.tokens > 0 && `, ${t("why.tokens", { count: why.tokens })}`}
        </Fact>
      )}
      {why.tookMs !== null && <Fact label={t("why.took")}>{t("intents.took_ms", { ms: why.tookMs })}</Fact>}
    </dl>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What the bot would answer, for the agent to take or leave. */
export function SuggestionCard({ chat, onUsed }: { readonly chat: Chat; readonly onUsed: () => void }) {
  const suggestion = chat.suggestion.value;
  const id = useId();
  if (suggestion === null) return null;
  return (
    <section class="suggestion" aria-labelledby={id} data-testid="suggestion">
      <header class="suggestion-head">
        <Icon name="sparkles" size={14} />
        <h3 id={id}>{t("suggestion.title")}</h3>
        {suggestion.score !== null && <ScoreBar score={suggestion.score} />}
      </header>
      <p class="suggestion-text" dir="auto" tabIndex={0}>
        {suggestion.text}
      </p>
      <footer class="suggestion-foot">
        {suggestion.title !== "" && <span class="meta suggestion-source">{suggestion.article === "" ? t("suggestion.from", { title: suggestion.title }) : <a href={`#/knowledge/${suggestion.article}`}>{suggestion.title}</a>}</span>}
        <Button size="small" kind="quiet" testid="suggestion-dismiss" onClick={() => { chat.dismissSuggestion(suggestion); onUsed(); }}>
          {t("suggestion.dismiss")}
        </Button>
        <Button
          size="small"
          kind="primary"
          icon="check"
          testid="suggestion-use"
          onClick={() => {
            chat.takeSuggestion(suggestion);
            onUsed();
          }}
        >
          {t("suggestion.use")}
        </Button>
      </footer>
    </section>
  );
}
