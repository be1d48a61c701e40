// What decides without the model: a place's own rules, which can be changed and put in another order, and
// below them those it has from further out.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { IntentRule } from "../../../model/api";
import type { ShownRule } from "../../../model/intent-settings";
import { knownIntents, ownOf, parseKeywords, ruleProblem, withRule, withRuleMoved, withoutRule } from "../../../model/intent-settings";
import { Button, Field, TextArea } from "../../parts/controls";
import { IntentTag, intentName } from "../../parts/intent";
import { Dialog, DialogFoot } from "../../parts/overlay";
import { t } from "../../text";
import { Confirm } from "../confirm";
import { Card, FormError, useSubmit } from "../page";
import { IntentField, nameTrouble } from "./name";
import type { Place } from "./place";

/** More words of a rule are shown when asked for. */
const wordsShown = 16;

type Open = { readonly kind: "add" } | { readonly kind: "edit" | "remove"; readonly shown: ShownRule } | null;
type Moved = { readonly to: number; readonly by: 1 | -1; readonly intent: string } | null;

export function Rules({ place }: { readonly place: Place }) {
  const [open, setOpen] = useState<Open>(null);
  const [moved, setMoved] = useState<Moved>(null);
  const list = useRef<HTMLOListElement>(null);
  const submit = useSubmit();
  const { sorting, inbox } = place;
  const own = ownOf(sorting.own, inbox).rules;
  const inherited = sorting.inherited.rules;
  const close = () => setOpen(null);
  const move = async (shown: ShownRule, by: 1 | -1) => {
    if (submit.busy) return;
    const done = await submit.run(() => place.change((before) => withRuleMoved(before, inbox, shown, by)), { silent: true });
    if (done) setMoved({ to: shown.at + by, by, intent: shown.rule.intent });
  };
  // The keyboard goes along with the rule; at an end only the way back is left.
  useLayoutEffect(() => {
    const row = moved === null ? undefined : list.current?.children[moved.to];
    const [along, back] = moved?.by === 1 ? ["down", "up"] : ["up", "down"];
    const button = row?.querySelector<HTMLElement>(`[data-testid="rule-${along}"]:not([disabled])`) ?? row?.querySelector<HTMLElement>(`[data-testid="rule-${back}"]`);
    button?.focus();
  }, [moved]);
  return (
    <Card
      title={t("intents.rules")}
      text={t("intents.rules_text")}
      testid="intent-rules"
      action={
        <Button size="small" icon="plus" testid="add-rule" onClick={() => setOpen({ kind: "add" })}>
          {t("intents.rule_add")}
        </Button>
      }
    >
      {own.length === 0 && inherited.length === 0 && <p class="meta">{t("intents.rules_none")}</p>}
      {own.length > 0 && (
        <ol class="lines intent-rules" aria-label={t("intents.rules_own")} ref={list} data-testid="own-rules">
          {own.map((rule, at) => {
            const shown = { at, rule };
            const name = t("intents.rule_named", { number: at + 1, intent: intentName(rule.intent) });
            return (
              <RuleLine key={at} rule={rule} number={at + 1}>
                <span class="intent-actions">
                  <Button size="small" kind="quiet" icon="arrow-up" label={t("intents.rule_up", { rule: name })} disabled={at === 0} testid="rule-up" onClick={() => void move(shown, -1)} />
                  <Button size="small" kind="quiet" icon="arrow-down" label={t("intents.rule_down", { rule: name })} disabled={at === own.length - 1} testid="rule-down" onClick={() => void move(shown, 1)} />
                  <Button size="small" kind="quiet" icon="pencil" label={t("edit_named", { name })} testid="edit-rule" onClick={() => setOpen({ kind: "edit", shown })} />
                  <Button size="small" kind="quiet" icon="trash-2" label={t("remove_named", { name })} testid="remove-rule" onClick={() => setOpen({ kind: "remove", shown })} />
                </span>
              </RuleLine>
            );
          })}
        </ol>
      )}
      <FormError submit={submit} />
      {inherited.length > 0 && (
        <section class="intent-inherited" data-testid="inherited-rules">
          <h3>{t("intents.rules_inherited")}</h3>
          <p class="meta">{inbox === "" ? t("intents.rules_inherited_file") : t("intents.rules_inherited_all")}</p>
          <ol class="lines intent-rules" start={own.length + 1} aria-label={t("intents.rules_inherited")}>
            {inherited.map((rule, at) => (
              <RuleLine key={at} rule={rule} number={own.length + at + 1} />
            ))}
          </ol>
        </section>
      )}
      <p class="visually-hidden" role="status">
        {moved !== null && t("intents.rule_moved", { intent: intentName(moved.intent), place: moved.to + 1, count: own.length })}
      </p>
      {open?.kind === "add" && <RuleDialog place={place} shown={null} onClose={close} />}
      {open?.kind === "edit" && <RuleDialog place={place} shown={open.shown} onClose={close} />}
      {open?.kind === "remove" && (
        <Confirm
          title={t("intents.rule_remove")}
          text={t("intents.rule_remove_text", { rule: t("intents.rule_named", { number: open.shown.at + 1, intent: intentName(open.shown.rule.intent) }) })}
          action={t("remove")}
          run={() => place.change((before) => withoutRule(before, inbox, open.shown))}
          onClose={close}
        />
      )}
    </Card>
  );
}

