// A picture's blob: URL for as long as a component shows it.
import type { FileInfo } from "@frontdesk/client";
import { useEffect, useState } from "preact/hooks";
import type { Chat } from "../model/chat";
import { fetchPicture } from "../model/fetching";

export type PictureState = { readonly kind: "loading" } | { readonly kind: "shown"; readonly url: string } | { readonly kind: "failed" };

export function usePicture(chat: Chat, file: FileInfo, small: boolean): PictureState {
  const [state, setState] = useState<PictureState>({ kind: "loading" });
  useEffect(() => {
    let wanted = true;
    fetchPicture(chat.files, file, small).then(
      (url) => wanted && setState({ kind: "shown", url }),
      () => wanted && setState({ kind: "failed" }),
    );
    return () => {
      wanted = false;
    };
  }, [file.id, small]);
  return state;
}
