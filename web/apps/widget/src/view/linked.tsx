// Text with links. Loaded with the first message that may have one; text nodes only.
import { findLinks } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";

export function Linked({ text }: { chat: Chat; text: string }): JSX.Element {
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
