// What a bot asks by buttons and forms, and what a visitor answered. Here they are read, not pressed.
import { answerTo, toChoices, toSources, toValues } from "@frontdesk/client";
import type { Form } from "@frontdesk/client";
import type { ChoiceJson, FieldValueJson, SourceJson } from "@frontdesk/protocol";
import type { Chat } from "../../model/chat";
import { Icon } from "../parts/icon";
import { t } from "../text";

/** The buttons under a message; the one the visitor chose is marked. */
export function Choices({ chat, seq, choices }: { readonly chat: Chat; readonly seq: number; readonly choices: readonly ChoiceJson[] }) {
  const { choice: picked } = answerTo(chat.conversation.lines.value, seq, (line) => line.kind === "entry" && line.actor.kind === "visitor");
  return (
    <ul class="asked-choices" aria-label={t("choices.label")} data-testid="choices">
      {toChoices(choices).map((choice) => (
        <li key={choice.id} class={choice.id === picked ? "asked-choice asked-choice-picked" : "asked-choice"} data-picked={choice.id === picked}>
          {choice.id === picked && <Icon name="check" size={12} />}
          {choice.label}
          {choice.id === picked && <span class="visually-hidden"> ({t("choices.picked")})</span>}
        </li>
      ))}
    </ul>
  );
}

/** A form as the visitor has it, without its fields to fill in. */
export function Asked({ form }: { readonly form: Form }) {
  return (
    <div class="asked-form" data-testid="form">
      <p class="asked-form-title" dir="auto">
        {form.title === "" ? t("form.asked") : form.title}
      </p>
      <ul aria-label={t("form.asked")}>
        {form.fields.map((field) => (
          <li key={field.id}>
            <span dir="auto">{field.label}</span>
            {field.required && <span class="meta"> {t("form.required")}</span>}
            {field.options.length > 0 && <span class="meta asked-options">{field.options.map((option) => option.label).join(" / ")}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Filled({ values }: { readonly values: readonly FieldValueJson[] }) {
  return (
    <dl class="asked-filled" aria-label={t("form.reply")} data-testid="form-reply">
      {toValues(values).map((value) => (
        <div key={value.id}>
          <dt dir="auto">{value.label}</dt>
          <dd dir="auto">{value.value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The articles a bot's answer was taken from: those the team may look at and change. */
export function Sources({ sources }: { readonly sources: readonly SourceJson[] | undefined }) {
  const known = toSources(sources);
  if (known.length === 0) return null;
  return (
    <ul class="asked-sources" aria-label={t("sources.label")} data-testid="sources">
      {known.map((source) => (
        <li key={source.article}>
          <Icon name="book-open" size={12} />
          {source.article === "" ? source.title : <a href={`#/knowledge/${source.article}`}>{source.title}</a>}
        </li>
      ))}
    </ul>
  );
}
