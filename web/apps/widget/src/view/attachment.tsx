// A file to save, with its name and size.
import type { FileInfo } from "@frontdesk/client";
import { fileSize } from "@frontdesk/i18n";
import { Drawing } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";
import { saveFile } from "../model/fetching";
import { DOWNLOAD, FILE } from "./drawings";

export function Attachment({ chat, file }: { chat: Chat; file: FileInfo }): JSX.Element {
  return (
    <button
      type="button"
      class="attachment"
      title={chat.texts.t("widget.download", { name: file.name })}
      onClick={() => void chat.save(() => saveFile(chat.files, file))}
    >
      <Drawing paths={FILE} />
      <span>
        {file.name}
        <small>{fileSize(file.sizeBytes, chat.texts.locale.value)}</small>
      </span>
      <Drawing paths={DOWNLOAD} small />
    </button>
  );
}
