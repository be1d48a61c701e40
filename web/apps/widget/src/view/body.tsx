// What a message says: text with links, a picture, a file, or that it is gone. Text nodes only.
import type { Body, FileInfo } from "@frontdesk/client";
import { findLinks } from "@frontdesk/ui";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chat } from "../model/chat";
import { Attachment } from "./attachment";
import { Lazy } from "./lazy";
import { usePicture } from "./picture";

const loadLarge = () => import("./large").then((module) => module.Large);

/** The longest side of a picture in the timeline. */
const PICTURE_PX = 220;

export function MessageBody({ chat, body }: { chat: Chat; body: Body }): JSX.Element {
  const { texts } = chat;
  switch (body.kind) {
    case "text":
      return <Words text={body.text} />;
    case "file":
      return body.file.width > 0 ? <Picture chat={chat} file={body.file} /> : <Attachment chat={chat} file={body.file} />;
    case "tombstone":
      return <i>{texts.t(body.reason === "erased" ? "message.erased" : "message.retracted")}</i>;
    case "system":
    case "retraction":
    case "unsupported":
      return <i>{texts.t("message.unsupported")}</i>;
  }
}

function Words({ text }: { text: string }): JSX.Element {
  return (
    <>
      {findLinks(text).map((piece, at) =>
        piece.kind === "text" ? (
          piece.text
        ) : (
          <a key={at} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ),
      )}
    </>
  );
}

function Picture({ chat, file }: { chat: Chat; file: FileInfo }): JSX.Element {
  const [large, setLarge] = useState(false);
  const picture = usePicture(chat, file, true);
  const scale = Math.min(1, PICTURE_PX / Math.max(file.width, file.height));
  // The place is kept before the picture is there: nothing moves when it arrives.
  const size = { width: `${Math.round(file.width * scale)}px`, height: `${Math.round(file.height * scale)}px` };
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
