// Files of a conversation as blob: URLs: they are fetched with the person's own rights and never
// opened as a document of our origin. A bounded number is kept; the oldest are let go.
import { useEffect, useState } from "preact/hooks";

const keptMax = 200;

type Kept = { readonly url: Promise<string>; users: number };

const kept = new Map<string, Kept>();
const baseUrl = new URL(".", location.href).href;

async function fetchBlob(path: string): Promise<string> {
  const answer = await fetch(baseUrl + path, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the file could not be read: ${answer.status}`);
  return URL.createObjectURL(await answer.blob());
}

function letGo(): void {
  for (const [path, entry] of kept) {
    if (kept.size <= keptMax) return;
    if (entry.users > 0) continue;
    kept.delete(path);
    entry.url.then((url) => URL.revokeObjectURL(url)).catch(() => undefined);
  }
}

export type BlobState = { readonly kind: "loading" } | { readonly kind: "ready"; readonly url: string } | { readonly kind: "failed" };

export function useBlob(path: string, attempt = 0): BlobState {
  const [state, setState] = useState<BlobState>({ kind: "loading" });
  useEffect(() => {
    let entry = kept.get(path);
    if (entry === undefined) {
      entry = { url: fetchBlob(path), users: 0 };
      kept.set(path, entry);
      letGo();
    }
    const used = entry;
    used.users += 1;
    let gone = false;
    used.url.then(
      (url) => gone || setState({ kind: "ready", url }),
      () => {
        if (kept.get(path) === used) kept.delete(path);
        if (!gone) setState({ kind: "failed" });
      },
    );
    return () => {
      gone = true;
      used.users -= 1;
    };
  }, [path, attempt]);
  return state;
}

/** Saves a file under its own name. */
export async function download(path: string, name: string): Promise<void> {
  save(await fetchBlob(path), name);
}

/** Saves a text as a file. */
export function saveText(text: string, name: string): void {
  save(URL.createObjectURL(new Blob([text], { type: "application/octet-stream" })), name);
}

function save(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