function RuleLine({ rule, number, children }: { readonly rule: IntentRule; readonly number: number; readonly children?: ComponentChildren }) {
  const [all, setAll] = useState(false);
  const more = rule.keywords.length > wordsShown;
  const words = more && !all ? rule.keywords.slice(0, wordsShown) : rule.keywords;
  return (
    <li class="line intent-line intent-rule" data-testid="intent-rule" data-intent={rule.intent}>
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
      {children}
    </li>
  );
}

function RuleDialog({ place, shown, onClose }: { readonly place: Place; readonly shown: ShownRule | null; readonly onClose: () => void }) {
  const { sorting, inbox } = place;
  const [intent, setIntent] = useState(shown?.rule.intent ?? "");
  const [words, setWords] = useState(shown?.rule.keywords.join("\n") ?? "");
  const [pattern, setPattern] = useState(shown?.rule.regex ?? "");
  const submit = useSubmit();
  const rule: IntentRule = { intent, keywords: parseKeywords(words), regex: pattern.trim() === "" ? null : pattern };
  const problem = ruleProblem(rule);
  const says = rule.keywords.length > 0 || rule.regex !== null;
  const ready = intent !== "" && nameTrouble(intent) === null && says && problem === null;
  const errorOf = (field: "keywords" | "regex") => (problem?.startsWith(field) === true ? t(`intents.${problem}`) : submit.errorOf(field));
  return (
    <Dialog title={shown === null ? t("intents.rule_add") : t("intents.rule_edit")} onClose={onClose} testid="rule-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void submit.run(() => place.change((before) => withRule(before, inbox, shown, rule))).then((done) => done && onClose());
        }}
      >
        <IntentField value={intent} known={knownIntents([...sorting.targets, ...sorting.rules])} onChange={setIntent} />
        <TextArea label={t("intents.keywords")} help={t("intents.keywords_help")} value={words} onInput={setWords} rows={6} error={errorOf("keywords")} placeholder={t("intents.keywords_placeholder")} testid="rule-keywords" />
        <Field label={t("intents.pattern")} help={t("intents.pattern_help")} optional={t("optional")} error={errorOf("regex")}>
          {(ids) => <input {...ids} type="text" class="input input-code" value={pattern} placeholder={t("intents.pattern_placeholder")} spellcheck={false} autocapitalize="off" autocomplete="off" data-testid="rule-pattern" onInput={(event) => setPattern(event.currentTarget.value)} />}
        </Field>
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("save")} busy={submit.busy} disabled={!ready} testid="rule-submit" />
      </form>
    </Dialog>
  );
}
