// What a message says: text with links, a file, what was filled in, or that it is gone. Text nodes only.
import type { JSX } from "preact";
import type { Chat } from "../model/chat";
import type { MessageRow } from "../model/rows";
import { Lazy } from "./lazy";

const loadLinked = () => import("./linked").then((module) => module.Linked);
const loadFilledIn = () => import("./asked").then((module) => module.FilledIn);
const loadFile = () => import("./file").then((module) => module.FileBody);

/** The longest side of a picture in the timeline. */
const PICTURE_PX = 220;

/** The place is kept before the file, or what draws it, is there: nothing moves when it arrives. */
function room(width: number, height: number): { readonly width: string; readonly height: string } {
  const scale = Math.min(1, PICTURE_PX / Math.max(width, height));
  return { width: `${Math.round(width * scale)}px`, height: `${Math.round(height * scale)}px` };
}

export function MessageBody({ chat, body }: { chat: Chat; body: MessageRow["body"] }): JSX.Element {
  const { texts } = chat;
  switch (body.kind) {
    case "text":
      // An address has one of these; it is as long before it is a link.
      return /[/@]/.test(body.text) ? <Lazy load={loadLinked} props={{ chat, text: body.text }} meanwhile={<>{body.text}</>} /> : <>{body.text}</>;
    case "file": {
      const { file } = body;
      const size = file.width > 0 ? room(file.width, file.height) : undefined;
      const place = (
        <span class={size ? "picture" : "attachment"} style={size}>
          {file.name}
        </span>
      );
      return <Lazy load={loadFile} props={{ chat, file, size }} meanwhile={place} />;
    }
    case "draft":
      return <>{body.text}</>;
    case "form":
      return <>{body.form.title}</>;
    case "formReply":
      return <Lazy load={loadFilledIn} props={{ chat, values: body.values }} />;
    case "tombstone":
      return <i>{texts.t(body.reason === "erased" ? "message.erased" : "message.retracted")}</i>;
    case "system":
    case "retraction":
    case "unsupported":
      return <i>{texts.t("message.unsupported")}</i>;
  }
}
