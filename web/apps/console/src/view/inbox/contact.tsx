// Who the visitor is, as far as anybody knows: what they or the site said, and what the team writes
// down. Each field is changed where it stands.
import { clockTime, dateOf } from "@frontdesk/i18n";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Contact, ContactChange } from "../../model/api";
import { ApiError } from "../../model/api";
import type { Chat } from "../../model/chat";
import { composing } from "../../model/shortcuts";
import { useConsole } from "../context";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { locale, problem, t } from "../text";

type FieldName = keyof ContactChange;

const fields: readonly { readonly name: FieldName; readonly type: "text" | "email" | "tel"; readonly max: number }[] = [
  { name: "name", type: "text", max: 120 },
  { name: "email", type: "email", max: 254 },
  { name: "phone", type: "tel", max: 40 },
  { name: "note", type: "text", max: 4_000 },
];

export function ContactSection({ chat, contact }: { readonly chat: Chat; readonly contact: Contact }) {
  const app = useConsole();
  const attributes = Object.entries(contact.attributes);
  const changedBy = contact.changed_by_name;
  const changedAt = contact.changed_at_ms ?? 0;
  return (
    <section data-testid="contact">
      <h3 class="details-title">
        {t("contact.title")}
        {contact.verified && (
          <span class="tag tag-ok" title={t("contact.verified_text")} data-testid="contact-verified">
            <Icon name="circle-check" size={12} />
            {t("contact.verified")}
          </span>
        )}
      </h3>
      <dl class="facts">
        {fields.map((field) => (
          <ContactField key={field.name} chat={chat} field={field} value={contact[field.name]} />
        ))}
        {attributes.map(([name, value]) => (
          <div key={name} class="fact" data-testid="attribute">
            <dt title={name}>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {changedAt > 0 && (
        <p class="meta contact-changed">
          {t("contact.changed", { name: changedBy === undefined || changedBy === "" ? t("visitor") : changedBy, time: `${dateOf(changedAt, app.now.value, locale())} ${clockTime(changedAt, locale())}` })}
        </p>
      )}
    </section>
  );
}

type FieldProps = { readonly chat: Chat; readonly field: (typeof fields)[number]; readonly value: string };

function ContactField({ chat, field, value }: FieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const [text, setText] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const editing = text !== null;
  const label = t(`contact.${field.name}`);
  const wasEditing = useRef(false);
  useEffect(() => {
    if (editing) input.current?.focus();
    else if (wasEditing.current) opener.current?.focus();
    wasEditing.current = editing;
  }, [editing]);
  const close = () => {
    setText(null);
    setFailure(null);
  };
  const save = async () => {
    if (text === null || busy) return;
    if (text.trim() === value) {
      close();
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      await chat.changeContact({ [field.name]: text.trim() });
      close();
    } catch (error) {
      setFailure(problem(error instanceof ApiError ? error.code : "connection.lost"));
    }
    setBusy(false);
  };
  if (!editing) {
    return (
      <div class="fact">
        <dt>{label}</dt>
        <dd class="contact-value">
          <button ref={opener} type="button" class="contact-edit" title={t("edit_named", { name: label })} aria-label={value === "" ? t("contact.add", { name: label }) : `${label}: ${value}`} data-testid={`contact-${field.name}`} onClick={() => setText(value)}>
            {value === "" ? <span class="contact-empty">{t("contact.empty")}</span> : <span class={field.name === "note" ? "contact-note" : undefined}>{field.name === "email" ? <Address text={value} /> : value}</span>}
            <Icon name="pencil" size={12} />
          </button>
        </dd>
      </div>
    );
  }
  const common = {
    id,
    ref: input,
    class: field.name === "note" ? "input textarea" : "input",
    value: text,
    maxLength: field.max,
    disabled: busy,
    "aria-invalid": failure === null ? undefined : ("true" as const),
    "aria-describedby": failure === null ? undefined : `${id}-error`,
    "data-testid": `contact-${field.name}-input`,
    onInput: (event: { readonly currentTarget: HTMLInputElement | HTMLTextAreaElement }) => setText(event.currentTarget.value),
    onKeyDown: (event: KeyboardEvent) => {
      if (composing(event)) return;
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && (field.name !== "note" || event.ctrlKey || event.metaKey)) void save();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  };
  return (
    <div class="fact fact-edited">
      <dt>
        <label for={id}>{label}</label>
      </dt>
      <dd>
        {field.name === "note" ? <textarea {...common} rows={4} /> : <input {...common} {...({ type: field.type } as { readonly type: "text" })} autocomplete="off" />}
        {failure !== null && (
          <p class="field-error" id={`${id}-error`} role="alert">
            {failure}
          </p>
        )}
        <span class="contact-buttons">
          <Button size="small" kind="primary" busy={busy} testid={`contact-${field.name}-save`} onClick={() => void save()}>
            {t("save")}
          </Button>
          <Button size="small" kind="quiet" onClick={close}>
            {t("cancel")}
          </Button>
        </span>
      </dd>
    </div>
  );
}

/** An address that may break where it has a joint. */
function Address({ text }: { readonly text: string }) {
  const at = text.lastIndexOf("@") + 1;
  return (
    <>
      {text.slice(0, at)}
      <wbr />
      {text.slice(at)}
    </>
  );
}
