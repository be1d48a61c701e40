// Attachments on their way, each with its progress and a way to stop it.
import { errorText } from "@frontdesk/i18n";
import { Drawing, Icon, IconButton } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";
import { FILE } from "./drawings";

export function Uploads({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  const uploads = chat.files.uploads.value;
  return (
    <ul class="uploads">
      {uploads.map((one) => {
        const percent = Math.round(one.progress * 100);
        return (
          <li key={one.id} class={one.failed === "" ? "upload" : "upload upload-failed"}>
            {one.failed === "" ? <Drawing paths={FILE} small /> : <Icon name="alert" small />}
            <span class="upload-name">
              {one.name}
              {one.failed === "" ? (
                <progress max={100} value={percent} aria-label={texts.t("upload.progress", { name: one.name, percent })} />
              ) : (
                <small role="alert">{errorText(texts, one.failed)}</small>
              )}
            </span>
            <IconButton icon="x" label={texts.t("upload.cancel", { name: one.name })} onClick={() => chat.files.cancel(one.id)} />
          </li>
        );
      })}
    </ul>
  );
}
