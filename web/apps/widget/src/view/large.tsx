// A picture in its full size, over the conversation.
import type { FileInfo } from "@frontdesk/client";
import { Dialog } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";
import { Attachment } from "./attachment";
import { usePicture } from "./picture";

export function Large({ chat, file, onClose }: { chat: Chat; file: FileInfo; onClose: () => void }): JSX.Element {
  const picture = usePicture(chat, file, false);
  return (
    <Dialog title={file.name} closeLabel={chat.texts.t("dialog.close")} onClose={onClose}>
      {picture.kind === "shown" ? <img class="large" src={picture.url} alt={file.name} /> : null}
      {picture.kind === "failed" ? <p>{chat.texts.t("widget.image_failed")}</p> : null}
      <Attachment chat={chat} file={file} />
    </Dialog>
  );
}
