import type { Conversation, FileInfo, KeyValueStore } from "@frontdesk/client";
import { signal } from "@preact/signals-core";
import { describe, expect, it } from "vitest";
import { AllAttachments } from "./attachments";
import { Composer } from "./composer";
import { Drafts } from "./draft";
import type { Upload } from "./uploads";

type Said = { readonly text?: string; readonly file?: string; readonly team: boolean; readonly quoteSeq?: number; readonly mentions?: readonly string[] };

function memory(): KeyValueStore {
  const map = new Map<string, string>();
  return {
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, value),
    remove: (key) => void map.delete(key),
    keys: (prefix) => [...map.keys()].filter((key) => key.startsWith(prefix)),
  };
}

/** `desk`: what outlives the composer, of one that was set up before. */
function setUp(options: { readonly storage?: KeyValueStore; readonly upload?: Upload; readonly id?: string; readonly desk?: AllAttachments } = {}) {
  const said: Said[] = [];
  const drafts: string[] = [];
  // What a composer asks of a conversation, written down.
  const conversation = {
    id: options.id ?? "c1",
    draft: (text: string) => drafts.push(text),
    sendText: (text: string, more: { team: boolean; quoteSeq: number; mentions: readonly string[] }) =>
      said.push({ text, team: more.team, quoteSeq: more.quoteSeq, ...(more.mentions.length > 0 ? { mentions: more.mentions } : {}) }),
    sendFile: (file: FileInfo, more: { team: boolean; quoteSeq: number }) => said.push({ file: file.id, team: more.team, ...(more.quoteSeq > 0 ? { quoteSeq: more.quoteSeq } : {}) }),
  } as unknown as Conversation;
  const allowed = signal({ reply: true, note: true });
  const storage = options.storage ?? memory();
  const kept = new Drafts(storage, "draft/");
  const desk = options.desk ?? new AllAttachments({ drafts: kept, upload: options.upload ?? (() => () => undefined), fileBytesMax: () => 100 });
  const composer = new Composer(conversation, kept, desk.of(conversation.id), () => 12, allowed);
  return { composer, said, drafts, allowed, storage, desk };
}

describe("a composer", () => {
  it("sends trimmed text once and is empty after it", () => {
    const { composer, said } = setUp();
    composer.setText("  hi \n");
    composer.quote(4);
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

  const uploaded: Upload = (_conversation, file, events) => {
    events.done({ status: 201, body: { id: `${file.name}-id`, name: file.name, mediaType: "image/png", sizeBytes: "3" } });
    return () => undefined;
  };

  it("gives a quote to a note, and to the first file where there are no words", () => {
    const { composer, said } = setUp({ upload: uploaded });
    composer.setMode("note");
    composer.quote(7);
    composer.setText("look");
    composer.send();
    composer.quote(8);
    composer.attach([new File(["a"], "a"), new File(["b"], "b")]);
    composer.send();
    expect(said).toEqual([
      { text: "look", team: true, quoteSeq: 7 },
      { file: "a-id", team: false, quoteSeq: 8 },
      { file: "b-id", team: false },
    ]);
    expect(composer.quoteSeq.value).toBe(0);
  });

  it("keeps files, quote and people with the draft over a reload, and not what was not through", () => {
    const first = setUp({ upload: (conversation, file, events) => (file.name === "slow" ? () => undefined : uploaded(conversation, file, events)) });
    first.composer.setMode("note");
    first.composer.mention({ id: "u2", name: "Mei Chen" });
    first.composer.setText("@Mei Chen");
    first.composer.quote(3);
    first.composer.attach([new File(["a"], "a"), new File(["b"], "slow")]);
    const { composer, said, storage } = setUp({ storage: first.storage });
    expect(composer.attachments.value).toMatchObject([{ name: "a", sizeBytes: 3, state: { kind: "stored" } }]);
    composer.send();
    expect(said).toEqual([
      { file: "a-id", team: true },
      { text: "@Mei Chen", team: true, quoteSeq: 3, mentions: ["u2"] },
    ]);
    expect(storage.keys("draft/")).toEqual([]);
  });

  it("finds uploads where they are when the agent comes back to the conversation", () => {
    const running = new Map<string, Parameters<Upload>[2]>();
    let cancelled = 0;
    const upload: Upload = (_conversation, file, events) => {
      running.set(file.name, events);
      return () => (cancelled += 1);
    };
    const { composer, storage, desk } = setUp({ upload });
    composer.attach(["half", "whole", "broken"].map((name) => new File(["a"], name)));
    composer.setText("here");
    desk.leave("c1");
    running.get("half")?.progress(0.5);
    running.get("whole")?.done({ status: 201, body: { id: "w", name: "whole", mediaType: "image/png", sizeBytes: "3" } });
    running.get("broken")?.lost();
    expect(cancelled).toBe(0);
    expect(setUp({ desk, storage, id: "c2" }).composer.attachments.value).toEqual([]);
    const again = setUp({ desk, storage });
    expect(again.composer.attachments.value.map(({ name, state }) => [name, state])).toMatchObject([
      ["half", { kind: "uploading", share: 0.5 }],
      ["whole", { kind: "stored" }],
      ["broken", { kind: "failed", failure: { code: "connection.lost" } }],
    ]);
    expect(again.composer.text.value).toBe("here");
    // What is through lies with the draft: a reload finds it, or another tab that sends it.
    expect(setUp({ storage }).composer.attachments.value.map(({ name }) => name)).toEqual(["whole"]);
    again.composer.removeAttachment(again.composer.attachments.value[2]?.id ?? 0);
    desk.leave("c1");
    running.get("half")?.done({ status: 201, body: { id: "h", name: "half", mediaType: "image/png", sizeBytes: "3" } });
    const elsewhere = setUp({ storage });
    elsewhere.composer.send();
    expect(elsewhere.said).toEqual([{ file: "h", team: false }, { file: "w", team: false }, { text: "here", team: false, quoteSeq: 0 }]);
    expect(setUp({ desk, storage }).composer.attachments.value).toEqual([]);
  });

  it("ends uploads with the login", () => {
    let cancelled = 0;
    const { composer, desk } = setUp({ upload: () => () => (cancelled += 1) });
    composer.attach([new File(["a"], "a")]);
    desk.leave("c1");
    desk.stop();
    expect(cancelled).toBe(1);
  });

  it("calls upon nobody whose name was taken out again, nor in a reply", () => {
    const { composer, said } = setUp();
    composer.mention({ id: "u2", name: "Mei" });
    composer.setText("hi @Mei");
    composer.send();
    composer.setMode("note");
    composer.mention({ id: "u2", name: "Mei" });
    composer.setText("hi Mei");
    composer.send();
    expect(said.map((one) => one.mentions)).toEqual([undefined, undefined]);
  });

  it("reads what an older console wrote, and nothing of what is no draft", () => {
    const storage = memory();
    storage.set("draft/c1", JSON.stringify({ text: "old", mode: "note" }));
    expect(setUp({ storage }).composer.text.value).toBe("old");
    for (const written of ["{", "7", JSON.stringify({ text: 1 }), JSON.stringify({ text: "", files: [{ id: 1 }], people: "x", quoteSeq: "y" })]) {
      storage.set("draft/c1", written);
      const { composer } = setUp({ storage });
      expect([composer.text.value, composer.attachments.value, composer.quoteSeq.value]).toEqual(["", [], 0]);
    }
  });
});
