// Files of the conversation on their way to the page. The server wants the visitor's token for every
// file, so pictures are fetched and shown as blob: URLs.
import type { FileInfo } from "@frontdesk/client";
import type { Files } from "./files";

const pictures = new Map<string, Promise<string>>();

/** A blob: URL of the picture, or of its small version. Rejects where it cannot be had. */
export function fetchPicture(files: Files, file: FileInfo, small: boolean): Promise<string> {
  const path = `api/v1/files/${file.id}${small && file.hasThumbnail ? "/thumbnail" : ""}`;
  const known = pictures.get(path);
  if (known) return known;
  const loading = load(files, path).then((blob) => URL.createObjectURL(blob));
  pictures.set(path, loading);
  // A failure is not kept: the next look tries again.
  loading.catch(() => pictures.delete(path));
  return loading;
}

/** Saves the file under its name. */
export async function saveFile(files: Files, file: FileInfo): Promise<void> {
  const url = URL.createObjectURL(await load(files, `api/v1/files/${file.id}`));
  const link = document.createElement("a");
  link.href = url;
  link.download = file.name;
  link.click();
  // The browser has taken the blob by the time anything else runs.
  window.setTimeout(() => URL.revokeObjectURL(url), 0);
}

async function load(files: Files, path: string): Promise<Blob> {
  const answer = await fetch(files.baseUrl + path, { headers: await files.client.authorization(), credentials: "omit" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.blob();
}
