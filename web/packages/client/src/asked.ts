// What a bot asks by buttons and forms, and what a visitor answers: read from the wire, checked before
// it is sent, and told apart from what nobody waits for any more. No part of the widget's first view.
import type { ChoiceJson, ContentJson, FieldValueJson, FormFieldKindJson, FormJson, SourceJson } from "@frontdesk/protocol";
import type { ViewLine } from "./conversation";

export type Choice = { readonly id: string; readonly label: string };
export type FieldKind = "text" | "email" | "phone" | "orderNumber" | "choice";
export type FormField = {
  readonly id: string;
  readonly label: string;
  readonly kind: FieldKind;
  readonly required: boolean;
  /** Of a choice; empty for every other kind. */
  readonly options: readonly Choice[];
};
/** `submit` is empty where the client has its own word. */
export type Form = { readonly title: string; readonly fields: readonly FormField[]; readonly submit: string };
export type FieldValue = { readonly id: string; readonly label: string; readonly value: string };
/** `path` begins with "/help/", or is empty where the article has no page. */
export type Source = { readonly article: string; readonly title: string; readonly path: string };

/** What is wrong with a field's value; empty for nothing. */
export type FieldProblem = "" | "required" | "long" | Exclude<FieldKind, "text">;

/** What became of the buttons or the form of an entry. */
export type Answer = {
  /** It can still be answered. */
  readonly open: boolean;
  /** The id of the button that was picked. */
  readonly choice: string;
  readonly values: readonly FieldValue[] | undefined;
};

/** Characters of what is filled into one field: the server refuses more. */
export const FIELD_VALUE_CHARS_MAX = 500;
/** What a help centre's pages begin with: a source leads nowhere else. */
const HELP = "/help/";

const FIELD_KINDS: Partial<Record<string, FieldKind>> = {
  FORM_FIELD_KIND_EMAIL: "email",
  FORM_FIELD_KIND_PHONE: "phone",
  FORM_FIELD_KIND_ORDER_NUMBER: "orderNumber",
  FORM_FIELD_KIND_CHOICE: "choice",
} satisfies Partial<Record<FormFieldKindJson, FieldKind>>;

/** What the bot of a server takes: whoever would be asked again by it, is told here at once. */
const SHAPES: Readonly<Record<"email" | "phone" | "orderNumber", RegExp>> = {
  email: /^[\w.%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,5}\.[a-z]{2,24}$/i,
  // 6 to 15 digits, with what people put between them.
  phone: /^(?=(?:\D*\d){6,15}\D*$)\+?[\d(][\d ()./-]{4,22}\d$/,
  orderNumber: /^[\w-]{3,40}$/,
};

export function toChoices(json: readonly ChoiceJson[] | undefined): readonly Choice[] {
  return (json ?? []).map(({ id, label }) => ({ id: id ?? "", label: label ?? "" }));
}

/** A field of a kind that is not known here is a line of text. */
export function toForm(json: FormJson): Form {
  const fields = (json.fields ?? []).map((field) => ({
    id: field.id ?? "",
    label: field.label ?? "",
    kind: FIELD_KINDS[field.kind ?? ""] ?? "text",
    required: field.required ?? false,
    options: toChoices(field.options),
  }));
  return { title: json.title ?? "", fields, submit: json.submit ?? "" };
}

export function toValues(json: readonly FieldValueJson[]): readonly FieldValue[] {
  return json.map(({ id, label, value }) => ({ id: id ?? "", label: label ?? "", value: value ?? "" }));
}

export function toSources(json: readonly SourceJson[] | undefined): readonly Source[] {
  return (json ?? []).map(({ article, title, path }) => ({
    article: article ?? "",
    title: title ?? "",
    path: path?.startsWith(HELP) ? path : "",
  }));
}

/** A visitor's text that picks this button; sent with the seq of the entry that has it. */
export function picked(choice: Choice): ContentJson {
  return { text: { body: choice.label }, choice: choice.id };
}

/** A visitor's reply to a form; sent with the seq of the entry that has it. */
export function filledIn(values: readonly FieldValue[]): ContentJson {
  return { formReply: { values: values.map((value) => ({ ...value })) } };
}

/** What is sent of what was typed: input methods leave full-width letters and digits behind. */
export function tidied(field: FormField, typed: string): string {
  const exact = field.kind === "email" || field.kind === "phone" || field.kind === "orderNumber";
  return (exact ? typed.normalize("NFKC") : typed).trim();
}

/** `value` is what will be sent: tidied, of a choice the label. */
export function problemOf(field: FormField, value: string): FieldProblem {
  if (value === "") return field.required ? "required" : "";
  if (Array.from(value).length > FIELD_VALUE_CHARS_MAX) return "long";
  switch (field.kind) {
    case "text":
      return "";
    case "choice":
      return field.options.some((option) => option.label === value) ? "" : "choice";
    case "email":
    case "phone":
    case "orderNumber":
      return SHAPES[field.kind].test(value) ? "" : field.kind;
  }
}

/**
 * What `lines` say about the entry `seq`. Buttons wait for the visitor's next message, whatever it is; a form waits
 * for its reply; both only as long as nothing newer is asked. What the server refused was not said.
 */
export function answerTo(lines: readonly ViewLine[], seq: number, isVisitors: (line: ViewLine) => boolean): Answer {
  let form = false;
  let moved = false;
  let newer = false;
  let choice = "";
  let values: readonly FieldValue[] | undefined;
  for (const line of lines) {
    if (line.kind === "skip") continue;
    const { body } = line;
    if (line.kind === "entry" && line.seq <= seq) {
      form = line.seq === seq && body.kind === "form";
      continue;
    }
    if (isVisitors(line)) {
      if (line.kind === "outgoing" && line.state.kind === "refused") continue;
      if (body.kind === "text" || body.kind === "file" || body.kind === "formReply") moved = true;
      if (body.kind === "text" && body.quoteSeq === seq) choice ||= body.choice ?? "";
      if (body.kind === "formReply" && body.quoteSeq === seq) values ??= toValues(body.values);
    } else if (body.kind === "form" || (body.kind === "text" && body.choices)) newer = true;
  }
  return { open: !newer && (form ? values === undefined : !moved), choice, values };
}
