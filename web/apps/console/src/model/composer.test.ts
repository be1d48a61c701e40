import type { Conversation, FileInfo, KeyValueStore } from "@frontdesk/client";
import { signal } from "@preact/signals-core";
import { describe, expect, it } from "vitest";
import { Composer } from "./composer";
import type { Upload } from "./uploads";

type Said = { readonly text?: string; readonly file?: string; readonly team: boolean; readonly quoteSeq?: number };

function memory(): KeyValueStore {
  const map = new Map<string, string>();
  return {
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, value),
    remove: (key) => void map.delete(key),
    keys: (prefix) => [...map.keys()].filter((key) => key.startsWith(prefix)),
  };
}

function setUp(options: { readonly storage?: KeyValueStore; readonly upload?: Upload; readonly id?: string } = {}) {
  const said: Said[] = [];
  const drafts: string[] = [];
  // What a composer asks of a conversation, written down.
  const conversation = {
    id: options.id ?? "c1",
    draft: (text: string) => drafts.push(text),
    sendText: (text: string, more: { team: boolean; quoteSeq: number }) => said.push({ text, team: more.team, quoteSeq: more.quoteSeq }),
    sendFile: (file: FileInfo, more: { team: boolean }) => said.push({ file: file.id, team: more.team }),
  } as unknown as Conversation;
  const allowed = signal({ reply: true, note: true });
  const storage = options.storage ?? memory();
  const composer = new Composer(conversation, storage, "draft/", options.upload ?? (() => () => undefined), () => ({ textBytesMax: 12, fileBytesMax: 100 }), allowed);
  return { composer, said, drafts, allowed, storage };
}

describe("a composer", () => {
  it("sends trimmed text once and is empty after it", () => {
    const { composer, said } = setUp();
    composer.setText("  hi \n");
    composer.quoteSeq.value = 4;
    expect(composer.send()).toBe(true);
    expect(said).toEqual([{ text: "hi", team: false, quoteSeq: 4 }]);
    expect(composer.text.value).toBe("");
    expect(composer.quoteSeq.value).toBe(0);
    expect(composer.send()).toBe(false);
  });

  it("keeps draft and mode of each conversation over a reload", () => {
    const { composer, storage } = setUp();
    composer.setText("later");
    composer.setMode("note");
    const again = setUp({ storage }).composer;
    expect([again.text.value, again.mode.value]).toEqual(["later", "note"]);
    expect(setUp({ storage, id: "c2" }).composer.text.value).toBe("");
    again.send();
    expect(storage.keys("draft/")).toEqual([]);
  });

  it("goes back to replying after a note, and never lets the visitor see that one is typed", () => {
    const { composer, said, drafts } = setUp();
    composer.setMode("note");
    composer.setText("secret");
    expect(drafts.every((text) => text === "")).toBe(true);
    composer.send();
    expect(said).toEqual([{ text: "secret", team: true, quoteSeq: 0 }]);
    expect(composer.mode.value).toBe("reply");
  });

  it("writes a note where nothing else is allowed, without forgetting what was chosen", () => {
    const { composer, allowed } = setUp();
    allowed.value = { reply: false, note: true };
    expect(composer.mode.value).toBe("note");
    allowed.value = { reply: true, note: true };
    expect(composer.mode.value).toBe("reply");
  });

  it("counts bytes, not characters, against the server's limit", () => {
    const { composer } = setUp();
    composer.setText("四个字吗");
    expect(composer.overBytes()).toBe(0);
    composer.setText("五个字多了");
    expect(composer.overBytes()).toBe(3);
    expect(composer.canSend.value).toBe(false);
  });

  it("sends files when all of them are stored, and drops what was cancelled", () => {
    const running: Parameters<Upload>[2][] = [];
    let cancelled = 0;
    const { composer, said } = setUp({
      upload: (_conversation, _file, events) => {
        running.push(events);
        return () => (cancelled += 1);
      },
    });
    composer.attach([new File(["a"], "a.png"), new File(["b"], "b.png"), new File([], "empty"), new File(["x".repeat(101)], "big")]);
    expect(composer.attachments.value.map((file) => file.state.kind)).toEqual(["uploading", "uploading", "failed", "failed"]);
    for (const file of composer.attachments.value.slice(1)) composer.removeAttachment(file.id);
    expect(cancelled).toBe(1);
    expect(composer.canSend.value).toBe(false);
    running[1]?.progress(0.5);
    expect(composer.attachments.value).toHaveLength(1);
    running[0]?.done({ status: 201, body: { id: "f".repeat(32), name: "a.png" } });
    expect(composer.canSend.value).toBe(true);
    composer.send();
    expect(said).toEqual([{ file: "f".repeat(32), team: false }]);
  });

  it("says why an upload failed", () => {
    const { composer } = setUp({
      upload: (_conversation, _file, events) => {
        events.done({ status: 413, body: { code: "file.quota" } });
        return () => undefined;
      },
    });
    composer.attach([new File(["a"], "a")]);
    expect(composer.attachments.value[0]?.state).toEqual({ kind: "failed", failure: { code: "file.quota" } });
  });
});
