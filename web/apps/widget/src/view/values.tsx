// What a visitor filled in: in the form's place, and in the visitor's own bubble.
import type { FieldValue } from "@frontdesk/client";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";

/** A label that needs no colon. */
const ENDS = /[?？:：!！.。]$/;

/** What was left empty is left out. */
export function Values({ chat, values }: { chat: Chat; values: readonly FieldValue[] }): JSX.Element {
  const filled = values.filter(({ value }) => value !== "");
  return (
    <dl class="filled-in">
      {(filled.length > 0 ? filled : values).map(({ id, label, value }) => (
        <div key={id} dir="auto">
          <dt>{ENDS.test(label) ? label : chat.texts.t("widget.form_label", { label })}</dt> <dd>{value || "–"}</dd>
        </div>
      ))}
    </dl>
  );
}
