// Uploads by XMLHttpRequest: fetch cannot tell how far an upload got.
import type { Upload } from "../model/uploads";

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function browserUpload(baseUrl: string): Upload {
  return (conversation, file, events) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${baseUrl}api/v1/conversations/${conversation}/uploads?${new URLSearchParams({ name: file.name }).toString()}`);
    // What the file is its bytes say; the browser's guess is of no use to the server.
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("accept", "application/json");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) events.progress(event.loaded / event.total);
    };
    request.onload = () => events.done({ status: request.status, body: parse(request.responseText) });
    request.onerror = events.lost;
    request.ontimeout = events.lost;
    request.send(file);
    return () => request.abort();
  };
}
