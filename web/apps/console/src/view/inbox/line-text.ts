import { toValues } from "@frontdesk/client";
import type { EntryLine } from "../../model/types";
import { systemLine, t } from "../text";

/** An entry in one line of words, for lists, quotes and screen readers. */
export function lineText(entry: EntryLine): string {
  const { body } = entry;
  switch (body.kind) {
    case "text":
      return body.text;
    case "file":
      return body.file.width > 0 ? t("message.image") : body.file.name || t("message.file");
    case "form":
      return body.form.title ?? t("form.asked");
    case "formReply":
      return toValues(body.values)
        .map(({ label, value }) => `${label}: ${value}`)
        .join(", ");
    case "system":
      return body.key === "bot.suggestion" ? (body.params["text"] ?? "") : systemLine(body.key, body.params);
    case "tombstone":
      return body.reason === "erased" ? t("message.erased") : t("message.retracted");
    case "retraction":
      return t("message.retracted");
    case "unsupported":
      return t("message.unsupported");
  }
}
