// A form under a bot's message: fields while it can be answered, then what was filled in.
import { FIELD_VALUE_CHARS_MAX, filledIn, problemOf, tidied, toForm } from "@frontdesk/client";
import type { Answer, FieldKind, FieldProblem, FieldValue, FormField } from "@frontdesk/client";
import type { FormJson } from "@frontdesk/protocol";
import { Button } from "@frontdesk/ui";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chat } from "../model/chat";
import { restFocus } from "./focus";
import { Values } from "./values";

/** So many options stand side by side; more are a list to open. */
const RADIOS_MAX = 5;

/** What stands in forms that are not sent yet, by entry: rows that are scrolled away are not drawn. */
const kept = new Map<string, Readonly<Record<string, string>>>();

/** No input of type e-mail: it keeps what it thinks is none from its page. */
const INPUTS: Readonly<Record<Exclude<FieldKind, "choice">, { readonly type: "text"; readonly inputMode: "text" | "email" | "tel"; readonly autocomplete: "on" | "off" | "email" | "tel" }>> = {
  text: { type: "text", inputMode: "text", autocomplete: "on" },
  email: { type: "text", inputMode: "email", autocomplete: "email" },
  phone: { type: "text", inputMode: "tel", autocomplete: "tel" },
  orderNumber: { type: "text", inputMode: "text", autocomplete: "off" },
};

type Problem = FieldProblem | "nothing";

type FormProps = { chat: Chat; id: string; seq: number; json: FormJson; answer: Answer };

export function AskedForm({ chat, id, seq, json, answer }: FormProps): JSX.Element {
  const { texts } = chat;
  const form = toForm(json);
  const [typed, setTyped] = useState(kept.get(id) ?? {});
  /** Nobody is told what is wrong before having tried. */
  const [tried, setTried] = useState(false);

  if (answer.values || !answer.open) {
    return <div class="card asked">{answer.values ? <Values chat={chat} values={answer.values} /> : <p class="card-text">{texts.t("widget.form_over")}</p>}</div>;
  }

  const values: readonly FieldValue[] = form.fields.map((field) => ({ id: field.id, label: field.label, value: tidied(field, typed[field.id] ?? "") }));
  const nothing = values.every(({ value }) => value === "");
  const problems = form.fields.map((field, at): Problem => {
    const problem = problemOf(field, values[at]?.value ?? "");
    // Where nothing is required, one of them is.
    return problem === "" && nothing && at === 0 ? "nothing" : problem;
  });

  const change = (field: FormField, value: string): void => {
    const next = { ...typed, [field.id]: value };
    kept.set(id, next);
    setTyped(next);
  };

  const submit = (card: HTMLFormElement): void => {
    const wrong = problems.findIndex((problem) => problem !== "");
    if (wrong >= 0) {
      setTried(true);
      card.querySelectorAll<HTMLElement>(".field")[wrong]?.querySelector<HTMLElement>("input, select")?.focus();
      return;
    }
    kept.delete(id);
    chat.say(filledIn(values), seq);
    restFocus();
  };

  return (
    <form
      class="card asked"
      aria-label={form.title}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit(event.currentTarget);
      }}
    >
      {form.fields.map((field, at) => (
        <Field key={field.id} chat={chat} name={`${id}-${at}`} field={field} value={typed[field.id] ?? ""} problem={tried ? (problems[at] ?? "") : ""} onChange={(value) => change(field, value)} />
      ))}
      <Button kind="primary" type="submit">
        {form.submit || texts.t("widget.form_send")}
      </Button>
    </form>
  );
}

type FieldProps = { chat: Chat; name: string; field: FormField; value: string; problem: Problem; onChange: (value: string) => void };

function Field({ chat, name, field, value, problem, onChange }: FieldProps): JSX.Element {
  const { texts } = chat;
  const label = (
    <span class="field-label" dir="auto">
      {field.required ? field.label : texts.t("widget.form_optional", { label: field.label })}
    </span>
  );
  const told = problem === "" ? undefined : `${name}-problem`;
  const state = { "aria-required": field.required, "aria-invalid": problem !== "", "aria-describedby": told };
  const below = told === undefined ? null : (
    <small class="card-failed" id={told}>
      {texts.t(`widget.form_${problem as Exclude<Problem, "">}`, { max: FIELD_VALUE_CHARS_MAX })}
    </small>
  );
  if (field.kind === "choice" && field.options.length <= RADIOS_MAX) {
    return (
      <fieldset class="field" role="radiogroup" {...state}>
        <legend>{label}</legend>
        {field.options.map((option) => (
          <label key={option.id} class="radio">
            <input type="radio" name={name} checked={option.label === value} onChange={() => onChange(option.label)} />
            <span dir="auto">{option.label}</span>
          </label>
        ))}
        {below}
      </fieldset>
    );
  }
  return (
    <div class="field">
      <label>
        {label}
        {field.kind === "choice" ? (
          <select {...state} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
            <option value="">{texts.t("widget.form_choose")}</option>
            {field.options.map((option) => (
              <option key={option.id} value={option.label}>
                {option.label}
              </option>
            ))}
          </select>
        ) : (
          <input {...state} {...INPUTS[field.kind]} dir="auto" value={value} onInput={(event) => onChange(event.currentTarget.value)} />
        )}
      </label>
      {below}
    </div>
  );
}
