// A file on its way to the server, from the choice to the message. Loaded with the first one.
import type { VisitorClient } from "@frontdesk/client";
import type { RunningUpload } from "@frontdesk/client/browser";
import { upload } from "@frontdesk/client/browser/upload";
import type { Upload } from "./files";

export type Shown = {
  /** The entry it answers; 0 for none. */
  readonly quoteSeq: number;
  readonly change: (change: Partial<Upload>) => void;
  readonly remove: () => void;
  /** The visitor took it away meanwhile. */
  readonly gone: () => boolean;
  readonly runs: (run: RunningUpload | undefined) => void;
};

export async function uploadFile(baseUrl: string, client: VisitorClient, file: File, name: string, shown: Shown): Promise<void> {
  const limit = client.fileBytesMax;
  if (limit > 0 && file.size > limit) {
    shown.change({ failed: "file.too_large" });
    return;
  }
  let headers: Record<string, string>;
  try {
    headers = await client.authorization();
  } catch {
    shown.change({ failed: "network" });
    return;
  }
  if (shown.gone()) return;
  const run = upload(baseUrl, client.conversationId, file, name, headers, (progress) => shown.change({ progress }));
  shown.runs(run);
  const result = await run.result;
  shown.runs(undefined);
  if (result.kind === "refused") {
    shown.change({ failed: result.code });
    return;
  }
  shown.remove();
  if (result.kind === "stored") client.conversation.sendFile(result.file, { quoteSeq: shown.quoteSeq });
}
