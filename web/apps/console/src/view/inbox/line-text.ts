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
    case "system":
      return systemLine(body.key, body.params);
    case "tombstone":
      return body.reason === "erased" ? t("message.erased") : t("message.retracted");
    case "retraction":
      return t("message.retracted");
    case "unsupported":
      return t("message.unsupported");
  }
}
