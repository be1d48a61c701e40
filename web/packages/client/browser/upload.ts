// Sends a file to the server with progress, which fetch cannot tell.
import type { FileInfo } from "../src/model";
import { toFile } from "../src/model";

export type UploadResult =
  | { readonly kind: "stored"; readonly file: FileInfo }
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "cancelled" };

export type RunningUpload = { readonly result: Promise<UploadResult>; cancel(): void };

/** Posts the file's bytes for a conversation; `onProgress` gets 0 to 1. Never rejects. */
export function upload(
  baseUrl: string,
  conversation: string,
  file: Blob,
  name: string,
  headers: Readonly<Record<string, string>>,
  onProgress: (share: number) => void,
): RunningUpload {
  const request = new XMLHttpRequest();
  const result = new Promise<UploadResult>((resolve) => {
    request.open("POST", `${baseUrl}api/v1/conversations/${conversation}/uploads?name=${encodeURIComponent(name)}`);
    request.responseType = "text";
    // The server looks at the bytes; what the browser thinks of them does not matter.
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("x-frontdesk", "1");
    for (const [header, value] of Object.entries(headers)) request.setRequestHeader(header, value);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    request.onload = () => resolve(resultOf(request.status, request.responseText));
    request.onerror = () => resolve({ kind: "refused", code: "network" });
    request.ontimeout = () => resolve({ kind: "refused", code: "timeout" });
    request.onabort = () => resolve({ kind: "cancelled" });
    request.send(file);
  });
  return { result, cancel: () => request.abort() };
}

function resultOf(status: number, text: string): UploadResult {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  if (status >= 200 && status < 300 && typeof fields.id === "string") return { kind: "stored", file: toFile(fields) };
  return { kind: "refused", code: typeof fields.code === "string" ? fields.code : `http.${status}` };
}
