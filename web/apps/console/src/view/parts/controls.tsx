// Buttons and fields. Every control has a name; an icon-only one shows it as a tooltip too.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { IconName } from "../icons";
import { Icon } from "./icon";

type ButtonProps = {
  readonly label?: string;
  readonly icon?: IconName;
  readonly kind?: "primary" | "plain" | "quiet" | "danger";
  readonly size?: "small" | "normal";
  readonly type?: "button" | "submit";
  readonly disabled?: boolean;
  readonly busy?: boolean;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly popup?: "menu" | "dialog" | "listbox";
  readonly shortcut?: string;
  readonly testid?: string;
  readonly children?: ComponentChildren;
  readonly onClick?: () => void;
};

export function Button(props: ButtonProps) {
  const { kind = "plain", size = "normal" } = props;
  const title = props.label === undefined ? undefined : props.shortcut === undefined ? props.label : `${props.label} (${props.shortcut})`;
  const iconOnly = props.children === undefined;
  return (
    <button
      type={props.type ?? "button"}
      class={`button button-${kind} button-${size}${iconOnly ? " button-icon" : ""}`}
      disabled={props.disabled === true || props.busy === true}
      aria-label={iconOnly ? props.label : undefined}
      title={title}
      aria-busy={props.busy === true ? "true" : undefined}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      aria-haspopup={props.popup}
      aria-keyshortcuts={props.shortcut}
      data-testid={props.testid}
      onClick={props.onClick}
    >
      {props.icon !== undefined && <Icon name={props.icon} size={iconOnly && size === "normal" ? 20 : 16} />}
      {props.children !== undefined && <span class="button-text">{props.children}</span>}
    </button>
  );
}

type FieldProps = {
  readonly label: string;
  readonly help?: string | undefined;
  readonly error?: string | null | undefined;
  readonly optional?: string | undefined;
  readonly children: (ids: { readonly id: string; readonly "aria-describedby"?: string; readonly "aria-invalid"?: "true" }) => ComponentChildren;
};

/** A labelled control with its help and its error tied to it. */
export function Field({ label, help, error, optional, children }: FieldProps) {
  const id = useId();
  const describedBy = [help ? `${id}-help` : "", error ? `${id}-error` : ""].filter((part) => part !== "").join(" ");
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
        {optional !== undefined && <span class="field-optional">{optional}</span>}
      </label>
      {children({ id, ...(describedBy === "" ? {} : { "aria-describedby": describedBy }), ...(error ? { "aria-invalid": "true" as const } : {}) })}
      {help ? (
        <p class="field-help" id={`${id}-help`}>
          {help}
        </p>
      ) : null}
      {error ? (
        <p class="field-error" id={`${id}-error`}>
          <Icon name="circle-alert" size={14} />
          {error}
        </p>
      ) : null}
    </div>
  );
}

type TextFieldProps = Omit<FieldProps, "children"> & {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: "text" | "email" | "password" | "search" | "number";
  readonly name?: string;
  readonly autocomplete?: string;
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly placeholder?: string;
  readonly lang?: string;
  readonly minlength?: number;
  readonly maxlength?: number;
  readonly testid?: string;
  readonly autofocus?: boolean;
};

export function TextField({ label, help, error, optional, value, onInput, testid, autofocus, type, ...rest }: TextFieldProps) {
  return (
    <Field label={label} help={help} error={error} optional={optional}>
      {(ids) => (
        <input
          {...ids}
          {...rest}
          // The types of JSX tie each kind of input to its own attributes; these are shared by all.
          {...({ type: type ?? "text" } as { readonly type: "text" })}
          class="input"
          value={value}
          data-testid={testid}
          ref={autofocus === true ? focusOnce : null}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function TextArea(props: Omit<FieldProps, "children"> & { readonly value: string; readonly onInput: (value: string) => void; readonly rows?: number; readonly placeholder?: string; readonly maxlength?: number; readonly lang?: string; readonly autofocus?: boolean; readonly testid?: string }) {
  return (
    <Field label={props.label} help={props.help} error={props.error} optional={props.optional}>
      {(ids) => (
        <textarea {...ids} class="input textarea" ref={props.autofocus === true ? focusOnce : null} rows={props.rows ?? 3} maxLength={props.maxlength} placeholder={props.placeholder} lang={props.lang} value={props.value} data-testid={props.testid} onInput={(event) => props.onInput(event.currentTarget.value)} />
      )}
    </Field>
  );
}

export type Choice = { readonly value: string; readonly label: string };

export function SelectField(props: Omit<FieldProps, "children"> & { readonly value: string; readonly choices: readonly Choice[]; readonly onChange: (value: string) => void; readonly disabled?: boolean; readonly autofocus?: boolean; readonly testid?: string }) {
  return (
    <Field label={props.label} help={props.help} error={props.error} optional={props.optional}>
      {(ids) => (
        <div class="select">
          <select {...ids} class="input" value={props.value} disabled={props.disabled} data-testid={props.testid} ref={props.autofocus === true ? focusOnce : null} onChange={(event) => props.onChange(event.currentTarget.value)}>
            {props.choices.map((choice) => (
              <option key={choice.value} value={choice.value}>
                {choice.label}
              </option>
            ))}
          </select>
          <Icon name="chevron-down" size={14} />
        </div>
      )}
    </Field>
  );
}

export function Checkbox(props: { readonly label: string; readonly help?: string; readonly checked: boolean; readonly disabled?: boolean; readonly onChange: (checked: boolean) => void }) {
  const id = useId();
  return (
    <div class="checkbox">
      <input id={id} type="checkbox" checked={props.checked} disabled={props.disabled} aria-describedby={props.help ? `${id}-help` : undefined} onChange={(event) => props.onChange(event.currentTarget.checked)} />
      <label for={id}>{props.label}</label>
      {props.help ? (
        <p class="field-help" id={`${id}-help`}>
          {props.help}
        </p>
      ) : null}
    </div>
  );
}

function focusOnce(element: HTMLElement | null): void {
  if (element !== null && element.dataset["focused"] === undefined) {
    element.dataset["focused"] = "";
    element.focus();
  }
}
