// Choosing an intent by its name: one that is known, or another of one's own.
import { useState } from "preact/hooks";
import { nameProblem } from "../../../model/intent-settings";
import { SelectField, TextField } from "../../parts/controls";
import { intentName } from "../../parts/intent";
import { t } from "../../text";

/** Stands for another name in the list; no name has a blank. */
const another = " another";

/** Why a name will not do, in words; null where it will, or where there is none yet. */
export function nameTrouble(name: string, taken: readonly string[] = []): string | null {
  const problem = nameProblem(name);
  if (problem === "empty") return null;
  if (problem !== null) return t(`intents.name_${problem}`);
  return taken.includes(name) ? t("intents.name_taken") : null;
}

type NameProps = { readonly value: string; readonly known: readonly string[]; readonly taken?: readonly string[]; readonly onChange: (name: string) => void };

export function IntentField({ value, known, taken = [], onChange }: NameProps) {
  const [typed, setTyped] = useState(value !== "" && !known.includes(value));
  const choices = [
    ...(value === "" && !typed ? [{ value: "", label: t("intents.name_choose") }] : []),
    ...known.map((name) => ({ value: name, label: intentName(name) })),
    { value: another, label: t("intents.name_another") },
  ];
  return (
    <>
      <SelectField
        label={t("intents.intent")}
        value={typed ? another : value}
        choices={choices}
        onChange={(chosen) => {
          setTyped(chosen === another);
          onChange(chosen === another ? "" : chosen);
        }}
        autofocus
        testid="intent-choice"
      />
      {typed && <TextField label={t("intents.name")} help={t("intents.name_help")} value={value} onInput={(name) => onChange(name.trim())} error={nameTrouble(value, taken)} maxlength={64} autofocus testid="intent-name" />}
    </>
  );
}
