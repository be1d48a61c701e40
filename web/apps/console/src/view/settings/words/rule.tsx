// One rule: what it finds, what happens then, and with whose messages.
import { useState } from "preact/hooks";
import { parseKeywords } from "../../../model/intent-settings";
import type { WordRule, WordRuleKind, WordRuleReach } from "../../../model/words";
import { newRule, ruleActions, ruleKinds, ruleProblem, ruleReaches, tidyRule } from "../../../model/words";
import { Checkbox, Field, SelectField, TextArea, TextField } from "../../parts/controls";
import { Dialog, DialogFoot } from "../../parts/overlay";
import { t } from "../../text";
import { RadioCards } from "../fields";
import { FormError, useSubmit } from "../page";

type Props = { readonly rule: WordRule | null; readonly taken: readonly string[]; readonly onSave: (rule: WordRule) => Promise<unknown>; readonly onClose: () => void };

export function RuleDialog({ rule: before, taken, onSave, onClose }: Props) {
  const [rule, setRule] = useState<WordRule>(before ?? newRule);
  const [words, setWords] = useState((before?.words ?? []).join("\n"));
  const submit = useSubmit();
  const put = (change: Partial<WordRule>) => setRule((known) => ({ ...known, ...change }));
  const whole = tidyRule({ ...rule, words: parseKeywords(words) });
  const problem = ruleProblem(whole, taken);
  // What is not there yet needs no reproach: the button waits for it.
  const said = problem === "name_taken" || problem === "words_too_many" ? problem : null;
  return (
    <Dialog title={before === null ? t("words.add") : t("words.edit")} onClose={onClose} testid="word-rule-dialog" middle>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (problem === null) void submit.run(() => onSave(whole)).then((done) => done && onClose());
        }}
      >
        <TextField label={t("words.rule")} help={t("words.rule_help")} value={rule.name} maxlength={64} onInput={(name) => put({ name })} error={said === "name_taken" ? t("words.name_taken") : submit.errorOf("name")} autofocus testid="word-rule-name" />
        <SelectField label={t("words.finds")} value={rule.kind} choices={ruleKinds.map((kind) => ({ value: kind, label: t(`words.kind_${kind}`) }))} onChange={(kind) => put({ kind: kind as WordRuleKind })} help={t(`words.kind_${rule.kind}_help`)} testid="word-rule-kind" />
        {rule.kind === "words" && <TextArea label={t("words.list")} help={t("words.list_help")} value={words} rows={6} onInput={setWords} error={said === "words_too_many" ? t("words.words_too_many") : submit.errorOf("words")} testid="word-rule-words" />}
        {rule.kind === "id_number" && <Checkbox label={t("words.old_form")} help={t("words.old_form_help")} checked={rule.old_form === true} onChange={(old_form) => put({ old_form })} />}
        {rule.kind === "pattern" && (
          <Field label={t("intents.pattern")} help={t("words.pattern_help")} error={submit.errorOf("pattern")}>
            {(ids) => <input {...ids} type="text" class="input input-code" value={rule.pattern} placeholder="\b1[3-9]\d{9}\b" spellcheck={false} autocapitalize="off" autocomplete="off" data-testid="word-rule-pattern" onInput={(event) => put({ pattern: event.currentTarget.value })} />}
          </Field>
        )}
        <RadioCards legend={t("words.action")} name="word-action" value={rule.action} choices={ruleActions.map((action) => ({ value: action, label: t(`words.action_${action}`), help: t(`words.action_${action}_help`) }))} onChange={(action) => put({ action })} />
        <SelectField label={t("words.applies_to")} value={rule.applies_to} choices={ruleReaches.map((reach) => ({ value: reach, label: t(`words.reach_${reach}`) }))} onChange={(reach) => put({ applies_to: reach as WordRuleReach })} testid="word-rule-reach" />
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("save")} busy={submit.busy} disabled={problem !== null} testid="word-rule-submit" />
      </form>
    </Dialog>
  );
}
