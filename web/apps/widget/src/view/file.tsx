// A picture, or a file to save. Loaded with the first message that has one.
import type { FileInfo } from "@frontdesk/client";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chat } from "../model/chat";
import { Attachment } from "./attachment";
import { Lazy } from "./lazy";
import { usePicture } from "./picture";

const loadLarge = () => import("./large").then((module) => module.Large);

/** Shown at its place. */
type Size = { readonly width: string; readonly height: string };

/** `size`: of a picture; a file that is none has no size. */
export function FileBody({ chat, file, size }: { chat: Chat; file: FileInfo; size: Size | undefined }): JSX.Element {
  return size ? <Picture chat={chat} file={file} size={size} /> : <Attachment chat={chat} file={file} />;
}

function Picture({ chat, file, size }: { chat: Chat; file: FileInfo; size: Size }): JSX.Element {
  const [large, setLarge] = useState(false);
  const picture = usePicture(chat, file, true);
  if (picture.kind === "failed") return <i>{chat.texts.t("widget.image_failed")}</i>;
  return (
    <>
      <button type="button" class="picture" style={size} aria-label={chat.texts.t("widget.open_image", { name: file.name })} onClick={() => setLarge(true)}>
        {picture.kind === "shown" ? <img src={picture.url} alt={file.name} style={size} /> : null}
      </button>
      {large ? <Lazy load={loadLarge} props={{ chat, file, onClose: () => setLarge(false) }} /> : null}
    </>
  );
}
