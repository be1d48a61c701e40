// Sending a file up: the transport is injected (a browser's XMLHttpRequest, which alone tells how far
// an upload got), this file reads its answer.
import type { FileInfo } from "@frontdesk/client";
import { toFile } from "@frontdesk/client";
import type { FileJson } from "@frontdesk/protocol";

export type UploadFailure = { readonly code: string };

export type UploadAnswer = { readonly status: number; readonly body: unknown };

/** Begins an upload and gives back how to cancel it. */
export type Upload = (
  conversation: string,
  file: File,
  events: { readonly progress: (share: number) => void; readonly done: (answer: UploadAnswer) => void; readonly lost: () => void },
) => () => void;

type Events = {
  readonly progress: (share: number) => void;
  readonly stored: (file: FileInfo) => void;
  readonly failed: (failure: UploadFailure) => void;
};

function codeOf(answer: UploadAnswer): string {
  const { body } = answer;
  if (typeof body === "object" && body !== null && "code" in body && typeof body.code === "string") return body.code;
  return answer.status === 413 ? "file.too_large" : `http.${answer.status}`;
}

export function startUpload(upload: Upload, conversation: string, file: File, events: Events): () => void {
  return upload(conversation, file, {
    progress: events.progress,
    lost: () => events.failed({ code: "connection.lost" }),
    done: (answer) => {
      if (answer.status < 200 || answer.status > 299) events.failed({ code: codeOf(answer) });
      else events.stored(toFile(answer.body as FileJson));
    },
  });
}
