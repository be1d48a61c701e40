// A picture's blob: URL for as long as a component shows it.
import type { FileInfo } from "@frontdesk/client";
import { useEffect, useState } from "preact/hooks";
import type { Chat } from "../model/chat";

/** Undefined while it is loading. */
export function usePicture(chat: Chat, file: FileInfo, small: boolean): string | undefined | "failed" {
  const [url, setUrl] = useState<string | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    chat.files.picture(file, small).then(
      (found) => wanted && setUrl(found),
      () => wanted && setUrl("failed"),
    );
    return () => {
      wanted = false;
    };
  }, [file.id, small]);
  return url;
}
