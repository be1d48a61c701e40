// Controls that only settings need: switches with words, choices with pictures, a password that can
// be looked at, a list of short texts.
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { Button, Field } from "../parts/controls";
import { t } from "../text";

type SwitchProps = { readonly label: string; readonly help?: string; readonly checked: boolean; readonly disabled?: boolean; readonly testid?: string; readonly onChange: (checked: boolean) => void };

export function SwitchLine({ label, help, checked, disabled, testid, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div class="switch-line">
      <label class="line-text" for={id}>
        <span>{label}</span>
        {help !== undefined && (
          <span class="meta" id={`${id}-help`}>
            {help}
          </span>
        )}
      </label>
      <input id={id} type="checkbox" role="switch" class="switch" checked={checked} disabled={disabled} aria-describedby={help === undefined ? undefined : `${id}-help`} data-testid={testid} onChange={(event) => onChange(event.currentTarget.checked)} />
    </div>
  );
}

export type RadioChoice<T extends string> = { readonly value: T; readonly label: string; readonly help?: string; readonly picture?: ComponentChildren };

/** One of a few, each with its words (and a picture) in sight. */
export function RadioCards<T extends string>({ legend, name, value, choices, onChange }: { readonly legend: string; readonly name: string; readonly value: T; readonly choices: readonly RadioChoice<T>[]; readonly onChange: (value: T) => void }) {
  return (
    <fieldset class="radio-cards">
      <legend>{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value} class="radio-card">
          <input type="radio" name={name} value={choice.value} checked={value === choice.value} data-testid={`${name}-${choice.value}`} onChange={() => onChange(choice.value)} />
          {choice.picture}
          <span class="radio-words">
            <span>{choice.label}</span>
            {choice.help !== undefined && <span class="meta">{choice.help}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

type PasswordProps = { readonly label: string; readonly help?: string; readonly error?: string | null; readonly value: string; readonly autocomplete: "new-password" | "current-password" | "off"; readonly minlength?: number; readonly testid?: string; readonly onInput: (value: string) => void };

/** A password that whoever types it can look at. */
export function PasswordField({ label, help, error, value, autocomplete, minlength, testid, onInput }: PasswordProps) {
  const [shown, setShown] = useState(false);
  return (
    <Field label={label} help={help} error={error}>
      {(ids) => (
        <span class="password">
          {/* The types of JSX tie each kind of input to its own attributes; these are shared by both. */}
          <input {...ids} {...({ type: shown ? "text" : "password" } as { readonly type: "text" })} class="input" autocomplete={autocomplete} required minLength={minlength} value={value} spellcheck={false} data-testid={testid} onInput={(event) => onInput(event.currentTarget.value)} />
          <Button kind="quiet" size="small" icon={shown ? "eye-off" : "eye"} pressed={shown} label={t("password.show")} onClick={() => setShown(!shown)} />
        </span>
      )}
    </Field>
  );
}

/** Sixteen signs that are not mistaken for each other. */
export function newPassword(): string {
  const signs = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";
  const random = crypto.getRandomValues(new Uint32Array(16));
  return [...random].map((number) => signs[number % signs.length]).join("").replace(/(.{4})(?=.)/g, "$1-");
}

type LinesProps = { readonly legend: string; readonly lang: string; readonly values: readonly string[]; readonly max: number; readonly maxlength: number; readonly placeholder: string; readonly addLabel: string; readonly testid: string; readonly onChange: (values: readonly string[]) => void };

/** A few short texts, one a line, with a way to add and to remove each. */
export function ShortTexts({ legend, lang, values, max, maxlength, placeholder, addLabel, testid, onChange }: LinesProps) {
  return (
    <fieldset class="short-texts">
      <legend>{legend}</legend>
      {values.map((value, at) => (
        <div class="short-text" key={at}>
          <input class="input" lang={lang} value={value} maxLength={maxlength} placeholder={placeholder} aria-label={t("numbered", { name: legend, count: at + 1 })} data-testid={`${testid}-${at}`} onInput={(event) => onChange(values.map((old, other) => (other === at ? event.currentTarget.value : old)))} />
          <Button kind="quiet" icon="x" label={t("remove_numbered", { name: legend, count: at + 1 })} onClick={() => onChange(values.filter((_, other) => other !== at))} />
        </div>
      ))}
      {values.length < max && (
        <span>
          <Button size="small" icon="plus" testid={`${testid}-add`} onClick={() => onChange([...values, ""])}>
            {addLabel}
          </Button>
        </span>
      )}
    </fieldset>
  );
}
